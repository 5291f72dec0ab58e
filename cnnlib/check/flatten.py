"""The checks of lesson 04: a place in the flat row, Flatten forward, Flatten backward."""

import numpy as np

from cnnlib import layers, misconceptions
from cnnlib.check.diagnosis import Finding
from cnnlib.check.engine import Case, Check, attempt, check, remarks
from cnnlib.check.failure import Failed
from cnnlib.check.hunt import hunt
from cnnlib.check.tagged import tagged
from cnnlib.scripts import flatten, layer, script
from cnnlib.scripts.layer import call
from cnnlib.scripts.words import describe, shorten

IMAGE = ("N", "C", "H", "W")
ROWS = ("N", "D")


# ---------------------------------------------------------------------------- flat_index


def _flat_index(c, h, w, shape):
    _, H, W = shape
    return (c * H + h) * W + w


_flat_index.__name__ = "flat_index"


@check(title="flat_index", reference=_flat_index, passes="every cell has its own place in the row")
def flat_index():
    """Check ``flat_index(c, h, w, shape)``, the place of a cell in the flat row."""
    for shape in [(2, 3, 4), (4, 2, 3), (3, 5, 2), (1, 2, 2), (3, 1, 1), (1, 1, 5), (2, 4, 1)]:
        yield Case(
            "places",
            {"picture": np.full(shape, -1.0)},
            script(flatten.all_places),
            ("c", "h", "w"),
        )


# ---------------------------------------------------------------------------- the layer


def _small_cases():
    """A case that judges nobody, but can be followed by hand, where x and dy have not the same numbers."""
    x = -1 - np.arange(12.0).reshape(2, 1, 2, 3)
    inputs = {"x": x, "dy": tagged(*x.shape).reshape(2, 6).copy()}
    note = "each number in dy is the index it came from: 12 belongs at [0, 0, 1, 2]"
    yield Case("dx", inputs, script(layer.backward), IMAGE, note, by_hand=True)


@check(
    title="Flatten.forward",
    reference=layers.Flatten,
    passes="one row for each picture, every number in its place",
)
def flatten_forward():
    """Check ``Flatten.forward`` on tagged numbers, random ones, and batches of several sizes."""
    rng = np.random.default_rng(4)
    by_hand = np.array([[[[11.0, 12.0], [21.0, 22.0]]], [[[51.0, 52.0], [61.0, 62.0]]]])
    yield Case("y", {"x": by_hand}, script(layer.forward), ROWS, by_hand=True)
    yield Case(
        "y",
        {"x": tagged(2, 3, 4, 5)},
        script(layer.forward),
        ROWS,
        "each number is its own index: 123 is at [0, 1, 2, 3]",
        by_hand=True,
    )
    yield Case("y", {"x": rng.normal(size=(4, 5, 3, 2))}, script(layer.forward), ROWS)
    yield Case(
        "y", {"x": rng.normal(size=(3, 2, 4, 4))}, script(layer.forward), ROWS, "square maps"
    )
    yield Case(
        "y", {"x": rng.normal(size=(1, 2, 3, 4))}, script(layer.forward), ROWS, "a batch of one"
    )
    yield Case(
        "y", {"x": rng.normal(size=(4, 3, 1, 1))}, script(layer.forward), ROWS, "maps of one pixel"
    )
    yield Case(
        "y", {"x": rng.normal(size=(2, 1, 5, 3)).astype(np.float32)}, script(layer.forward), ROWS
    )
    channels_last = rng.normal(size=(2, 4, 5, 3)).transpose(0, 3, 1, 2)
    yield Case("y", {"x": channels_last}, script(layer.forward), ROWS, "x is a transposed view")
    batches = {"first": rng.normal(size=(4, 5, 2, 3)), "x": rng.normal(size=(3, 2, 3, 5))}
    yield Case(
        "y",
        batches,
        script(layer.forward_of_second_batch),
        ROWS,
        "x is the second batch through one layer",
    )
    more = np.random.default_rng(31)
    yield Case(
        "y",
        {name: more.normal(size=(2, 3, 2, 2)) for name in ("first", "x")},
        script(layer.forward_of_second_batch),
        ROWS,
        "x is the second batch of this shape through one layer",
    )


@check(
    title="Flatten.backward",
    reference=layers.Flatten,
    shown=_small_cases,
    passes="every gradient is back at the place its value came from",
)
def flatten_backward():
    """Check ``Flatten.backward`` on tagged gradients, random ones, batches of several sizes, two layers at a time."""
    rng = np.random.default_rng(4)

    def case(inputs, run=layer.backward, note="", **more):
        return Case("dx", inputs, script(run), IMAGE, note, forward=script(layer.forward), **more)

    def pair(*shape, dtype=float):
        N, *rest = shape
        dy = rng.normal(size=(N, np.prod(rest)))
        return {"x": rng.normal(size=shape).astype(dtype), "dy": dy.astype(dtype)}

    x = tagged(2, 3, 4, 5)
    yield case(
        {"x": x, "dy": x.reshape(2, 60).copy()},
        note="each number in dy is the index it came from: 123 belongs at [0, 1, 2, 3]",
        by_hand=True,
    )
    yield case(pair(4, 5, 3, 2))
    yield case(pair(3, 2, 4, 4), note="square maps")
    yield case(pair(1, 2, 3, 4), note="a batch of one")
    yield case(pair(4, 3, 1, 1), note="maps of one pixel")
    yield case(pair(2, 1, 5, 3, dtype=np.float32))
    after_relu = pair(2, 3, 2, 5)
    yield case(after_relu | {"x": np.maximum(after_relu["x"], 0)}, note="x comes from a ReLU")
    transposed = pair(3, 2, 5, 4)
    transposed["dy"] = transposed["dy"].T.copy().T
    yield case(transposed, note="dy is a transposed view")
    first = {"first": rng.normal(size=(4, 5, 2, 3))}
    yield case(
        first | pair(3, 2, 3, 5),
        layer.backward_of_second_batch,
        "x is the second batch through one layer",
    )
    other = {"other": rng.normal(size=(5, 2, 4, 3))}
    yield case(
        pair(5, 4, 2, 3) | other,
        layer.backward_of_two_layers,
        "another Flatten saw `other` meanwhile",
    )
    before = {"first_dy": rng.normal(size=(3, 30))}
    yield case(before | pair(3, 2, 3, 5), layer.second_of_two_backwards, "dy comes after first_dy")
    then = {"then_dy": rng.normal(size=(3, 30))}
    yield case(
        pair(3, 2, 3, 5) | then, layer.first_of_two_backwards, "dx is read after then_dy came"
    )


# ---------------------------------------------------------------------------- predictions


SHAPE = (5, 3, 4, 2)
CELL = (2, 1, 1)
PLACE = 17


def predictions():
    """The right answers about an x of SHAPE: y's shape, the place of a CELL, the cell at a PLACE."""
    N, C, H, W = SHAPE
    home = np.unravel_index(PLACE, (C, H, W))
    return (N, C * H * W), _flat_index(*CELL, (C, H, W)), tuple(map(int, home))


class _Predictions(Check):
    """Three answers, looked at one by one; the right ones are not given away."""

    def failure(self, thing) -> Failed | None:
        outcome = attempt(Case("answers", {}, script(call)), thing)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        answers = outcome.value
        if not isinstance(answers, tuple | list) or len(answers) != 3:
            says = "Three answers are asked for, in one tuple: y_shape, place, home."
            return Failed(self.title, says, {"got": describe(answers, "answers")})
        for name, right, answer, wrong in zip(
            ("y_shape", "place", "home"),
            self.reference(),
            (a.tolist() if isinstance(a, np.ndarray) else a for a in answers),
            (_wrong_shape, _wrong_place, _wrong_home),
            strict=True,
        ):
            if not _equal(right, answer):
                finding = wrong(answer, right)
                said = {"you said": f"{name} = {shorten(repr(answer))}"}
                return Failed(self.title, finding.says, said | remarks(outcome, finding.hint))
        return None


def _equal(right, answer) -> bool:
    """Whether the answer is the right number or the right tuple of numbers."""
    numbers = answer if isinstance(answer, tuple | list) else (answer,)
    if not all(isinstance(n, int | np.integer) for n in numbers):
        return False
    return np.array_equal(right, answer)


def _wrong_shape(answer, right) -> Finding:
    if not isinstance(answer, tuple | list):
        return Finding("y_shape is not a tuple of lengths.", "How many axes does y have?")
    if len(answer) == 1 or (len(answer) == 2 and answer[0] == 1):
        return Finding("The batch is missing.", "y has one row for each picture.")
    if tuple(answer) == right[::-1]:
        return Finding("The lengths are right, but in the other order.", "What comes first?")
    return Finding("The shape of y is another one.", "How many numbers does one picture have?")


def _wrong_place(answer, right) -> Finding:
    if not isinstance(answer, int | np.integer):
        hint = (
            "Leave out the point." if isinstance(answer, float) else "Only the column is asked for."
        )
        return Finding("place is not a single whole number.", hint)
    return _named(lambda flat_index: flat_index(*CELL, SHAPE[1:]), answer) or Finding(
        f"x[3, {', '.join(map(str, CELL))}] is in another column of y.",
        "How many numbers come before it in its picture?",
    )


def _wrong_home(answer, right) -> Finding:
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        says = "Three numbers are asked for: the c, h and w of the cell."
        return Finding(says, "The picture is given already.")

    def home(flat_index):
        cells = [c for c in np.ndindex(SHAPE[1:]) if flat_index(*c, SHAPE[1:]) == PLACE]
        return cells[0] if len(cells) == 1 else None

    return _named(home, answer) or Finding(
        "The gradient goes to another cell.",
        "How many whole channels fit before that place? How many whole rows fit into what is left?",
    )


def _named(predicted, answer) -> Finding | None:
    """The one wrong formula that leads to this answer; where several do, none can be named."""
    guesses = [f for f in misconceptions.seen_by("flat_index") if _equal(predicted(f), answer)]
    return Finding(guesses[0].says, guesses[0].hint) if len(guesses) == 1 else None


def flatten_predictions():
    """Check the three predictions about an x of shape (5, 3, 4, 2)."""


flatten_predictions = _Predictions(
    flatten_predictions, "predictions", predictions, "all three come out as you said"
)


# ---------------------------------------------------------------------------- bug hunts


@hunt(
    title="bug hunt 1",
    passes="your arrays show the mistake that square maps hide",
    patient=misconceptions.flatten.SwapsHeightAndWidth,
    right=layers.Flatten,
    names=("x", "dy"),
    axes={"x": "N, C, H, W", "dy": "N, D"},
)
def flatten_hunt_1(layer_class, x, dy):
    """Check arrays x, dy, and the right dx, where the first patient's is wrong."""
    return layer.backward(layer_class, x, dy)


@hunt(
    title="bug hunt 2",
    passes="your arrays show what no gradient check can see",
    patient=misconceptions.flatten.FortranBothWays,
    right=layers.Flatten,
    names=("x",),
    axes={"x": "N, C, H, W"},
)
def flatten_hunt_2(layer_class, x):
    """Check an array x, and the y that a right Flatten makes of it, where the second patient's forward is wrong."""
    return layer.forward(layer_class, x)


@hunt(
    title="bug hunt 3",
    passes="your batches show what one batch can't."
    " With every ✓ above, you have a Flatten of your own, for maps of any shape and batches of any size",
    patient=misconceptions.flatten.KeepsTheFirstShape,
    right=layers.Flatten,
    names=("first", "x", "dy"),
    axes={"first": "N, C, H, W", "x": "N, C, H, W", "dy": "N, D"},
    stops=True,
)
def flatten_hunt_3(layer_class, first, x, dy):
    """Check batches first and x, a dy for the second, and the right dx, where the third patient's backward is wrong."""
    return layer.backward_of_second_batch(layer_class, first, x, dy)
