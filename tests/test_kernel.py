"""A check that runs before the cells above it says what to run."""

import json
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cnnlib import kernel


@pytest.fixture
def shell(monkeypatch):
    shell = InteractiveShell()
    shown = []
    shell.reset()
    monkeypatch.setattr(shell, "_showtraceback", lambda kind, error, lines: shown.append(lines))
    kernel.load_ipython_extension(shell)

    def run(cell):
        shown.clear()
        shell.run_cell(cell, store_history=True)
        return "\n".join(line for lines in shown for line in lines)

    return run


def test_a_check_before_the_imports_says_what_to_run(shell):
    told = shell("check.flatten_backward(Flatten)")
    assert told.startswith("○ This check can't run yet: check is not defined.")
    assert "the first code cell" in told and "Run All Above" in told
    assert "Traceback" not in told


def test_a_check_before_its_answer_names_the_answer(shell):
    told = shell("from cnnlib import check\ncheck.flatten_backward(Flatten)")
    assert "Flatten is not defined" in told and "a cell above" in told


@pytest.mark.parametrize(
    "cell",
    [
        "print(undefined)",  # no check
        "def answer():\n    return undefined\n\nfrom cnnlib import check\ncheck.flat_index(answer())",
    ],
)
def test_any_other_unknown_name_keeps_its_traceback(shell, cell):
    told = shell(cell)
    assert "NameError" in told and "undefined" in told and "○" not in told


def test_kernels_are_told_to_load_it():
    path = Path(kernel.__file__).parent / "labextension/ipython_kernel_config.json"
    (name,) = json.loads(path.read_text())["InteractiveShellApp"]["extensions"]
    assert name == kernel.__name__
