"""What passed once, though it is wrong: each kind has a case that refuses it, and nothing right is refused."""

import numpy as np
import pytest

from cnnlib import check, fast, layers, losses

pytestmark = pytest.mark.sampled

CHECKS = {
    "conv": (layers.Conv2D, ["conv_forward", "conv_dW", "conv_db", "conv_dx"]),
    "maxpool": (layers.MaxPool2D, ["maxpool_forward", "maxpool_backward"]),
    "avgpool": (layers.AvgPool2D, ["avgpool_forward", "avgpool_backward"]),
    "flatten": (layers.Flatten, ["flatten_forward", "flatten_backward"]),
    "relu": (layers.ReLU, ["relu_forward", "relu_backward"]),
    "dense": (layers.Dense, ["dense_forward", "dense_dW", "dense_db", "dense_dx"]),
    "loss": (losses.SoftmaxCrossEntropy, ["loss_forward", "loss_backward"]),
}


def refusals(kind, **methods):
    """What each check of a layer says of one with other methods; None where it passes."""
    right, names = CHECKS[kind]
    wrong = type(right.__name__, (right,), methods)
    return {name: getattr(check, name).failure(wrong) for name in names}


def full_correlation(self, dy):
    """dx as a correlation of dy, zeros between and around it, with the turned kernel: for p < K only."""
    F, _, KH, KW = self.W.shape
    N, _, H, W = self.x_shape
    s, p = self.stride, self.padding
    layers.Conv2D.backward(self, dy)
    OH, OW = dy.shape[2:]
    rest = (H + 2 * p - KH) % s, (W + 2 * p - KW) % s
    apart = np.zeros((N, F, (OH - 1) * s + 1 + rest[0], (OW - 1) * s + 1 + rest[1]), dy.dtype)
    apart[:, :, : (OH - 1) * s + 1 : s, : (OW - 1) * s + 1 : s] = dy
    around = (KH - 1 - p, KH - 1 - p), (KW - 1 - p, KW - 1 - p)
    apart = np.pad(apart, ((0, 0), (0, 0), *around))
    windows = np.lib.stride_tricks.sliding_window_view(apart, (KH, KW), (2, 3))
    return np.einsum("nfhwkl,fckl->nchw", windows, self.W[:, :, ::-1, ::-1].astype(dy.dtype))


def in_the_dtype_of_W(method):
    def wrong(self, array):
        return getattr(super(type(self), self), method)(array).astype(self.W.dtype)

    return wrong


def tolerant_max(near):
    def backward(self, dy):
        dx, x = np.zeros_like(self.x), self.x
        (KH, KW), s = self.kernel_size, self.stride
        for n, c, i, j in np.ndindex(dy.shape):
            part = np.s_[n, c, i * s : i * s + KH, j * s : j * s + KW]
            mask = near(x[part], x[part].max())
            dx[part] += dy[n, c, i, j] * mask / mask.sum()
        return dx

    def forward(self, x):
        self.x = x
        return layers.MaxPool2D.forward(self, x)

    return {"forward": forward, "backward": backward}


def rounded(cls, digits):
    return lambda self, dy: cls.backward(self, dy).round(digits)


def with_threshold(limit):
    def forward(self, x):
        self.mask = x > limit
        return x * self.mask

    return {"forward": forward, "backward": lambda self, dy: dy * self.mask}


def into_a_buffer():
    def forward(self, x):
        self.dx = np.zeros_like(x)
        return x.reshape(len(x), -1).copy()

    def backward(self, dy):
        self.dx += dy.reshape(self.dx.shape)
        return self.dx

    return {"forward": forward, "backward": backward}


def from_a_stack():
    def forward(self, x):
        self.shapes = [*getattr(self, "shapes", []), x.shape]
        return x.reshape(len(x), -1)

    return {"forward": forward, "backward": lambda self, dy: dy.reshape(self.shapes.pop())}


def made_with(right, turned=False, **defaults):
    """An `__init__` with other settings where none are given, or with a W whose first axes are swapped."""

    def __init__(self, *sizes, rng=None, **settings):
        right.__init__(self, *sizes, rng=rng, **defaults | settings)
        if turned:
            self.W = self.W.swapaxes(0, 1)

    return {"__init__": __init__}


WRONG = {
    "full correlation": ("conv", {"backward": full_correlation}, ["conv_dx"]),
    "conv y like W": ("conv", {"forward": in_the_dtype_of_W("forward")}, ["conv_forward"]),
    "conv dx like W": ("conv", {"backward": in_the_dtype_of_W("backward")}, ["conv_dx"]),
    "dense y like W": ("dense", {"forward": in_the_dtype_of_W("forward")}, ["dense_forward"]),
    "dense dx like W": ("dense", {"backward": in_the_dtype_of_W("backward")}, ["dense_dx"]),
    "mask by isclose": ("maxpool", tolerant_max(np.isclose), ["maxpool_backward"]),
    "mask with a margin": (
        "maxpool",
        tolerant_max(lambda window, top: window >= top - 1e-8),
        ["maxpool_backward"],
    ),
    "dx of two decimals": (
        "maxpool",
        {"backward": rounded(layers.MaxPool2D, 2)},
        ["maxpool_backward"],
    ),
    "dx of six decimals": (
        "avgpool",
        {"backward": rounded(layers.AvgPool2D, 6)},
        ["avgpool_backward"],
    ),
    "y of whole numbers": (
        "maxpool",
        {"forward": lambda self, x: layers.MaxPool2D.forward(self, x).round()},
        ["maxpool_forward"],
    ),
    "a threshold": ("relu", with_threshold(1e-3), ["relu_forward", "relu_backward"]),
    "a tiny threshold": ("relu", with_threshold(1e-12), ["relu_forward", "relu_backward"]),
    "a buffer": ("flatten", into_a_buffer(), ["flatten_backward"]),
    "a stride of 2 where none is given": (
        "conv",
        made_with(layers.Conv2D, stride=2),
        CHECKS["conv"][1],
    ),
    "a padding of 1 where none is given": (
        "conv",
        made_with(layers.Conv2D, padding=1),
        CHECKS["conv"][1],
    ),
    "W made as (C, F, KH, KW)": ("conv", made_with(layers.Conv2D, turned=True), CHECKS["conv"][1]),
    "W made as (K, D)": ("dense", made_with(layers.Dense, turned=True), CHECKS["dense"][1]),
    "a stack of shapes": ("flatten", from_a_stack(), ["flatten_backward"]),
}


@pytest.mark.parametrize(("kind", "methods", "refused"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_for_some_inputs_only_is_refused(kind, methods, refused):
    said = refusals(kind, **methods)
    assert [name for name, failure in said.items() if failure] == refused, said


@pytest.mark.parametrize(
    ("setting", "phrase"),
    [
        ({"stride": 2}, "right with a stride that is given, wrong with no stride given"),
        ({"padding": 1}, "right with a padding that is given, wrong with no padding given"),
        ({"turned": True}, "__init__ makes a W of shape (3, 4, 2, 3), not (4, 3, 2, 3)"),
    ],
)
def test_what_init_makes_wrong_is_told(setting, phrase):
    said = refusals("conv", **made_with(layers.Conv2D, **setting))["conv_forward"]
    assert phrase in " ".join(str(said).split())


def test_a_flat_W_of_its_own_is_the_learners_choice():
    class Conv2D(layers.Conv2D):
        def __init__(self, *sizes, **settings):
            super().__init__(*sizes, **settings)
            self.W = self.W.reshape(len(self.W), -1)

    assert check.conv_forward.failure(Conv2D) is None


def test_x_moved_back_by_arithmetic_is_refused():
    def numerical_gradient(f, x, h=1e-6):
        x_in = x if x.dtype == float else x.astype(float)
        gradient = np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            x_in[at] += h
            up = float(f(x_in))
            x_in[at] -= 2 * h
            gradient[at] = (up - float(f(x_in))) / (2 * h)
            x_in[at] += h
        return gradient

    assert "rounding leaves x" in str(check.numerical_gradient_memory.failure(numerical_gradient))


@pytest.mark.parametrize("kind", CHECKS)
def test_the_courses_layers_are_right(kind):
    assert not any(refusals(kind).values())


@pytest.mark.parametrize("right", [fast.Conv2D, fast.MaxPool2D])
def test_the_fast_layers_are_right(right):
    (names,) = [names for cls, names in CHECKS.values() if cls.__name__ == right.__name__]
    mine = type(right.__name__, (right,), {})
    assert [getattr(check, name).failure(mine) for name in names] == [None] * len(names)
