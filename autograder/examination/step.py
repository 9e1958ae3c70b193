"""The step of ``nbgrader autograde`` that runs a submission, for its command and its button."""

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor


class Examine(NbGraderPreprocessor):
    """Takes the place of nbgrader's ``Execute``: two rooms instead of one kernel."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run the student's cells and the tests, apart; outputs and verdicts come back."""
        from autograder.examination import examine_task
        from autograder.submissions.intake import examine_in_place

        course = self.parent.parent.coursedir
        return examine_in_place(nb, resources, self.config, course, examine_task), resources
