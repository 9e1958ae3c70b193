"""A Jupyter kernel in a sandboxed room, for programs that run notebooks."""

import queue
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

from autograder.kernels.client import KernelError, RoomProcess
from autograder.kernels.provisioner import WarmProvisioner

MAX_MESSAGE = 32_000_000  # bytes of one message from a kernel; a longer one ends the connection
START_SECONDS = 60
_LOOK_SECONDS = 0.5  # between two looks whether a kernel that does not answer still lives
_END_SECONDS = 0.005  # between two looks whether a kernel that was killed has ended
# No history file, no log lines about the transport: nobody would read them.
# The work folder comes after the libraries on the import path, see autograder.kernels.child.
ARGUMENTS = [
    "--IPKernelApp.log_level=50",
    "--HistoryManager.enabled=False",
    "--IPKernelApp.ignore_cwd=True",
]
ForkRoom = Callable[[Mapping[str, Any]], RoomProcess]


class RoomProvisioner(WarmProvisioner):
    """Launches a kernel by a function that forks a room for it."""

    fork: ForkRoom
    new_folder: Callable[[], Path]
    door: Path | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare the folder of sockets, the only thing that room and machine share."""
        self._leave()
        manager = self.parent
        self.door = self.new_folder()
        manager.transport = "ipc"
        manager.ip = str(self.door / "s")
        manager.connection_file = str(self.door / "connection.json")
        try:
            manager.write_connection_file()
        except OSError as error:
            raise KernelError(
                f"the kernel's folder cannot be written to ({error.strerror}): free some space in "
                f"{self.door.parent.parent}, or name another place in TMPDIR"
            ) from None
        self.connection_info = manager.get_connection_info()
        return {"cmd": [], "env": kwargs.get("env", {})}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the room."""
        try:
            self._fork()
        except KernelError:
            if self.door.is_dir():
                raise
            # The forkserver has died since, and the folder with it; there is a new one now.
            await self.pre_launch(**kwargs)
            self._fork()
        self.pid = self.room.pid
        return self.connection_info

    def _fork(self) -> None:
        self.room = self.fork(
            {
                "role": "student",
                "door": str(self.door),
                "arguments": ["-f", self.parent.connection_file, *ARGUMENTS],
            }
        )

    async def cleanup(self, restart: bool = False) -> None:
        """End the room and remove its sockets."""
        self.end()

    def end(self) -> None:
        """End the room and remove its sockets."""
        if self.room is not None:
            self.room.kill()
            self.room.wait(2)
            self.room.close()
            self.room = None
        self._leave()

    def _leave(self) -> None:
        if self.door is not None:
            shutil.rmtree(self.door, ignore_errors=True)
            self.door = None


class RoomClient(AsyncKernelClient):
    """A client that is ready as soon as the kernel has answered once."""

    def start_channels(self, *args: Any, **kwargs: Any) -> None:
        """Open the channels, but for the heartbeat: the forkserver tells when a room ends."""
        kwargs["hb"] = False
        super().start_channels(*args, **kwargs)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for an answer and for what the kernel publishes beside it.

        The base class waits for silence on top, 0.2 s each time.

        Raises
        ------
        RuntimeError
            If the kernel ends, or does not answer in time; the message says why, if it is known.
        """
        until = time.monotonic() + (timeout or START_SECONDS)
        self.kernel_info()
        while time.monotonic() < until:
            try:
                reply = await self.get_shell_msg(timeout=_LOOK_SECONDS)
            except queue.Empty:
                self._must_live()
                continue
            self._handle_kernel_info_reply(reply)
            try:
                # Only now is it sure that no output of the first cell will be missed.
                await self.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                self.kernel_info()
                continue
            return
        raise RuntimeError("the kernel does not answer")

    def _must_live(self) -> None:
        provisioner = getattr(self.parent, "provisioner", None)
        room = getattr(provisioner, "room", None)
        if room is not None and room.poll() is not None:
            raise RuntimeError(room.problem or f"the kernel ended at once (exit {room.exit_code})")


class RoomManager(AsyncKernelManager):
    """Manager of a kernel in a room.

    Parameters
    ----------
    fork : callable
        Makes the room from the settings that the kernel needs.
    new_folder : callable
        Makes a folder for its sockets.
    """

    client_class = "autograder.kernels.manager.RoomClient"
    client_factory = Type(RoomClient)

    def __init__(self, fork: ForkRoom, new_folder: Callable[[], Path], **kwargs: Any) -> None:
        context = zmq.asyncio.Context()
        # For every socket that is made: a room must not fill this process's memory.
        context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        context.setsockopt(zmq.LINGER, 0)
        super().__init__(context=context, **kwargs)
        self._kernel_spec = KernelSpec(argv=["python"], language="python", display_name="room")
        self.cache_ports = False
        self._created_context = True  # ours to close
        provisioner = RoomProvisioner(parent=self, kernel_spec=self._kernel_spec)
        provisioner.fork = fork
        provisioner.new_folder = new_folder
        self.provisioner = provisioner

    async def _async_wait(self, pollinterval: float = _END_SECONDS) -> None:
        """Wait for the kernel's end; it is killed, and takes milliseconds."""
        await super()._async_wait(min(pollinterval, _END_SECONDS))

    def end(self, client: RoomClient | None) -> None:
        """End the kernel at once, and close what this process had open for it."""
        if client is not None:
            client.stop_channels()
        self.provisioner.end()
        self.context.destroy(linger=0)
