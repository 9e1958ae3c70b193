"""Author, release and grade a course of Jupyter notebooks with nbgrader.

Lessons import :mod:`autograder.checks` (what a test cell calls), :mod:`autograder.figures`
(pictures with alt text), :mod:`autograder.experiments` (predictions and verdicts) and
:mod:`autograder.quiet` (Keras without its start-up lines). A course's ``nbgrader_config.py`` calls
:func:`configure`. Everything else is behind the command ``autograder``.
"""

from autograder.configuration import configure

__all__ = ["configure"]
