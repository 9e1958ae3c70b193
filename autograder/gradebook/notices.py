"""What everybody who looks at a graded notebook should know about how it was graded."""

from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

WITHOUT_SANDBOX = (
    "**Graded without a sandbox.** The code in this notebook ran with the rights of whoever graded "
    "it: trust the marks only as far as you trust the code."
)


class TellSandbox(Preprocessor):
    """Say on top of the page if nothing kept the student's code in while it was graded.

    For the formgrader and for feedback. The notebook in ``autograded/`` stays as it is.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Put the notice before the first cell."""
        about = nb.metadata.get("autograder", {})
        if isinstance(about, dict) and about.get("sandbox") == "none":
            nb.cells = [new_markdown_cell(WITHOUT_SANDBOX, id="without-a-sandbox"), *nb.cells]
        return nb, resources
