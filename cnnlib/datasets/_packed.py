"""The file in which pictures are kept: small, quick to read, and the same bytes on every machine.

Half of all pixels are 0. So an array is kept as its shape, one bit for each number (is it 0?) and
the numbers that are not. That is nearly as small as deflate makes it, but deflate's bytes differ
from one build of zlib to the next; these don't, and what made a file can make it again. The parts
lie in an .npz, a zip of .npy files, whose checksums tell a damaged file from a whole one.
"""

import os
import zipfile
from io import BytesIO

import numpy as np

from cnnlib.errors import CourseError

NAMES = ("train_images", "train_labels", "test_images", "test_labels")


class DataError(CourseError):
    """Pictures are missing, damaged or can't be had; the message says what to do."""


def write(path, arrays):
    """Write arrays to a file, all or nothing.

    Parameters
    ----------
    path : Path
        The file; its folder is made when missing. A file already there stays until the new one
        is whole.
    arrays : dict of str to array of uint8
        One for each of `NAMES`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(unfinished, "w") as file:
            for name in NAMES:
                array = arrays[name]
                _add(file, f"{name}.shape", np.array(array.shape, "<i4"))
                _add(file, f"{name}.mask", np.packbits(array != 0))
                _add(file, f"{name}.values", array[array != 0])
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _add(file, name, array):
    # A ZipInfo made by hand bears a fixed date; the system would otherwise be that of the writer.
    member = zipfile.ZipInfo(f"{name}.npy")
    member.create_system = 3
    with file.open(member, "w") as stream:
        np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)


def read(path):
    """Read what `write` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to array of uint8
        One for each of `NAMES`.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    DataError
        When the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "small.npz"
    ...     write(path, dict.fromkeys(NAMES, np.array([[0, 7], [9, 0]], np.uint8)))
    ...     read(path)["test_labels"]
    array([[0, 7],
           [9, 0]], dtype=uint8)
    """
    content = path.read_bytes()
    try:
        with np.load(BytesIO(content)) as file:
            return {name: _unpacked(file, name) for name in NAMES}
    except Exception as error:  # damage can surface anywhere in zipfile and NumPy
        raise DataError(f"{path} is damaged ({error})") from error


def _unpacked(file, name):
    shape = file[f"{name}.shape"]
    array = np.zeros(np.prod(shape), np.uint8)
    mask = np.unpackbits(file[f"{name}.mask"], count=array.size).view(bool)
    array[mask] = file[f"{name}.values"]
    return array.reshape(shape)
