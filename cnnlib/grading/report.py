"""Write what was graded: `grades.csv` and `grades.json`, a page for the class, one for each learner.

The files say nothing about when or where they were made: the same grades give the same bytes.
"""

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import jinja2

from cnnlib.errors import CourseError
from cnnlib.grading.grade import Grade

TEMPLATES = Path(__file__).parent / "templates"
NAME_BYTES = 200  # of a page's name; file systems allow about 255


class ReportError(CourseError):
    """The report can't be written there; the message says what to do."""


def prepare(out: Path, folder: Path) -> None:
    """Make the report's folder, before anything is graded for nothing.

    Parameters
    ----------
    out : Path
        Where the report goes. Reports written there before are overwritten.
    folder : Path
        The submissions.

    Raises
    ------
    ReportError
        It is a file, lies among the submissions, or can't be made.
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise ReportError(
            f"{out} lies in {folder}, where every folder is a learner's. Write the report elsewhere."
        )
    try:
        (out / "feedback").mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ReportError(f"{out} is a file, or has one called feedback. Name a folder.") from None
    except OSError as error:
        raise ReportError(f"{out} can't be made: {error.strerror}.") from None


def write(out: Path, grades: list[Grade], skipped: Iterable[str]) -> None:
    """Write every file of the report; each is replaced as a whole.

    Parameters
    ----------
    out : Path
        A folder made by `prepare`.
    grades : list of Grade
        Sorted by learner.
    skipped : iterable of str
        A sentence for each thing among the submissions that was not graded.

    Raises
    ------
    ReportError
        A file can't be written.
    """
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    pages.filters["points"] = _points
    pages.filters["address"] = lambda learner: quote(f"feedback/{page(learner)}")
    learners = {name: list(own) for name, own in groupby(grades, lambda grade: grade.learner)}
    _replace(out / "grades.csv", table(grades))
    _replace(out / "grades.json", data(grades, skipped))
    for name, own in learners.items():
        text = pages.get_template("feedback.html").render(learner=name, grades=own)
        _replace(out / "feedback" / page(name), text)
    index = pages.get_template("index.html")
    _replace(out / "index.html", index.render(learners=learners, skipped=skipped))


def table(grades: list[Grade]) -> str:
    """The grades as CSV: a row for each learner and notebook, a column for each exercise's points."""
    names = list(dict.fromkeys(r.exercise.name for grade in grades for r in grade.results))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["learner", "notebook", "points", "out_of", *names, "note"])
    for grade in grades:
        earned = {result.exercise.name: _points(result.points) for result in grade.results}
        rows.writerow(
            [
                _no_formula(grade.learner),
                grade.notebook,
                _points(grade.points),
                _points(grade.out_of),
                *(earned.get(name, "") for name in names),
                _no_formula("; ".join(grade.notes)),
            ]
        )
    return text.getvalue()


def data(grades: list[Grade], skipped: Iterable[str]) -> str:
    """Everything that is known about the grades, as JSON."""
    content = {
        "grades": [
            {
                "learner": grade.learner,
                "notebook": grade.notebook,
                "points": grade.points,
                "out_of": grade.out_of,
                "notes": grade.notes,
                "exercises": [
                    {
                        "name": result.exercise.name,
                        "title": result.title,
                        "status": result.status,
                        "points": result.points,
                        "out_of": result.exercise.points,
                        "message": result.message,
                    }
                    for result in grade.results
                ],
            }
            for grade in grades
        ],
        "skipped": list(skipped),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def page(learner: str) -> str:
    """The name of a learner's page in feedback/."""
    name = learner.encode()
    if len(name) <= NAME_BYTES:
        return f"{learner}.html"
    return (
        f"{name[:NAME_BYTES].decode(errors='ignore')}-{hashlib.sha256(name).hexdigest()[:8]}.html"
    )


def _points(points: float | None) -> str:
    return "" if points is None else f"{points:g}"


def _no_formula(text: str) -> str:
    """Text that a spreadsheet takes for text, whatever it begins with."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{os.getpid()}.new")
    try:
        draft.write_bytes(text.encode(errors="backslashreplace"))
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ReportError(f"{path} can't be written: {error.strerror}.") from None
