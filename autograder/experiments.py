"""Experiments of a lesson: predict first, and ask whether a difference is more than noise."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Student's t distribution, 97.5 %, 4 degrees of freedom: two groups of three runs.
THREE_RUNS_EACH = 2.8


def compare_prediction(prediction: Any, result: Any) -> None:
    """Print what a student predicted beside what came out.

    Parameters
    ----------
    prediction : object or None
        What was written down beforehand; ``None`` if nothing was. Lists, tuples and arrays of the
        same values are the same prediction.
    result : object
        What came out.
    """
    if prediction is None:
        print(f"result: {result}   (you wrote down no prediction)")
    elif np.array_equal(prediction, result):
        print(f"result: {result}   Your prediction was right.")
    else:
        print(f"result: {result}   Your prediction was {prediction}. What did you overlook?")


def judge(right: Mapping[str, Sequence[Any]], first: str, second: str, *, decimals: int = 1) -> str:
    """Print and return which of two networks is better, or that nothing can be said.

    There are two sources of noise: the seeds (runs differ), and the choice of the test pictures
    (both networks see the same ones, so their difference is taken picture by picture). The
    difference is called distinguishable if it is larger than both together, at a confidence of
    about 95 %: 2.8 standard errors of the runs and 2 of the pictures, combined as the root of the
    sum of squares. Lesson 01 derives it.

    Parameters
    ----------
    right : mapping of str to array_like of bool, shape (seeds, pictures)
        For each network, whether each run answered each test picture correctly. Three seeds: the
        factor 2.8 is that of three runs each.
    first, second : str
        The names of the two networks in `right`.
    decimals : int, optional
        Decimals of the printed percentage points.

    Returns
    -------
    str
        `first` or `second`, whichever is better, or ``"not distinguishable"``.
    """
    a, b = (np.array(right[name], float) for name in (first, second))
    difference = 100 * (b.mean() - a.mean())
    by_picture = 100 * (b.mean(axis=0) - a.mean(axis=0))
    from_pictures = by_picture.std(ddof=1) / math.sqrt(by_picture.size)
    from_seeds = 100 * math.sqrt(sum(x.mean(axis=1).var(ddof=1) / len(x) for x in (a, b)))
    noise = math.hypot(2 * from_pictures, THREE_RUNS_EACH * from_seeds)
    verdict = "not distinguishable"
    if abs(difference) > noise:
        verdict = second if difference > 0 else first
    print(
        f"{second} − {first}: {difference:+.{decimals}f} points, noise {noise:.{decimals}f} → "
        + (verdict if verdict == "not distinguishable" else f"{verdict} is better")
    )
    return verdict
