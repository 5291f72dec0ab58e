"""The checks of the training loop: legal loops pass, wrong ones are told what they did."""

import doctest
import linecache
import random
import textwrap
from dataclasses import replace

import numpy as np
import pytest

from cnnlib import check
from cnnlib.check import diary
from cnnlib.check import training as checks
from cnnlib.check.engine import attempt

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
        ("x, y = images[batch]", "x, y = images[batch].astype(np.float32)"),
        ("scores, y)", "scores.astype(np.float32), y)"),
        ("loss.backward()", "loss.backward().astype(np.float32)"),
    ),
    "NumPy's numbers": loop(
        ("sum(losses) / len(losses), accuracy", "np.float64(np.mean(losses)), np.float64(accuracy)")
    ),
    "images as they are, labels as a list": loop(
        ("images, labels = training", "images, labels = training[0], training[1].tolist()"),
        ("labels[batch]", "np.array([labels[k] for k in batch])"),
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize("train", RIGHT.values(), ids=RIGHT)
def test_every_right_loop_passes(train):
    assert check.train_steps.failure(train) is None
    assert check.train_history.failure(train) is None


# ---------------------------------------------------------------------------- wrong loops

# Lines of the right loop, to be exchanged.
ORDER = "order = rng.permutation(len(images))"
LOOPS = "for start in range(0, len(images), batch_size):"
PICKS = "batch = order[start : start + batch_size]"
PAIR = "x, y = images[batch], labels[batch]"
LOSS = "losses.append(loss.forward(scores, y))"
BACK = "dscores = loss.backward()"
WALK = "network.backward(dscores)"
STEP = "optimizer.step()"
SCORES = "scores = network.forward(validation[0])"
SHARE = "accuracy = (scores.argmax(axis=1) == validation[1]).mean()"
ENTRY = "history.append((sum(losses) / len(losses), accuracy))"

# Loops that no misconception was written for, and what each has to be told.
WRONG_STEPS = {
    "order from shuffle, which returns None": (
        loop((ORDER, "order = rng.shuffle(np.arange(len(images)))")),
        "'NoneType' object is not subscriptable",
    ),
    "permutation of the wrong length": (
        loop((ORDER, "order = rng.permutation(batch_size)")),
        "Network.forward: x has shape (0, 1, 2, 3): a batch without a",
    ),
    "permutation of the labels' values": (
        loop((ORDER, "order = rng.permutation(labels)")),
        "index 10 is out of bounds for axis 0 with size 10",
    ),
    "sorted again": (
        loop((ORDER, ORDER + "; order.sort()")),
        "You don't shuffle: every epoch takes the pictures in the order of the file",
    ),
    "reversed in place of shuffled": (
        loop((ORDER, "order = np.arange(len(images))[::-1]")),
        "All epochs have the same order, and it does not come from `rng`",
    ),
    "rolled by the epoch": (
        loop((ORDER, "order = np.roll(np.arange(len(images)), epoch)")),
        "The pictures come in the order of the file: nothing is shuffled",
    ),
    "shuffled every second epoch": (
        loop((ORDER, "if epoch % 2 == 0:\n        " + ORDER)),
        "Each epoch has the same order as the one before",
    ),
    "seeded with the epoch": (
        loop((ORDER, "order = np.random.default_rng(epoch).permutation(len(images))")),
        "Whatever `rng` is, you shuffle in the same way: your random numbers come from somewhere else",
    ),
    "seeded with the time": (
        loop(
            (
                "history = []",
                "history = []; import time; rng = np.random.default_rng(time.time_ns())",
            )
        ),
        "You shuffle with random numbers that don't come from `rng`, so nobody can repeat a run",
    ),
    "shuffle of X, Y in one line": (
        loop(
            (ORDER, "X, Y = rng.permutation(images), rng.permutation(labels)"),
            (PICKS, "batch = slice(start, start + batch_size)"),
            (PAIR, "x, y = X[batch], Y[batch]"),
        ),
        "Pictures and labels come in two different orders, so most pictures meet a wrong label",
    ),
    "labels at the counter": (
        loop((PAIR, "x, y = images[batch], labels[start : start + batch_size]")),
        "The pictures are shuffled, the labels are not: they still come in the order of the file",
    ),
    "batch's labels by value": (
        loop((PAIR, "x, y = images[batch], labels[labels[batch] % len(labels)]")),
        "Pictures and labels come in two different orders, so most pictures meet a wrong label",
    ),
    "labels sorted": (
        loop((PAIR, "x, y = images[batch], np.sort(labels[batch])")),
        "The loss compares scores with labels of other pictures",
    ),
    "indices sorted for the labels only": (
        loop((PAIR, "x, y = images[batch], labels[np.sort(batch)]")),
        "The loss compares scores with labels of other pictures",
    ),
    "labels of the first batch kept": (
        loop(
            (
                PAIR,
                "x = images[batch]\n        if start == 0:\n            y0 = labels[batch]\n        y = y0[: len(x)]",
            )
        ),
        "The loss compares scores with labels of other pictures",
    ),
    "labels one behind": (
        loop((PAIR, "x, y = images[batch], labels[batch - 1]")),
        "Pictures and labels come in two different orders, so most pictures meet a wrong label",
    ),
    "images in place by order": (
        loop(
            (ORDER, ORDER + "\n    images[:] = images[order]\n    labels[:] = labels[order]"),
            (PICKS, "batch = slice(start, start + batch_size)"),
        ),
        "You shuffle the arrays that you were given",
    ),
    "drawn with choice, default": (
        loop((PICKS, "batch = rng.choice(len(images), batch_size)")),
        "You draw each batch at random from all pictures, so in an epoch some come several times and others never",
    ),
    "drawn with choice, capped": (
        loop(
            (PICKS, "batch = rng.choice(len(images), min(batch_size, len(images)), replace=False)")
        ),
        "You draw each batch at random from all pictures, so in an epoch some come several times and others never. where",
    ),
    "length of the pair": (
        loop(
            (ORDER, "N = len(training); order = rng.permutation(N)"), ("(0, len(images),", "(0, N,")
        ),
        "You count two pictures: len(training) counts the things in the pair",
    ),
    "length of the pair in the range": (
        loop(("(0, len(images),", "(0, len(training),")),
        "You count two pictures: len(training) counts the things in the pair",
    ),
    "images become those of validation": (
        loop(
            (SCORES, "images, truth = validation; scores = network.forward(images)"),
            ("== validation[1]", "== truth"),
        ),
        "Your loop begins with the right pictures, and goes on with validation pictures",
    ),
    "each batch begins at the first": (
        loop((PICKS, "batch = order[:batch_size]")),
        "All batches of an epoch hold the same pictures: the first ones of its order",
    ),
    "no end of the slice": (
        loop((PICKS, "batch = order[start:]")),
        "Each batch goes on to the end of the epoch's order",
    ),
    "pictures shuffled where they are": (
        loop(
            (ORDER, "rng.shuffle(images)"),
            (PICKS, "batch = slice(start, start + batch_size)"),
        ),
        "You shuffle the array of pictures that you were given: it is changed",
    ),
    "yields": (
        loop((ENTRY, "yield np.mean(losses), accuracy")),
        "Nothing happens: train calls neither the network, nor the loss, nor the optimizer",
    ),
    "loops over a number": (
        loop(("range(epochs)", "epochs")),
        "where 10 pictures, batch_size 3, 3 epochs: the last batch of each epoch is smaller error TypeError: 'int' "
        "object is not iterable",
    ),
    "backward of the loss with arguments": (
        loop(("loss.backward()", "loss.backward(scores, y)")),
        "hint Count what this call hands over, and what it asks for",
    ),
    "drawn with integers, one too few": (
        loop((PICKS, "batch = rng.integers(0, len(images) - 1, batch_size)")),
        "You draw each batch at random from all pictures, so in an epoch some come several times and others never",
    ),
    "random start": (
        loop((PICKS, "start = rng.integers(0, len(images)); " + PICKS)),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "np.random.shuffle": (
        loop((ORDER, "order = np.arange(len(images)); np.random.shuffle(order)")),
        "You shuffle with NumPy's global random numbers, and not with `rng`",
    ),
    "random.shuffle of a list": (
        loop((ORDER, "order = list(range(len(images))); random.shuffle(order)")),
        "You shuffle with Python's `random`, and not with `rng`",
    ),
    "own order through argsort of labels": (
        loop((ORDER, "order = labels.argsort()")),
        "All epochs have the same order, and it does not come from `rng`",
    ),
    "batch of a boolean": (
        loop((PICKS, "batch = order < start + batch_size")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "step of the range forgotten, no break": (
        loop(
            (LOOPS, "for start in range(0, len(images)):"),
            (PICKS, "batch = order[start * batch_size : (start + 1) * batch_size]"),
        ),
        "Network.forward: x has shape (0, 1, 2, 3): a batch without a",
    ),
    "round for the number of batches": (
        loop(
            (LOOPS, "for k in range(round(len(images) / batch_size)):"),
            (PICKS, "batch = order[k * batch_size : (k + 1) * batch_size]"),
        ),
        "The last pictures of each epoch, too few for a whole batch, are left out",
    ),
    "number of batches is a float": (
        loop(
            (LOOPS, "for k in range(len(images) / batch_size):"),
            (PICKS, "batch = order[k * batch_size : (k + 1) * batch_size]"),
        ),
        "'float' object cannot be interpreted as an integer",
    ),
    "k not times batch_size": (
        loop(
            (LOOPS, "for k in range(-(-len(images) // batch_size)):"),
            (PICKS, "batch = order[k : k + batch_size]"),
        ),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "minus one in the range": (
        loop((LOOPS, "for start in range(0, len(images) - 1, batch_size):")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "one more batch": (
        loop(
            (LOOPS, "for k in range(len(images) // batch_size + 1):"),
            (PICKS, "batch = order[k * batch_size : (k + 1) * batch_size]"),
        ),
        "Network.forward: x has shape (0, 1, 2, 3): a batch without a",
    ),
    "break at the smaller batch": (
        loop((PICKS, PICKS + "\n        if len(batch) < batch_size:\n            break")),
        "The last pictures of each epoch, too few for a whole batch, are left out",
    ),
    "break behind the step": (
        loop((STEP, STEP + "\n        break")),
        "Each epoch learns from its first batch only",
    ),
    "continue too early": (
        loop((BACK, "continue\n        " + BACK)),
        "No gradient ever walks back through the network",
    ),
    "array_split by batch_size": (
        loop((LOOPS, "for batch in np.array_split(order, batch_size):"), (PICKS, "pass")),
        "You make batch_size batches, where each batch should have batch_size pictures",
    ),
    "reshape into batches": (
        loop((LOOPS, "for batch in order.reshape(-1, batch_size):"), (PICKS, "pass")),
        "cannot reshape array of size 10 into shape (3)",
    ),
    "while without progress": (
        loop((LOOPS, "start = 0\n    while start < len(images):")),
        "after 1000 calls, train is still calling network.forward; do",
    ),
    "a single picture, no batch axis": (
        loop((LOOPS, "for batch in order:"), (PICKS, "pass")),
        "Network.forward: x has shape (1, 2, 3), but must be (N, 1, 2",
    ),
    "batches of batches": (
        loop((LOOPS, "for start in range(0, batch_size):")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "pictures flattened": (
        loop((PAIR, "x, y = images[batch].reshape(len(batch), -1), labels[batch]")),
        "Network.forward: x has shape (3, 6), but must be (N, 1, 2, 3",
    ),
    "channels last": (
        loop((PAIR, "x, y = images[batch].transpose(0, 2, 3, 1), labels[batch]")),
        "Network.forward: x has shape (3, 2, 3, 1), but must be (N, 1",
    ),
    "training not unpacked": (
        loop(("images, labels = training", "images, labels = training[0]")),
        "too many values to unpack (expected 2)",
    ),
    "training zipped": (
        loop(("images, labels = training", "images, labels = zip(training)")),
        "only integer scalar arrays can be converted to a scalar inde",
    ),
    "len of the pair": (
        loop((ORDER, "order = rng.permutation(len(training))")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "one-hot labels": (
        loop((PAIR, "x, y = images[batch], np.eye(12)[labels[batch]]")),
        "SoftmaxCrossEntropy.forward: labels has shape (3, 12), like",
    ),
    "labels as a column": (
        loop((PAIR, "x, y = images[batch], labels[batch, None]")),
        "SoftmaxCrossEntropy.forward: labels has shape (3, 1) but log",
    ),
    "last batch wraps by modulo": (
        loop((PICKS, "batch = order[np.arange(start, start + batch_size) % len(order)]")),
        "You fill the last batch up with pictures that this epoch has already had",
    ),
    "epochs and batch_size swapped": (
        loop(
            ("range(epochs)", "range(batch_size)"),
            ("len(images), batch_size)", "len(images), epochs)"),
            ("start + batch_size", "start + epochs"),
        ),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "batch_size in place of the number of batches": (
        loop(
            (LOOPS, "for k in range(batch_size):"),
            (PICKS, "batch = order[k * batch_size : (k + 1) * batch_size]"),
        ),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "order not used": (
        loop((PICKS, "batch = slice(start, start + batch_size)")),
        "You don't shuffle: every epoch takes the pictures in the order of the file",
    ),
    "stratified pictures: first half only": (
        loop((ORDER, "order = rng.permutation(len(images) // 2)")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "a random one left out for a held-out set": (
        loop((ORDER, ORDER + "[len(images) // 5 :]")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "two epochs' steps in each": (
        loop((LOOPS, "for start in list(range(0, len(images), batch_size)) * 2:")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "epochs from 1": (
        loop(("for epoch in range(epochs):", "for epoch in range(1, epochs):")),
        "There is one epoch too few",
    ),
    "a global epochs": (
        loop(("for epoch in range(epochs):", "for epoch in range(5):")),
        "The number of steps is not that of all batches of all epochs",
    ),
    "loss.backward gets the loss": (
        loop((BACK, "dscores = loss.backward(losses[-1])")),
        "Loss.backward() takes 1 positional argument but 2 were given",
    ),
    "loss.backward gets scores and labels": (
        loop((BACK, "dscores = loss.backward(scores, y)")),
        "Loss.backward() takes 1 positional argument but 3 were given",
    ),
    "loss's arguments swapped": (
        loop((LOSS, "losses.append(loss.forward(y, scores))")),
        "SoftmaxCrossEntropy.forward: logits hold int64, but must hol",
    ),
    "loss of predictions": (
        loop((LOSS, "losses.append(loss.forward(scores.argmax(axis=1), y))")),
        "SoftmaxCrossEntropy.forward: logits hold int64, but must hol",
    ),
    "loss called": (
        loop((LOSS, "losses.append(loss(scores, y))")),
        "'Loss' object is not callable",
    ),
    "network called": (
        loop(("scores = network.forward(x)", "scores = network(x)")),
        "'Network' object is not callable",
    ),
    "zero_grad": (
        loop(
            (
                "scores = network.forward(x)",
                "optimizer.zero_grad()\n        scores = network.forward(x)",
            )
        ),
        "'Optimizer' object has no attribute 'zero_grad'",
    ),
    "network.train": (
        loop(("history = []", "history = []; network.train()")),
        "'Network' object has no attribute 'train'",
    ),
    "item of the loss": (
        loop((LOSS, "losses.append(loss.forward(scores, y).item())")),
        "'float' object has no attribute 'item'",
    ),
    "own gradient: p - y": (
        loop(
            (
                BACK,
                "p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True); dscores = p - np.eye(12)[y]",
            )
        ),
        "network.backward gets something that loss.backward did not return",
    ),
    "gradient of ones": (
        loop((BACK, "dscores = np.ones_like(scores)")),
        "network.backward gets something that loss.backward did not return",
    ),
    "labels walk back": (
        loop((WALK, "network.backward(y)")),
        "network.backward gets something that loss.backward did not return",
    ),
    "pictures walk back": (
        loop((WALK, "network.backward(x)")),
        "network.backward gets something that loss.backward did not return",
    ),
    "nothing walks back": (
        loop((WALK, "network.backward()")),
        "Network.backward() missing 1 required positional argument: '",
    ),
    "backward returns None, handed on": (
        loop((BACK, "dscores = network.backward(loss.backward())")),
        "network.backward gets something that loss.backward did not return",
    ),
    "gradient summed up over the epoch": (
        loop(
            ("losses = []", "losses, total = [], 0"),
            (
                BACK,
                "total = total + loss.backward().mean(axis=0); dscores = np.tile(total, (len(x), 1))",
            ),
        ),
        "network.backward gets something that loss.backward did not return",
    ),
    "gradient averaged over the batch": (
        loop((BACK, BACK + ".mean(axis=0)")),
        "network.backward gets something that loss.backward did not return",
    ),
    "gradient clipped": (
        loop((BACK, "dscores = np.clip(loss.backward(), -0.5, 0.5)")),
        "network.backward gets something that loss.backward did not return",
    ),
    "minus the gradient": (
        loop((BACK, "dscores = -loss.backward()")),
        "The gradient that loss.backward returned is scaled before it reaches network.backward",
    ),
    "divided by batch_size": (
        loop((BACK, BACK + " / batch_size")),
        "The gradient that loss.backward returned is scaled before it reaches network.backward",
    ),
    "gradient in place": (
        loop((BACK, BACK + "; dscores *= 0.1")),
        "The gradient that loss.backward returned is scaled before it reaches network.backward",
    ),
    "loss times the gradient": (
        loop((WALK, "network.backward(losses[-1] * dscores)")),
        "The gradient that loss.backward returned is scaled before it reaches network.backward",
    ),
    "backward in the epoch's end": (
        loop(
            (BACK, "pass"),
            (WALK, "pass"),
            (STEP, "pass"),
            (SCORES, "network.backward(loss.backward()); optimizer.step()\n    " + SCORES),
        ),
        "Each epoch learns from its last batch only",
    ),
    "step in a backward of validation": (
        loop(
            (
                SHARE,
                SHARE
                + "\n    loss.forward(scores, validation[1]); network.backward(loss.backward()); optimizer.step()",
            )
        ),
        "In each epoch, the network also learns from the validation pictures",
    ),
    "validation loss before backward": (
        loop(
            (BACK, "loss.forward(network.forward(validation[0]), validation[1])\n        " + BACK)
        ),
        "The network learns from validation pictures",
    ),
    "training accuracy before backward": (
        loop(
            (BACK, BACK + "\n        print((network.forward(images).argmax(1) == labels).mean())")
        ),
        "Between the forward and the backward of a batch, other pictures walk forward",
    ),
    "validation accuracy before backward": (
        loop((WALK, "network.forward(validation[0]); " + WALK)),
        "Between the forward and the backward of a batch, other pictures walk forward",
    ),
    "next batch fetched early": (
        loop(
            (
                BACK,
                BACK
                + "; network.forward(images[order[start + batch_size : start + 2 * batch_size]])",
            )
        ),
        "Network.forward: x has shape (0, 1, 2, 3): a batch without a",
    ),
    "forward behind the loss again": (
        loop((WALK, "network.forward(x[::-1]); " + WALK)),
        "The gradient of one batch walks back, but the last to walk forward were other pictures",
    ),
    "every second batch only gets a step": (
        loop((STEP, "if start // batch_size % 2:\n            " + STEP)),
        "Several gradients walk back before one step",
    ),
    "step only where the loss falls": (
        loop((STEP, "if len(losses) < 2 or losses[-1] < losses[-2]:\n            " + STEP)),
        "Several gradients walk back before one step",
    ),
    "step for each picture": (
        loop((STEP, "for _ in x:\n            " + STEP)),
        "optimizer.step() is called where no gradient has walked back since the step before",
    ),
    "step before forward of the next": (
        loop(
            ("scores = network.forward(x)", STEP + "; scores = network.forward(x)"),
            (WALK + "\n        optimizer.step()", WALK),
        ),
        "Your loop begins with the step, when this batch has no gradients yet",
    ),
    "step in the validation": (
        loop((SCORES, "optimizer.step(); " + SCORES)),
        "optimizer.step() is called where no gradient has walked back since the step before",
    ),
    "backward twice": (
        loop((WALK, WALK + "; network.backward(dscores)")),
        "Several gradients walk back before one step",
    ),
    "loss of all pictures, gradient of the batch": (
        loop(
            (
                "scores = network.forward(x)",
                "loss.forward(network.forward(images), labels); scores = network.forward(x)",
            ),
            (LOSS, "losses.append(0.0)"),
        ),
        "The gradient of one batch walks back, but the last to walk forward were other pictures",
    ),
    "normalised batch": (
        loop((PAIR, "x, y = (images[batch] - images.mean()) / images.std(), labels[batch]")),
        "The network does not see the pictures as you were given them: you change them first",
    ),
    "normalised in place": (
        loop(("history = []", "history = []; images -= images.mean()")),
        "You change the pictures in place",
    ),
    "noise on the pictures": (
        loop((PAIR, "x, y = images[batch] + rng.normal(size=images[batch].shape), labels[batch]")),
        "The network does not see the pictures as you were given them: you change them first",
    ),
    "mirrored pictures": (
        loop((PAIR, "x, y = images[batch][..., ::-1], labels[batch]")),
        "The network does not see the pictures as you were given them: you change them first",
    ),
    "softmax first": (
        loop(
            (
                LOSS,
                "p = np.exp(scores - scores.max(1, keepdims=True)); p /= p.sum(1, keepdims=True); losses.append(loss.forward(p, y))",
            )
        ),
        "You turn the scores into probabilities, and the loss does so once more",
    ),
    "scores shifted": (
        loop((LOSS, "losses.append(loss.forward(scores - scores.max(), y))")),
        "The loss gets something else than the scores that network.forward returned",
    ),
    "log of scores": (
        loop((LOSS, "losses.append(loss.forward(np.log(scores + 1), y))")),
        "The loss gets something else than the scores that network.forward returned",
    ),
    "returns in the batch loop": (
        loop(("    " + STEP, "    optimizer.step()\n        return [(losses[-1], 0.0)]")),
        "The batches of an epoch don't have the sizes that they should",
    ),
    "validation in training": (
        loop(
            (
                "images, labels = training",
                "images, labels = training; images = np.concatenate([images, validation[0]]); labels = np.concatenate([labels, validation[1]])",
            )
        ),
        "You mix the validation pictures with the training pictures",
    ),
    "validation for training": (
        loop(("images, labels = training", "images, labels = validation")),
        "The network learns from the validation pictures, and never sees the training pictures",
    ),
    "optimizer steps the network": (
        loop((STEP, "optimizer.step(network)")),
        "Optimizer.step() takes 1 positional argument but 2 were give",
    ),
    "optimizer.update": (
        loop((STEP, "optimizer.update()")),
        "'Optimizer' object has no attribute 'update'",
    ),
    "history made for each picture": (
        loop(("images, labels = training", "images, labels = training[0], training")),
        "only integer scalar arrays can be converted to a scalar inde",
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("train", "phrase"), WRONG_STEPS.values(), ids=WRONG_STEPS)
def test_a_wrong_loop_is_told_what_it_does(train, phrase):
    assert phrase in one_line(check.train_steps.failure(train))


WRONG_HISTORY = {
    "prints": (
        loop((ENTRY, "print(epoch, sum(losses) / len(losses), accuracy)"), ("return history", "")),
        "Nothing comes back from train: it returns None",
    ),
    "return of append": (
        loop(("return history", ""), (ENTRY, "history = " + ENTRY)),
        "'NoneType' object has no attribute 'append'",
    ),
    "history as dict": (
        loop((ENTRY, "history.append({'loss': np.mean(losses), 'accuracy': accuracy})")),
        "The entries of your list (dict) are no pairs of numbers",
    ),
    "a dict of lists": (
        loop(
            ("history = []", "history = {'loss': [], 'accuracy': []}"),
            (
                ENTRY,
                "history['loss'].append(np.mean(losses)); history['accuracy'].append(accuracy)",
            ),
        ),
        "What you return is no list with a pair of numbers for each epoch",
    ),
    "three numbers each": (
        loop((ENTRY, "history.append((epoch, np.mean(losses), accuracy))")),
        "What you return is no list with a pair of numbers for each epoch",
    ),
    "lists of losses": (
        loop((ENTRY, "history.append((losses, accuracy))")),
        "The entries of your list (tuple) are no pairs of numbers",
    ),
    "strings": (
        loop((ENTRY, "history.append(f'{np.mean(losses):.3f} {accuracy:.3f}')")),
        "The entries of your list (str) are no pairs of numbers",
    ),
    "strings of numbers": (
        loop((ENTRY, "history.append((f'{np.mean(losses):.3f}', f'{accuracy:.3f}'))")),
        "The entries of your list (tuple) are no pairs of numbers",
    ),
    "rounded": (
        loop((ENTRY, "history.append((round(np.mean(losses), 2), round(accuracy, 2)))")),
        "Your numbers are nearly right, as if they were rounded",
    ),
    "a zip": (
        loop(
            ("history = []", "means, shares = [], []"),
            (ENTRY, "means.append(np.mean(losses)); shares.append(accuracy)"),
            ("return history", "return zip(means, shares)"),
        ),
        "It returned a zip, which holds no pairs yet",
    ),
    "pair of lists": (
        loop(
            ("history = []", "means, shares = [], []"),
            (ENTRY, "means.append(np.mean(losses)); shares.append(accuracy)"),
            ("return history", "return means, shares"),
        ),
        "You return two lists, one of losses and one of accuracies",
    ),
    "a generator": (
        loop(
            (ENTRY, "yield np.mean(losses), accuracy"),
            ("history = []", "pass"),
            ("return history", ""),
        ),
        "It returned a generator, which holds no pairs yet",
    ),
    "history in the loop": (
        loop(("history = []", ""), ("losses = []", "losses, history = [], []")),
        "Your list has the last epoch's pair only",
    ),
    "return in the epoch loop": (
        loop(("return history", ""), (ENTRY, ENTRY + "\n    return history")),
        "train ends with its first epoch",
    ),
    "mean of the last step's scores": (
        loop((ENTRY, "history.append((np.mean(scores), accuracy))")),
        "The accuracies are right, the losses are not",
    ),
    "loss with a decay": (
        loop(
            (
                LOSS,
                "value = loss.forward(scores, y); losses.append(0.9 * losses[-1] + 0.1 * value if losses else value)",
            )
        ),
        "The accuracies are right, the losses are not",
    ),
    "mean over epochs": (
        loop(
            ("history = []", "history, losses = [], []"), ("losses = []\n    for", "pass\n    for")
        ),
        "The losses of earlier epochs still count: your list is never emptied",
    ),
    "divided by len(images)": (
        loop(("sum(losses) / len(losses)", "sum(losses) / len(images)")),
        "You add up the losses of the steps, and divide by the number of pictures",
    ),
    "divided by start": (
        loop(("sum(losses) / len(losses)", "sum(losses) / start")),
        "The accuracies are right, the losses are not",
    ),
    "times len twice": (
        loop(
            (LOSS, "losses.append(loss.forward(scores, y) * len(y))"),
            ("sum(losses) / len(losses)", "np.mean(losses) / batch_size"),
        ),
        "The accuracies are right, the losses are not",
    ),
    "running total over the epochs": (
        loop(
            ("history = []", "history, total = [], 0"),
            (LOSS, LOSS + "; total += losses[-1]"),
            ("sum(losses) / len(losses)", "total / len(losses)"),
        ),
        "The losses of earlier epochs are still in your sum",
    ),
    "smallest loss": (
        loop(("sum(losses) / len(losses)", "min(losses)")),
        "The accuracies are right, the losses are not",
    ),
    "loss measured on training again": (
        loop(("sum(losses) / len(losses)", "loss.forward(network.forward(images), labels)")),
        "The loss that you return is one from after the epoch, when all its steps are done",
    ),
    "loss measured on validation": (
        loop(("sum(losses) / len(losses)", "loss.forward(scores, validation[1])")),
        "The loss that you return is that of the validation pictures",
    ),
    "argmax of the wrong axis": (
        loop(("argmax(axis=1)", "argmax(axis=0)")),
        "operands could not be broadcast together with shapes (12,) (",
    ),
    "argmax without axis": (
        loop(("argmax(axis=1)", "argmax()")),
        "Your accuracy is 0 in every epoch, though some pictures are right",
    ),
    "max for argmax": (
        loop(("scores.argmax(axis=1)", "scores.max(axis=1)")),
        "Your accuracy is 0 in every epoch, though some pictures are right",
    ),
    "rounded scores": (
        loop(("scores.argmax(axis=1)", "scores.round().sum(axis=1)")),
        "The losses are right, the accuracies are not",
    ),
    "sum of hits": (
        loop((".mean()", ".sum()")),
        "You count the right ones, and don't divide by the number of pictures",
    ),
    "times 100": (loop((".mean()", ".mean() * 100")), "Your accuracy is in percent"),
    "unequal": (
        loop(("argmax(axis=1) == validation", "argmax(axis=1) != validation")),
        "You return the share of wrong pictures, not that of right ones",
    ),
    "scores of the last batch": (
        loop((SCORES, "pass"), ("== validation[1]", "== y")),
        "The accuracy is that of the scores of the epoch's last step, on pictures that the network learns from",
    ),
    "accuracy on the last batch anew": (
        loop((SCORES, "scores = network.forward(x)"), ("== validation[1]", "== y")),
        "You measure the accuracy on the last batch that the network has learned from, after its step",
    ),
    "accuracy on training": (
        loop((SCORES, "scores = network.forward(images)"), ("== validation[1]", "== labels")),
        "You measure the accuracy on the pictures that the network has learned from",
    ),
    "accuracy on training with validation's labels": (
        loop(
            (SCORES, "scores = network.forward(images)"),
            ("== validation[1]", "== validation[1][: len(scores)]"),
        ),
        "The losses are right, the accuracies are not",
    ),
    "validation forgotten": (
        loop((SCORES, ""), (SHARE, "accuracy = 0.0")),
        "Your accuracy is 0 in every epoch, though some pictures are right",
    ),
    "validated before the steps": (
        loop(
            (SCORES, ""),
            (SHARE, ""),
            (
                "losses = []",
                "losses = []\n    scores = network.forward(validation[0])\n    " + SHARE,
            ),
        ),
        "You measure the accuracy before the epoch's steps",
    ),
    "validated once behind all": (
        loop(
            (SCORES, ""),
            (SHARE, ""),
            (ENTRY, "history.append(sum(losses) / len(losses))"),
            (
                "return history",
                SCORES
                + "\naccuracy = (scores.argmax(axis=1) == validation[1]).mean()\nreturn [(value, accuracy) for value in history]",
            ),
        ),
        "You measure once, when all epochs are over, and give every epoch that accuracy",
    ),
    "validated in the batch loop": (
        loop(
            (SCORES, "pass"),
            (SHARE, "pass"),
            (
                STEP,
                "optimizer.step()\n        v = network.forward(validation[0]); accuracy = (v.argmax(axis=1) == validation[1]).mean()\n        "
                + ENTRY,
            ),
            (
                "    history.append((sum(losses) / len(losses), accuracy))\nreturn",
                "    pass\nreturn",
            ),
        ),
        "Your list has 12 pairs, for 3 epochs",
    ),
    "best so far": (
        loop(
            ("history = []", "history, best = [], 0"),
            (SHARE, SHARE + "\n    best = accuracy = max(best, accuracy)"),
        ),
        "The losses are right, the accuracies are not",
    ),
    "sum of batch means": (
        loop(
            (SCORES, "accuracy = 0"),
            (
                SHARE,
                "for k in range(0, len(validation[0]), batch_size):\n        s = network.forward(validation[0][k : k + batch_size])\n        accuracy += (s.argmax(axis=1) == validation[1][k : k + batch_size]).mean()",
            ),
        ),
        "The losses are right, the accuracies are not",
    ),
    "mean of batch means": (
        loop(
            (SCORES, "parts = []"),
            (
                SHARE,
                "for k in range(0, len(validation[0]), batch_size):\n        s = network.forward(validation[0][k : k + batch_size])\n        parts.append((s.argmax(axis=1) == validation[1][k : k + batch_size]).mean())\n    accuracy = np.mean(parts)",
            ),
        ),
        "You return the mean of the accuracies of several batches of validation pictures, so each picture of the smaller batch counts more than the others",
    ),
    "one random validation batch": (
        loop(
            (
                SCORES,
                "pick = rng.integers(0, len(validation[0]), 5); scores = network.forward(validation[0][pick])",
            ),
            ("== validation[1]", "== validation[1][pick]"),
        ),
        "The losses are right, the accuracies are not",
    ),
    "validation of batch's indices": (
        loop(
            (SCORES, "scores = network.forward(validation[0][batch])"),
            ("== validation[1]", "== validation[1][batch]"),
        ),
        "The losses are right, the accuracies are not",
    ),
    "divided by the classes": (
        loop((".mean()", ".sum() / scores.shape[1]")),
        "The losses are right, the accuracies are not",
    ),
    "right and wrong mixed up by labels": (
        loop(("== validation[1]", "== np.sort(validation[1])")),
        "The losses are right, the accuracies are not",
    ),
    "validation not a pair": (
        loop((SCORES, "scores = network.forward(validation)")),
        "setting an array element with a sequence. The requested arra",
    ),
    "accuracy as an array": (
        loop((".mean()", ".mean(keepdims=True)")),
        "The entries of your list (tuple) are no pairs of numbers",
    ),
    "booleans": (loop((".mean()", "")), "The entries of your list (tuple) are no pairs of numbers"),
    "pair in the other order": (
        loop(("(sum(losses) / len(losses), accuracy)", "(accuracy, sum(losses) / len(losses))")),
        "The two numbers of each pair have changed places",
    ),
    "extend": (
        loop((ENTRY, "history.extend((sum(losses) / len(losses), accuracy))")),
        "Losses and accuracies come one after the other in a flat list",
    ),
    "prepend": (
        loop((ENTRY, "history.insert(0, (sum(losses) / len(losses), accuracy))")),
        "Your list begins with the last epoch",
    ),
    "one list, changed": (
        loop(
            ("history = []", "history, pair = [], [0, 0]"),
            (ENTRY, "pair[:] = [np.mean(losses), accuracy]; history.append(pair)"),
        ),
        "Every entry is the pair of the last epoch: your list holds one and the same object several times",
    ),
    "losses not emptied, mean of last": (
        loop(
            ("history = []", "history, losses = [], []"),
            ("losses = []\n    for", "pass\n    for"),
            ("sum(losses) / len(losses)", "np.mean(losses[-batch_size:])"),
        ),
        "The accuracies are right, the losses are not",
    ),
    "the last batch dropped": (
        loop(
            (
                "range(0, len(images), batch_size)",
                "range(0, len(images) - batch_size + 1, batch_size)",
            )
        ),
        "What you return is right for the steps that your loop takes, but they are not the right ones",
    ),
    "two steps per batch": (
        loop((STEP, STEP + "; optimizer.step()")),
        "The steps of your loop are not right yet, and what you return depends on them",
    ),
    "accuracy of the loss": (
        loop((SHARE, "accuracy = 1 - losses[-1]")),
        "The losses are right, the accuracies are not",
    ),
    "exp of minus loss": (
        loop((SHARE, "accuracy = np.exp(-np.mean(losses))")),
        "The losses are right, the accuracies are not",
    ),
    "name of the accuracy lost": (
        loop((SHARE, "acc = (scores.argmax(axis=1) == validation[1]).mean()")),
        "name 'accuracy' is not defined",
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("train", "phrase"), WRONG_HISTORY.values(), ids=WRONG_HISTORY)
def test_a_wrong_history_is_told_what_it_is(train, phrase):
    assert phrase in one_line(check.train_history.failure(train))


# ---------------------------------------------------------------------------- what is shown


def test_a_mean_that_weighs_steps_by_their_pictures_is_told_what_it_is():
    """The exercise says that each step counts the same."""
    weighted = loop(
        (LOSS, "losses.append(loss.forward(scores, y) * len(y))"),
        ("sum(losses) / len(losses)", "sum(losses) / len(images)"),
    )
    failure = check.train_history.failure(weighted)
    assert failure.misconception.__name__ == "each_picture_counts_the_same"
    assert check.train_steps.failure(weighted) is None


def test_batches_that_run_only_once_are_no_return_in_the_loop():
    used_up = loop(
        ("history = []", "history, starts = [], iter(range(0, len(images), batch_size))"),
        (LOOPS, "for start in starts:"),
        ("sum(losses) / len(losses)", "np.mean(losses)"),
    )
    failure = check.train_steps.failure(used_up)
    assert failure.misconception.__name__ == "batches_used_up"


def test_the_page_of_the_diary_on_which_it_goes_wrong_is_shown():
    late = loop(
        (
            BACK + "\n        " + WALK + "\n        " + STEP,
            STEP + "; " + WALK.replace("dscores", "loss.backward()"),
        )
    )
    assert """
  diary  step 1
           network.forward(pictures 4, 6, 2)
           loss.forward(scores of 4, 6, 2; labels of 4, 6, 2)
           optimizer.step()
         step 2
           loss.backward()
           network.backward(gradient for 4, 6, 2)   ← here
""" in str(check.train_steps.failure(late))


def test_an_accuracy_of_other_pictures_shows_which_ones_the_network_saw():
    other = loop(
        (SCORES, "scores = network.forward(validation[0][:2])"),
        ("== validation[1]", "== validation[1][:2]"),
    )
    message = one_line(check.train_history.failure(other))
    assert "after them, the network was shown v0, v1 of" in message
    assert "its steps had the losses" in message


def test_steps_that_are_wrong_are_not_blamed_on_what_is_returned():
    short = loop(
        ("range(0, len(images), batch_size)", "range(0, len(images) - batch_size, batch_size)")
    )
    message = one_line(check.train_history.failure(short))
    assert "right for the steps that your loop takes" in message
    assert "its steps had" not in message


def test_not_written_is_not_wrong():
    def train(*given):
        raise NotImplementedError

    for c in (check.train_steps, check.train_history):
        failure = c.failure(train)
        assert isinstance(failure, check.NotWritten)
        assert str(failure).startswith(f"○ {c.title} is not written yet.")


def test_a_loop_that_is_wrong_now_and_then_is_told_so():
    calls = []

    def train(*given):
        calls.append(1)
        return RIGHT["as the exercise's"](*given) if len(calls) > 1 else None

    assert "right once, and wrong once" in one_line(check.train_steps.failure(train))


def test_the_stand_ins_tell_apart_what_the_exercise_asks_to_tell_apart():
    """Every accuracy and every loss that a wrong loop could mean is another number."""
    for setting in checks.SETTINGS:
        steps = len(setting.sizes)
        ends = [steps * epoch for epoch in range(setting.epochs + 1)]
        shares = [diary.right_after(end, checks.VALIDATION) / checks.VALIDATION for end in ends]
        assert len(set(shares[1:])) == len(set(shares[:-1])) == setting.epochs
        losses = [diary.value_after(k, v) for k in range(ends[-1] + 1) for v in (False, True)]
        assert len(set(losses)) == len(losses)


@pytest.mark.slow
def test_no_shuffle_of_a_right_loop_looks_like_none():
    """The rules about the order hold for every seed that a loop may make of its rng."""
    for setting in checks.SETTINGS:
        for seed in range(100):
            seeded = replace(setting, seed=seed)
            case = checks._run(seeded, lambda history, reading: reading)
            assert attempt(case, checks._train).value.broken == []
