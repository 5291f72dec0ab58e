"""Calls of a training loop; its network, loss and optimizer are the check's, and write down what happens."""

import random

import numpy as np


def train(
    train,
    images,
    labels,
    validation_images,
    validation_labels,
    *,
    network,
    loss,
    optimizer,
    epochs,
    batch_size,
    seed,
):
    training, validation = (images, labels), (validation_images, validation_labels)
    rng = np.random.default_rng(seed)
    return train(network, loss, optimizer, training, validation, epochs, batch_size, rng)


def train_three_times(train_, *, networks, losses, optimizers, seeds, **rest):
    """Call it with generators of these seeds; whether it used NumPy's or Python's global random numbers."""
    np.random.random(), random.random()  # noqa: NPY002 – whoever sets a seed may have left this state before
    before = _global_states()
    for seed, network, loss, optimizer in zip(seeds, networks, losses, optimizers, strict=True):
        train(train_, network=network, loss=loss, optimizer=optimizer, seed=seed, **rest)
    return [now != then for now, then in zip(_global_states(), before, strict=True)]


def _global_states() -> tuple:
    """Of the random numbers that belong to nobody: NumPy's, and Python's."""
    _, keys, place, *_ = np.random.get_state()  # noqa: NPY002 – to see whether somebody uses it
    return (keys.tobytes(), place), random.getstate()
