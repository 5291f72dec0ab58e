"""What the lessons say, against what their cells found."""

import re
from pathlib import Path

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
