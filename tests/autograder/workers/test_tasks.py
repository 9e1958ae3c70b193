"""What goes to workers and what comes back: exact one way, not believed the other."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.workers import tasks
from autograder.workers.tasks import Result, ResultError, Task, TaskError

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"autograder": {"notes": ["mended"]}},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Überschrift \U0001f600"},
        {
            "cell_type": "code", "id": "b", "metadata": {}, "source": "x = 1",
            "outputs": [], "execution_count": None,
        },
        {
            "cell_type": "code", "id": "test_x", "source": "assert x",
            "metadata": {"nbgrader": {"grade_id": "test_x", "grade": True, "points": 2.0}},
            "outputs": [], "execution_count": None,
        },
    ],
}  # fmt: skip
VERDICT = {
    "exercise": "x", "points": 1.5, "possible": 2.0, "remark": "", "hints": ["h"],
    "findings": [{"label": "l", "hint_id": "h", "message": "m", "hidden": True}],
}  # fmt: skip


def make_task(**changes):
    content = {
        "notebook": copy.deepcopy(NOTEBOOK),
        "names": ("x",),
        "prelude": "import os",
        "helpers": {"data.csv": b"\x00\xff"},
        "files": {"own.txt": b"mine"},
        "seed": "ab" * 32,
        "limits": {"cell_seconds": 5},
        "settings": {"preload": ["numpy"], "sandbox": True},
    }
    return Task(**{**content, **changes})


def answer(task=None, **changes):
    """What an honest worker returns, with some of it replaced."""
    task = task or make_task()
    notebook = copy.deepcopy(NOTEBOOK)
    notebook["cells"][1]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "hello"},
        {"output_type": "display_data", "data": {"text/plain": ["a", "b"]}, "metadata": {}},
    ]
    notebook["cells"][1]["execution_count"] = 1
    notebook["metadata"]["autograder"] |= {
        "verdicts": {"test_x": VERDICT}, "seconds": 1.5, "sandbox": "room",
    }  # fmt: skip
    content = json.loads(Result(notebook).to_bytes(task))
    for path, value in changes.items():
        *above, last = path.split("__")
        place = content
        for step in above:
            place = place[int(step) if step.isdigit() else step]
        place[int(last) if last.isdigit() else last] = value
    return json.dumps(content).encode()


def test_a_task_travels_unchanged():
    task = make_task()
    back = Task.from_bytes(task.to_bytes())
    assert back == task
    assert back.key == task.key
    back.notebook["cells"].clear()
    assert back.key == task.key


def test_a_key_depends_on_everything():
    changed = copy.deepcopy(NOTEBOOK)
    changed["cells"][1]["source"] = "x = 2"
    keys = {
        make_task(**changes).key
        for changes in (
            {}, {"notebook": changed}, {"names": ()}, {"prelude": ""}, {"helpers": {}},
            {"files": {"own.txt": b"other"}}, {"seed": ""}, {"limits": {"cell_seconds": 6}},
            {"settings": {}},
        )
    }  # fmt: skip
    assert len(keys) == 9
    swapped = dict(reversed(list(make_task().notebook.items())))
    assert make_task(notebook=swapped).key == make_task().key


def test_a_task_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(tasks, "MAX_TASK_BYTES", 1000)
    with pytest.raises(TaskError, match="at most 0 MB are graded"):
        make_task(files={"big": b"0" * 2000}).to_bytes()
    with pytest.raises(TaskError):
        Task.from_bytes(b"0" * 2000)


@given(st.binary(max_size=200))
def test_random_bytes_are_no_task_and_no_result(data):
    with pytest.raises(TaskError):
        Task.from_bytes(data)
    with pytest.raises(ResultError):
        Result.read(data, make_task())


def test_a_result_is_put_into_the_notebook_that_was_sent():
    read = Result.read(answer(), make_task()).notebook
    assert [cell["source"] for cell in read["cells"]] == ["# Überschrift \U0001f600", "x = 1",
                                                          "assert x"]  # fmt: skip
    assert read["cells"][1]["outputs"][1]["data"] == {"text/plain": "ab"}
    about = read["metadata"]["autograder"]
    assert about["verdicts"] == {"test_x": VERDICT}
    assert about["sandbox"] == "room"
    assert about["notes"] == ["mended"]


STREAM = {"output_type": "stream", "name": "stdout", "text": "x"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("key", "0" * 64),
        ("schema", 2),
        ("cells", []),
        ("cells", {}),
        ("cells__0", [[STREAM], None]),
        ("cells__1", [[STREAM], "1"]),
        ("cells__1", [[STREAM], True]),
        ("cells__1", [[{**STREAM, "name": "/etc"}], 1]),
        ("cells__1", [[{**STREAM, "text": 5}], 1]),
        ("cells__1", [[{"output_type": "evil"}], 1]),
        ("cells__1", [["x"], 1]),
        ("cells__1", [[STREAM] * 3000, 1]),
        ("cells__1", [[{"output_type": "error", "ename": "E", "evalue": 1, "traceback": []}], 1]),
        ("cells__1", [[{"output_type": "display_data", "data": {"text/html": {}}}], 1]),
        ("about__verdicts", {}),
        ("about__verdicts", {"test_x": VERDICT, "other": VERDICT}),
        ("about__verdicts__test_x__points", 2.5),
        ("about__verdicts__test_x__points", -1),
        ("about__verdicts__test_x__points", float("nan")),
        ("about__verdicts__test_x__points", float("inf")),
        ("about__verdicts__test_x__points", "2"),
        ("about__verdicts__test_x__points", True),
        ("about__verdicts__test_x__points", None),
        ("about__verdicts__test_x__possible", 100.0),
        ("about__verdicts__test_x__hints", [1]),
        ("about__verdicts__test_x__findings", [{"label": "l"}]),
        ("about__seconds", -1),
        ("about__notes", "x"),
        ("about__sandbox", None),
    ],
)
def test_anything_else_is_refused(path, value):
    with pytest.raises(ResultError):
        Result.read(answer(**{path: value}), make_task())


def test_deep_and_long_things_are_bounded(monkeypatch):
    deep = b'{"schema":' + b"[" * 100_000
    with pytest.raises(ResultError):
        Result.read(deep, make_task())
    nested = {}
    for _ in range(40):
        nested = {"a": nested}
    output = {"output_type": "display_data", "data": {"application/json": nested}, "metadata": {}}
    with pytest.raises(ResultError, match="nested too deep"):
        Result.read(answer(cells__1=[[output], 1]), make_task())
    read = Result.read(answer(about__verdicts__test_x__remark="x" * 10_000), make_task())
    verdict = read.notebook["metadata"]["autograder"]["verdicts"]["test_x"]
    assert len(verdict["remark"]) == tasks.MAX_TEXT
    monkeypatch.setattr(tasks, "MAX_RESULT_BYTES", 10)
    with pytest.raises(ResultError, match="more than it may"):
        Result.read(answer(), make_task())


def test_half_characters_do_not_reach_any_file():
    half = [[{**STREAM, "text": "\ud800 and \U0001f600"}], 1]
    read = Result.read(answer(cells__1=half), make_task())
    text = read.notebook["cells"][1]["outputs"][0]["text"]
    assert text == "? and \U0001f600"
