"""Training: pictures in small batches through a network, and what was learnt on the way."""

import copy
import io
import os
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from cnnlib.layers import parameters
from cnnlib.network import weight_gradients

__all__ = [
    "History",
    "TrainingError",
    "accuracy",
    "fit",
    "load",
    "minibatches",
    "save",
    "warm_up_and_decay",
]


class TrainingError(Exception):
    """The training can't go on, or a file holds no weights for this network."""


@dataclass
class History:
    """What happened during a training.

    Attributes
    ----------
    losses : list of float
        The loss of each step.
    epochs : list of dict
        For each finished epoch the number of ``steps`` until its end, its mean ``loss``, and
        ``accuracy`` on the validation data where there are any.
    stopped : str
        Why the training ended early; empty if it didn't.
    """

    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    stopped: str = ""

    def plot(self):
        """Draw the loss of each step and, where it is known, the accuracy after each epoch.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 3), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(np.arange(1, len(self.losses) + 1), self.losses, color="#0072B2", linewidth=1)
        axes.set(xlabel="step", ylabel="loss", ylim=(0, None))
        scores = {epoch["steps"]: epoch["accuracy"] for epoch in self.epochs if "accuracy" in epoch}
        if scores:
            right = axes.twinx()
            right.plot(scores.keys(), scores.values(), "o--", color="#D55E00")
            right.set(ylabel="validation accuracy (dots)", ylim=(0, 1))
        return figure


def minibatches(count: int, batch_size: int, rng):
    """Deal the numbers 0 … count − 1 into shuffled batches; the last one may be smaller.

    Parameters
    ----------
    count, batch_size : int
    rng : numpy.random.Generator
        Shuffles.

    Yields
    ------
    array of int

    Examples
    --------
    >>> [len(batch) for batch in minibatches(10, 4, np.random.default_rng(0))]
    [4, 4, 2]
    """
    order = rng.permutation(count)
    for start in range(0, count, batch_size):
        yield order[start : start + batch_size]


def accuracy(network, images, labels, batch_size: int = 500) -> float:
    """Return the share of pictures whose largest score is the right class's.

    Parameters
    ----------
    network : layer
    images : array of floats, (N, C, H, W)
    labels : array of int, (N,)
    batch_size : int
        Pictures that go through the network at a time.
    """
    right = 0
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        right += int((network.forward(images[part]).argmax(axis=1) == labels[part]).sum())
    return right / len(images)


def fit(
    network,
    images,
    labels,
    *,
    loss,
    optimizer,
    rng,
    epochs: int = 1,
    batch_size: int = 64,
    validation=None,
    progress: bool = True,
    after_step=None,
    threads: int = 1,
) -> History:
    """Train a network on pictures in shuffled minibatches.

    Ctrl-C, or the stop button of a notebook, ends the training early; what was learnt until then is
    kept.

    Parameters
    ----------
    network : layer
        The learner's own or the course's.
    images : array of floats, (N, C, H, W)
    labels : array of int, (N,)
    loss : object
        With ``forward(logits, labels) -> float`` and ``backward() -> dlogits``.
    optimizer : object
        With ``step()``.
    rng : numpy.random.Generator
        Shuffles the pictures anew in each epoch.
    epochs, batch_size : int
    validation : (images, labels), optional
        Pictures that the network does not learn from, to measure its accuracy on after each epoch.
    progress : bool
        Show a progress bar.
    after_step : callable, optional
        Gets the history after each step, to draw it, or to change ``optimizer.learning_rate``.
    threads : int
        How many parts of a batch are worked on at a time. With as many cores, and with batches that
        are large for the network, that takes less time; the numbers differ by rounding alone.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        When there is nothing to learn from, or the arrays don't belong together.
    TrainingError
        When the loss is no longer a number; the weights are then those before that step.

    Examples
    --------
    >>> from cnnlib.layers import Dense
    >>> from cnnlib.losses import SoftmaxCrossEntropy
    >>> from cnnlib.optimizers import SGD
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 2))
    >>> network = Dense(2, 2, rng=rng)
    >>> history = fit(network, x, (x[:, 0] > 0).astype(int), loss=SoftmaxCrossEntropy(),
    ...               optimizer=SGD(network, 0.5), rng=rng, epochs=5, progress=False)
    >>> history.epochs[-1]["loss"] < history.epochs[0]["loss"]
    True
    """
    from tqdm.auto import tqdm  # takes as long to import as NumPy, and looks where it is by then

    _fits_together(images, labels, epochs=epochs, batch_size=batch_size, threads=threads)
    step = partial(_step, network, loss=loss)
    if threads > 1 and sys.platform == "emscripten":
        raise ValueError(f"threads is {threads}, but a browser can't start any; leave it 1 there")
    if threads > 1:
        step = _Threads(network, loss, threads).step
    history = History()
    steps = epochs * -(-len(images) // batch_size)
    with tqdm(total=steps, disable=not progress, desc="training", unit="step") as bar:
        try:
            for _ in range(epochs):
                begin = len(history.losses)
                for batch in minibatches(len(images), batch_size, rng):
                    history.losses.append(step(images[batch], labels[batch]))
                    _refuse_nan(history, optimizer)
                    optimizer.step()
                    bar.update()
                    if after_step is not None:
                        after_step(history)
                found = {"loss": float(np.mean(history.losses[begin:]))}
                if validation is not None:
                    found["accuracy"] = accuracy(network, *validation)
                history.epochs.append({"steps": len(history.losses), **found})
                bar.set_postfix({name: f"{value:.3f}" for name, value in found.items()})
        except KeyboardInterrupt:
            history.stopped = f"interrupted after {len(history.losses)} of {steps} steps"
    return history


def warm_up_and_decay(step: int, steps: int, peak: float) -> float:
    """Return the learning rate of a step: up to `peak` in the first tenth, then down to almost 0.

    Small steps at first, while Adam's running means rest on few gradients; small steps at last, to
    settle where large ones would keep jumping about.

    Parameters
    ----------
    step : int
        From 0; after a step of `fit` it is ``len(history.losses)``.
    steps : int
        Of the whole training: the epochs times the batches of one.
    peak : float
        The largest learning rate.

    Notes
    -----
    Both ways are straight lines. Warm-up: Goyal et al., "Accurate, Large Minibatch SGD" (2017),
    section 2.2.

    Examples
    --------
    >>> [round(warm_up_and_decay(step, 20, peak=0.19), 3) for step in (0, 1, 2, 3, 18, 19)]
    [0.095, 0.19, 0.18, 0.17, 0.02, 0.01]

    In a training:

    >>> from cnnlib.layers import Dense
    >>> from cnnlib.losses import SoftmaxCrossEntropy
    >>> from cnnlib.optimizers import Adam
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(320, 2))
    >>> network = Dense(2, 2, rng=rng)
    >>> adam = Adam(network, warm_up_and_decay(0, 10, peak=0.1))
    >>> def after_step(history):
    ...     adam.learning_rate = warm_up_and_decay(len(history.losses), 10, peak=0.1)
    >>> history = fit(network, x, (x[:, 0] > 0).astype(int), loss=SoftmaxCrossEntropy(),
    ...               optimizer=adam, rng=rng, epochs=2, after_step=after_step, progress=False)
    >>> history.epochs[-1]["loss"] < history.epochs[0]["loss"]
    True
    """
    warm_up = max(1, steps // 10)
    return peak * min((step + 1) / warm_up, (steps - step) / (steps - warm_up + 1))


def _step(network, images, labels, loss) -> float:
    value = loss.forward(network.forward(images), labels)
    weight_gradients(network, loss.backward())
    return float(value)


class _Threads:
    """Does `_step` in several threads: each takes a part of the batch through a copy of the network.

    NumPy lets other threads go on while it multiplies. The loss is a mean over the pictures, so each
    part's loss and gradients count by its share of the pictures.
    """

    def __init__(self, network, loss, threads: int):
        copies = [copy.deepcopy((network, loss)) for _ in range(threads - 1)]
        self.learners = [(network, loss), *copies]
        self.pool = ThreadPoolExecutor(threads, "fit")

    def step(self, images, labels) -> float:
        threads = min(len(self.learners), len(images))
        parts = np.array_split(np.arange(len(images)), threads)
        shares = [len(part) / len(images) for part in parts]
        weights = [parameters(network) for network, _ in self.learners[:threads]]
        for twins in zip(*weights, strict=True):
            owner, name = twins[0]
            for twin, _ in twins[1:]:
                setattr(twin, name, getattr(owner, name))

        def one(learner, part):
            network, loss = learner
            return _step(network, images[part], labels[part], loss)

        losses = list(self.pool.map(one, self.learners, parts))
        for twins in zip(*weights, strict=True):
            owner, name = twins[0]
            gradients = (getattr(twin, "d" + name) for twin, _ in twins)
            setattr(owner, "d" + name, _mean(gradients, shares))
        return _mean(losses, shares)


def _mean(values, shares):
    return sum(value * share for value, share in zip(values, shares, strict=True))


def _refuse_nan(history: History, optimizer) -> None:
    if np.isfinite(history.losses[-1]):
        return
    before = ", ".join(f"{value:.3g}" for value in history.losses[-4:-1]) or "none"
    raise TrainingError(
        f"fit: the loss of step {len(history.losses)} is {history.losses[-1]} (the losses before it: "
        f"{before}). The usual reason is a learning rate that is too large: it is "
        f"{getattr(optimizer, 'learning_rate', 'unknown')}; try a tenth of it, with fresh weights."
    )


def _fits_together(images, labels, **counts: int) -> None:
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"fit: there are {len(images)} images and {len(labels)} labels; each image needs one label"
        )
    if np.asarray(images).dtype.kind != "f":
        raise ValueError(
            f"fit: images hold {np.asarray(images).dtype}, but must hold floats; for pixels from 0 to 255 use "
            "images.astype(np.float32) / 255"
        )
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"fit: {name} is {value}, but must be at least 1")


# ---------------------------------------------------------------------------- files


def save(network, path) -> None:
    """Write a network's weights to a file, all or nothing.

    Parameters
    ----------
    network : layer
    path : path-like
        An npz file: NumPy arrays in the order of `cnnlib.layers.parameters`, no code.
    """
    arrays = {
        f"{number:03}_{type(owner).__name__}_{name}": getattr(owner, name)
        for number, (owner, name) in enumerate(parameters(network))
    }
    data = io.BytesIO()
    np.savez(data, **arrays)
    path = Path(path)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(data.getvalue())
    os.replace(unfinished, path)


def load(network, path) -> None:
    """Set a network's weights to those in a file that `save` wrote for a network of the same layers.

    Nothing is changed where the file does not fit. The file is read as data: no code in it is ever run.

    Parameters
    ----------
    network : layer
    path : path-like

    Raises
    ------
    TrainingError
        When the file is missing, damaged, of another kind, or for another network.

    Examples
    --------
    >>> import tempfile
    >>> from cnnlib.layers import Dense
    >>> one, other = Dense(3, 2, rng=0), Dense(3, 2, rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(one, f"{folder}/weights.npz")
    ...     load(other, f"{folder}/weights.npz")
    >>> bool((one.W == other.W).all())
    True
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in sorted(file.files)}
    except FileNotFoundError:
        raise TrainingError(f"load: there is no file {path}") from None
    except (OSError, ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"load: {path} is damaged, or no file that cnnlib saved: {error}"
        ) from None
    wanted = parameters(network)
    shapes = [np.shape(getattr(owner, name)) for owner, name in wanted]
    found = [array.shape for array in arrays.values()]
    names = [name.rpartition("_")[2] for name in arrays]
    if found != shapes or names != [name for _, name in wanted]:
        raise TrainingError(
            f"load: {path} is for another network: it holds weights of the shapes {found}, but this "
            f"network has {shapes}"
        )
    if not all(array.dtype.kind == "f" and np.isfinite(array).all() for array in arrays.values()):
        raise TrainingError(f"load: {path} holds values that are no numbers")
    for (owner, name), array in zip(wanted, arrays.values(), strict=True):
        setattr(owner, name, array)
