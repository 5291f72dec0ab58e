"""The checks of lesson 00: axes, reshape and transpose."""

import numpy as np

from cnnlib.check.engine import Case, check
from cnnlib.check.tagged import tagged
from cnnlib.scripts import script
from cnnlib.scripts.layer import call


def _tagged_and_random():
    """Pictures with all four lengths different, so that no mix-up of axes goes unseen."""
    rng = np.random.default_rng(0)
    tags = tagged(3, 2, 4, 5)
    yield tags, "each number is its own index: 123 is at [0, 1, 2, 3]"
    yield rng.random((4, 3, 6, 2)), ""
    yield rng.random((1, 2, 5, 3)), "a batch of one"


def _brightness(x):
    return x.mean(axis=(1, 2, 3))


_brightness.__name__ = "brightness"


@check(title="brightness", reference=_brightness, passes="one number for each picture")
def brightness():
    """Check ``brightness(x)``, the mean value of each picture."""
    for x, note in _tagged_and_random():
        yield Case("brightness", {"x": x}, script(call), ("N",), note, tolerance=1e-9)


def _channels_last(x):
    return x.transpose(0, 2, 3, 1)


_channels_last.__name__ = "channels_last"


@check(
    title="channels_last",
    reference=_channels_last,
    passes="(N, C, H, W) became (N, H, W, C). With both ✓, you know how a check talks",
)
def channels_last():
    """Check ``channels_last(x)``, the same pictures with the channel axis at the end."""
    for x, note in _tagged_and_random():
        yield Case("result", {"x": x}, script(call), ("N", "H", "W", "C"), note)
