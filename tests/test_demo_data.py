"""The sample class as data: complete, readable, and impossible to get wrong silently."""

import json

import pytest

from autograder.demo import MARKER, DemoError, _fresh_course
from autograder.sample_class import SampleError, read_class
from tests.conftest import ROOT

NAME = "02_convolution"
PATHS = {
    "lesson": ROOT / "lessons" / NAME / f"{NAME}.ipynb",
    "solution": ROOT / "solutions" / NAME / f"{NAME}.ipynb",
    "variants": ROOT / "tests" / "variants" / f"{NAME}.toml",
}


@pytest.fixture(scope="module")
def students():
    return read_class(ROOT / "tests" / "classes" / f"{NAME}.toml", **PATHS)


def test_the_class_has_every_kind_of_submission(students):
    assert len(students) >= 12
    assert len({student.id for student in students}) == len(students)
    broken = [student for student in students if not _is_json(student.content)]
    assert len(broken) == 1
    earned = [sum(points or 0 for points in student.points.values()) for student in students]
    assert min(earned) == 0
    assert len(set(earned)) >= 4


def _is_json(content):
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('answers = {nowhere = "solution"}', "the lesson has no cell 'nowhere'"),
        ('answers = {conv2d = "wrong/never-heard-of"}', "no answer 'wrong/never-heard-of'"),
        ("expect = {nothing = 1}", "expects points for unknown"),
    ],
)
def test_a_slip_in_the_class_file_is_named(tmp_path, entry, words):
    path = tmp_path / "class.toml"
    path.write_text(f'[[student]]\nid = "eve"\nstory = "x"\nstart = "lesson"\n{entry}\n')
    with pytest.raises(SampleError, match="student eve: .*" + words):
        read_class(path, **PATHS)


def test_the_demo_removes_only_what_it_made(tmp_path):
    folder = tmp_path / "demo_class"
    folder.mkdir()
    (folder / "my work").write_text("precious")
    with pytest.raises(DemoError, match="was not made by the demo"):
        _fresh_course(tmp_path, folder, NAME)
    assert (folder / "my work").read_text() == "precious"
    (folder / MARKER).touch()
    with pytest.raises(DemoError, match="is missing: run `autograder build"):
        _fresh_course(tmp_path, folder, NAME)
    assert not (folder / "my work").exists()
