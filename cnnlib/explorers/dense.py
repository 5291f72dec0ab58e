"""Dense as a matrix: which numbers meet on the way forward, and which ones on the way back."""

from __future__ import annotations

from functools import partial

import numpy as np

from cnnlib import svg
from cnnlib.explorers import own
from cnnlib.explorers.widget import Choice, Explorer, Slider
from cnnlib.layers import Dense

# Two samples with four inputs each, three outputs. N, D and K differ, so no shape fits by chance.
X = np.array([[2, -1, 3, 1], [1, 2, 0, -2]])
WEIGHTS = np.array([[1, 0, 2], [3, -1, 1], [-2, 2, 0], [0, 1, -3]])
B = np.array([1, -1, 2])
DY = np.array([[1, -2, 3], [2, 1, -1]])
MOST = {"x": (4, 7), "W": (7, 4)}  # rows and columns of the reader's own

WAYS = {"y": "forward: y", "dx": "backward: dx", "dW": "backward: dW and db"}
TITLES = {
    "y": "Forward: each output is a weighted sum of all inputs",
    "dx": "Backward: dy travels back through the same weights",
    "dW": "Backward: a weight's gradient is what came in times what came back",
}

# Pixels on the screen: a cell, and the left or upper edge of each block of cells.
SIDE, ROW = 44, 28
X_LEFT, W_TOP, SUMS = 62, 46, 380  # the last is how wide the sums are
# What meets what, the pair that is followed, and what they add to.
MEETS, FOLLOWED, ADDS = svg.tint(svg.SKY, 0.45), svg.SKY, svg.tint(svg.ORANGE, 0.55)


def draw(position: int = 0, way: str = "y", *, x=None, W=None, b=None, dy=None) -> svg.Picture:
    """Draw W between x on its left and y below it, and one sum with all its products.

    Forward, dx and dW are made of the same triples of sample n, input d and output k: each adds
    x[n, d]·W[d, k] to y[n, k], dy[n, k]·W[d, k] to dx[n, d], and x[n, d]·dy[n, k] to dW[d, k].

    Parameters
    ----------
    position : int
        Which triple (n, d, k), counted in C order, 0 to N·D·K − 1.
    way : {"y", "dx", "dW"}
        What is calculated.
    x, W, b, dy : array_like of numbers, (N, D), (D, K), (K,) and (N, K), optional
        Your own: at most 4 samples, 7 inputs and 4 outputs. With a W of yours, b is 0 by default.

    Raises
    ------
    TypeError
        If an array doesn't hold numbers.
    ValueError
        If there is no such triple or way, or an array can't be shown or doesn't fit the others.

    Examples
    --------
    >>> draw(4)  # doctest: +ELLIPSIS
    Dense forward: y[0, 1] = 2·0 + (-1)·(-1) + 3·2 + 1·1 + (-1) = 7...
    >>> draw(x=[[0.5, 2]], W=[[4], [1.5]])  # doctest: +ELLIPSIS
    Dense forward: y[0, 0] = 0.5·4 + 2·1.5 + 0 = 5...
    """
    arrays = _arrays(x, W, b, dy)
    last = _last(arrays)
    if not 0 <= position <= last:
        raise ValueError(f"dense: position is {position}; there are 0 to {last}")
    if way not in WAYS:
        raise ValueError(f"dense: ways are {', '.join(WAYS)}; got {way!r}")
    return _Scene(position, way, *arrays).picture()


def dense(position: int = 0, way: str = "y", *, x=None, W=None, b=None, dy=None) -> Explorer:
    """Return the matrix as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = dense(4, way="dx")
    >>> mine = dense(x=[[0.5, 2]], W=[[4], [1.5]])
    """
    given = {"x": x, "W": W, "b": b, "dy": dy}
    given = {name: np.array(a) for name, a in given.items() if a is not None}
    last = _last(arrays := _arrays(x, W, b, dy))
    sizes = *arrays[0].shape, arrays[1].shape[1]
    return Explorer(
        partial(draw, **given) if given else draw,
        {
            "way": Choice("Calculate", {words: way for way, words in WAYS.items()}),
            "position": Slider("Product", lambda values: last, partial(_product, sizes), walk=0),
        },
        position=position,
        way=way,
    )


dense.draw = draw


def _arrays(x, W, b, dy) -> tuple[np.ndarray, ...]:
    """Return x, W, b and dy: the reader's, where there are some, and the course's otherwise."""
    x = X if x is None else own.matrix("dense", "x", x, "a row for each sample", MOST["x"])
    if b is None:
        b = B if W is None else np.zeros(np.shape(W)[-1:], int)
    W = WEIGHTS if W is None else own.matrix("dense", "W", W, "a column for each output", MOST["W"])
    (N, D), (rows, K) = x.shape, W.shape
    if D != rows:
        raise ValueError(
            f"dense: x is {N}×{D} and W {rows}×{K}; W must have a row for each of the {D} inputs "
            "in a row of x"
        )
    b = own.row("dense", "b", b, K)
    if dy is None:
        return x, W, b, np.resize(DY, (N, K))
    dy = own.matrix("dense", "dy", dy, "a row for each sample", (99, 99))  # its shape decides
    if dy.shape != (N, K):
        raise ValueError(
            f"dense: dy is {dy.shape[0]}×{dy.shape[1]}, but y is {N}×{K}, and dy must have its shape"
        )
    return x, W, b, dy


def _last(arrays) -> int:
    x, W, *_ = arrays
    return x.size * W.shape[1] - 1


def _product(sizes: tuple[int, int, int], values: dict) -> str:
    """Return the product that is followed, and what it is a part of."""
    n, d, k = np.unravel_index(values["position"], sizes)
    return {
        "y": f"x[{n}, {d}]·W[{d}, {k}], for y[{n}, {k}]",
        "dx": f"dy[{n}, {k}]·W[{d}, {k}], for dx[{n}, {d}]",
        "dW": f"x[{n}, {d}]·dy[{n}, {k}], for dW[{d}, {k}]",
    }[values["way"]]


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, position: int, way: str, x, W, b, dy):
        self.way, self.summed = way, {"y": "d", "dx": "k", "dW": "n"}[way]
        self.x, self.W, self.b, self.dy = x, W, b, dy
        (N, D), K = x.shape, len(b)
        self.sizes = N, D, K
        n, d, k = (int(i) for i in np.unravel_index(position, self.sizes))
        self.n, self.d, self.k, self.triple = n, d, k, {"n": n, "d": d, "k": k}
        layer = Dense(D, K)
        layer.W, layer.b = W.astype(float), b.astype(float)
        self.y = own.whole(layer.forward(x.astype(float)))
        self.dx = own.whole(layer.backward(dy.astype(float)))
        self.dW, self.db = own.whole(layer.dW), own.whole(layer.db)

        # The left or upper edge of each block of cells, and of the sums.
        self.w_left = max(224, X_LEFT + N * SIDE + 74)
        self.sums_left = max(410, self.w_left + K * SIDE + 34)
        self.b_top = W_TOP + D * ROW + 12
        self.y_top = self.b_top + ROW + 44
        factors, products = (x, W, dy), (np.multiply.outer(x, W), np.multiply.outer(x, dy))
        products += (np.multiply.outer(W, dy), self.y, self.dx, self.dW)
        numbers, value = "0" * (2 * _longest(*factors) + 3), "0" * _longest(*products)
        needed = sum(svg.text_width(words, mono=True) for words in (numbers, value))
        self.width = self.sums_left + max(SUMS, 230 + needed)
        self.height = self.y_top + max(N, 2) * ROW + 8

    def picture(self) -> svg.Picture:
        followed = f"sample n = {self.n}, input d = {self.d}, output k = {self.k}"
        title = svg.above(
            svg.label(TITLES[self.way], size=17, weight="bold"),
            svg.label(followed, fill=svg.QUIET),
            gap=4,
        )
        scene = svg.Drawing(self.blocks() + self.arrows() + self.sums(), self.width, self.height)
        conclusion = svg.label(self.conclusion(), size=14)
        return svg.above(title, scene, conclusion, gap=10).picture(self.alt())

    # What it tells

    def result(self) -> tuple[str, str]:
        """Return the name of what is calculated here, and its value."""
        n, d, k = self.n, self.d, self.k
        return {
            "y": (f"y[{n}, {k}]", svg.short(self.y[n, k])),
            "dx": (f"dx[{n}, {d}]", svg.short(self.dx[n, d])),
            "dW": (f"dW[{d}, {k}]", svg.short(self.dW[d, k])),
        }[self.way]

    def terms(self) -> list[tuple[str, str, float, bool]]:
        """Return each product in letters and in numbers, its value, and if it is the one followed."""
        n, d, k = self.n, self.d, self.k
        (N, D, K), x, W, dy = self.sizes, self.x, self.W, self.dy
        if self.way == "y":
            factors = [(f"x[{n}, {i}]·W[{i}, {k}]", x[n, i], W[i, k], i == d) for i in range(D)]
        elif self.way == "dx":
            factors = [(f"dy[{n}, {j}]·W[{d}, {j}]", dy[n, j], W[d, j], j == k) for j in range(K)]
        else:
            factors = [(f"x[{m}, {d}]·dy[{m}, {k}]", x[m, d], dy[m, k], m == n) for m in range(N)]
        terms = [
            (letters, f"{svg.bracketed(a)}·{svg.bracketed(b)}", a * b, here)
            for letters, a, b, here in factors
        ]
        if self.way == "y":
            terms.append((f"b[{k}]", "", self.b[k], False))
        return terms

    def conclusion(self) -> str:
        d, k = self.d, self.k
        if self.way == "y":
            return (
                f"Output {k} reads every input, each through a weight of its own: column {k} of W."
            )
        if self.way == "dx":
            return (
                f"Input {d} fed every output, through row {d} of W. "
                "Each of them sends its dy back the same way."
            )
        shares = " + ".join(svg.bracketed(v) for v in self.dy[:, k])
        return (
            f"Every sample went through this weight, and all have a say. "
            f"The bias: db[{k}] = {shares} = {svg.short(self.db[k])}."
        )

    def alt(self) -> str:
        name, total = self.result()
        terms = " + ".join(numbers or svg.bracketed(value) for _, numbers, value, _ in self.terms())
        direction = "forward" if self.way == "y" else "backward"
        return f"Dense {direction}: {name} = {terms} = {total}. {self.conclusion()}"

    # How it is drawn

    def blocks(self) -> str:
        """Draw x or dx on its side, W or dW, b or db, and y or dy, each cell beside what it meets."""
        left, inner, bias, lower = {
            "y": (("x", self.x), ("W", self.W), ("+ b", self.b), ("y", self.y)),
            "dx": (("dx", self.dx), ("W", self.W), None, ("dy", self.dy)),
            "dW": (("x", self.x), ("dW", self.dW), ("db", self.db), ("dy", self.dy)),
        }[self.way]
        N, D, K = self.sizes
        name = {"weight": "bold", "mono": True, "size": 15}
        small = {"fill": svg.QUIET, "size": 11}
        body = svg.text(X_LEFT, 6, left[0], **name) + svg.text(self.w_left, 6, inner[0], **name)
        body += svg.text(X_LEFT + 24, 7, "on its side", **small)
        body += svg.text(self.w_left - 52, self.y_top + N * ROW / 2, lower[0], anchor="end", **name)
        for letter, count, x in (("n", N, X_LEFT), ("k", K, self.w_left)):
            for i in range(count):
                middle = x + (i + 0.5) * SIDE
                body += svg.text(middle, W_TOP - 10, f"{letter}={i}", anchor="middle", **small)
        for letter, count, x, y in (("d", D, X_LEFT, W_TOP), ("n", N, self.w_left, self.y_top)):
            for i in range(count):
                middle = y + (i + 0.5) * ROW
                body += svg.text(x - 8, middle, f"{letter}={i}", anchor="end", **small)
        if bias:
            body += svg.text(self.w_left - 8, self.b_top + ROW / 2, bias[0], anchor="end", **name)
            body += self.cells(bias[1][None], self.w_left, self.b_top, "", "k")
        body += self.cells(left[1].T, X_LEFT, W_TOP, "d", "n")
        body += self.cells(inner[1], self.w_left, W_TOP, "d", "k")
        return body + self.cells(lower[1], self.w_left, self.y_top, "n", "k")

    def cells(self, values, left: float, top: float, rows: str, columns: str) -> str:
        """Draw a block whose rows and columns are counted by these letters."""

        def letters(i: int, j: int) -> dict[str, int]:
            return {rows: i, columns: j} if rows else {columns: j}

        def pick(i: int, j: int) -> str:
            triple = self.triple | letters(i, j)
            place = [triple[letter] for letter in "ndk"]
            return f"position={np.ravel_multi_index(place, self.sizes)}"

        fills = np.full(values.shape, "", object)
        for i, j in np.ndindex(values.shape):
            fills[i, j] = self.fill(letters(i, j))
        look = {"focus": (fills == ADDS) & bool(rows), "width": SIDE, "height": ROW}
        return svg.move(svg.cells(values, fill=fills, pick=pick, **look).body, left, top)

    def fill(self, letters: dict[str, int]) -> str:
        """Return the colour of a cell: it may take part in the sum, be the one followed, or be the result."""
        here = {letter for letter, i in letters.items() if i == self.triple[letter]}
        if not set(letters) - here <= {self.summed}:
            return svg.CARD
        if self.summed in letters:
            return FOLLOWED if self.summed in here else MEETS
        return ADDS if len(letters) == 2 or self.way == "dW" else MEETS

    def arrows(self) -> str:
        """Draw who tells whom: from x through W down to y, from dy up through W to dx, or both into dW."""
        row = W_TOP + (self.d + 0.5) * ROW
        column = self.w_left + (self.k + 0.5) * SIDE
        x_edge, w_edge = X_LEFT + self.x.shape[0] * SIDE + 6, self.w_left - 6
        low, high = (
            self.y_top - 4,
            (W_TOP + self.x.shape[1] * ROW if self.way == "dx" else self.b_top + ROW) + 6,
        )
        across = (w_edge, x_edge) if self.way == "dx" else (x_edge, w_edge)
        down = (high, low) if self.way == "y" else (low, high)
        return svg.arrow(across[0], row, across[1], row, stroke_width=3) + svg.arrow(
            column, down[0], column, down[1], stroke_width=3
        )

    def sums(self) -> str:
        """Write the sum out, a line for each product."""
        name, total = self.result()
        letters = {
            "y": "y[n, k] = Σ x[n, d]·W[d, k] + b[k]",
            "dx": "dx[n, d] = Σ dy[n, k]·W[d, k]",
            "dW": "dW[d, k] = Σ x[n, d]·dy[n, k]",
        }[self.way]
        over = {"y": "over all d", "dx": "over all k", "dW": "over all n"}[self.way]
        body = svg.panel(self.sums_left, 0, self.width - self.sums_left, self.height - 8)
        body += _mono(self.sums_left + 14, 20, letters, weight="bold")
        body += svg.text(self.sums_left + 14, 42, over, size=12, fill=svg.QUIET)
        for i, (product, numbers, value, here) in enumerate(self.terms()):
            y, weight = 74 + 26 * i, "bold" if here else "normal"
            body += _mono(self.sums_left + 14, y, product, weight=weight)
            if numbers:
                body += _mono(self.sums_left + 190, y, f"= {numbers}", weight=weight)
            body += svg.text(
                self.width - 16, y, svg.short(value), anchor="end", mono=True, weight=weight
            )
        y = 74 + 26 * len(self.terms())
        body += svg.line(self.sums_left + 14, y - 12, self.width - 14, y - 12, stroke=svg.QUIET)
        body += _mono(self.sums_left + 14, y + 6, name, weight="bold")
        body += svg.text(self.width - 16, y + 6, total, anchor="end", mono=True, weight="bold")
        return body


def _longest(*arrays) -> int:
    return max(len(svg.bracketed(value)) for array in arrays for value in np.unique(array))


def _mono(x: float, y: float, words: str, weight: str = "normal") -> str:
    return svg.text(x, y, words.replace(" ", "\u00a0"), mono=True, weight=weight)
