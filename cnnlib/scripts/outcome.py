"""Run somebody's code, and keep what came of it."""

import ast
import contextlib
import io
import linecache
import os
import re
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cnnlib.scripts.words import without_addresses

PRINTED_LINES = 4
PRINTED_CHARACTERS = 2_000

PACKAGE = str(Path(__file__).parent.parent) + os.sep
LIBRARIES = (os.sep + "site-packages" + os.sep, os.path.dirname(os.__file__) + os.sep)


@dataclass(frozen=True)
class Outcome:
    """What running a case gave: a value, or the exception that stopped it."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    printed: str = ""
    warned: tuple[str, ...] = ()


class Elsewhere:
    """A learner's class or function in another process: it is run there, and never here.

    Attributes
    ----------
    kind : str
        As `kind` says it there.
    """

    kind: str

    def attempt(self, run: Callable, inputs: dict[str, np.ndarray], props: dict) -> Outcome:
        """Run a script with it."""
        raise NotImplementedError


def kind(thing) -> str:
    """Whether it is a class, a function, or nothing to call."""
    if isinstance(thing, Elsewhere):
        return thing.kind
    return "class" if isinstance(thing, type) else "function" if callable(thing) else ""


def attempt(run: Callable, thing, inputs: dict[str, np.ndarray], props: dict) -> Outcome:
    """Run somebody's code; nothing that it does gets out but the outcome.

    Parameters
    ----------
    run
        ``run(thing, **inputs, **props)`` uses the learner's class or function and returns a result.
    inputs
        Arrays. They are copied, and must come back untouched.
    props
        Objects of the check's own that are handed over.
    """
    if isinstance(thing, Elsewhere):
        return thing.attempt(run, inputs, props)
    copies = {name: array.copy(order="K") for name, array in inputs.items()}
    printed = Beginning()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        try:
            value, error = run(thing, **copies, **props), None
            if isinstance(value, np.ndarray):
                value = value.copy(order="K")  # it may be memory that a later call writes to
        except (Exception, SystemExit) as stopped:
            value, error = None, stopped
    return Outcome(
        value,
        error,
        changed(inputs, copies),
        printed.lines(),
        tuple(f"{w.category.__name__}: {w.message}" for w in warned[:PRINTED_LINES]),
    )


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> tuple[str, ...]:
    """The names of the arrays that are not what they were."""
    return tuple(name for name in before if not _untouched(before[name], after[name]))


def _untouched(before: np.ndarray, after: np.ndarray) -> bool:
    if before.shape != after.shape:
        return False
    # Nearly always they are the same bit by bit, and that is seen at once.
    return before.tobytes() == after.tobytes() or np.array_equal(before, after, equal_nan=True)


class Beginning(io.StringIO):
    """Keeps the beginning of what is printed, however much it is."""

    def write(self, text):
        room = PRINTED_CHARACTERS - self.tell()
        super().write(text[:room] if room > 0 else "")
        return len(text)

    def lines(self) -> str:
        """The first lines."""
        return "\n".join(self.getvalue().strip().splitlines()[:PRINTED_LINES])


@dataclass(frozen=True)
class Frame:
    """Where the learner's code stopped, the shapes of the arrays there, and what else its line speaks of."""

    function: str
    number: int
    line: str
    shapes: dict[str, tuple] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    file: str = ""
    """The name of the file that the code stands in; empty for a cell."""


def own_frame(error: BaseException) -> Frame | None:
    """The last line of the learner's own code on the way to `error`, or None if it never got there."""
    if hasattr(error, "frame_elsewhere"):
        return error.frame_elsewhere
    own = _own_places(error)
    if not own:
        return None
    frame, number = own[-1]
    line = _line(frame, number)
    spoken = _spoken_of(line, frame.f_locals)
    held = spoken | {k: v for k, v in frame.f_locals.items() if k not in spoken}
    shapes = {k: v.shape for k, v in held.items() if isinstance(v, np.ndarray)}
    spoken |= {k: v for k, v in frame.f_locals.items() if k in _loops_around(frame, number)}
    plain = int | float | bool | tuple | list | None
    values = {k: without_addresses(repr(v))[:60] for k, v in spoken.items() if isinstance(v, plain)}
    path = frame.f_code.co_filename
    file = os.path.basename(path) if os.path.isfile(path) else ""
    return Frame(frame.f_code.co_name, number, line, shapes, values, file)


def own_lines(error: BaseException) -> list[str]:
    """The lines of the learner's own code on the way to `error`: each but the last is a call."""
    return [_line(*place) for place in _own_places(error)]


def _own_places(error: BaseException) -> list:
    return [
        (frame, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(PACKAGE)
        and not frame.f_code.co_filename.endswith(".pyx")  # NumPy's random numbers
        and not any(part in frame.f_code.co_filename for part in LIBRARIES)
    ]


def _loops_around(frame, number: int) -> set[str]:
    """The names with which the loops around a line count."""
    return {
        name
        for first, last, names in _loops("".join(linecache.getlines(frame.f_code.co_filename)))
        if first < number <= last
        for name in names
    }


@lru_cache(maxsize=8)
def _loops(source: str) -> list[tuple[int, int, set[str]]]:
    """Where each loop of some code begins and ends, and the names with which it counts."""
    try:
        loops = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.For)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        (n.lineno, n.end_lineno, {t.id for t in ast.walk(n.target) if isinstance(t, ast.Name)})
        for n in loops
    ]


def _line(frame, number: int) -> str:
    return linecache.getline(frame.f_code.co_filename, number).strip()


def _spoken_of(line: str, there: dict) -> dict:
    """What the names and attributes in a line of code stand for, as `self.x` does."""
    found = {}
    for name, attribute in re.findall(r"(?<![\w.])([^\W\d]\w*)(?:\.(\w+))?", line):
        value = there.get(name)
        if attribute and attribute in getattr(value, "__dict__", ()):
            found[f"{name}.{attribute}"] = vars(value)[attribute]
        elif name in there:
            found[name] = value
    return found
