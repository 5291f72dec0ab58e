"""What goes wrong in a Flatten layer, and in the formula for a place in the flat row."""

import numpy as np

from cnnlib.layers import Flatten
from cnnlib.misconceptions import misconception

# ---------------------------------------------------------------------------- flat_index


@misconception(
    "flat_index",
    says="Your row length is H, the number of rows. On a square map that makes no difference.",
    hint="One row of the map is gone when w has run through all its values. How many are those?",
)
def rows_as_long_as_the_map_is_high(c, h, w, shape):
    _, H, _ = shape
    return (c * H + h) * H + w


@misconception(
    "flat_index",
    says="A channel is counted as W rows high. On a square map that makes no difference.",
    hint="How many rows have gone by when one channel is finished?",
)
def channels_as_high_as_wide(c, h, w, shape):
    _, _, W = shape
    return (c * W + h) * W + w


@misconception(
    "flat_index",
    says="You walk down the columns of each map: h moves fastest, where it should be w.",
    hint="Two neighbours in the flat row: in which index do they differ by one?",
)
def column_by_column(c, h, w, shape):
    _, H, W = shape
    return (c * W + w) * H + h


@misconception(
    "flat_index",
    says="The channel moves fastest in your row, as if the picture were stored (H, W, C).",
    hint="The picture is (C, H, W). Which index changes fastest when NumPy walks through it?",
)
def channel_fastest(c, h, w, shape):
    C, _, W = shape
    return (h * W + w) * C + c


@misconception(
    "flat_index",
    says="You count in Fortran order: the first index moves fastest, the last one slowest.",
    hint="In C order, NumPy's own, it is the last index that moves fastest.",
)
def fortran_index(c, h, w, shape):
    C, H, _ = shape
    return (w * H + h) * C + c


@misconception(
    "flat_index",
    says="A step to the next channel moves you H places on, not a whole map, so places collide.",
    hint="How many cells lie between a cell and the same cell of the next channel?",
)
def channel_step_too_short(c, h, w, shape):
    _, H, W = shape
    return c * H + h * W + w


@misconception(
    "flat_index",
    says="Each index is multiplied by the length of its own axis.",
    hint="A step along one axis jumps over everything that lies behind it. Which axes are those?",
)
def own_length(c, h, w, shape):
    C, H, W = shape
    return c * C + h * H + w * W


@misconception(
    "flat_index",
    says="The channel is left out, so all channels land on the same places.",
    hint="Every cell needs a place of its own. Where does channel 1 begin?",
)
def no_channel(c, h, w, shape):
    return h * shape[2] + w


@misconception(
    "flat_index",
    says="Your places begin at 1.",
    hint="Which place does the cell (0, 0, 0) have in a NumPy array?",
)
def from_one(c, h, w, shape):
    _, H, W = shape
    return (c * H + h) * W + w + 1


# ---------------------------------------------------------------------------- forward


@misconception(
    "flatten_forward",
    says="The batch axis is flattened too: all pictures end in one long row without a batch axis.",
    hint="How many rows must y have, so that Dense still sees one row for each picture?",
)
class SwallowsTheBatch(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.reshape(-1)


@misconception(
    "flatten_forward",
    says="The batch axis is flattened too: the whole batch has become one picture.",
    hint="How many rows must y have, so that Dense still sees one row for each picture?",
)
class BatchOfOneRow(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.reshape(1, -1)


@misconception(
    "flatten_forward",
    says="Your forward hands x on as it came, still a stack of maps.",
    hint="Dense takes (N, D), one row for each picture. What is D?",
)
class NothingFlattened(Flatten):
    def forward(self, x):
        super().forward(x)
        return x


@misconception(
    "flatten_forward",
    says="You flatten in Fortran order: the channel moves fastest, the column slowest.",
    hint="In C order, NumPy's own, it is the last index that moves fastest.",
)
class FortranForward(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.reshape(len(x), -1, order="F")


@misconception(
    "flatten_forward",
    says="The channel moves fastest in your rows, as if x were (N, H, W, C).",
    hint="x is (N, C, H, W), and Flatten leaves that order alone.",
)
class ChannelsLastForward(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.transpose(0, 2, 3, 1).reshape(len(x), -1)


@misconception(
    "flatten_forward",
    says="H and W are swapped: you walk down the columns of each map in place of along its rows.",
    hint="Two neighbours in a row of y: in which index do they differ by one?",
)
class ColumnsFirst(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.transpose(0, 1, 3, 2).reshape(len(x), -1)


@misconception(
    "flatten_forward",
    says="Your y is (D, N): the pictures lie in its columns.",
    hint="The batch comes first everywhere in this course: one picture, one row.",
)
class FeaturesFirst(Flatten):
    def forward(self, x):
        return super().forward(x).T


@misconception(
    "flatten_forward",
    says="You reshape to (D, N). That shape holds pieces of several pictures in each column.",
    hint="Row n of y must hold picture n and nothing else. Which length has to stand first?",
)
class ReshapedToFeaturesFirst(Flatten):
    def forward(self, x):
        y = super().forward(x)
        return y.reshape(y.shape[::-1])


@misconception(
    "flatten_forward",
    says="Pieces of different pictures share a row: the batch axis was moved before the reshape.",
    hint="Row n of y must hold picture n and nothing else.",
)
class BatchMixedIn(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.transpose(1, 2, 3, 0).reshape(len(x), -1)


@misconception(
    "flatten_forward",
    says="The size of the first batch is kept for ever and used for later ones.",
    hint="The last batch of an epoch is often shorter. Where does each forward learn its N?",
)
class FirstBatchSize(Flatten):
    batch_size = None

    def forward(self, x):
        super().forward(x)
        if self.batch_size is None:
            self.batch_size = len(x)
        return x.reshape(self.batch_size, -1)


@misconception(
    "flatten_forward",
    says="Only the first picture of the batch comes out.",
    hint="How many rows must y have?",
)
class OnlyTheFirstPicture(Flatten):
    def forward(self, x):
        super().forward(x)
        return x[0].reshape(1, -1)


@misconception(
    "flatten_forward",
    says="You gave x itself a new shape, so the layer before you finds its own output flattened.",
    hint="`x.shape = …` and `x.resize(…)` change the array; which call leaves it as it is?",
)
class FlattensXItself(Flatten):
    def forward(self, x):
        super().forward(x)
        x.shape = (len(x), -1)
        return x


# ---------------------------------------------------------------------------- backward


@misconception(
    "flatten_backward",
    says="Your backward hands dy back as flat as it came.",
    hint="The layer before Flatten gave away maps, and waits for one gradient for each of their cells.",
)
class HandsOnFlat(Flatten):
    def backward(self, dy):
        return dy


@misconception(
    "flatten_backward",
    says="You return ones, and what dy says is lost. "
    "It is true that each value is copied with slope 1; but backward asks what the loss does, not what Flatten does.",
    hint="Chain rule: upstream gradient times slope. What is left when the slope is 1?",
)
class DerivativeOfOne(Flatten):
    def backward(self, dy):
        return np.ones(self.x_shape, dtype=dy.dtype)


@misconception(
    "flatten_backward",
    says="You multiply dy by x. That is the rule for a product y = w·x, and nothing is multiplied here.",
    hint="If you nudge one cell of x by a little, by how much does its copy in y change?",
)
class TimesX(Flatten):
    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dy):
        return super().backward(dy) * self.x


@misconception(
    "flatten_backward",
    says="You return x, the picture that came in, and not its gradient.",
    hint="What goes out of backward has x's shape, but whose numbers must it hold?",
)
class ReturnsThePicture(Flatten):
    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dy):
        return self.x


@misconception(
    "flatten_backward",
    says="You return zeros, so nothing before this layer can ever learn.",
    hint="Flatten has no parameters of its own, and still the layers before it need their gradient.",
)
class CutsTheGraph(Flatten):
    def backward(self, dy):
        return np.zeros(self.x_shape, dtype=dy.dtype)


@misconception(
    "flatten_backward",
    says="H and W are swapped in the shape you reshape to. "
    "On square maps, nobody would ever notice.",
    hint="Which shape did x have? Compare it with the shape of your dx, axis by axis.",
)
class SwapsHeightAndWidth(Flatten):
    def backward(self, dy):
        N, C, H, W = self.x_shape
        return dy.reshape(N, C, W, H)


@misconception(
    "flatten_backward",
    says="H and W are swapped: the shape is right, but you fill each map column by column.",
    hint="Forward wrote each map row by row. In which order must backward read?",
)
class FillsColumnByColumn(Flatten):
    def backward(self, dy):
        N, C, H, W = self.x_shape
        return dy.reshape(N, C, W, H).transpose(0, 1, 3, 2)


@misconception(
    "flatten_backward",
    says="Your dx comes back as (N, H, W, C): channels last.",
    hint="Which shape did x have? Compare it with the shape of your dx, axis by axis.",
)
class ChannelsLastShape(Flatten):
    def backward(self, dy):
        N, C, H, W = self.x_shape
        return dy.reshape(N, H, W, C)


@misconception(
    "flatten_backward",
    says="You read dy as if forward had put the channels last: channels one way, pixels the other.",
    hint="The two directions must use the same order. Which one did forward use?",
)
class ChannelsLastBackward(Flatten):
    def backward(self, dy):
        N, C, H, W = self.x_shape
        return dy.reshape(N, H, W, C).transpose(0, 3, 1, 2)


@misconception(
    "flatten_backward",
    says="You use the order (H, W, C) in both directions. They fit each other, so a gradient check "
    "sees nothing; but the course's order is (C, H, W), and other layers rely on it.",
    hint="Which index of x moves fastest along a row of y?",
)
class ChannelsLastBothWays(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.transpose(0, 2, 3, 1).reshape(len(x), -1)

    def backward(self, dy):
        N, C, H, W = self.x_shape
        return dy.reshape(N, H, W, C).transpose(0, 3, 1, 2)


@misconception(
    "flatten_backward",
    says="You unflatten in Fortran order, but forward flattened in C order.",
    hint="The two directions must use the same order. Which one did forward use?",
)
class FortranBackward(Flatten):
    def backward(self, dy):
        return dy.reshape(self.x_shape, order="F")


@misconception(
    "flatten_backward",
    says="You use Fortran order in both directions. They fit each other, so a gradient check "
    "sees nothing; but every other layer counts in C order.",
    hint="Follow one tagged number: where does x[0, 0, 0, 1] stand in y?",
)
class FortranBothWays(Flatten):
    def forward(self, x):
        super().forward(x)
        return x.reshape(len(x), -1, order="F")

    def backward(self, dy):
        return dy.reshape(self.x_shape, order="F")


@misconception(
    "flatten_backward",
    says="You reshape dy.T, or move the batch axis by reshaping: gradients of different pictures get mixed. "
    "With one picture in the batch nobody would notice.",
    hint="Row n of dy belongs to picture n. Does it still, after your first step?",
)
class MixesTheBatch(Flatten):
    def backward(self, dy):
        return dy.T.reshape(self.x_shape)


@misconception(
    "flatten_backward",
    says="You take the batch to be the last axis: gradients of different pictures get mixed.",
    hint="Row n of dy belongs to picture n. Does it still, after your first step?",
)
class BatchLast(Flatten):
    def backward(self, dy):
        N, C, H, W = self.x_shape
        return dy.reshape(C, H, W, N).transpose(3, 0, 1, 2)


@misconception(
    "flatten_backward",
    says="You reshape to (C, H, W): the batch axis is lost. With two pictures the numbers don't even fit.",
    hint="What was len(x)?",
)
class NoBatchAxis(Flatten):
    def backward(self, dy):
        return dy.reshape(self.x_shape[1:])


@misconception(
    "flatten_backward",
    says="You reshape to (1, C, H, W). That works for a batch of one picture only.",
    hint="What was len(x)?",
)
class BatchOfOne(Flatten):
    def backward(self, dy):
        return dy.reshape(1, *self.x_shape[1:])


@misconception(
    "flatten_backward",
    says="The shape of the first batch is kept for ever and used for later ones.",
    hint="The last batch of an epoch is often shorter. When does your layer write the shape down?",
)
class KeepsTheFirstShape(Flatten):
    first = None

    def forward(self, x):
        if self.first is None:
            self.first = x.shape
        return super().forward(x)

    def backward(self, dy):
        return dy.reshape(self.first)


@misconception(
    "flatten_backward",
    says="The shape is kept in one place for all layers, so a second Flatten overwrites the first one's.",
    hint="Each layer needs a memory of its own. Where does `self` come in?",
)
class SharesItsShape(Flatten):
    last = None

    def forward(self, x):
        SharesItsShape.last = x.shape
        return super().forward(x)

    def backward(self, dy):
        return dy.reshape(SharesItsShape.last)


@misconception(
    "flatten_backward",
    says="The gradient is divided by the size of the batch here. "
    "The loss has done that already, once and for all layers.",
    hint="Flatten moves numbers. Does it change any?",
)
class DividesByTheBatch(Flatten):
    def backward(self, dy):
        return super().backward(dy) / len(dy)


@misconception(
    "flatten_backward",
    says="The gradient is summed over the batch. That is what a bias does; a picture keeps its own.",
    hint="How many pictures went in, and how many gradients must come back?",
)
class SumsOverTheBatch(Flatten):
    def backward(self, dy):
        return super().backward(np.broadcast_to(dy.sum(axis=0), dy.shape))


@misconception(
    "flatten_backward",
    says="You gave dy itself a new shape, so whoever handed it to you finds it changed.",
    hint="`dy.shape = …` and `dy.resize(…)` change the array; which call leaves it as it is?",
)
class ReshapesDyItself(Flatten):
    def backward(self, dy):
        dy.shape = self.x_shape
        return dy
