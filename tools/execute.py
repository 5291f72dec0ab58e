"""Run the lessons and the solutions from the top, and save them with their outputs.

    python tools/execute.py                          all of them
    python tools/execute.py solutions/04_flatten.ipynb …   these

Each runs in a fresh kernel, in its own folder. What differs from one run to the next is not saved,
so running a notebook again changes nothing unless it computes something else. A notebook in which
a cell fails is left as it was.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from cnnlib import notebooks

CELL_SECONDS = 600
LARGEST = 1024 * 1024
WIDGET = "application/vnd.jupyter.widget-view+json"
# An explorer's place on the page is named after a widget that lives in the kernel.
NAME = re.compile(r'(?<=<cnnlib-explorer) name="\w+"')


class ExecutionError(Exception):
    """A notebook that can't be saved; the message names it, and the cell."""


def execute(path: Path) -> NotebookNode:
    """Run a notebook and return it as it is to be saved.

    Parameters
    ----------
    path : Path

    Returns
    -------
    NotebookNode

    Raises
    ------
    ExecutionError
        A cell raised, took too long or ended its kernel.
    """
    nb = notebooks.read(path)
    client = NotebookClient(
        nb,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise ExecutionError(f"{path}: {_failed(nb)} raised\n{error}") from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise ExecutionError(f"{path}: {error}") from None
    clean(nb)
    return nb


def clean(nb: NotebookNode) -> None:
    """Take out, in place, what only the kernel that just ran could use."""
    notebooks.tidy(nb)
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(WIDGET, None)
            if "text/html" in data:
                data["text/html"] = NAME.sub("", data["text/html"])
        if cell.cell_type == "code":
            cell["outputs"] = [output for output in cell.outputs if output.get("data") != {}]


def remarks(nb: NotebookNode) -> Iterator[str]:
    """What a maintainer should look at before they commit the notebook."""
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                yield f"cell '{cell.id}' writes to stderr: {output.text.strip()}"
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            if re.search(r"\bat 0x[0-9a-f]{6,}", text):
                yield f"cell '{cell.id}' shows an address, another one each time: {text.strip()}"


def _failed(nb: NotebookNode) -> str:
    """The last cell with an error in it: the one that stopped the notebook."""
    broken = [c for c in nb.cells if any(o.output_type == "error" for o in c.get("outputs", []))]
    return f"cell '{broken[-1].id}'"


def main(paths: list[str]) -> int:
    course = notebooks.find_course(Path(__file__).parent)
    every = notebooks.files(course.lessons) + notebooks.files(course.solutions)
    failures = 0
    for path in [Path(p).resolve() for p in paths] or every:
        start = time.perf_counter()
        try:
            nb = execute(path)
            size = len(notebooks.to_bytes(nb))
            if size > LARGEST:
                raise ExecutionError(f"{path} would be {size / LARGEST:.1f} MB; at most 1 MB")
            changed = notebooks.write(path, nb)
        except (ExecutionError, notebooks.NotebookError) as error:
            failures += 1
            print(f"✗ {error}", file=sys.stderr)
            continue
        seconds = time.perf_counter() - start
        print(
            f"✓ {os.path.relpath(path)} in {seconds:.1f} s, {'written' if changed else 'unchanged'}"
        )
        for remark in remarks(nb):
            print(f"  {remark}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
