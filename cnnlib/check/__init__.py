"""The checks of the exercises: one for each thing that an exercise asks.

``check.flatten_backward(Flatten)`` prints one line where the learner's class is right, and
otherwise raises `Failed` with what is wrong, where, what was expected, what it looks like, and a
hint. What is not written yet is not wrong: that is `NotWritten`. An exception of the learner's own
code is `Crashed`.

>>> from cnnlib.layers import Flatten
>>> flatten_backward(Flatten)
✓ Flatten.backward: every gradient is back at the place its value came from
"""

from cnnlib.check.failure import Crashed, Failed, NotWritten
from cnnlib.check.flatten import (
    flat_index,
    flatten_backward,
    flatten_forward,
    flatten_hunt_1,
    flatten_hunt_2,
    flatten_hunt_3,
    flatten_predictions,
)
from cnnlib.check.shapes import brightness, channels_last

__all__ = [
    "Crashed",
    "Failed",
    "NotWritten",
    "brightness",
    "channels_last",
    "flat_index",
    "flatten_backward",
    "flatten_forward",
    "flatten_hunt_1",
    "flatten_hunt_2",
    "flatten_hunt_3",
    "flatten_predictions",
]
