"""Every layer: against PyTorch, and the contract that all of them keep."""

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest
import recorded

from cnnlib import layers
from cnnlib.layers import AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, parameters

MODULES = ["cnnlib.layers", "cnnlib.losses", "cnnlib.network", "cnnlib.gradcheck"]

LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
}


def conv(rng, *args, **kwargs):
    layer = Conv2D(*args, **kwargs, rng=rng)
    layer.b = rng.normal(size=layer.b.shape)
    return layer


def dense(rng, *args):
    layer = Dense(*args, rng=rng)
    layer.b = rng.normal(size=layer.b.shape)
    return layer


# ---------------------------------------------------------------- against PyTorch


@pytest.mark.parametrize("dtype", recorded.TOLERANCE)
@recorded.each(*recorded.LAYERS)
def test_as_pytorch(case, dtype):
    recorded.walk(recorded.build(layers, case), case, dtype)


def test_the_first_of_equal_maxima_gets_everything():
    layer = MaxPool2D((2, 3), 1)
    layer.forward(np.full((1, 1, 2, 3), -1.0))
    np.testing.assert_array_equal(layer.backward([[[[5.0]]]]), [[[[5, 0, 0], [0, 0, 0]]]])


def test_flatten_moves_anything():
    tags = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    flatten = Flatten()
    y = flatten.forward(tags)
    n, c, h, w = 1, 2, 3, 1
    assert y.dtype == tags.dtype
    assert y[n, (c * 4 + h) * 5 + w] == tags[n, c, h, w]
    np.testing.assert_array_equal(flatten.backward(y), tags)
    # Gradients keep their fractions where x held integers.
    np.testing.assert_array_equal(flatten.backward(y + 0.5), tags + 0.5)
    assert Flatten().forward(np.zeros((0, 3, 4))).shape == (0, 12)


# ---------------------------------------------------------------- the contract

LAYERS = {
    "Conv2D": lambda rng: (conv(rng, 3, 2, (2, 4), 2, 1), (5, 3, 7, 6)),
    "MaxPool2D": lambda rng: (MaxPool2D((2, 3), 1), (5, 3, 7, 6)),
    "AvgPool2D": lambda rng: (AvgPool2D((2, 3), 2), (5, 3, 7, 6)),
    "Flatten": lambda rng: (Flatten(), (5, 3, 7, 6)),
    "Dense": lambda rng: (dense(rng, 6, 4), (5, 6)),
    "ReLU": lambda rng: (ReLU(), (5, 3, 7, 6)),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def gradients(layer, x, dy):
    layer.forward(x)
    return [layer.backward(dy), *(getattr(layer, f"d{name}") for _, name in parameters(layer))]


@every_layer
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_layout_in_memory_does_not_matter(make, layout):
    rng = np.random.default_rng(1)
    layer, shape = make(rng)
    x = rng.normal(size=shape)
    y = layer.forward(x)
    dy = rng.normal(size=y.shape)
    expected = gradients(layer, x, dy)
    np.testing.assert_allclose(layer.forward(layout(x)), y, atol=1e-12)
    for got, one in zip(gradients(layer, layout(x), layout(dy)), expected, strict=True):
        np.testing.assert_allclose(got, one, atol=1e-12)


@every_layer
def test_batches_of_any_size_go_through_one_layer(make):
    rng = np.random.default_rng(2)
    layer, (_, *rest) = make(rng)
    for N in (5, 2, 8, 1):
        x = rng.normal(size=(N, *rest))
        dy = rng.normal(size=layer.forward(x).shape)
        fresh, _ = make(np.random.default_rng(0))
        for owner, name in parameters(layer):
            setattr(fresh, name, getattr(owner, name))
        for got, expected in zip(gradients(layer, x, dy), gradients(fresh, x, dy), strict=True):
            np.testing.assert_array_equal(got, expected)


@every_layer
def test_backward_sets_gradients_and_does_not_add_to_them(make):
    rng = np.random.default_rng(3)
    layer, shape = make(rng)
    x = rng.normal(size=shape)
    dy = rng.normal(size=layer.forward(x).shape)
    first = gradients(layer, x, dy)
    kept = [array.copy() for array in first]
    for again, before in zip(gradients(layer, x, dy), kept, strict=True):
        np.testing.assert_array_equal(again, before)
    gradients(layer, x, 2 * dy)
    for array, before in zip(first[1:], kept[1:], strict=True):
        np.testing.assert_array_equal(array, before)


@every_layer
def test_the_dtype_of_x_decides(make):
    rng = np.random.default_rng(4)
    layer, shape = make(rng)
    for dtype, other in [(np.float32, np.float64), (np.float64, np.float32)]:
        x = rng.normal(size=shape).astype(dtype)
        y = layer.forward(x)
        results = [y, *gradients(layer, x, rng.normal(size=y.shape).astype(other))]
        assert {array.dtype.type for array in results} == {dtype}


@every_layer
def test_weights_are_the_owners(make):
    layer, shape = make(np.random.default_rng(5))
    x = np.ones(shape, np.float32)
    for owner, name in parameters(layer):
        assert getattr(owner, name).dtype == np.float64
        setattr(owner, name, np.zeros_like(getattr(owner, name)))
    if parameters(layer):
        assert not layer.forward(x).any()


@pytest.mark.parametrize(
    ("make", "fan_in"),
    [(lambda rng: Conv2D(8, 64, (3, 5), rng=rng), 120), (lambda rng: Dense(200, 50, rng=rng), 200)],
)
def test_initial_weights(make, fan_in):
    layer = make(0)
    assert layer.W.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.03)
    assert abs(layer.W.mean()) < 0.03 * layer.W.std() * 2
    assert not layer.b.any()
    np.testing.assert_array_equal(layer.W, make(np.random.default_rng(0)).W)
    assert not np.array_equal(make(None).W, make(None).W)


def test_layers_share_a_generator():
    rng = np.random.default_rng(0)
    assert not np.array_equal(Dense(3, 4, rng=rng).W, Dense(3, 4, rng=rng).W)


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    Conv2D(2, 3, 3)
    Dense(4, 5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(
    "text",
    [
        "Conv2D(3, 8, kernel_size=(3, 3), stride=1, padding=1)",
        "MaxPool2D(kernel_size=(2, 3), stride=(2, 3))",
        "AvgPool2D(kernel_size=(2, 2), stride=(1, 1))",
        "Flatten()",
        "Dense(60, 10)",
        "ReLU()",
    ],
)
def test_repr_is_the_call_that_makes_it(text):
    assert repr(eval(text)) == text


def test_sizes():
    assert Conv2D(1, 2, 3).kernel_size == (3, 3)
    assert Conv2D(np.int64(1), 2, [3, np.int8(4)]).W.shape == (2, 1, 3, 4)
    assert MaxPool2D(2).stride == (2, 2)
    assert AvgPool2D((2, 3)).stride == (2, 3)
    assert MaxPool2D((2, 3), 1).stride == (1, 1)


# ---------------------------------------------------------------- parameters


def test_parameters_need_no_base_class():
    class Scale:
        W = np.ones(3)
        b = None

    class Row:
        layers = (Scale(), ReLU(), Dense(2, 3))

    scale, _, last = Row.layers
    assert parameters(Row()) == [(scale, "W"), (last, "W"), (last, "b")]
    assert parameters(ReLU()) == []


def test_the_base_class_asks_for_forward_and_backward():
    with pytest.raises(NotImplementedError):
        Layer().forward(np.zeros(3))
    with pytest.raises(NotImplementedError):
        Layer().backward(np.zeros(3))


# ---------------------------------------------------------------- errors


def zeros(*shape):
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Conv2D(0, 2, 3), ValueError, ["Conv2D: in_channels is 0", "at least 1"]),
        (lambda: Conv2D(1, -2, 3), ValueError, ["Conv2D: out_channels is -2", "at least 1"]),
        (lambda: Conv2D(1, 2.0, 3), TypeError, ["out_channels is 2.0", "whole number"]),
        (lambda: Conv2D(True, 2, 3), TypeError, ["in_channels is True", "whole number"]),
        (lambda: Conv2D(np.True_, 2, 3), TypeError, ["in_channels is", "whole number"]),
        (lambda: Conv2D(1, 2, 0), ValueError, ["Conv2D: kernel_size is 0", "at least 1"]),
        (lambda: Conv2D(1, 2, (3, -1)), ValueError, ["kernel_size is -1", "at least 1"]),
        (lambda: Conv2D(1, 2, (3, 1.5)), TypeError, ["kernel_size is 1.5", "whole number"]),
        (lambda: Conv2D(1, 2, (3, 3, 3)), ValueError, ["kernel_size is (3, 3, 3)", "pair"]),
        (lambda: Conv2D(1, 2, "3"), TypeError, ["kernel_size is '3'", "whole number"]),
        (lambda: Conv2D(1, 2, 3, stride=0), ValueError, ["Conv2D: stride is 0", "at least 1"]),
        (lambda: Conv2D(1, 2, 3, stride=(1, 2)), TypeError, ["stride is (1, 2)", "whole number"]),
        (lambda: Conv2D(1, 2, 3, padding=-1), ValueError, ["padding is -1", "at least 0"]),
        (lambda: Conv2D(1, 2, 3, padding="same"), TypeError, ["padding is 'same'"]),
        (lambda: MaxPool2D(0), ValueError, ["MaxPool2D: kernel_size is 0", "at least 1"]),
        (lambda: AvgPool2D(2, 0), ValueError, ["AvgPool2D: stride is 0", "at least 1"]),
        (lambda: AvgPool2D(2, False), TypeError, ["AvgPool2D: stride is False"]),
        (lambda: Dense(0, 3), ValueError, ["Dense: in_features is 0", "at least 1"]),
        (lambda: Dense(3, None), TypeError, ["Dense: out_features is None", "whole number"]),
    ],
)
def test_wrong_settings(call, error, words):
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


INTEGERS = np.zeros((2, 3, 8, 9), np.uint8)


@pytest.mark.parametrize(
    ("layer", "x", "error", "words"),
    [
        (
            Conv2D(3, 2, 3),
            INTEGERS,
            TypeError,
            ["Conv2D.forward", "uint8", "x.astype(np.float32) / 255"],
        ),
        (MaxPool2D(2), INTEGERS, TypeError, ["MaxPool2D.forward", "uint8", "np.float32"]),
        (AvgPool2D(2), INTEGERS, TypeError, ["AvgPool2D.forward", "uint8", "np.float32"]),
        (ReLU(), INTEGERS, TypeError, ["ReLU.forward", "uint8", "np.float32"]),
        (Dense(3, 2), [[1, 2, 3]], TypeError, ["Dense.forward", "int64", "np.float32"]),
        (ReLU(), [True], TypeError, ["ReLU.forward", "bool"]),
        (ReLU(), [1j], TypeError, ["ReLU.forward", "complex"]),
        (
            Conv2D(1, 2, 3),
            zeros(28, 28),
            ValueError,
            ["Conv2D.forward", "(28, 28)", "(N, C, H, W)", "x[:, None]"],
        ),
        (MaxPool2D(2), zeros(3, 8, 9), ValueError, ["(3, 8, 9)", "(N, C, H, W)", "x[None]"]),
        (
            Conv2D(3, 2, 3),
            zeros(2, 8, 9, 3),
            ValueError,
            ["Conv2D.forward", "(2, 8, 9, 3)", "8 channels", "in_channels=3", "transpose"],
        ),
        (
            Conv2D(1, 2, (3, 5)),
            zeros(2, 1, 9, 4),
            ValueError,
            ["Conv2D.forward", "padded image is (H, W) = (9, 4)", "(KH, KW) = (3, 5)", "smaller"],
        ),
        (Conv2D(1, 2, 5, padding=1), zeros(2, 1, 2, 9), ValueError, ["(4, 11)", "(5, 5)"]),
        (MaxPool2D(3), zeros(2, 1, 2, 9), ValueError, ["MaxPool2D.forward", "(2, 9)", "(3, 3)"]),
        (AvgPool2D((2, 3)), zeros(2, 1, 2, 2), ValueError, ["AvgPool2D.forward", "(2, 2)"]),
        (Flatten(), zeros(5), ValueError, ["Flatten.forward", "(5,)", "batch", "x[None]"]),
        (Dense(60, 5), zeros(2, 3, 4, 5), ValueError, ["(2, 3, 4, 5)", "(N, 60)", "Flatten"]),
        (Dense(60, 5), zeros(60), ValueError, ["(60,)", "(N, 60)", "x[None]"]),
        (Dense(60, 5), zeros(2, 48), ValueError, ["(2, 48)", "(N, 60)", "in_features=48"]),
    ],
)
def test_wrong_input(layer, x, error, words):
    with pytest.raises(error) as caught:
        layer.forward(x)
    for word in words:
        assert word in str(caught.value)


@every_layer
def test_backward_before_forward(make):
    layer, _ = make(np.random.default_rng(0))
    with pytest.raises(RuntimeError, match=rf"{type(layer).__name__}\.backward.*call forward"):
        layer.backward(np.zeros((1, 1)))


@every_layer
def test_dy_of_the_wrong_shape(make):
    layer, shape = make(np.random.default_rng(0))
    y = layer.forward(np.zeros(shape))
    for dy in (y[:-1], y[..., None], y[:1], np.float64(1)):
        with pytest.raises(ValueError) as caught:
            layer.backward(dy)
        for word in (f"{type(layer).__name__}.backward", dy.shape, shape, f"must be {y.shape}"):
            assert str(word) in str(caught.value)


def test_dy_left_flat():
    flatten = Flatten()
    flatten.forward(np.zeros((2, 3, 4, 5)))
    with pytest.raises(ValueError) as caught:
        flatten.backward(np.zeros((4, 60)))
    assert str(caught.value) == (
        "Flatten.backward: dy has shape (4, 60) but forward saw (2, 3, 4, 5), so dy must be (2, 60)"
    )


@every_layer
def test_a_refused_forward_changes_nothing(make):
    rng = np.random.default_rng(6)
    layer, shape = make(rng)
    x = rng.normal(size=shape)
    dy = rng.normal(size=layer.forward(x).shape)
    expected = layer.backward(dy)
    with pytest.raises((TypeError, ValueError)):
        layer.forward(np.ones(3, int))
    np.testing.assert_array_equal(layer.backward(dy), expected)


def test_errors_name_the_learners_class():
    class Conv(Conv2D):
        pass

    with pytest.raises(ValueError, match=r"Conv\.forward: the padded image"):
        Conv(1, 1, 3).forward(np.zeros((1, 1, 2, 2)))
    assert repr(Conv(1, 1, 3)).startswith("Conv(1, 1, ")


# ---------------------------------------------------------------- the modules


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_core_stays_light():
    program = f"import sys, {', '.join(MODULES)}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert {"numpy", *MODULES} <= loaded
    assert not loaded & {"matplotlib", "ipywidgets", "IPython", "anywidget", "torch", "nbformat"}
    assert {name for name in loaded if name.startswith("cnnlib.")} == set(MODULES)
