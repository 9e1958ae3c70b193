"""A small course as any nbgrader user has one: two notebooks, a data file, a penalty for lateness.

Nothing in it comes from this project but the two lines of its configuration.
"""

import datetime
import json
import os
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ASSIGNMENT = "ps1"
CONFIG = """\
import autograder
from nbgrader.plugins import LateSubmissionPlugin


class TenPercent(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.1 * score


c = get_config()
autograder.configure(c)
c.CourseDirectory.course_id = "course"
c.AssignLatePenalties.plugin_class = TenPercent
c.Sandbox.cell_seconds = 10
"""
DUE = datetime.datetime(2026, 1, 10, 12, 0)
IN_TIME, LATE = "2026-01-10 11:00:00.000000 UTC", "2026-01-11 11:00:00.000000 UTC"


def cell(kind, name, source, **about):
    make = new_code_cell if kind == "code" else new_markdown_cell
    made = make(source, id=name)
    made.metadata["nbgrader"] = {
        "grade": False, "solution": False, "locked": False, "task": False,
        "grade_id": name, "schema_version": 3, **about,
    }  # fmt: skip
    return made


def notebooks():
    """The instructor's two notebooks."""
    first = new_notebook(
        cells=[
            new_markdown_cell("# Sums", id="title"),
            cell("code", "set_up", "import csv\nlimit = 10", locked=True),
            cell(
                "code", "total",
                "def total(numbers):\n    ### BEGIN SOLUTION\n    return sum(numbers)\n"
                "    ### END SOLUTION",
                solution=True,
            ),
            cell(
                "code", "test_total",
                "assert total([1, 2]) == 3\n### BEGIN HIDDEN TESTS\n"
                "assert total(range(limit)) == 45\n"
                "with open('numbers.csv') as file:\n"
                "    assert total(int(row[0]) for row in csv.reader(file)) == 6\n"
                "### END HIDDEN TESTS",
                grade=True, locked=True, points=4,
            ),
            new_code_cell("print('an experiment')", id="open"),
            cell(
                "markdown", "why", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION",
                grade=True, solution=True, points=2,
            ),
        ]
    )  # fmt: skip
    second = new_notebook(
        cells=[
            cell(
                "code", "word",
                "### BEGIN SOLUTION\nword = 'yes'\n### END SOLUTION", solution=True,
            ),
            cell("code", "test_word", "assert word == 'yes'", grade=True, locked=True, points=1),
        ]
    )  # fmt: skip
    for notebook in (first, second):
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return {"sums": first, "words": second}


def make(folder: Path) -> Path:
    """Write the course, and let nbgrader make the release."""
    source = folder / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    for name, notebook in notebooks().items():
        (source / f"{name}.ipynb").write_text(json.dumps(notebook))
    (source / "numbers.csv").write_text("1\n2\n3\n")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    release(folder)
    return folder


def release(folder: Path) -> None:
    """Let nbgrader make the release, and put the assignment into the gradebook."""
    from nbgrader.api import Gradebook
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    from autograder.configuration import load_course

    config = load_course(folder)
    course = CourseDirectory(config=config)
    result = NbGraderAPI(coursedir=course, config=config).generate_assignment(ASSIGNMENT)
    assert result["success"], result["log"]
    with Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=DUE)


def move_to(folder: Path, db_url: str) -> None:
    """Use another database, and let nbgrader fill it as it filled the first."""
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text() + f"c.CourseDirectory.db_url = {db_url!r}\n")
    (folder / "gradebook.db").unlink()
    release(folder)


def hand_in(
    folder: Path, student: str, *, when=IN_TIME, without=(), files=None, raw=None, **answers
) -> Path:
    """Put a submission where ``nbgrader collect`` puts it.

    Parameters
    ----------
    folder : pathlib.Path
        The course.
    student : str
        Who.
    when : str or None
        ``timestamp.txt``.
    without : sequence of str
        Notebooks that are not handed in.
    files : dict of str to str, optional
        Other files.
    raw : dict of str to str, optional
        Notebook → what its file holds instead.
    answers : str
        Answer cell → text; the solution's if omitted.
    """
    place = folder / "submitted" / student / ASSIGNMENT
    place.mkdir(parents=True)
    for name, notebook in notebooks().items():
        if name in without:
            continue
        for item in notebook.cells:
            key = item.metadata.get("nbgrader", {}).get("grade_id", "")
            item.source = answers.get(key, item.source)
        text = (raw or {}).get(name, json.dumps(notebook))
        (place / f"{name}.ipynb").write_text(text)
    for name, content in (files or {}).items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    if when is not None:
        (place / "timestamp.txt").write_text(when)
        saved = datetime.datetime.strptime(when, "%Y-%m-%d %H:%M:%S.%f UTC")
        stamp = saved.replace(tzinfo=datetime.UTC).timestamp() - 60
        for path in place.rglob("*"):
            os.utime(path, (stamp, stamp))
    return place
