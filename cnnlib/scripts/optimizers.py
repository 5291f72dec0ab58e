"""Steps of an optimizer in a network that is made of a case's arrays."""

import numpy as np

from cnnlib.scripts.words import describe


def weights(inputs) -> list[str]:
    """The names of the weights among a case's inputs: W and b, or those of several layers, W0, b0, W2 …"""
    return [name for name in inputs if name[0] in "Wb"]


def gradients(inputs, name) -> list[np.ndarray]:
    """The gradients by one weight array, step after step."""
    return [
        gradient
        for key, array in inputs.items()
        if key.endswith(f"d{name}") and not key.startswith("other")
        for gradient in (array if key.startswith("earlier") else [array])
    ]


def _network(layers, network, inputs):
    """A network of layers with these weights, and who owns each: {"W0": (layer, "W"), …}."""
    parts, owners = {}, {}
    for label in weights(inputs):
        name, place = label[0], int(label[1:] or 0)
        if name == "W":
            shape = inputs[label].shape
            kind = layers.Dense if len(shape) == 2 else layers.Conv2D
            sizes = shape if len(shape) == 2 else (shape[1], shape[0], shape[2:])
            parts[place] = kind(*sizes, rng=0)
        owners[label] = parts[place], name
        setattr(parts[place], name, inputs[label].copy())
    places = range(max(parts) + 1)
    return network.Sequential([parts.get(place, layers.ReLU()) for place in places]), owners


def _step(optimizer, owners, step):
    """Set the gradients, as a backward does, and let the optimizer move the weights."""
    for (layer, name), gradient in zip(owners.values(), step, strict=True):
        setattr(layer, f"d{name}", gradient)
    optimizer.step()
    for (layer, name), gradient in zip(owners.values(), step, strict=True):
        # To where the engine sees that it is another one now.
        if not np.array_equal(getattr(layer, f"d{name}", None), gradient):
            gradient[...] = np.nan


def _weight(owners, label):
    layer, name = owners[label]
    weight = getattr(layer, name)
    if not isinstance(weight, np.ndarray | np.generic):
        raise ValueError(f"after step, a layer's {name} is {describe(weight, name)}, not an array")
    return weight.copy()


def _walk(optimizer, owners, label, way, between=lambda: None):
    """Go some steps; return by how much the weights `label` move in the last one."""
    *earlier, last = way
    for each in earlier:
        _step(optimizer, owners, each)
    between()
    before = _weight(owners, label)
    _step(optimizer, owners, last)
    after = _weight(owners, label)
    if after.shape != before.shape:
        return after  # in a shape to be told of
    change = (after - before).astype(after.dtype)
    # Weights near 1 leave rounding errors in their difference, which say nothing.
    return change.round(12) if change.dtype == np.float64 else change


def steps(inputs):
    return list(zip(*(gradients(inputs, label) for label in weights(inputs)), strict=True))


def alone(optimizer_class, *, layers, network, settings, label, **inputs):
    net, owners = _network(layers, network, inputs)
    return _walk(optimizer_class(net, **settings), owners, label, steps(inputs))


def with_new_rate(optimizer_class, *, layers, network, settings, label, **inputs):
    net, owners = _network(layers, network, inputs)
    optimizer = optimizer_class(net, **settings)

    def set_rate():
        optimizer.learning_rate = NEW_RATE

    return _walk(optimizer, owners, label, steps(inputs), set_rate)


NEW_RATE = 0.03125


def with_gradients_in_one_place(optimizer_class, *, layers, network, settings, label, **inputs):
    """As a layer may do it: each backward writes into the same arrays."""
    net, owners = _network(layers, network, inputs)
    optimizer = optimizer_class(net, **settings)
    places = [np.empty_like(inputs[name]) for name in weights(inputs)]

    def walk(step):
        for place, gradient in zip(places, step, strict=True):
            place[...] = gradient
        return _walk(optimizer, owners, label, [places])

    return [walk(step) for step in steps(inputs)][-1]


def beside_another(optimizer_class, *, layers, network, settings, label, **inputs):
    net, owners = _network(layers, network, inputs)
    other_net, other_owners = _network(layers, network, inputs)
    optimizer, other = optimizer_class(net, **settings), optimizer_class(other_net, **settings)
    others = [inputs[f"other_d{name}"] for name in weights(inputs)]

    def walk(step):
        _step(other, other_owners, others)
        return _walk(optimizer, owners, label, [step])

    return [walk(step) for step in steps(inputs)][-1]


def after_a_step(optimizer_class, *, layers, network, settings, **inputs):
    """What an optimizer holds of its settings when it has gone one step."""
    net, owners = _network(layers, network, inputs)
    optimizer = optimizer_class(net, **settings)
    _step(optimizer, owners, steps(inputs)[0])
    return {name: held for name, held in vars(optimizer).items() if name in settings}
