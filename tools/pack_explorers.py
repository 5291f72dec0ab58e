"""Draw every state of every explorer, and pack them into `cnnlib/explorers/states/`.

python tools/pack_explorers.py
"""

from cnnlib import explorers
from cnnlib.explorers import states


def main() -> None:
    """Write the files that changed."""
    for name in explorers.__all__:
        explorer = getattr(explorers, name)
        if name in ("inside", "training", "softmax"):
            continue
        path = states.file_of(explorer.draw)
        packed = states.pack(explorer.draw, explorer().controls)
        if not path.exists() or states.unpack(path.read_text()) != states.unpack(packed):
            path.parent.mkdir(exist_ok=True)
            path.write_text(packed)
        print(
            f"{path.name}: {len(states.unpack(packed)['changes'])} states, {len(packed) // 1000} kB"
        )


if __name__ == "__main__":
    main()
