"""The checks of lesson 01: right answers of every kind, and mistakes that are on no list."""

import itertools

import numpy as np
import pytest

from cnnlib import check
from cnnlib.check.engine import fits_own_forward

NUMERICAL = (
    check.numerical_gradient,
    check.numerical_gradient_dtypes,
    check.numerical_gradient_memory,
)
ERROR = (check.relative_error, check.relative_error_refuses)
RELU = (check.relu_forward, check.relu_backward)


def one_line(failure):
    """The message without its line breaks, its headline beginning in lower case."""
    sign, title, rest = str(failure).partition(": ")
    return " ".join(f"{sign}{title}{rest[:1].lower()}{rest[1:]}".split())


# ---------------------------------------------------------------------------- right answers


def in_place(f, x, h=1e-6):
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        up = float(f(x))
        x[index] = value - h
        down = float(f(x))
        x[index] = value
        gradient[index] = (up - down) / (2 * h)
    return gradient


def two_copies(f, x, h=1e-6):
    gradient = np.empty(x.shape)
    for index in itertools.product(*map(range, x.shape)):
        up, down = x.astype(float), x.astype(float)
        up[index] += h
        down[index] -= h
        gradient[index] = f(up).item()
        gradient[index] -= f(down)
    return gradient / (2 * h)


def with_nditer(f, x, h=1e-6):
    x = x.astype(np.float64)
    gradient = np.zeros(x.shape)
    it = np.nditer(x, flags=["multi_index"])
    while not it.finished:
        i = it.multi_index
        value = x[i]
        x[i] = value + h
        up = f(x) * 1.0
        x[i] = value - h
        gradient[i] = (up - f(x)) / (h + h)
        x[i] = value
        it.iternext()
    return gradient


def with_flat(f, x, h=1e-6):
    x = x.astype(float, order="C")
    row = x.reshape(-1)
    gradient = np.zeros(x.size)
    for i in range(row.size):
        row[i], value = row[i] + h, row[i]
        up = np.copy(f(x))
        row[i] = value - h
        gradient[i] = (up - f(x)) / 2 / h
        row[i] = value
    return gradient.reshape(x.shape)


def with_unit_vectors(f, x, h=1e-6):
    directions = h * np.eye(x.size).reshape(-1, *x.shape)
    slopes = [(float(f(x + d)) - float(f(x - d))) / (2 * h) for d in directions]
    return np.array(slopes).reshape(x.shape)


def with_other_names(func, arr, step=1e-6):
    return in_place(func, arr.astype(float), step)


RIGHT_NUMERICAL = [
    *(in_place, two_copies, with_nditer, with_flat, with_unit_vectors),
    with_other_names,
]


@pytest.mark.parametrize("right", RIGHT_NUMERICAL, ids=lambda f: f.__name__)
@pytest.mark.parametrize("c", NUMERICAL, ids=lambda c: c.name)
def test_legal_numerical_gradients_pass(c, right):
    assert c.failure(right) is None


def by_the_book(a, b):
    if a.shape != b.shape or np.isnan(a).any() or np.isnan(b).any():
        return np.inf
    return np.max(np.abs(a - b)) / max(np.max(np.abs(a)), np.max(np.abs(b)))


def raises(a, b):
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape}")
    largest = max(abs(a).max(), abs(b).max(), 1e-12)
    error = abs(a - b).max() / largest
    return error if error == error else float("inf")


def in_loops(a, b):
    if np.shape(a) != np.shape(b):
        return float("inf")
    difference = largest = 0.0
    for p, q in zip(a.ravel(), b.ravel(), strict=True):
        if not (np.isfinite(p) and np.isfinite(q)):
            return float("inf")
        difference = max(difference, abs(p - q))
        largest = max(largest, abs(p), abs(q))
    return difference / (largest + 1e-8)


def asserts(a, b):
    assert a.shape == b.shape, "different shapes"
    return by_the_book(a, b)


def stacked(a, b):
    if a.shape == b.shape and np.isfinite(np.sum(a) + np.sum(b)):
        return np.linalg.norm((a - b).ravel(), np.inf) / np.abs([a, b]).max()
    return np.inf


@pytest.mark.parametrize(
    "right", [by_the_book, raises, asserts, in_loops, stacked], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("c", ERROR, ids=lambda c: c.name)
def test_legal_relative_errors_pass(c, right):
    assert c.failure(right) is None


class ByMask:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class DyAtZero:
    """Passes dy on where x is exactly 0, too."""

    def forward(self, x):
        self.x = x
        return np.where(x >= 0, x, 0)

    def backward(self, dy):
        return np.where(self.x >= 0, dy, 0)


class KeepsY:
    def forward(self, x):
        self.y = x.clip(min=0)
        return self.y.copy()

    def backward(self, dy):
        dx = dy.copy()
        dx[self.y == 0] = 0
        return dx


class Loops:
    def forward(self, x):
        self.x = x
        y = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            if x[index] > 0:
                y[index] = x[index]
        return y

    def backward(self, dy):
        dx = np.zeros_like(dy)
        for index in np.ndindex(dy.shape):
            if self.x[index] > 0:
                dx[index] = dy[index]
        return dx


class HalfTheSum:
    def forward(self, x):
        self.slope = np.heaviside(x, 0)
        return (x + abs(x)) / 2

    def backward(self, dy):
        return self.slope * dy


RIGHT_RELU = [ByMask, DyAtZero, KeepsY, Loops, HalfTheSum]


@pytest.mark.parametrize("right", RIGHT_RELU, ids=lambda c: c.__name__)
@pytest.mark.parametrize("c", RELU, ids=lambda c: c.name)
def test_legal_relus_pass(c, right):
    assert c.failure(right) is None


# ---------------------------------------------------------------------------- wrong numerical gradients


def averages(f, x, h=1e-6):
    return in_place(f, x, h) / x.size


def skips_the_last(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    right = in_place(f, x, h)
    for k, i in enumerate(np.ndindex(x.shape)):
        if k < x.size - 1:
            gradient[i] = right[i]
    return gradient


def only_matrices(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            up, down = x.copy(), x.copy()
            up[i, j] += h
            down[i, j] -= h
            gradient[i, j] = (f(up) - f(down)) / (2 * h)
    return gradient


def counts_all_but_indexes_rows(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in range(x.size):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


def walks_over_values(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in x:
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


def a_list(f, x, h=1e-6):
    gradient = []
    for i in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[i] = h
        gradient.append((f(x + d) - f(x - d)) / (2 * h))
    return gradient


def in_float32(f, x, h=1e-6):
    return in_place(f, x, h).astype(np.float32)


def in_whole_numbers(f, x, h=1e-6):
    gradient = np.zeros(x.shape, dtype=int)
    for i in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[i] = h
        gradient[i] = (f(x + d) - f(x - d)) / (2 * h)
    return gradient


def whole_division(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[i] = h
        gradient[i] = (f(x + d) - f(x - d)) // (2 * h)
    return gradient


def rounded(f, x, h=1e-6):
    return in_place(f, x, h).round()


def added_up(f, x, h=1e-6):
    return in_place(f, x, h).sum()


def size_only(f, x, h=1e-6):
    return np.abs(in_place(f, x, h))


def transposed(f, x, h=1e-6):
    return in_place(f, x, h).T


def an_alias_for_the_gradient(f, x, h=1e-6):
    gradient = x
    for i in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[i] = h
        gradient[i] = (f(x + d) - f(x - d)) / (2 * h)
    return gradient


def an_alias_for_down(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up = x.copy()
        down = up
        up[i] += h
        down[i] -= 2 * h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


def slices_for_copies(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up, down = x[:], x[:]
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


def nudges_a_copy(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in range(x.size):
        value = x.flatten()[i]
        x.flatten()[i] = value + h
        up = f(x)
        x.flatten()[i] = value - h
        gradient.flat[i] = (up - f(x)) / (2 * h)
    return gradient


def restores_only_half_way(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        x[i] += h
        up = f(x)
        x[i] -= h
        down = f(x)
        gradient[i] = (up - down) / (2 * h)
    return gradient


def forgets_the_return(f, x, h=1e-6):
    in_place(f, x, h)


def indexes_the_result(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[i] = h
        gradient[i] = (f(x + d)[i] - f(x - d)[i]) / (2 * h)
    return gradient


def complex_step(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        z = x.astype(complex)
        z[i] += 1j * h
        gradient[i] = f(z).imag / h
    return gradient


def calls_without_x(f, x, h=1e-6):
    return (f() - f()) / h


def divided_by_the_square(f, x, h=1e-6):
    return in_place(f, x, h) * 2 * h / h**2


WRONG_NUMERICAL = [
    (averages, "divided by x.size"),
    (skips_the_last, "only in one part: the last index"),
    (only_matrices, "same for every index along axis 2"),
    (counts_all_but_indexes_rows, "is out of bounds"),
    (walks_over_values, "only integers, slices"),
    (a_list, "returned a list, not an array"),
    (in_float32, "dtype is float32, not float64"),
    (in_whole_numbers, "the decimal point is lost"),
    (whole_division, "rounded to a whole one"),
    (rounded, "rounded to a whole one"),
    (added_up, "too few axes"),
    (size_only, "some have the wrong one"),
    (transposed, "axes in the order"),
    (an_alias_for_the_gradient, "changed x in place"),
    (an_alias_for_down, "both calls of f see the same numbers"),
    (slices_for_copies, "both calls of f see the same numbers"),
    (nudges_a_copy, "both calls of f see the same numbers"),
    (restores_only_half_way, "lie only h apart"),
    (forgets_the_return, "returned None"),
    (indexes_the_result, "invalid index to scalar variable"),
    (complex_step, "every number in gradient is wrong"),
    (calls_without_x, "f() missing 1 required positional argument"),
    (divided_by_the_square, "isn't always the same one"),
]


@pytest.mark.parametrize(
    ("wrong", "phrase"), WRONG_NUMERICAL, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_is_said_of_a_wrong_numerical_gradient(wrong, phrase):
    assert phrase in one_line(check.numerical_gradient.failure(wrong))


def times_one(f, x, h=1e-6):
    return in_place_in_its_dtype(f, x * 1.0, h)


def in_place_in_its_dtype(f, x, h):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        value = x[i]
        x[i] = value + h
        up = f(x)
        x[i] = value - h
        gradient[i] = (up - f(x)) / (2 * h)
        x[i] = value
    return gradient


def all_in_float32(f, x, h=1e-6):
    return in_place_in_its_dtype(f, x.astype(np.float32), h)


def refuses_whole_numbers(f, x, h=1e-6):
    if x.dtype.kind != "f":
        raise TypeError("x must hold floats")
    return in_place(f, x, h)


def a_larger_step_for_float32(f, x, h=1e-6):
    return in_place_in_its_dtype(f, x if x.dtype == float else x.astype(float), max(h, 1e-3))


WRONG_DTYPES = [
    (times_one, "float32, which has seven digits"),
    (all_in_float32, "you turn x into float32"),
    (refuses_whole_numbers, "TypeError: x must hold floats"),
    (a_larger_step_for_float32, "nearly right, but too far off for rounding errors"),
]


@pytest.mark.parametrize(
    ("wrong", "phrase"), WRONG_DTYPES, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_is_said_where_the_dtype_is_wrong(wrong, phrase):
    assert phrase in one_line(check.numerical_gradient_dtypes.failure(wrong))


def in_a_row(f, x, h=1e-6):
    row = x.ravel()
    gradient = np.zeros(x.size)
    for i in range(x.size):
        value = row[i]
        row[i] = value + h
        up = float(f(x))
        row[i] = value - h
        gradient[i] = (up - float(f(x))) / (2 * h)
        row[i] = value
    return gradient.reshape(x.shape)


def results_in_a_list(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[i] = h
        results = [f(x + d), f(x - d)]
        gradient[i] = (results[0] - results[1]) / (2 * h)
    return gradient


def in_the_order_of_memory(f, x, h=1e-6):
    return np.array([*in_place(f, x, h).ravel(order="K")]).reshape(x.shape)


WRONG_MEMORY = [
    (in_a_row, "on a transposed x, reshape(-1) and ravel have to copy"),
    (results_in_a_list, "you keep f's first result by name only"),
    (in_the_order_of_memory, "as if the axes came in the order (axis 1, axis 0)"),
]


@pytest.mark.parametrize(
    ("wrong", "phrase"), WRONG_MEMORY, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_is_said_where_memory_is_shared(wrong, phrase):
    assert phrase in one_line(check.numerical_gradient_memory.failure(wrong))


# ---------------------------------------------------------------------------- wrong relative errors


def largest(a):
    return np.abs(a).max()


def scale(a, b):
    return max(largest(a), largest(b))


def cosine(a, b):
    return 1 - (a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b))


WRONG_ERROR = [
    ("True or False", lambda a, b: np.allclose(a, b)),
    ("True or False", lambda a, b: largest(a - b) / scale(a, b) < 1e-6),
    ("too many axes", lambda a, b: np.abs(a - b) / scale(a, b)),
    ("too many axes", lambda a, b: np.abs(a - b).max(axis=0) / scale(a, b)),
    ("returned None", lambda a, b: None),
    ("returned a tuple", lambda a, b: (largest(a - b), scale(a, b))),
    ("100 times what it should be", lambda a, b: 100 * by_the_book(a, b)),
    ("wrong sign", lambda a, b: -by_the_book(a, b)),
    ("error is wrong", lambda a, b: np.abs(a - b).min() / scale(a, b)),
    ("error is wrong", lambda a, b: np.median(np.abs(a - b)) / scale(a, b)),
    ("error is wrong", lambda a, b: np.sqrt(((a - b) ** 2).mean()) / scale(a, b)),
    ("error is wrong", lambda a, b: ((a - b) ** 2).max() / scale(a, b)),
    ("error is wrong", lambda a, b: abs(largest(a) - largest(b)) / scale(a, b)),
    ("error is wrong", lambda a, b: (np.abs(a) - np.abs(b)).max() / scale(a, b)),
    ("error is wrong", lambda a, b: abs((a - b).sum()) / scale(a, b)),
    ("error is wrong", lambda a, b: abs(a.flat[0] - b.flat[0]) / scale(a, b)),
    ("error is wrong", lambda a, b: largest(a - b) / np.abs(a).mean()),
    ("error is wrong", lambda a, b: largest(a - b) / a.size),
    ("error is wrong", lambda a, b: np.abs(a - b).mean() / np.abs(a + b).mean()),
    ("error is wrong", lambda a, b: 1 - by_the_book(a, b)),
    ("error is wrong", cosine),
    ("can't be called", lambda a: largest(a)),
]


@pytest.mark.parametrize(("phrase", "wrong"), WRONG_ERROR)
def test_what_is_said_of_a_wrong_relative_error(phrase, wrong):
    with np.errstate(all="ignore"):
        failure = check.relative_error.failure(wrong)
    assert failure.misconception is None
    assert phrase in one_line(failure)


@pytest.mark.parametrize(
    ("phrase", "wrong"),
    [
        ("|a| + |b|, or 1e-8", lambda a, b: (abs(a - b) / (abs(a) + abs(b) + 1e-8)).max()),
        ("or against 1e-8", lambda a, b: (abs(a - b) / (1e-8 + np.fmax(abs(a), abs(b)))).max()),
        ("3 and −3 count as equal", lambda a, b: abs(abs(a) - abs(b)).max() / scale(a, b)),
        ("largest entry of a, not", lambda a, b: largest(a - b) / max(a.max(), largest(b))),
        ("largest entry of b, not", lambda a, b: largest(a - b) / max(largest(a), b.max())),
        ("wherever the two stand", lambda a, b: abs(max(a.flat) - max(b.flat)) / scale(a, b)),
    ],
)
def test_a_wrong_relative_error_is_named_however_it_is_written(phrase, wrong):
    assert phrase in one_line(check.relative_error.failure(wrong))


def compares_the_number_of_axes(a, b):
    if a.ndim != b.ndim or np.isnan(a).any() or np.isnan(b).any():
        return np.inf
    return largest(a - b) / scale(a, b)


def only_looks_at_a(a, b):
    if a.shape != b.shape or np.isnan(a).any():
        return np.inf
    return largest(a - b) / scale(a, b)


def only_where_both(a, b):
    if a.shape != b.shape or (np.isnan(a) & np.isnan(b)).any():
        return np.inf
    return largest(a - b) / scale(a, b)


def asks_whether_it_equals_nan(a, b):
    error = largest(a - b) / scale(a, b) if a.shape == b.shape else np.inf
    return np.inf if error == np.nan else error


def compares(what, a, b):
    agree = what(a) == what(b) and np.isfinite(a).all() and np.isfinite(b).all()
    return largest(a - b) / scale(a, b) if agree else np.inf


def replaces_nan(a, b):
    if a.shape != b.shape:
        raise ValueError
    a, b = (np.where(np.isnan(each), 0, each) for each in (a, b))
    return largest(a - b) / scale(a, b)


WRONG_REFUSALS = [
    ("the number of axes, and not the shapes", compares_the_number_of_axes),
    ("along the first axis only", lambda a, b: compares(len, a, b)),
    ("along the first axis only", lambda a, b: compares(lambda each: each.shape[0], a, b)),
    ("how many entries there are", lambda a, b: compares(np.size, a, b)),
    ("a number in place of each NaN", replaces_nan),
    (
        "how many entries there are",
        lambda a, b: np.inf if a.size != b.size else by_the_book(a.ravel(), b.ravel()),
    ),
    ("error contains NaN", lambda a, b: np.nan if a.shape != b.shape else by_the_book(a, b)),
    ("got error = 1e+09", lambda a, b: 1e9 if a.shape != b.shape else by_the_book(a, b)),
    ("returned a str", lambda a, b: "shapes" if a.shape != b.shape else by_the_book(a, b)),
    ("returned None", lambda a, b: by_the_book(a, b) if a.shape == b.shape else None),
    ("look for a NaN in the first array only", only_looks_at_a),
    ("only if both arrays have one", only_where_both),
    ("`if error > 1e-6` lets that pass", asks_whether_it_equals_nan),
]


@pytest.mark.parametrize(("phrase", "wrong"), WRONG_REFUSALS)
def test_what_is_said_of_an_error_where_nothing_can_agree(phrase, wrong):
    assert phrase in one_line(check.relative_error_refuses.failure(wrong))


# ---------------------------------------------------------------------------- wrong ReLUs


class Started:
    """What a learner may have who got forward right."""

    def forward(self, x):
        self.x = x
        self.y = np.maximum(x, 0)
        return self.y

    def backward(self, dy):
        return dy * (self.x > 0)


def relu(**methods):
    return type("ReLU", (Started,), methods)


def _by_rows(self, x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        if x[i].sum() > 0:
            y[i] = x[i]
    return y


def _returns_in_the_loop(self, x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        y[i] = np.maximum(x[i], 0)
        return y


def _one_if(self, x):
    if x > 0:
        return x
    return 0 * x


def _one_for_two(self, x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        for j in range(x.shape[1]):
            y[i, j] = max(x[i, j], 0)
    return y


def _in_a_new_buffer(self, x):
    y = np.zeros(x.shape)
    y[x > 0] = x[x > 0]
    return y


def _prints(self, x):
    print(np.maximum(x, 0))


WRONG_FORWARD = [
    ("decide once, yes or no", _one_if),
    ("decide once, yes or no", _one_for_two),
    ("dtype is float64, not float32", _in_a_new_buffer),
    ("every number in y is wrong", lambda self, x: 1 / (1 + np.exp(-x))),
    ("every number in y is wrong", lambda self, x: np.log1p(np.exp(x))),
    ("wrong only where x is negative", lambda self, x: np.where(x > 0, x, np.expm1(x))),
    ("wrong only where x is positive", lambda self, x: np.where(x > 1, x, 0)),
    ("numbers above 2 have become 2", lambda self, x: np.minimum(np.maximum(x, 0), 2)),
    ("says True or False", lambda self, x: x > 0),
    ("returned None", _prints),
    ("the wrong sign", lambda self, x: np.minimum(-x, 0) + np.minimum(-x, 0) * 0),
    ("too few axes", lambda self, x: x.max()),
    ("only the first picture", _returns_in_the_loop),
    ("the decimal point is lost", lambda self, x: np.maximum(x, 0).astype(int)),
    ("only in one part: the first index along D", _by_rows),
    ("returned a list", lambda self, x: [max(value, 0) for value in x.ravel()]),
]


@pytest.mark.parametrize(("phrase", "forward"), WRONG_FORWARD)
def test_what_is_said_of_a_wrong_forward(phrase, forward):
    failure = check.relu_forward.failure(relu(forward=forward))
    assert failure.misconception is None
    assert phrase in one_line(failure)


def _mask_of_what_is_left(self, dy):
    self.x[self.x > 0] = 1
    return dy * self.x


WRONG_BACKWARD = [
    ("says True or False", lambda self, dy: self.x > 0 * dy),
    ("changed x in place", _mask_of_what_is_left),
    ("has no attribute 'mask'", lambda self, dy: dy * self.mask),
    ("belongs to self", lambda self, dy: dy * (x > 0)),  # noqa: F821
    ("can't be called", lambda self, dy, x: dy * (x > 0)),
    ("only the shape of dx is wrong", lambda self, dy: (dy * (self.x > 0)).ravel()),
    ("the same for every index", lambda self, dy: (dy * (self.x > 0)).sum(axis=0) + 0 * dy),
    ("returned None", lambda self, dy: None),
    ("the wrong sign", lambda self, dy: -dy * (self.x > 0)),
    ("contains NaN", lambda self, dy: dy * self.y / self.x / (self.x > 0)),
    ("in reverse order", lambda self, dy: (dy * (self.x > 0))[::-1]),
    ("off by 1 times dy", lambda self, dy: dy + dy * (self.x > 0)),
    ("wrong length along N", lambda self, dy: (dy * (self.x > 0)).mean(0, keepdims=True)),
    ("wrong only where x is positive", lambda self, dy: dy * (self.x > 1)),
    ("wrong only where x is positive", lambda self, dy: dy * self.y * (1 - self.y)),
    ("wrong only where x is positive", lambda self, dy: (self.x > 0) * dy.sum()),
    ("wrong only where x is negative", lambda self, dy: dy * (self.x > 0).any(1, keepdims=True)),
    ("0.5 times", lambda self, dy: dy * (self.x > 0) * dy.dtype.type(0.5)),
    ("every number in dx is wrong", lambda self, dy: dy + (self.x > 0)),
    ("only in one part", lambda self, dy: dy * (self.x > self.x.mean())),
]


@pytest.mark.parametrize(("phrase", "backward"), WRONG_BACKWARD)
def test_what_is_said_of_a_wrong_backward(phrase, backward):
    with np.errstate(all="ignore"):
        failure = check.relu_backward.failure(relu(backward=backward))
    assert failure.misconception is None
    assert phrase in one_line(failure)


def _adds_up(self, dy):
    self.dx = getattr(self, "dx", 0) + np.where(self.x > 0, dy, 0)
    return self.dx


@pytest.mark.parametrize(
    ("phrase", "backward"),
    [
        ("exactly 0 you hand back half", lambda self, dy: dy * np.heaviside(self.x, 0.5)),
        ("in one row", lambda self, dy: dy[np.nonzero(self.x > 0)]),
        ("the slopes, 1 and 0", lambda self, dy: (self.x > 0).astype(float)),
        ("the slopes, 1 and 0", lambda self, dy: np.where(self.x > 0, 1.0, 0.0)),
        ("each backward adds to what the last one left", _adds_up),
    ],
)
def test_a_wrong_backward_is_named_however_it_is_written(phrase, backward):
    assert phrase in one_line(check.relu_backward.failure(relu(backward=backward)))


def _softplus_forward(self, x):
    self.x = x
    return np.log1p(np.exp(x))


def _softplus_backward(self, dy):
    return dy / (1 + np.exp(-self.x))


def test_the_slope_at_the_kink_is_not_blamed_on_forward():
    half = relu(backward=lambda self, dy: dy * np.heaviside(self.x, 0.5))
    assert not fits_own_forward(half, check.relu_backward.trials(half))


def test_the_hint_about_a_crash_fits_its_reason():
    def swapped(x, f, h=1e-6):
        return np.zeros(x.shape)

    def from_elsewhere(self, x):
        return np.relu(x)

    def one_max(self, x):
        return np.max((x, 0))

    said = one_line(check.numerical_gradient.failure(swapped))
    assert "a function, not an array" in said
    assert "NumPy has nothing of this name" in one_line(
        check.relu_forward.failure(relu(forward=from_elsewhere))
    )
    assert "meant to become one array" in one_line(
        check.relu_forward.failure(relu(forward=one_max))
    )


def test_a_backward_that_fits_a_wrong_forward_says_so():
    failure = check.relu_backward.failure(
        relu(forward=_softplus_forward, backward=_softplus_backward)
    )
    assert "Your backward is the derivative of your forward" in str(failure)


# ---------------------------------------------------------------------------- one mistake upon another


def _one_sided_and_careless(f, x, h=1e-6):
    """Works in x's own dtype, goes back by adding, and takes f's memory for a number."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        before = f(x)
        x[index] += h
        gradient[index] = (f(x) - before) / h
        x[index] -= h
    return gradient


def test_the_formula_is_judged_apart_from_dtypes_and_memory():
    failure = check.numerical_gradient.failure(_one_sided_and_careless)
    assert failure.misconception.__name__ == "one_sided"
    assert check.numerical_gradient_dtypes.failure(_one_sided_and_careless) is not None
    assert check.numerical_gradient_memory.failure(_one_sided_and_careless) is not None


def test_not_written_is_not_wrong():
    def untouched(*arguments, **options):
        raise NotImplementedError

    for c in (*NUMERICAL, *ERROR, check.relu_hunt):
        failure = c.failure(untouched)
        assert isinstance(failure, check.NotWritten)
        assert str(failure).startswith(f"○ {c.title} is not written yet.")


# ---------------------------------------------------------------------------- the bug hunt

X = np.array([[-1.0, 2.0, 3.0]])


@pytest.mark.parametrize(
    ("arrays", "phrase"),
    [
        ((X, np.array([[1.0, 2, 3]]), np.array([[0.0, 2, 3]])), "passes your test"),
        ((X, np.array([[-1.0, 2, 3]]), np.array([[0.0, 2, 3]])), "passes your test"),
        ((X, np.array([[1.0, -2, 3]]), np.array([[1.0, -2, 3]])), "blame the innocent"),
        ((X, np.array([[1.0, -2, 3]])), "numbers are asked for: x, dy, expected"),
        ((X, np.ones(2), X), "not even a right layer"),
    ],
    ids=["positive dy", "negative where x is", "wrong claim", "two arrays", "another shape"],
)
def test_a_witness_that_shows_nothing_is_refused(arrays, phrase):
    assert phrase in one_line(check.relu_hunt.failure(lambda: arrays))


def test_a_witness_is_accepted_and_the_patient_gives_nothing_away():
    x, dy = np.array([[0.0, 2.0, 0.0]]), np.array([[0.0, -2.0, 0.0]])
    assert check.relu_hunt.failure(lambda: (x, dy, dy)) is None
    assert repr(check.relu_hunt.patient()) == "Patient()"


@pytest.mark.parametrize("at_the_kink", [0.0, 5.0])
def test_at_the_kink_a_witness_may_expect_either_slope(at_the_kink):
    x, dy = np.array([[0.0, 2.0]]), np.array([[5.0, -1.0]])
    failure = check.relu_hunt.failure(lambda: (x, dy, np.array([[at_the_kink, -1.0]])))
    assert "is caught" in str(failure)  # the claim is taken; the 5 is more than it needs


def test_what_the_first_check_refuses_is_to_be_mended_before_the_others_say_more():
    def numerical_gradient(f, x, h=1e-6):
        work = np.array(x, dtype=float)
        grad = np.zeros(x.shape)
        base = float(f(work.copy()))
        for index in np.ndindex(x.shape):
            moved = work.copy()
            moved[index] += h
            grad[index] = (float(f(moved)) - base) / h
        return grad

    for more in (check.numerical_gradient_dtypes, check.numerical_gradient_memory):
        failure = more.failure(numerical_gradient)
        assert failure.says == "First mend what check.numerical_gradient refuses."
        assert "one-sided difference" in failure.facts["check.numerical_gradient"]
