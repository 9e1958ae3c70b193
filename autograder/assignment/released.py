"""What the instructor made: the cells of an assignment, its files, and whose its names are."""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry, Notebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files

from autograder.assignment.names import Cell, Names, cells_of, instructor_names

CELL_KINDS = ("code", "markdown", "raw")
MAX_HELPER_BYTES = 100_000_000
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")


class ReleaseError(Exception):
    """An assignment cannot be graded as it was released; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class ReleasedNotebook:
    """One notebook of an assignment, from the instructor's side.

    Attributes
    ----------
    name : str
        Name of the notebook.
    templates : dict of str to nbformat.NotebookNode
        Cells that nbgrader knows, by name, in reading order, as the gradebook has them.
    metadata : dict
        Kernel and language.
    names : Names
        Whose the names of the test cells are.
    ordered : bool
        Whether the order of the cells is known.
    """

    name: str
    templates: dict[str, NotebookNode]
    metadata: dict[str, Any]
    names: Names
    ordered: bool


@dataclasses.dataclass(frozen=True)
class Released:
    """An assignment from the instructor's side.

    Attributes
    ----------
    assignment : str
        Name of the assignment.
    notebooks : dict of str to ReleasedNotebook
        Its notebooks by name.
    helpers : dict of str to bytes
        Files beside the source notebooks; nbgrader hands them out, and puts them back.
    """

    assignment: str
    notebooks: dict[str, ReleasedNotebook]
    helpers: dict[str, bytes]


def read_released(gradebook: Gradebook, course: CourseDirectory, assignment: str) -> Released:
    """Read an assignment from the gradebook and from the course's folders.

    Raises
    ------
    ReleaseError
        If the assignment is not in the gradebook, or a test cell uses a name that nothing stands
        for.
    """
    try:
        found = gradebook.find_assignment(assignment)
    except MissingEntry:
        raise ReleaseError(
            f"{assignment} is not in the gradebook; run `nbgrader generate_assignment "
            f"{assignment}` first"
        ) from None
    notebooks = {
        notebook.name: read_notebook(notebook, course, assignment)
        for notebook in sorted(found.notebooks, key=lambda notebook: notebook.name)
    }
    if not notebooks:
        raise ReleaseError(
            f"{assignment} has no notebook in the gradebook; run `nbgrader generate_assignment "
            f"{assignment}` first"
        )
    for notebook in notebooks.values():
        check_names(notebook)
    return Released(assignment, notebooks, read_helpers(course, assignment))


def check_names(notebook: ReleasedNotebook) -> None:
    """Raise :class:`ReleaseError` if a test cell uses a name that nothing stands for."""
    if notebook.names.errors:
        raise ReleaseError(f"{notebook.name}: {'; '.join(notebook.names.errors)}")


def read_notebook(notebook: Notebook, course: CourseDirectory, assignment: str) -> ReleasedNotebook:
    """Read one notebook: cells from the gradebook, order and solutions from the folders."""
    source = _load(course, course.source_directory, assignment, notebook.name)
    release = _load(course, course.release_directory, assignment, notebook.name)
    shown = release or source
    order = [] if shown is None else list(_names_in_order(shown))
    templates = _templates(notebook, order)
    texts = {name: cell.source for name, cell in templates.items() if cell.metadata.nbgrader.locked}
    if source is not None:
        cells = cells_of(source, texts)
    elif release is not None:
        cells = cells_of(release, texts)
    else:
        cells = _cells_without_folders(templates)
    metadata: dict[str, Any] = {}
    if notebook.kernelspec:
        metadata["kernelspec"] = json.loads(notebook.kernelspec)
    if shown is not None and isinstance(shown["metadata"].get("language_info"), dict):
        metadata["language_info"] = shown["metadata"]["language_info"]
    return ReleasedNotebook(
        name=notebook.name,
        templates=templates,
        metadata=metadata,
        names=instructor_names(cells, complete=source is not None),
        ordered=bool(order),
    )


def read_helpers(course: CourseDirectory, assignment: str) -> dict[str, bytes]:
    """Files beside the source notebooks, relative name → content, as nbgrader hands them out."""
    folder = course.format_path(course.source_directory, ".", assignment)
    helpers: dict[str, bytes] = {}
    size = 0
    for path in sorted(find_all_files(folder, [*course.ignore, "*.ipynb"])):
        size += os.path.getsize(path)
        if size > MAX_HELPER_BYTES:
            raise ReleaseError(
                f"the files in {folder} have more than {MAX_HELPER_BYTES / 1e6:.0f} MB: put large "
                "data where every kernel can read it, or add them to CourseDirectory.ignore"
            )
        helpers[os.path.relpath(path, folder)] = Path(path).read_bytes()
    return helpers


def _load(course: CourseDirectory, step: str, assignment: str, name: str) -> dict[str, Any] | None:
    path = Path(course.format_path(step, ".", assignment)) / f"{name}.ipynb"
    try:
        notebook = json.loads(path.read_bytes())
        return notebook if isinstance(notebook["cells"], list) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _names_in_order(notebook: dict[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name:
            yield name


def _templates(notebook: Notebook, order: list[str]) -> dict[str, NotebookNode]:
    grades = {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
    tasks = {cell.name: float(cell.max_score) for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    rank = {name: position for position, name in enumerate(order)}
    templates = {}
    cells = sorted(
        notebook.source_cells, key=lambda cell: (rank.get(cell.name, len(rank)), cell.name)
    )
    for source in cells:
        name = source.name
        cell = new_cell(source.cell_type, source.source, cell_id(name))
        cell.metadata["nbgrader"] = NotebookNode(
            grade=name in grades,
            grade_id=name,
            locked=bool(source.locked),
            schema_version=3,
            solution=name in solutions,
            task=name in tasks,
            cell_type=source.cell_type,
            checksum=source.checksum,
        )
        if name in grades or name in tasks:
            cell.metadata.nbgrader["points"] = grades.get(name, tasks.get(name))
        templates[name] = cell
    return templates


def new_cell(kind: str, source: str, identity: str) -> NotebookNode:
    """Make an empty cell; nbformat's own functions validate each one, which takes longer."""
    cell = NotebookNode(cell_type=kind, id=identity, metadata=NotebookNode(), source=source)
    if kind == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def cell_id(name: str) -> str:
    """Id of a released cell: its name where the notebook format allows it."""
    if _CELL_ID.match(name) and not name.startswith("own-"):
        return name
    return "cell-" + hashlib.sha256(name.encode()).hexdigest()[:16]


def _cells_without_folders(templates: dict[str, NotebookNode]) -> list[Cell]:
    return cells_of({"cells": list(templates.values())})
