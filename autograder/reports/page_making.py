"""Make one page of feedback and put it into its place: what a worker process does."""

import dataclasses
import hashlib
from pathlib import Path

from autograder.reports.asked import Lesson
from autograder.reports.feedback import (
    UnreadableNotebookError,
    read_feedback,
    read_notebook,
)
from autograder.reports.marks import StudentMarks
from autograder.reports.pages import digest_on, edition, feedback_page
from autograder.whole_file import write_whole

MADE, FRESH, KEPT, FAILED = "made", "fresh", "kept", "failed"


@dataclasses.dataclass(frozen=True)
class PageTask:
    """One page to make.

    Attributes
    ----------
    notebook, target : pathlib.Path
        Autograded notebook and page, absolute.
    marks : StudentMarks
        The submission in the gradebook.
    assignment : str
        Name of the assignment.
    lesson : Lesson
        What was handed out.
    cell_seconds : float
        How long a cell may run when it is graded.
    permissions : int
        Mode of the page's file.
    force : bool
        Make it even if it is fresh, or if something else stands in its place.
    """

    notebook: Path
    target: Path
    marks: StudentMarks
    assignment: str
    lesson: Lesson
    cell_seconds: float
    permissions: int = 0o644
    force: bool = False


@dataclasses.dataclass(frozen=True)
class PageResult:
    """What became of a page.

    Attributes
    ----------
    state : str
        ``"made"``; ``"fresh"`` if it was there and nothing has changed; ``"kept"`` if something
        that is no page of ours stands in its place; ``"failed"``.
    remark : str
        Why it was kept, or failed.
    """

    state: str
    remark: str = ""


def make_page(task: PageTask) -> PageResult:
    """Make a page, unless it is there and fresh. It appears at once and whole.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        content = task.notebook.read_bytes()
    except OSError as error:
        return PageResult(FAILED, f"{task.notebook} cannot be read ({error.strerror})")
    digest = page_digest(content, task)
    there = digest_on(task.target)
    if not task.force:
        if there == digest:
            return PageResult(FRESH)
        if there == "":
            return PageResult(
                KEPT, f"{task.target.name} was not made by this command: --force replaces it"
            )
    try:
        text = page_text(content, task, digest)
    except UnreadableNotebookError as error:
        return PageResult(FAILED, str(error))
    write_whole(task.target, text.encode("utf-8", "replace"), permissions=task.permissions)
    return PageResult(MADE)


def page_text(content: bytes, task: PageTask, digest: str) -> str:
    """The page itself.

    Raises
    ------
    UnreadableNotebookError
        If the notebook is none, or the gradebook has no such notebook of this submission.
    """
    name = task.notebook.stem
    if name not in task.marks.notebooks:
        raise UnreadableNotebookError(
            f"the gradebook holds no {name} of {task.marks.student}: run `autograder grade "
            f"{task.assignment} --student {task.marks.student} --force`"
        )
    notebook = read_notebook(content, task.notebook)
    try:
        feedback = read_feedback(
            notebook,
            task.marks,
            name,
            assignment=task.assignment,
            lesson=task.lesson,
            cell_seconds=task.cell_seconds,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableNotebookError(
            f"{task.notebook} does not have the form that grading gives it ({error!r}): grade "
            "this submission again, with `autograder grade --force`"
        ) from None
    return feedback_page(feedback, digest)


def page_digest(content: bytes, task: PageTask) -> str:
    """Digest of everything that a page is made from."""
    hashed = hashlib.sha256(edition().encode())
    hashed.update(hashlib.sha256(content).digest())
    hashed.update(
        repr((task.marks, task.assignment, task.lesson, task.cell_seconds)).encode(
            "utf-8", "surrogatepass"
        )
    )
    return hashed.hexdigest()
