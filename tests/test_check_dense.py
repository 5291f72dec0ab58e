"""The checks of lesson 05: legal solutions of every kind, and mistakes that are on no list."""

import math

import numpy as np
import pytest
from hunts import with_expected

from cnnlib import check, misconceptions


class Dense:
    """What the exercise hands out; the answers below fill in the rest."""

    def __init__(self, in_features, out_features, *, rng=None):
        rng = np.random.default_rng(rng)
        self.W = rng.normal(size=(in_features, out_features)).astype(np.float32)
        self.b = np.zeros(out_features, np.float32)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T


class Loss:
    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p, self.labels = np.exp(log_p), labels
        return float(-log_p[np.arange(len(labels)), labels].mean())

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(d)), self.labels] -= 1
        return d / len(d)


def dense(**methods):
    return type("Dense", (Dense,), methods)


def loss(**methods):
    return type("SoftmaxCrossEntropy", (Loss,), methods)


# ---------------------------------------------------------------------------- right answers


class Loops(Dense):
    """Not one array operation."""

    def forward(self, x):
        self.x = x
        N, D = x.shape
        K = len(self.b)
        y = np.zeros((N, K), x.dtype)
        for n in range(N):
            for k in range(K):
                total = self.b[k]
                for d in range(D):
                    total += x[n, d] * self.W[d, k]
                y[n, k] = total
        return y

    def backward(self, dy):
        N, D = self.x.shape
        K = len(self.b)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)
        dx = np.zeros_like(self.x)
        for n in range(N):
            for k in range(K):
                self.db[k] += dy[n, k]
                for d in range(D):
                    self.dW[d, k] += self.x[n, d] * dy[n, k]
                    dx[n, d] += self.W[d, k] * dy[n, k]
        return dx


class Outer(Dense):
    """One outer product for each sample."""

    def backward(self, dy):
        self.dW = sum(np.outer(x, d) for x, d in zip(self.x, dy, strict=True))
        self.db = np.add.reduce(dy)
        return np.array([self.W @ d for d in dy])


class Einsum(Dense):
    def forward(self, x):
        self.x = x.copy()
        return np.einsum("nd,dk->nk", x, self.W) + self.b[None, :]

    def backward(self, dy):
        self.dW = np.einsum("nd,nk->dk", self.x, dy)
        self.db = np.einsum("nk->k", dy)
        return np.einsum("nk,dk->nd", dy, self.W)


class Turned(Dense):
    """Everything the other way round, and back."""

    def forward(self, x):
        self.x = x
        return np.dot(self.W.T, x.T).T + self.b

    def backward(self, dy):
        self.dW = np.dot(dy.T, self.x).T
        self.db = np.ones(len(dy), dy.dtype) @ dy
        return np.dot(self.W, dy.T).T


class OneHot(Loss):
    def forward(self, logits, labels):
        m = np.max(logits, axis=1)[:, None]
        self.y = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
        log_p = logits - m - np.log(np.sum(np.exp(logits - m), axis=1))[:, None]
        self.p = np.exp(log_p)
        return float(-np.sum(self.y * log_p) / len(labels))

    def backward(self):
        return (self.p - self.y) / self.y.shape[0]


class LossLoops(Loss):
    def forward(self, logits, labels):
        self.logits, self.labels = logits, labels
        total = 0.0
        for row, label in zip(logits, labels, strict=True):
            m = max(row)
            total += m + math.log(sum(math.exp(z - m) for z in row)) - row[label]
        return float(total / len(labels))

    def backward(self):
        d = np.zeros_like(self.logits)
        for n, (row, label) in enumerate(zip(self.logits, self.labels, strict=True)):
            m = max(row)
            e = [math.exp(z - m) for z in row]
            for k in range(len(row)):
                d[n, k] = (e[k] / sum(e) - (k == label)) / len(self.labels)
        return d


class LogAddExp(Loss):
    def forward(self, logits, labels):
        self.log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        self.labels = np.asarray(labels, int)[:, None]
        return float(-np.take_along_axis(self.log_p, self.labels, 1).mean())

    def backward(self):
        d = np.exp(self.log_p)
        np.put_along_axis(d, self.labels, np.take_along_axis(d, self.labels, 1) - 1, 1)
        return d / d.shape[0]


class GradientInForward(Loss):
    """Keeps nothing but the answer of backward."""

    def forward(self, logits, labels):
        value = super().forward(logits, labels)
        self.dlogits = super().backward()
        return value

    def backward(self):
        return self.dlogits


DENSE_CHECKS = (check.dense_forward, check.dense_dW, check.dense_db, check.dense_dx)
LOSS_CHECKS = (check.loss_forward, check.loss_backward)


@pytest.mark.parametrize("right", [Dense, Loops, Outer, Einsum, Turned], ids=lambda c: c.__name__)
def test_legal_variants_of_dense_pass(right):
    for c in DENSE_CHECKS:
        assert c.failure(right) is None, c.title


@pytest.mark.parametrize(
    "right", [Loss, OneHot, LossLoops, LogAddExp, GradientInForward], ids=lambda c: c.__name__
)
def test_legal_variants_of_the_loss_pass(right):
    for c in LOSS_CHECKS:
        assert c.failure(right) is None, c.title


def test_one_half_written_is_judged_by_its_own_checks():
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    untouched = dense(forward=forward, backward=backward)
    for c in DENSE_CHECKS:
        assert isinstance(c.failure(untouched), check.NotWritten)
    half = dense(backward=backward)
    assert check.dense_forward.failure(half) is None
    assert str(check.dense_dW.failure(half)).startswith("○ Dense.dW is not written yet")


def test_a_gradient_that_is_missing_costs_only_its_own_check():
    def backward(self, dy):
        self.db = dy.sum(axis=0)

    half = dense(backward=backward)
    assert check.dense_db.failure(half) is None
    assert "has no dW" in str(check.dense_dW.failure(half))
    assert "returned None" in one_line(check.dense_dx.failure(half))


@pytest.mark.parametrize("c", [check.dense_dW, check.dense_db], ids=lambda c: c.name)
def test_what_stands_above_the_line_still_to_be_written_is_checked(c):
    def backward(self, dy):
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        raise NotImplementedError

    assert c.failure(dense(backward=backward)) is None
    assert isinstance(check.dense_dx.failure(dense(backward=backward)), check.NotWritten)


def one_line(failure):
    """The message without its line breaks, its headline beginning in lower case."""
    sign, title, rest = str(failure).partition(": ")
    return " ".join(f"{sign}{title}{rest[:1].lower()}{rest[1:]}".split())


# ---------------------------------------------------------------------------- mistakes on the list, in other words


def backward_with(name, wrong):
    """A right backward, but for one of its three results, which `wrong` computes."""

    def backward(self, dy):
        if name == "dW":
            self.dW = wrong(self, dy)
        else:
            self.dW = self.x.T @ dy
        self.db = wrong(self, dy) if name == "db" else dy.sum(axis=0)
        return wrong(self, dy) if name == "dx" else dy @ self.W.T

    return dense(backward=backward)


def loss_with(wrong):
    """A loss whose forward is `wrong`, and which keeps the right p and labels for backward."""

    def forward(self, logits, labels):
        Loss.forward(self, logits, labels)
        return wrong(logits, labels)

    return loss(forward=forward)


def dlogits_with(wrong):
    return loss(backward=lambda self: wrong(self.p.copy(), self.labels))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def pick(a, labels):
    return a[np.arange(len(labels)), labels]


def assigns_in_the_loop(self, x):
    y = np.zeros((len(x), len(self.b)), x.dtype)
    for n in range(len(x)):
        for k in range(len(self.b)):
            for d in range(x.shape[1]):
                y[n, k] = x[n, d] * self.W[d, k]
            y[n, k] += self.b[k]
    return y


def dW_assigned(self, dy):
    dW = np.zeros_like(self.W)
    for x, d in zip(self.x, dy, strict=True):
        dW[:] = np.outer(x, d)
    return dW


def dW_short_loop(self, dy):
    dW = np.zeros_like(self.W)
    for n in range(len(dy) - 1):
        dW += np.outer(self.x[n], dy[n])
    return dW


def dx_assigned(self, dy):
    dx = np.zeros_like(self.x)
    for n, d in np.ndindex(dx.shape):
        for k in range(dy.shape[1]):
            dx[n, d] = dy[n, k] * self.W[d, k]
    return dx


def label_by_label(p, labels):
    for n in range(len(p)):
        for label in labels:
            p[n, label] -= 1
    return p / len(p)


def loss_of_the_last(logits, labels):
    for n in range(len(labels)):
        value = -log_softmax(logits)[n, labels[n]]
    return float(value)


NAMED = {
    "WeightsTurned": (
        check.dense_forward,
        dense(forward=lambda self, x: np.dot(x, self.W.T) + self.b),
    ),
    "ReshapesWeightsForward": (
        check.dense_forward,
        dense(forward=lambda self, x: x @ np.resize(self.W, self.W.shape[::-1]).T + self.b),
    ),
    "OutputsFirst": (
        check.dense_forward,
        dense(forward=lambda self, x: self.W.T @ x.T + self.b[:, None]),
    ),
    "UprightBias": (
        check.dense_forward,
        dense(forward=lambda self, x: x @ self.W + self.b.reshape(-1, 1)),
    ),
    "LastInputOnly": (check.dense_forward, dense(forward=assigns_in_the_loop)),
    "AveragedWeightGradient": (
        check.dense_dW,
        backward_with(
            "dW",
            lambda self, dy: np.mean(
                [np.outer(x, d) for x, d in zip(self.x, dy, strict=True)], axis=0
            ),
        ),
    ),
    "LastSampleOnly": (check.dense_dW, backward_with("dW", dW_assigned)),
    "WithoutTheLastSample": (check.dense_dW, backward_with("dW", dW_short_loop)),
    "ReshapedWeightGradient": (
        check.dense_dW,
        backward_with("dW", lambda self, dy: np.resize(dy.T @ self.x, self.W.shape)),
    ),
    "OneBiasForAll": (check.dense_db, backward_with("db", lambda self, dy: sum(sum(dy)))),
    "AveragedBiasGradient": (check.dense_db, backward_with("db", lambda self, dy: dy.mean(axis=0))),
    "BackThroughTheWrongWeights": (
        check.dense_dx,
        backward_with("dx", lambda self, dy: np.dot(dy, self.W)),
    ),
    "LastOutputOnly": (check.dense_dx, backward_with("dx", dx_assigned)),
    "ReshapesWeights": (
        check.dense_dx,
        backward_with("dx", lambda self, dy: dy @ np.resize(self.W, self.W.shape[::-1])),
    ),
    "NoShift": (
        check.loss_forward,
        loss_with(lambda z, t: float((np.log(np.exp(z).sum(axis=1)) - pick(z, t)).mean())),
    ),
    "OneMaximumForAll": (
        check.loss_forward,
        loss_with(
            lambda z, t: float(
                -pick(
                    z - z.max() - np.log(np.exp(z - z.max()).sum(axis=1, keepdims=True)), t
                ).mean()
            )
        ),
    ),
    "ShiftsTheSumOnly": (
        check.loss_forward,
        loss_with(
            lambda z, t: float(
                np.mean(np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)) - pick(z, t))
            )
        ),
    ),
    "ZeroTimesInfinity": (
        check.loss_forward,
        loss_with(lambda z, t: float(-(np.eye(z.shape[1])[t] * np.log(softmax(z))).sum() / len(t))),
    ),
    "ClipsAt1e-12": (
        check.loss_forward,
        loss_with(lambda z, t: float(-np.log(pick(softmax(z), t) + 1e-12).mean())),
    ),
    "ClipsAt1e-15": (
        check.loss_forward,
        loss_with(
            lambda z, t: float(-np.log(np.clip(pick(softmax(z), t), 1e-15, 1 - 1e-15)).mean())
        ),
    ),
    "AveragedOverClasses": (
        check.loss_forward,
        loss_with(lambda z, t: float(-(np.eye(z.shape[1])[t] * log_softmax(z)).mean())),
    ),
    "AllLabelsInEveryRow": (
        check.loss_forward,
        loss_with(lambda z, t: float(-log_softmax(z)[:, t].mean())),
    ),
    "LastLossOnly": (check.loss_forward, loss_with(loss_of_the_last)),
    "ClassesFromOne": (
        check.loss_forward,
        loss_with(lambda z, t: float(-pick(log_softmax(z), t - 1).mean())),
    ),
    "SoftmaxTwice": (
        check.loss_forward,
        loss_with(lambda z, t: float(-pick(log_softmax(softmax(z)), t).mean())),
    ),
    "TwiceDivided": (
        check.loss_backward,
        dlogits_with(lambda p, t: (p - np.eye(p.shape[1], dtype=p.dtype)[t]) / len(t) ** 2),
    ),
    "SubtractsFromWholeColumnsInTurn": (check.loss_backward, dlogits_with(label_by_label)),
    "SlopeOfSoftmax": (
        check.loss_backward,
        dlogits_with(
            lambda p, t: (
                np.where(np.eye(p.shape[1], dtype=bool)[t], p * (1 - p), -p * pick(p, t)[:, None])
                / len(t)
            )
        ),
    ),
    "OneRowOfGradients": (
        check.loss_backward,
        dlogits_with(lambda p, t: (p - np.eye(p.shape[1], dtype=p.dtype)[t]).mean(axis=0)),
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_mistake_on_the_list_is_named_however_it_is_written(name):
    c, wrong = NAMED[name]
    with np.errstate(all="ignore"):
        assert c.failure(wrong).misconception.__name__ == name


# ---------------------------------------------------------------------------- mistakes on no list


def leaves_the_loop(self, x):
    y = np.zeros((len(x), len(self.b)), x.dtype)
    for n in range(len(x)):
        for k in range(len(self.b)):
            y[n, k] = self.b[k] + sum(x[n, d] * self.W[d, k] for d in range(x.shape[1]))
        return y


def one_input_short(self, x):
    y = np.zeros((len(x), len(self.b)), x.dtype)
    for n, k in np.ndindex(y.shape):
        y[n, k] = self.b[k]
        for d in range(x.shape[1] - 1):
            y[n, k] += x[n, d] * self.W[d, k]
    return y


def whole_numbers(self, x):
    y = np.zeros((len(x), len(self.b)), int)
    y[:] = x @ self.W + self.b
    return y


def scales_x(self, x):
    x /= np.abs(x).max()
    return x @ self.W + self.b


def own_weights(self, x):
    weights = np.random.default_rng().normal(size=self.W.shape)
    return x @ weights + self.b


UNNAMED_FORWARD = [
    ("could not be broadcast together", lambda self, x: x * self.W + self.b),
    ("the inner lengths must agree", lambda self, x: np.dot(self.W, x) + self.b),
    ("the inner lengths must agree", lambda self, x: x.T @ self.W + self.b),
    ("UprightBias + OutputsFirst", lambda self, x: self.W.T @ x.T + self.b),
    ("dtype is float64, not float32", lambda self, x: (x @ self.W + self.b).astype(float)),
    ("it returned None", lambda self, x: None),
    ("returned a list", lambda self, x: (x @ self.W + self.b).tolist()),
    ("the decimal point is lost", whole_numbers),
    ("x = 1 10 100 W = 3 6 / 1 4 / 2 5", one_input_short),
    ("only the first row", leaves_the_loop),
    ("too few axes", lambda self, x: x[0] @ self.W + self.b),
    ("wrong length along N", lambda self, x: x[:1] @ self.W + self.b),
    ("too few axes", lambda self, x: (x @ self.W + self.b).sum(axis=0)),
    ("only the shape of y is wrong", lambda self, x: (x @ self.W + self.b).reshape(-1)),
    ("wrong sign", lambda self, x: -(x @ self.W + self.b)),
    ("off by 1 times b", lambda self, x: x @ self.W + 2 * self.b),
    ("MeanOfTheBiases", lambda self, x: x @ self.W + self.b.mean()),
    ("changed x in place", scales_x),
    ("result is different each time", own_weights),
    ("does not depend on W", lambda self, x: x @ np.ones_like(self.W) + self.b),
    ("flipped along K", lambda self, x: (x @ self.W + self.b)[:, ::-1]),
    ("in reverse order", lambda self, x: (x @ self.W + self.b)[::-1]),
    ("got y[0, 0] = 312.7", lambda self, x: x[:, ::-1] @ self.W + self.b),
    ("does not depend on x", lambda self, x: (x - x.mean(axis=0)) @ self.W + self.b),
    ("no attribute 'inputs'", lambda self, x: self.inputs @ self.W + self.b),
    ("times what it should be", lambda self, x: 0.5 * (x @ self.W + self.b)),
    ("nearly right", lambda self, x: np.round(x @ self.W + self.b, 4)),
    ("nearly right", lambda self, x: (x.astype("f4") @ self.W + self.b).astype(x.dtype)),
    ("contains NaN", lambda self, x: x @ self.W / 0 * 0 + self.b),
    ("too many axes", lambda self, x: x[:, :, None] * self.W[None] + self.b),
    ("each digit of y", lambda self, x: x @ np.sort(self.W, axis=0) + self.b),
]


def with_momentum(self, dy):
    self.velocity = 0.9 * getattr(self, "velocity", 0) + self.x.T @ dy
    return self.velocity


def indices_swapped(self, dy):
    D, K = self.W.shape
    dW = np.zeros_like(self.W)
    for n in range(len(dy)):
        for d in range(D):
            for k in range(K):
                dW[d, k] += self.x[n, k % D] * dy[n, d % K]
    return dW


def stepped(self, dy):
    dW = self.x.T @ dy
    self.W -= 0.1 * dW
    return dW


def doubles_x(self, dy):
    self.x *= 2
    return self.x.T @ dy / 2


def divides_dy(self, dy):
    dy /= len(dy)
    return self.x.T @ dy


def first_dy(self, dy):
    self.first = getattr(self, "first", dy)
    return self.x.T @ self.first[: len(self.x)]


UNNAMED_DW = [
    ("divided by D", lambda self, dy: self.x.T @ dy / self.x.shape[1]),
    ("divided by K", lambda self, dy: self.x.T @ dy / dy.shape[1]),
    ("divided by dy.size", lambda self, dy: self.x.T @ dy / dy.size),
    ("divided by x.size", lambda self, dy: self.x.T @ dy / self.x.size),
    ("divided by W.size", lambda self, dy: self.x.T @ dy / self.W.size),
    ("N times too large", lambda self, dy: self.x.T @ dy * len(dy)),
    ("wrong sign", lambda self, dy: -self.x.T @ dy),
    ("0.01 times what it should be", lambda self, dy: 0.01 * self.x.T @ dy),
    ("wrong length along D and K", lambda self, dy: self.x @ dy.T),
    ("could not be broadcast", lambda self, dy: self.x.T * dy),
    ("wrong length along D and K", lambda self, dy: dy @ self.x),
    ("too many axes", lambda self, dy: np.einsum("nd,nk->ndk", self.x, dy)),
    ("dtype is float64", lambda self, dy: (self.x.T @ dy).astype(float)),
    ("dW is 0 everywhere", lambda self, dy: np.zeros_like(self.W)),
    ("dW is 1 everywhere", lambda self, dy: np.ones_like(self.W)),
    (
        "SumsBeforeProduct + AveragedWeightGradient",
        lambda self, dy: np.outer(self.x.mean(axis=0), dy.sum(axis=0)),
    ),
    ("right with a batch of one", lambda self, dy: np.outer(self.x.mean(axis=0), dy.mean(axis=0))),
    ("right with a batch of one", lambda self, dy: self.x[::-1].T @ dy),
    ("right with a batch of one", lambda self, dy: np.outer(self.x[0], dy.sum(axis=0))),
    ("each digit of dW tells", lambda self, dy: self.x.T @ np.sign(dy)),
    ("off by 0.1 times W", lambda self, dy: self.x.T @ dy + 0.1 * self.W),
    ("depends on b", lambda self, dy: self.x.T @ (dy * self.b)),
    ("UpstreamAlone + TimesTheWeights", lambda self, dy: self.W * dy.sum(axis=0)),
    ("expected dW[", lambda self, dy: (self.x - self.x.mean(axis=0)).T @ dy),
    ("WalksWithW", stepped),
    ("changed x", doubles_x),
    ("changed dy", divides_dy),
    ("the decimal point is lost", lambda self, dy: (self.x.T @ dy).astype(int)),
    ("2 of 6 entries", indices_swapped),
    ("x is the second batch", with_momentum),
    ("x is the second batch", first_dy),
    ("self.dW is a list", lambda self, dy: (self.x.T @ dy).tolist()),
    ("divided by N²", lambda self, dy: self.x.T @ dy / len(dy) ** 2),
]


def db_stepped(self, dy):
    self.b -= dy.sum(axis=0)
    return dy.sum(axis=0)


def one_row_short(self, dy):
    db = np.zeros_like(self.b)
    for k in range(len(db) - 1):
        db[k] = dy[:, k].sum()
    return db


UNNAMED_DB = [
    ("too few axes", lambda self, dy: dy.mean()),
    ("wrong length along K", lambda self, dy: dy.mean(axis=1)),
    ("SumsOverOutputs + ColumnOfBiases", lambda self, dy: dy.sum(axis=1, keepdims=True)),
    ("divided by K", lambda self, dy: dy.sum(axis=0) / dy.shape[1]),
    ("wrong sign", lambda self, dy: -dy.sum(axis=0)),
    ("wrong length along K", lambda self, dy: self.x.sum(axis=0)),
    ("depends on x", lambda self, dy: self.dW.sum(axis=0)),
    ("depends on x", lambda self, dy: (self.x.sum(axis=1, keepdims=True) * dy).sum(axis=0)),
    ("dtype is float64", lambda self, dy: np.zeros(dy.shape[1]) + dy.sum(axis=0)),
    ("self.db is a list", lambda self, dy: list(dy.sum(axis=0))),
    ("too many axes", lambda self, dy: dy.cumsum(axis=0)),
    ("right with a batch of one", lambda self, dy: dy.max(axis=0)),
    ("expected db[", lambda self, dy: np.abs(dy).sum(axis=0)),
    ("off by 1 times b", lambda self, dy: dy.sum(axis=0) + self.b),
    ("the same for every index along K", lambda self, dy: np.full_like(self.b, dy.sum())),
    ("the same for every index along K", lambda self, dy: np.full_like(self.b, dy.mean())),
    ("db is 0 everywhere", lambda self, dy: np.zeros_like(self.b)),
    ("flipped along K", lambda self, dy: dy.sum(axis=0)[::-1]),
    ("too many axes", lambda self, dy: dy.T),
    ("another b than before", db_stepped),
    ("the last index along K", one_row_short),
]


def after_the_step(self, dy):
    self.W = self.W - 0.1 * self.dW
    return dy @ self.W.T


UNNAMED_DX = [
    ("wrong length along N", lambda self, dy: np.dot(self.W, dy)),
    ("wrong length along N and D", lambda self, dy: dy * self.W),
    ("could not be broadcast", lambda self, dy: dy * self.W.T),
    ("comes out is dy", lambda self, dy: dy),
    ("comes out is x", lambda self, dy: self.x),
    ("it returned None", lambda self, dy: None),
    ("returned a tuple", lambda self, dy: (dy @ self.W.T, self.dW, self.db)),
    ("wrong sign", lambda self, dy: -dy @ self.W.T),
    ("dx is 1 everywhere", lambda self, dy: np.ones_like(self.x)),
    ("too few axes", lambda self, dy: (dy @ self.W.T).mean(axis=0)),
    ("wrong length along N", lambda self, dy: (dy @ self.W.T).sum(axis=0, keepdims=True)),
    ("divided by W.shape[1]", lambda self, dy: dy @ self.W.T / dy.shape[1]),
    ("divided by D", lambda self, dy: dy @ self.W.T / len(self.W)),
    ("N times too large", lambda self, dy: dy @ self.W.T * len(dy)),
    ("dtype is float64", lambda self, dy: dy.astype(float) @ self.W.T),
    ("of 20 entries", lambda self, dy: dy @ np.abs(self.W).T),
    ("depends on x", lambda self, dy: dy @ self.dW.T),
    ("another W than before", after_the_step),
    (
        "the same for every index along N",
        lambda self, dy: np.repeat(dy[:1] @ self.W.T, len(dy), axis=0),
    ),
    ("in reverse order", lambda self, dy: (dy @ self.W.T)[::-1]),
    ("flipped along D", lambda self, dy: dy @ self.W[::-1].T),
    ("depends on x", lambda self, dy: (self.x @ self.W + self.b) @ self.W.T),
    ("depends on x", lambda self, dy: ((self.x @ self.W + self.b) * dy) @ self.W.T),
    ("got dx[0, 0] = 3", lambda self, dy: np.outer(dy[:, 0], self.W[:, 0])),
    ("order (D, N)", lambda self, dy: (self.W @ dy.T).reshape(self.x.shape)),
    ("mismatch in its core dimension", lambda self, dy: dy.T @ self.W),
    ("depends on x", lambda self, dy: dy @ self.W.T / self.x),
    ("nearly right", lambda self, dy: np.round(dy @ self.W.T, 4)),
    ("depends on x", lambda self, dy: np.ones_like(dy) @ self.W.T + self.x),
]


def loop_over_labels(z, t):
    total = 0.0
    for label in t:
        total += -log_softmax(z)[0, label]
    return float(total / len(t))


def in_place(z, t):
    np.exp(z, out=z)
    return float(-np.log(pick(z / z.sum(axis=1, keepdims=True), t)).mean())


def columns(z, t):
    log_p = log_softmax(z)
    return float(-np.mean([log_p[k, n] for n, k in enumerate(t)]))


SEVERAL = "right with a batch of one, wrong with several rows"
FAR = "wrong only with scores far from 0"
UNNAMED_LOSS = [
    ("NumPy's float32, not a Python float", lambda z, t: -pick(log_softmax(z), t).mean()),
    ("not a Python float", lambda z, t: np.array(-pick(log_softmax(z), t).mean())),
    ("it returned None", lambda z, t: None),
    ("returned a list", lambda z, t: list(-pick(log_softmax(z), t))),
    ("returned a tuple", lambda z, t: (float(-pick(log_softmax(z), t).mean()), softmax(z))),
    ("too many axes", lambda z, t: softmax(z)),
    ("the decimal point is lost", lambda z, t: int(-pick(log_softmax(z), t).mean())),
    ("nearly right", lambda z, t: round(float(-pick(log_softmax(z), t).mean()), 5)),
    ("nearly right", lambda z, t: float(-pick(log_softmax(z.astype("f4")), t).mean())),
    ("loss is wrong", lambda z, t: float(log_softmax(z).mean() + z.max())),
    (FAR, lambda z, t: float(-pick(log_softmax(np.clip(z, -500, 500)), t).mean())),
    (FAR, lambda z, t: float(-pick(log_softmax(np.clip(z, -50, 50)), t).mean())),
    (
        "does not depend on labels",
        lambda z, t: float(np.nan_to_num(-np.log(pick(np.exp(z), t) / np.exp(z).sum(1)).mean())),
    ),
    (SEVERAL, lambda z, t: float((-pick(log_softmax(z), t)).max())),
    ("wrong only with several rows", lambda z, t: float(np.median(-pick(log_softmax(z), t)))),
    ("FirstLossOnly + AllLabelsInEveryRow", loop_over_labels),
    ("the logits are 0 and ln 3", lambda z, t: float(-pick(log_softmax(z / 2), t).mean())),
    ("the logits are 0 and ln 3", lambda z, t: float(-pick(log_softmax(-z), t).mean())),
    ("the logits are 0 and ln 3", lambda z, t: float((z.argmax(axis=1) == t).mean())),
    ("expected loss = 1.38629", lambda z, t: float((z.argmax(axis=1) != t).mean())),
    ("expected loss = 1.38629", lambda z, t: float(-np.log1p(pick(softmax(z), t)).mean())),
    ("SumOfLosses + NegativeLoss", lambda z, t: float(pick(log_softmax(z), t).sum())),
    ("SumOfLosses + MinusP", lambda z, t: float(-pick(softmax(z), t).sum())),
    (
        "expected loss = 1.38629",
        lambda z, t: float(-(softmax(z) * log_softmax(z)).sum() / len(t)),
    ),
    ("changed logits", in_place),
    ("2.5 times", lambda z, t: 2.5 * float(-pick(log_softmax(z), t).mean())),
    ("out of bounds", lambda z, t: float(-pick(log_softmax(z), t.argmax(axis=1)).mean())),
    (
        "An array of indices holds whole numbers",
        lambda z, t: float(-pick(log_softmax(z), t.astype(float)).mean()),
    ),
    ("loss is wrong", columns),
    ("loss is wrong", lambda z, t: float(-pick(log_softmax(np.sort(z, axis=1)), t).mean())),
    ("DividedByClasses", lambda z, t: float(-pick(log_softmax(z), t).sum() / z.shape[1])),
]


def one_hot(p, t):
    return np.eye(p.shape[1], dtype=p.dtype)[t]


def in_the_flat_row(p, t):
    flat = p.reshape(-1)
    flat[t] -= 1
    return p / len(t)


def first_row_only(p, t):
    for n in range(len(t)):
        p[n, t[n]] -= 1
        return p / len(t)


def row_by_row(p, t):
    return np.array([row - (np.arange(len(row)) == t[0]) for row in p]).astype(p.dtype) / len(t)


UNNAMED_DLOGITS = [
    ("dtype is float64, not float32", lambda p, t: (p - np.eye(p.shape[1])[t]) / len(t)),
    ("it returned None", lambda p, t: None),
    ("axes in the order (K, N)", lambda p, t: (p - one_hot(p, t)).T / len(t)),
    ("2 times what it should be", lambda p, t: 2 * (p - one_hot(p, t)) / len(t)),
    ("DividedByClassesOnly", lambda p, t: (p - one_hot(p, t)) / p.shape[1]),
    ("a length", lambda p, t: 2 * (p - one_hot(p, t)) / p.size),
    ("below 0 have become 0", lambda p, t: p * (1 - one_hot(p, t)) / len(t)),
    ("sign: some have the wrong one", lambda p, t: np.abs(p - one_hot(p, t)) / len(t)),
    ("dlogits is 0 everywhere", lambda p, t: np.zeros_like(p)),
    ("SlopeOfP", lambda p, t: p * (1 - p) / len(t)),
    ("does not depend on logits", lambda p, t: np.sign(p - one_hot(p, t)) / len(t)),
    ("expected dlogits[0, 0] = -0.75", lambda p, t: (np.log(p) - one_hot(p, t)) / len(t)),
    ("got dlogits[0, 0] = -4", lambda p, t: -one_hot(p, t) / (p + 1e-12)),
    (
        "got dlogits[0, 0] = -0.7",
        lambda p, t: (p - 0.9 * one_hot(p, t) - 0.1 / p.shape[1]) / len(t),
    ),
    ("nearly right", lambda p, t: np.round((p - one_hot(p, t)) / len(t), 5)),
    ("nearly right", lambda p, t: ((p - one_hot(p, t)) / len(t) + 1e-7).astype(p.dtype)),
    ("does not depend on logits", lambda p, t: (p.astype(int) - one_hot(p, t)) / len(t)),
    (SEVERAL, in_the_flat_row),
    ("indices 1 to 4 along N", first_row_only),
    ("FirstLabelForAllBack", row_by_row),
    ("got dlogits[0, 0] = 0.25", lambda p, t: (p - np.roll(one_hot(p, t), 1, axis=1)) / len(t)),
    ("of 20 entries", lambda p, t: (p - one_hot(p, t)[::-1]) / len(t)),
    ("flipped along K", lambda p, t: (p - one_hot(p, t))[:, ::-1] / len(t)),
    ("in reverse order", lambda p, t: (p - one_hot(p, t))[::-1] / len(t)),
    ("only the shape", lambda p, t: ((p - one_hot(p, t)) / len(t)).ravel()),
    ("wrong length along N", lambda p, t: (p - one_hot(p, t)).sum(axis=0, keepdims=True)),
]

UNNAMED = [
    *((check.dense_forward, phrase, dense(forward=wrong)) for phrase, wrong in UNNAMED_FORWARD),
    *((check.dense_dW, phrase, backward_with("dW", wrong)) for phrase, wrong in UNNAMED_DW),
    *((check.dense_db, phrase, backward_with("db", wrong)) for phrase, wrong in UNNAMED_DB),
    *((check.dense_dx, phrase, backward_with("dx", wrong)) for phrase, wrong in UNNAMED_DX),
    *((check.loss_forward, phrase, loss_with(wrong)) for phrase, wrong in UNNAMED_LOSS),
    *((check.loss_backward, phrase, dlogits_with(wrong)) for phrase, wrong in UNNAMED_DLOGITS),
]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("c", "phrase", "wrong"),
    UNNAMED,
    ids=[f"{c.name}-{k}" for k, (c, _, _) in enumerate(UNNAMED)],
)
def test_what_is_said_of_a_mistake_on_no_list(c, phrase, wrong):
    with np.errstate(all="ignore"):
        failure = c.failure(wrong)
    if failure.misconception is None:
        assert phrase in one_line(failure), failure
    else:  # of two mistakes that are both on a list
        assert failure.misconception.__name__ == phrase, failure


# ---------------------------------------------------------------------------- a blind guess, and the hunts


def test_a_mistake_is_named_though_a_second_one_shows_where_scores_are_extreme():
    def forward(self, z, labels):
        p = np.exp(z) / np.exp(z).sum(axis=0)
        return float(-np.log(p[np.arange(len(z)), labels]).mean())

    said = one_line(check.loss_forward.failure(loss(forward=forward)))
    assert "exp is taken of the scores as they are" in said
    assert "summed over the batch" in said
    assert "NaN" not in said


def turns_p(self):
    d = self.p
    for n, label in enumerate(self.labels):
        d[n, label] -= 1
    d /= len(d)
    return d


@pytest.mark.parametrize(
    ("phrase", "backward"),
    [
        ("turn p itself into the gradient", turns_p),
        ("you return p.", lambda self: self.p.copy()),
    ],
)
def test_a_wrong_gradient_of_the_loss_is_named_however_it_is_written(phrase, backward):
    assert phrase in one_line(check.loss_backward.failure(loss(backward=backward)))


def test_a_loss_of_every_class_is_named():
    every = loss(forward=lambda self, z, labels: float(-log_softmax(z).mean()))
    assert "averaged over all classes" in one_line(check.loss_forward.failure(every))


def test_a_crash_comes_before_a_dtype():
    def backward(self):
        return (self.p - np.eye(10)[self.labels]) / len(self.p)

    assert "stopped with ValueError" in str(check.loss_backward.failure(loss(backward=backward)))


def random_weights(x, labels):
    layer = Dense(x.shape[1], 10, rng=3)
    return Loss().forward(layer.forward(x), labels)


def one_hot_loss(x, labels):
    p = np.full((len(x), 10), 0.1)
    return float(-(np.log(p) * (labels[:, None] == np.arange(10))).sum() / len(x))


def with_ones(x, labels):
    layer = Dense(x.shape[1], 10)
    layer.W = np.ones_like(layer.W)
    return Loss().forward(layer.forward(x), labels)


def test_the_number_written_down_is_no_guess():
    failure = check.blind_guess.failure(lambda x, labels: math.log(10))
    assert failure.misconception is misconceptions.dense.writes_the_number_down


@pytest.mark.parametrize("right", [with_ones, one_hot_loss])
def test_every_network_that_prefers_no_class_is_a_blind_guess(right):
    assert check.blind_guess.failure(right) is None


@pytest.mark.parametrize(
    ("phrase", "wrong"),
    [
        ("loss is wrong", random_weights),
        (
            "different each time",
            lambda x, labels: Loss().forward(
                np.random.default_rng().normal(size=(len(x), 10)), labels
            ),
        ),
        ("it returned None", lambda x, labels: None),
        ("too many axes", lambda x, labels: np.zeros((len(x), 10))),
        ("1.443 times", lambda x, labels: math.log2(10)),
        ("wrong sign", lambda x, labels: math.log(0.1)),
        ("not a Python float", lambda x, labels: np.float32(np.log(10))),
    ],
)
def test_what_is_said_of_a_guess_that_is_not_blind(phrase, wrong):
    failure = check.blind_guess.failure(wrong)
    assert failure.misconception is None
    assert phrase in one_line(failure)


def arrays(*shapes):
    """Different whole numbers in each array."""
    rng = np.random.default_rng(0)
    return tuple(rng.permutation(np.prod(shape)).reshape(shape) + 1.0 for shape in shapes)


LOGITS = arrays((2, 3))[0]


@pytest.mark.parametrize(
    ("hunt", "shown", "phrase"),
    [
        (check.dense_hunt_1, arrays((2, 3), (3, 1), (1,), (2, 1)), "passes your test"),
        (check.dense_hunt_1, (*arrays((2, 3)), np.ones((3, 2)), *arrays((2,), (2, 2))), "passes"),
        (check.dense_hunt_1, (*arrays((2, 3)), np.ones((3, 2)), *arrays((2,), (2, 2))), "Your W"),
        (check.dense_hunt_1, arrays((2, 3), (3, 2), (2,), (2, 3)), "not even a right layer"),
        (check.dense_hunt_1, arrays((2, 3), (3, 2)), "arrays of finite numbers"),
        (check.dense_hunt_2, (LOGITS, np.array([0, 1])), "passes your test"),
        (check.dense_hunt_2, (LOGITS + 900, np.array([0, 1])), "passes your test"),
        (check.dense_hunt_2, (np.array([[1000, 0]]), np.array([1])), "passes your test"),
        (check.dense_hunt_2, (LOGITS * np.inf, np.array([0, 1])), "finite numbers"),
        (check.dense_hunt_2, (LOGITS, np.array([0, 3])), "not even a right layer"),
        (check.dense_hunt_3, (LOGITS, np.array([2, 2])), "passes your test"),
        (check.dense_hunt_3, (LOGITS[:1], np.array([1])), "passes your test"),
    ],
)
def test_a_witness_that_shows_nothing_is_refused(hunt, shown, phrase):
    assert phrase in one_line(hunt.failure(lambda: with_expected(hunt, shown)))


@pytest.mark.parametrize(
    ("hunt", "shown"),
    [
        (
            check.dense_hunt_1,
            ([[0, 0, 0]], [[0, 0], [1, 0], [0, 0]], [0, 0], [[1, 0]]),
        ),
        (check.dense_hunt_2, (np.array([[0, 0], [800, 0]]), np.array([0, 0]))),
        (check.dense_hunt_3, (0 * LOGITS, np.array([0, 1]))),
        (check.dense_hunt_3, (0 * LOGITS, np.array([2.0, 0.0]))),
    ],
)
def test_a_witness_that_shows_the_mistake_is_accepted(hunt, shown):
    assert hunt.failure(lambda: with_expected(hunt, shown)) is None
    assert hunt.patient.__name__ == "Patient"


def test_beside_a_wrong_gradient_without_a_name_a_wrong_forward_is_told():
    def forward(self, logits, labels):
        z = np.exp(logits - np.max(logits))
        self.p, self.labels = z / np.sum(z, axis=0), labels
        return float(-np.mean(np.log(self.p[:, labels])))

    def backward(self):
        d = self.p.copy()
        d[:, self.labels] -= 1
        return d

    with np.errstate(all="ignore"):
        failure = check.loss_backward.failure(loss(forward=forward, backward=backward))
        alone = check.loss_backward.failure(loss(backward=backward))
    assert failure.facts["first"] == "your forward is not right yet: begin with check.loss_forward"
    assert "first" not in alone.facts


KEPT = {
    "Adds0.001": lambda p: p + 1e-3,
    "Adds3e-06": lambda p: p + 3e-6,
    "ClipsAt0.002": lambda p: np.maximum(p, 0.002),
    "ClipsAt3e-06AndNear1": lambda p: np.clip(p, 3e-6, 1 - 3e-6),
    "ClipsAt0.002AndNear1": lambda p: np.clip(p, 0.002, 1 - 0.002),
}


@pytest.mark.parametrize("name", KEPT)
def test_whichever_tiny_number_keeps_p_away_from_0_is_found(name):
    failure = check.loss_forward.failure(
        loss_with(lambda z, t: float(-np.log(KEPT[name](pick(softmax(z), t))).mean()))
    )
    assert failure.misconception.__name__ == name, failure


@pytest.mark.parametrize(("name", "log"), [("SumInBits", np.log2), ("SumInBaseTen", np.log10)])
def test_the_base_of_the_logarithm_is_told_in_the_stable_form_too(name, log):
    def forward(z, t):
        z = z - z.max(axis=1, keepdims=True)
        return float(-pick(z - log(np.exp(z).sum(axis=1, keepdims=True)), t).mean())

    failure = check.loss_forward.failure(loss_with(forward))
    assert failure.misconception.__name__ == name, failure
