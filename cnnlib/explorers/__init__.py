"""Interactive pictures: each is a pure `draw` and a widget around it.

`explorers.flatten()` is the widget, `explorers.flatten.draw(...)` the picture alone.
"""

from cnnlib.explorers.conv import conv_backward, conv_forward
from cnnlib.explorers.dense import dense
from cnnlib.explorers.flatten import flatten
from cnnlib.explorers.gradient import gradient
from cnnlib.explorers.inside import inside
from cnnlib.explorers.memory import memory
from cnnlib.explorers.network import network
from cnnlib.explorers.pool import pool
from cnnlib.explorers.softmax import softmax
from cnnlib.explorers.training import training

__all__ = [
    "conv_backward",
    "conv_forward",
    "dense",
    "flatten",
    "gradient",
    "inside",
    "memory",
    "network",
    "pool",
    "softmax",
    "training",
]
