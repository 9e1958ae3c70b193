"""What preflight found, for a person and for programs."""

import dataclasses
import json


class PreflightError(Exception):
    """Nothing can be tried; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that an author should mend before students get the assignment.

    Attributes
    ----------
    kind : str
        What sort of thing it is: ``"leak"``, ``"points"``, ``"never-fails"``, …
    where : str
        Notebook and cell, or the file.
    message : str
        What was found, and what to do.
    """

    kind: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one made-up submission earned, against what it should.

    Attributes
    ----------
    submission : str
        What was handed in, in words.
    earned : float or None
        Points of all test cells; None if it could not be graded.
    possible : float
        What all test cells are worth.
    should : str
        What it should earn, in words.
    as_it_should : bool
        Whether it did, test cell by test cell.
    remark : str
        What grading said of it.
    seconds : float
        Time in the rooms.
    """

    submission: str
    earned: float | None
    possible: float
    should: str
    as_it_should: bool
    remark: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class CellUsage:
    """What one cell of the solution used.

    Attributes
    ----------
    notebook, cell : str
        Which cell: its ``grade_id``, or where it stands.
    seconds, processor_seconds : float
        Time by the clock, and of all processors.
    memory_mb : float
        Most memory that a room had used when the cell ended, beyond its libraries.
    stopped : str
        Why the cell was stopped; empty if it ended by itself.
    """

    notebook: str
    cell: str
    seconds: float
    processor_seconds: float
    memory_mb: float
    stopped: str = ""


@dataclasses.dataclass(frozen=True)
class AnswerCount:
    """How many of the author's wrong, or right, answers did as they should.

    Attributes
    ----------
    kind : {"wrong", "right"}
        Wrong ones should lose points and get their hint, right ones keep all.
    good, tried : int
        So many did, of so many.
    """

    kind: str
    good: int
    tried: int


@dataclasses.dataclass
class Report:
    """Everything that preflight says of an assignment.

    Attributes
    ----------
    assignment : str
        Name of the assignment.
    findings : list of Finding
        What to mend; empty if all is well.
    notes : list of str
        What was not looked at, and why; what is odd without being wrong.
    outcomes : list of Outcome
        One for each made-up submission.
    answers : list of AnswerCount
        The author's own answers, if there are any.
    usage : list of CellUsage
        The cells of the solution.
    limits : dict of str to float
        What cells and rooms may use.
    to_mark : float
        Points that a person gives.
    seconds : float
        How long it took.
    """

    assignment: str
    findings: list[Finding] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    answers: list[AnswerCount] = dataclasses.field(default_factory=list)
    usage: list[CellUsage] = dataclasses.field(default_factory=list)
    limits: dict[str, float] = dataclasses.field(default_factory=dict)
    to_mark: float = 0.0
    seconds: float = 0.0

    def find(self, kind: str, where: str, message: str) -> None:
        """Add a finding, once."""
        finding = Finding(kind, where, message)
        if finding not in self.findings:
            self.findings.append(finding)

    def to_json(self) -> str:
        """One JSON object: see ``autograder preflight --json``."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1)
