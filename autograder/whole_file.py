"""Write a file whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes, *, permissions: int = 0o600) -> None:
    """Let a file appear at once.

    Parameters
    ----------
    path : pathlib.Path
        The file; its folder is made if need be.
    content : bytes
        What it holds.
    permissions : int
        Its mode. Most of what is written here holds marks or names: then it is its owner's only.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, permissions)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
