"""The checks of lesson 07's optimizers: how far each weight moves, in the first step and in later ones."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from inspect import signature

import numpy as np

from cnnlib import misconceptions, optimizers
from cnnlib.check.diagnosis import Finding, number
from cnnlib.check.engine import Case, Comparison, attempt, same
from cnnlib.check.failure import NotWritten
from cnnlib.scripts import optimizers as moves
from cnnlib.scripts import script

# What the gradients before the last are called, and how many there are in an array.
COURSE = ("layers", "network")
EARLIER = {
    1: [],
    2: [("first_", ())],
    3: [("first_", ()), ("second_", ())],
    10: [("earlier_", (9,))],
}


@dataclass(frozen=True, eq=False)
class Step(Case):
    """A case of one step: what is done, and the settings of the optimizer that does it."""

    settings: dict[str, float] = field(default_factory=dict)
    label: str = ""

    @classmethod
    def of(cls, scenario, settings, label, inputs, note, **more):
        """The case whose result is how far the weights `label` move."""
        run = script(scenario, course=COURSE, settings=settings, label=label)
        return cls(
            f"change of {label}",
            inputs,
            run,
            ("D", "K") if inputs[label].ndim == 2 else ("K",),
            note,
            1e-5 if inputs[label].dtype == np.float32 else 1e-9,
            look=_look(label),
            settings=settings,
            label=label,
            **more,
        )

    def with_settings(self, **changes):
        """The same case with other settings."""
        settings = self.settings | changes
        return replace(self, settings=settings, run=self.run.with_settings(settings=settings))

    @property
    def where(self) -> str:
        # Gradients have the shapes of their weights.
        shapes = ", ".join(
            f"{name} of shape {self.inputs[name].shape}" for name in moves.weights(self.inputs)
        )
        return f"{shapes} – {self.note}"


class Steps(Comparison):
    """A check of `step`; what is said of wrong numbers is said of one weight array, the first wrong one."""

    def trials(self, thing, every=1):
        trials = super().trials(thing, every)
        usual = [t for t in trials if t.case.traits["kind"] != LAST_OF_ALL]
        return usual if any(not t.right for t in usual) else trials

    def _failure(self, thing, trials, wrong, known):
        if known is None and any(t.outcome.changed for t in wrong):
            known = misconceptions.optimizers.ChangesGradients
        numbers = [t for t in wrong if t.outcome.error is None and not t.outcome.changed]
        known = known or _sets_settings(thing, trials) or _only_the_dtype(wrong)
        crossed = None if known else _crossed(thing, numbers)
        if crossed:
            trial, known = crossed
            return super()._failure(thing, trials, [trial], known)
        known = known or _by_setting(thing, self.reference, trials)
        plain = [t for t in trials if t.outcome.error is None and not t.outcome.changed]
        known = known or _ignored(thing, self.reference, plain)
        others = {t.case.result for t in numbers} - {t.case.result for t in numbers[:1]}
        wrong = [t for t in wrong if t.case.result not in others or t.outcome.error]
        return super()._failure(thing, trials, wrong, known)

    def _not_written(self, error):
        says = "is not written yet. Put your code in place of the line raise NotImplementedError."
        return NotWritten(self.title, says)


def _sets_settings(thing, trials) -> Finding | None:
    """What to say where a step changes one of the numbers that it was given to work with."""
    for case in (trial.case for trial in trials):
        after = _held_after_a_step(case, thing)
        for name, value in case.settings.items():
            if not np.array_equal(after.get(name, value), value):
                return Finding(
                    f"Your step changes self.{name}, so the next step goes on from another one.",
                    "What belongs to one step only? Give it a name of its own.",
                )
    return None


def _held_after_a_step(case, thing) -> dict:
    run = script(moves.after_a_step, course=COURSE, settings=case.settings)
    return attempt(replace(case, run=run), thing).value or {}


def _only_the_dtype(wrong) -> Finding | None:
    """What to say where all is right but for NumPy's own float64, which a Python number would not have brought."""
    if not all(t.only_the_dtype and t.outcome.value.dtype == np.float64 for t in wrong):
        return None
    return Finding(
        "The numbers are right, but their dtype is float64, not float32.",
        "Python's own numbers leave an array's dtype as it is, NumPy's don't. What is the dtype of "
        "np.zeros(3), and of np.sqrt(0.5)?",
    )


def _by_setting(thing, reference, trials) -> Finding | None:
    """Which part is wrong, if with another setting, that makes it count for nothing, all would be right."""
    for changes, setting, part, hint in WITHOUT:
        cases = [t.case.with_settings(**changes) for t in trials]
        if changes.keys() <= signature(reference).parameters.keys() and all(
            same(attempt(c, reference).value, attempt(c, thing).value, c.tolerance) for c in cases
        ):
            says = f"With {setting} all your steps would be right, so the mistake is in {part}."
            return Finding(says, hint)
    return None


_WORK_OUT = (
    "Work out {} by hand for two steps, and what {} divided by. Where do your lines part from that?"
)
WITHOUT = [
    (
        {"momentum": 0.0},
        "a momentum of 0",
        "the velocity",
        "Go through two steps by hand: how much of the old velocity is left in the second one, and how "
        "much of the new gradient comes in?",
    ),
    (
        {"epsilon": 1e-30},
        "a tiny epsilon",
        "how epsilon comes in",
        "To what is epsilon added, and what is done with the sum?",
    ),
    (
        {"beta1": 0.0},
        "a beta1 of 0",
        "how m is made, corrected or used",
        _WORK_OUT.format("m", "it is"),
    ),
    (
        {"beta2": 0.0},
        "a beta2 of 0",
        "how v is made, corrected or used",
        _WORK_OUT.format("v", "it is"),
    ),
    (
        {"beta1": 0.0, "beta2": 0.0},
        "beta1 and beta2 at 0",
        "the running means or in their corrections",
        _WORK_OUT.format("m and v", "they are"),
    ),
]


def _ignored(thing, reference, trials) -> Finding | None:
    """Settings that ought to make a difference to the wrong steps, and make none to any step."""

    def reacts(code, setting, trials):
        for trial in trials:
            case = trial.case
            if setting in case.settings:
                other = case.with_settings(**{setting: case.settings[setting] / 2})
                one, two = attempt(case, code).value, attempt(other, code).value
                if one is None or two is None or not same(one, two, 1e-6):
                    return True
        return False

    # Who stays at 0 reacts to nothing; that is another mistake.
    wrong = [t for t in trials if not t.right and not t.evidence.constant]
    settings = wrong[0].case.settings if wrong else ()
    # A setting that counts in a later step counts; one that counts for W may be forgotten for b.
    results = {t.case.result for t in wrong}
    same_kind = [t for t in trials if t.case.result in results]
    ignored = [
        s for s in settings if reacts(reference, s, wrong) and not reacts(thing, s, same_kind)
    ]
    if not ignored:
        return None
    *some, last = ignored
    names = f"{', '.join(some)} and {last} make" if some else f"{last} makes"
    return Finding(
        f"{names} no difference: with another value your wrong steps come out the same.",
        f"Where does your step read self.{ignored[0]}?",
    )


def _crossed(thing, trials):
    """The first trial in which a number moves by a gradient that isn't its own, and what to say; or None."""
    for trial in trials:
        case, moved = trial.case, trial.outcome.value
        if np.asarray(moved).dtype != np.float64:
            continue
        again = attempt(case, thing).value
        if again is None or not np.allclose(again, moved, 1e-9, 0, equal_nan=True):
            return trial, LEFT_OVER
        own = f"d{case.label}"
        for key, array in case.inputs.items():
            foreign = key.startswith("other_") or ("d" in key and not key.endswith(own))
            if not foreign and (key != own or not trial.evidence.comparable):
                continue
            changed = array[::-1] + 1
            if key == own:
                changed = array.copy()
                changed.flat[0] += 1
            again = attempt(replace(case, inputs=case.inputs | {key: changed}), thing).value
            if np.shape(again) != np.shape(moved):
                continue
            with np.errstate(invalid="ignore"):
                reacts = np.abs(again - moved).ravel() > 1e-9
            if reacts.any() if foreign else reacts[1:].any():
                return trial, _says_crossed(own, key)
    return None


LEFT_OVER = Finding(
    "A second optimizer with the same numbers goes elsewhere than the first: something is left over.",
    "What stands directly in the class is there once for all optimizers. Where does `self` come in?",
)


def _says_crossed(own: str, key: str) -> Finding:
    if key.startswith("other_"):
        return Finding(
            "What another optimizer does makes a difference to yours.",
            "Each optimizer has a memory of its own. Where does `self` come in?",
        )
    if key == own:
        return Finding(
            f"One entry of {own} makes a difference to other weights than its own.",
            "Everything here goes number by number. Which of your operations brings the numbers of "
            "an array together?",
        )
    return Finding(
        f"{own[1:]} moves by another array's gradients: its change depends on {key}, and should not.",
        "Each array has a gradient, and a memory, of its own. Under which name or index do you "
        "look for them?",
    )


def steps(*, title: str, reference, passes: str) -> Callable:
    """Turn a function that lists cases into a check of an optimizer's step."""
    return lambda cases: Steps(cases, title, reference, passes)


def _cases(inputs, settings, note="", *, run=moves.alone, kind="one network", labels=None):
    """The cases that look at each weight array after the last step of `inputs`."""
    count = len(moves.steps(inputs))
    note = "; ".join(filter(None, (f"step {count}", _said(settings), note)))
    for label in labels or moves.weights(inputs):
        traits = {
            "step": "the first step" if count == 1 else "later steps",
            "array": label[0],
            "kind": kind,
        }
        yield Step.of(run, settings, label, inputs, note, traits=traits)


def _said(settings) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())


def _look(label):
    """What a wrong change should have been made of, for redoing it by hand."""

    def look(place, got, **inputs):
        at = f"[{', '.join(map(str, place))}]"
        gradients = [number(gradient[place]) for gradient in moves.gradients(inputs, label)]
        if len(gradients) > 6:
            return {}
        so_far = " in each step: " if len(gradients) > 1 else " = "
        began = f"{label}{at} was {number(inputs[label][place])} at first"
        return {"made of": f"{began}; d{label}{at}{so_far}{', '.join(gradients)}"}

    return look


def _drawn(rng, shapes, count, dtype=float):
    """Weights of these shapes, and gradients for some steps, with numbers short enough to redo a step."""

    def draw(shape):
        return rng.normal(size=shape).round(2).astype(dtype)

    inputs = {name: draw(shape) for name, shape in shapes.items()}
    for when, many in [*EARLIER[count], ("", ())]:
        inputs |= {f"{when}d{name}": draw(many + shape) for name, shape in shapes.items()}
    return inputs


SINGLE = {"W": (2, 3), "b": (3,)}
SEVERAL = {"W0": (4, 2, 2, 3), "b0": (4,), "W2": (5, 3), "b2": (3,)}
ALIKE = {"W0": (3, 3), "b0": (3,), "W1": (3, 3), "b1": (3,)}
BY_HAND = {
    "W": np.array([[1.0, 2.0, 3.0]]),
    "b": np.array([4.0, 5.0, 6.0]),
    "dW": np.array([[10.0, 0.0, -20.0]]),
    "db": np.array([30.0, -40.0, 0.0]),
}
SECOND_BY_HAND = {
    "W": BY_HAND["W"],
    "b": BY_HAND["b"],
    "first_dW": BY_HAND["dW"],
    "first_db": BY_HAND["db"],
    "dW": np.array([[0.0, 10.0, 10.0]]),
    "db": np.array([-10.0, 20.0, 0.0]),
}
LAST_OF_ALL = "a new rate while there is a velocity"
"""Where the rate is inside the velocity, which is told when nothing else is wrong."""
OWNERS = "W0 and b0 belong to layers[0], W2 and b2 to layers[2], and layers[1] is a ReLU"
SAME_SIZE = "two layers of the same size"
AS_IN_INIT = "all settings as in __init__"


def _usual_cases(rng, settings):
    """What each check tries: steps one after the other, several layers, two optimizers, float32."""
    for count in EARLIER:
        yield from _cases(_drawn(rng, SINGLE, count), settings)
    for count in (1, 2):
        yield from _cases(_drawn(rng, SEVERAL, count), settings, OWNERS, kind="several layers")
    for count in (1, 3):
        yield from _cases(_drawn(rng, ALIKE, count), settings, SAME_SIZE, kind="several layers")
    other = {f"other_d{name}": rng.normal(size=shape) for name, shape in SINGLE.items()}
    note = "another optimizer moves another network meanwhile"
    inputs = _drawn(rng, SINGLE, 2) | other
    yield from _cases(inputs, settings, note, run=moves.beside_another, kind="two optimizers")
    note = "backward writes each dW and db into the same arrays"
    yield from _cases(
        _drawn(rng, SINGLE, 3), settings, note, run=moves.with_gradients_in_one_place, kind="reused"
    )
    some = _drawn(rng, SINGLE, 2)
    some |= {"dW": np.zeros((2, 3)), "db": np.zeros(3)}
    yield from _cases(some, settings, "the last gradients are 0")
    small = _drawn(rng, SINGLE, 2, np.float32)
    yield from _cases(small, settings, "all in float32", kind="float32")


# ---------------------------------------------------------------------------- the checks


@steps(
    title="SGD.step",
    reference=optimizers.SGD,
    passes="every weight goes against its gradient, as far as the learning rate says",
)
def sgd_step():
    """Check ``SGD.step`` without momentum."""
    rng = np.random.default_rng(7)
    yield from _cases(BY_HAND, {"learning_rate": 0.1})
    yield from _cases(SECOND_BY_HAND, {"learning_rate": 0.1})
    yield from _usual_cases(rng, {"learning_rate": 0.125})
    note = f"then learning_rate is set to {moves.NEW_RATE}"
    inputs = _drawn(rng, SINGLE, 2)
    yield from _cases(
        inputs, {"learning_rate": 0.5}, note, run=moves.with_new_rate, kind="a new rate"
    )


@steps(
    title="SGD.step with momentum",
    reference=optimizers.SGD,
    passes="every weight keeps some of its speed",
)
def sgd_momentum():
    """Check ``SGD.step`` with a momentum."""
    rng = np.random.default_rng(7)
    yield from _cases(BY_HAND, {"learning_rate": 0.1, "momentum": 0.5})
    yield from _cases(SECOND_BY_HAND, {"learning_rate": 0.1, "momentum": 0.5})
    yield from _usual_cases(rng, {"learning_rate": 0.125, "momentum": 0.75})
    settings = {"learning_rate": 0.5, "momentum": 0.75}
    note = f"then learning_rate is set to {moves.NEW_RATE}"
    inputs = _drawn(rng, SINGLE, 2)
    yield from _cases(inputs, settings, note, run=moves.with_new_rate, kind=LAST_OF_ALL)


ADAM_BY_HAND = {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.75, "epsilon": 2.0}
ADAM = {"learning_rate": 0.125, "beta1": 0.75, "beta2": 0.875, "epsilon": 0.01}


@steps(
    title="Adam.step once",
    reference=optimizers.Adam,
    passes="the first step is nearly as long as the learning rate says",
)
def adam_first_step():
    """Check the first ``Adam.step``."""
    rng = np.random.default_rng(7)
    yield from _cases(BY_HAND, ADAM_BY_HAND)
    yield from _cases(_drawn(rng, SINGLE, 1), ADAM)
    yield from _cases(_drawn(rng, SEVERAL, 1), ADAM, OWNERS, kind="several layers")
    yield from _cases(_drawn(rng, ALIKE, 1), ADAM, SAME_SIZE, kind="several layers")
    yield from _cases(_drawn(rng, SINGLE, 1), {}, AS_IN_INIT)
    small = _drawn(rng, SINGLE, 1, np.float32)
    yield from _cases(small, ADAM, "all in float32", kind="float32")


# In the first step, means and their corrections may be wrong and make up for each other.
adam_first_step.proves_something = False


@steps(
    title="Adam.step",
    reference=optimizers.Adam,
    passes="every weight goes at a pace of its own, from the first step on",
)
def adam_step():
    """Check ``Adam.step``: both running means, their correction, and the step they make."""
    rng = np.random.default_rng(7)
    yield from _cases(BY_HAND, ADAM_BY_HAND)
    yield from _cases(SECOND_BY_HAND, ADAM_BY_HAND)
    yield from _usual_cases(rng, ADAM)
    yield from _cases(_drawn(rng, SINGLE, 2), {}, AS_IN_INIT)
    note = f"then learning_rate is set to {moves.NEW_RATE}"
    yield from _cases(
        _drawn(rng, SINGLE, 2), ADAM, note, run=moves.with_new_rate, kind="a new rate"
    )
