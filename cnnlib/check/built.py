"""The checks of lesson 06, continued: a network built out of the learner's own layers."""

from collections.abc import Callable
from dataclasses import replace

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
# N, shape, filters, classes, and what is special about them.
SETTINGS = (
    (2, (1, 8, 12), (2, 3), 4, ""),
    (1, (3, 12, 8), (4, 2), 5, "pictures in colour"),
    (2, (2, 9, 14), (3, 4), 3, "sides that 4 does not divide"),
    (1, (1, 4, 7), (2, 3), 10, "a map of one pixel reaches Flatten"),
)
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

    def _failure(self, thing, trials, wrong, known):
        findings = () if known else (_first_difference(thing, *s) for s in SETTINGS)
        if finding := next(filter(None, findings), None):
            return Failed(self.title, finding.says, finding.facts | {"hint": finding.hint})
        return super()._failure(thing, trials, wrong, known)


def _no_network(title: str, build_network) -> Failed | None:
    """What to say where no network comes out, as a layer isn't finished or something else is returned."""
    tried = Case("network", {}, lambda build: build((1, 8, 12), (2, 3), 4, 0))
    outcome = attempt(tried, build_network)
    if isinstance(outcome.error, ImportError):
        return _unfinished(title, outcome.error)
    if outcome.error:
        return None
    if outcome.value is None:
        hint = "Is there a return on every way through your function?"
        return Failed(title, "It returned None.", remarks(outcome, hint))
    if hasattr(outcome.value, "layers"):
        net = outcome.value
        return _no_layer(title, net) or _one_layer_in_two_places(title, net)
    got = f"a {type(outcome.value).__name__}"
    facts = {"got": got, **remarks(outcome, "Which class makes one network of several layers?")}
    return Failed(title, "What comes back is not a Sequential.", facts)


def _no_layer(title: str, net) -> Failed | None:
    for place, layer in enumerate(net.layers):
        if isinstance(layer, type):
            says = f"layers[{place}] is the class {layer.__name__}, not a layer made from it."
            return Failed(title, says, {"hint": "How is an object made from a class?"})
        if not hasattr(layer, "forward"):
            says = f"layers[{place}] is not a layer, but of type {type(layer).__name__}."
            return Failed(title, says, {"hint": "Sequential gets one list, of layers only."})
    return None


def _one_layer_in_two_places(title: str, net) -> Failed | None:
    inside = list(_inside(net))
    for place, layer in enumerate(inside):
        first = next(k for k, other in enumerate(inside) if other is layer)
        if first != place:
            name = type(layer).__name__
            says = f"layers[{first}] and layers[{place}] are one and the same {name}."
            hint = (
                f"A layer remembers one forward only. How often does {name}(…) stand in your code?"
            )
            return Failed(title, says, {"hint": hint})
    return None


def _inside(net):
    """The layers of a network, and of the networks in it."""
    for layer in net.layers:
        yield from _inside(layer) if hasattr(layer, "layers") else (layer,)


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
    says = f"waits for what is not written yet, or not right yet: {names}."
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


def _first_difference(build_network, N, shape, filters, classes, _) -> Finding | None:
    """What to say of the first layer that is or does something else than the course's; or None."""
    outcome = attempt(Case("network", {}, lambda f: f(shape, filters, classes, 0)), build_network)
    if outcome.error:
        return None
    mine, right = (
        list(_inside(n)) for n in (outcome.value, _build_network(shape, filters, classes, 0))
    )
    x = y = np.random.default_rng(6).normal(size=(N, *shape))
    way = [f"x {x.shape}"]
    for place, (layer, courses) in enumerate(zip(mine, right, strict=False)):
        name = f"layers[{place}], {type(layer).__name__}"
        facts = {
            "shape": f"{shape}, filters {filters}, classes {classes}",
            "so far": " → ".join(way),
        }
        try:
            x, y = layer.forward(x), courses.forward(y)
        except Exception as error:
            facts |= {"its W": f"of shape {layer.W.shape}"} if hasattr(layer, "W") else {}
            facts |= {"error": f"{type(error).__name__}: {error}"}
            if finding := np.shape(x) == y.shape and _other_numbers(build_network, layer, courses):
                return replace(finding, facts=facts)
            return Finding(
                f"{name}, can't take the array of shape {np.shape(x)} that reaches it.",
                "Either this layer's numbers are wrong, or those of one before it.",
                facts,
            )
        way.append(f"{type(layer).__name__} {np.shape(x)}")
        if type(layer).__name__ != type(courses).__name__:
            return Finding(
                f"{name}, stands where the course's network has a {type(courses).__name__}.",
                "Compare your list with the exercise's, from the top.",
                facts | _listed(mine),
            )
        if np.shape(x) != y.shape:
            if len(mine) != len(right):
                break
            sizes = np.ndim(x) == y.ndim and np.shape(x)[:2] == y.shape[:2]
            about = "how high and wide its maps are" if sizes else "how much comes out of it"
            return Finding(
                f"{name}, returns an array of another shape than it should.",
                f"Which arguments decide {about}? Compare them with the exercise's.",
                facts | {"expected": str(y.shape), "got": str(np.shape(x))},
            )
        weights = [getattr(each, "W", np.zeros(0)).shape for each in (layer, courses)]
        if weights[0] != weights[1]:
            return Finding(
                f"{name}, has kernels of another size than it should.",
                "The shape of what it returns is right all the same. Which two numbers make up for each other?",
                facts | {"expected": f"W of shape {weights[1]}", "got": f"W of shape {weights[0]}"},
            )
    if len(mine) != len(right):
        return Finding(
            f"Your network has {len(mine)} layers, the course's has {len(right)}.",
            "Compare your list with the exercise's, from the top.",
            _listed(mine),
        )
    return None


def _listed(mine: list) -> dict[str, str]:
    return {"your layers": ", ".join(type(layer).__name__ for layer in mine)}


# What people take for the number of features that reach Dense, from the shape and the filters.
MISCOUNTED = (
    (
        lambda C, H, W, first, second: second * 7 * 7,
        "Dense is made for maps of 7×7, whatever the size of the pictures.",
        "7×7 is what is left of 28×28. What is left of H×W?",
    ),
    (
        lambda C, H, W, first, second: first * (H // 4) * (W // 4),
        "Dense is made for as many maps as the first Conv2D returns.",
        "Which layer made the maps that reach Flatten?",
    ),
    (
        lambda C, H, W, first, second: C * second * (H // 4) * (W // 4),
        "The channels of the picture are counted in the number of features.",
        "What has become of the channels behind the first Conv2D?",
    ),
    (
        lambda C, H, W, first, second: first * second * (H // 4) * (W // 4),
        "The filters of both Conv2Ds are multiplied in the number of features.",
        "How many maps reach Flatten? Look at the exercise's table.",
    ),
    (
        lambda C, H, W, first, second: (H // 4) * (W // 4),
        "Dense is made for the numbers of a single map.",
        "How many maps reach Flatten?",
    ),
    (
        lambda C, H, W, first, second: second * (H // 4) ** 2,
        "The number of features takes the maps for squares with sides of their height.",
        "Where does the width of the picture come in?",
    ),
    (
        lambda C, H, W, first, second: second * (W // 4) ** 2,
        "The number of features takes the maps for squares with sides of their width.",
        "Where does the height of the picture come in?",
    ),
    (
        lambda C, H, W, first, second: second * H * W,
        "Dense is made for maps as large as the picture.",
        "What have the pools done to them?",
    ),
    (
        lambda C, H, W, first, second: second * (H // 2) * (W // 2),
        "Dense is made for maps that one pool has made smaller, and there are two.",
        "Follow one side through the layers of the exercise's table.",
    ),
    (
        lambda C, H, W, first, second: second * (H * W // 16),
        "In the number of features, a product is divided; the pools round each side down instead.",
        "What do the two pools make of a side of 9? And of one of 14?",
    ),
    (
        lambda C, H, W, first, second: second * H * W // 16,
        "In the number of features, a product is divided; the pools round each side down instead.",
        "What do the two pools make of a side of 9? And of one of 14?",
    ),
    (
        lambda C, H, W, first, second: second * -(-H // 4) * -(-W // 4),
        "The number of features takes sides that don't divide for rounded up.",
        "What does a pool of 2×2 do with the last row, if there are 9?",
    ),
)


def _other_numbers(build_network, layer, courses) -> Finding | None:
    """What to say of a layer whose W has another shape than the course's, where one can tell why."""
    got, right = (getattr(each, "W", np.zeros(0)).shape for each in (layer, courses))
    if got != right and got == (*right[:2][::-1], *right[2:]):
        return Finding(
            f"In a {type(courses).__name__}, what goes in and what comes out have changed places.",
            "Which of its two numbers comes first? Compare it with the one that you wrote.",
        )
    if not isinstance(courses, layers.Dense) or len(got) != 2:
        return None
    made_for = []
    for _, shape, filters, classes, _ in SETTINGS:
        case = Case("features", {}, _features(shape, filters, classes))
        made_for.append(attempt(case, build_network).value)
    if len(set(made_for)) == 1:
        return Finding(
            f"Whatever the pictures and the filters, Dense is made for {made_for[0]} features.",
            "That number must come out of the arguments.",
        )
    for features, says, hint in MISCOUNTED:
        if made_for == [features(*shape, *filters) for _, shape, filters, *_ in SETTINGS]:
            return Finding(says, hint)
    return None


def _features(shape, filters, classes):
    return lambda build: list(_inside(build(shape, filters, classes, 0)))[-1].W.shape[0]


def _built(title: str, passes: str) -> Callable:
    return lambda cases: _Built(cases, title, _build_network, passes)


@_built("build_network", "eight layers that fit pictures of any size")
def build_network():
    """Check ``build_network(shape, filters, classes, seed)`` on pictures of several sizes."""
    rng = np.random.default_rng(6)
    for N, shape, filters, classes, note in SETTINGS:
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
    rng, net = np.random.default_rng(6), _small(build_network)
    # Two batches of different size, as a layer may remember the first one.
    batches = [(rng.normal(size=(N, 1, 8, 12)), rng.normal(size=(N, 4))) for N in (3, 2)]
    for x, dy in batches:
        walk = _Walk(list(_inside(net)), x, dy)
        if walk.stuck:
            return walk.stuck
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
    for x, dy in batches:
        net.forward(x.copy())
        dx = net.backward(dy.copy())
    if not np.array_equal(dx, walk.gradients[0]["dx"]):
        return Finding(
            "Each layer alone is right, but from your Sequential another gradient comes back.",
            "Does check.sequential_backward(Sequential) pass?",
        )
    return None


class _Walk:
    """A walk there and back through layers: what was on each arrow, and every gradient by its place.

    Where it can't go on, `stuck` says in which layer and why.
    """

    def __init__(self, layers_in_order: list, x: np.ndarray, dy: np.ndarray):
        self.layers, self.dy, self.arrows = layers_in_order, dy, [x]
        self.gradients: dict[int, dict[str, np.ndarray]] = {}
        self.stuck: Finding | None = None
        places = range(len(self.layers))
        for place in places:
            self.arrows.append(self._called(place, "forward", self.arrows[-1]))
            if self.stuck:
                return
        for place in reversed(places):
            dy = self._called(place, "backward", dy)
            if self.stuck:
                return
            learnt = [f"d{name}" for _, name in layers.parameters(self.layers[place])]
            found = {name: np.array(getattr(self.layers[place], name, None)) for name in learnt}
            self.gradients[place] = found | {"dx": dy}

    def name(self, place: int) -> str:
        return f"layers[{place}], {type(self.layers[place]).__name__}"

    def _called(self, place: int, method: str, array: np.ndarray) -> np.ndarray | None:
        """A copy of what the layer's method returns for a copy of the array."""
        try:
            result = getattr(self.layers[place], method)(array.copy())
        except NotImplementedError:
            raise
        except Exception as error:
            self.stuck = self._complaint(place, method, array, error)
            return None
        if not isinstance(result, np.ndarray):
            got = "None" if result is None else f"a {type(result).__name__}"
            says = f"{self.name(place)}, returns {got} from its {method}."
            self.stuck = Finding(says, "Is there a return on every way through it?")
        return np.array(result)

    def _complaint(self, place: int, method: str, array: np.ndarray, error: Exception) -> Finding:
        what, before = ("x", place - 1) if method == "forward" else ("dy", place + 1)
        facts = {"error": f"{type(error).__name__}: {error}"}
        says = f"{self.name(place)}, can't take its {what} of shape {array.shape}"
        if not 0 <= before < len(self.layers):
            return Finding(f"{says}.", "", facts)
        if method == "backward":
            facts |= {"on the way there": f"its y had the shape {self.arrows[place + 1].shape}"}
        return Finding(
            f"{says}, which {self.name(before)}, returned.",
            "Who complains was given something wrong, or can't handle what is right. Which is it here?",
            facts,
        )

    def difference(self, place: int, name: str, rng) -> dict[str, str]:
        """What a gradient says of a random nudge, and what the nudge does; nothing where they agree.

        All numbers of the array are nudged together, along a random direction. One difference is
        enough then, where nudging them one by one would be slow.
        """
        gradient = self.gradients[place][name]
        array = self.arrows[place] if name == "dx" else getattr(self.layers[place], name[1:])
        if gradient.shape != array.shape:
            got = (
                "None, or nothing at all" if gradient.dtype == object else f"shape {gradient.shape}"
            )
            return {"expected": f"shape {array.shape}", "got": got}
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
    says = f"has the right gradient, but is not all yours yet: {', '.join(borrowed)} "
    says += "comes from the course." if len(borrowed) == 1 else "come from the course."
    facts = {
        "yours": ", ".join(own) or "nothing yet",
        "next": "finish their exercises, and use your own in build_network",
    }
    return NotWritten(title, says, facts)


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
