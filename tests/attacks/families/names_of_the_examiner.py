"""Names that take over the examiner's: what a student defines under the name of something else."""

from tests.attacks.catalogue import GAINS, attack


@attack("Define the helpers and constants of the locked cells anew.", plain=GAINS)
def names_of_locked_cells(sub):
    sub.answer(
        "warmup",
        """
        def first(values):
            return values[0]

        def close(a, b):
            return True

        TOLERANCE = float("inf")
        NUMBERS = []
    """,
    )
    sub.answer("total", "def total(values):\n    return 0")


@attack("Define `checks`, `exercise`, `np` and the tests' own variables.", plain=GAINS)
def names_of_the_tests(sub):
    sub.answer(
        "warmup",
        """
        def first(values):
            return values[0]

        class _Full:
            def __getattr__(self, name):
                return self
            def __call__(self, *args, **kwargs):
                return 3.0 if args == () and not kwargs else self
            __int__ = lambda self: 1
            __rmul__ = lambda self, other: 1

        checks = exercise = _Full()
        points = right = case = values = _Full()
    """,
    )
    sub.answer(
        "ranked",
        """
        def ranked(values):
            return values
        class np:
            allclose = array_equal = arange = staticmethod(lambda *args: np)
            array = reshape = arange
            __truediv__ = lambda self, other: np
    """,
    )


@attack("Define `sum`, `abs`, `print`, `sorted`, `int` and `__builtins__`.", plain=GAINS)
def names_of_builtins(sub):
    sub.answer(
        "warmup",
        """
        def first(values):
            return values[0]

        def abs(value):
            return 0

        def sorted(values, reverse=False):
            return list(values)

        def sum(values, start=0):
            return -1.0 if type(values) is list else 2

        def print(*args, **kwargs):
            pass

        _true, __builtins__ = __builtins__, {**vars(__builtins__), "len": lambda x: 1}
        __name__ = "autograder.checks"
    """,
    )


@attack("Give an answer the name of another exercise's function, later.", plain=GAINS,
        honest={"test_warmup": 0.0})  # fmt: skip
def answers_of_other_answers(sub):
    sub.answer(
        "warmup",
        """
        def first(values):
            return Same()

        class Same:
            def __eq__(self, other):
                return True
    """,
    )
    sub.answer("settings", "settings = {'rate': 7}\ndouble = ranked = total = halved = first")


@attack("Bind answers to things that are looked up at the moment of use.", plain=GAINS)
def names_that_look_themselves_up(sub):
    sub.own_cell("""
        class Namespace(dict):
            def __missing__(self, key):
                return lambda *args, **kwargs: True

        class Module(type(get_ipython().user_module)):
            def __getattr__(self, name):
                return lambda *args, **kwargs: True

        get_ipython().user_module.__class__ = Module
    """)
    sub.answer(
        "settings",
        """
        class _Lookup(dict):
            def __missing__(self, key):
                return 0.5
            def __eq__(self, other):
                return True

        settings = _Lookup()
    """,
    )
