"""EfficientNet-Lite0 as a Keras model: the network whose weights are embedded in this package.

It is EfficientNet-B0 made for small devices: squeeze-and-excitation is left out, and ReLU6 stands
where B0 has swish. Importing this module does not import Keras; :func:`build` does.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Block:
    """One inverted residual block: expand, convolve each channel by itself, project.

    Parameters
    ----------
    name : str
        Stage and letter: ``"block3b"`` is the second block of stage 3.
    kernel : int
        Side of the depthwise kernel, in pixels.
    stride : int
        Of the depthwise convolution.
    expansion : int
        How many times as many channels the block has inside; 1: it does not expand.
    filters : int
        Channels that leave the block.
    shortcut : bool
        Whether the block's input is added to its output.
    """

    name: str
    kernel: int
    stride: int
    expansion: int
    filters: int
    shortcut: bool


def _blocks() -> tuple[Block, ...]:
    # Blocks, kernel, stride of the first block, expansion, filters: table 1 of the paper.
    stages = (
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    )
    return tuple(
        Block(f"block{stage}{letter}", kernel, 1 if again else stride, expansion, filters, again)
        for stage, (blocks, kernel, stride, expansion, filters) in enumerate(stages, start=1)
        for again, letter in zip((False, True, True, True), "abcd"[:blocks], strict=False)
    )


BLOCKS = _blocks()

STEM_FILTERS = 32
HEAD_FILTERS = 1280


def build(pictures: keras.KerasTensor) -> keras.KerasTensor:
    """Put the layers of EfficientNet-Lite0 on top of an input, without the classifier.

    Parameters
    ----------
    pictures : keras.KerasTensor
        Shape ``(n, height, width, 3)``: red, green, blue, 0 … 255.

    Returns
    -------
    keras.KerasTensor
        Shape ``(n, height / 32, width / 32, 1280)``, sides rounded up, values 0 … 6.

    Notes
    -----
    Sides are halved five times with TensorFlow's ``"same"`` padding, as in the original. The
    dropout and the dropped blocks with which the original was trained are left out.
    """
    from keras import layers

    def normalised(x: keras.KerasTensor, name: str, active: bool = True) -> keras.KerasTensor:
        x = layers.BatchNormalization(name=f"{name}_bn")(x)
        return layers.ReLU(max_value=6, name=f"{name}_relu6")(x) if active else x

    def pointwise(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        return layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_conv")(x)

    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scaling")(pictures)
    x = layers.Conv2D(STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(
        x
    )
    x = normalised(x, "stem")
    for block in BLOCKS:
        shortcut, name = x, block.name
        if block.expansion > 1:
            x = pointwise(x, x.shape[-1] * block.expansion, f"{name}_expand")
            x = normalised(x, f"{name}_expand")
        x = layers.DepthwiseConv2D(
            block.kernel,
            strides=block.stride,
            padding="same",
            use_bias=False,
            name=f"{name}_depthwise_conv",
        )(x)
        x = normalised(x, f"{name}_depthwise")
        x = pointwise(x, block.filters, f"{name}_project")
        x = normalised(x, f"{name}_project", active=False)
        if block.shortcut:
            x = layers.Add(name=f"{name}_add")([shortcut, x])
    return normalised(pointwise(x, HEAD_FILTERS, "head"), "head")
