"""Many small pictures on one contact sheet, so that a lossless WebP can hold a whole data set."""

import numpy as np

COLUMNS = 100


def to_sheet(images: np.ndarray, columns: int = COLUMNS) -> np.ndarray:
    """Lay pictures out in rows, left to right, top to bottom.

    Parameters
    ----------
    images : numpy.ndarray
        Shape ``(n, height, width)`` or ``(n, height, width, channels)``, where ``columns``
        divides ``n``.
    columns : int
        Pictures in a row.

    Returns
    -------
    numpy.ndarray
        Shape ``(n / columns * height, columns * width[, channels])``, the same dtype.

    Examples
    --------
    >>> to_sheet(np.zeros((5000, 32, 32, 3), "uint8")).shape
    (1600, 3200, 3)
    """
    n, height, width, *channels = images.shape
    if n % columns:
        raise ValueError(f"{n} pictures do not fill rows of {columns}")
    tiles = images.reshape(n // columns, columns, height, width, *channels).swapaxes(1, 2)
    return tiles.reshape(n // columns * height, columns * width, *channels)


def from_sheet(sheet: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cut a contact sheet into its pictures; the inverse of :func:`to_sheet`.

    Parameters
    ----------
    sheet : numpy.ndarray
        Shape ``(rows * height, columns * width)``, or with channels as a third axis.
    height, width : int
        Of one picture, in pixels.

    Returns
    -------
    numpy.ndarray
        Shape ``(rows * columns, height, width)``, or with channels as a fourth axis.
    """
    rows, row_rest = divmod(sheet.shape[0], height)
    columns, column_rest = divmod(sheet.shape[1], width)
    if row_rest or column_rest:
        raise ValueError(
            f"a sheet of {sheet.shape[0]} × {sheet.shape[1]} pixels does not divide into "
            f"pictures of {height} × {width}"
        )
    tiles = sheet.reshape(rows, height, columns, width, *sheet.shape[2:]).swapaxes(1, 2)
    return tiles.reshape(rows * columns, height, width, *sheet.shape[2:])
