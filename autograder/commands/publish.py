"""The command ``autograder publish``."""

import argparse
import dataclasses
import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

OK = 0


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    publish = commands.add_parser(
        "publish",
        help="write the repository that students get: lessons, and no answer in any byte",
        description=(
            "Writes lessons, what they import, and an environment into a Git repository of its "
            "own, and looks for answers and hidden tests in every file and every object of Git. "
            "A second run adds a commit. Nothing is pushed."
        ),
        epilog="Example: autograder publish ../cnn-course-students",
    )
    publish.add_argument("folder", type=Path, metavar="DIR", help="new, empty, or published before")
    publish.add_argument(
        "--lesson", action="append", default=[], metavar="NAME",
        help="only lessons whose name begins so (all); may be repeated",
    )  # fmt: skip
    publish.add_argument("--message", default="", metavar="TEXT", help="of the commit")
    publish.add_argument("--json", action="store_true", help="what was published, as JSON")
    publish.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Publish, and say what was looked at."""
    from autograder.publishing import publish

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bars: dict[str, int] = {}

        def tell(what: str, now: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=of)
            progress.update(bars[what], completed=now, total=of)

        done = publish(
            options.course.resolve(), options.folder, options.lesson, message=options.message,
            progress=tell,
        )  # fmt: skip
    if options.json:
        print(json.dumps({**dataclasses.asdict(done), "folder": str(done.folder)}))
        return OK
    what = f"commit {done.commit[:10]}" if done.changed else "nothing new"
    print(f"{done.folder}: {what}, {len(done.lessons)} lessons, {done.files} files, "
          f"{done.bytes / 1e6:.1f} MB")  # fmt: skip
    print(f"None of {done.secrets} private lines is in a file or in {done.objects} objects of Git. "
          "Look at it, then push it yourself.")  # fmt: skip
    return OK
