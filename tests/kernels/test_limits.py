"""A room that takes too much: which limit ends it is told, and nothing else suffers."""

import os
import time

import pytest

from autograder.kernels import cgroups, watchdog
from autograder.kernels.limits import Limits
from tests.kernels.rooms import Room, control_groups, until

pytestmark = pytest.mark.timeout(120)
MEGABYTE = 1_000_000


def ended(room, seconds=60):
    """Which limit ended the room."""
    room.process.wait(seconds)
    assert room.process.exit_code is not None, "it still lives"
    return room.process.exceeded


HOARD = "import time\nhoard = []\nfor _ in range({steps}):\n    hoard.append(b'x' * 20_000_000)\n"


def test_memory(server):
    with Room(server, limits=Limits(memory_mb=200)) as room:
        room.send(HOARD.format(steps=200) + "time.sleep(20)")
        assert ended(room) == {"limit": "memory", "value": 200, "unit": "MB"}


def test_memory_below_the_limit_is_nobodys_business(server):
    with Room(server, limits=Limits(memory_mb=500)) as room:
        printed, error = room.run(HOARD.format(steps=10) + "time.sleep(0.5)\nprint('done')")
        assert (printed, error) == ("done", "")
        assert 150 < room.process.usage()["peak_memory_mb"] < 400


def test_memory_of_all_processes_together(server):
    source = (
        "import os, time\n"
        "for _ in range(6):\n"
        "    if os.fork() == 0:\n"
        "        hoard = b'x' * 80_000_000\n"
        "        time.sleep(30)\n"
        "        os._exit(0)\n"
        "time.sleep(30)\n"
    )
    with Room(server, limits=Limits(memory_mb=300)) as room:
        room.send(source)
        assert ended(room) == {"limit": "memory", "value": 300, "unit": "MB"}


def test_memory_of_programs_started_afresh(server):
    """They have none of the pages that a fork has: nothing is to be taken off for those."""
    source = (
        "import subprocess, sys, time\n"
        "program = 'hoard = b\"x\" * 60_000_000\\nimport time; time.sleep(30)'\n"
        "many = [subprocess.Popen([sys.executable, '-c', program]) for _ in range(8)]\n"
        "time.sleep(30)\n"
    )
    with Room(server, limits=Limits(memory_mb=300)) as room:
        room.send(source)
        assert ended(room) == {"limit": "memory", "value": 300, "unit": "MB"}


@pytest.mark.parametrize("forget", ["", "block.madvise(mmap.MADV_DONTNEED)"])
def test_memory_that_processes_share(server, forget):
    """Its pages stay, also when no process has them in its tables any more."""
    source = (
        "import mmap, time\n"
        "block = mmap.mmap(-1, 400_000_000)\n"
        "for start in range(0, 400_000_000, 4096):\n"
        "    block[start] = 1\n"
        f"    if start % 40_960_000 == 0:\n        {forget or 'pass'}\n"
        "time.sleep(30)\n"
    )
    with Room(server, limits=Limits(memory_mb=200)) as room:
        room.send(source)
        assert ended(room) == {"limit": "memory", "value": 200, "unit": "MB"}


def test_a_burst_of_memory_is_stopped_by_the_system_with_the_same_words(server):
    if not cgroups.Places().usable():
        pytest.skip("no control groups can be made here")
    # Far more than the watchdog would notice in time.
    source = (
        "import mmap\n"
        "block = mmap.mmap(-1, 1_500_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS"
        " | getattr(mmap, 'MAP_POPULATE', 0))\n"
        "import time; time.sleep(30)\n"
    )
    with Room(server, limits=Limits(memory_mb=200, scratch_mb=20)) as room:
        room.send(source)
        assert ended(room) == {"limit": "memory", "value": 200, "unit": "MB"}
    assert until(lambda: not control_groups(server))


def test_the_system_alone_would_do():
    """The watchdog sees nothing here; what the control group counted is believed."""

    class Group:
        def ran_out_of_memory(self):
            return True

        def processor_seconds(self):
            return 0.0

    watch = watchdog.Watch(Limits(memory_mb=123), Group())
    assert watch.look() == watch.last_look() == {"limit": "memory", "value": 123, "unit": "MB"}


def test_processes(server):
    source = (
        "import os, time\n"
        "while True:\n"
        "    try:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(30)\n"
        "    except OSError:\n"
        "        time.sleep(0.01)\n"
    )
    with Room(server, limits=Limits(processes=20)) as room:
        room.send(source)
        assert ended(room) == {"limit": "processes", "value": 20, "unit": "processes"}


def test_a_fork_bomb(server):
    with Room(server, limits=Limits(processes=20)) as bomb, Room(server) as neighbour:
        bomb.send("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError: pass")
        assert ended(bomb)["limit"] == "processes"
        assert neighbour.run("print('fine')") == ("fine", "")


def test_size_of_a_file(server):
    with Room(server, limits=Limits(file_mb=10)) as room:
        source = "open('big', 'wb').write(b'x' * 20_000_000)"
        assert room.run(source)[1] == "OSError"
        assert room.run("import os; print(os.path.getsize('big'))")[0] == str(10 * MEGABYTE)
        assert room.run("print(1)") == ("1", "")


@pytest.mark.parametrize("folder", ["/home/student/work", "/tmp", "/dev/shm"])
def test_size_of_all_files(server, folder):
    with Room(server, limits=Limits(scratch_mb=10)) as room:
        source = (
            "import errno, os\n"
            "try:\n"
            "    for number in range(100):\n"
            f"        open(f'{folder}/{{number}}', 'wb').write(b'x' * 1_000_000)\n"
            "except OSError as error:\n"
            "    print(number, errno.errorcode[error.errno])\n"
        )
        assert room.run(source)[0] in ("9 ENOSPC", "10 ENOSPC")


def test_number_of_files(server):
    with Room(server) as room:
        source = (
            "import errno, os\n"
            "try:\n"
            "    for number in range(100_000):\n"
            "        os.mknod(f'/tmp/{number}')\n"
            "except OSError as error:\n"
            "    print(number < 30_000, errno.errorcode[error.errno])\n"
        )
        assert room.run(source)[0] == "True ENOSPC"


def test_a_submission_larger_than_its_room(server):
    import base64

    files = {"data.bin": base64.b64encode(bytes(15 * MEGABYTE)).decode()}
    with Room(server, files=files, limits=Limits(scratch_mb=10)) as room:
        room.process.wait(20)
        assert room.process.problem.endswith(
            "the submission is larger than the 10 MB that a room has for files"
        )


BURN = (
    "import time\nuntil = time.process_time() + {seconds}\nwhile time.process_time() < until: pass"
)


def test_processor_time_of_a_cell(server):
    with Room(server, limits=Limits(cell_processor_seconds=1)) as room:
        room.process.begin_cell()
        room.send("while True: pass")
        assert ended(room) == {"limit": "processor time of a cell", "value": 1, "unit": "s"}


def test_processor_time_of_a_cell_begins_anew(server):
    with Room(server, limits=Limits(cell_processor_seconds=1.5)) as room:
        for _ in range(3):
            room.process.begin_cell()
            assert room.run(BURN.format(seconds=0.8)) == ("", "")
        assert 2.0 < room.process.usage()["processor_seconds"] < 8


def test_processor_time_in_all(server):
    limits = Limits(processor_seconds=2, cell_processor_seconds=100)
    with Room(server, limits=limits) as room:
        for _ in range(20):
            room.process.begin_cell()
            if room.run(BURN.format(seconds=0.5))[1] == "lost":
                break
        assert ended(room) == {"limit": "processor time", "value": 2, "unit": "s"}


def test_processor_time_of_processes_that_have_ended(server):
    source = (
        "import os, time\n"
        "while True:\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        until = time.process_time() + 0.4\n"
        "        while time.process_time() < until: pass\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
    )
    with Room(server, limits=Limits(processor_seconds=2)) as room:
        room.send(source)
        assert ended(room)["limit"] == "processor time"


def test_sleeping_costs_nothing(server):
    with Room(server, limits=Limits(cell_processor_seconds=1)) as room:
        room.process.begin_cell()
        assert room.run("import time; time.sleep(1.5); print('awake')") == ("awake", "")


def test_open_files_and_terminals(server):
    with Room(server) as room:
        assert room.run("many = [open('/dev/null') for _ in range(5000)]")[1] == "OSError"
        assert room.run("print(1)") == ("1", "")
        # Terminals are few on a machine, and for all of it.
        assert room.run("import os\nmany = [os.openpty() for _ in range(100)]")[1] == "OSError"


def test_a_stopped_first_process_is_no_way_to_live_on(server):
    with Room(server, limits=Limits(memory_mb=200)) as room:
        room.run("import os, signal; os.kill(1, signal.SIGSTOP)")
        room.send(HOARD.format(steps=200))
        assert ended(room)["limit"] == "memory"


# -- the measuring itself


def test_processes_are_found_without_the_list_of_children(server):
    with Room(server) as room:
        room.run("import subprocess; child = subprocess.Popen(['sleep', '60'])")
        first = room.process.pid
        assert sorted(watchdog.processes_below(first)) == sorted(
            watchdog._processes_below_by_parent(first)
        )
        assert len(watchdog.processes_below(first)) == 3


def test_memory_that_others_share_is_counted_once(server):
    """What a room was born with is not its own."""
    with Room(server, limits=Limits(memory_mb=150)) as room:
        room.run("import os, time\nfor _ in range(10):\n    if os.fork() == 0: time.sleep(60)")
        time.sleep(0.5)
        assert room.process.poll() is None
        assert room.process.usage()["peak_memory_mb"] < 150


@pytest.mark.parametrize("handed_on", ["at home", "beside", "nowhere"])
def test_control_groups_of_version_2(tmp_path, handed_on, monkeypatch):
    """The files of version 2, as the system would show them."""
    own = tmp_path / "user.slice" / "own.scope"
    own.mkdir(parents=True)
    (own / "cgroup.subtree_control").write_text("memory pids" if handed_on == "at home" else "")
    (own.parent / "cgroup.subtree_control").write_text("memory" if handed_on == "beside" else "cpu")
    process = tmp_path / "process"
    process.mkdir()
    (process / "cgroup").write_text("0::/user.slice/own.scope\n")
    mount = f"30 23 0:26 / {tmp_path} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
    (process / "mountinfo").write_text(mount)
    places = cgroups.Places(process)
    if handed_on == "nowhere":
        assert not places.folders
        assert not places.usable()
        return
    folder = own if handed_on == "at home" else own.parent
    assert places.folders == {"memory": folder}
    assert places.unified
    group = cgroups.Group(places, "1", Limits(memory_mb=100, scratch_mb=10, processes=10))
    made = folder / f"ag-{os.getpid()}-1"
    assert (made / "memory.max").read_text() == str(130 * MEGABYTE)
    (made / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    (made / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert group.ran_out_of_memory()
    assert group.processor_seconds() == 2.5
    group.enter()
    assert (made / "cgroup.procs").read_text() == str(os.getpid())


def test_without_control_groups_there_are_none(tmp_path):
    assert not cgroups.Places(tmp_path).usable()
