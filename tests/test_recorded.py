"""The record of what PyTorch computes is still what it computes."""

import numpy as np
import pytest
import recorded


def test_the_record_says_which_pytorch_made_it():
    assert recorded.PYTORCH.count(".") == 2
    assert len(recorded.CASES) > 40


def test_the_record_has_not_drifted(monkeypatch):
    """Runs where PyTorch is installed: pip install -e '.[torch]'."""
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[torch]'")
    monkeypatch.syspath_prepend(str(recorded.Path(__file__).parents[1] / "tools"))
    import record_pytorch

    assert record_pytorch.cases() == recorded.CASES, "run tools/record_pytorch.py"
    for name, found in record_pytorch.compute().items():
        kept = recorded.arrays(name)
        assert kept.keys() == found.keys(), name
        for key, array in found.items():
            scale = np.abs(kept[key]).max(initial=1)
            np.testing.assert_allclose(
                array, kept[key], rtol=0, atol=1e-12 * scale, err_msg=f"{name}: {key}"
            )
