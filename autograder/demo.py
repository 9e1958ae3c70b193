"""The main job, end to end: release, submit, grade, feedback, export, for a sample class."""

import dataclasses
import os
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.plugins import CsvExportPlugin
from nbgrader.utils import capture_log
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from autograder.configuration import CONFIG_FILE, load_course
from autograder.grading import Row, grade
from autograder.reports.class_table import class_table, remark
from autograder.sample_class import Student, read_class

FOLDER = "demo_class"
# Made by us, so that a second run may remove the folder without asking.
MARKER = ".made_by_autograder_demo"

_COURSE_CONFIG = '''"""Made by `autograder demo`: the course's configuration, other paths."""

from pathlib import Path

here = Path(__file__).resolve().parent
c = get_config()
load_subconfig("{config}", path=str(here.parent.parent))
c.CourseDirectory.root = str(here)
c.CourseDirectory.db_url = f"sqlite:///{{here / 'gradebook.db'}}"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "lessons"
c.Exchange.root = str(here.parent / "exchange")
c.Exchange.cache = str(here.parent / "cache")
# Everybody in this class is the user who runs the demo.
c.ExchangeCollect.check_owner = False
'''


class DemoError(Exception):
    """The demo could not go on; the message says at which step and why."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the demo made.

    Attributes
    ----------
    rows : list of Row
        The graded class.
    surprises : list of str
        Rows that are not as designed, in words; empty when all is well.
    gradebook, feedback, grades : pathlib.Path
        Where to look.
    seconds : float
        Wall-clock time.
    """

    rows: list[Row]
    surprises: list[str]
    gradebook: Path
    feedback: Path
    grades: Path
    seconds: float


def run_demo(root: Path, assignment: str, *, console: Console, class_file: Path) -> Outcome:
    """Grade the sample class of a lesson in a folder of its own, with real nbgrader throughout.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder; the demo works in ``demo_class/`` below it, which it empties first.
    assignment : str
        The lesson.
    console : rich.console.Console
        Where progress and the table are shown.
    class_file : pathlib.Path
        The students, as data.

    Raises
    ------
    DemoError
        If a step of nbgrader fails, or ``demo_class/`` holds something that the demo did not make.
    """
    started = time.monotonic()
    folder = root / FOLDER
    course = _fresh_course(root, folder, assignment)
    config = load_course(course)
    students = read_class(
        class_file,
        lesson=root / "lessons" / assignment / f"{assignment}.ipynb",
        solution=root / "solutions" / assignment / f"{assignment}.ipynb",
        variants=root / "tests" / "variants" / f"{assignment}.toml",
    )
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with _quiet(), Progress(*columns, console=console) as progress:
        teacher = _api(config)
        _step("generate_assignment", teacher.generate_assignment(assignment))
        _step("release_assignment", teacher.release_assignment(assignment))
        bar = progress.add_task("submit", total=len(students))
        for student in students:
            _hand_in(config, folder, assignment, student)
            progress.advance(bar)
        _step("collect", teacher.collect(assignment))
        bar = progress.add_task("grade", total=len(students))

        def tell(row: Row) -> None:
            progress.update(bar, advance=1, description=f"grade · {row.student}")

        rows = grade(course, assignment, config=config, on_row=tell)
        progress.update(bar, description="grade")
        bar = progress.add_task("feedback", total=len(rows))
        for row in rows:
            if row.graded:
                _step("generate_feedback", teacher.generate_feedback(assignment, row.student))
                _step("release_feedback", teacher.release_feedback(assignment, row.student))
            progress.advance(bar)
        grades = course / "grades.csv"
        _export(config, grades)
    surprises = _surprises(students, rows)
    wrong = {surprise.split(":", 1)[0] for surprise in surprises}
    marks = {row.student: "no" if row.student in wrong else "✓" for row in rows}
    order = {student.id: position for position, student in enumerate(students)}
    rows.sort(key=lambda row: order[row.student])
    stories = {student.id: student.story for student in students}
    console.print(class_table(rows, title=f"A sample class in {assignment}", marks=marks))
    console.print("[bold]The students:[/bold]")
    for row in rows:
        console.print(f"  {row.student:<10} {stories[row.student]}", highlight=False)
    return Outcome(
        rows=rows,
        surprises=surprises,
        gradebook=course / "gradebook.db",
        feedback=course / "feedback",
        grades=grades,
        seconds=time.monotonic() - started,
    )


def _fresh_course(root: Path, folder: Path, assignment: str) -> Path:
    if folder.exists():
        if not (folder / MARKER).exists():
            raise DemoError(f"{folder} was not made by the demo: move it away and try again")
        shutil.rmtree(folder)
    course = folder / "course"
    source = course / "solutions" / assignment
    source.mkdir(parents=True)
    (folder / MARKER).touch()
    # nbgrader insists on an exchange that everybody may write to.
    (folder / "exchange").mkdir()
    (folder / "exchange").chmod(0o777)
    notebook = root / "solutions" / assignment / f"{assignment}.ipynb"
    if not notebook.exists():
        raise DemoError(f"{notebook} is missing: run `autograder build {assignment}` first")
    shutil.copy(notebook, source)
    (course / CONFIG_FILE).write_text(_COURSE_CONFIG.format(config=CONFIG_FILE), encoding="utf-8")
    return course


def _api(config: Config) -> NbGraderAPI:
    return NbGraderAPI(
        coursedir=CourseDirectory(config=config),
        exchange=ExchangeFactory(config=config),
        config=config,
    )


def _hand_in(config: Config, folder: Path, assignment: str, student: Student) -> None:
    """Fetch the lesson as a student, put the answers in, submit."""
    home = folder / "students" / student.id
    home.mkdir(parents=True)
    own = Config(config)
    own.CourseDirectory.student_id = student.id
    own.Exchange.assignment_dir = str(home)
    own.Exchange.cache = str(home / ".cache")
    exchange = ExchangeFactory(config=own)
    parts = {
        "coursedir": CourseDirectory(config=own, assignment_id=assignment),
        "authenticator": Authenticator(config=own),
        "config": own,
    }
    here = os.getcwd()
    os.chdir(home)
    try:
        fetched = capture_log(exchange.FetchAssignment(**parts))
        _step(f"fetch_assignment ({student.id})", fetched)
        (home / assignment / f"{assignment}.ipynb").write_bytes(student.content)
        _step(f"submit ({student.id})", capture_log(exchange.Submit(**parts)))
    finally:
        os.chdir(here)


def _step(name: str, result: dict[str, object] | None) -> None:
    if result is None or not result["success"]:
        words = "" if result is None else str(result.get("error") or result.get("log"))
        raise DemoError(f"{name} failed: {words.strip()}")


def _export(config: Config, path: Path) -> None:
    course = CourseDirectory(config=config)
    plugin = CsvExportPlugin(config=config)
    plugin.to = str(path)
    with Gradebook(course.db_url, course.course_id) as gradebook:
        plugin.export(gradebook)


def _surprises(students: list[Student], rows: list[Row]) -> list[str]:
    """Compare every row with its design."""
    by_student = {row.student: row for row in rows}
    surprises = []
    for student in students:
        row = by_student.get(student.id)
        if row is None:
            surprises.append(f"{student.id}: has no row")
            continue
        for score in row.scores:
            expected = student.points[score.exercise]
            if score.points != expected:
                surprises.append(
                    f"{student.id}: {score.exercise} earned {score.points}, designed {expected}"
                )
        if student.remark not in remark(row):
            surprises.append(
                f"{student.id}: the remark is {remark(row)!r}, designed to say {student.remark!r}"
            )
    return surprises


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # nbgrader 0.9.6 under SQLAlchemy 2.1 warns at every new submission; nothing is wrong.
        warnings.simplefilter("ignore", SAWarning)
        yield
