"""The command ``autograder``: build lessons, grade classes, show a sample class."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from autograder.commands import (
    export,
    feedback,
    grade,
    late,
    preflight,
    publish,
    report,
    roster,
    similarity,
)

# Commands of a module each, in the order in which help lists them.
COMMANDS = (preflight, publish, grade, late, feedback, report, similarity, export, roster)

OK, PROBLEM, USAGE, STOPPED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``autograder``; those of the process if omitted.

    Returns
    -------
    int
        0 if all is well, 1 if something was found or failed, 2 for wrong usage, 130 when stopped.
    """
    options = _parser().parse_args(arguments)
    # The kernels' own log lines say nothing to the person at the terminal.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("Stopped. What was finished is kept; the same command goes on.", file=sys.stderr)
        return STOPPED
    except _user_errors() as error:
        print(f"autograder {options.command}: {error}", file=sys.stderr)
        return PROBLEM


def _user_errors() -> tuple[type[Exception], ...]:
    from autograder.authoring import AuthoringError, BuildError
    from autograder.configuration import ConfigurationError

    errors: list[type[Exception]] = [AuthoringError, BuildError, ConfigurationError]
    # Importing nbgrader takes seconds: only what a command has already loaded can have been raised.
    for module, name in (
        ("autograder.course_lock", "CourseLockError"),
        ("autograder.workers.cluster", "ClusterError"),
        ("autograder.grading", "GradingError"),
        ("autograder.preflight.report", "PreflightError"),
        ("autograder.demo", "DemoError"),
        ("autograder.publishing.publication", "PublishError"),
        ("autograder.sample_class", "SampleError"),
        ("autograder.reports.marks", "ReportError"),
        ("autograder.roster.tables", "RosterError"),
        ("autograder.exports.marks", "ExportError"),
        ("autograder.similarity.answers", "SimilarityError"),
        ("autograder.gradebook.penalties", "PenaltyError"),
    ):
        if module in sys.modules:
            errors.append(getattr(sys.modules[module], name))
    return tuple(errors)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder", description="Author, release and grade a course of notebooks."
    )
    parser.add_argument(
        "--course", type=Path, default=Path(), metavar="DIR", help="the course's folder (here)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    build = commands.add_parser(
        "build",
        help="build solution notebooks and lessons from the authors' texts",
        epilog="Example: autograder build 02   builds the lesson whose name begins with 02.",
    )
    build.add_argument("names", nargs="*", metavar="NAME", help="lessons (all)")
    build.add_argument(
        "--check", action="store_true", help="run nothing; exit 1 if something is not fresh"
    )
    build.add_argument("--force", action="store_true", help="build what is up to date, too")
    build.set_defaults(run=_build)

    for module in COMMANDS:
        module.add_parser(commands)

    demo = commands.add_parser(
        "demo",
        help="grade a sample class end to end, in demo_class/",
        epilog="Example: autograder demo",
    )
    demo.add_argument("assignment", nargs="?", default="02_convolution", metavar="ASSIGNMENT")
    demo.set_defaults(run=_demo)
    return parser


def _build(options: argparse.Namespace) -> int:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from autograder.authoring import build, check

    root = options.course.resolve()
    if options.check:
        problems = check(root, options.names)
        for problem in problems:
            print(problem, file=sys.stderr)
        if not problems:
            print("All lessons are fresh, and nothing leaks.")
        return PROBLEM if problems else OK
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bars: dict[str, int] = {}

        def tell(name: str, now: int, of: int) -> None:
            if name not in bars:
                bars[name] = progress.add_task(name, total=of)
            progress.update(bars[name], completed=now)

        done = build(root, options.names, force=options.force, progress=tell)
    for name, what in done.items():
        print(f"{name}: {what}")
    if not done:
        print(f"no lesson in {root / 'solutions'}")
    return OK


def _demo(options: argparse.Namespace) -> int:
    from autograder.demo import FOLDER, run_demo

    root = options.course.resolve()
    console = Console(width=None if sys.stdout.isatty() else 150)
    outcome = run_demo(
        root,
        options.assignment,
        console=console,
        class_file=root / "tests" / "classes" / f"{options.assignment}.toml",
    )
    for label, path in (
        ("gradebook", outcome.gradebook),
        ("feedback", outcome.feedback / "STUDENT" / options.assignment),
        ("grades", outcome.grades),
    ):
        console.print(f"{label:<10} {path.relative_to(root)}", highlight=False, soft_wrap=True)
    console.print(
        f"{len(outcome.rows)} submissions in {outcome.seconds:.0f} s. To look at them in the "
        f"formgrader: make lab COURSE={FOLDER}/course, then Nbgrader › Formgrader.",
        highlight=False,
        soft_wrap=True,
    )
    for surprise in outcome.surprises:
        print(f"not as designed: {surprise}", file=sys.stderr)
    return PROBLEM if outcome.surprises else OK


if __name__ == "__main__":
    sys.exit(main())
