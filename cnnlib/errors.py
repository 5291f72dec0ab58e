"""What all errors have in common whose message is written for a user."""


class CourseError(Exception):
    """An error whose message is all that a user needs: no traceback helps them."""


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
