"""One widget for every explorer: controls, and a picture that Python draws anew at each change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anywidget
import traitlets

from cnnlib.svg import Picture


@dataclass(frozen=True)
class Slider:
    """A control for a whole number from 0 to `last(values)`; its end may depend on the others."""

    label: str
    last: Callable[[dict], int]

    def spec(self, values: dict) -> dict:
        """Return what the browser needs to draw the control."""
        return {"kind": "slider", "label": self.label, "last": self.last(values)}

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

    def spec(self, values: dict) -> dict:
        """Return what the browser needs to draw the control."""
        return {"kind": "choice", "label": self.label, "options": list(self.options)}

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

    def spec(self, values: dict) -> dict:
        """Return what the browser needs to draw the control."""
        return {"kind": "button", "words": self.words()}


class Explorer(anywidget.AnyWidget):
    """A picture and the controls that change it.

    A saved notebook keeps the picture too, with its alternative text, where no kernel runs.

    Parameters
    ----------
    draw : callable
        A pure function from keyword arguments to a `Picture`. Where the picture carries
        `data-pick="name=value"`, pointing there sets that argument.
    controls : dict of str to Slider, Choice or Button
        A slider or a choice for each argument, and buttons under other names.
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

    _esm = Path(__file__).with_name("widget.js")
    _css = Path(__file__).with_name("widget.css")

    # The browser sets codes, Python answers with view. While the kernel is busy the browser holds
    # its changes back and then sends the newest alone, so pictures never queue up.
    codes = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self, draw: Callable[..., Picture], controls: dict[str, Slider | Choice | Button], **values
    ) -> None:
        super().__init__()
        self.picture = draw(**values)
        self._draw, self._controls = draw, controls
        self.codes = self._encode(values)
        self.on_msg(self._press)

    @property
    def values(self) -> dict:
        """The arguments that `draw` receives now."""
        return {name: self._controls[name].decode(code) for name, code in self.codes.items()}

    @traitlets.observe("codes")
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
        self.view = {
            "svg": self.picture.svg,
            "alt": self.picture.alt,
            "controls": {name: c.spec(values) for name, c in self._controls.items()},
        }

    def _press(self, _, message: dict, buffers) -> None:
        self._controls[message["press"]].press(message["words"])
        self.paint()

    def _encode(self, values: dict) -> dict:
        return {name: self._controls[name].encode(values[name], values) for name in values}

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        bundle, metadata = super()._repr_mimebundle_(**kwargs)
        return bundle | self.picture._repr_mimebundle_(), metadata
