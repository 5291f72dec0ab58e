"""The networks that are measured, made of any module's layers."""

import numpy as np

from cnnlib import layers
from cnnlib.layers import ReLU, parameters
from cnnlib.network import Sequential


def built(make, module, rng):
    """Return a network with weights in float32, as PyTorch has them."""
    network = Sequential(make(module, rng))
    for owner, name in parameters(network):
        setattr(owner, name, getattr(owner, name).astype(np.float32))
    return network


def ends(module):
    """Flatten and Dense: the module's own where it has them."""
    return (getattr(module, name, getattr(layers, name)) for name in ("Flatten", "Dense"))


def two_convolutions(module, rng):
    Flatten, Dense = ends(module)
    return [
        module.Conv2D(1, 8, 3, rng=rng),
        ReLU(),
        module.MaxPool2D(2),
        module.Conv2D(8, 16, 3, rng=rng),
        ReLU(),
        module.MaxPool2D(2),
        Flatten(),
        Dense(400, 10, rng=rng),
    ]


def lenet(module, rng):
    """LeNet-5 with ReLU and max-pooling, as it is usually built today."""
    Flatten, Dense = ends(module)
    return [
        module.Conv2D(1, 6, 5, padding=2, rng=rng),
        ReLU(),
        module.MaxPool2D(2),
        module.Conv2D(6, 16, 5, rng=rng),
        ReLU(),
        module.MaxPool2D(2),
        Flatten(),
        Dense(400, 120, rng=rng),
        ReLU(),
        Dense(120, 84, rng=rng),
        ReLU(),
        Dense(84, 10, rng=rng),
    ]


def colour(module, rng):
    """Four convolutions on pictures of 32×32 pixels in colour."""

    def pair(C, F):
        return [
            module.Conv2D(C, F, 3, padding=1, rng=rng),
            ReLU(),
            module.Conv2D(F, F, 3, padding=1, rng=rng),
            ReLU(),
            module.MaxPool2D(2),
        ]

    Flatten, Dense = ends(module)
    return [
        *pair(3, 32),
        *pair(32, 64),
        Flatten(),
        Dense(4096, 256, rng=rng),
        ReLU(),
        Dense(256, 10, rng=rng),
    ]


def fashion(module, rng):
    """The network that reaches 90 % on Fashion-MNIST.

    It pools before each ReLU: that computes the same, and leaves ReLU a quarter of the work.
    """
    Flatten, Dense = ends(module)
    return [
        module.Conv2D(1, 8, 3, padding=1, rng=rng),
        module.MaxPool2D(2),
        ReLU(),
        module.Conv2D(8, 16, 3, padding=1, rng=rng),
        module.MaxPool2D(2),
        ReLU(),
        Flatten(),
        Dense(784, 64, rng=rng),
        ReLU(),
        Dense(64, 10, rng=rng),
    ]


def digits(module, rng):
    """The same for pictures of 8×8 pixels, with few kernels: small enough for layers with loops."""
    Flatten, Dense = ends(module)
    return [
        module.Conv2D(1, 4, 3, padding=1, rng=rng),
        ReLU(),
        module.MaxPool2D(2),
        module.Conv2D(4, 8, 3, padding=1, rng=rng),
        ReLU(),
        module.MaxPool2D(2),
        Flatten(),
        Dense(32, 10, rng=rng),
    ]
