"""What somebody returned, in words."""

import re

import numpy as np


def describe(got, name: str) -> str:
    """What was returned, in a few words."""
    if got is None:
        return "None"
    if isinstance(got, np.ndarray):
        return (
            f"{name} of shape {got.shape}"
            if got.dtype.kind in "iuf"
            else f"an array of dtype {got.dtype}"
        )
    if isinstance(got, float | np.floating):
        return f"{type(got).__name__}: {number(got)}"
    return f"{type(got).__name__}: {shorten(repr(got))}"


def shorten(text: str, limit: int = 100) -> str:
    """The text, or its beginning."""
    text = without_addresses(
        text[: 20 * limit]
    )  # of a text without end, only the beginning is read
    return text if len(text) <= limit else text[:limit] + " …"


def without_addresses(text: str) -> str:
    """The text without what differs from run to run: where in memory an object lies.

    Examples
    --------
    >>> without_addresses("<list_reverseiterator object at 0x7f3a>")
    '<list_reverseiterator object>'
    """
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def number(value, digits: int = 6) -> str:
    """A number as a person would write it."""
    kind = np.asarray(value).dtype
    if kind.kind in "iu":
        return str(value)
    exact = 12 if digits <= 9 else 17
    if kind == np.float32 and digits <= 6:
        digits, exact = min(digits, 5), 6
    # Rounded twice, as a 5 behind the last digit shown may have been rounded up or down already.
    return f"{float(f'{value:.{exact}g}') + 0.0:.{digits}g}"  # + 0.0 makes 0 of −0


def in_a_line(plane: np.ndarray) -> str:
    """The numbers of a map in a line, its rows apart by a stroke."""
    return " / ".join(" ".join(f"{value:g}" for value in row) for row in plane)
