"""The embedded subsets: what they hold, and that they are what they were."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_data import is_one_sentence

import data_scripts
from data_scripts import CLASS_NAMES, DataError, load, load_photograph
from data_scripts.catalogue import CATALOGUE, Expected
from data_scripts.digests import digest
from data_scripts.embedding import EMBEDDED, first_of_each_class
from data_scripts.imagenet import CLASSES
from data_scripts.network_catalogue import NETWORKS
from data_scripts.photographs import PHOTOGRAPHS
from data_scripts.sheets import from_sheet, to_sheet

SHAPES = {"mnist": (4000, 1000, (28, 28)), "cifar10": (5000, 1000, (32, 32, 3))}


@pytest.mark.parametrize("name", SHAPES)
class TestQuick:
    def test_has_the_catalogued_shapes_dtypes_and_digests(self, name):
        training, testing, picture = SHAPES[name]
        (x_train, y_train), (x_test, y_test) = load(name)
        assert x_train.shape == (training, *picture)
        assert x_test.shape == (testing, *picture)
        assert y_train.shape == (training,)
        assert y_test.shape == (testing,)
        for key, array in zip(
            ("x_train", "y_train", "x_test", "y_test"),
            (x_train, y_train, x_test, y_test),
            strict=True,
        ):
            assert array.dtype == np.uint8
            assert digest(array) == CATALOGUE[name].quick[key].sha256

    def test_is_balanced(self, name):
        training, testing, _ = SHAPES[name]
        splits = load(name)
        assert np.bincount(splits.train.y).tolist() == [training // 10] * 10
        assert np.bincount(splits.test.y).tolist() == [testing // 10] * 10

    def test_no_test_picture_is_a_training_picture(self, name):
        splits = load(name)
        pictures = [picture.tobytes() for split in splits for picture in split.x]
        assert len(set(pictures)) == len(pictures)

    def test_classes_are_mixed(self, name):
        for split in load(name):
            for start in range(0, len(split.y) - 100, 100):
                assert len(set(split.y[start : start + 100])) >= 8

    def test_grading_has_the_same_arrays(self, name):
        for quick, grading in zip(load(name, "quick"), load(name, "grading"), strict=True):
            np.testing.assert_array_equal(quick.x, grading.x)
            np.testing.assert_array_equal(quick.y, grading.y)

    def test_arrays_are_fresh_and_may_be_changed(self, name):
        first = load(name)
        for split in first:
            split.x[:] = 0
            split.y[:] = 0
        assert load(name).train.x.any()
        assert load(name).test.y.any()

    def test_damaged_file_is_refused(self, name, monkeypatch):
        monkeypatch.setitem(
            CATALOGUE[name].embedded.files[0].holds,
            "x_train",
            Expected(CATALOGUE[name].quick["x_train"].shape, "0" * 64),
        )
        with pytest.raises(DataError, match="install the course again") as caught:
            load(name)
        assert is_one_sentence(str(caught.value))
        assert f"{name}/train.webp" in str(caught.value)

    def test_needs_no_network_and_no_cache(self, name, cache_folder):
        load(name)
        assert not cache_folder.exists()


def test_scale_comes_from_the_environment(monkeypatch, tiny, arrays):
    monkeypatch.setenv("COURSE_SCALE", "full")
    np.testing.assert_array_equal(load("tiny").train.x, arrays["x_train"])
    monkeypatch.setenv("COURSE_SCALE", "grading")
    assert load("mnist").train.x.shape == (4000, 28, 28)


def test_unknown_names_and_scales_are_named():
    with pytest.raises(ValueError, match="no data set 'imagenet'; expected one of mnist, cifar10"):
        load("imagenet")
    with pytest.raises(ValueError, match="no scale 'huge'; expected one of quick, full, grading"):
        load("mnist", scale="huge")


def test_embedded_files_are_small_and_their_sizes_are_catalogued():
    for dataset in CATALOGUE.values():
        for file in dataset.embedded.files:
            assert (EMBEDDED / file.path).stat().st_size == file.size
    assert CATALOGUE["cifar10"].embedded.size < 11_000_000
    assert sum(file.stat().st_size for file in EMBEDDED.rglob("*")) < 24_000_000


def test_class_names_belong_to_the_labels():
    assert len(CLASS_NAMES) == 10
    assert CATALOGUE["cifar10"].class_names is CLASS_NAMES
    # The official first training pictures: frog, truck, truck, deer, automobile.
    names = [CLASS_NAMES[label] for label in load("cifar10").train.y[:5]]
    assert names == ["frog", "truck", "truck", "deer", "automobile"]


def test_every_photograph_is_whole():
    for name, photograph in PHOTOGRAPHS.items():
        assert load_photograph(name).shape == photograph.shape


def test_attribution_has_every_licence_and_citation():
    path = Path(data_scripts.__file__).parent / "ATTRIBUTION.md"
    text = " ".join(path.read_text(encoding="utf-8").split())
    for dataset in CATALOGUE.values():
        for words in (dataset.name, dataset.licence, dataset.citation, dataset.homepage):
            assert words in text
    for network in NETWORKS.values():
        for words in (network.name, network.licence, network.citation, network.homepage):
            assert words in text
    for words in (CLASSES.licence, CLASSES.citation, CLASSES.source):
        assert words in text
    for photograph in PHOTOGRAPHS.values():
        assert photograph.name in text
        assert photograph.licence in text


def test_every_catalogue_entry_is_consistent():
    for dataset in CATALOGUE.values():
        for source in (dataset.embedded, dataset.mirror, *dataset.published):
            whole = dataset.quick if source is dataset.embedded else dataset.full
            held = dict.fromkeys(whole, 0)
            for file in source.files:
                for name, expected in file.holds.items():
                    held[name] += expected.size
                    assert expected.shape[1:] == whole[name].shape[1:]
                    assert len(expected.sha256) == 64
            assert held == {name: expected.size for name, expected in whole.items()}
        for source in dataset.published:
            assert source.base.startswith("https://")
            assert source.base.endswith("/")


def test_import_is_light():
    code = (
        "import sys, data_scripts; "
        "heavy = ('keras', 'tensorflow', 'h5py', 'pooch', 'requests'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_sheets_are_inverse():
    for shape in ((20, 4, 6), (20, 4, 6, 3)):
        images = np.arange(np.prod(shape)).reshape(shape)
        np.testing.assert_array_equal(from_sheet(to_sheet(images, 5), 4, 6), images)
    with pytest.raises(ValueError, match="20 pictures do not fill rows of 3"):
        to_sheet(images, 3)
    with pytest.raises(ValueError, match="does not divide"):
        from_sheet(np.zeros((10, 10)), 4, 5)


def test_first_of_each_class():
    assert first_of_each_class(np.array([1, 0, 1, 1, 0, 0]), 2).tolist() == [0, 1, 2, 4]
    with pytest.raises(ValueError, match="class 0 has 1 rows; expected at least 2"):
        first_of_each_class(np.array([1, 0, 1]), 2)


def test_digest_is_of_bytes_only():
    assert digest(np.zeros((2, 2), "uint8")) == digest(np.zeros(4, "uint8"))
    with pytest.raises(TypeError, match="float64; expected uint8"):
        digest(np.zeros(4))
