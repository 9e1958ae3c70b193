"""Your own pictures: a folder with one subfolder for each class becomes arrays for a classifier.

::

    my_pictures/
        dogs/    bello.jpg  rex.png  …
        wolves/  1.webp  2.webp  …

:func:`read_folder` reads such a folder and forgives what cameras, phones and web pages do to
pictures; :func:`read_picture` reads one; :func:`split` sets some of each class aside for the test.
"""

import contextlib
import dataclasses
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from data_scripts.errors import DataError, DataWarning, clause

ENDINGS = (
    ".avif", ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip
BACKGROUND = (255, 255, 255)  # behind transparent pixels
MOST_PIXELS = 100_000_000  # of one picture: a file of a few bytes could fill the memory
BAR_FROM = 300  # pictures, from which on a progress bar is worth its lines
_PHONES = (".heic", ".heif")
_NAMED = 4  # skipped files that a warning names


@dataclasses.dataclass(frozen=True)
class PictureFolder:
    """What :func:`read_folder` found.

    Attributes
    ----------
    pictures : numpy.ndarray
        Shape ``(n, side, side, 3)``, dtype ``uint8``: red, green, blue.
    labels : numpy.ndarray
        Shape ``(n,)``, dtype ``int64``: positions in ``class_names``.
    class_names : tuple of str
        Names of the subfolders, in alphabetical order.
    paths : tuple of pathlib.Path
        Of each picture.
    skipped : tuple of (pathlib.Path, str)
        Files that gave no picture, and why.
    """

    pictures: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    paths: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...]


def read_folder(
    folder: str | Path, side: int = 64, *, bar: bool | None = None, fewest: int = 2
) -> PictureFolder:
    """Read every picture below a folder of class-named subfolders.

    Parameters
    ----------
    folder : str or path-like
        Holds one subfolder for each class. Pictures may lie deeper in a subfolder. Names that
        begin with a dot or an underscore, and files beside the subfolders, are passed over.
    side : int, optional
        Height and width that every picture is brought to, in pixels, see :func:`read_picture`.
    bar : bool, optional
        Whether to show a progress bar on the error stream; by default from 300 files on.
    fewest : int, optional
        Pictures that a class must have: one to learn from and one for the test.

    Returns
    -------
    PictureFolder
        In the order of class names, then of paths: the same on every machine.

    Raises
    ------
    DataError
        If there is no such folder, it has fewer than two classes, or a class has too few pictures.
        One sentence says what was found, what was expected and what to do.

    Warns
    -----
    DataWarning
        If files were skipped: with their number, and the reasons of the first of them.

    Examples
    --------
    >>> found = read_folder("my_pictures")  # doctest: +SKIP
    >>> found.pictures.shape, found.class_names  # doctest: +SKIP
    ((83, 64, 64, 3), ('dogs', 'wolves'))
    """
    folder = Path(folder).expanduser()
    classes = _classes(folder)
    files = [(path, label) for label, place in enumerate(classes) for path in _files(place)]
    pictures, labels, paths, skipped = [], [], [], []
    for path, label in _with_bar(files, len(files) >= BAR_FROM if bar is None else bar):
        ending = path.suffix.lower()
        if ending not in ENDINGS:
            kind = "a phone's HEIC, save it as JPEG" if ending in _PHONES else "no picture's name"
            skipped.append((path, kind))
            continue
        try:
            pictures.append(read_picture(path, side))
        except DataError as error:
            skipped.append((path, str(error.__cause__ or error)))
            continue
        labels.append(label)
        paths.append(path)
    for label, place in enumerate(classes):
        count, lost = labels.count(label), [path for path, _ in skipped if place in path.parents]
        if count < fewest:
            raise DataError(
                f"the class {place.name!r} has {count} readable picture{'s' * (count != 1)}"
                + (f" and {len(lost)} other file{'s' * (len(lost) != 1)}" if lost else "")
                + f", expected at least {fewest}; put pictures into {place}, or remove that folder."
            )
    if skipped:
        reasons = "; ".join(
            f"{path.relative_to(folder)}: {reason}" for path, reason in skipped[:_NAMED]
        )
        rest = len(skipped) - _NAMED
        warnings.warn(
            f"{len(skipped)} of {len(files)} files skipped ({reasons}"
            + (f"; and {rest} more)" if rest > 0 else ")"),
            DataWarning,
            stacklevel=2,
        )
    return PictureFolder(
        np.stack(pictures),
        np.array(labels, "int64"),
        tuple(place.name for place in classes),
        tuple(paths),
        tuple(skipped),
    )


def read_picture(path: str | Path, side: int | None = None) -> np.ndarray:
    """Read one picture, whatever made it.

    A phone's rotation (EXIF) is carried out; CMYK, palette, grey and 16-bit pictures become red,
    green and blue with 8 bits; transparent pixels become white; of an animation the first frame
    counts. A file that breaks off before its end is refused: half a picture teaches wrong things.

    Parameters
    ----------
    path : str or path-like
        Of the file.
    side : int, optional
        Cut the largest square out of the middle, and bring it to so many pixels a side.

    Returns
    -------
    numpy.ndarray
        Shape ``(side, side, 3)``, or ``(height, width, 3)`` if no side is given; dtype ``uint8``.

    Raises
    ------
    DataError
        If the file is missing, no picture, damaged or too large.
    """
    from PIL import Image, ImageOps

    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata that nobody needs
            with Image.open(path) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ValueError(f"{image.width} × {image.height} pixels are too many")
                image.seek(0)
                image.load()
                picture = ImageOps.exif_transpose(image)
                picture = Image.fromarray(_rgb(picture))
    except FileNotFoundError as error:
        raise DataError(
            f"there is no file {path}; check the spelling of its name and folder."
        ) from error
    except Exception as error:  # Pillow says OSError, SyntaxError, ValueError, struct.error …
        reason = _reason(path, error)
        raise DataError(
            f"{path} could not be read as a picture ({reason}); open it in a picture viewer and "
            "save it again, or remove it."
        ) from _Reason(reason)
    if side is not None:
        # Cut first, then resize once: a picture is never stretched.
        picture = ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)
    return np.array(picture)


def split(labels: np.ndarray, seed: int, share: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Set some pictures of every class aside for the test.

    Parameters
    ----------
    labels : numpy.ndarray
        Shape ``(n,)``, whole numbers.
    seed : int
        The same seed gives the same split.
    share : float, optional
        For the test, of each class: rounded, but at least one picture, and not all of them.

    Returns
    -------
    learn, test : numpy.ndarray
        Positions, in ascending order.

    Raises
    ------
    ValueError
        If the share is not between 0 and 1, or a class has a single picture.

    Examples
    --------
    >>> split(np.array([0, 0, 0, 0, 1, 1]), seed=1)
    (array([0, 1, 2, 4]), array([3, 5]))
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}, expected a number between 0 and 1")
    labels = np.asarray(labels)
    dice = np.random.default_rng(seed)
    test = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < 2:
            raise ValueError(f"class {label} has one picture; expected two: one is for the test")
        count = min(max(round(share * len(rows)), 1), len(rows) - 1)
        test.append(dice.permutation(rows)[:count])
    chosen = np.sort(np.concatenate(test))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def write_folder(
    folder: str | Path, pictures: np.ndarray, labels: np.ndarray, class_names: Sequence[str]
) -> Path:
    """Write arrays as a folder of class-named subfolders of PNG files: the inverse of reading.

    Parameters
    ----------
    folder : str or path-like
        Made if it is missing.
    pictures : numpy.ndarray
        Shape ``(n, height, width, 3)`` or ``(n, height, width)``, dtype ``uint8``.
    labels : numpy.ndarray
        Shape ``(n,)``: positions in ``class_names``.
    class_names : sequence of str
        Names of the subfolders.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    from PIL import Image

    folder = Path(folder)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        place = folder / class_names[int(label)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{number:05}.png")
    return folder


class _Reason(Exception):
    """Carries the few words that a warning about several files has room for."""


def _reason(path: Path, error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        with contextlib.suppress(OSError):
            if path.stat().st_size == 0:
                return "the file is empty"
        return "not a picture, or one that is damaged at its beginning"
    text = clause(error)
    return "it breaks off before its end" if "truncated" in text.lower() else text


def _classes(folder: Path) -> list[Path]:
    """Subfolders in alphabetical order; refuse what cannot become a classifier."""
    if not folder.exists():
        raise DataError(
            f"there is no folder {folder}; check the spelling, or make it and put one subfolder "
            "for each class into it."
        )
    if not folder.is_dir():
        raise DataError(
            f"{folder} is a file, expected a folder with one subfolder of pictures for each class; "
            "name the folder around the subfolders."
        )
    try:
        classes = sorted(place for place in folder.iterdir() if place.is_dir() and _counts(place))
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read ({error.strerror or clause(error)}); choose a folder that "
            "you may open."
        ) from error
    if len(classes) < 2:
        found = f"only the class {classes[0].name!r}" if classes else "no subfolders"
        raise DataError(
            f"{folder} has {found}, expected at least two subfolders, one for each class; a "
            "classifier needs something to tell apart."
        )
    return classes


def _counts(path: Path) -> bool:
    return not path.name.startswith((".", "_"))


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder in the order of their names, the same on every machine."""
    found = (path for path in folder.rglob("*") if path.is_file())
    inside = ((path, path.relative_to(folder)) for path in found)
    kept = (path for path, below in inside if all(_counts(Path(part)) for part in below.parts))
    yield from sorted(kept, key=lambda path: path.relative_to(folder).as_posix())


def _with_bar(files: Sequence[tuple[Path, int]], shown: bool) -> Iterable[tuple[Path, int]]:
    if not shown:
        return files
    from tqdm import tqdm

    return tqdm(files, desc="pictures", unit=" files", file=sys.stderr)


def _rgb(image: object) -> np.ndarray:
    """Red, green and blue with 8 bits, shape ``(height, width, 3)``, of any of Pillow's modes."""
    from PIL import Image

    assert isinstance(image, Image.Image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey = _eight_bits(np.array(image), sixteen=image.mode.startswith("I;16"))
        return np.repeat(grey[..., np.newaxis], 3, axis=2)
    if image.mode in ("PA", "LA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        sheet = Image.new("RGBA", image.size, (*BACKGROUND, 255))
        image = Image.alpha_composite(sheet, image)
    return np.array(image.convert("RGB"))


def _eight_bits(values: np.ndarray, *, sixteen: bool) -> np.ndarray:
    """Bring numbers of more than 8 bits to 0 … 255, by what their format can hold."""
    values = values.astype("float64")
    if not np.isfinite(values).all():
        raise ValueError("some pixels are no finite numbers")
    top = float(values.max(initial=0))
    floating = 1.0 if top <= 1 else max(top, 255.0)  # 0 … 1 by custom
    # Other files hold 16 bits as 32.
    scale = 65_535.0 if sixteen or 255 < top <= 65_535 else floating
    return np.clip(np.rint(values / scale * 255), 0, 255).astype("uint8")
