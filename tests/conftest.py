"""What takes minutes runs in continuous integration only, or when asked for: CI=true make test.

Tests marked `repairs` let the checks look for the line in the learner's source.
"""

import os

import pytest
from hypothesis import settings
from shaken import shake

from cnnlib.check import repair

# The same examples each time, on a machine as busy as it likes.
settings.register_profile("course", derandomize=True, deadline=None, database=None)
settings.load_profile("course")


def pytest_configure():
    shake()


def pytest_collection_modifyitems(items):
    if os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; runs with CI=true"))


@pytest.fixture(autouse=True)
def repairs(request):
    """Most tests are about what is said without looking at the learner's source, which takes a second each."""
    if request.node.get_closest_marker("repairs"):
        yield
        return
    with repair.off():
        yield
