"""The system's own limits for a group of processes, where this process may make such groups.

The watchdog looks ten times a second; a burst between two looks is stopped here, in the act. Both
versions of control groups are known. Groups are made below our own (so that what limits us limits
them too), or, in version 2, beside it, since a group with processes cannot hand anything on there.

Sources: the manual page cgroups(7); ``Documentation/admin-guide/cgroup-v1`` and ``cgroup-v2.rst``
of the kernel.
"""

import contextlib
import os
import subprocess
import time
from pathlib import Path

from autograder.kernels.limits import Limits, most_tasks

_PREFIX = "ag-"
_CONTROLLERS = ("memory", "pids", "cpuacct")
_REMOVE_SECONDS = 1.0


class Places:
    """Where groups can be made.

    Parameters
    ----------
    process : pathlib.Path
        ``/proc/self``, or what stands for it in a test.
    """

    def __init__(self, process: Path = Path("/proc/self")) -> None:
        self.unified = False
        self.folders: dict[str, Path] = {}  # controller: folder
        with contextlib.suppress(OSError, ValueError):
            self._find(process)

    def _find(self, process: Path) -> None:
        own = {}
        for line in (process / "cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            for name in names.split(","):
                own[name] = path
        for line in (process / "mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            root, place = before.split()[3:5]
            kind, _, options = after.split(" ", 2)
            if kind == "cgroup":
                for name in set(_CONTROLLERS) & set(options.split(",")) & set(own):
                    self.folders[name] = _below(place, root, own[name])
            elif kind == "cgroup2" and "" in own:
                folder = _below(place, root, own[""])
                for candidate in (folder, folder.parent):
                    handed_on = candidate / "cgroup.subtree_control"
                    if handed_on.is_file() and "memory" in handed_on.read_text().split():
                        self.unified = True
                        self.folders = {"memory": candidate}
                        return
        self.folders = {
            name: folder for name, folder in self.folders.items() if os.access(folder, os.W_OK)
        }

    def usable(self) -> bool:
        """Whether a group with a limit of memory can be made and entered, found out by trying."""
        if "memory" not in self.folders:
            return False
        group = None
        try:
            group = Group(self, "try", Limits())
            with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as guest:
                try:
                    group.enter(guest.pid)
                finally:
                    guest.stdin.close()
            return True
        except OSError:
            return False
        finally:
            if group is not None:
                group.remove(_REMOVE_SECONDS)

    def remove_leftovers(self, pid: int | None = None) -> None:
        """Remove groups of a process that has ended; of all that have ended if None."""
        for folder in set(self.folders.values()):
            for left in folder.glob(f"{_PREFIX}*"):
                owner = left.name.removeprefix(_PREFIX).split("-")[0]
                ended = owner.isdigit() and not os.path.exists(f"/proc/{owner}")
                if owner == str(pid) or (pid is None and ended):
                    _remove(left, _REMOVE_SECONDS if pid else 0.0)


class Group:
    """The group of one room.

    Parameters
    ----------
    places : Places
        Where to make it.
    name : str
        Different from those of the other groups of this process.
    limits : autograder.kernels.sandbox.Limits
        What the room may use.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, places: Places, name: str, limits: Limits) -> None:
        self._folders = {
            controller: folder / f"{_PREFIX}{os.getpid()}-{name}"
            for controller, folder in places.folders.items()
        }
        self._unified = places.unified
        try:
            for folder in dict.fromkeys(self._folders.values()):
                folder.mkdir()
            self._set(limits)
        except BaseException:
            self.remove()
            raise

    def _set(self, limits: Limits) -> None:
        # Files in memory count here, and not for the watchdog. It shall come first where it can:
        # what a room may use must not depend on the machine.
        most = str((limits.memory_mb + 3 * limits.scratch_mb) * 1_000_000)
        memory = self._folders["memory"]
        tasks = str(most_tasks(limits))
        if self._unified:
            (memory / "memory.max").write_text(most)
            for name, value in (("memory.swap.max", "0"), ("pids.max", tasks)):
                with contextlib.suppress(OSError):
                    (memory / name).write_text(value)
            return
        (memory / "memory.limit_in_bytes").write_text(most)
        with contextlib.suppress(OSError):  # only where the system counts swap
            (memory / "memory.memsw.limit_in_bytes").write_text(most)
        if "pids" in self._folders:
            (self._folders["pids"] / "pids.max").write_text(tasks)

    def enter(self, pid: int | None = None) -> None:
        """Move a process into the group, the calling one if None; its children are born there."""
        for folder in dict.fromkeys(self._folders.values()):
            (folder / "cgroup.procs").write_text(str(pid or os.getpid()))

    def ran_out_of_memory(self) -> bool:
        """Whether the system had to kill a process of the group for its memory."""
        name = "memory.events" if self._unified else "memory.oom_control"
        with contextlib.suppress(OSError, ValueError):
            for line in (self._folders["memory"] / name).read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1]) > 0
        return False

    def processor_seconds(self) -> float:
        """Processor time of all processes of the group until now, ended ones too; 0 if unknown."""
        with contextlib.suppress(OSError, ValueError):
            if self._unified:
                for line in (self._folders["memory"] / "cpu.stat").read_text().splitlines():
                    if line.startswith("usage_usec "):
                        return int(line.split()[1]) / 1e6
            elif "cpuacct" in self._folders:
                return int((self._folders["cpuacct"] / "cpuacct.usage").read_text()) / 1e9
        return 0.0

    def remove(self, seconds: float = 0.0) -> bool:
        """Remove the group; False if processes of it still end."""
        left = [folder for folder in self._folders.values() if not _remove(folder, seconds)]
        return not left


def _below(place: str, root: str, path: str) -> Path:
    """Folder of a group, where the part `root` of all groups is mounted at `place`."""
    return Path(place) / os.path.relpath(path, root)


def _remove(folder: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)
        else:
            return True
