"""From an entry of the network catalogue to arrays: embedded, cached, from a mirror, published.

The cache keeps a file of weights as it came, in HDF5, and checks it every time it is read. The
order of the sources, the lock, the way in which a download goes on and what is said when nothing
helps are those of the data sets.
"""

import contextlib
import hashlib
import os
import shutil
import warnings
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_scripts import cache
from data_scripts.digests import digest_of_weights
from data_scripts.errors import (
    CacheError,
    DataError,
    DataWarning,
    SourceFailed,
    WrongContent,
    cache_error,
    clause,
)
from data_scripts.network_catalogue import Network, WeightFile, Weights
from data_scripts.sources import (
    downloaded,
    is_address,
    manifest_at,
    manifest_in,
    mirror_base,
    mirror_folder,
    mirror_named,
)


class Found(NamedTuple):
    """The arrays of a file, in its order, and which of the accepted files it is."""

    arrays: list[np.ndarray]
    version: WeightFile


def read_embedded(network: Network) -> dict[str, np.ndarray]:
    """The weights that are embedded in this package.

    Returns
    -------
    dict
        By ``layer/weight``, in the network's order.

    Raises
    ------
    WrongContent
        If the file is not the one that was published.
    SourceFailed
        If it cannot be read.
    """
    file = network.embedded
    origin = f"the embedded {file.path}"
    try:
        place = resources.files("data_scripts") / "embedded" / file.path
        with place.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise SourceFailed(
            f"{origin} cannot be read ({error.strerror or clause(error)})"
        ) from error
    except Exception as error:  # damaged bytes: zlib.error, BadZipFile, EOFError, ValueError
        raise WrongContent(
            f"{origin} is damaged or cut short, expected a whole file of kind “npz” (the decoder "
            f"said: {clause(error)})"
        ) from error
    received = digest_of_weights(arrays.values())
    if received != file.arrays:
        raise WrongContent(
            f"{origin} has values with SHA-256 {received[:16]}…, expected {file.arrays[:16]}…"
        )
    return arrays


def cached_file(weights: Weights) -> Path:
    """Where a file of weights is or would be."""
    return cache.cache_folder() / f"{weights.name}.h5"


def read(weights: Weights, path: Path, origin: str, listed: str | None = None) -> Found:
    """Read a file of weights and check that it is one of those that are accepted.

    Parameters
    ----------
    weights : Weights
        Entry of the catalogue.
    path : pathlib.Path
        HDF5, as Keras has written weights since its beginning.
    origin : str
        What to call the file in an error: a path or an address.
    listed : str, optional
        SHA-256 of the file, as the manifest of its mirror or a note in the cache says.

    Returns
    -------
    Found
        The arrays and the version.

    Raises
    ------
    WrongContent
        If it is damaged or another file.
    OSError
        If it cannot be opened.
    """
    if listed is not None and (received := _checksum(path, "sha256")) != listed:
        raise WrongContent(f"{origin} has SHA-256 {received[:16]}…, expected {listed[:16]}…")
    md5 = {version.md5: version for version in weights.versions if version.md5}
    received = _checksum(path, "md5") if md5 else None
    if received in md5:
        return Found(_arrays(path, origin, weights.numbers), md5[received])
    if md5 and not any(version.arrays for version in weights.versions):
        raise WrongContent(f"{origin} has MD5 {received}, expected {' or '.join(md5)}")
    arrays = _arrays(path, origin, weights.numbers)
    received = digest_of_weights(arrays)
    for version in weights.versions:
        if version.arrays == received:
            return Found(arrays, version)
        if version.unchecked:
            if not all(np.isfinite(array).all() for array in arrays):
                raise WrongContent(f"{origin} has numbers that are not finite, expected weights")
            return Found(arrays, version)
    expected = next(version.arrays for version in weights.versions if version.arrays)
    raise WrongContent(
        f"{origin} has values with SHA-256 {received[:16]}…, expected {expected[:16]}…"
    )


def read_cached(weights: Weights) -> Found | None:
    """Read the file in the cache and check it; None if there is none.

    Raises
    ------
    WrongContent
        If the file is not what was stored.
    SourceFailed
        If the operating system does not let it be read.
    """
    path = cached_file(weights)
    origin = f"the cached {path}"
    try:
        note = _note(path)
        listed = note.read_text(encoding="ascii").split()[0] if note.exists() else None
        found = read(weights, path, origin, listed)
        if found.version.unchecked and listed is None:
            raise WrongContent(f"{origin} has lost its note {note.name}, expected one beside it")
        return found
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceFailed(
            f"{origin} cannot be read ({error.strerror or clause(error)})"
        ) from error
    except (IndexError, UnicodeError) as error:
        raise WrongContent(f"the cached {note} is damaged, expected a SHA-256") from error


def fetch(weights: Weights, *, must_keep: bool = True) -> tuple[Found, str]:
    """Get a file of weights into the cache, unless it is there.

    Parameters
    ----------
    weights : Weights
        Entry of the catalogue.
    must_keep : bool
        Whether a cache that cannot be written is an error even when the file can be had without
        it, from a mirror folder. Otherwise it is a warning.

    Returns
    -------
    found : Found
        Arrays and version.
    origin : str
        Where they came from.

    Raises
    ------
    DataError
        If no source gives them.
    """
    found = _take(weights)
    if found is not None:
        return found, "the cache"
    try:
        with cache.locked(weights):
            if cached_file(weights).exists():  # another process was quicker
                found = _take(weights)
                if found is not None:
                    return found, "the cache"
            found, origin = _obtained(weights)
            cache.clear_downloads(weights)
            return found, origin
    except CacheError as error:
        mirror = mirror_named()
        if must_keep or mirror is None or is_address(mirror) or not os.path.isdir(mirror):
            raise
        try:
            found, _ = _in_mirror_folder(weights, mirror)
        except SourceFailed:
            raise error from None
        warnings.warn(
            f"{weights.name} is read from the mirror every time: {error}", DataWarning, stacklevel=3
        )
        return found, f"the mirror {mirror}"


def at_hand(weights: Weights) -> bool:
    """Whether a file of weights is in the cache or in a mirror folder; it is not checked."""
    if cached_file(weights).is_file():
        return True
    mirror = mirror_named()
    if mirror is None or is_address(mirror):
        return False
    folder = Path(mirror).expanduser()
    return any((folder / file.path).is_file() for file in weights.mirror)


def read_in_mirror_folder(weights: Weights, mirror: str) -> Found | None:
    """Read the first file that a mirror folder has of this entry; None if it has none."""
    if not any((Path(mirror).expanduser() / file.path).is_file() for file in weights.mirror):
        return None
    return _in_mirror_folder(weights, mirror)[0]


def _take(weights: Weights) -> Found | None:
    """Read the cached file; if it is damaged, say so, clear it away and return None."""
    try:
        return read_cached(weights)
    except SourceFailed as error:
        warnings.warn(f"{error}; it is fetched again.", DataWarning, stacklevel=4)
        if isinstance(error, WrongContent):
            with contextlib.suppress(OSError):
                cached_file(weights).unlink()
        return None


def _obtained(weights: Weights) -> tuple[Found, str]:
    """Try the mirror, then the published source; store what came; gather the reasons."""
    reasons = []
    mirror = mirror_named()
    try:
        if mirror:
            return _from_mirror(weights, mirror), f"the mirror {mirror}"
    except WrongContent as error:  # somebody chose this mirror and must learn that
        raise DataError(
            f"{weights.name} was refused: {error}; copy this file again from where the mirror was "
            "made, or unset COURSE_DATA_MIRROR to use the published sources."
        ) from error
    except SourceFailed as error:
        reasons.append(str(error))
    try:
        return _downloaded(weights, weights.published, weights.base), weights.base
    except SourceFailed as error:
        reasons.append(str(error))
    raise DataError(
        f"{weights.name} could not be fetched: {'; '.join(reasons)}; connect to the internet, or "
        "set COURSE_DATA_MIRROR to a folder or address that has "
        f"{' or '.join(file.path for file in weights.mirror)}, or load efficientnet_lite0, which "
        "needs no network."
    )


def _from_mirror(weights: Weights, mirror: str) -> Found:
    if not is_address(mirror):
        found, path = _in_mirror_folder(weights, mirror)
        _keep_copy(weights, path)
        _write_note(weights, found)
        return found
    base = mirror_base(mirror)
    listed = manifest_at(weights, base)
    reasons = []
    for file in weights.mirror:
        try:
            return _downloaded(weights, file, base, listed.get(file.path))
        except WrongContent:
            raise
        except SourceFailed as error:
            reasons.append(str(error))
    raise SourceFailed("; ".join(reasons))


def _in_mirror_folder(weights: Weights, mirror: str) -> tuple[Found, Path]:
    folder = mirror_folder(mirror)
    listed = manifest_in(folder)
    for file in weights.mirror:
        path, origin = folder / file.path, f"{file.path} of the mirror {mirror}"
        try:
            return read(weights, path, origin, listed.get(file.path)), path
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SourceFailed(
                f"{origin} cannot be read ({error.strerror or clause(error)})"
            ) from error
    raise SourceFailed(
        f"the mirror {mirror} has no {' and no '.join(file.path for file in weights.mirror)}"
    )


def _downloaded(weights: Weights, file: WeightFile, base: str, listed: str | None = None) -> Found:
    """Download a file, check it, and let it take its place in the cache."""

    def checked(path: Path, url: str) -> tuple[Found, Path]:
        return read(weights, path, url, listed), path

    found, path = downloaded(weights, file, base, checked)
    _write_note(weights, found, path)
    try:
        os.replace(path, cached_file(weights))
    except OSError as error:
        raise cache_error(error, cached_file(weights)) from error
    return found


def _keep_copy(weights: Weights, source: Path) -> None:
    """Copy a file into the cache: beside the final one, which it then replaces."""
    path = cached_file(weights)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        cache.ensure_room(path.parent, source.stat().st_size)
        with source.open("rb") as reading, unfinished.open("wb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)
            writing.flush()
            os.fsync(writing.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise cache_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _note(path: Path) -> Path:
    """Where the SHA-256 of a file stands for which nobody has published any checksum."""
    return path.with_name(f"{path.name}.sha256")


def _write_note(weights: Weights, found: Found, path: Path | None = None) -> None:
    """Note what came, so that a later change in the cache is seen although nobody knows better."""
    place = cached_file(weights)
    note = _note(place)
    try:
        note.unlink(missing_ok=True)
        if found.version.unchecked:
            note.write_text(f"{_checksum(path or place, 'sha256')}  {place.name}\n", "ascii")
    except OSError as error:
        raise cache_error(error, note) from error


def _checksum(path: Path, kind: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(
            stream, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def _arrays(path: Path, origin: str, numbers: int) -> list[np.ndarray]:
    """Arrays of an HDF5 file of Keras weights, in the order of its layers."""
    import h5py  # not at the top: importing data_scripts stays light

    path.open("rb").close()  # so that a file which is not there is no damaged one
    try:
        with h5py.File(path, "r") as file:
            layers = file.get("model_weights", file)
            tables = [
                layers[layer][weight]
                for layer in _names(layers.attrs["layer_names"])
                for weight in _names(layers[layer].attrs["weight_names"])
            ]
            announced = sum(table.size for table in tables)
            if announced != numbers:
                raise ValueError(f"{announced:,} numbers, expected {numbers:,}")
            return [table[()].astype("float32", copy=False) for table in tables]
    except Exception as error:  # h5py says OSError, KeyError, RuntimeError, ValueError and others
        raise WrongContent(
            f"{origin} is damaged or another network's, expected a whole file of Keras weights "
            f"with {numbers:,} numbers (the decoder said: {clause(error)})"
        ) from error


def _names(attribute: Iterable[str | bytes]) -> list[str]:
    """Names in an attribute; files of Keras 1 and 2 have them as bytes."""
    return [name.decode() if isinstance(name, bytes) else str(name) for name in attribute]
