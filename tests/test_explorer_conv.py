"""The convolution explorers: every setting draws a true and readable picture."""

import doctest
import importlib
import itertools
import re

import numpy as np
import pytest
from picture import Read

from cnnlib import explorers, svg
from cnnlib.explorers import conv

STRIDES, PADDINGS = (1, 2, 3), (0, 1, 2)


def words_of(read):
    return [t.words.replace("\u00a0", " ") for t in read.texts]


def cells(read):
    """What stands in the cells that can be pointed at, by what they answer."""
    return {t.pick: t.words for t in read.texts if t.pick}


def focus(read):
    return [b.pick for b in read.boxes if b.attributes.get("stroke-width") == "3" and b.pick]


def tinted(read, colour):
    return [b for b in read.boxes if b.attributes.get("fill") == colour]


def test_the_examples_run():
    assert doctest.testmod(importlib.import_module("cnnlib.explorers.conv")).failed == 0


# Forward


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [*itertools.product(conv.KERNELS, STRIDES, PADDINGS)]
)
def test_every_window_is_true_and_readable(kernel, stride, padding):
    padded, W = np.pad(conv.SLOPE, padding), conv.KERNELS[kernel]
    OH = len(range(0, len(padded) - 2, stride))
    for position, (i, j) in enumerate(np.ndindex(OH, OH)):
        picture = explorers.conv_forward.draw(position, kernel, stride, padding)
        read = Read(picture.svg)
        assert read.problems() == []
        top, left = i * stride, j * stride
        window = padded[top : top + 3, left : left + 3]
        total = (window * W).sum()

        shown = cells(read)
        assert len(shown) == OH * OH
        assert shown[f"position={position}"] == str(total)
        assert focus(read) == [f"position={position}"]
        assert f"y[{i}, {j}]" in picture.alt
        assert f"rows {top} to {top + 2} and columns {left} to {left + 2}" in picture.alt
        terms = next(w for w in words_of(read) if w.count("·") == 9)
        left_side, right_side = terms.split(" = ")
        assert eval(left_side.replace("·", "*")) == int(right_side) == total
        assert len(tinted(read, svg.tint(svg.SKY, 0.6))) == 9

        unread = np.ones(padded.shape, bool)
        for a, b in np.ndindex(OH, OH):
            unread[a * stride : a * stride + 3, b * stride : b * stride + 3] = False
        assert len(tinted(read, svg.tint(svg.ORANGE, 0.35))) == unread.sum()
        rows_left = unread[:, 0].sum()
        assert ("left over" in picture.alt) == (rows_left == 0)
        assert f"// {stride} + 1 = {OH} windows" in picture.alt
    with pytest.raises(ValueError, match=f"there are 0 to {OH * OH - 1}"):
        explorers.conv_forward.draw(OH * OH, kernel, stride, padding)


# Backward


@pytest.mark.parametrize(("stride", "padding"), [*itertools.product(STRIDES, (0, 1))])
def test_everyone_hears_from_whom_they_fed(stride, padding):
    x, W = np.pad(conv.PIXELS, padding), conv.WEIGHTS
    OH, OW = (len(range(0, n - 2, stride)) for n in x.shape)
    dy = conv.UPSTREAM[:OH, :OW]
    dx, dW = np.zeros(x.shape, int), np.zeros((3, 3), int)
    readers = np.zeros(x.shape, int)
    for i, j in np.ndindex(OH, OW):
        part = slice(i * stride, i * stride + 3), slice(j * stride, j * stride + 3)
        dx[part] += dy[i, j] * W
        dW += dy[i, j] * x[part]
        readers[part] += 1
    H, width = conv.PIXELS.shape
    inside = slice(padding, padding + H), slice(padding, padding + width)
    asked = [
        (f"dx[{r}, {c}]", dx[inside][r, c], readers[inside][r, c]) for r, c in np.ndindex(H, width)
    ]
    asked += [(f"dW[{k}, {m}]", dW[k, m], OH * OW) for k, m in np.ndindex(3, 3)]
    asked += [("db", dy.sum(), OH * OW)]

    for position, (name, total, count) in enumerate(asked):
        picture = explorers.conv_backward.draw(position, stride, padding)
        read = Read(picture.svg)
        assert read.problems() == []
        words = words_of(read)
        assert f"{name} = {total}" in words
        assert f"{name} = {total}." in picture.alt
        shares = [
            re.search(r"= (-?\d+)·\(?(-?\d+)\)? = (-?\d+)$", w)
            for w in words
            if w.startswith("dy[")
        ]
        assert len(shares) == count
        for share in shares:
            a, b, product = map(int, share.groups())
            assert a * b == product
        assert sum(int(share[3]) for share in shares) == total
        assert len(tinted(read, svg.tint(svg.ORANGE, 0.6))) == count

        # Everyone can be pointed at, and the one who is asked carries the outline.
        assert set(cells(read)) == {f"position={k}" for k in range(40 + OH * OW)}
        assert focus(read) == [f"position={position}"]
        assert cells(read)[f"position={position}"].split()[-1] == str(total)


@pytest.mark.parametrize(("stride", "padding"), [*itertools.product(STRIDES, (0, 1))])
def test_the_shares_of_one_output_after_the_other_pile_up_in_dx(stride, padding):
    H, width = conv.PIXELS.shape
    OH, OW = (len(range(0, n + 2 * padding - 2, stride)) for n in (H, width))
    dx = np.zeros((H + 2 * padding, width + 2 * padding), int)
    for number, (i, j) in enumerate(np.ndindex(OH, OW)):
        dy = conv.UPSTREAM[i, j]
        dx[i * stride : i * stride + 3, j * stride : j * stride + 3] += dy * conv.WEIGHTS
        picture = explorers.conv_backward.draw(40 + number, stride, padding)
        read = Read(picture.svg)
        assert read.problems() == []
        assert f"dy[{i}, {j}] = {dy}" in words_of(read)
        assert focus(read) == [f"position={40 + number}"]
        shown = cells(read)
        for r, c in np.ndindex(H, width):
            assert shown[f"position={r * width + c}"] == str(dx[r + padding, c + padding])
        for k, m in np.ndindex(3, 3):
            share = dy * conv.WEIGHTS[k, m]
            assert shown[f"position={30 + 3 * k + m}"] == str(share)
            assert any(w.endswith(f" = {share}") and f"W[{k}, {m}]" in w for w in words_of(read))
    final = explorers.conv_backward.draw(0, stride, padding)
    for k in range(30):  # what has piled up is what a pixel hears in all
        assert cells(Read(final.svg))[f"position={k}"] == shown[f"position={k}"]


@pytest.mark.parametrize("size", [conv.draw_forward, conv.draw_backward])
def test_the_picture_does_not_jump_when_the_slider_moves(size):
    sizes = {(Read(p.svg).width, Read(p.svg).height) for p in map(size, range(12))}
    assert len(sizes) == 1


@pytest.mark.parametrize(
    ("explorer", "settings", "message"),
    [
        (explorers.conv_forward, {"position": -1}, "position is -1"),
        (explorers.conv_forward, {"kernel": "sobel"}, "kernels are vertical, .*; got 'sobel'"),
        (explorers.conv_forward, {"stride": 4}, "stride is 4"),
        (explorers.conv_forward, {"padding": 3}, "padding from 0 to 2"),
        (explorers.conv_backward, {"position": 52}, "there are 0 to 51"),
        (explorers.conv_backward, {"padding": 2}, "padding from 0 to 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(explorer, settings, message):
    with pytest.raises(ValueError, match=message):
        explorer.draw(**settings)
    with pytest.raises(ValueError, match=message):
        explorer(**settings)


def test_the_widgets_follow_their_controls():
    forward = explorers.conv_forward(15)
    assert forward.values == {"kernel": "vertical", "stride": 1, "padding": 0, "position": 15}
    forward.codes = {**forward.codes, "stride": "2"}  # now there are four windows only
    assert forward.values["position"] == 3
    assert "y[1, 1]" in forward.picture.alt
    backward = explorers.conv_backward(14, stride=2)
    backward.codes = {**backward.codes, "position": 39}
    assert "db = " in backward.picture.alt


# Wires


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("who", "last"), [("output", 0), ("pixel", 6), ("weight", 2), (None, 0)])
def test_the_wires_are_true_and_readable(who, last, stride):
    x, w = [3, 1, 4, 1, 5, 9, 2], [2, 3, 5]
    windows = (7 - 3) // stride + 1
    y = [100 + j for j in range(windows)]
    for number in range((windows if who == "output" else last + 1) if who else 1):
        picture = conv.wires(x, w, y, stride=stride, **({who: number} if who else {}))
        assert Read(picture.svg).problems() == []
        expected = [
            (j, k)
            for j in range(windows)
            for k in range(3)
            if {None: True, "output": j == number, "weight": k == number}.get(
                who, j * stride + k == number
            )
        ]
        labels = [t.words for t in Read(picture.svg).texts if t.words.startswith("·")]
        assert sorted(labels) == sorted(f"·{w[k]}" for _, k in expected)
        assert picture.svg.count("<polygon") == (len(expected) if who in ("output", "pixel") else 0)
        numbers = [int(n) for n in re.findall(r"\d+", picture.alt)]
        if who == "pixel" and not expected:
            assert picture.alt == f"No wire from pixel {number}."
        elif who == "pixel":
            outputs = [j for j, _ in expected]
            assert numbers == [*outputs, number, *(w[k] for _, k in expected)]


def test_wires_want_one_output_for_each_window():
    with pytest.raises(ValueError, match=r"y has 2 entries.* 3 windows in 5 pixels"):
        conv.wires([1] * 5, [1] * 3, [1] * 2)
