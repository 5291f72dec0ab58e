"""What goes wrong in a training loop: shuffling and batches, the order of the calls, what is measured and returned."""

import numpy as np

from cnnlib.misconceptions import misconception

# ---------------------------------------------------------------------------- a loop with parts to exchange


def _shuffled(rng, count, epochs):
    """An order of all pictures for each epoch."""
    for _ in range(epochs):
        yield rng.permutation(count)


def _dealt(order, size):
    return [order[start : start + size] for start in range(0, len(order), size)]


def _learn(network, loss, optimizer, x, y):
    value = loss.forward(network.forward(x), y)
    network.backward(loss.backward())
    optimizer.step()
    return value


def _accuracy(network, images, labels):
    return np.mean(network.forward(images).argmax(axis=1) == labels)


def _train(
    network,
    loss,
    optimizer,
    training,
    validation,
    epochs,
    batch_size,
    rng,
    *,
    orders=_shuffled,
    deal=_dealt,
    learn=_learn,
    told=np.mean,
    measure=_accuracy,
):
    """A right training loop, of which each misconception exchanges a part."""
    images, labels = training
    history = []
    for order in orders(rng, len(images), epochs):
        losses = [
            learn(network, loss, optimizer, images[batch], labels[batch])
            for batch in deal(order, batch_size)
        ]
        history.append((told(losses), measure(network, *validation)))
    return history


# ---------------------------------------------------------------------------- shuffling

_SHUFFLE = "Which line shuffles, and how often does it run?"
_RNG = "Which generator was handed to train?"


@misconception(
    "train_steps",
    says="You don't shuffle: every epoch takes the pictures in the order of the file.",
    hint="What is `rng` there for? A file may be sorted, all shirts first.",
)
def no_shuffling(*given):
    return _train(*given, orders=lambda rng, count, epochs: [np.arange(count)] * epochs)


@misconception(
    "train_steps",
    says="You shuffle once, and every epoch goes through the pictures in that same order.",
    hint=_SHUFFLE,
)
def shuffled_once(*given):
    return _train(*given, orders=lambda rng, count, epochs: [rng.permutation(count)] * epochs)


@misconception(
    "train_steps",
    says="The first epoch is in the order of the file; you shuffle only behind it.",
    hint=_SHUFFLE,
)
def shuffled_too_late(*given):
    def orders(rng, count, epochs):
        order = np.arange(count)
        for _ in range(epochs):
            yield order.copy()
            rng.shuffle(order)

    return _train(*given, orders=orders)
