"""The checks: what they accept, what they refuse, and whether they name the mistake."""

import contextlib
import io
from functools import cache
from types import FunctionType

import numpy as np
import pytest
from hunts import with_expected
from thorough import ONE_IN

from cnnlib import check, layers, misconceptions
from cnnlib.check.engine import Comparison, attempt

CHECKS = [getattr(check, name) for name in check.__all__ if name[0].islower()]
COMPARISONS = [c for c in CHECKS if isinstance(c, Comparison)]
MUTANTS = [(c, broken) for c in COMPARISONS for broken in misconceptions.seen_by(c.name)]
# A mistake that can be made in several ways need not show in each.
OTHER_WAYS = [(c, broken) for c, broken in MUTANTS if broken.main is not broken]
MUTANTS = [(c, broken) for c, broken in MUTANTS if broken.main is broken]


@cache
def failure_of(c, broken):
    return c.failure(broken)


def flatten(**methods):
    """A Flatten with some methods replaced, as a learner would have written it."""
    return type("Flatten", (layers.Flatten,), methods)


def one_line(failure):
    """The message without its line breaks, its headline beginning in lower case."""
    sign, title, rest = str(failure).partition(": ")
    return " ".join(f"{sign}{title}{rest[:1].lower()}{rest[1:]}".split())


@pytest.mark.parametrize("c", COMPARISONS, ids=lambda c: c.name)
def test_the_reference_passes_and_prints_one_line_always_the_same(c, capsys):
    answer = c.reference
    if isinstance(answer, type):
        answer = type(answer.__name__, (answer,), {})
    else:
        answer = FunctionType(
            answer.__code__, answer.__globals__, answer.__name__, answer.__defaults__
        )
    c(answer)
    c(answer)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second == f"✓ {c.title}: {c.passes}"


@pytest.mark.parametrize("c", COMPARISONS, ids=lambda c: c.name)
def test_the_courses_own_is_no_answer(c):
    with pytest.raises(check.Failed, match="is the course's own"):
        c(c.reference)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("c", "broken"), MUTANTS, ids=[f"{c.name}-{b.__name__}" for c, b in MUTANTS]
)
def test_every_misconception_is_rejected_and_named_by_its_own_name(c, broken):
    failure = failure_of(c, broken)
    assert failure is not None, "passes the check"
    assert failure.misconception is broken, f"taken for {failure.misconception}"
    assert broken.says.split(". ")[0].rstrip(".") in " ".join(str(failure).split())
    assert " ".join(broken.hint.split()) in " ".join(str(failure).split())


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("c", "broken"),
    OTHER_WAYS,
    ids=[f"{c.name}-{b.__name__}-{b.way.__name__}" for c, b in OTHER_WAYS],
)
def test_where_a_misconception_shows_in_another_way_it_has_the_same_name(c, broken):
    failure = failure_of(c, broken)
    told = "" if failure is None else failure.misconception.says
    # A way that isn't right for ties itself is a second mistake, and told as well.
    assert told in ("", broken.says) or (broken.says in told and failure_of(c, broken.way))


def test_every_misconception_belongs_to_a_check():
    assert {broken for _, broken in MUTANTS} == set(misconceptions.every())


@pytest.mark.slow
def test_the_mutation_score(capsys):
    """The score is printed for people."""
    failures = [(c, broken, failure_of(c, broken)) for c, broken in MUTANTS]
    rejected = sum(failure is not None for *_, failure in failures)
    named = sum(failure and failure.misconception is broken for _, broken, failure in failures)
    with capsys.disabled():
        print(f"\nmutation score: {rejected} of {len(MUTANTS)} rejected, {named} named")
    assert rejected == named == len(MUTANTS)


RIGHT = {
    "copies": flatten(
        forward=lambda self, x: [
            setattr(self, "x", x),
            np.array([picture.flatten() for picture in x]),
        ][1],
        backward=lambda self, dy: np.array([row.reshape(self.x.shape[1:]) for row in dy]),
    ),
    "views": flatten(
        forward=lambda self, x: [setattr(self, "s", x.shape), x.reshape(x.shape[0], -1)][1],
        backward=lambda self, dy: dy.reshape(*self.s),
    ),
}


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_legal_variants_of_flatten_pass(right):
    assert check.flatten_forward.failure(right) is None
    assert check.flatten_backward.failure(right) is None


def test_what_a_learner_prints_stays_out_of_the_compared_line(capsys):
    def noisy(self, x):
        print("shape:", x.shape)
        return layers.Flatten.forward(self, x)

    check.flatten_forward(flatten(forward=noisy))
    assert capsys.readouterr().out.startswith("✓")


def test_what_a_learner_prints_is_shown_where_the_check_fails():
    def noisy(self, x):
        print("I am here")
        return x

    assert "I am here" in str(check.flatten_forward.failure(flatten(forward=noisy)))


def test_not_written_is_not_wrong():
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError

    failure = check.flatten_backward.failure(flatten(backward=backward))
    assert isinstance(failure, check.NotWritten)
    assert str(failure).startswith("○ Flatten.backward is not written yet.\n")
    failure = check.flatten_backward.failure(flatten(forward=forward))
    assert isinstance(failure, check.NotWritten)
    assert "Flatten.forward" in str(failure)


def test_an_exception_shows_the_learners_own_line():
    namespace = {"Base": layers.Flatten}
    source = (
        "class Flatten(Base):\n    def backward(self, dy):\n        return dy.reshape(7, -1, 11)\n"
    )
    import linecache

    linecache.cache["<answer>"] = (len(source), None, source.splitlines(keepends=True), "<answer>")
    exec(compile(source, "<answer>", "exec"), namespace)
    failure = check.flatten_backward.failure(namespace["Flatten"])
    assert isinstance(failure, check.Crashed)
    message = " ".join(str(failure).split())
    assert "ValueError: cannot reshape array" in message
    assert "return dy.reshape(7, -1, 11)" in message
    assert "line 3" in message
    assert "dy (2, 60)" in message
    assert "cnnlib" not in message


def test_a_missing_method_and_wrong_parameters_are_told():
    bare = type("Flatten", (), {"forward": lambda self, x: x.reshape(len(x), -1)})
    assert "has no backward" in str(check.flatten_backward.failure(bare))
    no_self = flatten(forward=lambda x: x.reshape(len(x), -1))
    assert "self" in str(check.flatten_forward.failure(no_self))


@pytest.mark.parametrize(
    "thing", [layers.Flatten(), None, 3, len], ids=["instance", "None", "number", "function"]
)
def test_something_else_than_the_class_is_refused_with_what_to_call(thing):
    with pytest.raises(check.Failed, match=r"call\s+check.flatten_forward\(Flatten\)"):
        check.flatten_forward(thing)


def test_a_layer_that_ends_the_program_fails_only_its_check():
    def leave(self, dy):
        raise SystemExit(0)

    assert isinstance(check.flatten_backward.failure(flatten(backward=leave)), check.Crashed)


def test_a_failure_in_a_notebook_shows_its_message_and_no_traceback():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        shell.run_cell(
            "from cnnlib import check, misconceptions\n"
            "check.flatten_backward(misconceptions.flatten.FortranBackward)"
        )
    shown = out.getvalue()
    assert "✗ Flatten.backward: You unflatten in Fortran order" in shown
    assert "Traceback" not in shown
    assert "engine.py" not in shown
    assert "Target and yours" in shown  # the picture's alternative text


# Mistakes that no misconception describes: the general diagnosis has to say something true of them.
def _loop(index):
    def backward(self, dy):
        _, C, H, W = self.x_shape
        dx = np.zeros(self.x_shape, dy.dtype)
        for c, h, w in np.ndindex(C, H, W):
            dx[:, c, h, w] = dy[:, index(c, h, w, C, H, W) % dy.shape[1]]
        return dx

    return backward


def _unflat(self, dy):
    return dy.reshape(self.x_shape)


WRONG_BACKWARD = {
    "the wrong sign": lambda self, dy: -_unflat(self, dy),
    "in reverse order": lambda self, dy: _unflat(self, dy)[::-1],
    "flipped along W": lambda self, dy: _unflat(self, dy)[..., ::-1],
    "flipped along H and W": lambda self, dy: np.rot90(_unflat(self, dy), 2, axes=(2, 3)),
    "dtype is float32, not float64": lambda self, dy: _unflat(self, dy).astype(np.float32),
    "dx is the same for every index along N": lambda self, dy: np.resize(dy[0], self.x_shape),
    "the decimal point is lost": lambda self, dy: _unflat(self, dy).astype(int),
    "N times too large": lambda self, dy: _unflat(self, dy) * len(dy),
    "the same for every index along C": lambda self, dy: (
        _unflat(self, dy).sum(axis=1, keepdims=True) + np.zeros(self.x_shape, dy.dtype)
    ),
    "moved by one place in the flat row": lambda self, dy: _unflat(self, np.roll(dy, 1, axis=1)),
    "returned a list": lambda self, dy: _unflat(self, dy).tolist(),
    "returned None": lambda self, dy: None,
    "wrong length along N": lambda self, dy: _unflat(self, dy).mean(axis=0, keepdims=True),
    "as if the axes came in the order (C, N, H, W)": lambda self, dy: dy.reshape(
        self.x_shape[1], self.x_shape[0], *self.x_shape[2:]
    ).swapaxes(0, 1),
    "only the shape of dx is wrong": lambda self, dy: _unflat(self, dy).squeeze(),
    "contains NaN": lambda self, dy: _unflat(self, dy) / 0 * 0,
    "occur more than once": _loop(lambda c, h, w, C, H, W: (c * H + h) * H + w),
    "the last index along W": lambda self, dy: np.where(
        np.arange(self.x_shape[3]) < self.x_shape[3] - 1, _unflat(self, dy), dy.dtype.type(0)
    ),
    "times what it should be": lambda self, dy: _unflat(self, dy) * dy.dtype.type(0.5),
    "too few axes": lambda self, dy: np.full_like(dy, 7),
}


@pytest.mark.parametrize(("phrase", "backward"), WRONG_BACKWARD.items(), ids=WRONG_BACKWARD)
def test_the_general_diagnosis_of_a_wrong_unflatten(phrase, backward):
    with np.errstate(all="ignore"):
        failure = check.flatten_backward.failure(flatten(backward=backward))
    assert failure.misconception is None
    assert phrase in one_line(failure)


WRONG_FORWARD = {
    "wrong length along D": lambda self, x: x.mean(axis=(2, 3)),
    "only the shape of y is wrong": lambda self, x: x.reshape(*x.shape[:2], -1),
    "as if the axes came in the order (N, H, W, C)": lambda self, x: x.ravel(order="K").reshape(
        len(x), -1
    ),
    "times what it should be": lambda self, x: x.reshape(len(x), -1) / x.dtype.type(255),
    "in reverse order": lambda self, x: x[::-1].reshape(len(x), -1),
    "is 0 everywhere": lambda self, x: np.zeros((len(x), x[0].size), x.dtype),
}


@pytest.mark.parametrize(("phrase", "forward"), WRONG_FORWARD.items(), ids=WRONG_FORWARD)
def test_the_general_diagnosis_of_a_wrong_flatten(phrase, forward):
    failure = check.flatten_forward.failure(flatten(forward=forward))
    assert failure.misconception is None
    assert phrase in one_line(failure)


@pytest.mark.parametrize("fill", [np.ones, np.zeros])
def test_a_mistake_is_named_in_whatever_float_it_comes(fill):
    failure = check.flatten_backward.failure(flatten(backward=lambda self, dy: fill(self.x_shape)))
    named = {np.ones: "DerivativeOfOne", np.zeros: "CutsTheGraph"}
    assert failure.misconception.__name__ == named[fill]


def test_a_backward_that_fits_a_wrong_forward_says_so():
    def forward(self, x):
        self.x_shape = x.shape
        return x[..., ::-1].reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.x_shape)[..., ::-1]

    failure = check.flatten_backward.failure(flatten(forward=forward, backward=backward))
    assert "Your backward is the derivative of your forward" in str(failure)


@pytest.mark.parametrize(
    ("answers", "phrase"),
    [
        (((1, 120), 19, (2, 0, 1)), "the batch is missing"),
        (((24,), 19, (2, 0, 1)), "the batch is missing"),
        ((24, 19, (2, 0, 1)), "not a tuple"),
        (((24, 5), 19, (2, 0, 1)), "in the other order"),
        (((5, 12), 19, (2, 0, 1)), "another one"),
        (((5, 24), 37, (2, 0, 1)), "row length is H"),
        (((5, 24), 4, (2, 0, 1)), "another column"),
        (((5, 24), (3, 19), (2, 0, 1)), "not a single whole number"),
        (((5, 24), 19.0, (2, 0, 1)), "not a single whole number"),
        (((5, 24), 19, (2, 1, 0)), "down the columns"),
        (((5, 24), 19, (0, 0, 0)), "another cell"),
        (((5, 24), 19, (3, 2, 0, 1)), "three numbers"),
        (((5, 24), 19, "there"), "three numbers"),
        ((5, 24), "three answers"),
        (None, "three answers"),
    ],
)
def test_a_wrong_prediction_is_told_without_the_right_one(answers, phrase):
    message = one_line(check.flatten_predictions.failure(lambda: answers))
    assert phrase in message
    assert "(5, 24)" not in message or "(5, 24)" in str(answers)
    assert "= 19" not in message or "19" in str(answers)
    assert "(2, 0, 1)" not in message


def _arrays(*shapes):
    """Different whole numbers in each array."""
    rng = np.random.default_rng(0)
    return tuple(rng.permutation(np.prod(shape)).reshape(shape) + 1.0 for shape in shapes)


@pytest.mark.parametrize(
    ("hunt", "arrays", "phrase"),
    [
        (check.flatten_hunt_1, _arrays((1, 1, 2, 2), (1, 4)), "passes your test"),
        (check.flatten_hunt_1, _arrays((1, 1, 2, 3), (1, 5)), "not even a right layer"),
        (check.flatten_hunt_1, (None, None, None), "asked for: x, dy, expected"),
        (check.flatten_hunt_1, _arrays((1, 1, 2, 3)), "asked for: x, dy, expected"),
        (check.flatten_hunt_2, (np.ones((1, 1, 2, 3)), np.ones((1, 6))), "passes your test"),
        (check.flatten_hunt_2, _arrays((1, 1, 2, 2), (1, 4)), "blame the innocent"),
        (check.flatten_hunt_3, _arrays((3, 1, 1, 2), (3, 1, 1, 2), (3, 2)), "passes your test"),
    ],
)
def test_a_witness_that_shows_nothing_is_refused(hunt, arrays, phrase):
    message = one_line(hunt.failure(lambda: with_expected(hunt, arrays)))
    assert phrase in message


@pytest.mark.parametrize(
    ("arrays", "phrase"),
    [
        (_arrays((2, 1, 2, 3), (2, 6)), "x has 12 numbers"),
        ((np.zeros((1, 1, 2, 3)), np.arange(6.0).reshape(1, 6) / 2), "dy holds 0.5"),
        ((np.zeros((1, 1, 2, 3)), 1001 * np.arange(6).reshape(1, 6)), "dy holds 1001"),
        ((np.zeros((1, 2, 3)), np.arange(6.0).reshape(1, 6)), "x needs the axes (N, C, H, W)"),
        ((np.zeros((1, 1, 0, 3)), np.zeros((1, 0))), "empty array"),
        ((np.zeros((1, 1, 2, 3)), [[1, 2], [3]]), "asked for: x, dy"),
    ],
)
def test_a_hunt_is_for_few_small_whole_numbers_in_the_right_axes(arrays, phrase):
    assert phrase in one_line(check.flatten_hunt_1.failure(lambda: (*arrays, 0)))


def test_a_hunt_takes_lists():
    witness = [[[[0, 0, 0]]]], [[0, 0, 0]], [[[[0, 0, 0]]]]
    assert check.flatten_hunt_1.failure(lambda: witness) is None


@pytest.mark.parametrize(
    ("hunt", "arrays", "phrase"),
    [
        (check.conv_hunt_3, (np.zeros((1, 1, 2, 3)), *_arrays((1, 1, 1, 2))), "Your x hides it"),
        (check.flatten_hunt_2, (np.ones((1, 1, 2, 2)), np.ones((1, 4))), "numbers are 1."),
        (check.flatten_hunt_1, _arrays((1, 1, 2, 2), (1, 4)), "have your arrays in common"),
        (check.pool_hunt_2, _arrays((1, 1, 2, 2), (1, 1, 1, 1)), "have your arrays in common"),
        (check.pool_hunt_2, (np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 1, 1))), "Your dy hides it"),
    ],
)
def test_the_hint_after_a_miss_names_the_array_whose_numbers_hide_the_mistake(hunt, arrays, phrase):
    assert phrase in one_line(hunt.failure(lambda: with_expected(hunt, arrays)))


def test_a_patient_that_stops_for_another_reason_wins_no_hunt():
    class Stops(layers.Flatten):
        def backward(self, dy):
            raise ValueError("out of order")

    hunted = check.flatten_hunt_1
    other = type(hunted)(
        hunted.script,
        "hunt",
        "",
        Stops,
        layers.Flatten,
        ("x", "dy"),
        hunted.axes,
        stops=False,
        closest=None,
    )
    message = one_line(other.failure(lambda: with_expected(other, _arrays((1, 1, 2, 3), (1, 6)))))
    assert "not because of the mistake" in message and "out of order" in message


def test_a_patient_does_not_give_itself_away():
    for hunt in (check.flatten_hunt_1, check.flatten_hunt_2, check.flatten_hunt_3):
        assert hunt.patient.__name__ == "Patient"
        assert repr(hunt.patient()) == "Patient()"


def test_a_layer_that_hands_out_the_same_memory_twice_is_refused():
    class ReLU(layers.ReLU):
        memory = None

        def backward(self, dy):
            if self.memory is None or self.memory.shape != dy.shape:
                self.memory = np.empty_like(dy)
            self.memory[:] = super().backward(dy)
            return self.memory

    assert "dx is read after then_dy came" in one_line(check.relu_backward.failure(ReLU))


@pytest.mark.parametrize(
    "checks",
    [
        "conv_forward conv_dW conv_db conv_dx",
        "dense_forward dense_dW dense_db dense_dx",
        "maxpool_forward maxpool_backward avgpool_forward avgpool_backward",
    ],
)
def test_most_named_mistakes_are_shown_on_numbers_to_follow_by_hand(checks):
    by_hand = elsewhere = 0
    for name in checks.split():
        for wrong in misconceptions.named_by(name)[::ONE_IN]:
            facts = getattr(check, name).failure(wrong).facts
            if "expected" in facts:
                numbers = any(
                    line.startswith("x") and " = " in line
                    for line in facts["where"].split("\n")[1:]
                )
                by_hand, elsewhere = by_hand + numbers, elsewhere + (not numbers)
    # What a layer keeps, shares or writes over shows in a second batch, which takes more numbers.
    assert by_hand > 5 * elsewhere


def test_a_case_to_follow_by_hand_judges_nobody_and_is_right_for_the_right():
    for each in Comparison.every:
        for case in each.shown():
            assert case not in each.cases()
            assert attempt(case, each.reference).error is None
