"""Plain code: Python and NumPy, with no way into the interpreter.

A check that counts the steps of a learner's code counts them in the learner's own process, where code
that reaches the interpreter's tracing could stop the count. So there, and only there, an answer is read
before it runs.
"""

import ast
import pkgutil
import re
import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np

MODULES = {"__future__", "cnnlib", "collections", "functools", "itertools", "math", "numpy"}
INSIDE = {"fft", "lib", "linalg", "mine", "random", "stride_tricks", "typing"}
# A pickle imports what it likes, and what looks like a file will do; ctypes writes anywhere.
RAW = {"ctypes", "load", "read_array"}
BUILT_IN = {"__import__", "breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals"}
BUILT_IN |= {"hasattr", "help", "input", "locals", "open", "setattr", "vars"}
SPECIAL = {"__call__", "__class__", "__init__", "__len__", "__name__", "__getitem__"}
FRAMES = re.compile(r"(f|tb|gi|cr|ag|co)_(trace\w*|back|globals|builtins|locals|frame|code|next)")


def _elsewhere() -> set[str]:
    """Names of modules, as one finds them in NumPy's and others' namespaces."""
    numpys = {module.name for module in pkgutil.iter_modules(np.__path__)}
    names = {
        name
        for name in numpys | set(sys.stdlib_module_names) - MODULES
        if not hasattr(np.ndarray, name)
        and isinstance(vars(np).get(name, np), ModuleType)  # np.array and np.select are functions
    }
    return names | {f"_{name}" for name in names} - INSIDE


ELSEWHERE = _elsewhere() - INSIDE


def not_plain(source: str) -> str:
    """The first name in a source with which code can reach into the interpreter, or "".

    Examples
    --------
    >>> not_plain("x = np.pad(x, 1).copy()")
    ''
    >>> not_plain("import sys")
    'sys'
    >>> not_plain("np.f2py.os._exit(0)")
    'os'
    """
    try:
        names = _names(ast.parse(source))
        return next((name.rstrip(".()") for name in names if _reaches(name)), "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""  # it doesn't run either


def _names(tree: ast.AST) -> Iterator[str]:
    """What is imported, looked up in something, or built in; what stands behind `import` with a dot at its end."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                for alias in names:
                    first, *inner = alias.name.split(".")
                    yield from [f"{first}.", *inner]
            case ast.ImportFrom(module, names):
                first, *inner = (module or "").split(".")
                yield from [f"{first}.", *inner, *(alias.name for alias in names)]
            case ast.Attribute(attr=name):
                yield name
            case ast.MatchClass(kwd_attrs=names):
                yield from names
            case ast.Name(name) if name in BUILT_IN or name.startswith("__"):
                yield f"{name}()"


def _reaches(name: str) -> bool:
    if name.endswith("."):
        return name[:-1] not in MODULES
    if name.endswith("()"):
        return name[:-2] not in SPECIAL
    return (
        name in ELSEWHERE | RAW
        or bool(FRAMES.fullmatch(name))
        or (name.startswith("__") and name not in SPECIAL)
    )
