"""The walk through the network: every step of every setting is true, readable and within reach."""

import base64
import doctest
import importlib
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.image import imread
from picture import NAMESPACE, Read

from cnnlib import datasets, explorers
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential

module = importlib.import_module("cnnlib.explorers.network")
draw, walk, LAYERS, WRONG = module.draw, module.walk, module.LAYERS, module.WRONG
STEPS, SETTINGS = range(19), [None, *WRONG]
MAPS = [k for k in STEPS if walk()[k].array.ndim == 4]


def images(picture):
    """The pixels of every image in a picture; the first one is the shirt of the chain."""
    for element in ET.fromstring(picture.svg).iter(NAMESPACE + "image"):
        data = base64.b64decode(element.get("href").partition(",")[2])
        yield np.round(imread(io.BytesIO(data), format="png") * 255).astype(int), element


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0


def test_the_walk_is_that_of_a_network():
    data = datasets.load_fashion_mnist()
    x = data.test_images[data.test_labels == 6][:1] / 255
    assert data.class_names[6] == "Shirt"
    net, loss = Sequential(module._layers(None)), SoftmaxCrossEntropy()
    steps = walk()
    assert [type(layer).__name__ for layer in net.layers] == list(LAYERS)
    assert np.array_equal(steps[0].array, x)
    assert np.array_equal(steps[8].array, net.forward(x))
    loss.forward(steps[8].array, np.array([6]))
    assert np.array_equal(steps[9].array, loss.p)
    assert np.array_equal(steps[18].array, net.backward(loss.backward()))
    for k in range(9):
        assert steps[k].array.shape == steps[18 - k].array.shape, "a gradient has its array's shape"
    for k, layer in enumerate(net.layers):
        found = steps[18 - k].found
        assert set(found) == ({"dW", "db"} if hasattr(layer, "W") else set())
        assert all(np.array_equal(a, getattr(layer, name)) for name, a in found.items())


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_layer_spoils_what_comes_after_it_on_the_way_back_and_nothing_else(wrong):
    place = WRONG[wrong][0]
    for k in STEPS:
        right, mine = walk()[k], walk(wrong)[k]
        assert mine.array.shape == right.array.shape
        agrees = np.allclose(mine.array, right.array, atol=1e-12)
        assert agrees == (k < 18 - place)
        assert ("dx" in module.astray(wrong, k)) == (not agrees)
        for name in right.found:
            same = np.allclose(mine.found[name], right.found[name], atol=1e-12)
            assert same == (k <= 18 - place)
            assert (name in module.astray(wrong, k)) == (not same)


@pytest.mark.parametrize("wrong", SETTINGS)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_true_and_readable(step, wrong):
    picture = draw(step, wrong)
    read = Read(picture.svg)
    assert read.problems() == []
    assert read.width <= 790 + 28

    now, array = walk(wrong)[step], walk(wrong)[step].array
    words = " ".join(t.words for t in read.texts)
    assert picture.alt.startswith(f"The network, step {step} of 18.")
    assert f"shape {array.shape}" in picture.alt and str(array.shape) in words
    if 1 <= step <= 8:
        assert f"Forward: {LAYERS[step - 1]} returns y" in words
    if 11 <= step:
        assert f"Backward: {LAYERS[18 - step]} returns dx" in words
    for name, a in (walk()[19 - step].kept if step > 9 else now.kept).items():
        told = f"{name} = {a}" if isinstance(a, tuple) else f"{name} ({','.join(map(str, a.shape))}"
        assert told in words and told in picture.alt
    for name in now.found:
        assert f"{name} (" in picture.alt
    wrong_here = module.astray(wrong, step)
    assert ("✗ Wrong numbers" in picture.alt) == bool(wrong_here)
    assert all(f"{count:,} in {name}" in picture.alt for name, count in wrong_here.items())
    if step > 9 and not wrong_here:
        length = float(re.search(r"sum of squares, is (\S+)\.$", picture.alt)[1])
        assert length == pytest.approx(np.linalg.norm(array), rel=5e-3)

    # The layer at work is yellow, the wrong one has a dashed outline.
    layers = [b for b in read.boxes if b.bottom - b.top == module.TOP]
    at_work = [k for k, box in enumerate(layers) if box.attributes["fill"] == module.svg.YELLOW]
    assert at_work == ([] if step in (0,) else [step - 1] if step <= 9 else [18 - step])
    dashed = [k for k, box in enumerate(layers) if "stroke-dasharray" in box.attributes]
    assert dashed == ([WRONG[wrong][0]] if wrong else [])


@pytest.mark.parametrize("step", MAPS)
def test_maps_have_the_colours_of_their_numbers(step):
    array = walk()[step].array[0]
    _, (sheet, element) = images(draw(step))
    C, H, W = array.shape
    rows = 1 if C == 1 else 2
    scale = float(element.get("width")) / sheet.shape[1]
    assert scale == float(element.get("height")) / sheet.shape[0] == int(scale) >= 3
    for c in range(C):
        i, j = divmod(c, C // rows)
        tile = sheet[i * (H + 1) : i * (H + 1) + H, j * (W + 1) : j * (W + 1) + W]
        assert tile.shape == (H, W, 3)
        if step <= 9:
            share = (array[c] - array.min()) / (array.max() - array.min())
            assert np.array_equal(tile[..., 0], np.round(255 * share))
            assert (tile == tile[..., :1]).all(), "grey"
        else:
            red, blue = tile[..., 0], tile[..., 2]
            strong = np.abs(array[c]) > 0.02 * np.abs(array).max()
            assert (red > blue)[strong & (array[c] > 0)].all(), "orange above 0"
            assert (blue > red)[strong & (array[c] < 0)].all(), "blue below 0"
            assert (tile == 255).all(axis=-1)[array[c] == 0].all(), "white is 0"


@pytest.mark.parametrize("step", [7, 11])
def test_the_row_is_drawn_in_four_lines(step):
    array = walk()[step].array[0]
    _, *lines = images(draw(step))
    assert [pixels.shape for pixels, _ in lines] == [(1, 196, 3)] * 4
    drawn = np.concatenate([pixels[0] for pixels, _ in lines])
    brightest = drawn[:, 0] if step == 7 else drawn[:, 0] - drawn[:, 2]
    assert np.argmax(brightest) == np.argmax(array)


@pytest.mark.parametrize("step", [8, 9, 10])
def test_the_ten_classes_have_their_numbers_and_bars(step):
    array = walk()[step].array[0]
    read = Read(draw(step).svg)
    shown = [float(t.words) for t in read.texts if re.fullmatch(r"-?\d\.\d{3}", t.words)]
    assert shown == [float(f"{value:.3f}") for value in array]
    bars = [b for b in read.boxes if b.bottom - b.top == pytest.approx(10)]
    lengths = np.array([b.right - b.left for b in bars])
    assert lengths / lengths.max() == pytest.approx(np.abs(array) / np.abs(array).max(), abs=1e-3)


def test_every_step_can_be_pointed_at():
    picks = set(re.findall(r'data-pick="step=(\d+)"', draw(0).svg))
    assert picks == {str(k) for k in STEPS}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step": 19}, "step is 19; the walk has 0 to 18"),
        ({"step": -1}, "step is -1"),
        ({"wrong": "dense"}, "wrong is 'dense'; choose None, 'flatten', 'pool', 'conv'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        draw(**settings)
    with pytest.raises(ValueError, match=message):
        explorers.network(**settings)


def test_the_widget_moves_through_the_walk():
    explorer = explorers.network()
    for step in STEPS:
        explorer.codes = explorer.codes | {"step": step}
        assert explorer.picture.alt == draw(step).alt
    explorer.codes = explorer.codes | {"wrong": WRONG["pool"][2]}
    assert explorer.picture.alt == draw(18, "pool").alt


# A window


@pytest.mark.parametrize(
    ("window", "place"), [(1, (5, 14, 8)), (1, (0, 0, 27)), (4, (5, 4, 7)), (4, (15, 13, 0))]
)
def test_a_window_holds_what_its_number_is_made_of(window, place):
    f, row, column = place
    picture = draw(window=window, map=f, row=row, column=column)
    read = Read(picture.svg)
    assert read.problems() == []
    layer = module._layers(None)[window - 1]
    x = np.pad(walk()[window - 1].array[0], ((0, 0), (1, 1), (1, 1)))
    x = x[:, row : row + 3, column : column + 3]
    grids = [float(text.words) for text in read.texts if text.attributes.get("font-size") == "9"]
    expected = np.concatenate([a.ravel() for a in (x, layer.W[f], x * layer.W[f])])
    assert grids == pytest.approx(expected, abs=0.0051)
    total = (x * layer.W[f]).sum() + layer.b[f]
    assert walk()[window].array[0, f, row, column] == pytest.approx(total)
    told = re.search(rf"y\[0, {f}, {row}, {column}\] = (\S+)\. ", picture.alt)[1]
    assert float(told) == pytest.approx(total, abs=0.0051)
    # The mark lies around the pixel, in the right map.
    marks = [b for b in read.boxes if b.attributes.get("stroke") == module.svg.VERMILLION]
    x, _, side = module._place_of(walk()[window].array.shape[1:], f)
    _, (_, sheet) = images(picture)
    assert marks[0].right - marks[0].left == side + 4
    assert float(marks[0].attributes["x"]) + 2 == x + column * side < float(sheet.get("width"))


@pytest.mark.parametrize(
    ("window", "place"), [(3, (5, 5, 8)), (3, (0, 13, 13)), (6, (0, 0, 0)), (6, (2, 3, 6))]
)
def test_a_pools_window_holds_its_pixels_and_says_who_gets_the_gradient(window, place):
    f, row, column = place
    picture = draw(window=window, map=f, row=row, column=column)
    read = Read(picture.svg)
    assert read.problems() == []
    layer = module._layers(None)[window - 1]
    x = walk()[window - 1].array
    y = layer.forward(x)
    dy = np.zeros_like(y)
    dy[0, f, row, column] = 1
    (winner,) = np.argwhere(layer.backward(dy)).tolist()
    cells = [float(t.words) for t in read.texts if re.fullmatch(r"-?\d+\.\d\d", t.words)]
    of_x = x[0, f, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    assert cells == pytest.approx([*of_x.flat, y[0, f, row, column]], abs=0.0051)
    assert f"dx{winner}" in picture.alt
    assert ("tie" in picture.alt) == ((of_x == of_x.max()).sum() > 1)
    lit = [b for b in read.boxes if b.attributes["fill"] == module.svg.ORANGE]
    assert len(lit) == 2  # the winner and y


def test_each_map_leads_to_its_windows():
    for step, maps, side in ((1, 8, 28), (3, 8, 14), (4, 16, 14), (6, 16, 7)):
        found = re.findall(r'data-open="(.*?)" data-field="(.*?)"', draw(step).svg)
        words = module.WINDOWS[step]
        expected = [(f"window={words};map={f}", f"row={side};column={side}") for f in range(maps)]
        assert found == expected


def test_what_travels_is_a_sample_and_a_kernel_knows_all():
    explorer = explorers.network(4)
    explorer.codes = explorer.codes | {"window": module.WINDOWS[4], "map": 3, "row": 13}
    assert "y[0, 3, 13, 0]" in explorer.picture.alt
    hidden = [name for name, spec in explorer.view["controls"] if spec.get("hidden")]
    assert hidden == ["step"]
    explorer.codes = explorer.codes | {"window": "all that is handed on"}
    hidden = [name for name, spec in explorer.view["controls"] if spec.get("hidden")]
    assert hidden == ["map", "row", "column"]
    assert explorer.picture.svg == draw(4).svg


@pytest.mark.parametrize("place", [{"map": 8}, {"row": 28}, {"column": -1}])
def test_a_window_beyond_the_map_is_refused(place):
    with pytest.raises(ValueError, match=r"is no place of y, \(8, 28, 28\)"):
        draw(window=1, **place)
