"""What is said of mistakes that nobody has written down: with which sizes alone code is right, and what a result is made of."""

import pytest
from wrong_answers import CONV_EINSUM, CONV_LOOPS, DENSE, FLATTEN, LOSS_ONE_HOT, SGD, Wrong

from cnnlib import check

pytestmark = [pytest.mark.repairs, pytest.mark.sampled]


def failure(name: str, right: str, *changes: tuple[str, str]):
    wrong = Wrong(name, right, changes)
    return getattr(check, name).failure(wrong.thing), wrong


WRITTEN_IN = [
    (
        "conv_dx",
        CONV_LOOPS,
        (
            "dx_pad[n, :, top : top + KH, left : left + KW]",
            "dx_pad[n, :, top : top + 3, left : left + 3]",
        ),
        "kernels of 3×3",
    ),
    ("dense_db", DENSE, ("np.sum(dy, axis=0)", "np.ones(4) @ dy"), "batches of 4"),
    ("flatten_backward", FLATTEN, ("dy.reshape(N,", "dy.reshape(2,"), "batches of 2"),
]


@pytest.mark.parametrize("name, right, change, size", WRITTEN_IN, ids=[w[0] for w in WRITTEN_IN])
def test_a_size_that_is_written_in_is_told(name, right, change, size):
    failed, _ = failure(name, right, change)
    assert f"is right with {size}" in failed.says


def test_what_is_right_for_one_alone_is_no_size():
    """An index that is missing, not a number that is written in."""
    failed, _ = failure("conv_dW", CONV_LOOPS, ("g * x_pad[n, :", "g * x_pad[0, :"))
    assert "batches of 1" not in str(failed) and "1 pictures" not in str(failed)


MADE_OF = [
    (
        "conv_dx",
        CONV_LOOPS,
        ("+= g * self.W[f]", "+= g * dW[f]"),
        "Your dx depends on x, and not on W.",
    ),
    (
        "sgd_step",
        SGD,
        (
            'g = getattr(layer, "d" + name)',
            'g = getattr(layer, "d" + name) + getattr(layer, name) / 1e4',
        ),
        "Your change of W depends on W, and should not.",
    ),
]


@pytest.mark.parametrize("name, right, change, says", MADE_OF, ids=[m[0] for m in MADE_OF])
def test_what_a_result_is_made_of_is_told_where_nothing_else_is_known(name, right, change, says):
    failed, wrong = failure(name, right, change)
    assert failed.says.startswith(says)
    assert set(failed.lines) & wrong.lines


def test_a_gradient_that_is_read_in_another_order_is_told():
    change = ("dy, self._windows", 'dy.ravel(order="F").reshape(dy.shape), self._windows')
    failed, wrong = failure("conv_dW", CONV_EINSUM, change)
    assert (
        failed.says
        == 'Your result would be right if dy were dy.ravel(order="F").reshape(dy.shape).'
    )
    assert set(failed.lines) <= wrong.lines


@pytest.mark.parametrize(
    "imported",
    ["from numpy.lib.stride_tricks import sliding_window_view", "from numpy import einsum, pad"],
)
def test_functions_of_numpy_may_have_a_name_of_their_own(imported):
    """They are of another kind than Python's own, and code that uses them is searched as well."""
    names = imported.partition(" import ")[2].split(", ")
    source = f"{imported}\n\n{CONV_EINSUM}".replace("np.lib.stride_tricks.sliding", "sliding")
    if "einsum" in names:
        source = f"{imported}\n\n{CONV_EINSUM}".replace("np.einsum", "einsum").replace(
            "np.pad", "pad"
        )
    failed, wrong = failure("conv_db", source, ("dy.sum(axis=(0, 2, 3))", "dy.sum(axis=(1, 2, 3))"))
    assert set(failed.lines) == wrong.lines


def test_what_lesson_02_names_lesson_08_names_too():
    source = CONV_LOOPS.replace("Conv2D", "FastConv2D")
    failed, _ = failure("fast_conv_dx", source, ("+= g * self.W[f]", "+= g * self.W[f][:, ::-1]"))
    assert failed.misconception.__name__ == "TopForBottom"


def test_two_mistakes_that_undo_each_other_are_not_told():
    """A sign that is turned twice, beside what is wrong, is no explanation of it."""
    failed, _ = failure(
        "loss_backward", LOSS_ONE_HOT, ("(self.probs - self.y) / N", "(self.y[0] - self.probs) / N")
    )
    assert "MinusDlogits" not in getattr(failed.misconception, "__name__", "")


def test_rows_of_scores_are_not_called_pictures():
    failed, _ = failure(
        "dense_dx",
        DENSE,
        (
            "dx = np.dot(dy, self.W.T)",
            "dx = np.dot(dy, self.W.T) * (np.arange(len(dy)) < 1)[:, None]",
        ),
    )
    assert "Only the first row of the batch is right." in str(failed)
