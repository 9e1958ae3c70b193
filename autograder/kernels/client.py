"""Ask the forkserver for rooms: start it, fork, interrupt, kill, hear what became of a room."""

import contextlib
import dataclasses
import json
import os
import select
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from autograder.kernels import cgroups, linux
from autograder.kernels.limits import Limits
from autograder.kernels.meeting import LOCK_NAME, PACKET, SOCKET_NAME, take_lock

# What a notebook of this field imports first. What is not installed is passed over.
PRELOAD = ("numpy", "matplotlib.pyplot", "keras")
_PREFIX = "ag-"
START_SECONDS = 120
FORK_SECONDS = 30
# Read when the libraries are imported, and too late in a notebook.
LIBRARY_SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
_HANDED_ON = (
    *("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES"),
)
LINUX_ONLY = (
    "students' code is run apart with what only Linux has, and this is not Linux: grade on Linux, "
    "in a container or under WSL"
)
_NO_SPACE = ": free some space in {}, or name another place in TMPDIR"
_NO_SANDBOX = (
    "this machine does not let a kernel be closed in ({}): `autograder grade --check-sandbox` "
    "tells what is missing, `--no-sandbox` grades without walls"
)


def library_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Those variables of an environment that libraries read when they are imported."""
    return {
        **{name: environment[name] for name in _HANDED_ON if name in environment},
        **{name: environment.get(name, value) for name, value in LIBRARY_SETTINGS.items()},
    }


class KernelError(Exception):
    """A room could not be made; the message says why and what to do."""


class RoomProcess:
    """One forked room, as its owner sees it. When this is closed, the room ends.

    Attributes
    ----------
    pid : int
        Process 1 of the room, as seen from outside.
    exceeded : dict or None
        ``{"limit": "memory", "value": 4000, "unit": "MB"}`` if the watchdog ended the room.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._usage: dict[str, float] = {}
        self._asked = self._answered = 0
        self.pid = 0
        self.exceeded: dict[str, Any] | None = None
        self.exit_code: int | None = None
        self.problem = ""

    def poll(self) -> int | None:
        """Exit code of the kernel, or None while it lives. Negative: the signal that ended it."""
        with self._lock:
            while self.exit_code is None and self._hear(0.0):
                pass
            return self.exit_code

    def wait(self, seconds: float) -> int | None:
        """Wait for the end of the room, at most so long."""
        until = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < until:
            with self._lock:
                self._hear(min(0.1, max(until - time.monotonic(), 0.0)))
        return self.exit_code

    def interrupt(self) -> None:
        """Interrupt what the kernel runs, as the stop button does."""
        self._ask({"do": "interrupt"})

    def kill(self) -> None:
        """End every process of the room, at once."""
        self._ask({"do": "kill"})

    def begin_cell(self) -> None:
        """Count processor time for the limit of a cell from here."""
        self._ask({"do": "cell"})

    def usage(self, seconds: float = 2.0) -> dict[str, float]:
        """Processor time (s) and peak memory (MB) until now; the last known where it has ended."""
        # By number: the answer to an earlier question may have been too late for it.
        self._asked += 1
        self._ask({"do": "usage", "number": self._asked})
        until = time.monotonic() + seconds
        while self._answered < self._asked and self.exit_code is None and time.monotonic() < until:
            with self._lock:
                self._hear(0.05)
        return dict(self._usage)

    def close(self) -> None:
        """End the room, if it has not ended, and forget it."""
        self.poll()
        self._connection.close()
        if self.exit_code is None:
            self.exit_code = -9

    def _ask(self, request: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._connection.send(json.dumps(request).encode())

    def _begin(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.pid and self.exit_code is None and not self.problem:
            if time.monotonic() > until:
                raise KernelError(f"the forkserver has not made a kernel within {seconds:g} s")
            self._hear(0.2)
        if not self.pid:
            raise KernelError(self.problem or "the forkserver ended while it made a kernel")

    def _hear(self, seconds: float) -> bool:
        """Take in one packet, if there is one."""
        try:
            poll = select.poll()  # knows descriptors of any number
            poll.register(self._connection, select.POLLIN)
            if not poll.poll(seconds * 1000):
                return False
            data = self._connection.recv(PACKET)
        except (OSError, ValueError):
            data = b""
        if not data:
            self.exit_code = -9 if self.exit_code is None else self.exit_code
            self.problem = self.problem or "the forkserver died"
            return False
        news = json.loads(data)
        self.pid = news.get("pid", self.pid)
        self.exceeded = news.get("exceeded") or self.exceeded
        self._usage = news.get("usage", self._usage)
        self._answered = news.get("number", self._answered)
        problem = news.get("error") or news.get("problem") or ""
        if problem:
            self.problem = _NO_SANDBOX.format(problem) if news.get("walls") else problem
        if "exit" in news:
            self.exit_code = int(news["exit"])
        return True


class Forkserver:
    """A forkserver of one's own, started when the first room is asked for.

    Parameters
    ----------
    preload : sequence of str
        Modules to import before anything is forked.
    folder : pathlib.Path, optional
        Where its private folder is made; the system's place for temporary files if omitted.

    Notes
    -----
    One that has died is started again at the next request; the rooms it had are gone with it. It
    ends with the process that started it.
    """

    def __init__(self, preload: Sequence[str] = PRELOAD, folder: Path | None = None) -> None:
        self.preload = tuple(preload)
        self.failed: list[str] = []
        self.environment: dict[str, str] = {}
        self._base = folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._said: IO[str] | None = None  # its errors, until it is ready
        self._owner = os.getpid()
        self._last_pid: int | None = None
        self._count = 0
        self.folder = Path()

    @property
    def pid(self) -> int | None:
        """Process id, None while none runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def begin(self) -> None:
        """Start it, unless it runs; returns while it imports.

        Raises
        ------
        KernelError
            If it cannot be started: no Linux, or no room in the temporary folder.
        """
        with self._lock:
            self._begin()

    def start(self) -> None:
        """Start it, unless it runs; returns when everything is imported.

        Raises
        ------
        KernelError
            If it cannot be started: no room in the temporary folder, an import that crashes.
        """
        with self._lock:
            self._begin()
            if self._said is not None:
                self._await_word()

    def _begin(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        if self._said is not None and self._process is not None:
            return  # it has ended while it imported: it has said why
        if not linux.AVAILABLE:
            raise KernelError(LINUX_ONLY)
        self._clean()
        _remove_stale(Path(self._base or tempfile.gettempdir()))
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._base))
        except OSError as error:
            place = self._base or tempfile.gettempdir()
            raise KernelError(
                f"no folder for kernels can be made ({error.strerror})" + _NO_SPACE.format(place)
            ) from None
        try:
            self._launch()
        except OSError as error:
            self._abandon()
            raise KernelError(f"the forkserver did not start: {error}") from None
        except BaseException:  # Ctrl-C
            self._abandon()
            raise

    def _launch(self) -> None:
        """Start the process, and tell it what to do."""
        self.environment = library_environment(os.environ)
        # Whatever the starter draws with: rooms are notebooks.
        self.environment["MPLBACKEND"] = LIBRARY_SETTINGS["MPLBACKEND"]
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        private = {
            name: os.environ[name]
            for name in ("HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME")
            if name in os.environ
        }
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open until it is ready
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-m", "autograder.kernels.forkserver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**self.environment, "PATH": path},
            cwd="/",
            text=True,
            start_new_session=True,
        )
        self._last_pid = self._process.pid
        settings = {
            "folder": str(self.folder),
            "preload": list(self.preload),
            "environment": private,
        }
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(settings) + "\n")
            self._process.stdin.flush()

    def _await_word(self) -> None:
        """Wait until it says that it is ready."""
        try:
            line, last = self._hear_word()
        except BaseException:  # Ctrl-C while it imports
            self._abandon()
            raise
        if not line.startswith("{"):
            place = self._base or tempfile.gettempdir()
            self._abandon()
            more = _NO_SPACE.format(place) if "No space left" in last else ""
            raise KernelError(f"the forkserver did not start: {last[:300]}{more}")
        self.failed = list(json.loads(line)["failed"])
        self._forget_errors()

    def _hear_word(self) -> tuple[str, str]:
        """Return what it says when it is ready, and the last line of its errors."""
        line = ""
        with contextlib.suppress(OSError):
            poll = select.poll()
            poll.register(self._process.stdout, select.POLLIN)
            if poll.poll(START_SECONDS * 1000):
                line = self._process.stdout.readline()
            if not line:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
        if line:
            return line, ""
        if self._process.poll() is None:
            return "", f"it was not ready within {START_SECONDS} s"
        self._said.seek(0)
        return "", (self._said.read().strip().splitlines() or ["it said nothing"])[-1]

    def _forget_errors(self) -> None:
        said, self._said = self._said, None
        if said is not None:
            said.close()

    def _abandon(self) -> None:
        process, self._process = self._process, None
        self._forget_errors()
        if process is not None:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self._clean()

    def fork(
        self,
        settings: Mapping[str, Any],
        *,
        limits: Limits | None = None,
        sandboxed: bool = True,
        descriptors: Sequence[int] = (),
    ) -> RoomProcess:
        """Make a room.

        Parameters
        ----------
        settings : mapping
            What the child needs, see :mod:`autograder.kernels.child`: role, environment, … It
            travels on a descriptor that the forkserver does not read.
        limits : Limits, optional
            What the room may use.
        sandboxed : bool
            Whether the room has walls.
        descriptors : sequence of int
            Sockets and files of the room, passed on in this order.

        Raises
        ------
        KernelError
            If no room can be made.
        """
        try:
            return self._fork(settings, limits, sandboxed, descriptors)
        except KernelError:
            if self.pid is not None or settings.get("door"):
                raise
        # It died before or while we asked; a new one has nothing to do with that.
        return self._fork(settings, limits, sandboxed, descriptors)

    def _fork(
        self,
        settings: Mapping[str, Any],
        limits: Limits | None,
        sandboxed: bool,
        descriptors: Sequence[int],
    ) -> RoomProcess:
        self.start()
        door = settings.get("door")
        if door and not os.path.isdir(door):
            raise KernelError("the forkserver died, and the kernel's folder with it")
        room = RoomProcess(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        room._connection.settimeout(FORK_SECONDS)
        sealed = os.memfd_create("settings")
        try:
            with os.fdopen(os.dup(sealed), "wb") as file:
                file.write(json.dumps(settings).encode())
            request = {
                "do": "fork",
                "sandbox": sandboxed,
                "limits": dataclasses.asdict(limits or Limits()),
            }
            try:
                room._connection.connect(str(self.folder / SOCKET_NAME))
                socket.send_fds(
                    room._connection, [json.dumps(request).encode()], [sealed, *descriptors]
                )
            except OSError as error:
                raise KernelError(f"the forkserver does not answer ({error.strerror})") from None
            room._begin(FORK_SECONDS)
        except BaseException:
            room.close()
            raise
        finally:
            os.close(sealed)
        return room

    def new_folder(self) -> Path:
        """Make a folder for the sockets of one room."""
        self.start()
        with self._lock:
            self._count += 1
            # Others may use the same forkserver, see autograder.kernels.sharing.
            folder = self.folder / f"k{os.getpid():x}-{self._count}"
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise KernelError(
                f"no folder for a kernel can be made ({error.strerror})"
                + _NO_SPACE.format(self.folder.parent)
            ) from None
        return folder

    def stop(self) -> None:
        """End it, and every room with it."""
        with self._lock:
            process, self._process = self._process, None
            self._forget_errors()
            if process is not None and os.getpid() == self._owner:
                with contextlib.suppress(OSError):
                    process.stdin.close()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                process.stdout.close()
            self._clean()

    def _clean(self) -> None:
        if self.folder != Path() and os.getpid() == self._owner:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = Path()
        if self._last_pid is not None and os.getpid() == self._owner:
            cgroups.Places().remove_leftovers(self._last_pid)
            self._last_pid = None


def _remove_stale(base: Path) -> None:
    """Remove folders whose forkserver was killed together with the process that started it."""
    with contextlib.suppress(OSError):
        for folder in base.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                about = folder.lstat()
                if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
                    continue
                lock = os.open(folder / LOCK_NAME, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    take_lock(lock)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(lock)
