"""One more wall where the system has it: Landlock, rules that a process lays upon itself.

The room's root is read-only but for a few places already; Landlock says the same once more, by
another mechanism. Where it can, it also keeps signals and abstract sockets inside the room.

Source: the manual page landlock(7), and ``include/uapi/linux/landlock.h``.
"""

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable

from autograder.kernels import linux

# The same numbers on every processor.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # flag of the first call
_PATH_BENEATH = 1
_WRITE_FILE = 1 << 1
# Removing and making of files, folders, sockets, pipes, links and devices.
_CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_SCOPES = 0b11  # abstract sockets, signals
# The first version denies every move between folders.
LOWEST = 2
_TRUNCATE_SINCE = 3
_SCOPES_SINCE = 6


def version() -> int:
    """Version of Landlock that this system offers; 0 where there is none."""
    if not linux.AVAILABLE:
        return 0
    return max(linux.call(_CREATE_RULESET, ctypes.c_void_p(None), ctypes.c_size_t(0), _VERSION), 0)


def restrict(writable: Iterable[str]) -> bool:
    """Let this process, and whatever it starts, write below the named places only.

    Parameters
    ----------
    writable : iterable of str
        Folders.

    Returns
    -------
    bool
        False where the system has no Landlock, or one that is too old.

    Raises
    ------
    OSError
        If the system has it and refuses.
    """
    offered = version()
    if offered < LOWEST:
        return False
    writes = _WRITE_FILE | _CHANGE_FOLDER | _REFER
    if offered >= _TRUNCATE_SINCE:
        writes |= _TRUNCATE
    scoped = _SCOPES if offered >= _SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", writes, 0, scoped)
    if not scoped:
        attributes = attributes[:8]
    rules = _checked(
        "create rules", _CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0
    )
    try:
        for path in writable:
            with contextlib.suppress(FileNotFoundError):
                folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
                try:
                    rule = struct.pack("=Qi", writes, folder)
                    _checked("add a rule", _ADD_RULE, rules, _PATH_BENEATH, rule, 0)
                finally:
                    os.close(folder)
        _checked("restrict", _RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    return True


def _checked(what: str, number: int, *arguments: object) -> int:
    return linux.checked(linux.call(number, *arguments), f"Landlock: {what}")
