"""What a test cell calls: compare an answer, name the mistake, give partial credit.

A test cell is ordinary Python that runs the same way for the student, for nbgrader and for CI::

    exercise = checks.Exercise("conv2d_parameters", points=3, hints={
        "bias-forgotten": "Every filter also has one bias.",
    })
    exercise.number(
        "32 filters of 3×3 over depth 3", lambda: conv2d_parameters(32, 3, 3), 896,
        mistakes={"bias-forgotten": 864},
    )
    ### BEGIN HIDDEN TESTS
    filters = int(exercise.rng.integers(2, 99))
    exercise.hidden.number(
        "a drawn layer", lambda: conv2d_parameters(filters, 3, 3), 28 * filters,
        mistakes={"bias-forgotten": 27 * filters},
    )
    ### END HIDDEN TESTS
    exercise.score()

Three rules make marks fair:

* every check runs, so one mistake does not hide what was right;
* a visible check says what was received and what was expected; a hidden check says only the named
  mistake, the shape and the dtype, never a value;
* the score is a plain Python float between 0 and ``points``, whatever the answer returned.

A test cell may hold only stand-ins for what the student wrote: calls and data are as usual, but an
answer works on copies of its arguments (:func:`call_in_place` shows what it did to them), and an
object of the student's own class is neither true nor false, equals no data and is no number.

This module holds no answer to any exercise: what is expected is computed in the test cell.
"""

from autograder.checks.calls import call_in_place
from autograder.checks.exercise import Exercise
from autograder.checks.models import Layer, layer_table
from autograder.checks.verdicts import AuthorError, close_verdict, open_verdict

__all__ = [
    "AuthorError",
    "Exercise",
    "Layer",
    "call_in_place",
    "close_verdict",
    "layer_table",
    "open_verdict",
]
