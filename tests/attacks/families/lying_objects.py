"""Lying objects: a value of a class of one's own says whatever the test wants to hear."""

from tests.attacks.catalogue import GAINS, UNTRIED, attack

_YES = """
    class Yes:
        def __eq__(self, other):
            return True
        __lt__ = __le__ = __gt__ = __ge__ = __ne__ = __eq__
        __hash__ = None
        def __bool__(self):
            return True
        def __getitem__(self, key):
            return self
        def __abs__(self):
            return self
        def __sub__(self, other):
            return self
        __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __sub__
"""


@attack("Return an object that equals everything.", plain=GAINS)
def equals_everything(sub):
    sub.own_cell(_YES, before="warmup")
    sub.answer("ranked", "def ranked(values):\n    return Yes()")
    sub.answer("settings", "settings = Yes()")
    sub.answer("double", "def double(number):\n    return Yes()")


@attack("Return a real list, dict and float that compare as they like.", plain=GAINS)
def agreeable_built_in_types(sub):
    sub.own_cell("""
        class AnyList(list):
            __eq__ = lambda self, other: True
        class AnyDict(dict):
            __eq__ = lambda self, other: True
        class AnyFloat(float):
            def __new__(cls, *args):
                return super().__new__(cls, 0.0)
            __sub__ = __rsub__ = __abs__ = lambda self, *other: AnyFloat()
            __eq__ = __lt__ = lambda self, other: True
            __float__ = lambda self: 10.0
    """)
    sub.answer("ranked", "def ranked(values):\n    return AnyList()")
    sub.answer("settings", "settings = AnyDict(rate=0)")
    sub.answer("total", "def total(values):\n    return AnyFloat()")
    sub.answer("double", "def double(number):\n    return AnyFloat()")


@attack("Say through `__class__` that it is a float, an array, a plain dict.", plain=GAINS)
def poisoned_class(sub):
    sub.own_cell(_YES, before="warmup")
    sub.own_cell(
        """
        import numpy
        class Float(Yes):
            __class__ = property(lambda self: float)
            __float__ = lambda self: 10.0
            __index__ = __int__ = lambda self: 10
        class Array(Yes):
            __class__ = property(lambda self: numpy.ndarray)
            shape, dtype, size, ndim = (3, 4), numpy.dtype(float), 12, 2
            __array_interface__ = property(lambda self: 1 / 0)
        class Dict(Yes):
            __class__ = property(lambda self: dict)
            keys = items = lambda self: ()
            __len__ = lambda self: 2
    """,
        before="double",
    )
    sub.answer("double", "def double(number):\n    return Float()")
    sub.answer("total", "def total(values):\n    return Float()")
    sub.answer("halved", "def halved(array):\n    return Array()")
    sub.answer("settings", "settings = Dict()")


@attack("Answer NumPy's own functions: an array that is close to everything.", plain=GAINS)
def array_protocols(sub):
    sub.own_cell("""
        class Near:
            shape, dtype, ndim = (3, 4), "float64", 2
            def __array_function__(self, function, types, args, kwargs):
                return True
            def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
                return True
            def __array__(self, *args, **kwargs):
                raise TypeError
    """)
    sub.answer("halved", "def halved(array):\n    return Near()")


@attack("Return arrays of objects, structured, masked and memory-mapped arrays that agree.",
        plain=GAINS)  # fmt: skip
def odd_arrays(sub):
    sub.own_cell(_YES, before="warmup")
    sub.answer(
        "halved",
        """
        def halved(array):
            if array.ndim == 1:
                return np.ma.array(array / 2, mask=True) if array.size > 2 else array / 2
            class View(np.ndarray):
                def __eq__(self, other):
                    return np.ones(self.shape, bool)
                def __array_function__(self, *args):
                    return True
            return array.view(View)
    """,
    )
    sub.answer(
        "ranked",
        """
        def ranked(values):
            objects = np.empty(1, object)
            objects[0] = Yes()
            return objects
    """,
    )
    sub.answer(
        "double",
        """
        def double(number):
            return np.array([(number, 2)], dtype=[("a", "i8"), ("b", "O")])
    """,
    )


@attack("Be wrong when looked at first and right when looked at again.", plain=GAINS)
def changes_between_looks(sub):
    sub.answer(
        "ranked",
        """
        import inspect

        class Late(list):
            def __eq__(self, other):
                self[:] = other  # now it is
                return list.__eq__(self, other)

        def ranked(values):
            return Late()
    """,
    )


@attack("Return the function itself, a module, a class, a lambda that agrees.", plain=UNTRIED)
def not_data_at_all(sub):
    sub.own_cell(_YES, before="warmup")
    sub.answer(
        "double",
        """
        import sys

        def double(number):
            return sys.modules
    """,
    )
    sub.answer("ranked", "def ranked(values):\n    return ranked")
    sub.answer("total", "class total(float):\n    def __new__(cls, values):\n        return Yes")
    sub.answer("halved", "import numpy as halved")
    sub.answer("settings", "settings = lambda: Yes()\nsettings.__class_getitem__ = Yes()")


@attack("Change the test's own inputs in place, so that the wrong answer becomes right.",
        plain=GAINS)  # fmt: skip
def inputs_changed_in_place(sub):
    sub.answer("ranked", "def ranked(values):\n    values.clear()\n    return []")
    sub.answer("total", "def total(values):\n    values[:] = [0.0]\n    return 0.0")
    sub.answer("halved", "def halved(array):\n    array[:] = 0\n    return array")
