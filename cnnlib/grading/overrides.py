"""A teacher's own points and comments: `overrides.csv`, read anew for each report, never written."""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cnnlib.errors import CourseError
from cnnlib.grading.grade import Grade

COLUMNS = ("learner", "notebook", "exercise", "points", "comment")


class OverrideError(CourseError):
    """A row can't be applied; the message names the line and says what to write."""


@dataclass(frozen=True)
class Override:
    """A row of the file.

    Attributes
    ----------
    learner, notebook : str
    exercise : str
        The check's name, such as `flatten_forward`, or its title; empty for the whole notebook.
    points : float or None
        In place of the exercise's own; added to the notebook's where `exercise` is empty.
    comment : str
    line : int
        Where it stands in the file.
    """

    learner: str
    notebook: str
    exercise: str
    points: float | None
    comment: str
    line: int


def read(path: Path) -> list[Override]:
    """Read the file, or nothing where there is none.

    Raises
    ------
    OverrideError
        It has other columns, or a row in it can't be understood.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise OverrideError(f"{path} can't be read: {error}") from None
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise OverrideError(
            f"{path} has no column {', '.join(missing)}. Its first line must be: {','.join(COLUMNS)}"
        )
    return [_override(path, rows.line_num, row) for row in rows if any(row.values())]


def _override(path: Path, line: int, row: dict) -> Override:
    values = {name: (row[name] or "").strip() for name in COLUMNS}
    points = None
    if values["points"]:
        try:
            points = float(values["points"].replace(",", "."))
        except ValueError:
            points = math.nan
        if not math.isfinite(points):
            raise OverrideError(f"{path}, line {line}: points is {values['points']!r}, no number.")
    return Override(**values | {"points": points}, line=line)


def apply(grades: list[Grade], overrides: Iterable[Override]) -> list[Grade]:
    """The grades with the teacher's points and comments in them.

    Raises
    ------
    OverrideError
        A row names nobody, or nothing, that was graded.
    """
    found = {(grade.learner, grade.notebook): grade for grade in grades}
    for each in overrides:
        grade = found.get((each.learner, each.notebook))
        if grade is None:
            learners = sorted({learner for learner, _ in found})
            known = each.learner in learners
            those = sorted({n for who, n in found if who == each.learner}) if known else learners
            what = f"notebook {each.notebook!r}" if known else f"learner {each.learner!r}"
            raise OverrideError(
                f"overrides, line {each.line}: there is no {what}. There is {', '.join(those[:20])}."
            )
        found[each.learner, each.notebook] = _with(grade, each)
    return list(found.values())


def _with(grade: Grade, override: Override) -> Grade:
    if not override.exercise:
        comments = (*grade.comments, override.comment) if override.comment else grade.comments
        return replace(grade, extra=grade.extra + (override.points or 0.0), comments=comments)
    meant = [r for r in grade.results if override.exercise in (r.exercise.name, r.title)]
    if not meant:
        names = ", ".join(r.exercise.name for r in grade.results) or "none: it has no grade"
        raise OverrideError(
            f"overrides, line {override.line}: {override.notebook} has no exercise "
            f"{override.exercise!r}. It has {names}."
        )
    changes = {} if override.points is None else {"given": override.points}
    changes |= {"comment": override.comment} if override.comment else {}
    results = [replace(r, **changes) if r in meant else r for r in grade.results]
    return replace(grade, results=tuple(results))
