"""Whatever learners and their programs do to a notebook: it is read or refused with words, and
no answer in it is lost."""

import json
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell
from synthetic import cell, solved

from cnnlib import notebooks
from cnnlib.notebooks import NotebookError, recover, release

WRITTEN = {
    "double": "def double(x):\n    return x + x",
    "turn": "class Turn:\n    def forward(self, x):\n        return x",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


def handed_in():
    nb = release(solved())
    for name, source in WRITTEN.items():
        cell(nb, name)["source"] = source
    return nb


def places(value, path=()):
    """Every place of a JSON value, as the keys that lead there."""
    yield path
    items = enumerate(value) if isinstance(value, list) else ()
    for key, inner in value.items() if isinstance(value, dict) else items:
        yield from places(inner, (*path, key))


PLACES = list(places(json.loads(notebooks.to_bytes(handed_in()))))[1:]


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON | st.just("gone")), max_size=3))
def test_a_file_is_read_or_refused_with_words(changes):
    content = json.loads(notebooks.to_bytes(handed_in()))
    for (*way, last), value in changes:
        try:
            at = content
            for key in way:
                at = at[key]
            if value == "gone":
                del at[last]
            else:
                at[last] = value
        except (KeyError, IndexError, TypeError):
            pass  # an earlier change took this place away
    with TemporaryDirectory() as folder:
        path = Path(folder) / "04_flatten.ipynb"
        path.write_text(json.dumps(content), encoding="utf-8")
        try:
            nb = notebooks.read(path)
        except NotebookError as error:
            assert str(path) in str(error)
            return
    assert len({cell.id for cell in nb.cells}) == len(nb.cells)
    found = recover(nb, solved())
    assert all(isinstance(source, str) for source in found.sources.values())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_a_file_of_anything_is_refused_with_words(content):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "04_flatten.ipynb"
        path.write_bytes(content)
        try:
            notebooks.read(path)
        except NotebookError as error:
            assert str(path) in str(error)
        else:
            raise AssertionError("no such bytes are a notebook")


# What somebody does to the cells of a notebook without taking an answer out of it.


def moved(nb, draw):
    nb.cells = draw(st.permutations(nb.cells))


def without_metadata(nb, draw):
    draw(st.sampled_from(nb.cells))["metadata"] = {}


def made_another_kind(nb, draw):
    """Only where the grade_id still says whose answer it is."""
    marked = [c for c in nb.cells if notebooks.grade_id(c)]
    if marked:
        draw(st.sampled_from(marked))["cell_type"] = draw(st.sampled_from(["markdown", "raw"]))


def copied_untouched(nb, draw):
    """A fresh copy of an exercise's cells, from where learners begin anew."""
    fresh = draw(st.sampled_from(release(solved()).cells))
    nb.cells.insert(draw(st.integers(0, len(nb.cells))), deepcopy(fresh))


def with_a_scratch_cell(nb, draw):
    source = draw(
        st.sampled_from(["", "double(3)", "%timeit Turn()", "x = (", "# def double", "\x00"])
    )
    made = draw(st.sampled_from([new_code_cell, new_markdown_cell]))
    nb.cells.insert(draw(st.integers(0, len(nb.cells))), made(source))


def checks_deleted(nb, draw):
    nb.cells = [c for c in nb.cells if not notebooks.is_check(c)]


DEEDS = [
    moved,
    without_metadata,
    made_another_kind,
    copied_untouched,
    with_a_scratch_cell,
    checks_deleted,
]


@given(st.data(), st.lists(st.sampled_from(DEEDS), max_size=6))
def test_no_answer_is_lost(data, deeds):
    nb = handed_in()
    for deed in deeds:
        deed(nb, data.draw)
    plain = [c for c in nb.cells if c.cell_type != "code" and not notebooks.grade_id(c)]
    before = deepcopy(nb)
    found = recover(nb, solved())
    assert nb == before
    for name, source in WRITTEN.items():
        if any(source == c.source for c in plain):
            continue  # neither code nor marked any more: nobody could tell it from a quotation
        assert found.sources[name] == source, name
