"""Examine as always, and write down what every cell uses."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from nbformat import NotebookNode

from autograder.examination.notebook import Examination, examine_task
from autograder.preflight.report import CellUsage
from autograder.workers.tasks import CellVerdict

MEASURED = "measured "  # how a note with figures begins
EXAMINE_MEASURED = "autograder.preflight.measuring.examine_measured"
_USAGE_SECONDS = 10.0  # at once, as a rule; a busy machine must not count for the next cell
# Words of the examiner's remarks about limits and crashes.
_STOPPED = re.compile(r"stopped (after|by)|still running|did not end|died|was lost|^not run")


class MeasuredExamination(Examination):
    """An examination whose notes hold, for each cell, what it used."""

    def _run_cell(self, cell: NotebookNode, index: int) -> str:
        return self._measured(
            index, lambda: super(MeasuredExamination, self)._run_cell(cell, index)
        )

    def _test(self, cell: NotebookNode, index: int) -> CellVerdict:
        return self._measured(index, lambda: super(MeasuredExamination, self)._test(cell, index))

    def _measured(self, index: int, run: Callable[[], Any]) -> Any:
        before = self._used()
        started = time.monotonic()
        outcome = run()
        seconds = time.monotonic() - started
        after = self._used()
        remark = outcome.remark if isinstance(outcome, CellVerdict) else outcome
        about = {
            "index": index,
            "seconds": round(seconds, 3),
            # A room that was started anew counts from nothing.
            "processor": round(max(after["processor"] - before["processor"], 0.0), 3),
            "memory": round(after["memory"], 1),
            "remark": str(remark)[:300],
        }
        self.nb.metadata.autograder.notes.append(MEASURED + json.dumps(about))
        return outcome

    def _used(self) -> dict[str, float]:
        """Processor time of both rooms together, and the peak of the larger one."""
        examiner = self._examiner._room if self._examiner is not None else None
        rooms = [room for room in (self._room, examiner) if room is not None]
        used = [room.usage(_USAGE_SECONDS) for room in rooms]
        return {
            "processor": sum(usage.get("processor_seconds", 0.0) for usage in used),
            "memory": max((usage.get("peak_memory_mb", 0.0) for usage in used), default=0.0),
        }


def examine_measured(payload: bytes) -> bytes:
    """Do what :func:`autograder.examination.examine_task` does, and measure.

    Parameters
    ----------
    payload : bytes
        A :class:`autograder.workers.tasks.Task`.

    Returns
    -------
    bytes
        A :class:`autograder.workers.tasks.Result`.
    """
    return examine_task(payload, MeasuredExamination)


def read_usage(notebook: dict[str, Any], name: str) -> list[CellUsage]:
    """What the cells of a graded notebook used, from its notes."""
    usage = []
    for note in notebook["metadata"].get("autograder", {}).get("notes", []):
        if not note.startswith(MEASURED):
            continue
        about = json.loads(note.removeprefix(MEASURED))
        cell = notebook["cells"][about["index"]]
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        stopped = about["remark"] if _STOPPED.search(about["remark"]) else ""
        usage.append(
            CellUsage(
                notebook=name,
                cell=grade_id or f"cell {about['index'] + 1}",
                seconds=about["seconds"],
                processor_seconds=about["processor"],
                memory_mb=about["memory"],
                stopped=stopped,
            )
        )
    return usage
