"""The layers of a convolutional network, each with its forward and its backward pass.

This is the reference that the course's checks compare with: correct and readable first.
Images are (N, C, H, W): N images in a batch, C channels, H rows, W columns.
"""

import math
from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["AvgPool2D", "Conv2D", "Dense", "Flatten", "Layer", "MaxPool2D", "ReLU", "parameters"]


class Layer:
    """A step of a network that can be walked both ways.

    ``y = layer.forward(x)`` keeps what the backward pass will need. Then, for a loss L and the
    upstream gradient dy = ∂L/∂y, ``dx = layer.backward(dy)`` returns ∂L/∂x, which has the shape
    of x. A layer that learns has arrays ``W`` and ``b``; its backward also sets (it does not add
    to) ``dW`` = ∂L/∂W and ``db`` = ∂L/∂b.

    y, dx, dW and db have the dtype of x: float32 to train, float64 to check gradients.
    Neither x, dy, W nor b is changed in place.

    Raises
    ------
    TypeError
        By ``forward``, when x does not hold floats.
    ValueError
        By ``forward`` or ``backward``, when x or dy has a shape that does not fit.
    RuntimeError
        By ``backward``, before any ``forward``.
    """

    x_shape = None
    """The shape of the x that the last forward saw; None before the first."""

    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}()"

    def _floats(self, x):
        x = np.asarray(x)
        if x.dtype.kind != "f":
            raise TypeError(
                f"{type(self).__name__}.forward: x holds {x.dtype}, but must hold floats; "
                "for pixels from 0 to 255 use x.astype(np.float32) / 255"
            )
        return x

    def _image(self, x, channels=None):
        x = self._floats(x)
        if x.ndim != 4:
            raise ValueError(
                f"{type(self).__name__}.forward: x has shape {x.shape}, but must be "
                "(N, C, H, W); for one image (C, H, W) use x[None], for grey images (N, H, W) "
                "use x[:, None]"
            )
        if channels is not None and x.shape[1] != channels:
            raise ValueError(
                f"{type(self).__name__}.forward: x has shape {x.shape}, so {x.shape[1]} channels, "
                f"but this layer has in_channels={channels}; x must be (N, {channels}, H, W), "
                "and images (N, H, W, C) become so by x.transpose(0, 3, 1, 2)"
            )
        return x

    def _remember(self, x, y):
        """Keep what ``_upstream`` compares dy with."""
        self.x_shape, self.y_shape, self.dtype = x.shape, y.shape, x.dtype

    def _upstream(self, dy):
        """Return dy, in the dtype of x, if it fits the y that forward returned."""
        name = f"{type(self).__name__}.backward"
        if self.x_shape is None:
            raise RuntimeError(f"{name}: there was no forward yet; call forward(x) first")
        dy = np.asarray(dy)
        if dy.shape != self.y_shape:
            raise ValueError(
                f"{name}: dy has shape {dy.shape} but forward saw {self.x_shape}, "
                f"so dy must be {self.y_shape}"
            )
        return dy.astype(self.dtype, copy=False) if self.dtype.kind == "f" else dy


class Conv2D(Layer):
    """Slide F kernels over the image; each window's weighted sum is one output.

    ``y[n, f, i, j] = b[f] + Σ x[n, c, i·stride + k, j·stride + l] · W[f, c, k, l]``, summed over
    c, k and l, where x has ``padding`` zeros on all four sides. The kernel is not flipped.

    Parameters
    ----------
    in_channels, out_channels : int
        C and F.
    kernel_size : int or (int, int)
        (KH, KW); an int means a square.
    stride : int
        Rows, and columns, from one window to the next.
    padding : int
        Rows, and columns, of zeros added on each side.
    rng : numpy.random.Generator or int, optional
        Draws W from a normal distribution with standard deviation √(2 / (C·KH·KW)).

    Attributes
    ----------
    W, dW : array of shape (F, C, KH, KW)
    b, db : array of shape (F,)

    Notes
    -----
    x is (N, C, H, W) and y is (N, F, OH, OW), with ``OH = (H + 2·padding − KH) // stride + 1``
    and OW alike. Pixels that no window reaches get gradient 0. Initial weights: He et al.,
    "Delving Deep into Rectifiers" (2015), equation 10.

    Examples
    --------
    >>> conv = Conv2D(1, 1, kernel_size=(1, 2))
    >>> conv.W = np.array([[[[-1.0, 1.0]]]])
    >>> conv.forward(np.array([[[[0.0, 0.0, 5.0, 5.0]]]]))
    array([[[[0., 5., 0.]]]])
    >>> conv.backward(np.array([[[[1.0, 10.0, 100.0]]]]))
    array([[[[ -1.,  -9., -90., 100.]]]])
    >>> conv.dW, conv.db
    (array([[[[500., 550.]]]]), array([111.]))
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
        self.in_channels = _whole("Conv2D: in_channels", in_channels)
        self.out_channels = _whole("Conv2D: out_channels", out_channels)
        self.kernel_size = _pair("Conv2D: kernel_size", kernel_size)
        self.stride = _whole("Conv2D: stride", stride)
        self.padding = _whole("Conv2D: padding", padding, least=0)
        fan_in = self.in_channels * math.prod(self.kernel_size)
        shape = (self.out_channels, self.in_channels, *self.kernel_size)
        self.W = np.random.default_rng(rng).normal(0, math.sqrt(2 / fan_in), shape)
        self.b = np.zeros(self.out_channels)

    def forward(self, x):
        x = self._image(x, self.in_channels)
        p = self.padding
        x_padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        windows = self._windows(x_padded)
        N, C, OH, OW, KH, KW = windows.shape
        # Each window becomes a column. reshape copies here, and its copy is kept for backward: KH·KW
        # times the memory of x, so that all sums over windows are products of plain matrices.
        columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(N, C * KH * KW, OH * OW)
        W, b = self._kernels(x.dtype), np.asarray(self.b, x.dtype)
        y = W.reshape(-1, C * KH * KW) @ columns + b[:, None]
        y = y.reshape(N, self.out_channels, OH, OW)
        self.columns = columns
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        W, s, p = self._kernels(dy.dtype), self.stride, self.padding
        (N, F, OH, OW), C = dy.shape, self.in_channels
        dy_rows = dy.reshape(N, F, OH * OW)
        self.db = dy.sum(axis=(0, 2, 3))
        self.dW = (dy_rows @ self.columns.swapaxes(1, 2)).sum(axis=0).reshape(W.shape)
        rows, columns = self.x_shape[2:]
        dx_padded = np.zeros((N, C, rows + 2 * p, columns + 2 * p), dy.dtype)
        for i, j in np.ndindex(self.kernel_size):
            share = np.ascontiguousarray(W[:, :, i, j].T) @ dy_rows
            dx_padded[_reads(i, j, dy, (s, s))] += share.reshape(N, C, OH, OW)
        return dx_padded[:, :, p : p + rows, p : p + columns]

    def _kernels(self, dtype):
        W, shape = (
            np.asarray(self.W, dtype),
            (self.out_channels, self.in_channels, *self.kernel_size),
        )
        if W.shape != shape:
            raise ValueError(
                f"{type(self).__name__}: W has shape {W.shape}, but must be (F, C, KH, KW) = {shape}"
            )
        return W

    def _windows(self, x_padded):
        self._output_size(*x_padded.shape[2:])
        return _windows(x_padded, self.kernel_size, (self.stride, self.stride))

    def _output_size(self, H, W):
        what = f"{type(self).__name__}.forward: the padded image"
        return _output_size(what, (H, W), self.kernel_size, (self.stride, self.stride))

    def __repr__(self):
        return (
            f"{type(self).__name__}({self.in_channels}, {self.out_channels}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding})"
        )


class _Pool2D(Layer):
    """What the two pools share: their settings."""

    def __init__(self, kernel_size, stride=None):
        name = type(self).__name__
        self.kernel_size = _pair(f"{name}: kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else _pair(f"{name}: stride", stride)

    def _windows(self, x):
        self._output_size(*x.shape[2:])
        return _windows(x, self.kernel_size, self.stride)

    def _output_size(self, H, W):
        what = f"{type(self).__name__}.forward: the image"
        return _output_size(what, (H, W), self.kernel_size, self.stride)

    def __repr__(self):
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, stride={self.stride})"


class MaxPool2D(_Pool2D):
    """Keep the largest value of each window; its gradient goes back to where it came from.

    Of several equal maxima in a window, the first one in reading order gets the gradient.

    Parameters
    ----------
    kernel_size : int or (int, int)
        (KH, KW); an int means a square.
    stride : int or (int, int), optional
        Rows and columns from one window to the next; ``kernel_size`` if not given.

    Notes
    -----
    x is (N, C, H, W) and y is (N, C, OH, OW), with ``OH = (H − KH) // stride + 1`` and OW alike.
    Where windows overlap, a pixel gets the sum of what each window sends it; a pixel that no
    window reaches gets 0.

    Examples
    --------
    >>> pool = MaxPool2D(2)
    >>> pool.forward(np.array([[[[1.0, 7.0, 2.0, 2.0], [3.0, 4.0, 2.0, 2.0]]]]))
    array([[[[7., 2.]]]])
    >>> pool.backward(np.array([[[[10.0, 20.0]]]]))
    array([[[[ 0., 10., 20.,  0.],
             [ 0.,  0.,  0.,  0.]]]])
    """

    def forward(self, x):
        x = self._image(x)
        windows = self._windows(x)
        self.candidates = np.stack([windows[..., i, j] for i, j in np.ndindex(self.kernel_size)])
        y = self.candidates.max(axis=0)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        dx = np.zeros(self.x_shape, dy.dtype)
        # argmax would say who won, but takes five times as long as == along this axis.
        largest, waiting = self.candidates.max(axis=0), np.ones(dy.shape, bool)
        for candidate, (i, j) in zip(self.candidates, np.ndindex(self.kernel_size), strict=True):
            wins = waiting & (candidate == largest)
            waiting &= ~wins
            dx[_reads(i, j, dy, self.stride)] += dy * wins
        return dx


class AvgPool2D(_Pool2D):
    """Average each window; each of its KH·KW pixels gets the same share of the gradient.

    Parameters
    ----------
    kernel_size : int or (int, int)
        (KH, KW); an int means a square.
    stride : int or (int, int), optional
        Rows and columns from one window to the next; ``kernel_size`` if not given.

    Notes
    -----
    x is (N, C, H, W) and y is (N, C, OH, OW), with ``OH = (H − KH) // stride + 1`` and OW alike.
    Where windows overlap, a pixel gets the sum of its shares; a pixel that no window reaches
    gets 0.

    Examples
    --------
    >>> pool = AvgPool2D(2)
    >>> pool.forward(np.array([[[[1.0, 7.0, 2.0, 2.0], [3.0, 5.0, 2.0, 2.0]]]]))
    array([[[[4., 2.]]]])
    >>> pool.backward(np.array([[[[10.0, 20.0]]]]))
    array([[[[2.5, 2.5, 5. , 5. ],
             [2.5, 2.5, 5. , 5. ]]]])
    """

    def forward(self, x):
        x = self._image(x)
        windows = self._windows(x)
        total = sum(windows[..., i, j] for i, j in np.ndindex(self.kernel_size))
        y = total / math.prod(self.kernel_size)
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        dx = np.zeros(self.x_shape, dy.dtype)
        for i, j in np.ndindex(self.kernel_size):
            dx[_reads(i, j, dy, self.stride)] += dy / math.prod(self.kernel_size)
        return dx


class Flatten(Layer):
    """Lay the values of each image out in one row; backward puts each gradient back in its place.

    It changes no value, so x and dy may hold anything, integers too.

    Notes
    -----
    x is (N, C, H, W), or any shape that starts with N, and y is (N, C·H·W):
    ``y[n, (c·H + h)·W + w] = x[n, c, h, w]``. y and dx are views where NumPy can make one.

    Examples
    --------
    >>> flatten = Flatten()
    >>> flatten.forward(np.array([[[[11, 12], [21, 22]]]]))
    array([[11, 12, 21, 22]])
    >>> flatten.backward(np.array([[0.1, 0.2, 0.3, 0.4]]))
    array([[[[0.1, 0.2],
             [0.3, 0.4]]]])
    """

    def forward(self, x):
        x = np.asarray(x)
        if x.ndim < 2:
            raise ValueError(
                f"{type(self).__name__}.forward: x has shape {x.shape}, but must have a batch "
                "axis and at least one more, as (N, C, H, W); for a single image use x[None]"
            )
        y = x.reshape(len(x), math.prod(x.shape[1:]))
        self._remember(x, y)
        return y

    def backward(self, dy):
        return self._upstream(dy).reshape(self.x_shape)


class Dense(Layer):
    """Every output is a weighted sum of all inputs: ``y = x @ W + b``.

    Parameters
    ----------
    in_features, out_features : int
        D and K.
    rng : numpy.random.Generator or int, optional
        Draws W from a normal distribution with standard deviation √(2 / D).

    Attributes
    ----------
    W, dW : array of shape (D, K)
    b, db : array of shape (K,)

    Notes
    -----
    x is (N, D) and y is (N, K). Initial weights: He et al., "Delving Deep into Rectifiers"
    (2015), equation 10.

    Examples
    --------
    >>> dense = Dense(2, 1)
    >>> dense.W = np.array([[3.0], [4.0]])
    >>> dense.forward(np.array([[1.0, 10.0]]))
    array([[43.]])
    >>> dense.backward(np.array([[2.0]]))
    array([[6., 8.]])
    >>> dense.dW, dense.db
    (array([[ 2.],
           [20.]]), array([2.]))
    """

    def __init__(self, in_features, out_features, *, rng=None):
        self.in_features = _whole("Dense: in_features", in_features)
        self.out_features = _whole("Dense: out_features", out_features)
        shape = (self.in_features, self.out_features)
        self.W = np.random.default_rng(rng).normal(0, math.sqrt(2 / self.in_features), shape)
        self.b = np.zeros(self.out_features)

    def forward(self, x):
        x = self._rows(x)
        y = x @ np.asarray(self.W, x.dtype) + np.asarray(self.b, x.dtype)
        self.x = x
        self._remember(x, y)
        return y

    def backward(self, dy):
        dy = self._upstream(dy)
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ np.asarray(self.W, dy.dtype).T

    def _rows(self, x):
        x = self._floats(x)
        if x.ndim == 2 and x.shape[1] == self.in_features:
            return x
        if x.ndim == 4:
            advice = "these are images: put a Flatten before this layer"
        elif x.ndim == 1:
            advice = "for a single row use x[None]"
        else:
            advice = f"make the layer with in_features={x.shape[-1]}, or look at what comes before"
        raise ValueError(
            f"{type(self).__name__}.forward: x has shape {x.shape}, but must be "
            f"(N, {self.in_features}), as in_features={self.in_features}; {advice}"
        )

    def __repr__(self):
        return f"{type(self).__name__}({self.in_features}, {self.out_features})"


class ReLU(Layer):
    """Keep what is positive and set the rest to 0; the gradient passes where x was positive.

    The gradient at exactly 0 is 0.

    Notes
    -----
    x has any shape, and y has the same.

    Examples
    --------
    >>> relu = ReLU()
    >>> relu.forward(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    >>> relu.backward(np.array([10.0, 20.0, 30.0]))
    array([ 0.,  0., 30.])
    """

    def forward(self, x):
        x = self._floats(x)
        y = np.maximum(x, 0)
        self.mask = x > 0
        self._remember(x, y)
        return y

    def backward(self, dy):
        return self._upstream(dy) * self.mask


def parameters(layer):
    """List the arrays that a layer, or a network of layers, learns.

    Parameters
    ----------
    layer : object
        Anything with a ``W`` or a ``b``, or with such objects in its ``layers``; no base class
        is needed.

    Returns
    -------
    list of (object, str)
        The layer that owns each array, and the array's name. Its gradient is called "d" + name.

    Examples
    --------
    One step of gradient descent:

    >>> dense = Dense(3, 2, rng=0)
    >>> y = dense.forward(np.ones((1, 3)))
    >>> dx = dense.backward(np.ones((1, 2)))
    >>> for owner, name in parameters(dense):
    ...     print(owner, name)
    ...     setattr(owner, name, getattr(owner, name) - 0.1 * getattr(owner, "d" + name))
    Dense(3, 2) W
    Dense(3, 2) b
    """
    if hasattr(layer, "layers"):
        return [pair for inner in layer.layers for pair in parameters(inner)]
    return [(layer, name) for name in ("W", "b") if getattr(layer, name, None) is not None]


def _windows(x, kernel_size, stride):
    """View x (N, C, H, W) as windows (N, C, OH, OW, KH, KW), without a copy."""
    return sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]


def _output_size(what, size, kernel_size, stride):
    """Count the windows below and beside each other; refuse an image that is too small for one."""
    (H, W), (KH, KW) = size, kernel_size
    if KH > H or KW > W:
        raise ValueError(
            f"{what} is (H, W) = {(H, W)}, too small for a window of (KH, KW) = {kernel_size}; "
            "make kernel_size smaller or the image larger"
        )
    return (H - KH) // stride[0] + 1, (W - KW) // stride[1] + 1


def _reads(i, j, dy, stride):
    """Index the pixel that each window reads at its row i and column j; the shape is dy's."""
    OH, OW = dy.shape[2:]
    rows = slice(i, i + OH * stride[0], stride[0])
    columns = slice(j, j + OW * stride[1], stride[1])
    return slice(None), slice(None), rows, columns


def _whole(what, value, least=1):
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{what} is {value!r}, but must be a whole number of at least {least}")
    if value < least:
        raise ValueError(f"{what} is {value}, but must be at least {least}")
    return int(value)


def _pair(what, value):
    if not isinstance(value, tuple | list):
        return (_whole(what, value),) * 2
    if len(value) != 2:
        raise ValueError(f"{what} is {value}, but must be one whole number or a pair of them")
    return tuple(_whole(what, each) for each in value)
