"""How learning systems name what learners hand in, and what learners make of a notebook's name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Moodle: Ada Lovelace_123456_assignsubmission_file, a folder or, flat, in front of a file's name.
MOODLE = re.compile(
    r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)", re.DOTALL
)
# Canvas: lovelaceada_LATE_4711_98765_04_flatten.ipynb; the second number is the submission's.
CANVAS = re.compile(
    r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_(?P<submission>\d+)_(?P<rest>.+)", re.DOTALL
)
# What a second copy gets: "-Copy1" by JupyterLab, " (1)" by browsers, "-1" by Canvas.
COPY = re.compile(r"(?:[-_ ]*copy[-_ ]*(\d*)|[ _-]*\((\d+)\)|-(\d+))$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """What the name of a file or folder says.

    Attributes
    ----------
    name : str
        The learner's.
    id : str
        The learning system's number for the learner; empty where the name has none.
    late : bool
    rest : str
        The name that the learner gave the file; empty for a folder.
    """

    name: str
    id: str = ""
    late: bool = False
    rest: str = ""


def entry(name: str) -> Entry | None:
    """Read a name that Moodle or Canvas made; None where neither did.

    Examples
    --------
    >>> entry("Ada Lovelace_123456_assignsubmission_file")
    Entry(name='Ada Lovelace', id='123456', late=False, rest='')
    >>> entry("lovelaceada_LATE_4711_98765_04_flatten-1.ipynb")
    Entry(name='lovelaceada', id='4711', late=True, rest='04_flatten-1.ipynb')
    >>> entry("ada")
    """
    if found := MOODLE.fullmatch(name):
        return Entry(found["name"], found["id"], rest=found["rest"])
    if found := CANVAS.fullmatch(name):
        return Entry(found["name"], found["id"], bool(found["late"]), found["rest"])
    return None


def notebook(file: str, known: Iterable[str]) -> str | None:
    """Say which notebook a file is by its name, whatever was added to it.

    Parameters
    ----------
    file : str
        The file's name.
    known : iterable of str
        The notebooks' names.

    Examples
    --------
    >>> [notebook(f, ["04_flatten"]) for f in ("Ada - 04-Flatten_final (2).IPYNB", "notes.ipynb")]
    ['04_flatten', None]
    """
    stem, dot, ending = file.rpartition(".")
    if not dot or ending.lower() != "ipynb":
        return None
    plain = _plain(stem)
    found = [
        name for name in known if re.search(rf"(?:^|_){re.escape(_plain(name))}(?:_|$)", plain)
    ]
    return max(found, key=len, default=None)


def copy_number(file: str) -> int:
    """The number that a copy got: the later, the larger; 0 for the first.

    Examples
    --------
    >>> [copy_number(f) for f in ("a.ipynb", "a (2).ipynb", "a-Copy1.ipynb", "a-3.ipynb")]
    [0, 2, 1, 3]
    """
    found = COPY.search(file.rpartition(".")[0])
    return int(next(filter(None, found.groups()), 1)) if found else 0


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()
