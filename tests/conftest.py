"""What takes minutes runs in continuous integration only, or when asked for: CI=true make test."""

import os

import pytest
from hypothesis import settings

# The same examples each time, on a machine as busy as it likes.
settings.register_profile("course", derandomize=True, deadline=None, database=None)
settings.load_profile("course")


def pytest_collection_modifyitems(items):
    if os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; runs with CI=true"))
