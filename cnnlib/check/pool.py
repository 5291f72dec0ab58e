"""The checks of lesson 03: max-pool and average pool, forward and backward."""

from collections.abc import Callable

import numpy as np

from cnnlib import layers, misconceptions
from cnnlib.check.engine import Case, Check, attempt, check, remarks
from cnnlib.check.failure import Failed
from cnnlib.check.hunt import hunt
from cnnlib.gradcheck import numerical_gradient

NO_BREAK = "\N{NO-BREAK SPACE}"
MAPS = ("N", "C", "H", "W")
OUTPUTS = ("N", "C", "OH", "OW")

BY_HAND = "by hand"
X_BY_HAND = np.array(
    [
        [1.0, 7.0, 2.0, 0.0, 3.0, 1.0],
        [3.0, 5.0, 5.0, 6.0, 8.0, 2.0],
        [9.0, 2.0, 4.0, 1.0, 6.0, 5.0],
        [5.0, 1.0, 0.0, 3.0, 7.0, 4.0],
    ]
)[None, None]
DY_BY_HAND = np.array([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]])[None, None]

# kernel_size, stride, shape of x, and what is special about them.
SETTINGS = [
    (2, None, (2, 3, 4, 6), ""),
    ((3, 2), None, (2, 3, 8, 7), "two rows and a column are left over"),
    (2, 1, (2, 2, 5, 6), "windows overlap"),
    (3, 2, (3, 2, 6, 8), "windows overlap, and a row and a column are left over"),
    (2, 3, (2, 2, 5, 8), "there are gaps between the windows"),
    ((2, 3), 1, (1, 2, 4, 7), "a batch of one"),
    (1, None, (4, 3, 1, 1), "maps of one pixel"),
    ((4, 5), None, (2, 3, 4, 5), "one window for the whole map"),
]


# ---------------------------------------------------------------------------- scripts


def _forward(pool):
    return lambda layer_class, x: pool(layer_class).forward(x)


def _forward_again(pool):
    def run(layer_class, first, x):
        layer = pool(layer_class)
        layer.forward(first)
        return layer.forward(x)

    return run


def _backward(pool):
    def run(layer_class, x, dy):
        layer = pool(layer_class)
        layer.forward(x)
        return layer.backward(dy)

    return run


def _backward_of_second_batch(pool):
    def run(layer_class, first, x, dy):
        layer = pool(layer_class)
        layer.forward(first)
        layer.forward(x)
        return layer.backward(dy)

    return run


def _backward_twice(pool):
    def run(layer_class, x, first_dy, dy):
        layer = pool(layer_class)
        layer.forward(x)
        kept = layer.backward(first_dy)
        before = kept.copy()
        dx = layer.backward(dy)
        return dx if np.array_equal(kept, before) else kept

    return run


def _backward_of_two_layers(pool):
    def run(layer_class, x, dy, other):
        layer, next_layer = pool(layer_class), pool(layer_class)
        layer.forward(x)
        next_layer.forward(other)
        return layer.backward(dy)

    return run


def _own_gradient(pool):
    def run(layer_class, x, dy):
        layer = pool(layer_class)
        return numerical_gradient(lambda x: float((layer.forward(x) * dy).sum()), x.astype(float))

    return run


# ---------------------------------------------------------------------------- cases


def spread(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Whole numbers of both signs in random order, no two of them equal, even without their signs."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) + 1.0) * rng.choice([-1, 1], size)).reshape(shape)


def many_times(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """The numbers 0, 1, 2, 3 in each window of 2×2: the same maximum everywhere, and no ties."""
    N, C, H, W = shape
    order = np.argsort(rng.random((N, C, H // 2, W // 2, 4)))
    windows = order.reshape(N, C, H // 2, W // 2, 2, 2).astype(float)
    return windows.transpose(0, 1, 2, 4, 3, 5).reshape(shape)


def _built(kernel_size, stride) -> Callable:
    """How the layer is made, whoever's class it is."""
    if stride is None:
        return lambda layer_class: layer_class(kernel_size)
    return lambda layer_class: layer_class(kernel_size, stride=stride)


def _sides(kernel_size) -> tuple[int, int]:
    return kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)


def _out(shape, kernel_size, stride) -> tuple[int, ...]:
    """The shape of y."""
    N, C, H, W = shape
    KH, KW = _sides(kernel_size)
    SH, SW = _sides(stride or kernel_size)
    return N, C, (H - KH) // SH + 1, (W - KW) // SW + 1


def _window(output, kernel_size, stride) -> tuple:
    """The part of x that one number of y is made of."""
    (n, c, i, j), (KH, KW) = output, _sides(kernel_size)
    SH, SW = _sides(stride or kernel_size)
    return np.s_[n, c, i * SH : i * SH + KH, j * SW : j * SW + KW]


def _traits(kernel_size, stride, batch="a single batch", x="one largest pixel in each window"):
    """What may make a difference to a pool."""
    KH, KW = _sides(kernel_size)
    return {
        "x": x,
        "batch": batch,
        "overlap": "windows that overlap" if (stride or KH) < KH else "windows that don't overlap",
        "stride": "a given stride" if stride else "no stride given",
        "window": "square windows" if KH == KW else "windows that are not square",
    }


def _case(result, name, inputs, script, kernel_size, stride=None, note="", **more) -> Case:
    """A case of one pool; its note tells the settings, and the numbers of a case to do by hand."""
    told = [f"{name}({kernel_size}{f', stride={stride}' if stride else ''})"]
    if note == BY_HAND:
        told += [f"\n{array} = {_rows(values[0, 0])}" for array, values in inputs.items()]
    elif note:
        told += [f", {note}"]
    traits = {k: more.pop(k) for k in ("batch", "x") if k in more}
    pool = _built(kernel_size, stride)
    if result == "dx":
        look = _look_at_pixel(kernel_size, stride, largest=name == "MaxPool2D")
    else:
        look = _look_at_window(kernel_size, stride)
    return Case(
        result,
        inputs,
        script(pool),
        MAPS if result == "dx" else OUTPUTS,
        "".join(told),
        traits=_traits(kernel_size, stride, **traits),
        look=look,
        **more,
    )


def _rows(plane: np.ndarray) -> str:
    """The numbers of a map in a line, its rows apart by a stroke."""
    return " / ".join(" ".join(f"{value:g}" for value in row) for row in plane)


def _look_at_window(kernel_size, stride) -> Callable:
    """What a number of y is made of."""

    def look(place, got, x, **_):
        n, c, rows, columns = window = _window(place, kernel_size, stride)
        index = f"{n}, {c}, {rows.start}:{rows.stop}, {columns.start}:{columns.stop}"
        return {"window": f"x[{index}] = {_rows(x[window])}"}

    return look


def _look_at_pixel(kernel_size, stride, largest: bool) -> Callable:
    """Which windows a pixel is in, or is the maximum of, and whether the sums agree."""

    def look(place, got, x, dy, **_):
        reached, won = [], []
        for output in np.ndindex(_out(x.shape, kernel_size, stride)):
            n, c, rows, columns = window = _window(output, kernel_size, stride)
            inside = rows.start <= place[2] < rows.stop and columns.start <= place[3] < columns.stop
            if (n, c) == place[:2] and inside:
                reached.append(output)
                won += [output] if x[window].max() == x[place] else []
        words = f"the maximum of {_of(won)}" if largest and reached else f"in {_of(reached)}"
        facts = {"pixel": f"x{list(place)} = {x[place]:g}, {words}"}
        total, sent = float(dy.sum()), float(np.sum(got))
        if np.isfinite(sent) and not np.isclose(total, sent, rtol=1e-5):
            facts["sums"] = f"dy adds up to {total:.5g}, your dx to {sent:.5g}"
        return facts

    return look


def _of(outputs) -> str:
    """Windows, by the numbers of y that they belong to."""
    names = ", ".join(f"y{list(output)}".replace(" ", NO_BREAK) for output in outputs)
    return f"the window{'s' if len(outputs) > 1 else ''} of {names}" if names else "no window"


def _forward_cases(name: str, tolerance: float):
    """What both pools have to get right on the way forward."""
    rng = np.random.default_rng(3)

    def case(x, *settings, script=_forward, tolerance=tolerance, first=None, **more):
        inputs = {"x": x} if first is None else {"first": first, "x": x}
        return _case("y", name, inputs, script, *settings, tolerance=tolerance, **more)

    yield case(X_BY_HAND, 2, None, BY_HAND)
    for kernel_size, stride, shape, note in SETTINGS:
        yield case(spread(rng, *shape), kernel_size, stride, note)
    negative = -10_000 - np.abs(spread(rng, 2, 2, 4, 6))
    yield case(negative, 2, None, "every number is far below 0")
    coarse = tolerance and 1e-5
    yield case(spread(rng, 2, 1, 5, 3).astype(np.float32), 2, 1, "float32", tolerance=coarse)
    yield case(spread(rng, 2, 5, 6, 3).transpose(0, 3, 1, 2), 2, 1, "x is a transposed view")
    yield case(
        spread(rng, 2, 2, 4, 6),
        2,
        first=spread(rng, 3, 2, 6, 8),
        script=_forward_again,
        note="x is the second batch through one layer",
        batch="a second batch",
    )


def _backward_cases(name: str):
    """What both pools have to get right on the way back."""
    rng = np.random.default_rng(3)

    def pair(shape, kernel_size, stride, dtype=float):
        dy = rng.normal(size=_out(shape, kernel_size, stride)).round(2)
        return {"x": spread(rng, *shape).astype(dtype), "dy": dy.astype(dtype)}

    def case(inputs, kernel_size, stride=None, note="", script=_backward, tolerance=1e-9, **more):
        own = _own_gradient(_built(kernel_size, stride)) if script is _backward else None
        return _case(
            "dx",
            name,
            inputs,
            script,
            kernel_size,
            stride,
            note,
            tolerance=tolerance,
            own_gradient=own,
            **more,
        )

    yield case({"x": X_BY_HAND, "dy": DY_BY_HAND}, 2, None, BY_HAND)
    for kernel_size, stride, shape, note in SETTINGS:
        yield case(pair(shape, kernel_size, stride), kernel_size, stride, note)
    negative = pair((2, 2, 4, 6), 2, None)
    negative["x"] = -np.abs(negative["x"])
    yield case(negative, 2, None, "every number in x is negative")
    same_maximum = pair((2, 2, 4, 6), 2, None)
    same_maximum["x"] = many_times(rng, 2, 2, 4, 6)
    yield case(same_maximum, 2, None, "each window holds 0, 1, 2, 3 in some order")
    yield case(pair((2, 1, 5, 3), 2, 1, np.float32), 2, 1, "float32", tolerance=1e-5)
    transposed = {k: a.T.copy().T for k, a in pair((2, 3, 6, 4), 2, 1).items()}
    yield case(transposed, 2, 1, "x and dy are transposed views")
    for shape in [(2, 2, 4, 6), (2, 2, 6, 8), (3, 2, 4, 6)]:
        yield case(
            {"first": spread(rng, *shape), **pair((2, 2, 4, 6), 2, None)},
            2,
            note="x is the second batch through one layer",
            script=_backward_of_second_batch,
            batch="a second batch",
        )
    for shape in [(2, 2, 4, 6), (2, 2, 6, 8)]:
        yield case(
            pair((2, 2, 4, 6), 2, None) | {"other": spread(rng, *shape)},
            2,
            note="another pool saw `other` meanwhile",
            script=_backward_of_two_layers,
        )
    twice = pair((2, 3, 4, 6), 3, 1)
    first_dy = rng.normal(size=twice["dy"].shape).round(2)
    yield case(
        {"x": twice["x"], "first_dy": first_dy, "dy": twice["dy"]},
        3,
        1,
        "backward is called twice",
        script=_backward_twice,
    )


# ---------------------------------------------------------------------------- ties


def _tied_cases():
    """Windows with several largest pixels: any split of dy among them is right."""
    rng = np.random.default_rng(3)
    by_hand = np.array([[[[5.0, 5.0, -1.0, -2.0], [0.0, 5.0, -1.0, -3.0]]]])
    after_relu = np.maximum(spread(rng, 2, 2, 4, 9), 0)
    coarse = rng.integers(-1, 2, (2, 2, 4, 5)).astype(float)
    for x, kernel_size, stride, note in [
        (by_hand, 2, None, BY_HAND),
        (after_relu, (2, 3), None, "several pixels of a window are equal, as after a ReLU"),
        (coarse, 2, 1, "several pixels of a window are equal, and windows overlap"),
    ]:
        # All of one sign, so that what a group of pixels gets can't cancel out.
        dy = rng.integers(1, 9, _out(x.shape, kernel_size, stride)).astype(float)
        yield _case(
            "dx",
            "MaxPool2D",
            {"x": x, "dy": dy},
            _backward,
            kernel_size,
            stride,
            note,
            tolerance=1e-9,
            closest=_split_like(kernel_size, stride),
            x="several equal ones",
        )


def _split_like(kernel_size, stride) -> Callable:
    """The rule for ties: pixels that share a maximum may split its gradient as they like.

    Where windows overlap, their ties hang together, and what is fixed is the sum over all pixels
    that hang together.
    """

    def closest(expected, got, x, dy):
        right = expected.copy()
        group = np.arange(x.size).reshape(x.shape)
        for output in np.ndindex(_out(x.shape, kernel_size, stride)):
            window = _window(output, kernel_size, stride)
            tied = group[window][x[window] == x[window].max()]
            group[np.isin(group, tied)] = tied[0]
        for pixels in (group == number for number in np.unique(group)):
            total, theirs = expected[pixels].sum(), np.asarray(got)[pixels].sum()
            if pixels.sum() > 1 and np.isfinite(theirs) and theirs != 0:
                right[pixels] = np.asarray(got)[pixels] * (total / theirs)
        return right

    return closest


# ---------------------------------------------------------------------------- the checks


@check(
    title="MaxPool2D.forward",
    reference=layers.MaxPool2D,
    passes="the largest number of each window, whatever its size, step and sign",
)
def maxpool_forward():
    """Check ``MaxPool2D.forward`` on windows of many kinds: overlapping, apart, not square, negative."""
    yield from _forward_cases("MaxPool2D", 0)


@check(
    title="MaxPool2D.backward",
    reference=layers.MaxPool2D,
    passes="each gradient goes to the pixel that won, and wins add up",
)
def maxpool_backward():
    """Check ``MaxPool2D.backward``; where pixels tie, any split that adds up to dy is right."""
    yield from _backward_cases("MaxPool2D")
    yield from _tied_cases()


@check(
    title="AvgPool2D.forward",
    reference=layers.AvgPool2D,
    passes="the average of each window, whatever its size and step",
)
def avgpool_forward():
    """Check ``AvgPool2D.forward`` on windows of many kinds: overlapping, apart, not square."""
    yield from _forward_cases("AvgPool2D", 1e-9)


@check(
    title="AvgPool2D.backward",
    reference=layers.AvgPool2D,
    passes="each gradient is shared out evenly, and shares add up",
)
def avgpool_backward():
    """Check ``AvgPool2D.backward`` on windows of many kinds: overlapping, apart, not square."""
    yield from _backward_cases("AvgPool2D")


# ---------------------------------------------------------------------------- two routes by hand


X = np.array([[1.0, 8.0, 3.0], [4.0, 6.0, 7.0], [2.0, 5.0, 9.0]])
DY = np.array([[4.0, 8.0], [20.0, 16.0]])


def _routes():
    return [
        _send_back(pool, X[None, None], DY[None, None])
        for pool in (layers.MaxPool2D, layers.AvgPool2D)
    ]


_send_back = _backward(_built(2, 1))


class _Routes(Check):
    """Two gradients worked out on paper; the right ones are not given away."""

    def failure(self, routes) -> Failed | None:
        outcome = attempt(Case("answers", {}, lambda f: f()), routes)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        answers = outcome.value
        if not isinstance(answers, tuple | list) or len(answers) != 2:
            expected = "a pair: dx_max, dx_avg, each with three rows of three numbers"
            return self._fail(
                outcome,
                "Two gradients are asked for.",
                {"expected": expected, "got": repr(answers)[:120]},
            )
        for name, pool, right, answer in zip(
            ("dx_max", "dx_avg"), ("maxpool", "avgpool"), self.reference(), answers, strict=True
        ):
            dx = _grid(answer)
            if dx is None or dx.shape != X.shape:
                got = repr(answer)[:120] if dx is None else f"{name} of shape {dx.shape}"
                says = f"{name} must have three rows of three numbers, as x has."
                return self._fail(outcome, says, {"got": got})
            if not np.allclose(dx, right[0, 0], rtol=0, atol=1e-9):
                return self._wrong(outcome, name, f"{pool}_backward", dx, right[0, 0])
        return None

    def _wrong(self, outcome, name: str, check: str, dx, right) -> Failed:
        case = Case(name, {"x": X[None, None], "dy": DY[None, None]}, _send_back)
        guesses = {
            broken.says.split(". ")[0].rstrip("."): broken.hint
            for broken in misconceptions.seen_by(check)
            if np.array_equal(attempt(case, broken).value, dx[None, None])
        }
        if len(guesses) == 1:  # two mistakes may lead to the same numbers; then neither is named
            ((says, hint),) = guesses.items()
            return self._fail(outcome, f"{name}: {says[:1].lower()}{says[1:]}.", {"hint": hint})
        row, column = map(int, np.argwhere(~np.isclose(dx, right))[0])
        return self._fail(
            outcome,
            f"{name}[{row}, {column}] is another number.",
            {
                "where": f"the pixel {X[row, column]:g} of x",
                "you said": f"{dx[row, column]:g}",
                "hint": "Which windows look at this pixel? What does each of them send it?",
            },
        )

    def _fail(self, outcome, says: str, facts: dict[str, str]) -> Failed:
        return Failed(self.title, says, facts | remarks(outcome, ""))


def _grid(answer) -> np.ndarray | None:
    """The answer as an array of numbers, if it is one."""
    try:
        return np.asarray(answer, float)
    except (TypeError, ValueError):
        return None


def _documented_routes():
    """Check the two gradients that belong to x and dy of the exercise, with windows of 2×2 and stride 1."""


_documented_routes.__name__ = "pool_by_hand"
_routes.__name__ = "routes_by_hand"
pool_by_hand = _Routes(
    _documented_routes, "routes by hand", _routes, "every gradient found its way, on paper"
)


# ---------------------------------------------------------------------------- bug hunts


@hunt(
    title="bug hunt 1",
    passes="your x shows what a ReLU before the pool hides",
    patient=misconceptions.pool.StartsAtZero,
    right=layers.MaxPool2D,
    names=("x", "expected"),
)
def pool_hunt_1(layer_class, x):
    """Check an x, and what a right MaxPool2D(2) makes of it, for which the first patient's forward is wrong."""
    return layer_class(2).forward(x)


@hunt(
    title="bug hunt 2",
    passes="your arrays show what random numbers never do",
    patient=misconceptions.pool.WholeGradientToEveryTie,
    right=layers.MaxPool2D,
    names=("x", "dy"),
)
def pool_hunt_2(layer_class, x, dy):
    """Check arrays x, dy for which the backward of the second patient, a MaxPool2D(2), is wrong."""
    return _backward(_built(2, None))(layer_class, x, dy)


@hunt(
    title="bug hunt 3",
    passes="your arrays show what maps of even height and width hide",
    patient=misconceptions.pool.EndsWithTheLastWindow.average,
    right=layers.AvgPool2D,
    names=("x", "dy"),
)
def pool_hunt_3(layer_class, x, dy):
    """Check arrays x, dy for which the backward of the third patient, an AvgPool2D(2), is wrong."""
    return _backward(_built(2, None))(layer_class, x, dy)
