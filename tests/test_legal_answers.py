"""Right answers in the styles that people bring along: all are taken."""

import textwrap
from functools import partial

import numpy as np
import pytest

from cnnlib import check

LINES = {
    "mean of means": (
        "brightness",
        """
        def brightness(x):
            return np.fromiter((np.mean([c.mean() for c in p]) for p in x), dtype=x.dtype)
        """,
    ),
    "nested lists": (
        "channels_last",
        """
        def channels_last(x):
            N, C, H, W = x.shape
            return np.array([[[[x[n, c, h, w] for c in range(C)] for w in range(W)] for h in range(H)]
                             for n in range(N)])
        """,
    ),
    "rows of an identity": (
        "numerical_gradient numerical_gradient_dtypes numerical_gradient_memory",
        """
        def numerical_gradient(f, x, h=1e-6):
            x64 = np.array(x, dtype="float64")
            g = []
            for row in np.eye(x64.size):
                d = h * row.reshape(x64.shape)
                g.append((1.0 * f(x64 + d) - 1.0 * f(x64 - d)) / 2 / h)
            return np.reshape(g, x64.shape)
        """,
    ),
    "number by number": (
        "relative_error relative_error_refuses",
        """
        import math

        def relative_error(a: np.ndarray, b: np.ndarray) -> float:
            assert np.shape(a) == np.shape(b)
            worst = biggest = 0.0
            for p, q in zip(np.ravel(a), np.ravel(b)):
                if math.isnan(p) or math.isnan(q):
                    return math.inf
                worst, biggest = max(worst, abs(p - q)), max(biggest, abs(p), abs(q))
            return worst / biggest
        """,
    ),
    "a dataclass": (
        "relu_forward relu_backward",
        """
        from dataclasses import dataclass, field

        @dataclass
        class ReLU:
            x: np.ndarray = field(default=None, repr=False)

            def forward(self, x):
                self.x = x
                return (np.abs(x) + x) / 2

            def backward(self, dy):
                return dy * np.heaviside(self.x, 0).astype(dy.dtype)
        """,
    ),
    "slots": (
        "relu_forward relu_backward",
        """
        class ReLU:
            __slots__ = ("on",)

            def forward(self, x):
                self.on = np.sign(np.maximum(x, 0))
                return np.clip(x, 0, None)

            def backward(self, dy):
                return dy * self.on
        """,
    ),
    "a generator, helpers and a base class": (
        "conv_forward conv_dW conv_db conv_dx",
        """
        from typing import NamedTuple

        class Cache(NamedTuple):
            x: np.ndarray
            padded: np.ndarray

        def spans(length, kernel, stride):
            return [slice(a, a + kernel) for a in range(0, length - kernel + 1, stride)]

        class Layer:
            def __call__(self, x):
                return self.forward(x)

        class Conv2D(Layer):
            def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
                pair = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
                self.W = np.random.default_rng(rng).normal(size=(out_channels, in_channels, *pair))
                self.b = np.zeros(out_channels)
                self.stride, self.padding, self.kernel = stride, padding, pair

            def places(self):
                for i, rows in enumerate(spans(self.cache.padded.shape[2], self.kernel[0], self.stride)):
                    for j, columns in enumerate(spans(self.cache.padded.shape[3], self.kernel[1], self.stride)):
                        yield (..., i, j), (slice(None), slice(None), rows, columns)

            def forward(self, x):
                p, F = self.padding, len(self.W)
                self.cache = Cache(x, np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))))
                places = list(self.places())
                y = np.zeros((len(x), F, *(n + 1 for n in places[-1][0][1:])), x.dtype)
                for output, window in places:
                    y[output] = self.cache.padded[window].reshape(len(x), -1) @ self.W.reshape(F, -1).T + self.b
                return y

            def backward(self, dy):
                x, padded = self.cache
                dW, dpadded = np.zeros(self.W.shape, dy.dtype), np.zeros_like(padded)
                for output, window in self.places():
                    dW += np.einsum("nf,nckl->fckl", dy[output], padded[window])
                    dpadded[window] += np.tensordot(dy[output], self.W.astype(dy.dtype), axes=1)
                self.dW, self.db, p = dW, dy.sum(0).sum(-1).sum(-1), self.padding
                return dpadded[..., p:-p, p:-p] if p else dpadded
        """,
    ),
    "the Jacobian itself": (
        "flatten_forward flatten_backward",
        """
        class Flatten:
            def forward(self, x):
                self.J, self.s = np.eye(int(np.prod(x.shape[1:])), dtype=x.dtype), x.shape
                return x.reshape(x.shape[0], -1) @ self.J

            def backward(self, grad_output):
                return (self.J.T @ grad_output.T).T.reshape(self.s)
        """,
    ),
    "np.matrix": (
        "dense_forward dense_dW dense_db dense_dx",
        """
        class Dense:
            def __init__(self, in_features, out_features, *, rng=None):
                self.W = np.random.default_rng(rng).normal(size=(in_features, out_features))
                self.b = np.zeros(out_features)

            def forward(self, x):
                print("x", x.shape)
                self.x = np.matrix(x)
                return np.asarray(self.x * np.matrix(self.W.astype(x.dtype))) + self.b.astype(x.dtype)

            def backward(self, dy):
                self.dW = np.asarray(self.x.T * np.matrix(dy))
                self.db = dy.sum(0)
                return np.asarray(np.matrix(dy) * np.matrix(self.W.astype(dy.dtype)).T)
        """,
    ),
    "a tuple from a generator": (
        "gradient_norms",
        """
        def gradient_norms(network, dy):
            def lengths(g):
                yield np.linalg.norm(g)
                for layer in reversed(network.layers):
                    g = layer.backward(g)
                    yield np.linalg.norm(g.ravel(), 2)

            return tuple(lengths(dy))[::-1]
        """,
    ),
    "a list that is shuffled": (
        "train_steps train_history",
        """
        def train(network, loss, optimizer, training, validation, epochs, batch_size, rng):
            images, labels = training
            history = []
            for epoch in range(epochs):
                left, losses = list(range(len(images))), []
                rng.shuffle(left)
                while left:
                    chosen, left = left[:batch_size], left[batch_size:]
                    x, y = np.array([images[k] for k in chosen]), np.array([labels[k] for k in chosen])
                    losses.append(loss.forward(network.forward(x), y))
                    network.backward(dy=loss.backward())
                    optimizer.step()
                right = network.forward(validation[0]).argmax(1) == validation[1]
                history.append({"loss": sum(losses) / len(losses), "accuracy": right.mean()})
                print(epoch, history[-1])
            return [tuple(entry.values()) for entry in history]
        """,
    ),
    "lists of windows": (
        "im2col",
        """
        def im2col(x, kernel_size, stride, padding):
            (KH, KW), p = kernel_size, padding
            xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
            columns = []
            for n in range(len(xp)):
                for i in range(0, xp.shape[2] - KH + 1, stride):
                    for j in range(0, xp.shape[3] - KW + 1, stride):
                        columns.append(xp[n, :, i : i + KH, j : j + KW].ravel().tolist())
            return np.array(columns, dtype=x.dtype).T
        """,
    ),
    "bins": (
        "col2im",
        """
        def col2im(matrix, shape, kernel_size, stride, padding):
            (N, C, H, W), p = shape, padding
            number = np.full((N, C, H + 2 * p, W + 2 * p), -1)
            number[:, :, p : p + H, p : p + W] = np.arange(N * C * H * W).reshape(shape)
            places = np.lib.stride_tricks.sliding_window_view(number, kernel_size, axis=(2, 3))
            places = places[:, :, ::stride, ::stride].transpose(1, 4, 5, 0, 2, 3).ravel()
            kept = places >= 0
            sums = np.bincount(places[kept], matrix.ravel()[kept], minlength=N * C * H * W)
            return sums.reshape(shape).astype(matrix.dtype)
        """,
    ),
    "a mask of the first ones": (
        "fast_pool_forward fast_pool_backward fast_pool_loops",
        """
        from cnnlib.columns import col2im, im2col

        class FastMaxPool2D:
            def __init__(self, kernel_size, stride=None):
                self.kernel_size, self.stride = (kernel_size, kernel_size), stride or kernel_size

            def forward(self, x):
                N, C, H, W = self.shape = x.shape
                cols = im2col(x.reshape(-1, 1, H, W), self.kernel_size, self.stride, 0)
                self.mask = cols == cols.max(axis=0, keepdims=True)
                return cols.max(0).reshape(N, C, (H - self.kernel_size[0]) // self.stride + 1, -1)

            def backward(self, dy):
                N, C, H, W = self.shape
                first = self.mask & (np.cumsum(self.mask, axis=0) == 1)
                pictures = N * C, 1, H, W
                dx = col2im(first * dy.ravel(), pictures, self.kernel_size, self.stride, 0)
                return dx.reshape(self.shape)
        """,
    ),
    "from the columns of Dense": (
        "saliency",
        """
        def saliency(network, images, classes):
            network.forward(images)
            dy = network.layers[-1].W.T[list(classes)].astype(images.dtype)
            for layer in network.layers[-2::-1]:
                dy = layer.backward(dy)
            return np.linalg.norm(dy, ord=np.inf, axis=1)
        """,
    ),
    "tuples of counts": (
        "confusion_matrix",
        """
        from collections import Counter

        def confusion_matrix(labels, predictions, classes):
            counts = Counter(zip(map(int, labels), map(int, predictions)))
            return tuple(tuple(counts[i, j] for j in range(classes)) for i in range(classes))
        """,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_an_answer_in_another_style_is_taken(name):
    checks, source = LINES[name]
    cell = {"np": np, "__name__": "__main__"}
    exec(textwrap.dedent(source), cell)
    # The answer is what the cell defines last.
    answer = list(cell.values())[-1]
    for c in checks.split():
        assert getattr(check, c).failure(answer) is None, c


@pytest.mark.parametrize(
    ("hunt", "witness"),
    [
        (check.relu_hunt, (2, -1, -1)),
        (check.relu_hunt, ([2], [-1], (-1,))),
        (check.flatten_hunt_1, ([[[[0, 0]]]], np.zeros((1, 2), np.float32), [[[[0, 0]]]])),
        (check.dense_hunt_3, ([[0, 0], [0, 0]], (0, 1), [[-0.25, 0.25], [0.25, -0.25]])),
        (check.fast_hunt_2, [[[[[0, 3]]]], [[[[0]]]], [[[[0]]]]]),
    ],
)
def test_a_witness_may_hold_numbers_lists_and_tuples(hunt, witness):
    assert hunt.failure(lambda: witness) is None


@pytest.mark.parametrize(
    "answers", [[[5, 24], np.int64(19), [2, 0, 1]], ((5, 24), 19, np.array([2, 0, 1]))]
)
def test_predictions_may_be_lists_and_arrays(answers):
    assert check.flatten_predictions.failure(lambda: answers) is None


@pytest.mark.repairs
@pytest.mark.parametrize(
    "wrong",
    [np.frompyfunc(lambda x: x, 1, 1), partial(np.moveaxis, source=1, destination=2), np.copy],
)
def test_an_answer_without_lines_of_its_own_is_refused_like_any_other(wrong):
    assert isinstance(check.channels_last.failure(wrong), check.Failed)


@pytest.mark.repairs
def test_an_answer_that_does_not_say_where_it_comes_from_is_refused_like_any_other():
    cell = {}
    exec("def channels_last(x):\n    y = x\n    return y", cell)
    assert isinstance(check.channels_last.failure(cell["channels_last"]), check.Failed)
