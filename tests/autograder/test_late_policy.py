"""The ready policy for late submissions: what it costs, and that both ways of grading apply it."""

import csv
import datetime
import json
import shutil

import pytest
from nbgrader.api import Gradebook
from traitlets import TraitError
from traitlets.config import Config

from autograder.cli import main
from autograder.grading import grade
from autograder.late_policy import LatePolicy
from tests import plain_course
from tests.autograder.test_same_as_nbgrader import nbgrader
from tests.conftest import TOY_CONFIG

MINUTE, HOUR, DAY = 60, 3_600, 86_400
# Two days and eleven hours after the due date: the third day has begun.
THIRD_DAY = "2026-01-12 23:00:00.000000 UTC"
IN_GRACE = "2026-01-10 12:14:00.000000 UTC"


def cost(late, score=10.0, **options):
    return LatePolicy(config=Config({"LatePolicy": options})).late_submission_penalty(
        "ada", score, late
    )


@pytest.mark.parametrize(
    ("late", "options", "penalty"),
    [
        (1, {}, None),
        (15 * MINUTE, {}, None),
        (15 * MINUTE + 1, {}, 1.0),
        (1, {"grace_minutes": 0}, 1.0),
        (DAY, {}, 1.0),
        (DAY + 1, {}, 2.0),
        (3 * DAY, {"per_day": 0.25}, 7.5),
        (100 * DAY, {}, 10.0),
        (100 * DAY, {"cap": 0.4}, 4.0),
        (DAY, {"cap": 0}, 0.0),
        (12 * HOUR, {"whole_days": False}, 0.5),
        (36 * HOUR, {"whole_days": False, "per_day": 0.2}, 3.0),
        (2 * DAY, {"grace_minutes": 24 * 60}, 2.0),
    ],
)
def test_what_lateness_costs(late, options, penalty):
    assert cost(late, **options) == pytest.approx(penalty)


def test_it_is_a_share_of_the_score():
    assert cost(DAY, score=5.0) == pytest.approx(0.5)
    assert cost(DAY, score=0.0) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"per_day": 10}, "per_day is 10, but it is a share of the score"),
        ({"cap": -0.1}, "cap is -0.1"),
        ({"grace_minutes": -5}, "grace_minutes is -5"),
        ({"grace_minutes": float("inf")}, "grace_minutes is inf"),
        ({"per_day": float("nan")}, "per_day is nan"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(options, words):
    with pytest.raises(TraitError, match=words):
        cost(DAY, **options)


def test_every_option_is_explained():
    for name, trait in LatePolicy.class_own_traits(config=True).items():
        assert len(trait.help) > 40, name


@pytest.fixture
def course(tmp_path):
    """A course with the ready policy; ann in time, bob in grace, cid in the third day."""
    folder = plain_course.make(tmp_path / "course")
    config = folder / "nbgrader_config.py"
    config.write_text(
        config.read_text()
        + "c.AssignLatePenalties.plugin_class = 'autograder.late_policy.LatePolicy'\n"
        + "c.LatePolicy.cap = 0.25\n"
    )
    for student, when in (
        ("ann", plain_course.IN_TIME), ("bob", IN_GRACE), ("cid", THIRD_DAY),
    ):  # fmt: skip
        plain_course.hand_in(folder, student, when=when)
    return folder


def exported(folder):
    path = folder / "marks.csv"
    assert main(["--course", str(folder), "export", "--to", str(path), "--force"]) == 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {
            row["student_id"]: tuple(
                float(row[name]) for name in ("raw_score", "late_submission_penalty", "score")
            )
            for row in csv.DictReader(file)
        }


# Five points of seven; the other two wait to be marked by hand. A quarter is the cap.
EXPECTED = {"ann": (5, 0, 5), "bob": (5, 0, 5), "cid": (5, 1.25, 3.75)}


def test_autograder_grade_applies_it(course, cluster):
    grade(course, plain_course.ASSIGNMENT, cluster=cluster)
    assert exported(course) == EXPECTED


@pytest.mark.full
def test_both_ways_of_grading_apply_it(course, cluster, tmp_path):
    twin = shutil.copytree(course, tmp_path / "twin")
    grade(course, plain_course.ASSIGNMENT, cluster=cluster)
    nbgrader(twin, "autograde", plain_course.ASSIGNMENT)
    assert exported(course) == exported(twin) == EXPECTED


@pytest.mark.full
def test_an_extension_counts_when_it_is_graded_again(course, cluster):
    grade(course, plain_course.ASSIGNMENT, cluster=cluster)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course") as gradebook:
        gradebook.grant_extension(plain_course.ASSIGNMENT, "cid", days=3)
        submission = gradebook.find_submission(plain_course.ASSIGNMENT, "cid")
        assert submission.extension == datetime.timedelta(days=3)
    grade(course, plain_course.ASSIGNMENT, cluster=cluster, force=True)
    assert exported(course)["cid"] == (5, 0, 5)


def late(folder, capsys, *words):
    capsys.readouterr()
    assert main(["--course", str(folder), "late", plain_course.ASSIGNMENT, "--json", *words]) == 0
    return {item["student"]: item for item in json.loads(capsys.readouterr().out)["late"]}


@pytest.mark.full
def test_marks_by_hand_and_extensions_are_taken_into_account(course, cluster, capsys):
    assignment = plain_course.ASSIGNMENT
    grade(course, assignment, cluster=cluster)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course") as gradebook:
        for student in ("ann", "cid"):
            gradebook.find_grade("why", "sums", assignment, student).manual_score = 2
        gradebook.db.commit()
    assert exported(course)["cid"] == (7, 1.25, 5.75)
    assert late(course, capsys, "--dry-run")["cid"] == {
        "student": "cid", "score": 7.0, "before": 1.25, "after": 1.75,
    }  # fmt: skip
    assert exported(course)["cid"] == (7, 1.25, 5.75)
    assert set(late(course, capsys)) == {"bob", "cid"}
    assert exported(course) == {"ann": (7, 0, 7), "bob": (5, 0, 5), "cid": (7, 1.75, 5.25)}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course") as gradebook:
        gradebook.grant_extension(assignment, "cid", days=3)
    assert late(course, capsys)["cid"]["after"] == 0
    assert exported(course)["cid"] == (7, 0, 7)


def test_what_cannot_be_worked_out_is_said(tmp_path, capsys):
    (tmp_path / "nbgrader_config.py").write_text(TOY_CONFIG)
    assert main(["--course", str(tmp_path), "late", "ps1"]) == 1
    assert "no gradebook yet" in capsys.readouterr().err
    assert not (tmp_path / "gradebook.db").exists()
    Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "toy").close()
    assert main(["--course", str(tmp_path), "late", "ps1"]) == 1
    assert "no assignment 'ps1'" in capsys.readouterr().err
    config = "c.AssignLatePenalties.plugin_class = 'autograder.late_policy.LatePolicy'\n"
    with (tmp_path / "nbgrader_config.py").open("a") as file:
        file.write(config + "c.LatePolicy.per_day = 10\n")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "toy") as gradebook:
        gradebook.add_assignment("ps1")
    assert main(["--course", str(tmp_path), "late", "ps1"]) == 1
    assert "per_day is 10" in capsys.readouterr().err
