"""Of thousands of misconceptions, those that may be what somebody did: one look at all of them at once.

Nearly all differ from it in the first case already, and that shows in a result's sum. To find that out
for one after the other takes much longer than to compare all their sums, shapes and largest numbers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import count

import numpy as np

AT_ONCE = 8
"""So few are looked at together, as the one that is looked for may be among the first and running them takes long."""

RIGHT, STOPPED, CHANGED, WRONG = range(4)
LOOK = np.dtype(
    [
        ("met", bool),
        ("state", np.int8),
        ("telling", bool),
        ("shape", np.int64),
        ("finite", np.int64),
        ("total", float),
        ("largest", float),
    ]
)


def roughly_equal(one, other, tolerance: float):
    """Whether two gists may be of results that agree: most don't, and it shows in their sums already.

    Parameters
    ----------
    one, other
        For each, a result's shape, how many of its numbers are finite, their sum and the largest of
        them; or arrays of them, with a number for each shape.
    tolerance
        Relative to the largest number.
    """
    shape, finite, total, largest = one
    its_shape, its_finite, its_total, its_largest = other
    with np.errstate(invalid="ignore", over="ignore"):
        room = finite * tolerance * np.maximum(np.maximum(largest, its_largest), 1e-3)
        near = np.abs(total - its_total) <= room
    return (shape == its_shape) & (finite == its_finite) & near


class Suspects:
    """Misconceptions, and how what each gives looks in the cases in which it has been run.

    Parameters
    ----------
    candidates
        The misconceptions, in the order in which they are tried.
    tried
        ``tried(trials, misconception)`` gives its trials in the same cases.
    tolerance
        How far apart two results may be at least, relative to their largest number.
    single
        Where the candidates are pairs: the suspects that they are pairs of.
    """

    def __init__(
        self,
        candidates: Iterable,
        tried: Callable,
        tolerance: float,
        single: "Suspects | None" = None,
    ):
        self.candidates, self.tried, self.tolerance = list(candidates), tried, tolerance
        self.single, self.number = single, {each: k for k, each in enumerate(self.candidates)}
        first = {}
        self.first = [first.setdefault(each.slips, each) for each in self.candidates]
        self.looks = defaultdict(lambda: np.zeros(len(self.candidates), LOOK))
        self.shapes = defaultdict(count().__next__)

    def like(self, trials: list, or_stopped: bool = False) -> Iterator:
        """Those that don't differ at first sight; with `or_stopped`, they may also stop in each case."""
        # Once both have changed an input, later numbers depend on how far.
        telling = [] if any(t.outcome.changed for t in trials) else trials
        telling = [t for t in telling if t.case.closest is None]
        # First what is known already: the others need not be run on all of them.
        telling.sort(key=lambda trial: -self.looks[trial.case]["met"].sum())
        left = np.arange(len(self.candidates))
        for trial in telling:
            left = left[self._may_fit(trial, left, or_stopped)]
        for first in range(0, len(left), AT_ONCE):
            some = left[first : first + AT_ONCE]
            for trial in telling:
                if self._meet(trial, some):
                    some = some[self._may_fit(trial, some, or_stopped)]
            yield from (self.candidates[k] for k in some)

    def _meet(self, trial, some: np.ndarray) -> bool:
        """Run those that haven't been run in a case, and say whether there were any."""
        looks = self.looks[trial.case]
        new = some[~looks["met"][some]]
        for k in new:
            first = self.number[self.first[k]]
            if looks["met"][first] and self._no_other_way(trial, k):
                looks[k] = looks[first]
            else:
                [theirs] = self.tried([trial], self.candidates[k])
                looks[k] = self._look(theirs)
        return bool(new.size)

    def _no_other_way(self, trial, k: int) -> bool:
        """Whether each of two mistakes looks the same, made in the right way of this pair and in the first one.

        Then the two together do so, too, as far as one can see without running them.
        """
        if self.single is None or self.first[k] is self.candidates[k]:
            return False
        looks, number = self.single.looks[trial.case], self.single.number
        for mine, others in zip(self.candidates[k].all, self.first[k].all, strict=True):
            if not {mine, others} <= number.keys():  # it has no name where it is alone
                return False
            one, other = looks[number[mine]], looks[number[others]]
            if not one["met"] or one != other:
                return False
        return True

    def _may_fit(self, trial, some: np.ndarray, or_stopped: bool) -> np.ndarray:
        """For each of some, whether it gives what is like this outcome, as far as one knows."""
        theirs, mine = self.looks[trial.case][some], np.array(self._look(trial), LOOK)
        fits = theirs["state"] == mine["state"]
        if mine["state"] == WRONG and mine["telling"]:
            gist = ("shape", "finite", "total", "largest")
            tolerance = max(trial.case.tolerance, self.tolerance)
            near = roughly_equal(*([of[name] for name in gist] for of in (mine, theirs)), tolerance)
            fits &= near | ~theirs["telling"]
        elif mine["state"] == WRONG:
            fits &= ~theirs["telling"]
        if or_stopped:
            fits |= theirs["state"] == STOPPED
        return fits | ~theirs["met"]

    def _look(self, trial) -> tuple:
        if trial.right:
            return True, RIGHT, False, 0, 0, 0.0, 0.0
        if trial.nothing:
            return True, STOPPED, False, 0, 0, 0.0, 0.0
        state = CHANGED if trial.outcome.changed else WRONG
        if trial.gist is None:
            return True, state, False, 0, 0, 0.0, 0.0
        shape, *numbers = trial.gist
        return True, state, True, self.shapes[shape], *numbers
