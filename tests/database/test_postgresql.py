"""On PostgreSQL the same run gives the same gradebook as on SQLite."""

import shutil

import pytest

from autograder.assignment.seeds import course_secret
from autograder.grading import grade
from tests import plain_course
from tests.autograder.conftest import cluster  # noqa: F401
from tests.gradebooks import dump, graded_tree

pytestmark = pytest.mark.full


def test_the_same_run_gives_the_same_gradebook(tmp_path, postgresql, cluster):  # noqa: F811
    course = plain_course.make(tmp_path / "course")
    course_secret(course)
    on_server = shutil.copytree(course, tmp_path / "on-server")
    plain_course.move_to(on_server, postgresql.fresh_url())
    for folder in (course, on_server):
        plain_course.hand_in(folder, "ann")
        plain_course.hand_in(folder, "bob", when=plain_course.LATE, word="word = 'no'")
        plain_course.hand_in(folder, "cid", without=["words"], why="I do not know.")
        plain_course.hand_in(folder, "dan", raw={"sums": "{"})
    for repeat in (False, True):
        ours = grade(course, plain_course.ASSIGNMENT, cluster=cluster, force=repeat)
        theirs = grade(on_server, plain_course.ASSIGNMENT, cluster=cluster, force=repeat)
        assert [row.points for row in theirs] == [row.points for row in ours]
        here, there = dump(f"sqlite:///{course / 'gradebook.db'}"), dump(postgresql.url)
        for table in here:
            assert there[table] == here[table], table
    assert graded_tree(on_server / "autograded") == graded_tree(course / "autograded")
