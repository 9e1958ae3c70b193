"""What both sides of the wire know: tags, bounds, and the names of types and dtypes."""

import builtins
import dataclasses
import datetime
import decimal
import fractions
import pathlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np


class WireError(ValueError):
    """A value that cannot cross, or bytes that are no value."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much one message may hold.

    Attributes
    ----------
    message : int
        Bytes in all, arrays and texts included.
    depth : int
        Nested containers.
    items : int
        Elements of all containers together, those of arrays of numbers not counted.
    integer : int
        Bytes of one integer.
    """

    message: int = 256 * 2**20
    depth: int = 100
    items: int = 2_000_000
    integer: int = 2**16


DEFAULT = Limits()

Hook = Callable[[Any], Any]

# Longer containers are cut into pieces, so that a header can never claim much that is not there.
PIECE = 4096
PIECES = 0  # tag of such a container

_KINDS = (
    "list tuple dict set frozenset integer complex bytearray range slice ellipsis array objects "
    "scalar text-scalar dtype type tensor fraction decimal date time datetime timedelta path "
    "foreign"
)
TAGS = {kind: tag for tag, kind in enumerate(_KINDS.split(), start=1)}

DTYPE = re.compile(
    r"[<>|](?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[SU][1-9]\d{0,5}|"
    r"[mM]8(?:\[\d{0,9}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)"
)
MAX_AXES = 32
MAX_AXIS = 2**40
MAX_EXPONENT = 100_000  # of a Decimal: what is larger takes for ever to turn into an integer

_BUILTIN_TYPES = (
    "bool int float complex str bytes bytearray list tuple dict set frozenset range slice object "
    "type"
)
_NUMPY_TYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 "
    "complex128 str_ bytes_ datetime64 timedelta64 ndarray generic number integer floating"
)
TYPES: dict[str, type] = {
    "NoneType": type(None),
    **{name: getattr(builtins, name) for name in _BUILTIN_TYPES.split()},
    **{f"np.{name}": getattr(np, name) for name in _NUMPY_TYPES.split()},
}
TYPE_NAMES = {kind: name for name, kind in reversed(TYPES.items())}

PLAIN = {type(None), bool, int, float, str, bytes}


def check_hashable(key: Any) -> None:
    """Refuse a key of a dict, or member of a set, that is not plain data with a value of its own.

    Raises
    ------
    WireError
        If it is a list, say, or an object whose class decides about equality.
    """
    kind = type(key)
    if kind in PLAIN or issubclass(kind, np.generic | str | int | float | complex | bytes):
        return
    if issubclass(kind, tuple | frozenset):
        for item in (tuple if issubclass(kind, tuple) else frozenset).__iter__(key):
            check_hashable(item)
        return
    dated = datetime.date | datetime.time | datetime.timedelta
    exact = fractions.Fraction | decimal.Decimal | dated | pathlib.PurePath | np.dtype
    if issubclass(kind, exact) or kind in (range, type(...)):
        return
    if kind is type and key in TYPE_NAMES:
        return
    raise WireError(
        f"an object of the class {kind.__name__[:100]} as a key of a dict or member of a set"
    )


def dtype_name(dtype: np.dtype) -> str:
    """Return the name under which a dtype crosses.

    Raises
    ------
    WireError
        If it is no dtype of plain elements.
    """
    if has_plain_elements(dtype):
        return "bfloat16" if dtype.name == "bfloat16" else dtype.str
    raise WireError(f"an array of dtype {str(dtype)[:100]} is not plain data")


def has_plain_elements(dtype: np.dtype) -> bool:
    """Whether an array of this dtype holds numbers, booleans, text, bytes or times."""
    return dtype.kind in "biufcSUmM" or dtype.name == "bfloat16"


def dtype_of(name: str) -> np.dtype:
    """Return the dtype of that name.

    Raises
    ------
    WireError
        If it may not cross.
    """
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    if not DTYPE.fullmatch(name):
        raise WireError("a dtype that may not cross")
    return np.dtype(name)
