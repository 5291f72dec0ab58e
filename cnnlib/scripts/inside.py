"""What lesson 09 does with a network of the course's layers."""

import numpy as np


def build(layers, sizes):
    """A network for so many channels; or, of (C, H, W, K), a single Dense for such pictures."""
    return _dense(layers, *sizes) if len(sizes) > 1 else _convolutional(layers, *sizes)


def _dense(layers, C, H, W, K):
    return [layers.Flatten(), layers.Dense(C * H * W, K, rng=3)]


def _convolutional(layers, C):
    """For pictures of 5 by 8, and six classes."""
    conv = layers.Conv2D(C, 4, (2, 3), rng=1)
    conv.b = np.array([0.3, -0.2, 0.1, -0.4])  # without it, darker pictures have the same gradient
    return [
        conv,
        layers.ReLU(),
        layers.MaxPool2D(2),
        layers.Flatten(),
        layers.Dense(24, 6, rng=2),
    ]


def once(saliency, images, classes, W=None, *, layers, network, sizes):
    net = network.Sequential(build(layers, sizes))
    if W is not None:
        net.layers[-1].W = W  # not a copy, so that a change shows
    return saliency(net, images, classes)


def second_call(saliency, first_images, first_classes, images, classes, *, layers, network, sizes):
    net = network.Sequential(build(layers, sizes))
    saliency(net, first_images, first_classes)
    return saliency(net, images, classes)


def first_of_two_calls(
    saliency, images, classes, then_images, then_classes, *, layers, network, sizes
):
    net = network.Sequential(build(layers, sizes))
    maps = saliency(net, images, classes)
    saliency(net, then_images, then_classes)
    return maps


def after_a_forward(saliency, seen, images, classes, *, layers, network, sizes):
    net = network.Sequential(build(layers, sizes))
    net.forward(seen)
    return saliency(net, images, classes)


def weights_afterwards(saliency, images, classes, *, layers, network, sizes):
    net = network.Sequential(build(layers, sizes))
    saliency(net, images, classes)
    return net.layers[0].W


def counted(confusion_matrix, labels, predictions, *, classes):
    """Rows in a list are a matrix too, if they are K lists of K whole numbers."""
    counts = confusion_matrix(labels, predictions, classes)
    rows = counts if isinstance(counts, list | tuple) else ()
    whole = all(
        isinstance(row, list | tuple) and all(isinstance(n, int | np.integer) for n in row)
        for row in rows
    )
    return np.array(counts) if rows and whole and len({len(row) for row in rows}) == 1 else counts
