"""Bytes to values."""

import datetime
import decimal
import fractions
import itertools
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

from autograder.wire.kinds import (
    DEFAULT,
    MAX_AXES,
    MAX_AXIS,
    MAX_EXPONENT,
    PIECE,
    PIECES,
    PLAIN,
    TAGS,
    TYPES,
    Hook,
    Limits,
    WireError,
    check_hashable,
    dtype_of,
)


def decode(data: bytes, *, foreign: Hook | None = None, limits: Limits = DEFAULT) -> Any:
    """Turn bytes into a value; trust nothing about them.

    Parameters
    ----------
    data : bytes
        A message.
    foreign : callable, optional
        Called with the data that the sender's `unknown` returned; returns the object. Any
        exception in it becomes a :class:`WireError`.
    limits : Limits
        Bounds.

    Raises
    ------
    WireError
        If the bytes are no message, or a bound is exceeded.
    """
    if len(data) > limits.message:
        raise WireError(f"a message of {len(data):,} bytes; at most {limits.message:,} may cross")
    left = limits.items

    def counted(items: list[Any]) -> list[Any]:
        nonlocal left
        left -= len(items)
        if left < 0 or not items:
            raise WireError("a message of too many items" if items else "an array without a tag")
        return items

    try:
        tree = msgpack.unpackb(
            data,
            list_hook=counted,
            unicode_errors="surrogatepass",
            strict_map_key=True,
            max_array_len=PIECE + 2,
            max_map_len=0,
            max_ext_len=0,
        )
        return _Decoder(foreign, limits).value(tree, 0)
    except WireError:
        raise
    except RecursionError:
        raise WireError("a message that is nested too deeply") from None
    except MemoryError:
        raise WireError("a message that does not fit into memory") from None
    except Exception as error:
        raise WireError(f"not a message: {type(error).__name__}") from error


class _Decoder:
    """Reads what msgpack made of a message; refuses whatever the encoder would not write."""

    def __init__(self, foreign: Hook | None, limits: Limits) -> None:
        self._foreign = foreign
        self._limits = limits

    def value(self, tree: Any, depth: int) -> Any:
        kind = type(tree)
        if kind in PLAIN:
            return tree
        if kind is not list or depth > self._limits.depth + 1:
            raise WireError(f"a {kind.__name__} or a nesting that no message has")
        tag, parts = tree[0], tree[1:]
        if type(tag) is not int:
            raise WireError("an array without a tag")
        if tag == PIECES:
            tag, *pieces = parts
            if type(tag) is not int or not all(type(piece) is list for piece in pieces):
                raise WireError("a container whose pieces are none")
            parts = list(itertools.chain.from_iterable(pieces))
        read = _READERS.get(tag)
        if read is None:
            raise WireError(f"there is no tag {tag}")
        return read(self, parts, depth)

    def items(self, parts: list[Any], depth: int) -> list[Any]:
        kinds = set(map(type, parts))
        if kinds <= PLAIN:
            return parts
        return [self.value(part, depth + 1) for part in parts]

    def pairs(self, parts: list[Any], depth: int) -> dict[Any, Any]:
        flat = self.items(parts, depth)
        if len(flat) % 2:
            raise WireError("a dict with a key and no value")
        for key in flat[::2]:
            check_hashable(key)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def members(self, parts: list[Any], depth: int) -> list[Any]:
        found = self.items(parts, depth)
        for member in found:
            check_hashable(member)
        return found

    def integer(self, parts: list[Any], depth: int) -> int:
        (data,) = _typed(parts, bytes)
        if len(data) > self._limits.integer:
            raise WireError(f"an integer of {len(data):,} bytes")
        return int.from_bytes(data, "big", signed=True)

    def array(self, parts: list[Any], depth: int) -> np.ndarray:
        name, data, *shape = parts
        _typed([name, data], str, bytes)
        dtype = dtype_of(name)
        count = _count(shape)
        if len(data) != count * dtype.itemsize:
            raise WireError(f"an array of shape {tuple(shape)} with {len(data):,} bytes")
        found = np.frombuffer(data, dtype) if data else np.empty(0, dtype)
        _check_elements(found)
        return found.reshape(shape).copy()

    def objects(self, parts: list[Any], depth: int) -> np.ndarray:
        axes = parts[0]
        if type(axes) is not int or not 0 <= axes <= MAX_AXES:
            raise WireError("an array of objects without a shape")
        shape = parts[1 : 1 + axes]
        elements = self.items(parts[1 + axes :], depth)
        if _count(shape) != len(elements) or len(shape) != axes:
            raise WireError("an array of objects whose shape does not fit")
        found = np.empty(len(elements), object)
        for place, element in enumerate(elements):
            found[place] = element
        return found.reshape(shape)

    def scalar(self, parts: list[Any], depth: int) -> np.generic:
        name, data = _typed(parts, str, bytes)
        dtype = dtype_of(name)
        if dtype.itemsize != len(data) or dtype.kind in "SU":
            raise WireError("a scalar whose size does not fit")
        found = np.frombuffer(data, dtype)
        _check_elements(found)
        return found[0]

    def tensor(self, parts: list[Any], depth: int) -> Any:
        (tree,) = parts
        found = self.value(tree, depth + 1)
        if type(found) is not np.ndarray:
            raise WireError("a tensor that is no array")
        convert = getattr(sys.modules.get("tensorflow"), "convert_to_tensor", None)
        return found if convert is None else convert(found)

    def slices(self, parts: list[Any], depth: int) -> slice:
        start, stop, step = self.items(parts, depth)
        return slice(start, stop, step)

    def foreign(self, parts: list[Any], depth: int) -> Any:
        (tree,) = parts
        if self._foreign is None:
            raise WireError("an object where only data are expected")
        return self._foreign(self.value(tree, depth + 1))


def _typed(parts: list[Any], *kinds: type) -> list[Any]:
    if [type(part) for part in parts] != list(kinds):
        raise WireError("a part of another type than its place has")
    return parts


def _count(shape: list[Any]) -> int:
    """Return the number of elements, of a shape that somebody claims."""
    if len(shape) > MAX_AXES or not all(
        type(size) is int and 0 <= size <= MAX_AXIS for size in shape
    ):
        raise WireError("a shape that no array has")
    count = 1
    for size in shape:
        count *= size
    return count


def _check_elements(found: np.ndarray) -> None:
    """Refuse bytes that are no element of their dtype: NumPy itself takes them unseen."""
    if found.dtype.kind == "b" and (found.view(np.uint8) > 1).any():
        raise WireError("a boolean that is neither true nor false")
    if found.dtype.kind == "U" and found.size:
        points = found.view(np.dtype("u4").newbyteorder(found.dtype.byteorder))
        if (points > sys.maxunicode).any():
            raise WireError("a character that does not exist")


def _read_range(decoder: _Decoder, parts: list[Any], depth: int) -> range:
    found = decoder.items(parts, depth)
    return range(*_typed(found, int, int, int))


def _read_datetime(decoder: _Decoder, parts: list[Any], depth: int) -> datetime.datetime:
    *fields, fold, offset = parts
    _typed([*fields, fold], *[int] * 8)
    return datetime.datetime(*fields, fold=fold, tzinfo=_zone(offset))


def _read_time(decoder: _Decoder, parts: list[Any], depth: int) -> datetime.time:
    *fields, fold, offset = parts
    _typed([*fields, fold], *[int] * 5)
    return datetime.time(*fields, fold=fold, tzinfo=_zone(offset))


def _zone(offset: Any) -> datetime.timezone | None:
    if offset is None:
        return None
    _typed([offset], int)
    return datetime.timezone(datetime.timedelta(microseconds=offset))


def _read_decimal(decoder: _Decoder, parts: list[Any], depth: int) -> decimal.Decimal:
    (text,) = _typed(parts, str)
    if len(text) > 2 * MAX_EXPONENT:
        raise WireError("a Decimal of too many digits")
    value = decimal.Decimal(text)
    if value.is_finite() and abs(value.adjusted()) > MAX_EXPONENT:
        raise WireError("a Decimal that is too large or too small")
    return value


def _read_fraction(decoder: _Decoder, parts: list[Any], depth: int) -> fractions.Fraction:
    return fractions.Fraction(*_typed(decoder.items(parts, depth), int, int))


def _read_text_scalar(decoder: _Decoder, parts: list[Any], depth: int) -> np.generic:
    (text,) = parts
    if type(text) is str:
        return np.str_(text)
    _typed(parts, bytes)
    return np.bytes_(text)


def _exactly(made: Callable[..., Any], *kinds: type) -> Callable[[_Decoder, list[Any], int], Any]:
    return lambda decoder, parts, depth: made(*_typed(parts, *kinds))


_READERS: dict[int, Callable[[_Decoder, list[Any], int], Any]] = {
    TAGS[kind]: read
    for kind, read in {
        "list": _Decoder.items,
        "tuple": lambda d, parts, depth: tuple(d.items(parts, depth)),
        "dict": _Decoder.pairs,
        "set": lambda d, parts, depth: set(d.members(parts, depth)),
        "frozenset": lambda d, parts, depth: frozenset(d.members(parts, depth)),
        "integer": _Decoder.integer,
        "complex": _exactly(complex, float, float),
        "bytearray": _exactly(bytearray, bytes),
        "range": _read_range,
        "slice": _Decoder.slices,
        "ellipsis": _exactly(lambda: ...),
        "array": _Decoder.array,
        "objects": _Decoder.objects,
        "scalar": _Decoder.scalar,
        "text-scalar": _read_text_scalar,
        "dtype": _exactly(dtype_of, str),
        "type": _exactly(lambda name: TYPES[name], str),
        "tensor": _Decoder.tensor,
        "fraction": _read_fraction,
        "decimal": _read_decimal,
        "date": _exactly(datetime.date, int, int, int),
        "time": _read_time,
        "datetime": _read_datetime,
        "timedelta": _exactly(datetime.timedelta, int, int, int),
        "path": _exactly(pathlib.PurePath, str),
        "foreign": _Decoder.foreign,
    }.items()
}
