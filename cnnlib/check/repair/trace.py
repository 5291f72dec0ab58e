"""What the learner's code does on its way to a result: which lines run, what names stand for, what leads where."""

import ast
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from cnnlib.check.repair.answer import Answer, is_tick

VIEWS = "reshape transpose swapaxes moveaxis ravel asarray squeeze sliding_window_view".split()
MOST_LINES = 100_000
"""Of a run, so many lines are looked at."""


@dataclass
class Traced:
    """What a run showed.

    `kinds` says, for each function, what its names stand for: ``{"forward": {"x": "array 4"}}``.
    What is kept on self is there under ``self.x``, for every function.
    """

    lines: set[int] = field(default_factory=set)
    kinds: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))


def traced(run: Callable[[], object], filename: str) -> Traced:
    """Call `run` and look at what the code from `filename` does meanwhile."""
    seen, count = Traced(), 0

    def look(frame, event, _):
        nonlocal count
        count += 1
        if count > MOST_LINES:
            return None
        if event == "line":
            seen.lines.add(frame.f_lineno)
        elif event == "return":
            _note(seen, frame)
        return look

    def enter(frame, event, argument):
        if frame.f_code.co_filename != filename or count > MOST_LINES:
            return None
        _note(seen, frame)  # parameters, before they may become something else
        return look

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen


def _note(seen: Traced, frame) -> None:
    function = frame.f_code.co_name
    names = dict(frame.f_locals)
    this = names.pop("self", None)
    names |= {f"self.{name}": value for name, value in getattr(this, "__dict__", {}).items()}
    for name, value in names.items():
        if value is not None and name.isascii() and not name.startswith("."):
            seen.kinds[function].setdefault(name, kind_of(value))


def kind_of(value) -> str:
    """What a value is, as far as one may stand for another."""
    if isinstance(value, np.ndarray):
        return f"array {value.ndim}"
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, int | np.integer):
        return "int"
    if isinstance(value, float | np.floating):
        return "float"
    if isinstance(value, tuple) and all(isinstance(part, int | np.integer) for part in value):
        return f"tuple {len(value)}"
    return type(value).__name__


# ---------------------------------------------------------------------------- what leads to a result


def statements(function: ast.AST) -> Iterator[ast.stmt]:
    """All statements of a function, from the top, those inside others too."""
    for name in ("body", "orelse", "finalbody"):
        for statement in getattr(function, name, []):
            if isinstance(statement, ast.stmt) and not is_tick(statement):
                yield statement
                yield from statements(statement)
    for handler in getattr(function, "handlers", []):
        yield from statements(handler)


def own_parts(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement itself, without those of the statements inside it."""
    for _, value in ast.iter_fields(statement):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.expr):
                yield part
            elif isinstance(part, ast.withitem):
                yield part.context_expr


def _yields(statement: ast.stmt) -> bool:
    parts = (part for own in own_parts(statement) for part in ast.walk(own))
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in parts)


class Slice:
    """Which statements can reach a result: read backwards from it, whatever their order.

    Names are ``"forward:x"``, ``"self.x"`` for what is kept on self, ``"return forward"`` for what a
    function gives back.
    """

    def __init__(self, answer: Answer, wanted: set[str], stopped_at: int | None = None):
        self.functions = {
            f.name: f for definition in answer.editable for f in definition.functions()
        }
        self.owner = answer.name  # what the class keeps, its layers find
        functions = [f for definition in answer.editable for f in definition.functions()]
        facts = [self._facts(f.name, s) for f in functions for s in statements(f)]
        needed = set(wanted)
        for statement, _, reads in facts:
            if statement.lineno == stopped_at:
                needed |= reads
        self.found: set[int] = set()
        before = None
        while before != (len(needed), len(self.found)):
            before = len(needed), len(self.found)
            for statement, writes, reads in facts:
                if writes & needed or statement.lineno == stopped_at:
                    self.found.add(id(statement))
                    needed |= reads
            # What decides whether a statement runs leads to its result, too.
            for statement, _, reads in facts:
                inner = (id(s) in self.found for s in statements(statement))
                if id(statement) not in self.found and any(inner):
                    self.found.add(id(statement))
                    needed |= reads

    def __contains__(self, statement: ast.stmt) -> bool:
        return id(statement) in self.found

    def _facts(self, function: str, statement: ast.stmt):
        """The statement, what it writes, what it reads."""
        writes, reads = set(), set()
        for part in own_parts(statement):
            for node in ast.walk(part):
                if key := self._key(function, node):
                    reads.add(key)
                    if key.removeprefix("self.") in self.functions:  # a property
                        reads.add(f"return {key.removeprefix('self.')}")
                    if not isinstance(node.ctx, ast.Load):
                        writes.add(key)
                elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                    writes |= self._behind(function, node)
                elif isinstance(node, ast.Call):
                    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if called in self.functions:
                        reads.add(f"return {called}")
                        parameters = self.functions[called].args.args
                        reads |= {f"{called}:{p.arg}" for p in parameters}
                        writes |= {f"{called}:{p.arg}" for p in parameters}
                    for keyword in node.keywords:
                        if keyword.arg == "out":
                            writes |= self._behind(function, keyword.value)
        if isinstance(statement, ast.Return) or _yields(statement):
            writes.add(f"return {function}")
        elif isinstance(statement, ast.AugAssign):
            writes |= self._behind(function, statement.target)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            called = [call.func.value] if isinstance(call.func, ast.Attribute) else []
            for part in (*called, *call.args):
                writes |= self._behind(function, part)
        return statement, writes, reads

    def _key(self, function: str, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name) and node.id not in ("np", "numpy", "self"):
            return f"{function}:{node.id}"
        if isinstance(node, ast.Attribute) and (
            getattr(node.value, "id", "") in ("self", self.owner)
            or ast.unparse(node.value) in ("self.__class__", "type(self)")
        ):
            return f"self.{node.attr}"
        return None

    def _behind(self, function: str, node: ast.AST, depth: int = 3) -> set[str]:
        """The array that is written into, and those of which it may be a view."""
        while self._key(function, node) is None:
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in VIEWS and node.args:
                root = getattr(getattr(node.func, "value", None), "id", "")
                node = node.args[0] if root in ("np", "numpy") else node.func
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if getattr(node.func.value, "id", "") in ("np", "numpy"):
                    return set()  # a new array
                node = node.func
            elif isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
                node = node.value
            else:
                return set()
        found = {self._key(function, node)}
        if depth and isinstance(node, ast.Name):
            for statement in statements(self.functions[function]):
                if isinstance(statement, ast.Assign) and any(
                    isinstance(part, ast.Name) and part.id == node.id
                    for target in statement.targets
                    for part in ast.walk(target)
                ):
                    parts = getattr(statement.value, "elts", [statement.value])
                    for part in parts:
                        found |= self._behind(function, part, depth - 1)
        return found
