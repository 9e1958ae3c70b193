"""The network for style transfer: the first eight convolutions of VGG-16, embedded in 1.8 MB.

Importing this module does not import Keras; :func:`load_style_network` does. The file is made by
:mod:`data_scripts.make_style_network`; :mod:`benchmarks.style_networks` compares it with others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from data_scripts.errors import DataError, clause

if TYPE_CHECKING:
    import keras

PATH = "style_network/weights.npz"

# Of the decoded arrays, see `digest_of_layers`.
SHA256 = "ac34426c5e6de19a4db9ca5163e0c9f43e3b4410b10c56574e801c92d0648f2d"

# Mean of ImageNet's pictures: red, green, blue.
MEAN = (123.68, 116.779, 103.939)

STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
CONTENT_LAYER = "block4_conv1"


class Rounded(NamedTuple):
    """A convolution as it is stored: whole numbers, and what they stand for.

    Parameters
    ----------
    kernel : numpy.ndarray
        Shape ``(out, in, height, width)``, dtype ``int8``: filter by filter the file is smaller.
    step : numpy.ndarray
        Shape ``(out,)``, dtype ``float32``: what 1 in the kernel stands for, for each filter.
    bias : numpy.ndarray
        Shape ``(out,)``, dtype ``float32``.
    """

    kernel: np.ndarray
    step: np.ndarray
    bias: np.ndarray


class Convolution(NamedTuple):
    """Kernel ``(height, width, in, out)`` and bias ``(out,)`` of a layer, both ``float32``."""

    kernel: np.ndarray
    bias: np.ndarray


def load_style_network(
    name: Literal["embedded", "vgg16", "vgg19"] = "embedded",
) -> keras.Model:
    """Load a frozen VGG network whose layers describe the content and the style of a picture.

    Parameters
    ----------
    name : {"embedded", "vgg16", "vgg19"}
        ``"embedded"`` ends at ``block4_conv1``, is in this package and needs no network. The other
        two are whole and come from where :func:`data_scripts.load_network` gets them.

    Returns
    -------
    keras.Model
        A functional model. It takes pictures of shape ``(n, height, width, 3)``, red, green, blue,
        0 … 1, sides of 8 or more (16 for the whole networks); the mean colour is subtracted
        inside. It returns the maps of its last layer; ``network.get_layer(name).output`` has those
        of any other, after ReLU:

        ============================  ==============================  =======
        layers                        maps of a picture of side s     filters
        ============================  ==============================  =======
        ``block1_conv1``, ``_conv2``  s × s                           64
        ``block2_conv1``, ``_conv2``  s/2 × s/2, sides rounded down   128
        ``block3_conv1`` … ``_conv3``  s/4 × s/4                      256
        ``block4_conv1``              s/8 × s/8                       512
        ============================  ==============================  =======

        ``trainable`` is False: style transfer changes the picture, never the network.

    Raises
    ------
    ValueError
        If there is no such network.
    DataError
        If the embedded file is not the one that was published, or no source has the whole network.

    Notes
    -----
    Weights of VGG-16, K. Simonyan, A. Zisserman (2015), CC BY 4.0; changed: cut after eight
    convolutions, kernels rounded to 63 levels for each filter, maxima replaced by averages.

    Between the blocks the *average* of 2 × 2 is taken where VGG takes the maximum, in the whole
    networks too. L. Gatys and others found that pictures come out slightly better so: every pixel
    gets a gradient.

    Examples
    --------
    >>> network = load_style_network()
    >>> network(np.zeros((1, 128, 128, 3), "float32")).shape
    TensorShape([1, 16, 16, 512])
    """
    if name == "embedded":
        return build_style_network(read_embedded(), name="style_network")
    if name not in ("vgg16", "vgg19"):
        raise ValueError(
            f"there is no style network {name!r}; expected one of embedded, vgg16, vgg19"
        )
    from data_scripts.networks import load_network

    return build_style_network(
        convolutions_of(load_network(name, top=False, input_size=None)), name=f"style_{name}"
    )


def read_embedded() -> dict[str, Convolution]:
    """Read the embedded file and turn its whole numbers into kernels.

    Returns
    -------
    dict
        By name of the layer, in the order of the network.

    Raises
    ------
    DataError
        If the file is missing, damaged, or not the one that was published.
    """
    rounded = read_rounded()
    received = digest_of_layers(rounded)
    if received != SHA256:
        raise DataError(
            f"the embedded {PATH} is not the file that was published: the SHA-256 of its arrays is "
            f"{received}, expected {SHA256}; install the course again."
        )
    return {name: unrounded(layer) for name, layer in rounded.items()}


def read_rounded() -> dict[str, Rounded]:
    """Read the embedded file as it is, without comparing it with anything.

    Returns
    -------
    dict
        By name of the layer, in the order of the network.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    path = resources.files("data_scripts") / "embedded" / PATH
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            names = dict.fromkeys(name.partition("/")[0] for name in archive.files)
            return {
                name: Rounded(*(archive[f"{name}/{part}"] for part in Rounded._fields))
                for name in names
            }
    except OSError as error:
        raise DataError(
            f"the embedded {PATH} cannot be read ({error.strerror or clause(error)}); install the "
            "course again."
        ) from error
    except Exception as error:  # damaged bytes: zlib.error, BadZipFile, EOFError, KeyError …
        raise DataError(
            f"the embedded {PATH} is damaged or cut short (the decoder said: {clause(error)}); "
            "install the course again."
        ) from error


def digest_of_layers(layers: Mapping[str, Rounded]) -> str:
    """SHA-256 of layers in their order: names, dtypes, shapes and values.

    Values count in little-endian byte order and in C order, whatever the machine.
    """
    total = hashlib.sha256()
    for name, layer in layers.items():
        for part, array in layer._asdict().items():
            little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            total.update(f"{name}/{part} {little.dtype.str} {little.shape}\n".encode())
            total.update(little)
    return total.hexdigest()


def unrounded(layer: Rounded) -> Convolution:
    """Kernel and bias of a stored convolution, as ``float32``."""
    return Convolution(
        layer.kernel.transpose(2, 3, 1, 0).astype("float32") * layer.step, layer.bias
    )


def convolutions_of(network: keras.Model) -> dict[str, Convolution]:
    """Kernels and biases of a VGG network, by name of the layer, in its order."""
    return {
        layer.name: Convolution(*layer.get_weights())
        for layer in network.layers
        if "_conv" in layer.name
    }


def build_style_network(
    convolutions: Mapping[str, Convolution],
    *,
    pooling: Literal["average", "maximum"] = "average",
    name: str = "style_network",
) -> keras.Model:
    """Build a frozen network of 3 × 3 convolutions with ReLU in blocks, 2 × 2 pooling between them.

    Parameters
    ----------
    convolutions : mapping of str to Convolution
        In order, named ``block1_conv1``, ``block1_conv2`` … ; the first takes red, green, blue.
    pooling : {"average", "maximum"}
        What stands between the blocks.
    name : str
        Of the model.

    Returns
    -------
    keras.Model
        From pictures ``(n, height, width, 3)``, 0 … 1, to the maps of the last convolution.
    """
    import keras
    from keras import layers

    pool = layers.AveragePooling2D if pooling == "average" else layers.MaxPooling2D
    pictures = keras.Input((None, None, 3), name="pictures")
    x = layers.Rescaling(255.0, offset=[-channel for channel in MEAN], name="scaling")(pictures)
    block = "block1"
    for layer, (kernel, _) in convolutions.items():
        if not layer.startswith(block):
            x = pool(2, name=f"{block}_pool")(x)
            block = layer.partition("_")[0]
        x = layers.Conv2D(
            kernel.shape[-1], kernel.shape[:2], padding="same", activation="relu", name=layer
        )(x)
    model = keras.Model(pictures, x, name=name)
    for layer, weights in convolutions.items():
        model.get_layer(layer).set_weights(list(weights))
    model.trainable = False
    return model
