"""The 70,000 pictures of Fashion-MNIST, which are too many to ship: downloaded, or from a folder."""

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cnnlib.datasets._packed import DataError, read, write
from cnnlib.errors import lacking, refuse_in_browser

URL = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"

ELSEWHERE = (
    "If you have the four files in a folder, run `cnnlib data fetch --from FOLDER`. Debian's "
    "package dataset-fashion-mnist puts them in /usr/share/datasets/fashion-mnist."
)


@dataclass(frozen=True)
class Original:
    """One of the four files that Fashion-MNIST consists of.

    Two checksums, because a .gz also holds a date and a name, which Debian's package leaves out:
    the same pictures, and not the same file.

    Attributes
    ----------
    name : str
        The file's name without `.gz`.
    gz_sha256 : str
        SHA-256 of the compressed file that `URL` offers.
    sha256 : str
        SHA-256 of what is in it, however it was compressed.
    """

    name: str
    gz_sha256: str
    sha256: str


ORIGINALS = {
    "train_images": Original(
        "train-images-idx3-ubyte",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "train_labels": Original(
        "train-labels-idx1-ubyte",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "test_images": Original(
        "t10k-images-idx3-ubyte",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "test_labels": Original(
        "t10k-labels-idx1-ubyte",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}


def full_path():
    """Return where the full Fashion-MNIST is, or will be.

    Returns
    -------
    Path
        A file in the folder that the environment variable `CNNLIB_DATA` names, or else in the
        user's cache folder for cnnlib.
    """
    folder = os.environ.get("CNNLIB_DATA")
    if not folder:
        refuse_in_browser(
            "The full Fashion-MNIST lies in a cache on your disk",
            "load_fashion_mnist() has a part of it that is always there.",
        )
        folder = _pooch().os_cache("cnnlib")
    return Path(folder).expanduser() / "fashion_mnist_full.npz"


def fetch(source=None):
    """Bring the 70,000 pictures of Fashion-MNIST, for `load_fashion_mnist(full=True)`.

    Every file is checked against its checksum, and the result appears only when all four are
    right. Where it is there already, nothing is downloaded.

    Parameters
    ----------
    source : path, optional
        A folder that has the four original files, as `.gz` or uncompressed. Without it they are
        downloaded (31 MB).

    Returns
    -------
    Path
        The file made of them (34 MB): in the folder named by the environment variable
        `CNNLIB_DATA`, or else in the user's cache folder.

    Raises
    ------
    DataError
        When a file is missing, damaged or can't be downloaded, or the result can't be written.

    Examples
    --------
    >>> from cnnlib import datasets
    >>> datasets.fetch("/usr/share/datasets/fashion-mnist")  # doctest: +SKIP
    PosixPath('/home/ada/.cache/cnnlib/fashion_mnist_full.npz')
    """
    path = full_path()
    if source is not None:
        _pack(Path(source).expanduser(), path)
    elif not _is_whole(path):
        refuse_in_browser(
            "The full Fashion-MNIST is downloaded from another host",
            "load_fashion_mnist() has a part of it that is always there.",
        )
        with TemporaryDirectory() as downloads:
            _download(downloads)
            _pack(Path(downloads), path)
    return path


def _is_whole(path):
    try:
        read(path)
    except (FileNotFoundError, DataError):
        return False
    return True


def _pooch():
    try:
        import pooch
    except ModuleNotFoundError as missing:
        raise DataError(lacking(missing.name, "data")) from None
    return pooch


def _download(folder):
    registry = {f"{original.name}.gz": original.gz_sha256 for original in ORIGINALS.values()}
    files = _pooch().create(path=folder, base_url=URL, registry=registry)
    for name in registry:
        try:
            files.fetch(name)
        except (OSError, ValueError) as error:  # the network's errors; a wrong checksum
            raise DataError(
                f"{name} could not be downloaded from {URL}: {error}\nTry again later. {ELSEWHERE}"
            ) from error


def _pack(folder, path):
    arrays = read_originals(folder)
    try:
        write(path, arrays)
    except OSError as error:
        raise DataError(
            f"{path} could not be written: {error}. Set the environment variable CNNLIB_DATA to a "
            f"folder that you may write to, with 34 MB free."
        ) from error


def read_originals(folder):
    """Read the four original files of Fashion-MNIST and check that they are what they should be.

    Parameters
    ----------
    folder : Path
        Where they are, as `.gz` or uncompressed.

    Returns
    -------
    dict of str to array of uint8
        `train_images` (60000, 1, 28, 28), `train_labels` (60000,), `test_images`
        (10000, 1, 28, 28), `test_labels` (10000,).

    Raises
    ------
    DataError
        When a file is missing, can't be read, or has another content.
    """
    arrays = {name: _read_idx(folder, original) for name, original in ORIGINALS.items()}
    return {name: a[:, None] if a.ndim == 3 else a for name, a in arrays.items()}


def _read_idx(folder, original):
    compressed, plain = folder / f"{original.name}.gz", folder / original.name
    file = compressed if compressed.exists() else plain
    try:
        content = file.read_bytes()
        if file == compressed:
            content = gzip.decompress(content)
    except FileNotFoundError as error:
        raise DataError(f"{folder} has no {compressed.name}. {ELSEWHERE}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file} can't be read: {error}. {ELSEWHERE}") from error

    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != original.sha256:
        raise DataError(
            f"{file} is not Fashion-MNIST's: the SHA-256 of its content is {sha256}, expected "
            f"{original.sha256}. MNIST's files bear the same names. {ELSEWHERE}"
        )
    # IDX: two zero bytes, the type, the number of dimensions n; n sizes, big-endian; the numbers.
    n = content[3]
    shape = np.frombuffer(content, ">u4", count=n, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n).reshape(shape)
