"""What an answer calls that is an answer of its own, with a check of its own: a mistake there comes first."""

import dis
from collections.abc import Callable, Iterator
from functools import lru_cache
from inspect import signature
from types import CodeType, FunctionType


def called_by(thing) -> dict[str, Callable]:
    """The functions that a class, or a function, calls by a name of its own notebook.

    Examples
    --------
    >>> def double(x):
    ...     return 2 * x
    >>> def quadruple(x):
    ...     return double(double(x))
    >>> list(called_by(quadruple))
    ['double']
    """
    functions = [thing] if isinstance(thing, FunctionType) else _methods(thing)
    found = {}
    for function in functions:
        for name in _names(function.__code__):
            other = function.__globals__.get(name)
            if isinstance(other, FunctionType) and other is not thing:
                found[name] = other
    return found


def stands_for(helper: Callable, reference: Callable) -> bool:
    """Whether a function is meant as the answer to another exercise: what it takes goes by the same names.

    The first may have another. Of `im2col(x, KH, KW, stride)` one can say only that it is somebody's own.

    Examples
    --------
    >>> def pad(x, padding): ...
    >>> stands_for(pad, lambda x, padding: x), stands_for(pad, lambda x, rows, columns: x)
    (True, False)
    """
    mine, asked = (list(signature(each).parameters) for each in (helper, reference))
    return mine[1:] == asked[1:] and len(mine) == len(asked)


def _methods(thing) -> Iterator[FunctionType]:
    if isinstance(thing, type):
        yield from (part for part in vars(thing).values() if isinstance(part, FunctionType))


@lru_cache(maxsize=1024)
def _names(code: CodeType) -> list[str]:
    """The names that stand alone: of `np.pad` it is np, as pad is looked for in there."""
    names = [step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"]
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return names + [name for each in inner for name in _names(each)]
