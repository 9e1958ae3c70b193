"""Real kernels, warm: in rooms, and behind Jupyter's own managers."""

import asyncio
import hashlib
import os
import signal
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient

from autograder.kernels import provisioner
from autograder.kernels.client import KernelError
from autograder.kernels.limits import Limits
from autograder.kernels.sharing import shared_forkserver
from tests.kernels.rooms import descriptors, kernel, living, run_cell, until

pytestmark = pytest.mark.timeout(120)
WARM = "python3-warm"


# -- in rooms


class Running:
    """A kernel in a room, started; ended on leaving."""

    def __init__(self, server, **settings):
        self._manager = kernel(server, **settings)

    async def __aenter__(self):
        await self._manager.start_kernel()
        self.client = self._manager.client()
        self.client.start_channels()
        try:
            await self.client.wait_for_ready(timeout=30)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error):
        self.client.stop_channels()
        await self._manager.shutdown_kernel(now=True)

    @property
    def room(self):
        return self._manager.provisioner.room

    @property
    def door(self):
        return self._manager.provisioner.door

    async def run(self, source):
        return await run_cell(self.client, source)


def within(make):
    """Run a coroutine function to its end."""
    return asyncio.run(make())


def test_a_kernel_in_a_room(server):
    async def scene():
        async with Running(server) as kernel:
            assert await kernel.run("x = 20; x + 1") == ("21", "")
            assert await kernel.run("import os; print(os.getcwd())") == (
                "/home/student/work\n", "",
            )  # fmt: skip
            assert await kernel.run("1 / 0") == ("", "ZeroDivisionError")
            assert await kernel.run("!echo from the shell") == ("from the shell\r\n", "")
            assert "matplotlib_inline" in (await kernel.run("print(os.environ['MPLBACKEND'])"))[0]
            return kernel.door

    door = within(scene)
    assert not door.exists()
    assert until(lambda: not living(server))


def test_files_of_a_submission_shadow_no_library(server):
    import base64

    files = {
        name: base64.b64encode(b"raise SystemExit('shadow')").decode()
        for name in ("wave.py", "sqlite3.py", "pip.py", "ipython_config.py", "sitecustomize.py")
    }
    files["helper.py"] = base64.b64encode(b"value = 42").decode()

    async def scene():
        async with Running(server, files=files) as kernel:
            assert await kernel.run("import wave, sqlite3; wave.open") != ("", "SystemExit")
            assert (await kernel.run("print(wave.__file__.startswith('/home'))"))[0] == "False\n"
            assert await kernel.run("import helper; helper.value") == ("42", "")

    within(scene)


def test_the_folder_of_sockets_is_closed(server):
    """A kernel must not fill the machine's disk through it."""

    async def scene():
        async with Running(server) as kernel:
            for source in (
                f"open({str(kernel.door / 'more')!r}, 'wb')",
                f"open({str(kernel.door / 'connection.json')!r}, 'a')",
                f"import os; os.unlink({str(kernel.door / 's-1')!r})",
                f"os.mkdir({str(kernel.door / 'folder')!r})",
            ):
                assert (await kernel.run(source))[1] in ("OSError", "PermissionError"), source
            others = f"os.listdir({str(kernel.door.parent)!r})"
            assert (await kernel.run(others))[0] == f"['{kernel.door.name}']"

    within(scene)


def test_a_key_of_its_own_and_none_of_the_others(server):
    async def scene():
        async with Running(server) as one, Running(server) as two:
            keys = {kernel.client.session.key for kernel in (one, two)}
            assert len(keys) == 2
            read = f"open({str(two.door / 'connection.json')!r}).read()"
            assert (await one.run(read))[1] == "FileNotFoundError"
            # Nor in the memory that every room has from the forkserver.
            key = two.client.session.key
            search = f"""
import hashlib, re
found = 0
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:
    for line in maps:
        if 'rw-p' in line:
            first, last = (int(w, 16) for w in line.split()[0].split('-'))
            try:
                memory.seek(first); data = memory.read(last - first)
            except (OSError, ValueError, OverflowError):
                continue
            for start in re.finditer({key[:6]!r}, data):
                whole = data[start.start() : start.start() + {len(key)}]
                found += hashlib.sha256(whole).hexdigest() == {{digest!r}}
print(found)
"""
            for owner, expected in ((one, False), (two, True)):  # the search does find
                digest = hashlib.sha256(key).hexdigest()
                printed, error = await owner.run(search.format(digest=digest))
                assert not error
                assert (int(printed) > 0) == expected

    within(scene)


def test_a_kernel_that_dies(server):
    async def scene():
        async with Running(server) as kernel:
            room = kernel.room
            kernel.client.execute("import os; os.kill(os.getpid(), 9)")
            until(lambda: room.poll() is not None)
            assert room.exit_code == -9
            assert room.exceeded is None
            assert not await kernel._manager.is_alive()

    within(scene)
    assert until(lambda: not living(server))


def test_a_kernel_that_takes_too_much_memory(server):
    async def scene():
        async with Running(server, limits=Limits(memory_mb=300)) as kernel:
            room = kernel.room
            kernel.client.execute("hoard = [b'x' * 10_000_000 for _ in range(300)]")
            until(lambda: room.poll() is not None)
            assert room.exceeded == {"limit": "memory", "value": 300, "unit": "MB"}

    within(scene)


def test_a_kernel_that_cannot_start_says_so_at_once(server):
    async def scene():
        async with Running(server, files={"../outside": ""}):
            pass

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="outside its folder"):
        within(scene)
    assert time.monotonic() - started < 20
    assert until(lambda: not living(server))


def test_interrupt(server):
    async def scene():
        async with Running(server) as kernel:
            waiting = asyncio.ensure_future(kernel.run("import time; time.sleep(60)"))
            await asyncio.sleep(0.5)
            kernel.room.interrupt()
            assert await waiting == ("", "KeyboardInterrupt")
            assert await kernel.run("2 + 2") == ("4", "")

    within(scene)


def test_ten_kernels_at_once(server):
    async def one(number):
        async with Running(server) as kernel:
            return await kernel.run(f"print({number} ** 3)")

    async def scene():
        return await asyncio.gather(*(one(number) for number in range(10)))

    before = descriptors(server.pid)
    assert within(scene) == [(f"{number**3}\n", "") for number in range(10)]
    assert until(lambda: not living(server))
    assert until(lambda: descriptors(server.pid) == before)
    assert not list(server.folder.glob("k*"))


def test_the_forkserver_dies_before_a_kernel_starts(own_server):
    manager = kernel(own_server)
    new_folder = manager.provisioner.new_folder
    killed = []

    def new_folder_and_kill():
        folder = new_folder()
        if not killed:
            killed.append(own_server.pid)
            os.kill(own_server.pid, signal.SIGKILL)
            own_server._process.wait(5)
        return folder

    manager.provisioner.new_folder = new_folder_and_kill

    async def scene():
        running = Running(own_server)
        running._manager = manager
        async with running as started:
            assert await started.run("3 + 3") == ("6", "")

    within(scene)
    assert killed
    assert own_server.pid not in killed


def test_no_space_for_the_connection_file(server):
    manager = kernel(server)

    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    manager.write_connection_file = full

    async def scene():
        await manager.start_kernel()

    with pytest.raises(KernelError, match=r"No space left on device.*TMPDIR"):
        within(scene)
    manager.provisioner._leave()


# -- behind Jupyter's own managers, without walls


@pytest.fixture
def small(monkeypatch):
    """The provisioner with a forkserver that knows only what it must."""
    monkeypatch.setattr(provisioner.WarmProvisioner.preload, "default_value", [])
    monkeypatch.setattr(provisioner, "PRELOAD", ())
    server = shared_forkserver(())
    yield server
    server.stop()


def start(name=WARM, **settings):
    manager = KernelManager(kernel_name=name)
    manager.start_kernel(**settings)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    return manager, client


def evaluate(client, source):
    said = []
    client.execute_interactive(
        source,
        output_hook=lambda message: said.append(message["content"].get("text", "")),
        timeout=60,
    )
    return "".join(said).strip()


def end(manager, client):
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_the_kernelspec_is_installed():
    assert WARM in KernelSpecManager().find_kernel_specs()
    spec = KernelSpecManager().get_kernel_spec(WARM)
    assert spec.metadata["kernel_provisioner"]["provisioner_name"] == provisioner.NAME
    assert KernelProvisionerFactory.instance().is_provisioner_available(spec)


def test_start_interrupt_restart_shutdown(small, tmp_path):
    manager, client = start(cwd=str(tmp_path))
    room = manager.provisioner.room
    assert room is not None, "it was started cold"
    first = evaluate(client, "import os; print(os.getpid())")
    assert int(first) == room.pid
    assert evaluate(client, "print(os.getcwd())") == str(tmp_path)
    # Its own user, network and files: an author's kernel has no walls.
    assert evaluate(client, "print(os.getuid())") == str(os.getuid())

    waiting = client.execute("import time; time.sleep(60)")
    time.sleep(0.5)
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=10)
    assert reply["parent_header"]["msg_id"] == waiting
    assert reply["content"]["ename"] == "KeyboardInterrupt"

    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    assert evaluate(client, "import os; print(os.getpid())") != first
    assert manager.is_alive()
    client.stop_channels()
    manager.shutdown_kernel()
    assert not manager.is_alive()
    assert until(lambda: not living(small))


def test_shut_down_at_once(small):
    manager, client = start()
    assert manager.provisioner.room is not None
    evaluate(client, "import subprocess; child = subprocess.Popen(['sleep', '600'])")
    assert len(living(small)) == 2
    began = time.monotonic()
    end(manager, client)
    assert time.monotonic() - began < 4  # jupyter_client gives up after 5 s
    assert until(lambda: not living(small))


def test_a_kernel_that_dies_is_noticed_and_can_be_restarted(small):
    manager, client = start()
    client.execute("import os; os.kill(os.getpid(), 9)")
    assert until(lambda: not manager.is_alive())
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    assert evaluate(client, "print('back')") == "back"
    end(manager, client)


def test_the_environment_is_that_of_the_kernel(small, tmp_path, monkeypatch):
    (tmp_path / "own_module.py").write_text("where = 'PYTHONPATH'")
    environment = {**os.environ, "COURSE_SCALE": "grading", "PYTHONPATH": str(tmp_path)}
    manager, client = start(env=environment)
    assert manager.provisioner.room is not None
    assert evaluate(client, "import os; print(os.environ['COURSE_SCALE'])") == "grading"
    assert evaluate(client, "import own_module; print(own_module.where)") == "PYTHONPATH"
    end(manager, client)


def test_random_numbers_differ_from_kernel_to_kernel(small):
    source = "import random, numpy; print(random.random(), numpy.random.rand())"
    drawn = []
    for _ in range(2):
        manager, client = start()
        drawn += evaluate(client, source).split()
        end(manager, client)
    assert len(set(drawn)) == 4


@pytest.mark.parametrize("why", ["no forkserver", "another environment", "asked for"])
def test_a_cold_kernel_where_none_can_be_warm(small, monkeypatch, why):
    environment = dict(os.environ)
    if why == "no forkserver":

        def fail(server):
            raise KernelError("there is no space")

        monkeypatch.setattr(type(small), "start", fail)
    elif why == "another environment":
        # Another one than ours, whatever that is.
        environment["OMP_NUM_THREADS"] = "1" if environment.get("OMP_NUM_THREADS") != "1" else "2"
    else:
        monkeypatch.setenv(provisioner.CHOICE, "cold")
    manager, client = start(env=environment)
    assert manager.provisioner.room is None
    assert evaluate(client, "print(6 * 7)") == "42"
    end(manager, client)
    assert not manager.is_alive()


def test_a_kernel_of_another_language_is_not_ours():
    with pytest.raises(KernelError, match="only IPython's kernel"):
        provisioner._arguments(["R", "--slave", "-e", "IRkernel::main()"])


def test_nbclient_does_not_notice(small):
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("import os; print('pid', os.getpid() > 0)"),
            nbformat.v4.new_code_cell(
                "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()"
            ),
        ]
    )
    notebook.metadata["kernelspec"] = {"name": WARM, "display_name": "x", "language": "python"}
    NotebookClient(notebook, timeout=60).execute()
    assert notebook.cells[0].outputs[0].text == "pid True\n"
    kinds = [set(output.get("data", ())) for output in notebook.cells[1].outputs]
    assert any("image/png" in kind for kind in kinds)
    assert until(lambda: not living(small))


def test_history_and_settings_of_the_author_are_not_touched(small, tmp_path):
    """Nothing of a kernel is left in the folder that it ran in."""
    manager, client = start(cwd=str(tmp_path))
    evaluate(client, "x = 1")
    end(manager, client)
    assert list(Path(tmp_path).iterdir()) == []
