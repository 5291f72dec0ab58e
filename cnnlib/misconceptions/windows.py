"""What goes wrong wherever a window slides over a map, in a convolution and in both pools."""

# fmt: off

import numpy as np

from cnnlib.misconceptions.changes import Slip, slip
from cnnlib.misconceptions.structure import after


class Windows:
    """Which pixels an output looks at; for a layer with a kernel_size and a stride."""

    padding = 0

    def steps(self): return self.stride if isinstance(self.stride, tuple) else (self.stride,) * 2
    def size(self, H, W): return self.fits(H, W)

    def fits(self, H, W):
        (KH, KW), (SH, SW), p = self.kernel_size, self.steps(), self.padding
        return _fit(H + 2 * p, KH, SH), _fit(W + 2 * p, KW, SW)

    def window(self, i, j):
        (top, left), (KH, KW) = self.start(i, j), self.extent()
        return np.s_[:, :, top : top + KH, left : left + KW]

    def start(self, i, j):
        SH, SW = self.steps()
        return i * SH, j * SW

    def extent(self): return self.kernel_size

    def place(self, i, j):
        """Where the window in row i and column j stands in y, and in dy."""
        return i, j


class Forward(Windows):
    """A right forward, one window at a time; each is made into one number for each map of y."""

    def forward(self, x):
        self.seen, source = x, self.source(x)
        y = np.zeros((len(x), self.maps(x), *self.size(*x.shape[2:])), x.dtype)
        for i, j in np.ndindex(y.shape[2:]):
            y[:, :, *self.place(i, j)] = self.summary(source[self.window(i, j)])
        return y

    def backward(self, dy):
        super().forward(self.seen)  # notes down what the right way back needs
        return super().backward(dy)

    def source(self, x): return x
    def maps(self, x): return x.shape[1]


def from_the_end(a, axes):
    """What ``a[-k]`` finds for k = 0, 1, 2, …: the first, then the last, and so on backwards."""
    return np.roll(np.flip(a, axes), 1, axes)


def unmoved(a):
    """What a reshape to (F, N, …) makes of (N, F, …), where the axes should have been moved; as (N, F, …) again."""
    return a.reshape(a.swapaxes(0, 1).shape).swapaxes(0, 1)


def only(part):
    """What is left of an array where nothing but one part of it is filled."""

    def change(layer, a, N):
        kept = np.zeros_like(a)
        kept[part] = a[part]
        return kept

    return change


def goes_on(last):
    """A sum that isn't set back to 0 over the last so many axes."""

    def change(layer, y, N):
        bias = layer.b.reshape(-1, *(1,) * (y.ndim - 2)).astype(y.dtype)
        return np.cumsum((y - bias).reshape(*y.shape[: y.ndim - last], -1), axis=-1).reshape(y.shape) + bias

    return change


def _without_the_last(layer, y, N):
    y = y.copy()
    y[:, :, -1:] = y[:, :, :, -1:] = 0
    return y


def _fit(length, size, step): return (length - size) // step + 1


def _stops_before_the_last_start(self, H, W):
    (KH, KW), steps, p = self.kernel_size, self.steps(), self.padding
    rooms = (H + 2 * p - KH, W + 2 * p - KW)
    return tuple(len(range(0, room, step)) for room, step in zip(rooms, steps, strict=True))


def _a_stride_between_its_pixels(self, i, j):
    (SH, SW), (KH, KW) = self.steps(), self.extent()
    return np.s_[:, :, i : i + KH * SH : SH, j : j + KW * SW : SW]


def _ends_where_the_next_begins(self, i, j):
    (top, left), (SH, SW) = self.start(i, j), self.steps()
    return np.s_[:, :, top : top + SH, left : left + SW]


def _ends_as_if_side_by_side(self, i, j):
    (top, left), (KH, KW) = self.start(i, j), self.kernel_size
    return np.s_[:, :, top : (i + 1) * KH, left : (j + 1) * KW]


_TWO = "2 is the size of the example's windows. Which names stand for the size of any window?"
_WHICH_WINDOW = "Which window does entry 1 of a row belong to, in the one array and in the other? Write n, i, j for both."
_TWO_STEPS = "2 is the size of the example's windows. Which names stand for the size of any window, and for any step?"
_PICTURES = "How many times does your loop over the pictures run? Look at its range, and at how far the return is indented."
_RETURN = "How deep is your return indented?"
_THERE = "Which pixels did y[1, 1] look at? Its gradient can go nowhere else."
_SQUARE = "Only where the window is not square can anybody see that."
_SIDE = "With windows of 2×3 side by side, how far is it from one to the next to its right?"

STARTS = {
    "MovesOnByOne": slip("Your windows move on by one pixel each time; the stride decides only how many there are.",
        "Window 0 starts at row 0. At which row does window 1 start, with stride 2?", start=lambda self, i, j: (i, j)),
    "StrideOnRowsOnly": slip("The stride is applied to the rows, but not to the columns.",
        "Compare the two slices of your window.", start=lambda self, i, j: (i * self.steps()[0], j)),
    "StrideOnColumnsOnly": slip("The stride is applied to the columns, but not to the rows.",
        "Compare the two slices of your window.", start=lambda self, i, j: (i, j * self.steps()[1])),
    "MovesOnByTwo": slip("Your windows move on by two pixels each time, whatever the stride.",
        "2 is the stride of the example. Which name stands for any stride?", start=lambda self, i, j: (2 * i, 2 * j)),
    "WindowsEndToEnd": slip("Each window starts where the one before it ends; the stride decides only how many there are.",
        "With a window of 3 and stride 1, at which row does the second window start?", start=lambda self, i, j: (i * self.kernel_size[0], j * self.kernel_size[1])),
    "RowsCountColumns": slip("The number of the row says where a window begins, downwards and to the right: all windows lie on the diagonal.",
        "Window (0, 1): at which column does it begin? Which of your two numbers counts columns?", start=lambda self, i, j: (i * self.steps()[0], i * self.steps()[1])),
    "WindowsTransposed": slip("Rows and columns are swapped: y[i, j] looks at the window in row j and column i.",
        "y[0, 1] belongs to the second window of the first row. Where does it start?", start=lambda self, i, j: (j * self.steps()[0], i * self.steps()[1])),
}
SIZES = {
    "WritesColumnsFirst": slip("Rows and columns are swapped where you write to y: its row index runs over OW.",
        "y is (N, C, OH, OW). Which of your loops counts the rows of windows?", place=lambda self, i, j: (j, i)),
    "WritesWhereItReads": slip("You loop over places in x, a stride apart, and use them as places in y too. With stride 1 that makes no difference.",
        "The window that begins at row 2 with stride 2: is it the third one?", place=lambda self, i, j: (i * self.steps()[0], j * self.steps()[1])),
    "SquareMaps": slip("You count the windows from top to bottom, and use that number from left to right too: the map is taken to be square.",
        "x is (N, C, H, W). Which of them decides OW?", size=lambda self, H, W: self.fits(H, W)[:1] * 2),
    "HeightAndWidthSwapped": slip("Height and width of x are taken for each other where you count the windows.",
        "x is (N, C, H, W). Which of your two names stands for its last axis?", size=lambda self, H, W: self.fits(W, H)),
    "HeightForWidthInTheCount": slip("You count the columns of windows from the height of x.",
        "x is (N, C, H, W). Which of them decides OW?", size=lambda self, H, W: (self.fits(H, W)[0], self.fits(H, H)[1])),
    "KernelHeightInTheCount": slip(f"You count the columns of windows with KH. {_SQUARE}",
        "How many columns does a window of (2, 3) have?", size=lambda self, H, W: (self.fits(H, W)[0], _fit(W + 2 * self.padding, self.kernel_size[0], self.steps()[1]))),
    "RoundsTheCountUp": slip("You round the number of windows up, so the last one hangs over the edge where the stride leaves a rest.",
        "6 rows, a window of 3, a stride of 2: does a third window find all its rows?", size=lambda self, H, W: tuple(-(-(n + 2 * self.padding - k) // s) + 1 for n, k, s in zip((H, W), self.kernel_size, self.steps(), strict=True))),
    "StopsBeforeTheLastStart": slip("A window that ends just where the map ends is not counted, so y is sometimes one too small.",
        "5 rows, a window of 3 that begins at row 2: does it fit? And is 2 in your range?", size=_stops_before_the_last_start),
    "NoPlusOne": slip("y is one too small along both axes: the first window needs no step, and still counts.",
        "On a row of 4 pixels, how many windows of 2 are there with stride 2? What does your formula say?", size=lambda self, H, W: tuple(n - 1 for n in self.fits(H, W))),
    "LastWindowNotVisited": slip("The last window along each axis is never visited.",
        "range(a, b) ends before b.", after("y", "visits", _without_the_last)),
    "ReturnsAfterOneWindow": slip("Only the first window of the first map is filled in, and then your function is done.",
        _RETURN, after("y", "visits", only(np.s_[0, 0, 0, 0]))),
    "ReturnsAfterOneRow": slip("Only the first row of windows of the first map is filled in, and then your function is done.",
        _RETURN, after("y", "visits", only(np.s_[0, 0, 0]))),
    "ReturnsAfterOnePicture": slip("Only the first picture is filled in.", _PICTURES, after("y", "visits", only(np.s_[:1]))),
    "ReturnsAfterOneMap": slip("Only the first map is filled in, and then your function is done.",
        _RETURN, after("y", "visits", only(np.s_[0, 0]))),
}
# Where a product of matrices makes all maps at once, its axes are to be brought into the maps' order, and back.
MAPS = {
    "FiltersFirst": slip("In your y the filters come first, and the pictures second: (F, N, OH, OW) in place of (N, F, OH, OW).",
        "The numbers are right. Which two axes have to change places?", after("y", "axes", lambda layer, y, N: y.swapaxes(0, 1))),
    "MapsAtOnce": slip("You reshape the product into N, F, OH, OW at once, so numbers of different filters land on one map.",
        "Which axes does the product have before you reshape it, and in which order? A reshape moves no number.", after("y", "axes", lambda layer, y, N: y.swapaxes(0, 1).reshape(y.shape))),
    "FiltersLast": slip("The filters are the last axis of what you return: (N, OH, OW, F) in place of (N, F, OH, OW).",
        "The numbers are right. Which axis has to move?", after("y", "axes", lambda layer, y, N: y.transpose(0, 2, 3, 1))),
    "TransposedAndReshaped": slip("Before your reshape the filters are the last axis, behind OH and OW, and you read the numbers as F, OH, OW.",
        "Write down the shape of the array that you reshape. A reshape moves no number: which axis has to come forward first?", after("y", "axes", lambda layer, y, N: y.transpose(0, 2, 3, 1).reshape(y.shape))),
}
ROWS = {
    "RowsAtOnce": slip("You reshape dy to (F, N·OH·OW) without moving its filters to the front first. So a row of it holds numbers of several filters.",
        "dy has the axes N, F, OH, OW. Which of them counts the rows of your matrix, and is it the first?", heard=lambda self, dy: unmoved(dy)),
    "ColumnsAtOnce": slip("You reshape dy to (N·OH·OW, F) without moving its filters to the end first. So a row of it holds numbers of several windows.",
        "dy has the axes N, F, OH, OW. Which of them counts the columns of your matrix, and is it the last?", heard=lambda self, dy: dy.reshape(dy.transpose(0, 2, 3, 1).shape).transpose(0, 3, 1, 2)),
    "FiltersToTheEnd": slip("You move the filters of dy to the end, and then reshape it to (F, N·OH·OW), for which they would have to be in front.",
        "Which axis counts the rows of that matrix? It has to come first.", heard=lambda self, dy: (dy.transpose(0, 2, 3, 1).reshape(dy.swapaxes(0, 1).shape).swapaxes(0, 1))),
}
# Two matrices have a number for each window, and count the windows in two orders.
ORDERS = {
    "PicturesFirstInDy": slip("Your matrix of dy goes through the windows picture by picture, (n, i, j); your windows of x are in the order (i, j, n).",
        _WHICH_WINDOW, heard=lambda self, dy: dy.swapaxes(0, 1).reshape(-1, *dy.shape[2:], len(dy)).transpose(3, 0, 1, 2)),
    "PicturesLastInDy": slip("Your matrix of dy goes through the windows in the order (i, j, n); your windows of x come picture by picture, (n, i, j).",
        _WHICH_WINDOW, heard=lambda self, dy: dy.transpose(1, 2, 3, 0).reshape(dy.swapaxes(0, 1).shape).swapaxes(0, 1)),
}
STRIDE_INSIDE = slip("The stride lies between the pixels of a window, and should lie between windows: it multiplies the number of a weight, not that of an output.",
    "Which pixels does window 1 cover, with stride 2? Which of your indices counts windows, and which one counts places in a window?", window=_a_stride_between_its_pixels)
# In a convolution, a window of another size doesn't fit the kernel.
EXTENTS = {
    "RowStepForColumns": slip(f"You use the step of the rows for the columns too. {_SQUARE}", _SIDE,
        start=lambda self, i, j: (i * self.steps()[0], j * self.steps()[0])),
    "StartsOneLate": slip("Each of your windows begins one row and one column too late.",
        "The first window: which pixel lies in its upper left corner?", start=lambda self, i, j: (i * self.steps()[0] + 1, j * self.steps()[1] + 1)),
    "WindowOnItsSide": slip("Your window lies on its side: KH and KW are swapped in the slices.",
        "The first of the two image axes is the row. How many rows does a window of (2, 3) have?", extent=lambda self: self.kernel_size[::-1]),
    "WindowTooSmall": slip("Your window is one row and one column too small.",
        "a[0:2] has two entries. How many does a[0:2 - 1] have?", extent=lambda self: tuple(k - 1 for k in self.kernel_size)),
    "WindowTooLarge": slip("Your window is one row and one column too large.",
        "a[0:2] has two entries. How many does a[0:2 + 1] have?", extent=lambda self: tuple(k + 1 for k in self.kernel_size)),
    "EndsWhereTheNextBegins": slip("Each window ends where the next one begins, so it has the size of a step, not the size of a window.",
        "With windows of 3 and stride 1, the first one starts at row 0. Which rows does it have?", window=_ends_where_the_next_begins),
    "EndsAsIfSideBySide": slip("Your windows begin at i·stride, but end at (i + 1)·KH: the later ones have a different size from the first one.",
        "With windows of 3 and stride 1, the second one starts at row 1. How many rows does yours have?", window=_ends_as_if_side_by_side),
    "TwoByTwo": slip("Your windows have 2×2 pixels, whatever kernel_size is.", _TWO,
        extent=lambda self: (2, 2)),
    "TwoByTwoSideBySide": slip("Your windows have 2×2 pixels and move on by two, whatever kernel_size and stride are.",
        _TWO_STEPS, extent=lambda self: (2, 2), start=lambda self, i, j: (2 * i, 2 * j)),
    "HeightForWidth": slip("You use the height of the window for its width too.",
        "How many rows does a window of (2, 3) have, and how many columns?", extent=lambda self: self.kernel_size[:1] * 2),
    "RowsForColumns": slip(f"You use KH and SH for the columns too. {_SQUARE}",
        "How many columns does a window of (2, 3) have, and how far is it to the next one to its right?", extent=lambda self: self.kernel_size[:1] * 2, start=lambda self, i, j: (i * self.steps()[0], j * self.steps()[0])),
    "WindowsBeyondTheEdge": slip("Windows that stick out beyond the edge count too.",
        "A window counts where all of it lies on the map. What about the rows that are left over at the bottom?", size=lambda self, H, W: (-(-H // self.steps()[0]), -(-W // self.steps()[1]))),
    "SizeWithoutTheWindow": slip("The size of y is H // stride by W // stride; the size of the window does not come in.",
        "On a row of 6 pixels, how many windows of 3 are there with stride 1? Draw them.", size=lambda self, H, W: (H // self.steps()[0], W // self.steps()[1])),
    "SizeWithoutTheStride": slip("The size of y is H // KH by W // KW, as if the windows always lay side by side.",
        "On a row of 6 pixels, how many windows of 3 are there with stride 1? Draw them.", size=lambda self, H, W: (H // self.kernel_size[0], W // self.kernel_size[1])),
}
BACK = {
    "StrideForgottenOnTheWayBack": slip("In backward, your windows move on by one pixel each time: the stride is missing there.",
        _THERE, start=lambda self, i, j: (i, j)),
    "SideBySideOnTheWayBack": slip("In backward, your windows lie side by side, whatever the stride. That is right only where stride and window are the same.",
        _THERE, start=lambda self, i, j: (i * self.kernel_size[0], j * self.kernel_size[1])),
    "StrideOnRowsOnTheWayBack": slip("In backward, the stride is applied to the rows, but not to the columns.",
        "Compare the two slices of your window, or the two indices that you write to.", start=lambda self, i, j: (i * self.steps()[0], j)),
    "StrideOnColumnsOnTheWayBack": slip("In backward, the stride is applied to the columns, but not to the rows.",
        "Compare the two slices of your window, or the two indices that you write to.", start=lambda self, i, j: (i, j * self.steps()[1])),
    "TransposedOnTheWayBack": slip("In backward, rows and columns are swapped: dy[i, j] goes to the window in row j and column i.",
        "Which window did y[0, 1] look at? Its gradient can go nowhere else.", start=lambda self, i, j: (j * self.steps()[0], i * self.steps()[1])),
    "ReadsColumnsFirst": slip("Rows and columns are swapped where you read dy: its row index runs over OW.",
        "dy is (N, C, OH, OW), like y. Which of your loops counts the rows of windows?", place=lambda self, i, j: (j, i)),
    "LastWindowSendsNothing": slip("The last window along each axis never sends its gradient.",
        "range(a, b) ends before b.", heard=lambda self, dy: _without_the_last(self, dy, len(dy))),
    "ReturnsAfterOneGradient": slip("Only the first window of the first map sends its gradient, and then your function is done.",
        _RETURN, heard=lambda self, dy: only(np.s_[0, 0, 0, 0])(self, dy, len(dy))),
    "ReturnsAfterOneRowOfGradients": slip("Only the first row of windows of the first map sends its gradients, and then your function is done.",
        _RETURN, heard=lambda self, dy: only(np.s_[0, 0, 0])(self, dy, len(dy))),
    "ReturnsAfterOnePictureOfGradients": slip("Only the first picture gets its gradients.", _PICTURES, heard=lambda self, dy: only(np.s_[:1])(self, dy, len(dy))),
    "ReturnsAfterOneMapOfGradients": slip("Only the first map gets its gradients, and then your function is done.",
        _RETURN, heard=lambda self, dy: only(np.s_[0, 0])(self, dy, len(dy))),
}


def _in_backward(each: Slip) -> Slip:
    """The same mistake with the windows of the way back."""
    return slip(f"In backward, {each.says[0].lower()}{each.says[1:]}", each.hint, **each.changes)


BACK |= {f"{name}OnTheWayBack": _in_backward(STARTS[name]) for name in ("RowsCountColumns", "MovesOnByTwo")}
BACK_EXTENTS = {
    "RowStepOnTheWayBack": _in_backward(EXTENTS["RowStepForColumns"]),
    "OnItsSideOnTheWayBack": _in_backward(EXTENTS["WindowOnItsSide"]),
    **{
        f"{name}OnTheWayBack": _in_backward(EXTENTS[name])
        for name in ("EndsWhereTheNextBegins", "EndsAsIfSideBySide", "TwoByTwo", "TwoByTwoSideBySide", "HeightForWidth")
    },
}
