"""A ready policy for late submissions, as nbgrader's plugin."""

import math

from nbgrader.plugins import BasePlugin
from traitlets import Bool, Float, TraitError, validate
from traitlets.utils.bunch import Bunch

SECONDS_A_DAY = 86_400


class LatePolicy(BasePlugin):
    """Take off a share of the score for each day that a submission is late.

    Lateness is counted from the due date in nbgrader's gradebook, extensions included. nbgrader
    asks once for each notebook of a submission, whenever it is graded.

    Examples
    --------
    In ``nbgrader_config.py``::

        c.AssignLatePenalties.plugin_class = "autograder.late_policy.LatePolicy"
        c.LatePolicy.per_day = 0.1        # a tenth of the score for each day begun
        c.LatePolicy.grace_minutes = 15   # nothing within a quarter of an hour
        c.LatePolicy.cap = 0.5            # never more than half
    """

    per_day = Float(
        0.1, help="Share of the score that each day costs, from 0 to 1. 0.1 is a tenth."
    ).tag(config=True)
    grace_minutes = Float(
        15.0,
        help="A submission that is late by no more than this costs nothing. One that is later "
        "costs as much as if there were no grace.",
    ).tag(config=True)
    cap = Float(
        1.0, help="Share of the score that lateness costs at most, from 0 to 1. 1 is all of it."
    ).tag(config=True)
    whole_days = Bool(
        True, help="Count each day begun as a day; if False, half a day costs half."
    ).tag(config=True)

    @validate("per_day", "cap")
    def _is_share(self, proposal: Bunch) -> float:
        if not 0 <= proposal["value"] <= 1:
            raise TraitError(
                f"LatePolicy.{proposal['trait'].name} is {proposal['value']:g}, but it is a share "
                "of the score: write a number from 0 to 1 (0.1 for 10 %)"
            )
        return proposal["value"]

    @validate("grace_minutes")
    def _is_time(self, proposal: Bunch) -> float:
        if not 0 <= proposal["value"] < math.inf:
            raise TraitError(
                f"LatePolicy.grace_minutes is {proposal['value']:g}: write minutes, 0 for none"
            )
        return proposal["value"]

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Say how many points lateness costs.

        Parameters
        ----------
        student_id : str
            Whose submission it is; the policy is the same for everybody.
        score : float
            Points of the notebook.
        total_seconds_late : float
            Seconds after the due date.

        Returns
        -------
        float or None
            Points to take off; None if it costs nothing.
        """
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        days = total_seconds_late / SECONDS_A_DAY
        if self.whole_days:
            days = math.ceil(days)
        return score * min(self.per_day * days, self.cap)
