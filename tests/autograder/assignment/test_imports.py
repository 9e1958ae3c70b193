"""What rooms have at hand is what the assignment speaks of."""

import json

import pytest

from autograder.assignment.imports import needed
from autograder.kernels.client import PRELOAD


def notebook(folder, *sources, name="lesson.ipynb"):
    cells = [{"cell_type": "code", "source": source} for source in sources]
    (folder / name).write_text(json.dumps({"cells": cells}))


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import numpy as np", ["numpy"]),
        ("from tensorflow.keras import layers", ["keras"]),
        ("import tensorflow as tf", ["keras"]),
        ("%matplotlib inline", ["matplotlib.pyplot"]),
        ("import keras\nimport numpy", ["numpy", "keras"]),
        ("total = 1 + 1", []),
        ("numpyro = 3", []),
    ],
)
def test_modules_that_the_notebook_speaks_of(tmp_path, source, modules):
    notebook(tmp_path, "x = 1", source)
    assert needed(PRELOAD, tmp_path) == modules


def test_helper_files_count(tmp_path):
    notebook(tmp_path, "from helper import net")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "helper.py").write_text("import keras")
    assert needed(PRELOAD, tmp_path) == ["keras"]


def test_a_list_that_somebody_chose_stays(tmp_path):
    notebook(tmp_path, "x = 1")
    assert needed(["numpy", "pandas"], tmp_path) == ["numpy", "pandas"]
    assert needed([], tmp_path) == []


@pytest.mark.parametrize("kind", ["absent", "empty", "huge"])
def test_where_nothing_can_be_read_everything_is_at_hand(tmp_path, kind, monkeypatch):
    folder = tmp_path / "ps1"
    if kind != "absent":
        folder.mkdir()
    if kind == "huge":
        monkeypatch.setattr("autograder.assignment.imports._MOST_BYTES", 10)
        notebook(folder, "x = 1")
    assert needed(PRELOAD, folder) == list(PRELOAD)


def test_both_commands_agree(tmp_path):
    """Otherwise a forkserver would be started for nothing."""
    from nbgrader.coursedir import CourseDirectory

    from autograder.configuration import load_course
    from autograder.submissions.intake import options_of
    from tests import plain_course

    course = plain_course.make(tmp_path / "course")
    config = load_course(course)
    there = CourseDirectory(config=config)
    settings = options_of(config, there, plain_course.ASSIGNMENT).settings
    assert settings["preload"] == needed(PRELOAD, course / "source" / plain_course.ASSIGNMENT) == []
