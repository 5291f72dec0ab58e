"""Convolution and max-pooling as lesson 08 writes them: every window a row, one product for all.

`im2col` copies each window of a batch into a row of its own. A convolution is then a single matrix
product, and pooling a maximum along the rows. `col2im` is the way back: it adds every number of the
rows to the pixel that it was copied from. That makes it the adjoint of `im2col`, and not its inverse.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnlib import layers

__all__ = ["FastConv2D", "FastMaxPool2D", "col2im", "im2col"]


def im2col(x, kernel_size, stride=1, padding=0):
    """Copy every window of a batch into a row of its own.

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
    array of shape (N·OH·OW, C·KH·KW)
        Row (n·OH + i)·OW + j is the window at (i, j) of picture n, its numbers in C order.

    Raises
    ------
    ValueError
        If the padded maps are smaller than a window.

    Examples
    --------
    >>> im2col(np.array([[[[1, 2, 3], [4, 5, 6]]]]), kernel_size=(2, 2))
    array([[1, 2, 4, 5],
           [2, 3, 5, 6]])

    Notes
    -----
    Chellapilla, Puri & Simard, "High Performance Convolutional Neural Networks for Document
    Processing" (2006), section 3.
    """
    (row_stride, column_stride), p = np.broadcast_to(stride, 2), padding
    x_padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    windows = sliding_window_view(x_padded, kernel_size, axis=(2, 3))
    windows = windows[:, :, ::row_stride, ::column_stride].transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(math.prod(windows.shape[:3]), math.prod(windows.shape[3:]))


def col2im(columns, shape, kernel_size, stride=1, padding=0):
    """Add each number of the rows to the pixel that `im2col` would have copied it from.

    Parameters
    ----------
    columns : array of shape (N·OH·OW, C·KH·KW)
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
    Column 1 lies in both windows:

    >>> rows = np.array([[1, 2, 4, 5], [2, 3, 5, 6]])
    >>> col2im(rows, (1, 1, 2, 3), kernel_size=(2, 2))
    array([[[[ 1,  4,  3],
             [ 4, 10,  6]]]])
    """
    (N, C, H, W), (KH, KW), p = shape, kernel_size, padding
    row_stride, column_stride = np.broadcast_to(stride, 2)
    OH, OW = (H + 2 * p - KH) // row_stride + 1, (W + 2 * p - KW) // column_stride + 1
    windows = columns.reshape(N, OH, OW, C, KH, KW).transpose(0, 3, 1, 2, 4, 5)
    x_padded = np.zeros((N, C, H + 2 * p, W + 2 * p), columns.dtype)
    for k, m in np.ndindex(KH, KW):
        rows = slice(k, k + OH * row_stride, row_stride)
        x_padded[:, :, rows, m : m + OW * column_stride : column_stride] += windows[..., k, m]
    return x_padded[:, :, p : p + H, p : p + W]


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
        y = self.columns @ W.reshape(F, -1).T + b
        OH, OW = (H + 2 * p - KH) // s + 1, (width + 2 * p - KW) // s + 1
        y = y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        W = np.asarray(self.W, dy.dtype)
        rows = dy.transpose(0, 2, 3, 1).reshape(len(self.columns), len(W))
        self.dW = (rows.T @ self.columns).reshape(W.shape)
        self.db = rows.sum(axis=0)
        columns = rows @ W.reshape(len(W), -1)
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
        self.winners = columns.argmax(axis=1)
        y = columns.max(axis=1).reshape(*x.shape[:2], OH, OW)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        N, C, H, W = self.x_shape
        columns = np.zeros((dy.size, math.prod(self.kernel_size)), dy.dtype)
        columns[np.arange(dy.size), self.winners] = dy.reshape(-1)
        dx = col2im(columns, (N * C, 1, H, W), self.kernel_size, self.stride)
        return dx.reshape(self.x_shape)
