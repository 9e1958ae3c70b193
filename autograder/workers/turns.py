"""Whose turn it is to run: a worker prepares more submissions than it runs at a time.

Making two rooms takes a quarter of a second, in which mostly one processor is busy. A worker makes
the rooms of the next submissions while the cells of others run; the cells themselves take turns, so
that no submission's time is measured while more than its share of processors is asked for.
"""

import contextlib
import threading
from collections.abc import Iterator

# The name under which a Dask worker says how many submissions it runs at a time:
# dask worker … --nthreads 4 --resources "submissions=2" --preload autograder.workers.worker
TURNS = "submissions"
_turns: threading.Semaphore | None = None


def set_turns(count: int | None) -> None:
    """Let this process run so many submissions at a time; any number if None."""
    global _turns
    _turns = None if count is None else threading.Semaphore(count)


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn, and keep it within this context."""
    turns = _turns
    if turns is None:
        yield
        return
    with turns:
        yield
