"""The checks of lesson 06: legal networks pass, wrong ones are told what they did, borrowed layers count for nobody."""

import doctest
import functools
import linecache
import shutil
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from wrong_answers import Wrong

from cnnlib import check, layers, mine, misconceptions, network, notebooks
from cnnlib.check import built
from cnnlib.misconceptions import conv as wrong_conv
from cnnlib.misconceptions import dense as wrong_dense
from cnnlib.misconceptions import flatten as wrong_flatten
from cnnlib.misconceptions import gradients as wrong_gradients
from cnnlib.misconceptions import network as wrong_network
from cnnlib.misconceptions import pool as wrong_pool

COURSE = notebooks.Course(Path(__file__).parents[1])


def one_line(failure):
    return " ".join(str(failure).split())


def defined(source, name, **namespace):
    """What a learner's cell defines, with the cell's lines where tracebacks look for them."""
    source = textwrap.dedent(source).strip() + "\n"
    cell = f"<{name}>"
    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    namespace |= {"np": np, "functools": functools, "__name__": "__main__"}
    exec(compile(source, cell, "exec"), namespace)
    return namespace[name]


def test_the_examples_run():
    assert doctest.testmod(sys.modules["cnnlib.check.network"]).failed == 0


# ---------------------------------------------------------------------------- Sequential

INIT = "self.layers = list(layers)"
THERE = """
for layer in self.layers:
    x = layer.forward(x)
return x
"""
BACK = """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy
"""


def sequential(forward=THERE, backward=BACK, init=INIT, helpers=""):
    """A Sequential as a learner writes it."""
    parts = [("__init__", "layers", init), ("forward", "x", forward), ("backward", "dy", backward)]
    body = "".join(
        f"    def {method}(self, {argument}):\n{textwrap.indent(code.strip(), ' ' * 8)}\n\n"
        for method, argument, code in parts
    )
    return defined(f"{helpers}\nclass Sequential:\n{body}", "Sequential")


RIGHT = {
    "loops": {},
    "indices": {
        "forward": "for i in range(len(self.layers)):\n    x = self.layers[i].forward(x)\nreturn x",
        "backward": "for i in range(len(self.layers) - 1, -1, -1):\n"
        "    dy = self.layers[i].backward(dy)\nreturn dy",
    },
    "functools": {
        "forward": "return functools.reduce(lambda a, layer: layer.forward(a), self.layers, x)",
        "backward": "return functools.reduce(lambda a, layer: layer.backward(a), "
        "reversed(self.layers), dy)",
    },
    "recursion": {
        "forward": "first, *rest = self.layers\ny = first.forward(x)\n"
        "return Sequential(rest).forward(y) if rest else y",
        "backward": "*rest, last = self.layers\ndx = last.backward(dy)\n"
        "return Sequential(rest).backward(dx) if rest else dx",
    },
    "everything kept": {
        "forward": "self.outputs = [x]\nfor layer in self.layers:\n"
        "    self.outputs.append(layer.forward(self.outputs[-1].copy()))\nreturn self.outputs[-1]",
        "backward": "gradients = [dy]\nfor layer in reversed(self.layers):\n"
        "    gradients.append(layer.backward(gradients[-1]))\nreturn gradients[-1]",
    },
    "turned round and back": {
        "backward": "self.layers.reverse()\nfor layer in self.layers:\n"
        "    dy = layer.backward(dy)\nself.layers.reverse()\nreturn dy",
    },
    "a tuple of layers": {"init": "self.layers = tuple(layers)"},
    "forward again first": {
        "forward": "self.x = x\n" + THERE.strip(),
        "backward": "self.forward(self.x)\n" + BACK.strip(),
    },
}


@pytest.mark.parametrize("code", RIGHT.values(), ids=RIGHT)
def test_every_right_way_to_walk_passes(code):
    right = sequential(**code)
    assert check.sequential_forward.failure(right) is None
    assert check.sequential_backward.failure(right) is None


# Wrong walks that no misconception was written for, and what each has to be told.
WRONG_THERE = {
    "hands on a pair": (
        """
for layer in enumerate(self.layers):
    x = layer.forward(x)
return x
""",
        "This name stands for a tuple, several things in one",
    ),
    "range of a list": (
        """
for i in range(self.layers):
    x = self.layers[i].forward(x)
return x
""",
        "range counts up to a whole number",
    ),
    "index one too far": (
        """
for i in range(len(self.layers)):
    x = self.layers[i + 1].forward(x)
return x
""",
        "Which place does this line ask for, and how long is the list?",
    ),
    "no return": (
        """
for layer in self.layers:
    x = layer.forward(x)
""",
        "It returned None",
    ),
    "all outputs of x": (
        "return [layer.forward(x) for layer in self.layers]",
        "It returned a list, not an array",
    ),
    "all outputs, chained": (
        """
outputs = []
for layer in self.layers:
    x = layer.forward(x)
    outputs.append(x)
return outputs
""",
        "It returned a list, not an array",
    ),
    "the layer, not its result": (
        """
for layer in self.layers:
    x = layer.forward(x)
return layer
""",
        "It returned something else than numbers",
    ),
    "an array of arrays": (
        """
outputs = [x]
for layer in self.layers:
    outputs.append(layer.forward(outputs[-1]))
return np.array(outputs, dtype=object)
""",
        "dtype object",
    ),
    "last but one": (
        """
outputs = [x]
for layer in self.layers:
    outputs.append(layer.forward(outputs[-1]))
return outputs[-2]
""",
        "the work of all layers but the last",
    ),
    "every second layer": (
        """
for layer in self.layers[::2]:
    x = layer.forward(x)
return x
""",
        "has passed Stamp(1), then Stamp(3).",
    ),
    "self forgotten": (
        """
for layer in layers:
    x = layer.forward(x)
return x
""",
        "name 'layers' is not defined",
    ),
    "layer called": (
        """
for layer in self.layers:
    x = layer(x)
return x
""",
        "Which of its methods did you mean?",
    ),
    "written into x": (
        """
for layer in self.layers:
    x[...] = layer.forward(x)
return x
""",
        "changed x in place",
    ),
    "a ReLU everywhere": (
        """
for layer in self.layers:
    x = np.maximum(layer.forward(x), 0)
return x
""",
        "Numbers below 0 have become 0",
    ),
    "softmax at the end": (
        """
for layer in self.layers:
    x = layer.forward(x)
e = np.exp(x - x.max(axis=1, keepdims=True))
return e / e.sum(axis=1, keepdims=True)
""",
        "Every number in y is wrong",
    ),
    "float32": (
        """
for layer in self.layers:
    x = layer.forward(x.astype(np.float32))
return x
""",
        "dtype is float32, not float64",
    ),
    "flattened first": (
        """
x = x.reshape(len(x), -1)
for layer in self.layers:
    x = layer.forward(x)
return x
""",
        "x has shape (2, 80), but must be (N, C, H, W)",
    ),
    "picture by picture": (
        """
for picture in x:
    y = picture[None]
    for layer in self.layers:
        y = layer.forward(y)
return y
""",
        "wrong length along N",
    ),
    "last layer twice": (
        """
for layer in self.layers:
    x = layer.forward(x)
return self.layers[-1].forward(x)
""",
        "Stamp(2), then Stamp(3), then Stamp(3).",
    ),
    "first layer twice": (
        """
x = self.layers[0].forward(x)
for layer in self.layers:
    x = layer.forward(x)
return x
""",
        "has passed Stamp(1), then Stamp(1), then Stamp(2)",
    ),
    "average of all": (
        """
total = 0
for layer in self.layers:
    x = layer.forward(x)
    total = total + x
return total / len(self.layers)
""",
        "could not be broadcast together",
    ),
    "mean taken away": (
        """
for layer in self.layers:
    x = layer.forward(x)
return x - x.mean()
""",
        "Every number in y is wrong",
    ),
    "argmax": (
        """
for layer in self.layers:
    x = layer.forward(x)
return x.argmax(axis=1)
""",
        "too few axes",
    ),
    "no end of recursion": (
        """
first, *rest = self.layers
return Sequential(rest).forward(first.forward(x))
""",
        "not enough values to unpack",
    ),
    "row and layer zipped": (
        """
for layer, row in zip(self.layers, x):
    row = layer.forward(row)
return row
""",
        "too few axes",
    ),
    "backward in forward": (
        """
for layer in self.layers:
    x = layer.backward(x)
return x
""",
        "there was no forward yet",
    ),
    "only images": (
        """
for layer in self.layers:
    assert x.ndim == 4
    x = layer.forward(x)
return x
""",
        "assert x.ndim == 4",
    ),
    "a tuple": (
        """
for layer in self.layers:
    x = layer.forward(x)
return x, self.layers
""",
        "It returned a tuple",
    ),
    "three layers": (
        """
x = self.layers[0].forward(x)
x = self.layers[1].forward(x)
return self.layers[2].forward(x)
""",
        "Your walk is written out for three layers",
    ),
    "sorted by name": (
        """
for layer in sorted(self.layers, key=repr, reverse=True):
    x = layer.forward(x)
return x
""",
        "layers from the last to the first",
    ),
}


@pytest.mark.parametrize(("code", "phrase"), WRONG_THERE.values(), ids=WRONG_THERE)
def test_a_wrong_forward_is_told_what_it_did(code, phrase):
    assert phrase in one_line(check.sequential_forward.failure(sequential(forward=code)))


WRONG_BACK = {
    "no return": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
""",
        "It returned None",
    ),
    "range without a step": (
        """
for i in range(len(self.layers), 0):
    dy = self.layers[i].backward(dy)
return dy
""",
        "has passed none of the layers",
    ),
    "range from len": (
        """
for i in range(len(self.layers), -1, -1):
    dy = self.layers[i].backward(dy)
return dy
""",
        "Which place does this line ask for, and how long is the list?",
    ),
    "a small step on the way": (
        """
for layer in reversed(self.layers):
    dy = layer.backward(dy)
    if hasattr(layer, "W"):
        layer.W -= 0.01 * layer.dW
return dy
""",
        "The weights are changed on the way back",
    ),
    "three layers, from the last": (
        """
for place in (2, 1, 0):
    dy = self.layers[place].backward(dy)
return dy
""",
        "Your walk is written out for three layers",
    ),
    "an enumerate turned round": (
        """
for i, layer in reversed(enumerate(self.layers)):
    dy = layer.backward(dy)
return dy
""",
        "Only a list can be walked from its end",
    ),
    "range too far": (
        """
for i in range(len(self.layers) - 1, -2, -1):
    dy = self.layers[i].backward(dy)
return dy
""",
        "then Stamp(1), then Stamp(3).",
    ),
    "reverse() in the loop": (
        """
for layer in self.layers.reverse():
    dy = layer.backward(dy)
return dy
""",
        "reverses the list itself, and returns None",
    ),
    "reversed, not kept": (
        """
reversed(self.layers)
for layer in self.layers:
    dy = layer.backward(dy)
return dy
""",
        "from the first to the last",
    ),
    "pop": (
        """
while self.layers:
    dy = self.layers.pop().backward(dy)
return dy
""",
        "After one backward no layers are left",
    ),
    "layers thrown away": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
self.layers = []
return dy
""",
        "After one backward no layers are left",
    ),
    "list of gradients": (
        """
gradients = []
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
    gradients.append(dy)
return gradients
""",
        "It returned a list",
    ),
    "dW returned": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return layer.dW
""",
        "wrong length along N and D",
    ),
    "product of all": (
        """
total = 1
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
    total = total * dy
return total
""",
        "total = total * dy",
    ),
    "last but one": (
        """
gradients = [dy]
for layer in self.layers[::-1]:
    gradients.append(layer.backward(gradients[-1]))
return gradients[-2]
""",
        "has passed Stamp(3), then Stamp(2).",
    ),
    "the first of all": (
        """
gradients = [dy]
for layer in self.layers[::-1]:
    gradients.append(layer.backward(gradients[-1]))
return gradients[0]
""",
        "You return dy as it came in",
    ),
    "minus": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return -dy
""",
        "wrong sign",
    ),
    "a rate at each layer": (
        """
for layer in self.layers[::-1]:
    dy = 0.1 * layer.backward(dy)
return dy
""",
        "off by one factor",
    ),
    "a rate": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return 0.01 * dy
""",
        "Every number is 0.01 times",
    ),
    "clipped": (
        """
for layer in self.layers[::-1]:
    dy = np.clip(layer.backward(dy), -1, 1)
return dy
""",
        "it should depend on dy",
    ),
    "made a unit vector": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
    dy = dy / np.linalg.norm(dy)
return dy
""",
        "depends on dy[:, :]; it should depend on dy[2, :]",
    ),
    "zeros": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return np.zeros_like(dy)
""",
        "dx is 0 everywhere",
    ),
    "summed over the batch": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy.sum(axis=0, keepdims=True)
""",
        "wrong length along N",
    ),
    "averaged over the batch": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy.mean(axis=0)
""",
        "too few axes",
    ),
    "transposed": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy.T
""",
        "axes in the order (D, N)",
    ),
    "written into dy": (
        """
for layer in self.layers[::-1]:
    dy[...] = layer.backward(dy)
return dy
""",
        "changed dy in place",
    ),
    "another method": (
        """
for layer in self.layers[::-1]:
    dy = layer.backwards(dy)
return dy
""",
        "has no attribute 'backwards'",
    ),
    "the loss asked": (
        """
dy = self.loss.backward()
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy
""",
        "has no attribute 'loss'",
    ),
    "x handed on": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(self.x, dy)
return dy
""",
        "has no attribute 'x'",
    ),
    "each twice": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(layer.backward(dy))
return dy
""",
        "Stamp(3), then Stamp(3), then Stamp(2)",
    ),
    "last twice": (
        """
dy = self.layers[-1].backward(dy)
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy
""",
        "has passed Stamp(3), then Stamp(3), then Stamp(2), then Stamp(1).",
    ),
    "every second layer": (
        """
for layer in self.layers[::-2]:
    dy = layer.backward(dy)
return dy
""",
        "has passed Stamp(3), then Stamp(1).",
    ),
    "only what learns": (
        """
for layer in self.layers[::-1]:
    if hasattr(layer, 'W'):
        dy = layer.backward(dy)
return dy
""",
        "Layers without weights are left out on the way back",
    ),
    "forward with dy": (
        """
self.forward(dy)
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy
""",
        "you call the layers' forward",
    ),
    "a slice of one": (
        """
for layer in self.layers[-1:]:
    dy = layer.backward(dy)
return dy
""",
        "You stop after one layer, the last",
    ),
    "a slice too short": (
        """
for layer in self.layers[:0:-1]:
    dy = layer.backward(dy)
return dy
""",
        "The first layer's backward is never called",
    ),
    "a slice of some": (
        """
for layer in self.layers[-1:1:-1]:
    dy = layer.backward(dy)
return dy
""",
        "has passed only Stamp(3).",
    ),
    "first and last": (
        """
dy = self.layers[-1].backward(dy)
return self.layers[0].backward(dy)
""",
        "has passed Stamp(3), then Stamp(1).",
    ),
    "rounded": (
        """
for layer in self.layers[::-1]:
    dy = np.round(layer.backward(dy), 2)
return dy
""",
        "Your dx is wrong only with layers that calculate.",
    ),
    "float32": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
return dy.astype(np.float32)
""",
        "dtype is float32, not float64",
    ),
    "dW deleted": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
    layer.dW = None
return dy
""",
        "the layers of the network have no dW",
    ),
    "dW zeroed": (
        """
for layer in self.layers[::-1]:
    dy = layer.backward(dy)
    if hasattr(layer, 'W'):
        layer.dW = np.zeros_like(layer.W)
return dy
""",
        "layers[0].dW is 0 everywhere",
    ),
    "dW added up": (
        """
for layer in self.layers[::-1]:
    old = getattr(layer, 'dW', 0)
    dy = layer.backward(dy)
    layer.dW = old + getattr(layer, 'dW', 0)
return dy
""",
        "dW piles up in the layers",
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("code", "phrase"), WRONG_BACK.values(), ids=WRONG_BACK)
def test_a_wrong_backward_is_told_what_it_did(code, phrase):
    assert phrase in one_line(check.sequential_backward.failure(sequential(backward=code)))


def test_layers_that_can_be_walked_once_only_are_noticed():
    once = sequential(init="self.layers = iter(layers)", backward=BACK.replace("[::-1]", ""))
    assert "no layers are left" in one_line(check.sequential_forward.failure(once))


def test_numbers_that_no_stamps_have_written_are_not_taken_for_a_way():
    route = sys.modules["cnnlib.check.network"].route
    x = np.array([[0.0, 7.0]])
    assert route(x, x) == []
    assert route(x, np.array([[123.0, 7123.0]])) == [1, 2, 3]
    for other in ([6.0, 216.0], [40.0, 740.0], [-1.0, 69.0], [0.5, 70.5], [12.0, 713.0]):
        assert route(x, np.array([other])) is None


def test_what_is_not_written_says_what_comes_first():
    unwritten = sequential(forward="raise NotImplementedError")
    assert "first comes Sequential.forward" in one_line(
        check.sequential_backward.failure(unwritten)
    )
    assert isinstance(check.sequential_forward.failure(unwritten), check.NotWritten)


# ---------------------------------------------------------------------------- three errors


def test_the_three_numbers_mend_the_three_networks():
    padding, out_channels, guilty = check.network_errors.reference()
    networks = check.network_errors.networks()
    for net, x in networks:
        with pytest.raises(ValueError, match="shape"):
            net.backward(np.ones_like(net.forward(x)))
    (first, x1), (second, x2), (third, x3) = networks
    first.layers[0] = layers.Conv2D(1, 6, 5, padding=padding)
    second.layers[0] = layers.Conv2D(3, out_channels, 3, padding=1)
    third.layers[guilty] = layers.Conv2D(6, 8, 3, padding=1)
    for net, x in ((first, x1), (second, x2), (third, x3)):
        assert net.backward(np.ones_like(net.forward(x))).shape == x.shape


@pytest.mark.parametrize(
    ("answers", "phrase"),
    [
        ((0, 16, 2), "there already"),
        ((1, 16, 2), "takes a row off at the top and at the bottom"),
        ((4, 16, 2), "larger than the pictures"),
        ((7, 16, 2), "needs another padding"),
        ((2, 8, 2), "there already"),
        ((2, 3, 2), "channels of the pictures"),
        ((2, 24, 2), "The second network needs another number"),
        ((2, 16, 1), "it is right: it was given a wrong dy"),
        ((2, 16, 3), "That is right"),
        ((2, 16, 0), "Another layer hands on the wrong shape"),
        ((2, 16, -3), "Count the places from 0, beginning at the front"),
        ((2, 16, "Flatten"), "A whole number is asked for"),
        (((2, 2), 16, 2), "A whole number is asked for"),
        (({}, 16, 2), "A whole number is asked for"),
        ((np.array([2, 2]), 16, 2), "A whole number is asked for"),
        ((2, 16), "Three numbers are asked for"),
        (None, "Three numbers are asked for"),
    ],
)
def test_a_wrong_number_is_told_without_the_right_one(answers, phrase):
    failure = check.network_errors.failure(lambda: answers)
    assert phrase in one_line(failure)
    right = dict(zip(("padding", "out_channels", "guilty"), (2, 16, 2), strict=True))
    assert not any(f"{name} = {number}" in one_line(failure) for name, number in right.items())


def test_right_numbers_pass_whatever_kind_of_number_they_are(capsys):
    check.network_errors(lambda: (2, 16, 2))
    check.network_errors(lambda: [np.int64(2), 16.0, 2])
    assert capsys.readouterr().out.count("✓ read_errors") == 2


# ---------------------------------------------------------------------------- build_network

CONV_1, CONV_2 = (
    "Conv2D(C, first, 3, padding=1, rng=rng)",
    "Conv2D(first, second, 3, padding=1, rng=rng)",
)
RELU, POOL, FLATTEN = "ReLU()", "MaxPool2D(2)", "Flatten()"
DENSE = "Dense(second * (H // 4) * (W // 4), classes, rng=rng)"
PLAN = [CONV_1, RELU, POOL, CONV_2, RELU, POOL, FLATTEN, DENSE]
OWN = """
class Dense:
    def __init__(self, D, K, *, rng=None):
        self.W = np.random.default_rng(rng).normal(0, 1, size=(D, K))
        self.b = np.zeros(K)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T
"""


def builder(returned):
    """A build_network as a learner writes it; their Dense complains in NumPy's words."""
    from_the_course = {name: getattr(layers, name) for name in layers.__all__ if name != "Dense"}
    source = f"""
def build_network(shape, filters, classes, seed):
    rng = np.random.default_rng(seed)
    (C, H, W), (first, second) = shape, filters
    return {returned}
"""
    dense = defined(OWN, "Dense")
    return defined(
        source, "build_network", Sequential=sequential(), **from_the_course | {"Dense": dense}
    )


def planned(**changes):
    """The plan with some places changed: ``at_7="Dense(…)"``; None takes a layer out."""
    plan = [changes.get(f"at_{place}", part) for place, part in enumerate(PLAN)]
    return f"Sequential([{', '.join(part for part in plan if part)}])"


RIGHT_NETWORKS = {
    "the plan": planned(),
    "pools before ReLUs": planned(at_1=POOL, at_2=RELU, at_4=POOL, at_5=RELU),
    "blocks": f"Sequential([Sequential([{CONV_1}, {RELU}, {POOL}]), "
    f"Sequential([{CONV_2}, {RELU}, {POOL}]), {FLATTEN}, {DENSE}])",
    "the seed for each layer": planned().replace("rng=rng", "rng=seed"),
}


@pytest.mark.parametrize("returned", RIGHT_NETWORKS.values(), ids=RIGHT_NETWORKS)
def test_every_right_network_passes(returned):
    assert check.build_network.failure(builder(returned)) is None


WRONG_NETWORKS = {
    "in_features of 28×28": (
        planned(at_7="Dense(784, classes, rng=rng)"),
        "Whatever the pictures and the filters, Dense is made for 784 features",
    ),
    "no pool counted": (
        planned(at_7="Dense(second * H * W, classes, rng=rng)"),
        "Dense is made for maps as large as the picture",
    ),
    "one pool counted": (
        planned(at_7="Dense(second * (H // 2) * (W // 2), classes, rng=rng)"),
        "maps that one pool has made smaller, and there are two",
    ),
    "not whole": (
        planned(at_7="Dense(second * H / 4 * W / 4, classes, rng=rng)"),
        "`/` always gives a float",
    ),
    "a square map": (
        planned(at_7="Dense(second * (H // 4) ** 2, classes, rng=rng)"),
        "takes the maps to be square, with sides of their height",
    ),
    "one map": (
        planned(at_7="Dense((H // 4) * (W // 4), classes, rng=rng)"),
        "Dense is made for the numbers of a single map",
    ),
    "only divided by 16": (
        planned(at_7="Dense(second * (H * W // 16), classes, rng=rng)"),
        "a product is divided; the pools round each side down",
    ),
    "7×7 maps": (
        planned(at_7="Dense(second * 7 * 7, classes, rng=rng)"),
        "made for maps of 7×7, whatever the size of the pictures",
    ),
    "the maps of the first": (
        planned(at_7="Dense(first * (H // 4) * (W // 4), classes, rng=rng)"),
        "as many maps as the first Conv2D returns",
    ),
    "channels counted": (
        planned(at_7="Dense(C * second * (H // 4) * (W // 4), classes, rng=rng)"),
        "The channels of the picture are counted",
    ),
    "filters multiplied": (
        planned(at_7="Dense(first * second * (H // 4) * (W // 4), classes, rng=rng)"),
        "The filters of both Conv2Ds are multiplied",
    ),
    "a square of the width": (
        planned(at_7="Dense(second * (W // 4) ** 2, classes, rng=rng)"),
        "square, with sides of their width",
    ),
    "all divided by 16": (
        planned(at_7="Dense(second * H * W // 16, classes, rng=rng)"),
        "a product is divided; the pools round each side down",
    ),
    "a height that one pool rounds up": (
        planned(at_7="Dense(second * ((H + 1) // 2 // 2) * (W // 4), classes, rng=rng)"),
        "layers[7], Dense, can't take the array of shape (1, 2) that reaches it",
    ),
    "rounded up": (
        planned(at_7="Dense(second * -(-H // 4) * -(-W // 4), classes, rng=rng)"),
        "rounds sides up where a pool rounds them down",
    ),
    "in and out swapped": (
        planned(at_3="Conv2D(second, first, 3, padding=1, rng=rng)"),
        "In a Conv2D, what goes in and what comes out have changed places",
    ),
    "no list of layers": (planned(at_1="3"), "layers[1] is not a layer, but of type int"),
    "the batch counted": (
        planned(at_7="Dense(2 * second * (H // 4) * (W // 4), classes, rng=rng)"),
        "its W of shape (36, 4)",
    ),
    "ten classes": (
        planned(at_7="Dense(second * (H // 4) * (W // 4), 10, rng=rng)"),
        "layers[7], Dense, returns an array of the wrong shape",
    ),
    "one channel": (
        planned(at_0="Conv2D(1, first, 3, padding=1, rng=rng)"),
        "layers[0], Conv2D, can't take the array of shape (1, 3, 12, 8)",
    ),
    "always 8 filters": (
        planned(at_0="Conv2D(C, 8, 3, padding=1, rng=rng)"),
        "layers[0], Conv2D, returns an array of the wrong shape",
    ),
    "channels of the picture twice": (
        planned(at_3="Conv2D(C, second, 3, padding=1, rng=rng)"),
        "layers[3], Conv2D, can't take the array of shape (2, 2, 4, 6)",
    ),
    "no Flatten": (planned(at_6=None), "layers[6], Dense, can't take"),
    "Flatten too early": (
        planned(at_3=FLATTEN, at_6=None),
        "layers[3], Flatten, stands where the course's network has a Conv2D",
    ),
    "another pool": (
        planned(at_5="AvgPool2D(2)"),
        "layers[5], AvgPool2D, stands where the course's network has a MaxPool2D",
    ),
    "kernels of 5": (
        planned(at_0="Conv2D(C, first, 5, padding=2, rng=rng)"),
        "layers[0], Conv2D, has kernels of the wrong size",
    ),
    "padding 2": (
        planned(at_0="Conv2D(C, first, 3, padding=2, rng=rng)"),
        "layers[0], Conv2D, returns an array of the wrong shape",
    ),
    "a stride for a pool": (
        planned(at_0="Conv2D(C, first, 3, stride=2, padding=1, rng=rng)", at_2=None),
        "Your network has 7 layers, the course's has 8",
    ),
    "windows that overlap": (
        planned(at_2="MaxPool2D(3, stride=2)"),
        "layers[2], MaxPool2D, returns an array of the wrong shape",
    ),
    "a layer too many": (
        planned().replace("])", ", Dense(classes, classes, rng=rng)])"),
        "Your network has 9 layers, the course's has 8",
    ),
    "a hidden layer": (
        planned(at_7="Dense(second * (H // 4) * (W // 4), 32), ReLU(), Dense(32, classes)"),
        "Your network has 10 layers, the course's has 8",
    ),
    "classes, not layers": (planned(at_1="ReLU"), "layers[1] is the class ReLU, not a layer"),
    "a list": (planned().removeprefix("Sequential(").removesuffix(")"), "is not a Sequential"),
    "nothing": ("None", "returned None"),
    "one ReLU for both": (
        f"(lambda relu: {planned(at_1='relu', at_4='relu')})(ReLU())",
        "layers[1] and layers[4] are one and the same ReLU",
    ),
    "some weights without the seed": (
        planned(at_0="Conv2D(C, first, 3, padding=1)"),
        "Two networks of one seed get different weights",
    ),
    "a class that isn't there": (planned(at_1="Relu()"), "name 'Relu' is not defined"),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("returned", "phrase"), WRONG_NETWORKS.values(), ids=WRONG_NETWORKS)
def test_a_wrong_network_is_told_where_it_is_wrong(returned, phrase):
    assert phrase in one_line(check.build_network.failure(builder(returned)))


def test_a_network_needs_its_sequential_first():
    unwritten = sequential(forward="raise NotImplementedError")

    def build_network(shape, filters, classes, seed):
        return unwritten(built._build_network(shape, filters, classes, seed).layers)

    for each in (check.build_network, check.end_to_end):
        failure = each.failure(build_network)
        assert isinstance(failure, check.NotWritten)
        assert "first comes Sequential.forward" in str(failure)


# ---------------------------------------------------------------------------- end to end


def with_layers(**others):
    """A build_network of the course's layers, but for some."""
    names = ("Conv2D", "ReLU", "MaxPool2D", "Flatten", "Dense")
    kinds = {name: getattr(layers, name) for name in names}
    kinds |= {"Sequential": network.Sequential} | others
    return defined(
        f"""
def build_network(shape, filters, classes, seed):
    rng = np.random.default_rng(seed)
    (C, H, W), (first, second) = shape, filters
    return {planned()}
""",
        "build_network",
        **kinds,
    )


@pytest.fixture
def own(monkeypatch):
    """The layers of solutions/, as a learner's own."""
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    monkeypatch.chdir(COURSE.solutions)
    names = ("Conv2D", "ReLU", "MaxPool2D", "Flatten", "Dense", "Sequential")
    return {name: getattr(mine, name) for name in names}


def test_a_network_of_ones_own_layers_passes(own, capsys):
    check.end_to_end(with_layers(**own))
    assert capsys.readouterr().out.startswith("✓ your network: every layer is yours")


def test_layers_written_in_the_notebook_itself_count_as_ones_own(own):
    own["Dense"] = defined(OWN, "Dense")
    assert check.end_to_end.failure(with_layers(**own)) is None


@pytest.mark.parametrize("borrowed", ["Conv2D", "Dense", "Sequential"])
def test_a_layer_of_the_course_is_told_and_counts_for_nobody(own, borrowed):
    theirs = {"Conv2D": layers.Conv2D, "Dense": layers.Dense, "Sequential": network.Sequential}
    failure = check.end_to_end.failure(with_layers(**own | {borrowed: theirs[borrowed]}))
    assert isinstance(failure, check.NotWritten)
    assert f"is not all yours yet: {borrowed} comes from the course." in one_line(failure)
    assert borrowed not in failure.facts["yours"]
    assert check.build_network.failure(with_layers(**own | {borrowed: theirs[borrowed]})) is None


def test_a_layer_that_inherits_from_the_courses_is_not_ones_own(own):
    own["ReLU"] = defined("class ReLU(Course):\n    pass", "ReLU", Course=layers.ReLU)
    assert "ReLU comes from the course" in one_line(check.end_to_end.failure(with_layers(**own)))


def test_a_network_in_the_network_hides_no_borrowed_layer(own):
    def build_network(shape, filters, classes, seed):
        inner = with_layers(**own | {"Flatten": layers.Flatten})(shape, filters, classes, seed)
        return own["Sequential"]([inner])

    assert "Flatten comes from the course" in one_line(check.end_to_end.failure(build_network))


ASTRAY = [
    (wrong_flatten.FortranBackward, "Flatten", "goes wrong in layers[6]", "dx"),
    (wrong_flatten.FillsColumnByColumn, "Flatten", "goes wrong in layers[6]", "dx"),
    (wrong_flatten.DerivativeOfOne, "Flatten", "goes wrong in layers[6]", "dx"),
    (wrong_pool.SpreadEvenly, "MaxPool2D", "goes wrong in layers[5]", "dx"),
    (wrong_gradients.MaskAlone, "ReLU", "goes wrong in layers[4]", "dx"),
    (wrong_conv.UpsideDownKernel, "Conv2D", "goes wrong in layers[3]", "dx"),
    (wrong_conv.DividesDWByTheBatch, "Conv2D", "goes wrong in layers[3]", "dW"),
    (wrong_conv.DbForEachPicture, "Conv2D", "goes wrong in layers[3]", "db"),
    (wrong_dense.ReshapesWeights, "Dense", "goes wrong in layers[7]", "dx"),
    (wrong_dense.AveragedBiasGradient, "Dense", "goes wrong in layers[7]", "db"),
]


@pytest.mark.parametrize(
    ("broken", "name", "where", "array"), ASTRAY, ids=[broken.__name__ for broken, *_ in ASTRAY]
)
def test_a_wrong_gradient_is_found_at_its_layer(broken, name, where, array):
    failure = check.end_to_end.failure(with_layers(**{name: broken}))
    assert f"{where}, {broken.__name__}: look at its {array}." in str(failure)
    place = int(where[-2])
    assert f"dx of layers[{place}]" not in failure.facts["right so far"]
    if place < 7:
        assert "dW of layers[7], db of layers[7], dx of layers[7]" in failure.facts["right so far"]


def test_a_gradient_that_nobody_sets_is_told(own):
    class Forgetful(layers.Dense):
        def backward(self, dy):
            dx = super().backward(dy)
            del self.dW
            return dx

    failure = check.end_to_end.failure(with_layers(**own | {"Dense": Forgetful}))
    assert "goes wrong in layers[7], Forgetful: look at its dW" in str(failure)
    assert failure.facts["got"] == "None, or nothing at all"


STUCK = [
    (
        wrong_flatten.HandsOnFlat,
        "Flatten",
        "layers[5], MaxPool2D, can't take its dy of shape (3, 18)",
    ),
    (
        wrong_flatten.SwapsHeightAndWidth,
        "Flatten",
        "which layers[6], SwapsHeightAndWidth, returned",
    ),
    (wrong_flatten.KeepsTheFirstShape, "Flatten", "KeepsTheFirstShape, can't take its dy"),
    (wrong_conv.NoDx, "Conv2D", "layers[3], NoDx, returns None from its backward"),
]


@pytest.mark.parametrize(
    ("broken", "name", "phrase"), STUCK, ids=[broken.__name__ for broken, *_ in STUCK]
)
def test_a_walk_that_stops_says_between_whom(broken, name, phrase):
    assert phrase in one_line(check.end_to_end.failure(with_layers(**{name: broken})))


@pytest.mark.parametrize(
    "broken",
    [
        wrong_network.StopsBeforeTheFirst,
        wrong_network.DropsEveryGradient,
        wrong_network.StartsWithOnes,
        wrong_network.LearnsOnTheWay,
    ],
)
def test_a_wrong_walk_through_right_layers_is_told_from_a_wrong_layer(broken):
    failure = check.end_to_end.failure(with_layers(Sequential=broken))
    assert "Each layer alone is right, but from your Sequential" in str(failure)


def test_a_walk_that_stops_in_the_learners_code_shows_their_line():
    broken = sequential(backward=BACK.replace("[::-1]", ""))
    failure = check.end_to_end.failure(with_layers(Sequential=broken))
    assert isinstance(failure, check.Crashed)
    assert "dy = layer.backward(dy)" in str(failure)


# ---------------------------------------------------------------------------- unfinished layers


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A learner's course: every exercise solved, but those that a test takes back."""
    for part in ("solutions", "exercises"):
        shutil.copytree(COURSE.solutions, tmp_path / part)
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    monkeypatch.chdir(tmp_path / "exercises")
    return notebooks.Course(tmp_path)


def take_back(course, name, answer):
    path = course.exercises / name
    nb = notebooks.read(path)
    for cell in nb.cells:
        if notebooks.grade_id(cell) == answer:
            cell["source"] = notebooks.stub(cell.source)
    notebooks.write(path, nb)


def build_with(imports):
    nb = notebooks.read(COURSE.solutions / "06_network.ipynb")
    source = notebooks.answers(nb)["build_network"]
    given = "    from cnnlib.mine import Conv2D, Dense, Flatten, MaxPool2D, ReLU\n"
    assert given in source
    lines = "".join(f"    {line}\n" for line in imports)
    return defined(source.replace(given, lines), "build_network", Sequential=sequential())


ALL = "from cnnlib.mine import Conv2D, Dense, Flatten, MaxPool2D, ReLU"


def test_who_skipped_layers_is_told_which_and_how_to_go_on(course):
    take_back(course, "02_conv.ipynb", "conv")
    take_back(course, "04_flatten.ipynb", "flatten")
    for each in (check.build_network, check.end_to_end):
        failure = each.failure(build_with([ALL]))
        assert isinstance(failure, check.NotWritten)
        assert (
            f"○ {each.title} waits for what is not written yet, or not right yet: Conv2D, Flatten."
            in str(failure)
        )
        assert failure.facts["Conv2D"] == "exercises/02_conv.ipynb, exercise Conv2D.forward"
        assert failure.facts["Flatten"] == "exercises/04_flatten.ipynb, exercise Flatten.forward"
        assert "from cnnlib.layers import Conv2D, Flatten" in one_line(failure)


def test_the_courses_layer_stands_in_meanwhile(course):
    take_back(course, "02_conv.ipynb", "conv")
    stand_in = [ALL.replace("Conv2D, ", ""), "from cnnlib.layers import Conv2D"]
    build = build_with(stand_in)
    assert check.build_network.failure(build) is None
    failure = check.end_to_end.failure(build)
    assert "has the right gradient, but is not all yours yet: Conv2D comes" in one_line(failure)
    assert failure.facts["yours"] == "Sequential, ReLU, MaxPool2D, Flatten, Dense"


def test_with_every_exercise_done_the_network_is_ones_own(course):
    assert check.end_to_end.failure(build_with([ALL])) is None


def test_an_import_that_has_nothing_to_do_with_the_exercises_is_an_error(course):
    failure = check.end_to_end.failure(build_with(["from nowhere import Conv2D"]))
    assert isinstance(failure, check.Crashed)
    assert "No module named 'nowhere'" in str(failure)


# ---------------------------------------------------------------------------- gradient_norms


def norms(code):
    return defined(
        f"def gradient_norms(network, dy):\n{textwrap.indent(code.strip(), '    ')}",
        "gradient_norms",
    )


WALK = "gradients = [dy]\nfor layer in reversed(network.layers):\n    gradients.append(layer.backward(gradients[-1]))\n"
NOTED = "lengths = [np.linalg.norm(dy)]\nfor layer in reversed(network.layers):\n    dy = layer.backward(dy)\n    lengths.insert(0, np.linalg.norm(dy))\nreturn lengths\n"
RIGHT_NORMS = {
    "set in at the front": NOTED,
    "a list turned round and back": "network.layers.reverse()\n"
    + NOTED.replace("reversed(network.layers)", "network.layers").replace(
        "return", "network.layers.reverse()\nreturn"
    ),
    "a list": WALK + "return [np.linalg.norm(g) for g in reversed(gradients)]",
    "an array": WALK + "return np.array([np.sqrt((g**2).sum()) for g in gradients[::-1]])",
    "Python's floats": WALK + "return [float(np.sqrt(np.sum(g * g))) for g in gradients[::-1]]",
    "a tuple": WALK + "return tuple(np.linalg.norm(g.ravel()) for g in gradients[::-1])",
}


@pytest.mark.parametrize("code", RIGHT_NORMS.values(), ids=RIGHT_NORMS)
def test_lengths_may_be_found_in_any_way(code):
    assert check.gradient_norms.failure(norms(code)) is None


WRONG_NORMS = {
    "no length at all": (
        WALK + "return gradients[::-1]",
        "norms[0] is an array of shape (1, 2), not a number",
    ),
    "along the last axis": (
        WALK + "return [np.linalg.norm(g, axis=-1) for g in gradients[::-1]]",
        "norms[0] is an array of shape (1,), not a number",
    ),
    "from the first, set in at the front": (
        NOTED.replace("reversed(network.layers)", "network.layers"),
        "You walk through the layers from the first to the last",
    ),
    "a return in the loop": (
        NOTED.replace("return", "    return"),
        "You stop after one layer, the last",
    ),
    "a list left turned round": (
        "network.layers.reverse()\n" + NOTED.replace("reversed(network.layers)", "network.layers"),
        "You leave network.layers reversed",
    ),
    "layers taken out": (
        "lengths = [np.linalg.norm(dy)]\nwhile network.layers:\n"
        "    dy = network.layers.pop().backward(dy)\n    lengths.insert(0, np.linalg.norm(dy))\n"
        "return lengths",
        "After your function, the network has no layers left",
    ),
    "nothing but an iterator": (
        WALK + "return reversed([np.linalg.norm(g) for g in gradients])",
        "hands out one thing at a time",
    ),
    "the sum squared": (
        WALK + "return [np.sqrt(np.sum(g) ** 2) for g in gradients[::-1]]",
        "You square the sum",
    ),
    "a matrix norm": (
        WALK + "return [np.linalg.norm(g, 2) for g in gradients[::-1]]",
        "takes a table for a matrix",
    ),
    "one number": (WALK + "return np.linalg.norm(gradients[-1])", "too few axes"),
    "both ends missing": (
        WALK + "return [np.linalg.norm(g) for g in gradients[-2:0:-1]]",
        "wrong length along the arrows",
    ),
    "twice as long": (
        WALK + "return [2 * np.linalg.norm(g) for g in gradients[::-1]]",
        "Every number is 2 times what it should be",
    ),
    "logarithms": (
        WALK + "return [np.log(np.linalg.norm(g) + 1) for g in gradients[::-1]]",
        "Every number in norms is wrong",
    ),
    "layers unknown": (
        "return [np.linalg.norm(layer.dW) for layer in layers]",
        "'layers' is not defined",
    ),
    "dW's lengths": (
        "network.backward(dy)\nreturn [np.linalg.norm(layer.dW) for layer in network.layers]",
        "has no attribute 'dW'",
    ),
    "dx only": ("return [np.linalg.norm(network.backward(dy))]", "wrong length along the arrows"),
    "the same for all": (
        "return [np.linalg.norm(network.backward(dy))] * (len(network.layers) + 1)",
        "norms is the same for every index along the arrows",
    ),
    "no return": (WALK, "It returned None"),
    "the median": (
        WALK + "return [np.median(np.abs(g)) for g in gradients[::-1]]",
        "Every number in norms is wrong",
    ),
    "rounded": (
        WALK + "return [round(float(np.linalg.norm(g)), 2) for g in gradients[::-1]]",
        "Every number in norms is wrong",
    ),
}


@pytest.mark.parametrize(("code", "phrase"), WRONG_NORMS.values(), ids=WRONG_NORMS)
def test_wrong_lengths_are_told_what_they_are(code, phrase):
    assert phrase in one_line(check.gradient_norms.failure(norms(code)))


# ---------------------------------------------------------------------------- numbers in a network


NETWORK = """
def build_network(shape, filters, classes, seed):
    from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU
    from cnnlib.network import Sequential

    rng = np.random.default_rng(seed)
    (C, H, W), (first, second) = shape, filters
    return Sequential([
        Conv2D(C, first, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2),
        Conv2D(first, second, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2),
        Flatten(), Dense(second * (H // 4) * (W // 4), classes, rng=rng),
    ])
"""


@pytest.mark.sampled
@pytest.mark.repairs
@pytest.mark.parametrize(
    "right, wrong",
    [
        ("second * (H // 4) * (W // 4), classes", "second * (H // 4) * (W // 4), 10"),
        ("Conv2D(C, first", "Conv2D(1, first"),
    ],
)
def test_a_number_that_is_written_into_a_network_is_found(right, wrong):
    """Also where the layers are imported within the function, as the exercise has it."""
    answer = Wrong("build_network", NETWORK, ((right, wrong),))
    assert set(check.build_network.failure(answer.thing).lines) == answer.lines


def test_a_wrong_number_of_features_has_a_name():
    wrong = ("(H // 4) * (W // 4)", "(H // 2) * (W // 2)")
    failed = check.build_network.failure(Wrong("build_network", NETWORK, (wrong,)).thing)
    assert failed.misconception.__name__ == "features_of_one_pool"


# ---------------------------------------------------------------------------- the lists together


def test_there_are_as_many_unlisted_mistakes_as_listed_ones():
    names = ("sequential_forward", "sequential_backward", "build_network", "gradient_norms")
    listed = {broken for name in names for broken in misconceptions.seen_by(name)}
    unlisted = (WRONG_THERE, WRONG_BACK, WRONG_NETWORKS, WRONG_NORMS)
    assert sum(map(len, unlisted)) >= len(listed)
