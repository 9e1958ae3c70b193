"""The released notebook with the author's answers in it, and what each test in it stands on."""

import copy
import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from autograder.assignment.names import bindings, cell_kind


class Key(NamedTuple):
    """Names one cell of an assignment: notebook and ``grade_id``."""

    notebook: str
    cell: str

    def __str__(self) -> str:
        return f"{self.notebook} · {self.cell}"


@dataclasses.dataclass(frozen=True)
class CodeCell:
    """A code cell as a place where names come from and go to.

    Attributes
    ----------
    index : int
        Where it stands.
    name : str
        Its ``grade_id``; empty for cells that nbgrader does not know.
    kind : {"answer", "test", "locked", "open"}
        As in :class:`autograder.assignment.names.Cell`.
    bound, used : frozenset of str
        Names that it binds, and names that it looks up.
    points : float
        What it is worth.
    """

    index: int
    name: str
    kind: str
    bound: frozenset[str]
    used: frozenset[str]
    points: float


class SolvedNotebook:
    """One released notebook with the author's answers put in.

    Parameters
    ----------
    name : str
        Name of the notebook.
    released : dict
        As nbgrader released it.
    source : dict
        As the author wrote it.
    more_names : mapping of str to iterable of str, optional
        Answer cell → other texts of it that will be tried; what they look up counts as well.
    """

    def __init__(
        self,
        name: str,
        released: dict[str, Any],
        source: dict[str, Any],
        more_names: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self.name = name
        self.released = released
        solutions = {
            about["grade_id"]: text_of(cell)
            for cell in source["cells"]
            if (about := about_of(cell)).get("solution")
        }
        self.notebook = copy.deepcopy(released)
        for cell in self.notebook["cells"]:
            about = about_of(cell)
            if about.get("solution") and about["grade_id"] in solutions:
                cell["source"] = solutions[about["grade_id"]]
        self.cells = [
            _code_cell(index, cell, (more_names or {}).get(about_of(cell).get("grade_id", ""), ()))
            for index, cell in enumerate(self.notebook["cells"])
            if cell["cell_type"] == "code"
        ]
        self.answers = {cell.name: cell for cell in self.cells if cell.kind == "answer"}
        self.tests = {cell.name: cell for cell in self.cells if cell.kind == "test"}
        self._before = {cell.index: self._closure(cell) for cell in self.cells}

    def _closure(self, cell: CodeCell) -> frozenset[int]:
        """Cells on which a cell stands, by the names that it looks up."""
        found: set[int] = set()
        waiting = [cell]
        while waiting:
            one = waiting.pop()
            for other in self.cells:
                if other.index < one.index and other.index not in found and one.used & other.bound:
                    found.add(other.index)
                    waiting.append(other)
        return frozenset(found)

    def stands_on(self, name: str, answer: str) -> bool:
        """Whether a test or answer cell uses an answer, directly or through other cells."""
        cell = self.tests.get(name) or self.answers[name]
        return name == answer or self.answers[answer].index in self._before[cell.index]

    @functools.cached_property
    def tests_of(self) -> dict[str, list[str]]:
        """Answer cell → the test cells that mark it."""
        return {name: self._tests_of(answer) for name, answer in self.answers.items()}

    def _tests_of(self, answer: CodeCell) -> list[str]:
        if f"test_{answer.name}" in self.tests:
            return [f"test_{answer.name}"]
        using = [name for name, test in self.tests.items() if test.used & answer.bound]
        if using:
            return using
        later = [cell.index for cell in self.answers.values() if cell.index > answer.index]
        end = min(later, default=len(self.notebook["cells"]))
        return [name for name, test in self.tests.items() if answer.index < test.index < end]

    @functools.cached_property
    def needed(self) -> set[int]:
        """Open cells on which a test stands: all others are experiments."""
        wanted = set().union(*(self._before[test.index] for test in self.tests.values()))
        return {cell.index for cell in self.cells if cell.kind == "open" and cell.index in wanted}

    def source_of(self, answer: str) -> str:
        """The author's text of an answer cell."""
        return text_of(self.notebook["cells"][self.answers[answer].index])

    def hand_in(self, changed: Mapping[str, str], *, whole: bool = False) -> bytes:
        """Make a notebook file: the author's answers, but for some.

        Parameters
        ----------
        changed : mapping of str to str
            Answer cell → other text.
        whole : bool
            Whether the experiments are in it.
        """
        notebook = copy.deepcopy(self.notebook)
        kept = []
        experiments = {cell.index for cell in self.cells if cell.kind == "open"} - self.needed
        for index, cell in enumerate(notebook["cells"]):
            name = about_of(cell).get("grade_id", "")
            if name in changed:
                cell["source"] = changed[name]
            if whole or name or index not in experiments:
                kept.append(cell)
        notebook["cells"] = kept
        return json.dumps(notebook, ensure_ascii=False).encode()

    def untouched(self) -> bytes:
        """The notebook file that students get."""
        return json.dumps(self.released, ensure_ascii=False).encode()

    def emptied(self) -> dict[str, str]:
        """Every answer cell with an empty text, those in words too."""
        return {
            about["grade_id"]: ""
            for cell in self.notebook["cells"]
            if (about := about_of(cell)).get("solution")
        }


def about_of(cell: Mapping[str, Any]) -> dict[str, Any]:
    """What nbgrader knows of a cell; empty if nothing."""
    about = cell.get("metadata", {}).get("nbgrader")
    return about if isinstance(about, dict) else {}


def text_of(cell: Mapping[str, Any]) -> str:
    """Source of a cell as one text."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _code_cell(index: int, cell: Mapping[str, Any], more: Iterable[str]) -> CodeCell:
    about = about_of(cell)
    texts = [bindings(text) for text in (text_of(cell), *more)]
    return CodeCell(
        index=index,
        name=about.get("grade_id", ""),
        kind=cell_kind(about),
        bound=texts[0].bound,
        # What a cell binds itself it does not take from an earlier one.
        used=frozenset().union(*(found.free - found.bound for found in texts)),
        points=float(about.get("points") or 0),
    )
