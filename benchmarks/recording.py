"""Measure in a process of its own, and keep what came out.

What the commands that train a lesson's own text share: where its cells are, how a child process
hands its figures over, how a record is written, which machine it was, and the exit codes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.whole_file import write_whole
from data_scripts.errors import DataError
from data_scripts.recording import machine as machine_of_a_run

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DEFAULT_SEEDS = (1, 2, 3)
_MARK = "RESULT "  # begins the line in which a child hands over its figures


class BenchmarkError(Exception):
    """A lesson could not be measured; the message says which, and why."""


def cells_with(lesson: str, tag: str) -> list[str]:
    """Return the source of every code cell of a lesson that carries a tag.

    Raises
    ------
    BenchmarkError
        If there is none.
    """
    from autograder.authoring.source import read_source

    notebook = read_source(ROOT / "solutions" / lesson / f"{lesson}.py")
    cells = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and tag in cell.metadata.get("tags", [])
    ]
    if not cells:
        raise BenchmarkError(f"{lesson} has no cells with the tag {tag!r}")
    return cells


def hand_over(figures: Mapping[str, Any]) -> None:
    """In a child process: give the figures to who started it."""
    print(_MARK + json.dumps(figures), flush=True)


def run_apart(
    words: Sequence[str],
    *,
    what: str,
    show: Callable[[str], None],
    scale: str | None = None,
    errors: int | None = None,
) -> dict[str, Any]:
    """Run a module in a process of its own until it has handed over its figures.

    Parameters
    ----------
    words : sequence of str
        The module and its arguments.
    what : str
        What is run, for messages.
    show : callable
        Gets every other line that the process prints.
    scale : str, optional
        ``COURSE_SCALE`` of the process; as it is here if omitted.
    errors : int, optional
        Where the process's errors go, as in :class:`subprocess.Popen`: ``subprocess.STDOUT`` shows
        them too. Where omitted they go where ours go, progress bars among them.

    Returns
    -------
    dict
        The figures.

    Raises
    ------
    BenchmarkError
        If the process stops before; the message ends with its last lines.
    """
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", MPLBACKEND="agg", PYTHONUNBUFFERED="1")
    if scale is not None:
        environment["COURSE_SCALE"] = scale
    figures = None
    tail: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment,
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=errors,
    ) as process:
        try:
            for line in process.stdout or ():
                line = line.rstrip("\n")
                if line.startswith(_MARK):
                    figures = json.loads(line.removeprefix(_MARK))
                    continue
                tail = [*tail[-15:], line]
                show(line)
        except BaseException:
            process.kill()
            raise
    if figures is None or process.returncode:
        said = "\n".join(tail) or "nothing"
        raise BenchmarkError(
            f"{what} stopped (exit code {process.returncode}); its last words:\n{said}"
        )
    return figures


def keep(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record; a reader sees the old file or the new one, whole."""
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text.encode("utf-8"), permissions=0o644)


def machine() -> dict[str, Any]:
    """Describe the machine and its memory, in words that say nothing about whose it is."""
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    return {**machine_of_a_run(), "memory_gib": memory}


def exit_code(measure: Callable[[], None]) -> int:
    """Do something; return the exit code, with one sentence where it fails or is stopped."""
    try:
        measure()
    except (BenchmarkError, DataError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0
