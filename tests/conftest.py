"""What tests share: the course's folder, and a toy course that builds and grades in seconds."""

import functools
import os
import shutil
import sys
from pathlib import Path

import nbgrader.api
import pytest

ROOT = Path(__file__).resolve().parents[1]
# nbgrader and Jupyter look programs up on PATH, and log lines of TensorFlow are no news.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.pop("COURSE_SCALE", None)


# nbgrader starts a process of a second or more for each new gradebook, to learn the same word.
nbgrader.api.get_alembic_version = functools.cache(nbgrader.api.get_alembic_version)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests of a file share what is costly: keep them in one worker, in their order.

    Where they are about lessons, those about one lesson: no file may be as long as all others.
    """
    for item in items:
        about = getattr(item, "callspec", None) and item.callspec.params.get("name")
        group = item.nodeid.partition("::")[0]
        if isinstance(about, str):
            group += f":{about}"
        item.add_marker(pytest.mark.xdist_group(group))


TOY_CONFIG = """\
import autograder

c = get_config()
autograder.configure(c)
c.CourseDirectory.course_id = "toy"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "lessons"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "__pycache__", "*.py", "*.pyc", "*.toml"]
c.Sandbox.cell_seconds = 5
"""

TOY = '''\
# %% [markdown]
# # A toy lesson

# %% nbgrader={"grade_id": "setup", "locked": true}
from autograder import checks

# %% nbgrader={"grade_id": "double", "solution": true}
def double(number):
    """Return twice the number."""
    ### BEGIN SOLUTION
    secret_answer_of_double = 2 * number
    return secret_answer_of_double
    ### END SOLUTION

# %% nbgrader={"grade_id": "test_double", "grade": true, "points": 3}
exercise = checks.Exercise("double", points=3, hints={"plus-two": "Twice, not two more."})
exercise.number("double of 5", lambda: double(5), 10, mistakes={"plus-two": 7})
### BEGIN HIDDEN TESTS
_drawn_number = int(exercise.rng.integers(100, 10_000))
exercise.hidden.number(
    "a drawn number",
    lambda: double(_drawn_number),
    2 * _drawn_number,
    mistakes={"plus-two": _drawn_number + 2},
    weight=2,
)
### END HIDDEN TESTS
exercise.score()

# %% nbgrader={"grade_id": "half", "solution": true}
def half(number):
    """Return half the number."""
    ### BEGIN SOLUTION
    return number / 2 + 0.0 * number
    ### END SOLUTION

# %% nbgrader={"grade_id": "test_half", "grade": true, "points": 2}
exercise = checks.Exercise("half", points=2)
exercise.number("half of 5", lambda: half(5), 2.5)
exercise.score()

# %%
print("an experiment")

# %% [markdown] nbgrader={"grade_id": "reading", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# The curve falls because the window loses its border.
# ### END SOLUTION
'''


@pytest.fixture(scope="session")
def root():
    """The course's folder."""
    return ROOT


def write_course(folder, source=TOY, config=TOY_CONFIG, name="01_toy"):
    """Write a course of one lesson, nothing built."""
    lesson = folder / "solutions" / name
    lesson.mkdir(parents=True)
    (lesson / f"{name}.py").write_text(source, encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    return folder


@pytest.fixture
def make_course(tmp_path):
    """Function that writes a course into a fresh folder."""

    def make(source=TOY, **kwargs):
        return write_course(tmp_path / "course", source, **kwargs)

    return make


@pytest.fixture(scope="session")
def built_once(tmp_path_factory):
    """A toy course, built and known to the gradebook. Not to be changed."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    from autograder.authoring import build
    from autograder.configuration import load_course

    folder = write_course(tmp_path_factory.mktemp("toy") / "course")
    build(folder)
    config = load_course(folder)
    api = NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)
    result = api.generate_assignment("01_toy")
    assert result["success"], result
    return folder


@pytest.fixture
def toy_course(built_once, tmp_path):
    """A toy course of one's own: built, in the gradebook, nothing handed in."""
    folder = tmp_path / "course"
    shutil.copytree(built_once, folder)
    return folder
