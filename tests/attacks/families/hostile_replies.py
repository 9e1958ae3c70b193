"""Hostile replies on the wire: what the student's side of the link may send back."""

from tests.attacks.catalogue import GAINS, NOTHING, UNTRIED, attack

_LINKS = """
import os, socket, stat

def _links():
    found = []
    for number in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                link = socket.socket(fileno=os.dup(number))
                if link.family == socket.AF_UNIX:
                    found.append(link)
        except OSError:
            pass
    return found
"""


@attack("Write garbage to every open socket while a test waits for an answer.", plain=UNTRIED)
def garbage_on_every_socket(sub):
    sub.own_cell(_LINKS)
    sub.answer(
        "double",
        """
        import os

        def double(number):
            for link in _links():
                try:
                    link.setblocking(False)
                    link.send(os.urandom(100_000))
                except OSError:
                    pass
            return number
    """,
    )


@attack("Write frames that claim to be long, or to be of any kind, and never finish them.",
        plain=UNTRIED)  # fmt: skip
def frames_that_lie_about_their_length(sub):
    sub.own_cell(_LINKS)
    sub.answer(
        "double",
        """
        import struct

        def double(number):
            for link in _links():
                for head in (b"\\xff" * 8, struct.pack(">I", 2**32 - 1), struct.pack("<Q", 2**62),
                             struct.pack(">I", 3) + b"\\xc1\\xc1\\xc1", b"\\xdd" + b"\\xff" * 4,
                             b"\\x00" * 4096):
                    try:
                        link.setblocking(False)
                        link.send(head)
                    except OSError:
                        pass
            return number
    """,
    )


@attack("Read the requests on the link oneself, and answer before one is asked.", plain=UNTRIED)
def a_second_reader_on_the_link(sub):
    sub.own_cell(
        _LINKS
        + """
import select, threading, time

def _serve():
    links = _links()
    while True:
        ready, _, _ = select.select(links, [], [], 0.2)
        for link in ready:
            try:
                data = link.recv(65536, socket.MSG_DONTWAIT | socket.MSG_PEEK)
                if data:
                    link.send(data)  # its own words back
                    link.recv(len(data), socket.MSG_DONTWAIT)
                else:
                    links.remove(link)
            except OSError:
                pass
        time.sleep(0.005)

threading.Thread(target=_serve, daemon=True).start()
"""
    )


@attack("Take the link's own encoder and write down what only the examiner may say.", plain=UNTRIED)
def forged_values(sub):
    sub.own_cell("""
        try:
            from autograder import wire
            _plain_encode = wire.encode

            def encode(value, **options):
                import msgpack, random
                forged = [
                    msgpack.packb([99, 1]), msgpack.packb([0, 1, 2]), msgpack.packb({"a": 1}),
                    msgpack.packb([13, "O", b"x" * 8, 1]),
                    msgpack.packb([13, "<f8", b"", 2**40, 0]),
                    msgpack.packb([13, "|S1000000", b"", 0]), msgpack.packb([17, "os.system"]),
                    msgpack.packb([1] * 50_000), msgpack.packb([6, b"\\x7f" * 10_000_000]),
                    b"\\xdd\\x7f\\xff\\xff\\xff", b"\\xc9" + b"\\xff" * 5, b"", b"\\x91" * 300_000,
                    msgpack.packb([20, "1e999999999"]), msgpack.packb([25, [3, ["system", "id"]]]),
                ]
                return random.choice(forged)

            wire.encode = encode
            for module in list(__import__("sys").modules.values()):
                if getattr(module, "encode", None) is _plain_encode:
                    module.encode = encode
        except ImportError:
            pass
    """)


@attack("Patch the room's own code in this process: whatever is asked, the answer is yes.",
        plain=NOTHING)  # fmt: skip
def patched_room(sub):
    sub.own_cell("""
        import gc, sys, types

        for name, module in list(sys.modules.items()):
            if name.startswith("autograder."):
                for word, value in list(vars(module).items()):
                    if isinstance(value, type) and issubclass(value, BaseException):
                        continue
                    if "erdict" in word or word in ("record", "read_verdict", "compare_number"):
                        try:
                            setattr(module, word, lambda *args, **kwargs: None)
                        except (AttributeError, TypeError):
                            pass
                if hasattr(module, "_window"):
                    module._window = None
    """)


@attack("Replies that never end: a generator, an iterator, a text that grows.", plain=NOTHING)
def endless_replies(sub):
    sub.answer(
        "double",
        """
        import itertools

        def double(number):
            class Long(list):
                def __iter__(self):
                    return itertools.repeat(0)
                def __len__(self):
                    return 10**15
            return Long([1])
    """,
    )
    sub.answer(
        "ranked",
        """
        def ranked(values):
            def numbers():
                while True:
                    yield 0
            return numbers()
    """,
    )
    sub.answer(
        "total",
        """
        class _Slow(float):
            def __abs__(self):
                while True:
                    pass
            __float__ = __sub__ = __rsub__ = __eq__ = lambda self, *x: self.__abs__()

        def total(values):
            return _Slow(1)
    """,
    )


@attack("Replies that are larger than any memory, and cost nothing to make.", plain=NOTHING)
def giant_replies(sub):
    sub.answer(
        "double",
        """
        def double(number):
            return 1 << (8 * 10**8) if number == 5 else range(10**18)
    """,
    )
    sub.answer(
        "ranked",
        """
        import numpy as np

        def ranked(values):
            return np.broadcast_to(np.int8(1), (10**6, 10**6))
    """,
    )
    sub.answer(
        "total",
        """
        def total(values):
            layers = [1.0]
            for _ in range(60):
                layers = [layers, layers]  # two to the power of sixty numbers, written out
            return layers
    """,
    )
    sub.answer(
        "halved",
        """
        def halved(array):
            return np.lib.stride_tricks.as_strided(array, shape=(2**31, 2**20), strides=(0, 0))
    """,
    )
    sub.answer(
        "settings",
        """
        settings = {}
        settings["rate"] = settings
        _deep = []
        for _ in range(100_000):
            _deep = [_deep]
        settings["deep"] = _deep
    """,
    )


@attack("Exhaust whoever compares: hashes that collide, numbers that take for ever.", plain=NOTHING)
def slow_to_compare(sub):
    sub.answer(
        "double",
        """
        from fractions import Fraction
        from decimal import Decimal

        def double(number):
            return Decimal("1e99999") if number == 5 else Fraction(10**19000, 3**19000)
    """,
    )
    sub.answer(
        "ranked",
        """
        def ranked(values):
            # Integers that all have the same hash.
            return {1 + n * (2**61 - 1): 0 for n in range(60_000)}
    """,
    )
    sub.answer("total", "def total(values):\n    return 2**520_000")


@attack("Call back into the examiner: return functions, bound methods, coroutines.", plain=GAINS)
def functions_as_replies(sub):
    sub.answer(
        "ranked",
        """
        def ranked(values):
            class Chameleon:
                def __eq__(self, other):
                    return True
                def __call__(self, *args):
                    return self
                def __reduce__(self):
                    return exec, ("print('$MARK')",)
            return Chameleon()
    """,
    )
    sub.answer(
        "double",
        """
        def double(number):
            async def later():
                return 2 * number
            return later() if number == 5 else double
    """,
    )
    sub.answer(
        "total",
        """
        import functools

        def total(values):
            return functools.partial(print, "$MARK")
    """,
    )


@attack("Abuse functions that a test lends: call them for ever, keep them, give them back.",
        plain=NOTHING)  # fmt: skip
def borrowed_functions(sub):
    sub.answer(
        "applied",
        """
        import threading

        _kept = []

        def applied(function, values):
            _kept.append(function)
            threading.Thread(target=lambda: [function(v) for v in range(50)], daemon=True).start()
            for odd in (function, applied, [function] * 100, 10**30000, "x" * 10**6, None,
                        type("X", (), {"__mul__": lambda self, other: self})()):
                try:
                    function(odd)
                except Exception:
                    pass
            if len(values) == 2:
                return [function, function]
            while True:
                function(1)
    """,
    )


@attack("Borrowed functions that call each other: from room to room without end.", plain=NOTHING)
def calls_within_calls(sub):
    sub.answer(
        "applied",
        """
        class Again:
            def __mul__(self, other):
                return self.function(self)
            __add__ = __mul__

        def applied(function, values):
            again = Again()
            again.function = function
            return [function(again) for value in values]
    """,
    )


@attack("Speak the link's language perfectly, and describe objects that cannot be.", plain=UNTRIED)
def descriptions_of_objects(sub):
    sub.own_cell("""
        try:
            import random
            from autograder.rooms import student

            odd = [
                {"kind": "callback", "number": 1}, {"kind": "callback", "number": True},
                {"kind": "function", "handle": 1, "name": "__class__", "qualname": "x" * 10**6,
                 "doc": "d", "signature": [["self", 0, [], "int"]] * 90},
                {"kind": "function", "handle": 2**70, "name": "f",
                 "signature": [["1x", 9, [1], ""]]},
                {"kind": "class", "handle": 3, "name": "AssertionError", "doc": "", "bases": [],
                 "error": "SystemError", "signature": None},
                {"kind": "object", "handle": 4, "callable": True,
                 "class": {"kind": "class", "handle": 3, "name": "list", "doc": "", "bases": [3],
                           "error": "", "signature": None}},
                {"kind": "object", "handle": 5, "class": 7}, {"kind": "iterator", "handle": -1},
                {"kind": "promise", "handle": 6}, {"kind": "model"}, {"kind": "no such kind"},
                {"kind": "library", "module": "os", "name": "system"},
                {"kind": "module", "module": "subprocess"},
                {"kind": "generator", "source": "__import__", "state": "os"},
                {"kind": "handle", "handle": 1}, {}, [], 7,
            ]
            student.StudentEnd._give = lambda self, value: random.choice(odd)
            student.describe_error = lambda error: {
                "error": random.choice(["SystemExit", "KeyboardInterrupt", "StopIteration", "eval",
                                        "ExceptionGroup", "AssertionError", "Warning"]),
                "name": "x" * 10**5, "text": "</script>" * 1000, "args": [1] * 10**5, "about": 3,
                "class": 3}
        except ImportError:
            pass
    """)
    sub.answer("double", "def double(number):\n    return object()")
    sub.answer("ranked", "def ranked(values):\n    return [object(), lambda: 1]")
    sub.answer("total", "def total(values):\n    raise LookupError")
    sub.answer("settings", "settings = object()")
    sub.answer("applied", "def applied(function, values):\n    return iter([object()])")


@attack("Answer every question with what the check itself would like to hear.", plain=UNTRIED)
def statuses_of_one_s_own(sub):
    sub.own_cell("""
        try:
            from autograder import wire
            from autograder.rooms import student

            plain = student.StudentEnd._carry_out
            said = iter([
                ("ok", b""), ("ok", wire.encode(None)), ("time", b"\\xff"), ("refused", b""),
                ("raised", wire.encode({"error": "AssertionError"})), ("maybe", b"1")] * 99)

            def carry_out(self, operation, seconds, payload):
                if operation == "fetch":
                    return plain(self, operation, seconds, payload)
                # More than one answer, answers to questions not asked yet, callbacks unasked.
                for number in range(1, 60):
                    self._link.send(wire.encode(["reply", number, "ok", wire.encode(10)]))
                    self._link.send(wire.encode(["callback", number, 1, 1, wire.encode([[], {}])]))
                return next(said)

            student.StudentEnd._carry_out = carry_out
        except ImportError:
            pass
    """)
