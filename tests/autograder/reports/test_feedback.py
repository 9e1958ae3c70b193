"""Pages of feedback: what they tell, what they keep to themselves, that nothing in them runs."""

import html
import json
import os
import re
import shutil

import pytest
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from autograder.cli import main
from autograder.configuration import load_course
from autograder.reports.asked import hints_in, read_lesson
from autograder.reports.class_feedback import make_feedback
from autograder.reports.marks import ReportError
from tests.attacks.pages import problems
from tests.autograder.reports.conftest import (
    HOSTILE,
    LIMIT_SECONDS,
    MARK,
    NAME,
    ODD_IDS,
    change,
    mark_by_hand,
)
from tests.playground.browser import serious_findings


def page_of(course, student):
    return course / "feedback" / student / NAME / f"{NAME}.html"


def text_of(course, student):
    """What a reader sees, with single spaces."""
    page = page_of(course, student).read_text(encoding="utf-8")
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def rows_of(course, **options):
    return {row.student: row for row in make_feedback(course, NAME, workers=1, **options)}


@pytest.fixture(scope="session")
def pages(graded_once, tmp_path_factory):
    """The class with its pages, and the rows. Not to be changed."""
    course = tmp_path_factory.mktemp("pages") / "course"
    shutil.copytree(graded_once, course)
    return course, rows_of(course)


def test_everybody_who_is_graded_has_a_page(pages):
    course, rows = pages
    assert {row.student for row in rows.values() if row.state == "made"} == {
        "ada", "plus", "loop", "blank", *ODD_IDS.values(),
    }  # fmt: skip
    for student, row in rows.items():
        assert page_of(course, student).is_file() == row.well
    assert rows["lost"].state == "ungraded"
    assert "autograder grade 01_toy --failed" in rows["lost"].remark


def test_points_mistakes_and_what_was_expected(pages):
    course, rows = pages
    text = text_of(course, "plus")
    assert "2 of 8 points 3 more wait to be marked by hand" in text
    assert "✗ 0 / 3" in text
    assert "✓ 2 / 2" in text
    assert "Twice, not two more. [plus-two] double of 5: received 7, expected 10" in text
    assert "return number + 2" in text
    assert "not marked yet, 3 to come" in text
    assert (rows["plus"].points, rows["plus"].possible, rows["plus"].to_mark) == (2.0, 8.0, 3.0)
    assert "Every check passed." in text_of(course, "ada")


def test_hidden_checks_show_no_source_and_no_value(pages):
    course, _ = pages
    for student in ("plus", "loop", "blank", *ODD_IDS.values()):
        page = page_of(course, student).read_text(encoding="utf-8")
        for word in ("_drawn_number", "HIDDEN TESTS", "exercise.", "rng", "checks.Exercise"):
            assert word not in page, (student, word)
    page = page_of(course, "plus").read_text(encoding="utf-8")
    (hidden,) = re.findall(r"<li><span class=\"tag\">hidden check</span>(.*?)</li>", page)
    assert "a drawn number" in hidden
    assert not re.search(r"\d", re.sub("<[^>]*>", "", hidden))


def test_limits_and_errors_are_named(pages):
    course, _ = pages
    limit = f"Stopped: when it is graded, a cell may run for {LIMIT_SECONDS} s"
    assert limit in text_of(course, "loop")
    assert limit not in text_of(course, "plus")
    assert "The cell stops with SyntaxError" in text_of(course, ODD_IDS["quote"])


def test_a_free_text_is_shown_as_the_student_wrote_it(pages):
    course, _ = pages
    page = page_of(course, "ada").read_text(encoding="utf-8")
    assert "<strong>border</strong>" in page
    assert "Left as it was handed out." in text_of(course, "blank")
    assert "Left as it was handed out." not in text_of(course, "ada")


def test_ids_are_shown_as_they_are(pages):
    course, _ = pages
    for student in ODD_IDS.values():
        assert f"Feedback for {student}" in text_of(course, student)
    page = page_of(course, "plus").read_text(encoding="utf-8")
    assert "Bo &lt;script&gt;" in page
    assert "Feedback for Bo <script>" in text_of(course, "plus")


def test_no_markup_of_a_student_gets_through(pages):
    course, _ = pages
    for student in ("plus", *ODD_IDS.values()):
        page = page_of(course, student).read_text(encoding="utf-8")
        assert problems(page, MARK) == []
        assert "<script" not in page.lower()
    # It is not lost either: a student can see what was read.
    assert HOSTILE[0] in text_of(course, ODD_IDS["comma"])


def test_pages_that_students_hand_in_do_not_come_back(graded):
    beside = graded / "autograded" / "ada" / NAME
    beside.chmod(0o755)
    for name in ("other.html", f"{NAME}.html", "data.csv"):
        (beside / name).write_text("<script></script>")
    rows_of(graded, students=["ada"])
    folder = page_of(graded, "ada").parent
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{NAME}.html", "data.csv", "timestamp.txt",
    ]  # fmt: skip
    assert "of 8 points" in text_of(graded, "ada")


@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser_on_a_phone(pages, visit, dark):
    course, _ = pages
    for student in ("plus", ODD_IDS["comma"]):
        seen = visit(page_of(course, student), dark=dark)
        assert seen.wider_than_the_screen() == 0
        assert serious_findings(seen.page, "html") == []
        assert seen.wrong == []
        ink, paper = seen.page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body)"
            ".backgroundColor].map(colour => Number(colour.match(/\\d+/)[0]))"
        )
        assert (ink > paper) is dark


def test_the_policy_of_a_page_stops_what_should_ever_get_through(pages, visit, tmp_path):
    course, _ = pages
    page = page_of(course, "ada").read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"
    bad = "<script>document.title = 'ran'</script><img src='x' onerror='document.title=1'>"
    spoilt.write_text(page.replace("</main>", f"{bad}</main>"), encoding="utf-8")
    seen = visit(spoilt)
    assert seen.page.title() == f"{NAME} · ada"
    assert any("Content Security Policy" in message for message in seen.wrong)


def test_what_an_instructor_did_is_shown(graded):
    change(graded, "ada", lambda one: mark_by_hand(
        one, points=2.5, comment=f"Why *not* `3`? <img src=x onerror='{MARK}'>"))  # fmt: skip
    change(graded, "plus", lambda one: mark_by_hand(one, cell="test_double", points=1))
    change(graded, "plus", lambda one: mark_by_hand(one, cell="test_half", extra=0.5))

    def late(submission):
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = 1.5

    change(graded, "ada", late)
    rows = rows_of(graded)
    text = text_of(graded, "ada")
    assert "6 of 8 points 1.5 taken off for lateness" in text
    assert "◐ 2.5 / 3" in text
    assert "Your instructor's comment Why not 3 ? <img" in text
    assert problems(page_of(graded, "ada").read_text(encoding="utf-8"), MARK) == []
    assert rows["ada"].points == 6.0
    text = text_of(graded, "plus")
    assert "◐ 1 / 3 The points were set by your instructor." in text
    assert "✓ 2.5 / 2 0.5 of these are extra credit." in text


def test_only_what_has_changed_is_made_again(graded):
    assert {row.state for row in rows_of(graded).values() if row.well} == {"made"}
    before = {path: path.stat().st_mtime_ns for path in graded.glob("feedback/*/*/*.html")}
    page_of(graded, "loop").unlink()
    change(graded, "ada", lambda one: mark_by_hand(one, points=1))
    states = {student: row.state for student, row in rows_of(graded).items()}
    assert {student for student, state in states.items() if state == "made"} == {"ada", "loop"}
    assert states["plus"] == "fresh"
    assert page_of(graded, "plus").stat().st_mtime_ns == before[page_of(graded, "plus")]
    assert "◐ 1 / 3" in text_of(graded, "ada")
    assert rows_of(graded, students=["plus"], force=True)["plus"].state == "made"


def test_a_page_that_something_else_made_is_kept(graded, capsys):
    page = page_of(graded, "ada")
    page.parent.mkdir(parents=True)
    page.write_text("<p>written by hand</p>")
    assert main(["--course", str(graded), "feedback", NAME, "--student", "ada"]) == 1
    assert "--force replaces it" in capsys.readouterr().out
    assert page.read_text() == "<p>written by hand</p>"
    assert main(["--course", str(graded), "feedback", NAME, "--student", "ada", "--force"]) == 0
    assert "of 8 points" in text_of(graded, "ada")


def test_side_by_side_gives_the_same_pages(pages, graded, capsys):
    course, _ = pages
    assert main(["--course", str(graded), "feedback", NAME, "--workers", "2", "--json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["student"]: row["state"] for row in rows}["lost"] == "ungraded"
    made = [path for row in rows for path in row["pages"]]
    assert len(made) == 6
    for path in made:
        assert (graded / path).read_bytes() == (course / path).read_bytes()


def test_nbgrader_s_own_command_makes_the_same_pages(pages, graded):
    course, _ = pages
    config = load_course(graded)
    directory = CourseDirectory(config=config, assignment_id=NAME)
    GenerateFeedback(coursedir=directory, config=config).start()
    made = sorted(graded.glob("feedback/*/*/*.html"))
    for path in made:
        if path.name == f"{NAME}.html":
            assert path.read_bytes() == (course / path.relative_to(graded)).read_bytes()
    assert {path.parent.parent.name for path in made} == {
        "ada", "plus", "loop", "blank", *ODD_IDS.values(),
    }  # fmt: skip


def test_release_and_fetch(graded, tmp_path):
    """nbgrader's exchange takes the pages, and gives a student the right one."""
    from nbgrader.auth import Authenticator
    from nbgrader.exchange import ExchangeFactory

    exchange, cache = tmp_path / "exchange", tmp_path / "cache"
    exchange.mkdir()
    exchange.chmod(0o777)
    with (graded / "nbgrader_config.py").open("a") as file:
        file.write(f"c.Exchange.root = {str(exchange)!r}\nc.Exchange.cache = {str(cache)!r}\n")
    # What `nbgrader submit` leaves with the student and in the submission.
    entry = cache / "toy" / f"ada+{NAME}+2026-01-10 11:00:00.000000 UTC"
    entry.mkdir(parents=True)
    shutil.copy(graded / "submitted" / "ada" / NAME / f"{NAME}.ipynb", entry)
    for folder in (entry, graded / "autograded" / "ada" / NAME):
        folder.chmod(0o755)
        (folder / "submission_secret.txt").write_text("a secret")
    rows_of(graded, students=["ada"])
    config = load_course(graded)
    home = tmp_path / "home"
    home.mkdir()
    config.Exchange.assignment_dir = str(home)
    config.CourseDirectory.student_id = "ada"
    course = CourseDirectory(config=config, assignment_id=NAME)
    factory = ExchangeFactory(config=config)
    parts = {"coursedir": course, "authenticator": Authenticator(config=config), "config": config}
    here = os.getcwd()
    os.chdir(home)
    try:
        factory.ReleaseFeedback(**parts).start()
        factory.FetchFeedback(**parts).start()
    finally:
        os.chdir(here)
    (fetched,) = home.rglob("*.html")
    assert fetched.name == f"{NAME}.html"
    assert fetched.read_bytes() == page_of(graded, "ada").read_bytes()


def test_nothing_to_make_pages_of_is_said_in_a_sentence(graded, toy_course, tmp_path, capsys):
    def refused(course, *words):
        assert main(["--course", str(course), "feedback", *words]) == 1
        said = capsys.readouterr().err.strip()
        assert said.count("\n") == 0
        assert "Traceback" not in said
        return said

    assert "no submission of 01_toy by eve" in refused(graded, NAME, "--student", "eve")
    assert "knows no assignment '99_none'; it knows 01_toy" in refused(graded, "99_none")
    assert "nobody has handed in 01_toy" in refused(toy_course, NAME)
    shutil.copytree(graded / "submitted", toy_course / "submitted")
    assert "nothing of 01_toy is graded yet" in refused(toy_course, NAME)
    (toy_course / "gradebook.db").unlink()
    assert "there is no gradebook" in refused(toy_course, NAME)
    assert not (toy_course / "gradebook.db").exists()
    with pytest.raises(SystemExit) as stopped:
        main(["--course", str(graded), "feedback", NAME, "--workers", "0"])
    assert stopped.value.code == 2


def test_a_broken_notebook_costs_one_page(graded):
    path = graded / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    path.chmod(0o644)
    path.write_text('{"cells": [')
    rows = rows_of(graded)
    assert rows["ada"].state == "failed"
    assert "grade this submission again" in rows["ada"].remark
    assert rows["plus"].state == "made"


def test_a_place_that_cannot_be_written_is_said(graded):
    (graded / "feedback").write_text("a file")
    with pytest.raises(ReportError, match="cannot be written"):
        rows_of(graded)


def test_what_a_lesson_asks(tmp_path):
    def cell(kind, source, name="", **about):
        made = {"cell_type": kind, "source": source.splitlines(keepends=True), "metadata": {}}
        if name:
            made["metadata"]["nbgrader"] = {"grade_id": name, **about}
        return made

    path = tmp_path / "lesson.ipynb"
    cells = [
        cell("markdown", "# 03 · Title\n\nWords."),
        cell("markdown", "## Part\n\nText\n\n### Exercise 1 · `f` (2 points)\n\nDo **this**."),
        cell("code", "shown()"),
        cell("markdown", "And that."),
        cell("code", "def f(): ...", "f", solution=True),
        cell("markdown", "Run the checks:"),
        cell("code", "f()", "test_f", grade=True),
        cell("code", "g()", "test_g", grade=True),
        cell("markdown", "### Exercise 3 (1.5 points, by hand)\n\nYOUR ANSWER", "why", grade=True,
             solution=True),
    ]  # fmt: skip
    path.write_text(json.dumps({"cells": cells}))
    lesson = read_lesson(path)
    assert lesson.title == "03 · Title"
    assert {name: (one.title, one.text) for name, one in lesson.asked.items()} == {
        "test_f": ("Exercise 1 · `f`", "Do **this**.\n\nAnd that."),
        "why": ("Exercise 3", ""),
    }
    assert read_lesson(tmp_path / "none.ipynb").asked == {}


def test_hints_are_read_without_running_anything():
    source = "e = checks.Exercise('x', hints={'a': 'One ' 'two', **more, 'b': f'{1}', 3: 'c'})"
    assert hints_in(source) == {"a": "One two"}
    assert hints_in("%matplotlib inline") == {}
