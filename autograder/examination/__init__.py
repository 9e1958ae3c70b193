"""One submission on its way through the two rooms.

:mod:`~autograder.examination.notebook` runs it, :mod:`~autograder.examination.examiner_room` talks
to the examiner, :mod:`~autograder.examination.answers` puts what came of it into points and words,
:mod:`~autograder.examination.step` is nbgrader's door to all this.
"""

from autograder.examination.notebook import Examination, examine_task, task_options

__all__ = ["Examination", "examine_task", "task_options"]
