"""The benchmarks measure what they say: layers that compute the same, in programs that run."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cnnlib import datasets, fast, layers
from cnnlib.network import Sequential

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def from_their_folder(monkeypatch):
    """They import each other, and set how many threads BLAS may use."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    yield
    for name in ("loops", "networks", "training"):
        sys.modules.pop(name, None)


def test_the_loops_compute_what_the_layers_compute():
    import loops
    import networks

    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 1, 8, 8)), rng.normal(size=(2, 10))
    right = Sequential(networks.digits(layers, np.random.default_rng(1)))
    y, dx = right.forward(x), right.backward(dy)
    for kind in (loops.FourLoops, loops.SevenLoops):
        net = Sequential(networks.digits(kind, np.random.default_rng(1)))
        assert np.allclose(net.forward(x), y, atol=1e-5)
        assert np.allclose(net.backward(dy), dx, atol=1e-5)
        assert np.allclose(net.layers[0].dW, right.layers[0].dW, atol=1e-4)
        assert np.allclose(net.layers[0].db, right.layers[0].db, atol=1e-4)


def test_a_row_is_a_network_that_has_learnt(capsys):
    import networks
    import training

    options = {"seeds": [0], "epochs": 2, "peak": 5e-2}
    training.rows(networks.digits, {"fast": fast}, datasets.load_digits(), **options)
    row = capsys.readouterr().out.splitlines()[-1]
    name, epochs, peak, seed, score, _, _ = (part.strip() for part in row.strip(" |").split("|"))
    assert (name, epochs, peak, seed) == ("fast", "2", "0.05", "0")
    assert float(score) > 0.7


def test_without_the_full_set_it_says_how_to_fetch_it(monkeypatch, capsys, tmp_path):
    import training

    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["training.py", "full"])
    training.main()
    assert "cnnlib data fetch" in capsys.readouterr().out
