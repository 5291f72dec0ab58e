"""The explorer for memory: every setting draws a true and readable picture."""

import doctest
import importlib
import itertools
import re

import numpy as np
import pytest
from picture import Read

from cnnlib import explorers

memory = importlib.import_module("cnnlib.explorers.memory")
draw = explorers.memory.draw

POSITIONS = range(memory.OH * memory.OW)
GRID = [*itertools.product(memory.ORDERS, memory.READS)]
TAGGED = np.array(["".join(map(str, index)) for index in np.ndindex(memory.SHAPE)]).reshape(
    memory.SHAPE
)


def in_memory(order):
    """The array as NumPy lays it out, each number its own index, and NumPy's strides in numbers."""
    axes = ["NCHW".index(axis) for axis in order]
    return np.ascontiguousarray(TAGGED.transpose(axes))


def reading(position, reads):
    """The indices that are read, from the definition of a window."""
    i, j = divmod(position, memory.OW)
    columns = range(memory.OW) if reads == "row" else [j]
    return {
        f"{n}{c}{i + k}{j + m}"
        for n in range(1 if reads == "window" else memory.N)
        for c in range(memory.C)
        for j in columns
        for k, m in np.ndindex(memory.KH, memory.KW)
    }


def test_the_examples_run():
    assert doctest.testmod(memory).failed == 0


def test_there_are_few_states():
    assert len(GRID) * len(POSITIONS) <= 300


@pytest.mark.sampled
@pytest.mark.parametrize(("order", "reads"), GRID)
def test_every_picture_is_true_and_readable(order, reads):
    stored = in_memory(order)
    for position in POSITIONS:
        picture = draw(position, order, reads)
        read = Read(picture.svg)
        assert read.problems() == []

        # Memory is drawn as NumPy lays the array out, and each map's cell shows its place in it.
        cells = [t.words for t in read.texts if t.pick]
        half = memory.N * memory.C * memory.H * memory.W
        assert cells[half:] == list(stored.ravel())
        assert cells[:half] == [str(cells[half:].index(tag)) for tag in TAGGED.ravel()]

        # What is read is strongly coloured, above and below.
        boxes = [b for b in read.boxes if b.pick]
        strong = [b.attributes["fill"] in memory.STRONG for b in boxes]
        touched = reading(position, reads)
        assert {tag for tag, on in zip(cells[half:], strong[half:], strict=True) if on} == touched
        assert {tag for tag, on in zip(TAGGED.ravel(), strong, strict=False) if on} == touched

        # The strides are NumPy's.
        for axis, stride in zip(order, stored.strides, strict=True):
            assert re.search(rf"strides .*{axis} {stride // stored.itemsize}\b", picture.alt)

        # Runs and lines are counted along the cells of memory.
        on = strong[half:]
        runs = sum(now and not before for before, now in itertools.pairwise([False, *on]))
        lines = sum(any(on[k : k + memory.LINE]) for k in range(0, half, memory.LINE))
        words = rf"{sum(on)} numbers in {runs} runs?, on {lines} of 8 lines"
        assert re.search(words, picture.alt)
        assert any(re.search(words, t.words) for t in read.texts)


def test_a_row_of_windows_is_one_run_where_pictures_come_last():
    for position in POSITIONS:
        assert " in 1 run, " in draw(position, "HCWN", "row").alt


def test_pointing_at_a_pixel_moves_the_window_there():
    for position in POSITIONS:
        for text in Read(draw(position).svg).texts:
            if text.pick and len(text.words) == 4:
                _, _, h, w = map(int, text.words)
                target = int(text.pick.removeprefix("position="))
                assert divmod(target, memory.OW) == (min(h, memory.OH - 1), min(w, memory.OW - 1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"position": 9}, "position is 9; there are 0 to 8"),
        ({"position": -1}, "position is -1"),
        ({"order": "CHWN"}, "orders are NCHW, NHWC, HCWN; got 'CHWN'"),
        ({"reads": "all"}, "reads are window, batch, row; got 'all'"),
    ],
)
def test_memory_refuses_what_it_cannot_draw(settings, message):
    with pytest.raises(ValueError, match=message):
        draw(**settings)


def test_every_control_is_heard():
    explorer = explorers.memory()
    controls = dict(explorer.view["controls"])
    for order, reads in itertools.product(
        controls["order"]["options"], controls["reads"]["options"]
    ):
        explorer.codes = {"position": 5, "order": order, "reads": reads}
        keys = [k for k, words in memory.ORDERS.items() if words == order]
        keys += [k for k, words in memory.READS.items() if words == reads]
        assert explorer.picture.alt == draw(5, *keys).alt
