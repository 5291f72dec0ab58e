"""The mistakes that learners make, each as code that makes it.

A misconception is a broken layer (or function) with the sentence that tells a learner what they did
and the hint that leads on. The same object names the mistake in a failing check, proves in the
tests that the check sees it, and is the patient in the bug hunts.

>>> [wrong.__name__ for wrong in seen_by("flatten_backward")][:2]
['HandsOnFlat', 'DerivativeOfOne']
"""

from collections.abc import Callable

_ALL: list = []


def misconception(*checks: str, says: str, hint: str) -> Callable:
    """Mark a class or function as a misconception, and say which checks have to name it.

    Parameters
    ----------
    checks
        Names of the functions in `cnnlib.check` that see this mistake.
    says
        What the learner did, told to the learner.
    hint
        A question or fact that leads on, without the answer in it.
    """

    def mark(broken):
        broken.checks, broken.says, broken.hint = checks, says, hint
        _ALL.append(broken)
        return broken

    return mark


def every() -> list:
    """All misconceptions, in the order in which they are tried."""
    return list(_ALL)


def seen_by(check: str) -> list:
    """The misconceptions that the check of this name has to reject and to name."""
    return [broken for broken in _ALL if check in broken.checks]


from cnnlib.misconceptions import (  # noqa: E402, F401  registers them
    conv,
    dense,
    fast,
    flatten,
    gradients,
    inside,
    network,
    optimizers,
    pool,
    shapes,
    training,
)
