"""With which sizes alone somebody's code is right: those that are written into it as numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cnnlib.check.diagnosis import Finding

HINT = "What in your code has this size: a number that is written down, or the name of something else that happens to be as large? Which name has the right value for any size?"


@dataclass(frozen=True)
class Size:
    """A size of a case: in words; and if it counts pictures or the like, by which letter, and how many."""

    words: str
    letter: str = ""
    count: int = 0
    of_windows: bool = False


def right_with_one_size_only(result: str, right: list, wrong: list) -> tuple | None:
    """Say with which size each case comes out right, and hardly one without.

    Parameters
    ----------
    result
        What comes out, such as ``"dx"``.
    right, wrong
        Cases, with their `inputs` and `run`.

    Returns
    -------
    tuple or None
        What to say, the sizes, and the right cases of these sizes.
    """
    of_right, of_wrong = ([set(sizes(case)) for case in cases] for cases in (right, wrong))
    known = dict.fromkeys(size for case in right for size in sizes(case))
    for some in [*combinations(known, 1), *combinations(known, 2)]:
        windows = [size for size in some if size.of_windows]
        # Two counts that are right together may be equal by chance; so may a stride and a padding.
        if len(some) == 2 and (len(windows) != 1 or any(size.letter for size in some)):
            continue
        if not windows and any(size.words in USUAL for size in some):
            continue
        fits = [case for case, its in zip(right, of_right, strict=True) if its >= set(some)]
        # What a single case has is too much to choose from; and a window may be right by chance.
        if len(fits) < 2 or len(wrong) < 3 or len(right) - len(fits) > bool(windows):
            continue
        if any(its >= set(some) for its in of_wrong):
            continue
        words, others = " and ".join(s.words for s in some), len(right) - len(fits) + len(wrong)
        says = f"Your {result.removeprefix('the ')} is right with {words} only."
        if len(fits) < len(right):
            says = f"Your {result.removeprefix('the ')} is right with {words}; in {len(wrong)} of {others} other cases it isn't."
        return Finding(says, HINT), some, fits
    return None


USUAL = ("padding 0", "stride 1", "a step of 1")
"""What leaves something out is right with these; nothing needs to be written in."""


def says_a_size(finding) -> bool:
    """Whether this is such a finding."""
    return getattr(finding, "hint", "") == HINT


def sizes(case) -> Iterator[Size]:
    """The sizes of a case: those of windows and steps first, then those of arrays."""
    settings = getattr(case.run, "settings", {})
    settings = settings.get("settings", settings)
    W, x = (case.inputs.get(name, np.empty(0)) for name in ("W", "x"))
    if "kernel_size" in settings:
        KH, KW = np.broadcast_to(settings["kernel_size"], 2)
        SH, SW = np.broadcast_to(settings.get("stride", (KH, KW)), 2)
        if KH * KW > 1:
            yield Size(f"windows of {KH}×{KW}", of_windows=True)
            if (KH, KW) == (SH, SW):
                yield Size(f"windows of {KH}×{KW} side by side", of_windows=True)
        yield Size(f"a step of {SH}")
    elif W.ndim == 4:
        if W[0, 0].size > 1:
            yield Size(f"kernels of {W.shape[2]}×{W.shape[3]}", of_windows=True)
        yield Size(f"stride {settings.get('stride', 1)}")
        yield Size(f"padding {settings.get('padding', 0)}")
    elif x.ndim == 4:
        yield Size(f"maps of {x.shape[2]}×{x.shape[3]}")
    for name, letters in axes(case).items():
        for letter, count in zip(letters, case.inputs[name].shape, strict=False):
            # What is right for one alone has left out an index or a sum, and holds no number.
            if count > 1:
                yield Size(COUNTED[letter].format(count), letter, count)


COUNTED = {
    "N": "batches of {}",
    "C": "{} channels",
    "F": "{} filters",
    "D": "{} inputs",
    "K": "{} outputs",
}


def axes(case) -> dict[str, str]:
    """What the first axes of the inputs count, by the letters; other batches are left out."""
    W, x = (case.inputs.get(name, np.empty(0)) for name in ("W", "x"))
    known = {"x": "NC" if x.ndim == 4 else "N", "dy": "N"}
    if W.ndim == 4:
        known = {"x": "NC", "W": "FC", "b": "F", "dy": "NF"}
    if W.ndim == 2:
        known = {"x": "ND", "W": "DK", "b": "K", "dy": "NK"}
    if "logits" in case.inputs:
        known = {"logits": "N", "labels": "N"}
    return {name: known[name] for name in case.inputs if name in known}


def with_count(case, size: Size) -> dict[str, np.ndarray]:
    """The inputs of a case with another count: some of what there is, or all of it and some again."""
    changed = dict(case.inputs)
    for name, letters in axes(case).items():
        for axis, letter in enumerate(letters):
            if letter == size.letter:
                changed[name] = changed[name].take(range(size.count), axis, mode="wrap")
    return changed
