"""The checks of lesson 08: im2col, its adjoint, and a convolution and a pool made of them."""

from dataclasses import replace

import numpy as np

from cnnlib import columns, misconceptions
from cnnlib.check import conv, pool
from cnnlib.check.engine import Case, check
from cnnlib.check.hunt import hunt
from cnnlib.check.tagged import tagged
from cnnlib.scripts import conv as convolutions
from cnnlib.scripts import loops, script
from cnnlib.scripts.layer import call

MATRIX = ("C·KH·KW", "N·OH·OW")


# ---------------------------------------------------------------------------- im2col and col2im


def _traits(shape, kernel_size, stride, padding):
    return conv._traits(np.empty(shape), np.empty((2, 1, *kernel_size)), stride, padding) | {
        "F": ""
    }


def _settings():
    """Shape, kernel, stride, padding; and what is special about them."""
    yield (1, 1, 2, 3), (2, 2), 1, 0, ""
    yield (2, 3, 5, 4), (2, 3), 1, 0, ""
    yield (2, 2, 5, 7), (3, 2), 2, 0, "which leaves a column over"
    yield (3, 2, 4, 5), (3, 2), 1, 1, ""
    yield (2, 2, 6, 7), (3, 2), 2, 1, "which leaves a row over"
    yield (2, 3, 4, 6), (2, 2), 2, 0, "windows side by side"
    yield (2, 3, 5, 4), (2, 2), 3, 0, "so some pixels are in no window"
    yield (1, 2, 5, 4), (2, 3), 1, 2, "a batch of one"
    yield (3, 1, 4, 6), (3, 3), 1, 1, "one channel"
    yield (3, 4, 1, 1), (1, 1), 1, 0, "maps of one pixel"
    yield (2, 2, 4, 4), (3, 3), 1, 0, "square maps"
    yield (2, 3, 6, 8), (3, 4), 2, 1, ""


def _words(stride, padding, note):
    return f"stride {stride}, padding {padding}" + (f", {note}" if note else "")


def _sizes(shape, kernel_size, stride, padding):
    return [
        conv._output_size(size, k, stride, padding)
        for size, k in zip(shape[2:], kernel_size, strict=True)
    ]


def _look_at_place(shape, kernel_size, stride, padding):
    """Which pixel belongs at a place of the matrix."""
    OH, OW = _sizes(shape, kernel_size, stride, padding)

    def look(place, got, x):
        row, column = place
        n, i, j = (int(k) for k in np.unravel_index(column, (len(x), OH, OW)))
        c, k, m = (int(k) for k in np.unravel_index(row, (shape[1], *kernel_size)))
        h, w = i * stride + k - padding, j * stride + m - padding
        inside = 0 <= h < shape[2] and 0 <= w < shape[3]
        pixel = f"x[{n}, {c}, {h}, {w}]" if inside else "the padding, so 0"
        return {
            "this column": f"{column} is the window at (i, j) = ({i}, {j}) of picture {n}",
            "this row": f"{row} is the place (c, k, l) = ({c}, {k}, {m}) in it: {pixel}",
        }

    return look


@check(
    title="im2col",
    reference=columns.im2col,
    passes="each window is a column, and keeps its order",
)
def im2col():
    """Check ``im2col(x, kernel_size, stride, padding)`` on pixels that carry their own index."""

    def case(x, kernel_size, stride, padding, note):
        return Case(
            "the matrix",
            {"x": x},
            script(call, arguments=(kernel_size, stride, padding)),
            MATRIX,
            f"kernel_size {kernel_size}, {_words(stride, padding, note)}",
            traits=_traits(x.shape, kernel_size, stride, padding),
            look=_look_at_place(x.shape, kernel_size, stride, padding),
        )

    for shape, *setting in _settings():
        by_hand = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
        x = by_hand if shape == by_hand.shape else 1111 + tagged(*shape)
        yield case(x, *setting)
    yield case(1111 + tagged(2, 3, 4, 5).astype(np.float32), (2, 3), 1, 1, "in float32")
    yield case(
        (1111 + tagged(2, 4, 5, 3)).transpose(0, 3, 1, 2), (2, 3), 1, 0, "x is a transposed view"
    )


def _look_at_pixel(shape, kernel_size, stride, padding):
    """Which numbers of the matrix belong to a pixel."""
    OH, OW = _sizes(shape, kernel_size, stride, padding)

    def look(place, got, matrix):
        n, c, h, w = (int(k) for k in place)
        parts = []
        for i, j in np.ndindex(OH, OW):
            k, m = h + padding - i * stride, w + padding - j * stride
            if 0 <= k < kernel_size[0] and 0 <= m < kernel_size[1]:
                row, column = (c * kernel_size[0] + k) * kernel_size[1] + m, (n * OH + i) * OW + j
                parts.append(f"{matrix[row, column]:g} from [{row}, {column}]")
        pixel = f"x[{n}, {c}, {h}, {w}]"
        return {
            "this pixel": f"{pixel} gets {' + '.join(parts)}"
            if parts
            else f"{pixel} is in no window"
        }

    return look


@check(
    title="col2im",
    reference=columns.col2im,
    passes="every number is back at its pixel, and numbers add up",
)
def col2im():
    """Check ``col2im(columns, shape, kernel_size, stride, padding)`` on whole numbers."""
    rng = np.random.default_rng(8)

    def case(matrix, shape, kernel_size, stride, padding, note):
        return Case(
            "dx",
            {"matrix": matrix},
            script(call, arguments=(shape, kernel_size, stride, padding)),
            conv.IMAGE,
            f"shape {shape}, kernel_size {kernel_size}, {_words(stride, padding, note)}",
            tolerance=1e-5 if matrix.dtype == np.float32 else 1e-9,
            traits=_traits(shape, kernel_size, stride, padding),
            look=_look_at_pixel(shape, kernel_size, stride, padding),
        )

    def drawn(shape, kernel_size, stride, padding):
        M = shape[0] * np.prod(_sizes(shape, kernel_size, stride, padding))
        return rng.integers(1, 100, (shape[1] * np.prod(kernel_size), M)).astype(float)

    for shape, *setting, note in _settings():
        by_hand = np.array([[1.0, 20.0], [2.0, 30.0], [4.0, 50.0], [5.0, 60.0]])
        matrix = by_hand if shape == (1, 1, 2, 3) else drawn(shape, *setting)
        yield case(matrix, shape, *setting, note)
    setting = (2, 3, 4, 5), (2, 3), 1, 1
    yield case(drawn(*setting).astype(np.float32), *setting, "in float32")
    yield case(np.asfortranarray(drawn(*setting)), *setting, "the matrix is a transposed view")


# ---------------------------------------------------------------------------- FastConv2D


@check(
    title="FastConv2D.forward",
    reference=columns.FastConv2D,
    shown=conv.conv_forward.shown,
    passes="one product, and every number on its map",
)
def fast_conv_forward():
    """Check ``FastConv2D.forward`` on what lesson 02 asks of Conv2D, and on maps that get smaller."""
    yield from conv._cases("y", conv.MAPS, convolutions.forward)
    rng = np.random.default_rng(8)
    setting = (2, 2, 4, 5), 3, (3, 2), 1, 1
    arrays = conv._arrays(rng, *setting)
    yield Case(
        "y",
        {name: arrays[name] for name in ("x", "W", "b")} | {"first": rng.normal(size=(3, 2, 6, 7))},
        script(convolutions.forward_of_second_batch, stride=1, padding=1),
        conv.MAPS,
        "stride 1, padding 1, x is the second batch through one layer, the first one was larger",
        tolerance=1e-9,
        traits=conv._traits(arrays["x"], arrays["W"], 1, 1),
    )


@check(
    title="FastConv2D.dW",
    reference=columns.FastConv2D,
    shown=conv.conv_dW.shown,
    passes="one product sums over every window of every picture",
)
def fast_conv_dW():
    """Check the ``dW`` that ``FastConv2D.backward`` sets."""
    yield from conv._cases("dW", conv.KERNELS, convolutions.backward)


@check(
    title="FastConv2D.db",
    reference=columns.FastConv2D,
    shown=conv.conv_db.shown,
    passes="every bias hears from every output of its filter",
)
def fast_conv_db():
    """Check the ``db`` that ``FastConv2D.backward`` sets."""
    yield from conv._cases("db", ("F",), convolutions.backward)


@check(
    title="FastConv2D.dx",
    reference=columns.FastConv2D,
    shown=conv.conv_dx.shown,
    passes="one product, and col2im brings every share home",
)
def fast_conv_dx():
    """Check the ``dx`` that ``FastConv2D.backward`` returns."""
    yield from conv._cases("dx", conv.IMAGE, convolutions.backward)


# ---------------------------------------------------------------------------- loops


@check(
    title="FastConv2D without loops",
    reference=columns.FastConv2D,
    passes="neither way does Python go from pixel to pixel",
)
def fast_conv_loops():
    """Check that Python takes no step for each pixel; its steps are counted, no time is measured."""
    yield Case(
        "the number of loops over pixels",
        {},
        script(loops.over_pixels, arguments=(2, 3, 3), settings={"padding": 1}, maps=2),
        ("forward, backward",),
        "the steps that Python takes, counted on maps of 6×5, 9×5, 6×8 and 9×8 pixels",
    )


# ---------------------------------------------------------------------------- FastMaxPool2D


def _square(cases):
    """The cases whose windows are square, with this lesson's name of the layer."""
    for case in cases:
        if case.traits["window"] == "square windows":
            yield replace(case, note=case.note.replace("MaxPool2D", "FastMaxPool2D"))


@check(
    title="FastMaxPool2D.forward",
    reference=columns.FastMaxPool2D,
    shown=lambda: _square(pool.maxpool_forward.shown()),
    passes="the largest number of each column, back on its map",
)
def fast_pool_forward():
    """Check ``FastMaxPool2D.forward`` on what lesson 03 asks of MaxPool2D, with square windows."""
    yield from _square(pool._forward_cases("MaxPool2D"))


@check(
    title="FastMaxPool2D.backward",
    reference=columns.FastMaxPool2D,
    shown=lambda: _square(pool.maxpool_backward.shown()),
    passes="each gradient goes to the winner of its column, and wins add up",
)
def fast_pool_backward():
    """Check ``FastMaxPool2D.backward``; where pixels tie, any split that adds up to dy is right."""
    yield from _square(pool._backward_cases("MaxPool2D"))
    yield from _square(pool._tied_cases())


@check(
    title="FastMaxPool2D without loops",
    reference=columns.FastMaxPool2D,
    passes="neither way does Python go from pixel to pixel",
)
def fast_pool_loops():
    """Check that Python takes no step for each pixel; its steps are counted, no time is measured."""
    yield Case(
        "the number of loops over pixels",
        {},
        script(loops.over_pixels, arguments=(2, 1), settings={}, maps=2),
        ("forward, backward",),
        "the steps that Python takes, counted on maps of 6×5, 9×5, 6×8 and 9×8 pixels",
    )


# ---------------------------------------------------------------------------- bug hunts


@hunt(
    title="bug hunt 1",
    passes="your dy shows that an inverse is no adjoint",
    patient=misconceptions.fast.InvertsIm2col,
    right=columns.FastConv2D,
    names=("x", "dy"),
    axes={"x": "N, C, H, W", "dy": "N, F, OH, OW"},
)
def fast_hunt_1(layer_class, x, dy):
    """Check arrays x, dy, and the right dx, where the first patient's is wrong; its kernel is two ones, [1, 1]."""
    W = np.ones((1, 1, 1, 2))
    return convolutions.backward(layer_class, x, W, np.zeros(1), dy, stride=1, padding=0, name="dx")


@hunt(
    title="bug hunt 2",
    passes="your two pictures show what the memory it kept still holds."
    " With every ✓ above, you have quick layers of your own",
    patient=misconceptions.fast.KeepsItsPaddedPicture,
    right=columns.FastConv2D,
    names=("first", "x"),
    axes={"first": "N, C, H, W", "x": "N, C, H, W"},
)
def fast_hunt_2(layer_class, first, x):
    """Check two batches, and the right y of x, where the second patient's is wrong; its kernel is 3×3 ones, padding 1."""
    W = np.ones((1, 1, 3, 3))
    return convolutions.forward_of_second_batch(
        layer_class, first, x, W, np.zeros(1), stride=1, padding=1
    )
