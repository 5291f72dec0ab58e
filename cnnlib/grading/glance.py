"""A class at a glance: how many points, which exercises are hard, what to teach again."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cnnlib.grading.exports import by_learner, total
from cnnlib.grading.grade import Grade
from cnnlib.grading.verdict import Result, Status

BARS = 10  # of the histogram
COMMONEST = 10  # mistakes that are shown
LEARNERS = 6  # of those who made one that are named


@dataclass(frozen=True)
class Mistake:
    """What several learners were told in the same words."""

    title: str
    says: str
    learners: list[str]

    @property
    def named(self) -> str:
        more = len(self.learners) - LEARNERS
        return ", ".join(self.learners[:LEARNERS]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Success:
    """How an exercise went: how many have it right, wrong, and not written, of all with a grade."""

    notebook: str
    title: str
    done: int
    wrong: int
    unwritten: int

    @property
    def share(self) -> float:
        return self.done / max(1, self.done + self.wrong + self.unwritten)


@dataclass(frozen=True)
class Glance:
    """What the class's page begins with.

    Attributes
    ----------
    learners, graded : int
        How many there are, and how many of them have a grade.
    out_of : float
    median, lowest, highest : float or None
    bars : list of (str, int)
        The histogram: a range of points and how many learners are in it.
    exercises : list of Success
        In the order of the notebooks.
    mistakes : list of Mistake
        The commonest first.
    problems : list of (str, str, str)
        Learner, notebook and reason of each notebook without a grade; a notebook that several
        did not hand in is one of them, with no learner.
    """

    learners: int
    graded: int
    out_of: float
    median: float | None
    lowest: float | None
    highest: float | None
    bars: list[tuple[str, int]]
    exercises: list[Success]
    mistakes: list[Mistake]
    problems: list[tuple[str, str, str]]


def of(grades: list[Grade]) -> Glance:
    """Look at all grades of a class."""
    points = [total(own) for own in by_learner(grades).values()]
    known = [each for each in points if each is not None]
    out_of = sum({grade.notebook: grade.out_of for grade in grades}.values())
    return Glance(
        len(points),
        len(known),
        out_of,
        statistics.median(known) if known else None,
        min(known, default=None),
        max(known, default=None),
        _bars(known, out_of),
        _exercises(grades),
        _mistakes(grades),
        _problems(grades),
    )


def _bars(points: list[float], out_of: float) -> list[tuple[str, int]]:
    width = out_of / BARS or 1.0
    counts = Counter(min(BARS - 1, max(0, int(each / width))) for each in points)
    return [(f"{k * width:.3g}–{(k + 1) * width:.3g}", counts[k]) for k in range(BARS)]


def _exercises(grades: list[Grade]) -> list[Success]:
    found: dict[tuple[str, str], Counter] = {}
    for grade, result in _results(grades):
        counts = found.setdefault((grade.notebook, result.title), Counter())
        counts[_kind(result)] += 1
    return [
        Success(notebook, title, counts["done"], counts["wrong"], counts["unwritten"])
        for (notebook, title), counts in sorted(found.items(), key=lambda each: each[0][0])
    ]


def _mistakes(grades: list[Grade]) -> list[Mistake]:
    made: dict[tuple[str, str], list[str]] = {}
    for grade, result in _results(grades):
        if _kind(result) == "wrong":
            made.setdefault((result.title, result.summary), []).append(grade.learner)
    ranked = sorted(made.items(), key=lambda each: (-len(each[1]), each[0]))
    return [Mistake(title, says, who) for (title, says), who in ranked[:COMMONEST]]


def _problems(grades: list[Grade]) -> list[tuple[str, str, str]]:
    without = [grade for grade in grades if not grade.results]
    missing = [grade for grade in without if _is_missing(grade)]
    found = [(g.learner, g.notebook, "; ".join(g.notes)) for g in without if g not in missing]
    by_notebook: dict[str, list[Grade]] = {}
    for grade in missing:
        by_notebook.setdefault(grade.notebook, []).append(grade)
    for notebook, those in by_notebook.items():
        if len(those) == 1:
            found.append((those[0].learner, notebook, "; ".join(those[0].notes)))
        else:
            who = Mistake("", "", [grade.learner for grade in those]).named
            found.append(("", notebook, f"not handed in by {len(those)} learners: {who}"))
    return found


def _is_missing(grade: Grade) -> bool:
    return any(" is missing; the folder has " in note for note in grade.notes)


def _results(grades: list[Grade]) -> Iterable[tuple[Grade, Result]]:
    return ((grade, result) for grade in grades for result in grade.results)


def _kind(result: Result) -> str:
    return {Status.DONE: "done", Status.UNWRITTEN: "unwritten"}.get(result.status, "wrong")
