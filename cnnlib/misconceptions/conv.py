"""What goes wrong in a convolution: sizes, padding, forward, and the gradients of W, b and x."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnlib.layers import Conv2D
from cnnlib.misconceptions.changes import misconception


def _padded(x, padding, **how):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), **how)


# ---------------------------------------------------------------------------- output_size


@misconception(
    "output_size",
    says="You count the steps, not the windows: there is one window more than there are steps.",
    hint="If the kernel just covers the whole axis, how many windows fit? How many do you count?",
)
def steps_not_windows(size, kernel_size, stride, padding):
    return (size + 2 * padding - kernel_size) // stride


@misconception(
    "output_size",
    says="You count the padding once only.",
    hint="How many sides does an axis have?",
)
def padding_on_one_side(size, kernel_size, stride, padding):
    return (size + padding - kernel_size) // stride + 1


@misconception(
    "output_size",
    says="You leave the padding out.",
    hint="The window also moves over the zeros around the picture. How long is the axis with them?",
)
def padding_not_counted(size, kernel_size, stride, padding):
    return (size - kernel_size) // stride + 1


@misconception(
    "output_size",
    says="You add the padding to the result, as if every zero gave one more window. "
    "With stride 1 that makes no difference.",
    hint="Make the axis longer first. How many windows, a stride apart, fit into it then?",
)
def padding_added_to_the_output(size, kernel_size, stride, padding):
    return (size - kernel_size) // stride + 1 + 2 * padding


@misconception(
    "output_size",
    says="You round up, so the last window hangs over the edge.",
    hint="What becomes of a window for which there are not enough numbers left?",
)
def rounded_up(size, kernel_size, stride, padding):
    return -(-(size + 2 * padding - kernel_size) // stride) + 1


@misconception(
    "output_size",
    says="You round to the nearest number, so sometimes the last window hangs over the edge.",
    hint="Is a window that fits by two thirds a window?",
)
def rounded_to_nearest(size, kernel_size, stride, padding):
    return round((size + 2 * padding - kernel_size) / stride) + 1


@misconception(
    "output_size",
    says="You divide with `/`, so the number of windows is a float, and not always a whole one.",
    hint="Which division of Python's stays whole?",
)
def true_division(size, kernel_size, stride, padding):
    return (size + 2 * padding - kernel_size) / stride + 1


@misconception(
    "output_size",
    says="You leave the stride out: these are the windows for a stride of 1.",
    hint="Where does each window begin if the stride is 2? Write the places down.",
)
def stride_not_counted(size, kernel_size, stride, padding):
    return size + 2 * padding - kernel_size + 1


@misconception(
    "output_size",
    says="You leave the kernel's size out.",
    hint="How far to the right can the window begin, so that its last number is still inside?",
)
def kernel_not_counted(size, kernel_size, stride, padding):
    return (size + 2 * padding) // stride + 1


@misconception(
    "output_size",
    says="You add the 1 before you divide by the stride. With stride 1 that makes no difference.",
    hint="The first window needs no step. Is the 1 that stands for it shared out among the steps?",
)
def one_added_too_early(size, kernel_size, stride, padding):
    return (size + 2 * padding - kernel_size + 1) // stride


@misconception(
    "output_size",
    says="You divide by the stride first, and take the kernel off afterwards. "
    "With stride 1 that makes no difference.",
    hint="The stride is the way between two beginnings of a window. Which places can those be?",
)
def divided_too_early(size, kernel_size, stride, padding):
    return (size + 2 * padding) // stride - kernel_size + 1


@misconception(
    "output_size",
    says="You divide the kernel's size alone by the stride: `//` comes before `+` and `-`.",
    hint="`8 - 6 // 2` is 5, and `(8 - 6) // 2` is 1. Which brackets does your line need?",
)
def stride_under_the_kernel(size, kernel_size, stride, padding):
    return size + 2 * padding - kernel_size // stride + 1


@misconception(
    "output_size",
    says="You divide by the kernel's size, as if each window began where the last one ended.",
    hint="How far is it from the beginning of a window to the beginning of the next?",
)
def kernel_size_as_stride(size, kernel_size, stride, padding):
    return (size + 2 * padding - kernel_size) // kernel_size + 1


@misconception(
    "output_size",
    says="A window that ends just where the axis ends is not counted.",
    hint="5 numbers, a window of 3 that begins at 2: does it fit?",
)
def stops_before_the_last_start(size, kernel_size, stride, padding):
    return len(range(0, size + 2 * padding - kernel_size, stride))


@misconception(
    "output_size",
    says="Your stride is the exercise's padding, and the other way round.",
    hint="Compare the order of your parameters with the exercise's.",
)
def stride_and_padding_swapped(size, kernel_size, stride, padding):
    return (size + 2 * stride - kernel_size) // padding + 1


@misconception(
    "output_size",
    says="You take it that the padding keeps the map as large as it was. "
    "Only one padding for each kernel does that.",
    hint="Do the kernel's size and the padding come into your formula at all?",
)
def same_padding(size, kernel_size, stride, padding):
    return -(-size // stride)


@misconception(
    "output_size",
    says="The padding is counted four times, twice on each side.",
    hint="How long is an axis of 5 with a padding of 1?",
)
def padding_on_four_sides(size, kernel_size, stride, padding):
    return (size + 4 * padding - kernel_size) // stride + 1


# ---------------------------------------------------------------------------- pad


@misconception(
    "pad",
    says="You pad all four axes: there are new pictures and new channels, all of zeros.",
    hint="Which two of the axes N, C, H, W have edges that a window can reach?",
)
def pads_every_axis(x, padding):
    return np.pad(x, padding)


@misconception(
    "pad",
    says="You pad below and to the right only.",
    hint="How many sides does a map have?",
)
def pads_after(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, padding), (0, padding)))


@misconception(
    "pad",
    says="You pad above and to the left only.",
    hint="How many sides does a map have?",
)
def pads_before(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))


@misconception(
    "pad",
    says="The result is large enough, but the picture sits in its corner: all zeros lie below and to the right.",
    hint="At which row and column of the result does x[0, 0, 0, 0] have to stand?",
)
def picture_in_the_corner(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))


@misconception(
    "pad",
    says="You pad above and below, but not to the left and right.",
    hint="How many sides does a map have?",
)
def pads_rows_only(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0)))


@misconception(
    "pad",
    says="You pad to the left and right, but not above and below.",
    hint="How many sides does a map have?",
)
def pads_columns_only(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding)))


@misconception(
    "pad",
    says="Each side gets twice the padding.",
    hint="By how many rows does a map grow with padding 1?",
)
def pads_twice(x, padding):
    return _padded(x, 2 * padding)


@misconception(
    "pad",
    says="You pad by 1, whatever the padding.",
    hint="Where does `padding` come into your code?",
)
def pads_by_one(x, padding):
    return _padded(x, 1)


@misconception(
    "pad",
    says="You pad the middle axes, as if x were (N, H, W, C): the channels grow, and the columns don't.",
    hint="Write N, C, H, W below your pairs of numbers.",
)
def pads_channels_and_rows(x, padding):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


@misconception(
    "pad",
    says="You pad with copies of the edge. The course pads with zeros.",
    hint="What should the picture look like beyond its edge: like its edge, or empty?",
)
def pads_with_the_edge(x, padding):
    return _padded(x, padding, mode="edge")


@misconception(
    "pad",
    says="You pad with a mirror image of the map. The course pads with zeros.",
    hint="What should the picture look like beyond its edge: like itself, or empty?",
)
def pads_with_a_mirror(x, padding):
    return _padded(x, padding, mode="symmetric")


@misconception(
    "pad",
    says="You pad with ones. To a convolution, one is a value like any other; the course pads with zeros.",
    hint="Which number adds nothing to a sum of products, whatever the weight?",
)
def pads_with_ones(x, padding):
    return _padded(x, padding, constant_values=1)


@misconception(
    "pad",
    says="You fill an array of zeros that is float64 whatever comes in, so float32 pictures grow twice as large.",
    hint="The dtype of x is kept. Which dtype has the array that you fill?",
)
def pads_into_float64(x, padding):
    return _padded(x, padding).astype(float)


# ---------------------------------------------------------------------------- forward


def _each_filter(b):
    """b, so that it is added along the filters of a map (N, F, OH, OW)."""
    return np.reshape(b, (-1, 1, 1))


class _OtherWeights(Conv2D):
    """A Conv2D whose forward uses something else than its W."""

    def forward(self, x):
        right, self.W = self.W, self.instead(self.W)
        y = super().forward(x)
        self.W = right
        return y


@misconception(
    "conv_forward",
    says="The bias is left out.",
    hint="A window of zeros: which number must come out?",
)
class ForgetsTheBias(Conv2D):
    def forward(self, x):
        return super().forward(x) - _each_filter(self.b)


@misconception(
    "conv_forward",
    says="The bias is added to every product, so it counts C·KH·KW times.",
    hint="A window of zeros: which number must come out, and which one does?",
)
class BiasInEveryProduct(Conv2D):
    def forward(self, x):
        return super().forward(x) + _each_filter(self.b) * (self.W[0].size - 1)


@misconception(
    "conv_forward",
    says="The bias is added once for each channel.",
    hint="A window of zeros: which number must come out, and which one does?",
)
class BiasForEachChannel(Conv2D):
    def forward(self, x):
        return super().forward(x) + _each_filter(self.b) * (x.shape[1] - 1)


@misconception(
    "conv_forward",
    says="Every filter gets the bias of the first one.",
    hint="How many biases are there, and what are they counted by?",
)
class OneBiasForAll(Conv2D):
    def forward(self, x):
        return super().forward(x) - _each_filter(self.b) + self.b[0]


@misconception(
    "conv_forward",
    says="b is added along the last axis: a bias for each column, not for each filter.",
    hint="NumPy lines shapes up from the right. Write (N, F, OH, OW) above (F,).",
)
class BiasAlongTheColumns(Conv2D):
    def forward(self, x):
        return super().forward(x) - _each_filter(self.b) + self.b


@misconception(
    "conv_forward",
    says="Each window is cut out of the first channel only.",
    hint="How many numbers does one filter have, and with how many numbers of x do they meet?",
)
class FirstChannelOnly(_OtherWeights):
    def instead(self, W):
        return W * (np.arange(W.shape[1]) == 0).reshape(-1, 1, 1)


@misconception(
    "conv_forward",
    says="Only the last channel counts: each channel overwrites the sum of the one before.",
    hint="One filter gives one number for a window, out of all channels. How do they come together?",
)
class LastChannelOnly(_OtherWeights):
    def instead(self, W):
        return W * (np.arange(W.shape[1]) == W.shape[1] - 1).reshape(-1, 1, 1)


@misconception(
    "conv_forward",
    says="The kernel is flipped, by rows and by columns. "
    "That is what mathematics calls a convolution; the layer of this name slides the kernel as it is.",
    hint="Which weight meets the pixel in the upper left corner of the window?",
)
class FlipsTheKernel(_OtherWeights):
    def instead(self, W):
        return W[:, :, ::-1, ::-1]


@misconception(
    "conv_forward",
    says="The kernel lies on its side: its rows meet the columns of the window.",
    hint="Which weight meets the pixel to the right of the window's upper left corner?",
)
class TransposesTheKernel(_OtherWeights):
    def instead(self, W):
        return W.swapaxes(2, 3)


@misconception(
    "conv_forward",
    says="The products are averaged. A convolution adds them up.",
    hint="Two weights of 1 that meet two pixels of 5: which number must come out?",
)
class AveragesTheWindow(_OtherWeights):
    def instead(self, W):
        return W / W[0].size


@misconception(
    "conv_forward",
    says="The numbers of the window are added up, but the weights play no part.",
    hint="How would two filters differ in what they see?",
)
class IgnoresTheWeights(_OtherWeights):
    def instead(self, W):
        return np.ones_like(W)


@misconception(
    "conv_forward",
    says="The weights of the first filter are used for all.",
    hint="y has F maps. Which weights belong to map f?",
)
class FirstFilterForAll(_OtherWeights):
    def instead(self, W):
        return np.broadcast_to(W[:1], W.shape)


@misconception(
    "conv_forward",
    says="The maps of the first picture are given to the whole batch.",
    hint="y[n] belongs to x[n]. Where does n come into your code?",
)
class FirstPictureForAll(Conv2D):
    def forward(self, x):
        y = super().forward(x)
        return np.broadcast_to(y[:1], y.shape).copy()


@misconception(
    "conv_forward",
    says="The map has the size that the stride asks for, but the windows lie side by side as with stride 1.",
    hint="Where does the window begin that makes y[0, 0, 1, 1]? With stride 1, with stride 2?",
)
class WindowsWithoutStride(Conv2D):
    def _windows(self, x_padded):
        OH, OW = super()._windows(x_padded).shape[2:4]
        return _every(x_padded, self.kernel_size, (1, 1))[:, :, :OH, :OW]


@misconception(
    "conv_forward",
    says="The windows step down by the stride, but to the right by one only.",
    hint="Where does the window begin that makes y[0, 0, 1, 1]? By row, and by column.",
)
class StrideForRowsOnly(Conv2D):
    def _windows(self, x_padded):
        OW = super()._windows(x_padded).shape[3]
        return _every(x_padded, self.kernel_size, (self.stride, 1))[:, :, :, :OW]


@misconception(
    "conv_forward",
    says="The windows step to the right by the stride, but down by one only.",
    hint="Where does the window begin that makes y[0, 0, 1, 1]? By row, and by column.",
)
class StrideForColumnsOnly(Conv2D):
    def _windows(self, x_padded):
        OH = super()._windows(x_padded).shape[2]
        return _every(x_padded, self.kernel_size, (1, self.stride))[:, :, :OH]


@misconception(
    "conv_forward",
    says="The stride is left out: the map is as large as with stride 1.",
    hint="What does your layer do with its stride?",
)
class IgnoresTheStride(Conv2D):
    def forward(self, x):
        self.stride = 1
        return super().forward(x)


@misconception(
    "conv_forward",
    says="You loop over places in x, a stride apart, and use them as places in y too. "
    "With stride 1 that makes no difference.",
    hint="The window that begins at row 2 with stride 2: is it the third one?",
)
class WritesWhereItReads(Conv2D):
    def forward(self, x):
        right = super().forward(x)
        y = np.zeros_like(right)
        for i, j in np.ndindex(right.shape[2:]):
            y[:, :, i * self.stride, j * self.stride] = right[:, :, i, j]
        return y


@misconception(
    "conv_forward",
    says="The padding is left out: the windows move over the bare picture.",
    hint="What does your layer do with its padding?",
)
class IgnoresThePadding(Conv2D):
    def forward(self, x):
        self.padding = 0
        return super().forward(x)


@misconception(
    "conv_forward",
    says="The map is as large as the padding asks for, but the windows are cut out of x as it came, without the zeros.",
    hint="Where is the array with the zeros around it, and which array do you cut the windows out of?",
)
class CutsWindowsOutOfX(Conv2D):
    def forward(self, x):
        y = super().forward(x)
        for (i, j), window in _short_windows(self, x, y.shape[2:]):
            y[:, :, i, j] = (window[:, None] * self.W).sum(axis=(2, 3, 4)) + self.b
        return y


class _OtherPadding(Conv2D):
    """A Conv2D that pads its pictures in another way."""

    def forward(self, x):
        padding, self.padding = self.padding, 0
        y = super().forward(self.padded(x, padding))
        self.padding = padding
        return y


@misconception(
    "conv_forward",
    says="All the zeros lie below and to the right of the picture.",
    hint="At which row and column of the padded picture does x[0, 0, 0, 0] have to stand?",
)
class PadsInTheCorner(_OtherPadding):
    padded = staticmethod(picture_in_the_corner)


@misconception(
    "conv_forward",
    says="Only two sides of the picture are padded, below and to the right.",
    hint="How many sides does a map have?",
)
class PadsAfter(_OtherPadding):
    padded = staticmethod(pads_after)


@misconception(
    "conv_forward",
    says="The pictures are padded with copies of their edge. The course pads with zeros.",
    hint="What should the picture look like beyond its edge: like its edge, or empty?",
)
class PadsWithTheEdge(_OtherPadding):
    padded = staticmethod(pads_with_the_edge)


@misconception(
    "conv_forward",
    says="The columns of the map are counted from the height of x: you take maps to be square.",
    hint="From which length does OW come?",
)
class TakesMapsToBeSquare(Conv2D):
    def forward(self, x):
        y = super().forward(x)
        OH, OW = y.shape[2:]
        square = np.zeros((*y.shape[:3], OH), y.dtype)
        square[:, :, :, : min(OH, OW)] = y[:, :, :, :OH]
        return square


@misconception(
    "conv_forward",
    says="Rows and columns have changed places in your y.",
    hint="y[n, f, i, j]: is i the row, and is it counted down or to the right?",
)
class TransposesTheMap(Conv2D):
    def forward(self, x):
        return super().forward(x).swapaxes(2, 3)


@misconception(
    "conv_forward",
    says="The last row and the last column of windows are missing: there, y was never filled.",
    hint="`range(OH)` ends before OH. Is anything taken off once more?",
)
class ForgetsTheLastWindows(Conv2D):
    def forward(self, x):
        y = super().forward(x)
        y[:, :, -1], y[:, :, :, -1] = 0, 0
        return y


@misconception(
    "conv_forward",
    says="What is negative has become 0. That is what ReLU does, and ReLU is a layer of its own.",
    hint="Which numbers may a weighted sum be?",
)
class AppliesReLU(Conv2D):
    def forward(self, x):
        return np.maximum(super().forward(x), 0)


@misconception(
    "conv_forward",
    says="Every y lies in the same memory, so a new batch overwrites the y of the last one.",
    hint="Whoever got the first y may still need it. When does each forward get an array of its own?",
)
class ReusesItsOutput(Conv2D):
    y = None

    def forward(self, x):
        y = super().forward(x)
        if self.y is None or self.y.shape != y.shape:
            self.y = y
        self.y[...] = y
        return self.y


@misconception(
    "conv_forward",
    says="The size of the first batch's maps is kept for ever and used for later ones.",
    hint="Where does each forward learn its N, its H and its W?",
)
class KeepsTheFirstSize(Conv2D):
    size = None

    def forward(self, x):
        y = super().forward(x)
        self.size = self.size or y.shape[2:]
        OH, OW = self.size
        return y[:, :, :OH, :OW]


@misconception(
    "conv_forward",
    says="Everything behind the decimal point is lost: your y is made of whole numbers.",
    hint="Which dtype has the array that you fill?",
)
class WholeNumbersOnly(Conv2D):
    def forward(self, x):
        return super().forward(x).astype(int)


@misconception(
    "conv_forward",
    says="Your forward changes the weights themselves, so the next call finds others.",
    hint="Which of your lines sets self.W, or writes into it? A forward never learns.",
)
class ForwardChangesW(Conv2D):
    def forward(self, x):
        y = super().forward(x)
        self.W = self.W[:, :, ::-1, ::-1]
        return y


def _every(x_padded, kernel_size, stride):
    """The windows of all kernels' size, (N, C, OH, OW, KH, KW), with a stride for rows and one for columns."""
    windows = sliding_window_view(x_padded, kernel_size, axis=(2, 3))
    return windows[:, :, :: stride[0], :: stride[1]]


def _short_windows(layer, x, size):
    """Each (i, j) of a map and its window of x as slices give it: shorter, or empty, beyond the edge."""
    KH, KW = layer.kernel_size
    for i, j in np.ndindex(*size):
        top, left = i * layer.stride, j * layer.stride
        yield (i, j), x[:, :, top : top + KH, left : left + KW]


# ---------------------------------------------------------------------------- dW


class _OtherDW(Conv2D):
    """A Conv2D with another dW; `heard` is the sum over windows that gives the right one."""

    def backward(self, dy):
        other = self.other(dy, self._windows(self.x_padded))
        dx = super().backward(dy)
        self.dW = other
        return dx


def _heard(dy, windows):
    """Σ dy[n, f, i, j] · windows[n, c, i, j, k, l] over n, i and j."""
    return np.tensordot(dy, windows, axes=((0, 2, 3), (0, 2, 3)))


@misconception(
    "conv_dW",
    says="The stride is missing where dW looks its windows up: they lie side by side, as with stride 1.",
    hint="Which pixels did the window of y[0, 0, 1, 1] cover? dW has to meet the same ones.",
)
class StrideMissingInDW(_OtherDW):
    def other(self, dy, windows):
        OH, OW = dy.shape[2:]
        return _heard(dy, _every(self.x_padded, self.kernel_size, (1, 1))[:, :, :OH, :OW])


@misconception(
    "conv_dW",
    says="Only the last window counts: each one overwrites what the others gave.",
    hint="A weight is used in every window. What happens to several contributions to one number?",
)
class LastWindowOnly(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy[:, :, -1:, -1:], windows[:, :, -1:, -1:])


@misconception(
    "conv_dW",
    says="Only the very last window of the last picture counts: each one overwrites what the others gave.",
    hint="A weight is used in every window of every picture. What happens to several contributions to one number?",
)
class LastWindowOfTheLastPicture(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy[-1:, :, -1:, -1:], windows[-1:, :, -1:, -1:])


@misconception(
    "conv_dW",
    says="Only the last picture of the batch counts.",
    hint="All pictures of the batch were made with the same weights. How do their gradients come together?",
)
class LastPictureOnly(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy[-1:], windows[-1:])


@misconception(
    "conv_dW",
    says="Only the first picture of the batch counts.",
    hint="All pictures of the batch were made with the same weights. How do their gradients come together?",
)
class FirstPictureOnly(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy[:1], windows[:1])


@misconception(
    "conv_dW",
    says="dW is divided by the size of the batch here. "
    "The loss has done that already, once and for all layers.",
    hint="If the loss is an average over the batch, what has dy been multiplied with already?",
)
class DividesDWByTheBatch(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, windows) / len(dy)


@misconception(
    "conv_dW",
    says="dW is an average over the windows. Each window adds its own part to the loss.",
    hint="If you nudge a weight, how many outputs move? Does each move less because there are many?",
)
class AveragesDW(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, windows) / dy[0, 0].size


@misconception(
    "conv_dW",
    says="dW is an average over all windows of all pictures. Each window adds its own part to the loss.",
    hint="If you nudge a weight, how many outputs move? Does each move less because there are many?",
)
class AveragesDWOverEverything(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, windows) / dy[:, 0].size


@misconception(
    "conv_dW",
    says="The channels are added up, and each gets the sum: dW is the same for every channel.",
    hint="Which numbers of x did the weight W[f, c, k, l] meet in forward?",
)
class SumsTheChannels(_OtherDW):
    def other(self, dy, windows):
        dW = _heard(dy, windows)
        return np.broadcast_to(dW.sum(axis=1, keepdims=True), dW.shape)


@misconception(
    "conv_dW",
    says="The filters are added up, and each gets the sum: dW is the same for every filter.",
    hint="Which maps of y did the weight W[f, c, k, l] have a part in?",
)
class SumsTheFilters(_OtherDW):
    def other(self, dy, windows):
        dW = _heard(dy, windows)
        return np.broadcast_to(dW.sum(axis=0, keepdims=True), dW.shape)


@misconception(
    "conv_dW",
    says="dy plays no part: you add up what the windows hold, as if every output mattered alike.",
    hint="Chain rule: upstream gradient times slope. Which of the two is missing?",
)
class IgnoresDy(_OtherDW):
    def other(self, dy, windows):
        return _heard(np.ones_like(dy), windows)


@misconception(
    "conv_dW",
    says="x plays no part: every weight of a filter gets the sum of dy.",
    hint="If you nudge one weight, by how much does an output move? That depends on a pixel. Which one?",
)
class IgnoresThePicture(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, np.ones_like(windows))


@misconception(
    "conv_dW",
    says="dW comes out flipped by rows and columns. The flip belongs to another gradient.",
    hint="Which pixels did the weight in the upper left corner meet?",
)
class FlipsDW(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, windows)[:, :, ::-1, ::-1]


@misconception(
    "conv_dW",
    says="dy is flipped by rows and columns before it meets the windows. "
    "Where all of dy is the same number, nobody would notice.",
    hint="Which window did y[0, 0, 0, 0] come from, and which one does its gradient meet?",
)
class FlipsDy(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy[:, :, ::-1, ::-1], windows)


@misconception(
    "conv_dW",
    says="dW lies on its side: KH and KW have changed places.",
    hint="W[f, c, k, l]: which of its indices counts rows of x?",
)
class TransposesDW(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, windows).swapaxes(2, 3)


@misconception(
    "conv_dW",
    says="dW has the channels first and the filters second.",
    hint="Which shape does W have? Compare it with the shape of your dW, axis by axis.",
)
class ChannelsBeforeFilters(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, windows).swapaxes(0, 1)


@misconception(
    "conv_dW",
    says="dW is multiplied by W. What a weight does to an output doesn't depend on the weight.",
    hint="y = w·x + …: if w grows by 1, by how much does y grow?",
)
class TimesTheWeights(_OtherDW):
    def other(self, dy, windows):
        return _heard(dy, windows) * self.W


@misconception(
    "conv_dW",
    says="dW piles up: each backward adds to what the last one left.",
    hint="Each backward sets its gradients anew. Where does your sum begin?",
)
class PilesUpDW(_OtherDW):
    before = 0

    def other(self, dy, windows):
        self.before = self.before + _heard(dy, windows)
        return self.before


@misconception(
    "conv_dW",
    says="The padding is missing where dW looks its windows up: they are cut out of x as it came, "
    "with zeros below and to the right.",
    hint="Which numbers did the first window hold in forward?",
)
class WindowsOfThePictureAlone(_OtherDW):
    def other(self, dy, windows):
        p, x = self.padding, self.x_padded
        bare = np.roll(x, (-p, -p), axis=(2, 3))
        return _heard(dy, self._windows(bare))


@misconception(
    "conv_dW",
    says="The padding is missing where dW looks its windows up: they are cut out of x as it came, "
    "and those at its end come out shorter.",
    hint="Which numbers did the first window hold in forward?",
)
class ShortWindowsOfThePicture(_OtherDW):
    def other(self, dy, windows):
        p, dW = self.padding, np.zeros_like(self.W)
        H, W = self.x_shape[2:]
        bare = self.x_padded[:, :, p : p + H, p : p + W]
        for (i, j), window in _short_windows(self, bare, dy.shape[2:]):
            dW += np.tensordot(dy[:, :, i, j], window, axes=(0, 0))
        return dW


@misconception(
    "conv_dW",
    says="The picture of the first batch is kept for ever and used for later ones.",
    hint="When does your layer write down the x that backward needs, and how often?",
)
class KeepsTheFirstBatch(_OtherDW):
    first = None

    def forward(self, x):
        y = super().forward(x)
        self.first = self.x_padded if self.first is None else self.first
        return y

    def other(self, dy, windows):
        return _heard(dy, self._windows(self.first))


@misconception(
    "conv_dW",
    says="What forward keeps is kept in one place for all layers, so a second Conv2D overwrites the first one's.",
    hint="Each layer needs a memory of its own. Where does `self` come in?",
)
class SharesItsMemory(_OtherDW):
    last = None

    def forward(self, x):
        y = super().forward(x)
        SharesItsMemory.last = self.x_padded
        return y

    def other(self, dy, windows):
        return _heard(dy, self._windows(SharesItsMemory.last))


# ---------------------------------------------------------------------------- db


class _OtherDb(Conv2D):
    """A Conv2D with another db."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.db = np.asarray(self.other(dy))
        return dx


@misconception(
    "conv_db",
    says="Each picture keeps a db of its own: there is no sum over the batch.",
    hint="Which shape does b have? All pictures were made with the same b.",
)
class DbForEachPicture(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=(2, 3))


@misconception(
    "conv_db",
    says="Each place of the map keeps a db of its own: you sum over the batch only.",
    hint="Which shape does b have? All windows were given the same b.",
)
class DbForEachPlace(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=0)


@misconception(
    "conv_db",
    says="You sum over the filters, too: one number for all biases.",
    hint="b[f] went into map f and into no other. Which axis of dy must stay?",
)
class OneDbForAll(_OtherDb):
    def other(self, dy):
        return dy.sum()


@misconception(
    "conv_db",
    says="You sum over the first three axes, and what stays is the columns, not the filters.",
    hint="dy is (N, F, OH, OW). Which of these axes does b have?",
)
class DbForEachColumn(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=(0, 1, 2))


@misconception(
    "conv_db",
    says="The axes that you sum over stay, with length 1: db is (1, F, 1, 1).",
    hint="`keepdims` keeps what you want to be rid of here.",
)
class DbKeepsItsAxes(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=(0, 2, 3), keepdims=True)


@misconception(
    "conv_db",
    says="db is a column, (F, 1), and b is a row of numbers, (F,). "
    "In b − db, NumPy would make a table of the two.",
    hint="A gradient has the shape of what it is the gradient of.",
)
class DbAsAColumn(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=(0, 2, 3)).reshape(-1, 1)


@misconception(
    "conv_db",
    says="db is an average over pictures and places. Each output adds its own part to the loss.",
    hint="If you nudge b[f], how many outputs move? Does each move less because there are many?",
)
class AveragesDb(_OtherDb):
    def other(self, dy):
        return dy.mean(axis=(0, 2, 3))


@misconception(
    "conv_db",
    says="db is an average over the places of a map, then a sum over the pictures. "
    "Each output adds its own part to the loss.",
    hint="If you nudge b[f], how many outputs move? Does each move less because there are many?",
)
class AveragesDbOverPlaces(_OtherDb):
    def other(self, dy):
        return dy.mean(axis=(2, 3)).sum(axis=0)


@misconception(
    "conv_db",
    says="db is divided by the size of the batch here. "
    "The loss has done that already, once and for all layers.",
    hint="If the loss is an average over the batch, what has dy been multiplied with already?",
)
class DividesDbByTheBatch(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=(0, 2, 3)) / len(dy)


@misconception(
    "conv_db",
    says="You return ones for db, and what dy says is lost. "
    "It is true that each output moves by 1 when its bias does; but backward asks what the loss does.",
    hint="Chain rule: upstream gradient times slope. What is left when the slope is 1?",
)
class DbOfOnes(_OtherDb):
    def other(self, dy):
        return np.ones_like(self.b)


@misconception(
    "conv_db",
    says="You count how many outputs a bias goes into, and what dy says is lost.",
    hint="Chain rule: upstream gradient times slope. Which of the two is missing?",
)
class CountsTheOutputs(_OtherDb):
    def other(self, dy):
        return np.ones_like(dy).sum(axis=(0, 2, 3))


@misconception(
    "conv_db",
    says="Only the last picture of the batch counts.",
    hint="All pictures were made with the same b. How do their gradients come together?",
)
class DbOfTheLastPicture(_OtherDb):
    def other(self, dy):
        return dy[-1].sum(axis=(1, 2))


@misconception(
    "conv_db",
    says="Only the last window counts: each one overwrites what the others gave.",
    hint="The bias goes into every window. What happens to several contributions to one number?",
)
class DbOfTheLastWindow(_OtherDb):
    def other(self, dy):
        return dy[:, :, -1, -1].sum(axis=0)


@misconception(
    "conv_db",
    says="db is multiplied by b. What a bias does to an output doesn't depend on the bias.",
    hint="y = … + b: if b grows by 1, by how much does y grow?",
)
class TimesTheBias(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=(0, 2, 3)) * self.b


@misconception(
    "conv_db",
    says="db piles up: each backward adds to what the last one left.",
    hint="Each backward sets its gradients anew. Where does your sum begin?",
)
class PilesUpDb(_OtherDb):
    before = 0

    def other(self, dy):
        self.before = self.before + dy.sum(axis=(0, 2, 3))
        return self.before


@misconception(
    "conv_db",
    says="Each output is counted KH·KW times, once for every weight. The bias goes into an output once.",
    hint="Inside which of your loops does the line with db stand?",
)
class DbForEachWeight(_OtherDb):
    def other(self, dy):
        return dy.sum(axis=(0, 2, 3)) * self.W[0, 0].size


# ---------------------------------------------------------------------------- dx


class _Scatters(Conv2D):
    """A Conv2D that scatters dy with a loop over the outputs; its steps can be replaced."""

    def backward(self, dy):
        super().backward(dy)
        KH, KW = self.kernel_size
        dx = np.zeros_like(self.x_padded)
        for i, j in np.ndindex(dy.shape[2:]):
            top, left = self.corner(i, j)
            share = np.tensordot(dy[:, :, i, j], self.weights(), axes=(1, 0))
            self.give(dx[:, :, top : top + KH, left : left + KW], share)
        return self.cropped(dx)

    def corner(self, i, j):
        return i * self.stride, j * self.stride

    def weights(self):
        return self.W

    def give(self, window, share):
        window += share

    def cropped(self, dx):
        p, (H, W) = self.padding, self.x_shape[2:]
        return dx[:, :, p : p + H, p : p + W]


@misconception(
    "conv_dx",
    says="Nothing is returned for x. In the first layer nobody would miss it; but layers are to be stacked.",
    hint="The layer before this one can't learn without a dy of its own. Whose dx is that?",
)
class NoDx(Conv2D):
    def backward(self, dy):
        super().backward(dy)


@misconception(
    "conv_dx",
    says="You return zeros, so nothing before this layer can ever learn.",
    hint="If you nudge a pixel in the middle, which outputs move?",
)
class CutsTheGraph(Conv2D):
    def backward(self, dy):
        return np.zeros_like(super().backward(dy))


@misconception(
    "conv_dx",
    says="Where windows overlap, the last one overwrites what the others gave. Filters are added up, windows are not.",
    hint="A pixel in several windows moves several outputs. What happens to several contributions to one number?",
)
class OverwritesOverlaps(_Scatters):
    def give(self, window, share):
        window[...] = share


@misconception(
    "conv_dx",
    says="Each share overwrites what was there before: of all windows and filters that a pixel fed, only the last one counts.",
    hint="A pixel in several windows moves several outputs. What happens to several contributions to one number?",
)
class OverwritesWindowsAndFilters(OverwritesOverlaps):
    def weights(self):
        return LastFilterOnly.weights(self)


@misconception(
    "conv_dx",
    says="The stride is missing where the gradients are handed out: the windows lie side by side, as with stride 1.",
    hint="Which pixels did the window of y[0, 0, 1, 1] cover? Its gradient has to reach the same ones.",
)
class StrideMissingInDx(_Scatters):
    def corner(self, i, j):
        return i, j


@misconception(
    "conv_dx",
    says="Each gradient comes back through the wrong weight: the kernel stands on its head. "
    "A kernel that looks the same upside down, such as a blur, hides it.",
    hint="Take a pixel in the lower right corner of a window. Through which weight did it go in? "
    "And through which one does its gradient come back?",
)
class UpsideDownKernel(_Scatters):
    def weights(self):
        return self.W[:, :, ::-1, ::-1]


@misconception(
    "conv_dx",
    says="The kernel is turned by 90 degrees, and one such turn is not the way back.",
    hint="Write the small example's kernel down before and after your turn. Where does each weight go?",
)
class QuarterTurn(_Scatters):
    def weights(self):
        return np.rot90(self.W, axes=(2, 3))


@misconception(
    "conv_dx",
    says="The kernel is turned by 90 degrees the other way round, and one such turn is not the way back.",
    hint="Write the small example's kernel down before and after your turn. Where does each weight go?",
)
class QuarterTurnBack(_Scatters):
    def weights(self):
        return np.rot90(self.W, -1, axes=(2, 3))


@misconception(
    "conv_dx",
    says="The kernel lies on its side: its rows are handed to columns of x.",
    hint="W[f, c, k, l]: which of its indices counts rows of x?",
)
class KernelOnItsSide(_Scatters):
    def weights(self):
        return self.W.swapaxes(2, 3)


@misconception(
    "conv_dx",
    says="The weights play no part: every pixel of a window gets dy as it is.",
    hint="If you nudge a pixel, by how much does the output move?",
)
class IgnoresTheWeightsInDx(_Scatters):
    def weights(self):
        return np.ones_like(self.W)


@misconception(
    "conv_dx",
    says="Only the last filter counts: each filter overwrites what the others gave.",
    hint="A pixel feeds all F maps. What happens to several contributions to one number?",
)
class LastFilterOnly(_Scatters):
    def weights(self):
        return self.W * (np.arange(len(self.W)) == len(self.W) - 1).reshape(-1, 1, 1, 1)


@misconception(
    "conv_dx",
    says="Only the first filter counts.",
    hint="Which maps of y does a pixel have a part in?",
)
class FirstFilterOnly(_Scatters):
    def weights(self):
        return self.W * (np.arange(len(self.W)) == 0).reshape(-1, 1, 1, 1)


@misconception(
    "conv_dx",
    says="The weights of all channels are added up, so dx is the same for every channel.",
    hint="Through which weight did x[n, c, …] go in?",
)
class SameForEveryChannel(_Scatters):
    def weights(self):
        return np.broadcast_to(self.W.sum(axis=1, keepdims=True), self.W.shape)


@misconception(
    "conv_dx",
    says="Your dx still has the padding around it.",
    hint="dx has the shape of x. Whose gradient lies in the rows too many?",
)
class StillPadded(_Scatters):
    def cropped(self, dx):
        return dx


@misconception(
    "conv_dx",
    says="The padding is cut off on the wrong side, or never counted: everything is moved down and to the right.",
    hint="At which row and column of the padded picture did x[0, 0, 0, 0] stand?",
)
class CutInTheCorner(_Scatters):
    def cropped(self, dx):
        H, W = self.x_shape[2:]
        return dx[:, :, :H, :W]


@misconception(
    "conv_dx",
    says="With padding 0, dx is empty: you cut with [p:-p], and -0 is 0.",
    hint="What is `[1, 2, 3][0:-0]`?",
)
class EmptyWithoutPadding(_Scatters):
    def cropped(self, dx):
        p = self.padding
        return dx[:, :, p:-p, p:-p]


@misconception(
    "conv_dx",
    says="The height is used for the width when the padding is cut off. "
    "On square maps, nobody would ever notice.",
    hint="Compare the shape of your dx with x's, axis by axis.",
)
class HeightForWidth(_Scatters):
    def cropped(self, dx):
        p, H = self.padding, self.x_shape[2]
        return dx[:, :, p : p + H, p : p + H]


@misconception(
    "conv_dx",
    says="Rows and columns that no window reached are missing: dx is smaller than x where the stride leaves a remainder.",
    hint="Which shape did x have? And what is the gradient of a pixel that nobody read?",
)
class LosesTheRest(_Scatters):
    def cropped(self, dx):
        p = self.padding
        reached = [
            (windows - 1) * self.stride + k
            for windows, k in zip(self.y_shape[2:], self.kernel_size, strict=True)
        ]
        H, W = (min(n, p + m) for n, m in zip(reached, self.x_shape[2:], strict=True))
        return dx[:, :, p:H, p:W]


@misconception(
    "conv_dx",
    says="dx is divided by the size of the batch here. "
    "The loss has done that already, once and for all layers.",
    hint="If the loss is an average over the batch, what has dy been multiplied with already?",
)
class DividesDxByTheBatch(Conv2D):
    def backward(self, dy):
        return super().backward(dy) / len(dy)


@misconception(
    "conv_dx",
    says="Each pixel gets the average of what it is owed, not the sum.",
    hint="A pixel in several windows moves several outputs. Does each one move less because there are many?",
)
class AveragesOverlaps(_Scatters):
    def backward(self, dy):
        self.readers = np.zeros_like(self.x_padded)
        for i, j in np.ndindex(dy.shape[2:]):
            (top, left), (KH, KW) = self.corner(i, j), self.kernel_size
            self.readers[:, :, top : top + KH, left : left + KW] += 1
        return super().backward(dy)

    def cropped(self, dx):
        return super().cropped(dx / np.maximum(self.readers, 1))


@misconception(
    "conv_dx",
    says="dx is multiplied by x. What a pixel does to an output doesn't depend on the pixel.",
    hint="y = w·x + …: if x grows by 1, by how much does y grow?",
)
class TimesThePicture(_Scatters):
    def cropped(self, dx):
        return super().cropped(dx * self.x_padded)


@misconception(
    "conv_dx",
    says="dx piles up: each backward adds to what the last one left.",
    hint="Each backward begins anew. Where does your sum begin?",
)
class PilesUpDx(Conv2D):
    before = 0

    def backward(self, dy):
        self.before = self.before + super().backward(dy)
        return self.before


@misconception(
    "conv_dx",
    says="Every dx lies in the same memory, so the next backward overwrites the dx of the last one.",
    hint="Whoever got the first dx may still need it. When does each backward get an array of its own?",
)
class ReusesItsDx(Conv2D):
    dx = None

    def backward(self, dy):
        dx = super().backward(dy)
        if self.dx is None or self.dx.shape != dx.shape:
            self.dx = dx
        self.dx[...] = dx
        return self.dx


@misconception(
    "conv_dW",
    "conv_db",
    "conv_dx",
    says="Your backward changes the weights themselves, so the next call finds others.",
    hint="Which of your lines sets self.W, or writes into it? A turned kernel needs a name of its own, "
    "and a step downhill is not the layer's to take.",
)
class BackwardChangesW(Conv2D):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W = self.W[:, :, ::-1, ::-1]
        return dx


@misconception(
    "conv_dW",
    "conv_db",
    "conv_dx",
    says="Your backward changes W and b. A layer says where downhill is; only the optimiser walks.",
    hint="Which lines of yours set self.W and self.b? backward sets self.dW and self.db.",
)
class WalksItself(Conv2D):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W, self.b = self.W - 0.1 * self.dW, self.b - 0.1 * self.db
        return dx


@misconception(
    "conv_dx",
    says="The shape of the first batch is kept for ever and used for later ones.",
    hint="When does your layer write down the shape that dx must have, and how often?",
)
class KeepsTheFirstShape(Conv2D):
    first = None

    def forward(self, x):
        self.first = self.first or x.shape
        return super().forward(x)

    def backward(self, dy):
        dx = super().backward(dy)
        kept = np.zeros(self.first, dx.dtype)
        part = tuple(slice(min(sizes)) for sizes in zip(dx.shape, self.first, strict=True))
        kept[part] = dx[part]
        return kept


# ---------------------------------------------------------------------------- both ways


@misconception(
    "conv_dW",
    "conv_dx",
    says="You flip the kernel in both directions. They fit each other, so a gradient check sees nothing; "
    "but the layer of this course slides the kernel as it is.",
    hint="Run the check of forward. Which weight meets the upper left corner of a window?",
)
class FlipsBothWays(Conv2D):
    def forward(self, x):
        return self._flipped(super().forward, x)

    def backward(self, dy):
        dx = self._flipped(super().backward, dy)
        self.dW = self.dW[:, :, ::-1, ::-1]
        return dx

    def _flipped(self, call, array):
        right, self.W = self.W, self.W[:, :, ::-1, ::-1]
        result = call(array)
        self.W = right
        return result
