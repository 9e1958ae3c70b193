"""The command ``autograder report``."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from autograder.reports.class_report import ClassReport

OK, PROBLEM = 0, 1
FOLDER = "reports"


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    report = commands.add_parser(
        "report",
        help="make a page about a graded class: scores, exercises, mistakes, who needs help",
        epilog="Example: autograder report 02_convolution   makes reports/02_convolution.html.",
    )
    report.add_argument("assignment", metavar="ASSIGNMENT")
    report.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"where to write the page ({FOLDER}/ASSIGNMENT.html)",
    )
    report.add_argument(
        "--force", action="store_true", help="replace a file that is not a class report"
    )
    report.add_argument(
        "--json", action="store_true", help="print all figures as JSON, and write no page"
    )
    report.set_defaults(run=run, usage_error=report.error)


def run(options: argparse.Namespace) -> int:
    """Make the page or print the figures."""
    if options.json and options.output is not None:
        options.usage_error("--json prints the figures and writes no page: leave out --output")
    from autograder.configuration import load_course
    from autograder.startup import postponed_grammar

    root = options.course.resolve()
    config = load_course(root)
    console = Console(stderr=True)
    with console.status("reading the class"):
        with postponed_grammar():
            from autograder.reports.class_report import read_class
        report = read_class(root, options.assignment, config=config)
    if options.json:
        json.dump(report.to_dict(), sys.stdout, ensure_ascii=False, indent=1)
        print()
        return OK
    from autograder.reports.class_page import write_class_page

    path = options.output or root / FOLDER / f"{options.assignment}.html"
    write_class_page(report, path, force=options.force)
    _tell(report, path, root)
    return OK


def _tell(report: "ClassReport", path: Path, root: Path) -> None:
    shares = report.shares
    words = [f"{report.graded} of {report.submitted} submissions are graded"]
    if shares is not None:
        words.append(f"mean {shares.mean:.0%}, median {shares.median:.0%} of the points")
    print("; ".join(words) + ".")
    for mistake in [one for one in report.mistakes if one.named][:3]:
        print(f"  {mistake.students} students: {mistake.exercise}, {mistake.id}")
    for exercise in report.exercises:
        if exercise.look:
            print(f"  {exercise.name}: {exercise.look}")
    print(f"{len(report.need_help)} may need help. The page names them:")
    print(path.relative_to(root) if path.is_relative_to(root) else path)
