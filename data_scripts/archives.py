"""Files to arrays: one decoder for each container, and the check that what came out is right.

What a decoder reads may be damaged or hostile, so each looks at the sizes that a file announces
before it makes room for them, and none runs code from the file.
"""

import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from data_scripts.catalogue import Expected, File
from data_scripts.digests import digest
from data_scripts.errors import WrongContent, clause
from data_scripts.sheets import from_sheet

# Bytes that a header or a batch label may add to the values themselves.
_SLACK = 1 << 20

Arrays = dict[str, np.ndarray]
Holds = Mapping[str, Expected]


def decode(file: File, stream: BinaryIO, origin: str) -> Arrays:
    """Decode one file and check every array in it.

    Parameters
    ----------
    file : File
        Its container and what it should hold.
    stream : binary file
        Seekable, at its beginning.
    origin : str
        What to call the file in an error: a path or an address.

    Returns
    -------
    dict
        By name, arrays of the catalogue's shapes, dtype ``uint8``, writable, owned by the caller.

    Raises
    ------
    WrongContent
        If the file cannot be decoded, or the digest of an array is not the catalogue's.
    """
    try:
        arrays = DECODERS[file.container](stream, file.holds)
    except Exception as error:
        # A decoder may raise anything at all on damaged bytes: zlib.error, BadZipFile, EOFError,
        # UnpicklingError, SyntaxError (Pillow), MemoryError. All mean the same.
        raise WrongContent(
            f"{origin} is damaged or cut short, expected a whole file of kind "
            f"“{file.container}” (the decoder said: {clause(error)})"
        ) from error
    return {
        name: checked(arrays[name], expected, f"{name} in {origin}")
        for name, expected in file.holds.items()
    }


def checked(array: np.ndarray, expected: Expected, origin: str) -> np.ndarray:
    """Return the array in its catalogued shape, or refuse it.

    Parameters
    ----------
    array : numpy.ndarray
        What was decoded. Axes of length 1 may be more or fewer than in the catalogue.
    expected : Expected
        What the catalogue says.
    origin : str
        What to call the array in an error.

    Raises
    ------
    WrongContent
        If dtype, shape or digest differ.
    """
    short = [length for length in array.shape if length != 1]
    if array.dtype != np.uint8 or short != [length for length in expected.shape if length != 1]:
        raise WrongContent(
            f"{origin} has shape {array.shape} and dtype {array.dtype}, "
            f"expected {expected.shape} and uint8"
        )
    received = digest(array)
    if received != expected.sha256:
        raise WrongContent(
            f"{origin} has values with SHA-256 {received[:16]}…, expected {expected.sha256[:16]}…"
        )
    array = np.ascontiguousarray(array).reshape(expected.shape)
    return array if array.flags.writeable and array.flags.owndata else array.copy()


def _npz(stream: BinaryIO, holds: Holds) -> Arrays:
    """``.npz``, compressed or not."""
    arrays = {}
    with zipfile.ZipFile(stream) as archive:
        for name, expected in holds.items():
            member = archive.getinfo(f"{name}.npy")
            _fits(member.file_size, expected.size, member.filename)
            with archive.open(member) as values:
                arrays[name] = np.lib.format.read_array(values, allow_pickle=False)
    return arrays


def _sheet(stream: BinaryIO, holds: Holds) -> Arrays:
    """A contact sheet as lossless WebP; grey pictures are stored with three equal channels."""
    ((name, expected),) = holds.items()
    pictures, height, width, *channels = expected.shape
    with Image.open(stream, formats=["WEBP"]) as image:
        if image.width * image.height != pictures * height * width:
            raise ValueError(
                f"the sheet has {image.width} × {image.height} pixels, expected "
                f"{pictures} pictures of {height} × {width}"
            )
        pixels = np.array(image.convert("RGB"))
    return {name: from_sheet(pixels if channels else pixels[..., 0], height, width)}


def _idx(stream: BinaryIO, holds: Holds) -> Arrays:
    """MNIST's own format, gzipped: two zero bytes, 8 for uint8, the rank, sizes, values."""
    ((name, expected),) = holds.items()
    header = bytes([0, 0, 8, len(expected.shape)]) + np.array(expected.shape, ">u4").tobytes()
    with gzip.open(stream) as values:
        received = values.read(len(header))
        if received != header:
            raise ValueError(f"the header is {received.hex()}, expected {header.hex()}")
        content = values.read(expected.size + 1)
    return {name: np.frombuffer(content, "uint8").reshape(expected.shape)}


def _cifar_binary(stream: BinaryIO, holds: Holds) -> Arrays:
    """CIFAR-10, binary version: rows of one label and the planes red, green and blue."""
    picture = holds["x_train"].shape[1:]
    rows = {
        name.removesuffix(".bin"): np.frombuffer(content, "uint8").reshape(-1, 1 + np.prod(picture))
        for name, content in _batches(stream, holds, suffix=".bin")
    }
    return _joined({name: (row[:, 1:], row[:, 0]) for name, row in rows.items()}, picture)


def _cifar_python(stream: BinaryIO, holds: Holds) -> Arrays:
    """CIFAR-10, Python version: a pickled dictionary for each batch."""
    batches = {}
    for name, content in _batches(stream, holds, suffix=""):
        batch = _BatchUnpickler(io.BytesIO(content)).load()
        batches[name] = (batch[b"data"].values(), np.array(batch[b"labels"], "uint8"))
    return _joined(batches, holds["x_train"].shape[1:])


def _batches(stream: BinaryIO, holds: Holds, suffix: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the batches in a tar archive; nothing is written to disk."""
    names = {f"{name}{suffix}" for name in (*_TRAINING, "test_batch")}
    room = sum(expected.size for expected in holds.values())
    with tarfile.open(fileobj=stream, mode="r:gz") as archive:
        for member in archive:
            _fits(member.size, room, member.name)
            name = member.name.rpartition("/")[2]
            if member.isfile() and name in names:
                yield name, archive.extractfile(member).read()


_TRAINING = tuple(f"data_batch_{number}" for number in range(1, 6))


def _joined(
    batches: Mapping[str, tuple[np.ndarray, np.ndarray]], picture: tuple[int, ...]
) -> Arrays:
    """Join the batches of planes and labels in their official order, channels last."""
    height, width, channels = picture

    def images(name: str) -> np.ndarray:
        return batches[name][0].reshape(-1, channels, height, width).transpose(0, 2, 3, 1)

    return {
        "x_train": np.concatenate([images(name) for name in _TRAINING]),
        "y_train": np.concatenate([batches[name][1] for name in _TRAINING]),
        "x_test": images("test_batch"),
        "y_test": batches["test_batch"][1],
    }


def _fits(announced: int, expected: int, name: str) -> None:
    """Refuse a member that announces far more bytes than the values that it should hold."""
    if announced > expected + _SLACK:
        raise ValueError(f"{name} announces {announced:,} bytes, expected about {expected:,}")


class _PickledArray:
    """Stands in for an array that is being unpickled: keeps the pickled state, runs nothing."""

    def __init__(self, *ignored: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def values(self) -> np.ndarray:
        """The array, if it is one of unsigned bytes in C order."""
        _version, shape, dtype, fortran_order, raw = self.state
        if dtype.code not in (b"u1", "u1") or fortran_order:
            raise ValueError(f"a pickled array of type {dtype.code!r}, expected b'u1' in C order")
        return np.frombuffer(raw, "uint8").reshape(shape)


class _PickledType:
    """Stands in for a dtype that is being unpickled."""

    def __init__(self, code: object = None, *ignored: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, which unsigned bytes have not."""


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """How Python 3 writes bytes in old pickles."""
    if encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError(f"encoding {encoding!r}, expected latin1")
    return text.encode("latin1")


class _BatchUnpickler(pickle.Unpickler):
    """Reads a CIFAR batch and nothing else.

    A pickle is a program that calls whatever it names. This one finds stand-ins under the five
    names that a batch uses, and an error under every other; not even NumPy's own code sees the
    bytes before they are a plain array.
    """

    _NAMES: Mapping[tuple[str, str], Callable[..., object]] = {
        ("numpy.core.multiarray", "_reconstruct"): _PickledArray,
        ("numpy._core.multiarray", "_reconstruct"): _PickledArray,
        ("numpy", "ndarray"): _PickledArray,
        ("numpy", "dtype"): _PickledType,
        ("_codecs", "encode"): _latin1,
    }

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream, encoding="bytes")

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        """Return a stand-in for one of the names that a CIFAR batch uses."""
        try:
            return self._NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the archive names {module}.{name}, which no CIFAR batch does"
            ) from None


DECODERS: Mapping[str, Callable[[BinaryIO, Holds], Arrays]] = {
    "npz": _npz,
    "sheet": _sheet,
    "idx": _idx,
    "cifar-binary": _cifar_binary,
    "cifar-python": _cifar_python,
}
