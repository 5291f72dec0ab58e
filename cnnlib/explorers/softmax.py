"""Softmax and cross-entropy for one sample: scores, probabilities, the loss, and p − y."""

from __future__ import annotations

import math

import numpy as np

from cnnlib import svg
from cnnlib.explorers.widget import Choice, Explorer, Slider

CLASSES = ("T-shirt", "Pullover", "Coat", "Shirt")
HIGHEST = 9
# All combinations of scores would be too many to travel with a page.
SAMPLE = {"a": (0, 2, 9), "b": (0, 3, 9), "c": (0, 4, 9), "d": (0, 3, 9)}
SHIFTS = (0, 1000, -1000)

# Pixels on the screen: a row, the right edges of the columns of numbers, and two columns of bars.
TOP, ROW, WIDTH, HEIGHT = 40, 34, 790, 40 + 5 * 34 + 6
SCORE, PLAIN, SHIFTED, SAFE = 136, 216, 292, 384
P_LEFT, P_WIDTH, Y, ZERO, HALF = 408, 96, 592, 680, 52


def draw(
    a: int = 2, b: int = 3, c: int = 4, d: int = 3, label: str = "Shirt", shift: int = 0
) -> svg.Picture:
    """Draw the scores of four classes, the probabilities they lead to, the loss and its gradient.

    Parameters
    ----------
    a, b, c, d : int
        The scores, 0 to 9.
    label : str
        The right class, one of `CLASSES`.
    shift : {0, 1000, -1000}
        Is added to every score; it changes no probability.

    Raises
    ------
    ValueError
        If a score or shift is out of range, or there is no such class.

    Examples
    --------
    >>> draw(1, 1, 1, 1, label="Coat")  # doctest: +ELLIPSIS
    Softmax of the scores 1, 1, 1, 1: p = 0.250, 0.250, 0.250, 0.250. ... = 1.386. ...
    """
    scores = (a, b, c, d)
    if not all(0 <= z <= HIGHEST for z in scores) or shift not in SHIFTS:
        raise ValueError(
            f"softmax: scores are {scores} and shift {shift}; give scores from 0 to {HIGHEST} "
            f"and a shift of {', '.join(map(str, SHIFTS))}"
        )
    if label not in CLASSES:
        raise ValueError(f"softmax: classes are {', '.join(CLASSES)}; got {label!r}")
    return _Scene(np.array(scores, float) + shift, CLASSES.index(label)).picture()


def softmax(
    a: int = 2, b: int = 3, c: int = 4, d: int = 3, label: str = "Shirt", shift: int = 0
) -> Explorer:
    """Return the four scores as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = softmax(0, 0, 9, 0, label="Coat")
    """
    return Explorer(
        draw,
        {
            **{
                letter: Slider(
                    f"Score of {name}", lambda values: HIGHEST, sample=lambda values, on=on: on
                )
                for (letter, on), name in zip(SAMPLE.items(), CLASSES, strict=True)
            },
            "label": Choice("The right class", {name: name for name in CLASSES}),
            "shift": Choice("Add to all scores", {_signed(s): s for s in SHIFTS}),
        },
        a=a,
        b=b,
        c=c,
        d=d,
        label=label,
        shift=shift,
    )


softmax.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, z: np.ndarray, label: int):
        self.z, self.label, self.right = z, label, CLASSES[label]
        with np.errstate(over="ignore"):
            self.plain = np.exp(z)
        self.shifted = z - z.max()
        self.safe = np.exp(self.shifted)
        self.p = self.safe / self.safe.sum()
        self.y = np.eye(len(z), dtype=int)[label]
        self.gradient = self.p - self.y
        self.loss = math.log(self.safe.sum()) - self.shifted[label]

    def picture(self) -> svg.Picture:
        drawing = svg.above(
            svg.label("One sample: scores, probabilities, loss, gradient", size=17, weight="bold"),
            svg.Drawing(self.head() + self.rows() + self.sums(), WIDTH, HEIGHT),
            svg.above(
                svg.label(self.cost(), size=15, weight="bold"),
                svg.label(self.advice(), size=14),
                svg.label(self.stability(), fill=svg.INK if self.stable else svg.WRONG),
                gap=4,
            ),
            gap=12,
        )
        return drawing.picture(self.alt())

    # What it tells

    @property
    def stable(self) -> bool:
        """Whether exp of the scores as they are would do."""
        return bool(np.isfinite(self.plain).all() and self.plain.any())

    def cost(self) -> str:
        p = self.p[self.label]
        return f"loss = −ln p[{self.right}] = −ln {_probability(p)} = {self.loss:.3f}"

    def advice(self) -> str:
        return (
            f"A step of size 1 against the gradient raises the score of {self.right} by 1 − p, "
            "and lowers each of the others by its own p."
        )

    def stability(self) -> str:
        if self.stable:
            return "exp(z) and exp(z − max) lead to the same p: a common factor cancels in the fraction."
        what = "infinite, and ∞/∞" if np.isinf(self.plain).any() else "0 everywhere, and 0/0"
        return f"exp(z) is {what} is not a number. exp(z − max) leads to the same p as ever."

    def alt(self) -> str:
        scores = ", ".join(f"{z:g}" for z in self.z)
        p = ", ".join(map(_probability, self.p))
        gradient = ", ".join(map(_signed, self.gradient))
        return (
            f"Softmax of the scores {scores}: p = {p}. The right class is {self.right}: "
            f"{self.cost()}. p − y = {gradient}. {self.advice()} {self.stability()}"
        )

    # How it is drawn

    def head(self) -> str:
        quiet = {"size": 12, "fill": svg.QUIET}
        body = svg.text(0, 14, "class", **quiet)
        for x, words in (
            (SCORE, "score z"),
            (PLAIN, "exp(z)"),
            (SHIFTED, "z − max"),
            (SAFE, "exp(z − max)"),
        ):
            body += svg.text(x, 14, words, anchor="end", **quiet)
        body += svg.text(P_LEFT, 14, "p = exp / Σ exp", **quiet)
        body += svg.text(Y, 14, "y", anchor="middle", **quiet)
        body += svg.text(ZERO, 14, "gradient p − y", anchor="middle", **quiet)
        return body + svg.line(0, 28, WIDTH, 28, stroke=svg.EDGE)

    def rows(self) -> str:
        body = ""
        for k, name in enumerate(CLASSES):
            top, middle = TOP + k * ROW, TOP + (k + 0.5) * ROW
            here = k == self.label
            fill = svg.tint(svg.YELLOW, 0.45) if here else svg.CARD
            body += svg.rect(0, top, WIDTH, ROW - 2, fill=fill)
            body += svg.text(8, middle - 1, name, weight="bold" if here else "normal")
            wrong = svg.INK if self.stable else svg.WRONG
            for x, value, fill in (
                (SCORE, self.z[k], svg.INK),
                (PLAIN, self.plain[k], wrong),
                (SHIFTED, self.shifted[k], svg.INK),
                (SAFE, self.safe[k], svg.INK),
            ):
                body += _number(x, middle, svg.short(value), fill=fill)
            width = P_WIDTH * self.p[k]
            body += svg.rect(P_LEFT, top + 6, width, ROW - 14, fill=svg.SKY)
            body += _number(P_LEFT + P_WIDTH + 60, middle, _probability(self.p[k]))
            body += _number(Y + 4, middle, str(self.y[k]))
            length, sinks = HALF * abs(self.gradient[k]), self.gradient[k] < 0
            left = ZERO - length if sinks else ZERO
            fill = svg.NEGATIVE if sinks else svg.POSITIVE
            body += svg.rect(left, top + 6, length, ROW - 14, fill=fill)
            body += _number(WIDTH - 4, middle, _signed(self.gradient[k]))
        return body + svg.line(ZERO, TOP, ZERO, TOP + 4 * ROW, stroke=svg.QUIET)

    def sums(self) -> str:
        y = TOP + 4.5 * ROW + 4
        body = svg.line(0, TOP + 4 * ROW + 2, WIDTH, TOP + 4 * ROW + 2, stroke=svg.EDGE)
        body += svg.text(8, y, "sum", fill=svg.QUIET)
        fill = svg.INK if self.stable else svg.WRONG
        body += _number(PLAIN, y, svg.short(self.plain.sum()), fill=fill)
        body += _number(SAFE, y, svg.short(self.safe.sum()))
        body += _number(P_LEFT + P_WIDTH + 60, y, "1")
        return body + _number(Y + 4, y, "1") + _number(WIDTH - 4, y, "0")


def _probability(p: float) -> str:
    """Return three decimals, or as many as it takes to see that it is not 0."""
    return f"{p:.3f}" if p >= 0.001 else svg.short(p, 2)


def _signed(value: float) -> str:
    """Return a number with its sign; a whole one as it is, others to three digits."""
    words = f"{abs(value):g}" if float(value).is_integer() else f"{abs(value):.3f}"
    return ("−" if value < 0 else "+" if value > 0 else "") + words


def _number(x: float, y: float, words: str, fill: str = svg.INK) -> str:
    return svg.text(x, y, words, anchor="end", mono=True, fill=fill)
