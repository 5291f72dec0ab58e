"""Run a notebook under nbval, in a process and a folder of its own, and read how each cell ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from threading import Event

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.grading.assemble import Originals, assemble, key
from cnnlib.grading.verdict import Result, Row, RunError, Status, judge, settle, unwritten

POLL_SECONDS = 0.05
STARTUP_SECONDS = 60  # for the kernel
GRACE_SECONDS = 20  # beyond the time limit, for nbval to end a cell before it is ended from outside


class Stopped(Exception):
    """Somebody asked to stop."""


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
            show(judge(exercises[row.cell], row))

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
        "CNNLIB_REPAIR": "off",  # a second for each wrong answer
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
