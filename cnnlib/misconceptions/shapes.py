"""What goes wrong with axes, reshape and transpose in the warm-up."""

import numpy as np

from cnnlib.misconceptions.changes import misconception


@misconception(
    "brightness",
    says="You average over the whole batch: one number comes out for all pictures.",
    hint="Which axis tells the pictures apart? That one must stay.",
)
def one_brightness_for_all(x):
    return x.mean()


@misconception(
    "brightness",
    says="You average over the batch axis, and mix the pictures with each other.",
    hint="Which axis tells the pictures apart? That one must stay.",
)
def average_picture(x):
    return x.mean(axis=0)


@misconception(
    "brightness",
    says="Each channel gets a brightness of its own.",
    hint="One number for each picture: over which axes must you average?",
)
def one_brightness_per_channel(x):
    return x.mean(axis=(2, 3))


@misconception(
    "brightness",
    says="You average over one axis only, the last one.",
    hint="`axis` may be several axes at a time, in a tuple.",
)
def one_brightness_per_row(x):
    return x.mean(axis=-1)


@misconception(
    "brightness",
    says="You add the values up, but an average is asked for.",
    hint="A large picture is not brighter than a small one.",
)
def added_up(x):
    return x.sum(axis=(1, 2, 3))


@misconception(
    "brightness",
    says="The axes that you average over stay, with length 1.",
    hint="`keepdims` keeps what you want to be rid of here.",
)
def kept_axes(x):
    return x.mean(axis=(1, 2, 3), keepdims=True)


@misconception(
    "brightness",
    says="You average over the pictures, channels and rows: one number comes out for each column.",
    hint="Which axis tells the pictures apart? That one must stay.",
)
def one_brightness_per_column(x):
    return x.mean(axis=(0, 1, 2))


@misconception(
    "brightness",
    says="Your division throws away what is behind the point.",
    hint="`//` gives whole numbers; which sign divides without rounding?",
)
def whole_brightness(x):
    return x.sum(axis=(1, 2, 3)) // x[0].size


@misconception(
    "channels_last",
    says="You reshape. The shape is right, but reshape never moves a number, so pixels get mixed.",
    hint="Which NumPy function changes the order of axes, and takes the numbers along?",
)
def reshaped(x):
    N, C, H, W = x.shape
    return x.reshape(N, H, W, C)


@misconception(
    "channels_last",
    says="The channels are last, but height and width have changed places: the picture lies on its side.",
    hint="Count where each of the axes N, C, H, W ends.",
)
def lying_on_its_side(x):
    return np.swapaxes(x, 1, 3)


@misconception(
    "channels_last",
    says="You moved the axes the other way: W stands where the channels were.",
    hint="transpose takes, for each new place, the number of the old axis that goes there.",
)
def other_way_round(x):
    return x.transpose(0, 3, 1, 2)


@misconception(
    "channels_last",
    says="All axes are reversed, the batch too.",
    hint="The batch axis stays first. Which others move?",
)
def everything_reversed(x):
    return x.T


@misconception(
    "channels_last",
    says="The batch axis has moved to the end, and the channels come first.",
    hint="The batch axis stays first. Which others move?",
)
def batch_last(x):
    return x.transpose(1, 2, 3, 0)
