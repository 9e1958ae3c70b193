"""The time limit of one check, and how waiting for another process fits into it."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any


class TimeLimitError(BaseException):
    """Raised inside an answer that takes too long; ``except Exception`` does not hold it back."""


_deadline: float | None = None  # of the running check, by time.monotonic()
_held = False


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeLimitError` in the body after `seconds`, and each second from then on.

    Works where Python delivers alarms: in the main thread, not on Windows. Elsewhere, in code that
    never returns to Python, and against ``except BaseException`` in an endless loop, the examiner's
    time limit for the whole cell has to do. So it does for an answer that sets alarms of its own,
    which are switched off when it ends.
    """
    global _deadline
    start = time.monotonic()
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    around, _deadline = _deadline, min(start + seconds, _deadline or start + seconds)
    outer, interval = signal.getitimer(signal.ITIMER_REAL) if usable else (0.0, 0.0)
    if not usable or 0 < outer <= seconds:  # a stricter limit around this one goes off first
        try:
            yield
        finally:
            _deadline = around
        return

    expired = False

    def expire(signum: int, frame: Any) -> None:
        nonlocal expired
        expired = True
        if not _held:
            raise TimeLimitError

    handler = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        _deadline = around
        if outer:
            left = max(outer - (time.monotonic() - start), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
    if expired:  # the body held the error back, with a bare `except:`
        raise TimeLimitError


def seconds_left() -> float | None:
    """Seconds until the running check is out of time, not below 0; None where no check runs."""
    return None if _deadline is None else max(_deadline - time.monotonic(), 0.0)


@contextlib.contextmanager
def held(back: bool = True) -> Iterator[None]:
    """Keep the alarm back in the body, which has a deadline of its own; or let it through again.

    An alarm must not cut a message in two. One that was kept back is raised when the check ends.
    """
    global _held
    before, _held = _held, back
    try:
        yield
    finally:
        _held = before
