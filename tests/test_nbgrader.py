"""The course is a source for nbgrader: from solutions/ to assignment, to grades, feedback and export."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import write_answer

from cnnlib import notebooks

ROOT = Path(__file__).parents[1]
FILE = "04_flatten.ipynb"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "cnn"
c.ExecutePreprocessor.timeout = 300
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
"""


def nbgrader(course: Path, *arguments: str) -> None:
    # It calls alembic by its bare name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        env=os.environ | {"CNNLIB_COURSE": str(ROOT), "PATH": path},
    )
    assert done.returncode == 0, f"nbgrader {' '.join(arguments)}\n{done.stderr[-3000:]}"


@pytest.mark.slow
def test_the_course_goes_through_nbgrader_from_the_assignment_to_the_export(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    source = tmp_path / "source" / "flatten"
    source.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / FILE, source)
    nbgrader(tmp_path, "generate_assignment", "flatten")

    released = tmp_path / "release" / "flatten" / FILE
    untouched = notebooks.answers(notebooks.read(released))
    solved = notebooks.answers(notebooks.read(ROOT / "solutions" / FILE))
    assert untouched.keys() == solved.keys()
    assert all(notebooks.NOT_WRITTEN in answer for answer in untouched.values())
    assert not any(notebooks.BEGIN in answer for answer in untouched.values())

    for student, change in [
        ("right", lambda name, answer: answer),
        (
            "wrong",
            lambda name, answer: answer.replace("(self.x_shape)", "(self.x_shape, order='F')"),
        ),
        ("half", lambda name, answer: answer if name != list(solved)[-1] else untouched[name]),
    ]:
        folder = tmp_path / "submitted" / student / "flatten"
        folder.mkdir(parents=True)
        shutil.copy(released, folder)
        for name, answer in solved.items():
            write_answer(folder / FILE, name, change(name, answer))
    nbgrader(tmp_path, "autograde", "flatten")
    nbgrader(tmp_path, "generate_feedback", "flatten")
    nbgrader(tmp_path, "export", "--to", "grades.csv")

    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        score = {row["student_id"]: row for row in csv.DictReader(file)}
    points = sum(e.points for e in notebooks.exercises(notebooks.read(ROOT / "solutions" / FILE)))
    assert float(score["right"]["max_score"]) == float(score["right"]["score"]) == points
    assert 0 < float(score["half"]["score"]) < points
    assert float(score["wrong"]["score"]) < points
    feedback = tmp_path / "feedback" / "wrong" / "flatten" / FILE.replace(".ipynb", ".html")
    assert "✗ Flatten.backward" in feedback.read_text(encoding="utf-8")
