"""What goes wrong in pooling: which windows, what is said of each, and where its gradient goes."""

# fmt: off

import numpy as np

from cnnlib.layers import AvgPool2D, MaxPool2D
from cnnlib.misconceptions import structure, windows
from cnnlib.misconceptions.changes import mistakes, slip
from cnnlib.misconceptions.structure import after


class _MaxForward(windows.Forward, MaxPool2D):
    def summary(self, window): return self.largest(window).max(axis=(2, 3))
    def largest(self, window): return window


class _MaxOneByOne(_MaxForward):
    """A largest number so far, which begins at −∞ and stays there where a window is empty."""

    def summary(self, window): return self.largest(window).max(axis=(2, 3), initial=-np.inf)


class _AvgForward(windows.Forward, AvgPool2D):
    def summary(self, window):
        count = self.count(*self.kernel_size, *self.stride) or window[0, 0].size
        return window.sum(axis=(2, 3)) / window.dtype.type(count)

    def count(self, KH, KW, SH, SW):
        """How many numbers an average is of; None for as many as there are."""
        return None


class _SumByArea(_AvgForward):
    """A sum, divided by KH·KW however many pixels the window has."""

    def count(self, KH, KW, SH, SW): return KH * KW


class _Backward(windows.Windows):
    """A right backward, one window at a time, after the reference's forward."""

    def forward(self, x):
        self.x, self.y = x, super().forward(x)
        return self.y

    def backward(self, dy):
        heard, dx = self.heard(dy), np.zeros(self.x.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            window, at = self.window(i, j), (..., *self.place(i, j), None, None)
            share = self.share(window, i, j)
            self.put(dx, window, share * heard[at], share)
        return dx

    def heard(self, dy): return dy

    def put(self, dx, at, gradient, share):
        dx[at] += gradient


class _Max(_Backward, MaxPool2D):
    def share(self, window, i, j):
        """Ask the window which of its numbers is the largest."""
        return _first_largest(self.x[window])


class _MaxByValue(_Max):
    def share(self, window, i, j):
        """Look in the window for the value that forward returned."""
        return self.x[window] == self.y[:, :, i, j, None, None]


class _MaxByPlace(_Max):
    """A right backward that goes by the number of each winner within its window."""

    def forward(self, x):
        y = super().forward(x)
        self.winner = self.candidates.argmax(axis=0)
        return y

    def backward(self, dy):
        heard, dx = self.heard(dy), np.zeros(self.x.shape, dy.dtype)
        for n, c, i, j in np.ndindex(dy.shape):
            row, column = self.found(*self.start(i, j), *self.taken_apart(self.winner[n, c, i, j]))
            self.put(dx, (n, c, row, column), heard[(n, c, *self.place(i, j))], True)
        return dx

    def taken_apart(self, winner): return divmod(winner, self.kernel_size[1])
    def found(self, top, left, row, column): return top + row, left + column


class _MaxInEqualShares(_Max):
    """Where several pixels are the largest, each gets the same."""

    def share(self, window, i, j):
        return _shared_among(lambda self, window, i, j: _all_largest(self, window))(self, window, i, j)


class _Avg(_Backward, AvgPool2D):
    def share(self, window, i, j): return 1 / self.count(*self.kernel_size, *self.stride)
    def count(self, KH, KW, SH, SW): return KH * KW


def _first_largest(window):
    """Which pixel of a window (N, C, KH, KW) is the first of the largest ones."""
    flat = window.reshape(*window.shape[:2], -1)
    first = flat.argmax(axis=2)[:, :, None] == np.arange(flat.shape[2])
    return first.reshape(window.shape)


# ---------------------------------------------------------------- forward: which windows


class _NewStride:
    """Other settings than those that were given."""

    stands_at = "settings"

    def __init__(self, kernel_size, stride=None): super().__init__(*self.settings(kernel_size, stride))


def _settings(change) -> type: return type("Settings", (_NewStride,), {"settings": staticmethod(change)})


class _RowStep(_settings(lambda kernel_size, stride: (kernel_size, stride))):
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride)
        self.stride = self.stride[:1] * 2


class _WidthFirst(_settings(lambda kernel_size, stride: (kernel_size, stride))):
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride)
        self.kernel_size = self.kernel_size[::-1]
        self.stride = self.kernel_size if stride is None else self.stride


def _summaries(self, cut):
    """What the summary makes of windows (N, C, OH, OW, KH, KW)."""
    N, C, OH, OW, KH, KW = cut.shape
    return self.summary(cut.reshape(N, C * OH * OW, KH, KW)).reshape(N, C, OH, OW)


def _pieces_of_rows(self, x):
    return _summaries(self, x.reshape(*x.shape[:2], *self.size(*x.shape[2:]), *self.kernel_size))


def _reshaped(self, x):
    N, C, H, W = x.shape
    (OH, OW), (KH, KW) = self.size(H, W), self.kernel_size
    return _summaries(self, x.reshape(N, C, OH, KH, OW, KW).transpose(0, 1, 2, 4, 3, 5))


def _over_more(axes):
    """A summary that runs over more than a window of a map: over channels (1), pictures (0), or both."""

    def forward(self, x):
        shape = np.delete(np.arange(4), axes)
        N, C = (1 if axis in axes else x.shape[axis] for axis in (0, 1))
        y = np.zeros((*x.shape[:2], *self.size(*x.shape[2:])), x.dtype)
        for i, j in np.ndindex(y.shape[2:]):
            window = x[self.window(i, j)].transpose(*shape[:-2], *axes, 2, 3)
            y[:, :, i, j] = self.summary(window.reshape(N, C, -1, window.shape[-1]))
        return y

    return forward


_DEFAULT = "In a pool, stride=None has a meaning of its own. Which one does the exercise give it?"
_NEIGHBOUR = "Whatever happens to one picture, does the one beside it have a say?"
_SMALLER = "Pooling makes maps smaller. How many are there before, and how many after it?"
_FORWARD = {"maxpool_forward": _MaxForward, "avgpool_forward": _AvgForward}

# Where windows reach beyond the edge, it shows how their pixels are brought together.
mistakes(__name__, {"maxpool_forward": (_MaxForward, _MaxOneByOne), "avgpool_forward": (_AvgForward, _SumByArea)},
    **windows.STARTS,
    **windows.EXTENTS,
    **windows.SIZES,
)
mistakes(__name__, _FORWARD,
    StrideIsTheWindow=slip("The stride you are given is not used: your windows always lie side by side.",
        "With a window of 3 and stride 1, at which row does the second window start?", _settings(lambda kernel_size, stride: (kernel_size, None))),
    StrideIsOneByDefault=slip("Without a stride, your windows move on by one pixel.", _DEFAULT, _settings(lambda kernel_size, stride: (kernel_size, stride or 1))),
    StrideIsTwoByDefault=slip("Without a stride, your windows move on by two pixels, whatever their size.",
        _DEFAULT, _settings(lambda kernel_size, stride: (kernel_size, stride or 2))),
    RowStepEverywhere=slip("You use the step of the rows for the columns too, in the size of y as well. Only where the window is not square can anybody see that.",
        "With windows of 2×3 side by side, how far is it from one to the next to its right?", _RowStep),
    WidthFirst=slip("You take kernel_size for (KW, KH): height and width of the window are swapped everywhere.",
        "kernel_size=(2, 3): how many rows does the window have, and how many columns?", _WidthFirst),
    TwoByTwoEverywhere=slip("Your windows have 2×2 pixels and move on by two, whatever kernel_size and stride are, and the size of y goes by that.",
        "2 is the size of the example's windows. Which names stand for the size of any window, and for any step?", _settings(lambda kernel_size, stride: (2, None))),
    PiecesOfRows=slip("You reshape the map into windows, but reshape keeps neighbours in a row together: your windows are pieces of rows. The shape is right, and the numbers are others.",
        "Number the pixels of a 4×4 map by hand. Which four share a window, and which four share a row of your reshape?", forward=_pieces_of_rows),
    ReshapeThatMustFit=slip("Cutting the map up by a reshape works only where windows lie side by side and nothing is left over.",
        "A reshape uses every number exactly once. What about windows that overlap, or a row that no window reaches?", forward=_reshaped),
    OneWindowForAllChannels=slip("Your windows go through all channels: every channel of y is the same.", _SMALLER, forward=_over_more((1,))),
    ChannelsGone=slip("Your windows go through all channels, and the channel axis is gone.",
        _SMALLER, after("y", "axes", lambda layer, y, N: y[:, 0]), forward=_over_more((1,))),
    OneWindowForAllPictures=slip("Your windows go through all pictures of the batch: every picture of y is the same.", _NEIGHBOUR, forward=_over_more((0,))),
    OneWindowForAllMaps=slip("Your windows go through all pictures and all channels: every map of y is the same.",
        "A window is a piece of one map: one picture, one channel.", forward=_over_more((0, 1))),
    OnlyTheCorner=slip("You take one pixel of each window, its upper left one, and never look at the others.",
        "x[::stride] picks. What has to happen to what lies between?", summary=lambda self, window: window[:, :, 0, 0]),
    WholeMap=slip("Your summary is taken over the whole map: every window of a map says the same.",
        "Which part of x may y[n, c, i, j] look at?", window=lambda self, i, j: ...),
    ChannelsLast=slip("Before your reshape to (N, C, OH, OW) the channels are the last axis, so numbers of different channels land on one map.",
        "Write down the axes of the array that you reshape, in their order. A reshape moves no number: which axis has to come forward first?",
        after("y", "axes", lambda layer, y, N: y.transpose(0, 2, 3, 1).reshape(y.shape))),
    MinusY=structure.minus("y"),
)

# ---------------------------------------------------------------- forward: what of each window


def _keeps_the_largest(loops):
    def change(layer, y, N):
        so_far = np.maximum.accumulate(y.reshape(*y.shape[:loops], -1), axis=-1)
        return so_far.reshape(y.shape)

    return slip("The largest number so far is not forgotten when the next window begins.",
        "Where in your loops is it set, and for how many windows?", after("y", "start", change))


def _largest_without_sign(self, window):
    flat = window.reshape(*window.shape[:2], -1)
    return np.take_along_axis(flat, np.abs(flat).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]


_M, _A = "What is the M in MaxPool2D?", "What is the A in AvgPool2D?"
_PLACE = "argmax gives a place, max gives a number. Which of the two goes on to the next layer?"
_DRAW = "How many pixels does a window of 2×3 have?"
_ADDED = "How many numbers did you add?"

mistakes(__name__, {"maxpool_forward": (_MaxForward, _MaxOneByOne)},
    StartsAtZero=slip("Where all of a window is negative, you return 0, though 0 isn't there. A largest number so far that begins at 0 does that, and so does filling up with zeros.",
        "What is the largest of −3, −1 and −2? What does your code hold before it has seen any of them?", after("y", "start", lambda layer, y, N: np.maximum(y, 0))),
    StartsAtTheFirstPixel=slip("Your largest number so far begins with the first pixel of the map, which lies in no other window than the first.",
        "The window at row 2: with which of its own pixels can the search begin?", after("y", "start", lambda layer, y, N: np.maximum(y, layer.seen[:, :, :1, :1]))),
    **{f"KeepsTheLargest{loops}": _keeps_the_largest(loops) for loops in range(4)},
    LargestWithoutSign=slip("You keep the number with the largest absolute value.", "Which one is larger, −5 or 2?", summary=_largest_without_sign),
    LargestAbsoluteValue=slip("You return the absolute value of a number of the window, the largest one there is.",
        "Pooling picks a number of the window, and changes none.", summary=lambda self, window: np.abs(window).max(axis=(2, 3))),
    Smallest=slip("You keep the smallest number of each window.", _M, summary=lambda self, window: window.min(axis=(2, 3))),
    PlaceOfTheMaximum=slip("You return where the maximum is, not the maximum.", _PLACE,
        summary=lambda self, window: window.reshape(*window.shape[:2], -1).argmax(axis=2)),
    WholePlaceOfTheMaximum=slip("You return where the maximum is, as a whole number, not the maximum.",
        _PLACE, after("y", "dtype", lambda layer, y, N: y.astype(int)), summary=lambda self, window: window.reshape(*window.shape[:2], -1).argmax(axis=2)),
    SumForMaximum=slip("You add each window up.", _M, summary=lambda self, window: window.sum(axis=(2, 3))),
    AverageForMaximum=slip("You average each window. That is what the other pool does.", _M, summary=lambda self, window: window.mean(axis=(2, 3))),
)
_MULTIPLIED = slip("You divide by KH, and then multiply by KW.",
    "Python goes from left to right: what is 12 / 2 * 3?", count=lambda self, KH, KW, SH, SW: KH / KW)
_SHARES = {
    "TheStep": slip("You divide by the area of one step, stride times stride, not by how many numbers come together. As long as windows lie side by side, the two are the same.",
        "With a window of 3×3 and stride 1, how many numbers does one average take in?", count=lambda self, KH, KW, SH, SW: SH * SW),
    "HeightSquared": slip("You divide by KH·KH, as if every window were square.", _DRAW,
        count=lambda self, KH, KW, SH, SW: KH * KH),
    "WidthSquared": slip("You divide by KW·KW, as if every window were square.", _DRAW,
        count=lambda self, KH, KW, SH, SW: KW * KW),
    "Height": slip("You divide by the number of rows of the window only.", _ADDED,
        count=lambda self, KH, KW, SH, SW: KH),
    "Width": slip("You divide by the number of columns of the window only.", _ADDED,
        count=lambda self, KH, KW, SH, SW: KW),
    "TheSumOfSides": slip("You divide by KH + KW.", f"{_DRAW} Draw it and count.",
        count=lambda self, KH, KW, SH, SW: KH + KW),
    "Four": slip("You divide by 4, whatever the size of the window.", _DRAW,
        count=lambda self, KH, KW, SH, SW: 4),
    "OneTooMany": slip("You divide by one number more than there are.", _DRAW,
        count=lambda self, KH, KW, SH, SW: KH * KW + 1),
    "OneTooFew": slip("You divide by one number less than there are.", _DRAW,
        count=lambda self, KH, KW, SH, SW: KH * KW - 1),
}
mistakes(__name__, {"avgpool_forward": _AvgForward},
    NotDivided=slip("You add up the window, and don't divide.", "What is the average of four equal numbers? What does your window say?", count=lambda self, *sizes: 1),
    DividedAndMultiplied=_MULTIPLIED,
    **{f"DividedBy{name}": each for name, each in _SHARES.items()},
    RoundedDown=slip("Your averages are rounded down to whole numbers.",
        "What does // do to 7 // 4?", summary=lambda self, window: window.sum(axis=(2, 3)) // np.prod(self.kernel_size)),
    MaximumForAverage=slip("You keep the largest number of each window. That is what the other pool does.", _A, summary=lambda self, window: window.max(axis=(2, 3))),
)

# ---------------------------------------------------------------- backward of both


def _positions_wipe_out(self, dy):
    dx, heard = np.zeros(self.x.shape, dy.dtype), self.heard(dy)
    (OH, OW), (SH, SW) = dy.shape[2:], self.stride
    shares = np.zeros((*dy.shape, *self.kernel_size), dy.dtype)
    for i, j in np.ndindex(OH, OW):
        shares[:, :, i, j] = self.share(self.window(i, j), i, j) * heard[:, :, i, j, None, None]
    for k, m in np.ndindex(self.kernel_size):
        dx[:, :, k : k + OH * SH : SH, m : m + OW * SW : SW] = shares[..., k, m]
    return dx


def _windows_of_each(layer, dx):
    """In how many windows each pixel is."""
    count = np.zeros(dx.shape[2:], dx.dtype)
    for i, j in np.ndindex(layer.y_shape[2:]):
        count[layer.window(i, j)[2:]] += 1
    return np.maximum(count, 1)


def _ends_with_the_last_window(layer, dx, N):
    OH, OW = layer.y_shape[2:]
    (top, left), (KH, KW) = layer.start(OH - 1, OW - 1), layer.kernel_size
    return dx[:, :, : top + KH, : left + KW]


def _pile(layer, dx, N):
    if getattr(layer, "pile", None) is None:
        layer.pile = np.zeros_like(dx)
    layer.pile += dx
    return layer.pile


class _InOneArray(after("dx", "start", _pile)):
    def forward(self, x):
        self.pile = None
        return super().forward(x)


def _corner(self, window, i, j):
    corner = np.zeros(self.kernel_size, bool)
    corner[0, 0] = True
    return corner


_TWO_OUTPUTS = "A pixel that {} feeds two outputs. What does it get from each, and what does it get in all?"
_ADDS_UP = "The chain rule adds up over all the ways from a pixel to the loss. Does it ever divide by their number?"

# Whoever goes by the number of the winner within its window sees where the window begins, and no more.
_NOT_BY_PLACE = "TwoByTwoSideBySideOnTheWayBack"
mistakes(__name__, {"maxpool_backward": (_Max, _MaxByPlace, _MaxByValue, _MaxInEqualShares), "avgpool_backward": _Avg},
    **windows.BACK,
    **{name: each for name, each in windows.BACK_EXTENTS.items() if name != _NOT_BY_PLACE},
    **structure.into_one_picture("dx"),
    EndsWithTheLastWindow=slip("Your dx ends where the last window ends; the pixels that no window reaches are missing.",
        "What shape did x have? What does the loss do when a pixel changes that nobody looks at?", after("dx", "end", _ends_with_the_last_window)),
    ChannelsLastInDy=slip("You lay out dy in the order (n, c, i, j), and your windows come in the order (n, i, j, c).",
        "Which window and which channel does entry 1 of your dy belong to, and which does row 1 of your windows?", heard=lambda self, dy: dy.reshape(len(dy), *dy.shape[2:], -1).transpose(0, 3, 1, 2)),
    PilesUp=structure.piles_up("dx"),
    PilesUpInOneArray=slip("Your gradients pile up: a second call of backward adds to what the first one left, in the very array that was handed out before.",
        "Where is dx made, and how many times?", _InOneArray),
    CutsTheGraph=structure.cuts_the_graph("Pooling has no parameters of its own, and still the layers before it need their gradient."),
    MinusDx=structure.minus("dx"),
    DividesByTheBatch=structure.divided_by_the_batch("dx", "What does one picture of the batch know of the others?", alone=False),
)
mistakes(__name__, {"maxpool_backward": (_Max, _MaxByValue, _MaxInEqualShares), "avgpool_backward": _Avg},
    **{_NOT_BY_PLACE: windows.BACK_EXTENTS[_NOT_BY_PLACE]},
)
mistakes(__name__, {"maxpool_backward": _Max, "avgpool_backward": _Avg},
    WindowsWipeOut=slip("Each window wipes out what an earlier one wrote where the two overlap. That is what = does.",
        _TWO_OUTPUTS.format("two windows look at"), put=lambda self, dx, at, gradient, share: dx.__setitem__(at, gradient)),
    PositionsWipeOut=slip("Where windows overlap, later shares wipe out earlier ones. That is what = does, one position of the window after the other.",
        _TWO_OUTPUTS.format("two windows look at"), backward=_positions_wipe_out),
    AveragedOverWindows=slip("Where windows overlap, you average what they send. A pixel that feeds two outputs moves the loss through both.",
        _ADDS_UP, after("dx", "division", lambda layer, dx, N: dx / _windows_of_each(layer, dx))),
    AllToTheCorner=slip("You send the whole gradient to the upper left pixel of each window.", "Nudge another pixel of the window. Does y move?", share=_corner),
    WholeGradientToEveryPixel=slip("You give the whole gradient to every pixel of the window.",
        "Add up dx, and add up dy. A window can hand on no more than it got.", share=lambda self, window, i, j: np.ones(self.kernel_size, bool)),
)

# ---------------------------------------------------------------- max-pool, backward: who gets it


def _all_largest(self, window, axes=(2, 3)): return self.x[window] == self.x[window].max(axis=axes, keepdims=True)


def _in_shares(self, window):
    chosen = _all_largest(self, window, (1, 2, 3))
    return chosen / chosen.sum(axis=(1, 2, 3), keepdims=True)


_OVER_ALL_CHANNELS = {"OnTheWayBack": lambda self, window, i, j: _all_largest(self, window, (1, 2, 3)), "InShares": lambda self, window, i, j: _in_shares(self, window)}


def _counted_by_the_height(self, window, i, j):
    winner = _first_largest(self.x[window]).reshape(*self.x.shape[:2], -1).argmax(axis=2)
    rows, columns = np.indices(self.kernel_size)
    return winner[:, :, None, None] == rows * self.kernel_size[0] + columns


def _unless_tied(self, window, i, j):
    largest = _all_largest(self, window)
    return largest & (largest.sum(axis=(2, 3), keepdims=True) == 1)


def _nearly_largest(self, window, i, j):
    """Which pixels of a window are its largest, but for a millionth."""
    return self.x[window] >= self.x[window].max(axis=(2, 3), keepdims=True) - 1e-6


def _repeated(self, dy):
    KH, KW = self.kernel_size
    return (dy / dy.dtype.type(KH * KW)).repeat(KH, axis=2).repeat(KW, axis=3)


def _shared_among(who):
    """The gradient in equal shares for those whom ``who(self, window, i, j)`` chooses."""

    def share(self, window, i, j):
        chosen = who(self, window, i, j)
        return chosen / chosen.sum(axis=(2, 3), keepdims=True)

    return share


def _sought(places):
    """A backward that looks for a value everywhere: in its map, for each (i, j), or in the batch, for each entry."""

    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for at in places(dy):
            dx += (self.x == self.y[at]) * dy[at]
        return dx

    return backward


def _kept_if_won(self, dx, at, gradient, won): dx[at] = np.where(won, gradient, dx[at])


def _wins(layer, dx):
    """How many windows each pixel has won."""
    return _Max.backward(layer, np.ones(layer.y_shape, dx.dtype))


class _FirstX:
    """The pixels of the first batch are asked who won."""

    stands_at = "memory"

    def forward(self, x):
        y = super().forward(x)
        vars(self).setdefault("first", self.x)
        return y

    def backward(self, dy):
        dx = np.zeros(self.first.shape, dy.dtype)
        self.x = self.first[: len(dy)]
        dx[: len(dy)] = super().backward(dy)
        return dx


class _FirstWinners:
    stands_at = "memory"

    def forward(self, x):
        y = super().forward(x)
        self.winner = vars(self).setdefault("first", self.winner)
        return y

    def backward(self, dy):
        if dy.shape != self.winner.shape:
            raise ValueError("the winners of another batch don't fit")
        return super().backward(dy)


_ADD_UP = "A window gets one number from dy. Add up what it hands on."
_NO_OTHER = "May a pixel that lies elsewhere get its gradient?"
_UPSTREAM = "Chain rule: upstream gradient times slope. The slope is 1 there; what is the upstream gradient?"
_OWN_MAXIMA = "has maxima of its own. Over which axes does your argmax run?"
_NUDGED = "Nudge a pixel that is not the largest. Does y move?"
_NO_ROUNDING = "y is one of the window's own numbers, bit for bit. What is there to be rounded?"
_ROWS = "argmax counts the pixels of a window row by row."
_CORNER = "argmax of a window counts from the window's own corner. Where on the map is that?"
_WRITES = "What does your forward write down each time, and what only once?"

mistakes(__name__, {"maxpool_backward": (_Max, _MaxByPlace)},
    LastWinKept=slip("A pixel that wins several windows keeps only the last one's gradient. That is what = does, and so does += on an array of indices: an index that comes twice counts once.",
        _TWO_OUTPUTS.format("wins two windows"), put=_kept_if_won),
    MaskWithoutDy=slip("You put a 1 where the maximum was, and what dy says is lost.", _UPSTREAM, heard=lambda self, dy: np.ones_like(dy)),
    MaskTimesValue=slip("You put the maximum itself back where it was: its value, not its gradient.",
        "backward carries gradients. Where in your code does dy come in?", heard=lambda self, dy: self.y),
    TimesTheMaximum=slip("You multiply dy by the maximum. That is the rule for a product y = w·x, and nothing is multiplied here.",
        "If you nudge the largest pixel by a little, by how much does y change?", heard=lambda self, dy: dy * self.y),
    NothingToNegativeWinners=slip("Where the maximum of a window is negative, it gets no gradient. That is ReLU's rule, or a largest number so far that began at 0.",
        "The largest of −3, −1 and −2 went on to the next layer. Who gets the gradient that comes back?", heard=lambda self, dy: dy * (self.y > 0)),
    SharesItsMemory=structure.shares_memory("What forward remembers", "pool"),
)
mistakes(__name__, {"maxpool_backward": _Max},
    **{f"OneWindowForAllChannels{name}": slip("In backward, your windows go through all channels: only the largest pixel of all of them gets a gradient.",
        "Each channel has a winner of its own. Over which axes does your maximum run?", share=share) for name, share in _OVER_ALL_CHANNELS.items()},
    WholeGradientToEveryTie=slip("Where several pixels share the maximum, each of them gets the whole gradient. Together they get more than the window was given.",
        _ADD_UP, share=lambda self, window, i, j: _all_largest(self, window)),
    WholeGradientToNearTies=slip("Pixels that are nearly as large as the largest get the whole gradient, too: your comparison leaves room for rounding.",
        _NO_ROUNDING, share=_nearly_largest),
    SharedWithNearTies=slip("Pixels that are nearly as large as the largest get a share of the gradient, too: your comparison leaves room for rounding.",
        _NO_ROUNDING, share=_shared_among(_nearly_largest)),
    NothingToTies=slip("Where several pixels share the maximum, none of them gets a gradient.", _ADD_UP, share=_unless_tied),
    SoughtInTheWholeMap=slip("You look for the maximum's value in the whole map: pixels outside the window that have the same value get its gradient too.",
        f"y[i, j] is the maximum of one window. {_NO_OTHER}", backward=_sought(lambda dy: (np.s_[:, :, i, j, None, None] for i, j in np.ndindex(dy.shape[2:])))),
    SoughtInTheWholeBatch=slip("You look for the maximum's value in the whole batch: pixels of other maps that have the same value get its gradient too.",
        f"y[n, c, i, j] is the maximum of one window in one map. {_NO_OTHER}", backward=_sought(lambda dy: np.ndindex(dy.shape))),
    OneWinnerForAllMaps=slip("One maximum is taken for the windows of all pictures and channels together: only where that value stands is there a gradient.",
        "A window has a maximum for each picture and each channel. Along which axes does your max go?", share=lambda self, window, i, j: self.x[window] == self.x[window].max()),
    DividedByTheArea=slip("You divide dy by the number of pixels of the window. That belongs to the average: here one pixel has it all.",
        "If you nudge the largest pixel by a little, by how much does y change?", share=lambda self, window, i, j: _first_largest(self.x[window]) / np.prod(self.kernel_size)),
    SharedAmongAllMaps=slip("You divide the gradient by the number of maxima in the windows of all pictures and channels together.",
        "How many maxima does one window have? Over which axes does your sum go?", share=lambda self, window, i, j: _all_largest(self, window) / _all_largest(self, window).sum()),
    OneWinnerForEachMap=slip("Only the largest pixel of each whole map gets a gradient.",
        "How many windows are there, and how many winners must there be?", share=lambda self, window, i, j: self.x[window] == self.x.max(axis=(2, 3), keepdims=True)),
    OneForEachWinner=slip("You put a 1 where the maximum was, once for all windows that it won, and what dy says is lost.",
        _UPSTREAM, after("dx", "wins", lambda layer, dx, N: np.minimum(_wins(layer, dx), 1))),
    AveragedOverWins=slip("A pixel that wins several windows gets the average of their gradients. It moves the loss through each of them.",
        _ADDS_UP, after("dx", "wins", lambda layer, dx, N: dx / np.maximum(_wins(layer, dx), 1))),
    ToAllPositive=slip("Every positive pixel of a window gets the whole gradient. That is ReLU's rule.",
        "Nudge a pixel that is positive, but not the largest. Does y move?", share=lambda self, window, i, j: self.x[window] > 0),
    CountedByTheHeight=slip("You count the pixels of a window with KH in place of KW: pixel (k, l) has the number k·KW + l. Only where the window is not square can anybody see that.",
        "How many pixels are there in a row of the window?", share=_counted_by_the_height),
    AWinnerInEachRow=slip("The largest pixel of each row of a window gets the gradient, so a window hands it on several times.",
        "How many winners does a window have? Over which axes do you look for them?", share=lambda self, window, i, j: _all_largest(self, window, 3)),
    SpreadEvenly=slip("You spread the gradient evenly over the window. That is what the other pool does.",
        _NUDGED, share=lambda self, window, i, j: 1 / np.prod(self.kernel_size)),
    ToTheSmallest=slip("The gradient goes to the smallest pixel of each window.",
        "Nudge the smallest pixel by a little. Does y move?", share=lambda self, window, i, j: _first_largest(-self.x[window])),
    ToTheLargestWithoutSign=slip("The gradient goes to the pixel with the largest absolute value.",
        "Which pixel did forward choose in a window that holds −5 and 2?", share=lambda self, window, i, j: _first_largest(np.abs(self.x[window]))),
    WinnersOfTheFirstPicture=slip("The winners of one picture are used for all pictures of the batch.",
        f"Each picture {_OWN_MAXIMA}", share=lambda self, window, i, j: _first_largest(self.x[window])[:1]),
    WinnersOfTheFirstChannel=slip("The winners of one channel are used for all channels.",
        f"Each channel {_OWN_MAXIMA}", share=lambda self, window, i, j: _first_largest(self.x[window])[:, :1]),
    KeepsTheFirstWinners=slip("Your layer keeps what it saw in its first forward: the winners of an old batch get the new gradient.", _WRITES, _FirstX),
)
mistakes(__name__, {"maxpool_backward": _MaxByPlace},
    WinnerTransposed=slip("Row and column of the winner are swapped within its window.",
        f"{_ROWS} In a window of 2×2, which pixel has number 1?", found=lambda self, top, left, row, column: (top + column, left + row)),
    DividedByTheWrongSide=slip("You divide the winner's number by KH to get its row. Only where the window is not square can anybody see that.",
        f"{_ROWS} How many are there in a row?", taken_apart=lambda self, winner: divmod(winner, self.kernel_size[0])),
    WritesColumnsFirstOnTheWayBack=slip("Rows and columns are swapped where you write to dx.",
        "dx is (N, C, H, W). Which of your two indices is the row?", found=lambda self, top, left, row, column: (left + column, top + row)),
    DividedByTheWidthOfTheMap=slip("You take the winner's number apart by the width of the map. argmax of a window counts along the window's own rows.",
        "In a window of 2×3, which pixel has number 3? Does it matter how large the map is?", taken_apart=lambda self, winner: divmod(winner, self.x_shape[3])),
    PlaceInTheWindow=slip("The winner's place within its window is used as its place on the map, so all gradients gather in the upper left corner.",
        _CORNER, found=lambda self, top, left, row, column: (row, column)),
    NumberedColumnByColumn=slip("You take the winner's number apart column by column, but argmax counts row by row.",
        "In a window of 2×3, which pixel has number 1?", taken_apart=lambda self, winner: divmod(winner, self.kernel_size[0])[::-1]),
    NumberInTheWindow=slip("The winner's number within its window is used as its number on the map, so all gradients gather in the first row.",
        _CORNER, taken_apart=lambda self, winner: divmod(winner, self.x_shape[3]), found=lambda self, top, left, row, column: (row, column)),
    KeepsTheFirstIndices=slip("Your layer keeps who won in its first forward: the winners of an old batch get the new gradient.", _WRITES, _FirstWinners),
)

# ---------------------------------------------------------------- average pool, backward: which share


def _first_shape(shape_of):
    """Lay dx into an array of another shape, the one that is wrongly kept."""

    def change(layer, dx, N):
        kept = np.zeros(shape_of(layer), dx.dtype)
        kept[tuple(map(slice, dx.shape))] = dx
        return kept

    return change


class _KeepsTheFirstShape(after("dx", "shape", _first_shape(lambda layer: layer.first))):
    def forward(self, x):
        vars(self).setdefault("first", x.shape)
        return super().forward(x)


class _SharesItsShape(after("dx", "shape", _first_shape(lambda layer: type(layer).last))):
    def forward(self, x):
        type(self).last = x.shape
        return super().forward(x)


def _whole_shares(self, dy):
    dx = np.zeros(self.x.shape, dy.dtype)
    for i, j in np.ndindex(dy.shape[2:]):
        dx[self.window(i, j)] += dy[:, :, i, j, None, None] // np.prod(self.kernel_size)
    return dx


_SHARED = "Among how many pixels is the gradient of one output shared?"
_LOOKS = "How many pixels does one output look at?"

mistakes(__name__, {"avgpool_backward": _Avg},
    ShareWithoutDy=slip("You give each pixel of the window one share of 1, and what dy says is lost.",
        "Chain rule: upstream gradient times slope. You have the slope; what is the upstream gradient?", heard=lambda self, dy: np.ones_like(dy)),
    SharesMultiplied=_MULTIPLIED,
    **{f"SharesOf{name}": each for name, each in _SHARES.items()},
    SharesOfTheWindows=slip("You divide by the number of windows that a pixel is in, not by the number of pixels that share.",
        _LOOKS, after("dx", "division", lambda layer, dx, N: dx / _windows_of_each(layer, dx)), count=lambda self, *sizes: 1),
    SharesOfTheMap=slip("You divide by the number of pixels of the whole map.", _LOOKS, count=lambda self, *sizes: np.prod(self.x_shape[2:])),
    SharesOfTheOutputs=slip("You divide by the number of outputs, OH·OW.", _SHARED, count=lambda self, *sizes: np.prod(self.y.shape[2:])),
    WholeShares=slip("The shares are rounded down to whole numbers.", "What does // do to 7 // 4?", backward=_whole_shares),
    TimesThePixel=slip("You multiply each share by the pixel's value. That is the rule for a product y = w·x with w to be learnt, and nothing is learnt here.",
        "If you nudge one pixel by a little, by how much does the average change? Does it matter how bright the pixel was?", after("dx", "factor", lambda layer, dx, N: dx * layer.x)),
    Repeated=slip("You repeat each number KH times down and KW times to the right. So dx is right only where the windows lie side by side and nothing is left over.",
        "What does a pixel get that lies in two windows, and one that lies in none? Which shape must dx have?", backward=_repeated),
    ToTheLargest=slip("The gradient goes to the largest pixel of each window. That is what the other pool does.",
        "Nudge a pixel that is not the largest. Does the average move?", share=lambda self, window, i, j: _first_largest(self.x[window])),
    KeepsTheFirstShape=slip("Your layer keeps the shape of its first batch for ever.",
        "The last batch of an epoch is often shorter. When does your layer write the shape down?", _KeepsTheFirstShape),
    SharesItsShape=slip("The shape is kept in one place for all layers, so a second pool overwrites the first one's.",
        "Each layer needs a memory of its own. Where does `self` come in?", _SharesItsShape),
)
