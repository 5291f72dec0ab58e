"""Make results of rows: how each exercise ended, told so that it helps, and without blaming the wrong one.

One bad exercise costs no other. A cell that hangs or kills its kernel is left out and the notebook runs
again for the rest; so is an answer that may have spoilt others, as `del check` would.
"""

import itertools
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from textwrap import dedent, indent

from nbformat import NotebookNode

from cnnlib import check, notebooks
from cnnlib.grading.assemble import key
from cnnlib.notebooks import Exercise, grade_id, is_answer


class Status(StrEnum):
    """How an exercise ended."""

    DONE = "done"
    UNWRITTEN = "unwritten"
    WRONG = "wrong"
    ERROR = "error"
    TIMEOUT = "timeout"
    DIED = "died"

    @property
    def sign(self) -> str:
        return {"done": "✓", "unwritten": "○"}.get(self, "✗")

    @property
    def words(self) -> str:
        """The status as a heading says it."""
        return WORDS[self]


WORDS = {
    Status.DONE: "done",
    Status.UNWRITTEN: "not written yet",
    Status.WRONG: "not right yet",
    Status.ERROR: "stopped with an error",
    Status.TIMEOUT: "out of time",
    Status.DIED: "ended Python",
}

# What a check says itself, by the name of its exception; everything else is an error.
SPOKEN = {"NotWritten": Status.UNWRITTEN, "Failed": Status.WRONG, "Crashed": Status.ERROR}


class RunError(Exception):
    """The notebook could not be run at all; the message says why."""


@dataclass(frozen=True)
class Row:
    """What became of a cell, in the words of `cnnlib.grading.plugin`.

    `outcome` is started, passed, failed, timeout or died; `error` is an exception's name, `message` its
    text, and `trace` the lines of cells that led to it.
    """

    cell: str
    outcome: str
    error: str = ""
    message: str = ""
    trace: str = ""

    @property
    def fatal(self) -> bool:
        return self.outcome in (Status.TIMEOUT, Status.DIED)


@dataclass(frozen=True)
class Result:
    """How an exercise ended, with the text that tells the learner why.

    `given` are a teacher's own points for it, in place of those earned; `comment` is a teacher's too.
    """

    exercise: Exercise
    status: Status
    message: str = ""
    given: float | None = None
    comment: str = ""

    @property
    def points(self) -> float:
        if self.given is not None:
            return self.given
        return self.exercise.points if self.status is Status.DONE else 0.0

    @property
    def title(self) -> str:
        """The exercise's name for people, such as `Flatten.backward`."""
        return title(self.exercise)

    @property
    def summary(self) -> str:
        """The message's first line, without the sign and title that it begins with."""
        first = self.message.partition("\n")[0]
        return first.removeprefix(f"{self.status.sign} {self.title}").lstrip(": ")


def title(exercise: Exercise) -> str:
    """The name of an exercise for people, such as `Flatten.backward`."""
    return getattr(getattr(check, exercise.name, None), "title", exercise.name)


def unwritten(exercise: Exercise) -> Result:
    """The result of an exercise that nobody has touched."""
    says = f"{Status.UNWRITTEN.sign} {title(exercise)} is not written yet."
    return Result(exercise, Status.UNWRITTEN, says)


def settle(
    pristine: NotebookNode, once: Callable[[Collection[str]], dict[str, Row]], timeout: float
) -> list[Result]:
    """Run a notebook until every exercise has a result that no other one has spoilt.

    Parameters
    ----------
    pristine : NotebookNode
    once : callable
        Runs the notebook without the cells that it is given. It returns the rows by their cells; one
        is fatal where not all cells have been run.
    timeout : float
        Seconds that each cell may take, for the message.

    Returns
    -------
    list of Result

    Raises
    ------
    RunError
        The notebook hangs, or its kernel dies, before it comes to an answer.
    """
    exercises = notebooks.exercises(pristine)
    settled, first_words, left_out = {}, {}, set()
    while len(settled) < len(exercises):
        rows = once(left_out)
        fatal = next((row for row in rows.values() if row.fatal), None)
        waiting = [e for e in exercises if e.name not in settled]
        foreign = []  # what stopped without a word of the check's: it may be another answer's doing
        for exercise in waiting:
            row = rows.get(exercise.check_id)
            if row is None or row.fatal:
                continue
            result = judge(exercise, row, _cause(pristine, exercise, rows))
            if result.status is Status.UNWRITTEN and exercise.name in first_words:
                result = first_words[exercise.name]  # it needs an answer that was left out
            if row.outcome == "passed" or row.error in SPOKEN:
                settled[exercise.name] = result
            else:
                first_words.setdefault(exercise.name, result)
                foreign.append(result)
        if fatal:
            cell = _culprit(pristine, fatal.cell, left_out)
            for exercise in waiting:
                if cell in (exercise.check_id, exercise.answer_id):
                    settled.setdefault(exercise.name, _ended(exercise, fatal, timeout))
        elif foreign:
            cell = foreign[0].exercise.answer_id  # the first one has nobody else to blame
            for result in foreign:
                if result.exercise.answer_id == cell:
                    settled[result.exercise.name] = result
        else:
            break
        left_out.add(cell)
    return [settled[exercise.name] for exercise in exercises]


def judge(exercise: Exercise, row: Row, cause: Row | None = None) -> Result:
    """The result that a check cell's row stands for; `cause` is a cell above that it needed."""
    if row.outcome == "passed":
        return Result(exercise, Status.DONE)
    if row.error in SPOKEN:
        return Result(exercise, SPOKEN[row.error], row.message)
    if cause:
        where = "its answer cell" if cause.cell == exercise.answer_id else "a cell above it"
        says = f"{where} stops with {_exception(cause)}"
    elif row.error == "OutputsDiffer":
        says = (
            "it passes, but its cell shows something else than the check's own line.\n"
            f"  Take print() and the like out of the answer.\n\n{indent(row.message, '  ')}"
        )
    else:
        says = f"its check stops with {_exception(row)}"
    return Result(exercise, Status.ERROR, f"{Status.ERROR.sign} {title(exercise)}: {says}")


def _cause(pristine: NotebookNode, exercise: Exercise, rows: Mapping[str, Row]) -> Row | None:
    """The cell that a check could not do without and that failed: its answer, or one of ours above."""
    needed = itertools.takewhile(lambda cell: key(cell) != exercise.check_id, pristine.cells)
    failed = [rows[key(c)] for c in needed if key(c) in rows and rows[key(c)].outcome == "failed"]
    ours = {key(cell) for cell in pristine.cells if not grade_id(cell)}
    own = [row for row in failed if row.cell == exercise.answer_id]
    missing_name = rows[exercise.check_id].error == "NameError"
    return next(iter(own or [row for row in failed if missing_name and row.cell in ours]), None)


def _culprit(pristine: NotebookNode, cell: str, left_out: Collection[str]) -> str:
    """What to leave out, so that the rest can run: the cell that ended the run, or an answer above."""
    above = []
    for each in pristine.cells:
        if is_answer(each):
            above.append(key(each))
        if key(each) == cell:
            break
    candidates = [cell, *reversed(above)] if above else []
    for candidate in candidates:
        if candidate not in left_out:
            return candidate
    raise RunError(f"the notebook itself does not get past its cell '{cell}' here")


def _ended(exercise: Exercise, row: Row, timeout: float) -> Result:
    """The result of an exercise that hung or ended the kernel."""
    if row.outcome == Status.TIMEOUT:
        says = f"stopped after {timeout:g} seconds.\n  Is there a loop in it that never ends?"
    else:
        says = (
            "Python itself ended while this ran.\n"
            "  os._exit() does that, and so does memory that runs out."
        )
    sign = f"{Status(row.outcome).sign} {title(exercise)}"
    return Result(exercise, Status(row.outcome), f"{sign}: {says}")


def _exception(row: Row) -> str:
    """An exception, and the lines of cells that led to it."""
    message = re.sub(r" \(\d+\.py, line \d+\)$", "", row.message)  # IPython's name for a cell
    trace = row.trace.replace("Cell In[1], line", "Cell, line").split("\n")
    shown = "\n".join(line for line in trace if not line.startswith(row.error))
    return f"{row.error}: {message}\n\n{indent(dedent(shown), '  ')}".rstrip(": \n")
