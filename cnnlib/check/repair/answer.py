"""The learner's own source of a class or function: found, parsed, and built anew with something changed.

What is built anew runs in this process, so it must leave no trace. It gets globals of its own;
NumPy's global state is put back; and code that could reach further than that (files, input,
pictures, other modules) is left alone.
"""

import ast
import contextlib
import copy
import dis
import functools
import inspect
import linecache
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import as_strided

# What does nothing but compute, but for a few of NumPy's functions.
HARMLESS_MODULES = frozenset(
    "numpy math cmath itertools functools operator collections dataclasses typing abc enum numbers "
    "copy statistics fractions heapq bisect".split()
)
PARTS = ("cnnlib.mine", "cnnlib.layers", "cnnlib.network", "cnnlib.losses", "cnnlib.fast")
"""Where an answer may take the layers from that it is made of; the check has taken them before."""
FORBIDDEN_NAMES = frozenset(
    "open input exec eval compile __import__ globals locals breakpoint exit quit help "
    "get_ipython display vars".split()
)
# What NumPy has to write and read files, or to set for everybody.
FORBIDDEN_ATTRIBUTES = frozenset(
    "save savez savez_compressed savetxt load loadtxt genfromtxt fromfile tofile dump memmap "
    "DataSource set_printoptions set_string_function seterr seterrcall setbufsize test f2py distutils "
    "ctypeslib show_config get_include info source lookfor".split()
)
KNOWN_DUNDERS = ("__init__", "__call__", "__class__", "__name__", "__len__", "__getitem__")
LARGEST_COPY = 100_000
"""Numbers in the globals that code uses: with more, copying them for each try would take too long."""
AN_ARRAY = 100
"""As many numbers are copied while one more array is made."""
TICK = "__tick__"
STRIDED = "__strided__"


class LeftAlone(Exception):
    """The source can't be had, or the code might reach further than itself."""


class TooLong(BaseException):
    """A loop went round far more often than in the learner's own code; no `except Exception` stops this."""


@dataclass
class Clock:
    """Counts how often loops go round. Where there is a limit, going on beyond it raises `TooLong`."""

    ticks: int = 0
    limit: int | None = None

    def tick(self) -> None:
        self.ticks += 1
        if self.limit is not None and self.ticks > self.limit:
            raise TooLong


@dataclass(eq=False)
class Definition:
    """A class, a function or ``name = lambda …`` at the top level of a cell or file."""

    node: ast.ClassDef | ast.FunctionDef | ast.Assign
    filename: str
    code: types.CodeType = field(init=False)

    def __post_init__(self):
        self.code = self.compiled()
        # Asked for each try: it doesn't change with an edit.
        self.within = {f for f in self.functions() if _needs_its_class(f)}

    def compiled(self, node: ast.stmt | None = None) -> types.CodeType:
        """The code of the definition, or of one of its methods alone."""
        module = ast.Module([node or self.node], type_ignores=[])
        return compile(module, self.filename, "exec", dont_inherit=True)

    def functions(self) -> Iterator[ast.FunctionDef]:
        """The function itself, or the class's methods; of a lambda, nothing is changed."""
        parts = self.node.body if isinstance(self.node, ast.ClassDef) else [self.node]
        yield from (node for node in parts if isinstance(node, ast.FunctionDef))


class Answer:
    """The source of a class or function that a learner wrote, and what it needs.

    Parameters
    ----------
    thing
        A class or function from a notebook's cell, a script, or `cnnlib.mine`: from wherever
        `linecache` has its source.

    Raises
    ------
    LeftAlone
        Where there is no source, or building it anew could do anything but compute.
    """

    def __init__(self, thing):
        if not isinstance(thing, type | types.FunctionType) or _of_the_course(thing):
            raise LeftAlone("there are no lines of the learner's to look at")
        function = _a_function_of(thing)
        self.name, self.filename = thing.__name__, function.__code__.co_filename
        self.globals, self.clock = function.__globals__, Clock()
        self.definitions: list[Definition] = []  # each below those that it needs
        self.copied: set[str] = set()
        self._parsed: dict[str, ast.Module] = {}
        node = self._node(thing, function, thing.__name__)
        self._collect(thing.__name__, node, self.filename, set())
        self.editable = [d for d in self.definitions if d.filename == self.filename]

    def build(self, changed: Definition | None = None, method: ast.FunctionDef | None = None):
        """The class or function anew, with its own copies of what it could change.

        A definition whose tree was `changed` is compiled anew; where it was only in a `method`, that
        alone, which takes half the time.
        """
        namespace = dict(self.globals) | {TICK: self.clock.tick, STRIDED: within_its_memory}
        for name in self.copied:
            namespace[name] = copy.deepcopy(self.globals[name])
        for definition in self.definitions:
            if definition is not changed:
                exec(definition.code, namespace)
            elif method is definition.node or method in definition.within:
                exec(definition.compiled(), namespace)
            else:
                exec(definition.code, namespace)
                exec(definition.compiled(method), namespace, anew := {})
                anew[method.name].__qualname__ = f"{definition.node.name}.{method.name}"
                setattr(namespace[definition.node.name], method.name, anew[method.name])
        return namespace[self.name]

    @functools.cached_property
    def lines(self) -> list[str]:
        return linecache.getlines(self.filename)

    def _source(self, filename: str) -> ast.Module:
        if filename not in self._parsed:
            try:
                self._parsed[filename] = ast.parse("".join(linecache.getlines(filename)))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                raise LeftAlone(filename) from None
        return self._parsed[filename]

    def _node(self, thing, function, name: str):
        """Where `thing` is defined, at the top level of its cell; the last one if there are several."""
        first = function.__code__.co_firstlineno
        for node in reversed(self._source(function.__code__.co_filename).body):
            if (
                not min(n.lineno for n in (node, *getattr(node, "decorator_list", ())))
                <= first
                <= node.end_lineno
            ):
                continue
            if isinstance(node, ast.Assign):
                if thing.__name__ == "<lambda>" and isinstance(node.value, ast.Lambda):
                    if [getattr(target, "id", "") for target in node.targets] == [name]:
                        return node
            elif isinstance(node, ast.ClassDef if isinstance(thing, type) else ast.FunctionDef):
                if node.name == thing.__name__ == thing.__qualname__:
                    return node
        raise LeftAlone(name)

    def _collect(self, called: str, node, filename: str, seen: set[str]) -> None:
        """Add a definition, below all that it needs."""
        seen.add(called)
        names, stored = _names(node)
        for name in sorted(names):
            if name in seen or name not in self.globals:
                continue
            value = self.globals[name]
            if isinstance(value, type | types.FunctionType) and not _of_the_course(value):
                if _package(value) in HARMLESS_MODULES and _harmless(value):
                    continue
                if isinstance(value, type) and name not in stored and _only_data(value):
                    continue
                function = _a_function_of(value)
                if function.__globals__ is not self.globals:
                    raise LeftAlone(f"{name} is from another module")
                home = function.__code__.co_filename
                self._collect(name, self._node(value, function, name), home, seen)
            elif _can_be_copied(value):
                self.copied.add(name)
            elif not _harmless(value) or name in stored:
                raise LeftAlone(f"{name} can't be copied")
        for call in [n for n in ast.walk(node) if isinstance(n, ast.Call)]:
            if getattr(call.func, "attr", getattr(call.func, "id", "")) == "as_strided":
                call.func = ast.copy_location(ast.Name(STRIDED, ast.Load()), call.func)
        for loop in [n for n in ast.walk(node) if isinstance(n, ast.For | ast.While)]:
            loop.body.insert(0, _tick(loop.body[0]))
        self.definitions.append(Definition(node, filename))


def within_its_memory(x, shape=None, strides=None, subok=False, writeable=True):
    """NumPy's `as_strided`, but that it stops where NumPy would read what is not x's.

    Examples
    --------
    >>> within_its_memory(np.arange(3), (2, 2), (8, 8)).tolist()
    [[0, 1], [1, 2]]
    >>> within_its_memory(np.arange(3), (3, 2), (8, 8))
    Traceback (most recent call last):
        ...
    ValueError: beyond the array's memory
    """
    owner = x
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    view = as_strided(x, shape, strides, subok, writeable)
    if view.size > LARGEST_COPY:
        raise ValueError("larger than any case of a check")
    (low, high), (first, last) = (
        np.lib.array_utils.byte_bounds(owner),
        np.lib.array_utils.byte_bounds(view),
    )
    if view.size and (first < low or last > high):
        raise ValueError("beyond the array's memory")
    return view


def _only_data(cls: type) -> bool:
    """Whether a class has neither a line of the learner's nor anything that somebody could change.

    So it is with a dataclass, a named tuple, an enumeration: their methods are made for them.
    """
    for name, value in vars(cls).items():
        if isinstance(value, types.FunctionType):
            theirs = value.__globals__.get("__name__") == cls.__module__
            file = value.__code__.co_filename  # of a method that was made, "<string>"
            if theirs and file != "<string>" and linecache.getlines(file):
                return False
        elif not name.startswith("_") and not isinstance(value, cls) and _can_be_copied(value):
            return False
    return True


def _a_function_of(thing) -> types.FunctionType:
    """The function itself, or the first that a class defines."""
    values = vars(thing).values() if isinstance(thing, type) else [thing]
    for value in values:
        value = inspect.unwrap(getattr(value, "__func__", getattr(value, "fget", value)))
        if isinstance(value, types.FunctionType):
            return value
    raise LeftAlone(f"{thing!r} has no source")


def _needs_its_class(method: ast.FunctionDef) -> bool:
    """Whether a method only works if it is compiled within its class."""
    own = ("super", "__class__")
    return bool(method.decorator_list) or any(getattr(n, "id", "") in own for n in ast.walk(method))


def _names(node: ast.AST) -> tuple[set[str], set[str]]:
    """The global names that code uses, and the names into whose attributes or entries it writes."""
    module = ast.Module([node], type_ignores=[])
    used = set(_globals(compile(module, "<answer>", "exec", dont_inherit=True)))
    for name in used & FORBIDDEN_NAMES:
        raise LeftAlone(name)
    stored = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            dunder = part.attr.startswith("__") and part.attr not in KNOWN_DUNDERS
            if part.attr in FORBIDDEN_ATTRIBUTES or dunder:
                raise LeftAlone(part.attr)
        elif isinstance(part, ast.Import):
            _only_harmless([alias.name for alias in part.names])
        elif isinstance(part, ast.ImportFrom):
            _only_harmless([part.module or "."])
        elif isinstance(part, ast.AsyncFunctionDef | ast.Await):
            raise LeftAlone("not an ordinary function")
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            stored.add(_root(part))
    return used, stored


def _globals(code: types.CodeType) -> Iterator[str]:
    """The names that are looked up outside of functions: a parameter may be called as a global is."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"):
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals(constant)


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _only_harmless(modules: list[str]) -> None:
    if any(m.split(".")[0] not in HARMLESS_MODULES and m not in PARTS for m in modules):
        raise LeftAlone(f"imports {modules}")


def _package(value) -> str:
    """Where a class or a function comes from; what was made by exec may not say it."""
    return (getattr(value, "__module__", "") or "").split(".")[0]


def _of_the_course(value) -> bool:
    return _package(value) == "cnnlib" and value.__module__ != "cnnlib.mine"


def _harmless(value) -> bool:
    """What nobody can change, and what does nothing but compute."""
    if isinstance(value, types.ModuleType):
        return value.__name__.split(".")[0] in HARMLESS_MODULES
    if isinstance(value, functools.partial):
        return all(map(_harmless, (value.func, *value.args, *value.keywords.values())))
    if callable(value) and not isinstance(value, np.vectorize):
        if getattr(value, "__name__", "") in FORBIDDEN_ATTRIBUTES | FORBIDDEN_NAMES:
            return False
        bound = getattr(value, "__self__", None)  # np.random.rand belongs to what is put back
        if not isinstance(bound, types.ModuleType | types.NoneType | type | np.random.RandomState):
            return False
        return _package(value) in HARMLESS_MODULES | {"", "builtins", "cnnlib"}
    if isinstance(value, tuple | frozenset):
        return all(_harmless(part) for part in value)
    plain = int | float | complex | str | bytes | slice | range | np.generic | np.dtype
    return isinstance(value, plain | types.NoneType | types.EllipsisType)


def _can_be_copied(value) -> bool:
    """Whether it is data through and through that somebody could change; too much of it is left alone."""
    inside, size = [value], 0
    while inside:
        part = inside.pop()
        if isinstance(part, dict):
            inside += [*part.keys(), *part.values()]
        elif isinstance(part, list | set | tuple):
            inside += part
        elif isinstance(part, np.ndarray) and part.dtype != object:
            size += part.size + AN_ARRAY
        elif not (isinstance(part, np.random.Generator | np.random.RandomState) or _harmless(part)):
            return False
        size += 1
        if size > LARGEST_COPY:  # or it holds itself
            raise LeftAlone("large globals")
    return not _harmless(value)


def _tick(first: ast.stmt) -> ast.Expr:
    """The statement that counts; `first` is the one below it."""
    call = ast.Expr(ast.Call(ast.Name(TICK, ast.Load()), [], []))
    for node in ast.walk(call):
        ast.copy_location(node, first)
    return call


def is_tick(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == TICK


@contextlib.contextmanager
def without_a_trace():
    """Put back, at the end, what code can set for everybody: random numbers, errors, printing, tracing."""
    state, tracing = np.random.get_state(), sys.gettrace()  # noqa: NPY002  it is the learner's
    with np.errstate(all="ignore"), np.printoptions():
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002
            sys.settrace(tracing)
