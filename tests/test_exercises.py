"""Every graded exercise: right answers earn all, wrong ones lose points and get their hint."""

import re
from collections import Counter

import pytest

from tests.rehearsal import LESSONS, Rehearsal, variants

# Its variants are tried by `make test`; those of the others, hundreds, by `make test-all`.
ALWAYS = "02_convolution"
# Two seeds, so that a check that is right by luck of the draw is found.
SEEDS = ("first", "second")
NO_VALUES = (
    r"shape \([\d, ]*\)|ax[ei]s [\d, ]+ ha|\d+ ax[ei]s|u?int\d+|float\d+|length \d+|"
    r"\d+ (sizes|layers|values)|expected \d+$|"
    r"layer \d+|\d+ of \d+|within \d+ s|Conv2D|MaxPooling2D"
)


@pytest.fixture(scope="module")
def rehearsals():
    """Function that gives the one kernel of a lesson."""
    open_ones = {}

    def get(name):
        if name not in open_ones:
            open_ones[name] = Rehearsal(name)
        return open_ones[name]

    yield get
    for rehearsal in open_ones.values():
        rehearsal.close()


def listed(kind):
    return [
        pytest.param(
            name,
            item,
            id=f"{name}-{item['exercise']}-{item['name']}",
            marks=() if name == ALWAYS else pytest.mark.full,
        )
        for name in LESSONS
        for item in variants(name).get(kind, [])
    ]


@pytest.mark.parametrize("name", LESSONS)
def test_solution_earns_everything_and_the_stub_nothing(rehearsals, name):
    rehearsal = rehearsals(name)
    for exercise, points in rehearsal.tests.items():
        for seed in SEEDS:
            verdict = rehearsal.attempt(exercise, seed=seed)
            assert verdict is not None, exercise
            assert verdict.points == verdict.possible == points, (exercise, verdict.findings)
        stub = rehearsal.attempt(exercise, rehearsal.stubs[exercise])
        assert stub.points == 0, (exercise, stub)


@pytest.mark.parametrize(("name", "wrong"), listed("wrong"))
def test_a_wrong_answer_loses_points_and_gets_its_hint(rehearsals, name, wrong):
    verdict = rehearsals(name).attempt(wrong["exercise"], wrong["answer"])
    assert verdict is not None
    assert verdict.points < verdict.possible
    hints = [finding.hint_id for finding in verdict.findings]
    assert wrong["hint"] in hints, verdict.findings
    for finding in verdict.findings:
        # What a hidden check tells may name shapes, sizes and dtypes, and no other figures.
        told = re.sub(NO_VALUES, "", finding.message) if finding.hidden else ""
        assert not re.search(r"\d", told), finding


@pytest.mark.parametrize(("name", "right"), listed("right"))
def test_a_right_answer_in_another_style_keeps_everything(rehearsals, name, right):
    for seed in SEEDS:
        verdict = rehearsals(name).attempt(right["exercise"], right["answer"], seed=seed)
        assert verdict is not None
        assert verdict.points == verdict.possible, verdict.findings


@pytest.mark.parametrize("name", LESSONS)
def test_every_exercise_has_variants(rehearsals, name):
    exercises = set(rehearsals(name).tests)
    content = variants(name)
    wrong = Counter(item["exercise"] for item in content.get("wrong", []))
    right = Counter(item["exercise"] for item in content.get("right", []))
    assert set(wrong) | set(right) <= exercises
    for exercise in exercises:
        assert wrong[exercise] >= 3, exercise
        assert right[exercise] >= 2, exercise


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_has_three_to_six_exercises_and_one_marked_by_hand(rehearsals, name):
    graded = [
        cell.metadata.nbgrader
        for cell in rehearsals(name).source.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    ]
    assert 3 <= len(graded) <= 6
    assert 10 <= sum(cell.points for cell in graded) <= 20
    assert any(cell.solution for cell in graded)
