"""The explorers of Dense and of softmax: every setting draws a true and readable picture."""

import doctest
import importlib
import itertools
import re

import numpy as np
import pytest
from picture import Read

from cnnlib import explorers, svg

dense = importlib.import_module(
    "cnnlib.explorers.dense"
)  # in the package, the name is the function
softmax = importlib.import_module("cnnlib.explorers.softmax")


def words_of(read):
    return [t.words.replace("\u00a0", " ") for t in read.texts]


def value_of(arithmetic):
    """What a product or sum written out comes to."""
    return eval(arithmetic.replace("·", "*").replace("−", "-"))


@pytest.mark.parametrize("module", [dense, softmax], ids=["dense", "softmax"])
def test_the_examples_run(module):
    assert doctest.testmod(module).failed == 0


# Dense

Y = dense.X @ dense.WEIGHTS + dense.B
DX = dense.DY @ dense.WEIGHTS.T
DW = dense.X.T @ dense.DY
DB = dense.DY.sum(axis=0)
SHOWN = {
    "y": [dense.B[None], dense.X.T, dense.WEIGHTS, Y],
    "dx": [DX.T, dense.WEIGHTS, dense.DY],
    "dW": [DB[None], dense.X.T, DW, dense.DY],
}
TRIPLES = list(np.ndindex(2, 4, 3))


@pytest.mark.parametrize("way", SHOWN)
def test_every_product_is_true_and_readable(way):
    for position, (n, d, k) in enumerate(TRIPLES):
        picture = explorers.dense.draw(position, way)
        read = Read(picture.svg)
        assert read.problems() == []

        # Every number of every block is shown, and none else can be pointed at.
        cells = [t.words for t in read.texts if t.pick]
        assert sorted(cells) == sorted(str(v) for block in SHOWN[way] for v in block.ravel())

        # The result carries the outline, and keeps the triple where it is.
        focus = [b for b in read.boxes if b.attributes.get("stroke-width") == "3"]
        assert [b.pick for b in focus] == [f"position={position}"]
        name, total = {
            "y": (f"y[{n}, {k}]", Y[n, k]),
            "dx": (f"dx[{n}, {d}]", DX[n, d]),
            "dW": (f"dW[{d}, {k}]", DW[d, k]),
        }[way]
        words = words_of(read)
        assert words[words.index(name) + 1] == str(total)

        # The sum, in the picture and in its words, comes to that.
        sums = re.search(rf"{re.escape(name)} = (.*?) = (-?\d+)\. ", picture.alt)
        assert value_of(sums[1]) == int(sums[2]) == total
        products = [w for w in words if re.fullmatch(r"= .*·.*", w)]
        bias = dense.B[k] if way == "y" else 0
        assert sum(value_of(p[2:]) for p in products) + bias == total
        assert len(products) == {"y": 4, "dx": 3, "dW": 2}[way]

        # One product is followed: both its factors are strongly coloured, and its line is bold.
        followed = [b for b in read.boxes if b.attributes["fill"] == dense.FOLLOWED]
        assert len(followed) == 2
        bold = [t.words for t in read.texts if t.attributes.get("font-weight") == "bold"]
        pair = {
            "y": f"x[{n}, {d}]·W[{d}, {k}]",
            "dx": f"dy[{n}, {k}]·W[{d}, {k}]",
            "dW": f"x[{n}, {d}]·dy[{n}, {k}]",
        }[way]
        assert pair in [w.replace("\u00a0", " ") for w in bold]


def test_what_is_said_of_the_bias_is_true():
    for position, (_, _, k) in enumerate(TRIPLES):
        alt = explorers.dense.draw(position, "dW").alt
        share = re.search(rf"db\[{k}\] = (.*) = (-?\d+)\.$", alt)
        assert [value_of(v) for v in share[1].split(" + ")] == [*dense.DY[:, k]]
        assert int(share[2]) == DB[k]


def test_pointing_at_a_cell_keeps_what_the_cell_does_not_say():
    picture = explorers.dense.draw(0, "y")
    picks = [int(t.pick.split("=")[1]) for t in Read(picture.svg).texts if t.pick]
    bias, left, inner, lower = np.split(np.array(picks), [3, 11, 23])
    assert [TRIPLES[p] for p in bias] == [(0, 0, k) for k in range(3)]
    assert [TRIPLES[p] for p in left] == [(n, d, 0) for d in range(4) for n in range(2)]
    assert [TRIPLES[p] for p in inner] == [(0, d, k) for d in range(4) for k in range(3)]
    assert [TRIPLES[p] for p in lower] == [(n, 0, k) for n in range(2) for k in range(3)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"position": 24}, "there are 0 to 23"),
        ({"position": -1}, "0 to 23"),
        ({"way": "db"}, "ways are y"),
    ],
)
def test_dense_refuses_what_it_cannot_draw(settings, message):
    with pytest.raises(ValueError, match=message):
        explorers.dense.draw(**settings)


def test_every_way_on_offer_can_be_drawn():
    explorer = explorers.dense()
    for words, way in dense.WAYS.items():
        explorer.codes = {"way": way, "position": 23}
        assert explorer.values == {"way": words, "position": 23}
    assert dict(explorer.view["controls"])["way"]["options"] == list(dense.WAYS.values())
    assert explorer.picture.alt.startswith("Dense backward: dW[3, 2]")


# Softmax

GRID = [*itertools.product((0, 1, 9), repeat=4)]


@pytest.mark.sampled
@pytest.mark.parametrize("shift", softmax.SHIFTS)
@pytest.mark.parametrize("label", softmax.CLASSES)
def test_every_set_of_scores_is_true_and_readable(label, shift):
    for scores in GRID:
        picture = explorers.softmax.draw(*scores, label=label, shift=shift)
        read = Read(picture.svg)
        assert read.problems() == []
        z = np.array(scores)
        p = np.exp(z) / np.exp(z).sum()
        y = np.array([name == label for name in softmax.CLASSES])
        words = words_of(read)
        for value in p:
            shown = f"{value:.3f}" if value >= 0.001 else svg.short(value, 2)
            assert shown in words
        gradient = [w for w in words if re.fullmatch(r"[−+]\d\.\d{3}|0", w)]
        for value in p - y:
            assert f"{'−' if value < 0 else '+'}{abs(value):.3f}" in gradient
        assert f"= {-np.log(p @ y):.3f}" in picture.alt
        assert f"p[{label}]" in picture.alt
        assert str(scores[0] + shift) in words

        # A bar for each p and each p − y; up and down differ in side and colour.
        blue = [b for b in read.boxes if b.attributes["fill"] == svg.SKY]
        np.testing.assert_allclose([b.right - b.left for b in blue], softmax.P_WIDTH * p, atol=0.01)
        up = [b for b in read.boxes if b.attributes["fill"] == softmax.svg.NEGATIVE]
        down = [b for b in read.boxes if b.attributes["fill"] == softmax.svg.POSITIVE]
        assert len(up) == 1 and len(down) == 3
        assert up[0].right == pytest.approx(down[0].left, abs=0.02)
        assert up[0].right - up[0].left == pytest.approx(
            sum(b.right - b.left for b in down), abs=0.05
        )

        assert ("not a number" in picture.alt) == (shift != 0)
        assert ("inf" in words) == (shift > 0)


def test_each_score_can_take_every_value():
    for k, score in itertools.product(range(4), range(softmax.HIGHEST + 1)):
        scores = [3, 3, 3, 3]
        scores[k] = score
        assert Read(explorers.softmax.draw(*scores).svg).problems() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"a": 10}, "scores from 0 to 9"),
        ({"shift": 5}, "shift of 0, 1000"),
        ({"label": "Bag"}, "classes"),
    ],
)
def test_softmax_refuses_what_it_cannot_draw(settings, message):
    with pytest.raises(ValueError, match=message):
        explorers.softmax.draw(**settings)


def test_every_control_of_softmax_is_heard():
    explorer = explorers.softmax()
    controls = dict(explorer.view["controls"])
    assert [controls[letter]["last"] for letter in "abcd"] == [9] * 4
    for label, shift in itertools.product(
        controls["label"]["options"], controls["shift"]["options"]
    ):
        explorer.codes = {**explorer.codes, "a": 7, "label": label, "shift": shift}
        assert f"The right class is {label}" in explorer.picture.alt
    assert explorer.values["shift"] == -1000
    assert explorer.picture.alt.startswith("Softmax of the scores -993,")
