"""What goes wrong with axes, reshape and transpose in the warm-up."""

# fmt: off

import numpy as np

from cnnlib.misconceptions.changes import Formula, mistakes, slip


class _Brightness(Formula):
    """One mean for each picture."""

    axes, keepdims = (1, 2, 3), False

    def __call__(self, x): return self.told(x, x.mean(axis=self.axes, keepdims=self.keepdims))
    def told(self, x, mean): return mean


class _ChannelsLast(Formula):
    order = (0, 2, 3, 1)

    def __call__(self, x): return x.transpose(self.order)


mistakes(__name__, {"brightness": _Brightness},
    one_brightness_for_all=slip("You average over the whole batch: one number comes out for all pictures.",
        "Which axis tells the pictures apart? That one must stay.", axes=None),
    average_picture=slip("You average over the batch axis, and mix the pictures with each other.", "Which axis tells the pictures apart? That one must stay.", axes=0),
    one_brightness_per_channel=slip("Each channel gets a brightness of its own.", "One number for each picture: over which axes must you average?", axes=(2, 3)),
    one_brightness_per_row=slip("You average over one axis only, the last one.", "`axis` may be several axes at a time, in a tuple.", axes=-1),
    one_brightness_per_column=slip("You average over the pictures, channels and rows: one number comes out for each column.",
        "Which axis tells the pictures apart? That one must stay.", axes=(0, 1, 2)),
    added_up=slip("You add the values up, but an average is asked for.",
        "A large picture is not brighter than a small one.", told=lambda self, x, mean: mean * x[0].size),
    whole_brightness=slip("Your division throws away what comes after the decimal point.",
        "`//` gives whole numbers; which sign divides without rounding?", told=lambda self, x, mean: x.sum(axis=(1, 2, 3)) // x[0].size),
    kept_axes=slip("The axes that you average over stay, with length 1.", "`keepdims` keeps what you want to get rid of here.", keepdims=True),
)
mistakes(__name__, {"channels_last": _ChannelsLast},
    reshaped=slip("You reshape. The shape is right, but reshape never moves a number, so pixels get mixed.",
        "Which NumPy function changes the order of axes, and takes the numbers along?", __call__=lambda self, x: x.reshape(np.array(x.shape)[[0, 2, 3, 1]])),
    lying_on_its_side=slip("The channels are last, but height and width have changed places: the picture lies on its side.",
        "Count where each of the axes N, C, H, W ends.", order=(0, 3, 2, 1)),
    other_way_round=slip("You moved the axes the other way: W stands where the channels were.",
        "transpose takes, for each new place, the number of the old axis that goes there.", order=(0, 3, 1, 2)),
    everything_reversed=slip("All axes are reversed, the batch too.", "The batch axis stays first. Which others move?", order=(3, 2, 1, 0)),
    batch_last=slip("The batch axis has moved to the end, and the channels come first.", "The batch axis stays first. Which others move?", order=(1, 2, 3, 0)),
)
