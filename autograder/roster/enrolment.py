"""Bring nbgrader's gradebook in line with a list of students."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from nbgrader.api import Gradebook, Student
from nbgrader.coursedir import CourseDirectory

from autograder.roster.people import FIELDS, Roster
from autograder.roster.tables import RosterError

ADD, UPDATE, SAME, REMOVE, KEEP = "add", "update", "same", "remove", "keep"


@dataclasses.dataclass(frozen=True)
class Change:
    """What becomes of one student.

    Attributes
    ----------
    what : str
        ``"add"``, ``"update"``, ``"same"``; for those who are not in the list ``"remove"`` or
        ``"keep"``.
    student : str
        Id in the gradebook.
    name : str
        First and last name.
    fields : dict of str to tuple of str
        Field → what it was and what it becomes.
    work : int
        Assignments handed in.
    """

    what: str
    student: str
    name: str
    fields: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    work: int = 0


def plan(
    roster: Roster,
    gradebook: Gradebook | None,
    course: CourseDirectory,
    *,
    remove: bool = False,
    force: bool = False,
) -> list[Change]:
    """Say what importing a list would change.

    What the list leaves empty stays as it is in the gradebook.

    Parameters
    ----------
    roster : Roster
        The list.
    gradebook : nbgrader.api.Gradebook or None
        None if there is no gradebook yet.
    course : nbgrader.coursedir.CourseDirectory
        Where submissions lie.
    remove : bool
        Whether students who are not in the list shall go.
    force : bool
        Whether they go although they have handed something in, marks and all.

    Raises
    ------
    RosterError
        If the list and the gradebook write an id in different cases.
    """
    known: dict[str, Student] = {}
    if gradebook is not None:
        known = {student.id: student for student in gradebook.students}
    folded = {name.casefold(): name for name in known}
    changes = []
    for person in roster.people:
        other = folded.get(person.id.casefold(), person.id)
        if other != person.id:
            raise RosterError(
                f"{roster.file}, line {person.line}, writes {person.id!r}, the gradebook "
                f"{other!r}: write the id as it is in the gradebook"
            )
        there = known.get(person.id)
        fields = {}
        for field in FIELDS[1:]:
            new = getattr(person, field)
            old = (getattr(there, field) or "") if there else ""
            if new and new != old:
                fields[field] = (old, new)
        what = ADD if there is None else UPDATE if fields else SAME
        changes.append(Change(what, person.id, person.name, fields))
    listed = {person.id for person in roster.people}
    for name, student in sorted(known.items()):
        if name not in listed:
            work = _work(student, course)
            what = REMOVE if remove and (force or not work) else KEEP
            shown = f"{student.first_name or ''} {student.last_name or ''}".strip()
            changes.append(Change(what, name, shown, work=work))
    return changes


def apply(changes: list[Change], gradebook: Gradebook) -> None:
    """Make the changes of a plan; the caller commits them."""
    for change in changes:
        if change.what in (ADD, UPDATE):
            values: Mapping[str, str] = {field: new for field, (_, new) in change.fields.items()}
            gradebook.update_or_create_student(change.student, **values)
        elif change.what == REMOVE:
            gradebook.remove_student(change.student)


def _work(student: Student, course: CourseDirectory) -> int:
    pattern = course.format_path(course.submitted_directory, student.id, "*")
    base, _, rest = pattern.partition("*")
    handed_in = {
        path.relative_to(base).parts[0] for path in Path(base).glob("*" + rest) if path.is_dir()
    }
    return len(handed_in | {submission.assignment.name for submission in student.submissions})
