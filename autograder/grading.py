"""Grade a class: every submission ends in a row, and nobody's failure stops another's grading.

A submission goes three steps. It is *sanitised* here, one after the other; *examined* by workers,
many at a time, that are given bytes and return bytes; and *scored* here again as results arrive,
one transaction a submission. The gradebook is written first, then the folder in ``autograded/``
appears at once and whole; it holds the digest of everything that was graded. A run that was killed
anywhere between therefore goes on where it stopped: what has no whole folder is graded again, and
gives the same.
"""

import contextlib
import dataclasses
import errno
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from autograder.assignment.released import Released, ReleaseError, read_released
from autograder.assignment.seeds import course_secret
from autograder.configuration import load_course
from autograder.course_lock import alone
from autograder.gradebook.ledger import Ledger, LedgerError
from autograder.gradebook.rows import Row, Score, failed_row, read_about, read_row, row_of
from autograder.gradebook.scoring import save_missing
from autograder.kernels import linux
from autograder.kernels.client import LINUX_ONLY
from autograder.kernels.room_paths import exposed
from autograder.kernels.settings import Sandbox
from autograder.submissions import intake
from autograder.submissions.intake import Intake, digest_of, runs_in_browsers
from autograder.submissions.reading import UnreadableError, read_submission
from autograder.workers.cluster import EXAMINE, Cluster, ClusterError, Place, WorkerLostError
from autograder.workers.tasks import Result, ResultError, Task, TaskError

__all__ = ["GradingError", "Row", "Score", "exercise_names", "grade", "submitted_students"]

# Preprocessors that leave the gradebook alone, or write it through the class's ledger.
_LEDGER_SAFE = (
    *("ClearOutput", "DeduplicateIds", "LimitOutput", "IgnorePattern", "CheckCellMetadata"),
    *("ClearMetadataPreprocessor", "RestoreFromRelease", "Examine", "SaveVerdicts"),
    *("SavePenalties",),
)
# Errors that the next submission would meet as well.
_NOBODY_CAN = ("KernelError", "SandboxError")


class GradingError(Exception):
    """The class cannot be graded at all, or not to the end; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A sanitised submission, ready to be examined."""

    student: str
    intake: Intake
    tasks: dict[str, Task]
    digests: dict[str, str]


def submitted_students(course: CourseDirectory, assignment: str) -> list[str]:
    """List who handed in an assignment, by the folders of ``submitted/``."""
    pattern = course.format_path(course.submitted_directory, "*", assignment)
    base, _, rest = pattern.partition("*")
    folders = (path for path in Path(base).glob("*" + rest) if path.is_dir())
    names = sorted(path.relative_to(base).parts[0] for path in folders)
    excluded = (course.student_id_exclude or "").split(",")
    return [name for name in names if name not in excluded and not name.startswith(".")]


def exercise_names(released: Released) -> dict[str, float]:
    """Graded cells of an assignment in reading order, with their points."""
    return {
        name: float(cell.metadata.nbgrader.points)
        for notebook in released.notebooks.values()
        for name, cell in notebook.templates.items()
        if "points" in cell.metadata.nbgrader
    }


def grade(
    root: Path,
    assignment: str,
    *,
    students: Iterable[str] = (),
    force: bool = False,
    failed: bool = False,
    workers: int | None = None,
    cluster: Cluster | None = None,
    config: Config | None = None,
    on_start: Callable[[int], None] | None = None,
    on_row: Callable[[Row], None] | None = None,
    function: str = EXAMINE,
) -> list[Row]:
    """Grade the submissions of an assignment.

    Submissions are examined side by side and written into the gradebook one after the other, with
    the same preprocessors and the same outcome as by ``nbgrader autograde`` and the formgrader's
    button. What was graded before and has not changed is only read.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder, which holds ``nbgrader_config.py`` and ``submitted/``.
    assignment : str
        Name of the assignment.
    students : iterable of str
        Whom to grade; everybody if empty.
    force : bool
        Grade again what has not changed.
    failed : bool
        Grade only those, again, that could not be graded or were stopped by a limit or a crash.
    workers : int, optional
        How many submissions are examined at a time; one for each processor if omitted.
    cluster : Cluster, optional
        Who examines; a cluster on this machine if omitted. It is not closed.
    config : traitlets.config.Config, optional
        The course's configuration, if it is not the one in `root`.
    on_start : callable, optional
        Called with the number of submissions.
    on_row : callable, optional
        Called with each row as it comes.
    function : str
        Import name of the function that examines.

    Returns
    -------
    list of Row

    Raises
    ------
    GradingError
        If the assignment is unknown, nobody (or not everybody asked for) handed it in, or grading
        cannot go on: no gradebook, no workers, no room on the disk.
    """
    if cluster is None and not linux.AVAILABLE:
        raise GradingError(LINUX_ONLY)
    config = load_course(root) if config is None else config
    _keep_apart(root, config)
    course = CourseDirectory(config=config, assignment_id=assignment)
    chosen = _chosen(course, assignment, list(students))
    own = cluster is None
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone(Path(course.root)))
        if cluster is None:
            options = intake.options_of(config, course, assignment)
            place = Place(workers=workers, preload=tuple(options.settings["preload"]))
            cluster = stack.enter_context(Cluster(place))
        try:
            return _grade(
                config, course, assignment, chosen, cluster=cluster, force=force, failed=failed,
                on_start=on_start, on_row=on_row, function=function,
            )  # fmt: skip
        except (LedgerError, ClusterError, ReleaseError) as error:
            raise GradingError(str(error)) from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise
            where = f" ({error.filename})" if error.filename else ""
            raise GradingError(
                f"the disk is full or cannot be written{where}; make room, then run the same "
                "command again: what was finished is kept"
            ) from None
        except BaseException:
            if own:
                cluster.close(at_once=True)
            raise


def _keep_apart(root: Path, config: Config) -> None:
    """Refuse a course that every room could read, solutions and gradebook included."""
    sandbox = Sandbox(config=config)
    shown = exposed(root, tuple(sandbox.read_only))
    if sandbox.enabled and shown is not None:
        raise GradingError(
            f"the course in {root} lies below {shown}, which students' code can read: move the "
            "course, or take the folder out of c.Sandbox.read_only"
        )


def _chosen(course: CourseDirectory, assignment: str, students: list[str]) -> list[str]:
    there = submitted_students(course, assignment)
    chosen = list(dict.fromkeys(students)) or there
    absent = [student for student in chosen if student not in there]
    if absent:
        raise GradingError(f"no submission of {assignment} by {', '.join(absent)}")
    if not chosen:
        raise GradingError(
            f"nobody has handed in {assignment}: {course.root} holds no "
            f"{course.submitted_directory}/STUDENT/{assignment}; run `nbgrader collect` first"
        )
    return chosen


def _grade(
    config: Config,
    course: CourseDirectory,
    assignment: str,
    students: list[str],
    *,
    cluster: Cluster,
    force: bool,
    failed: bool,
    on_start: Callable[[int], None] | None,
    on_row: Callable[[Row], None] | None,
    function: str,
) -> list[Row]:
    rows: dict[str, Row] = {}

    def tell(row: Row) -> None:
        rows[row.student] = row
        if on_row is not None:
            on_row(row)

    with warnings.catch_warnings():
        # nbgrader 0.9.6 under SQLAlchemy 2.1 warns at every new submission; nothing is wrong.
        warnings.simplefilter("ignore", SAWarning)
        with ClassGrading(config, course, assignment) as grading:
            if failed:
                students = [student for student in students if grading.went_wrong(student)]
                force = True
            if on_start is not None:
                on_start(len(students))
            under_way: dict[str, tuple[Prepared, dict[str, Result]]] = {}

            def payloads() -> Iterator[tuple[tuple[str, str], bytes]]:
                for student in students:
                    prepared = grading.prepare(student, force=force)
                    if isinstance(prepared, Row):
                        tell(prepared)
                        continue
                    try:
                        packed = {name: task.to_bytes() for name, task in prepared.tasks.items()}
                    except TaskError as error:
                        tell(failed_row(student, grading.names, str(error)))
                        continue
                    under_way[student] = (prepared, {})
                    for name, payload in packed.items():
                        yield (student, name), payload

            answers = cluster.examine(payloads(), function=function, again=_may_pass)
            for (student, name), answer in answers:
                if student not in under_way:
                    continue  # another notebook of this submission could not be examined
                prepared, results = under_way[student]
                try:
                    results[name] = _read(answer, prepared.tasks[name])
                except _NotExamined as error:
                    del under_way[student]
                    tell(failed_row(student, grading.names, str(error)))
                    continue
                if len(results) == len(prepared.tasks):
                    del under_way[student]
                    try:
                        row = grading.score(prepared, results)
                    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
                        # Names that cannot lie beside each other: this submission's own trouble.
                        row = failed_row(student, grading.names, f"{error.strerror}: its files")
                    tell(row)
    return [rows[student] for student in students]


class _NotExamined(Exception):
    """A worker could not examine a submission; the message says why."""


def _may_pass(error: Exception) -> bool:
    """Whether the machine was at fault, and another attempt may find it well again."""
    return type(error).__name__ in _NOBODY_CAN


def _read(answer: bytes | Exception, task: Task) -> Result:
    if isinstance(answer, WorkerLostError):
        raise _NotExamined("grading it ended the worker process, three times and alone")
    if isinstance(answer, Exception):
        if type(answer).__name__ in _NOBODY_CAN:
            raise GradingError(str(answer))
        said = str(answer).strip().splitlines() or [""]
        raise _NotExamined(f"{type(answer).__name__}: {said[0][:300]}")
    try:
        return Result.read(answer, task)
    except ResultError as error:
        raise _NotExamined(str(error)) from None


class ClassGrading:
    """What grading one assignment needs, made once: the gradebook, the release, the steps.

    Parameters
    ----------
    config : traitlets.config.Config
        The course's configuration.
    course : nbgrader.coursedir.CourseDirectory
        Its folders.
    assignment : str
        Name of the assignment.

    Raises
    ------
    ReleaseError, LedgerError, GradingError
        If nothing can be graded.
    """

    def __init__(self, config: Config, course: CourseDirectory, assignment: str) -> None:
        self.config, self.course, self.assignment = config, course, assignment
        self.root = Path(course.root)
        self._messages = _Messages()
        self.converter = Autograde(coursedir=course, config=config)
        self.converter.log = self._messages.logger
        self._clean, self._finish = self._steps()
        steps = [type(step).__name__ for step in (*self._clean, *self._finish)]
        self.ledger = Ledger(
            course.db_url,
            course.course_id,
            stepwise=any(step not in _LEDGER_SAFE for step in steps),
        )
        self.released: Released = self.ledger.read(
            lambda: read_released(self.ledger, course, assignment)
        )
        for notebook in self.released.notebooks.values():
            for warning in notebook.names.warnings:
                self._messages.logger.warning(warning)
        self.names = exercise_names(self.released)
        self.options = intake.options_of(config, course, assignment)
        self._overwritable = intake.overwritable_files(config, assignment)
        self._secret = course_secret(self.root)
        self._remove_drafts()

    def __enter__(self) -> "ClassGrading":
        return self

    def __exit__(self, *error: object) -> None:
        self.ledger.close()

    def _steps(self) -> tuple[list[Any], list[Any]]:
        """Make the course's preprocessors: those before, and those after the examination."""
        from autograder.examination.step import Examine

        self.converter.exporter = self.converter.exporter_class(
            parent=self.converter, config=self.converter.config
        )
        made: list[list[Any]] = []
        for chosen in (
            self.converter.sanitize_preprocessors,
            self.converter.autograde_preprocessors,
        ):
            self.converter.exporter._preprocessors = []
            for step in chosen:
                self.converter.exporter.register_preprocessor(step)
            made.append(list(self.converter.exporter._preprocessors))
        clean, graded = made
        at = [index for index, step in enumerate(graded) if isinstance(step, Examine)]
        if len(at) != 1:
            raise GradingError(
                "the course's configuration does not grade with this package: call "
                "autograder.configure(c) in nbgrader_config.py"
            )
        return [*clean, *graded[: at[0]]], graded[at[0] + 1 :]

    def folder(self, step: str, student: str) -> Path:
        """Folder of a submission in one of the course's folders."""
        return Path(self.course.format_path(step, student, self.assignment))

    def went_wrong(self, student: str) -> bool:
        """Whether a submission was not graded, or stopped, when it was last tried."""
        paths = list(self.folder(self.course.autograded_directory, student).glob("*.ipynb"))
        if not paths or not all("verdicts" in read_about(path) for path in paths):
            return True
        return self._row(student).stopped

    def prepare(self, student: str, *, force: bool) -> Prepared | Row:
        """Sanitise a submission.

        Returns
        -------
        Prepared or Row
            The row, if there is nothing to examine: it was graded before and nothing has changed,
            or it cannot be graded.
        """
        self._messages.records.clear()
        try:
            self._run_hook("pre", student)
            received = intake.take_in(self.course, self.config, self.assignment, student)
            received = intake.settled(received, self.root)
            wanted = self.released.notebooks
            paths = {path.stem: path for path in received.notebooks if path.stem in wanted}
            if not paths:
                return failed_row(student, self.names, self._misnamed(received))
            tasks = {}
            for number, (name, path) in enumerate(paths.items()):
                remarks = received.remarks if number == 0 else ()
                tasks[name] = self._sanitise(student, name, path, received, remarks)
        except Exception as error:
            return failed_row(student, self.names, self._reason(error))
        digests = {name: digest_of(task, received.submitted) for name, task in tasks.items()}
        if not force and self._is_current(student, digests):
            with contextlib.suppress(MissingEntry):
                return self._row(student)
        return Prepared(student, received, tasks, digests)

    def _sanitise(
        self, student: str, name: str, path: Path, received: Intake, remarks: tuple[str, ...]
    ) -> Task:
        resources = self._resources(student, name, path)
        resources["autograder"] |= {"released": self.released.notebooks[name], "remarks": remarks}
        try:
            notebook = read_submission(str(path))
        except UnreadableError as error:
            resources["autograder"]["unreadable"] = str(error)
            notebook = nbformat.v4.new_notebook()
        for step in self._clean:
            notebook, resources = step(notebook, resources)
        return intake.make_task(
            notebook,
            self.released.notebooks[name],
            helpers=self.released.helpers,
            files=received.files,
            overwritable=self._overwritable,
            secret=self._secret,
            assignment=self.assignment,
            student=student,
            options=self.options,
        )

    def _resources(self, student: str, name: str, path: Path) -> dict[str, Any]:
        """What nbgrader's converter gives to preprocessors, and what the class has at hand."""
        return {
            "unique_key": name,
            "output_files_dir": f"{name}_files",
            "metadata": {"name": name, "path": str(path.parent)},
            "nbgrader": {
                "student": student,
                "assignment": self.assignment,
                "notebook": name,
                "db_url": self.course.db_url,
            },
            "autograder": {"ledger": self.ledger},
        }

    def score(self, prepared: Prepared, results: dict[str, Result]) -> Row:
        """Write one examined submission: the gradebook, then its folder.

        Raises
        ------
        autograder.gradebook.ledger.LedgerError, OSError
            If the gradebook or the folder cannot be written at all.
        """
        student = prepared.student
        self._messages.records.clear()
        notebooks: dict[str, NotebookNode] = {}

        def change() -> Row:
            notebooks.clear()
            self._save_submission(prepared)
            for name, result in results.items():
                notebook = nbformat.from_dict(result.notebook)
                notebook.metadata.autograder["digest"] = prepared.digests[name]
                path = prepared.intake.folder / f"{name}.ipynb"
                resources = self._resources(student, name, path)
                for step in self._finish:
                    notebook, resources = step(notebook, resources)
                notebooks[name] = notebook
            self.ledger.db.flush()
            return self._made_row(student, notebooks)

        destination = self.folder(self.course.autograded_directory, student)
        try:
            row = self.ledger.write(change)
        except (LedgerError, OSError):
            raise
        except Exception as error:
            return failed_row(student, self.names, self._reason(error))
        self._write_folder(destination, prepared.intake, notebooks)
        self._run_hook("post", student)
        return row

    def _made_row(self, student: str, notebooks: dict[str, NotebookNode]) -> Row:
        submission = self.ledger.find_submission(self.assignment, student)
        abouts = [notebook.metadata.autograder for notebook in notebooks.values()]
        return row_of(student, submission, abouts, self.names)

    def _save_submission(self, prepared: Prepared) -> None:
        """What nbgrader writes about a submission before it looks into the notebooks."""
        student, when = prepared.student, prepared.intake.submitted
        if self.converter.create_student:
            self.ledger.update_or_create_student(student)
        else:
            try:
                self.ledger.find_student(student)
            except MissingEntry:
                raise _NotExamined(f"no student with id {student!r} is in the gradebook") from None
        about = {} if when is None else {"timestamp": when}
        submission = self.ledger.update_or_create_submission(self.assignment, student, **about)
        for notebook in submission.notebooks:
            if notebook.name not in prepared.tasks:
                save_missing(notebook)

    def _write_folder(
        self, destination: Path, received: Intake, notebooks: dict[str, NotebookNode]
    ) -> None:
        """Make a submission's folder in ``autograded/`` appear at once and whole."""
        destination.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=destination.parent, prefix=self._draft_prefix))
        try:
            new = draft / "new"
            new.mkdir()
            shown = {
                name: content
                for name, content in received.files.items()
                if not runs_in_browsers(name)
            }
            own = {**received.records, **shown}
            kept = {name: own[name] for name in self._overwritable if name in own}
            for name, content in {**own, **self.released.helpers, **kept}.items():
                path = new / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            for name, notebook in notebooks.items():
                text = nbformat.v4.writes(notebook) + "\n"
                (new / f"{name}.ipynb").write_text(text, encoding="utf-8")
            mode = int(str(self.converter.permissions), 8)
            for place, _, names in os.walk(new):
                for name in names:
                    os.chmod(os.path.join(place, name), mode)
            with contextlib.suppress(FileNotFoundError):
                os.rename(destination, draft / "old")
            os.rename(new, destination)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        if self.course.groupshared:
            student = destination.parent.name
            self.converter.set_permissions(self.assignment, student)

    @property
    def _draft_prefix(self) -> str:
        # A leading dot hides it from nbgrader's patterns.
        return f".{self.assignment}-grading-"

    def _remove_drafts(self) -> None:
        """Remove what a killed run left behind."""
        pattern = self.course.format_path(self.course.autograded_directory, "*", "")
        base, _, _ = pattern.partition("*")
        for path in Path(base).glob(f"*/{self._draft_prefix}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _is_current(self, student: str, digests: dict[str, str]) -> bool:
        """Whether a submission was graded to the end, from just this."""
        folder = self.folder(self.course.autograded_directory, student)
        graded = {path.stem: path for path in folder.glob("*.ipynb")}
        return set(graded) == set(digests) and all(
            read_about(path).get("digest") == digests[name] for name, path in graded.items()
        )

    def _row(self, student: str) -> Row:
        return self.ledger.read(
            lambda: read_row(self.ledger, self.course, self.assignment, student, self.names)
        )

    def _misnamed(self, received: Intake) -> str:
        """Say what is there instead, if a submission holds none of the released notebooks."""
        there = sorted(path.name for path in received.notebooks)
        there = [*there, *sorted(received.files)][:20]
        expected = ", ".join(f"{name}.ipynb" for name in self.released.notebooks)
        return f"handed in {', '.join(there) or 'nothing'}; expected {expected}"

    def _run_hook(self, kind: str, student: str) -> None:
        """Call the course's hook, as nbgrader does: in the course's folder."""
        hook = getattr(self.converter, f"{kind}_convert_hook")
        if not hook:
            return
        self.course.student_id = student
        folder = self.folder(self.course.submitted_directory, student)
        self.converter.notebooks = sorted(str(path) for path in folder.glob("*.ipynb"))
        here = os.getcwd()
        os.chdir(self.root)
        try:
            getattr(self.converter, f"run_{kind}_convert_hook")()
        finally:
            os.chdir(here)

    def _reason(self, error: Exception) -> str:
        said = str(error).strip().splitlines()
        if isinstance(error, _NotExamined) and said:
            return said[0]
        reason = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
        return (self._messages.reason() or reason)[:300]


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
