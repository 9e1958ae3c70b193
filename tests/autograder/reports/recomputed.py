"""Figures of a class report once more, from the gradebook's tables, by plain arithmetic.

Nothing of this project is used: SQL, loops, and the textbook's formulas.
"""

import json
import math
import sqlite3
from collections import defaultdict
from pathlib import Path


def table(path: Path, assignment: str):
    """(points by student and cell, worth by cell, penalty by student)."""
    base = sqlite3.connect(path)
    rows = base.execute(
        """
        SELECT s.student_id, b.name, g.auto_score, g.manual_score, g.extra_credit,
               COALESCE(gc.max_score, tc.max_score)
        FROM grade g
        JOIN base_cell b ON b.id = g.cell_id
        LEFT JOIN grade_cells gc ON gc.id = b.id
        LEFT JOIN task_cells tc ON tc.id = b.id
        JOIN submitted_notebook n ON n.id = g.notebook_id
        JOIN submitted_assignment s ON s.id = n.assignment_id
        JOIN assignment a ON a.id = s.assignment_id
        WHERE a.name = ?
        """,
        (assignment,),
    ).fetchall()
    points, worth = defaultdict(dict), {}
    for student, cell, auto, manual, extra, most in rows:
        score = auto if manual is None else manual
        points[student][cell] = None if score is None else score + (extra or 0)
        worth[cell] = most
    penalties = dict(
        base.execute(
            """
            SELECT s.student_id, SUM(COALESCE(n.late_submission_penalty, 0))
            FROM submitted_notebook n
            JOIN submitted_assignment s ON s.id = n.assignment_id
            JOIN assignment a ON a.id = s.assignment_id
            WHERE a.name = ? GROUP BY s.student_id
            """,
            (assignment,),
        ).fetchall()
    )
    base.close()
    return dict(points), worth, penalties


def mean(values):
    return sum(values) / len(values)


def pearson(xs, ys):
    """Product-moment correlation, by its definition."""
    x, y = mean(xs), mean(ys)
    above = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    below = math.sqrt(sum((a - x) ** 2 for a in xs) * sum((b - y) ** 2 for b in ys))
    return above / below


def figures(path: Path, assignment: str) -> dict:
    """What a report must say: by student and by exercise, and of the class."""
    points, worth, penalties = table(path, assignment)
    shares, totals = {}, {}
    for student, cells in points.items():
        marked = sum(worth[cell] for cell, earned in cells.items() if earned is not None)
        earned = sum(earned for earned in cells.values() if earned is not None)
        totals[student] = max(0, earned - penalties.get(student, 0))
        if marked:
            shares[student] = totals[student] / marked
    exercises = {}
    for cell, most in worth.items():
        mine = {s: cells[cell] for s, cells in points.items() if cells[cell] is not None}
        item, rest = [], []
        for student, earned in mine.items():
            others = {c: e for c, e in points[student].items() if c != cell and e is not None}
            item.append(earned / most)
            rest.append(sum(others.values()) / sum(worth[c] for c in others))
        exercises[cell.removeprefix("test_")] = {
            "marked": len(mine),
            "full": sum(earned >= most for earned in mine.values()),
            "none": sum(earned <= 0 for earned in mine.values()),
            "mean": mean(list(mine.values())),
            "difficulty": mean(item),
            "discrimination": pearson(item, rest),
        }
    ordered = sorted(shares.values())
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else mean(ordered[middle - 1 : middle + 1])
    complete = [cells for cells in points.values() if None not in cells.values()]

    def variance(values):
        return sum((value - mean(values)) ** 2 for value in values) / (len(values) - 1)

    within = sum(variance([cells[cell] for cells in complete]) for cell in worth)
    total = variance([sum(cells.values()) for cells in complete])
    return {
        "shares": shares,
        "points": totals,
        "mean": mean(ordered),
        "median": median,
        "deviation": math.sqrt(variance(ordered)),
        "alpha": len(worth) / (len(worth) - 1) * (1 - within / total),
        "exercises": exercises,
        "waiting": sum(None in cells.values() for cells in points.values()),
    }


def mistakes(course: Path, assignment: str) -> dict:
    """(exercise, mistake) → students, from the autograded notebooks.

    Who has not tried an exercise has made no other mistake in it.
    """
    counted = defaultdict(set)
    for path in course.glob(f"autograded/*/{assignment}/*.ipynb"):
        about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["autograder"]
        for verdict in about["verdicts"].values():
            found = {finding["hint_id"] for finding in verdict["findings"]}
            for hint in found & {"not-attempted"} or found:
                counted[verdict["exercise"], hint].add(path.parts[-3])
    return {what: len(students) for what, students in counted.items()}
