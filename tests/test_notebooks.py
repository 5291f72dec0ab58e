"""The parts of a notebook, and exercises from solutions."""

import json
import os
import subprocess
import sys
from copy import deepcopy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from synthetic import (
    DOUBLE,
    TURN,
    answer,
    cell,
    check,
    make_course,
    solved,
    statement,
    write_answer,
)

from cnnlib import notebooks
from cnnlib.notebooks import Exercise, NotebookError, recover, release, stub, untouched

WRITTEN = "def double(x):\n    return x + x"


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path / "course")


# Parts


def test_an_exercise_is_a_check_cell_with_its_points_and_its_answer():
    expected = [
        Exercise("double", 2.0, "double"),
        Exercise("turn_forward", 2.0, "turn"),
        Exercise("turn_backward", 3.0, "turn"),
    ]
    assert notebooks.exercises(solved()) == expected
    assert notebooks.exercises(release(solved())) == expected
    assert expected[1].check_id == "check_turn_forward"


def test_a_cell_that_a_person_grades_is_no_check():
    nb = solved()
    cell(nb, "double").metadata.nbgrader["grade"] = True
    assert notebooks.is_answer(cell(nb, "double"))
    assert not notebooks.is_check(cell(nb, "double"))


def test_a_check_without_an_answer_is_refused():
    nb = solved()
    nb.cells = [c for c in nb.cells if notebooks.grade_id(c) not in ("double", "turn")]
    with pytest.raises(NotebookError, match="'check_double' has no answer cell above it"):
        notebooks.exercises(nb)


def test_answers_come_by_grade_id_in_order():
    assert list(notebooks.answers(solved()).items()) == [("double", DOUBLE), ("turn", TURN)]


def test_defined_names_survive_magics_and_syntax_errors():
    source = "%timeit 1\nclass A(B:\n  def inner(): pass\nasync def b(): 1\ndefault = 3"
    assert notebooks.defined(source) == ["A", "b"]


def test_plain_python_keeps_python_and_line_numbers():
    python = "x = (7\n% 4)  # why?\ny = 'really?'"
    assert notebooks.plain_python(python) == python
    cell = "%%time\nfor i in range(2):\n    !ls\n    %timeit i\nnp.pad?\n?np.pad\nx = 1"
    plain = notebooks.plain_python(cell)
    assert plain == "pass\nfor i in range(2):\n    pass\n    pass\npass\npass\nx = 1"
    assert notebooks.plain_python("def broken(:") == "def broken(:"
    assert notebooks.plain_python("\0") == "\0"


# Stubs


def test_stub_does_what_nbgrader_does():
    from nbgrader.preprocessors import ClearSolutions

    for source in (DOUBLE, TURN):
        theirs = new_code_cell(source, metadata={"nbgrader": {"solution": True}})
        clear = ClearSolutions(code_stub={"python": notebooks.NOT_WRITTEN})
        clear._replace_solution_region(theirs, "python")
        assert stub(source) == theirs.source
        assert stub(stub(source)) == stub(source)
    assert stub(TURN).count("        raise NotImplementedError") == 2


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_stub_refuses_marks_that_do_not_pair(source):
    with pytest.raises(NotebookError, match="SOLUTION"):
        stub(source)


# Release


def test_release_leaves_no_solution_no_output_and_the_same_cells():
    nb = solved()
    nb.metadata["widgets"] = {"state": {}}
    nb.cells[1].metadata["execution"] = {"started": "today"}
    before = deepcopy(nb)
    exercise = release(nb)
    assert nb == before, "release must not change the solution"
    nbformat.validate(exercise)
    assert [c.id for c in exercise.cells] == [c.id for c in nb.cells]
    assert exercise.metadata == notebooks.METADATA
    assert exercise.cells[1].metadata == {}
    text = nbformat.writes(exercise)
    assert "SOLUTION" not in text and "2 * x" not in text
    for c in exercise.cells:
        if c.cell_type == "code":
            assert c.outputs == [] and c.execution_count is None
    assert cell(exercise, "turn").source == stub(TURN)
    assert cell(exercise, "check_double").metadata.tags == ["nbval-check-output"]


def test_release_protects_statements_and_checks_and_lets_answers_be_written():
    exercise = release(solved())
    assert cell(exercise, "double").metadata.get("editable", True)
    assert cell(exercise, "double").metadata.deletable is False
    for name in ("double_statement", "check_double"):
        assert cell(exercise, name).metadata.editable is False
        assert cell(exercise, name).metadata.deletable is False


def test_the_checksum_in_a_released_answer_is_nbgraders():
    from nbgrader.utils import compute_checksum

    for name in ("double", "turn"):
        c = cell(release(solved()), name)
        assert c.metadata.nbgrader.checksum == compute_checksum(c)


def test_untouched_knows_a_stub_of_an_earlier_release():
    c = cell(release(solved()), "double")
    assert untouched(c, DOUBLE)
    assert untouched(c, DOUBLE.replace("Twice x.", "Two times x."))
    c["source"] = c.source.replace("raise NotImplementedError", "return x  # raise")
    assert not untouched(c, DOUBLE)


def test_release_course_writes_what_changed_and_then_nothing(course):
    exercise = course.exercises / "04_turn.ipynb"
    assert notebooks.outdated(course) == []
    assert notebooks.release_course(course) == []
    nb = solved()
    cell(nb, "title")["source"] = "# Another title"
    notebooks.write(course.solutions / "04_turn.ipynb", nb)
    assert notebooks.outdated(course) == [exercise]
    assert notebooks.release_course(course) == [exercise]
    assert notebooks.read(exercise).cells[0].source == "# Another title"
    exercise.unlink()
    assert notebooks.outdated(course) == [exercise]


def test_release_course_takes_an_answer_cell_that_the_maintainer_changed(course):
    nb = solved()
    cell(nb, "double")["source"] = DOUBLE.replace("Twice x.", "Two times x.")
    notebooks.write(course.solutions / "04_turn.ipynb", nb)
    assert notebooks.release_course(course) == [course.exercises / "04_turn.ipynb"]


def test_release_course_never_destroys_an_answer_unless_forced(course):
    exercise = course.exercises / "04_turn.ipynb"
    notebooks.write(course.solutions / "05_other.ipynb", solved())
    write_answer(exercise, "double", WRITTEN)
    with pytest.raises(NotebookError) as caught:
        notebooks.release_course(course)
    for part in ("04_turn.ipynb", "'double'", "--force"):
        assert part in str(caught.value)
    assert "'turn'" not in str(caught.value)
    assert cell(notebooks.read(exercise), "double").source == WRITTEN
    assert not (course.exercises / "05_other.ipynb").exists(), "all or nothing"
    assert exercise in notebooks.release_course(course, force=True)
    assert cell(notebooks.read(exercise), "double").source == stub(DOUBLE)


def test_release_course_refuses_an_unfit_solution_by_name(course):
    nb = solved()
    del nb.cells[2]
    notebooks.write(course.solutions / "04_turn.ipynb", nb)
    with pytest.raises(NotebookError, match=r"04_turn\.ipynb: not fit for release(.|\n)*'double'"):
        notebooks.release_course(course)


# What is fit for release


def test_a_good_solution_is_valid():
    assert notebooks.validate(solved()) is None


def _two_names(nb):
    cell(nb, "double")["source"] += "\ndef triple(x):\n    return 3 * x"


def _stub_breaks(nb):
    cell(nb, "double")["source"] = DOUBLE.replace("    return 2", "  return 2")


FAULTS = {
    "is the grade_id of 2 cells": lambda nb: nb.cells.append(check("double", "double")),
    "answer 'turn' has no check cell": lambda nb: nb.cells.__delitem__(slice(7, 9)),
    "answer 'double' has no check cell": lambda nb: nb.cells.__delitem__(4),
    "answer 'turn' has no statement": lambda nb: nb.cells.__delitem__(5),
    "answer 'double' has no hint": lambda nb: nb.cells.__setitem__(2, statement("double", "")),
    "answer 'double' has nothing between": lambda nb: nb.cells.__setitem__(
        3, answer("double", WRITTEN)
    ),
    "defines \\['double', 'triple'\\]": _two_names,
    "defines nothing": lambda nb: nb.cells.__setitem__(3, answer("double", "x = 1")),
    "answer 'double': unindent": _stub_breaks,
    "answer 'turn': '### BEGIN SOLUTION' is not followed": lambda nb: cell(nb, "turn").update(
        source=TURN.rpartition("\n")[0]
    ),
    "answer 'double' is a markdown cell": lambda nb: cell(nb, "double").update(
        cell_type="markdown"
    ),
    "check 'check_double' has no answer cell above": lambda nb: nb.cells.__delitem__(slice(2, 4)),
    "calls check.triple": lambda nb: cell(nb, "check_double").update(source="check.triple(double)"),
    "must be one call": lambda nb: cell(nb, "check_double").update(source="assert double(1) == 2"),
    "lacks the tag": lambda nb: cell(nb, "check_double").metadata.pop("tags"),
    "gives 0 points": lambda nb: cell(nb, "check_double").metadata.nbgrader.update(points=0),
    "gives None points": lambda nb: cell(nb, "check_double").metadata.nbgrader.pop("points"),
    "'title' marks a solution": lambda nb: cell(nb, "title").update(source=notebooks.BEGIN),
}


@pytest.mark.parametrize("message", FAULTS)
def test_validate_names_each_fault(message):
    nb = solved()
    FAULTS[message](nb)
    with pytest.raises(NotebookError, match=message):
        notebooks.validate(nb)


def test_validate_lists_all_faults_at_once():
    nb = solved()
    FAULTS["lacks the tag"](nb)
    FAULTS["gives 0 points"](nb)
    with pytest.raises(NotebookError, match=r"lacks the tag(.|\n)*gives 0 points"):
        notebooks.validate(nb)


# Answers in a notebook that somebody handed in


@pytest.fixture
def handed_in():
    nb = release(solved())
    cell(nb, "double")["source"] = WRITTEN
    return nb


def test_recover_finds_answers_and_repairs_nothing_where_all_is_well(handed_in):
    found = recover(handed_in, solved())
    assert found.sources == {"double": WRITTEN, "turn": stub(TURN)}
    assert found.repairs == []


def test_recover_reads_an_answer_that_became_markdown(handed_in):
    cell(handed_in, "double")["cell_type"] = "markdown"
    found = recover(handed_in, solved())
    assert found.sources["double"] == WRITTEN
    assert found.repairs == ["the answer cell 'double' had become a markdown cell; read as code"]


def test_recover_finds_an_answer_without_metadata_by_its_name(handed_in):
    cell(handed_in, "double")["metadata"] = nbformat.NotebookNode()
    found = recover(handed_in, solved())
    assert found.sources["double"] == WRITTEN
    assert found.repairs == [
        "the answer cell 'double' had lost its metadata; found by its name double instead"
    ]


def test_recover_takes_the_last_twin_that_was_written_in(handed_in):
    empty = cell(release(solved()), "double")
    second = deepcopy(cell(handed_in, "double"))
    second["source"] = "def double(x): return x * 2"
    handed_in.cells[3:4] = [deepcopy(empty), cell(handed_in, "double"), second, deepcopy(empty)]
    found = recover(handed_in, solved())
    assert found.sources["double"] == second.source
    assert found.repairs == [
        "the answer cell 'double' is there 4 times; the last one written in counts"
    ]


def test_recover_finds_an_answer_written_in_a_cell_of_its_own():
    nb = release(solved())
    nb.cells.insert(4, new_code_cell(WRITTEN))
    found = recover(nb, solved())
    assert found.sources["double"] == WRITTEN
    assert found.repairs == [
        "the answer cell 'double' was left untouched; found by its name double instead"
    ]


def test_recover_prefers_the_answer_cell_to_a_scratch_cell(handed_in):
    handed_in.cells.append(new_code_cell("def double(x): return 'scratch'"))
    found = recover(handed_in, solved())
    assert found.sources["double"] == WRITTEN
    assert found.repairs == []


def test_recover_does_not_take_the_courses_own_cell_for_an_answer():
    pristine = solved()
    pristine.cells.insert(1, new_code_cell("class Turn:\n    'a patient'"))
    nb = release(pristine)
    nb.cells = [c for c in nb.cells if notebooks.grade_id(c) != "turn"]
    found = recover(nb, pristine)
    assert "turn" not in found.sources
    assert found.repairs == ["the answer cell 'turn' is not in the notebook"]


def test_recover_does_not_take_one_answer_for_another(handed_in):
    cell(handed_in, "turn")["source"] = "def double(x): return x\n" + TURN
    handed_in.cells = [c for c in handed_in.cells if notebooks.grade_id(c) != "double"]
    assert "double" not in recover(handed_in, solved()).sources


def test_recover_survives_odd_metadata(handed_in):
    handed_in.cells[0].metadata["nbgrader"] = "yes"
    handed_in.cells[2].metadata["nbgrader"] = {"grade_id": ["a"], "solution": 1}
    assert recover(handed_in, solved()).sources["double"] == WRITTEN


# Files


def test_write_gives_the_same_bytes_and_leaves_an_equal_file_alone(tmp_path):
    path = tmp_path / "a.ipynb"
    assert notebooks.write(path, solved()) is True
    os.utime(path, (1, 1))
    assert notebooks.write(path, notebooks.read(path)) is False
    assert path.stat().st_mtime == 1
    assert path.read_bytes().endswith(b"}\n")
    assert os.listdir(tmp_path) == ["a.ipynb"]


def test_write_leaves_nothing_behind_where_it_fails(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="no space"):
        notebooks.write(tmp_path / "a.ipynb", solved())
    assert os.listdir(tmp_path) == []


def test_write_refuses_what_is_no_notebook_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.ipynb"
    notebooks.write(path, solved())
    before = path.read_bytes()
    nb = solved()
    nb.cells[1]["outputs"] = "none"
    with pytest.raises(NotebookError, match="would not be a valid notebook"):
        notebooks.write(path, nb)
    assert path.read_bytes() == before


def with_cells(cells):
    return b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + cells + b"}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1]", "not a notebook"),
        (b"{}", "not a notebook"),
        (b'{"nbformat": 9}', "not a notebook .KeyError: 9"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
            "not a notebook .AttributeError: cells",
        ),
        (with_cells(b"3"), "not a notebook"),
        (with_cells(b"[3]"), "not a notebook"),
        (with_cells(b'[{"source": "x"}]'), "cell_type"),
        (with_cells(b'[{"cell_type": "x", "source": "x"}]'), "a cell of an unknown kind"),
        (with_cells(b'[{"cell_type": "code"}]'), "source"),
        (with_cells(b'[{"cell_type": "code", "source": 1}]'), "a cell without text"),
        (with_cells(b'[{"cell_type": "code", "source": "", "metadata": 1}]'), "AttributeError"),
    ],
)
def test_read_says_what_is_wrong_with_a_file(tmp_path, content, message):
    path = tmp_path / "broken.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError, match=message) as caught:
        notebooks.read(path)
    assert str(path) in str(caught.value)


def test_read_says_that_a_file_is_missing(tmp_path):
    with pytest.raises(NotebookError, match="there is no such file"):
        notebooks.read(tmp_path / "none.ipynb")
    with pytest.raises(NotebookError, match="can't be read"):
        notebooks.read(tmp_path)


def test_read_gives_old_or_doubled_cells_an_id_the_same_each_time(tmp_path):
    path = tmp_path / "old.ipynb"
    nb = json.loads(nbformat.writes(solved()))
    for c in nb["cells"]:
        del c["id"]
    path.write_text(json.dumps({**nb, "nbformat_minor": 4}))
    ids = [c.id for c in notebooks.read(path).cells]
    assert ids == [c.id for c in notebooks.read(path).cells] == [f"cell-{i}" for i in range(9)]

    nb = solved()
    nb.cells[2]["id"] = nb.cells[1]["id"] = "cell-2"
    path.write_text(nbformat.v4.writes(nb))
    with_twins = notebooks.read(path)
    nbformat.validate(with_twins)
    assert [c.id for c in with_twins.cells[:3]] == ["title", "cell-2", "cell-2-again"]


def test_read_converts_version_3(tmp_path):
    path = tmp_path / "v3.ipynb"
    path.write_text(nbformat.writes(nbformat.convert(solved(), 3), version=3))
    nb = notebooks.read(path)
    assert nb.nbformat == 4
    assert notebooks.answers(nb)["double"] == DOUBLE


def test_read_accepts_a_byte_order_mark_odd_outputs_and_half_a_surrogate(tmp_path):
    path = tmp_path / "odd.ipynb"
    nb = solved()
    nb.cells[1]["outputs"] = [{"output_type": "mystery"}]
    nb.cells[3]["source"] = "# \ud800"
    del nb.cells[0]["metadata"]
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(nb).encode())
    assert notebooks.answers(notebooks.read(path))["double"] == "# ?"


# The course folder


def test_find_course_looks_upward(course, monkeypatch):
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    deep = course.exercises / "a" / "b"
    deep.mkdir(parents=True)
    assert notebooks.find_course(deep) == course
    monkeypatch.chdir(deep)
    assert notebooks.find_course() == course
    assert notebooks.files(course.solutions) == [course.solutions / "04_turn.ipynb"]


def test_find_course_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    with pytest.raises(NotebookError, match="CNNLIB_COURSE") as caught:
        notebooks.find_course(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_the_environment_comes_first(course, tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLIB_COURSE", str(course.root))
    assert notebooks.find_course(tmp_path) == course
    monkeypatch.setenv("CNNLIB_COURSE", str(tmp_path))
    with pytest.raises(NotebookError, match=f"{tmp_path} .from CNNLIB_COURSE."):
        notebooks.find_course(course.root)


def test_statements_and_lessons_have_no_exercises():
    nb = solved()
    nb.cells = [new_markdown_cell("only prose"), *nb.cells[:2]]
    assert notebooks.exercises(nb) == []
    assert notebooks.answers(nb) == {}
    assert notebooks.validate(nb) is None


def test_reading_notebooks_loads_no_kernel_no_arrays_and_no_grammar():
    script = "import sys, cnnlib.notebooks; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "nbformat" in loaded
    assert not {"IPython", "nbval", "nbclient", "numpy", "lark"} & loaded


def test_an_answer_like_the_solution_is_found_without_its_metadata():
    nb = solved()
    for each in nb.cells:
        each.metadata = {}
    assert recover(nb, solved()).sources == notebooks.answers(solved())
