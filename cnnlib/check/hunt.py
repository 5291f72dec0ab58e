"""Bug hunts: the learner is given a layer that is wrong somewhere, and looks for the input that shows it."""

from collections.abc import Callable

import numpy as np

from cnnlib.check.diagnosis import close
from cnnlib.check.engine import Case, Check, attempt, remarks, same
from cnnlib.check.failure import Failed
from cnnlib.scripts import script
from cnnlib.scripts.layer import call


class Hunt(Check):
    """A check of the arrays with which a learner shows that the patient is wrong.

    The learner's function takes nothing and returns the arrays in `names`. They are run through
    `script`, once with the right layer and once with the patient, and have to give different
    results. Where the last name is ``"expected"``, the learner also says what the right layer
    gives.
    """

    def __init__(
        self,
        script: Callable,
        title: str,
        passes: str,
        patient: type,
        right: type,
        names: tuple[str, ...],
    ):
        super().__init__(script, title, _witness, passes)
        self.script, self.right, self.names = script, right, names
        self.patient = type("Patient", (patient,), {"__doc__": "Wrong somewhere. Where?"})

    def failure(self, thing) -> Failed | None:
        outcome = attempt(Case("arrays", {}, script(call)), thing)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        arrays = outcome.value if isinstance(outcome.value, tuple | list) else (outcome.value,)
        asked = ", ".join(self.names)
        if len(arrays) != len(self.names) or not all(_numbers(a) for a in arrays):
            got = ", ".join(f"array {a.shape}" if _numbers(a) else type(a).__name__ for a in arrays)
            says = f"NumPy arrays of finite numbers are asked for: {asked}."
            return self._fail(outcome, says, {"got": got})
        if any(a.size == 0 for a in arrays):
            return self._fail(outcome, "An empty array shows nothing.", {})
        inputs = dict(zip(self.names, arrays, strict=True))
        claim = inputs.pop("expected", None)
        case = Case(
            "result", {name: np.asarray(a, float) for name, a in inputs.items()}, self.script
        )
        right, patient = attempt(case, self.right), attempt(case, self.patient)
        if right.error is not None:
            says = "Not even a right layer can work with your arrays."
            return self._fail(outcome, says, {"where": case.where, "it says": str(right.error)})
        if claim is not None and not same(right.value, np.asarray(claim, float), 1e-9):
            says = "What you expect is not what a right layer gives, so your test would blame the innocent."
            if np.shape(claim) != right.value.shape:
                why = f"its shape is {np.shape(claim)}, and should be another one"
            else:
                place = np.argwhere(~close(right.value, claim, 1e-9))[0]
                why = f"the number at {place.tolist()} is not the right one"
            return self._fail(outcome, says, {"where": case.where, "expected": why})
        if patient.error is None and not patient.changed and same(right.value, patient.value, 1e-9):
            says = "The patient passes your test: with these arrays it does just what a right layer does."
            hint = "What have your arrays in common with all those that the patient was tested on?"
            return self._fail(outcome, says, {"where": case.where, "hint": hint})
        return None

    def _fail(self, outcome, says: str, facts: dict[str, str]) -> Failed:
        return Failed(self.title, says, facts | remarks(outcome, ""))


def hunt(
    *, title: str, passes: str, patient: type, right: type, names: tuple[str, ...]
) -> Callable:
    """Turn a script, ``script(layer_class, **arrays)``, into a bug hunt."""
    return lambda script: Hunt(script, title, passes, patient, right, names)


def _witness():
    """Return arrays on which the patient goes wrong."""


_witness.__name__ = "witness"


def _numbers(a) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind in "iuf" and bool(np.isfinite(a).all())
