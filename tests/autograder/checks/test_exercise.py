"""An exercise as a student, an author and a hostile answer meet it."""

import contextlib
import doctest
import itertools
import math
import re
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.checks import AuthorError, Exercise, exercise
from autograder.checks.exercise import MAX_OUTPUT
from autograder.checks.limits import TimeLimitError, time_limit


def new(points=3, seconds=10, **hints):
    return Exercise("conv", points=points, hints=hints, seconds=seconds)


def only(one):
    (finding,) = one.findings
    return finding


# Score


def test_the_example_in_the_documentation():
    assert doctest.testmod(exercise).failed == 0


@pytest.mark.parametrize("points", [1, 3, 0.333, 2.345, np.float64(7), 1e-3])
def test_all_right_gives_exactly_the_points(points, capsys):
    one = Exercise("conv", points=points)
    for weight in (0.1, 0.2, 0.7):
        assert one.number("n", lambda: np.float64(5), 5, weight=weight)
    assert one.score() == points
    assert type(one.score()) is float
    assert "3 of 3 checks passed" in capsys.readouterr().out


def test_every_check_runs_and_weighs(capsys):
    one = new(points=10)
    assert not one.number("first", lambda: 1 / 0, 5)
    assert one.hidden.equal("second", lambda: "same", "same", weight=3)
    assert one.array("third", lambda: [1, 2], [1, 2], weight=np.float32(4))
    assert not one.shape("fourth", lambda: (1,), (1, 1), weight=2)
    assert one.score() == 7.0
    shown = capsys.readouterr().out
    assert shown.splitlines()[:3] == [
        "conv: 2 of 4 checks passed",
        "  ✗ first: ZeroDivisionError: division by zero",
        "    hint [raised]: Your code raised an error: read its last line.",
    ]
    assert "  ✓ hidden check · second" in shown


class RaisesOnTouch:
    def __getattribute__(self, name):
        raise RuntimeError("touched")


class Exits:
    def __eq__(self, other):
        sys.exit()

    def __repr__(self):
        sys.exit()

    def __array__(self, *args, **kwargs):
        sys.exit()

    def __iter__(self):
        sys.exit()

    def __float__(self):
        sys.exit()

    def __len__(self):
        sys.exit()

    def __bool__(self):
        sys.exit()

    __hash__ = None


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


class Surrogate(Exception):
    def __str__(self):
        return "\ud800 \x1b[31m"


def too_deep():
    return too_deep()


def raiser(error):
    def answer():
        raise error

    return answer


def ragged(depth=3):
    return [ragged(depth - 1)] * depth if depth else []


endless = []
endless.append(endless)

ANSWERS = [
    *(
        lambda value=value: value
        for value in (
            None,
            True,
            -1,
            1e308,
            10**5000,
            math.nan,
            -math.inf,
            1j,
            "",
            b"",
            "\ud800",
            [],
            [[1, 2], [3]],
            endless,
            ragged(),
            (x for x in itertools.count()),
            itertools.count(),
            {},
            {math.nan: math.nan},
            set(),
            object(),
            object,
            NotImplemented,
            RaisesOnTouch(),
            Exits(),
            np.float64("nan"),
            np.array([]),
            np.array([None, {}], object),
            np.zeros((2, 2), [("a", "f4")]),
            np.array("2020-01-01", "datetime64[D]"),
            np.broadcast_to(1, (10**9, 10**9)),
            np.ma.masked,
            range(10**12),
            print,
        )
    ),
    *(
        raiser(error)
        for error in (
            ValueError("x" * 10**6),
            Unprintable(),
            Surrogate(),
            MemoryError(),
            SystemExit(0),
            GeneratorExit(),
            StopIteration(),
            NotImplementedError(),
            NameError("name 'x' is not defined"),
            AuthorError("from a student"),
            KeyboardInterrupt(),
            TimeLimitError(),
            type("Own", (BaseException,), {})(),
            BaseExceptionGroup("many", [SystemExit()]),
        )
    ),
    too_deep,
]


def ask_everything(one, answer):
    """Ask every kind of check, visible and hidden; none of the answers above is right."""
    for recorder in (one, one.hidden):
        recorder.number("n", answer, 8.25, mistakes={"m": 7})
        recorder.shape("s", answer, (28, 27, 26))
        recorder.equal("e", answer, {"a": [1, "b"]})
        recorder.array("a", answer, np.arange(17.0), mistakes={"m": lambda: np.zeros(3)})
        recorder.true("t", lambda: answer() == 123.5, otherwise="no")


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
@pytest.mark.filterwarnings("ignore")
def test_whatever_an_answer_returns_or_raises_the_score_is_a_float(answer, capsys):
    one = new(m="hint")
    ask_everything(one, answer)
    assert one.number("right", lambda: 5, 5) or one._stopped
    score = one.score()
    assert type(score) is float
    assert 0 <= score < 3
    capsys.readouterr().out.encode()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=4)
    | st.binary(max_size=4)
    | st.decimals()
    | st.fractions()
    | st.builds(np.float32, st.floats(width=32))
    | st.builds(np.array, st.lists(st.floats(), max_size=3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=5,
)
errors = st.sampled_from([ValueError, KeyError, SystemExit, MemoryError, OSError, UnicodeError])


@given(
    answers=st.lists(values | errors, min_size=1, max_size=3),
    expected=st.floats(-100, 100),
    weights=st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=3),
    points=st.floats(1e-3, 100),
)
@settings(deadline=None, max_examples=60)
def test_the_score_is_a_float_within_its_bounds(answers, expected, weights, points):
    one = Exercise("conv", points=points, hints={"m": "hint"})

    def give(answer):
        if isinstance(answer, type):
            raise answer
        return answer

    passed = []
    for answer, weight in zip(answers, weights, strict=False):
        passed += [
            one.number("n", lambda a=answer: give(a), expected, weight=weight, mistakes={"m": 1}),
            one.hidden.equal("e", lambda a=answer: give(a), [expected], weight=weight),
            one.array("a", lambda a=answer: give(a), [[expected]], weight=weight),
            one.shape("s", lambda a=answer: give(a), (3, 4), weight=weight),
        ]
    with contextlib.redirect_stdout(None):
        score = one.score()
    assert type(score) is float
    assert 0 <= score <= points
    assert (score == points) or not all(passed)
    assert (score == 0) or any(passed)


# Named mistakes


def test_a_named_mistake_is_recognised(capsys):
    one = new(**{"bias-forgotten": "Every filter also has one bias."})
    mistakes = {"bias-forgotten": lambda: 864}
    assert not one.number("visible", lambda: np.int64(864), 896, mistakes=mistakes)
    assert not one.hidden.number("hidden", lambda: 864, 896, mistakes=mistakes)
    assert not one.number("another", lambda: 865, 896, mistakes=mistakes)
    assert [finding.hint_id for finding in one.findings] == [
        "bias-forgotten",
        "bias-forgotten",
        "wrong-value",
    ]
    one.score()
    assert capsys.readouterr().out.count("hint [bias-forgotten]: Every filter") == 1


def test_a_mistake_that_gives_the_right_answer_is_passed_over():
    one = new(a="", b="")
    assert one.number("right", lambda: 5, 5, mistakes={"a": 5})
    assert not one.number("wrong", lambda: 6, 5, mistakes={"a": 5.0, "b": 6})
    assert only(one).hint_id == "b"


@pytest.mark.parametrize(
    ("kind", "expected", "wrong"),
    [
        ("number", 1.0, math.nan),
        ("number", 1.0, -math.inf),
        ("number", 1.0, None),
        ("array", [1.0, 2.0], [math.nan, 2.0]),
        ("array", [1.0, 2.0], [1.0]),
        ("array", [1.0, 2.0], None),
        ("shape", (3, 4), (4, 3)),
        ("shape", (3, 4), (3, 4, 1)),
        ("equal", ["a"], "a"),
        ("equal", [1, 2], [2, 1]),
    ],
)
def test_mistakes_of_every_kind_of_check(kind, expected, wrong):
    one = new(m="hint")
    getattr(one, kind)("c", lambda: wrong, expected, mistakes={"m": wrong})
    assert only(one).hint_id == "m"


def test_a_mistake_in_the_dtype():
    one = new(cast="", scale="")
    right = np.arange(4, dtype="float32")
    mistakes = {"cast": right.astype("float64"), "scale": right * 255}
    one.array("c", lambda: right.astype("float64"), right, dtype="float32", mistakes=mistakes)
    one.array("c", lambda: right.astype("int64"), right, dtype="float32", mistakes=mistakes)
    one.array("c", lambda: right * 255.0, right, dtype="float32", mistakes=mistakes)
    assert [finding.hint_id for finding in one.findings] == ["cast", "wrong-dtype", "scale"]


# Author's errors


@pytest.mark.parametrize(
    "check",
    [
        lambda one: one.number("c", lambda: 5, 5, mistakes={"unknown": 6}),
        lambda one: one.number("c", lambda: 5, 5, mistakes={"m": lambda: 1 / 0}),
        lambda one: one.number("c", lambda: 5, 5, mistakes={"m": "text"}),
        lambda one: one.number("c", lambda: 5, "five"),
        lambda one: one.number("c", lambda: 5, math.nan),
        lambda one: one.number("c", lambda: 5, lambda: 1 / 0),
        lambda one: one.number("c", lambda: 5, 5, weight=0),
        lambda one: one.number("c", lambda: 5, 5, weight=-1),
        lambda one: one.number("c", lambda: 5, 5, weight=math.inf),
        lambda one: one.number("c", lambda: 5, 5, weight=math.nan),
        lambda one: one.shape("c", lambda: (5,), 5),
        lambda one: one.array("c", lambda: [5], [[1], [2, 3]]),
        lambda one: one.array("c", lambda: [5], [5], dtype="flaot"),
        lambda one: one.equal("c", lambda: [5], [math.inf]),
        lambda one: one.raises("c", lambda: 5, "ValueError", otherwise="accepted"),
    ],
)
def test_an_error_of_the_author_shows_when_the_answer_is_right(check):
    with pytest.raises(AuthorError, match=r"exercise 'conv', check 'c': \w+"):
        check(new(m="hint"))


@pytest.mark.parametrize("options", [{"points": 0}, {"points": -1}, {"points": math.nan}])
def test_points_and_seconds_must_be_positive(options):
    with pytest.raises(AuthorError):
        Exercise("conv", **options)
    with pytest.raises(AuthorError):
        Exercise("conv", points=1, seconds=0)


def test_an_exercise_without_checks_has_no_score():
    with pytest.raises(AuthorError, match="no checks"):
        new().score()


def test_an_author_error_raised_by_an_answer_is_the_students():
    one = new()
    assert not one.number("c", raiser(AuthorError("no points for anybody")), 5)
    assert only(one).hint_id == "raised"


# Honest students


@pytest.mark.filterwarnings("default:deprecated")
def test_warnings_and_stderr_cost_nothing(capsys):
    def answer():
        warnings.warn("deprecated", stacklevel=1)
        print("a log line", file=sys.stderr)
        return 5

    one = new()
    assert one.number("c", answer, 5)
    assert one.score() == 3.0


@pytest.mark.parametrize(
    ("answer", "hint_id"),
    [
        (raiser(NotImplementedError()), "not-attempted"),
        (lambda: conv_output(3), "not-defined"),  # noqa: F821
        (lambda: None, "none-returned"),
        (lambda: (x for x in "ab"), "wrong-type"),
        (lambda: map(int, "12"), "wrong-type"),
        (lambda: [][0], "raised"),
        (lambda: math.nan, "not-finite"),
    ],
)
def test_general_mistakes_have_hints(answer, hint_id, capsys):
    one = new()
    one.number("c", answer, 5)
    assert only(one).hint_id == hint_id
    one.score()
    assert (f"hint [{hint_id}]" in capsys.readouterr().out) == (hint_id != "wrong-type")


def test_an_answer_that_changes_its_argument_is_not_compared_with_itself():
    one = new()
    image = np.zeros(3)

    def spoil(array):
        array += 1
        return array

    assert not one.array("c", lambda: spoil(image), image)
    table = [0]
    assert not one.equal("c", lambda: spoil(table) if table.append(1) else table, table)


def test_true_says_what_the_author_wrote():
    one = new(m="hint")
    assert one.true("c", lambda: re.match("a", "abc"), otherwise="no a")
    assert not one.hidden.true("c", lambda: None, otherwise="no a", hint="m")
    assert (only(one).hint_id, only(one).message) == ("m", "no a")


@pytest.mark.parametrize(
    ("answer", "hint_id"),
    [
        (lambda: 5, "bad-input-accepted"),
        (raiser(KeyError("k")), "raised"),
        (raiser(NotImplementedError()), "not-attempted"),
        (lambda: conv_output(3), "not-defined"),  # noqa: F821
    ],
)
def test_raises(answer, hint_id):
    one = new()
    assert one.raises("c", raiser(ValueError("stride")), ValueError, otherwise="accepted")
    assert not one.raises("c", answer, (ValueError, RuntimeError), otherwise="accepted")
    assert only(one).hint_id == hint_id
    any_error = new()
    any_error.raises("c", answer, Exception, otherwise="accepted")
    assert bool(any_error.findings) == (hint_id != "raised")


# Hidden checks


def leaks(secret):
    """Return answers that try to carry a secret out through what a hidden check says."""
    name = f"Secret{secret}"

    def print_it():
        print(secret)
        print(secret, file=sys.stderr)
        warnings.warn(str(secret), stacklevel=1)

    return [
        lambda: secret,
        lambda: str(secret),
        lambda: [secret],
        lambda: {secret: secret},
        lambda: {secret},
        lambda: type(name, (), {})(),
        lambda: type(name, (float,), {})(secret),
        lambda: type(name, (), {"__repr__": lambda self: name})(),
        lambda: np.array([secret, secret]),
        lambda: np.zeros(2, [(name, "f4")]),
        lambda: (value for value in [secret]),
        raiser(ValueError(secret)),
        raiser(type(name, (Exception,), {})(secret)),
        raiser(type(name, (NameError,), {})(secret)),
        raiser(type(name, (BaseException,), {"__module__": "builtins"})(secret)),
        raiser(SystemExit(secret)),
        raiser(NotImplementedError(secret)),
        raiser(KeyboardInterrupt(secret)),
        print_it,
    ]


@given(st.integers(10**6, 10**9))
@settings(deadline=None, max_examples=10)
@pytest.mark.filterwarnings("ignore:[0-9]+:UserWarning")
def test_a_hidden_check_never_tells_a_value(secret):
    written = [out := StringList(), err := StringList()]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for answer in leaks(secret):
            one = new(m="hint")
            hidden = one.hidden
            hidden.number("n", answer, 3 * secret, mistakes={"m": 5 * secret})
            hidden.shape("s", answer, (3 * secret, 5 * secret))
            hidden.equal("e", answer, [3 * secret, str(secret)])
            hidden.array("a", answer, [3.0 * secret, 5.0 * secret])
            hidden.raises("r", answer, ZeroDivisionError, otherwise="accepted")
            assert one.score() == 0
            shown = " ".join(finding.message for finding in one.findings)
            written.append([shown])
    text = " ".join(itertools.chain(*written))
    for part in (secret, 3 * secret, 5 * secret):
        assert str(part) not in text
    assert "✗ hidden check · n" in text


class StringList(list):
    """Stands in for a stream."""

    def write(self, text):
        self.append(text)


def test_a_hidden_check_tells_mistake_shape_and_dtype():
    one = new(m="hint")
    right = np.ones((4, 5), "float32")
    one.hidden.array("a", lambda: np.ones((5, 4)), right)
    one.hidden.array("a", lambda: right.astype("int8"), right, dtype="float32")
    one.hidden.array("a", lambda: right * 3, right, mistakes={"m": right * 3})
    one.hidden.number("a", raiser(ZeroDivisionError("4")), 3)
    shape, dtype, mistake, error = one.findings
    # Its own sizes could be numbers of the answer's choice.
    assert shape.message == "axes 0, 1 have another size than in the expected shape (4, 5)"
    assert dtype.message == "received dtype int8, expected float32"
    assert mistake.hint_id == "m"
    assert error.message == "ZeroDivisionError"
    assert all(finding.hidden for finding in one.findings)


def test_a_flood_of_output_is_cut(capsys):
    def flood():
        for i in range(100_000):
            print(i)
        return 5

    assert new().number("c", flood, 5)
    shown = capsys.readouterr().out
    assert shown.startswith("0\n1\n2\n")
    assert len(shown) < MAX_OUTPUT + 100
    assert "more output is not shown" in shown
    assert new().hidden.number("c", flood, 5)
    assert capsys.readouterr().out == ""


# Time


alarms = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarms on Windows")


@pytest.fixture
def _no_alarm_left():
    """Put pytest-timeout's alarm aside, and see that none of ours is left."""
    handler = signal.getsignal(signal.SIGALRM)
    outer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    left = signal.setitimer(signal.ITIMER_REAL, 0)
    same = signal.getsignal(signal.SIGALRM) is handler
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *outer)
    assert left == (0.0, 0.0)
    assert same


def forever():
    while True:
        time.sleep(0.01)


@alarms
@pytest.mark.usefixtures("_no_alarm_left")
def test_an_endless_loop_ends_and_what_passed_counts():
    one = new(points=4, seconds=0.2)
    calls = []
    one.number("before", lambda: 5, 5)
    assert not one.number("loop", forever, 5)
    assert not one.hidden.number("after", lambda: calls.append(1) or 5, 5)
    loop, after = one.findings
    assert (loop.hint_id, loop.message) == ("time-limit", "did not finish within 0.2 s")
    assert (after.hint_id, after.hidden) == ("time-limit", True)
    assert after.message.startswith("not run")
    assert not calls
    assert one.score() == 1.33


@alarms
@pytest.mark.usefixtures("_no_alarm_left")
def test_a_bare_except_does_not_hold_the_time_limit_back():
    def stubborn():
        with contextlib.suppress(BaseException):
            forever()
        return 5

    one = new(seconds=0.1)
    assert not one.number("c", stubborn, 5)
    assert only(one).hint_id == "time-limit"

    def twice():
        stubborn()
        forever()

    one = new(seconds=0.1)
    assert not one.number("c", twice, 5)
    assert only(one).hint_id == "time-limit"


@alarms
@pytest.mark.usefixtures("_no_alarm_left")
def test_an_endless_comparison_or_message_ends_too():
    class Slow:
        def __repr__(self):
            forever()

        def __array__(self, *args, **kwargs):
            forever()

    class SlowError(Exception):
        def __str__(self):
            forever()

    for answer in (Slow, raiser(SlowError())):
        one = new(seconds=0.1)
        one.equal("c", lambda answer=answer: answer(), "a")
        assert only(one).hint_id == "time-limit"


@alarms
@pytest.mark.usefixtures("_no_alarm_left")
def test_alarms_of_the_student_are_gone_afterwards():
    def own_alarm():
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 100, 100)
        return 5

    assert new().number("c", own_alarm, 5)


@alarms
@pytest.mark.usefixtures("_no_alarm_left")
def test_a_limit_around_a_limit():
    with pytest.raises(TimeLimitError), time_limit(0.1):  # noqa: SIM117
        with time_limit(30):
            forever()
    with time_limit(30):
        one = new(seconds=0.1)
        one.number("c", forever, 5)
        assert only(one).message == "did not finish within 0.1 s"
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 20 < left < 30
        assert new().number("inner", lambda: new().number("inmost", lambda: 5, 5), 1) is False


def test_without_alarms_checks_still_run():
    one = new()
    thread = threading.Thread(target=lambda: one.number("c", lambda: 5, 5))
    thread.start()
    thread.join()
    assert one.score() == 3.0


def test_an_interrupt_ends_the_exercise_and_keeps_what_passed():
    one = new(points=3)
    one.number("before", lambda: 5, 5)
    one.number("interrupted", lambda: signal.raise_signal(signal.SIGINT), 5)
    one.number("after", lambda: 5, 5)
    assert [finding.hint_id for finding in one.findings] == ["interrupted", "interrupted"]
    assert one.score() == 1.0


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, RecursionError, MemoryError])
def test_sys_exit_and_the_like_cost_one_check_only(error):
    one = new(points=2)
    one.number("exits", raiser(error()), 5)
    one.number("after", lambda: 5, 5)
    assert only(one).hint_id == "raised"
    assert one.score() == 1.0
