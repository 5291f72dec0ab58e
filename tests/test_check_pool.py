"""The checks of lesson 03: right pools of many makes pass, wrong ones as learners write them are told what is wrong."""

import linecache

import numpy as np
import pytest
from hunts import with_expected

from cnnlib import check, layers
from cnnlib.misconceptions import pool

# Right answers, as learners write them. A wrong version is one of them with a few words changed.

INIT = """
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class Pool:
    def __init__(self, kernel_size, stride=None):
        if isinstance(kernel_size, int):
            kernel_size = (kernel_size, kernel_size)
        self.KH, self.KW = kernel_size
        self.SH, self.SW = kernel_size if stride is None else (stride, stride)
"""

MAX_LOOPS = """
    def forward(self, x):
        N, C, H, W = x.shape
        OH = (H - self.KH) // self.SH + 1
        OW = (W - self.KW) // self.SW + 1
        y = np.zeros((N, C, OH, OW), dtype=x.dtype)
        for n in range(N):
            for c in range(C):
                for i in range(OH):
                    for j in range(OW):
                        top, left = i * self.SH, j * self.SW
                        window = x[n, c, top : top + self.KH, left : left + self.KW]
                        y[n, c, i, j] = window.max()
        self.x = x
        return y

    def backward(self, dy):
        N, C, OH, OW = dy.shape
        dx = np.zeros_like(self.x)
        for n in range(N):
            for c in range(C):
                for i in range(OH):
                    for j in range(OW):
                        h, w = i * self.SH, j * self.SW
                        patch = self.x[n, c, h : h + self.KH, w : w + self.KW]
                        k, m = np.unravel_index(patch.argmax(), patch.shape)
                        dx[n, c, h + k, w + m] += dy[n, c, i, j]
        return dx
"""

MAX_PYTHON = """
    def forward(self, x):
        N, C, H, W = x.shape
        OH = (H - self.KH) // self.SH + 1
        OW = (W - self.KW) // self.SW + 1
        y = np.zeros((N, C, OH, OW), dtype=x.dtype)
        self.shape = x.shape
        self.winners = {}
        for n in range(N):
            for c in range(C):
                for i in range(OH):
                    for j in range(OW):
                        best = -np.inf
                        for h in range(i * self.SH, i * self.SH + self.KH):
                            for w in range(j * self.SW, j * self.SW + self.KW):
                                if x[n, c, h, w] >= best:
                                    best = x[n, c, h, w]
                                    self.winners[n, c, i, j] = h, w
                        y[n, c, i, j] = best
        return y

    def backward(self, dy):
        dx = np.zeros(self.shape, dtype=dy.dtype)
        for (n, c, i, j), (h, w) in self.winners.items():
            dx[n, c, h, w] += dy[n, c, i, j]
        return dx
"""

MAX_MASK = """
    def forward(self, x):
        N, C, H, W = x.shape
        OH = (H - self.KH) // self.SH + 1
        OW = (W - self.KW) // self.SW + 1
        self.x, self.y = x, np.empty((N, C, OH, OW), x.dtype)
        for i in range(OH):
            for j in range(OW):
                self.y[:, :, i, j] = self.window(x, i, j).max(axis=(2, 3))
        return self.y

    def window(self, a, i, j):
        h, w = i * self.SH, j * self.SW
        return a[:, :, h : h + self.KH, w : w + self.KW]

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                mask = self.window(self.x, i, j) == self.y[:, :, i, j][:, :, None, None]
                mask = mask / mask.sum(axis=(2, 3), keepdims=True)
                part = self.window(dx, i, j)
                part += mask * dy[:, :, i, j][:, :, None, None]
        return dx
"""

MAX_WINDOWS = """
    def forward(self, x):
        windows = sliding_window_view(x, (self.KH, self.KW), axis=(2, 3))
        windows = windows[:, :, :: self.SH, :: self.SW]
        windows = windows.reshape(*windows.shape[:4], self.KH * self.KW)
        self.index = windows.argmax(axis=-1)
        self.shape = x.shape
        return windows.max(axis=-1)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        n, c, i, j = np.indices(dy.shape)
        h = i * self.SH + self.index // self.KW
        w = j * self.SW + self.index % self.KW
        np.add.at(dx, (n, c, h, w), dy)
        return dx
"""

AVG_LOOPS = """
    def forward(self, x):
        N, C, H, W = x.shape
        OH = (H - self.KH) // self.SH + 1
        OW = (W - self.KW) // self.SW + 1
        self.shape = x.shape
        y = np.zeros((N, C, OH, OW), dtype=x.dtype)
        for n in range(N):
            for c in range(C):
                for i in range(OH):
                    for j in range(OW):
                        top, left = i * self.SH, j * self.SW
                        window = x[n, c, top : top + self.KH, left : left + self.KW]
                        y[n, c, i, j] = window.sum() / (self.KH * self.KW)
        return y

    def backward(self, dy):
        N, C, OH, OW = dy.shape
        dx = np.zeros(self.shape, dtype=dy.dtype)
        for n in range(N):
            for c in range(C):
                for i in range(OH):
                    for j in range(OW):
                        h, w = i * self.SH, j * self.SW
                        share = dy[n, c, i, j] / (self.KH * self.KW)
                        dx[n, c, h : h + self.KH, w : w + self.KW] += share
        return dx
"""

AVG_OFFSETS = """
    def forward(self, x):
        N, C, H, W = self.shape = x.shape
        OH, OW = (H - self.KH) // self.SH + 1, (W - self.KW) // self.SW + 1
        y = np.zeros((N, C, OH, OW), x.dtype)
        for k in range(self.KH):
            for m in range(self.KW):
                y += x[:, :, k : k + OH * self.SH : self.SH, m : m + OW * self.SW : self.SW]
        return y / (self.KH * self.KW)

    def backward(self, dy):
        OH, OW = dy.shape[2:]
        dx = np.zeros(self.shape, dy.dtype)
        for k in range(self.KH):
            for m in range(self.KW):
                dx[:, :, k : k + OH * self.SH : self.SH, m : m + OW * self.SW : self.SW] += dy
        return dx / (self.KH * self.KW)
"""


BACKWARD = "    def backward(self, dy):\n"


def learners(methods, *changes):
    """The learner's class with this source, after some words in it, or all of backward, were changed."""
    source = INIT + methods
    for old, new in changes:
        assert old in source, old
        if old == BACKWARD:
            source = source.partition(BACKWARD)[0] + BACKWARD + new
        else:
            source = source.replace(old, new)
    name = f"<answer {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {}
    exec(compile(source, name, "exec"), namespace)
    return namespace["Pool"]


def words(failure):
    """The message without its line breaks."""
    return " ".join(str(failure).split())


# What the message must say, and the words of the right answer that are changed.
WRONG = {
    ("maxpool_forward", MAX_LOOPS): [
        (
            "Your window is one row and one column too small",
            (
                "top + self.KH, left : left + self.KW",
                "top + self.KH - 1, left : left + self.KW - 1",
            ),
        ),
        ("x[0, 0, 0:2, 0:2] = 1 7 / 3 5", ("top : top + self.KH", "top : top + self.KH + 1")),
        (
            "Each window starts where the one before it ends; the",
            ("top, left = i * self.SH, j * self.SW", "top, left = i * self.KH, j * self.KW"),
        ),
        (
            "x[0, 0, 0:2, 0:2] = 1 7 / 3 5",
            ("top, left = i * self.SH, j * self.SW", "top, left = i + self.SH, j + self.SW"),
        ),
        (
            "x[0, 0, 0:3, 2:4] = -205 -28 / 170 150 / -126 -88",
            ("top, left = i * self.SH, j * self.SW", "top, left = i * self.SW, j * self.SH"),
        ),
        ("ValueError: setting an", ("window.max()", "window.max(axis=0)")),
        ("x[0, 0, 0:2, 2:4] = 2 0 / 5 6", ("window.max()", "window[0].max()")),
        ("x[0, 0, 0:2, 0:2] = 1 7 / 3 5", ("window.max()", "max(window[0, 0], window[-1, -1])")),
        ("x[0, 0, 0:2, 0:2] = 1 7 / 3 5", ("window.max()", "np.sort(window)[-1, -1]")),
        ("You average each window", ("window.max()", "window.mean()")),
        ("You add each window up", ("window.max()", "window.sum()")),
        ("x[0, 0, 0:2, 0:2] = 1 7 / 3 5", ("window.max()", "np.median(window)")),
        (
            "Where all of a window is negative, you return 0, though 0",
            ("window.max()", "max(window.max(), y[n, c, i, j])"),
        ),
        (
            "In each case all numbers are off by one factor, but it",
            ("window.max()", "window.max() / (self.KH * self.KW)"),
        ),
        (
            "Rows and columns are swapped where you write to y",
            ("y[n, c, i, j] = window", "y[n, c, j, i] = window"),
        ),
        (
            "y has its axes in the order (N, C, OW, OH)",
            ("(N, C, OH, OW)", "(N, C, OW, OH)"),
            ("y[n, c, i, j] = window", "y[n, c, j, i] = window"),
        ),
        (
            "The numbers are right, but their dtype is float64, not",
            ("(N, C, OH, OW), dtype=x.dtype", "(N, C, OH, OW)"),
        ),
        (
            "y has dtype int64: everything after the decimal point is",
            ("(N, C, OH, OW), dtype=x.dtype", "(N, C, OH, OW), dtype=int"),
        ),
        (
            "y has too few axes: 2, not 4",
            ("(N, C, OH, OW), dtype=x.dtype", "(OH, OW), dtype=x.dtype"),
            ("y[n, c, i, j] = window", "y[i, j] = window"),
        ),
        ("y is the same for every index along N", ("x[n, c, top", "x[0, c, top")),
        ("y is the same for every index along C", ("x[n, c, top", "x[n, 0, top")),
        ("y is the same for every index along C", ("x[n, c, top", "x[n, -1, top")),
        (
            "Only the first map is filled in, and then your function",
            (
                "        self.x = x\n        return y",
                "                self.x = x\n                return y",
            ),
        ),
        ("It returned None", ("        self.x = x\n        return y\n", "        self.x = x\n")),
        ("Your code stopped with TypeError", ("// self.SH + 1", "/ self.SH + 1")),
        (
            "y has the wrong length along OH and OW",
            ("(H - self.KH) // self.SH + 1", "(H - self.KH + 1) // self.SH"),
            ("(W - self.KW) // self.SW + 1", "(W - self.KW + 1) // self.SW"),
        ),
        (
            "The size of y is H // KH by W // KW, as if the windows",
            ("OH = (H - self.KH) // self.SH + 1", "OH = H // self.KH"),
            ("OW = (W - self.KW) // self.SW + 1", "OW = W // self.KW"),
        ),
        (
            "x[0, 0, 0:2, 2:4] = 2 0 / 5 6",
            ("for i in range(OH)", "for i in range(0, OH, self.SH)"),
            ("for j in range(OW)", "for j in range(0, OW, self.SW)"),
        ),
        (
            "You loop over places in x, a stride apart, and use them",
            ("for i in range(OH)", "for i in range(0, H - self.KH + 1, self.SH)"),
            ("for j in range(OW)", "for j in range(0, W - self.KW + 1, self.SW)"),
            ("top, left = i * self.SH, j * self.SW", "top, left = i, j"),
        ),
        ("x[0, 0, 0:2, 0:2] = 69 -44 / -129 99", ("for c in range(C)", "for c in range(1, C)")),
        (
            "Of two pictures, only the second one is wrong",
            ("for n in range(N)", "for n in range(N - 1)"),
        ),
        (
            "Every number is off by 1",
            ("y[n, c, i, j] = window.max()", "y[n, c, i, j] += window.max()"),
            (
                "y = np.zeros((N, C, OH, OW), dtype=x.dtype)",
                "y = np.ones((N, C, OH, OW), dtype=x.dtype)",
            ),
        ),
        (
            "y has the wrong length along C and OH and OW",
            ("N, C, H, W = x.shape", "N, H, W, C = x.shape"),
        ),
        (
            "Height and width of x are taken for each other",
            ("N, C, H, W = x.shape", "N, C, W, H = x.shape"),
        ),
        (
            "Your code stopped with TypeError",
            (
                "self.SH, self.SW = kernel_size if stride is None else (stride, stride)",
                "self.SH, self.SW = stride, stride",
            ),
        ),
        (
            "Without a stride, your windows move on by two pixels,",
            (
                "self.SH, self.SW = kernel_size if stride is None else (stride, stride)",
                "self.SH, self.SW = (2, 2) if stride is None else (stride, stride)",
            ),
        ),
    ],
    ("maxpool_forward", MAX_PYTHON): [
        (
            "Where all of a window is negative, you return 0, though 0",
            ("best = -np.inf", "best = 0"),
        ),
        ("Numbers below -1 have become -1", ("best = -np.inf", "best = -1")),
        ("y is -999 everywhere", ("best = -np.inf", "best = -999")),
        (
            "Your largest number so far begins with the first pixel of the map",
            ("best = -np.inf", "best = x[n, c, 0, 0]"),
        ),
        (
            "x[0, 0, 0:2, 2:4] = 2 0 / 5 6",
            ("best = -np.inf\n", "pass\n"),
            ("        self.winners = {}\n", "        self.winners = {}\n        best = -np.inf\n"),
        ),
        (
            "You keep the smallest number of each window",
            (">= best", "< best"),
            ("-np.inf", "np.inf"),
        ),
        (
            "You keep the number with the largest absolute value",
            ("if x[n, c, h, w] >= best", "if abs(x[n, c, h, w]) >= abs(best)"),
            ("best = -np.inf", "best = 0"),
        ),
        (
            "x[0, 0, 0:2, 0:2] = 1 7 / 3 5",
            (
                "                        y[n, c, i, j] = best\n",
                "                    y[n, c, i, j] = best\n",
            ),
        ),
    ],
    ("maxpool_forward", MAX_MASK): [
        ("x[0, 0, 0:2, 0:2] = 67 79 / -60 22", (".max(axis=(2, 3))", ".max(axis=2).max(axis=1)")),
        ("x[0, 0, 0:2, 0:2] = 1 7 / 3 5", (".max(axis=(2, 3))", ".max(axis=2)[:, :, 0]")),
        (
            "The numbers are right, but their dtype is float32, not",
            ("np.empty((N, C, OH, OW), x.dtype)", "np.zeros((N, C, OH, OW), np.float32)"),
        ),
        ("changed x in place", ("np.empty((N, C, OH, OW), x.dtype)", "x[:, :, :OH, :OW]")),
        (
            "y has the wrong length along OH and OW",
            ("np.empty((N, C, OH, OW), x.dtype)", "np.empty_like(x)"),
        ),
    ],
    ("maxpool_forward", MAX_WINDOWS): [
        (
            "y has the wrong length along OW",
            ("[:, :, :: self.SH, :: self.SW]", "[:, :, :: self.SH]"),
        ),
        ("y has the wrong length along OH and OW", ("[:, :, :: self.SH, :: self.SW]", "")),
        (
            "y has the wrong length along C and OH and OW",
            ("return windows.max(axis=-1)", "return windows.max(axis=1)"),
        ),
        ("y has too few axes: 0, not 4", ("return windows.max(axis=-1)", "return windows.max()")),
        (
            "The numbers are right and in the right order; only the",
            ("return windows.max(axis=-1)", "return windows.max(axis=-1, keepdims=True)"),
        ),
        (
            "You take one pixel of each window, its upper left one,",
            (
                "return windows.max(axis=-1)",
                "return x[:, :, :: self.SH, :: self.SW][:, :, : windows.shape[2], : windows.shape[3]]",
            ),
        ),
        (
            "x[0, 0, 0:2, 2:4] = 2 0 / 5 6",
            ("return windows.max(axis=-1)", "return np.take(x, self.index)"),
        ),
        (
            "Where all of a window is negative, you return 0, though 0",
            ("return windows.max(axis=-1)", "return np.maximum(windows.max(axis=-1), 0)"),
        ),
        (
            "y has its axes in the order (N, C, OW, OH)",
            ("return windows.max(axis=-1)", "return windows.max(axis=-1).swapaxes(2, 3)"),
        ),
        (
            "The numbers are right, but flipped along OH",
            ("return windows.max(axis=-1)", "return windows.max(axis=-1)[:, :, ::-1]"),
        ),
        (
            "It returned a tuple, not an array",
            ("return windows.max(axis=-1)", "return windows.max(axis=-1), self.index"),
        ),
    ],
    ("maxpool_backward", MAX_LOOPS): [
        (
            "A pixel that wins several windows keeps only the last",
            ("+= dy[n, c, i, j]", "= dy[n, c, i, j]"),
        ),
        (
            "You put the maximum itself back where it was: its value,",
            ("+= dy[n, c, i, j]", "+= self.x[n, c, h + k, w + m]"),
        ),
        ("You put a 1 where the maximum was, and what dy says is", ("+= dy[n, c, i, j]", "+= 1")),
        ("Every number has the wrong sign", ("+= dy[n, c, i, j]", "-= dy[n, c, i, j]")),
        (
            "Every number is divided by N, the batch size",
            ("+= dy[n, c, i, j]", "+= dy[n, c, i, j] / N"),
        ),
        (
            "You divide dy by the number of pixels of the window",
            ("+= dy[n, c, i, j]", "+= dy[n, c, i, j] / (self.KH * self.KW)"),
        ),
        (
            "You multiply dy by the maximum",
            ("+= dy[n, c, i, j]", "+= dy[n, c, i, j] * patch.max()"),
        ),
        (
            "x[0, 0, 0, 1] = 7, the maximum of the window of y[0, 0, 0, 0",
            ("+= dy[n, c, i, j]", "+= dy[n, c].sum()"),
        ),
        (
            "Rows and columns are swapped where you read dy",
            ("+= dy[n, c, i, j]", "+= dy[n, c, j, i]"),
        ),
        (
            "Of two pictures, only the second one is wrong",
            ("+= dy[n, c, i, j]", "+= dy[0, c, i, j]"),
        ),
        (
            "Row and column of the winner are swapped within its window",
            ("dx[n, c, h + k, w + m]", "dx[n, c, h + m, w + k]"),
        ),
        (
            "Rows and columns are swapped where you write to dx",
            ("dx[n, c, h + k, w + m]", "dx[n, c, w + m, h + k]"),
        ),
        (
            "The winner's place within its window is used as its place",
            ("dx[n, c, h + k, w + m]", "dx[n, c, k, m]"),
        ),
        (
            "Two mistakes together give just what you get",
            ("dx[n, c, h + k, w + m]", "dx[n, c, i, j]"),
        ),
        (
            "In backward, your windows move on by one pixel each time:",
            ("dx[n, c, h + k, w + m]", "dx[n, c, i + k, j + m]"),
        ),
        (
            "You send the whole gradient to the upper left pixel of",
            ("dx[n, c, h + k, w + m]", "dx[n, c, h, w]"),
        ),
        (
            "x[0, 0, 3, 0] = 62, the maximum of no window",
            ("dx[n, c, h + k, w + m]", "dx[n, 0, h + k, w + m]"),
        ),
        (
            "dx is the same for every index along N",
            ("dx[n, c, h + k, w + m]", "dx[:, c, h + k, w + m]"),
        ),
        (
            "dx is the same for every index along C",
            ("dx[n, c, h + k, w + m]", "dx[n, :, h + k, w + m]"),
        ),
        (
            "You give the whole gradient to every pixel of the window",
            ("dx[n, c, h + k, w + m]", "dx[n, c, h : h + self.KH, w : w + self.KW]"),
        ),
        (
            "Your code stopped with IndexError",
            ("dx[n, c, h + k, w + m]", "dx[n, c, h * self.KH + k, w * self.KW + m]"),
        ),
        (
            "In backward, your windows move on by one pixel each time:",
            ("h, w = i * self.SH, j * self.SW", "h, w = i, j"),
        ),
        (
            "In backward, your windows lie side by side, whatever the",
            ("h, w = i * self.SH, j * self.SW", "h, w = i * self.KH, j * self.KW"),
        ),
        (
            "In backward, your windows move on by two pixels each time",
            ("h, w = i * self.SH, j * self.SW", "h, w = i * 2, j * 2"),
        ),
        (
            "The gradient goes to the smallest pixel of each window",
            ("patch.argmax()", "patch.argmin()"),
        ),
        (
            "The gradient goes to the pixel with the largest absolute",
            ("patch.argmax()", "np.abs(patch).argmax()"),
        ),
        ("ValueError: index 12 is out of bounds for", ("patch.argmax()", "self.x[n, c].argmax()")),
        (
            "You divide the winner's number by KH to get its row",
            ("patch.argmax(), patch.shape", "patch.argmax(), (self.KW, self.KH)"),
        ),
        (
            "the maximum of no window",
            ("patch.argmax(), patch.shape", "patch.argmax(), self.x.shape[2:]"),
        ),
        (
            "You take the winner's number apart column by column, but",
            ("patch.argmax(), patch.shape", "patch.argmax(), patch.shape, order='F'"),
        ),
        (
            "x[0, 0, 1, 2] = 5, the maximum of no window",
            (
                "np.unravel_index(patch.argmax(), patch.shape)",
                "patch.argmax(axis=0)[0], patch.argmax(axis=1)[0]",
            ),
        ),
        (
            "You divide the winner's number by KH to get its row",
            ("np.unravel_index(patch.argmax(), patch.shape)", "divmod(patch.argmax(), self.KH)"),
        ),
        (
            "The winners of one picture are used for all pictures of",
            ("patch = self.x[n, c, h", "patch = self.x[0, c, h"),
        ),
        (
            "The winners of one channel are used for all channels",
            ("patch = self.x[n, c, h", "patch = self.x[n, 0, h"),
        ),
        (
            "x[0, 0, 2, 0] = 9, the maximum of the window of y[0, 0, 1, 0",
            (
                "        for n in range(N):\n            for c in range(C):\n                for i in range(OH):\n                    for j in range(OW):\n                        h, w",
                "        for n in range(N):\n            for c in range(C):\n                for i in range(1, OH):\n                    for j in range(1, OW):\n                        h, w",
            ),
        ),
        (
            "Only the first map gets its gradients, and then your",
            ("        return dx\n", "                return dx\n"),
        ),
        (
            "Only the first window of the first map sends its",
            ("        return dx\n", "                        return dx\n"),
        ),
        (
            "Only the first picture gets its gradients.",
            ("        return dx\n", "            return dx\n"),
        ),
        ("Numbers below 0 have become 0", ("        return dx\n", "        return dx.clip(0)\n")),
        ("You multiply dy by the maximum", ("        return dx\n", "        return dx * self.x\n")),
        (
            "Where the maximum of a window is negative, it gets no",
            ("        return dx\n", "        return dx * (self.x > 0)\n"),
        ),
        (
            "dx has too few axes: 3, not 4",
            ("        return dx\n", "        return dx.sum(axis=0)\n"),
        ),
        (
            "What comes out is dy, just as it came in",
            ("        return dx\n", "        return dy\n"),
        ),
        ("It returned None", ("        return dx\n", "        self.dx = dx\n")),
        ("Your code stopped with IndexError", ("np.zeros_like(self.x)", "np.zeros_like(dy)")),
        (
            "The numbers are right, but their dtype is float64, not",
            ("np.zeros_like(self.x)", "np.zeros(self.x.shape)"),
        ),
        (
            "dx has dtype int64: everything after the decimal point",
            ("np.zeros_like(self.x)", "np.zeros(self.x.shape, dtype=int)"),
        ),
        ("dx contains NaN", ("np.zeros_like(self.x)", "np.empty_like(self.x) * np.nan")),
        ("Every number is off by 1", ("np.zeros_like(self.x)", "np.ones_like(self.x)")),
        ("changed x in place", ("np.zeros_like(self.x)", "self.x")),
        ("Every number is off by 1 times x", ("np.zeros_like(self.x)", "self.x.copy()")),
        (
            "Your gradients pile up: a second call of backward adds to",
            (
                "dx = np.zeros_like(self.x)",
                "dx = self.dx = getattr(self, 'dx', np.zeros_like(self.x))",
            ),
        ),
    ],
    ("maxpool_backward", MAX_PYTHON): [
        (
            "The right numbers in the wrong places; each picture keeps",
            ("self.winners[n, c, i, j] = h, w", "self.winners[i, j] = h, w"),
            (
                "for (n, c, i, j), (h, w) in self.winners.items():\n            dx[n, c, h, w] += dy[n, c, i, j]",
                "for (i, j), (h, w) in self.winners.items():\n            dx[:, :, h, w] += dy[:, :, i, j]",
            ),
        ),
        (
            "x[0, 0, 2, 4] = 6, the maximum of no window",
            ("self.winners[n, c, i, j] = h, w", "self.winners[n, c, h, w] = i, j"),
            ("for (n, c, i, j), (h, w) in", "for (n, c, h, w), (i, j) in"),
        ),
        (
            "Your code stopped with IndexError",
            ("        self.winners = {}\n        for", "        for"),
            ("        self.SH, self.SW", "        self.winners = {}\n        self.SH, self.SW"),
        ),
        (
            "Your code stopped with IndexError",
            ("        self.winners = {}\n        for", "        for"),
            ("class Pool:\n", "class Pool:\n    winners = {}\n"),
        ),
        (
            "Your backward is the derivative of your forward, and the",
            ("best = -np.inf", "best = 0"),
        ),
        (
            "A pixel that wins several windows keeps only the last",
            ("dx[n, c, h, w] += dy[n, c, i, j]", "dx[n, c, h, w] = dy[n, c, i, j]"),
        ),
        (
            "x[0, 0, 1, 3] = 131, the maximum of the window of y[0, 0, 0,",
            (
                "dx[n, c, h, w] += dy[n, c, i, j]",
                "dx[n, c, h, w] = max(dx[n, c, h, w], dy[n, c, i, j])",
            ),
        ),
        (
            "Your backward is the derivative of your forward, and the",
            (">= best", "< best"),
            ("-np.inf", "np.inf"),
        ),
        (
            "In your dx, x has no part.",
            (
                "                                    self.winners[n, c, i, j] = h, w\n",
                "                                self.winners[n, c, i, j] = h, w\n",
            ),
        ),
    ],
    ("maxpool_backward", MAX_MASK): [
        (
            "Where several pixels share the maximum, each of them gets",
            ("                mask = mask / mask.sum(axis=(2, 3), keepdims=True)\n", ""),
        ),
        (
            "You divide the gradient by the number of maxima in the windows of all",
            ("mask / mask.sum(axis=(2, 3), keepdims=True)", "mask / mask.sum()"),
        ),
        (
            "In each case all numbers are off by one factor, but it",
            ("mask / mask.sum(axis=(2, 3), keepdims=True)", "mask / mask.size"),
        ),
        (
            "You divide dy by the number of pixels of the window",
            ("mask / mask.sum(axis=(2, 3), keepdims=True)", "mask / (self.KH * self.KW)"),
        ),
        (
            "Where several pixels share the maximum, none of them gets",
            (
                "mask / mask.sum(axis=(2, 3), keepdims=True)",
                "mask * (mask.sum(axis=(2, 3), keepdims=True) == 1)",
            ),
        ),
        (
            "Each window wipes out what an earlier one wrote where the",
            ("part += mask * dy", "part[:] = mask * dy"),
        ),
        (
            "You return zeros, so nothing before this layer can ever",
            ("part += mask * dy", "part = part + mask * dy"),
        ),
        (
            "You put the maximum itself back where it was: its value,",
            ("part += mask * dy[:, :, i, j]", "part += mask * self.y[:, :, i, j]"),
        ),
        (
            "You put a 1 where the maximum was, and what dy says is",
            ("part += mask * dy[:, :, i, j][:, :, None, None]", "part += mask"),
        ),
        (
            "x[0, 0, 0, 1] = 7, the maximum of the window of y[0, 0, 0, 0",
            ("part += mask * dy[:, :, i, j][:, :, None, None]", "part += mask * dy.mean()"),
        ),
        (
            "x[0, 0, 0, 1] = 7, the maximum of the window of y[0, 0, 0, 0",
            (
                "part += mask * dy[:, :, i, j][:, :, None, None]",
                "part += mask * dy.sum(axis=(2, 3), keepdims=True)",
            ),
        ),
        (
            "You give the whole gradient to every pixel of the window",
            (
                "part += mask * dy[:, :, i, j][:, :, None, None]",
                "part += dy[:, :, i, j][:, :, None, None]",
            ),
        ),
        (
            "dx contains NaN",
            ("self.window(self.x, i, j) == self.y", "self.window(self.x, j, i) == self.y"),
        ),
        (
            "dx contains NaN",
            (
                "self.window(self.x, i, j) == self.y",
                "self.window(self.x, i, j) >= self.y.mean() + 0 * self.y",
            ),
        ),
        (
            "dx contains NaN",
            (
                "self.window(self.x, i, j) == self.y[:, :, i, j][:, :, None, None]",
                "self.window(self.x, i, j) == self.x.max()",
            ),
        ),
        (
            "dx contains NaN",
            (
                "self.window(self.x, i, j) == self.y[:, :, i, j][:, :, None, None]",
                "self.window(self.x, i, j) == self.window(self.x, i, j).max()",
            ),
        ),
        (
            "dx contains NaN",
            (
                "self.window(self.x, i, j) == self.y[:, :, i, j][:, :, None, None]",
                "self.window(self.x, i, j) == self.window(self.x, i, j).max(axis=(1, 2, 3), keepdims=True)",
            ),
        ),
        (
            "The largest pixel of each row of a window gets the",
            (
                "self.window(self.x, i, j) == self.y[:, :, i, j][:, :, None, None]",
                "self.window(self.x, i, j) == self.window(self.x, i, j).max(axis=3, keepdims=True)",
            ),
            ("                mask = mask / mask.sum(axis=(2, 3), keepdims=True)\n", ""),
        ),
        (
            "Every positive pixel of a window gets the whole gradient",
            (
                "self.window(self.x, i, j) == self.y[:, :, i, j][:, :, None, None]",
                "self.window(self.x, i, j) > 0",
            ),
            ("                mask = mask / mask.sum(axis=(2, 3), keepdims=True)\n", ""),
        ),
        (
            "x[0, 0, 0, 2] = -1, the maximum of the window of y[0, 0, 0, ",
            (
                BACKWARD,
                "        up = dy.repeat(self.KH, axis=2).repeat(self.KW, axis=3)\n        return up * (self.x == self.y.repeat(self.KH, axis=2).repeat(self.KW, axis=3))\n",
            ),
        ),
        (
            "The second: You give the whole gradient to every pixel of the window.",
            (
                BACKWARD,
                "        dx = np.zeros_like(self.x)\n        up = np.kron(dy, np.ones((self.KH, self.KW)))\n        dx[:, :, : up.shape[2], : up.shape[3]] = up\n        return dx\n",
            ),
        ),
        (
            "x[0, 1, 3, 0] = 113, the maximum of the window of y[0, 1, 1,",
            (
                BACKWARD,
                "        return np.resize(dy, self.x.shape) * (self.x == np.resize(self.y, self.x.shape))\n",
            ),
        ),
        (
            "The right numbers in the wrong places; each picture keeps",
            (
                BACKWARD,
                "        dx = np.zeros_like(self.x)\n        dx[np.isin(self.x, self.y)] = dy.ravel()\n        return dx\n",
            ),
        ),
    ],
    ("maxpool_backward", MAX_WINDOWS): [
        (
            "A pixel that wins several windows keeps only the last",
            ("np.add.at(dx, (n, c, h, w), dy)", "dx[n, c, h, w] += dy"),
        ),
        (
            "A pixel that wins several windows keeps only the last",
            ("np.add.at(dx, (n, c, h, w), dy)", "dx[n, c, h, w] = dy"),
        ),
        (
            "You divide the winner's number by KH to get its row",
            ("self.index // self.KW", "self.index // self.KH"),
            ("self.index % self.KW", "self.index % self.KH"),
        ),
        (
            "Row and column of the winner are swapped within its window",
            ("self.index // self.KW", "self.index % self.KW"),
            ("w = j * self.SW + self.index % self.KW", "w = j * self.SW + self.index // self.KW"),
        ),
        (
            "Your code stopped with IndexError",
            ("self.index // self.KW", "self.index // 2"),
            ("self.index % self.KW", "self.index % 2"),
        ),
        (
            "The right numbers in the wrong places; none is lost",
            ("w = j * self.SW + self.index % self.KW", "w = j * self.SW + self.index // self.KW"),
        ),
        (
            "x[0, 0, 1, 2] = 5, the maximum of no window",
            ("w = j * self.SW + self.index % self.KW", "w = j * self.SW"),
        ),
        (
            "x[0, 0, 1, 4] = 8, the maximum of the window of y[0, 0, 0, 2",
            ("h = i * self.SH + self.index // self.KW", "h = self.index // self.KW"),
        ),
        (
            "In backward, your windows move on by one pixel each time:",
            ("h = i * self.SH + self.index // self.KW\n", "h = i + self.index // self.KW\n"),
            ("w = j * self.SW + self", "w = j + self"),
        ),
        (
            "In backward, your windows lie side by side, whatever the",
            (
                "h = i * self.SH + self.index // self.KW\n",
                "h = i * self.KH + self.index // self.KW\n",
            ),
            ("w = j * self.SW + self", "w = j * self.KW + self"),
        ),
        (
            "The winners of one picture are used for all pictures of",
            (
                "self.index = windows.argmax(axis=-1)",
                "self.index = windows[:1].argmax(axis=-1) + 0 * windows.argmax(axis=-1)",
            ),
        ),
        (
            "Your layer keeps who won in its first forward: the",
            (
                "        self.index = windows.argmax(axis=-1)\n",
                "        if not hasattr(self, 'index'):\n            self.index = windows.argmax(axis=-1)\n",
            ),
        ),
        (
            "dx has the wrong length along H and W",
            (
                "self.shape = x.shape",
                "self.shape = (x.shape[0], x.shape[1], x.shape[3], x.shape[2])",
            ),
        ),
        (
            "Rows and columns are swapped where you write to dx",
            ("np.add.at(dx, (n, c, h, w), dy)", "np.add.at(dx, (n, c, w, h), dy)"),
        ),
        (
            "x[0, 1, 3, 0] = 113, the maximum of the window of y[0, 1, 1,",
            (
                "np.add.at(dx, (n, c, h, w), dy)",
                "np.add.at(dx.reshape(-1), h * dx.shape[3] + w, dy)",
            ),
        ),
        (
            "x[0, 0, 0, 2] = 2, the maximum of no window",
            ("np.add.at(dx, (n, c, h, w), dy)", "np.put(dx, self.index, dy)"),
        ),
        (
            "dx is wrong only where x is positive",
            ("np.add.at(dx, (n, c, h, w), dy)", "np.add.at(dx, (n, c, h, w), dy.T)"),
        ),
    ],
    ("avgpool_forward", AVG_LOOPS): [
        (
            "You add up the window, and don't divide",
            ("window.sum() / (self.KH * self.KW)", "window.sum()"),
        ),
        (
            "You divide by KH, and then multiply by KW",
            ("window.sum() / (self.KH * self.KW)", "window.sum() / self.KH * self.KW"),
        ),
        (
            "You divide by 4, whatever the size of the window",
            ("window.sum() / (self.KH * self.KW)", "window.sum() / 4"),
        ),
        (
            "Your averages are rounded down to whole numbers",
            ("window.sum() / (self.KH * self.KW)", "window.sum() // (self.KH * self.KW)"),
        ),
        (
            "You divide by the area of one step, stride times stride,",
            ("window.sum() / (self.KH * self.KW)", "window.sum() / (self.SH * self.SW)"),
        ),
        (
            "In each case all numbers are off by one factor, but it",
            ("window.sum() / (self.KH * self.KW)", "window.sum() / (H * W)"),
        ),
        (
            "Every number is divided by N, the batch size",
            ("window.sum() / (self.KH * self.KW)", "window.sum() / (self.KH * self.KW) / N"),
        ),
        (
            "x[0, 0, 0:2, 2:4] = 2 0 / 5 6",
            ("window.sum() / (self.KH * self.KW)", "window.sum() / np.count_nonzero(window)"),
        ),
        (
            "x[0, 0, 0:2, 4:6] = 3 1 / 8 2",
            ("window.sum() / (self.KH * self.KW)", "(window.max() + window.min()) / 2"),
        ),
        (
            "x[0, 0, 2:4, 0:2] = 9 2 / 5 1",
            ("window.sum() / (self.KH * self.KW)", "window.mean(axis=0)[0]"),
        ),
        (
            "Your windows go through all channels: every channel of y",
            (
                "window.sum() / (self.KH * self.KW)",
                "np.mean(x[n, :, top : top + self.KH, left : left + self.KW])",
            ),
        ),
        (
            "Your windows go through all pictures of the batch: every",
            (
                "window.sum() / (self.KH * self.KW)",
                "np.mean(x[:, c, top : top + self.KH, left : left + self.KW])",
            ),
        ),
        (
            "You keep the largest number of each window",
            ("window.sum() / (self.KH * self.KW)", "window.max()"),
        ),
        (
            "Your result would be right if x were abs(x)",
            ("window.sum() / (self.KH * self.KW)", "np.abs(window).mean()"),
        ),
        (
            "x[0, 0, 2:4, 0:2] = 9 2 / 5 1",
            ("window.sum() / (self.KH * self.KW)", "window.mean() + window.std()"),
        ),
        (
            "In each case all numbers are off by one factor, but it",
            ("window.sum() / (self.KH * self.KW)", "window.sum() / (self.KH * self.KW - 1)"),
        ),
        (
            "Your windows move on by one pixel each time; the stride",
            ("top, left = i * self.SH, j * self.SW", "top, left = i, j"),
        ),
        (
            "y has dtype uint8: everything after the decimal point is",
            ("dtype=x.dtype", "dtype=np.uint8"),
        ),
        (
            "Only the first map is filled in, and then your function",
            ("        return y\n\n", "                return y\n\n"),
        ),
    ],
    ("avgpool_forward", AVG_OFFSETS): [
        ("x[0, 0, 2:4, 4:6] = 6 5 / 7 4", ("y += x", "y = x")),
        (
            "The numbers are right, but their dtype is float64, not",
            (
                "return y / (self.KH * self.KW)",
                "return y / np.prod((self.KH, self.KW), dtype=float)",
            ),
        ),
        (
            "x[0, 0, 2:4, 0:2] = 9 2 / 5 1",
            ("for k in range(self.KH)", "for k in range(1, self.KH)"),
        ),
        (
            "Your window lies on its side",
            ("for k in range(self.KH)", "for k in range(self.KW)"),
            ("for m in range(self.KW)", "for m in range(self.KH)"),
        ),
        (
            "In each case all numbers are off by one factor, but it",
            ("return y / (self.KH * self.KW)", "return y / y.size"),
        ),
        (
            "changed x in place",
            (
                "return y / (self.KH * self.KW)",
                "y /= self.KH * self.KW\n        x /= self.KH * self.KW\n        return y",
            ),
        ),
    ],
    ("avgpool_backward", AVG_LOOPS): [
        ("Each window wipes out what an earlier one wrote where the", ("] += share", "] = share")),
        (
            "You give the whole gradient to every pixel of the window",
            ("share = dy[n, c, i, j] / (self.KH * self.KW)", "share = dy[n, c, i, j]"),
        ),
        (
            "You divide by the area of one step, stride times stride,",
            (
                "share = dy[n, c, i, j] / (self.KH * self.KW)",
                "share = dy[n, c, i, j] / (self.SH * self.SW)",
            ),
        ),
        (
            "You divide by KH, and then multiply by KW",
            (
                "share = dy[n, c, i, j] / (self.KH * self.KW)",
                "share = dy[n, c, i, j] / self.KH * self.KW",
            ),
        ),
        (
            "You divide by the number of outputs, OH·OW",
            ("share = dy[n, c, i, j] / (self.KH * self.KW)", "share = dy[n, c, i, j] / (OH * OW)"),
        ),
        (
            "You give each pixel of the window one share of 1, and",
            ("share = dy[n, c, i, j] / (self.KH * self.KW)", "share = 1 / (self.KH * self.KW)"),
        ),
        (
            "The shares are rounded down to whole numbers",
            (
                "share = dy[n, c, i, j] / (self.KH * self.KW)",
                "share = dy[n, c, i, j] // (self.KH * self.KW)",
            ),
        ),
        (
            "dx is the same for every index along H",
            ("share = dy[n, c, i, j] / (self.KH * self.KW)", "share = dy[n, c].mean()"),
        ),
        (
            "dx is the same for every index along C",
            (
                "share = dy[n, c, i, j] / (self.KH * self.KW)",
                "share = dy[n, :, i, j].sum() / (self.KH * self.KW)",
            ),
        ),
        (
            "You divide by 4, whatever the size of the window",
            ("share = dy[n, c, i, j] / (self.KH * self.KW)", "share = dy[n, c, i, j] / 4"),
        ),
        (
            "Every number is divided by N, the batch size",
            (
                "share = dy[n, c, i, j] / (self.KH * self.KW)",
                "share = dy[n, c, i, j] / (self.KH * self.KW) / N",
            ),
        ),
        (
            "In each case all numbers are off by one factor, but it",
            (
                "share = dy[n, c, i, j] / (self.KH * self.KW)",
                "share = dy[n, c, i, j] * (self.KH * self.KW)",
            ),
        ),
        (
            "In backward, your windows move on by one pixel each time:",
            ("h, w = i * self.SH, j * self.SW", "h, w = i, j"),
        ),
        (
            "In backward, your windows lie side by side, whatever the",
            ("h, w = i * self.SH, j * self.SW", "h, w = i * self.KH, j * self.KW"),
        ),
        (
            "x[0, 0, 2, 5] = 5, in the window of y[0, 0, 1, 2]",
            ("h : h + self.KH, w : w + self.KW] +=", "h, w] +="),
        ),
        (
            "x[0, 0, 2, 5] = 5, in the window of y[0, 0, 1, 2]",
            (
                "h : h + self.KH, w : w + self.KW] +=",
                "h : h + self.KH - 1, w : w + self.KW - 1] +=",
            ),
        ),
        (
            "In backward, your window lies on its side: KH and KW are",
            ("h : h + self.KH, w : w + self.KW] +=", "h : h + self.KW, w : w + self.KH] +="),
        ),
        (
            "dx is the same for every index along C",
            ("dx[n, c, h : h + self.KH", "dx[n, :, h : h + self.KH"),
        ),
        (
            "dx is the same for every index along N",
            ("dx[n, c, h : h + self.KH", "dx[:, c, h : h + self.KH"),
        ),
        (
            "dx has the wrong length along H and W",
            ("np.zeros(self.shape, dtype=dy.dtype)", "np.zeros_like(dy)"),
        ),
        (
            "dx has the wrong length along H and W",
            (
                "np.zeros(self.shape, dtype=dy.dtype)",
                "np.zeros((N, C, OH * self.SH, OW * self.SW), dtype=dy.dtype)",
            ),
        ),
        (
            "Only the first row of windows of the first map sends its",
            ("        return dx\n", "                    return dx\n"),
        ),
        (
            "Every number is divided by x.size",
            ("        return dx\n", "        return dx / dx.size\n"),
        ),
        (
            "changed dy in place",
            (
                "        N, C, OH, OW = dy.shape\n",
                "        dy /= self.KH * self.KW\n        N, C, OH, OW = dy.shape\n",
            ),
            ("dy[n, c, i, j] / (self.KH * self.KW)", "dy[n, c, i, j]"),
        ),
    ],
    ("avgpool_backward", AVG_OFFSETS): [
        ("Where windows overlap, later shares wipe out earlier ones", ("] += dy", "] = dy")),
        (
            "You give the whole gradient to every pixel of the window",
            ("return dx / (self.KH * self.KW)", "return dx"),
        ),
        (
            "You divide by the area of one step, stride times stride,",
            ("return dx / (self.KH * self.KW)", "return dx / (self.SH * self.SW)"),
        ),
        (
            "You repeat each number KH times down and KW times",
            (
                BACKWARD,
                "        return np.kron(dy, np.ones((self.KH, self.KW))) / (self.KH * self.KW)\n",
            ),
        ),
        (
            "dx is the same for every index along H",
            (BACKWARD, "        return np.resize(dy, self.shape)\n"),
        ),
        (
            "dx is the same for every index along H",
            (
                BACKWARD,
                "        return np.zeros(self.shape, dy.dtype) + dy.mean(axis=(2, 3), keepdims=True)\n",
            ),
        ),
        (
            "dx piles up: each backward adds to what the last one left",
            (
                "        dx = np.zeros(self.shape, dy.dtype)\n",
                "        self.dx = getattr(self, 'dx', np.zeros(self.shape, dy.dtype))\n        dx = self.dx\n",
            ),
        ),
        (
            "dx has the wrong length along H and W",
            (
                "N, C, H, W = self.shape = x.shape",
                "N, C, H, W = x.shape\n        self.shape = getattr(self, 'shape', x.shape)",
            ),
        ),
        (
            "The shape is kept in one place for all layers, so a",
            ("N, C, H, W = self.shape = x.shape", "N, C, H, W = Pool.shape = x.shape"),
        ),
        (
            "Every number has the wrong sign",
            ("return dx / (self.KH * self.KW)", "return -dx / (self.KH * self.KW)"),
        ),
        (
            "dx has dtype int64: everything after the decimal point",
            ("return dx / (self.KH * self.KW)", "return (dx / (self.KH * self.KW)).astype(int)"),
        ),
    ],
}


# ---------------------------------------------------------------------------- right ones pass

LEGAL = {
    "loops, the first of several maxima": ("maxpool", MAX_LOOPS),
    "plain Python, the last of several maxima": ("maxpool", MAX_PYTHON),
    "a mask, ties split evenly": ("maxpool", MAX_MASK),
    "windows without a copy": ("maxpool", MAX_WINDOWS),
    "average, loops": ("avgpool", AVG_LOOPS),
    "average, one position of the window after the other": ("avgpool", AVG_OFFSETS),
}
EVENLY = "mask / mask.sum(axis=(2, 3), keepdims=True)"


@pytest.mark.parametrize(("pool", "methods"), LEGAL.values(), ids=LEGAL)
def test_right_pools_of_many_makes_pass(pool, methods):
    for way in ("forward", "backward"):
        assert getattr(check, f"{pool}_{way}").failure(learners(methods)) is None


@pytest.mark.parametrize(
    "weights",
    [
        "mask * np.random.default_rng(i + 7 * j).random(mask.shape)",
        "mask * (1 + np.arange(mask.size).reshape(mask.shape))",
        "mask * (np.cumsum(mask[..., ::-1], axis=3)[..., ::-1] == 1)",
    ],
)
def test_ties_may_be_split_in_any_way_that_adds_up(weights):
    weighted = learners(MAX_MASK, (EVENLY, f"{weights}; mask = {EVENLY}"))
    assert check.maxpool_backward.failure(weighted) is None


# ---------------------------------------------------------------------------- wrong ones are told


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "methods", "phrase", "changes"),
    [
        pytest.param(name, methods, phrase, changes, id=f"{name}-{row}")
        for (name, methods), rows in WRONG.items()
        for row, (phrase, *changes) in enumerate(rows)
    ],
)
def test_what_is_said_of_a_wrong_pool(name, methods, phrase, changes):
    with np.errstate(all="ignore"):
        failure = getattr(check, name).failure(learners(methods, *changes))
    assert phrase in words(failure)


@pytest.mark.parametrize(
    ("way", "methods", "right", "wrong"),
    [
        ("forward", MAX_PYTHON, "OW = (W - self.KW) // self.SW + 1", "OW = W // self.SW + 1"),
        (
            "forward",
            MAX_LOOPS,
            "OW = (W - self.KW) // self.SW + 1",
            "OW = W // self.KW // self.SW + 1",
        ),
        (
            "backward",
            MAX_LOOPS,
            "dx[n, c, h + k, w + m]",
            "dx[n, c, h * self.KH + k, w * self.KW + m]",
        ),
        (
            "backward",
            MAX_LOOPS,
            "w : w + self.KW]\n                        k",
            ": w + self.KW]\n                        k",
        ),
    ],
    ids=[
        "a count of columns",
        "a count of columns, again",
        "strides twice",
        "a window from the edge",
    ],
)
def test_stops_and_a_few_lengths_are_no_proof_of_a_name(way, methods, right, wrong):
    failed = getattr(check, f"maxpool_{way}").failure(learners(methods, (right, wrong)))
    assert failed.misconception is None, failed


def test_a_split_of_ties_that_is_right_stands_in_the_way_of_no_name():
    wrong = learners(
        MAX_MASK,
        ("part += mask", "part[:] = mask"),
        (EVENLY, f"mask * (1 + np.arange(mask.size).reshape(mask.shape)); mask = {EVENLY}"),
    )
    assert check.maxpool_backward.failure(wrong).misconception is pool.WindowsWipeOut


def test_where_ties_are_wrong_the_expected_number_is_the_nearest_right_one():
    every_tie = learners(MAX_MASK, (f"                mask = {EVENLY}\n", ""))
    message = words(check.maxpool_backward.failure(every_tie))
    assert "x = 5 5 -1 -2 / 0 5 -1 -3 dy = 1 8" in message
    assert (
        "expected dx[0, 0, 0, 2] = 4; of all right answers, this is the one most like yours got dx[0, 0, 0, 2] = 8"
        in message
    )
    assert "dy adds up to 9, your dx to 19" in message


def test_not_written_is_not_wrong():
    untouched = learners(MAX_LOOPS, (BACKWARD, "        raise NotImplementedError\n"))
    assert check.maxpool_forward.failure(untouched) is None
    failure = check.maxpool_backward.failure(untouched)
    assert isinstance(failure, check.NotWritten)
    assert str(failure).startswith("○ MaxPool2D.backward is not written yet.")


# ---------------------------------------------------------------------------- two routes by hand

DX_MAX = [[0, 12, 0], [0, 20, 0], [0, 0, 16]]
DX_AVG = [[1, 3, 2], [6, 12, 6], [5, 9, 4]]


def test_right_routes_pass_as_lists_or_arrays(capsys):
    check.pool_by_hand(lambda: (DX_MAX, DX_AVG))
    check.pool_by_hand(lambda: [np.array(DX_MAX), np.array(DX_AVG, float)])
    assert capsys.readouterr().out.count("✓ routes by hand") == 2


@pytest.mark.parametrize(
    ("answers", "phrase"),
    [
        (([[0, 8, 0], [0, 20, 0], [0, 0, 16]], DX_AVG), "wins several windows keeps only the last"),
        (([[0, 8, 0], [0, 6, 0], [0, 0, 9]], DX_AVG), "dx_max[0, 1] is another number"),
        (([[0, 16, 0], [0, 6, 0], [0, 0, 9]], DX_AVG), "the maximum itself"),
        (([[0, 2, 0], [0, 1, 0], [0, 0, 1]], DX_AVG), "what dy says is lost"),
        ((DX_AVG, DX_AVG), "you spread the gradient evenly"),
        ((DX_MAX, DX_MAX), "goes to the largest pixel"),
        ((DX_MAX, [[4, 12, 8], [24, 48, 24], [20, 36, 16]]), "dx_avg[0, 0] is another number"),
        ((DX_MAX, [[1, 3, 2], [6, 12, 6], [5, 9, 5]]), "dx_avg[2, 2] is another number"),
        ((DX_MAX, [[1, 3, 2], [6, 12, 6]]), "three rows of three numbers"),
        ((DX_MAX, "even"), "three rows of three numbers"),
        ((DX_MAX, None), "three rows of three numbers"),
        (DX_MAX, "Two gradients are asked for"),
        (None, "Two gradients are asked for"),
    ],
)
def test_a_wrong_route_is_told_without_the_right_one(answers, phrase):
    message = words(check.pool_by_hand.failure(lambda: answers))
    assert phrase in message
    assert "12" not in message.replace(str(answers), "")
    assert "48" not in message


# ---------------------------------------------------------------------------- bug hunts


def _arrays(*shapes):
    """Different whole numbers in each array."""
    rng = np.random.default_rng(0)
    return tuple(rng.permutation(np.prod(shape)).reshape(shape) + 1.0 for shape in shapes)


NEGATIVE = np.array([[[[-1.0, -2.0], [-3.0, -4.0]]]])


@pytest.mark.parametrize(
    ("hunt", "arrays"),
    [
        (check.pool_hunt_1, (NEGATIVE, np.array([[[[-1.0]]]]))),
        (check.pool_hunt_2, (np.zeros((1, 1, 2, 2)), np.ones((1, 1, 1, 1)))),
        (check.pool_hunt_3, (np.zeros((1, 1, 3, 2)), np.zeros((1, 1, 1, 1)))),
    ],
)
def test_a_witness_that_shows_the_mistake_passes(hunt, arrays):
    assert hunt.failure(lambda: with_expected(hunt, arrays)) is None


@pytest.mark.parametrize(
    ("hunt", "arrays", "phrase"),
    [
        (check.pool_hunt_1, (-NEGATIVE, np.array([[[[4.0]]]])), "passes your test"),
        (check.pool_hunt_1, (NEGATIVE, np.array([[[[0.0]]]])), "blame the innocent"),
        (check.pool_hunt_2, _arrays((1, 1, 2, 3), (1, 1, 1, 1)), "passes your test"),
        (check.pool_hunt_2, (np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 1, 1))), "passes your test"),
        (check.pool_hunt_3, _arrays((1, 1, 2, 2), (1, 1, 1, 1)), "passes your test"),
        (check.pool_hunt_3, _arrays((1, 1, 2, 3), (1, 1, 1, 2)), "Not even a right layer"),
    ],
)
def test_a_witness_that_shows_nothing_is_refused(hunt, arrays, phrase):
    assert phrase in words(hunt.failure(lambda: with_expected(hunt, arrays)))


def test_no_different_numbers_show_the_second_patient():
    """It is right wherever no two numbers are equal: the hunt is not won by chance."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        arrays = rng.permutation(6).reshape(1, 1, 2, 3), rng.integers(1, 9, (1, 1, 1, 1))
        arrays = with_expected(check.pool_hunt_2, arrays)
        assert "passes your test" in words(check.pool_hunt_2.failure(lambda a=arrays: a))


def test_a_number_that_is_not_the_largest_is_found_in_its_window_or_outside():
    class SecondLargest(layers.MaxPool2D):
        def forward(self, x):
            windows = self._windows(x).reshape(*super().forward(x).shape, -1)
            return np.sort(windows, axis=-1)[..., -2]

    class FarAway(layers.MaxPool2D):
        def forward(self, x):
            y = super().forward(x)
            y[:, :, 0, 0] = x[:, :, 1, 4] if x.shape[3] > 4 else y[:, :, 0, 0]
            return y

    told = words(check.maxpool_forward.failure(SecondLargest))
    assert "yours 5 is in this window, but is not its largest" in told
    told = words(check.maxpool_forward.failure(FarAway))
    assert "yours 8 is at x[0, 0, 1, 4], outside this window" in told


@pytest.mark.slow
def test_pixels_that_are_tied_are_told_what_they_must_get_together():
    class SharesByTheRoot(layers.MaxPool2D):
        def forward(self, x):
            windows = self._windows(x)
            self.tied = (windows == windows.max(axis=(4, 5), keepdims=True)).sum(axis=(4, 5))
            return super().forward(x)

        def backward(self, dy):
            return super().backward(dy * np.sqrt(self.tied).astype(dy.dtype))

    told = words(check.maxpool_backward.failure(SharesByTheRoot))
    assert "are tied: together they must get 8, yours get 11.314" in told


FIRST_PLACES = """
    def forward(self, x):
        self.shape = x.shape
        N, C, H, W = x.shape
        y = np.empty((N, C, (H - self.KH) // self.SH + 1, (W - self.KW) // self.SW + 1), x.dtype)
        won = {}
        for n, c, i, j in np.ndindex(y.shape):
            top, left = i * self.SH, j * self.SW
            window = x[n, c, top : top + self.KH, left : left + self.KW]
            k, l = divmod(int(window.argmax()), self.KW)
            y[n, c, i, j] = window[k, l]
            won[n, c, i, j] = top + k, left + l
        if not hasattr(self, "won"):
            self.won = won
        return y

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        for n, c, i, j in np.ndindex(dy.shape):
            r, q = self.won[n, c, i, j]
            dx[n, c, r, q] += dy[n, c, i, j]
        return dx
"""


def test_winners_of_the_first_batch_are_told_of_as_what_they_are():
    failure = check.maxpool_backward.failure(learners(FIRST_PLACES))
    assert "something of an earlier batch: of `first`" in words(failure)
