"""From text to notebooks: complete, the same twice, and never an answer in the lesson."""

import json

import pytest

from autograder.authoring import BuildError, build, check, lesson_names
from autograder.authoring.leaks import find_leaks, private_lines
from autograder.authoring.source import AuthoringError, read_source
from tests.conftest import TOY

LESSON = "lessons/01_toy/01_toy.ipynb"
SOLUTION = "solutions/01_toy/01_toy.ipynb"


def cells(path):
    return json.loads(path.read_bytes())["cells"]


def by_id(path):
    return {cell["id"]: cell for cell in cells(path)}


def source(cell):
    return "".join(cell["source"])


def test_lesson_has_stubs_and_no_hidden_tests(toy_course):
    lesson = by_id(toy_course / LESSON)
    assert "raise NotImplementedError()" in source(lesson["double"])
    assert "Return twice the number." in source(lesson["double"])
    assert "YOUR ANSWER HERE" in source(lesson["reading"])
    assert "double of 5" in source(lesson["test_double"])
    assert "_drawn_number" not in source(lesson["test_double"])
    assert not any(cell.get("outputs") for cell in lesson.values())


def test_solution_notebook_is_executed(toy_course):
    solution = by_id(toy_course / SOLUTION)
    printed = "".join(solution["test_double"]["outputs"][0]["text"])
    assert "2 of 2 checks passed" in printed
    assert solution["setup"]["execution_count"] == 1


def test_a_text_that_arrives_in_pieces_is_one_output(make_course):
    pieces = "import time\nfor part in range(3):\n    print(part, flush=True)\n    time.sleep(0.2)"
    course = make_course(TOY.replace('print("an experiment")', pieces))
    build(course)
    (output,) = by_id(course / SOLUTION)["cell-007"]["outputs"]
    assert "".join(output["text"]) == "0\n1\n2\n"


def test_ids_come_from_grade_id_or_position(toy_course):
    assert [cell["id"] for cell in cells(toy_course / LESSON)] == [
        "cell-001", "setup", "double", "test_double", "half", "test_half", "cell-007", "reading",
    ]  # fmt: skip


def test_same_text_gives_the_same_bytes(toy_course, make_course, tmp_path_factory):
    from tests.conftest import write_course

    other = write_course(tmp_path_factory.mktemp("again") / "course")
    build(other)
    assert (other / LESSON).read_bytes() == (toy_course / LESSON).read_bytes()

    def bare(folder):
        notebook = json.loads((folder / SOLUTION).read_bytes())
        for cell in notebook["cells"]:
            cell.pop("outputs", None)
        return json.dumps(notebook)

    assert bare(other) == bare(toy_course)


def test_only_what_changed_is_built_again(toy_course):
    before = (toy_course / SOLUTION).stat().st_mtime_ns
    assert build(toy_course) == {"01_toy": "up to date"}
    assert (toy_course / SOLUTION).stat().st_mtime_ns == before
    text = toy_course / "solutions/01_toy/01_toy.py"
    text.write_text(text.read_text().replace("# # A toy lesson", "# # Another title"))
    assert check(toy_course) == [
        "01_toy: the solution notebook is not what the text gives; run `autograder build`"
    ]
    assert build(toy_course) == {"01_toy": "built"}
    assert "Another title" in source(cells(toy_course / LESSON)[0])
    assert check(toy_course) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (LESSON, "the lesson is not what the text gives"),
        (SOLUTION, "the solution notebook is not what the text gives"),
    ],
)
def test_check_sees_an_edited_notebook(toy_course, path, words):
    notebook = toy_course / path
    notebook.write_text(notebook.read_text().replace("toy lesson", "edited lesson"))
    assert any(words in problem for problem in check(toy_course))


def test_check_ignores_outputs(toy_course):
    path = toy_course / SOLUTION
    notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        if cell["id"] == "cell-007":
            cell["outputs"][0]["text"] = ["another machine\n"]
    path.write_text(json.dumps(notebook))
    assert check(toy_course) == []


def test_check_sees_an_unexecuted_notebook_and_an_orphan(toy_course):
    path = toy_course / SOLUTION
    notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = []
    path.write_text(json.dumps(notebook))
    (toy_course / "lessons/99_gone").mkdir()
    problems = "\n".join(check(toy_course))
    assert "was not executed" in problems
    assert "99_gone: has no source" in problems


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('print("an experiment")', "1 / 0", "01_toy, cell 7 (cell-007): ZeroDivisionError"),
        ('print("an experiment")', "import os; os._exit(1)", "cell 7 (cell-007): the kernel died"),
        (
            'print("an experiment")',
            "import warnings; warnings.warn('debris')",
            "cell 7 (cell-007): wrote to stderr",
        ),
        (
            'print("an experiment")',
            "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
            "a picture without alt text",
        ),
        (
            "secret_answer_of_double = 2 * number",
            "secret_answer_of_double = 2 + number",
            "cell 4 (test_double): the solution earns 0 of 3",
        ),
        ('exercise.score()\n\n# %% nbgrader={"grade_id": "half"',
         '\n# %% nbgrader={"grade_id": "half"',
         "cell 4 (test_double): gave no verdict"),
        ('"double", points=3', '"double", points=4', "says 3"),
        ('mistakes={"plus-two": 7}', 'mistakes={"unknown": 7}', "no hint for unknown"),
    ],
)  # fmt: skip
def test_a_failed_build_names_lesson_cell_and_error(make_course, old, new, words):
    assert old in TOY
    course = make_course(TOY.replace(old, new))
    with pytest.raises(BuildError) as error:
        build(course)
    assert words in str(error.value)
    assert not (course / LESSON).exists()
    assert not (course / SOLUTION).exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"grade_id": "half"', '"grade_id": "double"', "'double' is used twice"),
        ('"grade_id": "half"', '"grade_id": "Half!"', "grade_id is 'Half!'"),
        ('"grade": true, "points": 2', '"grade": true', "needs points"),
        ('"grade": true, "points": 2', '"grade": true, "points": -2', "needs points"),
        ('"solution": true}\ndef half', '"solutions": true}\ndef half', "unknown nbgrader keys"),
    ],
)
def test_an_author_s_slip_is_named(make_course, old, new, words):
    assert old in TOY
    course = make_course(TOY.replace(old, new))
    with pytest.raises(AuthoringError) as error:
        read_source(course / "solutions/01_toy/01_toy.py")
    assert words in str(error.value)
    assert words in check(course)[0]


def test_names_may_be_shortened(toy_course):
    assert lesson_names(toy_course, ["01"]) == ["01_toy"]
    assert lesson_names(toy_course, ["solutions/01_toy/"]) == ["01_toy"]
    with pytest.raises(BuildError, match="'07' fits no lesson; the lessons are: 01_toy"):
        lesson_names(toy_course, ["07"])


def test_private_lines_are_those_between_the_markers():
    lines = private_lines(TOY)
    assert "secret_answer_of_double = 2 * number" in lines
    assert "The curve falls because the window loses its border." in lines
    assert "lambda: double(_drawn_number)," in lines
    assert not any("double of 5" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("01_toy/notes.md", b"so: secret_answer_of_double = 2 * number"),
        ("01_toy/data.png", b"\x89PNG secret_answer_of_double = 2 * number"),
        ("01_toy/b.ipynb",
         b'{"cells": [], "x": "c2VjcmV0X2Fuc3dlcl9vZl9kb3VibGUgPSAyICogbnVtYmVy"}'),
        ("01_toy/more.ipynb", b'{"cells": [], "\\u0073ecret_answer_of_double = 2 * number": 1}'),
        ("01_toy/01_toy.py", b"print()"),
        ("01_toy/a.md", b"### BEGIN HIDDEN TESTS"),
        ("01_toy/o.ipynb", b'{"cells": [{"outputs": ["x"]}]}'),
    ],
)  # fmt: skip
def test_leak_check_reads_every_byte(toy_course, name, content):
    lessons, solutions = toy_course / "lessons", toy_course / "solutions"
    assert find_leaks(lessons, solutions) == []
    (lessons / name).write_bytes(content)
    assert find_leaks(lessons, solutions)
    assert any(name in problem for problem in check(toy_course))


def test_what_another_lesson_says_in_public_is_no_leak(toy_course):
    other = toy_course / "solutions" / "02_other"
    other.mkdir()
    (other / "02_other.py").write_text(
        "# %%\nsecret_answer_of_double = 2 * number\n"
        "# %%\n### BEGIN SOLUTION\nanother_secret_of_this_course = 1\n### END SOLUTION\n"
    )
    page = toy_course / "lessons" / "01_toy" / "notes.md"
    page.write_text("secret_answer_of_double = 2 * number")
    assert find_leaks(toy_course / "lessons", toy_course / "solutions") == []
    page.write_text("another_secret_of_this_course = 1")
    assert find_leaks(toy_course / "lessons", toy_course / "solutions")
