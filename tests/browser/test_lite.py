"""The course in JupyterLite, where Python itself runs in the browser: Pyodide, NumPy and all.

Run as `test_explorers.py` beside this file says, after `make lite` with a complete Pyodide in
`build/pyodide/`, so that no other host is needed.
"""

import functools
import http.server
import threading
import urllib.parse
from pathlib import Path

import nbformat
import pytest
from test_explorers import chromium, pytestmark, told, wait_for_words  # noqa: F401  fixtures

ROOT = Path(__file__).parents[2]
LITE = ROOT / "build/lite"
TRIED = "files/notebooks/04_flatten.ipynb"
ANSWERED = "files/exercises/04_flatten.ipynb"
CELLS = [
    "import numpy as np\nfrom cnnlib import check, explorers",
    "from cnnlib.mine import Flatten, so_far\n"
    "check.flatten_forward(Flatten)\ncheck.flatten_backward(Flatten)\nso_far('Flatten', 'Conv2D')",
    "explorers.conv_forward(x=np.arange(64).reshape(8, 8), W=np.ones((2, 2)))",  # needs the kernel
    "from cnnlib.misconceptions.flatten import FillsColumnByColumn\n"
    "check.flatten_backward(FillsColumnByColumn)",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])",
]


def overlay():
    """A notebook that tries it all, and an exercise that is done, in place of what lies there."""
    tried = nbformat.read(LITE / TRIED, 4)
    tried.cells = [tried.cells[0], *map(nbformat.v4.new_code_cell, CELLS)]
    solved = nbformat.read(ROOT / "solutions/04_flatten.ipynb", 4)
    return {TRIED: nbformat.writes(tried), ANSWERED: nbformat.writes(solved)}


class Overlaid(http.server.SimpleHTTPRequestHandler):
    """Gives what lies in the folder, and a few files in place of it."""

    def __init__(self, *arguments, files, **options):
        self.files = files
        super().__init__(*arguments, **options)

    def do_GET(self):
        text = self.files.get(urllib.parse.urlsplit(self.path).path.lstrip("/"))
        if text is None:
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def lite():
    """The address of JupyterLite."""
    if not (LITE / "static/pyodide/pyodide-lock.json").exists():
        pytest.skip(
            "build/lite has no Pyodide of its own: put a complete one into build/pyodide, run make lite"
        )
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Overlaid, directory=LITE, files=overlay())
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def page(lite, chromium, tmp_path_factory):  # noqa: F811
    """The notebook, run from the top."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.elsewhere = []
    page.context.on(
        "request",
        lambda r: (
            None if r.url.startswith((lite, "data:", "blob:")) else page.elsewhere.append(r.url)
        ),
    )
    page.goto(f"{lite}/lab/index.html?path=notebooks/04_flatten.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.get_by_text("| Idle").wait_for(state="attached", timeout=120_000)  # Python is there
    page.get_by_text("Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells").first.click()
    # It stops at the check that fails.
    page.locator(".jp-CodeCell").nth(4).get_by_text("hint").first.wait_for(timeout=120_000)
    page.screenshot(path=tmp_path_factory.mktemp("lite") / "lite.png")
    yield page
    page.close()


def said(page, cell):
    return page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea").first.inner_text()


def test_the_first_cell_installs_the_course_and_asks_no_other_host(page):
    assert page.elsewhere == []


def test_checks_judge_and_explain(page):
    message = said(page, 4)
    assert "✗ Flatten.backward: H and W are swapped" in message and "Traceback" not in message


def test_ones_own_layers_are_found(page):
    told_of = said(page, 2)
    assert "✓ Flatten.forward" in told_of and "✓ Flatten.backward" in told_of
    assert "Yours: Flatten." in told_of and "Conv2D" in told_of


def test_an_explorer_is_drawn_by_the_kernel_in_the_browser(page):
    page.locator(".cnnlib-explorer svg").scroll_into_view_if_needed()
    before = told(page)
    page.locator(".cnnlib-explorer input[type=range]").first.press("ArrowRight")
    wait_for_words(page, "y[0, 1]")
    assert told(page) != before


def test_matplotlib_draws(page):
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Control+Enter")
    page.locator(".jp-OutputArea-output img").wait_for(timeout=60_000)
