"""The checks of the exercises: one for each thing that an exercise asks.

``check.flatten_backward(Flatten)`` prints one line where the learner's class is right, and
otherwise raises `Failed` with what is wrong, where, what was expected, what it looks like, and a
hint. What is not written yet is not wrong: that is `NotWritten`. An exception of the learner's own
code is `Crashed`.

>>> class Flatten:
...     def forward(self, x):
...         self.x_shape = x.shape
...         return x.reshape(len(x), -1)
...
...     def backward(self, dy):
...         return dy.reshape(self.x_shape)
>>> flatten_backward(Flatten)
✓ Flatten.backward: every gradient is back at the place its value came from
"""

from cnnlib.check.built import build_network, end_to_end
from cnnlib.check.conv import (
    conv_db,
    conv_dW,
    conv_dx,
    conv_forward,
    conv_hunt_1,
    conv_hunt_2,
    conv_hunt_3,
    output_size,
    pad,
)
from cnnlib.check.dense import (
    blind_guess,
    dense_db,
    dense_dW,
    dense_dx,
    dense_forward,
    dense_hunt_1,
    dense_hunt_2,
    dense_hunt_3,
    loss_backward,
    loss_forward,
)
from cnnlib.check.failure import Crashed, Failed, NotWritten
from cnnlib.check.fast import (
    col2im,
    fast_conv_db,
    fast_conv_dW,
    fast_conv_dx,
    fast_conv_forward,
    fast_conv_loops,
    fast_hunt_1,
    fast_hunt_2,
    fast_pool_backward,
    fast_pool_forward,
    fast_pool_loops,
    im2col,
)
from cnnlib.check.flatten import (
    flat_index,
    flatten_backward,
    flatten_forward,
    flatten_hunt_1,
    flatten_hunt_2,
    flatten_hunt_3,
    flatten_predictions,
)
from cnnlib.check.gradients import (
    numerical_gradient,
    numerical_gradient_dtypes,
    numerical_gradient_memory,
    relative_error,
    relative_error_refuses,
    relu_backward,
    relu_forward,
    relu_hunt,
)
from cnnlib.check.inside import confusion_matrix, saliency
from cnnlib.check.network import (
    gradient_norms,
    network_errors,
    sequential_backward,
    sequential_forward,
)
from cnnlib.check.optimizers import adam_first_step, adam_step, sgd_momentum, sgd_step
from cnnlib.check.pool import (
    avgpool_backward,
    avgpool_forward,
    maxpool_backward,
    maxpool_forward,
    pool_by_hand,
    pool_hunt_1,
    pool_hunt_2,
    pool_hunt_3,
)
from cnnlib.check.row import row_dw, row_dx, row_forward
from cnnlib.check.shapes import brightness, channels_last
from cnnlib.check.training import train_history, train_steps

__all__ = [
    "Crashed",
    "Failed",
    "NotWritten",
    "adam_first_step",
    "adam_step",
    "avgpool_backward",
    "avgpool_forward",
    "blind_guess",
    "brightness",
    "build_network",
    "channels_last",
    "col2im",
    "confusion_matrix",
    "conv_dW",
    "conv_db",
    "conv_dx",
    "conv_forward",
    "conv_hunt_1",
    "conv_hunt_2",
    "conv_hunt_3",
    "dense_dW",
    "dense_db",
    "dense_dx",
    "dense_forward",
    "dense_hunt_1",
    "dense_hunt_2",
    "dense_hunt_3",
    "end_to_end",
    "fast_conv_dW",
    "fast_conv_db",
    "fast_conv_dx",
    "fast_conv_forward",
    "fast_conv_loops",
    "fast_hunt_1",
    "fast_hunt_2",
    "fast_pool_backward",
    "fast_pool_forward",
    "fast_pool_loops",
    "flat_index",
    "flatten_backward",
    "flatten_forward",
    "flatten_hunt_1",
    "flatten_hunt_2",
    "flatten_hunt_3",
    "flatten_predictions",
    "gradient_norms",
    "im2col",
    "loss_backward",
    "loss_forward",
    "maxpool_backward",
    "maxpool_forward",
    "network_errors",
    "numerical_gradient",
    "numerical_gradient_dtypes",
    "numerical_gradient_memory",
    "output_size",
    "pad",
    "pool_by_hand",
    "pool_hunt_1",
    "pool_hunt_2",
    "pool_hunt_3",
    "relative_error",
    "relative_error_refuses",
    "relu_backward",
    "relu_forward",
    "relu_hunt",
    "row_dw",
    "row_dx",
    "row_forward",
    "saliency",
    "sequential_backward",
    "sequential_forward",
    "sgd_momentum",
    "sgd_step",
    "train_history",
    "train_steps",
]
