"""What is seen in the author's notebook without running it."""

import pytest

from autograder.preflight.report import Report
from autograder.preflight.structure import check_structure
from tests.autograder.preflight import lesson


def found(cells):
    report = Report("sums")
    check_structure("sums", lesson.notebook(cells), report)
    return [(finding.kind, str(finding)) for finding in report.findings]


def cells_with(**sources):
    """The healthy lesson with the text of some cells replaced."""
    made = lesson.cells()
    for cell in made:
        cell.source = sources.get(cell.id, cell.source)
    return made


def test_nothing_in_a_healthy_lesson():
    assert found(lesson.cells()) == []


def test_a_repeated_grade_id():
    made = lesson.cells()
    made.insert(5, lesson.marking("test_double", "assert double(1) == 2", 1))
    assert ("grade-id", "sums · test_double: 2 cells have the grade_id 'test_double': give every "
            "cell its own") in found(made)  # fmt: skip


def test_a_name_of_an_experiment_in_a_test():
    made = lesson.cells()
    made[5].source = "tries = [1, 2]"
    made[8].source = "assert total(tries) == 3"
    [(kind, words)] = found(made)
    assert kind == "names"
    assert "'tries'" in words
    assert "'test_total'" in words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('e = checks.Exercise("double", points=4)', "Exercise(points=4) in a cell that is worth 3"),
        (
            'checks.Exercise("a", points=1)\nchecks.Exercise("b", points=1)',
            "Exercise(points=2) in a cell that is worth 3",
        ),
        ('from autograder.checks import Exercise\nExercise("a", points=3.0)', ""),
        ('checks.Exercise("a", points=POINTS)', ""),
    ],
)
def test_points_of_an_exercise_and_of_its_cell(source, words):
    told = [text for kind, text in found(cells_with(test_double=source)) if kind == "points"]
    assert [words in text for text in told] == ([True] if words else [])


@pytest.mark.parametrize(
    ("place", "source", "words"),
    [
        (2, "## Exercise 1 · `double` (4 points)", "tells 4 points, the cells below it give 3"),
        (2, "## Exercise 1 [1 pt]", "tells 1 points, the cells below it give 3"),
        (2, "## Exercise 1 · no figure", ""),
        (0, "# Sums (8 points)", "tells 8 points, the cells below it give 7"),
        (0, "# Sums (7 points)", ""),
        (0, "# Sums\n\nThree exercises. All exercises: 9 points.", "the text says 9 points"),
        (0, "# Sums\n\nThe curve falls by 9 points.", ""),
        (0, "# Sums\n\n```\n# (99 points)\n```", ""),
    ],
)
def test_points_that_the_text_tells(place, source, words):
    made = lesson.cells()
    made[place].source = source
    told = [text for kind, text in found(made) if kind == "points"]
    assert [words in text for text in told] == ([True] if words else [])


@pytest.mark.parametrize("points", [None, -1, "3", True])
def test_points_that_are_no_number(points):
    made = lesson.cells()
    made[4].metadata.nbgrader["points"] = points
    assert any(kind == "points" and f"is worth {points!r}" in text for kind, text in found(made))
