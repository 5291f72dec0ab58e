"""The layers that you wrote in your exercise notebooks.

>>> from cnnlib.mine import Flatten  # doctest: +SKIP

This reads `exercises/04_flatten.ipynb` as you last saved it, runs the answer cells down to the one
that defines `Flatten`, and then that answer's own checks. Where they pass you get your class; where
they don't, `NotFinished` says what is missing and how to go on with the course's own layer. `so_far`
gives the course's own in that case, and says so.

Of your notebook only the answer cells are read: they import and define what they need themselves.
A notebook in `solutions/` gets the answers of `solutions/`, so that it runs by itself.
"""

import ast
import contextlib
import importlib
import io
import linecache
import re
import textwrap
import traceback
from functools import cache
from pathlib import Path
from types import ModuleType

from cnnlib import notebooks
from cnnlib.check import repair

__all__ = ["MineError", "NotFinished", "so_far"]

_RUNNING: set[tuple[Path, str]] = (
    set()
)  # answers that are being run, to notice one that asks for itself
REFERENCES = (
    *("layers", "losses", "network", "optimizers", "training", "gradcheck", "inside", "columns"),
)


class MineError(ImportError):
    """What you asked for can't be had; the message says why and what to do."""

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines in place of a traceback through this package."""
        return [str(self)]


class NotFinished(MineError):
    """The exercise that should define it doesn't pass its checks yet."""


def so_far(*names: str) -> tuple:
    """Return your own of these where their exercises pass, and the course's in place of the others.

    It also prints which are whose, so that a network can be built long before the last exercise is
    done, and becomes yours piece by piece.

    Parameters
    ----------
    names
        Such as ``"Conv2D"``: what an exercise asks for and the course has too.

    Returns
    -------
    tuple
        A class or function for each name.

    Raises
    ------
    MineError
        When no exercise asks for a name, or one isn't finished and the course has nothing in its place.

    Examples
    --------
    >>> Flatten, Dense = so_far("Flatten", "Dense")  # doctest: +SKIP
    Yours: Flatten. The course's, until your exercise passes: Dense.
    """
    found, borrowed = [], []
    for name in names:
        try:
            found.append(__getattr__(name))
        except NotFinished:
            home = _reference(name)
            if home is None:
                raise
            found.append(getattr(importlib.import_module(home), name))
            borrowed.append(name)
    own = [name for name in names if name not in borrowed]
    parts = [f"{'Yours' if borrowed else 'All yours'}: {', '.join(own)}."] if own else []
    if borrowed:
        until = "your exercise passes" if len(borrowed) == 1 else "your exercises pass"
        parts.append(f"The course's, until {until}: {', '.join(borrowed)}.")
    print(" ".join(parts))
    return tuple(found)


def __getattr__(name: str):
    if name.startswith("_"):  # what Python itself asks a module for
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        course = notebooks.find_course()
        homes = _homes(course)
    except notebooks.NotebookError as error:
        raise MineError(str(error)) from None
    if name not in homes:
        raise MineError(
            f"No exercise of the course asks for {name}. These can be imported from cnnlib.mine: "
            f"{', '.join(homes)}."
        )
    solution, answer_id = homes[name]
    inside = course.solutions in (Path.cwd(), *Path.cwd().parents)
    written = (course.solutions if inside else course.exercises) / solution.name
    return _finished(name, answer_id, solution, written, (_saved(solution), _saved(written)))


def __dir__() -> list[str]:
    try:
        return sorted([*__all__, *_homes(notebooks.find_course())])
    except notebooks.NotebookError:
        return __all__


def _homes(course: notebooks.Course) -> dict[str, tuple[Path, str]]:
    """Where each name is asked for: the notebook, and the grade_id of the answer cell in it."""
    homes = {}
    for path in notebooks.files(course.solutions):
        for name, answer_id in _names(path, _saved(path)).items():
            homes.setdefault(name, (path, answer_id))
    return homes


@cache
def _names(path: Path, saved: int) -> dict[str, str]:
    answers = notebooks.answers(notebooks.read(path))
    return {name: key for key, source in answers.items() for name in notebooks.defined(source)}


def _saved(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@cache
def _finished(name: str, answer_id: str, solution: Path, written: Path, saved: tuple):
    """What `name` is in the notebook `written`; `saved` makes the cache forget older versions."""
    label = f"{written.parent.name}/{written.name}"
    if (written, answer_id) in _RUNNING:
        raise MineError(
            f"{label}: the answer cell '{answer_id}' imports {name} from cnnlib.mine, but it is the cell "
            f"that has to define it."
        )
    _RUNNING.add((written, answer_id))
    try:
        return _run(name, answer_id, solution, written, label)
    finally:
        _RUNNING.discard((written, answer_id))


def _run(name: str, answer_id: str, solution: Path, written: Path, label: str):
    pristine = notebooks.read(solution)
    sources = {notebooks.grade_id(cell): cell.source for cell in pristine.cells}
    checks = [e for e in notebooks.exercises(pristine) if e.answer_id == answer_id]
    namespace = vars(ModuleType(__name__))
    try:
        answers = _answers(written, pristine, answer_id)
        used = "\n".join([*answers.values(), *(sources[check.check_id] for check in checks)])
        exec(compile(_imports(pristine, used), label, "exec", dont_inherit=True), namespace)
        with contextlib.redirect_stdout(io.StringIO()):
            # As in a notebook, a cell that stops is no harm where what it defined before is right.
            stopped = None
            for key, source in answers.items():
                try:
                    _define(key, f"{label}[{key}]", source, namespace)
                except _Stopped as stop:
                    stopped = stopped or stop
            if name not in namespace:
                raise stopped or _Stopped(answer_id, f"The answer cell doesn't define {name}.")
            for check in checks:
                try:
                    _check(check.name, sources[check.check_id], namespace)
                except _Stopped as stop:
                    raise stopped or stop from None
    except _Stopped as stop:
        raise NotFinished(_message(name, label, *stop.args, solution)) from None
    return namespace[name]


class _Stopped(Exception):
    """The exercise at which it stopped, and the reason."""


def _answers(written: Path, pristine: notebooks.NotebookNode, answer_id: str) -> dict[str, str]:
    """The learner's answers, down to the wanted one."""
    try:
        found = notebooks.recover(notebooks.read(written), pristine).sources
    except notebooks.NotebookError as error:
        raise _Stopped(answer_id, str(error)) from None
    if answer_id not in found:
        reason = f"The answer cell '{answer_id}' is not in the notebook; take a fresh copy of it."
        raise _Stopped(answer_id, reason)
    above = list(notebooks.answers(pristine))
    above = above[: above.index(answer_id) + 1]
    return {key: found[key] for key in above if key in found}


def _imports(pristine: notebooks.NotebookNode, used: str) -> ast.Module:
    """The import statements of the ordinary cells, as far as their names occur in `used`.

    The others would cost time, or ask for layers that are not written yet.
    """
    statements = []
    for cell in pristine.cells:
        if cell.cell_type != "code" or notebooks.grade_id(cell):
            continue
        for node in ast.parse(notebooks.plain_python(cell.source)).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                bound = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
                node.names = [
                    alias
                    for alias, name in zip(node.names, bound, strict=True)
                    if re.search(rf"\b{name}\b", used)
                ]
                statements += [node] if node.names else []
    return ast.Module(statements, type_ignores=[])


def _define(answer_id: str, filename: str, source: str, namespace: dict) -> None:
    """Run an answer cell as a file of its own, so that tracebacks show the learner's line."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        code = compile(notebooks.plain_python(source), filename, "exec", dont_inherit=True)
        exec(code, namespace)
    except MineError:
        raise
    except Exception as error:
        raise _Stopped(answer_id, _where(error, filename)) from None


def _check(name: str, source: str, namespace: dict) -> None:
    try:
        with repair.off():  # only the first line of what it says is shown here
            exec(source, namespace)
    except Exception as error:
        function = getattr(namespace.get("check"), name, None)
        title = getattr(function, "title", name)
        raise _Stopped(title, str(error) or type(error).__name__) from None


def _where(error: Exception, filename: str) -> str:
    """The line of an answer cell that couldn't be run, and why."""
    if isinstance(error, SyntaxError):
        number, why = error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        number, why = next((f.lineno for f in frames if f.filename == filename), None), error
    line = linecache.getline(filename, number or 0).strip()
    return f"line {number} of the answer cell, {line!r}: {type(error).__name__}: {why}"


def _message(name: str, label: str, exercise: str, reason: str, solution: Path) -> str:
    headline, _, _ = reason.partition("\n\n")  # a check's details are for the notebook itself
    lines = [f"{name} is not finished: {label}, exercise {exercise}"]
    lines += [textwrap.indent(headline, "  ")]
    if "NameError" in reason:
        lines += ["  Only the answer cells are read: import and define in them what they need."]
    lines += ["Work on it there, save the notebook (Ctrl+S), then run this cell again."]
    home = _reference(name)
    if home:
        lines += [f"To go on meanwhile:  from {home} import {name}"]
    else:
        lines += [f"To go on meanwhile, copy {name} from solutions/{solution.name} into a cell."]
    return "\n".join(lines)


def _reference(name: str) -> str | None:
    """The module of the course that has its own `name`."""
    for module in REFERENCES:
        with contextlib.suppress(ModuleNotFoundError):
            module = importlib.import_module(f"cnnlib.{module}")
            if getattr(getattr(module, name, None), "__module__", None) == module.__name__:
                return module.__name__
    return None
