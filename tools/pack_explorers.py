"""Draw every state of every explorer, and pack them into `cnnlib/explorers/states/`.

python tools/pack_explorers.py
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from cnnlib import explorers
from cnnlib.explorers import states
from cnnlib.explorers.training import recorded


def packable() -> Iterator[tuple[Path, Callable, dict]]:
    """Every explorer that needs nothing of the reader's: its file, its draw, its controls."""
    for name in explorers.__all__:
        explorer = getattr(explorers, name)
        if name == "training":
            yield states.file_of(explorer.draw), *recorded()
        elif name != "inside":
            yield states.file_of(explorer.draw), explorer.draw, explorer().controls


def main() -> None:
    """Write the files that changed."""
    for path, draw, controls in packable():
        packed = states.pack(draw, controls)
        if not path.exists() or states.unpack(path.read_text()) != states.unpack(packed):
            path.parent.mkdir(exist_ok=True)
            path.write_text(packed)
        print(
            f"{path.name}: {len(states.unpack(packed)['changes'])} states, {len(packed) // 1000} kB"
        )


if __name__ == "__main__":
    main()
