"""Where in the learner's code a check goes wrong: small repairs are tried on their own source.

Where one small change makes the whole check pass, the line is known, and the kind of thing that is
wrong with it. The learner is told the line and what to look at, never the change.

``with repair.off():`` runs checks without it, and so does a process that finds ``CNNLIB_REPAIR=off``
in its environment.
"""

import ast
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from cnnlib.check.repair.answer import Answer, LeftAlone, without_a_trace
from cnnlib.check.repair.places import Edit
from cnnlib.check.repair.search import LONGER, NAMED, PAIRS, SINGLES, Search
from cnnlib.check.repair.trace import statements

LONGEST = 70
"""Of a line of code, so many characters are shown."""


@dataclass(frozen=True)
class Clue:
    """A line of the learner's cell, what stands there, and what to look at."""

    line: int
    code: str
    asks: str


_on = os.environ.get("CNNLIB_REPAIR") != "off"


@contextlib.contextmanager
def off():
    """Within this, no repairs are tried, and failures point to no line but where code stopped."""
    global _on
    before, _on = _on, False
    try:
        yield
    finally:
        _on = before


def clues(
    thing, trials: list, retry: Callable, siblings: Callable, reference, named: list, enough: bool
) -> list[Clue]:
    """The lines at which one edit, or two, make a failing check pass; empty where none are found.

    Parameters
    ----------
    thing
        The learner's class or function.
    trials
        What the check found: trials with a `case`, the `expected` value, an `outcome`, and `right`.
    retry
        ``retry(thing, trial)`` is the same trial with other code.
    siblings
        ``siblings(thing)`` are trials of the other checks of this answer, a list for each.
    reference
        The course's own class or function.
    named
        The mistakes that have a name already: for each, the places at which it differs from what is
        right. Beside a single one, no pairs are looked for.
    enough
        Whether passing this check proves something by itself; a single step or number doesn't.
    """
    if not _on or all(trial.right for trial in trials):
        return []
    try:
        answer = Answer(thing)
    except LeftAlone:
        return []
    functions = [f for definition in answer.editable for f in definition.functions()]
    if sum(1 for f in functions for _ in statements(f)) < 2:
        return []
    places = frozenset().union(*named)
    search = Search(answer, trials, retry, siblings, reference, enough, places)
    with without_a_trace():
        try:
            edits = _found(search, len(named))
        except RecursionError:  # of code that calls itself, or is nested too deep to be read
            return []
    # A name comes with a hint of its own.
    told = dict.fromkeys((edit.line, "" if named else edit.kind.asks) for edit in edits)
    return [Clue(line, _shown(answer.lines, line), asks) for line, asks in told]


def where_called(thing, name: str, calls: int, number: int) -> list[Clue]:
    """The line of the call of this name and number, from 0, where the source has just so many `calls` of it."""
    try:
        answer = Answer(thing) if _on else None
    except LeftAlone:
        answer = None
    nodes = (n for d in answer.editable for n in ast.walk(d.node)) if answer else ()
    found = [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "id", "") == name]
    if len(found) != calls:
        return []
    line = sorted(found, key=lambda n: (n.lineno, n.col_offset))[number].lineno
    return [Clue(line, _shown(answer.lines, line), "")]


def _found(search: Search, named: int) -> list[Edit]:
    """The one or two edits that help, in the order of their lines."""
    if not search.begin():
        return []
    most, pairs = {0: (SINGLES, PAIRS), 1: (NAMED, 0)}.get(named, (NAMED // 2, PAIRS // 3))
    if found := search.one(most, most if named else LONGER):
        return [found]
    return sorted(search.two(pairs) or (), key=lambda edit: edit.line)


def _shown(lines: list[str], number: int) -> str:
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
