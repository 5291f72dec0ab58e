"""Training curves, live: loss and accuracy while a network learns, beside earlier trainings."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np

from cnnlib import datasets, svg
from cnnlib.explorers.widget import Button, Choice, Explorer
from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.misconceptions.flatten import CutsTheGraph, FillsColumnByColumn
from cnnlib.misconceptions.pool import SpreadEvenly
from cnnlib.network import Sequential
from cnnlib.optimizers import SGD, Adam
from cnnlib.training import History, accuracy, minibatches

OPTIMIZERS = {
    "sgd": ("SGD", SGD),
    "momentum": ("SGD with momentum", partial(SGD, momentum=0.9)),
    "adam": ("Adam", Adam),
}
RATES = (0.001, 0.01, 0.1, 1.0)
# A layer whose backward is wrong: which one it stands in for, its class, and what it does.
WRONG = {
    "swapped": ("Flatten", FillsColumnByColumn, "Flatten swaps H and W"),
    "evenly": ("MaxPool2D", SpreadEvenly, "MaxPool2D spreads evenly"),
    "zeros": ("Flatten", CutsTheGraph, "Flatten sends back zeros"),
}
EPOCHS, BATCH = 10, 32
PICTURES = 1400
STEPS = EPOCHS * -(-PICTURES // BATCH)
KEPT = 5  # trainings that are shown, the newest among them
SMOOTH = 20  # the strong curves are means of so many steps
BLIND = math.log(10)  # the loss of who gives each of ten classes the same probability
TOP = 3  # the loss's axis ends here
PAUSE = 0.1  # seconds between two pictures of a training

# Pixels on the screen: the whole, the panels' left and right end, where the list of runs begins,
# and the upper and lower ends of the two panels.
WIDTH, LEFT, RIGHT, LIST = 790, 44, 548, 572
LOSS, SCORE = (26, 226), (272, 392)
HEIGHT = 432
COLOURS = (svg.BLUE, svg.VERMILLION, svg.GREEN, svg.PURPLE, svg.ORANGE)


@dataclass
class Run:
    """One training: what it is called, what has happened in it, and how long it is meant to be."""

    label: str
    history: History = field(default_factory=History)
    total: int = 0
    """The number of steps planned, or 0 where nobody knows it."""
    number: int = 0
    """How many were begun before; it chooses the colour, which stays with the run."""

    @property
    def losses(self) -> list[float]:
        """The losses that are numbers."""
        losses = self.history.losses
        return losses[:-1] if self.broke else losses

    @property
    def broke(self) -> bool:
        """Whether the last loss is no longer a number; there every training ends."""
        return bool(self.history.losses) and not math.isfinite(self.history.losses[-1])

    @property
    def loss(self) -> float:
        """The mean loss of the newest steps."""
        return float(np.mean(self.losses[-SMOOTH:])) if self.losses else math.nan

    @property
    def scores(self) -> list[tuple[int, float]]:
        """The accuracy after each epoch, where it was measured: (steps until then, share)."""
        epochs = self.history.epochs
        return [(epoch["steps"], epoch["accuracy"]) for epoch in epochs if "accuracy" in epoch]


# ---------------------------------------------------------------------------- the training


@cache
def _digits() -> tuple:
    data = datasets.load_digits()
    scale = np.float32(data.max_value)
    return (
        (data.train_images / scale, data.train_labels),
        (data.test_images / scale, data.test_labels),
    )


def learn(history: History, optimizer: str, rate: float, wrong: str | None) -> Iterator[None]:
    """Train a small network on the 8×8 digits and note in `history` how it goes, step by step.

    It is `cnnlib.training.fit`, but stands still after each step until it is asked to go on. All
    trainings begin with the same weights and see the same pictures in the same order.

    Parameters
    ----------
    history : History
    optimizer : {"sgd", "momentum", "adam"}
    rate : float
    wrong : {None, "swapped", "evenly", "zeros"}
        The layers whose backward is wrong.

    Examples
    --------
    >>> history = History()
    >>> training = learn(history, "adam", 0.01, None)
    >>> for _ in range(3):
    ...     next(training)
    >>> len(history.losses)
    3
    """
    (images, labels), validation = _digits()
    network, loss = _network(wrong), SoftmaxCrossEntropy()
    optimizer = OPTIMIZERS[optimizer][1](network, rate)
    rng = np.random.default_rng(1)
    for _ in range(EPOCHS):
        begin = len(history.losses)
        for batch in minibatches(len(images), BATCH, rng):
            history.losses.append(
                float(loss.forward(network.forward(images[batch]), labels[batch]))
            )
            if not math.isfinite(history.losses[-1]):
                return
            network.backward(loss.backward())
            optimizer.step()
            yield
        history.epochs.append(
            {
                "steps": len(history.losses),
                "loss": float(np.mean(history.losses[begin:])),
                "accuracy": accuracy(network, *validation),
            }
        )


def _network(wrong: str | None) -> Sequential:
    rng = np.random.default_rng(0)
    place, broken, _ = WRONG.get(wrong, ("", None, ""))
    pool = broken if place == "MaxPool2D" else MaxPool2D
    flatten = broken if place == "Flatten" else Flatten
    return Sequential(
        [
            *(Conv2D(1, 4, 3, padding=1, rng=rng), ReLU(), pool(2)),
            *(Conv2D(4, 8, 3, padding=1, rng=rng), ReLU(), pool(2)),
            *(flatten(), Dense(32, 10, rng=rng)),
        ]
    )


# ---------------------------------------------------------------------------- the widget


class Curves(Explorer):
    """The curves of some trainings, and the controls to start another one.

    Attributes
    ----------
    runs : list of Run
        The newest is the last.
    """

    _task, _painted = None, 0.0

    def __init__(self, **settings):
        self.runs, self._begun = [], 0
        controls = {
            "optimizer": Choice(
                "Optimizer", {words: name for name, (words, _) in OPTIMIZERS.items()}
            ),
            "rate": Choice("Learning rate", {svg.short(rate): rate for rate in RATES}),
            "wrong": Choice(
                "On the way back",
                {
                    "all layers are right": None,
                    **{words: name for name, (_, _, words) in WRONG.items()},
                },
            ),
            "train": Button(lambda: "Stop" if self._training else "Train", self._start_or_stop),
        }
        super().__init__(lambda **_: draw(self.runs), controls, **settings)

    def train(self) -> Run:
        """Train with the settings chosen, and return when it is done.

        Examples
        --------
        >>> curves = training("sgd", rate=0.1)
        >>> run = curves.train()
        >>> len(run.history.losses), run.history.epochs[-1]["accuracy"] > 0.7
        (440, True)
        """
        run = self._begin(_name(**self.values), total=STEPS)
        for _ in learn(run.history, **self.values):
            self._paint_now_and_then()
        self.paint()
        return run

    def follow(self, label: str) -> Callable[[History], None]:
        """Return what `fit` is to call after each step, so that this picture shows the training.

        Parameters
        ----------
        label : str
            What the curve is called.

        Examples
        --------
        >>> curves = training()
        >>> after_step = curves.follow("a net of my own")
        >>> after_step(History(losses=[2.3, 2.1]))
        >>> curves.runs[-1].label, curves.runs[-1].loss
        ('a net of my own', 2.2)
        """
        history = None

        def after_step(now: History) -> None:
            nonlocal history
            if now is not history:
                history = now
                self._begin(label, now)
                self._paint_when_the_kernel_is_free()
            self._paint_now_and_then()

        return after_step

    def close(self) -> None:
        """Stop, and take the widget away."""
        self._stop()
        super().close()

    @property
    def _training(self) -> bool:
        return self._task is not None and not self._task.done()

    def _begin(self, label: str, history: History | None = None, total: int = 0) -> Run:
        run = Run(label, history or History(), total, self._begun)
        self._begun += 1
        self.runs = [*self.runs, run][-KEPT:]
        return run

    def _start_or_stop(self, words: str) -> None:
        if words == "Stop":
            self._stop()
        elif not self._training:
            self._task = asyncio.get_running_loop().create_task(self._train_meanwhile())
            self._task.add_done_callback(lambda _: self.paint())

    def _stop(self) -> None:
        if self._training:
            self._task.cancel()

    async def _train_meanwhile(self) -> None:
        """Train while the kernel goes on listening: to Stop, to the other controls, to cells."""
        run = self._begin(_name(**self.values), total=STEPS)
        try:
            for _ in learn(run.history, **self.values):
                self._paint_now_and_then()
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            run.history.stopped = f"stopped after {len(run.losses)} of {STEPS} steps"
        except Exception as error:  # nobody waits for the task, so the picture has to say it
            run.history.stopped = f"{type(error).__name__}: {error}"

    def _paint_now_and_then(self) -> None:
        if time.monotonic() - self._painted > PAUSE:
            self.paint()
            self._painted = time.monotonic()

    def _paint_when_the_kernel_is_free(self) -> None:
        """Show, after the cell that trains, what came after the last picture: the last accuracy."""
        try:
            asyncio.get_running_loop().call_soon(self.paint)
        except RuntimeError:  # no event loop, no kernel, no screen
            pass


def _name(optimizer: str, rate: float, wrong: str | None) -> str:
    name = f"{OPTIMIZERS[optimizer][0]}, rate {svg.short(rate)}"
    return f"{name}, {WRONG[wrong][2]}" if wrong else name


def training(optimizer: str = "adam", rate: float = 0.01, wrong: str | None = None) -> Curves:
    """Return the training curves as a widget; the arguments are the settings to start with.

    Its button trains a small network on the 8×8 digits. `follow` shows a training of your own.

    Parameters
    ----------
    optimizer : {"sgd", "momentum", "adam"}
    rate : {0.001, 0.01, 0.1, 1.0}
        The learning rate.
    wrong : {None, "swapped", "evenly", "zeros"}
        The layers whose backward is wrong.

    Raises
    ------
    ValueError
        If a setting is not on offer.

    Examples
    --------
    >>> training().picture  # doctest: +ELLIPSIS
    Training curves, still empty...
    """
    return Curves(optimizer=optimizer, rate=rate, wrong=wrong)


# ---------------------------------------------------------------------------- the picture


def draw(runs: Sequence[Run] = ()) -> svg.Picture:
    """Draw the loss and the accuracy of some trainings; the last one is the newest.

    Parameters
    ----------
    runs : sequence of Run
        The last five are drawn.

    Examples
    --------
    >>> draw([Run("a lucky one", History(losses=[2.0, 1.0]))])
    Training curves. Newest: a lucky one, 2 steps: loss 1.5. A blind guess among ten classes: \
loss ln 10 = 2.30, accuracy 10 %.
    """
    return _Scene(list(runs)[-KEPT:]).picture()


training.draw = draw


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, runs: list[Run]):
        self.runs = runs
        self.last = runs[-1] if runs else None
        self.steps = max((_planned(run) for run in runs), default=STEPS)

    def picture(self) -> svg.Picture:
        body = self.axes() + "".join(map(self.curves, self.runs)) + self.listing()
        return svg.above(
            self.header(), svg.Drawing(body, WIDTH, HEIGHT), self.verdict(), gap=10
        ).picture(self.alt())

    # What it tells

    def title(self) -> str:
        return self.last.label if self.last else "Nothing has been trained yet"

    def state(self) -> str:
        if self.last is None:
            return f"Press Train: {EPOCHS} epochs, {STEPS} steps of {BATCH} digits."
        return _told(self.last)

    def conclusion(self) -> tuple[str, bool]:
        """Say how the newest training ended, and whether that is bad."""
        run = self.last
        if run is None:
            return "The dashed lines are a blind guess among ten classes.", False
        if run.broke:
            step = len(run.history.losses)
            return f"✗ The loss of step {step:,} is not a number, so the training ends there.", True
        if run.history.stopped:
            return f"{run.history.stopped[0].upper()}{run.history.stopped[1:]}.", False
        return "", False

    def alt(self) -> str:
        blind = f"A blind guess among ten classes: loss ln 10 = {BLIND:.2f}, accuracy 10 %."
        if self.last is None:
            return f"Training curves, still empty. {self.state()} {blind}"
        told = [f"Training curves. Newest: {self.last.label}, {_told(self.last)}."]
        told += [self.conclusion()[0]] if self.conclusion()[0] else []
        if self.runs[1:]:
            before = "; ".join(f"{run.label}, {_told(run)}" for run in self.runs[-2::-1])
            told.append(f"Before it: {before}.")
        return " ".join([*told, blind])

    # How it is drawn

    def header(self) -> svg.Drawing:
        return svg.above(
            svg.label(self.title(), size=17, weight="bold"),
            svg.label(self.state(), fill=svg.QUIET),
            gap=4,
        )

    def verdict(self) -> svg.Drawing:
        words, bad = self.conclusion()
        return svg.label(words, size=14, fill=svg.WRONG if bad else svg.INK)

    def x(self, step):
        return LEFT + (RIGHT - LEFT) * np.asarray(step) / self.steps

    def axes(self) -> str:
        small = {"size": 11, "fill": svg.QUIET}
        body = svg.text(
            LEFT, 8, f"loss: each step, and the mean of {SMOOTH}", size=12, weight="bold"
        )
        body += svg.text(
            LEFT, SCORE[0] - 18, "accuracy on the validation pictures", size=12, weight="bold"
        )
        for step in _ticks(self.steps):
            x = float(self.x(step))
            for top, bottom in (LOSS, SCORE):
                body += svg.line(x, top, x, bottom, stroke="#E6EAEE", stroke_width=1)
            body += svg.text(x, SCORE[1] + 12, f"{step:,}", anchor="middle", **small)
        body += svg.text((LEFT + RIGHT) / 2, SCORE[1] + 30, "steps", size=12, anchor="middle")
        for value, words in ((0, "0"), (1, "1"), (2, "2"), (BLIND, "ln 10"), (TOP, f"≥ {TOP}")):
            body += self.level(float(_y(value, LOSS, TOP)), words, value == BLIND)
        for value, words in ((0, "0 %"), (0.1, "10 %"), (0.5, "50 %"), (1, "100 %")):
            body += self.level(float(_y(value, SCORE, 1)), words, value == 0.1)
        return body

    def level(self, y: float, words: str, blind: bool) -> str:
        stroke = {"stroke": svg.INK, "dashed": True} if blind else {"stroke": "#E6EAEE"}
        return svg.line(LEFT, y, RIGHT, y, stroke_width=1, **stroke) + svg.text(
            LEFT - 6, y, words, size=11, anchor="end", fill=svg.INK if blind else svg.QUIET
        )

    def curves(self, run: Run) -> str:
        new = run is self.last
        colour = COLOURS[run.number % len(COLOURS)]
        strong = colour if new else svg.tint(colour, 0.5)
        body = ""
        losses = np.array(run.losses)
        if len(losses):
            steps = np.arange(1, len(losses) + 1)
            if new:
                body += self.path(*_thin(steps, losses), svg.tint(colour, 0.35), 1)
            body += self.path(*_thin(steps, _smooth(losses)), strong, 2.5 if new else 1.75)
        points = [(float(self.x(s)), float(_y(share, SCORE, 1))) for s, share in run.scores]
        body += _way(points, strong, 2 if new else 1.25)
        return body + "".join(_marker(run.number, *point, strong) for point in points)

    def path(self, steps, losses, colour: str, width: float) -> str:
        points = zip(self.x(steps), _y(np.minimum(losses, TOP), LOSS, TOP), strict=True)
        return _way(points, colour, width)

    def listing(self) -> str:
        body, y = "", LOSS[0] + 6
        for run in reversed(self.runs):
            new = run is self.last
            colour = COLOURS[run.number % len(COLOURS)]
            strong = colour if new else svg.tint(colour, 0.5)
            body += svg.line(
                LIST, y, LIST + 22, y, stroke=strong, stroke_width=2.5 if new else 1.75
            )
            body += _marker(run.number, LIST + 11, y, strong)
            for words in _lines(run.label, WIDTH - LIST - 30, 12, 2):
                body += svg.text(LIST + 30, y, words, size=12, weight="bold" if new else "normal")
                y += 16
            body += svg.text(LIST + 30, y, _told(run, brief=True), size=11, fill=svg.QUIET)
            y += 28
        return body


def _planned(run: Run) -> int:
    """The length of the axis that a run needs: as planned, or a round number above."""
    steps = len(run.history.losses)
    if run.total:
        return max(run.total, steps)
    power = 10 ** max(len(str(steps)) - 1, 2)
    return next(k * power for k in (1, 2, 5, 10) if k * power >= steps)


def _ticks(steps: int) -> range:
    power = 10 ** (len(str(steps)) - 1)
    apart = next(k for k in (power // 5, power // 2, power, 2 * power) if steps <= 5 * k)
    return range(0, steps + 1, apart)


def _told(run: Run, brief: bool = False) -> str:
    steps = len(run.losses)
    planned = f" of {run.total}" if run.total > steps and not brief else ""
    told = [f"{steps:,}{planned} steps: loss {svg.short(run.loss)}"]
    if run.scores:
        words = "" if brief else "accuracy "
        told.append(f"{words}{100 * run.scores[-1][1]:.1f} %")
    return ", ".join(told)


def _y(value, panel: tuple[int, int], top: float):
    return panel[1] - (panel[1] - panel[0]) * np.asarray(value) / top


def _smooth(losses: np.ndarray) -> np.ndarray:
    """The mean of each loss and those before it, 20 at most."""
    sums = np.convolve(losses, np.ones(SMOOTH))[: len(losses)]
    return sums / np.minimum(np.arange(1, len(losses) + 1), SMOOTH)


def _thin(steps: np.ndarray, losses: np.ndarray, bins: int = 250) -> tuple[np.ndarray, np.ndarray]:
    """Keep of many neighbours the lowest and the highest: all that a screen could show."""
    size = len(losses) // bins
    if size < 3:
        return steps, losses
    whole = size * (len(losses) // size)
    parts = losses[:whole].reshape(-1, size)
    ends = np.stack([parts.min(1), parts.max(1)], 1).ravel()
    middles = np.repeat(steps[:whole].reshape(-1, size)[:, size // 2], 2)
    return np.append(middles, steps[-1]), np.append(ends, losses[-1])


def _way(points, colour: str, width: float) -> str:
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        'stroke-linejoin="round"/>'
    )


def _marker(number: int, x: float, y: float, colour: str) -> str:
    shapes = (
        "-4,-4 4,-4 4,4 -4,4",
        "0,-5 5,4 -5,4",
        "0,-5.5 5.5,0 0,5.5 -5.5,0",
        "0,5 5,-4 -5,-4",
        "-2,-5 2,-5 2,5 -2,5",
    )
    return svg.move(f'<polygon points="{shapes[number % len(shapes)]}" fill="{colour}"/>', x, y)


def _lines(words: str, width: float, size: float, most: int) -> list[str]:
    """Break words into lines that fit; what is too much ends in an ellipsis."""
    lines, rest = [], words.split()
    while rest and len(lines) < most:
        taken = 1
        while (
            taken < len(rest)
            and svg.text_width(" ".join(rest[: taken + 1]), size=size, weight="bold") <= width
        ):
            taken += 1
        lines.append(" ".join(rest[:taken]))
        rest = rest[taken:]
    if rest:
        lines[-1] += "…"
    return lines
