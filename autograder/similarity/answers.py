"""Read what each student wrote into the answer cells, and what the instructor gave."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory

from autograder.grading import submitted_students
from autograder.submissions.reading import UnreadableError, read_submission

# Of a longer cell the rest is not compared; no lesson asks for a tenth of it.
MAX_CHARACTERS = 40_000


class SimilarityError(Exception):
    """Submissions cannot be compared; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Question:
    """One answer cell as it was handed out.

    Attributes
    ----------
    notebook, name : str
        Where it is: the notebook, and the cell's ``grade_id``.
    prose : bool
        Whether the answer is text rather than code.
    given : str
        What stood in it.
    """

    notebook: str
    name: str
    prose: bool
    given: str


@dataclasses.dataclass(frozen=True)
class Submission:
    """What one student wrote: (notebook, cell) → text, unchanged cells left out."""

    student: str
    answers: dict[tuple[str, str], str]


@dataclasses.dataclass(frozen=True)
class Answers:
    """Everything that is compared.

    Attributes
    ----------
    questions : tuple of Question
        Answer cells in the order of the lesson.
    instructor : tuple of str
        Code that every student was given, in whatever cell.
    submissions : tuple of Submission
        By student.
    remarks : tuple of str
        Submissions that could not be read, and why.
    """

    questions: tuple[Question, ...]
    instructor: tuple[str, ...]
    submissions: tuple[Submission, ...]
    remarks: tuple[str, ...]


def read_answers(
    course: CourseDirectory,
    assignment: str,
    on_student: Callable[[int, int], None] | None = None,
) -> Answers:
    """Read the answer cells of an assignment's submissions.

    Which cells these are is decided by the lesson as it was released, never by a submission.

    Parameters
    ----------
    course : nbgrader.coursedir.CourseDirectory
        Where things lie.
    assignment : str
        Name of the assignment.
    on_student : callable, optional
        Told how many submissions were read, of how many.

    Raises
    ------
    SimilarityError
        If the assignment was not released, has no answer cell, or fewer than two handed it in.
    """
    folder = Path(course.format_path(course.release_directory, ".", assignment))
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        raise SimilarityError(
            f"{folder} holds no notebook, so nobody can tell the instructor's code from a "
            f"student's: make it with `nbgrader generate_assignment {assignment}`"
        )
    questions: list[Question] = []
    instructor: list[str] = []
    for path in notebooks:
        cells = _released(path).cells
        instructor.extend(cell.source for cell in cells if cell.cell_type == "code")
        questions.extend(
            Question(path.stem, about["grade_id"], cell.cell_type != "code", cell.source)
            for cell in cells
            if (about := cell.metadata.get("nbgrader")) and about.get("solution")
        )
    if not questions:
        raise SimilarityError(f"{assignment} has no answer cell, so there is nothing to compare")
    students = submitted_students(course, assignment)
    submissions, remarks = [], []
    for number, student in enumerate(students, start=1):
        place = Path(course.format_path(course.submitted_directory, student, assignment))
        answers: dict[tuple[str, str], str] = {}
        for name in dict.fromkeys(question.notebook for question in questions):
            path = place / f"{name}.ipynb"
            if not (path.is_symlink() or path.exists()):
                continue
            try:
                notebook = read_submission(str(path))
            except UnreadableError as error:
                remarks.append(f"{student}: {error}")
                continue
            answers.update(_answers(notebook, name, questions))
        submissions.append(Submission(student, answers))
        if on_student is not None:
            on_student(number, len(students))
    if len(submissions) < 2:
        raise SimilarityError(
            f"{len(submissions)} handed in {assignment}: it takes two submissions to compare"
        )
    return Answers(tuple(questions), tuple(instructor), tuple(submissions), tuple(remarks))


def _released(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        # nbformat has no common base for what a broken file makes it raise.
        raise SimilarityError(
            f"{path} cannot be read ({type(error).__name__}): release the assignment again"
        ) from None


def _answers(
    notebook: NotebookNode, name: str, questions: list[Question]
) -> dict[tuple[str, str], str]:
    """Take the text of the answer cells that a student changed; a repeated cell counts once."""
    texts: dict[str, str] = {}
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader")
        if about:
            texts.setdefault(about["grade_id"], cell.source)
    return {
        (name, question.name): texts[question.name][:MAX_CHARACTERS]
        for question in questions
        if question.notebook == name
        and question.name in texts
        and texts[question.name].strip() != question.given.strip()
    }
