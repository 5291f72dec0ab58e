"""Numerical gradients: what a backward pass must agree with."""

from dataclasses import dataclass

import numpy as np

from cnnlib.layers import parameters

__all__ = ["Comparison", "Report", "check_layer", "numerical_gradient", "relative_error"]

TOLERANCE = 1e-6
"""The ``relative_error`` up to which a backward pass agrees with the numerical gradient."""


def numerical_gradient(f, x, h=1e-6):
    """Measure how f(x) moves when each entry of x moves a little.

    Central differences, (f(x + h) − f(x − h)) / 2h, one entry after the other; their error is of
    order h² from the curve of f and of order 1e-16·|f| / h from rounding (Nocedal and Wright,
    *Numerical Optimization*, 2006, section 8.1).

    Parameters
    ----------
    f : callable
        Takes x and returns one number.
    x : array of float64, any shape
        It is f's own argument: each entry is changed in place, and restored before the next, also
        when f raises. So f may as well read it from elsewhere, as a layer reads its W.
    h : float
        The step.

    Returns
    -------
    array of float64, the shape of x

    Raises
    ------
    TypeError
        When x is not an array of float64, or f returns something else than one number of full
        precision.
    ValueError
        When h is so small beside an entry of x that adding it changes nothing.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> numerical_gradient(lambda x: np.sum(x**2), x).round(6)
    array([2., 4., 6.])
    """
    _refuse_coarse("numerical_gradient", x)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        value = x[index]
        up, down = value + h, value - h
        if up == down:
            raise ValueError(
                f"numerical_gradient: h = {h} is lost beside x{list(index)} = {value}; "
                "use a larger h, or scale x"
            )
        try:
            x[index] = up
            f_up = _number(f(x))
            x[index] = down
            f_down = _number(f(x))
        finally:
            x[index] = value
        # What was stepped in fact; value ± h is rounded, so it is not exactly 2h.
        gradient[index] = (f_up - f_down) / (up - down)
    return gradient


def relative_error(a, b):
    """Compare two arrays: the largest difference, relative to the largest entry of either.

    max|a − b| / max(max|a|, max|b|), which is 0 for two arrays of zeros. So one wrong entry is
    enough, while a tiny entry's rounding does not raise an alarm. It is the normwise relative error
    in the maximum norm: Higham, *Accuracy and Stability of Numerical Algorithms* (2002),
    section 6.2.

    Parameters
    ----------
    a, b : arrays of numbers, of the same shape
        There is no broadcasting: (3, 1) and (3,) are refused.

    Returns
    -------
    float
        From 0 to 2; inf when NaN or an infinity is in either.

    Raises
    ------
    ValueError
        When the shapes differ, or there is nothing to compare.

    Examples
    --------
    >>> relative_error([1.0, 2.0, 4.0], [1.0, 2.5, 5.0])
    0.2
    >>> relative_error([1.0, np.nan], [1.0, np.nan])
    inf
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"relative_error: a has shape {a.shape} but b {b.shape}; they must agree")
    if a.size == 0:
        raise ValueError(f"relative_error: the arrays are empty, {a.shape}: nothing to compare")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    scale = max(np.abs(a).max(), np.abs(b).max())
    return float(np.abs(a - b).max() / scale) if scale > 0 else 0.0


@dataclass(frozen=True)
class Comparison:
    """One array that backward computed, beside the numerical gradient."""

    name: str
    error: float
    """``relative_error`` of the two arrays."""
    index: tuple
    """Where they differ most."""
    backward: float
    numerical: float

    @property
    def ok(self):
        """Whether the arrays agree."""
        return self.error <= TOLERANCE


@dataclass(frozen=True, repr=False)
class Report:
    """What ``check_layer`` found: a row for each array; its repr is a table."""

    rows: tuple

    @property
    def ok(self):
        """Whether every array agrees."""
        return all(row.ok for row in self.rows)

    def __repr__(self):
        cells = [("", "array", "relative error", "worst at", "backward", "numerical")]
        for row in self.rows:
            index = f"[{', '.join(map(str, row.index))}]"
            values = (f"{row.error:.1e}", index, f"{row.backward:.6g}", f"{row.numerical:.6g}")
            cells.append(("✓" if row.ok else "✗", row.name, *values))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            f"{mark:{widths[0]}} {name:{widths[1]}}"
            + "".join(f"  {cell:>{width}}" for cell, width in zip(rest, widths[2:], strict=True))
            for mark, name, *rest in cells
        )


def check_layer(layer, x, rng):
    """Compare a layer's backward pass with numerical gradients.

    The gradients are those of Σ forward(x)·dy with a random dy, as an upstream gradient of ones
    cannot see a transposition. What a gradient check cannot see at all is a backward that agrees
    with a wrong forward.

    Parameters
    ----------
    layer : layer
        Or a network of layers; any object with ``forward(x)`` and ``backward(dy)``. Its
        parameters are as before when this returns or raises; what forward kept is not, so call
        forward again before backward.
    x : array of float64
        An input. Keep it small: forward runs twice for each entry of x and of each parameter. Keep
        it random: at a kink, as 0 in ReLU or a tie in MaxPool2D, there is no derivative.
    rng : numpy.random.Generator or int
        Draws dy.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        When x is not an array of float64, or the layer returns something else.
    AttributeError
        When backward did not set the gradient of a parameter.
    ValueError
        When a gradient has another shape than its array.

    Examples
    --------
    >>> from cnnlib.layers import Conv2D
    >>> rng = np.random.default_rng(0)
    >>> report = check_layer(Conv2D(3, 2, (2, 4), rng=rng), rng.normal(size=(1, 3, 6, 5)), rng)
    >>> report.ok
    True
    >>> [row.name for row in report.rows]
    ['dx', 'dW', 'db']
    """
    _refuse_coarse("check_layer", x)
    dy = np.random.default_rng(rng).normal(size=_call(layer, "forward", x).shape)
    dx = _call(layer, "backward", dy)
    # Every gradient is copied before forward runs again, which may reuse the memory it lives in.
    learnt = [(owner, name, _gradient(owner, name)) for owner, name in parameters(layer)]

    def total(x):
        return np.sum(_call(layer, "forward", x) * dy)

    rows = [_compare("dx", dx, numerical_gradient(total, x.copy()))]
    for owner, name, gradient in learnt:
        original = getattr(owner, name)

        def total_with(array, owner=owner, name=name):
            setattr(owner, name, array)
            return total(x)

        try:
            numerical = numerical_gradient(total_with, np.array(original, np.float64))
        finally:
            setattr(owner, name, original)
        rows.append(_compare(_label(layer, owner, name), gradient, numerical))
    return Report(tuple(rows))


def _call(layer, method, array):
    """Hand over a copy, as a wrong layer may change what it gets, and copy the result."""
    result = getattr(layer, method)(array.copy())
    if getattr(result, "dtype", None) != np.float64:
        raise TypeError(
            f"check_layer: {type(layer).__name__}.{method} got an array of float64 and returned "
            f"{_kind(result)}, but must return an array of the same dtype; is a return missing?"
        )
    return np.array(result)


def _gradient(owner, name):
    gradient = getattr(owner, f"d{name}", None)
    if gradient is None:
        raise AttributeError(
            f"check_layer: {type(owner).__name__} has {name}, but after its backward it has no "
            f"d{name}; backward must set self.d{name} to the gradient by {name}"
        )
    return np.array(gradient)


def _compare(name, backward, numerical):
    if backward.shape != numerical.shape:
        raise ValueError(
            f"check_layer: {name} has shape {backward.shape}, but must be {numerical.shape}, "
            "the shape of the array it is the gradient by"
        )
    error = relative_error(backward, numerical)
    # argmax takes a NaN for the largest, which is where to look.
    index = np.unravel_index(np.abs(backward - numerical).argmax(), backward.shape)
    return Comparison(
        name,
        error,
        tuple(int(i) for i in index),
        float(backward[index]),
        float(numerical[index]),
    )


def _label(layer, owner, name):
    """dW for a layer's own W; layers[1].dW for that of a layer inside."""
    if owner is layer:
        return f"d{name}"
    for place, inner in enumerate(layer.layers):
        if any(owner is each for each, _ in parameters(inner)):
            return f"layers[{place}].{_label(inner, owner, name)}"


def _refuse_coarse(where, x):
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        raise TypeError(
            f"{where}: x is {_kind(x)}, but must be an array of float64, as integers cut a small step "
            "off and float32 rounds it away; use np.asarray(x, dtype=np.float64)"
        )


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"


def _number(value):
    value = np.asarray(value)
    if value.size != 1:
        raise TypeError(
            f"numerical_gradient: f returned an array of shape {value.shape}, but must return one "
            "number; for a layer, np.sum(layer.forward(x) * dy)"
        )
    if value.dtype in (np.float16, np.float32):
        raise TypeError(
            f"numerical_gradient: f returned {value.dtype}, too coarse to see a small step; "
            "let f compute in float64"
        )
    return float(value.item())
