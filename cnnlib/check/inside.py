"""The checks of lesson 09: saliency, the gradient of a score all the way back to the picture, and mistakes counted."""

from dataclasses import replace
from itertools import count

import numpy as np

from cnnlib import inside, layers
from cnnlib.check.diagnosis import Finding, close
from cnnlib.check.engine import USUAL, Case, Comparison, Trial, attempt, check
from cnnlib.scripts import inside as views
from cnnlib.scripts import script

MAPS = ("N", "H", "W")
AFTERWARDS = "layers[0].W"


class _Saliency(Comparison):
    """Compares maps; where no misconception fits, looks for another class."""

    def _failure(self, thing, trials, wrong, known):
        changed = [t for t in wrong if t.case.result == AFTERWARDS and t.evidence.comparable]
        changed = [t for t in changed if not t.outcome.changed]
        if changed and not known:  # which may be the reason for all that is wrong elsewhere
            return super()._failure(thing, trials, changed, WEIGHTS_CHANGED)
        known = known or _another_class(wrong)
        return super()._failure(thing, trials, wrong, known)


WEIGHTS_CHANGED = Finding(
    "After your call the network has other weights.",
    "You are asked what a score depends on, not to change it. Which of your lines sets a W?",
)


def _another_class(wrong: list[Trial]) -> Finding | None:
    """Every wrong map is that of a class, but not of the one that was asked for."""
    shown = [
        _classes_shown(t) for t in wrong if t.case.result != AFTERWARDS and not t.outcome.error
    ]
    swapped = [next(((a, s) for a, s in pairs if a != s), None) for pairs in shown]
    if not swapped or not all(swapped):
        return None
    asked, shown = swapped[0]
    return Finding(
        f"Where class {asked} is asked for, you show the map of class {shown}.",
        "Each picture has its own row of dy. In which column of it do you put something, and is "
        "that always the one of its class?",
    )


def _classes_shown(trial: Trial) -> list[tuple[int, int]]:
    """For each picture the class asked for and that of the map that came; empty where one is no class's."""
    case, got = trial.case, trial.outcome.value
    if not trial.evidence.comparable or trial.outcome.changed:
        return []
    asked = case.inputs["classes"]
    maps = _maps_of_each_class(case)
    shown = [
        next((k for k, of in enumerate(maps) if close(of[n], got[n], case.tolerance).all()), None)
        for n in range(len(asked))
    ]
    return [] if None in shown else [*zip(asked.tolist(), shown, strict=True)]


def _maps_of_each_class(case: Case) -> list[np.ndarray]:
    maps = []
    for k in count():
        inputs = case.inputs | {"classes": np.full_like(case.inputs["classes"], k)}
        outcome = attempt(replace(case, inputs=inputs), inside.saliency)
        if outcome.error:  # there is no class k
            return maps
        maps.append(outcome.value)


# ---------------------------------------------------------------------------- the networks


def _described(sizes):
    parts = views.build(layers, sizes)
    names = ", ".join(type(layer).__name__ for layer in parts)
    return f"a network of {names} with {parts[-1].out_features} classes"


GREY, SEVERAL = "a single channel", "several channels"


@lambda cases: _Saliency(
    cases, "saliency", inside.saliency, "how strongly each pixel pulls at the score, either way"
)
def saliency():
    """Check ``saliency(network, images, classes)`` on networks with and without convolutions."""
    rng = np.random.default_rng(9)

    def case(scenario, sizes, inputs, note="", *, axes=MAPS, result="saliency", tolerance=1e-9):
        asked = f"classes {inputs['classes'].tolist()}"
        note = "; ".join(filter(None, (asked, _described(sizes), note)))
        run = script(scenario, course=("layers", "network"), sizes=sizes)
        channels = GREY if inputs["images"].shape[1] == 1 else SEVERAL
        calls = USUAL if scenario is views.once else "a network that has been used before"
        traits = {"channels": channels, "calls": calls}
        return Case(result, inputs, run, axes, note, tolerance, traits=traits)

    def pictures(shape, *classes, dtype=float):
        return {"images": rng.normal(size=shape).astype(dtype), "classes": np.array(classes)}

    def dense(shape, K, *classes, weights=lambda W: W):
        C, H, W = shape[1:]
        inputs = pictures(shape, *classes) | {"W": weights(rng.normal(size=(C * H * W, K)))}
        return (C, H, W, K), inputs

    grey, colour = (1,), (3,)
    yield case(
        views.once,
        (2, 1, 2, 2),
        {
            "images": np.array([[[[0.1, 0.2]], [[0.3, 0.4]]]]),
            "classes": np.array([0]),
            "W": np.array([[1.0, 0.0], [-5.0, 2.0], [3.0, 4.0], [2.0, -6.0]]),
        },
        "the example of the exercise",
    )
    yield case(views.once, *dense((2, 3, 4, 5), 7, 5, 1))
    yield case(views.once, *dense((2, 1, 4, 5), 3, 2, 0))
    yield case(views.once, *dense((5, 2, 3, 4), 3, 2, 0, 1, 1, 2), "more pictures than classes")
    yield case(views.once, colour, pictures((2, 3, 5, 8), 4, 0))
    yield case(views.once, grey, pictures((3, 1, 5, 8), 5, 0, 3))
    yield case(views.once, colour, pictures((1, 3, 5, 8), 3), "a batch of one")
    yield case(views.once, grey, pictures((3, 1, 5, 8), 1, 1, 1), "one class for all")
    falls = dense((2, 2, 3, 4), 3, 1, 2, weights=lambda W: -np.abs(W))
    yield case(views.once, *falls, "every weight is below 0")
    small = pictures((2, 3, 5, 8), 2, 5, dtype=np.float32)
    yield case(views.once, colour, small, "the images are float32", tolerance=1e-5)
    last = rng.normal(size=(2, 5, 8, 3)).transpose(0, 3, 1, 2)
    inputs = {"images": last, "classes": np.array([1, 4], np.uint8)}
    yield case(views.once, colour, inputs, "the images are a transposed view, the classes uint8")
    first = {"first_images": rng.normal(size=(3, 3, 5, 8)), "first_classes": np.array([1, 2, 3])}
    yield case(views.second_call, colour, first | pictures((2, 3, 5, 8), 0, 5), "the second call")
    then = {"then_images": rng.normal(size=(2, 3, 5, 8)), "then_classes": np.array([1, 3])}
    inputs = pictures((2, 3, 5, 8), 2, 4) | then
    yield case(views.first_of_two_calls, colour, inputs, "looked at after another call")
    seen = {"seen": rng.normal(size=(2, 3, 5, 8))}
    inputs = seen | pictures((2, 3, 5, 8), 3, 1)
    yield case(views.after_a_forward, colour, inputs, "the network has just seen other pictures")
    yield case(
        views.weights_afterwards,
        colour,
        pictures((2, 3, 5, 8), 0, 2),
        "looked at after a call",
        axes=("F", "C", "KH", "KW"),
        result=AFTERWARDS,
    )


# ---------------------------------------------------------------------------- mistakes, counted


@check(
    title="confusion_matrix",
    reference=inside.confusion_matrix,
    passes="every picture is counted, in the row of its class and the column of its prediction."
    " With every ✓ above, you have looked into a network that you built yourself",
)
def confusion_matrix():
    """Check ``confusion_matrix(labels, predictions, classes)``, with rare, missing and many classes."""
    rng = np.random.default_rng(9)

    def case(classes, labels, predictions, note="", dtype=int):
        inputs = {"labels": np.array(labels, dtype), "predictions": np.array(predictions, dtype)}
        run = script(views.counted, classes=classes)
        note = "; ".join(filter(None, (f"{classes} classes", note)))
        return Case("matrix", inputs, run, ("label", "prediction"), note)

    yield case(3, [0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0], "the example of the exercise")
    yield case(5, *rng.integers(0, 5, size=(2, 40)))
    yield case(4, [1] * 7, [2] * 7, "seven times the same mistake")
    yield case(3, [2] * 300, [1] * 300, "300 times the same mistake; labels are uint8", np.uint8)
    yield case(4, [3, 0, 2], [3, 0, 2], "all of them right")
    yield case(6, [0, 1, 4, 1], [2, 0, 1, 1], "nothing is of class 5, or taken for it")
    yield case(6, [0, 1, 2, 1], [2, 0, 5, 1], "nothing is of class 5")
    yield case(7, [4], [6], "a single picture")
    yield case(
        20,
        *rng.integers(0, 20, size=(2, 50)),
        "labels and predictions are uint8, which ends at 255",
        np.uint8,
    )
