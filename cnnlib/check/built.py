"""The checks of lesson 06, continued: a network built out of the learner's own layers."""

from collections.abc import Callable

import numpy as np

from cnnlib import layers, network
from cnnlib.check import crash
from cnnlib.check.diagnosis import Finding
from cnnlib.check.engine import Case, Check, Comparison, attempt, remarks
from cnnlib.check.failure import Failed, NotWritten

# ---------------------------------------------------------------------------- a network of one's own


def _build_network(shape, filters, classes, seed):
    rng = np.random.default_rng(seed)
    (C, H, W), (first, second) = shape, filters
    return network.Sequential(
        [
            layers.Conv2D(C, first, 3, padding=1, rng=rng),
            layers.ReLU(),
            layers.MaxPool2D(2),
            layers.Conv2D(first, second, 3, padding=1, rng=rng),
            layers.ReLU(),
            layers.MaxPool2D(2),
            layers.Flatten(),
            layers.Dense(second * (H // 4) * (W // 4), classes, rng=rng),
        ]
    )


_build_network.__name__ = "build_network"
LEARNT = ("Conv2D", "ReLU", "MaxPool2D", "Flatten", "Dense")


class _OfNetworks(Check):
    """A check of a function that builds a network out of layers from other exercises."""

    def failure(self, thing) -> Failed | None:
        return _no_network(self.title, thing) or self.judged(thing)

    def judged(self, thing) -> Failed | None:
        """What is wrong with the network that `thing` builds, or None."""
        raise NotImplementedError

    def _not_written(self, error: NotImplementedError) -> NotWritten:
        stop = crash.own_frame(error)
        if stop and stop.function in ("forward", "backward"):
            needed = f"Sequential.{stop.function}"
            return NotWritten(self.title, f"is not written yet: first comes {needed}.")
        return super()._not_written(error)


class _Built(_OfNetworks, Comparison):
    """Compares the scores of the learner's network with those of the course's."""

    def judged(self, thing) -> Failed | None:
        return Comparison.failure(self, thing)


def _no_network(title: str, build_network) -> Failed | None:
    """What to say where no network comes out, as a layer isn't finished or something else is returned."""
    tried = Case("network", {}, lambda build: build((1, 8, 12), (2, 3), 4, 0))
    outcome = attempt(tried, build_network)
    if isinstance(outcome.error, ImportError):
        return _unfinished(title, outcome.error)
    if outcome.error or hasattr(outcome.value, "layers"):
        return None
    got = "None" if outcome.value is None else f"a {type(outcome.value).__name__}"
    facts = {"got": got, **remarks(outcome, "Which class makes one network of several layers?")}
    return Failed(title, "What comes back is not a Sequential.", facts)


def _unfinished(title: str, error: ImportError) -> NotWritten | None:
    """What to say where a layer's exercise isn't finished."""
    from cnnlib import mine  # it reads notebooks, which no other check needs

    if not isinstance(error, mine.NotFinished):
        return None
    missing = {}
    for name in LEARNT:
        try:
            getattr(mine, name)
        except mine.NotFinished as unfinished:
            headline = str(unfinished).partition("\n")[0]
            missing[name] = headline.partition(": ")[2]
    names = ", ".join(missing)
    stand_in = f"from cnnlib.layers import {names}"
    says = f"waits for {'layers' if len(missing) > 1 else 'a layer'} of yours: {names}."
    return NotWritten(
        title, says, missing | {"meanwhile": f"let the course's stand in: {stand_in}"}
    )


def _walked(method, net, array):
    """Call net's forward or backward; where it stops, find out in which layer."""
    try:
        return getattr(net, method)(array)
    except Exception:
        getattr(network.Sequential(net.layers), method)(array)  # raises the same, with a note
        raise


def _with_new_weights(net):
    """Draw every weight and bias anew, so that two networks of one shape calculate the same."""
    rng = np.random.default_rng(6)
    for layer, name in layers.parameters(net):
        shape = getattr(layer, name).shape
        inputs = np.prod(shape) / (shape[0] if len(shape) == 4 else shape[-1])
        setattr(layer, name, rng.normal(0, np.sqrt(2 / inputs), size=shape))
    return net


def _scores(shape, filters, classes):
    def run(build_network, x):
        net = _with_new_weights(build_network(shape, filters, classes, 0))
        return _walked("forward", net, x)

    return run


def _repeated(build_network, x):
    """Whether networks give different scores: two of one seed, and two of two seeds."""
    settings = x.shape[1:], (2, 3), 4
    first, again, other = (build_network(*settings, seed).forward(x) for seed in (0, 0, 1))
    return np.array([int((scores != first).any()) for scores in (again, other)])


def _built(title: str, passes: str) -> Callable:
    return lambda cases: _Built(cases, title, _build_network, passes)


@_built("build_network", "eight layers that fit pictures of any size")
def build_network():
    """Check ``build_network(shape, filters, classes, seed)`` on pictures of several sizes."""
    rng = np.random.default_rng(6)
    for N, shape, filters, classes, note in [
        (2, (1, 8, 12), (2, 3), 4, ""),
        (1, (3, 12, 8), (4, 2), 5, "pictures in colour"),
        (2, (2, 9, 14), (3, 4), 3, "sides that 4 does not divide"),
        (1, (1, 4, 7), (2, 3), 10, "a map of one pixel reaches Flatten"),
    ]:
        setting = f"shape {shape}, filters {filters}, classes {classes}"
        note = "; ".join(filter(None, (setting, note, "weights drawn anew by the check")))
        x = {"x": rng.normal(size=(N, *shape))}
        yield Case("scores", x, _scores(shape, filters, classes), ("N", "K"), note, 1e-9)
    note = "differs[0]: do two networks of one seed differ? differs[1]: do two of different seeds?"
    yield Case("differs", {"x": rng.normal(size=(2, 1, 8, 12))}, _repeated, note=note)


# ---------------------------------------------------------------------------- end to end


class _EndToEnd(_OfNetworks):
    """A gradient check through a whole network, every layer of which is the learner's own."""

    def judged(self, thing) -> Failed | None:
        outcome = attempt(Case("gradients", {}, _first_disagreement), thing)
        if outcome.error is not None:
            return self.stopped(outcome, {})
        if outcome.value is not None:
            finding = outcome.value
            return Failed(self.title, finding.says, finding.facts | remarks(outcome, finding.hint))
        return _borrowed(self.title, _small(thing))


def _small(build_network):
    """A network for maps that are not square, small enough for slow layers."""
    return _with_new_weights(build_network((1, 8, 12), (2, 3), 4, 0))


def _first_disagreement(build_network) -> Finding | None:
    """What to say of the first layer, on the way back, whose gradient isn't what a nudge says; or None."""
    rng = np.random.default_rng(6)
    net, x = _small(build_network), rng.normal(size=(2, 1, 8, 12))
    dy = rng.normal(size=_walked("forward", net, x).shape)
    dx = np.array(_walked("backward", net, dy))
    walk = _Walk(list(_inside(net)), x, dy)
    if not np.array_equal(dx, walk.gradients[0]["dx"]):
        return Finding(
            "Layer by layer, another gradient comes back than from your Sequential.",
            "Does check.sequential_backward(Sequential) pass?",
        )
    agree = []
    for place in reversed(range(len(walk.layers))):
        for name in walk.gradients[place]:
            if wrong := walk.difference(place, name, rng):
                first = "nothing yet: this layer is the first on the way back"
                return Finding(
                    f"The gradient goes wrong in {walk.name(place)}: look at its {name}.",
                    "Try this layer alone, with arrays of these shapes, against a numerical gradient.",
                    {"right so far": ", ".join(agree) or first, **wrong},
                )
            agree.append(f"{name} of layers[{place}]")
    return None


class _Walk:
    """A walk there and back through layers: what was on each arrow, and every gradient by its place."""

    def __init__(self, layers_in_order: list, x: np.ndarray, dy: np.ndarray):
        self.layers, self.dy, self.arrows = layers_in_order, dy, [x]
        for layer in self.layers:
            self.arrows.append(np.array(layer.forward(self.arrows[-1])))
        self.gradients: dict[int, dict[str, np.ndarray]] = {}
        for place, layer in reversed(list(enumerate(self.layers))):
            dy = np.array(layer.backward(dy))
            learnt = [f"d{name}" for _, name in layers.parameters(layer)]
            found = {name: np.array(getattr(layer, name)) for name in learnt}
            self.gradients[place] = found | {"dx": dy}

    def name(self, place: int) -> str:
        return f"layers[{place}], {type(self.layers[place]).__name__}"

    def difference(self, place: int, name: str, rng) -> dict[str, str]:
        """What a gradient says of a random nudge, and what the nudge does; nothing where they agree.

        All numbers of the array are nudged together, along a random direction. One difference is
        enough then, where nudging them one by one would be slow.
        """
        gradient = self.gradients[place][name]
        array = self.arrows[place] if name == "dx" else getattr(self.layers[place], name[1:])
        if gradient.shape != array.shape:
            return {"expected": f"shape {array.shape}", "got": f"shape {gradient.shape}"}
        # Zeros of x stay: behind a ReLU they are ties for a MaxPool2D, and a tie has no slope.
        direction = rng.normal(size=array.shape) * (array != 0 if name == "dx" else 1)
        told = float((gradient * direction).sum())
        h = 1e-6
        ends = (self._total(place, name, array + step * direction) for step in (h, -h))
        felt = (next(ends) - next(ends)) / (2 * h)
        if abs(told - felt) <= 1e-5 * max(abs(felt), np.linalg.norm(gradient)):
            return {}
        return {
            "its x, its dy": f"{self.arrows[place].shape}, {self.arrows[place + 1].shape}",
            "expected": f"{felt:.6g}: so much the loss grew, per unit, when all were nudged at random",
            "got": f"{told:.6g}: so much {name} says of the same nudge",
        }

    def _total(self, place: int, name: str, array: np.ndarray) -> float:
        """The loss Σ y·dy, with another x, W or b at one layer."""
        if name == "dx":
            return self._onward(place, array)
        layer, letter = self.layers[place], name[1:]
        before = getattr(layer, letter)
        setattr(layer, letter, array)
        try:
            return self._onward(place, self.arrows[place])
        finally:
            setattr(layer, letter, before)

    def _onward(self, place: int, a: np.ndarray) -> float:
        for layer in self.layers[place:]:
            a = layer.forward(a)
        return float((a * self.dy).sum())


def _borrowed(title: str, net) -> NotWritten | None:
    """What to say where a layer is not the learner's own."""
    courses = {type(layer).__name__: _is_the_courses(layer) for layer in (net, *_inside(net))}
    borrowed = [name for name, is_the_courses in courses.items() if is_the_courses]
    own = [name for name in courses if name not in borrowed]
    if not borrowed:
        return None
    says = f"is right, but not all yours yet: {', '.join(borrowed)} "
    says += "comes from the course." if len(borrowed) == 1 else "come from the course."
    facts = {
        "yours": ", ".join(own) or "nothing yet",
        "right": "the gradient, at every layer: no need to look for a mistake here",
        "next": "finish their exercises, and import them from cnnlib.mine in build_network",
    }
    return NotWritten(title, says, facts)


def _inside(net):
    for layer in net.layers:
        yield from _inside(layer) if hasattr(layer, "layers") else (layer,)


def _is_the_courses(layer) -> bool:
    """Whether a layer's class, or one that it inherits from, comes with the course."""
    homes = {kind.__module__ for kind in type(layer).__mro__ if kind is not layers.Layer}
    return any(home.startswith("cnnlib.") for home in homes - {"cnnlib.mine"})


def _documented_end_to_end():
    """Check the gradients of a small network of the learner's own layers, at every layer, against nudges."""


_documented_end_to_end.__name__ = "end_to_end"
end_to_end = _EndToEnd(
    _documented_end_to_end,
    "your network",
    _build_network,
    "every layer is yours, and at each one the gradient is what a nudge says",
)
