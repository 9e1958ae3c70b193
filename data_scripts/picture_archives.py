"""From a checked archive of pictures to a folder with one subfolder for each class.

The folder appears whole or not at all: it grows beside its place and is renamed at the end. A name
in the archive that leads out of the folder is reason to refuse all of it.
"""

import gzip
import hashlib
import os
import re
import shutil
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, TypeVar

from tqdm import tqdm

from data_scripts.cache import ensure_room, fcntl
from data_scripts.errors import WrongContent, cache_error, clause
from data_scripts.picture_set_catalogue import PictureSet

LISTING = "SHA256SUMS"
"""Name of the list of a folder's pictures, as the command ``sha256sum`` writes and reads it."""

T = TypeVar("T")

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError)
_CHUNK = 1 << 20
_ROW = re.compile(r"([0-9a-f]{64})  (\S.*)")


def unpack(pictures: PictureSet, stream: BinaryIO, origin: str, folder: Path) -> tuple[str, ...]:
    """Unpack an archive whose SHA-256 has been checked.

    Parameters
    ----------
    pictures : PictureSet
        Entry of the catalogue, which says what goes where.
    stream : file object
        The archive, at its beginning.
    origin : str
        What to call it in an error.
    folder : pathlib.Path
        What to make. One that is there is replaced when the new one is whole. The entry must be
        locked.

    Returns
    -------
    tuple of str
        The pictures, relative to ``folder``, in alphabetical order.

    Raises
    ------
    WrongContent
        If it is no archive, has no pictures in the places where the catalogue expects them, or
        holds a name that leads elsewhere.
    CacheError
        If the folder cannot be written or there is no room for it.
    """
    unfinished = _beside(folder, str(os.getpid()))
    if fcntl:  # the lock is held, so no other process is unpacking
        for left in folder.parent.glob(_beside(folder, "*").name):
            shutil.rmtree(left, ignore_errors=True)
    ensure_room(folder.parent, pictures.room)
    rows = {}
    try:
        unfinished.mkdir()
        members = _members(pictures, stream, origin, folder)
        for place, content in with_bar(members, "unpacking", pictures.pictures):
            rows[place] = _write(content, unfinished / place)
        if not rows:
            raise WrongContent(f"{origin} has no pictures where they were expected")
        _write_listing(unfinished, pictures, rows)
        _let_take_place(unfinished, folder)
    except _DAMAGED as error:
        raise WrongContent(
            f"{origin} cannot be unpacked, expected an archive of pictures ({clause(error)})"
        ) from error
    except OSError as error:
        raise cache_error(error, folder) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return tuple(sorted(rows))


def _write_listing(folder: Path, pictures: PictureSet, rows: dict[str, str]) -> None:
    """Write the list of a folder: SHA-256 of the archive, then that of every picture."""
    text = [f"# {pictures.name}, unpacked from the archive {pictures.mirror.sha256}"]
    text += [f"{rows[place]}  {place}" for place in sorted(rows)]
    (folder / LISTING).write_text("\n".join(text) + "\n", "utf-8", newline="\n")


def read_listing(folder: Path) -> tuple[str, dict[str, str]]:
    """SHA-256 of the archive that a folder was unpacked from, and that of each picture.

    Raises
    ------
    ValueError
        If the list is damaged.
    OSError
        If it is not there or cannot be read.
    """
    head, *rows = (folder / LISTING).read_text(encoding="utf-8").splitlines() or [""]
    found = [_ROW.fullmatch(row) for row in rows]
    if not head.startswith("# ") or not rows or not all(found):
        raise ValueError(f"{LISTING} is no list of pictures")
    return head.rpartition(" ")[2], {row[2]: row[1] for row in found}


def digest_of(stream: BinaryIO, label: str, size: int) -> str:
    """SHA-256 of a large file, with a progress bar on a terminal."""
    digest = hashlib.sha256()
    with _bar(desc=f"checking {label}", total=size, unit="B", unit_scale=True) as bar:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
    return digest.hexdigest()


def with_bar(what: Iterable[T], label: str, total: int) -> Iterable[T]:
    """Go through pictures, with a progress bar on a terminal."""
    return _bar(what, desc=label, total=total, unit=" pictures")


def _bar(what: Iterable | None = None, **how: object) -> tqdm:
    return tqdm(what, file=sys.stderr, disable=None, leave=False, **how)


def _members(
    pictures: PictureSet, stream: BinaryIO, origin: str, folder: Path
) -> Iterator[tuple[str, IO[bytes]]]:
    """Pictures of an archive: where each goes, and its bytes."""
    if pictures.mirror.path.endswith(".zip"):
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                _refuse_outside(member.filename, origin)
                if place := pictures.place(member.filename):
                    with archive.open(member) as content:
                        yield place, content
        return
    # Python 3.11.4 and later know more ways out than a name: links, devices.
    refuse = getattr(tarfile, "data_filter", lambda *_: None)
    with tarfile.open(fileobj=stream, mode="r:gz") as archive:
        for member in archive:
            _refuse_outside(member.name, origin)
            refuse(member, str(folder))
            if member.isreg() and (place := pictures.place(member.name)):
                yield place, archive.extractfile(member)


def _refuse_outside(name: str, origin: str) -> None:
    """Refuse a name that leads out of the folder, on any system."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise WrongContent(
            f"{origin} holds the name {name!r}, expected only names that stay in its folder"
        )


def _write(content: IO[bytes], path: Path) -> str:
    """Write a picture, and return the SHA-256 of what was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as stream:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            stream.write(chunk)
    return digest.hexdigest()


def _let_take_place(unfinished: Path, folder: Path) -> None:
    """Rename a whole folder; one with damaged pictures makes way and is removed."""
    damaged = _beside(folder, f"{os.getpid()}-damaged")
    if folder.exists():
        os.replace(folder, damaged)
    os.replace(unfinished, folder)
    shutil.rmtree(damaged, ignore_errors=True)


def _beside(folder: Path, mark: str) -> Path:
    return folder.with_name(f".{folder.name}.{mark}.unpacking")
