"""Set a learner's answers into the pristine notebook.

Nothing else of what a learner handed in is ever run or believed: not the checks, not the tags, not the
stored outputs. `cnnlib check` and `cnnlib grade` both go through here, so a learner sees what the
grader will see.
"""

import ast
import re
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.notebooks import Course, NotebookError, grade_id, is_answer, is_check

NBVAL_MARKER = re.compile(r"NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT")


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
    elsewhere : frozenset of str
        Names that the learner defines outside the answers, where nobody grades them.
    """

    answers: dict[str, str]
    notes: tuple[str, ...] = ()
    elsewhere: frozenset[str] = frozenset()


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
    elsewhere = frozenset(name for source in others for name in _defined(source))
    return Submission(answers, (*recovered.repairs, *_changed_checks(nb, pristine)), elsewhere)


def assemble(
    pristine: NotebookNode, answers: Mapping[str, str], left_out: Collection[str] = ()
) -> NotebookNode:
    """Make the notebook that is run: the pristine one with somebody's answers in it.

    Cells that no answer and no check needs, such as pictures of what the answers do, are emptied:
    they would cost everybody's time, and hang where an answer is slow.

    Parameters
    ----------
    pristine : NotebookNode
        From solutions/; its metadata, tags and stored outputs stay.
    answers : mapping of str to str
        By `grade_id`. An answer that isn't there is not written yet.
    left_out : collection of str
        Cells that are not to run, by `grade_id` or id: an answer becomes its stub, another is emptied.

    Returns
    -------
    NotebookNode
    """
    nb = deepcopy(pristine)
    for cell in nb.cells:
        if is_answer(cell) and grade_id(cell) in answers and grade_id(cell) not in left_out:
            cell["source"] = _without_markers(answers[grade_id(cell)])
        elif is_answer(cell):
            cell["source"] = notebooks.stub(cell.source)
        elif key(cell) in left_out:
            cell["source"] = ""
    for cell in _idle(nb):
        cell["source"] = ""
    return nb


def _idle(nb: NotebookNode) -> list[NotebookNode]:
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


def _without_markers(source: str) -> str:
    """An answer whose comments don't steer nbval: `# NBVAL_SKIP` becomes `# (NBVAL_SKIP)`."""
    lines = source.splitlines(keepends=True)  # as nbval splits them, form feeds and all
    for number, line in enumerate(lines):
        comment = line.strip()
        marker = comment.lstrip("#").strip()
        if comment.startswith("#") and NBVAL_MARKER.fullmatch(marker):
            lines[number] = line.replace(marker, f"({marker})")
    return "".join(lines)


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
