"""Measure what a room uses, all its processes together, and say when it is too much."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from autograder.kernels.cgroups import Group
from autograder.kernels.limits import Limits

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_SHARED_SLACK = 64_000_000  # bytes of shared mappings that are not looked at more closely
_SELDOM = 10  # looks between two closer ones
# What the system calls memory that processes share without a file.
_UNNAMED = ("/dev/zero", "/memfd:", "/SYSV")


def processes_below(pid: int) -> list[int]:
    """List a process and everything that it started, however long ago."""
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        return _processes_below_by_parent(pid)
    found, waiting = [], [pid]
    while waiting:
        process = waiting.pop()
        found.append(process)
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/children", errors="replace") as file:
                    waiting.extend(int(word) for word in file.read().split())
    return found


def _processes_below_by_parent(pid: int) -> list[int]:
    """The same on a system that lists no children: look at everybody's parent."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                children.setdefault(int(_stat(int(name))[1]), []).append(int(name))
    found, waiting = [], [pid]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting.extend(children.get(process, ()))
    return found


def kill_tree(pid: int) -> None:
    """Kill a process and everything below it."""
    for process in reversed(processes_below(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def kill_session(session: int) -> None:
    """Kill what is left of a session, also what has lost its parent."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(_stat(int(name))[3]) == session and int(name) != os.getpid():
                os.kill(int(name), signal.SIGKILL)


def memory_of(pid: int) -> tuple[int, int]:
    """Memory that belongs to one process, in bytes.

    Returns
    -------
    own : int
        Anonymous pages, shared pages and what was swapped out, pages that it shares with the
        process that forked it among them.
    mapped : int
        Address space of shared mappings, whether or not a page of it is in memory.
    """
    sizes = {}
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", errors="replace") as file:
        for line in file:
            if line.startswith(("Vm", "Rss")):
                name, _, size = line.partition(":")
                sizes[name] = int(size.split()[0]) * 1024
    own = sum(sizes.get(name, 0) for name in ("RssAnon", "RssShmem", "VmSwap"))
    parts = sum(sizes.get(name, 0) for name in ("VmData", "VmStk", "VmExe", "VmLib"))
    return own, sizes.get("VmSize", 0) - parts


def proportional_memory_of(pid: int) -> int | None:
    """Memory of one process, in bytes, where a page of n processes counts as an nth.

    None if the system does not tell: it takes longer, and a process can hide it.
    """
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", errors="replace") as file:
            for line in file:
                if line.startswith(("Pss_Anon:", "Pss_Shmem:", "SwapPss:")):
                    total += int(line.split()[1]) * 1024
    except OSError:
        return None
    return total


def unnamed_memory_of(pid: int) -> dict[str, int]:
    """Memory without a name that a process shares: identity → bytes.

    A page of it stays in memory also where no process has it in its tables any more, so that it
    would be nobody's. Counted is the whole size.
    """
    found: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError):
        text = Path(f"/proc/{pid}/maps").read_text(errors="replace")
        lines = text.splitlines() if any(word in text for word in _UNNAMED) else ()
        for line in lines:
            words = line.split(None, 5)
            if len(words) == 6 and words[1][3] == "s" and words[5].startswith(_UNNAMED):
                first, last = (int(word, 16) for word in words[0].split("-"))
                found[words[4]] = found.get(words[4], 0) + last - first
    return found


def processor_seconds_of(pid: int) -> float:
    """Processor time of a process and of its children that have ended, in seconds."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return sum(int(word) for word in _stat(pid)[11:15]) / _TICKS
    return 0.0


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/PID/stat`` that follow the name, see proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()


class Watch:
    """Looks at one room again and again.

    Parameters
    ----------
    limits : Limits
        What it may use.
    group : Group, optional
        The control group of the room, where the system allows one.
    """

    def __init__(self, limits: Limits, group: Group | None = None) -> None:
        self._limits = limits
        self._group = group
        self._pid: int | None = None
        self._inherited = (0, 0)
        self._seen: dict[int, float] = {}
        self._gone = 0.0
        self._cell = 0.0
        self._peak = 0
        self._looks = 0
        self._mapped: dict[int, int] = {}  # process: address space of shared mappings
        self._hidden = 0

    def begin(self, pid: int) -> None:
        """Start to watch the room whose first process is `pid`."""
        self._pid = pid
        # A forked process counts the pages that it shares with the forkserver as its own.
        self._inherited = memory_of(pid)
        self.look()

    def begin_cell(self) -> None:
        """Count the processor time of a cell from here."""
        self._measure()
        self._cell = self._processor()

    def usage(self) -> dict[str, float]:
        """What the room has used until now."""
        self._measure()
        return {"processor_seconds": self._processor(), "peak_memory_mb": self._peak / 1e6}

    def look(self) -> dict[str, Any] | None:
        """Measure; return the limit that is exceeded and its value, or None."""
        memory, count = self._measure()
        limits = self._limits
        if self._group is not None and self._group.ran_out_of_memory():
            return self.out_of_memory()
        used = self._processor()
        for name, value, most, unit in (
            ("memory", memory / 1e6, limits.memory_mb, "MB"),
            ("processes", count, limits.processes, "processes"),
            ("processor time", used, limits.processor_seconds, "s"),
            ("processor time of a cell", used - self._cell, limits.cell_processor_seconds, "s"),
        ):
            if value > most:
                return {"limit": name, "value": most, "unit": unit}
        return None

    def out_of_memory(self) -> dict[str, Any]:
        """What :meth:`look` says of a room that has taken too much memory."""
        return {"limit": "memory", "value": self._limits.memory_mb, "unit": "MB"}

    def last_look(self) -> dict[str, Any] | None:
        """Look once more at a room that has ended by itself: the system may have ended it."""
        if self._group is not None and self._group.ran_out_of_memory():
            return self.out_of_memory()
        return None

    def _processor(self) -> float:
        spent = self._gone + sum(self._seen.values())
        # Knows also of processes that nobody has waited for.
        return max(spent, self._group.processor_seconds() if self._group is not None else 0.0)

    def _measure(self) -> tuple[int, int]:
        if self._pid is None:
            return 0, 0
        processes = processes_below(self._pid)
        # The time of an ended process that its parent has waited for is in the parent's.
        seen = {process: processor_seconds_of(process) for process in processes}
        # Counts such a process twice, at most: it is a bound for what runs away, not a bill.
        self._gone += sum(spent for pid, spent in self._seen.items() if pid not in seen)
        self._seen = seen
        memory = self._memory(processes)
        self._peak = max(self._peak, memory)
        return memory, len(processes)

    def _memory(self, processes: list[int]) -> int:
        """Memory of all processes together beyond what the room was born with, in bytes.

        Two quick bounds first. The lower one takes it that every process still has all pages of
        its birth, which a program started afresh has not; the upper one, that it shares none.
        """
        inherited, mapped_at_birth = self._inherited
        sizes = {process: memory_of(process) for process in processes}
        lower = sum(max(own - inherited, 0) for own, _ in sizes.values())
        upper = sum(own for own, _ in sizes.values()) - inherited
        mapped = {
            process: size
            for process, (_, size) in sizes.items()
            if size - mapped_at_birth > _SHARED_SLACK
        }
        self._looks += 1
        if mapped != self._mapped or self._looks % _SELDOM == 0:
            self._mapped = mapped
            unnamed: dict[str, int] = {}
            for process in mapped:
                unnamed |= unnamed_memory_of(process)
            self._hidden = sum(unnamed.values())
        hidden = self._hidden
        most = self._limits.memory_mb * 1_000_000
        if max(lower, hidden) > most or upper <= most:
            return max(lower, hidden)
        exact = 0
        for process in processes:
            part = proportional_memory_of(process)
            exact += sizes[process][0] if part is None else part
        return max(exact - inherited, lower, hidden)
