"""How long a notebook takes, by one rule for all, so that lessons can be compared and none is guessed.

Lessons read with care took 30 to 45 minutes each, and lessons 00 to 03 with their exercises six to
seven hours. That is 120 words and 13 lines of code a minute; and for an exercise, reading its statement
and two minutes for each line of the worked answer. A line that stands in an earlier answer is copied.
"""

import ast
import math

from nbformat import NotebookNode

from cnnlib import notebooks
from cnnlib.notebooks import BEGIN, END

WORDS, LINES, MINUTES_FOR_A_LINE = 120, 13, 2


def hidden(cell: NotebookNode) -> bool:
    """Whether the cell starts collapsed: it draws, and one needn't read it."""
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def code_lines(source: str) -> list[str]:
    lines = (line.strip() for line in source.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "import ", "from "))]


def to_read(nb: NotebookNode) -> int:
    """Minutes for a lesson, to the nearest five."""
    words = sum(len(c.source.split()) for c in nb.cells if c.cell_type == "markdown")
    lines = sum(
        len(code_lines(c.source)) for c in nb.cells if c.cell_type == "code" and not hidden(c)
    )
    return 5 * round((words / WORDS + lines / LINES) / 5)


def to_do(nb: NotebookNode) -> dict[str, int]:
    """Minutes for each answer of a solved exercise, by its grade_id: rounded up to five."""
    minutes, words, written = {}, 0, set()
    for cell in nb.cells:
        if notebooks.is_answer(cell):
            lines = [line for line in code_lines(_answer(cell.source)) if line not in written]
            written.update(lines)
            spent = words / WORDS + MINUTES_FOR_A_LINE * len(lines)
            minutes[notebooks.grade_id(cell)], words = 5 * math.ceil(spent / 5), 0
        elif cell.cell_type == "markdown":
            words += len(cell.source.split())
    return minutes


def _answer(source: str) -> str:
    """What stands between the marks."""
    kept, inside = [], False
    for line in source.splitlines():
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        elif inside:
            kept.append(line)
    return "\n".join(kept)


def drawing(nb: NotebookNode) -> tuple[int, int]:
    """How many of the visible lines of code belong to statements that draw, and how many there are."""
    drawn = seen = 0
    for cell in nb.cells:
        if cell.cell_type != "code" or hidden(cell):
            continue
        lines = cell.source.splitlines()
        for statement in ast.parse(cell.source).body:
            count = len(code_lines("\n".join(lines[statement.lineno - 1 : statement.end_lineno])))
            names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            seen += count
            drawn += count if names & {"plots", "svg", "explorers"} else 0
    return drawn, seen
