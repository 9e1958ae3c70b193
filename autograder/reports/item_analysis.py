"""How hard an exercise was, and whether it tells the strong from the weak: classical test theory.

*Difficulty* is the item difficulty index *p*: the mean share of its points that an exercise earned.
High is easy. *Discrimination* is the corrected item–total correlation, also called item–rest
correlation: Pearson's *r* between the share earned in an exercise and the share earned in all
others together. For an exercise that is either right or wrong it is the point-biserial correlation.
*Reliability* is Cronbach's alpha.

References
----------
Henrysson, S. (1963). Correction of item–total correlations in item analysis. Psychometrika 28.
Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16.
Ebel, R. L., Frisbie, D. A. (1991). Essentials of Educational Measurement, 5th edition.
"""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

# A correlation of fewer pairs says next to nothing.
FEWEST = 5
# Ebel and Frisbie: an item below this does not tell the strong from the weak.
WEAK = 0.2


@dataclasses.dataclass(frozen=True)
class Spread:
    """Middle and width of some numbers.

    Attributes
    ----------
    count : int
        How many.
    mean, median, lowest, highest : float
        As named.
    quartiles : (float, float)
        First and third, by linear interpolation between the ordered numbers.
    deviation : float or None
        Sample standard deviation (n − 1); None of fewer than two.
    """

    count: int
    mean: float
    median: float
    lowest: float
    highest: float
    quartiles: tuple[float, float]
    deviation: float | None


def spread(values: Sequence[float]) -> Spread | None:
    """Summarise numbers; None of none."""
    if not values:
        return None
    several = len(values) > 1
    cuts = statistics.quantiles(values, n=4, method="inclusive") if several else [values[0]] * 3
    return Spread(
        count=len(values), mean=statistics.fmean(values), median=statistics.median(values),
        lowest=min(values), highest=max(values), quartiles=(cuts[0], cuts[2]),
        deviation=statistics.stdev(values) if several else None,
    )  # fmt: skip


def difficulty(points: Sequence[float | None], possible: float) -> float | None:
    """Mean share of the points; answers that wait to be marked (None) are left out."""
    marked = [value for value in points if value is not None]
    return statistics.fmean(marked) / possible if marked and possible else None


def discrimination(
    item: str,
    points: Mapping[str, Sequence[float | None]],
    possible: Mapping[str, float],
) -> float | None:
    """Correlate an exercise with the rest.

    Parameters
    ----------
    item : str
        The exercise.
    points : mapping of str to sequence of float or None
        Exercise → points by student, in one order for all; None where an answer waits.
    possible : mapping of str to float
        Exercise → what it is worth.

    Returns
    -------
    float or None
        Within −1 … 1. None if there are fewer than ``FEWEST`` pairs, or one side does not vary.
        A student's rest is the share of what was marked of the other exercises.
    """
    mine, rest = [], []
    for place, value in enumerate(points[item]):
        others = [
            (other[place], possible[name])
            for name, other in points.items()
            if name != item and other[place] is not None
        ]
        worth = sum(most for _, most in others)
        if value is not None and worth:
            mine.append(value / possible[item] if possible[item] else 0.0)
            rest.append(sum(earned or 0.0 for earned, _ in others) / worth)
    if len(mine) < FEWEST:
        return None
    try:
        r = statistics.correlation(mine, rest)
    except statistics.StatisticsError:
        return None  # one of them is constant
    return r if math.isfinite(r) else None


def alpha(points: Mapping[str, Sequence[float | None]]) -> float | None:
    """Cronbach's alpha, of the students whose every answer is marked.

    None if there are fewer than two exercises or ``FEWEST`` students, or all have the same total.
    """
    rows = [row for row in zip(*points.values(), strict=True) if None not in row]
    if len(points) < 2 or len(rows) < FEWEST:
        return None
    items = list(zip(*rows, strict=True))
    total = statistics.variance([sum(row) for row in rows])
    if not total:
        return None
    within = sum(statistics.variance(item) for item in items)
    return len(items) / (len(items) - 1) * (1 - within / total)
