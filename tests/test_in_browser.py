"""What a browser can't do is said in a sentence, and what it can do needs nothing that it lacks."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from test_packaging import ABSENT

from cnnlib import cli, datasets, errors, layers, losses, notebooks, optimizers, training

ROOT = Path(__file__).parents[1]
# No process can be started there, and no thread; these are not installed, or only in part.
STUBBED = """
import sys
for name in {missing!r}:
    sys.modules[name] = None
import numpy, threading, subprocess
sys.platform = "emscripten"
def refuse(*arguments, **options):
    raise RuntimeError("can't start new thread or process")
threading.Thread.start = subprocess.Popen.__init__ = refuse
"""


@pytest.fixture
def browser(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check"], "Run the check cells of the notebook instead"),
        (["grade", ".", "--out", "report"], "Install the course on a computer"),
        (["data", "fetch"], "load_fashion_mnist() has a part of it"),
    ],
)
def test_a_command_says_why_it_cannot_run(browser, monkeypatch, capsys, arguments, says):
    monkeypatch.delenv("CNNLIB_DATA", raising=False)
    assert cli.main(arguments) == 2
    told = capsys.readouterr().err
    assert says in told and "which a browser can't" in told and "Traceback" not in told


def test_the_full_data_set_says_what_is_there_instead(browser, monkeypatch, tmp_path):
    for folder in ("", str(tmp_path)):
        monkeypatch.setenv("CNNLIB_DATA", folder)
        with pytest.raises(errors.CourseError, match="has a part of it that is always there"):
            datasets.fetch()


def test_threads_are_refused_and_one_trains(browser):
    rng = np.random.default_rng(0)
    network = layers.Dense(2, 2, rng=rng)
    x, labels = np.ones((4, 2)), np.zeros(4, int)
    options = {
        "loss": losses.SoftmaxCrossEntropy(),
        "optimizer": optimizers.SGD(network, 0.1),
        "rng": rng,
        "progress": False,
    }
    with pytest.raises(ValueError, match="threads is 2, but a browser can't start any"):
        training.fit(network, x, labels, threads=2, **options)
    assert training.fit(network, x, labels, **options).losses


def test_checks_explorers_and_own_layers_work_as_in_a_browser(tmp_path):
    """A kernel with what a browser has: the core, checks, pictures, and the learner's own layers."""
    spec = importlib.util.spec_from_file_location("lite", ROOT / "tools/lite.py")
    lite = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lite)
    lite.CONTENTS = tmp_path
    lite.lay_out_notebooks()
    for path in notebooks.files(tmp_path / "solutions"):
        assert "BEGIN SOLUTION" not in path.read_text(encoding="utf-8"), "an answer would travel"
        assert nbformat.read(path, 4).cells[0].id == "install"
    answer = notebooks.read(ROOT / "solutions/04_flatten.ipynb")
    notebooks.write(tmp_path / "exercises/04_flatten.ipynb", answer)
    code = STUBBED.format(missing=ABSENT) + (
        "from cnnlib.mine import Flatten\n"
        "from cnnlib import check, explorers\n"
        "check.flatten_forward(Flatten)\n"
        "print(explorers.flatten.draw().alt[:15])\n"
        "try:\n    from cnnlib.mine import Conv2D\n"
        "except ImportError as error:\n    print(str(error).splitlines()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path / "notebooks"
    )
    assert done.stderr == ""
    right, picture, missing = done.stdout.splitlines()
    assert right.startswith("✓ Flatten.forward") and picture == "Flatten forward"
    assert missing.startswith("Conv2D is not finished")
