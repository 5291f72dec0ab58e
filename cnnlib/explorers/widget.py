"""One widget for every explorer: controls, and a picture that answers to them.

Where an explorer shows the course's own numbers, all of its pictures travel with the page, and the
browser plays them without a kernel. Where it shows yours, the kernel draws at each change, and the
pictures of the settings chosen are drawn at once, for a page without a kernel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import anywidget
import traitlets

from cnnlib import svg
from cnnlib.explorers import states
from cnnlib.svg import Picture

PLAYER, STYLE = (Path(__file__).with_name(f"player.{kind}") for kind in ("js", "css"))
# JupyterLab runs no script of a notebook that it doesn't trust. An extension that comes with this
# package renders outputs that carry this type, and takes nothing from them but data.
MEDIA_TYPE = "application/vnd.cnnlib.explorer+json"


@dataclass(frozen=True)
class Slider:
    """A control for a whole number from 0 to `last(values)`; its end may depend on the others."""

    label: str
    last: Callable[[dict], int]
    words: Callable[[dict], str] | None = None
    """From all values to what this one is called, as in "x[1, 2]". By default it is its number."""
    walk: int | None = None
    """Where a walk through its values begins. By default there is no walk."""
    sample: Callable[[dict], Sequence[int]] | None = None
    """The values that travel with a page, where all of them would be too many."""
    shown: Callable[[dict], bool] | None = None
    """Whether it is of use with these values. By default it always is."""

    def stops(self, values: dict) -> list[int]:
        """Return the values that travel with a page."""
        return list(self.sample(values) if self.sample else range(self.last(values) + 1))

    def lasting(self, whole: bool = True) -> dict:
        """Return what the browser needs at first."""
        walk = {} if self.walk is None else {"walk": self.walk}
        return {"kind": "slider", "label": self.label} | walk

    def changing(self, name: str, values: dict, stops: Sequence[int] | None = None) -> dict:
        """Return the values on offer and what they are called, which may depend on the others."""
        last = self.last(values)
        words = {}
        if self.words:
            codes = range(last + 1) if stops is None else stops
            words = {"words": [self.words(values | {name: code}) for code in codes]}
        hidden = {} if self.shown is None or self.shown(values) else {"hidden": True}
        return ({"last": last} if stops is None else {"codes": stops}) | words | hidden

    def encode(self, value: int, values: dict) -> int:
        """Return what the browser knows a value by; beyond the end means the end."""
        return min(value, self.last(values))

    def decode(self, code: int) -> int:
        """Return the value that a code from the browser stands for."""
        return int(code)


@dataclass(frozen=True)
class Choice:
    """A control for one of a few values; `options` maps the words on the screen to them."""

    label: str
    options: dict[str, object]
    sample: Sequence[str] | None = None
    """The words of those that travel with a page, where all of them would be too many."""

    def stops(self) -> list:
        """Return the values that travel with a page."""
        return [self.options[words] for words in self.sample or self.options]

    def lasting(self, whole: bool = True) -> dict:
        """Return what the browser needs at first; of what travels alone, if not of the whole."""
        offered = self.options if whole else self.sample or self.options
        return {"kind": "choice", "label": self.label, "options": list(offered)}

    def changing(self, name: str, values: dict) -> dict:
        """Return what depends on the other controls: nothing."""
        return {}

    def encode(self, value: object, values: dict) -> str:
        """Return what the browser knows a value by."""
        for words, option in self.options.items():
            if option == value:
                return words
        known = ", ".join(map(repr, self.options.values()))
        raise ValueError(f"{self.label}: {value!r} is not on offer; choose one of {known}")

    def decode(self, code: str) -> object:
        """Return the value that a code from the browser stands for."""
        return self.options[code]


@dataclass(frozen=True)
class Button:
    """A control that does something; it has no value, and its words say what it would do now."""

    words: Callable[[], str]
    press: Callable[[str], None]
    """Gets the words that the button showed, as a press may come late."""

    def lasting(self) -> dict:
        """Return what the browser needs at first."""
        return {"kind": "button"}

    def changing(self, name: str, values: dict) -> dict:
        """Return what the button says now."""
        return {"words": self.words()}


class Explorer(anywidget.AnyWidget):
    """A picture and the controls that change it.

    Parameters
    ----------
    draw : callable
        A pure function from keyword arguments to a `Picture`. Where the picture carries
        `data-pick="name=value"`, pointing there sets that argument.
    controls : dict of str to Slider, Choice or Button
        A slider or a choice for each argument, and buttons under other names.
    packed : callable, optional
        Returns some pictures to travel with the page, as `states.pack` does. By default all of them
        travel, for an explorer of this package; of the reader's own arrays, if they are few.
    values
        The arguments to start with.

    Raises
    ------
    ValueError
        If `draw` or a control refuses a value.

    Examples
    --------
    >>> from cnnlib import svg
    >>> def draw(n):
    ...     return svg.cells(range(n)).picture(f"{n} cells in a row")
    >>> Explorer(draw, {"n": Slider("Cells", lambda values: 9)}, n=3).picture
    3 cells in a row
    """

    _esm, _css = PLAYER, STYLE

    # The browser sets codes, Python answers with view. While the kernel is busy the browser holds
    # its changes back and then sends the newest alone, so pictures never queue up.
    codes = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    """By which the place on the page and this widget find each other."""

    def __init__(
        self,
        draw: Callable[..., Picture],
        controls: dict[str, Slider | Choice | Button],
        *,
        packed: Callable[[], str] | None = None,
        **values,
    ) -> None:
        super().__init__(name=uuid4().hex)
        self.picture = draw(**values)
        self._draw, self.controls = draw, controls
        sampled = any(getattr(control, "sample", None) for control in controls.values())
        self._kernel_first = sampled or packed is not None
        self._packed = packed or (lambda: states.stored(draw) or states.fresh(draw, controls))
        self.codes = self._encode(values)
        self.view = self._drawn(values, self.picture)
        self.observe(self._show, "codes")
        self.on_msg(self._answer)

    @property
    def values(self) -> dict:
        """The arguments that `draw` receives now."""
        return {name: self.controls[name].decode(code) for name, code in self.codes.items()}

    def _show(self, change) -> None:
        values = self.values
        codes = self._encode(values)
        if codes != self.codes:  # another control has moved a slider's end
            self.codes = codes
            return
        self.paint()

    def paint(self) -> None:
        """Draw the picture anew and show it, also while a cell is running."""
        values = self.values
        self.picture = self._draw(**values)
        self.view = self._drawn(values, self.picture)

    def _drawn(self, values: dict, picture: Picture) -> dict:
        """Return a picture for the browser, with what the controls say beside it."""
        # As a list: a dict arrives in the browser sorted by its keys.
        controls = [
            [name, control.lasting() | control.changing(name, values)]
            for name, control in self.controls.items()
        ]
        return {"svg": picture.svg, "controls": controls, "codes": self._encode(values)}

    def _answer(self, _, message: dict, buffers) -> None:
        """Press a button, or draw what is likely to be asked for next."""
        if "ahead" in message:
            codes = message["ahead"].items()
            values = {name: self.controls[name].decode(code) for name, code in codes}
            self.send(self._drawn(values, self._draw(**values)))
        else:
            self.controls[message["press"]].press(message["words"])
            self.paint()

    def _encode(self, values: dict) -> dict:
        return {name: self.controls[name].encode(values[name], values) for name in values}

    def _repr_mimebundle_(self, **kwargs) -> dict[str, object]:
        """Show it without the widget's own type, of which a saved notebook keeps an error alone."""
        still = self.picture._repr_mimebundle_()
        start = svg.escape(json.dumps(self.codes, ensure_ascii=False))
        packed = self._packed()
        packed = f'<script type="text/plain">{packed}</script>' if packed else ""
        first = " kernel-first" * self._kernel_first
        html = (
            f'<cnnlib-explorer name="{self.name}" codes="{start}"{first}>{still["text/html"]}'
            f"{packed}</cnnlib-explorer>{_player()}"
        )
        return {MEDIA_TYPE: {}, "text/html": html, "text/plain": still["text/plain"]}


@cache
def _player() -> str:
    style, script = (path.read_text(encoding="utf-8") for path in (STYLE, PLAYER))
    return f'<style>{style}</style><script type="module">{script}</script>'
