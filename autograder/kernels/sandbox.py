"""What a room may touch: its own root, no network, no rights, limits.

A room gets namespaces of its own right after the fork, before it reads anything that a student
wrote. Its root is a small file system in memory that holds read-only views of the system's
libraries and of the Python environment, an empty home, and nothing else: no course, no gradebook,
no other room. Rights are dropped, and a filter of system calls closes the ways back.

Started by an ordinary user, this stands on a user namespace. Started by root, no user namespace is
needed: the room gives up root for an unprivileged user that no account has.
"""

import contextlib
import fcntl
import os
import resource
import socket
import stat
import struct
from pathlib import Path

from autograder.kernels import landlock, linux, seccomp
from autograder.kernels.limits import Limits, most_tasks
from autograder.kernels.room_paths import HOME

# Above what user databases and containers hand out; where that is not mapped, "nobody".
# A room's own number is added: siblings are strangers, and limits of a user are limits of a room.
ROOM_UID = 1_999_000_000
_MOST_PROCESSES = 1 << 22  # what Linux counts to at most
NOBODY = 65_534
_MOST_FILES = "20k"  # in one place: a file takes memory, even an empty one
_MOST_TERMINALS = 16
_DEVICES = ("null", "zero", "full", "random", "urandom")
_NAMESPACES = (
    linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWCGROUP
)


def enter_namespaces() -> None:
    """First half, in the child: leave the machine's namespaces. The next fork is process 1."""
    if os.geteuid() == 0:
        linux.unshare(_NAMESPACES)
        return
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(_NAMESPACES | linux.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def room_uid() -> int:
    """User that this room runs as: one that nobody has, if root started us, else ourselves.

    To be called by process 1 of a room while the machine's ``/proc`` is still there.
    """
    if os.geteuid() != 0:
        return os.getuid()
    with contextlib.suppress(OSError, ValueError):
        # Our number outside: as long as the room lives, no other room has it.
        uid = ROOM_UID + int(os.readlink("/proc/self"))
        for line in Path("/proc/self/uid_map").read_text().splitlines():
            inside, _, count = (int(word) for word in line.split())
            if inside <= ROOM_UID and inside + count > ROOM_UID + _MOST_PROCESSES:
                return uid
    return NOBODY


def build_root(
    staging: str, *, uid: int, limits: Limits, shown: list[str], door: str | None
) -> None:
    """Second half, as process 1: give the room a root of its own and move into it.

    Parameters
    ----------
    staging : str
        An empty folder that the new root is put together in.
    uid : int
        User of the room, see :func:`room_uid`.
    limits : Limits
        For the sizes of the file systems in memory.
    shown : list of str
        What can be read, see :mod:`autograder.kernels.room_paths`.
    door : str or None
        Folder in which the room's sockets appear for the other side; the one place of the machine
        that it may write to, until :func:`close_door`.
    """
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    guarded = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("root", staging, "tmpfs", guarded, "size=4m,nr_inodes=4k,mode=755")
    _make_devices(staging, limits, uid)
    for place in (HOME, "/tmp"):
        target = staging + place
        os.makedirs(target, exist_ok=True)
        linux.mount("scratch", target, "tmpfs", guarded, _scratch_options(limits, uid))
    # After the scratch folders: an environment may well lie below /tmp.
    for path in shown:
        _show(path, staging)
    if door is not None:
        os.makedirs(staging + door, exist_ok=True)
        linux.mount(door, staging + door, None, linux.MS_BIND)
    _write_settings(staging, uid)
    os.makedirs(staging + "/proc", exist_ok=True)
    linux.mount("proc", staging + "/proc", "proc", guarded | linux.MS_NOEXEC)
    os.makedirs(staging + "/.before", exist_ok=True)
    linux.pivot_root(staging, staging + "/.before")
    os.chdir("/")
    linux.unmount("/.before", linux.MNT_DETACH)
    os.rmdir("/.before")
    _remount_read_only("/")
    _loopback_up()
    socket.sethostname("room")


def uid_group(uid: int) -> int:
    """Group that goes with :func:`room_uid`."""
    return uid if os.geteuid() == 0 else os.getgid()


def close_door(door: str) -> None:
    """Let nothing more be written to the one folder of the machine that the room shares."""
    linux.make_read_only(door)


def drop_rights(uid: int) -> None:
    """Give up every right and every way to new ones; process 1 and the kernel do."""
    if os.geteuid() == 0:
        gid = uid_group(uid)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        # The bounding set can only be emptied while the capabilities are still there.
        for capability in range(linux.LAST_CAPABILITY + 1):
            with contextlib.suppress(OSError):
                linux.prctl(linux.PR_CAPBSET_DROP, capability)
        os.setresuid(uid, uid, uid)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.set_seccomp_filter(seccomp.program())


def close_in(limits: Limits, uid: int, door: str | None) -> None:
    """Last step, in the process that will run foreign code.

    Raises
    ------
    OSError
        If the system refuses something that it offers.
    """
    _set_resource_limits(limits)
    # If the machine runs out of memory all the same, a room goes first.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    drop_rights(uid)
    # Changing the user makes a process unreadable to itself: /proc/self would be closed.
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    landlock.restrict((HOME, "/tmp", "/dev", *([door] if door else ())))


def _set_resource_limits(limits: Limits) -> None:
    megabyte = 1_000_000
    # Libraries reserve address space that they never use: the limit counts from what is taken now.
    with open("/proc/self/statm") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    for name, value in (
        (resource.RLIMIT_AS, taken + limits.memory_mb * megabyte + 2_500 * megabyte),
        (resource.RLIMIT_FSIZE, limits.file_mb * megabyte),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_NPROC, most_tasks(limits)),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 64 * 1024),
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_NICE, 0),
    ):
        hard = resource.getrlimit(name)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(name, (int(value), int(value)))


def _scratch_options(limits: Limits, uid: int) -> str:
    return (
        f"size={limits.scratch_mb}m,nr_inodes={_MOST_FILES},mode=700,uid={uid},gid={uid_group(uid)}"
    )


def _show(path: str, staging: str) -> None:
    """Make one folder or file of the machine readable at the same place below the new root."""
    target = staging + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        with contextlib.suppress(FileExistsError):
            os.symlink(os.readlink(path), target)
        return
    if stat.S_ISDIR(os.stat(path).st_mode):
        os.makedirs(target, exist_ok=True)
    else:
        Path(target).touch()
    linux.mount(path, target, None, linux.MS_BIND | linux.MS_REC)
    linux.make_read_only(target)


def _write_settings(staging: str, uid: int) -> None:
    folder = Path(staging + "/etc")
    folder.mkdir(exist_ok=True)
    gid = uid_group(uid)
    for name, text in (
        ("passwd", f"student:x:{uid}:{gid}:student:{HOME}:/bin/sh\n"),
        ("group", f"student:x:{gid}:\n"),
        ("hosts", "127.0.0.1 localhost room\n::1 localhost\n"),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ):
        (folder / name).write_text(text)


def _make_devices(staging: str, limits: Limits, uid: int) -> None:
    folder = staging + "/dev"
    os.makedirs(folder + "/shm")
    for name in _DEVICES:
        Path(folder, name).touch()
        linux.mount(f"/dev/{name}", f"{folder}/{name}", None, linux.MS_BIND)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ):
        os.symlink(target, f"{folder}/{name}")
    guarded = linux.MS_NOSUID | linux.MS_NODEV
    options = _scratch_options(limits, uid)
    linux.mount("shm", folder + "/shm", "tmpfs", guarded | linux.MS_NOEXEC, options)
    os.makedirs(folder + "/pts")
    # `!command` in a notebook needs a terminal; where there is none, it says so.
    with contextlib.suppress(OSError):
        options = f"newinstance,ptmxmode=0666,max={_MOST_TERMINALS}"
        linux.mount("devpts", folder + "/pts", "devpts", linux.MS_NOSUID, options)


def _remount_read_only(path: str) -> None:
    flags = linux.MS_BIND | 32 | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV  # 32: REMOUNT
    linux.mount("none", path, None, flags)


def _loopback_up() -> None:
    """Bring up the one network device of the room, which leads nowhere."""
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(device, get_flags, request))[1]
        fcntl.ioctl(device, set_flags, struct.pack("16sH14s", b"lo", flags | up, b""))
