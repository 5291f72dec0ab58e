"""What a diary of ``train`` tells: its steps and epochs, and the rules of a right training loop.

The rules hold in whatever order somebody shuffles. They stand in the order in which they are told:
what is wrong within a step comes before what is wrong with an epoch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from cnnlib.check.diary import (
    CLASSES,
    Diary,
    Entry,
    in_words,
    right_after,
    short_numbers,
    value_after,
)

VALIDATION = 11
"""The number of validation pictures."""


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

    @property
    def arguments(self) -> dict[str, int]:
        """What train is called with, beside the arrays."""
        return {"epochs": self.epochs, "batch_size": self.batch_size, "seed": self.seed}

    def __str__(self):
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        text = f"{self.pictures} pictures, batch_size {self.batch_size}, {epochs}"
        return f"{text}: {self.note}" if self.note else text


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


# ---------------------------------------------------------------------------- the rules


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
    "What reaches network.forward is not the pictures as they came.",
    "Which of your lines calculates with the pictures? train only picks and hands on.",
)
def other_pictures(reading):
    for place, entry in _calls(reading, "network.forward"):
        if "?" in entry.pictures:
            yield _at(reading, place)


@rule(
    "Your loop begins with the right pictures, and goes on with validation pictures: it learns from them.",
    "Which of your names is given to another array on the way? What does it stand for when the next epoch begins?",
)
def names_change_hands(reading):
    validates = [any(name.startswith("v") for name in step.pictures) for step in reading.steps]
    first = validates.index(True) if True in validates else 0
    if first and all(validates[first:]):
        yield _at(reading, reading.steps[first].place)


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
_handed_on("a single", "network.backward gets a single number, not a gradient.", _GRADIENT)
_handed_on("nothing", "network.backward gets None, not a gradient.", _GRADIENT)
_handed_on("scores", "network.backward gets the scores, not a gradient.", _GRADIENT)
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
    "How many times does your line that shuffles run?",
)
def same_order(reading):
    for k, (one, other) in enumerate(pairwise(reading.epochs)):
        if len(one) > 1 and _learned(one) == _learned(other):
            yield _epoch(reading, k) | _epoch(reading, k + 1)


def _dealt(epoch: list[Step]) -> set:
    return {frozenset(step.pictures) for step in epoch}


@rule(
    "The same pictures meet in a batch in every epoch; only the order of the batches differs.",
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
    "How many batches does an epoch have, and how many epochs are there?",
)
def other_number_of_steps(reading):
    expected = len(reading.setting.sizes) * reading.setting.epochs
    if len(reading.steps) != expected:
        yield {"expected": f"{expected} steps", "got": f"{len(reading.steps)} steps"}


def _validated_behind_the_steps(reading: Reading) -> int:
    """How many validation pictures the network is shown after its last step."""
    last = reading.steps[-1].place if reading.steps else 0
    calls = _calls(reading, "network.forward")
    return sum(len(e.pictures) for place, e in calls if e.validates and place > last)


def traits(reading: Reading) -> list[float]:
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
        _validated_behind_the_steps(reading) > VALIDATION,
    ]
