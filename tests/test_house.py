"""The rules that keep the package easy to take in."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cnnlib"
CORE = {"columns", "fast", "inside", "layers", "losses", "network", "optimizers", "training"}
SHOWN = {"misconceptions", "plots", "explorers"}


def imported(part: str) -> set[str]:
    """The parts of cnnlib that a part imports, anywhere in its files."""
    files = [PACKAGE / f"{part}.py", *(PACKAGE / part).rglob("*.py")]
    found = set()
    for path in filter(Path.exists, files):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            found |= {name.split(".")[1] for name in names if name.startswith("cnnlib.")}
    return found - {part}


PARTS = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}


@pytest.mark.parametrize("part", sorted(CORE))
def test_the_core_imports_only_the_core(part):
    assert imported(part) <= CORE


@pytest.mark.parametrize(
    "part", sorted(PARTS - {"grading", "cli", "__main__", "__init__", "__pycache__"})
)
def test_only_the_command_line_imports_grading(part):
    assert not imported(part) & {"grading", "cli"}


@pytest.mark.parametrize("part", sorted(SHOWN))
def test_what_is_shown_imports_no_notebooks(part):
    assert not imported(part) & {"mine", "notebooks"}
