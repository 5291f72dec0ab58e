"""Grades in the files that instructors hand in."""

import csv
import io
import json
import zipfile
from xml.etree import ElementTree

import pytest

from cnnlib.grading import exports, overrides, worksheet
from cnnlib.grading.collect import Learner
from cnnlib.grading.grade import Grade
from cnnlib.grading.overrides import OverrideError
from cnnlib.grading.verdict import Result, Status
from cnnlib.grading.worksheet import WorksheetError
from cnnlib.notebooks import Exercise


def result(name, status, message=""):
    return Result(Exercise(name, 2.0, name), status, message)


ADA = Grade(
    "Ada Lovelace",
    "04_flatten",
    4.0,
    (result("there", Status.DONE), result("back", Status.WRONG, "✗ back: turned.\n\n  & < \x00")),
)
BOB = Grade("Bob", "04_flatten", 4.0, notes=("04_flatten.ipynb is empty",))
EVE = Grade(
    "Eve", "04_flatten", 4.0, (result("there", Status.DONE), result("back", Status.UNWRITTEN))
)
GRADES = [ADA, BOB, EVE]
PEOPLE = {
    "Ada Lovelace": Learner("Ada Lovelace", {}, {}, "11", late=True),
    "Bob": Learner("Bob", {}, {}, "12"),
    "Eve": Learner("Eve", {}, {}, ""),
}


# One row a learner


def test_the_csv_has_a_row_per_learner_with_totals_and_no_formula():
    more = [
        *GRADES[:1],
        Grade("Ada Lovelace", "05_dense", 2.0, (result("x", Status.DONE),)),
        *GRADES[1:],
    ]
    more.append(Grade("=cmd()", "04_flatten", 4.0, notes=("-x",)))
    rows = list(csv.reader(io.StringIO(exports.table(more, PEOPLE))))
    assert rows == [
        ["learner", "id", "late", "04_flatten", "05_dense", "total", "out_of", "note"],
        ["Ada Lovelace", "11", "late", "2", "2", "4", "6", ""],
        ["Bob", "12", "", "", "", "", "6", "04_flatten: 04_flatten.ipynb is empty"],
        ["Eve", "", "", "2", "", "2", "6", ""],
        ["'=cmd()", "", "", "", "", "", "6", "04_flatten: -x"],
    ]


# JUnit, nbgrader, Gradescope, feedback


def test_junit_has_a_case_for_each_exercise():
    root = ElementTree.fromstring(exports.junit(GRADES))
    ada, bob, eve = root
    assert [s.attrib["failures"] for s in root] == ["1", "0", "0"]
    assert [s.attrib["skipped"] for s in root] == ["0", "0", "1"]
    assert [c.attrib["name"] for c in ada] == ["there", "back"]
    assert ada[1][0].attrib["message"] == "turned."
    assert "& <" in ada[1][0].text
    assert bob[0][0].attrib["message"] == "04_flatten.ipynb is empty"
    assert eve[1][0].tag == "skipped"


def test_nbgraders_columns():
    rows = list(csv.DictReader(io.StringIO(exports.nbgrader(GRADES))))
    assert tuple(rows[0]) == exports.NBGRADER
    assert [(r["student_id"], r["score"], r["max_score"]) for r in rows] == [
        ("Ada Lovelace", "2", "4"),
        ("Bob", "0", "4"),
        ("Eve", "2", "4"),
    ]


def test_gradescope_gets_a_test_for_each_exercise():
    content = json.loads(exports.gradescope([ADA]))
    assert content["score"] == 2.0
    assert [(t["name"], t["score"], t["max_score"]) for t in content["tests"]] == [
        ("04_flatten: there", 2.0, 2.0),
        ("04_flatten: back", 0.0, 2.0),
    ]
    assert "turned" in content["tests"][1]["output"]
    (missing,) = json.loads(exports.gradescope([BOB]))["tests"]
    assert missing["max_score"] == 4.0 and "is empty" in missing["output"]


def test_moodles_feedback_has_a_page_for_each_whose_number_is_known():
    pages = {name: f"<p>{name}</p>" for name in PEOPLE}
    made = exports.moodle_feedback(pages, PEOPLE)
    assert made == exports.moodle_feedback(pages, PEOPLE)
    with zipfile.ZipFile(io.BytesIO(made)) as bundle:
        assert bundle.namelist() == [
            "Ada Lovelace_11_assignfeedback_file/feedback.html",
            "Bob_12_assignfeedback_file/feedback.html",
        ]


# Worksheets

MOODLE = (
    "\ufeffIdentifier,\"Full name\",\"ID number\",\"Email address\",Status,Grade,\"Maximum Grade\","
    "\"Grade can be changed\",\"Last modified (grade)\",\"Feedback comments\"\r\n"
    "\"Participant 11\",\"Ada Lovelace\",,ada@x.org,\"Submitted, graded\",,4.00,Yes,-,\"a \"\"b\"\"\r\nc\"\r\n"
    "\"Participant 12\",Bob,,bob@x.org,Submitted,1.00,4.00,Yes,-,\r\n"
    "\"Participant 111\",\"Eve E.\",,eve@x.org,Submitted,,4.00,Yes,-,"
)  # fmt: skip


def test_moodles_worksheet_gets_grades_and_keeps_every_other_byte():
    filled = worksheet.fill(MOODLE, GRADES, PEOPLE)
    expected = MOODLE.replace("\"Submitted, graded\",,", "\"Submitted, graded\",2,")  # fmt: skip
    expected = expected.replace("eve@x.org,Submitted,,", "eve@x.org,Submitted,2,")
    assert filled.text == expected
    assert filled.unknown == [] and filled.scaled == []


def test_moodle_in_another_language_and_with_another_maximum():
    header = "ID;Nome;Stato;Punteggio;Massimo;Commenti\n"
    text = header + "Partecipante11;Ada L;x;;100,00;\nPartecipante13;Zoe;x;;100,00;\n"
    filled = worksheet.fill(text, GRADES, PEOPLE)
    assert filled.text == text.replace("Ada L;x;;", "Ada L;x;50;")
    assert filled.unknown == ["Bob", "Eve"]
    assert filled.scaled == ["Punteggio counts to 100, the course to 4: the points are scaled."]


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Essay (7),Flatten (8),Final Score\n"
    "    Points Possible,,,,,10,4,(read only)\n"
    "\"Lovelace, Ada\",11,,ada,S,3,,\n"
    "\"E, Eve\",99,,eve,S,,1,\n"
)  # fmt: skip


def test_canvass_gradebook_gets_grades_in_the_assignments_own_column():
    filled = worksheet.fill(CANVAS, GRADES, PEOPLE)
    assert filled.text == CANVAS.replace("ada,S,3,,", "ada,S,3,2,").replace("S,,1,", "S,,2,")
    assert filled.unknown == ["Bob"]


def test_a_name_that_two_have_is_nobodys():
    text = CANVAS + "\"E, Eve\",98,,eve,S,,1,\n"  # fmt: skip
    assert "Eve" in worksheet.fill(text, GRADES, PEOPLE).unknown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "neither Moodle's"),
        ("name,points\nada,3\n", "neither Moodle's .* name, points"),
        ("Identifier,a,b,c,d\nParticipant 1,x,y,z,w\n", "No column of this worksheet is for grades"),
        (CANVAS.replace("Flatten (8)", "Talk (8)"), "None of the gradebook's assignments .* Essay"),
        ("a,\"b\nc", "never ends"),
    ],
)  # fmt: skip
def test_what_is_no_worksheet_is_told(text, words):
    with pytest.raises(WorksheetError, match=words):
        worksheet.fill(text, GRADES, PEOPLE)


# A teacher's own points


def test_overrides_are_applied_to_an_exercise_or_to_the_notebook(tmp_path):
    path = tmp_path / "overrides.csv"
    path.write_text(
        "learner,notebook,exercise,points,comment\n"
        "Ada Lovelace,04_flatten,back,1.5,nearly\n"
        "Ada Lovelace,04_flatten,,-0.5,late\n"
        "Bob,04_flatten,,3,by word of mouth\n"
        "Eve,04_flatten,there,,well done\n",
        encoding="utf-8",
    )
    ada, bob, eve = overrides.apply(GRADES, overrides.read(path))
    assert (ada.points, bob.points, eve.points) == (3.0, 3.0, 2.0)
    assert ada.results[1].comment == "nearly" and ada.comments == ("late",)
    assert eve.results[0].comment == "well done"
    assert overrides.apply(GRADES, overrides.read(tmp_path / "none.csv")) == GRADES


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ada,04_flatten,back,1,", "no learner 'ada'. There is Ada Lovelace"),
        ("Bob,04,back,1,", "no notebook '04'. There is 04_flatten"),
        ("Ada Lovelace,04_flatten,side,1,", "no exercise 'side'. It has there, back"),
        ("Ada Lovelace,04_flatten,back,much,", "line 2: points is 'much', no number"),
        ("Ada Lovelace,04_flatten,back,nan,", "points is 'nan'"),
    ],
)
def test_a_row_that_fits_nothing_is_told(tmp_path, row, words):
    path = tmp_path / "overrides.csv"
    path.write_text(f"learner,notebook,exercise,points,comment\n{row}\n", encoding="utf-8")
    with pytest.raises(OverrideError, match=words):
        overrides.apply(GRADES, overrides.read(path))


def test_other_columns_are_told(tmp_path):
    path = tmp_path / "overrides.csv"
    path.write_text("learner,points\n", encoding="utf-8")
    with pytest.raises(OverrideError, match="no column notebook, exercise, comment"):
        overrides.read(path)
