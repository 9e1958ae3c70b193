"""Read what was handed in, whatever it is."""

import os
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.validator import NotebookValidationError

MAX_BYTES = 20_000_000


class SubmissionExporter(NotebookExporter):
    """nbgrader's door to a submission; a file that is no notebook becomes an empty notebook.

    The submission then ends in a row like every other, with no points and the reason beside it.
    The reason travels in ``resources["autograder"]["unreadable"]``.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read a notebook file, then run the preprocessors on it."""
        resources = ResourcesDict() if resources is None else resources
        if not self.parent._sanitizing:
            # What we wrote ourselves a moment ago must be readable.
            return super().from_filename(filename, resources=resources, **kwargs)
        try:
            notebook = read_submission(filename)
        except UnreadableError as error:
            self.log.warning("%s: %s", os.path.basename(filename), error)
            resources["autograder"] = {"unreadable": str(error)}
            notebook = nbformat.v4.new_notebook()
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


class UnreadableError(Exception):
    """The file is no notebook; the message says why, in words for a student."""


def read_submission(filename: str) -> NotebookNode:
    """Read a notebook of any version, bounded in size, and check that it is one.

    Raises
    ------
    UnreadableError
        If the file is too large, no JSON, or no notebook.
    """
    size = os.path.getsize(filename)
    if size > MAX_BYTES:
        raise UnreadableError(
            f"the file has {size / 1e6:.0f} MB, at most {MAX_BYTES / 1e6:.0f} MB are read: "
            "clear the outputs and hand it in again"
        )
    try:
        with open(filename, encoding="utf-8") as file:
            notebook = nbformat.read(file, as_version=4)
    except UnicodeDecodeError:
        raise UnreadableError("the file is not a notebook: it is not text in UTF-8") from None
    except nbformat.reader.NotJSONError:
        raise UnreadableError("the file is not JSON, or only a part of a notebook") from None
    except Exception as error:
        # Hostile or broken JSON fails in many ways inside the readers (recursion, wrong types).
        raise UnreadableError(f"the file is not a notebook ({type(error).__name__})") from None
    try:
        nbformat.validate(notebook, relax_add_props=True)
    except (NotebookValidationError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200]
        raise UnreadableError(f"the file is not a whole notebook: {reason}") from None
    return notebook
