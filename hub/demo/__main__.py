"""Run the demo hub: ``python -m hub.demo``."""

import argparse
import os
import re
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hub.demo import BANNER
from hub.demo.errors import DemoHubError
from hub.demo.settings import Settings

OK, PROBLEM = 0, 1
ROOT = Path(__file__).resolve().parents[2]
STATE = "demo_hub"
INSTRUCTOR = "instructor"
STUDENTS = ("ada", "ben", "chen")
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the hub, and stop it on Ctrl-C.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``python -m hub.demo``.

    Returns
    -------
    int
        0 after Ctrl-C, 1 if the hub cannot start or ended by itself.
    """
    options = _parser().parse_args(arguments)
    console = Console(soft_wrap=True, highlight=False)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop)
    from autograder.configuration import ConfigurationError

    try:
        return _run(options, console)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return OK
    except (DemoHubError, ConfigurationError) as error:
        print(f"demo hub: {error}", file=sys.stderr)
        return PROBLEM


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hub.demo",
        description="A JupyterHub on this machine alone, to look around in. " + BANNER,
        epilog="Example: python -m hub.demo --port 8100",
    )
    parser.add_argument("--port", type=int, default=8000, help="and the next two (8000)")
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help=f"where homes and marks are kept ({STATE}/)"
    )
    parser.add_argument(
        "--course", type=Path, default=ROOT, metavar="DIR", help="a built course (this one)"
    )
    parser.add_argument(
        "--student",
        action="append",
        metavar="NAME",
        help=f"instead of {', '.join(STUDENTS)}; may be repeated",
    )
    return parser


def _run(options: argparse.Namespace, console: Console) -> int:
    from hub.demo import running

    running.refuse_root()
    students = options.student or list(STUDENTS)
    for name in students:
        if not _NAME.fullmatch(name) or name == INSTRUCTOR:
            raise DemoHubError(
                f"--student {name!r}: a name is small letters and digits, begins with a letter, "
                f"and is not {INSTRUCTOR!r}"
            )
    from hub.demo.course import Layout, course_id, finished_lessons, prepare
    from hub.demo.node import proxy_command

    course = options.course.resolve()
    layout = Layout((options.state or ROOT / STATE).resolve())
    finished_lessons(course)
    try:
        layout.state.mkdir(parents=True, exist_ok=True)
        layout.state.chmod(0o700)  # this machine's other users stay outside
    except OSError as error:
        raise DemoHubError(
            f"{layout.state} cannot be made or is not yours ({error.strerror}): name another "
            "folder with --state"
        ) from None
    with running.alone(layout):
        running.end_stale_proxy(layout)
        running.check_ports(options.port)
        if not layout.proxy.exists():
            console.print("Looking for the hub's proxy (fetched by npm the first time) ...")
        proxy = proxy_command(layout.proxy)

        from autograder.kernels.sharing import begin_shared, lend

        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        forkserver = begin_shared()
        with Progress(
            TextColumn("{task.description:<36}"), BarColumn(), MofNCompleteColumn(),
            console=console, transient=True,
        ) as progress:  # fmt: skip
            bar = progress.add_task("lessons", visible=False)

            def tell(name: str, now: int, of: int) -> None:
                progress.update(
                    bar, description=f"release {name}", completed=now, total=of, visible=True
                )

            lessons = prepare(course, layout, instructor=INSTRUCTOR, students=students, tell=tell)
        settings = Settings(
            state=str(layout.state),
            port=options.port,
            course=course_id(course),
            instructor=INSTRUCTOR,
            students=students,
            password=_password(layout.state / "password"),
            proxy=proxy,
            libraries=dict(forkserver.environment) if forkserver else {},
            # One that could not start is not lent: servers would wait for it.
            lent=lend(forkserver) if forkserver and forkserver.pid else {},
        )
        settings.write(layout.settings)
        hub = running.Hub(layout, settings)
        try:
            hub.await_ready()
            _welcome(console, hub.address, settings, lessons, layout.log)
            hub.wait()
        finally:
            for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(signum, signal.SIG_IGN)  # stopping takes seconds; once is enough
            if sys.exc_info()[0] is KeyboardInterrupt:
                console.print("Stopping the hub and every server ...")
            hub.stop()
    return OK


def _password(path: Path) -> str:
    """The one password: drawn at the first start, the same ever after."""
    if not path.exists():
        drawn = "".join(secrets.choice(_LETTERS) for _ in range(12))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("-".join((drawn[:4], drawn[4:8], drawn[8:])))
    return path.read_text().strip()


def _welcome(
    console: Console, address: str, settings: Settings, lessons: list[str], log: Path
) -> None:
    console.rule(style="yellow")
    console.print(BANNER, style="bold yellow")
    console.rule(style="yellow")
    console.print(f"Open      {address}")
    console.print(f"Accounts  {settings.instructor}, {', '.join(settings.students)}")
    console.print(f"Password  {settings.password}  (the same for all)")
    console.print(f"Lessons   {len(lessons)} released")
    console.print(f"Log       {log}")
    console.print("Ctrl-C stops the hub. Homes and marks are kept for the next time.")


if __name__ == "__main__":
    sys.exit(main())
