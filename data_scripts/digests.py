"""The digest that counts: of what a file holds once decoded, not of the file.

The same pictures travel as a tar archive, an ``.npz`` or lossless WebP, and an ``.npz`` differs
between two machines in nothing but the time of day. The decoded values are the same everywhere.
"""

import hashlib
from collections.abc import Iterable

import numpy as np


def digest(array: np.ndarray) -> str:
    """SHA-256 of the decoded values of an array, in C order.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape, dtype ``uint8``: the shape is not part of the digest.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        If the dtype is not ``uint8``: the digest of other types would depend on byte order.

    Examples
    --------
    >>> digest(np.zeros((2, 2), "uint8"))[:12]
    'df3f619804a9'
    """
    if array.dtype != np.uint8:
        raise TypeError(f"digest of an array of dtype {array.dtype}; expected uint8")
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def digest_of_weights(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of the values of several arrays, one after the other, each in C order.

    Parameters
    ----------
    arrays : iterable of numpy.ndarray
        Of numeric dtypes. Values count in little-endian byte order, whatever the machine; shapes
        are not part of the digest.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> digest_of_weights([np.zeros((1, 2), "float32"), np.zeros(2, "float16")])[:12]
    '15ec7bf0b507'
    """
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")))
    return total.hexdigest()
