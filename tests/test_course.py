"""The course's own notebooks: what each promises to learners, to nbval and to nbgrader."""

from collections import Counter
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbgrader.nbgraderformat import SCHEMA_VERSION, MetadataValidator

from cnnlib import check, mine, notebooks
from cnnlib.notebooks import Course

COURSE = Course(Path(__file__).parents[1])
SOLUTIONS = notebooks.files(COURSE.solutions)
EXERCISES = notebooks.files(COURSE.exercises)
LESSONS = notebooks.files(COURSE.lessons)

solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
exercise = pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
every_notebook = pytest.mark.parametrize(
    "path", LESSONS + SOLUTIONS + EXERCISES, ids=lambda path: f"{path.parent.name}/{path.stem}"
)


def test_there_are_exercises():
    assert {"00_start_here", "04_flatten"} <= {path.stem for path in SOLUTIONS}


# 1. Exercises are up to date


def test_exercises_are_what_release_makes_of_the_solutions():
    stale = [path.name for path in notebooks.outdated(COURSE)]
    assert not stale, f"run `cnnlib release`: {', '.join(stale)}"
    assert [path.name for path in EXERCISES] == [path.name for path in SOLUTIONS]


# 2. Untouched answers fail as "not written yet", and as nothing else


@exercise
def test_untouched_answers_are_not_written_yet_and_nothing_else_fails(path, monkeypatch):
    nb = notebooks.read(path)
    # In solutions/, `cnnlib.mine` finds the layers of the other notebooks finished.
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    monkeypatch.chdir(COURSE.solutions)
    shell, raised = InteractiveShell(), {}  # what a kernel runs cells with, without its start
    with capture_output():
        for cell in nb.cells:
            if cell.cell_type == "code":
                done = shell.run_cell(cell.source)
                error = done.error_before_exec or done.error_in_exec
                if error:
                    raised[notebooks.grade_id(cell) or cell.id] = type(error)
    assert raised == {e.check_id: check.NotWritten for e in notebooks.exercises(nb)}


# 3. Solutions pass under nbval: `pytest --nbval` runs them, and compares what is stored here


@solution
def test_every_check_cell_stores_the_line_that_nbval_compares(path):
    nb = notebooks.read(path)
    graded = [cell for cell in nb.cells if notebooks.is_check(cell)]
    assert len(graded) == len(notebooks.exercises(nb)) > 0
    for cell in graded:
        name = notebooks.grade_id(cell)
        title = getattr(check, name.removeprefix("check_")).title
        assert cell.execution_count is not None, f"{name} was never run: tools/execute.py"
        assert [o.output_type for o in cell.outputs] == ["stream"], name
        assert cell.outputs[0].text.startswith(f"✓ {title}"), name
        assert cell.outputs[0].text.count("\n") == 1, name


@every_notebook
def test_nothing_switches_nbval_off(path):
    for cell in notebooks.read(path).cells:
        tags = cell.metadata.get("tags", [])
        assert not {"nbval-skip", "nbval-ignore-output", "skip-execution"} & set(tags), cell.id
        if notebooks.grade_id(cell):
            assert "raises-exception" not in tags, cell.id
            assert "NBVAL_" not in cell.source, cell.id


# 4. Every answer has a hint, and the parts belong together


@solution
def test_each_solution_is_fit_for_release(path):
    assert notebooks.validate(notebooks.read(path)) is None


@solution
def test_each_answer_has_a_hint_of_its_own(path):
    nb = notebooks.read(path)
    hinted = Counter()
    statement = None
    for cell in nb.cells:
        if notebooks.is_statement(cell):
            statement = cell
        elif notebooks.is_answer(cell):
            hint = statement.source.partition("<details>")[2].partition("</details>")[0]
            _, _, hint = hint.partition("</summary>")
            assert len(hint.split()) >= 3, f"{notebooks.grade_id(cell)} has an empty hint"
            hinted[statement.id] += 1
    assert set(hinted.values()) == {1}


def test_each_name_is_asked_for_in_one_notebook():
    asked = Counter(
        name
        for path in SOLUTIONS
        for name in {
            defined
            for source in notebooks.answers(notebooks.read(path)).values()
            for defined in notebooks.defined(source)
        }
    )
    twice = [name for name, times in asked.items() if times > 1]
    assert not twice, f"`from cnnlib.mine import` could not tell them apart: {twice}"


# 5. nbgrader accepts the metadata, and the format accepts the rest


@pytest.mark.parametrize(
    "path", SOLUTIONS + EXERCISES, ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_nbgrader_accepts_the_metadata(path):
    assert SCHEMA_VERSION == 3
    nb = notebooks.read(path)
    marked = [cell for cell in nb.cells if notebooks.grade_id(cell)]
    assert marked
    for cell in marked:
        assert cell.metadata.nbgrader.schema_version == 3
    MetadataValidator().validate_nb(nb)


@every_notebook
def test_each_file_is_a_valid_notebook_written_as_the_course_writes_it(path):
    nb = notebooks.read(path)
    nbformat.validate(nb)
    assert path.read_bytes() == notebooks.to_bytes(nb)
    assert nb.metadata == notebooks.METADATA
    assert path.stat().st_size < 1024 * 1024


# And the learner's way from one notebook to the next


@solution
def test_mine_gives_every_solution_out(path, monkeypatch):
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    monkeypatch.chdir(COURSE.solutions)
    for source in notebooks.answers(notebooks.read(path)).values():
        for name in notebooks.defined(source):
            assert getattr(mine, name).__name__ == name


@exercise
def test_mine_says_of_each_untouched_exercise_that_it_is_not_written(path, monkeypatch):
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    monkeypatch.chdir(COURSE.exercises)
    for source in notebooks.answers(notebooks.read(path)).values():
        for name in notebooks.defined(source):
            with pytest.raises(mine.NotFinished, match="is not written yet"):
                getattr(mine, name)
