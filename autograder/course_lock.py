"""One `autograder grade` at a time in a course: two would write the same folders."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from autograder.assignment.seeds import SECRET_FILE, course_secret


class CourseLockError(Exception):
    """The course cannot be graded now; the message says why."""


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Let nobody else grade this course meanwhile; ends with the process, however it ends.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.

    Raises
    ------
    CourseLockError
        If somebody else does, or the course's folder cannot be written to.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        course_secret(root)
        # A file that every course has, and that nobody but the instructor may open.
        file = open(root / SECRET_FILE, "r+b")  # noqa: SIM115 - closed below
    except OSError as error:
        reason = error.strerror or str(error)
        raise CourseLockError(
            f"{root} cannot be written to ({reason}): make it writable, or make room"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseLockError(
                "this course is being graded by another `autograder grade`: wait until it is done"
            ) from None
        yield
