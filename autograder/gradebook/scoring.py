"""Write verdicts into nbgrader's gradebook."""

from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Comment, Grade, Gradebook, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades

from autograder.gradebook.ledger import open_gradebook
from autograder.workers.tasks import CellVerdict, test_cells


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
        place = resources["nbgrader"]
        gradebook, ours = open_gradebook(resources)
        try:
            saved = gradebook.find_submission_notebook(
                place["notebook"], place["assignment"], place["student"]
            )
            save_verdicts(nb, saved)
            gradebook.db.commit()
        finally:
            if ours:
                gradebook.close()
        return nb, resources


def save_verdicts(nb: NotebookNode, saved: SubmittedNotebook) -> None:
    """Write the verdicts of a graded notebook into its gradebook entry; nothing is committed.

    Every automatic score and comment is set anew: nothing of an earlier grading stays.
    """
    tests = test_cells(nb)
    verdicts = {
        name: CellVerdict(**verdict)
        for name, verdict in nb["metadata"]["autograder"]["verdicts"].items()
    }
    by_exercise = {verdict.exercise: verdict for verdict in verdicts.values()}
    cells = {
        about["grade_id"]: cell
        for cell in nb["cells"]
        if (about := cell["metadata"].get("nbgrader")) and about.get("grade_id")
    }
    for grade in saved.grades:
        cell = cells.get(grade.name)
        if grade.name in tests:
            verdict = verdicts.get(grade.name)
            _set_score(grade, 0.0 if verdict is None else verdict.points)
        elif cell is None:
            _set_score(grade, 0.0)
        elif not utils.is_task(cell):
            # Marked by hand: unchanged text earns nothing, anything else waits.
            _set_score(grade, utils.determine_grade(cell)[0])
    for comment in saved.comments:
        cell = cells.get(comment.name)
        if cell is not None:
            _set_comment(comment, cell, by_exercise.get(comment.name))


def save_missing(saved: SubmittedNotebook) -> None:
    """Give a notebook that was not handed in no points; as nbgrader does, and no late penalty."""
    for grade in saved.grades:
        grade.auto_score = 0
        grade.needs_manual_grade = False
    for comment in saved.comments:
        comment.auto_comment = None
    saved.late_submission_penalty = None


def _set_score(grade: Grade, score: float | None) -> None:
    grade.auto_score = score
    # Somebody has marked it by hand before: let them look again.
    grade.needs_manual_grade = score is None or grade.manual_score is not None


def _set_comment(comment: Comment, cell: NotebookNode, verdict: CellVerdict | None) -> None:
    if verdict is not None and not utils.is_grade(cell):
        comment.auto_comment = describe(verdict)
        return
    unchanged = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    comment.auto_comment = "No response." if unchanged and not utils.is_task(cell) else None


class SavePenalties(AssignLatePenalties):
    """nbgrader's ``AssignLatePenalties``, within the transaction of the class's grading."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Save the penalty of one notebook."""
        place = resources["nbgrader"]
        gradebook, ours = open_gradebook(resources)
        try:
            self.init_plugin()
            self._save(gradebook, place)
            gradebook.db.commit()
        finally:
            if ours:
                gradebook.close()
        return nb, resources

    def _save(self, gradebook: Gradebook, place: dict[str, str]) -> None:
        submission = gradebook.find_submission(place["assignment"], place["student"])
        notebook = gradebook.find_submission_notebook(
            place["notebook"], place["assignment"], place["student"]
        )
        notebook.late_submission_penalty = None
        late = submission.total_seconds_late
        if late <= 0:
            return
        gradebook.db.flush()
        penalty = self.plugin_inst.late_submission_penalty(place["student"], notebook.score, late)
        if penalty is not None:
            notebook.late_submission_penalty = self._check_late_penalty(notebook, penalty)


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
