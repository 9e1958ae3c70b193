"""What test cells hold in place of a student's objects.

A function becomes a Python function, a class a class, an object a :class:`RemoteObject`. What they
give is fetched from the student's room when it is asked for: plain data, or further stand-ins.

An object must not earn a point by what it claims to be. So it is neither true nor false, equals no
data, and is no number and no array; only what its methods return is.
"""

import inspect
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from autograder.rooms.errors import error_class
from autograder.wire import WireError

_MAX_NAME = 100
_MAX_TEXT = 10_000
_FILE = "<the student's kernel>"


class Room(Protocol):
    """What a stand-in asks."""

    def ask(self, operation: str, *parts: Any, within: dict[int, Any] | None = None) -> Any:
        """Carry out an operation in the student's room and return its result."""

    def release(self, handle: int) -> None:
        """Forget an object of the student's room, with the next question."""


class Place:
    """Where the object is that a stand-in stands for."""

    __slots__ = ("bases", "handle", "name", "opaque", "room", "within")

    def __init__(self, room: Room, handle: int, within: dict[int, Any], name: str = "") -> None:
        self.room = room
        self.handle = handle
        self.within = within  # the examiner's functions that the object may hold on to
        self.name = name
        self.bases: frozenset[int] = frozenset()
        self.opaque = ""

    def ask(self, operation: str, *parts: Any) -> Any:
        """Carry out an operation where the object is."""
        if self.opaque:
            raise TypeError(self.opaque)
        return self.room.ask(operation, *parts, within=self.within)


# Beside the stand-ins, not in them: their attributes belong to the student's objects.
_places: "weakref.WeakKeyDictionary[Any, Place]" = weakref.WeakKeyDictionary()


def place_of(value: Any) -> Place | None:
    """Return the place of a stand-in; None for everything else."""
    kind = type(value)
    if issubclass(kind, RemoteObject):
        return object.__getattribute__(value, "_autograder_place")
    if kind in (types.FunctionType, types.GeneratorType) or issubclass(kind, type):
        return _places.get(value)
    return None


def _refuse(value: "RemoteObject", wanted: str) -> TypeError:
    place = place_of(value)
    return TypeError(
        place.opaque
        or f"an object of the class {place.name} is not {wanted}: return a number, a text, a list "
        "or an array instead"
    )


def _no(wanted: str) -> Callable[..., Any]:
    def refused(self: "RemoteObject", *args: Any) -> Any:
        raise _refuse(self, wanted)

    return refused


def _comparison(name: str, words: str) -> Callable[["RemoteObject", Any], bool]:
    def compare(self: "RemoteObject", other: Any) -> bool:
        if not isinstance(other, RemoteObject):
            raise _refuse(self, words)
        result = place_of(self).ask("operator", name, self, other)
        if type(result) is not bool:
            raise TypeError(f"a comparison of two objects gave {type(result).__name__}, not bool")
        return result

    return compare


def _arithmetic(name: str, reflected: bool = False) -> Callable[["RemoteObject", Any], Any]:
    def compute(self: "RemoteObject", other: Any) -> Any:
        both = (other, self) if reflected else (self, other)
        result = place_of(self).ask("operator", name, *both)
        # `abs(answer - 5) < 0.1` must not be true because the object says so.
        if not isinstance(other, RemoteObject) and not isinstance(result, RemoteObject):
            raise _refuse(self, "a number")
        return result

    return compute


class _RemoteClass(type):
    """Class of the classes that stand for a student's classes."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> "_RemoteClass":
        if any(base in _places for base in bases):
            raise TypeError("a class of the student's cannot be extended here")
        return super().__new__(cls, name, bases, body)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        place = _places.get(cls)
        if place is None:
            return super().__call__(*args, **kwargs)
        return place.ask("call", cls, list(args), kwargs)

    def __getattr__(cls, name: str) -> Any:
        place = _places.get(cls)
        if place is None or _private(name):
            raise AttributeError(f"the class has no attribute {name!r} here")
        return place.ask("get", cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        place = _places.get(cls)
        if place is None or _private(name):
            super().__setattr__(name, value)
        else:
            place.ask("set", cls, name, value)

    @property
    def __signature__(cls) -> inspect.Signature:
        place = _places.get(cls)
        found = None if place is None else _signatures.get(cls)
        if found is None:
            raise AttributeError("__signature__")
        return found

    def __instancecheck__(cls, value: Any) -> bool:
        place = _places.get(cls)
        if place is None or not issubclass(type(value), RemoteObject):
            return type.__instancecheck__(cls, value)
        return cls.__subclasscheck__(type(value))

    def __subclasscheck__(cls, kind: type) -> bool:
        own, place = _places.get(cls), _places.get(kind) if isinstance(kind, type) else None
        if own is None or place is None:
            return type.__subclasscheck__(cls, kind)
        return own.room is place.room and own.handle in (place.handle, *place.bases)


class RemoteObject(metaclass=_RemoteClass):
    """An object in the student's room.

    Attributes and items are read there, methods are run there. With ``str`` and ``repr`` it says
    what the student's class says. It cannot be used as a truth value, a number or an array.
    """

    __slots__ = ("__weakref__", "_autograder_place")
    __array_ufunc__ = None

    def __getattr__(self, name: str) -> Any:
        if _private(name):
            raise AttributeError(f"the attribute {name!r} cannot be read here")
        return place_of(self).ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if _private(name):
            raise AttributeError(f"the attribute {name!r} cannot be set here")
        place_of(self).ask("set", self, name, value)

    def __len__(self) -> int:
        return _whole(place_of(self).ask("length", self))

    def __getitem__(self, key: Any) -> Any:
        return place_of(self).ask("item", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        place_of(self).ask("set-item", self, key, value)

    def __delitem__(self, key: Any) -> None:
        place_of(self).ask("delete-item", self, key)

    def __contains__(self, item: Any) -> bool:
        found = place_of(self).ask("contains", self, item)
        if type(found) is not bool:
            raise TypeError("`in` gave something that is neither True nor False")
        return found

    def __iter__(self) -> Iterator[Any]:
        found = place_of(self).ask("iterate", self)
        if not isinstance(found, types.GeneratorType):
            raise TypeError("the object gave no iterator")
        return found

    def __enter__(self) -> Any:
        return place_of(self).ask("enter", self)

    def __exit__(self, *error: Any) -> None:
        # What it returns is not believed: it could make an error of the test cell disappear.
        place_of(self).ask("exit", self)

    def __str__(self) -> str:
        return _shown(self, "str")

    def __repr__(self) -> str:
        return _shown(self, "repr")

    def __format__(self, form: str) -> str:
        return format(str(self), form)

    __hash__ = object.__hash__
    __bool__ = _no("a truth value")
    __int__ = __index__ = __float__ = __complex__ = _no("a number")
    __abs__ = __round__ = __trunc__ = __floor__ = __ceil__ = _no("a number")
    __array__ = _no("an array")
    __copy__ = __deepcopy__ = __reduce_ex__ = __reduce__ = _no("something to copy")

    __eq__ = _comparison("eq", "to be compared with anything but another object of the answer")
    __ne__ = _comparison("ne", "to be compared with anything but another object of the answer")
    __lt__ = _comparison("lt", "to be compared with anything but another object of the answer")
    __le__ = _comparison("le", "to be compared with anything but another object of the answer")
    __gt__ = _comparison("gt", "to be compared with anything but another object of the answer")
    __ge__ = _comparison("ge", "to be compared with anything but another object of the answer")

    __add__, __radd__ = _arithmetic("add"), _arithmetic("add", True)
    __sub__, __rsub__ = _arithmetic("sub"), _arithmetic("sub", True)
    __mul__, __rmul__ = _arithmetic("mul"), _arithmetic("mul", True)
    __truediv__, __rtruediv__ = _arithmetic("truediv"), _arithmetic("truediv", True)
    __floordiv__, __rfloordiv__ = _arithmetic("floordiv"), _arithmetic("floordiv", True)
    __mod__, __rmod__ = _arithmetic("mod"), _arithmetic("mod", True)
    __pow__, __rpow__ = _arithmetic("pow"), _arithmetic("pow", True)
    __matmul__, __rmatmul__ = _arithmetic("matmul"), _arithmetic("matmul", True)
    __and__, __rand__ = _arithmetic("and_"), _arithmetic("and_", True)
    __or__, __ror__ = _arithmetic("or_"), _arithmetic("or_", True)
    __xor__, __rxor__ = _arithmetic("xor"), _arithmetic("xor", True)

    def __neg__(self) -> Any:
        return _object(self, place_of(self).ask("operator", "neg", self))

    def __pos__(self) -> Any:
        return _object(self, place_of(self).ask("operator", "pos", self))

    def __invert__(self) -> Any:
        return _object(self, place_of(self).ask("operator", "invert", self))


class RemoteCallable(RemoteObject):
    """An object in the student's room that can be called."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object where it is."""
        return place_of(self).ask("call", self, list(args), kwargs)


def _object(value: RemoteObject, result: Any) -> RemoteObject:
    if not isinstance(result, RemoteObject):
        raise _refuse(value, "a number")
    return result


def _private(name: str) -> bool:
    """Whether an attribute belongs to Python or IPython rather than to the object."""
    return name.startswith(("_repr_", "_ipython_")) or (
        name.startswith("__") and name.endswith("__")
    )


def _whole(number: Any) -> int:
    if type(number) is not int or not 0 <= number < 2**31:
        raise TypeError("the length of the object is no whole number from 0 upwards")
    return number


def _shown(value: RemoteObject, kind: str) -> str:
    place = place_of(value)
    if place.opaque:
        return f"<{place.opaque}>"
    try:
        text = place.ask("text", kind, value)
    except Exception:
        text = None
    return text[:_MAX_TEXT] if type(text) is str else f"<{place.name} in the student's kernel>"


# ---------------------------------------------------------------- making them

_signatures: "weakref.WeakKeyDictionary[type, inspect.Signature]" = weakref.WeakKeyDictionary()


def make_function(room: Room, given: dict[str, Any], within: dict[int, Any]) -> Callable[..., Any]:
    """Make the stand-in of a function: a Python function with its name, text and signature.

    Its source stays where it is: ``inspect.getsource`` raises ``OSError``.
    """

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        return place.ask("call", stand_in, list(args), kwargs)

    place = Place(room, number_of(given), within, _name(given.get("name")))
    stand_in.__code__ = stand_in.__code__.replace(co_filename=_FILE, co_name=place.name)
    stand_in.__name__ = place.name
    stand_in.__qualname__ = _text(given.get("qualname"))[:_MAX_NAME] or place.name
    stand_in.__doc__ = _text(given.get("doc")) or None
    stand_in.__module__ = "__main__"
    signature = _signature(given.get("signature"))
    if signature is not None:
        stand_in.__signature__ = signature
        stand_in.__annotations__ = {
            name: annotation
            for name, annotation in (
                *((name, item.annotation) for name, item in signature.parameters.items()),
                ("return", signature.return_annotation),
            )
            if annotation is not inspect.Signature.empty
        }
    _places[stand_in] = place
    return stand_in


def make_class(room: Room, given: dict[str, Any], within: dict[int, Any]) -> type:
    """Make the stand-in of a class; that of an exception can be raised and caught."""
    place = Place(room, number_of(given), within, _name(given.get("name")))
    bases = given.get("bases")
    if type(bases) is not list or not all(type(base) is int for base in bases[:50]):
        raise WireError("a class without bases")
    place.bases = frozenset(bases[:50])
    body = {"__doc__": _text(given.get("doc")) or None, "__module__": "__main__"}
    error = error_class(given.get("error"))
    if error is not None:
        made = type(place.name, (error,), body)
    else:
        made = _RemoteClass(place.name, (RemoteObject,), body | {"__slots__": ()})
    signature = _signature(given.get("signature"))
    if signature is not None:
        _signatures[made] = signature
    _places[made] = place
    return made


def make_object(
    room: Room, kind: type, given: dict[str, Any], within: dict[int, Any]
) -> RemoteObject:
    """Make the stand-in of an object whose class's stand-in is `kind`."""
    if given.get("callable") is True:
        kind = _callable_class(kind)
    made = object.__new__(kind)
    place = Place(room, number_of(given), within, kind.__name__)
    place.opaque = _text(given.get("opaque"))
    object.__setattr__(made, "_autograder_place", place)
    return made


def make_refused(reason: str) -> RemoteObject:
    """Make the stand-in of something that could not cross: whatever is done with it, it says so."""
    made = object.__new__(RemoteObject)
    place = Place(None, 0, {}, "object")
    place.opaque = _text(reason) or "the value cannot be given to a check"
    object.__setattr__(made, "_autograder_place", place)
    return made


def make_iterator(room: Room, given: dict[str, Any], within: dict[int, Any]) -> Iterator[Any]:
    """Make the stand-in of an iterator: a generator that fetches item by item."""
    place = Place(room, number_of(given), within, "iterator")

    def items() -> Iterator[Any]:
        sent = None
        try:
            while True:
                answer = place.ask("next", place, sent)
                if type(answer) is not list or len(answer) != 2 or type(answer[0]) is not bool:
                    raise WireError("an iterator that gives neither an item nor an end")
                if not answer[0]:
                    return answer[1]
                sent = yield answer[1]
        finally:
            room.release(place.handle)

    made = items()
    _places[made] = place
    return made


def _callable_class(kind: type) -> type:
    found = _callables.get(kind)
    if found is None:
        body = {"__slots__": (), "__doc__": kind.__doc__, "__module__": "__main__"}
        found = _RemoteClass(kind.__name__, (RemoteCallable,), body)
        _places[found] = _places[kind]
        _callables[kind] = found
    return found


_callables: "weakref.WeakKeyDictionary[type, type]" = weakref.WeakKeyDictionary()


class _Dots:
    """A default that cannot cross."""

    def __repr__(self) -> str:
        return "..."


def _signature(given: Any) -> inspect.Signature | None:
    if given is None:
        return None
    parameters = []
    try:
        described, result = given
        for name, kind, default, annotation in described:
            shown = inspect.Parameter.empty
            if default is not None:
                shown = default[0] if default else _Dots()
            parameters.append(
                inspect.Parameter(
                    _text(name)[:_MAX_NAME],
                    inspect._ParameterKind(kind),
                    default=shown,
                    annotation=_annotation(annotation),
                )
            )
        return inspect.Signature(parameters, return_annotation=_annotation(result))
    except (ValueError, TypeError, IndexError, KeyError):
        raise WireError("a function with a signature that no function has") from None


def _annotation(value: Any) -> Any:
    return _text(value)[:200] or inspect.Signature.empty


def number_of(given: dict[str, Any]) -> int:
    """Return the number by which the student's room knows an object."""
    if type(given.get("handle")) is not int:
        raise WireError("a stand-in without a number")
    return given["handle"]


def _name(value: Any) -> str:
    text = _text(value)[:_MAX_NAME]
    return text if text.isidentifier() or text == "<lambda>" else "object"


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if type(value) is str else ""
