"""Keep what students' code learned during hidden tests out of the feedback."""

from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor

SENTENCE = (
    "Outputs of your cells after the first graded test are not shown here: they ran once the "
    "hidden tests had begun. Run the notebook yourself to see them."
)


class WithholdOutputs(NbGraderPreprocessor):
    """Replace outputs of a student's cells that ran after a hidden check by one sentence.

    A function that a hidden test calls can keep its inputs, and a later cell can print them. The
    instructor still sees these outputs in the formgrader.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Withhold outputs in one notebook; tests and what stands before the first keep theirs."""
        tested = told = False
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            about = cell.metadata.get("nbgrader", {})
            if about.get("grade") and not about.get("solution"):
                tested = True
            elif tested and cell.get("outputs"):
                sentence = [] if told else [new_output("stream", name="stdout", text=SENTENCE)]
                cell.outputs = sentence
                told = True
        return nb, resources
