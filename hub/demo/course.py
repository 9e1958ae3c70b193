"""What the demo hub shows: homes, an exchange, and the instructor's copy of the course."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from autograder.configuration import CONFIG_FILE, load_course
from hub.demo.errors import DemoHubError

COURSE_FOLDER = "course"  # in the instructor's home
_CONFIG = '''"""The demo hub's copy of the course: the course's own settings, other folders."""

from pathlib import Path

from autograder import policy

here = Path(__file__).resolve().parent
c = get_config()
load_subconfig("{file}", path={original!r})
c.CourseDirectory.root = str(here)
c.CourseDirectory.db_url = f"sqlite:///{{here / 'gradebook.db'}}"
c.CourseDirectory.course_id = {course_id!r}
# All accounts of a demo hub are one user of this machine: owners of files prove nothing.
policy.use_exchange(c, {exchange!r}, identity="one user")
'''


class Layout:
    """Folders of a demo hub.

    Parameters
    ----------
    state : pathlib.Path
        The folder that holds everything the hub makes.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self.homes = state / "homes"
        self.exchange = state / "exchange"
        self.proxy = state / "proxy"
        self.log = state / "hub.log"
        self.settings = state / "settings.json"

    def course(self, instructor: str) -> Path:
        """The instructor's copy of the course."""
        return self.homes / instructor / COURSE_FOLDER


def course_id(original: Path) -> str:
    """The course's id, as its own configuration says."""
    return str(load_course(original).CourseDirectory.get("course_id", "") or "course")


def finished_lessons(original: Path) -> list[str]:
    """Lessons of a course that are built: both a solution notebook and a lesson are there.

    Raises
    ------
    DemoHubError
        If there is none.
    """
    config = load_course(original).CourseDirectory
    source = original / config.get("source_directory", "source")
    release = original / config.get("release_directory", "release")
    names = sorted(
        folder.name
        for folder in source.glob("*/")
        if any(folder.glob("*.ipynb")) and any((release / folder.name).glob("*.ipynb"))
    )
    if not names:
        raise DemoHubError(
            f"{original} has no finished lesson, in {source.name}/ and in {release.name}/: run "
            "`autograder build` first, or name another course with --course"
        )
    return names


def prepare(
    original: Path,
    layout: Layout,
    *,
    instructor: str,
    students: Sequence[str],
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> list[str]:
    """Make what is missing; what is there already, marks and answers above all, stays as it is.

    Parameters
    ----------
    original : pathlib.Path
        The course.
    layout : Layout
        Where the hub keeps what it makes.
    instructor, students : str, sequence of str
        Names of the accounts.
    tell : callable
        Called with (lesson, lessons done, lessons in all).

    Returns
    -------
    list of str
        The lessons that are released now.

    Raises
    ------
    DemoHubError
        If nbgrader cannot make or release a lesson.
    """
    names = finished_lessons(original)
    for name in (instructor, *students):
        (layout.homes / name).mkdir(parents=True, exist_ok=True)
    # nbgrader insists on an exchange that everybody may write to; nobody else gets into `state`.
    layout.exchange.mkdir(exist_ok=True)
    layout.exchange.chmod(0o1777)
    course = layout.course(instructor)
    course.mkdir(exist_ok=True)
    config = course / CONFIG_FILE
    identity = course_id(original)
    if not config.exists():
        config.write_text(
            _CONFIG.format(
                file=CONFIG_FILE,
                original=str(original),
                course_id=identity,
                exchange=str(layout.exchange),
            ),
            encoding="utf-8",
        )
    outbound = layout.exchange / identity / "outbound"
    missing = [name for name in names if not (outbound / name).exists()]
    if missing:
        _release(original, course, missing, tell)
    known = layout.state / "enrolled.txt"
    enrolled = known.read_text().split() if known.exists() else []
    if set(students) - set(enrolled):
        _enrol(course, students)
        known.write_text("\n".join(dict.fromkeys((*enrolled, *students))))
    return names


def _enrol(course: Path, students: Sequence[str]) -> None:
    """Give the accounts names in the gradebook: the formgrader shows them."""
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory

    settings = CourseDirectory(config=load_course(course))
    with Gradebook(settings.db_url, settings.course_id) as gradebook:
        for name in students:
            gradebook.update_or_create_student(
                name, first_name=name.capitalize(), last_name="Student"
            )


def _release(
    original: Path, course: Path, names: Sequence[str], tell: Callable[[str, int, int], None]
) -> None:
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import ExchangeFactory

    config = load_course(course)
    source = config.CourseDirectory.get("source_directory", "source")
    api = NbGraderAPI(
        coursedir=CourseDirectory(config=config),
        exchange=ExchangeFactory(config=config),
        config=config,
    )
    here = os.getcwd()
    try:
        os.chdir(course)  # nbgrader keeps its log where it is started
        for number, name in enumerate(names):
            tell(name, number, len(names))
            if not (course / source / name).exists():
                shutil.copytree(original / source / name, course / source / name)
            for step in (api.generate_assignment, api.release_assignment):
                done = step(name)
                if not done["success"]:
                    words = str(done.get("error") or done.get("log") or "").strip().splitlines()
                    raise DemoHubError(
                        f"nbgrader could not prepare {name} ({step.__name__}): "
                        f"{words[-1] if words else 'it gave no reason'}"
                    )
            tell(name, number + 1, len(names))
    finally:
        os.chdir(here)
