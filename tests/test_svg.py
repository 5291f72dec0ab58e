"""Pictures made of text: valid, escaped, readable, and true about what differs."""

import base64
import doctest
import itertools
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from picture import Read

from cnnlib import svg

HOSTILE = "</text><script>alert(1)</script> \"'&<>\x00\x1b[31m\ud800 é"


def rng():
    return np.random.default_rng(0)


def wrong_cells(picture):
    return picture.svg.count("<polygon")


def test_the_examples_run():
    assert doctest.testmod(svg).failed == 0


def test_importing_it_is_quick():
    # A failing check draws with it: nothing but numpy and the standard library.
    heavy = {"matplotlib", "IPython", "ipywidgets", "anywidget", "nbformat", "scipy", "torch"}
    code = f"import sys, cnnlib.svg; print({heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "set()"


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def test_a_picture_is_a_figure_whose_alternative_text_is_what_prints():
    picture = svg.cells([[1, 2]]).picture('"a" < b & c')
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == repr(picture) == '"a" < b & c'
    (_, figure), (name, image) = Tags(bundle["text/html"]).tags
    assert figure == {"style": "margin:0"}
    assert name == "img"
    assert image["alt"] == '"a" < b & c'
    kind, _, data = image["src"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == picture.svg


def test_the_same_input_gives_the_same_bytes():
    target, yours = rng().normal(size=(2, 2, 3, 4, 5))
    first, second = (svg.target_and_yours(target, yours, title="dx") for _ in range(2))
    assert first == second


def test_words_from_outside_stay_words():
    names = np.array([[HOSTILE, "b"]], object)
    for picture in (
        svg.cells(names, rows=[HOSTILE], columns=[HOSTILE, "1"]).titled(HOSTILE).picture(HOSTILE),
        svg.target_and_yours(names, names[:, ::-1], title=HOSTILE),
        svg.Drawing(svg.cell(0, 0, 9, 9, "1", pick=HOSTILE), 9, 9).picture("one"),
    ):
        document = picture.svg.encode()
        tags = {
            node.tag.removeprefix("{http://www.w3.org/2000/svg}")
            for node in ET.fromstring(document).iter()
        }
        assert tags <= {"svg", "g", "rect", "text", "polygon"}
        html = Tags(picture._repr_mimebundle_()["text/html"])
        assert [tag for tag, _ in html.tags] == ["figure", "img"]


SHAPES = [(), (1,), (7,), (30,), (1, 1), (4, 60), (2, 3), (0,), (2, 0, 3), (3, 4, 5), (5, 20, 20)]
SHAPES += [(2, 3, 4, 5), (8, 16, 9, 9), (2, 1, 2, 3, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [1.0, 1e-9, 12345.678])
def test_every_shape_is_drawn_without_a_collision(shape, scale):
    target, yours = rng().normal(size=(2, *shape)) * scale
    read = Read(svg.target_and_yours(target, yours, title="Layer.backward: dx").svg)
    assert read.problems() == []
    assert read.width < 1150


@pytest.mark.parametrize("pair", [*itertools.product(SHAPES[::2], SHAPES[1::2])])
def test_different_shapes_are_named_and_nothing_is_marked(pair):
    picture = svg.target_and_yours(np.ones(pair[0]), np.zeros(pair[1]))
    assert picture.alt == f"Target has shape {pair[0]}, yours has shape {pair[1]}."
    assert wrong_cells(picture) == 0
    assert Read(picture.svg).problems() == []


@pytest.mark.parametrize(
    ("shape", "index"),
    [
        ((30,), (29,)),
        ((4, 60), (2, 41)),
        ((5, 20, 20), (4, 19, 0)),
        ((8, 16, 9, 9), (7, 15, 8, 8)),
        ((8, 16, 9, 9), (3, 0, 0, 4)),
    ],
)
def test_the_first_wrong_entry_is_in_the_picture(shape, index):
    target = np.arange(np.prod(shape)).reshape(shape)
    yours = target.copy()
    yours[index] = -7
    picture = svg.target_and_yours(target, yours)
    assert wrong_cells(picture) == 1
    assert f"1 of {target.size} entries differs; the first is {list(index)}" in picture.alt
    assert f"target {target[index]}, yours -7" in picture.alt
    words = [text.words for text in Read(picture.svg).texts]
    assert words.count("-7") == 1
    assert words.count(str(target[index])) >= 1
    assert any("…" in word for word in words)


def test_of_several_wrong_entries_the_first_is_told_and_shown():
    target = np.zeros((2, 30))
    yours = target.copy()
    yours[0, 9], yours[0, 29], yours[1, 0] = 5, 6, 7
    picture = svg.target_and_yours(target, yours)
    assert "3 of 60 entries differ; the first is [0, 9]: target 0, yours 5." in picture.alt
    words = [text.words for text in Read(picture.svg).texts]
    assert [words.count(word) for word in ("[:, …6:12…]", "6", "7")] == [2, 2, 2]  # columns 6, 7


def test_the_words_above_a_plane_say_which_part_it_is():
    target = np.zeros((4, 2, 3, 40))
    yours = target.copy()
    yours[2, 1, 0, 20] = 1
    words = [text.words for text in Read(svg.target_and_yours(target, yours).svg).texts]
    assert words.count("[2, 1, :, …17:23…]") == 2


def test_nan_is_wrong_and_close_is_right():
    target = np.array([1.0, 2.0, 3.0])
    assert wrong_cells(svg.target_and_yours(target, [1.0, np.nan, 3.0])) == 1
    assert wrong_cells(svg.target_and_yours(target, target * (1 + 1e-7))) == 0
    assert wrong_cells(svg.target_and_yours(target, target * (1 + 1e-7), rtol=0, atol=0)) == 3
    assert "No entry differs" in svg.target_and_yours(target, target).alt


def test_numbers_that_differ_never_look_the_same():
    words = [t.words for t in Read(svg.target_and_yours([1.0], [1.00002]).svg).texts]
    assert "1" in words
    assert "1.00002" in words


def test_numbers_that_differ_in_their_last_bit_only_look_the_same():
    target = np.array([[1 / 3, 1.0]])
    yours = np.array([[np.nextafter(1 / 3, 1), 2.0]])
    assert svg.target_and_yours(target, yours).svg.count("0.333<") == 2


def test_arrays_that_are_not_numbers_are_drawn_too():
    picture = svg.target_and_yours(np.ones(2), np.array([None, "x"], object))
    assert wrong_cells(picture) == 2
    assert wrong_cells(svg.target_and_yours([True, False], [True, True])) == 1
    assert wrong_cells(svg.target_and_yours([1 + 2j], [1 - 2j])) == 1


@pytest.mark.parametrize("strength", np.linspace(0, 1, 11))
def test_text_stands_out_on_every_colour(strength):
    for colour in (svg.BLACK, svg.ORANGE, svg.SKY, svg.GREEN, svg.YELLOW, svg.BLUE, svg.VERMILLION):
        fill = svg.tint(colour, strength)
        assert svg.contrast(svg.ink_on(fill), fill) >= 4.5


def test_text_stands_out_on_the_card():
    for ink in (svg.INK, svg.QUIET, svg.WRONG):
        assert svg.contrast(ink, svg.CARD) >= 4.5


def test_marks_fills_and_picks_reach_the_right_cell():
    drawing = svg.cells(
        [[1, 2], [3, 4]],
        wrong=[[False, True], [False, False]],
        focus=[[False, False], [True, False]],
        fill=[[svg.SKY, svg.ORANGE], [svg.GREEN, svg.PURPLE]],
        pick=lambda i, j: f"n={10 * i + j}",
    )
    read = Read(drawing.picture("four").svg)
    assert {t.words: t.pick for t in read.texts} == {
        "1": "n=0",
        "2": "n=1",
        "3": "n=10",
        "4": "n=11",
    }
    by_pick = {pick: [b for b in read.boxes if b.pick == pick] for pick in ("n=0", "n=1", "n=10")}
    assert [b.attributes["fill"] for b in by_pick["n=0"]] == [svg.SKY]
    assert by_pick["n=1"][1].attributes["stroke"] == svg.WRONG
    assert by_pick["n=10"][0].attributes["stroke"] == svg.BLACK


def test_cells_refuses_more_than_a_plane():
    with pytest.raises(ValueError, match=r"shape \(2, 2, 2\); give one plane"):
        svg.cells(np.zeros((2, 2, 2)))


def test_an_arrow_ends_where_it_is_told():
    points = ET.fromstring(f"<g>{svg.arrow(0, 0, 30, 40)}</g>").find("polygon").get("points")
    assert points.split()[0] == "30,40"
    assert "nan" not in svg.arrow(3, 3, 3, 3)


def test_drawings_are_laid_out_without_overlap():
    one, two = svg.cells([[1, 2]]), svg.cells([[3], [4]])
    side, stack = svg.beside(one, two, gap=10), svg.above(one, two, gap=10)
    assert (side.width, side.height) == (one.width + 10 + two.width, two.height)
    assert (stack.width, stack.height) == (one.width, one.height + 10 + two.height)
    for drawing in (side, stack, one.titled("a").noted("b")):
        assert Read(drawing.picture("x").svg).problems() == []


def test_an_image_holds_the_pixels_it_was_given():
    import io

    from matplotlib.image import imread

    pixels = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)
    element = ET.fromstring(svg.image(pixels, 1, 2, 70, 50))
    kind, _, data = element.get("href").partition(",")
    assert kind == "data:image/png;base64"
    decoded = imread(io.BytesIO(base64.b64decode(data)), format="png")
    assert np.array_equal(np.round(decoded * 255), pixels)
    assert [element.get(name) for name in ("x", "y", "width", "height")] == ["1", "2", "70", "50"]
