"""A network that the learner's function builds out of their own layers."""

import numpy as np

from cnnlib.scripts.words import number

SMALL = {"shape": (1, 8, 12), "filters": (2, 3), "classes": 4}
"""A network for maps that are not square, small enough for slow layers."""


def build(build_network, *, shape, filters, classes, seed=0):
    """What is there: the type of what comes back, and of each of its layers."""
    net = build_network(shape, filters, classes, seed)
    if not hasattr(net, "layers"):
        return {"type": type(net).__name__, "layers": None}
    inside = list(_inside(net))
    return {
        "type": type(net).__name__,
        "layers": [_described(layer) for layer in net.layers],
        "inside": [type(layer).__name__ for layer in inside],
        # For each the first place where the same object stands.
        "places": [next(k for k, other in enumerate(inside) if other is layer) for layer in inside],
    }


def _described(layer) -> dict:
    is_class = isinstance(layer, type)
    name = layer.__name__ if is_class else type(layer).__name__
    return {"type": name, "class": is_class, "forward": hasattr(layer, "forward")}


def _inside(net):
    """The layers of a network, and of the networks in it."""
    for layer in getattr(net, "layers", ()):
        yield from _inside(layer) if hasattr(layer, "layers") else (layer,)


def scores(build_network, x, *, shape, filters, classes):
    net = with_new_weights(build_network(shape, filters, classes, 0))
    try:
        return net.forward(x)
    except Exception:
        _walk(net.layers, x)  # raises the same, with a note
        raise


def _walk(layers, x):
    """Find out in which layer it stops."""
    for place, layer in enumerate(layers):
        try:
            y = layer.forward(x)
        except Exception as error:
            name = type(layer).__name__
            shape = np.shape(x)
            error.add_note(
                f"This was in layers[{place}], {name}, whose forward was given an array of shape {shape}."
            )
            raise
        if not isinstance(y, np.ndarray):
            got = "None" if y is None else type(y).__name__
            raise TypeError(
                f"layers[{place}], {type(layer).__name__}, returned {got} from its forward, but "
                "must return an array; is a return missing?"
            )
        x = y


def repeated(build_network, x, *, filters, classes):
    """Whether networks give different scores: two of one seed, and two of two seeds."""
    settings = x.shape[1:], filters, classes
    first, again, other = (build_network(*settings, seed).forward(x) for seed in (0, 0, 1))
    return np.array([int((scores != first).any()) for scores in (again, other)])


def features(build_network, *, shape, filters, classes):
    """The number of inputs that the last layer is made for."""
    return list(_inside(build_network(shape, filters, classes, 0)))[-1].W.shape[0]


def layer_by_layer(build_network, x, *, shape, filters, classes):
    """For each layer its type, the shapes of its W and of what it returns, or the error that it raises."""
    steps = []
    for layer in _inside(build_network(shape, filters, classes, 0)):
        W = np.shape(getattr(layer, "W", np.zeros(0)))
        steps.append({"type": type(layer).__name__, "W": W, "has_W": hasattr(layer, "W")})
        try:
            x = layer.forward(x)
        except Exception as error:
            steps[-1]["error"] = f"{type(error).__name__}: {error}"
            break
        steps[-1]["shape"] = np.shape(x)
    return steps


def each_layer(build_network, *, shape, filters, classes, **arrows):
    """For each layer its type, weights and results, when it is given x and dy of its own: ``x0``, ``dy0`` and so on."""
    found = []
    for place, layer in enumerate(
        _inside(with_new_weights(build_network(shape, filters, classes, 0)))
    ):
        weights = [name for name in ("W", "b") if hasattr(layer, name)]
        step = {"type": type(layer).__name__} | {name: getattr(layer, name) for name in weights}
        found.append(step)
        try:
            step["y"] = layer.forward(arrows[f"x{place}"].copy())
            step["dx"] = layer.backward(arrows[f"dy{place}"].copy())
        except Exception:  # another finding tells about it
            continue
        step.update({f"d{name}": getattr(layer, f"d{name}", None) for name in weights})
    return found


def parameters(net):
    """The layers of a network that have a W or b, with its name."""
    inside = [net, *_inside(net)] if hasattr(net, "layers") else [net]
    return [(layer, name) for layer in inside for name in ("W", "b") if hasattr(layer, name)]


def with_new_weights(net):
    """Draw every weight and bias anew, so that two networks of one shape calculate the same."""
    rng = np.random.default_rng(6)
    for layer, name in parameters(net):
        shape = getattr(layer, name).shape
        inputs = np.prod(shape) / (shape[0] if len(shape) == 4 else shape[-1])
        setattr(layer, name, rng.normal(0, np.sqrt(2 / inputs), size=shape))
    return net


# ---------------------------------------------------------------------------- there and back


def homes(build_network) -> dict[str, list[str]]:
    """For each class of the network the full names of itself and of those that it inherits from."""
    net = build_network(**SMALL, seed=0)
    return {
        type(layer).__name__: [
            f"{kind.__module__}.{kind.__qualname__}" for kind in type(layer).__mro__
        ]
        for layer in (net, *_inside(net))
    }


def gradients(build_network, first_x, first_dy, x, dy):
    """The gradients by all weights, and by x, of the second of two batches."""
    net = with_new_weights(build_network(**SMALL, seed=0))
    net.forward(first_x)
    net.backward(first_dy)
    net.forward(x)
    dx = net.backward(dy)
    return [getattr(layer, f"d{name}", None) for layer, name in parameters(net)] + [dx]


def first_disagreement(build_network, first_x, first_dy, x, dy) -> dict | None:
    """What to say of the first layer, on the way back, whose gradient isn't what a nudge says; or None."""
    rng, net = np.random.default_rng(6), with_new_weights(build_network(**SMALL, seed=0))
    # Two batches of different size, as a layer may remember the first one.
    for batch in ((first_x, first_dy), (x, dy)):
        walk = _Walk(list(_inside(net)), *batch)
        if walk.stuck:
            return walk.stuck
    agree = []
    for place in reversed(range(len(walk.layers))):
        for name in walk.gradients[place]:
            if wrong := walk.difference(place, name, rng):
                first = "nothing yet: this layer is the first on the way back"
                return _finding(
                    f"The gradient goes wrong in {walk.name(place)}: look at its {name}.",
                    "Try this layer alone, with arrays of these shapes, against a numerical gradient.",
                    {"right so far": ", ".join(agree) or first, **wrong},
                )
            agree.append(f"{name} of layers[{place}]")
    for batch in ((first_x, first_dy), (x, dy)):
        net.forward(batch[0].copy())
        dx = net.backward(batch[1].copy())
    right = walk.gradients[0]["dx"]
    if np.shape(dx) != right.shape or not np.allclose(dx, right, rtol=0, atol=1e-9):
        return _finding(
            "Each layer alone is right, but from your Sequential another gradient comes back.",
            "Does check.sequential_backward(Sequential) pass?",
        )
    return None


def _finding(says: str, hint: str, facts=()) -> dict:
    return {"says": says, "hint": hint, "facts": dict(facts)}


class _Walk:
    """A walk there and back through layers: what was on each arrow, and every gradient by its place.

    Where it can't go on, `stuck` says in which layer and why.
    """

    def __init__(self, layers_in_order: list, x: np.ndarray, dy: np.ndarray):
        self.layers, self.dy, self.arrows = layers_in_order, dy, [x]
        self.gradients: dict[int, dict[str, np.ndarray]] = {}
        self.stuck: dict | None = None
        places = range(len(self.layers))
        for place in places:
            self.arrows.append(self._called(place, "forward", self.arrows[-1]))
            if self.stuck:
                return
        for place in reversed(places):
            dy = self._called(place, "backward", dy)
            if self.stuck:
                return
            learnt = [f"d{name}" for _, name in parameters(self.layers[place])]
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
            self.stuck = _finding(says, "Is there a return on every way through it?")
        return np.array(result)

    def _complaint(self, place: int, method: str, array: np.ndarray, error: Exception) -> dict:
        what, before = ("x", place - 1) if method == "forward" else ("dy", place + 1)
        facts = {"error": f"{type(error).__name__}: {error}"}
        says = f"{self.name(place)}, can't take its {what} of shape {array.shape}"
        if not 0 <= before < len(self.layers):
            return _finding(f"{says}.", "", facts)
        if method == "backward":
            facts |= {"on the way there": f"its y had the shape {self.arrows[place + 1].shape}"}
        return _finding(
            f"{says}, which {self.name(before)}, returned.",
            "The layer that complains was given something wrong, or can't handle what is right. Which is it here?",
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
            "expected": f"{number(felt)}: so much the loss grew, per unit, when all were nudged at random",
            "got": f"{number(told)}: so much {name} says of the same nudge",
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
