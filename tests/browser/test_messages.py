"""What a failing check says, in a real JupyterLab: it can be read in both themes, at 900 px too.

Run and looked at as `test_explorers.py` beside this file says.
"""

import json

import pytest
from test_explorers import chromium, lab, open_notebook, pytestmark  # noqa: F401  fixtures

from cnnlib.svg import contrast

CELL = """\
from cnnlib import check
from cnnlib.misconceptions.flatten import FillsColumnByColumn
check.flatten_backward(FillsColumnByColumn)"""
# The colour of each bold piece of the message, and of the ground behind it; both may let through
# what lies below.
COLOURS = """() => {
    const parts = colour => {
        const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
        return { rgb: [r, g, b], a };
    };
    const over = ({ rgb, a }, below) => rgb.map((c, i) => Math.round(c * a + below[i] * (1 - a)));
    const ground = node => {
        if (!node) return [255, 255, 255];
        return over(parts(getComputedStyle(node).backgroundColor), ground(node.parentElement));
    };
    return [...document.querySelectorAll(".jp-OutputArea-output pre *, .jp-OutputArea-output b")]
        .filter(node => Number(getComputedStyle(node).fontWeight) >= 600 && node.textContent.trim())
        .map(node => [
            node.textContent, over(parts(getComputedStyle(node).color), ground(node)), ground(node),
        ]);
}"""
# Words that begin on one line and end on another.
BROKEN = """() => {
    const broken = [];
    for (const pre of document.querySelectorAll(".jp-OutputArea-output pre")) {
        const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            for (const match of walker.currentNode.data.matchAll(/[^\\s\\-]+/g)) {
                const word = document.createRange();
                word.setStart(walker.currentNode, match.index);
                word.setEnd(walker.currentNode, match.index + match[0].length);
                const tops = new Set([...word.getClientRects()].map(rect => Math.round(rect.top)));
                if (tops.size > 1) broken.push(match[0]);
            }
        }
    }
    return broken;
}"""


def hexadecimal(colour):
    return "#" + "".join(f"{part:02x}" for part in colour)


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_failed_checks_headline_can_be_read(lab, chromium, tmp_path, theme):  # noqa: F811
    address, settings = lab
    path = settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    path.write_text(json.dumps({"theme": f"JupyterLab {theme}"}))
    page = open_notebook(chromium, address, "run.ipynb", width=900)
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(CELL)
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-OutputArea-output pre", has_text="hint").wait_for(timeout=60_000)
    page.wait_for_timeout(300)
    page.screenshot(path=tmp_path / "message.png")
    found = page.evaluate(COLOURS)
    assert any("✗ Flatten.backward" in words for words, _, _ in found)
    contrasts = {words.strip(): contrast(*map(hexadecimal, colours)) for words, *colours in found}
    print(f"\n{theme}: {min(contrasts.values()):.1f} is the lowest contrast of what is bold")
    assert min(contrasts.values()) >= 4.5, contrasts
    assert page.evaluate(BROKEN) == []
    page.close()
