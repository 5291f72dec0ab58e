"""The explorers of the reader's own arrays: true, readable, alive without a kernel, clear in refusing."""

import doctest
import re

import numpy as np
import pytest
from picture import Read

from cnnlib import explorers, layers
from cnnlib.explorers import own, states

RNG = np.random.default_rng(3)
X, KERNEL = RNG.normal(size=(1, 1, 5, 4)), RNG.normal(size=(1, 1, 2, 3))
WHOLE = RNG.integers(-9, 10, (5, 7))


def words(picture):
    return [text.words.replace("\u00a0", " ") for text in Read(picture.svg).texts]


def shown(picture):
    return {text.pick: text.words for text in Read(picture.svg).texts if text.pick}


def pictures(bundle):
    """Every picture that travels with the page."""
    packed = re.search(r'<script type="text/plain">(.*?)</script>', bundle["text/html"])[1]
    return list(states.pictures(packed))


def test_the_examples_run():
    assert doctest.testmod(own).failed == doctest.testmod(states).failed == 0


CASES = {
    "forward, floats": lambda: explorers.conv_forward(x=X, W=KERNEL),
    "forward, a picture alone": lambda: explorers.conv_forward(x=WHOLE, kernel="sum", stride=2),
    "forward, padded": lambda: explorers.conv_forward(x=np.eye(3), W=np.ones((5, 5)), padding=2),
    "forward, as large as can be": lambda: explorers.conv_forward(x=RNG.normal(size=(8, 8))),
    "backward, floats": lambda: explorers.conv_backward(x=X, W=KERNEL),
    "backward, one row": lambda: explorers.conv_backward(x=[[1, 2, 3]], W=[[1, 2]], dy=[[1, -1]]),
    "backward, a pixel": lambda: explorers.conv_backward(x=[[2]], W=[[3]]),
    "backward, padded": lambda: explorers.conv_backward(x=WHOLE, W=np.eye(2), padding=1, stride=2),
    "backward, as large as can be": lambda: explorers.conv_backward(x=RNG.normal(size=(8, 8))),
    "dense": lambda: explorers.dense(x=RNG.normal(size=(4, 7)), W=RNG.normal(size=(7, 4))),
    "dense, tiny": lambda: explorers.dense(x=[[1]], W=[[-2]], b=[0.25], dy=[[3]], way="dW"),
    "dense, inputs alone": lambda: explorers.dense(x=RNG.normal(size=(3, 4)) * 1e-5),
    "pool": lambda: explorers.pool(0, x=RNG.normal(size=(1, 1, 8, 8))),
    "pool, average": lambda: explorers.pool(0, "average", (3, 2), x=np.ones((3, 5))),
    "flatten": lambda: explorers.flatten(0, x=RNG.normal(size=(1, 2, 3, 4)), backward="F"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", CASES)
def test_each_picture_of_ones_own_arrays_reads_well_and_travels(name):
    explorer = CASES[name]()
    bundle = explorer._repr_mimebundle_()
    documents = pictures(bundle)
    assert explorer.picture.svg in documents
    for document in documents[::6]:
        assert Read(document).problems() == []
    sizes = {re.search(r' width="\S+" height="\S+"', document)[0] for document in documents}
    assert len(sizes) == 1  # nothing jumps
    assert sum(map(len, bundle.values())) < 300_000


def test_the_numbers_of_a_convolution_are_the_readers():
    layer = layers.Conv2D(1, 1, (2, 3), stride=2, padding=1)
    layer.W = KERNEL
    y = layer.forward(X)
    dy = RNG.integers(1, 9, y.shape)
    dx = layer.backward(dy)

    explorer = explorers.conv_forward(3, stride=2, padding=1, x=X, W=KERNEL)
    assert float(shown(explorer.picture)["position=3"]) == pytest.approx(y.flat[3], rel=0.005)
    explorer = explorers.conv_backward(6, stride=2, padding=1, x=X, W=KERNEL, dy=dy)
    cells = shown(explorer.picture)
    for place, value in enumerate(dx.flat):
        assert float(cells[f"position={place}"]) == pytest.approx(value, rel=0.005)
    explorer.codes = {"position": 20 + 4}  # W[1, 1]
    said = re.match(r".*dW\[1, 1\] = (\S+)\. ", explorer.picture.alt)[1]
    assert float(said) == pytest.approx(layer.dW[0, 0, 1, 1], rel=0.005)


def test_a_kernel_draws_strides_that_do_not_travel():
    explorer = explorers.conv_backward(x=WHOLE, W=np.eye(2))
    explorer.codes = {**explorer.codes, "stride": "2", "padding": "1"}
    assert "stride 2, padding 1" in explorer.picture.alt
    assert len(pictures(explorer._repr_mimebundle_())) == 5 * 7 + 4 + 1 + 4 * 6


def test_what_is_shown_stays_what_it_was():
    for name, explorer in (("conv_backward", "dx[0, 0]"), ("conv_forward", "y[0, 0]")):
        x = np.eye(4)
        mine = getattr(explorers, name)(0, x=x)
        before = mine.picture.alt
        x[:] = 7
        mine.codes = {**mine.codes, "position": 1}
        mine.codes = {**mine.codes, "position": 0}
        assert mine.picture.alt == before and explorer in before


@pytest.mark.parametrize(
    ("name", "given", "error", "message"),
    [
        ("conv_backward", {"x": np.ones((2, 3, 8, 8))}, ValueError, r"give x\[0, 0\]"),
        ("conv_backward", {"x": np.ones((28, 28))}, ValueError, r"at most 8 rows.*x\[:8, :8\]"),
        ("conv_forward", {"x": np.ones((1, 1, 9, 9))}, ValueError, r"such as x\[0, 0, :8, :8\]"),
        ("conv_forward", {"x": np.ones(5)}, ValueError, r"shape \(5,\)"),
        ("conv_forward", {"x": np.ones((0, 5))}, ValueError, "nothing to show"),
        ("conv_forward", {"x": [["a", "b"]]}, TypeError, "x holds .*must hold real numbers"),
        ("conv_forward", {"x": [[1, 2], [3]]}, TypeError, "x holds object"),
        ("conv_forward", {"x": [[1, np.nan]]}, ValueError, r"x\[0, 1\] is nan"),
        ("conv_forward", {"x": np.ones((3, 3)) * 1j}, TypeError, "complex"),
        ("conv_forward", {"x": np.eye(2)}, ValueError, "no window fits: W is 3×3, and x is 2×2"),
        ("conv_backward", {"W": np.ones((8, 3, 3, 3))}, ValueError, r"one kernel.*W\[0, 0\]"),
        ("conv_backward", {"dy": np.ones((2, 2))}, ValueError, "dy is 2×2.*y is 3×4"),
        ("conv_backward", {"x": np.eye(4), "stride": 4}, ValueError, "stride is 4"),
        ("dense", {"x": np.ones((2, 3))}, ValueError, "x is 2×3 and W 4×3"),
        ("dense", {"b": [1, 2]}, ValueError, r"b has shape \(2,\), but must be \(3,\)"),
        ("dense", {"W": 3.0}, ValueError, r"W has shape \(\)"),
        ("dense", {"x": np.ones((5, 4))}, ValueError, "at most 4 rows and 7 columns"),
        ("dense", {"dy": np.ones((2, 2))}, ValueError, "dy is 2×2, but y is 2×3"),
        ("pool", {"x": np.ones((1, 5))}, ValueError, "no window of 2×2 fits"),
        ("pool", {"x": np.ones((2, 1, 5, 5))}, ValueError, r"give x\[0, 0\]"),
        ("flatten", {"x": np.ones((8, 2, 3, 4))}, ValueError, r"\(C, H, W\): give x\[0\]"),
        ("flatten", {"x": np.ones((9, 9, 9))}, ValueError, "at most 60 cells"),
    ],
)
def test_an_array_that_cannot_be_shown_is_refused_in_words(name, given, error, message):
    for make in (getattr(explorers, name), getattr(explorers, name).draw):
        with pytest.raises(error, match=message) as refused:
            make(**given)
        assert str(refused.value).startswith(name)


def test_a_pool_of_ones_own_works_on_a_map_of_ones_own():
    class Mine(layers.MaxPool2D):
        pass

    explorer = explorers.pool(0, layers=(Mine, layers.AvgPool2D), x=np.eye(3))
    assert "x[0, 0] = 1 is in 1 window" in explorer.picture.alt
