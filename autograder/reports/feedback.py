"""What a student is told about a graded notebook: one object, made from what grading left behind.

Three things come together: the autograded notebook (answers and verdicts), the gradebook (points,
comments, penalties) and the released lesson (what was asked). Of the test cells only the hints are
used: neither their text nor their outputs, nor any output of the student's cells, reaches a page.
Hidden checks tell no values, because the verdict holds none.
"""

import dataclasses
import datetime
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.checks.exercise import GENERAL_HINTS
from autograder.reports.asked import Asked, Lesson, hints_in, text_of
from autograder.reports.marks import NotebookMarks, StudentMarks

MAX_ANSWER = 20_000  # characters of an answer that are shown
MAX_CHECKS = 12  # failed checks that are listed under one mistake


class UnreadableNotebookError(Exception):
    """An autograded notebook cannot be read; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Check:
    """A check that failed: what was checked, what was found, and how often with these words."""

    label: str
    message: str
    hidden: bool
    times: int = 1


@dataclasses.dataclass(frozen=True)
class Mistake:
    """Failed checks with one cause.

    Attributes
    ----------
    id : str
        Hint id: the named mistake, or a general kind such as ``"wrong-value"``.
    hint : str
        What helps; empty where there is nothing to add.
    checks : tuple of Check
        The first of them.
    more : int
        How many are not listed.
    """

    id: str
    hint: str
    checks: tuple[Check, ...]
    more: int


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a student wrote.

    Attributes
    ----------
    kind : str
        ``"code"`` or ``"markdown"``.
    text : str
        Source of the cell, perhaps cut.
    attachments : dict
        Pictures of a text: name → media type → base64.
    cut : bool
        Whether there is more of it.
    """

    kind: str
    text: str
    attachments: Mapping[str, Mapping[str, str]]
    cut: bool


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One exercise.

    Attributes
    ----------
    name : str
        Name of the exercise.
    title, task : str
        Its heading and its text (Markdown), from the lesson; `task` may be empty.
    points : float or None
        None while the answer waits to be marked by hand.
    possible : float
        What it is worth.
    by_hand : bool
        Whether a person marks it.
    changed : bool
        Whether a person has changed the points that grading gave.
    extra : float
        Extra credit, part of `points`.
    remarks : tuple of str
        What was stopped, by which limit; why nothing ran.
    mistakes : tuple of Mistake
        What the checks found.
    comments : tuple of str
        What a person wrote (Markdown).
    answers : tuple of Answer
        The student's cells.
    unanswered : bool
        Whether a free text was left as it was handed out.
    """

    name: str
    title: str
    task: str
    points: float | None
    possible: float
    by_hand: bool
    changed: bool
    extra: float
    remarks: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    comments: tuple[str, ...]
    answers: tuple[Answer, ...]
    unanswered: bool

    @property
    def state(self) -> str:
        """``"waits"``, ``"full"``, ``"partly"`` or ``"none"``."""
        if self.points is None:
            return "waits"
        if self.points >= self.possible:
            return "full"
        return "partly" if self.points > 0 else "none"


@dataclasses.dataclass(frozen=True)
class Feedback:
    """Everything on one page.

    Attributes
    ----------
    student, name : str
        Id and name.
    assignment, notebook : str
        What it is about.
    title : str
        Heading of the lesson.
    points, possible, to_mark, penalty : float
        Of this notebook: points that count, what can be earned, what waits, what lateness cost.
    others : tuple of str
        Other notebooks of this assignment, which have pages of their own.
    all_points, all_possible : float
        Of the whole assignment.
    submitted : datetime.datetime or None
        When it was handed in (UTC).
    seconds_late : float
        By how much it was late.
    outcomes : tuple of Outcome
        In the order of the lesson.
    notes : tuple of str
        What had to be mended before it could be graded.
    sandboxed : bool
        Whether the student's code was kept in while it was graded.
    language : str
        Language of the code.
    """

    student: str
    name: str
    assignment: str
    notebook: str
    title: str
    points: float
    possible: float
    to_mark: float
    penalty: float
    others: tuple[str, ...]
    all_points: float
    all_possible: float
    submitted: datetime.datetime | None
    seconds_late: float
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]
    sandboxed: bool
    language: str


def read_notebook(content: bytes, path: Path) -> dict[str, Any]:
    """Read an autograded notebook.

    Raises
    ------
    UnreadableNotebookError
        If it is none.
    """
    try:
        notebook = json.loads(content)
        if not isinstance(notebook["cells"], list) or not isinstance(notebook["metadata"], dict):
            raise TypeError("no cells")
        return notebook
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableNotebookError(
            f"{path} is not a notebook ({error}): grade this submission again, with "
            "`autograder grade --force`"
        ) from None


def read_feedback(
    notebook: Mapping[str, Any], marks: StudentMarks, name: str, *, assignment: str,
    lesson: Lesson, cell_seconds: float,
) -> Feedback:  # fmt: skip
    """Put together what a student is told.

    Parameters
    ----------
    notebook : dict
        The autograded notebook.
    marks : StudentMarks
        The submission in the gradebook.
    name : str
        Name of the notebook.
    assignment : str
        Name of the assignment.
    lesson : Lesson
        What was handed out.
    cell_seconds : float
        How long a cell may run when it is graded.
    """
    about = _dict(notebook["metadata"].get("autograder"))
    verdicts = _dict(about.get("verdicts"))
    mine = marks.notebooks[name]
    notes = [note for note in about.get("notes", ()) if isinstance(note, str)]
    outcomes: list[Outcome] = []
    answers: list[tuple[str, Mapping[str, Any]]] = []
    for cell in notebook["cells"]:
        nbgrader = _dict(cell["metadata"].get("nbgrader"))
        cell_name = nbgrader.get("grade_id", "")
        graded = nbgrader.get("grade") or nbgrader.get("task")
        if nbgrader.get("solution") or nbgrader.get("task"):
            answers.append((cell_name, cell))
        if graded and cell_name in mine.cells:
            verdict, asked = verdicts.get(cell_name), lesson.asked.get(cell_name)
            outcome = _outcome(cell, answers, mine, verdict, asked, notes)
            if any(mistake.id == "interrupted" for mistake in outcome.mistakes):
                # The examiner interrupts for one reason only; the check itself cannot name it.
                said = f"stopped: when it is graded, a cell may run for {cell_seconds:g} s"
                outcome = dataclasses.replace(outcome, remarks=(*outcome.remarks, said))
            outcomes.append(outcome)
            answers = []
    language = _dict(notebook["metadata"].get("language_info")).get("name", "python")
    return Feedback(
        student=marks.student, name=marks.name, assignment=assignment, notebook=name,
        title=lesson.title or name, points=mine.points, possible=mine.possible,
        to_mark=mine.to_mark, penalty=mine.penalty,
        others=tuple(other for other in marks.notebooks if other != name),
        all_points=marks.points, all_possible=marks.possible, submitted=marks.submitted,
        seconds_late=marks.seconds_late, outcomes=tuple(outcomes), notes=tuple(notes),
        sandboxed=about.get("sandbox") != "none",
        language=language if isinstance(language, str) else "python",
    )  # fmt: skip


def _outcome(
    cell: Mapping[str, Any],
    answers: list[tuple[str, Mapping[str, Any]]],
    marks: NotebookMarks,
    verdict: Any,
    asked: Asked | None,
    notes: list[str],
) -> Outcome:
    about = cell["metadata"]["nbgrader"]
    name = about["grade_id"]
    mark = marks.cells[name]
    verdict = _dict(verdict)
    exercise = name.removeprefix("test_")
    names = [answer for answer, _ in answers]
    by_hand = bool(about.get("solution") or about.get("task"))
    remarks = [verdict["remark"]] if verdict.get("remark") else []
    for note in list(notes):
        # A note about an answer cell belongs to its exercise.
        whose, _, said = note.partition(": ")
        if whose in names and said:
            notes.remove(note)
            if said not in remarks:
                remarks.append(said)
    return Outcome(
        name=exercise,
        title=asked.title if asked else exercise,
        task=asked.text if asked else "",
        points=mark.points,
        possible=mark.possible,
        by_hand=by_hand,
        changed=not by_hand and mark.manual is not None and mark.manual != mark.automatic,
        extra=mark.extra,
        remarks=tuple(remarks),
        mistakes=_mistakes(verdict.get("findings", ()), hints_in(text_of(cell))),
        comments=tuple(
            marks.comments[answer]
            for answer in dict.fromkeys([*names, name])
            if answer in marks.comments
        ),
        answers=tuple(_answer(answer) for _, answer in answers),
        # Grading gives unchanged free text nothing at once; changed text waits.
        unanswered=by_hand and mark.automatic == 0,
    )


def _mistakes(findings: Any, hints: Mapping[str, str]) -> tuple[Mistake, ...]:
    grouped: dict[str, Counter[tuple[str, str, bool]]] = {}
    for finding in findings:
        words = finding["label"], finding["message"], bool(finding["hidden"])
        grouped.setdefault(finding["hint_id"], Counter())[words] += 1
    return tuple(
        Mistake(
            kind,
            hints.get(kind, GENERAL_HINTS.get(kind, "")),
            tuple(Check(*words, times) for words, times in list(counted.items())[:MAX_CHECKS]),
            max(0, len(counted) - MAX_CHECKS),
        )
        for kind, counted in grouped.items()
    )


def _answer(cell: Mapping[str, Any]) -> Answer:
    text = text_of(cell)
    attachments = _dict(cell.get("attachments")) if cell["cell_type"] == "markdown" else {}
    return Answer(cell["cell_type"], text[:MAX_ANSWER], attachments, len(text) > MAX_ANSWER)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
