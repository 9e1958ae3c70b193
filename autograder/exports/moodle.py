"""Marks as Moodle imports them into its gradebook.

What Moodle wants (*Grades › Import › CSV file*, and its own importer): a first row of headings,
then a row for each student. The teacher says in a form which column identifies the students
(``Username``, ``ID number`` or ``Email address``, compared letter by letter) and which column is
which grade item. One student who is not known stops the whole import, so nobody is in the file who
is not in the list. ``-`` is no mark. A byte order mark is taken off by Moodle, and lets a
spreadsheet show the names right.
"""

import re
from collections.abc import Sequence

from autograder.exports.exporter import Exporter, Line
from autograder.exports.marks import ExportError, Marks
from autograder.roster.formulas import guarded, risky, unguarded
from autograder.roster.people import MOODLE, PLAIN, Roster

IDENTITY = ("First name", "Last name", "Username", "ID number", "Email address")
NO_MARK = "-"
# Moodle refuses more, unless its administrator allows unlimited grades.
MOST = 100

_NAMES = ("First name", "Last name", "Surname")
_IDS = ("Username", "ID number", "Email address")
# "Assignment: 02_convolution (Real)", as Moodle's own export names a grade item.
_ITEM = re.compile(r"(?:[^:]+:\s*)?(.*\S)\s*\([^()]*\)\Z", re.DOTALL)


class MoodleExporter(Exporter):
    """A file for *Grades › Import › CSV file* of Moodle."""

    default_file = "grades_moodle.csv"
    encoding = "utf-8-sig"

    def content(self, marks: Marks, lines: Sequence[Line], roster: Roster | None) -> bytes:
        """Make the file."""
        if roster is not None and roster.kind not in (MOODLE, PLAIN):
            raise ExportError(
                f"{roster.file} is a list of {roster.kind.title()}: give the grades or the "
                "participants that Moodle exports"
            )
        from_moodle = roster is not None and roster.kind == MOODLE
        columns = IDENTITY
        if from_moodle:
            columns = tuple(name for name in roster.header if name in (*_NAMES, *_IDS))
        names = [item.name for item in marks.assignments]
        headings = [self.heading(name, roster, _title) or name for name in names]
        for item in marks.assignments:
            if item.possible > MOST:
                self.remarks.append(
                    f"{item.name} is worth {item.possible:g} points, and Moodle refuses marks "
                    f"above {MOST} unless unlimited grades are allowed."
                )
        rows: list[list[str]] = [[*columns, *headings]]
        for line in lines:
            cells = line.person.cells if from_moodle and line.person else _cells(line)
            for name in _IDS:
                if risky(cells.get(name, "")):
                    self.remarks.append(
                        f"{line.id}: the {name} {cells[name]!r} looks like a formula and is kept, "
                        "because Moodle may find the student by it; do not open the file in a "
                        "spreadsheet."
                    )
            rows.append(
                [
                    guarded(unguarded(cells[name])) if name in _NAMES else cells[name]
                    for name in columns
                ]
                + [self.cell(marks, line, item, none=NO_MARK) for item in marks.assignments]
            )
        return self.table(rows)


def _title(heading: str) -> str:
    item = _ITEM.match(heading)
    return item.group(1) if item else ""


def _cells(line: Line) -> dict[str, str]:
    """Say who a student is without a list of Moodle."""
    return {
        "First name": line.field("first_name"),
        "Last name": line.field("last_name"),
        "Username": line.id,
        "ID number": line.field("lms_user_id"),
        "Email address": line.field("email"),
    }
