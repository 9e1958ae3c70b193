"""Find out what this machine can enforce, by trying it from inside a room."""

import contextlib
import dataclasses
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from autograder.kernels import cgroups, landlock, linux
from autograder.kernels.client import Forkserver, KernelError, RoomProcess
from autograder.kernels.limits import Limits
from autograder.kernels.room_paths import read_only_paths

_ATTEMPT_SECONDS = 20


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that a sandbox has to enforce, and whether it does here.

    Attributes
    ----------
    what : str
        What was tried.
    held : bool
        Whether the sandbox held.
    detail : str
        What was seen.
    needed : bool
        False for a second wall behind one that stands already.
    """

    what: str
    held: bool
    detail: str
    needed: bool = True


def check_sandbox() -> list[Finding]:
    """Try the sandbox of this machine.

    Returns
    -------
    list of Finding
        One entry, not held, if no room can be made at all.
    """
    if not linux.AVAILABLE:
        return [Finding("namespaces of Linux", False, "this system is not Linux")]
    server = Forkserver(preload=())
    try:
        server.start()
        with _Canary() as canary:
            found = [Finding(*item) for item in _ask(server, canary.told)]
        found += [_memory(server), _landlock(), _control_groups()]
        found.append(_nothing_left(server))
    except KernelError as error:
        return [Finding("a room of its own", False, str(error))]
    finally:
        server.stop()
    return found


def _fork(server: Forkserver, task: dict[str, Any], limits: Limits) -> tuple[RoomProcess, int]:
    told, tell = os.pipe()
    settings = {
        "role": "probe",
        "probe": task,
        "environment": {"PATH": "/usr/bin:/bin"},
        "shown": read_only_paths(),
    }
    try:
        return server.fork(settings, limits=limits, descriptors=(tell,)), told
    except BaseException:
        os.close(told)
        raise
    finally:
        os.close(tell)


def _ask(server: Forkserver, canary: dict[str, Any]) -> list[list[Any]]:
    room, told = _fork(server, {"do": "look", "pid": server.pid, **canary}, Limits())
    with os.fdopen(told) as file:
        text = file.read()
    room.wait(_ATTEMPT_SECONDS)
    room.close()
    if not text:
        raise KernelError(room.problem or "the room did not answer")
    return json.loads(text)


def _memory(server: Forkserver) -> Finding:
    room, told = _fork(server, {"do": "fill"}, Limits(memory_mb=200))
    os.close(told)
    room.wait(_ATTEMPT_SECONDS)
    exceeded = room.exceeded or {}
    room.kill()
    room.close()
    held = exceeded.get("limit") == "memory"
    return Finding("memory limit", held, "1 GB asked for, ended at 200 MB" if held else "not ended")


def _landlock() -> Finding:
    version = landlock.version()
    held = version >= landlock.LOWEST
    detail = f"version {version}" if held else "not in this system; the other walls stand"
    return Finding("Landlock, a second wall", held, detail, needed=False)


def _control_groups() -> Finding:
    held = cgroups.Places().usable()
    detail = (
        "the system itself ends a burst of memory"
        if held
        else "none can be made here; memory is looked at ten times a second"
    )
    return Finding("control groups, a second limit", held, detail, needed=False)


def _nothing_left(server: Forkserver) -> Finding:
    room, told = _fork(server, {"do": "scatter"}, Limits())
    with os.fdopen(told) as file:
        # The last writer has gone when the pipe ends: what the room had started included.
        file.read()
    room.wait(_ATTEMPT_SECONDS)
    ended = room.exit_code is not None
    room.close()
    return Finding("nothing outlives a room", ended, "background processes ended with it")


class _Canary:
    """Things of the machine that a room must not reach."""

    def __enter__(self) -> "_Canary":
        self._folder = tempfile.TemporaryDirectory(prefix="canary-")
        secret = Path(self._folder.name) / "secret"
        secret.write_text("secret")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.told = {"file": str(secret), "port": self._listener.getsockname()[1]}
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()
        self._folder.cleanup()


def probe(task: dict[str, Any], descriptor: int) -> int:
    """Try things; runs inside a room."""
    if task["do"] == "fill":
        hoard = [bytearray(os.urandom(1) * 50_000_000) for _ in range(20)]
        return len(hoard)
    if task["do"] == "scatter":
        if os.fork() == 0:
            os.setsid()
            os.execv("/bin/sleep", ["sleep", "600"])
        return 0
    answers = [
        ["user", os.getuid() != 0, f"runs as user {os.getuid()}"],
        _status("no rights", "CapEff", lambda value: int(value, 16) == 0),
        _status("no way to new rights", "NoNewPrivs", lambda value: value == "1"),
        _status("filter of system calls", "Seccomp", lambda value: value == "2"),
        _refused("files of the machine", lambda: Path(task["file"]).read_text()),
        _refused("network", lambda: socket.create_connection(("127.0.0.1", task["port"]), 2)),
        _refused("system files", lambda: Path("/usr/probe").write_text("x")),
        _refused("other processes", lambda: os.kill(task["pid"], 0)),
        _refused("new namespaces", lambda: linux.unshare(linux.CLONE_NEWUSER)),
        _refused("mounts", lambda: linux.mount("none", "/tmp", "tmpfs")),
    ]
    with os.fdopen(descriptor, "w") as file:
        json.dump(answers, file)
    return 0


def _status(what: str, name: str, good: Any) -> list[Any]:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(name + ":"):
                value = line.split()[1]
                return [what, bool(good(value)), f"{name} {value}"]
    return [what, False, "/proc is not there"]


def _refused(what: str, attempt: Any) -> list[Any]:
    try:
        attempt()
    except OSError as error:
        return [what, True, f"refused: {error.strerror}"]
    return [what, False, "it worked"]
