"""Publish: choose, look, write, commit, look again."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from autograder.configuration import load_course
from autograder.publishing.repository import Repository, RepositoryError
from autograder.publishing.secrets import Secrets
from autograder.publishing.selection import SelectionError, lessons_in, select
from autograder.publishing.surroundings import surroundings

MAX_TOLD = 10


class PublishError(Exception):
    """Nothing was published; the message says why."""


@dataclasses.dataclass(frozen=True)
class Published:
    """What was published.

    Attributes
    ----------
    folder : pathlib.Path
        The students' repository.
    lessons : tuple of str
        Its lessons.
    files : int
        Files in it.
    bytes : int
        Their size together.
    objects : int
        Objects of Git that were read.
    secrets : int
        Lines that were looked for.
    commit : str
        Id of the last commit.
    changed : bool
        Whether this run made it.
    """

    folder: Path
    lessons: tuple[str, ...]
    files: int
    bytes: int
    objects: int
    secrets: int
    commit: str
    changed: bool


def publish(
    root: Path,
    folder: Path,
    names: Iterable[str] = (),
    *,
    message: str = "",
    progress: Callable[[str, int, int], None] = lambda what, now, of: None,
) -> Published:
    """Write the students' repository, or add a commit to it. Nothing is pushed.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    folder : pathlib.Path
        The repository's, outside the course.
    names : iterable of str
        Beginnings of names of lessons; all if empty.
    message : str
        Of the commit.
    progress : callable
        Is told what is looked at, how many are done, and of how many.

    Raises
    ------
    PublishError
        If the folder is not for this, or if anything in it would tell an answer.
    """
    course_id = str(load_course(root).CourseDirectory.get("course_id", ""))
    folder = folder.absolute()
    if folder.resolve().is_relative_to(root.resolve()):
        raise PublishError(f"{folder} lies inside the course: name a folder outside of it")
    repository = Repository(folder)
    secrets = Secrets.of_course(root)
    try:
        before = repository.look(course_id)
        lessons = lessons_in(root, names)
        files = select(root, lessons)
        files |= surroundings(root, files)
        _refuse(_look_at(files, secrets, progress), "Nothing was written")
        known = {_blob(content) for content in files.values()}
        if before:
            # What is in the history stays in it: better known before there is more.
            _refuse(_in_history(repository, secrets, known, progress)[0], _HISTORY)
        text = message or f"Lessons: {', '.join(lessons)}"
        _refuse(secrets.leaks("the message of the commit", text.encode()), "Nothing was written")
        changed = repository.write(files, course_id, text)
        leaks, objects = _in_history(repository, secrets, known, progress)
        _refuse(leaks, _HISTORY)
        commit = repository.commit()
    except (SelectionError, RepositoryError) as error:
        raise PublishError(str(error)) from None
    return Published(
        folder=folder,
        lessons=tuple(lessons),
        files=len(files),
        bytes=sum(map(len, files.values())),
        objects=objects,
        secrets=len(secrets.lines),
        commit=commit,
        changed=changed,
    )


# A name in a tree of Git: mode, name, and the 20 bytes of what is there.
_ENTRY = re.compile(rb"\d{5,6} ([^\0]+)\0.{20}", re.DOTALL)
_HISTORY = "Do not push this repository; remove it and publish into a new folder"


def _look_at(
    files: dict[str, bytes], secrets: Secrets, progress: Callable[[str, int, int], None]
) -> list[str]:
    leaks = []
    for number, (name, content) in enumerate(files.items(), start=1):
        leaks += secrets.leaks(name, content)
        progress("files", number, len(files))
    return leaks


def _in_history(
    repository: Repository,
    secrets: Secrets,
    known: set[str],
    progress: Callable[[str, int, int], None],
) -> tuple[list[str], int]:
    """Leaks in all objects, but for contents that were looked at a moment ago."""
    leaks, count = [], 0
    for kind, identity, content in repository.objects():
        count += 1
        if identity not in known:
            leaks += secrets.leaks(f"{kind} {identity[:10]} in the history", content)
        if kind == "tree":
            leaks += secrets.private_names(_ENTRY.findall(content), identity)
        progress("history", count, count)
    return leaks, count


def _blob(content: bytes) -> str:
    """Name that Git gives to a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _refuse(leaks: list[str], then: str) -> None:
    if not leaks:
        return
    shown = leaks[:MAX_TOLD]
    more = [f"… and {len(leaks) - MAX_TOLD} more"] if len(leaks) > MAX_TOLD else []
    raise PublishError("\n  ".join(["answers would get out:", *shown, *more, f"{then}."]))
