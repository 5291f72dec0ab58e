"""The checks of lesson 01: a numerical gradient, the comparison of two gradients, ReLU."""

from dataclasses import replace

import numpy as np

from cnnlib import gradcheck, layers, misconceptions
from cnnlib.check.engine import Case, check
from cnnlib.check.hunt import hunt
from cnnlib.scripts import gradients, layer, script
from cnnlib.scripts.layer import call

# ---------------------------------------------------------------------------- numerical_gradient


def _numerical_gradient(f, x, h=1e-6):
    """The course's own, for an x of any dtype."""
    return gradcheck.numerical_gradient(f, np.array(x, float), h)


_numerical_gradient.__name__ = "numerical_gradient"

# Steps and entries are sums of powers of two, so that x ± h is exact: a difference is then a
# mistake in the method. Rounding has its own cases, in numerical_gradient_memory.
HALF, SMALL = 0.5, 2.0**-10


def _dyadic(rng, *shape):
    return rng.integers(-12, 13, size=shape) / 4


def _measured(x, f, note, tolerance=1e-6, **options):
    """A case of numerical_gradient: what it says of f at x."""
    run = script(gradients.gradient_of, f=f, options=options)
    return Case("gradient", {"x": x}, run, note=note, tolerance=tolerance)


@check(
    title="numerical_gradient",
    reference=_numerical_gradient,
    passes="a central difference for every entry, and x is back where it was",
)
def numerical_gradient():
    """Check ``numerical_gradient(f, x, h)`` on functions whose central differences are exact."""
    rng = np.random.default_rng(1)
    note = "f(x) = x[0]² + x[0]·x[1] at x = [2, 5], with h = 1"
    yield _measured(np.array([2.0, 5.0]), "by hand", note, h=1.0)
    for shape, h in (
        ((3,), HALF),
        ((2, 3), HALF),
        ((4, 3), SMALL),
        ((1,), HALF),
        ((2, 1, 3, 2), SMALL),
        ((1, 4), HALF),
    ):
        note = f"f is a polynomial in all entries of x, h = 1/{1 / h:g}"
        yield _measured(_dyadic(rng, *shape), "polynomial", note, h=h)
    yield _measured(_dyadic(rng, 4), "third only", "f(x) = x[2]³, h = 1/2", h=HALF)


@check(
    title="numerical_gradient (dtypes)",
    reference=_numerical_gradient,
    passes="whole numbers and float32 lose nothing of the step",
)
def numerical_gradient_dtypes():
    """Check ``numerical_gradient(f, x)`` on whole numbers and on float32."""
    rng = np.random.default_rng(1)
    whole = rng.integers(1, 9, size=(2, 3))
    yield _measured(whole, "polynomial", f"x holds whole numbers, {whole.tolist()}")
    yield _measured(rng.normal(size=4).astype(np.float32), "polynomial", "x is float32")
    note = "f(x) = √x[0] + √x[1] + √x[2], x holds whole numbers"
    yield _measured(np.array([1, 4, 16]), "roots", note)


@check(
    title="numerical_gradient (memory)",
    reference=_numerical_gradient,
    passes="no array is mistaken for another, and x comes back bit by bit",
)
def numerical_gradient_memory():
    """Check ``numerical_gradient(f, x)`` where f reuses its memory, where x is a view, and where x ± h is rounded."""
    rng = np.random.default_rng(1)
    note = "f returns its number in an array of shape (), which it overwrites at each call"
    yield _measured(_dyadic(rng, 2, 3), "same memory", note, h=HALF)
    transposed = _dyadic(rng, 4, 3).T
    yield _measured(transposed, "polynomial", "x is a transposed view", h=HALF)
    yield _measured(rng.normal(size=(3, 2)), "polynomial", "x ± h is rounded")
    tiny = rng.normal(size=(2, 2)) * 1e-9
    yield _measured(tiny, "polynomial", "x is far smaller than h, so x ± h is rounded")


# ---------------------------------------------------------------------------- relative_error


def _relative_error(a, b):
    """The course's own, with an answer also where shapes differ."""
    return gradcheck.relative_error(a, b) if a.shape == b.shape else np.inf


_relative_error.__name__ = "relative_error"


# Some add a tiny number to what they divide by, so as never to divide by 0. That is all right.
TINY_ADDED = 1e-4


@check(
    title="relative_error",
    reference=_relative_error,
    passes="the largest difference, measured by the largest entry",
)
def relative_error():
    """Check ``relative_error(a, b)`` on arrays that differ in one entry, in sign, in order, in size."""
    rng = np.random.default_rng(1)

    def case(a, b, note=""):
        return Case("error", {"a": a, "b": b}, script(call), note=note, tolerance=TINY_ADDED)

    yield case(np.array([1.0, 2, 4]), np.array([1.0, 2.5, 5]), "a = [1, 2, 4], b = [1, 2.5, 5]")
    yield case(np.array([1.0, 2.5, 5]), np.array([1.0, 2, 4]), "a = [1, 2.5, 5], b = [1, 2, 4]")
    a = np.array([-8.0, 2, 1])
    yield case(a, np.array([-6.0, 2, 1]), "a = [-8, 2, 1], b = [-6, 2, 1]")
    yield case(np.array([-6.0, 2, 1]), a, "a = [-6, 2, 1], b = [-8, 2, 1]")
    yield case(np.array([1.0, 2, 3]), np.array([1.0, 2, 3]), "a and b are equal")
    yield case(np.array([1.0, 2, 6]), np.array([1.0, 6, 2]), "a = [1, 2, 6], b = [1, 6, 2]")
    a = rng.normal(size=(2, 3, 4, 5))
    yield case(a, -a, "b is −a")
    b = a.copy()
    b[1, 2, 0, 3] += 0.5
    yield case(a, b, "one entry of 120 differs")
    yield case(1e-3 * b, 1e-3 * a, "one entry of 120 differs, all are small")
    a = np.array([[3.0, 1e-12, 5], [-7, 2, 4]])
    yield case(a, a + np.array([[0, 1e-12, 0], [0, 0, 0]]), "the smallest entry is rounded")


@check(
    title="relative_error (refusing)",
    reference=_relative_error,
    passes="a wrong shape and a NaN are never taken for a small error",
)
def relative_error_refuses():
    """Check ``relative_error(a, b)`` where nothing can agree: other shapes, NaN."""

    def case(a, b, note):
        return Case("error", {"a": a, "b": b}, script(gradients.refused), note=note)

    row = np.array([1.0, 1, 1])
    yield case(row.reshape(3, 1), row, "all entries are 1, but the shapes differ")
    yield case(np.array([2.0]), np.array([[2.0, 2], [2, 2]]), "all entries are 2")
    yield case(np.ones((1, 4)), np.ones((3, 4)), "all entries are 1")
    yield case(np.ones((2, 3)), np.ones((2, 1)), "all entries are 1, and the first axes agree")
    broken = np.array([1.0, np.nan, 4])
    whole = np.array([1.0, 2, 4])
    yield case(broken, whole, "a = [1, nan, 4], b = [1, 2, 4]")
    yield case(whole, broken, "a = [1, 2, 4], b = [1, nan, 4]")
    yield case(broken, broken.copy(), "both are [1, nan, 4]")


# ---------------------------------------------------------------------------- ReLU


AXES = {2: ("N", "D"), 4: ("N", "C", "H", "W")}
SECOND_BATCH = "x is the second batch of this shape through one layer"


def _of_one_shape(*names):
    rng = np.random.default_rng(31)
    return {name: rng.normal(size=(3, 3)) for name in names}


TINY = np.array([[1e-4, -1e-4, 1e-9, -1e-9, 1e-30, -1e-30]])
IS_TINY = f"x = {TINY.tolist()}: tiny numbers are positive or negative like any other"


def _either_at_zero(expected, got, x, dy, **_):
    """At exactly 0 the curve has no slope: 0 and dy are both right."""
    return np.where((x == 0) & (got == dy), dy, expected)


@check(
    title="ReLU.forward",
    reference=layers.ReLU,
    passes="what is positive passes, and the rest is 0",
)
def relu_forward():
    """Check ``ReLU.forward`` on arrays of several shapes, dtypes and signs."""
    rng = np.random.default_rng(1)

    def case(x, note=""):
        return Case("y", {"x": x}, script(layer.forward), AXES[x.ndim], note)

    yield case(np.array([[-2.0, 0.0, 3.0]]), "x = [[-2, 0, 3]]")
    yield case(rng.normal(size=(3, 2, 4, 5)))
    yield case(rng.normal(size=(4, 3)))
    yield case(rng.normal(size=(3, 5), scale=50), "the numbers of x are large")
    yield case(TINY, IS_TINY)
    yield case(rng.normal(size=(1, 2, 1, 3)), "a batch of one")
    yield case(rng.normal(size=(3, 2, 4, 1)).astype(np.float32), "x is float32")
    yield case(rng.normal(size=(4, 3)).T, "x is a transposed view")
    batches = {"first": rng.normal(size=(4, 3)), "x": rng.normal(size=(3, 3))}
    yield Case(
        "y",
        batches,
        script(layer.forward_of_second_batch),
        AXES[2],
        "x is the second batch through one layer",
    )
    batches = _of_one_shape("first", "x")
    yield Case("y", batches, script(layer.forward_of_second_batch), AXES[2], SECOND_BATCH)


@check(
    title="ReLU.backward",
    reference=layers.ReLU,
    passes="the gradient passes where the number passed, and nowhere else",
)
def relu_backward():
    """Check ``ReLU.backward`` with upstream gradients of both signs, at 0, on several batches and layers."""
    rng = np.random.default_rng(1)

    def case(inputs, run=layer.backward, note="", closest=None):
        axes = AXES[inputs["x"].ndim]
        return Case(
            "dx",
            inputs,
            script(run),
            axes,
            note,
            forward=script(layer.forward),
            closest=closest,
        )

    def pair(*shape, dtype=float):
        return {name: rng.normal(size=shape).astype(dtype) for name in ("x", "dy")}

    yield case(
        {"x": np.array([[-2.0, 3, 5, -7]]), "dy": np.array([[10.0, -20, 30, -40]])},
        note="x = [[-2, 3, 5, -7]], dy = [[10, -20, 30, -40]]",
    )
    yield case(pair(3, 2, 4, 5))
    yield case(pair(4, 3))
    yield case(pair(1, 3, 2, 4), note="a batch of one")
    yield case(pair(3, 1, 5, 2, dtype=np.float32), note="x and dy are float32")
    turned = {name: a.T for name, a in pair(5, 3).items()}
    yield case(turned, note="x and dy are transposed views")
    tiny = case({"x": TINY, "dy": np.array([[10.0, -20, 30, -40, 50, 60]])}, note=IS_TINY)
    yield replace(tiny, forward=None)  # a nudge is larger than these numbers
    kinks = pair(3, 4)
    kinks["x"][0, 1] = kinks["x"][2, :2] = 0
    yield case(kinks, note="three numbers of x are exactly 0", closest=_either_at_zero)
    first = {"first": rng.normal(size=(4, 5))}
    yield case(
        first | pair(3, 5),
        layer.backward_of_second_batch,
        "x is the second batch through one layer",
    )
    batches = _of_one_shape("first", "x", "dy")
    yield case(batches, layer.backward_of_second_batch, SECOND_BATCH)
    other = {"other": rng.normal(size=(2, 4))}
    yield case(
        pair(3, 4) | other, layer.backward_of_two_layers, "another ReLU saw `other` meanwhile"
    )
    before = {"first_dy": rng.normal(size=(4, 2))}
    yield case(pair(4, 2) | before, layer.second_of_two_backwards, "dy comes after first_dy")
    then = {"then_dy": rng.normal(size=(4, 2))}
    yield case(pair(4, 2) | then, layer.first_of_two_backwards, "dx is read after then_dy came")


@hunt(
    title="bug hunt",
    passes="your arrays show what a gradient check with a positive dy can't."
    " With every ✓ above, you have a gradient check of your own, and a ReLU that passes it",
    patient=misconceptions.gradients.Guided,
    right=layers.ReLU,
    names=("x", "dy"),
    closest=_either_at_zero,
)
def relu_hunt(layer_class, x, dy):
    """Check arrays x and dy, and the dx that a right ReLU makes of them, where the patient's backward is wrong."""
    return layer.backward(layer_class, x, dy)
