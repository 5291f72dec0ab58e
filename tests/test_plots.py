"""The pictures: they say what they show, and they draw what they are given."""

import doctest
import xml.etree.ElementTree as ET

import matplotlib.colors
import numpy as np
import pytest
from picture import Read

from cnnlib import plots, svg


def test_the_examples_run():
    assert doctest.testmod(plots).failed == 0


@pytest.mark.parametrize("lesson", plots.LESSONS)
def test_the_network_is_drawn_for_each_lesson(lesson):
    picture = plots.network(lesson)
    words = [
        text.text for text in ET.fromstring(picture.svg).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert Read(picture.svg).problems() == []
    assert Read(picture.svg).width <= 880  # so that it isn't shrunk on a page of 900 pixels
    names = [line for name, _, _ in plots.LAYERS for line in name.split("\n")]
    assert [word for word in words if word in names] == names
    for _, _, shape in plots.LAYERS:
        assert shape in words
        assert shape in picture.alt


def test_a_lesson_marks_what_it_builds_and_what_is_still_to_come():
    assert "This lesson builds Conv2D. Later lessons build MaxPool2D" in plots.network("conv").alt
    assert "Later" not in plots.network("dense").alt
    assert plots.network("conv").svg != plots.network("pool").svg


def test_an_unknown_lesson_is_refused():
    with pytest.raises(ValueError, match="there is no lesson 'maths'"):
        plots.network("maths")


def test_the_shapes_are_those_of_the_network():
    from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU

    layers = [
        *(Conv2D(1, 8, 3, padding=1), ReLU(), MaxPool2D(2)),
        *(Conv2D(8, 16, 3, padding=1), ReLU(), MaxPool2D(2)),
        *(Flatten(), Dense(784, 10)),
    ]
    x = np.zeros((1, 1, 28, 28))
    for layer, (name, _, shape) in zip(layers, plots.LAYERS, strict=False):
        x = layer.forward(x)
        assert type(layer).__name__ == name
        assert "×".join(map(str, x.shape[1:])) == shape


def test_pictures_are_shown_with_one_scale_and_their_titles():
    images = np.arange(24.0).reshape(2, 1, 3, 4)
    axes = plots.pictures(images, titles=["a", "b"]).axes
    assert [ax.get_title() for ax in axes] == ["a", "b"]
    assert {ax.images[0].get_clim() for ax in axes} == {(0.0, 23.0)}
    assert np.array_equal(axes[1].images[0].get_array(), images[1, 0])


def test_pictures_with_a_sign_have_their_zero_in_the_middle():
    images = np.arange(24.0).reshape(2, 3, 4) - 4
    axes = plots.pictures(images, signed=True).axes
    assert {ax.images[0].get_clim() for ax in axes} == {(-19.0, 19.0)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 4)),), r"shape \(3, 4\); give \(N, H, W\)"),
        ((np.zeros((3, 4, 5)), ["one"]), "1 titles for 3 pictures"),
    ],
)
def test_pictures_refuses_what_it_cannot_draw(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.pictures(*arguments)


def test_a_heat_map_is_white_at_zero():
    drawn = plots.heat(np.array([[-1.0, 0.0], [0.0, 3.0]])).axes[0].images[0]
    assert drawn.get_clim() == (-3.0, 3.0)


def test_a_shown_figure_keeps_its_alternative_text():
    bundle = plots.show(plots.strip([1, 2, 3]), alt='three "greys"')._repr_mimebundle_()
    assert bundle["text/plain"] == 'three "greys"'
    assert 'alt="three &quot;greys&quot;"' in bundle["text/html"]
    assert "data:image/png;base64," in bundle["text/html"]


def test_gradient_lengths_stand_between_the_layers_that_they_lie_between():
    figure = plots.gradient_lengths(["Conv2D", "ReLU", "Dense"], [0.5, 2.0, 1.0, 0.25])
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.5, 2.0, 1.0, 0.25]
    names = {
        label.get_text(): at
        for at, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    }
    middles = [bar.get_x() + bar.get_width() / 2 for bar in axes.patches]
    assert names["picture"] < middles[0] < names["Conv2D"] < middles[1] < names["ReLU"]
    assert names["ReLU"] < middles[2] < names["Dense"] < middles[3] < names["loss"]


@pytest.mark.parametrize("lengths", [[1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
def test_gradient_lengths_need_one_more_than_layers(lengths):
    with pytest.raises(ValueError, match="one more than there are layers"):
        plots.gradient_lengths(["Flatten", "Dense"], lengths)


def test_the_maps_of_a_layer_share_their_colours_and_each_layer_has_its_own():
    first, second = np.arange(24.0).reshape(2, 3, 4) - 30, np.full((5, 2, 2), 0.5)
    figure = plots.layer_maps([("Conv2D", first), ("ReLU", second)], columns=4)
    one, other = figure.subfigs
    assert [part.get_suptitle() for part in figure.subfigs] == ["Conv2D, 2×3×4", "ReLU, 5×2×2"]
    (above,), (below,) = (part.axes[0].images for part in (one, other))
    assert above.get_clim() == (-30.0, 30.0) and below.get_clim() == (-0.5, 0.5)
    assert np.array_equal(above.get_array()[1:4, 6:10], first[1])  # the second, in a frame of 1
    assert above.get_array().count() == first.size and below.get_array().count() == second.size
    assert below.get_array().shape == (2 * 3 + 1, 4 * 3 + 1)


def test_maps_of_zeros_are_white():
    axes = plots.layer_maps([("ReLU", np.zeros((1, 2, 2)))]).subfigs[0].axes[0]
    assert axes.images[0].get_clim() == (-1.0, 1.0)


def test_what_is_no_stack_of_maps_is_refused():
    with pytest.raises(ValueError, match=r"Flatten has shape \(6,\); give maps \(C, H, W\)"):
        plots.layer_maps([("Flatten", np.zeros(6))])


def test_an_overlay_outlines_what_is_in_the_picture():
    image = np.zeros((5, 6))
    image[1:3, 2:5] = 1
    image[4, 0] = 0.05  # too dark to belong to it
    (axes,) = plots.overlay(image[None], np.ones((1, 5, 6))).axes
    (outline,) = axes.collections
    sides = {frozenset(map(tuple, path.vertices)) for path in outline.get_paths()}
    assert len(sides) == 2 * (2 + 3)
    assert frozenset({(1.5, 0.5), (1.5, 1.5)}) in sides  # left of [1, 2]
    assert frozenset({(4.5, 1.5), (4.5, 2.5)}) in sides  # right of [2, 4]
    assert frozenset({(1.5, 0.5), (2.5, 0.5)}) in sides  # above [1, 2]


def test_each_overlaid_map_has_its_own_scale():
    maps = np.stack([np.eye(4), -3 * np.eye(4), 0 * np.eye(4)])
    axes = plots.overlay(np.ones((3, 1, 4, 4)), maps, titles="abc", columns=2).axes
    assert [ax.images[0].get_clim() for ax in axes] == [(-1.0, 1.0), (-3.0, 3.0), (-1.0, 1.0)]
    assert [ax.get_title() for ax in axes] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("images", "maps", "titles", "message"),
    [
        (np.ones((2, 4, 5)), np.ones((2, 5, 4)), None, r"maps \(2, 5, 4\); both must be"),
        (np.ones((4, 5)), np.ones((4, 5)), None, "both must be"),
        (np.ones((2, 4, 5)), np.ones((2, 4, 5)), ["one"], "1 titles for 2 pictures"),
    ],
)
def test_an_overlay_refuses_what_does_not_belong_together(images, maps, titles, message):
    with pytest.raises(ValueError, match=message):
        plots.overlay(images, maps, titles)


def test_a_confusion_matrix_shows_each_count_in_its_place():
    (axes,) = plots.confusion([[7, 3, 0], [0, 9, 1], [0, 0, 0]], ["Shirt", "Coat", "Bag"]).axes
    words = {words.get_position(): words.get_text() for words in axes.texts}
    assert words == {(0, 0): "7", (1, 0): "3", (1, 1): "9", (2, 1): "1"}  # (column, row)
    mistakes, right = (image.get_array() for image in axes.images)
    assert np.ma.compressed(mistakes).tolist() == [0.3, 0.1]
    assert np.ma.compressed(right).tolist() == [0.7, 0.9]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Shirt", "Coat", "Bag"]


def test_a_confusion_matrix_needs_a_name_for_each_class():
    with pytest.raises(ValueError, match=r"counts has shape \(2, 2\), but there are 3 names"):
        plots.confusion(np.eye(2), "abc")


def test_curves_can_be_told_apart_without_their_colours():
    lines = {name: ([1, 2, 3], [k, k, k]) for k, name in enumerate("abcdefg")}
    figure = plots.curves(lines, "step", "loss", bold="c", limits=(0, 9))
    (axes,) = figure.axes
    drawn = {line.get_label(): line for line in axes.lines}
    assert list(drawn) == list("abcdefg")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list("abcdefg")
    assert drawn["f"].get_ydata().tolist() == [5, 5, 5]
    assert drawn["c"].get_linewidth() > 2 * drawn["a"].get_linewidth()
    markers = [line.get_marker() for name, line in drawn.items() if name != "c"]
    assert len(set(markers)) == 6
    assert axes.get_ylim() == (0, 9)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss")


def test_curves_refuses_a_bold_curve_that_is_not_there():
    with pytest.raises(ValueError, match="there is no curve 'c'; there are a, b"):
        plots.curves({"a": ([1], [1]), "b": ([1], [2])}, "x", "y", bold="c")


def test_each_race_shows_every_run_beside_those_of_the_bold_one():
    x, right = [1, 2, 3], [[0, 1, 2], [0, 2, 4]]
    wrong = {name: (x, [[0, k, k], [k, k, k]]) for k, name in enumerate("abcd")}
    figure = plots.races(
        {"right": (x, right)} | wrong, "step", "score", bold="right", limits=(0, 9)
    )
    assert [axes.get_title() for axes in figure.axes] == list("abcd")
    for axes, (_, runs) in zip(figure.axes, wrong.values(), strict=True):
        drawn = [line.get_ydata().tolist() for line in axes.lines]
        assert drawn == [*right, [0, 1.5, 3], *runs, np.mean(runs, axis=0).tolist()]
        thin, strong = axes.lines[3].get_linewidth(), axes.lines[5].get_linewidth()
        assert strong > 3 * thin
        assert axes.lines[2].get_linestyle() != axes.lines[5].get_linestyle()
        assert axes.get_ylim() == (0, 9)
    assert figure.legends[0].get_texts()[0].get_text() == "right"


@pytest.mark.parametrize("names", ["ab", ["right"]])
def test_races_need_the_bold_runs_and_others(names):
    with pytest.raises(ValueError, match="give runs called 'right' and others beside them"):
        plots.races({name: ([1], [[1]]) for name in names}, "x", "y", bold="right")


def test_paths_are_drawn_from_their_first_point_to_their_last():
    one, other = [[-4, 1], [-3, 0], [-1, 0.5]], [[-4, 1], [1, 1]]
    axes = plots.paths({"one": one, "other": other}).axes
    assert [ax.get_title() for ax in axes] == ["one", "other"]
    way, begin, lowest = axes[0].lines
    assert way.get_xydata().tolist() == one
    assert begin.get_xydata().tolist() == [[-4, 1]]
    assert lowest.get_xydata().tolist() == [[0, 0]]


def test_a_table_holds_its_words_and_is_its_caption_as_text():
    table = plots.table(["a < b", "c"], [["row", "1"], ["next", "<b>"]], "What & why")
    assert repr(table) == "What & why"
    root = ET.fromstring(table._repr_html_())
    assert root.find("caption").text == "What & why"
    assert [head.text for head in root.findall("thead/tr/th")] == ["a < b", "c"]
    rows = [[cell.text for cell in row] for row in root.findall("tbody/tr")]
    assert rows == [["row", "1"], ["next", "<b>"]]
    assert [head.get("scope") for head in root.findall("tbody/tr/th")] == ["row", "row"]


def test_a_table_refuses_a_row_of_another_length():
    with pytest.raises(ValueError, match="1 words in a row, but 2 columns"):
        plots.table(["a", "b"], [["only"]], "A table")


def test_signs_have_the_same_two_colours_everywhere():
    colours = [matplotlib.colors.to_hex(plots.SIGNED(at)).upper() for at in (0.0, 0.5, 1.0)]
    assert colours == [svg.NEGATIVE, "#FFFFFF", svg.POSITIVE]


def test_handed_names_each_neighbour_in_both_directions():
    picture = plots.handed(["MaxPool2D", "Flatten", "Dense"], ["(N, 16, 7, 7)", "(N, 784)"])
    assert picture.alt == (
        "Forward, MaxPool2D hands (N, 16, 7, 7) to Flatten, Flatten hands (N, 784) to Dense. "
        "Backward, Dense returns a gradient of (N, 784) to Flatten, "
        "Flatten returns a gradient of (N, 16, 7, 7) to MaxPool2D."
    )
    assert picture.svg.count("<polygon") == 4
    with pytest.raises(ValueError, match="2 shapes between 2 layers"):
        plots.handed(["Flatten", "Dense"], ["a", "b"])
