"""What somebody returned, in words."""

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
    return f"{type(got).__name__}: {shorten(repr(got))}"


def shorten(text: str, limit: int = 100) -> str:
    """The text, or its beginning."""
    return text if len(text) <= limit else text[:limit] + " …"
