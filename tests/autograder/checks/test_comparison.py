"""What counts as equal, and what a student may read where it is not."""

import collections
import decimal
import fractions
import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks import AuthorError
from autograder.checks.comparison import (
    MAX_SIZE,
    as_array,
    as_number,
    compare_array,
    compare_equal,
    compare_number,
    compare_shape,
    describe,
    describe_type,
)

relaxed = settings(deadline=None)  # a busy machine is no error
finite = st.floats(-1e9, 1e9)
arrays = hnp.arrays(
    st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    elements={"allow_nan": False, "allow_infinity": False},
)
plain_data = st.recursive(
    st.booleans() | st.integers() | finite | st.text(max_size=5) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def digits(text):
    return set(re.findall(r"\d+", text))


# Numbers


@relaxed
@given(st.integers() | finite | st.complex_numbers(max_magnitude=1e9))
def test_a_number_equals_itself(number):
    assert compare_number(number, number) is None


@pytest.mark.parametrize(
    "received",
    [
        896,
        896.0,
        np.int8(100) + np.int64(796),
        np.float32(896),
        np.float16(896),
        np.array(896),
        fractions.Fraction(1792, 2),
        decimal.Decimal("896.0"),
        896 + 0j,
        np.longdouble(896),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_number_is_a_number(received):
    assert compare_number(received, 896) is None
    assert compare_number(received, 897).kind == "wrong-value"
    assert type(as_number(received)) in (int, float, complex)


@pytest.mark.parametrize(
    "received",
    [True, np.True_, "896", b"896", [896], (896,), np.array([896]), {896}, {}, len, int, object()],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_is_of_the_wrong_type(received):
    difference = compare_number(received, 896)
    assert difference.kind == "wrong-type"
    assert "896" not in difference.hidden


def test_true_is_not_one():
    assert compare_number(True, 1).kind == "wrong-type"


@relaxed
@given(st.integers(), st.integers())
def test_integers_are_compared_exactly(received, expected):
    assert (compare_number(received, expected) is None) == (received == expected)


def test_integers_of_numpy_are_compared_exactly_on_either_side():
    assert compare_number(138_357_545, np.int64(138_357_544)).kind == "wrong-value"
    assert compare_number(np.int64(138_357_545), 138_357_544).kind == "wrong-value"


def test_integers_beyond_every_float():
    assert compare_number(10**400, 0.5).kind == "wrong-value"
    assert compare_number(0.5, 10**400).kind == "wrong-value"
    assert compare_number(10**5000, 1).kind == "wrong-value"
    assert compare_number(decimal.Decimal("sNaN"), 1).kind == "not-finite"


def test_tolerances_are_those_given():
    assert compare_number(1.05, 1.0, rtol=0.1) is None
    assert compare_number(1.05, 1.0, rtol=0.01, atol=0.01).kind == "wrong-value"
    assert compare_number(0.05, 0.0, rtol=0.1).kind == "wrong-value"
    assert compare_number(0.05, 0.0, atol=0.1) is None


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, np.float32("nan"), complex("nan")]
)
def test_non_finite_fails_unless_declared(value):
    difference = compare_number(value, 1.0)
    assert difference.kind == "not-finite"
    assert "a finite number" in difference.visible
    assert compare_number(value, value, allow_non_finite=True) is None
    assert compare_number(1.0, value, allow_non_finite=True).kind == "wrong-value"
    with pytest.raises(AuthorError, match="allow_non_finite"):
        compare_number(1.0, value)


def test_one_infinity_is_not_another():
    assert compare_number(math.inf, -math.inf, allow_non_finite=True).kind == "not-finite"
    assert compare_number(math.inf, math.nan, allow_non_finite=True).kind == "not-finite"


@pytest.mark.parametrize("expected", [None, "7", True, [7]])
def test_an_expected_value_that_is_no_number_is_the_authors_error(expected):
    with pytest.raises(AuthorError):
        compare_number(7, expected)


def test_operators_of_a_subclass_are_not_asked():
    class Right(float):
        def __sub__(self, other):
            return 0.0

        __rsub__ = __sub__

        def __eq__(self, other):
            return True

        __hash__ = None

    class RightInt(int):
        def __eq__(self, other):
            return True

        __hash__ = None

    assert compare_number(Right(1), 2.0).kind == "wrong-value"
    assert compare_number(RightInt(1), 2).kind == "wrong-value"
    assert compare_equal(RightInt(1), 2).kind == "wrong-value"
    assert compare_equal([Right(1)], [2.0]).kind == "wrong-value"


# Shapes


@pytest.mark.parametrize(
    "received",
    [
        (26, 26, 32),
        [26, 26, 32],
        np.array([26, 26, 32]),
        (26.0, np.int8(26), 32),
        iter((26, 26, 32)),
    ],
)
def test_a_shape_in_any_sequence(received):
    assert compare_shape(received, (26, 26, 32)) is None


@pytest.mark.parametrize(
    ("received", "kind"),
    [
        ((26, 26, 31), "wrong-value"),
        ((26, 32, 26), "wrong-value"),
        ((None, 26, 32), "wrong-value"),
        ((math.nan, 26, 32), "wrong-value"),
        ((26, 26), "wrong-length"),
        ((), "wrong-length"),
        (itertools.count(), "wrong-length"),
        (7, "wrong-type"),
        (("26", "26", "32"), "wrong-type"),
        ((True, 26, 32), "wrong-type"),
        ("abc", "wrong-type"),
        ({26, 27, 32}, "wrong-type"),
        ({26: 0, 27: 0, 32: 0}, "wrong-type"),
        (((26,), (26,), (32,)), "wrong-type"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_another_shape(received, kind):
    assert compare_shape(received, (26, 26, 32)).kind == kind


def test_only_none_stands_for_any_size():
    assert compare_shape((None, 10), (None, 10)) is None
    for received in ((True, 10), ("a", 10), (object(), 10), (1, 10)):
        assert compare_shape(received, (None, 10)) is not None


def test_a_hidden_shape_stays_hidden():
    difference = compare_shape((17, 19), (23, 29))
    assert "23" in difference.visible
    assert digits(difference.hidden) == set()


# Arrays


@relaxed
@given(arrays)
def test_an_array_equals_itself(array):
    assert compare_array(array, array) is None
    if array.size:  # a list cannot tell (0, 0) from (0,)
        assert compare_array(array.tolist(), array) is None
    assert compare_array(array, array, dtype=str(array.dtype)) is None


@relaxed
@given(arrays, st.data())
def test_a_perturbed_array_never_passes(array, data):
    assume(array.size)
    index = np.unravel_index(data.draw(st.integers(0, array.size - 1)), array.shape)
    changed = array.copy()
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            changed[index] += 1 + abs(changed[index]) * array.dtype.type(0.01)
        assume(np.isfinite(changed[index]))
    else:
        changed[index] = ~changed[index]
    difference = compare_array(changed, array)
    assert difference is not None
    # Swapping rows and columns of a small array can undo the change.
    assert difference.kind in ("wrong-value", "transposed")


@relaxed
@given(arrays, st.sampled_from([math.nan, math.inf]), st.data())
def test_one_value_that_is_not_finite_fails_unless_it_stands_in_the_right_answer(array, bad, data):
    assume(array.size and array.dtype.kind == "f")
    changed = array.copy()
    changed[np.unravel_index(data.draw(st.integers(0, array.size - 1)), array.shape)] = bad
    assert compare_array(changed, array).kind == "not-finite"
    assert compare_array(changed, array, allow_non_finite=True) is not None
    assert compare_array(array, changed, allow_non_finite=True) is not None
    assert compare_array(changed, changed, allow_non_finite=True) is None
    with pytest.raises(AuthorError, match="allow_non_finite"):
        compare_array(array, changed)


@relaxed
@given(
    hnp.arrays("int64", (3, 5), elements=st.integers(10**6, 10**9)),
    hnp.arrays("int64", (3, 5), elements=st.integers(10**6, 10**9)),
)
def test_a_hidden_message_holds_no_value(array, right):
    assume((array != right).any())
    difference = compare_array(array, right)
    assert digits(difference.hidden) <= {"3", "5", "64"}  # the shape and the dtype
    assert str(array[0, 0]) in difference.visible


@relaxed
@given(plain_data, plain_data)
def test_a_hidden_message_about_plain_data_holds_only_lengths(received, expected):
    difference = compare_equal(received, expected)
    if difference is not None:
        lengths = {str(len(value)) for value in (received, expected) if isinstance(value, list)}
        assert digits(difference.hidden) <= lengths


def test_shape_dtype_and_value_are_told_apart():
    right = np.ones((2, 3), "float32")
    assert compare_array(np.ones((3, 3)), right).kind == "wrong-shape"
    assert compare_array(np.ones((3, 2)), right).kind == "transposed"
    assert compare_array(np.ones((2, 3)), right, dtype="float32").kind == "wrong-dtype"
    assert compare_array(np.ones((2, 3), int), right, dtype="float").kind == "wrong-dtype"
    assert compare_array(np.ones((2, 3), "float16"), right, dtype="float") is None
    assert compare_array(np.ones((2, 3), "uint8"), right, dtype="int") is None
    assert compare_array(np.zeros((2, 3)), right).kind == "wrong-value"
    for text in ("axis 0 has another size", "expected shape (2, 3)"):
        assert text in compare_array(np.ones((3, 3)), right).hidden


def test_swapped_rows_and_columns_of_a_square_are_seen():
    right = np.arange(9.0).reshape(3, 3)
    assert compare_array(right.T, right).kind == "transposed"
    assert compare_array(right[::-1], right).kind == "wrong-value"


def test_unsigned_bytes_do_not_wrap_round():
    assert compare_array(np.array([255], "uint8"), np.array([-1])).kind == "wrong-value"
    assert compare_array(np.array([0], "uint8"), np.array([256])).kind == "wrong-value"
    difference = compare_array(np.zeros(20, "uint8"), np.arange(20, dtype="uint8"))
    assert "at (19,): received 0, expected 19" in difference.visible


def test_whole_numbers_in_arrays_are_compared_exactly():
    assert compare_array([1_000_001], [1_000_000]).kind == "wrong-value"
    assert compare_array(np.array([2**63], "uint64"), np.array([2**63 - 1])).kind == "wrong-value"
    assert compare_array([1_000_001.0], [1_000_000]) is None  # within rtol


def test_large_arrays_name_the_place_of_the_largest_difference():
    right = np.zeros((5, 5))
    array = right.copy()
    array[2, 3], array[4, 4] = 7, 1
    assert "at (2, 3): received 7.0, expected 0.0" in compare_array(array, right).visible
    assert "2 of 25 values differ" in compare_array(array, right).visible
    assert "at (0, 0)" in compare_array(np.eye(5, dtype=bool), np.zeros((5, 5), bool)).visible
    array[1, 1] = math.nan
    assert "at (1, 1)" in compare_array(array, right, allow_non_finite=True).visible
    everywhere = np.full((5, 5), math.nan)
    assert compare_array(everywhere, right, allow_non_finite=True).kind == "wrong-value"


def test_empty_arrays():
    assert compare_array([], np.zeros(0)) is None
    assert compare_array(np.zeros((0, 3)), np.zeros((0, 3))) is None
    assert compare_array(np.zeros((3, 0)), np.zeros((0, 3))) is not None
    assert compare_array([], np.zeros(1)).kind == "wrong-shape"


@pytest.mark.parametrize(
    "received",
    [
        [[1, 2], [3]],
        np.array([1, None], object),
        np.array([1, 10**30], object),
        "12",
        {1: 2},
        {1, 2},
        np.array(["1", "2"]),
        np.ma.masked_array([1, 2], mask=[0, 1]),
        object(),
        len,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_of_numbers(received):
    difference = compare_array(received, [1, 2])
    assert difference.kind == "wrong-type"
    assert "expected an array of shape (2,)" in difference.hidden


def test_a_huge_array_of_another_shape_is_not_read():
    huge = np.broadcast_to(np.float32(0), (10**6, 10**6))
    assert compare_array(huge, [1.0]).kind == "wrong-shape"
    assert compare_equal(np.broadcast_to(np.int8(1), MAX_SIZE + 1), [1]).kind == "wrong-type"
    assert as_array(range(MAX_SIZE + 1)) is None
    assert compare_array(range(10**30), [1.0]).kind == "wrong-type"


def test_an_array_class_has_no_say_in_the_comparison():
    class Agreeable(np.ndarray):
        def __array_ufunc__(self, *args, **kwargs):
            return np.zeros(self.shape)

        def __eq__(self, other):
            return True

        __hash__ = None

    assert compare_array(np.ones(3).view(Agreeable), np.zeros(3)).kind == "wrong-value"


def test_numpy_errors_and_warnings_of_the_student_do_not_matter(recwarn):
    with np.errstate(all="raise"):
        assert compare_array([1e308, 1e-320], [-1e308, 1e-320]).kind == "wrong-value"
        assert compare_array([np.inf, 1], [np.inf, 1], allow_non_finite=True) is None
    assert not recwarn.list


@pytest.mark.parametrize(
    ("expected", "dtype"), [("text", None), ([[1], [2, 3]], None), ([1.0], "float31")]
)
def test_an_impossible_array_is_the_authors_error(expected, dtype):
    with pytest.raises(AuthorError):
        compare_array([1.0], expected, dtype=dtype)


# Plain data


@relaxed
@given(plain_data)
def test_plain_data_equals_itself(data):
    assert compare_equal(data, data) is None


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ((1, 2), [1, 2]),
        ([1, 2], (1, 2)),
        (np.array([1, 2]), (1, 2)),
        ([np.float32(0.5)], (0.5,)),
        (np.str_("same"), "same"),
        (np.True_, True),
        (range(3), [0, 1, 2]),
        ({"a": (np.int64(1),)}, {"a": [1]}),
        ([[1, 2], [3]], ((1, 2), (3,))),
        ([1, 2], np.array([1, 2])),
        (collections.OrderedDict(a=1), {"a": 1}),
        (type("Row", (list,), {})([1, 2]), [1, 2]),
        (collections.namedtuple("Size", "height width")(1, 2), (1, 2)),
    ],
)
def test_another_style_of_the_same_data(received, expected):
    assert compare_equal(received, expected) is None


@pytest.mark.parametrize(
    ("received", "expected", "kind"),
    [
        (1, True, "wrong-type"),
        (True, 1, "wrong-type"),
        ("1", 1, "wrong-type"),
        ({1, 2}, [1, 2], "wrong-type"),
        ({0: 1}, [1], "wrong-type"),
        ([1], [1, 2], "wrong-length"),
        ([1, 2, 3], [1, 2], "wrong-length"),
        ([1, 3], [1, 2], "wrong-value"),
        ({"a": 1}, {"b": 1}, "wrong-value"),
        ({"a": 1, "b": 2}, {"a": 1}, "wrong-value"),
        ("valid", "same", "wrong-value"),
        (False, True, "wrong-value"),
        (None, "same", "wrong-type"),
    ],
)
def test_other_data(received, expected, kind):
    assert compare_equal(received, expected).kind == kind


def test_equality_of_the_students_classes_is_not_asked():
    class Text(str):
        __slots__ = ()

        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    class Many(list):
        def __eq__(self, other):
            return True

        def __len__(self):
            return 2

        __hash__ = None

    class Table(dict):
        def keys(self):
            return {"a": 1}.keys()

        def __getitem__(self, key):
            return 1

    class Anything:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert compare_equal(Text("valid"), "same") is not None
    assert compare_equal(Many([1]), [1, 2]) is not None
    assert compare_equal(Table(), {"a": 1}) is not None
    for expected in ("same", [1], {"a": 1}, 1, True):
        assert compare_equal(Anything(), expected).kind == "wrong-type"


# Texts


class Loud:
    def __repr__(self):
        return "first line\nsecond \x1b[31mline\ud800"


class Broken:
    def __repr__(self):
        raise RuntimeError

    def __array__(self, *args, **kwargs):
        raise RuntimeError


@relaxed
@given(plain_data)
def test_descriptions_are_one_short_line(data):
    text = describe([data] * 20)
    assert len(text) <= 310
    assert "\n" not in text


def test_descriptions_of_odd_values():
    endless = []
    endless.append(endless)
    assert describe(np.float64(5)) == "5.0"
    assert describe((np.int64(1), [np.float32(0.5)])) == "(1, [0.5])"
    assert describe((3,)) == "(3,)"
    assert describe(np.zeros((4, 5))) == "an array of shape (4, 5), float64"
    assert describe(endless).startswith("[[")
    assert describe([[[[1]]]]) == "[[[[...]]]]"
    assert describe(Loud()).encode() == b"first line second line?"
    assert "Broken" in describe(Broken())
    assert len(describe("x" * 10**6)) < 200
    assert describe(10**5000)


def test_types_are_named_without_content():
    assert describe_type([1, 2]) == "a list"
    assert describe_type(np.zeros((2, 3), "uint8")) == "an array with 2 axes, uint8"
    assert describe_type(3) == "an int"
    assert describe_type("abc") == "a str"
    assert describe_type(test_descriptions_of_odd_values) == "a function (not its result)"
    assert describe_type(type("Secret1234", (), {})()) == "an object"
    assert describe_type(type("Secret1234", (float,), {})(1)) == "a float"
    assert describe_type(type("Secret1234", (list,), {})()) == "a list"
    secret = np.zeros(1, [("secret1234", "f4")])
    assert describe_type(secret) == "an array with 1 axis, not of numbers"
