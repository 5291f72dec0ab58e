"""Judging: the course's own notebook under nbval, with a learner's answers at arm's length."""

import copy
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from cnnlib import notebooks
from cnnlib.grading import box
from cnnlib.grading.assemble import extract, load
from cnnlib.grading.collect import Handed, Learner
from cnnlib.grading.grade import Grade, grade, grade_all
from cnnlib.grading.journal import Journal
from cnnlib.grading.judges import Judge, Judges
from cnnlib.grading.verdict import Result, Status
from cnnlib.notebooks import Course, Exercise, NotebookError
from cnnlib.scripts import wire

ROOT = Path(__file__).parents[1]
COURSE = Course(ROOT)
NAME = "04_flatten"
FILE = f"{NAME}.ipynb"
HOW = box.UNCONFINED if box.missing() else box.CONFINED
POINTS = 12
WRONG = "class Flatten:\n    def forward(self, x):\n        return x.reshape(len(x), -1)\n\n"
WRONG += "    def backward(self, dy):\n        return dy"


@pytest.fixture(scope="session")
def originals():
    return load(COURSE)


@pytest.fixture(scope="session")
def judge():
    judge = Judge(COURSE, HOW)
    yield judge
    judge.stop()


@pytest.fixture
def solved(originals):
    return copy.deepcopy(originals.solved[NAME])


@pytest.fixture
def blank(originals):
    return copy.deepcopy(originals.blank[NAME])


@pytest.fixture
def judged(originals, judge):
    """Grade a notebook as it was handed in."""

    def run(nb, name=NAME):
        submission = extract(nb, originals.solved[name])
        return grade("ada", name, {name: submission}, originals, judge.ask, timeout=5)

    return run


def cell(nb, grade_id):
    return next(c for c in nb.cells if notebooks.grade_id(c) == grade_id)


def put(folder: Path, nb) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text(json.dumps(nb))
    return folder


# ---------------------------------------------------------------------- verdicts


def test_a_solution_has_all_points(judged, solved):
    given = judged(solved)
    assert (given.points, given.out_of) == (POINTS, POINTS)
    assert {each.status for each in given.results} == {Status.DONE}


def test_an_untouched_exercise_is_not_written_yet(judged, blank):
    given = judged(blank)
    assert given.points == 0
    assert {each.status for each in given.results} == {Status.UNWRITTEN}


def test_a_mistake_is_named_and_costs_its_own_points(judged, solved):
    cell(solved, "flatten")["source"] = WRONG
    given = judged(solved)
    wrong = [each for each in given.results if each.status is not Status.DONE]
    assert [each.title for each in wrong] == ["Flatten.backward"]
    assert wrong[0].status is Status.WRONG and wrong[0].misconception
    assert given.points == POINTS - 3


def test_an_answer_that_does_not_compile_says_where(judged, solved):
    cell(solved, "flatten")["source"] = "class Flatten:\n    def forward(self, x:\n        pass"
    given = judged(solved)
    message = next(each.message for each in given.results if each.title == "Flatten.forward")
    assert "SyntaxError" in message and "line 2 of the cell" in message
    assert given.points == POINTS - 5


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("def flat_index(c, h, w, shape):\n    while True: pass", Status.TIMEOUT),
        ("def flat_index(c, h, w, shape):\n    import os; os._exit(0)", Status.DIED),
        ("while True: pass", Status.TIMEOUT),
        ("def flat_index(c, h, w, shape):\n    return nothing", Status.ERROR),
        ("flat_index = 3", Status.WRONG),
    ],
)
def test_one_bad_answer_costs_no_other(judged, solved, source, status):
    cell(solved, "flat_index")["source"] = source
    given = judged(solved)
    assert given.results[0].status is status, given.results[0].message
    assert given.points == POINTS - 2


@pytest.mark.slow
def test_the_verdicts_are_those_of_stock_nbval(judged, solved, tmp_path):
    """The same answers, right and wrong, under nbval as it comes, with a kernel of its own.

    A kernel may find its ports taken by another one that starts at the same moment; then not even the
    imports pass, and it is tried again.
    """
    cell(solved, "flatten")["source"] = WRONG
    cell(solved, "witness_1")["source"] = "def witness_1():\n    return 1"
    path, report = put(tmp_path / "nb.ipynb", solved), tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q"]
    command += ["-p", "no:cacheprovider", "--junit-xml", str(report), str(path)]
    codes = [notebooks.grade_id(c) for c in solved.cells if c.cell_type == "code"]
    for _ in range(3):
        subprocess.run(command, cwd=tmp_path, capture_output=True)
        cases = ElementTree.parse(report).iter("testcase")
        passed = [case.find("failure") is None and case.find("error") is None for case in cases]
        stock = dict(zip(codes, passed, strict=True))
        if stock[codes[0]]:
            break
    ours = {each.exercise.check_id: each.status is Status.DONE for each in judged(solved).results}
    assert ours == {key: stock[key] for key in ours}
    assert {*ours.values()} == {True, False}


def test_what_needs_a_wrong_answer_is_judged_with_the_courses_own(originals, judge):
    nb = copy.deepcopy(originals.solved["02_conv"])
    cell(nb, "output_size")["source"] = "def output_size(*sizes):\n    return 1"
    submission = extract(nb, originals.solved["02_conv"])
    given = grade("ada", "02_conv", {"02_conv": submission}, originals, judge.ask, timeout=20)
    assert [e.title for e in given.results if e.status is not Status.DONE] == ["output_size"]
    forward = next(each for each in given.results if each.title == "Conv2D.forward")
    assert forward.notes == ("judged with the course's own output_size in place of yours",)


def test_borrowed_layers_build_a_network_but_are_not_ones_own(originals, judge):
    name = "06_network"
    submission = extract(originals.solved[name], originals.solved[name])
    given = grade("ada", name, {name: submission}, originals, judge.ask, timeout=20)
    by_name = {each.exercise.name: each for each in given.results}
    assert by_name["build_network"].status is Status.DONE
    assert "Conv2D" in by_name["build_network"].notes[0]
    assert by_name["end_to_end"].status is Status.UNWRITTEN
    assert "Conv2D, MaxPool2D" in by_name["end_to_end"].message.replace("ReLU, ", "") or (
        "come from the course" in by_name["end_to_end"].message
    )


# ---------------------------------------------------------------------- what is handed in


def split(nb, at):
    """Split an answer as JupyterLab does: both halves keep the metadata."""
    first = cell(nb, "flatten")
    second = copy.deepcopy(first)
    lines = first.source.split("\n")
    first["source"], second["source"] = "\n".join(lines[:at]), "\n".join(lines[at:])
    second["id"] = "half"
    nb.cells.insert(nb.cells.index(first) + 1, second)


def test_an_answer_split_over_two_cells_is_joined(judged, solved):
    at = next(
        k for k, line in enumerate(cell(solved, "flatten").source.split("\n")) if "backward" in line
    )
    split(solved, at)
    given = judged(solved)
    assert given.points == POINTS
    assert "split over several cells" in given.notes[0]


@pytest.mark.parametrize(
    ("above", "answer", "below"),
    [
        ("import math", "math.prod(x.shape[1:])", ""),
        ("from math import prod as p", "p(x.shape[1:])", ""),
        ("def rest(x):\n    return x[0].size\nprint(rest)", "rest(x)", ""),
        ("FIRST = 0\nimport numpy as other", "x[FIRST].size", ""),
        ("def a(x):\n    return b(x)\ndef b(x):\n    return x[0].size", "a(x)", ""),
        ("", "x[0].size", "def forward(self, x):\n    self.s = x.shape\n    return x.reshape(len(x), -1)\nFlatten.forward = forward"),
    ],
)  # fmt: skip
def test_helpers_in_cells_of_their_own_come_along(judged, solved, above, answer, below):
    cell(solved, "flatten")["source"] = (
        "class Flatten:\n    def forward(self, x):\n        self.s = x.shape\n"
        f"        return x.reshape(len(x), {answer})\n\n"
        "    def backward(self, dy):\n        return dy.reshape(self.s)"
    )
    place = solved.cells.index(cell(solved, "flatten"))
    if below:
        solved.cells.insert(place + 1, new_code_cell(below, id="below"))
    if above:
        solved.cells.insert(place, new_code_cell(above, id="above"))
    given = judged(solved)
    assert given.points == POINTS, [each.message for each in given.results]
    notes = [note for each in given.results for note in each.notes]
    assert any("cell of its own" in note for note in notes)


BLANKS = {
    "a line of blanks": " " * 60_000 + "(",
    "a long sum": "+".join("1" for _ in range(1_000_000)),
    "deep nesting": "(" * 5_000 + ")" * 5_000,
    "a question of blanks": " " * 60_000 + "?x",
}


@pytest.mark.parametrize("source", BLANKS.values(), ids=BLANKS)
def test_reading_takes_linear_time(originals, solved, source):
    """A quadratic reader needs minutes for these; the limit is far from what a slow machine needs."""
    cell(solved, "flatten")["source"] = source
    solved.cells += [new_code_cell(source, id=f"x{k}") for k in range(3)]
    began = time.process_time()
    extract(solved, originals.solved[NAME])
    assert time.process_time() - began < 20


@pytest.mark.slow
def test_many_cells_take_linear_time(originals, solved):
    one = new_code_cell("x = 1")  # validated once: 60,000 times would take longer than all else
    solved.cells += [NotebookNode(one, id=f"x{k}") for k in range(60_000)]
    began = time.process_time()
    extract(solved, originals.solved[NAME])
    assert time.process_time() - began < 60


# ---------------------------------------------------------------------- machines


@pytest.mark.skipif(HOW != box.CONFINED, reason="nothing confines a process here")
@pytest.mark.parametrize(("euid", "user"), ((1000, {}), (0, None)))
def test_where_no_process_gets_a_user_of_its_own(monkeypatch, euid, user):
    """As on Ubuntu 24.04, or in a container: an ordinary user's are confined all the same, root's not."""

    def refused(readable, **options):
        if "uid" in options:
            raise RuntimeError("sandlock_popen failed")
        return sandbox(readable, **options)

    sandbox = box._sandbox
    monkeypatch.setattr(box, "_sandbox", refused)
    monkeypatch.setattr(box.os, "geteuid", lambda: euid)
    monkeypatch.setattr(box, "_user", box._user.__wrapped__)
    assert box._user() == user
    assert ("user namespaces" in box.missing()) == (user is None)


def test_where_no_process_can_be_confined_at_all(monkeypatch):
    monkeypatch.setattr(box, "_user", lambda: None)
    monkeypatch.setattr(box.os, "geteuid", lambda: 1000, raising=False)
    assert box.missing() and "root" not in box.missing()


# ---------------------------------------------------------------------- everybody


def submissions(originals, **sources):
    found = {}
    for learner, source in sources.items():
        nb = copy.deepcopy(originals.solved[NAME])
        cell(nb, "flatten")["source"] = source
        found[learner] = extract(nb, originals.solved[NAME])
    people = [Learner(name, {NAME: each}, {}) for name, each in found.items()]
    return Handed([NAME], people, [])


RIGHT = "class Flatten:\n    def forward(self, x):\n        self.s = x.shape\n        return x.reshape(len(x), -1)\n\n"
RIGHT += "    def backward(self, dy):\n        return dy.reshape(self.s)"


def test_what_is_graded_is_not_graded_again(originals, judge, tmp_path):
    asked = []

    def ask(job):
        asked.append(job)
        return judge.ask(job)

    handed = submissions(originals, ada=RIGHT, bob=WRONG)
    options = {"timeout": 5, "jobs": 1, "course": "this one"}
    with Journal(tmp_path) as journal:
        first = grade_all(
            handed,
            originals,
            ask,
            stop=Event(),
            done=journal.write,
            known=journal.grades,
            **options,
        )
    assert len(asked) == 3  # the solution too
    again = grade_all(
        handed, originals, ask, stop=Event(), known=Journal(tmp_path).grades, **options
    )
    assert len(asked) == 4 and again == first
    changed = submissions(originals, ada=WRONG, bob=WRONG)
    last = grade_all(
        changed, originals, ask, stop=Event(), known=Journal(tmp_path).grades, **options
    )
    assert [g.points for g in last] == [POINTS - 3, POINTS - 3] and len(asked) == 6
    options["course"] = "another one"
    grade_all(changed, originals, ask, stop=Event(), known=Journal(tmp_path).grades, **options)
    assert len(asked) == 9
    assert Journal(tmp_path, fresh=True).grades == {}


def test_a_journal_cut_off_in_a_line_goes_on(tmp_path):
    made = Grade("ada", NAME, 12.0, (Result(Exercise("x", 2.0, "a"), Status.WRONG, "no"),))
    with Journal(tmp_path) as journal:
        journal.write(made)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"learner": "bo')
    with Journal(tmp_path) as journal:
        assert journal.grades == {("ada", NAME): made}
        journal.write(made)
    assert Journal(tmp_path).grades == {("ada", NAME): made}


@pytest.mark.slow
def test_a_judge_that_is_killed_is_replaced(originals):
    handed = submissions(originals, ada=RIGHT)
    with Judges(COURSE, HOW, 1) as judges:
        options = {"timeout": 5, "jobs": 1}
        judges.all[0].start()
        judges.all[0].process.head.send_signal(signal.SIGKILL)
        (given,) = grade_all(handed, originals, judges.ask, stop=Event(), **options)
    assert given.points == POINTS


@pytest.mark.slow
def test_the_death_of_the_first_of_three_judges_costs_nobody_a_grade(originals):
    """The others are forks of it."""
    handed = submissions(originals, ada=RIGHT, bob=RIGHT, eve=WRONG, joe=RIGHT)
    with Judges(COURSE, HOW, 3) as judges:
        options = {"timeout": 5, "jobs": 3, "stop": Event()}
        grade_all(handed, originals, judges.ask, **options)
        judges.processes[0].head.kill()
        grades = grade_all(handed, originals, judges.ask, **options)
    assert {g.learner: g.points for g in grades} == {"ada": 12, "bob": 12, "eve": 9, "joe": 12}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_is_left_of_a_run_that_is_killed(tmp_path):
    handed = tmp_path / "handed" / "ada"
    handed.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / f"{NAME}.ipynb", handed)
    command = [sys.executable, "-m", "cnnlib", "grade", str(handed.parent), "--jobs", "2"]
    mark = f"KILLED={tmp_path}"
    run = subprocess.Popen(
        [*command, "--out", str(tmp_path / "report"), "--course", str(ROOT)],
        env=os.environ | dict([mark.split("=", 1)]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def left():
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark.encode() in (folder / "environ").read_bytes():
                    found.append(folder.name)
        return found

    patience = time.monotonic() + 60
    while len(left()) < 3 and time.monotonic() < patience:
        time.sleep(0.1)
    run.kill()
    run.wait()
    while left() and time.monotonic() < patience:
        time.sleep(0.1)
    assert not left()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="sees by it when a process ends")
@pytest.mark.parametrize("how", sorted({box.OWN, box.UNCONFINED, HOW}))
def test_no_answer_runs_on_where_a_check_is_stopped(how):
    """As Ctrl-C does: the box is closed while an answer goes round and round."""
    with box.Box(how) as opened:
        talk = opened.talk(60)
        endless = {"do": "cell", "space": "a", "file": "<a>", "names": []}
        talk._write(wire.pack(endless | {"source": "while True: pass"}))
        ends = os.pidfd_open(talk.pid)
    gone, _, _ = select.select([ends], [], [], 30)
    os.close(ends)
    assert gone


def test_a_lower_limit_of_somebody_elses_stays():
    pytest.importorskip("resource")
    code = "import resource as r; from cnnlib.scripts import worker; cpu = r.RLIMIT_CPU\n"
    code += "r.setrlimit(cpu, (40, 40)); worker._limit(150); print(r.getrlimit(cpu))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (run.stdout.strip(), run.stderr) == ("(40, 40)", "")


def test_a_solution_that_fails_stops_everybody(originals):
    handed = submissions(originals, ada=RIGHT)
    rows = [{"name": e.name, "outcome": "failed", "error": "Failed", "message": "✗ no"}
            for e in notebooks.exercises(originals.solved[NAME])]  # fmt: skip
    ask = lambda job: {"rows": rows, "right": []}  # noqa: E731
    with pytest.raises(NotebookError, match="does not pass its own checks"):
        grade_all(handed, originals, ask, timeout=5, jobs=1, stop=Event())


# ---------------------------------------------------------------------- where it runs


def test_a_machine_that_confines_nothing_says_so(monkeypatch):
    monkeypatch.setattr(box, "missing", lambda: "this kernel has Landlock ABI 3")
    monkeypatch.delenv("CNNLIB_CONTAINER", raising=False)
    with pytest.raises(box.BoxError, match=r"Landlock ABI 3.*--unconfined"):
        box.level()
    assert box.level(unconfined=True) == box.UNCONFINED
