"""An array as it lies in memory: its strides, and which cells a window touches in each order."""

from __future__ import annotations

import numpy as np

from cnnlib import svg
from cnnlib.explorers.widget import Choice, Explorer, Slider

# Two pictures of three channels, 4×5 pixels each: no two lengths are equal.
SHAPE = N, C, H, W = 2, 3, 4, 5
KH, KW = 2, 3
OH, OW = H - KH + 1, W - KW + 1
LINE = 16
"""Numbers on a cache line: 64 bytes, of 4 bytes each in float32."""

ORDERS = {
    "NCHW": "N C H W, as the course counts",
    "NHWC": "N H W C, channels last",
    "HCWN": "H C W N, pictures last",
}
READS = {
    "window": "a window of one picture",
    "batch": "the same window of both pictures",
    "row": "a row of windows, both pictures",
}

# Pixels on the screen: a cell of a map, a cell of memory, and where the first line begins.
SIDE, ROW, GAP = 30, 20, 18
CELL, LEFT = 35, 54
# The faint and the strong colour of each channel: touched or not.
FAINT = [svg.tint(colour, 0.12) for colour in svg.CHANNELS[:C]]
STRONG = [svg.tint(colour, 0.75) for colour in svg.CHANNELS[:C]]


def draw(position: int = 0, order: str = "NCHW", reads: str = "window") -> svg.Picture:
    """Draw two pictures as maps, and below them the same 120 numbers as they lie in memory.

    In a map each cell shows its place in memory; in memory each cell shows its index n c h w.

    Parameters
    ----------
    position : int
        Which window, counted row by row, 0 to 8; of a row of windows, any one in it.
    order : {"NCHW", "NHWC", "HCWN"}
        The order of the axes in memory, the last one closest together.
    reads : {"window", "batch", "row"}
        What is read together.

    Raises
    ------
    ValueError
        If there is no such window, order or way of reading.

    Examples
    --------
    >>> draw(0, "HCWN", "row")  # doctest: +ELLIPSIS
    Order H C W N in memory, strides H 30, C 10, W 2, N 1. ... 60 numbers in 1 run, ...
    """
    if not 0 <= position < OH * OW:
        raise ValueError(f"memory: position is {position}; there are 0 to {OH * OW - 1}")
    if order not in ORDERS:
        raise ValueError(f"memory: orders are {', '.join(ORDERS)}; got {order!r}")
    if reads not in READS:
        raise ValueError(f"memory: reads are {', '.join(READS)}; got {reads!r}")
    return _Scene(position, order, reads).picture()


def memory(position: int = 0, order: str = "NCHW", reads: str = "window") -> Explorer:
    """Return the picture as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = memory(4, order="HCWN")
    """
    return Explorer(
        draw,
        {
            "order": Choice("Order", {words: order for order, words in ORDERS.items()}),
            "reads": Choice("Read", {words: reads for reads, words in READS.items()}),
            "position": Slider(
                "Window",
                lambda values: OH * OW - 1,
                lambda values: "({}, {})".format(*divmod(values["position"], OW)),
                walk=0,
            ),
        },
        position=position,
        order=order,
        reads=reads,
    )


memory.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, position: int, order: str, reads: str):
        self.order, self.reads = order, reads
        self.i, self.j = divmod(position, OW)
        lengths = dict(zip("NCHW", SHAPE, strict=True))
        strides = np.cumprod([1, *(lengths[axis] for axis in order[:0:-1])])[::-1]
        self.strides = {axis: int(s) for axis, s in zip(order, strides, strict=True)}
        index = np.indices(SHAPE)
        self.place = sum(index[k] * self.strides[axis] for k, axis in enumerate("NCHW"))
        pictures, left, right = slice(1), self.j, self.j + KW
        if reads != "window":
            pictures = slice(N)
        if reads == "row":
            left, right = 0, W
        self.touched = np.zeros(SHAPE, bool)
        self.touched[pictures, :, self.i : self.i + KH, left:right] = True
        places = np.sort(self.place[self.touched])
        self.count = len(places)
        self.runs = 1 + int((np.diff(places) > 1).sum())
        self.lines = len(np.unique(places // LINE))

    def picture(self) -> svg.Picture:
        title = svg.above(
            svg.label(f"In memory: {' '.join(self.order)}", size=17, weight="bold"),
            svg.label(f"from one index to the next, in numbers: {self.steps()}", fill=svg.QUIET),
            svg.label("each cell of a map shows its place in memory", fill=svg.QUIET),
            gap=4,
        )
        conclusion = svg.above(
            svg.label(f"{self.what()} reads {self.counts()}", size=14, weight="bold"),
            svg.label(self.why(), size=13),
            gap=4,
        )
        scene = svg.above(title, self.maps(), self.memory(), conclusion, gap=12)
        return scene.picture(self.alt())

    # What it tells

    def steps(self) -> str:
        return ", ".join(f"{axis} {stride}" for axis, stride in self.strides.items())

    def what(self) -> str:
        return {
            "window": f"The window at ({self.i}, {self.j}) of picture 0",
            "batch": f"The window at ({self.i}, {self.j}) of both pictures",
            "row": f"Row {self.i} of windows, both pictures,",
        }[self.reads]

    def counts(self) -> str:
        runs = f"{self.runs} run{'s' if self.runs > 1 else ''}"
        return (
            f"{self.count} numbers in {runs}, on {self.lines} of {-(-N * C * H * W // LINE)} lines"
        )

    def why(self) -> str:
        """Return what makes the runs as long as they are."""
        if self.order == "NCHW":
            if self.reads == "row":
                return f"The rows of a window are neighbours here, {KH * W} numbers in each channel; then a jump."
            return f"Only the {KW} pixels in a row of the window are neighbours; then comes a jump."
        if self.order == "NHWC":
            if self.reads == "row":
                return (
                    "All channels of the window's rows are neighbours; then comes the next picture."
                )
            return f"{KW} pixels with all their {C} channels are neighbours; then comes a jump."
        return {
            "window": "One picture alone has no neighbours here: each number stands by itself.",
            "batch": f"The {KW} pixels in a row are neighbours, in all pictures at once.",
            "row": "All that a row of windows reads is one run of memory, whatever the batch.",
        }[self.reads]

    def alt(self) -> str:
        return (
            f"Order {' '.join(self.order)} in memory, strides {self.steps()}. "
            f"{self.what()} reads {self.counts()}. {self.why()}"
        )

    # How it is drawn

    def maps(self) -> svg.Drawing:
        """Draw each picture's maps side by side; a cell shows its place in memory."""
        body = ""
        for c in range(C):
            x = LEFT + c * (W * SIDE + GAP)
            body += svg.text(x, 7, f"c = {c}", size=12, fill=svg.QUIET)
        for n in range(N):
            top = 18 + n * (H * ROW + 10)
            body += svg.text(0, top + H * ROW / 2, f"n = {n}", size=12, fill=svg.QUIET)
            for c, h, w in np.ndindex(C, H, W):
                x, y = LEFT + c * (W * SIDE + GAP) + w * SIDE, top + h * ROW
                body += self.cell(x, y, SIDE, str(self.place[n, c, h, w]), (n, c, h, w))
        return svg.Drawing(body, LEFT + C * (W * SIDE + GAP) - GAP, 18 + N * (H * ROW + 10) - 10)

    def memory(self) -> svg.Drawing:
        """Draw the cells of memory, a cache line in each row; a cell shows its index n c h w."""
        index_at = {int(self.place[index]): index for index in np.ndindex(SHAPE)}
        body = svg.text(
            LEFT, 7, "memory, 16 numbers (64 bytes) a line; each is its index n c h w", size=12
        )
        for place, index in sorted(index_at.items()):
            line, k = divmod(place, LINE)
            words = "".join(map(str, index))
            body += self.cell(LEFT + k * CELL, 18 + line * ROW, CELL, words, index)
        lines = -(-len(index_at) // LINE)
        for line in range(lines):
            middle = 18 + (line + 0.5) * ROW
            body += svg.text(
                LEFT - 8, middle, f"{line * LINE}", size=11, anchor="end", fill=svg.QUIET
            )
        return svg.Drawing(body, LEFT + LINE * CELL, 18 + lines * ROW)

    def cell(self, x: float, y: float, width: float, words: str, index) -> str:
        """Draw a cell in its channel's colour; pointing at it moves the window there."""
        _, c, h, w = index
        window = min(h, OH - 1) * OW + min(w, OW - 1)
        fill = (STRONG if self.touched[index] else FAINT)[c]
        return svg.cell(x, y, width, ROW, words, fill=fill, size=11, pick=f"position={window}")
