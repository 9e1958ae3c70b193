"""Make a submission again what the instructor released, but for the student's answers."""

import json
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.api import Gradebook, Notebook
from nbgrader.preprocessors import NbGraderPreprocessor

NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


class RestoreFromRelease(NbGraderPreprocessor):
    """Believe nothing about a submission but the text of its answers.

    Which cells are tests, their source and their points come from the gradebook. Deleted cells come
    back in their place, repeated ones count once (the last), and tags, ids and other metadata that
    could change how a cell is run or scored are dropped.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Restore one notebook; ``metadata.autograder.notes`` says what had to be mended."""
        place = resources["nbgrader"]
        with Gradebook(place["db_url"]) as gradebook:
            released = gradebook.find_notebook(place["notebook"], place["assignment"])
            templates = _templates(released, self._order(place))
        notes: list[str] = []
        unreadable = resources.get("autograder", {}).get("unreadable")
        if unreadable:
            notes.append(unreadable)
        nb.cells = restore(nb.cells, templates, notes, complete=bool(unreadable))
        for note in notes:
            self.log.warning("%s: %s", place["student"], note)
        nb.metadata = NotebookNode(autograder=NotebookNode(notes=notes))
        return nb, resources

    def _order(self, place: dict[str, Any]) -> list[str]:
        """Names of the released cells in reading order; the gradebook keeps no order."""
        course = self.parent.parent.coursedir
        folder = course.format_path(course.release_directory, ".", place["assignment"])
        path = Path(folder) / f"{place['notebook']}.ipynb"
        try:
            cells = json.loads(path.read_bytes())["cells"]
            return [
                cell["metadata"]["nbgrader"]["grade_id"]
                for cell in cells
                if "nbgrader" in cell["metadata"]
            ]
        except (OSError, ValueError, KeyError, TypeError):
            self.log.warning("%s: cannot be read; lost cells are put at the end", path)
            return []


def _templates(released: Notebook, order: list[str]) -> dict[str, NotebookNode]:
    """Released cells by name, in reading order, as the gradebook has them."""
    grades = {cell.name: float(cell.max_score) for cell in released.grade_cells}
    tasks = {cell.name: float(cell.max_score) for cell in released.task_cells}
    solutions = {cell.name for cell in released.solution_cells}
    rank = {name: position for position, name in enumerate(order)}
    templates = {}
    for source in sorted(released.source_cells, key=lambda cell: rank.get(cell.name, len(rank))):
        name = source.name
        cell = NEW_CELL[source.cell_type](source.source, id=name)
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


def restore(
    cells: list[NotebookNode],
    templates: dict[str, NotebookNode],
    notes: list[str],
    *,
    complete: bool = False,
) -> list[NotebookNode]:
    """Put a submission's answers into the released cells.

    Parameters
    ----------
    cells : list of nbformat.NotebookNode
        Cells as handed in.
    templates : dict of str to nbformat.NotebookNode
        Released cells by name, in reading order.
    notes : list of str
        Gets one sentence for each thing that was mended.
    complete : bool
        Whether every cell is known to be missing, so that there is nothing to tell about each.

    Returns
    -------
    list of nbformat.NotebookNode
        Every released cell exactly once and in order of appearance, the student's own cells between
        them.
    """
    last = {_name(cell): index for index, cell in enumerate(cells) if _name(cell) in templates}
    restored: list[NotebookNode] = []
    for index, cell in enumerate(cells):
        name = _name(cell)
        if name in templates and last[name] == index:
            restored.append(_renewed(cell, templates[name]))
            continue
        if name in templates:
            notes.append(f"cell {name!r} stands there more than once: the last one counts")
            if templates[name].metadata.nbgrader.locked:
                continue
        plain = NEW_CELL[cell.cell_type](cell.source, id=f"own-{index}")
        restored.append(plain)
    missing = [name for name in templates if name not in last]
    for name in missing:
        restored.insert(_place(name, list(templates), restored), templates[name])
    if missing and not complete:
        notes.append("put back: " + ", ".join(missing))
    return restored


def _name(cell: NotebookNode) -> str | None:
    nbgrader = cell.get("metadata", {}).get("nbgrader")
    name = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return name if isinstance(name, str) else None


def _renewed(cell: NotebookNode, template: NotebookNode) -> NotebookNode:
    renewed = NotebookNode(template)
    if not template.metadata.nbgrader.locked:
        renewed.source = cell.source
    return renewed


def _place(name: str, order: list[str], cells: list[NotebookNode]) -> int:
    """Index after the nearest released cell that stands before `name` in the lesson."""
    at = {_name(cell): index for index, cell in enumerate(cells)}
    for earlier in reversed(order[: order.index(name)]):
        if earlier in at:
            return at[earlier] + 1
    return 0
