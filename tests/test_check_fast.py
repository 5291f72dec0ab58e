"""The checks of lesson 08: what they accept, and what they say of answers as learners write them."""

import sys

import numpy as np
import pytest
from hunts import with_expected
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from thorough import ONE_IN

from cnnlib import check, columns, misconceptions

CHECKS = [check.im2col, check.col2im]
CHECKS += [getattr(check, f"fast_conv_{part}") for part in ("forward", "dW", "db", "dx", "loops")]
CHECKS += [getattr(check, f"fast_pool_{part}") for part in ("forward", "backward", "loops")]


def says(c, thing):
    failure = c.failure(thing)
    assert failure is not None
    return " ".join(str(failure).split())


def sizes(x, kernel_size, stride, padding):
    return [
        (n + 2 * padding - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True)
    ]


def padded(x, p):
    return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))


# Right answers, as one writes them.


def by_places(x, kernel_size, stride, padding):
    """A loop over the places in a window."""
    (KH, KW), (N, C) = kernel_size, x.shape[:2]
    OH, OW = sizes(x, kernel_size, stride, padding)
    x_padded, matrix = padded(x, padding), np.zeros((C, KH, KW, N, OH, OW), x.dtype)
    for k in range(KH):
        for m in range(KW):
            part = x_padded[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
            matrix[:, k, m] = part.transpose(1, 0, 2, 3)
    return matrix.reshape(C * KH * KW, -1)


def by_windows(x, kernel_size, stride, padding):
    """A loop over the windows, and a list of columns."""
    KH, KW = kernel_size
    OH, OW = sizes(x, kernel_size, stride, padding)
    found = []
    for picture in padded(x, padding):
        for i in range(OH):
            for j in range(OW):
                h, w = i * stride, j * stride
                found.append(picture[:, h : h + KH, w : w + KW].reshape(-1))
    return np.array(found).T


def _indices(shape, kernel_size, stride, padding):
    (N, C, H, W), (KH, KW) = shape, kernel_size
    OH, OW = ((n + 2 * padding - k) // stride + 1 for n, k in ((H, KH), (W, KW)))
    c, k, m, n, i, j = np.indices((C, KH, KW, N, OH, OW)).reshape(6, C * KH * KW, -1)
    return n, c, i * stride + k, j * stride + m


def by_indices(x, kernel_size, stride, padding):
    return padded(x, padding)[_indices(x.shape, kernel_size, stride, padding)]


def by_strides(x, kernel_size, stride, padding):
    x = np.ascontiguousarray(padded(x, padding))
    OH, OW = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True))
    n, c, h, w = x.strides
    shape = x.shape[1], *kernel_size, x.shape[0], OH, OW
    windows = as_strided(x, shape, (c, h, w, n, h * stride, w * stride))
    return windows.reshape(x.shape[1] * np.prod(kernel_size), -1)


@pytest.mark.parametrize("right", [by_places, by_windows, by_indices, by_strides])
def test_im2col_may_be_written_in_many_ways(right):
    assert check.im2col.failure(right) is None


def adds_at(matrix, shape, kernel_size, stride, padding):
    N, C, H, W = shape
    x_padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), matrix.dtype)
    np.add.at(x_padded, _indices(shape, kernel_size, stride, padding), matrix)
    return x_padded[:, :, padding : H + padding, padding : W + padding]


def test_col2im_may_add_at_indices():
    assert check.col2im.failure(adds_at) is None


class ByHand:
    """A FastConv2D with nothing of the course in it, and with the axes moved in other ways."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
        pair = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,) * 2
        self.W = np.random.default_rng(rng).normal(size=(out_channels, in_channels, *pair))
        self.b, self.stride, self.padding = np.zeros(out_channels), stride, padding

    im2col, col2im = staticmethod(by_places), staticmethod(adds_at)

    def forward(self, x):
        setting = self.W.shape[2:], self.stride, self.padding
        self.columns, self.x_shape = self.im2col(x, *setting), x.shape
        W = self.W.reshape(len(self.W), -1).astype(x.dtype)
        y = (self.columns.T @ W.T + self.b.astype(x.dtype)).reshape(len(x), *sizes(x, *setting), -1)
        return y.transpose(0, 3, 1, 2)

    def backward(self, dy):
        rows = dy.transpose(1, 0, 2, 3).reshape(len(self.W), -1)
        self.db = rows @ np.ones(rows.shape[1], dy.dtype)
        self.dW = np.dot(self.columns, rows.T).T.reshape(self.W.shape)
        matrix = self.W.reshape(len(self.W), -1).T.astype(dy.dtype) @ rows
        return self.col2im(matrix, self.x_shape, self.W.shape[2:], self.stride, self.padding)


def test_a_right_layer_of_ones_own_passes_every_check():
    for c in CHECKS[2:7]:
        assert c.failure(ByHand) is None, c.name


class OneWindowAfterTheOther(ByHand):
    im2col = staticmethod(by_windows)


class Vectorized(ByHand):
    def backward(self, dy):
        return np.vectorize(lambda number: number)(super().backward(dy))


class RowByRow(ByHand):
    """A loop over the rows of windows, each time for all pictures and columns: that is no loop over pixels."""

    def forward(self, x):
        y = super().forward(x)
        for _ in range(y.shape[2]):
            pass
        return y


def test_a_loop_over_pixels_is_seen_wherever_it_hides():
    assert "Your forward goes through Python" in says(check.fast_conv_loops, OneWindowAfterTheOther)
    assert "Your backward goes through Python" in says(check.fast_conv_loops, Vectorized)
    both = type("Both", (Vectorized,), {"im2col": staticmethod(by_windows)})
    assert "Two mistakes" in says(check.fast_conv_loops, both)
    assert check.fast_conv_loops.failure(RowByRow) is None
    # Slow is not wrong: the other checks take them.
    assert check.fast_conv_forward.failure(OneWindowAfterTheOther) is None


def test_counting_steps_leaves_the_tracing_of_others_alone():
    def trace(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        check.fast_conv_loops.failure(ByHand)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)


# Wrong answers, as one writes them.


def overwrites(matrix, shape, kernel_size, stride, padding):
    N, C, H, W = shape
    x_padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), matrix.dtype)
    x_padded[_indices(shape, kernel_size, stride, padding)] += matrix
    return x_padded[:, :, padding : H + padding, padding : W + padding]


def test_an_index_array_that_adds_once_is_named():
    assert "which writes to each pixel once" in says(check.col2im, overwrites)


def rows_of_windows(x, kernel_size, stride, padding):
    return by_windows(x, kernel_size, stride, padding).T


def reshaped(x, kernel_size, stride, padding):
    windows = sliding_window_view(padded(x, padding), kernel_size, axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(x.shape[1] * np.prod(kernel_size), -1)


def one_picture(x, kernel_size, stride, padding):
    return by_places(x[:1], kernel_size, stride, padding)


@pytest.mark.parametrize(
    ("wrong", "phrase"),
    [
        (rows_of_windows, "Each window is a row of your matrix, and should be a column"),
        (reshaped, "A reshape is no transpose"),
        (one_picture, "N·OH·OW"),
        (lambda x, k, s, p: by_places(x, k, s, 0), "You leave the padding out"),
        (lambda x, k, s, p: by_places(x, k, 1, p), "You leave the stride out"),
        (lambda x, k, s, p: by_places(x, k[::-1], s, p), "wrong"),
        (
            lambda x, k, s, p: by_places(x, k, s, p).astype(np.float64),
            "dtype is float64, not float32",
        ),
    ],
)
def test_wrong_ways_to_cut_windows(wrong, phrase):
    assert phrase in says(check.im2col, wrong)


def test_a_wrong_place_is_told_with_the_window_and_the_pixel_it_belongs_to():
    def moved(x, kernel_size, stride, padding):
        matrix = by_places(x, kernel_size, stride, padding)
        matrix[-1, -1] += 1
        return matrix

    message = says(check.im2col, moved)
    assert "1 is the window at (i, j) = (0, 1) of picture 0" in message
    assert "3 is the place (c, k, l) = (0, 1, 1) in it: x[0, 0, 1, 2]" in message


def test_a_wrong_pixel_is_told_with_the_numbers_that_meet_there():
    def doubled(matrix, shape, kernel_size, stride, padding):
        dx = adds_at(matrix, shape, kernel_size, stride, padding)
        dx[..., 0, 1] += 0.5
        return dx

    assert "x[0, 0, 0, 1] gets 2 from [1, 0] + 20 from [0, 1]" in says(check.col2im, doubled)


def wrong_layer(**methods):
    return type("FastConv2D", (ByHand,), methods)


def _maps_at_once(self, x):
    y = ByHand.forward(self, x)
    return np.ascontiguousarray(y.transpose(1, 0, 2, 3)).reshape(y.shape)


def _rows_at_once(self, dy):
    rows = dy.reshape(len(self.W), -1)
    self.db, self.dW = rows.sum(axis=1), (rows @ self.columns.T).reshape(self.W.shape)
    matrix = self.W.reshape(len(self.W), -1).T.astype(dy.dtype) @ rows
    return self.col2im(matrix, self.x_shape, self.W.shape[2:], self.stride, self.padding)


@pytest.mark.parametrize(
    ("c", "wrong", "phrase"),
    [
        (check.fast_conv_forward, wrong_layer(forward=_maps_at_once), "N, F, OH, OW at once"),
        (check.fast_conv_dW, wrong_layer(backward=_rows_at_once), "without moving its filters"),
        (check.fast_conv_dx, wrong_layer(backward=_rows_at_once), "without moving its filters"),
        (check.fast_conv_dx, wrong_layer(col2im=staticmethod(overwrites)), "undoes im2col"),
    ],
)
def test_wrong_layers(c, wrong, phrase):
    assert phrase in says(c, wrong)


@pytest.mark.slow
def test_a_wrong_helper_is_mended_first():
    shared = {"np": np, "Base": ByHand}
    source = (
        "class FastConv2D(Base):\n"
        "    def forward(self, x):\n"
        "        y = super().forward(x)\n"
        "        return y + 0 * im2col(x, self.W.shape[2:], self.stride, self.padding).sum() + 1\n"
    )

    def layer(helper):
        notebook = shared | {"im2col": helper}
        exec(source, notebook)
        return notebook["FastConv2D"]

    def unwritten(x, kernel_size, stride, padding):
        raise NotImplementedError

    message = says(check.fast_conv_forward, layer(rows_of_windows))
    assert message.startswith("✗ FastConv2D.forward: First mend im2col, which this calls")
    assert "Each window is a row of your matrix" in message
    message = says(check.fast_conv_forward, layer(unwritten))
    assert message == "○ FastConv2D.forward is not written yet: first comes im2col, which it calls."
    for right in (by_places, columns.im2col):
        assert "First mend" not in says(check.fast_conv_forward, layer(right))
    # `np.pad` is not the learner's own pad, whatever that does.
    shared["pad"] = unwritten
    source = source.replace("+ 1", "+ np.pad(x, 1)[0, 0, 0, 0] + 1")
    assert "First mend" not in says(check.fast_conv_forward, layer(by_places))


# Two mistakes at once


@pytest.mark.sampled
@pytest.mark.parametrize("c", CHECKS, ids=lambda c: c.name)
def test_two_mistakes_at_once_are_refused_and_mostly_both_named(c):
    pairs = misconceptions.pairs(c.name)[::ONE_IN]
    assert pairs
    named = 0
    for both in pairs:
        failure = c.failure(both)
        assert failure is not None, both.__name__
        named += failure.misconception is not None and failure.misconception.says == both.says
    # Where a mistake hides all else, such as a dx of zeros, only one can be named.
    assert named >= len(pairs) / 2


# The hunts


@pytest.mark.parametrize(
    ("hunt", "arrays", "phrase"),
    [
        # No pixel lies in two windows that both send something.
        (check.fast_hunt_1, ([[[[1, 2]]]], [[[[5]]]], [[[[5, 5]]]]), "passes your test"),
        (check.fast_hunt_1, ([[[[1, 2, 3]]]], [[[[1, 10]]]], [[[[1, 10, 10]]]]), "innocent"),
        (check.fast_hunt_2, ([[[[1, 2]]]], [[[[3, 4]]]]), "passes your test"),
        (check.fast_hunt_2, ([[[[1]]]], [[[[3, 4]]]]), "passes your test"),
    ],
)
def test_arrays_that_show_nothing(hunt, arrays, phrase):
    arrays = tuple(np.array(a, float) for a in arrays)
    assert phrase in says(hunt, lambda: with_expected(hunt, arrays))


def test_the_first_patient_passes_the_round_trip_that_a_right_layer_fails():
    for kind, comes_back in ((check.fast_hunt_1.patient, True), (columns.FastConv2D, False)):
        layer, x = kind(1, 1, (1, 2)), np.arange(12.0).reshape(1, 1, 3, 4)
        layer.forward(x)
        home = getattr(layer, "home", None) or (
            lambda matrix: columns.col2im(matrix, (1, 1, 3, 4), (1, 2))
        )
        assert np.array_equal(home(layer.columns), x) == comes_back
