"""Write an embedded subset: the step that the ``make_…`` scripts share."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from data_scripts.catalogue import CATALOGUE
from data_scripts.digests import digest
from data_scripts.sheets import to_sheet
from data_scripts.sources import read_embedded

EMBEDDED = Path(__file__).parent / "embedded"


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Positions of the first ``count`` rows of every class, in ascending order.

    Parameters
    ----------
    labels : numpy.ndarray
        Shape ``(n,)``, whole numbers.
    count : int
        Rows to take of each class.

    Returns
    -------
    numpy.ndarray
        Shape ``(classes * count,)``.

    Raises
    ------
    ValueError
        If a class has fewer rows.

    Examples
    --------
    >>> first_of_each_class(np.array([1, 0, 1, 1, 0, 0]), 2)
    array([0, 1, 2, 4])
    """
    chosen = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < count:
            raise ValueError(f"class {label} has {len(rows)} rows; expected at least {count}")
        chosen.append(rows[:count])
    return np.sort(np.concatenate(chosen))


def write_subset(name: str, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write ``train.webp``, ``test.webp`` and ``labels.npz`` of one data set.

    Parameters
    ----------
    name : str
        Of the data set; the files go to ``embedded/<name>``.
    arrays : mapping
        ``x_train``, ``y_train``, ``x_test`` and ``y_test``, all ``uint8``.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    folder = EMBEDDED / name
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        # quality and method are effort, not loss: lossless=True keeps every pixel.
        Image.fromarray(to_sheet(arrays[f"x_{part}"])).save(
            folder / f"{part}.webp", lossless=True, quality=100, method=6
        )
    np.savez_compressed(folder / "labels.npz", y_train=arrays["y_train"], y_test=arrays["y_test"])
    return folder


def confirm(name: str, arrays: Mapping[str, np.ndarray]) -> int:
    """Read an embedded subset back and compare it with the catalogue and with its origin.

    Parameters
    ----------
    name : str
        Of the data set.
    arrays : mapping
        What the embedded files should hold.

    Returns
    -------
    int
        0 if every decoded array is the catalogue's, 1 otherwise: an exit code.
    """
    wrong = 0
    for key, array in arrays.items():
        received, expected = digest(array), CATALOGUE[name].quick[key].sha256
        verdict = "ok" if received == expected else f"expected {expected}"
        wrong += received != expected
        print(f"{name} {key}: {array.shape}, sha256 {received}, {verdict}")
    if wrong:
        return 1
    for key, array in read_embedded(CATALOGUE[name]).items():
        if not np.array_equal(array, arrays[key]):
            print(f"{name} {key}: the embedded file does not decode to these values")
            wrong += 1
    return int(wrong > 0)
