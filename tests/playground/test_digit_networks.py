"""The forward passes in NumPy are Keras's, and the embedded weights are those of the record."""

import hashlib

import numpy as np
import pytest

from playground.digit_networks import (
    FOLDER,
    KINDS,
    DigitNetwork,
    example_digits,
    load_network,
    record,
    write_network,
)
from playground.make_digit_models import BEST_POSSIBLE, keras_network, rounded

EMBEDDED_BYTES = 1_000_000


@pytest.fixture(scope="module")
def digits():
    return example_digits()[0][::4].astype(np.float32) / 255


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_gives_what_keras_gives(kind, digits):
    ours = load_network(kind)
    model = keras_network(kind)
    pairs = iter(ours.weights)
    computing = []
    for layer in model.layers:
        if layer.count_params():
            layer.set_weights(next(pairs))
        if not layer.name.startswith(("flatten", "dropout")):
            computing.append(layer)
    values, stages = digits[..., np.newaxis], ours.stages(digits)
    assert len(stages) == len(computing) + 1
    found = iter(stages[1:])
    for layer in model.layers:
        values = np.asarray(layer(values))
        if layer in computing:
            name, mine = next(found)
            assert mine.shape == values.shape, name
            assert np.allclose(mine, values, rtol=1e-5, atol=1e-5 * np.abs(values).max()), name
    assert np.abs(ours(digits) - np.asarray(model(digits[..., np.newaxis]))).max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_the_one_that_was_measured(kind):
    path, told = FOLDER / f"{kind}.npz", record()[kind]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    assert told["test_digits"] == 10_000
    assert told["accuracy"] >= BEST_POSSIBLE[kind]
    assert told["parameters"] == sum(w.size + b.size for w, b in load_network(kind).weights)


def test_everything_embedded_is_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < EMBEDDED_BYTES


def test_the_examples_are_read():
    """A hundred digits that no network has learned from."""
    digits, labels = example_digits()
    assert digits.shape == (100, 28, 28)
    assert np.array_equal(np.bincount(labels), [10] * 10)
    for kind in KINDS:
        read = load_network(kind)(digits.astype(np.float32) / 255).argmax(axis=1)
        assert (read == labels).sum() >= 96, kind


def test_rounding_keeps_a_weight_within_half_a_step():
    weights = np.random.default_rng(0).normal(size=(2, 2, 3, 8)).astype(np.float32)
    weights[..., 3] = 0  # a unit that is off
    for bits in (4, 6, 8):
        whole, scale = rounded(weights, bits)
        assert whole.dtype == np.int8
        assert np.abs(whole).max() == 2 ** (bits - 1) - 1
        assert (np.abs(whole * scale - weights) <= scale / 2 + 1e-6).all()


def test_what_is_written_is_read_again(tmp_path):
    rng = np.random.default_rng(1)
    sizes = [(784, 5), (5, 10)]
    layers = [(*rounded(rng.normal(size=size), 8), rng.normal(size=size[1])) for size in sizes]
    write_network("mlp", layers, tmp_path)
    network = load_network("mlp", tmp_path)
    for (whole, scale, bias), (weights, read_bias) in zip(layers, network.weights, strict=True):
        assert np.allclose(whole * scale, weights)
        assert np.allclose(bias, read_bias)
    assert np.allclose(network(rng.random((3, 28, 28))).sum(axis=1), 1)


def test_wrong_input_gets_a_sentence():
    with pytest.raises(ValueError, match="there is no network 'rnn'"):
        load_network("rnn")
    with pytest.raises(ValueError, match=r"\(28, 28\); expected \(n, 28, 28\)"):
        load_network("mlp")(np.zeros((28, 28)))


def test_large_scores_do_not_overflow():
    network = DigitNetwork("mlp", [(np.full((784, 10), 100.0), np.zeros(10))])
    found = network(np.ones((1, 28, 28)))
    assert np.isfinite(found).all()
    assert np.allclose(found.sum(), 1)
