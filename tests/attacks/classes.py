"""Hand a class in, grade it in one of three ways, and write down what became of everybody."""

import contextlib
import dataclasses
import datetime
import html
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.attacks import canaries, pages
from tests.attacks.catalogue import Attack, mark_of
from tests.attacks.course import (
    COURSE_ID,
    HIDDEN_WORD,
    POINTS,
    SOLUTION_WORD,
    WALLS,
    Course,
    Submission,
)

COMMANDS = {
    "plain nbgrader": ("nbgrader", "autograde"),
    "nbgrader autograde": ("nbgrader", "autograde"),
    "autograder grade": (sys.executable, "-m", "autograder", "grade"),
}
MODES = tuple(COMMANDS)
PLAIN = MODES[0]
NEIGHBOURS = ("aa-honest", "m-honest", "zz-honest")
LAST = NEIGHBOURS[-1:]  # the one who is graded after every attacker
LAZY = "m-lazy"
MAX_NOTEBOOK = 5_000_000  # bytes of an autograded notebook
PROTECTED = ("source", "release", "nbgrader_config.py", "submitted", ".autograder_secret")


@dataclasses.dataclass
class Outcome:
    """What became of one submission.

    Attributes
    ----------
    scores : dict of str to float
        Points of each test cell; missing where there are none.
    late : float
        Points taken off for lateness.
    row : bool
        Whether the gradebook has points for every test cell.
    gains : list of str
        Where it earned more than it deserved.
    harms : list of str
        What it changed, learnt, reached or left behind.
    """

    student: str
    scores: dict[str, float]
    late: float
    row: bool
    gains: list[str]
    harms: list[str]

    @property
    def total(self) -> float:
        """Points that count."""
        return sum(self.scores.values()) - self.late

    @property
    def word(self) -> str:
        """One or two words for the table."""
        words = (["gains"] if self.gains else []) + (["harms"] if self.harms else [])
        return " and ".join(words) or "nothing"


class ClassRun:
    """One class, graded once.

    Parameters
    ----------
    course : Course
        Nothing handed in yet.
    mode : str
        One of `MODES`.
    assignment : str
        What is graded.
    attacks : iterable of Attack
        Who attacks.
    neighbours : tuple of str
        Who hands in honest and right work.
    """

    def __init__(
        self,
        course: Course,
        mode: str,
        assignment: str,
        attacks: Iterable[Attack],
        neighbours: tuple[str, ...] = NEIGHBOURS,
    ) -> None:
        self.neighbours = neighbours
        # Somebody hands in the lesson as it is.
        self.lazy = (LAZY,) if len(neighbours) > 1 and assignment == WALLS else ()
        self.course = course
        self.mode = mode
        self.assignment = assignment
        self.attacks = {attack.name: attack for attack in attacks}
        self.around = canaries.Surroundings(course.root.parent)
        self.around.words["COURSE"] = str(course.root)
        self.secrets = {
            **self.around.secrets,
            "the solution": SOLUTION_WORD,
            "the hidden tests": HIDDEN_WORD,
            "a classmate's answer": f"s{os.urandom(12).hex()}",
        }
        self.outcomes: dict[str, Outcome] = {}
        self.log = ""
        self.seconds = 0.0
        self.problems: list[str] = []  # of the class as a whole
        self._marked: list[tuple[Path, set[str]]] = []

    def __enter__(self) -> "ClassRun":
        return self

    def __exit__(self, *_: object) -> None:
        self.around.close()

    def mark(self, student: str) -> str:
        """The word that names an attack in everything that it leaves behind."""
        return mark_of(self.around.run, student)

    def hand_in(self) -> None:
        """Everybody hands in."""
        for student in self.neighbours:
            notebook = self.course.honest(self.assignment)
            notebook["cells"].append(
                {
                    "cell_type": "markdown",
                    "id": "note",
                    "metadata": {},
                    "source": self.secrets["a classmate's answer"],
                }
            )
            self.course.hand_in(self.assignment, student, notebook)
        for student in self.lazy:
            self.course.hand_in(self.assignment, student, self.course.lesson(self.assignment))
        if any(attack.late for attack in self.attacks.values()):
            # Nobody can set the clock of a file system back: what comes now is late for good.
            self.course.set_due(self.assignment, datetime.timedelta())
            time.sleep(1.5)
        for attack in self.attacks.values():
            submission = self._submission(attack)
            attack.submit(submission)
            submission.hand_in()

    def _submission(self, attack: Attack) -> Submission:
        words = {**self.around.words, "MARK": self.mark(attack.name), "STUDENT": attack.name}
        return Submission(self.course, attack.assignment, attack.name, words)

    def grade(self, *, seconds: float, feedback: bool) -> None:
        """Grade everybody, and again who has learnt something; then look for what happened."""
        began = time.monotonic()
        before = canaries.digests(self.course.root, PROTECTED)
        code = self._run([*COMMANDS[self.mode], self.assignment], seconds)
        if code is None:
            self.problems.append(f"the grader was still running after {seconds:g} s")
        if feedback:
            self._feedback(seconds, [])
        before = self._resubmit(before, seconds, feedback=feedback)
        self.seconds = time.monotonic() - began
        left = canaries.left_processes([self.around.run, str(self.course.root)])
        self._look(before, left)

    def _resubmit(
        self, before: dict[str, str], seconds: float, *, feedback: bool
    ) -> dict[str, str]:
        """Let those hand in again who wanted to read the feedback first."""
        clever = [attack for attack in self.attacks.values() if attack.again]
        if not clever:
            return before
        expected = dict(before)
        for attack in clever:
            submission = self._submission(attack)
            attack.again(submission, self.told(attack.name))
            submission.hand_in()
            folder = f"submitted/{attack.name}"
            for name in [name for name in expected if name.startswith(folder)]:
                del expected[name]
            expected |= canaries.digests(self.course.root, [folder])
        for attack in clever:
            words = ["--student", attack.name, "--force"]
            if self.mode != "autograder grade":
                words = [f"--student={attack.name}", "--force"]
            self._run([*COMMANDS[self.mode], self.assignment, *words], seconds)
        if feedback:
            self._feedback(seconds, ["--force"])
        return expected

    def _feedback(self, seconds: float, words: list[str]) -> None:
        code = self._run(["nbgrader", "generate_feedback", self.assignment, *words], seconds)
        if code is None:
            self.problems.append("feedback could not be made in time")

    def _run(self, command: list[str], seconds: float) -> int | None:
        """Run a command in the course's folder; None if it had to be stopped."""
        log = self.around.base / "log.txt"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=self.course.root, env=self.around.environment,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.log += f"$ {' '.join(command)}\n{log.read_text(errors='replace')}\n"
        return code

    # What students can read ---------------------------------------------------------------------

    def autograded(self, student: str) -> dict[str, Any]:
        """The autograded notebook; empty if there is none."""
        path = self.course.root / "autograded" / student / self.assignment
        try:
            return json.loads((path / f"{self.assignment}.ipynb").read_bytes())
        except (OSError, ValueError):
            return {"cells": [], "metadata": {}}

    def page(self, student: str) -> str:
        """The page of feedback; empty if there is none."""
        path = self.course.root / "feedback" / student / self.assignment
        try:
            return (path / f"{self.assignment}.html").read_text(errors="replace")
        except OSError:
            return ""

    def outputs(self, student: str) -> str:
        """Everything that cells of a submission gave out."""
        cells = self.autograded(student)["cells"]
        return "\n".join(_flat(output) for cell in cells for output in cell.get("outputs", ()))

    def comments(self, student: str) -> str:
        """What the grader wrote beside the answers."""
        from nbgrader.api import Gradebook, MissingEntry

        with Gradebook(self.course.database, COURSE_ID) as gradebook:
            try:
                submission = gradebook.find_submission(self.assignment, student)
            except MissingEntry:
                return ""
            found = [comment for book in submission.notebooks for comment in book.comments]
            return "\n".join(comment.auto_comment or "" for comment in found)

    def told(self, student: str) -> str:
        """Everything that a student can read after grading."""
        page = self.page(student)
        text = html.unescape(re.sub(r"<[^>]*>", "", page))
        files = self._returned_files(student)
        if self.mode == PLAIN:
            # Its pages show hidden tests to everybody; only what an attack did counts here.
            return "\n".join([*files, self.outputs(student), self.comments(student)])
        return "\n".join([page, text, *files, self.comments(student)])

    def _returned_files(self, student: str) -> list[str]:
        """Files that go back with the feedback, but for those that were handed in as they are."""
        back = self.course.root / "feedback" / student / self.assignment
        sent = self.course.submission(self.assignment, student)
        found = []
        for path in canaries.files_below(back):
            if not path.is_file() or path.suffix == ".html" or path.stat().st_size > canaries.LARGE:
                continue
            own = sent / path.relative_to(back)
            if own.is_symlink() or not own.is_file() or own.read_bytes() != path.read_bytes():
                found.append(path.read_text(errors="replace"))
        return found

    # What happened ------------------------------------------------------------------------------

    def _look(self, before: dict[str, str], left: dict[int, str]) -> None:
        for student in (*self.neighbours, *self.lazy, *self.attacks):
            self.outcomes[student] = self._outcome(student)
        after = canaries.digests(self.course.root, PROTECTED)
        new_secret = {".autograder_secret"} if ".autograder_secret" not in before else set()
        # The grader may write down when something was handed in.
        times = ("/timestamp.txt", "/.autograder_record.json")
        changed = [
            name for name in canaries.changed(before, after)
            if name not in new_secret and not any(place in name for place in times)
        ]  # fmt: skip
        self.problems += [f"{name} changed" for name in changed]
        marked = {student: self.mark(student) for student in self.attacks}
        for number, words in left.items():
            owner = next((name for name, mark in marked.items() if mark in words), None)
            what = f"process {number} was left behind: {words}"
            self._blame(owner, what)
        for student in self.neighbours:
            scores = self.outcomes[student].scores
            if scores != POINTS[self.assignment] or self.outcomes[student].late:
                self.problems.append(f"{student} has {scores}, {self.outcomes[student].late} off")
        for student in self.lazy:
            if self.outcomes[student].total or not self.outcomes[student].row:
                self.problems.append(f"{student} has {self.outcomes[student].scores}")
        self.problems += self._gradebook_changes()
        self.problems += canaries.large_files([self.around.scratch, self.around.home])
        self._marked = self._marked_files()
        heard = b" ".join(self.around.listener.heard).decode(errors="replace")
        for student, attack in self.attacks.items():
            outcome = self.outcomes[student]
            outcome.harms += self._harms(student, heard)
            if attack.harm is not None:
                outcome.harms += attack.harm(self, student)
            outcome.gains = self._gains(attack, outcome)
        if heard and not any(mark in heard for mark in marked.values()):
            self.problems.append(f"somebody reached a server: {heard[:200]}")
        below = canaries.files_below(self.around.base)
        sockets = [path for path in below if len(str(path)) < 4000 and path.is_socket()]
        self.problems += [f"a socket was left behind: {path.name}" for path in sockets]
        self.problems += [
            f"left in $TMPDIR: {path.name}" for path in sorted(self.around.scratch.iterdir())
        ]

    def _marked_files(self) -> list[tuple[Path, set[str]]]:
        """Files with marks of attacks, but for those in which a grader may quote a submission."""
        root = self.course.root
        quoting = [self.course.exchange, self.around.base / "log.txt"]
        quoting += [*root.glob("gradebook.db*"), *root.glob(".autograder*")]
        return [
            (path, marks)
            for path, marks in canaries.marked_files(self.around.run, self.around.base)
            if not any(path.is_relative_to(place) for place in quoting)
        ]

    def _blame(self, student: str | None, what: str) -> None:
        if student is None:
            self.problems.append(what)
        else:
            self.outcomes[student].harms.append(what)

    def _outcome(self, student: str) -> Outcome:
        from nbgrader.api import Gradebook, MissingEntry

        outcome = Outcome(student, {}, 0.0, False, [], [])
        with Gradebook(self.course.database, COURSE_ID) as gradebook:
            try:
                submission = gradebook.find_submission(self.assignment, student)
            except MissingEntry:
                return outcome
            for notebook in submission.notebooks:
                outcome.late += notebook.late_submission_penalty or 0.0
                for grade in notebook.grades:
                    if grade.name not in POINTS[self.assignment]:
                        # Free text waits for a person: points there are a gain like any other.
                        if grade.manual_score:
                            outcome.scores[grade.name] = grade.manual_score
                        continue
                    if grade.auto_score is not None or grade.manual_score is not None:
                        score = grade.score
                        outcome.scores[grade.name] = math.nan if score is None else float(score)
        outcome.row = set(POINTS[self.assignment]) <= set(outcome.scores)
        return outcome

    def _gains(self, attack: Attack, outcome: Outcome) -> list[str]:
        found = []
        for name, points in outcome.scores.items():
            # Written so that nan is a gain too.
            if not points <= attack.honest.get(name, 0.0):
                found.append(f"{name}: {points:g} instead of {attack.honest.get(name, 0.0):g}")
        # What is late counts for nothing, whatever it deserves.
        honest = 0.0 if attack.late else sum(attack.honest.values())
        if not found and not outcome.total <= honest:
            found.append(f"{outcome.total:g} in all instead of {honest:g}")
        return found

    def _gradebook_changes(self) -> list[str]:
        from nbgrader.api import Gradebook

        with Gradebook(self.course.database, COURSE_ID) as gradebook:
            points = {
                cell.name: float(cell.max_score)
                for notebook in gradebook.find_assignment(self.assignment).notebooks
                for cell in notebook.grade_cells
                if cell.name in POINTS[self.assignment]
            }
            known = {student.id for student in gradebook.students}
        found = []
        if points != POINTS[self.assignment]:
            found.append(f"exercises are now worth {points}")
        strangers = known - set(self.outcomes)
        if strangers:
            found.append(f"students nobody knows: {', '.join(sorted(strangers))}")
        return found

    def _harms(self, student: str, heard: str) -> list[str]:
        mark = self.mark(student)
        found = []
        if not self.outcomes[student].row:
            found.append("there is no row for it")
        if mark in heard:
            found.append("it reached a server")
            told = [name for name, word in self.secrets.items() if canaries.tells(heard, word)]
            found += [f"it sent out {name}" for name in told]
        own = [
            self.course.root / place / student for place in ("submitted", "autograded", "feedback")
        ]
        found += [
            f"{path.relative_to(self.around.base)} has its mark"
            for path, marks in self._marked
            if mark in marks and not any(path.is_relative_to(folder) for folder in own)
        ]
        shared = [path for path in self.around.shared_files() if mark in path.name]
        found += [f"{path} was left behind" for path in shared]
        found += _libraries_with(mark)
        told = self.told(student)
        # On plain nbgrader every traceback shows a line of a hidden test; no merit of an attack.
        everywhere = "the hidden tests" if self.mode == PLAIN else ""
        found += [
            f"it can read {name}" for name, word in self.secrets.items()
            if canaries.tells(told, word, only_disguised=name == everywhere)
        ]  # fmt: skip
        echoed = re.findall(rf"{mark}-heard-(\d+)", told)
        if echoed:
            found.append(f"it can read a hidden input: {echoed[0]}")
        path = self.course.root / "autograded" / student / self.assignment
        found += canaries.large_files([path])
        notebook = path / f"{self.assignment}.ipynb"
        if notebook.is_file() and notebook.stat().st_size > MAX_NOTEBOOK:
            found.append(f"its notebook has {notebook.stat().st_size / 1e6:.0f} MB")
        found += [f"feedback: {problem}" for problem in pages.problems(self.page(student), mark)]
        if self.mode != PLAIN:
            formgrader = pages.formgrader_page(self.course, self.assignment, student)
            found += [f"formgrader: {problem}" for problem in pages.problems(formgrader, mark)]
        return found


def _libraries_with(mark: str) -> list[str]:
    """Files in the environment's library folder that are named after an attack; removed."""
    folder = Path(json.__file__).parent.parent / "site-packages"
    environment = Path(sys.prefix) / "lib" / folder.parent.name / "site-packages"
    found = []
    for place in {folder, environment}:
        for path in place.glob(f"*{mark}*"):
            path.unlink()
            found.append(f"{path.name} was put among the libraries")
    return found


def _flat(output: dict[str, Any]) -> str:
    """All texts of an output, joined."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    if output["output_type"] == "error":
        return "\n".join([output["ename"], output["evalue"], *output["traceback"]])
    return "\n".join(
        "".join(value) if isinstance(value, list | str) else json.dumps(value)
        for value in output["data"].values()
    )
