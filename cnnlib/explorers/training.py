"""Training curves, live: loss and accuracy while a network learns, beside earlier trainings."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np

from cnnlib import datasets, svg
from cnnlib.explorers import states
from cnnlib.explorers.widget import Button, Choice, Explorer, Slider
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
    "zeros": ("Flatten", CutsTheGraph, "Flatten sends zeros"),
}
EPOCHS, BATCH = 10, 32
PICTURES = 1400
STEPS = EPOCHS * -(-PICTURES // BATCH)
KEPT = 5  # trainings that are shown, the newest among them
SMOOTH = 20  # the strong curves are means of so many steps
BLIND = math.log(10)  # the loss where each of ten classes gets the same probability
TOP = 3  # the loss's axis ends here
PAUSE = 0.1  # seconds between two pictures of a training

# Pixels on the screen: the whole, the panels' left and right end, where the list of runs begins,
# the upper and lower ends of the two panels, and the height of it all.
WIDTH, LEFT, RIGHT, LIST = 790, 44, 542, 562
LOSS, SCORE, HEIGHT = (26, 226), (272, 392), 430
PALE, GRID = 0.5, "#E6EAEE"
COLOURS = (svg.BLUE, svg.VERMILLION, svg.GREEN, svg.PURPLE, svg.BLACK)


@dataclass
class Run:
    """One training: what it is called, what has happened in it, and how long it is meant to be."""

    label: str
    history: History = field(default_factory=History, repr=False)
    total: int = 0
    """The number of steps planned, or 0 where nobody knows it."""
    number: int = 0
    """How many were begun before; it chooses the colour, which stays with the run."""
    error: str = ""
    """What broke the training, where nobody else would hear of it."""

    @property
    def losses(self) -> list[float]:
        """The loss of each step, without one that is not a number."""
        losses = self.history.losses
        return losses[:-1] if self.broke else losses

    @property
    def broke(self) -> bool:
        """Whether the last loss is not a number; there every training ends."""
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
                "Wrong backward",
                {
                    "none": None,
                    **{words: name for name, (_, _, words) in WRONG.items()},
                },
            ),
            "train": Button(lambda: "Stop" if self._training else "Train", self._start_or_stop),
        }
        super().__init__(
            lambda **_: draw(self.runs), controls, packed=lambda: states.stored(draw), **settings
        )

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
            run.error = f"{type(error).__name__}: {error}"

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
    Training curves. Newest: a lucky one, 2 steps, loss 1.5. A blind guess among ten classes: \
loss ln 10 = 2.30, accuracy 10 %.
    """
    return _Scene(list(runs)[-KEPT:]).picture()


training.draw = draw


def recorded() -> tuple[Callable[..., svg.Picture], dict[str, Slider]]:
    """Train once, and return a picture of each stage and the slider to go through them.

    It travels with the page, for where no kernel can train.
    """
    run = Run("A recorded training: Adam, rate 0.01", total=STEPS)
    for _ in learn(run.history, "adam", 0.01, None):
        pass
    stage = STEPS // (2 * EPOCHS)  # two pictures for each epoch

    def draw_stage(stages: int) -> svg.Picture:
        steps = stages * stage
        epochs = [epoch for epoch in run.history.epochs if epoch["steps"] <= steps]
        return draw([replace(run, history=History(run.history.losses[:steps], epochs))])

    slider = Slider(
        "Steps of training",
        lambda values: 2 * EPOCHS,
        words=lambda values: f"{values['stages'] * stage} of {STEPS}",
        walk=0,
    )
    return draw_stage, {"stages": slider}


class _Scene:
    """One picture: what it tells, then how its parts are drawn."""

    def __init__(self, runs: list[Run]):
        self.runs = runs
        self.newest = runs[-1] if runs else None
        self.steps = max(map(_length, runs), default=STEPS)

    def picture(self) -> svg.Picture:
        body = self.axes() + "".join(map(self.curves, self.runs)) + self.legend()
        panels = svg.Drawing(body, WIDTH, HEIGHT)
        return svg.above(self.header(), panels, self.verdict(), gap=10).picture(self.alt())

    # What it tells

    def title(self) -> str:
        return self.newest.label if self.newest else "Nothing has been trained yet"

    def state(self) -> str:
        if self.newest is None:
            return f"Press Train for {EPOCHS} epochs: {STEPS} steps, of {BATCH} digits each."
        return _told(self.newest)

    def conclusion(self) -> tuple[str, str]:
        """Say what there is to say about the newest training, and in which colour."""
        run = self.newest
        if run is None:
            return 'Or show a fit of your own: after_step=curves.follow("my layers").', svg.INK
        if run.error:
            return f"✗ {run.error}", svg.WRONG
        if run.broke:
            words = f"The loss of step {len(run.history.losses):,} is not a number"
            return f"✗ {words}. Most often, the learning rate is too large.", svg.WRONG
        if run.history.stopped:
            return f"{run.history.stopped[0].upper()}{run.history.stopped[1:]}.", svg.INK
        if len(run.losses) >= 5 * SMOOTH and run.loss > 0.95 * BLIND:
            return "So far it does no better than a blind guess.", svg.INK
        return f"A blind guess among ten classes: loss ln 10 = {BLIND:.2f}, accuracy 10 %.", svg.INK

    def alt(self) -> str:
        if self.newest is None:
            return f"Training curves, still empty. {self.state()} {self.conclusion()[0]}"
        told = f"Training curves. Newest: {self.newest.label}, {_told(self.newest)}."
        before = "; ".join(f"{run.label}, {_told(run)}" for run in self.runs[-2::-1])
        before = f" Before it: {before}." if before else ""
        return f"{told} {self.conclusion()[0]}{before}"

    # How it is drawn

    def header(self) -> svg.Drawing:
        (title,) = _lines(self.title(), WIDTH, 1, size=17, weight="bold")
        return svg.above(
            svg.label(title, size=17, weight="bold"),
            svg.label(self.state(), fill=svg.QUIET),
            gap=4,
        )

    def verdict(self) -> svg.Drawing:
        words, colour = self.conclusion()
        lines = _lines(words, WIDTH, 3, size=14)
        return svg.above(*(svg.label(line, size=14, fill=colour) for line in lines), gap=2)

    def axes(self) -> str:
        titles = (
            (LOSS, f"loss: of each step (pale), and the mean of the last {SMOOTH}"),
            (SCORE, "accuracy on the validation pictures, after each epoch"),
        )
        body = "".join(
            svg.text(LEFT, top - 16, words, size=12, weight="bold") for (top, _), words in titles
        )
        for step in _ticks(self.steps):
            x = self.x(step)
            for top, bottom in (LOSS, SCORE):
                body += svg.line(x, top, x, bottom, stroke=GRID, stroke_width=1)
            body += svg.text(
                x, SCORE[1] + 12, f"{step:,}", size=11, anchor="middle", fill=svg.QUIET
            )
        body += svg.text((LEFT + RIGHT) / 2, SCORE[1] + 30, "steps", size=12, anchor="middle")
        for value, words in ((0, "0"), (1, "1"), (2, "2"), (BLIND, "ln 10"), (TOP, f"≥ {TOP}")):
            body += _level(_loss_y(value), words, blind=value == BLIND)
        for share in (0, 0.1, 0.5, 1):
            body += _level(_score_y(share), f"{100 * share:g} %", blind=share == 0.1)
        return body

    def curves(self, run: Run) -> str:
        new, colour = run is self.newest, self.colour(run)
        body, losses = "", np.array(run.losses)
        if len(losses):
            steps, means = np.arange(1, len(losses) + 1), _smooth(losses)
            if new:
                pale = svg.tint(COLOURS[run.number % len(COLOURS)], 0.35)
                body += self.way(*_thin(steps, losses), _loss_y, pale, 1)
            body += self.way(*_thin(steps, means), _loss_y, colour, 2.5 if new else 1.75)
            end = self.x(steps[-1]), _loss_y(means[-1])
            if run.broke:
                body += svg.text(*end, "✗", size=18, anchor="middle", fill=svg.WRONG, weight="bold")
            else:
                body += _marker(run.number, *end, colour)
        if run.scores:
            steps, shares = zip(*run.scores, strict=True)
            body += self.way(steps, shares, _score_y, colour, 2 if new else 1.25)
            for step, share in run.scores:
                body += _marker(run.number, self.x(step), _score_y(share), colour)
        return body

    def legend(self) -> str:
        """Draw, to the right, which curve is whose, and where it is now."""
        body, y, x = "", LOSS[0] + 6, LIST + 32
        for run in reversed(self.runs):
            new, colour = run is self.newest, self.colour(run)
            body += svg.line(
                LIST, y, LIST + 24, y, stroke=colour, stroke_width=2.5 if new else 1.75
            )
            body += _marker(run.number, LIST + 12, y, colour)
            style = {"size": 12, "weight": "bold" if new else "normal"}
            for words in _lines(run.label, WIDTH - x, 2, **style):
                body += svg.text(x, y, words, **style)
                y += 16
            fill = svg.WRONG if run.broke or run.error else svg.QUIET
            body += svg.text(x, y, _briefly(run), size=11, fill=fill)
            y += 26
        y = SCORE[1]
        body += svg.line(LIST, y, LIST + 24, y, stroke_width=1, dashed=True)
        return body + svg.text(x, y, "a blind guess", size=12)

    def colour(self, run: Run) -> str:
        colour = COLOURS[run.number % len(COLOURS)]
        return colour if run is self.newest else svg.tint(colour, PALE)

    def x(self, step: float) -> float:
        return float(LEFT + (RIGHT - LEFT) * step / self.steps)

    def way(self, steps, values, y: Callable, colour: str, width: float) -> str:
        points = " ".join(
            f"{self.x(step):.1f},{y(value):.1f}" for step, value in zip(steps, values, strict=True)
        )
        return (
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            'stroke-linejoin="round"/>'
        )


def _loss_y(loss: float) -> float:
    top, bottom = LOSS
    return float(bottom - (bottom - top) * min(loss, TOP) / TOP)


def _score_y(share: float) -> float:
    top, bottom = SCORE
    return float(bottom - (bottom - top) * share)


def _level(y: float, words: str, blind: bool) -> str:
    """Draw a line across a panel, and its value to the left."""
    stroke, fill = (svg.INK, svg.INK) if blind else (GRID, svg.QUIET)
    return svg.line(LEFT, y, RIGHT, y, stroke=stroke, stroke_width=1, dashed=blind) + svg.text(
        LEFT - 6, y, words, size=11, anchor="end", fill=fill
    )


def _length(run: Run) -> int:
    """How many steps of the axis a run needs: as planned, or the next round number."""
    steps = len(run.history.losses)
    if run.total:
        return max(run.total, steps)
    power = 10 ** max(len(str(steps)) - 1, 2)
    return next(k * power for k in (1, 2, 4, 6, 8, 10) if steps <= k * power)


def _ticks(steps: int) -> range:
    power = 10 ** (len(str(steps)) - 1)
    apart = next(k for k in (power // 5, power // 2, power, 2 * power) if steps <= 5 * k)
    return range(0, steps + 1, apart)


def _told(run: Run) -> str:
    """Say how far a run is."""
    steps = len(run.losses)
    planned = f" of {run.total:,}" if run.total > steps else ""
    told = f"{steps:,}{planned} step{'s' * (steps != 1 or bool(planned))}"
    if steps:
        told += f", loss {svg.short(run.loss)}"
    if run.scores:
        told += f", accuracy {100 * run.scores[-1][1]:.1f} %"
    return f"{told}, then not a number" if run.broke else told


def _briefly(run: Run) -> str:
    if run.broke:
        return f"✗ not a number at step {len(run.history.losses):,}"
    score = f", {100 * run.scores[-1][1]:.1f} %" if run.scores else ""
    loss = f": loss {svg.short(run.loss)}" if run.losses else ""
    return f"{'✗ ' * bool(run.error)}step {len(run.losses):,}{loss}{score}"


def _smooth(losses: np.ndarray) -> np.ndarray:
    """Return the mean of each loss and those before it, of 20 at most."""
    sums = np.convolve(losses, np.ones(SMOOTH))[: len(losses)]
    return sums / np.minimum(np.arange(1, len(losses) + 1), SMOOTH)


def _thin(steps: np.ndarray, losses: np.ndarray, bins: int = 250) -> tuple[np.ndarray, np.ndarray]:
    """Keep, of many neighbours, the lowest and the highest: more could not be seen."""
    size = len(losses) // bins
    if size < 3:
        return steps, losses
    whole = len(losses) - len(losses) % size
    parts = losses[:whole].reshape(-1, size)
    ends = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1).ravel()
    middles = np.repeat(steps[size // 2 : whole : size], 2)
    return np.append(middles, steps[-1]), np.append(ends, losses[-1])


def _marker(number: int, x: float, y: float, colour: str) -> str:
    """Draw a small shape; each of the five colours has its own, so it isn't needed to tell them."""
    shapes = (
        "-4,-4 4,-4 4,4 -4,4",
        "0,-5 5,4 -5,4",
        "0,-5.5 5.5,0 0,5.5 -5.5,0",
        "0,5 5,-4 -5,-4",
        "-2,-5.5 2,-5.5 2,5.5 -2,5.5",
    )
    return svg.move(f'<polygon points="{shapes[number % len(shapes)]}" fill="{colour}"/>', x, y)


def _lines(words: str, width: float, most: int, **style) -> list[str]:
    """Break words into lines that fit; where there are too many, the last ends in an ellipsis."""
    fits = lambda line: svg.text_width(line, **style) <= width  # noqa: E731
    lines = [""]
    for word in words.split():
        if lines[-1] and not fits(f"{lines[-1]} {word}"):
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [line if fits(line) else _cut(line, fits) for line in lines]


def _cut(line: str, fits: Callable[[str], bool]) -> str:
    while line and not fits(f"{line}…"):
        line = line[:-1]
    return f"{line.rstrip()}…"
