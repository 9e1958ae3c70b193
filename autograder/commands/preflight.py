"""The command ``autograder preflight``."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

OK, PROBLEM, STOPPED = 0, 1, 130


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    preflight = commands.add_parser(
        "preflight",
        help="try an assignment before students get it: right, wrong and hostile submissions",
        description="Look for leaks and for points that do not add up, and grade made-up "
        "submissions as students' will be graded. Nothing of the course is changed. The exit code "
        "is 1 if there is something to mend.",
        epilog="Example: autograder preflight 02_convolution",
    )
    preflight.add_argument("assignment", metavar="ASSIGNMENT")
    preflight.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="wrong and right answers to try (tests/variants/ASSIGNMENT.toml, if it exists)",
    )
    preflight.add_argument(
        "--no-answers", action="store_true", help="do not try the author's answers"
    )
    preflight.add_argument(
        "--cells", action="store_true", help="show what every cell of the solution uses"
    )
    preflight.add_argument("--json", action="store_true", help="one JSON object")
    preflight.add_argument(
        "--workers", type=int, metavar="N", help="submissions at a time (one a processor)"
    )
    preflight.add_argument(
        "--no-sandbox",
        action="store_true",
        help="try although this machine cannot isolate students' code",
    )
    preflight.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Try an assignment, and show what was found."""
    from autograder.commands.grade import stop_once
    from autograder.configuration import load_course
    from autograder.kernels import linux
    from autograder.kernels.client import LINUX_ONLY
    from autograder.startup import postponed_grammar

    stop_once()
    root = options.course.resolve()
    config = load_course(root)
    if options.no_sandbox:
        config.Sandbox.enabled = False
    if not linux.AVAILABLE:
        print(f"autograder preflight: {LINUX_ONLY}", file=sys.stderr)
        return PROBLEM
    with postponed_grammar():
        from autograder.preflight.display import show
        from autograder.preflight.run import preflight

    try:
        with _progress() as progress:
            bar = progress.add_task("release", total=None)
            report = preflight(
                root,
                options.assignment,
                answers=options.answers,
                with_answers=not options.no_answers,
                workers=options.workers,
                config=config,
                on_start=lambda total: progress.update(bar, total=total, description="grade"),
                on_graded=lambda title: progress.update(bar, advance=1, description=title),
            )
    except KeyboardInterrupt:
        print("Stopped. Nothing of the course was changed.", file=sys.stderr)
        return STOPPED
    if options.json:
        print(report.to_json())
    else:
        show(report, Console(width=None if sys.stdout.isatty() else 120), all_cells=options.cells)
    return PROBLEM if report.findings else OK


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<36}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
