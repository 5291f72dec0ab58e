"""The check of lesson 09: every right saliency passes, wrong ones are told what they did."""

import linecache
import textwrap

import numpy as np
import pytest

from cnnlib import check, inside, misconceptions
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.misconceptions import changes
from cnnlib.misconceptions import inside as wrong


def one_line(failure):
    return " ".join(str(failure).split())


def saliency(body):
    """What a learner's cell defines, with the cell's lines where tracebacks look for them."""
    return defined("saliency(network, images, classes)", body)


def confusion_matrix(body):
    return defined("confusion_matrix(labels, predictions, classes)", body)


def defined(head, body):
    body = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    source = f"def {head}:\n{body}\n"
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")
    namespace = {"np": np, "SoftmaxCrossEntropy": SoftmaxCrossEntropy, "MEMORY": {}}
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace[head.partition("(")[0]]


# ---------------------------------------------------------------------------- saliency

RIGHT = {
    "picture by picture": """
        maps = []
        for picture, k in zip(images, classes):
            scores = network.forward(picture[None])
            dy = np.zeros(scores.shape, scores.dtype)
            dy[0, k] = 1
            maps.append(np.abs(network.backward(dy)[0]).max(axis=0))
        return np.stack(maps)
    """,
    "rows of eye": """
        K = network.forward(images).shape[1]
        return np.max(abs(network.backward(np.eye(K)[classes])), axis=1)
    """,
    "whole numbers in dy": """
        scores = network.forward(images)
        dy = np.zeros(scores.shape, int)
        dy[range(len(classes)), classes] = 1
        return np.abs(network.backward(dy)).max(1)
    """,
    "compared with a row of classes": """
        K = network.forward(images).shape[1]
        dy = (np.arange(K) == classes[:, None]).astype(images.dtype)
        return np.linalg.norm(network.backward(dy), ord=np.inf, axis=1)
    """,
    "np.add.at": """
        dy = np.zeros_like(network.forward(images))
        np.add.at(dy, (np.arange(len(images)), classes), 1)
        dx = network.backward(dy)
        return np.maximum(dx.max(axis=1), -dx.min(axis=1))
    """,
    "put_along_axis": """
        dy = np.zeros_like(network.forward(images))
        np.put_along_axis(dy, classes[:, None].astype(int), 1, axis=1)
        return np.sqrt((network.backward(dy) ** 2).max(axis=1))
    """,
    "layer by layer": """
        y = images
        for layer in network.layers:
            y = layer.forward(y)
        dy = np.eye(y.shape[1], dtype=y.dtype)[classes]
        for layer in reversed(network.layers):
            dy = layer.backward(dy)
        return np.abs(dy).max(axis=1)
    """,
    "a minus before all of it": """
        dy = np.zeros_like(network.forward(images))
        dy[np.arange(len(images)), classes] = -1
        return np.abs(network.backward(dy)).max(axis=1)
    """,
    "every class, then one chosen": """
        scores = network.forward(images)
        maps = np.empty_like(images[:, 0])
        for k in range(scores.shape[1]):
            dy = np.zeros_like(scores)
            dy[:, k] = 1
            chosen = classes == k
            maps[chosen] = np.abs(network.backward(dy)).max(axis=1)[chosen]
        return maps
    """,
    "loops over everything": """
        N, C, H, W = images.shape
        maps = np.zeros((N, H, W), images.dtype)
        for n in range(N):
            dy = np.zeros_like(network.forward(images[n : n + 1]))
            dy[0][classes[n]] = 1.0
            dx = network.backward(dy)
            for h in range(H):
                for w in range(W):
                    maps[n, h, w] = max(abs(dx[0, c, h, w]) for c in range(C))
        return maps
    """,
    "network called twice": """
        network.forward(images)
        dy = np.zeros_like(network.forward(images.copy()))
        dy[np.arange(len(images)), classes] = 1
        return np.abs(network.backward(dy)).max(axis=1)
    """,
}


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT)
def test_every_right_way_passes(body):
    assert check.saliency.failure(saliency(body)) is None


# Wrong maps that no misconception was written for, or that are written in another way, and what each has to be told.
WRONG = {
    "ones, with a loop": (
        """
        maps = []
        for n in range(len(images)):
            scores = network.forward(images[n:n + 1])
            dx = network.backward(np.ones(scores.shape))
            maps.append(np.abs(dx[0]).max(axis=0))
        return np.array(maps)
        """,
        "You send back ones",
    ),
    "loss from the course": (
        """
        loss = SoftmaxCrossEntropy()
        loss.forward(network.forward(images), classes)
        dx = network.backward(loss.backward())
        return np.max(np.abs(dx), axis=1)
        """,
        "You send back the gradient of the loss",
    ),
    "loss of the prediction": (
        """
        loss = SoftmaxCrossEntropy()
        scores = network.forward(images)
        loss.forward(scores, scores.argmax(axis=1))
        return np.abs(network.backward(loss.backward())).max(axis=1)
        """,
        "a loss whose right answer is what the network believes",
    ),
    "the loss, and the sum": (
        """
        loss = SoftmaxCrossEntropy()
        loss.forward(network.forward(images), classes)
        return np.abs(network.backward(loss.backward())).sum(axis=1)
        """,
        "gradient of the loss, not that of the score. The second: You add up the channels",
    ),
    "predicted, mean with sign": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[scores.argmax(axis=1)]
        return network.backward(dy).mean(axis=1)
        """,
        "The second: You take the mean over the channels with their sign",
    ),
    "classes counted from 1": (
        """
        scores = network.forward(images)
        dy = np.zeros_like(scores)
        dy[np.arange(len(images)), classes - 1] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "You take one off each class",
    ),
    "one class too far": (
        """
        scores = network.forward(images)
        dy = np.zeros_like(scores)
        for n in range(len(images)):
            dy[n, classes[n] + 1] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "Where class 0 is asked for, you show the map of class 1",
    ),
    "classes sorted": (
        """
        scores = network.forward(images)
        dy = np.zeros_like(scores)
        dy[np.arange(len(images)), sorted(classes)] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "Where class 5 is asked for, you show the map of class 1",
    ),
    "classes reversed": (
        """
        scores = network.forward(images)
        dy = np.zeros_like(scores)
        dy[np.arange(len(images)), classes[::-1]] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "Where class 5 is asked for, you show the map of class 1",
    ),
    "place of the picture": (
        """
        scores = network.forward(images)
        dy = np.zeros_like(scores)
        for n in range(len(images)):
            dy[n, n] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "The first picture is asked for class 0, the second one for class 1",
    ),
    "eye of N": (
        """
        network.forward(images)
        dy = np.eye(len(images))[classes]
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "dy has shape (1, 1) but forward saw (1, 4), so dy must be (1, 2)",
    ),
    "ten classes": (
        """
        network.forward(images)
        dy = np.zeros((len(images), 10))
        dy[np.arange(len(images)), classes] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "dy has shape (1, 10) but forward saw (1, 4), so dy must be (1, 2)",
    ),
    "classes is the largest": (
        """
        K = classes.max() + 1
        network.forward(images)
        dy = np.eye(K)[classes]
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "dy has shape (1, 1) but forward saw (1, 4), so dy must be (1, 2)",
    ),
    "dy is the class": (
        """
        network.forward(images)
        return np.abs(network.backward(classes)).max(axis=1)
        """,
        "dy has shape (1,) but",
    ),
    "dy is the column of scores": (
        """
        scores = network.forward(images)
        s = scores[np.arange(len(images)), classes]
        return np.abs(network.backward(s)).max(axis=1)
        """,
        "dy has shape (1,) but",
    ),
    "a single 1": (
        """
        scores = network.forward(images)
        dy = np.zeros(scores.shape[1])
        dy[classes] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "dy has shape (2,) but",
    ),
    "no forward": (
        """
        dy = np.zeros((len(images), 10))
        dy[np.arange(len(images)), classes] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "there was no forward yet",
    ),
    "all at once forward, one by one back": (
        """
        scores = network.forward(images)
        maps = []
        for n in range(len(images)):
            dy = np.zeros((1, scores.shape[1]))
            dy[0, classes[n]] = 1
            maps.append(np.abs(network.backward(dy))[0].max(axis=0))
        return np.array(maps)
        """,
        "so dy must be (2, 7)",
    ),
    "dy made once, outside the loop": (
        """
        scores = network.forward(images)
        dy = np.zeros((1, scores.shape[1]))
        maps = []
        for n in range(len(images)):
            network.forward(images[n:n + 1])
            dy[0, classes[n]] = 1
            maps.append(np.abs(network.backward(dy))[0].max(axis=0))
        return np.array(maps)
        """,
        "the 1s of the pictures before it are still there",
    ),
    "picture without its batch axis": (
        """
        maps = []
        for n in range(len(images)):
            scores = network.forward(images[n])
            dy = np.zeros_like(scores)
            dy[classes[n]] = 1
            maps.append(np.abs(network.backward(dy)).max(axis=0))
        return np.array(maps)
        """,
        "x has shape (2, 2), but must be (N, 4)",
    ),
    "a list of maps": (
        """
        maps = []
        for n in range(len(images)):
            scores = network.forward(images[n:n + 1])
            dy = np.zeros_like(scores)
            dy[0, classes[n]] = 1
            maps.append(np.abs(network.backward(dy))[0].max(axis=0))
        return maps
        """,
        "It returned a list, not an array",
    ),
    "maps concatenated": (
        """
        maps = []
        for n in range(len(images)):
            scores = network.forward(images[n:n + 1])
            dy = np.zeros_like(scores)
            dy[0, classes[n]] = 1
            maps.append(np.abs(network.backward(dy))[0].max(axis=0))
        return np.concatenate(maps)
        """,
        "only the shape of saliency is wrong",
    ),
    "return in the loop": (
        """
        for n in range(len(images)):
            scores = network.forward(images[n:n + 1])
            dy = np.zeros_like(scores)
            dy[0, classes[n]] = 1
            return np.abs(network.backward(dy)).max(axis=1)
        """,
        "Only the first picture goes through",
    ),
    "overwritten in the loop": (
        """
        for n in range(len(images)):
            scores = network.forward(images[n:n + 1])
            dy = np.zeros_like(scores)
            dy[0, classes[n]] = 1
            saliency = np.abs(network.backward(dy)).max(axis=1)
        return saliency
        """,
        "Only the map of the last picture comes back",
    ),
    "filled in float64": (
        """
        N, C, H, W = images.shape
        saliency = np.zeros((N, H, W))
        for n in range(N):
            scores = network.forward(images[n:n + 1])
            dy = np.zeros_like(scores)
            dy[0, classes[n]] = 1
            saliency[n] = np.abs(network.backward(dy))[0].max(axis=0)
        return saliency
        """,
        "their dtype is float64, not float32",
    ),
    "like the classes": (
        """
        scores = network.forward(images)
        dy = np.zeros_like(scores)
        dy[np.arange(len(images)), classes] = 1
        dx = network.backward(dy)
        out = np.zeros_like(images[:, 0], dtype=classes.dtype)
        out[:] = np.abs(dx).max(axis=1)
        return out
        """,
        "cut to whole numbers",
    ),
    "max by Python's hand, from 0": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        dx = network.backward(dy)
        N, C, H, W = dx.shape
        out = np.zeros((N, H, W), dx.dtype)
        for n, c, h, w in np.ndindex(N, C, H, W):
            if dx[n, c, h, w] > out[n, h, w]:
                out[n, h, w] = abs(dx[n, c, h, w])
        return out
        """,
        "What is negative has become 0",
    ),
    "last axis is the channel": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=-1)
        """,
        "over the columns, not over the channels",
    ),
    "max of everything": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max()
        """,
        "too few axes: 0, not 3",
    ),
    "Python's abs and max": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return max(abs(network.backward(dy)))
        """,
        "the largest over the pictures, not over the channels",
    ),
    "np.max(x, y)": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        dx = network.backward(dy)
        return np.max(dx, -dx)
        """,
        "where one whole number is asked for",
    ),
    "maximum of dx and -dx": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        dx = network.backward(dy)
        return np.maximum(dx, -dx)
        """,
        "The channels are still there",
    ),
    "argmax": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).argmax(axis=1)
        """,
        "which channel is the strongest, not how strong",
    ),
    "squeeze": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).squeeze()
        """,
        "All axes of length 1 are gone",
    ),
    "squeezed maps": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=1).squeeze()
        """,
        "only the shape of saliency is wrong",
    ),
    "grey by weights": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        dx = np.abs(network.backward(dy))
        return 0.5 * dx[:, 0] + 0.5 * dx[:, -1]
        """,
        "depends on W[[1, 3], 0]; it should depend on W[1, 0]",
    ),
    "root mean square": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.sqrt((network.backward(dy) ** 2).mean(axis=1))
        """,
        "the root of the mean of squares",
    ),
    "squares added up": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return (network.backward(dy) ** 2).sum(axis=1)
        """,
        "You add up the squares",
    ),
    "log for the eye": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.log1p(np.abs(network.backward(dy)).max(axis=1))
        """,
        "got saliency[0, 0, 1] = 1.79176",
    ),
    "to 255": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        s = np.abs(network.backward(dy)).max(axis=1)
        return s / s.max() * 255
        """,
        "isn't always the same one",
    ),
    "a little added": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=1) + 1e-8
        """,
        "nearly right",
    ),
    "standardised": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        s = np.abs(network.backward(dy)).max(axis=1)
        return (s - s.mean()) / s.std()
        """,
        "does not depend on W, and should",
    ),
    "weighted with the picture, after the max": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=1) * images.max(axis=1)
        """,
        "depends on images, and should not",
    ),
    "without black pixels": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        dx = network.backward(dy)
        dx[images <= 0] = 0
        return np.abs(dx).max(axis=1)
        """,
        "depends on images, and should not",
    ),
    "guided": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        for layer in reversed(network.layers):
            dy = np.maximum(layer.backward(dy), 0)
        return dy.max(axis=1)
        """,
        "You throw away what is negative at each layer",
    ),
    "dy positive at each layer": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        for layer in reversed(network.layers):
            dy = np.abs(layer.backward(dy))
        return dy.max(axis=1)
        """,
        "You drop the sign at each layer",
    ),
    "forward through the layers back": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        for layer in network.layers:
            dy = layer.backward(dy)
        return np.abs(dy).max(axis=1)
        """,
        "You walk back through the layers from the first to the last",
    ),
    "stops at the first convolution": (
        """
        network.forward(images)
        for layer in network.layers:
            if hasattr(layer, 'dW'):
                return np.abs(layer.dW).max(axis=1)
        """,
        "It returned None",
    ),
    "softmax before": (
        """
        scores = network.forward(images)
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        dy = np.zeros_like(p)
        dy[np.arange(len(images)), classes] = p[np.arange(len(images)), classes]
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "the probability of the class, where a 1 belongs",
    ),
    "margin to the others": (
        """
        scores = network.forward(images)
        dy = np.full_like(scores, -1)
        dy[np.arange(len(images)), classes] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "how far it is ahead of them",
    ),
    "minus the mean of all": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes] - 1 / scores.shape[1]
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "ahead of the mean of all",
    ),
    "occlusion of one pixel": (
        """
        scores = network.forward(images)
        rows = np.arange(len(images))
        out = np.zeros_like(images[:, 0])
        for h in range(images.shape[2]):
            for w in range(images.shape[3]):
                covered = images.copy()
                covered[:, :, h, w] = 0
                out[:, h, w] = np.abs(scores - network.forward(covered))[rows, classes]
        return out
        """,
        "depends on images, and should not",
    ),
    "finite differences": (
        """
        rows = np.arange(len(images))
        dx = np.zeros_like(images)
        for place in np.ndindex(images.shape[1:]):
            up, down = images.copy(), images.copy()
            up[(slice(None), *place)] += 1e-5
            down[(slice(None), *place)] -= 1e-5
            change = network.forward(up) - network.forward(down)
            dx[(slice(None), *place)] = change[rows, classes] / 2e-5
        return np.abs(dx).max(axis=1)
        """,
        "the images are float32",
    ),
    "finite differences, all channels nudged": (
        """
        rows = np.arange(len(images))
        out = np.zeros_like(images[:, 0])
        for h, w in np.ndindex(out.shape[1:]):
            up = images.astype(float)
            up[:, :, h, w] += 1e-3
            out[:, h, w] = np.abs(network.forward(up) - network.forward(images))[rows, classes] / 1e-3
        return out
        """,
        "wrong only with several channels",
    ),
    "nudged in place": (
        """
        rows = np.arange(len(images))
        dx = np.zeros_like(images)
        before = network.forward(images)[rows, classes]
        for place in np.ndindex(images.shape[1:]):
            images[(slice(None), *place)] += 1e-5
            dx[(slice(None), *place)] = (network.forward(images)[rows, classes] - before) / 1e-5
        return np.abs(dx).max(axis=1)
        """,
        "changed images in place",
    ),
    "abs in place on a view of images": (
        """
        network.forward(images)
        dy = np.eye(network.forward(images).shape[1])[classes]
        images[...] = network.backward(dy)
        np.abs(images, out=images)
        return images.max(axis=1)
        """,
        "You write into the pictures",
    ),
    "pictures centred in place": (
        """
        images -= images.mean()
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "changed images in place",
    ),
    "weights stepped": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        dx = network.backward(dy)
        for layer in network.layers:
            if hasattr(layer, 'W'):
                layer.W = layer.W - 0.1 * layer.dW
        return np.abs(dx).max(axis=1)
        """,
        "the network has other weights",
    ),
    "weights made positive": (
        """
        for layer in network.layers:
            if hasattr(layer, 'W'):
                layer.W = np.abs(layer.W)
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "the network has other weights",
    ),
    "no return": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        saliency = np.abs(network.backward(dy)).max(axis=1)
        """,
        "It returned None",
    ),
    "backward of the images": (
        """
        return np.abs(network.backward(images)).max(axis=1)
        """,
        "there was no forward yet",
    ),
    "forward with classes": (
        """
        scores = network.forward(images, classes)
        return np.abs(network.backward(scores)).max(axis=1)
        """,
        "positional argument",
    ),
    "reshaped in place of a maximum": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        dx = np.abs(network.backward(dy))
        N, C, H, W = images.shape
        return np.resize(dx, (N, H, W))
        """,
        "saliency is wrong only in one part",
    ),
    "rows and columns swapped": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=1).transpose(0, 2, 1)
        """,
        "axes in the order (N, W, H)",
    ),
    "an upside-down map": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=1)[:, ::-1]
        """,
        "flipped along H",
    ),
    "one map copied": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        return np.abs(network.backward(dy)).max(axis=(0, 1), keepdims=True)[0] + np.zeros_like(images[:, 0])
        """,
        "the same for every index along N",
    ),
    "memory of its own, used again": (
        """
        scores = network.forward(images)
        dy = np.eye(scores.shape[1])[classes]
        s = np.abs(network.backward(dy)).max(axis=1)
        kept = MEMORY.setdefault((s.shape, s.dtype), s)
        kept[...] = s
        return kept
        """,
        "looked at after another call",
    ),
    "kept from the first call": (
        """
        if 'dx' not in MEMORY:
            scores = network.forward(images)
            MEMORY['dx'] = network.backward(np.eye(scores.shape[1])[classes])
        return np.abs(MEMORY['dx']).max(axis=1)
        """,
        "wrong length along N and H and W",
    ),
    "summed over classes by a loop": (
        """
        scores = network.forward(images)
        total = 0
        for k in range(scores.shape[1]):
            dy = np.zeros_like(scores)
            dy[:, k] = 1
            total = total + np.abs(network.backward(dy)).max(axis=1)
        return total
        """,
        "You add up the maps of all classes",
    ),
    "largest over classes": (
        """
        scores = network.forward(images)
        maps = []
        for k in range(scores.shape[1]):
            dy = np.zeros_like(scores)
            dy[:, k] = 1
            maps.append(np.abs(network.backward(dy)).max(axis=1))
        return np.max(maps, axis=0)
        """,
        "the largest over the maps of all classes",
    ),
    "classes as rows": (
        """
        dy = np.zeros_like(network.forward(images))
        dy[classes, np.arange(len(images))] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "the classes as rows of dy, and the pictures as columns",
    ),
    "a loop over the classes": (
        """
        dy = np.zeros_like(network.forward(images))
        for n in classes:
            dy[n, classes[n]] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "Your loop runs over the classes themselves",
    ),
    "darker pictures": (
        """
        dy = np.zeros_like(network.forward(images / 255))
        dy[np.arange(len(images)), classes] = 1
        return np.abs(network.backward(dy)).max(axis=1)
        """,
        "You divide the pictures by 255",
    ),
    "a blank batch tells K": (
        """
        network.forward(images)
        K = network.forward(np.zeros_like(images)).shape[1]
        return np.abs(network.backward(np.eye(K)[classes])).max(axis=1)
        """,
        "blank pictures have gone forward",
    ),
    "a blank picture tells K": (
        """
        network.forward(images)
        K = network.forward(np.zeros_like(images[:1])).shape[1]
        return np.abs(network.backward(np.eye(K)[classes])).max(axis=1)
        """,
        "one blank picture has gone forward",
    ),
    "indexed by all classes": (
        """
        scores = network.forward(images)
        maps = []
        for k in range(scores.shape[1]):
            dy = np.zeros_like(scores)
            dy[:, k] = 1
            maps.append(np.abs(network.backward(dy)).max(axis=1))
        return np.array(maps)[classes]
        """,
        "too many axes: 4, not 3",
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("body", "phrase"), WRONG.values(), ids=WRONG)
def test_a_wrong_saliency_is_told_what_it_did(body, phrase):
    assert phrase in one_line(check.saliency.failure(saliency(body)))


PAIRS = [
    (wrong.gradient_of_the_loss, wrong.sum_over_channels),
    (wrong.gradient_of_the_loss, wrong.stretched_each),
    (wrong.gradient_of_the_probability, wrong.largest_with_sign),
    (wrong.ones_for_all_scores, wrong.signed_mean_over_channels),
    (wrong.scores_as_dy, wrong.times_the_picture),
    (wrong.predicted_class, wrong.sign_dropped_too_late),
    (wrong.class_of_the_first, wrong.squared),
    (wrong.classes_of_all, wrong.all_channels),
    (wrong.divided_by_the_batch, wrong.first_channel),
    (wrong.last_row_only, wrong.whole_numbers),
]


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{a.__name__}-{b.__name__}" for a, b in PAIRS])
def test_two_mistakes_at_once_are_both_told(pair):
    one, other = (broken.slips for broken in pair)
    both = changes.made("both", wrong.largest_with_sign.way, *one, *other)
    message = one_line(check.saliency.failure(both))
    for named in pair:
        assert named.says.split(". ")[0].rstrip(".") in message


def test_no_message_shows_the_line_that_solves_the_exercise():
    for broken in misconceptions.seen_by("saliency"):
        for text in (broken.says, broken.hint):
            assert "np.arange" not in text
            assert "one-hot" not in broken.hint


def test_untouched_is_not_written():
    failure = check.saliency.failure(saliency("raise NotImplementedError"))
    assert isinstance(failure, check.NotWritten)


def test_the_example_of_the_exercise_is_the_first_case():
    first, *_ = check.saliency.cases()
    assert first.run(inside.saliency, **first.inputs).tolist() == [[[3, 5]]]
    other = first.inputs | {"classes": np.array([1])}
    assert first.run(inside.saliency, **other).tolist() == [[[4, 6]]]


# ---------------------------------------------------------------------------- confusion matrix

COUNTED = {
    "a loop": """
        m = np.zeros((classes, classes), dtype=int)
        for n in range(len(labels)):
            m[labels[n]][predictions[n]] += 1
        return m
    """,
    "np.add.at": """
        m = np.zeros((classes, classes), np.int32)
        np.add.at(m, (labels, predictions), 1)
        return m
    """,
    "each place by comparing": """
        return np.array(
            [
                [((labels == i) & (predictions == j)).sum() for j in range(classes)]
                for i in range(classes)
            ]
        )
    """,
    "a matrix product": """
        eye = np.eye(classes, dtype=int)
        return eye[labels].T @ eye[predictions]
    """,
    "bincount": """
        places = labels.astype(int) * classes + predictions
        return np.bincount(places, minlength=classes**2).reshape(classes, classes)
    """,
    "rows in a list": """
        m = [[0] * classes for _ in range(classes)]
        for i, j in zip(labels, predictions):
            m[i][j] += 1
        return m
    """,
    "histogram": """
        edges = np.arange(classes + 1)
        return np.histogram2d(labels, predictions, bins=(edges, edges))[0].astype(int)
    """,
}


@pytest.mark.parametrize("body", COUNTED.values(), ids=COUNTED)
def test_every_right_way_to_count_passes(body):
    assert check.confusion_matrix.failure(confusion_matrix(body)) is None


MISCOUNTED = {
    "+= with arrays": (
        """
        m = np.zeros((classes, classes), int)
        m[labels, predictions] += 1
        return m
        """,
        "However often a pair of classes occurs, you count it once",
    ),
    "= with arrays": (
        """
        m = np.zeros((classes, classes), int)
        m[labels, predictions] = 1
        return m
        """,
        "However often a pair of classes occurs, you count it once",
    ),
    "floats": (
        """
        m = np.zeros((classes, classes))
        for i, j in zip(labels, predictions):
            m[i, j] += 1
        return m
        """,
        "must be whole, and is a float",
    ),
    "column and row swapped": (
        """
        m = np.zeros((classes, classes), int)
        for i, j in zip(labels, predictions):
            m[j, i] += 1
        return m
        """,
        "Your rows are the predictions",
    ),
    "uint8 runs over": (
        """
        places = labels * labels.dtype.type(classes) + predictions
        return np.bincount(places, minlength=classes**2).reshape(classes, classes)
        """,
        "uint8, which ends at 255",
    ),
    "no minlength": (
        """
        places = labels.astype(int) * classes + predictions
        return np.bincount(places).reshape(classes, classes)
        """,
        "A reshape keeps the number of elements",
    ),
    "size from the labels": (
        """
        K = len(np.unique(labels))
        m = np.zeros((K, K), int)
        for i, j in zip(labels, predictions):
            m[i, j] += 1
        return m
        """,
        "An index runs past the end",
    ),
    "a new matrix each time": (
        """
        for i, j in zip(labels, predictions):
            m = np.zeros((classes, classes), int)
            m[i, j] += 1
        return m
        """,
        "Only the last picture is counted",
    ),
    "a list of lists of one list": (
        """
        m = [[0] * classes] * classes
        for i, j in zip(labels, predictions):
            m[i][j] += 1
        return np.array(m)
        """,
        "All your rows are one and the same list",
    ),
    "every pair of pictures": (
        """
        m = np.zeros((classes, classes), int)
        for i in labels:
            for j in predictions:
                m[i, j] += 1
        return m
        """,
        "You count every label with every prediction",
    ),
    "only mistakes": (
        """
        m = np.zeros((classes, classes), int)
        for i, j in zip(labels, predictions):
            if i != j:
                m[i, j] += 1
        return m
        """,
        "You count only the mistakes",
    ),
    "from 1": (
        """
        m = np.zeros((classes, classes), int)
        for i, j in zip(labels, predictions):
            m[i - 1, j - 1] += 1
        return m
        """,
        "You take one off each class",
    ),
    "in percent": (
        """
        m = np.zeros((classes, classes))
        for i, j in zip(labels, predictions):
            m[i, j] += 1
        return 100 * m / len(labels)
        """,
        "must be whole, and is a float",
    ),
    "too few turns": (
        """
        m = np.zeros((classes, classes), int)
        for n in range(classes):
            m[labels[n], predictions[n]] += 1
        return m
        """,
        "the last index along label. There, every number is 0",
    ),
    "the last one left out": (
        """
        m = np.zeros((classes, classes), int)
        for n in range(len(labels) - 1):
            m[labels[n], predictions[n]] += 1
        return m
        """,
        "The last picture isn't counted",
    ),
    "no return": (
        """
        m = np.zeros((classes, classes), int)
        for i, j in zip(labels, predictions):
            m[i, j] += 1
        """,
        "It returned None",
    ),
    "ten classes": (
        """
        m = np.zeros((10, 10), int)
        for i, j in zip(labels, predictions):
            m[i, j] += 1
        return m
        """,
        "Your matrix is for 10 classes",
    ),
    "all at each turn": (
        """
        m = np.zeros((classes, classes), int)
        for n in range(len(labels)):
            m[labels, predictions] += 1
        return m
        """,
        "each time you count all of them",
    ),
    "no brackets around a comparison": (
        """
        m = np.zeros((classes, classes), int)
        for i in range(classes):
            for j in range(classes):
                m[i][j] = (labels == i & predictions == j).sum()
        return m
        """,
        "means `labels == (i & predictions) == j`",
    ),
    "a loop over the labels": (
        """
        m = np.zeros((classes, classes), int)
        for n in labels:
            m[labels[n], predictions[n]] += 1
        return m
        """,
        "Your loop runs over the labels themselves",
    ),
    "predictions at the labels": (
        """
        m = np.zeros((classes, classes), int)
        for label in labels:
            m[label, predictions[label]] += 1
        return m
        """,
        "You take the predictions at the places that the labels name",
    ),
    "totals on the diagonal": (
        """
        m = np.zeros((classes, classes), int)
        for i in range(classes):
            for j in range(classes):
                of_class = labels == i
                m[i, j] = of_class.sum() if i == j else (of_class & (predictions == j)).sum()
        return m
        """,
        "On the diagonal you count all pictures of a class",
    ),
    "the dtype of the labels": (
        """
        m = np.zeros((classes, classes), labels.dtype)
        np.add.at(m, (labels, predictions), 1)
        return m
        """,
        "Your counts go no further than 255",
    ),
    "pairs in the dtype of the labels": (
        """
        pairs = labels * classes + predictions
        return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        """,
        "You give each pair of classes a number",
    ),
    "wrong in the corners only": (
        """
        m = np.zeros((classes, classes), int)
        np.add.at(m, (labels, predictions), 1)
        m[0, 0] += 1
        m[-1, -1] += 1
        return m
        """,
        "2 of 9 numbers in matrix are wrong",
    ),
    "predictions are scores": (
        """
        m = np.zeros((classes, classes), int)
        for i, j in zip(labels, predictions.argmax(axis=1)):
            m[i, j] += 1
        return m
        """,
        "Axes are counted from 0",
    ),
}


@pytest.mark.parametrize(("body", "phrase"), MISCOUNTED.values(), ids=MISCOUNTED)
def test_a_wrong_count_is_told_what_it_did(body, phrase):
    assert phrase in one_line(check.confusion_matrix.failure(confusion_matrix(body)))
