import numpy as np
import pytest
import recorded

from cnnlib.losses import SoftmaxCrossEntropy


@pytest.mark.parametrize("dtype", recorded.TOLERANCE)
@recorded.each("loss")
def test_as_pytorch(case, dtype):
    logits, labels = case.logits.astype(dtype), case.labels.copy()
    logits.flags.writeable = labels.flags.writeable = False
    loss = SoftmaxCrossEntropy()
    value = loss.forward(logits, labels)
    assert type(value) is float
    assert value == pytest.approx(float(case.loss), rel=recorded.TOLERANCE[dtype])
    # Rounded to float32, a score moves by up to 6e-8 of its size, and the gradient with it.
    atol = 1e-10 if dtype is np.float64 else 2e-5 + 1e-7 * np.abs(logits).max()
    assert loss.backward().dtype == dtype
    np.testing.assert_allclose(loss.backward(), case.dlogits, atol=atol)


def test_by_hand():
    loss = SoftmaxCrossEntropy()
    value = loss.forward(np.log([[1.0, 3.0], [4.0, 1.0]]), [1, 0])
    assert value == pytest.approx(-(np.log(0.75) + np.log(0.8)) / 2)
    np.testing.assert_allclose(loss.p, [[0.25, 0.75], [0.8, 0.2]])
    np.testing.assert_allclose(loss.backward(), [[0.125, -0.125], [-0.1, 0.1]])


def test_scores_far_apart_stay_finite():
    loss = SoftmaxCrossEntropy()
    with np.errstate(all="raise", under="ignore"):
        value = loss.forward(np.array([[1e4, 0.0], [-1e4, -3e4]]), np.array([1, 0]))
    assert value == 5000
    np.testing.assert_array_equal(loss.backward(), [[0.5, -0.5], [0, 0]])


def test_backward_does_not_add_up_and_belongs_to_the_last_forward():
    rng = np.random.default_rng(0)
    loss = SoftmaxCrossEntropy()
    for N in (4, 7, 2):
        loss.forward(rng.normal(size=(N, 3)), rng.integers(3, size=N))
        first = loss.backward()
        kept = first.copy()
        first += 1
        np.testing.assert_array_equal(loss.backward(), kept)
        np.testing.assert_allclose(kept.sum(axis=1), 0, atol=1e-12)


def test_labels_of_any_integer_dtype():
    logits = np.random.default_rng(0).normal(size=(3, 4))
    values = {
        SoftmaxCrossEntropy().forward(logits, np.array([3, 0, 1], dtype))
        for dtype in (np.uint8, np.int8, np.int64, np.uint64)
    }
    assert len(values) == 1


SCORES = np.zeros((4, 3))


@pytest.mark.parametrize(
    ("logits", "labels", "error", "words"),
    [
        (SCORES.astype(int), [0, 1, 2, 0], TypeError, ["logits hold int64", "floats"]),
        (np.zeros(3), [0], ValueError, ["logits has shape (3,)", "(N, K)"]),
        (np.zeros((2, 3, 1)), [0, 1], ValueError, ["logits has shape (2, 3, 1)", "(N, K)"]),
        (np.zeros((0, 3)), [], ValueError, ["logits has shape (0, 3)", "at least one"]),
        (SCORES, np.eye(4, 3), ValueError, ["labels has shape (4, 3)", "one-hot", "argmax"]),
        (SCORES, np.eye(4, 3, dtype=int), ValueError, ["one-hot", "labels.argmax(axis=1)"]),
        (SCORES, [[0], [1], [2], [0]], ValueError, ["labels has shape (4, 1)", "must be (4,)"]),
        (SCORES, [0, 1, 2], ValueError, ["labels has shape (3,)", "logits (4, 3)", "(4,)"]),
        (SCORES, 1, ValueError, ["labels has shape ()", "(4,)"]),
        (SCORES, [0.0, 1.0, 2.0, 0.0], TypeError, ["labels hold float64", "astype(int)"]),
        (SCORES, [True, False, True, True], TypeError, ["labels hold bool", "integers"]),
        (SCORES, ["a", "b", "c", "a"], TypeError, ["labels hold", "integers"]),
        (SCORES, [0, 1, 3, 0], ValueError, ["labels[2] is 3", "3 classes", "from 0 to 2"]),
        (SCORES, [0, -1, 2, 0], ValueError, ["labels[1] is -1", "from 0 to 2"]),
    ],
)
def test_wrong_arguments(logits, labels, error, words):
    with pytest.raises(error) as caught:
        SoftmaxCrossEntropy().forward(logits, labels)
    for word in ["SoftmaxCrossEntropy.forward", *words]:
        assert word in str(caught.value)


def test_backward_before_forward():
    with pytest.raises(RuntimeError, match=r"SoftmaxCrossEntropy\.backward.*call forward"):
        SoftmaxCrossEntropy().backward()
