"""A class of a hundred, drawn with a seed: known grades in, the same grades out, alone and in the crowd.

Outside of continuous integration the class is a third of that.
"""

import copy
import json
import random
from pathlib import Path
from threading import Event

import pytest
from nbformat.v4 import new_code_cell
from test_soak_attacks import FORGED, harmful
from thorough import THOROUGH

from cnnlib import notebooks
from cnnlib.grading import box
from cnnlib.grading.assemble import load
from cnnlib.grading.collect import collect
from cnnlib.grading.grade import grade_all
from cnnlib.grading.judges import Judges
from cnnlib.notebooks import Course

COURSE = Course(Path(__file__).parents[1])
HOW = box.UNCONFINED if box.missing() else box.CONFINED
LEARNERS = 100 if THOROUGH else 33
NAME, POINTS, LAYER = "04_flatten", 12, 5
BACKWARD = "        return dy.reshape(self.s)"
RIGHT = f"""class Flatten:
    def forward(self, x):
        self.s = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
{BACKWARD}"""
SLIPS = {
    "zeros": "        return np.zeros(self.s, dy.dtype)",
    "handed through": "        return dy",
    "Fortran order": "        return dy.reshape(self.s, order='F')",
    "H and W swapped": "        N, C, H, W = self.s\n        return dy.reshape(N, C, W, H).transpose(0, 1, 3, 2)",
}


def kinds(rng: random.Random):
    """A learner's notebook, changed in place, and the points that it deserves."""

    def right(nb):
        return POINTS

    def untouched(nb, blank):
        nb.cells = blank.cells
        return 0

    def slip(nb):
        answer(nb)["source"] = RIGHT.replace(BACKWARD, rng.choice([*SLIPS.values()]))
        return POINTS - 3

    def split(nb):
        cell = answer(nb)
        other = copy.deepcopy(cell)
        cell["source"], other["source"] = RIGHT.split("\n\n")
        other["id"] = "other"
        nb.cells.insert(nb.cells.index(cell) + 1, other)
        return POINTS

    def helper(nb):
        cell = answer(nb)
        cell["source"] = RIGHT.replace("x.reshape(len(x), -1)", "flat(x)")
        source = "def flat(x):\n    return x.reshape(len(x), -1)"
        nb.cells.insert(nb.cells.index(cell), new_code_cell(source, id="helper"))
        return POINTS

    def tampered(nb):
        for cell in nb.cells:
            cell.metadata["tags"] = ["nbval-skip", "raises-exception"]
            if notebooks.is_check(cell):
                cell["source"] = "print('✓')"
        answer(nb)["source"] = RIGHT.replace(BACKWARD, SLIPS["zeros"])
        return POINTS - 3

    def forged(nb):
        answer(nb)["source"] = rng.choice([*FORGED.values()])
        return POINTS - LAYER

    def hostile(nb):
        lines = ("os._exit(1)", "os.kill(-1, 9)", "os.remove('/tmp')", "raise MemoryError")
        answer(nb)["source"] = harmful(rng.choice(lines[: 4 if HOW == box.CONFINED else 1]))
        return POINTS - LAYER

    return right, untouched, slip, split, helper, tampered, forged, hostile


def answer(nb):
    return next(c for c in nb.cells if notebooks.grade_id(c) == "flatten")


@pytest.fixture(scope="module")
def originals():
    return load(COURSE)


@pytest.mark.slow
def test_known_grades_in_the_same_grades_out(originals, tmp_path):
    rng = random.Random(9)
    every, deserved = kinds(rng), {}
    files = (f"{NAME}.ipynb", f"{NAME} (1).ipynb", f"{NAME}_final.ipynb", f"deep/{NAME}.ipynb")
    for k in range(LEARNERS):
        nb, kind = copy.deepcopy(originals.solved[NAME]), every[k % len(every)]
        more = (originals.blank[NAME],) if kind.__name__ == "untouched" else ()
        learner = f"{k:03} {kind.__name__}"
        deserved[learner] = kind(nb, *more)
        path = tmp_path / learner / rng.choice(files)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(nb))
    handed = collect(tmp_path, originals)
    with Judges(COURSE, HOW, 2) as judges:
        options = {"timeout": 10, "jobs": 2, "stop": Event()}
        grades = grade_all(handed, originals, judges.ask, **options)
        assert {grade.learner: grade.points for grade in grades} == deserved
        few = [each for each in handed.learners if each.name[:3] in ("002", "006", "007")]
        alone = type(handed)(handed.notebooks, few, [])
        again = grade_all(alone, originals, judges.ask, **options)
    names = {each.name for each in few}
    assert again == [grade for grade in grades if grade.learner in names]


@pytest.mark.slow
def test_a_cluster_gives_the_same_grades_though_a_worker_is_killed(originals, tmp_path):
    distributed = pytest.importorskip("distributed")
    from cnnlib.grading.cluster import Cluster

    for k in range(6):
        nb = copy.deepcopy(originals.solved[NAME])
        if k % 2:
            answer(nb)["source"] = RIGHT.replace(BACKWARD, SLIPS["zeros"])
        path = tmp_path / f"learner{k}" / f"{NAME}.ipynb"
        path.parent.mkdir()
        path.write_text(json.dumps(nb))
    handed = collect(tmp_path, originals)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as local:
        victims = [worker.pid for worker in local.workers.values()]
        with Cluster(local.scheduler_address, COURSE, HOW) as cluster:
            killed = []

            def ask(job):
                if len(killed) < 1:
                    import os
                    import signal

                    killed.append(victims[0])
                    os.kill(victims[0], signal.SIGKILL)
                return cluster.ask(job)

            options = {"timeout": 10, "jobs": 2, "stop": Event()}
            grades = grade_all(handed, originals, ask, **options)
    assert [grade.points for grade in grades] == [POINTS, POINTS - 3] * 3
