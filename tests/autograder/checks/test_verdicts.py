"""Verdicts: what the examiner hears, and what it refuses to believe."""

import json

import pytest

from autograder.checks import AuthorError, Exercise, close_verdict, open_verdict
from autograder.checks.verdicts import current_seed, read_verdict


@pytest.fixture(autouse=True)
def _nothing_left_open():
    yield
    open_verdict("end", "seed")
    close_verdict("end")


def scored(name="double", *, received=10, points=2):
    exercise = Exercise(name, points=points)
    exercise.number("five", lambda: received, 10)
    exercise.hidden.number("other", lambda: 10, 10)
    exercise.score()


def test_what_is_scored_in_between_is_written_down():
    scored("before")
    open_verdict("token", "seed")
    scored("right")
    scored("wrong", received=9)
    text = close_verdict("token")
    scored("after")
    right, wrong = read_verdict(text, "token")
    assert (right.exercise, right.points, right.possible, right.findings) == ("right", 2, 2, [])
    assert (wrong.points, wrong.passed, wrong.checks) == (1, 1, 2)
    (finding,) = wrong.findings
    assert (finding.label, finding.hint_id, finding.hidden) == ("five", "wrong-value", False)
    # An exercise before it had a hidden check: what the answer says now may be a hidden input.
    assert finding.message == "received another number than expected"


def test_values_are_told_until_the_first_hidden_check():
    open_verdict("token", "seed")
    scored("wrong", received=9)
    (wrong,) = read_verdict(close_verdict("token"), "token")
    assert wrong.findings[0].message == "received 9, expected 10"
    open_verdict("token", "seed", exposed=True)
    scored("wrong", received=9)
    (wrong,) = read_verdict(close_verdict("token"), "token")
    assert wrong.findings[0].message == "received another number than expected"


def test_silence_earns_nothing():
    open_verdict("token", "seed")
    Exercise("double", points=2).number("five", lambda: 10, 10)
    assert read_verdict(close_verdict("token"), "token") == []


def test_scored_twice_counts_once():
    open_verdict("token", "seed")
    scored(received=10)
    scored("other")
    scored(received=9)
    verdicts = read_verdict(close_verdict("token"), "token")
    assert [(verdict.exercise, verdict.points) for verdict in verdicts] == [
        ("other", 2),
        ("double", 1),
    ]


def test_only_the_token_that_opened_closes_and_only_once():
    open_verdict("token", "seed")
    scored()
    with pytest.raises(AuthorError):
        close_verdict("guess")
    with pytest.raises(AuthorError):
        close_verdict("token")
    assert current_seed() is None


def test_a_new_verdict_forgets_the_old_one():
    open_verdict("first", "seed")
    scored()
    open_verdict("second", "seed")
    assert read_verdict(close_verdict("second"), "second") == []


def draws(name="double"):
    return Exercise(name, points=1).rng.integers(0, 2**62, 3).tolist()


def test_inputs_are_the_same_in_practice_and_follow_the_seed_when_graded():
    practice = draws()
    assert draws() == practice
    assert draws("other") != practice
    open_verdict("token", "seed of Ada")
    ada = draws()
    assert draws() == ada
    open_verdict("token", "seed of Bob")
    bob = draws()
    assert len({tuple(practice), tuple(ada), tuple(bob)}) == 3
    open_verdict("token", "seed of Ada")
    assert draws() == ada


@pytest.mark.parametrize("seed", ["", None])
def test_grading_never_falls_back_to_the_inputs_that_students_know(seed):
    with pytest.raises(ValueError, match="seed"):
        open_verdict("token", seed)


def verdict_text(**changes):
    item = {
        "exercise": "double",
        "points": 1.0,
        "possible": 2.0,
        "passed": 1,
        "checks": 2,
        "findings": [
            {"label": "five", "hint_id": "wrong-value", "message": "…", "hidden": True},
        ],
    }
    top = {"schema": 1, "token": "token", "exercises": [item]}
    for key, value in changes.items():
        (top if key in top else item)[key] = value
    return json.dumps(top)


def test_a_well_formed_verdict_is_read():
    (verdict,) = read_verdict(verdict_text(points=1), "token")
    assert type(verdict.points) is float
    assert verdict.findings[0].hidden is True


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 2},
        {"token": "other"},
        {"exercises": {"double": 2}},
        {"exercises": None},
        {"exercises": [[]]},
        {"exercise": 7},
        {"points": 2.5},
        {"points": -1},
        {"points": float("nan")},
        {"points": float("inf"), "possible": float("inf")},
        {"points": "2"},
        {"points": True},
        {"points": None},
        {"possible": "2"},
        {"passed": 2},
        {"passed": -1, "checks": 0},
        {"passed": 1.0},
        {"findings": "none"},
        {"findings": ["abc"]},
        {"findings": [{"label": "five"}]},
        {"findings": [{"label": "l", "hint_id": "h", "message": ["m"], "hidden": True}]},
        {"findings": [{"label": "l", "hint_id": "h", "message": "m", "hidden": "no"}]},
    ],
    ids=str,
)
def test_what_is_no_verdict_is_refused(changes):
    with pytest.raises(ValueError, match="not a verdict"):
        read_verdict(verdict_text(**changes), "token")


@pytest.mark.parametrize("text", ["", "1", "[]", "null", "{", "[" * 100_000, "2.0", None, b"\xff"])
def test_text_that_is_no_verdict_is_refused(text):
    with pytest.raises(ValueError, match="not a verdict"):
        read_verdict(text, "token")
