"""Read the marks of a whole class from the gradebook in a few questions.

nbgrader's own objects ask the database anew for every cell of every student.
"""

import datetime
from collections import defaultdict
from typing import Any

from nbgrader import api
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from autograder.gradebook.ledger import Ledger, LedgerError
from autograder.gradebook.presence import exists
from autograder.reports.marks import CellMark, NotebookMarks, ReportError, StudentMarks


def open_marks(course: CourseDirectory) -> Ledger:
    """Open a course's gradebook to read it; never makes one.

    Raises
    ------
    ReportError
        If there is none, or it cannot be read.
    """
    if not exists(course.db_url):
        raise ReportError(
            f"there is no gradebook {course.db_url}: run `nbgrader generate_assignment ASSIGNMENT` "
            "and `autograder grade ASSIGNMENT` first"
        )
    try:
        return Ledger(course.db_url, course.course_id)
    except LedgerError as error:
        raise ReportError(str(error)) from None


def read_marks(gradebook: api.Gradebook, assignment: str) -> dict[str, StudentMarks]:
    """Read every submission of an assignment.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
        Open gradebook.
    assignment : str
        Name of the assignment.

    Returns
    -------
    dict of str to StudentMarks
        By student's id, sorted; empty if nothing was graded.

    Raises
    ------
    ReportError
        If the gradebook does not know the assignment.
    """
    known = assignments(gradebook)
    if assignment not in known:
        there = ", ".join(known) or "none at all"
        raise ReportError(f"the gradebook knows no assignment {assignment!r}; it knows {there}")
    # Id of a submitted notebook → (student, notebook).
    places: dict[str, tuple[str, str]] = {}
    penalties: dict[tuple[str, str], float] = {}
    books = select(
        api.SubmittedNotebook.id,
        api.SubmittedAssignment.student_id,
        api.Notebook.name,
        api.SubmittedNotebook.late_submission_penalty,
    ).join(api.Notebook, api.SubmittedNotebook.notebook_id == api.Notebook.id)
    for book, student, name, penalty in gradebook.db.execute(_within(books, assignment)):
        places[book] = student, name
        penalties[student, name] = float(penalty or 0.0)
    cells = _cells(gradebook, assignment, places)
    comments = _comments(gradebook, assignment, places)
    notebooks: dict[str, dict[str, NotebookMarks]] = defaultdict(dict)
    for place in sorted(places.values()):
        student, name = place
        notebooks[student][name] = NotebookMarks(
            # Sorted: a database gives rows in any order.
            dict(sorted(cells.get(place, {}).items())),
            dict(sorted(comments.get(place, {}).items())),
            penalties[place],
        )
    question = (
        select(
            api.Student.id,
            api.Student.first_name,
            api.Student.last_name,
            api.SubmittedAssignment.timestamp,
            api.SubmittedAssignment.extension,
            api.Assignment.duedate,
        )
        .join(api.SubmittedAssignment, api.SubmittedAssignment.student_id == api.Student.id)
        .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
        .where(api.Assignment.name == assignment)
    )
    return {
        student: StudentMarks(
            student, first or "", last or "", when, _late(when, due, extension),
            notebooks[student],
        )
        for student, first, last, when, extension, due in sorted(
            gradebook.db.execute(question), key=lambda row: row[0]
        )
    }  # fmt: skip


def assignments(gradebook: api.Gradebook) -> list[str]:
    """Names of the assignments, by due date where there is one, then by name."""
    rows = gradebook.db.execute(select(api.Assignment.name, api.Assignment.duedate))
    last = datetime.datetime.max
    return [name for name, due in sorted(rows, key=lambda row: (row[1] or last, row[0]))]


def roster(gradebook: api.Gradebook) -> dict[str, str]:
    """Id → name of everybody whom the gradebook knows."""
    rows = gradebook.db.execute(
        select(api.Student.id, api.Student.first_name, api.Student.last_name)
    )
    return {
        student: " ".join(part for part in (first, last) if part) or student
        for student, first, last in rows
    }


def _late(
    when: datetime.datetime | None,
    due: datetime.datetime | None,
    extension: datetime.timedelta | None,
) -> float:
    if when is None or due is None:
        return 0.0
    return max(0.0, (when - due - (extension or datetime.timedelta())).total_seconds())


def _within(question: Any, assignment: str) -> Any:
    """Narrow a question about submitted notebooks to one assignment."""
    return (
        question.join(
            api.SubmittedAssignment,
            api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
        )
        .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
        .where(api.Assignment.name == assignment)
    )


def _cells(
    gradebook: api.Gradebook, assignment: str, places: dict[str, tuple[str, str]]
) -> dict[tuple[str, str], dict[str, CellMark]]:
    possible = {
        cell: float(points)
        for kind in (api.GradeCell, api.TaskCell)
        for cell, points in gradebook.db.execute(select(kind.id, kind.max_score))
    }
    question = (
        select(
            api.Grade.notebook_id, api.Grade.cell_id, api.BaseCell.name, api.Grade.auto_score,
            api.Grade.manual_score, api.Grade.extra_credit, api.Grade.needs_manual_grade,
        )
        .join(api.BaseCell, api.Grade.cell_id == api.BaseCell.id)
        .join(api.SubmittedNotebook, api.Grade.notebook_id == api.SubmittedNotebook.id)
    )  # fmt: skip
    found: dict[tuple[str, str], dict[str, CellMark]] = defaultdict(dict)
    for book, cell, name, auto, manual, extra, look in gradebook.db.execute(
        _within(question, assignment)
    ):
        found[places[book]][name] = CellMark(
            possible[cell], auto, manual, float(extra or 0.0), bool(look)
        )
    return found


def _comments(
    gradebook: api.Gradebook, assignment: str, places: dict[str, tuple[str, str]]
) -> dict[tuple[str, str], dict[str, str]]:
    question = (
        select(api.Comment.notebook_id, api.BaseCell.name, api.Comment.manual_comment)
        .join(api.BaseCell, api.Comment.cell_id == api.BaseCell.id)
        .join(api.SubmittedNotebook, api.Comment.notebook_id == api.SubmittedNotebook.id)
    )
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for book, name, text in gradebook.db.execute(_within(question, assignment)):
        if text and text.strip():
            found[places[book]][name] = text
    return found
