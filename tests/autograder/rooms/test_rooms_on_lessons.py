"""Every answer to every exercise: two rooms find what one kernel finds."""

import pytest

from autograder.authoring.source import read_source
from autograder.checks.verdicts import read_verdict
from autograder.running import is_test_cell
from tests.rehearsal import LESSONS, ROOT, variants
from tests.two_rooms import TwoRooms, bound_names, used_names

pytestmark = pytest.mark.full


class Lesson:
    """The cells of one lesson, and two rooms to try answers in."""

    def __init__(self, name):
        source = read_source(ROOT / "solutions" / name / f"{name}.py")
        cells = [c for c in source.cells if c.cell_type == "code" and "nbgrader" in c.metadata]
        self.tests = {cell.id: cell.source for cell in cells if is_test_cell(cell)}
        self.answers = {
            cell.id: cell.source for cell in cells if cell.metadata.nbgrader.get("solution")
        }
        setup = [cell.source for cell in cells if cell.id not in self.tests | self.answers]
        self.students = set().union(*map(bound_names, self.answers.values()))
        self.students -= set().union(*map(bound_names, setup))
        self.rooms = TwoRooms(setup)

    def findings(self, exercise, answer, rooms):
        """Points, and label and hint of each failed check."""
        names = list(self.answers)
        before = [self.answers[name] for name in names[: names.index(exercise)]]
        test = self.tests[f"test_{exercise}"]
        bound = sorted(used_names(test) & self.students)
        result = self.rooms.attempt([*before, answer], test, names=bound, rooms=rooms)
        assert not result["error"]
        assert not result["lost"]
        (verdict,) = read_verdict(result["verdict"], "token")
        failed = [(finding.label, finding.hint_id) for finding in verdict.findings]
        return verdict.points, failed


@pytest.fixture(scope="module")
def lessons():
    """Function that gives a lesson."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = Lesson(name)
        return made[name]

    yield get
    for lesson in made.values():
        lesson.rooms.close()


@pytest.mark.parametrize("name", LESSONS)
def test_solutions_earn_everything(lessons, name):
    lesson = lessons(name)
    for cell in lesson.tests:
        exercise = cell.removeprefix("test_")
        assert lesson.findings(exercise, lesson.answers[exercise], rooms=2)[1] == [], exercise


@pytest.mark.parametrize(
    ("name", "item"),
    [
        pytest.param(name, item, id=f"{name}-{item['exercise']}-{item['name']}")
        for name in LESSONS
        for kind in ("wrong", "right")
        for item in variants(name).get(kind, [])
    ],
)
def test_two_rooms_find_what_one_kernel_finds(lessons, name, item):
    lesson = lessons(name)
    one, two = (lesson.findings(item["exercise"], item["answer"], rooms) for rooms in (1, 2))
    assert two == one
    assert ("hint" in item) == bool(two[1])
