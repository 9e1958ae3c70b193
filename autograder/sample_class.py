"""A class of invented students: notebooks made from a lesson by small patches kept as data."""

import copy
import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

# How much of its bytes a truncated file keeps: enough to look like a notebook.
KEPT_SHARE = 0.6


class SampleError(Exception):
    """The data of a sample class are wrong; the message says which student and what."""


@dataclasses.dataclass(frozen=True)
class Student:
    """One invented student and the row that is expected.

    Attributes
    ----------
    id : str
        Id in the gradebook.
    story : str
        What this submission stands for.
    content : bytes
        The notebook file that is handed in.
    points : dict of str to float or None
        Exercise → expected points; None where an answer waits to be marked by hand.
    remark : str
        Words that must stand in the remark; may be empty.
    """

    id: str
    story: str
    content: bytes
    points: dict[str, float | None]
    remark: str


def read_class(path: Path, *, lesson: Path, solution: Path, variants: Path) -> list[Student]:
    """Make the submissions that a class file describes.

    Parameters
    ----------
    path : pathlib.Path
        The class file (TOML). Each ``[[student]]`` has an ``id``, a ``story`` and a ``start``
        (``"lesson"`` or ``"solution"``). Optional are ``answers`` (cell → name in the variants
        file, such as ``"wrong/bias-forgotten"``, or ``"solution"``), ``source`` (cell → text),
        ``before`` (cell → text put before its source), ``delete`` and ``repeat`` (lists of
        cells) and ``truncate``. ``expect`` holds the points that differ from those of the start
        (``"by hand"`` for an answer that waits), ``remark`` words that the remark must hold.
    lesson, solution : pathlib.Path
        The released notebook, and the notebook with all answers.
    variants : pathlib.Path
        Wrong and other-style answers (TOML).

    Raises
    ------
    SampleError
        If a student asks for a cell or an answer that does not exist.
    """
    answers = read_variants(variants)
    starts = {
        "lesson": json.loads(lesson.read_bytes()),
        "solution": json.loads(solution.read_bytes()),
    }
    with path.open("rb") as file:
        content = tomllib.load(file)
    return [_student(about, starts, answers) for about in content["student"]]


def read_variants(path: Path) -> dict[tuple[str, str], str]:
    """Read a variants file: (cell, ``"wrong/name"`` or ``"right/name"``) → source of the cell."""
    with path.open("rb") as file:
        content = tomllib.load(file)
    return {
        (item["exercise"], f"{kind}/{item['name']}"): item["answer"].strip("\n")
        for kind in ("wrong", "right")
        for item in content.get(kind, [])
    }


def cells_by_name(notebook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Cells of a notebook that nbgrader knows, by ``grade_id``."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: cell
        for cell in notebook["cells"]
        if "nbgrader" in cell["metadata"]
    }


def full_points(notebook: dict[str, Any], *, start: str) -> dict[str, float | None]:
    """Points that an unpatched start earns: nothing for the lesson, everything for the solution."""
    points: dict[str, float | None] = {}
    for name, cell in cells_by_name(notebook).items():
        about = cell["metadata"]["nbgrader"]
        if about["grade"]:
            full = None if about["solution"] else float(about["points"])
            points[name.removeprefix("test_")] = 0.0 if start == "lesson" else full
    return points


def _student(
    about: dict[str, Any], starts: dict[str, Any], answers: dict[tuple[str, str], str]
) -> Student:
    notebook = copy.deepcopy(starts[about["start"]])
    cells = cells_by_name(notebook)

    def cell(name: str) -> dict[str, Any]:
        if name not in cells:
            raise SampleError(f"student {about['id']}: the lesson has no cell {name!r}")
        return cells[name]

    for name, variant in about.get("answers", {}).items():
        target = cell(name)
        if variant == "solution":
            target["source"] = cells_by_name(starts["solution"])[name]["source"]
        elif (name, variant) in answers:
            target["source"] = answers[name, variant]
        else:
            raise SampleError(f"student {about['id']}: no answer {variant!r} to {name!r}")
    for name, source in about.get("source", {}).items():
        cell(name)["source"] = source.strip("\n")
    for name, source in about.get("before", {}).items():
        cell(name)["source"] = source.strip("\n") + "\n" + _text(cell(name)["source"])
    for name in about.get("repeat", []):
        twin = copy.deepcopy(cell(name))
        twin["id"] = f"{twin['id']}-again"
        notebook["cells"].insert(notebook["cells"].index(cell(name)), twin)
    for name in about.get("delete", []):
        notebook["cells"].remove(cell(name))
    content = json.dumps(notebook, indent=1, ensure_ascii=False).encode()
    if about.get("truncate"):
        content = content[: int(len(content) * KEPT_SHARE)]
    lost = about.get("truncate") or about["start"] == "lesson"
    points = full_points(starts["lesson"], start="lesson" if lost else "solution")
    unknown = set(about.get("expect", {})) - set(points)
    if unknown:
        raise SampleError(f"student {about['id']}: expects points for unknown {sorted(unknown)}")
    expected = {
        name: None if value == "by hand" else float(value)
        for name, value in about.get("expect", {}).items()
    }
    return Student(
        id=about["id"],
        story=about["story"],
        content=content,
        points={**points, **expected},
        remark=about.get("remark", ""),
    )


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
