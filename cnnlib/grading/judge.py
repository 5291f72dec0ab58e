"""The process that judges: nbval runs the course's own notebook, with handles in place of answers.

One process, one nbval, one kernel for many notebooks. No learner's code ever runs here: an answer cell
binds handles (`cnnlib.grading.hand`), and the check cells are the course's. Jobs come in as JSON lines
on the standard input, and for each a line with what became of its check cells goes out.
"""

import gc
import json
import os
import re
import select
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from copy import deepcopy
from pathlib import Path
from typing import IO

os.environ["CNNLIB_REPAIR"] = "off"  # a second for each wrong answer, and no source to look at

import nbval.plugin
import pytest
from _pytest.runner import runtestprotocol
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from nbval.kernel import RunningKernel

from cnnlib import check, notebooks
from cnnlib.grading.assemble import Originals, idle, key, load
from cnnlib.grading.box import Box
from cnnlib.grading.hand import Hand, Work
from cnnlib.grading.verdict import title
from cnnlib.notebooks import Course

GRACE_SECONDS = 2  # to end in an orderly way, when there are no more jobs
TEXT_LIMIT = 10_000  # characters of each text in a line
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
NOT_PLAIN = (
    "✗ {title}: This check counts the steps of your code, so only plain Python and NumPy may stand in it. "
    "Yours uses `{name}`, through which the count could be stopped. Leave it out, or rename it."
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def assemble(pristine: NotebookNode) -> NotebookNode:
    """The notebook that is run: the pristine one, whose answer cells bind handles.

    Cells that no answer and no check needs, such as pictures of what the answers do, are left out.
    """
    nb = deepcopy(pristine)
    for cell in nb.cells:
        if notebooks.is_answer(cell):
            cell["source"] = f"globals().update(learner.bind({notebooks.grade_id(cell)!r}))"
    unneeded = idle(nb)
    nb.cells = [c for c in nb.cells if c.cell_type == "code" and not any(c is u for u in unneeded)]
    return nb


class Shell(InteractiveShell):
    """IPython, which keeps an error in place of printing it."""

    error = raised = None

    def _showtraceback(self, etype, evalue, stb):
        self.raised = evalue
        self.error = {"ename": etype.__name__, "evalue": str(evalue), "traceback": list(stb)}


class Kernel(RunningKernel):
    """nbval's kernel, in this process: there is nobody's code in it but the course's."""

    learner: Hand

    def __init__(self, kernel_name, cwd=None, startup_timeout=60):
        self.shell = Shell.instance(profile_dir=None)
        self.shell.reset(new_session=False)
        self.shell.user_ns["learner"] = Kernel.learner
        self._messages, self._count = deque(), 0

    def execute_cell_input(self, cell_input, allow_stdin=None):
        self._count += 1
        self.shell.error = None
        with capture_output() as captured:
            self.shell.run_cell(cell_input, store_history=False)
        self._messages.clear()
        for name, text in (("stdout", captured.stdout), ("stderr", captured.stderr)):
            if text:
                self._say("stream", name=name, text=text)
        for shown in captured.outputs:
            self._say("display_data", data=shown.data, metadata=shown.metadata or {})
        if self.shell.error:
            self._say("error", **self.shell.error)
        self._say("status", execution_state="idle")
        return str(self._count)

    def _say(self, kind, **content):
        header = {"msg_id": str(self._count)}
        self._messages.append({"msg_type": kind, "parent_header": header, "content": content})

    def get_message(self, stream, timeout=None):
        if stream == "shell":
            return {"parent_header": {"msg_id": str(self._count)}, "content": {"status": "ok"}}
        return self._messages.popleft()

    def is_alive(self):
        return True

    def interrupt(self):
        pass

    stop = restart = interrupt


class Notebook(nbval.plugin.IPyNbFile):
    """A notebook that is in memory already."""

    def collect(self):
        read, nbval.plugin.nbformat.read = nbval.plugin.nbformat.read, lambda *a, **k: self.given
        try:
            yield from list(super().collect())
        finally:
            nbval.plugin.nbformat.read = read


class Judge:
    """The pytest plugin that runs a job at a time."""

    def __init__(self, course: Course, how: str, jobs, done, asker: int):
        self.originals: Originals = load(course)
        self.assembled = {
            name: assemble(self.originals.solved[name]) for name in self.originals.graded
        }
        self.how, self.jobs, self.done, self.asker = how, jobs, done, asker

    def pytest_collection(self, session):
        return True

    def pytest_exception_interact(self, node, call, report):
        node.stopped_with = call.excinfo

    def pytest_runtestloop(self, session):
        nbval.plugin.RunningKernel = Kernel
        with Box(self.how) as box:

            def end(*_):
                box.__exit__()  # so that no learner's process stays
                os._exit(1)

            signal.signal(signal.SIGTERM, end)
            _when_closed(self.asker, end)
            box.warm_up()
            gc.freeze()  # IPython looks for garbage at each notebook; what is there now stays
            for job in self.jobs:
                self.done(self._judge(session, box, job))
        return True

    def _judge(self, session, box: Box, job: dict) -> dict:
        name = job["notebook"]
        work = Work(job["answers"], job["support"], set(map(tuple, job["right"])))
        hand = Kernel.learner = Hand(box, self.originals, name, work, job["timeout"])
        exercises = {e.check_id: e for e in notebooks.exercises(self.originals.solved[name])}
        wrong: set[str] = set()  # answers with a check that failed
        file = Notebook.from_parent(session, path=Path(session.config.rootpath) / f"{name}.ipynb")
        file.given = self.assembled[name]
        items = list(file.collect())
        rows = []
        try:
            for item, following in zip(items, [*items[1:], None], strict=True):
                exercise = exercises.get(key(item.cell))
                if exercise is None:
                    row, _ = _run(item, following), None
                    if row["outcome"] != "passed":
                        raise RuntimeError(f"the cell '{key(item.cell)}' stops: {row['message']}")
                    continue
                row = self._checked(hand, exercise, item, following)
                rows.append({"name": exercise.name, **row})
                if row["outcome"] != "passed":
                    wrong.add(exercise.answer_id)
                last = [e for e in exercises.values() if e.answer_id == exercise.answer_id][-1]
                if exercise is last and exercise.answer_id not in wrong:
                    work.right.add((name, exercise.answer_id))
        finally:
            hand.end()
        return {"rows": rows, "right": sorted(key for nb, key in work.right if nb == name)}

    def _checked(self, hand: Hand, exercise, item, following) -> dict:
        """Run a check; where it fails and an earlier answer is wrong, again with the course's in its place."""
        if exercise.answer_id not in hand.own:
            _run_nothing(item, following)
            return {"outcome": "failed", "error": "NotWritten", "message": ""}
        hand.begin(exercise)
        if name := hand.reaches_for:
            _run_nothing(item, following)
            message = NOT_PLAIN.format(title=title(exercise), name=name)
            return {"outcome": "failed", "error": "Failed", "message": message}
        row = _run(item, item) | {"notes": hand.notes}
        if row["outcome"] != "passed" and hand.needs_wrong_ones:
            hand.begin(exercise, stand_ins=True)
            row = _run(item, item) | {"notes": hand.notes}
        hand.end()
        _run_nothing(item, following)
        return row


def _run(item, following) -> dict:
    """Let nbval run a cell, and say what became of it."""
    with_outputs = []
    item.test_outputs, item.comparison_traceback = None, None
    reports = runtestprotocol(item, log=False, nextitem=following)
    report = next((r for r in reports if r.when == "call"), reports[0])
    if report.outcome == "passed":
        return {"outcome": "passed", "error": "", "message": ""}
    with_outputs = [out for out in item.test_outputs or [] if out.output_type == "error"]
    if with_outputs:
        name, message = with_outputs[-1].ename, with_outputs[-1].evalue
    elif item.comparison_traceback:
        name, message = "OutputsDiffer", "\n".join(item.comparison_traceback)
    else:
        stopped = item.stopped_with
        name, message = stopped.typename, str(stopped.value)
        if "CNNLIB_DEBUG" in os.environ:
            message = str(stopped.getrepr())
    raised = Shell.instance().raised
    named = getattr(raised, "misconception", None)
    return {
        "outcome": "failed",
        "error": name,
        "message": _plain(message),
        "misconception": getattr(named, "__name__", "") or "",
        "lines": [int(k) for k in getattr(raised, "lines", ()) or ()],
    }


def _run_nothing(item, following) -> None:
    """Tell pytest which cell comes next."""
    item.session._setupstate.teardown_exact(following)


def _plain(text: str) -> str:
    """Text without colours and control characters, and without what differs from run to run."""
    text = CONTROL.sub("", ANSI.sub("", text))[:TEXT_LIMIT]
    return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x…", text)


def options(folder: Path) -> list[str]:
    """How pytest is called."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    return [
        *("-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "--noconftest"),
        *("-p", "no:cacheprovider", "-p", "nbval.plugin"),
        *("--nbval-lax", "--nbval-current-env", "--color=no", "--capture=no"),
    ]


def main() -> None:
    """``python -m cnnlib.grading.judge [JOBS,RESULTS …]``: jobs come on the standard input, results go to the output.

    The first line says for which course, and how learners' code is run. For each pair of file
    descriptors a fork does the same with those.
    """
    pairs = [tuple(map(int, pair.split(","))) for pair in sys.argv[1:]]
    jobs, results = _ends(pairs)
    duty = next(map(json.loads, jobs), None)
    if duty is None:  # there is nothing to judge after all
        return

    def done(result: dict) -> None:
        results.write(json.dumps(result) + "\n")
        results.flush()

    with tempfile.TemporaryDirectory(prefix="cnnlib-judge-") as folder:
        course = Course(Path(duty["course"]))
        judge = Judge(course, duty["how"], map(json.loads, jobs), done, jobs.fileno())
        sys.exit(pytest.main(options(Path(folder)), plugins=[judge]))


def _when_closed(source: int, end) -> None:
    """Call `end` where whoever writes to a pipe is gone, in the middle of a job too."""
    if not hasattr(select, "poll"):  # on Windows
        return

    def watch():
        poll = select.poll()
        poll.register(source, 0)
        poll.poll()
        time.sleep(GRACE_SECONDS)
        end()

    threading.Thread(target=watch, daemon=True).start()


def _ends(pairs: list[tuple[int, int]]) -> tuple[IO[str], IO[str]]:
    """Fork for each pair; where this process's jobs come from and where its results go.

    What a learner's code runs in must inherit none of them: whatever writes results gives grades.
    """
    everybody = [(os.dup(0), os.dup(1)), *pairs]
    mine = next((pair for pair in pairs if os.fork() == 0), everybody[0])
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere if "CNNLIB_DEBUG" not in os.environ else 2, 1)
    for number in (number for pair in everybody for number in pair):
        if number in mine:
            os.set_inheritable(number, False)
        else:
            os.close(number)
    return open(mine[0], encoding="utf-8"), open(mine[1], "w", encoding="utf-8")


if __name__ == "__main__":
    assert check
    main()
