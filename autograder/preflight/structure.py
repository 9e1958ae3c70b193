"""What can be seen in the author's notebook without running it: ids, names, points."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from autograder.assignment.names import cells_of, instructor_names, plain_python
from autograder.preflight.report import Report
from autograder.preflight.solved import about_of, text_of

_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_TOLD = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(?:points?|pts?|marks?)\b", re.IGNORECASE)
# A sentence about the whole: "There are six exercises, 20 points."
_TOTAL = re.compile(r"\b(?:exercises|problems|questions|in total|altogether)\b", re.IGNORECASE)


def check_structure(name: str, notebook: Mapping[str, Any], report: Report) -> None:
    """Look at the cells of one of the author's notebooks.

    Parameters
    ----------
    name : str
        Name of the notebook.
    notebook : mapping
        The author's, format 4.
    report : Report
        Gets what is found.
    """
    _check_ids(name, notebook, report)
    for error in instructor_names(cells_of(notebook)).errors:
        report.find("names", name, error)
    _check_declared_points(name, notebook, report)
    _check_told_points(name, notebook, report)


def graded_cells(notebook: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Positions of the cells that earn points, and what nbgrader knows of them."""
    for index, cell in enumerate(notebook["cells"]):
        about = about_of(cell)
        if about.get("grade") or about.get("task"):
            yield index, about


def _check_ids(name: str, notebook: Mapping[str, Any], report: Report) -> None:
    counted = Counter(
        str(about_of(cell).get("grade_id", "")) for cell in notebook["cells"] if about_of(cell)
    )
    for grade_id, count in counted.items():
        if not grade_id:
            report.find("grade-id", name, "a graded cell has no grade_id: give it one")
        elif count > 1:
            report.find(
                "grade-id",
                f"{name} · {grade_id}",
                f"{count} cells have the grade_id {grade_id!r}: give every cell its own",
            )
    if not any(True for _ in graded_cells(notebook)):
        report.notes.append(f"{name}: no cell earns points")


def _check_declared_points(name: str, notebook: Mapping[str, Any], report: Report) -> None:
    """Compare ``Exercise(points=…)`` with what the cell is worth."""
    for index, about in graded_cells(notebook):
        cell = notebook["cells"][index]
        where = f"{name} · {about.get('grade_id', index + 1)}"
        points = about.get("points")
        if isinstance(points, bool) or not isinstance(points, int | float) or points < 0:
            report.find("points", where, f"is worth {points!r}: give it a number of points")
            continue
        if points == 0:
            report.notes.append(f"{where}: is worth 0 points")
        if cell["cell_type"] != "code" or about.get("solution"):
            continue
        declared = _declared(text_of(cell))
        if declared is not None and abs(declared - points) > 1e-9:
            report.find(
                "points",
                where,
                f"Exercise(points={declared:g}) in a cell that is worth {points:g}: "
                "make them the same",
            )


def _declared(source: str) -> float | None:
    """Sum of the points of all ``Exercise(…, points=…)``; None if there are none, or no figures."""
    try:
        tree = ast.parse(plain_python(source))
    except (SyntaxError, ValueError, RecursionError):
        return None
    found: list[float] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called != "Exercise":
            continue
        for keyword in node.keywords:
            if keyword.arg == "points":
                if not isinstance(keyword.value, ast.Constant):
                    return None
                found.append(float(keyword.value.value))
    return sum(found) if found else None


def _check_told_points(name: str, notebook: Mapping[str, Any], report: Report) -> None:
    """Compare the points that headings and the opening tell with those of the graded cells."""
    worth = {
        index: float(about["points"])
        for index, about in graded_cells(notebook)
        if isinstance(about.get("points"), int | float)
    }
    headings = list(_headings(notebook))
    for number, (index, level, title) in enumerate(headings):
        told = [float(figure) for figure in _TOLD.findall(title)]
        if not told:
            continue
        end = next(
            (other for other, rank, _ in headings[number + 1 :] if rank <= level),
            len(notebook["cells"]),
        )
        # A heading may stand in the graded cell itself.
        found = sum(
            points for place, points in worth.items() if index <= place < max(end, index + 1)
        )
        if abs(found - told[-1]) > 1e-9:
            report.find(
                "points",
                name,
                f"the heading {title!r} tells {told[-1]:g} points, the cells below it give "
                f"{found:g}: correct one of them",
            )
    total = sum(worth.values())
    for line in _opening(notebook, min(worth, default=0)):
        told = [float(figure) for figure in _TOLD.findall(line)]
        if told and _TOTAL.search(line) and abs(told[0] - total) > 1e-9:
            report.find(
                "points",
                name,
                f"the text says {told[0]:g} points ({line[:60]!r}), the graded cells give "
                f"{total:g}: correct one of them",
            )


def _headings(notebook: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
    for index, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "markdown":
            continue
        fenced = False
        for line in text_of(cell).splitlines():
            if line.lstrip().startswith(("```", "~~~")):
                fenced = not fenced
            found = None if fenced else _HEADING.match(line)
            # Delimiters of nbgrader (### BEGIN SOLUTION) look like headings.
            if found and not re.match(r"(BEGIN|END)\b", found[2]):
                yield index, len(found[1]), found[2].strip()


def _opening(notebook: Mapping[str, Any], end: int) -> Iterator[str]:
    """Sentences before the first heading that tells points, and before the first graded cell."""
    for cell in notebook["cells"][:end]:
        if cell["cell_type"] == "markdown":
            text = " ".join(
                line for line in text_of(cell).splitlines() if not line.lstrip().startswith("#")
            )
            yield from re.split(r"(?<=[.!?])\s+", text)
