"""Points, names and comments of a submission, as the gradebook has them.

Plain data, so that what makes pages need not import nbgrader, which takes seconds.
"""

import dataclasses
import datetime


class ReportError(Exception):
    """No page can be made at all; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class CellMark:
    """What one graded cell of one submission earned.

    Attributes
    ----------
    possible : float
        What the cell is worth.
    automatic, manual : float or None
        Points that grading gave, and those that a person gave; a person's count.
    extra : float
        Extra credit on top.
    look_again : bool
        Whether nbgrader asks a person to look at it.
    """

    possible: float
    automatic: float | None
    manual: float | None
    extra: float
    look_again: bool

    @property
    def points(self) -> float | None:
        """Points as nbgrader counts them; None while the answer waits to be marked by hand."""
        base = self.automatic if self.manual is None else self.manual
        return None if base is None else base + self.extra


@dataclasses.dataclass(frozen=True)
class NotebookMarks:
    """One notebook of a submission.

    Attributes
    ----------
    cells : dict of str to CellMark
        Graded cells by name.
    comments : dict of str to str
        Cell → what a person wrote about it.
    penalty : float
        Points that lateness costs.
    """

    cells: dict[str, CellMark]
    comments: dict[str, str]
    penalty: float

    @property
    def earned(self) -> float:
        """Points before any penalty; what waits counts as nothing yet."""
        return sum(mark.points or 0.0 for mark in self.cells.values())

    @property
    def points(self) -> float:
        """Points that count: never below 0, as in nbgrader's export."""
        return max(0.0, self.earned - self.penalty)

    @property
    def possible(self) -> float:
        """What can be earned."""
        return sum(mark.possible for mark in self.cells.values())

    @property
    def to_mark(self) -> float:
        """Points that wait for a person."""
        return sum(mark.possible for mark in self.cells.values() if mark.points is None)


@dataclasses.dataclass(frozen=True)
class StudentMarks:
    """One submission as the gradebook has it.

    Attributes
    ----------
    student, first_name, last_name : str
        Id and names; a name that the gradebook does not know is empty.
    submitted : datetime.datetime or None
        When it was handed in (UTC).
    seconds_late : float
        By how much the due date was missed.
    notebooks : dict of str to NotebookMarks
        By name, sorted.
    """

    student: str
    first_name: str
    last_name: str
    submitted: datetime.datetime | None
    seconds_late: float
    notebooks: dict[str, NotebookMarks]

    @property
    def name(self) -> str:
        """First and last name, or the id where there is neither."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.student

    @property
    def points(self) -> float:
        """Points that count, of all notebooks."""
        earned = sum(notebook.earned for notebook in self.notebooks.values())
        return max(0.0, earned - sum(notebook.penalty for notebook in self.notebooks.values()))

    @property
    def possible(self) -> float:
        """What can be earned."""
        return sum(notebook.possible for notebook in self.notebooks.values())

    @property
    def to_mark(self) -> float:
        """Points that wait for a person."""
        return sum(notebook.to_mark for notebook in self.notebooks.values())
