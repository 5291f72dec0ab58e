"""The learner's own layers, out of their exercise notebooks."""

import linecache
import os
import subprocess
import sys
import textwrap
import traceback

import pytest
from synthetic import DOUBLE, TURN, cell, make_course, solved, write_answer

from cnnlib import layers, mine, notebooks

RIGHT = "def double(x):\n    return x + x"
FORWARD_ONLY = TURN.replace("return np.reshape(dy, self.shape)", "raise NotImplementedError")


@pytest.fixture
def course(tmp_path, monkeypatch):
    course = make_course(tmp_path / "course")
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    monkeypatch.chdir(course.exercises)
    return course


@pytest.fixture
def notebook(course):
    return course.exercises / "04_turn.ipynb"


def refusal(name):
    """What the learner is told when they import `name`."""
    with pytest.raises(mine.NotFinished) as caught:
        exec(f"from cnnlib.mine import {name}", {})
    return str(caught.value)


# What passes its checks is given out


def test_a_finished_answer_is_given_out(notebook):
    write_answer(notebook, "double", RIGHT)
    from cnnlib.mine import double

    assert double(4) == 8


def test_an_answer_can_use_the_answers_above_it_and_the_notebooks_imports(notebook, capsys):
    write_answer(notebook, "double", RIGHT + "\nprint('noise')")
    write_answer(notebook, "turn", TURN + "\n    size = double(np.int64(2))")
    from cnnlib.mine import Turn

    assert Turn.size == 4
    assert capsys.readouterr().out == "", "neither answers nor checks print"


def test_an_unfinished_answer_above_does_no_harm(notebook):
    write_answer(notebook, "turn", TURN)
    from cnnlib.mine import Turn

    assert Turn().forward([[1]]).shape == (1,)
    assert "exercise double" in refusal("double")


def test_the_checks_are_the_courses_whatever_the_learners_notebook_says(notebook):
    nb = notebooks.read(notebook)
    cell(nb, "check_double")["source"] = "print('✓ double')"
    notebooks.write(notebook, nb)
    assert "exercise double" in refusal("double")


def test_the_same_class_comes_until_the_notebook_is_saved_again(notebook):
    write_answer(notebook, "turn", TURN)
    first = mine.Turn
    assert mine.Turn is first
    write_answer(notebook, "turn", TURN + "\n    fresh = True")
    assert mine.Turn.fresh and not hasattr(first, "fresh")
    write_answer(notebook, "turn", FORWARD_ONLY)
    refusal("Turn")


def test_a_magic_in_an_answer_is_skipped(notebook):
    write_answer(notebook, "double", "%load_ext autoreload\n" + RIGHT)
    assert mine.double(1) == 2


def test_an_answer_that_lost_its_metadata_is_found(notebook):
    nb = notebooks.read(notebook)
    answer = cell(nb, "double")
    answer.update(source=RIGHT, metadata={})
    notebooks.write(notebook, nb)
    assert mine.double(1) == 2


def test_a_notebook_in_solutions_gets_the_solutions(course, monkeypatch):
    monkeypatch.chdir(course.solutions)
    assert mine.double(1) == 2
    monkeypatch.chdir(course.exercises)
    refusal("double")


def test_the_namespace_of_one_answer_is_not_that_of_another(notebook):
    write_answer(notebook, "double", RIGHT)
    write_answer(notebook, "turn", TURN)
    assert mine.Turn.forward.__globals__ is not mine.double.__globals__
    assert "Turn" not in mine.double.__globals__
    assert "json" not in mine.double.__globals__, "imports that nothing uses are left alone"


def test_what_the_solution_imports_in_its_answer_is_not_lent_to_the_learner(course, notebook):
    nb = solved()
    cell(nb, "double")["source"] = "from math import prod\n" + DOUBLE.replace(
        "2 * x", "prod([2, x])"
    )
    notebooks.write(course.solutions / "04_turn.ipynb", nb)
    write_answer(notebook, "double", "def double(x):\n    return prod([2, x])")
    assert "name 'prod' is not defined" in refusal("double")


# What doesn't is refused, with the way on


def test_what_is_not_written_is_refused_with_notebook_exercise_and_the_way_on(notebook):
    write_answer(notebook, "turn", FORWARD_ONLY)
    told = refusal("Turn")
    assert told == (
        "Turn is not finished: exercises/04_turn.ipynb, exercise Turn.backward\n"
        "  NotImplementedError\n"
        "Work on it there, save the notebook (Ctrl+S), then run this cell again.\n"
        "To go on meanwhile, copy Turn from solutions/04_turn.ipynb into a cell."
    )


def test_only_the_first_paragraph_of_what_a_check_says_is_repeated(notebook):
    write_answer(notebook, "double", "def double(x):\n    return x")
    told = refusal("double")
    assert "\n  ✗ double: 3 became 3,\n    not 6.\nWork on it" in told


@pytest.fixture
def asks_for_flatten(course):
    """The exercise asks for a class that the course has too."""
    nb = solved()
    for name in ("turn", "check_turn_forward", "check_turn_backward"):
        cell(nb, name)["source"] = cell(nb, name).source.replace("Turn", "Flatten")
    notebooks.write(course.solutions / "04_turn.ipynb", nb)
    notebooks.release_course(course)


def test_where_the_course_has_its_own_it_is_offered(asks_for_flatten):
    assert refusal("Flatten").endswith("To go on meanwhile:  from cnnlib.layers import Flatten")


def test_so_far_gives_the_courses_own_until_the_exercise_passes(asks_for_flatten, notebook, capsys):
    assert mine.so_far("Flatten") == (layers.Flatten,)
    assert capsys.readouterr().out == "The course's, until your exercise passes: Flatten.\n"
    write_answer(notebook, "double", RIGHT)
    double, flatten = mine.so_far("double", "Flatten")
    assert (double(2), flatten) == (4, layers.Flatten)
    told = "Yours: double. The course's, until your exercise passes: Flatten.\n"
    assert capsys.readouterr().out == told
    write_answer(notebook, "turn", TURN.replace("Turn", "Flatten"))
    (flatten,) = mine.so_far("Flatten")
    assert flatten is not layers.Flatten and flatten.__name__ == "Flatten"
    assert capsys.readouterr().out == "All yours: Flatten.\n"


def test_so_far_refuses_what_neither_has(course):
    with pytest.raises(mine.NotFinished, match="exercise double"):
        mine.so_far("double")
    with pytest.raises(mine.MineError, match="asks for Flaten"):
        mine.so_far("Flaten")


def test_the_reference_is_found_where_it_lives():
    assert mine._reference("SoftmaxCrossEntropy") == "cnnlib.losses"
    assert mine._reference("Sequential") == "cnnlib.network"
    assert mine._reference("Layer") == "cnnlib.layers", "not where it is only imported"
    assert mine._reference("np") is None
    assert mine._reference("sliding_window_view") is None, "that is NumPy's"


def test_a_syntax_error_names_its_line(notebook):
    write_answer(notebook, "double", "def double(x):\n    return 2 * * x")
    told = refusal("double")
    assert "line 2 of the answer cell, 'return 2 * * x': SyntaxError: invalid syntax" in told


def test_a_cell_that_cannot_be_run_names_its_line_and_what_is_read(notebook):
    write_answer(notebook, "double", "factor = helper(2)\n\n" + RIGHT)
    told = refusal("double")
    assert "exercise double" in told
    assert "line 1 of the answer cell, 'factor = helper(2)': NameError" in told
    assert "Only the answer cells are read" in told


def test_a_cell_that_stops_is_no_harm_where_what_it_defined_is_right(notebook):
    write_answer(notebook, "double", RIGHT + "\n\nfactor = helper(2)")
    write_answer(notebook, "turn", TURN)
    from cnnlib.mine import Turn, double

    assert double(3) == 6
    assert Turn().forward([[1]]).shape == (1,)


def test_an_answer_that_imports_itself_is_told(notebook):
    write_answer(notebook, "double", "from cnnlib.mine import double")
    with pytest.raises(mine.MineError, match="the cell that has to define it"):
        from cnnlib.mine import double  # noqa: F401


def test_an_answer_under_another_name_is_told(notebook):
    write_answer(notebook, "turn", TURN.replace("class Turn", "class Return"))
    assert "The answer cell doesn't define Turn." in refusal("Turn")


def test_a_missing_answer_cell_and_a_missing_or_broken_notebook_are_told(notebook):
    nb = notebooks.read(notebook)
    nb.cells = [c for c in nb.cells if notebooks.grade_id(c) != "double"]
    notebooks.write(notebook, nb)
    assert "'double' is not in the notebook" in refusal("double")
    notebook.write_text("{")
    assert "is not JSON" in refusal("double")
    notebook.unlink()
    assert "there is no such file" in refusal("double")


def test_a_traceback_through_the_learners_code_shows_their_line(notebook):
    write_answer(notebook, "double", RIGHT)
    with pytest.raises(TypeError) as caught:
        mine.double(None)
    shown = "".join(traceback.format_exception(caught.value))
    assert 'File "exercises/04_turn.ipynb[double]", line 2, in double' in shown
    assert "return x + x" in shown
    linecache.checkcache()
    assert linecache.getline("exercises/04_turn.ipynb[double]", 2).strip() == "return x + x"


# Names that nobody asks for, and no course at all


def test_an_unknown_name_is_refused_with_the_names_there_are(course):
    with pytest.raises(mine.MineError, match=r"asks for Flaten.*double, Turn") as caught:
        exec("from cnnlib.mine import Flaten", {})
    assert not isinstance(caught.value, mine.NotFinished)


def test_dir_lists_the_names_and_private_ones_are_plain_attribute_errors(course):
    assert dir(mine) == ["MineError", "NotFinished", "Turn", "double", "so_far"]
    assert not hasattr(mine, "_repr_html_")


def test_without_a_course_it_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert dir(mine) == ["MineError", "NotFinished", "so_far"]
    with pytest.raises(mine.MineError, match="CNNLIB_COURSE") as caught:
        exec("from cnnlib.mine import Flatten", {})
    assert str(tmp_path) in str(caught.value)


def test_the_nearest_of_two_notebooks_with_one_name_is_the_first(course):
    nb = solved()
    cell(nb, "double")["source"] = DOUBLE.replace("2 * x", "'another'")
    notebooks.write(course.solutions / "08_again.ipynb", nb)
    assert mine._homes(course)["double"] == (course.solutions / "04_turn.ipynb", "double")


# In a fresh process, plain and in IPython


@pytest.mark.slow
def test_jupyter_shows_the_message_and_no_traceback(course):
    script = textwrap.dedent("""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("from cnnlib.mine import double")
    """)
    shown = _python(script, course)
    assert "double is not finished: exercises/04_turn.ipynb" in shown
    assert "Traceback" not in shown and "mine.py" not in shown


@pytest.mark.slow
def test_plain_python_shows_our_text_and_not_its_own(course):
    shown = _python("from cnnlib.mine import double", course)
    assert "double is not finished: exercises/04_turn.ipynb" in shown
    assert "cannot import name" not in shown


def _python(script, course):
    """Run a script where a kernel would run it; return all that it printed."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=course.exercises,
        env={**os.environ, "PYTHONPATH": os.path.dirname(__file__), "IPYTHONDIR": str(course.root)},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr
