"""Wrong answers as learners write them: a right one with one thing changed, or two.

The lines that differ from the right answer are the ones that are truly wrong. No case has been
chosen by whether its line is found.
"""

import ast
import difflib
import linecache
from dataclasses import dataclass

import numpy as np

from cnnlib import columns, layers

# ---------------------------------------------------------------------------- right answers

CONV_INIT = """
class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
        if isinstance(kernel_size, int):
            kernel_size = (kernel_size, kernel_size)
        self.W = np.random.default_rng(rng).normal(size=(out_channels, in_channels, *kernel_size))
        self.b = np.zeros(out_channels)
        self.stride = stride
        self.padding = padding
"""

CONV_LOOPS = (
    CONV_INIT
    + """
    def forward(self, x):
        self.x = x
        N, C, H, W = x.shape
        F, _, KH, KW = self.W.shape
        S, P = self.stride, self.padding
        out_h = (H + 2 * P - KH) // S + 1
        out_w = (W + 2 * P - KW) // S + 1
        x_pad = np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))
        y = np.zeros((N, F, out_h, out_w), dtype=x.dtype)
        for n in range(N):
            for f in range(F):
                for i in range(out_h):
                    for j in range(out_w):
                        patch = x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]
                        y[n, f, i, j] = np.sum(patch * self.W[f]) + self.b[f]
        return y

    def backward(self, dy):
        N, C, H, W = self.x.shape
        F, _, KH, KW = self.W.shape
        S, P = self.stride, self.padding
        x_pad = np.pad(self.x, ((0, 0), (0, 0), (P, P), (P, P)))
        dx_pad = np.zeros_like(x_pad)
        dW = np.zeros_like(self.W)
        db = np.zeros_like(self.b)
        for n in range(N):
            for f in range(F):
                for i in range(dy.shape[2]):
                    for j in range(dy.shape[3]):
                        top = i * S
                        left = j * S
                        g = dy[n, f, i, j]
                        db[f] += g
                        dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]
                        dx_pad[n, :, top : top + KH, left : left + KW] += g * self.W[f]
        self.dW = dW
        self.db = db
        return dx_pad[:, :, P : P + H, P : P + W]
"""
)

CONV_EINSUM = (
    CONV_INIT
    + """
    def _windows(self, x):
        windows = np.lib.stride_tricks.sliding_window_view(x, self.W.shape[2:], axis=(2, 3))
        return windows[:, :, :: self.stride, :: self.stride]

    def forward(self, x):
        p = self.padding
        self.x_padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        y = np.einsum("ncijkl,fckl->nfij", self._windows(self.x_padded), self.W)
        return y + self.b[:, None, None]

    def backward(self, dy):
        s, p = self.stride, self.padding
        KH, KW = self.W.shape[2:]
        self.db = dy.sum(axis=(0, 2, 3))
        self.dW = np.einsum("nfij,ncijkl->fckl", dy, self._windows(self.x_padded))
        dx = np.zeros_like(self.x_padded)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                part = np.einsum("nf,fckl->nckl", dy[:, :, i, j], self.W)
                dx[:, :, i * s : i * s + KH, j * s : j * s + KW] += part
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]
"""
)

CONV_COLUMNS = (
    CONV_INIT
    + """
    def im2col(self, x):
        N, C, H, W = x.shape
        KH, KW = self.W.shape[2:]
        OH = (H - KH) // self.stride + 1
        OW = (W - KW) // self.stride + 1
        col = np.zeros((N, C, KH, KW, OH, OW), dtype=x.dtype)
        for k in range(KH):
            k_max = k + self.stride * OH
            for l in range(KW):
                l_max = l + self.stride * OW
                col[:, :, k, l] = x[:, :, k : k_max : self.stride, l : l_max : self.stride]
        return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, -1), OH, OW

    def forward(self, x):
        p = self.padding
        self.shape = x.shape
        x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)], "constant")
        self.padded_shape = x.shape
        self.col, OH, OW = self.im2col(x)
        self.col_W = self.W.reshape(len(self.W), -1).T
        out = np.dot(self.col, self.col_W) + self.b
        return out.reshape(len(x), OH, OW, -1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        F, C, KH, KW = self.W.shape
        N, _, OH, OW = dout.shape
        p = self.padding
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, F)
        self.db = np.sum(dout, axis=0)
        self.dW = np.dot(self.col.T, dout).transpose(1, 0).reshape(F, C, KH, KW)
        dcol = np.dot(dout, self.col_W.T)
        dcol = dcol.reshape(N, OH, OW, C, KH, KW).transpose(0, 3, 4, 5, 1, 2)
        img = np.zeros(self.padded_shape, dtype=dout.dtype)
        for k in range(KH):
            k_max = k + self.stride * OH
            for l in range(KW):
                l_max = l + self.stride * OW
                img[:, :, k : k_max : self.stride, l : l_max : self.stride] += dcol[:, :, k, l]
        H, W = self.shape[2:]
        return img[:, :, p : H + p, p : W + p]
"""
)

MAX_POOL = """
class MaxPool2D:
    def __init__(self, kernel_size, stride=None):
        if isinstance(kernel_size, int):
            kernel_size = (kernel_size, kernel_size)
        self.pool_h, self.pool_w = kernel_size
        self.stride_h, self.stride_w = kernel_size if stride is None else (stride, stride)

    def forward(self, x):
        self.x = x
        N, C, H, W = x.shape
        out_h = 1 + (H - self.pool_h) // self.stride_h
        out_w = 1 + (W - self.pool_w) // self.stride_w
        out = np.zeros((N, C, out_h, out_w), x.dtype)
        for n in range(N):
            for c in range(C):
                for i in range(out_h):
                    for j in range(out_w):
                        h1 = i * self.stride_h
                        h2 = h1 + self.pool_h
                        w1 = j * self.stride_w
                        w2 = w1 + self.pool_w
                        out[n, c, i, j] = np.max(x[n, c, h1:h2, w1:w2])
        return out

    def backward(self, dout):
        N, C, out_h, out_w = dout.shape
        dx = np.zeros_like(self.x)
        for n in range(N):
            for c in range(C):
                for i in range(out_h):
                    for j in range(out_w):
                        h1 = i * self.stride_h
                        w1 = j * self.stride_w
                        window = self.x[n, c, h1 : h1 + self.pool_h, w1 : w1 + self.pool_w]
                        k, l = divmod(np.argmax(window), self.pool_w)
                        dx[n, c, h1 + k, w1 + l] += dout[n, c, i, j]
        return dx
"""

AVG_POOL = """
class AvgPool2D:
    def __init__(self, kernel_size, stride=None):
        if isinstance(kernel_size, int):
            kernel_size = (kernel_size, kernel_size)
        self.KH, self.KW = kernel_size
        self.SH, self.SW = kernel_size if stride is None else (stride, stride)

    def forward(self, x):
        self.x_shape = x.shape
        N, C, H, W = x.shape
        OH = (H - self.KH) // self.SH + 1
        OW = (W - self.KW) // self.SW + 1
        y = np.zeros((N, C, OH, OW), dtype=x.dtype)
        for i in range(OH):
            for j in range(OW):
                rows = slice(i * self.SH, i * self.SH + self.KH)
                cols = slice(j * self.SW, j * self.SW + self.KW)
                y[:, :, i, j] = x[:, :, rows, cols].mean(axis=(2, 3))
        return y

    def backward(self, dy):
        dx = np.zeros(self.x_shape, dtype=dy.dtype)
        area = self.KH * self.KW
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                rows = slice(i * self.SH, i * self.SH + self.KH)
                cols = slice(j * self.SW, j * self.SW + self.KW)
                dx[:, :, rows, cols] += dy[:, :, i, j][:, :, None, None] / area
        return dx
"""

FLATTEN = """
class Flatten:
    def forward(self, x):
        N, C, H, W = x.shape
        self.shape = N, C, H, W
        y = x.reshape(N, C * H * W)
        return y

    def backward(self, dy):
        N, C, H, W = self.shape
        dx = dy.reshape(N, C, H, W)
        return dx
"""

DENSE = """
class Dense:
    def __init__(self, in_features, out_features, *, rng=None):
        rng = np.random.default_rng(rng)
        self.W = rng.normal(size=(in_features, out_features)).astype(np.float32)
        self.b = np.zeros(out_features, np.float32)

    def forward(self, x):
        self.x = x
        y = np.dot(x, self.W)
        y = y + self.b
        return y

    def backward(self, dy):
        self.dW = np.dot(self.x.T, dy)
        self.db = np.sum(dy, axis=0)
        dx = np.dot(dy, self.W.T)
        return dx
"""

DENSE_LOOPS = """
class Dense:
    def __init__(self, in_features, out_features, *, rng=None):
        rng = np.random.default_rng(rng)
        self.W = rng.normal(size=(in_features, out_features)).astype(np.float32)
        self.b = np.zeros(out_features, np.float32)

    def forward(self, x):
        self.x = x
        N, D = x.shape
        K = self.W.shape[1]
        y = np.zeros((N, K), dtype=x.dtype)
        for n in range(N):
            for k in range(K):
                total = self.b[k]
                for d in range(D):
                    total += x[n, d] * self.W[d, k]
                y[n, k] = total
        return y

    def backward(self, dy):
        N, K = dy.shape
        D = self.x.shape[1]
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)
        dx = np.zeros_like(self.x)
        for n in range(N):
            for k in range(K):
                self.db[k] += dy[n, k]
                for d in range(D):
                    self.dW[d, k] += self.x[n, d] * dy[n, k]
                    dx[n, d] += self.W[d, k] * dy[n, k]
        return dx
"""

LOSS = """
class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        z = logits - logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.sum(np.exp(z), axis=1, keepdims=True))
        log_p = z - log_sum
        self.p = np.exp(log_p)
        self.labels = labels
        N = len(labels)
        picked = log_p[np.arange(N), labels]
        return float(-picked.mean())

    def backward(self):
        N, K = self.p.shape
        dlogits = self.p.copy()
        dlogits[np.arange(N), self.labels] -= 1
        dlogits /= N
        return dlogits
"""

LOSS_ONE_HOT = """
class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(axis=1, keepdims=True)
        self.probs = e / total
        self.y = np.zeros_like(logits)
        self.y[np.arange(len(labels)), labels] = 1
        log_probs = shifted - np.log(total)
        loss = -np.sum(self.y * log_probs) / len(labels)
        return float(loss)

    def backward(self):
        N = self.y.shape[0]
        dx = (self.probs - self.y) / N
        return dx
"""

RELU = """
class ReLU:
    def forward(self, x):
        self.mask = x > 0
        y = np.where(self.mask, x, 0)
        return y.astype(x.dtype)

    def backward(self, dy):
        dx = dy.copy()
        dx[~self.mask] = 0
        return dx
"""

SEQUENTIAL = """
class Sequential:
    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x):
        out = x
        for layer in self.layers:
            out = layer.forward(out)
        return out

    def backward(self, dy):
        grad = dy
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)
        return grad
"""

NORMS = """
def gradient_norms(network, dy):
    norms = [np.linalg.norm(dy)]
    for layer in reversed(network.layers):
        dy = layer.backward(dy)
        norms.append(np.linalg.norm(dy))
    norms.reverse()
    return norms
"""

SGD = """
class SGD:
    def __init__(self, network, learning_rate, momentum=0.0):
        self.parameters = parameters(network)
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity = [0.0] * len(self.parameters)

    def step(self):
        for k, (layer, name) in enumerate(self.parameters):
            g = getattr(layer, "d" + name)
            v = self.momentum * self.velocity[k] + g
            self.velocity[k] = v
            w = getattr(layer, name)
            setattr(layer, name, w - self.learning_rate * v)
"""

ADAM = """
class Adam:
    def __init__(self, network, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters(network)
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m = [0.0] * len(self.parameters)
        self.v = [0.0] * len(self.parameters)
        self.steps = 0

    def step(self):
        self.steps += 1
        for k, (layer, name) in enumerate(self.parameters):
            g = getattr(layer, "d" + name)
            self.m[k] = self.beta1 * self.m[k] + (1 - self.beta1) * g
            self.v[k] = self.beta2 * self.v[k] + (1 - self.beta2) * g * g
            m_hat = self.m[k] / (1 - self.beta1**self.steps)
            v_hat = self.v[k] / (1 - self.beta2**self.steps)
            w = getattr(layer, name)
            w = w - self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
            setattr(layer, name, w)
"""

SALIENCY = """
def saliency(network, images, classes):
    scores = network.forward(images)
    N = len(classes)
    dy = np.zeros_like(scores)
    dy[np.arange(N), classes] = 1
    dx = network.backward(dy)
    picture = np.abs(dx).max(axis=1)
    return picture
"""

CONFUSION = """
def confusion_matrix(labels, predictions, classes):
    counts = np.zeros((classes, classes), dtype=int)
    for k in range(len(labels)):
        i = labels[k]
        j = predictions[k]
        counts[i, j] += 1
    return counts
"""

NUMERICAL = """
def numerical_gradient(f, x, h=1e-6):
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        up = f(x)
        x[index] = value - h
        down = f(x)
        x[index] = value
        gradient[index] = (up - down) / (2 * h)
    return gradient
"""

ERROR = """
def relative_error(a, b):
    if a.shape != b.shape:
        return np.inf
    if np.isnan(a).any() or np.isnan(b).any():
        return np.inf
    largest = max(np.abs(a).max(), np.abs(b).max())
    return np.abs(a - b).max() / largest
"""

PAD = """
def pad(x, padding):
    N, C, H, W = x.shape
    p = padding
    out = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=x.dtype)
    out[:, :, p : p + H, p : p + W] = x
    return out
"""

INDEX = """
def flat_index(c, h, w, shape):
    C, H, W = shape
    place = c * H * W
    place += h * W
    place += w
    return place
"""

# ---------------------------------------------------------------------------- wrong answers


@dataclass(frozen=True)
class Wrong:
    """A right answer, the check that refuses it once it is changed, and the changes."""

    check: str
    right: str
    changes: tuple[tuple[str, str], ...]

    @property
    def source(self) -> str:
        source = self.right
        for old, new in self.changes:
            assert source.count(old) == 1, (old, source.count(old))
            source = source.replace(old, new)
        return source

    @property
    def lines(self) -> set[int]:
        """The lines that are truly wrong; where one is missing, those around the gap."""
        right, wrong = self.right.splitlines(), self.source.splitlines()
        found = set()
        for tag, _, _, start, end in difflib.SequenceMatcher(
            None, right, wrong, autojunk=False
        ).get_opcodes():
            if tag != "equal":
                found |= set(range(start + 1, end + 1)) or {start, start + 1}
        return found

    @property
    def thing(self):
        """What the learner's cell defines."""
        cell = f"<cell {self.check} {hash(self.changes)}>"
        source = self.source
        linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
        namespace = {"np": np, "parameters": layers.parameters, "__name__": "__main__"}
        namespace |= {"im2col": columns.im2col, "col2im": columns.col2im}
        exec(compile(source, cell, "exec"), namespace)
        *_, defined = ast.parse(source).body
        return namespace[defined.name]


def _wrong(check: str, right: str, *changes: tuple) -> list[Wrong]:
    """One wrong answer for each: ("old", "new"), or several of them in a tuple."""
    return [
        Wrong(check, right, (change,) if isinstance(change[0], str) else change)
        for change in changes
    ]


SINGLE = [
    *_wrong(
        "conv_forward",
        CONV_LOOPS,
        ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch * self.W[f] + self.b[f])"),
        ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch @ self.W[f]) + self.b[f]"),
        ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch * self.W[f])"),
        ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch * self.W[f] * self.b[f])"),
        ("np.sum(patch * self.W[f]) + self.b[f]", "np.mean(patch * self.W[f]) + self.b[f]"),
        ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch * self.W) + self.b[f]"),
        ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch * self.W[n]) + self.b[f]"),
        (
            "x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]",
            "x_pad[n, :, i : i + KH, j : j + KW]",
        ),
        (
            "x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]",
            "x[n, :, i * S : i * S + KH, j * S : j * S + KW]",
        ),
        (
            "x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]",
            "x_pad[n, :, j * S : j * S + KH, i * S : i * S + KW]",
        ),
        (
            "x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]",
            "x_pad[n, :, i * S : i * S + KW, j * S : j * S + KH]",
        ),
        (
            "x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]",
            "x_pad[n, f, i * S : i * S + KH, j * S : j * S + KW]",
        ),
        ("out_h = (H + 2 * P - KH) // S + 1", "out_h = (H + 2 * P - KH) // S"),
        ("out_h = (H + 2 * P - KH) // S + 1", "out_h = (H + P - KH) // S + 1"),
        ("out_h = (H + 2 * P - KH) // S + 1", "out_h = H + 2 * P - KH // S + 1"),
        ("out_h = (H + 2 * P - KH) // S + 1", "out_h = (H + 2 * P - KH + 1) // S"),
        ("out_h = (H + 2 * P - KH) // S + 1", "out_h = int((H + 2 * P - KH) / S)"),
        ("out_w = (W + 2 * P - KW) // S + 1", "out_w = (H + 2 * P - KW) // S + 1"),
        ("out_w = (W + 2 * P - KW) // S + 1", "out_w = W // S"),
        ("for i in range(out_h):", "for i in range(out_h - 1):"),
        ("np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))\n        y", "np.pad(x, P)\n        y"),
        (
            "np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))\n        y",
            "np.pad(x, ((0, 0), (0, 0), (P, 0), (P, 0)))\n        y",
        ),
        (
            "np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))\n        y",
            "np.pad(x, ((0, 0), (P, P), (P, P), (0, 0)))\n        y",
        ),
        (
            "np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))\n        y",
            "np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)), mode='edge')\n        y",
        ),
        ("y = np.zeros((N, F, out_h, out_w), dtype=x.dtype)", "y = np.zeros((N, F, out_h, out_w))"),
        (
            "y = np.zeros((N, F, out_h, out_w), dtype=x.dtype)",
            "y = np.zeros((N, F, out_w, out_h), dtype=x.dtype)",
        ),
        (
            "y = np.zeros((N, F, out_h, out_w), dtype=x.dtype)",
            "y = np.zeros((F, N, out_h, out_w), dtype=x.dtype)",
        ),
        ("y[n, f, i, j] = np.sum", "y[n, f, j, i] = np.sum"),
        ("y[n, f, i, j] = np.sum", "y[n, f, i * S, j * S] = np.sum"),
        ("        return y\n", "            return y\n"),
        (
            "F, _, KH, KW = self.W.shape\n        S, P = self.stride, self.padding\n        out_h",
            "F, _, KW, KH = self.W.shape\n        S, P = self.stride, self.padding\n        out_h",
        ),
        ("N, C, H, W = x.shape", "N, C, W, H = x.shape"),
        (
            "S, P = self.stride, self.padding\n        out_h",
            "S, P = self.padding, self.stride\n        out_h",
        ),
    ),
    *_wrong(
        "conv_dW",
        CONV_LOOPS,
        ("dW[f] += g", "dW[f] = g"),
        ("dW[f] += g * x_pad[n, :, top", "dW[f] += g * self.x[n, :, top"),
        (
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
            "dW[f] += g * x_pad[n, :, i : i + KH, j : j + KW]",
        ),
        (
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
            "dW[f] += x_pad[n, :, top : top + KH, left : left + KW]",
        ),
        (
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW] / N",
        ),
        (
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
            "dW[f] += g * x_pad[0, :, top : top + KH, left : left + KW]",
        ),
        (
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW].sum(axis=0)",
        ),
        (
            "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
            "dW[n] += g * x_pad[n, :, top : top + KH, left : left + KW]",
        ),
        ("self.dW = dW", "self.dW = dW / N"),
        ("self.dW = dW", "self.dw = dW"),
        ("dW = np.zeros_like(self.W)\n        db", "dW = self.W\n        db"),
        ("dW = np.zeros_like(self.W)\n        db", "dW = np.ones_like(self.W)\n        db"),
        ("for i in range(dy.shape[2]):", "for i in range(dy.shape[2] - 1):"),
        ("for i in range(dy.shape[2]):", "for i in range(dy.shape[3]):"),
        ("x_pad = np.pad(self.x, ((0, 0), (0, 0), (P, P), (P, P)))", "x_pad = self.x"),
    ),
    *_wrong(
        "conv_db",
        CONV_LOOPS,
        ("db[f] += g", "db[f] = g"),
        ("db[f] += g", "db[f] += 1"),
        ("self.db = db", "self.db = db / N"),
        ("db = np.zeros_like(self.b)", "db = self.b"),
    ),
    *_wrong(
        "conv_dx",
        CONV_LOOPS,
        ("left : left + KW] += g * self.W[f]", "left : left + KW] = g * self.W[f]"),
        ("left : left + KW] += g * self.W[f]", "left : left + KW] += g * self.W[f][:, ::-1, ::-1]"),
        ("left : left + KW] += g * self.W[f]", "left : left + KW] += self.W[f]"),
        ("left : left + KW] += g * self.W[f]", "left : left + KW] += g * dW[f]"),
        ("dx_pad[n, :, top : top + KH, left : left + KW]", "dx_pad[n, :, i : i + KH, j : j + KW]"),
        (
            "dx_pad[n, :, top : top + KH, left : left + KW]",
            "dx_pad[n, :, top : top + KH, top : top + KW]",
        ),
        ("return dx_pad[:, :, P : P + H, P : P + W]", "return dx_pad[:, :, P:-P, P:-P]"),
        ("return dx_pad[:, :, P : P + H, P : P + W]", "return dx_pad"),
        ("return dx_pad[:, :, P : P + H, P : P + W]", "return dx_pad[:, :, :H, :W]"),
        (
            "return dx_pad[:, :, P : P + H, P : P + W]",
            "return dx_pad[:, :, P : P + H, P : P + W], self.dW, self.db",
        ),
        (
            "return dx_pad[:, :, P : P + H, P : P + W]",
            "return dx_pad[:, :, P : P + H, P : P + W] / N",
        ),
        ("top = i * S", "top = i * KH"),
        ("left = j * S", "left = j"),
        ("left = j * S", "left = i * S"),
    ),
    *_wrong(
        "conv_forward",
        CONV_EINSUM,
        ('"ncijkl,fckl->nfij"', '"ncijkl,fclk->nfij"'),
        ('"ncijkl,fckl->nfij"', '"ncijkl,fckl->nfji"'),
        ('"ncijkl,fckl->nfij"', '"ncijkl,fckl->fnij"'),
        ("return y + self.b[:, None, None]", "return y + self.b"),
        ("return y + self.b[:, None, None]", "return y"),
        ("return windows[:, :, :: self.stride, :: self.stride]", "return windows"),
        (
            "return windows[:, :, :: self.stride, :: self.stride]",
            "return windows[:, :, :: self.stride]",
        ),
        ("self.W.shape[2:], axis=(2, 3))", "self.W.shape[2:], axis=(3, 2))"),
    ),
    *_wrong(
        "conv_dW",
        CONV_EINSUM,
        (
            '"nfij,ncijkl->fckl", dy, self._windows(self.x_padded)',
            '"nfij,ncijkl->fckl", dy[:, :, ::-1, ::-1], self._windows(self.x_padded)',
        ),
        ('"nfij,ncijkl->fckl"', '"nfij,ncijkl->fclk"'),
        (
            'self.dW = np.einsum("nfij,ncijkl->fckl", dy',
            'self.dW = np.einsum("nfij,ncijkl->fckl", dy / len(dy)',
        ),
    ),
    *_wrong(
        "conv_db",
        CONV_EINSUM,
        ("dy.sum(axis=(0, 2, 3))", "dy.sum(axis=0)"),
        ("dy.sum(axis=(0, 2, 3))", "dy.mean(axis=(0, 2, 3))"),
        ("dy.sum(axis=(0, 2, 3))", "dy.sum(axis=(0, 2, 3), keepdims=True)"),
        ("dy.sum(axis=(0, 2, 3))", "dy.sum(axis=(1, 2, 3))"),
    ),
    *_wrong(
        "conv_dx",
        CONV_EINSUM,
        ("+= part", "= part"),
        ('"nf,fckl->nckl"', '"nf,fckl->nclk"'),
        ("p : dx.shape[2] - p, p : dx.shape[3] - p]", "p:-p, p:-p]"),
        (
            "i * s : i * s + KH, j * s : j * s + KW] += part",
            "i * s : i * s + KH, j : j + KW] += part",
        ),
        ("dy[:, :, i, j], self.W)", "dy[:, :, j, i], self.W)"),
        ("dx = np.zeros_like(self.x_padded)", "dx = np.zeros_like(self.x_padded, dtype=int)"),
        ("dx = np.zeros_like(self.x_padded)", "dx = np.empty_like(self.x_padded)"),
        ("dx = np.zeros_like(self.x_padded)", "dx = self.x_padded"),
    ),
    *_wrong(
        "conv_forward",
        CONV_COLUMNS,
        (".transpose(0, 3, 1, 2)\n\n    def backward", "\n\n    def backward"),
        (
            "out.reshape(len(x), OH, OW, -1).transpose(0, 3, 1, 2)",
            "out.reshape(len(x), -1, OH, OW)",
        ),
        ("col.transpose(0, 4, 5, 1, 2, 3)", "col.transpose(0, 4, 5, 2, 3, 1)"),
        ("self.W.reshape(len(self.W), -1).T", "self.W.reshape(-1, len(self.W))"),
        ("OH = (H - KH) // self.stride + 1", "OH = (H - KH + 2 * self.padding) // self.stride + 1"),
        (
            "col[:, :, k, l] = x[:, :, k : k_max : self.stride, l : l_max : self.stride]",
            "col[:, :, k, l] = x[:, :, k:k_max, l:l_max]",
        ),
        (
            "            l_max = l + self.stride * OW\n                col[",
            "            l_max = l + OW\n                col[",
        ),
    ),
    *_wrong(
        "conv_dx",
        CONV_COLUMNS,
        ("+= dcol[:, :, k, l]", "= dcol[:, :, k, l]"),
        (
            "dcol.reshape(N, OH, OW, C, KH, KW).transpose(0, 3, 4, 5, 1, 2)",
            "dcol.reshape(N, C, KH, KW, OH, OW)",
        ),
        ("p : H + p, p : W + p]", "p:H, p:W]"),
        (
            "img = np.zeros(self.padded_shape, dtype=dout.dtype)",
            "img = np.zeros(self.shape, dtype=dout.dtype)",
        ),
    ),
    *_wrong(
        "conv_dW",
        CONV_COLUMNS,
        (
            "np.dot(self.col.T, dout).transpose(1, 0).reshape(F, C, KH, KW)",
            "np.dot(self.col.T, dout).reshape(F, C, KH, KW)",
        ),
        ("dout = dout.transpose(0, 2, 3, 1).reshape(-1, F)", "dout = dout.reshape(-1, F)"),
    ),
    *_wrong(
        "maxpool_forward",
        MAX_POOL,
        ("out_h = 1 + (H - self.pool_h) // self.stride_h", "out_h = H // self.pool_h"),
        (
            "out_h = 1 + (H - self.pool_h) // self.stride_h",
            "out_h = 1 + (H - self.pool_h // self.stride_h)",
        ),
        (
            "out_w = 1 + (W - self.pool_w) // self.stride_w",
            "out_w = 1 + (W - self.pool_h) // self.stride_h",
        ),
        ("h2 = h1 + self.pool_h", "h2 = h1 + self.stride_h"),
        ("h2 = h1 + self.pool_h", "h2 = h1 + self.pool_h - 1"),
        ("h2 = h1 + self.pool_h", "h2 = h1 + self.pool_h + 1"),
        (
            "w1 = j * self.stride_w\n                        w2",
            "w1 = j * self.pool_w\n                        w2",
        ),
        (
            "w1 = j * self.stride_w\n                        w2",
            "w1 = j\n                        w2",
        ),
        ("np.max(x[n, c, h1:h2, w1:w2])", "np.max(x[n, :, h1:h2, w1:w2])"),
        ("np.max(x[n, c, h1:h2, w1:w2])", "max(0, np.max(x[n, c, h1:h2, w1:w2]))"),
        ("np.max(x[n, c, h1:h2, w1:w2])", "np.max(np.abs(x[n, c, h1:h2, w1:w2]))"),
        ("np.max(x[n, c, h1:h2, w1:w2])", "np.mean(x[n, c, h1:h2, w1:w2])"),
        ("np.max(x[n, c, h1:h2, w1:w2])", "np.max(x[n, c, w1:w2, h1:h2])"),
        ("        return out\n", "                        return out\n"),
        (
            "for i in range(out_h):\n                    for j in range(out_w):\n                        h1 = i * self.stride_h\n                        h2",
            "for i in range(0, H - self.pool_h + 1, self.stride_h):\n                    for j in range(out_w):\n                        h1 = i * self.stride_h\n                        h2",
        ),
    ),
    *_wrong(
        "maxpool_backward",
        MAX_POOL,
        ("+= dout[n, c, i, j]", "= dout[n, c, i, j]"),
        ("+= dout[n, c, i, j]", "+= window.max() * dout[n, c, i, j]"),
        ("+= dout[n, c, i, j]", "+= 1"),
        ("divmod(np.argmax(window), self.pool_w)", "divmod(np.argmax(window), self.pool_h)"),
        ("k, l = divmod", "l, k = divmod"),
        ("divmod(np.argmax(window), self.pool_w)", "divmod(np.argmin(window), self.pool_w)"),
        ("dx[n, c, h1 + k, w1 + l]", "dx[n, c, h1, w1]"),
        ("dx[n, c, h1 + k, w1 + l]", "dx[n, c, i + k, j + l]"),
        ("dx[n, c, h1 + k, w1 + l]", "dx[n, c, k, l]"),
        (
            "h1 = i * self.stride_h\n                        w1",
            "h1 = i * self.pool_h\n                        w1",
        ),
        (
            "window = self.x[n, c, h1 : h1 + self.pool_h",
            "window = self.x[n, 0, h1 : h1 + self.pool_h",
        ),
    ),
    *_wrong(
        "avgpool_forward",
        AVG_POOL,
        (".mean(axis=(2, 3))", ".mean()"),
        (".mean(axis=(2, 3))", ".sum(axis=(2, 3))"),
        (".mean(axis=(2, 3))", ".max(axis=(2, 3))"),
        ("y[:, :, i, j] = x[:, :, rows, cols]", "y[:, :, i, j] = x[:, :, cols, rows]"),
        ("OH = (H - self.KH) // self.SH + 1", "OH = (H + 1) // self.SH"),
    ),
    *_wrong(
        "avgpool_backward",
        AVG_POOL,
        ("dx[:, :, rows, cols] += dy", "dx[:, :, rows, cols] = dy"),
        ("[:, :, None, None] / area", "[:, :, None, None]"),
        ("area = self.KH * self.KW", "area = self.KH + self.KW"),
        ("area = self.KH * self.KW", "area = self.SH * self.SW"),
        ("area = self.KH * self.KW", "area = self.KH * self.KH"),
        ("dy[:, :, i, j][:, :, None, None] / area", "dy[:, :, i, j].mean() / area"),
        ("dx = np.zeros(self.x_shape, dtype=dy.dtype)", "dx = np.zeros(self.x_shape)"),
    ),
    *_wrong(
        "flatten_forward",
        FLATTEN,
        ("x.reshape(N, C * H * W)", "x.reshape(-1)"),
        ("x.reshape(N, C * H * W)", "x.reshape(C * H * W, N)"),
        ("x.reshape(N, C * H * W)", "x.reshape(N, C * H * W, order='F')"),
        ("x.reshape(N, C * H * W)", "x.transpose(0, 2, 3, 1).reshape(N, C * H * W)"),
        ("x.reshape(N, C * H * W)", "x.reshape(N, C * H * H)"),
    ),
    *_wrong(
        "flatten_backward",
        FLATTEN,
        ("dy.reshape(N, C, H, W)", "dy.reshape(N, C, W, H)"),
        ("dy.reshape(N, C, H, W)", "dy.reshape(N, C, W, H).transpose(0, 1, 3, 2)"),
        ("dy.reshape(N, C, H, W)", "dy.reshape(N, C, H, W, order='F')"),
        ("dy.reshape(N, C, H, W)", "dy.reshape(N, C, H, W) / N"),
        ("dy.reshape(N, C, H, W)", "dy.T.reshape(N, C, H, W)"),
        ("dx = dy.reshape(N, C, H, W)", "dx = np.ones((N, C, H, W))"),
        ("dx = dy.reshape(N, C, H, W)", "dx = dy"),
    ),
    *_wrong(
        "dense_forward",
        DENSE,
        ("np.dot(x, self.W)", "np.dot(self.W, x)"),
        ("np.dot(x, self.W)", "np.dot(x, self.W.T)"),
        ("y = y + self.b", "y = y * self.b"),
        ("y = y + self.b", "y = y + self.b.sum()"),
        ("y = y + self.b", "y = y - self.b"),
    ),
    *_wrong(
        "dense_dW",
        DENSE,
        ("np.dot(self.x.T, dy)", "np.dot(dy.T, self.x)"),
        ("np.dot(self.x.T, dy)", "np.dot(self.x, dy)"),
        ("np.dot(self.x.T, dy)", "np.dot(self.x.T, dy) / len(dy)"),
        ("self.dW = np.dot(self.x.T, dy)", "dW = np.dot(self.x.T, dy)"),
    ),
    *_wrong(
        "dense_db",
        DENSE,
        ("np.sum(dy, axis=0)", "np.sum(dy, axis=1)"),
        ("np.sum(dy, axis=0)", "np.sum(dy)"),
        ("np.sum(dy, axis=0)", "np.mean(dy, axis=0)"),
        ("np.sum(dy, axis=0)", "np.sum(dy, axis=0, keepdims=True)"),
        ("np.sum(dy, axis=0)", "dy"),
    ),
    *_wrong(
        "dense_dx",
        DENSE,
        ("np.dot(dy, self.W.T)", "np.dot(dy, self.W)"),
        ("np.dot(dy, self.W.T)", "np.dot(dy, self.dW.T)"),
        ("np.dot(dy, self.W.T)", "np.dot(self.W, dy.T)"),
        ("np.dot(dy, self.W.T)", "np.dot(dy, self.W.T) + self.b"),
        ("return dx", "return dx * self.x"),
        ("return dx", "return dx, self.dW, self.db"),
    ),
    *_wrong(
        "dense_forward",
        DENSE_LOOPS,
        ("total = self.b[k]", "total = 0"),
        ("total += x[n, d] * self.W[d, k]", "total = x[n, d] * self.W[d, k]"),
        ("total += x[n, d] * self.W[d, k]", "total += x[n, d] + self.W[d, k]"),
        ("total += x[n, d] * self.W[d, k]", "total += x[n, d] * self.W[k, d]"),
        (
            "for d in range(D):\n                    total",
            "for d in range(1, D):\n                    total",
        ),
        ("                y[n, k] = total\n", "            y[n, k] = total\n"),
    ),
    *_wrong(
        "dense_dW",
        DENSE_LOOPS,
        ("self.dW[d, k] += self", "self.dW[d, k] = self"),
        ("self.x[n, d] * dy[n, k]", "self.x[n, d] * dy[n, 0]"),
        ("self.x[n, d] * dy[n, k]", "self.W[d, k] * dy[n, k]"),
        ("self.dW[d, k] += self.x[n, d]", "self.dW[d, k] -= self.x[n, d]"),
    ),
    *_wrong("dense_db", DENSE_LOOPS, ("self.db[k] += dy[n, k]", "self.db[k] = dy[n, k]")),
    *_wrong(
        "dense_dx",
        DENSE_LOOPS,
        ("dx[n, d] += self.W[d, k] * dy[n, k]", "dx[n, d] = self.W[d, k] * dy[n, k]"),
        ("dx[n, d] += self.W[d, k] * dy[n, k]", "dx[n, d] += self.W[d, k]"),
        ("dx[n, d] += self.W[d, k] * dy[n, k]", "dx[n, d] += self.W[d, k] * dy[n, d]"),
    ),
    *_wrong(
        "loss_forward",
        LOSS,
        ("logits.max(axis=1, keepdims=True)", "logits.max()"),
        ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
        ("logits.max(axis=1, keepdims=True)", "logits.max(axis=1)"),
        ("z = logits - logits.max(axis=1, keepdims=True)", "z = logits"),
        ("np.sum(np.exp(z), axis=1, keepdims=True)", "np.sum(np.exp(z), axis=0, keepdims=True)"),
        ("np.sum(np.exp(z), axis=1, keepdims=True)", "np.sum(np.exp(z))"),
        (
            "np.sum(np.exp(z), axis=1, keepdims=True)",
            "np.sum(np.exp(logits), axis=1, keepdims=True)",
        ),
        ("log_p = z - log_sum", "log_p = z / log_sum"),
        ("log_p = z - log_sum", "log_p = logits - log_sum"),
        ("picked = log_p[np.arange(N), labels]", "picked = log_p[:, labels]"),
        ("float(-picked.mean())", "float(-picked.sum())"),
        ("float(-picked.mean())", "float(picked.mean())"),
        ("float(-picked.mean())", "float(-picked.sum() / logits.shape[1])"),
        ("float(-picked.mean())", "-picked"),
    ),
    *_wrong(
        "loss_backward",
        LOSS,
        ("dlogits[np.arange(N), self.labels] -= 1", "dlogits[:, self.labels] -= 1"),
        ("dlogits[np.arange(N), self.labels] -= 1", "dlogits[np.arange(N), self.labels] += 1"),
        ("dlogits[np.arange(N), self.labels] -= 1", "dlogits[np.arange(N), self.labels] = 1"),
        ("dlogits[np.arange(N), self.labels] -= 1", "dlogits[self.labels, np.arange(N)] -= 1"),
        ("dlogits /= N", "dlogits /= K"),
        ("dlogits /= N", "dlogits *= N"),
        ("dlogits = self.p.copy()", "dlogits = self.p"),
        ("self.p = np.exp(log_p)", "self.p = log_p"),
        ("self.p = np.exp(log_p)", "self.p = logits"),
    ),
    *_wrong(
        "loss_forward",
        LOSS_ONE_HOT,
        ("total = e.sum(axis=1, keepdims=True)", "total = e.sum(axis=1)"),
        ("total = e.sum(axis=1, keepdims=True)", "total = e.sum()"),
        ("log_probs = shifted - np.log(total)", "log_probs = np.log(self.probs)"),
        ("-np.sum(self.y * log_probs) / len(labels)", "-np.sum(self.y * log_probs)"),
        ("-np.sum(self.y * log_probs) / len(labels)", "-np.mean(self.y * log_probs)"),
        ("-np.sum(self.y * log_probs) / len(labels)", "-np.sum(log_probs) / len(labels)"),
        ("shifted = logits - np.max(logits, axis=1, keepdims=True)", "shifted = logits"),
        ("return float(loss)", "return loss"),
    ),
    *_wrong(
        "loss_backward",
        LOSS_ONE_HOT,
        ("(self.probs - self.y) / N", "self.probs - self.y / N"),
        ("(self.probs - self.y) / N", "(self.y - self.probs) / N"),
        ("(self.probs - self.y) / N", "self.probs - self.y"),
        ("N = self.y.shape[0]", "N = self.y.shape[1]"),
        ("N = self.y.shape[0]", "N = self.y.size"),
    ),
    *_wrong(
        "relu_forward",
        RELU,
        ("self.mask = x > 0", "self.mask = x < 0"),
        ("np.where(self.mask, x, 0)", "np.where(self.mask, 0, x)"),
        ("np.where(self.mask, x, 0)", "np.where(self.mask, x, 0.01 * x)"),
        ("np.where(self.mask, x, 0)", "np.where(self.mask, 1, 0)"),
        ("np.where(self.mask, x, 0)", "np.abs(x)"),
    ),
    *_wrong(
        "relu_backward",
        RELU,
        ("dx[~self.mask] = 0", "dx[self.mask] = 0"),
        ("dx[~self.mask] = 0", "dx[dx < 0] = 0"),
        ("dx[~self.mask] = 0", "dx[self.mask] = 1"),
        ("dx = dy.copy()", "dx = dy"),
        ("return dx", "return self.mask"),
        ("return dx", "return dx * self.mask.sum()"),
    ),
    *_wrong(
        "sequential_forward",
        SEQUENTIAL,
        ("out = layer.forward(out)", "out = layer.forward(x)"),
        ("            out = layer.forward(out)\n", "            layer.forward(out)\n"),
        ("        return out\n", "            return out\n"),
        ("in self.layers:", "in self.layers[:-1]:"),
    ),
    *_wrong(
        "sequential_backward",
        SEQUENTIAL,
        ("self.layers[::-1]", "self.layers"),
        ("grad = layer.backward(grad)", "grad = layer.backward(dy)"),
        ("grad = layer.backward(grad)", "grad = layer.forward(grad)"),
        ("grad = layer.backward(grad)", "grad += layer.backward(grad)"),
        ("return grad", "return dy"),
        ("self.layers[::-1]", "self.layers[:0:-1]"),
    ),
    *_wrong(
        "gradient_norms",
        NORMS,
        ("    norms.reverse()\n", ""),
        ("norms.append(np.linalg.norm(dy))", "norms.append(np.linalg.norm(layer.dW))"),
        ("reversed(network.layers)", "network.layers"),
        ("[np.linalg.norm(dy)]", "[]"),
        ("norms.append(np.linalg.norm(dy))", "norms.append(np.abs(dy).max())"),
    ),
    *_wrong(
        "sgd_step",
        SGD,
        ("w - self.learning_rate * v", "w + self.learning_rate * v"),
        ("w - self.learning_rate * v", "w - v"),
        ("w - self.learning_rate * v", "w * self.learning_rate - v"),
        ('g = getattr(layer, "d" + name)', "g = getattr(layer, name)"),
    ),
    *_wrong(
        "sgd_momentum",
        SGD,
        ("self.momentum * self.velocity[k] + g", "self.momentum * self.velocity[k] - g"),
        ("self.momentum * self.velocity[k] + g", "self.momentum * (self.velocity[k] + g)"),
        (
            "self.momentum * self.velocity[k] + g",
            "self.momentum * self.velocity[k] + (1 - self.momentum) * g",
        ),
        ("            self.velocity[k] = v\n", ""),
        ("self.velocity[k] = v", "self.velocity[k] += v"),
        ("self.velocity[k] = v", "self.velocity[0] = v"),
    ),
    *_wrong(
        "adam_step",
        ADAM,
        ("(1 - self.beta2) * g * g", "(1 - self.beta2) * g"),
        (
            "self.beta1 * self.m[k] + (1 - self.beta1) * g",
            "self.beta1 * self.m[k] + self.beta1 * g",
        ),
        (
            "self.beta1 * self.m[k] + (1 - self.beta1) * g",
            "self.beta2 * self.m[k] + (1 - self.beta1) * g",
        ),
        ("self.m[k] / (1 - self.beta1**self.steps)", "self.m[k] / (1 - self.beta1)"),
        ("self.v[k] / (1 - self.beta2**self.steps)", "self.v[k] / (1 - self.beta1**self.steps)"),
        ("(np.sqrt(v_hat) + self.epsilon)", "np.sqrt(v_hat + self.epsilon)"),
        ("(np.sqrt(v_hat) + self.epsilon)", "(v_hat + self.epsilon)"),
        ("(np.sqrt(v_hat) + self.epsilon)", "(np.sqrt(self.v[k]) + self.epsilon)"),
        ("self.learning_rate * m_hat", "self.learning_rate * g"),
        ("        self.steps += 1\n", ""),
        (
            "        for k, (layer, name) in enumerate(self.parameters):\n            g",
            "        for k, (layer, name) in enumerate(self.parameters):\n            self.steps += 1\n            g",
        ),
        ("w = w - self", "w = w + self"),
    ),
    *_wrong(
        "saliency",
        SALIENCY,
        ("np.abs(dx).max(axis=1)", "np.abs(dx).max(axis=0)"),
        ("np.abs(dx).max(axis=1)", "dx.max(axis=1)"),
        ("np.abs(dx).max(axis=1)", "np.abs(dx).sum(axis=1)"),
        ("np.abs(dx).max(axis=1)", "np.abs(dx.max(axis=1))"),
        ("dy[np.arange(N), classes] = 1", "dy[:, classes] = 1"),
        ("dy = np.zeros_like(scores)", "dy = np.ones_like(scores)"),
        ("dy = np.zeros_like(scores)", "dy = scores"),
        (
            "dy[np.arange(N), classes] = 1",
            "dy[np.arange(N), classes] = scores[np.arange(N), classes]",
        ),
    ),
    *_wrong(
        "confusion_matrix",
        CONFUSION,
        ("counts[i, j] += 1", "counts[i, j] = 1"),
        ("counts[i, j] += 1", "counts[j, i] += 1"),
        ("dtype=int)", "dtype=float)"),
        ("range(len(labels))", "range(1, len(labels))"),
        ("    return counts", "    return counts / len(labels)"),
    ),
    *_wrong(
        "numerical_gradient",
        NUMERICAL,
        ("/ (2 * h)", "/ 2 * h"),
        ("/ (2 * h)", "/ h"),
        ("(up - down)", "(down - up)"),
        ("x[index] = value - h", "x[index] = value - 2 * h"),
        ("        x[index] = value\n", ""),
        ("np.zeros_like(x)", "np.zeros_like(x, dtype=int)"),
        ("down = f(x)\n", "down = f(value)\n"),
    ),
    *_wrong(
        "relative_error",
        ERROR,
        ("np.abs(a - b).max() / largest", "np.abs(a - b).mean() / largest"),
        ("np.abs(a - b).max() / largest", "(a - b).max() / largest"),
        ("max(np.abs(a).max(), np.abs(b).max())", "np.abs(a).max()"),
        ("max(np.abs(a).max(), np.abs(b).max())", "np.abs(a).max() + np.abs(b).max()"),
        ("np.abs(a - b).max() / largest", "np.abs(a - b).max()"),
    ),
    *_wrong(
        "pad",
        PAD,
        ("p : p + H, p : p + W] = x", "p:-p, p:-p] = x"),
        ("p : p + H, p : p + W] = x", ":H, :W] = x"),
        ("H + 2 * p, W + 2 * p", "H + p, W + p"),
        ("np.zeros(", "np.ones("),
        (", dtype=x.dtype", ""),
    ),
    *_wrong(
        "flat_index",
        INDEX,
        ("place += h * W", "place += h * H"),
        ("place = c * H * W", "place = c * H"),
        ("C, H, W = shape", "H, W, C = shape"),
        ("place += w", "place *= w"),
        ("place += h * W", "place = h * W"),
    ),
]

DOUBLE = [
    *_wrong(
        "conv_dW",
        CONV_LOOPS,
        (
            (
                "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
                "dW[f] = g * x_pad[n, :, i : i + KH, j : j + KW]",
            ),
        ),
        (("dW[f] += g", "dW[f] = g"), ("self.dW = dW", "self.dW = dW / N")),
        (
            (
                "dW[f] += g * x_pad[n, :, top : top + KH, left : left + KW]",
                "dW[f] += g * x_pad[n, :, i : i + KH, j : j + KW]",
            ),
            ("self.dW = dW", "self.dW = dW / N"),
        ),
        (
            ("x_pad = np.pad(self.x, ((0, 0), (0, 0), (P, P), (P, P)))", "x_pad = self.x"),
            ("dW[f] += g", "dW[f] = g"),
        ),
    ),
    *_wrong(
        "conv_dx",
        CONV_LOOPS,
        (
            ("left : left + KW] += g * self.W[f]", "left : left + KW] = g * self.W[f]"),
            ("return dx_pad[:, :, P : P + H, P : P + W]", "return dx_pad"),
        ),
        (
            ("left : left + KW] += g * self.W[f]", "left : left + KW] = g * self.W[f]"),
            ("return dx_pad[:, :, P : P + H, P : P + W]", "return dx_pad[:, :, P:-P, P:-P]"),
        ),
        (
            (
                "dx_pad[n, :, top : top + KH, left : left + KW] += g * self.W[f]",
                "dx_pad[n, :, i : i + KH, j : j + KW] += g * self.W[f][:, ::-1, ::-1]",
            ),
        ),
        (
            ("dx_pad = np.zeros_like(x_pad)", "dx_pad = np.zeros_like(self.x)"),
            ("return dx_pad[:, :, P : P + H, P : P + W]", "return dx_pad"),
        ),
    ),
    *_wrong(
        "conv_forward",
        CONV_LOOPS,
        (
            (
                "x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]",
                "x_pad[n, :, i : i + KH, j : j + KW]",
            ),
            ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch * self.W[f])"),
        ),
        (
            (
                "x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]",
                "x_pad[n, :, i * S : i * S + KW, j * S : j * S + KH]",
            ),
            ("np.sum(patch * self.W[f]) + self.b[f]", "np.sum(patch * self.W[f] + self.b[f])"),
        ),
        (
            ("y[n, f, i, j] = np.sum", "y[n, f, j, i] = np.sum"),
            ("y = np.zeros((N, F, out_h, out_w)", "y = np.zeros((N, F, out_w, out_h)"),
        ),
    ),
    *_wrong(
        "conv_dx",
        CONV_EINSUM,
        (("+= part", "= part"), ("p : dx.shape[2] - p, p : dx.shape[3] - p]", "p:-p, p:-p]")),
        (("i * s : i * s + KH, j * s : j * s + KW] += part", "i : i + KH, j : j + KW] = part"),),
    ),
    *_wrong(
        "avgpool_backward",
        AVG_POOL,
        (
            (
                "dx[:, :, rows, cols] += dy[:, :, i, j][:, :, None, None] / area",
                "dx[:, :, rows, cols] = dy[:, :, i, j][:, :, None, None]",
            ),
        ),
        (
            ("area = self.KH * self.KW", "area = self.SH * self.SW"),
            ("dx[:, :, rows, cols] += dy", "dx[:, :, rows, cols] = dy"),
        ),
    ),
    *_wrong(
        "maxpool_backward",
        MAX_POOL,
        (
            ("+= dout[n, c, i, j]", "= dout[n, c, i, j]"),
            ("divmod(np.argmax(window), self.pool_w)", "divmod(np.argmax(window), self.pool_h)"),
        ),
        (
            (
                "h1 = i * self.stride_h\n                        w1 = j * self.stride_w\n                        window",
                "h1 = i\n                        w1 = j\n                        window",
            ),
            ("+= dout[n, c, i, j]", "= dout[n, c, i, j]"),
        ),
    ),
    *_wrong(
        "maxpool_forward",
        MAX_POOL,
        (
            ("out_h = 1 + (H - self.pool_h) // self.stride_h", "out_h = H // self.pool_h"),
            ("out_w = 1 + (W - self.pool_w) // self.stride_w", "out_w = W // self.pool_w"),
        ),
        (
            ("h2 = h1 + self.pool_h", "h2 = h1 + self.stride_h"),
            ("w2 = w1 + self.pool_w", "w2 = w1 + self.stride_w"),
        ),
    ),
    *_wrong(
        "flatten_backward",
        FLATTEN,
        (("dy.reshape(N, C, H, W)", "dy.reshape(N, C, H, W, order='F') / N"),),
        (("dy.reshape(N, C, H, W)", "-dy.reshape(N, C, H, W, order='F')"),),
        (
            ("dx = dy.reshape(N, C, H, W)", "dx = dy.reshape(N, C, W, H)"),
            ("return dx", "return dx / N"),
        ),
    ),
    *_wrong(
        "loss_backward",
        LOSS,
        (
            ("dlogits[np.arange(N), self.labels] -= 1", "dlogits[np.arange(N), self.labels] += 1"),
            ("dlogits /= N", "dlogits /= K"),
        ),
        (
            ("dlogits[np.arange(N), self.labels] -= 1", "dlogits[:, self.labels] -= 1"),
            ("        dlogits /= N\n", ""),
        ),
    ),
    *_wrong(
        "loss_forward",
        LOSS,
        (
            ("z = logits - logits.max(axis=1, keepdims=True)", "z = logits"),
            ("float(-picked.mean())", "float(-picked.sum())"),
        ),
        (
            (
                "np.sum(np.exp(z), axis=1, keepdims=True)",
                "np.sum(np.exp(z), axis=0, keepdims=True)",
            ),
            ("float(-picked.mean())", "float(picked.mean())"),
        ),
    ),
    *_wrong(
        "dense_dW",
        DENSE_LOOPS,
        (
            (
                "self.dW[d, k] += self.x[n, d] * dy[n, k]",
                "self.dW[d, k] = self.x[n, d] * dy[n, k] / N",
            ),
        ),
    ),
    *_wrong(
        "dense_dx",
        DENSE,
        (("np.dot(dy, self.W.T)", "np.dot(dy, self.W.T) / len(dy)"), ("return dx", "return -dx")),
    ),
    *_wrong(
        "adam_step",
        ADAM,
        (
            ("(1 - self.beta2) * g * g", "(1 - self.beta2) * g"),
            ("(np.sqrt(v_hat) + self.epsilon)", "np.sqrt(v_hat + self.epsilon)"),
        ),
    ),
    *_wrong(
        "saliency",
        SALIENCY,
        (
            ("np.abs(dx).max(axis=1)", "dx.max(axis=1)"),
            ("dy[np.arange(N), classes] = 1", "dy[:, classes] = 1"),
        ),
    ),
]
