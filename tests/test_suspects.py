"""Which misconceptions are looked at more closely: never fewer than those that are alike."""

import pytest

from cnnlib import check, misconceptions
from cnnlib.check.engine import COARSE, alike, tried
from cnnlib.check.suspects import Suspects

CHECKS = [check.flatten_backward, check.conv_dW, check.sequential_backward]


@pytest.mark.sampled
@pytest.mark.parametrize("c", CHECKS, ids=lambda c: c.name)
def test_whoever_is_alike_is_among_them_whatever_is_known_before(c):
    wrong = misconceptions.seen_by(c.name)
    suspects, told = Suspects(wrong, tried, COARSE), {}
    for _ in range(2):  # at first nothing is known, then everything
        for thing in wrong:
            trials = c.trials(thing)
            found = list(suspects.like(trials))
            assert found == [b for b in wrong if b in found]  # in their order
            assert {b for b in wrong if alike(trials, tried(trials, b), True)} <= {*found}
            assert told.setdefault(thing, found) == found


@pytest.mark.slow
def test_nearly_all_others_are_left_out():
    c = check.conv_dx
    pairs = Suspects(misconceptions.pairs(c.name), tried, COARSE)
    trials = c.trials(pairs.candidates[0])
    assert pairs.candidates[0] in (found := list(pairs.like(trials)))
    assert len(found) < 5 < 500 < len(pairs.candidates)


def test_code_that_stops_elsewhere_may_be_alike_nevertheless():
    c = check.conv_dx
    [first, *_] = [t for t in c.trials(misconceptions.conv.OverwritesOverlaps) if not t.right]
    suspects = Suspects(misconceptions.seen_by(c.name), tried, COARSE)
    stop = [b for b in suspects.candidates for t in tried([first], b) if t.outcome.error]
    assert stop and not {*stop} & {*suspects.like([first])}
    assert {*stop} <= {*suspects.like([first], or_stopped=True)}
