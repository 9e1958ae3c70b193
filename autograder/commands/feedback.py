"""The command ``autograder feedback``."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from autograder.reports.class_feedback import FeedbackRow

OK, PROBLEM = 0, 1


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    feedback = commands.add_parser(
        "feedback",
        help="make the pages that students get: points, named mistakes, comments",
        epilog="Example: autograder feedback 02_convolution   makes feedback/STUDENT/"
        "02_convolution/02_convolution.html for everybody who was graded.",
    )
    feedback.add_argument("assignment", metavar="ASSIGNMENT")
    feedback.add_argument("--student", action="append", default=[], metavar="ID", help="only these")
    feedback.add_argument(
        "--force",
        action="store_true",
        help="make fresh pages again, and replace pages that something else has made",
    )
    feedback.add_argument(
        "--workers", type=int, metavar="N", help="pages at a time (one a processor)"
    )
    feedback.add_argument("--json", action="store_true", help="a JSON line a student")
    feedback.set_defaults(run=run, usage_error=feedback.error)


def run(options: argparse.Namespace) -> int:
    """Make the pages, and say what became of them."""
    if options.workers is not None and options.workers < 1:
        options.usage_error(f"--workers {options.workers}: at least 1")
    from autograder.configuration import load_course

    root = options.course.resolve()
    config = load_course(root)
    if options.workers != 1 and len(options.student) != 1:
        from autograder.reports.page_workers import begin

        begin()  # the workers' imports take as long as ours
    from autograder.startup import postponed_grammar

    with postponed_grammar():
        from autograder.reports.class_feedback import FeedbackRow, make_feedback
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("feedback", total=None)

        def tell(row: FeedbackRow) -> None:
            progress.update(bar, advance=1)
            if options.json:
                print(row.to_json(), flush=True)

        rows = make_feedback(
            root,
            options.assignment,
            students=options.student,
            force=options.force,
            workers=options.workers,
            config=config,
            on_start=lambda total: progress.update(bar, total=total),
            on_row=tell,
        )
    if not options.json:
        _tell(
            rows, options.assignment, config.CourseDirectory.get("feedback_directory", "feedback")
        )
    return OK if all(row.well for row in rows) else PROBLEM


def _tell(rows: Sequence["FeedbackRow"], assignment: str, folder: str) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    # One reason may concern half a class: it is said once.
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.remark:
            reasons.setdefault(row.remark, []).append(row.student)
    for reason, students in reasons.items():
        console.print(f"{', '.join(students)}: {reason}")
    made = sum(row.state == "made" for row in rows)
    fresh = sum(row.state == "fresh" for row in rows)
    missing = sum(not row.well for row in rows)
    words = [f"{made} made"]
    words += [f"{fresh} fresh already"] if fresh else []
    words += [f"{missing} without a page that is up to date"] if missing else []
    console.print(f"Pages of {len(rows)} students: {', '.join(words)}.")
    waiting = [row for row in rows if row.to_mark]
    if waiting:
        console.print(
            f"{len(waiting)} have free texts that wait to be marked; make the pages again "
            "afterwards."
        )
    if made or fresh:
        console.print(
            f"They lie in {folder}/STUDENT/{assignment}/. Students get them with: nbgrader "
            f"release_feedback {assignment}"
        )
