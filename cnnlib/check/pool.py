"""The checks of lesson 03: max-pool and average pool, forward and backward."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cnnlib import layers, misconceptions
from cnnlib.check.diagnosis import number
from cnnlib.check.engine import Case, Check, attempt, check, remarks, same
from cnnlib.check.failure import Failed
from cnnlib.check.hunt import hunt
from cnnlib.scripts import Script, layer, pool, script
from cnnlib.scripts.layer import call
from cnnlib.scripts.words import in_a_line, shorten

NO_BREAK = "\N{NO-BREAK SPACE}"
MAPS = ("N", "C", "H", "W")
OUTPUTS = ("N", "C", "OH", "OW")


@dataclass(frozen=True)
class Windows:
    """How a pool is set: the size of its windows, and the way from one to the next."""

    kernel_size: int | tuple[int, int]
    stride: int | None = None

    def __str__(self) -> str:
        return f"{self.kernel_size}" + (f", stride={self.stride}" if self.stride else "")

    def script(self, function: Callable) -> Script:
        """A script of layers without settings, for a pool with these windows."""
        return script(pool.pooled, run=function.__name__, settings=self.settings)

    @property
    def settings(self) -> dict:
        """What a pool is made with."""
        stride = {"stride": self.stride} if self.stride else {}
        return {"kernel_size": self.kernel_size} | stride

    @property
    def sides(self) -> tuple[int, int]:
        return np.broadcast_to(self.kernel_size, 2).tolist()

    @property
    def steps(self) -> tuple[int, int]:
        return np.broadcast_to(self.stride or self.kernel_size, 2).tolist()

    def outputs(self, shape) -> tuple[int, ...]:
        """The shape of y, for an x of this shape."""
        N, C, H, W = shape
        (KH, KW), (SH, SW) = self.sides, self.steps
        return N, C, (H - KH) // SH + 1, (W - KW) // SW + 1

    def part(self, output) -> tuple:
        """The index of what one number of y looks at in x."""
        (n, c, i, j), (KH, KW), (SH, SW) = output, self.sides, self.steps
        return np.s_[n, c, i * SH : i * SH + KH, j * SW : j * SW + KW]

    @property
    def traits(self) -> dict[str, str]:
        """What may make a difference to a pool."""
        (KH, KW), (SH, SW) = self.sides, self.steps
        apart = SH >= KH and SW >= KW
        return {
            "overlap": "windows that don't overlap" if apart else "windows that overlap",
            "stride": "a given stride" if self.stride else "no stride given",
            "window": "square windows" if KH == KW else "windows that are not square",
        }


SIDE_BY_SIDE, OVERLAPPING = Windows(2), Windows(2, 1)
# With the shape of an x, and what is special about the two.
SETTINGS = [
    (SIDE_BY_SIDE, (2, 3, 4, 6), ""),
    (Windows((3, 2)), (2, 3, 8, 7), "two rows and a column are left over"),
    (OVERLAPPING, (2, 2, 5, 6), "windows overlap"),
    (Windows(3, 2), (3, 2, 6, 8), "windows overlap, and a row and a column are left over"),
    (Windows(2, 3), (2, 2, 5, 8), "there are gaps between the windows"),
    (Windows((2, 3), 1), (1, 2, 4, 7), "a batch of one"),
    (Windows(1), (4, 3, 1, 1), "maps of one pixel"),
    (Windows((4, 5)), (2, 3, 4, 5), "one window for the whole map"),
]

X_BY_HAND = np.array(
    [
        [1.0, 7.0, 2.0, 0.0, 3.0, 1.0],
        [3.0, 5.0, 5.0, 6.0, 8.0, 2.0],
        [9.0, 2.0, 4.0, 1.0, 6.0, 5.0],
        [5.0, 1.0, 0.0, 3.0, 7.0, 4.0],
    ]
)[None, None]
DY_BY_HAND = np.array([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]])[None, None]


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


def nearly_equal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers near 1 that differ, if only behind the ninth digit."""
    return 1 + spread(rng, *shape) * 2.0**-36


NEARLY_EQUAL = "all pixels are nearly equal, and no two are: 1 + k·2⁻³⁶ with whole numbers k"


def _note(name: str, windows: Windows, note: str) -> str:
    return f"{name}({windows}), {note}" if note else f"{name}({windows})"


def _forward_case(
    name: str,
    inputs,
    windows: Windows,
    note: str = "",
    run=layer.forward,
    batch: str = "one batch",
    by_hand: bool = False,
) -> Case:
    exact = 1e-5 if inputs["x"].dtype == np.float32 else 1e-9
    return Case(
        "y",
        inputs,
        windows.script(run),
        OUTPUTS,
        _note(name, windows, note),
        0 if name == "MaxPool2D" else exact,
        traits={"batch": batch, **windows.traits},
        look=_look_at_window(windows, largest=name == "MaxPool2D"),
        by_hand=by_hand,
    )


def _forward_cases(name: str):
    """What both pools have to get right on the way forward."""
    case = partial(_forward_case, name)
    rng = np.random.default_rng(3)

    yield case({"x": X_BY_HAND}, SIDE_BY_SIDE, by_hand=True)
    for windows, shape, note in SETTINGS:
        yield case({"x": spread(rng, *shape)}, windows, note)
    negative = -10_000 - np.abs(spread(rng, 2, 2, 4, 6))
    yield case({"x": negative}, SIDE_BY_SIDE, "every number is far below 0")
    coarse = spread(rng, 2, 1, 5, 3).astype(np.float32)
    yield case({"x": coarse}, OVERLAPPING, "float32")
    transposed = spread(rng, 2, 5, 6, 3).transpose(0, 3, 1, 2)
    yield case({"x": transposed}, OVERLAPPING, "x is a transposed view")
    more = np.random.default_rng(30)
    yield case({"x": more.normal(size=(2, 1, 4, 5))}, OVERLAPPING, "x has many decimals")
    yield case({"x": nearly_equal(more, 1, 2, 4, 6)}, SIDE_BY_SIDE, NEARLY_EQUAL)
    yield case(
        {"first": spread(rng, 3, 2, 6, 8), "x": spread(rng, 2, 2, 4, 6)},
        SIDE_BY_SIDE,
        "x is the second batch through one layer",
        layer.forward_of_second_batch,
        batch="a second batch",
    )


def _backward_case(
    name: str,
    inputs,
    windows: Windows,
    note: str = "",
    run=layer.backward,
    tolerance: float = 1e-9,
    closest: Callable | None = None,
    batch: str = "one batch",
    by_hand: bool = False,
) -> Case:
    ties = ("one largest pixel" if closest is None else "several largest pixels") + " in a window"
    unique = run is layer.backward and closest is None
    return Case(
        "dx",
        inputs,
        windows.script(run),
        MAPS,
        _note(name, windows, note),
        tolerance,
        forward=script(pool.forward, settings=windows.settings) if unique else None,
        closest=closest,
        traits={"ties": ties, "batch": batch, **windows.traits},
        look=_look_at_pixel(windows, largest=name == "MaxPool2D"),
        by_hand=by_hand,
    )


def _backward_cases(name: str):
    """What both pools have to get right on the way back."""
    case = partial(_backward_case, name)
    rng = np.random.default_rng(3)

    def pair(windows, *shape, dtype=float):
        dy = rng.normal(size=windows.outputs(shape)).round(2)
        return {"x": spread(rng, *shape).astype(dtype), "dy": dy.astype(dtype)}

    yield case({"x": X_BY_HAND, "dy": DY_BY_HAND}, SIDE_BY_SIDE, by_hand=True)
    for windows, shape, note in SETTINGS:
        yield case(pair(windows, *shape), windows, note)
    small = 2, 2, 4, 6
    negative = pair(SIDE_BY_SIDE, *small)
    negative["x"] = -np.abs(negative["x"])
    yield case(negative, SIDE_BY_SIDE, "every number in x is negative")
    same_maximum = pair(SIDE_BY_SIDE, *small) | {"x": many_times(rng, *small)}
    yield case(same_maximum, SIDE_BY_SIDE, "each window holds 0, 1, 2, 3 in some order")
    coarse = pair(OVERLAPPING, 2, 1, 5, 3, dtype=np.float32)
    yield case(coarse, OVERLAPPING, "float32", tolerance=1e-5)
    more = np.random.default_rng(30)
    decimals = {"x": more.normal(size=(2, 1, 4, 5)), "dy": more.normal(size=(2, 1, 3, 4))}
    yield case(decimals, OVERLAPPING, "x and dy have many decimals")
    close = {"x": nearly_equal(more, 1, 2, 4, 6), "dy": more.normal(size=(1, 2, 2, 3)).round(2)}
    # A nudge would change which pixel is the largest.
    yield replace(case(close, SIDE_BY_SIDE, NEARLY_EQUAL), forward=None)
    transposed = {k: a.T.copy().T for k, a in pair(OVERLAPPING, 2, 3, 6, 4).items()}
    yield case(transposed, OVERLAPPING, "x and dy are transposed views")
    for shape in [small, (2, 2, 6, 8), (3, 2, 4, 6)]:
        yield case(
            {"first": spread(rng, *shape), **pair(SIDE_BY_SIDE, *small)},
            SIDE_BY_SIDE,
            "x is the second batch through one layer",
            layer.backward_of_second_batch,
            batch="a second batch",
        )
    for shape in [small, (2, 2, 6, 8)]:
        yield case(
            {**pair(SIDE_BY_SIDE, *small), "other": spread(rng, *shape)},
            SIDE_BY_SIDE,
            "another pool saw `other` meanwhile",
            layer.backward_of_two_layers,
        )
    twice = Windows(3, 1)
    first, second = pair(twice, 2, 3, 4, 6), pair(twice, 2, 3, 4, 6)
    yield case(
        {"x": second["x"], "first_dy": first["dy"], "dy": second["dy"]},
        twice,
        "dy comes after first_dy",
        layer.second_of_two_backwards,
    )
    yield case(
        {"x": first["x"], "dy": first["dy"], "then_dy": second["dy"]},
        twice,
        "dx is read after then_dy came",
        layer.first_of_two_backwards,
    )
    falling = {"x": -np.arange(48.0).reshape(1, 2, 4, 6), "dy": more.normal(size=(1, 2, 2, 3))}
    yield case(falling, SIDE_BY_SIDE, "the largest pixel of each window is its first")


def _tied_cases():
    """Windows with several largest pixels: any split of dy among them is right."""
    rng = np.random.default_rng(3)
    by_hand = np.array([[[[5.0, 5.0, -1.0, -2.0], [0.0, 5.0, -1.0, -3.0]]]])
    after_relu = np.maximum(spread(rng, 2, 2, 4, 9) - 100, 0)
    coarse = rng.integers(-1, 2, (2, 2, 4, 5)).astype(float)
    for x, windows, note in [
        (by_hand, SIDE_BY_SIDE, ""),
        (after_relu, Windows((2, 3)), "several pixels of a window are equal, as after a ReLU"),
        (coarse, OVERLAPPING, "several pixels of a window are equal, and windows overlap"),
    ]:
        # All of one sign, so that what a group of pixels gets can't cancel out.
        dy = rng.integers(1, 9, windows.outputs(x.shape)).astype(float)
        split = split_like(windows)
        inputs = {"x": x, "dy": dy}
        yield _backward_case(
            "MaxPool2D", inputs, windows, note, closest=split, by_hand=x is by_hand
        )


# Small maps, to follow by hand: the lesson's, then those that show what it doesn't.
SMALL = [
    (OVERLAPPING, np.array([[1.0, 2, 3], [2, 7, 1], [4, 1, 8]])[None, None]),
    (Windows((1, 2)), (1, 1, 2, 4)),
    (SIDE_BY_SIDE, (1, 1, 3, 5)),
    (SIDE_BY_SIDE, -1 - np.arange(8.0).reshape(1, 1, 2, 4)),
    (Windows((2, 3), 1), (1, 1, 3, 4)),
    (Windows(2, 3), (1, 1, 2, 5)),
    (SIDE_BY_SIDE, (1, 2, 2, 4)),
    (SIDE_BY_SIDE, (2, 1, 2, 4)),
    (Windows((1, 2), 1), (2, 2, 2, 3)),
    (Windows((3, 2)), (1, 1, 4, 4)),
]


def _small_cases(name: str, case: Callable, with_dy: bool):
    """Cases that judge nobody: each number in dy is a digit of its own."""
    rng = np.random.default_rng(33)
    for windows, x in SMALL:
        x = rng.permutation(np.prod(x)).reshape(x) + 1.0 if isinstance(x, tuple) else x
        outputs = windows.outputs(x.shape)
        dy = 10.0 ** np.arange(np.prod(outputs)).reshape(outputs)
        yield case(name, {"x": x, "dy": dy} if with_dy else {"x": x}, windows, by_hand=True)


def split_like(windows: Windows) -> Callable:
    """The rule for ties: pixels that share a maximum may split its gradient as they like.

    Where windows overlap, their ties hang together, and what is fixed is the sum over all pixels
    that hang together.
    """

    shared: dict[bytes, list] = {}  # the same few pictures are asked for again and again

    def closest(expected, got, x, dy):
        right, got, key = expected.copy(), np.asarray(got), x.tobytes()
        if key not in shared:
            group = _groups(windows, x)
            numbers, counts = np.unique(group, return_counts=True)
            shared[key] = [np.nonzero(group == each) for each in numbers[counts > 1]]
        for pixels in shared[key]:
            total, theirs = expected[pixels].sum(), got[pixels].sum()
            if np.isfinite(theirs) and theirs != 0:
                right[pixels] = got[pixels] * (total / theirs)
        return right

    return closest


def _groups(windows: Windows, x) -> np.ndarray:
    """A number for each pixel, the same one for all that hang together because they share a maximum."""
    group = np.arange(x.size).reshape(x.shape)
    for output in np.ndindex(windows.outputs(x.shape)):
        part = windows.part(output)
        tied = group[part][_winners(x[part])]
        group[np.isin(group, tied)] = tied[0]
    return group


def _winners(window: np.ndarray) -> np.ndarray:
    """Which pixels of a window are its largest."""
    return window == window.max()


# ---------------------------------------------------------------------------- a closer look


def _look_at_window(windows: Windows, largest: bool) -> Callable:
    """What a number of y is made of; of a maximum, also where the wrong one was found."""

    def look(place, got, x, **_):
        n, c, rows, columns = part = windows.part(place)
        index = f"{n}, {c}, {rows.start}:{rows.stop}, {columns.start}:{columns.stop}"
        facts = {"window": f"x[{index}] = {in_a_line(x[part])}"}
        found = np.argwhere(x == got[place])
        if largest and got[place] in x[part]:
            facts["yours"] = f"{got[place]:g} is in this window, but is not its largest"
        elif largest and len(found) == 1:
            facts["yours"] = f"{got[place]:g} is at x{found[0].tolist()}, outside this window"
        return facts

    return look


def _look_at_pixel(windows: Windows, largest: bool) -> Callable:
    """Which windows a pixel is in, or is the maximum of, and whether the sums agree."""

    def look(place, got, x, dy, **_):
        reached, won = [], []
        for output in np.ndindex(windows.outputs(x.shape)):
            n, c, rows, columns = part = windows.part(output)
            inside = rows.start <= place[2] < rows.stop and columns.start <= place[3] < columns.stop
            if (n, c) == place[:2] and inside:
                reached.append(output)
                won += [output] if x[part].max() == x[place] else []
        words = f"the maximum of {_of(won)}" if largest and reached else f"in {_of(reached)}"
        facts = {"pixel": f"x{list(place)} = {x[place]:g}, {words}"}
        facts |= _look_at_ties(windows, place, got, x, dy) if largest else {}
        total, sent = float(dy.sum()), float(np.sum(got))
        if np.isfinite(sent) and not np.isclose(total, sent, rtol=1e-5):
            facts["sums"] = f"dy adds up to {number(total, 5)}, your dx to {number(sent, 5)}"
        return facts

    return look


def _look_at_ties(windows: Windows, place, got, x, dy) -> dict[str, str]:
    """Who shares a maximum with a pixel, what all of them must get, and what they do get."""
    group = _groups(windows, x)
    together = group == group[place]
    if together.sum() == 1:
        return {}
    outputs = np.ndindex(dy.shape)
    must = sum(
        dy[o] for o in outputs if together[windows.part(o)][_winners(x[windows.part(o)])].any()
    )
    pixels = [f"x{index.tolist()}".replace(" ", NO_BREAK) for index in np.argwhere(together)]
    who = (
        f"{' and '.join(pixels)} are tied" if len(pixels) < 4 else f"{len(pixels)} pixels are tied"
    )
    return {
        "tie": f"{who}: together they must get {number(must)}, yours get {number(got[together].sum(), 5)}"
    }


def _of(outputs) -> str:
    """Windows, by the numbers of y that they belong to."""
    names = ", ".join(f"y{list(output)}".replace(" ", NO_BREAK) for output in outputs)
    return f"the window{'s' if len(outputs) > 1 else ''} of {names}" if names else "no window"


# ---------------------------------------------------------------------------- the checks


@check(
    title="MaxPool2D.forward",
    reference=layers.MaxPool2D,
    shown=partial(_small_cases, "MaxPool2D", _forward_case, False),
    passes="the largest number of each window, whatever its size, step and sign",
)
def maxpool_forward():
    """Check ``MaxPool2D.forward`` on windows of many kinds: overlapping, apart, not square, negative."""
    yield from _forward_cases("MaxPool2D")


@check(
    title="MaxPool2D.backward",
    reference=layers.MaxPool2D,
    shown=partial(_small_cases, "MaxPool2D", _backward_case, True),
    passes="each gradient goes to the pixel that won, and wins add up",
)
def maxpool_backward():
    """Check ``MaxPool2D.backward``; where pixels tie, any split that adds up to dy is right."""
    yield from _backward_cases("MaxPool2D")
    yield from _tied_cases()


@check(
    title="AvgPool2D.forward",
    reference=layers.AvgPool2D,
    shown=partial(_small_cases, "AvgPool2D", _forward_case, False),
    passes="the average of each window, whatever its size and step",
)
def avgpool_forward():
    """Check ``AvgPool2D.forward`` on windows of many kinds: overlapping, apart, not square."""
    yield from _forward_cases("AvgPool2D")


@check(
    title="AvgPool2D.backward",
    reference=layers.AvgPool2D,
    shown=partial(_small_cases, "AvgPool2D", _backward_case, True),
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
        _send_back(pool, x=X[None, None], dy=DY[None, None])
        for pool in (layers.MaxPool2D, layers.AvgPool2D)
    ]


_send_back = OVERLAPPING.script(layer.backward)


class _Routes(Check):
    """Two gradients worked out on paper; the right ones are not given away."""

    def failure(self, routes) -> Failed | None:
        outcome = attempt(Case("answers", {}, script(call)), routes)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        answers = outcome.value
        if not isinstance(answers, tuple | list) or len(answers) != 2:
            expected = "a pair: dx_max, dx_avg, each with three rows of three numbers"
            return self._fail(
                outcome,
                "Two gradients are asked for.",
                {"expected": expected, "got": shorten(repr(answers))},
            )
        for name, kind, right, answer in zip(
            ("dx_max", "dx_avg"), ("maxpool", "avgpool"), self.reference(), answers, strict=True
        ):
            dx = _grid(answer)
            if dx is None or dx.shape != X.shape:
                got = shorten(repr(answer)) if dx is None else f"{name} of shape {dx.shape}"
                says = f"{name} must have three rows of three numbers, as x has."
                return self._fail(outcome, says, {"got": got})
            if not np.allclose(dx, right[0, 0], rtol=0, atol=1e-9):
                return self._wrong(outcome, name, f"{kind}_backward", dx, right[0, 0])
        return None

    def _wrong(self, outcome, name: str, check: str, dx, right) -> Failed:
        case = Case(name, {"x": X[None, None], "dy": DY[None, None]}, _send_back)
        guesses = {
            broken.says.split(". ")[0].rstrip("."): broken.hint
            for broken in misconceptions.seen_by(check)
            if same(dx[None, None], attempt(case, broken).value, 1e-9)
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
    names=("x",),
    axes={"x": "N, C, H, W"},
)
def pool_hunt_1(layer_class, x):
    """Check an x, and what a right MaxPool2D(2) makes of it, where the first patient's forward is wrong."""
    return SIDE_BY_SIDE.script(layer.forward)(layer_class, x=x)


@hunt(
    title="bug hunt 2",
    passes="your arrays show what random numbers never do",
    patient=misconceptions.pool.WholeGradientToEveryTie,
    right=layers.MaxPool2D,
    names=("x", "dy"),
    axes={"x": "N, C, H, W", "dy": "N, C, OH, OW"},
    closest=split_like(SIDE_BY_SIDE),
)
def pool_hunt_2(layer_class, x, dy):
    """Check arrays x, dy, and a right dx, where the backward of the second patient, a MaxPool2D(2), is wrong."""
    return SIDE_BY_SIDE.script(layer.backward)(layer_class, x=x, dy=dy)


@hunt(
    title="bug hunt 3",
    passes="your arrays show what maps of even height and width hide."
    " With every ✓ above, you have two pools of your own, there and back",
    patient=misconceptions.find("avgpool_backward", "EndsWithTheLastWindow"),
    right=layers.AvgPool2D,
    names=("x", "dy"),
    axes={"x": "N, C, H, W", "dy": "N, C, OH, OW"},
)
def pool_hunt_3(layer_class, x, dy):
    """Check arrays x, dy, and the right dx, where the backward of the third patient, an AvgPool2D(2), is wrong."""
    return SIDE_BY_SIDE.script(layer.backward)(layer_class, x=x, dy=dy)
