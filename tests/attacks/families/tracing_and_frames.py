"""Tracing and frames: an answer looks at who is calling, and at what the caller expects."""

from tests.attacks.catalogue import GAINS, HARMS, attack


@attack("Find the expected value in the frames of the check that calls.", plain=GAINS)
def expected_from_the_caller(sub):
    sub.answer(
        "double",
        """
        import sys

        def double(number):
            frame = sys._getframe(1)
            while frame is not None:
                if "expected" in frame.f_locals:
                    expected = frame.f_locals["expected"]
                    return expected() if callable(expected) else expected
                frame = frame.f_back
            return 0
    """,
    )


@attack("Read the source of the running test and work out what it compares with.", plain=GAINS)
def expected_from_the_source(sub):
    sub.own_cell("""
        import ast, sys

        def _wanted(name):
            frame = sys._getframe(2)
            while frame is not None and name + "(" not in str(frame.f_globals.get("In", [""])[-1]):
                frame = frame.f_back
            names = frame.f_globals
            for node in ast.walk(ast.parse(names["In"][-1])):
                if isinstance(node, ast.Assert) and node.lineno == frame.f_lineno:
                    return eval(ast.unparse(node.test.comparators[0]), names)
    """)
    sub.answer("ranked", "def ranked(values):\n    return _wanted('ranked')")


@attack("Change the arguments of a comparison as it is called, with a trace function.",
        plain=GAINS)  # fmt: skip
def trace_that_changes_arguments(sub):
    sub.own_cell("""
        import ctypes, sys

        def _set(frame, **values):
            frame.f_locals.update(values)
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))

        def _trace(frame, event, argument):
            if event == "call" and frame.f_code.co_name == "close":
                _set(frame, a=0.0, b=0.0)
            if event == "call" and frame.f_code.co_name == "compare_number":
                names = frame.f_code.co_varnames
                _set(frame, **{names[0]: frame.f_locals[names[1]]})
            return None
    """)
    sub.answer(
        "double",
        """
        def double(number):
            sys.settrace(_trace)
            return number
    """,
    )
    sub.answer(
        "total",
        """
        def total(values):
            sys.settrace(_trace)
            return -1.0
    """,
    )


@attack("Find the exercise among all objects in memory and wipe its findings out.", plain=GAINS)
def exercise_from_the_garbage_collector(sub):
    sub.answer(
        "double",
        """
        import gc, threading, time

        def double(number):
            for item in gc.get_objects():
                if type(item).__name__ == "Exercise" and hasattr(item, "_findings"):
                    class Blind(list):
                        def append(self, finding):
                            list.append(self, None)
                    item._findings = Blind(None for _ in item._findings)
            return number
    """,
    )


@attack("Read the running test, hidden part and all, and print it backwards.",
        plain=HARMS, alone=False)  # fmt: skip
def test_source_from_the_history(sub):
    read = """
        def _read():
            import sys, linecache
            texts = [str(get_ipython().user_ns.get("In", [""])[-1])]
            frame = sys._getframe()
            while frame is not None:
                texts += map(str, frame.f_code.co_consts)
                texts += map(str, frame.f_code.co_names)
                frame = frame.f_back
            texts += ["".join(entry[2]) for entry in linecache.cache.values() if len(entry) > 2]
            return "\\n".join(text for text in texts if "hidden" in text)
    """
    sub.own_cell(read)
    sub.answer(
        "ranked",
        """
        def ranked(values):
            print("$MARK", _read()[::-1])
            globals().setdefault("_kept", []).append(_read()[::-1])
            return values
    """,
    )
    sub.last_cell("print('$MARK', *_kept)")
    sub.last_cell("print('$MARK', *[text[::-1] for text in In if 'exercise' in text])")
