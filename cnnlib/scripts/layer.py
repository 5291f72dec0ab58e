"""Layers without weights, and functions that are called with arrays; `thing()` builds the learner's layer."""


def call(thing, *, arguments=(), **inputs):
    """Call a function with the arrays and then the arguments, in their order."""
    return thing(*inputs.values(), *arguments)


def forward(thing, x):
    return thing().forward(x)


def forward_of_second_batch(thing, first, x):
    layer = thing()
    layer.forward(first)
    return layer.forward(x)


def backward(thing, x, dy):
    layer = thing()
    layer.forward(x)
    return layer.backward(dy)


def backward_of_second_batch(thing, first, x, dy):
    layer = thing()
    layer.forward(first)
    layer.forward(x)
    return layer.backward(dy)


def first_of_two_backwards(thing, x, dy, then_dy):
    """The first result, looked at when the second call may have overwritten it."""
    layer = thing()
    layer.forward(x)
    dx = layer.backward(dy)
    layer.backward(then_dy)
    return dx


def second_of_two_backwards(thing, x, first_dy, dy):
    layer = thing()
    layer.forward(x)
    layer.backward(first_dy)
    return layer.backward(dy)


def backward_of_two_layers(thing, x, dy, other):
    layer, next_layer = thing(), thing()
    layer.forward(x)
    next_layer.forward(other)
    return layer.backward(dy)
