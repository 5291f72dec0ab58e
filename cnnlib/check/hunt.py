"""Bug hunts: the learner is given a layer that is wrong somewhere, and looks for the input that shows it."""

from collections.abc import Callable, Iterator

import numpy as np

from cnnlib.check.engine import Case, Check, attempt, remarks
from cnnlib.check.failure import Failed
from cnnlib.scripts import script
from cnnlib.scripts.layer import call

MOST, LARGEST = 6, 1000
"""How many numbers an array may have, and how large they may be: so few that one has to choose them."""

THREE_DECIMALS = 6e-4
"""How far a number that is given to three decimals may lie from the right one."""


class Hunt(Check):
    """A check of the test with which a learner shows that the patient is wrong.

    The learner's function takes nothing and returns the arrays in `names`, few whole numbers that
    can be followed by hand, and what the right layer makes of them. The arrays are run through
    `script`, once with the right layer and once with the patient, and have to give different
    results. Each number has to be needed: with 0 in its place the patient gets away. So numbers
    drawn at random win nothing, and what is left shows what the mistake is about; and as one has to
    know what the right layer gives, neither do arrays of zeros whose shapes were drawn at random.
    `axes` names the axes of those arrays that must have them, such as ``{"x": "N, C, H, W"}``, and
    `stops` says that the patient's mistake is one that stops it: otherwise a patient that stops has
    another trouble than the one that is hunted. Where several results are right,
    ``closest(right, expected, **arrays)`` is the one most like what the learner expects.
    """

    def __init__(
        self,
        script: Callable,
        title: str,
        passes: str,
        patient: type,
        right: type,
        names: tuple[str, ...],
        axes: dict[str, str],
        stops: bool,
        closest: Callable | None,
    ):
        super().__init__(script, title, _witness, passes)
        self.script, self.right, self.names = script, right, names
        self.axes, self.stops, self.closest = axes, stops, closest
        self.patient = type("Patient", (patient,), {"__doc__": "Wrong somewhere. Where?"})

    def failure(self, thing) -> Failed | None:
        outcome = attempt(Case("arrays", {}, script(call)), thing)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        returned = outcome.value if isinstance(outcome.value, tuple | list) else (outcome.value,)
        arrays = list(_arrays(returned))
        unfit = self._unfit(arrays)
        if unfit is not None:
            return self._fail(outcome, *unfit)
        *arrays, claim = (np.asarray(a, float) for a in arrays)
        inputs = dict(zip(self.names, arrays, strict=True))
        case, right, patient = self._run(inputs)
        if right.error is not None:
            says = "Not even a right layer can work with your arrays."
            return self._fail(outcome, says, {"where": case.where, "it says": str(right.error)})
        why = self._contradicts(claim, np.asarray(right.value), inputs)
        if why is not None:
            says = "What you expect is not what a right layer gives, so your test would blame the innocent."
            hint = "Work it out by hand, number by number: what would a right one make of these arrays?"
            return self._fail(outcome, says, {"where": case.where, "expected": why, "hint": hint})
        if patient.error is not None and not self.stops:
            says = "The patient stops at your arrays, but not because of the mistake that this hunt is about."
            return self._fail(outcome, says, {"where": case.where, "it says": str(patient.error)})
        if not _differ(right, patient):
            says = "The patient passes your test: with these arrays it does just what a right layer does."
            return self._fail(outcome, says, {"where": case.where, "hint": self._hint(inputs)})
        for place, number in self._not_needed(inputs):
            says = "The patient is caught, but not every one of your numbers is needed for that."
            facts = {
                "where": case.where,
                "try": f"0 in place of {place} = {number:g}: the patient is caught all the same",
                "hint": "Write 0 wherever you can. What the numbers that are left have to do with the "
                "mistake is what this hunt is about.",
            }
            return self._fail(outcome, says, facts)
        return None

    def _contradicts(self, claim, right, inputs) -> str | None:
        """What is wrong with what the learner expects."""
        if claim.shape != right.shape:
            return f"its shape is {claim.shape}, and should be another one"
        if self.closest:
            right = self.closest(right, claim, **inputs)
        far = np.argwhere(~_near(right, claim))
        if not len(far):
            return None
        at = f"the number at {far[0].tolist()}" if right.ndim else "this number"
        return f"{at} is not the right one"

    def _not_needed(self, inputs) -> Iterator[tuple[str, float]]:
        """The numbers, with their places, in place of which 0 would do as well."""
        for name, array in inputs.items():
            for place in np.argwhere(array).tolist():
                fewer = array.copy()
                fewer[tuple(place)] = 0
                if self._caught(inputs | {name: fewer}):
                    yield f"{name}{place}", array[tuple(place)]

    def _caught(self, inputs) -> bool:
        """Whether the patient makes its mistake, and no other, with these arrays."""
        _, right, patient = self._run(inputs)
        stopped = patient.error is not None and not self.stops
        return right.error is None and not stopped and _differ(right, patient)

    def _run(self, inputs):
        """The case, and what the right layer and the patient make of it."""
        case = Case("result", inputs, self.script)
        return case, attempt(case, self.right), attempt(case, self.patient)

    def _unfit(self, arrays) -> tuple[str, dict[str, str]] | None:
        """Why these can't be the arrays that are asked for."""
        if len(arrays) != len(self.names) + 1 or not all(_numbers(a) for a in arrays):
            got = ", ".join(f"array {a.shape}" if _numbers(a) else type(a).__name__ for a in arrays)
            asked = ", ".join([*self.names, "expected"])
            return f"NumPy arrays of finite numbers are asked for: {asked}.", {"got": got}
        for name, array in zip(self.names, arrays, strict=False):
            if array.size == 0:
                return "An empty array shows nothing.", {"got": f"{name} of shape {array.shape}"}
            axes = self.axes.get(name)
            if axes and array.ndim != len(axes.split(", ")):
                got = f"{name} of shape {array.shape}"
                return f"{name} needs the axes ({axes}).", {"got": got}
            if array.size > MOST:
                return _too_much(f"{name} has {array.size} numbers")
            odd = array[(array != np.round(array)) | (np.abs(array) > LARGEST)]
            if odd.size:
                return _too_much(f"{name} holds {odd.flat[0]:.6g}")
        return None

    def _hint(self, inputs) -> str:
        """What to think about: the array whose numbers hide the mistake, where it is one array."""
        hiding = [name for name in inputs if self._shown_by_others(inputs, name)]
        if len(hiding) != 1:
            if any(self._caught(self._drawn(inputs, *inputs, seed=seed)) for seed in range(4)):
                return (
                    "The shapes will do: with other numbers in these arrays, the patient would go "
                    "wrong. What is special about yours?"
                )
            return (
                "Numbers drawn at random in arrays of these shapes show nothing either. Does it take "
                "other shapes, or numbers that no chance brings? What have your arrays in common with "
                "those that the patient was tested on?"
            )
        (name,) = hiding
        numbers = np.unique(inputs[name])
        special = f" All its numbers are {numbers[0]:g}." if len(numbers) == 1 else ""
        return (
            f"Your {name} hides it: with other numbers in an array of the same shape, the patient "
            f"would go wrong. What is special about yours?{special}"
        )

    def _shown_by_others(self, inputs, name: str) -> bool:
        """Whether the patient goes wrong when this array is filled with other numbers, however often."""
        return all(self._caught(self._drawn(inputs, name, seed=seed)) for seed in range(4))

    @staticmethod
    def _drawn(inputs, *names: str, seed: int):
        """The arrays, with other numbers in these."""
        rng = np.random.default_rng(seed)
        drawn = dict(inputs)
        for name in names:
            size, shape = inputs[name].size, inputs[name].shape
            numbers = rng.permutation(np.arange(1.0, size + 1)) * rng.choice([-1.0, 1.0], size)
            drawn[name] = numbers.reshape(shape)
        return drawn

    def _fail(self, outcome, says: str, facts: dict[str, str]) -> Failed:
        return Failed(self.title, says, facts | remarks(outcome, ""))


def hunt(
    *,
    title: str,
    passes: str,
    patient: type,
    right: type,
    names: tuple[str, ...],
    axes: dict[str, str] | None = None,
    stops: bool = False,
    closest: Callable | None = None,
) -> Callable:
    """Turn a script, ``script(layer_class, **arrays)``, into a bug hunt."""
    return lambda script: Hunt(
        script, title, passes, patient, right, names, axes or {}, stops, closest
    )


def _witness():
    """Return arrays on which the patient goes wrong, and what a right layer makes of them."""


_witness.__name__ = "witness"


def _arrays(returned):
    """What was returned, lists and numbers as arrays; what NumPy can't make an array of stays as it is."""
    for a in returned:
        try:
            yield np.asarray(a) if isinstance(a, list | tuple | int | float | np.generic) else a
        except ValueError:
            yield a


def _numbers(a) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind in "iuf" and bool(np.isfinite(a).all())


def _differ(right, patient) -> bool:
    return (
        patient.error is not None
        or bool(patient.changed)
        or np.shape(right.value) != np.shape(patient.value)
        or not _near(right.value, patient.value).all()
    )


def _near(right, got) -> np.ndarray:
    """Number by number, whether it is the right one to three decimals; NaN never is."""
    with np.errstate(invalid="ignore"):
        return np.abs(np.asarray(right, float) - np.asarray(got, float)) <= THREE_DECIMALS


def _too_much(got: str) -> tuple[str, dict[str, str]]:
    says = (
        f"Few and small, please: at most {MOST} numbers in each array, whole ones from −{LARGEST} to "
        f"{LARGEST}, so that each can be followed by hand."
    )
    return says, {"got": got}
