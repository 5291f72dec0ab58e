"""What goes wrong in a Flatten layer, and in the formula for a place in the flat row."""

# fmt: off

import numpy as np

from cnnlib.layers import Flatten
from cnnlib.misconceptions import structure
from cnnlib.misconceptions.changes import Formula, mistakes, slip


class _FlatIndex(Formula):
    """Counts the cells before (c, h, w), axis by axis."""

    def __call__(self, c, h, w, shape):
        indices, (C, H, W) = self.walk((c, h, w)), self.walk(shape)
        return self.place(*indices, C, H, W) + self.start

    def walk(self, axes): return axes
    def place(self, c, h, w, C, H, W): return (c * self.rows(H, W) + h) * self.columns(H, W) + w
    def rows(self, H, W): return H
    def columns(self, H, W): return W

    start = 0


mistakes(__name__, {"flat_index": _FlatIndex},
    rows_as_long_as_the_map_is_high=slip("Your row length is H, the number of rows. On a square map that makes no difference.",
        "One row of the map is gone when w has run through all its values. How many are those?", columns=lambda self, H, W: H),
    channels_as_high_as_wide=slip("A channel is counted as W rows high. On a square map that makes no difference.",
        "How many rows have gone by when one channel is finished?", rows=lambda self, H, W: W),
    column_by_column=slip("You walk down the columns of each map: h moves fastest, where it should be w.",
        "Two neighbours in the flat row: in which index do they differ by one?", walk=lambda self, axes: (axes[0], axes[2], axes[1])),
    channel_fastest=slip("The channel moves fastest in your row, as if the picture were stored (H, W, C).",
        "The picture is (C, H, W). Which index changes fastest when NumPy walks through it?", walk=lambda self, axes: (axes[1], axes[2], axes[0])),
    fortran_index=slip("You count in Fortran order: the first index moves fastest, the last one slowest.",
        "In C order, NumPy's own, it is the last index that moves fastest.", walk=lambda self, axes: axes[::-1]),
    channel_step_too_short=slip("A step to the next channel moves you H places on, not a whole map, so places collide.",
        "How many cells lie between a cell and the same cell of the next channel?", place=lambda self, c, h, w, C, H, W: c * H + h * W + w),
    row_step_too_high=slip("A step to the next row moves you H places on. On a square map that makes no difference.",
        "One row of the map is gone when w has run through all its values. How many are those?", place=lambda self, c, h, w, C, H, W: c * H * W + h * H + w),
    own_length=slip("Each index is multiplied by the length of its own axis.",
        "A step along one axis jumps over everything that follows it. Which axes are those?", place=lambda self, c, h, w, C, H, W: c * C + h * H + w * W),
    no_channel=slip("The channel is left out, so all channels land on the same places.",
        "Every cell needs a place of its own. Where does channel 1 begin?", rows=lambda self, H, W: 0),
    from_one=slip("Your places begin at 1.", "Which place does the cell (0, 0, 0) have in a NumPy array?", start=1),
)


class _Flat(Flatten):
    """One row for each picture, and back."""

    def forward(self, x):
        y = super().forward(x)
        self.x = x
        return self.flat(x, y)

    def flat(self, x, y): return y
    def backward(self, dy): return self.back(self.heard(dy), *self.x_shape)
    def heard(self, dy): return dy
    def back(self, dy, N, C, *map): return dy.reshape(N, C, *map)


_KEEPS_ORDER = "The two directions must use the same order. Which one did forward use?"
_OWN_ROW = "Row n of y must hold picture n and nothing else."
_OWN_DY = "Row n of dy belongs to picture n. Does it still, after your first step?"
_SHAPES = "What shape did x have? Compare it with the shape of your dx, axis by axis."

mistakes(__name__, {"flatten_forward": _Flat},
    SwallowsTheBatch=slip("The batch axis is flattened too: all pictures end in one long row without a batch axis.",
        "How many rows must y have, so that Dense still sees one row for each picture?", flat=lambda self, x, y: x.reshape(-1)),
    BatchOfOneRow=slip("The batch axis is flattened too: the whole batch has become one picture.",
        "How many rows must y have, so that Dense still sees one row for each picture?", flat=lambda self, x, y: x.reshape(1, -1)),
    NothingFlattened=slip("Your forward hands x on as it came, still a stack of maps.",
        "Dense takes (N, D), one row for each picture. What is D?", flat=lambda self, x, y: x),
    FortranForward=slip("You flatten in Fortran order: the channel moves fastest, the column slowest.",
        "In C order, NumPy's own, it is the last index that moves fastest.", flat=lambda self, x, y: x.reshape(len(x), -1, order="F")),
    ChannelsLastForward=slip("The channel moves fastest in your rows, as if x were (N, H, W, C).",
        "x is (N, C, H, W), and Flatten leaves that order alone.", flat=lambda self, x, y: x.transpose(0, 2, 3, 1).reshape(len(x), -1)),
    ColumnsFirst=slip("H and W are swapped: you walk down the columns of each map in place of along its rows.",
        "Two neighbours in a row of y: in which index do they differ by one?", flat=lambda self, x, y: x.transpose(0, 1, 3, 2).reshape(len(x), -1)),
    FeaturesFirst=slip("Your y is (D, N): the pictures lie in its columns.",
        "The batch comes first everywhere in this course: one picture, one row.", structure.after("y", "axes", lambda layer, y, N: y.T)),
    ReshapedToFeaturesFirst=slip("You reshape to (D, N). That shape holds pieces of several pictures in each column.",
        f"{_OWN_ROW} Which length has to stand first?", structure.after("y", "axes", lambda layer, y, N: y.reshape(y.shape[::-1]))),
    BatchMixedIn=slip("Pieces of different pictures share a row: the batch axis was moved before the reshape.",
        _OWN_ROW, flat=lambda self, x, y: x.transpose(1, 2, 3, 0).reshape(len(x), -1)),
    FirstBatchSize=slip("The size of the first batch is kept for ever and used for later ones.",
        "The last batch of an epoch is often shorter. Where does each forward learn its N?", flat=lambda self, x, y: x.reshape(vars(self).setdefault("first_N", len(x)), -1)),
    OnlyTheFirstPicture=slip("Only the first picture of the batch comes out.",
        "How many rows must y have?", structure.after("y", "pictures", lambda layer, y, N: y[:1])),
    FlattensXItself=slip("You gave x itself a new shape, so the layer before you finds its own output flattened.",
        "`x.shape = …` and `x.resize(…)` change the array; which call leaves it as it is?", flat=lambda self, x, y: _reshaped_in_place(x, (len(x), -1))),
)


def _reshaped_in_place(array, shape):
    array.shape = shape
    return array


mistakes(__name__, {"flatten_backward": _Flat},
    HandsOnFlat=slip("Your backward hands dy back as flat as it came.",
        "The layer before Flatten handed on maps, and needs one gradient for each of their cells.", back=lambda self, dy, *shape: dy),
    DerivativeOfOne=slip("You return ones, and what dy says is lost. It is true that each value is copied with slope 1; but backward asks what the loss does, not what Flatten does.",
        "Chain rule: upstream gradient times slope. What is left when the slope is 1?", heard=lambda self, dy: np.ones_like(dy)),
    TimesX=slip("You multiply dy by x. That is the rule for a product y = w·x, and nothing is multiplied here.",
        "If you nudge one cell of x by a little, by how much does its copy in y change?", structure.after("dx", "factor", lambda layer, dx, N: dx * layer.x)),
    ReturnsThePicture=slip("You return x, the picture that came in, and not its gradient.",
        "What goes out of backward has x's shape, but whose numbers must it hold?", back=lambda self, dy, *shape: self.x),
    CutsTheGraph=structure.cuts_the_graph("Flatten has no parameters of its own, and still the layers before it need their gradient."),
    SwapsHeightAndWidth=slip("H and W are swapped in the shape you reshape to. On square maps, nobody would ever notice.",
        _SHAPES, back=lambda self, dy, N, C, H, W: dy.reshape(N, C, W, H)),
    FillsColumnByColumn=slip("H and W are swapped: the shape is right, but you fill each map column by column.",
        "Forward wrote each map row by row. In which order must backward read?", back=lambda self, dy, N, C, H, W: dy.reshape(N, C, W, H).transpose(0, 1, 3, 2)),
    ChannelsLastShape=slip("Your dx comes back as (N, H, W, C): channels last.", _SHAPES, back=lambda self, dy, N, C, H, W: dy.reshape(N, H, W, C)),
    ChannelsLastBackward=slip("You read dy as if forward had put the channels last: channels one way, pixels the other.",
        _KEEPS_ORDER, back=lambda self, dy, N, C, H, W: dy.reshape(N, H, W, C).transpose(0, 3, 1, 2)),
    ChannelsLastBothWays=slip("You use the order (H, W, C) in both directions. They fit each other, so a gradient check sees nothing; but the course's order is (C, H, W), and other layers rely on it.",
        "Which index of x moves fastest along a row of y?", flat=lambda self, x, y: x.transpose(0, 2, 3, 1).reshape(len(x), -1), back=lambda self, dy, N, C, H, W: dy.reshape(N, H, W, C).transpose(0, 3, 1, 2)),
    FortranBackward=slip("You unflatten in Fortran order, but forward flattened in C order.", _KEEPS_ORDER, back=lambda self, dy, *shape: dy.reshape(shape, order="F")),
    FortranBothWays=slip("You use Fortran order in both directions. They fit each other, so a gradient check sees nothing; but every other layer counts in C order.",
        "Follow one tagged number: where in y is x[0, 0, 0, 1]?", flat=lambda self, x, y: x.reshape(len(x), -1, order="F"), back=lambda self, dy, *shape: dy.reshape(shape, order="F")),
    MixesTheBatch=slip("You reshape dy.T, or move the batch axis by reshaping: gradients of different pictures get mixed. With one picture in the batch nobody would notice.",
        _OWN_DY, back=lambda self, dy, *shape: dy.T.reshape(shape)),
    BatchLast=slip("You take the batch to be the last axis: gradients of different pictures get mixed.",
        _OWN_DY, back=lambda self, dy, N, C, H, W: dy.reshape(C, H, W, N).transpose(3, 0, 1, 2)),
    NoBatchAxis=slip("You reshape to (C, H, W): the batch axis is lost. With two pictures the numbers don't even fit.",
        "What was len(x)?", back=lambda self, dy, N, *shape: dy.reshape(shape)),
    BatchOfOne=slip("You reshape to (1, C, H, W). That works for a batch of one picture only.",
        "What was len(x)?", back=lambda self, dy, N, *shape: dy.reshape(1, *shape)),
    KeepsTheFirstShape=structure.keeps_the_first("The shape of the first batch is kept for ever and used for later ones.",
        "The last batch of an epoch is often shorter. When does your layer write the shape down?"),
    SharesItsShape=structure.shares_memory("The shape", "Flatten"),
    DividesByTheBatch=structure.divided_by_the_batch("dx", "Flatten moves numbers. Does it change any?", "The gradient"),
    SumsOverTheBatch=slip("The gradient is summed over the batch. That is what a bias does; a picture keeps its own.",
        "How many pictures went in, and how many gradients must come back?", heard=lambda self, dy: np.broadcast_to(dy.sum(axis=0), dy.shape)),
    ReshapesDyItself=slip("You gave dy itself a new shape, so whoever handed it to you finds it changed.",
        "`dy.shape = …` and `dy.resize(…)` change the array; which call leaves it as it is?", back=lambda self, dy, *shape: _reshaped_in_place(dy, shape)),
    Minus=structure.minus("dx"),
)
