"""What goes wrong in measuring a gradient, in comparing two gradients, and in ReLU."""

from itertools import combinations

import numpy as np

from cnnlib.layers import ReLU
from cnnlib.misconceptions.changes import misconception

# ---------------------------------------------------------------------------- numerical_gradient


def _each_entry(f, x, slope):
    """Fill a gradient with slope(at), where at(step) is f with one entry moved by that step."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):

        def at(step, index=index):
            moved = np.array(x, float)
            moved[index] += step
            return float(f(moved))

        gradient[index] = slope(at)
    return gradient


@misconception(
    "numerical_gradient",
    says="You compare x + h with x itself: a one-sided difference, whose error shrinks only like h.",
    hint="Draw a curve, and the line through its points at x and x + h. On which other side could you look, too?",
)
def one_sided(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - at(0)) / h)


@misconception(
    "numerical_gradient",
    says="You compare x with x − h: a one-sided difference, whose error shrinks only like h.",
    hint="Draw a curve, and the line through its points at x − h and x. On which other side could you look, too?",
)
def one_sided_from_below(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(0) - at(-h)) / h)


@misconception(
    "numerical_gradient",
    says="You divide by 2h, but the two points at which f is asked lie only h apart: x and x + h.",
    hint="Print the entry that you nudge, just before each of the two calls of f.",
)
def half_a_step_up(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - at(0)) / (2 * h))


@misconception(
    "numerical_gradient",
    says="You divide by 2h, but the two points at which f is asked lie only h apart: x − h and x.",
    hint="Print the entry that you nudge, just before each of the two calls of f.",
)
def half_a_step_down(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(0) - at(-h)) / (2 * h))


@misconception(
    "numerical_gradient",
    says="You divide by h, but your two points lie further apart than that: every slope is twice too steep.",
    hint="From x − h to x + h, how far is that?",
)
def divided_by_h(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - at(-h)) / h)


@misconception(
    "numerical_gradient",
    says="You return how much f changes, not how much it changes per unit of x.",
    hint="A slope is a height divided by a length.",
)
def not_divided(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: at(h) - at(-h))


@misconception(
    "numerical_gradient",
    says="`/ 2 * h` divides by 2 and then multiplies by h.",
    hint="Python works through / and * from left to right.",
)
def multiplied_by_h(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - at(-h)) / 2 * h)


@misconception(
    "numerical_gradient",
    says="You divide by 2, and the step doesn't come into it.",
    hint="With a step half as long, f changes half as much. Should the slope change, too?",
)
def divided_by_two(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - at(-h)) / 2)


@misconception(
    "numerical_gradient",
    says="You take f(x − h) minus f(x + h): every number has the wrong sign.",
    hint="If f grows with x, is your difference positive?",
)
def the_other_way_round(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(-h) - at(h)) / (2 * h))


@misconception(
    "numerical_gradient",
    says="You add the two values of f. Of two that are alike, that leaves one, not how far they differ.",
    hint="If f is the same everywhere, which slope should come out?",
)
def added(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) + at(-h)) / (2 * h))


@misconception(
    "numerical_gradient",
    says="You calculate the second derivative: how fast the slope changes, not the slope.",
    hint="Two values of f are enough for a slope.",
)
def second_derivative(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - 2 * at(0) + at(-h)) / h**2)


@misconception(
    "numerical_gradient",
    says="The step that you take isn't the h that you are given.",
    hint="Follow h from the parameter list to the place where you add it.",
)
def a_step_of_its_own(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(1e-6) - at(-1e-6)) / 2e-6)


@misconception(
    "numerical_gradient",
    says="You step half of h to each side. That is a central difference, but with another step than the one asked for.",
    hint="From x − h to x + h, how far is that?",
)
def half_of_h_to_each_side(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h / 2) - at(-h / 2)) / h)


@misconception(
    "numerical_gradient",
    says="You compare x with x + 2h. The slope that you get belongs to the point in the middle, x + h.",
    hint="Print the entry that you nudge, just before each of the two calls of f.",
)
def two_steps_up(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(2 * h) - at(0)) / (2 * h))


@misconception(
    "numerical_gradient",
    says="Your step depends on x: each entry is multiplied by 1 ± h, where h should be added and subtracted.",
    hint="By how much does an entry of 5 move when it is multiplied by 1 + h? And one of 0?",
)
def a_relative_step(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up, down = np.array(x, float), np.array(x, float)
        up[index] *= 1 + h
        down[index] *= 1 - h
        gradient[index] = (f(up) - f(down)) / (2 * h)
    return gradient


@misconception(
    "numerical_gradient",
    says="You nudge x and don't put it back. From the second entry on you measure somewhere else, "
    "and whoever gave you x finds it moved.",
    hint="Which value must the entry have again before the next one is nudged?",
)
def never_put_back(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        up = f(x)
        x[index] = value - h
        gradient[index] = (up - f(x)) / (2 * h)
    return gradient


@misconception(
    "numerical_gradient",
    says="You nudge your copy of x and don't put the entry back, so from the second entry on you measure somewhere else.",
    hint="Which value must the entry have again before the next one is nudged?",
)
def never_put_back_in_a_copy(f, x, h=1e-6):
    return never_put_back(f, np.array(x, float), h)


@misconception(
    "numerical_gradient",
    says="Your nudges pile up: the entries that were nudged before are still nudged.",
    hint="How many entries of your two arrays differ from x when you ask f for the last time?",
)
def nudges_pile_up(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    up, down = np.array(x, float), np.array(x, float)
    for index in np.ndindex(x.shape):
        up[index] += h
        down[index] -= h
        gradient[index] = (f(up) - f(down)) / (2 * h)
    return gradient


@misconception(
    "numerical_gradient",
    says="Both calls of f see the same numbers, so every difference is 0.",
    hint="Is what you nudge the array that f is given, at the moment at which f is called? "
    "Two names may mean one array, and some calls give you a copy.",
)
def the_same_point_twice(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(0) - at(0)) / (2 * h))


@misconception(
    "numerical_gradient",
    says="You nudge all entries of x at once, so every entry is told the same.",
    hint="Which entry was it that made f grow? You can tell only if the others stayed where they were.",
)
def all_entries_at_once(f, x, h=1e-6):
    return np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h))


@misconception(
    "numerical_gradient",
    says="You nudge all entries of x at once and return a single number. "
    "A gradient has a number for each entry.",
    hint="Which entry was it that made f grow? You can tell only if the others stayed where they were.",
)
def one_number_for_all(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)


@misconception(
    "numerical_gradient",
    says="Your loop runs over the first axis only: with x of two axes or more, a whole row is nudged at once.",
    hint="What is x[0] when x has the shape (2, 3)? You need all the indices that lead to one number.",
)
def whole_rows(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in range(len(x)):
        up, down = np.array(x, float), np.array(x, float)
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


@misconception(
    "numerical_gradient",
    says="Your loop runs over the first axis only: with x of two axes or more, a whole row is nudged at once. "
    "And the row that you put aside is a view, which changes with x.",
    hint="What is x[0] when x has the shape (2, 3)? You need all the indices that lead to one number.",
)
def whole_rows_as_views(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in range(len(x)):
        value = x[i]
        x[i] = value + h
        up = f(x)
        x[i] = value - h
        gradient[i] = (up - f(x)) / (2 * h)
        x[i] = value
    return gradient


@misconception(
    "numerical_gradient",
    says="Only the first entry is measured.",
    hint="How often does your loop run before the function returns?",
)
def returns_in_the_loop(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    first = (0,) * x.ndim
    gradient[first] = _each_entry(f, x, lambda at: (at(h) - at(-h)) / (2 * h))[first]
    return gradient


@misconception(
    "numerical_gradient",
    says="You return a single number, the slope for the last entry; the others are overwritten.",
    hint="A gradient has the shape of x. Where does each slope go?",
)
def only_the_last(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - at(-h)) / (2 * h)).flat[-1]


@misconception(
    "numerical_gradient",
    says="Your gradient is one long row, whatever the shape of x.",
    hint="Whoever asked wants to subtract it from x.",
)
def a_flat_gradient(f, x, h=1e-6):
    return _each_entry(f, x, lambda at: (at(h) - at(-h)) / (2 * h)).reshape(-1)


@misconception(
    "numerical_gradient",
    says="You hand f a flat x, but f works on arrays of x's own shape.",
    hint="f may be a layer that needs rows and columns. What shape has the array that you call it with?",
)
def a_flat_argument(f, x, h=1e-6):
    flat = _each_entry(f, x.reshape(-1), lambda at: (at(h) - at(-h)) / (2 * h))
    return flat.reshape(x.shape)


@misconception(
    "numerical_gradient",
    says="You hand f a single number, the entry that you nudge, but f works on the whole array.",
    hint="A loss depends on all numbers together. Which ones must stay as they are while one is nudged?",
)
def one_entry_alone(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        gradient[index] = (f(x[index] + h) - f(x[index] - h)) / (2 * h)
    return gradient


# ---------------------------------------------------------------------------- … of whole numbers, of float32

LOST_STEP = (
    "You nudge an array of x's own dtype. Whole numbers cut the step off, and float32 rounds it."
)


def _in_the_dtype_of_x(f, x, h, gradient):
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        up = f(x)
        x[index] = value - h
        gradient[index] = (up - f(x)) / (2 * h)
        x[index] = value
    return gradient


def _stepping_in_the_dtype_of_x(f, x, h, gradient):
    for index in np.ndindex(x.shape):
        x[index] = x[index] + h
        up = f(x)
        x[index] = x[index] - 2 * h
        gradient[index] = (up - f(x)) / (2 * h)
        x[index] = x[index] + h
    return gradient


@misconception(
    "numerical_gradient_dtypes",
    says=LOST_STEP,
    hint="In an array of whole numbers, what becomes of 2 + 0.000001? Which dtype could hold it?",
)
def nudges_in_the_dtype_of_x(f, x, h=1e-6):
    return _in_the_dtype_of_x(f, x, h, np.zeros(x.shape))


@misconception(
    "numerical_gradient_dtypes",
    says=LOST_STEP + " Your result has x's dtype, too.",
    hint="In an array of whole numbers, what becomes of 2 + 0.000001? Which dtype could hold it?",
)
def nudges_and_returns_the_dtype_of_x(f, x, h=1e-6):
    return _in_the_dtype_of_x(f, x, h, np.zeros_like(x))


@misconception(
    "numerical_gradient_dtypes",
    says=LOST_STEP + " Going back by adding h doesn't lead to where x was.",
    hint="In an array of whole numbers, what becomes of 2 + 0.000001? Which dtype could hold it?",
)
def steps_in_the_dtype_of_x(f, x, h=1e-6):
    return _stepping_in_the_dtype_of_x(f, x, h, np.zeros(x.shape))


@misconception(
    "numerical_gradient_dtypes",
    says=LOST_STEP
    + " Going back by adding h doesn't lead to where x was, and your result has x's dtype, too.",
    hint="In an array of whole numbers, what becomes of 2 + 0.000001? Which dtype could hold it?",
)
def steps_and_returns_the_dtype_of_x(f, x, h=1e-6):
    return _stepping_in_the_dtype_of_x(f, x, h, np.zeros_like(x))


@misconception(
    "numerical_gradient_dtypes",
    says="The step that you add lies in an array of x's own dtype. Whole numbers make 0 of it, and float32 rounds the sum.",
    hint="`zeros_like` takes more over from x than its shape.",
)
def steps_of_the_dtype_of_x(f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        gradient[index] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


@misconception(
    "numerical_gradient_dtypes",
    says="You nudge an array of float32, which has seven digits: x ± h is rounded, and so is f.",
    hint="Print the entry before and after it is nudged. How much of h has arrived?",
)
def nudges_float32(f, x, h=1e-6):
    x = x if x.dtype.kind == "f" else x.astype(float)
    return _in_the_dtype_of_x(f, x, h, np.zeros(x.shape))


@misconception(
    "numerical_gradient_dtypes",
    says="You nudge an array of float32, which has seven digits: x ± h is rounded, and so is f. "
    "Your result is float32, too.",
    hint="Print the entry before and after it is nudged. How much of h has arrived?",
)
def nudges_and_returns_float32(f, x, h=1e-6):
    x = x if x.dtype.kind == "f" else x.astype(float)
    return _in_the_dtype_of_x(f, x, h, np.zeros_like(x))


@misconception(
    "numerical_gradient_dtypes",
    says="You turn x into float32, which has seven digits: x ± h is rounded, and so is f.",
    hint="Print the entry before and after it is nudged. How much of h has arrived?",
)
def turns_x_into_float32(f, x, h=1e-6):
    return _in_the_dtype_of_x(f, x.astype(np.float32), h, np.zeros(x.shape))


@misconception(
    "numerical_gradient_dtypes",
    says="Your result has the dtype of x: with whole numbers, everything behind the decimal point is lost.",
    hint="Which line gives your result its dtype? `zeros_like(x)`, for one, takes more over from x than its shape.",
)
def returns_the_dtype_of_x(f, x, h=1e-6):
    return _in_the_dtype_of_x(f, np.array(x, float), h, np.zeros_like(x))


# ---------------------------------------------------------------------------- … and the memory it works in

# What each mistake is, and a hint; one function can make several of them at a time.
WITH_MEMORY = {
    "same_memory": (
        "You keep f's first result by name only. This f writes its second result into the same "
        "memory, so you subtract a number from itself.",
        "When is f's first result read: before or after the second call?",
    ),
    "nudged_copy": (
        "On a transposed x you nudge a copy, which f never sees: there, reshape(-1) and ravel have to copy.",
        "Which of your arrays shares its memory with the one that f is given? np.shares_memory tells.",
    ),
    "stepped_back": (
        "You go back by adding and subtracting h, and rounding leaves x a little beside where it was.",
        "Is 0.3 + 0.1 − 0.1 the same as 0.3? How could you remember the value itself?",
    ),
}


def _careless(*mistakes):
    """A numerical gradient that works in x itself and makes some of the mistakes with memory."""

    def numerical_gradient(f, x, h=1e-6):
        gradient = np.zeros(x.shape)
        nudged = x.ravel().reshape(x.shape) if "nudged_copy" in mistakes else x
        for index in np.ndindex(x.shape):
            value = nudged[index]
            nudged[index] += h
            up = f(x)
            up = up if "same_memory" in mistakes else float(up)
            nudged[index] -= 2 * h
            gradient[index] = (up - f(x)) / (2 * h)
            nudged[index] = nudged[index] + h if "stepped_back" in mistakes else value
        return gradient

    numerical_gradient.__name__ = "_and_".join(mistakes)
    return numerical_gradient


for count in range(1, len(WITH_MEMORY) + 1):
    for mistakes in combinations(WITH_MEMORY, count):
        says, hints = zip(*(WITH_MEMORY[mistake] for mistake in mistakes), strict=True)
        mark = misconception("numerical_gradient_memory", says=" ".join(says), hint=hints[0])
        mark(_careless(*mistakes))


# ---------------------------------------------------------------------------- relative_error


def _largest(a):
    return np.abs(a).max()


@misconception(
    "relative_error",
    says="You compare the two averages. Entries that are too large and too small cancel out there, "
    "and entries in the wrong places don't show at all.",
    hint="Two arrays hold the same numbers in another order. How far apart are their averages?",
)
def compares_means(a, b):
    return abs(a.mean() - b.mean()) / max(abs(a.mean()), abs(b.mean()))


@misconception(
    "relative_error",
    says="You compare the lengths (norms) of the two arrays. A gradient that points elsewhere can be just as long.",
    hint="a and −a have the same norm. Subtract first, or measure first?",
)
def compares_norms(a, b):
    a, b = np.linalg.norm(a), np.linalg.norm(b)
    return abs(a - b) / max(a, b)


@misconception(
    "relative_error",
    says="You average the differences. One wrong entry among a thousand right ones all but disappears.",
    hint="Which single number of all the differences can't be watered down by the others?",
)
def averages_the_differences(a, b):
    return np.abs(a - b).mean() / max(_largest(a), _largest(b))


@misconception(
    "relative_error",
    says="You add the differences up, so a large array looks worse than a small one with the same mistake.",
    hint="Which single number of all the differences doesn't depend on how many there are?",
)
def adds_the_differences_up(a, b):
    return np.abs(a - b).sum() / max(_largest(a), _largest(b))


@misconception(
    "relative_error",
    says="You take the largest of a − b with its sign, so nothing shows where a is too small.",
    hint="What is the largest of the numbers −5, −3 and 0?",
)
def forgets_the_sign(a, b):
    return (a - b).max() / max(_largest(a), _largest(b))


@misconception(
    "relative_error",
    says="You divide by the largest entry, not by the largest size of an entry: −5 counts for less than 1.",
    hint="A gradient is as often negative as positive. What is the largest of −5 and 1, and what should it be?",
)
def scale_with_sign(a, b):
    return _largest(a - b) / max(a.max(), b.max())


@misconception(
    "relative_error",
    says="You return the difference itself. Whether that is much or little, nobody can tell.",
    hint="A difference of 0.001: is that good for gradients around 1? And for gradients around 0.0001?",
)
def not_relative(a, b):
    return _largest(a - b)


@misconception(
    "relative_error",
    says="You measure each entry against itself. Then the rounding in an entry that is almost 0 raises an alarm.",
    hint="Against what must a difference be small: its own entry, or the whole gradient?",
)
def entry_by_entry(a, b):
    return (np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))).max()


@misconception(
    "relative_error",
    says="You measure each entry against itself, as |a| + |b|. "
    "That is in use elsewhere; but there the rounding in an entry that is almost 0 raises an alarm.",
    hint="Against what must a difference be small: its own entry, or the whole gradient?",
)
def entry_by_entry_sum(a, b):
    return (np.abs(a - b) / (np.abs(a) + np.abs(b))).max()


@misconception(
    "relative_error",
    says="You measure each entry against itself, as |a| + |b|, or 1e-8 where that is less. "
    "That is in use elsewhere; here the largest entry of all is asked for.",
    hint="The formula has three max in it. Over what does each of them run?",
)
def entry_by_entry_sum_with_a_floor(a, b):
    return (np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b))).max()


@misconception(
    "relative_error",
    says="You measure each entry against itself, or against 1e-8 where it is less.",
    hint="The formula has three max in it. Over what does each of them run?",
)
def entry_by_entry_with_a_floor(a, b):
    return (np.abs(a - b) / np.maximum(1e-8, np.maximum(np.abs(a), np.abs(b)))).max()


@misconception(
    "relative_error",
    says="You take the size of the entries before you subtract, so 3 and −3 count as equal.",
    hint="A gradient that points the wrong way: what error should it have, and what does it get?",
)
def sizes_before_difference(a, b):
    return _largest(np.abs(a) - np.abs(b)) / max(_largest(a), _largest(b))


@misconception(
    "relative_error",
    says="You compare the largest entry of a with the largest of b, wherever the two stand.",
    hint="The same numbers in another order: what error should they have, and what do they get?",
)
def difference_of_the_largest(a, b):
    return abs(a.max() - b.max()) / max(_largest(a), _largest(b))


@misconception(
    "relative_error",
    says="You divide by the sum of the two largest entries, so every error looks about half as large.",
    hint="The formula divides by one of the two. By which?",
)
def scale_of_both(a, b):
    return _largest(a - b) / (_largest(a) + _largest(b))


@misconception(
    "relative_error",
    says="You divide by the largest entry of a alone.",
    hint="a and b have equal rights here: what comes out when you swap them?",
)
def scale_of_a(a, b):
    return _largest(a - b) / _largest(a)


@misconception(
    "relative_error",
    says="You divide by the largest entry of b alone.",
    hint="a and b have equal rights here: what comes out when you swap them?",
)
def scale_of_b(a, b):
    return _largest(a - b) / _largest(b)


@misconception(
    "relative_error",
    says="You divide by the smaller one of the two largest entries.",
    hint="With which of the two can the error never be more than 2?",
)
def smaller_scale(a, b):
    return _largest(a - b) / min(_largest(a), _largest(b))


@misconception(
    "relative_error",
    says="You measure with norms: the root of the sum of squares. "
    "In a large array one wrong entry all but disappears there.",
    hint="Which single number of all the differences can't be watered down by the others?",
)
def with_norms(a, b):
    return np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b))


@misconception(
    "relative_error",
    says="You measure with norms, and divide by their sum. "
    "In a large array one wrong entry all but disappears there.",
    hint="Which single number of all the differences can't be watered down by the others?",
)
def with_norms_and_their_sum(a, b):
    return np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))


# ---------------------------------------------------------------------------- … where nothing can agree


def _broadcast(a, b):
    return _largest(a - b) / max(_largest(a), _largest(b))


def _has_nan(a, b):
    return np.isnan(a).any() or np.isnan(b).any()


def _ignoring_nan(a, b):
    scale = np.nanmax([np.nanmax(np.abs(a)), np.nanmax(np.abs(b))])
    return np.nanmax(np.abs(a - b)) / scale


SHAPES = "Arrays of different shapes pass for equal: NumPy stretches the one to the other's shape."
NAN_OUT = "With a NaN in an array, NaN comes out, and `if error > 1e-6` lets that pass."
NAN_LEFT_OUT = (
    "NaN is left out and the rest compared, so a gradient that is broken in one place passes."
)
ABOUT_SHAPES = "What is the shape of a − b, when a is (3, 1) and b is (3,)?"
ABOUT_NAN = "Is NaN larger than 1e-6? Is it smaller? Which error says that nothing agrees?"
ABOUT_THE_REST = "Would you train a network with a NaN in its weights?"


@misconception("relative_error_refuses", says=SHAPES, hint=ABOUT_SHAPES)
def stretches_shapes(a, b):
    return np.inf if _has_nan(a, b) else _broadcast(a, b)


@misconception("relative_error_refuses", says=NAN_OUT, hint=ABOUT_NAN)
def lets_nan_out(a, b):
    return np.inf if a.shape != b.shape else _broadcast(a, b)


@misconception("relative_error_refuses", says=NAN_LEFT_OUT, hint=ABOUT_THE_REST)
def leaves_nan_out(a, b):
    return np.inf if a.shape != b.shape else _ignoring_nan(a, b)


@misconception(
    "relative_error_refuses",
    says="You look for a NaN in the first array only.",
    hint="Which of the two gradients may be the broken one?",
)
def looks_at_the_first_alone(a, b):
    return np.inf if a.shape != b.shape or np.isnan(a).any() else _broadcast(a, b)


@misconception(
    "relative_error_refuses",
    says="You look for a NaN in the second array only.",
    hint="Which of the two gradients may be the broken one?",
)
def looks_at_the_second_alone(a, b):
    return np.inf if a.shape != b.shape or np.isnan(b).any() else _broadcast(a, b)


@misconception(
    "relative_error_refuses",
    says="You refuse a NaN only if both arrays have one.",
    hint="Which of the two gradients may be the broken one?",
)
def looks_for_two(a, b):
    both = np.isnan(a).any() and np.isnan(b).any()
    return np.inf if a.shape != b.shape or both else _broadcast(a, b)


@misconception(
    "relative_error_refuses",
    says="You compare how many entries there are, and not the shapes: (3, 1) and (3,) pass for equal.",
    hint="What is (a - b).shape when a is (3, 1) and b is (3,)?",
)
def compares_the_sizes(a, b):
    return np.inf if a.size != b.size or _has_nan(a, b) else _broadcast(a, b)


@misconception(
    "relative_error_refuses",
    says="You compare the number of axes, and not the shapes: (1, 4) and (3, 4) pass for equal.",
    hint="What is (a - b).shape when a is (1, 4) and b is (3, 4)?",
)
def compares_the_axes(a, b):
    return np.inf if a.ndim != b.ndim or _has_nan(a, b) else _broadcast(a, b)


@misconception(
    "relative_error_refuses",
    says="You compare the lengths along the first axis only: len doesn't see the others.",
    hint="What is len(a) when a is (3, 1), and when it is (3,)?",
)
def compares_the_first_axis(a, b):
    return np.inf if len(a) != len(b) or _has_nan(a, b) else _broadcast(a, b)


@misconception(
    "relative_error_refuses",
    says="You put a number in place of each NaN and go on, so the broken gradient gets an ordinary error.",
    hint="Would you train a network with a NaN in its weights?",
)
def replaces_nan(a, b):
    return np.inf if a.shape != b.shape else _broadcast(np.nan_to_num(a), np.nan_to_num(b))


@misconception("relative_error_refuses", says=f"{SHAPES} {NAN_OUT}", hint=ABOUT_SHAPES)
def stretches_shapes_and_lets_nan_out(a, b):
    return _broadcast(a, b)


@misconception("relative_error_refuses", says=f"{SHAPES} {NAN_LEFT_OUT}", hint=ABOUT_SHAPES)
def stretches_shapes_and_leaves_nan_out(a, b):
    return _ignoring_nan(a, b)


# ---------------------------------------------------------------------------- ReLU forward


@misconception(
    "relu_forward",
    "relu_backward",
    says="Your forward writes into x itself. Whoever gave it to you, and your own backward, finds it changed.",
    hint="Which of your lines writes, and into which array?",
)
class OverwritesX(ReLU):
    def forward(self, x):
        super().forward(x)
        x[x < 0] = 0
        return x


@misconception(
    "relu_forward",
    says="Your forward hands x on as it came, negative numbers too.",
    hint="What does ReLU do to −2?",
)
class HandsOn(ReLU):
    def forward(self, x):
        super().forward(x)
        return x


@misconception(
    "relu_forward",
    says="You return 1 where x is positive and 0 elsewhere. That says which numbers pass, and not what they are.",
    hint="What does ReLU make of 3?",
)
class MaskForward(ReLU):
    def forward(self, x):
        super().forward(x)
        return (x > 0).astype(x.dtype)


@misconception(
    "relu_forward",
    says="You let the negative numbers through, and make the positive ones 0.",
    hint="What does ReLU do to −2, and to 3?",
)
class KeepsTheNegative(ReLU):
    def forward(self, x):
        super().forward(x)
        return np.minimum(x, 0)


@misconception(
    "relu_forward",
    says="You take the size of each number: −2 becomes 2.",
    hint="What does ReLU do to −2?",
)
class AbsoluteValue(ReLU):
    def forward(self, x):
        super().forward(x)
        return np.abs(x)


@misconception(
    "relu_forward",
    says="You let a hundredth of the negative numbers through. That is the leaky ReLU.",
    hint="What does ReLU do to −2?",
)
class Leaky(ReLU):
    def forward(self, x):
        super().forward(x)
        return np.where(x > 0, x, x * x.dtype.type(0.01))


@misconception(
    "relu_forward",
    says="Nothing larger than 1 gets through. ReLU has no ceiling.",
    hint="What does ReLU do to 3?",
)
class CutsAtOne(ReLU):
    def forward(self, x):
        super().forward(x)
        return np.clip(x, 0, 1)


@misconception(
    "relu_forward",
    says="You take the largest number along axis 0. That is np.max; its second argument is an axis.",
    hint="np.max finds one number in an array. Which function takes the larger of two, entry by entry?",
)
class MaxOfTheBatch(ReLU):
    def forward(self, x):
        super().forward(x)
        return np.max(x, 0)


@misconception(
    "relu_forward",
    says="You return only the positive numbers, in one row. y has a number for each number of x.",
    hint="What stands in y where x is negative?",
)
class OnlyThePositive(ReLU):
    def forward(self, x):
        super().forward(x)
        return x[x > 0]


# ---------------------------------------------------------------------------- ReLU backward


@misconception(
    "relu_backward",
    says="You return the slopes, 1 and 0, and what dy says is lost.",
    hint="Chain rule: backward hands on what was handed to it, times the slope. Where does dy come in?",
)
class MaskAlone(ReLU):
    def backward(self, dy):
        return self.mask.astype(dy.dtype)


@misconception(
    "relu_backward",
    says="You hand dy on as it came, also to numbers that never got through.",
    hint="x was −2, so y was 0. If x grows by a little, what does y do?",
)
class HandsBack(ReLU):
    def backward(self, dy):
        return dy


@misconception(
    "relu_backward",
    says="You let dy pass where dy is positive. What counts is whether x was.",
    hint="A gradient may well be negative. What did forward see at that place?",
)
class MasksByDy(ReLU):
    def backward(self, dy):
        return dy * (dy > 0)


@misconception(
    "relu_backward",
    says="You let dy pass where x was positive, which is right, but negative gradients are lost on top of that.",
    hint="A negative gradient says: the loss falls if this number grows. Whom does it concern?",
)
class Guided(ReLU):
    def backward(self, dy):
        return dy * self.mask * (dy > 0)


@misconception(
    "relu_backward",
    says="You multiply dy by y, the number that came out. The chain rule asks for the slope.",
    hint="x was 3. If x grows by 1, by how much does y grow? And if x was 300?",
)
class TimesY(ReLU):
    def forward(self, x):
        self.y = super().forward(x)
        return self.y

    def backward(self, dy):
        return dy * self.y


@misconception(
    "relu_backward",
    says="You multiply dy by x, the number that came in. The chain rule asks for the slope.",
    hint="x was 3. If x grows by 1, by how much does y grow? And if x was −3?",
)
class TimesX(ReLU):
    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dy):
        return dy * self.x


@misconception(
    "relu_backward",
    says="You return y, what forward gave, and not a gradient.",
    hint="dx has x's shape, but whose numbers must it hold?",
)
class ReturnsY(ReLU):
    def forward(self, x):
        self.y = super().forward(x)
        return self.y

    def backward(self, dy):
        return self.y


@misconception(
    "relu_backward",
    says="You let dy pass where x was negative, and stop it where x was positive.",
    hint="Which numbers got through in forward?",
)
class WrongWayRound(ReLU):
    def backward(self, dy):
        return dy * ~self.mask


@misconception(
    "relu_backward",
    says="You let a hundredth of dy through where x was negative. That fits a leaky ReLU, and forward isn't one.",
    hint="x was −2, so y was 0. If x grows by a little, what does y do?",
)
class LeakyBackward(ReLU):
    def backward(self, dy):
        return np.where(self.mask, dy, dy * dy.dtype.type(0.01))


@misconception(
    "relu_backward",
    says="At exactly 0 you hand back half of dy. The slope there is 0 or 1, as you like, but not between the two.",
    hint="What does your code make of an x of 0? np.sign(0) is 0, and np.heaviside(0, v) is v.",
)
class HalfAtZero(ReLU):
    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dy):
        return dy * (np.sign(self.x) + 1) / 2


@misconception(
    "relu_backward",
    says="You return dy only where x was positive, in one row. dx has a number for each number of x.",
    hint="What stands in dx where x was negative?",
)
class OnlyWherePositive(ReLU):
    def backward(self, dy):
        return dy[self.mask]


@misconception(
    "relu_backward",
    says="You add to what an earlier backward returned. Each backward starts anew.",
    hint="Which of your arrays outlives a call, and which line adds to it?",
)
class PilesUp(ReLU):
    total = 0

    def backward(self, dy):
        self.total = self.total + super().backward(dy)
        return self.total


@misconception(
    "relu_backward",
    says="You put −dy where x was negative, as if forward had taken the absolute value.",
    hint="x was −2, so y was 0. If x grows by a little, what does y do?",
)
class SignOfX(ReLU):
    def backward(self, dy):
        return np.where(self.mask, dy, -dy)


@misconception(
    "relu_backward",
    says="You return zeros, so nothing before this layer can ever learn.",
    hint="ReLU has nothing to learn itself, and still the layers before it need their gradient.",
)
class CutsTheGraph(ReLU):
    def backward(self, dy):
        return np.zeros_like(dy)


@misconception(
    "relu_backward",
    says="You write into dy itself, so whoever handed it to you finds it changed.",
    hint="The same dy may go to a second layer, too. Which of your lines writes, and into which array?",
)
class OverwritesDy(ReLU):
    def backward(self, dy):
        dy[~self.mask] = 0
        return dy


@misconception(
    "relu_backward",
    says="Your forward writes into x, and then backward asks that x who was negative. Nobody is any more, so all of dy passes.",
    hint="Which of your lines writes into an array that you were given?",
)
class ForgetsWhoWasNegative(ReLU):
    def forward(self, x):
        super().forward(x)
        x[x < 0] = 0
        return x

    def backward(self, dy):
        return dy


@misconception(
    "relu_backward",
    says="You keep what the first batch looked like, and use it for later ones.",
    hint="Which numbers got through is different in each batch. When does your layer write it down?",
)
class KeepsTheFirstMask(ReLU):
    first = None

    def forward(self, x):
        if self.first is None:
            self.first = x > 0
        return super().forward(x)

    def backward(self, dy):
        return dy * self.first


@misconception(
    "relu_backward",
    says="What forward remembers is kept in one place for all layers, so a second ReLU overwrites it.",
    hint="Each layer needs a memory of its own. Where does `self` come in?",
)
class SharesItsMask(ReLU):
    last = None

    def forward(self, x):
        SharesItsMask.last = x > 0
        return super().forward(x)

    def backward(self, dy):
        return dy * SharesItsMask.last


@misconception(
    "relu_backward",
    says="The gradient is divided by the size of the batch here. "
    "The loss has done that already, once and for all layers.",
    hint="Does the slope of ReLU at one number depend on how many others there are?",
)
class DividesByTheBatch(ReLU):
    def backward(self, dy):
        return super().backward(dy) / len(dy)
