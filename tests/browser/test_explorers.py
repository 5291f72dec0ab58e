"""The explorers in a real JupyterLab, in a real browser.

Run them by naming the folder, in an environment that also has playwright:

    pip install playwright
    pytest tests/browser -s --basetemp=/tmp/explorers

Chromium or Chrome is taken from the path. -s prints the times measured; the screenshots lie below
the folder that --basetemp names. Takes about a minute.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbclient
import nbformat
import pytest

from cnnlib import explorers

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="neither Chromium nor Chrome is installed")

CELL = "from cnnlib import explorers\n\nexplorers.flatten(33, shape=(3, 4, 5))"
NAMES = sorted(set(explorers.__all__) - {"inside"})  # which has tests of its own
EVERY = [f"from cnnlib import explorers\n\nexplorers.{name}()" for name in NAMES]
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
}


def notebook(*cells):
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in cells],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with notebooks: some to run, one as freshly cloned."""
    root = tmp_path_factory.mktemp("lab")
    home = tmp_path_factory.mktemp("home")
    nbformat.write(notebook(CELL), root / "run.ipynb")
    nbformat.write(notebook(*EVERY), root / "every.ipynb")
    cloned = nbclient.NotebookClient(notebook(CELL), record_timing=False).execute()
    cloned.metadata.pop("widgets", None)
    nbformat.write(cloned, root / "cloned.ipynb")

    settings = home / "settings"
    for name, values in SETTINGS.items():
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/lab"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={root}"),
        ],
        env=os.environ
        | {"HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")}
        | {"JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTERLAB_WORKSPACES_DIR": str(home / "ws")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(address).close()
                break
            except urllib.error.URLError:
                assert server.poll() is None, "JupyterLab did not start"
                time.sleep(0.25)
        yield address, settings
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def open_notebook(chromium, address, name, width=1280):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{address}/tree/{name}?reset")
    page.locator(".jp-CodeCell").first.wait_for(timeout=60_000)
    page.get_by_text("| Idle").wait_for(state="attached", timeout=60_000)  # the kernel is there
    return page


def run(page):
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".cnnlib-explorer svg").wait_for(timeout=60_000)


def position(page):
    return int(page.locator(".cnnlib-explorer input[type=range]").input_value())


def told(page):
    """What the picture on the screen says."""
    return page.locator(".cnnlib-explorer svg").get_attribute("aria-label")


def wait_for_words(page, words):
    page.wait_for_function(
        "words => document.querySelector('.cnnlib-explorer svg').ariaLabel.includes(words)",
        arg=words,
        timeout=5000,
    )


def test_a_slider_step_is_painted_within_100_ms(lab, chromium, tmp_path):
    page = open_notebook(chromium, lab[0], "run.ipynb")
    run(page)
    page.screenshot(path=tmp_path / "light.png")
    page.evaluate(
        """() => {
            window.times = [];
            let start;
            const box = document.querySelector(".cnnlib-explorer");
            box.addEventListener("input", () => (start = performance.now()), true);
            new MutationObserver(() => requestAnimationFrame(
                () => window.times.push(performance.now() - start)
            )).observe(box.querySelector(".picture"), {
                subtree: true, childList: true, attributes: true, characterData: true,
            });
        }"""
    )
    page.locator("input[type=range]").focus()
    for step in range(24):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("n => window.times.length === n", arg=step + 1, timeout=5000)
        assert f"goes to y[{34 + step}]" in told(page)
    times = page.evaluate("window.times")
    median = statistics.median(times)
    print(f"\nslider event to repaint: median {median:.0f} ms, worst {max(times):.0f} ms")
    assert median < 100

    page.evaluate("window.times = []")
    for _ in range(22):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(50)
    pressed = time.monotonic()
    wait_for_words(page, "goes to y[35]")
    lag = time.monotonic() - pressed
    frames = page.evaluate("window.times.length")
    print(f"22 keys 50 ms apart: {frames} pictures, the last one {1000 * lag:.0f} ms late")
    assert position(page) == 35
    assert lag < 0.5
    page.close()


def test_pointing_at_a_cell_shows_its_partner(lab, chromium, tmp_path):
    page = open_notebook(chromium, lab[0], "run.ipynb")
    run(page)
    cell = page.locator(".cnnlib-explorer [data-pick='position=47']")
    assert cell.count() == 2  # one in the maps, one in the ribbon
    cell.first.click()
    wait_for_words(page, "x[2, 1, 2] goes to y[47]: (2·4 + 1)·5 + 2 = 47")
    assert position(page) == 47
    marked = page.locator(".cnnlib-explorer [data-pick='position=47'] rect[stroke-width='3']")
    assert marked.count() == 2
    assert page.locator(".cnnlib-explorer rect[stroke-width='3']").count() == 2

    page.get_by_role("group", name="Backward").get_by_label("in F order").check()
    wait_for_words(page, "pixels get another pixel's gradient")
    page.screenshot(path=tmp_path / "backward.png")

    # The pointer rests on the picture while the keyboard moves the slider.
    page.locator(".cnnlib-explorer [data-pick='position=20']").last.hover()
    wait_for_words(page, "dy[20] goes to")
    page.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    wait_for_words(page, "dy[21] goes to")
    page.wait_for_timeout(400)
    assert position(page) == 21

    page.locator("input[type=range]").press("End")
    wait_for_words(page, "dy[59] goes to")
    page.get_by_label("(2, 3, 3)").check()
    wait_for_words(page, "dy[17] goes to")
    assert position(page) == 17
    page.close()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_notebook_that_nobody_trusts_is_alive_before_anything_runs(
    lab, chromium, tmp_path, theme
):
    address, settings = lab
    path = settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    path.write_text(json.dumps({"theme": f"JupyterLab {theme}"}))
    page = open_notebook(chromium, address, "cloned.ipynb", width=900)
    page.locator(".cnnlib-explorer svg").wait_for()
    assert "x[1, 2, 3] goes to y[33]" in told(page)
    page.locator("input[type=range]").press("ArrowRight")
    wait_for_words(page, "goes to y[34]")
    # It scrolls where there is too little room: its words, 13 pixels high, don't get smaller than 11.
    svg = "document.querySelector('.picture > svg')"
    shrunk = f"() => {svg}.getBoundingClientRect().width / {svg}.viewBox.baseVal.width"
    assert 13 * page.evaluate(shrunk) >= 11
    page.screenshot(path=tmp_path / "cloned.png")
    page.close()


def test_saved_and_reopened_it_still_lives(lab, chromium):
    page = open_notebook(chromium, lab[0], "run.ipynb")
    run(page)
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1500)
    page.close()
    page = open_notebook(chromium, lab[0], "run.ipynb")
    page.locator(".cnnlib-explorer svg").wait_for()
    assert page.get_by_text("model not found").count() == 0
    page.locator("input[type=range]").press("ArrowRight")
    wait_for_words(page, "goes to y[34]")
    page.close()


LIVES = """async number => {
    const cell = document.querySelectorAll(".jp-CodeCell")[number];
    const slider = () => [...cell.querySelectorAll("input[type=range]")].find(s => s.offsetParent);
    const told = () => cell.querySelector(".picture > svg")?.ariaLabel;
    for (let k = 0; k < 200 && !told(); k++) await new Promise(done => setTimeout(done, 50));
    const before = told();
    if (!before || !slider()) return Boolean(before) && "no slider";
    slider().value = slider().value === slider().max ? 0 : Number(slider().value) + 1;
    slider().dispatchEvent(new Event("input"));
    for (let k = 0; k < 200 && told() === before; k++) await new Promise(done => setTimeout(done, 50));
    return told() !== before;
}"""


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_each_explorer_lives_when_run_and_when_saved_and_reopened(lab, chromium, tmp_path, theme):
    address, settings = lab
    path = settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    path.write_text(json.dumps({"theme": f"JupyterLab {theme}"}))
    page = open_notebook(chromium, address, "every.ipynb")
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".cnnlib-explorer .picture svg").nth(len(NAMES) - 1).wait_for(timeout=120_000)
    # A kernel that trains shows its own curves, which have no slider.
    alive = [True if name != "training" else "no slider" for name in NAMES]
    assert [page.evaluate(LIVES, k) for k in range(len(NAMES))] == alive
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1500)
    page.close()
    page = open_notebook(chromium, address, "every.ipynb", width=900)
    page.screenshot(path=tmp_path / "reopened.png")
    assert all(page.evaluate(LIVES, k) for k in range(len(NAMES)))
    assert page.get_by_text("model not found").count() == 0
    page.close()
