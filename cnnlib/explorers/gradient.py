"""A slope, measured: the secant beside the tangent, and the error against the step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from cnnlib import svg
from cnnlib.explorers.widget import Choice, Explorer, Slider
from cnnlib.svg import Drawing


@dataclass(frozen=True)
class Function:
    """A function, the point at which its slope is asked for, and the slope.

    It uses + − · / and abs alone, which fractions, float32 and float64 all know, and which every
    computer rounds in the same way.
    """

    name: str
    f: Callable
    x: Fraction
    slope: int


FUNCTIONS = {
    "cube": Function("x³ at 2", lambda x: x * x * x, Fraction(2), 12),
    "raised": Function("x³ + 10⁶ at 2", lambda x: x * x * x + 10**6, Fraction(2), 12),
    "kink": Function("ReLU at 10⁻⁵", lambda x: (x + abs(x)) / 2, Fraction(1, 10**5), 1),
}
CODE = {"central": "(f(x + h) − f(x − h)) / 2h", "one-sided": "(f(x + h) − f(x)) / h"}
DTYPES = {"float64": np.float64, "float32": np.float32}
SMALLEST = 16  # the smallest step is 10⁻¹⁶
FINE = 1e-6  # up to here, a gradient check takes two slopes for the same

# Pixels on the screen: the picture, a panel, and room for the names of the error's axis.
WIDTH, PANEL, HEIGHT, GUTTER = 790, 360, 240, 46
REACH = 1.5  # how many steps the left panel shows to either side of x
FLOOR = -16  # the error's axis ends at 10⁻¹⁶; below that lies 0
CURVE, TANGENT, SECANT = svg.INK, svg.BLUE, svg.VERMILLION
COLOURS = {"float64": svg.BLUE, "float32": svg.ORANGE}


@dataclass(frozen=True)
class Measured:
    """A slope as it comes out, and the two parts of its error, relative to the right slope."""

    slope: float
    curve: float
    """What even exact arithmetic gets wrong, as the secant isn't the tangent."""
    rounding: float
    error: float

    @property
    def lost(self) -> bool:
        """Whether the step was rounded away, or f's change with it."""
        return self.slope == 0


@cache
def measure(function: str, difference: str, numbers: str, step: int) -> Measured:
    """Measure a slope with h = 10^−step, and say where its error comes from.

    Parameters
    ----------
    function : {"cube", "raised", "kink"}
    difference : {"central", "one-sided"}
    numbers : {"float64", "float32"}
    step : int

    Examples
    --------
    >>> measure("cube", "central", "float64", 1).slope  # (2.1³ − 1.9³) / 0.2
    12.010000000000009
    >>> round(measure("cube", "one-sided", "float64", 1).slope, 9)
    12.61
    """
    of = FUNCTIONS[function]
    exact = _quotient(of.f, of.x, Fraction(1, 10**step), difference)
    got = _quotient(of.f, *_point_and_step(of, numbers, step), difference)
    return Measured(
        float(got),
        float(abs(exact - of.slope) / of.slope),
        float(abs(Fraction(float(got)) - exact) / of.slope),
        float(abs(Fraction(float(got)) - of.slope) / of.slope),
    )


def _quotient(f, x, h, difference):
    if difference == "one-sided":
        return (f(x + h) - f(x)) / h
    return (f(x + h) - f(x - h)) / (2 * h)


def _point_and_step(of: Function, numbers: str, step: int):
    dtype = DTYPES[numbers]
    return dtype(float(of.x)), dtype(float(f"1e-{step}"))


def draw(
    step: int = 2, function: str = "cube", difference: str = "central", numbers: str = "float64"
) -> svg.Picture:
    """Draw a function near a point, always three steps wide, and the error of its measured slope.

    Parameters
    ----------
    step : int
        h = 10^−step, 0 to 16.
    function : {"cube", "raised", "kink"}
        What is measured, and where: x³ at 2; the same, with a million added; ReLU at 10⁻⁵.
    difference : {"central", "one-sided"}
    numbers : {"float64", "float32"}

    Raises
    ------
    ValueError
        If there is no such setting.

    Examples
    --------
    >>> draw(1, difference="one-sided")  # doctest: +ELLIPSIS
    The slope of x³ at 2 is 12. The one-sided difference in float64, with h = 10⁻¹, gives 12.61...
    """
    if step not in range(SMALLEST + 1):
        raise ValueError(f"gradient: step is {step}; h = 10^−step, with 0 to {SMALLEST}")
    given = {"function": function, "difference": difference, "numbers": numbers}
    for (name, value), known in zip(given.items(), (FUNCTIONS, CODE, DTYPES), strict=True):
        if value not in known:
            raise ValueError(f"gradient: {name} is {value!r}; choose from {', '.join(known)}")
    return _Scene(step, function, difference, numbers).picture()


def gradient(
    step: int = 2, function: str = "cube", difference: str = "central", numbers: str = "float64"
) -> Explorer:
    """Return the measured slope as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = gradient(5, numbers="float32")
    """
    return Explorer(
        draw,
        {
            "function": Choice("Function", {of.name: key for key, of in FUNCTIONS.items()}),
            "difference": Choice("Difference", {name: name for name in CODE}),
            "numbers": Choice("Numbers", {name: name for name in DTYPES}),
            "step": Slider(
                "Step h", lambda values: SMALLEST, lambda values: _power(values["step"]), walk=0
            ),
        },
        step=step,
        function=function,
        difference=difference,
        numbers=numbers,
    )


gradient.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, step: int, function: str, difference: str, numbers: str):
        self.step, self.difference, self.numbers = step, difference, numbers
        self.function, self.of = function, FUNCTIONS[function]
        self.measured = measure(function, difference, numbers, step)

    def picture(self) -> svg.Picture:
        panels = svg.beside(
            svg.above(self.near_the_point(), self.legend_of_lines(), gap=6),
            svg.above(
                self.errors(),
                svg.beside(Drawing("", GUTTER, 0), self.legend_of_dtypes(), gap=0),
                gap=6,
            ),
            gap=WIDTH - 2 * PANEL - GUTTER,
        )
        return svg.above(self.header(), panels, self.footer(), gap=14).picture(self.alt())

    # What it tells

    def alt(self) -> str:
        return (
            f"The slope of {self.of.name} is {self.of.slope}. The {self.difference} difference in "
            f"{self.numbers}, with h = {_power(self.step)}, gives {self.slope()}. "
            f"{' '.join(self.verdict())}"
        )

    def slope(self) -> str:
        return f"{self.measured.slope:.12g}"

    def verdict(self) -> list[str]:
        """Say how large the error is, which part is the curve's and which that of rounding, and why."""
        measured = self.measured
        size = f"The relative error is {_words(measured.error)}."
        if measured.lost:
            return [size, "Rounding has swallowed the step.", "f is the same at both points."]
        shares = _words(measured.curve), _words(measured.rounding)
        parts = f"The curve's share of it is {shares[0]}, that of rounding {shares[1]}."
        if measured.curve > measured.rounding and self.function == "kink":
            why = "The kink lies between x − h and x + h."
        elif measured.error < FINE:
            why = "That is good enough to tell a right gradient from a wrong one."
        elif measured.curve > measured.rounding:
            why = "f bends between the two points: a smaller step helps."
        else:
            why = "f moves by too few of its last digits: a larger step helps."
        return [size, parts, why]

    # How it is drawn

    def header(self) -> Drawing:
        return svg.beside(
            svg.label(f"The slope of {self.of.name}", size=17, weight="bold"),
            svg.label(CODE[self.difference], size=14, mono=True),
            svg.label(f"h = {_power(self.step)}", size=14),
            gap=24,
        )

    def near_the_point(self) -> Drawing:
        """Draw f as the computer has it, the tangent, and the secant; the panel grows with h."""
        x, h = _point_and_step(self.of, self.numbers, self.step)
        f, per_step = self.of.f, float(h) * self.of.slope  # the tangent's rise, as the unit
        reach = np.linspace(-REACH, REACH, 181)
        heights = (f(x + reach.astype(x.dtype) * h) - f(x)).astype(float) / per_step
        first = 0 if self.difference == "one-sided" else -1
        ends = [(u, float(f(x + x.dtype.type(u) * h) - f(x)) / per_step) for u in (first, 1)]
        rise = (ends[1][1] - ends[0][1]) / (1 - first)
        secant = [(u, ends[0][1] + rise * (u - first)) for u in (-REACH, REACH)]

        values = [*heights, *(v for _, v in secant), -REACH, REACH]
        low, high = min(values), max(values)
        margin = 0.06 * (high - low)

        def at(u, v):
            return (
                (u + REACH) / (2 * REACH) * PANEL,
                (high + margin - v) / (high - low + 2 * margin) * HEIGHT,
            )

        body = svg.rect(0, 0, PANEL, HEIGHT, fill="#F6F8FA", stroke="#D1D9E0")
        for u, name in ((-1, "x − h"), (0, "x"), (1, "x + h")):
            left = at(u, 0)[0]
            body += svg.line(left, 0, left, HEIGHT, stroke="#D1D9E0", stroke_width=1)
            body += svg.text(left, HEIGHT + 12, name, anchor="middle", size=12, fill=svg.QUIET)
        lines = [
            ([at(-REACH, -REACH), at(REACH, REACH)], TANGENT, 2, "6 4"),
            ([at(*point) for point in secant], SECANT, 2, ""),
            ([at(u, v) for u, v in zip(reach, heights, strict=True)], CURVE, 2.5, ""),
        ]
        body += "".join(_polyline(*line) for line in lines)
        body += "".join(_dot(*at(*end), SECANT) for end in ends)
        return Drawing(body, PANEL, HEIGHT + 20)

    def errors(self) -> Drawing:
        """Draw the error against the step, for both kinds of numbers."""
        left, column = GUTTER, PANEL / (SMALLEST + 1)
        top = 1 - FLOOR + 2  # decades: from 10² down to 10⁻¹⁶, and one more for 0

        def at(step, error):
            decade = np.log10(error) if error > 10**FLOOR else FLOOR - 1
            # Small steps on the left, as in any plot against h.
            return left + (SMALLEST - step + 0.5) * column, (2 - decade) / top * HEIGHT

        body = svg.rect(left, 0, PANEL, HEIGHT, fill="#F6F8FA", stroke="#D1D9E0")
        for decade in (0, -4, -8, -12):
            y = at(0, 10.0**decade)[1]
            body += svg.line(left, y, left + PANEL, y, stroke="#D1D9E0", stroke_width=1)
            body += svg.text(left - 6, y, _power(-decade), anchor="end", size=11, fill=svg.QUIET)
        body += svg.text(left - 6, at(0, 0)[1], "0", anchor="end", size=11, fill=svg.QUIET)
        body += svg.text(left, HEIGHT + 12, "h = 10⁻¹⁶", size=12, fill=svg.QUIET)
        body += svg.text(left + PANEL, HEIGHT + 12, "h = 1", anchor="end", size=12, fill=svg.QUIET)
        for numbers, colour in COLOURS.items():
            points = [
                at(step, measure(self.function, self.difference, numbers, step).error)
                for step in range(SMALLEST + 1)
            ]
            now = numbers == self.numbers
            body += _polyline(points, colour, 3 if now else 1.5, "" if now else "3 3")
            body += _dot(*points[self.step], colour) if now else ""
        for step in range(SMALLEST + 1):
            body += (
                f'<g data-pick="step={step}">'
                + svg.rect(at(step, 1)[0] - column / 2, 0, column, HEIGHT, fill="transparent")
                + "</g>"
            )
        return Drawing(body, GUTTER + PANEL, HEIGHT + 20)

    def legend_of_lines(self) -> Drawing:
        return svg.above(
            _key(f"f, as {self.numbers} has it", CURVE, ""),
            _key(f"tangent, slope {self.of.slope}", TANGENT, "6 4"),
            _key(f"through the two points, slope {self.slope()}", SECANT, ""),
            gap=2,
        )

    def legend_of_dtypes(self) -> Drawing:
        keys = [
            _key(
                f"relative error in {numbers}",
                colour,
                "" if numbers == self.numbers else "3 3",
            )
            for numbers, colour in COLOURS.items()
        ]
        return svg.above(*keys, gap=2)

    def footer(self) -> Drawing:
        fine = self.measured.error < FINE
        size, *why = self.verdict()
        mark, fill = ("✓", svg.INK) if fine else ("✗", svg.WRONG)
        return svg.above(
            svg.label(f"{mark} {size}", size=14, weight="bold", fill=fill),
            *map(svg.label, why),
            gap=4,
        )


def _polyline(points, colour: str, width: float, dashes: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
        f"{dashed}/>"
    )


def _dot(x: float, y: float, colour: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}" stroke="{svg.CARD}" '
        'stroke-width="1.5"/>'
    )


def _key(words: str, colour: str, dashes: str) -> Drawing:
    body = _polyline([(0, 9), (28, 9)], colour, 2.5, dashes) + svg.text(38, 9, words, size=12)
    return Drawing(body, 38 + svg.text_width(words, size=12), 18)


def _power(step: int) -> str:
    """Return 10^−step as a person writes it."""
    return (
        "1" if step == 0 else "10⁻" + str(step).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    )


def _words(error: float) -> str:
    """Return an error in few digits: "0", "0.45", "8·10⁻⁹"."""
    if error == 0 or error >= 0.01:
        return f"{error:.2g}"
    mantissa, exponent = f"{error:.0e}".split("e-")
    return f"{mantissa}·{_power(int(exponent))}"
