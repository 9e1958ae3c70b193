"""What crosses the wire, and what does not: round trips, bounds, and bytes that lie."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import struct
import tracemalloc
import types

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder import wire
from autograder.wire import Limits, WireError, decode, encode

ACROSS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def cross(value, **options):
    return decode(encode(value, **options))


def bits(value):
    """Write a value down to the last bit: types, dtypes, order of keys, nan, -0.0."""
    kind = type(value)
    if kind is float:
        inner = struct.pack("d", value).hex()
    elif kind is complex:
        inner = bits(value.real) + bits(value.imag)
    elif kind in (list, tuple):
        inner = ",".join(map(bits, value))
    elif kind is dict:
        inner = ",".join(map(bits, value.items()))
    elif kind in (set, frozenset):
        inner = ",".join(sorted(map(bits, value)))
    elif kind is np.ndarray and value.dtype == object:
        inner = f"{value.shape} {bits(value.tolist())}"
    elif kind is np.ndarray or isinstance(value, np.generic):
        inner = f"{value.shape} {value.dtype.str} {value.tobytes().hex()}"
    else:
        inner = repr(value)
    return f"{kind.__name__}({inner})"


def same(a, b):
    return bits(a) == bits(b)


def object_array(items):
    found = np.empty(len(items), object)
    for place, item in enumerate(items):
        found[place] = item
    return found


SCALAR_DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?"),
    hnp.byte_string_dtypes(max_len=5),
    hnp.unicode_string_dtypes(max_len=5),
    hnp.datetime64_dtypes(),
    hnp.timedelta64_dtypes(),
)
ARRAYS = SCALAR_DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)  # lone surrogates too
HASHABLE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.complex_numbers(),
        TEXT,
        st.binary(max_size=20),
        st.fractions(),
        st.decimals().filter(lambda number: not number.is_snan()),
        st.dates(),
        st.timedeltas(),
        st.datetimes(),
        st.datetimes(timezones=st.just(datetime.timezone(datetime.timedelta(hours=2)))),
        st.times(),
        st.sampled_from([int, str, type(None), np.float32, ..., np.dtype("f4"), range(3, 9, 2)]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple), st.frozensets(inner, max_size=4)
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    st.one_of(
        HASHABLE,
        ARRAYS,
        st.binary(max_size=9).map(bytearray),
        st.builds(slice, st.none() | st.integers(), st.none() | st.integers()),
        SCALAR_DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, ()).map(lambda found: found[()])),
        st.integers(-(10**400), 10**400),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(HASHABLE, inner, max_size=5),
        st.lists(inner, max_size=4).map(object_array),
    ),
    max_leaves=15,
)


@ACROSS
@given(VALUES)
def test_plain_data_cross_to_the_last_bit(value):
    assert same(cross(value), value)


@ACROSS
@given(ARRAYS)
def test_arrays_come_in_c_order_and_writable(value):
    twisted = np.asfortranarray(value)[..., ::-1] if value.ndim else value
    found = cross(twisted)
    assert same(found, twisted.copy(order="C"))
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize("bits", [0x7FF8000000000000, 0xFFF80000DEADBEEF, 0x7FF0000000000001])
def test_the_payload_of_a_nan_is_kept_in_an_array(bits):
    value = np.array([bits], "u8").view("f8")
    assert cross(value).view("u8")[0] == bits


@pytest.mark.parametrize("count", [0, 1, 4095, 4096, 4097, 9000])
def test_long_containers_cross(count):
    assert cross(list(range(count))) == list(range(count))
    assert cross({n: str(n) for n in range(count)}) == {n: str(n) for n in range(count)}
    assert cross(set(range(count))) == set(range(count))
    nested = [[n] for n in range(count)]
    assert cross(tuple(nested)) == tuple(nested)
    assert same(cross(object_array(nested)), object_array(nested))


# ---------------------------------------------------------------- what becomes of other kinds


class Colour(enum.IntEnum):
    RED = 1


class Word(str):
    __slots__ = ()

    def __str__(self):
        return "a lie"

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Liar(list):
    __class__ = tuple

    def __len__(self):
        return 10**9

    def __iter__(self):
        raise RuntimeError

    def __reduce__(self):
        return (print, ("run",))


Named = collections.namedtuple("Named", "a b")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Colour.RED, 1),
        (Word("true"), "true"),
        (Liar([1, 2]), [1, 2]),
        (Named(1, [2]), (1, [2])),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (np.bool_(True), np.bool_(True)),
        (pathlib.Path("a/b"), pathlib.PurePath("a/b")),
        (array.array("h", [1, 2]), np.array([1, 2], "int16")),
        (memoryview(b"ab"), np.frombuffer(b"ab", "uint8")),
        (np.ma.array([1, 2]), np.array([1, 2])),
        (np.array([[1, 2]]).view(type("Own", (np.ndarray,), {})), np.array([[1, 2]])),
        (type("Own", (float,), {"__float__": lambda self: 0.0})(2.5), 2.5),
        (type("Own", (int,), {"__int__": lambda self: 0, "__index__": lambda self: 0})(5), 5),
        (np.str_("a"), np.str_("a")),
        (np.datetime64("2020-01-01"), np.datetime64("2020-01-01")),
        (np.empty(2, "U0"), np.array(["", ""])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_subclasses_become_the_plain_type_they_extend(given, expected):
    assert same(cross(given), expected)


def test_an_ordered_dict_keeps_its_own_order():
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    assert same(cross(ordered), {"b": 2, "a": 1})


def test_tensors_and_variables_come_as_tensors():
    tf = pytest.importorskip("tensorflow")
    keras = pytest.importorskip("keras")
    for value in (tf.constant([[1.5, 2]]), tf.Variable([1, 2]), keras.Variable([3.0])):
        found = cross([value])[0]
        assert isinstance(found, tf.Tensor)
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found.numpy(), np.asarray(value))
    small = cross(tf.constant([1.5, -2], tf.bfloat16))
    assert small.dtype == tf.bfloat16
    assert cross(tf.constant([b"a", b"bc"])).numpy().tolist() == [b"a", b"bc"]
    assert cross(tf.zeros((2, 3)).shape) == (2, 3)
    assert cross(tf.float16) == np.dtype("float16")
    with pytest.raises(WireError):
        encode(keras.Input((3,)))


@pytest.mark.parametrize(
    "value",
    [
        object(),
        len,
        lambda: 1,
        types,
        ValueError("x"),
        ValueError,
        Colour,
        iter([]),
        np.ma.array([1, 2], mask=[0, 1]),
        np.zeros(2, [("a", "i4")]),
        {"a": [object()]},
        {object(): 1},
        {(1, (object(),)): 1},
        {frozenset({Colour}): 1},
        decimal.Decimal("1e999999"),
        1 << 10**6,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_data_does_not_cross(value):
    with pytest.raises(WireError):
        encode(value)


def test_hooks_describe_and_make_what_is_no_data():
    value = [object(), {"a": len}]
    data = encode(value, unknown=lambda item: {"name": type(item).__name__, "more": [1, (2,)]})
    made = decode(data, foreign=lambda given: (given["name"], given["more"]))
    assert made == [
        ("object", [1, (2,)]),
        {"a": ("builtin_function_or_method", [1, (2,)])},
    ]
    with pytest.raises(WireError, match="where only data are expected"):
        decode(data)
    with pytest.raises(WireError):
        decode(data, foreign=lambda given: 1 / 0)


def test_a_description_that_needs_describing_for_ever_is_refused():
    with pytest.raises(WireError, match="deep"):
        encode(object(), unknown=lambda item: [object()])


# ---------------------------------------------------------------- bounds


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_is_bounded():
    assert cross(nested(99)) == nested(99)
    for depth in (100, 2_000, 100_000):
        with pytest.raises(WireError, match="deep"):
            encode(nested(depth))


def test_what_contains_itself_does_not_cross():
    items, table = [], {}
    items.append(items)
    table["a"] = [table]
    objects = np.empty(1, object)
    objects[0] = objects
    for value in (items, table):
        with pytest.raises(WireError, match="contains itself"):
            encode(value)
    with pytest.raises(WireError):
        encode(objects)


def test_one_object_in_two_places_arrives_as_two():
    item = [1]
    first, second = cross([item, item])
    assert first == second == [1]
    assert first is not second


def test_items_bytes_and_digits_are_bounded():
    few = Limits(message=1_000, items=50, integer=4)
    for value in (list(range(60)), [[1, 2]] * 20, {n: n for n in range(30)}):
        with pytest.raises(WireError, match="items"):
            encode(value, limits=few)
    for value in ("x" * 2_000, b"x" * 2_000, np.zeros(300), [np.zeros(100)] * 2, ["x" * 600] * 2):
        with pytest.raises(WireError, match="bytes"):
            encode(value, limits=few)
    with pytest.raises(WireError, match="integer"):
        encode(2**64, limits=few)


def test_sharing_does_not_blow_up():
    value = [0]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(WireError, match="items"):
        encode(value, limits=Limits(items=10_000))


def test_a_message_within_the_senders_bounds_is_within_the_receivers():
    limits = Limits(items=1_000)
    for value in ([1j] * 240, [np.float64(1)] * 240, [[]] * 480, {n: (n,) for n in range(200)}):
        assert len(decode(encode(value, limits=limits), limits=limits)) == len(value)


# ---------------------------------------------------------------- bytes that lie

PLAIN_TYPES = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    bytearray,
    list,
    tuple,
    dict,
    set,
    frozenset,
    range,
    slice,
    types.EllipsisType,
    np.ndarray,
    np.dtype,
    type,
    fractions.Fraction,
    decimal.Decimal,
    datetime.date,
    datetime.time,
    datetime.datetime,
    datetime.timedelta,
    type(pathlib.PurePath()),
)


def is_plain(value):
    if type(value) in (list, tuple, set, frozenset):
        return all(map(is_plain, value))
    if type(value) is dict:
        return all(map(is_plain, value.items()))
    if type(value) is np.ndarray and value.dtype == object:
        return all(map(is_plain, value.ravel().tolist()))
    tensor = type(value).__module__.startswith("tensorflow")
    return isinstance(value, np.generic | np.dtype) or type(value) in PLAIN_TYPES or tensor


def read(data):
    """Decode bytes of any origin: plain data or a WireError, nothing else."""
    try:
        value = decode(data, limits=Limits(items=10_000, integer=100))
    except WireError:
        return
    assert is_plain(value)
    repr(value)


@ACROSS
@given(st.binary(max_size=200))
def test_random_bytes_give_plain_data_or_an_error(data):
    read(data)


@ACROSS
@given(VALUES, st.data())
def test_changed_messages_give_plain_data_or_an_error(value, data):
    message = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(message)))
        match data.draw(st.sampled_from(["change", "cut", "insert"])):
            case "change" if place < len(message):
                message[place] = data.draw(st.integers(0, 255))
            case "cut":
                del message[place : place + data.draw(st.integers(1, 9))]
            case _:
                message[place:place] = data.draw(st.binary(max_size=9))
    read(bytes(message))


TREES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.text(max_size=9),
        st.binary(max_size=9),
        st.sampled_from(["<f8", "|b1", "<U3", "|O", "<M8[ns]", "int", "bfloat16", "|V8", "i4,i4"]),
    ),
    lambda inner: st.lists(inner, max_size=6).flatmap(
        lambda items: st.integers(0, 30).map(lambda tag: [tag, *items])
    ),
    max_leaves=12,
)


@settings(ACROSS, max_examples=300)
@given(TREES)
def test_messages_of_the_right_form_with_odd_parts_give_plain_data_or_an_error(tree):
    read(msgpack.packb(tree))


TAGS = wire.kinds.TAGS


@pytest.mark.parametrize(
    "tree",
    [
        [],
        [[]],
        ["list", 1],
        {},
        {"a": 1},
        [99, 1],
        [TAGS["dict"], 1],
        [TAGS["dict"], [TAGS["list"]], 1],
        [TAGS["set"], [TAGS["list"]]],
        [TAGS["array"], "<f8", b"12345678", 10**9],
        [TAGS["array"], "<f8", b"", 2**39, 2**39, 0, 2**63],
        [TAGS["array"], "<f8", b"12345678", -1, -1],
        [TAGS["array"], "|O", b"12345678", 1],
        [TAGS["array"], "|V8", b"12345678", 1],
        [TAGS["array"], "f8,f8", b"", 0],
        [TAGS["array"], "<U0", b"", 10**9],
        [TAGS["array"], "|b1", b"\x02", 1],
        [TAGS["array"], "<U1", b"\xff\xff\xff\xff", 1],
        [TAGS["array"], "<f8", b"", *[1] * 70],
        [TAGS["array"], "<f8", "text", 1],
        [TAGS["scalar"], "<f8", b"1234"],
        [TAGS["scalar"], "|S3", b"123"],
        [TAGS["objects"], 1, 5, 1],
        [TAGS["objects"], -1],
        [TAGS["objects"], 3, 0],
        [TAGS["tensor"], 3],
        [TAGS["type"], "eval"],
        [TAGS["type"], "np.load"],
        [TAGS["dtype"], "O"],
        [TAGS["fraction"], 1, 0],
        [TAGS["range"], 1, 2, 0],
        [TAGS["range"], 1.0, 2, 3],
        [TAGS["decimal"], "1e999999999"],
        [TAGS["decimal"], "nothing"],
        [TAGS["date"], 2020, 13, 1],
        [TAGS["datetime"], 1, 1, 1, 1, 1, 1, 1, 1, 10**18],
        [TAGS["timedelta"], 10**12, 0, 0],
        [TAGS["complex"], 1, 2],
        [TAGS["foreign"], 1],
        [TAGS["foreign"]],
        [0],
        [0, TAGS["list"], 1],
        [0, 0, [1]],
        [0, TAGS["integer"], [b"1"], [b"1"]],
        [TAGS["integer"], b"1" * 70_000],
        [TAGS["path"], 3],
        msgpack.Timestamp(1),
        msgpack.ExtType(1, b""),
        msgpack.ExtType(1, b"x"),
    ],
    ids=repr,
)
def test_parts_that_do_not_fit_are_refused(tree):
    with pytest.raises(WireError):
        decode(msgpack.packb(tree))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x01\x02",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x91" * 100_000 + b"\xc0",
        b"\x92\x01" * 500 + b"\xc0",
        b"\xdc\x10\x00" * 1_000,
        b"\x91\x90" * 1_000,
        b"\xd9\x02\xff\xff",
    ],
    ids=lambda data: data[:6].hex(),
)
def test_bytes_that_claim_too_much_are_refused(data):
    with pytest.raises(WireError):
        decode(data)


def test_headers_that_claim_much_take_no_memory():
    tracemalloc.start()
    with pytest.raises(WireError):
        decode(b"\xdd\x00\x00\xff\xff" * 900 + bytes(100_000))  # each would take half a megabyte
    with pytest.raises(WireError):
        decode(b"\xdc\x10\x00" * 900 + bytes(100_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6


def test_a_message_of_more_items_than_allowed_is_refused_while_it_is_read():
    data = msgpack.packb([0, TAGS["list"], *[[1] * 4096] * 500])
    with pytest.raises(WireError, match="too many items"):
        decode(data, limits=Limits(items=1_000_000))


def test_what_is_decoded_is_no_class_of_anybody():
    found = cross([Liar([1]), Word("x"), Named(1, 2)])
    assert [type(item) for item in found] == [list, str, tuple]
    assert math.isnan(cross(math.nan))
