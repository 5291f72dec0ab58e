"""A mistake is a small change to the right way of doing it, and two changes are two mistakes.

For each exercise there is one right way (sometimes more, where learners go about it differently),
written as a class whose methods are the places where it can go wrong. A `slip` says what stands at a
place in place of what is right, what to tell the learner, and a hint. `mistakes` makes the broken layers and
functions of it; `pairs` makes all that are broken in two places.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

_ALL: list = []
_SEEN: dict[str, list] = {}
_ALSO: dict[str, str] = {}


@dataclass(frozen=True, eq=False)
class Slip:
    """One small change.

    Parameters
    ----------
    says
        What the learner did, told to the learner.
    hint
        A question or fact that leads on, without the answer in it.
    wraps
        Classes that lie around a layer's methods: what can go wrong in every layer.
    changes
        What stands at a place, by the place's name.
    alone
        Whether it has this name where it is the only mistake. The general diagnosis says as much of a
        wrong sign, and says it in every check.
    factor
        Where it does nothing but multiply a whole result: ``factor(N)``, for a batch of N.
    """

    says: str
    hint: str
    wraps: tuple[type, ...]
    changes: dict[str, Any]
    alone: bool = True
    factor: Callable[[int], float] | None = None

    @property
    def places(self) -> set:
        return {*self.changes, *(getattr(wrap, "stands_at", wrap) for wrap in self.wraps)}

    @property
    def words(self) -> frozenset[str]:
        """What its places are called, whatever the result: ``"division"`` for that of dW and of dx."""
        return frozenset(str(place).split(" of ")[0] for place in self.places)


def slip(says: str, hint: str, *wraps: type, alone: bool = True, factor=None, **changes) -> Slip:
    """Write a mistake down; see `Slip`."""
    return Slip(says, hint, wraps, changes, alone, factor)


class Formula:
    """A right function in pieces: `__call__` puts them together. What is made of it is a function again."""


def mistakes(module: str, rights: dict[str, type | tuple[type, ...]], **slips: Slip) -> None:
    """Make each slip in every right way, and name it in its module.

    Parameters
    ----------
    module
        The `__name__` of the module in which the first of each slip can be found.
    rights
        The right ways, by the check that has to refuse and to name the mistake. The first way is the one
        in which a slip shows in any case; in others it may make no difference.
    slips
        The changes, by the mistake's name.
    """
    for name, each in slips.items():
        broken: dict[type, Any] = {}
        for check, ways in rights.items():
            first, *others = ways if isinstance(ways, tuple) else (ways,)
            for way in (first, *others):
                if way not in broken:
                    broken[way] = made(name, way, each)
                    broken[way].main = broken[first]
                _SEEN.setdefault(check, []).append(broken[way])
            broken[first].checks += (check,)
        main = [one for one in broken.values() if one.main is one]
        _ALL.extend(main if each.alone else ())
        setattr(sys.modules[module], name, main[0])


def made(name: str, way: type, *slips: Slip):
    """What goes wrong in all these ways at once."""
    changes = {place: change for each in slips for place, change in each.changes.items()}
    wraps = [wrap for each in slips for wrap in each.wraps]
    told = {
        "says": slips[0].says,
        "hint": slips[0].hint,
        "checks": (),
        "slips": slips,
        "way": way,
    }
    inner = type(name, (way,), changes)
    broken = type(name, (*wraps, inner), told | {"__module__": way.__module__})
    if issubclass(way, Formula):
        broken = broken()
        broken.__name__ = name
    broken.main = broken
    return broken


def explained_by(check: str) -> list:
    """What may explain what this check refuses: what it sees, and what the check of the same layer, done another way, sees."""
    return [*seen_by(check), *(seen_by(_ALSO[check]) if check in _ALSO else ())]


def explained_too(check: str, other: str) -> None:
    """What another check sees is a mistake in this one, too: the two layers compute the same."""
    _ALSO[check] = other


def every() -> list:
    """All mistakes, each once for every check's own right way."""
    return list(_ALL)


def seen_by(check: str) -> list:
    """What the check of this name has to refuse and to name, in the order in which it is tried.

    Where a mistake can be made in several right ways, it is there once for each; their `main` is the same.
    """
    return [broken for broken in _SEEN.get(check, ()) if broken.slips[0].alone]


def named_by(check: str) -> list:
    """The mistakes that a check calls by name, each once."""
    return [broken for broken in _ALL if check in broken.checks]


def find(check: str, name: str):
    """The mistake of this name that a check sees."""
    return next(broken for broken in _SEEN[check] if broken.__name__ == name)


@cache
def pairs(check: str) -> list:
    """Two mistakes at once: two changes of the same right way, at different places."""
    return [
        together(one, other)
        for one, other in combinations(_SEEN.get(check, ()), 2)
        if one.way is other.way
        and getattr(one.way, "combines", True)
        and not places(one) & places(other)
    ]


def explained_by_pairs(check: str) -> list:
    """Two mistakes at once that may explain what this check refuses; see `explained_by`."""
    return [*pairs(check), *(pairs(_ALSO[check]) if check in _ALSO else ())]


def places(broken) -> set:
    """The places at which it differs from what is right."""
    return set().union(*(each.places for each in broken.slips))


def factors(check: str) -> list:
    """The mistakes that only multiply a result."""
    return [broken for broken in _SEEN.get(check, ()) if broken.slips[0].factor]


COUNT = {2: "Two", 3: "Three"}


@cache
def together(*ones):
    """Two mistakes at once, or three, each of a place of its own."""
    slips = [each for one in ones for each in one.slips]
    all_of_them = made(" + ".join(one.__name__ for one in ones), ones[0].way, *slips)
    told = list(zip(("first", "second", "third"), ones, strict=False))
    all_of_them.says = " ".join(
        [
            f"{COUNT[len(ones)]} mistakes together give just what you get.",
            *(f"The {number}: {one.says}" for number, one in told),
        ]
    )
    all_of_them.hint = "\n".join(f"To the {number}: {one.hint}" for number, one in told)
    all_of_them.checks, all_of_them.all = ones[0].checks, ones
    return all_of_them


def misconception(*checks: str, says: str, hint: str) -> Callable:
    """Mark a class or function that is no change of a right way as a mistake; see `mistakes`."""

    def mark(broken):
        broken.checks, broken.says, broken.hint = checks, says, hint
        broken.slips, broken.way = (Slip(says, hint, (), {}),), broken
        broken.main = broken
        _ALL.append(broken)
        for check in checks:
            _SEEN.setdefault(check, []).append(broken)
        return broken

    return mark
