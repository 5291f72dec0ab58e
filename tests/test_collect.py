"""What learning systems give out is taken as it is: names, copies, folders and zip files."""

import io
import os
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from synthetic import DOUBLE, make_course, write_answer

from cnnlib import notebooks
from cnnlib.grading import unpack
from cnnlib.grading.assemble import load
from cnnlib.grading.collect import collect
from cnnlib.notebooks import NotebookError

RIGHT = "def double(x):\n    return x + x"


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path / "course")


@pytest.fixture
def originals(course):
    return load(course)


@pytest.fixture
def name(originals):
    return originals.graded[0]


@pytest.fixture
def written(course, name, tmp_path):
    """A notebook in which somebody wrote an answer."""
    path = tmp_path / "written.ipynb"
    shutil.copy(course.exercises / f"{name}.ipynb", path)
    write_answer(path, "double", RIGHT)
    return path


def place(file: Path, *ways: str) -> Path:
    """Put a file at each of these places of a class's folder."""
    folder = file.parent / "handed in"
    for way in ways:
        (folder / way).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / way)
    return folder


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("way", "learner", "number", "late"),
    [
        ("ada/{}.ipynb", "ada", "", False),
        ("ada/{} (1).ipynb", "ada", "", False),
        ("ada/{}_final.ipynb", "ada", "", False),
        ("ada/{}-Copy1.ipynb", "ada", "", False),
        ("ada/My {}.IPYNB", "ada", "", False),
        ("ada/week 3/{}.ipynb", "ada", "", False),
        ("ada/Untitled7.ipynb", "ada", "", False),  # known by its cells
        ("submitted/ada/numbers/{}.ipynb", "ada", "", False),  # nbgrader
        ("ada/numbers/{}.ipynb", "ada", "", False),
        ("Ada Lovelace_123456_assignsubmission_file/{}.ipynb", "Ada Lovelace", "123456", False),
        ("Ada Lovelace_123456_assignsubmission_file_{}.ipynb", "Ada Lovelace", "123456", False),
        ("Ada_B_7_assignsubmission_file/in/{}.ipynb", "Ada_B", "7", False),
        ("lovelaceada_4711_98765_{}.ipynb", "lovelaceada", "4711", False),
        ("lovelaceada_LATE_4711_98765_{}.ipynb", "lovelaceada", "4711", True),
        ("lovelaceada_4711_98765_{}-1.ipynb", "lovelaceada", "4711", False),
        ("submissions/lovelaceada_4711_98765_{}.ipynb", "lovelaceada", "4711", False),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_names_of_learning_systems(originals, written, name, way, learner, number, late, packed):
    folder = place(written, way.format(name))
    if packed:
        folder = Path(shutil.make_archive(str(folder), "zip", folder))
    handed = collect(folder, originals)
    (found,) = handed.learners
    assert (found.name, found.id, found.late) == (learner, number, late)
    assert found.submissions[name].answers == {"double": RIGHT}
    assert handed.skipped == []
    plain = Path(way).name == "{}.ipynb" or way.endswith("file_{}.ipynb") or "98765_{}.ip" in way
    assert bool(found.submissions[name].notes) == (not plain)


def test_of_several_copies_the_newest_with_answers_counts(originals, course, written, name):
    untouched = course.exercises / f"{name}.ipynb"
    folder = place(written, f"ada/{name} (1).ipynb", "ada/old.ipynb")
    shutil.copy(untouched, folder / "ada" / f"{name}.ipynb")
    write_answer(folder / "ada" / "old.ipynb", "double", "def double(x):\n    return 0")
    for age, file in enumerate([f"{name}.ipynb", f"{name} (1).ipynb", "old.ipynb"]):
        os.utime(folder / "ada" / file, (10**9 - age, 10**9 - age))
    (found,) = collect(folder, originals).learners
    assert found.submissions[name].answers == {"double": RIGHT}
    assert f"graded is {name} (1).ipynb" in found.submissions[name].notes[0]


def test_a_later_attempt_counts_where_the_clock_says_nothing(originals, written, name):
    folder = place(written, *(f"a_1_{k}_{name}{end}.ipynb" for k, end in ((5, ""), (6, "-1"))))
    write_answer(folder / f"a_1_5_{name}.ipynb", "double", "def double(x):\n    return 0")
    for path in folder.iterdir():
        os.utime(path, (10**9, 10**9))
    (found,) = collect(folder, originals).learners
    assert found.submissions[name].answers == {"double": RIGHT}


def test_learners_of_one_name_are_told_apart(originals, written, name):
    folder = place(
        written, *(f"Ada_{number}_assignsubmission_file/{name}.ipynb" for number in (1, 2))
    )
    assert [x.name for x in collect(folder, originals).learners] == ["Ada (1)", "Ada (2)"]


def test_a_folder_of_notebooks_is_one_learners(originals, written, name):
    """As Gradescope gives it to an autograder."""
    folder = place(written, f"{name}.ipynb", "notes.txt")
    (found,) = collect(folder, originals).learners
    assert found.name == "handed in"
    assert found.submissions[name].answers == {"double": RIGHT}


def test_zip_files_in_zip_files(originals, written, name):
    content = written.read_bytes()
    inner = zipped(**{f"work/{name}.ipynb": content, "data.csv": b"1,2"})
    folder = written.parent / "handed in"
    folder.mkdir()
    (folder / "lovelaceada_4711_98765_all.zip").write_bytes(inner)
    (folder / "Bob_3_assignsubmission_file").mkdir()
    (folder / "Bob_3_assignsubmission_file" / "work.zip").write_bytes(inner)
    (folder / "eve.zip").write_bytes(zipped(**{"inner.zip": inner}))
    learners = collect(folder, originals).learners
    assert [x.name for x in learners] == ["Bob", "eve", "lovelaceada"]
    assert all(x.submissions[name].answers == {"double": RIGHT} for x in learners)


# Zip files that somebody made on purpose


def read_zip(originals, written, name, content: bytes):
    """Collect a class of ada, who is honest, and eve, who has this zip file."""
    folder = place(written, f"ada/{name}.ipynb")
    (folder / "eve.zip").write_bytes(content)
    handed = collect(folder, originals)
    ada, eve = handed.learners
    assert ada.submissions[name].answers == {"double": RIGHT}
    return eve, handed.skipped


@pytest.mark.parametrize(
    "way", ["../{}.ipynb", "/tmp/evil/{}.ipynb", "a/../../{}.ipynb", "..\\{}.ipynb", "C:/{}.ipynb"]
)
def test_no_path_leaves_the_folder(originals, written, name, way, tmp_path):
    before = {p for p in tmp_path.rglob("*") if "handed in" not in p.parts}
    content = zipped(**{way.format(name): written.read_bytes()})
    eve, skipped = read_zip(originals, written, name, content)
    assert not eve.submissions
    assert any("leads out of its zip file" in sentence for sentence in skipped)
    assert {p for p in tmp_path.rglob("*") if "handed in" not in p.parts} == before
    assert not Path("/tmp/evil").exists()


def test_a_bomb_does_not_unpack(originals, written, name, monkeypatch):
    monkeypatch.setattr(unpack, "CHUNK", 1000)
    monkeypatch.setattr("cnnlib.grading.collect.SIZE_LIMIT", 100_000)
    eve, skipped = read_zip(originals, written, name, zipped(**{f"{name}.ipynb": b" " * 1_000_000}))
    assert not eve.submissions
    assert any("more than 0 MB" in sentence for sentence in skipped)


def test_many_zip_files_share_the_room(tmp_path):
    inner = zipped(**{f"{k}.ipynb": b" " * 1000 for k in range(10)})
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped(**{f"{k}.zip": inner for k in range(10)}))
    unpacker = unpack.Unpacker(limit=10_000, room=50_000)
    with pytest.raises(NotebookError, match="too much"):
        unpacker.unpack(path, tmp_path / "out")
    assert sum(p.stat().st_size for p in (tmp_path / "out").rglob("*.ipynb")) < 50_000


def test_a_class_in_one_zip_file_gives_each_learner_room(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack.Unpacker.__init__, "__defaults__", (5000, False))
    path, good = tmp_path / "class.zip", zipped(**{"a.ipynb": b" " * 1000})
    bomb = zipped(**{f"{k}.ipynb": b" " * 1000 for k in range(100)})
    path.write_bytes(zipped(**{"eve.zip": bomb, "zoe.zip": good}))
    unpacker = unpack.Unpacker(limit=50_000, room=100_000, apart=True)
    unpacker.unpack(path, tmp_path / "out")
    assert (tmp_path / "out" / "zoe.zip" / "a.ipynb").stat().st_size == 1000
    assert unpacker.left_out == ["eve.zip: there is too much in it to unpack"]


def test_a_zip_in_itself_ends(originals, written, name):
    content = written.read_bytes()
    for _ in range(10):
        content = zipped(**{"again.zip": content})
    eve, _ = read_zip(originals, written, name, content)
    assert not eve.submissions


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no more", b"\0" * 1000])
def test_a_damaged_zip_is_told(originals, written, name, content):
    eve, _ = read_zip(originals, written, name, content)
    assert "eve.zip: it can't be unpacked" in eve.problems[name]


def test_a_link_in_a_zip_is_not_followed(originals, written, name):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as bundle:
        link = zipfile.ZipInfo(f"{name}.ipynb")
        link.external_attr = 0o120777 << 16
        bundle.writestr(link, "/etc/passwd")
    eve, skipped = read_zip(originals, written, name, made.getvalue())
    assert not eve.submissions
    assert any("symbolic link" in sentence for sentence in skipped)


def test_a_zip_of_nothing_to_grade_says_what_is_expected(originals, tmp_path):
    path = tmp_path / "class.zip"
    path.write_bytes(zipped(**{"ada/essay.txt": b""}))
    with pytest.raises(NotebookError, match="folder for each learner"):
        collect(path, originals)


def test_the_course_has_what_these_tests_need(originals, written):
    assert DOUBLE
    assert nbformat.validate(notebooks.read(written)) is None
