"""The training curves: every picture is true and readable; the widget trains and goes on listening."""

import asyncio
import doctest
import importlib
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from picture import NAMESPACE, Read

from cnnlib import explorers, svg
from cnnlib.explorers.widget import Button, Explorer
from cnnlib.layers import Dense, Flatten, MaxPool2D
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential
from cnnlib.optimizers import SGD, Adam
from cnnlib.training import History, TrainingError, fit

module = importlib.import_module("cnnlib.explorers.training")
draw, learn, Run = module.draw, module.learn, module.Run
(LEFT, RIGHT), STEPS = (module.LEFT, module.RIGHT), module.STEPS


def made_up(label, steps, number=0, *, total=0, start=2.4, end=0.1, epoch=44, broke=False, **kept):
    """A run whose losses fall from one value to another, with an accuracy after each epoch."""
    noise = np.random.default_rng(number).normal(size=steps)
    losses = list(np.linspace(start, end, steps) * np.exp(0.1 * noise)) + [math.nan] * broke
    ends = range(epoch, steps + 1, epoch)
    epochs = [{"steps": k, "loss": 1.0, "accuracy": round(k / (steps + 9), 3)} for k in ends]
    history = History(losses, epochs, kept.pop("stopped", ""))
    return Run(label, history, total, number, **kept)


RUNS = [
    made_up("SGD, rate 0.001", STEPS, 0, total=STEPS, end=2.2),
    made_up("SGD with momentum, rate 0.01, MaxPool2D spreads evenly", STEPS, 1, total=STEPS),
    made_up("Adam, rate 1", 130, 2, total=STEPS, end=900, stopped="stopped after 130 of 440 steps"),
    made_up("my own layers, with an optimizer of my own and a name too long", 2345, 3, epoch=469),
    made_up("broken", 57, 4, start=2, end=1e30, broke=True),
    made_up("begun", 1, 5, total=STEPS),
    made_up("wrong", 30, 6, total=STEPS, error="ValueError: " + "this is wrong, and that. " * 20),
    made_up("a_word_that_can_not_be_broken_" * 5, 30_001, 7, epoch=6_000),
    Run("just now", total=STEPS, number=8),
    made_up("at once", 0, 9, broke=True),
]


def polylines(picture, width):
    """The curves of a width, as arrays of (x, y) on the panels."""
    root = ET.fromstring(picture.svg)
    found = [e for e in root.iter(NAMESPACE + "polyline") if e.get("stroke-width") == width]
    return [np.array([p.split(",") for p in e.get("points").split()], float) for e in found]


def losses_at(points):
    """What loss the points of a curve stand for."""
    top, bottom = module.LOSS
    return (bottom - points[:, 1]) / (bottom - top) * module.TOP


def words(picture):
    return [t.words for t in Read(picture.svg).texts]


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0


# ---------------------------------------------------------------------- the training


@pytest.mark.parametrize(("optimizer", "kind"), [("sgd", SGD), ("momentum", SGD), ("adam", Adam)])
def test_it_learns_as_fit_does(optimizer, kind, monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 1)
    history = History()
    for _ in learn(history, optimizer, 0.01, None):
        pass
    training, validation = module._digits()
    network = module._network(None)
    momentum = {"momentum": 0.9} if optimizer == "momentum" else {}
    expected = fit(
        network,
        *training,
        loss=SoftmaxCrossEntropy(),
        optimizer=kind(network, 0.01, **momentum),
        rng=np.random.default_rng(1),
        batch_size=module.BATCH,
        validation=validation,
        progress=False,
    )
    assert history.losses == expected.losses
    assert history.epochs == expected.epochs
    assert network.forward(training[0][:2]).dtype == np.float32


def test_the_steps_are_those_of_the_digits():
    assert len(module._digits()[0][0]) == module.PICTURES


@pytest.mark.parametrize("wrong", module.WRONG)
def test_one_kind_of_layer_is_wrong_on_the_way_back_only(wrong):
    name, broken, _ = module.WRONG[wrong]
    right, mine = module._network(None).layers, module._network(wrong).layers
    for a, b in zip(right, mine, strict=True):
        assert type(b) is (broken if type(a).__name__ == name else type(a))
    x = np.random.default_rng(0).normal(size=(3, 1, 8, 8))
    assert np.array_equal(*(Sequential(layers).forward(x) for layers in (right, mine)))
    dy = np.random.default_rng(1).normal(size=(3, 10))
    back = [Sequential(layers).backward(dy) for layers in (right, mine)]
    assert back[0].shape == back[1].shape and not np.allclose(*back)
    assert issubclass(broken, (Flatten, MaxPool2D))


def test_a_loss_that_is_not_a_number_ends_it(monkeypatch):
    monkeypatch.setattr(SoftmaxCrossEntropy, "forward", lambda *_: math.inf)
    history = History()
    assert list(learn(history, "sgd", 0.1, None)) == []
    assert history.losses == [math.inf]


# ---------------------------------------------------------------------- the picture


@pytest.mark.parametrize("first", range(len(RUNS)))
@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_picture_is_readable_and_tells_every_run(first, count):
    runs = [RUNS[(first + k) % len(RUNS)] for k in range(count)]
    picture = draw(runs)
    read = Read(picture.svg)
    assert read.problems() == []
    assert read.width <= 790 + 28
    assert max(t.bottom for t in read.texts) < read.height

    newest, told = runs[-1], words(picture)
    assert picture.alt.startswith(f"Training curves. Newest: {newest.label}, ")
    assert "ln 10" in told and "≥ 3" in told and "10 %" in told
    for run in runs:
        assert run.label in picture.alt
        if run.losses:
            mean = np.mean(run.losses[-20:])
            assert f"{len(run.losses):,}" in picture.alt
            assert f"loss {svg.short(mean)}" in picture.alt
        if run.scores:
            assert f"accuracy {100 * run.scores[-1][1]:.1f} %" in picture.alt
        assert ("then not a number" in picture.alt) == any(run.broke for run in runs)
    assert sum("✗ not a number at step" in w for w in told) == sum(run.broke for run in runs)
    verdicts = [w for w in told if w.startswith("✗ The loss") or w.startswith("✗ ValueError")]
    assert len(verdicts) == (newest.broke or bool(newest.error))
    if newest.history.stopped:
        assert "Stopped after 130 of 440 steps." in told


@pytest.mark.parametrize("run", [r for r in RUNS if r.losses], ids=lambda r: r.label[:12])
def test_the_curves_lie_where_the_numbers_are(run):
    picture = draw([run])
    (raw,) = polylines(picture, "1")
    (means,) = polylines(picture, "2.5")
    losses, steps = np.array(run.losses), len(run.losses)
    smooth = np.array([losses[max(k - 19, 0) : k + 1].mean() for k in range(steps)])
    length = module._length(run)
    assert length == run.total or steps <= length <= max(100, 2.5 * steps)
    for points, values in ((raw, losses), (means, smooth)):
        assert points[-1, 0] == pytest.approx(LEFT + (RIGHT - LEFT) * steps / length, abs=0.06)
        shown = losses_at(points)
        if steps < 750:
            assert shown == pytest.approx(np.minimum(values, module.TOP), abs=2e-3)
            at = LEFT + (RIGHT - LEFT) * np.arange(1, steps + 1) / length
            assert points[:, 0] == pytest.approx(at, abs=0.06)
        else:  # thinned: neither the highest nor the lowest loss is lost
            assert len(points) <= 1001
            assert shown.max() == pytest.approx(min(values.max(), module.TOP), abs=2e-3)
            assert shown.min() == pytest.approx(values.min(), abs=2e-3)
            assert (np.diff(points[:, 0]) >= 0).all()
    if run.scores:
        (scores,) = polylines(picture, "2")
        top, bottom = module.SCORE
        found = list(zip(*run.scores, strict=True))
        assert (bottom - scores[:, 1]) / (bottom - top) == pytest.approx(found[1], abs=1e-3)
        at = LEFT + (RIGHT - LEFT) * np.array(found[0]) / length
        assert scores[:, 0] == pytest.approx(at, abs=0.06)


def test_a_blind_guess_is_drawn_at_ln_10_and_at_one_tenth():
    root = ET.fromstring(draw().svg)
    lines = [e for e in root.iter(NAMESPACE + "line") if e.get("stroke-dasharray")]
    across = [e for e in lines if float(e.get("x1")) == LEFT]
    y = np.array([float(e.get("y1")) for e in across])
    assert losses_at(np.stack([y, y], axis=1))[0] == pytest.approx(np.log(10), abs=1e-3)
    top, bottom = module.SCORE
    assert (bottom - y[1]) / (bottom - top) == pytest.approx(0.1, abs=1e-3)
    assert len(across) == 2 and len(lines) == 3  # the third is in the list


def test_an_empty_picture_says_what_to_do():
    assert Read(draw().svg).problems() == []
    assert "Press Train for 10 epochs: 440 steps" in draw().alt
    assert 'after_step=curves.follow("my layers")' in draw().alt


def test_the_axis_has_some_round_ticks():
    for steps in [*range(1, 1200), 99_999, 100_000, 10**7]:
        ticks = list(module._ticks(steps))
        assert ticks[0] == 0 and ticks[-1] <= steps < ticks[-1] + ticks[1]
        assert 2 <= len(ticks) <= 10


def test_the_last_five_runs_stay_and_each_keeps_its_colour_and_shape():
    def marks(runs):
        body = draw(runs).svg
        return [set(re.findall(r'<polygon points="([^"]*)"', body)), body]

    runs = [made_up(f"run {k}", 100, k) for k in range(7)]
    shapes, body = marks(runs)
    assert "run 1" not in body and "run 2" in body and len(shapes) == 5
    for k in range(7):
        assert len(marks(runs[k : k + 1])[0] & marks(runs[k : k + 2])[0]) == 1
    newest, older = module.COLOURS[6 % 5], svg.tint(module.COLOURS[5 % 5], module.PALE)
    assert newest in body and older in body
    assert len({svg.tint(colour, module.PALE) for colour in module.COLOURS}) == 5


def test_a_loss_that_stays_at_ln_10_is_called_by_its_name():
    blind = "does no better than a blind guess"
    assert blind in draw([made_up("stuck", 100, start=2.3, end=2.3)]).alt
    assert blind not in draw([made_up("too early", 99, start=2.3, end=2.3)]).alt
    assert blind not in draw([made_up("learns", 100, start=2.3, end=2.0)]).alt
    assert blind in draw([made_up("wild", 100, start=20, end=50)]).alt


# ---------------------------------------------------------------------- the widget


@pytest.fixture
def short(monkeypatch):
    """Trainings of one epoch, and a picture after each step."""
    monkeypatch.setattr(module, "EPOCHS", 1)
    monkeypatch.setattr(module, "STEPS", 44)
    monkeypatch.setattr(module, "PAUSE", -1)


def in_time(coroutine):
    """Run a coroutine, and give up where it would wait for ever."""
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def press(explorer, words):
    """What the browser sends when the button is pressed."""
    explorer._handle_custom_msg({"press": "train", "words": words}, [])


def on_the_button(explorer):
    return dict(explorer.view["controls"])["train"]["words"]


def test_a_button_has_no_value_and_does_what_it_says():
    pressed, state = [], ["go"]

    def push(words):
        pressed.append(words)
        state[0] = "halt"

    explorer = Explorer(
        lambda: svg.cells([len(pressed)]).picture(f"pressed {len(pressed)} times"),
        {"go": Button(lambda: state[0], push)},
    )
    explorer.paint()
    assert explorer.codes == explorer.values == {}
    assert explorer.view["controls"] == [["go", {"kind": "button", "words": "go"}]]
    explorer._handle_custom_msg({"press": "go", "words": "go"}, [])
    assert pressed == ["go"]
    assert explorer.picture.alt == "pressed 1 times"
    assert dict(explorer.view["controls"])["go"]["words"] == "halt"


@pytest.mark.slow
def test_training_in_a_script(short):
    curves = explorers.training("sgd", 0.1, "zeros")
    run = curves.train()
    assert run.label == "SGD, rate 0.1, Flatten sends zeros"
    assert (len(run.losses), run.total, len(run.scores)) == (44, 44, 1)
    assert curves.runs == [run]
    assert curves.picture.alt == draw([run]).alt == curves.picture.alt
    again = curves.train()
    assert again.losses == run.losses and again.number == 1
    for _ in range(5):
        curves.train()
    assert [r.number for r in curves.runs] == [2, 3, 4, 5, 6]


def test_the_button_trains_while_the_kernel_goes_on(short):
    async def watch():
        curves = explorers.training("adam", 0.01)
        seen = []
        curves.observe(lambda change: seen.append(curves.picture.alt), "view")
        assert on_the_button(curves) == "Train"
        press(curves, "Train")
        assert on_the_button(curves) == "Stop"
        while not curves.runs or len(curves.runs[0].losses) < 10:
            await asyncio.sleep(0)
        # What is moved meanwhile is for the next training.
        curves.codes = curves.codes | {"rate": "1", "wrong": "Flatten swaps H and W"}
        press(curves, "Train")  # twice is once
        while on_the_button(curves) == "Stop":
            await asyncio.sleep(0)
        assert [run.label for run in curves.runs] == ["Adam, rate 0.01"]
        assert len(curves.runs[0].losses) == 44
        grown = [int(n) for alt in seen for n in re.findall(r"rate 0.01, (\d+)", alt)]
        assert grown == sorted(grown) and len(set(grown)) > 40
        assert curves.picture.alt == draw(curves.runs).alt

        press(curves, "Train")
        while len(curves.runs) < 2 or len(curves.runs[1].losses) < 10:
            await asyncio.sleep(0)
        press(curves, "Stop")
        while on_the_button(curves) == "Stop":
            await asyncio.sleep(0)
        run = curves.runs[1]
        assert run.label == "Adam, rate 1, Flatten swaps H and W"
        assert 10 <= len(run.losses) < 44
        assert f"Stopped after {len(run.losses)} of 44 steps" in curves.picture.alt
        steps = len(run.losses)
        press(curves, "Stop")  # too late
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(run.losses) == steps and len(curves.runs) == 2

    in_time(watch())


def test_stopped_before_the_first_step(short):
    async def watch():
        curves = explorers.training()
        press(curves, "Train")
        press(curves, "Stop")
        for _ in range(5):
            await asyncio.sleep(0)
        assert on_the_button(curves) == "Train"
        press(curves, "Train")
        await asyncio.sleep(0)
        assert on_the_button(curves) == "Stop"
        curves.close()

    in_time(watch())


def test_an_error_shows_in_the_picture(short, monkeypatch):
    def broken(*_):
        raise TrainingError("fit: the weights have left the building")

    async def watch():
        curves = explorers.training()
        press(curves, "Train")
        while on_the_button(curves) == "Stop":
            await asyncio.sleep(0)
        return curves

    monkeypatch.setattr(Adam, "step", broken)
    curves = in_time(watch())
    assert "✗ TrainingError: fit: the weights have left the building" in curves.picture.alt
    assert "✗ TrainingError: fit: the weights have left the building" in words(curves.picture)
    with pytest.raises(TrainingError, match="left the building"):
        curves.train()


def test_a_widget_that_is_closed_trains_no_more(short):
    async def watch():
        tasks = asyncio.all_tasks()
        curves = explorers.training()
        press(curves, "Train")
        while not curves.runs or len(curves.runs[0].losses) < 3:
            await asyncio.sleep(0)
        curves.close()
        await asyncio.sleep(0)
        steps = len(curves.runs[0].losses)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(curves.runs[0].losses) == steps < 44
        assert asyncio.all_tasks() == tasks

    in_time(watch())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0.5}, "Learning rate: 0.5 is not on offer; choose one of 0.001, 0.01, 0.1, 1"),
        ({"optimizer": "Adam"}, "Optimizer: 'Adam' is not on offer"),
        ({"wrong": "dense"}, "Wrong backward: 'dense' is not on offer"),
    ],
)
def test_what_is_not_on_offer_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        explorers.training(**settings)


# ---------------------------------------------------------------------- following a fit


def fit_one_layer(after_step, rate=0.1, loss=SoftmaxCrossEntropy):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    network = Dense(4, 3, rng=rng)
    return fit(
        network,
        x,
        x[:, :3].argmax(axis=1),
        loss=loss(),
        optimizer=SGD(network, rate),
        rng=rng,
        epochs=2,
        batch_size=10,
        validation=(x, x[:, :3].argmax(axis=1)),
        progress=False,
        after_step=after_step,
    )


def test_a_fit_is_followed_step_by_step_and_to_its_last_accuracy(monkeypatch):
    monkeypatch.setattr(module, "PAUSE", -1)

    async def cell():
        curves, seen = explorers.training(), []
        curves.observe(lambda change: seen.append(curves.picture.alt), "view")
        history = fit_one_layer(curves.follow("one layer"))
        during = len(seen)
        await asyncio.sleep(0)
        return curves, history, seen, during

    curves, history, seen, during = in_time(cell())
    assert [alt.partition(" step")[0] for alt in seen[:during]] == [
        f"Training curves. Newest: one layer, {k}" for k in range(1, 13)
    ]
    (run,) = curves.runs
    assert run.losses == history.losses
    assert run.scores == [(6, history.epochs[0]["accuracy"]), (12, history.epochs[1]["accuracy"])]
    # The last accuracy is measured after the last step; it is painted when the cell is over.
    assert len(seen) == during + 1
    assert f"accuracy {100 * run.scores[1][1]:.1f} %" in seen[-1]


def test_each_fit_is_a_run_of_its_own():
    curves = explorers.training()
    follow = curves.follow("one layer")
    fit_one_layer(follow)
    fit_one_layer(follow, rate=0.01)
    fit_one_layer(curves.follow("another"))
    assert [run.label for run in curves.runs] == ["one layer", "one layer", "another"]
    assert [len(run.losses) for run in curves.runs] == [12, 12, 12]


def test_pictures_are_far_enough_apart_not_to_slow_a_fit_down(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    curves, painted = explorers.training(), []
    curves.observe(lambda change: painted.append(clock[0]), "view")
    after_step, history = curves.follow("mine"), History()
    for step in range(1, 1001):
        clock[0] = 5 + 0.002 * step
        history.losses.append(1 / step)
        after_step(history)
    assert 17 <= len(painted) <= 20  # in two seconds
    assert min(np.diff(painted)) >= 0.1


def test_a_fit_that_breaks_says_so_in_the_picture():
    class Breaks(SoftmaxCrossEntropy):
        steps = 0

        def forward(self, logits, labels):
            self.steps += 1
            return math.nan if self.steps == 9 else super().forward(logits, labels)

    async def cell():
        curves = explorers.training()
        with pytest.raises(TrainingError):
            fit_one_layer(curves.follow("too fast"), loss=Breaks)
        await asyncio.sleep(0)
        return curves

    curves = in_time(cell())
    (run,) = curves.runs
    assert run.broke and len(run.losses) == 8
    assert "✗ The loss of step 9 is not a number" in curves.picture.alt
    assert "✗ not a number at step 9" in words(curves.picture)
