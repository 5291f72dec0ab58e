"""Fill the worksheet that a teacher downloaded from Moodle, or the gradebook from Canvas.

Only the cells of grades change; every other byte of the file stays as it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlib.errors import CourseError
from cnnlib.grading import names
from cnnlib.grading.exports import by_learner, total
from cnnlib.grading.grade import Grade

CANVAS = ("Student", "ID", "SIS Login ID", "Section")
ASSIGNMENT = re.compile(r".+ \(\d+\)")
# How Moodle calls its columns in some of its languages; elsewhere their order tells.
GRADE = {"Grade", "Bewertung", "Note", "Calificación", "Valutazione", "Nota", "Cijfer", "Betyg"}


class WorksheetError(CourseError):
    """The file is no worksheet that can be filled; the message says what is missing."""


@dataclass(frozen=True)
class Filled:
    """A filled worksheet.

    Attributes
    ----------
    text : str
    unknown : list of str
        Learners with a grade who are not in the worksheet.
    scaled : list of str
        A sentence for each column whose maximum is not the course's.
    """

    text: str
    unknown: list[str]
    scaled: list[str]


@dataclass(frozen=True)
class _Column:
    """Which notebook's points go into which column; None stands for all of them together."""

    number: int
    notebook: str | None
    maximum: float | None


def read(path: Path) -> str:
    """The text of a worksheet, its line ends as they are.

    Raises
    ------
    WorksheetError
        It can't be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise WorksheetError(f"{path} is not text in UTF-8. Download it again as CSV.") from None
    except OSError as error:
        raise WorksheetError(f"{path} can't be read: {error.strerror}.") from None


def fill(text: str, grades: list[Grade], people: Mapping) -> Filled:
    """Put grades into a worksheet.

    Parameters
    ----------
    text : str
        As `read` gives it.
    grades : list of Grade
        Sorted by learner. Those without a grade keep the cell that they have.
    people : mapping of str to Learner
        For the numbers that the learning system gave them.

    Raises
    ------
    WorksheetError
        It is neither Moodle's nor Canvas's, or no column in it is for these grades.
    """
    sheet = _Sheet(text)
    rows = sheet.rows or [[]]
    header = rows[0]
    if all(name in header for name in CANVAS):
        who, columns, first = _canvas(header, rows, grades)
    else:
        who, columns, first = _moodle(header, rows, grades)
    keys = [[row[c] for c in who if c < len(row)] for row in rows]
    unknown = []
    for learner, own in by_learner(grades).items():
        mine = _row(learner, people.get(learner), keys, first)
        if mine is None:
            unknown.append(learner)
            continue
        for column in columns:
            chosen = [g for g in own if column.notebook in (None, g.notebook)]
            points, out_of = total(chosen), sum(g.out_of for g in chosen)
            if points is not None and column.number < len(rows[mine]):
                share = 1.0 if not column.maximum else column.maximum / out_of
                sheet.set(mine, column.number, f"{round(points * share, 4):g}")
    return Filled(str(sheet), unknown, _scaled(header, columns, grades))


def _canvas(header, rows, grades):
    """Who is who, the columns to fill, and the first learner's row in Canvas's gradebook."""
    first, maxima = 1, None
    for number, row in enumerate(rows[1:4], start=1):
        if row[0].strip().startswith("Points Possible"):
            first, maxima = number + 1, row
    titles = {c: title for c, title in enumerate(header) if ASSIGNMENT.fullmatch(title)}
    graded = list(dict.fromkeys(grade.notebook for grade in grades))
    columns = []
    for c, title in titles.items():
        stem = re.sub(r" \(\d+\)$", "", title)
        notebook = names.notebook(f"{stem}.ipynb", graded) or _by_its_words(stem, graded)
        if notebook:
            columns.append(_Column(c, notebook, _maximum(maxima, c)))
    if not columns and len(titles) == 1:
        columns = [_Column(c, None, _maximum(maxima, c)) for c in titles]
    if not columns:
        raise WorksheetError(
            f"None of the gradebook's assignments is for {', '.join(graded)}. It has "
            f"{', '.join(titles.values()) or 'none'}. Give one of them a notebook's name, such as {graded[0]}."
        )
    who = [
        header.index(name)
        for name in ("ID", "SIS Login ID", "SIS User ID", "Student")
        if name in header
    ]
    return who, columns, first


def _moodle(header, rows, grades):
    """The same for Moodle's grading worksheet, whatever the language of its header."""
    body = rows[1:]
    marked = bool(body) and all(re.fullmatch(r"\D+\d+", row[0]) for row in body)
    if not marked or len(header) < 5:
        raise WorksheetError(
            "This is neither Moodle's grading worksheet (its first column says Participant 123456) "
            f"nor Canvas's gradebook (it begins with {', '.join(CANVAS)}). Its columns are: "
            f"{', '.join(header) or 'none'}."
        )
    named = [c for c, title in enumerate(header) if title in GRADE]
    # The maximum stands in every row, and the grade's own column before it.
    maxima = [
        c
        for c in range(2, len(header))
        if len(values := {row[c] for row in body if c < len(row)}) == 1
        and re.fullmatch(r"\d+([.,]\d+)?", next(iter(values)))
    ]
    column = named[0] if named else maxima[0] - 1 if maxima else None
    if column is None:
        raise WorksheetError(
            f"No column of this worksheet is for grades. It has {', '.join(header)}. "
            "Set a grade with a maximum in the assignment and download it again."
        )
    beside = column + 1 if column + 1 in maxima else None
    maximum = None if beside is None else _maximum(body[0], beside)
    return [0, *range(1, column)], [_Column(column, None, maximum)], 1


def _row(learner: str, person, keys: Sequence[list[str]], first: int) -> int | None:
    """The row of a learner: by the system's number, else by a name or login that only one has."""
    if person and person.id:
        for number, key in enumerate(keys[first:], first):
            if re.search(rf"(?:^|\D){re.escape(person.id)}$", key[0]):
                return number
    plain = _letters(learner.partition(" (")[0])
    found = [n for n, key in enumerate(keys[first:], first) if plain in map(_letters, _spelt(key))]
    return found[0] if plain and len(found) == 1 else None


def _spelt(key: Iterable[str]) -> Iterable[str]:
    """A person's names and logins, an address without its host, and a list's "Lovelace, Ada" turned."""
    for part in key:
        yield from (part, part.partition("@")[0], "".join(reversed(part.split(","))))


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _by_its_words(title: str, graded: Iterable[str]) -> str | None:
    """The notebook whose name's own words a title has: "Flatten homework" is 04_flatten's."""
    found = [n for n in graded if _letters(n.partition("_")[2]) in _letters(title)]
    return found[0] if len(found) == 1 else None


def _maximum(row, c: int) -> float | None:
    try:
        return float(row[c].replace(",", "."))
    except (TypeError, IndexError, ValueError):
        return None


def _scaled(header, columns, grades) -> list[str]:
    out_of = {grade.notebook: grade.out_of for grade in grades}
    said = []
    for column in columns:
        ours = sum(out_of.values()) if column.notebook is None else out_of[column.notebook]
        if column.maximum and column.maximum != ours:
            said.append(
                f"{header[column.number]} counts to {column.maximum:g}, the course to {ours:g}: "
                "the points are scaled."
            )
    return said


# The file, cell by cell, with everything that is between them.


class _Sheet:
    """A CSV file that is written as it was read, but for the cells that were set.

    `rows` are its cells as they say; `raw` are they as they stand, each with what ends it.
    """

    def __init__(self, text: str):
        self.delimiter = max(",;\t", key=text.partition("\n")[0].count)
        mark = re.escape(self.delimiter)
        cell = re.compile(
            rf'(\ufeff?(?:"(?:[^"]|"")*")?[^{mark}\r\n"]*)({mark}|\r\n|\r|\n|\Z)', re.DOTALL
        )
        self.raw, at, open_row = [], 0, False
        while at < len(text) or open_row:
            found = cell.match(text, at)
            if found is None:
                raise WorksheetError("The worksheet has a cell with a quote in it that never ends.")
            at = found.end()
            if not open_row:
                self.raw.append([])
            self.raw[-1].append([found[1], found[2]])
            open_row = found[2] == self.delimiter
        self.rows = [[_value(cell) for cell, _ in row] for row in self.raw]

    def set(self, row: int, column: int, value: str) -> None:
        self.raw[row][column][0] = value

    def __str__(self) -> str:
        return "".join(cell + end for row in self.raw for cell, end in row)


def _value(cell: str) -> str:
    """What a cell says."""
    plain = cell.lstrip("\ufeff")
    return plain[1:-1].replace('""', '"') if re.fullmatch(r'".*"', plain, re.DOTALL) else plain
