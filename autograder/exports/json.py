"""All marks for programs."""

import datetime
import json
from collections.abc import Sequence
from typing import Any

from autograder.exports.exporter import Exporter, Line
from autograder.exports.marks import Mark, Marks
from autograder.roster.people import Roster


class JsonExporter(Exporter):
    """Everything that is known, texts as they are: a program needs no guard against formulas.

    Times are UTC. A student who handed nothing in has no entry for that assignment.
    """

    default_file = "grades.json"

    def content(self, marks: Marks, lines: Sequence[Line], roster: Roster | None) -> bytes:
        """Make the file."""
        about = {
            "assignments": [
                {"name": item.name, "possible": item.possible, "due": _time(item.due)}
                for item in marks.assignments
            ],
            "students": [
                {
                    "id": line.id,
                    **{
                        name: line.field(name)
                        for name in ("first_name", "last_name", "email", "lms_user_id")
                    },
                    "in_gradebook": line.enrolled is not None,
                    "marks": _marks(marks, line),
                }
                for line in lines
            ],
        }
        text = json.dumps(about, ensure_ascii=False, indent=1)
        return (text + "\n").encode(self.encoding)


def _marks(marks: Marks, line: Line) -> dict[str, Any]:
    if line.enrolled is None:
        return {}
    return {
        item.name: _mark(marks.given[line.id, item.name])
        for item in marks.assignments
        if (line.id, item.name) in marks.given
    }


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "raw": round(mark.raw, 4),
        "late_penalty": round(mark.penalty, 4),
        "score": round(mark.score, 4),
        "handed_in": _time(mark.handed_in),
        "final": mark.final,
    }


def _time(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat() + "Z"
