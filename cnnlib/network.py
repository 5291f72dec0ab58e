"""A network: layers in a row, walked forward with pictures and back with gradients."""

import copy

import numpy as np

from cnnlib.layers import Layer, parameters

__all__ = ["Sequential", "weight_gradients"]


class Sequential(Layer):
    """Layers in a row; each one's output is the next one's input.

    It is a layer itself, with the same contract. An error inside a layer keeps its type and gets a
    note that says which layer it was, and what shape reached it.

    Parameters
    ----------
    layers : iterable of layers
        Any objects with ``forward(x)`` and ``backward(dy)``; no base class is needed.

    Raises
    ------
    TypeError
        When something in ``layers`` is not a layer; by forward and backward, when a layer returns
        something else than an array.
    ValueError
        When the same layer stands in two places.

    Examples
    --------
    >>> from cnnlib.layers import Dense, Flatten
    >>> network = Sequential([Flatten(), Dense(12, 5, rng=0)])
    >>> network.forward(np.zeros((2, 1, 3, 4))).shape
    (2, 5)
    >>> network.backward(np.zeros((2, 5))).shape
    (2, 1, 3, 4)
    """

    def __init__(self, layers):
        self.layers = list(layers)
        for place, layer in enumerate(self.layers):
            _refuse_what_is_not_a_layer(place, layer)
            if any(layer is other for other in self.layers[:place]):
                raise ValueError(
                    f"Sequential: layers[{place}] stands in the list twice, but a layer remembers "
                    f"one forward only; make another {type(layer).__name__} for each place"
                )

    def forward(self, x):
        for place, layer in enumerate(self.layers):
            x = _walk(place, layer, "forward", x)
        return x

    def backward(self, dy):
        for place, layer in reversed(list(enumerate(self.layers))):
            dy = _walk(place, layer, "backward", dy)
        return dy

    def _weight_gradients(self, dy):
        for place, layer in reversed(list(enumerate(self.layers[1:], start=1))):
            dy = _walk(place, layer, "backward", dy)
        for layer in self.layers[:1]:
            try:
                weight_gradients(layer, dy)
            except Exception as error:
                _say_where(error, 0, layer, "backward", dy)
                raise

    backward.weights_only = _weight_gradients

    def summary(self, input_shape):
        """Return a table of the layers, their output shapes and their numbers of parameters.

        A picture of zeros is sent through a copy of the network, so the network itself forgets
        nothing.

        Parameters
        ----------
        input_shape : tuple of int
            The shape of one sample, without N: (C, H, W) for images.

        Returns
        -------
        str

        Examples
        --------
        >>> from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D
        >>> network = Sequential([Conv2D(1, 4, 3), MaxPool2D(2), Flatten(), Dense(676, 10)])
        >>> print(network.summary((1, 28, 28)))
        layer                                                    output shape  parameters
        input                                                  (N, 1, 28, 28)
        Conv2D(1, 4, kernel_size=(3, 3), stride=1, padding=0)  (N, 4, 26, 26)          40
        MaxPool2D(kernel_size=(2, 2), stride=(2, 2))           (N, 4, 13, 13)           0
        Flatten()                                                    (N, 676)           0
        Dense(676, 10)                                                (N, 10)       6,770
        total                                                                       6,810
        """
        x = np.zeros((1, *input_shape), np.float32)
        rows = [("layer", "output shape", "parameters"), ("input", _shape(x), "")]
        for place, layer in enumerate(copy.deepcopy(self.layers)):
            x = _walk(place, layer, "forward", x)
            rows.append((_name(layer), _shape(x), f"{_size(layer):,}"))
        rows.append(("total", "", f"{_size(self):,}"))
        left, middle, right = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = (f"{a:{left}}  {b:>{middle}}  {c:>{right}}" for a, b, c in rows)
        return "\n".join(line.rstrip() for line in lines)

    def __repr__(self):
        return f"{type(self).__name__}([{', '.join(map(_name, self.layers))}])"


def weight_gradients(layer, dy):
    """Set every dW and db as ``layer.backward(dy)`` does, and leave out the gradient for its input.

    For training, where nobody asks how the pictures should change: a layer, or the first layer of a
    network, may save that work. One that can has it said by its ``backward`` itself, which carries the
    shorter way as ``backward.weights_only``; so a class with a backward of its own never gets another's.

    Parameters
    ----------
    layer : layer
        Any layer or network; where there is no shorter way, its ``backward`` is called.
    dy : array
        The upstream gradient, as for ``backward``.

    Examples
    --------
    >>> from cnnlib.fast import Conv2D, Flatten
    >>> network = Sequential([Conv2D(1, 1, 2, rng=0), Flatten()])
    >>> y = network.forward(np.ones((1, 1, 2, 3)))
    >>> weight_gradients(network, np.array([[1.0, 10.0]]))
    >>> network.layers[0].db
    array([11.])
    """
    short = getattr(layer.backward, "weights_only", None)
    if short is None:
        layer.backward(dy)
    else:
        short(layer, dy)


def _walk(place, layer, method, array):
    try:
        result = getattr(layer, method)(array)
    except Exception as error:
        _say_where(error, place, layer, method, array)
        raise
    if not isinstance(result, np.ndarray):
        raise TypeError(
            f"Sequential.{method}: layers[{place}], {_name(layer)}, returned "
            f"{'None' if result is None else type(result).__name__} from its {method}, but must "
            "return an array; is a return missing?"
        )
    return result


def _say_where(error, place, layer, method, array):
    error.add_note(
        f"This was in layers[{place}], {_name(layer)}, "
        f"whose {method} was given an array of shape {np.shape(array)}."
    )


def _refuse_what_is_not_a_layer(place, layer):
    if isinstance(layer, type):
        raise TypeError(
            f"Sequential: layers[{place}] is the class {layer.__name__}, but must be a layer made "
            f"from it, {layer.__name__}(...)"
        )
    for method in ("forward", "backward"):
        if not callable(getattr(layer, method, None)):
            raise TypeError(
                f"Sequential: layers[{place}] is {_name(layer)}, which has no {method}; "
                "a layer needs forward(x) and backward(dy)"
            )


def _name(layer):
    """The layer's own repr, or its class where it has none but an address in memory."""
    plain = type(layer).__repr__ is object.__repr__
    return f"{type(layer).__name__}()" if plain else repr(layer)


def _shape(x):
    return f"(N{''.join(f', {size}' for size in x.shape[1:])})"


def _size(layer):
    return sum(np.size(getattr(owner, name)) for owner, name in parameters(layer))
