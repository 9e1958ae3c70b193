"""The class report: its figures once more from the gradebook, its page in a browser."""

import dataclasses
import html
import json
import re
import shutil
import sqlite3

import pytest
from nbgrader.api import Gradebook

from autograder.cli import main
from autograder.reports.class_page import class_page
from autograder.reports.class_report import read_class
from autograder.reports.plots import doubling, plots_of, tenths
from tests.attacks.pages import problems
from tests.autograder.reports import recomputed
from tests.autograder.reports.conftest import (
    HOSTILE,
    MARK,
    NAME,
    ODD_IDS,
    change,
    database,
    mark_by_hand,
)
from tests.playground.browser import serious_findings

# nbgrader 0.9.6 under SQLAlchemy 2.1 warns at every new submission; nothing is wrong.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


def agrees(report, course, assignment):
    """Compare a report with what the tables say."""
    expected = recomputed.figures(database(course), assignment)
    students = {one["student"]: one for one in report["students"]}
    assert {who: one["points"] for who, one in students.items()} == pytest.approx(
        expected["points"], abs=0.005
    )
    shares = {who: one["share"] for who, one in students.items() if one["share"] is not None}
    assert shares == pytest.approx(expected["shares"])
    assert report["shares"]["mean"] == pytest.approx(expected["mean"])
    assert report["shares"]["median"] == pytest.approx(expected["median"])
    assert report["shares"]["deviation"] == pytest.approx(expected["deviation"])
    assert report["alpha"] == pytest.approx(expected["alpha"])
    assert report["waiting"] == expected["waiting"]
    found = {exercise["name"]: exercise for exercise in report["exercises"]}
    assert set(found) == set(expected["exercises"])
    for name, figures in expected["exercises"].items():
        assert {key: found[name][key] for key in figures} == pytest.approx(figures), name
    counted = {(one["exercise"], one["id"]): one["students"] for one in report["mistakes"]}
    assert counted == recomputed.mistakes(course, assignment)


@pytest.fixture(scope="module")
def marked(graded_once, tmp_path_factory):
    """The class with some free texts marked, a penalty, and two earlier assignments."""
    course = tmp_path_factory.mktemp("marked") / "course"
    shutil.copytree(graded_once, course)
    change(course, "ada", lambda one: mark_by_hand(one, points=3))
    change(course, "plus", lambda one: mark_by_hand(one, points=1.5))
    change(course, ODD_IDS["quote"], lambda one: mark_by_hand(one, points=2))
    change(course, ODD_IDS["comma"], lambda one: mark_by_hand(one, points=0.5))

    def late(submission):
        submission.notebooks[0].late_submission_penalty = 1.0

    change(course, "plus", late)
    with Gradebook(f"sqlite:///{database(course)}", "toy") as gradebook:
        for name, scores in (("00_a", {"ada": 6, "loop": 9}), ("00_b", {"ada": 8, "loop": 10})):
            gradebook.update_or_create_assignment(name)
            gradebook.update_or_create_notebook("n", name)
            gradebook.update_or_create_grade_cell("c", "n", name, max_score=10, cell_type="code")
            for student, score in scores.items():
                gradebook.update_or_create_submission(name, student)
                grade = gradebook.find_grade("c", "n", name, student)
                grade.auto_score, grade.needs_manual_grade = score, False
        gradebook.db.commit()
    return course


def figures_of(course, capsys, name=NAME):
    assert main(["--course", str(course), "report", name, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_figures_are_those_of_the_gradebook(marked, capsys):
    agrees(figures_of(marked, capsys), marked, NAME)
    assert not (marked / "reports").exists()


def test_who_needs_help_and_why(marked, capsys):
    report = figures_of(marked, capsys)
    needs = {one["student"]: one["needs_help"] for one in report["students"]}
    assert needs["ada"] == []
    assert needs["blank"] == ["0% of the points", "3 exercises not tried"]
    # 2 of the 5 points that are marked, after 0.9 and 1.
    assert needs["loop"] == ["40% of the points", "95% in earlier assignments, 40% now"]
    assert [one["assignment"] for one in report["progress"]] == ["00_a", "00_b", NAME]
    assert report["progress"][0]["shares"]["median"] == pytest.approx(0.75)


def test_what_was_not_gradable_and_why(marked, capsys):
    report = figures_of(marked, capsys)
    (lost,) = report["ungraded"]
    assert lost["student"] == "lost"
    assert lost["what"] == "handed in homework.ipynb; expected 01_toy.ipynb"
    remarks = {one["student"]: one["what"] for one in report["remarks"]}
    assert "SyntaxError" in remarks[ODD_IDS["quote"]]
    assert report["absent"] == [["absent", "Zoë O'Neil, Jr."]]
    assert (report["graded"], report["submitted"]) == (6, 7)


def test_named_mistakes_come_with_their_hints(marked, capsys):
    found = {one["id"]: one for one in figures_of(marked, capsys)["mistakes"]}
    assert found["plus-two"]["hint"] == "Twice, not two more."
    assert found["plus-two"]["named"]
    assert not found["not-attempted"]["named"]
    assert found["not-attempted"]["hint"].startswith("The cell still raises NotImplementedError")


def test_the_page_stands_alone_and_shows_names_right(marked, capsys):
    assert main(["--course", str(marked), "report", NAME]) == 0
    assert "reports/01_toy.html" in capsys.readouterr().out
    page = (marked / "reports" / f"{NAME}.html").read_text(encoding="utf-8")
    assert "<script" not in page.lower()
    assert problems(page, MARK) == []
    assert not re.search(r"(?:src|href)=\"(?!#)|url\(|@import", page)
    for word in HOSTILE:
        assert word not in page
    text = html.unescape(re.sub("<[^>]*>", "", page))
    for name in (*ODD_IDS.values(), "Zoë O'Neil, Jr.", f"Bo <script>/*{MARK}*/alert(1)</script>"):
        assert name in text, name
    for plot in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        title, words = re.search(r"aria-labelledby=\"([\w-]+) ([\w-]+)\"", plot).groups()
        assert re.search(rf"<title id=\"{title}\">\w+", plot)
        assert re.search(rf"<desc id=\"{words}\">.{{20,}}</desc>", plot, re.DOTALL)
    assert page.count("<svg") == 6


def test_plots_show_the_figures(marked):
    report = read_class(marked, NAME)
    plots = {plot.name: plot for plot in plots_of(report)}
    columns = [shape for shape in plots["scores"].shapes if shape.kind == "rect"]
    counts = [int(shape.text.rpartition(": ")[2]) for shape in columns]
    assert sum(counts) == report.graded
    tall = [shape.place[3] / count for shape, count in zip(columns, counts, strict=True)]
    assert tall == pytest.approx([tall[0]] * len(tall))
    bars = [shape for shape in plots["difficulty"].shapes if shape.look == "bar"]
    tracks = [shape for shape in plots["difficulty"].shapes if shape.look == "track"]
    assert [bar.place[2] / tracks[0].place[2] for bar in bars] == pytest.approx(
        [exercise.difficulty for exercise in report.exercises]
    )
    assert "double · plus-two: 1" in plots["mistakes"].summary
    assert "00_b: median 90%" in plots["progress"].summary


def test_borders_of_columns():
    assert tenths([0, 0.1, 0.7, 0.3, 1, 1.2, 0.999]) == [1, 1, 0, 1, 0, 0, 0, 1, 0, 3]
    assert doubling([0.4, 3]) == [0, 1, 2, 4]
    assert doubling([9, 20, 70]) == [8, 16, 32, 64, 128]
    assert doubling([]) == [0, 1]


def test_a_negative_discrimination_is_drawn_to_the_left(marked):
    report = read_class(marked, NAME)
    one = report.exercises[0]
    odd = dataclasses.replace(report, exercises=(dataclasses.replace(one, discrimination=-0.5),))
    plot = plots_of(odd)[2]
    (bar,) = [shape for shape in plot.shapes if shape.look.startswith("bar")]
    (zero,) = [shape for shape in plot.shapes if shape.look == "axis"]
    assert bar.place[0] + bar.place[2] == pytest.approx(zero.place[0])
    assert bar.look == "bar second"
    assert "is the check right?" in odd.exercises[0].look
    assert "is the check right?" in class_page(odd)


@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser(marked, visit, tmp_path, dark):
    path = tmp_path / "report.html"
    path.write_text(class_page(read_class(marked, NAME)), encoding="utf-8")
    seen = visit(path, dark=dark)
    assert seen.wider_than_the_screen() == 0
    assert serious_findings(seen.page, "html") == []
    assert seen.wrong == []
    colours = seen.page.evaluate(
        "[...document.querySelectorAll('svg text')].map(one => getComputedStyle(one).fill)"
    )
    # Dark letters on light paper, light letters on dark.
    assert colours
    assert all((int(re.search(r"\d+", one).group()) > 128) is dark for one in colours)


def test_nothing_is_overwritten_that_is_no_report(marked, tmp_path, capsys):
    target = tmp_path / "page.html"
    words = ["--course", str(marked), "report", NAME, "--output", str(target)]
    assert main(words) == 0
    assert main(words) == 0  # its own page is renewed
    target.write_text("notes")
    assert main(words) == 1
    assert "is not a class report: --force replaces it" in capsys.readouterr().err
    assert target.read_text() == "notes"
    assert main([*words, "--force"]) == 0
    assert "Class report" in target.read_text(encoding="utf-8")
    assert main([*words[:-1], "/proc/none/page.html"]) == 1
    assert "cannot be written" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--json"])
    assert stopped.value.code == 2


def test_nothing_to_report_is_said_in_a_sentence(toy_course, capsys):
    for words, course in (
        ("knows no assignment '99_none'; it knows 01_toy", toy_course),
        ("nobody has handed in 01_toy", toy_course),
    ):
        name = "99_none" if "99" in words else NAME
        assert main(["--course", str(course), "report", name]) == 1
        said = capsys.readouterr().err.strip()
        assert words in said
        assert said.count("\n") == 0
    (toy_course / "gradebook.db").unlink()
    assert main(["--course", str(toy_course), "report", NAME]) == 1
    assert "there is no gradebook" in capsys.readouterr().err


def test_an_empty_gradebook(toy_course, capsys):
    base = sqlite3.connect(database(toy_course))
    for (table,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        if table != "alembic_version":
            base.execute(f'DELETE FROM "{table}"')
    base.commit()
    base.close()
    assert main(["--course", str(toy_course), "report", NAME]) == 1
    assert "knows no assignment '01_toy'; it knows none at all" in capsys.readouterr().err
