"""The size at which a lesson runs, read from one place: ``COURSE_SCALE``.

========== =====================================================================
``quick``    the default: embedded data, under 90 s on two cores
``full``     full data sets, the accuracies that a lesson quotes
``grading``  set by the grader: experiments shrink to a token; exercises do not depend on it
========== =====================================================================
"""

import os
from typing import TypeVar

SCALES = ("quick", "full", "grading")

T = TypeVar("T")


def course_scale() -> str:
    """Return the value of ``COURSE_SCALE``: ``"quick"``, ``"full"`` or ``"grading"``.

    Raises
    ------
    ValueError
        If the variable holds anything else.
    """
    scale = os.environ.get("COURSE_SCALE", "quick")
    if scale not in SCALES:
        raise ValueError(
            f"COURSE_SCALE is {scale!r}; expected one of {', '.join(SCALES)}. "
            "Unset it for the default, quick."
        )
    return scale


def by_scale(*, quick: T, full: T, grading: T) -> T:
    """Choose a size, a number of epochs or a list of seeds by the scale in force.

    Examples
    --------
    >>> epochs = by_scale(quick=3, full=20, grading=1)
    """
    return {"quick": quick, "full": full, "grading": grading}[course_scale()]
