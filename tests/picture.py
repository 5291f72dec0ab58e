"""Reading an SVG picture back: where its words and boxes lie, and which of them collide."""

import functools
import re
import xml.etree.ElementTree as ET
from typing import NamedTuple

import numpy as np

from cnnlib import svg

NAMESPACE = "{http://www.w3.org/2000/svg}"
G, RECT, TEXT = (NAMESPACE + name for name in ("g", "rect", "text"))
SHARES = {"start": 0, "middle": 0.5, "end": 1}


class Item(NamedTuple):
    """A piece of the picture, with its corners in pixels and what it answers when pointed at."""

    words: str
    left: float
    top: float
    right: float
    bottom: float
    attributes: dict
    pick: str | None


@functools.cache
def _shift(transform: str) -> tuple[float, float]:
    x, y = re.fullmatch(r"translate\((\S+) (\S+)\)", transform).groups()
    return float(x), float(y)


class Read:
    """A parsed picture: `texts` and `boxes`, in the order in which they are drawn."""

    def __init__(self, document: str):
        root = ET.fromstring(document)
        self.width, self.height = float(root.get("width")), float(root.get("height"))
        self.texts, self.boxes = [], []
        self._walk(root, 0.0, 0.0, None)

    def _walk(self, parent, x, y, pick):
        for node in parent:
            given = node.attrib
            if node.tag == G:
                dx, dy = _shift(given["transform"]) if "transform" in given else (0.0, 0.0)
                self._walk(node, x + dx, y + dy, given.get("data-pick", pick))
            elif node.tag == RECT:
                left, top = x + float(given["x"]), y + float(given["y"])
                corners = left, top, left + float(given["width"]), top + float(given["height"])
                self.boxes.append(Item("", *corners, given, pick))
            elif node.tag == TEXT:
                size = float(given.get("font-size", svg.FONT_SIZE))
                words = "".join(node.itertext()) if len(node) else node.text or ""
                width = svg.text_width(
                    words,
                    size=size,
                    weight=given.get("font-weight", "normal"),
                    mono="font-family" in given,
                )
                left = x + float(given["x"]) - SHARES[given.get("text-anchor", "start")] * width
                middle = y + float(given["y"]) - 0.35 * size
                corners = left, middle - 0.4 * size, left + width, middle + 0.4 * size
                self.texts.append(Item(words, *corners, given, pick))

    def problems(self) -> list[str]:
        """Return, in words, every text that leaves the smallest box around it or hits another."""
        found = []
        boxes = np.array([(b.left, b.top, b.right, b.bottom) for b in self.boxes])
        texts = np.array([(t.left, t.top, t.right, t.bottom) for t in self.texts])
        left, top, right, bottom = boxes.T
        areas = (right - left) * (bottom - top)
        x, y = ((texts[:, k, None] + texts[:, k + 2, None]) / 2 for k in (0, 1))
        around = (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
        nearest = boxes[np.argmin(np.where(around, areas, np.inf), axis=1)]
        inside = (nearest[:, :2] <= texts[:, :2]) & (texts[:, 2:] <= nearest[:, 2:])
        for i in np.flatnonzero(~(inside.all(1) & around.any(1))):
            found.append(f"{self.texts[i].words!r} leaves its box")
        left, top, right, bottom = texts.T
        meet = (left[:, None] < right) & (top[:, None] < bottom)
        for i, j in np.argwhere(np.triu(meet & meet.T, 1)):
            found.append(f"{self.texts[i].words!r} lies on {self.texts[j].words!r}")
        return found
