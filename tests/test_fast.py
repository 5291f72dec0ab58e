"""The fast layers compute what the plain ones do, for every setting, layout and batch size."""

import doctest
from itertools import product

import numpy as np
import pytest
import recorded

from cnnlib import fast, layers
from cnnlib.gradcheck import check_layer
from cnnlib.layers import parameters
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential
from cnnlib.optimizers import Adam
from cnnlib.training import fit

TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}
DTYPES = list(TOLERANCE)
LARGE = 17  # no number that divides anything here

POOLS = [("MaxPool2D", 2), ("AvgPool2D", (2, 3))]
LAYOUTS = {
    "rows": np.ascontiguousarray,
    "batch last": lambda a: np.ascontiguousarray(a.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2),
    "columns": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
    "one image, many times": lambda a: np.broadcast_to(a[:1], a.shape),
}


def pair(name, *args):
    """The plain layer and the fast one, with the same weights."""
    plain, quick = (getattr(module, name)(*args) for module in (layers, fast))
    rng = np.random.default_rng(0)
    for owner, weight in parameters(plain):
        value = rng.normal(size=getattr(owner, weight).shape)
        setattr(plain, weight, value)
        setattr(quick, weight, value.copy())
    return plain, quick


def assert_same(got, expected):
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    scale = np.abs(expected).max(initial=0)
    tolerance = TOLERANCE[expected.dtype.type] * scale
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def walk_beside(plain, quick, x, rng):
    """Walk both layers there and back, with arrays that nobody may write to."""
    expected = plain.forward(x)
    dy = rng.normal(size=expected.shape).astype(x.dtype)
    expected_dx = plain.backward(dy)
    guarded = [x, dy, *(getattr(owner, name) for owner, name in parameters(quick))]
    before = [array.copy() for array in guarded]
    for array in guarded:
        array.flags.writeable = False
    assert_same(quick.forward(x), expected)
    assert_same(quick.backward(dy), expected_dx)
    for _, name in parameters(plain):
        assert_same(getattr(quick, f"d{name}"), getattr(plain, f"d{name}"))
    for array, copy in zip(guarded, before, strict=True):
        np.testing.assert_array_equal(array, copy)


# ---------------------------------------------------------------- against the plain layers


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N", [0, 1, 3, 4, 5, 16, 40])
def test_conv_of_any_batch(N, dtype):
    rng = np.random.default_rng(N)
    x = rng.normal(size=(N, 3, 7, 6)).astype(dtype)
    walk_beside(*pair("Conv2D", 3, 5, (2, 3), 2, 1), x, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel_size", [1, 2, 3, (1, 4), (4, 1), (5, 2), (7, 6)], ids=str)
@pytest.mark.parametrize("channels", [1, 3, 9])
def test_conv_of_any_setting(channels, kernel_size, dtype):
    rng = np.random.default_rng(channels)
    x = rng.normal(size=(LARGE, channels, 7, 6)).astype(dtype)
    for stride, padding in product((1, 2, 3), (0, 1, 2)):
        walk_beside(*pair("Conv2D", channels, 4, kernel_size, stride, padding), x, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N", [0, 1, 3, 4, 5, 16, 40])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, (1, 4), (4, 1), (5, 2), (7, 6)], ids=str)
def test_pool_of_any_batch_and_setting(kernel_size, N, dtype):
    rng = np.random.default_rng(N)
    x = rng.normal(size=(N, 3, 7, 6)).astype(dtype)
    for stride in (None, 1, 2, 3, (2, 1), (1, 5)):
        for name in ("MaxPool2D", "AvgPool2D"):
            walk_beside(*pair(name, kernel_size, stride), x, rng)


@pytest.mark.parametrize("low", [-3, -9], ids=["mixed", "all negative"])
@pytest.mark.parametrize("kernel_size", [2, (2, 3), (3, 2), 4], ids=str)
@pytest.mark.parametrize("stride", [None, 1, 2, 4])
def test_ties_go_to_the_first_maximum(stride, kernel_size, low):
    rng = np.random.default_rng(0)
    x = rng.integers(low, low + 3, size=(LARGE, 3, 8, 7)).astype(np.float64)
    plain, quick = pair("MaxPool2D", kernel_size, stride)
    walk_beside(plain, quick, x, rng)
    # Whole numbers, so that no sum hides who got a share.
    dy = np.arange(1.0, quick.y_shape[-1] + 1) * np.ones(quick.y_shape)
    np.testing.assert_array_equal(quick.backward(dy), plain.backward(dy))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("layer", [("Conv2D", 3, 5, 3, 2, 1), ("Conv2D", 3, 5, 3), *POOLS])
def test_any_layout_of_x_and_dy(layer, layout):
    rng = np.random.default_rng(0)
    plain, quick = pair(*layer)
    x = LAYOUTS[layout](rng.normal(size=(LARGE, 3, 8, 6)))
    assert_same(quick.forward(x), plain.forward(x))
    dy = LAYOUTS[layout](rng.normal(size=plain.y_shape))
    assert_same(quick.backward(dy), plain.backward(dy))


# ---------------------------------------------------------------- against PyTorch


@pytest.mark.parametrize("dtype", recorded.TOLERANCE)
@recorded.each("conv", "maxpool")
def test_as_pytorch(case, dtype):
    recorded.walk(recorded.build(fast, case), case, dtype)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("N", [0, 1, 5])
def test_flatten_and_dense(N, layout):
    rng = np.random.default_rng(N)
    x = LAYOUTS[layout](rng.normal(size=(N, 2, 3, 4)))
    flatten, dense = pair("Flatten"), pair("Dense", 24, 5)
    walk_beside(*flatten, x.copy(order="K"), rng)
    y = flatten[1].forward(x)
    np.testing.assert_array_equal(y, x.reshape(N, 24))
    assert dense[1].forward(y).shape == (N, 5)
    walk_beside(*dense, y.copy(order="K"), rng)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (2, 3, 1, 2, 2)], ids=str)
def test_flatten_takes_any_shape_and_integers(shape):
    x = np.arange(np.prod(shape)).reshape(shape)
    plain, quick = pair("Flatten")
    y = quick.forward(x)
    np.testing.assert_array_equal(y, plain.forward(x))
    np.testing.assert_array_equal(quick.backward(y), x)


def test_a_large_window_has_more_places_than_a_byte_can_count():
    rng = np.random.default_rng(0)
    walk_beside(*pair("MaxPool2D", (20, 15), 1), rng.normal(size=(2, 1, 22, 17)), rng)


@pytest.mark.parametrize("name", ["MaxPool2D", "AvgPool2D", "Conv2D"])
def test_nan_stays_nan_where_it_is_seen(name):
    x = np.ones((3, 1, 4, 4))
    x[1, 0, 0, 3] = np.nan
    args = (1, 1, 2, 2) if name == "Conv2D" else (2,)
    plain, quick = pair(name, *args)
    np.testing.assert_array_equal(np.isnan(quick.forward(x)), np.isnan(plain.forward(x)))


# ---------------------------------------------------------------- the contract


@pytest.mark.parametrize("layer", [("Conv2D", 2, 3, 3, 2, 1), ("Conv2D", 9, 2, 2), *POOLS])
def test_the_numerical_gradient_agrees(layer):
    rng = np.random.default_rng(0)
    _, quick = pair(*layer)
    channels = quick.in_channels if layer[0] == "Conv2D" else 2
    assert check_layer(quick, rng.normal(size=(16, channels, 5, 4)), rng).ok


@pytest.mark.parametrize("name", ["Conv2D", "MaxPool2D", "AvgPool2D"])
def test_a_batch_leaves_no_trace(name):
    """Large and small batches in turn, another layer of the kind in between."""
    rng = np.random.default_rng(0)
    settings = (3, 5, 3) if name == "Conv2D" else (2,)
    plain, quick = pair(name, *settings)
    other = pair(name, *settings)[1]
    for N in (20, 3, 20, 4, 1, 33):
        x = rng.normal(size=(N, 3, 6, 7))
        y = quick.forward(x)
        kept = y.copy()
        other.forward(x + 1)
        plain.forward(x)
        dy = rng.normal(size=y.shape)
        assert_same(quick.backward(dy), plain.backward(dy))
        assert_same(quick.backward(dy), plain.backward(dy))  # gradients are set, not added to
        for _, weight in parameters(plain):
            assert_same(getattr(quick, f"d{weight}"), getattr(plain, f"d{weight}"))
        np.testing.assert_array_equal(y, kept)


def raised(action, *args):
    with pytest.raises(Exception) as caught:
        action(*args)
    return caught.type, str(caught.value)


@pytest.mark.parametrize("layer", [("Conv2D", 3, 5, 3), ("MaxPool2D", 3), ("AvgPool2D", 3)])
def test_errors_are_those_of_the_plain_layers(layer):
    plain, quick = pair(*layer)
    x = np.zeros((LARGE, 3, 8, 7))
    for action, array in [
        ("backward", x),  # before any forward
        ("forward", x.astype(int)),
        ("forward", x[0]),
        ("forward", x[:, :, :2]),  # too small for a window
    ]:
        assert raised(getattr(quick, action), array) == raised(getattr(plain, action), array)
    plain.forward(x)
    quick.forward(x)
    for dy in (x, x[0], np.float64(1)):
        assert raised(quick.backward, dy) == raised(plain.backward, dy)
    assert repr(quick) == repr(plain)


def network(module, seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(
        [
            module.Conv2D(1, 4, 3, padding=1, rng=rng),
            module.ReLU(),
            module.MaxPool2D(2),
            module.Conv2D(4, 6, 3, padding=1, rng=rng),
            module.ReLU(),
            module.MaxPool2D(2),
            module.Flatten(),
            module.Dense(54, 10, rng=rng),
        ]
    )


def test_a_network_gets_the_gradients_of_the_plain_one():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(20, 1, 12, 12)), rng.integers(0, 10, 20)
    plain, quick = network(layers), network(fast)
    for each in (plain, quick):
        loss = SoftmaxCrossEntropy()
        loss.forward(each.forward(x), labels)
        each.dx = each.backward(loss.backward())
    assert_same(quick.dx, plain.dx)
    gradients = list(zip(parameters(quick), parameters(plain), strict=True))
    assert len(gradients) == 6
    for (owner, name), (reference, _) in gradients:
        expected = getattr(reference, f"d{name}")
        assert np.abs(expected).max() > 0
        assert_same(getattr(owner, f"d{name}"), expected)


def test_a_network_learns_as_the_plain_one_does():
    """45 pictures, so that the last batch of an epoch is a small one."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(45, 1, 12, 12)), rng.integers(0, 10, 45)
    losses = []
    for module in (layers, fast):
        each = network(module)
        history = fit(
            each,
            x,
            labels,
            loss=SoftmaxCrossEntropy(),
            optimizer=Adam(each, 0.01),
            rng=np.random.default_rng(1),
            epochs=3,
            batch_size=32,
            progress=False,
        )
        losses.append(history.losses)
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-7)


def test_between_fast_layers_nothing_is_copied():
    """Each finds its input in memory as it needs it: ReLU keeps the order."""
    x = np.random.default_rng(0).normal(size=(LARGE, 1, 12, 12))
    for layer in network(fast).layers[:6]:
        x = layer.forward(x)
        assert x.transpose(2, 1, 3, 0).flags.c_contiguous


def test_the_examples_run():
    result = doctest.testmod(fast)
    assert result.attempted and not result.failed
