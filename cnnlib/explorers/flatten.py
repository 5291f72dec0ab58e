"""Flatten as a ribbon of cells: where each pixel goes, and where its gradient comes back to."""

from __future__ import annotations

import math
from functools import cached_property, partial

import numpy as np

from cnnlib import svg
from cnnlib.explorers import own
from cnnlib.explorers.widget import Choice, Explorer, Slider

# The axes of x from the slowest to the fastest, in the order in which they fill the ribbon.
ORDERS = {"C": "chw", "F": "whc", "swapped": "cwh"}
NAMES = {"C": "in C order", "F": "in F order", "swapped": "with H and W swapped"}
WAYS = {
    "C": "Row by row, one channel after the other.",
    "F": "All channels of a pixel, then the next pixel down.",
    "swapped": "Column by column, one channel after the other.",
}
FORWARD = {
    "C": "y = x.reshape(-1)",
    "F": 'y = x.reshape(-1, order="F")',
    "swapped": "y = x.transpose(0, 2, 1).reshape(-1)",
}
BACKWARD = {
    "C": "dx = dy.reshape(C, H, W)",
    "F": 'dx = dy.reshape(C, H, W, order="F")',
    "swapped": "dx = dy.reshape(C, W, H).transpose(0, 2, 1)",
}

Pixel = tuple[int, int, int]

# Pixels on the screen: the picture's width, the names' column on the left, a cell of a map.
WIDTH, GUTTER = 790, 84
CELL_WIDTH, CELL_HEIGHT, GAP = 36, 28, 3


def places(shape: Pixel, order: str) -> np.ndarray:
    """Return the place in the ribbon of every pixel, as an array of shape (C, H, W).

    Parameters
    ----------
    shape : tuple of int
        (C, H, W).
    order : {"C", "F", "swapped"}
        Row after row, channels in turn, or column after column of each channel.

    Examples
    --------
    >>> places((2, 2, 2), "F")[1]
    array([[1, 5],
           [3, 7]])
    """
    axes = ORDERS[order]
    sizes = [shape["chw".index(axis)] for axis in axes]
    ribbon = np.arange(math.prod(shape)).reshape(sizes)
    return ribbon.transpose([axes.index(axis) for axis in "chw"])


def draw(
    position: int = 14,
    shape: Pixel = (2, 3, 4),
    order: str = "C",
    backward: str | None = None,
    *,
    x=None,
) -> svg.Picture:
    """Draw one sample's maps, the ribbon they are flattened to, and one pair of partners.

    Every number is tagged with its address: 123 lies in channel 1, row 2, column 3.

    Parameters
    ----------
    position : int
        The place in the ribbon to follow, 0 to C·H·W − 1.
    shape : tuple of int
        (C, H, W), each at most 9, with at most 60 cells in all.
    order : {"C", "F", "swapped"}
        How forward fills the ribbon.
    backward : {None, "C", "F", "swapped"}
        How backward fills the maps. None draws forward.
    x : array_like of numbers, (C, H, W) or (1, C, H, W), optional
        Your own numbers to follow, in the place of addresses; `shape` is then theirs.

    Raises
    ------
    TypeError
        If x doesn't hold numbers.
    ValueError
        If there is no such position or order, or the shape is too large to draw.

    Examples
    --------
    >>> draw(33, shape=(3, 4, 5))  # doctest: +ELLIPSIS
    Flatten forward in C order: ... x[1, 2, 3] goes to y[33]: (1·4 + 2)·5 + 3 = 33...
    """
    x = None if x is None else own.maps("flatten", "x", x)
    shape = shape if x is None else x.shape
    if len(shape) != 3 or not all(1 <= size <= 9 for size in shape) or math.prod(shape) > 60:
        raise ValueError(
            f"flatten: shape is {shape}; give (C, H, W), each 1 to 9, with at most 60 cells in all"
        )
    if not 0 <= position < math.prod(shape):
        raise ValueError(
            f"flatten: position is {position}; shape {shape} has 0 to {math.prod(shape) - 1}"
        )
    if not {order, backward or order} <= set(ORDERS):
        raise ValueError(f"flatten: orders are {', '.join(ORDERS)}; got {order!r}, {backward!r}")
    return _Scene(position, shape, order, backward, x).picture()


def flatten(
    position: int = 14,
    shape: Pixel = (2, 3, 4),
    order: str = "C",
    backward: str | None = None,
    *,
    x=None,
) -> Explorer:
    """Return the flatten ribbon as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = flatten(33, shape=(3, 4, 5), backward="F")
    >>> mine = flatten(0, x=np.arange(8).reshape(2, 2, 2))
    """
    orders = {name: order for order, name in NAMES.items()}
    shapes = [(2, 3, 4), (3, 4, 5), (2, 3, 3)]
    if x is not None:
        x = own.maps("flatten", "x", x)
        shape, shapes = x.shape, [x.shape]
    return Explorer(
        draw if x is None else partial(draw, x=x),
        {
            "shape": Choice("Shape (C, H, W)", {str(shape): shape for shape in shapes}),
            "order": Choice("Forward", orders),
            "backward": Choice("Backward", {"not shown": None, **orders}),
            "position": Slider(
                "Place in the ribbon", lambda values: math.prod(values["shape"]) - 1, walk=0
            ),
        },
        position=position,
        shape=shape,
        order=order,
        backward=backward,
    )


flatten.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, position: int, shape: Pixel, order: str, backward: str | None, x):
        self.x = x
        self.position, self.shape, self.order, self.backward = position, shape, order, backward
        self.forth = places(shape, order)
        self.back = places(shape, backward or order)
        self.astray = self.back != self.forth
        by_place = np.argsort(self.forth, axis=None)
        # The pixel that filled each place of the ribbon: its gradient is the one that lies there.
        self.owners = [_pixel(index, shape) for index in by_place]
        self.source = self.owners[position]
        self.landing = _pixel(np.argmax(self.back == position), shape)

        _, height, width = shape
        self.map_width = 30 + width * (CELL_WIDTH + GAP)
        self.maps_top = 44
        self.maps_bottom = self.maps_top + height * (CELL_HEIGHT + GAP) - GAP
        rows = -(-self.back.size // (30 if x is None else 16))  # numbers need more room
        self.across = -(-self.back.size // rows)
        self.ribbon_top = self.maps_bottom + 56
        self.ribbon_cell = min(36, (WIDTH - GUTTER) / self.across)
        self.height = self.ribbon_top + rows * 60 - 12

    def picture(self) -> svg.Picture:
        drawing = svg.above(
            self.header(),
            svg.Drawing(
                self.gutter() + self.thread() + self.maps() + self.ribbon() + self.flight(),
                WIDTH,
                self.height,
            ),
            self.sums(),
            self.verdict(),
            gap=16,
        )
        return drawing.picture(self.alt())

    # What it tells

    def title(self) -> str:
        if self.backward is None:
            return f"Forward {NAMES[self.order]}"
        return f"Backward {NAMES[self.backward]}"

    def partners(self) -> str:
        """Say where the number that is followed goes."""
        source, landing = _index(self.source), _index(self.landing)
        if self.backward is None:
            return f"x{source} goes to y[{self.position}]"
        if self.source == self.landing:
            return f"dy[{self.position}] goes to dx{landing}, where y[{self.position}] came from"
        return (
            f"dy[{self.position}] goes to dx{landing}, but y[{self.position}] came from x{source}"
        )

    def conclusion(self) -> str:
        """Say what it means for the neighbours of this layer."""
        if self.backward is None:
            told = "; ".join(f"channel {c} at {words}" for c, words in self.channel_places())
            return f"Dense reads {told}."
        if not self.astray.any():
            return "Every gradient is back where its value came from."
        lost = f"{self.astray.sum()} of {self.astray.size} pixels get another pixel's gradient"
        return f"{lost}. The shapes agree, so nothing else will say so."

    def channel_places(self) -> list[tuple[int, str]]:
        """Return, for each channel, its places in the ribbon in words."""
        return [(c, _run(np.sort(channel, axis=None))) for c, channel in enumerate(self.forth)]

    def alt(self) -> str:
        shapes = f"{self.shape} and ({self.back.size},)"
        if self.backward is None:
            scene = f"Flatten forward {NAMES[self.order]}: x and y have shapes {shapes}."
        else:
            scene = (
                f"Flatten backward {NAMES[self.backward]}, after forward "
                f"{NAMES[self.order]}: dx and dy have shapes {shapes}."
            )
        _, there = _sum(self.source, self.shape, self.order)
        return f"{scene} {self.partners()}: {there}. {self.conclusion()}"

    # How it is drawn

    def header(self) -> svg.Drawing:
        code = FORWARD[self.order] if self.backward is None else BACKWARD[self.backward]
        if self.x is not None:
            words = "The numbers are yours."
        elif self.backward is None:
            words = "123 lies in channel 1, row 2, column 3."
        else:
            words = "123 is the gradient meant for channel 1, row 2, column 3."
        return svg.above(
            svg.beside(
                svg.label(self.title(), size=17, weight="bold"),
                svg.label(code, size=14, mono=True),
                gap=20,
            ),
            svg.label(f"{WAYS[self.backward or self.order]} {words}", fill=svg.QUIET),
            gap=4,
        )

    def gutter(self) -> str:
        """Draw the names, the shapes and the direction, to the left of the cells."""
        d = "" if self.backward is None else "d"
        middle = (self.maps_top + self.maps_bottom) / 2 - 10
        y = self.ribbon_top + 6
        names = (
            (middle, f"{d}x", str(self.shape)),
            (y, f"{d}y", f"({self.back.size},)"),
        )
        body = "".join(
            svg.text(0, at, name, size=22, weight="bold", mono=True)
            + svg.text(0, at + 22, shape, size=12, fill=svg.QUIET)
            for at, name, shape in names
        )
        upper, lower = middle + 36, y - 18
        ends = (upper, lower) if self.backward is None else (lower, upper)
        body += svg.arrow(8, ends[0], 8, ends[1], stroke_width=4)
        return body

    def thread(self) -> str:
        """Draw the way between the two partners; the cells will hide most of it."""
        x, y = self.corner_of_pixel(self.landing)
        x, y, bottom = x + CELL_WIDTH / 2, y + CELL_HEIGHT, self.maps_bottom
        ribbon_x, ribbon_y = self.corner_of_place(self.position)
        ribbon_x += self.ribbon_cell / 2
        middle = (bottom + self.ribbon_top) / 2
        way = (
            f"M{x:g} {y:g}V{bottom + 8:g}"
            f"C{x:g} {middle + 8:g} {ribbon_x:g} {middle - 8:g} {ribbon_x:g} {self.ribbon_top - 8:g}"
            f"V{ribbon_y - 8:g}"
        )
        body = f'<path d="{way}" fill="none" stroke="{svg.INK}" stroke-width="2.5"/>'
        if self.backward is None:
            return body + svg.arrow(ribbon_x, ribbon_y - 9, ribbon_x, ribbon_y, stroke_width=2.5)
        return body + svg.arrow(x, bottom + 9, x, bottom, stroke_width=2.5)

    def maps(self) -> str:
        channels, height, width = self.shape
        small = {"size": 11, "fill": svg.QUIET}
        body = ""
        for c in range(channels):
            x, y = self.corner_of_pixel((c, 0, 0))
            body += svg.text(x, 8, f"channel {c}", weight="bold")
            for w in range(width):
                middle = x + w * (CELL_WIDTH + GAP) + CELL_WIDTH / 2
                body += svg.text(middle, y - 10, f"w={w}", anchor="middle", **small)
            for h in range(height):
                middle = y + h * (CELL_HEIGHT + GAP) + CELL_HEIGHT / 2
                body += svg.text(x - 5, middle, f"h={h}", anchor="end", **small)
        for pixel in np.ndindex(*self.shape):
            place = int(self.back[pixel])
            body += svg.cell(
                *self.corner_of_pixel(pixel),
                CELL_WIDTH,
                CELL_HEIGHT,
                self.words(self.owners[place]),
                fill=self.fill(place),
                size=self.size(CELL_WIDTH),
                wrong=bool(self.astray[pixel]),
                focus=pixel == self.landing,
                pick=f"position={place}",
                at=f"x{_tag(pixel)}",
                later=self.backward is not None and place > self.position,
            )
        if self.source != self.landing:
            x, y = self.corner_of_pixel(self.source)
            body += svg.rect(
                x - 2,
                y - 2,
                CELL_WIDTH + 4,
                CELL_HEIGHT + 4,
                stroke=svg.BLACK,
                stroke_width=2.5,
                dashed=True,
            )
        return body

    def ribbon(self) -> str:
        body = ""
        for place, owner in enumerate(self.owners):
            x, y = self.corner_of_place(place)
            here = place == self.position
            body += svg.cell(
                x,
                y,
                self.ribbon_cell,
                32,
                self.words(owner),
                fill=self.fill(place),
                focus=here,
                size=self.size(self.ribbon_cell, 12 if self.ribbon_cell > 28 else 11),
                pick=f"position={place}",
                at=f"y{place}",
                later=self.backward is None and place > self.position,
            )
            ruler = {"weight": "bold"} if here else {"fill": svg.QUIET}
            body += svg.rect(x, y + 33, self.ribbon_cell, 13, fill=svg.CARD)
            body += svg.text(
                x + self.ribbon_cell / 2, y + 40, str(place), size=10, anchor="middle", **ruler
            )
        return body

    def flight(self) -> str:
        """Let the number go over to its partner."""
        pixel, place = f"x{_tag(self.landing)}", f"y{self.position}"
        way = (pixel, place) if self.backward is None else (place, pixel)
        return svg.fly([svg.Flight(*way)])

    def sums(self) -> svg.Drawing:
        """Write out the index, from the pixel to the place and from the place to the pixel."""
        letters, there = _sum(self.source, self.shape, self.order)
        order = self.backward or self.order
        back = _divmods(self.position, self.shape, order)
        _, second, third = ORDERS[order].upper()
        return svg.beside(
            _box(f"from pixel {_index(self.source)} to its place", [letters, there], 330),
            _box(
                f"from place {self.position} to its pixel: divide by {third}, then by {second}",
                back,
                430,
            ),
            gap=WIDTH - 760,
        )

    def verdict(self) -> svg.Drawing:
        wrong = self.source != self.landing
        partners = svg.label(
            ("✗ " if wrong else "") + self.partners(),
            size=14,
            weight="bold",
            fill=svg.WRONG if wrong else svg.INK,
        )
        return svg.above(partners, svg.label(self.conclusion(), size=14), gap=4)

    def words(self, pixel: Pixel) -> str:
        """Return what stands in the cell that a pixel's number is in: its address, or the number."""
        return _tag(pixel) if self.x is None else svg.short(self.x[pixel], 2)

    def size(self, width: float, most: float = svg.FONT_SIZE) -> float:
        """Return the size of type with which the longest words fit into a cell."""
        return min(most, math.floor((width - 5) / self.longest / 0.61))

    @cached_property
    def longest(self) -> int:
        """How many letters the longest words have."""
        return max(len(self.words(pixel)) for pixel in self.owners)

    def fill(self, place: int) -> str:
        """Return the colour of the channel that the number at `place` belongs to."""
        colour = svg.CHANNELS[self.owners[place][0] % len(svg.CHANNELS)]
        return svg.tint(colour, 1 if place == self.position else 0.5)

    def corner_of_pixel(self, pixel: Pixel) -> tuple[float, float]:
        c, h, w = pixel
        x = GUTTER + 30 + c * (self.map_width + 16) + w * (CELL_WIDTH + GAP)
        return x, self.maps_top + h * (CELL_HEIGHT + GAP)

    def corner_of_place(self, place: int) -> tuple[float, float]:
        row, column = divmod(place, self.across)
        return GUTTER + column * self.ribbon_cell, self.ribbon_top + row * 60


def _pixel(index: int, shape: Pixel) -> Pixel:
    c, h, w = np.unravel_index(index, shape)
    return int(c), int(h), int(w)


def _index(pixel: Pixel) -> str:
    return str(list(pixel))


def _tag(pixel: Pixel) -> str:
    return "".join(map(str, pixel))


def _sum(pixel: Pixel, shape: Pixel, order: str) -> tuple[str, str]:
    """Return the index sum in letters and in numbers: one sign stands below the other."""
    axes = ORDERS[order]
    sizes = dict(zip("chw", shape, strict=True))
    numbers = dict(zip("chw", pixel, strict=True))
    a, b, c = axes
    place = (numbers[a] * sizes[b] + numbers[b]) * sizes[c] + numbers[c]
    return (
        f"({a}·{b.upper()} + {b})·{c.upper()} + {c}",
        f"({numbers[a]}·{sizes[b]} + {numbers[b]})·{sizes[c]} + {numbers[c]} = {place}",
    )


def _divmods(place: int, shape: Pixel, order: str) -> list[str]:
    """Return the two divisions that lead from a place to its pixel."""
    a, b, c = ORDERS[order]
    sizes = dict(zip("chw", shape, strict=True))
    rest, last = divmod(place, sizes[c])
    first, middle = divmod(rest, sizes[b])
    return [
        f"divmod({place:2}, {sizes[c]}) = ({rest:2}, {last})  {c} = {last}",
        f"divmod({rest:2}, {sizes[b]}) = ({first:2}, {middle})  {b} = {middle}, {a} = {first}",
    ]


def _run(numbers: np.ndarray) -> str:
    """Return ascending numbers in words: "4–7", or "0, 3, 6, … 21"."""
    first, last = numbers[0], numbers[-1]
    if last - first + 1 == len(numbers):
        return f"{first}–{last}"
    return ", ".join(map(str, numbers[:3])) + f", … {last}"


def _box(title: str, lines: list[str], width: float) -> svg.Drawing:
    """Draw lines of type in a framed box."""
    body = svg.panel(0, 0, width, 85)
    body += svg.text(12, 16, title, size=12, fill=svg.QUIET)
    for i, words in enumerate(lines):
        body += svg.text(12, 40 + 25 * i, words.replace(" ", "\u00a0"), size=16, mono=True)
    return svg.Drawing(body, width, 85)
