"""Grade a class: every submission ends in a row, and nobody's failure stops another's grading."""

import dataclasses
import json
import logging
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from autograder.configuration import load_course
from autograder.examination import (
    Examine,
    attachments,
    keep_examined,
    kernel_environment,
    seed_of,
)


class GradingError(Exception):
    """The class cannot be graded at all; the message says what to do."""


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
        False if the submission could not be taken through nbgrader at all.
    seconds : float
        Time in the kernel.
    """

    student: str
    scores: tuple[Score, ...]
    remarks: tuple[str, ...]
    graded: bool
    seconds: float = 0.0

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


def submitted_students(course: CourseDirectory, assignment: str) -> list[str]:
    """List who handed in an assignment, by the folders of ``submitted/``."""
    pattern = course.format_path(course.submitted_directory, "*", assignment)
    folders = Path(pattern.split("*", 1)[0]).glob("*" + pattern.split("*", 1)[1])
    base = Path(pattern.split("*", 1)[0])
    return sorted(folder.relative_to(base).parts[0] for folder in folders if folder.is_dir())


def grade(
    root: Path,
    assignment: str,
    *,
    students: Iterable[str] = (),
    force: bool = False,
    workers: int | None = None,
    config: Config | None = None,
    on_row: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Grade the submissions of an assignment.

    Submissions are examined side by side, each in a kernel of its own, and written into the
    gradebook one after the other by the same converter, with the same configuration, as
    ``nbgrader autograde`` and the formgrader's button use. What is graded already is only read, so
    a run that was stopped goes on where it stopped.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder, which holds ``nbgrader_config.py`` and ``submitted/``.
    assignment : str
        Name of the assignment.
    students : iterable of str
        Whom to grade; everybody if empty.
    force : bool
        Grade again what is graded.
    workers : int, optional
        How many submissions are examined at a time; one for each processor if omitted.
    config : traitlets.config.Config, optional
        The course's configuration, if it is not the one in `root`.
    on_row : callable, optional
        Called with each row as it comes.

    Returns
    -------
    list of Row

    Raises
    ------
    GradingError
        If the assignment is unknown, or nobody (or not everybody asked for) handed it in.
    """
    config = load_course(root) if config is None else config
    students = list(students)
    course = CourseDirectory(config=config, assignment_id=assignment)
    there = submitted_students(course, assignment)
    chosen = students or there
    absent = [student for student in chosen if student not in there]
    if absent:
        raise GradingError(f"no submission of {assignment} by {', '.join(absent)}")
    if not chosen:
        raise GradingError(
            f"nobody has handed in {assignment}: {root} holds no submitted/STUDENT/{assignment}; "
            "run `nbgrader collect` first"
        )
    names = exercise_names(course, assignment)
    rows = []
    for student in _examined_first(config, assignment, chosen, force=force, workers=workers):
        row = _grade_one(config, assignment, student, names, force=force)
        rows.append(row)
        if on_row is not None:
            on_row(row)
    return sorted(rows, key=lambda row: chosen.index(row.student))


def _examined_first(
    config: Config, assignment: str, students: list[str], *, force: bool, workers: int | None
) -> Iterator[str]:
    """Examine submissions side by side; yield each student when it is nbgrader's turn."""
    examiners: list[Examine] = []

    environment = kernel_environment()

    def examine(notebook: NotebookNode, seed: str, files: dict[str, Path]) -> None:
        examiner = Examine(config=config)
        examiners.append(examiner)
        examined = examiner.examine(notebook, seed, files=files, environment=environment)
        keep_examined(seed, examined)

    pool = ThreadPoolExecutor(workers or _processors())
    waiting: dict[Future[None], str] = {}
    try:
        for student in students:
            course = CourseDirectory(config=config, assignment_id=assignment, student_id=student)
            if not force and is_graded(course, assignment, student):
                yield student
                continue
            notebooks = sanitised(config, course, assignment, student)
            if not notebooks:
                yield student
            folder = Path(course.format_path(course.submitted_directory, student, assignment))
            files = attachments(folder, course.ignore)
            for notebook in notebooks:
                seed = seed_of(notebook, Path(course.root), assignment, student)
                waiting[pool.submit(examine, notebook, seed, files)] = student
        left = Counter(waiting.values())
        for future in as_completed(waiting):
            student = waiting[future]
            left[student] -= 1
            # A failure here is met again, and told, when nbgrader takes its turn.
            if left[student] == 0:
                yield student
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for examiner in examiners:
            examiner.cancel()
        pool.shutdown(wait=True)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_graded(course: CourseDirectory, assignment: str, student: str) -> bool:
    """Whether a submission was graded to the end and no newer one has been collected since."""
    source = course.format_path(course.submitted_directory, student, assignment)
    folder = course.format_path(course.autograded_directory, student, assignment)
    graded = list(Path(folder).glob("*.ipynb"))
    if not graded or not all("verdicts" in _about(path) for path in graded):
        return False
    new, old = course.get_existing_timestamp(source), course.get_existing_timestamp(folder)
    return not (new is not None and old is not None and new > old)


def _about(path: Path) -> dict[str, Any]:
    """What grading left in the metadata of an autograded notebook."""
    try:
        return json.loads(path.read_bytes())["metadata"].get("autograder", {})
    except (OSError, ValueError, KeyError):
        return {}


def sanitised(
    config: Config, course: CourseDirectory, assignment: str, student: str
) -> list[NotebookNode]:
    """Sanitise the notebooks of a submission as nbgrader will; nothing is written.

    Returns
    -------
    list of nbformat.NotebookNode
        Empty if that cannot be done; nbgrader then says why.
    """
    converter = Autograde(coursedir=course, config=config)
    converter.log = _Messages().logger
    converter.exporter = converter.exporter_class(parent=converter, config=converter.config)
    converter._init_preprocessors()
    folder = Path(course.format_path(course.submitted_directory, student, assignment))
    notebooks = []
    for path in sorted(folder.glob("*.ipynb")):
        try:
            resources = converter.init_single_notebook_resources(str(path))
            text, _ = converter.exporter.from_filename(str(path), resources=resources)
        except Exception:
            continue
        notebooks.append(nbformat.reads(text, as_version=4))
    return notebooks


def exercise_names(course: CourseDirectory, assignment: str) -> dict[str, float]:
    """Graded cells of an assignment in reading order, with their points.

    Raises
    ------
    GradingError
        If the assignment is not in the gradebook.
    """
    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            notebooks = gradebook.find_assignment(assignment).notebooks
        except MissingEntry:
            raise GradingError(
                f"{assignment} is not in the gradebook; run `nbgrader generate_assignment "
                f"{assignment}` first"
            ) from None
        points = {
            cell.name: float(cell.max_score)
            for notebook in notebooks
            for cell in (*notebook.grade_cells, *notebook.task_cells)
        }
    folder = Path(course.format_path(course.release_directory, ".", assignment))
    order = [name for path in sorted(folder.glob("*.ipynb")) for name in _graded_ids(path)]
    known = [name for name in order if name in points]
    return {name: points[name] for name in [*known, *sorted(set(points) - set(known))]}


def _graded_ids(path: Path) -> Iterator[str]:
    for cell in json.loads(path.read_bytes())["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name:
            yield name


def _grade_one(
    config: Config, assignment: str, student: str, names: dict[str, float], *, force: bool
) -> Row:
    course = CourseDirectory(config=config, assignment_id=assignment, student_id=student)
    misnamed = _misnamed(course, assignment, student)
    if misnamed:
        return _failed(student, names, misnamed)
    converter = Autograde(coursedir=course, config=config)
    converter.force = force or not is_graded(course, assignment, student)
    messages = _Messages()
    here = os.getcwd()
    converter.log = messages.logger
    try:
        with warnings.catch_warnings():
            # nbgrader 0.9.6 under SQLAlchemy 2.1 warns at every new submission; nothing is wrong.
            warnings.simplefilter("ignore", SAWarning)
            converter.start()
    except (NbGraderException, SystemExit) as error:
        return _failed(student, names, messages.reason() or str(error))
    finally:
        os.chdir(here)
    return read_row(course, assignment, student, names)


def _failed(student: str, names: dict[str, float], reason: str) -> Row:
    empty = tuple(Score(_exercise(name), 0.0, points) for name, points in names.items())
    return Row(student, empty, (f"not graded: {reason}",), graded=False)


def _misnamed(course: CourseDirectory, assignment: str, student: str) -> str:
    """Say what is there instead, if a submission holds none of the released notebooks."""
    released = Path(course.format_path(course.release_directory, ".", assignment))
    expected = sorted(path.name for path in released.glob("*.ipynb"))
    submission = Path(course.format_path(course.submitted_directory, student, assignment))
    received = sorted(path.name for path in submission.iterdir() if path.is_file())
    if not expected or set(expected) & set(received):
        return ""
    return f"handed in {', '.join(received) or 'nothing'}; expected {', '.join(expected)}"


def read_row(
    course: CourseDirectory, assignment: str, student: str, names: dict[str, float]
) -> Row:
    """Read the row of a graded submission from the gradebook and the autograded notebook."""
    verdicts: dict[str, Any] = {}
    remarks: list[str] = []
    seconds = 0.0
    folder = Path(course.format_path(course.autograded_directory, student, assignment))
    for path in sorted(folder.glob("*.ipynb")):
        about = _about(path)
        verdicts.update(about.get("verdicts", {}))
        remarks.extend(about.get("notes", []))
        seconds += about.get("seconds", 0.0)
    remarks.extend(
        f"{verdict['exercise']}: {verdict['remark']}"
        for verdict in verdicts.values()
        # Where the whole notebook was lost, its reason has been told once already.
        if verdict["remark"] and len(set(verdict["hints"])) == 0
    )
    scores = []
    with Gradebook(course.db_url, course.course_id) as gradebook:
        submission = gradebook.find_submission(assignment, student)
        found = {
            grade.name: grade for notebook in submission.notebooks for grade in notebook.grades
        }
        for name, possible in names.items():
            grade = found.get(name)
            waits = grade is None or (grade.manual_score is None and grade.auto_score is None)
            hints = tuple(verdicts.get(name, {}).get("hints", ()))
            points = None if waits else float(grade.score)
            scores.append(Score(_exercise(name), points, possible, hints))
    return Row(student, tuple(scores), tuple(remarks), graded=True, seconds=seconds)


def _exercise(name: str) -> str:
    return name.removeprefix("test_")


class _Messages(logging.Handler):
    """Keeps nbgrader's log of one submission, to find the reason when it fails."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.records: list[str] = []
        self.logger = logging.Logger("grading")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record.getMessage())

    def reason(self) -> str:
        """Last line of the first traceback, or the first message."""
        for record in self.records:
            if record.startswith("Traceback"):
                return record.strip().splitlines()[-1][:300]
        return self.records[0].splitlines()[0][:300] if self.records else ""
