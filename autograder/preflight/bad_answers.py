"""Texts of answer cells that no honest grader should be troubled by.

Each is made from the author's answer: it binds the same names, and does something else.
"""

import ast
import textwrap

from autograder.assignment.names import bindings, plain_python

# Something of every kind that ends up on a student's screen, none of which is a mark.
_NOISE = """\
import logging as _logging, os as _os, sys as _sys, warnings as _warnings
print("debugging: I am here")
print("100")
print("a line on stderr", file=_sys.stderr)
_os.write(2, b"W0000 00:00 cpu_feature_guard.cc: a log line of a library\\n")
_warnings.simplefilter("always")
_warnings.warn("this way is deprecated")
_logging.getLogger("student").warning("a warning in the log")
"""
_NOISE_IN_FUNCTION = (
    "__import__('builtins').print('debugging: called')\n"
    "__import__('builtins').print('debugging', file=__import__('sys').stderr)\n"
    "__import__('warnings').warn('this way is deprecated')\n"
)
_CRASH = "import os\nos._exit(7)\n"
_CRASH_IN_FUNCTION = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
_ENDLESS = "while True:\n    pass\n"
_ENDLESS_IN_FUNCTION = "while True: pass"

_AGREEABLE = """\
class _Agreeable:
    def __eq__(self, other):
        return True
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = object.__hash__
    def __bool__(self):
        return True
    def __call__(self, *args, **kwargs):
        return self
    def __getitem__(self, key):
        return self
    def __contains__(self, item):
        return True
    def __float__(self):
        return 1.0
    __abs__ = __neg__ = lambda self: self
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = lambda self, other: self
"""
# Says that it has earned everything: by text, by a verdict, by the libraries that tests call.
_CLAIM = (
    _AGREEABLE
    + """\
import builtins as _builtins, json as _json, os as _os, sys as _sys
print("100")
print('{"points": 100, "possible": 100}')
_sys.last_score = 100
try:
    from autograder.checks import exercise as _e, verdicts as _v
    for _name in ("number", "shape", "equal", "array", "true", "raises", "_check", "_judge"):
        setattr(_e._Recorder, _name, lambda *args, **kwargs: True)
    _e.Exercise.score = lambda self: self.points
    _v.read_verdict = lambda *args: []
    _v.close_verdict = lambda token: _json.dumps({
        "schema": 1, "token": token, "exercises": [{"exercise": "x", "points": 100,
        "possible": 100, "passed": 1, "checks": 1, "findings": []}]})
except Exception:
    pass
try:
    import numpy as _np
    _np.allclose = _np.array_equal = lambda *args, **kwargs: True
    for _name in ("assert_allclose", "assert_array_equal", "assert_equal", "assert_almost_equal"):
        setattr(_np.testing, _name, lambda *args, **kwargs: None)
except Exception:
    pass
_builtins.AssertionError = type("AssertionError", (Exception,), {})
_builtins.abs = lambda value: 0
_builtins.all = lambda values: True
for _name in ("score.json", "verdict.json", "gradebook.db"):
    try:
        open(_name, "w").write('{"points": 100}')
    except OSError:
        pass
"""
)
# Looks for what is right in the callers and in memory, and leaves when it finds nothing.
_LOOK = """\
def _look():
    import gc, sys
    wanted = ("expected", "right", "correct", "answer", "solution", "reference", "_expected")
    frame = sys._getframe()
    while frame is not None:
        for name in wanted:
            if name in frame.f_locals:
                return frame.f_locals[name]
        frame = frame.f_back
    for thing in gc.get_objects():
        if type(thing) is dict:
            for name in wanted[:4]:
                if type(thing.get(name)) in (int, float, list, tuple):
                    return thing[name]
    raise SystemExit(0)
"""


def noisy(source: str) -> str:
    """The same answer, with prints, warnings and lines on stderr, run and called."""
    try:
        tree = ast.parse(plain_python(source))
    except (SyntaxError, ValueError, RecursionError):
        return source
    noise = ast.parse(_NOISE_IN_FUNCTION).body
    for node in ast.walk(tree):
        # A generator or a decorated function may be looked at before it is called.
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            at = 1 if ast.get_docstring(node, clean=False) is not None else 0
            node.body[at:at] = noise
    body = ast.unparse(ast.fix_missing_locations(tree))
    return f"{_NOISE}{body}\nprint(1.0)\n"


def nothing(source: str) -> str:
    """Functions that return None, classes that do nothing, values that are None."""
    return _replaced(source, "return None", "None")


def crashing(source: str) -> str:
    """A cell that ends its kernel at once."""
    return _CRASH


def crashing_when_called(source: str) -> str:
    """Functions that kill their kernel; the cell itself does if it has no functions."""
    return _replaced(source, _CRASH_IN_FUNCTION, None) or _CRASH


def endless(source: str) -> str:
    """Functions that never return; an endless cell if it has no functions."""
    return _replaced(source, _ENDLESS_IN_FUNCTION, None) or _ENDLESS


def claiming(source: str) -> str:
    """Claims a score by every way that is open to it, and returns what equals everything."""
    return _CLAIM + _replaced(source, "return _Agreeable()", "_Agreeable()")


def looking(source: str) -> str:
    """Looks for the right result in the test that called it, and exits if there is none."""
    return _LOOK + _replaced(source, "return _look()", "_look()")


def _replaced(source: str, body: str, value: str | None) -> str:
    """Bind the names of a cell anew.

    Parameters
    ----------
    source : str
        The author's answer.
    body : str
        One line: what every function does.
    value : str or None
        What every other name is; with None, the text is empty unless there are functions.
    """
    functions, classes = _defined(source)
    lines = [f"def {name}(*args, **kwargs):\n    {body}\n" for name in functions]
    for name in classes:
        lines.append(f"class {name}:\n    def __init__(self, *args, **kwargs):\n")
        lines.append(textwrap.indent("pass\n", " " * 8))
        lines.append(f"    def __call__(self, *args, **kwargs):\n        {body}\n")
        lines.append(
            "    def __getattr__(self, name):\n"
            "        if name.startswith('__'):\n            raise AttributeError(name)\n"
            f"        def method(*args, **kwargs):\n            {body}\n        return method\n"
        )
    if value is None:
        return "".join(lines)
    found = bindings(source)
    others = sorted(found.bound - found.imported - set(functions) - set(classes))
    return "".join([*lines, *(f"{name} = {value}\n" for name in others)])


def _defined(source: str) -> tuple[list[str], list[str]]:
    """Names of the functions and of the classes that a cell defines at its top."""
    try:
        body = ast.parse(plain_python(source)).body
    except (SyntaxError, ValueError, RecursionError):
        return [], []
    functions = [
        node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    functions += [
        target.id
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    classes = [node.name for node in body if isinstance(node, ast.ClassDef)]
    return list(dict.fromkeys(functions)), list(dict.fromkeys(classes))
