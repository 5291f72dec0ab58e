"""The checks of lesson 05: Dense forward, its three gradients, softmax cross-entropy, a blind guess."""

from collections.abc import Callable
from functools import partial

import numpy as np

from cnnlib import layers, losses, misconceptions
from cnnlib.check.diagnosis import number
from cnnlib.check.engine import Case, Comparison, check
from cnnlib.check.hunt import hunt
from cnnlib.scripts import dense, script
from cnnlib.scripts.layer import call

TOLERANCE = {np.float64: 1e-9, np.float32: 1e-5}
AXES = {"y": ("N", "K"), "dx": ("N", "D"), "dW": ("D", "K"), "db": ("K",)}

# ---------------------------------------------------------------------------- Dense


def _numbers(values) -> str:
    return ", ".join(number(value, 4) for value in values)


def _look_at_y(place, got, x, W, b, **_):
    n, k = place
    made_of = (
        f"x[{n}] = {_numbers(x[n])}\nW[:, {k}] = {_numbers(W[:, k])}\nb[{k}] = {number(b[k], 4)}"
    )
    return {"made of": made_of}


def _look_at_dx(place, got, W, dy, **_):
    n, d = place
    return {"made of": f"dy[{n}] = {_numbers(dy[n])}\nW[{d}] = {_numbers(W[d])}"}


def _look_at_dW(place, got, x, dy, **_):
    d, k = place
    return {"made of": f"x[:, {d}] = {_numbers(x[:, d])}\ndy[:, {k}] = {_numbers(dy[:, k])}"}


def _look_at_db(place, got, dy, **_):
    return {"made of": f"dy[:, {place[0]}] = {_numbers(dy[:, place[0]])}"}


# Which numbers a wrong one should have been made of, for redoing it by hand.
LOOKS = {"y": _look_at_y, "dx": _look_at_dx, "dW": _look_at_dW, "db": _look_at_db}


def _case(name, inputs, run, note="", dtype=np.float64, by_hand=False):
    settings = {} if name == "y" else {"name": name}
    return Case(
        name,
        inputs,
        script(run, **settings),
        AXES[name],
        note,
        TOLERANCE[dtype],
        script(dense.forward) if settings else None,
        traits=_traits(inputs),
        look=LOOKS[name],
        by_hand=by_hand,
    )


def _small_cases(name):
    """Cases that judge nobody, but can be followed by hand: their digits tell who met whom."""
    W = np.array([[3.0, 6.0], [1.0, 4.0], [2.0, 5.0]])
    for D, K in ((3, 2), (2, 2), (2, 3)):
        x, b = np.arange(1.0, 2 * D + 1).reshape(2, D), np.arange(100.0, 100 * K + 1, 100)
        inputs = {"x": x, "W": W[:D, :K] if K < 3 else W.T, "b": b}
        if name != "y":
            inputs["dy"] = 10.0 ** np.arange(2 * K).reshape(2, K)
        yield _case(name, inputs, dense.forward if name == "y" else dense.once, by_hand=True)


@check(
    title="Dense.forward",
    reference=layers.Dense,
    passes="every output is its own weighted sum of all inputs, plus its bias",
    shown=partial(_small_cases, "y"),
)
def dense_forward():
    """Check ``Dense.forward`` on digits, random numbers, and one layer used twice."""
    rng = np.random.default_rng(5)

    def case(inputs, run=dense.forward, note="", dtype=np.float64, **more):
        return _case("y", inputs, run, note, dtype, **more)

    by_hand = {name: a for name, a in BY_HAND.items() if name != "dy"}
    yield case(by_hand, note="each digit of y tells which weight it met", by_hand=True)
    for (N, D, K), note in SIZES:
        yield case(_drawn(rng, N, D, K), note=note)
    yield case(_drawn(rng, 5, 4, 2, np.float32), note="all in float32", dtype=np.float32)
    turned = {name: a.T.copy().T for name, a in _drawn(rng, 3, 5, 4).items()}
    yield case(turned, note="x and W are transposed views")
    first = {"first": rng.normal(size=(5, 4))}
    yield case(
        first | _drawn(rng, 2, 4, 3), dense.forward_twice, "x is the second batch through one layer"
    )
    more = np.random.default_rng(31)
    first = {"first": more.normal(size=(2, 4))}
    yield case(first | _drawn(more, 2, 4, 3), dense.forward_twice, SAME_SHAPE)
    mixed = _with_coarse_weights(_drawn(np.random.default_rng(20), 3, 4, 2))
    yield case(mixed, note=f"{COARSE}; y has the dtype of x, float64", dtype=np.float32)
    old = {"old_W": rng.normal(size=(4, 3)), "old_b": rng.normal(size=3)}
    yield case(
        old | _drawn(rng, 2, 4, 3),
        dense.forward_with_new_weights,
        "layer.W and layer.b were set anew after a first forward, as an optimizer does",
    )


SIZES = [
    ((4, 5, 3), ""),
    ((2, 4, 4), "as many outputs as inputs"),
    ((3, 5, 3), "as many rows in the batch as outputs"),
    ((1, 4, 3), "a batch of one"),
    ((5, 1, 3), "a single input"),
    ((4, 3, 1), "a single output"),
]


# Digits that show who met whom: y = [[213.7, 546.8]], dx = [[63, 41, 52]].
BY_HAND = {
    "x": np.array([[1.0, 10.0, 100.0]]),
    "W": np.array([[3.0, 6.0], [1.0, 4.0], [2.0, 5.0]]),
    "b": np.array([0.7, 0.8]),
    "dy": np.array([[1.0, 10.0]]),
}


def _traits(inputs):
    return {"rows": "a batch of one" if len(inputs["x"]) == 1 else "several rows"}


def _drawn(rng, N, D, K, dtype=np.float64):
    shapes = {"x": (N, D), "W": (D, K), "b": (K,)}
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def _drawn_with_dy(rng, N, D, K, dtype=np.float64):
    return _drawn(rng, N, D, K, dtype) | {"dy": rng.normal(size=(N, K)).astype(dtype)}


COARSE = "W and b are float32"
SAME_SHAPE = "x is the second batch of this shape through one layer"


def _with_coarse_weights(inputs):
    return inputs | {name: inputs[name].astype(np.float32) for name in ("W", "b")}


def _backward_cases(name):
    """The cases for one of the three gradients that backward is asked for."""
    rng = np.random.default_rng(5)

    def case(inputs, run=dense.once, note="", dtype=np.float64, **more):
        return _case(name, inputs, run, note, dtype, **more)

    yield case(BY_HAND, note=f"each digit of {name} tells who met whom", by_hand=True)
    for (N, D, K), note in SIZES:
        yield case(_drawn_with_dy(rng, N, D, K), note=note)
    yield case(_drawn_with_dy(rng, 5, 4, 2, np.float32), note="all in float32", dtype=np.float32)
    turned = {name: a.T.copy().T for name, a in _drawn_with_dy(rng, 3, 5, 4).items()}
    yield case(turned, note="x, W and dy are transposed views")
    first = {"first": rng.normal(size=(5, 4)), "first_dy": rng.normal(size=(5, 3))}
    yield case(
        first | _drawn_with_dy(rng, 2, 4, 3),
        dense.of_second_batch,
        "x is the second batch through one layer",
    )
    more = np.random.default_rng(31)
    first = {"first": more.normal(size=(2, 4)), "first_dy": more.normal(size=(2, 3))}
    yield case(first | _drawn_with_dy(more, 2, 4, 3), dense.of_second_batch, SAME_SHAPE)
    if name == "dx":
        mixed = _with_coarse_weights(_drawn_with_dy(np.random.default_rng(20), 3, 4, 2))
        yield case(mixed, note=f"{COARSE}; dx has the dtype of x, float64", dtype=np.float32)
    twice = {"first_dy": rng.normal(size=(4, 2))}
    yield case(twice | _drawn_with_dy(rng, 4, 3, 2), dense.twice, "backward is called twice")
    other = {"other": rng.normal(size=(3, 4)), "other_dy": rng.normal(size=(3, 2))}
    yield case(
        other | _drawn_with_dy(rng, 3, 4, 2),
        dense.of_two_layers,
        "another Dense walks there and back meanwhile",
    )


@check(
    title="Dense.dW",
    reference=layers.Dense,
    shown=partial(_small_cases, "dW"),
    passes="every weight knows what it would do to the loss",
)
def dense_dW():
    """Check the ``dW`` that ``Dense.backward`` sets."""
    yield from _backward_cases("dW")


@check(
    title="Dense.db",
    reference=layers.Dense,
    shown=partial(_small_cases, "db"),
    passes="every bias hears from the whole batch",
)
def dense_db():
    """Check the ``db`` that ``Dense.backward`` sets."""
    yield from _backward_cases("db")


@check(
    title="Dense.dx",
    reference=layers.Dense,
    shown=partial(_small_cases, "dx"),
    passes="every input hears from all outputs that it fed",
)
def dense_dx():
    """Check the ``dx`` that ``Dense.backward`` returns."""
    yield from _backward_cases("dx")


# ---------------------------------------------------------------------------- the loss


def _p(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _look_at_loss(place, got, logits, labels, **_):
    right = _p(logits)[np.arange(len(labels)), labels]
    return {"right p": f"the right classes get {_numbers(right)}"} if len(right) < 6 else {}


def _look_at_score(place, got, logits, labels, **_):
    n, _k = place
    return {"right p": f"p[{n}] = {_numbers(_p(logits)[n])}; the label there is {labels[n]}"}


def _extreme(logits):
    return bool(np.abs(logits).max() > 100)


def _loss_traits(inputs):
    return {
        "scores": "scores far from 0" if _extreme(inputs["logits"]) else "scores near 0",
        "rows": "a batch of one" if len(inputs["logits"]) == 1 else "several rows",
    }


def _scores(rng, N, K, dtype=np.float64, labels=None):
    labels = rng.integers(K, size=N) if labels is None else np.array(labels)
    return {"logits": rng.normal(0, 2, size=(N, K)).astype(dtype), "labels": labels}


SECOND_LOSS = "the second batch of this shape through one loss"


def _same_shape():
    rng = np.random.default_rng(31)
    first = {"first": rng.normal(size=(2, 3)), "first_labels": np.array([0, 1])}
    return first | _scores(rng, 2, 3, labels=[2, 0])


def _batches_of_scores(rng):
    """What both checks of the loss try: inputs, what is special about them, and the dtype."""
    by_hand = {"logits": np.array([[0.0, np.log(3.0)]]), "labels": np.array([0])}
    yield by_hand, "the logits are 0 and ln 3, the label is 0", np.float64
    yield _scores(rng, 5, 4, labels=[2, 0, 3, 0, 1]), "", np.float64
    yield _scores(rng, 2, 6, labels=[5, 1]), "", np.float64
    yield _scores(rng, 4, 4, labels=[3, 1, 0, 1]), "as many rows as classes", np.float64
    yield _scores(rng, 1, 5), "a batch of one", np.float64
    many = _scores(rng, 40, 10, np.float32)
    many["labels"] = many["labels"].astype(np.uint8)
    yield many, "logits in float32, labels in uint8", np.float32
    turned = _scores(rng, 3, 5, labels=[4, 0, 2])
    turned["logits"] = turned["logits"].T.copy().T
    yield turned, "logits are a transposed view", np.float64
    for shift, near in ((1000, "near 1000"), (-1000, "near −1000")):
        scores = _scores(rng, 3, 4, labels=[1, 3, 2])
        scores["logits"] += shift
        yield scores, f"all logits are {near}", np.float64
    scores = _scores(rng, 3, 4, labels=[2, 0, 1])
    scores["logits"] += np.array([[1000], [-1000], [0]])
    yield scores, "one row is near 1000, one near −1000, one near 0", np.float64
    # Just before a float becomes 0: exp(740) is infinite, and exp(−740) is not 0 yet.
    above = np.array([np.zeros(30), np.full(30, 740.0)])
    above[0, 4] = 740
    inputs = {"logits": above, "labels": np.array([4, 2])}
    yield inputs, "in the first row one score lies 740 above the 29 others", np.float64
    sure = np.array([[1000.0, 0.0, -1000.0], [-1000.0, 1000.0, 0.0], [0.0, 5.0, 1.0]])
    right, wrong = np.array([0, 1, 1]), np.array([2, 1, 1])
    yield {"logits": sure, "labels": right}, "two rows are very sure, and right", np.float64
    yield {"logits": sure, "labels": wrong}, "the first row is very sure, and wrong", np.float64


def _loss_case(inputs, run=dense.loss, note="", dtype=np.float64):
    return Case(
        "loss",
        inputs,
        script(run),
        (),
        note,
        TOLERANCE[dtype],
        traits=_loss_traits(inputs),
        extreme=_extreme(inputs["logits"]),
        look=_look_at_loss if run is dense.loss else None,
    )


def _dlogits_case(inputs, run=dense.dlogits, note="", dtype=np.float64):
    return Case(
        "dlogits",
        inputs,
        script(run),
        AXES["y"],
        note,
        TOLERANCE[dtype],
        script(dense.loss),
        traits=_loss_traits(inputs),
        extreme=_extreme(inputs["logits"]),
        look=_look_at_score,
    )


def _small_scores(case):
    """Two rows that judge nobody, but can be followed by hand."""
    logits = np.log([[1.0, 2.0, 5.0], [3.0, 1.0, 1.0]])
    note = "the logits are ln 1, ln 2, ln 5 and ln 3, ln 1, ln 1; the labels are 1 and 0"
    yield case({"logits": logits, "labels": np.array([1, 0])}, note=note)


class _Loss(Comparison):
    """Judges a loss; where p is kept away from 0, the tiny number is read off from what came out."""

    def _named(self, trials, consistent, *holds):
        return super()._named(trials, consistent, *holds) or self._kept_away(trials, consistent)

    def _kept_away(self, trials, consistent):
        for trial in trials:
            inputs, got = trial.case.inputs, trial.outcome.value
            if trial.right or not isinstance(got, float) or not np.isfinite(got):
                continue
            right = _p(inputs["logits"])[np.arange(len(inputs["labels"])), inputs["labels"]]
            if right.min() == 0:
                found = (
                    misconceptions.dense.keeps_away(way, tiny)
                    for way, kept in misconceptions.dense.KEPT_AWAY.items()
                    if (tiny := _tiny_number(right, kept, got))
                )
                return self._one_of(found, trials, consistent)
        return None


def _tiny_number(p, kept: Callable, loss: float) -> float:
    """With which number ``mean(−ln kept(p, number))`` is this loss; 0 for none. The larger, the less it is."""
    low, high = -300.0, -0.5
    for _ in range(80):
        middle = (low + high) / 2
        more = -np.log(kept(p, 10**middle)).mean() > loss
        low, high = (middle, high) if more else (low, middle)
    tiny = float(f"{10**high:.10g}")
    return tiny if abs(np.log(kept(p, tiny)).mean() + loss) < 1e-6 else 0.0


@check(
    kind=_Loss,
    title="SoftmaxCrossEntropy.forward",
    reference=losses.SoftmaxCrossEntropy,
    passes="the mean of −ln p, for scores of any size",
    shown=partial(_small_scores, _loss_case),
)
def loss_forward():
    """Check ``SoftmaxCrossEntropy.forward`` on scores of every size, and on two batches."""
    rng = np.random.default_rng(5)
    for inputs, note, dtype in _batches_of_scores(rng):
        yield _loss_case(inputs, note=note, dtype=dtype)
    first = {"first": rng.normal(size=(5, 3)), "first_labels": np.array([0, 2, 1, 1, 0])}
    inputs = first | _scores(rng, 2, 3, labels=[2, 1])
    yield _loss_case(inputs, dense.loss_of_second_batch, "the second batch through one loss")
    yield _loss_case(_same_shape(), dense.loss_of_second_batch, SECOND_LOSS)


@check(
    title="SoftmaxCrossEntropy.backward",
    reference=losses.SoftmaxCrossEntropy,
    passes="p − y for every score, divided by N once",
    shown=partial(_small_scores, _dlogits_case),
)
def loss_backward():
    """Check ``SoftmaxCrossEntropy.backward`` on scores of every size, on two batches, and called twice."""
    rng = np.random.default_rng(5)

    case = _dlogits_case
    for inputs, note, dtype in _batches_of_scores(rng):
        yield case(inputs, note=note, dtype=dtype)
    first = {"first": rng.normal(size=(5, 3)), "first_labels": np.array([0, 2, 1, 1, 0])}
    yield case(
        first | _scores(rng, 2, 3, labels=[2, 1]),
        dense.dlogits_of_second_batch,
        "the second batch through one loss",
    )
    yield case(_same_shape(), dense.dlogits_of_second_batch, SECOND_LOSS)
    yield case(
        _scores(rng, 3, 4, labels=[1, 3, 1]), dense.dlogits_twice, "backward is called twice"
    )
    other = {"other": rng.normal(size=(4, 3)), "other_labels": np.array([0, 2, 1, 1])}
    yield case(
        _scores(rng, 4, 3, labels=[2, 2, 0, 1]) | other,
        dense.dlogits_of_two_losses,
        "another loss saw `other` meanwhile",
    )


# ---------------------------------------------------------------------------- a blind guess


def _blind_guess(x, labels):
    dense = layers.Dense(x.shape[1], 10)
    dense.W, dense.b = np.zeros_like(dense.W), np.zeros_like(dense.b)
    return losses.SoftmaxCrossEntropy().forward(dense.forward(x), labels)


_blind_guess.__name__ = "blind_guess"


@check(title="blind guess", reference=_blind_guess, passes="a loss of ln 10, whatever the pictures")
def blind_guess():
    """Check ``blind_guess(x, labels)``, the loss of a Dense layer that knows nothing."""
    rng = np.random.default_rng(5)
    for N, D in [(5, 12), (1, 784), (20, 7)]:
        inputs = {"x": rng.random((N, D)), "labels": rng.integers(10, size=N)}
        yield Case("loss", inputs, script(call), tolerance=1e-9)
    note = "there is no class 10: noticed is 1 if an error is raised, and 0 if not"
    inputs = {"x": rng.random((3, 4)), "labels": np.array([2, 10, 7])}
    yield Case("noticed", inputs, script(dense.notices), note=f"labels {inputs['labels']}, {note}")


# ---------------------------------------------------------------------------- bug hunts


@hunt(
    title="bug hunt 1",
    passes="your arrays show the mistake that a single output hides",
    patient=misconceptions.dense.ReshapesWeights,
    right=layers.Dense,
    names=("x", "W", "b", "dy"),
    axes={"x": "N, D", "W": "D, K", "b": "K", "dy": "N, K"},
)
def dense_hunt_1(layer_class, x, W, b, dy):
    """Check arrays x, W, b, dy, and the right dx, where the first patient's is wrong."""
    return dense.once(layer_class, x, W, b, dy, name="dx")


class _OnlyTheMaximum(losses.SoftmaxCrossEntropy):
    """Shifts all rows alike, and has no other weakness: a row that lies far below gets log 0."""

    def forward(self, logits, labels):
        super().forward(logits, labels)
        shifted = logits - logits.max()
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(len(labels)), labels].mean())


@hunt(
    title="bug hunt 2",
    passes="your scores show what one shift for all rows can't stand",
    patient=_OnlyTheMaximum,
    right=losses.SoftmaxCrossEntropy,
    names=("logits", "labels"),
    axes={"logits": "N, K", "labels": "N"},
)
def dense_hunt_2(loss_class, logits, labels):
    """Check logits, labels, and the right loss, where the second patient's is wrong."""
    return dense.loss(loss_class, logits, labels.astype(int))


@hunt(
    title="bug hunt 3",
    passes="your labels show what sorted data hide."
    " With every ✓ above, you have a Dense and a loss of your own, the last parts of the network",
    patient=misconceptions.dense.SubtractsFromWholeColumns,
    right=losses.SoftmaxCrossEntropy,
    names=("logits", "labels"),
    axes={"logits": "N, K", "labels": "N"},
)
def dense_hunt_3(loss_class, logits, labels):
    """Check logits, labels, and the right dlogits, where the third patient's are wrong."""
    return dense.dlogits(loss_class, logits, labels.astype(int))
