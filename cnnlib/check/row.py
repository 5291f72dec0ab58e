"""The checks of lesson 02's one row: what Conv2D does along an axis, forward and backward."""

import numpy as np

from cnnlib.check.engine import Case, check
from cnnlib.scripts import script
from cnnlib.scripts.layer import call


def _row_forward(x, w, stride):
    starts = range(0, len(x) - len(w) + 1, stride)
    return np.array([w @ x[s : s + len(w)] for s in starts])


def _row_dw(dy, x, w, stride):
    dw = np.zeros(len(w))
    for j in range(len(dy)):
        dw += dy[j] * x[j * stride : j * stride + len(w)]
    return dw


def _row_dx(dy, x, w, stride):
    dx = np.zeros(len(x))
    for j in range(len(dy)):
        dx[j * stride : j * stride + len(w)] += dy[j] * w
    return dx


for _reference in (_row_forward, _row_dw, _row_dx):
    _reference.__name__ = _reference.__name__.removeprefix("_")

TAGS = np.array([1.0, 10.0, 100.0, 1000.0])
# Pixels, weights, stride; and how many pixels no window reaches.
ROWS = (
    (6, 3, 2),  # 1: the example by hand
    (5, 3, 1),  # 0
    (9, 2, 3),  # 1
    (8, 2, 3),  # 0
    (9, 4, 3),  # 2
    (4, 4, 2),  # 0: a single window
    (7, 1, 4),  # 2: windows of one pixel
    (11, 3, 3),  # 2: stride as long as the window
)


def _rows():
    """x, w, dy, stride and words for each case; the first can be worked out by hand."""
    rng = np.random.default_rng(5)
    for pixels, weights, stride in ROWS:
        by_hand = (pixels, weights, stride) == ROWS[0]
        x = np.arange(1.0, 7) if by_hand else rng.integers(-9, 10, pixels).astype(float)
        w = TAGS[:3] if by_hand else rng.integers(1, 10, weights).astype(float)
        outputs, rest = divmod(pixels - weights, stride)
        dy = np.array([1.0, 2.0]) if by_hand else rng.integers(1, 10, outputs + 1).astype(float)
        traits = {
            "stride": "stride 1" if stride == 1 else "stride 2 or more",
            "rest": "pixels left over" if rest else "no pixel left over",
        }
        yield {"x": x, "w": w}, dy, stride, f"stride {stride}, {traits['rest']}", traits


@check(title="row_forward", reference=_row_forward, passes="each window gives one number")
def row_forward():
    """Check ``row_forward(x, w, stride)``, the outputs of a kernel that moves along one row."""
    for arrays, _, stride, note, traits in _rows():
        run = script(call, arguments=(stride,))
        yield Case("y", arrays, run, ("OW",), note, 1e-9, traits=traits)


@check(title="row_dw", reference=_row_dw, passes="each weight has heard from every output")
def row_dw():
    """Check ``row_dw(dy, x, w, stride)``, the gradient with respect to the weights of one row."""
    for arrays, dy, stride, note, traits in _rows():
        run = script(call, arguments=(stride,))
        yield Case("dw", {"dy": dy} | arrays, run, ("KW",), note, 1e-9, traits=traits)


@check(
    title="row_dx",
    reference=_row_dx,
    passes="each pixel has heard from the outputs that it fed. Conv2D does this along both axes",
)
def row_dx():
    """Check ``row_dx(dy, x, w, stride)``, the gradient with respect to the pixels of one row."""
    for arrays, dy, stride, note, traits in _rows():
        run = script(call, arguments=(stride,))
        yield Case("dx", {"dy": dy} | arrays, run, ("W",), note, 1e-9, traits=traits)
