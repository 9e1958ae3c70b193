"""Bottleneck features: right numbers, computed once, never stale, nothing half written."""

import warnings

import numpy as np
import pytest

from data_scripts import DataWarning
from data_scripts import bottleneck_features as module
from data_scripts.bottleneck_features import bottleneck_features, resized

keras = pytest.importorskip("keras")


@pytest.fixture(scope="module")
def network():
    """A small network with batch normalisation."""
    keras.utils.set_random_seed(5)
    pictures = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 128, offset=-1)(pictures)
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="early")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="late")(x)
    return keras.Model(pictures, x)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(2).integers(0, 256, (23, 16, 16, 3)).astype("uint8")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(module, "PART", 10)
    monkeypatch.setattr(module, "BATCH", 4)


def files(cache_folder):
    return sorted((cache_folder / "features").glob("*"))


def test_features_are_the_means_of_the_maps(network, pictures):
    found = bottleneck_features(network, pictures, ["norm", "late"])
    assert (found.computed, found.cached) == (23, 0)
    for name, depth in (("norm", 4), ("late", 6)):
        cut = keras.Model(network.input, network.get_layer(name).output)
        maps = np.array(cut(pictures.astype("float32"), training=False))
        assert found.of[name].shape == (23, depth)
        assert found.of[name].dtype == np.float32
        assert np.allclose(found.of[name], maps.mean(axis=(1, 2)), atol=2e-3)


def test_the_last_layer_is_the_default(network, pictures):
    assert list(bottleneck_features(network, pictures[:3]).of) == ["late"]


@pytest.mark.parametrize("grid", [2, 3, 8])
def test_a_grid_keeps_where_things_are(network, pictures, grid):
    maps = np.array(network(pictures[:4].astype("float32")))  # 4 × 4
    found = bottleneck_features(network, pictures[:4], grid=grid).of["late"]
    assert found.shape == (4, grid * grid * 6)
    corner = {2: maps[:, :2, :2].mean(axis=(1, 2)), 3: maps[:, 0, 0], 8: maps[:, 0, 0]}[grid]
    assert np.allclose(found[:, :6], corner, atol=2e-3)


def test_a_second_time_nothing_is_computed_and_the_numbers_are_the_same(network, pictures):
    first = bottleneck_features(network, pictures)
    second = bottleneck_features(network, pictures)
    assert (second.computed, second.cached) == (0, 23)
    assert np.array_equal(first.of["late"], second.of["late"])


def test_whatever_the_features_depend_on_is_in_the_name(network, pictures):
    bottleneck_features(network, pictures[:5])
    changed = pictures[:5].copy()
    changed[0, 0, 0, 0] ^= 1
    assert bottleneck_features(network, changed).computed == 5
    assert bottleneck_features(network, pictures[:5], ["early"]).computed == 5
    assert bottleneck_features(network, pictures[:5], grid=2).computed == 5
    kernel = network.get_layer("late").kernel
    before = kernel.numpy()
    kernel.assign(before + 1e-3)
    try:
        assert bottleneck_features(network, pictures[:5]).computed == 5
    finally:
        kernel.assign(before)
    assert bottleneck_features(network, pictures[:5]).computed == 0


def test_more_pictures_go_on_where_the_others_ended(network, pictures):
    bottleneck_features(network, pictures[:20])
    found = bottleneck_features(network, pictures)
    assert (found.computed, found.cached) == (3, 20)


def test_a_computation_that_was_stopped_goes_on(network, pictures, monkeypatch, cache_folder):
    compute, calls = module._compute, []

    def stopped(*given):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(1)
        return compute(*given)

    monkeypatch.setattr(module, "_compute", stopped)
    with pytest.raises(KeyboardInterrupt):
        bottleneck_features(network, pictures)
    assert len(files(cache_folder)) == 2
    monkeypatch.setattr(module, "_compute", compute)
    found = bottleneck_features(network, pictures)
    assert (found.computed, found.cached) == (3, 20)


def test_a_damaged_file_is_said_and_computed_again(network, pictures, cache_folder):
    right = bottleneck_features(network, pictures).of["late"]
    path = files(cache_folder)[0]
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.warns(DataWarning, match="is damaged"):
        found = bottleneck_features(network, pictures)
    assert found.computed in (3, 10)
    assert np.array_equal(found.of["late"], right)
    assert bottleneck_features(network, pictures).computed == 0


def test_a_flipped_bit_is_noticed(network, pictures, cache_folder):
    bottleneck_features(network, pictures[:5])
    (path,) = files(cache_folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)
    with pytest.warns(DataWarning, match="is damaged"):
        assert bottleneck_features(network, pictures[:5]).computed == 5


def test_without_a_cache_it_computes_and_says_so_once(network, pictures, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = bottleneck_features(network, pictures, folder=tmp_path / "file")
    assert found.computed == 23
    assert [str(one.message)[:22] for one in told] == ["features are not kept:"]


def test_nothing_unfinished_is_left(network, pictures, cache_folder, monkeypatch):
    def fail(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", fail)
    with pytest.warns(DataWarning, match="the disk is full"):
        bottleneck_features(network, pictures[:5])
    assert files(cache_folder) == []


def test_grey_and_small_pictures_are_brought_to_the_network_s_size(network, pictures):
    grey = pictures[:3, :, :, 0]
    threefold = np.repeat(grey[..., np.newaxis], 3, axis=3)
    assert np.array_equal(
        bottleneck_features(network, grey).of["late"],
        bottleneck_features(network, threefold).of["late"],
    )
    assert resized(pictures[:2, :9, :7], (16, 16)).shape == (2, 16, 16, 3)
    assert np.array_equal(resized(pictures[:2], (16, 16)), pictures[:2])
    flat = resized(np.full((1, 5, 5), 77, "uint8"), (12, 9))
    assert np.allclose(flat, 77, atol=1e-3)


@pytest.mark.parametrize("wrong", ["float", "shape", "none"])
def test_what_are_no_pictures_is_refused(network, pictures, wrong):
    given = {"float": pictures / 255, "shape": pictures[..., :2], "none": pictures[:0]}[wrong]
    with pytest.raises(ValueError, match="received"):
        bottleneck_features(network, given)


def test_an_unknown_layer_and_a_network_of_any_size_are_refused(network, pictures):
    with pytest.raises(ValueError, match=r"no layer 'middle'.*late"):
        bottleneck_features(network, pictures, ["middle"])
    anything = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="fixed input_size"):
        bottleneck_features(anything, pictures)


def test_a_progress_bar_shows_when_asked_for(network, pictures, capsys):
    bottleneck_features(network, pictures)
    assert capsys.readouterr().err == ""
    bottleneck_features(network, pictures, bar=True)
    assert "3/3" in capsys.readouterr().err
