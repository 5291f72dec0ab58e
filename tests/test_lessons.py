"""What the lessons say, against what their cells found."""

import re
from pathlib import Path

import pytest
import reading

from cnnlib import notebooks
from cnnlib.notebooks import Course

COURSE = Course(Path(__file__).parents[1])


def prose(name: str) -> str:
    """All Markdown of a lesson, each sentence on one line."""
    nb = notebooks.read(COURSE.lessons / f"{name}.ipynb")
    return " ".join(" ".join(c.source.split()) for c in nb.cells if c.cell_type == "markdown")


def table(name: str, caption: str) -> dict[str, list[str]]:
    """The rows of a table that a lesson's cell left behind, by their first word."""
    nb = notebooks.read(COURSE.lessons / f"{name}.ipynb")
    (html,) = {
        output.data["text/html"]
        for cell in nb.cells
        for output in cell.get("outputs", [])
        if caption in output.get("data", {}).get("text/html", "")
    }
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in html.split("<tr>")[1:]]
    return {row[0]: row[1:] for row in rows}


def test_lesson_04_quotes_what_lesson_07_found():
    """To a percentage point: the last digit is another one on another machine."""
    quoted = re.search(
        r"With the right one it gets ([\d.]+) %.*? in the wrong order on the way back, ([\d.]+) %"
        r".*? mixes the pictures of a batch, ([\d.]+) %",
        prose("04_flatten"),
    )
    found = table("07_training", "Five wrong backward passes")
    for said, name in zip(
        quoted.groups(),
        ("right", "Flatten: by columns", "Flatten: mixes the batch"),
        strict=True,
    ):
        assert abs(float(said) - float(found[name][0].removesuffix(" %"))) < 1, name


LESSONS, SOLUTIONS = notebooks.files(COURSE.lessons), notebooks.files(COURSE.solutions)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_says_how_long_it_and_its_exercises_take(path):
    nb = notebooks.read(path)
    done = sum(reading.to_do(notebooks.read(COURSE.solutions / path.name)).values())
    said = f"About {reading.to_read(nb)} minutes to read, and {done} for the "
    assert said in " ".join(nb.cells[0].source.split())


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_an_exercise_says_how_long_it_takes(path):
    nb = notebooks.read(path)
    minutes = reading.to_do(nb)
    assert f"Allow about {sum(minutes.values())} minutes" in " ".join(nb.cells[0].source.split())
    for cell in nb.cells:
        if notebooks.is_statement(cell):
            (line,) = re.findall(r"(?m)^\*(.*about \d+ minutes.*)\*$", cell.source)
            name = notebooks.grade_id(cell).removesuffix("_statement")
            said = sum(int(number) for number in re.findall(r"\b\d+\b", line))
            assert said == minutes[name], f"{name}: {minutes[name]} minutes by the rule"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_three_quarters_of_the_code_that_one_sees_teach(path):
    drawing, seen = reading.drawing(notebooks.read(path))
    assert drawing <= seen / 4, f"{drawing} of {seen} lines draw"


@pytest.mark.parametrize("path", LESSONS[:-1], ids=lambda path: path.stem)
def test_every_lesson_and_exercise_leads_on(path):
    """A lesson to its exercises and the next lesson, the exercises to the next lesson."""
    following = LESSONS[LESSONS.index(path) + 1]
    lesson, exercise = (
        notebooks.read(folder / path.name) for folder in (COURSE.lessons, COURSE.solutions)
    )
    assert f"](../exercises/{path.name})" in lesson.cells[-1].source
    assert f"]({following.name})" in lesson.cells[-1].source
    assert f"](../notebooks/{path.name})" in exercise.cells[0].source
    assert "You come from the lesson" in exercise.cells[0].source
    assert f"](../notebooks/{following.name})" in exercise.cells[-1].source


@pytest.mark.parametrize("path", LESSONS[1:], ids=lambda path: path.stem)
def test_every_lesson_says_where_one_comes_from(path):
    before = LESSONS[LESSONS.index(path) - 1]
    assert f"]({before.name})" in notebooks.read(path).cells[0].source
