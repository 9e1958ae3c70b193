"""Feedback and report of a class of 60 in lesson 02, made from the sample answers."""

import html
import json
import re

import pytest

from autograder.cli import main
from autograder.grading import grade
from benchmarks.feedback import LESSON, NAMES, STUDENTS, make_course, mark_free_texts, mixed_class
from tests.autograder.reports.conftest import database
from tests.autograder.reports.recomputed import table
from tests.autograder.reports.test_class_report import agrees

pytestmark = [pytest.mark.full, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def course(tmp_path_factory, cluster):
    """The class, graded and marked."""
    folder = make_course(tmp_path_factory.mktemp("sixty") / "course")
    rows = grade(folder, LESSON, cluster=cluster)
    assert len(rows) == STUDENTS
    assert all(row.graded for row in rows)
    mark_free_texts(folder)
    return folder


def test_the_class_is_varied_and_always_the_same():
    first, again = mixed_class(count=20), mixed_class(count=20)
    assert first == again
    assert len({content for _, content in first}) == 20


def test_every_figure_of_the_report(course, capsys):
    assert main(["--course", str(course), "report", LESSON, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    agrees(report, course, LESSON)
    assert report["graded"] == STUDENTS
    assert {one["name"] for one in report["exercises"] if one["discrimination"] > 0.2} >= {
        "conv2d_parameters", "conv2d_output_shape", "own_chain",
    }  # fmt: skip
    names = {one["name"] for one in report["students"]}
    assert {f"{first} {last}".strip() for last, first in NAMES} <= names


def test_every_page_says_what_the_gradebook_says(course):
    assert main(["--course", str(course), "feedback", LESSON]) == 0
    points, worth, _ = table(database(course), LESSON)
    for student, cells in points.items():
        path = course / "feedback" / student / LESSON / f"{LESSON}.html"
        page = path.read_text(encoding="utf-8")
        assert "HIDDEN TESTS" not in page
        assert "<script" not in page.lower()
        text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
        earned = sum(earned for earned in cells.values() if earned is not None)
        assert f"{round(earned, 2):g} of 20 points" in text, student
        scores = re.findall(r"(?:✓|◐|✗) ([\d.]+) / ([\d.]+)", text)
        shown = sorted((float(one), float(most)) for one, most in scores)
        marked = sorted(
            (round(earned, 2), worth[cell]) for cell, earned in cells.items() if earned is not None
        )
        assert shown == marked, student
