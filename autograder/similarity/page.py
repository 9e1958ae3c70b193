"""The page that puts the likest submissions side by side, and the same as JSON."""

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from autograder.similarity.answers import SimilarityError
from autograder.similarity.comparison import (
    FEW,
    LEAST,
    MOST,
    PROSE_RUN,
    RUN,
    CellPair,
    Comparison,
    Pair,
    Passage,
)
from autograder.whole_file import write_whole

# Passages that more than this share of the scale is rare are marked strongly.
RARE = 0.6
# Blanks at the end of a line and at the beginning of the next: colour there says nothing.
_INDENT = re.compile(r"[ \t]*\n\s*|\A\s+")


@dataclasses.dataclass(frozen=True)
class Piece:
    """Some characters of an answer: ``kind`` is ``""``, ``"common"`` or ``"rare"``."""

    text: str
    kind: str


def write_page(
    comparison: Comparison, assignment: str, path: Path, *, most: int = 25, force: bool = False
) -> None:
    """Write the page.

    Parameters
    ----------
    comparison : Comparison
        The class.
    assignment : str
        Name of the assignment.
    path : pathlib.Path
        Where.
    most : int
        Pairs that are shown, the likest first.
    force : bool
        Write over a file that exists.

    Raises
    ------
    SimilarityError
        If the file exists or cannot be written.
    """
    if path.exists() and not force:
        raise SimilarityError(f"{path} exists: name another with --to, or write over it (--force)")
    content = _page(comparison, assignment, most).encode("utf-8", "replace")
    try:
        write_whole(path, content)
    except OSError as error:
        raise SimilarityError(f"{path} cannot be written ({error.strerror})") from None


def to_json(comparison: Comparison, assignment: str) -> str:
    """All pairs as JSON, the likest first, cells of those that stand out."""
    about = {
        "assignment": assignment,
        "note": "Likeness is no proof of copying: look at both submissions.",
        "submissions": len(comparison.answers.submissions),
        "fence": round(comparison.fence, 4),
        "run": RUN,
        "unreadable": list(comparison.answers.remarks),
        "pairs": [_described(comparison, pair) for pair in comparison.pairs],
    }
    return json.dumps(about, ensure_ascii=False, indent=1)


def _described(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    stands_out = comparison.stands_out(pair)
    about: dict[str, Any] = {
        "students": list(pair.students),
        "likeness": round(pair.likeness, 4),
        "weight": round(pair.weight, 2),
        "stands_out": stands_out,
    }
    if stands_out:
        about["cells"] = [
            {
                "notebook": cell.notebook,
                "cell": cell.cell,
                "likeness": round(cell.likeness, 4),
                "share": round(cell.share, 4),
                "passages": [
                    [[mark.start, mark.end, round(mark.rarity, 3)] for mark in marks]
                    for marks in cell.passages
                ],
            }
            for cell in comparison.cells(pair)
        ]
    return about


def pieces(text: str, passages: Sequence[Passage]) -> list[Piece]:
    """Cut a text at the passages that are alike; where two overlap, the rarer one wins.

    Examples
    --------
    >>> pieces("abcdef", [Passage(1, 3, 0.9)])
    [Piece(text='a', kind=''), Piece(text='bc', kind='rare'), Piece(text='def', kind='')]
    """
    kinds = [""] * len(text)
    for mark in sorted(passages, key=lambda mark: mark.rarity):
        kind = "rare" if mark.rarity >= RARE else "common"
        kinds[mark.start : mark.end] = [kind] * (min(mark.end, len(text)) - mark.start)
    for indent in _INDENT.finditer(text):
        kinds[indent.start() : indent.end()] = [""] * len(indent.group())
    found: list[Piece] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or kinds[at] != kinds[start]:
            found.append(Piece(text[start:at], kinds[start]))
            start = at
    return found


def _page(comparison: Comparison, assignment: str, most: int) -> str:
    shown = comparison.pairs[:most]
    prose = {
        (question.notebook, question.name): question.prose
        for question in comparison.answers.questions
    }
    several = len({question.notebook for question in comparison.answers.questions}) > 1

    def described(cell: CellPair) -> dict[str, Any]:
        return {
            "name": f"{cell.notebook} · {cell.cell}" if several else cell.cell,
            "likeness": cell.likeness,
            "share": cell.share,
            "prose": prose[cell.notebook, cell.cell],
            "same": cell.texts[0].strip() == cell.texts[1].strip(),
            "sides": [
                pieces(text, marks) for text, marks in zip(cell.texts, cell.passages, strict=True)
            ],
        }

    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("autograder.similarity", "templates"),
                jinja2.PackageLoader("autograder.reports", "templates"),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("similarity.html.j2").render(
        assignment=assignment,
        submissions=len(comparison.answers.submissions),
        few=len(comparison.answers.submissions) < FEW,
        number=len(comparison.pairs),
        fence=comparison.fence,
        least=LEAST,
        most_of_all=MOST,
        standing_out=sum(map(comparison.stands_out, comparison.pairs)),
        histogram=_histogram(comparison),
        run=RUN,
        prose_run=PROSE_RUN,
        remarks=comparison.answers.remarks,
        pairs=[
            {
                "students": pair.students,
                "likeness": pair.likeness,
                "stands_out": comparison.stands_out(pair),
                "cells": [described(cell) for cell in comparison.cells(pair)],
            }
            for pair in shown
        ],
    )


def _histogram(comparison: Comparison) -> list[dict[str, Any]]:
    """Count pairs in twenty steps of likeness."""
    steps = 20
    counts = [0] * steps
    for pair in comparison.pairs:
        counts[min(int(pair.likeness * steps), steps - 1)] += 1
    top = max(counts)
    return [
        {
            "from": step / steps,
            "to": (step + 1) / steps,
            "count": count,
            # A single pair among hundreds must still be seen.
            "height": 0 if not count else max(4.0, 100 * count / top),
            "beyond": (step + 1) / steps > comparison.fence,
        }
        for step, count in enumerate(counts)
    ]
