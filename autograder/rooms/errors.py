"""Exceptions of a student's code: described in one room, raised in the other."""

import builtins
from typing import Any

_PLAIN = (str, int, float, bool, bytes, type(None))
_MAX_TEXT = 2_000
_MAX_ARGUMENTS = 6

# An iterator that ends in the wrong place would make `all(map(f, cases))` true.
_UNSAFE = (StopIteration, StopAsyncIteration)
_ERRORS: dict[str, type[Exception]] = {
    name: item
    for name, item in vars(builtins).items()
    if isinstance(item, type) and issubclass(item, Exception) and not issubclass(item, _UNSAFE)
}
_NAMES = {error: name for name, error in _ERRORS.items() if name == error.__name__}


class StudentError(RuntimeError):
    """The student's code ended in a way that no built-in exception can tell."""


def nearest_error(kind: type) -> str:
    """Name the nearest built-in ``Exception`` that a class extends; empty where there is none."""
    if not issubclass(kind, Exception) or issubclass(kind, _UNSAFE):
        return ""
    return next((_NAMES[base] for base in kind.__mro__ if base in _NAMES), "")


def error_class(name: Any) -> type[Exception] | None:
    """Return the built-in exception of that name; None for what is no name of one."""
    return _ERRORS.get(name) if type(name) is str else None


def describe_error(error: BaseException) -> dict[str, Any]:
    """Describe an exception as data, in the student's room.

    Returns
    -------
    dict
        ``error`` is the nearest built-in class (empty where that is no ``Exception``), ``name``
        the class itself, ``text`` what it says, ``args`` its arguments where they are plain,
        ``about`` the name that a ``NameError`` or ``AttributeError`` is about.
    """
    kind = type(error)
    try:
        text = str(error)[:_MAX_TEXT]
    except BaseException:
        text = ""
    arguments = BaseException.args.__get__(error)
    plain = len(arguments) <= _MAX_ARGUMENTS and all(
        type(item) in _PLAIN and len(repr(item)) < _MAX_TEXT for item in arguments
    )
    about = getattr(error, "name", None) if issubclass(kind, NameError | AttributeError) else None
    return {
        "error": nearest_error(kind),
        "name": kind.__name__[:100],
        "text": text,
        "args": list(arguments) if plain else None,
        "about": about[:100] if type(about) is str else None,
    }


def rebuild_error(given: Any, known: type[Exception] | None = None) -> Exception:
    """Make an exception from its description, in the examiner's room; trust nothing about it.

    Parameters
    ----------
    given : Any
        What :func:`describe_error` gave.
    known : type, optional
        The class to use: a stand-in of the student's own.

    Returns
    -------
    Exception
        A built-in one, or a :class:`StudentError`.
    """
    if type(given) is not dict:
        return StudentError("the answer failed, and did not say how")
    name, text = _text(given.get("name")), _text(given.get("text"))
    told = f"{name}: {text}" if text else name or "an error"
    arguments = given.get("args")
    kind = known or error_class(given.get("error"))
    if kind is None:
        return StudentError(told)
    if kind is Exception and name != "Exception":
        return Exception(told)
    if type(arguments) is not list or not all(type(item) in _PLAIN for item in arguments):
        arguments = [text]
    try:
        error = kind(*arguments[:_MAX_ARGUMENTS])
        if isinstance(error, NameError | AttributeError):
            error.name = _text(given.get("about")) or None
        str(error)
    except Exception:
        return StudentError(told)
    return error


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if type(value) is str else ""
