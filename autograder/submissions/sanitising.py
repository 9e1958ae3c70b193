"""Make a submission again what the instructor released, but for the student's answers."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.assignment.released import CELL_KINDS, ReleasedNotebook, new_cell, read_notebook
from autograder.gradebook.ledger import open_gradebook
from autograder.workers.tasks import test_cells

MAX_OWN_CELLS = 2_000
MAX_ATTACHED_BYTES = 10_000_000
MAX_NOTES = 40
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class RestoreFromRelease(NbGraderPreprocessor):
    """Believe nothing about a submission but the text of its answers.

    Which cells are tests, their source, their order and their points come from the gradebook and
    the released notebook, and so do kernel and language. Deleted cells come back in their place,
    repeated ones count once (the last), and tags, ids and other metadata that could change how a
    cell is run or scored are dropped.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Restore one notebook; ``metadata.autograder.notes`` says what had to be mended."""
        about = resources.setdefault("autograder", {})
        released = about.get("released")
        if released is None:
            released, about["remarks"] = self._look(resources)
            about["released"] = released
        notes: list[str] = list(about.get("remarks", ()))
        unreadable = about.get("unreadable")
        if unreadable:
            notes.append(unreadable)
        nb.cells = restore(nb.cells, released, notes, complete=bool(unreadable))
        del notes[MAX_NOTES:]
        for note in notes:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], note)
        nb.metadata = NotebookNode(
            **{name: dict(value) for name, value in released.metadata.items()},
            autograder=NotebookNode(notes=notes),
        )
        nb.nbformat, nb.nbformat_minor = 4, 5
        return nb, resources

    def _look(self, resources: dict[str, Any]) -> tuple[ReleasedNotebook, tuple[str, ...]]:
        """Read what the class's grading has at hand and nbgrader's own command has not."""
        from autograder.submissions.intake import take_in

        place = resources["nbgrader"]
        course = self.parent.parent.coursedir
        gradebook, ours = open_gradebook(resources)
        try:
            found = gradebook.find_notebook(place["notebook"], place["assignment"])
            released = read_notebook(found, course, place["assignment"])
            first = min(notebook.name for notebook in found.assignment.notebooks)
        finally:
            if ours:
                gradebook.close()
        intake = take_in(course, self.parent.config, place["assignment"], place["student"])
        # What is to be said about the whole submission is said once.
        present = {path.stem for path in intake.notebooks}
        tells = place["notebook"] == first or (
            first not in present and place["notebook"] == min(present, default="")
        )
        return released, intake.remarks if tells else ()


def restore(
    cells: list[NotebookNode],
    released: ReleasedNotebook,
    notes: list[str],
    *,
    complete: bool = False,
) -> list[NotebookNode]:
    """Put a submission's answers into the released cells.

    Parameters
    ----------
    cells : list of nbformat.NotebookNode
        Cells as handed in.
    released : ReleasedNotebook
        What was handed out.
    notes : list of str
        Gets one sentence for each thing that was mended.
    complete : bool
        Whether every cell is known to be missing, so that there is nothing to tell about each.

    Returns
    -------
    list of nbformat.NotebookNode
        Every released cell exactly once, in the order of the lesson; each of the student's own
        cells behind the released cell that it followed.
    """
    templates = released.templates
    last = {_name(cell): index for index, cell in enumerate(cells) if _name(cell) in templates}
    order = list(templates)
    if not released.ordered:
        # Nobody knows better: as handed in, what is missing at the end.
        order = [*last, *(name for name in order if name not in last)]
    answers: dict[str, NotebookNode] = {}
    followers: dict[str | None, list[NotebookNode]] = {}
    repeated: list[str] = []
    attached = _Allowance(MAX_ATTACHED_BYTES)
    anchor: str | None = None
    own = 0
    for index, cell in enumerate(cells):
        name = _name(cell)
        if name in templates and last[name] == index:
            answers[name] = _renewed(cell, templates[name], attached)
            anchor = name
            continue
        if name in templates:
            repeated.append(name)
            if templates[name].metadata.nbgrader.locked:
                continue
        own += 1
        if own <= MAX_OWN_CELLS and cell.cell_type in CELL_KINDS:
            plain = new_cell(cell.cell_type, cell.source, f"own-{index}")
            _attach(plain, cell, attached)
            followers.setdefault(anchor, []).append(plain)
    for name in dict.fromkeys(repeated):
        notes.append(f"cell {name!r} stands there more than once: the last one counts")
    moved = _moved(list(answers), order)
    if moved:
        notes.append("put back into the lesson's order: " + _listed(moved))
    missing = [name for name in order if name not in answers]
    if missing and not complete:
        notes.append("put back: " + _listed(missing))
    if own > MAX_OWN_CELLS:
        notes.append(f"{own} cells of the student's own: the first {MAX_OWN_CELLS} are run")
    if attached.refused:
        notes.append(
            f"{attached.refused} attached files left out: only pictures, "
            f"{MAX_ATTACHED_BYTES / 1e6:.0f} MB together"
        )
    return _in_order(order, templates, answers, followers)


def _in_order(
    order: list[str],
    templates: Mapping[str, NotebookNode],
    answers: Mapping[str, NotebookNode],
    followers: Mapping[str | None, list[NotebookNode]],
) -> list[NotebookNode]:
    tests = test_cells({"cells": list(templates.values())})
    restored: list[NotebookNode] = []
    waiting = list(followers.get(None, ()))
    for name in order:
        # Own cells stay behind what they followed; a set-up cell that is put back comes first, a
        # test cell that is put back comes after what it may need.
        if name in answers or name in tests:
            restored += waiting
            waiting = []
        restored.append(answers.get(name) or _copy(templates[name]))
        waiting += followers.get(name, ())
    return restored + waiting


def _moved(received: list[str], order: list[str]) -> list[str]:
    """Names that stand before one that they should follow."""
    rank = {name: position for position, name in enumerate(order)}
    moved = []
    highest = -1
    for name in received:
        if rank[name] < highest:
            moved.append(name)
        highest = max(highest, rank[name])
    return moved


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more


def _name(cell: NotebookNode) -> str | None:
    nbgrader = cell.get("metadata", {}).get("nbgrader")
    name = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return name if isinstance(name, str) else None


def _copy(template: NotebookNode) -> NotebookNode:
    copied = NotebookNode(template)
    copied["metadata"] = NotebookNode(nbgrader=NotebookNode(template.metadata.nbgrader))
    if "outputs" in copied:
        copied["outputs"] = []
    return copied


def _renewed(cell: NotebookNode, template: NotebookNode, attached: "_Allowance") -> NotebookNode:
    renewed = _copy(template)
    if not template.metadata.nbgrader.locked:
        renewed.source = cell.source
        _attach(renewed, cell, attached)
    return renewed


class _Allowance:
    """How many bytes of attachments may still be taken."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.refused = 0

    def takes(self, name: Any, kind: Any, content: Any) -> bool:
        fits = (
            isinstance(name, str)
            and 0 < len(name) <= 200
            and kind in _PICTURES
            and isinstance(content, str)
            and len(content) <= self.left
            and _is_base64(content)
        )
        if fits:
            self.left -= len(content)
        else:
            self.refused += 1
        return fits


def _is_base64(content: str) -> bool:
    try:
        base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _attach(target: NotebookNode, cell: NotebookNode, attached: _Allowance) -> None:
    """Keep the pictures of a text: an answer may be a drawing."""
    given = cell.get("attachments")
    if target.cell_type != "markdown" or not isinstance(given, dict):
        return
    kept = {
        name: {kind: content}
        for name, bundle in given.items()
        if isinstance(bundle, dict)
        for kind, content in list(bundle.items())[:1]
        if attached.takes(name, kind, content)
    }
    if kept:
        target["attachments"] = NotebookNode(kept)
