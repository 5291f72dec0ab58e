"""Every grade on disk as soon as it is made, so that a run that was interrupted goes on where it stopped."""

from pathlib import Path

from cnnlib.grading.grade import Grade

FILE = "journal.jsonl"


class Journal:
    """The grades of a report, a line for each; of several for one notebook, the last counts.

    Parameters
    ----------
    out : Path
        The report's folder.
    fresh : bool
        Forget what is there.
    """

    def __init__(self, out: Path, fresh: bool = False):
        self.path = out / FILE
        self.grades: dict[tuple[str, str], Grade] = {}
        if fresh:
            self.path.unlink(missing_ok=True)
        for line in self.path.read_text("utf-8").splitlines() if self.path.exists() else ():
            try:
                grade = Grade.from_json(line)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # the last line of a run that was killed
            self.grades[grade.learner, grade.notebook] = grade

    def __enter__(self) -> "Journal":
        self.file = self.path.open("a", encoding="utf-8", errors="backslashreplace")
        self.file.write("\n")  # after a line that was cut off
        return self

    def __exit__(self, *_) -> None:
        self.file.close()

    def write(self, grade: Grade) -> None:
        """Add a grade."""
        self.file.write(grade.to_json() + "\n")
        self.file.flush()
