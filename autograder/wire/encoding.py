"""Values to bytes."""

import array
import collections
import datetime
import decimal
import fractions
import itertools
import pathlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

import msgpack
import numpy as np

from autograder.wire.kinds import (
    DEFAULT,
    MAX_AXES,
    MAX_EXPONENT,
    PIECE,
    PIECES,
    PLAIN,
    TAGS,
    TYPE_NAMES,
    Hook,
    Limits,
    WireError,
    check_hashable,
    dtype_name,
    has_plain_elements,
)


def encode(value: Any, *, unknown: Hook | None = None, limits: Limits = DEFAULT) -> bytes:
    """Turn a value into bytes.

    Parameters
    ----------
    value : Any
        The value.
    unknown : callable, optional
        Called with an object that is no data; returns data that describe it, or raises
        :class:`WireError`.
    limits : Limits
        Bounds; the receiver's should be the same.

    Returns
    -------
    bytes

    Raises
    ------
    WireError
        If part of the value is no data, or if there is too much of it. Whatever `unknown` raises
        goes through.
    """
    tree = _Encoder(unknown, limits).tree(value, 0)
    try:
        data = msgpack.packb(tree, unicode_errors="surrogatepass")
    except (ValueError, OverflowError, TypeError) as error:
        raise WireError(f"the value cannot be written down: {error}") from None
    if len(data) > limits.message:
        raise WireError(
            f"the value takes {len(data):,} bytes; at most {limits.message:,} may cross"
        )
    return data


class _Encoder:
    """Writes values as nested lists of what msgpack knows.

    Only ``type(value)`` decides what a value is, and only methods of the built-in types are used:
    what an object claims or overrides does not count.
    """

    def __init__(self, unknown: Hook | None, limits: Limits) -> None:
        self._unknown = unknown
        self._limits = limits
        self._left = limits.items
        self._bytes = limits.message
        self._path: set[int] = set()

    def tree(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in PLAIN:
            tree = self._scalar(value)
        elif kind in _WRITERS:
            tree = _WRITERS[kind](self, value, depth)
        else:
            tree = self._other(value, kind, depth)
        if type(tree) is list:
            self._count(len(tree))
        return tree

    def _count(self, items: int) -> None:
        self._left -= items
        if self._left < 0:
            raise WireError(f"more than {self._limits.items:,} items")

    def _scalar(self, value: Any) -> Any:
        kind = type(value)
        if kind is int and not -(2**63) <= value < 2**64:
            return self._integer(value)
        if kind is str or kind is bytes:
            self.spend(len(value))
        return value

    def spend(self, size: int) -> None:
        """Stop before a value much larger than allowed is copied."""
        self._bytes -= size
        if self._bytes < 0:
            raise WireError(f"the value takes more than the {self._limits.message:,} bytes allowed")

    def _integer(self, value: int) -> list[Any]:
        size = value.bit_length() // 8 + 1
        if size > self._limits.integer:
            raise WireError(
                f"an integer of {size:,} bytes; at most {self._limits.integer:,} may cross"
            )
        return [TAGS["integer"], value.to_bytes(size, "big", signed=True)]

    def items(self, kind: str, container: Any, items: list[Any], depth: int, *head: Any) -> Any:
        """Write the elements of a container, in pieces where there are many."""
        if depth >= self._limits.depth:
            raise WireError(f"nested more than {self._limits.depth} deep")
        if len(items) > self._left:
            raise WireError(f"more than {self._limits.items:,} items")
        if id(container) in self._path:
            raise WireError(f"a {kind} that contains itself")
        if not set(map(type, items)) <= PLAIN:
            self._path.add(id(container))
            items = [self.tree(item, depth + 1) for item in items]
            self._path.discard(id(container))
        else:
            items = list(map(self._scalar, items))
        whole = [*head, *items]
        if len(whole) <= PIECE:
            return [TAGS[kind], *whole]
        self._count(len(whole))
        pieces = [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)]
        return [PIECES, TAGS[kind], *pieces]

    def pairs(self, value: dict[Any, Any], items: Iterable[Any], depth: int) -> Any:
        flat = list(itertools.chain.from_iterable(items))
        for key in flat[::2]:
            check_hashable(key)
        return self.items("dict", value, flat, depth)

    def members(self, kind: str, value: Any, items: Iterable[Any], depth: int) -> Any:
        members = list(items)
        for member in members:
            check_hashable(member)
        return self.items(kind, value, members, depth)

    def array(self, value: np.ndarray, depth: int) -> list[Any]:
        value = np.ndarray.view(value, np.ndarray)
        if value.dtype.kind == "O":
            elements = value.reshape(-1).tolist()
            return self.items("objects", value, elements, depth, value.ndim, *value.shape)
        if not has_plain_elements(value.dtype):
            return self.foreign(value, depth)
        if value.ndim > MAX_AXES:
            raise WireError(f"an array of {value.ndim} axes; at most {MAX_AXES} may cross")
        if value.dtype.kind in "SU" and not value.dtype.itemsize:
            value = value.astype(value.dtype.kind + "1")
        name = dtype_name(value.dtype)
        self.spend(value.nbytes)
        return [TAGS["array"], name, value.tobytes("C"), *value.shape]

    def _other(self, value: Any, kind: type, depth: int) -> Any:
        """Write a subclass as the type it extends, a tensor as an array, the rest by the hook."""
        if kind is type or issubclass(kind, type):
            if kind is type and value in TYPE_NAMES:
                return [TAGS["type"], TYPE_NAMES[value]]
            return self.foreign(value, depth)
        if issubclass(kind, np.dtype):
            return [TAGS["dtype"], dtype_name(value)]
        if issubclass(kind, np.generic) and has_plain_elements(value.dtype):
            return self._numpy_scalar(value)
        if issubclass(kind, np.ma.MaskedArray) and np.ma.is_masked(value):
            return self.foreign(value, depth)
        tensor = _tensor_array(value, kind)
        if tensor is not None:
            return [TAGS["tensor"], self.array(tensor, depth + 1)]
        shape = _tensor_shape(value, kind)
        if shape is not None:
            return self.tree(shape, depth)
        for base in kind.__mro__[1:-1]:
            convert = _CONVERTERS.get(base)
            if convert is not None:
                return self.tree(convert(value), depth)
            if base in _WRITERS:
                return _WRITERS[base](self, value, depth)
        return self.foreign(value, depth)

    def _numpy_scalar(self, value: np.generic) -> list[Any]:
        if isinstance(value, np.str_):
            return [TAGS["text-scalar"], str.__str__(value)]
        if isinstance(value, np.bytes_):
            return [TAGS["text-scalar"], bytes.__getitem__(value, slice(None)) + b""]
        flat = np.asarray(value)
        return [TAGS["scalar"], dtype_name(flat.dtype), flat.tobytes()]

    def foreign(self, value: Any, depth: int) -> list[Any]:
        if self._unknown is None:
            raise WireError(f"an object of the class {type(value).__name__[:100]} is no data")
        if depth >= self._limits.depth or id(value) in self._path:
            raise WireError(f"nested more than {self._limits.depth} deep, or in itself")
        self._path.add(id(value))
        try:
            return [TAGS["foreign"], self.tree(self._unknown(value), depth + 1)]
        finally:
            self._path.discard(id(value))


def _tensor_array(value: Any, kind: type) -> np.ndarray | None:
    """View an eager tensor or a variable as an array; None for everything else."""
    tensorflow, keras = sys.modules.get("tensorflow"), sys.modules.get("keras")
    for owner, names in ((tensorflow, ("Tensor", "Variable")), (keras, ("Variable",))):
        for name in names:
            base = getattr(owner, name, None)
            if isinstance(base, type) and issubclass(kind, base):
                try:
                    found = np.asarray(value)
                except Exception:  # a symbol, without values
                    return None
                return found if type(found) is np.ndarray else None
    return None


def _tensor_shape(value: Any, kind: type) -> Any:
    """Return what stands for a shape or a dtype of TensorFlow."""
    tensorflow = sys.modules.get("tensorflow")
    shape, dtype = getattr(tensorflow, "TensorShape", None), getattr(tensorflow, "DType", None)
    if isinstance(shape, type) and issubclass(kind, shape):
        return tuple(value.as_list()) if value.rank is not None else None
    if isinstance(dtype, type) and issubclass(kind, dtype):
        return np.dtype(value.as_numpy_dtype)
    return None


def _write_datetime(encoder: _Encoder, value: datetime.datetime, depth: int) -> list[Any]:
    fields = (value.year, value.month, value.day, value.hour, value.minute, value.second)
    return [TAGS["datetime"], *fields, value.microsecond, value.fold, _offset(value.utcoffset())]


def _write_time(encoder: _Encoder, value: datetime.time, depth: int) -> list[Any]:
    fields = (value.hour, value.minute, value.second, value.microsecond, value.fold)
    return [TAGS["time"], *fields, _offset(value.utcoffset())]


def _offset(offset: datetime.timedelta | None) -> int | None:
    return None if offset is None else offset // datetime.timedelta(microseconds=1)


def _write_decimal(encoder: _Encoder, value: decimal.Decimal, depth: int) -> list[Any]:
    text = decimal.Decimal.__str__(value)
    if value.is_finite() and abs(value.adjusted()) > MAX_EXPONENT:
        raise WireError(f"a Decimal beyond 10 to the power of {MAX_EXPONENT:,}")
    return [TAGS["decimal"], text]


def _write_range(encoder: _Encoder, value: Any, depth: int) -> Any:
    kind = "range" if type(value) is range else "slice"
    return encoder.items(kind, value, [value.start, value.stop, value.step], depth)


_WRITERS: dict[type, Callable[[_Encoder, Any, int], Any]] = {
    list: lambda e, x, d: e.items("list", x, list(list.__iter__(x)), d),
    tuple: lambda e, x, d: e.items("tuple", x, list(tuple.__iter__(x)), d),
    dict: lambda e, x, d: e.pairs(x, dict.items(x), d),
    collections.OrderedDict: lambda e, x, d: e.pairs(x, collections.OrderedDict.items(x), d),
    set: lambda e, x, d: e.members("set", x, set.__iter__(x), d),
    frozenset: lambda e, x, d: e.members("frozenset", x, frozenset.__iter__(x), d),
    complex: lambda e, x, d: [TAGS["complex"], x.real, x.imag],
    bytearray: lambda e, x, d: (e.spend(len(x)), [TAGS["bytearray"], bytes(x)])[1],
    range: _write_range,
    slice: _write_range,
    type(...): lambda e, x, d: [TAGS["ellipsis"]],
    np.ndarray: lambda e, x, d: e.array(x, d),
    fractions.Fraction: lambda e, x, d: e.items(
        "fraction", x, [int(x.numerator), int(x.denominator)], d
    ),
    decimal.Decimal: _write_decimal,
    datetime.datetime: _write_datetime,
    datetime.date: lambda e, x, d: [TAGS["date"], x.year, x.month, x.day],
    datetime.time: _write_time,
    datetime.timedelta: lambda e, x, d: [TAGS["timedelta"], x.days, x.seconds, x.microseconds],
    pathlib.PurePath: lambda e, x, d: [TAGS["path"], str(x)],
    array.array: lambda e, x, d: e.array(np.asarray(x), d),
    memoryview: lambda e, x, d: e.array(np.asarray(x), d),
}

# How to get at the plain value inside a subclass, whatever the subclass overrides.
_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: lambda x: bytes.__getitem__(x, slice(None)) + b"",
    bytearray: lambda x: bytearray.__getitem__(x, slice(None)),
}
