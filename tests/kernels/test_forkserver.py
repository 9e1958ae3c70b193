"""What goes wrong around rooms: who dies, what is full, who goes away; nothing must be left."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.kernels import client, forkserver
from autograder.kernels.client import Forkserver, KernelError, RoomProcess
from autograder.kernels.limits import Limits
from autograder.kernels.sharing import shared_forkserver
from tests.conftest import ROOT
from tests.kernels.rooms import Room, control_groups, descriptors, living, settings, until

pytestmark = pytest.mark.timeout(120)


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def nothing_left(server):
    return until(lambda: not living(server) and not control_groups(server))


# -- who dies


def test_a_room_ends_when_its_owner_closes_it(own_server):
    with Room(own_server) as room:
        assert room.run("print(1)") == ("1", "")
        assert room.process.poll() is None
    assert room.process.exit_code is not None
    assert nothing_left(own_server)


def test_a_room_ends_when_its_owner_forgets_it(own_server):
    room = Room(own_server)
    # Process 1 makes the kernel a moment after it has been told of itself.
    assert until(lambda: len(living(own_server)) == 2)
    del room
    assert nothing_left(own_server)


@pytest.mark.parametrize(
    ("source", "code"),
    [("import os; os._exit(7)", 7), ("import os; os.kill(os.getpid(), 11)", -11)],
)
def test_a_room_that_dies_tells_how(own_server, source, code):
    with Room(own_server) as room:
        assert room.run(source) == (None, "lost")
        assert room.process.wait(5) == code
        assert room.process.exceeded is None
    assert nothing_left(own_server)


def test_the_forkserver_dies(own_server):
    room = Room(own_server)
    inside, before, folder = living(own_server), own_server.pid, own_server.folder
    room.run("import subprocess; subprocess.Popen(['sleep', '600'])")
    inside = living(own_server)
    assert len(inside) == 3
    os.kill(before, signal.SIGKILL)
    assert room.process.wait(5) == -9
    assert room.process.problem == "the forkserver died"
    assert until(lambda: not any(alive(pid) for pid in inside))
    # The next one who asks gets a new one.
    with Room(own_server) as fresh:
        assert fresh.run("print(2)") == ("2", "")
        assert own_server.pid != before
        assert not folder.exists()
    room.process.close()


def test_the_forkserver_dies_between_start_and_fork(own_server, monkeypatch):
    start = own_server.start
    killed = []

    def start_and_kill():
        start()
        if not killed:
            killed.append(own_server.pid)
            os.kill(own_server.pid, signal.SIGKILL)
            own_server._process.wait(5)

    monkeypatch.setattr(own_server, "start", start_and_kill)
    with Room(own_server) as room:
        assert room.run("print(3)") == ("3", "")
    assert own_server.pid not in killed


def test_a_stopped_forkserver_does_not_stop_its_client(own_server, monkeypatch):
    monkeypatch.setattr(client, "FORK_SECONDS", 0.5)
    pid = own_server.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(KernelError, match=r"within 0\.5 s"):
            Room(own_server)
    finally:
        os.kill(pid, signal.SIGCONT)
    with Room(own_server) as room:
        assert room.run("print(4)") == ("4", "")
    assert nothing_left(own_server)


STARTER = """\
import os, sys, time
from pathlib import Path
from autograder.kernels.client import Forkserver
from tests.kernels.rooms import Room, living
server = Forkserver(preload=("time",), folder=Path(sys.argv[1]))
print("starting", flush=True)
server.start()
room = Room(server)
room.run("import subprocess; subprocess.Popen(['sleep', '600'])")
print(server.pid, *living(server), flush=True)
time.sleep(60)
"""


@contextlib.contextmanager
def starter(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "starting\n", process.stderr.read()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_starter_dies(tmp_path, how):
    with starter(tmp_path) as process:
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 4
        process.send_signal(how)
        process.wait(10)
    assert until(lambda: not any(alive(pid) for pid in pids))
    assert until(lambda: not list(tmp_path.iterdir()))


def test_ctrl_c_while_the_forkserver_starts(tmp_path):
    with starter(tmp_path) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        assert until(lambda: children.read_text().split())
        pids = [int(word) for word in children.read_text().split()]
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert "KeyboardInterrupt" in process.stderr.read()
    assert until(lambda: not any(alive(pid) for pid in pids))
    assert until(lambda: not list(tmp_path.iterdir()))


# -- who goes away


def ask(server, request, files=()):
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect(str(server.folder / "forkserver"))
    socket.send_fds(
        line, [request if isinstance(request, bytes) else json.dumps(request).encode()], files
    )
    return line


def fork_request(server, wait=0.0):
    """Ask for a room the way a client does, wait a little, and go away."""
    sealed = os.memfd_create("settings")
    os.write(sealed, json.dumps(settings("examiner")).encode())
    limits = {}
    line = ask(server, {"do": "fork", "sandbox": True, "limits": limits}, [sealed])
    os.close(sealed)
    time.sleep(wait)
    line.close()


def test_clients_that_go_away_midway(own_server):
    before = descriptors(own_server.pid)
    for number in range(30):
        fork_request(own_server, wait=0.004 * number)
    assert nothing_left(own_server)
    assert until(lambda: descriptors(own_server.pid) == before)
    with Room(own_server) as room:
        assert room.run("print(5)") == ("5", "")


def test_an_interrupted_fork_leaves_nothing(own_server, monkeypatch):
    before = len(os.listdir("/proc/self/fd"))

    def interrupted(room, seconds):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RoomProcess, "_begin", interrupted)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                own_server.fork(settings("examiner"))
    assert nothing_left(own_server)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    "request_",
    [
        b"", b"no json", b"[]", b"null", b'{"do": 7}', b'{"do": "fork"}', b"\xff" * 60_000,
        b'{"do": "fork", "sandbox": true, "limits": {"memory_mb": "much"}}',
        b'{"do": "fork", "sandbox": true, "limits": {"wings": 2}}',
        b'{"do": "fork", "sandbox": true, "limits": {}}',  # and no settings
        b'{"do": "interrupt"}', b'{"do": "kill"}', b'{"do": "usage"}', b'{"do": "cell"}',
    ],
)  # fmt: skip
def test_nonsense_does_not_stop_the_forkserver(own_server, request_):
    pid = own_server.pid
    line = ask(own_server, request_)
    with Room(own_server) as room:
        assert room.run("print(6)") == ("6", "")
    line.close()
    assert own_server.pid == pid
    assert nothing_left(own_server)


def test_a_client_that_never_reads_stops_nobody(own_server):
    lazy = ask(own_server, b"nonsense")
    lazy.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(20_000):
            lazy.send(b"nonsense")
    with Room(own_server) as room:
        assert room.run("print(7)") == ("7", "")
    lazy.close()


def test_the_problem_of_a_room_is_told_at_once(own_server, monkeypatch):
    started = time.monotonic()
    with pytest.raises(KernelError, match="Limits"):
        own_server.fork(settings("examiner"), limits=_NoLimits(wings=2))
    with pytest.raises(KernelError, match=r"JSONDecodeError|KeyError"):
        own_server.fork({})
    assert time.monotonic() - started < client.FORK_SECONDS / 2


class _NoLimits:
    def __new__(cls, **fields):
        import dataclasses

        return dataclasses.make_dataclass("NoLimits", fields)(**fields)


def test_a_machine_without_namespaces_is_told(own_server):
    """A folder that is to be shown and is not there stands for a mount that is refused."""
    room = own_server.fork({**settings("examiner"), "shown": ["/no such folder"]})
    room.wait(10)
    assert "--check-sandbox" in room.problem
    assert "--no-sandbox" in room.problem
    room.close()


def test_news_of_many_rooms_that_come_together(own_server):
    """The first of a batch may end a room; others then speak of sockets that are closed."""
    pid = own_server.pid

    def work(number):
        for turn in range(8):
            with Room(own_server) as room:
                if (number + turn) % 3 == 0:
                    os.kill(room.process.pid, signal.SIGKILL)
                elif (number + turn) % 3 == 1:
                    room.send("import os; os._exit(3)")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert own_server.pid == pid
    assert nothing_left(own_server)


# -- many


def test_ten_at_once(own_server):
    def work(number):
        with Room(own_server) as room:
            return room.run(f"import time; time.sleep(0.2); print({number} ** 2)")

    before = descriptors(own_server.pid)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(work, range(10)))
    assert answers == [(str(number**2), "") for number in range(10)]
    assert nothing_left(own_server)
    assert until(lambda: descriptors(own_server.pid) == before)


def test_descriptors_of_high_numbers(own_server):
    """With many clients a room's own descriptors lie anywhere."""
    waiting = [ask(own_server, b"{}") for _ in range(260)]
    assert until(lambda: descriptors(own_server.pid) > 260)
    try:
        with Room(own_server) as room:
            assert room.run("import os; print(len(os.listdir('/proc/self/fd')) < 20)")[0] == "True"
    finally:
        for line in waiting:
            line.close()


def test_a_client_with_many_descriptors(own_server):
    """More than ``select`` could name."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2000:
        pytest.skip("this process may not open enough files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    many = [os.open(os.devnull, os.O_RDONLY) for _ in range(1200)]
    try:
        with Room(own_server) as room:
            assert room.run("print(8)") == ("8", "")
    finally:
        for descriptor in many:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# -- what is full, or in the way


@pytest.fixture
def small_disk(tmp_path):
    """A disk with room for a handful of files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=8", "none", str(disk)],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("may not mount a small disk here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk):
    with contextlib.suppress(OSError):
        for number in range(100):
            (disk / f"full{number}").touch()


def test_no_space_for_a_forkserver(small_disk):
    fill(small_disk)
    with pytest.raises(KernelError, match=r"no folder for kernels .*No space left.*TMPDIR"):
        Forkserver(preload=(), folder=small_disk).start()


def test_no_space_for_the_forkservers_socket(small_disk):
    for number in range(5):
        (small_disk / f"full{number}").touch()
    server = Forkserver(preload=(), folder=small_disk)
    with pytest.raises(KernelError, match=r"did not start: .*No space left.*TMPDIR"):
        server.start()
    assert server.pid is None
    assert not list(small_disk.glob("ag-*"))


def test_no_space_for_a_kernel(small_disk):
    server = Forkserver(preload=(), folder=small_disk)
    server.start()
    try:
        fill(small_disk)
        with pytest.raises(KernelError, match=r"no folder for a kernel .*No space left.*TMPDIR"):
            server.new_folder()
        # A room without sockets needs none.
        with Room(server) as room:
            assert room.run("print(9)") == ("9", "")
    finally:
        server.stop()


def test_folders_that_nobody_owns_any_more_are_removed(tmp_path):
    dead, foreign, pipe = (tmp_path / f"ag-{name}" for name in ("dead", "foreign", "pipe"))
    for folder in (dead, foreign, pipe):
        folder.mkdir(mode=0o700)
    (dead / "lock").touch()
    (dead / "k1").mkdir()
    (foreign / "notes").touch()  # named like ours by chance
    os.mkfifo(pipe / "lock")  # opening it would wait for ever
    server, other = (Forkserver(preload=(), folder=tmp_path) for _ in range(2))
    server.start()
    other.start()
    try:
        assert not dead.exists()
        assert foreign.exists()
        assert pipe.exists()
        assert server.folder.exists()  # its lock is held
    finally:
        server.stop()
        other.stop()
    assert {path.name for path in tmp_path.iterdir()} == {"ag-foreign", "ag-pipe"}


def test_modules_that_cannot_be_imported_are_named(tmp_path):
    server = Forkserver(preload=("json", "no_such_module_here"), folder=tmp_path)
    server.start()
    assert server.failed == [
        "no_such_module_here (ModuleNotFoundError: No module named 'no_such_module_here')"
    ]
    server.stop()


def test_a_module_that_ends_the_process(tmp_path, monkeypatch):
    (tmp_path / "needs_a_card.py").write_text("raise SystemExit('no card')")
    monkeypatch.syspath_prepend(tmp_path)
    assert forkserver._preload(["json", "needs_a_card"]) == ["needs_a_card (SystemExit: no card)"]


def test_a_module_that_greets_is_no_answer(tmp_path):
    server = Forkserver(preload=("this",), folder=tmp_path)  # prints when it is imported
    server.start()
    assert server.failed == []
    server.stop()


def test_what_the_forkserver_shows_of_the_starter(own_server, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    own_server.stop()
    own_server.start()
    environment = Path(f"/proc/{own_server.pid}/environ").read_text()
    assert "SECRET_TOKEN" not in environment
    assert (own_server.folder.stat().st_mode & 0o077) == 0


def test_stopping_is_final_and_clean(tmp_path):
    server = Forkserver(preload=(), folder=tmp_path)
    server.start()
    room = Room(server)
    pid, inside = server.pid, living(server)
    server.stop()
    assert not any(alive(number) for number in (pid, *inside))
    assert room.process.poll() is not None
    assert not list(tmp_path.iterdir())
    room.process.close()


def test_one_forkserver_for_a_list_of_modules():
    assert shared_forkserver(("json",)) is shared_forkserver(["json"])
    assert shared_forkserver(("json",)) is not shared_forkserver(("csv",))


def test_a_room_without_walls_is_watched_and_ended_as_well(own_server, tmp_path):
    line, theirs = socket.socketpair()
    link, other = socket.socketpair()
    with theirs, link, other:
        room = own_server.fork(
            {**settings("examiner"), "folder": str(tmp_path)},
            sandboxed=False, limits=Limits(),
            descriptors=(theirs.fileno(), link.fileno()),
        )  # fmt: skip
    from autograder.kernels import examiner

    examiner.send(
        line, {"kind": "x", "source": "import subprocess, os; subprocess.Popen(['sleep', '600'])"}
    )
    assert select.select([line], [], [], 20)[0]
    inside = living(own_server)
    assert len(inside) == 2
    room.kill()
    assert room.wait(5) is not None
    room.close()
    line.close()
    assert until(lambda: not any(alive(pid) for pid in inside))
