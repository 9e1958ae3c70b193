"""The author's text (py:percent) as a notebook whose bytes depend on the text alone."""

import hashlib
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

# Raise it when the same text gives another notebook than before: everything is then built again.
FORMAT = 1

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
_GRADE_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


class AuthoringError(Exception):
    """The author's text is not a lesson yet; the message says where and what to change."""


def digest(text: str) -> str:
    """SHA-256 of an author's text, kept in the notebooks that were made from it."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_source(path: Path) -> NotebookNode:
    """Read ``NN_name.py`` as a notebook without outputs.

    Missing nbgrader keys are filled in: ``nbgrader={"grade_id": "conv2d", "solution": true}``
    is all that an answer cell needs. Cell ids are the ``grade_id``, or the position for other
    cells, so that the same text always gives the same bytes.

    Parameters
    ----------
    path : pathlib.Path
        The py:percent text.

    Returns
    -------
    nbformat.NotebookNode
        A valid notebook of format 4.5. ``metadata.autograder`` holds the digest of the text.

    Raises
    ------
    AuthoringError
        If the text cannot be read, a ``grade_id`` is missing, repeated or malformed, or a test cell
        has no points.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuthoringError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNELSPEC),
        language_info=NotebookNode(LANGUAGE_INFO),
        autograder=NotebookNode(source_sha256=digest(text), format=FORMAT),
    )
    seen: set[str] = set()
    for position, cell in enumerate(notebook.cells, start=1):
        cell.metadata.pop("lines_to_next_cell", None)
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"] = _complete(cell, f"{path.name}, cell {position}")
            grade_id = cell.metadata.nbgrader.grade_id
            if grade_id in seen:
                raise AuthoringError(
                    f"{path.name}, cell {position}: grade_id {grade_id!r} is used twice; "
                    "give every cell its own"
                )
            seen.add(grade_id)
            cell["id"] = grade_id
        else:
            cell["id"] = f"cell-{position:03d}"
    nbformat.validate(notebook)
    return notebook


def _complete(cell: NotebookNode, where: str) -> NotebookNode:
    given = cell.metadata["nbgrader"]
    if not isinstance(given, dict):
        raise AuthoringError(
            f"{where}: nbgrader={given!r} is not a JSON object; "
            'expected for example nbgrader={"grade_id": "conv2d", "solution": true}'
        )
    grade_id = given.get("grade_id")
    if not isinstance(grade_id, str) or not _GRADE_ID.fullmatch(grade_id):
        raise AuthoringError(
            f"{where}: grade_id is {grade_id!r}; expected lower-case letters, digits and "
            "underscores, beginning with a letter"
        )
    known = {"grade_id", "grade", "locked", "points", "schema_version", "solution", "task"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise AuthoringError(
            f"{where} ({grade_id}): unknown nbgrader keys {', '.join(unknown)}; "
            f"expected some of {', '.join(sorted(known))}"
        )
    grade, solution = bool(given.get("grade")), bool(given.get("solution"))
    complete = NotebookNode(
        grade=grade,
        grade_id=grade_id,
        # A test cell is always locked; an answer never is.
        locked=bool(given.get("locked", grade)) and not solution,
        schema_version=3,
        solution=solution,
        task=bool(given.get("task")),
    )
    if grade:
        points = given.get("points")
        if not isinstance(points, int | float) or isinstance(points, bool) or points < 0:
            raise AuthoringError(
                f"{where} ({grade_id}): a graded cell needs points, received {points!r}"
            )
        complete.points = points
    return complete
