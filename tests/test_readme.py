"""The README shows what the course really says and draws."""

import re
from pathlib import Path

import pytest

from cnnlib import check, explorers, misconceptions

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_message_shown_is_what_the_check_says():
    failure = check.flatten_backward.failure(misconceptions.flatten.FillsColumnByColumn)
    assert f"```\n{failure}\n```" in README


def test_the_picture_shown_is_what_the_explorer_draws():
    """To renew it, write this text to the file."""
    picture = explorers.flatten.draw()
    assert (ROOT / "docs" / "flatten_explorer.svg").read_text(encoding="utf-8") == picture.svg


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_link_leads_somewhere(target):
    assert (ROOT / target).exists()
