"""What is said where a learner's own line stops: what stood there, and habits from elsewhere."""

import linecache
import re

import numpy as np
import pytest

from cnnlib import check, layers


def said(cls, name, method, line, before=""):
    """The message for a layer whose method is one line of code, which stops."""
    space = {"np": np, "Right": cls}
    source = f"def {method}(self, a):\n    {before or 'pass'}\n    return {line}\n"
    cell = f"<cell {line}>"
    linecache.cache[cell] = len(source), None, source.splitlines(True), cell
    exec(compile(source, cell, "exec"), space)
    wrong = type(cls.__name__, (cls,), {method: space[method]})
    return " ".join(str(getattr(check, name).failure(wrong)).split())


HABITS = {
    "a.view(a.shape[0], -1)": "In PyTorch, view gives an array another shape. NumPy's own view",
    "a.view(-1)": "In PyTorch, view gives an array another shape",
    "a.view((2, 60))": "In PyTorch, view gives an array another shape",
    "a.view(2, 3, 4, 5)": "In PyTorch, view gives an array another shape",
    "a.reshape(a.size(0), -1)": "In PyTorch, size tells the length of an axis. Here, size is a number",
    "a.permute(0, 2, 3, 1)": "In PyTorch, permute puts the axes in another order",
    "np.cat([a, a])": "In PyTorch, cat joins arrays",
    "a.sum(dim=1)": "PyTorch says dim and keepdim",
    "a.max(1, keepdim=True)": "PyTorch says dim and keepdim",
    "torch.flatten(a, 1)": "Here everything is NumPy",
    "F.relu(a)": "Here everything is NumPy",
    "self.zero_grad()": "nothing has to be cleared",
    "a.detach()": "nothing has to be cleared",
    "a.shape.index(77)": "tuple.index looks for a value",
    "np.einsum('nc,cd->nd', a, a)": "einsum wants a word for each array",
    "np.einsum('nd,de->ne', a.reshape(2, 4), a.reshape(2, 4))": "axes of one letter have one length",
    "[k for k, l in [np.argmax(a)]]": "How does a row and a column follow",
    "np.random.default_rng(0).shuffle(a)[0]": "as shuffle, sort, reverse and append do",
    "self.grad['W']": "nothing has to be cleared",
}


@pytest.mark.parametrize(("line", "phrase"), HABITS.items(), ids=HABITS)
def test_a_habit_gets_an_answer(line, phrase):
    assert phrase in said(layers.Flatten, "flatten_forward", "forward", line)


def test_numpys_own_names_are_no_habit():
    assert "PyTorch" not in said(layers.Flatten, "flatten_forward", "forward", "np.float(a)")
    assert "PyTorch" not in said(layers.Flatten, "flatten_forward", "forward", "a.reshap(2)")


def test_what_an_attribute_of_the_line_held_is_told():
    text = said(
        layers.Flatten,
        "flatten_forward",
        "forward",
        "self.padded.reshape(self.rows, 7)",
        before="self.padded, self.rows, unused = np.zeros((3, 5)), 4, 8",
    )
    assert "self.padded (3, 5)" in text
    assert "self.rows = 4" in text
    assert "unused" not in text


def test_an_attribute_that_was_emptied_is_told():
    def backward(self, dy):
        shape, self.x_shape = self.x_shape, None
        return dy.reshape(len(dy), *shape[1:])

    wrong = type("Flatten", (layers.Flatten,), {"backward": backward})
    text = " ".join(str(check.flatten_backward.failure(wrong)).split())
    assert "there" in text

    text = said(
        layers.Flatten, "flatten_forward", "forward", "a[self.kept[0]]", before="self.kept = None"
    )
    assert "self.kept is None by now" in text


COUNTS = """
def forward(self, a):
    y = np.zeros((len(a), 4))
    for row in range(len(a)):
        for k in range(5):
            y[row, k] = a[row, 0, 0, 0]
    return y
"""


def flatten_from(file):
    """A Flatten whose forward stands in a cell, or in a file."""
    linecache.cache[file] = len(COUNTS), None, COUNTS.splitlines(True), file
    exec(compile(COUNTS, file, "exec"), space := {"np": np})
    wrong = type("Flatten", (layers.Flatten,), {"forward": space["forward"]})
    return " ".join(str(check.flatten_forward.failure(wrong)).split())


def test_how_far_the_loops_around_a_line_had_come_is_told():
    text = flatten_from("<cell that counts>")
    assert "row = 0, k = 4" in text
    assert "line 6 of the cell" in text


def test_a_file_is_called_by_its_name(tmp_path):
    (path := tmp_path / "layers_of_mine.py").write_text(COUNTS)
    assert "line 6 of layers_of_mine.py" in flatten_from(str(path))


def test_a_key_that_nobody_put_in():
    assert "A dict holds only what was put in" in said(
        layers.Flatten, "flatten_forward", "forward", "{}[a.shape]"
    )


class Somewhere:
    """What Python writes of it says where in memory it lies."""


def stops(*arguments):
    raise ValueError(Somewhere())


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("gradient_norms", lambda network, dy: reversed([1])),
        ("flat_index", lambda *place: Somewhere()),
        ("output_size", stops),
        ("pool_by_hand", lambda: (Somewhere(), 1)),
        ("network_errors", lambda: (Somewhere(), 1, 2)),
        ("network_errors", lambda: Somewhere()),
        ("output_size", Somewhere()),
    ],
)
def test_no_message_tells_a_place_in_memory(name, answer):
    said = str(getattr(check, name).failure(answer))
    assert re.search("Somewhere|list_reverseiterator", said)
    assert "0x" not in said
