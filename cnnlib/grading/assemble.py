"""Set a learner's answers into the pristine notebook.

Nothing else of what a learner handed in is ever run or believed: not the checks, not the tags, not the
stored outputs. `cnnlib check` and `cnnlib grade` both go through here, so a learner sees what the
grader will see.
"""

import ast
import re
from dataclasses import dataclass

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.notebooks import Course, NotebookError, grade_id, is_check


@dataclass(frozen=True)
class Originals:
    """The course's notebooks by name, such as `04_flatten`.

    Attributes
    ----------
    solved : dict of str to NotebookNode
        As they are in solutions/.
    blank : dict of str to NotebookNode
        As `release` makes them: no answers, no outputs.
    """

    solved: dict[str, NotebookNode]
    blank: dict[str, NotebookNode]

    @property
    def graded(self) -> list[str]:
        """The names of the notebooks that have exercises."""
        return [name for name, nb in self.solved.items() if notebooks.exercises(nb)]


@dataclass(frozen=True)
class Submission:
    """What was found in a notebook that a learner worked in.

    Attributes
    ----------
    answers : dict of str to str
        The source of each answer that has been written in, by the cell's `grade_id`.
    notes : tuple of str
        A sentence for each thing that was not as it was handed out.
    support : tuple of str
        Statements of the learner's other cells: imports, functions, classes, constants. What the
        answers need of them comes along.
    """

    answers: dict[str, str]
    notes: tuple[str, ...] = ()
    support: tuple[str, ...] = ()


def load(course: Course) -> Originals:
    """Read a course's notebooks from solutions/.

    Raises
    ------
    NotebookError
        There are none, or one can't be read.
    """
    solved = {path.stem: notebooks.read(path) for path in notebooks.files(course.solutions)}
    if not solved:
        raise NotebookError(f"{course.solutions} holds no notebook, so there is nothing to check.")
    return Originals(solved, {name: notebooks.release(nb) for name, nb in solved.items()})


def extract(nb: NotebookNode, pristine: NotebookNode) -> Submission:
    """Take the answers out of a learner's notebook, whatever happened to the rest of it.

    Parameters
    ----------
    nb : NotebookNode
        The learner's.
    pristine : NotebookNode
        The notebook of the same name from solutions/.

    Returns
    -------
    Submission
    """
    recovered = notebooks.recover(nb, pristine)
    stubs = {name: notebooks.stub(source) for name, source in notebooks.answers(pristine).items()}
    answers = {
        name: source
        for name, source in recovered.sources.items()
        if source.strip() not in ("", stubs[name].strip())
    }
    ignored = {*recovered.sources.values(), *(cell.source for cell in pristine.cells)}
    others = [c.source for c in nb.cells if c.cell_type == "code" and c.source not in ignored]
    support = tuple(part for source in others for part in _support(source))
    return Submission(answers, (*recovered.repairs, *_changed_checks(nb, pristine)), support)


SUPPORT = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign),
)


def _support(source: str) -> list[str]:
    """The statements of a cell that an answer may need."""
    nodes = statements(source)
    lines = notebooks.plain_python(source).split("\n") if nodes else []
    return [
        "\n".join(lines[_first(node) - 1 : node.end_lineno])
        for node in nodes
        if isinstance(node, SUPPORT)
    ]


def _first(node: ast.stmt) -> int:
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])


def statements(source: str) -> list[ast.stmt]:
    """The statements of a cell; none where it isn't Python."""
    if len(source) > notebooks.SOURCE_LIMIT:
        return []
    try:
        return ast.parse(notebooks.plain_python(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def idle(nb: NotebookNode) -> list[NotebookNode]:
    """The ordinary code cells that bind no name which an answer, a check or another needed cell mentions."""
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    words = {word for c in code if grade_id(c) for word in re.findall(r"\w+", c.source)}
    idle = []
    for cell in reversed([cell for cell in code if not grade_id(cell)]):
        if _defined(cell.source) & words:
            words.update(re.findall(r"\w+", cell.source))
        else:
            idle.append(cell)
    return idle


def key(cell: NotebookNode) -> str:
    """What a cell is called while it is graded: its `grade_id`, else its id."""
    return grade_id(cell) or cell.id


def _changed_checks(nb: NotebookNode, pristine: NotebookNode) -> list[str]:
    """A sentence for each check cell that is gone or isn't as it was handed out."""
    theirs = {grade_id(cell): cell for cell in nb.cells}
    found = []
    for ours in filter(is_check, pristine.cells):
        cell = theirs.get(grade_id(ours))
        if cell is None or _as_handed_out(cell) != _as_handed_out(ours):
            what = "is gone" if cell is None else "was changed"
            found.append(f"the check cell '{grade_id(ours)}' {what}; the original was used")
    return found


def _as_handed_out(cell: NotebookNode) -> tuple:
    return cell.cell_type, cell.source.strip(), cell.metadata.get("tags") or []


def _defined(source: str) -> set[str]:
    """The names that a cell binds at its top level; none where it isn't plain Python."""
    try:
        body = ast.parse(notebooks.plain_python(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.alias):
                names.add((part.asname or part.name).partition(".")[0])
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                names.add(part.id)
    return names
