"""Exports are read back by a parser, name by name and score by score."""

import csv
import datetime
import io
import json
import logging
import os
import shutil
import stat
import subprocess

import pytest
from nbgrader.api import Gradebook

from autograder.cli import main
from autograder.exports.marks import number
from autograder.exports.moodle import MoodleExporter
from tests.conftest import TOY_CONFIG

DUE = datetime.datetime(2026, 1, 10, 12, 0)
# (id, first name, last name, e-mail, number in Canvas, raw score, penalty, waits for a mark)
CLASS = [
    ("ada", "Ada, Countess", "of Lovelace", "ada@uni.edu", "101", 7.25, 0.725, False),
    ("bob", 'Bob "the Box"', "O'Hara", "bob@uni.edu", "102", 10.0, 0.0, False),
    ("wang", "小明", "王", "wang@uni.edu", "103", 1 / 3, 0.0, True),
    ("eve", "Eve", '=HYPERLINK("https://x","y")', "eve@uni.edu", "104", 3.0, 5.0, False),
    ("zoe", "Zoë\nMarie", "-Ångström", "zoe@uni.edu", "105", None, 0.0, False),
]
SCORES = {"ada": "6.53", "bob": "10", "wang": "0.33", "eve": "0"}
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,ps1 (17),ps2 (18),Current Score
    Points Possible,,,,,10,4,(read only)
"of Lovelace, Ada, Countess",101,u1,ada@uni.edu,"A, morning",,,
"O'Hara, Bob ""the Box""\",102,u2,bob@uni.edu,A,,,
"王, 小明",103,u3,wang@uni.edu,B,,,
"=""=HYPERLINK(""https://x"",""y""), Eve""\",104,u4,eve@uni.edu,B,,,
"-Ångström, Zoë
Marie",105,u5,zoe@uni.edu,B,,,
"Newcomer, Nora",106,u6,nora@uni.edu,B,,,
"Student, Test",999,,,B,,,
"""
MOODLE = """\
First name,Surname,ID number,Email address,Assignment: ps1 (Real)
小明,王,u3,wang@uni.edu,-
Eve,"=HYPERLINK(""https://x"",""y"")",u4,eve@uni.edu,-
"Ada, Countess",of Lovelace,u1,ada@uni.edu,-
"""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    (folder / "nbgrader_config.py").write_text(TOY_CONFIG)
    (folder / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    (folder / "moodle.csv").write_text(MOODLE, encoding="utf-8-sig")
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "toy") as gradebook:
        for name, points in (("ps1", 10), ("ps2", 4)):
            gradebook.add_assignment(name, duedate=DUE)
            gradebook.add_notebook("p", name)
            gradebook.add_grade_cell("test", "p", name, max_score=points, cell_type="code")
        for student, first, last, email, lms, raw, penalty, waits in CLASS:
            gradebook.add_student(
                student, first_name=first, last_name=last, email=email, lms_user_id=lms
            )
            if raw is None:
                continue
            gradebook.add_submission("ps1", student, timestamp=DUE)
            saved = gradebook.find_submission_notebook("p", "ps1", student)
            saved.late_submission_penalty = penalty
            grade = gradebook.find_grade("test", "p", "ps1", student)
            grade.auto_score, grade.needs_manual_grade = raw, waits
            gradebook.db.commit()
    return folder


@pytest.fixture
def course(made_once, tmp_path):
    return shutil.copytree(made_once, tmp_path / "course")


@pytest.fixture
def export(course, capsys):
    """Function that exports, and gives rows, printed text and bytes."""

    def export(*words, code=0, to="marks.csv"):
        path = course / to
        command = ["--course", str(course), "export", *words, "--to", str(path)]
        assert main(command) == code
        said = capsys.readouterr()
        content = path.read_bytes() if path.exists() else b""
        text = content.decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline=""), strict=True)), said, content

    return export


def test_csv_holds_every_name_and_nbgraders_columns(export):
    rows, said, content = export("ps1")
    assert content.startswith(b"\xef\xbb\xbf")
    header, *lines = rows
    assert header == [
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
        "raw_score", "late_submission_penalty", "score", "max_score",
    ]  # fmt: skip
    found = {line[3]: line for line in lines}
    assert len(lines) == len(CLASS)
    for student, first, last, email, _, raw, penalty, _ in CLASS:
        line = found[student]
        guard = "'" if last[0] in "=-" else ""
        assert line[4:7] == [guard + last, first, email]
        if raw is None:
            assert line[7:10] == ["0", "0", "0"]
            assert line[2] == ""
        else:
            assert float(line[7]) == pytest.approx(raw, abs=1e-4)
            assert float(line[9]) == pytest.approx(max(0, raw - penalty), abs=1e-4)
            assert line[2] == "2026-01-10 12:00:00"
        assert line[10] == "10"
    assert "1 of 5 students wait to be marked by hand" in said.err


def test_csv_without_a_guard_would_hold_a_formula(export):
    rows, _, _ = export()
    for cell in (cell for row in rows[1:] for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t"))
    assert len(rows) == 1 + 2 * len(CLASS)


def test_canvas_gets_back_its_own_columns(export, course):
    roster = str(course / "canvas.csv")
    rows, said, content = export("--format", "canvas", "--roster", roster)
    assert content.startswith(b"Student,ID,SIS User ID,SIS Login ID,Section,")
    assert rows[0] == [
        "Student", "ID", "SIS User ID", "SIS Login ID", "Section", "ps1 (17)", "ps2 (18)",
    ]  # fmt: skip
    assert rows[1] == ["    Points Possible", "", "", "", "", "10", "4"]
    lines = {row[3].partition("@")[0]: row for row in rows[2:]}
    assert list(lines) == ["ada", "bob", "wang", "eve", "zoe", "nora"]
    assert lines["ada"] == [
        "of Lovelace, Ada, Countess", "101", "u1", "ada@uni.edu", "A, morning", "6.53", "",
    ]  # fmt: skip
    assert lines["bob"][0] == 'O\'Hara, Bob "the Box"'
    assert lines["wang"][0] == "王, 小明"
    assert lines["eve"][0] == '\'=HYPERLINK("https://x","y"), Eve'
    assert lines["zoe"][0] == "'-Ångström, Zoë\nMarie"
    assert {name: row[5] for name, row in lines.items() if row[5]} == SCORES
    assert "Nora Newcomer (line 9 of canvas.csv) is not in the gradebook" in said.err


def test_canvas_goes_by_the_name_only_without_ids(export, course):
    path = course / "names.csv"
    path.write_text("Student,ID,SIS Login ID,Section\n=x,,,A\n", encoding="utf-8")
    words = ["--format", "canvas", "--roster", str(path), "--id-column", "Student"]
    rows, said, _ = export(*words, code=1)
    assert rows[2][0] == "=x"
    assert "will go by the name" in said.err


def test_canvas_without_a_list_uses_the_gradebook(export):
    rows, said, _ = export("ps1", "--format", "canvas", "--heading", "ps1=Sums (17)")
    assert rows[0][:6] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Sums (17)"]
    lines = {row[3]: row for row in rows[2:]}
    assert lines["wang"] == ["王, 小明", "103", "", "wang", "", "0.33"]
    assert {name: row[5] for name, row in lines.items() if row[5]} == SCORES
    assert "new assignment" not in said.err
    _, said, _ = export("ps1", "--format", "canvas", to="other.csv")
    assert "new assignment 'ps1'" in said.err


def test_moodle_gets_its_identifiers_untouched(export, course):
    roster = str(course / "moodle.csv")
    rows, said, content = export("ps1", "--format", "moodle", "--roster", roster, code=1)
    assert content.startswith(b"\xef\xbb\xbf")
    assert rows == [
        ["First name", "Surname", "ID number", "Email address", "Assignment: ps1 (Real)"],
        ["小明", "王", "u3", "wang@uni.edu", "0.33"],
        ["Eve", '\'=HYPERLINK("https://x","y")', "u4", "eve@uni.edu", "0"],
        ["Ada, Countess", "of Lovelace", "u1", "ada@uni.edu", "6.53"],
    ]
    # One unknown student stops Moodle's whole import: who is not in its list is left out, and said.
    left = "is in the gradebook but not in moodle.csv, and is left out"
    assert f'bob (Bob "the Box" O\'Hara) {left}, marks and all.' in said.err
    assert f"zoe (Zoë Marie -Ångström) {left}." in said.err


def test_moodle_has_a_sign_for_no_mark(export):
    rows, _, _ = export("--format", "moodle")
    lines = {row[2]: row for row in rows[1:]}
    assert rows[0][:5] == ["First name", "Last name", "Username", "ID number", "Email address"]
    assert lines["zoe"][5:] == ["-", "-"]
    assert lines["bob"][5:] == ["10", "-"]
    rows, _, _ = export("--format", "moodle", "--absent", "zero", "--force")
    assert rows[-1][5:] != ["-", "-"]
    assert {row[6] for row in rows[1:]} == {"0"}


def test_json_holds_texts_as_they_are(export):
    _, _, content = export("ps1", "--format", "json")
    about = json.loads(content)
    assert about["assignments"] == [
        {"name": "ps1", "possible": 10.0, "due": "2026-01-10T12:00:00Z"}
    ]
    found = {item["id"]: item for item in about["students"]}
    for student, first, last, _, lms, raw, penalty, waits in CLASS:
        item = found[student]
        assert (item["first_name"], item["last_name"], item["lms_user_id"]) == (first, last, lms)
        if raw is None:
            assert item["marks"] == {}
        else:
            mark = item["marks"]["ps1"]
            assert mark["score"] == pytest.approx(max(0, raw - penalty), abs=1e-4)
            assert mark["late_penalty"] == penalty
            assert mark["final"] is not waits


def test_an_id_that_looks_like_a_formula_is_kept_and_told(export, course):
    path = course / "odd.csv"
    path.write_text("Student,ID,SIS Login ID,Section\n=x,101,=ada,A\n", encoding="utf-8")
    rows, said, _ = export("ps1", "--format", "canvas", "--roster", str(path), code=1)
    assert rows[2] == ["'=x", "101", "=ada", "A", "6.53"]
    assert "'=ada' looks like a formula and is kept" in said.err


def test_the_number_on_the_platform_decides(export, course):
    path = course / "renamed.csv"
    path.write_text("Student,ID,SIS Login ID,Section\nA,102,ada,A\n", encoding="utf-8")
    rows, _, _ = export("ps1", "--format", "canvas", "--roster", str(path), code=1)
    assert rows[2][4] == SCORES["bob"]


def test_two_of_the_list_for_one_of_the_gradebook(export, course):
    path = course / "twice.csv"
    text = "Student,ID,SIS Login ID,Section\nA,101,x,A\nB,7,ada,A\n"
    path.write_text(text, encoding="utf-8")
    rows, said, _ = export("ps1", "--format", "canvas", "--roster", str(path), code=1)
    assert not rows
    assert "lines 2 and 3, are both the student 'ada'" in said.err


def test_nothing_is_written_over(export, course):
    (course / "marks.csv").write_text("mine")
    _, said, content = export(code=1)
    assert "--force" in said.err
    assert content == b"mine"
    _, _, content = export("--force")
    assert content != b"mine"
    assert stat.S_IMODE((course / "marks.csv").stat().st_mode) == 0o600
    assert not [path.name for path in course.iterdir() if path.name.startswith(".marks")]


def test_some_students_and_a_report_as_json(export, course):
    words = ["ps1", "--format", "canvas", "--roster", str(course / "canvas.csv")]
    rows, said, _ = export(*words, "--student", "wang", "--json")
    about = json.loads(said.out)
    assert about["students"] == ["wang"]
    assert about["missing"] == ["nora@uni.edu"]
    assert about["extra"] == []
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ps9"], "no assignment 'ps9'; it has ps1, ps2"),
        (["--student", "nobody"], "no student 'nobody'"),
        (["--format", "moodle", "--roster", "canvas.csv"], "canvas.csv is a list of Canvas"),
        (["--format", "canvas", "--roster", "moodle.csv"], "moodle.csv is a list of Moodle"),
        (["--roster", "none.csv"], "No such file"),
        (["--heading", "ps7=x"], "'ps7', which is not exported"),
        (["--heading", "ps1=x", "--heading", "ps2=x"], "is given twice"),
        (["--to", "nbgrader_config.py/x.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_sentence(course, capsys, monkeypatch, words, said):
    monkeypatch.chdir(course)
    assert main(["export", *words]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_course_without_a_gradebook_gets_none(course, capsys):
    (course / "gradebook.db").unlink()
    assert main(["--course", str(course), "export"]) == 1
    assert "no gradebook yet" in capsys.readouterr().err
    assert not (course / "gradebook.db").exists()


@pytest.mark.full
def test_nbgraders_own_command(course):
    command = [
        "nbgrader", "export", "--exporter", "autograder.exports.canvas.CanvasExporter",
        "--to", "own.csv", "--assignment", "['ps1']", "--CanvasExporter.roster=canvas.csv",
    ]  # fmt: skip

    def run():
        return subprocess.run(
            command, cwd=course, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    done = run()
    assert done.returncode == 0, done.stderr
    assert "Nora Newcomer" in done.stderr
    with (course / "own.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[5] for row in rows[2:]] == ["6.53", "10", "0.33", "0", "", ""]
    (course / "own.csv").write_text("mine")
    done = run()
    assert done.returncode == 1
    assert "exists" in done.stderr
    assert "Traceback" not in done.stderr
    assert (course / "own.csv").read_text() == "mine"


def test_nbgraders_door_logs_and_leaves_with_an_exit_code(course, caplog):
    exporter = MoodleExporter(to=str(course / "own.csv"), roster=str(course / "moodle.csv"))
    # Of its own: nbgrader's commands, in the same process, set the level of all others.
    exporter.log = logging.Logger("exports")
    exporter.log.addHandler(caplog.handler)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "toy") as gradebook:
        exporter.export(gradebook)
        content = (course / "own.csv").read_bytes()
        assert "left out, marks and all" in caplog.text
        with pytest.raises(SystemExit) as stop:
            exporter.export(gradebook)
    assert stop.value.code == 1
    assert "exists" in caplog.text
    assert (course / "own.csv").read_bytes() == content


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (3.0, "3"), (-0.0, "0"), (2.4999999999, "2.5"), (1234.567, "1234.57")],
)
def test_numbers_have_no_debris(value, text):
    assert number(value) == text
