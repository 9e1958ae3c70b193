"""The lesson that students get, made by nbgrader from a solution notebook."""

import logging
import os
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config


class ReleaseError(Exception):
    """nbgrader refused to make a lesson from a solution notebook."""


def release(notebook: NotebookNode, *, name: str, config: Config) -> str:
    """Make a lesson: answers, hidden tests and outputs removed, test cells locked.

    Runs nbgrader's own ``generate_assignment`` in a folder and a gradebook of its own, with the
    course's configuration, so that the result is what ``nbgrader generate_assignment`` makes.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A solution notebook, with or without outputs.
    name : str
        Name of the assignment and of the notebook.
    config : traitlets.config.Config
        The course's configuration.

    Returns
    -------
    str
        The lesson as JSON text, the same for the same input.

    Raises
    ------
    ReleaseError
        With nbgrader's own words.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        root = Path(folder)
        private = Config(config)
        private.CourseDirectory.root = folder
        private.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
        private.CourseDirectory.source_directory = "solutions"
        private.CourseDirectory.release_directory = "lessons"
        source = root / "solutions" / name
        source.mkdir(parents=True)
        nbformat.write(notebook, source / f"{name}.ipynb")
        course = CourseDirectory(config=private, assignment_id=name)
        log = _Messages()
        converter = GenerateAssignment(coursedir=course, config=private, log=log.logger)
        converter.force = True
        here = os.getcwd()
        try:
            converter.start()
        except (Exception, SystemExit) as error:
            words = log.last_error() or str(error)
            raise ReleaseError(f"{name}: nbgrader could not make the lesson: {words}") from None
        finally:
            os.chdir(here)
        return (root / "lessons" / name / f"{name}.ipynb").read_text(encoding="utf-8")


class _Messages(logging.Handler):
    """Keeps what nbgrader logs, to be shown only when something goes wrong."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.messages: list[str] = []
        self.logger = logging.Logger("release")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def last_error(self) -> str:
        """Return the last line of the first message, which names the cause."""
        lines = [line for line in "\n".join(self.messages[:2]).splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""
