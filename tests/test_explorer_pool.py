"""The pool explorer: every setting draws a true and readable picture, of anybody's pools."""

import doctest
import importlib
import itertools
import re

import numpy as np
import pytest
from picture import Read

from cnnlib import explorers, layers, misconceptions, svg

pool = importlib.import_module("cnnlib.explorers.pool")  # in the package, `pool` is the function
draw = explorers.pool.draw
GRID = [*itertools.product(pool.POOLS, pool.WINDOWS, pool.NUMBERS)]


def number(words):
    return float(words.replace("−", "-"))


def worked(kind, windows, numbers):
    """x, y and dy, calculated here."""
    side, stride = windows
    x = pool.NUMBERS[numbers]
    OH, OW = (5 - side) // stride + 1, (6 - side) // stride + 1
    y = np.zeros((OH, OW))
    for i, j in np.ndindex(OH, OW):
        window = x[i * stride : i * stride + side, j * stride : j * stride + side]
        y[i, j] = window.max() if kind == "max" else window.sum() / side**2
    return x, y, side**2 * np.arange(1, OH * OW + 1).reshape(OH, OW)


def given_back(kind, windows, x, dy):
    """dx, calculated here."""
    side, stride = windows
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(dy.shape):
        window = np.s_[i * stride : i * stride + side, j * stride : j * stride + side]
        if kind == "max":
            dx[window][np.unravel_index(x[window].argmax(), (side, side))] += dy[i, j]
        else:
            dx[window] += dy[i, j] / side**2
    return dx


def test_the_examples_run():
    assert doctest.testmod(pool).failed == 0


@pytest.mark.sampled
@pytest.mark.parametrize(("kind", "windows", "numbers"), GRID)
def test_every_setting_is_true_and_readable(kind, windows, numbers):
    x, y, dy = worked(kind, windows, numbers)
    side, stride = windows
    for cell in range(30 + y.size):
        # While the outputs are walked through, the gradient piles up in dx.
        sent = dy if cell < 30 else np.where(np.arange(y.size).reshape(y.shape) <= cell - 30, dy, 0)
        dx = given_back(kind, windows, x, sent)
        expected = [f"{value:.2f}" for grid in (x, y, dx, dy) for value in grid.flat]
        picture = draw(cell, kind, windows, numbers)
        read = Read(picture.svg)
        assert read.problems() == []

        # The four grids hold the right numbers, and each cell answers with itself.
        shown = [t for t in read.texts if t.pick]
        assert [f"{number(t.words):.2f}" for t in shown] == expected
        picks = [f"cell={k}" for k in range(30)], [f"cell={30 + k}" for k in range(y.size)]
        assert [t.pick for t in shown] == [*picks[0], *picks[1]] * 2
        focus = [b.pick for b in read.boxes if b.attributes.get("stroke-width") == "3"]
        assert focus == [f"cell={cell}"] * 2

        # The words tell of the same sums, and the alternative text tells the same as the words.
        words = [t.words.replace("\u00a0", " ") for t in read.texts if not t.pick]
        for line in words:
            if match := re.fullmatch(r"y\[(\d), (\d)\] = (.*) = (\S+)", line):
                i, j = int(match[1]), int(match[2])
                assert np.isclose(eval(match[3].replace("−", "-")), y[i, j])
                assert round(y[i, j], 2) == number(match[4])
            if match := re.fullmatch(r"dx\[(\d), (\d)\] = ([^=]*)( = (\d+))?", line):
                total = dx[int(match[1]), int(match[2])]
                assert eval(match[3]) == total
                assert not match[5] or int(match[5]) == total
        told = next(line for line in words if " looks at " in line or " is in " in line)
        assert told in picture.alt
        so_far = " so far" if (sent != dy).any() else ""
        assert f"dy{so_far} adds up to {sent.sum()}, and so does dx" in picture.alt
        assert any(line == "dx, so far" for line in words) == bool(so_far)
        assert not any("✗" in line for line in words)

        # Grey is what no window reaches.
        grey = [b.pick for b in read.boxes if b.attributes.get("fill") == pool.UNREACHED and b.pick]
        reached = np.zeros((5, 6), bool)
        for i, j in np.ndindex(y.shape):
            reached[i * stride : i * stride + side, j * stride : j * stride + side] = True
        assert grey == [f"cell={k}" for k in np.flatnonzero(~reached)] * 2


@pytest.mark.sampled
@pytest.mark.parametrize(("kind", "windows", "numbers"), GRID)
def test_orange_is_who_gets_a_share_and_blue_who_is_only_looked_at(kind, windows, numbers):
    x, y, *_ = worked(kind, windows, numbers)
    side, stride = windows
    white = {svg.CARD, pool.UNREACHED}
    for cell in range(30, 30 + y.size):
        i, j = divmod(cell - 30, y.shape[1])
        boxes = Read(draw(cell, kind, windows, numbers).svg).boxes
        fills = [b.attributes["fill"] for b in boxes if b.pick and "data" not in b.attributes]
        fills = [f for f in fills if f != "none"][:30]
        window = np.zeros((5, 6), bool)
        window[i * stride : i * stride + side, j * stride : j * stride + side] = True
        coloured = np.array([f not in white for f in fills]).reshape(5, 6)
        assert (coloured == window).all()
        blue = np.array([f == svg.tint(svg.SKY, 0.45) for f in fills]).reshape(5, 6)
        winners = side**2 if kind == "average" else 1
        assert (window & ~blue).sum() == winners
        if kind == "max":
            assert x[window & ~blue].item() == y[i, j]


def test_a_pixel_in_no_window_gets_nothing():
    assert "x[4, 0] = 15 is in no window. dx[4, 0] = 0." in draw(24, "max", (2, 2)).alt


def test_ties_are_told():
    assert "x[1, 2] = 5 is in 4 windows and the maximum of 4, though not alone in 2" in (
        draw(8, "max", (2, 1), "ties").alt
    )
    assert "; 3 pixels tie" in draw(30, "max", (3, 2), "ties").alt


class EvenSplit(layers.MaxPool2D):
    """Legal too: ties share."""

    def forward(self, x):
        self.x = x
        self.y = super().forward(x)
        return self.y

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for i, j in np.ndindex(dy.shape[2:]):
            (K, _), (S, _) = self.kernel_size, self.stride
            window = np.s_[:, :, i * S : i * S + K, j * S : j * S + K]
            mask = self.x[window] == self.y[:, :, i, j, None, None]
            dx[window] += mask / mask.sum(axis=(2, 3), keepdims=True) * dy[:, :, i, j, None, None]
        return dx


def test_somebody_elses_pool_is_drawn_as_it_works():
    picture = draw(30, "max", (3, 2), "ties", layers=(EvenSplit, layers.AvgPool2D))
    assert "dy[0, 0] = 9: 3 to each of 3 pixels" in picture.alt
    assert Read(picture.svg).problems() == []


@pytest.mark.parametrize(
    ("wrong", "numbers"),
    [
        (misconceptions.pool.LastWinKept, "different"),
        (misconceptions.pool.WholeGradientToEveryTie, "ties"),
        (misconceptions.pool.WholeGradientToEveryPixel, "different"),
    ],
)
def test_a_pool_that_loses_or_makes_gradient_is_marked(wrong, numbers):
    for cell in [*range(30), 49]:  # 49: the last has handed back its gradient
        picture = draw(cell, "max", (2, 1), numbers, layers=(wrong, layers.AvgPool2D))
        assert "dy adds up to 840, but dx to" in picture.alt
        read = Read(picture.svg)
        assert read.problems() == []
        assert [t for t in read.texts if t.words.startswith("✗ dy adds up to 840, but dx to")]


def test_a_pool_that_is_not_written_yet_breaks_nothing():
    class Untouched:
        def __init__(self, kernel_size, stride=None):
            raise NotImplementedError

    class HalfWay(layers.AvgPool2D):
        def backward(self, dy):
            raise NotImplementedError

    for kind, name in (("max", "Untouched"), ("average", "HalfWay")):
        picture = draw(7, kind, layers=(Untouched, HalfWay))
        assert picture.alt.startswith(f"○ {name} is not written yet")
        assert Read(picture.svg).problems() == []
    explorers.pool(layers=(Untouched, HalfWay))


def test_a_pool_of_another_shape_is_refused_in_words():
    class Shapeless(layers.MaxPool2D):
        def backward(self, dy):
            return dy

    with pytest.raises(ValueError, match=r"Shapeless.backward returned shape .* ask the check"):
        draw(7, layers=(Shapeless, layers.AvgPool2D))


@pytest.mark.parametrize(
    "wrong", [{"pool": "min"}, {"windows": (5, 5)}, {"numbers": "odd"}, {"cell": 50}, {"cell": -1}]
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match=r"pools are|there are 0 to"):
        draw(**wrong)


def test_the_widget_starts_where_it_is_told_and_clips_its_slider():
    explorer = explorers.pool(49, pool="average")
    assert explorer.picture.alt == draw(49, "average").alt
    explorer.codes = {**explorer.codes, "windows": "2×2, stride 3"}
    assert explorer.values["cell"] == 33
    assert explorer.picture.alt == draw(33, "average", (2, 3)).alt
