"""Eight kinds of fault, each at three random moments: in the end nobody can tell.

Each test starts the real command, lets something happen to it, runs it again if it stopped, and
compares the gradebook with that of an undisturbed run. Nothing may be left behind.
"""

import os
import shutil
import subprocess
import time

import pytest

from autograder.assignment.seeds import course_secret
from tests import plain_course
from tests.faults.disturbed import Run, fill, lock_sqlite, moments
from tests.gradebooks import dump, graded_tree

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to see processes"),
]


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    course = plain_course.make(tmp_path_factory.mktemp("faults") / "course")
    course_secret(course)
    fill(course)
    return course


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory):
    """The gradebook and the folders as they must be."""
    course = shutil.copytree(handed_in, tmp_path_factory.mktemp("undisturbed") / "course")
    code, rows, errors = Run(course).wait()
    assert code == 0, errors
    assert len(rows) == 8, errors
    return gradebook(course), graded_tree(course / "autograded")


@pytest.fixture
def course(handed_in, tmp_path):
    return shutil.copytree(handed_in, tmp_path / "course")


def gradebook(course):
    return dump(f"sqlite:///{course / 'gradebook.db'}")


def check(course, undisturbed, *, url=None):
    """The command goes on where it stopped, and leaves what an undisturbed run leaves."""
    code, rows, errors = Run(course).wait()
    assert code == 0, errors
    assert len(rows) == 8, errors
    assert all(row["graded"] for row in rows.values())
    expected, tree = undisturbed
    found = gradebook(course) if url is None else dump(url)
    for table in expected:
        assert found[table] == expected[table], table
    assert graded_tree(course / "autograded") == tree
    assert not list((course / "autograded").glob("*/.*")), "a draft was left behind"


@pytest.mark.parametrize("moment", moments("command"))
def test_the_command_is_killed(course, undisturbed, moment):
    run = Run(course)
    run.await_one("worker")
    deadline = time.monotonic() + moment
    while time.monotonic() < deadline:
        run.descendants()
        time.sleep(0.05)
    run.process.kill()
    run.wait()
    assert run.leftovers() == []
    check(course, undisturbed)


@pytest.mark.parametrize("kind", ["worker", "ag-student", "ag-examiner", "ag-forkserver"])
@pytest.mark.parametrize("number", range(3))
def test_a_process_is_killed(course, undisturbed, kind, number):
    run = Run(course)
    first = run.await_one(kind)
    assert first is not None, f"no process {kind} was seen"
    time.sleep(moments(kind)[number])
    # The one of this moment; it may be another one by now.
    (run.await_one(kind) or first).kill()
    code, rows, errors = run.wait()
    assert "Traceback" not in errors, errors
    assert len(rows) == 8, errors
    assert code == 0, (errors, [row for row in rows.values() if not row["graded"]])
    assert run.leftovers() == []
    check(course, undisturbed)


@pytest.mark.parametrize("moment", moments("lock"))
def test_the_gradebook_is_locked_for_a_while(course, undisturbed, moment):
    run = Run(course)
    run.await_one("worker")
    time.sleep(moment)
    lock_sqlite(course, 6)
    code, rows, errors = run.wait()
    assert code == 0, errors
    assert len(rows) == 8, errors
    check(course, undisturbed)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    if not mounted:
        pytest.skip("may not mount a small disk here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("moment", moments("disk"))
def test_the_disk_is_full(handed_in, undisturbed, small_disk, moment):
    course = shutil.copytree(handed_in, small_disk / "course")
    run = Run(course)
    run.await_one("worker")
    time.sleep(moment)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"0" * 4096):
                pass
        except OSError:
            pass
    code, rows, errors = run.wait()
    if len(rows) < 8:
        assert code == 1
        assert "make room" in errors
        assert len(errors.strip().splitlines()) == 1, errors
    ballast.unlink()
    check(course, undisturbed)


@pytest.fixture(scope="module")
def server():
    from tests.database.server import Server, find

    if find("initdb") is None:
        pytest.skip("PostgreSQL is not installed here")
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize("moment", moments("server"))
def test_the_database_server_is_restarted(course, undisturbed, server, moment):
    plain_course.move_to(course, server.fresh_url())
    run = Run(course)
    run.await_one("worker")
    time.sleep(moment)
    server.restart()
    code, rows, errors = run.wait()
    assert code == 0, errors
    assert len(rows) == 8, errors
    check(course, undisturbed, url=server.url)
