"""The grades in the files that instructors hand in: CSV, JUnit XML, nbgrader, Gradescope, Moodle's feedback."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from itertools import groupby
from xml.etree import ElementTree

from cnnlib.grading.grade import Grade
from cnnlib.grading.verdict import Status

NBGRADER = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)
ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same grades give the same zip file


def by_learner(grades: Iterable[Grade]) -> dict[str, list[Grade]]:
    """Each learner's grades, in the order in which they come."""
    return {name: list(own) for name, own in groupby(grades, lambda grade: grade.learner)}


def total(grades: Iterable[Grade]) -> float | None:
    """The points of several notebooks together; None where none of them has a grade."""
    points = [grade.points for grade in grades if grade.points is not None]
    return sum(points) if points else None


def table(grades: list[Grade], people: Mapping = {}) -> str:
    """`grades.csv`: a row for each learner, a column for each notebook's points, and the total.

    Parameters
    ----------
    grades : list of Grade
        Sorted by learner.
    people : mapping of str to Learner
        For their numbers, and whether something came late.
    """
    names = list(dict.fromkeys(grade.notebook for grade in grades))
    out_of = {grade.notebook: grade.out_of for grade in grades}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["learner", "id", "late", *names, "total", "out_of", "note"])
    for learner, own in by_learner(grades).items():
        person, points = people.get(learner), {grade.notebook: grade.points for grade in own}
        notes = [f"{g.notebook}: {note}" for g in own for note in (*g.notes, *g.comments)]
        rows.writerow(
            [
                no_formula(learner),
                no_formula(person.id) if person else "",
                "late" if person and person.late else "",
                *(number(points.get(name)) for name in names),
                number(total(own)),
                number(sum(out_of.values())),
                no_formula("; ".join(notes)),
            ]
        )
    return text.getvalue()


def junit(grades: Iterable[Grade]) -> str:
    """`junit.xml`: a suite for each notebook of each learner, a case for each exercise."""
    root = ElementTree.Element("testsuites", name="cnnlib grade")
    for grade in grades:
        name = _legal(f"{grade.learner}: {grade.notebook}")
        wrong = [r for r in grade.results if r.status not in (Status.DONE, Status.UNWRITTEN)]
        unwritten = [r for r in grade.results if r.status is Status.UNWRITTEN]
        counts = {"tests": len(grade.results) or 1, "failures": len(wrong)}
        counts |= {"skipped": len(unwritten), "errors": int(not grade.results)}
        suite = ElementTree.SubElement(
            root, "testsuite", name=name, **{key: str(value) for key, value in counts.items()}
        )
        if not grade.results:
            case = ElementTree.SubElement(suite, "testcase", classname=name, name=grade.notebook)
            reason = _legal("; ".join(grade.notes))
            ElementTree.SubElement(case, "error", message=reason)
        for result in grade.results:
            case = ElementTree.SubElement(suite, "testcase", classname=name, name=result.title)
            if result in unwritten:
                ElementTree.SubElement(case, "skipped", message=_legal(result.summary))
            elif result in wrong:
                failure = ElementTree.SubElement(case, "failure", message=_legal(result.summary))
                failure.text = _legal(result.message)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def nbgrader(grades: Iterable[Grade]) -> str:
    """`nbgrader.csv`: the columns that `nbgrader export` writes, an assignment for each notebook."""
    text = io.StringIO()
    rows = csv.DictWriter(text, NBGRADER, restval="", lineterminator="\n")
    rows.writeheader()
    for grade in grades:
        row = {"assignment": grade.notebook, "student_id": no_formula(grade.learner)}
        row |= {"raw_score": number(grade.points or 0.0), "score": number(grade.points or 0.0)}
        rows.writerow(row | {"late_submission_penalty": "0", "max_score": number(grade.out_of)})
    return text.getvalue()


def gradescope(grades: list[Grade]) -> str:
    """`results.json` as Gradescope reads it, for one learner's notebooks."""
    tests = []
    for grade in grades:
        if not grade.results:
            reason = "; ".join(grade.notes)
            tests.append(_test(grade.notebook, 0.0, grade.out_of, f"not graded: {reason}"))
        for result in grade.results:
            words = "\n\n".join(filter(None, (result.message, result.comment)))
            name = f"{grade.notebook}: {result.title}"
            tests.append(_test(name, result.points, result.exercise.points, words))
    notes = [f"{g.notebook}: {note}" for g in grades for note in (*g.notes, *g.comments)]
    content = {
        "score": total(grades) or 0.0,
        "output": "\n".join(notes),
        "visibility": "visible",
        "tests": tests,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _test(name: str, score: float, out_of: float, output: str) -> dict:
    return {
        "name": name,
        "score": score,
        "max_score": out_of,
        "output": output,
        "visibility": "visible",
    }


def moodle_feedback(pages: Mapping[str, str], people: Mapping) -> bytes:
    """The zip file that Moodle takes as feedback files, with each learner's page.

    Parameters
    ----------
    pages : mapping of str to str
        The learners' pages, by their names.
    people : mapping of str to Learner
        Those whose number is known are in it.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        for learner, text in pages.items():
            person = people.get(learner)
            if person is None or not person.id:
                continue
            plain = learner.removesuffix(f" ({person.id})")
            file = f"{plain}_{person.id}_assignfeedback_file/feedback.html"
            bundle.writestr(zipfile.ZipInfo(file, EPOCH), text.encode(errors="backslashreplace"))
    return made.getvalue()


def number(points: float | None) -> str:
    """Points as text: `2`, `2.5`, or nothing."""
    return "" if points is None else f"{points:g}"


def no_formula(text: str) -> str:
    """Text that a spreadsheet takes for text, whatever it begins with."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _legal(text: str) -> str:
    """Text that XML may hold."""
    return ILLEGAL.sub("\ufffd", text)
