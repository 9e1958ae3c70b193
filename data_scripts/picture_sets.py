"""From the name of a set of photographs to a folder with one subfolder for each class.

The order of the sources, the lock, the way in which a download goes on and what is said when
nothing helps are those of the data sets. An archive is unpacked only after its SHA-256 is found to
be the catalogue's. The folder appears in the cache whole or not at all. In it, ``SHA256SUMS``
lists every picture, and all of them are compared with it every time the set is asked for. (The
command ``sha256sum -c SHA256SUMS`` does the same.)
"""

import contextlib
import hashlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from data_scripts import cache
from data_scripts.errors import DataError, DataWarning, SourceFailed, WrongContent, clause
from data_scripts.picture_archives import LISTING, digest_of, read_listing, unpack, with_bar
from data_scripts.picture_set_catalogue import PICTURE_SETS, Archive, PictureSet
from data_scripts.sources import downloaded, is_address, mirror_base, mirror_folder, mirror_named

_DROPPINGS = ("Thumbs.db", "desktop.ini")  # of file managers, besides names that begin with a dot


class Unpacked(NamedTuple):
    """A set in the cache.

    Attributes
    ----------
    folder : pathlib.Path
        With a subfolder for each class.
    files : tuple of str
        The pictures, relative to ``folder``, in alphabetical order.
    """

    folder: Path
    files: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Folders that pictures lie in, relative to ``folder``."""
        return tuple(sorted({file.rpartition("/")[0] for file in self.files}))


def picture_set(name: Literal["oxford_pets", "caltech101_animals"]) -> Path:
    """Find a set of photographs in class folders, and fetch it if it is not there.

    Parameters
    ----------
    name : {"oxford_pets", "caltech101_animals"}
        ``"oxford_pets"``: 7,390 pictures of pets in two folders, ``dogs`` with 25 breeds and
        ``cats`` with 12; 792 MB to download, and 850 MB more while it is unpacked.
        ``"caltech101_animals"``: 777 pictures of ten kinds of animals; 12 MB, from a mirror only.

    Returns
    -------
    pathlib.Path
        A folder that :func:`data_scripts.picture_folders.read_folder` takes. It belongs to the
        cache: put pictures of your own elsewhere.

    Raises
    ------
    ValueError
        If there is no such set.
    DataError
        If no source can give it, or something in its folder does not belong there; the message is
        one sentence that says what to do.

    Warns
    -----
    DataWarning
        If the set was damaged, and is unpacked again.

    Notes
    -----
    It is looked for in the cache, then in ``COURSE_DATA_MIRROR``, then at its published addresses.
    A download that broke off goes on where it was.

    **Oxford-IIIT Pet**: O. M. Parkhi and others (2012), CC BY-SA 4.0. About 200 pictures a breed.
    Some are no JPEG files whatever their names say, and two break off before their end:
    ``read_folder`` reads the former and passes over the latter with a warning.

    **Caltech-101**: F.-F. Li and others (2022), CC BY 4.0. 64 to 100 pictures a class.

    Examples
    --------
    >>> from data_scripts.picture_folders import read_folder
    >>> pets = picture_set("oxford_pets")  # doctest: +SKIP
    >>> len(read_folder(pets / "dogs").class_names)  # doctest: +SKIP
    25
    >>> read_folder(pets).class_names  # doctest: +SKIP
    ('cats', 'dogs')
    """
    if name not in PICTURE_SETS:
        raise ValueError(
            f"there is no picture set {name!r}; expected one of {', '.join(PICTURE_SETS)}"
        )
    found, _ = fetch(PICTURE_SETS[name])
    return found.folder


def cached_folder(pictures: PictureSet) -> Path:
    """Where the pictures of a set are or would be."""
    return cache.cache_folder() / pictures.name


def read_cached(pictures: PictureSet) -> Unpacked | None:
    """Compare every picture in the cache with the list of the set; None if there are none.

    Raises
    ------
    WrongContent
        If a picture is missing or changed, or the set is of another archive.
    DataError
        If the folder cannot be read, has no list or holds a file that is not of the set. Then it
        may hold somebody's own work, and nothing here removes it.
    """
    folder = cached_folder(pictures)
    try:
        if not folder.exists():
            return None
        archive, listed = read_listing(folder)
        strange = _strange(folder, listed)
        wrong = [
            file
            for file, expected in with_bar(listed.items(), "checking", len(listed))
            if _digest_at(folder / file) != expected
        ]
    except (FileNotFoundError, ValueError) as error:
        raise DataError(
            f"the cached {folder} has no whole list {LISTING}, so nothing can tell which of its "
            "files belong there; move what is yours out of it, then delete that folder and fetch "
            f"{pictures.name} again."
        ) from error
    except OSError as error:
        raise DataError(
            f"the cached {folder} cannot be read ({error.strerror or clause(error)}), expected a "
            "folder of pictures; make it readable, or set COURSE_DATA_CACHE to another folder."
        ) from error
    if strange:
        raise DataError(
            f"the cached {folder} holds {_some(strange)}, expected nothing but the pictures of "
            f"{pictures.name}; move what is yours to a folder outside the cache."
        )
    if archive != pictures.mirror.sha256:
        raise WrongContent(
            f"the cached {folder} is of the archive with SHA-256 {archive[:16]}…, expected "
            f"{pictures.mirror.sha256[:16]}…"
        )
    if wrong:
        raise WrongContent(
            f"the cached {folder} is damaged ({_some(wrong)}), expected {len(listed):,} pictures "
            f"as its {LISTING} says"
        )
    return Unpacked(folder, tuple(sorted(listed)))


def read_in_mirror_folder(pictures: PictureSet, mirror: str) -> Path | None:
    """Check the archive in a mirror folder, and unpack nothing; None if it is not there.

    Raises
    ------
    WrongContent
        If it is another file.
    SourceFailed
        If it or the mirror cannot be read.
    """
    try:
        with _whole_in_mirror_folder(pictures, mirror):
            return mirror_folder(mirror) / pictures.mirror.path
    except FileNotFoundError:
        return None


def fetch(pictures: PictureSet) -> tuple[Unpacked, str]:
    """Get a set into the cache, unless it is there.

    Parameters
    ----------
    pictures : PictureSet
        Entry of the catalogue.

    Returns
    -------
    found : Unpacked
        The folder and its files.
    origin : str
        Where they came from.

    Raises
    ------
    DataError
        If no source gives it.
    """
    try:
        found = read_cached(pictures)
    except WrongContent as error:
        warnings.warn(f"{error}; it is fetched again.", DataWarning, stacklevel=3)
        found = None
    if found is not None:
        return found, "the cache"
    with cache.locked(pictures):
        with contextlib.suppress(WrongContent):  # told above
            found = read_cached(pictures)
        if found is not None:  # another process was quicker
            return found, "the cache"
        found, origin = _obtained(pictures)
        cache.clear_downloads(pictures)
        return found, origin


def _obtained(pictures: PictureSet) -> tuple[Unpacked, str]:
    """Try the mirror, then the published addresses; gather the reasons if all fail."""
    reasons = []
    mirror = mirror_named()
    if mirror:
        try:
            return _from_mirror(pictures, mirror), f"the mirror {mirror}"
        except WrongContent as error:  # somebody chose this mirror and must learn that
            others = ", or unset COURSE_DATA_MIRROR to use the published source"
            raise DataError(
                f"{pictures.name} was refused: {error}; copy this file again from where the "
                f"mirror was made{others if pictures.bases else ''}."
            ) from error
        except SourceFailed as error:
            reasons.append(str(error))
    for base in pictures.bases:
        try:
            return _downloaded(pictures, pictures.published, base), base
        except SourceFailed as error:
            reasons.append(str(error))
    if not pictures.bases:
        reasons.append("it is published only as part of a larger archive")
    online = "connect to the internet, or " if pictures.bases else ""
    raise DataError(
        f"{pictures.name} could not be fetched: {'; '.join(reasons)}; {online}set "
        f"COURSE_DATA_MIRROR to a folder or address that has {pictures.mirror.path}, or use a "
        "folder of your own pictures."
    )


def _from_mirror(pictures: PictureSet, mirror: str) -> Unpacked:
    if is_address(mirror):
        return _downloaded(pictures, pictures.mirror, mirror_base(mirror))
    try:
        with _whole_in_mirror_folder(pictures, mirror) as stream:
            return _unpacked(pictures, stream, f"{pictures.mirror.path} of the mirror {mirror}")
    except FileNotFoundError as error:
        raise SourceFailed(f"the mirror {mirror} has no {pictures.mirror.path}") from error


@contextlib.contextmanager
def _whole_in_mirror_folder(pictures: PictureSet, mirror: str) -> Iterator[BinaryIO]:
    """Open an archive in a mirror folder after checking it.

    The catalogue knows the file's digest, so the mirror's manifest has nothing to add.
    """
    archive = pictures.mirror
    origin = f"{archive.path} of the mirror {mirror}"
    with contextlib.ExitStack() as opened:
        try:
            stream = opened.enter_context((mirror_folder(mirror) / archive.path).open("rb"))
            received = digest_of(stream, archive.path, archive.size)
            stream.seek(0)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise SourceFailed(
                f"{origin} cannot be read ({error.strerror or clause(error)})"
            ) from error
        if received != archive.sha256:
            raise WrongContent(
                f"{origin} has SHA-256 {received[:16]}…, expected {archive.sha256[:16]}…"
            )
        yield stream


def _downloaded(pictures: PictureSet, archive: Archive, base: str) -> Unpacked:
    """Download an archive, which is checked on the way, and unpack it."""
    folder = cache.downloads_folder(pictures)
    have = sum(path.stat().st_size for path in folder.glob("*")) if folder.is_dir() else 0
    cache.ensure_room(cache.cache_folder(), pictures.room + max(0, archive.size - have))

    def unpacked(path: Path, url: str) -> Unpacked:
        with path.open("rb") as stream:
            return _unpacked(pictures, stream, url)

    return downloaded(pictures, archive, base, unpacked)


def _unpacked(pictures: PictureSet, stream: BinaryIO, origin: str) -> Unpacked:
    folder = cached_folder(pictures)
    return Unpacked(folder, unpack(pictures, stream, origin, folder))


def _strange(folder: Path, listed: dict[str, str]) -> list[str]:
    """Files of a folder that are not of the set, nor what a file manager leaves everywhere."""
    there = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        file.as_posix()
        for file in there
        if file.as_posix() not in listed
        and file.name not in (LISTING, *_DROPPINGS)
        and not file.name.startswith(".")
    )


def _digest_at(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"
