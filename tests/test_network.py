import numpy as np
import pytest
import recorded

from cnnlib import fast
from cnnlib.layers import AvgPool2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU, parameters
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential, weight_gradients
from cnnlib.optimizers import SGD
from cnnlib.training import fit


class Double:
    """A layer as a learner may write it: no base class, no repr."""

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def network(rng):
    return Sequential(
        [
            Conv2D(2, 3, (2, 4), stride=1, padding=1, rng=rng),
            ReLU(),
            MaxPool2D((3, 2), stride=2),
            Conv2D(3, 4, (1, 2), stride=2, rng=rng),
            AvgPool2D(2, stride=1),
            Flatten(),
            Dense(8, 5, rng=rng),
        ]
    )


@recorded.each("network")
def test_as_pytorch(case):
    net, loss = network(np.random.default_rng(0)), SoftmaxCrossEntropy()
    learn = [layer for layer in net.layers if parameters(layer)]
    for place, layer in enumerate(learn):
        layer.W, layer.b = getattr(case, f"W{place}"), getattr(case, f"b{place}")
    for N in (6, 1, 6):  # what the second batch leaves behind must not show in the third
        value = loss.forward(net.forward(case.x[:N]), case.labels[:N])
        dx = net.backward(loss.backward())
    assert value == pytest.approx(float(case.loss), rel=1e-10)
    np.testing.assert_allclose(dx, case.dx, atol=1e-10)
    for place, layer in enumerate(learn):
        np.testing.assert_allclose(layer.dW, getattr(case, f"dW{place}"), atol=1e-10)
        np.testing.assert_allclose(layer.db, getattr(case, f"db{place}"), atol=1e-10)


def test_any_object_with_forward_and_backward():
    net = Sequential(layer for layer in (Double(), Sequential([Double(), ReLU()])))
    np.testing.assert_array_equal(net.forward(np.array([-1.0, 3.0])), [0, 12])
    np.testing.assert_array_equal(net.backward(np.array([5.0, 7.0])), [0, 28])
    assert repr(net) == "Sequential([Double(), Sequential([Double(), ReLU()])])"


def test_parameters_in_order():
    rng = np.random.default_rng(0)
    inner = Dense(2, 3, rng=rng)
    net = Sequential([Dense(4, 2, rng=rng), Double(), Sequential([inner])])
    assert [name for _, name in parameters(net)] == ["W", "b", "W", "b"]
    assert parameters(net)[2][0] is inner


# ---------------------------------------------------------------- summary


def test_summary():
    net = Sequential(
        [Conv2D(1, 8, 3, padding=1), Double(), MaxPool2D(2), Flatten(), Dense(1568, 9)]
    )
    assert net.summary((1, 28, 28)).splitlines() == [
        "layer                                                    output shape  parameters",
        "input                                                  (N, 1, 28, 28)",
        "Conv2D(1, 8, kernel_size=(3, 3), stride=1, padding=1)  (N, 8, 28, 28)          80",
        "Double()                                               (N, 8, 28, 28)           0",
        "MaxPool2D(kernel_size=(2, 2), stride=(2, 2))           (N, 8, 14, 14)           0",
        "Flatten()                                                   (N, 1568)           0",
        "Dense(1568, 9)                                                 (N, 9)      14,121",
        "total                                                                      14,201",
    ]


def test_summary_leaves_the_network_as_it_was():
    rng = np.random.default_rng(0)
    net = Sequential([network(rng)])
    x = rng.normal(size=(3, 2, 9, 13))
    dy = rng.normal(size=net.forward(x).shape)
    net.summary((2, 9, 13))
    dx = net.backward(dy)
    net.forward(x)
    np.testing.assert_array_equal(dx, net.backward(dy))


def test_summary_says_where_shapes_clash():
    net = Sequential([Conv2D(1, 8, 3), ReLU(), Dense(10, 5)])
    with pytest.raises(ValueError, match="put a Flatten before") as caught:
        net.summary((1, 9, 8))
    assert caught.value.__notes__ == [
        "This was in layers[2], Dense(10, 5), whose forward was given an array of shape (1, 8, 7, 6)."
    ]


# ---------------------------------------------------------------- errors


class Faulty(Double):
    def backward(self, dy):
        return {}["W"]


def test_an_error_in_a_layer_keeps_its_type_and_says_where():
    net = Sequential([Flatten(), Faulty()])
    y = net.forward(np.zeros((2, 3, 4, 5)))
    with pytest.raises(KeyError) as caught:
        net.backward(y)
    assert caught.value.__notes__ == [
        "This was in layers[1], Faulty(), whose backward was given an array of shape (2, 60)."
    ]


def test_an_error_in_an_inner_network_says_the_way_there():
    net = Sequential([Double(), Sequential([ReLU(), Conv2D(3, 2, 1)])])
    with pytest.raises(ValueError) as caught:
        net.forward(np.zeros((2, 1, 4, 5)))
    assert ["layers[1], Conv2D", "layers[1], Sequential"] == [
        note.removeprefix("This was in ").split("(")[0] for note in caught.value.__notes__
    ]


def test_backward_before_forward():
    with pytest.raises(RuntimeError, match=r"ReLU\.backward.*call forward"):
        Sequential([Double(), ReLU()]).backward(np.zeros(3))


class Forgetful(Double):
    def backward(self, dy):
        self.dx = 2 * dy


class Talkative(Double):
    def forward(self, x):
        return [2 * x]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Forgetful(), ["Sequential.backward", "layers[1], Forgetful()", "None", "return missing"]),
        (Talkative(), ["Sequential.forward", "layers[1], Talkative()", "list", "an array"]),
    ],
)
def test_a_layer_that_returns_no_array(layer, words):
    net = Sequential([ReLU(), layer, ReLU()])
    with pytest.raises(TypeError) as caught:
        net.backward(net.forward(np.ones(3)))
    for word in words:
        assert word in str(caught.value)


class NoWayBack:
    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([ReLU(), Flatten], ["layers[1] is the class Flatten", "Flatten(...)"]),
        ([NoWayBack()], ["layers[0] is NoWayBack()", "no backward"]),
        ([ReLU(), None], ["layers[1] is None", "no forward"]),
    ],
)
def test_what_is_not_a_layer(layers, words):
    with pytest.raises(TypeError) as caught:
        Sequential(layers)
    for word in words:
        assert word in str(caught.value)


def test_one_layer_in_two_places():
    relu = ReLU()
    with pytest.raises(ValueError, match=r"layers\[2\] .*twice.*another ReLU"):
        Sequential([relu, Dense(2, 3), relu])


# ---------------------------------------------------------------- the gradients of the weights alone


def walked_back(walk, kind=fast.Conv2D):
    """A network after one walk there and back, and its gradients."""
    network = Sequential([Sequential([kind(2, 3, 2, rng=0)]), Flatten(), Dense(12, 4, rng=1)])
    y = network.forward(np.random.default_rng(0).normal(size=(5, 2, 3, 3)))
    walk(network, np.random.default_rng(1).normal(size=y.shape))
    return [getattr(owner, f"d{name}") for owner, name in parameters(network)]


def test_the_gradients_of_the_weights_are_those_of_backward():
    expected = walked_back(lambda network, dy: network.backward(dy))
    for got, wanted in zip(walked_back(weight_gradients), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_backward_of_ones_own_is_called():
    class Mine(fast.Conv2D):
        def backward(self, dy):
            dx = super().backward(dy)
            self.dW = self.dW * 0
            return dx

    dW, *_ = walked_back(weight_gradients, Mine)
    assert not dW.any()


def test_fit_leaves_out_the_gradient_for_the_pictures(monkeypatch):
    """Only that: a later convolution hands its gradient on."""
    calls = []
    plain = fast.Conv2D.backward

    def backward(self, dy):
        calls.append(self.in_channels)
        return plain(self, dy)

    backward.weights_only = plain.weights_only
    monkeypatch.setattr(fast.Conv2D, "backward", backward)
    network = Sequential(
        [fast.Conv2D(1, 2, 2, rng=0), fast.Conv2D(2, 3, 2, rng=1), Flatten(), Dense(12, 4, rng=2)]
    )
    rng = np.random.default_rng(0)
    fit(
        network,
        rng.normal(size=(6, 1, 4, 4)),
        rng.integers(0, 4, 6),
        loss=SoftmaxCrossEntropy(),
        optimizer=SGD(network),
        rng=rng,
        progress=False,
    )
    assert calls == [2]


def test_an_error_on_the_shorter_way_says_where_it_was():
    network = Sequential([fast.Conv2D(2, 3, 2, rng=0)])
    network.forward(np.zeros((5, 2, 3, 3)))
    with pytest.raises(ValueError, match="dy has shape") as caught:
        weight_gradients(network, np.zeros((5, 3, 1, 1)))
    assert "layers[0], Conv2D(2, 3" in caught.value.__notes__[0]
