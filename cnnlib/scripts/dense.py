"""Dense, and the loss."""

import numpy as np

from cnnlib.scripts.weights import give, gradient, hand_back


def _built(layer_class, W, b):
    layer = layer_class(*W.shape)
    give(layer, W, b)
    return layer


def forward(layer_class, x, W, b):
    layer = _built(layer_class, W, b)
    y = layer.forward(x)
    hand_back(layer, W, b)
    return y


def forward_twice(layer_class, first, x, W, b):
    layer = _built(layer_class, W, b)
    layer.forward(first)
    y = layer.forward(x)
    hand_back(layer, W, b)
    return y


def forward_with_new_weights(layer_class, x, old_W, old_b, W, b):
    layer = _built(layer_class, old_W, old_b)
    layer.forward(x)
    layer.W, layer.b = W.copy(), b.copy()
    return layer.forward(x)


def _gradient(name, layer, dy, W, b):
    result = gradient(layer, name, dy)
    hand_back(layer, W, b)
    return result


def once(layer_class, x, W, b, dy, *, name):
    layer = _built(layer_class, W, b)
    layer.forward(x)
    return _gradient(name, layer, dy, W, b)


def of_second_batch(layer_class, first, first_dy, x, W, b, dy, *, name):
    layer = _built(layer_class, W, b)
    layer.forward(first)
    gradient(layer, name, first_dy)
    layer.forward(x)
    return _gradient(name, layer, dy, W, b)


def twice(layer_class, x, W, b, first_dy, dy, *, name):
    layer = _built(layer_class, W, b)
    layer.forward(x)
    gradient(layer, name, first_dy)
    return _gradient(name, layer, dy, W, b)


def of_two_layers(layer_class, x, W, b, dy, other, other_dy, *, name):
    layer, next_layer = _built(layer_class, W, b), _built(layer_class, W, b)
    layer.forward(x)
    next_layer.forward(other)
    result = _gradient(name, layer, dy, W, b)
    gradient(next_layer, name, other_dy)
    return result


def loss(loss_class, logits, labels):
    return loss_class().forward(logits, labels)


def loss_of_second_batch(loss_class, first, first_labels, logits, labels):
    loss = loss_class()
    loss.forward(first, first_labels)
    return loss.forward(logits, labels)


def dlogits(loss_class, logits, labels):
    loss = loss_class()
    loss.forward(logits, labels)
    return loss.backward()


def dlogits_of_second_batch(loss_class, first, first_labels, logits, labels):
    loss = loss_class()
    loss.forward(first, first_labels)
    loss.forward(logits, labels)
    return loss.backward()


def dlogits_twice(loss_class, logits, labels):
    loss = loss_class()
    loss.forward(logits, labels)
    first = loss.backward()
    before = first.copy()
    second = loss.backward()
    return second if np.array_equal(first, before) else first


def dlogits_of_two_losses(loss_class, logits, labels, other, other_labels):
    loss, next_loss = loss_class(), loss_class()
    loss.forward(logits, labels)
    next_loss.forward(other, other_labels)
    return loss.backward()


def notices(blind_guess, x, labels):
    """1 where labels that can't be right stop a guess, or change it; 0 where they make no difference."""
    try:
        loss = blind_guess(x, labels)
        return int(not isinstance(loss, float) or abs(loss - np.log(10)) > 1e-9)
    except NotImplementedError:
        raise
    except Exception:
        return 1
