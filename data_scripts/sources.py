"""A source to arrays: the embedded files, a mirror folder or address, a published address."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import numpy as np
from tqdm import tqdm

from data_scripts.archives import Arrays, checked, decode
from data_scripts.cache import Entry, downloads_folder
from data_scripts.catalogue import PARTS, Dataset, Expected, File, Source
from data_scripts.errors import SourceFailed, WrongContent, clause

T = TypeVar("T")


class Remote(Protocol):
    """Whatever can be downloaded: a file of a data set or of weights, an archive of pictures."""

    @property
    def path(self) -> str:
        """Relative to the base of its source."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def sha256(self) -> str | None:
        """Of the file, where it is known."""


def read_embedded(dataset: Dataset) -> Arrays:
    """The quick arrays, from the files in this package.

    Raises
    ------
    WrongContent
        If a file is not the one that was published.
    """
    folder = resources.files("data_scripts") / "embedded"

    def read(file: File) -> Arrays:
        try:
            with (folder / file.path).open("rb") as stream:
                return decode(file, stream, f"the embedded {file.path}")
        except OSError as error:
            raise SourceFailed(
                f"the embedded {file.path} cannot be read ({error.strerror or clause(error)})"
            ) from error

    return _assembled(dataset.embedded, dataset.quick, read, "the embedded files")


def mirror_named() -> str | None:
    """What ``COURSE_DATA_MIRROR`` holds; None if it is unset or empty."""
    return os.environ.get("COURSE_DATA_MIRROR") or None


def is_address(mirror: str) -> bool:
    """Whether a mirror is an HTTP address and not a folder."""
    return mirror.lower().startswith(("http://", "https://"))


def mirror_base(mirror: str) -> str:
    """The address of a mirror with a slash at its end, or :class:`SourceFailed` if it is none."""
    base = mirror.rstrip("/") + "/"
    try:
        whole = bool(urlsplit(base).hostname)
    except ValueError:
        whole = False
    if not whole:
        raise SourceFailed(f"COURSE_DATA_MIRROR is {mirror!r}, expected a folder or an address")
    return base


def mirror_folder(mirror: str) -> Path:
    """The folder of a mirror, or :class:`SourceFailed` if there is none."""
    folder = Path(mirror).expanduser()
    if not folder.is_dir():
        raise SourceFailed(f"COURSE_DATA_MIRROR is {mirror!r}, expected a folder or an address")
    return folder


def read_mirror(dataset: Dataset, mirror: str) -> Arrays:
    """The full arrays, from a folder or an address in the layout of the catalogue.

    A mirror may have a ``manifest.json`` whose ``files`` give the ``sha256`` of each file. Then a
    file must match it too, so that no byte of the mirror can change unnoticed, not even one that
    no pixel depends on.

    Parameters
    ----------
    dataset : Dataset
        Entry of the catalogue.
    mirror : str
        A folder, or an ``http`` or ``https`` address.

    Raises
    ------
    SourceFailed
        If the mirror is not there or lacks a file.
    WrongContent
        If a file is not what it should be; the message names the file.
    """
    if is_address(mirror):
        base = mirror_base(mirror)
        listed = manifest_at(dataset, base)
        return _assembled(
            dataset.mirror,
            dataset.full,
            lambda file: _downloaded(dataset, file, base, listed.get(file.path)),
            f"the mirror {mirror}",
        )
    folder = mirror_folder(mirror)
    listed = manifest_in(folder)

    def read(file: File) -> Arrays:
        path = folder / file.path
        origin = f"{file.path} of the mirror {mirror}"
        try:
            with path.open("rb") as stream:
                matches(stream.read, listed.get(file.path), origin)
                stream.seek(0)
                return decode(file, stream, origin)
        except OSError as error:
            raise SourceFailed(
                f"{origin} cannot be read ({error.strerror or clause(error)})"
            ) from error

    return _assembled(dataset.mirror, dataset.full, read, f"the mirror {mirror}")


def read_published(dataset: Dataset, source: Source) -> Arrays:
    """The full arrays, from a published address.

    Raises
    ------
    SourceFailed
        If a file cannot be fetched.
    WrongContent
        If a file is not what it should be.
    CacheError
        If there is no room for it.
    """
    return _assembled(
        source,
        dataset.full,
        lambda file: _downloaded(dataset, file, source.base),
        source.name,
    )


def _assembled(
    source: Source, whole: dict[str, Expected], read: Callable[[File], Arrays], origin: str
) -> Arrays:
    """Read every file of a source, join the pieces, check the arrays."""
    pieces: dict[str, list[np.ndarray]] = {name: [] for name in PARTS}
    files = tqdm(
        source.files,
        desc="reading",
        unit="file",
        file=sys.stderr,
        disable=True if len(source.files) == 1 or source.base else None,
        leave=False,
    )
    for file in files:
        for name, array in read(file).items():
            pieces[name].append(array)
    return {
        # A single piece has been checked already, against the same digest.
        name: arrays[0]
        if len(arrays) == 1
        else checked(np.concatenate(arrays), whole[name], f"{name} of {origin}")
        for name, arrays in pieces.items()
    }


def _downloaded(dataset: Dataset, file: File, base: str, listed: str | None = None) -> Arrays:
    """Download a file, check and decode it; it stays until the whole data set is there."""

    def decoded(path: Path, url: str) -> Arrays:
        with path.open("rb") as stream:
            matches(stream.read, listed, url)
            stream.seek(0)
            return decode(file, stream, url)

    return downloaded(dataset, file, base, decoded)


def downloaded(entry: Entry, file: Remote, base: str, check: Callable[[Path, str], T]) -> T:
    """Download a file and check it; it stays in the entry's folder for downloads.

    Parameters
    ----------
    entry : Dataset, Weights or PictureSet
        Entry of the catalogue.
    file : File, WeightFile or Archive
        One file of it.
    base : str
        Address to which the file's path is added.
    check : callable
        Gets the path of the whole file and its address, and raises :class:`WrongContent` if it is
        not what it should be.

    Returns
    -------
    object
        What ``check`` returned.

    Raises
    ------
    SourceFailed
        If the file cannot be fetched.
    WrongContent
        If the check refuses it; then nothing of it is left.
    """
    from data_scripts import downloads  # not at the top: it imports pooch and requests

    url, folder = base + file.path, downloads_folder(entry)

    def attempt() -> T:
        try:
            path = downloads.download(
                url, folder, size=file.size, label=file.path, sha256=file.sha256
            )
            return check(path, url)
        except WrongContent:
            downloads.discard(url, folder)
            raise

    if downloads.leftover(url, folder):
        # The first half may be of another version of the file than the second: then once more,
        # from the start.
        with contextlib.suppress(WrongContent):
            return attempt()
    return attempt()


def manifest_at(entry: Entry, base: str) -> dict[str, str]:
    """Digests from a mirror's manifest, if the address has one."""
    from data_scripts import downloads

    url, folder = f"{base}manifest.json", downloads_folder(entry)
    downloads.discard(url, folder)
    try:
        path = downloads.download(url, folder, size=1 << 20, label="manifest.json")
        content = path.read_bytes()
    except SourceFailed:
        return {}
    finally:
        downloads.discard(url, folder)
    return _listed(content, url)


def manifest_in(folder: Path) -> dict[str, str]:
    """Digests from a mirror's manifest, if the folder has one."""
    path = folder / "manifest.json"
    try:
        return _listed(path.read_bytes(), str(path))
    except OSError:
        return {}


def _listed(content: bytes, origin: str) -> dict[str, str]:
    """SHA-256 of each file that a manifest lists."""
    try:
        entries = json.loads(content)["files"].items()
        return {path: str(entry["sha256"]) for path, entry in entries if "sha256" in entry}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongContent(
            f"{origin} is not a manifest, expected JSON with the sha256 of each of its “files” "
            f"({clause(error)})"
        ) from error


def matches(read: Callable[[], bytes], listed: str | None, origin: str) -> None:
    """Compare a file with what its mirror's manifest says, if it says anything."""
    if listed is None:
        return
    received = hashlib.sha256(read()).hexdigest()
    if received != listed:
        raise WrongContent(
            f"{origin} has SHA-256 {received[:16]}…, expected {listed[:16]}… as the mirror's "
            "manifest.json says"
        )
