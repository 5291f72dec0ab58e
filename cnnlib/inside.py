"""What a network has learnt to look at: maps, gradients by the pixel, covered pictures, mistakes."""

from collections.abc import Iterator

import numpy as np

__all__ = ["confusion_matrix", "feature_maps", "occlusion", "probabilities", "saliency"]

BATCH = 500
"""Pictures that go through a network at a time, where there may be thousands."""


def feature_maps(network, images) -> list[tuple[str, np.ndarray]]:
    """Return what each layer makes of the pictures.

    Parameters
    ----------
    network : object
        Has its layers in a row in ``layers``.
    images : array of floats, (N, C, H, W)

    Returns
    -------
    list of (str, array of shape (N, …))
        For each layer, in order, the name of its class and its output.

    Raises
    ------
    TypeError
        When the network has no list of layers.

    Examples
    --------
    >>> from cnnlib.layers import Conv2D, Flatten, ReLU
    >>> from cnnlib.network import Sequential
    >>> network = Sequential([Conv2D(1, 4, 3), ReLU(), Flatten()])
    >>> for name, maps in feature_maps(network, np.zeros((2, 1, 6, 5))):
    ...     print(name, maps.shape)
    Conv2D (2, 4, 4, 3)
    ReLU (2, 4, 4, 3)
    Flatten (2, 48)
    """
    if not hasattr(network, "layers"):
        raise TypeError(
            f"feature_maps: network is a {type(network).__name__} without layers, but must have its "
            "layers in a row in .layers, as a Sequential has; for one layer use Sequential([layer])"
        )
    maps = []
    for layer in network.layers:
        images = layer.forward(images)
        maps.append((type(layer).__name__, images))
    return maps


def probabilities(network, images) -> np.ndarray:
    """Return how much the network believes in each class: the softmax of its scores.

    Parameters
    ----------
    network : layer
    images : array of floats, (N, C, H, W)

    Returns
    -------
    array of shape (N, K)
        Each row adds up to 1.

    Examples
    --------
    >>> from cnnlib.layers import ReLU
    >>> probabilities(ReLU(), np.log([[1.0, 1.0, 2.0]])).round(2)
    array([[0.25, 0.25, 0.5 ]])
    """
    parts = range(0, len(images), BATCH) or [0]  # no pictures have a shape of scores too
    scores = np.concatenate([network.forward(images[start : start + BATCH]) for start in parts])
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def saliency(network, images, classes) -> np.ndarray:
    """Return how much the score of a class reacts to each pixel of a picture.

    For each picture, the gradient of the score of its class, as it leaves the last layer and before
    any softmax, walks back through the network to the picture. A pixel's value is the largest
    |∂ score / ∂ pixel| over its channels.

    The weights stay as they are. The layers keep what their forward and backward keep, dW and db too.

    Parameters
    ----------
    network : layer
        From images to scores (N, K).
    images : array of floats, (N, C, H, W)
    classes : array of int, (N,)
        The class whose score is asked for, for each picture. It need not be the right one.

    Returns
    -------
    array of shape (N, H, W)
        In the dtype of the images; nothing is below 0.

    Raises
    ------
    TypeError
        When classes are no integers.
    ValueError
        When a shape does not fit, or a class is out of range.

    Notes
    -----
    Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks" (2013), section 3.1.

    Examples
    --------
    >>> from cnnlib.layers import Dense, Flatten
    >>> from cnnlib.network import Sequential
    >>> network = Sequential([Flatten(), Dense(4, 2)])
    >>> network.layers[1].W = np.array([[1.0, 0.0], [-5.0, 2.0], [0.0, 3.0], [4.0, -7.0]])
    >>> saliency(network, np.ones((1, 1, 2, 2)), np.array([0]))
    array([[[1., 5.],
            [0., 4.]]])
    """
    scores = network.forward(images)
    classes = _classes("saliency", classes, scores)
    dy = np.zeros_like(scores)
    dy[np.arange(len(scores)), classes] = 1
    return np.abs(network.backward(dy)).max(axis=1)


def occlusion(network, images, classes, size: int, stride: int, fill: float = 0.0) -> np.ndarray:
    """Return how far the score of a class falls while a patch covers each pixel.

    A square patch takes every place that is a whole number of strides from the upper left corner,
    and the last places before the lower and the right edge. A pixel's value is the mean over all
    patches that cover it; below 0 the score has risen.

    Parameters
    ----------
    network : layer
        From images to scores (N, K).
    images : array of floats, (N, C, H, W)
    classes : array of int, (N,)
        The class whose score is asked for, for each picture.
    size : int
        Rows, and columns, of the patch.
    stride : int
        Pixels from one patch to the next; at most size, so that no pixel is left out.
    fill : float
        What stands in the patch, in all channels.

    Returns
    -------
    array of shape (N, H, W)
        In the dtype of the scores.

    Raises
    ------
    TypeError
        When classes are no integers.
    ValueError
        When a shape does not fit, a class is out of range, or the patches don't fit the picture.

    Notes
    -----
    Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2.

    Examples
    --------
    A score that adds up all pixels falls by the pixels that are covered:

    >>> from cnnlib.layers import Dense, Flatten
    >>> from cnnlib.network import Sequential
    >>> network = Sequential([Flatten(), Dense(4, 1)])
    >>> network.layers[1].W = np.ones((4, 1))
    >>> picture = np.array([[[[3.0, 0.0], [0.0, 7.0]]]])
    >>> occlusion(network, picture, np.array([0]), size=1, stride=1)
    array([[[3., 0.],
            [0., 7.]]])
    """
    images = np.asarray(images)
    N, _, H, W = images.shape
    if not 1 <= stride <= size <= min(H, W):
        raise ValueError(
            f"occlusion: size is {size} and stride {stride}, but for pictures of {H} by {W} they must "
            f"keep 1 <= stride <= size <= {min(H, W)}, so that the patches leave no pixel out"
        )
    scores = network.forward(images)
    classes = _classes("occlusion", classes, scores)
    asked = np.arange(N), classes
    fall, patches = np.zeros((N, H, W), scores.dtype), np.zeros((H, W), scores.dtype)
    for row in _places(H, size, stride):
        for column in _places(W, size, stride):
            patch = ..., slice(row, row + size), slice(column, column + size)
            covered = images.copy()
            covered[patch] = fill
            fall[patch] += (scores[asked] - network.forward(covered)[asked])[:, None, None]
            patches[patch] += 1
    return fall / patches


def _places(length: int, size: int, stride: int) -> Iterator[int]:
    """Where patches begin along a side; the last one ends with it."""
    yield from range(0, length - size, stride)
    yield length - size


def confusion_matrix(labels, predictions, classes: int) -> np.ndarray:
    """Count how often each class was taken for each.

    Parameters
    ----------
    labels, predictions : arrays of int, (N,)
        The right class of each picture, and the network's.
    classes : int
        K, how many classes there are.

    Returns
    -------
    array of int, (K, K)
        ``[true, predicted]``: a row for each right class. What is right stands on the diagonal.

    Raises
    ------
    TypeError
        When labels or predictions are no integers.
    ValueError
        When there is not one prediction for each label, or a class is out of range.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 1], classes=3)
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 1, 0]])
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape:
        raise ValueError(
            f"confusion_matrix: labels has shape {labels.shape} and predictions "
            f"{predictions.shape}, but both must be (N,); from scores (N, K), predictions are "
            "scores.argmax(axis=1)"
        )
    for name, values in (("labels", labels), ("predictions", predictions)):
        _in_range(f"confusion_matrix: {name}", values, classes)
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (labels.astype(int), predictions.astype(int)), 1)
    return counts


def _classes(where: str, classes, scores) -> np.ndarray:
    """The classes as an array, if there is one for each row of scores."""
    classes = np.asarray(classes)
    if scores.ndim != 2:
        raise ValueError(
            f"{where}: the network returned scores of shape {scores.shape}, but must return (N, K), "
            "a score for each class; does it end with a Dense layer?"
        )
    if classes.shape != scores.shape[:1]:
        raise ValueError(
            f"{where}: classes has shape {classes.shape}, but there are {len(scores)} pictures, so it "
            f"must be ({len(scores)},): one class for each picture; for one class for all use "
            f"np.full({len(scores)}, class)"
        )
    _in_range(f"{where}: classes", classes, scores.shape[1])
    return classes


def _in_range(what: str, classes: np.ndarray, count: int) -> None:
    if len(classes) and classes.dtype.kind not in "iu":
        raise TypeError(
            f"{what} holds {classes.dtype}, but must hold integers, the numbers of classes"
        )
    wrong = (classes < 0) | (classes >= count)
    if wrong.any():
        n = wrong.argmax()
        raise ValueError(
            f"{what}[{n}] is {classes[n]}, but there are {count} classes, so it must be from 0 to "
            f"{count - 1}"
        )
