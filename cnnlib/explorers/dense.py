"""Dense as a matrix: which numbers meet on the way forward, and which ones on the way back."""

from __future__ import annotations

import numpy as np

from cnnlib import svg
from cnnlib.explorers.widget import Choice, Explorer, Slider
from cnnlib.layers import Dense

# Two samples with four inputs each, three outputs. N, D and K differ, so no shape fits by chance.
X = np.array([[2, -1, 3, 1], [1, 2, 0, -2]])
W = np.array([[1, 0, 2], [3, -1, 1], [-2, 2, 0], [0, 1, -3]])
B = np.array([1, -1, 2])
DY = np.array([[1, -2, 3], [2, 1, -1]])
(N, D), K = X.shape, len(B)

WAYS = {"y": "forward: y", "dx": "backward: dx", "dW": "backward: dW and db"}
TITLES = {
    "y": "Forward: each output is a weighted sum of all inputs",
    "dx": "Backward: dy travels back through the same weights",
    "dW": "Backward: a weight's gradient is what came in times what came back",
}

# Pixels on the screen: a cell, and the left or upper edge of each block of cells.
SIDE, ROW = 44, 28
X_LEFT, W_LEFT, SUMS = 62, 224, 410
W_TOP, B_TOP, Y_TOP = 46, 46 + D * ROW + 12, 46 + D * ROW + 12 + ROW + 44
WIDTH, HEIGHT = 790, Y_TOP + N * ROW + 8
# What meets what, the pair that is followed, and what they add to.
MEETS, FOLLOWED, ADDS = svg.tint(svg.SKY, 0.45), svg.SKY, svg.tint(svg.ORANGE, 0.55)


def draw(position: int = 0, way: str = "y") -> svg.Picture:
    """Draw W between x on its left and y below it, and one sum with all its products.

    Forward, dx and dW are made of the same triples of sample n, input d and output k: each adds
    x[n, d]·W[d, k] to y[n, k], dy[n, k]·W[d, k] to dx[n, d], and x[n, d]·dy[n, k] to dW[d, k].

    Parameters
    ----------
    position : int
        Which triple (n, d, k), counted in C order, 0 to 23.
    way : {"y", "dx", "dW"}
        What is calculated.

    Raises
    ------
    ValueError
        If there is no such triple or way.

    Examples
    --------
    >>> draw(4)  # doctest: +ELLIPSIS
    Dense forward: y[0, 1] = 2·0 + (-1)·(-1) + 3·2 + 1·1 + (-1) = 7...
    """
    if not 0 <= position < N * D * K:
        raise ValueError(f"dense: position is {position}; there are 0 to {N * D * K - 1}")
    if way not in WAYS:
        raise ValueError(f"dense: ways are {', '.join(WAYS)}; got {way!r}")
    return _Scene(position, way).picture()


def dense(position: int = 0, way: str = "y") -> Explorer:
    """Return the matrix as a widget; the arguments, as in `draw`, are where it starts.

    Examples
    --------
    >>> explorer = dense(4, way="dx")
    """
    return Explorer(
        draw,
        {
            "way": Choice("Calculate", {words: way for way, words in WAYS.items()}),
            "position": Slider("Product", lambda values: N * D * K - 1, walk=0),
        },
        position=position,
        way=way,
    )


dense.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, position: int, way: str):
        self.way, self.summed = way, {"y": "d", "dx": "k", "dW": "n"}[way]
        n, d, k = (int(i) for i in np.unravel_index(position, (N, D, K)))
        self.n, self.d, self.k, self.triple = n, d, k, {"n": n, "d": d, "k": k}
        layer = Dense(D, K)
        layer.W, layer.b = W.astype(float), B.astype(float)
        self.y = layer.forward(X.astype(float)).astype(int)
        self.dx = layer.backward(DY.astype(float)).astype(int)
        self.dW, self.db = layer.dW.astype(int), layer.db.astype(int)

    def picture(self) -> svg.Picture:
        followed = f"sample n = {self.n}, input d = {self.d}, output k = {self.k}"
        title = svg.above(
            svg.label(TITLES[self.way], size=17, weight="bold"),
            svg.label(followed, fill=svg.QUIET),
            gap=4,
        )
        scene = svg.Drawing(self.blocks() + self.arrows() + self.sums(), WIDTH, HEIGHT)
        conclusion = svg.label(self.conclusion(), size=14)
        return svg.above(title, scene, conclusion, gap=10).picture(self.alt())

    # What it tells

    def result(self) -> tuple[str, int]:
        """Return the name of what is calculated here, and its value."""
        n, d, k = self.n, self.d, self.k
        return {
            "y": (f"y[{n}, {k}]", int(self.y[n, k])),
            "dx": (f"dx[{n}, {d}]", int(self.dx[n, d])),
            "dW": (f"dW[{d}, {k}]", int(self.dW[d, k])),
        }[self.way]

    def terms(self) -> list[tuple[str, str, int, bool]]:
        """Return each product in letters and in numbers, its value, and if it is the one followed."""
        n, d, k = self.n, self.d, self.k
        if self.way == "y":
            factors = [(f"x[{n}, {i}]·W[{i}, {k}]", X[n, i], W[i, k], i == d) for i in range(D)]
        elif self.way == "dx":
            factors = [(f"dy[{n}, {j}]·W[{d}, {j}]", DY[n, j], W[d, j], j == k) for j in range(K)]
        else:
            factors = [(f"x[{m}, {d}]·dy[{m}, {k}]", X[m, d], DY[m, k], m == n) for m in range(N)]
        terms = [(letters, f"{_n(a)}·{_n(b)}", int(a * b), here) for letters, a, b, here in factors]
        if self.way == "y":
            terms.append((f"b[{k}]", "", int(B[k]), False))
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
        shares = " + ".join(_n(v) for v in DY[:, k])
        return (
            f"Every sample went through this weight, and all have a say. "
            f"The bias: db[{k}] = {shares} = {self.db[k]}."
        )

    def alt(self) -> str:
        name, total = self.result()
        terms = " + ".join(numbers or _n(value) for _, numbers, value, _ in self.terms())
        direction = "forward" if self.way == "y" else "backward"
        return f"Dense {direction}: {name} = {terms} = {total}. {self.conclusion()}"

    # How it is drawn

    def blocks(self) -> str:
        """Draw x or dx on its side, W or dW, b or db, and y or dy, each cell beside what it meets."""
        left, inner, bias, lower = {
            "y": (("x", X), ("W", W), ("+ b", B), ("y", self.y)),
            "dx": (("dx", self.dx), ("W", W), None, ("dy", DY)),
            "dW": (("x", X), ("dW", self.dW), ("db", self.db), ("dy", DY)),
        }[self.way]
        name = {"weight": "bold", "mono": True, "size": 15}
        small = {"fill": svg.QUIET, "size": 11}
        body = svg.text(X_LEFT, 6, left[0], **name) + svg.text(W_LEFT, 6, inner[0], **name)
        body += svg.text(X_LEFT + 24, 7, "on its side", **small)
        body += svg.text(W_LEFT - 52, Y_TOP + N * ROW / 2, lower[0], anchor="end", **name)
        for letter, count, x in (("n", N, X_LEFT), ("k", K, W_LEFT)):
            for i in range(count):
                middle = x + (i + 0.5) * SIDE
                body += svg.text(middle, W_TOP - 10, f"{letter}={i}", anchor="middle", **small)
        for letter, count, x, y in (("d", D, X_LEFT, W_TOP), ("n", N, W_LEFT, Y_TOP)):
            for i in range(count):
                middle = y + (i + 0.5) * ROW
                body += svg.text(x - 8, middle, f"{letter}={i}", anchor="end", **small)
        if bias:
            body += svg.text(W_LEFT - 8, B_TOP + ROW / 2, bias[0], anchor="end", **name)
            body += self.cells(bias[1][None], W_LEFT, B_TOP, "", "k")
        body += self.cells(left[1].T, X_LEFT, W_TOP, "d", "n")
        body += self.cells(inner[1], W_LEFT, W_TOP, "d", "k")
        return body + self.cells(lower[1], W_LEFT, Y_TOP, "n", "k")

    def cells(self, values, left: float, top: float, rows: str, columns: str) -> str:
        """Draw a block whose rows and columns are counted by these letters."""
        body, focus = "", ""
        for i, j in np.ndindex(values.shape):
            letters = {rows: i, columns: j} if rows else {columns: j}
            triple = self.triple | letters
            place = np.ravel_multi_index([triple[letter] for letter in "ndk"], (N, D, K))
            fill = self.fill(letters)
            result = fill == ADDS and len(letters) == 2
            cell = svg.cell(
                left + j * SIDE,
                top + i * ROW,
                SIDE,
                ROW,
                str(values[i, j]),
                fill=fill,
                focus=result,
                pick=f"position={place}",
            )
            # On top of its neighbours, so that its outline is whole.
            body, focus = (body, cell) if result else (body + cell, focus)
        return body + focus

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
        column = W_LEFT + (self.k + 0.5) * SIDE
        x_edge, w_edge = X_LEFT + N * SIDE + 6, W_LEFT - 6
        low, high = Y_TOP - 4, (W_TOP + D * ROW if self.way == "dx" else B_TOP + ROW) + 6
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
        body = svg.rect(
            SUMS + 0.5,
            0.5,
            WIDTH - SUMS - 1,
            HEIGHT - 9,
            fill="#F6F8FA",
            stroke="#D1D9E0",
            radius=6,
        )
        body += _mono(SUMS + 14, 20, letters, weight="bold")
        body += svg.text(SUMS + 14, 42, over, size=12, fill=svg.QUIET)
        for i, (product, numbers, value, here) in enumerate(self.terms()):
            y, weight = 74 + 26 * i, "bold" if here else "normal"
            body += _mono(SUMS + 14, y, product, weight=weight)
            if numbers:
                body += _mono(SUMS + 190, y, f"= {numbers}", weight=weight)
            body += svg.text(WIDTH - 16, y, str(value), anchor="end", mono=True, weight=weight)
        y = 74 + 26 * len(self.terms())
        body += svg.line(SUMS + 14, y - 12, WIDTH - 14, y - 12, stroke=svg.QUIET)
        body += _mono(SUMS + 14, y + 6, name, weight="bold")
        body += svg.text(WIDTH - 16, y + 6, str(total), anchor="end", mono=True, weight="bold")
        return body


def _n(value: int) -> str:
    return f"({value})" if value < 0 else str(value)


def _mono(x: float, y: float, words: str, weight: str = "normal") -> str:
    return svg.text(x, y, words.replace(" ", "\u00a0"), mono=True, weight=weight)
