"""Layers with weights: what they have after backward, and whether W and b are still what they were."""

import warnings

import numpy as np

from cnnlib.scripts.outcome import own_lines


def give(layer, W, b):
    """Let a new layer compute with these weights; its own W has to have their axes, if it has as many."""
    made = getattr(layer, "W", W)
    if np.ndim(made) == W.ndim and np.shape(made) != W.shape:
        raise ValueError(f"__init__ makes a W of shape {np.shape(made)}, not {W.shape}")
    layer.W, layer.b = W.copy(order="K"), b.copy()


def hand_back(layer, W, b):
    """Bring the layer's W and b to where it is noticed if they are no longer what they were."""
    W[...], b[...] = layer.W, layer.b


def gradient(layer, name, dy):
    """What the gradient called `name` is after backward.

    dW and db also count where backward stops after it has set them, or has written into them: the
    next part of it may not be written yet. But where a line on the way to the stop names the
    gradient, or where that is still all zeros, it is not there yet.
    """
    if name == "dx":
        return layer.backward(dy)

    def now():
        try:
            return getattr(layer, name)
        except Exception:  # a property may look it up where nothing is kept yet
            return None

    def untouched():
        return now() is before and _written_out(before) == kept

    before = now()
    kept = _written_out(before)
    try:
        layer.backward(dy)
    except NotImplementedError:
        if untouched():
            raise
    except Exception as stopped:
        at_it = any(name in line for line in own_lines(stopped))
        if at_it or not np.any(now()) or untouched():
            raise
        warnings.warn(f"backward stopped later, with {stopped!r}", stacklevel=1)
    return getattr(layer, name)


def _written_out(value) -> bytes | str:
    """What is in an array, bit by bit: of a NaN, too, it shows whether it is the old one."""
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)
