"""Make the embedded network for style transfer from VGG-16.

::

    COURSE_DATA_MIRROR=../shared/data python -m data_scripts.make_style_network

Without a mirror, VGG-16 comes from the cache or from the address that Keras uses (59 MB). Its first
eight convolutions are kept, up to ``block4_conv1``; the kernels become whole numbers, from -31 to
31 times a step that each filter has for itself. That takes a few seconds and no chance is in it:
the decoded arrays come out the same on every machine, and the bytes do where zlib is the same.
``--check`` writes nothing and compares only.

The two other functions make the rivals that were tried and not chosen: :func:`train_small_vgg`, a
small VGG trained on CIFAR-10 from a seed, and :func:`distil`, a VGG of half the width whose maps
imitate those of VGG-16. ``python -m benchmarks.style_networks`` compares them all.
"""

import argparse
import io
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from tqdm import tqdm

from data_scripts.embedding import EMBEDDED
from data_scripts.style_network import (
    CONTENT_LAYER,
    MEAN,
    PATH,
    SHA256,
    Convolution,
    Rounded,
    build_style_network,
    convolutions_of,
    digest_of_layers,
)

LAST = CONTENT_LAYER
LEVELS = 31

# The small VGG: filters of each block, and how it is trained.
SMALL_FILTERS = {
    "block1_conv1": 16,
    "block1_conv2": 16,
    "block2_conv1": 32,
    "block2_conv2": 32,
    "block3_conv1": 64,
    "block3_conv2": 64,
    "block4_conv1": 128,
}
EPOCHS = 3
BATCH = 128
PEAK_RATE = 4e-3

RIDGE = 1e-3
PATCHES = 40_000


def load_vgg16() -> dict[str, Convolution]:
    """Load every convolution of VGG-16, from the cache, the mirror or Keras's address.

    Raises
    ------
    DataError
        If no source has it.
    """
    from data_scripts.networks import load_network

    return convolutions_of(load_network("vgg16", top=False, input_size=None))


def cut(convolutions: Mapping[str, Convolution], last: str) -> dict[str, Convolution]:
    """Keep the convolutions up to one of them, and that one."""
    names = list(convolutions)
    return {name: convolutions[name] for name in names[: names.index(last) + 1]}


def rounded(layer: Convolution, levels: int = LEVELS) -> Rounded:
    """Round a kernel to whole numbers.

    Parameters
    ----------
    layer : Convolution
        Kernel and bias, ``float32``.
    levels : int
        The largest number that a filter may have, at most 127.

    Returns
    -------
    Rounded
        Where the largest weight of each filter is ``levels`` or ``-levels`` exactly.
    """
    step = np.abs(layer.kernel).max(axis=(0, 1, 2)) / np.float32(levels)
    kernel = np.rint(layer.kernel / np.where(step, step, np.float32(1))).transpose(3, 2, 0, 1)
    return Rounded(np.ascontiguousarray(kernel, "int8"), step, layer.bias)


def pack(layers: Mapping[str, Rounded]) -> bytes:
    """The bytes of the embedded file."""
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        **{
            f"{name}/{part}": array
            for name, layer in layers.items()
            for part, array in layer._asdict().items()
        },
    )
    return stream.getvalue()


def train_small_vgg(
    pictures: np.ndarray, labels: np.ndarray, *, seed: int = 1, epochs: int = EPOCHS
) -> tuple[dict[str, Convolution], Any]:
    """Train a small VGG on CIFAR-10; it took 11 minutes on two cores that had much else to do.

    Parameters
    ----------
    pictures : numpy.ndarray
        Shape ``(n, 32, 32, 3)``, dtype ``uint8``.
    labels : numpy.ndarray
        Shape ``(n,)``, 0 … 9.
    seed : int
        Of the first weights, of the order of the pictures and of the flips.
    epochs : int
        Passes over the pictures.

    Returns
    -------
    convolutions : dict
        By name of the layer, batch normalisation folded into them.
    classifier : keras.Model
        The trained whole, which takes pictures 0 … 255.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((32, 32, 3))
    x = layers.RandomFlip("horizontal", seed=seed)(inputs)
    x = layers.Rescaling(1.0, offset=[-channel for channel in MEAN])(x)
    # The maps of the style network are of the size of colours, those in here of the size of 1.
    x = layers.Rescaling(1 / 64)(x)
    block = "block1"
    for name, filters in SMALL_FILTERS.items():
        if not name.startswith(block):
            x = layers.AveragePooling2D(2)(x)
            block = name.partition("_")[0]
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
        x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    classifier = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    steps = epochs * -(-len(pictures) // BATCH)
    classifier.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                PEAK_RATE / 20, steps - steps // 5, warmup_target=PEAK_RATE, warmup_steps=steps // 5
            )
        ),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    classifier.fit(pictures.astype("float32"), labels, batch_size=BATCH, epochs=epochs, verbose=2)
    folded = {}
    for name in SMALL_FILTERS:
        (kernel,) = classifier.get_layer(name).get_weights()
        gamma, beta, mean, variance = classifier.get_layer(f"{name}_bn").get_weights()
        scale = gamma / np.sqrt(variance + classifier.get_layer(f"{name}_bn").epsilon)
        first = 1 / 64 if not folded else 1.0
        folded[name] = Convolution(
            (kernel * scale * first).astype("float32"), (beta - mean * scale).astype("float32")
        )
    return folded, classifier


def distil(
    teacher: Mapping[str, Convolution], pictures: np.ndarray, *, share: float = 0.5, seed: int = 1
) -> dict[str, Convolution]:
    """Make a narrower VGG whose maps imitate some of the maps of a VGG, layer by layer.

    Of each layer those filters are kept from whose maps the other maps can be told best (pivoted
    Cholesky decomposition of their products). Their kernels are then found by ridge regression:
    from the maps that the narrow network has below, to what the teacher computes there before
    ReLU. Nothing is trained by gradients. It took five minutes on two cores that had much else
    to do.

    Parameters
    ----------
    teacher : mapping of str to Convolution
        In order.
    pictures : numpy.ndarray
        Shape ``(n, height, width, 3)``, 0 … 1.
    share : float
        Of the filters that are kept, 0 … 1.
    seed : int
        Of the places in the pictures that count.

    Returns
    -------
    dict
        By name of the layer.
    """
    import keras

    model = build_style_network(teacher)
    drawn = np.random.default_rng(seed)
    theirs = ours = _in_batches(model.get_layer("scaling"), pictures)
    student: dict[str, Convolution] = {}
    block = "block1"
    for name, (kernel, bias) in tqdm(teacher.items(), desc="distilling", unit="layer"):
        if not name.startswith(block):
            pool = model.get_layer(f"{block}_pool")
            theirs, ours = _in_batches(pool, theirs), _in_batches(pool, ours)
            block = name.partition("_")[0]
        theirs_after = _in_batches(model.get_layer(name), theirs)
        places = _places(drawn, theirs.shape)
        goal = _windows(theirs, places) @ kernel.reshape(-1, kernel.shape[-1]) + bias
        kept = representatives(np.maximum(goal, 0), round(share * kernel.shape[-1]))
        window = _windows(ours, places)
        window = np.concatenate([window, np.ones((len(window), 1), "float32")], axis=1)
        products = window.T @ window
        products[np.diag_indices(len(products) - 1)] += RIDGE * np.trace(products) / len(products)
        found = np.linalg.solve(products.astype("float64"), window.T @ goal[:, kept])
        ours_in = ours.shape[-1]
        student[name] = Convolution(
            found[:-1].reshape(3, 3, ours_in, len(kept)).astype("float32"),
            found[-1].astype("float32"),
        )
        layer = keras.layers.Conv2D(len(kept), 3, padding="same", activation="relu")
        layer.build((None, None, None, ours_in))
        layer.set_weights(list(student[name]))
        theirs, ours = theirs_after, _in_batches(layer, ours)
    return student


def representatives(columns: np.ndarray, count: int) -> np.ndarray:
    """Choose columns from which the others follow best, greedily.

    Parameters
    ----------
    columns : numpy.ndarray
        Shape ``(rows, n)``.
    count : int
        How many to choose.

    Returns
    -------
    numpy.ndarray
        Shape ``(count,)``, positions in ascending order.

    Examples
    --------
    >>> representatives(np.array([[3.0, 3.0, 0.0], [0.0, 0.0, 1.0]]), 2)
    array([0, 2])
    """
    left = columns.T.astype("float64") @ columns
    size = np.sqrt(np.diag(left)) + 1e-12
    left /= size[:, None] * size
    chosen: list[int] = []
    for _ in range(count):
        # The column that explains most of all that is left.
        worth = (left**2).sum(axis=0) / np.maximum(np.diag(left), 1e-9)
        worth[chosen] = -1
        best = int(worth.argmax())
        chosen.append(best)
        left -= np.outer(left[:, best], left[best]) / max(left[best, best], 1e-9)
    return np.sort(np.array(chosen))


def _in_batches(layer: Any, maps: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [np.asarray(layer(maps[start : start + 8])) for start in range(0, len(maps), 8)]
    )


def _places(drawn: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Positions in all pictures together, away from their edges; shape ``(n, 3)``."""
    number, height, width, _ = shape
    inner = np.stack(
        np.meshgrid(
            np.arange(number), np.arange(1, height - 1), np.arange(1, width - 1), indexing="ij"
        ),
        axis=-1,
    ).reshape(-1, 3)
    return drawn.permutation(inner)[:PATCHES]


def _windows(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The 3 × 3 windows around places, in a kernel's order; shape ``(n, 9 * channels)``."""
    picture, row, column = places.T
    return np.stack(
        [maps[picture, row + down, column + right] for down in (-1, 0, 1) for right in (-1, 0, 1)],
        axis=1,
    ).reshape(len(places), -1)


def main() -> int:
    """Write the embedded file and print the digest of its arrays."""
    parser = argparse.ArgumentParser(prog="python -m data_scripts.make_style_network")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    layers = {
        name: rounded(layer)
        for name, layer in tqdm(cut(load_vgg16(), LAST).items(), desc="rounding", unit="layer")
    }
    path = EMBEDDED / PATH
    if not options.check:
        content = pack(layers)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{path}, {len(content):,} bytes")
    numbers = sum(array.size for layer in layers.values() for array in layer)
    received = digest_of_layers(layers)
    print(
        f"style_network: {len(layers)} convolutions, {numbers:,} numbers, sha256 {received}, "
        f"{'ok' if received == SHA256 else f'expected {SHA256}'}"
    )
    return int(received != SHA256)


if __name__ == "__main__":
    raise SystemExit(main())
