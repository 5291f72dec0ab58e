"""With which sizes alone somebody's code is right: those that are written into it as numbers."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from cnnlib.check.diagnosis import Finding

HINT = "Which number in your code is such a size, written down? Under which name could it have any size?"


def right_with_one_size_only(result: str, right: list, wrong: list) -> tuple[Finding, list] | None:
    """Say with which size, or which two, each case comes out right, and hardly one without.

    Parameters
    ----------
    result
        What comes out, such as ``"dx"``.
    right, wrong
        Cases, with their `inputs` and `run`.

    Returns
    -------
    tuple or None
        What to say, and the right cases of that size.
    """
    of_right, of_wrong = ([set(sizes(case)) for case in cases] for cases in (right, wrong))
    known = dict.fromkeys(size for case in right for size in sizes(case))
    for count in (1, 2):
        for some in combinations(known, count):
            fits = [case for case, its in zip(right, of_right, strict=True) if its >= set(some)]
            # What a single case has is too much to choose from; and one may be right by chance.
            if len(fits) < 2 or len(wrong) < 3 or len(right) - len(fits) > 1:
                continue
            if any(its >= set(some) for its in of_wrong):
                continue
            words, others = " and ".join(some), len(right) - len(fits) + len(wrong)
            says = f"Your {result} is right with {words} only."
            if len(fits) < len(right):
                says = f"Your {result} is right with {words}; in {len(wrong)} of {others} other cases it isn't."
            return Finding(says, HINT), fits
    return None


def says_a_size(finding) -> bool:
    """Whether this is such a finding."""
    return getattr(finding, "hint", "") == HINT


def sizes(case) -> Iterator[str]:
    """The sizes of a case in words: those of windows and steps first, then those of arrays."""
    settings = getattr(case.run, "settings", {})
    settings = settings.get("settings", settings)
    W, x, logits = (case.inputs.get(name, np.empty(0)) for name in ("W", "x", "logits"))
    if "kernel_size" in settings:
        KH, KW = np.broadcast_to(settings["kernel_size"], 2)
        SH, SW = np.broadcast_to(settings.get("stride", (KH, KW)), 2)
        yield from _several(KH * KW, f"windows of {KH}×{KW}")
        if (KH, KW) == (SH, SW):
            yield f"windows of {KH}×{KW} side by side"
        yield f"a step of {SH}"
    elif "stride" in settings:
        if W.ndim == 4:
            yield from _several(W[0, 0].size, f"kernels of {W.shape[2]}×{W.shape[3]}")
        yield f"stride {settings['stride']}"
        yield f"padding {settings['padding']}"
    elif x.ndim == 4:
        yield f"maps of {x.shape[2]}×{x.shape[3]}"
    if x.ndim == 4:
        yield from _several(x.shape[1], "{} channels")
    yield from _several(len(x) or len(logits), "batches of {}")
    if W.ndim == 4:
        yield from _several(len(W), "{} filters")
    if W.ndim == x.ndim == 2:
        yield from _several(W.shape[0], "{} inputs")
        yield from _several(W.shape[1], "{} outputs")
    if logits.ndim == 2:
        yield from _several(logits.shape[1], "{} classes")


def _several(count: int, words: str) -> list[str]:
    """What is right for one alone has left out an index or a sum, and holds no number."""
    return [words.format(count)] if count > 1 else []
