"""What goes wrong in a Dense layer, in softmax cross-entropy, and with a blind guess."""

import numpy as np

from cnnlib.layers import Dense
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.misconceptions.changes import misconception

# ---------------------------------------------------------------------------- Dense, forward


@misconception(
    "dense_forward",
    says="The bias is missing.",
    hint="What does the layer answer to an x of zeros?",
)
class NoBias(Dense):
    def forward(self, x):
        return super().forward(x) - self.b


@misconception(
    "dense_forward",
    says="The bias is subtracted.",
    hint="A larger bias has to make its output larger.",
)
class SubtractsTheBias(Dense):
    def forward(self, x):
        return super().forward(x) - 2 * self.b


@misconception(
    "dense_forward",
    says="The bias is added inside the sum over the inputs, so it counts D times.",
    hint="How often should it count? An x of zeros shows it.",
)
class BiasForEachInput(Dense):
    def forward(self, x):
        return super().forward(x) + (self.in_features - 1) * self.b


@misconception(
    "dense_forward",
    says="The bias stands upright, as a column, so it is added to the rows of y and not to the columns. "
    "With a batch of one, y even grows to (K, K).",
    hint="There is one bias for each output. Along which axis of y do the outputs lie?",
)
class UprightBias(Dense):
    def forward(self, x):
        return super().forward(x) - self.b + self.b[:, None]


@misconception(
    "dense_forward",
    says="The weights are used the wrong way round: your y[k] takes row k of W, not column k. "
    "Where D and K are equal, no shape says so.",
    hint="W[d, k] leads from input d to output k. Which weights end in output k?",
)
class WeightsTurned(Dense):
    def forward(self, x):
        super().forward(x)
        return x @ self.W.T + self.b


@misconception(
    "dense_forward",
    says="You give W another shape by reshape. That keeps the order of the numbers, so weights end up between the wrong neurons.",
    hint="W is (D, K) already: which product of x and W leaves (N, K)?",
)
class ReshapesWeightsForward(Dense):
    def forward(self, x):
        super().forward(x)
        return x @ self.W.reshape(self.W.shape[::-1]).T + self.b


@misconception(
    "dense_forward",
    says="Your y is (K, N): the rows of the batch lie in its columns.",
    hint="The batch comes first everywhere in this course: one row in, one row out.",
)
class OutputsFirst(Dense):
    def forward(self, x):
        return super().forward(x).T


@misconception(
    "dense_forward",
    says="The weighted sums are divided by D, as if each output were an average.",
    hint="y = Σ x·W + b. Is there a division in it?",
)
class AveragesTheInputs(Dense):
    def forward(self, x):
        return (super().forward(x) - self.b) / self.in_features + self.b


@misconception(
    "dense_forward",
    says="Negative outputs are set to 0. That is ReLU's work, and ReLU is a layer of its own here.",
    hint="A score may be negative. What is left of it after your forward?",
)
class WithReLU(Dense):
    def forward(self, x):
        return np.maximum(super().forward(x), 0)


@misconception(
    "dense_forward",
    says="Your outputs are probabilities already. Softmax belongs to the loss, not to Dense.",
    hint="Dense gives scores, of any sign and any size.",
)
class WithSoftmax(Dense):
    def forward(self, x):
        y = super().forward(x)
        return _softmax(y - y.max(axis=1, keepdims=True))


@misconception(
    "dense_forward",
    says="Your outputs are squeezed by a sigmoid. Dense stops at the weighted sum.",
    hint="Dense gives scores, of any sign and any size.",
)
class WithSigmoid(Dense):
    def forward(self, x):
        return 1 / (1 + np.exp(-super().forward(x)))


@misconception(
    "dense_forward",
    says="Your outputs are squeezed by tanh. Dense stops at the weighted sum.",
    hint="Dense gives scores, of any sign and any size.",
)
class WithTanh(Dense):
    def forward(self, x):
        return np.tanh(super().forward(x))


@misconception(
    "dense_forward",
    says="Only the last input counts: each turn of the loop overwrites the one before.",
    hint="A weighted sum grows with each input. Which of your lines makes it grow?",
)
class LastInputOnly(Dense):
    def forward(self, x):
        super().forward(x)
        return x[:, -1:] * self.W[-1] + self.b


@misconception(
    "dense_forward",
    says="Only the first row of the batch is used, and every row gets its outputs.",
    hint="Row n of y must come from row n of x.",
)
class FirstRowForAll(Dense):
    def forward(self, x):
        y = super().forward(x)
        return np.repeat(y[:1], len(y), axis=0)


@misconception(
    "dense_forward",
    says="The weights of the first forward are kept for ever, so what the optimiser sets is never used.",
    hint="An optimiser replaces layer.W after each batch. When does your forward look at it?",
)
class KeepsTheFirstWeights(Dense):
    first = None

    def forward(self, x):
        if self.first is None:
            self.first = self.W, self.b
        self.W, self.b = self.first
        return super().forward(x)


# ---------------------------------------------------------------------------- Dense, dW


@misconception(
    "dense_dW",
    says="dW is (K, D): it is transposed.",
    hint="A gradient has the shape of what it is the gradient of. Which shape has W?",
)
class TurnedWeightGradient(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = self.dW.T
        return dx


@misconception(
    "dense_dW",
    says="You reshape a dW of (K, D) into (D, K). The shape is right, and the numbers belong to other weights.",
    hint="Is there a product of x and dy that comes out as (D, K) by itself?",
)
class ReshapedWeightGradient(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = (dy.T @ self.x).reshape(self.W.shape)
        return dx


@misconception(
    "dense_dW",
    says="x and dy are summed over the batch first, and multiplied afterwards. "
    "With a batch of one nobody would notice.",
    hint="Each sample has its own product. (1 + 2)·(3 + 4) is not 1·3 + 2·4.",
)
class SumsBeforeProduct(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = np.outer(self.x.sum(axis=0), dy.sum(axis=0))
        return dx


@misconception(
    "dense_dW",
    says="dW is divided by N here. The loss has done that already, once and for all layers.",
    hint="dy is what one sample's output does to the mean loss. What do several samples add up to?",
)
class AveragedWeightGradient(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = self.dW / len(dy)
        return dx


@misconception(
    "dense_dW",
    says="Only the first sample of the batch counts.",
    hint="Every sample uses the same weights, so each of them has something to say about dW.",
)
class FirstSampleOnly(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = np.outer(self.x[0], dy[0])
        return dx


@misconception(
    "dense_dW",
    says="Only the last sample of the batch counts: each turn of the loop overwrites the one before.",
    hint="Every sample uses the same weights, so each of them has something to say about dW.",
)
class LastSampleOnly(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = np.outer(self.x[-1], dy[-1])
        return dx


@misconception(
    "dense_dW",
    says="The last sample of the batch is left out.",
    hint="Does your loop reach it? range(n) ends before n.",
)
class WithoutTheLastSample(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = self.x[:-1].T @ dy[:-1]
        return dx


@misconception(
    "dense_dW",
    says="dW grows from call to call: you add to what is left from the backward before.",
    hint="Each backward starts from nothing. What stands in dW when yours begins?",
)
class AddsWeightGradients(Dense):
    dW = 0

    def backward(self, dy):
        before = self.dW
        dx = super().backward(dy)
        self.dW = before + self.dW
        return dx


@misconception(
    "dense_dW",
    says="dW is the same for every output: x alone, and what dy says is lost.",
    hint="∂y/∂W is x, that is true. Chain rule: upstream gradient times slope.",
)
class InputsAlone(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = np.repeat(self.x.sum(axis=0)[:, None], self.out_features, axis=1)
        return dx


@misconception(
    "dense_dW",
    says="dW is the same for every input: dy alone, as for a bias.",
    hint="By how much does y[k] move when W[d, k] grows by 1? What does that depend on?",
)
class UpstreamAlone(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = np.repeat(dy.sum(axis=0)[None], self.in_features, axis=0)
        return dx


@misconception(
    "dense_dW",
    says="You multiply x with y, the output, in place of dy, its gradient.",
    hint="What backward is given is dy. Where does it come into your dW?",
)
class UsesTheOutput(Dense):
    def forward(self, x):
        self.y = super().forward(x)
        return self.y

    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = self.x.T @ self.y
        return dx


@misconception(
    "dense_dW",
    says="W itself is a factor in your dW. "
    "y[k] grows by x[d] for each unit of W[d, k], wherever W[d, k] stands.",
    hint="What is the derivative of w·x by w?",
)
class TimesTheWeights(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = self.dW * self.W
        return dx


@misconception(
    "dense_dW",
    says="The x of the first batch is kept for ever and used for later ones.",
    hint="When does your layer write down its x, and how often?",
)
class KeepsTheFirstBatch(Dense):
    first = None

    def forward(self, x):
        if self.first is None:
            self.first = x
        return super().forward(x)

    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = self.first.T @ dy
        return dx


@misconception(
    "dense_dW",
    says="x is kept in one place for all layers, so a second Dense overwrites the first one's.",
    hint="Each layer needs a memory of its own. Where does `self` come in?",
)
class SharesItsInput(Dense):
    def forward(self, x):
        SharesItsInput.last = x
        return super().forward(x)

    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = SharesItsInput.last.T @ dy
        return dx


@misconception(
    "dense_dW",
    says="Your backward changes W or b. A layer says in which direction; only the optimiser walks.",
    hint="After backward, W must be the same as before. Which of your lines writes to self.W?",
)
class WalksItself(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W, self.b = self.W - 0.1 * self.dW, self.b - 0.1 * self.db
        return dx


# ---------------------------------------------------------------------------- Dense, db


@misconception(
    "dense_db",
    says="You sum dy over the outputs, so db has one entry for each sample.",
    hint="There is one bias for each output. Over what must dy be summed, so that those stay?",
)
class SumsOverOutputs(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy.sum(axis=1)
        return dx


@misconception(
    "dense_db",
    says="db has the shape (1, K). b is (K,), and b − 0.1·db would become (1, K) too.",
    hint="`keepdims` keeps an axis that b doesn't have.",
)
class KeepsTheBatchAxis(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = self.db[None]
        return dx


@misconception(
    "dense_db",
    says="db has the shape (K, 1). b is (K,), and b − 0.1·db would become (K, K).",
    hint="A gradient has the shape of what it is the gradient of.",
)
class ColumnOfBiases(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = self.db[:, None]
        return dx


@misconception(
    "dense_db",
    says="db is averaged over the batch. The loss has divided by N already, once and for all layers.",
    hint="dy is what one sample's output does to the mean loss. What do several samples add up to?",
)
class AveragedBiasGradient(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = self.db / len(dy)
        return dx


@misconception(
    "dense_db",
    says="All of dy is summed up into one number.",
    hint="There is one bias for each output. Which axis of dy has to stay?",
)
class OneBiasForAll(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy.sum()
        return dx


@misconception(
    "dense_db",
    says="db is dy as it came, one row for each sample.",
    hint="The same bias is added in every row. What do the rows have to say together?",
)
class BiasForEachSample(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy
        return dx


@misconception(
    "dense_db",
    says="db is 1 everywhere, and what dy says is lost.",
    hint="∂y/∂b is 1, that is true. Chain rule: upstream gradient times slope.",
)
class SlopeOfTheBias(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = np.ones_like(self.db)
        return dx


@misconception(
    "dense_db",
    says="db is N everywhere: the slope 1 summed over the batch, and what dy says is lost.",
    hint="∂y/∂b is 1, that is true. Chain rule: upstream gradient times slope.",
)
class SlopeOfTheBiasTimesN(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = np.full_like(self.db, len(dy))
        return dx


@misconception(
    "dense_db",
    says="Only the first sample of the batch reaches db.",
    hint="The same bias is added in every row of y.",
)
class BiasOfTheFirstSample(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy[0]
        return dx


@misconception(
    "dense_db",
    says="Only the last sample of the batch reaches db: each turn of the loop overwrites the one before.",
    hint="The same bias is added in every row of y.",
)
class BiasOfTheLastSample(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy[-1]
        return dx


@misconception(
    "dense_db",
    says="The last sample of the batch is left out.",
    hint="Does your loop reach it? range(n) ends before n.",
)
class BiasWithoutTheLastSample(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy[:-1].sum(axis=0)
        return dx


@misconception(
    "dense_db",
    says="b itself is a factor in your db.",
    hint="y grows by 1 for each unit of b, wherever b stands.",
)
class TimesTheBias(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = self.db * self.b
        return dx


@misconception(
    "dense_db",
    says="db grows from call to call: you add to what is left from the backward before.",
    hint="Each backward starts from nothing. What stands in db when yours begins?",
)
class AddsBiasGradients(Dense):
    db = 0

    def backward(self, dy):
        before = self.db
        dx = super().backward(dy)
        self.db = before + self.db
        return dx


# ---------------------------------------------------------------------------- Dense, dx


@misconception(
    "dense_dx",
    says="dy goes back through W the wrong way round: your dx[d] takes column d of W, not row d. "
    "Where D and K are equal, no shape says so.",
    hint="W[d, k] leads from input d to output k. Which weights begin at input d?",
)
class BackThroughTheWrongWeights(Dense):
    def backward(self, dy):
        super().backward(dy)
        return dy @ self.W


@misconception(
    "dense_dx",
    says="You give W another shape by reshape. That keeps the order of the numbers, so each input hears through other inputs' weights.",
    hint="W.reshape(K, D)[k] is not what leads to output k. Try it on a small W, and look.",
)
class ReshapesWeights(Dense):
    def backward(self, dy):
        super().backward(dy)
        return dy @ self.W.reshape(self.W.shape[::-1])


@misconception(
    "dense_dx",
    says="Your dx is (D, N): the samples lie in its columns.",
    hint="dx has the shape of x.",
)
class InputsFirst(Dense):
    def backward(self, dy):
        return super().backward(dy).T


@misconception(
    "dense_dx",
    says="You undo the layer with an inverse of W. Backward doesn't solve for x; it asks how the loss changes when x does.",
    hint="By how much does y[k] move when x[d] grows by 1?",
)
class InvertsForward(Dense):
    def backward(self, dy):
        super().backward(dy)
        return dy @ np.linalg.pinv(self.W)


@misconception(
    "dense_dx",
    says="dx is divided by N here. The loss has done that already, once and for all layers.",
    hint="One sample's x feeds one sample's y. Where would the others come in?",
)
class AveragedInputGradient(Dense):
    def backward(self, dy):
        return super().backward(dy) / len(dy)


@misconception(
    "dense_dx",
    says="You return zeros, so nothing before this layer can ever learn.",
    hint="Each input feeds all outputs; what would the loss do if it grew a little?",
)
class CutsTheGraph(Dense):
    def backward(self, dy):
        return 0 * super().backward(dy)


@misconception(
    "dense_dx",
    says="You return dW, the gradient by the weights. The layer before waits for the gradient by x.",
    hint="Three gradients: two are kept on self, and one is handed on. Which one?",
)
class ReturnsWeightGradient(Dense):
    def backward(self, dy):
        super().backward(dy)
        return self.dW


@misconception(
    "dense_dx",
    says="x comes in as a factor. dx depends on dy and on W alone.",
    hint="What is the derivative of w·x by x?",
)
class TimesTheInputs(Dense):
    def backward(self, dy):
        return super().backward(dy) * self.x


@misconception(
    "dense_dx",
    says="dx is 0 wherever x was negative. That is ReLU's mask; Dense has none.",
    hint="Does a negative input feed the outputs, or doesn't it?",
)
class MasksAsReLU(Dense):
    def backward(self, dy):
        return super().backward(dy) * (self.x > 0)


@misconception(
    "dense_dx",
    says="dy and W are summed over the outputs first, and multiplied afterwards.",
    hint="Each output has its own product. (1 + 2)·(3 + 4) is not 1·3 + 2·4.",
)
class SumsOutputsBeforeProduct(Dense):
    def backward(self, dy):
        super().backward(dy)
        return np.outer(dy.sum(axis=1), self.W.sum(axis=1))


@misconception(
    "dense_dx",
    says="Only the last output counts: each turn of the loop overwrites the one before.",
    hint="Each input feeds all outputs, and every one of them has something to say.",
)
class LastOutputOnly(Dense):
    def backward(self, dy):
        super().backward(dy)
        return np.outer(dy[:, -1], self.W[:, -1])


@misconception(
    "dense_dx",
    says="dy is left out: your dx is made of the weights alone.",
    hint="∂y/∂x is W, that is true. Chain rule: upstream gradient times slope.",
)
class WeightsAlone(Dense):
    def backward(self, dy):
        super().backward(dy)
        return np.repeat(self.W.sum(axis=1)[None], len(dy), axis=0)


@misconception(
    "dense_dx",
    says="The samples' gradients are summed up, and every sample gets the sum.",
    hint="Weights are shared by the batch; an x is not. Row n of dx needs row n of dy only.",
)
class SumsOverTheBatch(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        return np.repeat(dx.sum(axis=0, keepdims=True), len(dx), axis=0)


@misconception(
    "dense_dx",
    says="The bias has got into your dx. It is added in forward, so it shifts y and changes no slope.",
    hint="If x[d] grows by 1, does b change anything about what y does?",
)
class BiasInTheGradient(Dense):
    def backward(self, dy):
        super().backward(dy)
        return (dy - self.b) @ self.W.T


@misconception(
    "dense_dx",
    says="You add to what an earlier backward returned. Each backward starts anew.",
    hint="Which of your arrays outlives a call, and which line adds to it?",
)
class PilesUpDx(Dense):
    total = 0

    def backward(self, dy):
        self.total = self.total + super().backward(dy)
        return self.total


# ---------------------------------------------------------------------------- the loss, forward


def _softmax(scores):
    e = np.exp(scores)
    return e / e.sum(axis=1, keepdims=True)


def _of_right_classes(a, labels):
    return a[np.arange(len(labels)), labels]


def _one_less(labels, logits):
    """The columns that NumPy finds under labels − 1: −1 is the last one, and 0 − 1 in uint8 is none."""
    return np.arange(logits.shape[1])[labels - 1]


def _mean_loss(p, labels):
    return float(-np.log(_of_right_classes(p, labels)).mean())


class _OwnSoftmax(SoftmaxCrossEntropy):
    """A loss that computes its p in `softmax`, in a way of its own, and then the logarithm of p."""

    def forward(self, logits, labels):
        super().forward(logits, labels)
        self.p = self.softmax(logits)
        return _mean_loss(self.p, labels)


@misconception(
    "loss_forward",
    "loss_backward",
    says="exp is taken of the scores as they are. exp(1000) is infinite, and exp(−1000) is 0 everywhere, so the fraction is not a number.",
    hint="p stays the same if one number is taken from all scores of a row. Which number makes exp harmless?",
)
class NoShift(_OwnSoftmax):
    def softmax(self, logits):
        return _softmax(logits)


@misconception(
    "loss_forward",
    "loss_backward",
    says="One maximum is taken for the whole batch. A row that lies far below it gets exp(…) = 0 everywhere, and 0/0.",
    hint="Each row is a softmax of its own. Whose maximum does it need?",
)
class OneMaximumForAll(_OwnSoftmax):
    def softmax(self, logits):
        return _softmax(logits - logits.max())


@misconception(
    "loss_forward",
    "loss_backward",
    says="Your shift leaves large scores standing. Where one score lies far above the others of its row, exp still overflows.",
    hint="After the shift, what may the largest score of a row be at most?",
)
class ShiftsByTheMean(_OwnSoftmax):
    def softmax(self, logits):
        return _softmax(logits - logits.mean(axis=1, keepdims=True))


@misconception(
    "loss_forward",
    "loss_backward",
    says="The maximum is taken over the batch, for each class, so each column is shifted by another number. That changes p.",
    hint="Which numbers of logits does one softmax see? They must all be shifted alike.",
)
class MaximumOverTheBatch(_OwnSoftmax):
    def softmax(self, logits):
        return _softmax(logits - logits.max(axis=0))


@misconception(
    "loss_forward",
    "loss_backward",
    says="The maximum and the sum of each row, of shape (N,), are lined up with the columns. "
    "Where N and K are equal, no shape says so.",
    hint="NumPy lines shapes up from the right. Write (N, K) and (N,) below each other: which shape must the maximum have?",
)
class WithoutKeepdims(_OwnSoftmax):
    def softmax(self, logits):
        e = np.exp(logits - logits.max(axis=1))
        return e / e.sum(axis=1)


@misconception(
    "loss_forward",
    "loss_backward",
    says="Your softmax runs over the batch: the samples compete with each other, not the classes.",
    hint="The probabilities of one sample must add up to 1. Which axis is that?",
)
class SoftmaxOverTheBatch(_OwnSoftmax):
    def softmax(self, logits):
        e = np.exp(logits - logits.max(axis=0))
        return e / e.sum(axis=0)


@misconception(
    "loss_forward",
    "loss_backward",
    says="All exponentials of the batch are summed up into one number, so only the whole batch adds up to 1.",
    hint="The probabilities of one sample must add up to 1. What do yours add up to?",
)
class SoftmaxOverEverything(_OwnSoftmax):
    def softmax(self, logits):
        e = np.exp(logits - logits.max())
        return e / e.sum()


@misconception(
    "loss_forward",
    "loss_backward",
    says="Each score is sent through a sigmoid of its own, and the classes don't compete.",
    hint="The probabilities of one sample must add up to 1. What do yours add up to?",
)
class SigmoidForSoftmax(_OwnSoftmax):
    def softmax(self, logits):
        return 1 / (1 + np.exp(-logits))


@misconception(
    "loss_forward",
    "loss_backward",
    says="The scores are divided by their sum, without exp. Scores may be negative, and so may your p.",
    hint="What does the exponential do to a negative number?",
)
class NoExponential(_OwnSoftmax):
    def softmax(self, logits):
        return logits / logits.sum(axis=1, keepdims=True)


@misconception(
    "loss_forward",
    "loss_backward",
    says="Softmax is taken twice: your scores become probabilities, and these go through a softmax once more.",
    hint="The probabilities of a very sure network come near 0 and 1. How near do yours come?",
)
class SoftmaxTwice(_OwnSoftmax):
    def softmax(self, logits):
        return _softmax(self.p)


@misconception(
    "loss_forward",
    says="The maximum is taken away from the scores in the sum, but not from the score of the right class.",
    hint="p stays the same only if all scores of a row are shifted alike, also the one above the line of the fraction.",
)
class ShiftsTheSumOnly(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        loss = super().forward(logits, labels)
        return loss - float(logits.max(axis=1).mean())


@misconception(
    "loss_forward",
    says="y and ln p are multiplied where p is 0 and ln p is infinite. 0 times infinity is not a number, also where y is 0.",
    hint="ln of a fraction is a difference, and ln undoes exp. Write ln p down on paper before you compute anything.",
)
class ZeroTimesInfinity(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        y = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
        return float(-(y * np.log(self.p)).sum(axis=1).mean())


@misconception(
    "loss_forward",
    says="The probabilities are averaged first, and the logarithm is taken of their mean.",
    hint="Each sample has a loss of its own. Is the mean of logarithms the logarithm of the mean?",
)
class LogarithmOfTheMean(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        return float(-np.log(_of_right_classes(self.p, labels).mean()))


@misconception(
    "loss_forward",
    says="Only the first sample of the batch counts.",
    hint="The loss is the mean over all samples.",
)
class FirstLossOnly(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits[:1], labels[:1])


@misconception(
    "loss_forward",
    says="Only the last sample of the batch counts: each turn of the loop overwrites the one before.",
    hint="The loss is the mean over all samples.",
)
class LastLossOnly(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits[-1:], labels[-1:])


@misconception(
    "loss_forward",
    says="You compute p and then its logarithm. Where the network is very sure and wrong, p is too small for a float, exactly 0, and log(0) is infinite.",
    hint="ln of a fraction is a difference, and ln undoes exp. Write ln p down on paper before you compute anything.",
)
class LogarithmOfZero(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        return _mean_loss(self.p, labels)


def _keeps_away_from_zero(name, keep_away):
    """A family of one mistake: learners choose different tiny numbers, and add them or clip p."""

    @misconception(
        "loss_forward",
        says="A tiny number keeps p away from 0. So your loss is never infinite, but wrong: a network that is very sure and wrong costs far more than you say.",
        hint="ln of a fraction is a difference, and ln undoes exp. Then there is nothing to be kept away from.",
    )
    class KeepsAwayFromZero(SoftmaxCrossEntropy):
        def forward(self, logits, labels):
            super().forward(logits, labels)
            return _mean_loss(keep_away(self.p), labels)

    KeepsAwayFromZero.__name__ = name


EPS = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
ADDED = (1e-4, 1e-5, 1e-6, 1e-7, EPS[0], 1e-8, 1e-9, 1e-10)
# Where less than 1e-10 is added, the check's tolerance can't tell it from clipping.
CLIPPED = (*ADDED, 1e-12, 1e-15, 1e-16, EPS[1], 1e-20)
for tiny in ADDED:
    _keeps_away_from_zero(f"Adds{tiny:.3g}", lambda p, tiny=tiny: p + tiny)
for tiny in CLIPPED:
    _keeps_away_from_zero(f"ClipsAt{tiny:.3g}", lambda p, tiny=tiny: np.maximum(p, tiny))


@misconception(
    "loss_forward",
    says="The losses of the batch are added up, not averaged.",
    hint="A larger batch is not a worse network. What keeps the loss comparable?",
)
class SumOfLosses(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, labels) * len(labels)


@misconception(
    "loss_forward",
    says="You divide by N twice.",
    hint="A mean divides by N already.",
)
class TwiceAveraged(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, labels) / len(labels)


@misconception(
    "loss_forward",
    says="The mean is taken over all N·K entries, but there are only N losses, one for each sample.",
    hint="By what do you divide? How many samples are there?",
)
class AveragedOverClasses(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, labels) / logits.shape[1]


@misconception(
    "loss_forward",
    says="The losses are not averaged: one for each sample comes out.",
    hint="The loss is one number, for the whole batch.",
)
class LossOfEachSample(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        return -np.log(_of_right_classes(self.p, labels))


@misconception(
    "loss_forward",
    says="The sign is missing: a logarithm of a probability is negative, and a loss is not.",
    hint="The better the guess, the smaller the loss must be; 0 is the best.",
)
class NegativeLoss(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return -super().forward(logits, labels)


@misconception(
    "loss_forward",
    says="Your logarithm has base 2: you count in bits.",
    hint="A blind guess among ten must cost ln 10 = 2.303. What does it cost with you?",
)
class InBits(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, labels) / float(np.log(2))


@misconception(
    "loss_forward",
    says="Your logarithm has base 10.",
    hint="A blind guess among ten must cost ln 10 = 2.303. What does it cost with you?",
)
class BaseTen(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, labels) / float(np.log(10))


@misconception(
    "loss_forward",
    says="There is no logarithm: your loss is 1 − p of the right class. So a network that is sure and wrong pays no more than 1.",
    hint="What has to come out for p = 1, and what for a p that is nearly 0?",
)
class OneMinusP(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        return float(1 - _of_right_classes(self.p, labels).mean())


@misconception(
    "loss_forward",
    says="There is no logarithm: your loss is −p of the right class.",
    hint="What has to come out for p = 1, and what for a p that is nearly 0?",
)
class MinusP(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        return float(-_of_right_classes(self.p, labels).mean())


@misconception(
    "loss_forward",
    says="Your loss is made of squares, (p − y)². That is another loss, and p − y is not its gradient.",
    hint="Cross-entropy looks at one probability only. Whose?",
)
class SquaredError(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        y = np.eye(logits.shape[1])[labels]
        return float(((self.p - y) ** 2).sum(axis=1).mean())


@misconception(
    "loss_forward",
    says="Your loss is made of squares, (p − y)², averaged over all entries. That is another loss, and p − y is not its gradient.",
    hint="Cross-entropy looks at one probability only. Whose?",
)
class MeanSquaredError(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        y = np.eye(logits.shape[1])[labels]
        return float(((self.p - y) ** 2).mean())


@misconception(
    "loss_forward",
    says="Only the right class's own score counts in your loss. Then every score may grow for ever, and cost less and less.",
    hint="Where do the other classes come in? They have to lose what this one gains.",
)
class OwnScoreOnly(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        super().forward(logits, labels)
        return float(-_of_right_classes(logits, labels).mean())


@misconception(
    "loss_forward",
    says="−ln p of every class is counted, not only that of the right one; the labels make no difference.",
    hint="Which one of the K probabilities should be large?",
)
class EveryClassCounts(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        N, K = logits.shape
        losses = [super(EveryClassCounts, self).forward(logits, np.full(N, k)) for k in range(K)]
        return float(sum(losses))


@misconception(
    "loss_forward",
    says="−ln p is averaged over all classes, not only taken of the right one; the labels make no difference.",
    hint="Which one of the K probabilities should be large?",
)
class EveryClassAveraged(EveryClassCounts):
    def forward(self, logits, labels):
        return super().forward(logits, labels) / logits.shape[1]


@misconception(
    "loss_forward",
    says="log_p[:, labels] takes, in every row, the classes of all samples: (N, N) numbers in place of N.",
    hint="Each row needs one column of its own. What does NumPy do with two arrays of indices?",
)
class AllLabelsInEveryRow(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        N = len(labels)
        each = [
            super(AllLabelsInEveryRow, self).forward(logits, np.roll(labels, n)) for n in range(N)
        ]
        return float(np.mean(each))


@misconception(
    "loss_forward",
    says="You ask how probable the network's own favourite is, and the labels make no difference.",
    hint="A network that is sure and wrong must pay. What does it pay here?",
)
class LossOfTheFavourite(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, logits.argmax(axis=1))


@misconception(
    "loss_forward",
    says="You count the classes from 1: label 1 reads column 0, and label 0 the last one.",
    hint="Label 0 is a class too. Which column is it?",
)
class ClassesFromOne(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, _one_less(labels, logits))


@misconception(
    "loss_forward",
    says="You shift the logits themselves, so whoever handed them to you finds them changed.",
    hint="`logits -= …` writes into the array that you were given. Which line makes a new one?",
)
class ShiftsTheLogitsThemselves(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        logits -= logits.max(axis=1, keepdims=True)
        return super().forward(logits, labels)


# ---------------------------------------------------------------------------- the loss, backward


@misconception(
    "loss_backward",
    says="The gradient is not divided by N, though the loss is a mean.",
    hint="In a mean over N samples, how much does one of them count?",
)
class NeverDivided(SoftmaxCrossEntropy):
    def backward(self):
        return super().backward() * len(self.labels)


@misconception(
    "loss_backward",
    says="The gradient is divided by N twice.",
    hint="In a mean over N samples, how much does one of them count?",
)
class TwiceDivided(SoftmaxCrossEntropy):
    def backward(self):
        return super().backward() / len(self.labels)


@misconception(
    "loss_backward",
    says="The gradient is divided by N·K. The mean runs over the N samples; the classes are not averaged.",
    hint="How many losses were averaged in forward?",
)
class DividedByClassesToo(SoftmaxCrossEntropy):
    def backward(self):
        return super().backward() / self.p.shape[1]


@misconception(
    "loss_backward",
    says="The losses are added up in forward, and backward fits that. They agree with each other, but the course's loss is the mean over the batch.",
    hint="With twice as many samples in the batch, how much longer would each step of the optimiser be?",
)
class SumBothWays(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        return super().forward(logits, labels) * len(labels)

    def backward(self):
        return super().backward() * len(self.labels)


@misconception(
    "loss_backward",
    says="1 is subtracted from whole columns: every sample loses 1 in the classes of all samples. "
    "It goes unseen where all labels are the same.",
    hint="d[:, labels] means every row. Which rows and columns belong together?",
)
class SubtractsFromWholeColumns(SoftmaxCrossEntropy):
    def backward(self):
        d = self.p.copy()
        d[:, self.labels] -= 1
        return d / len(d)


@misconception(
    "loss_backward",
    says="1 is subtracted from whole columns, once for each label: every sample loses something in the classes of all samples. "
    "With a batch of one nobody would notice.",
    hint="d[:, label] means every row. Which row does this label belong to?",
)
class SubtractsFromWholeColumnsInTurn(SoftmaxCrossEntropy):
    def backward(self):
        d = self.p.copy()
        for label in self.labels:
            d[:, label] -= 1
        return d / len(d)


@misconception(
    "loss_backward",
    says="You subtract the label itself, the number of the class, from every score of the row.",
    hint="Class 7 is not seven times as right as class 1. What is y, as a row of K numbers?",
)
class SubtractsTheNumber(SoftmaxCrossEntropy):
    def backward(self):
        return (self.p - self.labels[:, None].astype(self.p.dtype)) / len(self.p)


@misconception(
    "loss_backward",
    says="The right class's entry is set to −1, and its p is lost.",
    hint="p is 0.9 there: the network is nearly right, and should change little. By how much?",
)
class SetsToMinusOne(SoftmaxCrossEntropy):
    def backward(self):
        d = self.p.copy()
        d[np.arange(len(d)), self.labels] = -1
        return d / len(d)


@misconception(
    "loss_backward",
    says="p is divided by N, but the 1 that is subtracted is not.",
    hint="Each row of the gradient must add up to 0. What does yours add up to?",
)
class DividesPOnly(SoftmaxCrossEntropy):
    def backward(self):
        N = len(self.p)
        return super().backward() * N - self.p * (1 - 1 / N)


@misconception(
    "loss_backward",
    says="The 1 that is subtracted is divided by N, but p is not.",
    hint="Each row of the gradient must add up to 0. What does yours add up to?",
)
class DividesYOnly(SoftmaxCrossEntropy):
    def backward(self):
        return super().backward() + self.p * (1 - 1 / len(self.p))


@misconception(
    "loss_backward",
    says="You return the slope of p itself, the derivative of softmax. That the loss is −ln of it is left out.",
    hint="Chain rule: what is the derivative of −ln p by p?",
)
class SlopeOfSoftmax(SoftmaxCrossEntropy):
    def backward(self):
        return -super().backward() * _of_right_classes(self.p, self.labels)[:, None]


@misconception(
    "loss_backward",
    says="You subtract the 1 from p itself, which is kept for later: a second backward subtracts it once more.",
    hint="Whoever calls backward twice must get the same answer. Which array do you write into?",
)
class ChangesItsP(SoftmaxCrossEntropy):
    def backward(self):
        self.p[np.arange(len(self.p)), self.labels] -= 1
        return self.p / len(self.p)


@misconception(
    "loss_backward",
    says="You turn p itself into the gradient. The first backward is right; a second one does it all again, to what is left of p.",
    hint="Two names may stand for one array. Which of your lines makes a new one?",
)
class TurnsItsPIntoTheGradient(SoftmaxCrossEntropy):
    def backward(self):
        self.p[np.arange(len(self.p)), self.labels] -= 1
        self.p /= len(self.p)
        return self.p


@misconception(
    "loss_backward",
    says="1 is subtracted from whole rows: d[labels] takes the labels for numbers of samples.",
    hint="What does d[labels] pick, with one pair of brackets and one index? Which rows and columns belong together?",
)
class SubtractsFromWholeRows(SoftmaxCrossEntropy):
    def backward(self):
        d = self.p.copy()
        d[self.labels] -= 1
        return d / len(d)


@misconception(
    "loss_backward",
    says="You return p. The labels make no difference, and nothing is divided by N.",
    hint="Each row of the gradient must add up to 0. What does yours add up to?",
)
class ReturnsP(SoftmaxCrossEntropy):
    def backward(self):
        return self.p


@misconception(
    "loss_backward",
    says="The sign is turned: y − p. Your gradient points to where the loss falls, and the optimiser would walk uphill.",
    hint="If the right class's score grows, does the loss grow or fall?",
)
class YMinusP(SoftmaxCrossEntropy):
    def backward(self):
        return -super().backward()


@misconception(
    "loss_backward",
    says="You add the 1 in place of subtracting it.",
    hint="If the right class's score grows, does the loss grow or fall?",
)
class PPlusY(SoftmaxCrossEntropy):
    def backward(self):
        return 2 * self.p / len(self.p) - super().backward()


@misconception(
    "loss_backward",
    says="You return p/N. The labels make no difference: every score would be pushed down, the right one too.",
    hint="Each row of the gradient must add up to 0. What does yours add up to?",
)
class ForgetsTheLabel(SoftmaxCrossEntropy):
    def backward(self):
        return self.p / len(self.p)


@misconception(
    "loss_backward",
    says="Only the right class's score gets a gradient. But every score is in the sum below the fraction.",
    hint="If the score of a wrong class grows, what happens to p of the right one?",
)
class ForgetsTheOthers(SoftmaxCrossEntropy):
    def backward(self):
        d = super().backward()
        only = np.zeros_like(d)
        rows = np.arange(len(d))
        only[rows, self.labels] = d[rows, self.labels]
        return only


@misconception(
    "loss_backward",
    says="You stop at p: −1/p of the right class is the gradient by the probability. The scores lie one step further back, behind the softmax.",
    hint="Each score moves all K probabilities. What does the chain rule ask for?",
)
class StopsAtP(SoftmaxCrossEntropy):
    def backward(self):
        d = np.zeros_like(self.p)
        rows = np.arange(len(d))
        d[rows, self.labels] = -1 / self.p[rows, self.labels]
        return d / len(d)


@misconception(
    "loss_backward",
    says="p·(1 − p) comes in as a factor, the slope of a sigmoid. With −ln p it cancels; that is the beauty of it.",
    hint="Write the loss of one sample as −z + ln Σ eᶻ, and differentiate that.",
)
class SigmoidSlope(SoftmaxCrossEntropy):
    def backward(self):
        return super().backward() * self.p * (1 - self.p)


@misconception(
    "loss_backward",
    says="You subtract the 1 where the network's favourite is, not where the label is.",
    hint="Who says which class was right: the network or the label?",
)
class SubtractsAtTheFavourite(SoftmaxCrossEntropy):
    def backward(self):
        self.labels = self.p.argmax(axis=1)
        return super().backward()


@misconception(
    "loss_backward",
    says="You count the classes from 1: the 1 is subtracted one column too far left.",
    hint="Label 0 is a class too. Which column is it?",
)
class SubtractsFromOne(SoftmaxCrossEntropy):
    def backward(self):
        self.labels = _one_less(self.labels, self.p)
        return super().backward()


@misconception(
    "loss_backward",
    says="The gradient holds y only, and p is missing.",
    hint="Each row of the gradient must add up to 0. What does yours add up to?",
)
class MinusY(SoftmaxCrossEntropy):
    def backward(self):
        return super().backward() - self.p / len(self.p)


@misconception(
    "loss_backward",
    says="The gradients of the samples are added up into one row.",
    hint="Each sample has scores of its own. Which shape have the logits?",
)
class OneRowOfGradients(SoftmaxCrossEntropy):
    def backward(self):
        return super().backward().sum(axis=0)


@misconception(
    "loss_backward",
    says="p and labels of the first batch are kept for ever.",
    hint="When does your loss write down its p, and how often?",
)
class KeepsTheFirstP(SoftmaxCrossEntropy):
    first = None

    def forward(self, logits, labels):
        loss = super().forward(logits, labels)
        if self.first is None:
            self.first = self.p, self.labels
        self.p, self.labels = self.first
        return loss


@misconception(
    "loss_backward",
    says="p and labels are kept in one place for all losses, so a second one overwrites the first one's.",
    hint="Each loss needs a memory of its own. Where does `self` come in?",
)
class SharesItsP(SoftmaxCrossEntropy):
    def forward(self, logits, labels):
        loss = super().forward(logits, labels)
        SharesItsP.last = self.p, self.labels
        return loss

    def backward(self):
        self.p, self.labels = SharesItsP.last
        return super().backward()


# ---------------------------------------------------------------------------- a blind guess


def _scores_of_zero(x):
    return np.zeros((len(x), 10))


@misconception(
    "blind_guess",
    says="You return the probability of a blind guess, not what it costs.",
    hint="The loss is −ln of the probability that the right class got.",
)
def probability_of_a_blind_guess(x, labels):
    return 0.1


@misconception(
    "blind_guess",
    says="You return the number ln 10 itself, and ask no layer and no loss for it.",
    hint="Let a Dense layer and SoftmaxCrossEntropy find it out. What does each of them need?",
)
def writes_the_number_down(x, labels):
    return float(np.log(10))


@misconception(
    "blind_guess",
    says="The losses of the batch are added up, not averaged.",
    hint="One picture or a thousand: a blind guess must cost the same.",
)
def sum_of_blind_guesses(x, labels):
    return SoftmaxCrossEntropy().forward(_scores_of_zero(x), labels) * len(x)


@misconception(
    "blind_guess",
    says="You guess among as many classes as there are numbers in a picture.",
    hint="How many outputs must the Dense layer have?",
)
def as_many_classes_as_pixels(x, labels):
    return float(np.log(x.shape[1]))


@misconception(
    "blind_guess",
    says="You guess among as many classes as there are pictures in the batch.",
    hint="How many outputs must the Dense layer have?",
)
def as_many_classes_as_pictures(x, labels):
    return float(np.log(len(x)))
