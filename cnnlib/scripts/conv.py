"""Conv2D, and everything that has a W and a b."""

from cnnlib.scripts.weights import give, gradient, hand_back


def _built(layer_class, W, b, **settings):
    """A layer with these weights; a square kernel_size is given as one number.

    The settings are a stride, a padding, both or none: what is left out, the layer has to know.
    """
    F, C, KH, KW = W.shape
    layer = layer_class(C, F, KH if KH == KW else (KH, KW), **settings)
    give(layer, W, b)
    return layer


def forward(layer_class, x, W, b, **settings):
    layer = _built(layer_class, W, b, **settings)
    y = layer.forward(x)
    hand_back(layer, W, b)
    return y


def forward_of_second_batch(layer_class, first, x, W, b, **settings):
    layer = _built(layer_class, W, b, **settings)
    layer.forward(first)
    return layer.forward(x)


def first_of_two_forwards(layer_class, x, then, W, b, **settings):
    layer = _built(layer_class, W, b, **settings)
    y = layer.forward(x)
    layer.forward(then)
    return y


def backward(layer_class, x, W, b, dy, *, name, **settings):
    layer = _built(layer_class, W, b, **settings)
    layer.forward(x)
    result = gradient(layer, name, dy)
    hand_back(layer, W, b)
    return result


def backward_of_second_batch(layer_class, first, x, W, b, dy, *, name, **settings):
    layer = _built(layer_class, W, b, **settings)
    layer.forward(first)
    layer.forward(x)
    return gradient(layer, name, dy)


def second_of_two_backwards(layer_class, x, W, b, first_dy, dy, *, name, **settings):
    layer = _built(layer_class, W, b, **settings)
    layer.forward(x)
    gradient(layer, name, first_dy)
    return gradient(layer, name, dy)


def first_of_two_backwards(layer_class, x, W, b, dy, then_dy, *, name, **settings):
    layer = _built(layer_class, W, b, **settings)
    layer.forward(x)
    dx = layer.backward(dy)
    layer.backward(then_dy)
    return dx


def backward_of_two_layers(layer_class, x, W, b, dy, other, *, name, **settings):
    layer = _built(layer_class, W, b, **settings)
    next_layer = _built(layer_class, W, b, **settings)
    layer.forward(x)
    next_layer.forward(other)
    return gradient(layer, name, dy)
