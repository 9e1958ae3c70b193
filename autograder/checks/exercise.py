"""One graded exercise: its checks, their weights, the named mistakes, the score."""

import builtins
import contextlib
import copy
import hashlib
import io
import math
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks import comparison
from autograder.checks.comparison import Difference, one_line
from autograder.checks.limits import TimeLimitError, time_limit
from autograder.checks.models import Layer, layer_table
from autograder.checks.verdicts import (
    AuthorError,
    ExerciseVerdict,
    Finding,
    current_seed,
    expose,
    exposed,
    record,
)

# What a student reads when the mistake is a general one, not one that the author named.
GENERAL_HINTS = {
    "not-attempted": "The cell still raises NotImplementedError: replace that line by your answer.",
    "not-defined": "The name is not defined: run your answer cell first, and check the spelling.",
    "none-returned": "Your answer is None: is a `return` missing?",
    "time-limit": "It ran longer than allowed: look for a loop that never ends.",
    "interrupted": "It was stopped from outside: run the cell again to see every check.",
    "raised": "Your code raised an error: read its last line.",
    "transposed": "Rows and columns look swapped.",
    "wrong-shape": "The shape differs: print `.shape` after each step and compare.",
    "wrong-dtype": "The dtype differs: where were the values converted?",
    "not-finite": "There is a nan or inf: look for a division by zero, a logarithm of zero.",
}

_BUILTIN_ERRORS = {
    id(item): name
    for name, item in vars(builtins).items()
    if isinstance(item, type) and issubclass(item, BaseException)
}

MAX_OUTPUT = 5_000  # characters that the answer of one visible check may print

Compare = Callable[[Any, Any], Difference | None]  # of received and expected
Recognise = Callable[[Any, Any, Any], Difference | None]  # of received, wrong and expected


class _Recorder:
    """The checks an exercise offers; `hidden` decides how much a failed one says."""

    def __init__(self, exercise: "Exercise", *, hidden: bool) -> None:
        self._exercise = exercise
        self._hidden = hidden

    def number(
        self,
        label: str,
        received: Any,
        expected: float,
        *,
        mistakes: Mapping[str, Any] | None = None,
        weight: float = 1,
        rtol: float = 1e-6,
        atol: float = 1e-9,
        allow_non_finite: bool = False,
    ) -> bool:
        """Check a number. See :func:`autograder.checks.comparison.compare_number`.

        Parameters
        ----------
        label : str
            What is checked, in words that help a student.
        received : callable or Any
            The answer, best given as ``lambda: function(…)``, so that an error in it is caught.
        expected : int or float
            What is right (or a function without arguments that computes it).
        mistakes : mapping of str to Any, optional
            Hint id → the answer that this mistake gives (or a function without arguments that
            computes it; it must not call the student's code). Where it is also the right answer, it
            is passed over. All are computed before the answer, whether it is right or wrong, so
            that an error in one shows when the author tries the exercise.
        weight : float
            Share of this check in the points of the exercise.
        rtol, atol : float
            Tolerances.
        allow_non_finite : bool
            Whether nan and inf may be right.

        Returns
        -------
        bool
            Whether the check passed.

        Raises
        ------
        AuthorError
            If the check itself is wrong: a mistake without a hint or with an error in it, a weight
            that is not positive, an expected value that no answer could equal.
        """

        def compare(
            value: Any, right: Any, allow_non_finite: bool = allow_non_finite
        ) -> Difference | None:
            return comparison.compare_number(
                value, right, rtol=rtol, atol=atol, allow_non_finite=allow_non_finite
            )

        def recognise(value: Any, wrong: Any, right: Any) -> Difference | None:
            return compare(value, wrong, allow_non_finite=True)  # nan may well be the mistake

        return self._check(label, received, expected, compare, mistakes, weight, recognise)

    def shape(
        self,
        label: str,
        received: Any,
        expected: tuple[int, ...],
        *,
        mistakes: Mapping[str, Any] | None = None,
        weight: float = 1,
    ) -> bool:
        """Check a shape: a tuple, list, array or ``TensorShape`` of whole numbers."""
        return self._check(label, received, expected, comparison.compare_shape, mistakes, weight)

    def equal(
        self,
        label: str,
        received: Any,
        expected: Any,
        *,
        mistakes: Mapping[str, Any] | None = None,
        weight: float = 1,
    ) -> bool:
        """Check plain data: strings, booleans, numbers, lists, tuples and dicts of them."""
        return self._check(label, received, expected, comparison.compare_equal, mistakes, weight)

    def array(
        self,
        label: str,
        received: Any,
        expected: Any,
        *,
        mistakes: Mapping[str, Any] | None = None,
        weight: float = 1,
        rtol: float = 1e-5,
        atol: float = 1e-6,
        dtype: str | None = None,
        allow_non_finite: bool = False,
    ) -> bool:
        """Check an array: shape, dtype, finiteness and values are told apart.

        `dtype` may name a dtype (``"float32"``) or a kind (``"float"``, ``"int"``); without it any
        numeric dtype will do. The other parameters are those of :meth:`number`.
        """

        def compare(value: Any, right: Any, **changed: Any) -> Difference | None:
            rules = {
                "rtol": rtol,
                "atol": atol,
                "dtype": dtype,
                "allow_non_finite": allow_non_finite,
            }
            return comparison.compare_array(value, right, **(rules | changed))

        def recognise(value: Any, wrong: Any, right: Any) -> Difference | None:
            # A mistake in the values shows in any dtype; one in the dtype alone needs that dtype.
            in_values = compare(wrong, right, dtype=None, allow_non_finite=True)
            needed = None if in_values else str(np.asarray(wrong).dtype)
            return compare(value, wrong, dtype=needed, allow_non_finite=True)

        return self._check(label, received, expected, compare, mistakes, weight, recognise)

    def parameters(
        self,
        label: str,
        model: Any,
        expected: int,
        *,
        input_shape: tuple[int, ...],
        mistakes: Mapping[str, Any] | None = None,
        weight: float = 1,
    ) -> bool:
        """Check how many parameters a Keras model has, once it has seen `input_shape`."""

        def received() -> int:
            built = _value(model)
            layer_table(built, input_shape)  # builds it, and refuses what is no model
            return built.count_params()

        return self._check(label, received, expected, comparison.compare_number, mistakes, weight)

    def layers(
        self,
        label: str,
        model: Any,
        expected: Sequence[Layer] | Any,
        *,
        input_shape: tuple[int, ...],
        mistakes: Mapping[str, Sequence[Layer] | Any] | None = None,
        weight: float = 1,
    ) -> bool:
        """Check the layers of a Keras model: kind, output shape and parameters, in working order.

        `expected` and the values of `mistakes` may be lists of :class:`Layer` or Keras models.
        Functional, sequential and subclassed models are alike (see :func:`layer_table`).
        """

        def table(value: Any) -> list[Layer]:
            value = _value(value)
            if isinstance(value, list | tuple) and all(isinstance(item, Layer) for item in value):
                return list(value)
            return layer_table(value, input_shape)

        # Only the author may write a table down; a student's answer has to be a model.
        return self._check(
            label,
            lambda: layer_table(_value(model), input_shape),
            lambda: table(expected),
            _compare_layers,
            {name: (lambda wrong=wrong: table(wrong)) for name, wrong in (mistakes or {}).items()},
            weight,
        )

    def true(
        self,
        label: str,
        condition: Any,
        *,
        otherwise: str,
        hint: str = "wrong-value",
        weight: float = 1,
    ) -> bool:
        """Check a property of an answer.

        Parameters
        ----------
        label : str
            What is checked.
        condition : callable
            ``lambda: …``; passes if the result is true.
        otherwise : str
            The sentence for the student when it is not.
        hint : str
            Id of the mistake that this reveals.
        weight : float
            Share of this check.
        """

        def compare(value: Any, right: Any) -> Difference | None:
            if bool(value):
                return None
            return Difference(hint, otherwise, otherwise)

        return self._check(label, condition, None, compare, None, weight)

    def raises(
        self,
        label: str,
        call: Callable[[], Any],
        error: type[Exception] | tuple[type[Exception], ...],
        *,
        otherwise: str,
        hint: str = "bad-input-accepted",
        weight: float = 1,
    ) -> bool:
        """Check that bad input is refused with the right kind of error.

        An answer that is missing (``NotImplementedError``) or not defined has refused nothing.
        """
        with self._exercise._authors_part(label):
            issubclass(Exception, error)  # complains about what `except` could not catch

        def refused() -> bool:
            try:
                call()
            except (NotImplementedError, NameError):
                raise  # nothing was refused: the answer is missing, or a name is misspelt
            except error:
                return True
            return False

        return self.true(label, refused, otherwise=otherwise, hint=hint, weight=weight)

    def _check(
        self,
        label: str,
        received: Any,
        expected: Any,
        compare: Compare,
        mistakes: Mapping[str, Any] | None,
        weight: float,
        recognise: Recognise | None = None,
    ) -> bool:
        """Judge one answer; `recognise` compares it with a wrong answer (by default `compare`)."""
        exercise = self._exercise
        recognise = recognise or (lambda value, wrong, right: compare(value, wrong))
        with exercise._authors_part(label):
            exercise._require_hints(mistakes or {})
            if not 0 < weight < math.inf:
                raise AuthorError(f"weight {weight} is not a positive number")
            # Copied, because an answer may change its argument in place, and that be the expected.
            expected = copy.deepcopy(_value(expected))
            compare(expected, expected)  # complains about what no answer could equal
            named = {}
            for name, wrong in (mistakes or {}).items():
                wrong = copy.deepcopy(_value(wrong))
                if wrong is None or compare(wrong, expected) is not None:
                    named[name] = wrong
                if wrong is not None:
                    recognise(wrong, wrong, expected)  # complains, as above
        finding = self._judge(label, received, expected, compare, named, recognise)
        if self._hidden:
            expose()
        exercise._end_check(label, weight, finding, hidden=self._hidden)
        return finding is None

    def _judge(
        self,
        label: str,
        received: Any,
        expected: Any,
        compare: Compare,
        named: dict[str, Any],
        recognise: Recognise,
    ) -> Finding | None:
        """Run the student's part of a check; whatever it does, the other checks go on."""
        exercise = self._exercise
        if exercise._stopped:
            hint_id, reason = exercise._stopped
            return Finding(label, hint_id, f"not run: {reason}", self._hidden)
        try:
            with (
                _limited_output(0 if self._discreet else MAX_OUTPUT),
                time_limit(exercise.seconds),
            ):
                try:
                    value = _value(received)
                    difference = self._general(value, expected) or compare(value, expected)
                    if difference is None:
                        return None
                    return self._explain(label, value, expected, difference, named, recognise)
                except (TimeLimitError, KeyboardInterrupt):
                    raise
                except BaseException as error:  # sys.exit() ends a program, not the other checks
                    return Finding(label, *self._explain_error(error), self._hidden)
        except TimeLimitError:
            exercise._stopped = ("time-limit", "a check before it did not finish in time")
            text = f"did not finish within {exercise.seconds:g} s"
            return Finding(label, "time-limit", text, self._hidden)
        except KeyboardInterrupt:
            exercise._stopped = ("interrupted", "the exercise was interrupted")
            return Finding(label, "interrupted", "interrupted", self._hidden)

    @property
    def _discreet(self) -> bool:
        """Whether to keep values to ourselves: what an answer says now may be a hidden input."""
        return self._hidden or exposed()

    @staticmethod
    def _general(value: Any, expected: Any) -> Difference | None:
        if value is None and expected is not None:
            return Difference("none-returned", "received None", "received None")
        if isinstance(value, Iterator):
            text = "received a generator or iterator; expected its values, for example in a list"
            return Difference("wrong-type", text, text)
        return None

    def _explain(
        self,
        label: str,
        value: Any,
        expected: Any,
        difference: Difference,
        named: dict[str, Any],
        recognise: Recognise,
    ) -> Finding:
        hint_id = difference.kind
        for name, wrong in named.items():
            if value is None or wrong is None:
                same = value is wrong
            else:
                same = recognise(value, wrong, expected) is None
            if same:
                hint_id = name
                break
        message = difference.hidden if self._discreet else difference.visible
        return Finding(label, hint_id, message, self._hidden)

    def _explain_error(self, error: BaseException) -> tuple[str, str]:
        if isinstance(error, NotImplementedError):
            return "not-attempted", "not answered yet"
        hint_id = "not-defined" if isinstance(error, NameError) else "raised"
        if self._discreet:
            # An error quotes values of the input, in its text or in the name of a class made for
            # that, so a hidden check says only which built-in error it is.
            names = (_BUILTIN_ERRORS.get(id(cls)) for cls in type(error).__mro__)
            return hint_id, next(name for name in names if name)
        try:
            text = one_line(str(error))
        except Exception:
            text = "an error that cannot be shown"
        return hint_id, one_line(
            f"{type(error).__name__}: {text}" if text else type(error).__name__
        )


class Exercise(_Recorder):
    """One graded exercise.

    Checks called on the exercise itself are visible; those called on :attr:`hidden` are hidden.

    Parameters
    ----------
    name : str
        Name of the exercise, the same as the ``grade_id`` of its answer cell.
    points : float
        Points of the exercise, the same as in the test cell's metadata.
    hints : mapping of str to str, optional
        Hint id → what to tell a student who made this mistake. Every id that a check lists in
        ``mistakes`` must be here.
    seconds : float
        How long one check may take before it counts as an endless loop. The checks after it are
        then not run and fail.

    Attributes
    ----------
    hidden : recorder
        Offers the same checks, silent about values.
    rng : numpy.random.Generator
        Source of fresh inputs: the same for every run of a student, drawn anew for each submission
        when the examiner grades.

    Raises
    ------
    AuthorError
        If `points` or `seconds` is not a positive number.

    Notes
    -----
    An interrupt (the stop button, a time limit for the cell) does not leave the cell: it ends the
    exercise. The check that was running and those after it fail as ``"interrupted"``, and
    :meth:`score` reports what was found until then. Nothing else that an answer raises, not even
    ``sys.exit()``, keeps the other checks from being run.

    What an answer prints is cut at some thousand characters in a visible check, and dropped in a
    hidden one, whose inputs it could show.

    Examples
    --------
    >>> exercise = Exercise("double", points=2, hints={"added-two": "Twice, not two more."})
    >>> exercise.number("double of 5", lambda: 5 + 2, 10, mistakes={"added-two": 7})
    False
    >>> exercise.score()
    double: 0 of 1 checks passed
      ✗ double of 5: received 7, expected 10
        hint [added-two]: Twice, not two more.
    0.0
    """

    def __init__(
        self,
        name: str,
        *,
        points: float,
        hints: Mapping[str, str] | None = None,
        seconds: float = 10,
    ) -> None:
        super().__init__(self, hidden=False)
        self.name = name
        self.points = float(points)
        self.hints = dict(hints or {})
        self.seconds = float(seconds)
        for value, word in ((self.points, "points"), (self.seconds, "seconds")):
            if not 0 < value < math.inf:
                raise AuthorError(f"exercise {name!r}: {word}={value} is not a positive number")
        self.hidden = _Recorder(self, hidden=True)
        self.rng = np.random.default_rng(_seed(name))
        self._stopped: tuple[str, str] | None = None  # hint id and reason, once nothing more runs
        self._weights: list[float] = []
        self._findings: list[Finding | None] = []
        self._labels: list[str] = []
        self._hidden_flags: list[bool] = []

    @property
    def findings(self) -> list[Finding]:
        """The checks that failed so far."""
        return [finding for finding in self._findings if finding is not None]

    def hint(self, hint_id: str) -> str:
        """What to tell a student about a mistake; empty where there is nothing to add."""
        return self.hints.get(hint_id, GENERAL_HINTS.get(hint_id, ""))

    def score(self) -> float:
        """Print what was found and return the points, a plain float in ``0 … points``.

        Partial points are rounded to cents. Scored again, after more checks, the last score counts.

        Raises
        ------
        AuthorError
            If the exercise has no checks.
        """
        if not self._weights:
            raise AuthorError(f"exercise {self.name!r} has no checks")
        points = self.points  # in full, not rounded
        if self.findings:
            earned = sum(
                weight
                for weight, finding in zip(self._weights, self._findings, strict=True)
                if finding is None
            )
            points = min(round(earned / sum(self._weights) * self.points, 2), self.points)
        passed = sum(finding is None for finding in self._findings)
        record(
            ExerciseVerdict(
                exercise=self.name,
                points=points,
                possible=self.points,
                passed=passed,
                checks=len(self._weights),
                findings=self.findings,
            )
        )
        print(self._report(passed))
        return points

    def _report(self, passed: int) -> str:
        lines = [f"{self.name}: {passed} of {len(self._weights)} checks passed"]
        told: set[str] = set()
        for label, finding, hidden in zip(
            self._labels, self._findings, self._hidden_flags, strict=True
        ):
            shown = f"hidden check · {label}" if hidden else label
            if finding is None:
                lines.append(f"  ✓ {shown}")
                continue
            lines.append(f"  ✗ {shown}: {finding.message}")
            hint = self.hint(finding.hint_id)
            if hint and finding.hint_id not in told:
                lines.append(f"    hint [{finding.hint_id}]: {hint}")
            told.add(finding.hint_id)
        return "\n".join(lines)

    @contextlib.contextmanager
    def _authors_part(self, label: str) -> Iterator[None]:
        """Turn any error in the body, which runs no answer, into the author's."""
        try:
            yield
        except Exception as error:
            kind = "" if isinstance(error, AuthorError) else f"{type(error).__name__}: "
            raise AuthorError(f"exercise {self.name!r}, check {label!r}: {kind}{error}") from error

    def _require_hints(self, mistakes: Mapping[str, Any]) -> None:
        unknown = [name for name in mistakes if name not in self.hints]
        if unknown:
            raise AuthorError(f"no hint for {', '.join(unknown)}; add it to hints={{…}}")

    def _end_check(
        self, label: str, weight: float, finding: Finding | None, *, hidden: bool
    ) -> None:
        self._labels.append(label)
        self._weights.append(float(weight))
        self._findings.append(finding)
        self._hidden_flags.append(hidden)


def _seed(name: str) -> int:
    """Seed for an exercise: fixed where a student works, secret and fresh where work is graded."""
    text = f"{current_seed() or 'practice'}:{name}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _value(given: Any) -> Any:
    """Call `given` if it is a function; a Keras model can be called too, but is a value."""
    return given() if isinstance(given, types.FunctionType | types.MethodType) else given


def _compare_layers(received: list[Layer], expected: list[Layer]) -> Difference | None:
    if received == expected:
        return None
    if len(received) != len(expected):
        kinds = ", ".join(layer.kind for layer in received) or "no layer"
        return Difference(
            "wrong-length",
            f"received {len(received)} layers ({kinds}), expected {len(expected)}",
            f"received {len(received)} layers, expected {len(expected)}",
        )
    place, (got, right) = next(
        (place, pair)
        for place, pair in enumerate(zip(received, expected, strict=True), start=1)
        if pair[0] != pair[1]
    )
    return Difference(
        "wrong-value",
        f"layer {place} is {got}; expected {right}",
        f"layer {place}, a {got.kind}, is not as expected",
    )


class _LimitedWriter(io.TextIOBase):
    encoding = "utf-8"

    def __init__(self, target: Any, limit: int) -> None:
        self._target = target
        self._left = limit

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._left > 0:
            self._target.write(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._target.write("\n… (more output is not shown)\n")
        return len(text)


@contextlib.contextmanager
def _limited_output(characters: int) -> Iterator[None]:
    """Let at most so many characters through to stdout, and to stderr."""
    with (
        contextlib.redirect_stdout(_LimitedWriter(sys.stdout, characters)),
        contextlib.redirect_stderr(_LimitedWriter(sys.stderr, characters)),
    ):
        yield
