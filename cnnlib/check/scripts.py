"""What the cases of a layer without weights do with it; `thing()` builds the learner's layer."""

import numpy as np

from cnnlib.gradcheck import numerical_gradient


def tagged(*shape: int) -> np.ndarray:
    """Numbers that say their own index: the entry [1, 2, 0, 3] is 1203."""
    index = np.indices(shape)
    return sum(index[k] * 10.0 ** (len(shape) - 1 - k) for k in range(len(shape)))


def forward(thing, x):
    return thing().forward(x)


def forward_of_second_batch(thing, first, x):
    layer = thing()
    layer.forward(first)
    return layer.forward(x)


def backward(thing, x, dy):
    layer = thing()
    layer.forward(x)
    return layer.backward(dy)


def backward_of_second_batch(thing, first, x, dy):
    layer = thing()
    layer.forward(first)
    layer.forward(x)
    return layer.backward(dy)


def first_of_two_backwards(thing, x, dy, then_dy):
    """The first result, looked at when the second call may have overwritten it."""
    layer = thing()
    layer.forward(x)
    dx = layer.backward(dy)
    layer.backward(then_dy)
    return dx


def second_of_two_backwards(thing, x, first_dy, dy):
    layer = thing()
    layer.forward(x)
    layer.backward(first_dy)
    return layer.backward(dy)


def backward_of_two_layers(thing, x, dy, other):
    layer, next_layer = thing(), thing()
    layer.forward(x)
    next_layer.forward(other)
    return layer.backward(dy)


def own_gradient(thing, x, dy, **_):
    """dx by finite differences of the learner's own forward."""
    layer = thing()
    x = x.astype(float)
    return numerical_gradient(lambda x: float((layer.forward(x.copy()) * dy).sum()), x)
