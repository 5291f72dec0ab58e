import numpy as np
import pytest

from cnnlib.gradcheck import check_layer, numerical_gradient, relative_error
from cnnlib.layers import AvgPool2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU, parameters
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential

# ---------------------------------------------------------------- numerical_gradient


@pytest.mark.parametrize("shape", [(), (5,), (3, 1), (2, 3, 4)])
def test_of_a_known_function(shape):
    x = np.random.default_rng(0).normal(size=shape)
    gradient = numerical_gradient(lambda x: np.sum(np.sin(x) * x), x)
    assert gradient.shape == shape
    np.testing.assert_allclose(gradient, np.cos(x) * x + np.sin(x), atol=1e-8)


def test_of_the_loss():
    rng = np.random.default_rng(0)
    loss, labels = SoftmaxCrossEntropy(), np.array([2, 0, 1, 1, 2])
    logits = 3 * rng.normal(size=(5, 3))
    numerical = numerical_gradient(lambda logits: loss.forward(logits, labels), logits)
    loss.forward(logits, labels)
    np.testing.assert_allclose(loss.backward(), numerical, atol=1e-9)


def test_x_is_f_s_own_argument_and_is_restored():
    x = np.asfortranarray(np.random.default_rng(0).normal(size=(3, 4)))
    before = x.copy()
    seen = []

    def f(argument):
        seen.append(argument is x and int((x != before).sum()))
        return x[1, 2] ** 2  # f may read x from elsewhere

    gradient = numerical_gradient(f, x)
    assert seen == [1] * 24
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(gradient[1, 2], 2 * x[1, 2], atol=1e-8)
    assert np.count_nonzero(gradient) == 1


def test_an_array_that_is_not_contiguous():
    base = np.random.default_rng(0).normal(size=(4, 6))
    gradient = numerical_gradient(lambda x: np.sum(x**2), base[::2, ::-3])
    np.testing.assert_allclose(gradient, 2 * base[::2, ::-3], atol=1e-8)


def test_x_is_restored_when_f_raises():
    x = np.arange(3.0)

    def f(x):
        if x[1] < 1:
            raise ZeroDivisionError
        return x.sum()

    with pytest.raises(ZeroDivisionError):
        numerical_gradient(f, x)
    np.testing.assert_array_equal(x, [0, 1, 2])


def test_f_may_return_the_same_memory_each_time():
    x = np.array([3.0, 4.0])
    np.testing.assert_allclose(numerical_gradient(lambda x: x[:1], x), [1, 0], atol=1e-8)
    out = np.zeros(())
    gradient = numerical_gradient(lambda x: np.prod(x, out=out), x)
    np.testing.assert_allclose(gradient, [4, 3], atol=1e-8)


def test_the_step_is_the_one_really_taken():
    # 1e9 ± 1e-6 is rounded to a multiple of 1.2e-7.
    x = np.array([1e9])
    assert numerical_gradient(lambda x: x[0] - 1e9, x)[0] == 1


@pytest.mark.parametrize(
    ("f", "x", "error", "words"),
    [
        (np.sum, np.ones(3, np.float32), TypeError, ["array of float32", "float64", "rounds"]),
        (np.sum, np.ones(3, int), TypeError, ["array of int64", "integers cut"]),
        (np.sum, [1.0, 2.0], TypeError, ["x is a list", "np.asarray"]),
        (lambda x: 2 * x, np.ones(3), TypeError, ["shape (3,)", "one number", "np.sum"]),
        (lambda x: np.float32(x.sum()), np.ones(3), TypeError, ["f returned float32", "float64"]),
        (np.sum, np.array([1.0, 1e12]), ValueError, ["h = 1e-06", "x[1] = 1000000000000.0"]),
    ],
)
def test_wrong_arguments(f, x, error, words):
    with pytest.raises(error) as caught:
        numerical_gradient(f, x)
    for word in ["numerical_gradient", *words]:
        assert word in str(caught.value)


def test_a_step_of_nothing():
    with pytest.raises(ValueError, match="h = 0 is lost"):
        numerical_gradient(np.sum, np.ones(2), h=0)


# ---------------------------------------------------------------- relative_error


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 4], [1, 2, 4], 0),
        ([0, 0], [0, 0], 0),
        ([0, 0], [0, 1e-30], 1),
        ([1, -4], [1, 4], 2),
        ([1, 0.1, 5], [1, 0.2, 5], 0.02),
        ([[1e-6, 2e-6]], [[1e-6, 1e-6]], 0.5),
        (3, 4, 0.25),
    ],
)
def test_relative_error(a, b, expected):
    for pair in [(a, b), (b, a)]:
        assert relative_error(*pair) == pytest.approx(expected, abs=1e-15)
    scaled = relative_error(1e8 * np.array(a), 1e8 * np.array(b))
    assert scaled == pytest.approx(expected, abs=1e-15)


def test_one_wrong_entry_among_many_shows():
    a = np.random.default_rng(0).normal(size=100_000)
    b = a.copy()
    b[77] += 0.01
    assert relative_error(a, b) > 1e-3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_passes(value):
    good, bad = np.ones(3), np.array([1, value, 1])
    for pair in [(good, bad), (bad, good), (bad, bad)]:
        assert relative_error(*pair) == np.inf


def test_nothing_is_broadcast():
    with pytest.raises(ValueError, match=r"relative_error: .*\(3, 1\) but b \(3,\)"):
        relative_error(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(ValueError, match=r"relative_error: .*\(2, 0\)"):
        relative_error(np.zeros((2, 0)), np.zeros((2, 0)))


# ---------------------------------------------------------------- check_layer

LAYERS = [
    (lambda rng: Conv2D(2, 3, (2, 4), stride=3, padding=1, rng=rng), (1, 2, 6, 7)),
    (lambda rng: Conv2D(2, 4, (3, 1), rng=rng), (3, 2, 5, 6)),
    (lambda rng: MaxPool2D((2, 3), 1), (2, 3, 5, 4)),
    (lambda rng: AvgPool2D((3, 2), 2), (2, 3, 6, 5)),
    (lambda rng: Flatten(), (2, 3, 5, 4)),
    (lambda rng: Dense(5, 4, rng=rng), (3, 5)),
    (lambda rng: ReLU(), (2, 3, 5, 4)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_the_layers_pass(make, shape):
    rng = np.random.default_rng(0)
    layer = make(rng)
    report = check_layer(layer, rng.normal(size=shape), rng)
    assert report.ok
    assert [row.name for row in report.rows] == ["dx", *(f"d{n}" for _, n in parameters(layer))]
    for row in report.rows:
        assert row.ok
        assert row.error < 1e-7
        assert row.backward == pytest.approx(row.numerical, abs=1e-6)


def test_a_network_passes():
    rng = np.random.default_rng(0)
    net = Sequential(
        [
            Conv2D(2, 3, (2, 3), 2, 1, rng=rng),
            Sequential([ReLU(), MaxPool2D(2, 1), Flatten(), Dense(18, 4, rng=rng)]),
        ]
    )
    report = check_layer(net, rng.normal(size=(3, 2, 7, 6)), rng)
    names = ["dx", "layers[0].dW", "layers[0].db", "layers[1].layers[3].dW"]
    assert [row.name for row in report.rows] == [*names, "layers[1].layers[3].db"]
    assert report.ok


def test_dy_is_drawn_from_rng():
    layer, x = Dense(3, 2, rng=0), np.ones((4, 3))
    first, again, other = (check_layer(layer, x, rng) for rng in (1, 1, 2))
    assert first == again != other


class OneEntryOff(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        dx[2, 3] += 0.01
        return dx


class BiasTwice(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = 2 * self.db
        return dx


class NotANumber(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW[1, 0] = np.nan
        return dx


class Backwards(Dense):
    """Mirrors dx within the batch: invisible where dy is all ones."""

    def backward(self, dy):
        return super().backward(dy)[::-1]


@pytest.mark.parametrize(
    ("wrong", "name", "index"),
    [
        (OneEntryOff, "dx", (2, 3)),
        (BiasTwice, "db", None),
        (NotANumber, "dW", (1, 0)),
        (Backwards, "dx", None),
    ],
)
def test_what_is_wrong_is_found(wrong, name, index):
    rng = np.random.default_rng(0)
    report = check_layer(wrong(5, 4, rng=rng), rng.normal(size=(3, 5)), rng)
    assert not report.ok
    (row,) = [row for row in report.rows if not row.ok]
    assert row.name == name
    assert index in (None, row.index)
    assert not row.backward == pytest.approx(row.numerical, abs=1e-4)


def test_a_layer_that_changes_its_input_does_not_spoil_the_check():
    class InPlace(ReLU):
        def forward(self, x):
            y = super().forward(x)
            x[...] = 0
            return y

        def backward(self, dy):
            dx = super().backward(dy)
            dy[...] = 0
            return dx

    x = np.random.default_rng(0).normal(size=(3, 4))
    before = x.copy()
    assert check_layer(InPlace(), x, 0).ok
    np.testing.assert_array_equal(x, before)


def test_a_layer_that_reuses_its_memory_does_not_spoil_the_check():
    class Thrifty(Dense):
        """Keeps its gradients in the same arrays for ever, and clears them in forward."""

        dx, dW, db = np.zeros((4, 3)), np.zeros((3, 2)), np.zeros(2)

        def forward(self, x):
            for gradient in (self.dx, self.dW, self.db):
                gradient[...] = 0
            return super().forward(x)

        def backward(self, dy):
            dW, db = self.dW, self.db
            self.dx[...] = super().backward(dy)
            dW[...], db[...] = self.dW, self.db
            self.dW, self.db = dW, db
            return self.dx

    rng = np.random.default_rng(0)
    assert check_layer(Thrifty(3, 2, rng=rng), rng.normal(size=(4, 3)), rng).ok


def test_weights_in_float32_or_handed_out_as_copies():
    class Guarded(Dense):
        """As behind a wall: what is fetched is a copy, only setting counts."""

        @property
        def W(self):
            return self._W.copy()

        @W.setter
        def W(self, value):
            self._W = value.copy()

    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3))
    assert check_layer(Guarded(3, 2, rng=rng), x, rng).ok
    coarse = Dense(3, 2, rng=rng)
    coarse.W = W = coarse.W.astype(np.float32)
    assert check_layer(coarse, x, rng).ok
    assert coarse.W is W


def test_parameters_come_back_when_forward_raises():
    class Tired(Dense):
        calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls > 30:
                raise ZeroDivisionError
            return super().forward(x)

    layer = Tired(3, 2, rng=0)
    W, before = layer.W, layer.W.copy()
    with pytest.raises(ZeroDivisionError):
        check_layer(layer, np.ones((4, 3)), 0)
    assert layer.W is W
    np.testing.assert_array_equal(W, before)


class Unset(Dense):
    def backward(self, dy):
        return dy @ self.W.T


class Column(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = self.db[:, None]
        return dx


class Flat(Flatten):
    def backward(self, dy):
        return dy


class Coarse(ReLU):
    def forward(self, x):
        return super().forward(x).astype(np.float32)


class Forgetful(ReLU):
    def backward(self, dy):
        super().backward(dy)


@pytest.mark.parametrize(
    ("layer", "error", "words"),
    [
        (Unset(4, 3), AttributeError, ["Unset has W", "no dW", "set self.dW"]),
        (Column(4, 3), ValueError, ["db has shape (3, 1)", "must be (3,)"]),
        (Coarse(), TypeError, ["Coarse.forward", "returned an array of float32", "same dtype"]),
        (Forgetful(), TypeError, ["Forgetful.backward", "returned None", "return missing"]),
    ],
)
def test_a_layer_that_breaks_the_contract(layer, error, words):
    with pytest.raises(error) as caught:
        check_layer(layer, np.ones((2, 4)), 0)
    for word in ["check_layer", *words]:
        assert word in str(caught.value)


def test_a_dx_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"dx has shape \(2, 12\), but must be \(2, 3, 4\)"):
        check_layer(Flat(), np.ones((2, 3, 4)), 0)


def test_an_empty_batch_proves_nothing():
    with pytest.raises(ValueError, match="nothing to compare"):
        check_layer(Flatten(), np.ones((0, 3, 4)), 0)


@pytest.mark.parametrize("dtype", [np.float32, int])
def test_x_must_be_float64(dtype):
    with pytest.raises(TypeError, match=r"check_layer: x is an array of .*float64"):
        check_layer(Flatten(), np.ones((2, 3), dtype), 0)


def test_the_report_is_a_table():
    rng = np.random.default_rng(0)
    text = repr(check_layer(OneEntryOff(5, 4, rng=rng), rng.normal(size=(3, 5)), rng))
    heading, dx, dW, db = text.splitlines()
    assert heading.split() == "array relative error worst at backward numerical".split()
    assert dx.split()[:2] == ["✗", "dx"]
    assert "[2, 3]" in dx
    assert dW.split()[:2] == ["✓", "dW"]
    assert db.split()[:2] == ["✓", "db"]
    assert len(heading) == len(dx) == len(dW) == len(db)
