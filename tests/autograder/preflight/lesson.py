"""A small course, in nbgrader's usual folders, into which defects can be planted."""

import copy
import json
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ASSIGNMENT = "sums"
CONFIG = """\
import autograder

c = get_config()
autograder.configure(c)
c.CourseDirectory.course_id = "small"
"""
DOUBLE = """\
def double(number):
    ### BEGIN SOLUTION
    carefully_doubled = 2 * number
    return carefully_doubled
    ### END SOLUTION"""
TEST_DOUBLE = """\
exercise = checks.Exercise(
    "double", points=3, seconds=2, hints={"plus-two": "Twice, not two more."}
)
exercise.number("double of 5", lambda: double(5), 10, mistakes={"plus-two": 7})
### BEGIN HIDDEN TESTS
_drawn_number = int(exercise.rng.integers(100, 10_000))
exercise.hidden.number("a drawn number", lambda: double(_drawn_number), 2 * _drawn_number)
### END HIDDEN TESTS
exercise.score()"""
TOTAL = """\
def total(numbers):
    ### BEGIN SOLUTION
    return sum(numbers) + zero
    ### END SOLUTION
### BEGIN SOLUTION
names = ["one", "two"]
### END SOLUTION"""
TEST_TOTAL = """\
assert total([1, 2]) == 3
### BEGIN HIDDEN TESTS
assert total(range(10)) == 45
assert names == ["one", "two"]
### END HIDDEN TESTS"""
ANSWERS = """
[[wrong]]
exercise = "double"
name = "two-more"
hint = "plus-two"
answer = '''
def double(number):
    return number + 2
'''

[[wrong]]
exercise = "total"
name = "first-only"
answer = '''
def total(numbers):
    return numbers[0]
names = []
'''

[[right]]
exercise = "total"
name = "loop"
answer = '''
def total(numbers):
    found = 0
    for number in numbers:
        found += number
    return found
names = ["one"] + ["two"]
'''
"""


def code(source, name="", **about):
    """A code cell, known to nbgrader if it has a name."""
    return _known(new_code_cell(source), name, about)


def text(source, name="", **about):
    """The same in markdown."""
    return _known(new_markdown_cell(source), name, about)


def answer(name, source):
    """A cell for an answer."""
    return code(source, name, solution=True)


def marking(name, source, points):
    """A cell that marks an answer."""
    return code(source, name, grade=True, locked=True, points=points)


def _known(cell, name, about):
    if name:
        cell["id"] = name
        cell.metadata["nbgrader"] = {
            "grade": False, "solution": False, "locked": False, "task": False,
            "grade_id": name, "schema_version": 3, **about,
        }  # fmt: skip
    return cell


def cells():
    """A lesson in which nothing is wrong."""
    return [
        text("# Sums\n\nThere are three exercises, 7 points."),
        code("from autograder import checks\nzero = 0", "set_up", locked=True),
        text("## Exercise 1 · `double` (3 points)"),
        answer("double", DOUBLE),
        marking("test_double", TEST_DOUBLE, 3),
        code("print('an experiment', double(4))"),
        text("## Exercise 2 · `total` (2 points)"),
        answer("total", TOTAL),
        marking("test_total", TEST_TOTAL, 2),
        text("## Exercise 3 · in words (2 points)"),
        text(
            "### BEGIN SOLUTION\nThe sum of nothing is zero, by convention.\n### END SOLUTION",
            "why", grade=True, solution=True, points=2,
        ),
    ]  # fmt: skip


def notebook(made=None):
    """The author's notebook."""
    made = new_notebook(cells=copy.deepcopy(cells() if made is None else made))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return made


def write(folder: Path, made=None, *, answers=ANSWERS, config=CONFIG) -> Path:
    """Write a course of one assignment; nothing is released."""
    source = folder / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    (source / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook(made)), encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    if answers:
        place = folder / "tests" / "variants"
        place.mkdir(parents=True)
        (place / f"{ASSIGNMENT}.toml").write_text(answers, encoding="utf-8")
    return folder
