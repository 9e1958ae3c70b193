"""What a forked process does before it runs foreign code: from the fork to the kernel's loop.

Three processes stand behind a sandboxed room. The *helper* leaves the machine's namespaces and
forks *process 1* of the new ones, which builds the room's root, forks the *kernel*, and stays to
reap what the kernel leaves behind; when process 1 ends, the system ends all others in the room.
"""

import base64
import contextlib
import errno
import fcntl
import json
import os
import random
import resource
import select
import signal
import socket
import sys
from typing import Any

from autograder.kernels import linux, sandbox
from autograder.kernels.cgroups import Group
from autograder.kernels.limits import Limits
from autograder.kernels.room_paths import WORK

# Imported before anything is forked, whatever else is preloaded: what every room runs first.
NEEDED = (
    "ipykernel.kernelapp",
    "ipykernel.iostream",
    "ipykernel.inprocess.ipkernel",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "IPython.core.magics",
    "IPython.core.history",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "ipykernel.debugger",
    "matplotlib_inline.backend_inline",
    "jupyter_client.session",
    "zmq.eventloop.zmqstream",
    "tornado.platform.asyncio",
    "tornado.queues",
    "autograder.checks",
    "autograder.kernels.examiner",
    "autograder.rooms.examiner",
    "autograder.rooms.student",
    # A traceback of a student's cell: the first one would import all of these.
    "stack_data",
    "pygments.formatters.terminal256",
    "pygments.styles.default",
    "secrets",
)
# Imported late by these libraries, at the first use in each room; none starts a thread.
LATE = {
    "numpy": ("numpy.random",),
    "tensorflow": tuple(
        f"tensorflow.python.data.ops.{name}_op"
        for name in ("concatenate", "flat_map", "from_tensors", "range", "zip")
    ),
}
_POLL_SECONDS = 1.0
# Soft and hard limit of open files before the forkserver raised its own; set by it.
ORDINARY_DESCRIPTORS: tuple[int, int] | None = None
_READY = b"r"
_MOST_WORDS = 500  # characters of a problem
_LEASH = 3  # descriptor of the line to the forkserver, in every child


def prepare() -> None:
    """Bring the forkserver into the state that children start from. Called once, before imports."""
    # IPython looks for a debugger at each start; there is none to attach here.
    sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]


def enter(
    leash: int,
    descriptors: list[int],
    *,
    staging: str,
    limits: Limits,
    sandboxed: bool,
    group: Group | None = None,
) -> int:
    """Become a room. Runs in the forked child; the return value is its exit code.

    Parameters
    ----------
    leash : int
        Socket to the forkserver: news go there, ``i`` for an interrupt comes from there, and its
        end is the end of the room.
    descriptors : list of int
        The first holds the settings of the room as JSON; the others are its own, in the order in
        which its role expects them.
    staging : str
        Empty folder for the new root.
    limits : Limits
        What the room may use.
    sandboxed : bool
        False for a warm kernel without walls.
    group : Group, optional
        Control group of the room.
    """
    line: socket.socket | None = None
    walls = False
    try:
        kept = _leave_forkserver(leash, descriptors)
        line = socket.socket(fileno=_LEASH)
        settings = _settle(kept.pop(0))
        if not sandboxed:
            line.send(json.dumps({"pid": os.getpid()}).encode())
            return _live(settings, kept, line)
        walls = True
        if group is not None:
            group.enter()
        sandbox.enter_namespaces()
        first = os.fork()
        if first:
            line.send(json.dumps({"pid": first}).encode())
            return 0
        return _be_first(settings, kept, line, staging=staging, limits=limits)
    except BaseException as error:
        for descriptor in (_LEASH, leash):  # before and after the move
            with contextlib.suppress(OSError):
                told = line or socket.socket(fileno=descriptor)
                told.send(_problem(error, walls=walls))
                break
        return 1


def _problem(error: BaseException, *, walls: bool) -> bytes:
    """What is told to the forkserver; `walls` if it was the sandbox that could not be made."""
    text = f"{type(error).__name__}: {error}"[:_MOST_WORDS]
    return json.dumps({"problem": text, "walls": walls and isinstance(error, OSError)}).encode()


def _leave_forkserver(leash: int, descriptors: list[int]) -> list[int]:
    """Close every descriptor that is not this child's; return where its own lie now."""
    os.setsid()
    # First out of the way: one of them may lie where another one has to go.
    above = _LEASH + len(descriptors) + 1
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, above) for descriptor in (leash, *descriptors)]
    for place, descriptor in enumerate(moved):
        os.dup2(descriptor, _LEASH + place, inheritable=False)
    for name in os.listdir("/proc/self/fd"):
        if int(name) >= above:
            with contextlib.suppress(OSError):
                os.close(int(name))
    if ORDINARY_DESCRIPTORS is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, ORDINARY_DESCRIPTORS)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # until now the forkserver's own lifeline
    os.close(null)
    return [_LEASH + 1 + place for place in range(len(descriptors))]


def _settle(descriptor: int) -> dict[str, Any]:
    """Read the settings, and take on what they say."""
    with os.fdopen(descriptor, encoding="utf-8") as file:
        file.seek(0)
        settings = json.load(file)
    os.environ.clear()
    os.environ.update(settings["environment"])
    if settings["role"] == "kernel":
        # An ordinary kernel would have found these by itself.
        more = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [path for path in more if path and path not in sys.path]
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    linux.name_process(f"ag-{settings['role']}")
    return settings


def _be_first(
    settings: dict[str, Any],
    kept: list[int],
    line: socket.socket,
    *,
    staging: str,
    limits: Limits,
) -> int:
    """Process 1 of the room."""
    linux.name_process("ag-first")
    # Of the same user as the kernel, on an ordinary start: nobody may look into our memory.
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    uid = sandbox.room_uid()
    door = settings.get("door")
    if door and os.geteuid() == 0:
        for place in (door, *(os.path.join(door, name) for name in os.listdir(door))):
            os.chown(place, uid, sandbox.uid_group(uid))
    sandbox.build_root(staging, uid=uid, limits=limits, shown=settings["shown"], door=door)
    told, tell = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kernel = os.fork()
    if kernel == 0:
        linux.name_process(f"ag-{settings['role']}")
        told.close()
        line.close()
        walls = False
        try:
            _unpack(settings, uid, limits)
            walls = True
            sandbox.close_in(limits, uid, door)
            walls = False
            return _live(settings, kept, None, ready=tell)
        except BaseException as error:
            with contextlib.suppress(OSError):  # closed, once the kernel runs
                tell.send(_problem(error, walls=walls))
            return 1
    tell.close()
    for descriptor in kept:
        os.close(descriptor)
    settings.clear()
    # Until the sockets are there. No foreign code has run yet, and none runs before our answer.
    select.select([told, line], [], [])
    if select.select([told], [], [], 0)[0]:
        word = told.recv(2 * _MOST_WORDS)
        if word == _READY:
            if door:
                sandbox.close_door(door)  # from here on the room can write to nothing outside it
            # Foreign code must not find rights here either, should it ever get hold of us.
            sandbox.drop_rights(uid)
            linux.prctl(linux.PR_SET_DUMPABLE, 0)
            told.send(_READY)
        elif word:
            line.send(word)
    told.close()
    return _reap(kernel, line)


def _reap(kernel: int, line: socket.socket) -> int:
    """Wait for the kernel, bury orphans, hand interrupts on; end with the forkserver."""
    watched = os.pidfd_open(kernel)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(line, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll(_POLL_SECONDS * 1000):
            if descriptor == line.fileno():
                word = line.recv(16)
                if not word:
                    return 0
                with contextlib.suppress(ProcessLookupError):
                    os.kill(kernel, signal.SIGINT)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 0
            if pid == 0:
                break
            if pid == kernel:
                code = os.waitstatus_to_exitcode(status)
                line.send(json.dumps({"status": code}).encode())
                return 0


def _unpack(settings: dict[str, Any], uid: int, limits: Limits) -> None:
    """Put the files of the submission into the room's work folder."""
    gid = sandbox.uid_group(uid)
    os.makedirs(WORK, exist_ok=True)
    os.chown(WORK, uid, gid)
    try:
        for name, text in settings.get("files", {}).items():
            path = os.path.normpath(os.path.join(WORK, name))
            if not path.startswith(WORK + "/"):
                raise ValueError(f"a file of the submission lies outside its folder: {name!r}")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(base64.b64decode(text))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        most = f"{limits.scratch_mb} MB that a room has for files"
        raise ValueError(f"the submission is larger than the {most}") from None
    if os.geteuid() == 0:
        for folder, folders, files in os.walk(WORK):
            for name in (*folders, *files):
                os.chown(os.path.join(folder, name), uid, gid)
    os.chdir(WORK)


def _live(
    settings: dict[str, Any],
    kept: list[int],
    line: socket.socket | None,
    ready: socket.socket | None = None,
) -> int:
    """Run the kernel, or the examiner, until it ends."""

    def say_ready() -> None:
        """Tell process 1, and wait until it has closed the door."""
        if ready is not None:
            ready.send(_READY)
            if ready.recv(16) != _READY:
                os._exit(1)
            ready.close()

    if line is not None:  # no sandbox: this process is a child of the forkserver
        _end_with(line)
        os.chdir(settings["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if settings["role"] == "examiner":
        from autograder.kernels.examiner import examine_until_closed

        say_ready()
        return examine_until_closed(kept[0], kept[1])
    if settings["role"] == "probe":
        from autograder.kernels.probe import probe

        say_ready()
        return probe(settings["probe"], kept[0])
    return _run_kernel(settings, say_ready)


def _end_with(line: socket.socket) -> None:
    """Without a process 1: hand interrupts on, and end when the forkserver is gone."""
    import threading

    def listen() -> None:
        while True:
            try:
                word = line.recv(16)
            except OSError:
                word = b""
            os.kill(os.getpid(), signal.SIGINT if word else signal.SIGKILL)

    threading.Thread(target=listen, daemon=True).start()


def _run_kernel(settings: dict[str, Any], say_ready: Any) -> int:
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(settings["arguments"])
    if "matplotlib_inline.backend_inline" in sys.modules:
        # Imported before there was a shell to draw for.
        sys.modules["matplotlib_inline.backend_inline"]._enable_matplotlib_integration()
    if settings.get("submission"):
        # What was handed in can be imported, but takes the place of no library.
        sys.path.append(os.getcwd())
    say_ready()
    app.start()
    return 0
