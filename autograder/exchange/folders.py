"""The folders of an exchange: whose they are, and whether others can rename what lies in them."""

import os
import stat
from pathlib import Path

STICKY_FOR_ALL = 0o1777
# Everybody may put something in, nobody but the owner may look, and only owners may rename.
INBOUND = 0o3733


def why_distrusted(folder: Path, *, groupshared: bool = False) -> str | None:
    """Say why a folder of the exchange cannot be the instructor's own; None if all is well.

    Parameters
    ----------
    folder : pathlib.Path
        A folder that only the instructor (or root) should have made.
    groupshared : bool
        Whether the course is shared by the members of a group (``CourseDirectory.groupshared``).
    """
    try:
        about = os.lstat(folder)
    except OSError as error:
        return f"it cannot be looked at ({error.strerror})"
    if stat.S_ISLNK(about.st_mode):
        return "it is a link to another place"
    if not stat.S_ISDIR(about.st_mode):
        return "it is no folder"
    if about.st_uid in (os.geteuid(), 0):
        return None
    if groupshared and about.st_gid in os.getgroups():
        return None
    return f"it belongs to the user with id {about.st_uid}, not to you: somebody has replaced it"


def lets_others_rename(folder: Path) -> bool:
    """Whether people who own nothing in a folder may rename or remove what lies in it."""
    mode = os.lstat(folder).st_mode
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def forbid_renaming(folder: Path) -> bool:
    """Set the sticky bit where it is missing; tell whether others can still rename."""
    if lets_others_rename(folder):
        try:
            os.chmod(folder, stat.S_IMODE(os.lstat(folder).st_mode) | stat.S_ISVTX)
        except PermissionError:
            return True
    return False
