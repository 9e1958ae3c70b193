"""Plots of a class report as plain shapes; a template writes them down as SVG.

Every plot is 400 units wide, so that its text can be read on a phone, where a unit is about a
pixel. Colours are named, not given: the page's style decides, for light and for dark. The pair of
colours is Okabe and Ito's blue and orange (vermillion), which stay apart without red or green.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence

from autograder.reports.class_report import (
    AssignmentFigures,
    ClassReport,
    ExerciseFigures,
    MistakeFigures,
)
from autograder.reports.item_analysis import WEAK

WIDTH = 400
MOST_MISTAKES = 10
_LONGEST = 52  # characters of a label that fit on a line


@dataclasses.dataclass(frozen=True)
class Shape:
    """A rectangle, line, circle, polygon or text.

    Attributes
    ----------
    kind : str
        ``"rect"``, ``"line"``, ``"circle"``, ``"polygon"`` or ``"text"``.
    place : tuple of float
        x, y, width, height · x1, y1, x2, y2 · x, y, radius · x1, y1, x2, y2, … · x, y.
    look : str
        Classes of the page's style.
    text : str
        Of a text; of other shapes, what is told when one points at it.
    """

    kind: str
    place: tuple[float, ...]
    look: str = ""
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Plot:
    """A plot with its words.

    Attributes
    ----------
    name : str
        Short name, for ids.
    title, caption : str
        What it shows; how to read it.
    summary : str
        Its content in words, for those who do not see it.
    height : float
        Height, where ``WIDTH`` is 400.
    shapes : tuple of Shape
        In the order in which they are drawn.
    """

    name: str
    title: str
    caption: str
    summary: str
    height: float
    shapes: tuple[Shape, ...]


def plots_of(report: ClassReport) -> list[Plot]:
    """The plots that the figures allow."""
    made = [scores(report), difficulties(report.exercises), discriminations(report.exercises)]
    if report.mistakes:
        made.append(mistakes(report.mistakes))
    made.append(times([student.seconds for student in report.students]))
    if len(report.progress) > 1:
        made.append(progress(report.progress))
    return made


def scores(report: ClassReport) -> Plot:
    """Histogram of the shares, in tenths."""
    shares = [student.share for student in report.students if student.share is not None]
    counts = tenths(shares)
    labels = [f"{10 * place}" for place in range(11)]
    shapes, left, right, base = _columns(
        counts, labels, edges=True, told=[f"{10 * n}–{10 * n + 10}%" for n in range(10)]
    )
    summary = ", ".join(
        f"{10 * place} to {10 * place + 10}%: {count}" for place, count in enumerate(counts)
    )
    if report.shares is not None:
        at = left + min(report.shares.median, 1.0) * (right - left)
        side = "end" if report.shares.median > 0.6 else ""
        shapes += [
            Shape("line", (at, 18, at, base), "mark"),
            Shape("text", (at + (-5 if side else 5), 24, 0, 0), f"strong {side}",
                  f"median {report.shares.median:.0%}"),
        ]  # fmt: skip
        shapes.sort(key=lambda shape: shape.kind == "text")  # no line through a number
    shapes.append(Shape("text", ((left + right) / 2, base + 34), "middle faint", "% of the points"))
    return Plot(
        "scores", "Scores", "Students by their share of what is marked so far. A share on a border "
        "belongs to the column on its right; 100% to the last.", f"Students: {summary}.",
        base + 42, tuple(shapes),
    )  # fmt: skip


def tenths(shares: Sequence[float]) -> list[int]:
    """Count shares by tenths; the last holds 1 and whatever is above."""
    counts = [0] * 10
    for share in shares:
        # 0.7 · 10 is a little less than 7 in floating-point numbers.
        counts[min(max(math.floor(10 * share + 1e-9), 0), 9)] += 1
    return counts


def difficulties(exercises: Sequence[ExerciseFigures]) -> Plot:
    """Bars of the difficulty index."""
    rows = [
        (exercise.title, exercise.difficulty, _share(exercise.difficulty)) for exercise in exercises
    ]
    shapes, height = _bars(rows, low=0.0, high=1.0)
    return Plot(
        "difficulty", "Difficulty", "Mean share of the points that each exercise earned: long bars "
        "are easy.", _told(rows), height, tuple(shapes),
    )  # fmt: skip


def discriminations(exercises: Sequence[ExerciseFigures]) -> Plot:
    """Bars of the item–rest correlation."""
    rows = [
        (
            exercise.title,
            exercise.discrimination,
            "–" if exercise.discrimination is None else f"{exercise.discrimination:.2f}",
        )
        for exercise in exercises
    ]
    negative = any(value is not None and value < 0 for _, value, _ in rows)
    shapes, height = _bars(rows, low=-1.0 if negative else 0.0, high=1.0, weak=WEAK)
    return Plot(
        "discrimination", "Discrimination",
        "Correlation of each exercise with all others together. "
        f"Orange: below {WEAK:g}, it does not tell the strong from the weak.", _told(rows), height,
        tuple(shapes),
    )  # fmt: skip


def mistakes(found: Sequence[MistakeFigures]) -> Plot:
    """Bars of how many students made each of the commonest mistakes."""
    named = [mistake for mistake in found if mistake.named] or list(found)
    shown = named[:MOST_MISTAKES]
    most = max(mistake.students for mistake in shown)
    rows = [
        (f"{mistake.exercise} · {mistake.id}", float(mistake.students), str(mistake.students))
        for mistake in shown
    ]
    shapes, height = _bars(rows, low=0.0, high=float(most))
    return Plot(
        "mistakes", "Commonest mistakes", "Students who made each mistake that the author named.",
        _told(rows), height, tuple(shapes),
    )  # fmt: skip


def times(seconds: Sequence[float]) -> Plot:
    """Histogram of running times; each column is twice as wide as the one before."""
    edges = doubling(seconds)
    counts = [
        sum(low <= value < high for value in seconds) for low, high in itertools.pairwise(edges)
    ]
    told = [f"{low:g} to {high:g} s" for low, high in itertools.pairwise(edges)]
    shapes, left, right, base = _columns(
        counts, [f"{edge:g}" for edge in edges], edges=True, told=told
    )
    shapes.append(Shape("text", ((left + right) / 2, base + 34), "middle faint", "seconds"))
    summary = ", ".join(f"{words}: {count}" for words, count in zip(told, counts, strict=True))
    return Plot(
        "times", "Time used", "Submissions by the time that running them took.",
        f"Submissions: {summary}.", base + 42, tuple(shapes),
    )  # fmt: skip


def doubling(seconds: Sequence[float]) -> list[float]:
    """Borders 0, 1, 2, 4, 8 … that hold all values; without empty columns at the beginning."""
    high = max(seconds, default=0.0)
    edges = [0.0, 1.0]
    while edges[-1] <= high:
        edges.append(2 * edges[-1])
    while len(edges) > 3 and not any(value < edges[1] for value in seconds):
        del edges[0]
    return edges


def progress(found: Sequence[AssignmentFigures]) -> Plot:
    """Median and middle half of each assignment, in their order."""
    left, right, top, base = 40.0, WIDTH - 12.0, 12.0, 190.0
    step = (right - left) / len(found)
    places = [left + step * (number + 0.5) for number in range(len(found))]

    def height(share: float) -> float:
        return base - min(max(share, 0.0), 1.0) * (base - top)

    shapes = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        shapes += [
            Shape("line", (left, height(share), right, height(share)), "grid"),
            Shape("text", (left - 6, height(share) + 4), "end faint", f"{share:.0%}"),
        ]
    middle = [height(one.shares.median) for one in found]
    for number in range(len(found) - 1):
        shapes.append(
            Shape("line", (places[number], middle[number], places[number + 1], middle[number + 1]),
                  "path")
        )  # fmt: skip
    wide = min(26.0, step / 2)
    for place, at, one in zip(places, middle, found, strict=True):
        low, high = (height(quartile) for quartile in one.shares.quartiles)
        told = (
            f"{one.assignment}: median {one.shares.median:.0%}, middle half "
            f"{one.shares.quartiles[0]:.0%} to {one.shares.quartiles[1]:.0%}, "
            f"{one.shares.count} students"
        )
        shapes += [
            Shape("rect", (place - wide / 2, high, wide, max(low - high, 2.0)), "bar pale", told),
            Shape("circle", (place, at, 4.5), "dot", told),
            Shape("text", (place, base + 18), "middle",
                  _cut(one.assignment, max(4, int(step / 7.5)))),
            Shape("text", (place, base + 34), "middle faint", f"n = {one.shares.count}"),
        ]  # fmt: skip
    summary = "; ".join(
        f"{one.assignment}: median {one.shares.median:.0%} of {one.shares.count} students"
        for one in found
    )
    return Plot(
        "progress", "Progress over assignments",
        "Dot: median share of the points. Bar: the middle half of the class. In the order of the "
        "due dates.", f"{summary}.", base + 44, tuple(shapes),
    )  # fmt: skip


def _columns(
    counts: Sequence[int], labels: Sequence[str], *, edges: bool, told: Sequence[str]
) -> tuple[list[Shape], float, float, float]:
    """Columns side by side, with their counts above and labels at their borders."""
    left, right, top, base = 12.0, WIDTH - 12.0, 44.0, 200.0
    step = (right - left) / len(counts)
    most = max([*counts, 1])
    shapes = [Shape("line", (left, base, right, base), "axis")]
    for number, count in enumerate(counts):
        tall = count / most * (base - top)
        at = left + step * number
        if count:
            shapes += [
                Shape("rect", (at + 1.5, base - tall, step - 3, tall), "bar",
                      f"{told[number]}: {count}"),
                Shape("text", (at + step / 2, base - tall - 5), "middle", str(count)),
            ]  # fmt: skip
    for number, label in enumerate(labels):
        at = left + step * (number if edges else number + 0.5)
        shapes.append(Shape("text", (at, base + 17), "middle faint", label))
    return shapes, left, right, base


def _bars(
    rows: Sequence[tuple[str, float | None, str]],
    *,
    low: float,
    high: float,
    weak: float | None = None,
) -> tuple[list[Shape], float]:
    """Bars below each other, each with its label above and its value behind."""
    left, right, step = 2.0, WIDTH - 46.0, 42.0
    zero = left + (0.0 - low) / ((high - low) or 1.0) * (right - left)
    shapes: list[Shape] = []
    for number, (label, value, shown) in enumerate(rows):
        top = 4.0 + step * number
        shapes += [
            Shape("text", (left, top + 12), "", _cut(label, _LONGEST)),
            Shape("rect", (left, top + 18, right - left, 14), "track"),
            Shape("text", (WIDTH - 2, top + 30), "end strong", shown),
        ]
        if value is not None:
            end = left + (min(max(value, low), high) - low) / ((high - low) or 1.0) * (right - left)
            look = "bar second" if weak is not None and value < weak else "bar"
            shapes.append(
                Shape("rect", (min(zero, end), top + 18, abs(end - zero), 14), look,
                      f"{label}: {shown}")
            )  # fmt: skip
        if low < 0:
            shapes.append(Shape("line", (zero, top + 15, zero, top + 35), "axis"))
    return shapes, 4.0 + step * len(rows)


def _told(rows: Sequence[tuple[str, float | None, str]]) -> str:
    return "; ".join(f"{label}: {shown}" for label, _, shown in rows) + "."


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _cut(text: str, most: int) -> str:
    plain = text.replace("`", "")
    return plain if len(plain) <= most else plain[: most - 1] + "…"
