"""A graded class as a table in the terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from autograder.gradebook.rows import Row, Score

WAITS = "by hand"
# What a check says of itself; less telling than a mistake that the author named.
GENERAL_KINDS = {"not-defined", "wrong-value", "wrong-type", "wrong-length"}


def class_table(
    rows: Sequence[Row], *, title: str, marks: Mapping[str, str] | None = None
) -> Table:
    """Draw one line for each submission: points by exercise, total, remarks.

    Parameters
    ----------
    rows : sequence of Row
        The graded class.
    title : str
        What stands above the table.
    marks : mapping of str to str, optional
        Student → a word for a last column.

    Returns
    -------
    rich.table.Table
    """
    table = Table(title=title, title_justify="left", row_styles=["", "dim"], pad_edge=False)
    table.add_column("student", no_wrap=True)
    for score in rows[0].scores if rows else ():
        heading = score.exercise.replace("_", "\n")
        table.add_column(f"{heading}\n/{score.possible:g}", justify="right")
    table.add_column(f"total\n/{rows[0].possible:g}" if rows else "total", justify="right")
    table.add_column("remark", ratio=1)
    if marks is not None:
        table.add_column("as\ndesigned", justify="center")
    for row in rows:
        cells = [_points(score) for score in row.scores]
        waiting = f" +{row.to_mark:g}?" if row.to_mark else ""
        line = [row.student, *cells, f"{row.points:g}{waiting}", remark(row)]
        if marks is not None:
            line.append(marks.get(row.student, ""))
        table.add_row(*line)
    open_rooms = sum(row.sandbox == "none" for row in rows)
    if open_rooms:
        table.caption = f"{open_rooms} of {len(rows)} graded WITHOUT A SANDBOX"
        table.caption_justify = "left"
    return table


def remark(row: Row) -> str:
    """Say what an instructor should know about a submission, in one cell of a table."""
    words = list(row.remarks)
    missing = [score for score in row.scores if "not-attempted" in score.hints]
    if not row.points and not row.to_mark and missing:
        return "; ".join([*words, "nothing answered"])
    for score in row.scores:
        named = [hint for hint in score.hints if hint not in GENERAL_KINDS]
        hints = named or list(score.hints)
        explained = any(word.startswith(f"{score.exercise}:") for word in words)
        if hints and score not in missing and not (explained and not named):
            words.append(f"{score.exercise}: {', '.join(hints)}")
    if missing:
        words.append(f"not answered: {', '.join(score.exercise for score in missing)}")
    return "; ".join(words)


def _points(score: Score) -> Text:
    if score.points is None:
        return Text(WAITS, style="italic")
    style = "bold" if score.points == score.possible else ""
    return Text(f"{score.points:g}", style=style)
