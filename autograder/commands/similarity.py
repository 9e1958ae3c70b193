"""The command ``autograder similarity``."""

import argparse
import sys
from pathlib import Path

OK, PROBLEM = 0, 1
SHOWN = 10


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    similarity = commands.add_parser(
        "similarity",
        help="find submissions that are more alike than the class explains",
        epilog="Example: autograder similarity 02_convolution   writes "
        "similarity/02_convolution.html. Likeness is no proof: it says where to look.",
    )
    similarity.add_argument("assignment", metavar="ASSIGNMENT")
    similarity.add_argument("--to", type=Path, metavar="FILE", help="the page")
    similarity.add_argument(
        "--most", type=_positive, default=25, metavar="N", help="pairs on the page (25)"
    )
    similarity.add_argument("--json", action="store_true", help="print all pairs as JSON; no page")
    similarity.add_argument("--force", action="store_true", help="write over a page that exists")
    similarity.set_defaults(run=run)


def _positive(words: str) -> int:
    if not (words.isdecimal() and int(words) > 0):
        raise argparse.ArgumentTypeError(f"{words!r} is no number of pairs: write 1 or more")
    return int(words)


def run(options: argparse.Namespace) -> int:
    """Compare, write the page, and show the likest pairs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Table

    from autograder.configuration import load_course
    from autograder.startup import postponed_grammar

    root = options.course.resolve()
    config = load_course(root)
    with postponed_grammar():
        from nbgrader.coursedir import CourseDirectory

        from autograder.similarity.answers import read_answers
        from autograder.similarity.comparison import Comparison
        from autograder.similarity.page import to_json, write_page

    course = CourseDirectory(config=config, assignment_id=options.assignment)
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bars = {name: progress.add_task(name, total=None) for name in ("read", "compare")}

        def told(name: str, now: int, of: int) -> None:
            progress.update(bars[name], completed=now, total=of)

        answers = read_answers(course, options.assignment, lambda now, of: told("read", now, of))
        comparison = Comparison(answers, lambda now, of: told("compare", now, of))
    for remark in answers.remarks:
        print(remark, file=sys.stderr)
    if options.json:
        print(to_json(comparison, options.assignment))
        return OK
    path = options.to or options.course / "similarity" / f"{options.assignment}.html"
    write_page(comparison, options.assignment, path, most=options.most, force=options.force)
    table = Table(pad_edge=False)
    for name in ("", "students", "likeness", "look"):
        table.add_column(name, justify="right" if name in ("", "likeness") else "left")
    for number, pair in enumerate(comparison.pairs[:SHOWN], start=1):
        look = "yes" if comparison.stands_out(pair) else ""
        table.add_row(str(number), " · ".join(pair.students), f"{pair.likeness:.2f}", look)
    console = Console()
    console.print(table)
    many = sum(map(comparison.stands_out, comparison.pairs))
    console.print(
        f"{many} of {len(comparison.pairs)} pairs stand out (likeness {comparison.fence:.2f} or "
        f"more). Likeness is no proof: look at both in {path}.",
        highlight=False,
        soft_wrap=True,
    )
    return OK
