"""The convolution checks: what they accept, and what they say of mistakes that nobody listed."""

import linecache

import numpy as np
import pytest
from hunts import with_expected

from cnnlib import check, layers, misconceptions
from cnnlib.check.conv import BY_HAND

# Four right layers, as learners write them.

INIT = """import numpy as np


class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
        pair = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.W = np.random.default_rng(rng).normal(size=(out_channels, in_channels, *pair))
        self.b = np.zeros(out_channels)
        self.stride, self.padding = stride, padding
"""
# One number at a time.
SCALARS = (
    INIT
    + """
    def forward(self, x):
        N, C, H, W = x.shape
        F, _, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        padded = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=x.dtype)
        padded[:, :, p : p + H, p : p + W] = x
        self.x, self.padded = x, padded
        OH = (H + 2 * p - KH) // s + 1
        OW = (W + 2 * p - KW) // s + 1
        y = np.zeros((N, F, OH, OW), dtype=x.dtype)
        for n in range(N):
            for f in range(F):
                for i in range(OH):
                    for j in range(OW):
                        total = 0.0
                        for c in range(C):
                            for k in range(KH):
                                for m in range(KW):
                                    total += padded[n, c, i * s + k, j * s + m] * self.W[f, c, k, m]
                        y[n, f, i, j] = total + self.b[f]
        return y

    def backward(self, dy):
        N, F, OH, OW = dy.shape
        _, C, KH, KW = self.W.shape
        H, W = self.x.shape[2:]
        s, p = self.stride, self.padding
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)
        dpadded = np.zeros_like(self.padded)
        for n, f, i, j in np.ndindex(dy.shape):
            g = dy[n, f, i, j]
            self.db[f] += g
            for c, k, m in np.ndindex(C, KH, KW):
                r, q = i * s + k, j * s + m
                self.dW[f, c, k, m] += g * self.padded[n, c, r, q]
                dpadded[n, c, r, q] += g * self.W[f, c, k, m]
        return dpadded[:, :, p : p + H, p : p + W]
"""
)
# One window at a time.
WINDOWS = (
    INIT
    + """
    def forward(self, x):
        N, C, H, W = x.shape
        F, _, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        x_pad = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="constant")
        out_h = 1 + (H + 2 * p - KH) // s
        out_w = 1 + (W + 2 * p - KW) // s
        out = np.zeros((N, F, out_h, out_w), dtype=x.dtype)
        for n in range(N):
            for f in range(F):
                for i in range(out_h):
                    for j in range(out_w):
                        top, left = i * s, j * s
                        window = x_pad[n, :, top : top + KH, left : left + KW]
                        out[n, f, i, j] = np.sum(window * self.W[f]) + self.b[f]
        self.cache = x, x_pad
        return out

    def backward(self, dout):
        x, x_pad = self.cache
        N, C, H, W = x.shape
        F, _, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        dx_pad, dw = np.zeros_like(x_pad), np.zeros_like(self.W)
        self.db = np.sum(dout, axis=(0, 2, 3))
        for n, f in np.ndindex(N, F):
            for i, j in np.ndindex(dout.shape[2:]):
                part = n, slice(None), slice(i * s, i * s + KH), slice(j * s, j * s + KW)
                dw[f] += dout[n, f, i, j] * x_pad[part]
                dx_pad[part] += dout[n, f, i, j] * self.W[f]
        self.dW = dw
        return dx_pad[:, :, p : H + p, p : W + p]
"""
)
# One place of the kernel at a time, for all windows together.
OFFSETS = (
    INIT
    + """
    def forward(self, x):
        self.shape = x.shape
        F, C, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        self.xp = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
        OH = (self.xp.shape[2] - KH) // s + 1
        OW = (self.xp.shape[3] - KW) // s + 1
        y = np.zeros((len(x), F, OH, OW), x.dtype)
        for k in range(KH):
            for m in range(KW):
                met = self.xp[:, :, k : k + OH * s : s, m : m + OW * s : s]
                y += np.einsum("ncij,fc->nfij", met, self.W[:, :, k, m])
        return y + self.b[None, :, None, None]

    def backward(self, dy):
        F, C, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        N, _, H, W = self.shape
        OH, OW = dy.shape[2:]
        self.db = dy.sum(axis=0).sum(axis=1).sum(axis=1)
        self.dW = np.empty_like(self.W)
        dxp = np.zeros(self.xp.shape, dy.dtype)
        for k, m in np.ndindex(KH, KW):
            read = np.s_[:, :, k : k + OH * s : s, m : m + OW * s : s]
            self.dW[:, :, k, m] = np.einsum("nfij,ncij->fc", dy, self.xp[read])
            dxp[read] += np.einsum("nfij,fc->ncij", dy, self.W[:, :, k, m])
        return dxp[:, :, p : p + H, p : p + W]
"""
)
# All windows as a matrix; dx as a full correlation with the turned kernel.
MATRICES = (
    INIT
    + """
    def forward(self, x):
        N, C, H, W = x.shape
        F, _, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        self.x_shape = x.shape
        xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        windows = np.lib.stride_tricks.sliding_window_view(xp, (KH, KW), axis=(2, 3))
        windows = windows[:, :, ::s, ::s]
        OH, OW = windows.shape[2:4]
        self.columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * OH * OW, C * KH * KW)
        y = self.columns @ self.W.reshape(F, -1).T + self.b
        return y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2)

    def backward(self, dy):
        N, C, H, W = self.x_shape
        F, _, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        rows = dy.transpose(0, 2, 3, 1).reshape(-1, F)
        self.db = rows.sum(axis=0)
        self.dW = (rows.T @ self.columns).reshape(self.W.shape)
        OH, OW = dy.shape[2:]
        spread = np.zeros((N, F, H + 2 * p - KH + 1, W + 2 * p - KW + 1), dy.dtype)
        spread[:, :, : OH * s : s, : OW * s : s] = dy
        full = np.pad(spread, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
        turned = np.rot90(self.W, 2, axes=(2, 3))
        around = np.lib.stride_tricks.sliding_window_view(full, (KH, KW), axis=(2, 3))
        dx = np.einsum("nfijkl,fckl->ncij", around, turned)
        return dx[:, :, p : p + H, p : p + W]
"""
)

RIGHT = {"scalars": SCALARS, "windows": WINDOWS, "offsets": OFFSETS, "matrices": MATRICES}
LAYER_CHECKS = ("conv_forward", "conv_dW", "conv_db", "conv_dx")


def written(source):
    """The class that a learner's source defines; its lines can be shown."""
    name = f"<answer {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {}
    exec(compile(source, name, "exec"), namespace)
    return namespace["Conv2D"]


def changed(source, old, new, method="forward"):
    """The source with one thing changed, the first of its kind from this method on."""
    start = source.index(f"    def {method}")
    assert old in source[start:], f"{old!r} is not in {method}"
    return source[:start] + source[start:].replace(old, new, 1)


def words(failure):
    return " ".join(str(failure).split())


# Changes to a right layer that make it wrong: what to replace, by what, and what is then said of it:
# the name of a misconception, or a part of the message.
WRONG = [
    (
        "conv_forward",
        SCALARS,
        "total + self.b[f]",
        {
            "total": "ForgetsTheBias",
            "total * self.b[f]": "in your y[0, 0, 1, 1], x[0, 0, 1, 1] counts 100 times; it should count once",
            "total - self.b[f]": "SubtractsTheBias",
            "total + self.b[n]": "it should depend on b[",
            "total + self.b.sum()": "SumOfTheBiases",
            "max(total + self.b[f], 0)": "AppliesReLU",
            "abs(total + self.b[f])": "The numbers are right but for their sign: some have the wrong one",
            "total / (KH * KW) + self.b[f]": "in your y[0, 0, 1, 1], x[0, 0, 1, 1] counts 0.25 times; it should count once",
            "total / N + self.b[f]": "it should count",
            "np.tanh(total + self.b[f])": "it should count",
            "(total + self.b[f]) ** 2": "Every number in y is wrong",
            "total + self.b[f] / OH": "Every number is off by b, some number of times",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "j * s + m] * self.W[f, c, k, m]",
        {
            "j * s + m] * self.W[f, c, k, m] + self.b[f]": "Every number is off by b, some number of times",
            "j * s + m] * self.W[f, c, KH - k - 1, KW - m - 1]": "FlipsTheKernel",
            "j * s + m] * self.W[f, c, KH - k - 1, m]": "Your result would be right if W were W[:, :, ::-1]",
            "j * s + m] * self.W[f, 0, k, m]": "FirstSheetForAll",
            "j * s + m] + self.W[f, c, k, m]": "in your y[0, 0, 1, 1], x[0, 0, 1, 2] counts once; it should count 2 times",
            "j + m] * self.W[f, c, k, m]": "StrideForRowsOnly",
            "j * s - m] * self.W[f, c, k, m]": "your y[0, 0, 0, 1] depends on x[0, 0, 0:2, 0:2]; it should depend on x[0, 0, 0:2, 1:3]",
            "j * s + m] * self.W[f, c, k, m] ** 2": "Your result would be right if W were W²",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "padded[n, c, i * s + k,",
        {
            "padded[n, c, i + k,": "StrideForColumnsOnly",
            "padded[0, c, i * s + k,": "FirstPictureForAll",
            "padded[n, 0, i * s + k,": "FirstChannelForAll",
            "x[n, c, i * s + k,": "IndexError",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "total += padded",
        {
            "total = padded": "your y[0, 0, 1, 1] depends on x[0, 0, 2, 2] and W[0, 0, 1, 1]; it should depend on x[0, 0, 1:3, 1:3] and W[0, 0, :, :]",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "y[n, f, i, j] = total",
        {
            "y[n, f, j, i] = total": "WritesColumnsFirst",
            "y[n, f, i * s, j * s] = total": "WritesWhereItReads",
            "y[f, n, i, j] = total": "WritesFiltersFirst",
            "y[n, f, i, j] += y[n, f, i - 1, j] + total": "your y[0, 0, 1, 1] depends on x[0, 0, :, 1:3]; it should depend on x[0, 0, 1:3, 1:3]",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "p : p + H, p : p + W] = x",
        {
            ":H, :W] = x": "PadsInTheCorner",
            "p:-p, p:-p] = x": "y is the same for every index along N",
            "p : p + H, p : p + W] += x - x.mean()": "your y[0, 0, 0, 0] depends on x[0, 0, :, :]; it should depend on x[0, 0, 0:2, 0:2]",
            "p : p + H, p : p + W] = x / 255": "in your y[0, 0, 1, 1], x[0, 0, 1, 1] counts 0.00392157 times; it should count once",
            "p : p + H, p : p + W] = x[..., ::-1]": "Your result would be right if x were x[:, :, :, ::-1]",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "padded = np.zeros((N",
        {
            "padded = np.ones((N": "Here, y is right inside and wrong along its edges",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "y = np.zeros((N, F, OH, OW), dtype=x.dtype)",
        {
            "y = np.zeros((N, F, OH, OW), dtype=int)": "WholeNumbersOnly",
            "y = np.zeros((N, F, OH, OW))": "The numbers are right, but their dtype is float64, not float32",
            "y = np.zeros((N, F, OW, OH), dtype=x.dtype)": "IndexError",
            "y = np.ones((N, F, OH, OW), dtype=x.dtype) * np.nan\n        OH = OH - 1": "y contains NaN",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "for n in range(N):",
        {
            "for n in range(N - 1):": "Of two pictures, only the second one is wrong",
            "for n in range(1):": "ReturnsAfterOnePicture",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "for i in range(OH):",
        {
            "for i in range(1, OH):": "your y[0, 0, 0, 1] depends on nothing in x and nothing in W and nothing in b; it should depend on x[0, 0, 0:2, 1:3] and W[0, 0, :, :] and b[0]",
            "for i in range(OH - 1):": "your y[0, 0, 1, 1] depends on nothing in x and nothing in W and nothing in b; it should depend on x[0, 0, 1:3, 1:3] and W[0, 0, :, :] and b[0]",
            "for i in range(OW):": "it should depend on x[",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "for k in range(KH):",
        {
            "for k in range(KH - 1):": "your y[0, 0, 1, 1] depends on x[0, 0, 1, 1:3] and W[0, 0, 0, :]; it should depend on x[0, 0, 1:3, 1:3] and W[0, 0, :, :]",
            "for k in range(1, KH):": "your y[0, 0, 1, 1] depends on x[0, 0, 2, 1:3] and W[0, 0, 1, :]; it should depend on x[0, 0, 1:3, 1:3] and W[0, 0, :, :]",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "        return y\n",
        {
            "        return y[0]\n": "y has too few axes: 3, not 4",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "F, _, KH, KW = self.W.shape\n        s, p = self.stride, self.padding\n        padded",
        {
            "_, F, KH, KW = self.W.shape\n        s, p = self.stride, self.padding\n        padded": "y has the wrong length along F",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "N, C, H, W = x.shape",
        {
            "N, C, W, H = x.shape": "ValueError",
            "N, H, W, C = x.shape": "ValueError",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "OW = (W + 2 * p - KW)",
        {
            "OW = (H + 2 * p - KH)": "TakesMapsToBeSquare",
            "OW = (W + 2 * p - KH)": "KernelHeightInTheCount",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "OH = (H + 2 * p - KH) // s + 1",
        {
            "OH = (H + 2 * p - KH) / s + 1": "TypeError",
            "OH = (H + 2 * p - KH) // s": "y has the wrong length along OH",
            "OH = H // s": "y has the wrong length along OH",
        },
    ),
    (
        "conv_forward",
        SCALARS,
        "self.stride, self.padding = stride, padding",
        {
            "self.stride, self.padding = padding, stride": "y has the wrong length along OH and OW",
            "self.stride, self.padding = stride, 0": "IgnoresThePadding",
            "self.stride, self.padding = 1, padding": "IgnoresTheStride",
        },
    ),
    (
        "conv_forward",
        WINDOWS,
        "top, left = i * s, j * s",
        {
            "top, left = i, j": "WindowsWithoutStride",
            "top, left = i * KH, j * KW": "WindowsEndToEnd",
            "top, left = j * s, i * s": "WindowsTransposed",
        },
    ),
    (
        "conv_forward",
        WINDOWS,
        "window = x_pad[n, :, top : top + KH, left : left + KW]",
        {
            "window = x_pad[n, :, top : top + s, left : left + s]": "your y[0, 0, 0, 0] depends on x[0, 0, 0, 0]; it should depend on x[0, 0, 0:2, 0:2]",
            "window = x[n, :, top : top + KH, left : left + KW]": "CutsWindowsOutOfX",
            "window = x_pad[n, 0, top : top + KH, left : left + KW]": "FirstChannelForAll",
            "window = x_pad[:, :, top : top + KH, left : left + KW]": "y is the same for every index along N",
            "window = x_pad[n, :, top : top + KH - 1, left : left + KW - 1]": "your y[0, 0, 0, 0] depends on x[0, 0, 0, 0]; it should depend on x[0, 0, 0:2, 0:2]",
        },
    ),
    (
        "conv_forward",
        WINDOWS,
        "np.sum(window * self.W[f]) + self.b[f]",
        {
            "np.sum(window * self.W[f] + self.b[f])": "BiasInEveryProduct",
            "np.mean(window * self.W[f]) + self.b[f]": "AveragesTheWindow",
            "np.max(window * self.W[f]) + self.b[f]": "your y[0, 0, 1, 1] depends on x[0, 0, 2, 2] and W[0, 0, 1, 1]; it should depend on x[0, 0, 1:3, 1:3] and W[0, 0, :, :]",
            "np.sum(window @ self.W[f].T) + self.b[f]": "in your y[0, 0, 1, 1], x[0, 0, 1, 1] counts 3 times; it should count once",
            "np.sum(window * self.W[f].T) + self.b[f]": "in your y[0, 0, 1, 1], x[0, 0, 1, 1] counts 3 times; it should count once",
            "np.sum(window * self.W[f][::-1, ::-1]) + self.b[f]": "Your result would be right if W were W[:, ::-1, ::-1]",
            "np.sum(window * np.rot90(self.W[f], 2)) + self.b[f]": "Your result would be right if W were W[:, ::-1, ::-1]",
            "np.sum(window * self.W[0]) + self.b[f]": "FirstFilterForAll",
            "np.sum(window) * self.W[f].sum() + self.b[f]": "Your result would be right if W were W.sum(axis=(1, 2, 3)), repeated",
        },
    ),
    (
        "conv_forward",
        WINDOWS,
        'np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="constant")',
        {
            'np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="reflect")': "Here, y is right inside and wrong along its edges",
        },
    ),
    (
        "conv_forward",
        WINDOWS,
        "return out",
        {
            "return out.squeeze()": "only the shape of y is wrong",
            "return out.tolist()": "It returned a list, not an array",
            "return None": "It returned None",
            "return out.T": "y has its axes in the order (OW, OH, N, F)",
            "return np.round(out)": "Every number is rounded to a whole one",
            "return out[:, ::-1]": "The numbers are right, but flipped along F",
        },
    ),
    (
        "conv_forward",
        WINDOWS,
        "out = np.zeros((N, F, out_h, out_w), dtype=x.dtype)",
        {
            "out = np.zeros_like(x)": "y has the wrong length along OH and OW",
            "out = np.zeros((N, F, out_h, out_w), dtype=np.float32)": "The numbers are right, but their dtype is float32, not float64",
            "self.W /= 2\n        out = np.zeros((N, F, out_h, out_w), dtype=x.dtype)": "Afterwards the layer has another W than before",
        },
    ),
    (
        "conv_forward",
        OFFSETS,
        "self.b[None, :, None, None]",
        {
            "self.b": "BiasAlongTheColumns",
            "self.b[:, None]": "it should depend on b[",
            "self.b.sum()": "SumOfTheBiases",
        },
    ),
    (
        "conv_forward",
        OFFSETS,
        "met, self.W[:, :, k, m])",
        {
            "met, self.W[:, :, m, k])": "TransposesTheKernel",
        },
    ),
    (
        "conv_forward",
        OFFSETS,
        '"ncij,fc->nfij"',
        {
            '"ncij,fd->nfij"': "Your result would be right if x were x.sum(axis=1), repeated",
            '"ncij,cf->nfij"': "ChannelsForFilters",
        },
    ),
    (
        "conv_forward",
        MATRICES,
        "self.W.reshape(F, -1).T",
        {
            "self.W.T.reshape(-1, F)": "in your y[0, 0, 0, 0], x[0, 0, 0, 1] counts 3 times; it should count 2 times",
            "self.W.reshape(-1, F)": "it should depend on W[",
        },
    ),
    (
        "conv_forward",
        MATRICES,
        "y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2)",
        {
            "y.reshape(N, F, OH, OW)": "TransposedAndReshaped",
            "y.T.reshape(N, F, OH, OW)": "MapsAtOnce",
            "y.reshape(N, OH, OW, F).transpose(0, 3, 2, 1)": "TransposesTheMap",
            "y.reshape(N, OH, OW, F)": "FiltersLast",
        },
    ),
    (
        "conv_dW",
        SCALARS,
        "+= g * self.padded[n, c, r, q]",
        {
            "= g * self.padded[n, c, r, q]": "LastWindowOfTheLastPicture",
            "+= g * self.padded[n, c, i + k, j + m]": "StrideMissingInDW",
            "+= g * self.padded[n, c, i * s + k, j + m]": "StrideOnRowsOnTheWayBack",
            "+= g * self.x[n, c, r, q]": "IndexError",
            "+= self.padded[n, c, r, q]": "IgnoresDy",
            "+= g": "IgnoresThePicture",
            "+= g * self.W[f, c, k, m]": "IgnoresThePicture + TimesTheWeights",
            "+= g * self.padded[n, c, r, q] / N": "DividesDWByTheBatch",
            "+= g * self.padded[n, c, r, q] / (N * OH * OW)": "AveragesDWOverEverything",
            "-= g * self.padded[n, c, r, q]": "Every number has the wrong sign",
            "+= g * self.padded[n, 0, r, q]": "dW is the same for every index along C",
            "+= g * self.padded[0, c, r, q]": "Your result would be right if x were x[:1], repeated",
            "+= g * self.padded[n, c, r, q] ** 2": "Your result would be right if x were x²",
            "+= g + self.padded[n, c, r, q]": "in your dW[0, 0, 1, 1], x[0, 0, 1, 2] counts once; it should count 10 times",
            "+= np.sign(g) * self.padded[n, c, r, q]": "Your result would be right if dy were np.sign(dy)",
            "+= g**2 * self.padded[n, c, r, q]": "Your result would be right if dy were dy²",
            "+= dy[n, f, OH - 1 - i, OW - 1 - j] * self.padded[n, c, r, q]": "FlipsDy",
            "+= dy[n, 0, i, j] * self.padded[n, c, r, q]": "dW is the same for every index along F",
            "+= g * self.padded[N - 1 - n, c, r, q]": "Your result would be right if x were x[::-1]",
            "+= 2 * g * self.padded[n, c, r, q]": "Every number is 2 times what it should be",
            "+= max(g, 0) * self.padded[n, c, r, q]": "Your result would be right if dy were np.maximum(dy, 0)",
        },
    ),
    (
        "conv_dW",
        SCALARS,
        "self.dW[f, c, k, m] +=",
        {
            "self.dW[f, c, KH - 1 - k, KW - 1 - m] +=": "FlipsDW",
            "self.dW[f, :, k, m] +=": "SumsTheChannels",
            "self.dW[:, c, k, m] +=": "SumsTheFilters",
            "self.dW[f, c] +=": "dW is the same for every index along KH",
            "self.dW[f, c, k, KW - 1 - m] +=": "The numbers are right, but flipped along KW",
        },
    ),
    (
        "conv_dW",
        SCALARS,
        "self.dW = np.zeros_like(self.W)",
        {
            "self.dW = getattr(self, 'dW', 0) + np.zeros_like(self.W)": "PilesUpDW",
            "self.dW = self.W": "Afterwards the layer has another W than before",
            "self.dW = np.zeros((C, F, KH, KW))": "IndexError",
            "self.dW = np.zeros(self.W.shape, int)": "dW has dtype int64: everything after the decimal point is lost",
            "self.dW = np.zeros(self.W.shape)": "The numbers are right, but their dtype is float64, not float32",
            "self.dW = np.ones_like(self.W)": "Every number is off by 1",
        },
    ),
    (
        "conv_dW",
        SCALARS,
        "g = dy[n, f, i, j]",
        {
            "g = dy[n, f, j, i]": "in your dW[0, 0, 0, 0], x[0, 0, 0, 1] counts 100 times; it should count 10 times",
            "g = dy[n, f].mean()": "Your result would be right if dy were dy.mean(axis=(2, 3)), repeated",
            "g = dy[n, f].sum()": "Your result would be right if dy were dy.sum(axis=(2, 3)), repeated",
            "dy[n, f, i, j] *= 2\n            g = dy[n, f, i, j]": "Your code changed dy in place",
            "g = dy[0, f, i, j]": "Your result would be right if dy were dy[:1], repeated",
        },
    ),
    (
        "conv_dW",
        SCALARS,
        "for n, f, i, j in np.ndindex(dy.shape):",
        {
            "for n, f, i, j in np.ndindex(1, F, OH, OW):": "FirstPictureOnly",
            "for n, f, i, j in np.ndindex(N, F, OH - 1, OW - 1):": "LastWindowSendsNothing",
        },
    ),
    (
        "conv_dW",
        WINDOWS,
        "dw[f] += dout[n, f, i, j] * x_pad[part]",
        {
            "dw[f] += dout[n, f, i, j] * np.rot90(x_pad[part], 2)": "The right numbers in the wrong places; none is lost",
            "dw[f] += dout[n, f, i, j] * x_pad[part].mean()": "dW is the same for every index along C",
            "dw[f] += dout[n, f, i, j] * x_pad[part] * self.W[f]": "TimesTheWeights",
            "dw[n] += dout[n, f, i, j] * x_pad[part]": "it should depend on x[",
            "dw[f] += dout[n, f] * x_pad[part]": "your dW[0, 0, 1, 1] depends on dy[0, 0, 1, 1]; it should depend on dy[0, 0, :, :]",
        },
    ),
    (
        "conv_dW",
        WINDOWS,
        "self.dW = dw",
        {
            "self.dw = dw": "Your Conv2D has no dW",
            "self.dW += dw": "AttributeError",
            "self.dW = dw / dout[0].size": "In each case all numbers are off by one factor, but it isn't always the same one",
            "self.dW = dw / dout.size": "Every number is divided by dy.size",
            "self.dW = dw.T": "dW has its axes in the order (KW, KH, F, C)",
            "self.dW = dw.sum(axis=0)": "dW has too few axes: 3, not 4",
            "self.dW = dw.reshape(F, -1)": "only the shape of dW is wrong",
            "self.dW = -0.1 * dw": "Every number is -0.1 times what it should be",
            "self.dW = dw / np.linalg.norm(dw)": "In each case all numbers are off by one factor, but it isn't always the same one",
            "self.dW = dw + 0.001 * self.W": "Every number is off by 0.001 times W",
            "self.dW = np.swapaxes(dw, 2, 3)": "TransposesDW",
            "self.dW = dw\n        self.W -= 0.1 * dw": "WalksWithW",
            "self.dW = dw.tolist()": "self.dW is a list, not an array",
            "self.dW = dw[:, ::-1]": "The numbers are right, but flipped along C",
            "return dw": "Your Conv2D has no dW",
            "self.dW = dw * (self.W > 0)": "dW is wrong only",
        },
    ),
    (
        "conv_dW",
        WINDOWS,
        "x, x_pad = self.cache",
        {
            "x, _ = self.cache\n        x_pad = x": "ValueError",
            "x, x_pad = self.cache\n        dout *= dout > 0": "Your code changed dy in place",
            "x, x_pad = self.cahce": "AttributeError",
        },
    ),
    (
        "conv_dW",
        WINDOWS,
        "self.cache = x, x_pad",
        {
            "self.cache = x, out": "ValueError",
            "Conv2D.cache = x, x_pad": "SharesItsMemory",
            "if not hasattr(self, 'cache'):\n            self.cache = x, x_pad": "KeepsTheFirstBatch",
        },
    ),
    (
        "conv_dW",
        OFFSETS,
        'np.einsum("nfij,ncij->fc", dy, self.xp[read])',
        {
            'np.einsum("nfij,ncij->nfc", dy, self.xp[read])[-1]': "LastPictureOnly",
            'np.einsum("nfij,mcij->fc", dy, self.xp[read])': "Your result would be right if x were x.sum(axis=0), repeated",
            'np.einsum("nfij,nckl->fc", dy, self.xp[read])': "Your result would be right if dy were dy.sum(axis=(2, 3)), repeated",
        },
    ),
    (
        "conv_dW",
        OFFSETS,
        "self.dW[:, :, k, m] = np",
        {
            "self.dW[:, :, m, k] = np": "TransposesDW",
        },
    ),
    (
        "conv_dW",
        MATRICES,
        "(rows.T @ self.columns).reshape(self.W.shape)",
        {
            "rows.T @ self.columns": "only the shape of dW is wrong",
            "(rows.T @ self.columns).reshape(self.W.shape[::-1])": "only the shape of dW is wrong",
        },
    ),
    (
        "conv_dW",
        MATRICES,
        "rows = dy.transpose(0, 2, 3, 1).reshape(-1, F)",
        {
            "rows = dy.reshape(-1, F)": "ColumnsAtOnce",
            "rows = dy.transpose(0, 3, 2, 1).reshape(-1, F)": "in your dW[0, 0, 0, 0], x[0, 0, 0, 1] counts 100 times; it should count 10 times",
        },
    ),
    (
        "conv_db",
        WINDOWS,
        "np.sum(dout, axis=(0, 2, 3))",
        {
            "np.sum(dout)": "OneDbForAll",
            "np.sum(dout, axis=0)": "DbForEachPlace",
            "np.sum(dout, axis=(2, 3))": "DbForEachPicture",
            "np.sum(dout, axis=(0, 1, 2))": "DbForEachColumn",
            "np.sum(dout, axis=(1, 2, 3))": "DbOfThePictures",
            "np.mean(dout, axis=(0, 2, 3))": "AveragesDb",
            "np.sum(dout, axis=(0, 2, 3), keepdims=True)": "DbKeepsItsAxes",
            "np.sum(dout, axis=(0, 2, 3))[:, None]": "DbAsAColumn",
            "np.sum(dout, axis=(0, 2, 3)) / len(dout)": "DividesDbByTheBatch",
            "np.sum(dout, axis=(0, 2, 3)) * self.b": "TimesTheBias",
            "np.ones_like(self.b)": "DbOfOnes",
            "dout": "What comes out is dy, just as it came in",
            "np.sum(dout, axis=(0, 2))": "db has too many axes: 2, not 1",
            "np.sum(dout, axis=(0, 3))[:, 0]": "it should depend on dy[",
            "dout[0].sum(axis=(1, 2))": "DbOfTheFirstPicture",
            "dout[-1].sum(axis=(1, 2))": "DbOfTheLastPicture",
            "-np.sum(dout, axis=(0, 2, 3))": "Every number has the wrong sign",
            "np.sum(dout, axis=(0, 2, 3)).tolist()": "self.db is a list, not an array",
            "np.sum(dout, axis=(0, 2, 3))[::-1]": "The numbers are right, but flipped along F",
            "np.zeros_like(self.b)": "db is 0 everywhere",
            "np.sum(np.abs(dout), axis=(0, 2, 3))": "Your result would be right if dy were abs(dy)",
            "np.sum(dout**2, axis=(0, 2, 3))": "Your result would be right if dy were dy²",
            "np.sum(dout, axis=(0, 2, 3)).astype(np.float32)": "The numbers are right, but their dtype is float32, not float64",
            "np.sum(dout, axis=(0, 2, 3)).astype(int)": "db has dtype int64: everything after the decimal point is lost",
            "np.sum(dout, axis=(0, 2, 3)) * self.W[0].size": "DbForEachProduct",
            "np.sum(x, axis=(0, 2, 3))": "db has the wrong length along F",
            "np.sum(dout, axis=(0, 2, 3)) + self.b": "Every number is off by 1 times b",
            "np.full(self.b.shape, np.sum(dout))": "db is the same for every index along F",
            "0": "self.db is an int, not an array",
            "None": "self.db is None after backward",
            "np.full_like(self.b, dout[:, 0].size)": "CountsTheOutputs",
            "getattr(self, 'db', 0) + np.sum(dout, axis=(0, 2, 3))": "PilesUpDb",
            "np.sum(np.maximum(dout, 0), axis=(0, 2, 3))": "Your result would be right if dy were np.maximum(dy, 0)",
            "2 * np.sum(dout, axis=(0, 2, 3))": "Every number is 2 times what it should be",
        },
    ),
    (
        "conv_db",
        WINDOWS,
        "self.db = np.sum",
        {
            "db = np.sum": "Your Conv2D has no db",
            "self.b = np.sum": "Your Conv2D has no db",
        },
    ),
    (
        "conv_db",
        SCALARS,
        "self.db[f] += g",
        {
            "self.db += g": "db is the same for every index along F",
            "self.db[f] += C * g": "DbForEachChannel",
        },
    ),
    (
        "conv_db",
        SCALARS,
        "self.db = np.zeros_like(self.b)",
        {
            "self.db = self.b": "Afterwards the layer has another b than before",
            "self.db = np.ones_like(self.b)": "Every number is off by 1",
            "self.db = np.zeros(F, int)": "db has dtype int64: everything after the decimal point is lost",
        },
    ),
    (
        "conv_dx",
        SCALARS,
        "dpadded[n, c, r, q] += g * self.W[f, c, k, m]",
        {
            "dpadded[n, c, r, q] = g * self.W[f, c, k, m]": "OverwritesWindowsAndFilters",
            "dpadded[n, c, i + k, j + m] += g * self.W[f, c, k, m]": "StrideMissingInDx",
            "dpadded[n, c, i * s + k, j + m] += g * self.W[f, c, k, m]": "StrideOnRowsOnTheWayBack",
            "dpadded[n, c, r, q] += g * self.W[f, c, KH - 1 - k, KW - 1 - m]": "UpsideDownKernel",
            "dpadded[n, c, r, q] += g * self.W[f, c, -k, -m]": "DxThroughWeightsFromTheEnd",
            "dpadded[n, c, r, q] += g * self.W[f, c, k, KW - 1 - m]": "LeftForRight",
            "dpadded[n, c, r, q] += g": "IgnoresTheWeightsInDx",
            "dpadded[n, c, r, q] += self.W[f, c, k, m]": "IgnoresDyInDx",
            "dpadded[n, c, r, q] += g * self.W[f, 0, k, m]": "dx is the same for every index along C",
            "dpadded[n, :, r, q] += g * self.W[f, c, k, m]": "SameForEveryChannel",
            "dpadded[0, c, r, q] += g * self.W[f, c, k, m]": "AllIntoTheFirstPicture",
            "dpadded[:, c, r, q] += g * self.W[f, c, k, m]": "dx is the same for every index along N",
            "dpadded[n, c, i * s - k, j * s - m] += g * self.W[f, c, k, m]": "your dx[0, 0, 0, 0] depends on W[0, 0, :, :] and dy[0, 0, :, :]; it should depend on W[0, 0, 0, 0] and dy[0, 0, 0, 0]",
            "dpadded[n, c, i * s, j * s] += g * self.W[f, c, k, m]": "your dx[0, 0, 1, 1] depends on dy[0, 0, 1, 1]; it should depend on dy[0, 0, :, :]",
            "dpadded[n, c, r, q] -= g * self.W[f, c, k, m]": "Every number has the wrong sign",
            "dpadded[n, c, r, q] += g * self.W[f, c, k, m] / N": "DividesDxByTheBatch",
            "dpadded[n, c, r, q] += g * self.W[f, c, k, m] + self.b[f]": "here, your dx depends on b, and should not",
            "dpadded[n, c, r, q] += g * self.W[f, c, k, m] * self.padded[n, c, r, q]": "TimesThePicture",
            "dpadded[n, c, r, q] += g / self.W[f, c, k, m]": "Your result would be right if W were 1 / W",
            "dpadded[n, c, r, q] += g * self.W[0, c, k, m]": "Your result would be right if W were W[:1], repeated",
            "dpadded[n, c, r, q] = max(dpadded[n, c, r, q], g * self.W[f, c, k, m])": "your dx[0, 0, 2, 1] depends on W[0, 0, 1, 0] and dy[0, 0, 1, 1]; it should depend on W[0, 0, 1, :] and dy[0, 0, 1, :]",
            "dpadded[n, c, r, q] += g * abs(self.W[f, c, k, m])": "Your result would be right if W were abs(W)",
        },
    ),
    (
        "conv_dx",
        SCALARS,
        "return dpadded[:, :, p : p + H, p : p + W]",
        {
            "return dpadded": "StillPadded",
            "return dpadded[:, :, p:-p, p:-p]": "EmptyWithoutPadding",
            "return dpadded[:, :, :H, :W]": "CutInTheCorner",
            "return dpadded[:, :, p : p + H, p : p + H]": "HeightForWidth",
            "return dpadded[:, :, p:H, p:W]": "dx has the wrong length along H and W",
            "return dpadded[:, :, 2 * p :, 2 * p :]": "Here, everything is moved by -1 along H and -1 along W",
            "return dpadded.reshape(self.x.shape)": "ValueError",
            "return dpadded[:, p : p + C, p : p + H, p : p + W]": "dx has the wrong length along C",
            "return dpadded[:, :, p : p + H, p : p + W].transpose(0, 1, 3, 2)": "as if the axes came in the order (N, C, W, H)",
            "return dpadded[:, :, p : p + H, p : p + W] / (KH * KW)": "In each case all numbers are off by one factor, but it isn't always the same one",
            "return dpadded[:, :, p : p + H, p : p + W], self.dW, self.db": "the one at index 0 is the right dx",
            "return self.dW": "dx has the wrong length along H and W",
            "return dy": "What comes out is dy, just as it came in",
            "return None": "NoDx",
            "return np.zeros_like(self.x)": "CutsTheGraph",
            "return dpadded[:, :, p : p + H, p : p + W].astype(np.float32)": "The numbers are right, but their dtype is float32, not float64",
            "return dpadded[:, :, p : p + H, p : p + W].sum(axis=1, keepdims=True)": "dx has the wrong length along C",
            "return dpadded[:, :, p : p + H, p : p + W].mean(axis=0)": "dx has too few axes: 3, not 4",
            "return dpadded[:, :, p : p + H, p : p + W] * (self.x > 0)": "dx is wrong only",
            "return np.ones_like(self.x)": "dx is 1 everywhere",
            "return dpadded[:, :, p : p + H, p : p + W] - 0.1": "Every number is off by -0.1",
            "return dpadded[:, ::-1, p : p + H, p : p + W]": "The numbers are right, but flipped along C",
            "return dpadded[::-1, :, p : p + H, p : p + W]": "The pictures of the batch come out in reverse order",
        },
    ),
    (
        "conv_dx",
        SCALARS,
        "dpadded = np.zeros_like(self.padded)",
        {
            "dpadded = self.padded": "here, your dx depends on x, and should not",
            "dpadded = np.zeros((N, C, (OH - 1) * s + KH, (OW - 1) * s + KW))": "LosesTheRest",
            "dpadded = np.zeros_like(self.padded, dtype=int)": "dx has dtype int64: everything after the decimal point is lost",
            "dpadded = np.zeros_like(self.x)": "IndexError",
        },
    ),
    (
        "conv_dx",
        WINDOWS,
        "dx_pad[part] += dout[n, f, i, j] * self.W[f]",
        {
            "dx_pad[part] += dout[n, f, i, j] * x_pad[part]": "IgnoresTheWeightsInDx + TimesThePicture",
            "dx_pad[part] += dout[n, f, i, j] * np.rot90(self.W[f], 2)": "Your result would be right if W were W[:, ::-1, ::-1]",
            "dx_pad[part] += dout[n, f, i, j] * self.W[f].mean()": "Your result would be right if W were W.mean(axis=(1, 2, 3)), repeated",
            "dx_pad[part] += dout[n, f, i, j] * self.W": "ValueError",
            "dx_pad[part] += dout[n, f, -i, -j] * self.W[f]": "it should depend on dy[",
        },
    ),
    (
        "conv_dx",
        WINDOWS,
        "for n, f in np.ndindex(N, F):",
        {
            "for n, f in np.ndindex(N, F):\n            dx_pad[:n] = 0": "OnlyTheLastPicture",
            "for n, f in np.ndindex(N - 1, F):": "Of two pictures, only the second one is wrong",
        },
    ),
    (
        "conv_dx",
        WINDOWS,
        "self.dW = dw",
        {
            "self.dW = dw\n        self.W -= 0.01 * dw\n        self.b = self.b - 0.01 * self.db": "WalksItself",
        },
    ),
    (
        "conv_dx",
        OFFSETS,
        "dxp[read] += np.einsum",
        {
            "dxp[read] = np.einsum": "OverwritesOverlaps",
        },
    ),
    (
        "conv_dx",
        OFFSETS,
        "dy, self.W[:, :, k, m])",
        {
            "dy, self.W[:, :, m, k])": "KernelOnItsSide",
            "dy, self.W[:, :, 0, 0])": "your dx[0, 0, 2, 2] depends on W[0, 0, 0, 0]; it should depend on W[0, 0, 1, 1]",
        },
    ),
    (
        "conv_dx",
        OFFSETS,
        '"nfij,fc->ncij"',
        {
            '"nfij,cf->ncij"': "ChannelsForFiltersInDx",
            '"nfij,gc->ncij"': "Your result would be right if W were W.sum(axis=0), repeated",
        },
    ),
    (
        "conv_dx",
        MATRICES,
        "turned = np.rot90(self.W, 2, axes=(2, 3))",
        {
            "turned = np.rot90(self.W, 2)": "TurnsFiltersAndChannels",
            "turned = self.W[:, :, ::-1]": "LeftForRight",
            "turned = self.W[::-1, ::-1, ::-1, ::-1]": "TurnsAllAxes",
            "turned = np.rot90(self.W, 1, axes=(2, 3))": "QuarterTurnBack",
            "self.W = turned = np.rot90(self.W, 2, axes=(2, 3))": "BackwardChangesW",
            "turned = self.W.swapaxes(2, 3)": "your dx[0, 0, 2, 2] depends on W[0, 0, 0, 0]; it should depend on W[0, 0, 1, 1]",
        },
    ),
    (
        "conv_dx",
        MATRICES,
        "((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1))",
        {
            "((0, 0), (0, 0), (KH, KH), (KW, KW))": "your dx[0, 0, 2, 1] depends on W[0, 0, :, 0] and dy[0, 0, :, 0]; it should depend on W[0, 0, 1, :] and dy[0, 0, 1, :]",
            "((0, 0), (0, 0), (KW - 1, KW - 1), (KH - 1, KH - 1))": "dx has the wrong length along W",
            "((0, 0), (0, 0), (0, 2 * KH - 2), (0, 2 * KW - 2))": "your dx[0, 0, 2, 2] depends on nothing in W and nothing in dy; it should depend on W[0, 0, 1, 1] and dy[0, 0, 1, 1]",
        },
    ),
    (
        "conv_dx",
        MATRICES,
        '"nfijkl,fckl->ncij"',
        {
            '"nfijkl,fcmn->ncij"': "dx has the wrong length along N",
            '"nfijkl,fckl->cnij"': "dx has its axes in the order (C, N, H, W)",
        },
    ),
]

SIZES = {
    "(size - kernel_size + padding) // stride + padding": "Each wrong result is off by -1",
    "(size + 2 * padding) // (kernel_size * stride)": "output_size is wrong",
    "(size + 2 * padding - kernel_size) // (stride + 1)": "output_size is wrong",
    "(size + 2 * padding - kernel_size // 2) // stride + 1": "output_size is wrong",
    "(size + 2 * padding + kernel_size) // stride + 1": "output_size is wrong",
    "(size - 2 * padding - kernel_size) // stride + 1": "right with padding 0, wrong with",
    "int((size + 2 * padding - kernel_size) / stride + 1.5)": "off by +1",
    "(size + 2 * padding - kernel_size) * stride + 1": "wrong only with stride 2 or more",
    "(size + 2 * padding - kernel_size) // stride + 2": "Each wrong result is off by +1",
    "(size + 2 * padding - kernel_size) // stride + stride": "right with stride 1, wrong with",
    "-((size + 2 * padding - kernel_size) // stride + 1)": "Every number has the wrong sign",
    "size // stride": "output_size is wrong",
    "None": "It returned None",
    "str(size)": "It returned a str, not a number",
    "np.array([size])": "too many axes",
}
SIDES = "((0, 0), (0, 0), (padding, padding), (padding, padding))"
PADS = {
    "x": "What comes out is x, just as it came in",
    "x + padding": "wrong length along H and W",
    f"0 * np.pad(x, {SIDES})": "result is 0 everywhere",
    f"np.pad(x, {SIDES}, mode='wrap')": "right inside and wrong along its edges",
    f"np.pad(x, {SIDES}, mode='mean')": "right inside and wrong along its edges",
    f"np.pad(x, {SIDES}, constant_values=-1)": "right inside and wrong along its edges",
    f"np.pad(x, {SIDES}, constant_values=np.nan)": "result contains NaN",
    f"np.pad(x, {SIDES}).astype(int)": "the decimal point is lost",
    f"np.pad(x, {SIDES}).transpose(0, 1, 3, 2)": "axes came in the order (N, C, W, H)",
    f"np.pad(x[..., ::-1], {SIDES})": "flipped along W",
    f"np.pad(x, {SIDES}).tolist()": "It returned a list, not an array",
    f"np.pad(x[:1], {SIDES})": "wrong length along N",
    f"np.pad(x / 255, {SIDES})": "times what it should be",
    f"np.pad(np.maximum(x, 0), {SIDES})": "Numbers below 0 have become 0",
    f"np.pad(x, {SIDES})[:, :, padding:-padding, padding:-padding]": "wrong length along H and W",
    "np.pad(x, ((0, 0), *[(padding, padding)] * 3))": "wrong length along C",
    "np.pad(x, ((padding, padding), (padding, padding), (0, 0), (0, 0)))": "wrong length along N and C",
}


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("name", LAYER_CHECKS)
def test_right_layers_of_every_kind_pass_the_check(name, source):
    assert getattr(check, name).failure(written(source)) is None


@pytest.mark.parametrize(
    "size",
    [
        "(size + 2 * padding - kernel_size) // stride + 1",
        "(size + 2 * padding - kernel_size + stride) // stride",
        "len(range(0, size + 2 * padding - kernel_size + 1, stride))",
        "int((size + 2 * padding - kernel_size) / stride) + 1",
        "int(np.floor((size + 2 * padding - kernel_size) / stride + 1))",
        "np.int64((size + 2 * padding - kernel_size) // stride + 1)",
    ],
)
def test_right_sizes_of_every_kind_pass_the_check(size):
    assert check.output_size.failure(function("size, kernel_size, stride, padding", size)) is None


@pytest.mark.parametrize(
    "padded",
    [f"np.pad(x, {SIDES})", f"np.pad(x, {SIDES}) if padding else x"],
)
def test_right_pads_of_every_kind_pass_the_check(padded):
    assert check.pad.failure(function("x, padding", padded)) is None


def function(parameters, result):
    return eval(f"lambda {parameters}: {result}", {"np": np})


def test_the_example_of_the_statement_is_the_first_case():
    layer = layers.Conv2D(1, 1, 2)
    layer.W, layer.b = BY_HAND["W"], BY_HAND["b"]
    assert layer.forward(BY_HAND["x"]).tolist() == [[[[137, 147], [167, 177]]]]
    dx = layer.backward(BY_HAND["dy"])
    assert layer.dW.tolist() == [[[[5421, 6532], [8754, 9865]]]]
    assert layer.db.tolist() == [1111]
    assert dx.tolist() == [[[[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]]]]
    for name in LAYER_CHECKS:
        first = next(iter(getattr(check, name).cases()))
        assert np.array_equal(first.inputs["x"], BY_HAND["x"])


@pytest.mark.parametrize("name", LAYER_CHECKS)
def test_the_cases_are_of_every_kind(name):
    cases = list(getattr(check, name).cases())
    for trait in cases[0].traits:
        assert len({case.traits[trait] for case in cases}) == 2, trait
    shapes = [case.inputs["x"].shape + case.inputs["W"].shape for case in cases]
    assert any(len({N, C, H, W, F, KH, KW}) == 7 for N, C, H, W, F, _, KH, KW in shapes)
    assert {case.inputs["x"].dtype for case in cases} == {np.dtype("f4"), np.dtype("f8")}
    assert any(not case.inputs["x"].flags.c_contiguous for case in cases)
    paddings = {case.note.partition("padding ")[2][0] for case in cases}
    assert paddings == {"0", "1", "2"}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "source", "old", "new", "expected"),
    [
        pytest.param(name, source, old, new, expected, id=f"{name}-{number}")
        for number, (name, source, old, changes) in enumerate(WRONG)
        for new, expected in changes.items()
    ],
)
def test_what_is_said_of_a_wrong_layer(name, source, old, new, expected):
    forward = name == "conv_forward" or "self.cache =" in old
    wrong = changed(source, old, new, "__init__" if forward else "backward")
    failure = getattr(check, name).failure(written(wrong))
    assert failure is not None, "passes the check"
    if expected in vars(misconceptions.conv) or " + " in expected:
        assert failure.misconception.__name__ == expected, words(failure)
    else:
        assert failure.misconception is None, f"taken for {failure.misconception}"
        assert expected in words(failure)


@pytest.mark.parametrize(("size", "expected"), SIZES.items(), ids=SIZES)
def test_what_is_said_of_a_wrong_size(size, expected):
    failure = check.output_size.failure(function("size, kernel_size, stride, padding", size))
    assert failure.misconception is None, f"taken for {failure.misconception}"
    assert expected in words(failure)


@pytest.mark.parametrize(("padded", "expected"), PADS.items(), ids=PADS)
def test_what_is_said_of_a_wrong_pad(padded, expected):
    failure = check.pad.failure(function("x, padding", padded))
    assert failure.misconception is None, f"taken for {failure.misconception}"
    assert expected in words(failure)


# Two mistakes at once, in whatever style they are written.
PAIRS = [
    ("conv_dx", SCALARS, {"dpadded[n, c, r, q] +=": "dpadded[n, c, r, q] =", "dpadded[:, :, p : p + H, p : p + W]": "dpadded"}, "OverwritesWindowsAndFilters + StillPadded"),
    ("conv_dx", WINDOWS, {"dx_pad[part] +=": "dx_pad[part] =", "dx_pad[:, :, p : H + p, p : W + p]": "dx_pad[:, :, p:-p, p:-p]"}, "OverwritesWindowsAndFilters + EmptyWithoutPadding"),
    ("conv_dx", WINDOWS, {"dout[n, f, i, j] * self.W[f]": "dout[n, f, i, j] * self.W[f, :, ::-1, ::-1]", "slice(i * s, i * s + KH), slice(j * s, j * s + KW)": "slice(i, i + KH), slice(j, j + KW)"}, "StrideMissingInDx + UpsideDownKernel"),
    ("conv_dx", MATRICES, {"np.rot90(self.W, 2, axes=(2, 3))": "self.W", "p : p + H, p : p + W]": "p : p + H, p : p + W] / N"}, "UpsideDownKernel + DividesDxByTheBatch"),
    ("conv_dW", WINDOWS, {"dw[f] +=": "dw[f] =", "slice(i * s, i * s + KH), slice(j * s, j * s + KW)": "slice(i, i + KH), slice(j, j + KW)"}, "StrideMissingInDW + LastWindowOfTheLastPicture"),
    ("conv_dW", WINDOWS, {"slice(i * s, i * s + KH), slice(j * s, j * s + KW)": "slice(i, i + KH), slice(j, j + KW)", "self.dW = dw": "self.dW = dw / N"}, "StrideMissingInDW + DividesDWByTheBatch"),
    ("conv_dW", OFFSETS, {'np.einsum("nfij,ncij->fc", dy, self.xp[read])': 'np.einsum("nfij,ncij->fc", -dy, self.xp[read]) / N'}, "DividesDWByTheBatch + MinusDW"),
    ("conv_db", WINDOWS, {"np.sum(dout, axis=(0, 2, 3))": "-np.sum(dout, axis=(0, 2, 3), keepdims=True)"}, "DbKeepsItsAxes + MinusDb"),
    ("conv_forward", SCALARS, {"padded[n, c, i * s + k, j * s + m]": "padded[n, c, i + k, j + m]", "total + self.b[f]": "total"}, "ForgetsTheBias + WindowsWithoutStride"),
    ("conv_forward", OFFSETS, {"self.W[:, :, k, m])": "self.W[:, :, -1 - k, -1 - m])", "self.b[None, :, None, None]": "self.b"}, "BiasAlongTheColumns + FlipsTheKernel"),
]  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "source", "changes", "expected"), PAIRS, ids=[pair[-1] for pair in PAIRS]
)
def test_two_mistakes_at_once_are_both_named(name, source, changes, expected):
    for old, new in changes.items():
        source = changed(source, old, new, "__init__" if name == "conv_forward" else "backward")
    failure = getattr(check, name).failure(written(source))
    assert failure.misconception.__name__ == expected, words(failure)
    for one in failure.misconception.all:
        assert one.says.split(". ")[0] in words(failure)
        assert " ".join(one.hint.split()) in words(failure)


# One part after the other


def untouched(source, *parts):
    """Of a right layer, with the parts of backward in the order dW, db, dx, only some are written."""
    start = source.index("    def backward")
    lines = {
        "dW": "        self.dW = result_dW\n",
        "db": "        self.db = result_db\n",
        "dx": "        return result_dx\n",
    }
    stop = "        raise NotImplementedError\n"
    helper = source[start:].replace("def backward", "def right")
    body = "".join(lines[part] if part in parts else stop for part in lines)
    return (
        source[:start]
        + helper.replace("self.", "other.").replace("right(self,", "right(other,")
        + "\n    def backward(self, dy):\n"
        + "        import copy\n\n        other = copy.copy(self)\n"
        + "        result_dx = Conv2D.right(other, dy)\n"
        + "        result_dW, result_db = other.dW, other.db\n"
        + body
    )


def test_what_is_finished_passes_while_the_rest_is_not_written():
    states = [(), ("dW",), ("dW", "db"), ("dW", "db", "dx")]
    for parts in states:
        layer = written(untouched(OFFSETS, *parts))
        for name in ("dW", "db", "dx"):
            failure = getattr(check, f"conv_{name}").failure(layer)
            assert (failure is None) == (name in parts)
            assert failure is None or isinstance(failure, check.NotWritten)


def test_a_gradient_left_from_another_backward_is_not_taken_for_this_ones():
    source = OFFSETS.replace(
        "        OH, OW = dy.shape[2:]\n",
        "        OH, OW = dy.shape[2:]\n        if hasattr(self, 'dW'):\n            raise KeyError('twice')\n",
    )
    failure = check.conv_dW.failure(written(source))
    assert isinstance(failure, check.Crashed)
    assert "KeyError: 'twice'" in words(failure)


def test_without_forward_the_gradients_wait_for_it():
    source = changed(
        WINDOWS, "x_pad = np", "raise NotImplementedError\n        x_pad = np", "__init__"
    )
    for name in LAYER_CHECKS:
        assert isinstance(getattr(check, name).failure(written(source)), check.NotWritten)
    assert "Conv2D.forward" in str(check.conv_dx.failure(written(source)))


# Bug hunts


def arrays(*shapes):
    """Different whole numbers in each array."""
    rng = np.random.default_rng(0)
    return tuple(rng.permutation(np.prod(shape)).reshape(shape) + 1.0 for shape in shapes)


@pytest.mark.parametrize(
    ("hunt", "witness"),
    [
        (check.conv_hunt_1, ([[[[0, 0, 0]]]], [[[[0, 0, 7]]]], [[[[-3]]]])),
        (check.conv_hunt_2, ([[[[0, 0], [0, 0], [0, 0]]]], [[[[0]]]])),
        (check.conv_hunt_3, ([[[[0, 0], [0, 0], [0, 5]]]], [[[[0], [2]]]])),
    ],
)
def test_arrays_chosen_with_care_show_each_patient(hunt, witness):
    assert hunt.failure(lambda: with_expected(hunt, witness)) is None


@pytest.mark.parametrize(
    ("hunt", "witness"),
    [
        (check.conv_hunt_1, (np.ones((1, 1, 2, 3)), np.ones((1, 1, 2, 2)), np.ones((1, 1, 1, 2)))),
        (check.conv_hunt_1, arrays((1, 2, 1, 3), (2, 2, 1, 1), (1, 2, 1, 3))),
        (check.conv_hunt_2, arrays((1, 1, 2, 2), (1, 1, 1, 1))),
        (check.conv_hunt_3, (*arrays((1, 1, 2, 3)), np.ones((1, 1, 1, 2)))),
    ],
)
def test_what_the_patients_authors_tried_shows_nothing(hunt, witness):
    assert "The patient passes your test" in words(
        hunt.failure(lambda: with_expected(hunt, witness))
    )


def test_a_dy_of_another_shape_is_no_witness():
    witness = (*arrays((1, 1, 2, 3), (1, 1, 2, 3)), 0)
    assert "Not even a right layer" in words(check.conv_hunt_3.failure(lambda: witness))


def test_no_patient_gives_itself_away():
    for hunt in (check.conv_hunt_1, check.conv_hunt_2, check.conv_hunt_3):
        assert repr(hunt.patient(1, 1, 2)).startswith("Patient(")
