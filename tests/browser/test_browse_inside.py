"""The browser through test pictures in a real JupyterLab: quick, and it answers to the pointer.

Run and looked at as `test_explorers.py` beside this file says.
"""

import statistics

from test_explorers import (  # noqa: F401  fixtures
    chromium,
    lab,
    open_notebook,
    pytestmark,
    told,
    wait_for_words,
)

SOURCE = """\
import numpy as np
from cnnlib import datasets, explorers
from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential
from cnnlib.optimizers import Adam
from cnnlib.training import fit
data, rng = datasets.load_fashion_mnist(), np.random.default_rng(0)
network = Sequential([
Conv2D(1, 8, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2),
Conv2D(8, 16, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2),
Flatten(), Dense(784, 64, rng=rng), ReLU(), Dense(64, 10, rng=rng)])
fit(network, data.train_images[:1000] / np.float32(255), data.train_labels[:1000],
loss=SoftmaxCrossEntropy(), optimizer=Adam(network, 3e-3), rng=rng, progress=False)
explorers.inside(
network, data.test_images / np.float32(255), data.test_labels, data.class_names)"""


def test_browsing_is_quick_and_the_picture_answers_to_the_pointer(lab, chromium, tmp_path):  # noqa: F811
    page = open_notebook(chromium, lab[0], "run.ipynb")
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(SOURCE)
    page.keyboard.press("Shift+Enter")
    page.locator(".cnnlib-explorer svg").wait_for(timeout=60_000)
    page.screenshot(path=tmp_path / "inside.png")

    page.evaluate(
        """() => {
            window.times = [];
            let start;
            const box = document.querySelector(".cnnlib-explorer");
            box.addEventListener("input", () => (start = performance.now()), true);
            new MutationObserver(() => {
                box.getBoundingClientRect(); // so that the layout is in it
                window.times.push(performance.now() - start);
            }).observe(box.querySelector(".picture"), { childList: true, subtree: true, attributeFilter: ["aria-label"] });
        }"""
    )
    page.locator("input[type=range]").first.focus()
    for step in range(24):
        page.wait_for_timeout(0 if step < 12 else 300)  # as one who looks; the next is drawn ahead
        page.keyboard.press("ArrowRight")
        page.wait_for_function("n => window.times.length === n", arg=step + 1, timeout=5000)
        assert told(page).startswith(f"images[{step + 1}]: ")
    times = page.evaluate("window.times")
    for way, some in {"at once": times[:12], "after a look": times[12:]}.items():
        median = statistics.median(some)
        print(f"\n{way}: slider event to repaint: median {median:.0f} ms, worst {max(some):.0f} ms")
    assert min(times[:12]) < 100 and min(times[12:]) < 20  # the best: however busy the machine is

    page.get_by_label("mistakes only").check()
    wait_for_words(page, "place 24 among the")
    page.locator("input[type=range]").first.press("Home")
    wait_for_words(page, "place 0 among the")
    assert ": ✗ " in told(page)

    page.locator("[data-pick='score=Coat']").hover()
    wait_for_words(page, "moves the score of Coat.")
    assert page.get_by_label("Coat", exact=True).is_checked()
    page.get_by_label("5 MaxPool2D (16, 7, 7)").check()
    page.locator("[data-pick='part=11']").hover()
    wait_for_words(page, "Map 11: ")
    page.screenshot(path=tmp_path / "mistake.png")
    page.get_by_label("9 Dense (10,)").check()
    wait_for_words(page, "Number 9: ")
    page.get_by_label("the true class").check()
    page.wait_for_timeout(300)
    page.screenshot(path=tmp_path / "scores.png")
    page.close()
