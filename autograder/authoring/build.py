"""Build lessons: only what changed, and nothing half done."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from autograder.authoring.execution import MAX_BYTES, ExecutionError, execute
from autograder.authoring.leaks import find_leaks
from autograder.authoring.release import ReleaseError, release
from autograder.authoring.source import AuthoringError, read_source
from autograder.configuration import load_course

Progress = Callable[[str, int, int], None]


class BuildError(Exception):
    """Something could not be built; the message says which lesson, which cell, and why."""


def lesson_names(root: Path, wanted: Iterable[str] = ()) -> list[str]:
    """List the lessons of a course, or the wanted ones among them.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    wanted : iterable of str
        Names, or beginnings of names such as ``"02"``; all lessons if empty.

    Raises
    ------
    BuildError
        If a name fits no lesson, or more than one.
    """
    names = sorted(
        folder.name
        for folder in (root / "solutions").glob("*")
        if (folder / f"{folder.name}.py").is_file()
    )
    chosen = []
    for word in wanted:
        word = word.rstrip("/").rsplit("/", 1)[-1]
        found = [name for name in names if name == word] or [
            name for name in names if name.startswith(word)
        ]
        if len(found) != 1:
            problem = "fits no lesson" if not found else f"fits {', '.join(found)}"
            raise BuildError(f"{word!r} {problem}; the lessons are: {', '.join(names) or 'none'}")
        chosen.append(found[0])
    return chosen or names


def build(
    root: Path,
    names: Iterable[str] = (),
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Build solution notebooks and lessons from the authors' texts.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    names : iterable of str
        Lessons to build; all if empty.
    force : bool
        Build also what is up to date.
    progress : callable, optional
        Called with (lesson, cells done, cells in all).

    Returns
    -------
    dict of str to str
        Lesson → ``"built"`` or ``"up to date"``.

    Raises
    ------
    BuildError
        At the first lesson that fails; what was built before it is kept, and the notebooks of the
        failed one stay as they were.
    """
    config = load_course(root)
    done: dict[str, str] = {}
    for name in lesson_names(root, names):
        try:
            source = _read(root, name)
            if not force and not _stale(root, name, source, config):
                done[name] = "up to date"
                continue
            lesson = release(source, name=name, config=config)
            report = (lambda now, of, name=name: progress(name, now, of)) if progress else None
            solution = execute(source, name=name, folder=root / "solutions" / name, on_cell=report)
        except (AuthoringError, ExecutionError, ReleaseError) as error:
            raise BuildError(str(error)) from None
        text = as_json(solution)
        if len(text.encode()) > MAX_BYTES:
            raise BuildError(
                f"{name}: the solution notebook has {len(text.encode()) / 1000:.0f} kB; "
                f"at most {MAX_BYTES / 1000:.0f} kB: use fewer or smaller figures"
            )
        _replace(solution_path(root, name), text)
        _replace(lesson_path(root, name), lesson)
        done[name] = "built"
    leaks = find_leaks(root / "lessons", root / "solutions")
    if leaks:
        raise BuildError("lessons/ holds what students must not see:\n  " + "\n  ".join(leaks))
    return done


def check(root: Path, names: Iterable[str] = ()) -> list[str]:
    """Tell what is not as the authors' texts say, without running anything.

    Cells, metadata and the source's digest are compared; outputs never are.

    Returns
    -------
    list of str
        One sentence for each problem; empty when all is fresh and nothing leaks.
    """
    config = load_course(root)
    problems: list[str] = []
    for name in lesson_names(root, names):
        try:
            source = _read(root, name)
            problems.extend(_stale(root, name, source, config))
        except (AuthoringError, ReleaseError) as error:
            problems.append(str(error))
    known = set(lesson_names(root))
    for folder in sorted((root / "lessons").glob("*/")):
        if folder.name not in known:
            problems.append(f"lessons/{folder.name}: has no source in solutions/; remove it")
    return problems + find_leaks(root / "lessons", root / "solutions")


def solution_path(root: Path, name: str) -> Path:
    """Path of the executed solution notebook."""
    return root / "solutions" / name / f"{name}.ipynb"


def lesson_path(root: Path, name: str) -> Path:
    """Path of the notebook that students get."""
    return root / "lessons" / name / f"{name}.ipynb"


def as_json(notebook: NotebookNode) -> str:
    """Write a notebook as text, keys in order, so that the same notebook gives the same bytes."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """Copy a notebook and take away what running it left behind."""
    bare = nbformat.from_dict(json.loads(json.dumps(notebook)))
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def _read(root: Path, name: str) -> NotebookNode:
    return read_source(root / "solutions" / name / f"{name}.py")


def _stale(root: Path, name: str, source: NotebookNode, config: Config) -> list[str]:
    problems = []
    try:
        built = json.loads(solution_path(root, name).read_bytes())
    except (OSError, ValueError):
        problems.append(f"{name}: there is no readable solution notebook; run `autograder build`")
    else:
        if as_json(without_outputs(built)) != as_json(without_outputs(source)):
            problems.append(
                f"{name}: the solution notebook is not what the text gives; run `autograder build`"
            )
        elif not any(cell.get("outputs") for cell in built["cells"]):
            problems.append(f"{name}: the solution notebook was not executed")
    if problems:
        return problems
    try:
        lesson = lesson_path(root, name).read_text(encoding="utf-8")
    except OSError:
        return [f"{name}: there is no lesson; run `autograder build`"]
    if lesson != release(source, name=name, config=config):
        return [f"{name}: the lesson is not what the text gives; run `autograder build`"]
    return []


def _replace(path: Path, text: str) -> None:
    """Write a file in one step, so that an interrupted build leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
