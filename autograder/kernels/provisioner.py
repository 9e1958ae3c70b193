"""Jupyter's door to warm kernels: a kernel provisioner, found by its entry point.

A kernelspec that names ``autograder-warm`` is served by the forkserver; nbclient, nbconvert, nbval,
nbgrader and JupyterLab need not know. Where nothing can be forked, the kernel starts cold.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Bool, Instance, List, Unicode, default

from autograder.kernels import linux
from autograder.kernels.client import (
    LIBRARY_SETTINGS,
    PRELOAD,
    KernelError,
    RoomProcess,
    library_environment,
)
from autograder.kernels.sharing import shared_forkserver

NAME = "autograder-warm"
CHOICE = "AUTOGRADER_KERNELS"  # environment variable: "cold" switches warm kernels off


class WarmProvisioner(LocalProvisioner):
    """Forks a kernel from a process that has the libraries at hand.

    The kernel has no walls: it is a student's or an author's own, with their files and network.
    """

    preload = List(
        Unicode(), default_value=list(PRELOAD), help="modules that the forkserver imports"
    ).tag(config=True)
    cold = Bool(help=f"start an ordinary kernel instead; also by {CHOICE}=cold").tag(config=True)
    room = Instance(RoomProcess, allow_none=True)

    @default("cold")
    def _cold_default(self) -> bool:
        return os.environ.get(CHOICE, "") == "cold"

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel to manage."""
        return self.room is not None or super().has_process

    async def poll(self) -> int | None:
        """Exit code, or None while the kernel runs."""
        return self.room.poll() if self.room is not None else await super().poll()

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        if self.room is None:
            return await super().wait()
        while self.room.poll() is None:
            await asyncio.sleep(0.02)
        code = self.room.exit_code
        self.room.close()
        self.room = None
        return code

    async def send_signal(self, signum: int) -> None:
        """Interrupt or end the kernel."""
        if self.room is None:
            await super().send_signal(signum)
        elif signum == signal.SIGINT:
            self.room.interrupt()
        elif signum in (signal.SIGKILL, signal.SIGTERM):
            self.room.kill()

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once."""
        if self.room is None:
            await super().kill(restart)
        else:
            self.room.kill()

    async def terminate(self, restart: bool = False) -> None:
        """End the kernel; IPython's own does nothing else on this signal."""
        if self.room is None:
            await super().terminate(restart)
        else:
            self.room.kill()

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel; start it cold where that is impossible."""
        if self.cold or not linux.AVAILABLE:
            return await super().launch_kernel(cmd, **kwargs)
        environment = dict(kwargs.get("env") or os.environ)
        environment.pop("JPY_PARENT_PID", None)
        environment.setdefault("MPLBACKEND", LIBRARY_SETTINGS["MPLBACKEND"])
        try:
            settings = {
                "role": "kernel",
                "environment": environment,
                "folder": str(kwargs.get("cwd") or Path.cwd()),
                "arguments": _arguments(cmd),
            }
            loop = asyncio.get_running_loop()
            self.room = await loop.run_in_executor(None, lambda: self._fork_warm(settings))
        except KernelError as error:
            self.log.warning("no warm kernel, a cold one instead: %s", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.room.pid
        return self.connection_info

    def _fork_warm(self, settings: dict[str, Any]) -> RoomProcess:
        server = shared_forkserver(self.preload)
        server.start()
        wanted = library_environment(settings["environment"])
        other = [
            name
            for name in sorted(wanted.keys() | server.environment.keys())
            if wanted.get(name) != server.environment.get(name)
        ]
        if other:
            raise KernelError(f"the libraries were imported with another {', '.join(other)}")
        return server.fork(settings, sandboxed=False)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the room."""
        if self.room is not None:
            self.room.kill()
            self.room.close()
            self.room = None
        await super().cleanup(restart)


class WarmManager(AsyncKernelManager):
    """Manager that starts a kernel warm whatever its kernelspec says.

    For programs that run a notebook whose metadata name an ordinary kernel, and shall go on to.
    """

    @property
    def kernel_spec(self) -> KernelSpec | None:
        """The kernelspec of the kernel's name, with the provisioner of warm kernels."""
        found = super().kernel_spec
        if found is not None:
            found.metadata = {
                **found.metadata,
                "kernel_provisioner": {"provisioner_name": NAME},
            }
        return found


def _arguments(cmd: list[str]) -> list[str]:
    """Words after ``-m ipykernel_launcher`` in a kernelspec's command."""
    for place, word in enumerate(cmd):
        if word in ("ipykernel_launcher", "ipykernel"):
            return cmd[place + 1 :]
    raise KernelError(f"only IPython's kernel can be warm, not {' '.join(cmd[:4])}")
