"""What runs beside a learner's code knows nothing of what is right."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cnnlib
from cnnlib import check, columns, layers, scripts
from cnnlib.check.engine import Comparison

MODULES = sorted(p.stem for p in Path(scripts.__file__).parent.glob("*.py") if p.stem != "__init__")
COMPARISONS = [c for c in vars(check).values() if isinstance(c, Comparison)]


def test_the_scripts_import_numpy_and_each_other_only():
    names = ", ".join(f"cnnlib.scripts.{name}" for name in MODULES)
    code = (
        f"import sys, {names}\n"
        "print(*sorted(m for m in sys.modules if m.startswith('cnnlib')))\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    home = str(Path(cnnlib.__file__).parent.parent)
    shown = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path[:] = {[*sys.path, home]}\n{code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    own, others = (line.split() for line in shown.splitlines())
    assert set(own) == {"cnnlib", "cnnlib.scripts", *(f"cnnlib.scripts.{m}" for m in MODULES)}
    assert {name for name in others if name in ("torch", "scipy", "matplotlib", "sklearn")} == set()


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda c: c.name)
def test_every_case_can_be_run_elsewhere(comparison):
    for case in comparison.cases():
        for run in (case.run, case.forward):
            assert run is None or isinstance(run, scripts.Script), case.where
            assert run is None or callable(run.function)


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda c: c.name)
def test_a_script_is_given_nothing_that_its_lesson_asks_for(comparison):
    home = comparison.reference.__module__
    for case in comparison.cases():
        assert home not in {f"cnnlib.{name}" for name in case.run.course}, case.where


def test_a_function_that_is_no_script_is_refused():
    with pytest.raises(ValueError, match=r"not in cnnlib\.scripts"):
        scripts.script(test_a_function_that_is_no_script_is_refused)


def half_written(right, parts, in_place):
    """A layer that has only some of dW, db, dx yet, and comes to `raise NotImplementedError` then."""

    class Half(right):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.dW = self.db = None

        def forward(self, x):
            if in_place:
                self.dW, self.db = np.zeros(self.W.shape, x.dtype), np.zeros(self.b.shape, x.dtype)
            return super().forward(x)

        def backward(self, dy):
            kept = self.dW, self.db
            super().backward(dy)
            for name, into in zip(("dW", "db"), kept, strict=True):
                result = getattr(self, name).copy()
                setattr(self, name, into)
                if name in parts and in_place:
                    into[...] = result
                elif name in parts:
                    setattr(self, name, result)
            raise NotImplementedError

    return Half


LAYERS = {"conv": layers.Conv2D, "dense": layers.Dense, "fast_conv": columns.FastConv2D}


@pytest.mark.parametrize("in_place", (True, False))
@pytest.mark.parametrize("parts", ((), ("dW",), ("db",), ("dW", "db")), ids="-".join)
@pytest.mark.parametrize("kind", LAYERS)
def test_a_gradient_counts_as_soon_as_it_is_there(kind, parts, in_place):
    half = half_written(LAYERS[kind], parts, in_place)
    for name in ("dW", "db", "dx"):
        failure = getattr(check, f"{kind}_{name}").failure(half)
        assert (failure is None) if name in parts else isinstance(failure, check.NotWritten)


@pytest.mark.parametrize("before", (np.full((3, 2), np.nan), [[0], [0, 0]], None), ids=repr)
def test_a_gradient_that_was_there_before_is_not_written_yet(before):
    """A NaN in it included, which is equal to nothing, not to itself either."""

    class Waits(layers.Dense):
        def forward(self, x):
            self.dW = before
            return super().forward(x)

        def backward(self, dy):
            raise NotImplementedError

    assert isinstance(check.dense_dW.failure(Waits), check.NotWritten)


def test_a_gradient_counts_though_another_ones_line_stops():
    class Stops(layers.Dense):
        def backward(self, dy):
            self.db = dy.sum(axis=0)
            self.dW = self.x @ dy

    assert check.dense_db.failure(Stops) is None
    assert isinstance(check.dense_dW.failure(Stops), check.Crashed)
