"""A process that imports the libraries once and forks a warm process whenever one is asked for.

The forkserver holds no secret: every process that it forks can read what it had in memory. Keys,
seeds and tests reach a room on file descriptors that the forkserver passes on and never reads.

It has one thread, and a client can neither stall nor stop it: requests are whole packets, answers
that nobody takes are dropped, and a client that goes away takes its room with it.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import stat
import struct
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from autograder.kernels import cgroups, child, linux, watchdog
from autograder.kernels.limits import Limits
from autograder.kernels.meeting import LOCK_NAME, PACKET, SOCKET_NAME

_MAX_TROUBLES = 1000
MAX_DESCRIPTORS = 4
LOOK_SECONDS = 0.1  # between two looks of the watchdog
_ORPHAN_SECONDS = 5.0  # between two looks whether the starter is still there
_TIRED_SECONDS = 0.05  # pause when there are no descriptors for another client
_END_SECONDS = 3.0  # how long a forkserver that ends waits for its rooms
_END_PAUSE_SECONDS = 0.005
_MOST_DESCRIPTORS = 65_536


class _Room:
    """What the forkserver knows about one room."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.leash: socket.socket | None = None
        self.pid: int | None = None  # process 1 of the room, as seen from here
        self.helper: int | None = None  # the process between us and it, for a moment
        self.watch: watchdog.Watch | None = None
        self.group: cgroups.Group | None = None
        self.sandboxed = True
        self.status: int | None = None  # of the kernel itself, as process 1 told
        self.exceeded: dict[str, Any] | None = None
        self.problem = ""
        self.walls = False  # whether the problem is that of the sandbox


class Server:
    """The loop of the forkserver.

    Parameters
    ----------
    folder : str
        Folder that only the owner can enter; holds the socket.
    lifeline : int
        Descriptor whose other end the starter holds; when that closes, everything ends.
    """

    def __init__(self, folder: str, lifeline: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._by_pid: dict[int, _Room] = {}
        self._rooms: set[_Room] = set()
        self._staging = os.path.join(folder, "root")
        os.makedirs(self._staging, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(os.path.join(folder, SOCKET_NAME))
        self._listener.listen(64)
        self._listener.setblocking(False)
        self._lifeline = lifeline
        self._starter = os.getppid()
        self._places: cgroups.Places | None = None
        self._ended_groups: list[cgroups.Group] = []
        self._count = 0
        self._woken, wake = socket.socketpair()
        self._woken.setblocking(False)
        wake.setblocking(False)
        self._wake = wake
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for what, act in (
            (self._listener, self._accept),
            (self._woken, self._reap),
            (lifeline, self._stop),
        ):
            self._selector.register(what, selectors.EVENT_READ, act)
        self._running = True
        self._troubles = 0
        self._looked = 0.0

    def run(self) -> None:
        """Serve until the starter is gone."""
        try:
            while self._running:
                watched = self._ended_groups or any(room.watch for room in self._by_pid.values())
                patience = LOOK_SECONDS if watched else _ORPHAN_SECONDS
                for key, _ in self._selector.select(patience):
                    # A handler may have closed what a later event of the same batch speaks of.
                    if self._selector.get_map().get(key.fd) is key:
                        self._safely(key.data)
                if time.monotonic() - self._looked >= LOOK_SECONDS:
                    self._looked = time.monotonic()
                    self._safely(self._look)
                    # The lifeline may have been inherited by somebody who does not know of it.
                    self._running = self._running and os.getppid() == self._starter
        finally:
            self._end_all()

    def _safely(self, act: Callable[[], None]) -> None:
        """Do one step; a problem with one room must not end all the others."""
        try:
            act()
        except Exception:
            self._troubles += 1
            if self._troubles > _MAX_TROUBLES:
                raise
            time.sleep(_TIRED_SECONDS)

    def _end_all(self) -> None:
        """Kill every room, and wait until nothing of it is left."""
        until = time.monotonic() + _END_SECONDS
        while time.monotonic() < until:
            for room in set(self._by_pid.values()):
                self._kill(room)
            self._reap()
            self._ended_groups = [group for group in self._ended_groups if not group.remove()]
            if not self._by_pid and not self._ended_groups:
                return
            time.sleep(_END_PAUSE_SECONDS)

    def _stop(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if not os.read(self._lifeline, 1024):
                self._running = False

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # out of descriptors, or the client is gone already
            time.sleep(_TIRED_SECONDS)
            return
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("3i", credentials)[1] not in (os.geteuid(), 0):
            connection.close()
            return
        connection.setblocking(False)
        room = _Room(connection)
        self._rooms.add(room)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._hear(room))

    def _hear(self, room: _Room) -> None:
        """Read one packet of a client."""
        descriptors: list[int] = []
        try:
            data, descriptors, _, _ = socket.recv_fds(room.connection, PACKET, MAX_DESCRIPTORS)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        try:
            if not data:
                self._forget_client(room)
                return
            request = json.loads(data)
            if request["do"] == "fork" and room.pid is None and room.helper is None:
                self._fork(room, request, descriptors)
            elif request["do"] == "interrupt" and room.leash is not None:
                room.leash.send(b"i")
            elif request["do"] == "kill":
                self._kill(room)
            elif request["do"] == "cell" and room.watch is not None:
                room.watch.begin_cell()
            elif request["do"] == "usage" and room.watch is not None:
                self._tell(room, {"usage": room.watch.usage(), "number": request["number"]})
        except (ValueError, KeyError, TypeError, OSError) as error:
            self._tell(room, {"error": f"{type(error).__name__}: {error}"})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, room: _Room, request: dict[str, Any], descriptors: list[int]) -> None:
        limits = Limits(**request["limits"])
        room.sandboxed = bool(request["sandbox"])
        leash, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        leash.setblocking(False)
        group = self._new_group(limits) if room.sandboxed else None
        try:
            pid = os.fork()
        except OSError:
            if group is not None:
                group.remove()
            raise
        if pid == 0:
            code = 1
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                code = child.enter(
                    other.detach(),
                    descriptors,
                    staging=self._staging,
                    limits=limits,
                    sandboxed=room.sandboxed,
                    group=group,
                )
            except BaseException:
                code = 1
            finally:
                os._exit(code)
        other.close()
        room.leash = leash
        room.group = group
        if room.sandboxed or request.get("watched"):
            room.watch = watchdog.Watch(limits, group)
        room.helper = pid
        self._by_pid[pid] = room
        self._selector.register(leash, selectors.EVENT_READ, lambda: self._read_leash(room))

    def _new_group(self, limits: Limits) -> cgroups.Group | None:
        if self._places is None:
            self._places = cgroups.Places()
            self._places.remove_leftovers()
            if not self._places.usable():
                self._places.folders = {}
        if not self._places.folders:
            return None
        self._count += 1
        try:
            return cgroups.Group(self._places, str(self._count), limits)
        except OSError:
            return None  # the watchdog is there all the same

    def _read_leash(self, room: _Room) -> None:
        """Hear what the child says before it is a room, and process 1 afterwards."""
        leash = room.leash
        if leash is None:
            return
        try:
            data = leash.recv(PACKET)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(leash)
            leash.close()
            room.leash = None
            return
        # From the moment in which foreign code runs, only process 1 has the other end.
        try:
            news = json.loads(data)
        except ValueError:
            return
        if "pid" in news and room.pid is None:
            room.pid = int(news["pid"])
            self._by_pid[room.pid] = room
            if room.watch is not None:
                room.watch.begin(room.pid)
            if room not in self._rooms:  # the client has gone meanwhile
                self._kill(room)
                return
            self._tell(room, {"pid": room.pid})
        elif "status" in news:
            room.status = int(news["status"])
        elif "problem" in news:
            room.problem = str(news["problem"])[:500]
            room.walls = bool(news.get("walls"))

    def _forget_client(self, room: _Room) -> None:
        self._selector.unregister(room.connection)
        room.connection.close()
        self._rooms.discard(room)
        self._kill(room)

    def _kill(self, room: _Room) -> None:
        pid = room.pid or room.helper
        if pid is None:
            return
        # Not reaped yet, so the number still means that process.
        with contextlib.suppress(ProcessLookupError):
            if room.sandboxed:
                os.kill(pid, signal.SIGKILL)  # process 1: its namespace ends with it
            else:
                watchdog.kill_tree(pid)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self._by_pid:
                # Process 1 of a room, so short-lived that its number has not been read yet.
                for room in set(self._by_pid.values()):
                    if room.pid is None:
                        self._read_leash(room)
            room = self._by_pid.pop(pid, None)
            if room is None:
                continue
            # What it said last may still wait to be read.
            before = None
            while room.leash is not None and before != (room.pid, room.status, room.problem):
                before = (room.pid, room.status, room.problem)
                self._read_leash(room)
            if pid == room.pid:
                self._ended(room, status)
            elif pid == room.helper:
                room.helper = None
                if room.pid is None:
                    self._ended(room, status)

    def _ended(self, room: _Room, status: int) -> None:
        if room.pid is not None and not room.sandboxed:
            watchdog.kill_session(room.pid)
        if room.leash is not None:
            self._selector.unregister(room.leash)
            room.leash.close()
            room.leash = None
        code = room.status if room.status is not None else os.waitstatus_to_exitcode(status)
        if room.watch is not None:
            room.exceeded = room.exceeded or room.watch.last_look()
        if room.pid is None:
            room.problem = room.problem or f"the room ended before it began (exit {code})"
        news = {"exit": code, "exceeded": room.exceeded, "walls": room.walls}
        self._tell(room, news | {"problem": room.problem or None})
        if room.group is not None and not room.group.remove():
            self._ended_groups.append(room.group)
        room.pid = room.watch = room.group = None

    def _tell(self, room: _Room, news: dict[str, Any]) -> None:
        if room not in self._rooms:
            return
        # It does not read, or is gone: that will be seen when the socket closes.
        with contextlib.suppress(OSError):
            room.connection.send(json.dumps(news).encode())

    def _look(self) -> None:
        self._ended_groups = [group for group in self._ended_groups if not group.remove()]
        for room in list(self._rooms):
            if room.pid is None or room.watch is None or room.exceeded is not None:
                continue
            room.exceeded = room.watch.look()
            if room.exceeded is not None:
                self._tell(room, {"exceeded": room.exceeded})
                self._kill(room)


def _preload(modules: list[str]) -> list[str]:
    """Import modules; return those that could not be imported, and why."""
    failed = []
    for name in modules:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            failed.append(f"{name} ({type(error).__name__}: {str(error)[:100]})")
    return failed


def _allow_many_descriptors() -> None:
    """Two a room; what a room may open is a limit of its own."""
    soft, hard = child.ORDINARY_DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def main() -> None:
    """Read settings from standard input, import, say that all is ready, serve."""
    linux.name_process("ag-forkserver")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command that started us
    settings = json.loads(sys.stdin.readline())
    os.environ.update(settings["environment"])
    folder = settings["folder"]
    if stat.S_IMODE(os.stat(folder).st_mode) & 0o077:
        sys.exit(f"{folder} can be entered by others")
    # Held until the end: a folder whose lock is free belongs to nobody any more. It appears locked.
    new = os.path.join(folder, LOCK_NAME + ".new")
    lock = os.open(new, os.O_WRONLY | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(new, os.path.join(folder, LOCK_NAME))
    warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
    if linux.AVAILABLE:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    # A library that greets on being imported must not be taken for our own word.
    answer = os.dup(1)
    os.dup2(2, 1)
    child.prepare()
    failed = _preload([*child.NEEDED, *settings["preload"]])
    for library, modules in child.LATE.items():
        if library in sys.modules:
            _preload(list(modules))
    for name in settings["environment"]:
        os.environ.pop(name, None)
    gc.collect()
    gc.freeze()
    os.set_blocking(0, False)
    _allow_many_descriptors()
    server = Server(folder, 0)
    os.write(answer, json.dumps({"ready": os.getpid(), "failed": failed}).encode() + b"\n")
    os.close(answer)
    # Nobody reads what comes now, and a full pipe would stop us.
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    try:
        server.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
