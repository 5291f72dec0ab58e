"""The search for one edit, or two, after which a whole check passes."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cnnlib.check.repair.answer import Answer, TooLong
from cnnlib.check.repair.edits import TABLE
from cnnlib.check.repair.places import Edit, Known, edits
from cnnlib.check.repair.trace import Slice, traced

SINGLES, LONGER, PAIRS = 600, 1200, 400
"""So many edits are tried (longer, where none promises a pair), and so many pairs. They are counted, as seconds would differ from run to run."""
NAMED = 330
"""So many where the mistake has a name, and only its line is missing."""
MORE = 100
"""After one that makes the check pass, so many are tried for one that mends others, too."""
SCORED, BEAM = 60, (0.5, 0.8, 1.0)
"""Of the edits that change something, so many are scored on more cases; the best are gone on from, until these parts of all pairs are tried."""
SOME = 6
"""Of the wrong cases, so many are looked at where it is to be scored how right an edit makes them."""
LOOPS = 4, 2000
"""Loops may go round so many times as often as in the learner's own code, and so many more."""
STOPPED = 10
"""So many times as often again where the learner's own code stopped before it was through."""


class Windows:
    """How many windows fit, for edits that put the right number somewhere: the course's layer is asked."""

    def __init__(self, reference):
        self.reference, self.built, self.shapes = reference, {}, {}

    def watched(self, thing):
        """The learner's class, seen while layers are made of it."""
        if not isinstance(thing, type):
            return thing

        def made(*args, **kwargs):
            layer = thing(*args, **kwargs)
            self.built[id(layer)] = layer, args, kwargs
            return layer

        return made

    def __call__(self, layer, x, axis: int) -> int:
        _, args, kwargs = self.built[id(layer)]
        key = repr((args, kwargs)), x.shape
        if key not in self.shapes:
            self.shapes[key] = self.reference(*args, **kwargs).forward(x).shape
        return self.shapes[key][axis]


@dataclass
class Search:
    """What is known of the answer before the first try.

    Parameters
    ----------
    answer
        The learner's source.
    trials
        The check's trials of the learner's code: each has `case`, `expected`, `outcome`, `right`.
    retry
        ``retry(thing, trial)`` is the same trial with other code.
    siblings
        ``siblings(thing)`` are trials of the other checks of the same answer, a list for each.
    reference
        The course's own class or function.
    enough
        Whether passing this check proves something by itself; a single step or number doesn't.
    named
        The places at which the mistake that has a name differs from what is right.
    """

    answer: Answer
    trials: list
    retry: Callable
    siblings: Callable[[object], list[list]]
    reference: object
    enough: bool
    named: frozenset[str] = frozenset()
    tries: int = field(default=0, init=False)

    def begin(self) -> bool:
        """Run what was built anew; False where it doesn't do the same as the learner's own."""
        self.windows = Windows(self.reference)
        self.answer.globals = self.answer.globals | {"__windows__": self.windows, "__np__": np}
        again, self.most_ticks = [], 0
        thing = self.answer.build()
        for trial in self.trials:
            again.append(self._run(thing, trial))
            self.most_ticks = max(self.most_ticks, self.answer.clock.ticks)
        self.answer.clock.limit = LOOPS[0] * self.most_ticks + LOOPS[1]
        self.wrong = sorted(
            (t for t in self.trials if not t.right),
            # What most cases are about comes first. A single number is right or wrong: a few show more.
            key=lambda t: (
                t.case.closest is not None,
                t.case.result != self.trials[0].case.result,
                np.size(t.expected) == 1,
                np.size(t.expected),
            ),
        )
        self.right = [t for t in self.trials if t.right]
        # Much keeps code from stopping: where others are wrong too, one of them has to be right after it.
        self.only_stops = all(t.outcome.error is not None for t in self.wrong)
        self.numbers_are_wrong = not all(t.only_the_dtype for t in self.wrong)
        return all(map(_the_same, self.trials, again))

    def _run(self, thing, trial):
        clock = self.answer.clock
        limit, clock.ticks = clock.limit, 0
        if limit and trial.outcome.error is not None:
            clock.limit *= STOPPED
        self.windows.built.clear()
        try:
            return self.retry(self.windows.watched(thing), trial)
        except TooLong:
            return None
        finally:
            clock.limit = limit

    def candidates(self, wrong: list) -> Iterator[Edit]:
        """All edits of the answer as it is now, the likeliest first; `wrong` is what it gets wrong."""
        first, filename = wrong[0], self.answer.filename
        thing = self.answer.build()
        seen = traced(lambda: self._run(thing, first), filename)
        stopped = _stopped_at(first.outcome.error, filename)
        suspects = {stopped} | _writes(self.answer, set(first.outcome.changed) & {"W", "b"})
        wanted, method = _wanted(first.case.result, self.answer)
        leads = None
        if wanted and not first.outcome.changed:
            leads = Slice(self.answer, {wanted}, stopped)
            leads = leads if leads.found else None  # nothing is ever put there
        windows = first.case.axes[-2:] in (("OH", "OW"), ("H", "W"), ("KH", "KW"))
        symptom = symptom_of(wrong)
        known = Known(seen, leads, symptom, method, suspects - {None}, windows, self.named)
        return edits(TABLE, self.answer, known)

    def one(self, most: int, at_most: int) -> Edit | None:
        """The first edit after which all is right; rather the one that mends most other checks as well.

        Where `most` tries bring nothing that promises a pair, it goes on, to `at_most`.
        """
        self.promising: list[tuple[float, Edit]] = []
        # What stops the code by itself, or beside another edit, is of no help beside a third.
        self.stops: set[tuple] = set()
        some = self.wrong[:SOME] if np.size(self.wrong[0].expected) == 1 else self.wrong[:1]
        self.floor = sum(map(share, some))
        found, mended = None, -1
        for edit in self.candidates(self.wrong):
            if self.tries >= most and (found or self.promising or self.tries >= at_most):
                break
            if self._passes(edit, self.wrong):
                if found is None:
                    most = min(most, self.tries + MORE)
                if self.mended > mended:
                    found, mended = edit, self.mended
                if mended == sum(not all(t.right for t in trials) for trials in self._others):
                    break
        return found

    def two(self, most: int) -> tuple[Edit, Edit] | None:
        """The first pair of edits after which all is right."""
        beam, begun = self._beam() if most else [], self.tries
        for part, first in zip(BEAM, beam, strict=False):
            before = first.definition.code
            with first.made():
                try:
                    first.definition.code = first.definition.compiled()
                    thing = self.answer.build()
                    now = [self._run(thing, trial) or trial for trial in self.wrong]
                    wrong = [t for t in now if not t.right] + [t for t in now if t.right]
                    for second in self.candidates(wrong):
                        if second.name in self.stops:
                            continue
                        if self.tries - begun >= most * part:
                            break
                        if self._passes(second, wrong):
                            return first, second
                finally:
                    first.definition.code = before
        return None

    def _beam(self) -> list[Edit]:
        """The edits that bring most entries of all wrong cases right, each with another effect."""
        scored = []
        promising = sorted(self.promising, key=lambda pair: -pair[0])  # stable
        for _, edit in promising[:SCORED]:
            thing = self._built(edit)
            shares = [share(self._run(thing, trial)) for trial in self.wrong[:SOME]]
            scored.append((tuple(shares), edit))
        scored.sort(key=lambda pair: -sum(pair[0]))
        beam, effects = [], set()
        for shares, edit in scored:
            if shares not in effects:
                effects.add(shares)
                beam.append(edit)
        return beam[: len(BEAM)]

    def _built(self, edit: Edit):
        """What the learner wrote, with a change in it; None where that can't be built."""
        try:
            with edit.made():
                return self.answer.build(edit.definition, edit.function)
        except Exception:  # what can't be compiled, or stops while it is defined, is no repair
            return None

    def _passes(self, edit: Edit, wrong: list) -> bool:
        """Whether all cases are right after an edit, and what was right stays right."""
        self.tries += 1
        thing = self._built(edit)
        first = thing and self._run(thing, wrong[0])
        if not wrong[0].outcome.error and (first is None or first.outcome.error):
            self.stops.add(edit.name)
        if thing is None:
            return False
        if not self._fine(first, wrong[0]):
            score = share(first)
            if np.size(first and first.expected) == 1:  # it is right or wrong: others tell more
                score = sum(share(self._run(thing, trial)) for trial in wrong[:SOME])
            if score > self.floor:
                self.promising.append((score, edit))
            return False
        for number, trial in enumerate([*wrong[1:], *self.right], 1):
            if not self._fine(self._run(thing, trial), trial):
                self.promising.append((1.0 + number, edit))
                return False
        return self._agree_with_others(thing)

    def _agree_with_others(self, thing) -> bool:
        """Whether checks that were right still are; where this one isn't enough, another must become so."""
        self.mended = 0
        for trials in self._others:
            right = all(self._fine(self._run(thing, trial), trial) for trial in trials)
            if not right and all(trial.right for trial in trials):
                return False
            self.mended += right and not all(trial.right for trial in trials)
        proven = self.enough and not (self.only_stops and self._others_are_wrong)
        return proven or self.mended > 0

    @property
    def _others_are_wrong(self) -> bool:
        return any(not trial.right for trials in self._others for trial in trials)

    @cached_property
    def _others(self) -> list[list]:
        """The trials of the other checks of this answer: what was built anew tells, too."""
        clock = self.answer.clock
        limit, clock.limit, clock.ticks = clock.limit, None, 0
        others = self.siblings(self.answer.build())
        clock.limit = max(limit, clock.ticks)
        return others

    def _fine(self, after, before) -> bool:
        """Whether a trial is right now, and no crash was let pass that wasn't there before.

        Where numbers are wrong too, a wrong dtype is another matter.
        """
        if after is None:
            return False
        stopped = [w for w in after.outcome.warned if "stopped later" in w]
        if stopped and stopped != list(before.outcome.warned):
            return False
        return after.right or (
            self.numbers_are_wrong and not before.right and _wide(before) and after.only_the_dtype
        )


def _wide(trial) -> bool:
    return getattr(trial.outcome.value, "dtype", None) == np.float64


def _the_same(one, other) -> bool:
    """Whether two trials came out the same."""
    if other is None or one.right != other.right or one.outcome.changed != other.outcome.changed:
        return False
    if type(one.outcome.error) is not type(other.outcome.error):
        return False
    a, b = one.outcome.value, other.outcome.value
    if not isinstance(a, np.ndarray | float):
        return type(a) is type(b)
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    # But for the last digits, in which a machine may differ from itself.
    return a.dtype.kind != "f" or bool(np.allclose(a, b, rtol=1e-5, atol=1e-9, equal_nan=True))


def share(trial) -> float:
    """How right a trial is: 1 where it is, a little for a shape, more for right entries."""
    if trial is None or trial.outcome.error is not None:
        return -1.0
    if trial.right:
        return 1.0
    got, expected = trial.outcome.value, np.asarray(trial.expected)
    if not isinstance(got, np.ndarray | float | int | np.number):
        return -0.5
    got = np.asarray(got)
    if got.dtype.kind not in "iuf" or not expected.size:
        return -0.5
    if got.shape != expected.shape:
        if got.ndim != expected.ndim:
            return 0.0
        return 0.01 * sum(a == b for a, b in zip(got.shape, expected.shape, strict=True))
    tolerance = 1e-6 * max(np.abs(expected).max(), 1e-300)
    if got.size == 1 and np.abs(np.abs(got) - np.abs(expected)).max() <= tolerance:
        return 0.5  # all but the sign
    right = np.abs(got - expected) <= tolerance
    score = 0.1 + 0.8 * float(right.mean())
    if np.isfinite(got).all() and got.size > 1:
        if (np.abs(np.sort(got, axis=None) - np.sort(expected, axis=None)) <= tolerance).all():
            score = max(score, 0.8)
        elif ratio := _one_ratio(got, expected, tolerance):
            # A sign is one mistake, and so is a factor; a negative factor is two.
            score = max(score, 0.85 if abs(ratio + 1) < 1e-6 else 0.8 if ratio > 0 else 0.75)
    return round(score, 6) - 0.05 * bool(trial.outcome.changed)


def _one_ratio(got, expected, tolerance) -> float:
    """By which factor all numbers are too large; 0 where there is no such factor."""
    divisor = float((expected * expected).sum())
    ratio = float((got * expected).sum()) / divisor if divisor else 0.0
    fits = (np.abs(got - ratio * expected) <= tolerance * max(1, abs(ratio))).all()
    return ratio if fits and abs(ratio) > 1e-9 else 0.0


def symptom_of(wrong: list) -> str:
    """What is wrong, in one word, for the order in which edits are tried."""
    first = wrong[0]
    if any(t.outcome.changed for t in wrong):
        return "changed"
    if first.outcome.error is not None:
        return "crash"
    got, expected = first.outcome.value, np.asarray(first.expected)
    if (
        not isinstance(got, np.ndarray | np.number | int | float)
        or np.asarray(got).dtype.kind not in "iuf"
    ):
        return "kind"
    got = np.asarray(got)
    if got.shape != expected.shape:
        return "shape"
    if all(t.only_the_dtype for t in wrong if t.outcome.error is None):
        return "dtype"
    if not np.isfinite(got).all():
        return "nan"
    tolerance = 1e-6 * max(np.abs(expected).max(), 1e-300)
    if got.size > 1:
        if (np.abs(np.abs(got) - np.abs(expected)) <= tolerance).all():
            return "sign"
        if np.allclose(np.sort(got, axis=None), np.sort(expected, axis=None), atol=tolerance):
            return "permuted"
        if _one_ratio(got, expected, tolerance):
            return "ratio"
    return "numbers"


def _stopped_at(error: BaseException | None, filename: str) -> int | None:
    """The last line of the answer on the way to an exception."""
    line, step = None, error and error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == filename:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _writes(answer: Answer, names: set[str]) -> set[int]:
    """The lines outside of `__init__` that set an attribute of one of these names anew, or write into it."""
    return {
        node.lineno
        for definition in answer.editable
        for function in definition.functions()
        for node in ast.walk(function)
        if function.name != "__init__"
        and isinstance(node, ast.Attribute | ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and getattr(getattr(node, "value", None), "attr", getattr(node, "attr", "")) in names
    }


def _wanted(result: str, answer: Answer) -> tuple[str, str]:
    """Where the result comes from (what a method returns, or keeps on self), and that method; or nothing."""
    functions = [f.name for d in answer.editable for f in d.functions()]
    method = "forward" if result in ("y", "loss") else "backward"
    if method not in functions:
        return f"return {answer.name}" if answer.name in functions else "", ""
    if result in ("dW", "db"):
        return f"self.{result}", method
    return f"return {method}", method
