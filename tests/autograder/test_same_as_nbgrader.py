"""``autograder grade`` and ``nbgrader autograde`` leave the same gradebook and the same files."""

import os
import shutil
import subprocess

import pytest

from autograder.assignment.seeds import course_secret
from autograder.grading import grade
from tests import plain_course
from tests.gradebooks import dump, graded_tree

ENV = {**os.environ, "PYTHONWARNINGS": "ignore"}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    return plain_course.make(tmp_path_factory.mktemp("plain") / "course")


@pytest.fixture
def course(made_once, tmp_path):
    return shutil.copytree(made_once, tmp_path / "course")


def nbgrader(course, *words):
    done = subprocess.run(
        ["nbgrader", *words], cwd=course, env=ENV, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def gradebook(course):
    return dump(f"sqlite:///{course / 'gradebook.db'}")


def test_gradebooks_and_folders_are_the_same(course, cluster, tmp_path):
    hand_in = plain_course.hand_in
    hand_in(course, "ann", files={"notes.txt": "my notes", "data/own.csv": "7\n"})
    hand_in(course, "bob", when=plain_course.LATE, total="def total(n):\n    return 3")
    hand_in(course, "cid", without=["words"], why="I do not know.")
    hand_in(course, "dan", when=None, word="word = 'no'", total="raise ValueError('x')")
    place = hand_in(course, "eve", files={"numbers.csv": "5\n", "random.py": "x = 1"})
    (place / "sums.ipynb").write_text("{")
    place.joinpath("link.txt").symlink_to("/etc/passwd")
    course_secret(course)
    twin = shutil.copytree(course, tmp_path / "twin", symlinks=True)
    rows = {row.student: row for row in grade(course, plain_course.ASSIGNMENT, cluster=cluster)}
    nbgrader(twin, "autograde", plain_course.ASSIGNMENT)
    assert {student: row.points for student, row in rows.items()} == {
        "ann": 5.0, "bob": 1.0, "cid": 4.0, "dan": 0.0, "eve": 1.0,
    }  # fmt: skip
    ours, theirs = gradebook(course), gradebook(twin)
    for table in theirs:
        assert ours[table] == theirs[table], table
    assert len(ours["grade"]) == 5 * 3
    mine, other = graded_tree(course / "autograded"), graded_tree(twin / "autograded")
    assert list(mine) == list(other)
    for path in other:
        assert mine[path] == other[path], path
    assert "ann/ps1/data/own.csv" in mine
    assert not [path for path in mine if "random" in path or "link" in path]
    assert mine["eve/ps1/numbers.csv"][1] == b"1\n2\n3\n"
    # And what nbgrader graded is not graded again.
    assert not any(row.fresh for row in grade(twin, plain_course.ASSIGNMENT, cluster=cluster))


def test_what_changed_is_graded_again_and_nothing_else(course, cluster):
    for student in ("ann", "bob"):
        plain_course.hand_in(course, student, files={"notes.txt": "1"})

    def fresh(**kwargs):
        rows = grade(course, plain_course.ASSIGNMENT, cluster=cluster, **kwargs)
        return [row.student for row in rows if row.fresh]

    assert fresh() == ["ann", "bob"]
    assert fresh() == []
    (course / "submitted" / "bob" / "ps1" / "notes.txt").write_text("2")
    assert fresh() == ["bob"]
    (course / "source" / "ps1" / "numbers.csv").write_text("1\n2\n3\n\n")
    assert fresh(students=["ann"]) == ["ann"]
    assert fresh(failed=True) == []
    assert fresh(force=True) == ["ann", "bob"]


def test_a_changed_test_is_applied_and_leaves_nothing_stale(course, cluster):
    plain_course.hand_in(course, "ann", when=plain_course.LATE)

    def only():
        return grade(course, plain_course.ASSIGNMENT, cluster=cluster)[0]

    assert only().points == 5.0
    place = course / "source" / "ps1" / "words.ipynb"
    place.write_text(place.read_text().replace("word == 'yes'", "word == 'no'"))
    nbgrader(course, "generate_assignment", "ps1", "--force")
    row = only()
    assert row.fresh
    assert row.points == 4.0
    (place,) = (course / "submitted").glob("*/ps1/words.ipynb")
    place.unlink()
    row = only()
    assert row.points == 4.0
    penalties = [
        dict(item)["late_submission_penalty"] for item in gradebook(course)["submitted_notebook"]
    ]
    assert sorted(penalties, key=str) == [0.4, None]
