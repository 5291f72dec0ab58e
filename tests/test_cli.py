"""The commands, as somebody types them, on the course's own notebooks."""

import csv
import html
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import write_answer

from cnnlib import check, cli, datasets, notebooks
from cnnlib.grading import learner
from cnnlib.grading.grade import Grade
from cnnlib.grading.verdict import Result, Status
from cnnlib.notebooks import Course, Exercise, NotebookError

ROOT = Path(__file__).parents[1]
FILE = "04_flatten.ipynb"
FLAT_BACKWARD = """class Flatten:
    def forward(self, x):
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy"""


def diagnosis() -> str:
    """What the check says of it."""
    space = {}
    exec(FLAT_BACKWARD, space)
    return str(check.flatten_backward.failure(space["Flatten"]))


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    """The course's solutions, with exercises that nobody has touched."""
    course = Course(tmp_path / "course")
    shutil.copytree(ROOT / "solutions", course.solutions)
    course.exercises.mkdir()
    notebooks.release_course(course)
    monkeypatch.setenv("CNNLIB_COURSE", str(course.root))
    monkeypatch.chdir(tmp_path)
    return course


def solve(path: Path, course: Course, **answers: str) -> None:
    """Write the right answers into an exercise, but for those given."""
    for name, source in notebooks.answers(notebooks.read(course.solutions / path.name)).items():
        write_answer(path, name, answers.get(name, source))


def exercises(course: Course) -> list[Exercise]:
    return notebooks.exercises(notebooks.read(course.solutions / FILE))


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


# The program


def test_help_comes_without_the_heavy_imports():
    code = (
        "import sys; from cnnlib.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print([m for m in sys.modules if m in "
        "('numpy', 'nbformat', 'rich', 'pytest', 'jinja2')])"
    )
    done = run("-c", code)
    assert done.stdout.endswith("[]\n")
    assert all(command in done.stdout for command in ("check", "release", "grade", "data"))


@pytest.mark.parametrize("command", ["check", "release", "grade", "data fetch"])
def test_each_command_documents_its_exit_codes(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([*command.split(), "--help"])
    assert "Exit code: 0 when" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments", ["", "nonsense", "grade x", "check --jobs 0", "check --timeout -1"]
)
def test_wrong_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments.split())
    assert stopped.value.code == 2
    assert "usage: cnnlib" in capsys.readouterr().err


def test_an_error_is_one_message_without_a_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CNNLIB_COURSE", raising=False)
    for arguments in (["check"], ["release"], ["grade", ".", "--out", "r"]):
        monkeypatch.setenv("CNNLIB_COURSE", "")
        assert cli.main([*arguments, "--course", str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("cnnlib: ") and "solutions/" in error and "Traceback" not in error


# check


def test_check_of_untouched_exercises_says_what_to_write_first(course, capsys):
    assert cli.main(["check"]) == 1
    out = capsys.readouterr().out
    assert "00_start_here  0 of 2 points\n  ○ brightness" in out
    assert "  ○ Flatten.backward  not written yet.\n" in out
    assert "Next: write brightness in course/exercises/00_start_here.ipynb" in out
    assert "reads the file as it was last saved" in out


@pytest.mark.slow
def test_check_shows_the_diagnosis_and_goes_on_to_the_next(course, capsys):
    path = course.exercises / FILE
    solve(path, course, flatten=FLAT_BACKWARD)
    assert cli.main(["check", "flatten"]) == 1
    out = capsys.readouterr().out
    assert "  ✓ Flatten.forward\n" in out
    message = diagnosis()
    headline = message.partition("\n")[0].removeprefix("✗ Flatten.backward: ")
    assert f"  ✗ Flatten.backward  {headline}\n" in out
    assert f"\n\n{message}\n\nNext: mend Flatten.backward in course/exercises/{FILE}, " in out
    assert "cnnlib check 04\n" in out and "00_start_here" not in out


def test_check_of_finished_exercises_ends_with_0(course, capsys):
    solve(course.exercises / FILE, course)
    assert cli.main(["check", f"course/exercises/{FILE}"]) == 0
    out = capsys.readouterr().out
    assert "✗" not in out and "○" not in out and out.count("✓") == len(exercises(course))
    assert "All done" in out


def test_check_of_a_broken_file_says_so_and_shows_the_others(course, capsys):
    (course.exercises / FILE).write_text("")
    assert cli.main(["check"]) == 1
    out = capsys.readouterr().out
    assert "04_flatten  not run\n" in out and f"{FILE} is empty" in out
    assert "○ brightness" in out


@pytest.mark.slow
def test_pytest_itself_runs_an_exercise(course):
    path = course.exercises / FILE
    solve(path, course, flatten=FLAT_BACKWARD)
    done = run("-m", "pytest", "--nbval-lax", "--color=no", "-p", "no:cacheprovider", str(path))
    assert done.returncode == 1
    assert diagnosis().partition("\n")[0] in done.stdout
    assert done.stdout.count("FAILED") == 1


@pytest.mark.parametrize("name", ["4_flatten", "05", "flat", "elsewhere/05_dense.ipynb"])
def test_a_name_that_no_exercise_has_is_an_error(name):
    paths = {"00_start_here": Path("a"), "04_flatten": Path("b")}
    with pytest.raises(NotebookError, match="It has 00_start_here, 04_flatten"):
        learner.choose(name, paths)


def test_a_notebook_goes_by_number_by_name_and_by_path():
    paths = {"00_start_here": Path("a"), "04_flatten": Path("b")}
    for name in ("04", "flatten", "04_flatten"):
        assert learner.choose(name, paths) == ("04_flatten", Path("b"))
    assert learner.choose("x/04_flatten.ipynb", paths) == ("04_flatten", Path("x/04_flatten.ipynb"))


def test_the_next_thing_is_what_is_wrong_then_what_is_not_written_then_the_next_notebook():
    def graded(notebook, *statuses):
        results = [Result(Exercise(s, 1.0, s), s, "…") for s in statuses]
        return Grade("", notebook, float(len(results)), tuple(results))

    paths = {name: Path(name) for name in ("01_a", "02_b", "03_c")}
    done, unwritten, wrong = Status.DONE, Status.UNWRITTEN, Status.WRONG

    def following(*grades):
        return learner.next_step(list(grades), paths, list(paths)).partition("\n")[0]

    assert following(graded("01_a", done, unwritten), graded("02_b", unwritten, wrong)) == (
        "Next: mend wrong in 02_b, save it, and run: cnnlib check 02"
    )
    assert following(graded("01_a", done), graded("02_b", unwritten)) == (
        "Next: write unwritten in 02_b, save it, and run: cnnlib check 02"
    )
    assert following(graded("01_a", done)) == (
        "All done here. Next: read notebooks/02_b.ipynb, then do its exercises."
    )
    assert following(graded("03_c", done)) == "All done."
    everything = [graded(name, done) for name in paths]
    assert following(*everything) == "All done: every exercise of the course."


def test_rows_line_up_and_tell_what_is_still_running():
    titles = {"a": "A", "b": "Long.name"}
    known = {"a": Result(Exercise("a", 1.0, "a"), Status.WRONG, "✗ a: no.\n  more")}
    assert learner.rows("01_a", titles, known, None).plain == (
        "01_a  running …\n  ✗ A          no.\n  · Long.name\n"
    )


# release


def test_release_makes_exercises_and_gives_up_no_work_unasked(course, capsys):
    path = course.exercises / FILE
    assert cli.main(["release", "--check"]) == 0
    path.unlink()
    assert cli.main(["release", "--check"]) == 1
    assert f"{FILE}: differ from their solutions" in capsys.readouterr().out
    assert cli.main(["release"]) == 0
    solve(path, course)
    assert cli.main(["release"]) == 2
    assert "--force" in capsys.readouterr().err
    assert cli.main(["release", "--force"]) == 0
    assert cli.main(["release", "--check"]) == 0


# grade


def hand_in(folder: Path, course: Course, name: str, **answers: str) -> Path:
    path = folder / name / FILE
    path.parent.mkdir(parents=True)
    shutil.copy(course.exercises / FILE, path)
    solve(path, course, **answers)
    return path


@pytest.mark.slow
def test_grade_writes_the_report_and_shows_how_far_it_is(course, tmp_path, capsys):
    folder = tmp_path / "handed in"
    hand_in(folder, course, "ada", flatten=FLAT_BACKWARD)
    (folder / "[bob]").mkdir()
    assert cli.main(["grade", str(folder), "--out", "report", "--jobs", "2"]) == 0
    shown = capsys.readouterr()
    points = {e.name: e.points for e in exercises(course)}
    total, lost = sum(points.values()), points["flatten_backward"]
    assert f"ada, 04_flatten: {total - lost:g} of {total:g}\n" in shown.err
    assert "1/2  [bob], 04_flatten: no grade\n2/2  ada" in shown.err
    assert "1 of 2 notebooks have a grade." in shown.out
    assert f"  [bob], 04_flatten: {FILE} is missing; the folder has nothing\n" in shown.out
    assert "Report: report/index.html" in shown.out
    bob, ada = csv.DictReader((tmp_path / "report/grades.csv").open())
    for row, points in ((bob, ""), (ada, f"{total - lost:g}")):
        assert (row["04_flatten"], row["total"], row["out_of"]) == (points, points, f"{total:g}")
    assert (bob["learner"], ada["learner"]) == ("[bob]", "ada")
    assert bob["note"] == f"04_flatten: {FILE} is missing; the folder has nothing"
    page = (tmp_path / "report/feedback/ada.html").read_text()
    assert html.escape(diagnosis(), quote=False).replace("'", "&#39;") in page


@pytest.mark.slow
def test_the_teachers_own_points_survive_every_regrade_and_the_worksheet_is_filled(
    course, tmp_path, capsys, monkeypatch
):
    hand_in(tmp_path / "handed", course, "Ada_7_assignsubmission_file")
    sheet = "Identifier,Full name,Status,Grade,Maximum Grade\nParticipant 7,Ada,x,,{}.00\n"
    total = sum(e.points for e in exercises(course))
    Path("moodle.csv").write_text(sheet.format(f"{total:g}"), encoding="utf-8")
    Path("r").mkdir()
    row = "Ada,04_flatten,flatten_forward,0.5,see me"
    Path("r/overrides.csv").write_text(f"learner,notebook,exercise,points,comment\n{row}\n")
    points = f"{total - 1.5:g}"
    for _ in range(2):
        command = ["grade", "handed", "--out", "r", "--worksheet", "moodle.csv"]
        assert cli.main([*command, "--format", "nbgrader", "--format", "moodle"]) == 0
        expected = sheet.format(f"{total:g}").replace("x,,", f"x,{points},")
        assert Path("r/moodle.csv").read_text() == expected
        assert "see me" in Path("r/feedback/Ada.html").read_text()
        (ada,) = csv.DictReader(Path("r/nbgrader.csv").open())
        assert ada["score"] == points
        assert Path("r/feedback.zip").exists()
    capsys.readouterr()
    Path("r/overrides.csv").write_text("learner,notebook,exercise,points,comment\nBob,,,1,\n")
    assert cli.main(["grade", "handed", "--out", "r"]) == 2
    assert "there is no learner 'Bob'" in capsys.readouterr().err


def test_grade_says_what_this_machine_lacks(course, tmp_path, capsys, monkeypatch):
    hand_in(tmp_path / "handed", course, "ada")
    monkeypatch.setattr("cnnlib.grading.box.missing", lambda: "this machine can't")
    assert cli.main(["grade", "handed", "--out", "r"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "cnnlib: The submissions' code can't be confined here: this machine can't."
    )
    assert "--unconfined" in said


def test_grade_refuses_a_report_among_the_submissions(course, tmp_path, capsys):
    hand_in(tmp_path / "handed", course, "ada")
    assert cli.main(["grade", "handed", "--out", "handed/report"]) == 2
    assert "Write the report elsewhere" in capsys.readouterr().err
    assert not (tmp_path / "handed/report").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal as a terminal does")
def test_ctrl_c_keeps_what_is_graded(course, tmp_path):
    hand_in(tmp_path / "handed", course, "ada", flatten=f"while True:\n    pass\n{FLAT_BACKWARD}")
    (tmp_path / "handed/bob").mkdir()
    # Where the tests run in the background, SIGINT is ignored, and whatever is started inherits that.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from cnnlib.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "grade", "handed", "--out", "r", "--timeout", "300"]
    options = {"stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:
        try:
            assert process.stderr.readline().startswith("1/2  bob")
            os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()
    grades = json.loads(Path("r/grades.json").read_text())["grades"]
    assert {g["learner"]: g["notes"] for g in grades} == {
        "ada": ["not graded: the run was interrupted"],
        "bob": [f"{FILE} is missing; the folder has nothing"],
    }


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal as a terminal does")
def test_watching_runs_a_notebook_again_when_another_answer_is_saved(course):
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from cnnlib.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-u", "-c", code, "check", "04", "--watch"]
    path = course.exercises / FILE
    shape = "def flat_index(c, h, w, shape):\n    C, H, W = shape\n    return (c * {} + h) * W + w"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:

        def until(words: str) -> list[str]:
            lines = []
            while not lines or words not in lines[-1]:
                lines.append(process.stdout.readline())
                assert lines[-1], "".join(lines)  # it has ended
            return lines

        try:
            assert any("○ flat_index" in line for line in until("Watching"))
            write_answer(path, "flat_index", shape.format("W"))
            assert any("✗ flat_index" in line for line in until("Next: mend flat_index"))
            os.utime(path)  # saved, and nothing new in it: no word
            write_answer(path, "flat_index", shape.format("H"))
            again = until("Next: write")
            assert sum("04_flatten  " in line for line in again) == 1
            assert any("✓ flat_index" in line for line in again)
            process.send_signal(signal.SIGINT)
            assert process.wait() == 1
        finally:
            process.kill()


# data


def test_data_fetch_hands_over_the_folder_and_reports_the_error(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(datasets, "fetch", lambda source=None: asked.append(source) or Path("full"))
    assert cli.main(["data", "fetch"]) == 0
    assert cli.main(["data", "fetch", "--from", "disk"]) == 0
    assert asked == [None, Path("disk")]
    assert capsys.readouterr().out.endswith("is in full\n")

    def fail(source=None):
        raise datasets.DataError("there is no such folder")

    monkeypatch.setattr(datasets, "fetch", fail)
    assert cli.main(["data", "fetch"]) == 2
    assert capsys.readouterr().err == "cnnlib: there is no such folder\n"
