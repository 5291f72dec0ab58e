"""Pools: the scripts of layers without settings, for one that has some."""

from cnnlib.scripts import layer


def _built(pool_class, kernel_size, **stride):
    return pool_class(kernel_size, **stride)


def pooled(pool_class, *, run, settings, **arrays):
    """Run another script, such as ``"backward"``, with pools of these settings."""
    return getattr(layer, run)(lambda: _built(pool_class, **settings), **arrays)


def forward(pool_class, x, *, settings):
    return _built(pool_class, **settings).forward(x)
