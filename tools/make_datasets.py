"""Make the files that cnnlib.datasets ships: `python tools/make_datasets.py FOLDER`.

FOLDER has the four original files of Fashion-MNIST; the digits come with scikit-learn. The files
come out the same, byte for byte, whenever and wherever this runs.
"""

import argparse
from pathlib import Path

import numpy as np

from cnnlib import datasets
from cnnlib.datasets._fetch import read_originals
from cnnlib.datasets._packed import NAMES, write


def of_each_class(images, labels, first, last):
    """Choose the pictures numbered first to last − 1 within their class, in their present order."""
    chosen = [np.flatnonzero(labels == label)[first:last] for label in range(10)]
    chosen = np.sort(np.concatenate(chosen))
    return images[chosen], labels[chosen]


def digits():
    """Return the arrays of digits.npz."""
    import sklearn.datasets  # only the digits need it, and it is large

    original = sklearn.datasets.load_digits()
    images = original.images[:, None].astype(np.uint8)
    labels = original.target.astype(np.uint8)
    return split(of_each_class(images, labels, 0, 140), of_each_class(images, labels, 140, 174))


def fashion_mnist(originals):
    """Return the arrays of fashion_mnist.npz, from a folder with the original files."""
    full = read_originals(originals)
    return split(
        of_each_class(full["train_images"], full["train_labels"], 0, 1000),
        of_each_class(full["test_images"], full["test_labels"], 0, 200),
    )


def split(train, test):
    """Name the parts of (images, labels) for training and for testing."""
    return dict(zip(NAMES, [*train, *test], strict=True))


def main():
    """Write both files into the package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("originals", metavar="FOLDER", type=Path)
    originals = parser.parse_args().originals
    package = Path(datasets.__file__).parent
    for name, arrays in {"digits": digits(), "fashion_mnist": fashion_mnist(originals)}.items():
        path = package / f"{name}.npz"
        write(path, arrays)
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
