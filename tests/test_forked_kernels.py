"""What runs the notebooks here, where they are not run in continuous integration."""

import os
import select

import pytest
from forked_kernels import Forks
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.skipif(not Forks.available, reason="no forks here")


@pytest.fixture
def forks(monkeypatch):
    # A process with threads can't be forked, and a machine may ask for as many as it has processors.
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    forks = Forks()
    yield forks
    forks.close()


def printed(*cells: str) -> str:
    nb = NotebookClient(new_notebook(cells=list(map(new_code_cell, cells)))).execute()
    return "".join(output.text for cell in nb.cells for output in cell.outputs)


def test_a_kernel_finds_nothing_of_the_one_before(forks):
    printed("import cnnlib.plots", "x = 1; cnnlib.plots.show = None; import os; os.chdir('/')")
    told = printed("import os, cnnlib.plots as p; print('x' in dir(), p.show is None, os.getcwd())")
    assert told == f"False False {os.getcwd()}\n"


@pytest.mark.slow
def test_a_kernel_that_nobody_stops_ends_with_the_tests(forks, tmp_path):
    file = tmp_path / "connection.json"
    process = forks(["python", "-m", "ipykernel_launcher", "-f", str(file)], cwd=tmp_path, env={})
    assert process.poll() is None
    forks.close()
    assert process.poll() is not None


def test_what_is_no_python_kernel_is_started_as_ever(forks):
    with forks(["true"], stdout=-1) as process:
        assert select.select([process.stdout], [], [], 60)[0]
    assert forks.parent is None and process.returncode == 0
