"""A table of all marks for spreadsheets and scripts."""

import datetime
from collections.abc import Sequence

from traitlets import default

from autograder.exports.exporter import Exporter, Line
from autograder.exports.marks import Marks, number
from autograder.roster.formulas import guarded
from autograder.roster.people import Roster

COLUMNS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)


class CsvExporter(Exporter):
    """nbgrader's own columns, a row for each student and assignment, quoted as CSV must be.

    UTF-8 with a byte order mark, without which Excel takes it for another encoding. Texts that a
    spreadsheet would run as formulas have an apostrophe in front. Where nothing was handed in, the
    scores are 0, as in nbgrader's file.
    """

    default_file = "grades.csv"
    encoding = "utf-8-sig"

    @default("absent")
    def _absent_default(self) -> str:
        return "zero"

    def content(self, marks: Marks, lines: Sequence[Line], roster: Roster | None) -> bytes:
        """Make the table."""
        rows: list[Sequence[str]] = [COLUMNS]
        for assignment in marks.assignments:
            for line in lines:
                mark = marks.given.get((line.id, assignment.name)) if line.enrolled else None
                scores = ("", "", "") if self.absent == "blank" else ("0", "0", "0")
                if mark is not None:
                    parts = (mark.raw, mark.penalty, mark.score)
                    scores = tuple(number(value, 4) for value in parts)
                rows.append(
                    (
                        guarded(assignment.name),
                        _time(assignment.due),
                        _time(mark.handed_in if mark else None),
                        *(guarded(text) for text in (line.id, line.field("last_name"))),
                        *(guarded(line.field(name)) for name in ("first_name", "email")),
                        *scores,
                        number(assignment.possible, 4),
                    )
                )
        return self.table(rows)


def _time(moment: datetime.datetime | None) -> str:
    return "" if moment is None else str(moment)
