"""The commands of docs/instructor.md, in their order, in a class of one."""

import csv
import getpass
import json
import os
import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT
from tests.docs.pages import blocks, commands
from tests.docs.test_commands import words_of

PAGE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")


@pytest.fixture
def school(toy_course, tmp_path):
    """A course with the exchange that the page asks for, and a student's folder."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    settings = [block.text for block in blocks(PAGE) if block.info == "python"]
    setting = "".join(settings).replace("/srv/nbgrader/exchange", str(exchange))
    with (toy_course / "nbgrader_config.py").open("a") as file:
        file.write(setting)
    write_roster(toy_course, getpass.getuser())  # whoever runs the tests is the student here
    home = tmp_path / "student"
    home.mkdir()
    (home / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'toy'\n"
        f"c.Exchange.cache = {str(tmp_path / 'cache')!r}\n{setting}"
    )
    return toy_course, home


def write_roster(course, student):
    """A class of one, as Canvas writes it."""
    (course / "canvas.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"
        f'"Lovelace, Ada",101,u1,{student},A\n',
        encoding="utf-8",
    )


def run(line, folder):
    if " similarity " in line:  # it takes two
        (student,) = (folder / "submitted").iterdir()
        shutil.copytree(student, folder / "submitted" / "twin")
    line = line.replace("02_convolution", "01_toy").replace("--course cnn", "--course toy")
    done = subprocess.run(
        words_of(line), cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr[-2000:]}"
    shutil.rmtree(folder / "submitted" / "twin", ignore_errors=True)
    return done


def scores(course):
    with (course / "grades.csv").open(newline="") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


@pytest.mark.full
def test_from_release_to_export(school):
    course, home = school
    released = (course / "lessons" / "01_toy" / "01_toy.ipynb").read_bytes()
    theirs = commands(PAGE, "sh student")
    for line in commands(PAGE):
        if " submit " in line:
            solution = course / "solutions" / "01_toy" / "01_toy.ipynb"
            shutil.copy(solution, home / "01_toy" / "01_toy.ipynb")
        # Whoever runs the tests is the student here.
        mine = line.replace("--student ada", f"--student {getpass.getuser()}")
        done = run(mine, home if line in theirs else course)
        if "generate_assignment" in line:
            assert (course / "lessons" / "01_toy" / "01_toy.ipynb").read_bytes() == released
        if line == "autograder grade 02_convolution":
            assert "by hand" in done.stdout
        if "--failed" in line:
            assert "nothing to grade" in done.stderr
        if "--json" in line:
            assert json.loads(done.stdout)["points"] == 5.0
    assert list(scores(course).values()) == [5.0]
    (report,) = home.rglob("*.html")
    text = report.read_text(encoding="utf-8")
    assert "3 / 3" in text
    assert "_drawn_number" not in text


@pytest.mark.full
def test_without_an_exchange(toy_course):
    """What the page says about submissions that came by other means."""
    write_roster(toy_course, "ada")
    folder = toy_course / "submitted" / "ada" / "01_toy"
    folder.mkdir(parents=True)
    lesson = json.loads((toy_course / "solutions" / "01_toy" / "01_toy.ipynb").read_bytes())
    (folder / "01_toy.ipynb").write_text(json.dumps(lesson))
    after = PAGE.index("## 3 · Grade")
    for line in commands(PAGE[after:]):
        if "release_feedback" not in line and "fetch_feedback" not in line:
            run(line, toy_course)
    assert scores(toy_course) == {"ada": 5.0}
    assert (toy_course / "feedback" / "ada" / "01_toy" / "01_toy.html").is_file()


def test_figures_are_those_of_the_grader():
    from autograder.assignment.seeds import SECRET_FILE
    from autograder.kernels.settings import Sandbox

    sandbox = Sandbox()
    assert f"A cell may run for {sandbox.cell_seconds:g} s" in PAGE
    assert f"a notebook for {sandbox.submission_seconds:g} s" in PAGE
    assert f"`{SECRET_FILE}`" in PAGE


def test_limits_are_those_of_the_sandbox():
    from autograder.kernels.settings import Sandbox

    page = (ROOT / "docs" / "isolation.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `c\.Sandbox\.(\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    sandbox = Sandbox()
    described = set(Sandbox.class_trait_names(config=True)) - {"enabled"}
    assert set(rows) == described
    for name, value in rows.items():
        if value.strip().isdigit():
            assert float(value) == getattr(sandbox, name), name
