"""The cache: one uncompressed ``.npz`` of decoded arrays for each data set.

``COURSE_DATA_CACHE`` names the folder; without it, it is the platform's folder for caches. A file
in it appears whole or not at all, and it is checked against the catalogue every time it is read.
``downloads/`` below it holds what is on its way: whole containers, and ``.part`` files from which
a broken download goes on.
"""

import contextlib
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from data_scripts.archives import Arrays, decode
from data_scripts.catalogue import Dataset, File
from data_scripts.errors import (
    CacheError,
    DataWarning,
    SourceFailed,
    WrongContent,
    cache_error,
    clause,
)

try:
    import fcntl
except ImportError:  # Windows: two processes that fetch at once both do the work.
    fcntl = None


class Entry(Protocol):
    """Whatever has a place of its own in the cache: a data set or a file of weights."""

    @property
    def name(self) -> str:
        """Of the entry; the names of its files begin with it."""


def cache_folder() -> Path:
    """The folder that ``COURSE_DATA_CACHE`` names, or the platform's; it need not exist."""
    named = os.environ.get("COURSE_DATA_CACHE")
    if named:
        return Path(named).expanduser()
    import pooch  # not at the top: importing data_scripts stays quick

    return pooch.os_cache("cnn-course")


def cached_file(dataset: Dataset) -> Path:
    """Where the full arrays of a data set are or would be."""
    return cache_folder() / f"{dataset.name}.npz"


def downloads_folder(entry: Entry) -> Path:
    """Where the files of an entry wait until all of them are there."""
    return cache_folder() / "downloads" / entry.name


def read(dataset: Dataset) -> Arrays | None:
    """Read the full arrays and check them.

    Parameters
    ----------
    dataset : Dataset
        Entry of the catalogue.

    Returns
    -------
    dict or None
        The four arrays; None if they are not cached.

    Raises
    ------
    WrongContent
        If the file is not what was stored.
    SourceFailed
        If the operating system does not let it be read.
    """
    path = cached_file(dataset)
    try:
        with path.open("rb") as stream:
            return decode(File(path.name, "npz", dataset.full, 0), stream, f"the cached {path}")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceFailed(
            f"the cached {path} cannot be read ({error.strerror or clause(error)})"
        ) from error


def take(dataset: Dataset) -> Arrays | None:
    """Read the full arrays; if they are damaged, say so, clear them away and return None.

    Parameters
    ----------
    dataset : Dataset
        Entry of the catalogue.

    Warns
    -----
    DataWarning
        If there is a file and it is damaged or unreadable.
    """
    try:
        return read(dataset)
    except SourceFailed as error:
        warnings.warn(f"{error}; it is fetched again.", DataWarning, stacklevel=4)
        if isinstance(error, WrongContent):
            with contextlib.suppress(OSError):
                cached_file(dataset).unlink()
        return None


def write(dataset: Dataset, arrays: Arrays) -> Path:
    """Store the full arrays: in a file beside the final one, which then takes its place.

    Parameters
    ----------
    dataset : Dataset
        Entry of the catalogue.
    arrays : dict
        Its four arrays, already checked.

    Returns
    -------
    pathlib.Path
        Of the stored file.

    Raises
    ------
    CacheError
        If the folder cannot be written or has no room. What was there before is still there.
    """
    path = cached_file(dataset)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ensure_room(path.parent, dataset.size)
        with unfinished.open("wb") as stream:
            np.savez(stream, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise cache_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return path


def ensure_room(folder: Path, size: int) -> None:
    """Refuse to begin what cannot be finished.

    Parameters
    ----------
    folder : pathlib.Path
        An existing folder.
    size : int
        Bytes that are about to be written to it.

    Raises
    ------
    CacheError
        If less is free.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise CacheError(
            f"the disk is full: {folder} has {readable(free)} free, expected "
            f"{readable(size)}; free some space, or set COURSE_DATA_CACHE to a folder on a "
            "larger disk."
        )


def clear_downloads(entry: Entry) -> None:
    """Remove what was kept on the way, and what a killed process left."""
    shutil.rmtree(downloads_folder(entry), ignore_errors=True)
    with contextlib.suppress(OSError):
        downloads_folder(entry).parent.rmdir()
    if fcntl:  # the lock is held, so no other process is writing
        for left in cache_folder().glob(f".{entry.name}.*.tmp"):
            left.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(entry: Entry) -> Iterator[None]:
    """Let one process at a time fetch an entry; the others wait, then find it cached.

    Parameters
    ----------
    entry : Entry
        Of the catalogue.

    Raises
    ------
    CacheError
        If the folder cannot be made or written.
    """
    lock = cache_folder() / f".{entry.name}.lock"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        stream = lock.open("ab")
    except OSError as error:
        raise cache_error(error, lock.parent) from error
    with stream:
        if fcntl:
            with contextlib.suppress(OSError):  # a network folder without locks
                fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def readable(size: float) -> str:
    """A number of bytes as people read it: ``"340 bytes"``, ``"12 kB"``, ``"54.9 MB"``."""
    if size < 1000:
        return f"{size:.0f} bytes"
    if size < 1e6:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"
