"""What takes long runs in continuous integration only, or when asked for: CI=true make test.

Of what is `sampled`, the very many wrong answers and pictures, `make test` tries one in fifty; who runs a
file or two of them runs them whole.

Tests marked `repairs` let the checks look for the line in the learner's source.
"""

import gc
import sys
from collections import defaultdict
from math import ceil
from zlib import crc32

import pytest
from forked_kernels import Forks
from hypothesis import settings
from shaken import shake
from thorough import ONE_IN, THOROUGH

from cnnlib.check import repair

# The same examples each time, on a machine as busy as it likes.
settings.register_profile(
    "course",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=100 if THOROUGH else 25,
)
settings.load_profile("course")


def pytest_configure(config):
    shake()
    if Forks.available and not THOROUGH:
        forks = Forks()
        config.add_cleanup(forks.close)
    gc.disable()  # thousands of tests are collected, and none of them is garbage


def pytest_collection_finish():
    gc.freeze()  # and nobody need look at them again and again
    gc.enable()


WHOLE_SUITE = 3000


def pytest_collection_modifyitems(config, items):
    if THOROUGH:
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes long; runs with CI=true"))
    if len(items) > WHOLE_SUITE:
        many = defaultdict(list)
        for item in items:
            if item.get_closest_marker("sampled"):
                many[item.path].append(item)
        left = {item for of_one_file in many.values() for item in _left_out(of_one_file)}
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]


def _left_out(many: list) -> list:
    """All but a few, drawn by their names: the same ones in every process, on every machine."""
    drawn = sorted(many, key=lambda item: crc32(item.nodeid.encode()))
    return drawn[ceil(len(drawn) / ONE_IN) :]


@pytest.fixture(autouse=True)
def own_main():
    """IPython's shell puts a module of its own in the place of this one, and from that no process can be spawned."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(autouse=True)
def repairs(request):
    """Most tests are about what is said without looking at the learner's source, which takes a second each."""
    if request.node.get_closest_marker("repairs"):
        yield
        return
    with repair.off():
        yield
