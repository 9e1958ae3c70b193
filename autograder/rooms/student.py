"""The student's end of the link: answers requests while a test cell runs elsewhere.

Whatever happens here, the student's own code may have caused it: nothing in this room is trusted
by the other one. This end only tries to serve honest code well.
"""

import collections
import contextlib
import functools
import importlib
import inspect
import io
import itertools
import operator
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import numpy as np

from autograder import wire
from autograder.rooms import models
from autograder.rooms.errors import describe_error, nearest_error, rebuild_error
from autograder.rooms.link import Link, LinkLost

MAX_OBJECTS = 50_000  # stand-ins that one test cell may ask for
MAX_NESTING = 16  # calls within calls of callbacks
_MAX_TEXT = 10_000
_MAX_PARAMETERS = 100

# Numbers go on from test cell to test cell, so that an old stand-in never means a new object.
_numbers = itertools.count(1)

_FUNCTIONS = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    np.ufunc,
)
_OPAQUE = (
    types.ModuleType,
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.MappingProxyType,
    types.CellType,
    io.IOBase,
    socket.socket,
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Thread,
)
_OPERATOR_NAMES = (
    "add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift eq ne lt le gt ge neg "
    "pos invert"
)
_OPERATORS = {name: getattr(operator, name) for name in _OPERATOR_NAMES.split()}


class _TimeUp(BaseException):
    """The request has taken as long as it may."""


class _Abandoned(BaseException):
    """The examiner does not wait for this answer any more."""


class _Ready:
    """A description that needs no more describing."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description


def serve(connection: socket.socket | int, namespace: MutableMapping[str, Any]) -> None:
    """Answer requests until the examiner ends the test cell or closes the link.

    Parameters
    ----------
    connection : socket.socket or int
        The student's end of the link, or its file descriptor, which stays open.
    namespace : dict
        Where the student's names are looked up.
    """
    if isinstance(connection, int):
        connection = socket.socket(fileno=connection)
        try:
            StudentEnd(Link(connection), namespace).serve()
        finally:
            with contextlib.suppress(OSError):
                connection.detach()
    else:
        StudentEnd(Link(connection), namespace).serve()


class StudentEnd:
    """Answers the requests of one test cell.

    Parameters
    ----------
    link : Link
        The link to the examiner.
    namespace : dict
        Where names are looked up.
    """

    def __init__(self, link: Link, namespace: MutableMapping[str, Any]) -> None:
        self._link = link
        self._namespace = namespace
        self._objects: dict[int, Any] = {}
        self._known: dict[int, int] = {}  # id of an object → its number
        self._pending: collections.deque[list[Any]] = collections.deque()
        self._nesting = 0
        self._request = 0
        self._serials = itertools.count(1)
        self._operations: dict[str, Callable[..., Any]] = {
            "fetch": self._fetch,
            "call": lambda function, args, kwargs: function(*args, **kwargs),
            "in-place": self._call_in_place,
            "get": getattr,
            "set": setattr,
            "item": operator.getitem,
            "set-item": operator.setitem,
            "delete-item": operator.delitem,
            "contains": operator.contains,
            "length": len,
            "iterate": iter,
            "next": self._next,
            "enter": lambda value: type(value).__enter__(value),
            "exit": lambda value: type(value).__exit__(value, None, None, None),
            "text": lambda kind, value: {"str": str, "repr": repr}[kind](value),
            "operator": lambda name, *values: _OPERATORS[name](*values),
            "flatten": lambda model, shapes: _Ready(models.flattened(model, shapes)),
            "predict": lambda model, inputs: model.predict(inputs, verbose=0),
            "count": lambda model: model.count_params(),
        }

    def serve(self) -> None:
        """Answer requests until the examiner ends the test cell or the link is closed."""
        while True:
            try:
                message = self._receive()
                if message[0] == "end":
                    return
                if message[0] == "ask":
                    self._answer(*message[1:])
            except LinkLost:
                return
            except BaseException:  # an interrupt, or something the student left behind
                continue

    # ------------------------------------------------------------ requests

    def _receive(self) -> list[Any]:
        if self._pending:
            return self._pending.popleft()
        return wire.decode(self._link.receive())

    def _answer(
        self,
        number: int,
        parent: int,
        operation: str,
        seconds: float,
        released: list[int],
        payload: bytes,
    ) -> None:
        for handle in released:
            self._release(handle)
        outer = self._request
        self._request, self._nesting = number, self._nesting + 1
        try:
            status, value = self._carry_out(operation, seconds, payload)
        finally:
            self._request, self._nesting = outer, self._nesting - 1
        self._link.send(wire.encode(["reply", number, status, value]))

    def _carry_out(self, operation: str, seconds: float, payload: bytes) -> tuple[str, bytes]:
        """Return how it went, and the encoded result."""
        try:
            try:
                if self._nesting > MAX_NESTING:
                    raise RecursionError(f"more than {MAX_NESTING} calls within calls")
                with _silence(), _alarm(seconds):
                    parts = wire.decode(payload, foreign=self._take)
                    value = self._operations[operation](*parts)
                    return "ok", self._encode(value)
            except _Abandoned:
                raise
            except _TimeUp:
                return "time", wire.encode(None)
            except wire.WireError as error:
                return "refused", wire.encode(str(error)[:_MAX_TEXT])
            except BaseException as error:
                description = describe_error(error)
                description["class"] = self._known.get(id(type(error)), 0)
                return "raised", wire.encode(description)
        except _Abandoned:
            raise
        except BaseException:  # a late alarm, or an exception that lies about itself
            return "time", wire.encode(None)

    def _encode(self, value: Any) -> bytes:
        return wire.encode(value, unknown=self._give)

    def _fetch(self, names: list[str]) -> list[list[Any]]:
        """Encode each name by itself: one that cannot cross does not spoil the others."""
        found = []
        for name in names:
            if name not in self._namespace:
                continue
            try:
                found.append([name, self._encode(self._namespace[name]), ""])
            except Exception as error:
                found.append([name, None, f"{error}"[:_MAX_TEXT]])
        return found

    def _call_in_place(
        self, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> tuple[Any, tuple[Any, ...]]:
        return function(*args, **kwargs), tuple(args)

    def _next(self, iterator: Iterator[Any], sent: Any) -> list[Any]:
        try:
            if sent is not None:
                return [True, iterator.send(sent)]
            return [True, next(iterator)]
        except StopIteration as end:
            return [False, end.value]

    def _release(self, handle: int) -> None:
        value = self._objects.pop(handle, None)
        self._known.pop(id(value), None)
        if isinstance(value, types.GeneratorType):
            with contextlib.suppress(Exception), _silence(), _alarm(1):
                value.close()

    # ------------------------------------------------------------ what goes out

    def _handle(self, value: Any) -> int:
        known = self._known.get(id(value))
        if known is not None:
            return known
        if len(self._objects) >= MAX_OBJECTS:
            raise wire.WireError(f"more than {MAX_OBJECTS:,} objects in one test cell")
        handle = next(_numbers)
        self._objects[handle] = value
        self._known[id(value)] = handle
        return handle

    def _give(self, value: Any) -> dict[str, Any]:
        """Describe an object that is no data."""
        kind = type(value)
        if kind is _Ready:
            return value.description
        if issubclass(kind, type):
            return self._class(value)
        if kind is types.FunctionType and type(getattr(value, "examiners", None)) is int:
            return {"kind": "callback", "number": value.examiners}
        described = models.describe(value)
        if described is not None:
            if described["kind"] == "promise":
                described["handle"] = self._handle(value)
            return described
        if issubclass(kind, _OPAQUE):
            reason = f"an object of the class {kind.__name__} cannot be given to a check"
            return self._object(value) | {"opaque": reason}
        if hasattr(kind, "__next__"):
            return {"kind": "iterator", "handle": self._handle(value)}
        if _is_function(value, kind):
            return {
                "kind": "function",
                "handle": self._handle(value),
                "name": _text(getattr(value, "__name__", "")) or kind.__name__,
                "qualname": _text(getattr(value, "__qualname__", "")),
                "doc": _text(getattr(value, "__doc__", None)),
                "signature": _signature(value),
            }
        return self._object(value)

    def _object(self, value: Any) -> dict[str, Any]:
        return {
            "kind": "object",
            "handle": self._handle(value),
            "class": self._class(type(value)),
            "callable": callable(value),
            "opaque": "",
        }

    def _class(self, value: type) -> dict[str, Any]:
        bases = [base for base in type.mro(value)[1:] if base.__module__ != "builtins"]
        return {
            "kind": "class",
            "handle": self._handle(value),
            "name": _text(value.__name__)[:100],
            "doc": _text(value.__doc__),
            "bases": [self._handle(base) for base in bases[:50]],
            "error": nearest_error(value),
            "signature": _signature(value),
        }

    # ------------------------------------------------------------ what comes in

    def _take(self, given: dict[str, Any]) -> Any:
        """Return the object that the examiner describes."""
        kind = given["kind"]
        if kind == "handle":
            if given["handle"] not in self._objects:
                raise wire.WireError("an object of an earlier test cell")
            return self._objects[given["handle"]]
        if kind == "callback":
            return self._callback(given["number"], given["name"])
        if kind == "iterator":
            return self._items(self._callback(given["number"], "next"))
        if kind == "module":
            return importlib.import_module(given["module"])
        if kind == "library":
            found = importlib.import_module(given["module"])
            return operator.attrgetter(given["name"])(found)
        if kind == "generator":
            source = getattr(np.random, given["source"])()
            source.state = given["state"]
            return np.random.Generator(source)
        return models.rebuild(given)

    def _callback(self, number: int, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            serial = next(self._serials)
            body = self._encode([list(args), kwargs])
            self._link.send(wire.encode(["callback", self._request, serial, number, body]))
            while True:
                message = self._receive()
                if message[0] == "answer" and message[1] == serial:
                    break
                if message[0] == "ask" and message[2] == serial:
                    self._answer(*message[1:])
                elif message[0] != "answer":
                    self._pending.append(message)
                    raise _Abandoned
            _, _, good, value = message
            if good:
                return wire.decode(value, foreign=self._take)
            raise rebuild_error(wire.decode(value))

        call.__name__ = call.__qualname__ = name
        call.examiners = number
        return call

    @staticmethod
    def _items(following: Callable[[], Any]) -> Iterator[Any]:
        while True:
            more, item = following()
            if not more:
                return
            yield item


def _is_function(value: Any, kind: type) -> bool:
    if issubclass(kind, _FUNCTIONS):
        return True
    # A cached function, a compiled tf.function, functools.partial; not an object with `__call__`.
    named = hasattr(value, "__wrapped__") or hasattr(value, "__name__")
    return callable(value) and (named or kind is functools.partial)


def _text(value: Any) -> str:
    return str.__str__(value)[:_MAX_TEXT] if isinstance(value, str) else ""


def _signature(value: Any) -> list[Any] | None:
    """Describe the parameters (name, kind, default if it can cross, annotation) and the result."""
    try:
        signature = inspect.signature(value)
    except (ValueError, TypeError):
        return None
    described = []
    for parameter in list(signature.parameters.values())[:_MAX_PARAMETERS]:
        default, shown = parameter.default, None
        if default is not parameter.empty:
            try:
                wire.encode(default, limits=wire.Limits(message=10_000))
                shown = [default]
            except wire.WireError:
                shown = []
        annotation = _annotation(parameter.annotation)
        described.append([parameter.name, int(parameter.kind), shown, annotation])
    return [described, _annotation(signature.return_annotation)]


def _annotation(value: Any) -> str:
    return "" if value is inspect.Signature.empty else inspect.formatannotation(value)[:200]


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise :class:`_TimeUp` in the body after `seconds`, and each second from then on."""
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def expire(signum: int, frame: Any) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, expire)
    outer, _ = signal.getitimer(signal.ITIMER_REAL)
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if outer:
            left = max(outer - (time.monotonic() - start), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, 1)


class _Nowhere(io.TextIOBase):
    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drop what is printed or displayed in the body: it could echo hidden inputs."""
    shell = _shell()
    display = getattr(shell, "display_pub", None)
    if display is not None:
        shell.display_pub = _no_display()
    try:
        with contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
            yield
    finally:
        if display is not None:
            shell.display_pub = display


def _shell() -> Any:
    interactive = sys.modules.get("IPython.core.interactiveshell")
    shell = getattr(interactive, "InteractiveShell", None)
    return shell.instance() if shell is not None and shell.initialized() else None


@functools.cache
def _no_display() -> Any:
    from IPython.core.displaypub import DisplayPublisher

    class NoDisplay(DisplayPublisher):
        def publish(self, *args: Any, **kwargs: Any) -> None:
            pass

        def clear_output(self, wait: bool = False) -> None:
            pass

    return NoDisplay()
