"""Read the marks that are to be exported from nbgrader's gradebook."""

import dataclasses
import datetime
from collections.abc import Collection

from nbgrader.api import Gradebook, SubmittedAssignment


class ExportError(Exception):
    """Marks cannot be exported; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """What one student has earned in one assignment.

    Attributes
    ----------
    raw : float
        Points before the penalty for lateness.
    penalty : float
        Points taken off for lateness.
    handed_in : datetime.datetime or None
        When, in UTC; None if it is not known.
    final : bool
        False while an answer waits to be marked by hand.
    """

    raw: float
    penalty: float
    handed_in: datetime.datetime | None
    final: bool

    @property
    def score(self) -> float:
        """Points that count."""
        return max(0.0, self.raw - self.penalty)


@dataclasses.dataclass(frozen=True)
class Assignment:
    """One assignment: its name, what it is worth, and when it is due (UTC)."""

    name: str
    possible: float
    due: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class Enrolled:
    """One student of the gradebook; texts are empty where it does not say."""

    id: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str

    @property
    def name(self) -> str:
        """First and last name, or the id."""
        return " ".join(f"{self.first_name} {self.last_name}".split()) or self.id


@dataclasses.dataclass(frozen=True)
class Marks:
    """Everything that is exported.

    Attributes
    ----------
    assignments : tuple of Assignment
        By due date, then by name.
    students : tuple of Enrolled
        By last name, first name and id.
    given : dict
        (student, assignment) → Mark; nothing for what was not handed in.
    """

    assignments: tuple[Assignment, ...]
    students: tuple[Enrolled, ...]
    given: dict[tuple[str, str], Mark]


def read_marks(
    gradebook: Gradebook, assignments: Collection[str] = (), students: Collection[str] = ()
) -> Marks:
    """Read marks, those of everybody and everything if nobody and nothing is named.

    Raises
    ------
    ExportError
        If an assignment or a student is not in the gradebook.
    """
    wanted, whom = set(assignments), set(students)
    found = {item.name: item for item in gradebook.assignments}
    people = {item.id: item for item in gradebook.students}
    for name in sorted(wanted - set(found)):
        there = ", ".join(sorted(found)) or "none"
        raise ExportError(f"the gradebook has no assignment {name!r}; it has {there}")
    for name in sorted(whom - set(people)):
        raise ExportError(f"the gradebook has no student {name!r}: see `autograder roster import`")
    if not found:
        raise ExportError(
            "the gradebook has no assignment: `nbgrader generate_assignment` puts one into it"
        )
    chosen = [item for name, item in found.items() if not wanted or name in wanted]
    late = datetime.datetime.max
    chosen.sort(key=lambda item: (item.duedate or late, item.name))
    enrolled = [
        Enrolled(
            item.id,
            item.first_name or "",
            item.last_name or "",
            item.email or "",
            item.lms_user_id or "",
        )
        for name, item in people.items()
        if not whom or name in whom
    ]
    enrolled.sort(key=lambda item: (item.last_name, item.first_name, item.id))
    ids = {item.id for item in enrolled}
    given = {
        (submission.student_id, assignment.name): _mark(submission)
        for assignment in chosen
        for submission in gradebook.assignment_submissions(assignment.name)
        if submission.student_id in ids
    }
    parts = (Assignment(item.name, float(item.max_score), item.duedate) for item in chosen)
    return Marks(tuple(parts), tuple(enrolled), given)


def number(value: float, digits: int = 2) -> str:
    """Write a number without debris: ``2.5`` for 2.4999999999, ``3`` for 3.0.

    Examples
    --------
    >>> number(0.1 + 0.2), number(3.0), number(1234.567)
    ('0.3', '3', '1234.57')
    """
    rounded = round(value, digits) + 0.0  # no negative zero
    return str(int(rounded)) if rounded == int(rounded) else repr(rounded)


def _mark(submission: SubmittedAssignment) -> Mark:
    return Mark(
        raw=float(submission.score),
        penalty=float(submission.late_submission_penalty or 0.0),
        handed_in=submission.timestamp,
        final=not submission.needs_manual_grade,
    )
