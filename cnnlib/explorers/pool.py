"""Pooling as routes: what each window says, and where its gradient goes back to."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np

from cnnlib import svg
from cnnlib.explorers import own
from cnnlib.explorers.widget import Choice, Explorer, Slider
from cnnlib.layers import AvgPool2D, MaxPool2D

MAXIMUM = np.array(
    [
        [12, 3, 8, 17, 5, 2],
        [7, 25, 1, 9, 14, 20],
        [4, 16, 28, 6, 11, 13],
        [22, 10, 19, 27, 0, 18],
        [15, 26, 21, 24, 29, 23],
    ]
)
NUMBERS = {
    "different": MAXIMUM,
    "ties": np.array(
        [
            [0, 0, 0, 3, 0, 0],
            [0, 5, 5, 0, 0, 0],
            [2, 5, 1, 4, 4, 0],
            [2, 0, 4, 4, 1, 6],
            [0, 0, 3, 3, 6, 6],
        ]
    ),
    "negative": -1 - MAXIMUM,
}
NAMES = {
    "different": "all different",
    "ties": "with ties, as after a ReLU",
    "negative": "all negative",
}
POOLS = {"max": "the maximum", "average": "the average"}
WINDOWS = {
    (2, 2): "2×2 side by side",
    (2, 1): "2×2, stride 1",
    (3, 2): "3×3, stride 2",
    (2, 3): "2×2, stride 3",
}
COURSE = MaxPool2D, AvgPool2D

WIDTH = 790  # pixels on the screen
UNREACHED = "#E4E8EC"
Place = tuple[int, int]


def draw(
    cell: int = 7,
    pool: str = "max",
    windows: tuple[int, int] = (2, 1),
    numbers: str = "different",
    layers: tuple[type, type] = COURSE,
    *,
    x=None,
) -> svg.Picture:
    """Draw a map and what a pool makes of it; below, a gradient and what comes back of it.

    Parameters
    ----------
    cell : int
        Which cell to look at: first the pixels of x (0 to 29), row by row, then the numbers of y.
    pool : {"max", "average"}
        What is kept of each window.
    windows : tuple of int
        The side of the windows and the stride: (2, 2), (2, 1), (3, 2) or (2, 3).
    numbers : {"different", "ties", "negative"}
        The numbers of x.
    layers : tuple of type
        The max-pool and the average pool whose work is drawn; yours, if you like.
    x : array_like of numbers, (H, W), optional
        Your own map, in the place of `numbers`, of at most 8 rows and columns; more axes may stand
        before, of length 1.

    Raises
    ------
    TypeError
        If x doesn't hold numbers.
    ValueError
        If there is no such cell, pool, windows or numbers, or x can't be shown.

    Examples
    --------
    >>> draw(7)  # doctest: +ELLIPSIS
    Max-pooling...x[1, 1] = 25 is in 4 windows and the maximum of 3. dx[1, 1] = 4 + 8 + 24 = 36...
    """
    if pool not in POOLS or windows not in WINDOWS or numbers not in NUMBERS:
        raise ValueError(
            f"pool: pools are {', '.join(POOLS)}, windows {', '.join(map(str, WINDOWS))}, numbers "
            f"{', '.join(NUMBERS)}; got {pool!r}, {windows!r}, {numbers!r}"
        )
    x = NUMBERS[numbers] if x is None else own.matrix("pool", "x", x)
    if min(_sizes(x, windows)) < 1:
        raise ValueError(
            f"pool: x has shape {x.shape}; no window of {windows[0]}×{windows[0]} fits"
        )
    last = _last(x, {"windows": windows})
    if not 0 <= cell <= last:
        raise ValueError(f"pool: cell is {cell}; with windows {windows} there are 0 to {last}")
    scene = _Pixel if cell < x.size else _Output
    layer_class = layers[list(POOLS).index(pool)]
    try:
        return scene(cell, pool, windows, x, layer_class).picture()
    except NotImplementedError:
        return _nothing_yet(layer_class.__name__)


def pool(
    cell: int = 7,
    pool: str = "max",
    windows: tuple[int, int] = (2, 1),
    numbers: str = "different",
    layers: tuple[type, type] = COURSE,
    *,
    x=None,
) -> Explorer:
    """Return the routes as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = pool(30, pool="average", windows=(3, 2))
    >>> mine = pool(0, x=np.eye(4))
    """
    given = {} if layers == COURSE else {"layers": layers}
    yours = x is not None
    given |= {"x": np.array(x)} if yours else {}
    x = own.matrix("pool", "x", x) if yours else MAXIMUM
    fit = {words: pair for pair, words in WINDOWS.items() if min(_sizes(x, pair)) >= 1}
    controls = {
        "pool": Choice("Keep", {words: name for name, words in POOLS.items()}),
        "windows": Choice("Windows", fit, sample=[WINDOWS.get(windows)] if yours else None),
        "numbers": Choice("Numbers", {words: name for name, words in NAMES.items()}),
        "cell": Slider("Cell", partial(_last, x), words=partial(_called, x), walk=x.size),
    }
    values = {"cell": cell, "pool": pool, "windows": windows, "numbers": numbers}
    if yours:
        del controls["numbers"], values["numbers"]
    return Explorer(partial(draw, **given) if given else draw, controls, **values)


pool.draw = draw


def _sizes(x: np.ndarray, windows: tuple[int, int]) -> Place:
    """Return (OH, OW)."""
    side, stride = windows
    OH, OW = ((n - side) // stride + 1 for n in x.shape)
    return OH, OW


def _last(x: np.ndarray, values: dict) -> int:
    OH, OW = _sizes(x, values["windows"])
    return x.size + OH * OW - 1


def _called(x: np.ndarray, values: dict) -> str:
    """Return what the cell is called: first come those of x, then those of y."""
    cell, (_, OW) = values["cell"], _sizes(x, values["windows"])
    if cell < x.size:
        name, place = "x", divmod(cell, x.shape[1])
    else:
        name, place = "y", divmod(cell - x.size, OW)
    return f"{name}[{place[0]}, {place[1]}]"


class _Scene:
    """One picture; what the cell in focus tells is told by the subclass."""

    def __init__(self, cell: int, pool: str, windows: tuple[int, int], x, layer_class):
        self.cell, self.pool, self.x = cell, pool, x
        self.side, self.stride = windows
        OH, OW = self.shape = _sizes(x, windows)
        # Whole numbers also where every pixel of a window gets an equal share.
        self.dy = self.side**2 * np.arange(1, OH * OW + 1).reshape(OH, OW)
        self.work(layer_class(self.side, stride=self.stride))

    def work(self, layer) -> None:
        """Send each number of dy back on its own, as a picture of a batch, and all of them so far."""
        count = self.dy.size
        batch = np.repeat(self.x[None, None].astype(float), count + 1, axis=0)
        y = layer.forward(batch)
        _expect(layer, "forward", y, (count + 1, 1, *self.shape))
        self.sent = np.where(np.arange(count) < self.back(), self.dy.ravel(), 0)
        upstream = np.concatenate([np.diag(self.dy.flat), self.sent[None]])
        dx = layer.backward(upstream.reshape(y.shape).astype(float))
        _expect(layer, "backward", dx, batch.shape)
        self.shares, self.dx = dx[:-1, 0].reshape(*self.shape, *self.x.shape), dx[-1, 0]
        self.y = y[0, 0]

    def back(self) -> int:
        """How many numbers of dy have gone back: those up to the one that the walk is at."""
        return self.cell - self.x.size + 1

    def so_far(self, words: str) -> str:
        """The words, if there is more to come."""
        return words if self.back() < self.dy.size else ""

    def window(self, output: Place) -> tuple[slice, slice]:
        top, left = output[0] * self.stride, output[1] * self.stride
        return slice(top, top + self.side), slice(left, left + self.side)

    def windows_of(self, pixel: Place) -> list[Place]:
        """The outputs whose window the pixel is in."""
        rows, columns = (
            [i for i in range(count) if 0 <= k - i * self.stride < self.side]
            for count, k in zip(self.shape, pixel, strict=True)
        )
        return list(itertools.product(rows, columns))

    def picture(self) -> svg.Picture:
        H, W = self.x.shape
        forth = svg.beside(
            self.grid_of_x(self.x, "x").titled(f"x, {H}×{W}"),
            self.way("→", self.operation()),
            self.grid_of_y(self.y, "y").titled(f"y, {self.shape[0]}×{self.shape[1]}"),
            gap=22,
        )
        back = svg.beside(
            self.grid_of_x(self.dx, "dx").titled(f"dx{self.so_far(', so far')}"),
            self.way("←", "the gradient"),
            self.grid_of_y(self.dy, "dy").titled("dy"),
            gap=22,
        )
        rows = (self.header(), forth, back, self.words())
        drawing = svg.above(*rows, gap=14)
        body = drawing.body + self.flights()
        # As wide for every cell, so that the picture does not jump.
        return svg.Drawing(body, max(WIDTH, forth.width, back.width), drawing.height).picture(
            self.alt()
        )

    def operation(self) -> str:
        return POOLS[self.pool]

    def header(self) -> svg.Drawing:
        legend = [
            (svg.ORANGE, "on the gradient's way: the stronger, the larger its share"),
            (svg.SKY, "in the window, but not on that way"),
            (UNREACHED, "in no window"),
        ]
        keys = [
            svg.beside(_swatch(colour), svg.label(words, size=12, fill=svg.QUIET), gap=6)
            for colour, words in legend
        ]
        return svg.above(
            svg.label(self.title(), size=17, weight="bold"), svg.beside(*keys, gap=20), gap=6
        )

    def title(self) -> str:
        name = "Max-pooling" if self.pool == "max" else "Average pooling"
        return f"{name}, windows of {self.side}×{self.side}, stride {self.stride}"

    def way(self, sign: str, words: str) -> svg.Drawing:
        width, middle = 92, 24 + len(self.x) * 13
        ends = (4, width - 4) if sign == "→" else (width - 4, 4)
        body = svg.arrow(ends[0], middle, ends[1], middle, stroke_width=4)
        body += svg.text(width / 2, middle - 16, words, size=12, anchor="middle", fill=svg.QUIET)
        return svg.Drawing(body, width, 2 * middle)

    def grid_of_x(self, values, name: str) -> svg.Drawing:
        H, W = self.x.shape
        fills = np.full((H, W), UNREACHED, object)
        for output in np.ndindex(self.shape):
            fills[self.window(output)] = svg.CARD
        for output in self.outputs():
            window = self.window(output)
            fills[window] = np.where(
                fills[window] == svg.CARD, svg.tint(svg.SKY, 0.45), fills[window]
            )
        for pixel, strength in self.lit_pixels():
            fills[pixel] = svg.tint(svg.ORANGE, strength)
        grid = _grid(values, fills, self.pixel(), lambda h, w: f"cell={h * W + w}", name)
        if self.output() is None:
            return grid
        corner = (part.start for part in self.window(self.output()))
        return grid.framed(f"window on {name}", corner, (self.side, self.side))

    def flights(self) -> str:
        """Let the window's numbers go forth to y, then the gradient go back to dx."""
        return svg.fly(
            flight
            for i, j in self.outputs()
            for h, w in self.routes((i, j))
            for flight in (
                svg.Flight(f"x-{h}-{w}", f"y-{i}-{j}"),
                svg.Flight(f"dy-{i}-{j}", f"dx-{h}-{w}", beat=1, onto=True),
            )
        )

    def routes(self, output: Place) -> list[Place]:
        """Return the pixels that an output sends its gradient to."""
        return [tuple(map(int, pixel)) for pixel in np.argwhere(self.shares[output])]

    def grid_of_y(self, values, name: str) -> svg.Drawing:
        fills = np.full(self.shape, svg.CARD, object)
        for output in self.outputs():
            fills[output] = self.fill_of(output)
        first = self.x.size
        number = np.arange(values.size).reshape(self.shape)
        return _grid(
            values,
            fills,
            self.output(),
            lambda i, j: f"cell={first + number[i, j]}",
            name,
            later=(name == "y") & (number >= self.back()),
        )

    def words(self) -> svg.Drawing:
        sums = [svg.label(line.replace(" ", "\u00a0"), mono=True) for line in self.sums()]
        sums += [svg.label("")] * (2 - len(sums))  # so nothing jumps
        if self.fault:
            total = svg.label(f"✗ {self.total()}", size=14, weight="bold", fill=svg.WRONG)
        else:
            total = svg.label(self.total(), size=14)
        told = svg.label(self.told(), size=14, weight="bold")
        return svg.above(told, svg.then(svg.above(*sums, total, gap=5)), gap=5)

    @property
    def fault(self) -> bool:
        """A right pool hands on all that it gets, and no more."""
        return not np.isclose(self.dx.sum(), self.sent.sum())

    def total(self) -> str:
        sent = f"but dx to {_number(self.dx.sum())}" if self.fault else "and so does dx"
        return f"dy{self.so_far(' so far')} adds up to {_number(self.sent.sum())}, {sent}."

    def alt(self) -> str:
        sums = "; ".join(line.strip() for line in self.sums())
        sizes = f"x is {self.x.shape[0]}×{self.x.shape[1]}, y is {self.shape[0]}×{self.shape[1]}"
        return f"{self.title()}: {sizes}. {self.told()}. {sums}. {self.total()}"

    def largest(self, output: Place) -> np.ndarray:
        """Which pixels of a window are its maximum."""
        window = self.x[self.window(output)]
        return window == window.max()


class _Output(_Scene):
    """An output is in focus: its window, and who gets its gradient."""

    def output(self) -> Place:
        return divmod(self.cell - self.x.size, self.shape[1])

    def pixel(self) -> None:
        return None

    def outputs(self) -> list[Place]:
        return [self.output()]

    def lit_pixels(self):
        share = self.shares[self.output()] / self.dy[self.output()]
        return [(tuple(p), _strength(share[tuple(p)])) for p in np.argwhere(share)]

    def fill_of(self, output: Place) -> str:
        return svg.tint(svg.SKY, 0.45)

    def told(self) -> str:
        i, j = self.output()
        to = "and" if self.side == 2 else "to"
        rows, columns = (f"{part.start} {to} {part.stop - 1}" for part in self.window((i, j)))
        told = f"y[{i}, {j}] looks at rows {rows} and columns {columns} of x"
        tied = self.largest((i, j)).sum()
        return told + (f"; {tied} pixels tie" if self.pool == "max" and tied > 1 else "")

    def sums(self) -> list[str]:
        i, j = self.output()
        values = [_number(value) for value in self.x[self.window((i, j))].flat]
        if self.pool == "max":
            forth = f"y[{i}, {j}] = max({', '.join(values)}) = {_number(self.y[i, j])}"
        else:
            terms = " + ".join(values).replace("+ −", "− ")
            forth = f"y[{i}, {j}] = ({terms}) / {self.side**2} = {_number(self.y[i, j])}"
        shares = self.shares[i, j]
        places = [tuple(map(int, p)) for p in np.argwhere(shares)]
        amounts = {_number(shares[p]) for p in places}
        dy = f"dy[{i}, {j}] = {self.dy[i, j]}"
        if len(places) > 1 and len(amounts) == 1:
            return [forth, f"{dy}: {amounts.pop()} to each of {len(places)} pixels"]
        to = ", ".join(f"{_number(shares[p])} to x{list(p)}" for p in places)
        return [forth, f"{dy}: {to or 'nothing to any pixel'}"]


class _Pixel(_Scene):
    """A pixel is in focus: the windows that it is in, and what each of them sends it."""

    def output(self) -> None:
        return None

    def back(self) -> int:
        return self.dy.size

    def pixel(self) -> Place:
        return divmod(self.cell, self.x.shape[1])

    def outputs(self) -> list[Place]:
        return self.windows_of(self.pixel())

    def share(self, output: Place) -> float:
        return float(self.shares[output][self.pixel()])

    def lit_pixels(self):
        sent = sum(bool(self.share(output)) for output in self.outputs())
        return [(self.pixel(), 1.0)] if sent else []

    def fill_of(self, output: Place) -> str:
        share = self.share(output) / self.dy[output]
        return svg.tint(svg.ORANGE, _strength(share)) if share else svg.tint(svg.SKY, 0.45)

    def told(self) -> str:
        h, w = self.pixel()
        outputs = self.outputs()
        pixel = f"x[{h}, {w}] = {_number(self.x[h, w])}"
        if not outputs:
            return f"{pixel} is in no window"
        inside = f"{pixel} is in {len(outputs)} window{'s' * (len(outputs) > 1)}"
        if self.pool == "average":
            return inside
        won = [o for o in outputs if self.x[self.window(o)].max() == self.x[h, w]]
        tied = sum(self.largest(o).sum() > 1 for o in won)
        ties = f", though not alone in {tied}" if tied else ""
        return f"{inside} and the maximum of {len(won) or 'none'}{ties}"

    def sums(self) -> list[str]:
        h, w = self.pixel()
        outputs = [output for output in self.outputs() if self.share(output)]
        dx = f"dx[{h}, {w}] = "
        if not outputs:
            return [f"{dx}{_number(self.dx[h, w])}"]
        terms = " + ".join(_number(self.share(o)) for o in outputs)
        total = f" = {_number(self.dx[h, w])}" if len(outputs) > 1 else ""
        senders = ", ".join(f"y{list(o)}" for o in outputs)
        return [f"{dx}{terms}{total}", f"{' ' * len(dx)}from {senders}"]


def _grid(values, fills, focus: Place | None, pick, name: str, later=None) -> svg.Grid:
    values = np.asarray(values)
    here = np.zeros(values.shape, bool)
    if focus is not None:
        here[focus] = True
    return svg.cells(
        np.vectorize(_number, otypes=[object])(values),
        fill=fills,
        focus=here,
        rows=[str(k) for k in range(values.shape[0])],
        columns=[str(k) for k in range(values.shape[1])],
        min_width=49,
        pick=pick,
        at=name,
        later=later,
    )


def _strength(share: float) -> float:
    """How strong a colour stands for a share of the gradient: faint for a ninth, full for all."""
    return min(1.0, 0.3 + 0.7 * abs(share))


def _swatch(colour: str) -> svg.Drawing:
    fill = (
        colour if colour == UNREACHED else svg.tint(colour, 0.9 if colour == svg.ORANGE else 0.45)
    )
    return svg.Drawing(svg.rect(0.5, 2.5, 13, 13, fill=fill, stroke=svg.EDGE), 14, 17)


def _number(value) -> str:
    """A number with at most two decimals, if that leaves something of it."""
    value = float(value)
    rounded = round(value, 2) + 0
    return (f"{rounded:g}" if rounded or not value else f"{value:.1g}").replace("-", "−")


def _expect(layer, method: str, got, shape: tuple[int, ...]) -> None:
    if np.shape(got) != shape:
        raise ValueError(
            f"{type(layer).__name__}.{method} returned shape {np.shape(got)} where the picture "
            f"needs {shape}; ask the check of {method} first"
        )


def _nothing_yet(name: str) -> svg.Picture:
    words = f"○ {name} is not written yet. When it is, its routes will be drawn here."
    return svg.label(words, size=14).picture(words)
