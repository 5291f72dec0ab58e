"""Stand-ins for a network, a loss and an optimizer that learn nothing, and write down who calls them with what.

Each picture has a name, and what is made of it (scores, a gradient) is known by its numbers. So the
diary says whose scores met whose labels, and whose gradient walked back, in whatever order the
pictures came.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from cnnlib.losses import SoftmaxCrossEntropy

CLASSES = 12
ENDLESS = 1000
"""Calls after which a loop is taken for one without end."""
SHOWN = 9
"""Lines of an excerpt."""


@dataclass(frozen=True)
class Entry:
    """One call: whose pictures, scores or gradient it got.

    Parameters
    ----------
    call
        Such as ``"network.forward"``.
    steps
        How many optimizer steps came before it.
    pictures
        The names of the pictures that it is about: "4" for the training picture number 4, "v4" for
        a validation picture, "?" where the numbers are none of theirs.
    labels
        For the loss, whose labels it got.
    since
        How many steps came before the scores were made, for the loss and for the way back.
    got
        What came in place of scores or a gradient, in words.
    factor
        For a gradient that was multiplied by a number on its way, that number.
    """

    call: str
    steps: int
    pictures: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    since: int = 0
    got: str = ""
    factor: float = 1.0

    def __str__(self):
        what = {
            "network.forward": f"pictures {in_words(self.pictures)}",
            "loss.forward": f"scores of {in_words(self.pictures)}; labels of {in_words(self.labels)}",
            "network.backward": f"gradient for {in_words(self.pictures)}",
        }.get(self.call, "")
        return f"{self.call}({self.got or what})"

    @property
    def validates(self) -> bool:
        """Whether it is about validation pictures only."""
        return bool(self.pictures) and all(name.startswith("v") for name in self.pictures)


class Diary:
    """What a run of ``train`` did, call by call; hands out the network, loss and optimizer that write it.

    Examples
    --------
    >>> images, labels = np.random.default_rng(0).normal(size=(4, 1, 2, 3)), np.array([3, 1, 0, 2])
    >>> diary = Diary((images[:3], labels[:3]), (images[3:], labels[3:]))
    >>> value = diary.loss.forward(diary.network.forward(images[[2, 0]]), labels[[2, 0]])
    >>> dx = diary.network.backward(diary.loss.backward())
    >>> diary.optimizer.step()
    >>> print(*diary.entries, sep="\\n")
    network.forward(pictures 2, 0)
    loss.forward(scores of 2, 0; labels of 2, 0)
    loss.backward()
    network.backward(gradient for 2, 0)
    optimizer.step()
    """

    def __init__(self, training, validation):
        self.entries: list[Entry] = []
        self.steps = 0
        self.picture_shape = training[0].shape[1:]
        self.names, self.right_class = {}, {}
        self.labelled: dict[str, dict[int, str]] = {"": {}, "v": {}}
        for sort, (images, labels) in (("", training), ("v", validation)):
            for number, (image, label) in enumerate(zip(images, labels, strict=True)):
                self.names[_key(image)] = name = f"{sort}{number}"
                self.right_class[name] = int(label)
                self.labelled[sort][int(label)] = name
        self.validation_count, self.training_count = len(validation[0]), len(training[0])
        self.network, self.loss, self.optimizer = Network(self), Loss(self), Optimizer(self)

    def write(self, call: str, **facts) -> None:
        """Add an entry."""
        if len(self.entries) == ENDLESS:
            raise RuntimeError(
                f"after {ENDLESS} calls, train is still calling {call}; does one of its loops never end?"
            )
        self.entries.append(Entry(call, self.steps, **facts))

    def excerpt(self, place: int) -> str:
        """The entries up to the one at `place`, from the beginning of its step or of the step before."""
        steps = [entry.steps for entry in self.entries[: place + 1]]
        first = steps.index(steps[-1])
        if first and place - first < 3:
            first = steps.index(steps[-1] - 1)
        lines = []
        for k in range(first, place + 1):
            if k == first or steps[k] != steps[k - 1]:
                lines.append(f"step {steps[k] + 1}")
            lines.append(f"  {self.entries[k]}")
        lines[-1] += "   ← here"
        return "\n".join(lines if len(lines) <= SHOWN else [lines[0], "  …", *lines[-SHOWN:]])


class Network:
    """Gives scores; how many pictures it gets right depends on how many steps were taken."""

    def __init__(self, diary: Diary):
        self.diary = diary
        self._rng = np.random.default_rng(0)
        self._made: dict[bytes, tuple[str, int]] = {}
        self._shown = (0, 0)

    def forward(self, x):
        diary, x = self.diary, np.asarray(x)
        if x.dtype.kind not in "iuf" or x.shape[1:] != diary.picture_shape:
            C, H, W = diary.picture_shape
            raise ValueError(
                f"Network.forward: x has shape {x.shape}, but must be (N, {C}, {H}, {W}): a batch of pictures"
            )
        if not len(x):
            raise ValueError(
                f"Network.forward: x has shape {x.shape}: a batch without a picture; is there nothing left "
                "where its slice begins?"
            )
        names = tuple(diary.names.get(_key(image), "?") for image in x)
        diary.write("network.forward", pictures=names)
        scores = short_numbers(self._rng, (len(x), CLASSES)) / 4
        for row, name in zip(scores, names, strict=True):
            row[self._predicted(name)] += 2
            self._made[_key(row)] = name, diary.steps
        return scores

    def _predicted(self, name: str) -> int:
        diary = self.diary
        label = diary.right_class.get(name, 0)
        if name.startswith("v"):
            # 5 is prime to 11, so the right ones are spread over all pictures.
            count = diary.validation_count
            place, right = int(name[1:]) * 5 % count, right_after(diary.steps, count)
        else:
            # By their turn, not by their name: then it does not matter who shuffled how.
            steps, turn = self._shown
            place = turn if steps == diary.steps else 0
            self._shown, count = (diary.steps, place + 1), diary.training_count
            place, right = place % count, 1 + (3 * diary.steps + 1) % count
        return label if place < right else (label + 1) % CLASSES

    def origin(self, rows) -> list[tuple[str, int]] | None:
        """For each row of scores its picture and after how many steps it was made; None for other numbers."""
        if np.ndim(rows) != 2:
            return None
        found = [self._made.get(_key(row)) for row in rows]
        return None if None in found else found

    def backward(self, dy):
        diary = self.diary
        facts = diary.loss.belongs(dy)
        if not facts:
            number, origin = np.ndim(dy) == 0, self.origin(dy)
            facts["got"] = "something else"
            if number:
                facts["got"] = "nothing" if dy is None else "a single number"
            elif origin is not None:
                facts["got"] = "scores"
        diary.write("network.backward", **facts)
        return np.zeros((len(facts.get("pictures", ())), *diary.picture_shape))

    def __repr__(self):
        return "Network()"


class Loss:
    """A loss whose value depends on how many steps were taken, and on nothing else."""

    def __init__(self, diary: Diary):
        self.diary = diary
        self._rng = np.random.default_rng(1)
        self._last: dict = {}
        self._gradients: list[tuple[np.ndarray, dict]] = []

    def forward(self, logits, labels):
        SoftmaxCrossEntropy().forward(logits, labels)  # complains where they don't fit
        diary, got = self.diary, {}
        origin = diary.network.origin(logits)
        if origin is None:
            origin = [("?", diary.steps)] * len(logits)
            got = {"got": _instead_of_scores(logits)}
        pictures = tuple(name for name, _ in origin)
        self._last = {"pictures": pictures, "since": min(steps for _, steps in origin)}
        owners = tuple(map(self._owner, map(int, labels), pictures))
        diary.write("loss.forward", **self._last, labels=owners, **got)
        self._shape = np.shape(logits)
        return value_after(diary.steps, validation=diary.entries[-1].validates)

    def _owner(self, label: int, picture: str) -> str:
        """Whose label it is; of two pictures, the one of the same pair of arrays as `picture`."""
        sorts = ("v", "") if picture.startswith("v") else ("", "v")
        owners = map(self.diary.labelled.get, sorts)
        return next((own[label] for own in owners if label in own), "?")

    def backward(self):
        if not self._last:
            raise RuntimeError("Loss.backward: there was no forward yet; call forward first")
        self.diary.write("loss.backward", **self._last)
        gradient = short_numbers(self._rng, self._shape)
        self._gradients.append((gradient.copy(), self._last))
        return gradient

    def belongs(self, dy) -> dict:
        """Whose gradient it is; nothing where it is no gradient of this loss."""
        for gradient, facts in reversed(self._gradients):
            if np.shape(dy) != gradient.shape:
                continue
            if np.array_equal(dy, gradient):
                return facts
            factor = float(np.ravel(dy)[0] / gradient.flat[0])
            if np.allclose(dy, factor * gradient, rtol=1e-5):
                got = f"the gradient for {in_words(facts['pictures'])} times {factor:.6g}"
                return {**facts, "got": got, "factor": factor}
        return {}

    def __repr__(self):
        return "Loss()"


class Optimizer:
    """Counts its steps."""

    learning_rate = 0.037

    def __init__(self, diary: Diary):
        self.diary = diary

    def step(self):
        self.diary.write("optimizer.step")
        self.diary.steps += 1

    def __repr__(self):
        return "Optimizer()"


def _instead_of_scores(rows) -> str:
    rows = np.asarray(rows)
    if (rows >= 0).all() and np.allclose(rows.sum(axis=1), 1):
        return "probabilities"
    return "numbers that network.forward did not return"


def right_after(steps: int, count: int) -> int:
    """How many of the validation pictures are right after so many steps: never none, never all."""
    return 1 + (4 * steps + 2) % (count - 2)


def short_numbers(rng, shape) -> np.ndarray:
    """Numbers between −2 and 2, none of them 0, that are the same in float32."""
    return (2 * rng.integers(-(2**17), 2**17, shape) + 1) / 2**17


@cache
def value_after(steps: int, validation: bool = False) -> float:
    """The loss after so many steps."""
    return float(np.random.default_rng([steps, validation]).uniform(0.5, 2.5))


def _key(numbers) -> bytes:
    return np.asarray(numbers, float).tobytes()


def in_words(names: tuple[str, ...]) -> str:
    """The names of pictures, or the first few of them."""
    if len(names) > 10:
        return f"{', '.join(names[:3])} … {names[-1]} ({len(names)} in all)"
    return ", ".join(names)
