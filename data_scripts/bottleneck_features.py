"""What a frozen network makes of pictures, computed once and kept on disk.

A frozen network gives the same answer to the same picture every time. So the answers, called
*bottleneck features*, are computed once; a new head then learns from them in seconds, as often as
one likes. They are kept in the data cache (``COURSE_DATA_CACHE``) under ``features/``.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data_scripts.cache import cache_folder, ensure_room
from data_scripts.digests import digest, digest_of_weights
from data_scripts.errors import CacheError, DataWarning, cache_error

if TYPE_CHECKING:
    import keras

PART = 500  # pictures in one file: what is lost at most when the computer is switched off
BATCH = 50  # pictures that go through the network together
BAR_FROM = 4  # parts, from which on a progress bar is worth its lines
_FORMAT = 1  # raised when the meaning of a file changes


@dataclasses.dataclass(frozen=True)
class Features:
    """What :func:`bottleneck_features` returns.

    Attributes
    ----------
    of : mapping of str to numpy.ndarray
        Name of a layer → its features, shape ``(n, grid · grid · depth)``, dtype ``float32``.
    computed, cached : int
        How many pictures went through the network now, and for how many that was not needed.
    """

    of: Mapping[str, np.ndarray]
    computed: int
    cached: int


def bottleneck_features(
    network: "keras.Model",
    pictures: np.ndarray,
    layers: Sequence[str] = (),
    *,
    grid: int = 1,
    folder: str | Path | None = None,
    bar: bool | None = None,
) -> Features:
    """Send pictures through a frozen network and keep the means of its maps.

    Parameters
    ----------
    network : keras.Model
        Takes pictures of a fixed size, ``(n, height, width, 3)``, values 0 … 255, for instance
        ``load_network("efficientnet_lite0", top=False, input_size=96)``. It runs in inference mode.
    pictures : numpy.ndarray
        Shape ``(n, height, width, 3)`` or, grey, ``(n, height, width)``, dtype ``uint8``. They are
        brought to the network's size, see :func:`resized`.
    layers : sequence of str, optional
        Names of layers whose output is kept; by default the network's last.
    grid : int, optional
        Each map is averaged over ``grid`` × ``grid`` fields of equal size; 1: global average
        pooling. Maps that are smaller than that are enlarged first.
    folder : path-like, optional
        Where to keep the features; by default ``features`` in the data cache.
    bar : bool, optional
        Whether to show a progress bar on the error stream; by default from 2,000 pictures on.

    Returns
    -------
    Features
        Rounded to ``float16``, whether computed now or read: both give the same numbers.

    Raises
    ------
    ValueError
        If the pictures are not of that kind, or there is no such layer.

    Warns
    -----
    DataWarning
        If a cached file is damaged, and so computed again, or if the cache cannot be written.

    Notes
    -----
    A file holds up to 500 pictures. Its name is the SHA-256 of everything that the features depend
    on: the pixels, the network's layers and weights, the chosen layers, the size, the grid. So
    nothing stale is ever read. Each file appears whole or not at all, and a computation that was
    stopped goes on where it was.
    """
    pictures = _checked(pictures)
    names = tuple(layers) or (network.layers[-1].name,)
    cut = _cut(network, names, grid)
    about = [_FORMAT, _fingerprint(network), names, grid, list(network.input_shape[1:])]
    place = Path(folder) if folder is not None else cache_folder() / "features"
    starts = range(0, len(pictures), PART)
    parts, computed, writable = [], 0, True
    for start in _with_bar(starts, len(starts) >= BAR_FROM if bar is None else bar):
        part = pictures[start : start + PART]
        key = json.dumps([*about, list(part.shape), digest(part)])
        path = place / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.npz"
        arrays = _read(path, names, len(part))
        if arrays is None:
            arrays = _compute(cut, part, network.input_shape[1:3])
            computed += len(part)
            if writable:
                writable = _write(path, arrays)
        parts.append(arrays)
    return Features(
        {
            name: np.concatenate([part[row] for part in parts]).astype("float32")
            for row, name in enumerate(names)
        },
        computed,
        len(pictures) - computed,
    )


def resized(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring pictures to a size, bicubic, and to three colours.

    Parameters
    ----------
    pictures : numpy.ndarray
        Shape ``(n, height, width, 3)`` or ``(n, height, width)``, dtype ``uint8``.
    size : (int, int)
        Height and width in pixels.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, *size, 3)``, dtype ``float32``, values 0 … 255.
    """
    import keras

    pictures = np.asarray(pictures, "float32")
    if pictures.ndim == 3:
        pictures = np.repeat(pictures[..., np.newaxis], 3, axis=3)
    if pictures.shape[1:3] != tuple(size):
        changed = keras.ops.image.resize(
            pictures, size, interpolation="bicubic", antialias=True, data_format="channels_last"
        )
        pictures = np.clip(np.array(changed), 0, 255)
    return pictures


def _checked(pictures: np.ndarray) -> np.ndarray:
    pictures = np.asarray(pictures)
    grey = pictures.ndim == 3
    if pictures.dtype != np.uint8 or not (grey or (pictures.ndim == 4 and pictures.shape[3] == 3)):
        raise ValueError(
            f"received pictures of shape {pictures.shape}, {pictures.dtype}; expected "
            "(n, height, width, 3) or (n, height, width), uint8, values 0 … 255"
        )
    if not len(pictures):
        raise ValueError("received no pictures; expected one or more")
    return pictures


@functools.lru_cache(maxsize=2)  # a new one would be traced anew
def _cut(network: "keras.Model", names: tuple[str, ...], grid: int) -> "keras.Model":
    """The network up to the named layers, with pooled maps as outputs."""
    import keras

    known = {layer.name: layer for layer in network.layers}
    for name in names:
        if name not in known:
            raise ValueError(
                f"there is no layer {name!r} in {network.name}; its last ones are "
                f"{', '.join(list(known)[-4:])}"
            )
    if None in network.input_shape[1:]:
        raise ValueError(
            f"{network.name} takes pictures of any size; load it with a fixed input_size"
        )
    outputs = [_pooled(known[name].output, grid) for name in names]
    cut = keras.Model(network.input, outputs)
    cut.compile(jit_compile=False)  # compiling for one pass costs more than it saves
    return cut


def _pooled(maps: Any, grid: int) -> Any:
    """Means over grid × grid fields, flattened: shape ``(n, grid · grid · depth)``."""
    import keras

    layers = keras.layers
    if len(maps.shape) == 2:
        return maps
    if grid == 1:
        return layers.GlobalAveragePooling2D()(maps)
    height, width = maps.shape[1:3]
    factors = [-(-grid // height), -(-grid // width)]
    if max(factors) > 1:
        maps = layers.UpSampling2D(tuple(factors))(maps)
    height, width = maps.shape[1:3]
    # Sides that the grid does not divide lose a margin, as pooling does.
    maps = layers.AveragePooling2D((height // grid, width // grid))(maps)
    return layers.Flatten()(maps[:, :grid, :grid])


def _fingerprint(network: "keras.Model") -> str:
    """SHA-256 of the layers' kinds and names, and of all weights."""
    layers = [(type(layer).__name__, layer.name) for layer in network.layers]
    text = json.dumps([layers, digest_of_weights(network.get_weights())])
    return hashlib.sha256(text.encode()).hexdigest()


def _compute(cut: "keras.Model", pictures: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
    batches = []
    for start in range(0, len(pictures), BATCH):
        batch = resized(pictures[start : start + BATCH], size)
        # Always a whole batch, so that one compiled graph serves all.
        missing = BATCH - len(batch)
        filled = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), "float32")])
        outputs = cut.predict_on_batch(filled)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        batches.append([np.asarray(values)[: len(batch)] for values in outputs])
    return [np.concatenate(values).astype("float16") for values in zip(*batches, strict=True)]


def _read(path: Path, names: Sequence[str], count: int) -> list[np.ndarray] | None:
    """Features of one part; None if they are not there, or damaged, which is said."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[f"f{row}"] for row in range(len(names))]
        if all(len(values) == count and values.dtype == np.float16 for values in arrays):
            return arrays
        problem = "it holds something else"
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # NumPy and zipfile say OSError, ValueError, BadZipFile, EOFError …
        problem = str(error) or type(error).__name__
    warnings.warn(
        f"the cached {path} is damaged ({problem}); it is computed again.",
        DataWarning,
        stacklevel=3,
    )
    return None


def _write(path: Path, arrays: Sequence[np.ndarray]) -> bool:
    """Store one part: beside the final file, which it then becomes. Return whether that worked."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ensure_room(path.parent, sum(values.nbytes for values in arrays) + 4096)
        with unfinished.open("wb") as stream:
            np.savez(stream, **{f"f{row}": values for row, values in enumerate(arrays)})
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
    except (OSError, CacheError) as error:
        told = error if isinstance(error, CacheError) else cache_error(error, path)
        warnings.warn(f"features are not kept: {told}", DataWarning, stacklevel=3)
        return False
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return True


def _with_bar(starts: range, shown: bool) -> Iterator[int]:
    if not shown:
        yield from starts
        return
    from tqdm import tqdm

    yield from tqdm(starts, desc="features", unit=f" × {PART} pictures", file=sys.stderr)
