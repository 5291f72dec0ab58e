"""Convolution and max-pooling as lesson 08 writes them: every window a column, one product for all.

`im2col` copies each window of a batch into a column of its own. A convolution is then a single
matrix product, and pooling a maximum over the rows. `col2im` is the way back: it adds every number
of the columns to the pixel that it was copied from. That makes it the adjoint of `im2col`, and not
its inverse.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnlib import layers

__all__ = ["FastConv2D", "FastMaxPool2D", "col2im", "im2col"]


def im2col(x, kernel_size, stride=1, padding=0):
    """Copy every window of a batch into a column of its own.

    Parameters
    ----------
    x : array of shape (N, C, H, W)
    kernel_size : (int, int)
        KH and KW.
    stride : int or (int, int)
        Rows, and columns, from one window to the next.
    padding : int
        Rows, and columns, of zeros added on each side.

    Returns
    -------
    array of shape (C·KH·KW, N·OH·OW)
        Column (n·OH + i)·OW + j is the window at (i, j) of picture n, its numbers in C order. So a
        row holds what all windows read at one of their places, and neighbours in it are neighbours
        in x: that is quicker to copy than windows in rows.

    Raises
    ------
    ValueError
        If the padded maps are smaller than a window.

    Examples
    --------
    >>> im2col(np.array([[[[1, 2, 3], [4, 5, 6]]]]), kernel_size=(2, 2))
    array([[1, 2],
           [2, 3],
           [4, 5],
           [5, 6]])

    Notes
    -----
    Chellapilla, Puri & Simard, "High Performance Convolutional Neural Networks for Document
    Processing" (2006), section 3.
    """
    (row_stride, column_stride), p = np.broadcast_to(stride, 2), padding
    x_padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    windows = sliding_window_view(x_padded, kernel_size, axis=(2, 3))
    windows = windows[:, :, ::row_stride, ::column_stride].transpose(1, 4, 5, 0, 2, 3)
    return windows.reshape(math.prod(windows.shape[:3]), math.prod(windows.shape[3:]))


def col2im(columns, shape, kernel_size, stride=1, padding=0):
    """Add each number of the columns to the pixel that `im2col` would have copied it from.

    Parameters
    ----------
    columns : array of shape (C·KH·KW, N·OH·OW)
    shape : (int, int, int, int)
        N, C, H and W of the batch, without its padding.
    kernel_size, stride, padding
        As in `im2col`.

    Returns
    -------
    array of the given shape
        A pixel that several windows share has the sum of what they bring, one that no window reads
        has 0, and what lands on the padding is dropped.

    Examples
    --------
    The pixels in the middle lie in both windows:

    >>> columns = np.array([[1, 20], [2, 30], [4, 50], [5, 60]])
    >>> col2im(columns, (1, 1, 2, 3), kernel_size=(2, 2))
    array([[[[ 1, 22, 30],
             [ 4, 55, 60]]]])
    """
    (N, C, H, W), (KH, KW), p = shape, kernel_size, padding
    row_stride, column_stride = np.broadcast_to(stride, 2)
    OH, OW = (H + 2 * p - KH) // row_stride + 1, (W + 2 * p - KW) // column_stride + 1
    windows = columns.reshape(C, KH, KW, N, OH, OW)
    x_padded = np.zeros((C, N, H + 2 * p, W + 2 * p), columns.dtype)
    for k, m in np.ndindex(KH, KW):
        rows = slice(k, k + OH * row_stride, row_stride)
        x_padded[:, :, rows, m : m + OW * column_stride : column_stride] += windows[:, k, m]
    return x_padded[:, :, p : p + H, p : p + W].swapaxes(0, 1)


class FastConv2D(layers.Conv2D):
    """`cnnlib.layers.Conv2D` by `im2col`, one large product, and `col2im`.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(4, 3, 8, 8))
    >>> plain, fast = layers.Conv2D(3, 5, 3, rng=0), FastConv2D(3, 5, 3, rng=0)
    >>> np.allclose(fast.forward(x), plain.forward(x))
    True
    """

    def forward(self, x):
        x = self._image(x, self.in_channels)
        N, _, H, width = x.shape
        F, _, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        W, b = np.asarray(self.W, x.dtype), np.asarray(self.b, x.dtype)
        self.columns = im2col(x, (KH, KW), s, p)
        y = W.reshape(F, -1) @ self.columns + b[:, None]
        OH, OW = (H + 2 * p - KH) // s + 1, (width + 2 * p - KW) // s + 1
        y = y.reshape(F, N, OH, OW).swapaxes(0, 1)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        W = np.asarray(self.W, dy.dtype)
        rows = dy.swapaxes(0, 1).reshape(len(W), self.columns.shape[1])
        self.dW = (rows @ self.columns.T).reshape(W.shape)
        self.db = rows.sum(axis=1)
        columns = W.reshape(len(W), -1).T @ rows
        return col2im(columns, self.x_shape, W.shape[2:], self.stride, self.padding)


class FastMaxPool2D(layers.MaxPool2D):
    """`cnnlib.layers.MaxPool2D` by `im2col` and `col2im`: each channel is a picture of its own.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(4, 3, 8, 8))
    >>> np.array_equal(FastMaxPool2D(2).forward(x), layers.MaxPool2D(2).forward(x))
    True
    """

    def forward(self, x):
        x = self._image(x)
        OH, OW = self._windows(x).shape[2:4]
        maps = x.reshape(-1, 1, *x.shape[2:])
        columns = im2col(maps, self.kernel_size, self.stride)
        self.winners = columns.argmax(axis=0)
        y = columns.max(axis=0).reshape(*x.shape[:2], OH, OW)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        N, C, H, W = self.x_shape
        columns = np.zeros((math.prod(self.kernel_size), dy.size), dy.dtype)
        columns[self.winners, np.arange(dy.size)] = dy.reshape(-1)
        dx = col2im(columns, (N * C, 1, H, W), self.kernel_size, self.stride)
        return dx.reshape(self.x_shape)
