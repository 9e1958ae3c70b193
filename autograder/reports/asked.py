"""What an exercise asks for, in the words of the lesson, and what its hints say.

The words come from the notebook that students were given, never from the one with the solutions.
Hints come from the test cell that the instructor wrote: only the dictionary that it gives to
:class:`autograder.checks.Exercise`, read without running anything.
"""

import ast
import dataclasses
import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
# "Exercise 3 · `conv2d` (5 points, marked by hand)": the points stand elsewhere on the page.
_POINTS = re.compile(r"\s*\(\s*[\d.,½]+\s*points?\b[^()]*\)$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Asked:
    """One exercise as the lesson puts it.

    Attributes
    ----------
    title : str
        Its heading, without the points.
    text : str
        Markdown below the heading; empty for a free text, whose question is part of the answer.
    """

    title: str
    text: str


@dataclasses.dataclass(frozen=True)
class Lesson:
    """A released notebook.

    Attributes
    ----------
    title : str
        Its first heading; empty if it has none.
    asked : dict of str to Asked
        By name of the graded cell; a cell without a heading before it is not there.
    """

    title: str = ""
    asked: Mapping[str, Asked] = dataclasses.field(default_factory=dict)


def read_lesson(path: Path) -> Lesson:
    """Read what a released notebook asks for.

    Parameters
    ----------
    path : pathlib.Path
        The released notebook.

    Returns
    -------
    Lesson
        Without words if there is no such notebook.
    """
    try:
        cells = json.loads(path.read_bytes())["cells"]
        texts = [text_of(cell) for cell in cells if cell["cell_type"] == "markdown"]
        heading = _HEADING.search("\n\n".join(texts))
        return Lesson(heading.group(1) if heading else "", dict(_asked(cells)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Lesson()


def _asked(cells: list[dict[str, Any]]) -> Iterator[tuple[str, Asked]]:
    texts: list[str] = []
    answered = False
    for cell in cells:
        about = cell["metadata"].get("nbgrader") or {}
        text = text_of(cell)
        if about.get("grade") or about.get("task"):
            own = cell["cell_type"] == "markdown" and _HEADING.search(text)
            asked = _last_section([text] if own else texts)
            if asked is not None:
                yield about["grade_id"], dataclasses.replace(asked, text="") if own else asked
            texts, answered = [], False
        elif about.get("solution"):
            answered = True
        elif cell["cell_type"] == "markdown" and not answered:
            # What stands between an answer and its test is no longer the task.
            texts.append(text)


def _last_section(texts: list[str]) -> Asked | None:
    """The last heading and what follows it."""
    whole = "\n\n".join(texts)
    headings = list(_HEADING.finditer(whole))
    if not headings:
        return None
    last = headings[-1]
    return Asked(_POINTS.sub("", last.group(1)), whole[last.end() :].strip())


def text_of(cell: Mapping[str, Any]) -> str:
    """Source of a cell; notebooks on disk keep it as a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


@functools.cache
def hints_in(source: str) -> Mapping[str, str]:
    """Hint id → text, from the exercises that a test cell makes.

    Hints that are not written down as plain text are left out.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    hints: dict[str, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg == "hints" and isinstance(keyword.value, ast.Dict):
                pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
                hints.update(
                    (key.value, value.value)
                    for key, value in pairs
                    if isinstance(key, ast.Constant)
                    and isinstance(value, ast.Constant)
                    and isinstance(key.value, str)
                    and isinstance(value.value, str)
                )
    return hints
