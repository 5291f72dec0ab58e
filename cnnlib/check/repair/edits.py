"""The table of edits: small changes to code, each of which undoes a mistake that learners make.

An entry is a function that finds what could stand in the place of a piece of code. Its decorator
says which pieces it looks at, what the learner is asked where it helps, how early it is tried, and
with which symptoms (`search.symptom_of`).
"""

import ast
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache, lru_cache
from itertools import combinations, permutations

from cnnlib.check.repair.answer import is_tick
from cnnlib.check.repair.places import (
    Found,
    Kind,
    Swap,
    called,
    code,
    is_read,
    key,
    line_of_code,
    of_numpy,
)

TABLE: list[Kind] = []


def on(*types: type, asks: str, cost: float, suits: str = "", undoes: str = ""):
    """Enter a function into the table."""
    suited, undone = (frozenset(words.split()) for words in (suits, undoes))

    def enter(find: Callable) -> Callable:
        TABLE.append(Kind(find.__name__, types, find, asks, cost, suited, undone))
        return find

    return enter


# ---------------------------------------------------------------------------- names

TWINS = "hw ij yx rc kl km uv ab 01 12 mv nf nc fc pq st td dw".split()
TWIN_WORDS = [
    set(words.split())
    for words in (
        "height width",
        "top left",
        "bottom right",
        "row col",
        "rows cols",
        "row column",
        "high wide",
        "start end",
        "beta1 beta2",
    )
]


@cache
def unlike(one: str, other: str) -> float:
    """How unlike two names are: 0 for i and j, H and W, x and x_padded; 2 where nothing connects them."""
    a, b = (name.removeprefix("self.").strip("_") for name in (one, other))
    same_case = a.isupper() == b.isupper()
    a, b = a.lower(), b.lower()
    if a == b or re.fullmatch(rf"(d|g|grad_?){re.escape(b)}", a):  # a gradient, for what it is of
        return 0.0
    if len(a) == len(b):
        differ = ["".join(sorted(pair)) for pair in zip(a, b, strict=True) if len(set(pair)) > 1]
        if len(differ) == 1:
            return (
                0.0 if differ[0] in map("".join, map(sorted, TWINS)) else 1.0 if same_case else 2.0
            )
    for words in TWIN_WORDS:
        if any(w in a for w in words) and any(w in b for w in words):
            return 0.0
    if "_" in a and "_" in b and a.split("_")[-1] == b.split("_")[-1]:
        return 0.3
    if a.startswith(b) or b.startswith(a) or re.split(r"_|pad", a)[0] == re.split(r"_|pad", b)[0]:
        return 0.0
    return 2.0


@on(
    ast.Name,
    ast.Attribute,
    cost=2,
    suits="shape crash numbers",
    undoes="sides source taken_apart steps extent fed rows columns v_factor m_factor above",
    asks="Take the names in this line one by one: what does each stand for, and is it the one that you mean here?",
)
def a_name_like_it(node, at):
    name = key(node)
    kind = at.kinds.get(name)
    if kind is None or not is_read(node):
        return
    for other in at.of_kind(kind):
        if other != name:
            yield Found(other, 1.5 * unlike(name, other))


@on(
    ast.Attribute,
    cost=1,
    suits="crash kind",
    asks="Under which name will this be looked for?",
)
def under_another_name(node, at):
    if key(node) and not is_read(node):
        for name in ("self.dW", "self.db"):
            if name != key(node):
                yield Found(
                    _stored(code(name), node.ctx), 1.5 * (name.lower() != key(node).lower())
                )


def _stored(node, ctx):
    node.ctx = ctx
    return node


@on(
    ast.Assign,
    ast.AugAssign,
    ast.Return,
    cost=2.2,
    suits="shape crash numbers permuted ratio",
    undoes="count extent",
    asks="Take the names in this line one by one: what does each stand for, and is it the one that you mean here?",
)
def two_names_exchanged_here(statement, at):
    yield from _exchanged(statement, at)


def _exchanged(tree, at):
    nodes: dict[str, list] = {}
    for node in ast.walk(tree):
        if key(node) in at.kinds and is_read(node):
            nodes.setdefault(key(node), []).append(node)
    twins = [
        (one, other)
        for one, other in permutations(nodes, 2)
        if at.kinds[one] == at.kinds[other] and unlike(one, other) == 0
    ]
    for one, other in twins:
        line = min(n.lineno for n in nodes[one])
        if one < other:
            both = {one: other, other: one}
            yield Found(lambda both=both: _renamed(tree, both), 0.5, line)
            # Both of another pair: KH and KW for SH and SW.
            for new, twin in permutations(at.of_kind(at.kinds[one]), 2):
                if unlike(new, twin) == 0 and unlike(one, new) <= 1 and unlike(other, twin) <= 1:
                    if (
                        not {new, twin} & {one, other}
                        and new[-1] == one[-1]
                        and twin[-1] == other[-1]
                    ):
                        both = {one: new, other: twin}
                        yield Found(lambda both=both: _renamed(tree, both), 0.6, line)
        if len(nodes[one]) > 1:
            yield Found(lambda names={one: other}: _renamed(tree, names), 0.0, line)


def _renamed(function, names: dict[str, str]) -> tuple[Swap, ...]:
    swaps = []
    for parent in ast.walk(function):
        for name, value in ast.iter_fields(parent):
            for k, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.AST) and key(node) in names and is_read(node):
                    swaps.append(Swap(parent, name, code(names[key(node)]), k))
    return tuple(swaps)


# ---------------------------------------------------------------------------- rows and columns

SIDES = "hw ij rc yx kl km uv ab pq".split()
SIDE_WORDS = [
    words.split()
    for words in (
        "height width",
        "top left",
        "bottom right",
        "rows columns",
        "rows cols",
        "row col",
    )
]


@cache
def _are_twins(one: str, other: str) -> bool:
    """Whether two names stand for the same thing of rows and of columns: KH and KW, top and left."""
    a, b = (name.removeprefix("self.").lower() for name in (one, other))
    return one != other and any(
        first in a and a.replace(first, second) == b
        for pair in (*SIDES, *SIDE_WORDS)
        for first, second in permutations(pair)
    )


@lru_cache(maxsize=8)
def _twins(function) -> dict[str, str]:
    """For each name of a function that is about rows, the one about columns, and the other way round."""
    names = list(dict.fromkeys(key(n) for n in ast.walk(function) if key(n)))
    twins = ((one, other) for one in names for other in names if _are_twins(one, other))
    return dict(reversed(list(twins)))  # of several, the first


class _Mirrored(ast.NodeTransformer):
    """The same code with rows and columns exchanged."""

    def __init__(self, twins: dict[str, str]):
        self.twins = twins

    def visit(self, node):
        if key(node) in self.twins and is_read(node):
            return code(self.twins[key(node)])
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            last = "shape" in ast.unparse(node.value)
            places = {2: 3, 3: 2, -1: -2, -2: -1} if last else {0: 1, 1: 0}
            place = places.get(node.slice.value, node.slice.value)
            return ast.Subscript(self.visit(node.value), ast.Constant(place), node.ctx)
        return self.generic_visit(node)


def _mirrored(node, at):
    return _Mirrored(_twins(at.function)).visit(deepcopy(node))


@on(
    ast.Tuple,
    ast.Call,
    ast.Assign,
    ast.For,
    cost=1.5,
    suits="shape numbers crash nan",
    asks="What does your code do with rows, and what with columns? Is it the same here, but for the names?",
)
def like_its_twin(node, at):
    """What is done with rows where columns are meant, or the other way round, as its twin does it."""
    if isinstance(node, ast.Assign | ast.For):
        field = "value" if isinstance(node, ast.Assign) else "iter"
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        named = _twins(at.function).get(key(target))
        for other in ast.walk(at.function) if named else ():
            if isinstance(other, type(node)):
                its = other.targets[0] if isinstance(other, ast.Assign) else other.target
                new = _mirrored(getattr(other, field), at) if key(its) == named else None
                if new is not None and ast.dump(new) != ast.dump(getattr(node, field)):
                    yield Found(lambda new=new: (Swap(node, field, new),))
        return
    parts = node.elts if isinstance(node, ast.Tuple) else node.args
    for k, m in permutations(range(len(parts)), 2):
        new = _mirrored(parts[m], at) if abs(k - m) == 1 else parts[k]
        if ast.dump(new) not in (ast.dump(parts[k]), ast.dump(parts[m])):
            others = [*parts[:k], new, *parts[k + 1 :]]
            if isinstance(node, ast.Tuple):
                yield ast.Tuple(others, node.ctx)
            else:
                yield ast.Call(node.func, others, node.keywords)


@on(
    ast.Tuple,
    ast.List,
    cost=2.2,
    suits="shape crash permuted numbers",
    undoes="axes back flat found",
    asks="In which order do these stand, and which of them belongs to which?",
)
def swapped_in_a_tuple(node, at):
    if 2 <= len(node.elts) <= 6:
        for k, m in combinations(range(len(node.elts)), 2):
            if ast.dump(node.elts[k]) != ast.dump(node.elts[m]):
                elts = list(node.elts)
                elts[k], elts[m] = elts[m], elts[k]
                yield Found(type(node)(elts, node.ctx), 0.3 * (m - k - 1))


@on(ast.Tuple, cost=1, suits="shape crash kind", asks="What does the check want back from here?")
def one_of_several(node, at):
    if isinstance(at.parent, ast.Return):
        yield from node.elts


@on(
    ast.Call,
    cost=3,
    suits="shape crash permuted",
    undoes="axes back flat found",
    asks="In which order does this call take its arguments?",
)
def arguments_exchanged(node, at):
    for k, m in combinations(range(len(node.args)), 2):
        if ast.dump(node.args[k]) != ast.dump(node.args[m]):
            args = list(node.args)
            args[k], args[m] = args[m], args[k]
            yield ast.Call(node.func, args, node.keywords)


# ---------------------------------------------------------------------------- calculations

OTHER_OPERATIONS = {
    ast.Add: (ast.Mult, ast.Sub),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.MatMult, ast.Div, ast.Add),
    ast.MatMult: (ast.Mult,),
    ast.Div: (ast.FloorDiv, ast.Mult, ast.Sub),
    ast.FloorDiv: (ast.Div, ast.Mod, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}


@on(
    ast.BinOp,
    cost=1.5,
    suits="ratio numbers shape crash",
    undoes="heard division factor mask",
    asks="Which quantities belong in this calculation, and which don't?",
)
def an_operand_less(node, at):
    yield node.left
    yield Found(node.right, 1.0)
    if isinstance(node.op, ast.Sub):
        yield Found(ast.UnaryOp(ast.USub(), node.right), 2.0)


@on(
    ast.BinOp,
    cost=2.5,
    suits="numbers crash sign kind shape ratio",
    undoes="sign bias difference moved_by direction",
    asks="Which operations does this line carry out, and on which numbers?",
)
def another_operation(node, at):
    for op in OTHER_OPERATIONS.get(type(node.op), ()):
        yield ast.BinOp(node.left, op(), node.right)
    if isinstance(node.op, ast.Mult) and getattr(node.right, "value", 0) == 2:
        yield ast.BinOp(node.left, ast.Pow(), node.right)  # one star in place of two


@on(
    ast.AugAssign,
    cost=2,
    suits="numbers sign",
    asks="What does this line do with what was there before?",
)
def another_operation_in_place(node, at):
    for op in OTHER_OPERATIONS.get(type(node.op), ()):
        yield [ast.AugAssign(node.target, op(), node.value)]


@on(
    ast.BinOp,
    cost=3,
    suits="sign shape crash",
    undoes="difference",
    asks="Which of the two comes first in this calculation?",
)
def operands_exchanged(node, at):
    if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.MatMult):
        yield ast.BinOp(node.right, node.op, node.left)


@on(
    ast.BinOp,
    cost=2.5,
    suits="shape numbers ratio",
    asks="In which order does Python work this line out? Put brackets around what it takes together.",
)
def other_brackets(node, at):
    left, right = node.left, node.right
    if isinstance(right, ast.BinOp):
        yield ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right)
        if isinstance(right.left, ast.BinOp):
            inner = ast.BinOp(left, node.op, right.left.left)
            inner = ast.BinOp(inner, right.left.op, right.left.right)
            yield ast.BinOp(inner, right.op, right.right)
    if isinstance(left, ast.BinOp):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right))
        if isinstance(left.right, ast.BinOp):  # a - b // c becomes (a - b) // c
            inner = ast.BinOp(
                ast.BinOp(left.left, left.op, left.right.left), left.right.op, left.right.right
            )
            yield ast.BinOp(inner, node.op, right)


@on(
    ast.expr,
    cost=3,
    suits="sign",
    undoes="sign difference losses",
    asks="Which sign should these numbers have?",
)
def another_sign(node, at):
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif at.is_value and not isinstance(node, ast.Tuple):
        yield ast.UnaryOp(ast.USub(), node)


@on(
    ast.Constant,
    cost=2,
    suits="shape numbers ratio crash nan",
    undoes="mean share kept size shift step",
    asks="Where does each number in this line come from? Try it out on a small case.",
)
def another_number(node, at):
    value = node.value
    if at.argument_of("where", "maximum", "minimum", "multiply"):
        yield from at.arrays
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int) and abs(value) < 100:
        near = [value + 1, value - 1, -value, 0, 2] if value >= 0 else [value + 1, -value]
        for k, other in enumerate(dict.fromkeys(near)):
            if other != value:
                yield Found(str(other), 0.3 * k)
        for name in at.of_kind("int"):  # a size that is written in
            yield Found(name, 1.2 if value > 1 else 2.0)
    elif isinstance(value, float):
        for other in dict.fromkeys([0.0, 1.0, 2.0, 0.5, value * 2, value / 2]):
            if other != value:
                yield Found(ast.Constant(other), 1.0)
    if not isinstance(value, bool) and value in (0, 1e-12):
        yield Found("-float('inf')", 0.5)


@on(
    ast.expr,
    cost=2.5,
    suits="shape numbers crash",
    asks="What are the first and the last value here? Write them down for a small case.",
)
def one_more_or_less(node, at):
    if not is_read(node) or isinstance(node, ast.Constant | ast.Tuple | ast.Slice | ast.Starred):
        return
    if (
        isinstance(at.parent, ast.Slice)
        or at.argument_of("range", "ndindex")
        or (at.is_one_of_the_values and at.assigns_a_number)
    ):
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1))
    elif (
        isinstance(at.parent, ast.BinOp)
        and isinstance(at.parent.op, ast.Sub | ast.Pow)
        and key(node)
    ):
        yield Found(ast.BinOp(node, ast.Add(), ast.Constant(1)), 1.0)
        yield Found(ast.BinOp(node, ast.Sub(), ast.Constant(1)), 1.0)


@on(
    ast.expr,
    cost=2,
    suits="ratio",
    undoes="summary mean share division count",
    asks="Is this a sum or a mean? Say what, if anything, it has to be divided by, and how many times that is done already.",
)
def divided_by_a_count(node, at):
    if called(node) == "mean":
        total = ast.Call(
            ast.Attribute(node.func.value, "sum", ast.Load()), node.args, node.keywords
        )
        for count in _counts(at):
            yield Found(ast.BinOp(total, ast.Div(), code(count)), 0.5)
    if isinstance(node, ast.Tuple | ast.Constant) or not is_read(node):
        return
    if not (at.is_value or isinstance(at.parent, ast.BinOp)):
        return
    if at.assigns_a_sequence or at.is_a_sequence(node):
        return
    unlikely = 0.0 if at.is_value else 2.0
    for count in _counts(at):
        yield Found(ast.BinOp(node, ast.Div(), code(count)), unlikely)
        yield Found(ast.BinOp(node, ast.Mult(), code(count)), unlikely + 0.5)


def _counts(at) -> list[str]:
    """What people divide by: how many pictures there are, how many numbers are in a window."""
    counts = [
        n
        for n in at.of_kind("int")
        if re.fullmatch(r"(self\.)?_?(n|m|b|d|k|t|batch\w*|num\w*|steps?)", n, re.I)
    ]
    rows = [n for n in at.arrays if re.search(r"\b(x|dy|dout|labels|logits|y|p|probs|d|a)$", n)]
    counts += [f"len({n})" for n in rows[: 1 if counts else 2]]
    for high in at.of_kind("int"):
        wide = re.sub("height", "width", high.replace("H", "W").replace("h", "w"))
        if re.search(r"k|pool|size|f|height", high, re.I) and wide != high and wide in at.kinds:
            counts.append(f"({high} * {wide})")
    for name, kind in at.kinds.items():
        if kind == "tuple 2" and re.search("k|pool|size", name, re.I):
            counts.append(f"({name}[0] * {name}[1])")
        if kind == "int" and re.fullmatch(r"(self\.)?_?(k|size|kernel\w*|pool\w*)", name, re.I):
            counts.append(f"({name} * {name})")
    return counts


@on(
    ast.expr,
    cost=3.3,
    suits="ratio numbers",
    undoes="heard seen slopes",
    asks="Is everything in this line on which these numbers depend?",
)
def a_factor_more(node, at):
    """What the function already reads somewhere, once more."""
    if (
        not (at.is_value or at.argument_of("sum"))
        or isinstance(node, ast.Tuple)
        or not is_read(node)
        or at.assigns_a_sequence
    ):
        return
    if at.kinds.get(key(node)) == "int" or at.assigns_a_number:
        for k, name in enumerate(at.of_kind("int")):
            yield Found(ast.BinOp(node, ast.Mult(), code(name)), 0.5 + 0.1 * k)
        return
    seen = dict.fromkeys(at.of_kind("float"))
    seen |= dict.fromkeys(
        n for n in at.arrays if re.fullmatch(r"dy|dout|grad\w*|d_out|g|.*(mask|positive).*", n)
    )
    for part in ast.walk(at.function):
        if isinstance(part, ast.Subscript) and is_read(part) and key(part.value) in at.arrays:
            seen.setdefault(ast.unparse(part))
    own = ast.unparse(node)
    for k, text in enumerate([t for t in seen if t != own][:10]):
        yield Found(ast.BinOp(node, ast.Mult(), code(text)), 0.1 * k)
    for name in at.of_kind("float"):
        yield Found(ast.BinOp(node, ast.Div(), code(name)), 1.0)


@on(
    ast.Name,
    ast.Attribute,
    cost=2.5,
    suits="numbers nan ratio",
    undoes="new_v quotient length",
    asks="To which power does each quantity in this line come in?",
)
def to_another_power(node, at):
    if is_read(node) and isinstance(at.parent, ast.BinOp) and not isinstance(at.parent.op, ast.Pow):
        if at.kinds.get(key(node), "")[:5] in ("array", "float"):
            yield Found(f"{key(node)} ** 2", 0.5)
            if at.kinds[key(node)] == "float":
                yield f"(1 - {key(node)})"
            for count in [n for n in at.of_kind("int") if re.search(r"step|\bt\b|count|iter", n)]:
                yield Found(f"{key(node)} ** {count}", 0.5)


@on(
    ast.expr,
    cost=2,
    suits="numbers",
    undoes="bias biased",
    asks="How many times does the bias enter each output, and which of its numbers is it?",
)
def the_bias(node, at):
    if not at.is_value or "self.b" not in at.kinds or at.function.name == "backward":
        return
    if called(node) in ("zeros", "empty", "zeros_like", "empty_like"):
        return
    filters = [n for n in at.loops if re.fullmatch("f|k|filter|o|oc|out_c|c_out", n)]
    biases = [f"self.b[{f}]" for f in filters]
    for k, bias in enumerate([*biases, "self.b", "self.b[:, None, None]"]):
        yield Found(ast.BinOp(node, ast.Add(), code(bias)), 0.7 * k)


@on(
    ast.expr,
    cost=1.5,
    suits="nan",
    undoes="shift",
    asks="What does this line make of numbers as large as 1000, and of rows that are very different?",
)
def minus_the_largest(node, at):
    largest = "(%s).max(axis=1, keepdims=True)"
    if at.argument_of("exp"):
        text = ast.unparse(node)
        yield code(f"({text}) - {largest % text}")
    if at.is_value and at.kinds.get(key(node)) == "array 2" and at.function.name != "backward":
        yield code(f"{key(node)} - {largest % key(node)}")
    if called(node) in ("max", "amax") and isinstance(node.func, ast.Attribute):
        inner = node.args[0] if of_numpy(node) and node.args else node.func.value
        yield code(largest % ast.unparse(inner))


@on(
    ast.Compare,
    cost=2,
    suits="numbers",
    undoes="kept slopes mask",
    asks="What does this comparison say where the two are equal, and where they are not?",
)
def another_comparison(node, at):
    others = {
        ast.Gt: (ast.GtE, ast.Lt),
        ast.GtE: (ast.Gt, ast.LtE),
        ast.Lt: (ast.LtE, ast.Gt),
        ast.LtE: (ast.Lt, ast.GtE),
        ast.Eq: (ast.NotEq, ast.GtE),
        ast.NotEq: (ast.Eq,),
    }
    for op in others.get(type(node.ops[0]), ()):
        yield ast.Compare(node.left, [op()], node.comparators)
    for mask in [n for n in at.arrays if re.search("mask|positive", n)]:
        yield from (Found(mask, 1.0), Found(f"~{mask}", 1.0))


# ---------------------------------------------------------------------------- windows

WHERE_WINDOWS_BEGIN = "Where does each window begin? Work it out for a stride of 2."


@on(ast.expr, cost=1.5, suits="numbers shape crash", undoes="start", asks=WHERE_WINDOWS_BEGIN)
def an_index_times_the_stride(node, at):
    if isinstance(node, ast.Name) and node.id in at.loops and is_read(node):
        begins = at.inside(ast.Slice) or at.is_one_of_the_values
        begins |= isinstance(getattr(at.parent, "op", None), ast.Add | ast.Sub)
        indexes = at.inside(ast.Subscript) and not isinstance(at.parent, ast.BinOp)
        if begins or indexes:
            for stride in at.strides:
                cost = _crosswise(node.id, stride) + (0.0 if begins else 1.5)
                yield Found(ast.BinOp(node, ast.Mult(), code(stride)), cost)
    elif at.kinds.get(key(node)) == "int" and isinstance(getattr(at.parent, "op", None), ast.Add):
        if key(node) not in at.strides:
            for stride in at.strides:
                yield Found(ast.BinOp(node, ast.Mult(), code(stride)), 1.5)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for index in (node.left, node.right):
            if key(index) in at.loops:
                for stride in at.strides:
                    yield Found(ast.BinOp(index, ast.Mult(), code(stride)), 0.5)


def _crosswise(index: str, stride: str) -> float:
    """1 if the names say that index and stride belong to different axes."""
    a, s = index[-1].lower(), stride[-1].lower()
    return float((a in "ihyr" and s in "wx") or (a in "jwxc" and s in "hy"))


@on(
    ast.Assign,
    ast.AugAssign,
    ast.For,
    cost=1.5,
    suits="numbers shape crash",
    undoes="start",
    asks=WHERE_WINDOWS_BEGIN,
)
def indices_times_the_strides(statement, at):
    """The indices of a window, wherever a statement or a loop's body reads them, or slices by them."""
    inside = statement.body if isinstance(statement, ast.For) else [statement]
    if any(isinstance(s, ast.For) for s in inside):
        return
    assigned = [s for s in inside if isinstance(s, ast.Assign | ast.AugAssign)]
    loops = at.loops
    if isinstance(statement, ast.For):
        loops = loops + [n.id for n in ast.walk(statement.target) if isinstance(n, ast.Name)]
    begins = {n.id for s in assigned for n, _ in _beginnings(s) if n.id in loops}
    lines = [s.lineno for s in assigned if any(n.id in begins for n, _ in _beginnings(s))]
    if len(lines) < (2 if isinstance(statement, ast.For) else 1):
        return
    indices = [i for i in dict.fromkeys(loops) if i in begins][-2:]
    strides = [(s, s) for s in at.strides]
    strides += [(s, t) for s, t in combinations(at.strides, 2) if unlike(s, t) == 0]
    for s, t in strides:
        each = dict(zip(indices, (s, t), strict=False))
        for names in [each] + [{i: each[i]} for i in each if len(each) > 1]:
            for whole in (False, True):
                yield Found(
                    lambda names=names, whole=whole: _strided(assigned, names, whole),
                    0.0 if names is each else 0.5,
                    lines[0],
                )


def _beginnings(statement):
    """The names with which a slice begins or ends, that are added to, or that are all of a value."""
    value = statement.value
    if isinstance(value, ast.Name):
        yield value, statement
    for part in ast.walk(statement):
        sums = isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add)
        if (
            sums
            or isinstance(part, ast.Slice)
            or called(part) == "slice"
            or (part is value and isinstance(value, ast.Tuple))
        ):
            for node in ast.iter_child_nodes(part):
                if isinstance(node, ast.Name):
                    yield node, part


def _strided(lines: list, strides: dict[str, str], whole: bool) -> tuple[Swap, ...]:
    swaps = []
    for line in lines:
        within = {id(parent) for _, parent in _beginnings(line)}
        for parent in ast.walk(line):
            product = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult)
            if product or not (whole or id(parent) in within):
                continue
            for name, value in ast.iter_fields(parent):
                for k, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                    if isinstance(node, ast.Name) and node.id in strides and is_read(node):
                        product = ast.BinOp(node, ast.Mult(), code(strides[node.id]))
                        swaps.append(Swap(parent, name, product, k))
    return tuple(swaps)


@on(
    ast.expr,
    cost=2.5,
    suits="shape crash numbers",
    undoes="size first visits",
    asks="How many windows fit? Count them for a small map, with this kernel, stride and padding.",
)
def how_many_windows(node, at):
    """The right number takes the place of whatever is calculated there."""
    given = [p.arg for p in at.function.args.args[1:2] if at.kinds.get(p.arg) == "array 4"]
    if not at.windows or not given or not is_read(node) or isinstance(node, ast.Tuple):
        return
    if at.function.name == "forward":
        sizes = [f"__windows__(self, {given[0]}, {axis})" for axis in (2, 3)]
    else:
        sizes = [f"{given[0]}.shape[{axis}]" for axis in (2, 3)]
    if called(node) == "range" and len(node.args) > 1:
        yield from (Found(f"range({size})", 0.5) for size in sizes)
    if at.is_one_of_the_values and at.assigns_a_number:
        yield from sizes
    elif at.argument_of("range", "ndindex"):
        yield from (Found(size, 1.0) for size in sizes)


@on(
    ast.expr,
    cost=2,
    suits="shape crash numbers",
    undoes="cropped canvas",
    asks="Which part of the padded array is the picture? Try it with a padding of 0, of 1 and of 2.",
)
def the_crop(node, at):
    if not at.is_value or not at.paddings or at.function.name == "forward":
        return
    inner = node.value if isinstance(node, ast.Subscript) else node
    if at.kinds.get(key(inner)) not in ("array 3", "array 4"):
        return
    for p in at.paddings:
        a, whole = key(inner), ast.Subscript(inner, None, ast.Load())
        inside = [code(f"{a}[{p} : {a}.shape[{axis}] - {p}]").slice for axis in (-2, -1)]
        yield _picked(whole, [ast.Constant(...), *inside])
        others = _parts(node)[:-2] if inner is not node else ()
        if others:
            yield _picked(node, [*others, *inside])


@on(
    ast.expr,
    cost=2.5,
    suits="shape crash numbers",
    undoes="source sides",
    asks="Where do the zeros around the picture go: on which sides, along which axes, and how many?",
)
def the_padding(node, at):
    if not at.paddings or not is_read(node):
        return
    inner = None
    if called(node) == "pad" and node.args:
        inner = node.args[0]
    elif (
        at.is_value
        and at.kinds.get(key(node)) == "array 4"
        and not isinstance(at.statement, ast.Return)
    ):
        inner = node
    if inner is not None:
        for p in at.paddings:
            yield f"__np__.pad({ast.unparse(inner)}, ((0, 0), (0, 0), ({p}, {p}), ({p}, {p})))"


def _parts(node: ast.Subscript) -> list:
    """What stands in the brackets, axis by axis."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _picked(node: ast.Subscript, parts: list) -> ast.Subscript:
    """The same with other brackets."""
    inside = ast.Tuple(parts, ast.Load()) if len(parts) > 1 else parts[0]
    return ast.Subscript(node.value, inside, node.ctx)


WHICH_PART = "Which part of the array does this line take: from where to where, and in what steps?"


@on(
    ast.Slice,
    cost=2.5,
    suits="numbers shape crash",
    undoes="route extent window cropped",
    asks=WHICH_PART,
)
def another_slice(node, at):
    lower, upper, step = node.lower, node.upper, node.step
    if step is not None:
        yield ast.Slice(lower, upper, None)
    if upper is not None:
        yield ast.Slice(lower, None, step)
    if lower is not None:
        yield ast.Slice(None, upper, step)
    if step is None:
        for stride in at.strides:
            yield Found(ast.Slice(lower, upper, code(stride)), 0.5)
    names = {key(n) for n in ast.walk(lower or ast.Slice()) if key(n)}
    for name in sorted(names & {key(n) for n in ast.walk(upper or ast.Slice())}):
        for other in at.of_kind(at.kinds.get(name, "")):
            if other != name and unlike(name, other) < 2:
                yield Found(lambda node=node, names={name: other}: _renamed(node, names), 0.0)
    if lower is not None and upper is not None:
        for size in at.of_kind("int"):
            if re.search(r"k|f|pool|size|h|w", size, re.I) and not size.islower():
                yield Found(ast.Slice(lower, ast.BinOp(lower, ast.Add(), code(size)), step), 0.5)


@on(
    ast.Subscript,
    cost=2,
    suits="numbers shape crash permuted",
    undoes="chosen thinned step start",
    asks=WHICH_PART,
)
def slices_with_the_stride(node, at):
    """a : a + n, along two axes or more, becomes a : a + n·stride : stride."""
    parts = _parts(node)
    plain = [p for p in parts if isinstance(p, ast.Slice) and p.lower and p.upper and not p.step]
    first = [ast.unparse(p.lower) for p in plain]
    last = [ast.unparse(p.upper) for p in plain]
    many = [end.removeprefix(f"{begin} + ") for begin, end in zip(first, last, strict=True)]
    for stride in at.strides if len(plain) > 1 else ():
        ends = [last]
        if all(n != end for n, end in zip(many, last, strict=True)):
            ends.append([f"{k} + ({n}) * {stride}" for k, n in zip(first, many, strict=True)])
        for end in ends:
            new = iter(code(f"a[{k}:{e}:{stride}]").slice for k, e in zip(first, end, strict=True))
            yield _picked(node, [next(new) if p in plain else p for p in parts])


WHAT_INDICES = "What do the indices in this line pick out, along each axis?"


@on(
    ast.Subscript,
    cost=2.5,
    suits="shape numbers crash",
    undoes="pictures weights heard y dy route source",
    asks=WHAT_INDICES,
)
def another_index(node, at):
    if is_read(node):
        yield node.value
        local = [n for n in at.arrays if not n.startswith("self.")]
        yield from (Found(name, 1.5) for name in local[-6:])
    parts = _parts(node)
    ndim = (
        int(at.kinds.get(key(node.value), "array 0")[-1:] or 0)
        if key(node.value) in at.arrays
        else 0
    )
    if isinstance(node.slice, ast.Tuple) and len(parts) < ndim:
        for stride in at.strides:
            yield _picked(node, [*parts, ast.Slice(None, None, code(stride))])
    if len(parts) == 1 and ndim == 2 and at.kinds.get(key(parts[0])) == "array 1":
        yield _picked(node, [*parts, code(f"__np__.arange(len({key(parts[0])}))")])
    for k, part in enumerate(parts):
        others = []
        if isinstance(part, ast.Slice) and len(parts) == 2:
            rows = [p for p in parts if at.kinds.get(key(p)) == "array 1"]
            others += [code(f"__np__.arange(len({key(row)}))") for row in rows]
        if isinstance(part, ast.Slice) and not (part.lower or part.upper or part.step):
            others += [code(i) for i in at.loops]
        elif isinstance(part, ast.Constant) and isinstance(part.value, int):
            others = [ast.Slice(), *(code(i) for i in at.loops)]
        elif isinstance(part, ast.Name) and part.id in at.loops:
            others = [ast.Slice()]
        for other in others:
            yield _picked(node, [*parts[:k], other, *parts[k + 1 :]])


@on(
    ast.Name,
    ast.Attribute,
    cost=2.5,
    suits="shape numbers crash",
    asks="What does each array in this line hold, and which part of it is meant here?",
)
def an_index_more(node, at):
    if key(node) in at.arrays and is_read(node):
        if at.is_value and at.kinds[key(node)] in ("array 4", "array 6"):
            for stride in at.strides:
                yield f"{key(node)}[:, :, ::{stride}, ::{stride}]"
        if not isinstance(at.parent, ast.Subscript | ast.Attribute):
            for index in at.loops:
                yield Found(f"{key(node)}[{index}]", 1.5)


@on(
    ast.Name,
    ast.Attribute,
    cost=2.5,
    suits="shape crash numbers",
    undoes="bias",
    asks="How does NumPy line up the shapes in this line? Write them below each other, from the right.",
)
def an_axis_more(node, at):
    if key(node) in at.arrays and is_read(node) and isinstance(at.parent, ast.BinOp):
        more = {"array 1": ("[:, None, None]", "[:, None]"), "array 2": ("[:, :, None, None]",)}
        for axes in more.get(at.kinds[key(node)], ()):
            yield key(node) + axes


# ---------------------------------------------------------------------------- arrays


@on(
    ast.Call,
    cost=1.5,
    suits="shape crash permuted numbers",
    undoes="flat back canvas",
    asks="Which shape comes out of this line, and where does each number end up in it?",
)
def of_a_known_shape(node, at):
    name = called(node)
    if name in ("zeros_like", "ones_like", "empty_like"):
        for array in at.arrays:
            yield Found(ast.Call(node.func, [code(array), *node.args[1:]], node.keywords), 0.5)
    if name not in ("reshape", "zeros", "ones", "empty", "full", "resize", "broadcast_to"):
        return
    shapes = [n for n, kind in at.kinds.items() if kind.startswith("tuple ")]
    shapes += [f"{n}.shape" for n in at.arrays]
    before, after, keywords = [], node.args[1:], node.keywords
    if name in ("reshape", "resize", "broadcast_to"):
        shapes += [f"(len({p.arg}), -1)" for p in at.function.args.args[1:2]]
        before, after, keywords = (node.args[:1] if of_numpy(node) else []), [], []
    for shape in shapes:
        yield ast.Call(node.func, [*before, code(shape), *after], keywords)


@on(
    ast.Compare,
    cost=2,
    suits="numbers ratio",
    undoes="share spread",
    asks="If two pixels of a window are the largest, what does this line make of each of them?",
)
def shared_among_all(node, at):
    if len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        found = ast.unparse(node)
        yield f"(({found}) / ({found}).sum(axis=(-2, -1), keepdims=True))"


@on(
    ast.expr,
    cost=3,
    suits="permuted shape crash",
    undoes="weights heard axes order windows",
    asks="In which order does this line go through its numbers, or through its list?",
)
def turned_round(node, at):
    if called(node) in ("reversed", "flip", "fliplr", "flipud", "rot90") and node.args:
        yield node.args[0]
    if called(node) in ("flip", "rot90") and at.kinds.get(key(node.args[0])) == "array 4":
        axes = ast.keyword("axis" if called(node) == "flip" else "axes", code("(2, 3)"))
        yield ast.Call(node.func, node.args, [axes])
    if isinstance(node, ast.Subscript) and "::-1" in ast.unparse(node.slice):
        as_they_lie = [ast.Slice() if ast.unparse(p) == "::-1" else p for p in _parts(node)]
        yield _picked(node, as_they_lie)
        return
    if isinstance(at.statement, ast.For) and node is at.statement.iter:
        yield f"list({ast.unparse(node)})[::-1]"
        return
    if not is_read(node) or isinstance(at.parent, ast.Attribute | ast.Subscript):
        return
    if at.kinds.get(key(node)) == "list" and at.is_value:
        yield f"{key(node)}[::-1]"
    kind, text = at.kinds.get(key(node), ""), key(node)
    if isinstance(node, ast.Subscript) and at.kinds.get(key(node.value)) == "array 4":
        kind, text = "part of 4", ast.unparse(node)
    for axes in {
        "array 4": ("[:, :, ::-1, ::-1]", "[:, :, ::-1]", "[..., ::-1]"),
        "part of 4": ("[..., ::-1, ::-1]",),
        "array 2": ("[::-1]", "[:, ::-1]", "[::-1, ::-1]"),
        "array 1": ("[::-1]",),
    }.get(kind, ()):
        yield Found(text + axes, 1.0)


@on(
    ast.expr,
    cost=2,
    suits="crash shape permuted numbers",
    undoes="weights axes flat back order maps heard",
    asks="Write the shape of each array below this line: which axis is which?",
)
def transposed(node, at):
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    if called(node) in ("transpose", "swapaxes", "moveaxis"):
        yield node.args[0] if of_numpy(node) and node.args else node.func.value
        numbers = [a.value for a in node.args if isinstance(a, ast.Constant)]
        if called(node) == "transpose" and len(numbers) == len(node.args) == 4:
            for order in permutations(range(4)):
                near = sum(p != q for p, q in zip(order, numbers, strict=True))
                if near:
                    yield Found(
                        ast.Call(node.func, [ast.Constant(p) for p in order], []), 0.5 * near
                    )
        if called(node) == "transpose" and len(numbers) == len(node.args) > 4:
            for k, m in permutations(range(len(numbers)), 2):
                order = numbers[:k] + numbers[k + 1 :]
                order.insert(m, numbers[k])
                yield Found(ast.Call(node.func, [ast.Constant(p) for p in order], []), 0.5)
    product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
    if (product or called(node) in ("dot", "matmul", "outer")) and not isinstance(
        at.parent, ast.Attribute
    ):
        yield ast.Attribute(node, "T", ast.Load())
    if called(node) == "reshape" and not of_numpy(node):
        turned = ast.Attribute(node.func.value, "T", ast.Load())
        yield Found(
            ast.Call(ast.Attribute(turned, "reshape", ast.Load()), node.args, node.keywords), 0.5
        )
    if not is_read(node):
        return
    kind = at.kinds.get(key(node))
    if kind == "array 2" and not isinstance(at.parent, ast.Attribute):
        yield ast.Attribute(node, "T", ast.Load())
    if kind == "array 4" and isinstance(at.parent, ast.Attribute) and at.parent.attr == "reshape":
        for order in ((0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 2, 3), (0, 1, 3, 2), (1, 2, 3, 0)):
            yield Found(f"{key(node)}.transpose{order}", 1.0)
    if called(node) == "reshape" and len(node.args) == 2 and not of_numpy(node):
        turned = ast.Call(node.func, node.args[::-1], [])
        yield Found(ast.Attribute(turned, "T", ast.Load()), 0.5)
    if called(node) == "reshape" and len(node.args) >= 4 and not of_numpy(node):
        moved = ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], [])
        yield Found(
            ast.Call(ast.Attribute(moved, "swapaxes", ast.Load()), [code("0"), code("1")], []), 0.5
        )
    if called(node) == "reshape" and len(node.args) == 4:
        for order, back in (((0, 2, 3, 1), (0, 3, 1, 2)), ((0, 3, 1, 2), (0, 2, 3, 1))):
            inner = ast.Call(node.func, [node.args[k] for k in order], [])
            yield Found(
                ast.Call(
                    ast.Attribute(inner, "transpose", ast.Load()),
                    [ast.Constant(k) for k in back],
                    [],
                ),
                1.0,
            )
    if called(node) == "reshape" and at.is_value:
        for order in ((0, 3, 1, 2), (0, 2, 3, 1), (1, 0, 2, 3), (0, 1, 3, 2)):
            yield Found(f"({ast.unparse(node)}).transpose{order}", 0.5)
        yield Found(ast.Attribute(node, "T", ast.Load()), 1.0)


@on(
    ast.Call,
    cost=2,
    suits="numbers ratio crash permuted shape",
    undoes="summary losses drawn",
    asks="What does each call in this line do to the numbers, and should it?",
)
def a_call_less(node, at):
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
    if (
        isinstance(node.func, ast.Attribute)
        and not of_numpy(node)
        and key(node.func.value) != "self"
    ):
        yield node.func.value


@on(
    ast.expr,
    cost=3,
    suits="numbers shape nan sign changed kind",
    asks="What has to be done with the numbers in this line, and is all of it there?",
)
def a_call_more(node, at):
    kind = at.kinds.get(key(node), "")
    whole = at.is_value or isinstance(at.parent, ast.BinOp | ast.Call | ast.Attribute)
    if not is_read(node) or not whole or isinstance(node, ast.Constant | ast.Tuple):
        return
    if kind.startswith("array") or (not kind and isinstance(node, ast.BinOp)):
        text = ast.unparse(node)
        for function in ("abs", "exp", "log", "sqrt"):
            yield Found(f"__np__.{function}({text})", 0.0 if at.is_value else 0.5)
    elif called(node) in ("sum", "dot", "mean"):
        yield Found(f"__np__.sqrt({ast.unparse(node)})", 0.5)
    if kind.startswith("array") and at.is_value:
        axes = {"array 2": ("0", "1"), "array 4": ("(0, 2, 3)", "(2, 3)", "(1, 2, 3)")}.get(
            kind, ()
        )
        for axis in axes:
            yield f"{key(node)}.sum(axis={axis})"
        for name, kind in at.kinds.items():
            if kind.startswith("tuple ") and kind != "tuple 2":
                yield f"{key(node)}.reshape({name})"


@on(
    ast.Call,
    cost=2.5,
    suits="numbers ratio shape crash",
    undoes="bias mean losses",
    asks="In which order are the steps of this line carried out, and what does each work on?",
)
def steps_exchanged(node, at):
    """f(x + b) becomes f(x) + b, and f(g(x)) becomes g(f(x)), also where g is a method."""
    inner = node.args[0] if node.args else None
    if isinstance(inner, ast.BinOp):
        for kept, other in ((inner.left, inner.right), (inner.right, inner.left)):
            call = ast.Call(node.func, [kept, *node.args[1:]], node.keywords)
            pair = (call, other) if kept is inner.left else (other, call)
            yield ast.BinOp(pair[0], inner.op, pair[1])
    if isinstance(inner, ast.Call) and of_numpy(node):
        if of_numpy(inner) and inner.args:
            within = ast.Call(node.func, [inner.args[0], *node.args[1:]], node.keywords)
            yield ast.Call(inner.func, [within, *inner.args[1:]], inner.keywords)
        elif isinstance(inner.func, ast.Attribute) and not of_numpy(inner):
            within = ast.Call(node.func, [inner.func.value, *node.args[1:]], node.keywords)
            yield ast.Call(
                ast.Attribute(within, inner.func.attr, ast.Load()), inner.args, inner.keywords
            )
    outer = node.func.value if isinstance(node.func, ast.Attribute) else None
    if isinstance(outer, ast.Call) and of_numpy(outer) and outer.args:
        within = ast.Call(
            ast.Attribute(outer.args[0], node.func.attr, ast.Load()), node.args, node.keywords
        )
        yield ast.Call(outer.func, [within, *outer.args[1:]], outer.keywords)


ALIKE = (
    ("sum", "mean", "max", "min"),
    ("argmax", "argmin"),
    ("maximum", "minimum"),
    ("floor", "ceil", "round"),
    ("log", "log2", "log10", "log1p"),
    ("exp", "exp2", "expm1"),
    ("tile", "repeat"),
    ("zeros", "ones", "empty"),
    ("zeros_like", "ones_like", "empty_like"),
    ("any", "all"),
    ("max", "abs"),
    ("dot", "multiply"),
)


@on(
    ast.Call,
    cost=1.8,
    suits="ratio numbers nan",
    undoes="share summary over_channels mean total division filling",
    asks="What does the function in this line make of its numbers, and what should it make of them?",
)
def another_function(node, at):
    name = called(node)
    if name in ("abs", "absolute") and node.args:
        yield f"__np__.maximum({ast.unparse(node.args[0])}, 0)"
    for other in dict.fromkeys(o for group in ALIKE if name in group for o in group if o != name):
        if isinstance(node.func, ast.Attribute):
            func = ast.Attribute(node.func.value, other, ast.Load())
        else:
            func = ast.Name(other, ast.Load())
        yield ast.Call(func, node.args, node.keywords)


AXES = "None", "0", "1", "-1", "(2, 3)", "(0, 2, 3)", "(1, 2, 3)", "2", "(1, 2)", "(0, 1)", "3"
REDUCE = "sum mean max min argmax argmin amax cumsum any all prod std".split()


@on(
    ast.Call,
    cost=1.5,
    suits="shape crash numbers ratio",
    undoes="axes total over_channels shift shape summed mean share",
    asks="Along which axes does this line go, which are left, and how does NumPy line up what remains?",
)
def along_other_axes(node, at):
    if called(node) not in REDUCE:
        return
    args = node.args[:1] if of_numpy(node) else []
    given = {k.arg: k.value for k in node.keywords}
    if len(node.args) > len(args):
        given["axis"] = node.args[len(args)]
    now = ast.unparse(given["axis"]) if "axis" in given else "None"
    for axis in AXES:
        for keep in (False, True):
            unchanged = keep == ("keepdims" in given)
            if (axis, unchanged) != (now, True):
                parts = {"axis": code(axis)} | ({"keepdims": ast.Constant(True)} if keep else {})
                parts |= {k: v for k, v in given.items() if k not in ("axis", "keepdims")}
                cost = 0.0 if axis == now else 0.5 if unchanged else 1.5
                yield Found(
                    ast.Call(node.func, args, [ast.keyword(*p) for p in parts.items()]), cost
                )


@on(
    ast.Call,
    cost=2,
    suits="shape crash permuted numbers dtype nan",
    asks="What does each argument in this line ask for?",
)
def a_keyword_less(node, at):
    for k in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, node.keywords[:k] + node.keywords[k + 1 :])


WHICH_DTYPE = "What dtype do the numbers of this line have, and from which array should it come?"
MAKES_AN_ARRAY = (
    "zeros ones empty full zeros_like empty_like ones_like array asarray sum mean".split()
)


@on(ast.Call, cost=1, suits="dtype crash", asks=WHICH_DTYPE)
def another_dtype(node, at):
    if called(node) in MAKES_AN_ARRAY:
        args = node.args[:1] if called(node) in ("zeros", "ones", "empty") else node.args
        keywords = [k for k in node.keywords if k.arg != "dtype"]
        for array in at.arrays[:6]:
            dtype = ast.keyword("dtype", code(f"{array}.dtype"))
            yield Found(ast.Call(node.func, args, [*keywords, dtype]), 0.2 * unlike(array, "x"))
        if len(keywords) < len(node.keywords):
            for name in ("int", "float"):
                yield ast.Call(node.func, args, [*keywords, ast.keyword("dtype", code(name))])
    if called(node) == "astype":
        yield from (ast.Call(node.func, [code(f"{array}.dtype")], []) for array in at.arrays[:6])


@on(
    ast.Constant,
    cost=1,
    suits="permuted numbers nan shape crash",
    undoes="weights flat back order",
    asks="What does each word in quotation marks ask for?",
)
def another_word(node, at):
    if not isinstance(node.value, str):
        return
    if "->" in node.value:
        yield from _other_letters(node.value)
    if isinstance(at.parent, ast.Subscript):
        brackets = [n.slice for n in ast.walk(at.function) if isinstance(n, ast.Subscript)]
        keys = [n.value for n in brackets if isinstance(getattr(n, "value", 0), str)]
        for other in dict.fromkeys(keys):
            if other != node.value:
                yield Found(ast.Constant(other), 1.5 * unlike(node.value, other))
    for words in (
        ("C", "F", "A"),
        ("constant", "edge", "reflect", "wrap", "symmetric"),
        ("xy", "ij"),
    ):
        if node.value in words:
            yield from (ast.Constant(word) for word in words[:2] if word != node.value)


def _other_letters(subscripts: str):
    """einsum's letters with two of them exchanged within one array, or one letter for another."""
    letters = sorted(set(re.findall("[A-Za-z]", subscripts)))
    for match in re.finditer("[A-Za-z]+", subscripts):
        group = match[0]
        others = []
        for k, m in combinations(range(len(group)), 2):
            swapped = list(group)
            swapped[k], swapped[m] = swapped[m], swapped[k]
            others.append("".join(swapped))
        for k in range(len(group)):
            others += [group[:k] + new + group[k + 1 :] for new in letters if new not in group]
        others += [
            group[:k] + new + group[k:]
            for k in range(len(group) + 1)
            for new in letters
            if new not in group
        ]
        for k, other in enumerate(others):
            new = subscripts[: match.start()] + other + subscripts[match.end() :]
            yield Found(ast.Constant(new), 0.5 + 0.02 * k)


NEW_OR_THE_SAME = (
    "Does this line make a new array, or give another name to one that is needed as it is?"
)


@on(ast.expr, cost=1, suits="changed numbers", undoes="backward memory", asks=NEW_OR_THE_SAME)
def copied_first(node, at):
    array = key(node) in at.arrays or isinstance(node, ast.Subscript | ast.Call)
    if array and at.is_one_of_the_values and is_read(node):
        yield ast.Call(ast.Attribute(node, "copy", ast.Load()), [], [])
        if key(node):
            yield f"__np__.zeros_like({key(node)})"


# ---------------------------------------------------------------------------- lines

HOW_IT_WRITES = "How does this line write: what becomes of what was there before?"


@on(ast.Assign, cost=1, suits="numbers", undoes="give put rows pictures", asks=HOW_IT_WRITES)
def added_to_what_was_there(node, at):
    target = node.targets[0]
    if len(node.targets) == 1 and not isinstance(target, ast.Tuple | ast.List):
        cost = 0.0 if isinstance(target, ast.Subscript) and at.loops else 1.0 if at.loops else 2.5
        yield Found([ast.AugAssign(target, ast.Add(), node.value)], cost)
        if isinstance(target, ast.Subscript):
            yield Found([ast.AugAssign(target, ast.Sub(), node.value)], 1.0)


@on(
    ast.AugAssign,
    cost=2,
    suits="ratio numbers",
    undoes="start new_velocity",
    asks=HOW_IT_WRITES,
)
def in_place_of_what_was_there(node, at):
    yield [ast.Assign([node.target], node.value)]


@on(
    ast.AugAssign,
    ast.Assign,
    cost=1.5,
    suits="changed",
    asks="Does this line make a new array, or change one that is needed as it is?",
)
def not_in_place(node, at):
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    if isinstance(node, ast.AugAssign) and key(target):
        yield [ast.Assign([target], ast.BinOp(code(key(target)), node.op, node.value))]
    if isinstance(target, ast.Subscript) and key(target.value):
        yield [line_of_code(f"{key(target.value)} = {key(target.value)}.copy()"), node]


@on(
    ast.Assign,
    ast.AugAssign,
    ast.Expr,
    cost=2.5,
    suits="ratio shape numbers changed crash",
    asks="What is this line for, and what would happen without it?",
)
def without_this_line(node, at):
    yield Found([ast.Pass()], 1.0 if isinstance(node, ast.Assign) else 0.0)


@on(
    ast.Expr,
    cost=1,
    suits="numbers shape crash kind",
    asks="What becomes of the result of this call?",
)
def kept_for_later(node, at):
    if isinstance(node.value, ast.Call):
        for argument in node.value.args:
            if isinstance(argument, ast.Name):
                yield [ast.Assign([ast.Name(argument.id, ast.Store())], node.value)]


@on(
    ast.Assign,
    cost=2.5,
    suits="shape crash numbers",
    asks="How many sides does the padding have, along each axis?",
)
def padding_on_both_sides(node, at):
    for p in at.paddings:
        if any(key(n) == p for n in ast.walk(node.value)):
            yield lambda p=p: _renamed(node, {p: f"(2 * {p})"})


HOW_OFTEN = (
    "How many times should this line run: once, or in every iteration of a loop? And at what time?"
)


@on(
    ast.For, cost=2, suits="numbers ratio shape kind", undoes="bias visits returned", asks=HOW_OFTEN
)
def out_of_the_loop(loop, at):
    body = [s for s in loop.body if not is_tick(s)]
    if len(body) > 1:
        first, last = body[0], body[-1]
        yield Found([_with_body(loop, last, []), last], 0.0, last.lineno)
        yield Found([first, _with_body(loop, first, [])], 0.0, first.lineno)
    elif isinstance(body[0], ast.For):  # out of two, or three, at once
        inner = [s for s in body[0].body if not is_tick(s)]
        while len(inner) == 1 and isinstance(inner[0], ast.For):
            inner = [s for s in inner[0].body if not is_tick(s)]
        if len(inner) > 1:
            for moved, before in ((inner[-1], False), (inner[0], True)):
                rest = _without(loop, moved)
                yield Found([moved, rest] if before else [rest, moved], 1.0, moved.lineno)


def _with_body(loop, old, new: list):
    body = [s for s in loop.body if s is not old]
    return ast.copy_location(ast.For(loop.target, loop.iter, body + new, loop.orelse), loop)


def _without(loop, statement):
    """Loops within each other, without a statement of the innermost."""
    body = [
        _without(s, statement) if isinstance(s, ast.For) else s
        for s in loop.body
        if s is not statement
    ]
    return ast.copy_location(ast.For(loop.target, loop.iter, body, loop.orelse), loop)


@on(ast.FunctionDef, ast.For, cost=2.5, suits="numbers ratio shape", asks=HOW_OFTEN)
def into_the_loop(block, at):
    """The line below a loop becomes its last; the line above, its first."""
    body = block.body
    for k, loop in enumerate(body):
        if not isinstance(loop, ast.For):
            continue
        innermost = loop
        while isinstance(innermost.body[-1], ast.For):
            innermost = innermost.body[-1]
        for inner in dict.fromkeys((loop, innermost)):
            if k + 1 < len(body) and not isinstance(body[k + 1], ast.Return):
                moved = Swap(inner, "body", [*inner.body, body[k + 1]])
                rest = Swap(block, "body", body[: k + 1] + body[k + 2 :])
                yield Found(lambda swaps=(moved, rest): swaps, 0.0, body[k + 1].lineno)
            if k and not is_tick(body[k - 1]):
                moved = Swap(inner, "body", [body[k - 1], *inner.body])
                rest = Swap(block, "body", body[: k - 1] + body[k:])
                yield Found(lambda swaps=(moved, rest): swaps, 0.0, body[k - 1].lineno)


def _body(block, new: list):
    return lambda: (Swap(block, "body", new),)


def _first_line(function, new: ast.stmt):
    return _body(function, [new, *function.body])


@on(
    ast.Assign,
    cost=1,
    suits="crash kind numbers shape",
    undoes="memory",
    asks="To whom does this name belong: to each layer, or to the class that all of them share?",
)
def not_kept_on_the_class(node, at):
    for target in node.targets:
        owner = ast.unparse(target.value) if isinstance(target, ast.Attribute) else ""
        if owner in (at.definition.node.name, "self.__class__", "type(self)"):
            yield [ast.Assign([_stored(code(f"self.{target.attr}"), ast.Store())], node.value)]


@on(
    ast.Assign,
    cost=1,
    suits="crash kind numbers shape",
    asks="Who will need what this line computes, and where will they look for it?",
)
def under_a_name_on_self(node, at):
    target = node.targets[0]
    if isinstance(target, ast.Name) and isinstance(at.definition.node, ast.ClassDef):
        for name in dict.fromkeys((target.id, "dW", "db")):
            kept = line_of_code(f"self.{name} = {target.id}")
            yield Found([node, kept], 0.0 if name == target.id else 2.0)


@on(
    ast.Assign,
    cost=2.5,
    suits="numbers crash shape",
    undoes="canvas",
    asks="Where does the window of the first output begin: at a pixel, or in the padding? Is there room for it here?",
)
def room_for_the_padding(node, at):
    """An array in the shape of x gets the padding's rows and columns, and they are cut off where it is returned."""
    target = key(node.targets[0])
    makes = called(node.value) in ("zeros", "zeros_like")
    if not makes or at.kinds.get(target) != "array 4" or at.function.name == "forward":
        return
    for p in at.paddings:
        room = f"__np__.pad({ast.unparse(node.value)}, ((0, 0), (0, 0), ({p}, {p}), ({p}, {p})))"
        crop = f"{target}[:, :, {p} : {target}.shape[2] - {p}, {p} : {target}.shape[3] - {p}]"
        back = [s for s in ast.walk(at.function) if isinstance(s, ast.Return) and s.value]
        bare = [Swap(s, "value", code(crop)) for s in back if key(s.value) == target]
        yield lambda room=room, bare=bare: (Swap(node, "value", code(room)), *bare)


@on(
    ast.Return,
    cost=2,
    suits="shape kind numbers",
    asks="Which of your arrays does the check want back, and of which kind?",
)
def another_one_given_back(node, at):
    yield from ([ast.Return(code(name))] for name in at.arrays if name != key(node.value))
    if node.value is not None and not isinstance(node.value, ast.Tuple):
        yield Found([ast.Return(ast.Call(code("float"), [node.value], []))], 1.0)
        yield Found([ast.Return(code(f"float(({ast.unparse(node.value)}).mean())"))], 1.0)


@on(
    ast.FunctionDef,
    cost=3,
    suits="numbers ratio nan",
    asks="What has to be counted here, and where does it go up by one?",
)
def counted(function, at):
    for name in at.of_kind("int"):
        if function.name != "__init__" and re.search(r"self\..*(step|count|iter|\bt$)", name):
            yield Found(_first_line(function, line_of_code(f"{name} += 1")))
