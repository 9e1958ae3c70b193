"""What became of each submission, as a row of the class's table."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory


@dataclasses.dataclass(frozen=True)
class Score:
    """Points of one exercise.

    Attributes
    ----------
    exercise : str
        Name of the exercise.
    points : float or None
        None while an answer waits to be marked by hand.
    possible : float
        What the exercise is worth.
    hints : tuple of str
        Ids of the mistakes that were found.
    """

    exercise: str
    points: float | None
    possible: float
    hints: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of one submission.

    Attributes
    ----------
    student : str
        Id of the student.
    scores : tuple of Score
        One for each graded cell, in the order of the lesson.
    remarks : tuple of str
        What the instructor should know: what was mended, what was stopped, why nothing ran.
    graded : bool
        False if the submission could not be graded at all.
    seconds : float
        Time in the rooms.
    fresh : bool
        Whether it was graded in this run; False if it was graded before and nothing has changed.
    sandbox : str
        What kept the student's code in: ``"none"`` if nothing did, empty if nothing was run.
    """

    student: str
    scores: tuple[Score, ...]
    remarks: tuple[str, ...]
    graded: bool
    seconds: float = 0.0
    fresh: bool = True
    sandbox: str = ""

    @property
    def points(self) -> float:
        """Sum of the points so far."""
        return round(sum(score.points or 0.0 for score in self.scores), 2)

    @property
    def possible(self) -> float:
        """Sum of what can be earned."""
        return sum(score.possible for score in self.scores)

    @property
    def to_mark(self) -> float:
        """Points that wait for a person."""
        return sum(score.possible for score in self.scores if score.points is None)

    @property
    def stopped(self) -> bool:
        """Whether it was not graded, or something in it was stopped by a limit or a crash."""
        return not self.graded or any(
            word in remark for remark in self.remarks for word in _STOPPED
        )

    def to_json(self) -> str:
        """One line for programs: see ``autograder grade --json``."""
        about = {
            "student": self.student,
            "graded": self.graded,
            "fresh": self.fresh,
            "points": self.points,
            "possible": self.possible,
            "to_mark": self.to_mark,
            "seconds": self.seconds,
            "sandbox": self.sandbox,
            "remarks": list(self.remarks),
            "scores": [dataclasses.asdict(score) for score in self.scores],
        }
        return json.dumps(about, ensure_ascii=False)


# How the examiner's remarks about limits and crashes begin or end.
_STOPPED = ("stopped after", "stopped:", "died", "still running", "not run:", "no verdict", "limit")


def exercise_of(name: str) -> str:
    """Name of the exercise that a graded cell belongs to."""
    return name.removeprefix("test_")


def failed_row(student: str, names: Mapping[str, float], reason: str) -> Row:
    """Row of a submission that could not be graded."""
    empty = tuple(Score(exercise_of(name), 0.0, points) for name, points in names.items())
    return Row(student, empty, (f"not graded: {reason}",), graded=False)


def row_of(
    student: str,
    submission: SubmittedAssignment,
    notebooks: list[dict[str, Any]],
    names: Mapping[str, float],
    *,
    fresh: bool = True,
) -> Row:
    """Make the row of a graded submission.

    Parameters
    ----------
    student : str
        Id of the student.
    submission : nbgrader.api.SubmittedAssignment
        From the gradebook.
    notebooks : list of dict
        ``metadata.autograder`` of each autograded notebook.
    names : mapping of str to float
        Graded cells in order, with their points.
    fresh : bool
        Whether it was graded in this run.
    """
    verdicts: dict[str, Any] = {}
    remarks: list[str] = []
    for about in notebooks:
        verdicts.update(about.get("verdicts", {}))
        remarks.extend(about.get("notes", []))
    remarks.extend(
        f"{verdict['exercise']}: {verdict['remark']}"
        for verdict in verdicts.values()
        if verdict["remark"]
    )
    found = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
    scores = []
    for name, possible in names.items():
        grade = found.get(name)
        waits = grade is None or (grade.manual_score is None and grade.auto_score is None)
        hints = tuple(verdicts.get(name, {}).get("hints", ()))
        scores.append(Score(exercise_of(name), None if waits else _points(grade), possible, hints))
    kinds = {about.get("sandbox", "") for about in notebooks}
    if "none" in kinds:
        remarks.append("graded without a sandbox")
    return Row(
        student,
        tuple(scores),
        tuple(remarks),
        graded=True,
        seconds=round(sum(about.get("seconds", 0.0) for about in notebooks), 2),
        fresh=fresh,
        sandbox="none" if "none" in kinds else max(kinds, default=""),
    )


def _points(grade: Any) -> float:
    """Points as nbgrader counts them, without a question to the database."""
    base = grade.auto_score if grade.manual_score is None else grade.manual_score
    return float((base or 0.0) + (grade.extra_credit or 0.0))


def read_row(
    gradebook: Gradebook,
    course: CourseDirectory,
    assignment: str,
    student: str,
    names: Mapping[str, float],
) -> Row:
    """Read the row of a submission that was graded before."""
    folder = Path(course.format_path(course.autograded_directory, student, assignment))
    notebooks = [read_about(path) for path in sorted(folder.glob("*.ipynb"))]
    submission = gradebook.find_submission(assignment, student)
    return row_of(student, submission, notebooks, names, fresh=False)


def read_about(path: Path) -> dict[str, Any]:
    """What grading left in the metadata of an autograded notebook; empty if it is not whole."""
    try:
        about = json.loads(path.read_bytes())["metadata"]["autograder"]
        return about if isinstance(about, dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
