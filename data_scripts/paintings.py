"""Three famous paintings, embedded as small files: styles for the lesson on style transfer."""

import dataclasses
import hashlib
import io
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

from data_scripts.errors import DataError
from data_scripts.photographs import square_picture
from data_scripts.sources import is_address, mirror_named


@dataclasses.dataclass(frozen=True)
class Painting:
    """Who painted it, where the copy is from, and the digests of two files.

    The embedded files are compressed with loss, so their digests are those of the bytes: two
    decoders may differ by a level of brightness. `original` is the name of the larger file below
    ``images/`` in a mirror.
    """

    name: str
    title: str
    painter: str
    year: int
    licence: str
    source: str
    shape: tuple[int, int, int]
    sha256: str
    original: str
    original_sha256: str


_FREE = "public domain: the painter died in {}, and a true copy of a flat work has no new author"

PAINTINGS = {
    painting.name: painting
    for painting in (
        Painting(
            name="starry_night",
            title="The Starry Night",
            painter="Vincent van Gogh",
            year=1889,
            licence=_FREE.format(1890),
            source="https://commons.wikimedia.org/wiki/"
            "File:Van_Gogh_-_Starry_Night_-_Google_Art_Project.jpg",
            shape=(256, 323, 3),
            sha256="7dc36f85f9412628028472828e5deacf18daaf715c3e7e891df2c46faaf18bdf",
            original="style_starry_night_van_gogh_1889.jpg",
            original_sha256="c31741a09141c2e2d07fc7aa6bdf135c369b804f9433e43fa3ceac19386d1ee6",
        ),
        Painting(
            name="great_wave",
            title="The Great Wave off Kanagawa",
            painter="Katsushika Hokusai",
            year=1831,
            licence=_FREE.format(1849),
            source="https://commons.wikimedia.org/wiki/File:Great_Wave_off_Kanagawa2.jpg",
            shape=(256, 462, 3),
            sha256="132d8f4b0fcb3b4b2455a481ed6099325b2e62f7e087721bea369f2d8b84c66f",
            original="style_great_wave_hokusai_1831.jpg",
            original_sha256="54f19686bea5117c0bb68ce4425dbed4efafa3e8d7cafe35f0fae80b8223f4be",
        ),
        Painting(
            name="scream",
            title="The Scream",
            painter="Edvard Munch",
            year=1893,
            licence=_FREE.format(1944),
            source="https://commons.wikimedia.org (Munch, The Scream)",
            shape=(326, 256, 3),
            sha256="2a8afb95de026d7ca54876bb9d7a14f49581a27d987eb28e01987f246ac4dafe",
            original="style_the_scream_munch_1893.jpg",
            original_sha256="45d763b132ba2075f4ff3dd26bce7db155bb1a5574be8d1bfb7d412dae260d04",
        ),
    )
}


def load_painting(name: str, size: int | None = None) -> np.ndarray:
    """Load a painting.

    Parameters
    ----------
    name : {"starry_night", "great_wave", "scream"}
        By Vincent van Gogh (1889), Katsushika Hokusai (1831) and Edvard Munch (1893).
    size : int, optional
        Cut the largest square out of the middle and bring it to so many pixels a side. Beyond 256
        pixels the larger file of a mirror is taken, if ``COURSE_DATA_MIRROR`` names a folder that
        has it; otherwise the embedded copy is enlarged.

    Returns
    -------
    numpy.ndarray
        Dtype ``uint8``, shape ``(size, size, 3)``; without a size ``(height, width, 3)``, the
        shorter side 256.

    Raises
    ------
    ValueError
        If there is no painting of this name, or the size is below 1.
    DataError
        If the embedded file, or that of the mirror, is not the one that was published.

    Notes
    -----
    All three are in the public domain. ``python -m data_scripts.make_paintings`` made the files.

    Examples
    --------
    >>> load_painting("great_wave").shape, load_painting("great_wave", size=128).shape
    ((256, 462, 3), (128, 128, 3))
    """
    try:
        painting = PAINTINGS[name]
    except KeyError:
        raise ValueError(
            f"there is no painting {name!r}; expected one of {', '.join(PAINTINGS)}"
        ) from None
    if size is not None and size < 1:
        raise ValueError(f"the size is {size}; expected at least 1 pixel")
    larger = larger_copy(painting) if size is not None and size > min(painting.shape[:2]) else None
    content = _embedded(painting) if larger is None else _checked(larger, painting.original_sha256)
    with Image.open(io.BytesIO(content)) as image:
        picture = np.array(image.convert("RGB"))
    return picture if size is None else square_picture(picture, size)


def larger_copy(painting: Painting) -> Path | None:
    """Path of the original in a mirror folder; None if there is none."""
    mirror = mirror_named()
    if mirror is None or is_address(mirror):
        return None
    path = Path(mirror).expanduser() / "images" / painting.original
    return path if path.is_file() else None


def _embedded(painting: Painting) -> bytes:
    path = resources.files("data_scripts") / "embedded" / "paintings" / f"{painting.name}.webp"
    with resources.as_file(path) as file:
        return _checked(file, painting.sha256)


def _checked(path: Path, expected: str) -> bytes:
    """The bytes of a file, if they are the published ones."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"the painting {path.name} cannot be read ({error.strerror}); install the course again."
        ) from error
    received = hashlib.sha256(content).hexdigest()
    if received != expected:
        raise DataError(
            f"the painting {path.name} has SHA-256 {received[:16]}…, expected {expected[:16]}…; "
            "install the course again, or fetch the mirror's file again."
        )
    return content
