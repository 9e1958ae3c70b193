"""Networks that learned from ImageNet: what they recognise, and that their weights are right."""

import shutil
import time

import numpy as np
import pytest
from small_data import is_one_sentence, weights_file

import data_scripts
from data_scripts import (
    DataError,
    imagenet_class_names,
    load_network,
    load_photograph,
    network_at_hand,
    square_picture,
    top_classes,
)
from data_scripts.digests import digest_of_weights
from data_scripts.efficientnet import BLOCKS
from data_scripts.embedding import EMBEDDED
from data_scripts.network_catalogue import (
    EFFICIENTNET_LITE0,
    NETWORKS,
    WEIGHTS,
    WeightFile,
    Weights,
)
from data_scripts.photographs import PHOTOGRAPHS

# What a person who knows the 1,000 names would say. There is no dahlia among them: the daisy is
# the nearest flower.
RIGHT = {
    "camera": {"tripod", "reflex camera"},
    "coffee": {"espresso", "cup", "coffee mug"},
    "chelsea": {"tabby", "tiger cat", "Egyptian cat"},
    "rocket": {"missile", "projectile", "space shuttle"},
    "china": {"palace", "monastery"},
    "flower": {"daisy"},
}


@pytest.fixture(scope="module")
def pictures():
    """Six photographs, shape (6, 224, 224, 3), uint8."""
    return np.stack([square_picture(load_photograph(name)) for name in RIGHT])


@pytest.fixture(scope="module")
def network():
    return load_network("efficientnet_lite0")


@pytest.fixture(scope="module")
def arrays():
    """The embedded arrays, read without this package's help."""
    with np.load(EMBEDDED / "efficientnet_lite0" / "weights.npz") as archive:
        return {name: archive[name] for name in archive.files}


class TestEfficientNet:
    def test_recognises_at_least_five_of_six_photographs(self, network, pictures):
        found = top_classes(network.predict(pictures, verbose=0))
        right = [
            name
            for name, classes in zip(RIGHT, found, strict=True)
            if RIGHT[name] & {label for label, _ in classes}
        ]
        assert set(RIGHT) == set(PHOTOGRAPHS)
        assert len(right) >= 5, found

    def test_is_sure_of_the_easy_ones(self, network, pictures):
        found = dict(zip(RIGHT, top_classes(network.predict(pictures, verbose=0), 1), strict=True))
        assert found["coffee"][0][0] == "espresso"
        assert found["camera"][0][0] == "tripod"
        assert found["coffee"][0][1] > 0.9
        assert found["camera"][0][1] > 0.9

    def test_loads_in_under_three_seconds(self, network):
        began = time.process_time()  # of this process: others may be busy beside it
        load_network("efficientnet_lite0")
        assert time.process_time() - began < 3

    def test_is_small(self):
        size = (EMBEDDED / EFFICIENTNET_LITE0.embedded.path).stat().st_size
        assert size == EFFICIENTNET_LITE0.embedded.size < 10_000_000

    def test_equals_a_forward_pass_in_numpy(self, network, pictures, arrays):
        """Stem and all 16 blocks, written without Keras from the definition of each layer."""
        import keras

        picture = pictures[1, 32:160, 48:176]  # 128 × 128 pixels of the coffee
        expected = forward(picture, arrays)
        network = load_network("efficientnet_lite0", input_size=None)
        names = ["stem_relu6", *(f"{block.name}_project_bn" for block in BLOCKS), "logits"]
        names = [name.replace("_project_bn", "_add") if b else name for name, b in shortcuts(names)]
        outputs = keras.Model(network.input, [network.get_layer(name).output for name in names])
        for name, values in zip(names, outputs(picture[None]), strict=True):
            np.testing.assert_allclose(
                values[0], expected[name], rtol=0, atol=2e-4, err_msg=f"layer {name}"
            )

    def test_convolutions_give_the_statistics_that_imagenet_gave(self, network, pictures):
        """A wrong order of axes, scaling or padding would shift them far."""
        import keras

        layers = [layer for layer in network.layers if layer.name.endswith("_conv")]
        outputs = keras.Model(network.input, [layer.output for layer in layers])
        shifts = {}
        for layer, values in zip(layers, outputs.predict(pictures, verbose=0), strict=True):
            normalisation = network.get_layer(layer.name.removesuffix("conv") + "bn")
            mean = normalisation.moving_mean.numpy()
            deviation = np.sqrt(normalisation.moving_variance.numpy() + 1e-3)
            shifts[layer.name] = np.median(np.abs(values.mean(axis=(0, 1, 2)) - mean) / deviation)
        assert len(shifts) == 49
        assert max(shifts.values()) < 0.5, shifts
        assert np.median(list(shifts.values())) < 0.2, shifts

    def test_layers_have_the_field_s_names(self, network):
        names = [layer.name for layer in network.layers]
        assert names[:4] == ["pictures", "scaling", "stem_conv", "stem_bn"]
        assert names[-6:] == [
            "head_conv", "head_bn", "head_relu6", "global_average_pooling", "logits", "predictions"
        ]  # fmt: skip
        assert {"block1a_depthwise_conv", "block3b_add", "block7a_project_bn"} <= set(names)
        assert "block1a_expand_conv" not in names
        assert network.name == "efficientnet_lite0"

    def test_has_as_many_parameters_as_published(self, network):
        trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
        assert trained == 4_652_008
        assert load_network("efficientnet_lite0", top=False).count_params() == 3_413_024

    @pytest.mark.parametrize(
        ("size", "maps"), [(32, (1, 1)), (224, (7, 7)), ((96, 161), (3, 6)), (None, (None, None))]
    )
    def test_takes_any_size(self, size, maps):
        network = load_network("efficientnet_lite0", top=False, input_size=size)
        assert network.output_shape == (None, *maps, 1280)

    def test_one_layer_gives_logits_and_the_next_the_softmax(self, network, pictures):
        import keras

        both = keras.Model(network.input, [network.get_layer("logits").output, network.output])
        logits, probabilities = both.predict(pictures, verbose=0)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        np.testing.assert_allclose(
            probabilities, powers / powers.sum(axis=1, keepdims=True), atol=1e-6
        )

    def test_gradients_reach_the_picture(self, network, pictures):
        import tensorflow as tf

        picture = tf.constant(pictures[1:2], "float32")
        with tf.GradientTape() as tape:
            tape.watch(picture)
            probability = network(picture)[0, imagenet_class_names().index("espresso")]
        gradient = tape.gradient(probability, picture).numpy()
        assert np.isfinite(gradient).all()
        assert (gradient != 0).mean() > 0.9

    def test_frozen_it_keeps_imagenet_s_statistics(self, pictures):
        import keras

        body = load_network("efficientnet_lite0", top=False, input_size=64)
        body.trainable = False
        before = [weight.copy() for weight in body.get_weights()]
        head = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(body.output))
        model = keras.Model(body.input, head)
        model.compile("adam", "mse", run_eagerly=True)  # tracing would take longer
        model.fit(pictures[:, :64, :64], np.eye(2)[[0, 1, 0, 1, 0, 1]], epochs=2, verbose=0)
        for now, then in zip(body.get_weights(), before, strict=True):
            np.testing.assert_array_equal(now, then)

    def test_it_can_be_fine_tuned(self, pictures):
        import keras

        keras.utils.set_random_seed(1)
        body = load_network("efficientnet_lite0", top=False, input_size=64)
        head = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(body.output))
        model = keras.Model(body.input, head)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-3), loss, run_eagerly=True)
        losses = model.fit(
            pictures[:, :64, :64], np.array([0, 1, 0, 1, 0, 1]), epochs=6, verbose=0
        ).history["loss"]
        assert losses[-1] < 0.5 * losses[0]

    def test_without_training_it_knows_nothing(self, network, pictures):
        empty = load_network("efficientnet_lite0", pretrained=False)
        assert [w.shape for w in empty.weights] == [w.shape for w in network.weights]
        assert empty.predict(pictures, verbose=0).max() < 0.1

    def test_it_can_be_stored_and_read_back(self, network, pictures, tmp_path):
        import keras

        network.save(tmp_path / "network.keras")
        again = keras.models.load_model(tmp_path / "network.keras")
        np.testing.assert_array_equal(
            again.predict(pictures, verbose=0), network.predict(pictures, verbose=0)
        )

    def test_two_copies_share_nothing(self, network):
        other = load_network("efficientnet_lite0")
        other.layers[2].set_weights([np.zeros((3, 3, 3, 32))])
        assert network.layers[2].get_weights()[0].any()

    @pytest.fixture
    def folder(self, tmp_path):
        """Where the network's file would lie; the names of the classes lie beside it."""
        folder = tmp_path / "embedded" / "efficientnet_lite0"
        folder.mkdir(parents=True)
        shutil.copytree(EMBEDDED / "imagenet", tmp_path / "embedded" / "imagenet")
        return folder

    def test_damaged_file_is_refused(self, monkeypatch, tmp_path, folder):
        content = bytearray((EMBEDDED / EFFICIENTNET_LITE0.embedded.path).read_bytes())
        monkeypatch.setattr("data_scripts.network_files.resources.files", lambda _: tmp_path)
        for position in (0, 1_000, 4_000_000):
            changed = content.copy()
            changed[position] ^= 1
            (folder / "weights.npz").write_bytes(changed)
            with pytest.raises(DataError, match="install the course again") as caught:
                load_network("efficientnet_lite0")
            assert is_one_sentence(str(caught.value))
        (folder / "weights.npz").unlink()
        with pytest.raises(DataError, match=r"cannot be read .*; install the course again"):
            load_network("efficientnet_lite0")

    def test_other_values_are_refused(self, monkeypatch, tmp_path, folder, arrays):
        monkeypatch.setattr("data_scripts.network_files.resources.files", lambda _: tmp_path)
        np.savez(folder / "weights.npz", **(arrays | {"logits/bias": arrays["logits/bias"] + 1}))
        with pytest.raises(DataError, match=r"has values with SHA-256 .*, expected a32a"):
            load_network("efficientnet_lite0")


def shortcuts(names):
    """Names of layers, and whether a shortcut is added behind each."""
    added = {f"{block.name}_project_bn" for block in BLOCKS if block.shortcut}
    return [(name, name in added) for name in names]


def forward(picture, arrays):
    """What EfficientNet-Lite0 computes, by name of layer: NumPy, channels last, one picture."""

    def convolution(x, layer, stride=1):
        kernel = arrays[f"{layer}/kernel"].astype("float32")
        side = kernel.shape[0]
        size = [-(-length // stride) for length in x.shape[:2]]
        over = [
            max((n - 1) * stride + side - length, 0)
            for n, length in zip(size, x.shape[:2], strict=True)
        ]
        # TensorFlow's "same": half of the zeros before, the odd one after.
        x = np.pad(x, [*((zeros // 2, zeros - zeros // 2) for zeros in over), (0, 0)])
        total = 0
        for row in range(side):
            for column in range(side):
                seen = x[row::stride, column::stride][: size[0], : size[1]]
                weight = kernel[row, column]
                depthwise = layer.endswith("depthwise_conv")
                total = total + (seen * weight[:, 0] if depthwise else seen @ weight)
        return total

    def normalised(x, layer):
        gamma, beta, mean, variance = (
            arrays[f"{layer}/{weight}"]
            for weight in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def active(x, layer, stride=1):
        x = normalised(convolution(x, f"{layer}_conv", stride), f"{layer}_bn")
        return np.clip(x, 0, 6)

    found = {}
    x = active((picture.astype("float32") - 127) / 128, "stem", 2)
    found["stem_relu6"] = x
    # Names and strides are written out: a mistake in the module's table must not repeat here.
    strides = {"block2a": 2, "block3a": 2, "block4a": 2, "block6a": 2}
    stages = ("1a", "2ab", "3ab", "4abc", "5abc", "6abcd", "7a")
    for name in (f"block{stage[0]}{letter}" for stage in stages for letter in stage[1:]):
        y = x if name == "block1a" else active(x, f"{name}_expand")
        y = active(y, f"{name}_depthwise", strides.get(name, 1))
        y = normalised(convolution(y, f"{name}_project_conv"), f"{name}_project_bn")
        if y.shape == x.shape:
            x = found[f"{name}_add"] = x + y
        else:
            x = found[f"{name}_project_bn"] = y
    x = active(x, "head").mean(axis=(0, 1))
    found["logits"] = x @ arrays["logits/kernel"].astype("float32") + arrays["logits/bias"]
    return found


def as_keras_made_them(model, path):
    """Store a model of Keras as its weights have always been stored."""
    layers = {layer.name: layer.get_weights() for layer in model.layers}
    return weights_file(path, {name: arrays for name, arrays in layers.items() if arrays})


def entry(name, path, model, **described):
    """An entry of the catalogue for one file in the cache, accepted for its arrays."""
    arrays = model.get_weights()
    file = WeightFile("weights/x.h5", path.stat().st_size, digest_of_weights(arrays), **described)
    return Weights(name, sum(array.size for array in arrays), file, ())


def undrawn():
    """Layers without values: those of a whole VGG network would fill half a gigabyte."""
    import keras

    return keras.StatelessScope(initialize_variables=False)


class TestOthers:
    def test_vgg_is_the_one_of_keras_with_its_scaling_inside(
        self, pictures, cache_folder, monkeypatch
    ):
        import keras

        keras.utils.set_random_seed(2)
        original = keras.applications.VGG16(weights=None, include_top=False)
        cache_folder.mkdir()
        path = as_keras_made_them(original, cache_folder / "vgg16_notop.h5")
        monkeypatch.setitem(NETWORKS["vgg16"].files, False, entry("vgg16_notop", path, original))
        assert network_at_hand("vgg16", top=False)
        network = load_network("vgg16", top=False)
        small = pictures[:2, 50:150, 60:190]
        scaled = keras.applications.vgg16.preprocess_input(small.astype("float32"))
        expected = original.predict(scaled, verbose=0)
        received = load_network("vgg16", top=False, input_size=None).predict(small, verbose=0)
        assert expected.any()
        np.testing.assert_allclose(received, expected, atol=1e-5 * np.abs(expected).max())
        assert network.output_shape == (None, 7, 7, 512)
        assert [layer.name for layer in network.layers][2:] == [
            layer.name for layer in original.layers
        ][1:]

    def test_mobilenet_with_folded_normalisation_stays_frozen(
        self, pictures, cache_folder, monkeypatch
    ):
        import keras

        keras.utils.set_random_seed(3)
        original = keras.applications.MobileNetV2(weights=None)
        cache_folder.mkdir()
        path = as_keras_made_them(original, cache_folder / "mobilenet_v2.h5")
        folded = entry("mobilenet_v2", path, original, folded=True)
        monkeypatch.setitem(NETWORKS["mobilenet_v2"].files, True, folded)
        network = load_network("mobilenet_v2")
        expected = original.predict(pictures / 127.5 - 1, verbose=0)
        np.testing.assert_allclose(network.predict(pictures, verbose=0), expected, atol=1e-6)
        assert network.name == "mobilenet_v2_rounded"
        # Its normalisation measures nothing, in training neither.
        np.testing.assert_allclose(network(pictures, training=True), expected, atol=1e-6)

        unfolded = entry("mobilenet_v2", path, original)
        monkeypatch.setitem(NETWORKS["mobilenet_v2"].files, True, unfolded)
        network = load_network("mobilenet_v2")
        assert network.name == "mobilenet_v2"
        assert network.get_layer("bn_Conv1").trainable

    @pytest.mark.parametrize("name", WEIGHTS)
    def test_has_as_many_numbers_as_the_catalogue_says(self, name):
        kind = name.removesuffix("_notop")
        with undrawn():
            network = load_network(kind, top=kind == name, pretrained=False)
        assert network.count_params() == WEIGHTS[name].numbers
        assert WEIGHTS[name] is NETWORKS[kind].files[kind == name]
        assert network.layers[1].name == "scaling"

    def test_vgg19_has_the_layers_of_keras(self):
        import keras

        with undrawn():
            original = keras.applications.VGG19(weights=None)
            network = load_network("vgg19", pretrained=False)
        assert [w.shape for w in network.weights] == [w.shape for w in original.weights]

    def test_weights_of_another_network_are_refused(self, cache_folder, monkeypatch):
        import keras

        other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        cache_folder.mkdir()
        path = as_keras_made_them(other, cache_folder / "vgg19_notop.h5")
        monkeypatch.setitem(NETWORKS["vgg19"].files, False, entry("vgg19_notop", path, other))
        with pytest.raises(DataError, match=r"array 1 has shape .*, expected \(3, 3, 3, 64\)"):
            load_network("vgg19", top=False)


class TestRefusals:
    def test_unknown_network(self):
        for function in (load_network, network_at_hand):
            with pytest.raises(ValueError, match="no network 'resnet'; expected one of efficientn"):
                function("resnet")

    @pytest.mark.parametrize("size", [31, 0, -5, 224.0, "224", (224,), (224, 16), (64, 64, 3)])
    def test_sizes(self, size):
        with pytest.raises(ValueError, match=r"input_size is .*, expected a whole number of pix"):
            load_network("efficientnet_lite0", input_size=size)

    @pytest.mark.parametrize("size", [None, 225, (224, 96)])
    def test_vgg_with_its_top_takes_one_size(self, size):
        with pytest.raises(ValueError, match="expected 224 for vgg16 with its top; use top=False"):
            load_network("vgg16", input_size=size)

    def test_offline_says_what_to_do(self, monkeypatch, server):
        import dataclasses

        server.fail("404")
        offline = dataclasses.replace(WEIGHTS["vgg19"], base=server.address)
        monkeypatch.setitem(NETWORKS["vgg19"].files, True, offline)
        assert not network_at_hand("vgg19")
        with pytest.raises(DataError, match="vgg19 could not be fetched") as caught:
            load_network("vgg19")
        assert is_one_sentence(str(caught.value))
        for words in ("connect to the internet", "COURSE_DATA_MIRROR", "efficientnet_lite0"):
            assert words in str(caught.value)


class TestClasses:
    def test_names(self):
        names = imagenet_class_names()
        assert len(names) == len(set(names)) == 1000
        assert names[0] == "tench"
        assert names[281] == "tabby"
        assert names[134] == "crane (bird)"
        assert names[517] == "crane (machine)"
        assert names[-1] == "toilet tissue"
        assert not any("_" in name or name != name.strip() for name in names)

    def test_names_are_the_caller_s_own(self):
        imagenet_class_names().clear()
        assert len(imagenet_class_names()) == 1000

    def test_identifiers_are_in_order(self):
        identifiers = [identifier for identifier, _ in data_scripts.imagenet.read_classes()]
        assert identifiers == sorted(set(identifiers))

    def test_damaged_table_is_refused(self, monkeypatch, tmp_path):
        from data_scripts import imagenet

        folder = tmp_path / "embedded" / "imagenet"
        folder.mkdir(parents=True)
        (folder / "classes.tsv").write_text("n01440764\tshark\n")
        monkeypatch.setattr(imagenet.resources, "files", lambda _: tmp_path)
        with pytest.raises(ValueError, match=r"classes is damaged: .*; install the course again"):
            imagenet.read_classes.__wrapped__()

    def test_top_classes(self):
        probabilities = np.zeros((2, 1000), "float32")
        probabilities[0, [7, 8, 9]] = 0.2, 0.5, 0.3
        probabilities[1, 0] = 1
        assert top_classes(probabilities[0], 2) == [("hen", 0.5), ("ostrich", pytest.approx(0.3))]
        first, second = top_classes(probabilities, 1)
        assert first == [("hen", 0.5)]
        assert second == [("tench", 1.0)]
        assert len(top_classes(probabilities[0])) == 5
        assert all(type(value) is float for _, value in top_classes(probabilities[0]))

    def test_top_classes_refuses_what_it_cannot_name(self):
        with pytest.raises(
            ValueError, match=r"shape \(7, 7, 1280\), expected \(1000,\) or \(n, 10"
        ):
            top_classes(np.zeros((7, 7, 1280)))
        for k in (0, 1001):
            with pytest.raises(ValueError, match=f"k is {k}, expected 1 … 1000"):
                top_classes(np.zeros(1000), k)


class TestSquarePicture:
    def test_is_the_middle(self):
        picture = np.zeros((40, 100, 3), "uint8")
        picture[:, 30:70] = 200
        np.testing.assert_array_equal(square_picture(picture, 40), np.full((40, 40, 3), 200))

    def test_grey_pictures_get_three_equal_channels(self):
        picture = square_picture(load_photograph("camera"), 100)
        assert picture.shape == (100, 100, 3)
        assert picture.dtype == np.uint8
        assert (picture[..., 0] == picture[..., 2]).all()

    @pytest.mark.parametrize(
        "picture",
        [np.zeros((4, 4)), np.zeros((4, 4, 4), "uint8"), np.zeros(4, "uint8"),
         np.zeros((0, 4, 3), "uint8")],
    )  # fmt: skip
    def test_refuses_what_is_no_picture(self, picture):
        with pytest.raises(ValueError, match=r"the picture has shape .*, expected \(height, width"):
            square_picture(picture)
