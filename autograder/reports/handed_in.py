"""Who handed in an assignment, and whose work is graded."""

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.reports.marks import ReportError


@dataclasses.dataclass(frozen=True)
class HandedIn:
    """Students of an assignment, sorted.

    Attributes
    ----------
    submitted : list of str
        Who has a folder in ``submitted/`` or in ``autograded/``.
    graded : list of str
        Whose notebooks are in ``autograded/``, and their points in the gradebook.
    """

    submitted: list[str]
    graded: list[str]


def read_handed_in(course: CourseDirectory, assignment: str, marks: Iterable[str]) -> HandedIn:
    """Look into the course's folders.

    Parameters
    ----------
    course : nbgrader.coursedir.CourseDirectory
        The course's folders.
    assignment : str
        Name of the assignment.
    marks : iterable of str
        Who has points in the gradebook.

    Raises
    ------
    ReportError
        If nobody has handed in, or nothing is graded.
    """
    folders = students_in(course, course.autograded_directory, assignment)
    submitted = students_in(course, course.submitted_directory, assignment)
    there = sorted({*folders, *submitted})
    if not there:
        raise ReportError(
            f"nobody has handed in {assignment}: run `nbgrader collect {assignment}`, then "
            f"`autograder grade {assignment}`"
        )
    known = set(marks)
    graded = [
        student
        for student in folders
        if student in known
        and any(submission_folder(course, "autograded", student, assignment).glob("*.ipynb"))
    ]
    if not graded:
        raise ReportError(
            f"nothing of {assignment} is graded yet: run `autograder grade {assignment}` first"
        )
    return HandedIn(there, graded)


def submission_folder(course: CourseDirectory, step: str, student: str, assignment: str) -> Path:
    """Folder of a submission in ``submitted/``, ``autograded/`` or ``feedback/``, absolute."""
    directory = getattr(course, f"{step}_directory")
    return Path(course.format_path(directory, student, assignment)).resolve()


def students_in(course: CourseDirectory, directory: str, assignment: str) -> list[str]:
    """Who has a folder for an assignment in one of the course's directories."""
    pattern = course.format_path(directory, "(?P<student>[^/]+)", assignment, escape=True)
    shape = re.compile(pattern)
    excluded = (course.student_id_exclude or "").split(",")
    base, _, rest = course.format_path(directory, "*", assignment).partition("*")
    found = []
    for path in Path(base).glob("*" + rest):
        match = shape.fullmatch(str(path))
        if match and path.is_dir() and match["student"] not in excluded:
            found.append(match["student"])
    return sorted(name for name in found if not name.startswith("."))
