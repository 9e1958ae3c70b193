"""The page of feedback as an exporter: ``nbgrader generate_feedback`` makes the same one."""

from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbgrader.coursedir import CourseDirectory

from autograder.kernels.settings import Sandbox
from autograder.reports.class_feedback import released_lesson
from autograder.reports.page_making import PageTask, page_digest, page_text
from autograder.reports.reading_marks import open_marks, read_marks


class FeedbackExporter(Exporter):
    """Makes a student's page from an autograded notebook and the gradebook.

    Chosen by ``c.GenerateFeedback.exporter_class``. It reads marks and comments itself:
    ``c.GenerateFeedback.preprocessors`` are not run, and change nothing.
    """

    file_extension = ".html"

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **_: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page of one notebook; called by ``GenerateFeedback``."""
        resources = self._init_resources(resources)
        place = resources["nbgrader"]
        course: CourseDirectory = self.parent.coursedir
        # One converter makes the pages of a class: marks and lessons are read once.
        if not hasattr(self, "_marks"):
            self._marks: dict[str, Any] = {}
            self._lessons: dict[str, Any] = {}
        assignment, notebook = place["assignment"], place["notebook"]
        if assignment not in self._marks:
            with open_marks(course) as gradebook:
                self._marks[assignment] = gradebook.read(lambda: read_marks(gradebook, assignment))
        if notebook not in self._lessons:
            self._lessons[notebook] = released_lesson(course, assignment, notebook)
        path = Path(filename)
        task = PageTask(
            notebook=path,
            target=path,
            marks=self._marks[assignment][place["student"]],
            assignment=assignment,
            lesson=self._lessons[notebook],
            cell_seconds=Sandbox(config=self.parent.config).cell_seconds,
        )
        content = path.read_bytes()
        return page_text(content, task, page_digest(content, task)), resources
