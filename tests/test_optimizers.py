"""The optimizers take the same steps as PyTorch's, and say what is wrong with what they get."""

import doctest

import numpy as np
import pytest
import recorded

from cnnlib import optimizers
from cnnlib.layers import Dense, Flatten
from cnnlib.network import Sequential
from cnnlib.optimizers import SGD, Adam


def test_the_examples_run():
    assert doctest.testmod(optimizers).failed == 0


@recorded.each("sgd", "adam")
def test_the_steps_are_those_of_pytorch(case):
    make = {"sgd": SGD, "adam": Adam}[case.settings["kind"]]
    dense = Dense(*case.weights.shape)
    dense.W, dense.db = case.weights.copy(), np.zeros_like(dense.b)
    optimizer = make(dense, **{k: v for k, v in case.settings.items() if k != "kind"})
    for dense.dW, after in zip(case.gradients, case.after, strict=True):
        optimizer.step()
        np.testing.assert_allclose(dense.W, after, rtol=1e-12)


@pytest.mark.parametrize("make", [SGD, Adam])
def test_a_step_replaces_the_weights_and_changes_no_array(make):
    dense = Dense(3, 2, rng=0)
    dense.dW, dense.db = np.ones((3, 2)), np.ones(2)
    W, before, dW = dense.W, dense.W.copy(), dense.dW
    make(dense).step()
    assert dense.W is not W
    assert np.array_equal(W, before)
    assert np.array_equal(dW, np.ones((3, 2)))


@pytest.mark.parametrize("make", [SGD, Adam])
def test_a_missing_or_misshapen_gradient_is_told_and_moves_nothing(make):
    network = Sequential([Dense(3, 2, rng=0), Dense(2, 4, rng=1)])
    optimizer = make(network)
    with pytest.raises(AttributeError, match=r"Dense has no dW; call the network's backward"):
        optimizer.step()
    first, second = network.layers
    first.dW, first.db, second.dW = np.ones((3, 2)), np.ones(2), np.ones((2, 4))
    second.db = np.ones((1, 4))
    before = first.W.copy()
    with pytest.raises(ValueError, match=r"db has shape \(1, 4\), but must be \(4,\)"):
        optimizer.step()
    assert np.array_equal(first.W, before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(Flatten()), "Flatten has nothing to learn"),
        (lambda: SGD(Dense(2, 2), 0), "learning_rate is 0"),
        (lambda: SGD(Dense(2, 2), float("nan")), "learning_rate is nan"),
        (lambda: SGD(Dense(2, 2), momentum=1), "momentum is 1"),
        (lambda: Adam(Dense(2, 2), beta2=1), "beta2 is 1"),
        (lambda: Adam(Dense(2, 2), beta1=-0.1), "beta1 is -0.1"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
