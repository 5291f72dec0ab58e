"""Numbers that tell where they came from."""

import numpy as np


def tagged(*shape: int) -> np.ndarray:
    """Numbers that say their own index: the entry [1, 2, 0, 3] is 1203."""
    index = np.indices(shape)
    return sum(index[k] * 10.0 ** (len(shape) - 1 - k) for k in range(len(shape)))
