"""What the parts of a notebook mean: answer cells, check cells, points; and how exercises are made.

An exercise is a *statement* (read-only Markdown with a hint in `<details>`), an *answer* cell
(one function or one class) and the *check* cells below it. nbgrader's metadata (schema 3) tells
them apart. A check belongs to the nearest answer above it. `solutions/` is the single source:
`release` replaces what stands between `### BEGIN SOLUTION` and `### END SOLUTION`, and so makes
`exercises/`.
"""

import ast
import hashlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

# jsonschema, which nbformat imports, loads a grammar of web addresses where it finds this package:
# a second at every start, for a format that no notebook has.
sys.modules.setdefault("rfc3987_syntax", None)

import nbformat  # noqa: E402
from nbformat import NotebookNode  # noqa: E402

from cnnlib.errors import CourseError  # noqa: E402

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
NOT_WRITTEN = "raise NotImplementedError"
CHECK_TAG = "nbval-check-output"

# What a notebook of the course carries, whoever saved it last.
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
SOURCE_LIMIT = 200_000
"""Characters of a cell that is parsed; more of them may take minutes."""
CELL_METADATA = {"nbgrader", "tags", "jupyter"}


class NotebookError(CourseError):
    """A notebook, or the course folder, is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Exercise:
    """What one check cell asks for.

    Attributes
    ----------
    name : str
        The check function's name, such as `flatten_forward` in `check.flatten_forward(Flatten)`.
    points : float
        What passing the check is worth.
    answer_id : str
        The `grade_id` of the answer cell that is checked.
    """

    name: str
    points: float
    answer_id: str

    @property
    def check_id(self) -> str:
        """The `grade_id` of the check cell."""
        return f"check_{self.name}"


@dataclass(frozen=True)
class Recovered:
    """The answers found in a notebook that somebody handed in.

    Attributes
    ----------
    sources : dict of str to str
        The source of each answer cell by its `grade_id`; an answer that isn't there has no entry.
    repairs : list of str
        A sentence for each thing that was not where it should be.
    """

    sources: dict[str, str]
    repairs: list[str]


@dataclass(frozen=True)
class Course:
    """The folders of a course, by its root."""

    root: Path

    @property
    def lessons(self) -> Path:
        return self.root / "notebooks"

    @property
    def exercises(self) -> Path:
        return self.root / "exercises"

    @property
    def solutions(self) -> Path:
        return self.root / "solutions"


# Files


def find_course(start: str | Path = ".") -> Course:
    """Find the course that a folder belongs to.

    Parameters
    ----------
    start : path
        Where to begin: this folder, or the nearest one above it, that has both `solutions/` and
        `exercises/`. The environment variable `CNNLIB_COURSE`, where set, takes its place.

    Returns
    -------
    Course

    Raises
    ------
    NotebookError
        There is no such folder; the message says where it was looked for.
    """
    named = os.environ.get("CNNLIB_COURSE")
    start = Path(named or start).expanduser().resolve()
    for folder in (start, *start.parents):
        if (folder / "solutions").is_dir() and (folder / "exercises").is_dir():
            return Course(folder)
    looked = f"{start} (from CNNLIB_COURSE)" if named else start
    raise NotebookError(
        f"No course found: neither {looked} nor a folder above it has solutions/ and exercises/. "
        "The course is the folder with the notebooks, which the installed package doesn't bring: "
        "get a copy of its repository and work inside it, or name it with --course DIR or the "
        "environment variable CNNLIB_COURSE."
    )


def files(folder: str | Path) -> list[Path]:
    """The notebooks in a folder, in the order of their numbers."""
    return sorted(Path(folder).glob("*.ipynb"))


def read(path: str | Path) -> NotebookNode:
    """Read a notebook of any version as version 4.5.

    Outputs and metadata may be odd (a learner's file is read as long as its cells can be told
    apart). A cell without an id of its own gets one from its position, the same each time.

    Parameters
    ----------
    path : path

    Returns
    -------
    NotebookNode

    Raises
    ------
    NotebookError
        The file is missing, empty, not JSON, or JSON but not a notebook.
    """
    path = Path(path)
    again = "Open it in JupyterLab and save it again (Ctrl+S), or take a fresh copy."
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotebookError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise NotebookError(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise NotebookError(f"{path} is not text in UTF-8, so not a notebook. {again}") from None
    if not text.strip():
        raise NotebookError(f"{path} is empty. {again}")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"{path} is not JSON, so not a notebook: {error}. {again}") from None
    try:
        has_ids = (content["nbformat"], content.get("nbformat_minor", 0)) >= (4, 5)
        nb = _version_4(content)
    except Exception as error:  # whatever a file made by anybody can break in the converter
        why = f"{type(error).__name__}: {error}"
        raise NotebookError(f"{path} is JSON, but not a notebook ({why}). {again}") from None
    _identify(nb.cells, has_ids)
    return nb


def write(path: str | Path, nb: NotebookNode) -> bool:
    """Write a notebook, whole or not at all; the same notebook always gives the same bytes.

    Parameters
    ----------
    path : path
    nb : NotebookNode

    Returns
    -------
    bool
        Whether the file changed. A file that already holds these bytes is not touched.

    Raises
    ------
    NotebookError
        The notebook breaks the format.
    """
    path = Path(path)
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError as error:
        raise NotebookError(f"{path} would not be a valid notebook: {error}") from None
    new = to_bytes(nb)
    if path.exists() and path.read_bytes() == new:
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(new)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return True


def tidy(nb: NotebookNode) -> None:
    """Drop the metadata that editors and kernels leave behind, in place."""
    nb["nbformat_minor"] = 5
    nb["metadata"] = nbformat.from_dict(METADATA)
    for cell in nb.cells:
        for key in cell.metadata.keys() - CELL_METADATA:
            del cell.metadata[key]


def to_bytes(nb: NotebookNode) -> bytes:
    """A notebook as it stands in a file: UTF-8, keys sorted, a newline at the end."""
    return (nbformat.writes(nb).rstrip("\n") + "\n").encode()


def _version_4(content: dict) -> NotebookNode:
    """Convert what was read from JSON, and make sure of what every function here relies on."""
    for part in (content, *content.get("cells", [])):
        part.setdefault("metadata", {})
    nb = nbformat.convert(nbformat.versions[content["nbformat"]].to_notebook_json(content), 4)
    for cell in nb.cells:
        if cell.cell_type not in ("code", "markdown", "raw"):
            raise ValueError("a cell of an unknown kind")
        if not isinstance(cell.source, str):
            raise ValueError("a cell without text")
        # JSON can spell half a surrogate pair, which nothing else accepts.
        cell["source"] = cell.source.encode(errors="replace").decode()
    return nb


def _identify(cells: list[NotebookNode], has_ids: bool) -> None:
    taken = set()
    for number, cell in enumerate(cells):
        own = cell.get("id") if has_ids else None
        if not isinstance(own, str) or own in taken:
            own = f"cell-{number}"
        while own in taken:
            own += "-again"
        cell["id"] = own
        taken.add(own)


# Parts


def grade_id(cell: NotebookNode) -> str | None:
    """The name that a cell has for nbgrader, or None."""
    name = _nbgrader(cell).get("grade_id")
    return name if isinstance(name, str) else None


def is_answer(cell: NotebookNode) -> bool:
    """Whether the learner writes here."""
    return bool(_nbgrader(cell).get("solution"))


def is_check(cell: NotebookNode) -> bool:
    """Whether the cell earns points."""
    meta = _nbgrader(cell)
    return bool(meta.get("grade")) and not meta.get("solution")


def is_statement(cell: NotebookNode) -> bool:
    """Whether the cell says what an exercise asks for."""
    meta = _nbgrader(cell)
    return cell.cell_type == "markdown" and bool(meta.get("locked")) and not meta.get("grade")


def defined(source: str) -> list[str]:
    """The functions and classes that a cell defines at its top level.

    Read line by line, so that a cell with a syntax error or a magic in it has names too.

    Examples
    --------
    >>> defined("class Flatten:\\n    def forward(self, x): ...")
    ['Flatten']
    """
    return re.findall(r"^(?:async +)?(?:def|class) +(\w+)", source, flags=re.MULTILINE)


def plain_python(source: str) -> str:
    """A cell's source without what only IPython understands; every line keeps its number.

    Parameters
    ----------
    source : str

    Returns
    -------
    str
        The source itself where it is Python already. Otherwise the lines that are magics (`%`),
        shell commands (`!`) or questions (`?`) have become `pass`.

    Examples
    --------
    >>> print(plain_python("%matplotlib inline\\nx = 1"))
    pass
    x = 1
    """
    try:
        if len(source) > SOURCE_LIMIT:
            raise ValueError("nobody writes that much into a cell")
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return re.sub(r"^([ \t]*+)(?:[%!?].*|.*\?)$", r"\1pass", source, flags=re.MULTILINE)
    return source


def exercises(nb: NotebookNode) -> list[Exercise]:
    """The exercises of a notebook, in its order: one for each check cell.

    Parameters
    ----------
    nb : NotebookNode
        A notebook of solutions/ or exercises/.

    Returns
    -------
    list of Exercise

    Raises
    ------
    NotebookError
        A check cell has no answer above it.
    """
    found, answer = [], None
    for cell in nb.cells:
        if is_answer(cell):
            answer = grade_id(cell)
        elif is_check(cell):
            name = grade_id(cell) or ""
            if answer is None:
                raise NotebookError(f"The check cell '{name}' has no answer cell above it.")
            points = float(_nbgrader(cell).get("points", 0))
            found.append(Exercise(name.removeprefix("check_"), points, answer))
    return found


def answers(nb: NotebookNode) -> dict[str, str]:
    """The source of each answer cell by its `grade_id`, in the notebook's order.

    For a notebook of the course itself; `recover` is for one that somebody handed in.
    """
    return {grade_id(cell): cell.source for cell in nb.cells if is_answer(cell)}


def recover(nb: NotebookNode, pristine: NotebookNode) -> Recovered:
    """Find the answers in a notebook that somebody worked in, whatever happened to its cells.

    An answer is the cell with the right `grade_id`, even where it is no code cell any more; of
    several, the last that was written in. Where there is none, or it was left untouched, it is
    the last code cell that defines the same function or class and was written in.

    Parameters
    ----------
    nb : NotebookNode
        The learner's notebook.
    pristine : NotebookNode
        The notebook of the same name from solutions/ (or exercises/).

    Returns
    -------
    Recovered
    """
    ours = {grade_id(cell) for cell in pristine.cells} - {None}
    given = {cell.source for cell in pristine.cells if not is_answer(cell)}
    strays = [
        cell
        for cell in nb.cells
        if cell.cell_type == "code" and grade_id(cell) not in ours and cell.source not in given
    ]
    named = [(cell, {*defined(cell.source)}) for cell in strays]
    sources, repairs = {}, []
    for name, solution in answers(pristine).items():
        own = [cell for cell in nb.cells if grade_id(cell) == name]
        joined = _joined(own)
        if joined is not None:
            own = [joined]
            repairs.append(
                f"the answer cell '{name}' is split over several cells; they were joined"
            )
        wanted = {*defined(solution)}
        twins = [cell for cell, found in named if found & wanted]
        what = f"the answer cell '{name}'"
        cell = _last_written(own, solution)
        stray = _last_written(twins, solution)
        if cell is None and stray is None:
            cell = (own or twins or [None])[-1]
        elif cell is None:
            cell = stray
            fate = "was left untouched" if own else "had lost its metadata"
            repairs.append(f"{what} {fate}; found by its name {defined(solution)[0]} instead")
        elif len(own) > 1:
            repairs.append(f"{what} is there {len(own)} times; the last one written in counts")
        if cell is None:
            repairs.append(f"{what} is not in the notebook")
            continue
        if cell.cell_type != "code":
            repairs.append(f"{what} had become a {cell.cell_type} cell; read as code")
        sources[name] = cell.source
    return Recovered(sources, repairs)


def _joined(cells: list[NotebookNode]) -> NotebookNode | None:
    """The parts of a cell that was split, as one; None where these are no parts of one."""
    names = [name for cell in cells for name in defined(cell.source)]
    if len(cells) < 2 or len(set(names)) < len(names) or len(cells) > 20:
        return None
    source = "\n".join(cell.source for cell in cells)
    try:
        ast.parse(plain_python(source[:SOURCE_LIMIT]))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return NotebookNode(cells[0] | {"source": source})


def untouched(cell: NotebookNode, solution: str) -> bool:
    """Whether an answer cell is still as the learner got it.

    Parameters
    ----------
    cell : NotebookNode
        An answer cell of an exercise.
    solution : str
        The source of the same cell in solutions/. It may have changed since the exercise was
        released; the checksum that `release` left in the cell is not fooled by that.
    """
    if cell.source.strip() in ("", stub(solution).strip()):
        return True
    return _nbgrader(cell).get("checksum") == _checksum(cell.source, grade_id(cell))


def _nbgrader(cell: NotebookNode) -> dict:
    meta = cell.metadata.get("nbgrader")
    return meta if isinstance(meta, dict) else {}


def _last_written(cells: Iterable[NotebookNode], solution: str) -> NotebookNode | None:
    written = [cell for cell in cells if not untouched(cell, solution)]
    return written[-1] if written else None


def _checksum(source: str, name: str | None) -> str:
    """nbgrader's checksum of an answer cell: its source, type, flags and id."""
    return hashlib.md5(f"{source}codeFalseTrueFalse{name}".encode()).hexdigest()


# Release


def stub(source: str) -> str:
    """An answer cell as the learner gets it: each solution is one line that is still to be written.

    Parameters
    ----------
    source : str
        The answer cell in solutions/.

    Returns
    -------
    str

    Raises
    ------
    NotebookError
        A solution begins twice, or begins and doesn't end, or ends without having begun.

    Examples
    --------
    >>> print(stub('''def double(x):
    ...     ### BEGIN SOLUTION
    ...     return 2 * x
    ...     ### END SOLUTION'''))
    def double(x):
        raise NotImplementedError
    """
    lines, inside = [], False
    for line in source.split("\n"):
        if BEGIN in line or END in line:
            if inside == (BEGIN in line):
                raise NotebookError(f"'{line.strip()}' does not match the mark before it.")
            inside = not inside
            if inside:
                lines.append(line[: len(line) - len(line.lstrip())] + NOT_WRITTEN)
        elif not inside:
            lines.append(line)
    if inside:
        raise NotebookError(f"'{BEGIN}' is not followed by '{END}'.")
    return "\n".join(lines)


def release(solution_nb: NotebookNode) -> NotebookNode:
    """Make an exercise from its solution; the solution stays as it is.

    Answers become stubs and carry nbgrader's checksum, by which `untouched` knows them again.
    Outputs go. Statements and checks can't be edited or deleted in JupyterLab, answers can't be
    deleted. Cells keep their ids.

    Parameters
    ----------
    solution_nb : NotebookNode

    Returns
    -------
    NotebookNode
    """
    nb = deepcopy(solution_nb)
    tidy(nb)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if grade_id(cell):
            cell.metadata["deletable"] = False
        if is_answer(cell):
            cell["source"] = stub(cell.source)
            cell.metadata.nbgrader["checksum"] = _checksum(cell.source, grade_id(cell))
        elif grade_id(cell):
            cell.metadata["editable"] = False
    return nb


def outdated(course: Course) -> list[Path]:
    """The exercises that are not what `release` makes of their solutions, missing ones included."""
    return [
        path
        for path, nb in _released(course)
        if not path.exists() or path.read_bytes() != to_bytes(nb)
    ]


def release_course(course: Course, *, force: bool = False) -> list[Path]:
    """Write every exercise of a course.

    Parameters
    ----------
    course : Course
    force : bool
        Overwrite answers that somebody has written.

    Returns
    -------
    list of Path
        The exercises that changed.

    Raises
    ------
    NotebookError
        An exercise holds an answer that somebody wrote, or a solution is not fit for release.
        Nothing has been written then.
    """
    released = list(_released(course))
    if not force:
        work = [line for path, _ in released if path.exists() for line in _work(path, course)]
        if work:
            raise NotebookError(
                "These exercises hold work that a release would overwrite:\n"
                + "\n".join(f"  {line}" for line in work)
                + "\nCopy them elsewhere first, or release with --force to give them up."
            )
    return [path for path, nb in released if write(path, nb)]


def _released(course: Course) -> Iterable[tuple[Path, NotebookNode]]:
    for path in files(course.solutions):
        nb = read(path)
        try:
            validate(nb)
        except NotebookError as error:
            raise NotebookError(f"{path}: {error}") from None
        yield course.exercises / path.name, release(nb)


def _work(path: Path, course: Course) -> list[str]:
    solved = answers(read(course.solutions / path.name))
    return [
        f"{path}: the answer cell '{grade_id(cell)}'"
        for cell in read(path).cells
        if is_answer(cell) and not untouched(cell, solved.get(grade_id(cell), ""))
    ]


def validate(solution_nb: NotebookNode) -> None:
    """Prove that a notebook of solutions/ can be released, checked and graded.

    Parameters
    ----------
    solution_nb : NotebookNode

    Raises
    ------
    NotebookError
        A line for each thing that is wrong, with the cell it is wrong in.
    """
    problems = list(_problems(solution_nb))
    if problems:
        raise NotebookError("not fit for release:\n" + "\n".join(f"  {line}" for line in problems))


def _problems(nb: NotebookNode) -> Iterable[str]:
    for name, times in Counter(grade_id(cell) for cell in nb.cells).items():
        if name and times > 1:
            yield f"'{name}' is the grade_id of {times} cells; give each its own"

    statement, answer, checked = None, None, True
    for cell in nb.cells:
        name = grade_id(cell)
        if is_statement(cell):
            statement = cell
        elif is_answer(cell):
            if not checked:
                yield f"answer '{answer}' has no check cell below it"
            answer, checked = name, False
            yield from _answer_problems(cell, statement)
            statement = None
        elif is_check(cell):
            checked = True
            yield from _check_problems(cell)
            if answer is None:
                yield f"check '{name}' has no answer cell above it"
        if not is_answer(cell) and (BEGIN in cell.source or END in cell.source):
            yield f"cell '{name or cell.id}' marks a solution, but is not an answer cell"
    if not checked:
        yield f"answer '{answer}' has no check cell below it"


def _answer_problems(cell: NotebookNode, statement: NotebookNode | None) -> Iterable[str]:
    what = f"answer '{grade_id(cell)}'"
    if cell.cell_type != "code":
        yield f"{what} is a {cell.cell_type} cell; an answer is code"
    if statement is None:
        yield f"{what} has no statement of its own: a locked Markdown cell above it"
    elif "<details" not in statement.source:
        yield f"{what} has no hint: a <details> in its statement '{grade_id(statement)}'"
    if len(defined(cell.source)) != 1:
        yield f"{what} defines {defined(cell.source) or 'nothing'}; it needs one function or class"
    try:
        ast.parse(stub(cell.source))
        ast.parse(cell.source)
    except (NotebookError, SyntaxError) as error:
        yield f"{what}: {error}"
    if BEGIN not in cell.source:
        yield f"{what} has nothing between '{BEGIN}' and '{END}'"


def _check_problems(cell: NotebookNode) -> Iterable[str]:
    what = f"check '{grade_id(cell)}'"
    if cell.cell_type != "code":
        yield f"{what} is a {cell.cell_type} cell; a check is code"
    call = re.fullmatch(r"check\.(\w+)\(.*\)", cell.source.strip(), flags=re.DOTALL)
    if call is None:
        yield f"{what} must be one call such as check.flatten_forward(Flatten)"
    elif grade_id(cell) != f"check_{call[1]}":
        yield f"{what} calls check.{call[1]}, so its grade_id must be 'check_{call[1]}'"
    if CHECK_TAG not in cell.metadata.get("tags", []):
        yield f"{what} lacks the tag '{CHECK_TAG}', so nbval would not compare what it prints"
    points = _nbgrader(cell).get("points")
    if not isinstance(points, int | float) or points <= 0:
        yield f"{what} gives {points} points; it must give more than 0"
