"""One forkserver for a whole process, or one that somebody else has started and lends.

Importing the libraries takes seconds of processor time. ``autograder grade`` starts a forkserver
before anything else, and its workers, which are other processes, fork their rooms from it.
"""

import atexit
import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.kernels import linux
from autograder.kernels.client import PRELOAD, START_SECONDS, Forkserver, KernelError
from autograder.kernels.meeting import LOCK_NAME, SOCKET_NAME, take_lock

LENT = "AUTOGRADER_FORKSERVER"  # environment variable of those who may use a lent one
WAITING = "waiting for the forkserver"  # name of a thread
_LOOK_SECONDS = 0.02


def begin_shared(preload: Sequence[str] = PRELOAD) -> Forkserver | None:
    """Let this process's forkserver import already; None where that is impossible.

    Whoever asks it for a room later on is told why it cannot be started.
    """
    if not linux.AVAILABLE:
        return None
    server = shared_forkserver(preload)

    def hear() -> None:
        with contextlib.suppress(KernelError):
            server.start()

    try:
        server.begin()
    except KernelError:
        return None
    threading.Thread(target=hear, name=WAITING, daemon=True).start()
    return server


def lend(server: Forkserver | None) -> dict[str, str]:
    """Environment variables by which child processes find a forkserver that has begun.

    They are of the same user, so they may connect to it; a room cannot, and is not told.
    """
    if server is None:
        return {}
    about = {
        "folder": str(server.folder),
        "preload": list(server.preload),
        "environment": server.environment,
    }
    return {LENT: json.dumps(about)}


def borrow(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What :func:`lend` said; None if nobody lends."""
    with contextlib.suppress(ValueError, KeyError, TypeError):  # nonsense is no offer
        about = json.loads(environment[LENT])
        return {
            "folder": Path(about["folder"]),
            "preload": tuple(about["preload"]),
            "environment": dict(about["environment"]),
        }
    return None


class LentForkserver(Forkserver):
    """Somebody else's forkserver; one of our own once that has died.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the lent one, which may still be importing.
    preload : sequence of str
        The modules that it imports.
    environment : mapping of str to str
        The variables with which it imports them.
    """

    def __init__(
        self, folder: Path, preload: Sequence[str] = PRELOAD, environment: Mapping[str, str] = {}
    ) -> None:
        super().__init__(preload, folder.parent)
        self.folder = folder
        self.environment = dict(environment)
        self.lent = True

    @property
    def pid(self) -> int | None:
        """Process id of our own; 0, which is nobody's, while the lent one answers."""
        if self.lent:
            return 0 if self._answers() else None
        return super().pid

    def begin(self) -> None:
        """Start one of our own, if the lent one has died."""
        if not self.lent:
            super().begin()

    def start(self) -> None:
        """Wait until the lent one has imported everything; start our own if it has died."""
        if self.lent and not self._await_lent():
            with self._lock:
                if self.lent:
                    self.folder = Path()  # not ours to remove
                    self.lent = False
        if not self.lent:
            super().start()

    def stop(self) -> None:
        """End our own; a lent one ends with its owner."""
        if not self.lent:
            super().stop()

    def _await_lent(self) -> bool:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._answers():
                return True
            if self._is_dead():
                return False
            time.sleep(_LOOK_SECONDS)
        return False

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            try:
                line.connect(str(self.folder / SOCKET_NAME))
            except OSError:
                return False
        return True

    def _is_dead(self) -> bool:
        """Whether its folder is gone, or nobody holds the lock in it."""
        if not self.folder.is_dir():
            return True
        try:
            lock = os.open(self.folder / LOCK_NAME, os.O_WRONLY | os.O_NOFOLLOW)
        except OSError:
            return False  # it has only just been started
        try:
            take_lock(lock)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(lock)


_shared: dict[tuple[str, ...], Forkserver] = {}
_shared_lock = threading.Lock()


def shared_forkserver(preload: Sequence[str] = PRELOAD) -> Forkserver:
    """The one forkserver of this process for a list of modules."""
    with _shared_lock:
        key = tuple(preload)
        server = _shared.get(key)
        if server is None or server._owner != os.getpid():
            lent = borrow(os.environ)
            if lent is not None and lent["preload"] == key:
                server = LentForkserver(**lent)
            else:
                server = Forkserver(preload)
            _shared[key] = server
        return server


@atexit.register
def _stop_shared() -> None:
    for server in list(_shared.values()):
        if server._owner == os.getpid():
            server.stop()
