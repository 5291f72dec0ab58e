"""Layers as one writes them first, with loops: what a learner's own network is made of."""

import numpy as np


class _Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, padding=0, *, rng):
        self.padding = padding
        shape = (out_channels, in_channels, kernel_size, kernel_size)
        spread = np.sqrt(2 / (in_channels * kernel_size**2))
        self.W = rng.normal(0, spread, size=shape).astype(np.float32)
        self.b = np.zeros(out_channels, np.float32)

    def _padded(self, x):
        return np.pad(x, [(0, 0), (0, 0), (self.padding,) * 2, (self.padding,) * 2])

    def _cropped(self, dx):
        p = self.padding
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]

    def _empty_output(self, x):
        F, _, KH, KW = self.W.shape
        return np.zeros((len(x), F, x.shape[2] - KH + 1, x.shape[3] - KW + 1), x.dtype)


class _MaxPool2D:
    """A loop over the windows."""

    def __init__(self, size):
        self.size = size

    def forward(self, x):
        k = self.size
        N, C, H, W = x.shape
        y = np.zeros((N, C, H // k, W // k), x.dtype)
        for n, c, i, j in np.ndindex(y.shape):
            y[n, c, i, j] = x[n, c, i * k : i * k + k, j * k : j * k + k].max()
        self.x = x
        return y

    def backward(self, dy):
        k = self.size
        dx = np.zeros(self.x.shape, dy.dtype)
        for n, c, i, j in np.ndindex(dy.shape):
            window = self.x[n, c, i * k : i * k + k, j * k : j * k + k]
            row, column = np.unravel_index(window.argmax(), window.shape)
            dx[n, c, i * k + row, j * k + column] += dy[n, c, i, j]
        return dx


class FourLoops:
    """Loops over n, f, i, j; NumPy sums over the window."""

    MaxPool2D = _MaxPool2D

    class Conv2D(_Conv2D):
        def forward(self, x):
            KH, KW = self.W.shape[2:]
            x = self._padded(x)
            y = self._empty_output(x)
            for n, f, i, j in np.ndindex(y.shape):
                y[n, f, i, j] = (x[n, :, i : i + KH, j : j + KW] * self.W[f]).sum() + self.b[f]
            self.x = x
            return y

        def backward(self, dy):
            KH, KW = self.W.shape[2:]
            dx, self.dW = np.zeros_like(self.x), np.zeros_like(self.W)
            for n, f, i, j in np.ndindex(dy.shape):
                self.dW[f] += dy[n, f, i, j] * self.x[n, :, i : i + KH, j : j + KW]
                dx[n, :, i : i + KH, j : j + KW] += dy[n, f, i, j] * self.W[f]
            self.db = dy.sum(axis=(0, 2, 3))
            return self._cropped(dx)


class SevenLoops:
    """Loops over n, f, i, j and c, k, m; nothing is left to NumPy."""

    MaxPool2D = _MaxPool2D

    class Conv2D(_Conv2D):
        def forward(self, x):
            x = self._padded(x)
            y = self._empty_output(x)
            for n, f, i, j in np.ndindex(y.shape):
                total = self.b[f]
                for c, k, m in np.ndindex(self.W.shape[1:]):
                    total += x[n, c, i + k, j + m] * self.W[f, c, k, m]
                y[n, f, i, j] = total
            self.x = x
            return y

        def backward(self, dy):
            dx, self.dW, self.db = (np.zeros_like(a) for a in (self.x, self.W, self.b))
            for n, f, i, j in np.ndindex(dy.shape):
                self.db[f] += dy[n, f, i, j]
                for c, k, m in np.ndindex(self.W.shape[1:]):
                    self.dW[f, c, k, m] += dy[n, f, i, j] * self.x[n, c, i + k, j + m]
                    dx[n, c, i + k, j + m] += dy[n, f, i, j] * self.W[f, c, k, m]
            return self._cropped(dx)
