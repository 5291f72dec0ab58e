"""Whether a layer's Python goes from pixel to pixel."""

import sys

import numpy as np


def _steps(action) -> int:
    """How many steps of Python an action takes, whoever's code they are in: the same on every machine."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def _goes_over_pixels(steps) -> bool:
    """Whether `steps(H, W)` grows with the product of H and W.

    A loop over rows alone, or over columns alone, cancels out; so does whatever is done once.
    """
    return steps(9, 8) - steps(9, 5) - steps(6, 8) + steps(6, 5) > 0


def over_pixels(layer_class, *, arguments, settings, maps):
    """Whether forward, and whether backward, loops over pixels."""

    def forward(H, W):
        layer = layer_class(*arguments, **settings)
        return _steps(lambda: layer.forward(np.ones((1, maps, H, W))))

    def backward(H, W):
        layer = layer_class(*arguments, **settings)
        dy = np.ones_like(layer.forward(np.ones((1, maps, H, W))))
        return _steps(lambda: layer.backward(dy))

    forward(6, 5), backward(6, 5)  # what is only done the first time should not count
    return np.array([float(_goes_over_pixels(steps)) for steps in (forward, backward)])
