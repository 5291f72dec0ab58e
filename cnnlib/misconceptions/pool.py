"""What goes wrong in pooling: which windows, what is said of each, and where its gradient goes.

`_Forward` and `_Backward` are right pools that go window by window. A mistake changes one of their
steps. One that both pools invite is written once, and registered for each of them.
"""

from collections.abc import Callable

import numpy as np

from cnnlib.layers import AvgPool2D, MaxPool2D
from cnnlib.misconceptions.changes import misconception


class _Forward:
    """A right forward, one window at a time."""

    def forward(self, x):
        OH, OW = self.size(*x.shape[2:])
        y = np.zeros((*x.shape[:2], OH, OW), x.dtype)
        for i, j in np.ndindex(OH, OW):
            y[:, :, i, j] = self.summary(x[self.window(i, j)])
        return y

    def size(self, H, W):
        (KH, KW), (SH, SW) = self.kernel_size, self.stride
        return (H - KH) // SH + 1, (W - KW) // SW + 1

    def window(self, i, j):
        (top, left), (KH, KW) = self.start(i, j), self.extent()
        return np.s_[:, :, top : top + KH, left : left + KW]

    def start(self, i, j):
        return i * self.stride[0], j * self.stride[1]

    def extent(self):
        return self.kernel_size


class _Backward(_Forward):
    """A right backward, one window at a time, after the reference's forward."""

    def forward(self, x):
        self.x = x
        self.y = self.reference.forward(self, x)
        return self.y

    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            window = self.window(i, j)
            dx[window] += self.share(window, i, j) * dy[:, :, i, j, None, None]
        return dx


class _Max(MaxPool2D):
    reference = MaxPool2D

    def summary(self, window):
        return window.max(axis=(2, 3))

    def share(self, window, i, j):
        """Ask the window who is the largest."""
        return _first_largest(self.x[window])


class _MaxByPlace(_Max):
    """A right backward that goes by the number of each winner within its window."""

    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for n, c, i, j in np.ndindex(dy.shape):
            row, column = self.place(i, j, self.winner[n, c, i, j])
            dx[n, c, row, column] += dy[n, c, i, j]
        return dx

    def place(self, i, j, winner):
        (top, left), (k, m) = self.start(i, j), divmod(winner, self.kernel_size[1])
        return top + k, left + m


class _MaxByValue(_Max):
    def share(self, window, i, j):
        """Look in the window for the value that forward returned."""
        return self.x[window] == self.y[:, :, i, j, None, None]


class _Avg(AvgPool2D):
    reference = AvgPool2D

    def summary(self, window):
        return window.mean(axis=(2, 3))

    def share(self, window, i, j):
        return 1 / np.prod(self.kernel_size)


class _MaxForward(_Forward, _Max):
    pass


class _AvgForward(_Forward, _Avg):
    pass


class _MaxBackward(_Backward, _Max):
    pass


class _AvgBackward(_Backward, _Avg):
    pass


def _first_largest(window):
    """Which pixel of a window (N, C, KH, KW) is the first of the largest ones."""
    flat = window.reshape(*window.shape[:2], -1)
    first = flat.argmax(axis=2)[:, :, None] == np.arange(flat.shape[2])
    return first.reshape(window.shape)


def _forward_of_both(*, says: str, hint: str) -> Callable:
    """Mark a change of the forward that either pool invites.

    Returns the max-pool with that mistake; `average` of it is the average pool.
    """

    def mark(mistake):
        average = type(mistake.__name__, (mistake, _AvgForward), {})
        misconception("avgpool_forward", says=says, hint=hint)(average)
        maximum = type(mistake.__name__, (mistake, _MaxForward), {"average": average})
        return misconception("maxpool_forward", says=says, hint=hint)(maximum)

    return mark


def _backward_of_both(*, says: str, hint: str, memories: tuple[type, ...] = ()) -> Callable:
    """Mark a change of the backward that either pool invites.

    Who looks for the winner in a wrong window gets other numbers than one who remembers the
    winner, or its value; *memories* lists which of these go wrong too. The mistake is the same.
    Returns the max-pool that looks; `average` of it is the average pool.
    """

    def mark(mistake):
        average = type(mistake.__name__, (mistake, _AvgBackward), {})
        misconception("avgpool_backward", says=says, hint=hint)(average)
        for memory in memories:
            bases = (mistake, memory, _MaxBackward)
            other = type(mistake.__name__ + memory.__name__, bases, {})
            misconception("maxpool_backward", says=says, hint=hint)(other)
        maximum = type(mistake.__name__, (mistake, _MaxBackward), {"average": average})
        return misconception("maxpool_backward", says=says, hint=hint)(maximum)

    return mark


# ---------------------------------------------------------------- forward: which windows


@_forward_of_both(
    says="Your windows move on by one pixel each time; the stride decides only how many there are.",
    hint="Window 0 starts at row 0. At which row does window 1 start, with stride 2?",
)
class MovesOnByOne:
    def start(self, i, j):
        return i, j


@_forward_of_both(
    says="The stride you are given is not used: your windows always lie side by side.",
    hint="With a window of 3 and stride 1, at which row does the second window start?",
)
class StrideIsTheWindow:
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size)


@_forward_of_both(
    says="Without a stride, your windows move on by one pixel.",
    hint="In a pool, stride=None has a meaning of its own. Which one does the exercise give it?",
)
class StrideIsOneByDefault:
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride or 1)


@_forward_of_both(
    says="Without a stride, your windows move on by two pixels, whatever their size.",
    hint="In a pool, stride=None has a meaning of its own. Which one does the exercise give it?",
)
class StrideIsTwoByDefault:
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride or 2)


@_forward_of_both(
    says="The stride is applied to the rows, but not to the columns.",
    hint="Compare the two slices of your window.",
)
class StrideOnRowsOnly:
    def start(self, i, j):
        return i * self.stride[0], j


@_forward_of_both(
    says="The stride is applied to the columns, but not to the rows.",
    hint="Compare the two slices of your window.",
)
class StrideOnColumnsOnly:
    def start(self, i, j):
        return i, j * self.stride[1]


@_forward_of_both(
    says="You use the step of the rows for the columns too. Only where the window is not square can anybody see that.",
    hint="With windows of 2×3 side by side, how far is it from one to the next to its right?",
)
class RowStepForColumns:
    def start(self, i, j):
        return i * self.stride[0], j * self.stride[0]


@_forward_of_both(
    says="You use the step of the rows for the columns too, in the size of y as well. Only where the window is not square can anybody see that.",
    hint="With windows of 2×3 side by side, how far is it from one to the next to its right?",
)
class RowStepEverywhere:
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride)
        self.stride = (self.stride[0],) * 2


@_forward_of_both(
    says="Your window lies on its side: KH and KW are swapped in the slices.",
    hint="The first of the two image axes is the row. How many rows does a window of (2, 3) have?",
)
class WindowOnItsSide:
    def extent(self):
        return self.kernel_size[::-1]


@_forward_of_both(
    says="You take kernel_size for (KW, KH): height and width of the window are swapped everywhere.",
    hint="kernel_size=(2, 3): how many rows has the window, and how many columns?",
)
class WidthFirst:
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride)
        self.kernel_size = self.kernel_size[::-1]
        self.stride = self.kernel_size if stride is None else self.stride


@_forward_of_both(
    says="Your window is one row and one column too small.",
    hint="a[0:2] has two entries. How many has a[0:2 - 1]?",
)
class WindowTooSmall:
    def extent(self):
        return self.kernel_size[0] - 1, self.kernel_size[1] - 1


@_forward_of_both(
    says="Your window is one row and one column too large.",
    hint="a[0:2] has two entries. How many has a[0:2 + 1]?",
)
class WindowTooLarge:
    def extent(self):
        return self.kernel_size[0] + 1, self.kernel_size[1] + 1


@_forward_of_both(
    says="Each window starts where the one before it ends; the stride decides only how many there are.",
    hint="With a window of 3 and stride 1, at which row does the second window start?",
)
class WindowsEndToEnd:
    def start(self, i, j):
        return i * self.kernel_size[0], j * self.kernel_size[1]


@_forward_of_both(
    says="Each window ends where the next one begins, so it has the size of a step, not the size of a window.",
    hint="With windows of 3 and stride 1, the first one starts at row 0. Which rows does it have?",
)
class EndsWhereTheNextBegins:
    def window(self, i, j):
        (top, left), (SH, SW) = self.start(i, j), self.stride
        return np.s_[:, :, top : top + SH, left : left + SW]


@_forward_of_both(
    says="Your windows begin at i·stride, but end at (i + 1)·KH: the later ones have another size than the first one.",
    hint="With windows of 3 and stride 1, the second one starts at row 1. How many rows has yours?",
)
class EndsAsIfSideBySide:
    def window(self, i, j):
        (top, left), (KH, KW) = self.start(i, j), self.kernel_size
        return np.s_[:, :, top : (i + 1) * KH, left : (j + 1) * KW]


@_forward_of_both(
    says="Your windows have 2×2 pixels, whatever kernel_size is.",
    hint="2 is the size of the example's windows. Which names stand for the size of any window?",
)
class TwoByTwo:
    def extent(self):
        return 2, 2


@_forward_of_both(
    says="Your windows have 2×2 pixels and move on by two, whatever kernel_size and stride are.",
    hint="2 is the size of the example's windows. Which names stand for the size of any window, and for any step?",
)
class TwoByTwoSideBySide(TwoByTwo):
    def start(self, i, j):
        return 2 * i, 2 * j


@_forward_of_both(
    says="Your windows have 2×2 pixels and move on by two, whatever kernel_size and stride are, and the size of y goes by that.",
    hint="2 is the size of the example's windows. Which names stand for the size of any window, and for any step?",
)
class TwoByTwoEverywhere:
    def __init__(self, kernel_size, stride=None):
        super().__init__(2)


@_forward_of_both(
    says="You use the height of the window for its width too.",
    hint="How many rows has a window of (2, 3), and how many columns?",
)
class HeightForWidth:
    def extent(self):
        return (self.kernel_size[0],) * 2


@_forward_of_both(
    says="You use KH and SH for the columns too. Only where the window is not square can anybody see that.",
    hint="How many columns has a window of (2, 3), and how far is it to the next one to its right?",
)
class RowsForColumns(HeightForWidth):
    def start(self, i, j):
        return i * self.stride[0], j * self.stride[0]


@_forward_of_both(
    says="Rows and columns are swapped where you write to y: its row index runs over OW.",
    hint="y is (N, C, OH, OW). Which of your loops counts the rows of windows?",
)
class WritesColumnsFirst:
    def forward(self, x):
        OH, OW = self.size(*x.shape[2:])
        y = np.zeros((*x.shape[:2], OH, OW), x.dtype)
        for i, j in np.ndindex(OH, OW):
            y[:, :, j, i] = self.summary(x[self.window(i, j)])
        return y


@_forward_of_both(
    says="Rows and columns are swapped: y[i, j] looks at the window in row j and column i.",
    hint="y[0, 1] belongs to the second window of the first row. Where does it start?",
)
class WindowsTransposed:
    def start(self, i, j):
        return j * self.stride[0], i * self.stride[1]


@_forward_of_both(
    says="You count the windows from top to bottom, and use that number from left to right too: the map is taken to be square.",
    hint="x is (N, C, H, W). Which of them decides OW?",
)
class SquareMaps:
    def size(self, H, W):
        return (super().size(H, W)[0],) * 2


@_forward_of_both(
    says="Windows that stick out beyond the edge count too.",
    hint="A window counts where all of it lies on the map. What about the rows that are left over at the bottom?",
)
class WindowsBeyondTheEdge:
    def size(self, H, W):
        return -(-H // self.stride[0]), -(-W // self.stride[1])


@_forward_of_both(
    says="The size of y is H // stride by W // stride; the size of the window does not come in.",
    hint="On a row of 6 pixels, how many windows of 3 are there with stride 1? Draw them.",
)
class SizeWithoutTheWindow:
    def size(self, H, W):
        return H // self.stride[0], W // self.stride[1]


@_forward_of_both(
    says="y is one too small along both axes: the first window needs no step, and still counts.",
    hint="On a row of 4 pixels, how many windows of 2 are there with stride 2? What does your formula say?",
)
class NoPlusOne:
    def size(self, H, W):
        OH, OW = super().size(H, W)
        return OH - 1, OW - 1


@_forward_of_both(
    says="The last window along each axis is never visited.",
    hint="range(a, b) ends before b.",
)
class LastWindowNotVisited:
    def forward(self, x):
        y = super().forward(x)
        y[:, :, -1:] = y[:, :, :, -1:] = 0
        return y


@_forward_of_both(
    says="You reshape the map into windows, but reshape keeps neighbours in a row together: "
    "your windows are pieces of rows. The shape is right, and the numbers are others.",
    hint="Number the pixels of a 4×4 map by hand. Which four share a window, and which four share a row of your reshape?",
)
class PiecesOfRows:
    def forward(self, x):
        OH, OW = self.size(*x.shape[2:])
        return self.summary_of_last(x.reshape(*x.shape[:2], OH, OW, *self.kernel_size))

    def summary_of_last(self, windows):
        N, C, OH, OW, KH, KW = windows.shape
        return self.summary(windows.reshape(N, C * OH * OW, KH, KW)).reshape(N, C, OH, OW)


@_forward_of_both(
    says="Cutting the map up by a reshape works only where windows lie side by side and nothing is left over.",
    hint="A reshape uses every number exactly once. What about windows that overlap, or a row that no window reaches?",
)
class ReshapeThatMustFit(PiecesOfRows):
    def forward(self, x):
        N, C, H, W = x.shape
        (OH, OW), (KH, KW) = self.size(H, W), self.kernel_size
        windows = x.reshape(N, C, OH, KH, OW, KW)
        return self.summary_of_last(windows.transpose(0, 1, 2, 4, 3, 5))


@_forward_of_both(
    says="Your windows go through all channels: every channel of y is the same.",
    hint="Pooling makes maps smaller. How many are there before, and how many after it?",
)
class OneWindowForAllChannels:
    def summary(self, window):
        N, C, KH, KW = window.shape
        return super().summary(window.reshape(N, 1, C * KH, KW))


@_forward_of_both(
    says="Your windows go through all channels, and the channel axis is gone.",
    hint="Pooling makes maps smaller. How many are there before, and how many after it?",
)
class ChannelsGone(OneWindowForAllChannels):
    def forward(self, x):
        return super().forward(x)[:, 0]


@_forward_of_both(
    says="Your windows go through all pictures of the batch: every picture of y is the same.",
    hint="Whatever happens to one picture, does the one beside it have a say?",
)
class OneWindowForAllPictures:
    def summary(self, window):
        N, C, KH, KW = window.shape
        return super().summary(window.transpose(1, 0, 2, 3).reshape(1, C, N * KH, KW))


@_forward_of_both(
    says="Your windows go through all pictures and all channels: every map of y is the same.",
    hint="A window is a piece of one map: one picture, one channel.",
)
class OneWindowForAllMaps:
    def summary(self, window):
        N, C, KH, KW = window.shape
        return super().summary(window.reshape(1, 1, N * C * KH, KW))


@_forward_of_both(
    says="You take one pixel of each window, its upper left one, and never look at the others.",
    hint="x[::stride] picks. What has to happen to what lies between?",
)
class OnlyTheCorner:
    def summary(self, window):
        return window[:, :, 0, 0]


@_forward_of_both(
    says="Your summary is taken over the whole map: every window of a map says the same.",
    hint="Which part of x may y[n, c, i, j] look at?",
)
class WholeMap:
    def forward(self, x):
        return np.zeros_like(super().forward(x)) + self.summary(x)[:, :, None, None]


@_forward_of_both(
    says="Only the first window of the first map is filled in, and then your function is done.",
    hint="How deep is your return indented?",
)
class ReturnsAfterOneWindow:
    def forward(self, x):
        return _only(super().forward(x), np.s_[0, 0, 0, 0])


@_forward_of_both(
    says="Only the first row of windows of the first map is filled in, and then your function is done.",
    hint="How deep is your return indented?",
)
class ReturnsAfterOneRow:
    def forward(self, x):
        return _only(super().forward(x), np.s_[0, 0, 0])


@_forward_of_both(
    says="Only the first map is filled in, and then your function is done.",
    hint="How deep is your return indented?",
)
class ReturnsAfterOneMap:
    def forward(self, x):
        return _only(super().forward(x), np.s_[0, 0])


def _only(a, part):
    """The array with nothing but zeros outside the part."""
    kept = np.zeros_like(a)
    kept[part] = a[part]
    return kept


# ---------------------------------------------------------------- max-pool, forward: what of each window


@misconception(
    "maxpool_forward",
    says="Where all of a window is negative, you return 0, though 0 isn't there. "
    "A largest number so far that begins at 0 does that, and so does filling up with zeros.",
    hint="What is the largest of −3, −1 and −2? What does your code hold before it has seen any of them?",
)
class StartsAtZero(_MaxForward):
    def summary(self, window):
        return np.maximum(window.max(axis=(2, 3)), 0)


class _KeepsTheLargest(_MaxForward):
    """A largest number so far that is set anew in none but the outer loops."""

    def forward(self, x):
        y = super().forward(x)
        so_far = np.maximum.accumulate(y.reshape(*y.shape[: self.loops], -1), axis=-1)
        return so_far.reshape(y.shape)


for _loops in range(4):
    misconception(
        "maxpool_forward",
        says="The largest number so far is not forgotten when the next window begins.",
        hint="Where in your loops is it set, and for how many windows?",
    )(type(f"KeepsTheLargest{_loops}", (_KeepsTheLargest,), {"loops": _loops}))


@misconception(
    "maxpool_forward",
    says="You keep the number that is largest without its sign.",
    hint="Which one is larger, −5 or 2?",
)
class LargestWithoutSign(_MaxForward):
    def summary(self, window):
        flat = window.reshape(*window.shape[:2], -1)
        return np.take_along_axis(flat, np.abs(flat).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]


@misconception(
    "maxpool_forward",
    says="You return the absolute value of a number of the window, the largest one there is.",
    hint="Pooling picks a number of the window, and changes none.",
)
class LargestAbsoluteValue(_MaxForward):
    def summary(self, window):
        return np.abs(window).max(axis=(2, 3))


@misconception(
    "maxpool_forward",
    says="You keep the smallest number of each window.",
    hint="What is the M in MaxPool2D?",
)
class Smallest(_MaxForward):
    def summary(self, window):
        return window.min(axis=(2, 3))


@misconception(
    "maxpool_forward",
    says="You return where the maximum is, not the maximum.",
    hint="argmax gives a place, max gives a number. Which of the two goes on to the next layer?",
)
class PlaceOfTheMaximum(_MaxForward):
    def summary(self, window):
        return window.reshape(*window.shape[:2], -1).argmax(axis=2)


@misconception(
    "maxpool_forward",
    says="You return where the maximum is, as a whole number, not the maximum.",
    hint="argmax gives a place, max gives a number. Which of the two goes on to the next layer?",
)
class WholePlaceOfTheMaximum(PlaceOfTheMaximum):
    def forward(self, x):
        return super().forward(x).astype(int)


@misconception(
    "maxpool_forward",
    says="You add each window up.",
    hint="What is the M in MaxPool2D?",
)
class SumForMaximum(_MaxForward):
    def summary(self, window):
        return window.sum(axis=(2, 3))


@misconception(
    "maxpool_forward",
    says="You average each window. That is what the other pool does.",
    hint="What is the M in MaxPool2D?",
)
class AverageForMaximum(_MaxForward):
    def summary(self, window):
        return window.mean(axis=(2, 3))


# ---------------------------------------------------------------- average pool, forward


@misconception(
    "avgpool_forward",
    says="You add the window up, and do not divide.",
    hint="What is the average of four equal numbers? What does your window say?",
)
class NotDivided(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3))


@misconception(
    "avgpool_forward",
    says="You divide by the area of one step, stride times stride, not by how many numbers you added. "
    "As long as windows lie side by side, the two are the same.",
    hint="With a window of 3×3 and stride 1, how many numbers does a sum have?",
)
class DividedByTheStep(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3)) / window.dtype.type(np.prod(self.stride))


@misconception(
    "avgpool_forward",
    says="You divide by KH·KH, as if every window were square.",
    hint="How many pixels has a window of 2×3?",
)
class DividedByHeightSquared(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3)) / window.dtype.type(self.kernel_size[0] ** 2)


@misconception(
    "avgpool_forward",
    says="You divide by KW·KW, as if every window were square.",
    hint="How many pixels has a window of 2×3?",
)
class DividedByWidthSquared(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3)) / window.dtype.type(self.kernel_size[1] ** 2)


@misconception(
    "avgpool_forward",
    says="You divide by the number of rows of the window only.",
    hint="How many numbers did you add?",
)
class DividedByHeight(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3)) / window.dtype.type(self.kernel_size[0])


@misconception(
    "avgpool_forward",
    says="You divide by the number of columns of the window only.",
    hint="How many numbers did you add?",
)
class DividedByWidth(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3)) / window.dtype.type(self.kernel_size[1])


@misconception(
    "avgpool_forward",
    says="You divide by KH, and then multiply by KW.",
    hint="Python goes from left to right: what is 12 / 2 * 3?",
)
class DividedAndMultiplied(_AvgForward):
    def summary(self, window):
        KH, KW = map(window.dtype.type, self.kernel_size)
        return window.sum(axis=(2, 3)) / KH * KW


@misconception(
    "avgpool_forward",
    says="You divide by KH + KW.",
    hint="How many pixels has a window of 2×3? Draw it and count.",
)
class DividedByTheSumOfSides(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3)) / window.dtype.type(sum(self.kernel_size))


@misconception(
    "avgpool_forward",
    says="Your averages are rounded down to whole numbers.",
    hint="What does // do to 7 // 4?",
)
class RoundedDown(_AvgForward):
    def summary(self, window):
        return window.sum(axis=(2, 3)) // np.prod(self.kernel_size)


@misconception(
    "avgpool_forward",
    says="You keep the largest number of each window. That is what the other pool does.",
    hint="What is the A in AvgPool2D?",
)
class MaximumForAverage(_AvgForward):
    def summary(self, window):
        return window.max(axis=(2, 3))


# ---------------------------------------------------------------- backward: which windows


@_backward_of_both(
    says="In backward, your windows move on by one pixel each time: the stride is missing there.",
    hint="Which pixels did y[1, 1] look at? Its gradient can go nowhere else.",
    memories=(_MaxByPlace, _MaxByValue),
)
class StrideForgottenOnTheWayBack:
    def start(self, i, j):
        return i, j


@_backward_of_both(
    says="In backward, your windows lie side by side, whatever the stride. That is right only where stride and window are the same.",
    hint="Which pixels did y[1, 1] look at? Its gradient can go nowhere else.",
    memories=(_MaxByPlace, _MaxByValue),
)
class SideBySideOnTheWayBack:
    def start(self, i, j):
        return i * self.kernel_size[0], j * self.kernel_size[1]


@_backward_of_both(
    says="In backward, the stride is applied to the rows, but not to the columns.",
    hint="Compare the two slices of your window, or the two indices that you write to.",
    memories=(_MaxByPlace, _MaxByValue),
)
class StrideOnRowsOnTheWayBack:
    def start(self, i, j):
        return i * self.stride[0], j


@_backward_of_both(
    says="In backward, you use the step of the rows for the columns too. Only where the window is not square can anybody see that.",
    hint="With windows of 2×3 side by side, how far is it from one to the next to its right?",
    memories=(_MaxByPlace, _MaxByValue),
)
class RowStepOnTheWayBack:
    def start(self, i, j):
        return i * self.stride[0], j * self.stride[0]


@_backward_of_both(
    says="In backward, rows and columns are swapped: dy[i, j] goes to the window in row j and column i.",
    hint="Which window did y[0, 1] look at? Its gradient can go nowhere else.",
    memories=(_MaxByPlace, _MaxByValue),
)
class TransposedOnTheWayBack:
    def start(self, i, j):
        return j * self.stride[0], i * self.stride[1]


@_backward_of_both(
    says="In backward, your window lies on its side: KH and KW are swapped.",
    hint="The first of the two image axes is the row. How many rows does a window of (2, 3) have?",
)
class OnItsSideOnTheWayBack:
    def extent(self):
        return self.kernel_size[::-1]


@_backward_of_both(
    says="In backward, each window ends where the next one begins, so a pixel hears of one window only.",
    hint="With windows of 3 and stride 1, which rows did y[0, 0] look at? And y[1, 0]?",
    memories=(_MaxByValue,),
)
class EndsWhereTheNextBeginsOnTheWayBack:
    def window(self, i, j):
        (top, left), (SH, SW) = self.start(i, j), self.stride
        return np.s_[:, :, top : top + SH, left : left + SW]


@_backward_of_both(
    says="In backward, your windows begin at i·stride, but end at (i + 1)·KH: the later ones have another size than the first one.",
    hint="With windows of 3 and stride 1, the second one starts at row 1. How many rows has yours?",
)
class EndsAsIfSideBySideOnTheWayBack:
    def window(self, i, j):
        (top, left), (KH, KW) = self.start(i, j), self.kernel_size
        return np.s_[:, :, top : (i + 1) * KH, left : (j + 1) * KW]


@_backward_of_both(
    says="In backward, your windows have 2×2 pixels, whatever kernel_size is.",
    hint="2 is the size of the example's windows. Which names stand for the size of any window?",
)
class TwoByTwoOnTheWayBack:
    def extent(self):
        return 2, 2


@_backward_of_both(
    says="In backward, your windows have 2×2 pixels and move on by two, whatever kernel_size and stride are.",
    hint="2 is the size of the example's windows. Which names stand for the size of any window, and for any step?",
)
class TwoByTwoSideBySideOnTheWayBack(TwoByTwoOnTheWayBack):
    def start(self, i, j):
        return 2 * i, 2 * j


@_backward_of_both(
    says="In backward, you use the height of the window for its width too.",
    hint="How many rows has a window of (2, 3), and how many columns?",
)
class HeightForWidthOnTheWayBack:
    def extent(self):
        return (self.kernel_size[0],) * 2


@_backward_of_both(
    says="Rows and columns are swapped where you read dy: its row index runs over OW.",
    hint="dy is (N, C, OH, OW), like y. Which of your loops counts the rows of windows?",
)
class ReadsColumnsFirst:
    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            window = self.window(i, j)
            dx[window] += self.share(window, i, j) * dy[:, :, j, i, None, None]
        return dx


# ---------------------------------------------------------------- backward: how it is written down


@_backward_of_both(
    says="Each window wipes out what an earlier one wrote where the two overlap. That is what = does.",
    hint="A pixel that two windows look at feeds two outputs. What does it get from each, and what does it get in all?",
)
class WindowsWipeOut:
    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            window = self.window(i, j)
            dx[window] = self.share(window, i, j) * dy[:, :, i, j, None, None]
        return dx


@_backward_of_both(
    says="Where windows overlap, later shares wipe out earlier ones. "
    "That is what = does, one position of the window after the other.",
    hint="A pixel that two windows look at feeds two outputs. What does it get from each, and what does it get in all?",
)
class PositionsWipeOut:
    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        (OH, OW), (SH, SW) = dy.shape[2:], self.stride
        shares = np.zeros((*dy.shape, *self.kernel_size), dy.dtype)
        for i, j in np.ndindex(OH, OW):
            shares[:, :, i, j] = self.share(self.window(i, j), i, j) * dy[:, :, i, j, None, None]
        for k, m in np.ndindex(self.kernel_size):
            dx[:, :, k : k + OH * SH : SH, m : m + OW * SW : SW] = shares[..., k, m]
        return dx


@_backward_of_both(
    says="Where windows overlap, you average what they send. A pixel that feeds two outputs moves the loss through both.",
    hint="The chain rule adds up over all the ways from a pixel to the loss. Does it ever divide by their number?",
)
class AveragedOverWindows:
    def backward(self, dy):
        count = np.zeros(self.x.shape[2:], dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            count[self.window(i, j)[2:]] += 1
        return super().backward(dy) / np.maximum(count, 1)


@_backward_of_both(
    says="Your dx ends where the last window ends; the pixels that no window reaches are missing.",
    hint="Which shape did x have? What does the loss do when a pixel changes that nobody looks at?",
)
class EndsWithTheLastWindow:
    def backward(self, dy):
        OH, OW = dy.shape[2:]
        top, left = self.start(OH - 1, OW - 1)
        KH, KW = self.kernel_size
        return super().backward(dy)[:, :, : top + KH, : left + KW]


@_backward_of_both(
    says="The last window along each axis never sends its gradient.",
    hint="range(a, b) ends before b.",
)
class LastWindowSendsNothing:
    def backward(self, dy):
        dy = dy.copy()
        dy[:, :, -1:] = dy[:, :, :, -1:] = 0
        return super().backward(dy)


@_backward_of_both(
    says="Only the first window of the first map sends its gradient, and then your function is done.",
    hint="How deep is your return indented?",
)
class ReturnsAfterOneGradient:
    def backward(self, dy):
        return super().backward(_only(dy, np.s_[0, 0, 0, 0]))


@_backward_of_both(
    says="Only the first row of windows of the first map sends its gradients, and then your function is done.",
    hint="How deep is your return indented?",
)
class ReturnsAfterOneRowOfGradients:
    def backward(self, dy):
        return super().backward(_only(dy, np.s_[0, 0, 0]))


@_backward_of_both(
    says="Only the first map gets its gradients, and then your function is done.",
    hint="How deep is your return indented?",
)
class ReturnsAfterOneMapOfGradients:
    def backward(self, dy):
        return super().backward(_only(dy, np.s_[0, 0]))


@_backward_of_both(
    says="Your gradients pile up: a second call of backward adds to what the first one left.",
    hint="Where is dx filled with zeros, and how often?",
)
class PilesUp:
    dx = 0

    def forward(self, x):
        self.dx = 0
        return super().forward(x)

    def backward(self, dy):
        self.dx = self.dx + super().backward(dy)
        return self.dx


@_backward_of_both(
    says="Your gradients pile up: a second call of backward adds to what the first one left, in the very array "
    "that was handed out before.",
    hint="Where is dx made, and how often?",
)
class PilesUpInOneArray:
    def forward(self, x):
        self.dx = None
        return super().forward(x)

    def backward(self, dy):
        dx = super().backward(dy)
        if self.dx is None:
            self.dx = np.zeros_like(dx)
        self.dx += dx
        return self.dx


@_backward_of_both(
    says="You return zeros, so nothing before this layer can ever learn.",
    hint="Pooling has no parameters of its own, and still the layers before it need their gradient.",
)
class CutsTheGraph:
    def backward(self, dy):
        return np.zeros(self.x.shape, dy.dtype)


@_backward_of_both(
    says="You send the whole gradient to the upper left pixel of each window.",
    hint="Nudge another pixel of the window. Does y move?",
)
class AllToTheCorner:
    def share(self, window, i, j):
        corner = np.zeros(self.kernel_size, bool)
        corner[0, 0] = True
        return corner


@_backward_of_both(
    says="You give the whole gradient to every pixel of the window.",
    hint="Add up dx, and add up dy. A window can hand on no more than it got.",
)
class WholeGradientToEveryPixel:
    def share(self, window, i, j):
        return np.ones(self.kernel_size, bool)


# ---------------------------------------------------------------- max-pool, backward: who gets it


@misconception(
    "maxpool_backward",
    says="A pixel that wins several windows keeps only the last one's gradient. "
    "That is what = does, and so does += on an array of indices: an index that comes twice counts once.",
    hint="A pixel that wins two windows feeds two outputs. What does it get from each, and what does it get in all?",
)
class LastWinKept(_MaxBackward):
    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            window = self.window(i, j)
            won = self.share(window, i, j)
            dx[window] = np.where(won, dy[:, :, i, j, None, None], dx[window])
        return dx


@misconception(
    "maxpool_backward",
    says="Where several pixels share the maximum, each of them gets the whole gradient. "
    "Together they get more than the window was given.",
    hint="A window gets one number from dy. Add up what it hands on.",
)
class WholeGradientToEveryTie(_MaxBackward):
    def share(self, window, i, j):
        return self.x[window] == self.x[window].max(axis=(2, 3), keepdims=True)


@misconception(
    "maxpool_backward",
    says="Where several pixels share the maximum, none of them gets a gradient.",
    hint="A window gets one number from dy. Add up what it hands on.",
)
class NothingToTies(WholeGradientToEveryTie):
    def share(self, window, i, j):
        largest = super().share(window, i, j)
        return largest & (largest.sum(axis=(2, 3), keepdims=True) == 1)


@misconception(
    "maxpool_backward",
    says="You look for the maximum's value in the whole map: pixels outside the window that have the same value get its gradient too.",
    hint="y[i, j] is the maximum of one window. May a pixel that lies elsewhere get its gradient?",
)
class SoughtInTheWholeMap(_MaxBackward):
    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            there = np.s_[:, :, i, j, None, None]
            dx += (self.x == self.y[there]) * dy[there]
        return dx


@misconception(
    "maxpool_backward",
    says="You look for the maximum's value in the whole batch: pixels of other maps that have the same value get its gradient too.",
    hint="y[n, c, i, j] is the maximum of one window in one map. May a pixel that lies elsewhere get its gradient?",
)
class SoughtInTheWholeBatch(_MaxBackward):
    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for index in np.ndindex(dy.shape):
            dx += (self.x == self.y[index]) * dy[index]
        return dx


@misconception(
    "maxpool_backward",
    says="Only the largest pixel of each whole map gets a gradient.",
    hint="How many windows are there, and how many winners must there be?",
)
class OneWinnerForEachMap(_MaxBackward):
    def share(self, window, i, j):
        return self.x[window] == self.x.max(axis=(2, 3), keepdims=True)


@misconception(
    "maxpool_backward",
    says="You put a 1 where the maximum was, and what dy says is lost.",
    hint="Chain rule: upstream gradient times slope. The slope is 1 there; what is the upstream gradient?",
)
class MaskWithoutDy(_MaxBackward):
    def backward(self, dy):
        return super().backward(np.ones_like(dy))


@misconception(
    "maxpool_backward",
    says="You put a 1 where the maximum was, once for all windows that it won, and what dy says is lost.",
    hint="Chain rule: upstream gradient times slope. The slope is 1 there; what is the upstream gradient?",
)
class OneForEachWinner(_MaxBackward):
    def backward(self, dy):
        return np.minimum(super().backward(np.ones_like(dy)), 1)


@misconception(
    "maxpool_backward",
    says="A pixel that wins several windows gets the average of their gradients. It moves the loss through each of them.",
    hint="The chain rule adds up over all the ways from a pixel to the loss. Does it ever divide by their number?",
)
class AveragedOverWins(_MaxBackward):
    def backward(self, dy):
        wins = super().backward(np.ones_like(dy))
        return super().backward(dy) / np.maximum(wins, 1)


@misconception(
    "maxpool_backward",
    says="You put the maximum itself back where it was: its value, not its gradient.",
    hint="backward carries gradients. Where in your code does dy come in?",
)
class MaskTimesValue(_MaxBackward):
    def backward(self, dy):
        return super().backward(self.y)


@misconception(
    "maxpool_backward",
    says="You multiply dy by the maximum. That is the rule for a product y = w·x, and nothing is multiplied here.",
    hint="If you nudge the largest pixel by a little, by how much does y change?",
)
class TimesTheMaximum(_MaxBackward):
    def backward(self, dy):
        return super().backward(dy * self.y)


@misconception(
    "maxpool_backward",
    says="Where the maximum of a window is negative, it gets no gradient. "
    "That is ReLU's rule, or a largest number so far that began at 0.",
    hint="The largest of −3, −1 and −2 went on to the next layer. Who gets the gradient that comes back?",
)
class NothingToNegativeWinners(_MaxBackward):
    def share(self, window, i, j):
        return super().share(window, i, j) & (self.x[window] > 0)


@misconception(
    "maxpool_backward",
    says="Every positive pixel of a window gets the whole gradient. That is ReLU's rule.",
    hint="Nudge a pixel that is positive, but not the largest. Does y move?",
)
class ToAllPositive(_MaxBackward):
    def share(self, window, i, j):
        return self.x[window] > 0


@misconception(
    "maxpool_backward",
    says="The largest pixel of each row of a window gets the gradient, so a window hands it on several times.",
    hint="How many winners has a window? Over which axes do you look for them?",
)
class AWinnerInEachRow(_MaxBackward):
    def share(self, window, i, j):
        return self.x[window] == self.x[window].max(axis=3, keepdims=True)


@misconception(
    "maxpool_backward",
    says="You spread the gradient evenly over the window. That is what the other pool does.",
    hint="Nudge a pixel that is not the largest. Does y move?",
)
class SpreadEvenly(_MaxBackward):
    def share(self, window, i, j):
        return 1 / np.prod(self.kernel_size)


@misconception(
    "maxpool_backward",
    says="The gradient goes to the smallest pixel of each window.",
    hint="Nudge the smallest pixel by a little. Does y move?",
)
class ToTheSmallest(_MaxBackward):
    def share(self, window, i, j):
        return _first_largest(-self.x[window])


@misconception(
    "maxpool_backward",
    says="The gradient goes to the pixel that is largest without its sign.",
    hint="Which pixel did forward choose in a window that holds −5 and 2?",
)
class ToTheLargestWithoutSign(_MaxBackward):
    def share(self, window, i, j):
        return _first_largest(np.abs(self.x[window]))


@misconception(
    "maxpool_backward",
    says="Row and column of the winner are swapped within its window.",
    hint="argmax counts the pixels of a window row by row. In a window of 2×2, which pixel has number 1?",
)
class WinnerTransposed(_MaxByPlace, _MaxBackward):
    def place(self, i, j, winner):
        (top, left), (k, m) = self.start(i, j), divmod(winner, self.kernel_size[1])
        return top + m, left + k


@misconception(
    "maxpool_backward",
    says="You divide the winner's number by KH to get its row. Only where the window is not square can anybody see that.",
    hint="argmax counts the pixels of a window row by row. How many are there in a row?",
)
class DividedByTheWrongSide(_MaxByPlace, _MaxBackward):
    def place(self, i, j, winner):
        (top, left), (k, m) = self.start(i, j), divmod(winner, self.kernel_size[0])
        return top + k, left + m


@misconception(
    "maxpool_backward",
    says="Rows and columns are swapped where you write to dx.",
    hint="dx is (N, C, H, W). Which of your two indices is the row?",
)
class WritesColumnsFirstOnTheWayBack(_MaxByPlace, _MaxBackward):
    def place(self, i, j, winner):
        return super().place(i, j, winner)[::-1]


@misconception(
    "maxpool_backward",
    says="You take the winner's number apart by the width of the map. argmax of a window counts along the window's own rows.",
    hint="In a window of 2×3, which pixel has number 3? Does it matter how large the map is?",
)
class DividedByTheWidthOfTheMap(_MaxByPlace, _MaxBackward):
    def place(self, i, j, winner):
        (top, left), (k, m) = self.start(i, j), divmod(winner, self.x_shape[3])
        return top + k, left + m


@misconception(
    "maxpool_backward",
    says="The winner's place within its window is used as its place on the map, so all gradients gather in the upper left corner.",
    hint="argmax of a window counts from the window's own corner. Where on the map is that?",
)
class PlaceInTheWindow(_MaxByPlace, _MaxBackward):
    def place(self, i, j, winner):
        return divmod(winner, self.kernel_size[1])


@misconception(
    "maxpool_backward",
    says="You take the winner's number apart column by column, but argmax counts row by row.",
    hint="In a window of 2×3, which pixel has number 1?",
)
class NumberedColumnByColumn(_MaxByPlace, _MaxBackward):
    def place(self, i, j, winner):
        (top, left), (m, k) = self.start(i, j), divmod(winner, self.kernel_size[0])
        return top + k, left + m


@misconception(
    "maxpool_backward",
    says="The winner's number within its window is used as its number on the map, so all gradients gather in the first row.",
    hint="argmax of a window counts from the window's own corner. Where on the map is that?",
)
class NumberInTheWindow(_MaxByPlace, _MaxBackward):
    def place(self, i, j, winner):
        return divmod(winner, self.x_shape[3])


@misconception(
    "maxpool_backward",
    says="The winners of one picture are used for all pictures of the batch.",
    hint="Each picture has maxima of its own. Over which axes does your argmax run?",
)
class WinnersOfTheFirstPicture(_MaxBackward):
    def share(self, window, i, j):
        return super().share(window, i, j)[:1]


@misconception(
    "maxpool_backward",
    says="The winners of one channel are used for all channels.",
    hint="Each channel has maxima of its own. Over which axes does your argmax run?",
)
class WinnersOfTheFirstChannel(_MaxBackward):
    def share(self, window, i, j):
        return super().share(window, i, j)[:, :1]


@misconception(
    "maxpool_backward",
    says="Your layer keeps what it saw in its first forward: the winners of an old batch get the new gradient.",
    hint="What does your forward write down each time, and what only once?",
)
class KeepsTheFirstWinners(_MaxBackward):
    first = None

    def forward(self, x):
        y = super().forward(x)
        self.first = self.x if self.first is None else self.first
        return y

    def backward(self, dy):
        dx = np.zeros(self.first.shape, dy.dtype)
        self.x = self.first[: len(dy)]
        dx[: len(dy)] = super().backward(dy)
        return dx


@misconception(
    "maxpool_backward",
    says="Your layer keeps who won in its first forward: the winners of an old batch get the new gradient.",
    hint="What does your forward write down each time, and what only once?",
)
class KeepsTheFirstIndices(_MaxByPlace, _MaxBackward):
    first = None

    def forward(self, x):
        y = super().forward(x)
        self.first = self.winner if self.first is None else self.first
        self.winner = self.first
        return y

    def backward(self, dy):
        if dy.shape != self.winner.shape:
            raise ValueError("the winners of another batch don't fit")
        return super().backward(dy)


@misconception(
    "maxpool_backward",
    says="What forward remembers is kept in one place for all layers, so a second pool overwrites the first one's.",
    hint="Each layer needs a memory of its own. Where does `self` come in?",
)
class SharesItsMemory(_MaxBackward):
    last = None

    def forward(self, x):
        SharesItsMemory.last = x
        return super().forward(x)

    def backward(self, dy):
        self.x = SharesItsMemory.last
        return super().backward(dy)


# ---------------------------------------------------------------- average pool, backward: which share


@misconception(
    "avgpool_backward",
    says="You give each pixel of the window one share of 1, and what dy says is lost.",
    hint="Chain rule: upstream gradient times slope. You have the slope; what is the upstream gradient?",
)
class ShareWithoutDy(_AvgBackward):
    def backward(self, dy):
        return super().backward(np.ones_like(dy))


@misconception(
    "avgpool_backward",
    says="You divide by the area of one step, stride times stride, not by how many pixels share. "
    "As long as windows lie side by side, the two are the same.",
    hint="With a window of 3×3 and stride 1, how many pixels does one output look at?",
)
class SharesOfTheStep(_AvgBackward):
    def share(self, window, i, j):
        return 1 / np.prod(self.stride)


@misconception(
    "avgpool_backward",
    says="You divide by KH·KH, as if every window were square.",
    hint="How many pixels share the gradient of a window of 2×3?",
)
class SharesOfHeightSquared(_AvgBackward):
    def share(self, window, i, j):
        return 1 / self.kernel_size[0] ** 2


@misconception(
    "avgpool_backward",
    says="You divide by KW·KW, as if every window were square.",
    hint="How many pixels share the gradient of a window of 2×3?",
)
class SharesOfWidthSquared(_AvgBackward):
    def share(self, window, i, j):
        return 1 / self.kernel_size[1] ** 2


@misconception(
    "avgpool_backward",
    says="You divide by the number of rows of the window only.",
    hint="Among how many pixels is the gradient of one output shared?",
)
class SharesOfHeight(_AvgBackward):
    def share(self, window, i, j):
        return 1 / self.kernel_size[0]


@misconception(
    "avgpool_backward",
    says="You divide by the number of columns of the window only.",
    hint="Among how many pixels is the gradient of one output shared?",
)
class SharesOfWidth(_AvgBackward):
    def share(self, window, i, j):
        return 1 / self.kernel_size[1]


@misconception(
    "avgpool_backward",
    says="You divide by KH, and then multiply by KW.",
    hint="Python goes from left to right: what is 12 / 2 * 3?",
)
class SharesMultiplied(_AvgBackward):
    def share(self, window, i, j):
        return self.kernel_size[1] / self.kernel_size[0]


@misconception(
    "avgpool_backward",
    says="You divide by the number of windows that a pixel is in, not by the number of pixels that share.",
    hint="How many pixels does one output look at?",
)
class SharesOfTheWindows(_AvgBackward):
    def backward(self, dy):
        count = np.zeros(self.x.shape[2:], dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            count[self.window(i, j)[2:]] += 1
        return super().backward(dy) / np.maximum(count, 1)

    def share(self, window, i, j):
        return 1


@misconception(
    "avgpool_backward",
    says="You divide by the number of pixels of the whole map.",
    hint="How many pixels does one output look at?",
)
class SharesOfTheMap(_AvgBackward):
    def share(self, window, i, j):
        return 1 / np.prod(self.x_shape[2:])


@misconception(
    "avgpool_backward",
    says="You divide by the number of outputs, OH·OW.",
    hint="Among how many pixels is the gradient of one output shared?",
)
class SharesOfTheOutputs(_AvgBackward):
    def share(self, window, i, j):
        return 1 / np.prod(self.y.shape[2:])


@misconception(
    "avgpool_backward",
    says="The shares are rounded down to whole numbers.",
    hint="What does // do to 7 // 4?",
)
class WholeShares(_AvgBackward):
    def backward(self, dy):
        dx = np.zeros(self.x.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape[2:]):
            dx[self.window(i, j)] += dy[:, :, i, j, None, None] // np.prod(self.kernel_size)
        return dx


@misconception(
    "avgpool_backward",
    says="You multiply each share by the pixel's value. That is the rule for a product y = w·x with w to be learnt, and nothing is learnt here.",
    hint="If you nudge one pixel by a little, by how much does the average change? Does it matter how bright the pixel was?",
)
class TimesThePixel(_AvgBackward):
    def share(self, window, i, j):
        return super().share(window, i, j) * self.x[window]


@misconception(
    "avgpool_backward",
    says="The gradient goes to the largest pixel of each window. That is what the other pool does.",
    hint="Nudge a pixel that is not the largest. Does the average move?",
)
class ToTheLargest(_AvgBackward):
    def share(self, window, i, j):
        return _first_largest(self.x[window])


@misconception(
    "avgpool_backward",
    says="Your layer keeps the shape of its first batch for ever.",
    hint="The last batch of an epoch is often shorter. When does your layer write the shape down?",
)
class KeepsTheFirstShape(_AvgBackward):
    first = None

    def forward(self, x):
        y = super().forward(x)
        self.first = self.x if self.first is None else self.first
        return y

    def backward(self, dy):
        dx = np.zeros(self.first.shape, dy.dtype)
        N, _, H, W = self.x.shape
        dx[:N, :, :H, :W] = super().backward(dy)
        return dx


@misconception(
    "avgpool_backward",
    says="The shape is kept in one place for all layers, so a second pool overwrites the first one's.",
    hint="Each layer needs a memory of its own. Where does `self` come in?",
)
class SharesItsShape(_AvgBackward):
    last = None

    def forward(self, x):
        SharesItsShape.last = x.shape
        return super().forward(x)

    def backward(self, dy):
        dx = np.zeros(SharesItsShape.last, dy.dtype)
        _, _, H, W = self.x.shape
        dx[:, :, :H, :W] = super().backward(dy)
        return dx
