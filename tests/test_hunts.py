"""Bug hunts are won by thinking: what every hunt has in common."""

import ast
from functools import partial

import numpy as np
import pytest

from cnnlib import check, notebooks

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


@pytest.mark.parametrize("name", HUNTS)
def test_random_numbers_win_no_hunt(name):
    """Not even in arrays of a shape that can show the mistake."""
    hunt, rng, wins = getattr(check, name), np.random.default_rng(0), 0
    shapes = [np.shape(array) for array in worked_witness(name)]
    if name == "relu_hunt":
        shapes = [(6,)] * 3
    for _ in range(40):
        arrays = [rng.integers(-1000, 1001, shape).astype(float) for shape in shapes]
        inputs = dict(zip(hunt.names, arrays, strict=True))
        if "labels" in inputs:
            N, K = inputs["logits"].shape
            inputs["labels"] = rng.integers(K, size=N).astype(float)
        claim = inputs.pop("expected", None)
        if claim is not None:
            inputs["expected"] = hunt._run(inputs)[1].value
        wins += hunt.failure(partial(tuple, inputs.values())) is None
    assert wins <= 4


@pytest.mark.parametrize("name", HUNTS)
def test_each_number_of_a_worked_answer_is_needed(name):
    """With 0 in place of any of them the patient gets away."""
    hunt, arrays = getattr(check, name), worked_witness(name)
    inputs = dict(zip(hunt.names, arrays, strict=True))
    inputs.pop("expected", None)
    assert hunt._caught(inputs)
    for key, array in inputs.items():
        for place in np.argwhere(array).tolist():
            fewer = array.copy()
            fewer[tuple(place)] = 0
            assert not hunt._caught(inputs | {key: fewer})


def test_a_number_that_is_not_needed_is_pointed_at():
    witness = np.array([[-1.0, 2.0]]), np.array([[3.0, -1.0]]), np.array([[0.0, -1.0]])
    message = " ".join(str(check.relu_hunt.failure(lambda: witness)).split())
    assert "not every one of your numbers is needed" in message
    assert "0 in place of x[0, 0] = -1" in message


def test_the_shapes_or_the_numbers_are_what_hides_a_mistake():
    square = np.zeros((1, 1, 2, 2)), np.ones((1, 4))
    assert "show nothing either" in str(check.flatten_hunt_1.failure(lambda: square))
    zeros = np.zeros((1, 1, 2, 3)), np.zeros((1, 1, 1, 2))
    assert "The shapes will do" in str(check.conv_hunt_3.failure(lambda: zeros))
