"""Training: it learns, stops, refuses and remembers as it says."""

import doctest
import subprocess
import sys

import numpy as np
import pytest

from cnnlib import datasets, training
from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, parameters
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential
from cnnlib.optimizers import SGD, Adam
from cnnlib.training import (
    History,
    TrainingError,
    accuracy,
    fit,
    load,
    minibatches,
    save,
    warm_up_and_decay,
)


def small_network(seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(
        [Conv2D(1, 4, 3, rng=rng), ReLU(), MaxPool2D(2), Flatten(), Dense(36, 10, rng=rng)]
    )


@pytest.fixture(scope="module")
def digits():
    data = datasets.load_digits()
    return (
        (data.train_images / np.float32(16), data.train_labels),
        (data.test_images / np.float32(16), data.test_labels),
    )


def test_the_examples_run():
    assert doctest.testmod(training).failed == 0


def test_a_network_learns_the_digits(digits):
    train, test = digits
    network = small_network()
    history = fit(
        network,
        *train,
        loss=SoftmaxCrossEntropy(),
        optimizer=Adam(network, 0.02),
        rng=np.random.default_rng(0),
        epochs=6,
        validation=test,
        progress=False,
    )
    assert history.losses[0] > 1.5 > history.epochs[-1]["loss"]
    assert history.epochs[-1]["accuracy"] == accuracy(network, *test) > 0.8
    assert len(history.losses) == 6 * -(-len(train[0]) // 64)
    assert not history.stopped
    assert [axes.get_ylabel()[:10] for axes in history.plot().axes] == ["loss", "validation"]


@pytest.mark.parametrize("steps", [1, 2, 9, 10, 25, 1876])
def test_the_rate_rises_to_its_peak_and_falls_almost_to_0(steps):
    rates = [warm_up_and_decay(step, steps, 0.5) for step in range(steps)]
    top = int(np.argmax(rates))
    assert rates[top] == 0.5
    assert top <= steps / 10
    assert (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[top:]) < 0).all()
    assert 0 < rates[-1] <= 0.5 / max(1, 0.8 * steps)
    assert warm_up_and_decay(steps, steps, 0.5) == 0  # what fit asks after the last step


def test_the_same_generator_gives_the_same_training(digits):
    def losses():
        network = small_network()
        images, labels = digits[0]
        return fit(
            network,
            images[:200],
            labels[:200],
            loss=SoftmaxCrossEntropy(),
            optimizer=SGD(network, 0.1),
            rng=np.random.default_rng(7),
            progress=False,
        ).losses

    assert losses() == losses()


@pytest.mark.parametrize("pictures", [64, 65, 2, 1])
def test_threads_change_nothing_but_rounding(digits, pictures):
    """With batches that are smaller than the threads, and that don't divide by them, too."""

    def trained(threads):
        network = small_network()
        images, labels = digits[0]
        options = {
            "loss": SoftmaxCrossEntropy(),
            "optimizer": SGD(network, 0.01),
            "threads": threads,
        }
        options |= {"rng": np.random.default_rng(7), "progress": False, "batch_size": 24}
        history = fit(network, images[:pictures].astype(float), labels[:pictures], **options)
        return history.losses, [getattr(owner, name) for owner, name in parameters(network)]

    (losses, weights), (others, other_weights) = trained(1), trained(3)
    np.testing.assert_allclose(others, losses, rtol=1e-10)
    for one, other in zip(weights, other_weights, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-8, atol=1e-10)


def test_each_epoch_sees_every_picture_once_in_a_new_order():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(minibatches(103, 10, rng))) for _ in range(2))
    assert np.array_equal(np.sort(first), np.arange(103))
    assert np.array_equal(np.sort(second), np.arange(103))
    assert not np.array_equal(first, second)


def test_an_interrupt_keeps_what_was_learnt(digits):
    images, labels = digits[0]
    network = small_network()
    before = network.layers[-1].W.copy()

    def interrupt(history):
        if len(history.losses) == 5:
            raise KeyboardInterrupt

    history = fit(
        network,
        images,
        labels,
        loss=SoftmaxCrossEntropy(),
        optimizer=SGD(network, 0.1),
        rng=np.random.default_rng(0),
        epochs=2,
        progress=False,
        after_step=interrupt,
    )
    assert history.stopped.startswith("interrupted after 5 of")
    assert len(history.losses) == 5
    assert not np.array_equal(network.layers[-1].W, before)
    assert history.plot().axes


def test_an_accuracy_is_drawn_at_the_end_of_its_epoch():
    history = History(losses=[2.0] * 150, epochs=[{"steps": 100, "loss": 2.0, "accuracy": 0.3}])
    (dots,) = history.plot().axes[1].lines
    assert dots.get_xydata().tolist() == [[100, 0.3]]


def test_a_loss_that_is_no_number_is_told_with_the_learning_rate():
    class Explodes(SoftmaxCrossEntropy):
        def forward(self, logits, labels):
            super().forward(logits, labels)
            return float("nan")

    network = Dense(2, 3, rng=0)
    before = network.W
    with pytest.raises(TrainingError, match=r"loss of step 1 is nan.*it is 0\.5; try a tenth"):
        fit(
            network,
            np.ones((4, 2)),
            np.zeros(4, int),
            loss=Explodes(),
            optimizer=SGD(network, 0.5),
            rng=np.random.default_rng(0),
            progress=False,
        )
    assert network.W is before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((0, 2)), "labels": np.zeros(0, int)}, "0 images and 0 labels"),
        ({"images": np.zeros((3, 2)), "labels": np.zeros(4, int)}, "3 images and 4 labels"),
        ({"images": np.zeros((3, 2), np.uint8)}, "images hold uint8"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(arguments, message):
    network = Dense(2, 3, rng=0)
    usual = {
        "images": np.zeros((3, 2)),
        "labels": np.zeros(3, int),
        "loss": SoftmaxCrossEntropy(),
        "optimizer": SGD(network),
        "rng": np.random.default_rng(0),
        "progress": False,
    }
    arguments = usual | arguments
    with pytest.raises(ValueError, match=message):
        fit(network, arguments.pop("images"), arguments.pop("labels"), **arguments)


def test_saved_weights_come_back_exactly(tmp_path):
    one, other = small_network(1), small_network(2)
    save(one, tmp_path / "weights.npz")
    load(other, tmp_path / "weights.npz")
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 8))
    assert np.array_equal(one.forward(x), other.forward(x))
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def _pickled(path):
    np.savez(path, a=np.array([{"code": 1}], dtype=object))


def _other_network(path):
    save(Dense(3, 2), path)


def _swapped_names(path):
    np.savez(path, **{"000_Dense_b": np.zeros((5, 4)), "001_Dense_W": np.zeros(4)})


def _not_finite(path):
    np.savez(path, **{"000_Dense_W": np.full((5, 4), np.nan), "001_Dense_b": np.zeros(4)})


def _cut(path):
    save(Dense(5, 4), path)
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.write_bytes(b""), "damaged, or no file"),
        (lambda path: path.write_text("weights"), "damaged, or no file"),
        (lambda path: np.save(path.with_suffix(".npz"), np.zeros(3)), "there is no file|damaged"),
        (_pickled, "damaged, or no file"),
        (_cut, "damaged, or no file"),
        (_other_network, "for another network"),
        (_swapped_names, "for another network"),
        (_not_finite, "no numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_changes_nothing(tmp_path, write, message):
    path = tmp_path / "weights.npz"
    write(path)
    network = Dense(5, 4, rng=0)
    before = network.W
    with pytest.raises(TrainingError, match=message):
        load(network, path)
    assert network.W is before


def test_training_pulls_in_no_pictures_and_no_notebook():
    code = "import sys, cnnlib.training; print([m for m in ('matplotlib', 'anywidget') if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
