"""Marks as Canvas imports them into its gradebook.

What Canvas wants (its guide *How do I import grades in the Gradebook?*, and its own importer):

- The first columns say who a student is, in the order of its own export: ``Student``, ``ID``,
  perhaps ``SIS User ID``, ``SIS Login ID``, perhaps ``Integration ID`` and ``Root Account``, last
  ``Section``. They are given back as they came in the list.
- A student is found by ``ID``, then by the SIS columns, and by name only when all of these are
  empty. So the name may carry an apostrophe against formulas, and the ids never do.
- Each further column is an assignment. ``Name (123)`` is the one with that number; another name
  becomes a new assignment.
- A row that begins with ``Points Possible`` says what each is worth.
- An empty cell is no mark.
- UTF-8. No byte order mark: it would stand in front of the first heading.
"""

import re
from collections.abc import Sequence

from autograder.exports.exporter import Exporter, Line
from autograder.exports.marks import ExportError, Marks, number
from autograder.roster.formulas import guarded, risky, unguarded
from autograder.roster.people import CANVAS, PLAIN, Roster

IDENTITY = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
# Four blanks, as Canvas writes it.
POINTS_POSSIBLE = "    Points Possible"

_KNOWN = (*IDENTITY, "LastName", "FirstName", "Integration ID", "Root Account")
_NUMBERED = re.compile(r"(.*\S)\s+\(\d+\)\Z", re.DOTALL)
_NAMES = ("Student", "LastName", "FirstName", "Section")


class CanvasExporter(Exporter):
    """A file for *Grades › Import* of Canvas."""

    default_file = "grades_canvas.csv"

    def content(self, marks: Marks, lines: Sequence[Line], roster: Roster | None) -> bytes:
        """Make the file."""
        if roster is not None and roster.kind not in (CANVAS, PLAIN):
            raise ExportError(
                f"{roster.file} is a list of {roster.kind.title()}: give the gradebook that Canvas "
                "exports"
            )
        from_canvas = roster is not None and roster.kind == CANVAS
        columns = _identity(roster.header) if from_canvas else IDENTITY
        headings = [self._heading(item.name, roster) for item in marks.assignments]
        twins = sorted({name for name in headings if headings.count(name) > 1})
        if twins:
            raise ExportError(f"two assignments have the heading {twins[0]!r}: use --heading")
        blanks = [""] * (len(columns) - 1)
        rows = [
            [*columns, *headings],
            [POINTS_POSSIBLE, *blanks, *(number(item.possible) for item in marks.assignments)],
        ]
        for line in lines:
            cells = dict(line.person.cells) if from_canvas and line.person else _cells(line)
            self._watch(line, cells)
            found_by_id = any(cells.get(name) for name in columns if name not in _NAMES)
            rows.append(
                [
                    guarded(unguarded(cells[name]))
                    if name in _NAMES and found_by_id
                    else cells[name]
                    for name in columns
                ]
                + [self.cell(marks, line, item) for item in marks.assignments]
            )
        return self.table(rows)

    def _heading(self, name: str, roster: Roster | None) -> str:
        found = self.heading(name, roster, _title)
        if found is None:
            self.remarks.append(
                f"Canvas will offer to make a new assignment {name!r}; if it has one by another "
                f"name, say --heading {name}='Its name (123)'."
            )
        return found or name

    def _watch(self, line: Line, cells: dict[str, str]) -> None:
        ids = {name: value for name, value in cells.items() if "ID" in name and value}
        if not ids:
            self.remarks.append(
                f"{line.id} has no number and no login of Canvas, which will go by the name."
            )
        for name, value in ids.items():
            if name in _KNOWN and risky(value):
                self.remarks.append(
                    f"{line.id}: the {name} {value!r} looks like a formula and is kept, because "
                    "Canvas finds the student by it; do not open the file in a spreadsheet."
                )


def _title(heading: str) -> str:
    titled = _NUMBERED.match(heading)
    return "" if heading in _KNOWN else titled.group(1) if titled else heading


def _identity(header: Sequence[str]) -> tuple[str, ...]:
    """Columns of a Canvas export that say who a student is: the first ones, up to the section."""
    first = header[: header.index("Section") + 1]
    return tuple(name for name in first if name in _KNOWN)


def _cells(line: Line) -> dict[str, str]:
    """Say who a student is without a list of Canvas."""
    last, first = line.field("last_name"), line.field("first_name")
    return {
        "Student": ", ".join(part for part in (last, first) if part) or line.id,
        "ID": line.field("lms_user_id"),
        "SIS User ID": "",
        "SIS Login ID": line.id,
        "Section": "",
    }
