"""Whatever the kernel, stride, padding and map: the layers agree with a sum written out, and with each other.

The examples are always the same ones (derandomize) and no clock is asked (deadline None).
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import THOROUGH

from cnnlib import fast, layers
from cnnlib.gradcheck import check_layer

steady = settings(max_examples=150 if THOROUGH else 30)
MODULES = (layers, fast)


@st.composite
def convolutions(draw):
    """Settings of a convolution, and an x that holds at least one window."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = draw(st.integers(0, max(kernel) + 2))
    H, W = (draw(st.integers(max(1, K - 2 * padding), max(1, K - 2 * padding) + 4)) for K in kernel)
    N, C, F = draw(st.integers(0, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return (C, F, kernel, draw(st.integers(1, 5)), padding), (N, C, H, W)


@st.composite
def pools(draw):
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.none() | st.integers(1, 5) | st.tuples(st.integers(1, 5), st.integers(1, 5)))
    H, W = (draw(st.integers(K, K + 5)) for K in kernel)
    return (kernel, stride), (draw(st.integers(0, 3)), draw(st.integers(1, 3)), H, W)


def whole(rng, shape):
    """Whole numbers, so that sums are exact in any order, with many ties."""
    return rng.integers(-3, 4, shape).astype(float)


def walked(layer, x, dy):
    """Return y, dx and the gradients, each of its own memory and of the right shape."""
    x.flags.writeable = dy.flags.writeable = False
    y = layer.forward(x)
    kept = y.copy()
    dx = layer.backward(dy)
    np.testing.assert_array_equal(y, kept)
    assert dx.shape == x.shape and dx.dtype == x.dtype
    return y, dx, *(getattr(layer, f"d{name}") for _, name in layers.parameters(layer))


@steady
@given(convolutions(), st.integers(0, 9))
def test_a_convolution_is_the_sum_written_out(case, seed):
    (C, F, kernel, stride, padding), (N, _, H, W) = case
    rng = np.random.default_rng(seed)
    OH, OW = (
        (size + 2 * padding - K) // stride + 1 for size, K in zip((H, W), kernel, strict=True)
    )
    x, dy = whole(rng, (N, C, H, W)), whole(rng, (N, F, OH, OW))
    weights, b = whole(rng, (F, C, *kernel)), whole(rng, (F,))
    y = np.zeros((N, F, OH, OW)) + b[:, None, None]
    dx, dW = np.zeros(x.shape), np.zeros(weights.shape)
    for i, j, k, m in np.ndindex(OH, OW, *kernel):
        row, column = i * stride + k - padding, j * stride + m - padding
        if 0 <= row < H and 0 <= column < W:
            y[:, :, i, j] += x[:, :, row, column] @ weights[:, :, k, m].T
            dx[:, :, row, column] += dy[:, :, i, j] @ weights[:, :, k, m]
            dW[:, :, k, m] += dy[:, :, i, j].T @ x[:, :, row, column]
    for module in MODULES:
        layer = module.Conv2D(C, F, kernel, stride, padding)
        layer.W, layer.b = weights, b
        got = walked(layer, x, dy)
        for mine, right in zip(got, (y, dx, dW, dy.sum(axis=(0, 2, 3))), strict=True):
            assert mine.shape == right.shape
            np.testing.assert_array_equal(mine, right)


@steady
@given(pools(), st.integers(0, 9))
def test_a_pool_is_what_is_seen_in_each_window(case, seed):
    (kernel, stride), (N, C, H, W) = case
    rng = np.random.default_rng(seed)
    s, t = kernel if stride is None else stride if isinstance(stride, tuple) else (stride, stride)
    OH, OW = (H - kernel[0]) // s + 1, (W - kernel[1]) // t + 1
    x, dy = whole(rng, (N, C, H, W)), whole(rng, (N, C, OH, OW))
    largest, mean, dx_largest, dx_mean = (np.zeros(a.shape) for a in (dy, dy, x, x))
    for n, c, i, j in np.ndindex(dy.shape):
        here = n, c, slice(i * s, i * s + kernel[0]), slice(j * t, j * t + kernel[1])
        window = x[here]
        largest[n, c, i, j], mean[n, c, i, j] = window.max(), window.sum() / window.size
        first = np.unravel_index(window.argmax(), window.shape)
        dx_largest[here][first] += dy[n, c, i, j]
        dx_mean[here] += dy[n, c, i, j] / window.size
    for module in MODULES:
        y, dx = walked(module.MaxPool2D(kernel, stride), x, dy)
        np.testing.assert_array_equal(y, largest)
        np.testing.assert_array_equal(dx, dx_largest)
        y, dx = walked(module.AvgPool2D(kernel, stride), x, dy)
        np.testing.assert_allclose(y, mean, rtol=0, atol=1e-12)
        np.testing.assert_allclose(dx, dx_mean, rtol=0, atol=1e-12)


@settings(steady, max_examples=25 if THOROUGH else 10)
@given(convolutions(), st.sampled_from(MODULES))
def test_a_convolution_has_the_numerical_gradient(case, module):
    config, shape = case
    rng = np.random.default_rng(0)
    assert check_layer(module.Conv2D(*config, rng=0), rng.normal(size=(2, *shape[1:])), rng).ok


@steady
@given(
    st.integers(0, 3),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.integers(1, 4),
    st.permutations(range(5)),
)
def test_flatten_and_dense_in_any_order_of_memory(N, rest, K, order):
    """x lies in memory with its axes in any order; what comes out depends on its values alone."""
    rng = np.random.default_rng(0)
    shape = (N, *rest)
    order = [axis for axis in order if axis < len(shape)]
    laid = whole(rng, shape).transpose(order).copy().transpose(np.argsort(order))
    weights, dy = whole(rng, (int(np.prod(rest)), K)), whole(rng, (N, K))
    rows = laid.reshape(N, len(weights))
    for module in MODULES:
        flatten, dense = module.Flatten(), module.Dense(len(weights), K)
        dense.W, dense.b = weights, whole(rng, (K,))
        y, dx, dW, db = walked(dense, flatten.forward(laid), dy)
        np.testing.assert_array_equal(y, rows @ weights + dense.b)
        np.testing.assert_array_equal(dW, rows.T @ dy)
        np.testing.assert_array_equal(db, dy.sum(axis=0))
        np.testing.assert_array_equal(flatten.backward(dx), (dy @ weights.T).reshape(shape))
