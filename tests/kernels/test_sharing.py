"""A forkserver that one process starts and others use: found, outlived, left alone."""

import os
import signal
import threading

import pytest

from autograder.kernels import client, sharing
from autograder.kernels.client import Forkserver
from autograder.kernels.sharing import LENT, LentForkserver, borrow, lend, shared_forkserver
from tests.kernels.rooms import Room, kernel, living, run_cell, until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def lent(own_server):
    server = LentForkserver(**borrow(lend(own_server)))
    yield server
    server.stop()


def test_what_is_lent_is_found():
    server = Forkserver(preload=("json", "csv"))
    server.environment = {"LANG": "C"}
    assert borrow(lend(server)) == {
        "folder": server.folder,
        "preload": ("json", "csv"),
        "environment": {"LANG": "C"},
    }
    assert lend(None) == {}


@pytest.mark.parametrize("said", ["", "{", "3", "[]", "{}", '{"folder": 3, "preload": []}'])
def test_nonsense_is_no_offer(said):
    assert borrow({LENT: said}) is None
    assert borrow({}) is None


def test_rooms_come_from_the_lent_one(own_server, lent):
    with Room(lent) as room:
        assert room.run("print(1)") == ("1", "")
        assert until(lambda: len(living(own_server)) == 2)
        assert lent._process is None
    assert until(lambda: not living(own_server))


async def _first_cell(server):
    manager = kernel(server)
    await manager.start_kernel()
    talk = manager.client()
    talk.start_channels()
    await talk.wait_for_ready()
    said = await run_cell(talk, "print(6 * 7)")
    folder = manager.provisioner.door
    manager.end(talk)
    return said, folder


def test_two_borrowers_do_not_get_into_each_others_way(own_server, lent):
    import asyncio

    said, folder = asyncio.run(_first_cell(lent))
    assert said == ("42\n", "")
    assert folder.parent == own_server.folder
    assert f"{os.getpid():x}" in folder.name


def test_stopping_leaves_the_lent_one_alone(own_server, lent):
    lent.start()
    lent.stop()
    assert own_server.folder.is_dir()
    with Room(own_server) as room:
        assert room.run("print(2)") == ("2", "")


def test_the_lent_one_dies(own_server, lent):
    room = Room(lent)
    folder = own_server.folder
    os.kill(own_server.pid, signal.SIGKILL)
    assert room.process.wait(5) == -9
    with Room(lent) as fresh:
        assert fresh.run("print(3)") == ("3", "")
        assert not lent.lent
        assert lent.folder != folder
        assert lent.pid not in (None, 0)
    room.process.close()
    # From now on it is one's own, and ends with its owner.
    mine = lent.folder
    lent.stop()
    assert not mine.exists()


def test_the_lent_one_dies_between_its_folder_and_the_fork(own_server, lent, monkeypatch):
    import asyncio

    make = lent.new_folder
    killed = []

    def new_folder():
        folder = make()
        if not killed:
            killed.append(own_server.pid)
            os.kill(own_server.pid, signal.SIGKILL)
            own_server._process.wait(5)
        return folder

    monkeypatch.setattr(lent, "new_folder", new_folder)
    said, folder = asyncio.run(_first_cell(lent))
    assert said == ("42\n", "")
    assert folder.parent == lent.folder


def test_a_borrower_waits_until_everything_is_imported(tmp_path_factory):
    server = Forkserver(preload=("time",), folder=tmp_path_factory.mktemp("f"))
    server.begin()
    try:
        assert server.pid is not None
        lent = LentForkserver(**borrow(lend(server)))
        with Room(lent) as room:  # while it still imports
            assert room.run("print(4)") == ("4", "")
        assert lent.lent
        server.start()
    finally:
        server.stop()


def test_one_that_never_gets_ready_is_not_waited_for(tmp_path_factory, monkeypatch):
    server = Forkserver(preload=(), folder=tmp_path_factory.mktemp("f"))
    server.begin()
    lent = LentForkserver(**borrow(lend(server)))
    os.kill(server.pid, signal.SIGKILL)
    server._process.wait(5)
    with pytest.raises(client.KernelError, match="did not start"):
        server.start()  # as its owner does, in a thread: the folder goes
    try:
        with Room(lent) as room:
            assert room.run("print(5)") == ("5", "")
        assert not lent.lent
    finally:
        lent.stop()
        server.stop()


def test_the_shared_one_is_borrowed_where_the_modules_are_the_same(own_server, monkeypatch):
    monkeypatch.setattr(sharing, "_shared", {})
    for name, value in lend(own_server).items():
        monkeypatch.setenv(name, value)
    assert isinstance(shared_forkserver(()), LentForkserver)
    assert not isinstance(shared_forkserver(("json",)), LentForkserver)


def test_beginning_is_not_waiting(monkeypatch):
    monkeypatch.setattr(sharing, "_shared", {})
    server = sharing.begin_shared(("time",))
    try:
        assert server is shared_forkserver(("time",))
        assert server.pid is not None
        threads = [thread for thread in threading.enumerate() if thread.name == sharing.WAITING]
        for thread in threads:
            thread.join(60)
        with Room(server) as room:
            assert room.run("print(6)") == ("6", "")
    finally:
        server.stop()


def test_what_cannot_begin_is_told_to_who_asks_for_a_room(monkeypatch, tmp_path):
    monkeypatch.setattr(sharing, "_shared", {})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    assert sharing.begin_shared(("time",)) is None
    with pytest.raises(client.KernelError, match="no folder for kernels can be made"):
        shared_forkserver(("time",)).start()
