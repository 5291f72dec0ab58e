"""Grading: whatever is handed in, each answer gets the points that it deserves, and a reason if none."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from synthetic import answer, cell, check, statement, write_answer

from cnnlib import notebooks
from cnnlib.grading import glance, report
from cnnlib.grading.assemble import Originals, Submission, extract, load
from cnnlib.grading.collect import SIZE_LIMIT, Learner, collect
from cnnlib.grading.grade import Grade
from cnnlib.grading.verdict import Result, Status
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
