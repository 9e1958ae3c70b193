"""The command ``autograder grade``."""

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

OK, PROBLEM = 0, 1


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    grade = commands.add_parser(
        "grade",
        help="grade the submissions of an assignment, in parallel and in isolation",
        epilog="Example: autograder grade 02_convolution   grades what is in submitted/.",
    )
    grade.add_argument("assignment", nargs="?", metavar="ASSIGNMENT")
    grade.add_argument("--student", action="append", default=[], metavar="ID", help="only these")
    grade.add_argument(
        "--force", action="store_true", help="grade again what has not changed since"
    )
    grade.add_argument(
        "--failed",
        action="store_true",
        help="grade again those that could not be graded, or were stopped by a limit or a crash",
    )
    grade.add_argument("--json", action="store_true", help="a JSON line a submission")
    grade.add_argument(
        "--no-sandbox",
        action="store_true",
        help="grade although this machine cannot isolate students' code; every report says so",
    )
    grade.add_argument(
        "--check-sandbox", action="store_true", help="tell what this machine can enforce"
    )
    where = grade.add_argument_group("where to grade")
    where.add_argument(
        "--workers", type=int, metavar="N", help="submissions at a time (one a processor)"
    )
    where.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler: tls://HOST:8786"
    )
    where.add_argument("--tls-ca", type=Path, metavar="FILE", help="its certificate authority")
    where.add_argument("--tls-cert", type=Path, metavar="FILE", help="our certificate")
    where.add_argument("--tls-key", type=Path, metavar="FILE", help="our key")
    where.add_argument(
        "--no-tls", action="store_true", help="accept a scheduler that encrypts nothing"
    )
    grade.set_defaults(run=run, usage_error=grade.error)


def run(options: argparse.Namespace) -> int:
    """Grade, and show the class."""
    if options.check_sandbox:
        return _check_sandbox()
    if options.assignment is None:
        options.usage_error("which ASSIGNMENT?")
    stop_once()
    from autograder.assignment.imports import needed
    from autograder.configuration import load_course
    from autograder.course_lock import alone
    from autograder.kernels import linux
    from autograder.kernels.client import LINUX_ONLY
    from autograder.kernels.settings import Sandbox
    from autograder.kernels.sharing import begin_shared
    from autograder.startup import postponed_grammar

    root = options.course.resolve()
    config = load_course(root)
    if options.no_sandbox:
        config.Sandbox.enabled = False
    if not (linux.AVAILABLE or options.scheduler):
        print(f"autograder grade: {LINUX_ONLY}", file=sys.stderr)
        return PROBLEM
    with alone(root):
        pass  # only a look, before seconds are spent on getting ready
    # Where nbgrader would look, without the seconds that importing nbgrader takes.
    source = root / config.CourseDirectory.get("source_directory", "source") / options.assignment
    preload = tuple(needed(Sandbox(config=config).preload, source))
    if not options.scheduler:
        begin_shared(preload)  # it takes longest, so it comes first
    from autograder.workers.cluster import Cluster, Place

    place = Place(
        workers=options.workers,
        scheduler=options.scheduler,
        tls_ca=options.tls_ca,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        unencrypted=options.no_tls,
        preload=preload,
    )
    # The workers start while this process imports nbgrader.
    with Cluster(place) as cluster:
        try:
            with postponed_grammar():
                from autograder.grading import Row, grade
            from autograder.reports.class_table import class_table

            with _progress() as progress:
                bar = progress.add_task("grade", total=None)

                def tell(row: Row) -> None:
                    progress.update(bar, advance=1, description=f"grade · {row.student}")
                    if options.json:
                        print(row.to_json(), flush=True)

                rows = grade(
                    root,
                    options.assignment,
                    students=options.student,
                    force=options.force,
                    failed=options.failed,
                    cluster=cluster,
                    config=config,
                    on_start=lambda total: progress.update(bar, total=total),
                    on_row=tell,
                )
        except BaseException:
            cluster.close(at_once=True)
            raise
    if not rows:
        print("nothing to grade: no submission failed or was stopped", file=sys.stderr)
    elif not options.json:
        Console().print(class_table(rows, title=options.assignment))
    return OK if all(row.graded for row in rows) else PROBLEM


def stop_once() -> None:
    """Let the first Ctrl-C stop the run, and take no notice of the next: stopping takes seconds."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)


def _check_sandbox() -> int:
    from autograder.kernels.probe import check_sandbox

    findings = check_sandbox()
    for finding in findings:
        answer = "yes" if finding.held else "NO " if finding.needed else "no "
        print(f"{answer:<4}{finding.what}: {finding.detail}")
    held = all(finding.held for finding in findings if finding.needed)
    print(
        "Students' code can be isolated on this machine."
        if held
        else "Students' code cannot be isolated on this machine: grade on another, or accept it "
        "with --no-sandbox."
    )
    return OK if held else PROBLEM


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{60 * speed:.0f}/min", style="progress.data.speed")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
