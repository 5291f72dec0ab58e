"""What goes wrong in a convolution: sizes, padding, forward, and the gradients of W, b and x."""

# fmt: off

import numpy as np

from cnnlib.layers import Conv2D
from cnnlib.misconceptions import structure, windows
from cnnlib.misconceptions.changes import Formula, mistakes, slip
from cnnlib.misconceptions.structure import after


def _padded(x, p): return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))


# ---------------------------------------------------------------------------- output_size


class _OutputSize(Formula):
    def __call__(self, size, kernel_size, stride, padding):
        room = size + self.sides * padding - self.covered(kernel_size)
        return self.steps(room, self.step(kernel_size, stride)) + self.first

    sides, first = 2, 1

    def covered(self, kernel_size): return kernel_size
    def step(self, kernel_size, stride): return stride
    def steps(self, room, stride): return room // stride


mistakes(__name__, {"output_size": _OutputSize},
    steps_not_windows=slip("You count the steps, not the windows: there is one window more than there are steps.",
        "If the kernel just covers the whole axis, how many windows fit? How many do you count?", first=0),
    padding_on_one_side=slip("You count the padding once only.", "How many sides does an axis have?", sides=1),
    padding_not_counted=slip("You leave the padding out.", "The window also moves over the zeros around the picture. How long is the axis with them?", sides=0),
    padding_added_to_the_output=slip("You add the padding to the result, as if every zero gave one more window. With stride 1 that makes no difference.",
        "Make the axis longer first. How many windows, a stride apart, fit into it then?", __call__=lambda self, n, k, s, p: (n - k) // s + 1 + 2 * p),
    rounded_up=slip("You round up, so the last window hangs over the edge.",
        "What becomes of a window for which there are not enough numbers left?", steps=lambda self, room, stride: -(-room // stride)),
    rounded_to_nearest=slip("You round to the nearest number, so sometimes the last window hangs over the edge.",
        "Is a window that fits by two thirds a window?", steps=lambda self, room, stride: round(room / stride)),
    true_division=slip("You divide with `/`, so the number of windows is a float, and not always a whole one.",
        "Which of Python's two divisions gives a whole number?", steps=lambda self, room, stride: room / stride),
    stride_not_counted=slip("You leave the stride out: these are the windows for a stride of 1.",
        "Where does each window begin if the stride is 2? Write the places down.", step=lambda self, kernel_size, stride: 1),
    kernel_not_counted=slip("You leave the kernel's size out.",
        "How far to the right can the window begin, so that its last number is still inside?", covered=lambda self, kernel_size: 0),
    one_added_too_early=slip("You add the 1 before you divide by the stride. With stride 1 that makes no difference.",
        "The first window needs no step. Is the 1 that stands for it shared out among the steps?", first=0, steps=lambda self, room, stride: (room + 1) // stride),
    divided_too_early=slip("You divide by the stride first, and take the kernel off afterwards. With stride 1 that makes no difference.",
        "The stride is the way between two beginnings of a window. Which places can those be?", __call__=lambda self, n, k, s, p: (n + self.sides * p) // s - k + self.first),
    stride_under_the_kernel=slip("You divide the kernel's size alone by the stride: `//` comes before `+` and `-`.",
        "`8 - 6 // 2` is 5, and `(8 - 6) // 2` is 1. Which brackets does your line need?", __call__=lambda self, n, k, s, p: n + self.sides * p - k // s + self.first),
    kernel_size_as_stride=slip("You divide by the kernel's size, as if each window began where the last one ended.",
        "How far is it from the beginning of a window to the beginning of the next?", step=lambda self, kernel_size, stride: kernel_size),
    stops_before_the_last_start=slip("A window that ends just where the axis ends is not counted.",
        "5 numbers, a window of 3 that begins at 2: does it fit?", first=0, steps=lambda self, room, stride: len(range(0, room, stride))),
    stride_and_padding_swapped=slip("Your stride is the exercise's padding, and the other way round.",
        "Compare the order of your parameters with the exercise's.", __call__=lambda self, n, k, s, p: _OutputSize.__call__(self, n, k, p, s)),
    same_padding=slip("You assume that the padding keeps the map as large as it was. Only one padding for each kernel does that.",
        "Do the kernel's size and the padding come into your formula at all?", __call__=lambda self, n, k, s, p: -(-n // s)),
    padding_on_four_sides=slip("The padding is counted four times, twice on each side.", "How long is an axis of 5 with a padding of 1?", sides=4),
)

# ---------------------------------------------------------------------------- pad


class _Pad(Formula):
    def __call__(self, x, padding):
        p = self.width(padding)
        return np.pad(x, self.pairs(p), **self.filling())

    def filling(self): return {}
    def width(self, padding): return padding

    def pairs(self, p):
        """How many zeros before and after, for each axis."""
        return (0, 0), (0, 0), self.rows(p), self.columns(p)

    def rows(self, p): return p, p
    def columns(self, p): return p, p


_SIDES = "How many sides does a map have?"
_BEYOND = "What should the picture look like beyond its edge: like {}, or empty?"

mistakes(__name__, {"pad": _Pad},
    pads_every_axis=slip("You pad all four axes: there are new pictures and new channels, all of zeros.",
        "Which two of the axes N, C, H, W have edges that a window can reach?", pairs=lambda self, p: ((p, p),) * 4),
    pads_after=slip("You pad below and to the right only.", _SIDES, rows=lambda self, p: (0, p), columns=lambda self, p: (0, p)),
    pads_before=slip("You pad above and to the left only.", _SIDES, rows=lambda self, p: (p, 0), columns=lambda self, p: (p, 0)),
    picture_in_the_corner=slip("The result is large enough, but the picture sits in its corner: all zeros lie below and to the right.",
        "At which row and column of the result does x[0, 0, 0, 0] have to stand?", rows=lambda self, p: (0, 2 * p), columns=lambda self, p: (0, 2 * p)),
    picture_in_the_last_corner=slip("The result is large enough, but the picture sits in its last corner: all zeros lie above and to the left.",
        "At which row and column of the result does x[0, 0, 0, 0] have to stand?", rows=lambda self, p: (2 * p, 0), columns=lambda self, p: (2 * p, 0)),
    pads_rows_only=slip("You pad above and below, but not to the left and right.", _SIDES, pairs=lambda self, p: ((0, 0), (0, 0), (p, p), (0, 0))),
    pads_columns_only=slip("You pad to the left and right, but not above and below.", _SIDES, pairs=lambda self, p: ((0, 0), (0, 0), (0, 0), (p, p))),
    pads_twice=slip("Each side gets twice the padding.", "By how many rows does a map grow with padding 1?", width=lambda self, padding: 2 * padding),
    pads_by_one=slip("You pad by 1, whatever the padding.", "Where does `padding` come into your code?", width=lambda self, padding: 1),
    pads_channels_and_rows=slip("You pad the middle axes, as if x were (N, H, W, C): the channels grow, and the columns don't.",
        "Write N, C, H, W below your pairs of numbers.", pairs=lambda self, p: ((0, 0), (p, p), (p, p), (0, 0))),
    pads_with_the_edge=slip("You pad with copies of the edge. The course pads with zeros.", _BEYOND.format("its edge"), filling=lambda self: {"mode": "edge"}),
    pads_with_a_mirror=slip("You pad with a mirror image of the map. The course pads with zeros.",
        _BEYOND.format("itself"), filling=lambda self: {"mode": "symmetric"}),
    pads_with_ones=slip("You pad with ones. To a convolution, one is a value like any other; the course pads with zeros.",
        "Which number adds nothing to a sum of products, whatever the weight?", filling=lambda self: {"constant_values": 1}),
    writes_into_nothing=slip("With padding 0, the part that you write x into is empty: [p:-p] ends at -0, and that is 0.",
        "What is `[1, 2, 3][0:-0]`?", __call__=lambda self, x, padding: _Pad.__call__(self, x, padding)[:, :, : padding * x.size, : padding * x.size]),
    pads_into_float64=slip("You fill an array of zeros that is float64 whatever comes in, so float32 pictures grow twice as large.",
        "The dtype of x is kept. What dtype does the array that you fill have?", __call__=lambda self, x, padding: _Pad.__call__(self, x, padding).astype(float)),
)

# ---------------------------------------------------------------------------- forward


class _Forward(windows.Forward, Conv2D):
    def source(self, x):
        """The padded pictures."""
        return np.pad(x, ((0, 0), (0, 0), *self.sides(self.padding)))

    def sides(self, p): return (p, p), (p, p)

    def summary(self, window):
        total = (window[:, None] * self.weights(np.asarray(self.W, window.dtype))).sum(axis=(2, 3, 4))
        return total + self.bias(np.asarray(self.b, window.dtype))

    def weights(self, W): return W
    def bias(self, b): return b
    def maps(self, x): return len(self.W)


def _without_bias(layer, y): return y - layer.b.reshape(-1, 1, 1)


def _squared(layer, y, N):
    OH, OW = y.shape[2:]
    square = np.zeros((*y.shape[:3], OH), y.dtype)
    square[:, :, :, : min(OH, OW)] = y[:, :, :, :OH]
    return square


def _filters_first(layer, y, N):
    if y.shape[0] != y.shape[1]:
        raise IndexError("index out of bounds")
    return y.swapaxes(0, 1)


def _as_large_as_the_first(layer, y, N):
    OH, OW = vars(layer).setdefault("first_size", y.shape[2:])
    return y[:, :, :OH, :OW]


def _met_by_a_product(W):
    """By how much each pixel counts in all entries of `window @ W`, added up."""
    if W.shape[2] != W.shape[3]:
        raise ValueError("shapes not aligned")
    return np.broadcast_to(W.sum(axis=3)[:, :, None, :], W.shape)


def _ignores(name, value):
    def forward(self, x):
        setattr(self, name, value)
        return _Forward.forward(self, x)

    return forward


_CHANNELS_FOR_FILTERS = "The first two axes of W are taken for each other: W is (F, C, KH, KW), a kernel for each filter and in it a sheet for each channel."
_WHOSE_AXIS = "Write W's four axes below the letters or slices with which you read it. Which of its axes meets the channels of x?"
_SET_BACK = "Inside which of your loops does the sum begin at 0? For how many windows is that?"
_ZEROS = "A window of zeros: which number must come out, and which one does?"
_FROM_THE_END = "The kernel's indices are counted from the end: W[:, :, -u, -v] is the first weight for 0, then the last, and so on backwards."
_STEP = "Where does the window begin that makes y[0, 0, 1, 1]?"

mistakes(__name__, {"conv_forward": _Forward},
    ForgetsTheBias=slip("The bias is left out.", "A window of zeros: which number must come out?", bias=lambda self, b: 0 * b),
    SubtractsTheBias=slip("The bias is subtracted.", "A larger bias has to make its outputs larger.", bias=lambda self, b: -b),
    BiasInEveryProduct=slip("The bias is added to every product, so it counts C·KH·KW times.", _ZEROS, bias=lambda self, b: b * self.W[0].size),
    BiasForEachChannel=slip("The bias is added once for each channel.", _ZEROS, bias=lambda self, b: b * self.W.shape[1]),
    BiasForEachWeight=slip("The bias is added once for each place of the kernel, so it counts KH·KW times.", _ZEROS, bias=lambda self, b: b * self.W[0, 0].size),
    BiasForEachRow=slip("The bias is added once for each row of the kernel, so it counts KH times.", _ZEROS, bias=lambda self, b: b * self.W.shape[2]),
    GoesOnAlongARow=slip("Your sum goes on from window to window; it is set back to 0 only where a row of y begins.", _SET_BACK, after("y", "start", windows.goes_on(1))),
    GoesOnInAMap=slip("Your sum goes on from window to window; it is set back to 0 only where a map of y begins.", _SET_BACK, after("y", "start", windows.goes_on(2))),
    OneBiasForAll=slip("Every filter gets the bias of the first one.", "How many biases are there, and what are they counted by?", bias=lambda self, b: b[0]),
    MeanOfTheBiases=slip("Every filter gets the mean of all biases.", "How many biases are there, and what are they counted by?", bias=lambda self, b: b.mean()),
    SumOfTheBiases=slip("Every filter gets the sum of all biases.", "How many biases are there, and what are they counted by?", bias=lambda self, b: b.sum()),
    BiasAlongTheColumns=slip("b is added along the last axis: a bias for each column, not for each filter.",
        "NumPy lines shapes up from the right. Write (N, F, OH, OW) above (F,).", after("y", "bias", lambda layer, y, N: _without_bias(layer, y) + layer.b)),
    FirstChannelOnly=slip("Each window is cut out of the first channel only.",
        "How many numbers does one filter have, and with how many numbers of x do they meet?", weights=lambda self, W: W * (np.arange(W.shape[1]) == 0).reshape(-1, 1, 1)),
    FirstChannelForAll=slip("Each window is cut out of the first channel, and meets the weights of all channels.",
        "W[f] has a sheet of weights for each channel. Which numbers of x does each sheet meet?", source=lambda self, x: np.broadcast_to(_Forward.source(self, x)[:, :1], _padded(x, self.padding).shape)),
    FirstSheetForAll=slip("The first sheet of each kernel, W[f, 0], meets all channels.",
        "W[f] has a sheet of weights for each channel. Which of them does your line read?", weights=lambda self, W: np.broadcast_to(W[:, :1], W.shape)),
    LastChannelOnly=slip("Only the last channel counts: each channel overwrites the sum of the one before.",
        "One filter gives one number for a window, out of all channels. How do they come together?", weights=lambda self, W: W * (np.arange(W.shape[1]) == W.shape[1] - 1).reshape(-1, 1, 1)),
    FlipsTheKernel=slip("The kernel is flipped, by rows and by columns. That is what mathematics calls a convolution; the layer of this name slides the kernel as it is.",
        "Which weight meets the pixel in the upper left corner of the window?", weights=lambda self, W: W[:, :, ::-1, ::-1]),
    WeightsFromTheEnd=slip(_FROM_THE_END, "Which weight meets the second pixel of a row of the window, the second or the last?",
        weights=lambda self, W: windows.from_the_end(W, (2, 3))),
    TransposesTheKernel=slip("The kernel lies on its side: its rows meet the columns of the window.",
        "Which weight meets the pixel to the right of the window's upper left corner?", weights=lambda self, W: W.swapaxes(2, 3)),
    AveragesTheWindow=slip("The products are averaged. A convolution adds them up.",
        "Two weights of 1 that meet two pixels of 5: which number must come out?", weights=lambda self, W: W / W[0].size),
    IgnoresTheWeights=slip("The numbers of the window are added up, but the weights play no part.",
        "How would two filters differ in what they see?", weights=lambda self, W: np.ones_like(W)),
    MatrixProduct=slip("`@` makes a matrix product of window and kernel: whole rows meet whole columns, and not each pixel its own weight.",
        "Two weights, two pixels: which products does a convolution take? Which sign multiplies number by number?", weights=lambda self, W: _met_by_a_product(W)),
    MatrixProductTransposed=slip("A matrix product of window and transposed kernel: rows meet rows, and not each pixel its own weight.",
        "Two weights, two pixels: which products does a convolution take? Which sign multiplies number by number?", weights=lambda self, W: np.broadcast_to(W.sum(axis=2, keepdims=True), W.shape)),
    ChannelsForFilters=slip(_CHANNELS_FOR_FILTERS, _WHOSE_AXIS, weights=lambda self, W: W.swapaxes(0, 1)),
    FirstFilterForAll=slip("The weights of the first filter are used for all.",
        "y has F maps. Which weights belong to map f?", weights=lambda self, W: np.broadcast_to(W[:1], W.shape)),
    FirstPictureForAll=slip("The maps of the first picture are given to the whole batch.",
        "y[n] belongs to x[n]. Where does n come into your code?", after("y", "pictures", lambda layer, y, N: np.broadcast_to(y[:1], y.shape).copy())),
    WindowsWithoutStride=slip("The map has the size that the stride asks for, but the windows lie one pixel apart, as with stride 1.",
        f"{_STEP} With stride 1, with stride 2?", start=lambda self, i, j: (i, j)),
    StrideForRowsOnly=slip("The windows step down by the stride, but to the right by one only.",
        f"{_STEP} By row, and by column.", start=lambda self, i, j: (i * self.stride, j)),
    StrideForColumnsOnly=slip("The windows step to the right by the stride, but down by one only.",
        f"{_STEP} By row, and by column.", start=lambda self, i, j: (i, j * self.stride)),
    IgnoresTheStride=slip("The stride is left out: the map is as large as with stride 1.", "What does your layer do with its stride?", forward=_ignores("stride", 1)),
    WritesWhereItReads=windows.SIZES["WritesWhereItReads"],
    IgnoresThePadding=slip("The padding is left out: the windows move over the bare picture.",
        "What does your layer do with its padding?", forward=_ignores("padding", 0)),
    CutsWindowsOutOfX=slip("The map is as large as the padding asks for, but the windows are cut out of x as it came, without the zeros.",
        "Where is the array with the zeros around it, and which array do you cut the windows out of?", sides=lambda self, p: ((0, 0), (0, 0))),
    PadsEveryAxis=slip("You pad all four axes: there are new pictures and new channels, all of zeros, before the first.",
        "np.pad(x, p) pads wherever it can. Which two of the axes N, C, H, W have edges that a window can reach?", source=lambda self, x: np.pad(x, self.padding)[: len(x)]),
    PadsInTheCorner=slip("The windows begin at the picture's own corner: all the zeros lie below and to the right of it, or the windows are cut out of x as it came.",
        "At which row and column of the padded picture does x[0, 0, 0, 0] have to stand?", sides=lambda self, p: ((0, 2 * p), (0, 2 * p))),
    PadsAfter=slip("Only two sides of the picture are padded, below and to the right.",
        "How many sides does a map have?", sides=lambda self, p: ((0, p), (0, p)), size=lambda self, H, W: tuple((n - self.padding // self.stride) for n in self.fits(H, W))),
    ColumnsForRows=slip("Rows and columns of the padded picture are exchanged: its columns are read where its rows should be.",
        "x is (N, C, H, W). Which of your two indices stands at the place of the rows?", source=lambda self, x: _padded(x, self.padding).swapaxes(2, 3)),
    PadsWithTheEdge=slip("The pictures are padded with copies of their edge. The course pads with zeros.",
        "What should the picture look like beyond its edge: like its edge, or empty?", source=lambda self, x: np.pad(x, ((0, 0), (0, 0), *self.sides(self.padding)), mode="edge")),
    TakesMapsToBeSquare=slip("The columns of the map are counted from the height of x: you take maps to be square.",
        "From which length does OW come?", after("y", "axes", _squared)),
    TransposesTheMap=slip("Rows and columns have changed places in your y.",
        "y[n, f, i, j]: is i the row, and is it counted down or to the right?", after("y", "axes", lambda layer, y, N: y.swapaxes(2, 3))),
    ForgetsTheLastWindows=slip("The last row and the last column of windows are missing: there, y was never filled.",
        "`range(OH)` ends before OH. Is anything taken off once more?", *windows.SIZES["LastWindowNotVisited"].wraps),
    **{name: windows.SIZES[name] for name in ("WritesColumnsFirst", "HeightAndWidthSwapped", "HeightForWidthInTheCount", "KernelHeightInTheCount", "RoundsTheCountUp", "StopsBeforeTheLastStart", "NoPlusOne", "ReturnsAfterOneWindow", "ReturnsAfterOneMap", "ReturnsAfterOnePicture")},
    WritesFiltersFirst=slip("You write to y[f, n, …], and y is (N, F, OH, OW): the number of the picture comes first.",
        "Write N, F, OH, OW below the four indices with which you write.", after("y", "axes", _filters_first)),
    **windows.MAPS,
    **{name: windows.STARTS[name] for name in ("WindowsEndToEnd", "RowsCountColumns", "WindowsTransposed")},
    StrideInsideTheWindow=windows.STRIDE_INSIDE,
    HeightOfTheKernelForItsWidth=windows.EXTENTS["HeightForWidth"],
    AppliesReLU=slip("Negative numbers have become 0. That is what ReLU does, and ReLU is a layer of its own.",
        "Which numbers may a weighted sum be?", after("y", "ReLU", lambda layer, y, N: np.maximum(y, 0))),
    ReusesItsOutput=structure.reuses("y"),
    KeepsTheFirstSize=slip("The size of the first batch's maps is kept for ever and used for later ones.",
        "Where does each forward learn its N, its H and its W?", after("y", "memory of sizes", _as_large_as_the_first)),
    WholeNumbersOnly=slip("Everything after the decimal point is lost: your y is made of whole numbers.",
        "What dtype does the array that you fill have?", after("y", "dtype", lambda layer, y, N: y.astype(int))),
    ForwardChangesW=structure.changes_W("y", "Which of your lines sets self.W, or writes into it? A forward never learns."),
)

# ---------------------------------------------------------------------------- dW


class _DW(windows.Windows, Conv2D):
    """dW as a sum over the windows."""

    pictures = slice(None)

    def forward(self, x):
        y = super().forward(x)
        self.x = x
        return y

    def backward(self, dy):
        heard, source = self.heard(dy)[self.pictures], self.source()[self.pictures]
        dW = np.zeros(self.W.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            at, seen = (slice(None), slice(None), *self.place(i, j)), source[self.window(i, j)]
            dW = self.put(dW, np.tensordot(heard[at], self.seen(seen), axes=(0, 0)))
        dx = super().backward(dy)
        self.dW = dW
        return dx

    def heard(self, dy): return dy
    def source(self): return _padded(self.x, self.padding)
    def seen(self, window): return window
    def put(self, dW, share): return dW + share


_OTHERS = "What happens to several contributions to one number?"
_ALL_PICTURES = "All pictures of the batch were made with the same weights. How do their gradients come together?"
_MEAN = "If the loss is an average over the batch, what has dy been multiplied by already?"
_NUDGE = "If you nudge a weight, how many outputs move? Does each move less because there are many?"
_COVERED = "Which pixels did the window of y[0, 0, 1, 1] cover?"
_SHOWN = "Which numbers did the first window hold in forward?"


def _over(count): return lambda layer, result, N: result / count(layer, N)
def _for_all(axis): return lambda layer, a, N: np.broadcast_to(a.sum(axis=axis, keepdims=True), a.shape)


mistakes(__name__, {"conv_dW": _DW},
    FiltersLastInDW=slip("The numbers of dW are in the order (C, KH, KW, F), and you reshape them to (F, C, KH, KW). A reshape moves no number.",
        "Which axes does your product have, in their order? Which of them has to come first?", after("dW", "axes", lambda layer, dW, N: dW.transpose(1, 2, 3, 0).reshape(dW.shape))),
    StrideMissingInDW=slip("The stride is missing where dW looks its windows up: they lie one pixel apart, as with stride 1.",
        f"{_COVERED} dW has to meet the same ones.", start=lambda self, i, j: (i, j)),
    LastWindowOnly=slip("Only the last window counts: each one overwrites what the others gave.",
        f"A weight is used in every window. {_OTHERS}", put=lambda self, dW, share: share),
    LastWindowOfTheLastPicture=slip("Only the very last window of the last picture counts: each one overwrites what the others gave.",
        f"A weight is used in every window of every picture. {_OTHERS}", put=lambda self, dW, share: share, pictures=slice(-1, None)),
    LastPictureOnly=slip("Only the last picture of the batch counts.", _ALL_PICTURES, pictures=slice(-1, None)),
    FirstPictureOnly=slip("Only the first picture of the batch counts.", _ALL_PICTURES, pictures=slice(1)),
    DividesDWByTheBatch=structure.divided_by_the_batch("dW", _MEAN),
    AveragesDW=slip("dW is an average over the windows. Each window adds its own part to the loss.",
        _NUDGE, after("dW", "division", _over(lambda layer, N: np.prod(layer.y_shape[2:])))),
    AveragesDWOverEverything=slip("dW is an average over all windows of all pictures. Each window adds its own part to the loss.",
        _NUDGE, after("dW", "division", _over(lambda layer, N: N * np.prod(layer.y_shape[2:])))),
    SumsTheChannels=slip("The channels are added up, and each gets the sum: dW is the same for every channel.",
        "Which numbers of x did the weight W[f, c, k, l] meet in forward?", after("dW", "channels", _for_all(1))),
    SumsTheFilters=slip("The filters are added up, and each gets the sum: dW is the same for every filter.",
        "Which maps of y did the weight W[f, c, k, l] have a part in?", after("dW", "filters", _for_all(0))),
    IgnoresDy=slip("dy plays no part: you add up what the windows hold, as if every output mattered alike.",
        "Chain rule: upstream gradient times slope. Which of the two is missing?", heard=lambda self, dy: np.ones_like(dy)),
    IgnoresThePicture=slip("x plays no part: every weight of a filter gets the sum of dy.",
        "If you nudge one weight, by how much does an output move? That depends on a pixel. Which one?", seen=lambda self, window: np.ones_like(window)),
    FlipsDW=slip("dW comes out flipped by rows and columns. The flip belongs to another gradient.",
        "Which pixels did the weight in the upper left corner meet?", after("dW", "axes", lambda layer, dW, N: dW[:, :, ::-1, ::-1])),
    DWFromTheEnd=slip(_FROM_THE_END, "Which weight did the second pixel of each window meet in forward, the second or the last?",
        after("dW", "axes", lambda layer, dW, N: windows.from_the_end(dW, (2, 3)))),
    FlipsDy=slip("dy is flipped by rows and columns before it meets the windows. Where all of dy is the same number, nobody would notice.",
        "Which window did y[0, 0, 0, 0] come from, and which one does its gradient meet?", heard=lambda self, dy: dy[:, :, ::-1, ::-1]),
    TransposesDW=slip("dW lies on its side: KH and KW have changed places.",
        "W[f, c, k, l]: which of its indices counts rows of x?", after("dW", "axes", lambda layer, dW, N: dW.swapaxes(2, 3))),
    ChannelsBeforeFilters=slip("dW has the channels first and the filters second.",
        "What shape does W have? Compare it with the shape of your dW, axis by axis.", after("dW", "axes", lambda layer, dW, N: dW.swapaxes(0, 1))),
    TimesTheWeights=slip("dW is multiplied by W. What a weight does to an output doesn't depend on the weight.",
        "y = w·x + …: if w grows by 1, by how much does y grow?", after("dW", "factor", lambda layer, dW, N: dW * layer.W)),
    PilesUpDW=structure.piles_up("dW"),
    WindowsOfThePictureAlone=slip("The padding is missing where dW looks its windows up: they are cut out of x as it came, with zeros below and to the right.",
        _SHOWN, source=lambda self: np.roll(_padded(self.x, self.padding), (-self.padding,) * 2, axis=(2, 3))),
    ShortWindowsOfThePicture=slip("The padding is missing where dW looks its windows up: they are cut out of x as it came, and those at its end come out shorter.",
        _SHOWN, source=lambda self: self.x),
    KeepsTheFirstBatch=structure.keeps_the_first("The picture of the first batch is kept for ever and used for later ones.",
        "When does your layer write down the x that backward needs, and how often?"),
    KeepsWhileTheShapeStays=structure.keeps_while_the_shape_stays(),
    SharesItsMemory=structure.shares_memory("What forward keeps", "Conv2D"),
    MinusDW=structure.minus("dW"),
    **{name: windows.BACK[name] for name in ("StrideOnRowsOnTheWayBack", "StrideOnColumnsOnTheWayBack", "SideBySideOnTheWayBack", "RowsCountColumnsOnTheWayBack", "TransposedOnTheWayBack", "LastWindowSendsNothing")},
    StrideInsideTheWindow=windows.STRIDE_INSIDE,
    **windows.ROWS,
    **windows.ORDERS,
)
# ---------------------------------------------------------------------------- db


class _Db(Conv2D):
    axes = (0, 2, 3)

    def backward(self, dy):
        dx = super().backward(dy)
        self.db = np.asarray(self.summed(self.heard(dy)))
        return dx

    def heard(self, dy): return dy
    def summed(self, dy): return dy.sum(axis=self.axes)


_ALL_B = "All pictures were made with the same b. How do their gradients come together?"
_NUDGE_B = "If you nudge b[f], how many outputs move? Does each move less because there are many?"

mistakes(__name__, {"conv_db": _Db},
    DbForEachPicture=slip("Each picture keeps a db of its own: there is no sum over the batch.",
        "What shape does b have? All pictures were made with the same b.", axes=(2, 3)),
    DbForEachPlace=slip("Each place of the map keeps a db of its own: you sum over the batch only.",
        "What shape does b have? All windows were given the same b.", axes=0),
    OneDbForAll=slip("You sum over the filters, too: one number for all biases.", "b[f] went into map f and into no other. Which axis of dy must stay?", axes=None),
    DbForEachColumn=slip("You sum over the first three axes, and what stays is the columns, not the filters.",
        "dy is (N, F, OH, OW). Which of these axes does b have?", axes=(0, 1, 2)),
    DbOfThePictures=slip("You sum over the filters, too, and what stays is the pictures.", "dy is (N, F, OH, OW). Which of these axes does b have?", axes=(1, 2, 3)),
    DbKeepsItsAxes=slip("The axes that you sum over stay, with length 1: db is (1, F, 1, 1).",
        "`keepdims` keeps what you want to get rid of here.", after("db", "shape", lambda layer, db, N: db.reshape(1, -1, 1, 1))),
    DbAsAColumn=slip("db is a column, (F, 1), and b is a row of numbers, (F,). In b − db, NumPy would make a table of the two.",
        "A gradient has the shape of what it is the gradient of.", after("db", "shape", lambda layer, db, N: db.reshape(-1, 1))),
    AveragesDb=slip("db is an average over pictures and places. Each output adds its own part to the loss.",
        _NUDGE_B, after("db", "division", _over(lambda layer, N: N * np.prod(layer.y_shape[2:])))),
    AveragesDbOverPlaces=slip("db is an average over the places of a map, then a sum over the pictures. Each output adds its own part to the loss.",
        _NUDGE_B, after("db", "division", _over(lambda layer, N: np.prod(layer.y_shape[2:])))),
    DividesDbByTheBatch=structure.divided_by_the_batch("db", _MEAN),
    DbOfOnes=slip("You return ones for db, and what dy says is lost. It is true that each output moves by 1 when its bias does; but backward asks what the loss does.",
        "Chain rule: upstream gradient times slope. What is left when the slope is 1?", summed=lambda self, dy: np.ones_like(self.b)),
    PicturesForFilters=slip("You take the pictures of dy for its filters: b[f] belongs to map f of every picture.",
        "dy is (N, F, OH, OW). Which axis does your index f count along?", summed=lambda self, dy: np.array([dy[f].sum() for f in range(dy.shape[1])])),
    CountsTheOutputs=slip("You count how many outputs a bias goes into, and what dy says is lost.",
        "Chain rule: upstream gradient times slope. Which of the two is missing?", heard=lambda self, dy: np.ones_like(dy)),
    DbOfTheLastPicture=slip("Only the last picture of the batch counts.", _ALL_B, heard=lambda self, dy: dy[-1:]),
    DbOfTheFirstPicture=slip("Only the first picture of the batch counts.", _ALL_B, heard=lambda self, dy: dy[:1]),
    DbOfTheLastWindow=slip("Only the last window counts: each one overwrites what the others gave.",
        f"The bias goes into every window. {_OTHERS}", heard=lambda self, dy: dy[:, :, -1:, -1:]),
    DbOfTheVeryLastWindow=slip("Only the very last window of the last picture counts: each one overwrites what the others gave.",
        f"The bias goes into every window of every picture. {_OTHERS}", heard=lambda self, dy: dy[-1:, :, -1:, -1:]),
    TimesTheBias=slip("db is multiplied by b. What a bias does to an output doesn't depend on the bias.",
        "y = … + b: if b grows by 1, by how much does y grow?", after("db", "factor", lambda layer, db, N: db * layer.b)),
    PilesUpDb=structure.piles_up("db"),
    DbForEachWeight=slip("Each output is counted KH·KW times, once for every weight. The bias goes into an output once.",
        "Inside which of your loops does the line with db stand?", after("db", "count", lambda layer, db, N: db * layer.W[0, 0].size)),
    DbForEachChannel=slip("Each output is counted C times, once for every channel of x. The bias goes into an output once.",
        "Inside which of your loops does the line with db stand?", after("db", "count", lambda layer, db, N: db * layer.W.shape[1])),
    DbForEachProduct=slip("Each output is counted C·KH·KW times, once for every product. The bias goes into an output once.",
        "Inside which of your loops does the line with db stand?", after("db", "count", lambda layer, db, N: db * layer.W[0].size)),
    MinusDb=structure.minus("db"),
)

# ---------------------------------------------------------------------------- dx


class _Dx(windows.Windows, Conv2D):
    """dx by handing dy out, one window after the other."""

    def forward(self, x):
        y = super().forward(x)
        self.x = x
        return y

    def backward(self, dy):
        super().backward(dy)
        heard, W = self.heard(dy), self.weights(np.asarray(self.W, dy.dtype))
        dx = np.zeros(self.canvas(dy), dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            at = (slice(None), slice(None), *self.place(i, j))
            self.give(dx[self.window(i, j)], np.einsum("nf,fckl->nckl", heard[at], W))
        return self.cropped(dx)

    def heard(self, dy): return dy
    def weights(self, W): return W
    def canvas(self, dy): return _padded(self.x, self.padding).shape

    def give(self, window, share):
        window += share

    def cropped(self, dx):
        p, (H, W) = self.padding, self.x_shape[2:]
        return dx[:, :, p : p + H, p : p + W]


class _DxByPlace(_Dx):
    """dx by handing dy out, one place of the kernel after the other."""

    def backward(self, dy):
        Conv2D.backward(self, dy)
        heard, W, dx = self.heard(dy), self.weights(self.W), np.zeros(self.canvas(dy), dy.dtype)
        for k, m in np.ndindex(self.kernel_size):
            rows, columns = (
                slice(first, first + step * count, step)
                for first, step, count in zip((k, m), self.start(1, 1), dy.shape[2:], strict=True)
            )
            share = np.einsum("nfij,fc->ncij", heard, W[:, :, k, m])
            self.give(dx[:, :, rows, columns], share)
        return self.cropped(dx)


def _overwrites(self, window, share): window[...] = share


def _as_with_stride_1(self, dy):
    """The shape of a full correlation of dy with the kernel."""
    sizes = (n + k - 1 for n, k in zip(dy.shape[2:], self.kernel_size, strict=True))
    return (*self.x.shape[:2], *sizes)


def _one_filter(self, W, number): return W * (np.arange(len(W)) == number).reshape(-1, 1, 1, 1)


def _reached(self, dx):
    """dx without what no window reached."""
    p = self.padding
    reached = [(n - 1) * self.stride + k for n, k in zip(self.y_shape[2:], self.kernel_size, strict=True)]
    H, W = (min(n, p + m) for n, m in zip(reached, self.x_shape[2:], strict=True))
    return dx[:, :, p:H, p:W]


def _averaged_overlaps(self, dx):
    readers = np.zeros_like(dx)
    for i, j in np.ndindex(self.y_shape[2:]):
        readers[self.window(i, j)] += 1
    return _Dx.cropped(self, dx / np.maximum(readers, 1))


def _in_the_first_shape(layer, dx, N):
    first = vars(layer)["first"]["x_shape"]
    kept = np.zeros(first, dx.dtype)
    part = tuple(slice(min(sizes)) for sizes in zip(dx.shape, first, strict=True))
    kept[part] = dx[part]
    return kept


class _FirstShape(after("dx", "shape", _in_the_first_shape)):
    def forward(self, x):
        y = super().forward(x)
        vars(self).setdefault("first", {"x_shape": x.shape})
        return y


_QUARTER = "The gradients come back through a kernel that is off by a quarter turn, {}. Whoever goes from output to output needs no turn; whoever goes from pixel to pixel needs two quarters."
_TURN = "Write the small example's kernel down before and after you turn it. Where does each weight go?"

mistakes(__name__, {"conv_dx": (_Dx, _DxByPlace)},
    OverwritesOverlaps=slip("Where windows overlap, the last one overwrites what the others gave. Filters are added up, windows are not.",
        f"A pixel in several windows moves several outputs. {_OTHERS}", give=_overwrites),
    OverwritesWindowsAndFilters=slip("Each share overwrites what was there before: of all windows and filters that a pixel fed, only the last one counts.",
        f"A pixel in several windows moves several outputs. {_OTHERS}", give=_overwrites, heard=lambda self, dy: dy * (np.arange(dy.shape[1]) == dy.shape[1] - 1).reshape(-1, 1, 1)),
    StrideMissingInDx=slip("The stride is missing where the gradients are handed out: the windows lie one pixel apart, as with stride 1.",
        f"{_COVERED} Its gradient has to reach the same ones.", start=lambda self, i, j: (i, j)),
    UpsideDownKernel=slip("Each gradient comes back through the wrong weight: the kernel is upside down. A kernel that looks the same upside down, such as a blur, hides it.",
        "Take a pixel in the lower right corner of a window. Through which weight did it go in? And through which one does its gradient come back?", weights=lambda self, W: W[:, :, ::-1, ::-1]),
    TopForBottom=slip("Each gradient comes back through the weight on the other side, top for bottom; left and right are as they should be. Whoever goes from output to output needs no flip; whoever goes from pixel to pixel needs both.",
        _TURN, weights=lambda self, W: W[:, :, ::-1]),
    LeftForRight=slip("Each gradient comes back through the weight on the other side, left for right; top and bottom are as they should be. Whoever goes from output to output needs no flip; whoever goes from pixel to pixel needs both.",
        _TURN, weights=lambda self, W: W[..., ::-1]),
    StillPadded=slip("Your dx still has the padding around it.", "dx has the shape of x. Whose gradient lies in the rows too many?", cropped=lambda self, dx: dx),
    NoRoomForThePadding=slip("Your dx is made in the shape of x, so there is no room for the padding: each window lands too far down and to the right, or beyond the edge.",
        "Where does the window of y[0, 0, 0, 0] begin: at a pixel, or in the padding? In which array is that place row 0?", canvas=lambda self, dy: self.x.shape, cropped=lambda self, dx: dx),
    NoRoomAndCut=slip("The padding is cut off a dx that never had any: it was made in the shape of x.",
        "What shape does the picture have with its padding, and what shape has the array that you add the windows into?", canvas=lambda self, dy: self.x.shape),
    CutInTheCorner=slip("The padding is cut off on the wrong side, or never counted: everything is moved down and to the right.",
        "At which row and column of the padded picture did x[0, 0, 0, 0] stand?", cropped=lambda self, dx: dx[:, :, : self.x_shape[2], : self.x_shape[3]]),
    CutAboveAndLeft=slip("The padding is cut off above and to the left, and not below and to the right.",
        "On how many sides of the picture are there zeros? Compare the shape of your dx with x's.", cropped=lambda self, dx: dx[:, :, self.padding :, self.padding :]),
    EmptyWithoutPadding=slip("With padding 0, dx is empty: you cut with [p:-p], and -0 is 0.",
        "What is `[1, 2, 3][0:-0]`?", cropped=lambda self, dx: dx[(..., *(slice(self.padding, -self.padding),) * 2)]),
    DividesDxByTheBatch=structure.divided_by_the_batch("dx", _MEAN),
)
mistakes(__name__, {"conv_dx": _Dx},
    NoDx=structure.not_returned("The layer before this one can't learn without a dy of its own. Whose dx is that?"),
    CutsTheGraph=structure.cuts_the_graph("If you nudge a pixel in the middle, which outputs move?"),
    QuarterTurn=slip(_QUARTER.format("counterclockwise"), _TURN, weights=lambda self, W: np.rot90(W, axes=(2, 3))),
    QuarterTurnBack=slip(_QUARTER.format("clockwise"), _TURN, weights=lambda self, W: np.rot90(W, -1, axes=(2, 3))),
    KernelOnItsSide=slip("The kernel lies on its side: its rows are handed to columns of x.",
        "W[f, c, k, l]: which of its indices counts rows of x?", weights=lambda self, W: W.swapaxes(2, 3), extent=lambda self: self.kernel_size[::-1]),
    DxThroughWeightsFromTheEnd=slip(_FROM_THE_END, "Through which weight did the second pixel of a row of the window go in, the second or the last?",
        weights=lambda self, W: windows.from_the_end(W, (2, 3))),
    ChannelsForFiltersInDx=slip(_CHANNELS_FOR_FILTERS, _WHOSE_AXIS, weights=lambda self, W: W.swapaxes(0, 1)),
    TurnsFiltersAndChannels=slip("The first two axes of W are reversed, and the kernels themselves are not: that is what np.rot90 does where you don't name the axes.",
        "W is (F, C, KH, KW). Which of its axes are the rows and columns of a kernel?", weights=lambda self, W: W[::-1, ::-1, ::-1, ::-1]),
    TurnsAllAxes=slip("All four axes of W are reversed: filters and channels, too.",
        "W is (F, C, KH, KW). np.flip turns every axis, unless you name some. Which ones should be reversed?", weights=lambda self, W: W[::-1, ::-1]),
    IgnoresTheWeightsInDx=slip("The weights play no part: every pixel of a window gets dy as it is.",
        "If you nudge a pixel, by how much does the output move?", weights=lambda self, W: np.ones_like(W)),
    LastFilterOnly=slip("Only the last filter counts: each filter overwrites what the others gave.",
        f"A pixel feeds all F maps. {_OTHERS}", weights=lambda self, W: _one_filter(self, W, len(W) - 1)),
    FirstFilterOnly=slip("Only the first filter counts.", "Which maps of y does a pixel have a part in?", weights=lambda self, W: _one_filter(self, W, 0)),
    SameForEveryChannel=slip("The weights of all channels are added up, so dx is the same for every channel.",
        "Through which weight did x[n, c, …] go in?", weights=lambda self, W: np.broadcast_to(W.sum(axis=1, keepdims=True), W.shape)),
    IgnoresDyInDx=slip("dy plays no part: each pixel gets the sum of the weights that it met.",
        "Chain rule: upstream gradient times slope. Which of the two is missing?", heard=lambda self, dy: np.ones_like(dy)),
    FlipsDyInDx=slip("dy is flipped by rows and columns before it is handed out.",
        "Which window did y[0, 0, 0, 0] come from, and to which one does its gradient go?", heard=lambda self, dy: dy[:, :, ::-1, ::-1]),
    NoZerosBetween=slip("The gradients of neighbouring windows lie side by side, as with stride 1. With a larger stride there must be zeros between them.",
        "With stride 2, two neighbours in y looked at windows two pixels apart. How far apart do their gradients meet the kernel?",
        start=lambda self, i, j: (i, j), canvas=_as_with_stride_1,
        cropped=lambda self, dx: dx[(..., *(slice(self.padding, n - self.padding) for n in dx.shape[2:]))]),
    HeightForWidth=slip("The height is used for the width when the padding is cut off. On square maps, nobody would ever notice.",
        "Compare the shape of your dx with x's, axis by axis.", cropped=lambda self, dx: dx[(..., *(slice(self.padding, self.padding + self.x_shape[2]),) * 2)]),
    LosesTheRest=slip("Rows and columns that no window reached are missing: dx is smaller than x where the stride leaves a remainder.",
        "What shape did x have? And what is the gradient of a pixel that nobody read?", cropped=_reached),
    AveragesOverlaps=slip("Each pixel gets the average of what it is owed, not the sum.",
        "A pixel in several windows moves several outputs. Does each one move less because there are many?", cropped=_averaged_overlaps),
    TimesThePicture=slip("dx is multiplied by x. What a pixel does to an output doesn't depend on the pixel.",
        "y = w·x + …: if x grows by 1, by how much does y grow?", after("dx", "factor", lambda layer, dx, N: dx * layer.x)),
    **structure.into_one_picture("dx"),
    PilesUpDx=structure.piles_up("dx"),
    ReusesItsDx=structure.reuses("dx"),
    KeepsTheFirstShape=slip("The shape of the first batch is kept for ever and used for later ones.",
        "When does your layer write down the shape that dx must have, and how often?", _FirstShape),
    MinusDx=structure.minus("dx"),
    **{name: windows.BACK[name] for name in ("StrideOnRowsOnTheWayBack", "StrideOnColumnsOnTheWayBack", "SideBySideOnTheWayBack", "RowsCountColumnsOnTheWayBack", "TransposedOnTheWayBack", "LastWindowSendsNothing")},
    StrideInsideTheWindow=windows.STRIDE_INSIDE,
    **windows.ROWS,
    **windows.ORDERS,
)

# ---------------------------------------------------------------------------- any of the three


class _Backward(Conv2D):
    pass


_BACK = {"conv_dW": _Backward, "conv_db": _Backward, "conv_dx": _Backward}

mistakes(__name__, _BACK,
    BackwardChangesW=structure.changes_W("dx",
        "Which of your lines sets self.W, or writes into it? A flipped kernel needs a name of its own, and a step downhill is not the layer's to take."),
    WalksItself=structure.walks_itself("Which lines of yours set self.W and self.b? backward sets self.dW and self.db.", "W", "b"),
    WalksWithW=structure.walks_itself("Which line of yours sets self.W, or writes into it? backward sets self.dW and self.db.", "W"),
)


class _WithFlippedW:
    """Both ways through the flipped kernel."""

    def forward(self, x): return self._flipped(super().forward, x)

    def backward(self, dy):
        dx = self._flipped(super().backward, dy)
        self.dW = self.dW[:, :, ::-1, ::-1]
        return dx

    def _flipped(self, call, array):
        right, self.W = self.W, self.W[:, :, ::-1, ::-1]
        result = call(array)
        self.W = right
        return result


mistakes(__name__, {"conv_dW": _Backward, "conv_dx": _Backward},
    FlipsBothWays=slip("You flip the kernel in both directions. They fit each other, so a gradient check sees nothing; but the layer of this course slides the kernel as it is.",
        "Run the check of forward. Which weight meets the upper left corner of a window?", _WithFlippedW),
)
