"""The layers for training: what `cnnlib.layers` computes, several times faster.

They are used as those of `cnnlib.layers` are, whose docstrings hold here too, and arrays go in and
come out as (N, C, H, W). In memory, though, images lie as (H, C, W, N): ``forward`` and ``backward``
return a transposed view, the next layer turns it back for free, and ReLU keeps the order that it
finds, so a whole network stays in it. Two things make this order quick. The values of a row, of all
images, are neighbours, so every step works on long runs of memory, even for a single image. And rows
below each other, with all their channels, are neighbours too: what a row of windows reads is a matrix
that needs no copying.

Examples
--------
>>> x = np.random.default_rng(0).normal(size=(32, 3, 8, 8))
>>> for kind, settings in [(Conv2D, (3, 5, 3)), (MaxPool2D, (2,)), (AvgPool2D, (2,)), (Flatten, ())]:
...     fast, plain = kind(*settings), getattr(layers, kind.__name__)(*settings)
...     if kind is Conv2D:
...         fast.W = plain.W
...     print(fast, np.allclose(fast.forward(x), plain.forward(x)))
Conv2D(3, 5, kernel_size=(3, 3), stride=1, padding=0) True
MaxPool2D(kernel_size=(2, 2), stride=(2, 2)) True
AvgPool2D(kernel_size=(2, 2), stride=(2, 2)) True
Flatten() True
"""

import itertools
import math

import numpy as np

from cnnlib import layers
from cnnlib.layers import ReLU

__all__ = ["AvgPool2D", "Conv2D", "Dense", "Flatten", "MaxPool2D", "ReLU"]


class Conv2D(layers.Conv2D):
    def forward(self, x):
        x = self._image(x, self.in_channels)
        (N, C, H, W), (KH, KW), s, p = x.shape, self.kernel_size, self.stride, self.padding
        OH, OW = self._output_size(H + 2 * p, W + 2 * p)
        x_padded = x_inside = _inside(x)
        if p:
            x_padded = np.zeros((H + 2 * p, C, W + 2 * p, N), x.dtype)
            x_padded[p : p + H, :, p : p + W] = x_inside
        # In place of each row: what its windows read at their first column, at their second, ….
        reads = np.empty((H + 2 * p, KW, C, OW, N), x.dtype)
        for j in range(KW):
            reads[:, j] = x_padded[:, :, j : j + OW * s : s]
        self.columns = _stacked(reads.reshape(H + 2 * p, KW * C, OW * N), KH, s)
        kernels = self._kernels(x.dtype).transpose(0, 2, 3, 1).reshape(-1, KH * KW * C)
        y = kernels @ self.columns
        y += np.asarray(self.b, x.dtype)[:, None]
        y = _outside(y.reshape(OH, self.out_channels, OW, N))
        self._remember(x, y)
        return y

    def _weight_gradients(self, dy):
        dy = _inside(self._upstream(dy))
        OH, F, OW, N = dy.shape
        dy = dy.reshape(OH, F, OW * N)
        self.db = dy.sum(axis=0).sum(axis=1)
        dW = (self.columns @ dy.swapaxes(1, 2)).sum(axis=0)
        self.dW = dW.reshape(*self.kernel_size, self.in_channels, F).transpose(3, 2, 0, 1)
        return dy

    def backward(self, dy):
        dy = self._weight_gradients(dy)
        (N, C, H, W), (_, F, OH, OW) = self.x_shape, self.y_shape
        (KH, KW), s, p = self.kernel_size, self.stride, self.padding
        # The same road back. Row r of x_padded was read by the last row of the kernel in the windows
        # that begin at r − KH + 1, …, and by its first row in those that begin at r.
        begins = np.zeros((H + 2 * p + KH - 1, F, OW * N), dy.dtype)
        begins[KH - 1 : KH - 1 + OH * s : s] = dy
        kernels = self._kernels(dy.dtype)[:, :, ::-1].transpose(3, 1, 2, 0)
        dreads = kernels.reshape(KW * C, KH * F) @ _stacked(begins, KH, 1)[p : p + H]
        dreads = dreads.reshape(H, KW, C, OW, N)
        dx = np.zeros((H, C, W + 2 * p, N), dy.dtype)
        for j in range(KW):
            dx[:, :, j : j + OW * s : s] += dreads[:, j]
        return _outside(dx[:, :, p : p + W])

    backward.weights_only = _weight_gradients


class MaxPool2D(layers.MaxPool2D):
    def forward(self, x):
        x = self._image(x)
        # Copies, since each is read twice, and a view that leaves out pixels is slow to read.
        y, *others = [each.copy() for each in _places(self, _inside(x))]
        self.winner = np.zeros(y.shape, np.min_scalar_type(len(others)))
        for k, other in enumerate(others, start=1):
            larger = (other > y).view(np.uint8) * self.winner.dtype.type(k)
            np.maximum(self.winner, larger, out=self.winner)
            np.maximum(y, other, out=y)
        y = _outside(y)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = _inside(self._upstream(dy))
        places = range(math.prod(self.kernel_size))
        # Where it lost, dy · False: np.where takes ten times as long.
        return _spread(self, (dy * (self.winner == k) for k in places))


class AvgPool2D(layers.AvgPool2D):
    def forward(self, x):
        x = self._image(x)
        y = _outside(sum(_places(self, _inside(x))) / math.prod(self.kernel_size))
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = _inside(self._upstream(dy))
        return _spread(self, itertools.repeat(dy / math.prod(self.kernel_size)))


class Flatten(layers.Flatten):
    """Leaves the images side by side in memory: y is the transposed view of (C·H·W, N)."""

    def forward(self, x):
        x = np.asarray(x)
        if x.ndim < 2:
            return super().forward(x)  # which refuses it
        y = x.transpose(*range(1, x.ndim), 0).reshape(math.prod(x.shape[1:]), len(x)).T
        self._remember(x, y)
        return y


class Dense(layers.Dense):
    """Its dx has the images side by side in memory too, as the layers before it need it."""

    def backward(self, dy):
        dy = self._upstream(dy)
        self.dW = np.dot(self.x.T, dy)  # for a single image four times as quick as x.T @ dy
        self.db = dy.sum(axis=0)
        return np.dot(np.asarray(self.W, dy.dtype), dy.T).T


def _inside(x):
    """Return x (N, C, H, W) as (H, C, W, N), copied only where it does not lie so already."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0))


def _outside(x):
    """View x (H, C, W, N) as (N, C, H, W)."""
    return x.transpose(3, 1, 0, 2)


def _stacked(rows, count, step):
    """View rows (H, M, L) as matrices (…, count·M, L): `count` rows each, and each `step` rows on."""
    H, M, L = rows.shape
    shape = ((H - count) // step + 1, count * M, L)
    return np.ndarray(shape, rows.dtype, rows, strides=(step * rows.strides[0], *rows.strides[1:]))


def _places(pool, x):
    """View x (H, C, W, N) as the first pixel of each window, (OH, C, OW, N), as their second, …."""
    (OH, OW), (s, t) = pool._output_size(len(x), x.shape[2]), pool.stride
    for i, j in itertools.product(*map(range, pool.kernel_size)):
        yield x[i : i + OH * s : s, :, j : j + OW * t : t]


def _spread(pool, shares):
    """Return the dx to whose places `_places` each share is added."""
    N, C, H, W = pool.x_shape
    dx = np.zeros((H, C, W, N), pool.dtype)
    overlap = any(s < K for s, K in zip(pool.stride, pool.kernel_size, strict=True))
    for place, share in zip(_places(pool, dx), shares, strict=False):
        place[...] = place + share if overlap else share
    return _outside(dx)
