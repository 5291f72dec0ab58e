"""The line at which a check goes wrong: found by small repairs, told as a line and a question."""

import contextlib
import linecache
import os
import time
from collections import Counter

import numpy as np
import pytest
from wrong_answers import CONFUSION, DENSE, DOUBLE, RELU, SINGLE

from cnnlib import check, layers, misconceptions
from cnnlib.check import repair
from cnnlib.check.repair.answer import Answer, LeftAlone
from cnnlib.check.repair.edits import TABLE

pytestmark = [pytest.mark.repairs, pytest.mark.sampled]

CONV = """
class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, *, rng=None):
        KH, KW = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        W = np.random.default_rng(rng).normal(size=(out_channels, in_channels, KH, KW))
        self.W, self.b = W.astype(np.float32), np.zeros(out_channels, np.float32)
        self.stride, self.padding = stride, padding

    def forward(self, x):
        F, C, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        self.x_shape = x.shape
        self.x_padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        OH = (x.shape[2] + 2 * p - KH) // s + 1
        OW = (x.shape[3] + 2 * p - KW) // s + 1
        y = np.zeros((len(x), F, OH, OW), x.dtype)
        for i in range(OH):
            for j in range(OW):
                window = self.x_padded[:, :, i * s : i * s + KH, j * s : j * s + KW]
                y[:, :, i, j] = np.einsum("nckl,fckl->nf", window, self.W) + self.b
        return y

    def backward(self, dy):
        F, C, KH, KW = self.W.shape
        s, p = self.stride, self.padding
        self.dW = np.zeros(self.W.shape, dy.dtype)
        self.db = dy.sum(axis=(0, 2, 3))
        dx_padded = np.zeros(self.x_padded.shape, dy.dtype)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                rows, columns = slice(i * s, i * s + KH), slice(j * s, j * s + KW)
                window = self.x_padded[:, :, rows, columns]
                self.dW += np.einsum("nf,nckl->fckl", dy[:, :, i, j], window)
                dx_padded[:, :, rows, columns] += np.einsum("nf,fckl->nckl", dy[:, :, i, j], self.W)
        H, W = self.x_shape[2:]
        return dx_padded[:, :, p : p + H, p : p + W]
"""


def written(source: str, name: str = "Conv2D", **names):
    """What a cell with this source defines; its lines can be shown."""
    cell = f"<cell {hash(source)}>"
    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    namespace = {"np": np, "__name__": "__main__", **names}
    exec(compile(source, cell, "exec"), namespace)
    return namespace[name]


def changed(source: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


def number_of(source: str, line: str) -> int:
    [number] = [k for k, text in enumerate(source.splitlines(), 1) if line in text]
    return number


def failure(name: str, thing) -> check.Failed:
    with pytest.raises(check.Failed) as stopped:
        getattr(check, name)(thing)
    return stopped.value


def test_a_single_mistake_is_shown_by_its_line_and_a_question():
    source = changed(CONV, ("+ self.b\n", "+ self.b.cumsum()\n"))
    failed = failure("conv_forward", written(source))
    assert failed.lines == (number_of(source, "self.b.cumsum()"),)
    assert f"line {failed.lines[0]}: y[:, :, i, j] = " in str(failed)
    assert failed.facts["look at"].endswith("?")


def test_two_mistakes_are_shown_by_two_lines():
    rows = "                window = self.x_padded[:, :, rows, columns]\n"
    source = changed(
        CONV,
        ("self.dW += np", "self.dW = np"),
        (rows, rows.replace("rows, columns", "i : i + KH, j : j + KW")),
    )
    failed = failure("conv_dW", written(source))
    assert failed.lines == (
        number_of(source, "i : i + KH"),
        number_of(source, "self.dW = np.einsum"),
    )
    assert str(failed).count("?") >= 2


UNLIKE_ITS_TWIN = {
    "a slice from the start": ("conv_forward", "i * s : i * s + KH, j", ": i * s + KH, j"),
    "a size": ("conv_forward", "(x.shape[3] + 2 * p - KW) // s + 1", "x.shape[3] - KW // s + p"),
    "a slice in a variable": ("conv_dx", "slice(j * s, j * s + KW)", "slice(j * s, s + KW)"),
    "a crop": ("conv_dx", "p : p + H, p : p + W", "p : p + H, p : s + W"),
    "another axis": ("conv_dW", "range(dy.shape[3])", "range(dy.shape[1] - 1)"),
}


@pytest.mark.parametrize(("name", "right", "wrong"), UNLIKE_ITS_TWIN.values(), ids=UNLIKE_ITS_TWIN)
def test_what_is_done_with_rows_shows_what_is_wrong_with_columns(name, right, wrong):
    source = changed(CONV, (right, wrong))
    failed = failure(name, written(source))
    assert failed.lines == (number_of(source, wrong),)


def test_a_mistake_with_a_name_gets_the_line_only():
    source = changed(
        CONV, ("dx_padded[:, :, rows, columns] += np", "dx_padded[:, :, rows, columns] = np")
    )
    failed = failure("conv_dx", written(source))
    assert failed.misconception is not None
    line = number_of(source, "dx_padded[:, :, rows, columns] = np")
    assert failed.lines == (line,)
    assert failed.facts["look at"].splitlines() == [
        f"line {line}: " + repair._shown(source.splitlines(), line)
    ]


def test_an_answer_of_one_line_gets_no_line():
    source = "def output_size(size, kernel_size, stride, padding):\n    return (size + padding - kernel_size) // stride + 1\n"
    assert failure("output_size", written(source, "output_size")).lines == ()


def test_a_crash_points_to_the_line_that_stopped():
    source = changed(CONV, ("return y\n", "return y.nothing\n"))
    assert number_of(source, "y.nothing") in failure("conv_forward", written(source)).lines


def test_it_can_be_turned_off():
    wrong = written(changed(CONV, ("+ self.b\n", "+ self.b.sum()\n")))
    with repair.off():
        failed = failure("conv_forward", wrong)
    assert failed.lines == () and "look at" not in failed.facts


REACHES_OUT = [
    "open('trace', 'w').write('x')",
    "np.save('trace', x)",
    "x.tofile('trace')",
    "input()",
    "import time; time.sleep(0)",
    "plt.plot(x)",
    "torch.zeros(3)",
    "exec('1')",
    "globals()['trace'] = 1",
    "np.trace_left = 1",
]


@pytest.mark.parametrize("line", REACHES_OUT)
def test_code_that_reaches_out_is_left_alone(line):
    """It stands where it never runs, so that only the search could run it."""
    source = changed(
        CONV,
        ("+ self.b\n", "+ self.b.sum()\n"),
        ("        return y\n", f"        if x is None:\n            {line}\n        return y\n"),
    )
    failed = failure("conv_forward", written(source, plt=time, torch=time))
    assert failed.lines == ()


# What stands above an answer, and what forward does with it.
BROUGHT_ALONG = {
    "a view": (
        "from numpy.lib.stride_tricks import sliding_window_view",
        "sliding_window_view(y, (1, 1), (2, 3))",
    ),
    "NumPy's own": (
        "from numpy import einsum, exp, float32",
        "einsum('nfij->nf', exp(float32(y)))",
    ),
    "a generator": ("from numpy.random import default_rng, randn", "default_rng(0), randn(2)"),
    "linear algebra": ("from numpy.linalg import norm", "norm(y)"),
    "a lambda": ("double = lambda a: 2 * a", "double(y)"),
    "a dtype": ("kind = np.dtype('f4')", "y.astype(kind)"),
    "a dataclass": (
        "from dataclasses import dataclass\n\n@dataclass\nclass Kept:\n    x: np.ndarray",
        "Kept(x)",
    ),
    "a named tuple": (
        "from collections import namedtuple\nKept = namedtuple('Kept', 'x')",
        "Kept(x)",
    ),
    "an enumeration": ("from enum import Enum\nMode = Enum('Mode', 'same valid')", "Mode.same"),
    "a part of a function": ("from functools import partial\nadd = partial(np.add, 1)", "add(y)"),
}
NOT_TO_BE_RUN_AGAIN = {
    "a writer": ("from numpy import save", "save"),
    "a reader": ("from numpy import load as fetch", "fetch"),
    "a file": ("opened = open", "opened"),
    "a generator's method": ("draw = np.random.default_rng(0).normal", "draw()"),
    "a list's method": (
        "from functools import partial\nkept = []\nkeep = partial(kept.append, 1)",
        "keep()",
    ),
    "a vectorized function": ("each = np.vectorize(lambda a: a)", "each(1)"),
    "a class that keeps": ("class Kept:\n    all = []", "Kept.all.append(1)"),
}


def with_above(above: str, line: str) -> str:
    last = "        return y\n"
    changes = ("+ self.b\n", "+ self.b.sum()\n"), (last, f"        {line}\n{last}")
    return above + changed(CONV, *changes)


@pytest.mark.parametrize(("above", "line"), BROUGHT_ALONG.values(), ids=BROUGHT_ALONG)
def test_what_only_computes_may_stand_above_an_answer(above, line, monkeypatch):
    # As where Python was started with -c: that has lines of its own under this name.
    monkeypatch.setitem(linecache.cache, "<string>", (4, None, ["pass"], "<string>"))
    source = with_above(above, line)
    assert failure("conv_forward", written(source)).lines == (number_of(source, "b.sum()"),)


@pytest.mark.parametrize(("above", "line"), NOT_TO_BE_RUN_AGAIN.values(), ids=NOT_TO_BE_RUN_AGAIN)
def test_what_could_reach_further_leaves_an_answer_alone(above, line):
    with pytest.raises(LeftAlone):
        Answer(written(with_above(above, line)))


def test_a_name_of_a_function_may_be_one_of_the_notebook_too():
    """A notebook holds networks, layers, pictures that can't be copied for each try."""
    source = changed(CONV, ("+ self.b\n", "+ self.b.sum()\n"))
    names = {"window": open, "s": iter(()), "y": object(), "columns": np.memmap}
    failed = failure("conv_forward", written(source, **names))
    assert failed.lines == (number_of(source, "b.sum()"),)


def test_a_helper_that_yields_leads_to_the_result():
    loops = """        for i in range(OH):
            for j in range(OW):
                window = self.x_padded[:, :, i * s : i * s + KH, j * s : j * s + KW]
                y[:"""
    helper = """    def windows(self, OH, OW, KH, KW):
        for i in range(OH):
            for j in range(OW):
                rows, columns = slice(i, i + KH), slice(j * self.stride, j * self.stride + KW)
                yield i, j, self.x_padded[:, :, rows, columns]

    def backward(self, dy):
"""
    source = changed(
        CONV,
        (loops, "        for i, j, window in self.windows(OH, OW, KH, KW):\n                y[:"),
        ("    def backward(self, dy):\n", helper),
    )
    failed = failure("conv_forward", written(source))
    assert failed.lines == (number_of(source, "slice(i, i + KH)"),)


def test_views_made_by_hand_stay_within_their_memory():
    source = """
def pairs(x):
    step = x.strides[0]
    return np.lib.stride_tricks.as_strided(x, (len(x), 2), (step, step))
"""
    with pytest.raises(ValueError, match="memory"):
        Answer(written(source, "pairs")).build()(np.arange(3))


def test_no_trace_is_left(capsys):
    source = changed(
        CONV,
        ("+ self.b\n", "+ self.b.sum()\n"),
        (
            "        F, C, KH, KW = self.W.shape\n        s, p = self.stride, self.padding\n        self.x_shape",
            "        global calls\n        calls += 1\n        seen.append(calls)\n        table[0] += np.random.random()\n        print('forward')\n        F, C, KH, KW = self.W.shape\n        s, p = self.stride, self.padding\n        self.x_shape",
        ),
    )
    left = []
    for tried in (False, True):
        thing = written(source, calls=0, seen=[], table=np.zeros(1))
        np.random.seed(1)  # noqa: NPY002  as learners do
        with contextlib.nullcontext() if tried else repair.off():
            assert bool(failure("conv_forward", thing).lines) == tried
        found = thing.forward.__globals__
        next_number = np.random.random()  # noqa: NPY002
        left.append((found["calls"], found["seen"], found["table"][0], next_number, sorted(found)))
        assert capsys.readouterr().out == ""
    assert left[0] == left[1]


class _Odd:
    """Something of a learner's that is neither data nor a function."""

    __module__ = "__main__"


_ITSELF = [0]
_ITSELF.append(_ITSELF)
AROUND = {  # what stands in a notebook beside an answer, and whether the answer is built anew with it
    "a list of arrays": ([np.zeros(3), np.ones((2, 2))], True),
    "a log of what was seen": ([(0, 1, np.zeros((2, 2)))], True),
    "a tuple of arrays": ((np.zeros(3), np.ones(2)), True),
    "arrays by name": ({"x": np.zeros(3), (1, 2): [np.ones(2)]}, True),
    "a list that holds itself": (_ITSELF, False),
    "a list of lists": ([[1, 2], [3, [4, {5, (6, 7)}]]], True),
    "objects in an array": (np.array([1, "a", None], object), False),
    "an object of one's own": ([_Odd()], False),
    "a generator of numbers": ([np.random.default_rng(1)], True),
    "an iterator": (iter([1, 2]), False),
    "thousands of arrays": ([np.zeros(2)] * 5_000, False),
    "nothing and dots": ([None, ..., NotImplemented], False),
    "functions in a list": ([len, np.exp], True),
    "a dtype": (np.dtype("float32"), True),
}


@pytest.mark.parametrize("kept, built", AROUND.values(), ids=list(AROUND))
def test_whatever_stands_beside_an_answer_no_check_stops(kept, built):
    source = changed(
        CONV,
        ("+ self.b\n", "+ self.b.sum()\n"),
        ("        return y\n", "        kept\n        return y\n"),
    )
    failed = failure("conv_forward", written(source, kept=kept))
    assert bool(failed.lines) == built


def test_a_message_is_the_same_each_time():
    source = changed(CONV, ("+ self.b\n", "+ self.b.sum()\n"))
    assert len({str(failure("conv_forward", written(source))) for _ in range(3)}) == 1


def test_what_sets_W_anew_in_backward_is_shown():
    """Not the line that keeps x: with zeros in its place, dW would be 0, and W the same after all."""
    source = next(wrong for wrong in SINGLE if wrong.check == "dense_dx").right
    wrong = changed(
        source,
        ("        return dx\n", "        self.W = self.W - 0.1 * self.dW\n        return dx\n"),
    )
    failed = failure("dense_dx", written(wrong, "Dense"))
    assert failed.lines == (number_of(wrong, "self.W = self.W - 0.1"),)


def test_what_edits_undo_can_go_wrong():
    words = {word for one in misconceptions.every() for slip in one.slips for word in slip.words}
    for kind in TABLE:
        assert kind.undoes <= words, kind.name


def told(wrong) -> str:
    """Whether the check points to a truly wrong line, or to others only, or to none but has a name."""
    failed = failure(wrong.check, wrong.thing)
    if failed.lines:
        return "located" if set(failed.lines) & wrong.lines else "elsewhere"
    return "named" if failed.misconception else "nothing"


def test_short_answers_are_located():
    short = (DENSE, RELU, CONFUSION)
    results = Counter(told(wrong) for wrong in SINGLE if wrong.right in short)
    assert results["located"] >= 0.75 * results.total(), results
    assert results["nothing"] + results["elsewhere"] <= 0.1 * results.total(), results


on_request = pytest.mark.skipif(
    not os.environ.get("CNNLIB_EVALUATE"),
    reason="measures all of tests/wrong_answers.py, ten minutes; runs with CNNLIB_EVALUATE=1",
)


@on_request
def test_single_mistakes_are_located():
    results = Counter(map(told, SINGLE))
    assert results["located"] >= 0.8 * results.total(), results
    assert results["elsewhere"] <= 0.05 * results.total(), results
    assert results["nothing"] <= 0.08 * results.total(), results


@on_request
def test_pairs_are_located():
    results = Counter(map(told, DOUBLE))
    assert results["located"] >= 0.7 * results.total(), results
    assert results["nothing"] + results["elsewhere"] <= 0.15 * results.total(), results


def test_what_differs_from_run_to_run_gets_no_line():
    source = changed(CONV, ("+ self.b\n", "+ self.b + np.random.random()\n"))
    assert failure("conv_forward", written(source)).lines == ()


def test_an_endless_loop_of_a_repair_is_stopped():
    """Without the last line of the loop, or with another comparison, it would never end."""
    source = """
def confusion_matrix(labels, predictions, classes):
    counts = np.zeros((classes, classes), dtype=int)
    k = 0
    while k < len(labels):
        counts[predictions[k], labels[k]] += 1
        k += 1
    return counts
"""
    failed = failure("confusion_matrix", written(source, "confusion_matrix"))
    assert failed.lines == (number_of(source, "counts[predictions"),)


def test_dW_is_not_mended_by_changing_what_does_not_lead_to_it():
    """Whether forward returns the right y makes no difference to dW."""
    source = changed(CONV, ("self.dW += np", "self.dW = 0.5 * np"))
    for line in failure("conv_dW", written(source)).lines:
        assert line >= number_of(source, "def backward")


def test_an_answer_that_a_first_step_alone_makes_right_is_no_finding():
    source = next(wrong for wrong in SINGLE if wrong.check == "adam_step").right
    source = changed(source, ("(1 - self.beta1) * g", "self.beta1 * g"))
    source = changed(source, ("(1 - self.beta1**self.steps)", "(1 - self.beta2**self.steps)"))
    failed = failure("adam_first_step", written(source, "Adam", parameters=layers.parameters))
    truly = {number_of(source, "self.beta1 * g"), number_of(source, "m_hat = ")}
    assert set(failed.lines) <= truly
