"""The whole way of a lesson in a browser: real hub, real exchange, real grading, no network."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from tests.hub.conftest import LESSON, MANY, REAL_LESSON
from tests.hub.people import Instructor, Student

pytestmark = [pytest.mark.full, pytest.mark.timeout(1500)]
COMMENT = "Say which border, and why."


@pytest.fixture
def people(browser, hub, pictures):
    """Two students and an instructor."""
    made = (
        Student(browser, hub, "ada", pictures),
        Student(browser, hub, "ben", pictures),
        Instructor(browser, hub, "instructor", pictures),
    )
    yield made
    for person in made:
        person.picture("last")
        person.close()


def handed_in(hub):
    """Submissions that lie in the exchange."""
    inbound = hub.state / "exchange" / "toy" / "inbound"
    return sorted(path.name.split("+")[0] for path in inbound.glob("*")) if inbound.exists() else []


def test_the_whole_cycle(people, hub):
    ada, ben, teacher = people

    # Two students fetch, open, answer and run; one is right, one has half an answer.
    ada.sign_in()
    ada.sees("released", LESSON)
    ada.picture("list_of_lessons")
    expect(ada.page.locator("#hub-banner")).to_contain_text("nobody is isolated")
    ada.fetch(LESSON)
    ada.open(LESSON)
    ada.write("def double", "def double(number):\n    return 2 * number")
    ada.write("def half", "def half(number):\n    return number / 2")
    ada.write_words("YOUR ANSWER HERE", "The window loses its border.")
    ada.run_all()
    ada.picture("ran")
    ada.save()
    assert "Success" in ada.validate()
    ada.submit(LESSON)
    ada.picture("submitted")

    ben.sign_in()
    ben.fetch(LESSON)
    ben.open(LESSON)
    ben.write("def double", "def double(number):\n    return number + 2")
    ben.write("def half", "def half(number):\n    return number / 2")
    ben.run_all()
    ben.save()
    expect(ben.outputs("Twice, not two more.")).to_be_visible()
    assert "Success" not in ben.validate()

    # The hub dies now: what was handed in and what was saved is there afterwards.
    assert handed_in(hub) == ["ada"]
    hub.kill_the_hub()
    hub.start()
    assert handed_in(hub) == ["ada"]
    for student in (ada, ben):
        student.page.goto("about:blank")
        student.seen.console_errors.clear()  # connections broke off
        student.seen.failed_requests.clear()
    ben.sign_in()
    ben.submit(LESSON)
    assert handed_in(hub) == ["ada", "ben"]

    # The instructor collects, grades and marks the free text by hand.
    teacher.sign_in()
    teacher.formgrader()
    assert "success" in teacher.press(LESSON, "collect").lower()
    expect(
        teacher.page.locator("tbody tr", has_text=LESSON).locator("td.num-submissions")
    ).to_contain_text("2")
    teacher.picture("collected")
    teacher.formgrader(f"manage_submissions/{LESSON}")
    for student in ("ada", "ben"):
        assert "success" in teacher.press(student, "autograde").lower()
    teacher.picture("graded")
    teacher.formgrader(f"gradebook/{LESSON}/{LESSON}")
    teacher.page.locator("tbody tr a").first.click()
    teacher.page.wait_for_url("**/submissions/**")
    for _ in range(2):
        teacher.mark("reading", 2, COMMENT)
        teacher.picture("marks")
        teacher.next()
    teacher.formgrader()
    assert "success" in teacher.press(LESSON, "generate-feedback").lower()
    assert "success" in teacher.press(LESSON, "release-feedback").lower()

    # The students read it.
    ada.sign_in()
    page = ada.read(ada.fetch_feedback(LESSON))
    expect(page.locator("body")).to_contain_text(COMMENT)
    expect(page.locator("body")).to_contain_text("7 of 8 points")
    ada.picture("feedback", page)
    told = ben.read(ben.fetch_feedback(LESSON))
    expect(told.locator("body")).to_contain_text("Twice, not two more.")
    assert "_drawn_number" not in told.content()

    for person in people:
        assert person.seen.problems() == [], person.name


def test_a_lesson_with_keras_is_there_at_once(people, hub):
    """The kernel that a lesson asks for is forked from a process that has Keras at hand."""
    student = people[1]
    student.sign_in()
    student.fetch(REAL_LESSON)
    student.open(REAL_LESSON)
    student.run_first_code_cell()
    student.picture("lesson")
    words = {process.pid: " ".join(process.cmdline()) for process in hub.processes()}
    assert not [line for line in words.values() if "ipykernel_launcher" in line]
    forked = [
        pid
        for pid, line in words.items()
        if "kernels.forkserver" in line and "kernels.forkserver" in words.get(parent(pid), "")
    ]
    assert forked
    assert student.seen.problems() == []


def parent(pid):
    """Process id of a process's parent."""
    return psutil.Process(pid).ppid()


def test_ten_students_at_once(hub, place):
    words = ["-m", "tests.hub.scripted", hub.address, LESSON, *MANY]
    done = subprocess.run(
        place.command(sys.executable, *words), input=hub.settings.password + "\n",
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = {row["name"]: row["problem"] for row in rows if row["problem"]}
    said = [line for line in hub.log().splitlines() if any(name in line for name in wrong)]
    assert (wrong, len(rows)) == ({}, len(MANY)), "\n".join([done.stderr[-2000:], *said[-40:]])
    course = str(hub.instructors_course)
    programs = Path(sys.executable).parent
    nbgrader = str(programs / "nbgrader")
    collect = place.command("env", "-C", course, nbgrader, "collect", LESSON, "--update")
    subprocess.run(collect, check=True, capture_output=True)
    students = [word for name in MANY for word in ("--student", name)]
    grade = place.command(
        str(programs / "autograder"), "--course", course, "grade", LESSON, "--json", *students
    )
    done = subprocess.run(grade, capture_output=True, text=True, check=False)
    graded = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(row["student"] for row in graded) == sorted(MANY), done.stderr
    assert all(row["graded"] for row in graded)
    assert {row["points"] for row in graded} == {5.0}
