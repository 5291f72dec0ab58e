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
    for name in ("loops", "networks", "report", "textbook", "training"):
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


def test_the_textbook_computes_what_the_layers_compute():
    import networks
    import textbook

    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 32, 32)), rng.normal(size=(2, 10))
    nets = [
        Sequential(networks.colour(module, np.random.default_rng(1)))
        for module in (layers, fast, textbook)
    ]
    (y, dx, dW), *others = [(net.forward(x), net.backward(dy), net.layers[2].dW) for net in nets]
    for got in others:
        for mine, right in zip(got, (y, dx, dW), strict=True):
            np.testing.assert_allclose(mine, right, atol=1e-9 * np.abs(right).max())


def test_what_is_said_of_speed_is_what_was_recorded():
    """The tables and the README's sentence; `python benchmarks/report.py` makes them anew."""
    import report

    results = report.load()
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    made = report.sections(results)
    assert {"steps", "layers"} <= set(made)
    for section in made.values():
        assert section in text
    assert report.written_into(text, made) == text
    readme = (BENCHMARKS.parent / "README.md").read_text(encoding="utf-8")
    assert report.sentence(results) in readme
    assert "docs/speed.svg" in readme
    for _, (file, draw) in report.PICTURES.items():
        assert (BENCHMARKS.parent / "docs" / file).exists()
        assert draw(results).axes
