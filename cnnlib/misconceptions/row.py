"""What goes wrong in one row of a convolution: the same slips as in Conv2D, where they are easiest to see."""

import numpy as np

from cnnlib.misconceptions import misconception


def _starts(x, w, stride):
    return range(0, len(x) - len(w) + 1, stride)


# ---------------------------------------------------------------------------- forward


@misconception(
    "row_forward",
    says="Your windows begin one pixel apart, whatever the stride is.",
    hint="j counts outputs. At which pixel does the window of output j begin?",
)
def windows_one_pixel_apart(x, w, stride):
    return np.array([w @ x[j : j + len(w)] for j in range(len(_starts(x, w, stride)))])


@misconception(
    "row_forward",
    says="You leave the stride out: these are the outputs for a stride of 1.",
    hint="Write down where the windows begin for stride 2. Which of yours are too many?",
)
def stride_left_out(x, w, stride):
    return np.array([w @ x[s : s + len(w)] for s in _starts(x, w, 1)])


@misconception(
    "row_forward",
    says="Each of your windows begins where the one before it ends.",
    hint="How far is it from the beginning of a window to the beginning of the next one?",
)
def windows_end_to_end(x, w, stride):
    return np.array([w @ x[s : s + len(w)] for s in _starts(x, w, len(w))])


@misconception(
    "row_forward",
    says="Your kernel is the wrong way round: its last weight meets the first pixel of the window.",
    hint="In this course the first weight meets the first pixel, and nothing is flipped in forward.",
)
def kernel_the_wrong_way_round(x, w, stride):
    return np.array([w[::-1] @ x[s : s + len(w)] for s in _starts(x, w, stride)])


@misconception(
    "row_forward",
    says="The last window is missing.",
    hint="Where may the last window begin at the latest? And where does your range stop?",
)
def last_window_missing(x, w, stride):
    return np.array([w @ x[s : s + len(w)] for s in range(0, len(x) - len(w), stride)])


@misconception(
    "row_forward",
    says="Your last window hangs over the end of the row.",
    hint="What becomes of a window for which there are not enough pixels left?",
)
def last_window_hangs_over(x, w, stride):
    longer = np.concatenate([x, np.zeros(len(w))])
    starts = range(0, len(x), stride)
    windows = [s for s in starts if s - stride + len(w) < len(x)]
    return np.array([w @ longer[s : s + len(w)] for s in windows])


@misconception(
    "row_forward",
    says="You add up the pixels of each window, and the weights play no part.",
    hint="What does each pixel meet before the sum is taken?",
)
def weights_play_no_part(x, w, stride):
    return np.array([x[s : s + len(w)].sum() for s in _starts(x, w, stride)])


@misconception(
    "row_forward",
    says="You return the products, and nobody has added them up.",
    hint="Each window gives a single number.",
)
def products_not_added(x, w, stride):
    return np.array([w * x[s : s + len(w)] for s in _starts(x, w, stride)])


# ---------------------------------------------------------------------------- dw


@misconception(
    "row_dw",
    says="The stride is missing: you take the windows of dw one pixel apart.",
    hint="Which pixels did the window of output j cover in forward?",
)
def dw_without_stride(dy, x, w, stride):
    return sum(dy[j] * x[j : j + len(w)] for j in range(len(dy)))


@misconception(
    "row_dw",
    says="Only the last output has told the weights anything: every other share is overwritten.",
    hint="The same weight is used in every window. What happens to its shares?",
)
def dw_of_the_last_window(dy, x, w, stride):
    last = len(dy) - 1
    return dy[last] * x[last * stride : last * stride + len(w)]


@misconception(
    "row_dw",
    says="You take the mean over the outputs.",
    hint="If a weight grows by 1, every output that used it grows. Do their effects on the loss add up?",
)
def dw_averaged(dy, x, w, stride):
    return sum(dy[j] * x[j * stride : j * stride + len(w)] for j in range(len(dy))) / len(dy)


@misconception(
    "row_dw",
    says="Your dw is in reverse order.",
    hint="Which pixel of each window did w[0] meet? dw[0] belongs to it.",
)
def dw_in_reverse(dy, x, w, stride):
    return sum(dy[j] * x[j * stride : j * stride + len(w)] for j in range(len(dy)))[::-1]


@misconception(
    "row_dw",
    says="dy plays no part in your dw: you add up the pixels that each weight met.",
    hint="Output j passes on dy[j] times the pixel. What if dy[j] is 0?",
)
def dw_without_dy(dy, x, w, stride):
    return sum(x[j * stride : j * stride + len(w)] for j in range(len(dy)))


@misconception(
    "row_dw",
    says="You multiply by the weights where a weight needs the pixels that it met.",
    hint="y = w·x. If w grows by 1, by how much does y grow?",
)
def dw_with_weights(dy, x, w, stride):
    return dy.sum() * w


# ---------------------------------------------------------------------------- dx


@misconception(
    "row_dx",
    says="The stride is missing: you write the shares of the outputs one pixel apart.",
    hint="Which pixels did the window of output j cover in forward?",
)
def dx_without_stride(dy, x, w, stride):
    dx = np.zeros(len(x))
    for j in range(len(dy)):
        dx[j : j + len(w)] += dy[j] * w
    return dx


@misconception(
    "row_dx",
    says="Where windows overlap, you overwrite what other outputs have passed on.",
    hint="A pixel in two windows hears from two outputs. How do two shares come together?",
)
def dx_overwritten(dy, x, w, stride):
    dx = np.zeros(len(x))
    for j in range(len(dy)):
        dx[j * stride : j * stride + len(w)] = dy[j] * w
    return dx


@misconception(
    "row_dx",
    says="You send the gradients through a kernel that is the wrong way round.",
    hint="An output that scatters uses the kernel as forward did. Through which weight did the first pixel go?",
)
def dx_through_a_turned_kernel(dy, x, w, stride):
    dx = np.zeros(len(x))
    for j in range(len(dy)):
        dx[j * stride : j * stride + len(w)] += dy[j] * w[::-1]
    return dx


@misconception(
    "row_dx",
    says="The pixels that no window reached have no place in your dx.",
    hint="The loss doesn't depend on them. What is their gradient, and how long is dx?",
)
def dx_without_the_rest(dy, x, w, stride):
    dx = np.zeros((len(dy) - 1) * stride + len(w))
    for j in range(len(dy)):
        dx[j * stride : j * stride + len(w)] += dy[j] * w
    return dx


@misconception(
    "row_dx",
    says="dy plays no part in your dx: you add up the weights through which each pixel went.",
    hint="Output j passes on dy[j] times the weight. What if dy[j] is 0?",
)
def dx_without_dy(dy, x, w, stride):
    dx = np.zeros(len(x))
    for j in range(len(dy)):
        dx[j * stride : j * stride + len(w)] += w
    return dx


@misconception(
    "row_dx",
    says="You multiply by the pixels where a pixel needs the weight through which it went.",
    hint="y = w·x. If x grows by 1, by how much does y grow?",
)
def dx_with_pixels(dy, x, w, stride):
    dx = np.zeros(len(x))
    for j in range(len(dy)):
        at = slice(j * stride, j * stride + len(w))
        dx[at] += dy[j] * x[at]
    return dx
