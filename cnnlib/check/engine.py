"""How a check works: run the learner's code and the reference on the same cases, and explain a difference.

A check is a list of cases. A case is a short script over named arrays (`build the layer, forward x,
backward dy`), which only builds a layer, sets and reads its arrays, and calls its methods. Running
it gives an outcome. Where the outcome differs from the reference's,
each misconception that this check can see runs the same cases; the one with the learner's own
outcomes names the mistake. If none has, the general diagnosis looks at the numbers.
"""

import pickle
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial, update_wrapper
from itertools import chain
from typing import ClassVar

import numpy as np

from cnnlib import misconceptions, scripts
from cnnlib.check import crash, diagnosis, helpers, probe, repair, sizes
from cnnlib.check.failure import Crashed, Failed, NotWritten
from cnnlib.check.suspects import Suspects
from cnnlib.misconceptions import changes
from cnnlib.scripts import Outcome, Script
from cnnlib.scripts.words import in_a_line, shorten
from cnnlib.svg import target_and_yours

COARSE = 1e-5
"""How far apart, at most, two results may be of which one was worked out in float32."""

MOST_BY_HAND, MOST_LINES = 48, 9
"""So many numbers of an array are told, and so many maps of all arrays."""

SIBLINGS = 3
"""Whether a repair spoils other checks is seen in every third of their cases."""

FEW = 12
"""So many wrong numbers don't agree with somebody else's by chance."""

USUAL = "one batch"
"""The trait of a case that is nothing special."""


@dataclass(frozen=True, eq=False)
class Case:
    """One thing to try.

    Parameters
    ----------
    result
        The name of what comes out, such as ``"dx"``.
    inputs
        The arrays that the script is given, by name. They are copied for each run and must come
        back untouched.
    run
        ``run(thing, **inputs)`` uses the learner's class or function and returns the result: a
        `Script`, so that it can run in another process.
    axes
        The names of the result's axes, such as ``("N", "C", "H", "W")``.
    note
        What is special about this case, for the learner.
    tolerance
        Relative to the largest expected value; 0 where numbers are only moved.
    forward
        For a gradient, the script of the way forward: where the result agrees with finite
        differences of that, it is the learner's forward that is wrong. Takes those of the inputs
        that it names.
    closest
        Where several answers are right: ``closest(expected, got, **inputs)`` is the right one that
        is most like `got`, an array in the shape of `expected`.
    traits
        What kind of case this is, such as ``{"stride": "stride 1"}``. A mistake that no
        misconception names may still go wrong with one kind only; then the learner is told which.
    extreme
        Whether the numbers are so far from ordinary ones that NaN may come out. That may be a second
        mistake, and then it must not hide the first.
    look
        ``look(place, got, **inputs)`` returns more facts about the wrong number at `place`, such as
        which inputs it was calculated from.
    stage
        ``stage(**inputs)`` makes objects of the check's own that the script gets too, by name. They
        stay on the check's side and see who calls them.
    read
        ``read(value, **props)`` makes the result of what the script returned, and of what the
        objects that `stage` made have seen.
    counts
        Which axes of the inputs count pictures, channels and filters, such as
        ``{"x": "NC", "W": "FC"}``: one of each may show as much.
    by_hand
        Whether its numbers are few and small, so that all of them are told.
    """

    result: str
    inputs: dict[str, np.ndarray]
    run: Callable
    axes: tuple[str, ...] = ()
    note: str = ""
    tolerance: float = 0.0
    forward: Script | None = None
    closest: Callable | None = None
    traits: dict[str, str] = field(default_factory=dict)
    extreme: bool = False
    look: Callable | None = None
    stage: Callable | None = None
    read: Callable | None = None
    counts: dict[str, str] = field(default_factory=dict)
    by_hand: bool = False

    @cached_property
    def content(self) -> tuple:
        """What the outcome depends on: two cases of the same content come out alike."""
        arrays = ((n, a.dtype.str, a.shape, a.strides, a.tobytes()) for n, a in self.inputs.items())
        return repr(self.run), self.stage, self.read, *arrays

    def props(self) -> dict:
        """What `stage` makes for one run."""
        return self.stage(**self.inputs) if self.stage else {}

    @property
    def where(self) -> str:
        shapes = ", ".join(f"{name} of shape {a.shape}" for name, a in self.inputs.items())
        told = " – ".join(part for part in (shapes, self.note) if part)
        return "\n".join([told, *self._numbers()])

    def _numbers(self) -> list[str]:
        """The inputs themselves, map by map, where each is a few small maps of short numbers."""
        arrays = self.inputs.values() if self.by_hand else ()
        if any(a.size > MOST_BY_HAND or (a != a.round(1)).any() for a in arrays):
            return []
        told = []
        for name, array in self.inputs.items() if arrays else ():
            several = array.ndim == 4 and array.shape[:2] != (1, 1)
            maps = np.ndindex(array.shape[:2]) if several else [()]
            for place in maps:
                rows = array[place].reshape(-1, array.shape[-1])
                told.append(f"{name}{list(place) or ''} = {in_a_line(rows)}")
        return told if len(told) <= MOST_LINES else []

    def with_one(self, letter: str) -> "Case":
        """The same with one picture, one channel or one filter: the first."""
        inputs = {
            name: a.take([0], axes.index(letter))
            if letter in (axes := self.counts.get(name, ""))
            else a
            for name, a in self.inputs.items()
        }
        return replace(self, inputs=inputs)


@dataclass(frozen=True)
class Trial:
    """A case, the value that is right for it, and the outcome of somebody's code.

    Where several values are right, `expected` becomes the one that is most like the outcome's.
    """

    case: Case
    expected: np.ndarray
    outcome: Outcome
    right: bool = field(init=False)

    def __post_init__(self):
        if self.case.closest and self.evidence.comparable:
            nearest = self.case.closest(self.expected, self.outcome.value, **self.case.inputs)
            object.__setattr__(self, "expected", nearest)
            vars(self).pop("evidence")  # it is about another expected value now
        fine = self.outcome.error is None and not self.outcome.changed
        right = fine and same(self.expected, self.outcome.value, self.case.tolerance)
        object.__setattr__(self, "right", right)

    @property
    def broke_down(self) -> bool:
        """Whether extreme numbers gave no finite result."""
        value = self.outcome.value
        return self.case.extreme and not (_floats(value) and np.isfinite(value).all())

    @property
    def nothing(self) -> bool:
        """Whether no number came out: it depends on the style whether Python stops or the array is empty."""
        return self.outcome.error is not None or getattr(self.outcome.value, "size", 1) == 0

    @property
    def stopped(self) -> bool:
        """Whether a line of the learner's own raised an exception."""
        error = self.outcome.error
        return error is not None and crash.own_frame(error) is not None

    @property
    def stopped_later(self) -> bool:
        """Whether backward stopped, but had set the gradient that is asked for, or begun to."""
        return any("stopped later" in warning for warning in self.outcome.warned)

    @property
    def only_the_dtype(self) -> bool:
        """Whether the value is right but for its kind of float."""
        return _agree(self.expected, self.outcome.value, self.case.tolerance, any_float=True)

    @cached_property
    def gist(self) -> tuple | None:
        """The shape of what came out, how many of its numbers are finite, their sum and the largest of them.

        None where it is no float.
        """
        if not _floats(self.outcome.value):
            return None
        value = np.asarray(self.outcome.value)
        finite = np.isfinite(value)
        numbers = np.where(finite, value, 0).astype(float)
        largest = np.abs(numbers).max(initial=0)
        return value.shape, int(finite.sum()), float(numbers.sum()), float(largest)

    @cached_property
    def evidence(self) -> diagnosis.Evidence:
        """What the general diagnosis needs to know of this trial."""
        case = self.case
        return diagnosis.Evidence(
            case.result,
            self.expected,
            self.outcome.value,
            case.inputs,
            case.axes,
            case.tolerance,
            case.look,
        )


class Check:
    """A check of one function or method: call it with what the learner wrote.

    It prints one line, always the same, where all is right, and raises `Failed`, `Crashed` or
    `NotWritten` otherwise. Each kind of check says in `failure` what is wrong.
    """

    def __init__(self, explained: Callable, title: str, reference, passes: str):
        update_wrapper(self, explained)
        self.name, self.title, self.reference = explained.__name__, title, reference
        self.passes = passes

    def __call__(self, thing) -> None:
        failure = self.wrong_kind(thing) or self.failure(thing)
        if failure is not None:
            raise failure
        print(f"✓ {self.title}: {self.passes}")

    def failure(self, thing) -> Failed | None:
        """What is wrong with `thing`, or None."""
        raise NotImplementedError

    def wrong_kind(self, thing) -> Failed | None:
        """Something else was passed than the learner's class or function itself."""
        kind = "class" if isinstance(self.reference, type) else "function"
        if thing is self.reference:
            return Failed(
                self.title,
                f"This is the course's own {thing.__name__}, not yours.",
                {"hint": f"Run the cell with your {kind} again, below any import of that name."},
            )
        if scripts.kind(thing) == kind:
            return None
        return Failed(
            self.title,
            f"This check needs the {kind} itself: call check.{self.name}({self.reference.__name__})",
            {"got": shorten(f"{type(thing).__name__}: {thing!r}", 200)},
        )

    def stopped(self, outcome: Outcome, where: dict[str, str], finding=None) -> Failed:
        """The failure to show for an outcome that is an exception."""
        if isinstance(outcome.error, NotImplementedError):
            return self._not_written(outcome.error)
        crashed = crash.explain(outcome.error, self.reference)
        finding = finding or crashed
        failure = Crashed(
            self.title, finding.says, {**where, **crashed.facts, **remarks(outcome, finding.hint)}
        )
        if stop := crash.own_frame(outcome.error):
            failure.lines = (stop.number,)
        return failure

    def _not_written(self, error: NotImplementedError) -> NotWritten:
        owner, dot, part = self.title.partition(".")
        stop = crash.own_frame(error)
        if dot and stop and stop.function == "backward" and not hasattr(self.reference, part):
            return NotWritten(
                self.title,
                "is not written yet, or it stands in backward below a line "
                "raise NotImplementedError, where Python stops.",
            )
        if dot and stop and f"{owner}.{stop.function}" != self.title:
            needed = f"{owner}.{stop.function}"
            return NotWritten(
                self.title, f"is not written yet: first comes {needed}, which it needs."
            )
        return NotWritten(
            self.title,
            "is not written yet. Put your code in place of the line raise NotImplementedError.",
        )


class Comparison(Check):
    """A check that runs cases on the learner's code and on the reference, and compares."""

    every: ClassVar[list["Comparison"]] = []
    proves_something = True
    """Whether who passes it has it right; after a single step, much else may still be wrong."""

    def __init__(self, cases, title: str, reference, passes: str, shown: Callable = tuple):
        super().__init__(cases, title, reference, passes)
        self.every.append(self)
        self.shown = cache(lambda: list(shown()))
        self.cases = cache(
            lambda: list(cases())
        )  # the same ones each time, as `known` goes by them

    @cached_property
    def single(self) -> Suspects:
        """The mistakes that this check knows."""
        return Suspects(misconceptions.explained_by(self.name), tried, COARSE)

    @cached_property
    def paired(self) -> Suspects:
        """Two of them at once."""
        pairs = misconceptions.explained_by_pairs(self.name)
        return Suspects(pairs, tried, COARSE, self.single)

    def failure(self, thing) -> Failed | None:
        trials = self.trials(thing)
        wrong = [trial for trial in trials if not trial.right]
        if wrong and (first := self._first_to_mend(thing)):
            return first
        for trial in wrong:
            if isinstance(trial.outcome.error, NotImplementedError):
                return self.stopped(trial.outcome, {})
        return self._explain(thing, trials) if wrong else None

    def _first_to_mend(self, thing) -> Failed | None:
        """What is wrong with a function that the answer calls and that has a check of its own, or None."""
        called = helpers.called_by(thing)
        for other in self.every:
            helper = called.get(other.name)
            if helper is None or other.reference in (helper, self.reference):
                continue
            if not helpers.stands_for(helper, other.reference):
                continue
            failure = other.failure(helper)
            if isinstance(failure, NotWritten):
                says = f"is not written yet: first comes {other.name}, which it calls."
                return NotWritten(self.title, says)
            if failure is not None:
                return self._after(
                    other, failure, f"{other.name}, which this calls: its own check refuses it."
                )
        return None

    def _as_a_whole(self, thing) -> Failed | None:
        """What another check says of the same thing, of which this one asks for more; or None.

        It goes by the titles: ``"relative_error (refusing)"`` asks for more of ``"relative_error"``.
        """
        whole, more, _ = self.title.partition(" (")
        for other in self.every if more else ():
            if other.title == whole and (failure := other.failure(thing)):
                return self._after(other, failure, f"what check.{other.name} refuses.")
        return None

    def _after(self, other: "Comparison", failure: Failed, what: str) -> Failed:
        told = {f"check.{other.name}": failure.says, "hint": "Then run this check again."}
        return Failed(self.title, f"First mend {what}", told)

    def trials(self, thing, every: int = 1) -> list[Trial]:
        """Run every case on `thing` and on the reference; or every second one, every third one."""
        return [self._trial(case, thing) for case in self.cases()[::every]]

    def accepts(self, thing) -> bool:
        """Whether all is right: the first case that isn't is the last to be run."""
        return all(self._trial(case, thing).right for case in self.cases())

    def _trial(self, case: Case, thing) -> Trial:
        return Trial(case, known(case, self.reference).value, attempt(case, thing))

    def _named(self, trials: list[Trial], consistent: bool, holds: Callable = bool):
        """The misconception that does what the learner's code did, on every case; or two of them; or None."""
        trials = one_right_answer_first(trials)
        known = self._one_of(self.single.like(trials), trials, consistent, holds)
        if known and not explains_ties(trials, known):
            ways = (b for b in misconceptions.explained_by(self.name) if b.main is known.main)
            both = (b for b in misconceptions.explained_by_pairs(self.name) if known in b.all)
            also = (b for b in chain(ways, both) if explains_ties(trials, b))
            known = self._one_of(also, trials, consistent, holds) or known
        if known is None and _tell_two_apart([t for t in trials if not t.right]):
            # Where one of them alone does the same, the other is not in the learner's code.
            alone = cache(lambda one: alike(trials, tried(trials, one)))
            both = (b for b in self.paired.like(trials) if not any(map(alone, b.all)))
            known = self._one_of(both, trials, consistent, holds)
            known = known or (None if consistent else self._besides_a_factor(trials))
        return known.main if known else None

    def _besides_a_factor(self, trials: list[Trial]):
        """A factor, and what explains the rest once it is taken out; or None.

        So three mistakes have a name where one of them is a sign or a division by N.
        """
        for factor in misconceptions.factors(self.name):
            rest = [without(factor.slips[0].factor, trial) for trial in trials]
            pairs = (b for b in self.paired.like(rest) if b.way is factor.way)
            pair = self._one_of((b for b in pairs if factor not in b.all), rest, False)
            # Two that undo each other are none: then one of them alone does the same.
            if pair and not any(alike(trials, tried(trials, one), True) for one in pair.all):
                return changes.together(*pair.all, factor)
        return None

    def _beside_a_second_failure(self, trials: list[Trial], holds: Callable):
        """The misconception that explains the numbers, or two of them, where the code stops in other cases; or None.

        Of several, the one that leaves the fewest stops unexplained, then one that is wrong wherever
        the code stops, then the one that is wrong in the fewest cases.
        """
        held = one_right_answer_first([t for t in trials if not t.stopped])
        stopped = [t for t in trials if t.stopped]
        if not stopped or not held:
            return None
        wrong = [t for t in held if not t.right]
        single = len(wrong) < 2
        few = sum(diagnosis.wrong_numbers(t.evidence) for t in wrong) < FEW

        def fits(broken):
            """How well it explains what happens, or None where it explains other numbers."""
            for trial in tried(wrong[:1], broken):
                if trial.outcome.error is None and not alike(wrong[:1], [trial], True):
                    return None
            # Where shapes clash, it may depend on how the code is written whether Python stops.
            both, spare = [], min(1, len(held) - 1)
            for t, b in zip(held, tried(held, broken), strict=True):
                if b.outcome.error is None:
                    both.append((t, b))
                    unlike = t.right != b.right and t.case.closest is None
                else:
                    spare -= 1
                    unlike = spare < 0
                if unlike:
                    return None  # the others need not be run
            if not alike(*map(list, zip(*both, strict=True)), True):
                return None
            there = list(tried(stopped, broken))
            unexplained = sum(t.outcome.error is None for t in there)
            if hasattr(broken, "all") and leaves_unexplained(broken, stopped):
                return None
            innocent = any(t.right for t in there)
            # One case alone may fit by chance, if the stops don't fit as well.
            if single and 2 * unexplained >= len(stopped) and (innocent or few):
                return None
            return unexplained, innocent, sum(not t.right for t in tried(trials, broken))

        def best(candidates, least=0):
            fitting = [(fit, broken) for broken in candidates if (fit := fits(broken))]
            fitting.sort(key=lambda each: each[0])
            return next((each for each in fitting if holds(each[1], least=least)), (None, None))

        # Nor are a few cases of many more than that.
        scarce = 0 < 4 * len(wrong) < len(stopped)
        _, named = best(self.single.like(held, or_stopped=True), least=int(scarce))
        better = named is None or leaves_unexplained(named, stopped)
        if better and wrong and (single or _tell_two_apart(wrong)):
            pairs = self.paired.like(held, or_stopped=True)
            named = best(pairs, least=2 if single else 0)[1] or named
        return named

    def _of_nothing(self, trials: list[Trial]):
        """The misconception that returns an empty array where the code stops because a slice selects nothing; or None."""
        wrong = [t for t in trials if not t.right]
        if not all(t.stopped and crash.speaks_of_nothing(t.outcome.error) for t in wrong):
            return None
        for broken in misconceptions.explained_by(self.name):
            both = zip(trials, tried(trials, broken), strict=True)
            if all(b.right if t.right else np.size(b.outcome.value) == 0 for t, b in both):
                return broken
        return None

    def _one_of(self, candidates, trials: list[Trial], consistent: bool, holds: Callable = bool):
        # The dtype of a wrong number says little, unless it is what tells two misconceptions apart.
        but_for_the_dtype = None
        for broken in candidates:
            if alike(trials, tried(trials, broken), True) and consistent == fits_own_forward(
                broken, list(tried(trials, broken))
            ):
                if not holds(broken):
                    continue
                if alike(trials, tried(trials, broken), False):
                    return broken
                but_for_the_dtype = but_for_the_dtype or broken
        return but_for_the_dtype

    def _explain(self, thing, trials: list[Trial]) -> Failed:
        every, trials = trials, numbers_first(trials)
        wrong = [trial for trial in trials if not trial.right]
        consistent = fits_own_forward(thing, trials)
        alone = []  # what would explain all, and doesn't hold in other sizes

        def holds(broken, least=0):
            # Two mistakes explain any few numbers, if all else that is known is that the code stops.
            by_stops = hasattr(broken, "all") and 2 * sum(t.nothing for t in wrong) > len(wrong)
            fits = holds_in_other_sizes(broken, wrong, thing, self.reference, least, by_stops)
            alone.extend([] if fits else [broken])
            return fits

        named = self._named(trials, consistent, holds)
        if named is None and trials is not every:  # the dtype may be part of the mistake
            named = self._named(every, consistent, holds)
        held = [t for t in wrong if not t.broke_down]
        untouched = not any(t.outcome.changed for t in wrong)
        if named is None and untouched and 0 < len(held) < len(wrong):
            trials, wrong = [t for t in trials if not t.broke_down], held
            consistent = fits_own_forward(thing, trials)
            named = self._named(trials, consistent, holds)
        if named is None and untouched:
            named = self._beside_a_second_failure(trials, holds) or self._of_nothing(trials)
        if named is None and alone:
            pairs = misconceptions.explained_by_pairs(self.name)
            pairs = (b for b in pairs if any(one in alone for one in b.all))
            pairs = (b for b in pairs if alike(trials, tried(trials, b), True))
            named = next((b for b in pairs if holds(b, least=2)), None)
        if named is None and (first := self._as_a_whole(thing)):
            return first
        known = named or (diagnosis.FITS_OWN_FORWARD if consistent else None)
        known = known or written_in(trials, thing, self.reference)
        clues = self._clues(thing, every, known)
        failure = self._failure(thing, trials, wrong, known)
        failure.misconception = named or failure.misconception
        failure.pointing_at(clues)
        if any(c.asks for c in clues) and failure.facts.get("hint") in diagnosis.GENERAL:
            del failure.facts["hint"]  # what is asked about the line says more
        if named or consistent:
            return failure
        return failure.telling(
            self._forward_first(thing)
            | written_in_the_class([every[0].case, every[-1].case], thing)
        )

    def _forward_first(self, thing) -> dict[str, str]:
        """That forward is refused as well, as a fact beside a wrong gradient without a name; or nothing."""
        title = f"{self.title.partition('.')[0]}.forward"
        for other in self.every:
            if other.title == title != self.title and not other.accepts(thing):
                return {"first": f"your forward is not right yet: begin with check.{other.name}"}
        return {}

    def _clues(self, thing, trials: list[Trial], known) -> list[repair.Clue]:
        """Lines of the learner's where a small change would make all cases right, or none."""

        def retry(thing, trial: Trial) -> Trial:
            return self._trial(trial.case, thing)

        def siblings(thing) -> list[list[Trial]]:
            others = (c for c in self.every if c.reference is self.reference and c is not self)
            return [other.trials(thing, SIBLINGS) for other in others]

        enough = self.proves_something and sum(np.size(t.expected) for t in trials) >= 5
        named = [slip.words for slip in getattr(known, "slips", ())]
        # Beside a size that is written in, or a dtype, there is nothing else to look for.
        if sizes.says_a_size(known) or all(t.right or t.only_the_dtype for t in trials):
            named = [frozenset()]
        return repair.clues(thing, trials, retry, siblings, self.reference, named, enough)

    def _failure(self, thing, trials: list[Trial], wrong: list[Trial], known) -> Failed:
        """The failure to show, with the finding that is known, or else the general diagnosis."""
        # A changed input may be the reason for anything that comes after it, and a wrong number
        # tells more than a crash.
        values = [t for t in wrong if t.outcome.error is None and not t.outcome.changed]
        values = [] if any(t.outcome.changed for t in wrong) else values
        # Where nothing but a dtype is wrong beside a crash, the crash comes first.
        crashes = [t for t in wrong if t.outcome.error is not None]
        if values and crashes and all(t.only_the_dtype for t in values):
            values, wrong = [], crashes
        # A case with several right answers, or with equal numbers, tells the least.
        values = [t for t in values if t.case.closest is None] or values
        values = [t for t in values if _shows_both(t, known)] or values
        values.sort(key=lambda t: t.evidence.constant)
        if values and hasattr(known, "slips"):
            values[0] = easiest(values[0], self.shown(), thing, self.reference, known)
        trial = (values or [t for t in wrong if t.outcome.changed] or wrong)[0]
        outcome, where = trial.outcome, {"where": trial.case.where}
        if outcome.error is not None:
            where |= {} if known else lasting_pattern(trials, thing, self.reference)
            return self.stopped(outcome, where, known)
        if not known and unsteady(trial, thing):
            if right_with_its_first_weights(trial, thing):
                facts = where | remarks(outcome, FIRST_WEIGHTS.hint)
                return Failed(self.title, FIRST_WEIGHTS.says, facts)
            where |= {"expected": f"the same {trial.case.result} each time, as the same comes in"}
            return Failed(self.title, UNSTEADY.says, where | remarks(outcome, UNSTEADY.hint))
        where |= {} if known else lasting_pattern(trials, thing, self.reference)
        if outcome.changed:
            finding = known or diagnosis.changed(outcome.changed)
            return Failed(self.title, finding.says, {**where, **remarks(outcome, finding.hint)})
        evidence = [t.evidence for t in values]
        if not known and len(values) == 1:  # what is said of a single case may be chance
            evidence += [t.evidence for t in drawn_anew(values, thing, self.reference)]
        noticed = {} if known else reactions(trial, thing, self.reference)
        finding = known or left_over(trials, noticed.get("notice", ""))
        finding = finding or diagnosis.diagnose(
            evidence,
            lambda: self._another_input(trials) or ingredients(values, thing, self.reference),
        )
        if finding.says == diagnosis.NEARLY:
            finding = ingredients(values, thing, self.reference) or finding
        if finding.hint in diagnosis.GENERAL_NUMBERS and "pattern" in where:
            finding = diagnosis.as_a_pattern(trial.case.result, where.pop("pattern"))
        facts = {**where, **diagnosis.compare(evidence[0])}
        if trial.case.closest and evidence[0].comparable:
            facts["expected"] += "; of all right answers, this is the one most like yours"
        to_its_end = [t for t in trials if not t.stopped_later]
        if not known and to_its_end and all(t.right for t in to_its_end):
            finding = UNFINISHED
        facts |= noticed | besides(trials, known, self.reference) | remarks(outcome, finding.hint)
        return Failed(self.title, finding.says, facts, partial(side_by_side, evidence[0]))

    def _another_input(self, trials: list[Trial]):
        """The finding that every result would be right for another input; or None."""
        trials = sorted(trials, key=lambda t: t.right)  # most changes explain no wrong one
        trials = [t for t in trials if not t.case.closest]
        if not trials or any(t.outcome.error or t.outcome.changed for t in trials):
            return None

        def explains(name, change):
            return all(
                name in t.case.inputs
                and _agree(
                    known(_changed(t.case, name, change), self.reference).value,
                    t.outcome.value,
                    max(t.case.tolerance, 1e-12),
                )
                for t in trials
            )

        return probe.right_for_another_input(trials[0].case.inputs, explains)


def check(
    *, title: str, reference, passes: str, shown: Callable = tuple, kind: type = Comparison
) -> Callable[[Callable], Check]:
    """Turn a function that lists cases into a check.

    Parameters
    ----------
    title
        What is checked, for people: ``"Flatten.backward"``.
    reference
        The right class or function.
    passes
        What is now known to be right; it follows the ✓.
    shown
        Lists cases to follow by hand, the easiest first. They judge nobody: a mistake that has a name
        is shown in the first of them in which it is seen.
    kind
        How the check judges, where it can do more than compare.
    """
    return lambda cases: kind(cases, title, reference, passes, shown)


def attempt(case: Case, thing) -> Outcome:
    """Run a case with somebody's code; nothing that it does gets out but the outcome."""
    props = case.props()
    outcome = scripts.attempt(case.run, thing, case.inputs, props)
    if case.read and outcome.error is None:
        return replace(outcome, value=case.read(outcome.value, **props))
    return outcome


def known(case: Case, thing) -> Outcome:
    """The outcome of the reference or of a misconception: worked out once, for all answers to come."""
    key = case.content, thing
    if key not in _known:
        _known[key] = attempt(case, thing)
    return _known[key]


_known: dict[tuple, Outcome] = {}


_tried: dict[tuple, Trial] = {}


def tried(trials: list[Trial], broken) -> Iterator[Trial]:
    """The same cases with a misconception. Most differ in one of the first, so the others need not be run."""
    for trial in trials:
        key = trial.case, broken
        again = _tried.get(key)
        if again is None or again.expected is not trial.expected:
            again = _tried[key] = Trial(trial.case, trial.expected, known(trial.case, broken))
        yield again


def same(expected, got, tolerance: float) -> bool:
    """Whether `got` is the expected value: kind, shape, dtype, and every element; NaN is never the same."""
    if not isinstance(got, np.ndarray | np.generic | int | float):
        return False
    if isinstance(expected, float) and not isinstance(got, float):
        return False
    expected, got = np.asarray(expected), np.asarray(got)
    if got.shape != expected.shape or got.dtype.kind not in "iuf":
        return False
    if expected.dtype.kind == "f" and got.dtype != expected.dtype:
        return False
    if expected.dtype.kind in "iu" and got.dtype.kind == "f":
        return False
    return diagnosis.close(expected, got, tolerance).all()


def numbers_first(trials: list[Trial]) -> list[Trial]:
    """The trials with one kind of float taken for the other, if numbers are wrong besides.

    Whoever fills an array of another dtype has that on top of any other mistake. It is told when
    it is all that is left; until then it must not hide which mistake the other one is.
    """

    def as_expected(trial: Trial) -> Trial:
        expected, got = np.asarray(trial.expected), trial.outcome.value
        floats = isinstance(got, np.ndarray) and got.dtype.kind == expected.dtype.kind == "f"
        if not floats or got.dtype == expected.dtype:
            return trial
        value = got.astype(expected.dtype)
        if got.dtype == np.float32:  # its rounding stays
            fits = got.shape == expected.shape and diagnosis.close(expected, got, COARSE).all()
            value = expected if fits else got
        return replace(trial, outcome=replace(trial.outcome, value=value))

    converted = [as_expected(trial) for trial in trials]
    wrong = [t for t in converted if not t.right and not t.outcome.changed]
    return converted if any(t.outcome.error is None for t in wrong) else trials


def without(factor: Callable[[int], float], trial: Trial) -> Trial:
    """The trial as if the result had not been multiplied by ``factor(N)``."""
    inputs, value = trial.case.inputs, trial.outcome.value
    batch = next((inputs[name] for name in ("dy", "x", "logits") if name in inputs), ())
    if not len(batch) or not _floats(value) or trial.outcome.error is not None:
        return trial
    return replace(trial, outcome=replace(trial.outcome, value=value / factor(len(batch))))


def _tell_two_apart(wrong: list[Trial]) -> bool:
    """Whether wrong results may be those of two mistakes: crashes, zeros, NaN, dtypes, or inputs handed through don't tell."""

    def tells(trial: Trial) -> bool:
        value = trial.outcome.value
        if not isinstance(value, np.ndarray | np.generic | int | float):
            return False
        telling = np.nan_to_num(value, nan=0, posinf=0, neginf=0)
        return bool(np.any(telling)) and not trial.only_the_dtype

    def handed_through(trial: Trial) -> bool:
        value, inputs = trial.outcome.value, trial.case.inputs.values()
        more_than_one = (a for a in inputs if a.size > 1)  # a single number may be equal by chance
        moves = trial.case.result in ("dx", "y")  # the others may be equal by chance
        return moves and any(np.array_equal(value, a) for a in more_than_one)

    return any(map(tells, wrong)) and not any(map(handed_through, wrong))


def _shows_both(trial: Trial, pair) -> bool:
    """Whether each of two mistakes would be seen in this case if it were alone."""
    case = trial.case
    alone = [Trial(case, trial.expected, known(case, one)) for one in getattr(pair, "all", ())]
    return bool(alone) and not any(one.right for one in alone)


def easiest(trial: Trial, shown: list[Case], thing, reference, mistake) -> Trial:
    """The first of the cases to be shown in which the same mistake is seen, or both of two; else the trial itself."""
    shows_both = _shows_both(trial, mistake)
    for case in () if trial.case.by_hand else shown:
        right = known(case, reference).value
        mine = Trial(case, right, attempt(case, thing))
        if mine.right or mine.outcome.error is not None:
            continue
        if mine.evidence.comparable != trial.evidence.comparable:
            continue
        theirs = Trial(case, right, known(case, mistake))
        if alike([mine], [theirs], True) and shows_both == _shows_both(mine, mistake):
            return mine
    return trial


def alike(mine: list[Trial], theirs: Iterable[Trial], any_float: bool = False) -> bool:
    """Whether two people's trials show the same mistake: right, stopped or wrong in the same way in each case.

    Where several answers are right, two people with the same mistake may still differ. So if the
    mistake shows elsewhere too, only the cases with one right answer count. With `any_float`, wrong
    numbers may be float32 in one and float64 in the other.
    """
    elsewhere = any(not a.right and a.case.closest is None for a in mine)
    evidence = moved = False
    stops = same_kind = same_words = 0
    for a, b in zip(mine, theirs, strict=True):
        if elsewhere and a.case.closest:
            continue
        if a.right or b.right:
            if a.right != b.right:
                return False
        elif a.nothing != b.nothing:
            return False
        elif a.nothing:
            stops += 1
            same_kind += type(a.outcome.error) is type(b.outcome.error)
            same_words += repr(a.outcome.error) == repr(b.outcome.error)
        elif a.outcome.changed != b.outcome.changed:
            return False
        elif _agree(b.outcome.value, a.outcome.value, max(a.case.tolerance, 1e-12), any_float):
            evidence, moved = True, moved or bool(a.outcome.changed)
        # Once both have changed the layer, later numbers depend on how far.
        elif not moved or a.outcome.changed:
            return False
    # Where nearly all is right, it tells as much in which case Python stops as with which words.
    few = 4 * stops < len(mine)
    return evidence or 2 * (same_kind if few else same_words) > stops


def one_right_answer_first(trials: list[Trial]) -> list[Trial]:
    """The trials with one right answer first: where there are several, they tell two mistakes apart the least.

    Otherwise in the order of the cases, so that what is known of one answer is known for the next.
    """
    if any(t.outcome.changed for t in trials):  # what comes later depends on what was changed
        return trials
    return sorted(trials, key=lambda t: t.case.closest is not None)


def leaves_unexplained(broken, stopped: list[Trial]) -> bool:
    """Whether a mistake doesn't stop in most of the cases in which the code does."""
    return 2 * sum(t.outcome.error is None for t in tried(stopped, broken)) >= len(stopped)


def explains_ties(trials: list[Trial], broken) -> bool:
    """Whether a mistake gives the very numbers that are wrong where several answers are right."""
    tied = [t for t in trials if t.case.closest and not t.right and t.evidence.comparable]
    return all(
        _agree(theirs.outcome.value, t.outcome.value, max(t.case.tolerance, 1e-12), True)
        for t, theirs in zip(tied, tried(tied, broken), strict=True)
    )


def pattern(trials: list[Trial]) -> dict[str, str]:
    """A trait that the wrong cases share and most right ones lack, as a fact; or nothing."""
    found = []
    for name in trials[0].case.traits:
        right = [t.case.traits[name] for t in trials if t.right]
        wrong = [t.case.traits[name] for t in trials if not t.right]
        if len(wrong) < 2 or len(set(wrong)) > 1 or set(right) <= set(wrong):
            continue
        if wrong[0] == USUAL or wrong[0].endswith("that is given"):
            continue  # "wrong only in the usual case" tells nothing
        also_right = right.count(wrong[0])
        if not also_right and len(set(right)) == 1:
            return {"pattern": f"right with {right[0]}, wrong with {wrong[0]}"}
        found.append((also_right, wrong[0]))
    if found and min(found)[0] <= len(wrong):
        return {"pattern": f"wrong only with {min(found)[1]}"}
    return {}


def lasting_pattern(trials: list[Trial], thing, reference) -> dict[str, str]:
    """The pattern, if it is the same with other numbers: else it tells about these, not about the code.

    "Only with several channels" isn't true either of what is still wrong with one of them.
    """
    found = pattern(trials)
    if not found:
        return {}
    anew = [t for trial in trials for t in redrawn(trial, thing, reference)]
    wrong = [t for t in trials if not t.right]
    shared = set.intersection(*(set(t.case.traits.items()) for t in wrong))
    shared = {trait for trait in shared if found["pattern"].endswith(trait[1])}
    elsewhere = [t for t in anew if not t.right and not shared & set(t.case.traits.items())]
    for name, trait in shared:
        if trait.startswith("several") and name in "".join(wrong[0].case.counts.values()):
            fewer = (once_more(t.case.with_one(name), thing, reference) for t in wrong)
            elsewhere += [t for one in fewer for t in one if not t.right]
    return {} if elsewhere else found


def written_in(trials: list[Trial], thing, reference) -> diagnosis.Finding | None:
    """The finding that all is right with one size only, with other numbers too; or None."""
    if any(t.outcome.changed for t in trials):
        return None
    right, wrong = ([t for t in trials if t.right == so] for so in (True, False))
    found = sizes.right_with_one_size_only(
        trials[0].case.result, [t.case for t in right], [t.case for t in wrong]
    )
    if found is None:
        return None
    finding, which, cases = found
    fits = (t for t in right if any(t.case is case for case in cases))
    anew = [again for t in fits for again in redrawn(t, thing, reference)]
    for size in which:
        if size.letter:
            others = [t.case for t in wrong if sizes.axes(t.case).keys() == t.case.inputs.keys()]
            again = (replace(case, inputs=sizes.with_count(case, size)) for case in others[:3])
            counted = [t for case in again for t in once_more(case, thing, reference)]
            if not counted:
                return None
            anew += counted
    return finding if all(t.right or t.only_the_dtype for t in anew) else None


def holds_in_other_sizes(
    broken, wrong: list[Trial], thing, reference, least: int = 0, by_stops: bool = False
) -> bool:
    """Whether a mistake is somebody's in maps of other sizes too, where stops and shapes are all that shows it.

    Two mistakes may stop in the same cases, or give the same few wrong lengths, and have nothing
    else in common. With `least`, so many results have to be wrong in the same way;
    with `by_stops`, both have to stop in the same sizes.
    """
    if any(t.outcome.changed for t in wrong) or all(
        t.outcome.error is None and np.shape(t.outcome.value) == np.shape(t.expected) for t in wrong
    ):
        return True
    wrong = sorted(wrong, key=lambda t: t.outcome.error is not None)[:4]
    for case in (other for t in wrong for other in in_other_sizes(t.case, reference)):
        for mine in once_more(case, thing, reference):
            theirs = Trial(case, mine.expected, attempt(case, broken))
            if by_stops and mine.nothing != theirs.nothing:
                return False
            if mine.nothing or theirs.nothing or (mine.right and theirs.right):
                continue
            if not alike([mine], [theirs], True):
                return False
            least -= 1
    return least <= 0


def in_other_sizes(case: Case, reference) -> Iterator[Case]:
    """The same case with maps that are larger along one axis, or both, or square; nothing where that can't be."""
    x, rng = case.inputs.get("x"), np.random.default_rng(0)
    if np.ndim(x) != 4 or not case.inputs.keys() <= {"x", "W", "b", "dy"}:
        return
    H, W = x.shape[2:]
    for larger in ((H, W + 1), (H + 1, W), (H, W + 4), (H + 3, W + 1), (max(H, W) + 1,) * 2):
        drawn = rng.normal(size=(*x.shape[:2], *larger))
        inputs = case.inputs | {"x": drawn.astype(x.dtype)}
        if "dy" in inputs:
            if case.forward is None:
                return
            before = {n: a for n, a in inputs.items() if n in case.forward.parameters}
            y = attempt(Case("y", before, case.forward), reference)
            if y.error:
                continue
            inputs["dy"] = rng.normal(size=y.value.shape).astype(x.dtype)
        yield replace(case, inputs=inputs)


def redrawn(trial: Trial, thing, reference) -> list[Trial]:
    """The same case with its numbers in another order, and labels drawn anew; nothing where right code stops."""
    rng, inputs = np.random.default_rng(0), {}
    for name, array in trial.case.inputs.items():
        inputs[name] = rng.permutation(array.ravel()).reshape(array.shape)
        if name.endswith("labels") and "logits" in trial.case.inputs:
            scores = trial.case.inputs[name.removesuffix("labels").rstrip("_") or "logits"]
            inputs[name] = rng.integers(scores.shape[1], size=array.shape).astype(array.dtype)
    return once_more(replace(trial.case, inputs=inputs), thing, reference)


def once_more(case: Case, thing, reference) -> list[Trial]:
    """A case of which it isn't known yet what is right; nothing where right code stops."""
    right = known(case, reference)
    return [] if right.error else [Trial(case, right.value, attempt(case, thing))]


def drawn_anew(trials: list[Trial], thing, reference) -> list[Trial]:
    """The same cases with other numbers, as far as they are wrong there too."""
    anew = [t for trial in trials for t in redrawn(trial, thing, reference)]
    return [t for t in anew if not t.right and not t.outcome.error and not t.outcome.changed]


ANOTHER_BATCH = {
    "first": "an earlier batch",
    "then": "a later batch",
    "other": "another layer's batch",
}
"""What those inputs are, by how their names begin, that have nothing to do with the result."""


def left_over(trials: list[Trial], notice: str) -> diagnosis.Finding | None:
    """The finding that a result goes wrong only where something is left of another batch; or None."""
    wrong = [t for t in trials if not t.right]
    for name, what in ANOTHER_BATCH.items():
        met = all(any(key.startswith(name) for key in t.case.inputs) for t in wrong)
        if met and re.search(rf"depends on {name}\w*, and should not", notice):
            return diagnosis.Finding(
                f"Your {wrong[0].case.result} is made with something of {what}: of `{name}`, below.",
                "What does your layer keep on self? Which line writes it, and does that line run in every forward?",
            )
    return None


UNSTEADY = diagnosis.Finding(
    "The result is different each time, though the same goes in.",
    "Is something drawn at random, left over from the run before, or read from an array that was "
    "never filled? np.empty holds what happened to lie in memory, and a layer's W is random until "
    "something takes its place.",
)


UNFINISHED = diagnosis.Finding(
    "This gradient is wrong only where your backward stops with an error.",
    "The warning says what stopped it. Was this gradient done by then?",
)


FIRST_WEIGHTS = diagnosis.Finding(
    "Your layer computes with the weights that it was made with, not with those that self.W and "
    "self.b hold by now.",
    "An optimizer gives a layer new arrays: self.W = self.W − …. Under which other name does your "
    "layer keep the old ones?",
)


def right_with_its_first_weights(trial: Trial, thing) -> bool:
    """Whether a layer is right where new weights are written into the arrays that it was made with."""
    if not isinstance(thing, type) or "W" not in trial.case.inputs:
        return False

    class WrittenInto(thing):
        def __setattr__(self, name, value):
            array = vars(self).get(name)
            if name in ("W", "b") and np.shape(array) == np.shape(value):
                array[...] = value
            else:
                super().__setattr__(name, value)

    value = attempt(trial.case, WrittenInto).value  # the arrays may be float32
    return _agree(trial.expected, value, COARSE, any_float=True)


def written_in_the_class(cases: list[Case], thing) -> dict[str, str]:
    """What stands in the class, so that all its layers share it, and is another after another case, as a fact; or nothing."""

    def contents(case: Case) -> dict[str, bytes]:
        scripts.attempt(case.run, thing, case.inputs, case.props())
        stands = chain(*(vars(each).items() for each in reversed(thing.__mro__)))
        kinds = list | dict | set | np.ndarray
        return {name: pickle.dumps(value) for name, value in stands if isinstance(value, kinds)}

    if not isinstance(thing, type):
        return {}
    try:
        one, other = map(contents, cases)
    except Exception:  # what can't be pickled
        return {}
    written = [name for name, content in other.items() if one.get(name, content) != content]
    shared = (
        "stands in the class: all layers share it, and what one of them writes, the next one finds"
    )
    return {"shared": f"{written[0]} {shared}"} if written else {}


def unsteady(trial: Trial, thing) -> bool:
    """Whether the same case gives another result with other things in memory, or at another time."""
    if trial.case.closest or not trial.evidence.comparable or not _floats(trial.outcome.value):
        return False
    results = []
    for filling in (1234.5, -6.75e6):
        scraps = [np.full(size, filling) for size in range(1, 129) for _ in range(2)]
        scraps += [np.full(np.shape(trial.expected), filling) for _ in range(8)]
        del scraps  # now an array that is never filled holds some of them
        results.append(attempt(trial.case, thing).value)
    coarse = any(getattr(each, "dtype", None) == np.float32 for each in results)
    return not _agree(*results, max(trial.case.tolerance, 1e-5 if coarse else 1e-9))


def besides(trials: list[Trial], known_as, reference) -> dict[str, str]:
    """Where the code stops, though its mistake as it is known doesn't stop there, as a fact; or nothing."""
    stopped = [t for t in trials if t.stopped]
    if hasattr(known_as, "checks"):
        stopped = [t for t in stopped if known(t.case, known_as).error is None]
    if not stopped:
        return {}
    going = [t for t in trials if not t.stopped]
    shared = [
        trait
        for name, trait in stopped[0].case.traits.items()
        if all(t.case.traits[name] == trait for t in stopped)
        and not any(t.case.traits[name] == trait for t in going)
    ]
    facts = crash.explain(stopped[0].outcome.error, reference).facts
    when = f"with {shared[0]}" if shared else f"in {len(stopped)} of {len(trials)} cases"
    line = f"\n{facts['line']}" if "line" in facts else ""
    return {"besides": f"{when} your code stops: {facts['error']}{line}"}


def reactions(trial: Trial, thing, reference) -> dict[str, str]:
    """An input that ought to make a difference and doesn't, or the other way round, as a fact; or nothing."""
    case = trial.case

    def same_value(one: Outcome, other: Outcome) -> bool:
        return same(one.value, other.value, case.tolerance)

    finite = trial.evidence.comparable and np.isfinite([trial.expected, trial.outcome.value]).all()
    # In float32 rounding errors react to everything.
    values = trial.expected, trial.outcome.value
    if not finite or any(np.asarray(a).dtype == np.float32 for a in values):
        return {}
    mine, right = attempt(case, thing), known(case, reference)
    if not _agree(mine.value, trial.outcome.value, case.tolerance, any_float=True):
        return {"notice": f"{case.result} differs from call to call, though nothing has changed"}
    if case.closest:  # what a right answer depends on differs from one to the other
        return {}
    rng = np.random.default_rng(0)
    for name, array in case.inputs.items():
        drawn = rng.permutation(array)
        if array.dtype.kind == "f":
            drawn = rng.normal(size=array.shape).astype(array.dtype)
        other = replace(case, inputs=case.inputs | {name: drawn})
        new_mine, new_right = attempt(other, thing), known(other, reference)
        if new_mine.error or new_right.error:
            continue
        mine_stays, right_stays = same_value(mine, new_mine), same_value(right, new_right)
        if right_stays and not mine_stays:
            return {"notice": f"here, your {case.result} depends on {name}, and should not"}
        if mine_stays and not right_stays:
            return {"notice": f"here, your {case.result} does not depend on {name}, and should"}
    wrong = ~diagnosis.close(trial.expected, trial.outcome.value, case.tolerance)
    if case.tolerance == 0 or not wrong.any():
        return {}
    place = diagnosis.worst_place(trial.expected, trial.outcome.value, wrong, case.tolerance)
    notice = probe.depends_on(
        f"{case.result}{list(place) or ''}",
        place,
        case.inputs,
        lambda inputs: attempt(replace(case, inputs=inputs), thing).value,
        lambda inputs: known(replace(case, inputs=inputs), reference).value,
    )
    return {"notice": notice} if notice else {}


def ingredients(wrong: list[Trial], thing, reference) -> diagnosis.Finding | None:
    """The finding that an input has a part in all wrong results and should not, or the other way round; or None."""
    fit = [t for t in wrong if not t.case.closest and np.asarray(t.expected).dtype != np.float32]
    fit = [t for t in fit if t.case.inputs.keys() == fit[0].case.inputs.keys()]
    fit = [t for t in fit if t.case.result == fit[0].case.result]
    uses = [each for t in fit[:2] for each in _uses(t, thing, reference)]
    if not uses or any(each != uses[0] for each in uses[1:]):
        return None
    return diagnosis.other_ingredients(fit[0].case.result, *uses[0])


def _uses(trial: Trial, thing, reference) -> list[tuple[list[str], list[str]]]:
    """On which inputs only the learner's result depends, and on which only the right one, with two sets of numbers."""
    found = []
    for seed in (0, 1):
        rng, mine, right = np.random.default_rng(seed), [], []
        for name, array in trial.case.inputs.items():
            drawn = rng.permutation(array)
            if array.dtype.kind == "f":
                drawn = rng.normal(size=array.shape).astype(array.dtype)
            other = replace(trial.case, inputs=trial.case.inputs | {name: drawn})
            one, two = attempt(other, thing), known(other, reference)
            if one.error or two.error:
                return []
            near = max(trial.case.tolerance, 1e-12)
            mine += [name] * (not _agree(trial.outcome.value, one.value, near))
            right += [name] * (not _agree(trial.expected, two.value, near))
        found.append(([n for n in mine if n not in right], [n for n in right if n not in mine]))
    return found


def _agree(one, other, tolerance: float, any_float: bool = False) -> bool:
    """Whether two wrong results are the same; NaN and infinity count as one, as it depends on details which comes out."""
    if one is None or other is None:
        return one is other
    if not (_floats(one) and _floats(other)):
        return same(one, other, tolerance)
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    finite = np.isfinite(one)
    if (finite != np.isfinite(other)).any():
        return False
    if not finite.all():
        one, other = np.where(finite, one, 0), np.where(finite, other, 0)
    if any_float:
        coarse = np.float32 in (one.dtype, other.dtype) and one.dtype != other.dtype
        tolerance = max(tolerance, COARSE) if coarse else tolerance
        one, other = one.astype(float, copy=False), other.astype(float, copy=False)
    return same(one, other, tolerance)


def _changed(case: Case, name: str, change: Callable) -> Case:
    """The case with one of its inputs changed."""
    with np.errstate(all="ignore"):
        return replace(case, inputs=case.inputs | {name: change(case.inputs[name])})


def _floats(a) -> bool:
    return isinstance(a, np.ndarray | np.floating | float) and np.asarray(a).dtype.kind == "f"


STEP = 1e-6


def own_slope(case: Case, thing, way: np.ndarray) -> float | None:
    """How dy · y moves where x, or what the case asks about, moves that way, in somebody's own forward.

    By central differences; None where forward stops. Two runs say as much of a gradient as two for
    each of its entries would, if the way is drawn at random.
    """
    names, of = case.forward.parameters, case.result[1:]
    inputs = {n: a.astype(float) if a.dtype.kind == "f" else a for n, a in case.inputs.items()}
    dy, values = inputs.get("dy", 1.0), []
    for step in (STEP, -STEP):
        moved = inputs | {of: inputs[of] + step * way}
        forward = Case("y", {n: a for n, a in moved.items() if n in names}, case.forward)
        outcome = attempt(forward, thing)
        try:
            values.append(float(np.sum(outcome.value * dy)))
        except Exception:
            return None
    return (values[0] - values[1]) / (2 * STEP)


def fits_own_forward(thing, trials: list[Trial]) -> bool:
    """Whether a wrong backward is the derivative of its own forward, so that it is forward that is wrong."""
    # Where several answers are right, at a kink, finite differences give none of them.
    wrong = [t for t in trials if not t.right and t.case.closest is None]
    # Three cases are evidence enough, and finite differences of slow loops are slow.
    wrong = [t for t in wrong if t.outcome.error is None][:3]
    for trial in wrong:
        if trial.case.forward is None or not trial.evidence.comparable:
            return False
        way = np.random.default_rng(1).uniform(0.5, 1.5, np.shape(trial.expected))
        slope = own_slope(trial.case, thing, way)
        got, expected = (np.asarray(a, float) * way for a in (trial.outcome.value, trial.expected))
        room = 1e-5 * (np.abs(got).sum() + np.abs(expected).sum())
        if slope is None or not abs(slope - got.sum()) <= room:
            return False
        if abs(slope - expected.sum()) <= room:
            return False
    return bool(wrong)


def remarks(outcome: Outcome, hint: str) -> dict[str, str]:
    """What to say at the end: warnings, what the learner's code printed, the hint."""
    facts = {"warning": outcome.warned[0]} if outcome.warned else {}
    if outcome.printed:
        facts["you printed"] = outcome.printed
    return facts | ({"hint": hint} if hint else {})


def side_by_side(evidence: diagnosis.Evidence):
    """ "target | yours", where what the learner returned can be drawn at all."""
    got = evidence.got
    if (
        not isinstance(got, np.ndarray)
        or got.dtype.kind not in "iuf"
        or got.ndim > 4
        or not got.size
    ):
        return None
    return target_and_yours(np.asarray(evidence.expected), got, title=evidence.name)
