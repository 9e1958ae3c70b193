"""What a worker is given, and what it may give back: bytes that need no gradebook and no course.

A :class:`Task` holds everything that grading one notebook depends on. A :class:`Result` is what
came of it. Workers are not believed: :meth:`Result.read` takes outputs and verdicts only, bounded
and of the right types, and puts them into the notebook that was sent.
"""

import copy
import dataclasses
import functools
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgpack

SCHEMA = 1
MAX_TASK_BYTES = 256_000_000
MAX_RESULT_BYTES = 64_000_000
MAX_TEXT = 2_000  # characters of a remark, a note or a message
MAX_ITEMS = 500  # notes, findings of a verdict
MAX_OUTPUTS = 2_000  # outputs of one cell
MAX_DEPTH = 12
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
_STREAMS = ("stdout", "stderr")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_MARKUP = re.compile(r"[<>\"'&`\x00-\x1f]")


class TaskError(ValueError):
    """Bytes that are no task, or a task that is too large; the message says which."""


class ResultError(ValueError):
    """What a worker returned is no result of the task that it was given."""


@dataclasses.dataclass
class CellVerdict:
    """What a test cell gives, in points of its cell.

    Attributes
    ----------
    exercise : str
        Name of the exercise; the cell's own name where no verdict came back.
    points, possible : float
        Earned and possible points.
    remark : str
        Why there is no verdict, in words for student and instructor; empty otherwise.
    hints : list of str
        Ids of the mistakes that were found, in order, each once.
    findings : list of dict
        The failed checks: label, hint_id, message, hidden.
    """

    exercise: str
    points: float
    possible: float
    remark: str
    hints: list[str]
    findings: list[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Task:
    """Everything that the grading of one notebook depends on.

    Attributes
    ----------
    notebook : dict
        Sanitised notebook, format 4; ``metadata.autograder.notes`` says what was mended.
    names : tuple of str
        Names that the instructor's notebook first binds in an answer cell: in test cells they
        stand for the student's values.
    prelude : str
        Import statements of the instructor's notebook, wherever they stand.
    helpers : mapping of str to bytes
        The instructor's files beside the notebook, relative name → content. Both rooms get them.
    files : mapping of str to bytes
        The student's files. Only the student room gets them, over `helpers`.
    seed : str
        Seed of the inputs that hidden checks draw, in hexadecimal digits.
    limits : mapping of str to float
        What the rooms may use.
    settings : mapping of str to anything plain
        How the rooms are made: what to preload, whether there is a sandbox, …
    """

    notebook: dict[str, Any]
    names: tuple[str, ...] = ()
    prelude: str = ""
    helpers: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    seed: str = ""
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def key(self) -> str:
        """Digest of the whole task: equal keys, equal results. Tells nothing about who it was."""
        return hashlib.sha256(self._bytes).hexdigest()

    def to_bytes(self) -> bytes:
        """Pack the task.

        Raises
        ------
        TaskError
            If it has more than ``MAX_TASK_BYTES``.
        """
        if len(self._bytes) > MAX_TASK_BYTES:
            raise TaskError(
                f"notebook and files have {len(self._bytes) / 1e6:.0f} MB together, at most "
                f"{MAX_TASK_BYTES / 1e6:.0f} MB are graded"
            )
        return self._bytes

    @functools.cached_property
    def _bytes(self) -> bytes:
        # The notebook as JSON: the same text whatever order a dict was filled in.
        content = {
            "schema": SCHEMA,
            "notebook": json.dumps(self.notebook, sort_keys=True, ensure_ascii=False),
            "names": sorted(self.names),
            "prelude": self.prelude,
            "helpers": dict(sorted(self.helpers.items())),
            "files": dict(sorted(self.files.items())),
            "seed": self.seed,
            "limits": dict(sorted(self.limits.items())),
            "settings": dict(sorted(self.settings.items())),
        }
        # A lone surrogate in a student's text is kept as it is: it must not stop the class.
        return msgpack.packb(content, unicode_errors="surrogatepass")

    @classmethod
    def from_bytes(cls, data: bytes) -> "Task":
        """Unpack a task.

        Raises
        ------
        TaskError
            If the bytes are no task of this version, or too many.
        """
        if len(data) > MAX_TASK_BYTES:
            raise TaskError(f"{len(data)} bytes are more than a task may have")
        try:
            content = msgpack.unpackb(data, unicode_errors="surrogatepass")
            if content.pop("schema") != SCHEMA:
                raise ValueError("it is of another version")
            content["notebook"] = json.loads(content["notebook"])
            content["names"] = tuple(content["names"])
            task = cls(**content)
        except Exception as error:
            raise TaskError(f"not a task: {type(error).__name__}: {error}") from None
        # Whatever is done to the notebook from now on: this is what was asked.
        task.__dict__["_bytes"] = data
        return task


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of a task.

    Attributes
    ----------
    notebook : dict
        The task's notebook with outputs. ``metadata.autograder`` holds ``verdicts`` (test cell →
        dict of exercise, points, possible, remark, hints, findings), ``seconds`` (in the rooms),
        ``notes`` and ``sandbox`` (what enforced it, or ``"none"``).
    """

    notebook: dict[str, Any]

    def to_bytes(self, task: Task) -> bytes:
        """Pack outputs and verdicts; cells, their text and their metadata are not sent back."""
        cells = [
            [cell.get("outputs", []), cell.get("execution_count")]
            for cell in self.notebook["cells"]
        ]
        about = {
            name: self.notebook["metadata"]["autograder"][name]
            for name in ("verdicts", "seconds", "notes", "sandbox")
        }
        content = {"schema": SCHEMA, "key": task.key, "cells": cells, "about": about}
        return json.dumps(content).encode("ascii")

    @classmethod
    def read(cls, data: bytes, task: Task) -> "Result":
        """Put what a worker returned into the notebook of its task; believe nothing about it.

        Parameters
        ----------
        data : bytes
            What came back.
        task : Task
            What was sent.

        Raises
        ------
        ResultError
            If it is too large, no result of this task, or holds anything but plain outputs and
            verdicts with ``0 <= points <= possible``.
        """
        if not isinstance(data, bytes) or len(data) > MAX_RESULT_BYTES:
            raise ResultError("a worker returned more than it may, or no bytes at all")
        try:
            content = json.loads(data, parse_constant=_no_constant)
            if _HALF_CHARACTER.search(data):
                content = _whole_text(content)
            _expect(content, dict)
            if content["schema"] != SCHEMA or content["key"] != task.key:
                raise ValueError("it belongs to another task or another version")
            notebook = copy.deepcopy(task.notebook)
            cells = _expect(content["cells"], list)
            if len(cells) != len(notebook["cells"]):
                raise ValueError(f"{len(cells)} cells for {len(notebook['cells'])}")
            for cell, (outputs, count) in zip(notebook["cells"], cells, strict=True):
                if cell["cell_type"] == "code":
                    cell["outputs"] = list(_read_outputs(outputs))
                    cell["execution_count"] = None if count is None else _expect(count, int)
                elif outputs or count is not None:
                    raise ValueError("outputs of a cell that is not run")
            about = _expect(content["about"], dict)
            notebook["metadata"]["autograder"] = {
                **notebook["metadata"].get("autograder", {}),
                "verdicts": _read_verdicts(about["verdicts"], test_cells(notebook)),
                "seconds": _number(about["seconds"], 0, 1e7),
                "notes": _read_texts(about["notes"]),
                "sandbox": _text(about["sandbox"]),
            }
        except ResultError:
            raise
        except (KeyError, TypeError, ValueError, RecursionError, AttributeError) as error:
            raise ResultError(f"a worker returned no result: {error}"[:MAX_TEXT]) from None
        return cls(notebook)


def test_cells(notebook: Mapping[str, Any]) -> dict[str, float]:
    """Name → points of the cells that are graded by running them, in order."""
    return {
        about["grade_id"]: float(about["points"])
        for cell in notebook["cells"]
        if (about := cell["metadata"].get("nbgrader"))
        and cell["cell_type"] == "code"
        and about.get("grade")
        and not about.get("solution")
    }


def _whole_text(value: Any) -> Any:
    """Replace halves of characters of two halves: they cannot be written to any file."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole_text(item) for item in value]
    if isinstance(value, dict):
        return {_whole_text(name): _whole_text(item) for name, item in value.items()}
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _expect(value: Any, *types: type) -> Any:
    if type(value) not in types:
        raise TypeError(f"a {type(value).__name__} where {types[0].__name__} belongs")
    return value


def _text(value: Any, most: int = MAX_TEXT) -> str:
    return _expect(value, str)[:most]


def _read_texts(values: Any) -> list[str]:
    return [_text(value) for value in _expect(values, list)[:MAX_ITEMS]]


def _number(value: Any, low: float, high: float) -> float:
    number = float(_expect(value, float, int))
    # Written so that nan fails too.
    if not (math.isfinite(number) and low <= number <= high):
        raise ValueError(f"{number} is not within {low} … {high}")
    return number


def _read_verdicts(values: Any, tests: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    if set(_expect(values, dict)) != set(tests):
        raise ValueError("the verdicts are not those of the test cells")
    return {name: _read_verdict(values[name], possible) for name, possible in tests.items()}


def _read_verdict(value: Any, possible: float) -> dict[str, Any]:
    _expect(value, dict)
    findings = _expect(value["findings"], list)[:MAX_ITEMS]
    return {
        "exercise": _text(value["exercise"]),
        "points": _number(value["points"], 0.0, possible),
        "possible": _number(value["possible"], possible, possible),
        "remark": _text(value["remark"]),
        "hints": _read_texts(value["hints"]),
        "findings": [
            {
                "label": _text(finding["label"]),
                "hint_id": _text(finding["hint_id"]),
                "message": _text(finding["message"]),
                "hidden": _expect(finding["hidden"], bool),
            }
            for finding in findings
        ],
    }


def _read_outputs(outputs: Any) -> Iterator[dict[str, Any]]:
    """Outputs of a cell in the notebook format; anything else raises."""
    if len(_expect(outputs, list)) > MAX_OUTPUTS:
        raise ValueError(f"{len(outputs)} outputs of one cell")
    for output in outputs:
        kind = _expect(output, dict)["output_type"]
        if kind == "stream":
            if output["name"] not in _STREAMS:
                raise ValueError("a stream without a name")
            text = _joined(output["text"])
            yield {"output_type": kind, "name": output["name"], "text": text}
        elif kind == "error":
            yield {
                "output_type": kind,
                "ename": _text(output["ename"]),
                "evalue": _expect(output["evalue"], str),
                "traceback": [_expect(line, str) for line in _expect(output["traceback"], list)],
            }
        elif kind in ("display_data", "execute_result"):
            read = {
                "output_type": kind,
                "data": _read_bundle(output["data"]),
                "metadata": _read_metadata(output.get("metadata", {})),
            }
            if kind == "execute_result":
                count = output.get("execution_count")
                read["execution_count"] = None if count is None else _expect(count, int)
            yield read
        else:
            raise ValueError("an output of no known kind")


def _read_metadata(metadata: Any) -> dict[str, Any]:
    """Sizes and alt texts of pictures; templates write them into pages as they are."""
    read: dict[str, Any] = {}
    for kind, about in _expect(metadata, dict).items():
        if not kind.startswith("image/") or not isinstance(about, dict):
            continue
        kept: dict[str, Any] = {
            name: about[name]
            for name in ("width", "height")
            if type(about.get(name)) in (int, float) and 0 < about[name] < 100_000
        }
        if type(about.get("alt")) is str:
            kept["alt"] = _MARKUP.sub(" ", about["alt"])[:MAX_TEXT]
        read[kind] = kept
    return read


def _read_bundle(data: Any) -> dict[str, Any]:
    bundle = {}
    for kind, value in _expect(data, dict).items():
        # The format allows anything plain below a JSON type, and text below all others.
        is_json = kind == "application/json" or kind.endswith("+json")
        read = _plain(value) if is_json else _joined(value)
        if kind in _PICTURES and not _BASE64.fullmatch(read):
            continue  # no picture, but perhaps a way out of the attribute that it stands in
        bundle[kind] = read
    return bundle


def _joined(text: Any) -> str:
    return text if type(text) is str else "".join(_expect(text, list))


def _plain(value: Any, depth: int = 0) -> Any:
    """Check that decoded JSON is not nested deeper than anybody needs."""
    if depth > MAX_DEPTH:
        raise ValueError("data nested too deep")
    for item in value.values() if isinstance(value, dict) else value if _is_list(value) else ():
        _plain(item, depth + 1)
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
