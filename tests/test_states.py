"""The pictures that travel with a page are those that Python draws today."""

import re

import pytest

from cnnlib import explorers, svg
from cnnlib.explorers import states
from cnnlib.explorers.widget import Choice, Slider

STORED = sorted(set(explorers.__all__) - {"inside", "training"})
# What a network of floats shows may differ in the last bit between machines.
IMAGE = re.compile(r'href="data:image/png;base64,[^"]*"')


@pytest.mark.slow
@pytest.mark.parametrize("name", STORED)
def test_what_is_stored_is_what_is_drawn(name):
    """If this fails: python tools/pack_explorers.py."""
    draw = getattr(explorers, name).draw
    kept = states.stored(draw)
    now = states.pack(draw, getattr(explorers, name)().controls)
    if states.unpack(kept) == states.unpack(now):
        return
    assert states.unpack(kept)["controls"] == states.unpack(now)["controls"]
    assert states.unpack(kept)["blocks"] == states.unpack(now)["blocks"]
    for old, new in zip(states.pictures(kept), states.pictures(now), strict=True):
        assert IMAGE.sub("", old) == IMAGE.sub("", new)


def test_states_come_back_as_they_were_drawn():
    def draw(kind, n):
        return svg.cells(range(n + 1 if kind == "up" else 3 - n)).picture(f"{kind} {n}")

    controls = {
        "n": Slider("Cells", lambda values: 3 if values["kind"] == "up" else 2),
        "kind": Choice("Way", {"upwards": "up", "downwards": "down"}),
    }
    packed = states.pack(draw, controls)
    drawn = [draw("up", n).svg for n in range(4)] + [draw("down", n).svg for n in range(3)]
    assert list(states.pictures(packed)) == drawn
    assert [block["n"]["codes"] for block in states.unpack(packed)["blocks"]] == [
        [0, 1, 2, 3],
        [0, 1, 2],
    ]


def test_a_sample_travels_where_all_would_be_too_many():
    def draw(n, colour):
        return svg.cells([n]).picture(f"{n} {colour}")

    controls = {
        "n": Slider("n", lambda values: 1000, sample=lambda values: (0, 500, 1000)),
        "colour": Choice("Colour", {"red": 1, "blue": 2}, sample=["blue"]),
    }
    packed = states.pack(draw, controls)
    assert len(list(states.pictures(packed))) == 3
    assert dict(states.unpack(packed)["controls"])["colour"]["options"] == ["blue"]


def test_a_notebook_keeps_them_without_an_address_in_a_kernel():
    explorer = explorers.dense(4)
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" not in bundle
    kept = re.search(r'<script type="text/plain">(.*?)</script>', bundle["text/html"])[1]
    assert kept == states.stored(explorers.dense.draw)
    assert bundle["text/plain"] == explorers.dense.draw(4).alt
