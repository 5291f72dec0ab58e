"""Walks through layers; `layers` are the course's, which belong to earlier lessons."""

import numpy as np

from cnnlib.scripts.words import describe


class Stamp:
    """A layer that tells who was here: it writes its digit behind every number that passes.

    It does so on the way back too. That makes it no function with a gradient, but whoever walks
    through several can read off from what comes out which way they took.

    Examples
    --------
    >>> Stamp(2).forward(Stamp(1).forward(np.array([[0.0, 7.0]])))
    array([[ 12., 712.]])
    """

    def __init__(self, digit):
        self.digit = digit

    def forward(self, x):
        return 10 * x + self.digit

    def backward(self, dy):
        return 10 * dy + self.digit

    def __repr__(self):
        return f"Stamp({self.digit})"


def _stamps(layers):
    return [Stamp(1), Stamp(2), Stamp(3)]


def _single(layers):
    return [layers.Dense(3, 2, rng=1)]


def _dense(layers):
    return [layers.Dense(3, 4, rng=1), layers.ReLU(), layers.Dense(4, 2, rng=2)]


def _convolutional(layers):
    return [
        layers.Conv2D(2, 3, (2, 3), rng=1),
        layers.ReLU(),
        layers.MaxPool2D(2),
        layers.Flatten(),
        layers.Dense(18, 5, rng=2),
    ]


def _relu(layers):
    return [layers.ReLU()]


BUILD = {
    "stamps": _stamps,
    "single": _single,
    "dense": _dense,
    "convolutional": _convolutional,
    "relu": _relu,
}


def forward(sequential, x, *, layers, build):
    return sequential(BUILD[build](layers)).forward(x)


def forward_of_second_batch(sequential, first, x, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(first)
    return net.forward(x)


def forward_of_first_of_two(sequential, x, *, layers, build):
    net = sequential(BUILD[build](layers))
    sequential([Stamp(8), Stamp(9)]).forward(x)
    return net.forward(x)


def forward_after_new_weights(sequential, x, W, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(x)
    net.layers[0].W = W.copy()
    return net.forward(x)


def forward_after_backward(sequential, x, dy, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(x)
    net.backward(dy)
    return net.forward(x)


def backward(sequential, x, dy, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(x)
    return net.backward(dy)


def backward_of_second_batch(sequential, first, x, dy, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(first)
    net.forward(x)
    return net.backward(dy)


def backward_of_second_step(sequential, first, first_dy, x, dy, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(first)
    net.backward(first_dy)
    net.forward(x)
    return net.backward(dy)


def backward_twice(sequential, x, first_dy, dy, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(x)
    first_dx = net.backward(first_dy)
    dx = net.backward(dy)
    return np.concatenate([first_dx, dx])


def backward_of_first_of_two(sequential, x, dy, other, other_dy, *, layers, build):
    net, next_net = sequential(BUILD[build](layers)), sequential(BUILD[build](layers))
    net.forward(x)
    next_net.forward(other)
    next_net.backward(other_dy)
    return net.backward(dy)


def first_W_after_backward(sequential, x, dy, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(x)
    net.backward(dy)
    return net.layers[0].W


def first_dW_of_second_step(sequential, first, first_dy, x, dy, *, layers, build):
    net = sequential(BUILD[build](layers))
    net.forward(first)
    net.backward(first_dy)
    net.forward(x)
    net.backward(dy)
    dW = getattr(net.layers[0], "dW", None)
    if dW is None:
        raise RuntimeError("after net.backward(dy), net.layers[0] has no dW")
    return dW


def gradient_lengths(gradient_norms, x, dy, *, layers, network, build):
    net = network.Sequential(BUILD[build](layers))
    net.forward(x)
    norms = gradient_norms(net, dy)
    if not isinstance(norms, list | tuple):
        return norms
    for k, norm in enumerate(norms):
        if not isinstance(norm, int | float | np.number):
            raise NotALength(f"norms[{k}] is {describe(norm, 'an array')}, not a number.")
    return np.array(norms, float)


def forward_after_norms(gradient_norms, x, dy, *, layers, network, build):
    net = network.Sequential(BUILD[build](layers))
    net.forward(x)
    gradient_norms(net, dy)
    return net.forward(x)


class NotALength(ValueError):
    """Something else than a number stands among the lengths."""
