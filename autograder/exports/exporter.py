"""What every export has in common: which marks, which students, and where the file goes."""

import csv
import dataclasses
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins.export import ExportPlugin
from traitlets import Bool, Dict, Enum, Unicode

from autograder.exports.marks import Assignment, Enrolled, ExportError, Marks, number, read_marks
from autograder.exports.matching import Matching, match
from autograder.roster.formulas import one_line
from autograder.roster.people import Person, Roster, read_roster
from autograder.roster.tables import RosterError
from autograder.whole_file import write_whole

# Remarks of one kind that are told one by one; of more, the number says enough.
TOLD = 10


@dataclasses.dataclass(frozen=True)
class Line:
    """One student of the file.

    Attributes
    ----------
    person : Person or None
        As the list has them; None without a list.
    enrolled : Enrolled or None
        As the gradebook has them; None if it has not.
    """

    person: Person | None
    enrolled: Enrolled | None

    @property
    def id(self) -> str:
        """Id in the gradebook."""
        known = self.enrolled or self.person
        return known.id if known else ""

    def field(self, name: str) -> str:
        """Take a field of the list, or of the gradebook where the list does not say."""
        for known in (self.person, self.enrolled):
            if known is not None and getattr(known, name):
                return getattr(known, name)
        return ""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What an export did.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    assignments, students : tuple of str
        What is in it.
    missing, extra : tuple of str
        Students of the list who are not in the gradebook; of the gradebook, who are not in the
        list.
    remarks : tuple of str
        What the instructor should know, a sentence each.
    lost : bool
        Whether somebody who has a mark is not in the file.
    """

    path: Path
    assignments: tuple[str, ...]
    students: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    remarks: tuple[str, ...]
    lost: bool


class Exporter(ExportPlugin):
    """Base of the exports; each gives its own :meth:`content`."""

    roster = Unicode(
        "", help="List of students (CSV of Canvas, Moodle or a plain table) to match and to order."
    ).tag(config=True)
    roster_encoding = Unicode(
        "", help="Encoding of that list, if it is neither UTF-8 nor marked as UTF-16."
    ).tag(config=True)
    roster_id_column = Unicode(
        "", help="Column of that list that holds nbgrader's ids, if it is not the usual one."
    ).tag(config=True)
    roster_columns = Dict(
        help="Field (id, first_name, last_name, email, lms_user_id) → column, for a list with "
        "headings of its own."
    ).tag(config=True)
    roster_before_at = Bool(
        False, help="Take what stands before the @ of the ids in that list."
    ).tag(config=True)
    headings = Dict(
        help="Assignment → heading of its column, where the platform calls it otherwise."
    ).tag(config=True)
    absent = Enum(
        ("blank", "zero"),
        "blank",
        help="What stands where nothing was handed in: no mark, or 0.",
    ).tag(config=True)
    force = Bool(False, help="Write over a file that exists.").tag(config=True)

    #: File that is written if none is named.
    default_file = "grades.csv"
    #: Encoding of the file.
    encoding = "utf-8"

    def export(self, gradebook: Gradebook) -> None:
        """Export for ``nbgrader export --exporter …``: what is to be known goes to the log."""
        try:
            outcome = self.write(gradebook)
        except (ExportError, RosterError) as error:
            self.log.error(str(error))
            sys.exit(1)
        for remark in outcome.remarks:
            self.log.warning(remark)
        self.log.info("%d students exported to %s", len(outcome.students), outcome.path)

    def write(self, gradebook: Gradebook) -> Outcome:
        """Write the file.

        Parameters
        ----------
        gradebook : nbgrader.api.Gradebook
            Only read.

        Returns
        -------
        Outcome

        Raises
        ------
        ExportError, RosterError
            If there is nothing to export, the list of students is no good, or the file exists.
        """
        path = Path(self.to or self.default_file)
        if path.exists() and not self.force:
            option = f"--force, or --{type(self).__name__}.force=True with nbgrader"
            raise ExportError(
                f"{path} exists: name another file with --to, or write over it ({option})"
            )
        marks = read_marks(gradebook, self.assignment, [str(item) for item in self.student])
        self._check_headings(marks)
        roster = self._read_roster()
        self.remarks: list[str] = []
        matching = None
        if roster is None:
            lines = [Line(None, student) for student in marks.students]
        else:
            everybody = marks.students if not self.student else read_marks(gradebook).students
            matching = match(roster, everybody)
            chosen = {student.id for student in marks.students}
            lines = [
                Line(person, enrolled)
                for person, enrolled in matching.pairs
                if not self.student or (enrolled is not None and enrolled.id in chosen)
            ]
        lost = self._tell(marks, roster, matching, lines)
        content = self.content(marks, lines, roster)
        try:
            write_whole(path, content)
        except OSError as error:
            raise ExportError(f"{path} cannot be written ({error.strerror})") from None
        return Outcome(
            path=path,
            assignments=tuple(item.name for item in marks.assignments),
            students=tuple(line.id for line in lines),
            missing=tuple(person.id for person in matching.missing) if matching else (),
            extra=tuple(student.id for student in matching.extra) if matching else (),
            remarks=tuple(map(one_line, self.remarks)),
            lost=lost,
        )

    def content(self, marks: Marks, lines: Sequence[Line], roster: Roster | None) -> bytes:
        """Make the bytes of the file.

        Parameters
        ----------
        marks : Marks
            What was earned.
        lines : sequence of Line
            Who is in the file.
        roster : Roster or None
            The list of students, if one was given.
        """
        raise NotImplementedError

    def cell(self, marks: Marks, line: Line, assignment: Assignment, *, none: str = "") -> str:
        """Write the score of a student, or `none` where there is none."""
        mark = marks.given.get((line.id, assignment.name)) if line.enrolled else None
        if mark is not None:
            return number(mark.score)
        return "0" if self.absent == "zero" and line.enrolled else none

    def heading(self, name: str, roster: Roster | None, title: Callable[[str], str]) -> str | None:
        """Find the column of an assignment: as it was given, or by its title in the list."""
        if name in self.headings:
            return self.headings[name]
        for heading in roster.header if roster else ():
            if title(heading).casefold() == name.casefold():
                return heading
        return None

    def table(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Write rows as RFC 4180 has it: commas, double quotes where needed, CR LF."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        return text.getvalue().encode(self.encoding)

    def _read_roster(self) -> Roster | None:
        if not self.roster:
            return None
        return read_roster(
            Path(self.roster),
            encoding=self.roster_encoding or None,
            id_column=self.roster_id_column or None,
            columns=self.roster_columns,
            before_at=self.roster_before_at,
        )

    def _check_headings(self, marks: Marks) -> None:
        names = {item.name for item in marks.assignments}
        for name in self.headings:
            if name not in names and name not in self.assignment:
                raise ExportError(
                    f"a heading is given for {name!r}, which is not exported: {_listed(names)}"
                )
        texts = list(self.headings.values())
        for text in texts:
            if texts.count(text) > 1:
                raise ExportError(f"the heading {text!r} is given twice: each needs its own")

    def _tell(
        self,
        marks: Marks,
        roster: Roster | None,
        matching: Matching | None,
        lines: Sequence[Line],
    ) -> bool:
        """Say who is missing, who is left out, and whose marks are not final."""
        lost = []
        if roster is not None and matching is not None:
            self._told(
                [
                    f"{person.name} (line {person.line} of {roster.file}) is not in the gradebook "
                    "and gets no mark."
                    for person in matching.missing
                ]
            )
            having = {student for student, _ in marks.given}
            lost = [student for student in matching.extra if student.id in having]
            self._told(
                [
                    f"{student.id}{_named(student)} is in the gradebook but not in {roster.file}, "
                    f"and is left out{', marks and all' if student in lost else ''}."
                    for student in matching.extra
                ]
            )
        ids = {line.id for line in lines}
        for assignment in marks.assignments:
            waiting = [
                student
                for (student, name), mark in marks.given.items()
                if name == assignment.name and student in ids and not mark.final
            ]
            if waiting:
                self.remarks.append(
                    f"{assignment.name}: answers of {len(waiting)} of {len(ids)} students wait to "
                    "be marked by hand, so their scores are not final."
                )
        return bool(lost)

    def _told(self, sentences: list[str]) -> None:
        self.remarks.extend(sentences[:TOLD])
        if len(sentences) > TOLD:
            self.remarks.append(f"So it is with {len(sentences) - TOLD} more.")


def _named(student: Enrolled) -> str:
    return "" if student.name == student.id else f" ({student.name})"


def _listed(names: Iterable[str]) -> str:
    return f"exported are {', '.join(sorted(names))}"
