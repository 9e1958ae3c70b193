"""Which places of the machine a room sees, and where its own are."""

import os
import sys
from pathlib import Path

HOME = "/home/student"
WORK = f"{HOME}/work"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime")


def read_only_paths(extra: tuple[str, ...] = ()) -> list[str]:
    """Folders and files of the machine that every room sees: system libraries and this Python."""
    wanted = [*_SYSTEM, *_SETTINGS]
    for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix):
        wanted += [prefix, os.path.realpath(prefix)]
    wanted += [str(Path(os.path.realpath(sys.executable)).parent.parent)]
    wanted += list(extra)
    kept: list[str] = []
    for path in dict.fromkeys(wanted):
        inside = any(path == other or path.startswith(other + "/") for other in kept)
        if path != "/" and not inside and os.path.lexists(path):
            kept.append(path)
    return kept


def exposed(path: Path, extra: tuple[str, ...] = ()) -> str | None:
    """Return the folder through which rooms would see `path`, or None."""
    real = os.path.realpath(path)
    for shown in read_only_paths(extra):
        if os.path.isdir(shown) and (real + "/").startswith(os.path.realpath(shown) + "/"):
            return shown
    return None
