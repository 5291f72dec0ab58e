"""A convolution, number by number: a window's sum forward; backward, who is told by whom."""

from __future__ import annotations

import numpy as np

from cnnlib import svg
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
    "vertical": "vertical edges",
    "horizontal": "horizontal edges",
    "sum": "the sum of all nine",
    "corner": "the upper left corner",
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

K = 3  # rows and columns of every kernel here
SIDE, ROW = 30, 26  # a cell of a grid, in pixels
WIDTH = 790
PADDING = "#D1D9E0"
Place = tuple[int, int]


def _sizes(picture: np.ndarray, stride: int, padding: int) -> Place:
    """Return (OH, OW)."""
    OH, OW = ((size + 2 * padding - K) // stride + 1 for size in picture.shape)
    return OH, OW


def _check(name: str, position: int, last, stride: int, padding: int, most: int) -> None:
    if stride not in (1, 2, 3) or padding not in range(most + 1):
        raise ValueError(
            f"{name}: stride is {stride} and padding {padding}; give a stride from 1 to 3 and a "
            f"padding from 0 to {most}"
        )
    last = last({"stride": stride, "padding": padding})
    if not 0 <= position <= last:
        raise ValueError(
            f"{name}: position is {position}; with stride {stride} and padding {padding} "
            f"there are 0 to {last}"
        )


# ---------------------------------------------------------------------------- forward


def draw_forward(
    position: int = 0, kernel: str = "vertical", stride: int = 1, padding: int = 0
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

    Raises
    ------
    ValueError
        If there is no such output or kernel, or stride or padding is another number.

    Examples
    --------
    >>> draw_forward(1)  # doctest: +ELLIPSIS
    Convolution forward...y[0, 1]...rows 0 to 2 and columns 1 to 3...15...
    """
    if kernel not in KERNELS:
        raise ValueError(f"conv_forward: kernels are {', '.join(KERNELS)}; got {kernel!r}")
    _check("conv_forward", position, _last_output, stride, padding, most=2)
    return _Forward(position, kernel, stride, padding).picture()


def conv_forward(
    position: int = 0, kernel: str = "vertical", stride: int = 1, padding: int = 0
) -> Explorer:
    """Return the moving window as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = conv_forward(5, kernel="sum", stride=2, padding=1)
    """
    return Explorer(
        draw_forward,
        {
            "kernel": Choice("The kernel sees", {words: name for name, words in NAMES.items()}),
            "stride": Choice("Stride", {str(n): n for n in (1, 2, 3)}),
            "padding": Choice("Padding", {str(n): n for n in (0, 1, 2)}),
            "position": Slider("Window", _last_output, words=_window, walk=0),
        },
        position=position,
        kernel=kernel,
        stride=stride,
        padding=padding,
    )


conv_forward.draw = draw_forward


def _last_output(values: dict) -> int:
    OH, OW = _sizes(SLOPE, values["stride"], values["padding"])
    return OH * OW - 1


def _window(values: dict) -> str:
    _, OW = _sizes(SLOPE, values["stride"], values["padding"])
    return f"y{_index(divmod(values['position'], OW))}"


class _Forward:
    """One picture of the forward pass: what it tells, then how it is drawn."""

    def __init__(self, position: int, kernel: str, stride: int, padding: int):
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.weights = KERNELS[kernel]
        self.padded = np.pad(SLOPE, padding)
        layer = Conv2D(1, 1, K, stride=stride, padding=padding)
        layer.W = self.weights[None, None].astype(float)
        self.map = layer.forward(SLOPE[None, None].astype(float))[0, 0].astype(int)
        self.i, self.j = divmod(position, self.map.shape[1])
        self.top, self.left = self.i * stride, self.j * stride
        self.window = self.padded[self.top : self.top + K, self.left : self.left + K]

    def picture(self) -> svg.Picture:
        grids = svg.beside(self.grid_of_x(), self.middle(), self.grid_of_y(), gap=36)
        grids = svg.Drawing(grids.body + self.flights(), grids.width, grids.height)
        return svg.above(
            self.header(), _sized(grids, WIDTH), self.sum(), self.verdict(), gap=14
        ).picture(self.alt())

    def begins(self) -> str:
        s = self.stride
        return (
            f"y[{self.i}, {self.j}]: the window begins at row {self.i}·{s} = {self.top} "
            f"and column {self.j}·{s} = {self.left}."
        )

    def terms(self) -> str:
        pairs = zip(self.window.flat, self.weights.flat, strict=True)
        return " + ".join(f"{x}·{_signed(w)}" for x, w in pairs)

    def rest(self) -> str:
        """Say how the size of the map comes about, and what is left over."""
        OH, _ = self.map.shape
        H, p, s = len(SLOPE), self.padding, self.stride
        size = f"Each axis: ({H} + 2·{p} − {K}) // {s} + 1 = {OH} windows"
        rest = (H + 2 * p - K) % s
        if not rest:
            return f"{size}, and none of the picture is left over."
        which = "last row and column are" if rest == 1 else f"last {rest} rows and columns are"
        return f"{size}; the {which} in no window."

    def alt(self) -> str:
        reach = (
            f"rows {self.top} to {self.top + K - 1} and columns {self.left} to {self.left + K - 1}"
        )
        return (
            f"Convolution forward, stride {self.stride}, padding {self.padding}; the kernel sees "
            f"{NAMES[self.kernel]}. y[{self.i}, {self.j}] is made from {reach} of the "
            f"{'padded ' * bool(self.padding)}picture: {self.terms()} = {self.map[self.i, self.j]}. "
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
        reached = self.map.shape[0] * self.stride - self.stride + K
        fills = np.full(self.padded.shape, svg.CARD, object)
        fills[reached:], fills[:, reached:] = svg.tint(svg.ORANGE, 0.35), svg.tint(svg.ORANGE, 0.35)
        inside = np.pad(np.ones(SLOPE.shape, bool), self.padding)
        fills[~inside & (fills == svg.CARD)] = PADDING
        window = np.zeros(self.padded.shape, bool)
        window[self.top : self.top + K, self.left : self.left + K] = True
        fills[window] = svg.tint(svg.SKY, 0.6)
        size = f"{len(SLOPE)}×{len(SLOPE)}"
        title = f"x, {size}" + (f", {self.padding} of padding around it" if self.padding else "")
        grid = _grid(self.padded, fills, at="x")
        x, y = self.left * SIDE + 18, self.top * ROW + 18
        frame = svg.rect(x, y, K * SIDE, K * ROW, stroke=svg.BLACK, stroke_width=3)
        frame = svg.slide("window", frame)
        return svg.Drawing(grid.body + frame, grid.width, grid.height).titled(title)

    def middle(self) -> svg.Drawing:
        products = self.window * self.weights
        return svg.above(
            _grid(self.weights, svg.tint(svg.GREEN, 0.35), labels=False, at="W").titled(
                "W, the kernel"
            ),
            _grid(products, svg.tint(svg.YELLOW, 0.6), labels=False, at="xW").titled(
                "x · W, products"
            ),
            gap=22,
        )

    def grid_of_y(self) -> svg.Drawing:
        here = np.zeros(self.map.shape, bool)
        here[self.i, self.j] = True
        fills = np.where(here, svg.tint(svg.YELLOW, 1), svg.CARD)
        columns = self.map.shape[1]
        pick = [
            [f"position={i * columns + j}" for j in range(columns)]
            for i in range(self.map.shape[0])
        ]
        shape = "×".join(map(str, self.map.shape))
        grid = _grid(self.map, fills, focus=here, pick=pick, at="y")
        return grid.titled(f"y, {shape}: point at a cell")

    def flights(self) -> str:
        """Let the window's numbers and the weights meet, then the products fly into the sum."""
        return "".join(
            svg.fly(f"x-{self.top + i}-{self.left + j}", f"xW-{i}-{j}")
            + svg.fly(f"W-{i}-{j}", f"xW-{i}-{j}")
            + svg.fly(f"xW-{i}-{j}", f"y-{self.i}-{self.j}", beat=1)
            for i, j in np.ndindex(K, K)
        )

    def sum(self) -> svg.Drawing:
        return svg.label(f"{self.terms()} = {self.map[self.i, self.j]}", size=13, mono=True)

    def verdict(self) -> svg.Drawing:
        return svg.label(self.rest(), size=14)


# ---------------------------------------------------------------------------- backward


def draw_backward(position: int = 14, stride: int = 1, padding: int = 0) -> svg.Picture:
    """Draw one pixel, weight or bias with every output that it fed, and what each tells it.

    Or one output with every pixel that it sends a share back to, and what has piled up there.

    Parameters
    ----------
    position : int
        Whom to ask: 0 to 29 the pixels row by row, 30 to 38 the weights, 39 the bias; from 40 on
        the outputs row by row.
    stride : int
        1, 2 or 3.
    padding : int
        0 or 1.

    Raises
    ------
    ValueError
        If there is no such position, or stride or padding is another number.

    Examples
    --------
    >>> draw_backward(7)  # doctest: +ELLIPSIS
    Convolution backward...dx[1, 1]...4 outputs read this pixel...dy[0, 0]·W[1, 1] = 1·5 = 5...
    """
    _check("conv_backward", position, _last_asked, stride, padding, most=1)
    kinds = {PIXELS.size: _Pixel, BIAS: _Weight, BIAS + 1: _Bias}
    kind = next((kind for end, kind in kinds.items() if position < end), _Output)
    return kind(position, stride, padding).picture()


def conv_backward(position: int = 14, stride: int = 1, padding: int = 0) -> Explorer:
    """Return the way back as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = conv_backward(14, stride=2, padding=1)
    """
    return Explorer(
        draw_backward,
        {
            "stride": Choice("Stride", {str(n): n for n in (1, 2, 3)}),
            "padding": Choice("Padding", {str(n): n for n in (0, 1)}),
            "position": Slider("Ask", _last_asked, words=_asked, walk=BIAS + 1),
        },
        position=position,
        stride=stride,
        padding=padding,
    )


conv_backward.draw = draw_backward

BIAS = PIXELS.size + WEIGHTS.size


def _last_asked(values: dict) -> int:
    OH, OW = _sizes(PIXELS, values["stride"], values["padding"])
    return BIAS + OH * OW


def _asked(values: dict) -> str:
    """Return the name of who is asked."""
    position = values["position"]
    if position == BIAS:
        return "db"
    if position > BIAS:
        _, OW = _sizes(PIXELS, values["stride"], values["padding"])
        return f"dy{_index(divmod(position - BIAS - 1, OW))}"
    if position >= PIXELS.size:
        return f"dW{_index(divmod(position - PIXELS.size, K))}"
    return f"dx{_index(divmod(position, PIXELS.shape[1]))}"


class _Backward:
    """One picture of the backward pass; who is asked is told by the subclass."""

    def __init__(self, position: int, stride: int, padding: int):
        self.position, self.stride, self.padding = position, stride, padding
        OH, OW = _sizes(PIXELS, stride, padding)
        self.dy = UPSTREAM[:OH, :OW]
        layer = Conv2D(1, 1, K, stride=stride, padding=padding)
        layer.W = WEIGHTS[None, None].astype(float)
        layer.forward(PIXELS[None, None].astype(float))
        self.dx = layer.backward(self.dy[None, None].astype(float))[0, 0].astype(int)
        self.dW, self.db = layer.dW[0, 0].astype(int), layer.db.astype(int)
        # For each output that was fed: its place, and the place of the factor that it was fed with.
        self.fed: list[tuple[Place, Place | None]] = list(self.find())

    def windows(self):
        """Every output, and every place in its window with the place in x that it covers."""
        for i, j in np.ndindex(self.dy.shape):
            top, left = i * self.stride - self.padding, j * self.stride - self.padding
            for down, right in np.ndindex(K, K):
                yield (i, j), (down, right), (top + down, left + right)

    def picture(self) -> svg.Picture:
        grids = svg.beside(
            self.grid_of_x(),
            svg.above(self.grid_of_W(), self.cell_of_b(), gap=18),
            self.grid_of_dy(),
            gap=44,
        )
        grids = svg.Drawing(grids.body + self.flights(), grids.width, grids.height)
        return svg.above(
            self.header(), _sized(grids, WIDTH), self.table(), self.verdict(), gap=14
        ).picture(self.alt())

    def alt(self) -> str:
        setting = f"Convolution backward, stride {self.stride}, padding {self.padding}."
        alt = f"{setting} {self.name()} = {self.total()}. {self.told()}"
        if not 0 < len(self.fed) <= K * K:
            return alt
        return f"{alt} {'; '.join(self.shares())}."

    def header(self) -> svg.Drawing:
        return svg.above(
            svg.label(f"{self.name()} = {self.total()}", size=17, weight="bold"),
            svg.label(self.told(), size=14),
            gap=4,
        )

    def shares(self) -> list[str]:
        """Each output's contribution."""
        found = []
        for place, factor in self.fed:
            name, value = self.factor(factor)
            dy = self.dy[place]
            found.append(f"dy{_index(place)}·{name} = {dy}·{_signed(value)} = {dy * value}")
        return found

    def table(self) -> svg.Drawing:
        """Draw the contributions in columns, in a box that is always as high."""
        lines, column, height = 10, 262, 17
        body = svg.rect(
            0.5, 0.5, WIDTH - 1, lines * height + 15, fill="#F6F8FA", stroke="#D1D9E0", radius=6
        )
        for n, words in enumerate(self.shares()):
            x, y = 14 + n // lines * column, 16 + n % lines * height
            body += svg.text(x, y, words.replace(" ", "\u00a0"), mono=True)
        return svg.Drawing(body, WIDTH, lines * height + 16)

    def verdict(self) -> svg.Drawing:
        return svg.label(self.lesson(), size=14)

    def grid_of_dy(self) -> svg.Drawing:
        fills = np.full(self.dy.shape, svg.CARD, object)
        for place, _ in self.fed:
            fills[place] = svg.tint(svg.ORANGE, 0.6)
        first = BIAS + 1
        pick = first + np.arange(self.dy.size).reshape(self.dy.shape)
        grid = _grid(
            self.dy,
            fills,
            focus=pick == self.position,
            pick=[[f"position={n}" for n in row] for row in pick],
            at="dy",
        )
        return grid.titled("dy, from the next layer")

    def grid_of_x(self) -> svg.Drawing:
        values, lit, title = self.left()
        size = np.pad(PIXELS, self.padding).shape
        shown = np.full(size, "", object)
        fills = np.full(size, PADDING, object)
        inside = tuple(slice(self.padding, self.padding + n) for n in PIXELS.shape)
        shown[inside] = values
        fills[inside] = svg.CARD
        for row, column in lit:
            place = row + self.padding, column + self.padding
            fills[place] = svg.tint(svg.SKY, 0.6)
            if not _within((row, column)):
                shown[place] = self.in_padding
        focus = np.zeros(size, bool)
        pick = np.full(size, "", object)
        pick[inside] = [
            [f"position={r * PIXELS.shape[1] + c}" for c in range(PIXELS.shape[1])]
            for r in range(PIXELS.shape[0])
        ]
        if self.position < PIXELS.size:
            row, column = divmod(self.position, PIXELS.shape[1])
            focus[row + self.padding, column + self.padding] = True
        title += " (grey: padding)" if self.padding else ""
        grid = _grid(shown, fills, focus=focus, pick=pick, first=-self.padding, at="dx")
        return svg.Drawing(grid.body + self.frame(), grid.width, grid.height).titled(title)

    def grid_of_W(self) -> svg.Drawing:
        values, lit, title = self.centre()
        fills = np.full((K, K), svg.CARD, object)
        for place in lit:
            fills[place] = svg.tint(svg.GREEN, 0.5)
        focus = np.zeros((K, K), bool)
        if PIXELS.size <= self.position < BIAS:
            focus[divmod(self.position - PIXELS.size, K)] = True
        pick = [[f"position={PIXELS.size + row * K + m}" for m in range(K)] for row in range(K)]
        return _grid(values, fills, focus=focus, pick=pick, at="W").titled(title)

    def cell_of_b(self) -> svg.Drawing:
        asked = self.position == BIAS
        body = svg.cell(
            18,
            0,
            3 * SIDE,
            ROW,
            f"db = {self.db[0]}" if asked else "b",
            fill=svg.CARD,
            focus=asked,
            pick=f"position={BIAS}",
        )
        return svg.Drawing(body, 18 + 3 * SIDE, ROW)

    # What a subclass tells: its name, whom it fed and how, and what its grids show.

    in_padding = "0"

    def frame(self) -> str:
        """An outline on the grid of x."""
        return ""

    def flights(self) -> str:
        """What flies while the explorer plays."""
        return ""

    def left(self):
        """The numbers in the place of x, the lit places, the title."""
        return PIXELS, [], "x"

    def centre(self):
        """The numbers in the place of W, the lit places, the title."""
        return WEIGHTS, [], "W"


class _Pixel(_Backward):
    """Ask a pixel."""

    def find(self):
        self.place = divmod(self.position, PIXELS.shape[1])
        for output, weight, pixel in self.windows():
            if pixel == self.place:
                yield output, weight

    def name(self):
        return f"dx{_index(self.place)}"

    def total(self):
        return self.dx[self.place]

    def factor(self, weight):
        return f"W{_index(weight)}", WEIGHTS[weight]

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
        return WEIGHTS, [weight for _, weight in self.fed], "W: or at a weight"

    def flights(self) -> str:
        """Let each output's gradient meet its weight, then fly into the pixel's sum."""
        row, column = np.add(self.place, self.padding)
        return "".join(
            svg.fly(f"dy-{i}-{j}", f"W-{m}-{n}")
            + svg.fly(f"W-{m}-{n}", f"dx-{row}-{column}", beat=1)
            for (i, j), (m, n) in self.fed
        )


class _Weight(_Backward):
    """Ask a weight."""

    def find(self):
        self.place = divmod(self.position - PIXELS.size, K)
        for output, weight, pixel in self.windows():
            if weight == self.place:
                yield output, pixel

    def name(self):
        return f"dW{_index(self.place)}"

    def total(self):
        return self.dW[self.place]

    def factor(self, pixel):
        if not _within(pixel):
            return "padding", 0
        return f"x{_index(pixel)}", PIXELS[pixel]

    def told(self):
        return f"Every output used this weight, each with another pixel: {len(self.fed)} shares."

    def lesson(self):
        return "The pixels that it met have the shape of dy. Multiply the two, add it all up: dW."

    def left(self):
        return PIXELS, [pixel for _, pixel in self.fed], "x: point at a pixel"

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
        return self.db[0]

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
        self.number = self.position - BIAS - 1
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
        return self.dy[self.place]

    def factor(self, weight):
        return f"W{_index(weight)}", WEIGHTS[weight]

    def told(self):
        return "It goes back to every pixel of its window, times the weight that the pixel met:"

    def lesson(self):
        done, every = self.number + 1, self.dy.size
        if done == every:
            return f"All {every} outputs have handed back their shares, and dx is complete."
        return f"{done} of {every} outputs have handed back their shares. They pile up in dx."

    def left(self):
        dx = np.zeros(np.add(PIXELS.shape, 2 * self.padding + K), int)
        for n in range(self.number + 1):
            i, j = divmod(n, self.dy.shape[1])
            top, left = i * self.stride, j * self.stride
            dx[top : top + K, left : left + K] += self.dy[i, j] * WEIGHTS
        inside = tuple(slice(self.padding, self.padding + n) for n in PIXELS.shape)
        top, left = self.corner()
        lit = [(top + i, left + j) for i, j in np.ndindex(K, K)]
        return dx[inside], lit, "dx, so far"

    def centre(self):
        return self.total() * WEIGHTS, list(np.ndindex(K, K)), f"{self.name()} · W"

    def frame(self) -> str:
        row, column = np.add(self.corner(), self.padding)
        x, y = column * SIDE + 18, row * ROW + 18
        frame = svg.rect(float(x), float(y), K * SIDE, K * ROW, stroke=svg.BLACK, stroke_width=3)
        return svg.slide("window", frame)

    def flights(self) -> str:
        """Let the gradient meet every weight, then the shares fly into dx."""
        row, column = np.add(self.corner(), self.padding)
        i, j = self.place
        return "".join(
            svg.fly(f"dy-{i}-{j}", f"W-{m}-{n}")
            + svg.fly(f"W-{m}-{n}", f"dx-{row + m}-{column + n}", beat=1)
            for m, n in np.ndindex(K, K)
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


def _grid(
    values, fills, *, focus=None, pick=None, labels: bool = True, first: int = 0, at: str = ""
):
    """Draw cells with the numbers of their rows and columns; `first` is the first of them."""
    values = np.asarray(values)
    rows, columns = values.shape
    fills = np.broadcast_to(fills, values.shape)
    left = top = 18 if labels else 0
    body, outlined = "", ""
    if labels:
        for j in range(columns):
            body += _ruler(left + (j + 0.5) * SIDE, 9, j + first)
        for i in range(rows):
            body += _ruler(8, top + (i + 0.5) * ROW, i + first)
    for i, j in np.ndindex(rows, columns):
        if values[i, j] == "":
            x, y = left + j * SIDE, top + i * ROW
            body += svg.rect(x, y, SIDE, ROW, fill=str(fills[i, j]), stroke=svg.EDGE)
            continue
        here = focus is not None and bool(focus[i, j])
        cell = svg.cell(
            left + j * SIDE,
            top + i * ROW,
            SIDE,
            ROW,
            str(values[i, j]),
            fill=str(fills[i, j]),
            focus=here,
            size=13 if len(str(values[i, j])) < 3 else 11,
            pick=pick[i][j] if pick is not None else "",
            at=f"{at}-{i}-{j}" if at else "",
        )
        # On top of its neighbours, so that its outline is whole.
        body, outlined = (body, outlined + cell) if here else (body + cell, outlined)
    return svg.Drawing(body + outlined, left + columns * SIDE, top + rows * ROW)


def _ruler(x: float, y: float, number: int) -> str:
    return svg.text(x, y, str(number), size=10, anchor="middle", fill=svg.QUIET)


def _sized(drawing: svg.Drawing, width: float) -> svg.Drawing:
    """Give a drawing a fixed width, so that the picture does not jump when a control is moved."""
    return svg.Drawing(drawing.body, width, drawing.height)


def _within(pixel: Place) -> bool:
    return 0 <= pixel[0] < PIXELS.shape[0] and 0 <= pixel[1] < PIXELS.shape[1]


def _index(place: Place) -> str:
    return f"[{place[0]}, {place[1]}]"


def _signed(number: int) -> str:
    """A factor behind a dot: negative numbers in brackets."""
    return str(number) if number >= 0 else f"({number})"
