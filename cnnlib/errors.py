"""What all errors have in common whose message is written for a user."""

import sys


class CourseError(Exception):
    """An error whose message is all that a user needs: no traceback helps them."""


def refuse_in_browser(what: str, instead: str) -> None:
    """Raise a `CourseError` where Python runs in a browser, which can't do everything.

    Parameters
    ----------
    what : str
        What is asked for, and what it needs that a browser doesn't have.
    instead : str
        What to do there, or where it works.

    Raises
    ------
    CourseError
        In a browser, such as in JupyterLite.

    Examples
    --------
    >>> refuse_in_browser("cnnlib grade starts processes", "Grade on a computer of your own.")
    """
    if sys.platform == "emscripten":
        raise CourseError(f"{what}, which a browser can't do. {instead}")


def lacking(module: str, extra: str) -> str:
    """Say that something isn't installed, and what installs it.

    Parameters
    ----------
    module : str
        What could not be imported.
    extra : str
        The extra of this package that brings it.

    Examples
    --------
    >>> lacking("pooch", "data")
    "This needs pooch, which is not installed. Install it: python -m pip install 'cnnlib[data]'"
    """
    return (
        f"This needs {module.partition('.')[0]}, which is not installed. "
        f"Install it: python -m pip install 'cnnlib[{extra}]'"
    )
