"""Work out late penalties again: nbgrader does so only when it runs a submission."""

import dataclasses

from nbgrader.api import Gradebook
from traitlets.config import Config

from autograder.gradebook.scoring import SavePenalties


class PenaltyError(Exception):
    """Penalties cannot be worked out; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Renewal:
    """The penalty of one submission.

    Attributes
    ----------
    student : str
        Whose.
    score : float
        Points before the penalty.
    before, after : float
        Points that lateness cost, and costs now.
    """

    student: str
    score: float
    before: float
    after: float


def renew_penalties(gradebook: Gradebook, assignment: str, config: Config) -> list[Renewal]:
    """Apply the course's late policy to the marks and due dates of now; the caller commits.

    Parameters
    ----------
    gradebook : nbgrader.api.Gradebook
        Changed.
    assignment : str
        Name of the assignment.
    config : traitlets.config.Config
        ``AssignLatePenalties.plugin_class``, and what that class reads.

    Returns
    -------
    list of Renewal
        One for each submission that is late or was, by student.

    Raises
    ------
    PenaltyError
        If the gradebook has no such assignment.
    """
    if assignment not in {item.name for item in gradebook.assignments}:
        raise PenaltyError(f"the gradebook has no assignment {assignment!r}")
    step = SavePenalties(config=config)
    step.init_plugin()
    renewals = []
    for submission in gradebook.assignment_submissions(assignment):
        before = float(submission.late_submission_penalty or 0.0)
        for notebook in submission.notebooks:
            # A notebook that was not handed in has neither points nor a penalty.
            if notebook.score or notebook.late_submission_penalty:
                place = {"assignment": assignment, "student": submission.student_id}
                step._save(gradebook, {**place, "notebook": notebook.name})
        gradebook.db.flush()
        gradebook.db.expire(submission)
        after = float(submission.late_submission_penalty or 0.0)
        if submission.total_seconds_late > 0 or before != after:
            renewals.append(Renewal(submission.student_id, float(submission.score), before, after))
    return sorted(renewals, key=lambda item: item.student)
