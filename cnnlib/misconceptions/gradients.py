"""What goes wrong in measuring a gradient, in comparing two gradients, and in ReLU."""

# fmt: off

import numpy as np

from cnnlib.layers import ReLU
from cnnlib.misconceptions import structure
from cnnlib.misconceptions.changes import Formula, mistakes, slip

# ---------------------------------------------------------------------------- numerical_gradient


class _Measured(Formula):
    """One entry after the other is nudged, in an array of its own."""

    def __call__(self, f, x, h=1e-6):
        gradient = np.zeros(x.shape)
        for index in np.ndindex(x.shape):

            def at(step, index=index): return float(self.asked(f, self.nudged(x, index, step), index))

            gradient[index] = self.slope(at, self.step(h))
        return self.returned(gradient)

    def asked(self, f, nudged, index): return f(nudged)

    def nudged(self, x, index, step):
        nudged = np.array(x, float)
        nudged[index] += step
        return nudged

    def slope(self, at, h): return self.difference(self.up(at, h), self.down(at, h)) / self.run(h)
    def step(self, h): return h
    def up(self, at, h): return at(h)
    def down(self, at, h): return at(-h)
    def difference(self, up, down): return up - down
    def run(self, h): return 2 * h
    def returned(self, gradient): return gradient


def _scaled(self, x, index, step):
    nudged = np.array(x, float)
    nudged[index] *= 1 + step
    return nudged


def _row(self, x, index, step):
    nudged = np.array(x, float)
    nudged[index[0]] += step
    return nudged


def _never_put_back(self, f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):

        def at(step, index=index, value=x[index]):
            x[index] = value + step
            return f(x)

        gradient[index] = self.slope(at, h)
    return gradient


def _nudges_pile_up(self, f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    up, down = np.array(x, float), np.array(x, float)
    for index in np.ndindex(x.shape):

        def at(step, index=index):
            moved = up if step > 0 else down
            moved[index] += step
            return f(moved)

        gradient[index] = self.slope(at, h)
    return gradient


def _rows_as_views(self, f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for i in range(len(x)):

        def at(step, i=i, value=x[i]):
            x[i] = value + step
            return f(x)

        gradient[i] = self.slope(at, h)
        at(0)
    return gradient


def _only_the_first(self, gradient):
    first = np.zeros_like(gradient)
    first.flat[0] = gradient.flat[0]
    return first


mistakes(__name__, {"numerical_gradient": _Measured},
    one_sided=slip("You compare x + h with x itself: a one-sided difference, whose error shrinks only like h.",
        "Draw a curve, and the line through its points at x and x + h. On which other side could you look, too?", down=lambda self, at, h: at(0), run=lambda self, h: h),
    one_sided_from_below=slip("You compare x with x − h: a one-sided difference, whose error shrinks only like h.",
        "Draw a curve, and the line through its points at x − h and x. On which other side could you look, too?", up=lambda self, at, h: at(0), run=lambda self, h: h),
    half_a_step_up=slip("You divide by 2h, but the two points at which f is asked lie only h apart: x and x + h.",
        "Print the entry that you nudge, just before each of the two calls of f.", down=lambda self, at, h: at(0)),
    half_a_step_down=slip("You divide by 2h, but the two points at which f is asked lie only h apart: x − h and x.",
        "Print the entry that you nudge, just before each of the two calls of f.", up=lambda self, at, h: at(0)),
    divided_by_h=slip("You divide by h, but your two points lie further apart than that: every slope is twice too steep.",
        "From x − h to x + h, how far is that?", run=lambda self, h: h),
    not_divided=slip("You return how much f changes, not how much it changes per unit of x.", "A slope is a height divided by a length.", run=lambda self, h: 1),
    multiplied_by_h=slip("`/ 2 * h` divides by 2 and then multiplies by h.", "Python works through / and * from left to right.", run=lambda self, h: 2 / h),
    divided_by_two=slip("You divide by 2, and the step doesn't come into it.",
        "With a step half as long, f changes half as much. Should the slope change, too?", run=lambda self, h: 2),
    the_other_way_round=slip("You take f(x − h) minus f(x + h): every number has the wrong sign.",
        "If f grows with x, is your difference positive?", difference=lambda self, up, down: down - up),
    added=slip("You add the two values of f. Of two that are alike, that leaves one, not how far they differ.",
        "If f is the same everywhere, which slope should come out?", difference=lambda self, up, down: up + down),
    second_derivative=slip("You calculate the second derivative: how fast the slope changes, not the slope.",
        "Two values of f are enough for a slope.", slope=lambda self, at, h: (at(h) - 2 * at(0) + at(-h)) / h**2),
    a_step_of_its_own=slip("The step that you take isn't the h that you are given.",
        "Follow h from the parameter list to the place where you add it.", step=lambda self, h: 1e-6),
    nudges_by_another_step=slip("You nudge x by a step of your own, and divide by twice the h that you are given.",
        "Follow h from the parameter list to the place where you add it.", up=lambda self, at, h: at(1e-6), down=lambda self, at, h: at(-1e-6)),
    half_of_h_to_each_side=slip("You step half of h to each side. That is a central difference, but with a different step from the one asked for.",
        "From x − h to x + h, how far is that?", step=lambda self, h: h / 2),
    two_steps_up=slip("You compare x with x + 2h. The slope that you get belongs to the point in the middle, x + h.",
        "Print the entry that you nudge, just before each of the two calls of f.", up=lambda self, at, h: at(2 * h), down=lambda self, at, h: at(0)),
    a_relative_step=slip("Your step depends on x: each entry is multiplied by 1 ± h, where h should be added and subtracted.",
        "By how much does an entry of 5 move when it is multiplied by 1 + h? And one of 0?", nudged=_scaled),
    never_put_back=slip("You nudge x and don't put it back. From the second entry on you measure somewhere else, and whoever gave you x finds it moved.",
        "Which value must the entry have again before the next one is nudged?", __call__=_never_put_back),
    never_put_back_in_a_copy=slip("You nudge your copy of x and don't put the entry back, so from the second entry on you measure somewhere else.",
        "Which value must the entry have again before the next one is nudged?", __call__=lambda self, f, x, h=1e-6: _never_put_back(self, f, np.array(x, float), h)),
    nudges_pile_up=slip("Your nudges pile up: the entries that were nudged before are still nudged.",
        "How many entries of your two arrays differ from x when you ask f for the last time?", __call__=_nudges_pile_up),
    the_same_point_twice=slip("Both calls of f see the same numbers, so every difference is 0.",
        "Is what you nudge the array that f is given, at the moment at which f is called? Two names may mean one array, and some calls give you a copy.", nudged=lambda self, x, index, step: np.array(x, float)),
    all_entries_at_once=slip("You nudge all entries of x at once, so every entry is told the same.",
        "Which entry was it that made f grow? You can tell only if the others stayed where they were.", nudged=lambda self, x, index, step: x + step),
    one_number_for_all=slip("You nudge all entries of x at once and return a single number. A gradient has a number for each entry.",
        "Which entry was it that made f grow? You can tell only if the others stayed where they were.", nudged=lambda self, x, index, step: x + step, returned=lambda self, gradient: float(gradient.flat[0])),
    whole_rows=slip("Your loop runs over the first axis only: with x of two axes or more, a whole row is nudged at once.",
        "What is x[0] when x has the shape (2, 3)? You need all the indices that lead to one number.", nudged=_row),
    whole_rows_as_views=slip("Your loop runs over the first axis only: with x of two axes or more, a whole row is nudged at once. And the row that you put aside is a view, which changes with x.",
        "What is x[0] when x has the shape (2, 3)? You need all the indices that lead to one number.", __call__=_rows_as_views),
    returns_in_the_loop=slip("Only the first entry is measured.", "How many times does your loop run before the function returns?", returned=_only_the_first),
    only_the_last=slip("You return a single number, the slope for the last entry; the others are overwritten.",
        "A gradient has the shape of x. Where does each slope go?", returned=lambda self, gradient: gradient.flat[-1]),
    a_flat_gradient=slip("Your gradient is one long row, whatever the shape of x.",
        "Whoever asked wants to subtract it from x.", returned=lambda self, gradient: gradient.reshape(-1)),
    a_flat_argument=slip("You hand f a flat x, but f works on arrays of x's own shape.",
        "f may be a layer that needs rows and columns. What is the shape of the array that you call it with?", asked=lambda self, f, nudged, index: f(nudged.reshape(-1))),
    one_entry_alone=slip("You hand f a single number, the entry that you nudge, but f works on the whole array.",
        "A loss depends on all numbers together. Which ones must stay as they are while one is nudged?", asked=lambda self, f, nudged, index: f(nudged[index])),
)

# ---------------------------------------------------------------------------- … in one array, nudged and put back


class _Nudging(Formula):
    """One array is nudged and put back; f may keep its result in one memory."""

    def __call__(self, f, x, h=1e-6):
        gradient = np.zeros(x.shape, self.result(x))
        held = self.held(x)
        nudged = self.nudged(held)
        for index in np.ndindex(x.shape):
            value = nudged[index]
            nudged[index] = value + h
            up = self.first(f(held))
            nudged[index] = self.lower(value, nudged[index], h)
            gradient[index] = (up - f(held)) / (2 * h)
            nudged[index] = self.back(value, nudged[index], h)
        return gradient

    def result(self, x): return float
    def held(self, x): return np.array(x, float)
    def nudged(self, held): return held
    def first(self, up): return float(up)
    def lower(self, value, now, h): return value - h
    def back(self, value, now, h): return value


class _InX(_Nudging):
    """The array that is nudged is x itself."""

    def held(self, x): return x


def _steps_like_x(self, f, x, h=1e-6):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        gradient[index] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


_ROUNDED = {"lower": lambda self, value, now, h: now - 2 * h, "back": lambda self, value, now, h: now + h}
mistakes(__name__, {"numerical_gradient_dtypes": _Nudging},
    nudges_in_the_dtype_of_x=slip("You nudge an array of x's own dtype. Whole numbers cut the step off, and float32 rounds it.",
        "In an array of whole numbers, what becomes of 2 + 0.000001? What dtype could hold it?", held=lambda self, x: x),
    nudges_float32=slip("You nudge an array of float32, which has seven digits: x ± h is rounded, and so is f.",
        "Print the entry before and after it is nudged. How much of h has arrived?", held=lambda self, x: x if x.dtype.kind == "f" else x.astype(float)),
    nudges_and_returns_float32=slip("You nudge an array of float32, which has seven digits: x ± h is rounded, and so is f. Your result is float32, too.",
        "Print the entry before and after it is nudged. How much of h has arrived?",
        held=lambda self, x: x if x.dtype.kind == "f" else x.astype(float),
        result=lambda self, x: x.dtype if x.dtype.kind == "f" else float),
    turns_x_into_float32=slip("You turn x into float32, which has seven digits: x ± h is rounded, and so is f.",
        "Print the entry before and after it is nudged. How much of h has arrived?", held=lambda self, x: x.astype(np.float32)),
    returns_the_dtype_of_x=slip("Your result has the dtype of x: with whole numbers, everything after the decimal point is lost.",
        "Which line gives your result its dtype? `zeros_like(x)`, for one, takes more from x than its shape.", result=lambda self, x: x.dtype),
    nudges_and_returns_the_dtype_of_x=slip("You nudge an array of x's own dtype. Whole numbers cut the step off, and float32 rounds it. Your result has x's dtype, too.",
        "In an array of whole numbers, what becomes of 2 + 0.000001? What dtype could hold it?", held=lambda self, x: x, result=lambda self, x: x.dtype),
    steps_in_the_dtype_of_x=slip("You nudge an array of x's own dtype. Whole numbers cut the step off, and float32 rounds it. Going back by adding h doesn't lead to where x was.",
        "In an array of whole numbers, what becomes of 2 + 0.000001? What dtype could hold it?", held=lambda self, x: x, **_ROUNDED),
    steps_and_returns_the_dtype_of_x=slip("You nudge an array of x's own dtype. Whole numbers cut the step off, and float32 rounds it. Going back by adding h doesn't lead to where x was, and your result has x's dtype, too.",
        "In an array of whole numbers, what becomes of 2 + 0.000001? What dtype could hold it?", held=lambda self, x: x, result=lambda self, x: x.dtype, **_ROUNDED),
    steps_of_the_dtype_of_x=slip("The step that you add lies in an array of x's own dtype. Whole numbers make 0 of it, and float32 rounds the sum.",
        "`zeros_like` takes more from x than its shape.", __call__=_steps_like_x),
)
_MEMORY = {
    "same_memory": slip("You keep f's first result by name only. This f writes its second result into the same memory, so you subtract a number from itself.",
        "When is f's first result read: before or after the second call?", first=lambda self, up: up),
    "nudged_copy": slip("On a transposed x, reshape(-1) and ravel have to copy: what you write there, the step or the slope, never reaches the array itself.",
        "Which of your arrays shares its memory with the one that f is given, and which with the one that you return? np.shares_memory tells.",
        nudged=lambda self, held: held.ravel().reshape(held.shape)),
    "stepped_back": slip("You go back by adding and subtracting h, and rounding leaves x slightly off where it was.",
        "Is 0.3 + 0.1 − 0.1 the same as 0.3? How could you remember the value itself?", **_ROUNDED),
}
_ALL_THREE = slip(" ".join(each.says for each in _MEMORY.values()),
    _MEMORY["same_memory"].hint, **{place: change for each in _MEMORY.values() for place, change in each.changes.items()})
mistakes(__name__, {"numerical_gradient_memory": _InX}, **_MEMORY, all_three=_ALL_THREE)

# ---------------------------------------------------------------------------- relative_error


def _largest(a): return np.abs(a).max()


class _RelativeError(Formula):
    def __call__(self, a, b): return self.distance(a, b) / self.scale(a, b)
    def distance(self, a, b): return _largest(a - b)
    def scale(self, a, b): return max(_largest(a), _largest(b))


def _each_against(scale):
    """The largest error of an entry, each against itself."""
    return lambda self, a, b: (np.abs(a - b) / scale(np.abs(a), np.abs(b))).max()


_norm = np.linalg.norm
_SIGNS = "A gradient is as often negative as positive. What is the largest of −5 and 1, and what should it be?"
mistakes(__name__, {"relative_error": _RelativeError},
    compares_means=slip("You compare the two averages. Entries that are too large and too small cancel out there, and entries in the wrong places don't show at all.",
        "Two arrays hold the same numbers in another order. How far apart are their averages?", distance=lambda self, a, b: abs(a.mean() - b.mean()), scale=lambda self, a, b: max(abs(a.mean()), abs(b.mean()))),
    compares_norms=slip("You compare the lengths (norms) of the two arrays. A gradient that points elsewhere can be just as long.",
        "a and −a have the same norm. Subtract first, or measure first?", distance=lambda self, a, b: abs(_norm(a) - _norm(b)), scale=lambda self, a, b: max(_norm(a), _norm(b))),
    averages_the_differences=slip("You average the differences. One wrong entry among a thousand right ones all but disappears.",
        "Which single number of all the differences can't be watered down by the others?", distance=lambda self, a, b: np.abs(a - b).mean()),
    averages_with_the_sign=slip("You average a − b with its sign: entries that are too large and too small cancel out.",
        "What is the mean of −5 and 5? And how far apart are the two arrays there?", distance=lambda self, a, b: (a - b).mean()),
    adds_the_differences_up=slip("You add the differences up, so a large array looks worse than a small one with the same mistake.",
        "Which single number of all the differences doesn't depend on how many there are?", distance=lambda self, a, b: np.abs(a - b).sum()),
    forgets_the_sign=slip("You take the largest of a − b with its sign, so an entry that is far too small counts for less than one that is a little too large.",
        "What is the largest of the numbers −5, −3 and 0?", distance=lambda self, a, b: (a - b).max()),
    scale_with_sign=slip("You divide by the largest entry, not by the largest size of an entry: −5 counts for less than 1.",
        _SIGNS, scale=lambda self, a, b: max(a.max(), b.max())),
    scale_with_sign_of_a=slip("You take the largest entry of a, not the largest size of an entry: −5 counts for less than 1.",
        _SIGNS, scale=lambda self, a, b: max(a.max(), _largest(b))),
    scale_with_sign_of_b=slip("You take the largest entry of b, not the largest size of an entry: −5 counts for less than 1.",
        _SIGNS, scale=lambda self, a, b: max(_largest(a), b.max())),
    not_relative=slip("You return the difference itself. Whether that is much or little, nobody can tell.",
        "A difference of 0.001: is that good for gradients around 1? And for gradients around 0.0001?", scale=lambda self, a, b: 1),
    entry_by_entry=slip("You measure each entry against itself. Then the rounding in an entry that is almost 0 raises an alarm.",
        "Against what must a difference be small: its own entry, or the whole gradient?", __call__=_each_against(np.maximum)),
    entry_by_entry_sum=slip("You measure each entry against itself, as |a| + |b|. That is in use elsewhere; but there the rounding in an entry that is almost 0 raises an alarm.",
        "Against what must a difference be small: its own entry, or the whole gradient?", __call__=_each_against(np.add)),
    entry_by_entry_sum_with_a_floor=slip("You measure each entry against itself, as |a| + |b|, or 1e-8 where that is less. That is in use elsewhere; here the largest entry of all is asked for.",
        "The formula has three max in it. Over what does each of them run?", __call__=_each_against(lambda a, b: np.maximum(1e-8, a + b))),
    entry_by_entry_with_a_floor=slip("You measure each entry against itself, or against 1e-8 where it is less.",
        "The formula has three max in it. Over what does each of them run?", __call__=_each_against(lambda a, b: np.maximum(1e-8, np.maximum(a, b)))),
    sizes_before_difference=slip("You take the size of the entries before you subtract, so 3 and −3 count as equal.",
        "A gradient that points the wrong way: what error should it have, and what does it get?", distance=lambda self, a, b: _largest(np.abs(a) - np.abs(b))),
    difference_of_the_largest=slip("You compare the largest entry of a with the largest of b, wherever the two stand.",
        "The same numbers in another order: what error should they have, and what do they get?", distance=lambda self, a, b: abs(a.max() - b.max())),
    scale_of_both=slip("You divide by the sum of the two largest entries, so every error looks about half as large.",
        "The formula divides by one of the two. By which?", scale=lambda self, a, b: _largest(a) + _largest(b)),
    scale_of_a=slip("You divide by the largest entry of a alone.",
        "a and b play the same part here: what comes out when you swap them?", scale=lambda self, a, b: _largest(a)),
    scale_of_b=slip("You divide by the largest entry of b alone.",
        "a and b play the same part here: what comes out when you swap them?", scale=lambda self, a, b: _largest(b)),
    scale_of_the_sum=slip("You divide by the largest size in a + b: where the two have opposite signs, that is next to nothing.",
        "The formula asks for the largest size in a, and for that in b. At which place does either look at the other?", scale=lambda self, a, b: _largest(a + b)),
    smaller_scale=slip("You divide by the smaller one of the two largest entries.",
        "With which of the two can the error never be more than 2?", scale=lambda self, a, b: min(_largest(a), _largest(b))),
    with_norms=slip("You measure with norms: the root of the sum of squares. In a large array one wrong entry all but disappears there.",
        "Which single number of all the differences can't be watered down by the others?", distance=lambda self, a, b: _norm(a - b), scale=lambda self, a, b: max(_norm(a), _norm(b))),
    with_norms_and_their_sum=slip("You measure with norms, and divide by their sum. In a large array one wrong entry all but disappears there.",
        "Which single number of all the differences can't be watered down by the others?", distance=lambda self, a, b: _norm(a - b), scale=lambda self, a, b: _norm(a) + _norm(b)),
)

# ---------------------------------------------------------------------------- … where nothing can agree


class _Refusing(Formula):
    def __call__(self, a, b):
        if self.misfit(a, b) or self.broken(np.isnan(a).any(), np.isnan(b).any()):
            return np.inf
        return self.compared(a, b)

    def misfit(self, a, b): return a.shape != b.shape
    def broken(self, a, b): return a or b
    def compared(self, a, b): return _largest(a - b) / max(_largest(a), _largest(b))


def _ignoring_nan(self, a, b):
    scale = np.nanmax([np.nanmax(np.abs(a)), np.nanmax(np.abs(b))])
    return np.nanmax(np.abs(a - b)) / scale


def _replacing_nan(self, a, b): return _Refusing.compared(self, np.nan_to_num(a), np.nan_to_num(b))


mistakes(__name__, {"relative_error_refuses": _Refusing},
    stretches_shapes=slip("Arrays of different shapes pass for equal: NumPy stretches the one to the other's shape.",
        "What is the shape of a − b, when a is (3, 1) and b is (3,)?", misfit=lambda self, a, b: False),
    lets_nan_out=slip("With a NaN in an array, NaN comes out, and `if error > 1e-6` lets that pass.",
        "Is NaN larger than 1e-6? Is it smaller? Which error says that nothing agrees?", broken=lambda self, a, b: False),
    leaves_nan_out=slip("NaN is left out and the rest compared, so a gradient that is broken in one place passes.",
        "Would you train a network with a NaN in its weights?", broken=lambda self, a, b: False, compared=_ignoring_nan),
    looks_at_the_first_alone=slip("You look for a NaN in the first array only.", "Which of the two gradients may be the broken one?", broken=lambda self, a, b: a),
    looks_at_the_second_alone=slip("You look for a NaN in the second array only.", "Which of the two gradients may be the broken one?", broken=lambda self, a, b: b),
    looks_for_two=slip("You refuse a NaN only if both arrays have one.", "Which of the two gradients may be the broken one?", broken=lambda self, a, b: a and b),
    compares_the_sizes=slip("You compare how many entries there are, and not the shapes: (3, 1) and (3,) pass for equal.",
        "What is (a - b).shape when a is (3, 1) and b is (3,)?", misfit=lambda self, a, b: a.size != b.size),
    compares_the_axes=slip("You compare the number of axes, and not the shapes: (1, 4) and (3, 4) pass for equal.",
        "What is (a - b).shape when a is (1, 4) and b is (3, 4)?", misfit=lambda self, a, b: a.ndim != b.ndim),
    compares_the_first_axis=slip("You compare the lengths along the first axis only: len doesn't see the others.",
        "What is len(a) when a is (3, 1), and when it is (3,)?", misfit=lambda self, a, b: len(a) != len(b)),
    replaces_nan=slip("You put a number in place of each NaN and go on, so the broken gradient gets an ordinary error.",
        "Would you train a network with a NaN in its weights?", broken=lambda self, a, b: False, compared=_replacing_nan),
)

# ---------------------------------------------------------------------------- ReLU


class _ReLU(ReLU):
    def forward(self, x):
        self.x, self.y = x, super().forward(x)
        self.kept_y = self.kept(x)
        return self.kept_y

    def kept(self, x): return self.y
    def backward(self, dy): return self.heard(dy) * np.asarray(self.slopes(dy), dy.dtype)
    def heard(self, dy): return dy
    def slopes(self, dy): return self.mask


def _written_into(self, x):
    x[x < 0] = 0
    return x


def _dy_overwritten(self, dy):
    dy[~self.mask] = 0
    return dy


mistakes(__name__, {"relu_forward": _ReLU, "relu_backward": _ReLU},
    OverwritesX=slip("Your forward writes into x itself. Whoever gave it to you, and your own backward, finds it changed.",
        "Which of your lines writes, and into which array?", kept=_written_into),
)
mistakes(__name__, {"relu_forward": _ReLU},
    HandsOn=slip("Your forward hands x on as it came, negative numbers too.", "What does ReLU do to −2?", kept=lambda self, x: x),
    ThresholdAboveZero=slip("Numbers just above 0 don't get through: your threshold lies higher than 0.",
        "What does ReLU do to 0.0001? Which number do you compare x with?", kept=lambda self, x: np.where(x > x.dtype.type(1e-3), x, 0)),
    MaskForward=slip("You return 1 where x is positive and 0 elsewhere. That says which numbers pass, and not what they are.",
        "What does ReLU make of 3?", kept=lambda self, x: (x > 0).astype(x.dtype)),
    KeepsTheNegative=slip("You let the negative numbers through, and make the positive ones 0.",
        "What does ReLU do to −2, and to 3?", kept=lambda self, x: np.minimum(x, 0)),
    AbsoluteValue=slip("You take the size of each number: −2 becomes 2.", "What does ReLU do to −2?", kept=lambda self, x: np.abs(x)),
    Leaky=slip("You let a hundredth of the negative numbers through. That is the leaky ReLU.",
        "What does ReLU do to −2?", kept=lambda self, x: np.where(x > 0, x, x * x.dtype.type(0.01))),
    CutsAtOne=slip("Nothing larger than 1 gets through. ReLU has no ceiling.", "What does ReLU do to 3?", kept=lambda self, x: np.clip(x, 0, 1)),
    MaxOfTheBatch=slip("You take the largest number along axis 0. That is np.max; its second argument is an axis.",
        "np.max finds one number in an array. Which function takes the larger of two, entry by entry?", kept=lambda self, x: np.max(x, 0)),
    OnlyThePositive=slip("You return only the positive numbers, in one row. y has a number for each number of x.",
        "What does y hold where x is negative?", kept=lambda self, x: x[x > 0]),
)
mistakes(__name__, {"relu_backward": _ReLU},
    MaskAlone=slip("You return the slopes, 1 and 0, and what dy says is lost.",
        "Chain rule: backward hands on what was handed to it, times the slope. Where does dy come in?", heard=lambda self, dy: np.ones_like(dy)),
    HandsBack=slip("You hand dy on as it came, even to numbers that never got through.",
        "x was −2, so y was 0. If x grows by a little, what does y do?", slopes=lambda self, dy: 1),
    MasksByDy=slip("You let dy pass where dy is positive. What counts is whether x was.",
        "A gradient may well be negative. What did forward see at that place?", slopes=lambda self, dy: dy > 0),
    Guided=slip("You let dy pass where x was positive, which is right, but negative gradients are lost on top of that.",
        "A negative gradient says: the loss falls if this number grows. Whom does it concern?", heard=lambda self, dy: dy * (dy > 0)),
    TimesY=slip("You multiply dy by y, the number that came out. The chain rule asks for the slope.",
        "x was 3. If x grows by 1, by how much does y grow? And if x was 300?", slopes=lambda self, dy: self.y),
    TimesX=slip("You multiply dy by x, the number that came in. The chain rule asks for the slope.",
        "x was 3. If x grows by 1, by how much does y grow? And if x was −3?", slopes=lambda self, dy: self.x),
    ReturnsY=slip("You return y, what forward gave, and not a gradient.",
        "dx has x's shape, but whose numbers must it hold?", heard=lambda self, dy: np.ones_like(dy), slopes=lambda self, dy: self.y),
    WrongWayRound=slip("You let dy pass where x was negative, and stop it where x was positive.",
        "Which numbers got through in forward?", slopes=lambda self, dy: ~self.mask),
    LeakyBackward=slip("You let a hundredth of dy through where x was negative. That fits a leaky ReLU, and forward isn't one.",
        "x was −2, so y was 0. If x grows by a little, what does y do?", slopes=lambda self, dy: np.where(self.mask, 1, 0.01)),
    HalfAtZero=slip("At exactly 0 you hand back half of dy. The slope there is 0 or 1, as you like, but not between the two.",
        "What does your code make of an x of 0? np.sign(0) is 0, and np.heaviside(0, v) is v.", slopes=lambda self, dy: (np.sign(self.x) + 1) / 2),
    OnlyWherePositive=slip("You return dy only where x was positive, in one row. dx has a number for each number of x.",
        "What does dx hold where x was negative?", structure.after("dx", "shape", lambda layer, dx, N: dx[layer.mask])),
    SignOfX=slip("You put −dy where x was negative, as if forward had taken the absolute value.",
        "x was −2, so y was 0. If x grows by a little, what does y do?", slopes=lambda self, dy: np.where(self.mask, 1, -1)),
    OneWherePositive=slip("You return 1 where x was positive, and dy where it was not.",
        "np.where(mask, a, b) takes a where the mask is true, and b elsewhere. Which of the two should be dy, and what the other one?", backward=lambda self, dy: np.where(self.mask, 1, dy)),
    OverwritesDy=slip("You write into dy itself, so whoever handed it to you finds it changed.",
        "The same dy may go to a second layer, too. Which of your lines writes, and into which array?", backward=_dy_overwritten),
    ForgetsWhoWasNegative=slip("Your forward writes into x, and then backward asks that x which numbers were negative. By then none is, so all of dy passes.",
        "Which of your lines writes into an array that you were given?", kept=_written_into, slopes=lambda self, dy: 1),
    PilesUp=structure.piles_up("dx"),
    CutsTheGraph=structure.cuts_the_graph("ReLU has nothing to learn itself, and still the layers before it need their gradient."),
    KeepsTheFirstMask=structure.keeps_the_first("You keep what the first batch looked like, and use it for later ones.",
        "Which numbers got through is different in each batch. When does your layer write it down?"),
    KeepsWhileTheShapeStays=structure.keeps_while_the_shape_stays(),
    SharesItsMask=structure.shares_memory("What forward remembers", "ReLU"),
    DividesByTheBatch=structure.divided_by_the_batch("dx", "Does the slope of ReLU at one number depend on how many others there are?", "The gradient"),
    ReusesItsDx=structure.reuses("dx"),
    Minus=structure.minus("dx"),
)
