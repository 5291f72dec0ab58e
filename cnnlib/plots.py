"""Pictures of arrays and of the course's network: pure functions.

Those made with matplotlib return a Figure; `show` turns it into a picture with alternative text.
"""

import io
from functools import cache
from itertools import cycle

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cnnlib import datasets, svg
from cnnlib.svg import Drawing, Picture, arrow, move, rect, text

DPI = 110
SIGNED = LinearSegmentedColormap.from_list("signed", [svg.NEGATIVE, svg.CARD, svg.POSITIVE], N=257)
# A colour, a dash and a marker for each curve, so that any one of them is enough.
CURVES = (
    (svg.BLUE, "-", "o"),
    (svg.VERMILLION, "--", "s"),
    (svg.GREEN, "-.", "^"),
    (svg.PURPLE, ":", "D"),
    (svg.ORANGE, "-", "v"),
    (svg.SKY, "--", "P"),
)


class Shown:
    """A finished Figure with its alternative text; Jupyter shows it."""

    def __init__(self, png: bytes, alt: str):
        self.png, self.alt = png, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return svg.figure("image/png", self.png, self.alt)


def show(figure: Figure, alt: str) -> Shown:
    """Return a Figure as a picture that says in words what it shows.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the picture says, for readers who can't see it.

    Examples
    --------
    >>> show(heat(np.eye(3)), alt="Ones on the diagonal")
    Ones on the diagonal
    """
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
    return Shown(data.getvalue(), alt)


def pictures(
    images, titles=None, columns: int = 5, scale: float = 1.1, signed: bool = False, rows=()
) -> Figure:
    """Draw pictures in a grid, in grey or, where their numbers have a sign, in two colours.

    Parameters
    ----------
    images : array_like, (N, H, W) or (N, 1, H, W)
        All drawn with the same black and white: the smallest and the largest value of all.
    titles : sequence of str, optional
        One above each picture.
    columns : int
        Pictures in a row.
    scale : float
        Inches for the width of one picture.
    signed : bool
        Draw 0 white, what is below it blue and what is above it orange, as strong on both sides.
    rows : sequence of str, optional
        A label to the left of each row.

    Raises
    ------
    ValueError
        If `images` has another number of axes, or there aren't as many titles as pictures.

    Examples
    --------
    >>> len(pictures(np.zeros((3, 4, 5)), titles="abc").axes)
    3
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim != 3:
        raise ValueError(f"pictures: images has shape {images.shape}; give (N, H, W)")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"pictures: {len(titles)} titles for {len(images)} pictures")
    columns = min(columns, len(images))
    count = -(-len(images) // columns)  # rounded up
    if len(rows) not in (0, count):
        raise ValueError(f"pictures: {len(rows)} labels for {count} rows")
    if signed:
        most = float(np.abs(images).max()) or 1.0
        colours = {"cmap": SIGNED, "vmin": -most, "vmax": most}
    else:
        colours = {"cmap": "gray", "vmin": images.min(), "vmax": images.max()}
    height = scale * images.shape[1] / images.shape[2] + (0.22 if titles is not None else 0)
    figure = Figure(figsize=(scale * columns, height * count), layout="constrained")
    for k, image in enumerate(images):
        axes = figure.add_subplot(count, columns, k + 1)
        axes.imshow(image, **colours)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if titles is not None:
            axes.set_title(titles[k], fontsize=9)
        if len(rows) and k % columns == 0:
            axes.set_ylabel(rows[k // columns], fontsize=9)
    return figure


def strip(row, width: float = 9.0) -> Figure:
    """Draw a row of numbers as one long strip of grey.

    Parameters
    ----------
    row : array_like, (D,)
    width : float
        Inches.

    Examples
    --------
    >>> len(strip(np.arange(784)).axes)
    1
    """
    figure = Figure(figsize=(width, 0.5), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(np.atleast_2d(row), cmap="gray", aspect="auto", interpolation="nearest")
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    return figure


def heat(array, title: str = "", limit: float | None = None, size: float = 3.0) -> Figure:
    """Draw a matrix of positive and negative numbers: blue, white at 0, orange, with a scale beside it.

    Parameters
    ----------
    array : array_like, (H, W)
    title : str
    limit : float, optional
        The value of the strongest colours; by default the largest absolute value.
    size : float
        Inches for the longer side.

    Examples
    --------
    >>> len(heat(np.eye(3)).axes)  # the matrix and its scale
    2
    """
    array = np.asarray(array, float)
    limit = limit or float(np.abs(array).max()) or 1.0
    height, width = np.array(array.shape) / max(array.shape) * size
    figure = Figure(figsize=(width + 1.0, height + 0.4), layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.imshow(array, cmap=SIGNED, vmin=-limit, vmax=limit)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=10)
    figure.colorbar(drawn, ax=axes, shrink=0.8).ax.tick_params(labelsize=8)
    return figure


def gradient_lengths(layers, lengths, width: float = 9.0) -> Figure:
    """Draw the length of the gradient on every arrow of a network, from the picture to the loss.

    Parameters
    ----------
    layers : sequence of str
        The names of the L layers, the first one first.
    lengths : array_like, (L + 1,)
        Before each layer, and behind the last one.
    width : float
        Inches.

    Raises
    ------
    ValueError
        If there isn't one length more than there are layers.

    Examples
    --------
    >>> len(gradient_lengths(["Flatten", "Dense"], [1.4, 1.4, 1.0]).axes[0].patches)
    3
    """
    if len(lengths) != len(layers) + 1:
        raise ValueError(
            f"gradient_lengths: {len(lengths)} lengths for {len(layers)} layers; give one for each "
            "arrow, one more than there are layers"
        )
    figure = Figure(figsize=(width, 2.6), layout="constrained")
    axes = figure.add_subplot(ylabel="length of the gradient")
    bars = axes.bar(range(len(lengths)), lengths, width=0.35, color=svg.BLUE)
    axes.bar_label(bars, fmt="%.3g", fontsize=9, padding=2)
    # The layers stand between the arrows, the picture and the loss at the two ends.
    places = [-0.5, *(k + 0.5 for k in range(len(layers))), len(layers) + 0.5]
    axes.set_xticks(places, ["picture", *layers, "loss"], fontsize=9)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.9, len(layers) + 0.9)
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("← the walk back", fontsize=9, loc="right")
    return figure


def curves(
    lines,
    xlabel: str,
    ylabel: str,
    *,
    bold: str | None = None,
    limits: tuple[float, float] | None = None,
    width: float = 7.5,
) -> Figure:
    """Draw several curves that can be told apart without their colours.

    Parameters
    ----------
    lines : dict of str to (x, y)
        Each curve's name and points.
    xlabel, ylabel : str
    bold : str, optional
        The name of the curve to which the others are compared.
    limits : (low, high), optional
        What the upright axis shows.
    width : float
        Inches.

    Raises
    ------
    ValueError
        If no curve has the name `bold`.

    Examples
    --------
    >>> figure = curves({"right": ([1, 2], [3, 1])}, "step", "loss", bold="right")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['right']
    """
    if bold is not None and bold not in lines:
        raise ValueError(f"curves: there is no curve {bold!r}; there are {', '.join(lines)}")
    figure = Figure(figsize=(width, 3.4), layout="constrained")
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
    others = cycle(CURVES)
    for name, (x, y) in lines.items():
        if name == bold:
            axes.plot(x, y, label=name, color=svg.BLACK, linewidth=4, zorder=1)
        else:
            colour, dashes, marker = next(others)
            axes.plot(
                *(x, y, dashes),
                **{"label": name, "color": colour, "marker": marker, "markersize": 5},
                **{"markevery": max(len(x) // 8, 1)},
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half step
    if limits is not None:
        axes.set_ylim(*limits)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", fontsize=9, frameon=False)
    return figure


def bars(seconds, xlabel: str = "milliseconds", width: float = 7.5) -> Figure:
    """Draw how long things take, one bar each, on an axis where each step is ten times the one before.

    Parameters
    ----------
    seconds : dict of str to float
        What took how long; the first one stands on top.
    xlabel : str
        What is measured, in milliseconds.
    width : float
        Inches.

    Examples
    --------
    >>> figure = bars({"loops": 2.0, "one product": 0.004})
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['loops', 'one product']
    """
    figure = Figure(figsize=(width, 0.42 * len(seconds) + 0.8), layout="constrained")
    axes = figure.add_subplot(xlabel=xlabel)
    times = [1000 * t for t in seconds.values()]
    drawn = axes.barh(list(seconds), times, height=0.6, color=svg.BLUE)
    axes.bar_label(drawn, [f"{t:,.3g}" if t < 1000 else f"{t:,.0f}" for t in times], padding=4)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(min(times) / 3, max(times) * 3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def races(
    runs,
    xlabel: str,
    ylabel: str,
    *,
    bold: str,
    limits: tuple[float, float] | None = None,
    columns: int = 3,
    width: float = 9.0,
) -> Figure:
    """Draw several runs of each kind, one small picture for each, always with the runs of one kind.

    Single runs are thin and pale, and their mean is strong.

    Parameters
    ----------
    runs : dict of str to (x, y)
        For each kind its points: x is (P,), and y is (R, P) with a row for each run.
    xlabel, ylabel : str
    bold : str
        The name of the kind to which each of the others is compared.
    limits : (low, high), optional
        What the upright axes show.
    columns : int
        Pictures in a row.
    width : float
        Inches.

    Raises
    ------
    ValueError
        If there is nothing called `bold`, or nothing beside it.

    Examples
    --------
    >>> x = [1, 2, 3]
    >>> runs = {"right": (x, [[0, 1, 2], [0, 2, 2]]), "wrong": (x, [[0, 0, 1], [0, 1, 1]])}
    >>> [axes.get_title() for axes in races(runs, "step", "accuracy", bold="right").axes]
    ['wrong']
    """
    others = [name for name in runs if name != bold]
    if bold not in runs or not others:
        raise ValueError(
            f"races: give runs called {bold!r} and others beside them; there are {', '.join(runs)}"
        )
    rows = -(-len(others) // columns)
    figure = Figure(figsize=(width, 2.2 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, min(columns, len(others)), sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(others) :]:
        axes.remove()
    for axes, name in zip(grid.flat, others, strict=False):
        for kind, colour, dashes in ((bold, svg.BLACK, "-"), (name, svg.VERMILLION, "--")):
            x, y = runs[kind]
            axes.plot(x, np.transpose(y), color=colour, linewidth=0.7, alpha=0.45)
            axes.plot(x, np.mean(y, axis=0), dashes, color=colour, linewidth=2.5, label=kind)
        axes.set_title(name, fontsize=10, color=svg.VERMILLION)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    if limits is not None:
        axes.set_ylim(*limits)
    figure.supxlabel(xlabel, fontsize=10)
    figure.supylabel(ylabel, fontsize=10)
    lines = grid[0, 0].get_lines()
    strong = [line for line in lines if not line.get_label().startswith("_")]
    words = [bold, "the one named above its picture (thin: single runs; thick: their mean)"]
    figure.legend(strong, words, loc="outside upper left", ncols=2, fontsize=9, frameon=False)
    return figure


def paths(paths, slopes=(1.0, 20.0)) -> Figure:
    """Draw ways through the valley L = (slopes[0]·a² + slopes[1]·b²) / 2, seen from above.

    Each begins at a square; the lowest point is a star.

    Parameters
    ----------
    paths : dict of str to array_like, (steps + 1, 2)
        Each way's name, and the a and b of its points.
    slopes : pair of float
        How steep the valley is along a and along b.

    Examples
    --------
    >>> len(paths({"one step": [[-4, 1], [-3, 0]]}).axes)
    1
    """
    rows = -(-len(paths) // 2)
    figure = Figure(figsize=(9, 2.1 * rows), layout="constrained")
    a, b = np.meshgrid(np.linspace(-4.6, 2.4, 200), np.linspace(-1.4, 1.4, 100))
    height = (slopes[0] * a**2 + slopes[1] * b**2) / 2
    for k, (name, points) in enumerate(paths.items()):
        points = np.asarray(points, float)
        axes = figure.add_subplot(rows, min(2, len(paths)), k + 1, xlabel="a", ylabel="b")
        axes.contour(a, b, height, levels=10, colors=svg.EDGE, linewidths=0.8)
        axes.plot(*points.T, "o-", color=svg.BLUE, markersize=3.5, linewidth=1)
        axes.plot(*points[0], "s", color=svg.VERMILLION)
        axes.plot(0, 0, "*", color=svg.BLACK, markersize=12)
        axes.set(xlim=(-4.6, 2.4), ylim=(-1.4, 1.4))
        axes.set_title(name, fontsize=10)
    return figure


class Table:
    """A finished table of words with its caption; Jupyter shows it."""

    def __init__(self, html: str, caption: str):
        self.html, self.caption = html, caption

    def __repr__(self) -> str:
        return self.caption

    def _repr_html_(self) -> str:
        return self.html


def table(columns, rows, caption: str) -> Table:
    """Return a table of measured values: as text it is only its caption, the same on each machine.

    Parameters
    ----------
    columns : sequence of str
        The head of the table.
    rows : sequence of sequences of str
        The first word of each names the row.
    caption : str

    Raises
    ------
    ValueError
        If a row has not as many words as there are columns.

    Examples
    --------
    >>> table(["layer", "milliseconds"], [["Conv2D", "3.1"]], "A step of each layer")
    A step of each layer
    """
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"table: {len(row)} words in a row, but {len(columns)} columns: {row}")
    left = ' style="text-align:left"'
    head = "".join(  # a heading without words would be read aloud as one
        f'<th scope="col"{left}>{svg.escape(name)}</th>' if name else "<td></td>"
        for name in columns
    )
    body = "".join(
        f'<tr><th scope="row"{left}>{svg.escape(name)}</th>'
        + "".join(f"<td{left}>{svg.escape(word)}</td>" for word in words)
        + "</tr>"
        for name, *words in rows
    )
    caption_html = f"<caption{left}>{svg.escape(caption)}</caption>"
    html = f"<table class='measured'>{caption_html}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return Table(html, caption)


def layer_maps(named, columns: int = 8, width: float = 7.5) -> Figure:
    """Draw the maps that one picture becomes, layer after layer, one block for each layer.

    Parameters
    ----------
    named : sequence of (str, array_like of shape (C, H, W))
        A name for each layer, and its maps. All maps of a layer are drawn with the same colours: 0
        white, what is below it blue and what is above it orange.
    columns : int
        Maps in a row.
    width : float
        Inches.

    Raises
    ------
    ValueError
        If a layer's output is no stack of maps.

    Examples
    --------
    >>> figure = layer_maps([("Conv2D", np.zeros((8, 6, 6))), ("MaxPool2D", np.zeros((8, 3, 3)))])
    >>> [part.get_suptitle() for part in figure.subfigs]
    ['Conv2D, 8×6×6', 'MaxPool2D, 8×3×3']
    """
    stacks = [(name, np.asarray(maps)) for name, maps in named]
    for name, maps in stacks:
        if maps.ndim != 3:
            raise ValueError(f"layer_maps: {name} has shape {maps.shape}; give maps (C, H, W)")
    rows = [-(-len(maps) // columns) for _, maps in stacks]
    heights = [
        count * width / columns * maps.shape[1] / maps.shape[2] + 0.25
        for count, (_, maps) in zip(rows, stacks, strict=True)
    ]
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    parts = np.atleast_1d(figure.subfigures(len(stacks), 1, height_ratios=heights))
    for part, count, (name, maps) in zip(parts, rows, stacks, strict=True):
        part.suptitle(f"{name}, {'×'.join(map(str, maps.shape))}", fontsize=9)
        most = float(np.abs(maps).max()) or 1.0
        # One image of all maps: axes for each of them would take ten times as long.
        axes = part.add_subplot()
        colours = SIGNED.with_extremes(bad=svg.EDGE)
        axes.imshow(_tiled(maps, count, columns), cmap=colours, vmin=-most, vmax=most)
        axes.set_axis_off()
    return figure


def _tiled(maps, rows: int, columns: int) -> np.ndarray:
    """All maps in one, row after row, with a frame of NaN around each; where one is missing, NaN."""
    C, H, W = maps.shape
    frame = max(1, W // 14)
    tiles = np.full((rows * columns, H + frame, W + frame), np.nan)
    tiles[:C, frame:, frame:] = maps
    tiles = tiles.reshape(rows, columns, H + frame, W + frame).swapaxes(1, 2)
    tiles = tiles.reshape(rows * (H + frame), columns * (W + frame))
    return np.pad(tiles, ((0, frame), (0, frame)), constant_values=np.nan)


def overlay(images, maps, titles=None, columns: int = 5, scale: float = 1.5) -> Figure:
    """Draw maps, each with the outline of what is in the picture that it belongs to.

    Parameters
    ----------
    images : array_like, (N, H, W) or (N, 1, H, W)
        The outline runs where pixels above a tenth of the brightest meet others.
    maps : array_like, (N, H, W)
        One for each picture, with a scale of its own: 0 white, what is above it orange, what is
        below it blue, up to the strongest value.
    titles : sequence of str, optional
        One above each picture.
    columns : int
        Pictures in a row.
    scale : float
        Inches for the width of one picture.

    Raises
    ------
    ValueError
        If pictures, maps and titles don't belong together.

    Examples
    --------
    >>> len(overlay(np.eye(6)[None], np.ones((1, 6, 6))).axes)
    1
    """
    images, maps = np.asarray(images), np.asarray(maps)
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim != 3 or images.shape != maps.shape:
        raise ValueError(
            f"overlay: images has shape {images.shape} and maps {maps.shape}; both must be (N, H, W)"
        )
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"overlay: {len(titles)} titles for {len(images)} pictures")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height = scale * images.shape[1] / images.shape[2] + (0.22 if titles is not None else 0)
    figure = Figure(figsize=(scale * columns, height * rows), layout="constrained")
    for k, (image, one) in enumerate(zip(images, maps, strict=True)):
        axes = figure.add_subplot(rows, columns, k + 1)
        most = float(np.abs(one).max()) or 1.0
        axes.imshow(one, cmap=SIGNED, vmin=-most, vmax=most)
        _outline(axes, image > image.max() / 10)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(svg.EDGE)
        if titles is not None:
            axes.set_title(titles[k], fontsize=9)
    return figure


def _outline(axes, inside) -> None:
    """Draw the edges of the pixels at which something begins or ends."""
    right, below = np.diff(inside, axis=1), np.diff(inside, axis=0)
    sides = [[(j + 0.5, i - 0.5), (j + 0.5, i + 0.5)] for i, j in np.argwhere(right)]
    sides += [[(j - 0.5, i + 0.5), (j + 0.5, i + 0.5)] for i, j in np.argwhere(below)]
    axes.add_collection(LineCollection(sides, colors=svg.INK, linewidths=0.9))


def confusion(counts, class_names, size: float = 6.0) -> Figure:
    """Draw how often each class was taken for each: right answers blue, mistakes orange.

    Parameters
    ----------
    counts : array_like of int, (K, K)
        A row for each true class, a column for each answer, as `inside.confusion_matrix` counts them.
    class_names : sequence of str, (K,)
    size : float
        Inches for the width.

    Raises
    ------
    ValueError
        If there isn't a row and a column for each class.

    Examples
    --------
    >>> axes = confusion([[9, 1], [0, 7]], ["Shirt", "Coat"]).axes[0]
    >>> [words.get_text() for words in axes.texts]
    ['9', '1', '7']
    """
    counts = np.asarray(counts)
    if counts.shape != (len(class_names),) * 2:
        raise ValueError(
            f"confusion: counts has shape {counts.shape}, but there are {len(class_names)} names"
        )
    right = np.eye(len(counts), dtype=bool)
    # A whole row is as blue as it can be where all its pictures are right; mistakes are fewer, so
    # they have a scale of their own.
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    most = float(shares[~right].max(initial=0)) or 1.0
    empty = counts == 0
    figure = Figure(figsize=(size, 0.85 * size), layout="constrained")
    axes = figure.add_subplot(xlabel="what the network says", ylabel="what it is")
    axes.imshow(np.where(right | empty, np.nan, shares), cmap="Oranges", vmin=0, vmax=1.6 * most)
    axes.imshow(np.where(right & ~empty, shares, np.nan), cmap="Blues", vmin=0, vmax=1.6)
    for i, j in np.argwhere(~empty):
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=9)
    axes.set_xticks(range(len(counts)), class_names, rotation=45, ha="right", fontsize=9)
    axes.set_yticks(range(len(counts)), class_names, fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


# ---------------------------------------------------------------------------- the network

# Each layer with the lesson that builds it, and the shape of one picture behind it.
LAYERS = (
    ("Conv2D", "conv", "8×28×28"),
    ("ReLU", "gradients", "8×28×28"),
    ("MaxPool2D", "pool", "8×14×14"),
    ("Conv2D", "conv", "16×14×14"),
    ("ReLU", "gradients", "16×14×14"),
    ("MaxPool2D", "pool", "16×7×7"),
    ("Flatten", "flatten", "784"),
    ("Dense", "dense", "10"),
    ("softmax and\ncross-entropy", "dense", "1 number"),
)
LESSONS = ("gradients", "conv", "pool", "flatten", "dense", "network")
# Pixels on the screen: a layer's box, the arrows between two, the way from one row to the next.
BOX, LINK, TURN, HEIGHT = 84, 62, 60, 46
ROW = 5  # layers in the first of the two rows
SHIRT = 56
BUILT, FAINT, BACK = "#DCEEFA", "#FFFFFF", svg.BLUE


def network(lesson: str = "network") -> Picture:
    """Draw the course's network, from the shirt to the loss and back.

    Parameters
    ----------
    lesson : {"gradients", "conv", "pool", "flatten", "dense", "network"}
        What this lesson builds is marked; what later ones build is faint.

    Raises
    ------
    ValueError
        If there is no such lesson.

    Examples
    --------
    >>> network("flatten").alt.splitlines()[-1]
    'This lesson builds Flatten. Later lessons build Dense, softmax and cross-entropy.'
    """
    if lesson not in LESSONS:
        raise ValueError(f"network: there is no lesson {lesson!r}; choose one of {LESSONS}")
    first = svg.beside(_shirt(), _chain("1×28×28", LAYERS[:ROW], lesson), gap=0)
    second = _chain(None, LAYERS[ROW:], lesson)
    loss = Drawing(text(4, HEIGHT / 2, "loss", size=15, weight="bold"), 48, HEIGHT)
    rows = svg.above(first, svg.beside(Drawing("", SHIRT + LINK, 0), second, loss, gap=0), gap=TURN)
    drawing = Drawing(
        rows.body + _turn(first.width, LAYERS[ROW - 1][2]), rows.width + 36, rows.height
    )
    key = svg.beside(
        svg.label("→ forward: what each layer hands on, for one picture", size=12),
        svg.label("← backward: the gradient, in the same shape", size=12, fill=BACK),
    )
    return svg.above(drawing, key).picture(_network_alt(lesson))


def _chain(shape: str | None, layers, lesson: str) -> Drawing:
    """Layers from left to right, with arrows between them, and before the first if it has a shape."""
    body, x = "", 0
    for name, built_in, following in layers:
        if shape:
            body += move(_link(shape), x, 0)
            x += LINK
        body += move(_box(name, built_in, lesson), x, 0)
        x += BOX
        shape = following
    if layers[-1] == LAYERS[-1]:
        body += move(_link(shape), x, 0)
        x += LINK
    return Drawing(body, x, HEIGHT)


def _turn(right: float, shape: str) -> str:
    """The way from the end of the first row to the beginning of the second, and back."""
    left, below = SHIRT + LINK, SHIRT + TURN
    middle = (HEIGHT + below) / 2

    def way(y, at_right, across, at_left, colour):
        corners = (
            f"M{right + 4:g} {y}H{at_right:g}V{across:g}H{at_left:g}V{below + y:g}H{left - 4:g}"
        )
        return f'<path d="{corners}" fill="none" stroke="{colour}" stroke-width="1.5"/>'

    # Forward runs outside at the right and inside at the left, so the two never cross.
    return (
        way(18, right + 30, middle + 7, left - 26, svg.INK)
        + way(32, right + 18, middle - 7, left - 38, BACK)
        + arrow(left - 14, below + 18, left - 4, below + 18)
        + arrow(right + 14, 32, right + 4, 32, stroke=BACK)
        + text(right, middle - 16, shape, size=10.5, anchor="end", fill=svg.QUIET)
    )


def _box(name: str, built_in: str, lesson: str) -> str:
    now = lesson in (built_in, "network")
    built = LESSONS.index(built_in) <= LESSONS.index(lesson)
    body = rect(
        0,
        0,
        BOX,
        HEIGHT,
        fill=svg.YELLOW if built_in == lesson else BUILT if built else FAINT,
        stroke=svg.INK if built else svg.EDGE,
        stroke_width=2.5 if now and lesson != "network" else 1.2,
        radius=6,
    )
    lines = name.split("\n")
    for k, line in enumerate(lines):
        y = HEIGHT / 2 + (k - (len(lines) - 1) / 2) * 15
        fill = svg.INK if built else svg.QUIET
        body += text(
            BOX / 2, y, line, anchor="middle", size=13 if len(lines) == 1 else 11, fill=fill
        )
    return body


def _link(shape: str) -> str:
    return (
        text(LINK / 2, 6, shape, size=10.5, anchor="middle", fill=svg.QUIET)
        + arrow(4, 18, LINK - 4, 18, stroke=svg.INK)
        + arrow(LINK - 4, 32, 4, 32, stroke=BACK)
    )


@cache
def _shirt() -> Drawing:
    """The shirt of the course, coarse enough to be small: 14×14 squares of grey."""
    data = datasets.load_fashion_mnist()
    shirt = data.test_images[data.test_labels == data.class_names.index("Shirt")][0, 0]
    coarse = shirt.reshape(14, 2, 14, 2).mean(axis=(1, 3))
    side = SHIRT / 14
    body = rect(0, 0, SHIRT, SHIRT, fill=svg.BLACK)
    for i, j in zip(*np.nonzero(coarse > 8), strict=True):
        grey = f"#{round(coarse[i, j]):02X}" + f"{round(coarse[i, j]):02X}" * 2
        body += rect(j * side, i * side, side, side, fill=grey)
    return Drawing(body, SHIRT, SHIRT)


def _network_alt(lesson: str) -> str:
    way = "a shirt of 1×28×28" + "".join(
        f" → {name.replace(chr(10), ' ')} ({shape})" for name, _, shape in LAYERS
    )
    alt = f"The network, forward: {way}. Backward, a gradient of the same shape passes each arrow."
    if lesson == "network":
        return f"{alt}\nThe network is whole: every layer is drawn solid."

    def names(keep):
        found = [n.replace("\n", " ") for n, built_in, _ in LAYERS if keep(LESSONS.index(built_in))]
        return ", ".join(dict.fromkeys(found))

    place = LESSONS.index(lesson)
    now, later = names(lambda k: k == place), names(lambda k: k > place)
    return f"{alt}\nThis lesson builds {now}." + (f" Later lessons build {later}." if later else "")


def handed(layers, shapes, asked: str = "") -> Picture:
    """Draw neighbouring layers, and what they hand each other: y on the way there, the gradient on the way back.

    Parameters
    ----------
    layers : sequence of str, (L,)
    shapes : sequence of str, (L - 1,)
        What stands on the arrows between two layers: the shape is the same in both directions.
    asked : str
        The layer that this is about; it is marked.

    Raises
    ------
    ValueError
        If there isn't one shape for each pair of neighbours.

    Examples
    --------
    >>> handed(["Flatten", "Dense"], ["(N, 784)"], asked="Flatten")
    Forward, Flatten hands (N, 784) to Dense. Backward, Dense returns a gradient of (N, 784) to Flatten.
    """
    if len(shapes) != len(layers) - 1:
        raise ValueError(f"handed: {len(shapes)} shapes between {len(layers)} layers")
    width, link = 96, 190
    body, there, back = "", [], []
    for k, name in enumerate(layers):
        x = k * (width + link)
        fill = svg.YELLOW if name == asked else BUILT
        body += rect(x, 8, width, 64, fill=fill, stroke=svg.INK, radius=6)
        body += text(x + width / 2, 40, name, anchor="middle", size=14)
        if k < len(shapes):
            left, right, middle = x + width + 5, x + width + link - 5, x + width + link / 2
            body += arrow(left, 26, right, 26) + arrow(right, 54, left, 54, stroke=BACK)
            body += text(middle, 14, f"y {shapes[k]}", anchor="middle", size=12, mono=True)
            words = f"gradient {shapes[k]}"
            body += text(middle, 68, words, anchor="middle", size=12, fill=BACK, mono=True)
            there.append(f"{name} hands {shapes[k]} to {layers[k + 1]}")
            back.append(f"{layers[k + 1]} returns a gradient of {shapes[k]} to {name}")
    alt = f"Forward, {', '.join(there)}. Backward, {', '.join(reversed(back))}."
    return Drawing(body, len(layers) * (width + link) - link, 80).picture(alt)


# ---------------------------------------------------------------------------- memory

# What keeps numbers, how many float32 fit in, and how long one takes to come: roughly, today.
STORES = (
    ("cache, level 1", "8,000 numbers", "1 ns"),
    ("cache, level 2", "250,000 numbers", "4 ns"),
    ("memory", "billions of numbers", "100 ns"),
)


def cache() -> Picture:
    """Draw what stands between the processor and memory, and what comes along with one number.

    Examples
    --------
    >>> cache().alt.partition(":")[0]
    'From the processor to memory'
    """
    width, height, gap = 140, 58, 46
    body = rect(0, 0, 96, height, fill=svg.YELLOW, stroke=svg.INK, radius=6)
    body += text(48, 22, "processor", anchor="middle")
    body += text(48, 40, "multiplies", anchor="middle", size=11, fill=svg.INK)
    x = 96
    for k, (name, numbers, time) in enumerate(STORES):
        body += arrow(x + gap - 6, 18, x + 6, 18, stroke=BACK)
        body += text(x + gap / 2, 34, time, anchor="middle", size=11, fill=svg.QUIET)
        x += gap
        fill = svg.tint(svg.SKY, 0.5 - 0.2 * k)
        body += rect(x, 0, width, height, fill=fill, stroke=svg.INK, radius=6)
        body += text(x + width / 2, 22, name, anchor="middle", weight="bold")
        body += text(x + width / 2, 40, numbers, anchor="middle", size=11, fill=svg.INK)
        x += width
    places = np.arange(12, 36)
    in_line = (places >= 16) & (places < 32)
    line = svg.cells(
        places,
        fill=np.where(in_line, svg.tint(svg.SKY, 0.5), svg.CARD),
        focus=places == 21,
        min_width=20,
        height=22,
    )
    return svg.above(
        Drawing(body, x, height),
        svg.label(
            "memory, number by number: the processor asks for number 21, and its whole line comes, "
            "64 bytes, 16 to 31",
            size=12,
        ),
        line,
        gap=12,
    ).picture(
        "From the processor to memory: a first cache for about 8,000 numbers, one nanosecond away, a second "
        "one for 250,000, four nanoseconds away, and memory, a hundred nanoseconds away. Below, a row of "
        "numbers: the processor asks for number 21, and its whole line comes, numbers 16 to 31."
    )
