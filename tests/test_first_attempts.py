"""First attempts: right answers in other styles than `wrong_answers` holds, with one mistake or two in them.

Each is told by the name of what was done, and, where the repairs find it, by a line that is truly wrong.
"""

import pytest
from wrong_answers import CONV_LOOPS, Wrong

from cnnlib import check

pytestmark = pytest.mark.sampled

CONV_INIT = """
class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
        if not isinstance(kernel_size, tuple):
            kernel_size = (kernel_size, kernel_size)
        self.kh, self.kw = kernel_size
        rng = np.random.default_rng(rng)
        self.W = rng.normal(size=(out_channels, in_channels, self.kh, self.kw)) * 0.1
        self.b = np.zeros(out_channels)
        self.stride, self.pad = stride, padding
"""

CONV_SUMS = (
    CONV_INIT
    + """
    def forward(self, x):
        self.x = x
        xp = np.pad(x, ((0, 0), (0, 0), (self.pad, self.pad), (self.pad, self.pad)))
        n, c, h, w = xp.shape
        oh = (h - self.kh) // self.stride + 1
        ow = (w - self.kw) // self.stride + 1
        out = np.zeros((n, self.W.shape[0], oh, ow), dtype=x.dtype)
        for r in range(oh):
            for q in range(ow):
                top, left = r * self.stride, q * self.stride
                region = xp[:, None, :, top:top + self.kh, left:left + self.kw]
                out[:, :, r, q] = (region * self.W[None]).sum(axis=(2, 3, 4)) + self.b
        self.xp = xp
        return out

    def backward(self, grad):
        n, f, oh, ow = grad.shape
        self.db = grad.sum(axis=(0, 2, 3))
        self.dW = np.zeros_like(self.W)
        dxp = np.zeros_like(self.xp)
        for r in range(oh):
            for q in range(ow):
                top, left = r * self.stride, q * self.stride
                region = self.xp[:, :, top:top + self.kh, left:left + self.kw]
                g = grad[:, :, r, q]
                self.dW += np.tensordot(g, region, axes=(0, 0))
                dxp[:, :, top:top + self.kh, left:left + self.kw] += np.tensordot(g, self.W, axes=(1, 0))
        h, w = self.x.shape[2:]
        return dxp[:, :, self.pad:self.pad + h, self.pad:self.pad + w]
"""
)

CONV_PLACES = (
    CONV_INIT
    + """
    def forward(self, x):
        s, p = self.stride, self.pad
        self.x_shape = x.shape
        x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
        self.cached = x
        N, C, H, W = x.shape
        F = len(self.W)
        H_out, W_out = (H - self.kh) // s + 1, (W - self.kw) // s + 1
        y = np.zeros((N, F, H_out, W_out), x.dtype)
        for u in range(self.kh):
            for v in range(self.kw):
                part = x[:, :, u:u + s * H_out:s, v:v + s * W_out:s]
                y += np.einsum("nchw,fc->nfhw", part, self.W[:, :, u, v])
        return y + self.b.reshape(1, F, 1, 1)

    def backward(self, dy):
        s, p = self.stride, self.pad
        N, F, H_out, W_out = dy.shape
        dx = np.zeros_like(self.cached)
        self.dW = np.zeros_like(self.W)
        self.db = np.einsum("nfhw->f", dy)
        for u in range(self.kh):
            for v in range(self.kw):
                rows = slice(u, u + s * H_out, s)
                cols = slice(v, v + s * W_out, s)
                self.dW[:, :, u, v] = np.einsum("nfhw,nchw->fc", dy, self.cached[:, :, rows, cols])
                dx[:, :, rows, cols] += np.einsum("nfhw,fc->nchw", dy, self.W[:, :, u, v])
        H, W = self.x_shape[2:]
        return dx[:, :, p:p + H, p:p + W]
"""
)

CONV_FULL = (
    CONV_INIT
    + """
    def forward(self, x):
        p = self.pad
        self.xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        self.hw = x.shape[2:]
        win = np.lib.stride_tricks.sliding_window_view(self.xp, (self.kh, self.kw), axis=(2, 3))
        self.win = win[:, :, ::self.stride, ::self.stride]
        out = np.tensordot(self.win, self.W, axes=((1, 4, 5), (1, 2, 3)))
        return np.ascontiguousarray(out.transpose(0, 3, 1, 2) + self.b[None, :, None, None]).astype(x.dtype)

    def backward(self, dout):
        s, p = self.stride, self.pad
        N, F, OH, OW = dout.shape
        self.db = np.sum(dout, axis=(0, 2, 3))
        self.dW = np.tensordot(dout, self.win, axes=((0, 2, 3), (0, 2, 3)))
        # spread dy out, pad, and convolve with the flipped kernel
        hp, wp = self.xp.shape[2:]
        big = np.zeros((N, F, hp + self.kh - 1, wp + self.kw - 1), dtype=dout.dtype)
        top, left = self.kh - 1, self.kw - 1
        big[:, :, top:top + s * OH:s, left:left + s * OW:s] = dout
        flipped = self.W[:, :, ::-1, ::-1]
        views = np.lib.stride_tricks.sliding_window_view(big, (self.kh, self.kw), axis=(2, 3))
        dx = np.einsum("nfhwkl,fckl->nchw", views, flipped)
        return dx[:, :, p:p + self.hw[0], p:p + self.hw[1]].astype(dout.dtype)
"""
)

MAX_PLACES = """
class MaxPool2D:
    def __init__(self, kernel_size, stride=None):
        self.k = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        stride = self.k if stride is None else stride
        self.s = (stride, stride) if isinstance(stride, int) else stride

    def forward(self, x):
        self.x = x
        N, C, H, W = x.shape
        kh, kw = self.k
        sh, sw = self.s
        OH, OW = (H - kh) // sh + 1, (W - kw) // sw + 1
        y = np.empty((N, C, OH, OW), dtype=x.dtype)
        self.arg = np.empty((N, C, OH, OW), dtype=int)
        for i in range(OH):
            for j in range(OW):
                patch = x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw].reshape(N, C, kh * kw)
                self.arg[:, :, i, j] = patch.argmax(axis=2)
                y[:, :, i, j] = patch.max(axis=2)
        return y

    def backward(self, dy):
        N, C, OH, OW = dy.shape
        kh, kw = self.k
        sh, sw = self.s
        dx = np.zeros(self.x.shape, dtype=dy.dtype)
        for n in range(N):
            for c in range(C):
                for i in range(OH):
                    for j in range(OW):
                        a = self.arg[n, c, i, j]
                        dx[n, c, i * sh + a // kw, j * sw + a % kw] += dy[n, c, i, j]
        return dx
"""

MAX_MASK = """
class MaxPool2D:
    def __init__(self, kernel_size, stride=None):
        self.k = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        stride = self.k if stride is None else stride
        self.s = (stride, stride) if isinstance(stride, int) else stride

    def forward(self, x):
        self.x = x
        (kh, kw), (sh, sw) = self.k, self.s
        OH, OW = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
        y = np.zeros(x.shape[:2] + (OH, OW), x.dtype)
        for i in range(OH):
            for j in range(OW):
                y[:, :, i, j] = np.max(x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw], axis=(2, 3))
        return y

    def backward(self, dy):
        (kh, kw), (sh, sw) = self.k, self.s
        dx = np.zeros(self.x.shape, dy.dtype)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                window = self.x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw]
                m = window.max(axis=(2, 3), keepdims=True)
                mask = (window == m).astype(dy.dtype)
                mask = mask / mask.sum(axis=(2, 3), keepdims=True)
                dx[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw] += mask * dy[:, :, i:i + 1, j:j + 1]
        return dx
"""

AVERAGE = """
class AvgPool2D:
    def __init__(self, kernel_size, stride=None):
        self.k = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        stride = self.k if stride is None else stride
        self.s = (stride, stride) if isinstance(stride, int) else tuple(stride)

    def forward(self, x):
        self.in_shape = x.shape
        N, C, H, W = x.shape
        y = np.zeros((N, C, (H - self.k[0]) // self.s[0] + 1, (W - self.k[1]) // self.s[1] + 1), x.dtype)
        for a in range(y.shape[2]):
            for b in range(y.shape[3]):
                r, c = a * self.s[0], b * self.s[1]
                y[:, :, a, b] = x[:, :, r:r + self.k[0], c:c + self.k[1]].mean(axis=(2, 3))
        return y

    def backward(self, dy):
        dx = np.zeros(self.in_shape, dy.dtype)
        for a in range(dy.shape[2]):
            for b in range(dy.shape[3]):
                r, c = a * self.s[0], b * self.s[1]
                share = dy[:, :, a, b] / (self.k[0] * self.k[1])
                dx[:, :, r:r + self.k[0], c:c + self.k[1]] += share[:, :, None, None]
        return dx
"""

FLATTEN_ROWS = """
class Flatten:
    def forward(self, x):
        self.N = x.shape[0]
        self.rest = x.shape[1:]
        rows = [picture.ravel() for picture in x]
        return np.stack(rows)

    def backward(self, dy):
        pictures = []
        for row in dy:
            pictures.append(row.reshape(self.rest))
        return np.array(pictures)
"""

DENSE_EINSUM = """
class Dense:
    def __init__(self, in_features, out_features, *, rng=None):
        rng = np.random.default_rng(rng)
        self.W = rng.normal(size=(in_features, out_features)) * np.sqrt(2 / in_features)
        self.b = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        scores = np.einsum("nd,dk->nk", x, self.W)
        return (scores + self.b).astype(x.dtype)

    def backward(self, dy):
        self.dW = np.einsum("nd,nk->dk", self.x, dy)
        self.db = np.einsum("nk->k", dy)
        dx = np.einsum("nk,dk->nd", dy, self.W)
        return dx.astype(dy.dtype)
"""

RELU = """
class ReLU:
    def forward(self, x):
        self.positive = x > 0
        return np.where(self.positive, x, 0)

    def backward(self, dy):
        return np.where(self.positive, dy, 0)
"""

LOSS_LOOP = """
class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.labels = labels
        shifted = logits - np.max(logits, axis=1)[:, np.newaxis]
        log_total = np.log(np.exp(shifted).sum(axis=1))
        losses = []
        for n in range(len(labels)):
            losses.append(log_total[n] - shifted[n, labels[n]])
        self.probs = np.exp(shifted - log_total[:, np.newaxis])
        return float(sum(losses) / len(losses))

    def backward(self):
        grad = self.probs.copy()
        for n, label in enumerate(self.labels):
            grad[n, label] -= 1
        return grad / len(self.labels)
"""

SGD_DICT = """
class SGD:
    def __init__(self, network, learning_rate, momentum=0.0):
        self.parameters = parameters(network)
        self.learning_rate, self.mu = learning_rate, momentum
        self.v = {}

    def step(self):
        for layer, name in self.parameters:
            g = getattr(layer, f"d{name}")
            key = (id(layer), name)
            self.v[key] = self.mu * self.v.get(key, 0) + g
            setattr(layer, name, getattr(layer, name) - self.learning_rate * self.v[key])
"""

ADAM_DICT = """
class Adam:
    def __init__(self, network, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters(network)
        self.learning_rate, self.b1, self.b2, self.eps = learning_rate, beta1, beta2, epsilon
        self.m, self.v, self.t = {}, {}, 0

    def step(self):
        self.t += 1
        for i, (layer, name) in enumerate(self.parameters):
            grad = getattr(layer, "d" + name)
            self.m[i] = self.b1 * self.m.get(i, 0) + (1 - self.b1) * grad
            self.v[i] = self.b2 * self.v.get(i, 0) + (1 - self.b2) * grad ** 2
            mhat = self.m[i] / (1 - self.b1 ** self.t)
            vhat = self.v[i] / (1 - self.b2 ** self.t)
            update = self.learning_rate * mhat / (np.sqrt(vhat) + self.eps)
            setattr(layer, name, getattr(layer, name) - update)
"""

FLAT_INDEX = """
def flat_index(c, h, w, shape):
    C, H, W = shape
    return c * H * W + h * W + w
"""

PAD = """
def pad(x, p):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * p, W + 2 * p), x.dtype)
    out[:, :, p:p + H, p:p + W] = x
    return out
"""

NUMERICAL = """
def numerical_gradient(f, x, h=1e-6):
    value = np.array(x, dtype=float)
    slopes = np.zeros(value.shape)
    with np.nditer(value, flags=["multi_index"]) as places:
        for _ in places:
            k = places.multi_index
            old = value[k]
            value[k] = old + h
            above = float(f(value))
            value[k] = old - h
            below = float(f(value))
            value[k] = old
            slopes[k] = (above - below) / (2 * h)
    return slopes
"""

TRAIN = """
def train(network, loss, optimizer, training, validation, epochs, batch_size, rng):
    x_train, y_train = training
    x_val, y_val = validation
    history = []
    for epoch in range(epochs):
        perm = rng.permutation(len(x_train))
        epoch_losses = []
        for k in range(0, len(x_train), batch_size):
            idx = perm[k:k + batch_size]
            scores = network.forward(x_train[idx])
            epoch_losses.append(loss.forward(scores, y_train[idx]))
            network.backward(loss.backward())
            optimizer.step()
        predictions = network.forward(x_val).argmax(axis=1)
        accuracy = np.mean(predictions == y_val)
        history.append((np.mean(epoch_losses), accuracy))
    return history
"""

SEQUENTIAL = """
class Sequential:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        out = x
        for layer in self.layers:
            out = layer.forward(out)
        return out

    def backward(self, dy):
        grad = dy
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad
"""

CONV_WITHOUT_ZEROS = (
    CONV_INIT
    + """
    def forward(self, x):
        self.x = x
        N, C, H, W = x.shape
        F = self.W.shape[0]
        kh, kw = self.kh, self.kw
        Ho = (H + 2 * self.pad - kh) // self.stride + 1
        Wo = (W + 2 * self.pad - kw) // self.stride + 1
        y = np.zeros((N, F, Ho, Wo), x.dtype)
        y += self.b[None, :, None, None].astype(x.dtype)
        for i in range(Ho):
            for j in range(Wo):
                for u in range(kh):
                    for v in range(kw):
                        r = i * self.stride + u - self.pad
                        c = j * self.stride + v - self.pad
                        if 0 <= r < H and 0 <= c < W:
                            y[:, :, i, j] += x[:, :, r, c] @ self.W[:, :, u, v].T
        return y

    def backward(self, dy):
        x = self.x
        H, W = x.shape[2:]
        kh, kw = self.kh, self.kw
        dx = np.zeros_like(x)
        self.dW = np.zeros_like(self.W)
        self.db = dy.sum((0, 2, 3))
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                d = dy[:, :, i, j]
                for u in range(kh):
                    for v in range(kw):
                        r = i * self.stride + u - self.pad
                        c = j * self.stride + v - self.pad
                        if 0 <= r < H and 0 <= c < W:
                            self.dW[:, :, u, v] += d.T @ x[:, :, r, c]
                            dx[:, :, r, c] += d @ self.W[:, :, u, v]
        return dx
"""
)

CONV_LISTS = (
    CONV_INIT
    + """
    def forward(self, x):
        p, s = self.pad, self.stride
        kh, kw = self.kh, self.kw
        self.shape = x.shape
        self.big = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
        H, W = self.big.shape[2:]
        self.tops = list(range(0, H - kh + 1, s))
        self.lefts = list(range(0, W - kw + 1, s))
        kernels = self.W.reshape(len(self.W), -1)
        out = []
        for image in self.big:
            maps = [[kernels @ image[:, t:t + kh, l:l + kw].ravel() + self.b for l in self.lefts] for t in self.tops]
            out.append(np.array(maps).transpose(2, 0, 1))
        return np.array(out, dtype=x.dtype)

    def backward(self, dy):
        kh, kw = self.kh, self.kw
        F = len(self.W)
        dW = np.zeros((F, self.W[0].size), dy.dtype)
        dbig = np.zeros(self.big.shape, dy.dtype)
        self.db = np.array([dy[:, f].sum() for f in range(F)])
        for n, image in enumerate(self.big):
            for i, t in enumerate(self.tops):
                for j, l in enumerate(self.lefts):
                    g = dy[n, :, i, j]
                    dW += np.outer(g, image[:, t:t + kh, l:l + kw].ravel())
                    dbig[n, :, t:t + kh, l:l + kw] += (g @ self.W.reshape(F, -1)).reshape(-1, kh, kw)
        self.dW = dW.reshape(self.W.shape)
        top, left = self.pad, self.pad
        return dbig[:, :, top:top + self.shape[2], left:left + self.shape[3]]
"""
)

IM2COL = """
def im2col(x, kernel_size, stride, padding):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((C, KH, KW, N, OH, OW), x.dtype)
    for u in range(KH):
        for v in range(KW):
            out[:, u, v] = xp[:, :, u:u + stride * OH:stride, v:v + stride * OW:stride].swapaxes(0, 1)
    return out.reshape(C * KH * KW, N * OH * OW)
"""

COL2IM = """
def col2im(matrix, shape, kernel_size, stride, padding):
    N, C, H, W = shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    cols = matrix.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5)
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding), matrix.dtype)
    for i in range(OH):
        for j in range(OW):
            out[:, :, i * stride:i * stride + KH, j * stride:j * stride + KW] += cols[..., i, j]
    return out[:, :, padding:padding + H, padding:padding + W]
"""

FAST_POOL = """
class FastMaxPool2D:
    def __init__(self, kernel_size, stride=None):
        self.kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.stride = self.kernel_size[0] if stride is None else stride

    def forward(self, x):
        N, C, H, W = self.shape = x.shape
        KH, KW = self.kernel_size
        cols = im2col(x, (KH, KW), self.stride, 0).reshape(C, KH * KW, -1)
        self.best = cols.argmax(axis=1)
        self.cols_shape = cols.shape
        OH, OW = (H - KH) // self.stride + 1, (W - KW) // self.stride + 1
        return cols.max(axis=1).reshape(C, N, OH, OW).swapaxes(0, 1)

    def backward(self, dy):
        C = self.shape[1]
        cols = np.zeros(self.cols_shape, dy.dtype)
        flat = dy.swapaxes(0, 1).reshape(C, -1)
        np.put_along_axis(cols, self.best[:, None], flat[:, None], axis=1)
        return col2im(cols.reshape(-1, flat.shape[1]), self.shape, self.kernel_size, self.stride, 0)
"""

ROW_FORWARD = """
def row_forward(x, w, stride):
    n = (len(x) - len(w)) // stride + 1
    y = np.zeros(n)
    for j in range(n):
        for k in range(len(w)):
            y[j] += x[j * stride + k] * w[k]
    return y
"""

ROW_DW = """
def row_dw(dy, x, w, stride):
    n = len(dy)
    dw = np.zeros(len(w))
    for k in range(len(w)):
        dw[k] = np.dot(dy, x[k:k + stride * n:stride])
    return dw
"""

ROW_DX = """
def row_dx(dy, x, w, stride):
    dx = np.zeros(len(x))
    for j, g in enumerate(dy):
        for k, weight in enumerate(w):
            dx[j * stride + k] += g * weight
    return dx
"""


# After public code: parameters called `input`, helpers of the same name as an exercise's, generators.

CONV_INDICES = (
    CONV_INIT
    + """
    def places(self, H, W):
        C = self.W.shape[1]
        OH, OW = (H - self.kh) // self.stride + 1, (W - self.kw) // self.stride + 1
        i = np.tile(np.repeat(np.arange(self.kh), self.kw), C)
        j = np.tile(np.arange(self.kw), self.kh * C)
        rows = i[:, None] + self.stride * np.repeat(np.arange(OH), OW)
        columns = j[:, None] + self.stride * np.tile(np.arange(OW), OH)
        return np.repeat(np.arange(C), self.kh * self.kw)[:, None], rows, columns

    def forward(self, input):
        p, (N, _, H, W) = self.pad, input.shape
        padded = np.pad(input, ((0, 0), (0, 0), (p, p), (p, p)))
        self.shape = padded.shape
        OH, OW = (H + 2 * p - self.kh) // self.stride + 1, (W + 2 * p - self.kw) // self.stride + 1
        cols = padded[:, *self.places(*padded.shape[2:])]
        self.cols = cols.transpose(1, 2, 0).reshape(cols.shape[1], -1)
        out = self.W.reshape(len(self.W), -1) @ self.cols + self.b[:, None]
        return out.reshape(-1, OH, OW, N).transpose(3, 0, 1, 2).astype(input.dtype)

    def backward(self, dout):
        p, (N, F) = self.pad, dout.shape[:2]
        flat = dout.transpose(1, 2, 3, 0).reshape(F, -1)
        self.db = dout.sum(axis=(0, 2, 3))
        self.dW = (flat @ self.cols.T).reshape(self.W.shape)
        back = (self.W.reshape(F, -1).T @ flat).reshape(len(self.cols), -1, N).transpose(2, 0, 1)
        padded = np.zeros(self.shape, dtype=dout.dtype)
        np.add.at(padded, (slice(None), *self.places(*self.shape[2:])), back)
        return padded[:, :, p:self.shape[2] - p, p:self.shape[3] - p]
"""
)

MAX_INIT = """
class MaxPool2D:
    def __init__(self, kernel_size, stride=None):
        self.k = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.s = self.k if stride is None else (stride, stride)
"""

MAX_ROWS = (
    """
def im2col(x, kh, kw, sh, sw):
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, kh * kw)
"""
    + MAX_INIT
    + """
    def forward(self, x):
        self.shape, (N, C, H, W) = x.shape, x.shape
        rows = im2col(x, *self.k, *self.s)
        self.best = rows.argmax(axis=1)
        OH, OW = (H - self.k[0]) // self.s[0] + 1, (W - self.k[1]) // self.s[1] + 1
        return rows.max(axis=1).reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    def backward(self, dout):
        N, C, OH, OW = dout.shape
        flat = dout.transpose(0, 2, 3, 1).ravel()
        rows = np.zeros((flat.size, self.k[0] * self.k[1]), dout.dtype)
        rows[np.arange(flat.size), self.best] = flat
        parts = rows.reshape(N, OH, OW, C, *self.k).transpose(0, 3, 4, 5, 1, 2)
        dx = np.zeros(self.shape, dout.dtype)
        for y in range(self.k[0]):
            for z in range(self.k[1]):
                dx[:, :, y:y + self.s[0] * OH:self.s[0], z:z + self.s[1] * OW:self.s[1]] += parts[:, :, y, z]
        return dx
"""
)

MAX_UPSAMPLED = (
    MAX_INIT
    + """
    def regions(self, shape):
        for i in range((shape[2] - self.k[0]) // self.s[0] + 1):
            for j in range((shape[3] - self.k[1]) // self.s[1] + 1):
                top, left = i * self.s[0], j * self.s[1]
                yield i, j, np.s_[:, :, top:top + self.k[0], left:left + self.k[1]]

    def forward(self, x):
        self.x = x
        *_, (i, j, _) = self.regions(x.shape)
        self.out = np.zeros((*x.shape[:2], i + 1, j + 1), x.dtype)
        for i, j, region in self.regions(x.shape):
            self.out[:, :, i, j] = x[region].max(axis=(2, 3))
        return self.out

    def backward(self, dy):
        dx, ones = np.zeros(self.x.shape, dy.dtype), np.ones(self.k)
        H, W = dy.shape[2] * self.k[0], dy.shape[3] * self.k[1]
        won = self.x[:, :, :H, :W] == np.kron(self.out, ones)
        dx[:, :, :H, :W] = won * np.kron(dy, ones)
        return dx
"""
)

DENSE_PARAMS = """
class Dense:
    def __init__(self, in_features, out_features, *, rng=None):
        self.W = np.random.default_rng(rng).normal(size=(in_features, out_features))
        self.b = np.zeros(out_features)
        self.params, self.grads = {"W": self.W, "b": self.b}, {}

    @property
    def dW(self):
        return self.grads["W"]

    @property
    def db(self):
        return self.grads["b"]

    def forward(self, inputs):
        self.inputs = inputs
        return (inputs @ self.W + self.b).astype(inputs.dtype)

    def backward(self, grad):
        self.grads["b"] = np.sum(grad, axis=0)
        self.grads["W"] = self.inputs.T @ grad
        return (grad @ self.W.T).astype(grad.dtype)
"""

FIRST_ATTEMPTS = [
    ('ForgetsTheBias + WritesColumnsFirst', True, Wrong('conv_forward', CONV_SUMS, (('out[:, :, r, q] = (region', 'out[:, :, q, r] = (region'), ('+ self.b\n', '\n'),))),
    ('ForgetsTheBias + FlipsTheKernel', False, Wrong('conv_forward', CONV_SUMS, (('(region * self.W[None]).sum(axis=(2, 3, 4)) + self.b', '(region * self.W[None, :, :, ::-1, ::-1]).sum(axis=(2, 3, 4))'),))),
    ('TransposesTheKernel + WindowsWithoutStride', False, Wrong('conv_forward', CONV_PLACES, (('part = x[:, :, u:u + s * H_out:s, v:v + s * W_out:s]', 'part = x[:, :, u:u + H_out, v:v + W_out]'), ('self.W[:, :, u, v])\n        return', 'self.W[:, :, v, u])\n        return'),))),
    ('LastWindowOnly + DividesDWByTheBatch', True, Wrong('conv_dW', CONV_SUMS, (('self.dW += np.tensordot(g, region, axes=(0, 0))', 'self.dW = np.tensordot(g, region, axes=(0, 0)) / n'),))),
    ('DividesDWByTheBatch + StrideOnColumnsOnTheWayBack', False, Wrong('conv_dW', CONV_PLACES, (('self.dW[:, :, u, v] = np.einsum("nfhw,nchw->fc", dy, self.cached[:, :, rows, cols])', 'self.dW[:, :, u, v] = np.einsum("nfhw,nchw->fc", dy, self.cached[:, :, rows, cols]) / N'), ('rows = slice(u, u + s * H_out, s)', 'rows = slice(u, u + H_out)'),))),
    ('DividesDWByTheBatch + FlipsDW', True, Wrong('conv_dW', CONV_FULL, (('self.dW = np.tensordot(dout, self.win, axes=((0, 2, 3), (0, 2, 3)))', 'self.dW = np.tensordot(dout, self.win, axes=((0, 2, 3), (0, 2, 3)))[:, :, ::-1, ::-1] / N'),))),
    ('OverwritesOverlaps + CutInTheCorner', True, Wrong('conv_dx', CONV_SUMS, (('dxp[:, :, top:top + self.kh, left:left + self.kw] +=', 'dxp[:, :, top:top + self.kh, left:left + self.kw] ='), ('return dxp[:, :, self.pad:self.pad + h, self.pad:self.pad + w]', 'return dxp[:, :, :h, :w]'),))),
    ('EmptyWithoutPadding + DividesDxByTheBatch', True, Wrong('conv_dx', CONV_PLACES, (('np.einsum("nfhw,fc->nchw", dy, self.W[:, :, u, v])', 'np.einsum("nfhw,fc->nchw", dy, self.W[:, :, u, v]) / N'), ('return dx[:, :, p:p + H, p:p + W]', 'return dx[:, :, p:-p, p:-p]'),))),
    ('UpsideDownKernel + StillPadded', True, Wrong('conv_dx', CONV_FULL, (('flipped = self.W[:, :, ::-1, ::-1]', 'flipped = self.W'), ('return dx[:, :, p:p + self.hw[0], p:p + self.hw[1]].astype(dout.dtype)', 'return dx'),))),
    ('StrideMissingInDx + UpsideDownKernel', False, Wrong('conv_dx', CONV_FULL, (('big[:, :, top:top + s * OH:s, left:left + s * OW:s] = dout', 'big[:, :, top:top + OH, left:left + OW] = dout'), ('flipped = self.W[:, :, ::-1, ::-1]', 'flipped = self.W'),))),
    ('MovesOnByOne + WritesColumnsFirst', True, Wrong('maxpool_forward', MAX_PLACES, (('y[:, :, i, j] = patch.max(axis=2)', 'y[:, :, j, i] = patch.max(axis=2)'), ('patch = x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw]', 'patch = x[:, :, i:i + kh, j:j + kw]'),))),
    ('StrideForgottenOnTheWayBack + LastWinKept', False, Wrong('maxpool_backward', MAX_PLACES, (('dx[n, c, i * sh + a // kw, j * sw + a % kw] += dy[n, c, i, j]', 'dx[n, c, i + a // kw, j + a % kw] = dy[n, c, i, j]'),))),
    ('WindowsWipeOut + WholeGradientToEveryTie', False, Wrong('maxpool_backward', MAX_MASK, (('                mask = mask / mask.sum(axis=(2, 3), keepdims=True)\n', ''), ('+= mask * dy', '= mask * dy'),))),
    ('RowStepForColumns + DividedByHeight', False, Wrong('avgpool_forward', AVERAGE, (('c:c + self.k[1]].mean(axis=(2, 3))', 'c:c + self.k[1]].sum(axis=(2, 3)) / self.k[0]'), ('r, c = a * self.s[0], b * self.s[1]\n                y', 'r, c = a * self.s[0], b * self.s[0]\n                y'),))),
    ('StrideForgottenOnTheWayBack + WholeGradientToEveryPixel', True, Wrong('avgpool_backward', AVERAGE, (('share = dy[:, :, a, b] / (self.k[0] * self.k[1])', 'share = dy[:, :, a, b]'), ('r, c = a * self.s[0], b * self.s[1]\n                share', 'r, c = a, b\n                share'),))),
    ('FortranForward + FeaturesFirst', True, Wrong('flatten_forward', FLATTEN_ROWS, (('picture.ravel() for', "picture.ravel(order='F') for"), ('return np.stack(rows)', 'return np.stack(rows).T'),))),
    ('TurnedWeightGradient + AveragedWeightGradient', True, Wrong('dense_dW', DENSE_EINSUM, (('self.dW = np.einsum("nd,nk->dk", self.x, dy)', 'self.dW = np.einsum("nd,nk->kd", self.x, dy) / len(dy)'),))),
    ('MasksAsReLU + MinusDx', True, Wrong('dense_dx', DENSE_EINSUM, (('"nk,dk->nd", dy, self.W)', '"nk,dk->nd", dy, self.W) * (self.x > 0)'), ('return dx.astype', 'return -dx.astype'),))),
    ('SumOverEverything + SumOfLosses', False, Wrong('loss_forward', LOSS_LOOP, (('log_total = np.log(np.exp(shifted).sum(axis=1))', 'log_total = np.log(np.exp(shifted).sum())\n        log_total = np.repeat(log_total, len(labels))'), ('return float(sum(losses) / len(losses))', 'return float(sum(losses))'),))),
    ('NeverDivided + PPlusY', True, Wrong('loss_backward', LOSS_LOOP, (('grad[n, label] -= 1', 'grad[n, label] += 1'), ('return grad / len(self.labels)', 'return grad'),))),
    ('EpsilonUnderTheRoot + AlwaysStepOneForM', False, Wrong('adam_step', ADAM_DICT, (('mhat = self.m[i] / (1 - self.b1 ** self.t)', 'mhat = self.m[i] / (1 - self.b1)'), ('np.sqrt(vhat) + self.eps', 'np.sqrt(vhat + self.eps)'),))),
    ('CutsWindowsOutOfX', True, Wrong('conv_forward', CONV_SUMS, (('(h - self.kh) // self.stride + 1\n        ow', '(h - self.kh) // self.stride + 1\n        ow'), ('region = xp[:, None, :, top:top + self.kh, left:left + self.kw]\n                out', 'region = x[:, None, :, top:top + self.kh, left:left + self.kw]\n                out'),))),
    ('BiasForEachWeight', False, Wrong('conv_forward', CONV_PLACES, (('y += np.einsum("nchw,fc->nfhw", part, self.W[:, :, u, v])\n        return y + self.b.reshape(1, F, 1, 1)', 'y += np.einsum("nchw,fc->nfhw", part, self.W[:, :, u, v]) + self.b.reshape(1, F, 1, 1)\n        return y'),))),
    ('BiasAlongTheColumns', True, Wrong('conv_forward', CONV_FULL, (('self.b[None, :, None, None]', 'self.b[None, None, None, :]'),))),
    ('UpsideDownKernel', True, Wrong('conv_dx', CONV_SUMS, (('np.tensordot(g, self.W, axes=(1, 0))', 'np.tensordot(g, self.W[:, :, ::-1, ::-1], axes=(1, 0))'),))),
    ('FlipsDyInDx', True, Wrong('conv_dx', CONV_FULL, (('big[:, :, top:top + s * OH:s, left:left + s * OW:s] = dout', 'big[:, :, top:top + s * OH:s, left:left + s * OW:s] = dout[:, :, ::-1, ::-1]'),))),
    ('SharedWithNearTies', True, Wrong('maxpool_backward', MAX_MASK, (('(window == m)', '(window >= m - 1e-6)'),))),
    ('DividedByTheWrongSide', False, Wrong('maxpool_backward', MAX_PLACES, (('a // kw, j * sw + a % kw', 'a // kh, j * sw + a % kh'),))),
    ('SharesOfTheStep', False, Wrong('avgpool_backward', AVERAGE, (('share = dy[:, :, a, b] / (self.k[0] * self.k[1])', 'share = dy[:, :, a, b] / (self.s[0] * self.s[1])'),))),
    ('AveragedBiasGradient', True, Wrong('dense_db', DENSE_EINSUM, (('self.db = np.einsum("nk->k", dy)', 'self.db = dy.mean(axis=0)'),))),
    ('SharesItsMask', True, Wrong('relu_backward', RELU, (('class ReLU:\n', 'class ReLU:\n    positive = None\n'), ('self.positive = x > 0', 'ReLU.positive = x > 0'), ('return np.where(self.positive, x, 0)', 'return np.where(ReLU.positive, x, 0)'), ('return np.where(self.positive, dy, 0)', 'return np.where(ReLU.positive, dy, 0)'),))),
    ('SubtractsEverywhere', False, Wrong('loss_backward', LOSS_LOOP, (('for n, label in enumerate(self.labels):\n            grad[n, label] -= 1', 'grad[range(len(grad))] -= 1'),))),
    ('CountsArrays', True, Wrong('adam_step', ADAM_DICT, (('self.t += 1\n        for i, (layer, name) in enumerate(self.parameters):\n', 'for i, (layer, name) in enumerate(self.parameters):\n            self.t += 1\n'),))),
    ('last_loss', False, Wrong('train_history', TRAIN, (('history.append((np.mean(epoch_losses), accuracy))', 'history.append((epoch_losses[-1], accuracy))'),))),
    ('ChannelsForFilters', True, Wrong('conv_forward', CONV_SUMS, (('(region * self.W[None])', '(region * self.W.transpose(1, 0, 2, 3)[None])'),))),
    ('ChannelsForFilters', True, Wrong('conv_forward', CONV_PLACES, (('"nchw,fc->nfhw", part', '"nchw,cf->nfhw", part'),))),
    ('ChannelsForFiltersInDx', True, Wrong('conv_dx', CONV_PLACES, (('np.einsum("nfhw,fc->nchw", dy, self.W[:, :, u, v])', 'np.einsum("nfhw,cf->nchw", dy, self.W[:, :, u, v])'),))),
    ('TurnsFiltersAndChannels', True, Wrong('conv_dx', CONV_FULL, (('flipped = self.W[:, :, ::-1, ::-1]', 'flipped = np.rot90(self.W, 2)'),))),
    ('TurnsAllAxes', True, Wrong('conv_dx', CONV_FULL, (('flipped = self.W[:, :, ::-1, ::-1]', 'flipped = np.flip(self.W)'),))),
    ('UpsideDownKernel', True, Wrong('conv_dx', CONV_SUMS, (('np.tensordot(g, self.W, axes=(1, 0))', 'np.tensordot(g, np.rot90(self.W, 2, axes=(2, 3)), axes=(1, 0))'),))),
    ('NoRoomForThePadding', True, Wrong('conv_dx', CONV_SUMS, (('dxp = np.zeros_like(self.xp)', 'dxp = np.zeros_like(self.x)'), ('return dxp[:, :, self.pad:self.pad + h, self.pad:self.pad + w]', 'return dxp'),))),
    ('NoRoomForThePadding', False, Wrong('conv_dx', CONV_PLACES, (('dx = np.zeros_like(self.cached)', 'dx = np.zeros(self.x_shape)'), ('return dx[:, :, p:p + H, p:p + W]', 'return dx'),))),
    ('UsesTheLayersUp', True, Wrong('sequential_forward', SEQUENTIAL, (('self.layers = layers', 'self.layers = iter(layers)'),))),
    ('WalksBackOnce', False, Wrong('sequential_backward', SEQUENTIAL, (('self.layers = layers', 'self.layers = layers\n        self.back = reversed(layers)'), ('reversed(self.layers)', 'self.back'),))),
    ('RunsOut', False, Wrong('sgd_step', SGD_DICT, (('self.parameters = parameters(network)', 'self.parameters = (p for p in parameters(network))'),))),
    ('RunsOut', False, Wrong('adam_step', ADAM_DICT, (('self.parameters = parameters(network)', 'self.parameters = zip(*zip(*parameters(network)))'),))),
    ('batches_used_up', False, Wrong('train_steps', TRAIN, (('    for epoch in range(epochs):\n        perm = rng.permutation(len(x_train))\n', '    perm = rng.permutation(len(x_train))\n    starts = iter(range(0, len(x_train), batch_size))\n    for epoch in range(epochs):\n'), ('for k in range(0, len(x_train), batch_size)', 'for k in starts'),))),
    ('each_picture_counts_the_same', True, Wrong('train_history', TRAIN, (('predictions = network', 'predictions = network'), ('np.mean(epoch_losses)', 'np.average(epoch_losses, weights=[len(x_train[k:k+batch_size]) for k in range(0, len(x_train), batch_size)])'),))),
    ('SharesItsMemory', True, Wrong('maxpool_backward', MAX_MASK, (('self.x = x', 'MaxPool2D.x = x'),))),
    ('SharesItsInput', True, Wrong('dense_dW', DENSE_EINSUM, (('self.x = x', 'Dense.x = x'),))),
    ('SharesItsShape', True, Wrong('flatten_backward', FLATTEN_ROWS, (('self.rest = x.shape[1:]', 'Flatten.rest = x.shape[1:]'),))),
    ('SharesItsMemory', True, Wrong('conv_dW', CONV_SUMS, (('self.xp = xp', 'Conv2D.xp = xp'),))),
    ('SharesItsLabels', True, Wrong('loss_backward', LOSS_LOOP, (('self.labels = labels', 'SoftmaxCrossEntropy.labels = labels'),))),
    ('StrideMissingInDx + EmptyWithoutPadding', True, Wrong('conv_dx', CONV_SUMS, (('self.pad:self.pad + h, self.pad:self.pad + w]', 'self.pad:-self.pad, self.pad:-self.pad]'), ('top, left = r * self.stride, q * self.stride\n                region = self.xp', 'top, left = r, q\n                region = self.xp'),))),
    ('OverwritesOverlaps + StrideMissingInDx', False, Wrong('conv_dx', CONV_PLACES, (('rows = slice(u, u + s * H_out, s)', 'rows = slice(u, u + H_out)'), ('cols = slice(v, v + s * W_out, s)', 'cols = slice(v, v + W_out)'), ('dx[:, :, rows, cols] += ', 'dx[:, :, rows, cols] = '),))),
    ('DividesDWByTheBatch + MinusDW', True, Wrong('conv_dW', CONV_SUMS, (('self.dW += np.tensordot(g, region, axes=(0, 0))', 'self.dW = self.dW - np.tensordot(g, region, axes=(0, 0)) / n'),))),
    ('FlipsDy + TransposesDW', True, Wrong('conv_dW', CONV_FULL, (('self.win = win[:, :, ::self.stride, ::self.stride]', 'self.win = win[:, :, ::self.stride, ::self.stride]'), ('np.tensordot(dout, self.win, axes=((0, 2, 3), (0, 2, 3)))', 'np.tensordot(dout[:, :, ::-1, ::-1], self.win, axes=((0, 2, 3), (0, 2, 3))).transpose(0, 1, 3, 2)'),))),
    ('ForgetsTheBias + NoPlusOne', False, Wrong('conv_forward', CONV_SUMS, (('oh = (h - self.kh) // self.stride + 1', 'oh = (h - self.kh) // self.stride'), ('ow = (w - self.kw) // self.stride + 1', 'ow = (w - self.kw) // self.stride'), ('+ self.b\n', '\n'),))),
    ('DividesByTheBatch + WinnerTransposed', False, Wrong('maxpool_backward', MAX_PLACES, (('a // kw, j * sw + a % kw] += dy[n, c, i, j]', 'a % kw, j * sw + a // kw] += dy[n, c, i, j] / N'),))),
    ('DividesByTheBatch + WindowsWipeOut', True, Wrong('avgpool_backward', AVERAGE, (('dx[:, :, r:r + self.k[0], c:c + self.k[1]] +=', 'dx[:, :, r:r + self.k[0], c:c + self.k[1]] ='), ('/ (self.k[0] * self.k[1])', '/ (self.k[0] * self.k[1]) / len(dy)'),))),
    ('SizeWithoutTheStride + MaximumForAverage', False, Wrong('avgpool_forward', AVERAGE, (('(H - self.k[0]) // self.s[0] + 1, (W - self.k[1]) // self.s[1] + 1', 'H // self.k[0], W // self.k[1]'), ('.mean(axis=(2, 3))', '.max(axis=(2, 3))'),))),
    ('SubtractsTheBias + AveragesTheInputs', False, Wrong('dense_forward', DENSE_EINSUM, (('"nd,dk->nk", x, self.W', '"nd,dk->nk", x, self.W / x.shape[1]'), ('scores + self.b', 'scores - self.b'),))),
    ('DividedByClasses + NegativeLoss', True, Wrong('loss_forward', LOSS_LOOP, (('losses.append(log_total[n] - shifted[n, labels[n]])', 'losses.append(shifted[n, labels[n]] - log_total[n])'), ('return float(sum(losses) / len(losses))', 'return float(sum(losses) / logits.shape[1])'),))),
    ('NeverDivided + ChangesItsP', True, Wrong('loss_backward', LOSS_LOOP, (('grad = self.probs.copy()', 'grad = self.probs'), ('return grad / len(self.labels)', 'return grad'),))),
    ('SetsToMinusOne + MinusDlogits', True, Wrong('loss_backward', LOSS_LOOP, (('grad[n, label] -= 1', 'grad[n, label] = -1'), ('return grad / len(self.labels)', 'return -grad / len(self.labels)'),))),
    ('MasksByDy + DividesByTheBatch', True, Wrong('relu_backward', RELU, (('np.where(self.positive, dy, 0)', 'np.where(dy > 0, dy, 0) / len(dy)'),))),
    ('FortranBackward + Minus', True, Wrong('flatten_backward', FLATTEN_ROWS, (('row.reshape(self.rest)', "row.reshape(self.rest, order='F')"), ('return np.array(pictures)', 'return -np.array(pictures)'),))),
    ('Uphill + DividesByRows', True, Wrong('sgd_step', SGD_DICT, (('- self.learning_rate * self.v[key]', '+ self.learning_rate * self.v[key] / len(g)'),))),
    ('NoEpsilon + ShareOfBeta1InV', False, Wrong('adam_step', ADAM_DICT, (('self.b2 * self.v.get(i, 0) + (1 - self.b2) * grad ** 2', 'self.b2 * self.v.get(i, 0) + (1 - self.b1) * grad ** 2'), ('np.sqrt(vhat) + self.eps', 'np.sqrt(vhat)'),))),
    ('sum_of_losses + measured_on_training', False, Wrong('train_history', TRAIN, (('network.forward(x_val).argmax(axis=1)', 'network.forward(x_train).argmax(axis=1)'), ('predictions == y_val', 'predictions == y_train'), ('np.mean(epoch_losses)', 'np.sum(epoch_losses)'),))),
    ('WeightsFromTheEnd', False, Wrong('conv_forward', CONV_WITHOUT_ZEROS, (('@ self.W[:, :, u, v].T', '@ self.W[:, :, -u, -v].T'),))),
    ('TransposedAndReshaped', False, Wrong('conv_forward', CONV_LISTS, (('transpose(2, 0, 1)', 'reshape(len(self.W), len(self.tops), len(self.lefts))'),))),
    ('DxThroughWeightsFromTheEnd', False, Wrong('conv_dx', CONV_WITHOUT_ZEROS, (('dx[:, :, r, c] += d @ self.W[:, :, u, v]', 'dx[:, :, r, c] += d @ self.W[:, :, -u, -v]'),))),
    ('PicturesForFilters', False, Wrong('conv_db', CONV_LISTS, (('dy[:, f].sum()', 'dy[f].sum()'),))),
    ('channels_for_pictures', False, Wrong('im2col', IM2COL, (('.swapaxes(0, 1)\n', '.reshape(C, N, OH, OW)\n'),))),
    ('reads_pictures_first', False, Wrong('col2im', COL2IM, (('matrix.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5)', 'matrix.reshape(N, C, KH, KW, OH, OW)'),))),
    ('PlacesForChannels', False, Wrong('fast_pool_forward', FAST_POOL, (('cols = im2col(x, (KH, KW), self.stride, 0).reshape(C, KH * KW, -1)', 'cols = im2col(x, (KH, KW), self.stride, 0).reshape(KH * KW, C, -1).swapaxes(0, 1)'),))),
    ('length_without_the_kernel', False, Wrong('row_forward', ROW_FORWARD, (('n = (len(x) - len(w)) // stride + 1', 'n = len(x) // stride'),))),
    ('SubtractsTheBias + FlipsTheKernel', False, Wrong('conv_forward', CONV_WITHOUT_ZEROS, (('@ self.W[:, :, u, v].T', '@ self.W[:, :, kh - 1 - u, kw - 1 - v].T'), ('y += self.b[None, :, None, None].astype(x.dtype)', 'y -= self.b[None, :, None, None].astype(x.dtype)')))),
    ('DividesDWByTheBatch + DWFromTheEnd', False, Wrong('conv_dW', CONV_WITHOUT_ZEROS, (('self.dW[:, :, u, v] += d.T @ x[:, :, r, c]', 'self.dW[:, :, -u, -v] += d.T @ x[:, :, r, c] / len(x)'),))),
    ('a_row_for_each + windows_without_stride', False, Wrong('im2col', IM2COL, (('u:u + stride * OH:stride, v:v + stride * OW:stride', 'u:u + OH, v:v + OW'), ('out.reshape(C * KH * KW, N * OH * OW)', 'out.reshape(C * KH * KW, N * OH * OW).T')))),
    ('ChannelsOfOthers + DividesByTheBatch', True, Wrong('fast_pool_backward', FAST_POOL, (('flat = dy.swapaxes(0, 1).reshape(C, -1)', 'flat = dy.reshape(C, -1) / len(dy)'),))),
    ('windows_one_pixel_apart + one_window_too_few', False, Wrong('row_forward', ROW_FORWARD, (('n = (len(x) - len(w)) // stride + 1', 'n = (len(x) - len(w)) // stride'), ('x[j * stride + k]', 'x[j + k]')))),
    ('dw_without_stride + dy_in_reverse', False, Wrong('row_dw', ROW_DW, (('dw[k] = np.dot(dy, x[k:k + stride * n:stride])', 'dw[k] = np.dot(dy[::-1], x[k:k + n])'),))),
    ('dx_overwritten + dx_through_a_turned_kernel', True, Wrong('row_dx', ROW_DX, (('enumerate(w)', 'enumerate(w[::-1])'), ('dx[j * stride + k] += g * weight', 'dx[j * stride + k] = g * weight')))),
    ('TimesTForV', False, Wrong('adam_step', ADAM_DICT, (('(1 - self.b2 ** self.t)', '(1 - self.b2 * self.t)'),))),
    ('RunningMean + OneVelocity', False, Wrong('sgd_momentum', SGD_DICT, (('key = (id(layer), name)', 'key = 0'), ('self.v.get(key, 0) + g', 'self.v.get(key, 0) + (1 - self.mu) * g')))),
    ('FirstRate', False, Wrong('sgd_momentum', SGD_DICT, (('self.learning_rate, self.mu = ', 'self.rate, self.mu = '), ('- self.learning_rate * self.v', '- self.rate * self.v')))),
    ('smaller_batch_dropped + step_before_the_way_back', False, Wrong('train_steps', TRAIN, (('network.backward(loss.backward())\n            optimizer.step()', 'optimizer.step()\n            network.backward(loss.backward())'), ('range(0, len(x_train), batch_size)', 'range(0, len(x_train) - batch_size + 1, batch_size)')))),
    ('no_shuffling + last_batch_dropped', False, Wrong('train_steps', TRAIN, (('rng.permutation(len(x_train))', 'np.arange(len(x_train))'), ('range(0, len(x_train), batch_size)', 'range(0, len(x_train) - batch_size, batch_size)')))),
    ('OverwritesOverlaps + CutInTheCorner + DividesDxByTheBatch', False, Wrong('conv_dx', CONV_LISTS, (('top, left = self.pad, self.pad', 'top, left = 0, 0'), ('dbig[n, :, t:t + kh, l:l + kw] += (g @ self.W.reshape(F, -1)).reshape(-1, kh, kw)', 'dbig[n, :, t:t + kh, l:l + kw] = (g @ self.W.reshape(F, -1)).reshape(-1, kh, kw) / len(dy)')))),
    ('StrideForgottenOnTheWayBack + LastWinKept + DividesByTheBatch', False, Wrong('maxpool_backward', MAX_PLACES, (('dx[n, c, i * sh + a // kw, j * sw + a % kw] += dy[n, c, i, j]', 'dx[n, c, i + a // kw, j + a % kw] = dy[n, c, i, j] / N'),))),
    ('FortranBackward + Minus + DividesByTheBatch', False, Wrong('flatten_backward', FLATTEN_ROWS, (('row.reshape(self.rest)', "row.reshape(self.rest, order='F')"), ('return np.array(pictures)', 'return -np.array(pictures) / self.N')))),
    ('TimesTheMaximum + OneWinnerForAllMaps', False, Wrong('maxpool_backward', MAX_MASK, (('window.max(axis=(2, 3), keepdims=True)', 'window.max()'), ('                mask = mask / mask.sum(axis=(2, 3), keepdims=True)\n', ''), ('+= mask * dy', '+= mask * window * dy')))),
    ('WritesFiltersFirst', False, Wrong('conv_forward', CONV_SUMS, (('out[:, :, r, q] = (region * self.W[None]).sum(axis=(2, 3, 4)) + self.b', 'for f in range(len(self.W)):\n                    for k in range(n):\n                        out[f, k, r, q] = (region[k, 0] * self.W[f]).sum() + self.b[f]'),))),
    ('WindowsEndToEnd', False, Wrong('avgpool_forward', AVERAGE, (('r, c = a * self.s[0], b * self.s[1]\n                y', 'r, c = a * self.k[0], b * self.k[1]\n                y'), ('.mean(axis=(2, 3))', '.sum(axis=(2, 3)) / (self.k[0] * self.k[1])')))),
    ('WindowsEndToEnd', False, Wrong('maxpool_forward', MAX_MASK, (('np.max(x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw], axis=(2, 3))', 'np.max(x[:, :, i * kh:i * kh + kh, j * kw:j * kw + kw], axis=(2, 3), initial=-np.inf)'),))),
    ('WindowsEndToEnd + StartsAtZero', False, Wrong('maxpool_forward', MAX_MASK, (('np.max(x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw], axis=(2, 3))', 'np.max(x[:, :, i * kh:i * kh + kh, j * kw:j * kw + kw], axis=(2, 3), initial=0)'),))),
    ('ForgetsTheBias + StopsBeforeTheLastStart', False, Wrong('conv_forward', CONV_LISTS, (('range(0, H - kh + 1, s)', 'range(0, H - kh, s)'), ('range(0, W - kw + 1, s)', 'range(0, W - kw, s)'), ('.ravel() + self.b', '.ravel()')))),
    ('FirstChannelForAll', False, Wrong('conv_forward', CONV_SUMS, (('xp[:, None, :, top', 'xp[:, None, :1, top'),))),
    ('PicturesFirstInDy', True, Wrong('conv_dW', CONV_INDICES, (('dout.transpose(1, 2, 3, 0).reshape(F, -1)', 'dout.transpose(1, 0, 2, 3).reshape(F, -1)'),))),
    ('PicturesLastInDy', False, Wrong('conv_dx', CONV_INDICES, (('reshape(len(self.cols), -1, N).transpose(2, 0, 1)', 'reshape(len(self.cols), N, -1).transpose(1, 0, 2)'),))),
    ('WalksWithW', True, Wrong('conv_db', CONV_INDICES, (('.reshape(self.W.shape)\n', '.reshape(self.W.shape)\n        self.W -= 0.01 * self.dW\n'),))),
    ('WalksItself', False, Wrong('dense_db', DENSE_PARAMS, (('self.inputs.T @ grad\n', 'self.inputs.T @ grad\n        self.W = self.W - 0.1 * self.dW\n        self.b = self.b - 0.1 * self.db\n'),))),
    ('ChannelsLast', True, Wrong('maxpool_forward', MAX_ROWS, (('reshape(N, OH, OW, C).transpose(0, 3, 1, 2)', 'reshape(N, C, OH, OW)'),))),
    ('ChannelsLastInDy', False, Wrong('maxpool_backward', MAX_ROWS, (('dout.transpose(0, 2, 3, 1).ravel()', 'dout.ravel()'),))),
    ('PositionsWipeOut', False, Wrong('maxpool_backward', MAX_ROWS, (('+= parts', '= parts'),))),
    ('SharedAmongAllMaps', True, Wrong('maxpool_backward', MAX_MASK, (('mask.sum(axis=(2, 3), keepdims=True)', 'mask.sum()'),))),
    ('SideBySideOnTheWayBack', False, Wrong('maxpool_backward', MAX_UPSAMPLED, ())),
    ('LeftForRight', False, Wrong('conv_dx', CONV_FULL, (('self.W[:, :, ::-1, ::-1]', 'self.W[:, :, ::-1]'),))),
    ('HeightOfTheKernelForItsWidth', True, Wrong('conv_forward', CONV_SUMS, (('xp[:, None, :, top:top + self.kh, left:left + self.kw]', 'xp[:, None, :, top:top + self.kh, left:left + self.kh]'),))),
    ('HeightAndWidthSwapped', False, Wrong('avgpool_forward', AVERAGE, (('N, C, H, W = x.shape', 'N, C, W, H = x.shape'),))),
    ('StrideForgottenOnTheWayBack', False, Wrong('maxpool_backward', MAX_MASK, (('window = self.x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw]', 'window = self.x[:, :, i:i + kh, j:j + kw]'), ('dx[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw] +=', 'dx[:, :, i:i + kh, j:j + kw] +=')))),
    ('DividedByTheArea', False, Wrong('maxpool_backward', MAX_PLACES, (('+= dy[n, c, i, j]', '+= dy[n, c, i, j] / (kh * kw)'),))),
    ('StrideOnColumnsOnTheWayBack + SharesOfTheSumOfSides', False, Wrong('avgpool_backward', AVERAGE, (('r, c = a * self.s[0], b * self.s[1]\n                y', 'r, c = a, b * self.s[1]\n                y'), ('r, c = a * self.s[0], b * self.s[1]\n                share', 'r, c = a, b * self.s[1]\n                share'), ('(self.k[0] * self.k[1])', '(self.k[0] + self.k[1])')))),
    ('LogPMinusY', False, Wrong('loss_backward', LOSS_LOOP, (('np.exp(shifted - log_total[:, np.newaxis])', 'shifted - log_total[:, np.newaxis]'),))),
    ('ClipsAt1e-07AndNear1', False, Wrong('loss_forward', LOSS_LOOP, (('losses.append(log_total[n] - shifted[n, labels[n]])', 'losses.append(-np.log(np.clip(np.exp(shifted[n, labels[n]] - log_total[n]), 1e-7, 1 - 1e-7)))'),))),
    ('divided_by_h + never_put_back_in_a_copy', False, Wrong('numerical_gradient', NUMERICAL, (('            value[k] = old\n', ''), ('(2 * h)', 'h')))),
    ('OverwritesWindowsAndFilters + UpsideDownKernel', False, Wrong('conv_dx', CONV_LOOPS, (('dx_pad[n, :, top : top + KH, left : left + KW] += g * self.W[f]', 'dx_pad[n, :, top : top + KH, left : left + KW] = g * self.W[f, :, ::-1, ::-1]'),))),
    ('CutAboveAndLeft', False, Wrong('conv_dx', CONV_SUMS, (('self.pad:self.pad + h, self.pad:self.pad + w]', 'self.pad:, self.pad:]'),))),
    ('DbOfTheVeryLastWindow', True, Wrong('conv_db', CONV_LOOPS, (('db[f] += g', 'db[f] = g'),))),
    ('NoShift + NeverDivided', True, Wrong('loss_backward', LOSS_LOOP, (('shifted = logits - np.max(logits, axis=1)[:, np.newaxis]', 'shifted = logits'), ('return grad / len(self.labels)', 'return grad')))),
    ('StrideInsideTheWindow', False, Wrong('conv_forward', CONV_LOOPS, (('x_pad[n, :, i * S : i * S + KH, j * S : j * S + KW]', 'x_pad[n, :, i : i + S * KH : S, j : j + S * KW : S]'),))),
    ('stride_inside', False, Wrong('row_forward', ROW_FORWARD, (('x[j * stride + k]', 'x[j + k * stride]'),))),
    ('EmptyWithoutPadding', False, Wrong('conv_dx', CONV_LOOPS, (('return dx_pad[:, :, P : P + H, P : P + W]', 'dx = np.zeros_like(self.x)\n        dx[...] = dx_pad[:, :, P:-P, P:-P]\n        return dx'),))),
    ('writes_into_nothing', False, Wrong('pad', PAD, (('p:p + H, p:p + W]', 'p:-p, p:-p]'),))),
    ('SideBySideOnTheWayBack', False, Wrong('avgpool_backward', AVERAGE, (('        for a in range(dy.shape[2]):\n            for b in range(dy.shape[3]):\n                r, c = a * self.s[0], b * self.s[1]\n                share = dy[:, :, a, b] / (self.k[0] * self.k[1])\n                dx[:, :, r:r + self.k[0], c:c + self.k[1]] += share[:, :, None, None]\n', '        wide = np.kron(dy, np.ones(self.k)) / (self.k[0] * self.k[1])\n        dx[:, :, :wide.shape[2], :wide.shape[3]] = wide\n'),))),
    ('row_step_too_high', True, Wrong('flat_index', FLAT_INDEX, (('h * W', 'h * H'),))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(n, w) for n, _, w in FIRST_ATTEMPTS],
    ids=lambda x: x if isinstance(x, str) else x.check,
)
def test_each_mistake_has_its_name(name, wrong):
    failure = getattr(check, wrong.check).failure(wrong.thing)
    assert getattr(failure.misconception, "__name__", None) == name, failure


@pytest.mark.repairs
@pytest.mark.parametrize(
    "wrong", [w for _, located, w in FIRST_ATTEMPTS[::3] if located], ids=lambda w: w.check
)
def test_its_line_is_truly_wrong(wrong):
    failure = getattr(check, wrong.check).failure(wrong.thing)
    assert set(failure.lines) & wrong.lines, failure


RIGHT = {
    "conv_forward conv_dW conv_db conv_dx": (
        CONV_SUMS,
        CONV_PLACES,
        CONV_FULL,
        CONV_WITHOUT_ZEROS,
        CONV_LISTS,
        CONV_INDICES,
    ),
    "im2col": (IM2COL,),
    "col2im": (COL2IM,),
    "fast_pool_forward fast_pool_backward": (FAST_POOL,),
    "row_forward": (ROW_FORWARD,),
    "row_dw": (ROW_DW,),
    "row_dx": (ROW_DX,),
    "maxpool_forward maxpool_backward": (MAX_PLACES, MAX_MASK, MAX_ROWS),
    "avgpool_forward avgpool_backward": (AVERAGE,),
    "flatten_forward flatten_backward": (FLATTEN_ROWS,),
    "dense_forward dense_dW dense_db dense_dx": (DENSE_EINSUM, DENSE_PARAMS),
    "relu_forward relu_backward": (RELU,),
    "numerical_gradient numerical_gradient_dtypes": (NUMERICAL,),
    "pad": (PAD,),
    "flat_index": (FLAT_INDEX,),
    "loss_forward loss_backward": (LOSS_LOOP,),
    "sgd_step sgd_momentum": (SGD_DICT,),
    "adam_first_step adam_step": (ADAM_DICT,),
    "train_steps train_history": (TRAIN,),
    "sequential_forward sequential_backward": (SEQUENTIAL,),
}


@pytest.mark.parametrize("checks", RIGHT, ids=str)
def test_what_they_were_made_from_is_right(checks):
    for name in checks.split():
        for source in RIGHT[checks]:
            assert getattr(check, name).failure(Wrong(name, source, ()).thing) is None


def test_weights_kept_from_the_beginning_are_not_taken_for_random_ones():
    of_its_own = ("inputs @ self.W + self.b", 'inputs @ self.params["W"] + self.params["b"]')
    failure = check.dense_forward.failure(Wrong("dense_forward", DENSE_PARAMS, (of_its_own,)).thing)
    assert "the weights that it was made with" in failure.says, failure


def test_what_is_wrong_with_one_channel_too_is_not_told_of_several():
    of_three = (
        (
            "for r in range(oh):\n            for q in range(ow):\n                top, left = r * self.stride, q * self.stride\n                region = xp",
            "for r in range(h - 2):\n            for q in range(w - 2):\n                top, left = r, q\n                region = xp",
        ),
    )
    failure = check.conv_db.failure(Wrong("conv_db", CONV_SUMS, of_three).thing)
    assert "several channels" not in str(failure), failure


def test_a_mask_of_what_is_not_zero_shows_after_a_relu():
    masked = (
        ("np.array(pictures)", "np.array(pictures) * (self.x != 0)"),
        ("rows = [", "self.x = x\n        rows = ["),
    )
    assert check.flatten_backward.failure(Wrong("flatten_backward", FLATTEN_ROWS, masked).thing)


def test_a_gradient_that_was_not_done_when_backward_stopped():
    short = (
        "dxp[:, :, top:top + self.kh, left:left + self.kw] += ",
        "dxp[:, :, top:top + 2, left:left + 2] += ",
    )
    failure = check.conv_dW.failure(Wrong("conv_dW", CONV_SUMS, (short,)).thing)
    assert failure.says.startswith("This gradient is wrong only where your backward stops"), failure


@pytest.mark.repairs
def test_a_line_that_only_keeps_code_from_stopping_is_not_accused():
    square = (
        "np.tile(np.arange(self.kw), self.kh * C)",
        "np.tile(np.arange(self.kh), self.kw * C)",
    )
    wrong = Wrong("conv_db", CONV_INDICES, (square,))
    stops = 1 + [line.strip()[:7] for line in wrong.source.splitlines()].index("cols = ")
    assert set(check.conv_db.failure(wrong.thing).lines) <= wrong.lines | {stops}
