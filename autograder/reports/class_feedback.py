"""Pages of feedback for a class: the same files in the same places as nbgrader's command makes.

``feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html``, and beside it the other files of the submission,
which ``nbgrader release_feedback`` reads. A page holds a digest of what it was made from, so that
a run that was stopped goes on where it stopped, and a page is made again when a mark has changed.
"""

import contextlib
import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets.config import Config

from autograder.configuration import load_course
from autograder.gradebook.ledger import LedgerError
from autograder.kernels.settings import Sandbox
from autograder.reports.asked import Lesson, read_lesson
from autograder.reports.handed_in import read_handed_in, submission_folder
from autograder.reports.marks import ReportError, StudentMarks
from autograder.reports.page_making import FAILED, KEPT, MADE, PageResult, PageTask, make_page
from autograder.reports.page_workers import WorkersLostError, processors, side_by_side
from autograder.reports.reading_marks import open_marks, read_marks

UNGRADED = "ungraded"


@dataclasses.dataclass(frozen=True)
class FeedbackRow:
    """What became of one student's pages.

    Attributes
    ----------
    student : str
        Id of the student.
    state : str
        ``"made"``, ``"fresh"``, ``"kept"``, ``"failed"``, or ``"ungraded"`` if there is nothing to
        make a page from.
    points, possible, to_mark : float
        Of the whole assignment, as the pages say.
    pages : tuple of str
        The pages, relative to the course's folder.
    remark : str
        Why there is no page.
    """

    student: str
    state: str
    points: float = 0.0
    possible: float = 0.0
    to_mark: float = 0.0
    pages: tuple[str, ...] = ()
    remark: str = ""

    @property
    def well(self) -> bool:
        """Whether the student's pages are there and up to date."""
        return self.state not in (KEPT, FAILED, UNGRADED)

    def to_json(self) -> str:
        """One line for programs: see ``autograder feedback --json``."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)


def make_feedback(
    root: Path,
    assignment: str,
    *,
    students: Iterable[str] = (),
    force: bool = False,
    workers: int | None = None,
    config: Config | None = None,
    on_start: Callable[[int], None] | None = None,
    on_row: Callable[[FeedbackRow], None] | None = None,
) -> list[FeedbackRow]:
    """Make the pages of an assignment's graded submissions.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    assignment : str
        Name of the assignment.
    students : iterable of str
        Whose pages; everybody's if empty.
    force : bool
        Make pages that are fresh, and replace those that something else has made.
    workers : int, optional
        How many pages are made at a time; one a processor if omitted.
    config : traitlets.config.Config, optional
        The course's configuration, if it is not the one in `root`.
    on_start : callable, optional
        Called with the number of students.
    on_row : callable, optional
        Called with each row as it comes.

    Returns
    -------
    list of FeedbackRow
        By student.

    Raises
    ------
    ReportError
        If no page can be made at all.
    """
    config = load_course(root) if config is None else config
    course = CourseDirectory(config=config, assignment_id=assignment)
    with open_marks(course) as gradebook:
        try:
            marks = gradebook.read(lambda: read_marks(gradebook, assignment))
        except LedgerError as error:
            raise ReportError(str(error)) from None
    handed_in = read_handed_in(course, assignment, marks)
    chosen = _chosen(handed_in.submitted, list(students), assignment)
    if on_start is not None:
        on_start(len(chosen))
    rows: dict[str, FeedbackRow] = {}

    def tell(row: FeedbackRow) -> None:
        rows[row.student] = row
        if on_row is not None:
            on_row(row)

    desk = _Desk(config, course, assignment, force=force)
    tasks: list[PageTask] = []
    waiting: dict[str, dict[Path, PageResult | None]] = {}
    for student in chosen:
        mine = desk.tasks(student, marks.get(student))
        if isinstance(mine, FeedbackRow):
            tell(mine)
            continue
        waiting[student] = dict.fromkeys((task.target for task in mine), None)
        tasks += mine
    try:
        for task, result in side_by_side(make_page, tasks, workers=workers or processors()):
            student = task.marks.student
            waiting[student][task.target] = result
            results = list(waiting[student].values())
            if all(results):
                tell(desk.finish(marks[student], waiting[student]))
    except WorkersLostError as error:
        raise ReportError(str(error)) from None
    except OSError as error:
        raise ReportError(
            f"{error.filename or course.feedback_directory} cannot be written "
            f"({error.strerror}): make room, or make it writable, then run the same command "
            "again; what was finished is kept"
        ) from None
    return [rows[student] for student in chosen]


def _chosen(there: Sequence[str], students: Sequence[str], assignment: str) -> list[str]:
    absent = [student for student in students if student not in there]
    if absent:
        raise ReportError(f"no submission of {assignment} by {', '.join(absent)}")
    return list(dict.fromkeys(students)) or list(there)


class _Desk:
    """What the pages of one assignment have in common."""

    def __init__(
        self, config: Config, course: CourseDirectory, assignment: str, *, force: bool
    ) -> None:
        self.course, self.assignment, self.force = course, assignment, force
        default = 664 if course.groupshared else 644
        self.permissions = int(str(config.GenerateFeedback.get("permissions", default)), 8)
        self.cell_seconds = Sandbox(config=config).cell_seconds
        self._lessons: dict[str, Lesson] = {}

    def lesson(self, notebook: str) -> Lesson:
        """What was handed out."""
        if notebook not in self._lessons:
            self._lessons[notebook] = released_lesson(self.course, self.assignment, notebook)
        return self._lessons[notebook]

    def tasks(self, student: str, marks: StudentMarks | None) -> list[PageTask] | FeedbackRow:
        """Pages to make, or the row of a student who gets none."""
        source = self._folder("autograded", student)
        notebooks = sorted(source.glob("*.ipynb"))
        if not notebooks or marks is None:
            said = f"not graded: `autograder grade {self.assignment} --failed` says why"
            return FeedbackRow(student, UNGRADED, remark=said)
        target = self._folder("feedback", student)
        try:
            target.mkdir(parents=True, exist_ok=True)
            self._copy_files(source, target)
        except OSError as error:
            raise ReportError(
                f"{error.filename or target} cannot be written ({error.strerror}): make room, or "
                "make it writable, then run the same command again"
            ) from None
        return [
            PageTask(
                notebook=path, target=target / f"{path.stem}.html", marks=marks,
                assignment=self.assignment, lesson=self.lesson(path.stem),
                cell_seconds=self.cell_seconds,
                permissions=self.permissions, force=self.force,
            )
            for path in notebooks
        ]  # fmt: skip

    def finish(self, marks: StudentMarks, results: dict[Path, PageResult]) -> FeedbackRow:
        """Row of a student whose pages are all done with."""
        self._share(marks.student)
        states = {result.state for result in results.values()}
        state = next((one for one in (FAILED, KEPT, MADE) if one in states), states.pop())
        root = Path(self.course.root).resolve()
        return FeedbackRow(
            student=marks.student, state=state, points=round(marks.points, 2),
            possible=marks.possible, to_mark=marks.to_mark,
            pages=tuple(
                str(path.relative_to(root) if path.is_relative_to(root) else path)
                for path, result in results.items()
                if result.state != FAILED
            ),
            remark="; ".join(result.remark for result in results.values() if result.remark),
        )  # fmt: skip

    def _folder(self, step: str, student: str) -> Path:
        return submission_folder(self.course, step, student, self.assignment)

    def _copy_files(self, source: Path, target: Path) -> None:
        """Copy what lies beside the notebooks, as nbgrader does; the time and the secret, too.

        But no page that a student has handed in: it would stand among, or in the place of, ours.
        """
        for name in find_all_files(str(source), [*self.course.ignore, "*.ipynb", "*.html"]):
            path = target / os.path.relpath(name, source)
            path.parent.mkdir(parents=True, exist_ok=True)
            # The file that stands there may be read-only.
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            shutil.copy(name, path)
            path.chmod(self.permissions)

    def _share(self, student: str) -> None:
        """Let the course's group write, where nbgrader is told to."""
        if not self.course.groupshared:
            return
        target = self._folder("feedback", student)
        for folder in (target, target.parent, target.parent.parent):
            with contextlib.suppress(PermissionError):
                folder.chmod((folder.stat().st_mode | 0o2770) & 0o2777)


def released_lesson(course: CourseDirectory, assignment: str, notebook: str) -> Lesson:
    """Read what was handed out; without words if the release is gone."""
    folder = Path(course.format_path(course.release_directory, ".", assignment))
    return read_lesson(folder / f"{notebook}.ipynb")
