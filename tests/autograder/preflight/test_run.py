"""Preflight as a whole: planted defects are found, and nothing in a healthy lesson.

What can be seen without grading is in test_structure.py and test_handed_out.py.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from autograder.preflight.display import show
from tests import plain_course
from tests.autograder.preflight import lesson
from tests.conftest import ROOT

TITLES = [
    "the solution", "the untouched lesson", "an answer that never ends",
    "answers that crash the kernel", "every answer left empty", "every answer is None",
    "the solution, noisy", "hostile: claims a score", "hostile: looks around, leaves",
]  # fmt: skip


@pytest.fixture(scope="module")
def look(tmp_path_factory, cluster):
    """Function that writes a course and lets preflight look at it."""

    def look(cells=None, **kwargs):
        from autograder.preflight.run import preflight

        folder = lesson.write(tmp_path_factory.mktemp("course"), cells, **kwargs)
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        report = preflight(folder, lesson.ASSIGNMENT, cluster=cluster)
        after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        assert after == before, "preflight has changed the course"
        return report

    return look


@pytest.fixture(scope="module")
def healthy(look):
    return look()


def test_nothing_is_found_in_a_healthy_lesson(healthy):
    assert [str(finding) for finding in healthy.findings] == []
    assert [outcome.submission for outcome in healthy.outcomes] == TITLES
    assert all(outcome.as_it_should for outcome in healthy.outcomes)
    earned = [outcome.earned for outcome in healthy.outcomes]
    assert earned == [5, 0, 2, 3, 0, 0, 5, 0, 0]
    # Without knowing what is asked, a fifth of an exercise may be luck, and no more.
    assert [outcome.should for outcome in healthy.outcomes][-2:] == ["0 … 1", "0 … 1"]
    assert healthy.to_mark == 2


def test_the_author_s_answers_are_counted(healthy):
    counted = [(count.kind, count.good, count.tried) for count in healthy.answers]
    assert counted == [("wrong", 2, 2), ("right", 1, 1)]


def test_every_cell_of_the_solution_is_measured(healthy):
    measured = [cell.cell for cell in healthy.usage]
    assert measured == ["set_up", "double", "test_double", "cell 6", "total", "test_total"]
    assert all(cell.seconds > 0 and not cell.stopped for cell in healthy.usage)
    assert healthy.limits["cell_seconds"] == 30


def test_the_report_is_json_and_a_page(healthy, capsys):
    from rich.console import Console

    read = json.loads(healthy.to_json())
    assert read["findings"] == []
    assert len(read["outcomes"]) == len(TITLES)
    show(healthy, Console(width=120))
    page = capsys.readouterr().out
    assert "2 of 2 wrong answers lose points and get their hint" in page
    assert "sums: nothing to mend" in page


def exercise(name, source, marking, points=1):
    """Two cells: an answer and its test."""
    return [lesson.answer(name, source), lesson.marking(f"test_{name}", marking, points)]


# By processor time, so that a busy machine makes no difference.
BUSY = """\
import time
started = time.process_time()
while time.process_time() < started + 2.5:
    pass
block = b"x" * 240_000_000
time.sleep(0.7)
"""


def defective():
    """The healthy lesson, and beside each of its exercises one with a defect of its own."""
    solution = "### BEGIN SOLUTION\n    return {}\n    ### END SOLUTION"
    added = [
        *exercise(
            "vacuous", "def vacuous(n):\n    " + solution.format("n - 100"),
            "try:\n    assert vacuous(3) == -97\nexcept Exception:\n    pass",
        ),
        *exercise(
            "defined", "def defined(n):\n    " + solution.format("n - 200"),
            "assert callable(defined)",
        ),
        *exercise(
            "square", "def square(n):\n    " + solution.format("n * n + 0 * n"),
            "assert square(2) == 4\n### BEGIN HIDDEN TESTS\nassert square(3) == 10\n"
            "### END HIDDEN TESTS",
        ),
        *exercise(
            "half", "def half(n):\n    " + solution.format("n / 2 + 0 * n"),
            "assert half(4) == 2 and type(half(4)) is float",
        ),
        *exercise(
            "trust", "def trust():\n    " + solution.format("{'key': 7 + 0}['key']"),
            "assert trust() is not None",
        ),
        lesson.code(BUSY),
    ]  # fmt: skip
    made = lesson.cells()
    made[0].source = "# Sums"
    made[2].source = "## Exercise 1 · `double` (4 points)"
    made[4].source = lesson.TEST_DOUBLE.replace("points=3", "points=4")
    made[5].source = "carefully_doubled = 2 * number\nif 1:\n    return carefully_doubled"
    made[5].metadata["tags"] = ["raises-exception"]
    made[8].source = lesson.TEST_TOTAL.replace("HIDDEN TESTS", "HIDDEN TEST")
    return [*made, lesson.text("## Exercises 4 to 8"), *added]


DEFECTIVE_CONFIG = (
    lesson.CONFIG + "c.Sandbox.cell_processor_seconds = 4\nc.Sandbox.memory_mb = 300\n"
)
DEFECTIVE_ANSWERS = (
    lesson.ANSWERS.replace('hint = "plus-two"', 'hint = "minus-two"')
    + """
[[wrong]]
exercise = "half"
name = "only-four"
answer = '''
def half(n):
    return 2.0
'''

[[wrong]]
exercise = "vacuous"
name = "zero"
answer = '''
def vacuous(n):
    return 0
'''

[[right]]
exercise = "half"
name = "integer-division"
answer = '''
def half(n):
    return n // 2
'''
"""
)


@pytest.fixture(scope="module")
def found(look):
    report = look(defective(), answers=DEFECTIVE_ANSWERS, config=DEFECTIVE_CONFIG)
    told = {}
    for finding in report.findings:
        key = (finding.kind, finding.where)
        told[key] = "\n".join([*told.get(key, "").splitlines(), finding.message])
    return told


@pytest.mark.parametrize(
    ("kind", "where", "words"),
    [
        ("never-fails", "sums · test_vacuous", "whatever was tried kept all 1 points"),
        ("empty-passes", "sums · test_defined", "every answer is None earns 1 of 1"),
        ("solution-loses", "sums · test_square", "a hidden test failed (AssertionError)"),
        ("wrong-passes", "sums · test_half", "'only-four' to 'half' keeps all points"),
        ("wrong-hint", "sums · test_double", "get the hint 'minus-two'; it gets plus-two"),
        ("right-loses", "sums · test_half", "'integer-division' to 'half' loses points"),
        ("points", "sums · test_double", "Exercise(points=4) in a cell that is worth 3"),
        ("points", "sums", "tells 4 points, the cells below it give 3"),
        ("leak", "sums · double", "every line of this answer also stands"),
        ("leak", "sums.ipynb · test_total", "looks like a delimiter that nbgrader does not know"),
        ("hostile-gains", "sums · test_trust", "(hostile: claims a score) earns 1 of 1"),
        ("too-slow", "sums · cell", "s of the 4 s of processor time that a cell may take"),
        ("too-much-memory", "sums · cell", "MB of the 300 that a room may use"),
    ],
)
def test_a_planted_defect_is_found(found, kind, where, words):
    # How cells without a name are counted is no matter here.
    messages = [text for (sort, place), text in found.items() if sort == kind and where in place]
    assert any(words in text for text in messages), sorted(found)


def test_the_healthy_exercises_beside_them_are_not_blamed(found):
    blamed = {where for kind, where in found if kind not in ("too-slow", "leak", "points")}
    assert "sums · test_total" not in blamed
    assert not any(kind in ("noise-costs", "spreads", "not-graded") for kind, _ in found)


def test_an_endless_cell_is_named_and_the_rest_is_not_tried(look):
    made = lesson.cells()
    made[7].source = lesson.TOTAL.replace("names = [", "while True: pass\nnames = [")
    # Nor does it need more of nbgrader's configuration than any course has.
    config = "c = get_config()\nc.Sandbox.cell_seconds = 2\n"
    report = look(made, config=config)
    assert "nbgrader_config.py does not call autograder.configure(c)" in report.notes[0]
    limits = [finding for finding in report.findings if finding.kind == "limit"]
    assert [finding.where for finding in limits] == ["sums · total"]
    assert "stopped after 2 s: a loop that never ends?" in limits[0].message
    assert len(report.outcomes) == 2
    assert any("mend the solution first" in note for note in report.notes)


def test_what_nbgrader_cannot_release_is_not_graded(look):
    made = lesson.cells()
    made.insert(5, lesson.marking("test_total", "assert double(1) == 2", 1))
    report = look(made)
    assert ("grade-id", "sums · test_total") in {
        (finding.kind, finding.where) for finding in report.findings
    }
    assert not report.outcomes
    assert any("nothing was graded" in note for note in report.notes)


def test_a_name_of_an_experiment_stops_before_grading(look):
    made = lesson.cells()
    made[5].source = "tries = [1, 2]"
    made[8].source = "assert total(tries) == 3"
    report = look(made, answers="")
    assert [finding.kind for finding in report.findings] == ["names"]
    assert not report.outcomes


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "autograder.cli", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "the assignments with notebooks are: sums"),
        (["sums", "--answers", "missing.toml"], "missing.toml: cannot be read"),
    ],
)
def test_a_user_s_mistake_gets_one_sentence(tmp_path, words, sentence):
    lesson.write(tmp_path)
    done = command("--course", str(tmp_path), "preflight", *words)
    assert done.returncode == 1
    assert done.stderr.startswith("autograder preflight: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.full
def test_a_released_course_of_two_notebooks_and_a_data_file(tmp_path, cluster):
    from autograder.preflight.run import preflight

    folder = plain_course.make(tmp_path / "course")
    report = preflight(folder, plain_course.ASSIGNMENT, cluster=cluster)
    assert [str(finding) for finding in report.findings] == []
    assert [outcome.submission for outcome in report.outcomes] == TITLES
    assert all(outcome.as_it_should for outcome in report.outcomes)
    assert {cell.notebook for cell in report.usage} == {"sums", "words"}
    (folder / "release" / plain_course.ASSIGNMENT / "numbers.csv").write_text("4\n")
    cell = plain_course.notebooks()["sums"].cells[2]
    (folder / "release" / plain_course.ASSIGNMENT / "more.txt").write_text(cell.source)
    report = preflight(folder, plain_course.ASSIGNMENT, cluster=cluster, with_answers=False)
    assert {(finding.kind, finding.where) for finding in report.findings} == {
        ("stale-release", "numbers.csv"), ("stale-release", "more.txt"), ("leak", "more.txt"),
    }  # fmt: skip


@pytest.mark.full
def test_a_stopped_run_leaves_nothing(tmp_path):
    lesson.write(tmp_path / "course")
    place = tmp_path / "tmp"
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder.cli", "--course", str(tmp_path / "course"),
         "preflight", lesson.ASSIGNMENT],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(place), "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    while process.poll() is None and not list(place.glob("preflight-*/submitted/solution")):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped. Nothing of the course was changed." in err
    assert not out
    assert not list(place.glob("preflight-*"))


@pytest.mark.full
@pytest.mark.timeout(900)
def test_nothing_is_found_in_a_lesson_of_this_course():
    done = command("preflight", "09_style_transfer", "--no-answers", "--json")
    report = json.loads(done.stdout)
    assert report["findings"] == []
    assert done.returncode == 0
    assert all(outcome["as_it_should"] for outcome in report["outcomes"])
