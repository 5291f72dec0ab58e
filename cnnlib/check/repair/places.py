"""Where in a syntax tree something can be changed, and how it is changed and put back.

Trees are changed where they are: copying them would cost more than running them.
"""

import ast
import contextlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from heapq import heappop, heappush
from itertools import chain

from cnnlib.check.repair.answer import Answer, Definition, is_tick
from cnnlib.check.repair.trace import Slice, Traced, own_parts, statements

LATER = 3.0
"""What it adds to an edit's cost that it doesn't suit the symptom."""
SUSPECT = -2.0
"""What it adds that it is at the line where the code stopped, or that sets W anew."""
ELSEWHERE = 1.5
"""What it adds that it is in another method than the one that gives the result."""
USED_ONCE = 0.3
"""What it adds that it changes a name where that is used, and nowhere else: it may as well be changed where it is set."""
BY_NAME = -3.0
"""What it adds that it undoes what goes wrong in the mistake that has a name already."""


@dataclass(frozen=True, eq=False)
class Swap:
    """Something else in a field of a node; with an index, in a place of the list that is there."""

    node: ast.AST
    field: str
    new: object
    index: int | None = None

    def exchanged(self):
        """Put `new` in; return what was there."""
        if self.index is None:
            old = getattr(self.node, self.field)
            setattr(self.node, self.field, self.new)
            return old
        place = getattr(self.node, self.field)
        old, place[self.index] = place[self.index], self.new
        return old


@dataclass(frozen=True)
class Found:
    """What could stand in the place of a node, and how unlikely it is beside others of its kind.

    `new` is an expression or its text; for a statement, a list of statements; for a block, a
    function without arguments that gives the swaps. `line` is the line that it is about, if that
    is not the node's own. `cost` is at least 0.
    """

    new: object
    cost: float = 0.0
    line: int | None = None


@dataclass(frozen=True)
class Kind:
    """An entry of the table of edits.

    Parameters
    ----------
    name
        What it is called.
    on
        The types of node that it looks at.
    find
        ``find(node, at)`` yields what could stand in the node's place, bare or as `Found`.
    asks
        What the learner is asked where it helps. It must be true of the line, and not give the
        repair away.
    cost
        Edits of low cost are tried first.
    suits
        With these symptoms it is tried early.
    undoes
        The places of a right way (`cnnlib.misconceptions.changes`) at which it undoes what stands there
        in place of what is right: read forwards, the entry is a mistake, and backwards its repair.
    """

    name: str
    on: tuple[type, ...]
    find: Callable
    asks: str
    cost: float
    suits: frozenset[str]
    undoes: frozenset[str] = frozenset()


@dataclass(eq=False)
class Edit:
    """One change at one line of a function."""

    kind: Kind
    definition: Definition
    function: ast.FunctionDef
    line: int
    cost: float
    swaps: Callable[[], tuple[Swap, ...]]
    name: tuple = ()
    """What it does where; the same whatever else is changed elsewhere."""

    @contextlib.contextmanager
    def made(self):
        """The function's tree with the change in it."""
        undo = []
        try:
            for swap in self.swaps():
                undo.append((swap, swap.exchanged()))
                _locate(swap.new, self.line)
            yield
        finally:
            for swap, old in reversed(undo):
                Swap(swap.node, swap.field, old, swap.index).exchanged()


def _locate(new, line: int) -> None:
    """Give new nodes the line that they stand for."""
    for node in chain.from_iterable(map(ast.walk, new if isinstance(new, list) else [new])):
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0


class Scope:
    """A statement of a function, and what the names in it stand for."""

    def __init__(
        self,
        definition: Definition,
        function: ast.FunctionDef,
        statement,
        seen: Traced,
        windows: bool,
    ):
        self.definition, self.function, self.statement = definition, function, statement
        self.kinds = seen.kinds[function.name]
        self.windows = windows  # whether sizes are those of windows

    def of_kind(self, *kinds: str) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind in kinds]

    @cached_property
    def arrays(self) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind.startswith("array")]

    @cached_property
    def loops(self) -> list[str]:
        """The names that the loops around count with, the outermost first."""
        names = []
        for loop in statements(self.function):
            if isinstance(loop, ast.For) and any(s is self.statement for s in statements(loop)):
                names += [n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)]
        return names

    @cached_property
    def strides(self) -> list[str]:
        return self._called(r"s(tride\w*|[hwxy])?|(row|col)_step|step")

    @cached_property
    def paddings(self) -> list[str]:
        return self._called(r"p(ad\w*)?")

    def _called(self, pattern: str) -> list[str]:
        found = [
            n for n in self.of_kind("int") if re.fullmatch(rf"(self\.)?_?({pattern})", n, re.I)
        ]
        for name in self.of_kind("tuple 2"):
            if re.fullmatch(rf"(self\.)?_?({pattern})", name, re.I):
                found += [f"{name}[0]", f"{name}[1]"]
        return found

    @cached_property
    def assigns_a_sequence(self) -> bool:
        """Whether the statement gives a name to a tuple, list or text: times a number, it gets longer."""
        targets = getattr(self.statement, "targets", ())
        return any(self.is_a_sequence(target) for target in targets)

    def is_a_sequence(self, node: ast.AST) -> bool:
        return self.kinds.get(key(node), "").split(" ")[0] in ("tuple", "list", "str")

    @cached_property
    def assigns_a_number(self) -> bool:
        """Whether the statement gives a name to a whole number, such as a size."""
        if not isinstance(self.statement, ast.Assign):
            return False
        target = self.statement.targets[0]
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        return any(self.kinds.get(key(name)) == "int" for name in names)


@dataclass(frozen=True)
class Place:
    """Where a piece of code stands."""

    scope: Scope
    parents: tuple[ast.AST, ...]
    """From the statement down to the piece, without the piece."""

    def __getattr__(self, name: str):
        return getattr(self.scope, name)

    @property
    def parent(self) -> ast.AST:
        return self.parents[-1]

    @property
    def is_value(self) -> bool:
        """Whether the piece is all that is assigned or returned."""
        return self.parent is self.scope.statement and isinstance(
            self.parent, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return
        )

    @property
    def is_one_of_the_values(self) -> bool:
        """Whether it is a value, or one of several."""
        return self.is_value or (
            isinstance(self.parent, ast.Tuple)
            and self.parent is getattr(self.scope.statement, "value", None)
        )

    def argument_of(self, *names: str) -> bool:
        """Whether it is an argument of a function of such a name."""
        return isinstance(self.parent, ast.Call) and called(self.parent) in names

    def inside(self, *types: type) -> bool:
        return any(isinstance(parent, types) for parent in self.parents)


# ---------------------------------------------------------------------------- code


def key(node: ast.AST) -> str:
    """``x`` or ``self.x``; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self":
        return f"self.{node.attr}"
    return ""


def called(node: ast.AST) -> str:
    """The name of the function or method that a call calls; empty for anything else."""
    func = node.func if isinstance(node, ast.Call) else None
    return getattr(func, "attr", getattr(func, "id", ""))


def of_numpy(call: ast.Call) -> bool:
    """Whether a function of NumPy's is called, not an array's method."""
    return isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") in (
        "np",
        "numpy",
    )


def is_read(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None) or ast.Load(), ast.Load)


def code(text: str) -> ast.expr:
    """An expression, still without a line of its own."""
    return _nowhere(ast.parse(text, mode="eval").body)


def line_of_code(text: str) -> ast.stmt:
    return _nowhere(ast.parse(text).body[0])


def _nowhere(tree):
    for node in ast.walk(tree):
        for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if hasattr(node, name):
                delattr(node, name)
    return tree


# ---------------------------------------------------------------------------- all places


@dataclass(frozen=True)
class Known:
    """What a failing run showed."""

    seen: Traced
    leads: Slice | None
    """Which statements can reach the result, if that is known."""
    symptom: str
    method: str
    """The method that gives the result."""
    suspects: set[int]
    """The line where it stopped, and those that set anew what was not to be changed."""
    windows: bool
    """Whether the sizes in it are those of windows."""
    named: frozenset[str] = frozenset()
    """The places at which the mistake that has a name differs from what is right."""

    def cost(self, kind: Kind) -> float:
        """What the edits of a kind cost at least, but for where they are."""
        if kind.undoes & self.named:
            return kind.cost + BY_NAME
        return kind.cost + _later(self.symptom, kind.suits)


def edits(table: list[Kind], answer: Answer, known: Known) -> Iterator[Edit]:
    """All edits of the lines that ran and can reach the result; the likeliest first.

    They are made kind by kind, as they are asked for: most searches end early.
    """
    pieces = [
        piece
        for definition in answer.editable
        for function in definition.functions()
        if any(s.lineno in known.seen.lines for s in statements(function))
        for piece in _pieces_of(definition, function, known)
    ]
    kinds = sorted(table, key=known.cost)
    sooner = SUSPECT if known.suspects else 0
    waiting: list[tuple] = []
    for rank, kind in enumerate(kinds):
        for number, piece in enumerate(pieces):
            for count, edit in enumerate(piece.edits(kind, known)):
                # Where all else is equal, what is near the result comes first.
                heappush(waiting, (edit.cost, -edit.line, number, rank, count, edit))
        following = known.cost(kinds[rank + 1]) + sooner if rank + 1 < len(kinds) else math.inf
        while waiting and waiting[0][0] < following:
            yield heappop(waiting)[-1]


def _later(symptom: str, suits: frozenset[str]) -> float:
    if symptom in suits:
        return 0.0
    # A ratio, a sign, an order may be what a mistake of any kind comes to.
    return 1.0 if "numbers" in suits and symptom in ("permuted", "sign", "ratio", "nan") else LATER


RETURNED = 0.4
OTHERS = {"__init__", "forward", "backward"}


@dataclass(frozen=True, eq=False)
class _Piece:
    """A function, a statement or an expression that edits can be made of."""

    definition: Definition
    function: ast.FunctionDef
    node: ast.AST
    place: Scope | Place
    swaps: Callable
    returns: set[int]
    once: set[str]

    def edits(self, kind: Kind, known: Known) -> Iterator[Edit]:
        if not isinstance(self.node, kind.on):
            return
        least = known.cost(kind)
        for found in kind.find(self.node, self.place):
            found = found if isinstance(found, Found) else Found(found)
            line = found.line or self.node.lineno
            change = found.new if callable(found.new) else partial(self.swaps, found.new)
            cost = least + found.cost
            cost += RETURNED if line in self.returns else 0
            cost += (
                USED_ONCE if isinstance(self.node, ast.Name) and self.node.id in self.once else 0
            )
            cost += SUSPECT if line in known.suspects else 0
            cost += ELSEWHERE if self.function.name in OTHERS - {known.method} else 0
            at = getattr(self.node, "lineno", 0), getattr(self.node, "col_offset", 0)
            name = kind.name, at, line, _written(found.new)
            yield Edit(kind, self.definition, self.function, line, cost, change, name)


def _written(new) -> object:
    """New code, so that it can be compared."""
    if isinstance(new, list):
        return tuple(map(_written, new))
    return ast.dump(new) if isinstance(new, ast.AST) else new


def _pieces_of(definition, function, known: Known) -> Iterator[_Piece]:
    seen, leads, windows = known.seen, known.leads, known.windows

    def wanted(statement) -> bool:
        if leads is not None and statement not in leads:
            return False
        return any(s.lineno in seen.lines for s in (statement, *statements(statement))) or any(
            getattr(n, "lineno", 0) in seen.lines
            for part in own_parts(statement)
            for n in ast.walk(part)
        )

    # A mistake seldom stands in a line that does nothing but return.
    returns = {
        s.lineno
        for s in statements(function)
        if isinstance(s, ast.Return) and isinstance(s.value, ast.Name)
    }

    names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
    used, bound = (
        Counter(n.id for n in names if isinstance(n.ctx, ctx)) for ctx in (ast.Load, ast.Store)
    )
    once = {name for name in used if used[name] == bound[name] == 1}

    def piece(node, place, swaps) -> _Piece:
        return _Piece(definition, function, node, place, swaps, returns, once)

    yield piece(function, Scope(definition, function, function, seen, windows), None)
    for block, name, index, statement in _blocks(function):
        if not wanted(statement):
            continue
        scope = Scope(definition, function, statement, seen, windows)

        def other_lines(new, block=block, name=name, index=index):
            body = getattr(block, name)
            return (Swap(block, name, body[:index] + new + body[index + 1 :]),)

        yield piece(statement, scope, other_lines)
        for parents, name, index, node in _pieces(statement):

            def other_code(new, node=parents[-1], name=name, index=index):
                return (Swap(node, name, code(new) if isinstance(new, str) else new, index),)

            yield piece(node, Place(scope, parents), other_code)


def _blocks(node: ast.AST) -> Iterator[tuple[ast.AST, str, int, ast.stmt]]:
    """Every statement inside, with the list that it stands in."""
    for name in ("body", "orelse", "finalbody"):
        for index, statement in enumerate(getattr(node, name, [])):
            if isinstance(statement, ast.stmt) and not is_tick(statement):
                yield node, name, index, statement
                yield from _blocks(statement)


def _pieces(node: ast.AST, parents=()) -> Iterator[tuple[tuple, str, int | None, ast.expr]]:
    """Every expression of a statement, with its parents and where it stands in the last of them."""
    parents = (*parents, node)
    for name, value in ast.iter_fields(node):
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.expr):
                yield parents, name, index, child
            if isinstance(child, ast.expr | ast.keyword | ast.comprehension | ast.withitem):
                yield from _pieces(child, parents)
