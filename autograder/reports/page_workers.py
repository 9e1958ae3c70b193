"""Processes that make pages side by side. Imports little, so that they can be started early."""

import contextlib
import multiprocessing
import os
import signal
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

# What every worker needs; a forkserver imports it once for all of them.
_PRELOAD = "autograder.reports.page_making"
# Fewer pages than this are made sooner by one process than by several that have to be started.
FEW = 4


class WorkersLostError(Exception):
    """The processes that make pages have ended."""


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def begin() -> None:
    """Let the workers' imports begin while this process does something else."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        from multiprocessing import forkserver

        multiprocessing.get_context("forkserver").set_forkserver_preload([_PRELOAD])
        with _same_package():
            forkserver.ensure_running()


@contextlib.contextmanager
def _same_package() -> Iterator[None]:
    """Let a forkserver import this very package; before Python 3.13 it knows no ``sys.path``."""
    here = str(Path(__file__).resolve().parents[2])
    if here == sysconfig.get_paths()["purelib"]:
        yield
        return
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (here, before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _context() -> Any:
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


def side_by_side(
    function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int
) -> Iterator[tuple[Any, Any]]:
    """Call a function for each task, in several processes.

    Parameters
    ----------
    function : callable
        Of a module that workers can import.
    tasks : sequence
        Its arguments.
    workers : int
        How many processes; with one, or few tasks, this process does it itself.

    Yields
    ------
    (task, result)
        As they come.

    Raises
    ------
    WorkersLostError
        If a worker process was ended from outside.
    """
    workers = min(workers, len(tasks))
    if workers <= 1 or len(tasks) <= FEW:
        for task in tasks:
            yield task, function(task)
        return
    begin()
    pool = ProcessPoolExecutor(workers, mp_context=_context(), initializer=_leave_stopping_to_us)
    try:
        pending: dict[Future, Any] = {pool.submit(function, task): task for task in tasks}
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                task = pending.pop(future)
                yield task, future.result()
    except BrokenProcessPool:
        raise WorkersLostError(
            "a process that makes pages was ended from outside (no memory left?): run the same "
            "command again, with --workers 1; what was finished is kept"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_stopping_to_us() -> None:
    """Ctrl-C reaches every process of a terminal; the first one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
