"""Every wrong answer that the tests know, shaken: its message must not hang on the last bit of a float.

Processors, and the libraries made for them, round differently. So wherever a test lets a check judge
a wrong answer, what that answer calculated is moved by one unit in the last place, up or down, and
the check has to say the same again, word by word.
"""

import sys
from collections import defaultdict
from dataclasses import replace
from difflib import unified_diff

import numpy as np
from thorough import THOROUGH

from cnnlib import check
from cnnlib.check import engine

# One of them finds nearly everything; the second is for continuous integration, like the slow tests.
SEEDS = (1, 2) if THOROUGH else (1,)


class Shaken:
    """Stands in for `engine.attempt`: it can run the answer once, and shake the results afterwards."""

    def __init__(self):
        self.plain, self.answer, self.rng = engine.attempt, None, None
        self.seen, self.again = defaultdict(list), {}

    def __call__(self, case, thing):
        if thing is not self.answer:
            return self.plain(case, thing)
        if self.rng is None:
            outcome = self.plain(case, thing)
            self.seen[case.content].append(outcome)
            return outcome
        # What differs from run to run comes as it came, in the same order.
        earlier = self.again.setdefault(case.content, iter(self.seen.get(case.content, ())))
        outcome = next(earlier, None) or self.plain(case, thing)
        return replace(outcome, value=self.moved(outcome.value, case))

    def moved(self, value, case):
        """The result with each number that was calculated moved to one of its neighbours."""
        floats = isinstance(value, np.ndarray | float) and np.asarray(value).dtype.kind == "f"
        if not floats or not case.tolerance:
            return value
        kind, value = type(value), np.asarray(value)
        given = [np.ravel(a).astype(value.dtype) for a in case.inputs.values()]
        given = np.sort(np.concatenate([[0], *given]))
        nearest = given.take(np.searchsorted(given, value), mode="clip")
        moved = np.isfinite(value) & (nearest != value)
        way = self.rng.choice([-np.inf, np.inf], value.shape).astype(value.dtype)
        result = np.where(moved, np.nextafter(value, way), value)
        return result if kind is np.ndarray else kind(result)

    def judge(self, judged, thing):
        """What the check says of a thing; it has to say the same of the shaken one."""
        if self.answer is not None:
            return judged(thing)
        self.answer = thing
        try:
            failure = judged(thing)
            for seed in SEEDS if failure is not None else ():
                self.rng, self.again = np.random.default_rng(seed), {}
                shaken = judged(thing)
                assert str(shaken) == str(failure), "\n".join(
                    [
                        "with another last bit, another message:",
                        *unified_diff(str(failure).split("\n"), str(shaken).split("\n")),
                    ]
                )
            return failure
        finally:
            self.answer, self.rng = None, None
            self.seen.clear()


def shake():
    """From now on, let every check that compares numbers judge each wrong answer again, shaken."""
    shaken = Shaken()
    for module in list(sys.modules.values()):
        if getattr(module, "attempt", None) is shaken.plain:
            module.attempt = shaken
    for each in map(check.__dict__.get, check.__all__):
        if isinstance(each, engine.Comparison):
            judged = each.failure
            each.failure = lambda thing, judged=judged: shaken.judge(judged, thing)
