"""What goes wrong on the way to a fast convolution: windows in columns, their way back, one product."""

# fmt: off

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnlib.columns import FastConv2D, FastMaxPool2D, col2im, im2col
from cnnlib.misconceptions import structure, windows
from cnnlib.misconceptions.changes import Formula, explained_too, find, mistakes, slip
from cnnlib.misconceptions.structure import after

# ---------------------------------------------------------------------------- im2col

ORDER = "cklnij"
"""Of the windows' axes in the matrix: the first three count its rows, the others its columns."""


class _Im2col(Formula):
    def __call__(self, x, kernel_size, stride, padding):
        x_padded = np.pad(self.pictures(x), ((0, 0), (0, 0), *self.sides(padding)))
        windows = sliding_window_view(self.thinned(x_padded, stride), kernel_size, axis=(2, 3))
        return self.matrix(self.chosen(windows, stride))

    def sides(self, p): return (p, p), (p, p)
    def pictures(self, x): return x
    def thinned(self, x_padded, stride): return x_padded
    def chosen(self, windows, stride): return windows[:, :, ::stride, ::stride]

    axes, order = ORDER, "C"

    def matrix(self, windows):
        moved = windows.transpose(["ncijkl".index(axis) for axis in self.axes])
        N, C, OH, OW, KH, KW = windows.shape
        return moved.reshape(self.lengths(C * KH * KW, N * OH * OW), order=self.order)

    def lengths(self, K, M): return K, M


def _thinned(self, x_padded, stride):
    """Every other pixel, with room behind, so that there are as many windows as there should be."""
    room = (stride - 1) * np.array(x_padded.shape[2:])
    return np.pad(x_padded, ((0, 0), (0, 0), (0, room[0]), (0, room[1])))[:, :, ::stride, ::stride]


_WHERE = "Which of the view's axes count windows, and which ones count pixels within a window?"

mistakes(__name__, {"im2col": _Im2col},
    reshapes_without_moving=slip("You reshape the windows as they lie, without moving an axis first: numbers of different windows end up in one column.",
        "The view has the axes N, C, OH, OW, KH, KW. Which three of them count the rows of the matrix, and are they the first three?", axes="ncijkl"),
    windows_first=slip("You move the axes that count windows to the front, and then reshape to (C·KH·KW, N·OH·OW), for which they would have to come last. A reshape is no transpose.",
        "Which three axes count the rows of the matrix? They have to come first.", axes="nijckl"),
    channels_last=slip("In each column the channel counts fastest: (k, l, c) in place of (c, k, l). Then a column no longer fits the kernel that it is multiplied by.",
        "In which order does W.reshape(F, -1) lay out the numbers of one kernel?", axes="klcnij"),
    pictures_last=slip("The columns come position by position, and only then picture by picture: (i, j, n) in place of (n, i, j).",
        "Which column is the second window of the first picture, and which one do you give it?", axes="cklijn"),
    pictures_before_places=slip("The pictures count the rows of your matrix, right after or before the channels, as they do in x. They belong to the columns.",
        "Write the six axes in the order in which your matrix holds them. Where does N stand?", axes="ncklij"),
    channels_for_pictures=slip("You reshape (N, C, …) to (C, N, …), where the two axes have to change places. A reshape moves no number.",
        "With 2 pictures of 3 channels, which map is number 1 of a reshape to (3, 2, …): the second channel of picture 0, or picture 1?", pictures=lambda self, x: windows.unmoved(x)),
    windows_on_their_side=slip("Each window lies on its side: its rows and columns have changed places.",
        "Write out one window of 2×3 numbers, row by row. What is the second number?", axes="clknij"),
    down_the_columns=slip("You go through the windows from top to bottom: the second column of the matrix is the window below the first, and should be the one to its right.",
        "Column (n·OH + i)·OW + j: when this number grows by one, which of i and j grows?", axes="cklnji"),
    a_row_for_each=slip("Each window is a row of your matrix, and should be a column.",
        "Which of the axes come first when the windows lie side by side?", axes="nijckl", lengths=lambda self, K, M: (M, K)),
    fortran_columns=slip("You reshape in Fortran order, where the first index counts fastest.",
        "Take `order` out. For which order of the axes did you put it in?", order="F"),
    a_matrix_for_each_picture=slip("Each picture has a matrix of its own: there are three axes, and should be two.",
        "One product should do the whole batch. Whose windows are its columns?", matrix=lambda self, windows: (_Im2col.matrix(self, windows).reshape(-1, len(windows), windows[0, 0, ..., 0, 0].size).swapaxes(0, 1))),
    still_a_view=slip("The windows are right, and are still the view with its six axes.",
        "What is missing is the step at which NumPy has to copy.", matrix=lambda self, windows: windows.transpose(1, 4, 5, 0, 2, 3)),
    a_column_for_each_channel=slip("Each channel of a window has a column of its own. A window reads all channels, so they belong in one.",
        "How many numbers does one output of the convolution sum up?", matrix=lambda self, windows: windows.transpose(4, 5, 0, 1, 2, 3).reshape(windows[0, 0, 0, 0].size, -1)),
    every_window=slip("You leave the stride out: your matrix has the windows of a stride of 1.",
        "`sliding_window_view` knows no stride; it gives every window. Which of them do you want?", chosen=lambda self, windows, stride: windows),
    stride_down_only=slip("The stride counts down the map, and not to the right.",
        "How many windows are there to the right, and how many down?", chosen=lambda self, windows, stride: windows[:, :, ::stride]),
    stride_to_the_right_only=slip("The stride counts to the right, and not down the map.",
        "How many windows are there to the right, and how many down?", chosen=lambda self, windows, stride: windows[:, :, :, ::stride]),
    windows_without_stride=slip("There are as many windows as the stride asks for, but they begin one pixel apart.",
        "At which row and column does the second window begin, with stride 2?", chosen=lambda self, windows, stride: windows[:, :, *(slice(-(-n // stride)) for n in windows.shape[2:4])]),
    stride_inside_the_window=slip("You apply the stride inside the windows, too: of each one only every other number is left.",
        _WHERE, chosen=lambda self, windows, stride: windows[:, :, ::stride, ::stride, ::stride, ::stride], lengths=lambda self, K, M: (-1, M)),
    stride_over_the_pixels=slip("You apply the stride to the pixels, before there are windows: then each window reads every other pixel. The stride is the way from one window to the next; inside, windows leave nothing out.",
        _WHERE, thinned=_thinned, chosen=lambda self, windows, stride: windows[:, :, *(slice(-(-n // stride)) for n in windows.shape[2:4])]),
    no_padding=slip("You leave the padding out.", "The windows also move over the zeros around each map. Who puts them there?", sides=lambda self, p: ((0, 0), (0, 0))),
    padding_before_only=slip("The zeros stand on two sides of the map only, above and to the left.",
        "How many numbers does np.pad want for each axis?", sides=lambda self, p: ((p, 0), (p, 0))),
    padding_after_only=slip("The zeros stand on two sides of the map only, below and to the right.",
        "How many numbers does np.pad want for each axis?", sides=lambda self, p: ((0, p), (0, p))),
)


# ---------------------------------------------------------------------------- col2im


def _sizes(shape, kernel_size, stride, padding):
    return [(size + 2 * padding - k) // stride + 1 for size, k in zip(shape[2:], kernel_size, strict=True)]


class _Col2im(Formula):
    def __call__(self, matrix, shape, kernel_size, stride, padding):
        windows = self.windows(matrix, shape, kernel_size, stride, padding)
        (N, C, H, W), p = shape, padding
        x_padded = np.zeros((N, C, H + 2 * p, W + 2 * p), matrix.dtype)
        self.home(windows, x_padded, self.step(stride))
        return self.cropped(self.done(x_padded, windows, stride), shape, p)

    axes, order = ORDER, "C"

    def windows(self, matrix, shape, *setting):
        """The matrix as windows (N, C, OH, OW, KH, KW)."""
        lengths = (*shape[:2], *_sizes(shape, *setting), *setting[0])
        lengths = dict(zip("ncijkl", lengths, strict=True))
        windows = matrix.reshape([lengths[axis] for axis in self.axes], order=self.order)
        return windows.transpose([self.axes.index(axis) for axis in "ncijkl"])

    def step(self, stride): return stride

    def home(self, windows, x_padded, stride):
        """Bring the numbers of all windows to their pixels, one place of the windows after the other."""
        OH, OW, KH, KW = windows.shape[2:]
        for k, m in np.ndindex(KH, KW):
            rows, columns = (slice(at, at + n * stride, stride) for at, n in ((k, OH), (m, OW)))
            x_padded[:, :, rows, columns] = self.put(x_padded[:, :, rows, columns], windows[..., k, m])

    def put(self, before, share): return before + share
    def done(self, x_padded, windows, stride): return x_padded

    def cropped(self, x_padded, shape, p):
        H, W = shape[2:]
        return x_padded[:, :, p : p + H, p : p + W]


def _window_by_window(self, windows, x_padded, stride):
    OH, OW, KH, KW = windows.shape[2:]
    for i, j in np.ndindex(OH, OW):
        h, w = i * stride, j * stride
        x_padded[:, :, h : h + KH, w : w + KW] = windows[:, :, i, j]


def _over_the_counts(self, x_padded, windows, stride):
    counts = np.zeros_like(x_padded)
    _Col2im().home(np.ones_like(windows), counts, stride)
    return x_padded / np.maximum(counts, 1)


_FOUR = "A pixel that lies in four windows went into four columns. Each of them sends something back."

mistakes(__name__, {"col2im": _Col2im},
    keeps_the_last_position=slip("Where windows overlap, each number replaces the one before it, and should be added: `=`, or `+=` with an index array, which writes to each pixel once.",
        _FOUR, put=lambda self, before, share: share),
    keeps_the_last_window=slip("Where windows overlap, each window replaces what those before it brought: `=` in place of `+=`, or `+=` with an index array, which writes to each pixel once.",
        _FOUR, home=_window_by_window, put=None),
    averages=slip("You divide each pixel by the number of windows that it lies in. That would undo im2col; the way back of a gradient adds, and divides by nothing.",
        "Nudge one pixel by 1. By how much does the sum of all numbers of the matrix grow?", done=_over_the_counts),
    not_cropped=slip("What you return still has the padding around it.", "Which part of the padded maps is x?", cropped=lambda self, x_padded, shape, p: x_padded),
    crops_up_to_minus_p=slip("The padding is cut off by `[p:-p]`, which leaves nothing where p is 0.",
        "What is -0, and what does a slice up to there hold?", cropped=lambda self, x_padded, shape, p: x_padded[:, :, p:-p, p:-p]),
    crops_from_the_corner=slip("The padding is cut off below and to the right only, so everything is moved.",
        "On how many sides of a map are there zeros? At which row of the padded map does x begin?", cropped=lambda self, x_padded, shape, p: x_padded[:, :, : shape[2], : shape[3]]),
    as_if_stride_were_one=slip("You bring the windows back as if the stride were 1: they come to lie too close together.",
        "At which row of the padded map does the window in row i of the map begin?", step=lambda self, stride: 1),
    reads_maps_first=slip("You reshape the matrix into N, C, OH, OW, KH, KW at once. Its rows count c, k, l and its columns n, i, j, so that is the order in which its axes come apart.",
        "First undo the last step of im2col, its reshape; then the one before it, the transpose.", axes="ncijkl"),
    reads_pictures_first=slip("You reshape the matrix as if pictures counted its rows. They count its columns, before i and j.",
        "First undo the last step of im2col, its reshape; then the one before it, the transpose.", axes="ncklij"),
    reads_channels_last=slip("You read each column as (k, l, c), and it holds (c, k, l).", "In which order did im2col write the numbers of one window?", axes="klcnij"),
    reads_pictures_last=slip("You read the columns as (i, j, n), and they come picture by picture: (n, i, j).",
        "In which order did im2col write its columns?", axes="cklijn"),
    reads_windows_on_their_side=slip("You read each window lying on its side: its rows and columns have changed places.",
        "A column of the matrix holds a window row by row. Which of k and l grows first?", axes="clknij"),
    reads_down_the_columns=slip("You go through the windows from top to bottom. The matrix has them row by row.",
        "Column (n·OH + i)·OW + j: when this number grows by one, which of i and j grows?", axes="cklnji"),
    reads_rows=slip("You read the matrix as if each window were a row. It is a column.", "Which of the matrix's two lengths is C·KH·KW?", axes="nijckl"),
    reads_fortran=slip("You reshape in Fortran order, where the first index counts fastest.",
        "Take `order` out. For which order of the axes did you put it in?", order="F"),
    turned_round=slip("You reverse each window before you add it. The flip belongs to the other way of working out dx, where one goes from pixel to pixel.",
        "Number 0 of a column was copied from the upper left corner of its window. Where do you bring it?", windows=lambda self, *arguments: _Col2im.windows(self, *arguments)[..., ::-1, ::-1]),
)


# ---------------------------------------------------------------------------- FastConv2D


class _Steps(FastConv2D):
    """The right layer, each step by itself."""

    def forward(self, x):
        self.columns, self.x_shape = self.cut(x), x.shape
        sizes = _sizes(x.shape, self.W.shape[2:], self.stride, self.padding)
        self.y_shape = (len(x), len(self.W), *sizes)
        product = self.kernels(self.W.astype(x.dtype)) @ self.columns
        return self.maps(self.biased(product, self.b.astype(x.dtype)[:, None]))

    def backward(self, dy):
        rows = self.rows(dy)
        self.dW = self.weights(rows)
        self.db = self.biases(rows)
        return self.home(self.shares(rows, self.W.astype(dy.dtype)))

    def cut(self, x): return im2col(x, self.W.shape[2:], self.stride, self.padding)
    def kernels(self, W): return W.reshape(len(W), -1)
    def biased(self, product, b): return product + b

    def maps(self, product):
        N, F, OH, OW = self.y_shape
        return product.reshape(F, N, OH, OW).swapaxes(0, 1)

    def heard(self, dy): return dy
    def rows(self, dy): return self.heard(dy).swapaxes(0, 1).reshape(dy.shape[1], -1)
    def weights(self, rows): return (rows @ self.columns.T).reshape(self.W.shape)
    def biases(self, rows): return rows.sum(axis=1)
    def shares(self, rows, W): return W.reshape(len(W), -1).T @ rows

    back = staticmethod(col2im)

    def home(self, columns): return self.back(columns, self.x_shape, self.W.shape[2:], self.stride, self.padding)


def _col2im_that(mistake: str):
    """A step back by a col2im with this mistake."""
    return lambda self, *arguments: find("col2im", mistake)(*arguments)


def _into_the_corner(self, x):
    """Write x into an array that is made once, as large as it was ever needed."""
    (N, C, H, W), p = x.shape, self.padding
    needed = (N, C, H + 2 * p, W + 2 * p)
    if any(np.greater(needed, self.kept.shape)):
        self.kept = np.zeros(np.maximum(needed, self.kept.shape), x.dtype)
    x_padded = self.kept[:N, :C, : H + 2 * p, : W + 2 * p]
    x_padded[:, :, p : p + H, p : p + W] = x
    return im2col(x_padded, self.W.shape[2:], self.stride)


_NO_TRANSPOSE = "You reshape W to (C·KH·KW, F), which cuts the kernels in pieces. A reshape is no transpose."
_KERNEL_ROWS = "W begins with F. What does a row of W.reshape(F, -1) hold, and what does a row of yours?"

mistakes(__name__, {"fast_conv_forward": _Steps},
    **windows.MAPS,
    MapsOnTheirSide=slip("Each map lies on its side: its rows and columns have changed places.",
        "Only F and N have to change places. Which order do the other axes keep?", maps=lambda self, product: _Steps.maps(self, product).swapaxes(2, 3)),
    StillAMatrix=slip("What you return is the product as it is, a column for each window.",
        "The next layer wants maps. What shape is y?", maps=lambda self, product: product),
    CutsTheKernels=slip(_NO_TRANSPOSE, _KERNEL_ROWS, kernels=lambda self, W: W.reshape(-1, len(W)).T),
    FlipsTheKernels=slip("The kernels are flipped, by rows and by columns. The layer slides the kernel as it is.",
        "Which weight meets the pixel in the upper left corner of the window?", kernels=lambda self, W: W[:, :, ::-1, ::-1].reshape(len(W), -1)),
    ForgetsTheBias=slip("The bias is missing.", "One number for each filter, and a row of the product for each filter.", biased=lambda self, product, b: product),
    BiasBeforeTheProduct=slip("Before the product, the bias is added to every weight, so it is multiplied by all numbers of the window.",
        "To which array does one bias for each filter belong: to what goes into the product, or to what comes out?", biased=lambda self, product, b: product + b * self.columns.sum(axis=0)),
    KeepsItsPaddedPicture=slip("You keep an array from one batch to the next to save making a new one, and old numbers are still in it.",
        "Give it two pictures of different sizes, the larger one first.", cut=_into_the_corner, kept=np.zeros((0, 0, 0, 0))),
    ReusesItsMaps=structure.reuses("y"),
    ChangesTheKernels=structure.changes_W("y", "Which of your lines sets self.W, or writes into it? A forward never learns."),
)

_ONLY_F = "Only the filters have to move to the front. Which order do the other axes keep?"

mistakes(__name__, {"fast_conv_dW": _Steps, "fast_conv_db": _Steps, "fast_conv_dx": _Steps}, **windows.ROWS)
mistakes(__name__, {"fast_conv_dW": _Steps, "fast_conv_dx": _Steps},
    RowsOnTheirSide=slip("You turn each map of dy on its side, so its columns go through the windows from top to bottom, and those of im2col go from left to right.",
        _ONLY_F, rows=lambda self, dy: dy.transpose(1, 0, 3, 2).reshape(dy.shape[1], -1)),
    PicturesLast=slip("You bring the columns of dy into the order (i, j, n), and those of im2col are in the order (n, i, j).",
        _ONLY_F, heard=windows.ORDERS["PicturesLastInDy"].changes["heard"]),
)

_DIVIDED = "What does each window of each picture send? Add it up, and no more."

mistakes(__name__, {"fast_conv_dW": _Steps},
    WeightsOnTheirSide=slip("Your product has a column for each filter, and you reshape it to (F, C, KH, KW) as if it had a row for each.",
        "Which factor has to come first, so that F is the first axis of the product?", weights=lambda self, rows: (self.columns @ rows.T).reshape(self.W.shape)),
    WeightsStillFlat=slip("The numbers of dW are right, and lie in a matrix of F rows. It has to have W's shape.",
        "Forward made a matrix of W. Undo that.", weights=lambda self, rows: rows @ self.columns.T),
    WeightsOfOnes=slip("dy plays no part: you add up what the windows hold.",
        "Chain rule: upstream gradient times slope. Which of the two is missing?", heard=lambda self, dy: np.ones_like(dy)),
    AveragesOverWindows=slip("You divide dW by the number of windows: a mean in place of a sum.",
        "The product sums over the windows. Is there anything left to divide by?", after("dW", "division", lambda layer, dW, N: dW / layer.columns.shape[1])),
    DividesWeightsByTheBatch=structure.divided_by_the_batch("dW", _DIVIDED),
    WeightsPileUp=structure.piles_up("dW"),
    KeepsTheFirstColumns=structure.keeps_the_first("The columns of the first batch are kept for ever and used for later ones.", "When does your layer write down the columns that backward needs, and how often?"),
    KeepsWhileTheShapeStays=structure.keeps_while_the_shape_stays(),
    SharesItsColumns=structure.shares_memory("What forward keeps", "FastConv2D"),
    MinusWeights=structure.minus("dW"),
)
mistakes(__name__, {"fast_conv_db": _Steps},
    AveragesBiases=slip("db is a mean over the windows, and should be their sum.",
        "By how much does the loss grow, if b[f] grows by 1 and so each number of map f?", after("db", "division", lambda layer, db, N: db / layer.columns.shape[1])),
    DividesBiasesByTheBatch=structure.divided_by_the_batch("db", _DIVIDED),
    BiasForEachWindow=slip("You sum along the filters, and get a number for each window.",
        "b has a number for each filter. Which axis of the matrix has to stay?", biases=lambda self, rows: rows.sum(axis=0)),
    BiasesAsAColumn=slip("db is a column, (F, 1), and b is a row of numbers, (F,).",
        "A gradient has the shape of what it is the gradient of.", biases=lambda self, rows: rows.sum(axis=1, keepdims=True)),
    OneBiasGradient=slip("You sum over the filters, too: one number for all biases.",
        "b[f] went into map f and into no other. Which axis must stay?", biases=lambda self, rows: rows.sum()),
    BiasesPileUp=structure.piles_up("db"),
    MinusBiases=structure.minus("db"),
)
mistakes(__name__, {"fast_conv_dx": _Steps},
    SharesOfCutKernels=slip(_NO_TRANSPOSE, _KERNEL_ROWS, shares=lambda self, rows, W: W.reshape(-1, len(W)) @ rows),
    InvertsIm2col=slip("Where windows overlap, one share of a pixel replaces another: your col2im undoes im2col, and what is wanted is its adjoint, which adds.",
        "Does check.col2im pass? A pixel that lies in four windows has four shares.", back=_col2im_that("keeps_the_last_position")),
    HomeWithPadding=slip("What you return still has the padding around it.", "Which part of the padded maps is x?", back=_col2im_that("not_cropped")),
    HomeWithoutFlip=slip("The kernels are flipped, by rows and by columns. The flip belongs to the way from pixel to pixel; here each number of dy goes back through the weight that it came through.",
        "Which weight did the upper left pixel of a window meet on the way forward?", shares=lambda self, rows, W: _Steps.shares(self, rows, W[:, :, ::-1, ::-1])),
    DividesDxByTheBatch=structure.divided_by_the_batch("dx", _DIVIDED),
    SendsNothing=structure.cuts_the_graph("Which of the three products is dx made of?"),
    ReturnsNothing=structure.not_returned("What does the layer before this one need?"),
    MinusDx=structure.minus("dx"),
    ReusesItsDx=structure.reuses("dx"),
    ChangesTheKernelsBack=structure.changes_W("dx", "Which of your lines sets self.W, or writes into it?"),
    StepsByItself=structure.walks_itself("Which of your lines sets self.W or self.b?", "W", "b"),
)


# ---------------------------------------------------------------------------- FastMaxPool2D


class _PoolSteps(FastMaxPool2D):
    """The right pool, each step by itself."""

    def forward(self, x):
        self.x_shape, k, s = x.shape, self.kernel_size, self.stride[0]
        self.columns = im2col(self.split(x), k, s)
        return self.largest(self.columns).reshape(*x.shape[:2], *_sizes(x.shape, k, s, 0))

    def backward(self, dy):
        N, C, H, W = self.x_shape
        setting = (N * C, 1, H, W), self.kernel_size, self.stride[0], 0
        return self.back(self.spread(self.heard(dy).reshape(-1)), *setting).reshape(self.x_shape)

    def split(self, x):
        N, C, H, W = x.shape
        return x.reshape(N * C, 1, H, W)

    def largest(self, columns): return columns.max(axis=0)
    def heard(self, dy): return dy

    def spread(self, dy):
        columns = np.zeros(self.columns.shape, dy.dtype)
        columns[self.columns.argmax(axis=0), np.arange(len(dy))] = dy
        return columns

    back = staticmethod(col2im)


def _into_whole_rows(self, dy):
    columns = np.zeros(self.columns.shape, dy.dtype)
    columns[self.columns.argmax(axis=0), :] = dy
    return columns


def _places_for_channels(self, x):
    (N, C), K = x.shape[:2], np.prod(self.kernel_size)
    columns = im2col(x, self.kernel_size, self.stride[0]).reshape(K, C, -1)
    sizes = _sizes(x.shape, self.kernel_size, self.stride[0], 0)
    return columns.max(axis=0).reshape(C, N, *sizes).swapaxes(0, 1)


def _channels_first(self, x):
    N, C, H, W = x.shape
    return x.swapaxes(0, 1).reshape(N * C, 1, H, W)


mistakes(__name__, {"fast_pool_forward": _PoolSteps},
    MeanOfTheColumn=slip("You take the mean of each column, and should take its largest number.",
        "Which pool are you writing?", largest=lambda self, columns: columns.mean(axis=0)),
    ChannelsFirst=slip("Pictures and channels change places: numbers in the order (C, N) are taken for (N, C), and the maps come out in another order.",
        "A reshape moves no number. Which axis comes first in what you reshape, and which in what you make of it?", split=_channels_first),
    PlacesForChannels=slip("You reshape the rows of the matrix to (KH·KW, C), and they count (C, KH·KW): numbers of different channels meet in one maximum.",
        "Row (c·KH + k)·KW + l of the matrix: which of the three counts slowest?", forward=_places_for_channels, split=None, largest=None),
)
mistakes(__name__, {"fast_pool_backward": _PoolSteps},
    EveryTie=slip("Where several pixels of a window are equally large, each of them gets all of the gradient.",
        "How many winners should a column have? What does `==` find, and what does `argmax`?", spread=lambda self, dy: (self.columns == self.columns.max(axis=0)) * dy),
    ToTheWholeWindow=slip("All pixels of a window get its gradient, not only the one that won.",
        "Nudge a pixel that is not the largest. Does y move?", spread=lambda self, dy: np.repeat(dy[None], len(self.columns), axis=0)),
    ToEveryPlaceThatWins=slip("Each place of the window at which any window has its winner gets the gradients of all windows: the `:` takes every column of that row.",
        "Window m has its winner in row r of column m. How do you pick one row for each column?", spread=_into_whole_rows),
    TimesItsValue=slip("The winner gets its own value times the gradient. Its slope is 1, whatever its value.",
        "Nudge the largest pixel by 1. By how much does y grow?", heard=lambda self, dy: dy.reshape(-1) * self.columns.max(axis=0)),
    OneForEachWinner=slip("Every winner gets 1, and what dy says is lost.",
        "Chain rule: upstream gradient times slope. Which of the two is missing?", heard=lambda self, dy: np.ones_like(dy)),
    ChannelsOfOthers=slip("You reshape dy from (N, C, …) to (C, N, …) without moving an axis, so a channel gets the gradients of another.",
        "dy has the axes N, C, OH, OW. Which of them comes first in your matrix, and is it the first of dy?", heard=lambda self, dy: windows.unmoved(dy)),
    DividesByTheBatch=structure.divided_by_the_batch("dx", _DIVIDED),
    OneWinOnly=slip("Where windows overlap and a pixel wins several of them, it gets only one gradient, and should get their sum.",
        "Does check.col2im pass? Your pool's way back is the same one.", back=_col2im_that("keeps_the_last_position")),
)


# ---------------------------------------------------------------------------- loops


class _Loops:
    """It can go from pixel to pixel, for nothing, on either way."""

    def forward(self, x):
        self.there(x)
        return super().forward(x)

    def backward(self, dy):
        self.back_again(dy)
        return super().backward(dy)

    def there(self, maps): pass

    back_again = there


class _ConvLoops(_Loops, FastConv2D):
    pass


class _PoolLoops(_Loops, FastMaxPool2D):
    pass


def _from_pixel_to_pixel(self, maps):
    for _ in np.ndindex(maps.shape[2:]):
        pass


_FORWARD = "Your forward goes through Python once for each pixel, there or in what it calls, such as im2col."
_BACKWARD = "Your backward goes through Python once for each pixel, there or in what it calls, such as col2im."
_FOR = "Look for a `for` that goes round more times as the maps grow; a list comprehension counts, too."

mistakes(__name__, {"fast_conv_loops": _ConvLoops},
    LoopsForward=slip(_FORWARD, _FOR, there=_from_pixel_to_pixel),
    LoopsBackward=slip(_BACKWARD,
        "Go through the places (k, l) within a window: they are as many as a kernel has weights, however large the maps.", back_again=_from_pixel_to_pixel),
)
mistakes(__name__, {"fast_pool_loops": _PoolLoops},
    PoolLoopsForward=slip(_FORWARD, _FOR, there=_from_pixel_to_pixel),
    PoolLoopsBackward=slip(_BACKWARD, "Rows and columns of a matrix can be picked by two arrays at once: a[rows, columns] = values.", back_again=_from_pixel_to_pixel),
)

# ---------------------------------------------------------------------------- the same layers without loops

for _result in ("forward", "dW", "db", "dx"):
    explained_too(f"fast_conv_{_result}", f"conv_{_result}")
for _way in ("forward", "backward"):
    explained_too(f"fast_pool_{_way}", f"maxpool_{_way}")
