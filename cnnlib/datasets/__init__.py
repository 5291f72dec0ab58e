"""The course's pictures: handwritten digits (8×8) and Fashion-MNIST (28×28), both shipped.

`README.md` beside this file says where they come from, under which license, and which were chosen;
`tools/make_datasets.py` made the files and makes them again, byte for byte.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnlib.datasets._fetch import fetch, full_path
from cnnlib.datasets._packed import DataError, read

__all__ = ["DataError", "Dataset", "fetch", "load_digits", "load_fashion_mnist"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Pictures with their labels, as loaded anew by each call: yours to change.

    Attributes
    ----------
    name : str
    train_images, test_images : array of uint8, shape (N, 1, H, W)
        Grey values from 0, the background, to `max_value`. C = 1, so they fit a convolution.
    train_labels, test_labels : array of int64, shape (N,)
        The class of each picture, an index into `class_names`.
    class_names : tuple of str
    max_value : int
        The greatest value a pixel can have; divide by it to get 0 to 1.
    source, license : str
        Where the pictures come from, and the terms on which they may be used.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    max_value: int
    source: str
    license: str

    def __repr__(self):
        n_train, *shape = self.train_images.shape
        return (
            f"<Dataset {self.name}: {n_train} pictures to train on, {len(self.test_images)} to "
            f"test, each {tuple(shape)} with values 0..{self.max_value}, "
            f"{len(self.class_names)} classes>"
        )


def load_digits():
    """Load 1,740 handwritten digits, 8×8 pixels, values 0 to 16.

    Of each class the first 140 are for training and the next 34 for testing, in their original
    order; so every class is equally frequent.

    Returns
    -------
    Dataset
        `train_images` is (1400, 1, 8, 8), `test_images` (340, 1, 8, 8).

    Examples
    --------
    >>> from cnnlib import datasets
    >>> data = datasets.load_digits()
    >>> data
    <Dataset digits: 1400 pictures to train on, 340 to test, each (1, 8, 8) with values 0..16, \
10 classes>
    >>> x = data.train_images / 16
    >>> x.shape, float(x.max())
    ((1400, 1, 8, 8), 1.0)
    >>> data.train_labels[:5]
    array([0, 1, 2, 3, 4])
    """
    return Dataset(
        name="digits",
        **_images_and_labels(read(_HERE / "digits.npz")),
        class_names=tuple("0123456789"),
        max_value=16,
        source=(
            "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (1998), "
            "UCI Machine Learning Repository, https://doi.org/10.24432/C50P49; "
            "scikit-learn's copy of its test set"
        ),
        license="CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    )


def load_fashion_mnist(*, full=False):
    """Load Fashion-MNIST: pictures of clothes, 28×28 pixels, values 0 to 255.

    Shipped are the first 1,000 of each class of the training set and the first 200 of each class
    of the test set, in their original order; so every class is equally frequent.

    Parameters
    ----------
    full : bool
        Load all 70,000 pictures, which `cnnlib data fetch` brings, in place of the shipped 12,000.

    Returns
    -------
    Dataset
        `train_images` is (10000, 1, 28, 28), `test_images` (2000, 1, 28, 28);
        with `full`, (60000, 1, 28, 28) and (10000, 1, 28, 28).

    Raises
    ------
    DataError
        With `full`, when the pictures have not been fetched yet, or the fetched file is damaged.

    Examples
    --------
    >>> from cnnlib import datasets
    >>> data = datasets.load_fashion_mnist()
    >>> data.train_images.shape
    (10000, 1, 28, 28)
    >>> data.class_names[data.train_labels[0]]
    'Ankle boot'
    """
    return Dataset(
        name="Fashion-MNIST" if full else "Fashion-MNIST (a balanced part)",
        **_images_and_labels(_read_full() if full else read(_HERE / "fashion_mnist.npz")),
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        max_value=255,
        source=(
            "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST (2017), Zalando SE, "
            "https://github.com/zalandoresearch/fashion-mnist"
        ),
        license="MIT, © 2017 Zalando SE, https://tech.zalando.com",
    )


def _read_full():
    path = full_path()
    try:
        return read(path)
    except FileNotFoundError:
        problem = f"The full Fashion-MNIST is not here yet: {path} is missing"
    except DataError as error:
        problem = str(error)
    raise DataError(
        f"{problem}. Run `cnnlib data fetch`; or use the part that is shipped, "
        "`load_fashion_mnist()`."
    )


def _images_and_labels(arrays):
    # A byte is enough to keep a label; as an index or in arithmetic it would overflow.
    return {name: a.astype(np.int64) if a.ndim == 1 else a for name, a in arrays.items()}
