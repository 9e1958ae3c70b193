"""What came in with a submission: its notebooks, the files that are accepted, and its time.

A file that is a link, that is too large, or that would take the place of a library is left out,
and a remark says so. Nothing here believes a name, a size or a time that a student could choose.
"""

import contextlib
import dataclasses
import datetime
import functools
import glob
import hashlib
import mimetypes
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.assignment.imports import needed
from autograder.assignment.released import (
    ReleasedNotebook,
    check_names,
    read_helpers,
    read_notebook,
)
from autograder.assignment.seeds import course_secret, submission_seed
from autograder.submissions import times
from autograder.submissions.reading import RefusedError, read_bytes
from autograder.workers.tasks import Result, Task

MAX_FILES = 1_000
MAX_REMARKS = 20
MAX_DEPTH = 10
MAX_NAME = 200
# Kept in autograded/, as nbgrader does, but no business of a room.
RECORDS = ("timestamp.txt", "submission_secret.txt")
# What editors, browsers and systems leave behind: not taken, not worth a remark.
_DEBRIS = (
    *(".ipynb_checkpoints", "__pycache__", "__MACOSX", ".DS_Store", "Thumbs.db", ".git"),
    *(".gitignore", ".vscode", ".idea", times.RECORD),
)
_STARTUP = (
    *("sitecustomize*", "usercustomize*", "ipython_config.*", "ipython_kernel_config.*"),
    *("jupyter_*config.*", "*.pth", "pyvenv.cfg", "matplotlibrc", "startup", "profile_default"),
)
# What decides about scores; a new version of the terminal's colours grades nobody again.
_VERSIONED = (
    *("cnn-course", "ipykernel", "ipython", "keras", "matplotlib", "nbclient", "numpy", "scipy"),
    *("tensorflow", "tensorflow-cpu", "pandas", "torch"),
)
_MODULE_ENDINGS = (".py", ".pyc", ".pyo", ".so", ".pyd", ".pyw", ".zip", ".egg", ".whl")


@dataclasses.dataclass(frozen=True)
class Options:
    """What a course asks for.

    Attributes
    ----------
    limits : dict of str to float
        What rooms may use.
    settings : dict of str to anything plain
        How rooms are made.
    """

    limits: dict[str, Any]
    settings: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Intake:
    """One submission as it lies in the course's folder.

    Attributes
    ----------
    folder : pathlib.Path
        Where it lies.
    notebooks : tuple of pathlib.Path
        Its notebooks, sorted.
    files : dict of str to bytes
        Accepted files, relative name → content.
    records : dict of str to bytes
        What nbgrader wrote beside them.
    refused : tuple of str
        Relative names of what is left out.
    remarks : tuple of str
        One sentence for each thing that the instructor should know.
    submitted : datetime.datetime or None
        When it was handed in (UTC, without zone); None if nobody knows.
    """

    folder: Path
    notebooks: tuple[Path, ...]
    files: dict[str, bytes]
    records: dict[str, bytes]
    refused: tuple[str, ...]
    remarks: tuple[str, ...]
    submitted: datetime.datetime | None


def take_in(course: CourseDirectory, config: Config, assignment: str, student: str) -> Intake:
    """Look at a submission; nothing is changed.

    Parameters
    ----------
    course : nbgrader.coursedir.CourseDirectory
        Where submissions lie, what to ignore, how large they may be.
    config : traitlets.config.Config
        The course's configuration, for the place of the exchange.
    assignment, student : str
        Which submission.
    """
    folder = Path(course.format_path(course.submitted_directory, student, assignment))
    files: dict[str, bytes] = {}
    records: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    left = course.max_dir_size * 1000
    most = course.max_file_size * 1000
    for name, descriptor, inside, why in walk(folder, course.ignore):
        if why is None and len(files) >= MAX_FILES:
            why = f"more than {MAX_FILES} files"
        if why is None:
            try:
                content = read_bytes(name, min(most, left), folder=descriptor)
            except RefusedError as error:
                why = str(error)
            else:
                left -= len(content)
                (records if inside in RECORDS else files)[inside] = content
        if why is not None:
            refused[inside] = why
    named = {name: why for name, why in refused.items() if why}
    remarks = [f"left out: {_shown(name)}, {why}" for name, why in list(named.items())]
    if len(remarks) > MAX_REMARKS:
        remarks = [*remarks[:MAX_REMARKS], f"left out: {len(remarks) - MAX_REMARKS} more files"]
    when, doubts = times.submitted_at(
        folder,
        _claimed_time(folder, records),
        root=Path(course.root),
        inbound=times.inbound_folder(config, course.course_id),
        student=student,
        assignment=assignment,
    )
    notebooks = tuple(
        sorted(Path(path) for path in glob.glob(f"{glob.escape(str(folder))}/*.ipynb"))
    )
    return Intake(folder, notebooks, files, records, tuple(refused), (*remarks, *doubts), when)


def _claimed_time(folder: Path, records: Mapping[str, bytes]) -> bytes | None:
    """What stands in ``timestamp.txt``; nothing readable if that is a link or a folder."""
    if "timestamp.txt" in records:
        return records["timestamp.txt"]
    return b"" if os.path.lexists(folder / "timestamp.txt") else None


def settled(intake: Intake, root: Path) -> Intake:
    """Make a submission's ``timestamp.txt`` say the time that counts: nbgrader reads no other."""
    claimed = _claimed_time(intake.folder, intake.records)
    now = times.settle(intake.folder, intake.submitted, claimed, root=root, doubts=intake.remarks)
    if now == claimed:
        return intake
    return dataclasses.replace(intake, records={**intake.records, "timestamp.txt": now})


def walk(
    folder: Path, ignore: Sequence[str], *, by_name: bool = True
) -> Iterator[tuple[str, int, str, str | None]]:
    """Go through the files of a submission without following a link.

    Parameters
    ----------
    folder : pathlib.Path
        The submission.
    ignore : sequence of str
        Patterns of names that are passed over, as in ``CourseDirectory.ignore``.
    by_name : bool
        Whether notebooks are passed over, and names that a room must not see refused.

    Yields
    ------
    (str, int, str, str or None)
        Name, descriptor of the folder it is in, relative name, and why it is refused. An empty
        reason is a refusal that nobody needs to be told.
    """
    seen = 0
    for place, folders, names, descriptor in os.fwalk(folder, follow_symlinks=False):
        parts = Path(place).relative_to(folder).parts
        kept = []
        for name in sorted(folders):
            inside = "/".join((*parts, name))
            if _matches(name, ignore):
                continue
            why = _why_not(inside, is_folder=True) if by_name else None
            about = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISLNK(about.st_mode):
                why = "a link to another place"
            elif len(parts) >= MAX_DEPTH:
                why = f"more than {MAX_DEPTH} folders deep"
            if why is None:
                kept.append(name)
            else:
                yield name, descriptor, inside, why
        folders[:] = kept
        for name in sorted(names):
            if _matches(name, ignore) or (by_name and name.endswith(".ipynb")):
                continue
            seen += 1
            if seen > 10 * MAX_FILES:
                return
            inside = "/".join((*parts, name))
            yield name, descriptor, inside, _why_not(inside, is_folder=False) if by_name else None


def runs_in_browsers(name: str) -> bool:
    """Whether a browser that is sent this file would run what is in it.

    The formgrader serves a submission's files from the instructor's own server. Such files are
    there for the submission while it is graded, but not in ``autograded/``.
    """
    kind = mimetypes.guess_type(name)[0] or ""
    return kind.endswith(("html", "xml")) or kind in ("multipart/related", "message/rfc822")


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _why_not(inside: str, *, is_folder: bool) -> str | None:
    """Why a file or folder is left out because of its name; empty: without a remark."""
    name = inside.rpartition("/")[2]
    if name in _DEBRIS:
        return ""
    if inside in RECORDS:
        return "a folder where a file belongs" if is_folder else None
    try:
        inside.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is no text in UTF-8"
    if len(name) > MAX_NAME or not name.isprintable() or "\\" in name:
        return "a name that is too long or has odd characters"
    if _matches(name, _STARTUP):
        return "a file that programs read when they start"
    if name.startswith("."):
        return "a hidden file"
    if not is_folder and name.endswith(_MODULE_ENDINGS):
        module = inside.partition("/")[0].partition(".")[0]
        if module in library_modules():
            return f"it would take the place of the library {module!r}"
    return None


@functools.cache
def library_modules() -> frozenset[str]:
    """Names that libraries are imported by: Python's own and everything installed."""
    found = set(sys.stdlib_module_names) | set(sys.builtin_module_names)
    for place in sys.path:
        if "-packages" not in place:
            continue
        with contextlib.suppress(OSError):
            for entry in os.scandir(place):
                name = entry.name.partition(".")[0]
                if name.isidentifier() and (entry.is_dir() or entry.name.endswith(_MODULE_ENDINGS)):
                    found.add(name)
    found.add("autograder")
    return frozenset(found)


def _shown(name: str) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= 80 else text[:77] + "…"


def guard_converter(converter: Autograde) -> None:
    """Keep nbgrader's own converter from copying what is refused, and from a forged time.

    nbgrader copies every file of a submission that the course does not ignore: here the refused
    ones are added to that list, by their full path. A ``timestamp.txt`` that is not the time that
    counts is rewritten: nbgrader reads no other.
    """
    course = converter.coursedir
    submitted = str(Path(course.format_path(course.submitted_directory, ".", ".")).parent)
    # Full paths of an earlier run of the same server are not needed any more.
    patterns = [pattern for pattern in course.ignore if not pattern.startswith(submitted)]
    course.ignore = patterns
    added: list[str] = []
    for folder in converter.assignments:
        found = re.match(
            course.format_path(
                course.submitted_directory, "(?P<student>.*)", "(?P<assignment>.*)", escape=True
            ),
            folder,
        )
        if found is None:
            continue
        intake = take_in(course, converter.config, found["assignment"], found["student"])
        unseen = [name for name in intake.files if runs_in_browsers(name)]
        added += [glob.escape(os.path.join(folder, name)) for name in (*intake.refused, *unseen)]
        added.append(glob.escape(os.path.join(folder, times.RECORD)))
        settled(intake, Path(course.root))
    course.ignore = [*patterns, *added]


def make_task(
    notebook: Mapping[str, Any],
    released: ReleasedNotebook,
    *,
    helpers: Mapping[str, bytes],
    files: Mapping[str, bytes],
    overwritable: Sequence[str],
    secret: bytes,
    assignment: str,
    student: str,
    options: Options,
) -> Task:
    """Put together everything that grading one sanitised notebook depends on.

    Parameters
    ----------
    notebook : mapping
        The sanitised notebook.
    released : ReleasedNotebook
        What was handed out.
    helpers, files : mapping of str to bytes
        The instructor's files and the student's.
    overwritable : sequence of str
        Names of helpers of which the student's version counts (``exclude_overwriting``).
    secret : bytes
        The course's secret.
    assignment, student : str
        Whose submission it is.
    options : Options
        Limits and settings.
    """
    own = {
        name: content
        for name, content in files.items()
        if name not in helpers or name in overwritable
    }
    return Task(
        notebook=dict(notebook),
        names=released.names.student,
        prelude=released.names.prelude,
        helpers=helpers,
        files=own,
        seed=submission_seed(secret, assignment, student, notebook, own),
        limits=options.limits,
        settings=options.settings,
    )


def task_for(
    nb: Mapping[str, Any], resources: dict[str, Any], config: Config, course: CourseDirectory
) -> Task:
    """Make the task of a sanitised notebook on its way through nbgrader's own converter.

    Parameters
    ----------
    nb : mapping
        What :class:`autograder.submissions.sanitising.RestoreFromRelease` made.
    resources : dict
        nbgrader's: ``resources["nbgrader"]`` names student, assignment, notebook and gradebook.
    config : traitlets.config.Config
        The course's configuration.
    course : nbgrader.coursedir.CourseDirectory
        Its folders.

    Raises
    ------
    autograder.assignment.released.ReleaseError
        If a test cell uses a name that nothing stands for.
    """
    place = resources["nbgrader"]
    with Gradebook(place["db_url"]) as gradebook:
        found = gradebook.find_notebook(place["notebook"], place["assignment"])
        released = read_notebook(found, course, place["assignment"])
    check_names(released)
    return make_task(
        nb,
        released,
        helpers=read_helpers(course, place["assignment"]),
        files=take_in(course, config, place["assignment"], place["student"]).files,
        overwritable=overwritable_files(config, place["assignment"]),
        secret=course_secret(Path(course.root)),
        assignment=place["assignment"],
        student=place["student"],
        options=options_of(config, course, place["assignment"]),
    )


def overwritable_files(config: Config, assignment: str) -> tuple[str, ...]:
    """Names of the instructor's files of which a student's own version counts."""
    chosen = config.Autograde.get("exclude_overwriting", {})
    return tuple(chosen.get(assignment, ()))


def options_of(config: Config, course: CourseDirectory, assignment: str) -> Options:
    """Limits and settings that a course asks for, and an assignment needs."""
    from autograder import examination

    limits, settings = examination.task_options(config)
    source = Path(course.format_path(course.source_directory, ".", assignment))
    return Options(limits, settings | {"preload": needed(settings["preload"], source)})


def examine_in_place(
    nb: NotebookNode,
    resources: dict[str, Any],
    config: Config,
    course: CourseDirectory,
    examine: Callable[[bytes], bytes],
) -> NotebookNode:
    """Examine a sanitised notebook on its way through nbgrader's own converter.

    Parameters
    ----------
    nb, resources, config, course
        See :func:`task_for`.
    examine : callable
        From a task's bytes to a result's.

    Returns
    -------
    nbformat.NotebookNode
        The notebook with outputs, verdicts and digest, as the class's grading writes it.
    """
    place = resources["nbgrader"]
    task = task_for(nb, resources, config, course)
    result = Result.read(examine(task.to_bytes()), task)
    examined = nbformat.from_dict(result.notebook)
    submitted = take_in(course, config, place["assignment"], place["student"]).submitted
    examined.metadata.autograder["digest"] = digest_of(task, submitted)
    return examined


@functools.cache
def environment() -> str:
    """Versions that a result depends on: Python, this package and the libraries of lessons."""
    parts = [f"python {sys.version_info[0]}.{sys.version_info[1]}"]
    for name in _VERSIONED:
        with contextlib.suppress(PackageNotFoundError):
            parts.append(f"{name} {version(name)}")
    return ", ".join(parts)


def digest_of(task: Task, submitted: datetime.datetime | None) -> str:
    """Digest of everything that a graded notebook depends on; equal means nothing to do."""
    about = f"{task.key}\n{submitted or ''}\n{environment()}"
    return hashlib.sha256(about.encode()).hexdigest()
