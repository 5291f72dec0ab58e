"""All pictures of an explorer, packed to travel with a page, so that no kernel has to draw them."""

from __future__ import annotations

import base64
import itertools
import json
import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from cnnlib.svg import Picture

FOLDER = Path(__file__).with_name("states")
FEW = 400
"""So many pictures are drawn and packed within about a second."""


def pack(draw: Callable[..., Picture], controls: Mapping) -> str:
    """Return every picture that the controls lead to, packed.

    Neighbours differ in few places, so a picture is cut at its tags, and each state is the list of
    pieces that differ from the state before.

    Parameters
    ----------
    draw : callable
        A pure function from keyword arguments to a `Picture`.
    controls : mapping of str to Slider or Choice
        One for each argument.

    Returns
    -------
    str
        JSON, deflated, in base64: ``controls`` (what the browser needs to draw them), ``blocks``
        (for each combination of choices, the stops of the sliders), ``pieces``, and ``changes``
        (for each state [1, steps forward, piece, steps forward, piece, …], or [0, all its pieces]).

    Examples
    --------
    >>> from cnnlib import svg
    >>> from cnnlib.explorers.widget import Slider
    >>> def row(n):
    ...     return svg.cells(range(n + 1)).picture(f"{n + 1} cells")
    >>> states = pack(row, {"n": Slider("Cells", lambda values: 2)})
    >>> [picture.count("<text") for picture in pictures(states)]
    [1, 2, 3]
    """
    choices, sliders = _kinds(controls)
    pieces = defaultdict(itertools.count().__next__)  # a new one gets the next number
    blocks, changes, before = [], [], []
    for chosen, stops in _blocks(choices, sliders):
        start = chosen | {name: codes[0] for name, codes in stops.items()}
        blocks.append({name: s.changing(name, start, stops[name]) for name, s in sliders.items()})
        for places in itertools.product(*stops.values()):
            picture = draw(**chosen, **dict(zip(stops, places, strict=True)))
            now = [pieces[piece] for piece in picture.svg.split("<")[1:]]
            changes.append(_change(before, now))
            before = now
    parts = {
        "controls": [
            [name, c.lasting(whole=False)]
            for name, c in controls.items()
            if name in choices | sliders
        ],
        "blocks": blocks,
        "pieces": [f"<{piece}" for piece in pieces],
        "changes": changes,
    }
    return packed(parts)


def _kinds(controls: Mapping) -> tuple[dict, dict]:
    """Return the choices and the sliders; a button has no state."""
    choices = {name: c for name, c in controls.items() if hasattr(c, "options")}
    return choices, {name: c for name, c in controls.items() if hasattr(c, "last")}


def _blocks(choices: Mapping, sliders: Mapping) -> Iterator[tuple[dict, dict]]:
    """Every combination of choices, and the stops that the sliders have with it."""
    for values in itertools.product(*(choice.stops() for choice in choices.values())):
        chosen = dict(zip(choices, values, strict=True))
        yield chosen, {name: slider.stops(chosen) for name, slider in sliders.items()}


def packed(parts: dict) -> str:
    """Return the parts as one string that a page can carry."""
    data = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(data, 9)).decode()


def unpack(states: str) -> dict:
    """Return the parts again."""
    return json.loads(zlib.decompress(base64.b64decode(states)))


def pictures(states: str) -> Iterator[str]:
    """Return the SVG of every state, one after the other, as the browser puts it together."""
    parts, state = unpack(states), []
    for kept, *rest in parts["changes"]:
        if kept:
            places = itertools.accumulate(rest[::2])
            for place, piece in zip(places, rest[1::2], strict=True):
                state[place] = piece
        else:
            state = rest
        yield "".join(parts["pieces"][piece] for piece in state)


def _change(before: list[int], now: list[int]) -> list[int]:
    if len(before) != len(now):
        return [0, *now]
    change, last = [1], 0
    for place, (old, new) in enumerate(zip(before, now, strict=True)):
        if old != new:
            change += [place - last, new]
            last = place
    return change if len(change) <= len(now) else [0, *now]


def file_of(draw: Callable) -> Path | None:
    """Return where the states of an explorer of this package lie; None for what a learner gave."""
    package, _, module = getattr(draw, "__module__", "").rpartition(".")
    if package != __package__ or not hasattr(draw, "__name__"):
        return None
    return FOLDER / f"{module}-{draw.__name__}.txt"


def fresh(draw: Callable[..., Picture], controls: Mapping) -> str | None:
    """Return every picture of an explorer of the reader's own arrays, drawn now; None if many.

    Examples
    --------
    >>> from cnnlib import explorers
    >>> from cnnlib.explorers.widget import Slider
    >>> draw = partial(explorers.dense.draw, x=[[1, 2]], W=[[1, 2, 3], [4, 5, 6]])
    >>> len(list(pictures(fresh(draw, {"position": Slider("Product", lambda values: 5)}))))
    6
    """
    if not isinstance(draw, partial) or file_of(draw.func) is None:
        return None
    count = sum(math.prod(map(len, stops.values())) for _, stops in _blocks(*_kinds(controls)))
    return pack(draw, controls) if count <= FEW else None


def stored(draw: Callable) -> str | None:
    """Return the packed states of an explorer of this package, or None.

    Examples
    --------
    >>> from cnnlib import explorers
    >>> len(list(pictures(stored(explorers.dense.draw))))
    72
    """
    path = file_of(draw)
    return path.read_text() if path and path.exists() else None
