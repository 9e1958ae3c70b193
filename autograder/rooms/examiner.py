"""The examiner's end of the link: asks for the student's names, and gives stand-ins for them."""

import contextlib
import itertools
import socket
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder import wire
from autograder.checks.limits import TimeLimitError, held, seconds_left
from autograder.rooms import models, standins
from autograder.rooms.errors import StudentError, describe_error, rebuild_error
from autograder.rooms.link import Link, LinkLost

GRACE = 2.0  # seconds beyond its time limit in which an answer may still arrive
MAX_STANDINS = 50_000  # of one test cell
MAX_NESTING = 16  # calls within calls of callbacks
_MAX_TEXT = 2_000

_numbers = itertools.count(1)  # of callbacks: none is ever used twice


class StudentRoom:
    """The student's room as test cells see it.

    Parameters
    ----------
    connection : socket.socket
        The examiner's end of the link.
    seconds : float
        How long a call may take where no check with a time limit of its own is running.

    Attributes
    ----------
    lost : str
        Why the student's room cannot be asked any more; empty while it can. It needs a fresh
        kernel then, and a new link.

    Notes
    -----
    What the student's room sends may be anything. It becomes plain data, stand-ins, Keras models
    of built-in layers, and built-in exceptions; whatever else arrives is a
    :class:`~autograder.wire.WireError`.
    """

    def __init__(self, connection: socket.socket, *, seconds: float = 60) -> None:
        self._link = Link(connection)
        self.seconds = seconds
        self._lock = threading.RLock()
        self._requests = itertools.count(1)
        self._parents = [0]  # callbacks that are running, the innermost last
        self._released: list[int] = []
        self._standins: dict[int, Any] = {}
        self._busy_until = 0.0

    @property
    def lost(self) -> str:
        """Why the student's room cannot be asked any more; empty while it can."""
        return self._link.lost

    def bind(self, names: list[str]) -> dict[str, Any]:
        """Fetch values for names.

        Parameters
        ----------
        names : list of str
            Names in the student's notebook.

        Returns
        -------
        dict of str to Any
            Data, copied as they are now, and stand-ins. A name that is not defined is missing, so
            that using it raises a ``NameError``. What cannot cross is an object that says why,
            whatever is done with it.

        Raises
        ------
        LinkLost
            If the student's room is gone, or does not answer in time.
        """
        try:
            answer = self.ask("fetch", list(names))
        except TimeLimitError:
            raise LinkLost(self.lost or "the student's values took too long to fetch") from None
        bound = {}
        if type(answer) is not list:
            raise wire.WireError("names without values")
        for entry in answer:
            match entry:
                case [str(name), bytes(data), _] if name in names:
                    try:
                        bound[name] = wire.decode(data, foreign=lambda given: self._take(given, {}))
                    except wire.WireError as error:
                        bound[name] = standins.make_refused(f"{name} cannot be used: {error}")
                case [str(name), None, str(reason)] if name in names:
                    text = reason[:_MAX_TEXT]
                    bound[name] = standins.make_refused(f"{name} cannot be used: {text}")
                case _:
                    raise wire.WireError("a name that nobody asked for")
        return bound

    def end(self) -> None:
        """End the test cell: the student's room forgets what it gave, and may go on."""
        with self._lock:
            self._standins.clear()
            self._released.clear()
            if not self.lost:
                with held(), contextlib.suppress(LinkLost):  # `lost` says so
                    self._send(["end"], time.monotonic() + GRACE)

    def close(self) -> None:
        """Close the link for good."""
        self._link.close()

    def release(self, handle: int) -> None:
        """Forget an object of the student's room, with the next question."""
        self._released.append(handle)

    # ------------------------------------------------------------ asking

    def ask(self, operation: str, *parts: Any, within: dict[int, Any] | None = None) -> Any:
        """Carry out an operation in the student's room.

        Parameters
        ----------
        operation : str
            One of those that :class:`autograder.rooms.student.StudentEnd` knows.
        *parts : Any
            Its operands: data, stand-ins, models; functions become callbacks.
        within : dict, optional
            Callbacks, offered earlier, that may be called back as well.

        Returns
        -------
        Any
            Plain data, or stand-ins.

        Raises
        ------
        Exception
            Built-in exceptions that the student's code raised.
        StudentError
            For what is no built-in exception, and for results that cannot cross.
        WireError
            If an operand cannot cross, or if the answer is none.
        TimeLimitError
            If it takes too long.
        LinkLost
            If the student's room is gone.
        """
        if self.lost:
            raise LinkLost(self.lost)
        left = seconds_left()
        if left is not None and left <= 0:
            raise TimeLimitError
        seconds = self.seconds if left is None else left
        with self._lock:
            offered = dict(within or {})
            body = wire.encode(list(parts), unknown=lambda value: self._give(value, offered))
            number = next(self._requests)
            released, self._released = self._released, []
            message = ["ask", number, self._parents[-1], operation, seconds, released, body]
            with held():
                status, data = self._exchange(number, message, seconds, offered)
        return self._result(status, data, offered)

    def _exchange(
        self, number: int, message: list[Any], seconds: float, offered: dict[int, Any]
    ) -> tuple[str, bytes]:
        # What was asked before, and given up, may keep the student's room busy for a while.
        start = max(time.monotonic(), self._busy_until if len(self._parents) == 1 else 0.0)
        deadline = start + seconds + GRACE
        try:
            self._send(message, deadline)
            while True:
                frame = self._link.receive(deadline)
                # Old answers may arrive for ever, so that there is always one.
                if frame is None or time.monotonic() > deadline:
                    self._link.close(f"the student's code did not stop after {seconds:g} s")
                    raise TimeLimitError
                match wire.decode(frame):
                    case ["reply", int(replied), str(status), bytes(data)] if replied == number:
                        return status, data
                    case ["callback", int(asked), int(serial), int(which), bytes(data)] if (
                        asked == number
                    ):
                        self._call_back(serial, offered.get(which), data, offered, deadline)
                    case ["reply" | "callback", int(old), *_] if 0 <= old < number:
                        continue  # to a question that was given up
                    case _:
                        raise wire.WireError("the student's room sent what is no answer")
        except LinkLost:
            raise
        except BaseException:
            self._busy_until = deadline - GRACE
            raise

    def _send(self, message: list[Any], deadline: float) -> None:
        self._link.send(wire.encode(message), deadline)

    def _result(self, status: str, data: bytes, offered: dict[int, Any]) -> Any:
        if status == "ok":
            return wire.decode(data, foreign=lambda given: self._take(given, offered))
        if status == "time":
            raise TimeLimitError
        told = wire.decode(data)
        if status == "refused":
            text = told[:_MAX_TEXT] if type(told) is str else "it is no data"
            raise StudentError(f"the result cannot be given to a check: {text}")
        known = told.get("class") if type(told) is dict else None
        own = self._standins.get(known) if type(known) is int else None
        is_error = isinstance(own, type) and issubclass(own, Exception)
        raise rebuild_error(told, own if is_error else None)

    def _call_back(
        self,
        serial: int,
        function: Callable[..., Any] | None,
        data: bytes,
        offered: dict[int, Any],
        deadline: float,
    ) -> None:
        """Run a function of the examiner's for the student's code, and send the result."""
        self._parents.append(serial)
        try:
            with held(False):
                if function is None:
                    raise RuntimeError("this function can only be called while it is lent")
                if len(self._parents) > MAX_NESTING:
                    raise RecursionError(f"more than {MAX_NESTING} calls within calls")
                match wire.decode(data, foreign=lambda given: self._take(given, offered)):
                    case [list(args), dict(kwargs)]:
                        result = function(*args, **kwargs)
                    case _:
                        raise wire.WireError("a call without arguments")
                body = wire.encode(result, unknown=lambda value: self._give(value, offered))
                good = True
        except LinkLost:
            raise
        except Exception as error:
            body, good = wire.encode(describe_error(error)), False
        finally:
            self._parents.pop()
        self._send(["answer", serial, good, body], deadline)

    # ------------------------------------------------------------ what goes out

    def _give(self, value: Any, offered: dict[int, Any]) -> dict[str, Any]:
        """Describe what is no data: a stand-in, a model, something of a library, a function."""
        if type(value) is standins.Place:
            return {"kind": "handle", "handle": value.handle}
        place = standins.place_of(value) or models.place_of(value)
        if place is not None:
            if place.opaque or place.room is not self:
                raise wire.WireError(place.opaque or "an object of another submission")
            offered.update(place.within)
            return {"kind": "handle", "handle": place.handle}
        described = models.describe(value)
        if described is not None:
            if described["kind"] == "promise":
                raise wire.WireError(
                    f"the model cannot be given to the student's code ({described['reason']})"
                )
            return described
        if isinstance(value, types.ModuleType):
            return {"kind": "module", "module": value.__name__}
        if isinstance(value, np.random.Generator):
            source = value.bit_generator
            name = type(source).__name__
            return {"kind": "generator", "source": name, "state": source.state}
        library = _importable(value)
        if library is not None:
            return {"kind": "library", "module": library[0], "name": library[1]}
        number = next(_numbers)
        if isinstance(value, Iterator):
            offered[number] = lambda: _following(value)
            return {"kind": "iterator", "number": number}
        if callable(value) and not isinstance(value, type):
            offered[number] = value
            name = getattr(value, "__name__", "function")
            return {"kind": "callback", "number": number, "name": str(name)}
        raise wire.WireError(
            f"an object of the class {type(value).__name__} cannot be given to the student's code: "
            "give data, an array, a model or a function"
        )

    # ------------------------------------------------------------ what comes in

    def _take(self, given: Any, offered: dict[int, Any]) -> Any:
        """Make what the student's room describes."""
        if type(given) is not dict or type(given.get("kind")) is not str:
            raise wire.WireError("an object without a description")
        kind = given["kind"]
        if kind == "callback":
            if given.get("number") not in offered:
                raise wire.WireError("a function that nobody lent")
            return offered[given["number"]]
        if kind == "function":
            return self._once(given, lambda: standins.make_function(self, given, offered))
        if kind == "class":
            return self._once(given, lambda: standins.make_class(self, given, offered))
        if kind == "iterator":
            return self._once(given, lambda: standins.make_iterator(self, given, offered))
        if kind == "object":
            return self._once(given, lambda: self._object(given, offered))
        if kind == "promise":
            place = standins.Place(self, standins.number_of(given), offered)
            return self._once(given, lambda: models.promised_model(place, given))
        return models.rebuild(given)

    def _object(self, given: dict[str, Any], offered: dict[int, Any]) -> Any:
        described = given.get("class")
        if type(described) is not dict:
            raise wire.WireError("an object without a class")
        kind = self._once(described, lambda: standins.make_class(self, described, offered))
        if type(kind) is not type(standins.RemoteObject):
            kind = standins.RemoteObject  # an exception, as an object
        return standins.make_object(self, kind, given, offered)

    def _once(self, given: dict[str, Any], make: Callable[[], Any]) -> Any:
        """One object has one stand-in, as long as the test cell runs."""
        number = standins.number_of(given)
        if number not in self._standins:
            if len(self._standins) >= MAX_STANDINS:
                raise wire.WireError(f"more than {MAX_STANDINS:,} objects in one test cell")
            self._standins[number] = make()
        return self._standins[number]


def _following(iterator: Iterator[Any]) -> list[Any]:
    for item in iterator:
        return [True, item]
    return [False, None]


def _importable(value: Any) -> tuple[str, str] | None:
    """Return module and name under which the student's room finds the same function or class."""
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if type(module) is not str or type(name) is not str or module.startswith(("__main__", "_")):
        return None
    found: Any = sys.modules.get(module)
    # A module that was made here, without a file to import, is not found there.
    if getattr(found, "__spec__", None) is None:
        return None
    for part in name.split("."):
        found = getattr(found, part, None)
    return (module, name) if found is value else None
