"""What is installed serves whoever installs it, and what is missing is told."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import cnnlib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CORE = """
import pkgutil, sys, importlib
for name in {missing!r}:
    sys.modules[name] = None  # as if it were not installed
import cnnlib
for module in pkgutil.walk_packages(cnnlib.__path__, "cnnlib."):
    if not module.name.startswith("cnnlib.grading"):
        importlib.import_module(module.name)
"""
GRADING = ["nbval", "rich", "jinja2", "pytest", "ipykernel", "jupyter_client", "zmq", "tornado"]
ABSENT = [*GRADING, "psutil", "pooch", "torch", "hypothesis", "nbclient"]


def run(code: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT
    )


@pytest.mark.slow
def test_everything_but_grading_imports_without_the_extras():
    done = run(CORE.format(missing=ABSENT))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_check_runs_without_the_extras():
    done = run(
        CORE.format(missing=ABSENT)
        + "from cnnlib import check, layers\n"
        + "check.flatten_backward(type('Flatten', (layers.Flatten,), {}))"
    )
    assert done.stdout.startswith("✓ Flatten.backward"), done.stderr


COMMAND = """
import sys
for name in {missing!r}:
    sys.modules[name] = None
from cnnlib.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_command_says_what_installs_what_it_lacks(tmp_path):
    for arguments, missing, extra in [
        (["check", "04"], ["nbval", "rich", "pytest"], "grading"),
        (["grade", str(tmp_path), "--out", str(tmp_path / "out")], ["jinja2"], "grading"),
        (["data", "fetch"], ["pooch"], "data"),
    ]:
        done = run(COMMAND.format(missing=missing), *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert f"python -m pip install 'cnnlib[{extra}]'" in done.stderr
        assert any(f"needs {name}" in done.stderr for name in missing)


def test_the_version_is_one():
    done = subprocess.run(
        [sys.executable, "-m", "cnnlib", "--version"], capture_output=True, text=True
    )
    assert done.stdout == f"cnnlib {cnnlib.__version__}\n"
    assert version("cnnlib") == cnnlib.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {cnnlib.__version__}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(cnnlib.__version__)}\b", changes, re.MULTILINE)


def test_every_requirement_has_a_lower_bound_and_none_is_pinned():
    every = [*PROJECT["dependencies"], *(r for extra in EXTRAS.values() for r in extra)]
    for requirement in every:
        assert "==" not in requirement.partition(";")[0]
        assert ">=" in requirement or requirement.startswith("cnnlib["), requirement


def test_the_tests_need_no_pytorch():
    """It is the largest download by far; what it computes is recorded."""
    assert not any("torch" in requirement for requirement in EXTRAS["dev"])


def test_what_a_learner_gets_holds_the_checks_in_the_terminal():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "-e .[grading]" in lines
