"""VGG-16 and VGG-19 as Keras layers: nothing but 3 × 3 convolutions, ReLU and pooling.

Importing this module does not import Keras; :func:`build` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

# Convolutions in each of the five blocks.
VGG16_BLOCKS = (2, 2, 3, 3, 3)
VGG19_BLOCKS = (2, 2, 4, 4, 4)

FILTERS = (64, 128, 256, 512, 512)

# Mean of ImageNet's pictures: red, green, blue.
MEAN = (123.68, 116.779, 103.939)


def build(pictures: keras.KerasTensor, blocks: Sequence[int]) -> keras.KerasTensor:
    """Put the five blocks of a VGG network on top of an input, without the classifier.

    Parameters
    ----------
    pictures : keras.KerasTensor
        Shape ``(n, height, width, 3)``: red, green, blue, 0 … 255.
    blocks : sequence of int
        Convolutions in each block.

    Returns
    -------
    keras.KerasTensor
        Shape ``(n, height / 32, width / 32, 512)``, sides rounded down.

    Notes
    -----
    Layers have Keras's names: ``block1_conv1`` … ``block5_pool``.
    """
    from keras import layers

    x = layers.Normalization(mean=MEAN, variance=(1.0, 1.0, 1.0), name="scaling")(pictures)
    for block, (convolutions, filters) in enumerate(zip(blocks, FILTERS, strict=True), start=1):
        for number in range(1, convolutions + 1):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{number}"
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return x


def dense_layers(maps: keras.KerasTensor) -> keras.KerasTensor:
    """Add the two large dense layers that stand between the maps and the classes.

    Parameters
    ----------
    maps : keras.KerasTensor
        Shape ``(n, 7, 7, 512)``.

    Returns
    -------
    keras.KerasTensor
        Shape ``(n, 4096)``.
    """
    from keras import layers

    x = layers.Flatten(name="flatten")(maps)
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
    return x


def red_first(kernel: np.ndarray) -> np.ndarray:
    """Turn the first kernel round, which was trained on pictures with blue first.

    Parameters
    ----------
    kernel : numpy.ndarray
        Shape ``(3, 3, 3, 64)``, input channels blue, green, red.

    Returns
    -------
    numpy.ndarray
        The same values, input channels red, green, blue.
    """
    return kernel[:, :, ::-1]
