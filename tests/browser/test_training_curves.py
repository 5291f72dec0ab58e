"""The training curves in a real JupyterLab: they grow while it trains, and it goes on listening.

Run and looked at as `test_explorers.py` beside this file says.
"""

import re
from itertools import pairwise

from test_explorers import chromium, lab, open_notebook, pytestmark, told  # noqa: F401  fixtures

CELL = "from cnnlib import explorers\n\ncurves = explorers.training()\ncurves"
FIT = """\
import numpy as np
from cnnlib import datasets
from cnnlib.layers import Dense, Flatten
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential
from cnnlib.optimizers import SGD
from cnnlib.training import fit
data, rng = datasets.load_digits(), np.random.default_rng(0)
network = Sequential([Flatten(), Dense(64, 10, rng=rng)])
validation = data.test_images / 16, data.test_labels
history = fit(network, data.train_images / 16, data.train_labels, loss=SoftmaxCrossEntropy(),
              optimizer=SGD(network, 0.1), rng=rng, epochs=30, batch_size=8, progress=False,
              validation=validation, after_step=curves.follow("my own layers"))
print(f"done: accuracy {100 * history.epochs[-1]['accuracy']:.1f} %")"""


def type_and_run(page, number, source):
    page.locator(".jp-CodeCell .cm-content").nth(number).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)
    page.keyboard.press("Shift+Enter")


def start(chromium, lab):  # noqa: F811
    page = open_notebook(chromium, lab[0], "run.ipynb")
    type_and_run(page, 0, CELL)
    page.locator(".cnnlib-explorer svg").wait_for(timeout=60_000)
    assert "still empty" in told(page)
    page.evaluate(
        """() => {
            window.seen = [];
            const picture = document.querySelector(".cnnlib-explorer .picture");
            new MutationObserver(() => window.seen.push(
                [performance.now(), picture.firstChild.getAttribute("aria-label")]
            )).observe(picture, { childList: true, subtree: true, attributeFilter: ["aria-label"] });
        }"""
    )
    return page


def steps_seen(page):
    """When each picture came, in milliseconds, and how many steps it tells of the newest run."""
    told = [
        (at, re.search(r"^Training curves. Newest: .*?, ([\d,]+)", words))
        for at, words in page.evaluate("window.seen")
    ]
    return [(at, int(match[1].replace(",", ""))) for at, match in told if match]


def button(page, words):
    return page.locator(".cnnlib-explorer").get_by_role("button", name=words, exact=True)


def test_the_curves_grow_while_the_kernel_listens(lab, chromium, tmp_path):  # noqa: F811
    page = start(chromium, lab)
    page.screenshot(path=tmp_path / "empty.png")
    button(page, "Train").click()
    button(page, "Stop").wait_for()
    page.get_by_role("group", name="Learning rate").get_by_label("0.1", exact=True).check()
    page.wait_for_timeout(500)
    page.screenshot(path=tmp_path / "growing.png")
    button(page, "Train").wait_for()
    times, steps = zip(*steps_seen(page), strict=True)
    seconds = (times[-1] - times[0]) / 1000
    print(f"\n440 steps in {seconds:.2f} s, {len(set(steps))} different pictures")
    assert list(steps) == sorted(steps) and len(set(steps)) >= 5 and steps[-1] == 440
    assert "Newest: Adam, rate 0.01, 440 steps" in told(page)
    assert page.get_by_label("0.1", exact=True).is_checked()
    page.screenshot(path=tmp_path / "trained.png")

    # The next training goes by the control that was moved meanwhile; the keyboard stops it.
    button(page, "Train").press("Enter")
    page.wait_for_timeout(400)
    button(page, "Stop").press("Enter")
    button(page, "Train").wait_for()
    assert 0 < steps_seen(page)[-1][1] < 440
    assert "Newest: Adam, rate 0.1, " in told(page) and "Stopped after" in told(page)
    assert "Before it: Adam, rate 0.01, 440 steps" in told(page)
    page.screenshot(path=tmp_path / "stopped.png")
    page.close()


def test_a_fit_is_shown_while_its_cell_runs(lab, chromium, tmp_path):  # noqa: F811
    page = start(chromium, lab)
    type_and_run(page, 1, FIT)
    page.wait_for_function("window.seen.length > 3", timeout=60_000)
    assert page.get_by_text("| Busy").count() == 1
    done = page.locator(".jp-OutputArea-output pre").filter(has_text="done: ")
    assert done.count() == 0
    done.wait_for(timeout=60_000)
    page.wait_for_timeout(300)
    times, steps = zip(*steps_seen(page), strict=True)
    apart = [round(b - a) for a, b in pairwise(times)]
    print(f"\n{steps[-1]} steps, {len(steps)} pictures, {min(apart)} to {max(apart)} ms apart")
    assert list(steps) == sorted(steps) and len(set(steps)) > 4 and steps[-1] == 5250
    assert "Newest: my own layers, 5,250 steps" in told(page)
    accuracy = re.search(r"accuracy [\d.]+ %", told(page))[0]
    assert done.inner_text().strip() == f"done: {accuracy}"
    page.locator(".cnnlib-explorer").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "followed.png")

    # Settings and Train still work after it; a second run of the cell begins anew.
    button(page, "Train").click()
    button(page, "Stop").wait_for()
    type_and_run(page, 0, CELL)
    page.wait_for_function(
        "() => document.querySelector('.cnnlib-explorer svg')?.ariaLabel.includes('still empty')"
    )
    page.wait_for_timeout(1500)
    assert "still empty" in told(page)
    page.close()
