"""Rooms for tests: run a few lines inside one, see what they print and which error ends them."""

import contextlib
import os
import socket
import time
from pathlib import Path

from autograder.kernels import cgroups
from autograder.kernels import examiner as line_to_examiner
from autograder.kernels.manager import RoomManager
from autograder.kernels.room_paths import read_only_paths

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/home/student", "LANG": "C.UTF-8"}


def settings(role, **more):
    return {"role": role, "environment": ENVIRONMENT, "shown": read_only_paths(), **more}


class Room:
    """A sandboxed room without Jupyter: the examiner's, which runs cells over a socket."""

    def __init__(self, server, *, limits=None, files=None, **more):
        self._line, theirs = socket.socketpair()
        link, other = socket.socketpair()
        with theirs, link, other:
            self.process = server.fork(
                settings("examiner", files=files or {}, **more),
                limits=limits,
                descriptors=(theirs.fileno(), link.fileno()),
            )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._line.close()
        self.process.kill()
        self.process.wait(5)
        self.process.close()

    def run(self, source, seconds=30):
        """Run a cell; return what it printed and the name of its error. None: the room ended."""
        answer = None
        self._line.settimeout(seconds)
        with contextlib.suppress(ConnectionError):
            self.send(source)
            answer = line_to_examiner.receive(self._line)
        if answer is None:
            return None, "lost"
        printed = "".join(output.get("text", "") for output in answer["outputs"])
        return printed.strip(), (answer["error"] or {}).get("ename", "")

    def send(self, source):
        line_to_examiner.send(self._line, {"kind": "set-up", "source": source})


def kernel(server, *, limits=None, files=None, **more):
    """A real kernel in a sandboxed room: its manager, not started."""

    def fork(wanted):
        return server.fork(
            {**settings("student", files=files or {}, **more), **wanted, "submission": True},
            limits=limits,
        )

    return RoomManager(fork, server.new_folder)


async def run_cell(client, source, seconds=60):
    """Run a cell in a kernel; return its printed text and the name of its error."""
    said = []

    def hear(message):
        content = message["content"]
        said.append(content.get("text") or content.get("data", {}).get("text/plain", ""))

    reply = await client.execute_interactive(source, output_hook=hear, timeout=seconds)
    return "".join(said), reply["content"].get("ename", "")


def living(server):
    """Processes below the forkserver."""
    found, waiting = [], [server.pid]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
                found += map(int, children)
                waiting += map(int, children)
    return found


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def control_groups(server):
    """Control groups of a forkserver's rooms."""
    folders = set(cgroups.Places().folders.values())
    return [group for folder in folders for group in folder.glob(f"ag-{server.pid}-*")]


def until(condition, seconds=10):
    """Wait until a condition holds; return whether it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
