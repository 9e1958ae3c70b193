"""The controller's end of the examiner room: send it cells, and wait for what it finds."""

import contextlib
import socket
import time
from typing import Any

from autograder.examination.answers import limit_words
from autograder.kernels import examiner as examiner_line
from autograder.kernels.client import KernelError, RoomProcess
from autograder.workers.tasks import Task

GRACE_SECONDS = 5  # for an answer after an interrupt


class RoomLost(Exception):
    """A room has ended, or does not answer; the message says why, in words for a student."""


class ExaminerRoom:
    """The controller's end of the examiner room."""

    def __init__(self, fork: Any, task: Task) -> None:
        mine, theirs = socket.socketpair()
        self._line = mine
        try:
            self._room: RoomProcess = fork(theirs.fileno())
        except BaseException:
            mine.close()
            raise
        finally:
            theirs.close()
        self._waiting = 0  # cells that were sent ahead, whose answers nobody has read
        if task.prelude:
            self.prepare(task.prelude)

    def begin_cell(self) -> None:
        """Count processor time for the limit of a cell from here."""
        self._room.begin_cell()

    def prepare(self, source: str) -> None:
        """Run a locked cell; its outputs are those of the student room."""
        with contextlib.suppress(OSError):
            self._line.settimeout(GRACE_SECONDS)
            examiner_line.send(self._line, {"kind": "set-up", "source": source})
            self._waiting += 1

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request, wait for its answer.

        Raises
        ------
        RoomLost
            If the room has ended, or does not answer within `seconds` and an interrupt.
        """
        try:
            while self._waiting:
                self._receive(time.monotonic() + seconds, seconds)
                self._waiting -= 1
            self._line.settimeout(seconds)
            examiner_line.send(self._line, request)
            return _answer(self._receive(time.monotonic() + seconds, seconds))
        except (OSError, ValueError, KeyError, TypeError):
            with contextlib.suppress(OSError, ValueError):
                self._receive(time.monotonic(), 0)  # what it said last: why it could not start
            self._room.wait(0.3)
            if self._room.exceeded:
                raise RoomLost(f"in the check: {limit_words(self._room.exceeded)}") from None
            raise RoomLost("the examiner was lost") from None

    def _receive(self, until: float, seconds: float) -> dict[str, Any]:
        try:
            self._line.settimeout(max(until - time.monotonic(), 0.1))
            content = examiner_line.receive(self._line)
        except TimeoutError:
            self._room.interrupt()
            self._line.settimeout(GRACE_SECONDS)
            try:
                content = examiner_line.receive(self._line)
            except TimeoutError:
                raise RoomLost(f"the check did not end within {seconds:g} s") from None
        if content is None:
            raise ConnectionError
        if "fatal" in content:
            raise KernelError(f"the examiner did not start: {content['fatal']}")
        return content

    def close(self) -> None:
        """End the room."""
        self._line.close()
        self._room.kill()
        self._room.wait(2)
        self._room.close()


def _answer(content: dict[str, Any]) -> dict[str, Any]:
    """Check the form of what the examiner sent: it has met foreign bytes."""
    outputs = content["outputs"]
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise TypeError("outputs")
    return {name: content[name] for name in ("outputs", "verdict", "plain", "error", "lost")}
