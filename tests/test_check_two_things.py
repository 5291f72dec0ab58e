"""Two things at once, and nothing that is only a coincidence."""

import numpy as np
import pytest

from cnnlib import check, layers, misconceptions
from cnnlib.misconceptions import changes

pytestmark = pytest.mark.sampled


def said(c, cls, **methods):
    failure = c.failure(type(cls.__name__, (cls,), methods))
    return failure, " ".join(str(failure).split())


# ---------------------------------------------------------------------------- a name, and a crash elsewhere


def flips(self, dy):
    """dx of an upside-down kernel, by code that takes kernels to be square."""
    _, _, KH, KW = self.W.shape
    if KH != KW:
        raise ValueError("operands could not be broadcast together")
    W, self.W = self.W, np.array(self.W[:, :, ::-1, ::-1])
    dx = layers.Conv2D.backward(self, dy)
    self.W = W
    return dx


def test_a_name_survives_a_crash_in_other_cases():
    failure, text = said(check.conv_dx, layers.Conv2D, backward=flips)
    assert failure.misconception is misconceptions.conv.UpsideDownKernel, text
    assert "besides with kernels that are not square your code stops: ValueError" in text


def test_a_crash_that_belongs_to_the_mistake_is_not_told_twice():
    for broken in misconceptions.seen_by("conv_dx"):
        failure = check.conv_dx.failure(broken)
        assert "besides" not in failure.facts, failure


# ---------------------------------------------------------------------------- a factor, and another order


@pytest.mark.parametrize(
    ("phrases", "backward"),
    [
        (
            ("flipped along W", "divided by N, the batch size"),
            lambda self, dy: dy.reshape(self.x_shape)[..., ::-1] / len(dy),
        ),
        (
            ("flipped along N", "2.5 times"),
            lambda self, dy: dy.reshape(self.x_shape)[::-1] * 2.5,
        ),
    ],
)
def test_a_factor_is_told_beside_another_order(phrases, backward):
    _, text = said(check.flatten_backward, layers.Flatten, backward=backward)
    for phrase in phrases:
        assert phrase in text


# ---------------------------------------------------------------------------- coincidences


def never_filled(self, dy):
    dx = layers.AvgPool2D.backward(self, dy)
    empty = np.empty(dx.shape)
    empty[..., 0, :] = dx[..., 0, :]
    return empty


def at_random(self, dy):
    return np.random.default_rng().normal(size=self.x_shape)


@pytest.mark.parametrize("backward", [never_filled, at_random], ids=lambda f: f.__name__)
def test_what_differs_from_run_to_run_is_the_finding(backward):
    _, text = said(check.avgpool_backward, layers.AvgPool2D, backward=backward)
    assert "result is different each time" in text
    for told in ("pattern", "got ", "notice", "Here"):
        assert told not in text


def test_equal_numbers_are_told_apart():
    def forward(self, logits, labels):
        return float(check.loss_forward.reference.forward(self, logits, labels) + 1e-7)

    failure, _ = said(check.loss_forward, check.loss_forward.reference, forward=forward)
    assert failure.facts["expected"] != failure.facts["got"]


def test_bound_anew_is_not_called_written_in_place():
    def backward(self, dy):
        dx = layers.Dense.backward(self, dy)
        self.b = dy.sum(axis=0)
        return dx

    _, text = said(check.dense_db, layers.Dense, backward=backward)
    assert "in place" not in text
    assert "sets self.b anew, or writes into it" in text
    assert "self.db meant" in text


# ---------------------------------------------------------------------------- a dtype besides


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_dtype_that_is_wrong_everywhere_hides_no_name(dtype):
    def forward(self, x):
        return (layers.Conv2D.forward(self, x) - self.b.reshape(-1, 1, 1)).astype(dtype)

    failure, text = said(check.conv_forward, layers.Conv2D, forward=forward)
    assert failure.misconception is misconceptions.conv.ForgetsTheBias, text
    assert "notice" not in failure.facts


def test_two_mistakes_are_shown_where_each_can_be_seen():
    def backward(self, dy):
        dx = layers.Conv2D.backward(self, dy)
        first, last = misconceptions.conv.StrideMissingInDW, misconceptions.conv.MinusDW
        both = changes.made("both", first.way, *first.slips, *last.slips)
        vars(other := both.__new__(both)).update(vars(self))
        other.x = self.x = getattr(self, "x", None)
        other.backward(dy)
        self.dW = other.dW
        return dx

    def forward(self, x):
        self.x = x
        return layers.Conv2D.forward(self, x)

    failure, text = said(check.conv_dW, layers.Conv2D, forward=forward, backward=backward)
    assert failure.misconception.all, text
    assert "stride 2" in failure.facts["where"]


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("StrideMissingInDx", ["stride 2", "x = ", "W = ", "dy = "]),
        ("CutInTheCorner", ["padding 1", "x = ", "W = ", "dy = "]),
        ("DividesDxByTheBatch", ["x of shape (2, 1, "]),
        ("SameForEveryChannel", ["x of shape (1, 2, 2, 3)", "x[0, 1] = ", "W[1, 1] = "]),
    ],
)
def test_a_named_mistake_is_shown_where_it_can_be_followed_by_hand(name, inputs):
    """One picture, channel and filter, where the mistake is seen in them, and whole numbers."""
    failure = check.conv_dx.failure(misconceptions.find("conv_dx", name))
    for part in inputs:
        assert part in failure.facts["where"]
    expected = failure.facts["expected"].split(" = ")[1]
    assert float(expected) == int(float(expected)) and failure.facts["wrong"]


def test_a_case_that_shows_nothing_when_it_is_smaller_stays():
    """Of what is left over, or of another dtype, a smaller case may show nothing; then it is not shown."""
    for broken in misconceptions.named_by("conv_dW"):
        failure = check.conv_dW.failure(broken)
        assert failure.misconception.main is broken
        assert failure.facts.get("expected", "") != failure.facts.get("got", ".")
