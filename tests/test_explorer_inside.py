"""The browser through test pictures: what it shows is what the network does, and it can be read."""

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
from cnnlib import inside as looking
from cnnlib.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU
from cnnlib.losses import SoftmaxCrossEntropy
from cnnlib.network import Sequential
from cnnlib.optimizers import Adam
from cnnlib.training import fit

module = importlib.import_module("cnnlib.explorers.inside")
draw, Subject = module.draw, module.Subject
NAMES = [f"digit {k}" for k in range(10)]
NAMES[3] = "three & <more>, a name that is far too long for its bar"


class Trained:
    """A small network that makes mistakes, and sixty digits to look at it with."""

    def __init__(self):
        data, rng = datasets.load_digits(), np.random.default_rng(0)
        self.network = Sequential(
            [
                *(Conv2D(1, 6, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2)),
                *(Conv2D(6, 9, 1, rng=rng), Flatten(), Dense(144, 20, rng=rng), ReLU()),
                Dense(20, 10, rng=rng),
            ]
        )
        fit(
            self.network,
            data.train_images[:500] / np.float32(16),
            data.train_labels[:500],
            loss=SoftmaxCrossEntropy(),
            optimizer=Adam(self.network, 0.005),
            rng=rng,
            epochs=3,
            progress=False,
        )
        self.images, self.labels = data.test_images[::6] / np.float32(16), data.test_labels[::6]
        self.scores = self.network.forward(self.images)
        self.predictions = self.scores.argmax(axis=1)
        self.p = np.exp(self.scores) / np.exp(self.scores).sum(axis=1, keepdims=True)
        self.wrong = np.flatnonzero(self.predictions != self.labels)
        self.subject = Subject(self.network, self.images, self.labels, NAMES)


@pytest.fixture(scope="module")
def trained():
    return Trained()


def images(element):
    """The pixels of every image below an element, in the order in which they are drawn."""
    found = []
    for image in element.iter(NAMESPACE + "image"):
        data = base64.b64decode(image.get("href").partition(",")[2])
        found.append(np.round(imread(io.BytesIO(data), format="png") * 255).astype(int))
    return found


def picks(picture, name):
    """The elements that answer to `name=…`, by what they answer."""
    return {
        g.get("data-pick").partition("=")[2]: g
        for g in ET.fromstring(picture.svg).iter(NAMESPACE + "g")
        if g.get("data-pick", "").startswith(name + "=")
    }


def rects(element):
    return [
        {key: float(r.get(key)) for key in ("x", "y", "width", "height")} | {"fill": r.get("fill")}
        for r in element.iter(NAMESPACE + "rect")
    ]


def shows(pixels, values, strongest):
    """Whether colours tell these numbers: white is 0, orange above it, blue below."""
    share = np.abs(values) / (strongest or 1)
    red, _, blue = np.moveaxis(pixels, -1, 0)
    orange = np.abs(255 * (1 - share) - blue) <= 1.5  # which has no blue
    bluish = np.abs(255 * (1 - share) - red) <= 1.5  # which has no red
    return pixels.shape[:-1] == values.shape and np.where(values < 0, bluish, orange).all()


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0


def test_the_network_makes_mistakes_enough_to_look_at(trained):
    assert 3 <= len(trained.wrong) <= 30


def test_mistakes_come_with_the_most_confident_first(trained):
    chosen = trained.subject.chosen
    assert list(chosen["all"]) == list(range(len(trained.images)))
    assert sorted(chosen["mistakes"]) == list(trained.wrong)
    confidence = trained.p.max(axis=1)[chosen["mistakes"]]
    assert (np.diff(confidence) <= 0).all()


@pytest.mark.parametrize("pictures", ["all", "mistakes"])
def test_every_picture_is_told_truly(trained, pictures):
    for position, index in enumerate(trained.subject.chosen[pictures]):
        picture = draw(trained.subject, position, pictures, layer=position % 8)
        read = Read(picture.svg)
        assert read.problems() == []
        assert read.width <= 790 + 28
        assert len(picture.svg) < 150_000
        assert f'aria-label="{module.svg.escape(picture.alt)}"' in picture.svg

        true, said = trained.labels[index], trained.predictions[index]
        sure = f"{100 * trained.p[index, said]:.0f} %"
        sure = {"100 %": "over 99 %"}.get(sure, sure)
        if true == said:
            told = f"✓ {NAMES[true]}, and the network says so ({sure})"
        else:
            told = f"✗ {NAMES[true]}, but the network says {NAMES[said]} ({sure})"
        place = ""
        if pictures == "mistakes":
            count = len(trained.wrong)
            place = f", place {position} among the {count} mistakes, the most confident first"
        assert picture.alt.startswith(f"images[{index}]{place}: {told}. Probabilities: ")
        title = next(t for t in read.texts if t.words[0] in "✓✗")
        assert title.words[0] == told[0] and title.words.endswith(f"({sure})")

        grey = images(ET.fromstring(picture.svg))[0]
        assert np.abs(grey - 255 * trained.images[index, 0][..., None]).max() <= 0.5


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0, "under 1 %"),
        (0.0049, "under 1 %"),
        (0.0051, "1 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.996, "over 99 %"),
        (1.0, "over 99 %"),
    ],
)
def test_no_probability_is_told_as_0_or_100_percent(p, words):
    assert module._percent(p) == words


def test_the_bars_are_the_probabilities(trained):
    for index in range(len(trained.images)):
        picture = draw(trained.subject, index)
        rows = picks(picture, "score")
        assert list(rows) == NAMES
        written = [float(list(row.iter(NAMESPACE + "text"))[1].text) for row in rows.values()]
        assert written == pytest.approx(trained.p[index], abs=6e-4)
        assert sum(written) == pytest.approx(1, abs=0.005)
        bars = [rects(row)[1] for row in rows.values()]
        lengths = np.array([bar["width"] for bar in bars])
        assert lengths / lengths.sum() == pytest.approx(trained.p[index], abs=1e-3)
        dark = [k for k, bar in enumerate(bars) if bar["fill"] == module.svg.INK]
        assert dark == [trained.predictions[index]]
        weights = [next(row.iter(NAMESPACE + "text")).get("font-weight") for row in rows.values()]
        assert [k for k, weight in enumerate(weights) if weight] == [trained.labels[index]]

        told = re.search(r"Probabilities: (.*?)\. Saliency", picture.alt)[1]
        order = np.argsort(-trained.p[index])
        assert re.findall(r"(?:^|, )(digit \d|three.*? bar) ", told) == [NAMES[k] for k in order]
        for words, p in zip(
            re.findall(r"((?:under|over)?) ?(\d+) %", told), trained.p[index][order], strict=True
        ):
            bound, percent = words[0], int(words[1])
            if bound:
                assert percent == {"under": 1, "over": 99}[bound]
                assert p < 0.005 if bound == "under" else p > 0.995
            else:
                assert 100 * p == pytest.approx(percent, abs=0.5) and 1 <= percent <= 99


@pytest.mark.sampled
@pytest.mark.parametrize("score", ["predicted", "true", *range(10)])
def test_the_saliency_is_that_of_the_class_chosen(trained, score):
    for position, index in enumerate(trained.subject.chosen["mistakes"]):
        picture = draw(trained.subject, position, "mistakes", score=score)
        assert Read(picture.svg).problems() == []
        of = {"predicted": trained.predictions[index], "true": trained.labels[index]}
        of = int(of.get(score, score))
        one = slice(index, index + 1)
        right = looking.saliency(trained.network, trained.images[one], np.array([of]))[0]
        grey, drawn, both, *_ = images(ET.fromstring(picture.svg))
        assert shows(drawn, right, right.max())
        strength = right[..., None] / right.max()
        mixed = (1 - strength) * grey + strength * np.array([0xE6, 0x9F, 0x00])
        assert np.abs(both - mixed).max() <= 1
        row, column = np.unravel_index(right.argmax(), right.shape)
        assert list(both[row, column]) == [0xE6, 0x9F, 0x00]
        assert f"It is largest in row {row}, column {column}." in picture.alt

        most = float(re.search(r"full orange (\S+) per unit", picture.alt)[1])
        assert most == pytest.approx(right.max(), rel=5e-3)
        rows = picks(picture, "score")
        framed = [k for k, row in enumerate(rows.values()) if row[0].get("stroke")]
        assert framed == [of]


@pytest.mark.sampled
@pytest.mark.parametrize("layer", range(8))
def test_every_part_of_every_layer_is_what_the_layer_returns(trained, layer):
    for index in (0, 7):
        pairs = looking.feature_maps(trained.network, trained.images[index : index + 1])
        name, array = pairs[layer][0], pairs[layer][1][0]
        for part in range(len(array)):
            picture = draw(trained.subject, index, layer=layer, part=part)
            assert Read(picture.svg).problems() == []
            noun = "maps of 8 × 8" if array.shape == (6, 8, 8) else "maps of 4 × 4"
            noun = noun if array.ndim == 3 else "numbers"
            assert f"Layer {layer}, {name}, returns {len(array)} {noun}." in picture.alt
            ends = re.search(r"Numbers from (\S+) to (\S+):", picture.alt).groups()
            assert [float(n) for n in ends] == pytest.approx([array.min(), array.max()], rel=5e-3)

            now = array[part]
            parts = picks(picture, "part")
            if array.ndim == 3:
                told = re.search(rf"Map {part}: (\S+) to (\S+)\.$", picture.alt).groups()
                told = [float(n) for n in told]
                assert told == pytest.approx([now.min(), now.max()], rel=0.05)
                assert shows(images(ET.fromstring(picture.svg))[3], now, np.abs(now).max())
                assert list(parts) == [str(k) for k in range(len(array))]
                for tile, values in zip(parts.values(), array, strict=True):
                    assert shows(images(tile)[0], values, np.abs(array).max())
                framed = [
                    k for k, g in enumerate(parts.values()) if g[1].get("stroke") == "#1F2328"
                ]
                assert framed == [part]
            else:
                told = re.search(rf"Number {part}: ([^\s,]+?)(\.|, the score\.)$", picture.alt)
                assert float(told[1]) == pytest.approx(now, rel=5e-3)
                assert (told[2] != ".") == (layer == 7), "scores are what the last layer returns"


@pytest.mark.parametrize("layer", [5, 6, 7])
def test_few_numbers_are_columns_up_or_down_from_zero(trained, layer):
    array = looking.feature_maps(trained.network, trained.images[:1])[layer][1][0]
    picture = draw(trained.subject, layer=layer, part=2)
    zero = [float(line.get("y1")) for line in ET.fromstring(picture.svg).iter(NAMESPACE + "line")]
    both = [rects(g) for g in picks(picture, "part").values()]
    assert len(both) == len(array)
    for value, (room, column) in zip(array, both, strict=True):
        end = column["y"] + column["height"] if value < 0 else column["y"]
        start = column["y"] if value < 0 else column["y"] + column["height"]
        assert start == pytest.approx(zero[0], abs=0.02)
        span = max(array.max(), 0) - min(array.min(), 0)
        assert (zero[0] - end) / room["height"] == pytest.approx(value / span, abs=1e-3)
        assert room["x"] < column["x"] and column["y"] >= room["y"] - 0.02
    assert [k for k, (room, _) in enumerate(both) if room["fill"] != "transparent"] == [2]


def test_many_numbers_are_colours_in_four_lines(trained):
    array = looking.feature_maps(trained.network, trained.images[:1])[4][1][0]
    picture = draw(trained.subject, layer=4, part=100)
    lines = images(ET.fromstring(picture.svg))[3:]
    assert [line.shape for line in lines] == [(1, 36, 3)] * 4
    assert shows(np.concatenate(lines, axis=1)[0], array, np.abs(array).max())
    words = [t.words for t in Read(picture.svg).texts]
    assert [w for w in words if re.fullmatch(r"\d+ to \d+", w)] == [
        "0 to 35",
        "36 to 71",
        "72 to 107",
        "108 to 143",
    ]
    (mark,) = [
        r
        for r in ET.fromstring(picture.svg).iter(NAMESPACE + "rect")
        if "2" == r.get("stroke-width")
    ]
    cell = (module.WIDTH - module.TILES) / 36
    assert float(mark.get("x")) + 1 == pytest.approx(module.TILES + 28 * cell, abs=0.01)


# ---------------------------------------------------------------- networks of other shapes


class Mine:
    """A layer as a learner may write it: no base class, loops, float64 inside."""

    def __init__(self, F):
        self.W = np.random.default_rng(1).normal(size=(F, 1, 3, 3))

    def forward(self, x):
        self.x = x
        N, _, H, W = x.shape
        y = np.zeros((N, len(self.W), H - 2, W - 2))
        for n, f, i, j in np.ndindex(*y.shape):
            y[n, f, i, j] = (x[n, :, i : i + 3, j : j + 3] * self.W[f]).sum()
        return y

    def backward(self, dy):
        dx = np.zeros(self.x.shape)
        for n, f, i, j in np.ndindex(*dy.shape):
            dx[n, :, i : i + 3, j : j + 3] += dy[n, f, i, j] * self.W[f]
        return dx


class Chain:
    """A network as a learner may write it."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


class Lines:
    """A layer that returns neither maps nor a row: (N, C·H, W)."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1, x.shape[-1])

    def backward(self, dy):
        return dy.reshape(self.shape)


class Dead:
    """A layer through which nothing comes."""

    def forward(self, x):
        return np.zeros_like(x)

    def backward(self, dy):
        return np.zeros_like(dy)


def subject_of(*layers, shape=(8, 8), classes=10, count=4):
    pictures = np.random.default_rng(2).uniform(size=(count, 1, *shape))
    names = [f"class {k}" for k in range(classes)]
    return Subject(Chain(*layers), pictures, np.arange(count) % classes, names)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(lambda: subject_of(Mine(3), Flatten(), Dense(108, 10, rng=0)), id="loops"),
        pytest.param(
            lambda: subject_of(Mine(2), Lines(), Flatten(), Dense(72, 10, rng=0)), id="lines"
        ),
        pytest.param(
            lambda: subject_of(Flatten(), Dense(96, 2, rng=0), shape=(12, 8), classes=2), id="high"
        ),
        pytest.param(
            lambda: subject_of(Mine(5), Flatten(), Dense(135, 3, rng=0), shape=(5, 11), classes=3),
            id="wide",
        ),
        pytest.param(
            lambda: subject_of(
                Conv2D(1, 70, 8, rng=0), Flatten(), Dense(70, 26, rng=0), classes=26
            ),
            id="seventy maps of one pixel, and the alphabet",
        ),
        pytest.param(lambda: subject_of(Flatten(), Dead(), Dense(64, 10, rng=0)), id="dead"),
        pytest.param(lambda: subject_of(Mine(1), Flatten(), Dense(36, 10), count=1), id="one"),
    ],
)
def test_networks_of_other_shapes_are_readable_too(subject):
    subject = subject()
    for pictures in ("all", "mistakes"):
        for position in range(len(subject.chosen[pictures])):
            for layer in range(len(subject.layers)):
                for part in {0, subject.parts(layer) - 1}:
                    picture = draw(subject, position, pictures, layer, part)
                    assert Read(picture.svg).problems() == []
                    assert "nan" not in picture.svg


def test_maps_that_are_not_drawn_are_told_and_can_be_drawn_large():
    subject = subject_of(Conv2D(1, 70, 8, rng=0), Flatten(), Dense(70, 10, rng=0))
    picture = draw(subject, layer=0, part=69)
    assert "returns 70 maps of 1 × 1, of which the first 64 are drawn." in picture.alt
    assert len(picks(picture, "part")) == 64
    assert "Map 69: " in picture.alt


def test_where_nothing_comes_through_no_pixel_matters():
    subject = subject_of(Flatten(), Dead(), Dense(64, 10, rng=0))
    assert "Saliency: no pixel moves the score of class 0. Layer" in draw(subject, score=0).alt


# ---------------------------------------------------------------- the network and the widget


def test_the_network_is_looked_at_as_it_was(trained):
    picture = draw(trained.subject, 5, layer=3, part=1, score=2)
    network = trained.network
    network.forward(trained.images[:2])
    subject = Subject(network, trained.images, trained.labels, NAMES)
    for layer in network.layers:
        if hasattr(layer, "W"):
            layer.W = -layer.W
    try:
        assert draw(subject, 5, layer=3, part=1, score=2) == picture
        dx = network.backward(np.ones((2, 10), np.float32))
        assert dx.shape == (2, 1, 8, 8), "what forward kept is still there"
    finally:
        for layer in network.layers:
            if hasattr(layer, "W"):
                layer.W = -layer.W


def test_another_layer_asks_nothing_of_the_network_anew(trained):
    walks = []

    class Counting(Dead):
        def forward(self, x):
            walks.append(len(x))
            return x

        def backward(self, dy):
            return dy

    network = Chain(Counting(), *trained.network.layers)
    subject = Subject(network, trained.images, trained.labels, NAMES)
    draw(subject, 3)
    before = len(walks)
    for layer in range(9):
        draw(subject, 3, layer=layer)
    assert len(walks) == before
    draw(subject, 3, score=(trained.predictions[3] + 1) % 10)
    assert walks[before:] == [1], "the saliency of another class"
    draw(subject, 4)
    assert walks[before:] == [1] * 3, "saliency and maps of another picture"


def test_the_widget_moves_through_pictures_layers_and_classes(trained):
    explorer = explorers.inside(trained.network, trained.images, trained.labels, NAMES)
    specs = dict(explorer.view["controls"])
    mistakes = len(trained.wrong)
    assert specs["pictures"]["options"] == ["all 57", f"the {mistakes} mistakes only"]
    assert specs["score"]["options"] == ["the prediction", "the true class", *NAMES]
    assert specs["layer"]["options"][::4] == ["0 Conv2D (6, 8, 8)", "4 Flatten (144,)"]
    assert (specs["position"]["last"], specs["part"]["last"]) == (56, 5)

    explorer.codes = explorer.codes | {"position": 50, "layer": "4 Flatten (144,)"}
    explorer.codes = explorer.codes | {"part": 143, "score": NAMES[3]}
    expected = draw(trained.subject, 50, "all", 4, 143, 3)
    assert explorer.picture.alt == expected.alt and explorer.view["svg"] == expected.svg
    explorer.codes = explorer.codes | {"pictures": specs["pictures"]["options"][1]}
    assert explorer.values["position"] == mistakes - 1
    explorer.codes = explorer.codes | {"layer": "0 Conv2D (6, 8, 8)"}
    assert explorer.picture.alt == draw(trained.subject, mistakes - 1, "mistakes", 0, 5, 3).alt
    # What the picture answers when it is pointed at is what the controls offer.
    assert set(picks(explorer.picture, "score")) <= set(specs["score"]["options"])
    assert max(map(int, picks(explorer.picture, "part"))) == 5


def test_where_there_is_no_mistake_none_are_on_offer(trained):
    right = np.flatnonzero(trained.predictions == trained.labels)
    arguments = (trained.network, trained.images[right], trained.labels[right], NAMES)
    explorer = explorers.inside(*arguments)
    assert dict(explorer.view["controls"])["pictures"]["options"] == [f"all {len(right)}"]
    with pytest.raises(ValueError, match="makes no mistake here; choose pictures='all'"):
        explorers.inside(*arguments, pictures="mistakes")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"position": 57}, "position is 57; there are 0 to 56"),
        ({"position": -1}, "position is -1"),
        ({"pictures": "right"}, "pictures is 'right'; choose 'all' or 'mistakes'"),
        ({"layer": 8}, "layer is 8; there are 0 to 7"),
        ({"part": 6}, "part is 6; there are 0 to 5"),
        ({"layer": 7, "part": 10}, "part is 10; there are 0 to 9"),
        ({"score": 10}, "score is 10; choose 'predicted', 'true', or a class, 0 to 9"),
        ({"score": "wrong"}, "score is 'wrong'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(trained, settings, message):
    with pytest.raises(ValueError, match=message):
        draw(trained.subject, **settings)
    with pytest.raises(ValueError, match=message):
        explorers.inside(trained.network, trained.images, trained.labels, NAMES, **settings)


def nan_layer():
    layer = Dense(64, 10, rng=0)
    layer.W = np.full_like(layer.W, np.nan)
    return layer


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"images": np.zeros((3, 8, 8))}, ValueError, r"images has shape \(3, 8, 8\), .*\(N, 1, H"),
        ({"images": np.zeros((3, 3, 8, 8))}, ValueError, r"must be \(N, 1, H, W\): grey pictures"),
        ({"images": np.zeros((0, 1, 8, 8))}, ValueError, "at least one"),
        ({"images": np.zeros((3, 1, 8, 8), np.uint8)}, TypeError, "images hold uint8.*float32"),
        ({"labels": np.zeros(4, int)}, ValueError, r"labels has shape \(4,\), .*must be \(3,\)"),
        ({"labels": np.zeros((3, 10), int)}, ValueError, r"labels has shape \(3, 10\)"),
        ({"labels": np.zeros(3)}, TypeError, "labels hold float64, but must hold integers"),
        ({"labels": np.array([0, 10, 1])}, ValueError, r"labels\[1\] is 10, .*from 0 to 9"),
        ({"labels": np.array([0, 1, -1])}, ValueError, r"labels\[2\] is -1"),
        ({"class_names": NAMES[:9]}, ValueError, "10 scores for each picture, .* 9 class names"),
        ({"class_names": ["a"] * 10}, ValueError, "class_names must be different words"),
        ({"class_names": ["the true class", *"abcdefghi"]}, ValueError, "must be different words"),
        ({"network": Dense(64, 10)}, TypeError, "Dense without layers"),
        ({"network": Sequential([])}, ValueError, "network.layers is empty"),
        ({"network": Sequential([ReLU()])}, ValueError, r"ReLU, returns \(1, 8, 8\) .* \(K,\)"),
        ({"network": Sequential([Flatten(), nan_layer()])}, ValueError, "scores are not finite"),
    ],
)
def test_wrong_arguments_are_refused_with_what_to_do(changes, error, message):
    arguments = {
        "network": Sequential([Flatten(), Dense(64, 10, rng=0)]),
        "images": np.zeros((3, 1, 8, 8), np.float32),
        "labels": np.array([0, 1, 2]),
        "class_names": NAMES,
    }
    with pytest.raises(error, match=message):
        explorers.inside(**arguments | changes)
