"""Explorers on a plain page, where no kernel runs, and the site, in a real browser.

Run as `test_explorers.py` beside this file says. The site is taken from `build/site`, where
`make site` puts it.
"""

import functools
import http.server
import importlib.util
import re
import threading
from pathlib import Path

import pytest
from test_explorers import chromium, pytestmark, told, wait_for_words  # noqa: F401  fixtures

from cnnlib import explorers
from cnnlib.explorers import states

SITE = Path(__file__).parents[2] / "build/site"
WHOLE = sorted(set(explorers.__all__) - {"inside", "training"})
REPAINT = """async () => {
    const slider = document.querySelector("cnnlib-explorer input[type=range]");
    const times = [];
    for (let i = 0; i < 40; i++) {
        slider.value = i % (Number(slider.max) + 1);
        const start = performance.now();
        slider.dispatchEvent(new Event("input"));
        slider.closest("cnnlib-explorer").getBoundingClientRect(); // so that the layout is in it
        times.push(performance.now() - start);
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
    return times;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def site():
    """The address of the site."""
    if not (SITE / "index.html").exists():
        pytest.skip("build/site is not there: run make site")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=SITE)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def page_of(chromium, tmp_path):  # noqa: F811
    """Opens a page that holds nothing but the saved output of an explorer."""
    pages = []

    def open_page(explorer, **options):
        page = chromium.new_page(**options)
        pages.append(page)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        output = explorer._repr_mimebundle_()["text/html"]
        file = tmp_path / "page.html"
        file.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>An explorer</title>'
            f"<main><h1>An explorer</h1>{output}</main>",
            encoding="utf-8",
        )
        page.goto(file.as_uri())
        page.locator(".cnnlib-explorer .picture svg").wait_for()
        return page

    yield open_page
    for page in pages:
        assert page.problems == []
        page.close()


def axe(page):
    """What axe-core finds wrong."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        pytest.skip("axe-playwright-python is not installed")
    page.evaluate((Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run()")["violations"]
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in violations]


@pytest.mark.parametrize("name", WHOLE)
def test_an_explorer_lives_without_a_kernel(page_of, name):
    explorer = getattr(explorers, name)
    page = page_of(explorer())
    assert told(page) == explorer.draw().alt
    times = page.evaluate(REPAINT)
    print(f"\n{name}: repaint {min(times):.1f} ms at best, median {sorted(times)[20]:.1f} ms")
    assert min(times) < 20  # the best of 40: how busy the machine is doesn't count
    assert page.locator("input[type=range]").first.get_attribute("aria-valuetext")
    assert axe(page) == []


def test_every_picture_is_what_python_draws(page_of):
    page = page_of(explorers.conv_backward())
    slider = page.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    for position in range(12):
        wait_for_words(page, f"dx[{position // 6}, {position % 6}] = ")
        drawn = explorers.conv_backward.draw(position)
        assert told(page) == drawn.alt
        # Put together anew or changed in place, the page holds what one picture alone would.
        same = page.evaluate(
            """svg => {
                const other = document.createElement("div");
                other.innerHTML = svg;
                return other.firstChild.isEqualNode(document.querySelector(".picture > svg"));
            }""",
            drawn.svg,
        )
        assert same
        page.keyboard.press("ArrowRight")


def test_play_walks_and_pauses_and_pointing_stops_it(page_of):
    page = page_of(explorers.conv_forward())
    page.get_by_role("button", name="Play").click()
    wait_for_words(page, "y[0, 1] is made")
    page.locator(".ghost").first.wait_for(state="attached")
    wait_for_words(page, "y[0, 2] is made")
    page.get_by_role("button", name="Pause").click()
    stopped = told(page)
    page.wait_for_timeout(2500)
    assert told(page) == stopped
    page.get_by_role("button", name="Step").click()
    wait_for_words(page, "y[0, 3] is made")


def test_who_wants_no_motion_gets_none(page_of):
    page = page_of(explorers.conv_forward(), reduced_motion="reduce")
    page.get_by_role("button", name="Step").click()
    wait_for_words(page, "y[0, 1] is made")
    assert page.locator(".ghost").count() == 0
    assert page.evaluate("document.getAnimations().length") == 0


def test_a_recorded_training_can_be_watched(page_of):
    page = page_of(explorers.training())
    assert page.get_by_role("button", name="Train").count() == 0  # nobody could train
    page.locator("input[type=range]").press("End")
    wait_for_words(page, "440 steps")


def test_a_drawing_is_all_that_a_saved_output_can_bring(page_of):
    page = page_of(explorers.dense())
    unpacked = states.unpack(states.stored(explorers.dense.draw))
    unpacked["pieces"][5] = '<image href="x" onerror="document.title = 1"/>'
    page.evaluate(
        """packed => {
            const explorer = document.createElement("cnnlib-explorer");
            explorer.setAttribute("codes", "{}");
            explorer.packed = packed;
            document.querySelector("main").replaceChildren(explorer);
        }""",
        states.packed(unpacked),
    )
    page.wait_for_timeout(1000)
    assert page.locator("svg").count() == 0 and page.title() == "An explorer"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 900, 390])
@pytest.mark.parametrize("path", ["index", "notebooks/02_conv", "exercises/04_flatten"])
def test_the_site_reads_well_everywhere(site, chromium, tmp_path, path, width, theme):  # noqa: F811
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    elsewhere, broken = [], []
    page.on("request", lambda r: elsewhere.append(r.url) if not local(r.url, site) else None)
    page.on("response", lambda r: broken.append(r.url) if r.status >= 400 else None)
    page.goto(f"{site}/{path}.html")
    if "exercises" not in path:
        page.locator(".cnnlib-explorer .picture svg").first.wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=tmp_path / "page.png")
    assert elsewhere == broken == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # nothing sticks out
    assert axe(page) == []
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_of_the_site_shuts_anybody_out(site, chromium, theme):  # noqa: F811
    page = chromium.new_page(viewport={"width": 900, "height": 900}, color_scheme=theme)
    root = Path(__file__).parents[2]
    names = [f"{name}/{path.stem}" for name in ("notebooks", "exercises")
             for path in sorted((root / name).glob("*.ipynb"))]  # fmt: skip
    found = {}
    for name in [*names, "index", "grading", "instructors", "maintainers", "try"]:
        page.goto(f"{site}/{name}.html")
        page.locator("article").wait_for()
        page.wait_for_timeout(300)
        wide = page.evaluate("document.documentElement.scrollWidth") > 900
        if wrong := axe(page) + [("sticks out", name)] * wide:
            found[name] = wrong
    page.close()
    assert found == {}


def local(url, site):
    return url.startswith((site, "data:", "blob:"))


def test_every_link_of_the_site_leads_somewhere(site, chromium):  # noqa: F811
    page = chromium.new_page()
    found = set()
    for file in SITE.rglob("*.html"):
        if "lite" in file.relative_to(SITE).parts or "_static" in file.parts:
            continue
        page.goto(f"{site}/{file.relative_to(SITE).as_posix()}", wait_until="domcontentloaded")
        found |= set(page.evaluate("[...document.links].map(link => link.href)"))
    for link in sorted(link.split("#")[0].split("?")[0] for link in found):
        if link.startswith(site):
            path = SITE / link.removeprefix(site).lstrip("/")
            assert (path / "index.html" if path.is_dir() else path).exists(), link
    page.close()


def test_no_page_is_large_but_for_its_pictures():
    if not SITE.exists():
        pytest.skip("build/site is not there: run make site")
    pages = [*SITE.glob("*.html"), *SITE.glob("notebooks/*.html"), *SITE.glob("exercises/*.html")]
    sizes = {path.name: path.stat().st_size for path in pages}
    assert len(sizes) > 10 and max(sizes.values()) < 2_000_000, sizes


def test_a_click_on_a_map_leads_into_its_window(page_of):
    page = page_of(explorers.network(4))
    box = page.locator("[data-open]").nth(5).bounding_box()
    # A pixel that travels with the page: row 5, column 8 of 14.
    page.mouse.click(box["x"] + 8.5 / 14 * box["width"], box["y"] + 5.5 / 14 * box["height"])
    wait_for_words(page, "y[0, 5, 5, 8] = ")
    assert told(page) == explorers.network.draw(window=4, map=5, row=5, column=8).alt
    assert page.get_by_role("button", name="Play").count() == 0  # there is nothing to walk through
    page.get_by_role("slider", name="Column").press("ArrowRight")
    wait_for_words(page, "y[0, 5, 5, 11] = ")
    page.get_by_label("all that is handed on").check()
    wait_for_words(page, "step 4 of 18")


def test_a_click_on_a_pools_map_leads_into_the_very_window(page_of):
    page = page_of(explorers.network(6))
    box = page.locator("[data-open]").nth(9).bounding_box()
    page.mouse.click(box["x"] + 4.5 / 7 * box["width"], box["y"] + 3.5 / 7 * box["height"])
    wait_for_words(page, "y[0, 9, 3, 4] = ")
    assert told(page) == explorers.network.draw(window=6, map=9, row=3, column=4).alt


def test_ones_own_arrays_live_on_a_page_without_a_kernel(page_of):
    mine = explorers.conv_backward(0, x=[[0.5, 2, -1], [1, 0, 3]], W=[[1, -0.25]])
    page = page_of(mine)
    page.locator("input[type=range]").press("ArrowRight")
    wait_for_words(page, "dx[0, 1] = ")
    assert told(page) == mine._draw(1, stride=1, padding=0).alt
    assert axe(page) == []


def frame(page, milliseconds):
    """Hold the film at a moment."""
    page.evaluate(
        """now => document.getAnimations().forEach(film => {
            film.pause();
            film.currentTime = now;
        })""",
        milliseconds,
    )


SEEN = """name => {
    const cell = document.querySelector(`[data-at="${name}"]`);
    return [...cell.querySelectorAll("text")]
        .filter(text => getComputedStyle(text).opacity === "1").map(text => text.textContent);
}"""


def test_a_sum_is_shown_when_its_parts_have_arrived(page_of):
    page = page_of(explorers.conv_forward())
    page.get_by_role("button", name="Step").click()
    wait_for_words(page, "y[0, 1] is made")
    frame(page, 1000)  # the products are on their way
    assert page.evaluate(SEEN, "xW-0-0") == ["0"] and page.evaluate(SEEN, "y-0-1") == []
    shown = "() => getComputedStyle(document.querySelector('[data-then]')).opacity"
    assert page.evaluate(shown) == "0"
    page.evaluate("document.getAnimations().forEach(film => film.finish())")
    page.wait_for_timeout(100)
    assert page.evaluate(SEEN, "y-0-1") == ["15"] and page.evaluate(shown) == "1"


@pytest.mark.parametrize(
    ("name", "first", "cell"),
    [
        ("conv_forward", 0, lambda k: f"y-{k // 4}-{k % 4}"),
        ("pool", 30, lambda k: f"y-{k // 5}-{k % 5}"),
        ("flatten", 0, lambda k: f"y{k}"),
    ],
)
def test_what_a_layer_returns_fills_cell_by_cell_while_it_plays(page_of, name, first, cell):
    page = page_of(getattr(explorers, name)(first))
    shown = """name => {
        const text = document.querySelector(`[data-at="${name}"] text`);
        return getComputedStyle(text).visibility === "visible";
    }"""
    assert page.evaluate(shown, cell(9))  # whoever has not started the film sees all of it
    for k in range(1, 4):
        page.get_by_role("button", name="Step").click()
        assert [page.evaluate(shown, cell(n)) for n in range(6)] == [n <= k for n in range(6)]
    page.locator("input[type=range]").press("ArrowLeft")
    assert page.evaluate(shown, cell(9))


def test_a_step_taken_in_the_middle_of_a_flight_leaves_nothing_behind(page_of):
    page = page_of(explorers.conv_backward(40))
    for number in range(1, 4):
        page.get_by_role("button", name="Step").click()
        frame(page, 300 * number)
    wait_for_words(page, "dy[0, 3] = ")
    before = explorers.conv_backward.draw(42).svg
    piled = re.search(r'data-at="dx-0-2".*?<text[^>]*>(.*?)</text>', before)[1]
    assert page.evaluate(SEEN, "dx-0-2") == [piled]
    page.wait_for_timeout(100)


@pytest.mark.parametrize("name", ["conv_forward", "pool", "flatten", "softmax", "memory"])
def test_a_step_touches_only_what_differs(page_of, name):
    page = page_of(getattr(explorers, name)())
    page.evaluate(
        """() => {
            window.idle = [], window.anew = 0;
            new MutationObserver(records => records.forEach(({ type, target, oldValue, attributeName }) => {
                if (type === "childList") window.anew++;
                else if (type === "attributes" && target.getAttribute(attributeName) === oldValue)
                    window.idle.push(attributeName);
                else if (type === "characterData" && target.data === oldValue) window.idle.push(oldValue);
            })).observe(document.querySelector(".picture"), {
                subtree: true, childList: true, attributeOldValue: true, characterDataOldValue: true,
            });
        }"""
    )
    before = told(page)
    page.locator("input[type=range]").first.press("ArrowRight")
    page.wait_for_timeout(100)
    assert told(page) != before
    assert page.evaluate("[window.anew, window.idle]") == [0, []]


def test_what_piled_up_is_shown_until_more_comes_on_top(page_of):
    page = page_of(explorers.conv_backward(40))
    page.get_by_role("button", name="Step").click()
    wait_for_words(page, "dy[0, 1] = ")
    frame(page, 1000)
    assert page.evaluate(SEEN, "dx-0-1") == ["2"]
    page.get_by_role("slider").press("ArrowLeft")  # whoever chooses sees the numbers at once
    wait_for_words(page, "dy[0, 0] = ")
    assert page.evaluate(SEEN, "dx-0-1") == ["2"] and page.locator(".ghost").count() == 0
