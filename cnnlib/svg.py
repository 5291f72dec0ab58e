"""Pictures made of text: grids of numbered cells, words and arrows, as SVG.

A `Drawing` is a piece that can be joined to others; `Drawing.picture(alt)` finishes it. A `Picture`
always carries the words that stand for it where it can't be seen.
"""

from __future__ import annotations

import base64
import functools
import html
import itertools
import math
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

# Okabe & Ito's colours, which readers with any kind of colour vision can tell apart.
# https://jfly.uni-koeln.de/color/
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
CHANNELS = (SKY, ORANGE, GREEN, PURPLE)
NEGATIVE, POSITIVE = BLUE, ORANGE  # in every picture of numbers with a sign; white is 0

# Pictures lie on a card of their own, so that they read in a dark theme as well.
CARD, INK, QUIET, EDGE = "#FFFFFF", "#1F2328", "#59636E", "#AFB8C1"
WRONG = "#B23A00"  # vermillion, darkened until it can be read as text on the card

FONT_SIZE = 13
SANS = "system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
MONO = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
# In DejaVu Sans, the widest of these, letters take about 0.4, 0.65 or 1 of the font's size.
_NARROW, _WIDE = set(" .,:;'!|()[]{}-/fijlrtI"), set("mwMW@%…—→×")
_kept = functools.lru_cache(maxsize=8192)  # most of a picture stood in the one before it
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Picture:
    """A finished picture with its alternative text; Jupyter shows it.

    Parameters
    ----------
    svg : str
        A whole SVG document.
    alt : str
        What the picture says, in words.

    Examples
    --------
    >>> cells([[1, 2], [3, 4]]).picture("Two rows of two cells: 1 2 and 3 4")
    Two rows of two cells: 1 2 and 3 4
    """

    svg: str
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return figure("image/svg+xml", self.svg.encode(), self.alt)


def figure(media_type: str, data: bytes, alt: str) -> dict[str, str]:
    """Return what Jupyter needs to show an encoded picture and keep its alternative text.

    `alt` in the metadata of an image output is ignored by JupyterLab; in HTML it survives, also in
    a notebook that isn't trusted.

    Parameters
    ----------
    media_type : str
        Such as `"image/png"`.
    data : bytes
        The picture, encoded so.
    alt : str
        What the picture says, in words.

    Returns
    -------
    dict of str to str
        A MIME bundle with `text/html` and `text/plain`.

    Examples
    --------
    >>> figure("image/png", b"...", "A shirt")["text/html"]
    '<figure style="margin:0"><img alt="A shirt" src="data:image/png;base64,Li4u"></figure>'
    """
    source = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return {
        "text/html": f'<figure style="margin:0"><img alt="{escape(alt)}" src="{source}"></figure>',
        "text/plain": alt,
    }


@dataclass(frozen=True)
class Drawing:
    """A piece of a picture: SVG elements within (0, 0) and (width, height), in pixels.

    Examples
    --------
    >>> x, y = cells([[1, 2], [3, 4]]), cells([1, 2, 3, 4])
    >>> beside(x.titled("x"), y.titled("y")).picture("A 2 by 2 grid and the same four numbers flat")
    A 2 by 2 grid and the same four numbers flat
    """

    body: str = field(repr=False)
    width: float
    height: float

    def titled(self, words: str, *, fill: str = INK) -> Drawing:
        """Return this drawing with a line of bold words above it."""
        title = label(words, weight="bold", fill=fill)
        return above(title, self, gap=6)

    def noted(self, words: str, *, fill: str = QUIET) -> Drawing:
        """Return this drawing with a line of quiet words below it."""
        return above(self, label(words, fill=fill, size=12), gap=8)

    def picture(self, alt: str) -> Picture:
        """Return the finished picture: this drawing on a card, and its alternative text."""
        pad = 14
        width, height = self.width + 2 * pad, self.height + 2 * pad
        card = rect(0.5, 0.5, width - 1, height - 1, fill=CARD, stroke="#D1D9E0", radius=6)
        return Picture(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" font-family="{SANS}" font-size="{FONT_SIZE}" '
            f'role="img" aria-label="{escape(alt)}" style="max-width:100%;height:auto">'
            f"{card}{move(self.body, pad, pad)}</svg>",
            alt,
        )


@dataclass(frozen=True)
class Grid(Drawing):
    """A drawing of cells in rows and columns, which knows where they lie."""

    left: float = field(repr=False)
    top: float = field(repr=False)
    cell: tuple[float, float] = field(repr=False)
    """The width and the height of one."""

    def framed(self, name: str, corner: tuple[int, int], shape: tuple[int, int]) -> Drawing:
        """Return this grid with an outline around some rows and columns.

        An explorer that plays lets it slide there from where the one of this name was before.
        """
        width, height = self.cell
        row, column = map(int, corner)
        edge = {"stroke": BLACK, "stroke_width": 2.5}
        x, y = self.left + column * width, self.top + row * height
        frame = slide(name, rect(x, y, shape[1] * width, shape[0] * height, **edge))
        return Drawing(self.body + frame, self.width, self.height)


def escape(words: str) -> str:
    """Return `words` safe inside XML and HTML, in text and in attributes.

    Examples
    --------
    >>> escape('a < "b"')
    'a &lt; &quot;b&quot;'
    """
    return html.escape(_NOT_XML.sub("\ufffd", words))


@_kept
def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = FONT_SIZE,
    anchor: str = "start",
    fill: str = INK,
    weight: str = "normal",
    mono: bool = False,
    then: str = "",
) -> str:
    """Return words as an SVG element; y is the middle of the line.

    `anchor` is "start", "middle" or "end": the part of the words that x stands for. The words in
    `then` follow, while an explorer plays, when all that flies has arrived.

    Examples
    --------
    >>> text(10, 10, "dx")
    '<text x="10" y="14.55" fill="#1F2328">dx</text>'
    """
    attributes = {"x": x, "y": y + 0.35 * size, "fill": fill}
    attributes |= {"font-size": size} if size != FONT_SIZE else {}
    attributes |= {"text-anchor": anchor} if anchor != "start" else {}
    attributes |= {"font-weight": weight} if weight != "normal" else {}
    attributes |= {"font-family": MONO} if mono else {}
    then = f'<tspan data-then="">{escape(then)}</tspan>' if then else ""
    return f"<text{_attributes(attributes)}>{escape(words)}{then}</text>"


@_kept
def text_width(
    words: str, *, size: float = FONT_SIZE, weight: str = "normal", mono: bool = False
) -> float:
    """Return the width of words in pixels, estimated generously: fonts differ between machines.

    Examples
    --------
    >>> text_width("0.25", size=10, mono=True)
    24.4
    """
    if mono:
        return round(0.61 * size * len(words), 1)
    share = sum(0.4 if c in _NARROW else 1.0 if c in _WIDE else 0.65 for c in words)
    return round((1.12 if weight == "bold" else 1) * size * share, 1)


@_kept
def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "none",
    stroke: str = "none",
    stroke_width: float = 1,
    radius: float = 0,
    dashed: bool = False,
) -> str:
    """Return a rectangle as an SVG element.

    Examples
    --------
    >>> rect(0, 0, 20, 10, fill=SKY)
    '<rect x="0" y="0" width="20" height="10" fill="#56B4E9"/>'
    """
    attributes = {"x": x, "y": y, "width": width, "height": height, "fill": fill}
    attributes |= {"rx": radius} if radius else {}
    attributes |= {"stroke": stroke} if stroke != "none" else {}
    attributes |= {"stroke-width": stroke_width} if stroke_width != 1 else {}
    attributes |= {"stroke-dasharray": "4 3"} if dashed else {}
    return f"<rect{_attributes(attributes)}/>"


def panel(x: float, y: float, width: float, height: float) -> str:
    """Return the ground of a box for words, on the card.

    Examples
    --------
    >>> panel(0, 0, 100, 50)[:41]
    '<rect x="0.5" y="0.5" width="99" height="'
    """
    look = {"fill": "#F6F8FA", "stroke": "#D1D9E0", "radius": 6}
    return rect(x + 0.5, y + 0.5, width - 1, height - 1, **look)


@_kept
def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    *,
    stroke: str = INK,
    stroke_width: float = 1.5,
    dashed: bool = False,
) -> str:
    """Return a straight line as an SVG element.

    Examples
    --------
    >>> line(0, 0, 9, 0)
    '<line x1="0" y1="0" x2="9" y2="0" stroke="#1F2328" stroke-width="1.5"/>'
    """
    attributes = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": stroke}
    attributes |= {"stroke-width": stroke_width}
    attributes |= {"stroke-dasharray": "4 3"} if dashed else {}
    return f"<line{_attributes(attributes)}/>"


@_kept
def arrow(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    *,
    stroke: str = INK,
    stroke_width: float = 1.5,
    dashed: bool = False,
) -> str:
    """Return an arrow from (x1, y1) to (x2, y2) as SVG elements.

    Examples
    --------
    >>> arrow(0, 5, 20, 5).count("<polygon")
    1
    """
    length = math.hypot(x2 - x1, y2 - y1)
    ux, uy = ((x2 - x1) / length, (y2 - y1) / length) if length else (1.0, 0.0)
    head = 5 + 1.5 * stroke_width
    bx, by = x2 - head * ux, y2 - head * uy
    half = 0.5 * head
    points = " ".join(
        f"{round(px, 2):g},{round(py, 2):g}"
        for px, py in (
            (x2, y2),
            (bx - half * uy, by + half * ux),
            (bx + half * uy, by - half * ux),
        )
    )
    shaft = line(x1, y1, bx, by, stroke=stroke, stroke_width=stroke_width, dashed=dashed)
    return f'{shaft}<polygon points="{points}" fill="{stroke}"/>'


def image(pixels, x: float, y: float, width: float, height: float) -> str:
    """Return an array of colours as one SVG element; each pixel becomes a sharp rectangle.

    A thousand cells as elements of their own would be too slow to redraw.

    Parameters
    ----------
    pixels : array of uint8, (H, W, 3)
        Red, green, blue.

    Examples
    --------
    >>> image(np.zeros((2, 3, 3), np.uint8), 0, 0, 30, 20)[:37]
    '<image x="0" y="0" width="30" height='
    """
    attributes = {"x": x, "y": y, "width": width, "height": height}
    attributes |= {"preserveAspectRatio": "none", "style": "image-rendering:pixelated"}
    source = f"data:image/png;base64,{base64.b64encode(_png(pixels)).decode()}"
    return f'<image{_attributes(attributes)} href="{source}"/>'


def signed_colours(a) -> np.ndarray:
    """Return a colour for each number, for `image`: from blue over white, which is 0, to orange.

    Parameters
    ----------
    a : array of any shape
        The one farthest from 0 gets the full colour.

    Examples
    --------
    >>> signed_colours(np.array([-1, 0, 2])).tolist()
    [[128, 184, 216], [255, 255, 255], [230, 159, 0]]
    """
    a = np.asarray(a)[..., None]
    strength = np.abs(a) / (np.abs(a).max() or 1)
    end = np.where(a < 0, rgb(NEGATIVE), rgb(POSITIVE))
    return np.round(255 + (end - 255) * strength).astype(np.uint8)


def _png(pixels) -> bytes:
    """Encode (H, W, 3) colours, uncompressed: so the bytes are the same on every machine.

    https://www.w3.org/TR/png-3/
    """
    pixels = np.asarray(pixels, np.uint8)
    H, W, _ = pixels.shape
    lines = np.pad(pixels.reshape(H, 3 * W), ((0, 0), (1, 0)))  # a 0: the line is stored as it is

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)  # 8 bits for each of red, green, blue
    data = zlib.compress(lines.tobytes(), level=0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def move(body: str, x: float, y: float) -> str:
    """Return SVG elements moved right by x and down by y pixels.

    Examples
    --------
    >>> move("<g/>", 3, 4)
    '<g transform="translate(3 4)"><g/></g>'
    """
    return f'<g transform="translate({round(x, 2):g} {round(y, 2):g})">{body}</g>'


def label(
    words: str,
    *,
    size: float = FONT_SIZE,
    fill: str = INK,
    weight: str = "normal",
    mono: bool = False,
    then: str = "",
) -> Drawing:
    """Return a line of words as a drawing.

    Examples
    --------
    >>> label("dx", size=10).height
    14
    """
    height = round(1.4 * size)
    look = {"size": size, "weight": weight, "mono": mono}
    body = text(0, height / 2, words, fill=fill, then=then, **look)
    return Drawing(body, text_width(words + then, **look), height)


def beside(*drawings: Drawing, gap: float = 32) -> Drawing:
    """Return the drawings in a row from left to right, tops aligned.

    Examples
    --------
    >>> beside(Drawing("", 10, 5), Drawing("", 20, 8), gap=2)
    Drawing(width=32, height=8)
    """
    body, x = "", 0
    for drawing in drawings:
        body += move(drawing.body, x, 0)
        x += drawing.width + gap
    return Drawing(body, max(x - gap, 0), max((d.height for d in drawings), default=0))


def above(*drawings: Drawing, gap: float = 16) -> Drawing:
    """Return the drawings in a column from top to bottom, left edges aligned.

    Examples
    --------
    >>> above(Drawing("", 10, 5), Drawing("", 20, 8), gap=2)
    Drawing(width=20, height=15)
    """
    body, y = "", 0
    for drawing in drawings:
        body += move(drawing.body, 0, y)
        y += drawing.height + gap
    return Drawing(body, max((d.width for d in drawings), default=0), max(y - gap, 0))


def short(value, digits: int = 3) -> str:
    """Return a number in few characters: integers as they are, others to `digits` digits.

    Examples
    --------
    >>> [short(v) for v in (3, 3.0, -0.0, 0.12345, 1234.5, 1.5e-7, float("nan"), True, "c")]
    ['3', '3', '0', '0.123', '1234', '1.5e-7', 'nan', 'True', 'c']
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)) and abs(int(value)) < 10**6:
        return str(int(value))
    if not isinstance(value, (int, float, np.integer, np.floating)):
        words = str(value)
        return words if len(words) <= 10 else words[:9] + "…"
    value = float(value)
    if math.isfinite(value) and digits <= 3 and 1000 <= abs(value) < 10**5:
        return f"{value:.0f}"
    words = f"{value:.{digits}g}"
    mantissa, e, exponent = words.partition("e")
    words = f"{mantissa}e{int(exponent)}" if e else words
    return "0" if words == "-0" else words


def bracketed(number: float) -> str:
    """Return a number as it stands behind a sign: in brackets if it is negative.

    Examples
    --------
    >>> f"2·{bracketed(3)} + {bracketed(-1)}"
    '2·3 + (-1)'
    """
    return f"({short(number)})" if number < 0 else short(number)


@functools.cache
def ink_on(fill: str) -> str:
    """Return the colour of text on `fill`, dark or white, whichever stands out more.

    The better of the two always reaches a contrast of 4.5, WCAG's bound for text.

    Examples
    --------
    >>> ink_on(YELLOW), ink_on(BLUE)
    ('#000000', '#FFFFFF')
    """
    return max(BLACK, CARD, key=lambda ink: contrast(ink, fill))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2.2 defines it.

    https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

    Examples
    --------
    >>> contrast("#000000", "#FFFFFF")
    21.0
    """
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@_kept
def tint(colour: str, strength: float) -> str:
    """Return `colour` mixed with white; strength 1 is the colour itself, 0 is white.

    Examples
    --------
    >>> tint("#0072B2", 0.5)
    '#80B8D8'
    """
    return "#" + "".join(f"{round(255 + (c - 255) * strength):02X}" for c in rgb(colour))


@_kept
def cell(
    x: float,
    y: float,
    width: float,
    height: float,
    words: str,
    *,
    fill: str = CARD,
    wrong: bool = False,
    focus: bool = False,
    size: float = FONT_SIZE,
    pick: str = "",
    at: str = "",
    later: bool = False,
) -> str:
    """Return one cell: a box with words in its middle.

    `wrong` draws a thick outline with a filled corner, `focus` a thick dark outline. `pick`
    is what an explorer receives when the cell is pointed at, as in `"position=7"`; `at` is a name
    for `fly`. What is `later` stays empty while an explorer that plays has not come to it.

    Examples
    --------
    >>> "data-pick" in cell(0, 0, 30, 20, "7", pick="position=7")
    True
    """
    # The outline of the box itself is the focus: where it moves on, no element comes or goes. It
    # lies within the cell, so no neighbour covers it.
    edge = {"stroke": BLACK, "stroke_width": 3} if focus else {"stroke": EDGE}
    inset = 2 if focus else 0
    body = rect(x + inset, y + inset, width - 2 * inset, height - 2 * inset, fill=fill, **edge)
    body += text(
        x + width / 2,
        y + height / 2,
        words,
        size=size,
        anchor="middle",
        fill=ink_on(fill),
        mono=True,
    )
    if wrong:
        right, top = x + width - 1, y + 1
        corner = f"{right - 8:g},{top:g} {right:g},{top:g} {right:g},{top + 8:g}"
        inset = 3.5 if focus else 1
        size = width - 2 * inset, height - 2 * inset
        body += rect(x + inset, y + inset, *size, stroke=WRONG, stroke_width=2)
        body += f'<polygon points="{corner}" fill="{WRONG}"/>'
    names = f' data-pick="{escape(pick)}"' * bool(pick) + f' data-at="{at}"' * bool(at)
    names += ' data-later=""' * later
    return f"<g{names}>{body}</g>" if names else body


def slide(name: str, body: str) -> str:
    """Return `body` as something that an explorer lets slide from its last place to this one.

    Examples
    --------
    >>> slide("window", "<rect/>")
    '<g data-slide="window"><rect/></g>'
    """
    return f'<g data-slide="{name}">{body}</g>'


def then(drawing: Drawing) -> Drawing:
    """Return a drawing that an explorer which plays shows when all that flies has arrived.

    Examples
    --------
    >>> then(label("= 7")).body[:18]
    '<g data-then=""><t'
    """
    return Drawing(f'<g data-then="">{drawing.body}</g>', drawing.width, drawing.height)


@dataclass(frozen=True)
class Flight:
    """A copy of one cell that flies to another while an explorer plays.

    Parameters
    ----------
    source, target : str
        The names of two cells, as `cell` is given them in `at`.
    beat : int
        After how many others it begins.
    onto : bool
        Whether it comes on top of what stood there, which is shown until then.
    """

    source: str
    target: str
    beat: int = 0
    onto: bool = False

    def __str__(self) -> str:
        return f"{self.source} {self.target} {self.beat}{' onto' * self.onto}"


def fly(flights: Iterable[Flight]) -> str:
    """Return the order to let copies of cells fly; what they make is shown when all have arrived.

    Examples
    --------
    >>> fly([Flight("x-0-1", "y-0"), Flight("x-0-2", "y-0", beat=1)])
    '<g data-fly="x-0-1 y-0 0;x-0-2 y-0 1"></g>'
    """
    return f'<g data-fly="{";".join(map(str, flights))}"></g>'


def cells(
    values,
    *,
    fill: str | Sequence = CARD,
    wrong=None,
    focus=None,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    min_width: float = 34,
    width: float | None = None,
    height: float = 26,
    pick: Callable[[int, int], str] | None = None,
    at: str = "",
    later=None,
) -> Grid:
    """Return a grid of cells, one for each entry of a vector or matrix.

    Parameters
    ----------
    values : array_like, (W,) or (H, W)
        Numbers, shown by `short`, or words.
    fill : str or array_like of str
        One colour for all cells, or one for each.
    wrong, focus : array_like of bool, optional
        Cells to mark, as `cell` does; the shape is that of `values`.
    rows, columns : sequence of str
        Labels to the left and above.
    min_width, height : float
        Pixels; a cell grows in width until its words fit.
    width : float, optional
        Pixels, where a cell must not grow: there its words get smaller until they fit.
    pick : callable, optional
        From row and column to what an explorer receives when the cell is pointed at.
    at : str
        What the cells are called for `fly`: "x" makes them x-0-0, x-0-1, ….
    later : array_like of bool, optional
        Cells that a walk has not come to yet, as `cell` takes them.

    Raises
    ------
    ValueError
        If `values` has more than two axes.

    Examples
    --------
    >>> cells([[1, 2, 3], [4, 5, 6]], rows="01", columns="012").width
    117.2
    """
    values = np.asarray(values)
    if values.ndim > 2:
        raise ValueError(
            f"cells: values has shape {values.shape}; give one plane with at most two axes"
        )
    shape = (1,) * (2 - values.ndim) + values.shape
    words = [[short(value) for value in row] for row in values.reshape(shape).tolist()]
    given = (fill, *(False if marks is None else marks for marks in (wrong, focus, later)))
    fills, wrongs, focuses, laters = (
        np.broadcast_to(np.reshape(marks, shape) if np.size(marks) > 1 else marks, shape).tolist()
        for marks in given
    )

    if width is None:
        longest = max((text_width(w, mono=True) for row in words for w in row), default=0)
        width = max(min_width, longest + 12)
    left = max((text_width(r, size=11) for r in rows), default=-8) + 8
    top = 18 if len(columns) else 0

    body = "".join(
        text(left + (j + 0.5) * width, 8, name, size=11, anchor="middle", fill=QUIET)
        for j, name in enumerate(columns)
    )
    body += "".join(
        text(left - 6, top + (i + 0.5) * height, name, size=11, anchor="end", fill=QUIET)
        for i, name in enumerate(rows)
    )
    for i, j in np.ndindex(*shape):
        body += cell(
            left + j * width,
            top + i * height,
            width,
            height,
            words[i][j],
            fill=fills[i][j],
            wrong=bool(wrongs[i][j]),
            focus=bool(focuses[i][j]),
            size=min(FONT_SIZE, _largest(words[i][j], width)),
            pick=pick(i, j) if pick else "",
            at=f"{at}-{i}-{j}" if at else "",
            later=bool(laters[i][j]),
        )
    right, bottom = left + shape[1] * width, top + shape[0] * height
    return Grid(body, right, bottom, left, top, (width, height))


@_kept
def _largest(words: str, width: float) -> float:
    """Return the size of type with which words fit into a cell."""
    return round((width - 5) / (text_width(words, size=1, mono=True) or 1), 1)


# How much of a large array is shown: planes, rows, columns.
_WINDOW = (3, 6, 6)


def target_and_yours(
    target, yours, *, title: str = "", rtol: float = 1e-5, atol: float = 1e-8
) -> Picture:
    """Draw what was expected beside what was computed, and mark every entry that differs.

    Of a large array, three planes with 6 rows and 6 columns are shown, around the first wrong
    entry; the words above each plane say, as an index, which part of the array it is.

    Parameters
    ----------
    target, yours : array_like
        Of any shapes, possibly different ones.
    title : str
        Words above the picture.
    rtol, atol : float
        As in `np.isclose`. NaN is always wrong.

    Examples
    --------
    >>> target_and_yours([1.0, 2.0], [1.0, 3.0])
    Target and yours have shape (2,). 1 of 2 entries differs; the first is [1]: target 2, yours 3.
    """
    target, yours = np.asarray(target), np.asarray(yours)
    if target.shape == yours.shape:
        wrong = ~_isclose(target, yours, rtol, atol)
        at = tuple(np.argwhere(wrong)[0].tolist()) if wrong.any() else (0,) * wrong.ndim
        verdict, alt = _verdict(target, yours, wrong, at)
        left, right = _planes(target, at, yours), _planes(yours, at, target, wrong)
        heading = INK
    else:
        verdict = f"target has shape {target.shape}, yours has shape {yours.shape}"
        alt = verdict.capitalize() + "."
        left, right = (_planes(a, (0,) * a.ndim, a) for a in (target, yours))
        heading = WRONG
    drawing = beside(
        left.titled(f"target, shape {target.shape}"),
        right.titled(f"yours, shape {yours.shape}", fill=heading),
    ).noted(verdict)
    if title:
        drawing = above(label(title, size=15, weight="bold"), drawing, gap=10)
        alt = f"{title.rstrip('.')}. {alt}"
    return drawing.picture(alt)


def _verdict(target, yours, wrong, first) -> tuple[str, str]:
    """Return a line for the picture, and the sentences that stand for the picture."""
    shape = f"Target and yours have shape {target.shape}."
    if not wrong.any():
        return "no entry differs", f"{shape} No entry differs."
    count = int(wrong.sum())
    verdict = f"{count} of {wrong.size} entries differ{'s' if count == 1 else ''}"
    expected, got = _telling(target[first], yours[first])
    return verdict, (
        f"{shape} {verdict}; the first is {list(first)}: target {expected}, yours {got}."
    )


def _planes(array, at, other, wrong=False) -> Drawing:
    """Draw the part of `array` around index `at`, its planes one below the other.

    `other` is the array beside it, from whose numbers those that are wrong are to be told apart.
    """
    if array.size == 0:
        return label("no entries", fill=QUIET)
    wrong = np.broadcast_to(wrong, array.shape)
    extra = max(2 - array.ndim, 0)  # a vector is drawn as one row
    full, other, wrong = map(np.atleast_2d, (array, other, wrong))
    sizes = [*(1 for _ in full.shape[:-3]), *_WINDOW][-full.ndim :]
    *lead, rows, columns = map(_span, (0,) * extra + at, sizes, full.shape)

    drawings = []
    for fixed in itertools.product(*lead):
        box = (*fixed, slice(rows.start, rows.stop), slice(columns.start, columns.stop))
        tell = np.vectorize(
            lambda a, b, differ: _telling(a, b)[0] if differ else short(a), otypes=[object]
        )
        grid = cells(
            tell(full[box], other[box], wrong[box]),
            wrong=wrong[box],
            rows=[str(i) for i in rows] if array.ndim > 1 else (),
            columns=[str(j) for j in columns] if array.ndim else (),
            min_width=64 if "f" in (array.dtype.kind, other.dtype.kind) else 40,
        )
        index = _index_words([*fixed, rows, columns][extra:], array.shape)
        drawings.append(above(label(index, size=12, mono=True), grid, gap=4))
    if lead and len(lead[-1]) < full.shape[-3]:
        more = full.shape[-3] - len(lead[-1])
        drawings.append(label(f"… and {more} more", size=12, fill=QUIET))
    return above(*drawings, gap=12)


def _span(index: int, size: int, length: int) -> range:
    """Return at most `size` places of `length`, `index` among them, near the middle."""
    start = max(0, min(index - size // 2, length - size))
    return range(start, min(start + size, length))


def _index_words(index: Sequence[int | range], shape: tuple[int, ...]) -> str:
    """Return an index as NumPy writes it; "…" where a part is cut off."""
    words = []
    for item, length in zip(index, shape, strict=True):
        if isinstance(item, int):
            words.append(str(item))
        elif len(item) == length:
            words.append(":")
        else:
            before, after = "…" * (item.start > 0), "…" * (item.stop < length)
            words.append(f"{before}{item.start}:{item.stop}{after}")
    return f"[{', '.join(words)}]"


def _telling(one, other) -> tuple[str, str]:
    """Return both numbers with as many digits as it takes to tell them apart."""
    for digits in (3, 5, 8, 17):
        words = short(one, digits), short(other, digits)
        if words[0] != words[1]:
            break
    else:
        return short(one), short(other)
    return words


def _isclose(target, yours, rtol, atol):
    try:
        return np.isclose(yours, target, rtol=rtol, atol=atol)
    except TypeError:  # not numbers
        return np.asarray(target == yours)


def _attributes(attributes: dict) -> str:
    return "".join(
        f' {name}="{round(value, 2):g}"'
        if isinstance(value, (int, float))
        else f' {name}="{value}"'
        for name, value in attributes.items()
    )


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255.

    Examples
    --------
    >>> rgb(SKY)
    (86, 180, 233)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in rgb(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
