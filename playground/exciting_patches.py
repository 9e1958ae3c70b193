"""What each filter answers to: the patches of a thousand digits at which it is largest."""

from functools import cache
from typing import NamedTuple

import numpy as np

from data_scripts import load
from playground.digit_networks import DigitNetwork

AT_A_TIME = 20  # digits: the first maps of all thousand together would fill 100 MB


class Window(NamedTuple):
    """The part of the picture that one place of a layer's maps looks at.

    Attributes
    ----------
    step : int
        Pixels of the picture from one place to the next.
    side : int
        Pixels of its side.
    """

    step: int
    side: int


# Of lesson 01's CNN: filters of 2 × 2, and poolings that halve.
WINDOWS = {
    "picture": Window(1, 1),
    "convolution 1": Window(1, 2),
    "pooling 1": Window(2, 3),
    "convolution 2": Window(2, 5),
    "pooling 2": Window(4, 7),
    "convolution 3": Window(4, 11),
}
WHOLE = Window(0, 28)


class Patch(NamedTuple):
    """A part of a digit.

    Attributes
    ----------
    label : int
        Of the digit.
    row, column : int
        Of its upper left pixel.
    pixels : numpy.ndarray
        Shape ``(side, side)``, ``uint8``.
    value : float
        What the unit answers there.
    """

    label: int
    row: int
    column: int
    pixels: np.ndarray
    value: float


@cache
def embedded_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the 1,000 embedded test digits, ``(1000, 28, 28)`` and ``uint8``, and their labels."""
    return load("mnist", scale="quick").test


@cache
def _largest(network: DigitNetwork) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each layer: the largest value of every digit and map, and the place of it."""
    digits, _ = embedded_digits()
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for start in range(0, len(digits), AT_A_TIME):
        some = digits[start : start + AT_A_TIME].astype(np.float32) / 255
        for name, values in network.stages(some):
            places = values.reshape(len(values), -1, values.shape[-1])
            found.setdefault(name, []).append((places.max(axis=1), places.argmax(axis=1)))
    return {
        name: tuple(np.concatenate(part) for part in zip(*pairs, strict=True))
        for name, pairs in found.items()
    }


def exciting_patches(network: DigitNetwork, name: str, unit: int, count: int) -> list[Patch]:
    """Find the patches that excite a filter or a unit most, at most one from each digit.

    Parameters
    ----------
    network : DigitNetwork
        The CNN. Its first use takes about a second: it reads a thousand digits.
    name : str
        Of a layer, see :meth:`DigitNetwork.stages`.
    unit : int
        Number of the map or unit, from 0.
    count : int
        How many.

    Returns
    -------
    list of Patch
        The most exciting one first; fewer than ``count`` if fewer digits excite it at all. For a
        dense layer, whole digits.
    """
    digits, labels = embedded_digits()
    values, places = _largest(network)[name]
    order = np.argsort(-values[:, unit], kind="stable")[:count]
    window = WINDOWS.get(name, WHOLE)
    across = 0 if window == WHOLE else (digits.shape[2] - window.side) // window.step + 1
    patches = []
    for which in order:
        if values[which, unit] <= 0:
            break
        row, column = divmod(int(places[which, unit]), across) if across else (0, 0)
        top, left = row * window.step, column * window.step
        pixels = digits[which, top : top + window.side, left : left + window.side]
        patches.append(Patch(int(labels[which]), top, left, pixels, float(values[which, unit])))
    return patches
