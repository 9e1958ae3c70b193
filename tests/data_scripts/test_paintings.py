"""The embedded paintings: whole, small, and what is said when they are not."""

import hashlib
import shutil
from importlib import resources

import numpy as np
import pytest
from small_data import is_one_sentence

from data_scripts import DataError, make_paintings, paintings
from data_scripts.paintings import PAINTINGS, load_painting

FOLDER = resources.files("data_scripts") / "embedded" / "paintings"


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A mirror folder whose images are empty files."""
    (tmp_path / "images").mkdir()
    for painting in PAINTINGS.values():
        (tmp_path / "images" / painting.original).write_bytes(b"")
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch):
    monkeypatch.delenv("COURSE_DATA_MIRROR", raising=False)


@pytest.mark.parametrize("name", PAINTINGS)
def test_embedded_copy_is_whole_and_small(name):
    picture = load_painting(name)
    assert picture.dtype == np.uint8
    assert picture.shape == PAINTINGS[name].shape
    assert min(picture.shape[:2]) == 256
    assert picture.std() > 30  # it shows something
    assert len((FOLDER / f"{name}.webp").read_bytes()) <= 40_000


@pytest.mark.parametrize("size", [1, 96, 256, 300])
def test_square_of_any_size(size):
    assert load_painting("scream", size=size).shape == (size, size, 3)


def test_square_is_the_middle():
    whole, square = load_painting("great_wave"), load_painting("great_wave", size=256)
    left = (whole.shape[1] - 256) // 2
    assert np.array_equal(square, whole[:, left : left + 256])


@pytest.mark.parametrize("arguments", [("mona_lisa",), ("scream", 0)])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="expected") as caught:
        load_painting(*arguments)
    assert str(arguments[-1]) in str(caught.value)


def test_every_painting_says_where_it_is_from():
    for painting in PAINTINGS.values():
        assert painting.licence.startswith("public domain")
        assert painting.source.startswith("https://")
        assert 1800 < painting.year < 1900


def test_damaged_file_is_refused(tmp_path, monkeypatch):
    shutil.copytree(FOLDER, tmp_path / "embedded" / "paintings")
    path = tmp_path / "embedded" / "paintings" / "scream.webp"
    path.write_bytes(path.read_bytes()[:-1])
    monkeypatch.setattr(paintings.resources, "files", lambda package: tmp_path)
    with pytest.raises(DataError) as caught:
        load_painting("scream")
    assert is_one_sentence(str(caught.value))
    path.unlink()
    with pytest.raises(DataError) as caught:
        load_painting("scream")
    assert is_one_sentence(str(caught.value))


def test_mirror_is_asked_for_large_pictures_only_and_checked(mirror):
    assert load_painting("scream", size=256).shape == (256, 256, 3)
    with pytest.raises(DataError, match=PAINTINGS["scream"].original):
        load_painting("scream", size=257)


def test_mirror_gives_a_larger_picture(mirror, monkeypatch):
    content = (FOLDER / "great_wave.webp").read_bytes()  # another painting, to tell them apart
    painting = PAINTINGS["scream"]
    (mirror / "images" / painting.original).write_bytes(content)
    changed = dict(vars(painting), original_sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(PAINTINGS, "scream", paintings.Painting(**changed))
    received = load_painting("scream", 300)
    monkeypatch.delenv("COURSE_DATA_MIRROR")
    assert np.array_equal(received, load_painting("great_wave", 300))


def test_address_of_a_mirror_is_passed_over(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_MIRROR", "https://mirror.invalid/course")
    assert load_painting("scream", size=300).shape == (300, 300, 3)


def test_packing_keeps_the_shape_of_the_picture():
    content = (FOLDER / "great_wave.webp").read_bytes()
    packed = make_paintings.pack(content)
    assert len(packed) < 40_000


def test_maker_needs_the_mirror():
    with pytest.raises(SystemExit, match="COURSE_DATA_MIRROR"):
        make_paintings.main()


def test_maker_refuses_another_file(mirror):
    with pytest.raises(SystemExit, match="not the file that is catalogued"):
        make_paintings.main()
