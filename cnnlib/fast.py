"""Convolution and max-pooling for training: what `cnnlib.layers` computes, several times faster.

The layers are used as those of `cnnlib.layers` are, and arrays go in and come out as (N, C, H, W).
In memory, though, they lie as (H, W, C, N): ``forward`` and ``backward`` return a transposed view.
The next layer turns it back for free, and ReLU keeps the order that it finds, so a whole network
stays in it. Two things make this order quick: the N values at one place of a map are neighbours, so
every step works on long runs of memory; and the pixels that one row of a window reads, with all
their channels, are neighbours too, so a row of windows is a matrix that needs no copying.
"""

import numpy as np

from cnnlib import layers

__all__ = ["Conv2D", "MaxPool2D"]

_LEAST_BATCH = 4
"""With fewer images the runs of memory are too short, and the plain layers are quicker."""

_SHORT = 16
"""Up to so many pixels in a row of a window, its matrix is too thin for a quick product."""


class Conv2D(layers.Conv2D):
    """`cnnlib.layers.Conv2D`, quicker for batches of 4 images and more.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(32, 3, 8, 8))
    >>> plain, fast = layers.Conv2D(3, 5, 3, rng=0), Conv2D(3, 5, 3, rng=0)
    >>> np.allclose(fast.forward(x), plain.forward(x))
    True
    """

    def forward(self, x):
        x = self._image(x, self.in_channels)
        if len(x) < _LEAST_BATCH:
            return super().forward(x)
        N, C, H, width = x.shape
        p = self.padding
        x_padded = np.zeros((H + 2 * p, width + 2 * p, C, N), x.dtype)
        x_padded[p : p + H, p : p + width] = _batch_last(x)
        windows = self._windows(_batch_first(x_padded)).transpose(2, 3, 4, 5, 1, 0)
        OH, OW, KH, KW = windows.shape[:4]
        # A part is one kernel row of all windows, which reshape views in place; or, where that
        # would be a thin matrix, all kernel rows, which it copies.
        parts = np.split(windows, 1 if KW * C <= _SHORT else KH, axis=2)
        self.parts = [part.reshape(OH, OW, -1, N) for part in parts]
        W = np.asarray(self.W, x.dtype).transpose(0, 2, 3, 1)
        W = W.reshape(self.out_channels, len(parts), -1).swapaxes(0, 1)
        y = W[0] @ self.parts[0]
        for weights, part in zip(W[1:], self.parts[1:], strict=True):
            y += weights @ part
        y += np.asarray(self.b, x.dtype)[:, None]
        y = _batch_first(y)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        if len(dy) < _LEAST_BATCH:
            return super().backward(dy)
        dy = _batch_last(dy)
        OH, OW, F, N = dy.shape
        C, H, width = self.x_shape[1:]
        s, p = self.stride, self.padding
        self.db = dy.reshape(OH * OW, F * N).sum(axis=0).reshape(F, N).sum(axis=1)
        # BLAS is slower where both factors run along N. Turning one costs time as well: it pays where
        # the matrices are large.
        dy_turned = dy.swapaxes(2, 3)
        if len(self.parts) > 1:
            dy_turned = dy_turned.copy()
        dW = np.stack([(part @ dy_turned).sum(axis=(0, 1)) for part in self.parts])
        self.dW = dW.reshape(*self.kernel_size, C, F).transpose(3, 2, 0, 1)
        W = np.asarray(self.W, dy.dtype).transpose(2, 3, 1, 0).copy()
        dx_padded = np.zeros((H + 2 * p, width + 2 * p, C, N), dy.dtype)
        for i, j in np.ndindex(self.kernel_size):
            dx_padded[i : i + OH * s : s, j : j + OW * s : s] += W[i, j] @ dy
        return _batch_first(dx_padded[p : p + H, p : p + width])


class MaxPool2D(layers.MaxPool2D):
    """`cnnlib.layers.MaxPool2D`, quicker for batches of 4 images and more.

    The largest value of a window is the largest of its rows' largest values. So this pools along
    the columns, then along the rows, which also finds the first maximum in reading order.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(32, 3, 8, 8))
    >>> np.array_equal(MaxPool2D(2).forward(x), layers.MaxPool2D(2).forward(x))
    True
    """

    def forward(self, x):
        x = self._image(x)
        if len(x) < _LEAST_BATCH:
            return super().forward(x)
        OH, OW = self._windows(x).shape[2:4]
        (KH, KW), (row_stride, column_stride) = self.kernel_size, self.stride
        y, self.row_wins = _pool(_batch_last(x), 1, OW, KW, column_stride)
        y, self.column_wins = _pool(y, 0, OH, KH, row_stride)
        y = _batch_first(y)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        if len(dy) < _LEAST_BATCH:
            return super().backward(dy)
        H, width = self.x_shape[2:]
        row_stride, column_stride = self.stride
        dy = _unpool(_batch_last(dy), 0, H, self.column_wins, row_stride)
        return _batch_first(_unpool(dy, 1, width, self.row_wins, column_stride))


def _pool(x, axis, length, size, stride):
    """Pool along one axis; tell also where each candidate beat all that came before it."""
    y, wins = x[_every(axis, 0, length, stride)], []
    for k in range(1, size):
        candidate = x[_every(axis, k, length, stride)]
        wins.append(candidate > y)
        y = np.maximum(y, candidate)
    return y, wins


def _unpool(dy, axis, length, wins, stride):
    """Send dy back along one axis: to the last candidate that won, and what is left to the first."""
    shares = []
    for won in reversed(wins):
        shares.append(dy * won)
        dy = dy - shares[-1]
    shares.append(dy)
    dx = np.zeros((*dy.shape[:axis], length, *dy.shape[axis + 1 :]), dy.dtype)
    overlap = stride < len(shares)  # else each place has one window, and adding would take longer
    for k, share in enumerate(reversed(shares)):
        place = _every(axis, k, dy.shape[axis], stride)
        dx[place] = dx[place] + share if overlap else share
    return dx


def _every(axis, start, length, stride):
    """Index `length` places along an axis, from `start` on, `stride` apart."""
    return (slice(None),) * axis + (slice(start, start + length * stride, stride),)


def _batch_last(x):
    """Return x (N, C, H, W) as (H, W, C, N), copied only where it does not lie so already."""
    return np.ascontiguousarray(x.transpose(2, 3, 1, 0))


def _batch_first(x):
    """View x (H, W, C, N) as (N, C, H, W)."""
    return x.transpose(3, 2, 0, 1)
