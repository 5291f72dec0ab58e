"""The checks of lesson 07, continued: the training loop, judged by what it did and in which order.

``train`` runs with stand-ins that write a diary (`cnnlib.check.diary`). What is right does not depend on how
somebody shuffles, so the diary is not compared with another one: rules are looked up in it (`cnnlib.check.rules`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cnnlib import misconceptions, training
from cnnlib.check.diagnosis import Finding, close, number
from cnnlib.check.diary import Diary, value_after
from cnnlib.check.engine import Case, Comparison, attempt, check, remarks, tried
from cnnlib.check.failure import Failed
from cnnlib.check.rules import RULES, VALIDATION, Reading, Setting, traits
from cnnlib.misconceptions import changes
from cnnlib.scripts import script
from cnnlib.scripts import training as loops
from cnnlib.scripts.words import shorten


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


USUAL = Setting(10, 3, 3, "the last batch of each epoch is smaller")
SETTINGS = (
    USUAL,
    Setting(12, 4, 3),
    Setting(9, 20, 2, "fewer pictures than a batch holds"),
    Setting(10, 1, 2, "batches of a single picture"),
    Setting(12, 5, 1),
)


def _run(setting: Setting, read: Callable, *, result: str = "facts", **more) -> "Run":
    """A case of one call of train; `read` makes the result of what it returns and of the diary."""

    def stage(**arrays):
        return _stand_ins(setting)

    return Run(
        result,
        setting.inputs,
        script(loops.train, **setting.arguments),
        note=str(setting),
        extreme=setting.extreme,
        stage=stage,
        read=lambda history, network, **_: read(history, Reading(network.diary, setting)),
        **more,
    )


def _stand_ins(setting: Setting) -> dict:
    """A network, a loss and an optimizer that write a diary."""
    images, labels, validation_images, validation_labels = setting.inputs.values()
    diary = Diary((images, labels), (validation_images, validation_labels))
    return {"network": diary.network, "loss": diary.loss, "optimizer": diary.optimizer}


def _facts(history, reading: Reading) -> np.ndarray:
    """For each rule whether it is broken; and if one is, the traits of what train did."""
    broken = [rule in reading.broken for rule in RULES]
    done = [float(trait) for trait in traits(reading)] if any(broken) else []
    return np.array([*done, *broken], float)


@dataclass(frozen=True, eq=False)
class Run(Case):
    """A case of one run: what it is about says more than the shapes of its arrays."""

    @property
    def where(self) -> str:
        return self.note


# ---------------------------------------------------------------------------- train_steps


class Steps(Comparison):
    """Judges what train did; where no misconception fits, the first broken rule is told, with its place."""

    def _named(self, trials, consistent, *holds):
        return super()._named(trials, consistent, *holds) or self._two_by_their_rules(trials)

    def _two_by_their_rules(self, trials):
        """Two mistakes that break just the rules that are broken, each of them some; or None.

        A run takes too long for trying all pairs.
        """
        first = next(t for t in trials if not t.right)
        if not first.evidence.comparable and not isinstance(first.outcome.value, np.ndarray):
            return None

        def broken(trial):
            flags = np.asarray(trial.outcome.value)[-len(trial.expected) :]
            return frozenset(np.flatnonzero(flags))

        mine, some = broken(first), []
        for one in misconceptions.seen_by(self.name):
            [theirs] = tried([first], one)
            if isinstance(theirs.outcome.value, np.ndarray) and broken(theirs) <= mine:
                some.append((broken(theirs), one))
        pairs = [
            changes.together(one, other)
            for (these, one), (those, other) in combinations(some, 2)
            if these | those == mine and not these <= those and not those <= these
            if not changes.places(one) & changes.places(other)
        ]
        return self._one_of(pairs, trials, False)

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
    return attempt(_run(setting, lambda history, reading: reading), thing).value


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


SEEDS = (1, 1, 2)


def _orders() -> "Run":
    """Whether the order comes from rng and from nowhere else: four times 0 if so."""
    settings = [Setting(10, 3, 2, seed=seed) for seed in SEEDS]

    def stage(**arrays):
        props = [_stand_ins(setting) for setting in settings]
        names = {"networks": "network", "losses": "loss", "optimizers": "optimizer"}
        return {many: [each[one] for each in props] for many, one in names.items()}

    def read(used, networks, **_):
        steps = [
            Reading(n.diary, setting).steps for n, setting in zip(networks, settings, strict=True)
        ]
        first, again, other = ([step.pictures for step in each] for each in steps)
        return np.array([first != again, first == other, *used], float)

    arguments = settings[0].arguments | {"seeds": SEEDS}
    arguments.pop("seed")
    return Run(
        "orders",
        USUAL.inputs,
        script(loops.train_three_times, **arguments),
        note="three runs: with two generators of one seed, and with one of another",
        stage=stage,
        read=read,
    )


@check(
    kind=Steps,
    title="train",
    reference=_train,
    passes="every picture once per epoch, in a new order, and for each batch one step with its own gradient",
)
def train_steps():
    """Check what ``train`` does: batches, order of the calls, shuffling."""
    for setting in SETTINGS:
        yield _run(setting, _facts)
    yield _orders()


# ---------------------------------------------------------------------------- train_history


def _history(history, reading: Reading):
    """What train returns, as an array."""
    if history is None:
        return None
    try:
        numbers = np.array(history)
    except ValueError:  # of entries that are not of one length
        return history
    if numbers.dtype.kind not in "iuf":
        return history
    return numbers.astype(float)


def _losses(setting: Setting) -> list[list[float]]:
    """What the loss says in each step of each epoch."""
    length = len(setting.sizes)
    return [
        [value_after(step) for step in range(epoch * length, (epoch + 1) * length)]
        for epoch in range(setting.epochs)
    ]


class History(Comparison):
    """Judges what train returned, beside what the diary tells of each epoch."""

    def _named(self, trials, consistent, *holds):
        return super()._named(trials, consistent, *holds) or self._column_by_column(trials)

    def _column_by_column(self, trials):
        """A mistake in the losses and one in the accuracies; or None where not both are wrong, or have a name."""

        def wrong(trials, column):
            return [
                t for t in trials if not _the_column_agrees(t.expected, t.outcome.value, column)
            ]

        def explained(broken, column):
            theirs = (t.outcome.value for t in tried(trials, broken))
            values = zip((t.outcome.value for t in trials), theirs, strict=True)
            return all(_the_column_agrees(mine, other, column) for mine, other in values)

        if not all(t.evidence.comparable for t in trials) or not (
            wrong(trials, 0) and wrong(trials, 1)
        ):
            return None
        found = [
            next((b for b in misconceptions.seen_by(self.name) if explained(b, column)), None)
            for column in (0, 1)
        ]
        return changes.together(*found) if all(found) else None

    def _clues(self, thing, trials, slips):
        # The check of the steps tells the line of what is wrong with them.
        reading = None if slips else _read(thing, trials[0].case)
        return [] if reading and reading.broken else super()._clues(thing, trials, slips)

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


def _the_column_agrees(one, other, column: int) -> bool:
    """Whether two histories tell the same losses (0), or the same accuracies (1)."""
    shape = np.shape(one)
    return shape == np.shape(other) and np.allclose(one[:, column], other[:, column], 1e-9, 1e-12)


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
    hint = (
        "Run check.train_steps(train) first. Once that passes, this check does too, or says what "
        "else is wrong."
    )
    for trial in wrong:
        own, got = _read(thing, trial.case).history, trial.outcome.value
        if np.shape(got) != own.shape or not np.allclose(own, got):
            return Finding(
                "The steps of your loop are not right yet, and what you return depends on them.",
                hint,
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
    told = f"its steps had the losses {losses}"
    asked = f"after them, the network was shown {reading.shown_behind(epoch)}"
    share = f"of the validation pictures, {count} of {VALIDATION} were right then"
    return {f"epoch {epoch + 1}": f"{told}\n{asked}\n{share}", "expected": right, "got": mine}


def _form(got) -> str:
    if isinstance(got, np.ndarray):
        return shorten(str(np.round(got, 3).tolist()))
    if got is None or isinstance(got, Iterator):
        return "None" if got is None else type(got).__name__
    return shorten(f"{type(got).__name__}: {got!r}")


@check(
    kind=History,
    title="train's result",
    reference=_train,
    passes="the mean loss and the validation accuracy of each epoch. With every ✓ above, "
    "you have two optimizers and a training loop of your own: your network can learn",
)
def train_history():
    """Check what ``train`` returns: one pair for each epoch, measured behind its last step."""
    for setting in SETTINGS:
        axes = ("epoch", "(loss, accuracy)")
        yield _run(setting, _history, result="history", axes=axes, tolerance=1e-9)
