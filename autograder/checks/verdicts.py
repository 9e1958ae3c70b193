"""Verdicts: what a test cell found, kept apart from what it printed.

nbgrader reads a score from the text of a cell's output. Here the examiner opens a verdict before
it runs a test cell and closes it afterwards; every :class:`~autograder.checks.Exercise` that is
scored in between is written down. No verdict, no points: a cell that stays silent, prints a number,
or ends in ``nan`` has earned nothing.
"""

import dataclasses
import json
from typing import Any

SCHEMA = 1


class AuthorError(Exception):
    """The test cell itself is wrong: the author has to mend it, not the student."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One check that failed.

    Attributes
    ----------
    label : str
        The check, in the author's words.
    hint_id : str
        The named mistake (``"bias-forgotten"``), or a general kind such as ``"wrong-shape"``.
    message : str
        What a student may read about it. Never holds a value when the check was hidden.
    hidden : bool
        Whether the check was a hidden one.
    """

    label: str
    hint_id: str
    message: str
    hidden: bool


@dataclasses.dataclass(frozen=True)
class ExerciseVerdict:
    """What one exercise earned.

    Attributes
    ----------
    exercise : str
        Name of the exercise.
    points, possible : float
        Earned and possible points, ``0 <= points <= possible``.
    passed, checks : int
        How many checks passed, of how many.
    findings : list of Finding
        The checks that failed, in order.
    """

    exercise: str
    points: float
    possible: float
    passed: int
    checks: int
    findings: list[Finding]


@dataclasses.dataclass
class _Window:
    token: str
    seed: str
    scored: list[ExerciseVerdict]
    exposed: bool = False


_window: _Window | None = None


def open_verdict(token: str, seed: str, *, exposed: bool = False) -> None:
    """Begin to write down what exercises score. Called by the examiner before a test cell.

    Parameters
    ----------
    token : str
        Names this run of this cell; :func:`close_verdict` must be given the same one.
    seed : str
        Seed of the fresh inputs that hidden checks draw.
    exposed : bool
        Whether the answers have been called by hidden checks before, see :func:`exposed`.

    Raises
    ------
    ValueError
        If `seed` is empty: inputs would be those that every student can draw.
    """
    if not seed:
        raise ValueError("open_verdict needs a seed that students do not know")
    global _window
    _window = _Window(token, seed, [], exposed)


def close_verdict(token: str) -> str:
    """Return what was scored since :func:`open_verdict`, as JSON, and stop writing down.

    Returns
    -------
    str
        ``{"schema": 1, "token": …, "exercises": [{"exercise": …, "points": …, …}]}``.

    Raises
    ------
    AuthorError
        If no verdict with this token is open. Whatever was open is closed all the same, and lost.
    """
    global _window
    window, _window = _window, None
    if window is None or window.token != token:
        raise AuthorError("no verdict with this token is open")
    return json.dumps(
        {
            "schema": SCHEMA,
            "token": token,
            "exercises": [dataclasses.asdict(verdict) for verdict in window.scored],
        }
    )


def record(verdict: ExerciseVerdict) -> None:
    """Write down a scored exercise, when the examiner is listening.

    An exercise that is scored twice counts once, as it was scored last.
    """
    if _window is not None:
        others = [other for other in _window.scored if other.exercise != verdict.exercise]
        _window.scored = [*others, verdict]


def expose() -> None:
    """Note that a hidden check has run: the answers have seen its inputs."""
    if _window is not None:
        _window.exposed = True


def exposed() -> bool:
    """Whether answers may hold inputs of hidden checks, so that what they say must not be shown.

    Never where nobody is grading: a student's own kernel has no secrets.
    """
    return _window is not None and _window.exposed


def current_seed() -> str | None:
    """Seed of the open verdict, or None where nobody is grading."""
    return None if _window is None else _window.seed


def read_verdict(text: str, token: str) -> list[ExerciseVerdict]:
    """Read back what :func:`close_verdict` returned; trust nothing about it.

    Raises
    ------
    ValueError
        If the text is not a verdict with this token, or a score is not a finite number within
        ``0 … possible``.
    """
    try:
        content = json.loads(text)
        if content["schema"] != SCHEMA or content["token"] != token:
            raise ValueError("it belongs to another cell or another version")
        return [_read_exercise(item) for item in content["exercises"]]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a verdict: {error}") from None


def _read_exercise(item: dict[str, Any]) -> ExerciseVerdict:
    findings = [
        Finding(
            _typed(finding["label"], str),
            _typed(finding["hint_id"], str),
            _typed(finding["message"], str),
            _typed(finding["hidden"], bool),
        )
        for finding in _typed(item["findings"], list)
    ]
    verdict = ExerciseVerdict(
        exercise=_typed(item["exercise"], str),
        points=float(_typed(item["points"], float, int)),
        possible=float(_typed(item["possible"], float, int)),
        passed=_typed(item["passed"], int),
        checks=_typed(item["checks"], int),
        findings=findings,
    )
    # Written so that nan fails too.
    if not 0 <= verdict.points <= verdict.possible < float("inf"):
        raise ValueError(f"{verdict.points} points of {verdict.possible} is not a score")
    if verdict.passed + len(findings) != verdict.checks or verdict.passed < 0:
        raise ValueError("passed and failed checks do not add up")
    return verdict


def _typed(value: Any, *types: type) -> Any:
    if type(value) not in types:
        raise TypeError(f"a {type(value).__name__} where {types[0].__name__} belongs")
    return value
