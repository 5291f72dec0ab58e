"""The mistakes that learners make, each as a change of the right way that makes it.

A misconception is a broken layer (or function) with the sentence that tells a learner what they did
and the hint that leads on. The same object names the mistake in a failing check, proves in the
tests that the check sees it, and is the patient in the bug hunts.

>>> [wrong.__name__ for wrong in seen_by("flatten_backward")][:2]
['HandsOnFlat', 'DerivativeOfOne']
"""

from cnnlib.misconceptions.changes import (
    every,
    explained_by,
    explained_by_pairs,
    factors,
    find,
    misconception,
    named_by,
    pairs,
    seen_by,
)

__all__ = [
    "every",
    "explained_by",
    "explained_by_pairs",
    "factors",
    "find",
    "misconception",
    "named_by",
    "pairs",
    "seen_by",
]

from cnnlib.misconceptions import (  # noqa: F401  registers them
    conv,
    dense,
    fast,
    flatten,
    gradients,
    inside,
    network,
    optimizers,
    pool,
    row,
    shapes,
    training,
)
