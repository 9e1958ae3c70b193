"""Differences between a received answer and an expected one, in words.

Every ``compare_*`` function returns ``None`` when the answer is right and a :class:`Difference`
otherwise. The same functions recognise a named mistake: an answer *is* the mistake when it does not
differ from the wrong answer that the author wrote down.
"""

import dataclasses
import itertools
import numbers
import re
import reprlib
import types
from decimal import Decimal
from typing import Any

import numpy as np

from autograder.checks.verdicts import AuthorError

MAX_TEXT = 300  # characters of an answer, or of its error, that a message quotes
MAX_SIZE = 10_000_000  # elements of a range, or of an array that is compared as a list


@dataclasses.dataclass(frozen=True)
class Difference:
    """Why an answer is not the expected one.

    Attributes
    ----------
    kind : str
        ``"wrong-type"``, ``"wrong-shape"``, ``"wrong-dtype"``, ``"not-finite"``,
        ``"wrong-value"`` …
    visible : str
        A sentence with the values.
    hidden : str
        The same without values: only types, shapes and dtypes.
    """

    kind: str
    visible: str
    hidden: str


class _ShortRepr(reprlib.Repr):
    """Short, also for long or self-containing lists; NumPy scalars and tensors as plain numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = 160
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 12

    def repr1(self, x: Any, level: int) -> str:
        array = as_array(x) if hasattr(x, "__array__") else None
        if array is None:
            return super().repr1(x, level)
        if array.size > 16:
            return f"an array of shape {array.shape}, {array.dtype}"
        return repr(array.tolist())


def one_line(text: str) -> str:
    """Make foreign text fit for a message: one line, not long, printable on any terminal."""
    # str.split also turns an odd subclass of str, which could misbehave later, into real strings.
    text = " ".join(str.split(text)).encode("utf-8", "replace").decode("utf-8")
    text = re.sub("\x1b\\[[0-9;]*m", "", text)  # colours
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " …"


def describe(value: Any) -> str:
    """Show a value in one short line: large arrays by shape and dtype, scalars as plain numbers."""
    try:
        return one_line(_ShortRepr().repr(value))
    except Exception:
        return describe_type(value)


def describe_type(value: Any) -> str:
    """Name the type of a value, with its axes and dtype but without its content.

    Hidden checks show this text. Sizes are left out, because an answer could write an input into
    its shape; a class of the student's own could carry it out in its name, so such a class goes by
    the built-in type that it extends.
    """
    array = value if isinstance(value, np.ndarray) else None
    if not isinstance(value, tuple | list | str | bytes | bool | int | float | complex | range):
        array = as_array(value) if array is None else array
    if array is not None:
        kind = array.dtype if is_numeric(array.dtype) else "not of numbers"
        return f"an array with {_axes(array.ndim)}, {kind}"
    if isinstance(value, tuple | list):
        return "a tuple" if isinstance(value, tuple) else "a list"
    if isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
        return "a function (not its result)"
    if isinstance(value, type):
        return "a class (not an object of it)"
    shown = (str, bytes, bool, int, float, complex, dict, set, frozenset, range)
    name = next((base.__name__ for base in shown if isinstance(value, base)), "object")
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes" if count <= 8 else "more than 8 axes"


def _hidden_shape(received: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Say how a shape differs, in words that leave no room for a number of the student's choice."""
    if len(received) != len(expected):
        return f"received an array with {_axes(len(received))}, expected shape {expected}"
    wrong = [
        str(axis)
        for axis, (size, right) in enumerate(zip(received, expected, strict=True))
        if size != right
    ]
    which = f"axis {wrong[0]} has" if len(wrong) == 1 else f"axes {', '.join(wrong)} have"
    return f"{which} another size than in the expected shape {expected}"


def is_numeric(dtype: np.dtype) -> bool:
    """Whether values of this dtype are numbers or booleans; bfloat16 is no kind of NumPy's own."""
    return dtype.kind in "biufc" or dtype.name == "bfloat16"


def as_array(value: Any) -> np.ndarray | None:
    """View numbers, NumPy arrays, tensors and nested lists of numbers as an array.

    Returns
    -------
    numpy.ndarray or None
        None if the value is no array of numbers or booleans (strings, objects, ragged lists,
        symbolic tensors), or if some of it is masked.
    """
    if value is None or isinstance(value, str | bytes | dict | set | frozenset):
        return None
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        return None
    if isinstance(value, range) and value[MAX_SIZE:]:
        return None  # small as a range, but not as an array
    try:
        array = np.asarray(value)
    except Exception:
        return None
    return array if is_numeric(array.dtype) else None


def as_number(value: Any) -> float | int | complex | None:
    """Return an exact int, float or complex for a number or a 0-d array or tensor; else None.

    Booleans are no numbers here: ``True`` is not the answer 1. A subclass of a number counts by the
    value it holds, whatever its operators claim.
    """
    if isinstance(value, bool | np.bool_):
        return None
    if not isinstance(value, np.generic):
        for base in (int, float, complex):
            if isinstance(value, base):
                return getattr(base, "__int__" if base is int else f"__{base.__name__}__")(value)
        if isinstance(value, numbers.Real | Decimal):
            try:
                return float(value)
            except (OverflowError, ValueError):
                return float("nan")
    if isinstance(value, list | tuple | range):
        return None
    array = as_array(value)
    if array is None or array.ndim or array.dtype.kind == "b":
        return None
    kind = array.dtype.kind
    return int(array) if kind in "iu" else complex(array) if kind == "c" else float(array)


def _close(received: Any, expected: Any, rtol: float, atol: float) -> bool:
    if isinstance(expected, int) and isinstance(received, int):
        return received == expected
    try:
        return bool(abs(received - expected) <= atol + rtol * abs(expected))
    except OverflowError:  # an integer that no float can hold
        return False


def _finite(number: float | complex) -> bool:
    return isinstance(number, int) or bool(np.isfinite(number))


def compare_number(
    received: Any,
    expected: float,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    allow_non_finite: bool = False,
) -> Difference | None:
    """Compare two numbers; NumPy scalars and 0-d tensors count as numbers.

    Parameters
    ----------
    received : Any
        The answer.
    expected : int or float
        What is right. Two integers are compared exactly.
    rtol, atol : float
        Right if ``|received − expected| <= atol + rtol·|expected|``.
    allow_non_finite : bool
        Whether ``nan`` or ``inf`` may be the right answer.

    Raises
    ------
    AuthorError
        If `expected` is no number, or not finite where that is not allowed.
    """
    right = as_number(expected)
    if right is None:
        raise AuthorError(f"expected must be a number, not {describe_type(expected)}")
    if not _finite(right) and not allow_non_finite:
        raise AuthorError(f"expected is {right}: declare it with allow_non_finite=True")
    number = as_number(received)
    if number is None:
        return Difference(
            "wrong-type",
            f"received {describe(received)}, which is {describe_type(received)}; expected a number",
            f"received {describe_type(received)}; expected a number",
        )
    if not _finite(number) or not _finite(right):
        if number == right or (np.isnan(number) and np.isnan(right)):
            return None
        if _finite(number):
            return Difference(
                "wrong-value",
                f"received {describe(number)}, expected {right}",
                "received another number than expected",
            )
        return Difference(
            "not-finite",
            f"received {number}; expected {'a finite number' if _finite(right) else right}",
            "received a number that is not finite (nan or inf)",
        )
    if _close(number, right, rtol, atol):
        return None
    return Difference(
        "wrong-value",
        f"received {describe(number)}, expected {describe(right)}",
        "received another number than expected",
    )


def compare_shape(received: Any, expected: tuple[int | None, ...]) -> Difference | None:
    """Compare shapes: a tuple, a list, a ``TensorShape`` or an array of whole numbers will do.

    A size of None (any batch) is only equal to None; ``26.0`` is the whole number 26.
    """
    expected = tuple(expected)
    if not all(size is None or isinstance(as_number(size), int | float) for size in expected):
        raise AuthorError(f"expected must be a shape, not {expected!r}")
    unordered_or_text = isinstance(received, str | bytes | dict | set | frozenset)
    try:
        # No shape is this long, and an endless iterator never ends.
        items = None if unordered_or_text else tuple(itertools.islice(received, 100))
    except TypeError:
        items = None
    sizes = None if items is None else [None if i is None else as_number(i) for i in items]
    if sizes is None or not all(
        item is None or isinstance(size, int | float)
        for item, size in zip(items, sizes, strict=True)
    ):
        return Difference(
            "wrong-type",
            f"received {describe(received)}; expected a shape such as {expected}",
            f"received {describe_type(received)}; expected a shape, {len(expected)} whole numbers",
        )
    if len(sizes) != len(expected):
        return Difference(
            "wrong-length",
            f"received {describe(items)}, {len(sizes)} sizes; "
            f"expected {len(expected)} sizes: {expected}",
            f"received {min(len(sizes), 10)} sizes; expected {len(expected)}",
        )
    if all(size == right for size, right in zip(sizes, expected, strict=True)):
        return None
    return Difference(
        "wrong-value",
        f"received {describe(items)}, expected {expected}",
        "received another shape than expected",
    )


def compare_array(
    received: Any,
    expected: Any,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    dtype: str | None = None,
    allow_non_finite: bool = False,
) -> Difference | None:
    """Compare arrays; tell shape, dtype, non-finite values and values apart.

    Parameters
    ----------
    received : Any
        The answer: a NumPy array, a tensor or nested lists of numbers.
    expected : array_like
        What is right.
    rtol, atol : float
        Every element must satisfy ``|received − expected| <= atol + rtol·|expected|``. Integers and
        booleans on both sides are compared exactly.
    dtype : str, optional
        Required dtype (``"float32"``) or kind (``"float"``, ``"int"``, ``"uint"``, ``"bool"``,
        ``"complex"``). By default any numeric dtype will do.
    allow_non_finite : bool
        Whether ``nan`` and ``inf`` may stand where they stand in `expected`.

    Raises
    ------
    AuthorError
        If `expected` is no array of numbers, or not finite where that is not allowed.
    """
    right = as_array(expected)
    if right is None:
        raise AuthorError(f"expected must be an array of numbers, not {describe_type(expected)}")
    if not allow_non_finite and not np.isfinite(right).all():
        raise AuthorError("expected holds nan or inf: declare it with allow_non_finite=True")
    right_dtype_wanted = _dtype_test(dtype)
    array = as_array(received)
    if array is None:
        return Difference(
            "wrong-type",
            f"received {describe(received)}; expected an array of shape {right.shape}",
            f"received {describe_type(received)}; expected an array of shape {right.shape}",
        )
    if array.shape != right.shape:
        text = f"received shape {array.shape}, expected shape {right.shape}"
        kind = "transposed" if array.T.shape == right.shape else "wrong-shape"
        return Difference(kind, text, _hidden_shape(array.shape, right.shape))
    if not right_dtype_wanted(array.dtype):
        text = f"received dtype {array.dtype}, expected {dtype}"
        return Difference("wrong-dtype", text, text)
    bad = int(array.size - np.isfinite(array).sum())
    if bad and not allow_non_finite:
        return Difference(
            "not-finite",
            f"received an array in which {bad} of {array.size} values are not finite (nan or inf)",
            "some values are not finite (nan or inf)",
        )
    # A student may have turned NumPy's warnings into errors; none of them matters here.
    with np.errstate(all="ignore"):
        wrong, size = _wrong_elements(array, right, rtol, atol)
        if not wrong.any():
            return None
        if array.ndim > 1 and array.shape[0] == array.shape[1]:
            swapped = np.swapaxes(array, 0, 1)
            if not _wrong_elements(swapped, right, rtol, atol)[0].any():
                text = "the values are right, but rows and columns are swapped"
                return Difference("transposed", text, text)
    share = f"{int(wrong.sum())} of {array.size} values differ"
    if array.size <= 16:
        where = f"received {describe(array)}, expected {describe(right)}"
    else:
        worst = np.argmax(np.where(wrong, size, -1))  # nan counts as the largest
        index = tuple(int(i) for i in np.unravel_index(worst, array.shape))
        where = (
            f"the largest difference is at {index}: received {describe(array[index])}, "
            f"expected {describe(right[index])}"
        )
    return Difference(
        "wrong-value",
        f"{share}; {where}",
        f"shape {array.shape} and dtype {array.dtype} are fine, but values differ",
    )


def _wrong_elements(
    array: np.ndarray, right: np.ndarray, rtol: float, atol: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return which elements are wrong and by how much, where that is a number."""
    # Wide enough that a difference of two uint8 or two float16 neither wraps round nor is rounded.
    wide = np.result_type(
        np.float64, *(item.dtype for item in (array, right) if item.dtype.name != "bfloat16")
    )
    a, b = array.astype(wide), right.astype(wide)
    size = np.abs(a - b)
    if array.dtype.kind in "biu" and right.dtype.kind in "biu":
        return array != right, size
    # Equal infinities differ by nan, and any number is within an infinite tolerance of infinity.
    near = np.isfinite(a) & np.isfinite(b) & (size <= atol + rtol * np.abs(b))
    return ~(near | (a == b) | (np.isnan(a) & np.isnan(b))), size


def _dtype_test(wanted: str | None) -> Any:
    """Return a function that tells whether a dtype is the wanted one."""
    kinds = {"float": "f", "int": "iu", "uint": "u", "bool": "b", "complex": "c"}
    if wanted is None:
        return lambda dtype: True
    if wanted in kinds:
        return lambda dtype: (
            dtype.kind in kinds[wanted] or (wanted == "float" and dtype.name == "bfloat16")
        )
    try:
        exact = np.dtype(wanted)
    except TypeError as error:
        raise AuthorError(f"no dtype or kind is called {wanted!r}") from error
    return lambda dtype: dtype == exact


def compare_equal(received: Any, expected: Any) -> Difference | None:
    """Compare plain data: strings, booleans, numbers, and lists, tuples and dicts of them.

    Numbers inside are compared as :func:`compare_number` does; a list or an array will do for a
    tuple. A generator, a set or an object is not plain data.

    Raises
    ------
    AuthorError
        If a number in `expected` is not finite.
    """
    plain, right = _plain(received), _plain(expected)
    if _same(plain, right):
        return None
    kind = "wrong-value"
    if not _same_kind(plain, right):
        kind = "wrong-type"
    elif isinstance(right, list) and len(plain) != len(right):
        kind = "wrong-length"
    return Difference(
        kind,
        f"received {describe(received)}, expected {describe(expected)}",
        f"received {describe_type(received)}, not what is expected"
        if kind == "wrong-value"
        else f"received {describe_type(received)}, expected {describe_type(expected)}",
    )


def _plain(value: Any) -> Any:
    """Turn one level of data into exact built-in types, so that no subclass has a say in `==`."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, dict):
        return dict(dict.items(value))
    if isinstance(value, list):
        return list(list.__iter__(value))
    if isinstance(value, tuple):
        return list(tuple.__iter__(value))
    number = as_number(value)
    if number is not None:
        return number
    array = as_array(value)
    # A view can repeat one number more often than a list has room for.
    return value if array is None or array.size > MAX_SIZE else array.tolist()


def _same_kind(received: Any, expected: Any) -> bool:
    """Whether two values from :func:`_plain` can be compared; all kinds of numbers are alike."""
    if isinstance(expected, int | float | complex) and not isinstance(expected, bool):
        return isinstance(received, int | float | complex) and not isinstance(received, bool)
    return type(received) is type(expected)


def _same(received: Any, expected: Any) -> bool:
    received, expected = _plain(received), _plain(expected)
    if not _same_kind(received, expected):
        return False
    if isinstance(expected, dict):
        return received.keys() == expected.keys() and all(
            _same(received[key], expected[key]) for key in expected
        )
    if isinstance(expected, list):
        return len(received) == len(expected) and all(map(_same, received, expected))
    if isinstance(expected, int | float | complex) and not isinstance(expected, bool):
        return compare_number(received, expected) is None
    return bool(received == expected)
