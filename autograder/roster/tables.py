"""Read a table from a file of separated values, whatever program wrote it."""

import codecs
import csv
import dataclasses
import io
from collections.abc import Callable, Sequence
from pathlib import Path

MAX_BYTES = 20_000_000
SEPARATORS = (",", ";", "\t")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# First bytes of files that people hand over for a list of students.
_OTHER_KINDS = (
    (b"PK\x03\x04", "an Excel workbook (or another zip file)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
    (b"SQLite format 3", "a database"),
)


class RosterError(Exception):
    """A list of students cannot be used; the message says what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One row of a table.

    Attributes
    ----------
    number : int
        Line of the file on which the row ends, from 1.
    cells : dict of str to str
        Column → text, blanks around it taken off.
    """

    number: int
    cells: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Table:
    """The rows of a file, by column.

    Attributes
    ----------
    header : tuple of str
        Columns in order.
    lines : tuple of Line
        Rows that are not blank.
    encoding : str
        How the text was read.
    """

    header: tuple[str, ...]
    lines: tuple[Line, ...]
    encoding: str


def read_table(
    path: Path, known: Callable[[Sequence[str]], bool], *, encoding: str | None = None
) -> Table:
    """Read a table whose first row names its columns.

    Parameters
    ----------
    path : pathlib.Path
        The file; values separated by commas, semicolons or tabs.
    known : callable
        Told the columns; whether they make sense. This chooses the separator.
    encoding : str, optional
        Name of the encoding. If omitted, the byte order mark decides, and UTF-8 without one.

    Raises
    ------
    RosterError
        If the file is missing, empty, too large, not text in that encoding, or no table.
    """
    text, found = _text(path, encoding)
    if not text.strip():
        raise RosterError(f"{path.name} is empty: export the list of students again")
    readings: dict[str, list[tuple[int, list[str]]]] = {}
    for separator in SEPARATORS:
        try:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        except csv.Error:
            continue
        readings[separator] = header
        if known([name.strip() for name in header]):
            break
    else:
        separator = max(readings, key=lambda item: len(readings[item]), default=",")
    rows = _rows(path, text, separator)
    header = [name.strip() for name in rows[0][1]]
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise RosterError(f"{path.name} has the column {repeated[0]!r} twice: delete one of them")
    lines = []
    for number, cells in rows[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise RosterError(
                f"{path.name}, line {number}, has {len(cells)} values for {len(header)} columns: "
                "a value that holds a separator or a line break must stand in double quotes"
            )
        stripped = (cell.strip() for cell in cells)
        lines.append(Line(number, dict(zip(header, stripped, strict=True))))
    return Table(tuple(header), tuple(lines), found)


def _text(path: Path, encoding: str | None) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RosterError(f"{path} cannot be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise RosterError(f"{path.name} is larger than {MAX_BYTES / 1e6:.0f} MB: no class list is")
    for start, kind in _OTHER_KINDS:
        if content.startswith(start):
            raise RosterError(
                f"{path.name} is {kind}: open it in a spreadsheet, and save it as CSV UTF-8"
            )
    name = encoding
    if name is None:
        name = next((known for mark, known in _MARKS if content.startswith(mark)), "utf-8")
    try:
        codec = codecs.lookup(name)
        text = content.decode(name)
    except LookupError:
        raise RosterError(
            f"there is no encoding named {encoding!r}: try utf-8, utf-16, cp1252 or gb18030"
        ) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        advice = (
            "name its encoding: --encoding cp1252 (Excel in Western Europe) or --encoding gb18030 "
            "(Excel in China)"
            if encoding is None
            else "try another --encoding, or save the file as CSV UTF-8"
        )
        raise RosterError(f"{path.name}, line {line}, is not text in {name}: {advice}") from None
    if "\0" in text:
        raise RosterError(
            f"{path.name} is not text in {name}; if it is UTF-16, say --encoding utf-16-le"
        )
    return text.removeprefix("\ufeff"), codec.name


def _rows(path: Path, text: str, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return [(reader.line_num, row) for row in reader if row] or [(1, [])]
    except csv.Error as error:
        raise RosterError(
            f"{path.name}, near line {reader.line_num}, is not CSV ({error}): save it as CSV UTF-8"
        ) from None
