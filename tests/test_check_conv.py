"""The checks of lesson 02: right answers of many makes pass, wrong ones as learners write them are told what is wrong."""

import linecache

import numpy as np
import pytest

from cnnlib import check

# A right answer, as a learner writes it. A wrong version is this one with a few words changed.

CONV = """
import numpy as np


def output_size(size, kernel_size, stride, padding):
    return (size + 2 * padding - kernel_size) // stride + 1


def pad(x, padding):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=x.dtype)
    out[:, :, padding : padding + H, padding : padding + W] = x
    return out


class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
        KH, KW = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.W = np.zeros((out_channels, in_channels, KH, KW))
        self.b = np.zeros(out_channels)
        self.stride, self.padding = stride, padding

    def forward(self, x):
        self.x = x
        self.xp = pad(x, self.padding)
        N, C, H, W = x.shape
        F, C, KH, KW = self.W.shape
        s = self.stride
        OH = output_size(H, KH, s, self.padding)
        OW = output_size(W, KW, s, self.padding)
        y = np.zeros((N, F, OH, OW), dtype=x.dtype)
        for n in range(N):
            for f in range(F):
                for i in range(OH):
                    for j in range(OW):
                        window = self.xp[n, :, i * s : i * s + KH, j * s : j * s + KW]
                        y[n, f, i, j] = np.sum(window * self.W[f]) + self.b[f]
        return y

    def backward(self, dy):
        N, F, OH, OW = dy.shape
        F, C, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        H, W = self.x.shape[2:]

        self.dW = np.zeros_like(self.W)
        for n in range(N):
            for f in range(F):
                for i in range(OH):
                    for j in range(OW):
                        met = self.xp[n, :, i * s : i * s + KH, j * s : j * s + KW]
                        self.dW[f] += dy[n, f, i, j] * met

        self.db = dy.sum(axis=(0, 2, 3))

        dxp = np.zeros_like(self.xp)
        for n in range(N):
            for f in range(F):
                for i in range(OH):
                    for j in range(OW):
                        share = dy[n, f, i, j] * self.W[f]
                        dxp[n, :, i * s : i * s + KH, j * s : j * s + KW] += share
        return dxp[:, :, p : p + H, p : p + W]
"""

GRADIENTS = [check.conv_dW, check.conv_db, check.conv_dx]


def learners(*changes):
    """What the learner's cell defines, after some words in it were changed."""
    source = CONV
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    name = f"<answer {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {}
    exec(compile(source, name, "exec"), namespace)
    return namespace


def said(c, *changes, answer="Conv2D"):
    """The message without its line breaks."""
    return " ".join(str(c.failure(learners(*changes)[answer])).split())


DW_BLOCK = CONV[CONV.index("        self.dW = np.zeros_like") : CONV.index("        self.db = ")]
DX_BLOCK = CONV[CONV.index("        dxp = np.zeros_like") :]

RIGHT = {
    "loops": [],
    "windows of all pictures at once": [
        (
            DW_BLOCK,
            "        v = np.lib.stride_tricks.sliding_window_view(self.xp, (KH, KW), axis=(2, 3))\n"
            "        self.dW = np.einsum('nfij,ncijkl->fckl', dy, v[:, :, ::s, ::s])\n",
        ),
    ],
    "each share to its pixel, if there is one": [
        (
            DX_BLOCK,
            """
        dx = np.zeros_like(self.x)
        for i, j, k, m in np.ndindex(OH, OW, KH, KW):
            row, column = i * s + k - p, j * s + m - p
            if 0 <= row < H and 0 <= column < W:
                dx[:, :, row, column] += dy[:, :, i, j] @ self.W[:, :, k, m]
        return dx
""",
        ),
    ],
    "the full correlation, zeros between the outputs": [
        (
            DX_BLOCK,
            """
        PH, PW = self.xp.shape[2:]
        wide = np.zeros((N, F, PH + KH - 1, PW + KW - 1), dy.dtype)
        wide[:, :, KH - 1 : KH - 1 + OH * s : s, KW - 1 : KW - 1 + OW * s : s][:, :, :OH, :OW] = dy
        dx = np.zeros_like(self.xp)
        for i, j in np.ndindex(PH, PW):
            turned = self.W[:, :, ::-1, ::-1]
            dx[:, :, i, j] = np.einsum("nfkl,fckl->nc", wide[:, :, i : i + KH, j : j + KW], turned)
        return dx[:, :, p : p + H, p : p + W]
""",
        ),
    ],
    "with prints": [("        return y\n", "        print(y)\n        return y\n")],
}


@pytest.mark.parametrize("c", [check.conv_forward, *GRADIENTS], ids=lambda c: c.name)
@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT)
def test_right_answers_pass(c, changes):
    assert c.failure(learners(*changes)["Conv2D"]) is None


SIZE = "return (size + 2 * padding - kernel_size) // stride + 1"


@pytest.mark.parametrize(
    ("phrase", "line"),
    [
        ("`//` comes before", "return size + 2 * padding - kernel_size // stride + 1"),
        ("divide by the kernel's size", SIZE.replace("// stride", "// kernel_size")),
        (
            "ends just where the axis",
            "return len(range(0, size + 2*padding - kernel_size, stride))",
        ),
        ("Your stride is the exercise's padding", "stride, padding = padding, stride; " + SIZE),
        ("not always a whole one", SIZE.replace("//", "/")),
    ],
)
def test_what_is_said_of_a_wrong_size(phrase, line):
    assert phrase in said(check.output_size, (SIZE, line), answer="output_size")


OUT = "out[:, :, padding : padding + H, padding : padding + W]"


@pytest.mark.parametrize(
    ("phrase", "change"),
    [
        ("[p:-p] ends at -0", (OUT, "out[:, :, padding:-padding, padding:-padding]")),
        ("go into a tuple", ("np.zeros((N, C, H + 2 * padding, W + 2 * padding)", "np.zeros(N, C")),
    ],
)
def test_what_is_said_where_pad_crashes(phrase, change):
    assert phrase in said(check.pad, change, answer="pad")


BEGIN = "self.dW = np.zeros_like(self.W)\n"
MET = "met = self.xp[n, :, i * s : i * s + KH, j * s : j * s + KW]"
ADD = "self.dW[f] += dy[n, f, i, j] * met"


@pytest.mark.parametrize(
    ("c", "phrase", "changes"),
    [
        (
            check.conv_forward,
            "the windows are cut out of x as it came",
            [("window = self.xp[n", "window = x[n")],
        ),
        (
            check.conv_forward,
            "lie one pixel apart, as with stride 1",
            [
                (
                    "window = self.xp[n, :, i * s : i * s + KH, j * s : j * s + KW]",
                    "window = self.xp[n, :, i : i + KH, j : j + KW]",
                )
            ],
        ),
        (
            check.conv_forward,
            "A single number has no index",
            [("self.W[f]) + self.b[f]", "W[f]) + self.b[f]")],
        ),
        (check.conv_dW, "and those at its end come out shorter", [(MET, MET.replace("xp", "x"))]),
        (
            check.conv_dW,
            "dW piles up",
            [
                (BEGIN, "\n"),
                (
                    "        self.stride, self",
                    "        self.dW = np.zeros_like(self.W)\n        self.stride, self",
                ),
            ],
        ),
        (
            check.conv_db,
            "Only the last picture of the batch counts",
            [
                (
                    "self.db = dy.sum(axis=(0, 2, 3))",
                    "self.db = np.zeros(F)\n        for n, f in np.ndindex(N, F):\n            self.db[f] = dy[n, f].sum()",
                )
            ],
        ),
        (
            check.conv_dW,
            "Only the last picture of the batch counts",
            [
                (BEGIN, "\n"),
                (
                    "        for n in range(N):\n            for f in range(F):\n                for i in range(OH):\n                    for j in range(OW):\n                        met",
                    "        for n in range(N):\n            self.dW = np.zeros(self.W.shape)\n            for f in range(F):\n                for i in range(OH):\n                    for j in range(OW):\n                        met",
                ),
            ],
        ),
    ],
)
def test_mistakes_that_are_named(c, phrase, changes):
    assert phrase in said(c, *changes)


@pytest.mark.parametrize(
    ("phrase", "change"),
    [
        ("AttributeError", (ADD, "self.dW[f] += self.dy[n, f, i, j] * met")),
        ("ValueError", (ADD, "self.dW[f] += dy * met")),
        ("ValueError", (MET, MET.replace("j * s + KW", "j * s + KH"))),
    ],
)
def test_a_crash_on_the_way_to_dW_is_shown(phrase, change):
    message = said(check.conv_dW, change)
    assert f"Your code stopped with {phrase}" in message
    assert "self.dW[f] +=" in message


def test_a_crash_behind_dW_costs_dW_nothing():
    broken = DX_BLOCK, "        return self.nowhere\n"
    assert check.conv_dW.failure(learners(broken)["Conv2D"]) is None
    message = said(check.conv_dW, broken, (ADD, ADD.replace("+= ", "+= 2 * ")))
    assert "off by the factor 2" in message or "2 times" in message
    assert "backward stopped later, with AttributeError" in message


def test_what_is_written_stands_though_the_rest_is_not():
    without_dx = DX_BLOCK, "        raise NotImplementedError\n"
    assert check.conv_dW.failure(learners(without_dx)["Conv2D"]) is None
    assert check.conv_db.failure(learners(without_dx)["Conv2D"]) is None
    without_dW = DW_BLOCK, "        raise NotImplementedError\n"
    failure = check.conv_db.failure(learners(without_dW)["Conv2D"])
    assert isinstance(failure, check.NotWritten)
    assert "where Python stops" in said(check.conv_db, without_dW)


def test_a_wrong_dtype_alone_is_told():
    assert "dtype is float64" in said(check.conv_dW, (BEGIN, "self.dW = np.zeros(self.W.shape)\n"))


def test_a_witness_has_four_axes():
    flat = np.arange(9.0).reshape(3, 3)
    message = str(check.conv_hunt_1.failure(lambda: (np.ones((5, 5)), flat, flat, flat)))
    assert "x needs the axes (N, C, H, W)" in message
