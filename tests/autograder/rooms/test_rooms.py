"""The two ends of the link: what becomes of a student's objects, and of an end that lies."""

import contextlib
import copy
import inspect
import math
import operator
import os
import pickle
import signal
import socket
import threading
import time
import types

import numpy as np
import pytest

from autograder import checks, wire
from autograder.checks.limits import TimeLimitError, time_limit
from autograder.rooms.errors import StudentError
from autograder.rooms.examiner import StudentRoom
from autograder.rooms.link import Link, LinkLost
from autograder.rooms.standins import RemoteObject
from autograder.wire import WireError
from tests.two_rooms import Student

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarms on Windows")


class Desk:
    """One student's process and the examiner's end, for the tests of this file."""

    def __init__(self, setup=()):
        self.setup = setup
        self.start()

    def start(self):
        self.student = Student(self.setup)
        self.room = StudentRoom(self.student.link, seconds=5)
        self.serving = False

    def __call__(self, source, *names):
        """Run a cell in the student's process; return the values of the names."""
        self.finish()
        self.student.run(source)
        self.serving = True
        bound = self.room.bind(list(names))
        found = [bound.get(name, "not bound") for name in names]
        return found[0] if len(found) == 1 else found

    def finish(self):
        if self.room.lost:
            self.student.close()
            self.start()
        elif self.serving:
            self.room.end()
            assert self.student.served()
            self.serving = False


@pytest.fixture(scope="module")
def desk():
    """Function that runs a cell in the student's room and gives what names stand for."""
    desk = Desk()
    yield desk
    desk.student.close()


# ---------------------------------------------------------------- names and data


def test_names_are_bound_and_missing_ones_are_missing(desk):
    desk("x = 3\ny = [1, (2, {'a': None})]", "x")
    assert desk.room.bind(["x", "y", "z"]) == {"x": 3, "y": [1, (2, {"a": None})]}


def test_a_name_that_cannot_cross_says_so_when_it_is_used_and_spoils_no_other(desk):
    round_, x = desk("round_ = []\nround_.append(round_)\nx = 1", "round_", "x")
    assert x == 1
    for use in (bool, len, list, str.__len__, lambda v: v.attribute, lambda v: v == 1):
        with pytest.raises(TypeError):
            use(round_)
    with pytest.raises(TypeError, match=r"round_ cannot be used: a list that contains itself"):
        bool(round_)
    with pytest.raises(WireError, match="round_ cannot be used"):
        desk("def f(x): return 1", "f")(round_)


def test_data_are_copies(desk):
    data, show = desk("data = [1]\ndef show(): return data", "data", "show")
    data.append(2)
    assert show() == [1]


def test_arrays_and_subclasses_come_as_plain_types(desk):
    source = """
import collections, enum, numpy as np
class Lie(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
    __class__ = float
lie = Lie(3)
named = collections.namedtuple("N", "a b")(1, 2)
class Colour(enum.IntEnum):
    RED = 4
red = Colour.RED
picture = np.arange(6, dtype="uint8").reshape(2, 3).T
"""
    lie, named, red, picture = desk(source, "lie", "named", "red", "picture")
    assert (type(lie), lie) == (int, 3)
    assert lie != 5
    assert (type(named), named) == (tuple, (1, 2))
    assert (type(red), red) == (int, 4)
    np.testing.assert_array_equal(picture, np.arange(6, dtype="uint8").reshape(2, 3).T)
    assert picture.dtype == "uint8"


@pytest.mark.parametrize(
    "value", ["__import__('math')", "open('/dev/null')", "__import__('sys')._getframe()"]
)
def test_modules_files_and_frames_do_not_cross(desk, value):
    held = desk(f"held = {value}", "held")
    with pytest.raises(TypeError, match="cannot be given to a check"):
        held.attribute  # noqa: B018
    with pytest.raises(TypeError):
        bool(held)


# ---------------------------------------------------------------- functions


def test_a_function_is_a_function_with_name_text_and_signature(desk):
    source = """
def area(width, /, height=2, *more, unit: str = "m", scale=object(), **rest) -> float:
    "Width times height."
    return width * height
"""
    area = desk(source, "area")
    assert type(area) is types.FunctionType
    assert (area.__name__, area.__qualname__, area.__doc__) == (
        "area",
        "area",
        "Width times height.",
    )
    signature = inspect.signature(area)
    text = "(width, /, height=2, *more, unit: str = 'm', scale=..., **rest) -> float"
    assert str(signature).replace("'str'", "str").replace("'float'", "float") == text
    assert signature.parameters["height"].default == 2
    assert area.__annotations__ == {"unit": "str", "return": "float"}
    assert area(3) == 6
    assert area(3, height=4.5) == 13.5


def test_the_source_of_a_function_stays_where_it_is(desk):
    with pytest.raises(OSError, match="source"):
        inspect.getsource(desk("def f(): return 1", "f"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy as np\nf = np.sin", math.sin(0.5)),
        ("f = lambda x: x + 1", 1.5),
        ("import functools\nf = functools.partial(max, 7)", 7),
        ("f = [0.25].__contains__", 0),
        ("import math\nf = math.floor", 0),
        ("class A:\n    def m(self, x): return x * 4\nf = A().m", 2),
        ("class A:\n    @staticmethod\n    def m(x): return x * 4\nf = A.m", 2),
        ("class A:\n    def __call__(self, x): return x * 6\nf = A()", 3),
        ("f = str", "0.5"),
        ("import functools\n@functools.lru_cache\ndef f(x): return x / 2", 0.25),
    ],
)
def test_everything_that_can_be_called_can_be_called(desk, source, expected):
    result = desk(source, "f")(0.5)
    assert result == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_one_function_has_one_stand_in(desk):
    f, g = desk("def f(): return f\ng = f", "f", "g")
    assert f is g
    assert f() is f


def test_arguments_are_copied_and_changes_to_them_stay_there(desk):
    f = desk("def f(items):\n    items.append(4)\n    return items", "f")
    given = [1]
    assert f(given) == [1, 4]
    assert given == [1]


def test_call_in_place_shows_changed_arguments_in_two_rooms_and_in_one(desk):
    source = "def f(items, factor, *, more=0):\n    items *= factor\n    items += more"
    local = {}
    exec(source, local)
    for function in (desk(source, "f"), local["f"]):
        given = np.array([1, 2])
        result, (left, factor) = checks.call_in_place(function, given, 3, more=1)
        assert result is None
        assert factor == 3
        np.testing.assert_array_equal(left, [4, 7])
        np.testing.assert_array_equal(given, [1, 2])


def test_functions_of_the_examiner_become_callbacks(desk):
    apply, total = desk(
        "def apply(f, *args): return f(*args)\ndef total(items): return sum(items)",
        "apply",
        "total",
    )
    calls = []
    assert apply(lambda x: calls.append(x) or x * 2, 21) == 42
    assert calls == [21]
    assert total(n * n for n in range(4)) == 14
    with pytest.raises(ZeroDivisionError):
        apply(lambda: 1 / 0)


def test_a_callback_works_only_while_it_is_lent(desk):
    keep, use = desk(
        "kept = []\ndef keep(f): kept.append(f)\ndef use(): return kept[0](1)", "keep", "use"
    )
    keep(lambda x: x)
    with pytest.raises(RuntimeError, match="lent"):
        use()


def test_a_decorator_may_keep_the_function_it_was_given(desk):
    twice = desk(
        "def twice(f):\n    def inner(*args): return 2 * f(*args)\n    return inner", "twice"
    )
    decorated = twice(lambda x: x + 1)
    assert decorated(4) == 10


def test_callbacks_may_call_back_in_turn_but_not_without_end(desk):
    back = desk("def back(f, n): return f(n)", "back")

    def down(n):
        return 0 if n == 0 else 1 + back(down, n - 1)

    assert back(down, 5) == 5
    with pytest.raises(RecursionError):
        back(down, 100)


def test_functions_and_modules_of_libraries_are_the_real_ones_there(desk):
    same = desk(
        "import numpy as np, math\n"
        "def same(a, b, c): return a is np.sin and b is math and c is len",
        "same",
    )
    assert same(np.sin, math, len) is True


def test_stand_ins_given_back_are_the_original_objects_also_inside_containers(desk):
    source = """
class A: pass
a = A()
def f(): pass
def same(items): return items["a"] is a and items["more"][0] is f and items["more"][1] is A
"""
    a, f, kind, same = desk(source, "a", "f", "A", "same")
    assert same({"a": a, "more": (f, kind)}) is True


def test_random_generators_are_copied_with_their_state(desk):
    draw = desk("def draw(rng): return rng.integers(0, 10**9, size=3)", "draw")
    generator = np.random.default_rng(5)
    np.testing.assert_array_equal(draw(generator), draw(generator))
    np.testing.assert_array_equal(draw(generator), generator.integers(0, 10**9, size=3))


def test_an_object_of_the_examiners_own_class_is_refused(desk):
    class Own:
        pass

    f = desk("def f(x): return x", "f")
    with pytest.raises(WireError, match="an object of the class Own cannot be given"):
        f(Own())


def test_what_is_printed_during_a_call_is_dropped(desk, capfd):
    f = desk("import sys\ndef f():\n    print(1)\n    print(2, file=sys.stderr)\n    return 3", "f")
    assert f() == 3
    assert capfd.readouterr() == ("", "")


def test_what_is_displayed_during_a_call_is_dropped(desk):
    source = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
shell = InteractiveShell.instance()
shown = []
shell.display_pub.publish = lambda *args, **kwargs: shown.append(args)
def f(x):
    display(x)
    return x
"""
    f = desk(source, "f")
    assert f(3) == 3
    assert desk.room.bind(["shown"]) == {"shown": []}


def test_globals_are_those_of_the_notebook(desk):
    f = desk("count = 0\ndef f():\n    global count\n    count += 1\n    return count", "f")
    assert [f(), f()] == [1, 2]
    assert desk.room.bind(["count"]) == {"count": 2}


def test_a_result_that_cannot_cross_is_named(desk):
    f = desk("def f():\n    a = {}\n    a['a'] = a\n    return a", "f")
    with pytest.raises(StudentError, match="a dict that contains itself"):
        f()


# ---------------------------------------------------------------- exceptions


@pytest.mark.parametrize(
    ("statement", "error", "text"),
    [
        ("raise NotImplementedError", NotImplementedError, ""),
        ("raise ValueError('no', 3)", ValueError, "('no', 3)"),
        ("raise KeyError('x')", KeyError, "'x'"),
        ("raise OSError(2, 'gone')", FileNotFoundError, "[Errno 2] gone"),
        ("b'\\xff'.decode()", UnicodeDecodeError, "'utf-8' codec can't decode"),
        ("import json; json.loads('{')", ValueError, "Expecting property name"),
        ("raise type('Mine', (LookupError,), {})('oh')", LookupError, "oh"),
        ("raise type('Mine', (Exception,), {})('oh')", Exception, "Mine: oh"),
        ("raise SystemExit(3)", StudentError, "SystemExit: 3"),
        ("raise KeyboardInterrupt", StudentError, "KeyboardInterrupt"),
        ("raise GeneratorExit", StudentError, "GeneratorExit"),
        ("raise StopIteration(5)", StudentError, "StopIteration: 5"),
        ("raise ExceptionGroup('two', [ValueError(1)])", StudentError, "ExceptionGroup: two"),
        ("def g(): g()\n    g()", RecursionError, "maximum recursion depth"),
        ("raise ValueError('x' * 10**6)", ValueError, "x" * 100),
        (
            "class E(Exception):\n        def __str__(self): raise SystemExit\n    raise E",
            Exception,
            "E",
        ),
    ],
)
def test_exceptions_become_the_nearest_built_in_one(desk, statement, error, text):
    f = desk(f"def f():\n    {statement}", "f")
    with pytest.raises(error) as caught:
        f()
    assert type(caught.value) is error
    assert str(caught.value).startswith(text)
    assert len(str(caught.value)) < 3_000


def test_a_name_error_keeps_its_name(desk):
    f = desk("def f(): return misspelt", "f")
    with pytest.raises(NameError) as caught:
        f()
    assert caught.value.name == "misspelt"
    assert str(caught.value) == "name 'misspelt' is not defined"


def test_a_stop_iteration_does_not_end_the_examiners_own_loop(desk):
    f = desk("def f(x):\n    raise StopIteration", "f")
    with pytest.raises(StudentError):
        all(map(f, [1, 2]))


def test_an_exception_class_of_the_students_own_can_be_caught_and_raised(desk):
    source = """
class TooMuch(ValueError):
    "More than there is."
def f(): raise TooMuch("by", 3)
"""
    error, f = desk(source, "TooMuch", "f")
    with pytest.raises(error) as caught:
        f()
    assert caught.value.args == ("by", 3)
    assert error.__name__ == "TooMuch"
    assert issubclass(error, ValueError)
    with pytest.raises(ValueError, match="mine"):
        raise error("mine")


# ---------------------------------------------------------------- generators


def test_generators_are_fetched_item_by_item_also_endless_ones(desk):
    numbers, letters = desk(
        "def numbers():\n    n = 0\n    while True:\n        yield n\n        n += 1\n"
        "def letters():\n    yield from 'ab'\n    return 'end'",
        "numbers",
        "letters",
    )
    endless = numbers()
    assert isinstance(endless, types.GeneratorType)
    assert [next(endless) for _ in range(3)] == [0, 1, 2]
    assert list(letters()) == ["a", "b"]
    ending = letters()
    list(zip(range(2), ending, strict=False))
    with pytest.raises(StopIteration) as end:
        next(ending)
    assert end.value.value == "end"


def test_send_and_close_reach_the_generator(desk):
    source = """
closed = []
def f():
    try:
        got = yield 0
        while True:
            got = yield got * 2
    finally:
        closed.append(1)
"""
    f = desk(source, "f")
    generator = f()
    assert next(generator) == 0
    assert generator.send(4) == 8
    generator.close()
    assert desk.room.bind(["closed"]) == {"closed": [1]}


def test_a_generator_given_back_goes_on_where_it_was(desk):
    count, rest = desk(
        "def count(): yield from range(4)\ndef rest(g): return list(g)", "count", "rest"
    )
    generator = count()
    assert next(generator) == 0
    assert rest(generator) == [1, 2, 3]
    assert list(generator) == []


@pytest.mark.parametrize("iterator", ["map(str, [1, 2])", "iter('12')", "reversed(['2', '1'])"])
def test_other_iterators_are_generators_too(desk, iterator):
    found = desk(f"i = {iterator}", "i")
    assert isinstance(found, types.GeneratorType)
    assert list(found) == ["1", "2"]


def test_an_error_in_a_generator_arrives(desk):
    f = desk("def f():\n    yield 1\n    raise KeyError('x')", "f")
    generator = f()
    assert next(generator) == 1
    with pytest.raises(KeyError):
        next(generator)


# ---------------------------------------------------------------- classes and objects

ACCOUNT = """
class Account:
    "Money."
    opened = 0
    def __init__(self, owner, money=0):
        self.owner, self.money = owner, money
        Account.opened += 1
    def add(self, amount):
        self.money += amount
        return self.money
    def other(self): return Account("other", self.money)
    @property
    def rich(self): return self.money > 100
    @classmethod
    def empty(cls): return cls("nobody")
    @staticmethod
    def unit(): return "EUR"
    def __len__(self): return self.money
    def __getitem__(self, i): return i * self.money
    def __iter__(self): return iter([1, 2])
    def __contains__(self, x): return x == self.money
    def __eq__(self, other): return self.money == other.money
    def __lt__(self, other): return self.money < other.money
    def __add__(self, other): return Account("sum", self.money + getattr(other, "money", other))
    def __sub__(self, other): return 0.0
    def __str__(self): return f"{self.owner}: {self.money}"
    def __repr__(self): return 'Account()'
    def __float__(self): return 3.0
    def __bool__(self): return True
    def __enter__(self): return self
    def __exit__(self, *error): self.money = -1; return True
class Savings(Account): pass
account = Account("me", 7)
plain = object()
"""


def test_a_class_makes_objects_that_know_their_class(desk):
    account_class, savings_class, account = desk(ACCOUNT, "Account", "Savings", "account")
    made = savings_class("you", money=5)
    assert isinstance(account_class, type)
    assert (account_class.__name__, account_class.__doc__) == ("Account", "Money.")
    assert isinstance(made, RemoteObject)
    assert isinstance(made, account_class)
    assert isinstance(made, savings_class)
    assert not isinstance(account, savings_class)
    assert issubclass(savings_class, account_class)
    assert not isinstance(3, account_class)
    assert (made.owner, made.money) == ("you", 5)
    assert list(inspect.signature(account_class).parameters) == ["owner", "money"]


def test_attributes_methods_and_items(desk):
    account_class, account = desk(ACCOUNT, "Account", "account")
    assert account.add(3) == 10
    account.owner = "you"
    assert account.owner == "you"
    assert account.rich is False
    assert account.other().money == 10
    assert account.other().other().owner == "other"
    assert account_class.empty().owner == "nobody"
    assert account_class.unit() == account.unit() == "EUR"
    assert account_class.add(account, 1) == 11
    assert account_class.opened == 5
    assert len(account) == 11
    assert account[3] == 33
    assert list(account) == [1, 2]
    assert 11 in account
    assert str(account) == f"{account}" == "you: 11"
    assert not hasattr(account, "nothing")
    with pytest.raises(AttributeError, match="nothing"):
        account.nothing  # noqa: B018


def test_an_object_is_the_same_object_each_time(desk):
    source = ACCOUNT + "\ndef get(): return account"
    account, get = desk(source, "account", "get")
    assert get() is account


@pytest.mark.parametrize(
    "use",
    [
        bool,
        float,
        int,
        abs,
        round,
        complex,
        operator.index,
        np.asarray,
        np.sin,
        np.float64,
        math.sqrt,
        lambda x: x == 7,
        lambda x: x != 7,
        lambda x: x is None or x == None,  # noqa: E711
        lambda x: x < 8,
        lambda x: x - 7,
        lambda x: 7 - x,
        lambda x: np.array([7.0]) - x,
        lambda x: np.isclose(x, 7),
        lambda x: x in [7],
        lambda x: not x,
        lambda x: range(10)[x],
        lambda x: sum([x]) == 7,
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        lambda x: x.__dict__,
        lambda x: x.__wrapped__,
        lambda x: x._repr_html_,
    ],
)
def test_an_object_is_no_truth_value_no_number_and_no_array(desk, use):
    account = desk(ACCOUNT, "account")
    with pytest.raises((TypeError, AttributeError)):
        use(account)


def test_objects_may_be_compared_and_combined_with_each_other(desk):
    account_class, account = desk(ACCOUNT, "Account", "account")
    assert account == account_class("x", 7)
    assert account != account_class("x", 8)
    assert account < account_class("x", 8)
    assert (account + account_class("x", 8)).money == 15
    assert (account + 5).money == 12  # an object again, not a number
    assert [a.money for a in sorted([account_class("x", 8), account])] == [7, 8]


def test_an_object_in_a_check_fails_with_a_clear_text(desk):
    account = desk(ACCOUNT, "account")
    exercise = checks.Exercise("objects", points=1)
    assert not exercise.true("a property", lambda: account, otherwise="no")
    assert not exercise.number("a number", lambda: account, 7)
    assert not exercise.array("an array", lambda: account, [1, 2])
    assert not exercise.equal("data", lambda: account, 7)
    assert not exercise.hidden.number("hidden", lambda: account, 7)
    messages = [finding.message for finding in exercise.findings]
    assert "an object of the class Account is not a truth value" in messages[0]
    assert messages[1] == "received Account(), which is an object; expected a number"
    assert messages[4] == "received an object; expected a number"


def test_what_exit_returns_is_not_believed(desk):
    account = desk(ACCOUNT, "account")
    with account as entered:
        assert entered is account
    with pytest.raises(ZeroDivisionError), account:
        raise ZeroDivisionError
    assert account.money == -1


def test_a_class_of_the_students_cannot_be_extended(desk):
    account_class = desk(ACCOUNT, "Account")
    with pytest.raises(TypeError, match="cannot be extended"):

        class More(account_class):
            pass


def test_figures_can_be_looked_into(desk):
    source = """
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
def draw():
    figure, axes = plt.subplots()
    axes.plot([1, 2], [3, 4], label="a line")
    axes.set(title="Title", xlabel="x")
    return figure
"""
    figure = desk(source, "draw")()
    assert figure.axes[0].get_title() == "Title"
    (line,) = figure.axes[0].get_lines()
    np.testing.assert_array_equal(line.get_ydata(), [3, 4])


# ---------------------------------------------------------------- time, interrupts, death


def test_an_endless_loop_ends_at_the_limit_of_the_room(desk):
    loop, f = desk("def loop():\n    while True: pass\ndef f(): return 1", "loop", "f")
    desk.room.seconds = 0.3
    try:
        with pytest.raises(TimeLimitError):
            loop()
    finally:
        desk.room.seconds = 5
    assert f() == 1
    assert not desk.room.lost


def test_the_limit_of_the_running_check_counts(desk):
    loop = desk("def loop():\n    while True: pass", "loop")
    exercise = checks.Exercise("loop", points=1, seconds=0.3)
    start = time.monotonic()
    assert not exercise.number("a loop", lambda: loop(), 1)
    assert time.monotonic() - start < 4  # not the five seconds of the room
    assert [finding.hint_id for finding in exercise.findings] == ["time-limit"]
    assert not exercise.number("the next one", lambda: 1, 1)  # not run any more
    assert desk("def f(): return 2", "f")() == 2


def test_code_that_does_not_stop_loses_the_link(desk, monkeypatch):
    monkeypatch.setattr("autograder.rooms.examiner.GRACE", 0.5)
    source = """
def stubborn():
    import signal
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True: pass
"""
    stubborn = desk(source, "stubborn")
    exercise = checks.Exercise("loop", points=1, seconds=0.3)
    exercise.number("a loop", lambda: stubborn(), 1)
    assert [finding.hint_id for finding in exercise.findings] == ["time-limit"]
    assert "did not stop" in desk.room.lost
    start = time.monotonic()
    with pytest.raises(LinkLost, match="did not stop"):
        stubborn()
    assert time.monotonic() - start < 0.2


def test_a_call_after_the_time_is_up_is_not_made(desk):
    f = desk("def f(): return 1", "f")
    seen = []

    def go_on():
        while True:
            try:
                time.sleep(0.4)
            except TimeLimitError:
                seen.append(1)
                f()

    with pytest.raises(TimeLimitError), time_limit(0.2):
        go_on()
    assert seen == [1]


def test_an_interrupt_of_the_examiner_leaves_the_link_usable(desk):
    slow, f = desk(
        "import time\ndef slow():\n    time.sleep(1)\n    return 'late'\ndef f(): return 'in time'",
        "slow",
        "f",
    )
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        slow()
    assert f() == "in time"  # the late answer is not taken for this one's
    assert not desk.room.lost


def test_an_interrupt_during_a_callback_gives_up_the_whole_call(desk):
    apply, f = desk("def apply(g): return g()\ndef f(): return 1", "apply", "f")

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(stop)
    assert f() == 1


def test_the_death_of_the_students_process_is_told(desk):
    die = desk("import os\ndef die(): os._exit(1)", "die")
    with pytest.raises(LinkLost, match="the kernel died: a crash, or more memory than there is"):
        die()
    with pytest.raises(LinkLost):
        desk.room.bind(["die"])


def test_a_test_cell_can_be_ended_when_the_students_process_is_gone(desk):
    desk("x = 1", "x")
    desk.student.process.kill()
    desk.student.process.wait()
    desk.room.end()
    desk.room.end()
    assert desk.room.lost


def test_names_that_take_for_ever_are_a_lost_link_and_not_a_time_limit(liar, monkeypatch):
    monkeypatch.setattr("autograder.rooms.examiner.GRACE", 0.2)
    room = liar(lambda message: [])
    with pytest.raises(LinkLost, match="did not stop"):
        room.bind(["x"])


def test_an_interrupt_of_the_students_process_is_an_error_of_the_call(desk):
    slow = desk("import time\ndef slow(): time.sleep(5)", "slow")
    threading.Timer(0.3, desk.student.process.send_signal, (signal.SIGINT,)).start()
    with pytest.raises(StudentError, match="KeyboardInterrupt"):
        slow()


@pytest.mark.parametrize(
    "damage",
    [
        "import builtins\nbuiltins.len = builtins.isinstance = builtins.type = None",
        "import json, os, sys\njson.loads = json.dumps = os.getpid = None\nsys.stdout = None",
        "import sys\nsys.setrecursionlimit(60)",
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)",
        "import threading\n"
        "for _ in range(5): threading.Thread(target=lambda: 1 / 0, daemon=True).start()",
        "import warnings\nwarnings.simplefilter('error')",
    ],
)
def test_damage_in_the_students_room_harms_nobody_else(desk, damage):
    try:
        f = desk(f"def f(x): return x + 1\n{damage}", "f")
        assert f == "not bound" or f(1) == 2
    except (LinkLost, WireError, TimeLimitError, RuntimeError, TypeError):
        pass
    finally:
        desk.room.close()  # the next test gets a fresh process


def test_stand_ins_of_an_earlier_test_cell_are_not_mistaken_for_others(desk):
    f = desk("def f(): return 'old'", "f")
    g = desk("def g(): return 'new'", "g")
    assert g() == "new"
    with pytest.raises(StudentError, match="an earlier test cell"):
        f()


# ---------------------------------------------------------------- an end that lies


class Liar:
    """An end that sends what it likes; `answer` gets each request and returns frames."""

    def __init__(self, answer):
        ours, theirs = socket.socketpair()
        self.room = StudentRoom(ours, seconds=0.5)
        self._link = Link(theirs)
        self._thread = threading.Thread(target=self._run, args=(answer,), daemon=True)
        self._thread.start()

    def _run(self, answer):
        try:
            while True:
                message = wire.decode(self._link.receive())
                if message[0] == "ask":
                    for frame in answer(message):
                        self._link.send(frame if type(frame) is bytes else wire.encode(frame))
        except LinkLost:
            pass

    def close(self):
        self.room.close()
        self._thread.join()


@pytest.fixture
def liar():
    """Function that gives the examiner's end of a link whose other end answers as told."""
    made = []

    def make(answer):
        made.append(Liar(answer))
        return made[-1].room

    yield make
    for one in made:
        one.close()


def described(**given):
    """A reply that holds one described object."""
    marker = object()
    body = wire.encode(marker, unknown=lambda value: given)
    return lambda message: [["reply", message[1], "ok", body]]


LIES = {
    "random bytes": lambda m: [b"\xc1\xff\x00random"],
    "nothing": lambda m: [b""],
    "a number": lambda m: [7],
    "a reply without parts": lambda m: [["reply"]],
    "a reply of wrong types": lambda m: [["reply", "1", 3, None]],
    "a body of random bytes": lambda m: [["reply", m[1], "ok", b"\xc1"]],
    "a status that does not exist": lambda m: [["reply", m[1], "great", wire.encode(1)]],
    "an error that is none": lambda m: [["reply", m[1], "raised", wire.encode(3)]],
    "an error named SystemExit": lambda m: [
        ["reply", m[1], "raised", wire.encode({"error": "SystemExit", "text": "x"})]
    ],
    "an error of odd arguments": lambda m: [
        [
            "reply",
            m[1],
            "raised",
            wire.encode({"error": "OSError", "args": [[], {}], "class": "f", "name": 3}),
        ]
    ],
    "a reply to a later request": lambda m: [["reply", m[1] + 5, "ok", wire.encode(1)]],
    "a callback that nobody lent": lambda m: [
        ["callback", m[1], 1, 1, wire.encode([[], {}])],
        ["reply", m[1], "raised", wire.encode({})],
    ],
    "a callback of wrong types": lambda m: [["callback", m[1], "1", None, 3]],
    "a frame in a frame": lambda m: [wire.encode(wire.encode([[[]]]))],
    "deep nesting": lambda m: [b"\x91" * 900 + b"\xc0"],
    "a kind that does not exist": described(kind="shell", handle=1),
    "no kind": described(handle=1),
    "a function without a number": described(kind="function", name="f"),
    "a signature that is none": described(
        kind="function", handle=1, name="f", signature=[[["1 x", 9, None, ""]], ""]
    ),
    "a class without bases": described(kind="class", handle=1, name="C"),
    "an object without a class": described(kind="object", handle=1),
    "an object whose class is a number": described(kind="object", handle=1, **{"class": 4}),
    "a function of the examiner's": described(kind="callback", number=1),
    "a handle": described(kind="handle", handle=1),
    "a library": described(kind="library", module="os", name="system"),
    "a module": described(kind="module", module="os"),
}


@pytest.mark.parametrize("lie", LIES)
def test_hostile_answers_are_errors_and_nothing_else(liar, lie):
    room = liar(LIES[lie])
    with pytest.raises((WireError, StudentError, TypeError, OSError)):
        room.ask("call", [], {})


def test_names_that_nobody_asked_for_are_refused(liar):
    body = wire.encode([["checks", wire.encode(1), ""]])
    room = liar(lambda m: [["reply", m[1], "ok", body]])
    with pytest.raises(WireError, match="nobody asked for"):
        room.bind(["x"])


def test_old_answers_without_end_do_not_hold_the_examiner(monkeypatch):
    monkeypatch.setattr("autograder.rooms.examiner.GRACE", 0.2)
    ours, theirs = socket.socketpair()
    room = StudentRoom(ours, seconds=0.2)
    frame = wire.encode(["reply", 0, "ok", b""])
    many = (len(frame).to_bytes(8, "big") + frame) * 10_000

    def flood():
        with contextlib.suppress(OSError):
            while True:
                theirs.sendall(many)

    thread = threading.Thread(target=flood)
    thread.start()
    with pytest.raises(TimeLimitError):
        room.ask("call", [], {})
    assert room.lost
    thread.join()
    theirs.close()


def test_a_frame_that_is_announced_too_large_ends_the_link():
    ours, theirs = socket.socketpair()
    room = StudentRoom(ours, seconds=1)
    theirs.sendall((2**60).to_bytes(8, "big"))
    with pytest.raises(LinkLost, match="at most"):
        room.ask("call", [], {})
    assert room.lost
    theirs.close()


def test_half_a_frame_is_waited_for_only_so_long(monkeypatch):
    monkeypatch.setattr("autograder.rooms.examiner.GRACE", 0.2)
    ours, theirs = socket.socketpair()
    room = StudentRoom(ours, seconds=0.2)
    theirs.sendall((100).to_bytes(8, "big") + b"half")
    with pytest.raises(TimeLimitError):
        room.ask("call", [], {})
    assert room.lost
    theirs.close()


def test_a_stand_in_with_an_invented_number_asks_only_the_liar(liar):
    body = wire.encode(
        object(), unknown=lambda value: {"kind": "function", "handle": 10**30, "name": "open"}
    )
    room = liar(lambda m: [["reply", m[1], "ok", body]])
    function = room.ask("call", [], {})
    assert type(function) is types.FunctionType
    assert function is not open
    assert function("/etc/passwd") is function


def test_an_iterator_that_never_answers_right_ends_with_an_error(liar):
    body = wire.encode(object(), unknown=lambda value: {"kind": "iterator", "handle": 1})
    room = liar(lambda m: [["reply", m[1], "ok", body]])
    with pytest.raises(WireError, match="neither an item nor an end"):
        list(room.ask("iterate"))


def test_names_of_classes_never_reach_hidden_findings(desk):
    source = (
        "Secret42 = type('Secret42', (), {})\n"
        "def f(x):\n    raise type('Secret42', (Exception,), {})(x)"
    )
    secret, f = desk(source, "Secret42", "f")
    exercise = checks.Exercise("hidden", points=1)
    exercise.hidden.number("an error", lambda: f(42), 1)
    exercise.hidden.number("an object", lambda: secret(), 1)
    exercise.hidden.equal("a class", lambda: secret, 1)
    assert "42" not in " ".join(finding.message for finding in exercise.findings)


# ---------------------------------------------------------------- frames


def test_frames_arrive_whole_in_order_and_of_any_size():
    ours, theirs = socket.socketpair()
    one, other = Link(ours), Link(theirs)
    frames = [b"", b"x", bytes(3 * 2**20), b"last"]
    sender = threading.Thread(target=lambda: [one.send(frame) for frame in frames])
    sender.start()
    assert [other.receive() for _ in frames] == frames
    sender.join()
    assert other.receive(time.monotonic() + 0.05) is None
    one.close()
    with pytest.raises(LinkLost):
        other.receive()


def test_two_ends_that_both_send_do_not_wait_for_each_other():
    ours, theirs = socket.socketpair()
    large, received = bytes(8 * 2**20), []

    def exchange(link):
        link.send(large, time.monotonic() + 30)
        received.append(link.receive(time.monotonic() + 30))

    threads = [threading.Thread(target=exchange, args=(Link(end),)) for end in (ours, theirs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert received == [large, large]


def test_a_frame_cut_by_an_interrupt_is_sent_to_its_end_first():
    ours, theirs = socket.socketpair()
    one, other = Link(ours), Link(theirs)
    large = bytes(8 * 2**20)
    # Nobody reads yet, so that sending has to wait, and is interrupted.
    with pytest.raises(TimeLimitError), time_limit(0.2):
        one.send(large)
    received = []
    reader = threading.Thread(target=lambda: received.extend([other.receive(), other.receive()]))
    reader.start()
    one.send(b"next")
    reader.join(30)
    assert received == [large, b"next"]
