"""What goes wrong in one row of a convolution: the same slips as in Conv2D, where they are easiest to see."""

# fmt: off

import numpy as np

from cnnlib.misconceptions.changes import Formula, mistakes, slip
from cnnlib.misconceptions.windows import STRIDE_INSIDE, from_the_end


class _Row(Formula):
    """Windows that begin a stride apart."""

    def heard(self, dy): return dy
    def weights(self, w): return w
    def start(self, j, stride, KW): return j * stride

    def window(self, j, w, stride):
        first = self.start(j, stride, len(w))
        return slice(first, first + len(w))


class _Forward(_Row):
    def __call__(self, x, w, stride):
        longer = np.concatenate([x, np.zeros(len(w))])
        count = self.count(len(x), len(w), stride)
        windows = [longer[self.window(j, w, stride)] for j in range(count)]
        y = np.array([self.summary(self.weights(w) * window) for window in windows])
        return self.done(y)

    def count(self, W, KW, stride): return (W - KW) // stride + 1
    def summary(self, products): return products.sum()
    def done(self, y): return y


class _Dw(_Row):
    def __call__(self, dy, x, w, stride):
        heard, dw = self.heard(dy), np.zeros(len(w))
        for j in range(len(dy)):
            dw = self.put(dw, heard[j] * self.seen(x[self.window(j, w, stride)], self.weights(w)))
        return self.done(dw, dy)

    def seen(self, window, w): return window
    def put(self, dw, share): return dw + share
    def done(self, dw, dy): return dw


class _Dx(_Row):
    def __call__(self, dy, x, w, stride):
        heard, dx = self.heard(dy), np.zeros(self.length(len(x), len(w), len(dy), stride))
        for j in range(len(dy)):
            at = self.window(j, w, stride)
            self.give(dx[at], heard[j] * self.slopes(self.weights(w), x[at]))
        return self.done(dx, dy)

    def length(self, W, KW, OW, stride): return W
    def slopes(self, w, window): return w

    def give(self, window, share):
        window += share

    def done(self, dx, dy): return dx


def _overwrites(self, window, share): window[...] = share


_COVERED = "Which pixels did the window of output j cover in forward?"
_ADD_UP = "If a {} grows by 1, every output that used it grows. Do their effects on the loss add up?"
_WHICH = "Which output's window began at the first pixel, and which number of dy belongs to it?"
_MINUS = "Every number in {} has the wrong sign."
_WHERE = "Where does a minus come in, or go missing?"

mistakes(__name__, {"row_forward": _Forward, "row_dw": _Dw, "row_dx": _Dx},
    stride_inside=slip(STRIDE_INSIDE.says, STRIDE_INSIDE.hint, window=lambda self, j, w, stride: slice(j, j + len(w) * stride, stride)),
)
mistakes(__name__, {"row_forward": _Forward},
    windows_one_pixel_apart=slip("Your windows begin one pixel apart, whatever the stride is.",
        "j counts outputs. At which pixel does the window of output j begin?", start=lambda self, j, stride, KW: j),
    stride_left_out=slip("You leave the stride out: these are the outputs for a stride of 1.",
        "Write down where the windows begin for stride 2. Which of yours are too many?", start=lambda self, j, stride, KW: j, count=lambda self, W, KW, stride: W - KW + 1),
    windows_end_to_end=slip("Each of your windows begins where the one before it ends.",
        "How far is it from the beginning of a window to the beginning of the next one?", start=lambda self, j, stride, KW: j * KW, count=lambda self, W, KW, stride: W // KW),
    kernel_the_wrong_way_round=slip("Your kernel is the wrong way round: its last weight meets the first pixel of the window.",
        "In this course the first weight meets the first pixel, and nothing is flipped in forward.", weights=lambda self, w: w[::-1]),
    weights_from_the_end=slip("You count the weights from the end: w[-k] is the first weight for k = 0, then the last, and so on backwards.",
        "Which weight meets the second pixel of a window, w[1] or w[-1]?", weights=lambda self, w: from_the_end(w, 0)),
    last_window_missing=slip("The last window is missing.",
        "Where may the last window begin at the latest? And where does your range stop?", count=lambda self, W, KW, stride: len(range(0, W - KW, stride))),
    one_window_too_few=slip("You count the steps, not the windows: there is one window more than there are steps.",
        "If the kernel just covers the whole row, how many windows fit? How many do you count?", count=lambda self, W, KW, stride: (W - KW) // stride),
    last_window_hangs_over=slip("Your last window hangs over the end of the row.",
        "What becomes of a window for which there are not enough pixels left?", count=lambda self, W, KW, stride: -(-(W - KW) // stride) + 1),
    length_without_the_kernel=slip("You return len(x) // stride numbers; the length of the kernel does not come in.",
        "In a row of 6 pixels, how many windows of 3 are there with stride 1? Draw them.", count=lambda self, W, KW, stride: W // stride),
    weights_play_no_part=slip("You add up the pixels of each window, and the weights play no part.",
        "What does each pixel meet before the sum is taken?", weights=lambda self, w: np.ones(len(w))),
    products_averaged=slip("The products are averaged, and should be added up.",
        "Two weights of 1 that meet two pixels of 5: which number must come out?", summary=lambda self, products: products.mean()),
    products_not_added=slip("You return the products, and nobody has added them up.", "Each window gives a single number.", summary=lambda self, products: products),
    minus_y=slip(_MINUS.format("y"), _WHERE, alone=False, done=lambda self, y: -y),
)
mistakes(__name__, {"row_dw": _Dw},
    dw_without_stride=slip("The stride is missing: you take the windows of dw one pixel apart.", _COVERED, start=lambda self, j, stride, KW: j),
    dw_of_the_last_window=slip("Only the last output has told the weights anything: every other share is overwritten.",
        "The same weight is used in every window. What happens to its shares?", put=lambda self, dw, share: share),
    dw_averaged=slip("You take the mean over the outputs.", _ADD_UP.format("weight"), done=lambda self, dw, dy: dw / len(dy)),
    dw_in_reverse=slip("Your dw is in reverse order.", "Which pixel of each window did w[0] meet? dw[0] belongs to it.", seen=lambda self, window, w: window[::-1]),
    dy_in_reverse=slip("dy meets the windows in reverse order: its last number the first window.", _WHICH, heard=lambda self, dy: dy[::-1]),
    dw_without_dy=slip("dy plays no part in your dw: you add up the pixels that each weight met.",
        "Output j passes on dy[j] times the pixel. What if dy[j] is 0?", heard=lambda self, dy: np.ones(len(dy))),
    dw_with_weights=slip("You multiply by the weights where a weight needs the pixels that it met.",
        "y = w·x. If w grows by 1, by how much does y grow?", seen=lambda self, window, w: w),
    minus_dw=slip(_MINUS.format("dw"), _WHERE, alone=False, heard=lambda self, dy: -dy),
)
mistakes(__name__, {"row_dx": _Dx},
    dx_without_stride=slip("The stride is missing: you write the shares of the outputs one pixel apart.", _COVERED, start=lambda self, j, stride, KW: j),
    dx_overwritten=slip("Where windows overlap, you overwrite what other outputs have passed on.",
        "A pixel in two windows hears from two outputs. How do two shares come together?", give=_overwrites),
    dx_through_a_turned_kernel=slip("You send the gradients through a kernel that is the wrong way round.",
        "An output that scatters uses the kernel as forward did. Through which weight did the first pixel go?", weights=lambda self, w: w[::-1]),
    dx_through_weights_from_the_end=slip("You count the weights from the end: w[-k] is the first weight for k = 0, then the last, and so on backwards.",
        "Through which weight did the second pixel of a window go, w[1] or w[-1]?", weights=lambda self, w: from_the_end(w, 0)),
    dx_without_the_rest=slip("The pixels that no window reached have no place in your dx.",
        "The loss doesn't depend on them. What is their gradient, and how long is dx?", length=lambda self, W, KW, OW, stride: (OW - 1) * stride + KW),
    dx_averaged=slip("You take the mean over the outputs.", _ADD_UP.format("pixel"), done=lambda self, dx, dy: dx / len(dy)),
    dy_in_reverse_in_dx=slip("dy is handed out in reverse order: its last number to the first window.", _WHICH, heard=lambda self, dy: dy[::-1]),
    dx_without_dy=slip("dy plays no part in your dx: you add up the weights through which each pixel went.",
        "Output j passes on dy[j] times the weight. What if dy[j] is 0?", heard=lambda self, dy: np.ones(len(dy))),
    dx_with_pixels=slip("You multiply by the pixels where a pixel needs the weight through which it went.",
        "y = w·x. If x grows by 1, by how much does y grow?", slopes=lambda self, w, window: window),
    minus_dx=slip(_MINUS.format("dx"), _WHERE, alone=False, done=lambda self, dx, dy: -dx),
)
