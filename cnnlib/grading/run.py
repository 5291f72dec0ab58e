"""Run a notebook under nbval, in a process and a folder of its own, and say how each exercise ended.

One bad exercise costs no other. A cell that hangs or kills its kernel is left out and the notebook runs
again for the rest; so is an answer that may have spoilt others, as `del check` would.
"""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from textwrap import dedent, indent
from threading import Event

from nbformat import NotebookNode

from cnnlib import check, notebooks
from cnnlib.grading.assemble import Originals, assemble, key
from cnnlib.notebooks import Exercise, grade_id, is_answer

POLL_SECONDS = 0.05
STARTUP_SECONDS = 60  # for the kernel
GRACE_SECONDS = 20  # beyond the time limit, for nbval to end a cell before it is ended from outside


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
        other = {"unwritten": "not written yet", "timeout": "out of time", "died": "Python ended"}
        return other.get(self, self.value)


# What a check says itself, by the name of its exception; everything else is an error.
SPOKEN = {"NotWritten": Status.UNWRITTEN, "Failed": Status.WRONG, "Crashed": Status.ERROR}


class RunError(Exception):
    """The notebook could not be run at all; the message says why."""


class Stopped(Exception):
    """Somebody asked to stop."""


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
    """How an exercise ended, with the text that tells the learner why."""

    exercise: Exercise
    status: Status
    message: str = ""

    @property
    def points(self) -> float:
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


def run(
    name: str,
    originals: Originals,
    answers: Mapping[str, Mapping[str, str]],
    *,
    timeout: float,
    stop: Event,
    show: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Run one notebook with a learner's answers.

    Parameters
    ----------
    name : str
        Which notebook, such as `04_flatten`.
    originals : Originals
    answers : mapping of str to mapping
        The learner's answers in each notebook, by its name: `cnnlib.mine` reads the others.
    timeout : float
        Seconds that each cell may take.
    stop : Event
        When it is set, the run ends with `Stopped`.
    show : callable
        Gets each result as it comes in. A later one for the same exercise replaces it.

    Returns
    -------
    list of Result
        In the notebook's order.

    Raises
    ------
    RunError
        The notebook could not be run, which is not the learner's doing.
    Stopped
    """
    pristine = originals.solved[name]
    if not answers[name]:
        return [unwritten(exercise) for exercise in notebooks.exercises(pristine)]

    exercises = {exercise.check_id: exercise for exercise in notebooks.exercises(pristine)}

    def tell(row: Row) -> None:
        if row.cell in exercises and row.outcome in ("passed", "failed"):
            show(_judge(exercises[row.cell], row))

    def once(left_out: Collection[str]) -> dict[str, Row]:
        if stop.is_set():
            raise Stopped
        nb = assemble(pristine, answers[name], left_out)
        with tempfile.TemporaryDirectory(prefix="cnnlib-", ignore_cleanup_errors=True) as folder:
            _lay_out(Path(folder), name, nb, originals, answers)
            rows, silent = _nbval(Path(folder), name, timeout, stop, tell)
        ended = {cell for cell, row in rows.items() if row.outcome != "started"}
        cut = [key(c) for c in nb.cells if c.cell_type == "code" and key(c) not in ended]
        if cut and not any(row.fatal for row in rows.values()):  # nbval itself was ended or hung
            rows[cut[0]] = Row(cut[0], Status.TIMEOUT if silent else Status.DIED)
        return rows

    return settle(pristine, once, timeout)


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
            result = _judge(exercise, row, _cause(pristine, exercise, rows))
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


def _judge(exercise: Exercise, row: Row, cause: Row | None = None) -> Result:
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


def _lay_out(
    folder: Path, name: str, nb: NotebookNode, originals: Originals, answers: Mapping[str, Mapping]
) -> None:
    """Make a course of one learner, so that nothing else lies beside the notebook."""
    for part in ("exercises", "solutions"):
        (folder / part).mkdir()
    for other, blank in originals.blank.items():
        written = nb if other == name else assemble(blank, answers.get(other, {}))
        (folder / "exercises" / f"{other}.ipynb").write_text(json.dumps(written), "utf-8")
        (folder / "solutions" / f"{other}.ipynb").write_text(json.dumps(blank), "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n")


def _nbval(
    folder: Path, name: str, timeout: float, stop: Event, tell: Callable[[Row], None]
) -> tuple[dict[str, Row], bool]:
    """Run nbval in a process of its own: the rows by their cells, and whether it fell silent."""
    command = [
        *(sys.executable, "-m", "pytest", f"exercises/{name}.ipynb"),
        *("-c", "pytest.ini", "--rootdir", ".", "--noconftest", "-p", "no:cacheprovider"),
        *("-p", "cnnlib.grading.plugin", "-p", "nbval.plugin", "--grading-rows", "rows"),
        *("--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={timeout}"),
        *(f"--nbval-kernel-startup-timeout={STARTUP_SECONDS}", "--color=no", "--tb=line", "-q"),
    ]
    written, log = folder / "rows", folder / "log"
    written.touch()
    rows, kernel = {}, None
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches us alone
        )
    try:
        for line in _follow(process, written, timeout, stop):
            if kernel is None:
                kernel = line["kernel"]  # the first line, from before any cell ran
                continue
            row = Row(**line)
            rows[row.cell] = row
            tell(row)
    finally:
        silent = process.poll() is None
        _end(process, kernel)
    if kernel is None:
        says = log.read_text("utf-8", "replace").strip()[-1000:]
        raise RunError(f"nbval did not get as far as the first cell: {says}")
    return rows, silent


def _follow(
    process: subprocess.Popen, written: Path, timeout: float, stop: Event
) -> Iterator[dict]:
    """The plugin's lines as they come, until the process ends or has been silent for too long."""
    patience, unread, last_word = STARTUP_SECONDS + GRACE_SECONDS, "", time.monotonic()
    with written.open(encoding="utf-8") as file:
        running = True
        while running and time.monotonic() - last_word < patience:
            if stop.wait(POLL_SECONDS):
                raise Stopped
            running = process.poll() is None  # asked before reading, so that the last line is read
            *lines, unread = (unread + file.read()).split("\n")
            if lines:
                patience, last_word = timeout + GRACE_SECONDS, time.monotonic()
            yield from map(json.loads, lines)


def _environment(folder: Path) -> dict[str, str]:
    """This process's, but for what could make a notebook run otherwise elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "IPYTHON", "JUPYTER"))
        and name not in ("PYTHONSTARTUP", "MPLBACKEND")
    }
    return kept | {
        "CNNLIB_COURSE": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONHASHSEED": "0",
        # One thread each: notebooks run side by side.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _end(process: subprocess.Popen, kernel: int | None) -> None:
    """End a run with all that it started. The kernel is no child group of pytest's."""
    if os.name == "posix":
        for group in filter(None, (process.pid, kernel)):
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
    process.kill()
    process.wait()
