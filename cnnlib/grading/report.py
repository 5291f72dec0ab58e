"""Write what was graded: files for the instructor, a page for the class, one for each learner.

The files say nothing about when or where they were made: the same grades give the same bytes.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import jinja2

from cnnlib.errors import CourseError
from cnnlib.grading import exports, glance
from cnnlib.grading.collect import Learner
from cnnlib.grading.exports import by_learner
from cnnlib.grading.grade import Grade
from cnnlib.grading.verdict import Status

TEMPLATES = Path(__file__).parent / "templates"
FORMATS = ("nbgrader", "gradescope", "moodle")
NAME_BYTES = 200  # of a page's name; file systems allow about 255
LINES, LINE = 400, 300  # of an answer that a page shows, and characters of one of them


@dataclass(frozen=True)
class About:
    """How the grades came about: what confined learners' code, a hash of the course, seconds, versions."""

    level: str
    course: str
    timeout: float
    versions: str


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


def write(
    out: Path,
    grades: list[Grade],
    skipped: Iterable[str],
    learners: Iterable[Learner] = (),
    formats: Collection[str] = (),
    about: About | None = None,
) -> None:
    """Write every file of the report; each is replaced as a whole, and pages of others go.

    Parameters
    ----------
    out : Path
        A folder made by `prepare`.
    grades : list of Grade
        Sorted by learner.
    skipped : iterable of str
        A sentence for each thing among the submissions that was not graded.
    learners : iterable of Learner
        What they handed in, for their numbers and their code.
    formats : collection of str
        Which of `FORMATS` are written too.
    about : About, optional
        How the grades came about.

    Raises
    ------
    ReportError
        A file can't be written.
    """
    own, people = by_learner(grades), {learner.name: learner for learner in learners}
    pages = {name: feedback(name, mine, people.get(name)) for name, mine in own.items()}
    files = {
        "grades.csv": exports.table(grades, people),
        "grades.json": data(grades, skipped, people, about),
        "junit.xml": exports.junit(grades),
        "index.html": index(grades, skipped, people, about),
        **{f"feedback/{page(name)}": text for name, text in pages.items()},
    }
    if "nbgrader" in formats:
        files["nbgrader.csv"] = exports.nbgrader(grades)
    if "gradescope" in formats:
        files["results.json"] = exports.gradescope(grades)
    if "moodle" in formats:
        files["feedback.zip"] = exports.moodle_feedback(pages, people)
    for name, content in files.items():
        replace(out / name, content)
    for old in (out / "feedback").glob("*.html"):
        if f"feedback/{old.name}" not in files:
            old.unlink()


def feedback(learner: str, grades: list[Grade], person: Learner | None = None) -> str:
    """A learner's page: the points, and for each exercise the diagnosis beside their code."""
    code = {}
    for grade in grades:
        handed = person.submissions.get(grade.notebook) if person else None
        code |= {
            (grade.notebook, name): c for name, c in (handed.answers if handed else {}).items()
        }
    shown = {key: clipped(source) for key, source in code.items()}
    return _pages().get_template("feedback.html").render(learner=learner, grades=grades, code=shown)


def index(
    grades: list[Grade],
    skipped: Iterable[str],
    people: Mapping[str, Learner],
    about: About | None = None,
) -> str:
    """The class at a glance."""
    shown = {"learners": by_learner(grades), "people": people, "skipped": skipped, "about": about}
    return _pages().get_template("index.html").render(**shown, at=glance.of(grades))


def _pages() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    pages.filters["points"] = exports.number
    pages.filters["address"] = lambda learner: quote(f"feedback/{page(learner)}")
    pages.globals |= {"Status": Status, "total": exports.total}
    return pages


def clipped(source: str) -> list[str]:
    """The lines of an answer, as many and as long as somebody would read."""
    lines = [
        line if len(line) <= LINE else f"{line[:LINE]} …"
        for line in source.split("\n", LINES)[:LINES]
    ]
    more = source.count("\n") + 1 - len(lines)
    return [*lines, f"… and {more} more lines"] if more > 0 else lines


def data(
    grades: list[Grade],
    skipped: Iterable[str],
    people: Mapping[str, Learner],
    about: About | None = None,
) -> str:
    """Everything that is known about the grades, as JSON."""
    content = {
        "grades": [
            {
                "learner": grade.learner,
                "id": people[grade.learner].id if grade.learner in people else "",
                "late": grade.learner in people and people[grade.learner].late,
                "notebook": grade.notebook,
                "points": grade.points,
                "out_of": grade.out_of,
                "notes": grade.notes,
                "comments": grade.comments,
                "submission": grade.submission,
                "exercises": [
                    {
                        "name": result.exercise.name,
                        "title": result.title,
                        "status": result.status,
                        "points": result.points,
                        "out_of": result.exercise.points,
                        "message": result.message,
                        "comment": result.comment,
                        "misconception": result.misconception,
                        "notes": result.notes,
                    }
                    for result in grade.results
                ],
            }
            for grade in grades
        ],
        "skipped": list(skipped),
        "about": about and asdict(about),
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


def replace(path: Path, content: str | bytes) -> None:
    """Write a file as a whole, or not at all.

    Raises
    ------
    ReportError
        It can't be written.
    """
    draft = path.with_name(f".{os.getpid()}.new")
    try:
        if isinstance(content, str):
            content = content.encode(errors="backslashreplace")
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ReportError(f"{path} can't be written: {error.strerror}.") from None
