"""`autograder roster import` brings the gradebook in line with a list, and loses nobody's work."""

import json

import pytest
from nbgrader.api import Gradebook

from autograder.cli import main
from tests.conftest import TOY_CONFIG

LIST = (
    "id,first_name,last_name,email,lms_user_id\nada,Ada,Lovelace,ada@uni.edu,101\n王,小明,王,,102\n"
)


@pytest.fixture
def course(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(TOY_CONFIG)
    (tmp_path / "class.csv").write_text(LIST, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(course, capsys):
    def run(*words, code=0):
        assert main(["--course", str(course), "roster", "import", *words]) == code
        return capsys.readouterr()

    return run


def book(course):
    return Gradebook(f"sqlite:///{course / 'gradebook.db'}", "toy")


def people(course):
    with book(course) as gradebook:
        return {
            item.id: (item.first_name, item.last_name, item.email, item.lms_user_id)
            for item in gradebook.students
        }


ALL = {
    "ada": ("Ada", "Lovelace", "ada@uni.edu", "101"),
    "王": ("小明", "王", None, "102"),
}


def test_a_dry_run_changes_nothing_and_makes_no_gradebook(course, run):
    shown = run(str(course / "class.csv"), "--dry-run")
    assert "would add 2" in shown.out
    assert "Nothing was changed" in shown.err
    assert not (course / "gradebook.db").exists()


def test_students_are_added_then_updated(course, run):
    path = course / "class.csv"
    assert "added 2, updated 0" in run(str(path)).out
    assert people(course) == ALL
    assert "added 0, updated 0, removed 0; 2 are as they should be" in run(str(path)).out
    # An empty cell takes nothing away.
    path.write_text("id,first_name,last_name,email\nada,Ada,King,\ncid,,,\n")
    before = people(course)
    assert "last_name: Lovelace → King" in run(str(path), "--dry-run").out
    assert people(course) == before
    shown = run(str(path)).out
    assert "added 1, updated 1" in shown
    assert "not in the file: 王 (they stay" in shown
    assert people(course)["ada"] == ("Ada", "King", "ada@uni.edu", "101")
    assert set(people(course)) == {"ada", "王", "cid"}


def test_removal_is_asked_for_and_work_is_kept(course, run):
    path = course / "class.csv"
    with book(course) as gradebook:
        gradebook.add_assignment("ps1")
        for name in ("old", "graded", "waiting"):
            gradebook.add_student(name)
        gradebook.add_submission("ps1", "graded")
    (course / "submitted" / "waiting" / "ps1").mkdir(parents=True)
    run(str(path))
    assert set(people(course)) == {"ada", "王", "old", "graded", "waiting"}
    shown = run(str(path), "--remove-absent").out
    assert "removed 1;" in shown
    assert "graded, waiting (they have handed in work and stay" in shown
    assert set(people(course)) == {"ada", "王", "graded", "waiting"}
    run(str(path), "--remove-absent", "--force", "--dry-run")
    assert set(people(course)) == {"ada", "王", "graded", "waiting"}
    changes = json.loads(run(str(path), "--remove-absent", "--force", "--json").out)["changes"]
    assert [(item["student"], item["work"]) for item in changes if item["what"] == "remove"] == [
        ("graded", 1), ("waiting", 1),
    ]  # fmt: skip
    assert set(people(course)) == {"ada", "王"}


def test_a_bad_list_changes_nothing(course, run):
    run(str(course / "class.csv"))
    path = course / "other.csv"
    path.write_text("id,first_name\nnew,New\nada,Ada\nada,Eve\n")
    assert "same id" in run(str(path), code=1).err
    path.write_text("id,first_name\nnew,New\nADA,Ada\n")
    assert "the gradebook 'ada'" in run(str(path), code=1).err
    assert people(course) == ALL


def test_what_stops_half_way_leaves_no_half(course, run, monkeypatch):
    add = Gradebook.add_student

    def break_at_second(self, student_id, **values):
        if student_id == "王":
            raise RuntimeError("power cut")
        return add(self, student_id, **values)

    monkeypatch.setattr(Gradebook, "add_student", break_at_second)
    with pytest.raises(RuntimeError):
        main(["--course", str(course), "roster", "import", str(course / "class.csv")])
    monkeypatch.undo()
    assert people(course) == {}


def test_force_alone_is_wrong_usage(course, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--course", str(course), "roster", "import", "class.csv", "--force"])
    assert stop.value.code == 2
    assert "--remove-absent" in capsys.readouterr().err
