"""Recognise whose list of students a table is, and read the people in it."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.roster.formulas import unguarded
from autograder.roster.tables import Line, RosterError, Table, read_table

FIELDS = ("id", "first_name", "last_name", "email", "lms_user_id")
# As wide as the columns of nbgrader's gradebook.
MAX_LENGTH = 128

CANVAS, MOODLE, PLAIN = "canvas", "moodle", "plain"

_CANVAS_IDS = ("SIS Login ID", "SIS User ID", "ID")
_MOODLE_IDS = ("Username", "ID number", "Email address")
_MOODLE_LAST_NAMES = ("Last name", "Surname")
_PLAIN = {
    "id": ("id", "student_id", "student id", "username", "login"),
    "first_name": ("first_name", "first name", "firstname", "given name"),
    "last_name": ("last_name", "last name", "lastname", "surname", "family name"),
    "email": ("email", "e-mail", "email address", "e-mail address", "mail"),
    "lms_user_id": ("lms_user_id", "lms user id"),
}
# Rows of a Canvas gradebook that are no students.
_CANVAS_NOTES = re.compile(r"(Muted|Manual Posting.*)?\Z", re.IGNORECASE)
_CANVAS_TEST = "Student, Test"
# An id becomes the name of a folder, and a part of the name of a folder in the exchange.
_NO_ID = re.compile(r"[/\\+\x00-\x1f]|\A\.|\A~")


@dataclasses.dataclass(frozen=True)
class Person:
    """One student of a list.

    Attributes
    ----------
    id : str
        Id in nbgrader's gradebook.
    first_name, last_name, email, lms_user_id : str
        As the gradebook keeps them; empty where the list does not say.
    line : int
        Line of the file.
    cells : dict of str to str
        The whole row, as it stands in the file.
    """

    id: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str
    line: int
    cells: dict[str, str]

    @property
    def name(self) -> str:
        """First and last name, or the id."""
        return " ".join(f"{self.first_name} {self.last_name}".split()) or self.id


@dataclasses.dataclass(frozen=True)
class Roster:
    """A list of students.

    Attributes
    ----------
    file : str
        Name of the file.
    kind : str
        ``"canvas"``, ``"moodle"`` or ``"plain"``.
    id_column : str
        Column that holds the ids of the gradebook.
    header : tuple of str
        Columns in order.
    people : tuple of Person
        In the order of the file.
    encoding : str
        How the text was read.
    """

    file: str
    kind: str
    id_column: str
    header: tuple[str, ...]
    people: tuple[Person, ...]
    encoding: str


def read_roster(
    path: Path,
    *,
    encoding: str | None = None,
    id_column: str | None = None,
    columns: Mapping[str, str] | None = None,
    before_at: bool = False,
) -> Roster:
    """Read a list of students as Canvas or Moodle export it, or a plain table.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    encoding : str, optional
        Its encoding, if it is neither UTF-8 nor marked as UTF-16.
    id_column : str, optional
        Column that holds the ids of nbgrader's gradebook. If omitted: Canvas' ``SIS Login ID``
        (else ``SIS User ID``, else ``ID``), Moodle's ``Username`` (else ``ID number``, else
        ``Email address``), a plain table's ``id``.
    columns : mapping of str to str, optional
        Field (see `FIELDS`) → column, for a table with headings of its own.
    before_at : bool
        Take what stands before the ``@`` of an id.

    Raises
    ------
    RosterError
        If the file is no such list, lacks a column, or has a student twice.
    """
    given = dict(columns or {})
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise RosterError(f"there is no field {unknown[0]!r}: name one of {', '.join(FIELDS)}")

    def known(header: Sequence[str]) -> bool:
        return set(given.values()) <= set(header) if given else _kind(header) is not None

    table = read_table(path, known, encoding=encoding)
    missing = [name for name in (*given.values(), id_column) if name and name not in table.header]
    if missing:
        raise RosterError(
            f"{path.name} has no column {missing[0]!r}; it has {_listed(table.header)}"
        )
    kind = PLAIN if given else _kind(table.header)
    if kind is None:
        raise RosterError(_not_recognised(path.name, table))
    id_from = id_column or given.get("id") or _id_column(kind, table.header)
    if id_from is None:
        raise RosterError(
            f"{path.name} has no column for the students' ids; it has {_listed(table.header)}: "
            "name one with --id-column"
        )
    people = tuple(
        _person(path.name, line, kind, id_from, given, before_at=before_at)
        for line in table.lines
        if kind != CANVAS or _is_student(line)
    )
    if not people:
        raise RosterError(f"{path.name} names no student below its headings")
    _refuse_twins(path.name, people, id_from)
    return Roster(path.name, kind, id_from, table.header, people, table.encoding)


def identities(person: Person, kind: str) -> list[str]:
    """What may be a student's id in the gradebook, the likeliest first."""
    columns = {CANVAS: _CANVAS_IDS, MOODLE: _MOODLE_IDS}.get(kind, ())
    found = [person.id, *(person.cells.get(column, "") for column in columns), person.email]
    return list(dict.fromkeys(value for value in found if value))


def _kind(header: Sequence[str]) -> str | None:
    names = set(header)
    if {"ID", "Section"} <= names and (names >= {"Student"} or names >= {"LastName", "FirstName"}):
        return CANVAS
    moodle = ({"First name"}, set(_MOODLE_LAST_NAMES), set(_MOODLE_IDS))
    if all(names & some for some in moodle):
        return MOODLE
    return PLAIN if _plain_column("id", header) else None


def _id_column(kind: str, header: Sequence[str]) -> str | None:
    if kind == PLAIN:
        return _plain_column("id", header)
    columns = _CANVAS_IDS if kind == CANVAS else _MOODLE_IDS
    return next((column for column in columns if column in header), None)


def _plain_column(field: str, header: Sequence[str]) -> str | None:
    return next((name for name in header if name.casefold() in _PLAIN[field]), None)


def _is_student(line: Line) -> bool:
    cells = line.cells
    name = cells.get("Student", cells.get("LastName", ""))
    if "Points Possible" in name or name == _CANVAS_TEST:
        return False
    return not all(_CANVAS_NOTES.match(cell) for cell in cells.values())


def _person(
    file: str,
    line: Line,
    kind: str,
    id_from: str,
    given: Mapping[str, str],
    *,
    before_at: bool,
) -> Person:
    cells = line.cells
    fields = {field: unguarded(value) for field, value in _fields(kind, cells, given).items()}
    identity = unguarded(cells[id_from])
    if before_at:
        identity = identity.partition("@")[0]
    if not identity:
        raise RosterError(
            f"{file}, line {line.number}, has nothing in the column {id_from!r}: every student "
            "needs an id there (or name another column with --id-column)"
        )
    if _NO_ID.search(identity):
        raise RosterError(
            f"{file}, line {line.number}: {identity!r} cannot be an id, because it becomes the "
            "name of a folder: use one without / \\ + and without a dot in front"
        )
    person = Person(identity, *(fields[name] for name in FIELDS[1:]), line.number, dict(cells))
    for field in FIELDS:
        if len(getattr(person, field)) > MAX_LENGTH:
            raise RosterError(
                f"{file}, line {line.number}: the {field} is longer than {MAX_LENGTH} characters, "
                "which is all that the gradebook keeps"
            )
    return person


def _fields(kind: str, cells: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    if kind == CANVAS:
        last, first = cells.get("LastName", ""), cells.get("FirstName", "")
        if "Student" in cells:
            # Canvas writes the sortable name: last name, comma, first name.
            last, _, first = (part.strip() for part in unguarded(cells["Student"]).partition(","))
        login = cells.get("SIS Login ID", "")
        email = login if "@" in login else ""
        return {
            "first_name": first, "last_name": last, "email": email, "lms_user_id": cells["ID"],
        }  # fmt: skip
    if kind == MOODLE:
        last = next((cells[name] for name in _MOODLE_LAST_NAMES if name in cells), "")
        return {
            "first_name": cells["First name"],
            "last_name": last,
            "email": cells.get("Email address", ""),
            "lms_user_id": cells.get("ID number", ""),
        }
    found = {field: given.get(field) or _plain_column(field, list(cells)) for field in FIELDS}
    return {field: cells[column] if column else "" for field, column in found.items()}


def _refuse_twins(file: str, people: Sequence[Person], id_from: str) -> None:
    seen: dict[tuple[str, str], Person] = {}
    for person in people:
        for what, value in (
            (f"id {person.id!r} (column {id_from!r})", person.id.casefold()),
            (f"number {person.lms_user_id!r} of the learning platform", person.lms_user_id),
            (f"e-mail address {person.email!r}", person.email.casefold()),
        ):
            field = what.split()[0]
            if value and (twin := seen.setdefault((field, value), person)) is not person:
                raise RosterError(
                    f"{file}, lines {twin.line} and {person.line}, have the same {what}: delete "
                    "one of them"
                )


def _not_recognised(file: str, table: Table) -> str:
    if len(table.header) == 1:
        what = "is not a table of columns"
    else:
        what = f"is none of the lists that are known here; it has {_listed(table.header)}"
    return (
        f"{file} {what}: export it from Canvas (Student, ID, …, Section) or Moodle (First name, "
        "Last name, and ID number, Email address or Username), head a column with id, or say which "
        "is which with --column id=HEADING"
    )


def _listed(names: Sequence[str]) -> str:
    shown = [repr(name[:40]) for name in names[:8]]
    rest = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"the columns {', '.join(shown)}{rest}" if len(names) != 1 else f"the column {shown[0]}"
