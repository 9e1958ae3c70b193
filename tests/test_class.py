"""The demo, then the same class through nbgrader's own commands and the formgrader's buttons."""

import csv
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from nbgrader.api import Gradebook

from tests.conftest import ROOT

pytestmark = [pytest.mark.full, pytest.mark.timeout(1500)]
ASSIGNMENT = "02_convolution"
DEMO = ROOT / "demo_class"
COURSE = DEMO / "course"
ENV = {**os.environ, "PYTHONWARNINGS": "ignore"}


def run(*words, cwd=ROOT):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, env=ENV)


def nbgrader(*words):
    done = run("nbgrader", *words, cwd=COURSE)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def points():
    """Points of every student, exercise by exercise, as the gradebook has them."""
    with Gradebook(f"sqlite:///{COURSE / 'gradebook.db'}") as gradebook:
        return {
            submission.student.id: {
                grade.name: grade.score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.find_assignment(ASSIGNMENT).submissions
        }


@pytest.fixture(scope="module")
def demo():
    """The demo as a person sees it, and the points it gave."""
    done = run(sys.executable, "-m", "autograder.cli", "demo")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout, points()


def test_every_row_is_as_designed(demo):
    table, given = demo
    assert len(given) >= 12
    for student in given:
        assert re.search(rf"^\s*{student}\b", table, re.MULTILINE), student
    assert table.count("✓") >= len(given)


def test_the_demo_left_what_it_says(demo):
    table, given = demo
    for path in ("course/gradebook.db", "course/grades.csv"):
        assert f"demo_class/{path}" in table
        assert (DEMO / path).is_file()
    with (COURSE / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert rows == pytest.approx({student: sum(row.values()) for student, row in given.items()})
    for student in given:
        page = COURSE / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html"
        text = page.read_text(encoding="utf-8")
        assert "BEGIN HIDDEN TESTS" not in text


def test_nbgrader_autograde_gives_the_same_scores(demo):
    _, given = demo
    nbgrader("autograde", ASSIGNMENT, "--force")
    assert points() == given


def test_nbgrader_s_other_commands(demo, tmp_path):
    nbgrader("generate_feedback", ASSIGNMENT, "--force")
    nbgrader("release_feedback", ASSIGNMENT)
    nbgrader("export", "--to", str(tmp_path / "grades.csv"))
    assert ASSIGNMENT in (tmp_path / "grades.csv").read_text()
    nbgrader("generate_assignment", ASSIGNMENT, "--force")
    made = (COURSE / "lessons" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_bytes()
    assert made == (ROOT / "lessons" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_bytes()
    nbgrader("release_assignment", ASSIGNMENT, "--force")
    nbgrader("collect", ASSIGNMENT, "--update")


def test_release_from_the_course_s_own_folder(tmp_path):
    """In the repository itself, nbgrader makes the committed lesson, byte for byte."""
    database = f"--CourseDirectory.db_url=sqlite:///{tmp_path / 'gradebook.db'}"
    release = f"--CourseDirectory.release_directory={tmp_path / 'lessons'}"
    done = run("nbgrader", "generate_assignment", ASSIGNMENT, database, release)
    assert done.returncode == 0, done.stderr[-3000:]
    made = sorted(path.name for path in (tmp_path / "lessons").rglob("*") if path.is_file())
    assert made == [f"{ASSIGNMENT}.ipynb"]
    made = tmp_path / "lessons" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    committed = ROOT / "lessons" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert made.read_bytes() == committed.read_bytes()


@pytest.fixture
def formgrader(demo):
    """A Jupyter server in the demo's course; a function that sends a request to its formgrader."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = "formgrader-test"
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--port={port}",
         f"--IdentityProvider.token={token}", "--ServerApp.disable_check_xsrf=True",
         "--ServerApp.port_retries=0", "--allow-root"],
        cwd=COURSE, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def ask(path, method="GET"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/formgrader/{path}",
            method=method,
            data=b"" if method == "POST" else None,
            headers={"Authorization": f"token {token}"},
        )
        with urllib.request.urlopen(request, timeout=600) as reply:
            return reply.read().decode()

    for _ in range(120):
        try:
            ask("api/assignments")
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    yield ask
    server.terminate()
    server.wait(30)


def test_formgrader_s_buttons(demo, formgrader):
    _, given = demo
    student = next(student for student, scores in given.items() if sum(scores.values()) > 5)
    assert ASSIGNMENT in formgrader("api/assignments")
    for action in ("autograde", "generate_feedback"):
        path = f"api/submission/{ASSIGNMENT}/{student}/{action}"
        if action == "generate_feedback":
            path = f"api/assignment/{ASSIGNMENT}/{student}/generate_feedback"
        reply = json.loads(formgrader(path, "POST"))
        assert reply["success"], reply
    reply = json.loads(formgrader(f"api/assignment/{ASSIGNMENT}/assign", "POST"))
    assert reply["success"], reply
    assert points()[student] == given[student]


def test_formgrader_runs_no_script_of_a_student(demo, formgrader):
    """Script in an answer or in its output must not run on the instructor's page."""
    folder = COURSE / "autograded" / "ada" / ASSIGNMENT
    path = folder / f"{ASSIGNMENT}.ipynb"
    notebook = json.loads(path.read_bytes())
    hostile = "<img src=x onerror=alert(4711)><script>alert(4711)</script>"
    for cell in notebook["cells"]:
        if cell["id"] == "reading":
            cell["source"] = hostile
        if cell["id"] == "test_conv2d":
            cell["outputs"] = [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": hostile}},
            ]
    kept, mode = path.read_bytes(), path.stat().st_mode
    try:
        path.chmod(0o644)
        path.write_text(json.dumps(notebook))
        with Gradebook(f"sqlite:///{COURSE / 'gradebook.db'}") as gradebook:
            found = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada").id
        page = formgrader(f"submissions/{found}")
        assert "conv2d_output_shape" in page
        assert "<script>alert(4711)" not in page
        assert not re.search(r"<img[^>]*onerror", page)
    finally:
        path.write_bytes(kept)
        path.chmod(mode)
