"""The checks of lesson 06: Sequential there and back, errors to read, the gradient's length at each layer."""

from collections.abc import Callable

import numpy as np

from cnnlib import layers, misconceptions, network
from cnnlib.check.diagnosis import Finding
from cnnlib.check.engine import Case, Check, Comparison, attempt, remarks
from cnnlib.check.failure import Failed
from cnnlib.scripts import network as walks
from cnnlib.scripts import script
from cnnlib.scripts.layer import call
from cnnlib.scripts.words import shorten

ROWS, IMAGE = ("N", "D"), ("N", "C", "H", "W")
COURSE = ("layers", "network")

# ---------------------------------------------------------------------------- stamps


def route(came_in, came_out) -> list[int] | None:
    """The stamps that numbers passed on their way, in order; None where no way leads there.

    Examples
    --------
    >>> route(np.array([[0.0, 7.0]]), np.array([[31.0, 731.0]]))
    [3, 1]
    """
    for length in range(10):
        written = came_out - came_in * 10**length
        digits = str(int(written.flat[0])) if length else ""
        same = (written == int(digits or 0)).all()
        if same and len(digits) == length and set(digits) <= set("123"):
            return [int(digit) for digit in digits]
    return None


class Walk(Comparison):
    """A check of a walk through layers; where no misconception fits, the stamps tell which way it took."""

    def _failure(self, thing, trials, wrong, known):
        known = known or _weights_moved(wrong) or _way_taken(wrong)
        if not known:
            wrong = [t for t in wrong if not _stamped(t)] or wrong
        return super()._failure(thing, trials, wrong, known)


def _stamped(trial) -> bool:
    """Whether what came out is stamps' writing: what detectors say of numbers isn't true of that."""
    untouched = trial.evidence.comparable and not trial.outcome.changed
    return untouched and trial.case.traits["layers"] == STAMPS


WEIGHTS = "layers[0].W"


def _weights_moved(wrong) -> Finding | None:
    """What to say where a backward leaves another W behind, by however much."""
    seen = (t.case.result == WEIGHTS and t.evidence.comparable for t in wrong)
    if any(t.outcome.changed for t in wrong) or not any(seen):
        return None
    broken = misconceptions.network.LearnsOnTheWay
    return Finding(broken.says, broken.hint)


def _way_taken(wrong) -> Finding | None:
    for trial in filter(_stamped, wrong):
        case, got = trial.case, trial.outcome.value
        way = route(case.inputs.get("dy", case.inputs["x"]), got)
        if way is not None and not np.array_equal(got, trial.expected):
            passed = ", then ".join(f"Stamp({digit})" for digit in way) or "none of the layers"
            return Finding(
                f"What you return has passed {'only ' * (len(way) == 1)}{passed}.",
                "Draw the layers in a row, and an arrow for each call: what goes in, what comes out, "
                "and who gets it next?",
            )
    return None


def walk(*, title: str, passes: str) -> Callable:
    """Turn a function that lists cases into a check of a walk through layers."""
    return lambda cases: Walk(cases, title, network.Sequential, passes)


# ---------------------------------------------------------------------------- Sequential


STAMPS, REAL = "stamps", "layers that calculate"
NOTES = {
    "stamps": "the layers are Stamp(1), Stamp(2), Stamp(3): each writes its digit after what passes",
    "single": "a single layer, Dense(3, 2)",
    "dense": "the layers are Dense(3, 4), ReLU(), Dense(4, 2)",
    "convolutional": "the layers are Conv2D(2, 3, (2, 3)), ReLU(), MaxPool2D(2), Flatten(), Dense(18, 5)",
}


def _cases(result, axes):
    """What makes a case of a scenario: ``scenario(sequential, build, **inputs)``, and who builds."""

    def case(scenario, build, inputs, note="", *, fits=False, tolerance=1e-9):
        note = "; ".join(filter(None, (NOTES[build], note)))
        run = script(scenario, course=("layers",), build=build)
        forward = script(walks.forward, course=("layers",), build=build)
        stamps = build == "stamps"
        return Case(
            result,
            inputs,
            run,
            axes,
            note,
            0.0 if stamps else tolerance,
            forward if fits and not stamps else None,
            traits={"layers": STAMPS if stamps else REAL},
        )

    return case


@walk(
    title="Sequential.forward",
    passes="what one layer returns is what the next one gets, to the last",
)
def sequential_forward():
    """Check ``Sequential.forward`` on stamps, on real layers, on several batches and networks."""
    rng = np.random.default_rng(6)
    case = _cases("y", ROWS)
    stamped = {"x": np.array([[0.0, 7.0]])}
    yield case(walks.forward, "stamps", stamped)
    yield case(walks.forward, "single", {"x": rng.normal(size=(4, 3))})
    yield case(walks.forward, "dense", {"x": rng.normal(size=(5, 3))})
    yield case(walks.forward, "convolutional", {"x": rng.normal(size=(2, 2, 5, 8))})
    yield case(
        walks.forward, "convolutional", {"x": rng.normal(size=(1, 2, 5, 8))}, "a batch of one"
    )
    small = {"x": rng.normal(size=(2, 3)).astype(np.float32)}
    yield case(walks.forward, "dense", small, "x is float32", tolerance=1e-5)
    batches = {"first": rng.normal(size=(4, 3)), "x": rng.normal(size=(2, 3))}
    yield case(walks.forward_of_second_batch, "dense", batches, "x is the second batch")
    yield case(
        walks.forward_of_first_of_two,
        "stamps",
        {"x": np.array([[4.0, 0.0]])},
        "another network was built and walked meanwhile",
    )
    yield case(
        walks.forward_after_new_weights,
        "dense",
        {"x": rng.normal(size=(2, 3)), "W": rng.normal(size=(3, 4))},
        "layers[0].W was set to W after a first forward, as an optimizer does",
    )


@walk(
    title="Sequential.backward",
    passes="the gradient takes the same way back, layer by layer, to the first",
)
def sequential_backward():
    """Check ``Sequential.backward`` on stamps, on real layers, in several steps and networks."""
    rng = np.random.default_rng(6)

    def pair(x, dy, dtype=float):
        return {"x": rng.normal(size=x).astype(dtype), "dy": rng.normal(size=dy).astype(dtype)}

    def case(scenario, build, inputs, note="", **options):
        axes = IMAGE if build == "convolutional" else ROWS
        make = _cases("dx", axes)
        return make(scenario, build, inputs, note, **{"fits": True} | options)

    stamped = {"x": np.array([[0.0, 7.0]]), "dy": np.array([[0.0, 4.0]])}
    yield case(walks.backward, "stamps", stamped)
    yield case(walks.backward, "single", pair((4, 3), (4, 2)))
    yield case(walks.backward, "dense", pair((5, 3), (5, 2)))
    yield case(walks.backward, "convolutional", pair((2, 2, 5, 8), (2, 5)))
    yield case(walks.backward, "convolutional", pair((1, 2, 5, 8), (1, 5)), "a batch of one")
    small = pair((2, 3), (2, 2), np.float32)
    yield case(walks.backward, "dense", small, "x and dy are float32", tolerance=1e-5)
    first = {"first": rng.normal(size=(4, 3))}
    inputs = first | pair((2, 3), (2, 2))
    yield case(walks.backward_of_second_batch, "dense", inputs, "x is the second batch")
    step = {"first": rng.normal(size=(1, 3)), "first_dy": rng.normal(size=(1, 2))}
    second = step | pair((4, 3), (4, 2))
    yield case(walks.backward_of_second_step, "dense", second, "the second time there and back")
    inputs = {"first": np.array([[1.0, 2.0]]), "first_dy": np.array([[2.0, 1.0]])}
    inputs |= {"x": np.array([[3.0, 4.0]]), "dy": np.array([[0.0, 5.0]])}
    yield case(walks.backward_of_second_step, "stamps", inputs, "the second time there and back")
    twice = pair((3, 3), (3, 2))
    twice = {"x": twice["x"], "first_dy": rng.normal(size=(3, 2)), "dy": twice["dy"]}
    note = "backward is called twice, and both dx are looked at then, one below the other"
    yield case(walks.backward_twice, "dense", twice, note, fits=False)
    other = {"other": rng.normal(size=(2, 3)), "other_dy": rng.normal(size=(2, 2))}
    yield case(
        walks.backward_of_first_of_two,
        "dense",
        pair((4, 3), (4, 2)) | other,
        "another network walks there and back meanwhile",
    )
    dW = _cases("layers[0].dW", ("D", "K"))
    yield dW(walks.first_dW_of_second_step, "dense", second, "the second time there and back")
    inputs = pair((3, 3), (3, 2))
    yield _cases("y", ROWS)(
        walks.forward_after_backward, "dense", inputs, "forward after a backward"
    )
    W = _cases(WEIGHTS, ("D", "K"))
    yield W(walks.first_W_after_backward, "dense", inputs, "after one backward")


# ---------------------------------------------------------------------------- three errors


def _read_errors():
    return 2, 16, 2


_read_errors.__name__ = "read_errors"


class _Errors(Check):
    """Three numbers, looked at one by one; the right ones are not given away."""

    def networks(self) -> list[tuple[network.Sequential, np.ndarray]]:
        """The three networks that stop, each with a batch of pictures for it."""
        wrong = type("Conv2D", (misconceptions.conv.StillPadded,), {})  # under an innocent name
        conv, relu, pool, dense = layers.Conv2D, layers.ReLU, layers.MaxPool2D, layers.Dense
        parts = [
            [conv(1, 6, 5), relu(), pool(2), layers.Flatten(), dense(840, 10)],
            [conv(3, 8, 3, padding=1), relu(), conv(16, 12, 3, padding=1), relu(), pool(4)],
            [conv(1, 6, 5), relu(), wrong(6, 8, 3, padding=1), relu(), pool(2)],
        ]
        shapes = [(2, 1, 28, 20), (2, 3, 24, 24), (2, 1, 28, 20)]
        return [(network.Sequential(p), np.ones(s)) for p, s in zip(parts, shapes, strict=True)]

    def failure(self, read_errors) -> Failed | None:
        outcome = attempt(Case("answers", {}, script(call)), read_errors)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        names, answers = list(WRONGLY_READ), outcome.value
        if not isinstance(answers, tuple | list) or len(answers) != len(names):
            facts = {"expected": f"a tuple: {', '.join(names)}", "got": shorten(repr(answers))}
            return Failed(self.title, "Three numbers are asked for.", facts)
        for name, right, answer in zip(names, self.reference(), answers, strict=True):
            said = {"you said": shorten(f"{name} = {answer!r}")}
            if not isinstance(answer, int | float | np.number):
                return Failed(self.title, "A whole number is asked for.", said)
            if answer != right:
                guesses = WRONGLY_READ[name]
                says, hint = guesses.get(answer, guesses["otherwise"])
                return Failed(self.title, says, said | remarks(outcome, hint))
        return None


# What a wrong number shows: what to say, and a hint.
_THERE = "That number is there already, and it doesn't fit."
_TRACE = "Write the shapes of the way back below those of the way forward. Where do they part?"
WRONGLY_READ = {
    "padding": {
        0: (_THERE, "Dense wants 840 numbers: 6 maps of how many rows and columns?"),
        1: (
            "With padding 1, a kernel of 5 still takes a row off at the top and at the bottom.",
            "What is the size of the maps before the pool, if Dense is right?",
        ),
        4: (
            "That makes the maps larger than the pictures: padding is added on each side.",
            "What is the size of the maps before the pool, if Dense is right?",
        ),
        "otherwise": (
            "The first network needs another padding.",
            "Dense wants 840 numbers: 6 maps of how many rows and columns? And before the pool?",
        ),
    },
    "out_channels": {
        8: (_THERE, "How many maps does layers[2] want, and who makes them?"),
        3: (
            "That is the number of channels of the pictures.",
            "They go into layers[0]. How many maps must come out of it, for layers[2] to take them?",
        ),
        "otherwise": (
            "The second network needs another number.",
            "How many maps does layers[2] want, and who makes them?",
        ),
    },
    "guilty": {
        1: (
            "layers[1] is the one that complains, and it is right: it was given a wrong dy.",
            "Whoever complains got something wrong. Who handed it over, on the way back?",
        ),
        3: ("layers[3] returned a dx of the shape of its x. That is right.", _TRACE),
        **dict.fromkeys(
            range(-5, 0),
            ("Count the places from 0, beginning at the front.", "layers[0] is the first."),
        ),
        "otherwise": ("Another layer hands on the wrong shape.", _TRACE),
    },
}


def _documented_errors():
    """Check the three numbers that were read from three errors."""


_documented_errors.__name__ = "network_errors"
network_errors = _Errors(
    _documented_errors, "read_errors", _read_errors, "each one led you to the layer to mend"
)


# ---------------------------------------------------------------------------- the backward picture


def _gradient_norms(net, dy):
    norms = [np.linalg.norm(dy)]
    for layer in reversed(net.layers):
        dy = layer.backward(dy)
        norms.insert(0, np.linalg.norm(dy))
    return np.array(norms)


_gradient_norms.__name__ = "gradient_norms"


class _Lengths(Comparison):
    """Compares lengths; each must be one number."""

    def stopped(self, outcome, where, finding=None) -> Failed:
        if not isinstance(outcome.error, walks.NotALength):
            return super().stopped(outcome, where, finding)
        hint = "How many numbers does one gradient have for its length, whatever its shape?"
        return Failed(self.title, str(outcome.error), where | remarks(outcome, hint))


@lambda cases: _Lengths(
    cases,
    "gradient_norms",
    _gradient_norms,
    "a length for every arrow, from the picture to the loss. "
    "With every ✓ above, you have a network of your own, checked from end to end",
)
def gradient_norms():
    """Check ``gradient_norms(network, dy)``, the length of the gradient before each layer and behind the last."""
    rng = np.random.default_rng(6)

    def case(build, x, dy, note=""):
        note = "; ".join(filter(None, (note, NOTES.get(build))))
        run = script(walks.gradient_lengths, course=COURSE, build=build)
        return Case("norms", {"x": x, "dy": dy}, run, ("the arrows",), note, 1e-9)

    by_hand = "a single ReLU, x = [[1, -1]] and dy = [[3, 4]]: back comes [[3, 0]]"
    yield case("relu", np.array([[1.0, -1.0]]), np.array([[3.0, 4.0]]), by_hand)
    yield case("stamps", np.zeros((1, 1)), np.zeros((1, 1)), "dy = [[0]]")
    yield case("dense", rng.normal(size=(5, 3)), rng.normal(size=(5, 2)))
    yield case("convolutional", rng.normal(size=(2, 2, 5, 8)), rng.normal(size=(2, 5)))
    yield case(
        "convolutional", rng.normal(size=(1, 2, 5, 8)), rng.normal(size=(1, 5)), "a batch of one"
    )
    inputs = {"x": rng.normal(size=(3, 3)), "dy": rng.normal(size=(3, 2))}
    note = f"forward after your function; {NOTES['dense']}"
    run = script(walks.forward_after_norms, course=COURSE, build="dense")
    yield Case("y", inputs, run, ROWS, note, 1e-9)
