"""Reading an SVG picture back: where its words and boxes lie, and which of them collide."""

import re
import xml.etree.ElementTree as ET
from typing import NamedTuple

import numpy as np

from cnnlib import svg

NAMESPACE = "{http://www.w3.org/2000/svg}"


class Item(NamedTuple):
    """A piece of the picture, with its corners in pixels and what it answers when pointed at."""

    words: str
    left: float
    top: float
    right: float
    bottom: float
    attributes: dict
    pick: str | None


class Read:
    """A parsed picture: `texts` and `boxes`, in the order in which they are drawn."""

    def __init__(self, document: str):
        root = ET.fromstring(document)
        self.width, self.height = float(root.get("width")), float(root.get("height"))
        self.texts, self.boxes = [], []
        self._walk(root, 0.0, 0.0, None)

    def _walk(self, parent, x, y, pick):
        for node in parent:
            if node.tag == NAMESPACE + "g":
                shift = re.fullmatch(r"translate\((\S+) (\S+)\)", node.get("transform", ""))
                dx, dy = map(float, shift.groups()) if shift else (0.0, 0.0)
                self._walk(node, x + dx, y + dy, node.get("data-pick", pick))
            elif node.tag == NAMESPACE + "rect":
                left, top = x + float(node.get("x")), y + float(node.get("y"))
                width, height = float(node.get("width")), float(node.get("height"))
                corners = left, top, left + width, top + height
                self.boxes.append(Item("", *corners, node.attrib, pick))
            elif node.tag == NAMESPACE + "text":
                size = float(node.get("font-size", svg.FONT_SIZE))
                words = "".join(node.itertext())
                width = svg.text_width(
                    words,
                    size=size,
                    weight=node.get("font-weight", "normal"),
                    mono="font-family" in node.attrib,
                )
                share = {"start": 0, "middle": 0.5, "end": 1}[node.get("text-anchor", "start")]
                left = x + float(node.get("x")) - share * width
                middle = y + float(node.get("y")) - 0.35 * size
                corners = left, middle - 0.4 * size, left + width, middle + 0.4 * size
                self.texts.append(Item(words, *corners, node.attrib, pick))

    def problems(self) -> list[str]:
        """Return, in words, every text that leaves the smallest box around it or hits another."""
        found = []
        boxes = np.array([(b.left, b.top, b.right, b.bottom) for b in self.boxes])
        texts = np.array([(t.left, t.top, t.right, t.bottom) for t in self.texts])
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        centres = (texts[:, None, :2] + texts[:, None, 2:]) / 2
        around = ((boxes[:, :2] <= centres) & (centres <= boxes[:, 2:])).all(2)
        nearest = boxes[np.argmin(np.where(around, areas, np.inf), axis=1)]
        inside = (nearest[:, :2] <= texts[:, :2]) & (texts[:, 2:] <= nearest[:, 2:])
        for i in np.flatnonzero(~(inside.all(1) & around.any(1))):
            found.append(f"{self.texts[i].words!r} leaves its box")
        starts, ends = texts[:, None, :2], texts[None, :, 2:]
        meet = (starts < ends).all(2)
        for i, j in np.argwhere(np.triu(meet & meet.T, 1)):
            found.append(f"{self.texts[i].words!r} lies on {self.texts[j].words!r}")
        return found
