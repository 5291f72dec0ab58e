"""The general diagnosis: what can truly be said of a wrong array, whoever computed it.

Each detector looks at one piece of evidence (an expected and a returned array, with the inputs that
led there) and returns a `Finding` or None. A finding is used only where the same one holds for
every case that failed, so what is said is true of the code, not of one input.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, permutations, product
from typing import Any

import numpy as np

from cnnlib.scripts.words import describe, number


@dataclass(frozen=True)
class Finding:
    """What is wrong (the first line is the headline), a hint, labelled facts, and the misconception that it is."""

    says: str
    hint: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    misconception: Any = None


@dataclass(frozen=True)
class Evidence:
    """One case that came out wrong.

    Who asks whether numbers are equal looks at `settled`; who calculates with them, at `expected`
    and `got`.
    """

    name: str
    expected: np.ndarray
    got: Any
    inputs: dict[str, np.ndarray]
    axes: tuple[str, ...]
    tolerance: float
    look: Callable | None = None

    @property
    def comparable(self) -> bool:
        """Whether `got` is an array of numbers in the expected shape."""
        return (
            isinstance(self.got, np.ndarray | np.generic | int | float)
            and np.asarray(self.got).dtype.kind in "iuf"
            and np.shape(self.got) == np.shape(self.expected)
        )

    @property
    def constant(self) -> bool:
        """Whether `got` is one number everywhere."""
        if not self.comparable:
            return False
        expected, sizes = np.abs(self.expected), np.abs(self.got)
        largest = max(expected.max(initial=0), sizes.max(initial=0))
        rounding = (2 * sizes.size + 1) * max(self.tolerance, 1e-12) * largest
        with np.errstate(invalid="ignore"):
            if np.ptp(sizes) > rounding:  # mostly, and seen at once
                return False
        got = np.asarray(self.settled[1])
        return bool((got == got.flat[0]).all())

    @cached_property
    def settled(self) -> tuple[np.ndarray, np.ndarray]:
        """`expected` and `got`, in which what is equal but for rounding is equal bit for bit."""
        return settled(np.asarray(self.expected), np.asarray(self.got), self.tolerance)

    @property
    def batch_size(self) -> int | None:
        if self.axes[:1] == ("N",):
            return len(self.expected)
        return len(self.inputs["x"]) if "x" in self.inputs else None

    @property
    def slack(self) -> float:
        """A tolerance for numbers that a detector computes from others."""
        return max(self.tolerance, 1e-6 if np.asarray(self.expected).dtype == np.float32 else 1e-12)

    @property
    def folded(self) -> "Evidence":
        """The rows (N, D) of pictures as pictures again, where it is easier to see what is wrong."""
        x = self.inputs.get("x")
        if self.axes != ("N", "D") or x is None or x.ndim != 4 or x.size != self.expected.size:
            return self
        expected, got = self.expected.reshape(x.shape), np.asarray(self.got).reshape(x.shape)
        return replace(self, expected=expected, got=got, axes=("N", "C", "H", "W"))

    def axis(self, number: int) -> str:
        return self.axes[number] if number < len(self.axes) else f"axis {number}"


FITS_OWN_FORWARD = Finding(
    "Your backward is the derivative of your forward, and the forward is wrong.",
    "Run the check of forward first. Once forward is right, this check passes, or backward needs the "
    "same repair.",
)


def close(expected, got, tolerance: float) -> np.ndarray:
    """Element by element, whether `got` is as near to `expected` as `tolerance` times the largest value; NaN never is."""
    expected, got = np.asarray(expected), np.asarray(got)
    scale = max(np.abs(expected).max(initial=0), 1e-3)
    if tolerance == 0 or np.isinf(scale):
        return np.asarray(expected == got)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(expected - got) <= tolerance * scale)


def settled(expected: np.ndarray, got: np.ndarray, tolerance: float) -> tuple:
    """Make equal, bit for bit, what is equal but for rounding, in both arrays and between them.

    BLAS and `exp` round differently from one processor to the next. So numbers whose sizes lie as
    near to each other as the tolerance become the expected one of them, and what is as near to 0
    becomes 0. Where numbers are only moved, they stay as they are.
    """
    if tolerance == 0 or expected.dtype.kind != "f" or got.dtype.kind != "f":
        return expected, got
    sizes = np.abs(np.concatenate([[0.0], np.ravel(expected), np.ravel(got)]))
    # The smaller scale counts: where all is a billion times too small, it isn't all the same.
    scales = [np.abs(a[np.isfinite(a)]).max(initial=0) for a in (expected, got)]
    near = max(tolerance, 1e-12) * (min(scales) or max(scales))
    order = np.argsort(sizes, kind="stable")
    with np.errstate(invalid="ignore"):
        apart = ~(np.diff(sizes[order]) <= near)
    group = np.empty(len(sizes), int)
    group[order] = np.concatenate([[0], np.cumsum(apart)])
    _, first = np.unique(group, return_index=True)
    alike = sizes[first[group]][1:]
    return tuple(
        np.copysign(to.reshape(a.shape), np.where(to.reshape(a.shape) == 0, 1, a)).astype(a.dtype)
        for a, to in zip((expected, got), np.split(alike, [np.size(expected)]), strict=True)
    )


def compare(evidence: Evidence) -> dict[str, str]:
    """The facts of a difference: expected and got, at the worst place where there is one."""
    name, expected, got = evidence.name, np.asarray(evidence.expected), evidence.got
    if not evidence.comparable:
        return {
            "expected": f"{name} of shape {expected.shape}" if expected.ndim else "a number",
            "got": describe(got, name),
        }
    got = np.asarray(got)
    wrong = ~close(expected, got, evidence.tolerance)
    if isinstance(evidence.expected, float) and not wrong.any():
        return {"expected": f"{name} as a float", "got": f"{name} as {type(evidence.got).__name__}"}
    if expected.dtype != got.dtype and close(expected, got, max(evidence.tolerance, 1e-6)).all():
        return {
            "expected": f"{name} of dtype {expected.dtype}",
            "got": f"{name} of dtype {got.dtype}",
        }
    place = worst_place(expected, got, wrong, evidence.tolerance)
    at = f"{name}{_index(place)}"
    right, mine = apart(expected[place], got[place])
    facts = {
        "expected": f"{at} = {right}",
        "got": f"{at} = {mine}{_home(evidence, place)}",
    }
    facts |= evidence.look(place, got, **evidence.inputs) if evidence.look else {}
    return facts | ({"wrong": f"{wrong.sum()} of {wrong.size} entries"} if place else {})


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""


def _home(evidence: Evidence, place: tuple[int, ...]) -> str:
    """Where numbers are only moved: to which other place this one belongs."""
    expected, got = evidence.settled
    homes = np.argwhere(expected == got[place])
    if got[place] == 0 or len(homes) != 1 or not np.isin(got, expected).all():
        return ""
    if np.sum(got != expected) < 2:  # a single number may be one of the others by chance
        return ""
    if (got == got[place]).all():
        return ""
    return f", which belongs at {_index(tuple(map(int, homes[0])))}"


def worst_place(expected, got, wrong, tolerance: float) -> tuple[int, ...]:
    """Where numbers are only moved, the first wrong place; elsewhere the one that is furthest off."""
    if tolerance == 0:
        flat = int(np.argmax(wrong))
    else:
        off = np.abs(np.asarray(expected, float) - np.asarray(got, float))
        off = np.where(np.isnan(off), np.inf, off)
        flat = int(np.argmax(off >= off.max() * (1 - 1e-6)))  # the first of those equally far off
    return tuple(map(int, np.unravel_index(flat, wrong.shape)))


def apart(expected, got) -> tuple[str, str]:
    """Two numbers, with as many digits as it takes to tell them apart."""
    for digits in (6, 9, 12, 17):
        pair = number(expected, digits), number(got, digits)
        if pair[0] != pair[1]:
            break
    return pair


def changed(names: tuple[str, ...]) -> Finding:
    """An input was changed in place, or the layer has other weights than before."""
    which = " and ".join(names)
    if set(names) <= {"W", "b"}:
        meant = " or ".join(f"self.d{name}" for name in names)
        return Finding(
            f"Afterwards the layer has another {which} than before.",
            f"Only an optimizer moves W and b. Which line sets self.{names[0]} anew, or writes into "
            f"it or a view of it? Was {meant} meant?",
        )
    each, was = ("it", "it was") if len(names) == 1 else ("them", "they were")
    return Finding(
        f"Your code changed {which} in place.",
        f"Whoever handed you {which} still needs {each} as {was}. Which of your lines writes into "
        f"{each}, or into a view of {each}?",
    )


def other_ingredients(result: str, too_many: list[str], missing: list[str]) -> Finding | None:
    """What to say where a result depends on other inputs than it should."""
    extra, lacking = (" and ".join(names) for names in (too_many, missing))
    mine = result.removeprefix("the ")
    if extra and lacking:
        return Finding(
            f"Your {mine} depends on {extra}, and not on {lacking}. It should be the other way round.",
            f"Which name in your code holds something of {extra}, where {lacking} is meant?",
        )
    if extra:
        return Finding(
            f"Your {mine} depends on {extra}, and should not.",
            f"Which line brings {extra} in, or something that is made of it?",
        )
    if lacking:
        has = "has" if len(missing) == 1 else "have"
        return Finding(
            f"In your {mine}, {lacking} {has} no part.",
            f"What is {result} made of? Where does {lacking} come into your code?",
        )
    return None


def diagnose(
    evidence: list[Evidence], otherwise: Callable[[], Finding | None] = lambda: None
) -> Finding:
    """The first finding that holds for every case that failed, or else one about the first of them.

    What takes long to find is asked `otherwise`, before nothing is said but where it is wrong.
    """
    first, comparable = evidence[0], [e for e in evidence if e.comparable]
    # A single number shows no pattern: it is k times any other one.
    telling = [e for e in comparable if np.size(e.expected) > 1]
    # float32 says the same as float64, in fewer digits.
    telling = [e for e in telling if np.asarray(e.expected).dtype != np.float32] or telling
    detectors = NUMBERS
    if not telling:
        telling, detectors = comparable, SEVERAL_SINGLE if len(comparable) > 1 else SINGLE
    for detector in BEFORE_NUMBERS:
        if finding := _agreed(detector, evidence):
            return finding
    if first.comparable:
        few = sum(np.size(e.expected) for e in telling) < 6
        for detector in detectors:
            if few and detector in FITTED:
                continue
            if finding := _agreed(detector, telling):
                return finding
        for detector in HERE:
            if finding := detector(first.folded):
                return finding
        # One picture, or a map of one pixel, shows one of two things only.
        both = [e for e in telling if ratio(e) is None and not np.isclose(_size(e), 1)]
        if both and (finding := _agreed(scaled_and_moved, both)):
            return finding
        more_than_one = sum(map(wrong_numbers, telling or comparable)) > 1
        if more_than_one and (finding := _agreed(by_the_sign_of_an_input, telling or comparable)):
            return finding
        if finding := otherwise():
            return finding
        for detector in PARTLY:
            if finding := detector(first.folded):
                return finding
    return fallback(first)


def wrong_numbers(e: Evidence) -> int:
    """How many numbers of a result are wrong; none where they can't be compared."""
    return int(np.sum(~close(e.expected, e.got, e.tolerance))) if e.comparable else 0


def _agreed(detector: Callable, evidence: list[Evidence]) -> Finding | None:
    """The first thing that the detector finds in each piece of evidence."""
    first = _found(detector, evidence[0])
    for e in evidence[1:]:
        if not first:
            break
        also = {f.says for f in _found(detector, e)}
        first = [f for f in first if f.says in also]
    return first[0] if first else None


def _found(detector: Callable, e: Evidence) -> list[Finding]:
    """What a detector finds, as a list: some find several things that may be the reason."""
    finding = detector(e)
    if isinstance(finding, Finding):
        return [finding]
    return list(finding or ())


# ------------------------------------------------------------------ what was returned at all


def nothing_returned(e: Evidence) -> Finding | None:
    if e.got is None and e.name in ("dW", "db"):
        return Finding(
            f"self.{e.name} is None after backward.",
            f"Which of your lines sets self.{e.name} last, and to what?",
        )
    if e.got is None:
        return Finding(
            "It returned None.", "Is there a return on every path through your function?"
        )
    return None


def _a(noun: str) -> str:
    return f"{'an' if noun.startswith((*'aeiou', 'nd')) else 'a'} {noun}"


def _came_as(e: Evidence) -> str:
    """What kind of thing came back, or was set: dW and db are not returned."""
    kind = _a(type(e.got).__name__)
    return f"self.{e.name} is {kind}" if e.name in ("dW", "db") else f"It returned {kind}"


def _right_part(e: Evidence) -> int | None:
    """Which of several things that were returned is the one that was asked for."""
    for place, part in enumerate(e.got):
        alone = replace(e, got=part)
        if isinstance(part, np.ndarray | float) and alone.comparable:
            if close(e.expected, part, e.tolerance).all():
                return place
    return None


def one_of_several(e: Evidence) -> Finding | None:
    inside = _right_part(e) if isinstance(e.got, tuple | list) else None
    if inside is None:
        return None
    what = "an array" if np.ndim(e.expected) else "a number"
    return Finding(
        f"{_came_as(e)}, not {what}. Of the {len(e.got)} things in it, "
        f"the one at index {inside} is the right {e.name}.",
        f"Whoever calls this goes on with {e.name} alone. What else do you hand out, and where "
        "could it be kept?",
    )


def no_array(e: Evidence) -> Finding | None:
    if isinstance(e.got, np.ndarray | np.generic) or (
        np.ndim(e.expected) == 0 and isinstance(e.got, int | float)
    ):
        return None
    what = "an array" if np.ndim(e.expected) else "a number"
    hint = ""
    if isinstance(e.got, Iterator):
        hint = "It hands out one thing at a time. What makes a list of them?"
    elif isinstance(e.got, list | tuple) and np.ndim(e.expected):
        hint = "Which function of NumPy's makes an array of a list?"
    return Finding(f"{_came_as(e)}, not {what}.", hint)


def no_float(e: Evidence) -> Finding | None:
    if not isinstance(e.expected, float) or isinstance(e.got, float) or np.shape(e.got):
        return None
    if not e.comparable or not close(e.expected, e.got, max(e.tolerance, 1e-6)).all():
        return None
    got = f"NumPy's {e.got.dtype}" if isinstance(e.got, np.generic) else _a(type(e.got).__name__)
    return Finding(
        f"The number is right, but it is {got}, not a Python float.",
        "What does Python's own `float` make of any single number?",
    )


def no_numbers(e: Evidence) -> Finding | None:
    kind = np.asarray(e.got).dtype
    if kind.kind in "iuf":
        return None
    if kind.kind == "b":
        return Finding(
            f"{e.name} says True or False, where a number is asked for.",
            "A comparison answers yes or no. Which numbers was it meant to choose or to weigh?",
        )
    if not isinstance(e.got, np.ndarray):
        return Finding(
            "It returned something else than numbers.",
            "What does the name behind your return stand for?",
        )
    return Finding(
        f"{e.name} has dtype {kind}: not real numbers.",
        "What dtype does the array that you fill have?",
    )


def truncated(e: Evidence) -> Finding | None:
    expected, got = np.asarray(e.expected), np.asarray(e.got)
    if expected.dtype.kind != "f" or got.dtype.kind not in "iu":
        return None
    return Finding(
        f"{e.name} has dtype {got.dtype}: everything after the decimal point is lost.",
        "What dtype does the array that you fill have, and where does that come from?",
    )


def not_whole(e: Evidence) -> Finding | None:
    expected, got = np.asarray(e.expected), np.asarray(e.got)
    if expected.dtype.kind not in "iu" or got.dtype.kind != "f":
        return None
    return Finding(
        f"{e.name} must be whole, and is a float.",
        "`/` always gives a float, and so do np.floor, and np.zeros without a dtype; `//` stays whole.",
    )


# ------------------------------------------------------------------ shapes


def handed_through(e: Evidence) -> Finding | None:
    for name, array in e.inputs.items():
        if np.shape(e.got) == array.shape and close(array, e.got, e.tolerance and 1e-12).all():
            return Finding(
                f"What comes out is {name}, just as it came in.",
                f"What has to happen to {name} here?",
            )
    return None


def one_row_for_the_whole_batch(e: Evidence) -> Finding | None:
    expected, got = np.shape(e.expected), np.shape(e.got)
    if e.axes[:1] != ("N",) or expected[0] == 1 or expected == got:
        return None
    if np.size(e.got) != np.size(e.expected):
        return None
    if got in {(np.size(e.got),), (1, np.size(e.got))}:
        return Finding(
            "The batch axis is flattened too.",
            "How many pictures went in, and how many rows came out?",
        )
    return None


def axes_in_another_order(e: Evidence) -> Finding | None:
    expected, got = e.settled
    if got.shape == expected.shape or got.ndim != expected.ndim or got.size != expected.size:
        return None
    for order in permutations(range(expected.ndim)):
        if got.shape == tuple(expected.shape[k] for k in order):
            names = ", ".join(e.axis(k) for k in order)
            if np.array_equal(got, expected.transpose(order)):
                return Finding(
                    f"{e.name} has its axes in the order ({names}).",
                    f"The order must be ({', '.join(e.axis(k) for k in range(expected.ndim))}).",
                )
            if np.array_equal(got.ravel(), expected.ravel()):
                return Finding(
                    f"{e.name} has the shape ({names}).",
                    "The numbers come in the right order; it is only the shape that they are put into.",
                )
    return None


def only_the_shape(e: Evidence) -> Finding | None:
    expected, got = e.settled
    if (
        got.shape != expected.shape
        and got.size == expected.size
        and np.array_equal(got.ravel(), expected.ravel())
    ):
        return Finding(
            f"The numbers are right and in the right order; only the shape of {e.name} is wrong.",
            "What shape does whoever gets this array expect?",
        )
    return None


def wrong_number_of_axes(e: Evidence) -> Finding | None:
    expected, got = np.ndim(e.expected), np.ndim(e.got)
    if expected == got:
        return None
    more = "too many" if got > expected else "too few"
    return Finding(
        f"{e.name} has {more} axes: {got}, not {expected}.",
        _whose_shape(e),
    )


def wrong_length(e: Evidence) -> Finding | None:
    expected, got = np.shape(e.expected), np.shape(e.got)
    if len(expected) != len(got) or expected == got:
        return None
    names = [e.axis(k) for k, (a, b) in enumerate(zip(expected, got, strict=True)) if a != b]
    return Finding(
        f"{e.name} has the wrong length along {' and '.join(names)}.",
        _whose_shape(e),
    )


NEARLY = "The numbers are nearly right, but too far off for rounding errors."
FOLLOW = "Follow the shape through your function, line by line."
BY_HAND = "Compare one entry with a calculation by hand."
THIS_BY_HAND = "Compare the place above with a calculation by hand."
SMALLEST = "Take the smallest case, and compare with a calculation by hand."
ONE_PART = "Is that part special in your code, or do only these numbers make it so? Work out one wrong number and one right one by hand."
GENERAL = {FOLLOW, BY_HAND, THIS_BY_HAND, SMALLEST, ONE_PART}
"""Hints that are of use only where nothing more is known."""
GENERAL_NUMBERS = GENERAL - {FOLLOW, ONE_PART}


def as_a_pattern(result: str, pattern: str) -> Finding:
    """Where nothing more is known than with what a result is wrong, that is the headline."""
    return Finding(f"Your {result.removeprefix('the ')} is {pattern}.", THIS_BY_HAND)


def _whose_shape(e: Evidence) -> str:
    """A gradient has the shape of what it is the gradient of."""
    of = e.name[1:]
    if e.name[0] != "d" or np.shape(e.inputs.get(of)) != np.shape(e.expected):
        return FOLLOW
    return f"{e.name} needs the shape of {of}, {np.shape(e.expected)}. Which line gives yours its shape?"


# ------------------------------------------------------------------ numbers, in the right shape


def not_finite(e: Evidence) -> Finding | None:
    if np.isfinite(e.got).all():
        return None
    what = "NaN" if np.isnan(e.got).any() else "infinite values"
    return Finding(
        f"{e.name} contains {what}.",
        "Where does it begin: a division by zero, the logarithm of zero, an exp that overflows, an array that was never filled?",
    )


def wrong_dtype(e: Evidence) -> Finding | None:
    expected, got = np.asarray(e.expected), np.asarray(e.got)
    if expected.dtype == got.dtype or not close(expected, got, max(e.tolerance, 1e-6)).all():
        return None
    return Finding(
        f"The numbers are right, but their dtype is {got.dtype}, not {expected.dtype}.",
        "The dtype of what comes in is kept. Which array or number brings another one in?",
    )


def nearly(e: Evidence) -> Finding | None:
    if not close(e.expected, e.got, 1e-3).all():
        return None
    return Finding(
        NEARLY,
        "Is something made coarser on the way, by float32 or round, or is a small number added?",
    )


def all_the_same(e: Evidence) -> Finding | None:
    got = e.settled[1]
    if got.size < 2 or (got != got.flat[0]).any():
        return None
    return Finding(
        f"{e.name} is {number(got.flat[0])} everywhere.",
        f"What went in differs from entry to entry. Where in your code does it reach {e.name}?",
    )


def sign(e: Evidence) -> Finding | None:
    if close(e.expected, -np.asarray(e.got), e.slack).all():
        return Finding(
            "Every number has the wrong sign.", "Where does a minus come in, or go missing?"
        )
    return None


def ratio(e: Evidence) -> float | None:
    """The one factor that leads from each expected number to the one that came, or None."""
    expected, got = np.asarray(e.expected, float), np.asarray(e.got, float)
    at = np.unravel_index(np.argmax(np.abs(expected)), expected.shape)
    if got[at] == 0 or expected[at] == 0 or np.isinf(expected[at]):
        return None
    k = got[at] / expected[at]
    return float(k) if close(expected * k, got, e.slack).all() else None


def times_the_batch_size(e: Evidence) -> Finding | None:
    k, N = ratio(e), e.batch_size
    if k is None or not N or N == 1 or not np.isclose(k, N):
        return None
    return Finding("Every number is N times too large; N is your batch size.", WHO_DIVIDES)


def divided_by_the_batch_size(e: Evidence) -> Finding | None:
    k, N = ratio(e), e.batch_size
    if k is None or not N or N == 1 or not np.isclose(k, 1 / N):
        return None
    return Finding("Every number is divided by N, the batch size.", WHO_DIVIDES)


WHO_DIVIDES = "Who divides by N in this course, and how many times?"


def times_a_length(e: Evidence) -> Iterator[Finding]:
    """Multiplied or divided by the length of an axis, or by the size of an input."""
    k = ratio(e)
    if k is None or k <= 0:
        return
    lengths = dict(zip(e.axes, np.shape(e.expected), strict=False))
    lengths |= {"N": e.batch_size} if e.batch_size else {}
    lengths |= {
        f"{name}.shape[{j}]": size
        for name, array in e.inputs.items()
        for j, size in enumerate(array.shape)
    }
    lengths |= {f"{name}.size": array.size for name, array in e.inputs.items()}
    for name, length in lengths.items():
        for size, sign in ((length, ""), (length**2, "²")):
            if np.isclose(k, 1 / size):
                yield Finding(f"Every number is divided by {name}{sign}.", SUM_OR_MEAN)
            if np.isclose(k, size):
                yield Finding(f"Every number is {name}{sign} times too large.", SUM_OR_MEAN)


SUM_OR_MEAN = "Is this a sum or a mean, and over what? Where does that length come in?"


def factor(e: Evidence) -> Finding | None:
    k = ratio(e)
    if k is None:
        return None
    return Finding(
        f"Every number is {number(k, 4)} times what it should be.",
        "Where could such a factor come from?",
    )


def changing_factor(e: Evidence) -> Finding | None:
    if ratio(e) is None:
        return None
    return Finding(
        "In each case all numbers are off by one factor, but it isn't always the same one.",
        "What differs from case to case and could come in as a factor: a length, a step?",
    )


def times_an_input(e: Evidence) -> Finding | None:
    expected, got = np.asarray(e.expected, float), np.asarray(e.got, float)
    for name, array in e.inputs.items():
        if (
            array.size == expected.size
            and close(expected * array.reshape(expected.shape), got, e.slack).all()
        ):
            return Finding(
                f"Every number is the right one times an entry of {name}.",
                f"Why does {name} come in as a factor?",
            )
    return None


def off_by_an_input(e: Evidence) -> Iterator[Finding]:
    """Right but for a multiple of one of the inputs, which may be spread over the other axes."""
    off = np.asarray(e.got, float) - np.asarray(e.expected, float)
    if off.size < 2:
        return
    for name, array in e.inputs.items():
        for spread in _spreads(array, off.shape):
            at = np.argmax(np.abs(spread))
            if not spread.flat[at] or not off.flat[at]:
                continue
            k = off.flat[at] / spread.flat[at]
            if close(np.asarray(e.expected) + k * spread, e.got, max(e.slack, 1e-9)).all():
                hint = f"How many times should {name} count here, and how many times does it?"
                yield Finding(f"Every number is off by {number(k, 4)} times {name}.", hint)
                yield Finding(f"Every number is off by {name}, some number of times.", hint)


def _spreads(array: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The array spread to a shape, as NumPy does it, or a row of numbers along each axis in turn."""
    shapes = [array.shape]
    if array.ndim == 1:
        shapes += [(-1,) + (1,) * behind for behind in range(1, len(shape))]
    for each in shapes:
        try:
            yield np.broadcast_to(array.reshape(each), shape)
        except ValueError:
            continue


def off_each_time(e: Evidence) -> Finding | None:
    """Single numbers, all off by the same."""
    off = np.asarray(e.got).item() - np.asarray(e.expected).item()
    if not off:
        return None
    hint = "Take the smallest case, and count on your fingers."
    return Finding(f"Each wrong result is off by {'+' * (off > 0)}{number(off)}.", hint)


def some_signs(e: Evidence) -> Finding | None:
    if not close(np.abs(e.expected), np.abs(e.got), e.slack).all():
        return None
    return Finding(
        "The numbers are right but for their sign: some have the wrong one.",
        "Which numbers may be negative, and where could their sign go missing?",
    )


def by_the_sign_of_an_input(e: Evidence) -> Iterator[Finding]:
    """Wrong only where an input of the same shape is positive, or only where it is negative."""
    wrong = ~close(e.expected, e.got, e.tolerance)
    for name, array in e.inputs.items():
        if array.shape != wrong.shape or array.dtype.kind not in "if":
            continue
        for side, there in (("positive", array > 0), ("negative", array < 0)):
            if there[wrong].all() and not there.all():
                yield Finding(
                    f"{e.name} is wrong only where {name} is {side}.",
                    f"What has to happen where {name} is {side}, and what does your code do there?",
                )


def rounded(e: Evidence) -> Finding | None:
    expected, got = np.asarray(e.expected, float), np.asarray(e.got, float)
    exact = np.round(expected, 9)  # a whole number that fell short of itself is whole
    if not any(close(cut(exact), got, 1e-12).all() for cut in (np.round, np.floor, np.trunc)):
        return None
    return Finding(
        "Every number is rounded to a whole one.",
        "`//`, `round` and an array of whole numbers cut off what is after the decimal point.",
    )


def offset(e: Evidence) -> Finding | None:
    off = np.asarray(e.got, float) - np.asarray(e.expected, float)
    if off.size < 2 or close(e.expected, e.got, e.slack).any():
        return None
    if close(np.asarray(e.expected) + off.flat[0], e.got, e.slack).all():
        return Finding(
            f"Every number is off by {number(off.flat[0])}.",
            "What is added once too often, or left out?",
        )
    return None


def clipped(e: Evidence) -> Finding | None:
    """Right, but no number lies beyond a bound."""
    got = np.asarray(e.got)
    for bound, beyond, clip in ((got.min(), "below", np.maximum), (got.max(), "above", np.minimum)):
        clipped = clip(e.expected, bound)
        # One number alone that is not a bound that people write: it is wrong, and not clipped.
        by_chance = bound != np.round(bound) and np.sum(clipped != np.asarray(e.expected)) < 2
        if close(clipped, got, e.slack).all() and not by_chance:
            return Finding(
                f"Numbers {beyond} {number(bound)} have become {number(bound)}.",
                "What does your code begin with, or compare with?",
            )
    return None


def samples(e: Evidence) -> Finding | None:
    """Right in some pictures of the batch only, or right but in another order."""
    if e.axes[:1] != ("N",) or len(e.expected) < 2:
        return None
    in_rows = "logits" in e.inputs or np.ndim(e.inputs.get("W")) == 2
    one = "row" if in_rows else "picture"
    right = close(e.expected, e.got, e.tolerance).reshape(len(e.expected), -1)
    present = ((e.settled[0] != 0) | (e.settled[1] != 0)).reshape(right.shape)
    wrong = [~np.all(r) and np.mean(~r[p]) > 0.5 for r, p in zip(right, present, strict=True)]
    right = right.all(axis=1)
    if len(right) == 2 and right.any() and any(wrong):
        which = "first" if right[1] else "second"
        return Finding(
            f"Of two {one}s, only the {which} one is wrong.",
            "What does your code do differently for it?",
        )
    if right[-1] and all(wrong[:-1]):
        return Finding(
            f"Only the last {one} of the batch is right.",
            "Is something overwritten in each iteration of a loop?",
        )
    if right[0] and all(wrong[1:]):
        return Finding(
            f"Only the first {one} of the batch is right.",
            "Does every step run over the whole batch?",
        )
    if close(e.expected[::-1], e.got, e.tolerance).all():
        return Finding(f"The {one}s of the batch come out in reverse order.")
    return None


def flipped(e: Evidence) -> Finding | None:
    expected = np.asarray(e.expected)
    axes = [k for k in range(expected.ndim) if expected.shape[k] > 1]
    for count in range(1, len(axes) + 1):
        for chosen in combinations(axes, count):
            if close(np.flip(expected, chosen), e.got, e.tolerance).all():
                names = " and ".join(e.axis(k) for k in chosen)
                return Finding(
                    f"The numbers are right, but flipped along {names}.",
                    f"In which direction do you walk along {names}?",
                )
    return None


def read_in_another_order(e: Evidence) -> Iterator[Finding]:
    """The right numbers, as if the axes had been walked through in another order on one of the two sides.

    With ``z`` the expected array, tries ``z`` permuted and then poured into the expected shape, and
    ``z`` poured into the permuted shape and then permuted back.
    """
    expected, got = e.settled
    letters = tuple(map(e.axis, range(expected.ndim)))
    source = next(
        (a for a in e.inputs.values() if a.size == expected.size and a.ndim > expected.ndim), None
    )
    whole = expected if source is None else expected.reshape(source.shape)
    if source is not None:
        letters = ("N", "C", "H", "W")[: source.ndim]

    def mixed_up(order) -> tuple[np.ndarray, np.ndarray]:
        shape = tuple(whole.shape[k] for k in order)
        poured = whole.transpose(order).reshape(got.shape)
        return poured, whole.reshape(shape).transpose(np.argsort(order)).reshape(got.shape)

    for order in permutations(range(whole.ndim)):
        for candidate in mixed_up(order):
            if not np.array_equal(candidate, expected) and np.array_equal(candidate, got):
                names = ", ".join(letters[k] if k < len(letters) else f"axis {k}" for k in order)
                yield Finding(
                    f"The right numbers in the wrong places, as if the axes came in the order ({names}).",
                    f"The order is ({', '.join(letters)}), and the last index moves fastest.",
                )
                if any(np.array_equal(each, got) for each in mixed_up(range(whole.ndim)[::-1])):
                    yield Finding(
                        "The right numbers in the wrong places, as if all axes came in reverse order.",
                        "Which index moves fastest where you read, and which where you write?",
                    )
                return


def _size(e: Evidence) -> float:
    """How large the largest number is, as a multiple of what it should be; 1 where that says nothing."""
    largest = np.abs(np.asarray(e.expected, float)).max(initial=0)
    size = np.abs(np.asarray(e.got, float)).max(initial=0)
    return float(size / largest) if largest and size and np.isfinite([largest, size]).all() else 1.0


def scaled_and_moved(e: Evidence) -> Iterator[Finding]:
    """Two things at once: every number times a factor, and then in another place."""
    expected, got = np.asarray(e.expected, float), np.asarray(e.got, float)
    size = _size(e)
    if not close(
        np.sort(np.abs(expected), axis=None) * size, np.sort(np.abs(got), axis=None), e.slack
    ).all():
        return
    for k in (size, -size):
        if np.isclose(k, 1, rtol=1e-9, atol=0):
            continue
        scaled = replace(e, got=expected * k)
        moved = replace(e, expected=expected, got=got / k, tolerance=e.slack)
        for where, times in product((flipped, read_in_another_order, shifted), FACTORS):
            for one, other in product(_found(where, moved), _found(times, scaled)):
                also = other.says[0].lower() + other.says[1:]
                yield Finding(
                    f"Two things at once. {one.says} And {also}", f"{other.hint} {one.hint}"
                )


def permuted(e: Evidence) -> Finding | None:
    expected, got = e.settled
    if not np.array_equal(np.sort(expected, axis=None), np.sort(got, axis=None)):
        return None
    own_row = (
        e.axes[:1] == ("N",)
        and len(expected) > 1
        and np.array_equal(
            np.sort(expected.reshape(len(expected), -1)), np.sort(got.reshape(len(got), -1))
        )
    )
    stay = (
        "each picture keeps its own"
        if own_row
        else "some even change to another picture"
        if len(expected) > 1 and e.axes[:1] == ("N",)
        else "none is lost"
    )
    return Finding(
        f"The right numbers in the wrong places; {stay}.",
        "Follow one number: where does it come from, and where do you put it?",
    )


def shifted(e: Evidence) -> Finding | None:
    """Every number one place on, along an axis or along the whole row."""
    expected = np.asarray(e.expected)
    rows = expected.reshape(len(expected), -1) if e.axes[:1] == ("N",) else expected.reshape(1, -1)
    for step in (1, -1):
        for k in range(expected.ndim):
            if (
                expected.shape[k] > 2
                and close(np.roll(expected, step, k), e.got, e.tolerance).all()
            ):
                return _moved_by_one(f"along {e.axis(k)}")
        moved = np.roll(rows, step, axis=1).reshape(expected.shape)
        if rows.shape[1] > 2 and close(moved, e.got, e.tolerance).all():
            return _moved_by_one("in the flat row")
    return None


def moved(e: Evidence) -> Finding | None:
    """Right, but further down or to the right, or further up or to the left; the rest is lost."""
    expected, got = np.asarray(e.expected), np.asarray(e.got)
    if expected.ndim < 2 or not expected.size:
        return None
    sizes = expected.shape[-2:]
    for steps in sorted(product(range(-2, 3), repeat=2), key=lambda s: sum(map(abs, s))):
        there, here = zip(*map(_overlap, steps, sizes), strict=True)
        kept = expected[..., *there]
        few = any(step and abs(step) > n - 2 for step, n in zip(steps, sizes, strict=True))
        if not any(steps) or few or 2 * kept.size < expected.size or (kept == kept.flat[0]).all():
            continue
        if close(kept, got[..., *here], e.tolerance).all():
            axes = [e.axis(expected.ndim - 2), e.axis(expected.ndim - 1)]
            ways = [f"{s:+d} along {axis}" for s, axis in zip(steps, axes, strict=True) if s]
            return Finding(
                f"Here, everything is moved by {' and '.join(ways)}.",
                "Where does the first number belong, and where do you put it?",
            )
    return None


def _overlap(step: int, length: int) -> tuple[slice, slice]:
    """Which part of an axis stays inside when it is moved by `step`, and where that part ends up."""
    return slice(max(0, -step), length - max(0, step)), slice(max(0, step), length + min(0, step))


def _moved_by_one(along: str) -> Finding:
    return Finding(
        f"Everything is moved by one place {along}.", "Does your count begin at 0 or at 1?"
    )


def alike_along_an_axis(e: Evidence) -> Finding | None:
    """The same numbers again and again along an axis."""
    expected, got = np.asarray(e.expected), np.asarray(e.got)
    for k in range(got.ndim):
        if got.shape[k] < 2 or not close(got.take([0], k), got, e.slack).all():
            continue
        if not close(expected.take([0], k), expected, e.slack).all():
            return Finding(
                f"{e.name} is the same for every index along {e.axis(k)}.",
                f"Is something summed or copied over {e.axis(k)} that should stay apart?",
            )
    return None


def steps(e: Evidence) -> Finding | None:
    """Places in a row that grow evenly along each axis, but by another step."""
    expected, got = np.asarray(e.expected, float), np.asarray(e.got, float)
    if not np.array_equal(expected.ravel(), np.arange(expected.size)):
        return None
    for k in range(expected.ndim):
        wanted, mine = np.unique(np.diff(expected, axis=k)), np.unique(np.diff(got, axis=k))
        if len(wanted) != 1 or len(mine) > 1:
            return None
        if wanted[0] != mine[0]:
            step = f"One step along {e.axis(k)} makes your number grow by {number(mine[0])}"
            return Finding(
                f"{step}, not by {number(wanted[0])}.", "What lies between the two cells?"
            )
    return None


def border(e: Evidence) -> Finding | None:
    """A picture that is right inside, and wrong along all four edges."""
    if e.axes and not e.axes[-1].endswith("W"):
        return None
    expected = np.asarray(e.expected)
    if expected.ndim < 2 or min(expected.shape[-2:]) < 3:
        return None
    right = close(expected, e.got, e.tolerance)
    edges = right[..., 0, :], right[..., -1, :], right[..., 0], right[..., -1]
    for width in range(1, (min(expected.shape[-2:]) + 1) // 2):
        inside = right[..., width:-width, width:-width]
        if inside.all() and not any(edge.all() for edge in edges):
            return Finding(
                f"Here, {e.name} is right inside and wrong along its edges.",
                "What lies beyond the edge of the picture?",
            )
    return None


def region(e: Evidence) -> Finding | None:
    """Wrong in one part of the array only: say in which, and whether it is empty there."""
    expected, got = e.settled
    wrong = ~close(e.expected, e.got, e.tolerance)
    # Zeros that are right say nothing about where the others are wrong.
    present = (expected != 0) | (got != 0)
    parts = []
    for k in range(wrong.ndim) if wrong.any() else ():
        others = tuple(j for j in range(wrong.ndim) if j != k)
        hit = wrong.any(axis=others).nonzero()[0]
        # What is wrong nearly everywhere on a map is in no part of it.
        small = e.axis(k) == "N" or 2 * len(hit) <= wrong.shape[k] + 1
        if small and present.any(axis=others).sum() > len(hit):
            parts.append(_part(e.axis(k), hit, wrong.shape[k]))
    if not any(parts):
        return None
    where = ", ".join(filter(None, parts))
    empty = " There, every number is 0." if not got[wrong].any() else ""
    return Finding(
        f"Here, {e.name} is wrong only in one part: {where}.{empty}",
        ONE_PART,
    )


def _part(axis: str, hit: np.ndarray, length: int) -> str:
    """The indices in `hit`, in words; empty where there is no short way to say it."""
    if len(hit) == 1:
        place = {0: "the first", length - 1: "the last"}.get(int(hit[0]))
        return f"{place} index along {axis}" if place else f"index {hit[0]} along {axis}"
    if hit[-1] - hit[0] + 1 != len(hit):
        return ""
    return f"indices {hit[0]} to {hit[-1]} along {axis}"


def repeated(e: Evidence) -> Finding | None:
    """Numbers that should only be moved, and stand in several places."""
    expected, got = e.settled
    if len(np.unique(expected)) < expected.size or len(np.unique(got)) == got.size:
        return None
    if not np.isin(got, expected).all():
        return None
    return Finding(
        f"Some numbers occur more than once in {e.name}, and others are missing.",
        "Two places can't share one number. Take the first two that do, and follow the calculation.",
    )


def fallback(e: Evidence) -> Finding:
    if not e.comparable:
        return (
            axes_in_another_order(e)
            or wrong_number_of_axes(e)
            or wrong_length(e)
            or Finding(f"{e.name} is not what it should be.")
        )
    if not np.ndim(e.expected):
        return not_finite(e) or Finding(
            f"{e.name} is wrong.",
            SMALLEST,
        )
    wrong = ~close(e.expected, e.got, e.tolerance)
    if wrong.all():
        return Finding(f"Every number in {e.name} is wrong.", BY_HAND)
    return Finding(
        f"{wrong.sum()} of {wrong.size} numbers in {e.name} are wrong.",
        THIS_BY_HAND,
    )


BEFORE_NUMBERS: tuple[Callable, ...] = (
    nothing_returned,
    one_of_several,
    no_array,
    no_float,
    no_numbers,
    handed_through,
    one_row_for_the_whole_batch,
    axes_in_another_order,
    only_the_shape,
    wrong_number_of_axes,
    wrong_length,
    truncated,
    not_whole,
)
# These need a number for each expected one.
NUMBERS: tuple[Callable, ...] = (
    not_finite,
    wrong_dtype,
    nearly,
    all_the_same,
    sign,
    times_the_batch_size,
    divided_by_the_batch_size,
    times_a_length,
    factor,
    changing_factor,
    times_an_input,
    off_by_an_input,
    some_signs,
    offset,
    clipped,
    alike_along_an_axis,
    samples,
    flipped,
    read_in_another_order,
    permuted,
    rounded,
)
# These fit a number of their own to what came out, which proves nothing where there is little.
FITTED = (off_by_an_input, times_an_input)
SINGLE: tuple[Callable, ...] = (not_finite, wrong_dtype, nearly, sign)
SEVERAL_SINGLE = (
    *SINGLE,
    times_the_batch_size,
    divided_by_the_batch_size,
    times_a_length,
    factor,
    off_each_time,
)
FACTORS = (sign, times_the_batch_size, divided_by_the_batch_size, times_a_length, factor)
# These speak of the case that is shown, not of every case.
HERE: tuple[Callable, ...] = (
    samples,
    shifted,
    moved,
    steps,
    alike_along_an_axis,
)
# These say where, and little more.
PARTLY: tuple[Callable, ...] = (region, repeated, permuted, border)
