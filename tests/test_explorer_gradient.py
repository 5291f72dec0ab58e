"""The measured slope: every setting draws a true and readable picture."""

import doctest
import importlib
import itertools
import re

import numpy as np
import pytest
from picture import Read

from cnnlib import explorers

module = importlib.import_module("cnnlib.explorers.gradient")
draw = explorers.gradient.draw
DIFFERENCES, NUMBERS, STEPS = ("central", "one-sided"), ("float64", "float32"), range(17)
SETTINGS = [*itertools.product(module.FUNCTIONS, DIFFERENCES, NUMBERS)]
POINTS = {"cube": (2.0, 12), "raised": (2.0, 12), "kink": (1e-5, 1)}
HEIGHTS = {
    "cube": lambda x: x * x * x,
    "raised": lambda x: x * x * x + 1_000_000,
    "kink": lambda x: np.maximum(x, 0),
}


def slope(function, difference, numbers, step):
    """What NumPy's own numbers make of the difference."""
    t, f = np.dtype(numbers).type, HEIGHTS[function]
    x, h = t(POINTS[function][0]), t(float(f"1e-{step}"))
    if difference == "one-sided":
        return float((f(x + h) - f(x)) / h)
    return float((f(x + h) - f(x - h)) / (2 * h))


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(("function", "difference", "numbers"), SETTINGS)
def test_every_setting_is_true_and_readable(function, difference, numbers):
    right = POINTS[function][1]
    sizes = set()
    for step in STEPS:
        picture = draw(step, function, difference, numbers)
        read = Read(picture.svg)
        sizes.add((read.width, read.height))
        assert read.problems() == []
        words = [t.words for t in read.texts]

        got = slope(function, difference, numbers, step)
        error = abs(got - right) / right
        measured = module.measure(function, difference, numbers, step)
        assert measured.slope == got
        assert measured.error == pytest.approx(error, abs=1e-15)
        assert measured.lost == (got == 0)
        assert f"through the two points, slope {got:.12g}" in words
        assert f"gives {got:.12g}. The relative error is" in picture.alt
        assert ("good enough" in picture.alt) <= (error < 1e-6)
        assert any(w.startswith("✓" if error < 1e-6 else "✗") for w in words)

        picks = [b.pick for b in read.boxes if b.pick]
        assert picks == [f"step={k}" for k in STEPS]
        assert picture.svg.count("<circle") == 3
    assert len(sizes) == 1


@pytest.mark.parametrize("difference", DIFFERENCES)
@pytest.mark.parametrize("step", range(5))
def test_the_two_parts_of_the_error_are_told_apart(difference, step):
    h = 10.0**-step
    curve = h**2 if difference == "central" else 6 * h + h**2  # of x³ at 2
    measured = module.measure("cube", difference, "float64", step)
    assert measured.curve == pytest.approx(curve / 12)
    assert measured.rounding < 1e-11
    assert measured.error == pytest.approx(measured.curve, rel=1e-2)


def test_the_dots_lie_where_the_secant_and_the_errors_are():
    document = draw(0, "cube").svg
    ends = [(float(x), float(y)) for x, y in re.findall(r'<circle cx="(\S+)" cy="(\S+)"', document)]
    (below, low), (above, high), (_, error) = ends
    assert below + above == pytest.approx(module.PANEL)  # x lies in the middle
    lines = re.findall(r'<polyline points="([^"]+)"', document)
    tangent, secant, curve = (
        np.array([p.split(",") for p in line.split()], float) for line in lines[:3]
    )
    per_unit = (tangent[0, 1] - tangent[1, 1]) / (3 * 12)  # from −1.5 h to 1.5 h at slope 12
    assert (low - high) / per_unit == pytest.approx(27 - 1, abs=0.1)
    for x, y in ends[:2]:
        assert np.interp(x, *secant.T) == pytest.approx(y, abs=0.1)
        assert np.interp(x, *curve.T) == pytest.approx(y, abs=0.5)
    assert 0 < error < module.HEIGHT


def test_an_error_of_zero_lies_on_the_floor():
    picture = draw(5, "kink")
    assert "The relative error is 0." in picture.alt
    *_, (_, y) = re.findall(r'<circle cx="(\S+)" cy="(\S+)"', picture.svg)
    assert float(y) == pytest.approx(module.HEIGHT, abs=0.1)


@pytest.mark.parametrize(
    ("error", "words"),
    [(0, "0"), (0.45, "0.45"), (1, "1"), (2e-3, "2·10⁻³"), (9.9e-12, "1·10⁻¹¹"), (0.0125, "0.013")],
)
def test_an_error_in_words(error, words):
    assert module._words(error) == words


@pytest.mark.parametrize(
    "wrong",
    [{"step": 17}, {"step": -1}, {"function": "sine"}, {"difference": "left"}, {"numbers": "int"}],
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match="gradient: "):
        draw(**wrong)


def test_the_widget_paints_what_is_chosen():
    explorer = explorers.gradient()
    explorer.codes = {
        "function": "ReLU at 10⁻⁵",
        "difference": "central",
        "numbers": "float32",
        "step": 4,
    }
    assert explorer.values == {
        "function": "kink",
        "difference": "central",
        "numbers": "float32",
        "step": 4,
    }
    assert explorer.picture == draw(4, "kink", "central", "float32")
