"""Bug hunts are won by thinking: what every hunt has in common."""

import ast
from functools import partial
from itertools import product
from math import prod

import numpy as np
import pytest
from hunts import with_expected

from cnnlib import check, notebooks
from cnnlib.check.hunt import MOST

COURSE = notebooks.find_course(__file__)
HUNTS = [name for name in check.__all__ if "hunt" in name]


def worked_witness(name: str) -> tuple[np.ndarray, ...]:
    """What the solution of a hunt returns."""
    for path in notebooks.files(COURSE.solutions):
        cells = [c for c in notebooks.read(path).cells if c.cell_type == "code"]
        for n, cell in enumerate(cells):
            if cell.source.startswith(f"check.{name}("):
                answer = next(c for c in reversed(cells[:n]) if notebooks.is_answer(c))
                (function,) = ast.parse(answer.source).body
                namespace = {"np": np}
                exec(answer.source, namespace)
                return namespace[function.name]()
    raise LookupError(name)


@pytest.mark.sampled
@pytest.mark.parametrize("name", HUNTS)
def test_random_numbers_win_no_hunt(name):
    """Not even in arrays of a shape that can show the mistake, and with the right result beside them."""
    hunt, rng, wins = getattr(check, name), np.random.default_rng(0), 0
    shapes = [np.shape(array) for array in worked_witness(name)[:-1]]
    if name == "relu_hunt":
        shapes = [(6,)] * 2
    for _ in range(40):
        arrays = [rng.integers(-1000, 1001, shape).astype(float) for shape in shapes]
        inputs = dict(zip(hunt.names, arrays, strict=True))
        if "labels" in inputs:
            N, K = inputs["logits"].shape
            inputs["labels"] = rng.integers(K, size=N).astype(float)
        wins += hunt.failure(partial(with_expected, hunt, tuple(inputs.values()))) is None
    assert wins <= 4


def drawn_shape(rng, axes: int) -> tuple[int, ...]:
    """A shape of at most six numbers, each as likely as any other."""
    shapes = [s for s in product(range(1, MOST + 1), repeat=axes) if prod(s) <= MOST]
    return shapes[rng.integers(len(shapes))]


@pytest.mark.sampled
@pytest.mark.parametrize("name", HUNTS)
def test_zeros_in_arrays_of_random_shape_win_no_hunt(name):
    """Where a shape shows the mistake, one still has to know what the right layer gives for it."""
    hunt, rng = getattr(check, name), np.random.default_rng(0)
    axes = [np.ndim(array) for array in worked_witness(name)]
    for _ in range(60):
        arrays = [np.zeros(drawn_shape(rng, n)) for n in axes]
        assert hunt.failure(partial(tuple, arrays)) is not None


@pytest.mark.parametrize("name", HUNTS)
def test_what_the_patient_gives_can_not_be_expected(name):
    hunt, (*arrays, _) = getattr(check, name), worked_witness(name)
    inputs = {n: np.asarray(a, float) for n, a in zip(hunt.names, arrays, strict=True)}
    _, _, patient = hunt._run(inputs)
    if patient.error is None and np.isfinite(patient.value).all():
        failure = hunt.failure(lambda: (*arrays, patient.value))
        assert "blame the innocent" in " ".join(str(failure).split())


def test_three_decimals_are_enough():
    *arrays, expected = worked_witness("dense_hunt_3")
    assert check.dense_hunt_3.failure(lambda: (*arrays, np.round(expected, 3))) is None
    assert check.dense_hunt_3.failure(lambda: (*arrays, np.round(expected, 2))) is not None


def test_a_number_may_be_expected():
    logits, labels, _ = worked_witness("dense_hunt_2")
    for half_of_ln_2 in (0.347, np.float32(0.3466), np.array(0.347)):
        assert check.dense_hunt_2.failure(lambda e=half_of_ln_2: (logits, labels, e)) is None
    assert check.dense_hunt_2.failure(lambda: (logits, labels, 0.35)) is not None


@pytest.mark.parametrize("split", [[1, 0, 0, 0], [0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25]])
def test_where_pixels_tie_any_split_may_be_expected(split):
    x, dy = np.zeros((1, 1, 2, 2)), np.ones((1, 1, 1, 1))
    expected = np.reshape(split, x.shape)
    assert check.pool_hunt_2.failure(lambda: (x, dy, expected)) is None
    assert check.pool_hunt_2.failure(lambda: (x, dy, 2 * expected)) is not None


@pytest.mark.parametrize("name", HUNTS)
def test_each_number_of_a_worked_answer_is_needed(name):
    """With 0 in place of any of them the patient gets away."""
    hunt, (*arrays, _) = getattr(check, name), worked_witness(name)
    inputs = {n: np.asarray(a, float) for n, a in zip(hunt.names, arrays, strict=True)}
    assert hunt._caught(inputs)
    assert not list(hunt._not_needed(inputs))


def test_a_number_that_is_not_needed_is_pointed_at():
    witness = np.array([[-1.0, 2.0]]), np.array([[3.0, -1.0]]), np.array([[0.0, -1.0]])
    message = " ".join(str(check.relu_hunt.failure(lambda: witness)).split())
    assert "not every one of your numbers is needed" in message
    assert "0 in place of x[0, 0] = -1" in message


def test_the_shapes_or_the_numbers_are_what_hides_a_mistake():
    square = np.zeros((1, 1, 2, 2)), np.ones((1, 4))
    failure = check.flatten_hunt_1.failure(lambda: with_expected(check.flatten_hunt_1, square))
    assert "show nothing either" in str(failure)
    zeros = np.zeros((1, 1, 2, 3)), np.zeros((1, 1, 1, 2))
    failure = check.conv_hunt_3.failure(lambda: with_expected(check.conv_hunt_3, zeros))
    assert "The shapes will do" in str(failure)
