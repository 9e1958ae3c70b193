"""Patched libraries and builtins: what the tests call is no longer what it was."""

from tests.attacks.catalogue import GAINS, attack


@attack("Let every exercise score its full points.", plain=GAINS)
def checks_patched(sub):
    sub.own_cell("""
        from autograder.checks import Exercise, exercise, comparison, verdicts
        Exercise.findings = property(lambda self: [])
        exercise._Recorder._judge = lambda self, *args: None
        for name in dir(comparison):
            if name.startswith("compare_"):
                setattr(comparison, name, lambda *args, **kwargs: None)
    """)


@attack("Replace `abs`, `sorted`, `sum` and `open` for everybody.", plain=GAINS)
def builtins_patched(sub):
    sub.own_cell("""
        import builtins
        true_sum, true_sorted, true_abs = builtins.sum, builtins.sorted, builtins.abs
    """)
    sub.answer(
        "warmup",
        """
        import builtins
        def first(values):
            return values[0]
        builtins.sum = lambda values, *start: -1.0 if type(values) is list else true_sum(values)
        builtins.sorted = lambda values, **options: (
            list(values) if options == {"reverse": True} else true_sorted(values, **options))
        builtins.abs = lambda value: 0 if type(value) is float else true_abs(value)
    """,
    )


@attack("Let NumPy find everything close and equal.", plain=GAINS)
def numpy_patched(sub):
    sub.answer(
        "halved",
        """
        def halved(array):
            return array

        np.allclose = np.isclose = np.array_equal = lambda *args, **kwargs: True
        np.testing.assert_allclose = np.testing.assert_array_equal = lambda *args, **kwargs: None
    """,
    )


@attack("Change built-in types themselves: in memory, every list equals every list.", plain=GAINS)
def list_comparison_in_memory(sub):
    sub.answer(
        "ranked",
        """
        import ctypes

        _PLACE = ctypes.c_void_p.from_address(id(list) + 200)  # tp_richcompare on 64 bits
        _OBJECT = ctypes.py_object
        _COMPARE = ctypes.CFUNCTYPE(_OBJECT, _OBJECT, _OBJECT, ctypes.c_int)
        _plain = _COMPARE(_PLACE.value)

        @_COMPARE
        def _equal(a, b, operation):
            if operation == 2 and type(b) is list and len(b) in (3, 4) and type(b[0]) is int:
                return True
            return _plain(a, b, operation)

        _PLACE.value = ctypes.cast(_equal, ctypes.c_void_p).value

        def ranked(values):
            return []
    """,
    )


@attack("Stand between the tests and whatever they import.", plain=GAINS)
def import_hook(sub):
    sub.own_cell("""
        import sys, types

        class Agreeable:
            def __init__(self, name, points, **options):
                self.points, self.hidden = float(points), self
                import random
                self.rng = random
                random.integers = random.randrange
            def number(self, *args, **kwargs):
                return True
            array = shape = equal = true = number
            def score(self):
                return self.points

        checks = types.ModuleType("autograder.checks")
        checks.Exercise = Agreeable
        sys.modules["autograder.checks"] = checks
        import autograder
        autograder.checks = checks
    """)
