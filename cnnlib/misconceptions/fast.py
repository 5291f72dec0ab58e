"""What goes wrong on the way to a fast convolution: windows in columns, their way back, one product.

The right way is written once for each of the four, as steps that a mistake replaces one of.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnlib.columns import FastConv2D, FastMaxPool2D, col2im, im2col
from cnnlib.misconceptions.changes import misconception

# ---------------------------------------------------------------------------- im2col

RIGHT_ORDER = "cklnij"


def _padded(x, before, after):
    return np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)))


def _all_windows(x_padded, kernel_size):
    """Every window with stride 1, as (N, C, OH, OW, KH, KW): the axes n, c, i, j, k, l."""
    return sliding_window_view(x_padded, kernel_size, axis=(2, 3))


def _matrix(windows, axes=RIGHT_ORDER, order="C"):
    """The windows as a matrix: the first three axes count its rows, the others its columns."""
    windows = windows.transpose(["ncijkl".index(axis) for axis in axes])
    K, M = np.prod(windows.shape[:3]), np.prod(windows.shape[3:])
    return windows.reshape(K, M, order=order)


def _cut(x, kernel_size, stride, padding, axes=RIGHT_ORDER, order="C"):
    windows = _all_windows(_padded(x, padding, padding), kernel_size)
    return _matrix(windows[:, :, ::stride, ::stride], axes, order)


@misconception(
    "im2col",
    says="You reshape the windows as they lie, without moving an axis first: numbers of different "
    "windows end up in one column.",
    hint="The view has the axes N, C, OH, OW, KH, KW. Which three of them count the rows of the matrix, and are "
    "they the first three?",
)
def reshapes_without_moving(x, kernel_size, stride, padding):
    windows = _all_windows(_padded(x, padding, padding), kernel_size)[:, :, ::stride, ::stride]
    N, C, OH, OW, KH, KW = windows.shape
    return windows.reshape(C * KH * KW, N * OH * OW)


@misconception(
    "im2col",
    says="In each column the channel counts fastest: (k, l, c) in place of (c, k, l). Then a column no longer "
    "fits the kernel that it is multiplied by.",
    hint="In which order does W.reshape(F, -1) lay out the numbers of one kernel?",
)
def channels_last(x, kernel_size, stride, padding):
    return _cut(x, kernel_size, stride, padding, "klcnij")


@misconception(
    "im2col",
    says="The columns come position by position, and only then picture by picture: (i, j, n) in place of "
    "(n, i, j).",
    hint="Which column is the second window of the first picture, and which one do you give it?",
)
def pictures_last(x, kernel_size, stride, padding):
    return _cut(x, kernel_size, stride, padding, "cklijn")


@misconception(
    "im2col",
    says="Each window lies on its side: its rows and columns have changed places.",
    hint="Write out one window of 2×3 numbers, row by row. What is the second number?",
)
def windows_on_their_side(x, kernel_size, stride, padding):
    return _cut(x, kernel_size, stride, padding, "clknij")


@misconception(
    "im2col",
    says="You go through the windows column by column: the second column of the matrix is the window below "
    "the first, and should be the one to its right.",
    hint="Column (n·OH + i)·OW + j: when this number grows by one, which of i and j grows?",
)
def down_the_columns(x, kernel_size, stride, padding):
    return _cut(x, kernel_size, stride, padding, "cklnji")


@misconception(
    "im2col",
    says="Each window is a row of your matrix, and should be a column.",
    hint="Which of the axes come first when the windows lie side by side?",
)
def a_row_for_each(x, kernel_size, stride, padding):
    return _cut(x, kernel_size, stride, padding).T


@misconception(
    "im2col",
    says="You reshape in Fortran order, where the first index counts fastest.",
    hint="Take `order` out. For which order of the axes did you put it in?",
)
def fortran_matrix(x, kernel_size, stride, padding):
    return _cut(x, kernel_size, stride, padding, order="F")


@misconception(
    "im2col",
    says="Each picture has a matrix of its own: there are three axes, and should be two.",
    hint="One product should do the whole batch. Whose windows are its columns?",
)
def a_matrix_for_each_picture(x, kernel_size, stride, padding):
    columns = _cut(x, kernel_size, stride, padding, "ncklij")
    return columns.reshape(len(x), x.shape[1] * np.prod(kernel_size), -1)


@misconception(
    "im2col",
    says="The windows are right, and are still the view with its six axes.",
    hint="What is missing is the step at which NumPy has to copy.",
)
def still_a_view(x, kernel_size, stride, padding):
    windows = _all_windows(_padded(x, padding, padding), kernel_size)[:, :, ::stride, ::stride]
    return windows.transpose(1, 4, 5, 0, 2, 3)


@misconception(
    "im2col",
    says="Each channel of a window has a column of its own. A window reads all channels, so they belong in one.",
    hint="How many numbers does one output of the convolution sum up?",
)
def a_column_for_each_channel(x, kernel_size, stride, padding):
    windows = _all_windows(_padded(x, padding, padding), kernel_size)[:, :, ::stride, ::stride]
    return windows.transpose(4, 5, 0, 1, 2, 3).reshape(np.prod(kernel_size), -1)


@misconception(
    "im2col",
    says="You leave the stride out: your matrix has the windows of a stride of 1.",
    hint="`sliding_window_view` knows no stride; it gives every window. Which of them do you want?",
)
def every_window(x, kernel_size, stride, padding):
    return _matrix(_all_windows(_padded(x, padding, padding), kernel_size))


@misconception(
    "im2col",
    says="The stride counts along one axis of the map only.",
    hint="How many windows are there to the right, and how many down?",
)
def stride_down_only(x, kernel_size, stride, padding):
    return _matrix(_all_windows(_padded(x, padding, padding), kernel_size)[:, :, ::stride])


@misconception(
    "im2col",
    says="You apply the stride to the pixels, before there are windows: each window reads every other pixel "
    "of a smaller map. The stride is the way from one window to the next; inside, windows leave nothing out.",
    hint="Which of the view's axes count windows, and which ones count pixels within a window?",
)
def stride_over_the_pixels(x, kernel_size, stride, padding):
    x_padded = _padded(x, padding, padding)
    windows = _all_windows(x_padded, kernel_size)
    OH, OW = windows[:, :, ::stride, ::stride].shape[2:4]
    KH, KW = kernel_size
    room = ((0, 0), (0, 0), (0, stride * KH), (0, stride * KW))
    fewer = np.pad(x_padded, room)[:, :, ::stride, ::stride]
    return _matrix(_all_windows(fewer, kernel_size)[:, :, :OH, :OW])


@misconception(
    "im2col",
    says="You leave the padding out.",
    hint="The windows also move over the zeros around each map. Who puts them there?",
)
def no_padding(x, kernel_size, stride, padding):
    return _cut(x, kernel_size, stride, 0)


@misconception(
    "im2col",
    says="The zeros stand on two sides of the map only, above and to the left.",
    hint="How many numbers does np.pad want for each axis?",
)
def padding_before_only(x, kernel_size, stride, padding):
    windows = _all_windows(_padded(x, padding, 0), kernel_size)
    return _matrix(windows[:, :, ::stride, ::stride])


# ---------------------------------------------------------------------------- col2im


def _sizes(shape, kernel_size, stride, padding):
    return [
        (size + 2 * padding - k) // stride + 1
        for size, k in zip(shape[2:], kernel_size, strict=True)
    ]


def _windows(columns, shape, kernel_size, stride, padding, axes=RIGHT_ORDER, order="C"):
    """The matrix as windows (N, C, OH, OW, KH, KW), if its axes are read in this order."""
    lengths = (*shape[:2], *_sizes(shape, kernel_size, stride, padding), *kernel_size)
    sizes = dict(zip("ncijkl", lengths, strict=True))
    windows = columns.reshape([sizes[axis] for axis in axes], order=order)
    return windows.transpose([axes.index(axis) for axis in "ncijkl"])


def _home(windows, shape, stride, padding):
    """Add each window's numbers to the padded maps that they come from."""
    N, C, H, W = shape
    x_padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), windows.dtype)
    OH, OW, KH, KW = windows.shape[2:]
    for k, m in np.ndindex(KH, KW):
        rows, columns = _reads(k, OH, stride), _reads(m, OW, stride)
        x_padded[:, :, rows, columns] += windows[..., k, m]
    return x_padded


def _reads(k, length, stride):
    return slice(k, k + length * stride, stride)


def _crop(x_padded, shape, padding):
    H, W = shape[2:]
    return x_padded[:, :, padding : padding + H, padding : padding + W]


@misconception(
    "col2im",
    says="Where windows overlap, each number replaces the one before it, and should be added: `=`, or "
    "`+=` with an index array, which writes to each pixel once.",
    hint="A pixel that lies in four windows went into four columns. Each of them sends something back.",
)
def keeps_the_last_position(columns, shape, kernel_size, stride, padding):
    windows = _windows(columns, shape, kernel_size, stride, padding)
    x_padded = np.zeros_like(_home(windows, shape, stride, padding))
    OH, OW, KH, KW = windows.shape[2:]
    for k, m in np.ndindex(KH, KW):
        x_padded[:, :, _reads(k, OH, stride), _reads(m, OW, stride)] = windows[..., k, m]
    return _crop(x_padded, shape, padding)


@misconception(
    "col2im",
    says="Where windows overlap, each window replaces what those before it brought: `=` in place of `+=`, or "
    "`+=` with an index array, which writes to each pixel once.",
    hint="A pixel that lies in four windows went into four columns. Each of them sends something back.",
)
def keeps_the_last_window(columns, shape, kernel_size, stride, padding):
    windows = _windows(columns, shape, kernel_size, stride, padding)
    x_padded = np.zeros_like(_home(windows, shape, stride, padding))
    OH, OW, KH, KW = windows.shape[2:]
    for i, j in np.ndindex(OH, OW):
        h, w = i * stride, j * stride
        x_padded[:, :, h : h + KH, w : w + KW] = windows[:, :, i, j]
    return _crop(x_padded, shape, padding)


@misconception(
    "col2im",
    says="You divide each pixel by the number of windows that it lies in. That would undo im2col; "
    "the way back of a gradient adds, and divides by nothing.",
    hint="Nudge one pixel by 1. By how much does the sum of all numbers of the matrix grow?",
)
def averages(columns, shape, kernel_size, stride, padding):
    windows = _windows(columns, shape, kernel_size, stride, padding)
    total = _home(windows, shape, stride, padding)
    count = _home(np.ones_like(windows), shape, stride, padding)
    return _crop(total / np.maximum(count, 1), shape, padding)


@misconception(
    "col2im",
    says="What you return still has the padding around it.",
    hint="Which part of the padded maps is x?",
)
def not_cropped(columns, shape, kernel_size, stride, padding):
    return _home(_windows(columns, shape, kernel_size, stride, padding), shape, stride, padding)


@misconception(
    "col2im",
    says="The padding is cut off by `[p:-p]`, which leaves nothing where p is 0.",
    hint="What is -0, and what does a slice up to there hold?",
)
def crops_up_to_minus_p(columns, shape, kernel_size, stride, padding):
    x_padded = _home(_windows(columns, shape, kernel_size, stride, padding), shape, stride, padding)
    return x_padded[:, :, padding:-padding, padding:-padding]


@misconception(
    "col2im",
    says="The padding is cut off below and to the right only, so everything is moved.",
    hint="On how many sides of a map are there zeros? At which row of the padded map does x begin?",
)
def crops_from_the_corner(columns, shape, kernel_size, stride, padding):
    x_padded = _home(_windows(columns, shape, kernel_size, stride, padding), shape, stride, padding)
    return x_padded[:, :, : shape[2], : shape[3]]


@misconception(
    "col2im",
    says="You bring the windows back as if the stride were 1: they come to lie too close together.",
    hint="At which row of the padded map does the window in row i of the map begin?",
)
def as_if_stride_were_one(columns, shape, kernel_size, stride, padding):
    windows = _windows(columns, shape, kernel_size, stride, padding)
    return _crop(
        _home(windows, shape, 1, padding + shape[2] + shape[3])[
            :, :, : shape[2] + 2 * padding, : shape[3] + 2 * padding
        ],
        shape,
        padding,
    )


def _read_as(axes, says, hint, order="C"):
    """The mistake of reading the matrix's axes in another order."""

    @misconception("col2im", says=says, hint=hint)
    def read_otherwise(columns, shape, kernel_size, stride, padding):
        windows = _windows(columns, shape, kernel_size, stride, padding, axes, order)
        return _crop(_home(windows, shape, stride, padding), shape, padding)

    return read_otherwise


reads_maps_first = _read_as(
    "ncijkl",
    "You reshape the matrix into N, C, OH, OW, KH, KW at once. Its rows count c, k, l and its columns "
    "n, i, j, so that is the order in which its axes come apart.",
    "First undo the last step of im2col, its reshape; then the one before it, the transpose.",
)
reads_channels_last = _read_as(
    "klcnij",
    "You read each column as (k, l, c), and it holds (c, k, l).",
    "In which order did im2col write the numbers of one window?",
)
reads_pictures_last = _read_as(
    "cklijn",
    "You read the columns as (i, j, n), and they come picture by picture: (n, i, j).",
    "In which order did im2col write its columns?",
)
reads_windows_on_their_side = _read_as(
    "clknij",
    "You read each window lying on its side: its rows and columns have changed places.",
    "A column of the matrix holds a window row by row. Which of k and l grows first?",
)
reads_down_the_columns = _read_as(
    "cklnji",
    "You go through the windows column by column. The matrix has them row by row.",
    "Column (n·OH + i)·OW + j: when this number grows by one, which of i and j grows?",
)
reads_rows = _read_as(
    "nijckl",
    "You read the matrix as if each window were a row. It is a column.",
    "Which of the matrix's two lengths is C·KH·KW?",
)
reads_fortran = _read_as(
    RIGHT_ORDER,
    "You reshape in Fortran order, where the first index counts fastest.",
    "Take `order` out. For which order of the axes did you put it in?",
    order="F",
)


@misconception(
    "col2im",
    says="You turn each window round before you add it. The flip belongs to the other way of working out "
    "dx, where one goes from pixel to pixel.",
    hint="Number 0 of a column was copied from the upper left corner of its window. Where do you bring it?",
)
def turned_round(columns, shape, kernel_size, stride, padding):
    windows = _windows(columns, shape, kernel_size, stride, padding)[..., ::-1, ::-1]
    return _crop(_home(windows, shape, stride, padding), shape, padding)


# ---------------------------------------------------------------------------- FastConv2D


class _Steps(FastConv2D):
    """The right layer, each step by itself."""

    def forward(self, x):
        self.columns = self.cut(x)
        KH, KW = self.W.shape[2:]
        self.x_shape = x.shape
        sizes = _sizes(x.shape, (KH, KW), self.stride, self.padding)
        self.y_shape = (len(x), len(self.W), *sizes)
        return self.maps(self.product(self.columns, self.W.astype(x.dtype), self.b.astype(x.dtype)))

    def backward(self, dy):
        rows = self.rows(dy)
        self.dW = self.weights(rows)
        self.db = self.biases(rows, dy)
        return self.home(self.shares(rows, self.W.astype(dy.dtype)))

    def cut(self, x):
        return im2col(x, self.W.shape[2:], self.stride, self.padding)

    def product(self, columns, W, b):
        return W.reshape(len(W), -1) @ columns + b[:, None]

    def maps(self, rows):
        N, F, OH, OW = self.y_shape
        return rows.reshape(F, N, OH, OW).swapaxes(0, 1)

    def rows(self, dy):
        return dy.swapaxes(0, 1).reshape(dy.shape[1], -1)

    def weights(self, rows):
        return (rows @ self.columns.T).reshape(self.W.shape)

    def biases(self, rows, dy):
        return rows.sum(axis=1)

    def shares(self, rows, W):
        return W.reshape(len(W), -1).T @ rows

    def home(self, columns):
        return col2im(columns, self.x_shape, self.W.shape[2:], self.stride, self.padding)


@misconception(
    "fast_conv_forward",
    says="You reshape the product into N, F, OH, OW at once, so numbers of different filters land on one map.",
    hint="The product has a row for each filter and a column for each window. Which axes do its columns count?",
)
class MapsAtOnce(_Steps):
    def maps(self, rows):
        return rows.reshape(self.y_shape)


@misconception(
    "fast_conv_forward",
    says="The filters are the first axis of what you return: (F, N, OH, OW) in place of (N, F, OH, OW).",
    hint="The numbers are right. Which two axes have to change places?",
)
class FiltersFirst(_Steps):
    def maps(self, rows):
        N, F, OH, OW = self.y_shape
        return rows.reshape(F, N, OH, OW)


@misconception(
    "fast_conv_forward",
    says="You transpose the product before you reshape it, so its axes are N, OH, OW, F, and you read them as "
    "N, F, OH, OW.",
    hint="Left as it is, the product's axes are F, N, OH, OW. Which of them has to come first?",
)
class TransposedAndReshaped(_Steps):
    def maps(self, rows):
        return rows.T.reshape(self.y_shape)


@misconception(
    "fast_conv_forward",
    says="The filters are the last axis of what you return: (N, OH, OW, F) in place of (N, F, OH, OW).",
    hint="The numbers are right. Which axis has to move?",
)
class FiltersLast(_Steps):
    def maps(self, rows):
        N, F, OH, OW = self.y_shape
        return rows.T.reshape(N, OH, OW, F)


@misconception(
    "fast_conv_forward",
    says="What you return is the product as it is, a column for each window.",
    hint="The next layer wants maps. Which shape has y?",
)
class StillAMatrix(_Steps):
    def maps(self, rows):
        return rows


@misconception(
    "fast_conv_forward",
    says="You reshape W to (C·KH·KW, F) and transpose that, which cuts the kernels in pieces. A reshape is no "
    "transpose.",
    hint="W begins with F. What does a row of W.reshape(F, -1) hold, and what does a column of yours?",
)
class CutsTheKernels(_Steps):
    def product(self, columns, W, b):
        return W.reshape(-1, len(W)).T @ columns + b[:, None]


@misconception(
    "fast_conv_forward",
    says="The bias is missing.",
    hint="One number for each filter, and a row of the product for each filter.",
)
class ForgetsTheBias(_Steps):
    def product(self, columns, W, b):
        return W.reshape(len(W), -1) @ columns


@misconception(
    "fast_conv_forward",
    says="Before the product, the bias is added to every number of the columns, or to every weight; so it counts "
    "as often as a window has numbers, each time multiplied.",
    hint="To which array does one bias for each filter belong: to what goes into the product, or to what comes out?",
)
class BiasBeforeTheProduct(_Steps):
    def product(self, columns, W, b):
        return (W.reshape(len(W), -1) + b[:, None]) @ columns


@misconception(
    "fast_conv_dW",
    "fast_conv_db",
    "fast_conv_dx",
    says="You reshape dy to (F, N·OH·OW) without moving its filters to the front first. So a row of it holds "
    "numbers of several filters.",
    hint="Forward went from the product to maps in two steps. Undo both of them, the last one first.",
)
class RowsAtOnce(_Steps):
    def rows(self, dy):
        return dy.reshape(dy.shape[1], -1)


@misconception(
    "fast_conv_dW",
    "fast_conv_db",
    "fast_conv_dx",
    says="You move the filters of dy to the end, and then reshape it to (F, N·OH·OW), for which they would have to "
    "be in front.",
    hint="Which axis counts the rows of that matrix? It has to come first.",
)
class FiltersToTheEnd(_Steps):
    def rows(self, dy):
        return dy.transpose(0, 2, 3, 1).reshape(dy.shape[1], -1)


@misconception(
    "fast_conv_dW",
    "fast_conv_dx",
    says="You turn each map of dy on its side, so its columns go through the windows from top to bottom, and those "
    "of im2col go from left to right.",
    hint="Only the filters have to move to the front. Which order do the other axes keep?",
)
class RowsOnTheirSide(_Steps):
    def rows(self, dy):
        return dy.transpose(1, 0, 3, 2).reshape(dy.shape[1], -1)


@misconception(
    "fast_conv_dW",
    "fast_conv_dx",
    says="You bring the columns of dy into the order (i, j, n), and those of im2col are in the order (n, i, j).",
    hint="Only the filters have to move to the front. Which order do the other axes keep?",
)
class PicturesLast(_Steps):
    def rows(self, dy):
        return dy.transpose(1, 2, 3, 0).reshape(dy.shape[1], -1)


@misconception(
    "fast_conv_dW",
    says="Your product has a column for each filter, and you reshape it to (F, C, KH, KW) as if it had a row "
    "for each.",
    hint="Which factor has to come first, so that F is the first axis of the product?",
)
class WeightsOnTheirSide(_Steps):
    def weights(self, rows):
        return (self.columns @ rows.T).reshape(self.W.shape)


@misconception(
    "fast_conv_dW",
    says="The numbers of dW are right, and lie in a matrix of F rows. It has to have W's shape.",
    hint="Forward made a matrix of W. Undo that.",
)
class WeightsStillFlat(_Steps):
    def weights(self, rows):
        return rows @ self.columns.T


@misconception(
    "fast_conv_dW",
    says="You divide dW by the number of pictures. The loss has done that already.",
    hint="What does each window of each picture send to the weight? Add it up, and no more.",
)
class AveragesWeights(_Steps):
    def weights(self, rows):
        return super().weights(rows) / self.x_shape[0]


@misconception(
    "fast_conv_dW",
    says="You divide dW by the number of windows: a mean in place of a sum.",
    hint="The product sums over the windows. Is there anything left to divide by?",
)
class AveragesOverWindows(_Steps):
    def weights(self, rows):
        return super().weights(rows) / rows.shape[1]


@misconception(
    "fast_conv_dW",
    says="dW grows from one backward to the next. It is set anew each time.",
    hint="Where does your sum begin?",
)
class PilesUp(_Steps):
    dW = 0.0

    def weights(self, rows):
        return self.dW + super().weights(rows)


@misconception(
    "fast_conv_db",
    says="db is a mean over the windows, and should be their sum.",
    hint="By how much does the loss grow, if b[f] grows by 1 and so each number of map f?",
)
class AveragesBiases(_Steps):
    def biases(self, rows, dy):
        return rows.mean(axis=1)


@misconception(
    "fast_conv_db",
    says="db is divided by the number of pictures. The loss has done that already.",
    hint="By how much does the loss grow, if b[f] grows by 1 and so each number of map f?",
)
class BiasesPerPicture(_Steps):
    def biases(self, rows, dy):
        return rows.sum(axis=1) / len(dy)


@misconception(
    "fast_conv_db",
    says="You sum along the filters, and get a number for each window.",
    hint="b has a number for each filter. Which axis of the matrix has to stay?",
)
class BiasForEachWindow(_Steps):
    def biases(self, rows, dy):
        return rows.sum(axis=0)


@misconception(
    "fast_conv_dx",
    says="You reshape W to (C·KH·KW, F), which cuts the kernels in pieces. A reshape is no transpose.",
    hint="W begins with F. What does a row of W.reshape(F, -1) hold?",
)
class SharesOfCutKernels(_Steps):
    def shares(self, rows, W):
        return W.reshape(-1, len(W)) @ rows


@misconception(
    "fast_conv_dx",
    says="Where windows overlap, one share of a pixel replaces another: your col2im undoes im2col, "
    "and what is wanted is its adjoint, which adds.",
    hint="Does check.col2im pass? A pixel that lies in four windows has four shares.",
)
class InvertsIm2col(_Steps):
    def home(self, columns):
        setting = self.x_shape, self.W.shape[2:], self.stride, self.padding
        return keeps_the_last_position(columns, *setting)


@misconception(
    "fast_conv_dx",
    says="What you return still has the padding around it.",
    hint="Which part of the padded maps is x?",
)
class HomeWithPadding(_Steps):
    def home(self, columns):
        setting = self.x_shape, self.W.shape[2:], self.stride, self.padding
        return not_cropped(columns, *setting)


@misconception(
    "fast_conv_forward",
    says="You keep an array from one batch to the next to save its making, and old numbers are still in it.",
    hint="Give it two pictures of different sizes, the larger one first.",
)
class KeepsItsPaddedPicture(_Steps):
    """It makes its padded array once, as large as it was ever needed, and writes x into its corner."""

    kept = np.zeros((0, 0, 0, 0))

    def cut(self, x):
        (N, C, H, W), p = x.shape, self.padding
        needed = (N, C, H + 2 * p, W + 2 * p)
        if any(np.greater(needed, self.kept.shape)):
            self.kept = np.zeros(np.maximum(needed, self.kept.shape), x.dtype)
        x_padded = self.kept[:N, :C, : H + 2 * p, : W + 2 * p]
        x_padded[:, :, p : p + H, p : p + W] = x
        return im2col(x_padded, self.W.shape[2:], self.stride)


# ---------------------------------------------------------------------------- loops


def _pixel_by_pixel(x):
    for _ in np.ndindex(x.shape[2:]):
        pass


@misconception(
    "fast_conv_loops",
    says="Your forward goes through Python once for each pixel, there or in what it calls, such as im2col.",
    hint="Look for a `for` whose turns become more as the maps grow; a list in one line with a `for` in it "
    "counts as well.",
)
class LoopsForward(FastConv2D):
    def forward(self, x):
        _pixel_by_pixel(x)
        return super().forward(x)


@misconception(
    "fast_conv_loops",
    says="Your backward goes through Python once for each pixel, there or in what it calls, such as col2im.",
    hint="Go through the places (k, l) within a window: there are as many as a kernel has weights, however large "
    "the maps.",
)
class LoopsBackward(FastConv2D):
    def backward(self, dy):
        _pixel_by_pixel(dy)
        return super().backward(dy)


@misconception(
    "fast_conv_loops",
    says="Both ways go through Python once for each pixel, there or in what they call: im2col, col2im.",
    hint="Look for a `for` whose turns become more as the maps grow.",
)
class LoopsBothWays(LoopsForward, LoopsBackward):
    pass


# ---------------------------------------------------------------------------- FastMaxPool2D


class _PoolSteps(FastMaxPool2D):
    """The right pool, each step by itself."""

    def forward(self, x):
        self.x_shape = x.shape
        k, s = self.kernel_size, self.stride[0]
        OH, OW = _sizes(x.shape, k, s, 0)
        self.columns = im2col(self.split(x), k, s)
        return self.largest(self.columns).reshape(*x.shape[:2], OH, OW)

    def backward(self, dy):
        return self.home(self.spread(dy.reshape(-1)))

    def split(self, x):
        N, C, H, W = x.shape
        return x.reshape(N * C, 1, H, W)

    def largest(self, columns):
        return columns.max(axis=0)

    def spread(self, dy):
        columns = np.zeros(self.columns.shape, dy.dtype)
        columns[self.columns.argmax(axis=0), np.arange(len(dy))] = dy
        return columns

    def home(self, columns):
        N, C, H, W = self.x_shape
        shape = N * C, 1, H, W
        return col2im(columns, shape, self.kernel_size, self.stride[0]).reshape(self.x_shape)


@misconception(
    "fast_pool_forward",
    says="You take the mean of each column, and should take its largest number.",
    hint="Which pool are you writing?",
)
class MeanOfTheColumn(_PoolSteps):
    def largest(self, columns):
        return columns.mean(axis=0).astype(columns.dtype)


@misconception(
    "fast_pool_forward",
    says="You exchange N and C where you make one picture of each channel: the axes are moved, and the maps "
    "come out in another order.",
    hint="(N, C) becomes N·C by a reshape alone. Did anything move before it, or does it not move back?",
)
class ChannelsFirst(_PoolSteps):
    def split(self, x):
        N, C, H, W = x.shape
        return x.swapaxes(0, 1).reshape(N * C, 1, H, W)


@misconception(
    "fast_pool_backward",
    says="Where several pixels of a window are equally large, each of them gets all of the gradient.",
    hint="How many winners should a column have? What does `==` find, and what does `argmax`?",
)
class EveryTie(_PoolSteps):
    def spread(self, dy):
        winners = self.columns == self.columns.max(axis=0)
        return winners * dy


@misconception(
    "fast_pool_backward",
    says="All pixels of a window get its gradient, not only the one that won.",
    hint="Nudge a pixel that is not the largest. Does y move?",
)
class ToTheWholeWindow(_PoolSteps):
    def spread(self, dy):
        return np.repeat(dy[None], len(self.columns), axis=0)


@misconception(
    "fast_pool_backward",
    says="The winner gets its own value times the gradient. Its slope is 1, whatever its value.",
    hint="Nudge the largest pixel by 1. By how much does y grow?",
)
class TimesItsValue(_PoolSteps):
    def spread(self, dy):
        return super().spread(dy * self.columns.max(axis=0))


@misconception(
    "fast_pool_backward",
    says="Where windows overlap and a pixel wins several of them, it gets one gradient only, "
    "and should get their sum.",
    hint="Does check.col2im pass? Your pool's way back is the same one.",
)
class OneWinOnly(_PoolSteps):
    def home(self, columns):
        N, C, H, W = self.x_shape
        setting = (N * C, 1, H, W), self.kernel_size, self.stride[0], 0
        return keeps_the_last_position(columns, *setting).reshape(self.x_shape)


@misconception(
    "fast_pool_loops",
    says="Your forward goes through Python once for each pixel, there or in what it calls.",
    hint="Look for a `for` whose turns become more as the maps grow.",
)
class PoolLoopsForward(FastMaxPool2D):
    def forward(self, x):
        _pixel_by_pixel(x)
        return super().forward(x)


@misconception(
    "fast_pool_loops",
    says="Your backward goes through Python once for each pixel, there or in what it calls.",
    hint="Rows and columns of a matrix can be picked by two arrays at once: a[rows, columns] = values.",
)
class PoolLoopsBackward(FastMaxPool2D):
    def backward(self, dy):
        _pixel_by_pixel(dy)
        return super().backward(dy)


@misconception(
    "fast_pool_loops",
    says="Both ways go through Python once for each pixel, there or in what they call.",
    hint="Look for a `for` whose turns become more as the maps grow.",
)
class PoolLoopsBothWays(PoolLoopsForward, PoolLoopsBackward):
    pass
