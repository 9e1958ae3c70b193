"""The system calls of Linux that Python's standard library does not offer.

Sources: the manual pages of each call, and ``include/uapi/linux`` of the kernel for the constants.
"""

import ctypes
import os
import platform
import struct
import sys
from typing import Any

AVAILABLE = sys.platform == "linux"

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_CAPBSET_DROP = 24
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2
LAST_CAPABILITY = 63

AT_RECURSIVE = 0x8000
AT_FDCWD = -100
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
_CAPABILITY_VERSION_3 = 0x20080522

# Numbers of calls that the C library has no function for; the same on x86-64 and AArch64 from 424.
SYS_MOUNT_SETATTR = 442
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}

_libc = ctypes.CDLL(None, use_errno=True) if AVAILABLE else None


def checked(result: int, what: str) -> int:
    """Return the result of a system call, or raise the OSError that it stands for."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call(number: int, *arguments: Any) -> int:
    """Make a system call by its number; below 0 if it failed."""
    return _libc.syscall(ctypes.c_long(number), *arguments)


def unshare(flags: int) -> None:
    """Give the calling process namespaces of its own, see unshare(2)."""
    checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int = 0, options: str = "") -> None:
    """Mount a file system, see mount(2)."""
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    checked(result, f"mount {source} on {target}")


def unmount(target: str, flags: int = 0) -> None:
    """Unmount a file system, see umount2(2)."""
    checked(_libc.umount2(target.encode(), ctypes.c_int(flags)), f"umount {target}")


def make_read_only(target: str) -> None:
    """Make a mount and all mounts below it read-only, without devices and set-user-id programs.

    See mount_setattr(2); Linux 5.12 or later.
    """
    flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
    attributes = struct.pack("=QQQQ", flags, 0, 0, 0)
    result = call(
        SYS_MOUNT_SETATTR,
        AT_FDCWD,
        target.encode(),
        ctypes.c_uint(AT_RECURSIVE),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    checked(result, f"make {target} read-only")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root and put the old one at `old`, see pivot_root(2)."""
    result = call(SYS_PIVOT_ROOT[platform.machine()], new.encode(), old.encode())
    checked(result, "pivot_root")


def prctl(option: int, argument: int = 0, *more: int) -> None:
    """Change a property of the calling process, see prctl(2)."""
    rest = [ctypes.c_ulong(value) for value in (argument, *more)]
    rest += [ctypes.c_ulong(0)] * (4 - len(rest))
    checked(_libc.prctl(ctypes.c_int(option), *rest), f"prctl {option}")


def name_process(name: str) -> None:
    """Set the name that ``ps`` and ``/proc/PID/comm`` show, at most 15 characters."""
    if AVAILABLE:
        buffer = ctypes.create_string_buffer(name.encode()[:15])
        _libc.prctl(ctypes.c_int(PR_SET_NAME), buffer, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability, for this process and for whatever it may start."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last one that this kernel knows, or none left to drop with
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    data = struct.pack("=6I", 0, 0, 0, 0, 0, 0)
    checked(call(SYS_CAPSET[platform.machine()], header, data), "capset")


def set_seccomp_filter(program: bytes) -> None:
    """Install a filter of system calls for this process and its children, see seccomp(2).

    Parameters
    ----------
    program : bytes
        Instructions of classic BPF, eight bytes each.
    """
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    described = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    result = _libc.prctl(
        ctypes.c_int(PR_SET_SECCOMP),
        ctypes.c_ulong(SECCOMP_MODE_FILTER),
        ctypes.byref(described),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )
    checked(result, "seccomp")
