"""The reader's own arrays in an explorer: which can be shown, and what to say of the others."""

from __future__ import annotations

import numpy as np

MOST = 8  # rows or columns of a grid that can still be read


def matrix(
    who: str,
    name: str,
    array,
    axes: str = "one channel of one picture",
    most: tuple[int, int] = (MOST, MOST),
) -> np.ndarray:
    """Return an array with its leading axes of length 1 taken away, as rows and columns.

    Parameters
    ----------
    who, name : str
        The explorer and its argument, for the messages.
    array : array_like of numbers, (H, W), (1, H, W) or (1, 1, H, W)
    axes : str
        What an explorer can show of more axes.
    most : (int, int)
        How many rows and columns it can show.

    Returns
    -------
    array of int or float64, (H, W)
        A copy, so that what is shown stays what it was. Floats that are whole numbers come as int.

    Raises
    ------
    TypeError
        If the array doesn't hold real numbers.
    ValueError
        If it has other axes, is empty or too large to be read, or holds nan or inf.

    Examples
    --------
    >>> matrix("conv_backward", "x", np.ones((1, 1, 2, 3)))
    array([[1, 1, 1],
           [1, 1, 1]])
    """
    a = _numbers(who, name, array)
    rest = a.shape[:-2]
    if a.ndim < 2 or any(n != 1 for n in rest):
        part = f": give {name}[{', '.join('0' * len(rest))}]" if a.ndim > 2 else ""
        raise ValueError(
            f"{who}: {name} has shape {a.shape}, but {axes} can be shown, as rows and columns{part}"
        )
    if 0 in a.shape:
        raise ValueError(f"{who}: {name} has shape {a.shape}: there is nothing to show")
    if any(n > top for n, top in zip(a.shape[-2:], most, strict=True)):
        cut = ", ".join([*"0" * len(rest), *(f":{top}" for top in most)])
        raise ValueError(
            f"{who}: {name} has shape {a.shape}, but at most {most[0]} rows and {most[1]} columns "
            f"can be read; give a part of it, such as {name}[{cut}]"
        )
    return a.reshape(a.shape[-2:])


def maps(who: str, name: str, array) -> np.ndarray:
    """Return the maps of one sample, (C, H, W), of an array that may have a first axis of length 1.

    Examples
    --------
    >>> maps("flatten", "x", np.ones((1, 2, 3, 4))).shape
    (2, 3, 4)
    """
    a = _numbers(who, name, array)
    if a.ndim == 4 and len(a) == 1:
        a = a[0]
    if a.ndim != 3:
        part = f": give {name}[0]" if a.ndim == 4 else ""
        raise ValueError(
            f"{who}: {name} has shape {a.shape}, but the maps of one sample can be shown, "
            f"(C, H, W){part}"
        )
    return a


def row(who: str, name: str, array, length: int) -> np.ndarray:
    """Return an array of `length` numbers, such as a bias.

    Examples
    --------
    >>> row("dense", "b", [1.0, 2.5], 2)
    array([1. , 2.5])
    """
    a = _numbers(who, name, array)
    if a.shape != (length,):
        raise ValueError(f"{who}: {name} has shape {a.shape}, but must be ({length},)")
    return a


def whole(array) -> np.ndarray:
    """Return the same numbers as int, if all of them are whole.

    Examples
    --------
    >>> whole(np.array([1.0, 2.0])), whole(np.array([1.0, 2.5]))
    (array([1, 2]), array([1. , 2.5]))
    """
    a = np.asarray(array)
    small = a.dtype.kind != "f" or (np.abs(a) < 2**53).all()
    return a.astype(int) if small and (a == np.floor(a)).all() else a


def _numbers(who: str, name: str, array) -> np.ndarray:
    try:
        a = np.array(array)
    except ValueError:  # rows of different lengths
        a = np.array(array, object)
    if a.dtype.kind not in "biuf":
        raise TypeError(f"{who}: {name} holds {a.dtype}, but must hold real numbers")
    a = a.astype(float) if a.dtype.kind == "f" else a.astype(int)
    if not np.isfinite(a).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(a))[0]))
        raise ValueError(f"{who}: {name}{list(place)} is {a[place]}, and only numbers can be shown")
    return whole(a)
