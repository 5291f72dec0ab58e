"""Make results of what became of check cells: how each exercise ended, told so that it helps."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from textwrap import indent

from cnnlib import check
from cnnlib.notebooks import Exercise


class Status(StrEnum):
    """How an exercise ended."""

    DONE = "done"
    UNWRITTEN = "unwritten"
    WRONG = "wrong"
    ERROR = "error"
    TIMEOUT = "timeout"
    DIED = "died"

    @property
    def sign(self) -> str:
        return {"done": "✓", "unwritten": "○"}.get(self, "✗")

    @property
    def words(self) -> str:
        """The status as a heading says it."""
        return WORDS[self]


WORDS = {
    Status.DONE: "done",
    Status.UNWRITTEN: "not written yet",
    Status.WRONG: "not right yet",
    Status.ERROR: "stopped with an error",
    Status.TIMEOUT: "out of time",
    Status.DIED: "ended Python",
}

# By the name of the exception that a check cell ends with; anything else is an error.
BY_NAME = {
    "NotWritten": Status.UNWRITTEN,
    "Failed": Status.WRONG,
    "Crashed": Status.ERROR,
    "OutOfTime": Status.TIMEOUT,
    "Died": Status.DIED,
}
ENDED = {
    Status.TIMEOUT: "stopped after {seconds:g} seconds of work.\n  Is there a loop in it that never ends?",
    Status.DIED: "Python itself ended while this ran.\n"
    "  os._exit() does that, and so does memory that runs out.",
}


@dataclass(frozen=True)
class Result:
    """How an exercise ended, with the text that tells the learner why.

    Attributes
    ----------
    exercise : Exercise
    status : Status
    message : str
    notes : tuple of str
        What was not as usual when it was judged.
    misconception : str
        The name of the mistake, where it has one.
    lines : tuple of int
        The lines of the answer that the message speaks of.
    given : float, optional
        Points that the teacher gives in place of these.
    comment : str
        The teacher's.
    """

    exercise: Exercise
    status: Status
    message: str = ""
    notes: tuple[str, ...] = ()
    misconception: str = ""
    lines: tuple[int, ...] = ()
    given: float | None = None
    comment: str = ""

    @property
    def points(self) -> float:
        if self.given is not None:
            return self.given
        return self.exercise.points if self.status is Status.DONE else 0.0

    @property
    def title(self) -> str:
        """The exercise's name for people, such as `Flatten.backward`."""
        return title(self.exercise)

    @property
    def summary(self) -> str:
        """The message's first line, without the sign and title that it begins with."""
        first = self.message.partition("\n")[0]
        return first.removeprefix(f"{self.status.sign} {self.title}").lstrip(": ")


def title(exercise: Exercise) -> str:
    """The name of an exercise for people, such as `Flatten.backward`."""
    return getattr(getattr(check, exercise.name, None), "title", exercise.name)


def unwritten(exercise: Exercise) -> Result:
    """The result of an exercise that nobody has touched."""
    says = f"{Status.UNWRITTEN.sign} {title(exercise)} is not written yet."
    return Result(exercise, Status.UNWRITTEN, says)


def result(exercise: Exercise, row: Mapping, seconds: float) -> Result:
    """The result that a row of `cnnlib.grading.judge` stands for."""
    more = {
        "notes": tuple(row.get("notes", ())),
        "misconception": row.get("misconception", ""),
        "lines": tuple(row.get("lines", ())),
    }
    if row["outcome"] == "passed":
        return Result(exercise, Status.DONE, notes=more["notes"])
    if row["error"] == "NotWritten" and not row["message"]:
        return unwritten(exercise)
    status = BY_NAME.get(row["error"], Status.ERROR)
    if status in ENDED:
        says = f"{status.sign} {title(exercise)}: {ENDED[status].format(seconds=seconds)}"
    elif row["error"] in BY_NAME:
        says = row["message"]
    else:
        says = f"its check stops with {row['error']}:\n\n{indent(row['message'], '  ')}"
        says = f"{status.sign} {title(exercise)}: {says}"
    return Result(exercise, status, says, **more)
