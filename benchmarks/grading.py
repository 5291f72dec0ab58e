"""How long a class takes: `cnnlib grade` beside `nbgrader autograde`, on the same notebooks in one run.

python benchmarks/grading.py [--notebooks 20] [--without-nbgrader]

Prints wall and CPU seconds, the time of each further notebook, and the memory of the largest process.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = "04_flatten"


def timed(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Wall and CPU seconds of a command with all that it starts, and MB of the largest process so far."""
    before, began = os.times(), time.monotonic()
    # nbgrader starts alembic by its name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}
    subprocess.run(
        command,
        env=environment,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    wall, after = time.monotonic() - began, os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return wall, cpu, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def cnnlib(count: int, room: Path) -> tuple[float, float, float]:
    handed = room / f"handed{count}"
    for k in range(count):
        home = handed / f"learner{k:03}"
        home.mkdir(parents=True)
        shutil.copy(ROOT / "solutions" / f"{NAME}.ipynb", home)
    command = [sys.executable, "-m", "cnnlib", "grade", str(handed), "--course", str(ROOT)]
    return timed([*command, "--out", str(room / f"report{count}")], room)


def nbgrader(count: int, room: Path) -> tuple[float, float, float]:
    course = room / "nbgrader"
    (course / "source" / "hw").mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / f"{NAME}.ipynb", course / "source" / "hw")
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'c'\n"
    )
    call = [sys.executable, "-m", "nbgrader"]
    timed([*call, "generate_assignment", "hw", "--create"], course)
    for k in range(count):
        home = course / "submitted" / f"learner{k:03}" / "hw"
        home.mkdir(parents=True)
        shutil.copy(ROOT / "solutions" / f"{NAME}.ipynb", home)
    return timed([*call, "autograde", "hw", "--create"], course)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--notebooks", type=int, default=20)
    parser.add_argument("--without-nbgrader", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        count = options.notebooks
        rows = {f"cnnlib grade, {n}": cnnlib(n, Path(room)) for n in (count, 2 * count)}
        (once, _, _), (twice, _, _) = rows.values()
        if not options.without_nbgrader:
            rows[f"nbgrader autograde, {count}"] = nbgrader(count, Path(room))
    for name, (wall, cpu, memory) in rows.items():
        print(f"{name:24} {wall:6.1f} s wall  {cpu:6.1f} s CPU  {memory:5.0f} MB")
    print(f"each further notebook: {(twice - once) / count:.2f} s")


if __name__ == "__main__":
    main()
