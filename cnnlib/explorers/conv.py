"""A convolution, number by number: a window's sum forward; backward, who is told by whom."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from cnnlib import svg
from cnnlib.explorers import own
from cnnlib.explorers.widget import Choice, Explorer, Slider
from cnnlib.layers import Conv2D

# ---------------------------------------------------------------------------- the numbers

# A slanting edge: dark on the left, bright on the right, brightest in one corner.
SLOPE = np.array(
    [
        [0, 0, 0, 5, 5, 5],
        [0, 0, 0, 5, 5, 5],
        [0, 0, 5, 5, 5, 5],
        [0, 0, 5, 5, 5, 5],
        [0, 5, 5, 5, 5, 5],
        [0, 5, 5, 5, 9, 9],
    ]
)
KERNELS = {
    "vertical": np.array([[-1, 0, 1]] * 3),
    "horizontal": np.array([[-1, 0, 1]] * 3).T,
    "sum": np.ones((3, 3), int),
    "corner": np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0]]),
}
NAMES = {
    "vertical": "for vertical edges",
    "horizontal": "for horizontal edges",
    "sum": "that adds up all nine",
    "corner": "that picks the upper left corner",
}

# For backward: a picture that is not square, a kernel whose weights tell their place, and a dy.
PIXELS = np.array(
    [
        [3, 1, 4, 1, 5, 9],
        [2, 6, 5, 3, 5, 8],
        [9, 7, 9, 3, 2, 3],
        [8, 4, 6, 2, 6, 4],
        [3, 3, 8, 3, 2, 7],
    ]
)
WEIGHTS = np.arange(1, 10).reshape(3, 3)
UPSTREAM = np.array(
    [
        [1, 2, -1, 3, 1, 2],
        [2, -2, 1, 1, -3, 1],
        [3, 1, 2, -1, 2, -2],
        [-1, 2, 1, 3, -2, 1],
        [1, -3, 2, 1, 2, 3],
    ]
)

SIDE, ROW = 30, 26  # a cell of a grid, in pixels, where its number is short
WIDTH = 790
STRIDES = (1, 2, 3)
PADDING = "#D1D9E0"
Place = tuple[int, int]


def _sizes(x: np.ndarray, W: np.ndarray, stride: int, padding: int) -> Place:
    """Return (OH, OW)."""
    OH, OW = (
        (size + 2 * padding - k) // stride + 1 for size, k in zip(x.shape, W.shape, strict=True)
    )
    return OH, OW


def _check(name: str, x, W, position: int, last, stride: int, padding: int, most: int) -> None:
    if stride not in STRIDES or padding not in range(most + 1):
        raise ValueError(
            f"{name}: stride is {stride} and padding {padding}; give a stride from 1 to 3 and a "
            f"padding from 0 to {most}"
        )
    if min(_sizes(x, W, stride, padding)) < 1:
        raise ValueError(
            f"{name}: no window fits: W is {_by(W)}, and x is {_by(x)} with padding {padding}"
        )
    last = last(x, W, {"stride": stride, "padding": padding})
    if not 0 <= position <= last:
        raise ValueError(
            f"{name}: position is {position}; with stride {stride} and padding {padding} "
            f"there are 0 to {last}"
        )


def _settings(x: np.ndarray, W: np.ndarray, most: int, travels=(None, None)) -> dict[str, Choice]:
    """Return the controls of the stride, and of those paddings with which a window fits.

    The second pair says which of them travel with a page; None stands for all.
    """
    stride, padding = (None if n is None else [str(n)] for n in travels)
    paddings = [n for n in range(most + 1) if min(_sizes(x, W, 1, n)) >= 1]
    return {
        "stride": Choice("Stride", {str(n): n for n in STRIDES}, sample=stride),
        "padding": Choice("Padding", {str(n): n for n in paddings}, sample=padding),
    }


def _by(array: np.ndarray) -> str:
    return "×".join(map(str, array.shape))


# ---------------------------------------------------------------------------- forward


def draw_forward(
    position: int = 0,
    kernel: str = "vertical",
    stride: int = 1,
    padding: int = 0,
    *,
    x=None,
    W=None,
) -> svg.Picture:
    """Draw a picture with one window in it, the kernel, their products, and the map they give.

    Parameters
    ----------
    position : int
        Which output, counted row by row.
    kernel : {"vertical", "horizontal", "sum", "corner"}
        What the 3×3 kernel looks for.
    stride : int
        1, 2 or 3.
    padding : int
        0, 1 or 2.
    x, W : array_like of numbers, (H, W) and (KH, KW), optional
        Your own picture and kernel, of at most 8 rows and columns; more axes may stand before,
        of length 1. A kernel of yours takes the place of `kernel`.

    Raises
    ------
    TypeError
        If x or W doesn't hold numbers.
    ValueError
        If there is no such output or kernel, stride or padding is another number, or x or W can't
        be shown.

    Examples
    --------
    >>> draw_forward(1)  # doctest: +ELLIPSIS
    Convolution forward...y[0, 1]...rows 0 to 2 and columns 1 to 3...15...
    >>> draw_forward(x=[[1, 2, 3], [4, 5, 6]], W=[[0.5, 0.5]])  # doctest: +ELLIPSIS
    Convolution forward...y[0, 0]...: 1·0.5 + 2·0.5 = 1.5. ...
    """
    if kernel not in KERNELS:
        raise ValueError(f"conv_forward: kernels are {', '.join(KERNELS)}; got {kernel!r}")
    which = f"a kernel {NAMES[kernel]}" if W is None else "your kernel"
    x, W = _picture_and_kernel("conv_forward", x, W, SLOPE, KERNELS[kernel])
    _check("conv_forward", x, W, position, _last_output, stride, padding, most=2)
    return _Forward(position, x, W, which, stride, padding).picture()


def conv_forward(
    position: int = 0,
    kernel: str = "vertical",
    stride: int = 1,
    padding: int = 0,
    *,
    x=None,
    W=None,
) -> Explorer:
    """Return the moving window as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = conv_forward(5, kernel="sum", stride=2, padding=1)
    >>> mine = conv_forward(x=np.eye(4), W=[[1, 0], [0, -1]])
    """
    yours = x is not None or W is not None
    kernels = {} if W is not None else {NAMES[name]: name for name in KERNELS}
    x, W = _picture_and_kernel("conv_forward", x, W, SLOPE, KERNELS["vertical"])
    controls = {
        "kernel": Choice("A kernel", kernels, sample=[NAMES.get(kernel)] if yours else None),
        **_settings(x, W, 2, (stride, padding) if yours else (None, None)),
        "position": Slider(
            "Window", partial(_last_output, x, W), words=partial(_window, x, W), walk=0
        ),
    }
    values = {"kernel": kernel, "stride": stride, "padding": padding, "position": position}
    if not kernels:
        del controls["kernel"], values["kernel"]
    given = {"x": x} if kernels else {"x": x, "W": W}
    return Explorer(partial(draw_forward, **given) if yours else draw_forward, controls, **values)


conv_forward.draw = draw_forward


def _picture_and_kernel(name: str, x, W, course_x, course_W) -> tuple[np.ndarray, np.ndarray]:
    """Return the reader's arrays, where there are some, and the course's otherwise."""
    return (
        course_x if x is None else own.matrix(name, "x", x),
        course_W if W is None else own.matrix(name, "W", W, "one kernel over one channel"),
    )


def _last_output(x, W, values: dict) -> int:
    OH, OW = _sizes(x, W, values["stride"], values["padding"])
    return OH * OW - 1


def _window(x, W, values: dict) -> str:
    _, OW = _sizes(x, W, values["stride"], values["padding"])
    return f"y{_index(divmod(values['position'], OW))}"


class _Forward:
    """One picture of the forward pass: what it tells, then how it is drawn."""

    def __init__(
        self, position: int, x: np.ndarray, W: np.ndarray, which: str, stride: int, padding: int
    ):
        self.x, self.W, self.which, self.stride, self.padding = x, W, which, stride, padding
        self.padded = np.pad(x, padding)
        layer = Conv2D(1, 1, W.shape, stride=stride, padding=padding)
        layer.W = W[None, None].astype(float)
        self.map = own.whole(layer.forward(x[None, None].astype(float))[0, 0])
        self.i, self.j = divmod(position, self.map.shape[1])
        self.top, self.left = self.i * stride, self.j * stride
        KH, KW = W.shape
        self.window = self.padded[self.top : self.top + KH, self.left : self.left + KW]
        # As wide for every window, so that the picture does not jump.
        products = np.multiply.outer(np.unique(self.padded), np.unique(W))
        self.side = max(map(_side, (self.padded, W, self.map, products)))

    def picture(self) -> svg.Picture:
        grids = svg.beside(self.grid_of_x(), self.middle(), self.grid_of_y(), gap=36)
        grids = svg.Drawing(grids.body + self.flights(), grids.width, grids.height)
        return svg.above(
            self.header(),
            _sized(grids, max(WIDTH, grids.width)),
            self.sum(),
            self.verdict(),
            gap=14,
        ).picture(self.alt())

    def begins(self) -> str:
        s = self.stride
        return (
            f"y[{self.i}, {self.j}]: the window begins at row {self.i}·{s} = {self.top} "
            f"and column {self.j}·{s} = {self.left}."
        )

    def terms(self) -> list[str]:
        """Return the sum in one line, if it fits for every window; else a row of the kernel in each."""
        pairs = zip(self.window.flat, self.W.flat, strict=True)
        terms = [f"{svg.bracketed(x)}·{svg.bracketed(w)}" for x, w in pairs]
        longest = len("· + ") + sum(
            max(len(svg.bracketed(v)) for v in np.unique(a)) for a in (self.padded, self.W)
        )
        fit = max(1, 100 // longest)
        count = len(terms) if len(terms) <= fit else min(fit, self.W.shape[1])
        lines = [" + ".join(terms[i : i + count]) for i in range(0, len(terms), count)]
        return [f"{line} +" for line in lines[:-1]] + lines[-1:]

    def total(self) -> str:
        return svg.short(self.map[self.i, self.j])

    def rest(self) -> str:
        """Say how the size of the map comes about, and what is left over."""
        if len({*zip(self.x.shape, self.W.shape, self.map.shape, strict=True)}) > 1:
            return " ".join(
                f"{name}: {self.rest_of(axis)}" for axis, name in enumerate(("Rows", "Columns"))
            )
        return f"Each axis: {self.rest_of(0)}"

    def rest_of(self, axis: int) -> str:
        n, k, out = self.x.shape[axis], self.W.shape[axis], self.map.shape[axis]
        p, s = self.padding, self.stride
        size = f"({n} + 2·{p} − {k}) // {s} + 1 = {out} window{'s' * (out > 1)}"
        rest = (n + 2 * p - k) % s
        if len(set(self.x.shape)) > 1 or len(set(self.W.shape)) > 1:
            return f"{size}, {rest or 'none'} left over."
        if not rest:
            return f"{size}, and none of the picture is left over."
        which = "last row and column are" if rest == 1 else f"last {rest} rows and columns are"
        return f"{size}; the {which} in no window."

    def alt(self) -> str:
        KH, KW = self.W.shape
        rows, columns = _span(self.top, KH, "row"), _span(self.left, KW, "column")
        return (
            f"Convolution forward with {self.which}, stride {self.stride}, padding {self.padding}. "
            f"y[{self.i}, {self.j}] is made from {rows} and {columns} of the "
            f"{'padded ' * bool(self.padding)}picture: {' '.join(self.terms())} = {self.total()}. "
            f"{self.rest()}"
        )

    def header(self) -> svg.Drawing:
        return svg.above(
            svg.label(self.begins(), size=16, weight="bold"),
            svg.label(
                "Each number of the window meets the weight at the same place; the products are added up.",
                fill=svg.QUIET,
            ),
            gap=4,
        )

    def grid_of_x(self) -> svg.Drawing:
        KH, KW = self.W.shape
        rows, columns = (
            (n - 1) * self.stride + k for n, k in zip(self.map.shape, self.W.shape, strict=True)
        )
        fills = np.full(self.padded.shape, svg.CARD, object)
        fills[rows:], fills[:, columns:] = svg.tint(svg.ORANGE, 0.35), svg.tint(svg.ORANGE, 0.35)
        inside = np.pad(np.ones(self.x.shape, bool), self.padding)
        fills[~inside & (fills == svg.CARD)] = PADDING
        window = np.zeros(self.padded.shape, bool)
        window[self.top : self.top + KH, self.left : self.left + KW] = True
        fills[window] = svg.tint(svg.SKY, 0.6)
        padding = f", padding {self.padding}" if self.padding else ""
        grid = _grid(self.padded, side=self.side, first=0, fill=fills, at="x")
        framed = grid.framed("window", (self.top, self.left), self.W.shape)
        return framed.titled(f"x, {_by(self.x)}{padding}")

    def middle(self) -> svg.Drawing:
        fills = svg.tint(svg.GREEN, 0.35), svg.tint(svg.YELLOW, 0.6)
        kernel = _grid(self.W, side=self.side, fill=fills[0], at="W")
        products = _grid(self.window * self.W, side=self.side, fill=fills[1], at="xW")
        return svg.above(kernel.titled("W, the kernel"), products.titled("x · W, products"), gap=22)

    def grid_of_y(self) -> svg.Drawing:
        here = np.zeros(self.map.shape, bool)
        here[self.i, self.j] = True
        fills = np.where(here, svg.tint(svg.YELLOW, 1), svg.CARD)
        number = np.arange(self.map.size).reshape(self.map.shape)
        grid = _grid(
            self.map,
            side=self.side,
            first=0,
            fill=fills,
            focus=here,
            later=number > number[here],
            pick=lambda i, j: f"position={number[i, j]}",
            at="y",
        )
        return grid.titled(f"y, {_by(self.map)}: point at a cell")

    def flights(self) -> str:
        """Let the window's numbers and the weights meet, then the products fly into the sum."""
        return svg.fly(
            flight
            for i, j in np.ndindex(self.W.shape)
            for flight in (
                svg.Flight(f"x-{self.top + i}-{self.left + j}", f"xW-{i}-{j}"),
                svg.Flight(f"W-{i}-{j}", f"xW-{i}-{j}"),
                svg.Flight(f"xW-{i}-{j}", f"y-{self.i}-{self.j}", beat=1),
            )
        )

    def sum(self) -> svg.Drawing:
        *lines, last = self.terms()
        lines = [*lines, f"{last} = {self.total()}"]
        return svg.then(svg.above(*(svg.label(line, mono=True) for line in lines), gap=2))

    def verdict(self) -> svg.Drawing:
        return svg.label(self.rest(), size=14)


# ---------------------------------------------------------------------------- backward


def draw_backward(
    position: int = 14, stride: int = 1, padding: int = 0, *, x=None, W=None, dy=None
) -> svg.Picture:
    """Draw one pixel, weight or bias with every output that it fed, and what each tells it.

    Or one output with every pixel that it sends a share back to, and what has piled up there.

    Parameters
    ----------
    position : int
        Whom to ask: first the pixels row by row (0 to 29), then the weights (30 to 38), then the
        bias (39), and from then on the outputs row by row.
    stride : int
        1, 2 or 3.
    padding : int
        0 or 1; with arrays of yours also 2.
    x, W, dy : array_like of numbers, (H, W), (KH, KW) and (OH, OW), optional
        Your own picture, kernel and gradient, of at most 8 rows and columns (dy: any that fit);
        more axes may stand before, of length 1.

    Raises
    ------
    TypeError
        If x, W or dy doesn't hold numbers.
    ValueError
        If there is no such position, stride or padding is another number, x, W or dy can't be
        shown, or dy has another shape than y.

    Examples
    --------
    >>> draw_backward(7)  # doctest: +ELLIPSIS
    Convolution backward...dx[1, 1]...4 outputs read this pixel...dy[0, 0]·W[1, 1] = 1·5 = 5...
    >>> draw_backward(0, x=[[1, 2, 3]], W=[[0.5, 2]], dy=[[4, 6]])  # doctest: +ELLIPSIS
    Convolution backward...dx[0, 0] = 2. One output read...dy[0, 0]·W[0, 0] = 4·0.5 = 2. ...
    """
    most = 1 if x is W is dy is None else 2
    x, W = _picture_and_kernel("conv_backward", x, W, PIXELS, WEIGHTS)
    _check("conv_backward", x, W, position, _last_asked, stride, padding, most)
    dy = _gradient(x, W, dy, stride, padding)
    bias = x.size + W.size
    kinds = {x.size: _Pixel, bias: _Weight, bias + 1: _Bias}
    kind = next((kind for end, kind in kinds.items() if position < end), _Output)
    return kind(position, x, W, dy, stride, padding).picture()


def conv_backward(
    position: int | None = None,
    stride: int = 1,
    padding: int = 0,
    *,
    x=None,
    W=None,
    dy=None,
) -> Explorer:
    """Return the way back as a widget; the arguments, as in `draw`, are where it starts.

    By default it starts at a pixel in the middle. A dy of yours fits one stride and one padding.

    Examples
    --------
    >>> explorer = conv_backward(14, stride=2, padding=1)
    >>> mine = conv_backward(x=np.eye(4), W=[[1, 0], [0, -1]])
    """
    given = {name: np.array(a) for name, a in {"x": x, "W": W, "dy": dy}.items() if a is not None}
    most = 2 if given else 1
    x, W = _picture_and_kernel("conv_backward", x, W, PIXELS, WEIGHTS)
    _check("conv_backward", x, W, 0, _last_asked, stride, padding, most)
    if position is None:
        row, column = ((n - 1) // 2 for n in x.shape)
        position = row * x.shape[1] + column
    settings = _settings(x, W, most, (stride, padding) if given else (None, None))
    chosen = {"stride": stride, "padding": padding}
    fixed = {}
    if dy is not None:
        settings, chosen, fixed = {}, {}, chosen

    def with_all(what):
        return lambda values: what(x, W, fixed | values)

    slider = Slider("Ask", with_all(_last_asked), words=with_all(_asked), walk=x.size + W.size + 1)
    return Explorer(
        partial(draw_backward, **given, **fixed) if given else draw_backward,
        {**settings, "position": slider},
        position=position,
        **chosen,
    )


conv_backward.draw = draw_backward


def _gradient(x, W, dy, stride: int, padding: int) -> np.ndarray:
    """Return the reader's dy, or as much of the course's as y has places."""
    shape = _sizes(x, W, stride, padding)
    if dy is None:
        turns = [-(-n // m) for n, m in zip(shape, UPSTREAM.shape, strict=True)]
        return np.tile(UPSTREAM, turns)[: shape[0], : shape[1]]
    dy = own.matrix("conv_backward", "dy", dy, most=(99, 99))  # its shape decides
    if dy.shape != shape:
        raise ValueError(
            f"conv_backward: dy is {_by(dy)}, but with stride {stride} and padding {padding} "
            f"y is {shape[0]}×{shape[1]}, and dy must have its shape"
        )
    return dy


def _last_asked(x, W, values: dict) -> int:
    OH, OW = _sizes(x, W, values["stride"], values["padding"])
    return x.size + W.size + OH * OW


def _asked(x, W, values: dict) -> str:
    """Return the name of the number that is asked."""
    position, bias = values["position"], x.size + W.size
    if position == bias:
        return "db"
    if position > bias:
        _, OW = _sizes(x, W, values["stride"], values["padding"])
        return f"dy{_index(divmod(position - bias - 1, OW))}"
    if position >= x.size:
        return f"dW{_index(divmod(position - x.size, W.shape[1]))}"
    return f"dx{_index(divmod(position, x.shape[1]))}"


class _Backward:
    """One picture of the backward pass; the subclass says which number is asked."""

    def __init__(self, position: int, x, W, dy, stride: int, padding: int):
        self.position, self.stride, self.padding = position, stride, padding
        self.x, self.W, self.dy = x, W, dy
        self.bias = x.size + W.size  # its position; the outputs come behind it
        layer = Conv2D(1, 1, W.shape, stride=stride, padding=padding)
        layer.W = W[None, None].astype(float)
        layer.forward(x[None, None].astype(float))
        self.dx = own.whole(layer.backward(dy[None, None].astype(float))[0, 0])
        self.dW, self.db = own.whole(layer.dW[0, 0]), own.whole(layer.db)
        # As wide for everybody who is asked, so that the picture does not jump.
        products = np.multiply.outer(np.unique(dy), np.unique(W))
        self.side = max(map(_side, (x, W, dy, self.dx, self.dW, products)))
        # For each output that was fed: its place, and the place of the factor that it was fed with.
        self.fed: list[tuple[Place, Place | None]] = list(self.find())

    def windows(self):
        """Every output, and every place in its window with the place in x that it covers."""
        for i, j in np.ndindex(self.dy.shape):
            top, left = i * self.stride - self.padding, j * self.stride - self.padding
            for down, right in np.ndindex(self.W.shape):
                yield (i, j), (down, right), (top + down, left + right)

    def within(self, pixel: Place) -> bool:
        return all(0 <= k < n for k, n in zip(pixel, self.x.shape, strict=True))

    def inside(self) -> tuple[slice, slice]:
        """Where x lies in the padded picture."""
        rows, columns = (slice(self.padding, self.padding + n) for n in self.x.shape)
        return rows, columns

    def picture(self) -> svg.Picture:
        grids = svg.beside(
            self.grid_of_x(),
            svg.above(self.grid_of_W(), self.cell_of_b(), gap=18),
            self.grid_of_dy(),
            gap=44,
        )
        grids = svg.Drawing(grids.body + self.flights(), grids.width, grids.height)
        return svg.above(
            self.header(),
            _sized(grids, max(WIDTH, grids.width)),
            self.table(),
            self.verdict(),
            gap=14,
        ).picture(self.alt())

    def alt(self) -> str:
        setting = f"Convolution backward, stride {self.stride}, padding {self.padding}."
        alt = f"{setting} {self.name()} = {self.total()}. {self.told()}"
        if 0 < len(self.fed) <= self.W.size:
            alt = f"{alt} {'; '.join(self.shares())}."
        return f"{alt} {self.lesson()}"

    def header(self) -> svg.Drawing:
        return svg.above(
            svg.label(self.name(), size=17, weight="bold", then=f" = {self.total()}"),
            svg.label(self.told(), size=14),
            gap=4,
        )

    def shares(self) -> list[str]:
        """Each output's contribution."""
        found = []
        for place, factor in self.fed:
            name, value = self.factor(factor)
            dy = self.dy[place]
            words = f"{svg.short(dy)}·{svg.bracketed(value)} = {svg.short(dy * value)}"
            found.append(f"dy{_index(place)}·{name} = {words}")
        return found

    def table(self) -> svg.Drawing:
        """Draw the contributions in columns, in a box that is always as high."""
        shares = self.shares()
        lines, height = 10, 17
        column = max(262, *(svg.text_width(words, mono=True) + 16 for words in shares or [""]))
        room = lines * int(WIDTH // column)
        if len(shares) > room:
            shares[room - 1 :] = [f"… and {len(shares) - room + 1} more"]
        body = svg.panel(0, 0, WIDTH, lines * height + 16)
        for n, words in enumerate(shares):
            x, y = 14 + n // lines * column, 16 + n % lines * height
            body += svg.text(x, y, words.replace(" ", "\u00a0"), mono=True)
        return svg.then(svg.Drawing(body, WIDTH, lines * height + 16))

    def verdict(self) -> svg.Drawing:
        return svg.label(self.lesson(), size=14)

    def grid_of_dy(self) -> svg.Drawing:
        fills = np.full(self.dy.shape, svg.CARD, object)
        for place, _ in self.fed:
            fills[place] = svg.tint(svg.ORANGE, 0.6)
        grid = self.asked_in(self.dy, fills, "dy", self.bias + 1, first=0)
        return grid.titled("dy, from the next layer")

    def asked_in(self, values, fills, at: str, position: int, **look) -> svg.Drawing:
        """Draw a grid whose cells can be asked; `position` is that of the first."""
        positions = position + np.arange(values.size).reshape(values.shape)
        return _grid(
            values,
            side=self.side,
            fill=fills,
            focus=positions == self.position,
            pick=lambda i, j: f"position={positions[i, j]}",
            at=at,
            **look,
        )

    def grid_of_x(self) -> svg.Drawing:
        values, lit, title = self.left()
        size = np.pad(self.x, self.padding).shape
        shown = np.full(size, "", object)
        fills = np.full(size, PADDING, object)
        inside = self.inside()
        shown[inside] = values
        fills[inside] = svg.CARD
        for row, column in lit:
            place = row + self.padding, column + self.padding
            fills[place] = svg.tint(svg.SKY, 0.6)
            if not self.within((row, column)):
                shown[place] = self.in_padding
        focus = np.zeros(size, bool)
        pick = np.full(size, "", object)
        H, W = self.x.shape
        pick[inside] = [[f"position={r * W + c}" for c in range(W)] for r in range(H)]
        if self.position < self.x.size:
            row, column = divmod(self.position, W)
            focus[row + self.padding, column + self.padding] = True
        title += " (grey: padding)" if self.padding else ""
        look = {"fill": fills, "focus": focus, "pick": lambda i, j: pick[i, j], "at": "dx"}
        grid = _grid(shown, side=self.side, first=-self.padding, **look)
        return self.framed(grid).titled(title)

    def grid_of_W(self) -> svg.Drawing:
        values, lit, title = self.centre()
        fills = np.full(self.W.shape, svg.CARD, object)
        for place in lit:
            fills[place] = svg.tint(svg.GREEN, 0.5)
        return self.asked_in(values, fills, "W", self.x.size, first=0).titled(title)

    def cell_of_b(self) -> svg.Drawing:
        asked, width = self.position == self.bias, 3 * self.side
        body = svg.cell(
            18,
            0,
            width,
            ROW,
            f"db = {svg.short(self.db[0])}" if asked else "b",
            fill=svg.CARD,
            focus=asked,
            pick=f"position={self.bias}",
        )
        return svg.Drawing(body, 18 + width, ROW)

    # What a subclass tells: its name, whom it fed and how, and what its grids show.

    in_padding = "0"

    def framed(self, grid: svg.Grid) -> svg.Drawing:
        """The grid of x, with an outline on it where a window is meant."""
        return grid

    def flights(self) -> str:
        """What flies while the explorer plays."""
        return svg.fly([])

    def left(self):
        """The numbers in the place of x, the lit places, the title."""
        return self.x, [], "x"

    def centre(self):
        """The numbers in the place of W, the lit places, the title."""
        return self.W, [], "W"


class _Pixel(_Backward):
    """Ask a pixel."""

    def find(self):
        self.place = divmod(self.position, self.x.shape[1])
        for output, weight, pixel in self.windows():
            if pixel == self.place:
                yield output, weight

    def name(self):
        return f"dx{_index(self.place)}"

    def total(self):
        return svg.short(self.dx[self.place])

    def factor(self, weight):
        return f"W{_index(weight)}", self.W[weight]

    def told(self):
        return {
            0: "No output read this pixel: whatever it is, the loss stays the same.",
            1: "One output read this pixel, and tells it:",
        }.get(
            len(self.fed), f"{len(self.fed)} outputs read this pixel, and each tells it its share:"
        )

    def lesson(self):
        if len(self.fed) > 1:
            return "From the first output to the last, the weights come from the last to the first."
        return "A pixel hears from as many outputs as there were windows over it."

    def left(self):
        return self.dx, [self.place], "dx: point at a pixel"

    def centre(self):
        return self.W, [weight for _, weight in self.fed], "W: or at a weight"

    def flights(self) -> str:
        """Let each output's gradient meet its weight, then fly into the pixel's sum."""
        row, column = np.add(self.place, self.padding)
        return svg.fly(
            flight
            for (i, j), (m, n) in self.fed
            for flight in (
                svg.Flight(f"dy-{i}-{j}", f"W-{m}-{n}"),
                svg.Flight(f"W-{m}-{n}", f"dx-{row}-{column}", beat=1),
            )
        )


class _Weight(_Backward):
    """Ask a weight."""

    def find(self):
        self.place = divmod(self.position - self.x.size, self.W.shape[1])
        for output, weight, pixel in self.windows():
            if weight == self.place:
                yield output, pixel

    def name(self):
        return f"dW{_index(self.place)}"

    def total(self):
        return svg.short(self.dW[self.place])

    def factor(self, pixel):
        if not self.within(pixel):
            return "padding", 0
        return f"x{_index(pixel)}", self.x[pixel]

    def told(self):
        return f"Every output used this weight, each with another pixel: {len(self.fed)} shares."

    def lesson(self):
        return "The pixels that it met have the shape of dy. Multiply the two, add it all up: dW."

    def left(self):
        return self.x, [pixel for _, pixel in self.fed], "x: point at a pixel"

    def centre(self):
        return self.dW, [self.place], "dW: or at a weight"


class _Bias(_Backward):
    """Ask the bias."""

    def find(self):
        for output in np.ndindex(self.dy.shape):
            yield output, None

    def name(self):
        return "db"

    def total(self):
        return svg.short(self.db[0])

    def factor(self, _):
        return "1", 1

    def told(self):
        return f"The bias went into every output as it is: {len(self.fed)} shares, each with the factor 1."

    def lesson(self):
        return "So db is the sum of dy."


class _Output(_Backward):
    """Ask an output: to whom it hands its gradient, on top of what lies there already."""

    in_padding = "cut"

    def find(self):
        self.number = self.position - self.bias - 1
        self.place = divmod(self.number, self.dy.shape[1])
        for output, weight, _ in self.windows():
            if output == self.place:
                yield output, weight

    def corner(self) -> Place:
        """Return where its window begins."""
        row, column = (k * self.stride - self.padding for k in self.place)
        return row, column

    def name(self):
        return f"dy{_index(self.place)}"

    def total(self):
        return svg.short(self.dy[self.place])

    def factor(self, weight):
        return f"W{_index(weight)}", self.W[weight]

    def told(self):
        return "It goes back to every pixel of its window, times the weight that the pixel met:"

    def lesson(self):
        done, every = self.number + 1, self.dy.size
        if done == every:
            return f"All {every} outputs have handed back their shares, and dx is complete."
        return f"{done} of {every} outputs have handed back their shares. They pile up in dx."

    def left(self):
        KH, KW = self.W.shape
        dx = np.zeros(np.add(self.x.shape, 2 * self.padding))
        for n in range(self.number + 1):
            i, j = divmod(n, self.dy.shape[1])
            top, left = i * self.stride, j * self.stride
            dx[top : top + KH, left : left + KW] += self.dy[i, j] * self.W
        top, left = self.corner()
        lit = [(top + i, left + j) for i, j in np.ndindex(self.W.shape)]
        return own.whole(dx[self.inside()]), lit, "dx, so far"

    def centre(self):
        return self.dy[self.place] * self.W, list(np.ndindex(self.W.shape)), f"{self.name()} · W"

    def framed(self, grid: svg.Grid) -> svg.Drawing:
        corner = np.add(self.corner(), self.padding)
        return grid.framed("window", corner, self.W.shape)

    def flights(self) -> str:
        """Let the gradient meet every weight, then the shares fly into dx."""
        row, column = np.add(self.corner(), self.padding)
        i, j = self.place
        return svg.fly(
            flight
            for m, n in np.ndindex(self.W.shape)
            for flight in (
                svg.Flight(f"dy-{i}-{j}", f"W-{m}-{n}"),
                svg.Flight(f"W-{m}-{n}", f"dx-{row + m}-{column + n}", beat=1, onto=True),
            )
        )


# ---------------------------------------------------------------------------- one row


def wires(
    x,
    w,
    y,
    *,
    output: int | None = None,
    pixel: int | None = None,
    weight: int | None = None,
    stride: int = 1,
    names: tuple[str, str] = ("x", "y"),
) -> svg.Picture:
    """Draw a convolution of one row: a wire for each product, and those of one number lit.

    Parameters
    ----------
    x, w, y : sequences of numbers or words
        What stands in the pixels, on the wires, and in the outputs.
    output, pixel, weight : int, optional
        Whose wires to light: those into an output, those back to a pixel, or those of a weight.
        None of them lights all.
    stride : int
        Pixels from one window to the next.
    names : (str, str)
        What the two rows are called, such as `("dx", "dy")`.

    Raises
    ------
    ValueError
        If `y` does not have one entry for each window.

    Examples
    --------
    >>> wires([3, 1, 4, 1, 5], [2, 3, 5], [29, 19, 36], output=1)
    Wires from pixels 1, 2 and 3 to output 1, with the weights 2, 3 and 5.
    """
    windows = (len(x) - len(w)) // stride + 1
    if len(y) != windows:
        raise ValueError(
            f"wires: y has {len(y)} entries, but {len(w)} weights with stride {stride} have "
            f"{windows} windows in {len(x)} pixels; y must have as many"
        )
    every = [(j, k) for j in range(windows) for k in range(len(w))]
    lit = [
        (j, k)
        for j, k in every
        if output in (None, j) and weight in (None, k) and pixel in (None, j * stride + k)
    ]
    step, left, top, bottom = 128, 60, 30, 190

    def over(i):
        return left + (i + 0.5) * step

    def below(j):
        return over(j * stride + (len(w) - 1) / 2)

    wires, labels = "", ""
    for j, k in [wire for wire in every if wire not in lit] + lit:
        start, end = (over(j * stride + k), top + 30), (below(j), bottom)
        if (j, k) not in lit:
            wires += svg.line(*start, *end, stroke=PADDING)
            continue
        colour = (svg.BLUE, svg.VERMILLION, svg.GREEN)[k % 3]
        if pixel is not None:
            wires += svg.arrow(*end, *start, stroke=colour, stroke_width=2.5)
        elif output is not None:
            wires += svg.arrow(*start, *end, stroke=colour, stroke_width=2.5)
        else:
            wires += svg.line(*start, *end, stroke=colour, stroke_width=2.5)
        middle = start[0] + 0.36 * (end[0] - start[0]), start[1] + 0.36 * (end[1] - start[1])
        words = f"·{w[k]}"
        width = svg.text_width(words, mono=True) + 6
        labels += svg.rect(middle[0] - width / 2, middle[1] - 9, width, 18, fill=svg.CARD)
        labels += svg.text(*middle, words, anchor="middle", mono=True, fill=svg.INK)
    body = wires + labels
    for row, (name, y_row, numbers, place, here) in enumerate(
        [
            (names[0], top, x, over, {j * stride + k for j, k in lit}),
            (names[1], bottom, y, below, {j for j, _ in lit}),
        ]
    ):
        body += svg.text(0, y_row + 15, name, size=18, weight="bold", mono=True)
        for i, number in enumerate(numbers):
            asked = i == (output if row else pixel)
            fill = svg.tint(svg.SKY, 0.5) if i in here else svg.CARD
            body += svg.cell(
                place(i) - 29, y_row, 58, 30, svg.short(number), fill=fill, focus=asked
            )
            ruler = y_row + 41 if row else y_row - 11
            body += svg.text(place(i), ruler, str(i), size=10, anchor="middle", fill=svg.QUIET)
    drawing = svg.Drawing(body, left + len(x) * step, bottom + 48)
    return drawing.picture(_wires_alt(lit, w, stride, output, pixel, weight))


def _wires_alt(lit, w, stride, output, pixel, weight) -> str:
    if not lit:
        return f"No wire from pixel {pixel}."
    pixels = sorted({j * stride + k for j, k in lit})
    outputs = sorted({j for j, _ in lit})
    weights = _list([w[k] for _, k in lit])
    if pixel is not None:
        return f"Wires from {_places('output', outputs)} back to pixel {pixel}, with the weights {weights}."
    if output is not None:
        return (
            f"Wires from {_places('pixel', pixels)} to output {output}, with the weights {weights}."
        )
    if weight is not None:
        return f"Wires from {_places('pixel', pixels)} to {_places('output', outputs)}, one each, all with the weight {w[weight]}."
    return f"{len(lit)} wires between {len(pixels)} pixels and {len(outputs)} outputs."


def _places(what: str, numbers: list[int]) -> str:
    return f"{what}{'s' if len(numbers) > 1 else ''} {_list(numbers)}"


def _list(items) -> str:
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


# ---------------------------------------------------------------------------- drawing


def _grid(values, *, side: int, first: int | None = None, **look) -> svg.Grid:
    """Draw cells, `side` wide; `first` is the number of the first row and column, if they get any."""
    shape = np.shape(values)
    rows, columns = ([str(first + k) for k in range(n)] if first is not None else () for n in shape)
    return svg.cells(values, rows=rows, columns=columns, width=side, height=ROW, **look)


def _sized(drawing: svg.Drawing, width: float) -> svg.Drawing:
    """Give a drawing a fixed width, so that the picture does not jump when a control is moved."""
    return svg.Drawing(drawing.body, width, drawing.height)


def _index(place: Place) -> str:
    return f"[{place[0]}, {place[1]}]"


def _span(first: int, count: int, name: str) -> str:
    """Name rows or columns: "row 2", "rows 0 to 2"."""
    return f"{name}s {first} to {first + count - 1}" if count > 1 else f"{name} {first}"


def _side(values) -> int:
    """Return how wide a cell must be for the longest of some numbers."""
    width = svg.text_width("0" * _longest(values), size=11, mono=True)
    return max(SIDE, math.ceil(width) + 5)


def _longest(values) -> int:
    return max(len(svg.short(value)) for value in np.unique(values))
