"""A browser through test pictures: what a network says, what its layers see, which pixels matter."""

from __future__ import annotations

import copy
import math
from functools import lru_cache, partial

import numpy as np

from cnnlib import svg
from cnnlib.explorers import states
from cnnlib.explorers.widget import Choice, Explorer, Slider
from cnnlib.inside import feature_maps, probabilities, saliency

# Pixels on the screen: the whole, one picture, where the bars begin, and what a bar's name gets.
WIDTH, SIDE, GAP = 790, 168, 16
BARS, NAME, ROW = 552, 104, 16.8
TILES, LINE = SIDE + GAP, 4  # where a layer's maps begin, and the space between two
MANY = 64  # no more maps than this are drawn
FEW = 128  # up to here numbers in a row are bars, beyond that they are colours


class Subject:
    """A network and the pictures it is looked at with; what it makes of them is remembered.

    It keeps a copy of the network, so the original can be trained on.

    Parameters
    ----------
    network : object
        Layers in a row in ``layers``, ``forward`` and ``backward``: from pictures to scores (N, K).
    images : array of floats, (N, 1, H, W)
        As the network was trained on.
    labels : array of int, (N,)
        The true classes.
    class_names : sequence of str
        K different names.

    Raises
    ------
    TypeError
        If images hold no floats, labels no integers, or the network has no layers.
    ValueError
        If lengths or shapes do not fit, a label is out of range, or a score is not finite.

    Examples
    --------
    >>> from cnnlib.layers import Dense, Flatten
    >>> from cnnlib.network import Sequential
    >>> images = np.ones((3, 1, 4, 4), np.float32)
    >>> network = Sequential([Flatten(), Dense(16, 2, rng=0)])
    >>> subject = Subject(network, images, np.array([0, 1, 0]), ["cat", "dog"])
    >>> subject.layers
    [('Flatten', (16,)), ('Dense', (2,))]
    """

    def __init__(self, network, images, labels, class_names):
        self.images, self.labels = np.asarray(images), np.asarray(labels)
        self.class_names = list(class_names)
        _refuse_pictures(self.images)
        _refuse_labels(self.labels, len(self.images), len(self.class_names))
        _refuse_names(self.class_names)
        self.network = copy.deepcopy(network)
        self.layers = [
            (name, a.shape[1:]) for name, a in feature_maps(self.network, self.images[:1])
        ]
        _refuse_scores(self.layers, len(self.class_names))

        self.probabilities = probabilities(self.network, self.images)
        if not np.isfinite(self.probabilities).all():
            raise ValueError(
                "inside: the network's scores are not finite, so there are no probabilities; "
                "look at its weights: a learning rate too large makes them nan"
            )
        self.predictions = self.probabilities.argmax(axis=1)
        confidence = self.probabilities.max(axis=1)
        mistakes = np.flatnonzero(self.predictions != self.labels)
        self.chosen = {
            "all": np.arange(len(self.images)),
            "mistakes": mistakes[np.argsort(-confidence[mistakes], kind="stable")],
        }
        # The last pictures are remembered, so that another layer or class costs little.
        self.maps = lru_cache(maxsize=16)(self._maps)
        self.saliency = lru_cache(maxsize=64)(self._saliency)

    def _maps(self, index: int) -> list[np.ndarray]:
        """What each layer makes of one picture: maps (C, H, W), or numbers in a row."""
        arrays = [a[0] for _, a in feature_maps(self.network, self.images[index : index + 1])]
        return [a if a.ndim == 3 else a.ravel() for a in arrays]

    def _saliency(self, index: int, of: int) -> np.ndarray:
        """How much the score of a class reacts to each pixel of one picture, (H, W)."""
        return saliency(self.network, self.images[index : index + 1], np.array([of]))[0]

    def parts(self, layer: int) -> int:
        """How many maps, or numbers, a layer returns."""
        shape = self.layers[layer][1]
        return shape[0] if len(shape) == 3 else math.prod(shape)


def _refuse_pictures(images):
    if images.ndim != 4 or images.shape[1] != 1 or 0 in images.shape:
        raise ValueError(
            f"inside: images has shape {images.shape}, but must be (N, 1, H, W): "
            "grey pictures, at least one"
        )
    if images.dtype.kind != "f":
        raise TypeError(
            f"inside: images hold {images.dtype}, but must hold floats from 0 to 1, as the network "
            "was trained on; try images / np.float32(255)"
        )


def _refuse_labels(labels, count, classes):
    if labels.shape != (count,):
        raise ValueError(
            f"inside: labels has shape {labels.shape}, but there are {count} pictures, so it must "
            f"be ({count},): the true class of each"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"inside: labels hold {labels.dtype}, but must hold integers")
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        n = wrong.argmax()
        raise ValueError(
            f"inside: labels[{n}] is {labels[n]}, but there are {classes} class names, so it must "
            f"be from 0 to {classes - 1}"
        )


def _refuse_names(names):
    if len(set(names)) < len(names) or OTHERS.keys() & set(names):
        raise ValueError(f"inside: class_names must be different words, not {names}")


def _refuse_scores(layers, classes):
    if not layers:
        raise ValueError("inside: network.layers is empty; give a network that was trained")
    name, shape = layers[-1]
    if len(shape) != 1:
        raise ValueError(
            f"inside: the last layer, {name}, returns {shape} for each picture, but must return "
            "(K,): a score for each class"
        )
    if shape != (classes,):
        raise ValueError(
            f"inside: the network returns {shape[0]} scores for each picture, but there are "
            f"{classes} class names; give one for each score"
        )


# ---------------------------------------------------------------------------- the picture

OTHERS = {"the prediction": "predicted", "the true class": "true"}


def draw(
    subject: Subject,
    position: int = 0,
    pictures: str = "all",
    layer: int = 0,
    part: int = 0,
    score: str | int = "predicted",
) -> svg.Picture:
    """Draw what a network says of one picture, why, and what one of its layers makes of it.

    Parameters
    ----------
    subject : Subject
    position : int
        Which of the pictures.
    pictures : {"all", "mistakes"}
        Mistakes come with the most confident first.
    layer : int
        A place in ``network.layers``.
    part : int
        Which of the layer's maps, or numbers, is drawn large.
    score : {"predicted", "true"} or int
        The class whose score the saliency explains.

    Raises
    ------
    ValueError
        If there is no such picture, layer, part or class.

    Examples
    --------
    >>> from cnnlib.layers import Dense, Flatten
    >>> from cnnlib.network import Sequential
    >>> network = Sequential([Flatten(), Dense(16, 2)])
    >>> network.layers[1].W = np.eye(16, 2)
    >>> images = np.eye(4, dtype=np.float32)[None, None]
    >>> draw(Subject(network, images, np.array([0]), ["cat", "dog"]))  # doctest: +ELLIPSIS
    images[0]: ✓ cat, and the network says so (73 %). Probabilities: cat 73 %, ...
    """
    if pictures not in subject.chosen:
        raise ValueError(f"inside: pictures is {pictures!r}; choose 'all' or 'mistakes'")
    count = len(subject.chosen[pictures])
    if count == 0:
        raise ValueError("inside: the network makes no mistake here; choose pictures='all'")
    if position not in range(count):
        raise ValueError(f"inside: position is {position}; there are 0 to {count - 1}")
    if layer not in range(len(subject.layers)):
        raise ValueError(f"inside: layer is {layer}; there are 0 to {len(subject.layers) - 1}")
    if part not in range(subject.parts(layer)):
        raise ValueError(f"inside: part is {part}; there are 0 to {subject.parts(layer) - 1}")
    if score not in ("predicted", "true", *range(len(subject.class_names))):
        raise ValueError(
            f"inside: score is {score!r}; choose 'predicted', 'true', or a class, "
            f"0 to {len(subject.class_names) - 1}"
        )
    return _Scene(subject, position, pictures, layer, part, score).picture()


def inside(
    network,
    images,
    labels,
    class_names,
    position: int = 0,
    pictures: str = "all",
    layer: int = 0,
    part: int = 0,
    score: str | int = "predicted",
) -> Explorer:
    """Return a browser through test pictures as a widget.

    All pictures go through the network once, for the predictions. The network is copied: what it
    learns later is not seen.

    Parameters
    ----------
    network, images, labels, class_names
        As in `Subject`.
    position, pictures, layer, part, score
        Where it starts, as in `draw`.

    Examples
    --------
    >>> from cnnlib.layers import Dense, Flatten
    >>> from cnnlib.network import Sequential
    >>> images = np.ones((3, 1, 4, 4), np.float32)
    >>> network = Sequential([Flatten(), Dense(16, 2, rng=0)])
    >>> explorer = inside(network, images, np.array([0, 1, 0]), ["cat", "dog"])
    """
    subject = Subject(network, images, labels, class_names)
    mistakes = len(subject.chosen["mistakes"])
    which = {f"all {len(subject.images):,}": "all"}
    if mistakes:
        which[f"the {mistakes:,} mistakes only"] = "mistakes"
    layers = {f"{k} {name} {shape}": k for k, (name, shape) in enumerate(subject.layers)}
    classes = {name: k for k, name in enumerate(subject.class_names)}

    def last(now: dict) -> int:
        return len(subject.chosen[now["pictures"]]) - 1

    def some(now: dict) -> range:
        """The picture that is shown first, and its neighbour."""
        return range(max(0, min(position, last(now) - 1)), last(now) + 1)[:2]

    controls = {
        "pictures": Choice("Pictures", which, [w for w in which if which[w] == pictures]),
        "position": Slider("Picture", last, sample=some),
        "score": Choice("Saliency of", OTHERS | classes, sample=list(OTHERS)),
        "layer": Choice("Layer", layers),
        "part": Slider(
            "Map or number",
            lambda now: subject.parts(now["layer"]) - 1,
            sample=lambda now: range(min(subject.parts(now["layer"]), 8)),
        ),
    }
    return Explorer(
        partial(draw, subject),
        controls,
        packed=lambda: states.pack(partial(draw, subject), controls),
        position=position,
        pictures=pictures,
        layer=layer,
        part=part,
        score=score,
    )


inside.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, subject, position, pictures, layer, part, score):
        self.subject, self.position, self.pictures = subject, position, pictures
        self.layer, self.part = layer, part
        self.index = int(subject.chosen[pictures][position])
        self.true = int(subject.labels[self.index])
        self.predicted = int(subject.predictions[self.index])
        self.score = {"predicted": self.predicted, "true": self.true}.get(score, score)
        self.p = subject.probabilities[self.index]
        self.saliency = subject.saliency(self.index, self.score)
        self.kind = subject.layers[layer][0]
        self.array = subject.maps(self.index)[layer]
        self.last = layer == len(subject.layers) - 1

    def picture(self) -> svg.Picture:
        return svg.above(
            self.header(),
            svg.above(
                svg.Drawing(self.panels() + self.bars(), WIDTH, self.bars_height()),
                svg.label(self.meaning(), size=12, fill=svg.QUIET),
                gap=6,
            ),
            self.heading(),
            svg.Drawing(self.large() + self.all_parts(), WIDTH, 22 + SIDE),
        ).picture(self.alt())

    # What it tells

    def title(self, names: list[str]) -> str:
        confidence = _percent(self.p[self.predicted])
        if self.true == self.predicted:
            return f"✓ {names[self.true]}, and the network says so ({confidence})"
        said = names[self.predicted]
        return f"✗ {names[self.true]}, but the network says {said} ({confidence})"

    def place(self) -> str:
        if self.pictures == "all":
            return f"images[{self.index}]"
        count = len(self.subject.chosen["mistakes"])
        among = f"place {self.position} among the {count:,} mistakes, the most confident first"
        return f"images[{self.index}], {among}"

    def meaning(self) -> str:
        name, most = self.subject.class_names[self.score], self.saliency.max()
        if most == 0:
            return f"Saliency: no pixel moves the score of {_fit(name)}."
        return (
            f"Saliency: how much a pixel moves the score of {_fit(name)}. "
            f"White is 0, full orange {svg.short(most)} per unit of grey."
        )

    def returned(self) -> str:
        shape = self.array.shape
        what = f"{shape[0]} numbers"
        if self.array.ndim == 3:
            what = f"{shape[0]} {'map' if shape[0] == 1 else 'maps'} of {shape[1]} × {shape[2]}"
        shown = f", of which the first {MANY} are drawn" if self.hidden() else ""
        return f"Layer {self.layer}, {self.kind}, returns {what}{shown}"

    def hidden(self) -> bool:
        return self.array.ndim == 3 and len(self.array) > MANY

    def scale(self) -> str:
        own = "; the large map has a scale of its own" if self.array.ndim == 3 else ""
        ends = f"from {svg.short(self.array.min())} to {svg.short(self.array.max())}"
        return f"Numbers {ends}: blue is below 0, orange above, white is 0{own}."

    def part_name(self) -> str:
        return f"{'map' if self.array.ndim == 3 else 'number'} {self.part}"

    def part_values(self) -> str:
        now = self.array[self.part]
        if self.array.ndim == 1:
            words = svg.short(now)
            return f"{words}, the score" if self.last else words
        return f"{svg.short(now.min(), 2)} to {svg.short(now.max(), 2)}"

    def alt(self) -> str:
        names = self.subject.class_names
        order = np.argsort(-self.p, kind="stable")
        likely = ", ".join(f"{names[k]} {_percent(self.p[k])}" for k in order)
        row, column = np.unravel_index(self.saliency.argmax(), self.saliency.shape)
        most = self.saliency.max()
        where = f" It is largest in row {row}, column {column}." if most else ""
        return (
            f"{self.place()}: {self.title(names)}. Probabilities: {likely}. "
            f"{self.meaning()}{where} {self.returned()}. {self.scale()} "
            f"{self.part_name().capitalize()}: {self.part_values()}."
        )

    # How it is drawn

    def header(self) -> svg.Drawing:
        names = [_fit(name) for name in self.subject.class_names]
        wrong = self.true != self.predicted
        return svg.above(
            svg.label(
                self.title(names), size=17, weight="bold", fill=svg.WRONG if wrong else svg.INK
            ),
            svg.label(self.place(), fill=svg.QUIET),
            gap=4,
        )

    def panels(self) -> str:
        """Draw the picture, its saliency, and the one over the other."""
        images = self.subject.images
        grey = (self.subject.images[self.index, 0] - images.min()) / (np.ptp(images) or 1)
        grey = np.repeat(255 * grey[..., None], 3, axis=-1)
        strength = (self.saliency / (self.saliency.max() or 1))[..., None]
        both = grey + (np.array(svg.rgb(svg.ORANGE)) - grey) * strength
        body = ""
        for k, (title, pixels) in enumerate(
            {"picture": grey, "saliency": svg.signed_colours(self.saliency), "both": both}.items()
        ):
            x = k * (SIDE + GAP)
            body += svg.text(x, 8, title, weight="bold")
            body += _image(np.round(pixels), x, 20, SIDE, frame=True)
        return body

    def bars_height(self) -> float:
        return 20 + max(SIDE, ROW * len(self.p))

    def bars(self) -> str:
        """Draw a row for each class; to point at one asks for the saliency of its score."""
        words = "bold: true, framed: explained"
        body = svg.text(WIDTH, 8, words, size=12, anchor="end", fill=svg.QUIET)
        longest = WIDTH - BARS - NAME - 60
        for k, (name, p) in enumerate(zip(self.subject.class_names, self.p, strict=True)):
            y = 20 + k * ROW
            edge = {"stroke": svg.INK, "stroke_width": 1.5} if k == self.score else {}
            weight = "bold" if k == self.true else "normal"
            fill = svg.INK if k == self.predicted else svg.EDGE
            row = svg.rect(
                BARS, y, WIDTH - BARS, ROW, fill=svg.CARD if edge else "transparent", **edge
            )
            row += svg.text(
                BARS + NAME, y + ROW / 2, _fit(name), size=12, anchor="end", weight=weight
            )
            row += svg.rect(BARS + NAME + 8, y + 3.4, round(longest * float(p), 2), 10, fill=fill)
            row += svg.text(WIDTH - 5, y + ROW / 2, f"{p:.3f}", size=12, anchor="end", mono=True)
            body += f'<g data-pick="score={svg.escape(name)}">{row}</g>'
        return body

    def heading(self) -> svg.Drawing:
        return svg.above(
            svg.label(self.returned(), size=15, weight="bold"),
            svg.label(self.scale(), fill=svg.QUIET),
            gap=4,
        )

    def large(self) -> str:
        """Draw the part that is chosen below the picture, at the same size."""
        body = svg.text(0, 8, self.part_name(), weight="bold")
        if self.array.ndim == 1:
            if self.last:
                body += svg.text(0, 30, _fit(self.subject.class_names[self.part]))
            return body + svg.text(0, 56, svg.short(self.array[self.part]), size=20, mono=True)
        body += svg.text(SIDE, 8, self.part_values(), size=11, anchor="end", fill=svg.QUIET)
        return body + _image(svg.signed_colours(self.array[self.part]), 0, 20, SIDE, frame=True)

    def all_parts(self) -> str:
        if self.array.ndim == 3:
            return self.tiles()
        return self.columns() if len(self.array) <= FEW else self.lines()

    def tiles(self) -> str:
        """Draw all maps; to point at one makes it large."""
        colours = svg.signed_colours(self.array)[:MANY]
        H, W = self.array.shape[1:]
        side, across = _grid(len(colours), H, W)
        body = ""
        for k, pixels in enumerate(colours):
            row, column = divmod(k, across)
            x, y = TILES + column * (W * side + LINE), 20 + row * (H * side + LINE)
            tile = _image(pixels, x, y, side * max(H, W), frame=k == self.part)
            body += f'<g data-pick="part={k}">{tile}</g>'
        return body

    def columns(self) -> str:
        """Draw a column for each number, up or down from 0; to point at one reads it."""
        top, bottom = max(self.array.max(), 0), min(self.array.min(), 0)
        unit = SIDE / ((top - bottom) or 1)
        zero, width = 20 + top * unit, (WIDTH - TILES) / len(self.array)
        body = ""
        for k, value in enumerate(self.array):
            x, height = TILES + k * width, abs(value) * unit
            fill = svg.NEGATIVE if value < 0 else svg.POSITIVE
            room = svg.rect(x, 20, width, SIDE, fill="transparent")
            if k == self.part:
                room = svg.rect(x, 20, width, SIDE, fill=svg.CARD, stroke=svg.INK)
            column = svg.rect(
                round(x + 0.1 * width, 2),
                round(zero if value < 0 else zero - height, 2),
                round(0.8 * width, 2),
                round(height, 2),
                fill=fill,
            )
            body += f'<g data-pick="part={k}">{room}{column}</g>'
        return body + svg.line(TILES, zero, WIDTH, zero, stroke=svg.EDGE, stroke_width=1)

    def lines(self) -> str:
        """Draw many numbers as colours in four lines."""
        colours, count = svg.signed_colours(self.array), len(self.array)
        across = -(-count // 4)
        width = (WIDTH - TILES) / across
        body = ""
        for k, start in enumerate(range(0, count, across)):
            end, y = min(start + across, count), 20 + 43 * k
            body += svg.text(TILES, y + 6, f"{start} to {end - 1}", size=11, fill=svg.QUIET)
            body += svg.image(colours[None, start:end], TILES, y + 14, (end - start) * width, 22)
            if start <= self.part < end:
                x = TILES + (self.part - start) * width
                body += svg.rect(x - 1, y + 13, width + 2, 24, stroke=svg.BLACK, stroke_width=2)
        return body


def _grid(count: int, H: int, W: int) -> tuple[float, int]:
    """Return the largest size of a pixel with which all maps have room, and the maps in a row."""

    def size(rows: int) -> float:
        across = -(-count // rows)
        wide = (WIDTH - TILES - (across - 1) * LINE) / (across * W)
        high = (SIDE - (rows - 1) * LINE) / (rows * H)
        return min(wide, high, SIDE / max(H, W))

    rows = max(range(1, count + 1), key=size)
    return size(rows), -(-count // rows)


def _percent(p: float) -> str:
    if p < 0.005:
        return "under 1 %"
    return "over 99 %" if p > 0.995 else f"{100 * p:.0f} %"


def _fit(name: str) -> str:
    """Shorten a class's name until it fits beside its bar."""
    if svg.text_width(name, size=12, weight="bold") <= NAME - 6:
        return name
    while svg.text_width(name + "…", size=12, weight="bold") > NAME - 6:
        name = name[:-1]
    return name + "…"


def _image(pixels: np.ndarray, x: float, y: float, side: float, frame: bool) -> str:
    """Draw (H, W, 3) colours with square pixels, the longer edge `side` long."""
    H, W, _ = pixels.shape
    width, height = round(side * W / max(H, W), 2), round(side * H / max(H, W), 2)
    x, y = round(x, 2), round(y, 2)
    body = svg.image(pixels, x, y, width, height)
    stroke = svg.INK if frame else svg.EDGE
    return body + svg.rect(x, y, width, height, stroke=stroke)
