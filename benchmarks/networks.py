"""The networks that are measured, made of any module's layers."""

from cnnlib.layers import Dense, Flatten, ReLU


def two_convolutions(module, rng):
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


def fashion(module, rng):
    """The network that reaches 90 % on Fashion-MNIST.

    It pools before each ReLU: that computes the same, and leaves ReLU a quarter of the work.
    """
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
