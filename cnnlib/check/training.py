"""The checks of lesson 07, continued: the training loop, judged by what it did and in which order.

``train`` runs with stand-ins that write a diary (`cnnlib.check.diary`). What is right does not hang on how
somebody shuffles, so the diary is not compared with another one: it is asked questions.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from cnnlib import training
from cnnlib.check.diagnosis import Finding, close, number, shorten
from cnnlib.check.diary import (
    CLASSES,
    Diary,
    Entry,
    in_words,
    right_after,
    short_numbers,
    value_after,
)
from cnnlib.check.engine import Case, Comparison, attempt, remarks
from cnnlib.check.failure import Failed

VALIDATION = 11


def _train(network, loss, optimizer, training_set, validation, epochs, batch_size, rng):
    images, labels = training_set
    history = []
    for _ in range(epochs):
        losses = []
        for batch in training.minibatches(len(images), batch_size, rng):
            losses.append(loss.forward(network.forward(images[batch]), labels[batch]))
            network.backward(loss.backward())
            optimizer.step()
        history.append((np.mean(losses), training.accuracy(network, *validation)))
    return history


_train.__name__ = "train"


@dataclass(frozen=True)
class Setting:
    """How many pictures are learned from, in batches of which size, how often."""

    pictures: int
    batch_size: int
    epochs: int
    note: str = ""
    seed: int = 0

    @property
    def sizes(self) -> list[int]:
        """The number of pictures in each batch of an epoch."""
        starts = range(0, self.pictures, self.batch_size)
        return [min(self.batch_size, self.pictures - start) for start in starts]

    @property
    def extreme(self) -> bool:
        """Whether there is no whole batch: a loop that waits for one may divide by 0."""
        return self.batch_size > self.pictures

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        return {
            "images": short_numbers(rng, (self.pictures, 1, 2, 3)),
            "labels": rng.permutation(CLASSES)[: self.pictures],
            "validation_images": short_numbers(rng, (VALIDATION, 1, 2, 3)),
            "validation_labels": rng.permutation(CLASSES)[:VALIDATION],
        }

    def __str__(self):
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        text = f"{self.pictures} pictures, batch_size {self.batch_size}, {epochs}"
        return f"{text}: {self.note}" if self.note else text


USUAL = Setting(10, 3, 3, "the last batch of each epoch is smaller")
SETTINGS = (
    USUAL,
    Setting(12, 4, 3),
    Setting(9, 20, 2, "fewer pictures than a batch holds"),
    Setting(10, 1, 2, "batches of a single picture"),
    Setting(12, 5, 1),
)


def _run(train, setting, images, labels, validation_images, validation_labels):
    """Call train with stand-ins: return their diary, and what train returns."""
    learn, validate = (images, labels), (validation_images, validation_labels)
    diary = Diary([a.copy() for a in learn], [a.copy() for a in validate])
    history = train(
        diary.network,
        diary.loss,
        diary.optimizer,
        learn,
        validate,
        setting.epochs,
        setting.batch_size,
        np.random.default_rng(setting.seed),
    )
    return diary, history


# ---------------------------------------------------------------------------- what the diary tells


@dataclass(frozen=True)
class Step:
    """One optimizer step: its place in the diary, and the ways back since the one before."""

    place: int
    walks: tuple[Entry, ...]

    @property
    def pictures(self) -> tuple[str, ...]:
        """Whose gradient the weights hold when it comes: that of the last way back."""
        return self.walks[-1].pictures if self.walks else ()


@dataclass(frozen=True)
class Reading:
    """A diary, read step by step and epoch by epoch."""

    diary: Diary
    setting: Setting

    @property
    def entries(self) -> list[Entry]:
        return self.diary.entries

    @cached_property
    def steps(self) -> list[Step]:
        found, walks = [], []
        for place, entry in enumerate(self.entries):
            if entry.call == "network.backward":
                walks.append(entry)
            if entry.call == "optimizer.step":
                found.append(Step(place, tuple(walks)))
                walks = []
        return found

    @cached_property
    def epochs(self) -> list[list[Step]]:
        """The steps of each epoch: from one validation to the next, or else as many as an epoch has."""
        parts, part, previous = [], [], 0
        for step in self.steps:
            between = self.entries[previous : step.place]
            if part and any(e.call == "network.forward" and e.validates for e in between):
                parts.append(part)
                part = []
            part.append(step)
            previous = step.place
        parts += [part] if part else []
        if len(parts) == self.setting.epochs:
            return parts
        length = len(self.setting.sizes)
        return [self.steps[k : k + length] for k in range(0, len(self.steps), length)]

    @cached_property
    def broken(self) -> list:
        """The rules that were broken."""
        return [rule for rule in RULES if next(rule(self), None) is not None]

    def shown_behind(self, epoch: int) -> str:
        """Which pictures the network saw when an epoch's steps were done, before it learned again."""
        place = self.epochs[epoch][-1].place
        later = [entry for entry in self.entries[place:] if entry.call.startswith("network")]
        calls = [entry.call for entry in later]
        if "network.backward" in calls:
            later = later[: calls.index("network.backward") - 1]
        return in_words(tuple(name for entry in later for name in entry.pictures)) or "nothing"

    @property
    def history(self) -> np.ndarray:
        """What would be right to return for these steps."""
        done, pairs = 0, []
        for epoch in self.epochs:
            losses = [value_after(step) for step in range(done, done + len(epoch))]
            done += len(epoch)
            pairs.append((np.mean(losses), right_after(done, VALIDATION) / VALIDATION))
        return np.array(pairs)

    def batches(self, epoch: int) -> str:
        """What an epoch learned from, batch by batch, for the learner."""
        return " | ".join(", ".join(step.pictures) or "nothing" for step in self.epochs[epoch])


RULES: list = []


def rule(says: str, hint: str) -> Callable:
    """Mark a function that yields, for each place of a reading where a rule is broken, facts about it."""

    def mark(broken):
        broken.says, broken.hint = says, hint
        RULES.append(broken)
        return broken

    return mark


def _at(reading: Reading, place: int) -> dict[str, str]:
    return {"diary": reading.diary.excerpt(place)}


def _calls(reading: Reading, call: str) -> Iterator[tuple[int, Entry]]:
    return ((k, entry) for k, entry in enumerate(reading.entries) if entry.call == call)


@rule(
    "Nothing happens: train calls neither the network, nor the loss, nor the optimizer.",
    "Is your loop ever entered? And is there a `yield`? A function with a yield in it does nothing until "
    "somebody asks for what it yields.",
)
def nothing_happens(reading):
    if not reading.entries:
        yield {}


@rule(
    "What reaches network.forward are not the pictures as they came.",
    "Which of your lines calculates with the pictures? train only picks and hands on.",
)
def other_pictures(reading):
    for place, entry in _calls(reading, "network.forward"):
        if "?" in entry.pictures:
            yield _at(reading, place)


@rule(
    "The loss gets probabilities, where it asks for scores.",
    "What does SoftmaxCrossEntropy begin with?",
)
def probabilities(reading):
    for place, entry in _calls(reading, "loss.forward"):
        if entry.got == "probabilities":
            yield _at(reading, place)


@rule(
    "The loss gets something else than the scores that network.forward returned.",
    "What happens to the scores on their way to the loss?",
)
def other_scores(reading):
    for place, entry in _calls(reading, "loss.forward"):
        if entry.got:
            yield _at(reading, place)


@rule(
    "The loss compares scores with labels of other pictures.",
    "labels[4] belongs to images[4]. Which of your lines picks the pictures of a batch, and which one their labels?",
)
def other_labels(reading):
    for place, entry in _calls(reading, "loss.forward"):
        if not entry.got and entry.labels != entry.pictures:
            yield _at(reading, place)


def _handed_on(got: str, says: str, hint: str):
    @rule(says, hint)
    def wrong_gradient(reading):
        for place, entry in _calls(reading, "network.backward"):
            if entry.got.startswith(got):
                yield _at(reading, place)

    return wrong_gradient


_GRADIENT = "Who knows how the loss changes with each score? Which method of it says so?"
_handed_on("a single", "network.backward gets a single number, no gradient.", _GRADIENT)
_handed_on("nothing", "network.backward gets None, no gradient.", _GRADIENT)
_handed_on("scores", "network.backward gets the scores, no gradient.", _GRADIENT)
_handed_on(
    "something", "network.backward gets something that loss.backward did not return.", _GRADIENT
)
_handed_on(
    "the gradient for",
    "The gradient that loss.backward returned is scaled before it reaches network.backward.",
    "The loss is already a mean over the batch. Who takes care of the learning rate?",
)


@rule(
    "The gradient that walks back is one from before the last step.",
    "A step changes the weights. Which calls belong between two steps, and in which order?",
)
def old_gradient(reading):
    for place, entry in _calls(reading, "network.backward"):
        if not entry.got and entry.since < entry.steps:
            yield _at(reading, place)


@rule(
    "The gradient of one batch walks back, but the last to walk forward were other pictures.",
    "Each layer remembers one forward only, the last. Whose numbers does it hold when backward comes?",
)
def other_batch(reading):
    last = None
    for place, entry in enumerate(reading.entries):
        if entry.call == "network.forward":
            last = entry
        if entry.call == "network.backward" and entry.pictures and last is not None:
            if entry.pictures != last.pictures:
                yield _at(reading, place)


@rule(
    "optimizer.step() is called where no gradient has walked back since the step before.",
    "step reads each layer's dW and db. Who sets them, and when?",
)
def step_without_gradient(reading):
    for step in reading.steps:
        if not step.walks:
            yield _at(reading, step.place)


@rule(
    "Several gradients walk back before one step. Each sets dW and db anew, so only the last one counts.",
    "How many steps are there for each batch?",
)
def lost_gradients(reading):
    for step in reading.steps:
        if len(step.walks) > 1:
            yield _at(reading, step.place)


@rule(
    "A gradient has walked back, and no step follows.",
    "dW and db say where the weights should go. Who moves them?",
)
def no_step(reading):
    end = reading.steps[-1].place if reading.steps else -1
    for place, _ in _calls(reading, "network.backward"):
        if place > end:
            yield _at(reading, place)


@rule(
    "No gradient ever walks back through the network.",
    "What has to happen between the loss and the step?",
)
def no_gradient(reading):
    if not any(_calls(reading, "network.backward")):
        yield {}


@rule(
    "The network learns from validation pictures.",
    "They are there to measure on. Which calls measure, and which ones learn?",
)
def learns_from_validation(reading):
    for step in reading.steps:
        if any(name.startswith("v") for name in step.pictures):
            yield _at(reading, step.place)


def _epoch(reading: Reading, epoch: int, **more) -> dict[str, str]:
    return {f"epoch {epoch + 1}": reading.batches(epoch)} | more


@rule(
    "The batches of an epoch don't have the sizes that they should.",
    "Deal the pictures out, batch_size at a time. How many are left for the last one?",
)
def other_sizes(reading):
    for k, epoch in enumerate(reading.epochs):
        if sorted(len(s.pictures) for s in epoch) != sorted(reading.setting.sizes):
            sizes = ", ".join(map(str, reading.setting.sizes))
            yield _epoch(reading, k, expected=f"batches of {sizes} pictures")


def _learned(epoch: list[Step]) -> list[str]:
    return [name for step in epoch for name in step.pictures]


@rule(
    "Not every picture is learned from in each epoch.",
    "Write down the indices of each batch. Which ones never come?",
)
def left_out(reading):
    for k, epoch in enumerate(reading.epochs):
        missing = sorted(
            set(map(str, range(reading.setting.pictures))) - set(_learned(epoch)), key=int
        )
        if missing:
            yield _epoch(reading, k, **{"left out": ", ".join(missing)})


@rule(
    "Some pictures are learned from more than once in an epoch.",
    "Write down the indices of each batch. Where does the next one begin?",
)
def repeated(reading):
    for k, epoch in enumerate(reading.epochs):
        names = _learned(epoch)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            yield _epoch(reading, k, **{"more than once": ", ".join(twice)})


def _in_file_order(names: list[str]) -> bool:
    return names == [str(k) for k in range(len(names))]


@rule(
    "The pictures come in the order of the file: nothing is shuffled.",
    "Sorted files put all shirts into one batch. What is `rng` there for?",
)
def file_order(reading):
    for k, epoch in enumerate(reading.epochs):
        if len(epoch) > 1 and _in_file_order(_learned(epoch)):
            yield _epoch(reading, k)


@rule(
    "Each epoch has the same order as the one before.",
    "How often does your line that shuffles run?",
)
def same_order(reading):
    for k, (one, other) in enumerate(pairwise(reading.epochs)):
        if len(one) > 1 and _learned(one) == _learned(other):
            yield _epoch(reading, k) | _epoch(reading, k + 1)


def _dealt(epoch: list[Step]) -> set:
    return {frozenset(step.pictures) for step in epoch}


@rule(
    "The same pictures meet in a batch in every epoch; only the order of the batches is another one.",
    "What has to be shuffled: the batches, or the pictures before they are dealt into batches?",
)
def same_batches(reading):
    dealt = [_dealt(epoch) for epoch in reading.epochs]
    if len(dealt) < 2 or len(reading.setting.sizes) in (1, reading.setting.pictures):
        return
    if all(one == dealt[0] for one in dealt):
        yield _epoch(reading, 0) | _epoch(reading, 1)


@rule(
    "The number of steps is not that of all batches of all epochs.",
    "How many batches has an epoch, and how many epochs are there?",
)
def other_number_of_steps(reading):
    expected = len(reading.setting.sizes) * reading.setting.epochs
    if len(reading.steps) != expected:
        yield {"expected": f"{expected} steps", "got": f"{len(reading.steps)} steps"}


def _traits(reading) -> list[float]:
    """What is the same for everybody who makes the same mistake, in whatever order the pictures come."""
    told = [
        name for _, e in _calls(reading, "loss.forward") if not e.validates for name in e.labels
    ]
    walks = [entry for _, entry in _calls(reading, "network.backward")]
    sizes = [len(step.pictures) for step in reading.steps] or [0]
    first = reading.epochs[0] if reading.epochs else []
    return [
        len(reading.steps),
        len(walks),
        sum(sizes),
        sizes[0],
        sizes[-1],
        walks[0].factor if walks else 1.0,
        _in_file_order(told[: reading.setting.pictures]),
        len(first) > len(_dealt(first)) == 1,
    ]


def _facts(setting: Setting) -> Callable:
    """For each rule whether it is broken; and if one is, the traits of what train did."""

    def run(train, **arrays):
        reading = Reading(_run(train, setting, **arrays)[0], setting)
        broken = [rule in reading.broken for rule in RULES]
        traits = np.array(_traits(reading), float)
        return np.array([*traits * any(broken), *broken])

    return run


@dataclass(frozen=True, eq=False)
class Run(Case):
    """A case of one run: what it is about says more than the shapes of its arrays."""

    @property
    def where(self) -> str:
        return self.note


# ---------------------------------------------------------------------------- train_steps


class Steps(Comparison):
    """Judges what train did; where no misconception fits, the first broken rule is told, with its place."""

    def _failure(self, thing, trials, wrong, known):
        untouched = not any(t.outcome.changed for t in wrong)
        trial = next((t for t in wrong if t.outcome.error is None and untouched), None)
        if trial is None:
            return super()._failure(thing, trials, wrong, known)
        told, facts = _first_broken(thing, trial.case)
        finding = known or told
        facts = {"where": trial.case.note} | facts | remarks(trial.outcome, finding.hint)
        return Failed(self.title, finding.says, facts)


def _first_broken(thing, case: Case) -> tuple:
    """The first rule that is broken, and the facts of the first place where it is."""
    if case.result == "orders":
        broken = attempt(case, thing).value
        return next((f for f, seen in zip(SHUFFLING, broken, strict=True) if seen), BY_CHANCE), {}
    reading = _read(thing, case)
    if not reading.broken:
        return BY_CHANCE, {}
    return reading.broken[0], next(reading.broken[0](reading))


def _read(thing, case: Case) -> Reading:
    """Run train once more, for its diary."""
    setting = next(s for s in SETTINGS if str(s) == case.note)

    def run(train, **arrays):
        return Reading(_run(train, setting, **arrays)[0], setting)

    return attempt(replace(case, run=run), thing).value


BY_CHANCE = Finding(
    "Called twice with the same arguments, train is right once, and wrong once.",
    "What is left over from the first call, or comes from somewhere else than the arguments?",
)
SHUFFLING = (
    Finding(
        "Two runs with generators of one seed don't shuffle alike, so nobody can repeat a run.",
        "Where do your random numbers come from? Only `rng` may give them.",
    ),
    Finding(
        "Generators of different seeds shuffle alike: your order does not come from `rng`.",
        "Where do your random numbers come from? Only `rng` may give them.",
    ),
    Finding(
        "You shuffle with NumPy's global random numbers, not with `rng`.",
        "Which generator was handed to train?",
    ),
    Finding(
        "You shuffle with Python's global random numbers, not with `rng`.",
        "Which generator was handed to train?",
    ),
)


def _global_states() -> tuple:
    """Of the random numbers that belong to nobody: NumPy's, and Python's."""
    _, keys, place, *_ = np.random.get_state()  # noqa: NPY002 – to see whether somebody uses it
    return (keys.tobytes(), place), random.getstate()


def _orders(train, **arrays):
    """Whether the order comes from rng and from nowhere else: four times 0 if so."""
    before, orders = _global_states(), []
    for seed in (1, 1, 2):
        setting = Setting(10, 3, 2, seed=seed)
        steps = Reading(_run(train, setting, **arrays)[0], setting).steps
        orders.append([step.pictures for step in steps])
    used = [now != then for now, then in zip(_global_states(), before, strict=True)]
    return np.array([orders[0] != orders[1], orders[0] == orders[2], *used], float)


def _check(kind, title, passes):
    return lambda cases: kind(cases, title, _train, passes)


@_check(
    Steps,
    "train",
    "every picture once per epoch, in a new order, and for each batch one step with its own gradient",
)
def train_steps():
    """Check what ``train`` does: batches, order of the calls, shuffling."""
    for setting in SETTINGS:
        yield Run(
            "facts", setting.inputs, _facts(setting), note=str(setting), extreme=setting.extreme
        )
    note = "three runs: with two generators of one seed, and with one of another"
    yield Run("orders", USUAL.inputs, _orders, note=note)


# ---------------------------------------------------------------------------- train_history


def _history(setting: Setting) -> Callable:
    """What train returns, as an array; a mean that counts each picture once is as right as one that counts each step once."""

    def run(train, **arrays):
        history = _run(train, setting, **arrays)[1]
        if history is None:
            return None
        try:
            numbers = np.array(history)
        except ValueError:  # of entries that are not of one length
            return history
        if numbers.dtype.kind not in "iuf":
            return history
        history = numbers.astype(float)
        if history.shape == (setting.epochs, 2):
            for epoch, losses in enumerate(_losses(setting)):
                if np.isclose(history[epoch, 0], np.average(losses, weights=setting.sizes), 1e-9):
                    history[epoch, 0] = np.mean(losses)
        return history

    return run


def _losses(setting: Setting) -> list[list[float]]:
    """What the loss says in each step of each epoch."""
    length = len(setting.sizes)
    return [
        [value_after(step) for step in range(epoch * length, (epoch + 1) * length)]
        for epoch in range(setting.epochs)
    ]


class History(Comparison):
    """Judges what train returned, beside what the diary tells of each epoch."""

    def _failure(self, thing, trials, wrong, known):
        values = [t for t in wrong if t.outcome.error is None]
        crashes = [t for t in wrong if t.outcome.error is not None]
        if crashes and all(t.outcome.value is None for t in values):
            wrong = crashes
        if wrong is crashes or any(t.outcome.changed for t in wrong):
            return super()._failure(thing, trials, wrong, known)
        trial = values[0]
        reading = _read(thing, trial.case)
        finding = known or _not_there_yet(trial) or _of_its_steps(thing, values, reading)
        finding = finding or _other_form(trial) or _other_numbers(values)
        facts = {"where": trial.case.note} | _pair(trial, reading)
        return Failed(self.title, finding.says, facts | remarks(trial.outcome, finding.hint))


def _not_there_yet(trial) -> Finding | None:
    """What to say of a generator, or of a zip."""
    if not isinstance(trial.outcome.value, Iterator):
        return None
    return Finding(
        f"It returned a {type(trial.outcome.value).__name__}, which holds no pairs yet.",
        "It makes them when somebody asks, and only once. What makes a list of it?",
    )


def _of_its_steps(thing, wrong, reading) -> Finding | None:
    """Where the steps are others than they should be, what is returned can't be right."""
    if not reading.broken:
        return None
    hint = "Run check.train_steps(train) first; this check may then pass as it is."
    for trial in wrong:
        own, got = _read(thing, trial.case).history, trial.outcome.value
        if np.shape(got) != own.shape or not np.allclose(own, got):
            return Finding(
                "The steps of your loop are not right yet, and what you return hangs on them.", hint
            )
    return Finding(
        "What you return is right for the steps that your loop takes, but they are not the right ones.",
        hint,
    )


def _other_form(trial) -> Finding | None:
    """What to say of something that is no list of a pair for each epoch."""
    got, epochs = trial.outcome.value, len(trial.expected)
    if trial.evidence.comparable:
        return None
    hint = "What does the list look like when train is done? Write it down for two epochs."
    if isinstance(got, list | tuple) and len(got) == epochs:
        kinds = " and ".join(sorted({type(entry).__name__ for entry in got}))
        return Finding(f"The entries of your list ({kinds}) are no pairs of numbers.", hint)
    if got is None:
        return Finding("It returned None.", "Is there a return on every way through train?")
    shape = np.shape(got) if isinstance(got, np.ndarray) else ()
    if len(shape) == 2 and shape[1] == 2:
        return Finding(f"Your list has {shape[0]} pairs, for {epochs} epochs.", hint)
    return Finding("What you return is no list with a pair of numbers for each epoch.", hint)


def _other_numbers(wrong) -> Finding:
    """Which of the two columns is wrong."""
    if all(
        np.allclose(t.expected, t.outcome.value, atol=0.0051)
        for t in wrong
        if t.evidence.comparable
    ):
        return Finding(
            "Your numbers are nearly right, as if they were rounded.",
            "Whoever prints them may round. What is lost if train does?",
        )
    losses, accuracies = (
        any(
            not np.allclose(t.expected[:, k], t.outcome.value[:, k])
            for t in wrong
            if t.evidence.comparable
        )
        for k in (0, 1)
    )
    if not accuracies:
        return Finding(
            "The accuracies are right, the losses are not.",
            "Which losses have the steps of one epoch told you, and what is their mean?",
        )
    if not losses:
        return Finding(
            "The losses are right, the accuracies are not.",
            "Which pictures are counted, after which step, and of how many?",
        )
    return Finding(
        "Neither the losses nor the accuracies are right.",
        "Take the first epoch, and write down all that goes into its two numbers.",
    )


def _pair(trial, reading) -> dict[str, str]:
    """The first wrong epoch: what its steps told, and what was returned for it."""
    got, epochs = trial.outcome.value, len(trial.expected)
    if not trial.evidence.comparable:
        pairs = "1 pair" if epochs == 1 else f"{epochs} pairs"
        return {"expected": f"a list of {pairs}", "got": _form(got)}
    epoch = int((~close(trial.expected, got, trial.case.tolerance)).any(axis=1).argmax())
    mine, right = (f"({', '.join(map(number, pairs[epoch]))})" for pairs in (got, trial.expected))
    if reading.broken:
        return {"expected": right, "got": mine}
    losses = ", ".join(map(number, _losses(reading.setting)[epoch]))
    count = round(float(trial.expected[epoch, 1]) * VALIDATION)
    told = f"its steps told the losses {losses}"
    asked = f"behind them, the network was shown {reading.shown_behind(epoch)}"
    share = f"of the validation pictures, {count} of {VALIDATION} were right then"
    return {f"epoch {epoch + 1}": f"{told}\n{asked}\n{share}", "expected": right, "got": mine}


def _form(got) -> str:
    if isinstance(got, np.ndarray):
        return shorten(str(np.round(got, 3).tolist()))
    if got is None or isinstance(got, Iterator):
        return "None" if got is None else type(got).__name__
    return shorten(f"{type(got).__name__}: {got!r}")


@_check(
    History,
    "train's result",
    "the mean loss and the validation accuracy of each epoch",
)
def train_history():
    """Check what ``train`` returns: one pair for each epoch, measured behind its last step."""
    for setting in SETTINGS:
        axes = ("epoch", "(loss, accuracy)")
        run, note, extreme = _history(setting), str(setting), setting.extreme
        yield Run("history", setting.inputs, run, axes, note, 1e-9, extreme=extreme)
