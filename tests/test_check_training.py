"""The checks of the training loop: legal loops pass, wrong ones are told what they did."""

import doctest
import linecache
import random
import textwrap

import numpy as np
import pytest

from cnnlib import check
from cnnlib.check import diary
from cnnlib.check import training as checks

LOOP = """
images, labels = training
history = []
for epoch in range(epochs):
    order = rng.permutation(len(images))
    losses = []
    for start in range(0, len(images), batch_size):
        batch = order[start : start + batch_size]
        x, y = images[batch], labels[batch]
        scores = network.forward(x)
        losses.append(loss.forward(scores, y))
        dscores = loss.backward()
        network.backward(dscores)
        optimizer.step()
    scores = network.forward(validation[0])
    accuracy = (scores.argmax(axis=1) == validation[1]).mean()
    history.append((sum(losses) / len(losses), accuracy))
return history
"""


def loop(*edits, body=LOOP, helpers=""):
    """A training loop as a learner writes it: a body, with some lines exchanged for others."""
    for old, new in edits:
        assert body.count(old) >= 1, old
        body = body.replace(old, new)
    head = "def train(network, loss, optimizer, training, validation, epochs, batch_size, rng):\n"
    source = textwrap.dedent(helpers) + head + textwrap.indent(body.strip("\n"), "    ") + "\n"
    linecache.cache["<train>"] = (len(source), None, source.splitlines(keepends=True), "<train>")
    namespace = {"np": np, "random": random, "__name__": "__main__"}
    exec(compile(source, "<train>", "exec"), namespace)
    return namespace["train"]


def one_line(failure):
    return " ".join(str(failure).split())


def test_the_examples_run():
    assert doctest.testmod(diary).failed == 0
    assert doctest.testmod(checks).failed == 0


# ---------------------------------------------------------------------------- legal loops

RIGHT = {
    "as the exercise's": loop(),
    "shuffled indices": loop(
        (
            "order = rng.permutation(len(images))",
            "order = np.arange(len(images)); rng.shuffle(order)",
        )
    ),
    "one list of indices, shuffled again and again": loop(
        ("history = []", "history, order = [], list(range(len(images)))"),
        ("order = rng.permutation(len(images))", "rng.shuffle(order)"),
    ),
    "shuffled copies": loop(
        (
            "order = rng.permutation(len(images))",
            "order = rng.permutation(len(images)); X, Y = images[order], labels[order]",
        ),
        ("batch = order[start : start + batch_size]", "batch = slice(start, start + batch_size)"),
        ("images[batch], labels[batch]", "X[batch], Y[batch]"),
    ),
    "shuffled copies of shuffled copies": loop(
        (
            "order = rng.permutation(len(images))",
            "order = rng.permutation(len(images)); images, labels = images[order], labels[order]",
        ),
        ("batch = order[start : start + batch_size]", "batch = slice(start, start + batch_size)"),
    ),
    "pairs in a list": loop(
        (
            "order = rng.permutation(len(images))",
            "pairs = list(zip(images, labels)); rng.shuffle(pairs)",
        ),
        (
            "batch = order[start : start + batch_size]",
            "xs, ys = zip(*pairs[start : start + batch_size])",
        ),
        ("images[batch], labels[batch]", "np.stack(xs), np.array(ys)"),
    ),
    "order by random numbers": loop(
        ("rng.permutation(len(images))", "rng.random(len(images)).argsort()")
    ),
    "drawn without replacement": loop(
        ("rng.permutation(len(images))", "rng.choice(len(images), len(images), replace=False)")
    ),
    "split at the ends of batches": loop(
        (
            "for start in range(0, len(images), batch_size):",
            "for batch in np.split(order, range(batch_size, len(order), batch_size)):",
        ),
        ("batch = order[start : start + batch_size]", "pass"),
    ),
    "a while loop": loop(
        ("losses = []", "losses = []; rest = list(order)"),
        ("for start in range(0, len(images), batch_size):", "while rest:"),
        (
            "batch = order[start : start + batch_size]",
            "batch, rest = rest[:batch_size], rest[batch_size:]",
        ),
    ),
    "a count of batches": loop(
        (
            "for start in range(0, len(images), batch_size):",
            "for k in range(int(np.ceil(len(images) / batch_size))):",
        ),
        ("order[start : start + batch_size]", "order[k * batch_size : (k + 1) * batch_size]"),
    ),
    "a generator function": loop(
        (
            "for start in range(0, len(images), batch_size):",
            "for x, y in batches(images, labels, batch_size, rng):",
        ),
        ("batch = order[start : start + batch_size]", "pass"),
        ("x, y = images[batch], labels[batch]", "pass"),
        helpers="""
        def batches(images, labels, size, rng):
            order = rng.permutation(len(images))
            for start in range(0, len(order), size):
                batch = order[start : start + size]
                yield images[batch], labels[batch]

        """,
    ),
    "a generator of numbers of its own, made with rng": loop(
        ("history = []", "history, own = [], np.random.default_rng(rng.integers(1000))"),
        ("rng.permutation", "own.permutation"),
    ),
    "sorted within each batch": loop(
        ("order[start : start + batch_size]", "np.sort(order[start : start + batch_size])")
    ),
    "the smaller batch first": loop(
        (
            "for start in range(0, len(images), batch_size):",
            "for start in reversed(range(0, len(images), batch_size)):",
        )
    ),
    "in one line": loop(
        ("scores = network.forward(x)", "pass"),
        ("loss.forward(scores, y)", "loss.forward(network.forward(x), y)"),
        ("dscores = loss.backward()", "pass"),
        ("network.backward(dscores)", "network.backward(loss.backward())"),
    ),
    "gradient first, loss later": loop(
        ("losses.append(loss.forward(scores, y))", "value = loss.forward(scores, y)"),
        ("optimizer.step()", "optimizer.step(); losses.append(value)"),
    ),
    "forward twice": loop(
        ("scores = network.forward(x)", "network.forward(x); scores = network.forward(x)")
    ),
    "loss asked twice": loop(
        ("dscores = loss.backward()", "loss.backward(); dscores = loss.backward()")
    ),
    "each picture counts once": loop(
        (
            "losses.append(loss.forward(scores, y))",
            "losses.append(loss.forward(scores, y) * len(y))",
        ),
        ("sum(losses) / len(losses)", "sum(losses) / len(images)"),
    ),
    "validation in batches": loop(
        ("scores = network.forward(validation[0])", "right = 0"),
        (
            "accuracy = (scores.argmax(axis=1) == validation[1]).mean()",
            "for k in range(0, len(validation[0]), batch_size):\n"
            "        s = network.forward(validation[0][k : k + batch_size])\n"
            "        right += int((s.argmax(axis=1) == validation[1][k : k + batch_size]).sum())\n"
            "    accuracy = right / len(validation[0])",
        ),
    ),
    "validation picture by picture": loop(
        ("scores = network.forward(validation[0])", "right = 0"),
        (
            "accuracy = (scores.argmax(axis=1) == validation[1]).mean()",
            "for picture, label in zip(*validation):\n"
            "        right += network.forward(picture[None]).argmax() == label\n"
            "    accuracy = right / len(validation[1])",
        ),
    ),
    "validation in another order": loop(
        (
            "scores = network.forward(validation[0])",
            "turn = rng.permutation(len(validation[0])); scores = network.forward(validation[0][turn])",
        ),
        ("== validation[1]", "== validation[1][turn]"),
    ),
    "the loss of validation too": loop(
        ("accuracy =", "print(loss.forward(scores, validation[1])); accuracy ="),
    ),
    "measured before the first epoch too": loop(
        ("history = []", "history = []; network.forward(validation[0])"),
    ),
    "the loss of all pictures before the first step": loop(
        ("history = []", "history = []; print(loss.forward(network.forward(images), labels))"),
    ),
    "accuracy on both, one of them returned": loop(
        (
            "accuracy =",
            "seen = (network.forward(images).argmax(axis=1) == labels).mean(); accuracy =",
        ),
    ),
    "validation behind each step": loop(
        ("optimizer.step()", "optimizer.step(); network.forward(validation[0])"),
    ),
    "a picture of each step's scores": loop(
        (
            "losses.append(loss.forward(scores, y))",
            "losses.append(loss.forward(scores, y)); hit = scores.argmax(axis=1) == y",
        ),
    ),
    "lists of two": loop(
        (
            "history.append((sum(losses) / len(losses), accuracy))",
            "history.append([np.mean(losses), accuracy])",
        )
    ),
    "an array": loop(("return history", "return np.array(history)")),
    "two lists, zipped": loop(
        ("history = []", "means, shares = [], []"),
        (
            "history.append((sum(losses) / len(losses), accuracy))",
            "means += [np.mean(losses)]; shares += [accuracy]",
        ),
        ("return history", "return list(zip(means, shares))"),
    ),
    "sum kept as a number": loop(
        ("losses = []", "total, steps = 0.0, 0"),
        ("losses.append(loss.forward(scores, y))", "total += loss.forward(scores, y); steps += 1"),
        ("sum(losses) / len(losses)", "total / steps"),
    ),
    "recursion": loop(
        body="""
images, labels = training
if epochs == 0:
    return []
order, told = rng.permutation(len(images)), []
def learn(rest):
    if len(rest):
        now = rest[:batch_size]
        told.append(loss.forward(network.forward(images[now]), labels[now]))
        network.backward(loss.backward())
        optimizer.step()
        learn(rest[batch_size:])
learn(order)
right = network.forward(validation[0]).argmax(1) == validation[1]
pair = float(np.mean(told)), float(np.mean(right))
return [pair] + train(network, loss, optimizer, training, validation, epochs - 1, batch_size, rng)
""",
    ),
    "in float32": loop(
        ("sum(losses) / len(losses), accuracy", "float(np.mean(losses)), float(accuracy)")
    ),
}


@pytest.mark.parametrize("train", RIGHT.values(), ids=RIGHT)
def test_every_right_loop_passes(train):
    assert check.train_steps.failure(train) is None
    assert check.train_history.failure(train) is None
