"""Grading: whatever is handed in, each answer gets the points that it deserves, and a reason if none."""

import collections
import copy
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from queue import Empty
from threading import Event
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval.plugin import find_comment_markers
from synthetic import answer, cell, check, statement, write_answer

import cnnlib.grading.grade as grading_grade
from cnnlib import notebooks
from cnnlib.grading import glance, plugin, report
from cnnlib.grading.assemble import Originals, Submission, assemble, extract, load
from cnnlib.grading.collect import SIZE_LIMIT, Learner, collect
from cnnlib.grading.grade import Grade, grade, grade_all
from cnnlib.grading.verdict import Result, Row, RunError, Status, settle
from cnnlib.notebooks import Course, Exercise, NotebookError

ROOT = Path(__file__).parents[1]
NAME = "03_numbers"
FILE = f"{NAME}.ipynb"
TIMEOUT = 3

CHECKS = '''class Failed(Exception):
    """Wrong."""

class NotWritten(Failed):
    """Not written yet."""

class Crashed(Failed):
    """The learner's own error."""

class check:
    """Stands for `cnnlib.check`."""

def add_check(name, right):
    def run(thing):
        try:
            if not right(thing):
                raise Failed(f"✗ {name}: not the right number.\\n  hint  think")
        except NotImplementedError:
            raise NotWritten(f"○ {name} is not written yet.")
        except (NameError, MemoryError) as error:
            raise Crashed(f"✗ {name}: {type(error).__name__}: {error}")
        print(f"✓ {name}")
    setattr(check, name, run)

add_check("double", lambda double: double(3) == 6)
add_check("turn_there", lambda Turn: Turn().there(3) == -3)
add_check("turn_back", lambda Turn: Turn().back(-3) == 3)
add_check("half", lambda half: half(6) == 3)
add_check("last", lambda last: last([1, 2]) == 2)'''

RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "turn": "class Turn:\n    def there(self, x):\n        return -x\n\n"
    "    def back(self, y):\n        return -y",
    "half": "def half(x):\n    return x / 2",
    "last": "def last(x):\n    return x[-1]",
}
POINTS = {"double": 2, "turn_there": 2, "turn_back": 3, "half": 2, "last": 1}
TITLES = ["double", "turn_there", "turn_back", "half", "last"]


def solution(source: str) -> str:
    """An answer as it stands in solutions/: what each `return` says is to be written."""
    lines = []
    for line in source.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        written = "return" in line
        lines += [f"{indent}{notebooks.BEGIN}"] * written + [line]
        lines += [f"{indent}{notebooks.END}"] * written
    return "\n".join(lines)


@pytest.fixture(scope="session")
def course(tmp_path_factory) -> Course:
    """A course of one notebook: four answers with five checks."""
    parts = [new_code_cell(CHECKS, id="checks", execution_count=1)]
    for name, source in RIGHT.items():
        calls = [n for n in POINTS if n.startswith(name)]
        thing = notebooks.defined(source)[0]
        parts += [statement(name), answer(name, solution(source))]
        parts += [check(call, thing, points=POINTS[call]) for call in calls]
    course = Course(tmp_path_factory.mktemp("course"))
    for folder in (course.exercises, course.solutions):
        folder.mkdir()
    notebooks.write(course.solutions / FILE, new_notebook(cells=parts, metadata=notebooks.METADATA))
    notebooks.release_course(course)
    return course


@pytest.fixture(scope="session")
def originals(course) -> Originals:
    return load(course)


@pytest.fixture
def pristine(originals):
    return originals.solved[NAME]


@pytest.fixture
def handed_out(course):
    """The exercise, to be worked in."""
    return notebooks.read(course.exercises / FILE)


def hand_in(folder: Path, course: Course, learner: str, answers: dict[str, str]) -> Path:
    """Do what a learner does: take the exercise, write the answers, hand the file in."""
    path = folder / learner / FILE
    path.parent.mkdir(parents=True)
    shutil.copy(course.exercises / FILE, path)
    for name, source in answers.items():
        write_answer(path, name, source)
    return path


# Assemble


def test_answers_go_into_the_pristine_notebook_and_nothing_else_does(pristine, handed_out):
    for each in handed_out.cells:
        each.metadata["tags"] = ["raises-exception", "nbval-skip"]
        if notebooks.is_check(each):
            each["source"] = "print('✓ forged')"
            each["outputs"] = [new_output("stream", text="✓ forged\n")]
    cell(handed_out, "half")["source"] = "def half(x):\n    return 'mine'"
    cell(handed_out, "half")["outputs"] = [new_output("stream", text="forged")]
    handed_out.cells.append(new_code_cell("import os; os._exit(1)", id="extra"))

    nb = assemble(pristine, extract(handed_out, pristine).answers)

    changed = [key for ours, theirs in zip(pristine.cells, nb.cells, strict=True)
               for key in ours if ours[key] != theirs[key] and not notebooks.is_answer(ours)]  # fmt: skip
    assert changed == []
    assert cell(nb, "half").source == "def half(x):\n    return 'mine'"
    assert cell(nb, "half").outputs == []
    assert cell(nb, "double").source == "def double(x):\n    raise NotImplementedError"
    assert "forged" not in json.dumps(nb) and "raises-exception" not in json.dumps(nb)


def test_assembling_leaves_the_original_as_it_is(pristine):
    before = notebooks.to_bytes(pristine)
    assemble(pristine, RIGHT, {"double", "check_half"})
    assert notebooks.to_bytes(pristine) == before


def test_what_is_left_out_becomes_a_stub_or_nothing(pristine):
    nb = assemble(pristine, RIGHT, {"double", "check_half", "checks"})
    assert cell(nb, "double").source == "def double(x):\n    raise NotImplementedError"
    assert cell(nb, "check_half").source == cell(nb, "checks").source == ""
    assert cell(nb, "last").source == RIGHT["last"]


def test_only_the_cells_that_an_answer_or_a_check_needs_are_run(pristine):
    pristine.cells[1:1] = [
        new_code_cell("size = 2", id="for-a-needed-cell"),
        new_code_cell("try:\n    half_size = size / 2\nexcept Exception:\n    pass", id="needed"),
        new_code_cell("picture = draw(half)", id="picture"),
        new_code_cell("print(double(half(3)))", id="shown"),
    ]
    nb = assemble(pristine, {"half": "def half(x):\n    return x * half_size"})
    emptied = [ours.id for ours, theirs in zip(pristine.cells, nb.cells, strict=True)
               if ours.source and not theirs.source]  # fmt: skip
    assert emptied == ["picture", "shown"]


@pytest.mark.parametrize(
    "marker",
    [
        "# NBVAL_SKIP",
        "#NBVAL_IGNORE_OUTPUT",
        "    ## # NBVAL_RAISES_EXCEPTION  ",
        "# PYTEST_VALIDATE_IGNORE_OUTPUT",
        "x = 1 #\x0c# NBVAL_SKIP",
        "'''\n# NBVAL_SKIP\n'''",
    ],
)
def test_a_comment_in_an_answer_steers_nothing(pristine, marker):
    nb = assemble(pristine, {"half": f"{marker}\n{RIGHT['half']}"})
    source = cell(nb, "half").source
    assert dict(find_comment_markers(source)) == {}
    assert source.endswith(RIGHT["half"])


def test_other_comments_stay_as_they_are(pristine):
    source = f"# NBVAL is a tool: # NBVAL_SKIP skips\r\n{RIGHT['half']}\n# last"
    assert cell(assemble(pristine, {"half": source}), "half").source == source


def test_an_untouched_or_emptied_answer_is_none(pristine, handed_out):
    cell(handed_out, "half")["source"] = "  \n"
    assert extract(handed_out, pristine) == Submission({})


def test_changed_checks_are_mentioned(pristine, handed_out):
    cell(handed_out, "check_double")["source"] = "print('✓ double')"
    cell(handed_out, "check_half")["cell_type"] = "markdown"
    cell(handed_out, "check_last").metadata["tags"] = 5
    handed_out.cells.remove(cell(handed_out, "check_turn_back"))
    notes = extract(handed_out, pristine).notes
    assert notes == (
        "the check cell 'check_double' was changed; the original was used",
        "the check cell 'check_turn_back' is gone; the original was used",
        "the check cell 'check_half' was changed; the original was used",
        "the check cell 'check_last' was changed; the original was used",
    )


def test_names_defined_outside_the_answers_are_found(pristine, handed_out):
    sources = (
        "%matplotlib inline\nimport numpy as np, os.path\nfrom math import pi as π\n"
        "def helper(x):\n    inside = 1\nclass Kit: pass\na, (b, c) = 1, (2, 3)\nd: int = 4",
        "def broken(:",
        "\0",
    )
    handed_out.cells += [new_code_cell(s, id=f"own-{n}") for n, s in enumerate(sources)]
    found = extract(handed_out, pristine).elsewhere
    assert found == {"np", "os", "π", "helper", "Kit", "a", "b", "c", "d"}


# Collect


def test_everything_but_a_submission_becomes_a_sentence(course, originals, tmp_path):
    ada = hand_in(tmp_path, course, "ada", RIGHT)
    for learner, content in (
        ("empty", b""),
        ("text", b"not JSON"),
        ("other", b'{"a": 1}'),
        ("list", b"[1, 2]"),
        ("binary", b"\xff\xfe\x00"),
        ("cells", b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [5]}'),
    ):
        (tmp_path / learner).mkdir()
        (tmp_path / learner / FILE).write_bytes(content)
    (tmp_path / "missing").mkdir()
    (tmp_path / "missing" / "essay.pdf").write_bytes(ada.read_bytes())
    (tmp_path / "folder" / FILE).mkdir(parents=True)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / FILE).symlink_to("/etc/passwd")
    (tmp_path / "whole").symlink_to(tmp_path / "ada")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / FILE)
    (tmp_path / "big").mkdir()
    with (tmp_path / "big" / FILE).open("wb") as file:
        file.truncate(SIZE_LIMIT + 1)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".git").mkdir()

    handed = collect(tmp_path, originals)

    assert handed.notebooks == [NAME]
    read = {learner.name: learner.submissions for learner in handed.learners if learner.submissions}
    assert read == {"ada": {NAME: Submission(RIGHT)}}
    problems = {learner.name: learner.problems.get(NAME) for learner in handed.learners}
    assert problems.pop("ada") is None
    expected = {
        "empty": f"{FILE} is empty",
        "text": f"{FILE} is not JSON",
        "other": "not a notebook",
        "list": "not a notebook",
        "binary": "not text in UTF-8",
        "cells": "not a notebook",
        "missing": f"{FILE} is missing; the folder has essay.pdf",
        "folder": f"{FILE} is not a file",
        "link": f"{FILE} is a symbolic link, which is not followed",
        "whole": "the folder is a symbolic link, which is not followed",
        "pipe": f"{FILE} is not a file",
        "big": f"{FILE} has 50 MB, more than the 50 MB allowed",
    }
    assert problems.keys() == expected.keys()
    for learner, words in expected.items():
        assert words in problems[learner], learner
        assert str(tmp_path) not in problems[learner]
    assert handed.skipped == [
        ".git: no learner's folder",
        "notes.txt: no learner's folder",
        "missing/essay.pdf: no notebook to grade",
    ]


def test_odd_names_are_learners_too(course, originals, tmp_path):
    names = ["-rf", "=1+1", "Zoë Łuk 李", "a b", "new\nline", "[red]"]
    for name in names:
        hand_in(tmp_path, course, name, {})
    os.mkdir(os.fsencode(tmp_path) + b"/latin\xe9")
    handed = collect(tmp_path, originals)
    shown = {learner.name for learner in handed.learners}
    assert shown == {"-rf", "=1+1", "Zoë Łuk 李", "a b", "new\\nline", "[red]", "latin\\xe9"}


def test_older_formats_without_ids_are_read(course, originals, tmp_path):
    path = hand_in(tmp_path, course, "old", RIGHT)
    nb = nbformat.convert(notebooks.read(path), 3)
    assert nb.worksheets[0].cells and "id" not in nb.worksheets[0].cells[0]
    path.write_text(json.dumps(nb))
    handed = collect(tmp_path, originals)
    assert handed.learners[0].submissions[NAME].answers == RIGHT


@pytest.mark.parametrize("make", [lambda p: None, Path.mkdir, Path.touch])
def test_a_folder_without_submissions_says_what_is_expected(originals, tmp_path, make):
    folder = tmp_path / "handed in"
    make(folder)
    with pytest.raises(NotebookError, match="folder for each learner"):
        collect(folder, originals)


# Verdicts: `settle` with a stand-in for nbval


class Nbval:
    """Plays back runs, each a dict of what becomes of cells; the others pass, as far as it comes."""

    def __init__(self, pristine, *runs):
        self.cells = [
            notebooks.grade_id(c) or c.id for c in pristine.cells if c.cell_type == "code"
        ]
        self.runs, self.left_out = list(runs), []

    def __call__(self, left_out):
        self.left_out.append(set(left_out))
        events, rows = self.runs.pop(0), {}
        for name in self.cells:
            rows[name] = Row(name, *events.get(name, ("passed",)))
            if rows[name].fatal:
                break
        return rows


def statuses(results):
    return {r.exercise.name: r.status.value for r in results if r.status is not Status.DONE}


def test_all_right_takes_one_run(pristine):
    nbval = Nbval(pristine, {})
    results = settle(pristine, nbval, 5)
    assert [r.exercise.name for r in results] == TITLES
    assert statuses(results) == {} and sum(r.points for r in results) == 10
    assert nbval.left_out == [set()]


def test_what_a_check_says_is_the_message(pristine):
    words = "✗ half: not so.\n  hint  think"
    nbval = Nbval(
        pristine,
        {
            "check_double": ("failed", "NotWritten", "○ double is not written yet."),
            "check_half": ("failed", "Failed", words),
            "check_last": ("failed", "Crashed", "✗ last: boom."),
        },
    )
    results = settle(pristine, nbval, 5)
    assert statuses(results) == {"double": "unwritten", "half": "wrong", "last": "error"}
    assert results[3].message == words and results[3].summary == "not so."
    assert results[0].summary == "is not written yet."
    assert len(nbval.left_out) == 1


def test_a_check_that_hangs_costs_itself_alone(pristine):
    nbval = Nbval(pristine, {"check_turn_there": ("timeout",)}, {})
    results = settle(pristine, nbval, 5)
    assert statuses(results) == {"turn_there": "timeout"}
    assert "stopped after 5 seconds" in results[1].message
    assert nbval.left_out == [set(), {"check_turn_there"}]


def test_an_answer_cell_that_dies_costs_its_own_exercises(pristine):
    stub = ("failed", "NotWritten", "○ …")
    nbval = Nbval(
        pristine, {"turn": ("died",)}, {"check_turn_there": stub, "check_turn_back": stub}
    )
    assert statuses(settle(pristine, nbval, 5)) == {"turn_there": "died", "turn_back": "died"}
    assert nbval.left_out == [set(), {"turn"}]


def test_an_answer_that_dies_without_its_own_cell_running_is_left_out_in_the_end(pristine):
    nbval = Nbval(pristine, {"check_half": ("died",)}, {"check_half": ("died",)}, {})
    assert statuses(settle(pristine, nbval, 5)) == {"half": "died"}
    assert nbval.left_out[-1] == {"check_half", "half"}


def test_a_spoilt_namespace_costs_only_the_answer_that_spoilt_it(pristine):
    gone = ("failed", "NameError", "name 'check' is not defined")
    spoilt = {f"check_{name}": gone for name in TITLES if name != "double"}
    nbval = Nbval(pristine, spoilt, {"check_turn_there": ("failed", "NotWritten", "○ …")})
    assert statuses(settle(pristine, nbval, 5)) == {"turn_there": "error", "turn_back": "error"}
    assert nbval.left_out == [set(), {"turn"}]


def test_what_needs_an_answer_left_out_keeps_its_own_diagnosis(pristine):
    gone = ("failed", "NameError", "name 'double' is not defined")
    nbval = Nbval(
        pristine,
        {"check_double": gone, "check_half": gone},
        {"check_half": ("failed", "NotWritten", "○ half is not written yet.")},
    )
    results = settle(pristine, nbval, 5)
    assert statuses(results) == {"double": "error", "half": "error"}
    assert "NameError" in results[3].message


def test_an_error_in_the_answer_cell_explains_the_name_that_is_missing(pristine):
    trace = "  Cell In[1], line 1\n    def half(:\n             ^\nSyntaxError: invalid syntax\n"
    nbval = Nbval(
        pristine,
        {
            "half": ("failed", "SyntaxError", "invalid syntax (123.py, line 1)", trace),
            "check_half": ("failed", "NameError", "name 'half' is not defined"),
        },
    )
    assert settle(pristine, nbval, 5)[3].message == (
        "✗ half: its answer cell stops with SyntaxError: invalid syntax\n\n"
        "  Cell, line 1\n    def half(:\n             ^"
    )


def test_an_answer_cell_that_stops_after_it_defined_all_costs_nothing(pristine):
    nbval = Nbval(pristine, {"half": ("failed", "ValueError", "a try-out below the function")})
    assert statuses(settle(pristine, nbval, 5)) == {}


def test_a_cell_of_ours_that_fails_explains_the_name_that_is_missing(pristine):
    nbval = Nbval(
        pristine,
        {
            "checks": ("failed", "NotFinished", "Flatten is not finished"),
            "check_last": ("failed", "NameError", "name 'check' is not defined"),
        },
    )
    assert (
        "a cell above it stops with NotFinished: Flatten is"
        in settle(pristine, nbval, 5)[4].message
    )


def test_a_notebook_that_never_comes_to_an_answer_is_nobodys_fault(pristine):
    with pytest.raises(RunError, match="does not get past its cell 'checks'"):
        settle(pristine, Nbval(pristine, {"checks": ("died",)}), 5)


# Report


def result(name: str, status: Status, message: str = "") -> Result:
    return Result(Exercise(name, 2.0, name), status, message)


GRADES = [
    Grade("=cmd()", "a", 4.0, (result("x", Status.DONE), result("y", Status.WRONG, "✗ y: <b> & \ud800"))),
    Grade("=cmd()", "b", 2.0, notes=("-missing, \"b\"\nis",)),
    Grade("Zoë <i>", "a", 4.0, (result("x", Status.UNWRITTEN, "○ x …"), result("y", Status.TIMEOUT, "✗")), ("odd",)),
]  # fmt: skip


def test_the_report_is_whole_escaped_and_the_same_each_time(tmp_path):
    for out in (tmp_path / "one", tmp_path / "two"):
        report.prepare(out, tmp_path / "submissions")
        report.write(out, GRADES, ["stray: skipped"])
    files = sorted(p.relative_to(out) for p in out.rglob("*") if p.is_file())
    names = [
        "feedback/=cmd().html",
        "feedback/Zoë <i>.html",
        "grades.csv",
        "grades.json",
        "index.html",
        "junit.xml",
    ]
    assert list(map(str, files)) == names
    for file in files:
        content = (out / file).read_bytes()
        assert content == (tmp_path / "one" / file).read_bytes()
        assert str(tmp_path).encode() not in content
    page = (out / "feedback" / "=cmd().html").read_text()
    assert "✗ y: &lt;b&gt; &amp; \\ud800" in page and "<script" not in page
    assert "could not be graded" in page and "-missing, &#34;b&#34;" in page
    index = (out / "index.html").read_text()
    assert 'href="feedback/Zo%C3%AB%20%3Ci%3E.html">Zoë &lt;i&gt;<' in index
    assert "stray: skipped" in index
    data = json.loads((out / "grades.json").read_text())
    assert [(g["learner"], g["points"]) for g in data["grades"]] == [
        ("=cmd()", 2.0), ("=cmd()", None), ("Zoë <i>", 0.0)
    ]  # fmt: skip
    assert data["grades"][0]["exercises"][1]["status"] == "wrong"


def test_pages_of_learners_who_left_go(tmp_path):
    report.prepare(tmp_path, tmp_path / "submissions")
    report.write(tmp_path, GRADES, [])
    report.write(tmp_path, GRADES[2:], [])
    assert [path.name for path in (tmp_path / "feedback").iterdir()] == ["Zoë <i>.html"]


def test_a_page_has_the_code_beside_the_diagnosis():
    person = Learner("Zoë <i>", {"a": Submission({"y": "x = 1\ny = '<b>'\n" + "z\n" * 500})}, {})
    page = report.feedback(person.name, GRADES[2:], person)
    assert '<th scope="row">2</th><td>y = &#39;&lt;b&gt;&#39;</td>' in page
    assert "more lines" in page and page.count("<td>z</td>") < 500


def test_the_class_at_a_glance(tmp_path):
    again = [replace(GRADES[0], learner=name) for name in ("bea", "cid", "dot")]
    none = [Grade(n, "a", 4.0, notes=("a.ipynb is missing; the folder has nothing",)) for n in "ef"]
    seen = glance.of([*again, *none, *GRADES[2:]])
    assert (seen.learners, seen.graded, seen.median, seen.out_of) == (6, 4, 2.0, 4.0)
    assert seen.mistakes[0].learners == ["bea", "cid", "dot"]
    assert sum(count for _, count in seen.bars) == 4
    assert seen.problems == [("", "a", "not handed in by 2 learners: e, f")]
    assert (seen.exercises[0].done, seen.exercises[0].unwritten) == (3, 1)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    report.prepare(tmp_path / "out", tmp_path / "submissions")
    (tmp_path / "out" / "grades.csv").mkdir()
    with pytest.raises(report.ReportError, match=r"grades\.csv can't be written"):
        report.write(tmp_path / "out", GRADES, [])
    assert not list((tmp_path / "out").glob(".*"))


def test_a_name_too_long_for_a_page_still_has_one_of_its_own():
    pages = {report.page("é" * 120 + end) for end in "ab"} | {report.page("ada")}
    assert len(pages) == 3 and "ada.html" in pages
    assert all(len(name.encode()) <= 255 for name in pages)


@pytest.mark.parametrize("out", ["handed/report", "handed", "file"])
def test_a_report_is_not_written_over_a_file_or_among_submissions(tmp_path, out):
    (tmp_path / "handed").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(report.ReportError, match=out.partition("/")[0]):
        report.prepare(tmp_path / out, tmp_path / "handed")


# The plugin


def error(*trace: str) -> dict:
    item = SimpleNamespace(
        parent=SimpleNamespace(timed_out=False, kernel=SimpleNamespace(is_alive=lambda: True)),
        test_outputs=[new_output("error", ename="E", evalue="\x1b[31mat 0x7f0123456789\x07", traceback=[*trace])],
    )  # fmt: skip
    return plugin._row(item, SimpleNamespace(excinfo=True), None)


def test_a_row_tells_of_an_error_what_a_learner_can_use():
    row = error(
        "E   Traceback",
        "\x1b[36mCell\x1b[39m In[1], line 1\n  here",
        "File /usr/lib/x.py:2\n  deep",
    )
    assert row == {
        "outcome": "failed",
        "error": "E",
        "message": "at 0x…",
        "trace": "Cell In[1], line 1\n  here",
    }
    assert len(error("Cell In[1]" + "x" * 10**6)["trace"]) == plugin.TEXT_LIMIT


def test_a_flood_of_output_is_taken_off_the_queue_and_dropped():
    text = {"msg_type": "stream", "content": {"name": "stdout", "text": "x" * 400_000}}
    reply = {"msg_type": "execute_reply"}
    printed, replies = [copy.deepcopy(text) for _ in range(5)], [Empty, reply]

    def receive(queue):
        message = queue.pop(0) if queue else Empty
        if message is Empty:
            raise Empty
        return message

    kernel = object.__new__(plugin.Kernel)
    kernel._outputs, kernel._printed = collections.deque(), 0
    kernel.is_alive = lambda: True
    kernel.kc = SimpleNamespace(
        get_shell_msg=lambda timeout: receive(replies),
        get_iopub_msg=lambda timeout: receive(printed),
    )
    assert kernel.get_message("shell", timeout=5) is reply
    assert printed == []
    kept = [kernel.get_message("iopub", timeout=5)["content"]["text"] for _ in range(5)]
    assert list(map(len, kept)) == [400_000, 400_000, 200_000, 0, 0]


def test_a_dead_kernel_is_noticed_long_before_the_time_limit():
    def nothing(timeout):
        raise Empty

    kernel = object.__new__(plugin.Kernel)
    kernel._outputs = collections.deque()
    kernel.is_alive = lambda: False
    kernel.kc = SimpleNamespace(get_shell_msg=nothing, get_iopub_msg=nothing)
    with pytest.raises(plugin.KernelDied):
        kernel.get_message("shell", timeout=1000)


# Real runs under nbval

FORGED = "✓ last\n"
CLASS = {
    # Hangs, ends its kernel, ends nbval: each costs itself, and `last` is right.
    "fatal": {
        "double": "def double(x):\n    while True:\n        pass",
        "turn": "import os\nclass Turn:\n    def there(self, x):\n        os._exit(0)\n\n"
        "    def back(self, y):\n        os.kill(os.getppid(), 9)",
        "last": RIGHT["last"],
    },
    # Prints far too much, spoils what the others need, leaves, doesn't parse.
    "careless": {
        "double": RIGHT["double"] + "\nprint('much ' * 10**7)",
        "turn": RIGHT["turn"] + "\ndel check",
        "half": "# NBVAL_SKIP\nimport sys\ndef half(x):\n    return x / 2\nsys.exit(half)",
        "last": "def last(x:\n    return x[-1]",
    },
    "forged": {"double": RIGHT["double"], "half": "def half(x):\n    return helper(x)"},
    "noisy": {
        "double": "def double(x):\n    return 2 * x + bytearray(6 * 10**9)[0]",
        "half": "def half(x):\n    print('half')\n    return 3",
    },
    "untouched": {},
}


@pytest.fixture(scope="session")
def graded(course, originals, tmp_path_factory):
    """Everybody's grades, from one run."""
    folder = tmp_path_factory.mktemp("handed")
    for learner, answers in CLASS.items():
        hand_in(folder, course, learner, answers)

    forged = folder / "forged" / FILE
    nb = notebooks.read(forged)
    for each in nb.cells:
        each.metadata["tags"] = ["raises-exception", "nbval-skip"]
        if notebooks.is_check(each):
            each["outputs"] = [new_output("stream", text=FORGED)]
            each["execution_count"] = 1
    nb.cells.remove(cell(nb, "check_double"))
    cell(nb, "check_turn_back")["cell_type"] = "raw"
    cell(nb, "check_last")["source"] = f"print({FORGED!r})"
    nb.cells.append(new_code_cell("def helper(x):\n    return 3", id="helper"))
    forged.write_text(json.dumps(nb))
    (forged.parent / "conftest.py").write_text("raise SystemExit('loaded')")

    handed = collect(folder, originals)
    options = {"timeout": TIMEOUT, "jobs": 2, "stop": Event()}
    grades = grade_all(handed, originals, **options)
    return {grade.learner: grade for grade in grades}, handed


def words(grade: Grade) -> dict[str, str]:
    return {r.exercise.name: r.status.value for r in grade.results}


def test_what_hangs_or_dies_costs_nothing_else(graded):
    fatal = graded[0]["fatal"]
    assert words(fatal) == {
        "double": "timeout", "turn_there": "died", "turn_back": "died",
        "half": "unwritten", "last": "done",
    }  # fmt: skip
    assert fatal.points == 1


def test_carelessness_costs_only_the_careless_answer(graded):
    careless = graded[0]["careless"]
    assert words(careless) == {
        "double": "done", "turn_there": "error", "turn_back": "error", "half": "done", "last": "error"
    }  # fmt: skip
    messages = {r.exercise.name: r.message for r in careless.results}
    assert "name 'check' is not defined" in messages["turn_there"]
    assert "its answer cell stops with SyntaxError" in messages["last"]
    assert "def last(x:" in messages["last"] and "In[" not in messages["last"]


def test_what_is_forged_or_deleted_counts_for_nothing(graded):
    forged = graded[0]["forged"]
    assert words(forged) == {
        "double": "done", "turn_there": "unwritten", "turn_back": "unwritten",
        "half": "error", "last": "unwritten",
    }  # fmt: skip
    half = forged.results[3].message
    assert "NameError: name 'helper' is not defined" in half
    assert "`helper` is defined in a cell of its own" in half
    assert len(forged.notes) == 5


def test_a_check_that_shows_more_than_its_own_line_does_not_pass(graded):
    noisy = graded[0]["noisy"]
    assert words(noisy)["half"] == "error"
    assert "its cell shows something else than the check's own line" in noisy.results[3].message


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its limit")
def test_an_answer_that_takes_all_the_memory_gets_an_error(graded):
    noisy = graded[0]["noisy"]
    assert words(noisy)["double"] == "error"
    assert "MemoryError" in noisy.results[0].message


def test_an_untouched_notebook_is_unwritten(graded):
    assert set(words(graded[0]["untouched"]).values()) == {"unwritten"}


def test_the_same_submission_gets_the_same_grade_again(graded, originals):
    grades, handed = graded
    submissions = next(x.submissions for x in handed.learners if x.name == "forged")
    again = grade("forged", NAME, submissions, originals, timeout=TIMEOUT, stop=Event())
    assert again == grades["forged"]


def test_a_notebook_uses_what_this_learner_wrote_in_another(tmp_path, monkeypatch):
    course = Course(tmp_path)
    monkeypatch.setenv("CNNLIB_COURSE", str(course.root))  # where nobody has written anything
    shutil.copytree(ROOT / "solutions", course.solutions)
    course.exercises.mkdir()
    source = "def again():\n    ### BEGIN SOLUTION\n    return mine.Flatten\n    ### END SOLUTION"
    call = check("flatten_backward", "again()")
    call["execution_count"], call["outputs"] = None, []
    cells = [
        new_code_cell("from cnnlib import check, mine", id="setup"),
        answer("again", source),
        call,
    ]
    later = new_notebook(cells=cells, metadata=notebooks.METADATA)
    notebooks.write(course.solutions / "05_later.ipynb", later)

    originals = load(course)
    ada = {name: Submission(notebooks.answers(nb)) for name, nb in originals.solved.items()}
    options = {"timeout": 20, "stop": Event()}
    graded = grade("ada", "05_later", ada, originals, **options)
    assert (graded.points, graded.out_of) == (2, 2)


def test_whatever_goes_wrong_in_one_grade_is_a_note(originals, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(grading_grade, "run", fail)
    graded = grade("ada", NAME, {NAME: Submission(RIGHT)}, originals, timeout=1, stop=Event())
    assert graded.points is None
    assert graded.notes == ("the grader itself failed with OSError: no space left",)


def test_a_solution_that_fails_its_own_check_grades_nobody(course, originals, graded):
    broken = {
        NAME: assemble(originals.solved[NAME], {**RIGHT, "half": "def half(x):\n    return 0"})
    }
    handed = graded[1]
    with pytest.raises(
        NotebookError, match=r"03_numbers.*nobody was graded:\n✗ half: not the right"
    ):
        grade_all(handed, Originals(broken, originals.blank), timeout=TIMEOUT, jobs=1, stop=Event())


def test_when_interrupted_what_is_not_graded_says_so(graded, originals):
    stop = Event()
    stop.set()
    grades = grade_all(graded[1], originals, timeout=TIMEOUT, jobs=2, stop=stop)
    by_learner = {grade.learner: grade for grade in grades}
    assert by_learner["forged"].notes == ("not graded: the run was interrupted",)
    assert by_learner["forged"].points is None and by_learner["untouched"].points == 0
