"""The 1,000 classes of ImageNet by name, and the most probable ones of a prediction."""

import dataclasses
import functools
import hashlib
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike


@dataclasses.dataclass(frozen=True)
class ClassTable:
    """Where the embedded table of classes is from, and the digest of its text."""

    path: str
    licence: str
    citation: str
    source: str
    sha256: str


CLASSES = ClassTable(
    path="imagenet/classes.tsv",
    licence="names from WordNet 3.0, free to use, copy and change with its notice, "
    "copyright 2006 Princeton University; table from Keras, Apache-2.0",
    citation="O. Russakovsky, J. Deng, H. Su and others, ImageNet Large Scale Visual Recognition "
    "Challenge, International Journal of Computer Vision 115(3), 211–252, 2015",
    source="https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    sha256="120cc8b98056feb4033a4d193cc08f71e682158fced11c173d2efa85b333228d",
)


def imagenet_class_names() -> list[str]:
    """Names of the 1,000 classes of ImageNet's contest, by label.

    Returns
    -------
    list of str
        ``"tench"`` … ``"toilet tissue"``. Every name occurs once: of the four classes that share
        theirs with another, two are called ``"crane (bird)"`` and ``"crane (machine)"``, two
        ``"maillot"`` and ``"maillot (tank suit)"``.

    Raises
    ------
    ValueError
        If the embedded table is not the one that was published.

    Notes
    -----
    Labels are those of every network in this package. The names are WordNet's, as the table in
    Keras gives them, with spaces for underscores.

    Examples
    --------
    >>> imagenet_class_names()[281]
    'tabby'
    """
    return [name for _, name in read_classes()]


def top_classes(
    probabilities: ArrayLike, k: int = 5
) -> list[tuple[str, float]] | list[list[tuple[str, float]]]:
    """Names and probabilities of the ``k`` most probable classes of ImageNet.

    Parameters
    ----------
    probabilities : array_like
        Shape ``(1000,)`` for one picture or ``(n, 1000)`` for many, as a network of
        :func:`data_scripts.load_network` with ``top=True`` returns them.
    k : int
        How many classes, 1 … 1000.

    Returns
    -------
    list
        For one picture, pairs of a name and a probability, the most probable first; for many
        pictures, a list of such lists.

    Raises
    ------
    ValueError
        If the last axis is not one of 1,000 classes, or there are not ``k`` classes.

    Examples
    --------
    >>> top_classes(np.eye(1000)[281], k=1)
    [('tabby', 1.0)]
    """
    names = imagenet_class_names()
    values = np.asarray(probabilities)
    if values.ndim not in (1, 2) or values.shape[-1] != len(names):
        raise ValueError(
            f"probabilities have shape {values.shape}, expected ({len(names)},) or "
            f"(n, {len(names)}): load the network with top=True"
        )
    if not 1 <= k <= len(names):
        raise ValueError(f"k is {k}, expected 1 … {len(names)}")
    if values.ndim == 2:
        return [top_classes(row, k) for row in values]
    best = np.argsort(-values, kind="stable")[:k]
    return [(names[label], float(values[label])) for label in best]


@functools.cache
def read_classes() -> tuple[tuple[str, str], ...]:
    """WordNet's identifier and the name of each class, by label; the table is checked.

    Raises
    ------
    ValueError
        If the table is not the one that was published.
    """
    text = (resources.files("data_scripts") / "embedded" / CLASSES.path).read_bytes()
    if hashlib.sha256(text).hexdigest() != CLASSES.sha256:
        raise ValueError(
            "the table of ImageNet's classes is damaged: its text is not the one that was "
            "published; install the course again"
        )
    rows = (line.split("\t") for line in text.decode("utf-8").splitlines())
    return tuple((identifier, name) for identifier, name in rows)
