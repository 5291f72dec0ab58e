"""What a failing check says, and how it looks in a notebook."""

import html
import re
import textwrap
from functools import cached_property

WIDTH = 88
# Bold in the colour of the page: red on JupyterLab's dark red can't be read.
BOLD, RESET = "\033[1m", "\033[0m"


class Failed(Exception):
    """A check found something wrong; `str` of it is the whole message.

    Parameters
    ----------
    title
        What was checked, such as ``"Flatten.backward"``.
    says
        What is wrong. Its first sentence becomes the headline, the others explain it.
    facts
        Labelled texts such as ``{"expected": "1", "got": "5"}``, in the order in which they are
        shown.
    draw
        Makes "target | yours", which is shown below the headline in a notebook, or None.
    """

    sign, joint = "✗", ": "
    _shown = False
    misconception = None
    """The misconception that names the mistake, where there is one."""
    lines: tuple[int, ...] = ()
    """The numbers of the lines in the learner's cell that the message points to."""

    def __init__(self, title: str, says: str, facts: dict[str, str] | None = None, draw=None):
        self.title, self.says, self.facts, self.draw = title, says, facts or {}, draw
        super().__init__("\n".join(self._lines()))

    @cached_property
    def picture(self):
        """What `draw` makes, once somebody looks."""
        return self.draw and self.draw()

    def pointing_at(self, clues) -> "Failed":
        """The same failure, with lines of the learner's own code to look at, before the hint."""
        if clues:
            asked = {}  # by the line, which stands there once for all that is asked about it
            for clue in clues:
                asked.setdefault(f"line {clue.line}: {clue.code}", []).append(clue.asks)
            told = [part for line, asks in asked.items() for part in (line, *asks) if part]
            self.lines = tuple(dict.fromkeys(clue.line for clue in clues))
            return self.telling({"look at": "\n".join(told)})
        return self

    def telling(self, facts: dict[str, str]) -> "Failed":
        """The same failure, with more facts, before the hint."""
        hint = {"hint": self.facts["hint"]} if "hint" in self.facts else {}
        others = {k: v for k, v in self.facts.items() if k != "hint"}
        self.facts = others | facts | hint
        self.args = ("\n".join(self._lines()),)
        return self

    def _lines(
        self, headline_colour: str = "", label_colour: str = "", reset: str = ""
    ) -> list[str]:
        headline, *explanation = re.split(r"(?<=[.?!]) ", self.says, maxsplit=1)
        headline = f"{self.sign} {self.title}{self.joint}{headline}"
        lines = [headline_colour + headline + reset]  # whole: a list of results shows it alone
        for paragraph in explanation:
            lines += _wrap(paragraph, "  ", "  ")
        column = 4 + max(map(len, self.facts), default=0)
        if self.facts:
            lines.append("")
        for label, text in self.facts.items():
            first, *more = text.split("\n")
            label = f"  {label}".ljust(column)
            first, *rest = _wrap(first, label, " " * column)
            lines.append(label_colour + label + reset + first[column:])
            lines += rest
            for line in more:
                lines += _wrap(line, " " * column, " " * column)
        return lines

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines in place of a traceback through this package."""
        if not self._shown and self.picture is not None:  # the kernel asks twice
            self._shown = True
            self._show_headline_and_picture()
        # The headline comes again: nbval and nbgrader show these lines alone.
        return self._lines(BOLD, BOLD, RESET)

    def _show_headline_and_picture(self) -> None:
        """Show the picture between the headline and the rest, which it would push off the screen."""
        from IPython.display import display

        headline, bundle = self._lines()[0], self.picture._repr_mimebundle_()
        bold = f"<p><b>{html.escape(headline)}</b></p>"
        bundle |= {
            "text/html": bold + bundle["text/html"],
            "text/plain": f"{headline}\n{bundle['text/plain']}",
        }
        display(bundle, raw=True)


class Crashed(Failed):
    """The learner's code raised an exception of its own."""


class NotWritten(Failed):
    """The answer is still the untouched one; that is not a mistake."""

    sign, joint = "○", " "


def _wrap(text: str, first: str, others: str) -> list[str]:
    """Wrap a line at blanks, keeping the blanks within it (code is indented by them)."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        drop_whitespace=True,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]
