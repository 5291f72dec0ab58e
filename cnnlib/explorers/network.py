"""The shirt's walk through the network: what is handed on at each step, there and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from cnnlib import datasets, svg
from cnnlib.explorers.widget import Choice, Explorer, Slider
from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, parameters
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.misconceptions.conv import UpsideDownKernel
from cnnlib.misconceptions.flatten import FortranBackward
from cnnlib.misconceptions.pool import SpreadEvenly

LAYERS = ("Conv2D", "ReLU", "MaxPool2D", "Conv2D", "ReLU", "MaxPool2D", "Flatten", "Dense")
# A layer whose backward is wrong: its place, its class, and what it does.
WRONG = {
    "flatten": (6, FortranBackward, "Flatten reads in Fortran order"),
    "pool": (5, SpreadEvenly, "MaxPool2D spreads evenly"),
    "conv": (3, UpsideDownKernel, "Conv2D turns its kernels over"),
}
WINDOWS = {  # by their step
    1: "a window of the first Conv2D",
    3: "a window of the first MaxPool2D",
    4: "a window of the second Conv2D",
    6: "a window of the second MaxPool2D",
}
# All windows would be too many to travel with a page: these maps, and rows and columns, do.
SAMPLE = {
    None: ((0,), (0,)),
    1: (range(8), range(2, 27, 6)),
    3: (range(8), range(0, 14, 2)),
    4: ((0, 5, 10, 15), range(2, 12, 3)),
    6: (range(16), range(7)),
}
KERNEL, PAD = 3, 1  # of both convolutions
POOL = 2  # the side and the stride of both pools
TURN = len(LAYERS) + 1  # the step at which the walk turns round: the loss
LAST = 2 * TURN

# Pixels on the screen: the whole, what is handed on, and where the notes beside it begin.
WIDTH, PICTURE, NOTES = 790, 590, 612
SHIRT, LINK, BOX, LOSS = 42, 20, 66, 38  # the widths of the chain's parts
TOP, HEIGHT = 42, 176  # the height of the chain, and of what is handed on
PASSED = "#DCEEFA"


# ---------------------------------------------------------------------------- the walk


@dataclass(frozen=True)
class Step:
    """What is handed on, what the layer kept for the way back, and the gradients that it set."""

    array: np.ndarray
    kept: dict = field(default_factory=dict)
    found: dict[str, np.ndarray] = field(default_factory=dict)


@cache
def walk(wrong: str | None = None) -> tuple[Step, ...]:
    """Return every step: the shirt, each layer's y, the probabilities, dlogits, each layer's dx.

    Parameters
    ----------
    wrong : {None, "flatten", "pool", "conv"}
        The layer whose backward is wrong.

    Examples
    --------
    >>> [step.array.shape for step in walk()][6:11]
    [(1, 16, 7, 7), (1, 784), (1, 10), (1, 10), (1, 10)]
    """
    x, label, _ = _shirt()
    layers, loss = _layers(wrong), SoftmaxCrossEntropy()
    steps = [Step(x)]
    for layer in layers:
        x = layer.forward(x)
        kept = {name: a for name, a in vars(layer).items() if isinstance(a, np.ndarray)}
        kept = {name: a for name, a in kept.items() if name not in ("W", "b")}
        steps.append(Step(x, kept or {"x_shape": layer.x_shape}))
    loss.forward(x, np.array([label]))
    steps.append(Step(loss.p, {"p": loss.p, "labels": loss.labels}))

    dy = loss.backward()
    steps.append(Step(dy))
    for layer in reversed(layers):
        dy = layer.backward(dy)
        found = {f"d{name}": getattr(layer, f"d{name}") for _, name in parameters(layer)}
        steps.append(Step(dy, found=found))
    return tuple(steps)


@cache
def _shirt() -> tuple[np.ndarray, int, tuple[str, ...]]:
    """The course's picture, its class, and the names of all classes."""
    data = datasets.load_fashion_mnist()
    label = data.class_names.index("Shirt")
    x = data.test_images[data.test_labels == label][:1] / 255
    return x, label, data.class_names


def _layers(wrong: str | None) -> list:
    rng = np.random.default_rng(0)
    plan = [
        (Conv2D, (1, 8, 3), {"padding": 1, "rng": rng}),
        (ReLU, (), {}),
        (MaxPool2D, (2,), {}),
        (Conv2D, (8, 16, 3), {"padding": 1, "rng": rng}),
        (ReLU, (), {}),
        (MaxPool2D, (2,), {}),
        (Flatten, (), {}),
        (Dense, (784, 10), {"rng": rng}),
    ]
    if wrong:
        place, broken, _ = WRONG[wrong]
        plan[place] = (broken, *plan[place][1:])
    return [kind(*arguments, **options) for kind, arguments, options in plan]


def astray(wrong: str | None, step: int) -> dict[str, int]:
    """Return how many numbers of each array of a step are not what right layers give; without 0s.

    Examples
    --------
    >>> astray("flatten", 11), astray("flatten", 12)
    ({}, {'dx': 780})
    """
    if wrong is None:
        return {}
    mine, right = walk(wrong)[step], walk()[step]
    pairs = {"dx": (mine.array, right.array)}
    pairs |= {name: (mine.found[name], right.found[name]) for name in mine.found}
    counts = {name: int((~np.isclose(a, b, atol=1e-12)).sum()) for name, (a, b) in pairs.items()}
    return {name: count for name, count in counts.items() if count}


# ---------------------------------------------------------------------------- the picture


def draw(
    step: int = 3,
    wrong: str | None = None,
    window: int | None = None,
    map: int = 0,
    row: int = 0,
    column: int = 0,
) -> svg.Picture:
    """Draw one step of the shirt's walk: where it is, what is handed on, what is kept.

    Or one number of a map, the window of the input that it was made from, and the products.

    Parameters
    ----------
    step : int
        0 is the shirt, 1 to 8 are the layers forward, 9 is the loss, 10 is what the loss sends
        back, 11 to 18 are the layers backward.
    wrong : {None, "flatten", "pool", "conv"}
        A layer whose backward is wrong.
    window : {None, 1, 3, 4, 6}
        The step of the Conv2D or the MaxPool2D to go into, in the place of `step`.
    map, row, column : int
        The number of its output to look at.

    Raises
    ------
    ValueError
        If there is no such step, no such wrong layer, or no such number.

    Examples
    --------
    >>> draw(7)  # doctest: +ELLIPSIS
    The network, step 7 of 18. Forward: Flatten returns y: shape (1, 784)...
    """
    if not 0 <= step <= LAST:
        raise ValueError(f"network: step is {step}; the walk has 0 to {LAST}")
    if wrong not in (None, *WRONG):
        raise ValueError(
            f"network: wrong is {wrong!r}; choose None, {', '.join(repr(name) for name in WRONG)}"
        )
    if window not in (None, *WINDOWS):
        known = ", ".join(map(str, WINDOWS))
        raise ValueError(f"network: window is {window!r}; choose None or one of {known}")
    if window is None:
        return _Scene(step, wrong).picture()
    shape = walk()[window].array.shape[1:]
    if not all(0 <= place < size for place, size in zip((map, row, column), shape, strict=True)):
        raise ValueError(f"network: [{map}, {row}, {column}] is no place of y, {shape}")
    kind = _ConvWindow if LAYERS[window - 1] == "Conv2D" else _PoolWindow
    return kind(window, map, row, column).picture()


def network(
    step: int = 3,
    wrong: str | None = None,
    window: int | None = None,
    map: int = 0,
    row: int = 0,
    column: int = 0,
) -> Explorer:
    """Return the walk as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = network(12, wrong="flatten")
    """
    options = {words: name for name, (_, _, words) in WRONG.items()}
    windows = {words: layer for layer, words in WINDOWS.items()}

    def whole(values):
        return values["window"] is None

    def steps(values):
        return range(LAST + 1) if whole(values) else (values["window"],)

    def place(label, axis):
        def last(values):
            return 0 if whole(values) else walk()[values["window"]].array.shape[1:][axis] - 1

        def sample(values):  # what a layer does backward changes no window
            stops = SAMPLE[values["window"]][axis > 0]
            return stops if values["wrong"] is None else stops[:1]

        return Slider(label, last, sample=sample, shown=lambda values: not whole(values))

    return Explorer(
        draw,
        {
            "wrong": Choice("On the way back", {"all layers are right": None, **options}),
            "window": Choice("Look at", {"all that is handed on": None, **windows}),
            "step": Slider(
                "Step",
                lambda values: LAST,
                lambda values: f"{values['step']}: {_Scene(values['step'], None).who_and_way()}",
                walk=0,
                sample=steps,
                shown=whole,
            ),
            "map": place("Map", 0),
            "row": place("Row", 1),
            "column": place("Column", 2),
        },
        step=step,
        wrong=wrong,
        window=window,
        map=map,
        row=row,
        column=column,
    )


network.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, step: int, wrong: str | None):
        self.step, self.wrong = step, wrong
        self.now, self.array = walk(wrong)[step], walk(wrong)[step].array
        self.forward = step <= TURN
        place = step - 1 if self.forward else LAST - step
        self.place = place if 0 <= place < len(LAYERS) else None
        self.who = LAYERS[place] if self.place is not None else "the loss"
        self.astray = astray(wrong, step)

    def picture(self) -> svg.Picture:
        middle = svg.move(self.what(), 0, 0) + svg.move(self.notes(), NOTES, 0)
        return svg.above(
            svg.Drawing(self.chain(), WIDTH, TOP),
            self.header(),
            svg.Drawing(middle, WIDTH, HEIGHT),
            self.verdict(),
            gap=16,
        ).picture(self.alt())

    # What it tells

    def name(self) -> str:
        special = {0: "x", TURN: "p", TURN + 1: "dlogits"}
        return special.get(self.step, "y" if self.forward else "dx")

    def title(self) -> str:
        if self.step == 0:
            return "The shirt goes in"
        if self.step == TURN:
            return "The walk turns round at the loss"
        return f"{'Forward' if self.forward else 'Backward'}: {self.who} returns {self.name()}"

    def who_and_way(self) -> str:
        if self.step == 0:
            return "the shirt"
        return f"{self.who} {'forward' if self.forward else 'backward'}"

    def scale(self) -> str:
        ends = f"{svg.short(self.array.min())} to {svg.short(self.array.max())}"
        if self.step == TURN:
            return "What softmax makes of the scores: ten probabilities."
        if self.array.shape == (1, 10):
            return f"Ten numbers, one for each class, from {ends}."
        if self.forward:
            return (
                f"{self.array.size:,} numbers from {ends}: black is the lowest, white the highest."
            )
        return f"{self.array.size:,} numbers from {ends}: blue below 0, orange above, white is 0."

    def lists(self) -> list[tuple[str, list[str]]]:
        """What the layer keeps; on the way back, what it reads and which gradients it sets."""
        if self.step == 0:
            return [("Nothing is kept yet", [])]
        kept = (self.now if self.forward else walk()[LAST + 1 - self.step]).kept
        kept = [f"{name} {_shape(a)}" for name, a in kept.items()]
        who = self.who[0].upper() + self.who[1:]
        if self.forward:
            return [(f"{who} keeps", kept)]
        found = [f"{name} {_shape(a)}" for name, a in self.now.found.items()]
        return [(f"{who} reads", kept)] + ([("and sets", found)] if found else [])

    def conclusion(self) -> str:
        if self.step == TURN:
            p = self.array[0, _shirt()[1]]
            return f"The shirt got {svg.short(p)}, so the loss is −ln {svg.short(p)} = {svg.short(-np.log(p))}."
        if self.forward:
            steps = walk()[: self.step + 1]
            count = sum(np.size(a) for step in steps for a in step.kept.values())
            return f"Kept so far for the way back: {count:,} numbers."
        if self.astray:
            told = ", ".join(f"{count:,} in {name}" for name, count in self.astray.items())
            return f"✗ Wrong numbers: {told}. Every shape is right, so nobody complains."
        length = svg.short(np.linalg.norm(self.array))
        return f"The length of this gradient, the root of its sum of squares, is {length}."

    def alt(self) -> str:
        lists = [f"{heading} {', '.join(items)}".strip() + "." for heading, items in self.lists()]
        told = f"{self.title()}: shape {self.array.shape}. {self.scale()}"
        return " ".join(
            [f"The network, step {self.step} of {LAST}.", told, *lists, self.conclusion()]
        )

    # How it is drawn

    def header(self) -> svg.Drawing:
        return svg.above(
            svg.beside(
                svg.label(self.title(), size=17, weight="bold"),
                svg.label(f"{self.name()} {self.array.shape}", size=14, mono=True),
                gap=20,
            ),
            svg.label(self.scale(), fill=svg.QUIET),
            gap=4,
        )

    def verdict(self) -> svg.Drawing:
        more = " Click on a pixel to see what it is made of." if self.step in WINDOWS else ""
        fill = svg.WRONG if self.astray else svg.INK
        return svg.label(self.conclusion() + more, size=14, fill=fill)

    def chain(self) -> str:
        """Draw the shirt, the layers and the loss, and the two ways between them."""
        shirt = _grey(walk()[0].array[0, 0])
        body = svg.image(shirt, 0, 0, SHIRT, TOP)
        body += _door(0, SHIRT, 0)
        x = SHIRT
        for k, name in enumerate((*LAYERS, "loss")):
            body += self.ways(x, k)
            x += LINK
            width = BOX if k < len(LAYERS) else LOSS
            body += self.box(x, width, k, name) + _door(x, width, k + 1)
            x += width
        return body

    def ways(self, x: float, k: int) -> str:
        """Draw the arrow there and the arrow back, from the node before to the node of layer k."""
        body = ""
        for step, y, ends in (
            (k, 13, (x + 2, x + LINK - 2)),
            (LAST - k, 30, (x + LINK - 2, x + 2)),
        ):
            colour = svg.EDGE if step > self.step else svg.INK if step == k else svg.BLUE
            body += svg.arrow(
                ends[0],
                y,
                ends[1],
                y,
                stroke=colour,
                stroke_width=3.5 if step == self.step else 1.5,
            )
        return body + _door(x, LINK, k)

    def box(self, x: float, width: float, k: int, name: str) -> str:
        at_work = k == self.place or (k == len(LAYERS) and self.step in (TURN, TURN + 1))
        fill = svg.YELLOW if at_work else PASSED if self.step > k else svg.CARD
        edge = {"stroke": svg.INK, "stroke_width": 1.2}
        if self.wrong and k == WRONG[self.wrong][0]:
            edge = {"stroke": svg.WRONG, "stroke_width": 3, "dashed": True}
        return svg.rect(x, 0, width, TOP, fill=fill, radius=5, **edge) + svg.text(
            x + width / 2, TOP / 2, name, size=10.5, anchor="middle", fill=svg.BLACK
        )

    def what(self) -> str:
        """Draw what is handed on: maps, a row, or a bar for each class."""
        if self.array.ndim == 4:
            maps = _maps(self.colours(self.array[0]))
            return maps + _entrances(self.step) if self.step in WINDOWS else maps
        if self.array.shape[1] == 10:
            return self.bars()
        return _row(self.colours(self.array))

    def colours(self, a: np.ndarray) -> np.ndarray:
        return _grey(a) if self.forward else svg.signed_colours(a)

    def bars(self) -> str:
        _, label, names = _shirt()
        values = self.array[0]
        middle, longest = 340, 170
        row = HEIGHT / len(values)
        body = svg.line(middle, 0, middle, HEIGHT, stroke=svg.EDGE)
        for k, (name, value) in enumerate(zip(names, values, strict=True)):
            y = (k + 0.5) * row
            length = abs(value) / np.abs(values).max() * longest
            left = middle - length if value < 0 else middle
            fill = svg.INK if self.forward else svg.NEGATIVE if value < 0 else svg.POSITIVE
            weight = "bold" if k == label else "normal"
            body += svg.text(96, y, name, size=12, anchor="end", weight=weight)
            body += svg.text(150, y, f"{value:.3f}", size=12, anchor="end", mono=True)
            body += svg.rect(left, y - 5, length, 10, fill=fill)
        return body

    def notes(self) -> str:
        """List, in a box, what the layer keeps or reads, and what it sets."""
        body = svg.panel(0, 0, WIDTH - NOTES, HEIGHT)
        y = 18
        for heading, items in self.lists():
            body += svg.text(12, y, heading, size=12, weight="bold")
            for item in items:
                y += 20
                wrong = item.split()[0] in self.astray
                words = f"✗ {item}" if wrong else item
                fill = svg.WRONG if wrong else svg.INK
                body += svg.text(12, y, words, size=11, mono=True, fill=fill)
            y += 30
        return body


@cache
def _around(step: int) -> tuple[str, str]:
    """Return what is the same for all windows of a step: the chain and the maps."""
    scene = _Scene(step, None)
    return scene.chain(), scene.what()


class _Window(_Scene):
    """One number of a layer's output; what it was made from is told by the subclass."""

    def __init__(self, step: int, f: int, row: int, column: int):
        super().__init__(step, None)
        self.f, self.row, self.column = f, row, column
        self.before = walk()[step - 1].array[0]
        self.find()

    def picture(self) -> svg.Picture:
        height = self.array.shape[2]
        rows, _, side = _layout(self.array.shape[1:])
        chain, maps = _around(self.step)
        return svg.above(
            svg.Drawing(chain, WIDTH, TOP),
            svg.above(
                svg.label(self.title(), size=17, weight="bold"),
                svg.label(self.told(), fill=svg.QUIET),
                gap=4,
            ),
            svg.Drawing(maps + self.mark(), WIDTH, rows * (height + 1) * side),
            self.made_from(),
            self.words(),
            gap=14,
        ).picture(self.alt())

    def title(self) -> str:
        return f"{self.who}: y[0, {self.f}, {self.row}, {self.column}] = {_two(self.number())}"

    def number(self) -> float:
        return float(self.array[0, self.f, self.row, self.column])

    def words(self) -> svg.Drawing:
        return svg.label(f"y = {self.terms()}", mono=True, size=12)

    def mark(self) -> str:
        x, y, side = _place_of(self.array.shape[1:], self.f)
        x, y = x + self.column * side - 2, y + self.row * side - 2
        return svg.rect(x, y, side + 4, side + 4, stroke=svg.VERMILLION, stroke_width=2.5)


class _PoolWindow(_Window):
    """One number of a pool's output: its window, and which pixel won."""

    def find(self):
        self.top, self.left = POOL * self.row, POOL * self.column
        rows, columns = slice(self.top, self.top + POOL), slice(self.left, self.left + POOL)
        self.x = self.before[self.f, rows, columns]
        self.won = np.unravel_index(self.x.argmax(), self.x.shape)

    def told(self) -> str:
        rows, columns = (f"{first} and {first + 1}" for first in (self.top, self.left))
        return f"Made from rows {rows} and columns {columns} of channel {self.f} alone. Click on another."

    def terms(self) -> str:
        return f"max({', '.join(map(_two, self.x.flat))}) = {_two(self.number())}"

    def route(self) -> str:
        pixel = f"dx[0, {self.f}, {self.top + self.won[0]}, {self.left + self.won[1]}]"
        if (ties := int((self.x == self.x.max()).sum())) > 1:
            return f"{ties} pixels tie: on the way back the first of them, {pixel}, gets all of dy."
        return f"On the way back {pixel} gets all of dy, and the other three get 0."

    def alt(self) -> str:
        return f"{self.title()}. {self.told()} y = {self.terms()}. {self.route()}"

    def words(self) -> svg.Drawing:
        return svg.above(super().words(), svg.label(self.route(), size=14), gap=12)

    def made_from(self) -> svg.Drawing:
        """Draw the window, the maximum in it, and the way to y."""
        fills = np.full(self.x.shape, svg.tint(svg.SKY, 0.45), object)
        fills[self.won] = svg.ORANGE
        words = np.vectorize(_two, otypes=[object])
        rows, columns = ([str(first + k) for k in range(POOL)] for first in (self.top, self.left))
        size = {"min_width": 60}
        x = svg.cells(words(self.x), fill=fills, rows=rows, columns=columns, **size).titled("x")
        y = svg.cells(words([self.number()]), fill=svg.ORANGE, **size).titled("y")
        way = svg.Drawing(svg.arrow(4, 68, 76, 68, stroke_width=4), 80, x.height)
        y = svg.Drawing(svg.move(y.body, 0, 68 - 37), y.width, y.height)  # its middle on the arrow
        return svg.beside(x, way, y, gap=14)


class _ConvWindow(_Window):
    """One number of a convolution's output: the window that it was made from, and the products."""

    def find(self):
        layer = _layers(None)[self.place]
        rows, columns = (slice(first, first + KERNEL) for first in (self.row, self.column))
        x = np.pad(self.before, ((0, 0), (PAD, PAD), (PAD, PAD)))
        self.x, self.W, self.b = x[:, rows, columns], layer.W[self.f], layer.b[self.f]
        self.inside = np.pad(np.ones(self.before.shape[1:], bool), PAD)[rows, columns]

    def told(self) -> str:
        rows, columns = (
            f"{first - PAD} to {first - PAD + KERNEL - 1}" for first in (self.row, self.column)
        )
        channels = "the one channel" if len(self.x) == 1 else f"each of {len(self.x)} channels"
        return f"Made from rows {rows} and columns {columns} of {channels} (grey: padding). Click on another."

    def sums(self) -> np.ndarray:
        return (self.x * self.W).sum(axis=(1, 2))

    def terms(self) -> str:
        terms = " + ".join(_bracketed(value) for value in (*self.sums(), self.b))
        return f"{terms} = {_two(self.number())}, the last of them the bias."

    def alt(self) -> str:
        return f"{self.title()}. {self.told()} The products of each channel add up: {self.terms()}"

    def made_from(self) -> svg.Drawing:
        """Draw the window, the kernel and the products of each channel, and their sum."""
        wide, high, left = 29, 19, 42
        body = ""
        blocks = [("x", self.x), ("W", self.W), ("x·W", self.x * self.W)]
        for n, (name, values) in enumerate(blocks):
            top = 18 + n * (KERNEL * high + 9)
            body += svg.text(0, top + KERNEL * high / 2, name, weight="bold", mono=True)
            strongest = np.abs(values).max() or 1
            for c, i, j in np.ndindex(values.shape):
                value = values[c, i, j]
                fill = svg.tint(svg.NEGATIVE if value < 0 else svg.POSITIVE, abs(value) / strongest)
                if name == "x" and not self.inside[i, j]:
                    fill = svg.EDGE
                x = left + c * (KERNEL * wide + 6) + j * wide
                body += svg.cell(x, top + i * high, wide, high, _two(value), fill=fill, size=9)
        bottom = 18 + 3 * (KERNEL * high + 9) + 6
        body += svg.text(0, bottom, "sum", weight="bold", mono=True)
        for c, value in enumerate(self.sums()):
            middle = left + c * (KERNEL * wide + 6) + KERNEL * wide / 2
            body += svg.text(middle, 8, f"channel {c}", size=11, anchor="middle", fill=svg.QUIET)
            body += svg.text(middle, bottom, _two(value), size=12, anchor="middle", mono=True)
        return svg.Drawing(body, WIDTH, bottom + 10)


def _two(value: float) -> str:
    """Two decimals, and no minus before 0.00."""
    return f"{round(float(value), 2) + 0:.2f}"


def _bracketed(value: float) -> str:
    words = _two(value)
    return f"({words})" if words.startswith("-") else words


def _shape(a) -> str:
    return f"= {a}" if isinstance(a, tuple) else str(a.shape).replace(" ", "")


def _door(x: float, width: float, k: int) -> str:
    """Two places to point at: the upper half leads to the step there, the lower to the one back."""
    halves = {k: 0, LAST - k: TOP / 2}
    return "".join(
        f'<g data-pick="step={step}"><path d="M{x:g} {y:g}h{width:g}v{TOP / 2:g}h{-width:g}z" '
        'fill="transparent"/></g>'
        for step, y in halves.items()
    )


def _grey(a: np.ndarray) -> np.ndarray:
    """Colours from black, the lowest, to white, the highest."""
    share = (a - a.min()) / ((a.max() - a.min()) or 1)
    return np.repeat(np.round(255 * share)[..., None], 3, axis=-1).astype(np.uint8)


def _maps(colours: np.ndarray) -> str:
    """Draw (C, H, W) colours as maps side by side, in two rows, each pixel a square."""
    C, H, W, _ = colours.shape
    rows, across, side = _layout((C, H, W))
    tiles = np.full((rows, across, H + 1, W + 1, 3), 255, np.uint8)  # a white line between two
    tiles[:, :, :H, :W] = colours.reshape(rows, across, H, W, 3)
    sheet = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * (H + 1), across * (W + 1), 3)[:-1, :-1]
    return svg.image(sheet, 0, 0, side * sheet.shape[1], side * sheet.shape[0])


def _layout(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return how many rows of maps there are, how many maps in a row, and the side of a pixel."""
    C, H, W = shape
    rows = 1 if C == 1 else 2
    across = C // rows
    return rows, across, min(PICTURE // (across * (W + 1) - 1), HEIGHT // (rows * (H + 1) - 1))


def _place_of(shape: tuple[int, int, int], f: int) -> tuple[float, float, float]:
    """Return where a map begins, and the side of a pixel."""
    _, across, side = _layout(shape)
    return f % across * (shape[2] + 1) * side, f // across * (shape[1] + 1) * side, side


def _entrances(step: int) -> str:
    """Places to click on: each pixel of a map leads to its window."""
    C, H, W = shape = walk()[step].array.shape[1:]
    body = ""
    for f in range(C):
        x, y, side = _place_of(shape, f)
        body += (
            f'<g data-open="window={WINDOWS[step]};map={f}" data-field="row={H};column={W}">'
            f'<path d="M{x:g} {y:g}h{W * side:g}v{H * side:g}h{-W * side:g}z" fill="transparent"/></g>'
        )
    return body


def _row(colours: np.ndarray) -> str:
    """Draw a row of 784 colours in four lines, with the maps that they are from."""
    body = ""
    for k, line in enumerate(colours.reshape(4, 196, 3)):
        words = f"places {196 * k} to {196 * k + 195}: maps {4 * k} to {4 * k + 3}"
        body += svg.text(0, 44 * k + 7, words, size=11, fill=svg.QUIET)
        body += svg.image(line[None], 0, 44 * k + 15, 3 * 196, 24)
    return body
