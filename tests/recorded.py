"""What PyTorch computes, as tools/record_pytorch.py recorded it in pytorch.npz."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

RECORD = np.load(Path(__file__).with_name("pytorch.npz"))
PYTORCH = str(RECORD["pytorch"])
CASES = json.loads(str(RECORD["cases"]))
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}
LAYERS = {
    "conv": ("Conv2D", "kernel_size", "stride", "padding"),
    "maxpool": ("MaxPool2D", "kernel_size", "stride"),
    "avgpool": ("AvgPool2D", "kernel_size", "stride"),
    "flatten": ("Flatten",),
    "dense": ("Dense",),
    "relu": ("ReLU",),
}


def arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays of one case."""
    return {key.split("/")[1]: RECORD[key] for key in RECORD.files if key.startswith(f"{name}/")}


def each(*kinds: str):
    """Run a test once for each case of these kinds, as its parameter `case`."""
    chosen = {name: case for name, case in CASES.items() if case["kind"] in kinds}
    cases = [SimpleNamespace(name=name, **arrays(name), settings=s) for name, s in chosen.items()]
    return pytest.mark.parametrize("case", cases, ids=list(chosen))


def build(module, case):
    """The layer of a case from `layers` or `fast`, with the recorded weights in float64."""
    name, *settings = LAYERS[case.settings["kind"]]
    given = {key: case.settings[key] for key in settings}
    for key in ("kernel_size", "stride"):
        if isinstance(given.get(key), list):
            given[key] = tuple(given[key])
    sizes = {"Conv2D": lambda W: W.shape[1::-1], "Dense": lambda W: W.shape}
    layer = getattr(module, name)(*(sizes[name](case.W) if name in sizes else ()), **given)
    if name in sizes:
        layer.W, layer.b = case.W.copy(), case.b.copy()
    return layer


def assert_near(got, expected, dtype):
    """Shape, dtype and every element, to what this dtype can hold."""
    assert got.shape == expected.shape
    assert got.dtype == dtype
    tolerance = TOLERANCE[dtype] * np.abs(expected).max(initial=0)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def walk(layer, case, dtype):
    """Walk there and back with arrays that nobody may write to, and compare with the record."""
    weights = [name for name in ("W", "b") if hasattr(case, name)]
    x, dy = case.x.astype(dtype), case.dy.astype(dtype)
    guarded = [x, dy, *(getattr(layer, name) for name in weights)]
    before = [array.copy() for array in guarded]
    for array in guarded:
        array.flags.writeable = False
    assert_near(layer.forward(x), case.y, dtype)
    assert_near(layer.backward(dy), case.dx, dtype)
    for name in weights:
        assert_near(getattr(layer, f"d{name}"), getattr(case, f"d{name}"), dtype)
    for array, copy in zip(guarded, before, strict=True):
        np.testing.assert_array_equal(array, copy)
