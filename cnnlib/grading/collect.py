"""Find what learners handed in, in a folder or a zip file as learning systems give it out.

Each learner has a folder, a zip file, or files that begin with their name (`names` knows how Moodle
and Canvas write those); how deep the notebooks lie in it does not matter, nor what was added to
their names. Whatever is there stops nobody else: what can't be read becomes a sentence that says why.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.grading import names
from cnnlib.grading.assemble import Originals, Submission, extract
from cnnlib.grading.unpack import CLASS_ROOM, Unpacker
from cnnlib.notebooks import NotebookError

SIZE_LIMIT = 50_000_000  # bytes; a notebook full of pictures has a few million
SHOWN = 5  # of other files in a folder that a sentence lists
DEPTH = 6  # of folders in a learner's folder
WRAPPERS = {
    "submissions",
    "submitted",
}  # Canvas's zip file and nbgrader's folder: no learner's name


@dataclass(frozen=True)
class Learner:
    """What one learner handed in.

    Attributes
    ----------
    name : str
        As the learning system or the folder has it; no two learners have the same.
    submissions : dict of str to Submission
        What could be read, by the notebook's name.
    problems : dict of str to str
        Why a notebook that others handed in can't be graded, by its name.
    id : str
        The learning system's number for the learner; empty where none is known.
    late : bool
        Whether the learning system says that something came late.
    """

    name: str
    submissions: dict[str, Submission]
    problems: dict[str, str]
    id: str = ""
    late: bool = False


@dataclass(frozen=True)
class Handed:
    """What a class handed in.

    Attributes
    ----------
    notebooks : list of str
        The names of the notebooks that at least one learner handed in.
    learners : list of Learner
        In the order of their names.
    skipped : list of str
        A sentence for each thing in the folder that is no submission.
    """

    notebooks: list[str]
    learners: list[Learner]
    skipped: list[str]


@dataclass
class _Home:
    """Where a learner's files are: each with its place as a person would write it."""

    name: str
    id: str = ""
    late: bool = False
    files: list[tuple[str, Path]] = field(default_factory=list)
    problem: str = ""


def collect(folder: Path, originals: Originals) -> Handed:
    """Read every submission in a folder or a zip file.

    Parameters
    ----------
    folder : Path
    originals : Originals

    Returns
    -------
    Handed

    Raises
    ------
    NotebookError
        There is no such folder, or no submission in it.
    """
    with TemporaryDirectory(prefix="cnnlib-") as scratch:
        return _Collector(originals, Path(scratch)).collect(folder)


class _Collector:
    def __init__(self, originals: Originals, scratch: Path):
        self.originals, self.scratch = originals, scratch
        self.skipped = []

    def collect(self, folder: Path) -> Handed:
        opened = self._opened(folder)
        homes = self._homes(opened)
        chosen = {name: self._by_notebook(home) for name, home in homes.items()}
        if not any(chosen.values()):
            self.skipped, homes = [], self._alone(opened, folder)
            chosen = {name: self._by_notebook(home) for name, home in homes.items()}
        found = {notebook for files in chosen.values() for notebook in files}
        wanted = [name for name in self.originals.graded if name in found]
        if not wanted:
            example = folder / "ada" / f"{self.originals.graded[-1]}.ipynb"
            raise NotebookError(
                f"{folder} holds no submission. It needs a folder for each learner with their "
                f"notebooks in it, such as {example}, or what Moodle, Canvas, Gradescope or nbgrader give out."
            )
        learners = [self._learner(homes[name], chosen[name], wanted) for name in sorted(homes)]
        return Handed(wanted, learners, self.skipped)

    def _opened(self, folder: Path) -> Path:
        """The folder itself, or what a zip file holds."""
        if folder.is_file() and folder.suffix.lower() == ".zip":
            unpacker = Unpacker(SIZE_LIMIT, CLASS_ROOM, apart=True)
            try:
                unpacker.unpack(folder, self.scratch / "class")
            except NotebookError as error:
                raise NotebookError(f"{folder}: {error}") from None
            folder = self.scratch / "class"
            self.skipped += map(printable, unpacker.left_out)
        if not folder.is_dir():
            raise NotebookError(
                f"{folder} is not a folder; give the one with a folder for each learner, or a zip file."
            )
        entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
        only = entries[0] if len(entries) == 1 else folder
        return only if only.is_dir() and only.name.lower() in WRAPPERS else folder

    def _homes(self, folder: Path) -> dict[str, _Home]:
        """The learners in a folder, by a name that no other one has."""
        people: dict[tuple[str, str], _Home] = {}
        for path in sorted(folder.iterdir()):
            shown = printable(path.name)
            kind = path.suffix.lower() if path.is_file() else ""
            said = names.entry(path.name)
            if path.is_dir() and said and said.rest:  # a folder is one of Moodle's or has any name
                said = None
            is_home = path.is_dir() or kind == ".zip" or (said and kind == ".ipynb")
            if path.name.startswith(".") or not is_home:
                self.skipped.append(f"{shown}: no learner's folder")
                continue
            said = said or names.Entry(path.stem if kind == ".zip" else path.name)
            home = people.setdefault((said.name, said.id), _Home(printable(said.name), said.id))
            home.late |= said.late
            if path.is_symlink():
                home.problem = "the folder is a symbolic link, which is not followed"
            elif kind == ".ipynb":
                home.files.append((said.rest, path))
            else:
                self._fill(home, path, kind)
        namesakes = Counter(home.name for home in people.values())
        for home in people.values():
            if namesakes[home.name] > 1:
                home.name = f"{home.name} ({home.id})"
        return {home.name: home for home in people.values()}

    def _alone(self, opened: Path, folder: Path) -> dict[str, _Home]:
        """A folder of notebooks, not of learners, is one learner's, as Gradescope gives it."""
        home = _Home(printable(folder.resolve().stem))
        self._fill(home, opened, "")
        return {home.name: home}

    def _fill(self, home: _Home, path: Path, kind: str) -> None:
        """Add the files in a learner's folder or zip file, at any depth."""
        if kind == ".zip":
            path = self._unzipped(home, path)
        for file in _files(path) if path else ():
            if file.suffix.lower() == ".zip" and file.is_file() and not file.is_symlink():
                inner = self._unzipped(home, file)
                home.files += [(f.name, f) for f in _files(inner)] if inner else []
            else:
                home.files.append((file.name, file))

    def _unzipped(self, home: _Home, path: Path) -> Path | None:
        to, unpacker = self.scratch / str(len(list(self.scratch.iterdir()))), Unpacker(SIZE_LIMIT)
        try:
            unpacker.unpack(path, to)
        except NotebookError as error:
            home.problem = f"{printable(path.name)}: {error}"
            return None
        finally:
            self.skipped += [f"{home.name}/{printable(each)}" for each in unpacker.left_out]
        return to

    def _by_notebook(self, home: _Home) -> dict[str, list[tuple[str, Path]]]:
        """A learner's files by the notebook that they are, the others told as skipped."""
        found: dict[str, list[tuple[str, Path]]] = {}
        for shown, path in home.files:
            said = names.entry(path.name)
            name = names.notebook(shown, self.originals.graded) or self._by_its_cells(path)
            home.late |= bool(said and said.late)
            if name:
                found.setdefault(name, []).append((shown, path))
            else:
                self.skipped.append(f"{home.name}/{printable(shown)}: no notebook to grade")
        return found

    def _by_its_cells(self, path: Path) -> str | None:
        """The notebook that a file with any other name is, by the exercises in it."""
        if path.suffix.lower() != ".ipynb":
            return None
        try:
            own = {notebooks.grade_id(cell) for cell in _read(path).cells} - {None}
        except NotebookError:
            return None
        for name in self.originals.graded:
            asked = {e.check_id for e in notebooks.exercises(self.originals.solved[name])}
            if len(own & asked) > len(asked) / 2:
                return name
        return None

    def _learner(self, home: _Home, chosen: dict, wanted: list[str]) -> Learner:
        submissions, problems = {}, {}
        others = [printable(shown) for shown, _ in home.files]
        for name in wanted:
            try:
                if name not in chosen and home.problem:
                    raise NotebookError(home.problem)
                if name not in chosen:
                    instead = ", ".join(others[:SHOWN]) + (", …" if len(others) > SHOWN else "")
                    raise NotebookError(
                        f"{name}.ipynb is missing; the folder has {instead or 'nothing'}"
                    )
                submissions[name] = self._newest(name, chosen[name])
            except NotebookError as error:
                problems[name] = str(error)
        return Learner(home.name, submissions, problems, home.id, home.late)

    def _newest(self, name: str, files: list[tuple[str, Path]]) -> Submission:
        """The newest of several copies that has answers, with a note where there was a choice."""
        read, reasons = [], []
        for shown, path in files:
            try:
                found = extract(_read(path, shown), self.originals.solved[name])
            except NotebookError as error:
                reasons.append(error)
                continue
            order = (bool(found.answers), path.stat().st_mtime, names.copy_number(shown), shown)
            read.append((order, shown, found))
        if not read:
            raise reasons[-1]
        _, shown, best = max(read, key=lambda each: each[0])
        notes = best.notes
        if len(files) > 1:
            notes = (
                f"handed in {len(files)} times; graded is {printable(shown)}, the newest with answers",
                *notes,
            )
        elif shown != f"{name}.ipynb":
            notes = (f"handed in as {printable(shown)}", *notes)
        return Submission(best.answers, notes, best.support)


def _files(folder: Path, depth: int = DEPTH) -> Iterator[Path]:
    """The files in a learner's folder and in those in it, but for what programs put there."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        if path.is_dir() and not path.is_symlink() and path.suffix.lower() != ".ipynb":
            if depth > 1:
                yield from _files(path, depth - 1)
        else:
            yield path


def _read(path: Path, shown: str = "") -> NotebookNode:
    """Read a file that anybody may have put there; an error doesn't name the folder it is in."""
    shown = printable(shown or path.name)
    try:
        status = path.lstat()
    except OSError as error:
        raise NotebookError(f"{shown} can't be read: {error.strerror}") from None
    if stat.S_ISLNK(status.st_mode):
        raise NotebookError(f"{shown} is a symbolic link, which is not followed")
    if not stat.S_ISREG(status.st_mode):
        raise NotebookError(f"{shown} is not a file")
    if status.st_size > SIZE_LIMIT:
        size, limit = status.st_size / 1e6, SIZE_LIMIT / 1e6
        raise NotebookError(f"{shown} has {size:.0f} MB, more than the {limit:.0f} MB allowed")
    try:
        return notebooks.read(path)
    except NotebookError as error:
        raise NotebookError(str(error).replace(str(path), shown)) from None


def printable(name: str) -> str:
    r"""A file's name as text that can be shown and stored anywhere.

    Examples
    --------
    >>> printable("Zoë\n")
    'Zoë\\n'
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
