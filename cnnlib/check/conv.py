"""The checks of lesson 02: sizes, padding, Conv2D forward, and each of its three gradients."""

from dataclasses import replace
from functools import partial

import numpy as np

from cnnlib import layers, misconceptions
from cnnlib.check.engine import Case, check
from cnnlib.check.hunt import hunt
from cnnlib.scripts import conv, script
from cnnlib.scripts.layer import call

IMAGE = ("N", "C", "H", "W")
MAPS = ("N", "F", "OH", "OW")
KERNELS = ("F", "C", "KH", "KW")


# ---------------------------------------------------------------------------- output_size


def _output_size(size, kernel_size, stride, padding):
    return (size + 2 * padding - kernel_size) // stride + 1


_output_size.__name__ = "output_size"


@check(title="output_size", reference=_output_size, passes="every window that fits is counted")
def output_size():
    """Check ``output_size(size, kernel_size, stride, padding)``, the number of windows along one axis."""
    for size, kernel_size, stride, padding in [
        (5, 3, 1, 0),
        (5, 3, 2, 0),
        (6, 3, 2, 0),
        (28, 3, 1, 1),
        (7, 2, 3, 1),
        (8, 5, 1, 2),
        (9, 4, 3, 2),
        (11, 2, 4, 0),
        (4, 4, 3, 0),
        (2, 5, 2, 2),
        (1, 1, 1, 0),
    ]:
        arguments = {
            "size": size,
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
        }
        yield Case(
            "output_size",
            {},
            script(call, arguments=tuple(arguments.values())),
            note=", ".join(f"{name} {value}" for name, value in arguments.items()),
            traits={
                "stride": "stride 1" if stride == 1 else "stride 2 or more",
                "padding": "padding 0" if padding == 0 else "padding 1 or more",
                "rest": "a stride that divides"
                if (size + 2 * padding - kernel_size) % stride == 0
                else "a stride that leaves a remainder",
            },
        )


# ---------------------------------------------------------------------------- pad


def _pad(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


_pad.__name__ = "pad"


@check(title="pad", reference=_pad, passes="zeros on all four sides of each map, and nowhere else")
def pad():
    """Check ``pad(x, padding)``, the pictures with zeros around them."""
    rng = np.random.default_rng(2)

    def case(x, padding, note=""):
        words = f"padding {padding}"
        return Case(
            "result",
            {"x": x},
            script(call, arguments=(padding,)),
            IMAGE,
            f"{words}, {note}" if note else words,
            traits={"padding": words if padding == 0 else "padding 1 or more"},
        )

    yield case(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), 1)
    yield case(rng.normal(size=(2, 3, 4, 5)), 1)
    yield case(rng.normal(size=(3, 2, 5, 4)), 2)
    yield case(rng.normal(size=(2, 4, 3, 6)), 0)
    yield case(rng.normal(size=(4, 3, 1, 1)), 3, "maps of one pixel")
    yield case(-rng.random(size=(1, 2, 4, 4)), 1, "a batch of one, all negative")
    yield case(rng.normal(size=(2, 1, 3, 5)).astype(np.float32), 2, "in float32")
    yield case(rng.normal(size=(2, 4, 5, 3)).transpose(0, 3, 1, 2), 1, "x is a transposed view")


# ---------------------------------------------------------------------------- cases

COUNTS = {"x": "NC", "W": "FC", "b": "F", "dy": "NF"}
BY_HAND = {
    "x": np.arange(1.0, 10).reshape(1, 1, 3, 3),
    "W": np.array([[[[1.0, 2.0], [3.0, 4.0]]]]),
    "b": np.array([100.0]),
    "dy": np.array([[[[1.0, 10.0], [100.0, 1000.0]]]]),
}


def _arrays(rng, shape, filters, kernel, stride, padding, dtype=float):
    """Draw x, W, b and a dy for them."""
    N, C, H, W = shape
    OH, OW = (
        _output_size(size, k, stride, padding) for size, k in zip((H, W), kernel, strict=True)
    )
    shapes = {"x": shape, "W": (filters, C, *kernel), "b": (filters,), "dy": (N, filters, OH, OW)}
    return {name: rng.normal(size=size).astype(dtype) for name, size in shapes.items()}


def _traits(x, W, stride, padding, left_out=()):
    KH, KW = W.shape[2:]
    rests = [
        (size + 2 * padding - k) % stride for size, k in zip(x.shape[2:], (KH, KW), strict=True)
    ]
    return {
        "stride": "stride 1" if stride == 1 else "stride 2 or more",
        "padding": "padding 0" if padding == 0 else "padding 1 or more",
        "rest": "a stride that leaves a remainder" if any(rests) else "a stride that divides",
        "overlap": "windows that overlap" if stride < max(KH, KW) else "windows that don't overlap",
        "N": "one picture" if len(x) == 1 else "several pictures",
        "C": "one channel" if x.shape[1] == 1 else "several channels",
        "F": "one filter" if len(W) == 1 else "several filters",
        "kernel": "square kernels" if KH == KW else "kernels that are not square",
        "map": "square maps" if x.shape[2] == x.shape[3] else "maps that are not square",
        "stride given": "no stride given" if "stride" in left_out else "a stride that is given",
        "padding given": "no padding given" if "padding" in left_out else "a padding that is given",
    }


def _cases(result, axes, usual):
    """What forward and each gradient are tried on; scripts take the arrays that they name."""
    rng = np.random.default_rng(2)
    names = ("x", "W", "b") if result == "y" else ("x", "W", "b", "dy")
    settings = {} if result == "y" else {"name": result}

    def case(arrays, stride, padding, note="", run=usual, left_out=(), **more):
        inputs = {name: arrays[name] for name in names} | more
        words, given = [], {}
        for name, number in {"stride": stride, "padding": padding}.items():
            words.append(f"{name} {number}{' (not given)' * (name in left_out)}")
            given |= {} if name in left_out else {name: number}
        return Case(
            result,
            inputs,
            script(run, **given, **settings),
            axes,
            ", ".join(filter(None, (*words, note))),
            tolerance=1e-5 if np.float32 in (inputs["x"].dtype, inputs["W"].dtype) else 1e-9,
            forward=script(conv.forward, **given) if settings else None,
            traits=_traits(inputs["x"], inputs["W"], stride, padding, left_out),
            counts={name: counts for name, counts in COUNTS.items() if name in inputs},
        )

    def drawn(*layer, note="", **more):
        *_, stride, padding = layer
        return case(_arrays(rng, *layer), stride, padding, note, **more)

    # The shape of x, the number of filters, the kernel, stride, padding.
    yield replace(case(BY_HAND, 1, 0), by_hand=True)
    yield drawn((2, 3, 5, 4), 4, (2, 3), 1, 0, left_out=("stride", "padding"))
    yield drawn((2, 2, 5, 6), 3, (3, 2), 2, 0, left_out=("padding",))
    yield drawn((2, 2, 4, 5), 3, (3, 2), 1, 1, left_out=("stride",))
    yield drawn((2, 1, 3, 5), 2, (3, 3), 1, 2, note="one channel")
    yield drawn((2, 2, 6, 7), 3, (3, 2), 2, 1, note="which leaves a row and a column over")
    yield drawn((2, 3, 5, 4), 2, (2, 2), 3, 0, note="so some pixels are in no window")
    yield drawn((1, 2, 5, 4), 3, (2, 3), 1, 1, note="a batch of one")
    yield drawn((3, 2, 1, 1), 4, (1, 1), 1, 0, note="maps of one pixel")
    yield drawn((2, 3, 1, 1), 4, (3, 3), 1, 1, note="maps of one pixel")
    yield drawn((3, 2, 5, 5), 1, (4, 4), 1, 1, note="square maps, one filter")
    yield drawn((2, 3, 4, 4), 2, (3, 3), 1, 1, note="square maps")
    yield drawn((2, 2, 6, 8), 3, (3, 3), 2, 0, note="which leaves a row and a column over")
    float32 = _arrays(rng, (2, 2, 4, 5), 2, (3, 2), 1, 1, np.float32)
    yield case(float32, 1, 1, "in float32")
    views = _arrays(rng, (2, 3, 5, 4), 2, (2, 3), 1, 0)
    views |= {name: np.asfortranarray(views[name]) for name in ("x", "dy")}
    yield case(views, 1, 0, "x is a transposed view")
    # Of the nine lengths, no two are equal; and of the windows, there are few.
    yield drawn((1, 3, 10, 13), 2, (6, 7), 2, 1)
    more = np.random.default_rng(20)
    for *setting, note in (
        ((2, 3, 3, 2), 2, (1, 1), 1, 1, "kernels of one pixel, and padding around them"),
        (
            (1, 2, 2, 4),
            2,
            (2, 2),
            1,
            2,
            "padding as wide as the kernel: some windows hold zeros only",
        ),
        (
            (1, 2, 3, 2),
            2,
            (2, 1),
            2,
            2,
            "padding as wide as the kernel: some windows hold zeros only",
        ),
    ):
        yield case(_arrays(more, *setting), *setting[-2:], note)
    if result in ("y", "dx"):
        mixed = _arrays(more, (2, 3, 4, 3), 2, (2, 2), 1, 1)
        mixed |= {name: mixed[name].astype(np.float32) for name in ("W", "b")}
        yield case(mixed, 1, 1, f"W and b are float32; {result} has the dtype of x, float64")

    layer = (2, 2, 6, 7), 3, (3, 2), 2, 1
    second = conv.forward_of_second_batch if result == "y" else conv.backward_of_second_batch
    for first, note in [((2, 2, 6, 7), ""), ((3, 2, 4, 5), ", the first one had another shape")]:
        note = "x is the second batch through one layer" + note
        yield drawn(*layer, note=note, run=second, first=rng.normal(size=first))
    if result == "y":
        note, then = "the y of x, looked at after a second batch", rng.normal(size=(2, 2, 6, 7))
        yield drawn(*layer, note=note, run=conv.first_of_two_forwards, then=then)
        return
    note, other = "another Conv2D saw `other` meanwhile", rng.normal(size=(2, 2, 6, 7))
    yield drawn(*layer, note=note, run=conv.backward_of_two_layers, other=other)
    note, first_dy = "the second of two backwards", rng.normal(size=(2, 3, 3, 4))
    yield drawn(*layer, note=note, run=conv.second_of_two_backwards, first_dy=first_dy)
    if result == "dx":
        note, then_dy = (
            "the first dx, looked at after a second backward",
            rng.normal(size=(2, 3, 3, 4)),
        )
        yield drawn(*layer, note=note, run=conv.first_of_two_backwards, then_dy=then_dy)


# Small maps, to follow by hand: a stride, a padding, a rest; two pictures, channels or filters.
SMALL = [
    ((1, 1, 4, 5), 1, (2, 3), 2, 0),
    ((1, 1, 2, 3), 1, (2, 2), 1, 1),
    ((1, 1, 5, 4), 1, (2, 2), 3, 0),
    ((2, 1, 2, 3), 1, (1, 2), 1, 0),
    ((1, 2, 2, 3), 2, (1, 2), 1, 0),
    ((2, 1, 2, 3), 2, (1, 2), 1, 0),
]


def _small_cases(result, axes, run):
    """Cases that judge nobody, with whole numbers of one digit."""
    rng = np.random.default_rng(22)
    names = {} if result == "y" else {"name": result}
    for *sizes, stride, padding in SMALL:
        drawn = _arrays(rng, *sizes, stride, padding)
        inputs = {k: rng.integers(1, 10, a.shape) + 0.0 for k, a in drawn.items()}
        if result == "y":
            del inputs["dy"]
        made = script(run, stride=stride, padding=padding, **names)
        note = f"stride {stride}, padding {padding}"
        yield Case(result, inputs, made, axes, note, tolerance=1e-9, by_hand=True)


@check(
    title="Conv2D.forward",
    reference=layers.Conv2D,
    shown=partial(_small_cases, "y", MAPS, conv.forward),
    passes="every window meets every filter, with any stride and padding",
)
def conv_forward():
    """Check ``Conv2D.forward``: strides, padding, kernels that are not square, several batches."""
    yield from _cases("y", MAPS, conv.forward)


@check(
    title="Conv2D.dW",
    reference=layers.Conv2D,
    shown=partial(_small_cases, "dW", KERNELS, conv.backward),
    passes="every weight hears from every window it was used in",
)
def conv_dW():
    """Check the ``dW`` that ``Conv2D.backward`` sets."""
    yield from _cases("dW", KERNELS, conv.backward)


@check(
    title="Conv2D.db",
    reference=layers.Conv2D,
    shown=partial(_small_cases, "db", ("F",), conv.backward),
    passes="every bias hears from every output of its filter",
)
def conv_db():
    """Check the ``db`` that ``Conv2D.backward`` sets."""
    yield from _cases("db", ("F",), conv.backward)


@check(
    title="Conv2D.dx",
    reference=layers.Conv2D,
    shown=partial(_small_cases, "dx", IMAGE, conv.backward),
    passes="every pixel hears from every output that read it",
)
def conv_dx():
    """Check the ``dx`` that ``Conv2D.backward`` returns."""
    yield from _cases("dx", IMAGE, conv.backward)


# ---------------------------------------------------------------------------- bug hunts


@hunt(
    title="bug hunt 1",
    passes="your kernel shows the mistake that a blur hides",
    patient=misconceptions.conv.UpsideDownKernel,
    right=layers.Conv2D,
    names=("x", "W", "dy"),
    axes={"x": "N, C, H, W", "W": "F, C, KH, KW", "dy": "N, F, OH, OW"},
)
def conv_hunt_1(layer_class, x, W, dy):
    """Check arrays x, W, dy, and the right dx, where the first patient's is wrong."""
    return conv.backward(layer_class, x, W, np.zeros(len(W)), dy, stride=1, padding=0, name="dx")


@hunt(
    title="bug hunt 2",
    passes="your picture has a remainder, and the patient loses it",
    patient=misconceptions.conv.LosesTheRest,
    right=layers.Conv2D,
    names=("x", "dy"),
    axes={"x": "N, C, H, W", "dy": "N, F, OH, OW"},
)
def conv_hunt_2(layer_class, x, dy):
    """Check arrays x, dy, and the right dx, where the second patient's is wrong; its 2×2 windows have stride 3."""
    W = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    return conv.backward(layer_class, x, W, np.zeros(1), dy, stride=3, padding=0, name="dx")


@hunt(
    title="bug hunt 3",
    passes="your dy shows what a gradient of ones hides."
    " With every ✓ above, you have a Conv2D of your own, there and back",
    patient=misconceptions.conv.FlipsDy,
    right=layers.Conv2D,
    names=("x", "dy"),
    axes={"x": "N, C, H, W", "dy": "N, F, OH, OW"},
)
def conv_hunt_3(layer_class, x, dy):
    """Check arrays x, dy, and the right dW, where the third patient's is wrong; its one kernel is 2×2."""
    W = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    return conv.backward(layer_class, x, W, np.zeros(1), dy, stride=1, padding=0, name="dW")
