"""Running the course's notebooks so that running them again changes nothing."""

import importlib.util
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnnlib import notebooks

spec = importlib.util.spec_from_file_location(
    "execute", Path(__file__).parents[1] / "tools" / "execute.py"
)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

RESTLESS = """
import sys
print("one", flush=True)
print("two", flush=True)
print("careful", end="", file=sys.stderr)
"""
WIDGET = """
from IPython.display import display
import ipywidgets
display({"text/plain": "what it shows", "application/vnd.jupyter.widget-view+json": {
    "model_id": ipywidgets.IntSlider().model_id, "version_major": 2, "version_minor": 0}}, raw=True)
display({"application/vnd.jupyter.widget-view+json": {"model_id": "nobody's"}}, raw=True)
"""


def save(path, *sources, **metadata):
    nb = new_notebook(cells=[new_code_cell(s, id=f"c{i}") for i, s in enumerate(sources)])
    nb.metadata.update(metadata)
    notebooks.write(path, nb)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A notebook that tries to differ each time, after a first run; and that run's exit status."""
    path = tmp_path_factory.mktemp("lessons") / "restless.ipynb"
    (path.parent / "beside.txt").write_text("found")
    sources = (RESTLESS, "", "open('beside.txt').read()", WIDGET, "object()")
    save(path, *sources, widgets={"state": {}}, author="somebody")
    return path, tool.main([str(path)])


def test_outputs_are_saved_and_counted_from_one(ran):
    path, status = ran
    assert status == 0
    cells = notebooks.read(path).cells
    assert [c.execution_count for c in cells] == [1, None, 2, 3, 4]
    streams = {o.name: o.text for o in cells[0].outputs}
    assert streams == {"stdout": "one\ntwo\n", "stderr": "careful"}
    assert cells[2].outputs[0].data == {"text/plain": "'found'"}, "it runs in its own folder"
    assert cells[2].outputs[0].execution_count == 2


def test_what_only_the_running_kernel_could_use_is_not_saved(ran):
    nb = notebooks.read(ran[0])
    assert nb.metadata == notebooks.METADATA
    assert all(c.metadata == {} for c in nb.cells)
    assert not [o for c in nb.cells for o in c.outputs if tool.WIDGET in o.get("data", {})]
    assert [o.data for o in nb.cells[3].outputs] == [{"text/plain": "what it shows"}]


def test_running_again_gives_the_same_bytes_and_touches_nothing(ran, capsys):
    path, _ = ran
    nb = notebooks.read(path)
    del nb.cells[-1]  # object() shows its address
    notebooks.write(path, nb)
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert tool.main([str(path)]) == 0
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert "unchanged" in capsys.readouterr().out


def test_a_failing_cell_is_named_and_the_file_left_as_it_was(tmp_path, capsys):
    path = tmp_path / "fails.ipynb"
    save(path, "1", "1 / 0", "2")
    before = path.read_bytes()
    assert tool.main([str(path)]) == 1
    told = capsys.readouterr().err
    assert "fails.ipynb: cell 'c1' raised" in told and "ZeroDivisionError" in told
    assert path.read_bytes() == before


def test_a_notebook_over_one_megabyte_is_refused(tmp_path, capsys, monkeypatch):
    path = tmp_path / "large.ipynb"
    save(path, "print(9 * '123456789')")
    before = path.read_bytes()
    monkeypatch.setattr(tool, "LARGEST", 500)
    assert tool.main([str(path)]) == 1
    assert "large.ipynb would be" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_remarks_name_warnings_and_addresses():
    shown = new_output("execute_result", data={"text/plain": "<object at 0x7f3a12bc>"})
    warned = new_output("stream", name="stderr", text="RuntimeWarning: overflow\n")
    quiet = new_output("stream", name="stdout", text="fine\n")
    nb = new_notebook(
        cells=[
            new_markdown_cell("at 0x7f3a12bc"),
            new_code_cell(id="a", outputs=[shown]),
            new_code_cell(id="b", outputs=[quiet, warned]),
        ]
    )
    first, second = tool.remarks(nb)
    assert "'a' shows an address" in first
    assert "'b' writes to stderr: RuntimeWarning: overflow" in second
