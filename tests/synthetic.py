"""A course of one small notebook, for tests of what reads and writes notebooks."""

from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnnlib import notebooks
from cnnlib.notebooks import Course

DOUBLE = """def double(x):
    \"\"\"Twice x.\"\"\"
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION"""

TURN = """class Turn:
    def forward(self, x):
        ### BEGIN SOLUTION
        self.shape = np.shape(x)
        return np.reshape(x, -1)
        ### END SOLUTION

    def backward(self, dy):
        ### BEGIN SOLUTION
        return np.reshape(dy, self.shape)
        ### END SOLUTION"""

IMPORTS = """import json
import numpy as np
import missing_picture_library
from synthetic import checks as check

raise RuntimeError("a picture, of no use to another notebook")"""


class checks:
    """Stands for `cnnlib.check`: each prints one line, or raises."""

    @staticmethod
    def double(double):
        if double(3) != 6:
            raise ValueError(f"✗ double: 3 became {double(3)},\n  not 6.\n\n  hint  think")
        print("✓ double")

    @staticmethod
    def turn_forward(turn_class):
        if turn_class().forward([[1, 2]]).shape != (2,):
            raise ValueError("✗ Turn.forward: the shape is wrong.")
        print("✓ Turn.forward")

    @staticmethod
    def turn_backward(turn_class):
        turn = turn_class()
        if turn.backward(turn.forward([[1, 2]])).shape != (1, 2):
            raise ValueError("✗ Turn.backward: the shape is wrong.")
        print("✓ Turn.backward")


checks.turn_backward.title = "Turn.backward"


def meta(grade_id: str, **flags) -> dict:
    """nbgrader's metadata of a cell, with only the flags that differ from False."""
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **plain, **flags}}


def statement(answer_id: str, hint: str = "<details>Think.</details>") -> NotebookNode:
    name = f"{answer_id}_statement"
    return new_markdown_cell(f"Write it.\n\n{hint}", id=name, metadata=meta(name, locked=True))


def answer(answer_id: str, source: str) -> NotebookNode:
    return new_code_cell(source, id=answer_id, metadata=meta(answer_id, solution=True))


def check(name: str, argument: str, points: float = 2) -> NotebookNode:
    """A check cell that has been run, so it stores the line that a right answer prints."""
    cell_id = f"check_{name}"
    metadata = meta(cell_id, grade=True, locked=True, points=points)
    metadata["tags"] = ["nbval-check-output"]
    return new_code_cell(
        f"check.{name}({argument})",
        id=cell_id.replace("_", "-"),
        metadata=metadata,
        outputs=[new_output("stream", name="stdout", text=f"✓ {name}\n")],
        execution_count=1,
    )


def solved() -> NotebookNode:
    """The solution: a function with one check, then a class with two."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Two exercises", id="title"),
            new_code_cell(IMPORTS, id="imports", execution_count=1),
            statement("double"),
            answer("double", DOUBLE),
            check("double", "double"),
            statement("turn"),
            answer("turn", TURN),
            check("turn_forward", "Turn"),
            check("turn_backward", "Turn", points=3),
        ],
        metadata=notebooks.METADATA,
    )


def cell(nb: NotebookNode, name: str) -> NotebookNode:
    """The cell with this grade_id or id."""
    return next(c for c in nb.cells if name in (notebooks.grade_id(c), c.id))


def make_course(root: Path, name: str = "04_turn.ipynb") -> Course:
    """A course folder with the solution in it, released."""
    course = Course(root)
    for folder in (course.lessons, course.exercises, course.solutions):
        folder.mkdir(parents=True)
    notebooks.write(course.solutions / name, solved())
    notebooks.release_course(course)
    return course


def write_answer(path: Path, answer_id: str, source: str) -> None:
    """Do what a learner does: write into an answer cell and save."""
    nb = notebooks.read(path)
    cell(nb, answer_id)["source"] = source
    notebooks.write(path, nb)
