"""Interactive pictures: each is a pure `draw` and a widget around it.

`explorers.flatten()` is the widget, `explorers.flatten.draw(...)` the picture alone.
"""

from cnnlib.explorers.conv import conv_backward, conv_forward
from cnnlib.explorers.flatten import flatten
from cnnlib.explorers.gradient import gradient

__all__ = ["conv_backward", "conv_forward", "flatten", "gradient"]
