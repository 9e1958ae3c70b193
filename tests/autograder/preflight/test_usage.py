"""What the cells of the solution used, against the limits."""

import json

import pytest

from autograder.gradebook.rows import Row
from autograder.preflight.judging import Graded, Judge
from autograder.preflight.measuring import MEASURED
from autograder.preflight.report import Report
from autograder.preflight.solved import SolvedNotebook
from autograder.preflight.trials import usual_trials
from tests.autograder.preflight import lesson

LIMITS = {
    "cell_seconds": 30.0, "cell_processor_seconds": 120.0, "memory_mb": 4000.0,
    "submission_seconds": 600.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("used", "kinds", "noted"),
    [
        ({"seconds": 14, "processor": 59, "memory": 2900}, [], False),
        ({"seconds": 16, "processor": 9}, ["too-slow"], False),
        # The machine was busy with something else.
        ({"seconds": 16, "processor": 2}, [], True),
        ({"seconds": 14, "processor": 61}, ["too-slow"], False),
        ({"memory": 3100}, ["too-much-memory"], False),
        ({"remark": "stopped after 30 s: a loop that never ends?"}, ["limit"], False),
        ({"remark": "the cell stops with ValueError"}, [], False),
        ({"whole": 301}, ["too-slow"], False),
    ],
)
def test_what_comes_close_to_a_limit_is_told(used, kinds, noted):
    source = json.loads(json.dumps(lesson.notebook()))
    notebooks = {"sums": SolvedNotebook("sums", source, source)}
    figures = {"index": 3, "seconds": 0.1, "processor": 0.1, "memory": 1, "remark": "", **used}
    graded = json.loads(json.dumps(source))
    graded["metadata"]["autograder"] = {
        "notes": ["about something else", MEASURED + json.dumps(figures)],
        "seconds": used.get("whole", 20.0),
    }
    report = Report("sums")
    judge = Judge(notebooks, report)
    [solution, *_] = usual_trials(notebooks)
    row = Row("solution", (), (), graded=True)
    judge.graded["solution"] = Graded(solution, row, {}, {"sums": graded})
    ended = judge.solution(LIMITS)
    found = [finding for finding in report.findings if finding.kind != "solution-loses"]
    assert [finding.kind for finding in found] == kinds
    assert all(finding.where.startswith("sums") for finding in found)
    assert ("is this machine busy?" in "".join(report.notes)) is noted
    assert ended is ("limit" not in kinds)
