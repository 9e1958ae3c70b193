"""From a drawing, anywhere and at any size, to a digit as MNIST has them.

Notes
-----
MNIST's makers scaled every scanned digit to fit a box of 20 × 20 pixels, with its proportions kept,
which made grey pixels of black and white ones; and put it into a field of 28 × 28 so that its
centre of mass is in the middle (LeCun, Bottou, Bengio, Haffner 1998). A field of even size has no
pixel in its middle: measured on the test digits, the centre of mass is that of pixel 14 from 0.
A network that has learned from such digits reads a drawing only if the same is done to it.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

FIELD, BOX = 28, 20
MIDDLE = 14.5  # of pixel 14, in pixels from the edge
# Fainter than that is no ink, or a speck that nobody sees decides about the size.
FAINT = 8


class Centred(NamedTuple):
    """A digit in its field.

    Attributes
    ----------
    digit : numpy.ndarray
        Shape ``(28, 28)``, dtype ``float32``, 0 for paper … 1 for ink.
    lost : float
        Share of the ink that lies outside the field, 0 … 1.
    """

    digit: np.ndarray
    lost: float


def centred(drawing: np.ndarray, right: int = 0, down: int = 0) -> Centred | None:
    """Scale and centre a drawing as MNIST's makers did.

    Parameters
    ----------
    drawing : numpy.ndarray
        Shape ``(height, width)``, 0 for paper … 255 for ink.
    right, down : int
        Pixels of the field by which the digit is put beside its place; may be negative.

    Returns
    -------
    Centred or None
        None if there is no ink.

    Raises
    ------
    ValueError
        If the drawing has no two axes.
    """
    drawing = np.asarray(drawing)
    if drawing.ndim != 2:
        raise ValueError(f"a drawing of shape {drawing.shape}; expected (height, width)")
    rows, columns = (np.flatnonzero((drawing > FAINT).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = BOX / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # The mean of the area of each new pixel; a box makes steps where a picture gets larger.
    means = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BILINEAR
    small = Image.fromarray(drawing.astype(np.uint8)).resize(size, means, box)
    ink = np.asarray(small, np.float32) / 255
    total = ink.sum()
    if not total:
        return None

    # Where the digit's corner goes, so that the centre of mass is at the field's middle.
    def corner(axis: int) -> int:
        mass = ink.sum(axis=1 - axis)
        return round(MIDDLE - float((mass * (np.arange(len(mass)) + 0.5)).sum() / total))

    # A field with a margin on all sides: what goes over the edge is cut off, not wrapped around.
    margin = FIELD
    wide = np.zeros((FIELD + 2 * margin,) * 2, np.float32)
    top, left = (
        int(np.clip(margin + corner(axis) + by, 0, len(wide) - BOX))
        for axis, by in ((0, down), (1, right))
    )
    wide[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    digit = wide[margin:-margin, margin:-margin].copy()
    return Centred(digit, float(max(0.0, 1 - digit.sum() / total)))


def whole(picture: np.ndarray) -> np.ndarray:
    """Scale a square picture to the field as it is: neither cut nor centred.

    Parameters
    ----------
    picture : numpy.ndarray
        Shape ``(size, size)``, 0 … 255.

    Returns
    -------
    numpy.ndarray
        Shape ``(28, 28)``, dtype ``float32``, 0 … 1.
    """
    small = Image.fromarray(np.asarray(picture, np.uint8)).resize(
        (FIELD, FIELD), Image.Resampling.BOX
    )
    return np.asarray(small, np.float32) / 255


def on_pad(digit: np.ndarray, size: int) -> np.ndarray:
    """Enlarge a digit of a data set so that a drawing pad can show it.

    Parameters
    ----------
    digit : numpy.ndarray
        Shape ``(28, 28)``, dtype ``uint8``.
    size : int
        Pixels of the pad's side.

    Returns
    -------
    numpy.ndarray
        Shape ``(size, size)``, dtype ``uint8``.
    """
    large = Image.fromarray(np.asarray(digit, np.uint8)).resize(
        (size, size), Image.Resampling.NEAREST
    )
    return np.asarray(large).copy()
