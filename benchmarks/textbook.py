"""A convolution and a pool by im2col, as textbooks and course notes print them.

Every window becomes a row of one large matrix; the way back adds what each row gets to the pixels that
it was copied from. Images lie as (N, C, H, W) in memory.
"""

import numpy as np

from cnnlib import layers


class Conv2D(layers.Conv2D):
    def forward(self, x):
        (N, C, H, W), (KH, KW), s, p = x.shape, self.kernel_size, self.stride, self.padding
        OH, OW = (H + 2 * p - KH) // s + 1, (W + 2 * p - KW) // s + 1
        x_padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        columns = np.empty((N, C, KH, KW, OH, OW), x.dtype)
        for i, j in np.ndindex(KH, KW):
            columns[:, :, i, j] = x_padded[:, :, i : i + OH * s : s, j : j + OW * s : s]
        self.columns = columns.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, C * KH * KW)
        rows = self.columns @ np.asarray(self.W, x.dtype).reshape(self.out_channels, -1).T
        rows += np.asarray(self.b, x.dtype)
        self.x_shape, self.padded_shape = x.shape, x_padded.shape
        return rows.reshape(N, OH, OW, -1).transpose(0, 3, 1, 2)

    def backward(self, dy):
        (N, F, OH, OW), (_, C, H, W) = dy.shape, self.x_shape
        (KH, KW), s, p = self.kernel_size, self.stride, self.padding
        rows = dy.transpose(0, 2, 3, 1).reshape(N * OH * OW, F)
        self.db = rows.sum(axis=0)
        self.dW = (self.columns.T @ rows).T.reshape(self.W.shape)
        dcolumns = rows @ np.asarray(self.W, dy.dtype).reshape(F, -1)
        dcolumns = dcolumns.reshape(N, OH, OW, C, KH, KW).transpose(0, 3, 4, 5, 1, 2)
        dx = np.zeros(self.padded_shape, dy.dtype)
        for i, j in np.ndindex(KH, KW):
            dx[:, :, i : i + OH * s : s, j : j + OW * s : s] += dcolumns[:, :, i, j]
        return dx[:, :, p : p + H, p : p + W]


class MaxPool2D(layers.MaxPool2D):
    """The windows as rows of a matrix, and the largest of each row; windows don't overlap."""

    def forward(self, x):
        (N, C, H, W), (KH, KW) = x.shape, self.kernel_size
        OH, OW = H // KH, W // KW
        windows = x[:, :, : OH * KH, : OW * KW].reshape(N, C, OH, KH, OW, KW)
        windows = windows.transpose(0, 1, 2, 4, 3, 5).reshape(-1, KH * KW)
        self.winner, self.x_shape = windows.argmax(axis=1), x.shape
        return windows.max(axis=1).reshape(N, C, OH, OW)

    def backward(self, dy):
        (N, C, OH, OW), (KH, KW) = dy.shape, self.kernel_size
        windows = np.zeros((dy.size, KH * KW), dy.dtype)
        windows[np.arange(dy.size), self.winner] = dy.ravel()
        windows = windows.reshape(N, C, OH, OW, KH, KW).transpose(0, 1, 2, 4, 3, 5)
        dx = np.zeros(self.x_shape, dy.dtype)
        dx[:, :, : OH * KH, : OW * KW] = windows.reshape(N, C, OH * KH, OW * KW)
        return dx
