"""Write verdicts into nbgrader's gradebook."""

from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import SaveAutoGrades

from autograder.examination import CellVerdict
from autograder.running import is_test_cell


class SaveVerdicts(SaveAutoGrades):
    """Takes the place of nbgrader's ``SaveAutoGrades``.

    A test cell earns what its verdict says; no verdict earns nothing. Answers marked by hand are
    treated as nbgrader does: unchanged text earns 0, changed text waits for the instructor. What
    the checks found becomes the automatic comment on the answer.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Save the scores and comments of one notebook."""
        self._verdicts = {
            name: CellVerdict(**verdict)
            for name, verdict in nb.metadata.autograder.verdicts.items()
        }
        self._by_exercise = {verdict.exercise: verdict for verdict in self._verdicts.values()}
        return super().preprocess(nb, resources)

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        if not is_test_cell(cell):
            super()._add_score(cell, resources)
            return
        name = cell.metadata.nbgrader.grade_id
        grade = self.gradebook.find_grade(
            name, self.notebook_id, self.assignment_id, self.student_id
        )
        verdict = self._verdicts.get(name)
        grade.auto_score = 0.0 if verdict is None else verdict.points
        # Somebody has marked it by hand before: let them look again.
        grade.needs_manual_grade = grade.manual_score is not None
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        super()._add_comment(cell, resources)
        verdict = self._by_exercise.get(cell.metadata.nbgrader.grade_id)
        if verdict is None or utils.is_grade(cell):
            return
        try:
            comment = self.gradebook.find_comment(
                cell.metadata.nbgrader.grade_id,
                self.notebook_id,
                self.assignment_id,
                self.student_id,
            )
        except MissingEntry:
            return
        comment.auto_comment = describe(verdict)
        self.gradebook.db.commit()


def describe(verdict: CellVerdict) -> str:
    """Say in one paragraph what an exercise earned and what was found."""
    words = [f"{verdict.points:g} of {verdict.possible:g} points."]
    if verdict.remark:
        words.append(verdict.remark[0].upper() + verdict.remark[1:] + ".")
    told: set[str] = set()
    for finding in verdict.findings:
        if finding["hint_id"] not in told:
            words.append(f"[{finding['hint_id']}] {finding['label']}: {finding['message']}.")
            told.add(finding["hint_id"])
    return " ".join(words)
