"""The instructor's dry run before release.

:mod:`~autograder.preflight.structure` and :mod:`~autograder.preflight.handed_out` read the author's
notebook and what students would get. :mod:`~autograder.preflight.trials` makes up submissions,
:mod:`~autograder.preflight.run` lets them be graded as students' are, in a course of its own, and
:mod:`~autograder.preflight.judging` compares what they earned with what they should.
"""

from autograder.preflight.report import PreflightError, Report

__all__ = ["PreflightError", "Report"]
