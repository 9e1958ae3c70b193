"""Read what was handed in, whatever it is: no link is followed, nothing is read without end."""

import errno
import json
import os
import stat
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.validator import NotebookValidationError

MAX_BYTES = 20_000_000


class RefusedError(Exception):
    """A file that is not read; the message says why, in words for a student."""


class UnreadableError(Exception):
    """The file is no notebook; the message says why, in words for a student."""


class SubmissionExporter(NotebookExporter):
    """nbgrader's door to a submission; a file that is no notebook becomes an empty notebook.

    The submission then ends in a row like every other, with no points and the reason beside it.
    The reason travels in ``resources["autograder"]["unreadable"]``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if hasattr(self.parent, "assignments"):
            # The first moment at which something of ours knows which folders nbgrader will copy.
            from autograder.submissions.intake import guard_converter

            guard_converter(self.parent)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read a notebook file, then run the preprocessors on it."""
        resources = ResourcesDict() if resources is None else resources
        if not self.parent._sanitizing:
            # What we wrote ourselves a moment ago must be readable.
            return super().from_filename(filename, resources=resources, **kwargs)
        resources.setdefault("autograder", {})
        try:
            notebook = read_submission(filename)
        except UnreadableError as error:
            self.log.warning("%s: %s", os.path.basename(filename), error)
            resources["autograder"]["unreadable"] = str(error)
            notebook = nbformat.v4.new_notebook()
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


def read_bytes(
    path: str, most: int, *, folder: int | None = None, owner: int | None = None
) -> bytes:
    """Read a plain file of bounded size.

    What is checked is what is read: the file is opened once, without following a link and without
    waiting for a pipe.

    Parameters
    ----------
    path : str
        The file.
    most : int
        Bytes that it may have.
    folder : int, optional
        Descriptor of the folder that `path` is relative to.
    owner : int, optional
        Id of the user to whom it must belong.

    Raises
    ------
    RefusedError
        If it is a link, no plain file, has further names elsewhere, is somebody else's, or is too
        large.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RefusedError("a link to another place") from None
        raise RefusedError(f"cannot be read ({error.strerror})") from None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise RefusedError("not a plain file")
        if about.st_nlink > 1:
            raise RefusedError("a link to another place (a hard link)")
        if owner not in (None, about.st_uid):
            raise RefusedError(f"it belongs to somebody else (user {about.st_uid})")
        if about.st_size > most:
            raise RefusedError(
                f"it has {about.st_size / 1e6:.0f} MB, at most {most / 1e6:.0f} MB are read"
            )
        content = file.read(most + 1)
    if len(content) > most:
        raise RefusedError(f"it grew beyond {most / 1e6:.0f} MB")
    return content


def read_submission(filename: str) -> NotebookNode:
    """Read a notebook of any version, bounded in size, and check that it is one.

    Raises
    ------
    UnreadableError
        If the file is a link, too large, no JSON, or no notebook.
    """
    try:
        content = read_bytes(filename, MAX_BYTES)
    except RefusedError as error:
        advice = ": clear the outputs and hand it in again" if "MB" in str(error) else ""
        raise UnreadableError(f"the notebook is not read: {error}{advice}") from None
    return parse_submission(content)


def parse_submission(content: bytes) -> NotebookNode:
    """Parse the bytes of a notebook; see :func:`read_submission`."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("the file is not a notebook: it is not text in UTF-8") from None
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, RecursionError):
            raise UnreadableError("the file is not a notebook (nested too deep)") from None
        raise UnreadableError("the file is not JSON, or only a part of a notebook") from None
    try:
        notebook = _of_this_version(plain)
    except Exception as error:
        # Hostile or broken JSON fails in many ways inside the readers (recursion, wrong types).
        raise UnreadableError(f"the file is not a notebook ({type(error).__name__})") from None
    return notebook


def _of_this_version(plain: Any) -> NotebookNode:
    """Bring a notebook of any version to format 4, and check its structure.

    Only the parts that grading reads are looked at: the rest is dropped soon after, and nbformat's
    own validation costs more than all other reading together.
    """
    if not isinstance(plain, dict):
        raise TypeError("no notebook")
    if plain.get("nbformat") != 4:
        notebook = nbformat.convert(nbformat.from_dict(plain), 4)
        nbformat.validate(notebook, relax_add_props=True)
        plain = notebook
    if not isinstance(plain["cells"], list) or not isinstance(plain.get("metadata", {}), dict):
        raise TypeError("cells must be a list")
    cells = []
    for cell in plain["cells"]:
        kind, source = cell["cell_type"], cell["source"]
        if kind not in ("code", "markdown", "raw") or not isinstance(cell["metadata"], dict):
            raise NotebookValidationError("a cell of no known kind")
        if isinstance(source, list):
            source = "".join(source)
        if not isinstance(source, str):
            raise TypeError("source must be text")
        # Half a character of two halves is no text, and cannot be written to any file.
        source = source.encode("utf-8", "replace").decode()
        kept = {"cell_type": kind, "source": source, "metadata": {}}
        about = cell["metadata"].get("nbgrader")
        if isinstance(about, dict) and isinstance(about.get("grade_id"), str):
            kept["metadata"] = {"nbgrader": {"grade_id": about["grade_id"]}}
        if "attachments" in cell:
            kept["attachments"] = cell["attachments"]
        if kind == "code":
            kept.update(outputs=[], execution_count=None)
        cells.append(kept)
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
