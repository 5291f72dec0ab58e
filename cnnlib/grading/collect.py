"""Find what learners handed in: `FOLDER/<learner>/04_flatten.ipynb`, one folder for each learner.

Whatever a folder holds, it stops nobody else: what can't be read becomes a sentence that says why.
"""

import os
import stat
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.grading.assemble import Originals, Submission, extract
from cnnlib.notebooks import NotebookError

SIZE_LIMIT = 50_000_000  # bytes; a notebook full of pictures has a few million
NAMES = 5  # of other files in a folder that a sentence lists


@dataclass(frozen=True)
class Learner:
    """One learner's folder.

    Attributes
    ----------
    name : str
        The folder's name.
    submissions : dict of str to Submission
        What could be read, by the notebook's name.
    problems : dict of str to str
        Why a notebook that others handed in can't be graded, by its name.
    """

    name: str
    submissions: dict[str, Submission]
    problems: dict[str, str]


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


def collect(folder: Path, originals: Originals) -> Handed:
    """Read every submission in a folder.

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
    if not folder.is_dir():
        raise NotebookError(
            f"{folder} is not a folder; give the one with a folder for each learner."
        )
    entries = sorted(folder.iterdir())
    homes = [path for path in entries if path.is_dir() and not path.name.startswith(".")]
    own = [path for path in homes if not path.is_symlink()]
    names = [
        name
        for name in originals.graded
        if any(os.path.lexists(home / f"{name}.ipynb") for home in own)
    ]
    if not names:
        example = folder / "ada" / f"{originals.graded[-1]}.ipynb"
        raise NotebookError(
            f"{folder} holds no submission. It needs a folder for each learner with their notebooks "
            f"in it, such as {example}."
        )
    skipped = [
        f"{printable(path.name)}: no learner's folder" for path in entries if path not in homes
    ]
    for home in own:
        others = _entries(home, {f"{name}.ipynb" for name in names})
        skipped += [f"{printable(home.name)}/{other}: no notebook to grade" for other in others]
    return Handed(names, [_learner(home, names, originals) for home in homes], skipped)


def _learner(home: Path, names: list[str], originals: Originals) -> Learner:
    submissions, problems = {}, {}
    for name in names:
        try:
            if home.is_symlink():
                raise NotebookError("the folder is a symbolic link, which is not followed")
            pristine = originals.solved[name]
            submissions[name] = extract(_read(home / f"{name}.ipynb"), pristine)
        except NotebookError as error:
            problems[name] = str(error)
    return Learner(printable(home.name), submissions, problems)


def _read(path: Path) -> NotebookNode:
    """Read a file that anybody may have put there; an error doesn't name the folder it is in."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        others = _entries(path.parent, ())
        instead = ", ".join(others[:NAMES]) + (", …" if len(others) > NAMES else "")
        raise NotebookError(
            f"{path.name} is missing; the folder has {instead or 'nothing'}"
        ) from None
    except OSError as error:
        raise NotebookError(f"{path.name} can't be read: {error.strerror}") from None
    if stat.S_ISLNK(status.st_mode):
        raise NotebookError(f"{path.name} is a symbolic link, which is not followed")
    if not stat.S_ISREG(status.st_mode):
        raise NotebookError(f"{path.name} is not a file")
    if status.st_size > SIZE_LIMIT:
        size, limit = status.st_size / 1e6, SIZE_LIMIT / 1e6
        raise NotebookError(f"{path.name} has {size:.0f} MB, more than the {limit:.0f} MB allowed")
    try:
        return notebooks.read(path)
    except NotebookError as error:
        raise NotebookError(str(error).replace(str(path), path.name)) from None


def _entries(folder: Path, known: Container[str]) -> list[str]:
    """What else is in a learner's folder, but for what JupyterLab puts there by itself."""
    try:
        found = sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
    return [printable(n) for n in found if n not in known and n != ".ipynb_checkpoints"]


def printable(name: str) -> str:
    r"""A file's name as text that can be shown and stored anywhere.

    Examples
    --------
    >>> printable("Zoë\n")
    'Zoë\\n'
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
