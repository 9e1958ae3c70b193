"""Preflight: grade made-up submissions of an assignment before students get it."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.assignment.imports import needed
from autograder.configuration import load_course
from autograder.grading import grade
from autograder.kernels.room_paths import exposed
from autograder.kernels.settings import Sandbox
from autograder.preflight import handed_out
from autograder.preflight.author_answers import (
    AuthorAnswer,
    answers_path,
    batches,
    place_of,
    read_answers,
)
from autograder.preflight.judging import Graded, Judge
from autograder.preflight.measuring import EXAMINE_MEASURED
from autograder.preflight.report import PreflightError, Report
from autograder.preflight.scratch import ReleaseFailed, ScratchCourse
from autograder.preflight.solved import Key, SolvedNotebook
from autograder.preflight.structure import check_structure, graded_cells
from autograder.preflight.trials import Trial, answer_trial, usual_trials
from autograder.workers.cluster import Cluster, Place

# The first two tell whether it is worth going on.
_FIRST = ("solution", "untouched")


def preflight(
    root: Path,
    assignment: str,
    *,
    answers: Path | None = None,
    with_answers: bool = True,
    workers: int | None = None,
    cluster: Cluster | None = None,
    config: Config | None = None,
    on_start: Callable[[int], None] | None = None,
    on_graded: Callable[[str], None] | None = None,
) -> Report:
    """Look at an assignment, and grade made-up submissions of it as students' will be graded.

    Everything happens in a course of its own in a temporary folder: the gradebook, the release and
    the submissions of the real course are read at most.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder, which holds ``nbgrader_config.py`` and the source of the assignment.
    assignment : str
        Name of the assignment.
    answers : pathlib.Path, optional
        File of the author's wrong and right answers; ``tests/variants/ASSIGNMENT.toml`` below
        `root` if omitted, where that exists.
    with_answers : bool
        Whether those are tried.
    workers : int, optional
        Submissions at a time; one for each processor if omitted.
    cluster : Cluster, optional
        Who examines; a cluster on this machine if omitted. It is not closed.
    config : traitlets.config.Config, optional
        The course's configuration, if it is not the one in `root`.
    on_start : callable, optional
        Called with the number of submissions, and again when there are more.
    on_graded : callable, optional
        Called with the title of each submission that is graded.

    Returns
    -------
    Report

    Raises
    ------
    PreflightError
        If there is no such assignment, or the answers cannot be read.
    autograder.grading.GradingError
        If this machine cannot grade.
    """
    started = time.monotonic()
    config = load_course(root) if config is None else config
    course = CourseDirectory(config=config, assignment_id=assignment)
    sources = read_sources(course, assignment)
    wanted = _wanted(root, assignment, answers) if with_answers else []
    report = Report(assignment)
    sandbox = Sandbox(config=config)
    report.limits = {name: float(value) for name, value in sandbox.limits().items()}
    _check_place(root, sandbox, report)
    for name, source in sources.items():
        check_structure(name, source, report)
    report.to_mark = sum(
        float(about.get("points") or 0)
        for source in sources.values()
        for index, about in graded_cells(source)
        if about.get("solution") or about.get("task")
    )
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        scratch = ScratchCourse(Path(folder), config, assignment)
        handed_out.check_author_text(scratch.source, report)
        if scratch.mended:
            report.notes.append(
                "nbgrader_config.py does not call autograder.configure(c): tried as if it did"
            )
        # Workers start while nbgrader makes the release.
        preload = tuple(needed(sandbox.preload, scratch.source))
        with _workers(cluster, Place(workers=workers, preload=preload)) as examiners:
            notebooks = _release(course, scratch, sources, wanted, report)
            if notebooks is not None:
                rehearsal = _Rehearsal(scratch, notebooks, report, on_start, on_graded)
                rehearsal.run(wanted, examiners)
    report.seconds = round(time.monotonic() - started, 1)
    return report


@contextlib.contextmanager
def _workers(cluster: Cluster | None, place: Place) -> Iterator[Cluster]:
    """The given cluster, or one of our own, which is ended at once if anything goes wrong."""
    if cluster is not None:
        yield cluster
        return
    with Cluster(place) as own:
        try:
            yield own
        except BaseException:
            own.close(at_once=True)
            raise


def read_sources(course: CourseDirectory, assignment: str) -> dict[str, dict[str, Any]]:
    """Read the author's notebooks of an assignment.

    Raises
    ------
    PreflightError
        If there are none, or one is no notebook.
    """
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        around = folder.parent.glob("*/*.ipynb") if folder.parent.is_dir() else ()
        known = ", ".join(sorted({path.parent.name for path in around})) or "none"
        raise PreflightError(
            f"no notebook in {folder}; the assignments with notebooks are: {known}"
        )
    sources = {}
    for path in paths:
        try:
            sources[path.stem] = nbformat.read(path, as_version=4)
        except Exception as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise PreflightError(f"{path}: is no notebook ({said[0][:200]})") from None
    return sources


def _wanted(root: Path, assignment: str, answers: Path | None) -> list[AuthorAnswer]:
    path = answers or answers_path(root, assignment)
    if answers is None and not path.exists():
        return []
    return read_answers(path)


def _check_place(root: Path, sandbox: Sandbox, report: Report) -> None:
    shown = exposed(root, tuple(sandbox.read_only))
    if sandbox.enabled and shown is not None:
        report.find(
            "exposed",
            "",
            f"the course in {root} lies below {shown}, which students' code can read: move the "
            "course, or take the folder out of c.Sandbox.read_only",
        )


def _release(
    course: CourseDirectory,
    scratch: ScratchCourse,
    sources: dict[str, dict[str, Any]],
    wanted: Iterable[AuthorAnswer],
    report: Report,
) -> dict[str, SolvedNotebook] | None:
    """Make the release and look at it; None if nothing can be graded."""
    try:
        scratch.release()
    except ReleaseFailed as error:
        if not any(finding.kind in ("grade-id", "points") for finding in report.findings):
            report.find("release", "", f"nbgrader cannot make the release: {error}")
        report.notes.append("nothing was graded: nbgrader cannot make the release")
        return None
    given = handed_out.release_folder(course, scratch.assignment)
    if given.is_dir():
        handed_out.check_up_to_date(given, scratch.released, report)
    else:
        report.notes.append(
            f"{given.name} is not released yet: looked at what nbgrader would hand out"
        )
    delimiters = handed_out.Delimiters(scratch.config)
    handed_out.check_leaks(
        given if given.is_dir() else scratch.released, sources, delimiters, report
    )
    if any(finding.kind == "names" for finding in report.findings):
        report.notes.append("nothing was graded: a test cell uses a name that nothing stands for")
        return None
    more: dict[str, list[str]] = {}
    for answer in wanted:
        more.setdefault(answer.exercise, []).append(answer.source)
    return {
        name: SolvedNotebook(
            name,
            nbformat.read(scratch.released / f"{name}.ipynb", as_version=4),
            source,
            more,
        )
        for name, source in sources.items()
    }


class _Rehearsal:
    """Hands in made-up submissions, lets them be graded, and judges."""

    def __init__(
        self,
        scratch: ScratchCourse,
        notebooks: dict[str, SolvedNotebook],
        report: Report,
        on_start: Callable[[int], None] | None,
        on_graded: Callable[[str], None] | None,
    ) -> None:
        self.scratch, self.notebooks, self.report = scratch, notebooks, report
        self.judge = Judge(notebooks, report)
        self._on_start, self._on_graded = on_start, on_graded
        self._total = 0

    def run(self, wanted: list[AuthorAnswer], cluster: Cluster) -> None:
        """Try everything."""
        placed = [(place_of(answer, self.notebooks), answer) for answer in wanted]
        if not self.judge.tests:
            self.report.notes.append("nothing was graded: no cell is marked by running it")
            return
        usual = {trial.student: trial for trial in usual_trials(self.notebooks)}
        packed = batches(placed, self.notebooks)
        trials = [
            answer_trial(number, batch, self.notebooks) for number, batch in enumerate(packed, 1)
        ]
        self._expect(len(usual) + len(trials))
        self._grade([usual.pop(name) for name in _FIRST], cluster)
        if self.judge.solution(self.report.limits):
            self._grade([*usual.values(), *trials], cluster)
            # What is odd is tried once more and alone: another answer may have disturbed it.
            crowded = {answer for batch in packed if len(batch) > 1 for answer in batch.values()}
            odd = [answer for answer in self.judge.answers() if answer in crowded]
            if odd:
                places: dict[AuthorAnswer, Key] = {answer: place for place, answer in placed}
                again = [
                    answer_trial(len(trials) + number, {places[answer]: answer}, self.notebooks)
                    for number, answer in enumerate(odd, 1)
                ]
                self._expect(self._total + len(again))
                self._grade(again, cluster)
                self.judge.answers()
            self.judge.everything_else()
            self.judge.report_answers()
        else:
            self.report.notes.append(
                "only the solution and the untouched lesson were graded: mend the solution first"
            )
        self.judge.outcomes()

    def _expect(self, total: int) -> None:
        self._total = total
        if self._on_start is not None:
            self._on_start(total)

    def _grade(self, trials: list[Trial], cluster: Cluster) -> None:
        by_student = {trial.student: trial for trial in trials}
        for trial in trials:
            self.scratch.hand_in(trial.student, trial.files)
        rows = grade(
            self.scratch.root,
            self.scratch.assignment,
            students=list(by_student),
            cluster=cluster,
            config=self.scratch.config,
            on_row=self._tell(by_student),
            function=EXAMINE_MEASURED,
        )
        for row in rows:
            paths = self.scratch.graded(row.student)
            self.judge.graded[row.student] = Graded.read(by_student[row.student], row, paths)

    def _tell(self, trials: dict[str, Trial]) -> Callable[[Any], None]:
        def tell(row: Any) -> None:
            if self._on_graded is not None:
                self._on_graded(trials[row.student].title)

        return tell
