"""The network for style transfer: the file is whole, the network is VGG-16's beginning."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_data import is_one_sentence

from benchmarks import style_networks
from data_scripts import DataError, make_style_network, style_network
from data_scripts.embedding import EMBEDDED
from data_scripts.style_network import (
    CONTENT_LAYER,
    PATH,
    SHA256,
    STYLE_LAYERS,
    Convolution,
    Rounded,
    build_style_network,
    digest_of_layers,
    load_style_network,
    read_embedded,
    read_rounded,
    unrounded,
)

# Read before a fixture takes it away.
MIRROR = os.environ.get("COURSE_DATA_MIRROR", "")

LAYERS = {
    "block1_conv1": 64,
    "block1_conv2": 64,
    "block2_conv1": 128,
    "block2_conv2": 128,
    "block3_conv1": 256,
    "block3_conv2": 256,
    "block3_conv3": 256,
    "block4_conv1": 512,
}


@pytest.fixture(scope="module")
def network():
    return load_style_network()


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    if not (Path(MIRROR) / "weights" / "vgg16_notop.h5").is_file() or not MIRROR:
        pytest.skip("COURSE_DATA_MIRROR has no weights/vgg16_notop.h5, the source of the file")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA_MIRROR", MIRROR)
        patch.setenv("COURSE_DATA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield make_style_network.load_vgg16()


@pytest.fixture(scope="module")
def picture():
    """A smooth coloured picture with edges in it, 0 … 1."""
    down, right = np.mgrid[0:64, 0:96] / 64
    red, green = np.sin(9 * down * right), np.cos(5 * (down - right))
    blue = np.where((down - 0.5) ** 2 + (right - 0.7) ** 2 < 0.1, 1.0, -1.0)
    return (np.stack([red, green, blue], axis=-1)[None].astype("float32") + 1) / 2


def outputs(network, names):
    import keras

    return keras.Model(network.input, [network.get_layer(name).output for name in names])


def distance(received, expected):
    received, expected = np.asarray(received), np.asarray(expected)
    return float(np.linalg.norm(received - expected) / np.linalg.norm(expected))


def gram(maps):
    flat = np.asarray(maps).reshape(-1, maps.shape[-1])
    return flat.T @ flat / len(flat)


class TestFile:
    def test_is_the_published_one(self):
        layers = read_rounded()
        assert digest_of_layers(layers) == SHA256
        assert {name: len(layer.step) for name, layer in layers.items()} == LAYERS

    def test_is_small(self):
        assert (EMBEDDED / PATH).stat().st_size < 2_000_000
        assert [path.name for path in (EMBEDDED / PATH).parent.iterdir()] == ["weights.npz"]

    def test_holds_whole_numbers_and_what_they_stand_for(self):
        for layer in read_rounded().values():
            assert layer.kernel.dtype == np.int8
            assert layer.step.dtype == layer.bias.dtype == np.float32
            largest = np.abs(layer.kernel.astype(int)).max(axis=(1, 2, 3))
            assert (largest == make_style_network.LEVELS).all()
            assert (layer.step > 0).all()

    def test_is_what_the_script_makes(self, vgg16):
        made = {
            name: make_style_network.rounded(layer)
            for name, layer in make_style_network.cut(vgg16, make_style_network.LAST).items()
        }
        assert digest_of_layers(made) == SHA256

    def test_changed_value_is_refused(self, monkeypatch):
        layers = read_rounded()
        layers["block2_conv1"].bias[3] += 1
        monkeypatch.setattr(style_network, "read_rounded", lambda: layers)
        with pytest.raises(DataError, match="not the file that was published") as caught:
            read_embedded()
        assert is_one_sentence(str(caught.value))

    @pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
    def test_damaged_file_is_refused(self, damage, monkeypatch, tmp_path):
        content = bytearray((EMBEDDED / PATH).read_bytes())
        if damage == "cut":
            content = content[: len(content) // 2]
        elif damage == "flipped":
            content[len(content) // 2] ^= 1
        elif damage == "empty":
            content = b""
        target = tmp_path / "embedded" / PATH
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
        if damage == "other":
            with target.open("wb") as stream:
                np.savez(stream, other=np.zeros(3))
        monkeypatch.setattr(style_network.resources, "files", lambda package: tmp_path)
        with pytest.raises(DataError, match=r"damaged or cut short.*install the course") as caught:
            load_style_network()
        assert is_one_sentence(str(caught.value))

    def test_missing_file_is_named(self, monkeypatch, tmp_path):
        monkeypatch.setattr(style_network.resources, "files", lambda package: tmp_path)
        with pytest.raises(DataError, match=r"style_network/weights\.npz cannot be read"):
            load_style_network()


class TestNetwork:
    def test_has_the_names_and_shapes_of_vgg16(self, network):
        convolutions = [layer for layer in network.layers if layer.name in LAYERS]
        assert {layer.name: layer.filters for layer in convolutions} == LAYERS
        assert network.name == "style_network"
        assert {*STYLE_LAYERS, CONTENT_LAYER} <= set(LAYERS)
        assert network.count_params() == 2_915_648
        assert not network.trainable_weights

    @pytest.mark.parametrize("size", [(8, 8), (128, 128), (97, 61)])
    def test_takes_pictures_of_any_size(self, network, size):
        maps = outputs(network, STYLE_LAYERS)(np.zeros((2, *size, 3), "float32"))
        for each, halvings in zip(maps, range(4), strict=True):
            assert each.shape[1:3] == tuple(side >> halvings for side in size)
            assert np.isfinite(each).all()

    def test_subtracts_the_mean_colour(self, network):
        mean = np.array(style_network.MEAN, "float32").reshape(1, 1, 1, 3) / 255
        scaled = network.get_layer("scaling")(np.broadcast_to(mean, (1, 8, 8, 3)))
        np.testing.assert_allclose(scaled, 0, atol=1e-4)

    def test_gradients_reach_every_pixel(self, network, picture):
        import tensorflow as tf

        image = tf.Variable(picture)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(network(image))
        assert (np.abs(tape.gradient(loss, image)).sum(axis=-1) > 0).mean() > 0.999

    def test_can_be_saved_and_loaded(self, network, picture, tmp_path):
        import keras

        network.save(tmp_path / "style.keras")
        again = keras.models.load_model(tmp_path / "style.keras")
        np.testing.assert_array_equal(again(picture), network(picture))

    def test_unknown_name_is_named(self):
        with pytest.raises(ValueError, match="no style network 'vgg11'; expected one of embedded"):
            load_style_network("vgg11")

    def test_loads_within_two_seconds_after_keras(self):
        code = (
            "import time, keras, numpy as np; keras.Sequential([keras.layers.Dense(1)])"
            "(np.zeros((1, 1))); from data_scripts.style_network import load_style_network; "
            "begun = time.process_time(); load_style_network(); print(time.process_time() - begun)"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert float(run.stdout.split()[-1]) < 2

    def test_import_is_light(self):
        code = (
            "import sys, data_scripts.style_network, data_scripts.make_style_network; "
            "print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == "[]"


class TestChoice:
    def test_the_embedded_network_has_the_best_style_of_those_that_were_tried(self):
        record = json.loads(style_networks.RECORD.read_text(encoding="utf-8"))
        tried = record["networks"]
        chosen = tried[style_networks.CHOSEN]
        assert record["chosen"] == style_networks.CHOSEN
        assert chosen["bytes"] == (EMBEDDED / PATH).stat().st_size
        assert len(tried) >= 5
        assert chosen["style_distance"] == min(each["style_distance"] for each in tried.values())
        for each in tried.values():
            assert len(each["content_and_style_distance"]) == 6

    def test_the_pictures_are_side_by_side_and_light(self):
        assert style_networks.PICTURE.stat().st_size < 400_000


class TestAgainstVgg16:
    def test_maps_and_gram_matrices_are_close(self, network, vgg16, picture):
        whole = build_style_network(make_style_network.cut(vgg16, CONTENT_LAYER))
        received, expected = (outputs(each, STYLE_LAYERS)(picture) for each in (network, whole))
        for name, ours, theirs in zip(STYLE_LAYERS, received, expected, strict=True):
            assert distance(ours, theirs) < 0.1, name
            assert distance(gram(ours), gram(theirs)) < 0.1, name

    def test_whole_network_equals_keras_applications(self, vgg16, picture):
        import keras

        network = build_style_network(vgg16, pooling="maximum")
        assert list(vgg16)[-1] == "block5_conv3"
        theirs = keras.applications.VGG16(
            include_top=False, weights=str(Path(MIRROR) / "weights" / "vgg16_notop.h5")
        )
        names = [*STYLE_LAYERS, "block5_conv3"]
        prepared = keras.applications.vgg16.preprocess_input(picture * 255)
        pairs = zip(outputs(network, names)(picture), outputs(theirs, names)(prepared), strict=True)
        for ours, others in pairs:
            assert distance(ours, others) < 1e-5

    def test_whole_networks_have_average_pooling_too(self, vgg16, monkeypatch, tmp_path):
        import keras

        monkeypatch.setenv("COURSE_DATA_MIRROR", MIRROR)
        network = load_style_network("vgg16")
        assert network.name == "style_vgg16"
        assert isinstance(network.get_layer("block1_pool"), keras.layers.AveragePooling2D)
        np.testing.assert_array_equal(
            network.get_layer("block5_conv3").get_weights()[0], vgg16["block5_conv3"].kernel
        )


class TestScript:
    def test_rounding_is_off_by_half_a_step_at_most(self):
        drawn = np.random.default_rng(0)
        layer = Convolution(
            drawn.normal(size=(3, 3, 4, 5)).astype("float32"), drawn.random(5, dtype="float32")
        )
        for levels in (7, 31, 127):
            stored = make_style_network.rounded(layer, levels)
            off = np.abs(unrounded(stored).kernel - layer.kernel)
            assert (off <= stored.step * 0.5001).all()
            assert np.abs(stored.kernel).max() == levels
            np.testing.assert_array_equal(unrounded(stored).bias, layer.bias)

    def test_a_filter_of_zeros_stays_one(self):
        layer = Convolution(np.zeros((3, 3, 1, 1), "float32"), np.ones(1, "float32"))
        np.testing.assert_array_equal(
            unrounded(make_style_network.rounded(layer)).kernel, layer.kernel
        )

    def test_packing_gives_the_same_bytes_every_time(self):
        layers = {"block1_conv1": Rounded(*(np.ones(3, "int8") for _ in range(3)))}
        assert make_style_network.pack(layers) == make_style_network.pack(layers)

    def test_representatives_tell_the_other_columns(self):
        drawn = np.random.default_rng(0)
        basis = drawn.normal(size=(50, 3))
        columns = basis @ drawn.normal(size=(3, 9))
        chosen = make_style_network.representatives(columns, 3)
        found, *_ = np.linalg.lstsq(columns[:, chosen], columns, rcond=None)
        np.testing.assert_allclose(columns[:, chosen] @ found, columns, atol=1e-8)

    def test_distilling_to_full_width_gives_the_teacher_back(self, picture):
        drawn = np.random.default_rng(0)
        teacher = {
            "block1_conv1": Convolution(
                drawn.normal(size=(3, 3, 3, 6)).astype("float32") / 50, np.zeros(6, "float32")
            ),
            "block2_conv1": Convolution(
                drawn.normal(size=(3, 3, 6, 4)).astype("float32") / 5, np.ones(4, "float32")
            ),
        }
        noise = drawn.random((4, 32, 32, 3), dtype="float32")
        student = make_style_network.distil(teacher, noise, share=1.0)
        ours, theirs = (build_style_network(each)(noise) for each in (student, teacher))
        assert distance(ours, theirs) < 0.05

    def test_normalisation_is_folded_into_the_small_network(self):
        import keras

        drawn = np.random.default_rng(0)
        pictures = drawn.integers(0, 256, (64, 32, 32, 3), dtype="uint8")
        layers, classifier = make_style_network.train_small_vgg(
            pictures, np.arange(64) % 10, epochs=1
        )
        expected = keras.Model(classifier.input, classifier.layers[-2].output)(
            pictures[:4].astype("float32"), training=False
        )
        maps = build_style_network(layers)(pictures[:4].astype("float32") / 255)
        assert distance(np.asarray(maps).mean(axis=(1, 2)), expected) < 1e-4
