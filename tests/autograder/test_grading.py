"""Every submission ends in a row, and nobody gets marks that they did not earn."""

import json
import os
import stat
import subprocess

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from autograder.assignment.seeds import course_secret, submission_seed
from autograder.configuration import ConfigurationError, load_course
from autograder.grading import GradingError, grade
from autograder.reports.class_table import class_table, remark

NAME = "01_toy"
ENV = {**os.environ, "PYTHONWARNINGS": "ignore"}


class Desk:
    """Hands notebooks in and grades them."""

    def __init__(self, course, cluster):
        self.course = course
        self.cluster = cluster
        self.lesson = json.loads((course / "lessons" / NAME / f"{NAME}.ipynb").read_bytes())
        self.solution = json.loads((course / "solutions" / NAME / f"{NAME}.ipynb").read_bytes())

    def hand_in(self, student, notebook=None, *, raw=None, file=f"{NAME}.ipynb"):
        folder = self.course / "submitted" / student / NAME
        folder.mkdir(parents=True)
        (folder / file).write_bytes(json.dumps(notebook).encode() if raw is None else raw)

    def edited(self, start="solution", **sources):
        """A copy of a notebook with the source of some cells replaced."""
        notebook = json.loads(json.dumps(getattr(self, start)))
        for cell in notebook["cells"]:
            if cell["id"] in sources:
                cell["source"] = sources[cell["id"]]
        return notebook

    def grade(self, **kwargs):
        rows = grade(self.course, NAME, cluster=self.cluster, **kwargs)
        return {row.student: row for row in rows}

    def scores(self, student="ada"):
        row = self.grade()[student]
        return [score.points for score in row.scores], row


@pytest.fixture
def desk(toy_course, cluster):
    return Desk(toy_course, cluster)


def test_solution_earns_everything_and_the_untouched_lesson_nothing(desk):
    desk.hand_in("ada", desk.solution)
    desk.hand_in("zoe", desk.lesson)
    rows = desk.grade()
    assert [score.points for score in rows["ada"].scores] == [3.0, 2.0, None]
    assert rows["ada"].to_mark == 3
    assert [score.points for score in rows["zoe"].scores] == [0.0, 0.0, 0.0]
    assert remark(rows["zoe"]) == "nothing answered"


def test_a_named_mistake_is_in_the_row_and_in_the_comment(desk):
    desk.hand_in("ada", desk.edited(double="def double(number):\n    return number + 2"))
    scores, row = desk.scores()
    assert scores == [0.0, 2.0, None]
    assert row.scores[0].hints == ("plus-two",)
    assert remark(row) == "double: plus-two"
    with Gradebook(f"sqlite:///{desk.course / 'gradebook.db'}") as gradebook:
        comment = gradebook.find_comment("double", NAME, NAME, "ada").auto_comment
    assert comment.startswith("0 of 3 points. [plus-two] double of 5: received 7, expected 10.")
    # The hidden check drew a number of four digits at most: none of it may be told.
    assert "a drawn number" not in comment


# In nbgrader 0.9.6 each of these earns full marks, or none, for the wrong reason.
NUMPY = "import numpy as np, warnings, sys\n"


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("def double(n):\n    import warnings; warnings.warn('old style'); return 2 * n", 3.0),
        ("def double(n):\n    import sys; print('noise', file=sys.stderr); return 2 * n", 3.0),
        ("import os\nos.write(2, b'W0000 cpu_feature_guard.cc: log line')\n"
         "def double(n): return 2 * n", 3.0),
        (NUMPY + "def double(n): return np.int64(2 * n)", 3.0),
        (NUMPY + "def double(n): return np.float64(2 * n)", 3.0),
        (NUMPY + "def double(n): return np.array(2 * n)", 3.0),
        (NUMPY + "def double(n): return np.float64('nan')", 0.0),
        (NUMPY + "def double(n): return float('inf')", 0.0),
        ("def double(n): return None", 0.0),
        ("def double(n): return True", 0.0),
        ("def double(n): return 10", 1.0),
        ("def double(n): return 10**400", 0.0),
        ("def double(n): raise SystemExit", 0.0),
        ("def double(n):\n    import os; os._exit(0)", 0.0),
        ("class Ten:\n    def __eq__(self, other): return True\ndef double(n): return Ten()", 0.0),
        ("def double(n): yield 2 * n", 0.0),
        ("def double(n:", 0.0),
    ],
)  # fmt: skip
def test_marks_are_those_that_were_earned(desk, answer, points):
    desk.hand_in("ada", desk.edited(double=answer))
    scores, _ = desk.scores()
    assert scores[:2] == [points, 2.0]


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("assert double(2) == 4", 3.0),
        ("assert double(2) == 5", 0.0),
        ("assert double(2) == 4\n1.5", 1.5),
        ("np.float64(2)", 2.0),
        ("99", 3.0),
        ("-5", 0.0),
        ("float('nan')", 0.0),
        ("np.float64(double(2)) == 5", 0.0),
        ("'3.0'", 0.0),
        ("print('1.0')", 3.0),
    ],
)
def test_a_test_cell_without_an_exercise_is_scored_by_nbgraders_rules(desk, source, points):
    """An error earns nothing, a number so many points, silence all; what is printed counts not."""
    with Gradebook(f"sqlite:///{desk.course / 'gradebook.db'}") as gradebook:
        gradebook.find_source_cell(
            "test_double", NAME, NAME
        ).source = f"import numpy as np\n{source}"
        gradebook.db.commit()
        cell = gradebook.find_source_cell("test_double", NAME, NAME)
        from nbgrader.utils import compute_checksum

        fake = new_code_cell(cell.source)
        fake.metadata["nbgrader"] = {"grade_id": "test_double", "grade": True, "points": 3.0}
        cell.checksum = compute_checksum(fake)
        gradebook.db.commit()
    desk.hand_in("ada", desk.solution)
    scores, row = desk.scores()
    assert scores == [points, 2.0, None]
    if source.startswith(("float", "'")):
        assert "which is no score" in remark(row)


def test_metadata_of_a_submission_is_not_believed(desk):
    for start in ("lesson", "solution"):
        notebook = desk.edited(start)
        for cell in notebook["cells"]:
            cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell"]
            about = cell["metadata"].get("nbgrader")
            if about:
                about.update(points=99, locked=False, grade=False, solution=True)
                about["checksum"] = "0"
        notebook["metadata"]["autograder"] = {"verdicts": {"test_double": {"points": 3}}}
        notebook["metadata"]["kernelspec"] = {"name": "bash", "display_name": "x"}
        desk.hand_in(start, notebook)
    rows = desk.grade()
    assert [score.points for score in rows["lesson"].scores] == [0.0, 0.0, 0.0]
    assert [score.points for score in rows["solution"].scores] == [3.0, 2.0, None]
    assert rows["lesson"].possible == 8


def test_edited_test_cells_are_put_back(desk):
    notebook = desk.edited(
        "lesson",
        setup="class checks:\n    pass",
        test_double="exercise = None\n3.0",
    )
    desk.hand_in("ada", notebook)
    assert desk.scores()[0] == [0.0, 0.0, 0.0]


def test_deleted_repeated_and_moved_cells(desk):
    deleted = desk.edited()
    deleted["cells"] = [
        cell for cell in deleted["cells"] if cell["id"] not in ("test_double", "setup")
    ]
    desk.hand_in("deleted", deleted)
    repeated = desk.edited()
    for name in ("test_double", "double", "setup"):
        index = next(i for i, cell in enumerate(repeated["cells"]) if cell["id"] == name)
        twin = json.loads(json.dumps(repeated["cells"][index]))
        repeated["cells"].insert(index, {**twin, "id": f"{name}-2"})
    desk.hand_in("repeated", repeated)
    no_answer = desk.edited()
    no_answer["cells"] = [
        cell for cell in no_answer["cells"] if cell["id"] not in ("half", "reading")
    ]
    desk.hand_in("no-answer", no_answer)
    desk.hand_in("empty", new_notebook())
    rows = desk.grade()
    got = {student: [score.points for score in row.scores] for student, row in rows.items()}
    assert got == {
        "deleted": [3.0, 2.0, None],
        "repeated": [3.0, 2.0, None],
        "no-answer": [3.0, 0.0, 0.0],
        "empty": [0.0, 0.0, 0.0],
    }
    assert "put back: setup, test_double" in remark(rows["deleted"])
    assert "'test_double' stands there more than once" in remark(rows["repeated"])


def test_crashes_and_endless_loops_cost_one_exercise_only(desk):
    loop = "while True:\n    pass"
    stubborn = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    answers = {
        "crash-later": "def double(n):\n    import os; os._exit(1)",
        "crash-at-once": "import os; os.kill(os.getpid(), 9)",
        "loop-at-once": loop,
        "stubborn": stubborn,
    }
    for student, answer in answers.items():
        desk.hand_in(student, desk.edited(double=answer))
    desk.hand_in("ada", desk.solution)
    rows = desk.grade()
    for student in answers:
        assert [score.points for score in rows[student].scores] == [0.0, 2.0, None], student
    assert rows["ada"].points == 5
    assert "double: the kernel died" in remark(rows["crash-later"])
    assert "double: the kernel died" in remark(rows["crash-at-once"])
    assert "double: stopped after 5 s" in remark(rows["loop-at-once"])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"cells": [', "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"[]", "not a notebook"),
        (b'{"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "not a"),
        (b'{"cells": [{"cell_type": "spell"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
         "not a"),
        (b"[" * 100_000, "not a notebook"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_notebook_ends_in_a_row(desk, raw, words):
    desk.hand_in("ada", raw=raw)
    desk.hand_in("ben", desk.solution)
    rows = desk.grade()
    assert [score.points for score in rows["ada"].scores] == [0.0, 0.0, 0.0]
    assert words in remark(rows["ada"])
    assert rows["ben"].points == 5


def test_a_wrong_file_name_is_told(desk):
    desk.hand_in("ada", desk.solution, file="my homework.ipynb")
    row = desk.grade()["ada"]
    assert not row.graded
    assert remark(row) == ("not graded: handed in my homework.ipynb; expected 01_toy.ipynb")


def test_endless_output_is_cut(desk):
    desk.hand_in("ada", desk.edited(double="while True: print('x' * 1000)"))
    scores, _ = desk.scores()
    assert scores == [0.0, 2.0, None]
    graded = desk.course / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    assert graded.stat().st_size < 1_000_000


def test_graded_submissions_are_only_read(desk):
    desk.hand_in("ada", desk.solution)
    desk.grade()
    path = desk.course / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    before = path.stat().st_mtime_ns
    desk.hand_in("ben", desk.lesson)
    rows = desk.grade()
    assert path.stat().st_mtime_ns == before
    assert rows["ada"].points == 5
    desk.grade(force=True, students=["ada"])
    assert path.stat().st_mtime_ns != before


def test_a_mark_by_hand_survives_a_regrade(desk):
    desk.hand_in("ada", desk.solution)
    desk.grade()
    with Gradebook(f"sqlite:///{desk.course / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("reading", NAME, NAME, "ada").manual_score = 2.5
        gradebook.db.commit()
    row = desk.grade(force=True)["ada"]
    assert [score.points for score in row.scores] == [3.0, 2.0, 2.5]


def test_nbgrader_s_own_command_gives_the_same_scores(desk):
    desk.hand_in("ada", desk.edited(double="def double(number):\n    return 10"))
    desk.hand_in("bad", raw=b'{"cells": [')
    desk.hand_in("dup", desk.edited(half="import os; os._exit(1)"))
    rows = desk.grade()
    ours = {student: row.points for student, row in rows.items()}
    done = subprocess.run(
        ["nbgrader", "autograde", NAME, "--force"],
        cwd=desk.course, env=ENV, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with Gradebook(f"sqlite:///{desk.course / 'gradebook.db'}") as gradebook:
        theirs = {student: gradebook.find_submission(NAME, student).score for student in ours}
    assert theirs == ours == {"ada": 3.0, "bad": 0.0, "dup": 3.0}


def test_hidden_tests_are_not_in_the_feedback(desk):
    desk.hand_in(
        "ada",
        desk.edited(double="def double(n):\n    print('<script>alert(1)</script>')\n    return 7"),
    )
    desk.hand_in("loop", desk.edited(double="def double(n):\n    while True: pass"))
    desk.grade()
    done = subprocess.run(
        ["nbgrader", "generate_feedback", NAME],
        cwd=desk.course, env=ENV, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for student in ("ada", "loop"):
        page = (desk.course / "feedback" / student / NAME / f"{NAME}.html").read_text()
        assert "_drawn_number" not in page
        assert "HIDDEN TESTS" not in page
        assert "<script>alert" not in page
    page = (desk.course / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()
    assert "[plus-two]" in page
    assert "Twice, not two more." in page


@pytest.mark.parametrize("walls", [True, False])
def test_every_report_says_if_there_was_no_sandbox(desk, walls):
    from nbconvert import HTMLExporter
    from nbgrader.converters import GenerateFeedback
    from nbgrader.coursedir import CourseDirectory

    if not walls:
        config = desk.course / "nbgrader_config.py"
        config.write_text(config.read_text() + "\nc.Sandbox.enabled = False\n")
    desk.hand_in("ada", desk.solution)
    row = desk.grade()["ada"]
    assert ("without a sandbox" in remark(row)) is not walls
    assert json.loads(row.to_json())["sandbox"] == ("room" if walls else "none")
    config = load_course(desk.course)
    GenerateFeedback(
        coursedir=CourseDirectory(config=config, assignment_id=NAME), config=config
    ).start()
    feedback = desk.course / "feedback" / "ada" / NAME / f"{NAME}.html"
    # The formgrader's pages are made by this exporter.
    graded = desk.course / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    formgrader, _ = HTMLExporter(config=config).from_filename(str(graded))
    for page in (feedback.read_text(), formgrader):
        assert ("Graded without a sandbox" in page) is not walls
    assert "Graded without a sandbox" not in graded.read_text()


@pytest.mark.parametrize(
    ("config", "words"),
    [("c = get_config(\n", "SyntaxError"), ("raise KeyError('x')\n", "KeyError")],
)
def test_a_broken_configuration_stops_everything(toy_course, config, words):
    (toy_course / "nbgrader_config.py").write_text(config)
    with pytest.raises(ConfigurationError, match=words):
        load_course(toy_course)


def test_nothing_to_grade_is_said(desk, tmp_path):
    with pytest.raises(GradingError, match="nobody has handed in 01_toy"):
        desk.grade()
    with pytest.raises(GradingError, match="no submission of 01_toy by eve"):
        desk.grade(students=["eve"])
    with pytest.raises(ConfigurationError, match=r"no nbgrader_config\.py in"):
        load_course(tmp_path)


def test_secret_is_private_and_seeds_depend_on_everything(tmp_path):
    secret = course_secret(tmp_path)
    assert course_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / ".autograder_secret").stat().st_mode) == 0o600

    def seed(secret=secret, assignment="a", student="s", source="x = 1"):
        notebook = new_notebook(cells=[new_code_cell(source)])
        return submission_seed(secret, assignment, student, notebook)

    seeds = [
        seed(), seed(secret=b"other"), seed(assignment="b"), seed(student="t"),
        seed(source="x = 2"), seed(assignment="as", student=""),
    ]  # fmt: skip
    assert len(set(seeds)) == len(seeds)
    assert seed() == seeds[0]


def test_class_table_shows_every_row(desk):
    from rich.console import Console

    desk.hand_in("ada", desk.solution)
    desk.hand_in("zoe", desk.lesson)
    console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(class_table(list(desk.grade().values()), title="toy"))
    text = console.export_text()
    assert "5 +3?" in text
    assert "by hand" in text
    assert "nothing answered" in text


def test_a_kernel_that_dies_between_two_cells(desk, monkeypatch):
    """A process left behind by an answer kills the kernel while nobody is looking."""
    monkeypatch.setattr("autograder.running.REPLY_SECONDS", 3)
    later = "import os, threading\nthreading.Timer(0.05, lambda: os._exit(1)).start()\n"
    desk.hand_in("ada", desk.edited(double=later + "def double(n): return 2 * n"))
    desk.hand_in("ben", desk.solution)
    rows = desk.grade()
    # Which exercise it costs, if any, depends on the moment; that there is a row does not.
    assert rows["ada"].graded
    assert len(rows["ada"].scores) == 3
    assert rows["ben"].points == 5


def test_a_course_that_rooms_could_read_is_refused(desk):
    desk.hand_in("ada", desk.solution)
    config = desk.course / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}c.Sandbox.read_only = [{str(desk.course.parent)!r}]\n")
    with pytest.raises(GradingError, match="lies below"):
        desk.grade()
