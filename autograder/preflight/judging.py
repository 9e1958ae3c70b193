"""What the made-up submissions earned, against what they should."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder.gradebook.rows import Row
from autograder.preflight.author_answers import AuthorAnswer
from autograder.preflight.measuring import MEASURED, read_usage
from autograder.preflight.report import AnswerCount, Outcome, Report
from autograder.preflight.solved import Key, about_of, text_of
from autograder.preflight.trials import ALL, LESS, NOTHING, Notebooks, Trial
from autograder.workers.tasks import CellVerdict

# Grading machines differ, and students' answers are slower: so much of a limit is close to it.
TIME_SHARE = 0.5
MEMORY_SHARE = 0.75
# A cell that waits more than it works is on a machine that has other work to do.
BUSY_SHARE = 0.5
# What is handed back without knowing what is asked may be right now and then.
LUCK_SHARE = 0.2
_TINY = 1e-9


@dataclasses.dataclass
class Graded:
    """One made-up submission, graded.

    Attributes
    ----------
    trial : Trial
        What was handed in.
    row : Row
        What grading said.
    verdicts : dict of Key to CellVerdict
        What each test cell gave.
    notebooks : dict of str to dict
        The graded notebooks.
    """

    trial: Trial
    row: Row
    verdicts: dict[Key, CellVerdict]
    notebooks: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, trial: Trial, row: Row, paths: Iterable[Path]) -> "Graded":
        """Read what grading left in the scratch course."""
        notebooks = {path.stem: json.loads(path.read_bytes()) for path in paths}
        verdicts = {
            Key(name, test): CellVerdict(**verdict)
            for name, notebook in notebooks.items()
            for test, verdict in notebook["metadata"]["autograder"].get("verdicts", {}).items()
        }
        remarks = tuple(remark for remark in row.remarks if not remark.startswith(MEASURED))
        return cls(trial, dataclasses.replace(row, remarks=remarks), verdicts, notebooks)

    def keeps(self, test: Key) -> bool:
        """Whether a test cell gave all its points."""
        verdict = self.verdicts.get(test)
        return verdict is not None and verdict.points >= verdict.possible - _TINY

    def earned(self, test: Key) -> float:
        """Points of a test cell."""
        verdict = self.verdicts.get(test)
        return 0.0 if verdict is None else verdict.points


def why(verdict: CellVerdict) -> str:
    """Say in a few words why a test cell did not give all its points."""
    words = [verdict.remark] if verdict.remark else []
    for finding in verdict.findings[:3]:
        hidden = "hidden check" if finding["hidden"] else "check"
        words.append(f"{hidden} {finding['label']!r}: {finding['message']}")
    return "; ".join(words) or "no reason given"


def _luck(trial: Trial) -> float:
    """Share of an exercise that a submission may have without deserving it."""
    return LUCK_SHARE if trial.kind == "hostile" else 0.0


class Judge:
    """Compares what was earned with what should be, and writes findings.

    Parameters
    ----------
    notebooks : mapping of str to SolvedNotebook
        The assignment.
    report : Report
        Gets what is found.
    """

    def __init__(self, notebooks: Notebooks, report: Report) -> None:
        self.notebooks, self.report = notebooks, report
        self.graded: dict[str, Graded] = {}
        self.tests = [Key(name, test) for name, one in notebooks.items() for test in one.tests]
        self.points = {key: notebooks[key.notebook].tests[key.cell].points for key in self.tests}
        self._good: dict[AuthorAnswer, bool] = {}

    # -- the solution

    def solution(self, limits: Mapping[str, float]) -> bool:
        """Judge the solution; return whether anything else can be judged by it."""
        solution = self.graded["solution"]
        if not solution.row.graded:
            words = "; ".join(solution.row.remarks)
            self.report.find("not-graded", "", f"the solution cannot be graded: {words}")
            return False
        for key in self.tests:
            if not solution.keeps(key):
                verdict = solution.verdicts.get(key)
                earned = solution.earned(key)
                words = "no verdict" if verdict is None else why(verdict)
                self.report.find(
                    "solution-loses",
                    str(key),
                    f"the solution earns {earned:g} of {self.points[key]:g}: {words}",
                )
        ended = self._usage(solution, limits)
        self._cells_of_solution(solution)
        return ended

    def _cells_of_solution(self, solution: Graded) -> None:
        # How a cell stops that met a limit is told already.
        limited = {finding.where for finding in self.report.findings if finding.kind == "limit"}
        for name, notebook in solution.notebooks.items():
            intended = {
                text_of(cell)
                for cell in self.notebooks[name].notebook["cells"]
                if "raises-exception" in cell["metadata"].get("tags", ())
            }
            for number, cell in enumerate(notebook["cells"], 1):
                about = about_of(cell)
                graded = about.get("grade") and not about.get("solution")
                if cell["cell_type"] != "code" or graded or text_of(cell) in intended:
                    continue
                errors = [
                    output["ename"]
                    for output in cell["outputs"]
                    if output["output_type"] == "error"
                ]
                if not errors or errors[0] in ("CellTimeoutError", "DeadKernelError"):
                    continue
                where = f"{name} · {about.get('grade_id') or f'cell {number}'}"
                if where in limited:
                    continue
                if about:
                    self.report.find(
                        "solution-stops", where, f"the solution's cell stops with {errors[0]}"
                    )
                else:
                    self.report.notes.append(
                        f"{where}: stops with {errors[0]} while it is graded; no test needs it"
                    )

    def _usage(self, solution: Graded, limits: Mapping[str, float]) -> bool:
        """Compare time and memory with the limits; return whether nothing was stopped."""
        ended = True
        told = False
        for name, notebook in solution.notebooks.items():
            usage = read_usage(notebook, name)
            self.report.usage.extend(usage)
            for cell in usage:
                where = f"{name} · {cell.cell}"
                if cell.stopped:
                    self.report.find("limit", where, f"the solution's cell: {cell.stopped}")
                    # Experiments are only in the solution and in the untouched lesson.
                    ended = ended and (
                        cell.cell not in self.notebooks[name].answers
                        and cell.cell not in self.notebooks[name].tests
                    )
                    continue
                most = limits["cell_seconds"]
                if cell.seconds > TIME_SHARE * most:
                    words = (
                        f"takes {cell.seconds:.1f} s of the {most:g} that a cell may take, "
                        f"{cell.processor_seconds:.1f} s of it on a processor"
                    )
                    if cell.processor_seconds < BUSY_SHARE * cell.seconds:
                        self.report.notes.append(f"{where}: {words}: is this machine busy?")
                    else:
                        mend = "make it lighter, or raise c.Sandbox.cell_seconds"
                        self.report.find("too-slow", where, f"{words}: {mend}")
                most = limits["cell_processor_seconds"]
                if cell.processor_seconds > TIME_SHARE * most:
                    self.report.find(
                        "too-slow",
                        where,
                        f"takes {cell.processor_seconds:.1f} s of the {most:g} s of processor time "
                        "that a cell may take: make it lighter, or raise "
                        "c.Sandbox.cell_processor_seconds",
                    )
                if cell.memory_mb > MEMORY_SHARE * limits["memory_mb"] and not told:
                    told = True
                    self.report.find(
                        "too-much-memory",
                        where,
                        f"up to here the solution uses {cell.memory_mb:.0f} MB of the "
                        f"{limits['memory_mb']:g} that a room may use: make it lighter, or raise "
                        "c.Sandbox.memory_mb",
                    )
            total = float(notebook["metadata"]["autograder"].get("seconds", 0.0))
            if total > TIME_SHARE * limits["submission_seconds"]:
                self.report.find(
                    "too-slow",
                    name,
                    f"takes {total:.0f} s of the {limits['submission_seconds']:g} that a notebook "
                    "may take: make it lighter, or raise c.Sandbox.submission_seconds",
                )
        return ended

    # -- all others

    def everything_else(self) -> None:
        """Judge all submissions but the solution."""
        for graded in self.graded.values():
            if not graded.row.graded:
                words = "; ".join(graded.row.remarks)
                self.report.find(
                    "not-graded", "", f"{graded.trial.title} cannot be graded: {words}"
                )
        for key in self.tests:
            self._dull(key)
            self._hostile(key)
        for graded in self.graded.values():
            if graded.trial.kind in ("noisy", "endless", "crashing"):
                self._kept(graded)

    def _of(self, kind: str) -> list[Graded]:
        return [graded for graded in self.graded.values() if graded.trial.kind == kind]

    def broken(self, key: Key) -> bool:
        """Whether not even the solution earns all points of a test cell."""
        return not self.graded["solution"].keeps(key)

    def never_fails(self, key: Key) -> bool:
        """Whether every empty and every wrong answer keeps all points of a test cell."""
        wrong = [
            graded
            for graded in self._of("answers")
            for place, answer in graded.trial.answers.items()
            if answer.kind == "wrong" and key in self._tests_of(place)
        ]
        return all(graded.keeps(key) for graded in [*self._of("dull"), *wrong])

    def _tests_of(self, place: Key) -> list[Key]:
        tests = self.notebooks[place.notebook].tests_of[place.cell]
        return [Key(place.notebook, test) for test in tests]

    def _dull(self, key: Key) -> None:
        paid = [graded for graded in self._of("dull") if graded.earned(key) > 0]
        if not paid or not self.points[key]:
            return
        if self.never_fails(key):
            self.report.find(
                "never-fails",
                str(key),
                "can never fail: whatever was tried kept all "
                f"{self.points[key]:g} points; let it look at the answer",
            )
            return
        for graded in paid:
            earned = graded.earned(key)
            title = graded.trial.title
            if graded.trial.student == "none" and not graded.keeps(key):
                self.report.notes.append(
                    f"{key}: an answer that returns None earns {earned:g} of {self.points[key]:g}"
                )
                continue
            self.report.find(
                "empty-passes",
                str(key),
                f"{title} earns {earned:g} of {self.points[key]:g}: let nothing be worth nothing",
            )

    def _hostile(self, key: Key) -> None:
        dull = max((graded.earned(key) for graded in self._of("dull")), default=0.0)
        for graded in self._of("hostile"):
            earned = graded.earned(key)
            if earned > dull + LUCK_SHARE * self.points[key]:
                self.report.find(
                    "hostile-gains",
                    str(key),
                    f"a submission that cheats ({graded.trial.title}) earns {earned:g} of "
                    f"{self.points[key]:g}: let the test look at the value that it gets",
                )

    def _kept(self, graded: Graded) -> None:
        """Noise must cost nothing, and what is spoilt must cost its own exercise only."""
        what = {
            "noisy": ("noise-costs", "prints and warnings cost points"),
            "endless": ("spreads", "an endless answer to another exercise costs points"),
            "crashing": ("spreads", "a crash in another exercise costs points"),
        }
        kind, words = what[graded.trial.kind]
        for key, should in graded.trial.should.items():
            if should == ALL and not graded.keeps(key) and not self.broken(key):
                verdict = graded.verdicts.get(key)
                reason = "no verdict" if verdict is None else why(verdict)
                self.report.find(kind, str(key), f"{words}: {reason}")

    # -- the author's answers

    def answers(self) -> list[AuthorAnswer]:
        """Judge the author's answers; return those that did not do as they should.

        The last submission that an answer was in counts.
        """
        last: dict[tuple[Key, AuthorAnswer], Graded] = {}
        for graded in self._of("answers"):
            for place, answer in graded.trial.answers.items():
                last[place, answer] = graded
        self._problems = {
            answer: problem
            for (place, answer), graded in last.items()
            if (problem := self._problem(place, answer, graded)) is not None
        }
        self._tried = [answer for _, answer in last]
        return list(self._problems)

    def report_answers(self) -> None:
        """Write down what :meth:`answers` found."""
        for answer, (kind, where, message) in self._problems.items():
            self.report.find(kind, where, f"the {answer} {message}")
        for kind in ("wrong", "right"):
            tried = [answer for answer in self._tried if answer.kind == kind]
            if tried:
                good = sum(answer not in self._problems for answer in tried)
                self.report.answers.append(AnswerCount(kind, good, len(tried)))

    def _problem(
        self, place: Key, answer: AuthorAnswer, graded: Graded
    ) -> tuple[str, str, str] | None:
        tests = [key for key in self._tests_of(place) if not self.broken(key)]
        if not tests:
            return None
        lost = [key for key in tests if not graded.keeps(key)]
        if answer.kind == "right":
            if not lost:
                return None
            verdict = graded.verdicts.get(lost[0])
            words = "no verdict" if verdict is None else why(verdict)
            return "right-loses", str(lost[0]), f"loses points: {words}"
        if not lost:
            if all(self.never_fails(key) for key in tests):
                return None  # told already
            return "wrong-passes", str(tests[0]), "keeps all points: add a check that notices it"
        hints = [hint for key in tests for hint in graded.verdicts[key].hints]
        if answer.hint and answer.hint not in hints:
            got = ", ".join(dict.fromkeys(hints)) or "none"
            return "wrong-hint", str(lost[0]), f"should get the hint {answer.hint!r}; it gets {got}"
        return None

    # -- the table

    def outcomes(self) -> None:
        """Write down what each submission earned against what it should."""
        for graded in self.graded.values():
            if graded.trial.kind == "answers":
                continue
            earned = sum(graded.earned(key) for key in self.tests) if graded.row.graded else None
            self.report.outcomes.append(
                Outcome(
                    submission=graded.trial.title,
                    earned=None if earned is None else round(earned, 2),
                    possible=sum(self.points.values()),
                    should=self._should(graded.trial),
                    as_it_should=earned is not None and self._as_it_should(graded),
                    remark="; ".join(graded.row.remarks)[:300],
                    seconds=graded.row.seconds,
                )
            )

    def _should(self, trial: Trial) -> str:
        low = sum(self.points[key] for key, should in trial.should.items() if should == ALL)
        high = low + sum(
            self.points[key] for key, should in trial.should.items() if should not in (ALL, NOTHING)
        )
        luck = _luck(trial) * sum(
            self.points[key] for key, should in trial.should.items() if should == NOTHING
        )
        if luck and low == high:
            return f"{low:g} … {low + luck:g}"
        if low == high:
            return f"{low:g}"
        below = "<" if LESS in trial.should.values() else ""
        return f"{below}{high:g}" if not low else f"{low:g} … {below}{high:g}"

    def _as_it_should(self, graded: Graded) -> bool:
        luck = _luck(graded.trial)
        for key, should in graded.trial.should.items():
            wrong = (
                (should == ALL and not graded.keeps(key))
                or (should == NOTHING and graded.earned(key) > luck * self.points[key])
                or (should == LESS and graded.keeps(key))
            )
            if wrong and self.points[key]:
                return False
        return True
