"""The checks of SGD and Adam: legal steps pass, wrong ones are told what they did."""

import linecache
import textwrap

import numpy as np
import pytest

from cnnlib import check, misconceptions
from cnnlib.layers import parameters

CHECKS = [check.sgd_step, check.sgd_momentum, check.adam_first_step, check.adam_step]


def one_line(failure):
    return " ".join(str(failure).split())


def defined(source, name):
    """What a learner's cell defines, with the cell's lines where tracebacks look for them."""
    cell = f"<{name}>"
    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    namespace = {"np": np, "parameters": parameters, "__name__": "__main__"}
    exec(compile(source, cell, "exec"), namespace)
    return namespace[name]


SGD_INIT = """
self.parameters = parameters(network)
self.learning_rate, self.momentum = learning_rate, momentum
self.velocity = [0.0] * len(self.parameters)
"""
ADAM_INIT = """
self.parameters = parameters(network)
self.learning_rate = learning_rate
self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
self.m = [0.0] * len(self.parameters)
self.v = [0.0] * len(self.parameters)
self.steps = 0
"""


def _optimizer(name, settings, init, step):
    body = textwrap.indent(init.strip(), " " * 8), textwrap.indent(step.strip(), " " * 8)
    return defined(
        f"class {name}:\n    def __init__(self, network, {settings}):\n{body[0]}\n\n"
        f"    def step(self):\n{body[1]}\n",
        name,
    )


def sgd(step, init=SGD_INIT):
    """An SGD as a learner writes it."""
    return _optimizer("SGD", "learning_rate, momentum=0.0", init, step)


def adam(step, init=ADAM_INIT):
    """An Adam as a learner writes it."""
    settings = "learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8"
    return _optimizer("Adam", settings, init, step)


# The lines of a right step, for those that have only one or two wrong.
EACH = """
for i, (layer, name) in enumerate(self.parameters):
    W, g = getattr(layer, name), getattr(layer, "d" + name)
"""
COUNT = "self.steps += 1\n"
M = "    self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g\n"
V = "    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g**2\n"
M_HAT = "    m = self.m[i] / (1 - self.beta1**self.steps)\n"
V_HAT = "    v = self.v[i] / (1 - self.beta2**self.steps)\n"
MOVE = "    setattr(layer, name, W - self.learning_rate * m / (np.sqrt(v) + self.epsilon))"

RIGHT_SGD = {
    "replaces": sgd(
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])
"""
    ),
    "in place": sgd(
        EACH
        + """\
    if np.ndim(self.velocity[i]) == 0:
        self.velocity[i] = np.zeros_like(W)
    self.velocity[i] *= self.momentum
    self.velocity[i] += g
    W -= self.learning_rate * self.velocity[i]
"""
    ),
    "a dictionary, and the layers themselves": sgd(
        """
for layer in self.network.layers:
    for name in ("W", "b"):
        if not hasattr(layer, name):
            continue
        g = getattr(layer, "d" + name)
        self.v[id(layer), name] = self.momentum * self.v.get((id(layer), name), 0) + g
        layer.__dict__[name] = layer.__dict__[name] - self.learning_rate * self.v[id(layer), name]
""",
        init="self.network, self.learning_rate = network, learning_rate\n"
        "self.momentum, self.v = momentum, {}",
    ),
    "arrays held from the beginning": sgd(
        """
for layer, name, W, v in self.state:
    v[...] = self.momentum * v + getattr(layer, f"d{name}")
    W -= self.learning_rate * v
""",
        init="self.learning_rate, self.momentum = learning_rate, momentum\n"
        "self.state = [\n    (layer, name, getattr(layer, name), np.zeros_like(getattr(layer, name)))\n"
        "    for layer, name in parameters(network)\n]",
    ),
}
RIGHT_ADAM = {
    "replaces": adam(COUNT + EACH + M + V + M_HAT + V_HAT + MOVE),
    "in place": adam(
        COUNT
        + EACH
        + """\
    if self.steps == 1:
        self.m[i], self.v[i] = np.zeros_like(W), np.zeros_like(W)
    self.m[i] += (1 - self.beta1) * (g - self.m[i])
    self.v[i] += (1 - self.beta2) * (g * g - self.v[i])
    m, v = self.m[i] / (1 - self.beta1**self.steps), self.v[i] / (1 - self.beta2**self.steps)
    W -= self.learning_rate * m / (v**0.5 + self.epsilon)
"""
    ),
    "the correction in the rate": adam(
        COUNT
        + EACH
        + M
        + V
        + """\
    root = np.sqrt(1 - self.beta2**self.steps).astype(W.dtype)
    rate = self.learning_rate * root / (1 - self.beta1**self.steps)
    step = rate.astype(W.dtype) * self.m[i] / (np.sqrt(self.v[i]) + self.epsilon * root)
    setattr(layer, name, W - step)
"""
    ),
    "products of betas": adam(
        EACH.replace("for", "self.p1 *= self.beta1\nself.p2 *= self.beta2\nfor", 1)
        + M
        + V
        + "    m, v = self.m[i] / (1 - self.p1), self.v[i] / (1 - self.p2)\n"
        + MOVE,
        init=ADAM_INIT + "self.p1 = self.p2 = 1.0\n",
    ),
}


@pytest.mark.parametrize("right", RIGHT_SGD.values(), ids=RIGHT_SGD)
def test_every_right_way_to_write_sgd_passes(right):
    assert check.sgd_step.failure(right) is None
    assert check.sgd_momentum.failure(right) is None


@pytest.mark.parametrize("right", RIGHT_ADAM.values(), ids=RIGHT_ADAM)
def test_every_right_way_to_write_adam_passes(right):
    assert check.adam_first_step.failure(right) is None
    assert check.adam_step.failure(right) is None


# Wrong steps that no misconception was written for, or that learners write in other words than it does.
WRONG_STEPS = {
    "local name": (
        """\
for layer, name in self.parameters:
    W = getattr(layer, name)
    dW = getattr(layer, "d" + name)
    W = W - self.learning_rate * dW""",
        "After your step, every weight is what it was before.",
    ),
    "pass": ("pass", "After your step, every weight is what it was before."),
    "item of a tuple": (
        """\
for W, dW in self.parameters:
    W -= self.learning_rate * dW""",
        "TypeError: can't multiply sequence by non-int of type 'float",
    ),
    "layer.name": (
        """\
for layer, name in self.parameters:
    layer.name = getattr(layer, name) - self.learning_rate * getattr(layer, "d" + name)""",
        "After your step, every weight is what it was before.",
    ),
    "plus": (
        EACH + "    setattr(layer, name, W + self.learning_rate * g)",
        "Your weights walk uphill: they move with the gradient, and the loss",
    ),
    "in place plus": (
        EACH + "    W += self.learning_rate * g",
        "Your weights walk uphill: they move with the gradient, and the loss",
    ),
    "no rate": (
        EACH + "    setattr(layer, name, W - g)",
        "The learning rate makes no difference: every step is as long as if",
    ),
    "divided by rate": (
        EACH + "    setattr(layer, name, W - g / self.learning_rate)",
        "You divide by the learning rate: the smaller it is",
    ),
    "squared rate": (
        EACH + "    setattr(layer, name, W - self.learning_rate**2 * g)",
        "The learning rate counts twice, once more on top of the first time.",
    ),
    "name twice": (
        """\
for layer, name in self.parameters:
    setattr(layer, name, getattr(layer, name) - self.learning_rate * getattr(layer, name))""",
        "You use the weight itself where its gradient belongs, so backward",
    ),
    "d forgotten in setattr": (
        EACH + '    setattr(layer, "d" + name, W - self.learning_rate * g)',
        "Your step changes the gradients: after it, dW and db are no longer",
    ),
    "W for both": (
        """\
for layer, name in self.parameters:
    layer.W = layer.W - self.learning_rate * layer.dW""",
        "Every W moves twice in a step, and no b ever moves.",
    ),
    "W alone and network": (
        """\
for layer, _ in self.parameters:
    layer.W = layer.W - self.learning_rate * layer.dW
    layer.b = layer.b - self.learning_rate * layer.db""",
        "Every step is twice as long as it should be.",
    ),
    "dW for all": (
        """\
for layer, name in self.parameters:
    setattr(layer, name, getattr(layer, name) - self.learning_rate * layer.dW)""",
        "b moves by another array's gradients: its change depends on dW, and",
    ),
    "return in loop": (
        EACH
        + """\
    setattr(layer, name, W - self.learning_rate * g)
    return""",
        "Only the first array in self.parameters moves, and then step is over.",
    ),
    "outdented": (
        EACH + "setattr(layer, name, W - self.learning_rate * g)",
        "Only the last array in self.parameters moves.",
    ),
    "returns the new ones": (
        'return [getattr(layer, name) - self.learning_rate * getattr(layer, "d" + name) for layer, name in self.parameters]',
        "After your step, every weight is what it was before.",
    ),
    "from one": (
        """\
for i in range(1, len(self.parameters)):
    layer, name = self.parameters[i]
    setattr(layer, name, getattr(layer, name) - self.learning_rate * getattr(layer, "d" + name))""",
        "The first array in self.parameters stays where it is; all others",
    ),
    "every second": (
        """\
for layer, name in self.parameters[::2]:
    setattr(layer, name, getattr(layer, name) - self.learning_rate * getattr(layer, "d" + name))""",
        "Only the W move; every b stays where it is.",
    ),
    "all but last": (
        """\
for layer, name in self.parameters[:-1]:
    setattr(layer, name, getattr(layer, name) - self.learning_rate * getattr(layer, "d" + name))""",
        "The last array in self.parameters stays where it is; all others move.",
    ),
    "sum over batch": (
        EACH + "    setattr(layer, name, W - self.learning_rate * g.sum(axis=0))",
        "One entry of db makes a difference to other weights than its own.",
    ),
    "mean over rows": (
        EACH + "    setattr(layer, name, W - self.learning_rate * g.mean(axis=0))",
        "One entry of db makes a difference to other weights than its own.",
    ),
    "divided by size": (
        EACH + "    setattr(layer, name, W - self.learning_rate * g / g.size)",
        "Every number is divided by W.size.",
    ),
    "clipped": (
        EACH + "    setattr(layer, name, W - self.learning_rate * np.clip(g, -1, 1))",
        "2 of 3 numbers in change of W are wrong.",
    ),
    "weight decay": (
        EACH + "    setattr(layer, name, W - self.learning_rate * (g + 0.01 * W))",
        "Your change of W depends on W, and should not.",
    ),
    "scalar norm": (
        EACH + "    setattr(layer, name, W - self.learning_rate * np.abs(g))",
        "The numbers are right but for their sign: some have the wrong one.",
    ),
    "transposed": (
        EACH + "    setattr(layer, name, W - self.learning_rate * g.T)",
        "change of W has the wrong length along D.",
    ),
    "rounded": (
        EACH + "    setattr(layer, name, np.round(W - self.learning_rate * g, 2))",
        "Your change of W depends on W, and should not.",
    ),
    "list": (
        EACH + "    setattr(layer, name, (W - self.learning_rate * g).tolist())",
        "after step, a layer's W is list",
    ),
    "flat": (
        EACH + "    setattr(layer, name, (W - self.learning_rate * g).ravel())",
        "change of W has too few axes: 1, not 2.",
    ),
    "float64": (
        EACH + "    setattr(layer, name, W.astype(float) - self.learning_rate * g)",
        "The numbers are right, but their dtype is float64, not float32.",
    ),
    "int": (
        EACH + "    setattr(layer, name, (W - self.learning_rate * g).astype(int))",
        "change of W has dtype int64: everything after the decimal point is",
    ),
    "gradient None": (
        EACH
        + """\
    setattr(layer, name, W - self.learning_rate * g)
    setattr(layer, "d" + name, None)""",
        "Your step changes the gradients: after it, dW and db are no longer",
    ),
    "gradient zeros_like": (
        EACH
        + """\
    setattr(layer, name, W - self.learning_rate * g)
    setattr(layer, "d" + name, np.zeros_like(g))""",
        "Your step changes the gradients: after it, dW and db are no longer",
    ),
    "scaled in place": (
        EACH
        + """\
    g *= self.learning_rate
    setattr(layer, name, W - g)""",
        "Your step changes the gradients: after it, dW and db are no longer",
    ),
    "parameters of self.network": (
        """\
for layer in self.network.layers:
    layer.W -= self.learning_rate * layer.dW""",
        "AttributeError: 'SGD' object has no attribute 'network'",
    ),
    "ReLU has no W": (
        """\
for layer in self.layers:
    layer.W -= self.learning_rate * layer.dW""",
        "AttributeError: 'SGD' object has no attribute 'layers'",
    ),
    "gradient attr": (
        """\
for layer, name in self.parameters:
    setattr(layer, name, getattr(layer, name) - self.learning_rate * layer.gradient)""",
        "AttributeError: 'Dense' object has no attribute 'gradient'",
    ),
    "wrong attr name": (
        """\
for layer, name in self.parameters:
    setattr(layer, name, getattr(layer, name) - self.learning_rate * getattr(layer, "d_" + name))""",
        "AttributeError: 'Dense' object has no attribute 'd_W'",
    ),
    "layer plus name": (
        """\
for layer, name in self.parameters:
    layer[name] -= self.learning_rate * layer["d" + name]""",
        "TypeError: 'Dense' object is not subscriptable",
    ),
    "lr misspelt": (
        EACH + "    setattr(layer, name, W - self.lr * g)",
        "AttributeError: 'SGD' object has no attribute 'lr'",
    ),
    "self forgotten": (
        EACH + "    setattr(layer, name, W - learning_rate * g)",
        "NameError: name 'learning_rate' is not defined",
    ),
    "decays the rate": (
        EACH
        + """\
    setattr(layer, name, W - self.learning_rate * g)
self.learning_rate *= 0.99""",
        "Your step changes self.learning_rate, so the next",
    ),
    "rate halves per array": (
        EACH
        + """\
    setattr(layer, name, W - self.learning_rate * g)
    self.learning_rate *= 0.5""",
        "Your step changes self.learning_rate, so the next",
    ),
    "only negative gradients": (
        EACH + "    setattr(layer, name, W - self.learning_rate * np.minimum(g, 0))",
        "Numbers below 0 have become 0.",
    ),
    "moves twice": (
        EACH
        + """\
    setattr(layer, name, W - self.learning_rate * g)
    setattr(layer, name, getattr(layer, name) - self.learning_rate * g)""",
        "Every step is twice as long as it should be.",
    ),
    "dot": (
        EACH + "    setattr(layer, name, W - self.learning_rate * np.dot(W, g))",
        "One entry of dW0 makes a difference to other weights than its own.",
    ),
    "squares": (
        EACH + "    setattr(layer, name, W - self.learning_rate * g**2)",
        "Every number is the right one times an entry of dW.",
    ),
}


WRONG_MOMENTUM = {
    "local velocity": (
        EACH
        + """\
    v = 0.0
    v = self.momentum * v + g
    setattr(layer, name, W - self.learning_rate * v)""",
        "The momentum makes no difference: every step is the plain one.",
    ),
    "computed not kept": (
        EACH
        + """\
    v = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * v)""",
        "The momentum makes no difference: every step is the plain one.",
    ),
    "kept not used": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * g)""",
        "The momentum makes no difference: every step is the plain one.",
    ),
    "list times momentum": (
        "self.velocity = self.momentum * self.velocity\n"
        + EACH
        + "    setattr(layer, name, W - self.learning_rate * (self.velocity[i] + g))",
        "TypeError: can't multiply sequence by non-int of type 'float",
    ),
    "velocity whole list": (
        EACH
        + """\
    self.velocity = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity)""",
        "b moves by another array's gradients: its change depends on dW, and",
    ),
    "velocity index 0": (
        EACH
        + """\
    self.velocity[0] = self.momentum * self.velocity[0] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[0])""",
        "One velocity serves all arrays, so each one goes on with the speed of the one before",
    ),
    "velocity -1 typo": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i - 1] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "One velocity serves all arrays, so each one goes on with the speed of the one before",
    ),
    "velocity appended": (
        EACH
        + """\
    self.velocity.append(self.momentum * self.velocity[-1] + g)
    setattr(layer, name, W - self.learning_rate * self.velocity[-1])""",
        "One velocity serves all arrays, so each one goes on with the speed of the one before",
    ),
    "ema": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + (1 - self.momentum) * g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "You take (1 − momentum) of the new gradient: a running mean.",
    ),
    "double minus": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] - self.learning_rate * g
    setattr(layer, name, W - self.velocity[i])""",
        "Your weights walk uphill: they move with the gradient, and the loss",
    ),
    "rate in both": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] - self.learning_rate * g
    setattr(layer, name, W + self.learning_rate * self.velocity[i])""",
        "The learning rate counts twice, once more on top of the first time.",
    ),
    "rate in none": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.velocity[i])""",
        "The learning rate makes no difference: every step is as long as if",
    ),
    "rate on whole v": (
        EACH
        + """\
    self.velocity[i] = self.learning_rate * (self.momentum * self.velocity[i] + g)
    setattr(layer, name, W - self.velocity[i])""",
        "With a momentum of 0 all your steps would be right, so the mistake",
    ),
    "plus v": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + self.learning_rate * g
    setattr(layer, name, W + self.velocity[i])""",
        "Your weights walk uphill: they move with the gradient, and the loss",
    ),
    "after": (
        EACH
        + """\
    setattr(layer, name, W - self.learning_rate * self.velocity[i])
    self.velocity[i] = self.momentum * self.velocity[i] + g""",
        "Each step goes by the gradients of the step before it: the weights",
    ),
    "gradient and velocity both": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * (self.velocity[i] + g))""",
        "Every number is off by dW, some number of times.",
    ),
    "nesterov": (
        EACH
        + """\
    v = self.velocity[i]
    self.velocity[i] = self.momentum * v - self.learning_rate * g
    setattr(layer, name, W - self.momentum * v + (1 + self.momentum) * self.velocity[i])""",
        "You look ahead, as Nesterov did: the gradient counts once more on",
    ),
    "momentum to the power": (
        "self.t = getattr(self, 't', 0) + 1\n"
        + EACH
        + """\
    self.velocity[i] = self.momentum**self.t * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "With a momentum of 0 all your steps would be right, so the mistake",
    ),
    "bias corrected": (
        "self.t = getattr(self, 't', 0) + 1\n"
        + EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + (1 - self.momentum) * g
    setattr(layer, name, W - self.learning_rate * self.velocity[i] / (1 - self.momentum**self.t))""",
        "With a momentum of 0 all your steps would be right, so the mistake",
    ),
    "hard coded 0.9": (
        EACH
        + """\
    self.velocity[i] = 0.9 * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "momentum makes no difference: with another value your wrong steps",
    ),
    "alias reuse": (
        EACH
        + """\
    if np.ndim(self.velocity[i]) == 0:
        self.velocity[i] = g
    else:
        self.velocity[i] = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "After the first step your velocity is the layer's own dW, under a",
    ),
    "alias in place": (
        EACH
        + """\
    if np.ndim(self.velocity[i]) == 0:
        self.velocity[i] = g
    else:
        self.velocity[i] *= self.momentum
        self.velocity[i] += g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "Your velocity is the layer's own dW: what you write into it, you",
    ),
    "sums into gradient": (
        EACH
        + """\
    g += self.momentum * self.velocity[i]
    self.velocity[i] = g
    setattr(layer, name, W - self.learning_rate * g)""",
        "Your step changes the gradients: after it, dW and db are no longer",
    ),
    "zeros float64": (
        EACH
        + """\
    if np.ndim(self.velocity[i]) == 0:
        self.velocity[i] = np.zeros(W.shape)
    self.velocity[i] = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "The numbers are right, but their dtype is float64, not float32.",
    ),
    "dict by name": (
        "self.v = getattr(self, 'v', {})\n"
        + EACH
        + """\
    self.v[name] = self.momentum * self.v.get(name, 0.0) + g
    setattr(layer, name, W - self.learning_rate * self.v[name])""",
        "All W share a velocity, and all b share another: it is kept under",
    ),
    "dict by class name": (
        "self.v = getattr(self, 'v', {})\n"
        + EACH
        + """\
    key = type(layer).__name__ + name
    self.v[key] = self.momentum * self.v.get(key, 0.0) + g
    setattr(layer, name, W - self.learning_rate * self.v[key])""",
        "W1 moves by another array's gradients: its change depends on dW0,",
    ),
    "dict by shape": (
        "self.v = getattr(self, 'v', {})\n"
        + EACH
        + """\
    key = W.shape
    self.v[key] = self.momentum * self.v.get(key, 0.0) + g
    setattr(layer, name, W - self.learning_rate * self.v[key])""",
        "W1 moves by another array's gradients: its change depends on dW0,",
    ),
    "dict by id of array": (
        "self.v = getattr(self, 'v', {})\n"
        + EACH
        + """\
    key = id(g)
    self.v[key] = self.momentum * self.v.get(key, 0.0) + g
    setattr(layer, name, W - self.learning_rate * self.v[key])""",
        "With a momentum of 0 all your steps would be right, so the mistake",
    ),
    "mean velocity": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + g.mean()
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "All weights of an array move by the same: by the mean of its",
    ),
    "only W has momentum": (
        EACH
        + """\
    m = self.momentum if name == 'W' else 0
    self.velocity[i] = m * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "With a momentum of 0 all your steps would be right, so the mistake",
    ),
    "stores the last change": (
        EACH
        + """\
    change = self.learning_rate * g + self.momentum * self.velocity[i]
    self.velocity[i] = self.learning_rate * g
    setattr(layer, name, W - change)""",
        "Only the gradient of the step before is remembered; what came before",
    ),
    "previous weights": (
        EACH
        + """\
    old = self.velocity[i] if np.ndim(self.velocity[i]) else W
    self.velocity[i] = W
    setattr(layer, name, W - self.learning_rate * g + (1 - self.momentum) * (W - old))""",
        "Your change of W is wrong only with later steps.",
    ),
    "heavy ball wrong sign": (
        EACH
        + """\
    old = self.velocity[i] if np.ndim(self.velocity[i]) else W
    self.velocity[i] = W
    setattr(layer, name, W - self.learning_rate * g - self.momentum * (W - old))""",
        "The old velocity comes in with a minus: it holds the weights back in",
    ),
    "the rate inside the velocity": (
        EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] - self.learning_rate * g
    setattr(layer, name, W + self.velocity[i])""",
        "The learning rate is inside the velocity",
    ),
    "momentum is one more rate": (
        EACH + "    setattr(layer, name, W - self.learning_rate * self.momentum * g)",
        "The momentum only makes each step shorter",
    ),
    "velocity doubled": (
        EACH
        + """\
    self.velocity[i] += self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])""",
        "The new velocity is added to the old one: `+=`",
    ),
    "velocities in the class": (
        "SGD.kept = getattr(SGD, 'kept', {})\n"
        + EACH
        + """\
    SGD.kept[i] = self.momentum * SGD.kept.get(i, 0.0) + g
    setattr(layer, name, W - self.learning_rate * SGD.kept[i])""",
        "A second optimizer with the same numbers goes elsewhere than the first",
    ),
}


WRONG_ADAM = {
    "means added to means": (
        COUNT
        + EACH
        + M.replace("] = ", "] += ")
        + V.replace("] = ", "] += ")
        + M_HAT
        + V_HAT
        + MOVE,
        "The new m and v are added to the old ones: `+=`",
    ),
    "root of a number by NumPy": (
        COUNT
        + EACH
        + M
        + V
        + """\
    root = np.sqrt(self.v[i]) / np.sqrt(1 - self.beta2**self.steps)
    m = self.m[i] / (1 - self.beta1**self.steps)
    setattr(layer, name, W - self.learning_rate * m / (root + self.epsilon))""",
        "NumPy's don't. What is the dtype of np.zeros(3), and of np.sqrt(0.5)?",
    ),
    "the correction kept in the rate": (
        COUNT
        + EACH
        + M
        + V
        + """\
    self.learning_rate *= np.sqrt(1 - self.beta2**self.steps) / (1 - self.beta1**self.steps)
    setattr(layer, name, W - self.learning_rate * self.m[i] / (np.sqrt(self.v[i]) + self.epsilon))""",
        "Your step changes self.learning_rate, so the next step goes on from another one",
    ),
    "no correction": (
        COUNT + EACH + M + V + "    m, v = self.m[i], self.v[i]\n" + MOVE,
        "The bias correction is missing: m and v are used as they are.",
    ),
    "steps never raised": (
        EACH + M + V + M_HAT + V_HAT + MOVE,
        "In the first step you divide by 0: 1 − beta**t is 0, as t is still 0.",
    ),
    "raised at the end": (
        EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + MOVE
        + """
"""
        + COUNT,
        "In the first step you divide by 0: 1 − beta**t is 0, as t is still 0.",
    ),
    "raised in the loop": (
        EACH + "    " + COUNT + M + V + M_HAT + V_HAT + MOVE,
        "You count once for each array in place of once for each step, so",
    ),
    "raised at end of loop from 1": (
        EACH
        + "    self.steps = self.steps or 1\n"
        + M
        + V
        + M_HAT
        + V_HAT
        + MOVE
        + """
    self.steps += 1""",
        "You count once for each array in place of once for each step, so",
    ),
    "stores m hat": (
        COUNT
        + EACH
        + M
        + V
        + """\
    self.m[i] = self.m[i] / (1 - self.beta1**self.steps)
    self.v[i] = self.v[i] / (1 - self.beta2**self.steps)
    m, v = self.m[i], self.v[i]
"""
        + MOVE,
        "What you keep for the next step is the corrected m and v.",
    ),
    "in place m hat": (
        COUNT
        + EACH
        + M
        + V
        + """\
    m, v = self.m[i], self.v[i]
    m /= 1 - self.beta1**self.steps
    v /= 1 - self.beta2**self.steps
"""
        + MOVE,
        "What you keep for the next step is the corrected m and v.",
    ),
    "caret": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g^2\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "TypeError: ufunc 'bitwise_xor' not supported for the input t",
    ),
    "beta ^ t": (
        COUNT + EACH + M + V + "    m = self.m[i] / (1 - self.beta1 ^ self.steps)\n" + V_HAT + MOVE,
        "TypeError: unsupported operand type(s) for ^: 'float' and 'i",
    ),
    "beta*t": (
        COUNT
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / (1 - self.beta1 * self.steps)
    v = self.v[i] / (1 - self.beta2 * self.steps)
"""
        + MOVE,
        "beta is multiplied by t, where it should be raised to the power t.",
    ),
    "beta*t only m": (
        COUNT + EACH + M + V + "    m = self.m[i] / (1 - self.beta1 * self.steps)\n" + V_HAT + MOVE,
        "You multiply beta1 by t, and should raise it to the power of t.",
    ),
    "(1-beta)^t only v": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + "    v = self.v[i] / (1 - self.beta2) ** self.steps\n"
        + MOVE,
        "With a beta2 of 0 all your steps would be right, so the mistake is",
    ),
    "1 - beta only": (
        COUNT
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / (1 - self.beta1)
    v = self.v[i] / (1 - self.beta2)
"""
        + MOVE,
        "You divide by 1 − beta in every step, as if it were always the",
    ),
    "1-beta only v": (
        COUNT + EACH + M + V + M_HAT + "    v = self.v[i] / (1 - self.beta2)\n" + MOVE,
        "v is divided by 1 − beta2 in every step",
    ),
    "precedence m / 1 - beta": (
        COUNT
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / 1 - self.beta1**self.steps
    v = self.v[i] / 1 - self.beta2**self.steps
"""
        + MOVE,
        "m and v are divided by 1, and beta**t is subtracted from the result:",
    ),
    "precedence m only": (
        COUNT + EACH + M + V + "    m = self.m[i] / 1 - self.beta1**self.steps\n" + V_HAT + MOVE,
        "With a beta1 of 0 all your steps would be right, so the mistake is",
    ),
    "beta - 1": (
        COUNT + EACH + M + V + "    m = self.m[i] / (self.beta1**self.steps - 1)\n" + V_HAT + MOVE,
        "Your weights walk uphill: they move with the gradient, and the loss",
    ),
    "both beta - 1": (
        COUNT
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / (self.beta1**self.steps - 1)
    v = self.v[i] / (self.beta2**self.steps - 1)
"""
        + MOVE,
        "change of W contains NaN.",
    ),
    "t+1": (
        COUNT
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / (1 - self.beta1**(self.steps + 1))
    v = self.v[i] / (1 - self.beta2**(self.steps + 1))
"""
        + MOVE,
        "Your count of steps is one ahead: in the first step you correct as",
    ),
    "divides by beta**t": (
        COUNT
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / self.beta1**self.steps
    v = self.v[i] / self.beta2**self.steps
"""
        + MOVE,
        "m and v are divided by beta**t, not by 1 − beta**t.",
    ),
    "eps under root": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / np.sqrt(v + self.epsilon))",
        "epsilon is added to v, under the root.",
    ),
    "eps outside": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / np.sqrt(v) + self.epsilon)",
        "You divide by √v, and add epsilon to the new weight",
    ),
    "eps outside in bracket": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * (m / np.sqrt(v) + self.epsilon))",
        "You divide by √v, and add epsilon to the result: a pair of brackets",
    ),
    "eps before correction": (
        COUNT
        + EACH
        + M
        + V
        + """\
    rate = self.learning_rate * np.sqrt(1 - self.beta2**self.steps) / (1 - self.beta1**self.steps)
    setattr(layer, name, W - rate * self.m[i] / (np.sqrt(self.v[i]) + self.epsilon))""",
        "epsilon is added to the root of the uncorrected v, as in the short",
    ),
    "eps maximum": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / np.maximum(np.sqrt(v), self.epsilon))",
        "epsilon has no effect, or hardly any: the step comes out as m̂/√v̂",
    ),
    "eps 1e-8 hard": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (np.sqrt(v) + 1e-8))",
        "epsilon makes no difference: with another value your wrong steps",
    ),
    "eps twice": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (np.sqrt(v + self.epsilon) + self.epsilon))",
        "With a tiny epsilon all your steps would be right, so the mistake is",
    ),
    "eps left out": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / np.sqrt(v))",
        "epsilon is left out, so a weight whose gradients are all 0 becomes",
    ),
    "eps minus": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (np.sqrt(v) - self.epsilon))",
        "With a tiny epsilon all your steps would be right, so the mistake is",
    ),
    "no root": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (v + self.epsilon))",
        "You divide by v, not by its root.",
    ),
    "precedence no brackets": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / v**1 / 2 + self.epsilon)",
        "Every number in change of W is wrong.",
    ),
    "v ** 1/2": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (v ** 1 / 2 + self.epsilon))",
        "v is halved, where its root should be taken: `v ** 1 / 2` is v/2.",
    ),
    "root of m": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * np.sqrt(m) / (np.sqrt(v) + self.epsilon))",
        "change of W contains NaN.",
    ),
    "root over all": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * np.sqrt(np.abs(m) / (v + self.epsilon)))",
        "2 of 3 numbers in change of W are wrong.",
    ),
    "g over root": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * g / (np.sqrt(v) + self.epsilon))",
        "You divide the newest gradient by √v, and m makes no difference.",
    ),
    "uncorrected used": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * self.m[i] / (np.sqrt(self.v[i]) + self.epsilon))",
        "The bias correction is missing: m and v are used as they are.",
    ),
    "uncorrected v used": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (np.sqrt(self.v[i]) + self.epsilon))",
        "m is corrected for its start at 0, v is not.",
    ),
    "v of m squared": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * self.m[i]**2\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "v is made of m squared, not of the gradient squared.",
    ),
    "v from m mean": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta2 * self.m[i] + (1 - self.beta2) * g**2\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "With a beta2 of 0 all your steps would be right, so the mistake is",
    ),
    "m uses beta2": (
        COUNT
        + EACH
        + "    self.m[i] = self.beta2 * self.m[i] + (1 - self.beta2) * g\n"
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "beta2 is in the line that makes m, as if it were v.",
    ),
    "v uses beta1": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta1 * self.v[i] + (1 - self.beta1) * g**2\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "beta1 is in the line that makes v, as if it were m.",
    ),
    "v share of beta1": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta1) * g**2\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "The new square comes into v with the share 1 − beta1, which is m's.",
    ),
    "m no decay": (
        COUNT
        + EACH
        + "    self.m[i] = self.m[i] + (1 - self.beta1) * g\n"
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "beta1 does not fade the old m: it is kept in full, and (1 − beta1)",
    ),
    "v no decay": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.v[i] + (1 - self.beta2) * g**2\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "beta2 does not fade the old v: it is kept in full, and (1 − beta2)",
    ),
    "m no share": (
        COUNT + EACH + "    self.m[i] = self.beta1 * self.m[i] + g\n" + V + M_HAT + V_HAT + MOVE,
        "m grows by the whole new gradient: the factor 1 − beta1 is missing.",
    ),
    "swapped shares": (
        COUNT
        + EACH
        + """\
    self.m[i] = (1 - self.beta1) * self.m[i] + self.beta1 * g
    self.v[i] = (1 - self.beta2) * self.v[i] + self.beta2 * g**2
"""
        + M_HAT
        + V_HAT
        + MOVE,
        "beta and 1 − beta are swapped in both running means: most of the old",
    ),
    "swapped shares m": (
        COUNT
        + EACH
        + "    self.m[i] = (1 - self.beta1) * self.m[i] + self.beta1 * g\n"
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "beta1 and 1 − beta1 are swapped in m",
    ),
    "minus in mean": (
        COUNT
        + EACH
        + "    self.m[i] = self.beta1 * self.m[i] - (1 - self.beta1) * g\n"
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "Your weights walk uphill: they move with the gradient, and the loss",
    ),
    "both squares": (
        COUNT
        + EACH
        + "    self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g**2\n"
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "2 of 3 numbers in change of W are wrong.",
    ),
    "g @ g": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * (g @ g.T)\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "One entry of dW makes a difference to other weights than its own.",
    ),
    "norm": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * np.linalg.norm(g)**2\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "v is one number for a whole array, the sum over its entries; all its",
    ),
    "mean along rows": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * (g**2).mean(axis=0)\n"
        + M_HAT
        + V_HAT
        + MOVE,
        "One entry of db makes a difference to other weights than its own.",
    ),
    "g squared in place": (
        COUNT
        + EACH
        + M
        + """\
    g **= 2
    self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g
"""
        + M_HAT
        + V_HAT
        + MOVE,
        "Your step changes the gradients: after it, dW and db are no longer",
    ),
    "local m v": (
        COUNT
        + EACH
        + """\
    m = self.beta1 * self.m[i] + (1 - self.beta1) * g
    v = self.beta2 * self.v[i] + (1 - self.beta2) * g**2
    m = m / (1 - self.beta1**self.steps)
    v = v / (1 - self.beta2**self.steps)
"""
        + MOVE,
        "m and v begin at 0 again in every step; nothing is remembered.",
    ),
    "local m": (
        COUNT
        + EACH
        + "    m = self.beta1 * self.m[i] + (1 - self.beta1) * g\n"
        + V
        + "    m = m / (1 - self.beta1**self.steps)\n"
        + V_HAT
        + MOVE,
        "m begins at 0 in every step: what the steps before left of it is lost.",
    ),
    "whole list": (
        COUNT
        + EACH
        + """\
    self.m = self.beta1 * self.m + (1 - self.beta1) * g
    self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
    m, v = self.m / (1 - self.beta1**self.steps), self.v / (1 - self.beta2**self.steps)
"""
        + MOVE,
        "TypeError: can't multiply sequence by non-int of type 'float",
    ),
    "index 0": (
        COUNT
        + EACH
        + """\
    self.m[0] = self.beta1 * self.m[0] + (1 - self.beta1) * g
    self.v[0] = self.beta2 * self.v[0] + (1 - self.beta2) * g**2
    m, v = self.m[0] / (1 - self.beta1**self.steps), self.v[0] / (1 - self.beta2**self.steps)
"""
        + MOVE,
        "One m and one v serve all arrays, so each array goes on with the means of the one before it.",
    ),
    "plus": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W + self.learning_rate * m / (np.sqrt(v) + self.epsilon))",
        "Your weights walk uphill: they move with the gradient, and the loss",
    ),
    "not stored": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    W = W - self.learning_rate * m / (np.sqrt(v) + self.epsilon)",
        "After your step, every weight is what it was before.",
    ),
    "no rate": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - m / (np.sqrt(v) + self.epsilon))",
        "The learning rate makes no difference: every step is as long as if",
    ),
    "only W": (
        COUNT
        + EACH
        + """\
    if name != 'W':
        continue
"""
        + M
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "Only the W move; every b stays where it is.",
    ),
    "biases plain": (
        COUNT
        + EACH
        + """\
    if name == 'b':
        setattr(layer, name, W - self.learning_rate * g)
        continue
"""
        + M
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "beta1, beta2 and epsilon make no difference: with another value your",
    ),
    "m keeps float64": (
        COUNT
        + EACH
        + """\
    if self.steps == 1:
        self.m[i], self.v[i] = np.zeros(W.shape), np.zeros(W.shape)
"""
        + M
        + V
        + M_HAT
        + V_HAT
        + MOVE,
        "The numbers are right, but their dtype is float64, not float32.",
    ),
    "int moments": (
        COUNT
        + EACH
        + """\
    if self.steps == 1:
        self.m[i], self.v[i] = np.zeros(W.shape, int), np.zeros(W.shape, int)
    self.m[i][...] = self.beta1 * self.m[i] + (1 - self.beta1) * g
    self.v[i][...] = self.beta2 * self.v[i] + (1 - self.beta2) * g**2
"""
        + M_HAT
        + V_HAT
        + MOVE,
        "Here, change of W is wrong only in one part: the first index along K.",
    ),
    "in place on floats": (
        COUNT
        + EACH
        + """\
    self.m[i] *= self.beta1
    self.m[i] += (1 - self.beta1) * g
    self.v[i] *= self.beta2
    self.v[i] += (1 - self.beta2) * g * g
    self.m[i] /= 1 - self.beta1**self.steps
    m, v = self.m[i], self.v[i] / (1 - self.beta2**self.steps)
"""
        + MOVE,
        "What you keep for the next step is the corrected m.",
    ),
    "weight decay": (
        COUNT + EACH + "    g = g + 0.01 * W\n" + M + V + M_HAT + V_HAT + MOVE,
        "Your change of W depends on W, and should not.",
    ),
    "amsgrad": (
        COUNT
        + EACH
        + "    self.top = getattr(self, 'top', {})\n"
        + M
        + V
        + M_HAT
        + V_HAT
        + "    self.top[i] = v = np.maximum(self.top.get(i, 0), v)\n"
        + MOVE,
        "Here, change of W is wrong only in one part: the first index along K.",
    ),
    "nadam": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    m = self.beta1 * m + (1 - self.beta1) * g / (1 - self.beta1**self.steps)\n"
        + MOVE,
        "With a beta1 of 0 all your steps would be right, so the mistake is",
    ),
    "adamax": (
        COUNT
        + EACH
        + M
        + "    self.v[i] = np.maximum(self.beta2 * self.v[i], np.abs(g))\n"
        + M_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (self.v[i] + self.epsilon))",
        "With a beta2 of 0 all your steps would be right, so the mistake is",
    ),
    "sign": (
        COUNT + EACH + "    setattr(layer, name, W - self.learning_rate * np.sign(g))",
        "beta1, beta2 and epsilon make no difference: with another value your",
    ),
    "rate scaled by t": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate / np.sqrt(self.steps) * m / (np.sqrt(v) + self.epsilon))",
        "In each case all numbers are off by one factor, but it isn't always",
    ),
    "t counts 0-based betas": (
        "t = self.steps\n"
        + COUNT
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / (1 - self.beta1**t) if t else self.m[i]
    v = self.v[i] / (1 - self.beta2**t) if t else self.v[i]
"""
        + MOVE,
        "With beta1 and beta2 at 0 all your steps would be right, so the",
    ),
    "steps local": (
        """\
steps = 0
steps += 1
"""
        + EACH
        + M
        + V
        + """\
    m = self.m[i] / (1 - self.beta1**steps)
    v = self.v[i] / (1 - self.beta2**steps)
"""
        + MOVE,
        "You divide by 1 − beta in every step, as if it were always the",
    ),
    "rooted correction": (
        COUNT
        + EACH
        + M
        + V
        + M_HAT
        + """\
    v = np.sqrt(self.v[i]) / (1 - self.beta2**self.steps)
    setattr(layer, name, W - self.learning_rate * m / (v + self.epsilon))""",
        "v is corrected after its root is taken: the root is divided by 1 −",
    ),
    "root and root": (
        COUNT + EACH + M + V + M_HAT + V_HAT + "    v = np.sqrt(v)\n" + MOVE,
        "2 of 3 numbers in change of W are wrong.",
    ),
    "math.sqrt": (
        COUNT
        + EACH
        + "    import math\n"
        + M
        + V
        + M_HAT
        + V_HAT
        + "    setattr(layer, name, W - self.learning_rate * m / (math.sqrt(v) + self.epsilon))",
        "What is the one for whole arrays called",
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("step", "phrase"), WRONG_STEPS.values(), ids=WRONG_STEPS)
def test_a_wrong_plain_step_is_told_what_it_does(step, phrase):
    assert phrase in one_line(check.sgd_step.failure(sgd(step)))


@pytest.mark.sampled
@pytest.mark.parametrize(("step", "phrase"), WRONG_MOMENTUM.values(), ids=WRONG_MOMENTUM)
def test_a_wrong_momentum_is_told_what_it_does(step, phrase):
    assert phrase in one_line(check.sgd_momentum.failure(sgd(step)))


@pytest.mark.sampled
@pytest.mark.parametrize(("step", "phrase"), WRONG_ADAM.values(), ids=WRONG_ADAM)
def test_a_wrong_adam_is_told_what_it_does(step, phrase):
    assert phrase in one_line(check.adam_step.failure(adam(step)))


def _adam(m=M, v=V, m_hat=M_HAT, v_hat=V_HAT, move=MOVE):
    return adam(COUNT + EACH + m + v + m_hat + v_hat + move)


NO_M_HAT, NO_V_HAT = "    m = self.m[i]\n", "    v = self.v[i]\n"
UNDER_THE_ROOT = "    setattr(layer, name, W - self.learning_rate * m / np.sqrt(v + self.epsilon))"
NO_ROOT = "    setattr(layer, name, W - self.learning_rate * m / (v + self.epsilon))"
TWO_AT_ONCE = [
    (check.sgd_step, sgd(EACH + "    W += g"), "walk uphill", "The learning rate makes no"),
    (
        check.sgd_momentum,
        sgd(
            EACH
            + """\
    self.velocity[i] = self.momentum * self.velocity[i] + (1 - self.momentum) * g
    setattr(layer, name, W - self.velocity[i])
"""
        ),
        "The learning rate makes no",
        "a running mean",
    ),
    (
        check.adam_step,
        _adam(m_hat=NO_M_HAT, v_hat=NO_V_HAT, move=UNDER_THE_ROOT),
        "The bias correction is missing",
        "under the root",
    ),
    (
        check.adam_first_step,
        _adam(m_hat=NO_M_HAT, v_hat=NO_V_HAT, move=NO_ROOT),
        "The bias correction is missing",
        "You divide by v",
    ),
    (
        check.adam_step,
        _adam(m=M.replace("(1 - self.beta1) * ", ""), move=MOVE.replace("W -", "W +")),
        "walk uphill",
        "1 − beta1 is missing",
    ),
    (
        check.adam_step,
        _adam(v=V.replace("g**2", "np.abs(g)"), move=UNDER_THE_ROOT),
        "under the root",
        "mean of |gradient|",
    ),
]


@pytest.mark.parametrize(("c", "broken", "one", "other"), TWO_AT_ONCE)
def test_two_mistakes_at_once_are_both_told(c, broken, one, other):
    message = one_line(c.failure(broken))
    assert "two mistakes together" in message.lower()
    assert one in message
    assert other in message


def test_no_message_says_that_rounding_depends_on_something():
    """In float32 the difference of two weights reacts to everything a little."""
    wide = sgd(EACH + "    setattr(layer, name, W.astype(float) - self.learning_rate * g)")
    failure = check.sgd_step.failure(wide)
    assert "float64, not float32" in str(failure)
    assert "notice" not in failure.facts


# What can't be told apart by what a check sees gets a sentence that is true of both.
SHARED = {
    "CorrectsOnlyM": "FirstVTooSmall",
    "SquaresTheShareToo": "FirstVTooSmall",
    "NoShareInV": "FirstVTooLarge",
    "CorrectsTheRoot": "FirstVTooLarge",
    "AbsoluteValues": "FirstRootOfAbsolute",
    "ShareOfBeta1InV": "Beta1InV",
    "ShareOfBeta2InM": "Beta2InM",
    "MeansTooLate": "WeightsStay",
    "MomentumOnTheWeight": "ForgetsWhereItWas",
    "MomentumAsARate": "WeightsStay",
    "MomentumOnBoth": "WeightsStay",
    "AddsToTheVelocity": "AddsUpGradients",
    "MomentumOnTheGradient": "WeightsStay",
    "MomentumTurnedRound": "WeightsStay",
}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("c", "other"),
    [
        (check.adam_first_step, check.adam_step),
        (check.sgd_step, check.sgd_momentum),
        (check.sgd_momentum, check.sgd_step),
    ],
    ids=lambda c: c.name,
)
def test_a_mistake_from_another_check_gets_no_wrong_name(c, other):
    for broken in misconceptions.seen_by(other.name):
        failure = c.failure(broken)
        if failure is not None and failure.misconception not in (None, broken):
            assert SHARED.get(broken.__name__) == failure.misconception.__name__


def test_two_optimizers_that_share_something_are_told():
    step = (
        "SGD.calls = getattr(SGD, 'calls', 0) + 1\n"
        + EACH
        + "    g = g / self.calls\n    setattr(layer, name, W - self.learning_rate * g)"
    )
    assert check.sgd_step.failure(sgd(step)) is not None
    default = SGD_INIT.replace("[0.0] * len(self.parameters)", "SGD.shared")
    step = (
        """
while len(self.velocity) < len(self.parameters):
    self.velocity.append(0.0)
"""
        + EACH
        + """\
    self.velocity[i] = self.momentum * self.velocity[i] + g
    setattr(layer, name, W - self.learning_rate * self.velocity[i])
"""
    )
    shared = sgd(step, default)
    shared.shared = []
    assert check.sgd_momentum.failure(shared) is not None


def test_what_stands_in_self_under_other_names_is_legal_but_a_new_rate_must_count():
    renamed = SGD_INIT.replace("self.learning_rate,", "self.rate,")
    step = EACH + "    setattr(layer, name, W - self.rate * g)"
    assert "learning_rate makes no difference" in one_line(
        check.sgd_step.failure(sgd(step, renamed))
    )


def test_an_untouched_step_is_not_written_and_nothing_else():
    for c, make in zip(CHECKS, (sgd, sgd, adam, adam), strict=True):
        failure = c.failure(make("raise NotImplementedError"))
        assert isinstance(failure, check.NotWritten)
        assert one_line(failure).startswith(f"○ {c.title} is not written yet. Put your code")
