"""What an assignment tells about a class: figures for a page and for programs.

Points come from the gradebook, so corrections by hand count. Mistakes, times and remarks come from
what grading left in the autograded notebooks.
"""

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.checks.exercise import GENERAL_HINTS
from autograder.configuration import load_course
from autograder.gradebook.ledger import Ledger, LedgerError
from autograder.gradebook.rows import exercise_of, read_about
from autograder.reports import item_analysis
from autograder.reports.asked import Lesson, hints_in, text_of
from autograder.reports.class_feedback import released_lesson
from autograder.reports.class_table import GENERAL_KINDS
from autograder.reports.feedback import UnreadableNotebookError, read_notebook
from autograder.reports.handed_in import read_handed_in, submission_folder
from autograder.reports.item_analysis import Spread
from autograder.reports.marks import ReportError, StudentMarks
from autograder.reports.reading_marks import assignments, open_marks, read_marks, roster

# Who needs help: less than this share of what is marked,
LOW_SHARE = 0.5
# or so much less than in the earlier assignments together,
FALL = 0.25
# or so many exercises not tried.
UNTRIED = 2
# An exercise this easy or this hard tells little about anybody.
EASY, HARD = 0.9, 0.3
NOT_TRIED = "not-attempted"


@dataclasses.dataclass(frozen=True)
class StudentFigures:
    """One graded submission.

    Attributes
    ----------
    student, name : str
        Id and name.
    points, possible, to_mark, penalty : float
        Points that count, what can be earned, what waits for a person, what lateness cost.
    share : float or None
        Points by what is marked; None while nothing is.
    earlier : float or None
        Mean share of the earlier assignments.
    seconds : float
        Time that running it took.
    seconds_late : float
        By how much it was late.
    untried : tuple of str
        Exercises that were left as they were handed out.
    weak : tuple of str
        Tried exercises with less than half of their points.
    mistakes : tuple of str
        Named mistakes.
    """

    student: str
    name: str
    points: float
    possible: float
    to_mark: float
    penalty: float
    share: float | None
    earlier: float | None
    seconds: float
    seconds_late: float
    untried: tuple[str, ...]
    weak: tuple[str, ...]
    mistakes: tuple[str, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this student needs help; empty if there is no sign of it."""
        said = []
        if self.share is not None and self.share < LOW_SHARE:
            said.append(f"{self.share:.0%} of the points")
        if len(self.untried) >= UNTRIED:
            said.append(f"{len(self.untried)} exercises not tried")
        if None not in (self.share, self.earlier) and self.earlier - self.share >= FALL:
            said.append(f"{self.earlier:.0%} in earlier assignments, {self.share:.0%} now")
        return tuple(said)


@dataclasses.dataclass(frozen=True)
class ExerciseFigures:
    """One exercise.

    Attributes
    ----------
    name, title : str
        Name and heading.
    possible : float
        What it is worth.
    marked, waiting : int
        Answers that have points, and that wait to be marked by hand.
    full, partly, none : int
        Marked answers with all, some and no points.
    untried : int
        Answers that were left as they were handed out; they have no points.
    mean : float or None
        Mean points of the marked ones.
    difficulty, discrimination : float or None
        See :mod:`autograder.reports.item_analysis`.
    """

    name: str
    title: str
    possible: float
    marked: int
    waiting: int
    full: int
    partly: int
    none: int
    untried: int
    mean: float | None
    difficulty: float | None
    discrimination: float | None

    @property
    def look(self) -> str:
        """What is odd about it, in words; empty if nothing is."""
        said = []
        if self.difficulty is not None and self.difficulty >= EASY:
            said.append("nearly everybody has it")
        if self.difficulty is not None and self.difficulty <= HARD:
            said.append("hardly anybody has it")
        if self.discrimination is not None and self.discrimination < 0:
            said.append("who is good elsewhere does worse here: is the check right?")
        elif self.discrimination is not None and self.discrimination < item_analysis.WEAK:
            said.append("does not tell the strong from the weak")
        return "; ".join(said)


@dataclasses.dataclass(frozen=True)
class MistakeFigures:
    """One kind of mistake in one exercise: how many students made it.

    `named` says whether the author named it, or it is a general kind such as ``"wrong-value"``.
    """

    exercise: str
    id: str
    hint: str
    students: int
    named: bool


@dataclasses.dataclass(frozen=True)
class AssignmentFigures:
    """One assignment of the course: shares of what is marked, of everybody who has points."""

    assignment: str
    shares: Spread


@dataclasses.dataclass(frozen=True)
class Trouble:
    """Something that was not as it should be with a submission."""

    student: str
    name: str
    what: str


@dataclasses.dataclass(frozen=True)
class ClassReport:
    """Everything on the page.

    Attributes
    ----------
    course, assignment, title : str
        What it is about.
    made : datetime.datetime
        When (UTC).
    in_roster, submitted, graded : int
        How many students the gradebook knows, have handed in, are graded.
    waiting : int
        How many have answers that wait to be marked by hand.
    late : int
        How many were late.
    possible : float
        What can be earned.
    shares : Spread or None
        Of the points by what is marked.
    points : Spread
        Points that count.
    seconds : Spread
        Time that running a submission took.
    alpha : float or None
        Cronbach's alpha.
    students, exercises, mistakes, progress : tuple
        Details.
    ungraded : tuple of Trouble
        Who could not be graded, and why.
    remarks : tuple of Trouble
        What was mended or stopped in those who were.
    absent : tuple of (str, str)
        Id and name of those in the gradebook who have not handed in.
    """

    course: str
    assignment: str
    title: str
    made: datetime.datetime
    in_roster: int
    submitted: int
    graded: int
    waiting: int
    late: int
    possible: float
    shares: Spread | None
    points: Spread
    seconds: Spread
    alpha: float | None
    students: tuple[StudentFigures, ...]
    exercises: tuple[ExerciseFigures, ...]
    mistakes: tuple[MistakeFigures, ...]
    progress: tuple[AssignmentFigures, ...]
    ungraded: tuple[Trouble, ...]
    remarks: tuple[Trouble, ...]
    absent: tuple[tuple[str, str], ...]

    @property
    def need_help(self) -> list[StudentFigures]:
        """Students with a sign that they need help, lowest share first."""
        found = [student for student in self.students if student.reasons]
        return sorted(found, key=lambda one: (one.share is None, one.share or 0.0, one.student))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data: see ``autograder report --json``."""
        content = dataclasses.asdict(self)
        content["made"] = self.made.isoformat(timespec="seconds")
        for made, student in zip(content["students"], self.students, strict=True):
            made["needs_help"] = list(student.reasons)
        for made, exercise in zip(content["exercises"], self.exercises, strict=True):
            made["look"] = exercise.look
        return content


def read_class(root: Path, assignment: str, *, config: Config | None = None) -> ClassReport:
    """Put a report together; nothing is changed.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    assignment : str
        Name of the assignment.
    config : traitlets.config.Config, optional
        The course's configuration, if it is not the one in `root`.

    Raises
    ------
    ReportError
        If there is nothing to report: no gradebook, no such assignment, nothing graded.
    """
    config = load_course(root) if config is None else config
    course = CourseDirectory(config=config, assignment_id=assignment)
    with open_marks(course) as gradebook:
        try:
            marks, names, others = gradebook.read(lambda: _read(gradebook, assignment))
        except LedgerError as error:
            raise ReportError(str(error)) from None
    handed_in = read_handed_in(course, assignment, marks)
    graded = {student: marks[student] for student in handed_in.graded}
    abouts = {student: _abouts(course, assignment, student) for student in graded}
    cells = _cells(course, assignment, graded)
    points = {cell: [_points(student, cell) for student in graded.values()] for cell in cells.worth}
    order = list(others)
    earlier = [others[name] for name in order[: order.index(assignment)]]
    students = tuple(
        _student(student, abouts[student.student], cells, earlier) for student in graded.values()
    )
    every = {**names, **{student: one.name for student, one in marks.items()}}
    progress = [
        AssignmentFigures(name, spread)
        for name, shares in others.items()
        if (spread := item_analysis.spread(sorted(shares.values()))) is not None
    ]
    return ClassReport(
        course=course.course_id,
        assignment=assignment,
        title=next((lesson.title for lesson in cells.lessons.values() if lesson.title), assignment),
        made=datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0),
        in_roster=len(every),
        submitted=len(handed_in.submitted),
        graded=len(graded),
        waiting=sum(student.to_mark > 0 for student in graded.values()),
        late=sum(student.seconds_late > 0 for student in graded.values()),
        possible=sum(cells.worth.values()),
        shares=item_analysis.spread([one.share for one in students if one.share is not None]),
        points=item_analysis.spread([one.points for one in students]),
        seconds=item_analysis.spread([one.seconds for one in students]),
        alpha=item_analysis.alpha(points),
        students=students,
        exercises=tuple(_exercises(cells, points, abouts, graded)),
        mistakes=tuple(_mistakes(cells, abouts)),
        progress=tuple(progress),
        ungraded=tuple(
            Trouble(student, every.get(student, student), _why(course, config, assignment, student))
            for student in handed_in.submitted
            if student not in graded
        ),
        remarks=tuple(
            Trouble(student, graded[student].name, remark)
            for student, about in abouts.items()
            for remark in about.remarks
        ),
        absent=tuple(
            (student, name)
            for student, name in sorted(every.items())
            if student not in handed_in.submitted
        ),
    )


def _read(
    gradebook: Ledger, assignment: str
) -> tuple[dict[str, StudentMarks], dict[str, str], dict[str, dict[str, float]]]:
    """Marks of this assignment, names of everybody, and shares of all assignments in order."""
    marks = read_marks(gradebook, assignment)
    others = {}
    for name in assignments(gradebook):
        found = marks if name == assignment else read_marks(gradebook, name)
        others[name] = {
            student: share for student, one in found.items() if (share := _share(one)) is not None
        }
    return marks, roster(gradebook), others


def _share(marks: StudentMarks) -> float | None:
    marked = marks.possible - marks.to_mark
    return marks.points / marked if marked > 0 else None


@dataclasses.dataclass(frozen=True)
class _About:
    """What grading left about one submission."""

    verdicts: Mapping[tuple[str, str], Mapping[str, Any]]
    remarks: tuple[str, ...]
    seconds: float


def _abouts(course: CourseDirectory, assignment: str, student: str) -> _About:
    verdicts: dict[tuple[str, str], Mapping[str, Any]] = {}
    remarks: list[str] = []
    seconds = 0.0
    for path in sorted(
        submission_folder(course, "autograded", student, assignment).glob("*.ipynb")
    ):
        about = read_about(path)
        for name, verdict in about.get("verdicts", {}).items():
            verdicts[path.stem, name] = verdict
            if verdict["remark"]:
                remarks.append(f"{verdict['exercise']}: {verdict['remark']}")
        remarks += about.get("notes", ())
        seconds += about.get("seconds", 0.0)
        if about.get("sandbox") == "none":
            remarks.append("graded without a sandbox")
    return _About(verdicts, tuple(dict.fromkeys(remarks)), round(seconds, 2))


@dataclasses.dataclass(frozen=True)
class _Cells:
    """Graded cells of an assignment in reading order: (notebook, name) → …"""

    worth: Mapping[tuple[str, str], float]
    hints: Mapping[tuple[str, str], Mapping[str, str]]
    by_hand: frozenset[tuple[str, str]]
    lessons: Mapping[str, Lesson]

    def title(self, cell: tuple[str, str]) -> str:
        asked = self.lessons[cell[0]].asked.get(cell[1])
        return asked.title if asked else exercise_of(cell[1])


def _cells(course: CourseDirectory, assignment: str, graded: Mapping[str, StudentMarks]) -> _Cells:
    """Read the order of the graded cells, and the hints, from one autograded copy of each notebook.

    Locked cells of every copy are the instructor's.
    """
    possible: dict[tuple[str, str], float] = {}
    for student in graded.values():
        for notebook, marks in student.notebooks.items():
            for name, mark in marks.cells.items():
                possible.setdefault((notebook, name), mark.possible)
    notebooks = sorted({notebook for notebook, _ in possible})
    lessons = {name: released_lesson(course, assignment, name) for name in notebooks}
    worth: dict[tuple[str, str], float] = {}
    hints: dict[tuple[str, str], Mapping[str, str]] = {}
    by_hand = set()
    for notebook in notebooks:
        for cell in _first_copy(course, assignment, notebook, graded):
            about = cell["metadata"].get("nbgrader") or {}
            place = notebook, about.get("grade_id", "")
            if place in possible:
                worth[place] = possible[place]
                hints[place] = hints_in(text_of(cell))
                if about.get("solution") or about.get("task"):
                    by_hand.add(place)
    worth.update((place, most) for place, most in sorted(possible.items()) if place not in worth)
    return _Cells(worth, hints, frozenset(by_hand), lessons)


def _first_copy(
    course: CourseDirectory, assignment: str, notebook: str, graded: Iterable[str]
) -> list[dict[str, Any]]:
    for student in graded:
        path = submission_folder(course, "autograded", student, assignment) / f"{notebook}.ipynb"
        try:
            return read_notebook(path.read_bytes(), path)["cells"]
        except (OSError, UnreadableNotebookError):
            continue
    return []


def _points(student: StudentMarks, cell: tuple[str, str]) -> float | None:
    notebook, name = cell
    marks = student.notebooks.get(notebook)
    mark = None if marks is None else marks.cells.get(name)
    # A notebook that was not handed in has earned nothing.
    return 0.0 if mark is None else mark.points


def _untried(cell: tuple[str, str], cells: _Cells, about: _About, student: StudentMarks) -> bool:
    if cell in cells.by_hand:
        marks = student.notebooks.get(cell[0])
        mark = None if marks is None else marks.cells.get(cell[1])
        # Grading gives free text nothing only if it was not changed.
        return mark is None or mark.automatic == 0
    return NOT_TRIED in about.verdicts.get(cell, {}).get("hints", ())


def _hints(verdict: Mapping[str, Any]) -> Iterable[str]:
    """Kinds of mistakes in an answer, each once; of one that was not tried, that alone."""
    hints = verdict.get("hints", ())
    return (NOT_TRIED,) if NOT_TRIED in hints else dict.fromkeys(hints)


def _is_named(hint: str) -> bool:
    return hint not in GENERAL_HINTS and hint not in GENERAL_KINDS


def _student(
    marks: StudentMarks,
    about: _About,
    cells: _Cells,
    earlier: Sequence[Mapping[str, float]],
) -> StudentFigures:
    untried, weak, mistakes = [], [], []
    for cell, worth in cells.worth.items():
        exercise = exercise_of(cell[1])
        earned = _points(marks, cell)
        if _untried(cell, cells, about, marks):
            untried.append(exercise)
        elif earned is not None and earned < worth / 2:
            weak.append(exercise)
        mistakes += [hint for hint in _hints(about.verdicts.get(cell, {})) if _is_named(hint)]
    before = [shares[marks.student] for shares in earlier if marks.student in shares]
    return StudentFigures(
        student=marks.student, name=marks.name, points=round(marks.points, 2),
        possible=marks.possible, to_mark=marks.to_mark,
        penalty=sum(notebook.penalty for notebook in marks.notebooks.values()),
        share=_share(marks), earlier=sum(before) / len(before) if before else None,
        seconds=about.seconds, seconds_late=marks.seconds_late, untried=tuple(untried),
        weak=tuple(weak), mistakes=tuple(dict.fromkeys(mistakes)),
    )  # fmt: skip


def _exercises(
    cells: _Cells,
    points: Mapping[tuple[str, str], Sequence[float | None]],
    abouts: Mapping[str, _About],
    graded: Mapping[str, StudentMarks],
) -> Iterable[ExerciseFigures]:
    for cell, worth in cells.worth.items():
        marked = [value for value in points[cell] if value is not None]
        full = sum(value >= worth for value in marked)
        none = sum(value <= 0 for value in marked)
        yield ExerciseFigures(
            name=exercise_of(cell[1]), title=cells.title(cell), possible=worth,
            marked=len(marked), waiting=len(points[cell]) - len(marked), full=full,
            partly=len(marked) - full - none, none=none,
            untried=sum(
                _untried(cell, cells, abouts[student], graded[student]) for student in graded
            ),
            mean=sum(marked) / len(marked) if marked else None,
            difficulty=item_analysis.difficulty(points[cell], worth),
            discrimination=item_analysis.discrimination(cell, points, cells.worth),
        )  # fmt: skip


def _mistakes(cells: _Cells, abouts: Mapping[str, _About]) -> list[MistakeFigures]:
    """Kinds of mistakes, the commonest first; named ones before general ones of equal number."""
    counted = Counter(
        (cell, hint)
        for about in abouts.values()
        for cell, verdict in about.verdicts.items()
        for hint in _hints(verdict)
    )
    found = [
        MistakeFigures(
            exercise=exercise_of(cell[1]),
            id=hint,
            hint=cells.hints.get(cell, {}).get(hint, GENERAL_HINTS.get(hint, "")),
            students=students,
            named=_is_named(hint),
        )
        for (cell, hint), students in counted.items()
    ]
    return sorted(found, key=lambda one: (-one.students, not one.named, one.exercise, one.id))


def _why(course: CourseDirectory, config: Config, assignment: str, student: str) -> str:
    """Say why a submission is not graded, as far as its folder tells."""
    from autograder.submissions.intake import take_in

    again = f"`autograder grade {assignment} --failed` tries again, and says why"
    try:
        received = take_in(course, config, assignment, student)
    except Exception as error:
        return f"cannot be read ({error}); {again}"
    released = Path(course.format_path(course.release_directory, ".", assignment))
    expected = sorted(path.name for path in released.glob("*.ipynb"))
    there = sorted(path.name for path in received.notebooks)
    if expected and not set(there) & set(expected):
        handed = ", ".join([*there, *sorted(received.files)][:20]) or "nothing"
        return f"handed in {handed}; expected {', '.join(expected)}"
    return f"not graded yet, or grading failed: {again}"
