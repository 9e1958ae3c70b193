"""What code in a room can touch, and what it cannot."""

import json
import os
import socket
from pathlib import Path

import pytest

from autograder.kernels import landlock, room_paths
from autograder.kernels.probe import check_sandbox
from tests.conftest import ROOT
from tests.kernels.rooms import Room, living, until

NOBODY = 65_534
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def room(server):
    with Room(server) as room:
        yield room


def value(room, expression, before=""):
    """Evaluate an expression in a room; what it gives must be JSON."""
    printed, error = room.run(f"import json, os\n{before}\nprint(json.dumps({expression}))")
    assert not error, error
    return json.loads(printed)


def refusal(room, source):
    """Name of the error that a line ends with; empty if it went through."""
    return room.run(f"import os, socket\n{source}")[1]


# -- what an honest notebook needs is there


def test_files_can_be_written_where_they_belong(room):
    source = (
        "from pathlib import Path\n"
        "Path('sub').mkdir()\n"
        "Path('sub/a').write_text('kept')\n"
        "os.rename('sub/a', 'b')\n"  # from one folder to another
        "Path('/tmp/c').write_text('also')\n"
        "Path(os.path.expanduser('~/d')).write_text('here')\n"
    )
    assert value(room, "[os.getcwd(), Path('b').read_text()]", source) == [
        "/home/student/work", "kept",
    ]  # fmt: skip


def test_libraries_threads_and_processes_work(room):
    source = """
import subprocess, sys, threading, multiprocessing
done = []
thread = threading.Thread(target=lambda: done.append("thread")); thread.start(); thread.join()
done.append(subprocess.run(["echo", "shell"], capture_output=True, text=True).stdout.strip())
with multiprocessing.get_context("fork").Pool(2) as pool:
    done.append(sum(pool.map(abs, [-1, -2])))
import numpy
done.append(float(numpy.ones((300, 300)).dot(numpy.ones((300, 300)))[0, 0]))
"""
    assert value(room, "done", source) == ["thread", "shell", 3, 300.0]


def test_a_server_of_its_own_is_reached_inside_the_room(room):
    source = (
        "import socket\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "with socket.create_connection(listener.getsockname(), 2) as line:\n"
        "    port = line.getpeername()[1]\n"
    )
    assert value(room, "port > 0", source)


def test_files_of_a_submission_are_in_its_folder(server):
    import base64

    files = {"deep/data.txt": base64.b64encode(b"mine").decode()}
    with Room(server, files=files) as room:
        assert value(room, "open('deep/data.txt').read()") == "mine"
        assert value(room, "os.stat('deep/data.txt').st_uid == os.getuid()")


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b"])
def test_files_of_a_submission_stay_in_its_folder(server, name):
    with Room(server, files={name: ""}) as room:
        room.process.wait(10)
        assert "lies outside its folder" in room.process.problem


# -- what it must not see or change


def test_nothing_of_the_machine_is_there(server):
    with Room(server) as room:  # of its own: other tests leave folders in the one they share
        assert set(value(room, "os.listdir('/')")) <= {
            *("bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "opt", "proc"),
            *("sbin", "tmp", "usr"),
            *(Path(shown).parts[1] for shown in room_paths.read_only_paths()),
        }
        # IPython makes its folder when it first needs one, sooner or later than this cell.
        assert set(value(room, "os.listdir('/home/student')")) - {".ipython"} == {"work"}
        assert value(room, "os.listdir('/etc')") != os.listdir("/etc")


@pytest.mark.parametrize("place", ["gradebook.db", ".ssh/id_ed25519", "solutions/answers.py"])
def test_files_of_the_machine_cannot_be_read(room, tmp_path, place):
    secret = tmp_path / place
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("secret")
    secret.chmod(0o644)
    assert refusal(room, f"open({str(secret)!r}).read()") == "FileNotFoundError"
    assert refusal(room, f"open('/proc/1/root{secret}').read()") in (
        "PermissionError", "FileNotFoundError",
    )  # fmt: skip


def test_the_checkout_is_not_there(room):
    if str(ROOT).startswith(tuple(path + "/" for path in room_paths.read_only_paths())):
        pytest.fail("the environment must not contain the checkout")
    assert refusal(room, f"os.listdir({str(ROOT / 'solutions')!r})") == "FileNotFoundError"


def test_a_folder_that_rooms_would_see_is_named(tmp_path):
    library = Path(room_paths.read_only_paths()[0])
    assert room_paths.exposed(library / "course") == str(library)
    assert room_paths.exposed(tmp_path) is None
    assert room_paths.exposed(tmp_path / "gradebook.db", extra=(str(tmp_path),)) == str(tmp_path)


@pytest.mark.parametrize("path", ["/x", "/usr/x", "/etc/x", "/home/x", "/proc/sys/kernel/hostname"])
def test_nothing_outside_its_own_folders_can_be_written(room, path):
    assert refusal(room, f"open({path!r}, 'w').write('x')") in ("OSError", "PermissionError")


def test_the_python_environment_cannot_be_changed(room):
    for change in ("open(numpy.__file__, 'a')", "os.chmod(numpy.__file__, 0o777)"):
        assert refusal(room, f"import numpy, os; {change}") in ("OSError", "PermissionError")


def test_no_network(room):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        connect = f"socket.create_connection(('127.0.0.1', {port}), 2)"
        assert refusal(room, connect) == "ConnectionRefusedError"
    assert refusal(room, "socket.create_connection(('192.0.2.1', 80), 2)") == "OSError"
    # Kinds of sockets with which the system itself is spoken to.
    assert refusal(room, "socket.socket(16, socket.SOCK_RAW)") == "OSError"
    assert refusal(room, "socket.socket(17, socket.SOCK_RAW)") == "OSError"


def test_no_abstract_socket_of_the_machine(room):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0test-of-rooms")
        listener.listen()
        assert refusal(
            room, "socket.socket(socket.AF_UNIX).connect('\\0test-of-rooms')"
        ) in ("ConnectionRefusedError", "PermissionError")  # fmt: skip


def test_no_environment_of_the_starter(server, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    with Room(server) as room:
        assert "SECRET_TOKEN" not in value(room, "dict(os.environ)")
        seen = "open('/proc/self/environ').read() + open('/proc/self/cmdline').read()"
        assert "secret" not in value(room, seen)


def test_no_rights_and_no_way_to_any(room):
    status = value(room, "open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    uids = {int(word) for word in fields["Uid"].split()}
    assert uids != {0}
    assert len(uids) == 1


@pytest.mark.parametrize(
    "call",
    [
        "os.unshare(0x10000000)",
        "os.setuid(0)",
        "os.chroot('/tmp')",
        "os.memfd_create('hidden')",
        "os.readlink('/proc/1/exe')",
        "os.readlink('/proc/1/cwd')",
        "open('/proc/1/mem', 'rb')",
        "open('/proc/1/environ').read()",
        "os.listdir('/proc/1/fd')",
        "os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0))",
        "os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000')",
        "open('/dev/mem', 'rb')",
    ],
)
def test_ways_out_are_closed(room, call):
    printed, error = room.run(f"import os\nprint({call})")
    assert error in ("PermissionError", "OSError", "FileNotFoundError", "AttributeError"), printed


@pytest.mark.parametrize(
    ("name", "numbers", "arguments"),
    [
        ("ptrace", (101, 117), "0, 0, 0, 0"),
        ("process_vm_readv", (310, 270), "1, 0, 0, 0, 0, 0"),
        ("bpf", (321, 280), "0, 0, 0"),
        ("io_uring_setup", (425, 425), "8, 0"),
        ("userfaultfd", (323, 282), "0"),
        ("add_key", (248, 217), "0, 0, 0, 0, 0"),
        ("shmget", (29, 194), "0, 4096, 512"),
        ("clone into a namespace", (56, 220), "0x10000011, 0, 0, 0, 0"),
    ],
)
def test_system_calls_that_are_denied(room, name, numbers, arguments):
    import platform

    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("the system calls of this processor are not known")
    number = numbers[platform.machine() == "aarch64"]
    source = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"answer = [libc.syscall({number}, {arguments}), ctypes.get_errno()]"
    )
    answer, error = value(room, "answer", source)
    assert answer == -1, f"{name} went through"
    assert error == 1, os.strerror(error)


def test_only_its_own_processes_are_there(room, server):
    numbers = [int(name) for name in value(room, "os.listdir('/proc')") if name.isdigit()]
    assert max(numbers) < server.pid or len(numbers) < 10
    assert refusal(room, f"os.kill({os.getpid()}, 0)") == "ProcessLookupError"
    assert refusal(room, f"os.kill({server.pid}, 0)") == "ProcessLookupError"


def test_nothing_that_the_forkserver_holds_is_open(room, server):
    assert living(server)  # another room, whose sockets the forkserver has
    source = (
        "seen = []\n"
        "for name in os.listdir('/proc/self/fd'):\n"
        "    try:\n"
        "        seen.append([int(name), os.readlink(f'/proc/self/fd/{name}')])\n"
        "    except OSError:\n"
        "        pass\n"
    )
    with Room(server) as fresh:
        opened = dict(value(fresh, "seen", source))
    for number in (0, 1, 2):
        assert opened.pop(number) == "/dev/null"
    # Its control socket, its link, and the folder that was just listed.
    sockets = [number for number, what in opened.items() if what.startswith("socket:")]
    assert sockets == [5, 6]
    left = {what for number, what in opened.items() if number not in sockets}
    assert all(what.startswith(("/proc/", "/tmp/", "/home/student")) for what in left), left


def test_siblings_are_strangers(server):
    with Room(server) as one, Room(server) as other:
        uids = [value(room, "os.getuid()") for room in (one, other)]
        if os.geteuid() == 0:
            assert len(set(uids)) == 2 or set(uids) == {NOBODY}
            assert 0 not in uids
        value(one, "open('/tmp/mark', 'w').write('mine')")
        value(one, "open('/dev/shm/mark', 'w').write('mine')")
        for path in ("/tmp/mark", "/dev/shm/mark"):
            assert refusal(other, f"open({path!r})") == "FileNotFoundError"
        mine = "int(open('/proc/self/stat').read().split()[0])"
        # The same numbers in both rooms: each has a world of its own.
        assert value(one, mine) == value(other, mine)


def test_the_forkservers_socket_is_out_of_reach(room, server):
    path = server.folder / "forkserver"
    assert path.is_socket()
    connect = f"socket.socket(socket.AF_UNIX, 5).connect({str(path)!r})"
    assert refusal(room, connect) in ("FileNotFoundError", "PermissionError")
    assert refusal(room, f"os.listdir({str(server.folder)!r})") == "FileNotFoundError"


def test_landlock_stands_behind_the_mounts(room):
    if landlock.version() < landlock.LOWEST:
        pytest.skip("this system has no Landlock")
    # A file system that would allow it: only Landlock does not.
    name = "open('/proc/self/comm', 'w').write('renamed')"
    assert refusal(room, name) == "PermissionError"


def test_background_processes_end_with_their_room(own_server):
    with Room(own_server) as room:
        source = (
            "import subprocess, os\n"
            "for _ in range(3):\n"
            "    subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
            "if os.fork() == 0:\n"
            "    if os.fork() == 0:\n"
            "        os.setsid(); os.execv('/bin/sleep', ['sleep', '600'])\n"
            "    os._exit(0)\n"
        )
        assert not refusal(room, source)
        inside = living(own_server)
        assert len(inside) >= 6
    assert until(lambda: not living(own_server))
    assert not any(os.path.exists(f"/proc/{pid}") for pid in inside)


def test_what_the_machine_enforces_is_told():
    found = check_sandbox()
    assert [finding for finding in found if finding.needed and not finding.held] == []
    assert {"network", "memory limit", "Landlock, a second wall"} <= {it.what for it in found}


def test_a_wall_that_is_missing_is_told(monkeypatch):
    """The check above can fail: a room whose filter is not installed is found."""
    from autograder.kernels import probe

    asked = probe._ask

    def ask(*arguments):
        answers = asked(*arguments)
        return [[what, held and what != "network", detail] for what, held, detail in answers]

    monkeypatch.setattr(probe, "_ask", ask)
    assert [finding.what for finding in check_sandbox() if finding.needed and not finding.held] == [
        "network"
    ]
