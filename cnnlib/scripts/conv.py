"""Conv2D, and everything that has a W and a b."""

from cnnlib.scripts.weights import gradient, hand_back


def _built(layer_class, W, b, stride, padding):
    """A layer with these weights; a square kernel_size is given as one number."""
    F, C, KH, KW = W.shape
    layer = layer_class(C, F, KH if KH == KW else (KH, KW), stride=stride, padding=padding)
    layer.W, layer.b = W.copy(), b.copy()
    return layer


def forward(layer_class, x, W, b, stride, padding):
    layer = _built(layer_class, W, b, stride, padding)
    y = layer.forward(x)
    hand_back(layer, W, b)
    return y


def forward_of_second_batch(layer_class, first, x, W, b, stride, padding):
    layer = _built(layer_class, W, b, stride, padding)
    layer.forward(first)
    return layer.forward(x)


def first_of_two_forwards(layer_class, x, then, W, b, stride, padding):
    layer = _built(layer_class, W, b, stride, padding)
    y = layer.forward(x)
    layer.forward(then)
    return y


def backward(layer_class, x, W, b, dy, stride, padding, name):
    layer = _built(layer_class, W, b, stride, padding)
    layer.forward(x)
    result = gradient(layer, name, dy)
    hand_back(layer, W, b)
    return result


def backward_of_second_batch(layer_class, first, x, W, b, dy, stride, padding, name):
    layer = _built(layer_class, W, b, stride, padding)
    layer.forward(first)
    layer.forward(x)
    return gradient(layer, name, dy)


def second_of_two_backwards(layer_class, x, W, b, first_dy, dy, stride, padding, name):
    layer = _built(layer_class, W, b, stride, padding)
    layer.forward(x)
    gradient(layer, name, first_dy)
    return gradient(layer, name, dy)


def first_of_two_backwards(layer_class, x, W, b, dy, then_dy, stride, padding, name):
    layer = _built(layer_class, W, b, stride, padding)
    layer.forward(x)
    dx = layer.backward(dy)
    layer.backward(then_dy)
    return dx


def backward_of_two_layers(layer_class, x, W, b, dy, other, stride, padding, name):
    layer = _built(layer_class, W, b, stride, padding)
    next_layer = _built(layer_class, W, b, stride, padding)
    layer.forward(x)
    next_layer.forward(other)
    return gradient(layer, name, dy)
