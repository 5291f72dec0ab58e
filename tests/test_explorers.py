"""The explorers: every setting draws a true and readable picture; the widget is a thin shell."""

import base64
import doctest
import html
import importlib
import itertools
import math
import re

import nbclient
import nbformat
import numpy as np
import pytest
from picture import Read

from cnnlib import explorers, svg
from cnnlib.explorers.widget import Choice, Explorer, Slider

SHAPES, ORDERS = [(2, 3, 4), (3, 4, 5), (2, 3, 3)], ["C", "F", "swapped"]
draw = explorers.flatten.draw


def place(pixel, shape, order):
    """The place of a pixel, by NumPy's own index arithmetic."""
    if order == "swapped":
        (c, h, w), (C, H, W) = pixel, shape
        return int(np.ravel_multi_index((c, w, h), (C, W, H)))
    return int(np.ravel_multi_index(pixel, shape, order=order))


def pixel_divided_out(lines):
    """The pixel that the divisions in the picture lead to, each of them done again."""
    found = {}
    for line in lines:
        if match := re.match(r"divmod\( *(\d+), (\d+)\) = \( *(\d+), (\d+)\)  (.*)", line):
            a, b, quotient, rest = map(int, match.groups()[:4])
            assert divmod(a, b) == (quotient, rest)
            found |= {name: int(value) for name, value in re.findall(r"(\w) = (\d)", match[5])}
    return found["c"], found["h"], found["w"]


def test_the_examples_run():
    for name in ("flatten", "widget"):  # in the package, `flatten` is the function
        module = importlib.import_module(f"cnnlib.explorers.{name}")
        assert doctest.testmod(module).failed == 0


@pytest.mark.sampled
@pytest.mark.parametrize("backward", [None, *ORDERS])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_setting_of_the_ribbon_is_true_and_readable(shape, order, backward):
    pixels = list(np.ndindex(*shape))
    owner = {place(p, shape, order): p for p in pixels}
    lands = {place(p, shape, backward or order): p for p in pixels}
    tag = {p: "".join(map(str, p)) for p in pixels}
    for position in range(math.prod(shape)):
        picture = draw(position, shape, order, backward)
        read = Read(picture.svg)
        assert read.problems() == []

        # Each cell shows the number it holds, and answers with the place in the ribbon.
        cells = [(t.words, t.pick) for t in read.texts if t.pick]
        in_maps = [
            (tag[owner[k]], f"position={k}")
            for k in (place(p, shape, backward or order) for p in pixels)
        ]
        in_ribbon = [(tag[owner[k]], f"position={k}") for k in range(len(pixels))]
        assert sorted(cells) == sorted(in_maps + in_ribbon)
        assert [cell for cell in cells if cell in in_maps][: len(pixels)] == in_maps

        # The two partners carry the outline; the pixel meant, if another, a dashed one.
        focus = [b for b in read.boxes if b.attributes.get("stroke-width") == "3"]
        assert [b.pick for b in focus] == [f"position={position}"] * 2
        dashed = [b for b in read.boxes if "stroke-dasharray" in b.attributes]
        assert len(dashed) == (owner[position] != lands[position])

        # The thread leads from the middle of one to the middle of the other.
        start, end = re.search(r'<path d="M(\S+) [^"]* (\S+) \S+V[^"]*"', picture.svg).groups()
        (x_pixel, x_place) = ((b.left + b.right) / 2 for b in focus)
        assert float(end) - float(start) == pytest.approx(x_place - x_pixel, abs=0.02)

        astray = sum(owner[k] != lands[k] for k in owner)
        marks = [b for b in read.boxes if b.attributes.get("stroke") == svg.WRONG]
        assert len(marks) == astray

        source, landing = list(owner[position]), list(lands[position])
        lines = [t.words.replace("\u00a0", " ") for t in read.texts]
        assert any(line.endswith(f" = {position}") for line in lines)
        assert pixel_divided_out(lines) == lands[position]
        if backward is None:
            assert f"x{source} goes to y[{position}]" in picture.alt
        else:
            assert f"dy[{position}] goes to dx{landing}" in picture.alt
            assert (f"but y[{position}] came from x{source}" in picture.alt) == (source != landing)
            assert ("Every gradient is back" in picture.alt) == (astray == 0)
            assert astray == 0 or f"{astray} of {len(pixels)} pixels" in picture.alt


@pytest.mark.sampled
@pytest.mark.parametrize(("shape", "order"), [*itertools.product(SHAPES, ORDERS)])
def test_the_sums_written_out_are_right(shape, order):
    sizes = dict(zip("CHW", shape, strict=True))
    for pixel in np.ndindex(*shape):
        k = place(pixel, shape, order)
        lines = [t.words.replace("\u00a0", " ") for t in Read(draw(k, shape, order).svg).texts]
        index = dict(zip("chw", pixel, strict=True))
        letters = next(line for line in lines if re.match(r"\(\w·[A-Z]", line))
        numbers = next(line for line in lines if re.match(r"\(\d·\d", line))
        # In letters and in numbers it comes to the place; one sign stands above the other.
        assert eval(letters.replace("·", "*"), {}, sizes | index) == k
        left, right = numbers.split(" = ")
        assert eval(left.replace("·", "*")) == int(right) == k
        assert len(left) == len(letters)


@pytest.mark.parametrize(("shape", "order"), [*itertools.product(SHAPES, ORDERS)])
def test_what_dense_reads_is_where_the_channels_lie(shape, order):
    alt = draw(0, shape, order).alt
    for c in range(shape[0]):
        told = re.search(rf"channel {c} at ([^;]*?)(;|\.$)", alt)[1]
        found = sorted(place(p, shape, order) for p in np.ndindex(*shape) if p[0] == c)
        if "–" in told:
            first, last = map(int, told.split("–"))
            assert found == list(range(first, last + 1))
        else:
            assert [int(n) for n in re.findall(r"\d+", told)] == [*found[:3], found[-1]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"position": 24}, "position is 24; shape .* has 0 to 23"),
        ({"position": -1}, "position is -1"),
        ({"shape": (3, 4)}, r"shape is \(3, 4\); give \(C, H, W\)"),
        ({"shape": (3, 5, 5)}, "at most 60 cells"),
        ({"order": "K"}, "orders are C, F, swapped; got 'K', None"),
        ({"backward": "K"}, "got 'C', 'K'"),
    ],
)
def test_the_ribbon_refuses_what_it_cannot_draw(settings, message):
    with pytest.raises(ValueError, match=message):
        draw(**settings)
    with pytest.raises(ValueError, match=message):
        explorers.flatten(**settings)


def test_every_shape_on_offer_can_be_drawn_where_the_ribbon_starts():
    for shape in SHAPES:
        explorers.flatten(shape=shape)
    with pytest.raises(ValueError, match=r"\(1, 2, 9\) is not on offer"):
        explorers.flatten(0, shape=(1, 2, 9))


# ---------------------------------------------------------------------- the widget


def counting(log):
    def draw(n, wide):
        log.append((n, wide))
        return svg.cells(range(n + 1)).picture(f"{n + 1} cells")

    last = lambda values: 9 if values["wide"] else 3  # noqa: E731
    controls = {
        "n": Slider("Cells", last),
        "wide": Choice("Width", {"narrow": False, "wide": True}),
    }
    return Explorer(draw, controls, n=7, wide=True)


def test_the_browser_is_given_the_picture_its_words_and_the_controls():
    explorer = counting([])
    assert explorer.codes == {"n": 7, "wide": "wide"}
    assert explorer.view == {
        "svg": explorer.picture.svg,
        "controls": [
            ["n", {"kind": "slider", "label": "Cells", "last": 9}],
            ["wide", {"kind": "choice", "label": "Width", "options": ["narrow", "wide"]}],
        ],
        "codes": explorer.codes,
    }


def test_a_change_in_the_browser_draws_anew():
    explorer = counting(log := [])
    log.clear()
    explorer.codes = {"n": 2, "wide": "wide"}
    assert log == [(2, True)]
    assert explorer.picture.alt == "3 cells"
    assert explorer.view["svg"] == explorer.picture.svg
    assert explorer.values == {"n": 2, "wide": True}


def test_a_neighbour_is_drawn_ahead_and_nothing_changes(monkeypatch):
    explorer = counting(log := [])
    before = explorer.view
    sent = []
    monkeypatch.setattr(explorer, "send", sent.append)
    explorer._answer(explorer, {"ahead": {"n": 6, "wide": "wide"}}, [])
    assert log[-1] == (6, True) and explorer.view is before and explorer.values["n"] == 7
    explorer.codes = {"n": 6, "wide": "wide"}
    assert sent == [explorer.view]


def test_a_slider_beyond_its_new_end_moves_to_the_end():
    explorer = counting(log := [])
    log.clear()
    explorer.codes = {"n": 7, "wide": "narrow"}
    assert explorer.codes == {"n": 3, "wide": "narrow"}
    assert dict(explorer.view["controls"])["n"]["last"] == 3
    assert log == [(3, False)]


def test_a_value_that_no_control_offers_is_refused():
    with pytest.raises(ValueError, match="Width: 5 is not on offer; choose one of False, True"):
        Explorer(
            lambda wide: svg.cells([1]).picture("one"),
            {"wide": Choice("Width", {"narrow": False, "wide": True})},
            wide=5,
        )


def test_two_explorers_share_nothing():
    one, two = explorers.flatten(3), explorers.flatten(3)
    one.codes = one.codes | {"position": 5}
    assert two.values["position"] == 3
    assert "y[3]" in two.view["svg"]


def test_a_saved_notebook_keeps_picture_and_words_and_runs_alike_twice(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("from cnnlib import explorers\nexplorers.flatten(5)")]
    )
    done = nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    here = explorers.flatten(5)._repr_mimebundle_()  # a process of its own, like the kernel's
    bundles = [dict(done.cells[0].outputs[0].data), here]
    for bundle in bundles:
        assert "application/vnd.jupyter.widget-view+json" not in bundle
        bundle["text/html"] = re.sub('name="[0-9a-f]{32}"', "", bundle["text/html"])
    assert bundles[0] == bundles[1]
    picture = draw(5)
    assert bundles[0]["text/plain"] == picture.alt
    image = re.search(
        r'<img alt="(.*?)" src="data:image/svg\+xml;base64,(.*?)"', bundles[0]["text/html"]
    )
    assert html.unescape(image[1]) == picture.alt
    assert base64.b64decode(image[2]).decode() == picture.svg
