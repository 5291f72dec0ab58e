"""What goes wrong in a Dense layer, in softmax cross-entropy, and with a blind guess."""

# fmt: off

import numpy as np

from cnnlib.layers import Dense
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.misconceptions import structure, windows
from cnnlib.misconceptions.changes import Formula, made, mistakes, slip
from cnnlib.misconceptions.structure import after

# ---------------------------------------------------------------------------- Dense, forward


class _Forward(Dense):
    def forward(self, x):
        super().forward(x)
        return self.sums(x, self.weights(np.asarray(self.W, x.dtype))) + self.bias(np.asarray(self.b, x.dtype))

    def weights(self, W): return W
    def sums(self, x, W): return x @ W
    def bias(self, b): return b


def _softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class _FirstWeights:
    """The weights of the first forward."""

    stands_at = "memory"

    def forward(self, x):
        self.W, self.b = vars(self).setdefault("first", (self.W, self.b))
        return super().forward(x)


def _turned(self, W): return W.reshape(W.shape[::-1]).T


mistakes(__name__, {"dense_forward": _Forward},
    NoBias=slip("The bias is missing.", "What does the layer return for an x of zeros?", bias=lambda self, b: 0 * b),
    GoesOnAlongARow=slip("Your sum goes on from output to output; it is set back to 0 only once for each sample.",
        "Inside which of your loops does the sum begin at 0?", after("y", "start", windows.goes_on(1))),
    SubtractsTheBias=slip("The bias is subtracted.", "A larger bias has to make its output larger.", bias=lambda self, b: -b),
    MeanOfTheBiases=slip("Every output gets the mean of all biases.", "How many biases are there, and what are they counted by?", bias=lambda self, b: b.mean()),
    BiasForEachInput=slip("The bias is added inside the sum over the inputs, so it counts D times.",
        "How many times should it count? An x of zeros shows it.", bias=lambda self, b: self.in_features * b),
    UprightBias=slip("The bias is a column, so it is added to the rows of y and not to the columns. With a batch of one, y even grows to (K, K).",
        "There is one bias for each output. Along which axis of y do the outputs lie?", bias=lambda self, b: b[:, None]),
    WeightsTurned=slip("The weights are used the wrong way round: your y[k] takes row k of W, not column k. Where D and K are equal, the shapes don't show it.",
        "W[d, k] leads from input d to output k. Which weights end in output k?", weights=lambda self, W: W.T),
    ReshapesWeightsForward=slip("You give W another shape by reshape. That keeps the order of the numbers, so weights end up between the wrong neurons.",
        "W is (D, K) already: which product of x and W leaves (N, K)?", weights=_turned),
    OutputsFirst=slip("Your y is (K, N): the rows of the batch lie in its columns.",
        "The batch comes first everywhere in this course: one row in, one row out.", after("y", "axes", lambda layer, y, N: y.T)),
    AveragesTheInputs=slip("The weighted sums are divided by D, as if each output were an average.",
        "y = Σ x·W + b. Is there a division in it?", sums=lambda self, x, W: x @ W / self.in_features),
    WithReLU=slip("Negative outputs are set to 0. That is ReLU's work, and ReLU is a layer of its own here.",
        "A score may be negative. What is left of it after your forward?", after("y", "activation", lambda layer, y, N: np.maximum(y, 0))),
    WithSoftmax=slip("Your outputs are probabilities already. Softmax belongs to the loss, not to Dense.",
        "Dense gives scores, of any sign and any size.", after("y", "activation", lambda layer, y, N: _softmax(y))),
    WithSigmoid=slip("Your outputs are squeezed by a sigmoid. Dense stops at the weighted sum.",
        "Dense gives scores, of any sign and any size.", after("y", "activation", lambda layer, y, N: 1 / (1 + np.exp(-y)))),
    WithTanh=slip("Your outputs are squeezed by tanh. Dense stops at the weighted sum.",
        "Dense gives scores, of any sign and any size.", after("y", "activation", lambda layer, y, N: np.tanh(y))),
    LastInputOnly=slip("Only the last input counts: each iteration overwrites the one before.",
        "A weighted sum grows with each input. Which of your lines makes it grow?", sums=lambda self, x, W: x[:, -1:] * W[-1]),
    FirstRowForAll=slip("Only the first row of the batch is used, and every row gets its outputs.",
        "Row n of y must come from row n of x.", after("y", "rows", lambda layer, y, N: np.repeat(y[:1], N, axis=0))),
    KeepsTheFirstWeights=slip("The weights of the first forward are kept for ever, so what the optimizer sets is never used.",
        "An optimizer replaces layer.W after each batch. When does your forward look at it?", _FirstWeights),
    MinusY=structure.minus("y"),
)

# ---------------------------------------------------------------------------- Dense, dW


class _DW(Dense):
    rows = slice(None)

    def forward(self, x):
        self.y = super().forward(x)
        return self.y

    def backward(self, dy):
        dW = self.product(self.seen(self.x)[self.rows], self.heard(dy)[self.rows])
        dx = super().backward(dy)
        self.dW = dW
        return dx

    def seen(self, x): return x
    def heard(self, dy): return dy
    def product(self, x, dy): return x.T @ dy


mistakes(__name__, {"dense_dW": _DW},
    TurnedWeightGradient=slip("dW is (K, D): it is transposed.",
        "A gradient has the shape of what it is the gradient of. What shape is W?", after("dW", "axes", lambda layer, dW, N: dW.T)),
    ReshapedWeightGradient=slip("You reshape a dW of (K, D) into (D, K). The shape is right, and the numbers belong to other weights.",
        "Is there a product of x and dy that comes out as (D, K) by itself?", product=lambda self, x, dy: (dy.T @ x).reshape(self.W.shape)),
    SumsBeforeProduct=slip("x and dy are summed over the batch first, and multiplied afterwards. With a batch of one nobody would notice.",
        "Each sample has its own product. (1 + 2)·(3 + 4) is not 1·3 + 2·4.", product=lambda self, x, dy: np.outer(x.sum(axis=0), dy.sum(axis=0))),
    AveragedWeightGradient=slip("dW is divided by N here. The loss has done that already, once and for all layers.",
        "dy is what one sample's output does to the mean loss. What do several samples add up to?", after("dW", "division", lambda layer, dW, N: dW / N)),
    FirstSampleOnly=slip("Only the first sample of the batch counts.",
        "Every sample uses the same weights, so each of them has something to say about dW.", rows=slice(1)),
    LastSampleOnly=slip("Only the last sample of the batch counts: each iteration overwrites the one before.",
        "Every sample uses the same weights, so each of them has something to say about dW.", rows=slice(-1, None)),
    WithoutTheLastSample=slip("The last sample of the batch is left out.", "Does your loop reach it? range(n) ends before n.", rows=slice(-1)),
    AddsWeightGradients=slip("dW grows from call to call: you add to what is left from the backward before.",
        "Each backward starts from nothing. What does dW hold when yours begins?", *structure.piles_up("dW").wraps),
    InputsAlone=slip("dW is the same for every output: x alone, and what dy says is lost.",
        "∂y/∂W is x, that is true. Chain rule: upstream gradient times slope.", heard=lambda self, dy: np.ones_like(dy)),
    UpstreamAlone=slip("dW is the same for every input: dy alone, as for a bias.",
        "By how much does y[k] move when W[d, k] grows by 1? What does that depend on?", seen=lambda self, x: np.ones_like(x)),
    UsesTheOutput=slip("You multiply x by y, the output, in place of dy, its gradient.",
        "What backward is given is dy. Where does it come into your dW?", heard=lambda self, dy: self.y),
    TimesTheWeights=slip("W itself is a factor in your dW. y[k] grows by x[d] for each unit of W[d, k], wherever W[d, k] stands.",
        "What is the derivative of w·x with respect to w?", after("dW", "factor", lambda layer, dW, N: dW * layer.W)),
    KeepsTheFirstBatch=structure.keeps_the_first("The x of the first batch is kept for ever and used for later ones.",
        "When does your layer write down its x, and how often?"),
    KeepsWhileTheShapeStays=structure.keeps_while_the_shape_stays(),
    SharesItsInput=structure.shares_memory("x", "Dense"),
    MinusDW=structure.minus("dW"),
)

# ---------------------------------------------------------------------------- Dense, db


class _Db(Dense):
    rows = slice(None)

    def backward(self, dy):
        dx = super().backward(dy)
        self.db = self.total(self.heard(dy)[self.rows])
        return dx

    def heard(self, dy): return dy
    def total(self, dy): return dy.sum(axis=0)


mistakes(__name__, {"dense_db": _Db},
    DbForEachInput=slip("Each entry of dy is counted D times, once for every input. The bias goes into an output once.",
        "Inside which of your loops does the line with db stand?", after("db", "count", lambda layer, db, N: db * layer.W.shape[0])),
    SumsOverOutputs=slip("You sum dy over the outputs, so db has one entry for each sample.",
        "There is one bias for each output. Over what must dy be summed, so that those stay?", total=lambda self, dy: dy.sum(axis=1)),
    KeepsTheBatchAxis=slip("db has the shape (1, K). b is (K,), and b − 0.1·db would become (1, K) too.",
        "`keepdims` keeps an axis that b doesn't have.", after("db", "shape", lambda layer, db, N: db[None])),
    ColumnOfBiases=slip("db has the shape (K, 1). b is (K,), and b − 0.1·db would become (K, K).",
        "A gradient has the shape of what it is the gradient of.", after("db", "shape", lambda layer, db, N: db[:, None])),
    AveragedBiasGradient=slip("db is averaged over the batch. The loss has divided by N already, once and for all layers.",
        "dy is what one sample's output does to the mean loss. What do several samples add up to?", after("db", "division", lambda layer, db, N: db / N)),
    OneBiasForAll=slip("All of dy is summed up into one number.", "There is one bias for each output. Which axis of dy has to stay?", total=lambda self, dy: dy.sum()),
    BiasForEachSample=slip("db is dy as it came, one row for each sample.",
        "The same bias is added in every row. What do the rows have to say together?", total=lambda self, dy: dy),
    SlopeOfTheBias=slip("db is 1 everywhere, and what dy says is lost.",
        "∂y/∂b is 1, that is true. Chain rule: upstream gradient times slope.", total=lambda self, dy: np.ones_like(dy[0])),
    SlopeOfTheBiasTimesN=slip("db is N everywhere: the slope 1 summed over the batch, and what dy says is lost.",
        "∂y/∂b is 1, that is true. Chain rule: upstream gradient times slope.", heard=lambda self, dy: np.ones_like(dy)),
    BiasOfTheFirstSample=slip("Only the first sample of the batch reaches db.", "The same bias is added in every row of y.", rows=slice(1)),
    BiasOfTheLastSample=slip("Only the last sample of the batch reaches db: each iteration overwrites the one before.",
        "The same bias is added in every row of y.", rows=slice(-1, None)),
    BiasWithoutTheLastSample=slip("The last sample of the batch is left out.", "Does your loop reach it? range(n) ends before n.", rows=slice(-1)),
    TimesTheBias=slip("b itself is a factor in your db.",
        "y grows by 1 for each unit of b, wherever b stands.", after("db", "factor", lambda layer, db, N: db * layer.b)),
    AddsBiasGradients=slip("db grows from call to call: you add to what is left from the backward before.",
        "Each backward starts from nothing. What does db hold when yours begins?", *structure.piles_up("db").wraps),
    MinusDb=structure.minus("db"),
)

# ---------------------------------------------------------------------------- Dense, dx


class _Dx(Dense):
    def backward(self, dy):
        super().backward(dy)
        return self.product(self.heard(dy), self.weights(np.asarray(self.W, dy.dtype)))

    def heard(self, dy): return dy
    def weights(self, W): return W
    def product(self, dy, W): return dy @ W.T


mistakes(__name__, {"dense_dx": _Dx},
    BackThroughTheWrongWeights=slip("dy goes back through W the wrong way round: your dx[d] takes column d of W, not row d. Where D and K are equal, the shapes don't show it.",
        "W[d, k] leads from input d to output k. Which weights begin at input d?", weights=lambda self, W: W.T),
    ReshapesWeights=slip("You give W another shape by reshape. That keeps the order of the numbers, so each input hears through other inputs' weights.",
        "W.reshape(K, D)[k] is not what leads to output k. Try it on a small W, and look.", weights=_turned),
    InputsFirst=slip("Your dx is (D, N): the samples lie in its columns.", "dx has the shape of x.", after("dx", "axes", lambda layer, dx, N: dx.T)),
    InvertsForward=slip("You undo the layer with an inverse of W. Backward doesn't solve for x; it asks how the loss changes when x does.",
        "By how much does y[k] move when x[d] grows by 1?", weights=lambda self, W: np.linalg.pinv(W).T),
    AveragedInputGradient=slip("dx is divided by N here. The loss has done that already, once and for all layers.",
        "One sample's x feeds one sample's y. Where would the others come in?", after("dx", "division", lambda layer, dx, N: dx / N)),
    CutsTheGraph=structure.cuts_the_graph("Each input feeds all outputs; what would the loss do if it grew a little?"),
    ReturnsWeightGradient=slip("You return dW, the gradient with respect to the weights. The layer before needs the one with respect to x.",
        "Three gradients: two are kept on self, and one is handed on. Which one?", after("dx", "end", lambda layer, dx, N: layer.dW)),
    TimesTheInputs=slip("x comes in as a factor. dx depends on dy and on W alone.",
        "What is the derivative of w·x with respect to x?", after("dx", "factor", lambda layer, dx, N: dx * layer.x)),
    MasksAsReLU=slip("dx is 0 wherever x was negative. That is ReLU's mask; Dense has none.",
        "Does a negative input feed the outputs, or doesn't it?", after("dx", "mask", lambda layer, dx, N: dx * (layer.x > 0))),
    SumsOutputsBeforeProduct=slip("dy and W are summed over the outputs first, and multiplied afterwards.",
        "Each output has its own product. (1 + 2)·(3 + 4) is not 1·3 + 2·4.", product=lambda self, dy, W: np.outer(dy.sum(axis=1), W.sum(axis=1))),
    LastOutputOnly=slip("Only the last output counts: each iteration overwrites the one before.",
        "Each input feeds all outputs, and every one of them has something to say.", product=lambda self, dy, W: np.outer(dy[:, -1], W[:, -1])),
    WeightsAlone=slip("dy is left out: your dx is made of the weights alone.",
        "∂y/∂x is W, that is true. Chain rule: upstream gradient times slope.", heard=lambda self, dy: np.ones_like(dy)),
    SumsOverTheBatch=slip("The samples' gradients are summed up, and every sample gets the sum.",
        "Weights are shared by the batch; an x is not. Row n of dx needs row n of dy only.", after("dx", "rows", lambda layer, dx, N: np.repeat(dx.sum(axis=0, keepdims=True), N, axis=0))),
    BiasInTheGradient=slip("The bias has got into your dx. It is added in forward, so it shifts y and changes no slope.",
        "If x[d] grows by 1, does b change anything about what y does?", heard=lambda self, dy: dy - self.b),
    PilesUpDx=structure.piles_up("dx"),
    MinusDx=structure.minus("dx"),
)
mistakes(__name__, {"dense_dW": _DW, "dense_db": _Db, "dense_dx": _Dx},
    WalksItself=structure.walks_itself("After backward, W and b must be the same as before. Which of your lines write to self.W and self.b?", "W", "b"),
    WalksWithW=structure.walks_itself("After backward, W must be the same as before. Which of your lines writes to self.W?", "W"),
)

# ---------------------------------------------------------------------------- the loss, forward


class _Stable(SoftmaxCrossEntropy):
    """ln p as a difference, so that no p is too small for it."""

    def forward(self, logits, labels):
        self.logits, self.labels = logits, labels
        shifted = logits - self.shift(logits)
        e = np.exp(shifted)
        total = self.total(e)
        self.p = self.probabilities(logits, e, total)
        log_p = self.log_p(self.above(logits, shifted), total)
        return self.mean(self.losses(log_p, self.right_ones(labels)))

    def shift(self, logits): return logits.max(axis=1, keepdims=True)
    def total(self, e): return e.sum(axis=1, keepdims=True)
    def probabilities(self, logits, e, total): return e / total

    def above(self, logits, shifted):
        """The numerators."""
        return shifted

    def log_p(self, above, total): return above - np.log(total)
    def right_ones(self, labels): return labels
    def losses(self, log_p, labels): return -log_p[np.arange(len(labels)), labels]
    def mean(self, losses): return float(losses.mean())

    def backward(self):
        dlogits = self.difference(self.p, self.y(self.called_right(self.labels)))
        return dlogits / self.share(*self.p.shape)

    def called_right(self, labels): return labels

    def y(self, labels):
        """A row for each sample: 1 at the right class, 0 elsewhere."""
        y = np.zeros_like(self.p)
        y[np.arange(len(labels)), labels] = 1
        return y

    def difference(self, p, y): return p - y
    def share(self, N, K): return N


class _StableAllTheWay(_Stable):
    """p from ln p."""

    def probabilities(self, logits, e, total): return np.exp(logits - self.shift(logits) - np.log(total))


class _Naive(_Stable):
    """p first, and then its logarithm."""

    def log_p(self, above, total): return np.log(self.kept(self.p))
    def kept(self, p): return p


_FIRST_LABEL = "The label of the first sample is used for the whole batch."
_WHOSE_LABEL = "labels[n] belongs to row n. Where does n come into your code?"


def _one_less(labels, K):
    """The columns that NumPy finds under labels − 1: −1 is the last one, and 0 − 1 in uint8 is 255, no column at all."""
    return np.arange(K)[labels - 1]


mistakes(__name__, {"loss_forward": (_Naive, _Stable), "loss_backward": (_Naive, _Stable, _StableAllTheWay)},
    NoShift=slip("exp is taken of the scores as they are. exp(1000) is infinite, and exp(−1000) is 0 everywhere, so the fraction is not a number.",
        "p stays the same if the same number is subtracted from all scores of a row. Which number makes exp harmless?", shift=lambda self, logits: 0),
    OneMaximumForAll=slip("One maximum is taken for the whole batch. A row that lies far below it gets exp(…) = 0 everywhere, and then 0/0, or the logarithm of 0.",
        "Each row is a softmax of its own. Whose maximum does it need?", shift=lambda self, logits: logits.max()),
    ShiftsByTheMean=slip("Your shift leaves large scores standing. Where one score lies far above the others of its row, exp still overflows.",
        "After the shift, what may the largest score of a row be at most?", shift=lambda self, logits: logits.mean(axis=1, keepdims=True)),
    MaximumOverTheBatch=slip("The maximum is taken over the batch, for each class, so each column is shifted by a different number. That changes p.",
        "Which numbers of logits does one softmax see? They must all be shifted alike.", shift=lambda self, logits: logits.max(axis=0)),
    WithoutKeepdims=slip("The maximum and the sum of each row, of shape (N,), are lined up with the columns. Where N and K are equal, the shapes don't show it.",
        "NumPy lines shapes up from the right. Write (N, K) and (N,) below each other: what shape must the maximum have?", shift=lambda self, logits: logits.max(axis=1), total=lambda self, e: e.sum(axis=1)),
    ShiftWithoutKeepdims=slip("The maximum of each row, of shape (N,), is lined up with the columns. Where N and K are equal, the shapes don't show it.",
        "NumPy lines shapes up from the right. Write (N, K) and (N,) below each other: what shape must the maximum have?", shift=lambda self, logits: logits.max(axis=1)),
    SumWithoutKeepdims=slip("The sum of each row, of shape (N,), is lined up with the columns. Where N and K are equal, the shapes don't show it.",
        "NumPy lines shapes up from the right. Write (N, K) and (N,) below each other: what shape must the sum have?", total=lambda self, e: e.sum(axis=1)),
    SoftmaxOverTheBatch=slip("Your softmax runs over the batch: the samples compete with each other, not the classes.",
        "The probabilities of one sample must add up to 1. Which axis is that?", shift=lambda self, logits: logits.max(axis=0), total=lambda self, e: e.sum(axis=0)),
    SumOverTheBatch=slip("The exponentials are summed over the batch: the samples compete with each other, not the classes.",
        "The probabilities of one sample must add up to 1. Which axis is that?", total=lambda self, e: e.sum(axis=0)),
    SoftmaxOverEverything=slip("All exponentials of the batch are summed up into one number, so only the whole batch adds up to 1.",
        "The probabilities of one sample must add up to 1. What do yours add up to?", shift=lambda self, logits: logits.max(), total=lambda self, e: e.sum()),
    SumOverEverything=slip("All exponentials of the batch are summed up into one number, so only the whole batch adds up to 1.",
        "The probabilities of one sample must add up to 1. What do yours add up to?", total=lambda self, e: e.sum()),
)
mistakes(__name__, {"loss_forward": (_Stable, _Naive), "loss_backward": (_Stable, _StableAllTheWay)},
    AveragesTheExponentials=slip("The exponentials are divided by their mean, not by their sum: the p of a row add up to K.",
        "The probabilities of one sample must add up to 1. What do yours add up to?", total=lambda self, e: e.mean(axis=1, keepdims=True)),
)
mistakes(__name__, {"loss_forward": _Stable},
    FirstLabelForAll=slip(_FIRST_LABEL, _WHOSE_LABEL, right_ones=lambda self, labels: np.full_like(labels, labels[0])),
)
mistakes(__name__, {"loss_backward": _Stable},
    FirstLabelForAllBack=slip(_FIRST_LABEL, _WHOSE_LABEL, called_right=lambda self, labels: np.full_like(labels, labels[0])),
    POfTheLastRow=slip("Every row gets the p of the last one: each iteration writes over all rows.",
        "Which part of your array does row n belong to, and which part do you write to?", probabilities=lambda self, logits, e, total: np.broadcast_to((e / total)[-1:], e.shape)),
)
mistakes(__name__, {"loss_forward": _Naive, "loss_backward": _Naive},
    SigmoidForSoftmax=slip("Each score is sent through a sigmoid of its own, and the classes don't compete.",
        "The probabilities of one sample must add up to 1. What do yours add up to?", probabilities=lambda self, logits, e, total: 1 / (1 + np.exp(-logits))),
    NoExponential=slip("The scores are divided by their sum, without exp. Scores may be negative, and so may your p.",
        "What does the exponential do to a negative number?", probabilities=lambda self, logits, e, total: logits / logits.sum(axis=1, keepdims=True)),
    SoftmaxTwice=slip("Softmax is taken twice: your scores become probabilities, and these go through a softmax once more.",
        "The probabilities of a very sure network come near 0 and 1. How near do yours come?", probabilities=lambda self, logits, e, total: _softmax(_softmax(logits))),
)


def _one_hot(log_p, labels): return np.eye(log_p.shape[1], dtype=log_p.dtype)[labels]
def _of_right(log_p, labels): return np.exp(log_p[np.arange(len(labels)), labels])
def _squares(self, log_p, labels): return (np.exp(log_p) - _one_hot(log_p, labels)) ** 2


def _shifts_the_logits(self, logits, labels):
    logits -= logits.max(axis=1, keepdims=True)
    return _Stable.forward(self, logits, labels)


mistakes(__name__, {"loss_forward": _Stable},
    ShiftsTheSumOnly=slip("The maximum is subtracted from the scores in the sum, but not from the score of the right class.",
        "p stays the same only if all scores of a row are shifted alike, including the one in the numerator.", above=lambda self, logits, shifted: logits),
    SumInBits=slip("The logarithm of the sum has base 2; the scores are powers of e.",
        "ln p is a difference. Which logarithm undoes np.exp?", log_p=lambda self, above, total: above - np.log2(total)),
    SumInBaseTen=slip("The logarithm of the sum has base 10; the scores are powers of e.",
        "ln p is a difference. Which logarithm undoes np.exp?", log_p=lambda self, above, total: above - np.log10(total)),
    MaximumTwice=slip("The maximum is subtracted twice: from the scores, and once more from what is left.",
        "With the scores shifted, is there anything left to be shifted?", log_p=lambda self, above, total: above - np.log(total) - self.shift(self.logits)),
    AddsOneToTheSum=slip("A 1 is added to the sum of the exponentials before its logarithm is taken. That is what np.log1p does.",
        "ln p is a difference of the score and the logarithm of one sum. What is in that sum, and what isn't?", log_p=lambda self, above, total: above - np.log1p(total)),
)
mistakes(__name__, {"loss_forward": (_Stable, _Naive)},
    LogarithmOfTheMean=slip("The probabilities are averaged first, and the logarithm is taken of their mean.",
        "Each sample has a loss of its own. Is the mean of logarithms the logarithm of the mean?", mean=lambda self, losses: float(-np.log(np.exp(-losses).mean()))),
    FirstLossOnly=slip("Only the first sample of the batch counts.", "The loss is the mean over all samples.", mean=lambda self, losses: float(losses[0])),
    LastLossOnly=slip("Only the last sample of the batch counts: each iteration overwrites the one before.",
        "The loss is the mean over all samples.", mean=lambda self, losses: float(losses[-1])),
    SumOfLosses=slip("The losses of the batch are added up, not averaged.",
        "A larger batch is not a worse network. What keeps the loss comparable?", mean=lambda self, losses: float(losses.sum())),
    TwiceAveraged=slip("You divide by N twice.", "A mean divides by N already.", mean=lambda self, losses: float(losses.mean() / len(losses))),
    AveragedOverClasses=slip("The mean is taken over all N·K entries, but there are only N losses, one for each sample.",
        "What do you divide by? How many samples are there?", mean=lambda self, losses: float(losses.mean() / self.p.shape[1])),
    DividedByClasses=slip("You divide by K, the number of classes, in place of N, the number of samples.",
        "What do you divide by? How many samples are there?", mean=lambda self, losses: float(losses.sum() / self.p.shape[1])),
    LossOfEachSample=slip("The losses are not averaged: one for each sample comes out.",
        "The loss is one number, for the whole batch.", mean=lambda self, losses: losses),
    NegativeLoss=slip("The sign is missing: a logarithm of a probability is negative, and a loss is not.",
        "The better the guess, the smaller the loss must be; 0 is the best.", after("y", "sign", lambda loss, y, N: -y)),
    InBits=slip("Your logarithm has base 2: you count in bits.",
        "A blind guess among ten must cost ln 10 = 2.303. What does it cost by your loss?", after("y", "unit", lambda loss, y, N: y / float(np.log(2)))),
    BaseTen=slip("Your logarithm has base 10.",
        "A blind guess among ten must cost ln 10 = 2.303. What does it cost by your loss?", after("y", "unit", lambda loss, y, N: y / float(np.log(10)))),
    OneMinusP=slip("There is no logarithm: your loss is 1 − p of the right class. So a network that is sure and wrong pays no more than 1.",
        "What has to come out for p = 1, and what for a p that is nearly 0?", losses=lambda self, log_p, labels: 1 - _of_right(log_p, labels)),
    MinusP=slip("There is no logarithm: your loss is −p of the right class.",
        "What has to come out for p = 1, and what for a p that is nearly 0?", losses=lambda self, log_p, labels: -_of_right(log_p, labels)),
    SquaredError=slip("Your loss is made of squares, (p − y)². That is another loss, and p − y is not its gradient.",
        "Cross-entropy looks at one probability only. Whose?", losses=lambda self, log_p, labels: _squares(self, log_p, labels).sum(axis=1)),
    MeanSquaredError=slip("Your loss is made of squares, (p − y)², averaged over all entries. That is another loss, and p − y is not its gradient.",
        "Cross-entropy looks at one probability only. Whose?", losses=lambda self, log_p, labels: _squares(self, log_p, labels).mean(axis=1)),
    OwnScoreOnly=slip("Only the right class's own score counts in your loss. Then every score may grow for ever, and cost less and less.",
        "Where do the other classes come in? They have to lose what this one gains.", losses=lambda self, log_p, labels: -self.logits[np.arange(len(labels)), labels]),
    EveryClassCounts=slip("−ln p of every class is counted, not only that of the right one; the labels make no difference.",
        "Which one of the K probabilities should be large?", losses=lambda self, log_p, labels: -log_p.sum(axis=1)),
    EveryClassAveraged=slip("−ln p is averaged over all classes, not only taken of the right one; the labels make no difference.",
        "Which one of the K probabilities should be large?", losses=lambda self, log_p, labels: -log_p.mean(axis=1)),
    AllLabelsInEveryRow=slip("log_p[:, labels] takes, in every row, the classes of all samples: (N, N) numbers in place of N.",
        "Each row needs one column of its own. What does NumPy do with two arrays of indices?", losses=lambda self, log_p, labels: -log_p[:, labels].mean(axis=1)),
    LossOfTheFavourite=slip("You ask how probable the network's own favourite is, and the labels make no difference.",
        "A network that is sure and wrong must pay. What does it pay here?", right_ones=lambda self, labels: self.logits.argmax(axis=1)),
    ClassesFromOne=slip("You count the classes from 1: label 1 reads column 0, and label 0 the last one.",
        "Label 0 is a class too. Which column is it?", right_ones=lambda self, labels: _one_less(labels, self.logits.shape[1])),
    ShiftsTheLogitsThemselves=slip("You shift the logits themselves, so whoever handed them to you finds them changed.",
        "`logits -= …` writes into the array that you were given. Which line makes a new one?", forward=_shifts_the_logits),
)


# The ways in which learners keep p away from 0, or from 0 and 1, by a tiny number.
KEPT_AWAY = {
    "Adds{:.3g}": lambda p, tiny: p + tiny,
    "ClipsAt{:.3g}": np.maximum,
    "ClipsAt{:.3g}AndNear1": lambda p, tiny: np.clip(p, tiny, 1 - tiny),
}


def _keeps_away(way, tiny):
    kept = KEPT_AWAY[way]
    says = "A tiny number keeps p away from 0. So your loss is never infinite, but wrong: a network that is very sure and wrong costs far more than you say."
    if "Near1" in way:
        says = "Your p is kept away from 0 and from 1. So a network that is very sure and wrong costs far more than you say, and one that is sure and right costs something too."
    hint = "ln of a fraction is a difference, and ln undoes exp. Then there is nothing to be kept away from."
    return slip(says, hint, kept=lambda self, p: kept(p, p.dtype.type(tiny)))


def keeps_away(way: str, tiny: float):
    """The mistake for any tiny number that a learner may have chosen."""
    return made(way.format(tiny), _Naive, _keeps_away(way, tiny))


# Where less than 1e-10 is added, the check's tolerance can't tell it from clipping.
_EPS = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
_ADDED = (1e-4, 1e-5, 1e-6, 1e-7, _EPS[0], 1e-8, 1e-9, 1e-10)
_CLIPPED = (*_ADDED, 1e-12, 1e-15, 1e-16, _EPS[1], 1e-20)

mistakes(__name__, {"loss_forward": _Naive},
    LogarithmOfZero=slip("You compute p and then its logarithm. Where the network is very sure and wrong, p is too small for a float, exactly 0, and log(0) is infinite.",
        "ln of a fraction is a difference, and ln undoes exp. Write ln p down on paper before you compute anything."),
    ZeroTimesInfinity=slip("y and ln p are multiplied where p is 0 and ln p is infinite. 0 times infinity is not a number, even where y is 0.",
        "ln of a fraction is a difference, and ln undoes exp. Write ln p down on paper before you compute anything.", losses=lambda self, log_p, labels: -(_one_hot(log_p, labels) * log_p).sum(axis=1)),
    **{way.format(tiny): _keeps_away(way, tiny)
       for way in KEPT_AWAY for tiny in (_CLIPPED if way == "ClipsAt{:.3g}" else _ADDED)},
)

# ---------------------------------------------------------------------------- the loss, backward


def _columns(self, labels):
    y = np.zeros_like(self.p)
    y[:, labels] = 1
    return y


def _columns_in_turn(self, labels):
    y = np.zeros_like(self.p)
    for label in labels:
        y[:, label] += 1
    return y


def _rows(self, labels):
    y = np.zeros_like(self.p)
    y[labels] = 1
    return y


def _in_the_rows_of_labels(self, labels):
    y = np.zeros_like(self.p)
    y[labels, np.arange(len(labels))] = 1
    return y


def _changes_p(self):
    self.p[...] = self.difference(self.p, self.y(self.called_right(self.labels)))
    return self.p / self.share(*self.p.shape)


def _turns_p(self):
    self.p[...] = _changes_p(self)
    return self.p


def _stops_at_p(self, p, y): return np.where(y == 1, -1 / np.where(y == 1, p, 1), 0).astype(p.dtype)


mistakes(__name__, {"loss_backward": (_Stable, _StableAllTheWay)},
    NeverDivided=slip("The gradient is not divided by N, though the loss is a mean.",
        "In a mean over N samples, how much does one of them count?", share=lambda self, N, K: 1),
    TwiceDivided=slip("The gradient is divided by N twice.", "In a mean over N samples, how much does one of them count?", share=lambda self, N, K: N * N),
    DividedByClassesToo=slip("The gradient is divided by N·K. The mean runs over the N samples; the classes are not averaged.",
        "How many losses were averaged in forward?", share=lambda self, N, K: N * K),
    DividedByClassesOnly=slip("The gradient is divided by K, the number of classes, in place of N.",
        "How many losses were averaged in forward?", share=lambda self, N, K: K),
    SumBothWays=slip("The losses are added up in forward, and backward fits that. They agree with each other, but the course's loss is the mean over the batch.",
        "With twice as many samples in the batch, how much longer would each step of the optimizer be?", mean=lambda self, losses: float(losses.sum()), share=lambda self, N, K: 1),
    SubtractsFromWholeColumns=slip("1 is subtracted from whole columns: every sample loses 1 in the classes of all samples. It goes unseen where all labels are the same.",
        "d[:, labels] means every row. Which rows and columns belong together?", y=_columns),
    SubtractsFromWholeColumnsInTurn=slip("1 is subtracted from whole columns, once for each label: every sample loses something in the classes of all samples. With a batch of one nobody would notice.",
        "d[:, label] means every row. Which row does this label belong to?", y=_columns_in_turn),
    SubtractsTheNumber=slip("You subtract the label itself, the number of the class, from every score of the row.",
        "Class 7 is not seven times as right as class 1. What is y, as a row of K numbers?", y=lambda self, labels: labels[:, None].astype(self.p.dtype)),
    SetsToMinusOne=slip("The right class's entry is set to −1, and its p is lost.",
        "p is 0.9 there: the network is nearly right, and should change little. By how much?", difference=lambda self, p, y: np.where(y == 1, -y, p)),
    DividesPOnly=slip("p is divided by N, but the 1 that is subtracted is not.",
        "Each row of the gradient must add up to 0. What does yours add up to?", difference=lambda self, p, y: p - y * len(p)),
    DividesYOnly=slip("The 1 that is subtracted is divided by N, but p is not.",
        "Each row of the gradient must add up to 0. What does yours add up to?", difference=lambda self, p, y: p * len(p) - y),
    SlopeOfSoftmax=slip("You return the slope of p itself, the derivative of softmax. That the loss is −ln of it is left out.",
        "Chain rule: what is the derivative of −ln p with respect to p?", difference=lambda self, p, y: (y - p) * (p * y).sum(axis=1, keepdims=True)),
    ChangesItsP=slip("You subtract the 1 from p itself, which is kept for later: a second backward subtracts it once more.",
        "Whoever calls backward twice must get the same answer. Which array do you write into?", backward=_changes_p),
    TurnsItsPIntoTheGradient=slip("You turn p itself into the gradient. The first backward is right; a second one does it all again, to what is left of p.",
        "Two names may stand for one array. Which of your lines makes a new one?", backward=_turns_p),
    SubtractsFromWholeRows=slip("1 is subtracted from whole rows: d[labels] takes the labels for numbers of samples.",
        "What does d[labels] pick, with one pair of brackets and one index? Which rows and columns belong together?", y=_rows),
    SubtractsEverywhere=slip("1 is subtracted from all scores. y is 1 at the right class of each sample, and 0 elsewhere.",
        "Which one score of a sample is its right class's? Which two indices pick it out?", y=lambda self, labels: np.ones_like(self.p)),
    ReturnsP=slip("You return p. The labels make no difference, and nothing is divided by N.",
        "Each row of the gradient must add up to 0. What does yours add up to?", y=lambda self, labels: 0, share=lambda self, N, K: 1),
    YMinusP=slip("The sign is reversed: y − p. Your gradient points to where the loss falls, and the optimizer would walk uphill.",
        "If the right class's score grows, does the loss grow or fall?", difference=lambda self, p, y: y - p),
    PPlusY=slip("You add the 1 in place of subtracting it.", "If the right class's score grows, does the loss grow or fall?", difference=lambda self, p, y: p + y),
    ForgetsTheLabel=slip("You return p/N. The labels make no difference: every score would be pushed down, the right one too.",
        "Each row of the gradient must add up to 0. What does yours add up to?", y=lambda self, labels: 0),
    ForgetsTheOthers=slip("Only the right class's score gets a gradient. But every score is in the sum in the denominator.",
        "If the score of a wrong class grows, what happens to p of the right one?", difference=lambda self, p, y: (p - y) * y),
    StopsAtP=slip("You stop at p: −1/p of the right class is the gradient with respect to the probability. The scores lie one step further back, behind the softmax.",
        "Each score moves all K probabilities. What does the chain rule ask for?", difference=_stops_at_p),
    SigmoidSlope=slip("p·(1 − p) comes in as a factor, the slope of a sigmoid. With −ln p it cancels; that is the beauty of it.",
        "Write the loss of one sample as −z + ln Σ eᶻ, and differentiate that.", difference=lambda self, p, y: (p - y) * p * (1 - p)),
    SlopeOfP=slip("You return p·(1 − p): by how much a probability grows with its own score. The labels play no part.",
        "The loss is −ln p of the right class, not p itself. What does it do when p of the right class grows?", difference=lambda self, p, y: p * (1 - p)),
    SubtractsAtTheFavourite=slip("You subtract the 1 where the network's favourite is, not where the label is.",
        "Who says which class was right: the network or the label?", called_right=lambda self, labels: self.p.argmax(axis=1)),
    FavouriteBothWays=slip("You ask for the network's own favourite in forward, and subtract the 1 there: the labels make no difference.",
        "Who says which class was right: the network or the label?", right_ones=lambda self, labels: self.p.argmax(axis=1), called_right=lambda self, labels: self.p.argmax(axis=1)),
    LabelsForRows=slip("The two indices are exchanged: the 1 is subtracted in the row of the label and in the column of the sample.",
        "dlogits is (N, K). Which of its axes does a label count along?", y=_in_the_rows_of_labels),
    SubtractsFromOne=slip("You count the classes from 1: the 1 is subtracted one column too far left.",
        "Label 0 is a class too. Which column is it?", called_right=lambda self, labels: _one_less(labels, self.p.shape[1])),
    MinusY=slip("The gradient holds y only, and p is missing.",
        "Each row of the gradient must add up to 0. What does yours add up to?", difference=lambda self, p, y: -y),
    LogPMinusY=slip("You subtract y from ln p, not from p.",
        "Each row of the gradient must add up to 0. What does yours add up to?", difference=lambda self, p, y: self.logits - np.logaddexp.reduce(self.logits, axis=1, keepdims=True) - y),
    ScoresMinusY=slip("You subtract y from the scores as they came in, not from the probabilities.",
        "Each row of the gradient must add up to 0. What does yours add up to?", difference=lambda self, p, y: self.logits - y),
    OneRowOfGradients=slip("The gradients of the samples are added up into one row.",
        "Each sample has scores of its own. What shape do the logits have?", after("dx", "rows", lambda loss, dx, N: dx.sum(axis=0))),
    MinusDlogits=structure.minus("dx", "dlogits"),
    KeepsTheFirstP=structure.keeps_the_first("p and labels of the first batch are kept for ever.", "When does your loss write down its p, and how often?"),
    KeepsPWhileTheShapeStays=structure.keeps_while_the_shape_stays(),
    SharesItsP=structure.shares_memory("p", "loss"),
    SharesItsLabels=structure.shares_memory("The list of labels", "loss", "labels"),
)

# ---------------------------------------------------------------------------- a blind guess


class _Guess(Formula):
    def __call__(self, x, labels): return float(self.cost(x, labels))

    def cost(self, x, labels):
        scores = np.zeros((len(x), 10))
        return self.told(SoftmaxCrossEntropy().forward(scores, labels), len(x))

    def told(self, loss, N): return loss


mistakes(__name__, {"blind_guess": _Guess},
    probability_of_a_blind_guess=slip("You return the probability of a blind guess, not what it costs.",
        "The loss is −ln of the probability that the right class got.", cost=lambda self, x, labels: 0.1),
    writes_the_number_down=slip("You return the number ln 10 itself, and ask no layer and no loss for it.",
        "Let a Dense layer and SoftmaxCrossEntropy find it out. What does each of them need?", cost=lambda self, x, labels: np.log(10)),
    sum_of_blind_guesses=slip("The losses of the batch are added up, not averaged.",
        "One picture or a thousand: a blind guess must cost the same.", told=lambda self, loss, N: loss * N),
    as_many_classes_as_pixels=slip("You guess among as many classes as there are numbers in a picture.",
        "How many outputs must the Dense layer have?", cost=lambda self, x, labels: np.log(x.shape[1])),
    as_many_classes_as_pictures=slip("You guess among as many classes as there are pictures in the batch.",
        "How many outputs must the Dense layer have?", cost=lambda self, x, labels: np.log(len(x))),
)
