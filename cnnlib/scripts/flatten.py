"""What lesson 04 asks beside the layer."""

import numpy as np


def all_places(flat_index, picture):
    """flat_index of every cell of a picture; what is no whole number is returned as it is."""
    shape = picture.shape
    places = np.zeros(shape, int)
    for cell in np.ndindex(shape):
        place = flat_index(*cell, shape)
        if not isinstance(place, int | np.integer):
            return np.full(shape, place) if isinstance(place, float | np.floating) else place
        places[cell] = place
    return places
