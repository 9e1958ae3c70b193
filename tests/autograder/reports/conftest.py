"""A graded class of odd students, and a browser that tells what a page does."""

import json
import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.grading import grade
from tests.attacks.families.markup_in_output import VECTORS
from tests.playground.browser import chromium_found, driver

NAME = "01_toy"
MARK = "mark4711"
ODD_NAME = f"<script>/*{MARK}*/alert(1)</script>"
ODD_IDS = {"comma": "王,小明", "quote": """<b>e"v'e&"""}
# What a student may hand in to be read by others, each with the mark.
HOSTILE = [
    line.strip().strip('",').replace("$MARK", MARK)
    for line in VECTORS.splitlines()
    if line.strip().startswith('"<')
]
WRONG = "def double(number):\n    return number + 2"
LIMIT_SECONDS = 2


def sources(start, **texts):
    """A notebook as bytes, with the source of some cells replaced."""
    notebook = json.loads(json.dumps(start))
    for cell in notebook["cells"]:
        cell["source"] = texts.get(cell["id"], cell["source"])
    return json.dumps(notebook).encode()


def database(course: Path) -> Path:
    """The gradebook's file."""
    return course / "gradebook.db"


def change(course: Path, student: str, action) -> None:
    """Change one submission in the gradebook: ``action(submission)``."""
    with Gradebook(f"sqlite:///{database(course)}", "toy") as gradebook:
        action(gradebook.find_submission(NAME, student))
        gradebook.db.commit()


def mark_by_hand(submission, *, points=None, cell="reading", comment=None, extra=None):
    """What an instructor does in the formgrader."""
    for notebook in submission.notebooks:
        for one in notebook.grades:
            if one.name == cell:
                if points is not None:
                    one.manual_score, one.needs_manual_grade = points, False
                if extra is not None:
                    one.extra_credit = extra
        for one in notebook.comments:
            if one.cell.name == cell and comment is not None:
                one.manual_comment = comment


@pytest.fixture(scope="session")
def graded_once(built_once, tmp_path_factory, cluster):
    """The class, graded. Not to be changed."""
    course = tmp_path_factory.mktemp("class") / "course"
    shutil.copytree(built_once, course)
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(f"c.Sandbox.cell_seconds = {LIMIT_SECONDS}\n")
    lesson = json.loads((course / "lessons" / NAME / f"{NAME}.ipynb").read_bytes())
    solution = json.loads((course / "solutions" / NAME / f"{NAME}.ipynb").read_bytes())
    vectors = "\n".join(f"    print({vector!r})" for vector in HOSTILE)
    handed_in = {
        "ada": sources(solution, reading="It falls because the **border** is lost: $n - f + 1$."),
        "plus": sources(solution, double=WRONG),
        "loop": sources(solution, double="def double(number):\n    while True:\n        pass"),
        "blank": sources(lesson),
        ODD_IDS["comma"]: sources(
            lesson, double=f"def double(number):\n{vectors}\n    return {HOSTILE[0]!r}",
            half=f"def half(number):\n    raise ValueError({HOSTILE[1]!r})",
            reading="\n\n".join(HOSTILE),
        ),
        ODD_IDS["quote"]: sources(solution, half="def half(number)\n    return number / 2"),
    }  # fmt: skip
    for student, content in handed_in.items():
        folder = course / "submitted" / student / NAME
        folder.mkdir(parents=True)
        (folder / f"{NAME}.ipynb").write_bytes(content)
        (folder / "timestamp.txt").write_text("2026-01-10 11:00:00.000000 UTC")
    lost = course / "submitted" / "lost" / NAME
    lost.mkdir(parents=True)
    (lost / "homework.ipynb").write_bytes(sources(solution))
    rows = grade(course, NAME, cluster=cluster)
    assert {row.student for row in rows if not row.graded} == {"lost"}
    with Gradebook(f"sqlite:///{database(course)}", "toy") as gradebook:
        gradebook.update_or_create_student("absent", first_name="Zoë", last_name="O'Neil, Jr.")
        gradebook.update_or_create_student("plus", first_name="Bo", last_name=ODD_NAME)
    return course


@pytest.fixture
def graded(graded_once, tmp_path):
    """A graded class of one's own."""
    course = tmp_path / "class"
    shutil.copytree(graded_once, course)
    return course


@pytest.fixture(scope="package")
def browser():
    """Debian's chromium."""
    path = chromium_found()
    if path is None:
        pytest.skip("no chromium here: install Debian's package chromium (see tests/README.md)")
    with driver() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--disable-gpu"])
        yield started
        started.close()


class Visit:
    """One page in a browser, and everything it did that a page of ours must not."""

    def __init__(self, browser, path, *, width=390, dark=False):
        self.context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if dark else "light",
        )
        self.page = self.context.new_page()
        self.wrong = []
        self.page.on("dialog", lambda dialog: (self.wrong.append("dialog"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("request", self._request)
        self.page.goto(path.resolve().as_uri())

    def _request(self, request):
        if not request.url.startswith(("file:", "data:")):
            self.wrong.append(f"asks for {request.url}")

    def wider_than_the_screen(self):
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def close(self):
        self.context.close()


@pytest.fixture
def visit(browser):
    """Function that opens a page."""
    opened = []

    def open_page(path, **options):
        opened.append(Visit(browser, path, **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.close()
