"""From a name to a Keras network that has learned from ImageNet.

Importing this module does not import Keras; :func:`load_network` does.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from data_scripts import efficientnet, network_files, vgg
from data_scripts.errors import DataError, SourceFailed
from data_scripts.imagenet import imagenet_class_names
from data_scripts.network_catalogue import NETWORKS, Network

if TYPE_CHECKING:
    import keras

SMALLEST = 32

# The classifier of a VGG network takes maps of 7 × 7 and no others.
_VGG_SIZE = 224

_VGG_BLOCKS = {"vgg16": vgg.VGG16_BLOCKS, "vgg19": vgg.VGG19_BLOCKS}

NetworkName = Literal["efficientnet_lite0", "vgg16", "vgg19", "mobilenet_v2"]


def load_network(
    name: NetworkName,
    *,
    top: bool = True,
    input_size: int | tuple[int, int] | None = 224,
    pretrained: bool = True,
) -> keras.Model:
    """Load a network that has learned to tell the 1,000 classes of ImageNet apart.

    Parameters
    ----------
    name : {"efficientnet_lite0", "vgg16", "vgg19", "mobilenet_v2"}
        ``"efficientnet_lite0"`` is embedded in this package and needs no network. The others come
        from the cache, then from ``COURSE_DATA_MIRROR``, then from the address that Keras uses.
    top : bool
        Whether the network ends in probabilities of the 1,000 classes; otherwise in the maps of
        its last convolution or pooling.
    input_size : int, pair of int or None
        Side of a picture in pixels, or its height and width, 32 or more. None: a network that
        takes any size. With its top, a VGG network takes 224 only.
    pretrained : bool
        False: the same layers with random weights, as before training.

    Returns
    -------
    keras.Model
        A functional model. It takes pictures of shape ``(n, height, width, 3)`` as they are, red,
        green, blue, 0 … 255, of any dtype: what the network does to them before its first
        convolution is its first layer, ``"scaling"``. Without its top it returns, for 224 × 224:

        ===================  ==================  ==========  ================================
        name                 maps                parameters  the last layers of the maps
        ===================  ==================  ==========  ================================
        efficientnet_lite0   ``(n, 7, 7, 1280)``  3,413,024  ``head_conv``, ``head_relu6``
        vgg16                ``(n, 7, 7, 512)``  14,714,688  ``block5_conv3``, ``block5_pool``
        vgg19                ``(n, 7, 7, 512)``  20,024,384  ``block5_conv4``, ``block5_pool``
        mobilenet_v2         ``(n, 7, 7, 1280)``  2,257,984  ``Conv_1``, ``out_relu``
        ===================  ==================  ==========  ================================

        With its top it returns probabilities, shape ``(n, 1000)``; the layer ``"logits"`` gives
        the logits, ``"predictions"`` the softmax of them. Before them comes
        ``"global_average_pooling"``, in a VGG network ``"flatten"``, ``"fc1"`` and ``"fc2"``.

    Raises
    ------
    ValueError
        If there is no such network, or it does not take such pictures.
    DataError
        If no source can give the weights; the message is one sentence that says what to do.

    Warns
    -----
    DataWarning
        If the weights are right, yet the cache is damaged or cannot be written.

    See Also
    --------
    data_scripts.top_classes : names of the most probable classes.
    data_scripts.network_at_hand : whether loading needs the internet.

    Notes
    -----
    **Freezing.** Layers are trainable, as Keras makes them. Set ``network.trainable = False`` for
    frozen use: batch normalisation then keeps the mean and variance of ImageNet, in training too.

    **EfficientNet-Lite0**, M. Tan, Q. V. Le (2019); Apache-2.0. Its scaling is ``(x − 127) / 128``.
    The blocks are called ``block1a`` … ``block7a``, and in each the layers ``expand_conv``,
    ``expand_bn``, ``expand_relu6``, ``depthwise_conv``, ``depthwise_bn``, ``depthwise_relu6``,
    ``project_conv``, ``project_bn`` and, where there is a shortcut, ``add``. Kernels were stored
    as float16 and are float32 here.

    **VGG-16, VGG-19**, K. Simonyan, A. Zisserman (2015); CC BY 4.0. The scaling subtracts
    ImageNet's mean colour. The network was trained with blue first; here it takes red first like
    every other, and its first kernel was turned round instead.

    **MobileNetV2**, M. Sandler and others (2018); Apache-2.0. Its scaling is ``x / 127.5 − 1``.
    Keras publishes no checksum of it. A mirror may have a version whose kernels were rounded to 8
    bits and have batch normalisation folded in: then the model's name ends in ``_rounded`` and its
    normalisation layers are frozen one by one, for a mean and variance measured anew would spoil
    it. Use that version frozen; do not set ``trainable`` of the whole network to True.

    Examples
    --------
    >>> network = load_network("efficientnet_lite0")
    >>> network.predict(pictures).shape
    (8, 1000)
    """
    if name not in NETWORKS:
        raise ValueError(f"there is no network {name!r}; expected one of {', '.join(NETWORKS)}")
    height, width = _sides(name, top, input_size)
    network = NETWORKS[name]
    if not pretrained:
        return _built(name, top, (height, width))
    if network.embedded:
        model = _built(name, top, (height, width))
        arrays = _embedded(network)
        _assign(model, [arrays[_key(variable)] for variable in model.weights], name)
        return model
    found, _ = network_files.fetch(network.files[top], must_keep=False)
    model = _built(f"{name}_rounded" if found.version.folded else name, top, (height, width))
    _assign(model, found.arrays, name)
    if name in _VGG_BLOCKS:
        first = model.get_layer("block1_conv1")
        kernel, bias = first.get_weights()
        first.set_weights([vgg.red_first(kernel), bias])
    if found.version.folded:
        _freeze_normalisation(model)
    return model


def network_at_hand(name: NetworkName, *, top: bool = True) -> bool:
    """Tell whether a network can be loaded without the internet.

    Parameters
    ----------
    name : {"efficientnet_lite0", "vgg16", "vgg19", "mobilenet_v2"}
        Of the network.
    top : bool
        With its classifier or without.

    Returns
    -------
    bool
        True if its weights are embedded, or if they are in the cache or in the folder that
        ``COURSE_DATA_MIRROR`` names. They are not checked here.

    Raises
    ------
    ValueError
        If there is no such network.
    """
    if name not in NETWORKS:
        raise ValueError(f"there is no network {name!r}; expected one of {', '.join(NETWORKS)}")
    network = NETWORKS[name]
    return bool(network.embedded) or network_files.at_hand(network.files[top])


def _sides(
    name: str, top: bool, size: int | tuple[int, int] | None
) -> tuple[int | None, int | None]:
    """Height and width of a picture, or an error that says what the network takes."""
    if top and name in _VGG_BLOCKS and size not in (_VGG_SIZE, (_VGG_SIZE, _VGG_SIZE)):
        raise ValueError(
            f"input_size is {size!r}, expected {_VGG_SIZE} for {name} with its top; use top=False "
            "for any other"
        )
    if size is None:
        return None, None
    sides = tuple(size) if isinstance(size, Sequence) else (size, size)
    whole = all(isinstance(side, int | np.integer) for side in sides)
    if len(sides) != 2 or not whole or min(sides) < SMALLEST:
        raise ValueError(
            f"input_size is {size!r}, expected a whole number of pixels or a pair (height, width), "
            f"{SMALLEST} or more, or None for any size"
        )
    return int(sides[0]), int(sides[1])


def _built(name: str, top: bool, sides: tuple[int | None, int | None]) -> keras.Model:
    """The layers of a network, with random weights."""
    import keras

    pictures = keras.Input((*sides, 3), name="pictures")
    kind = name.removesuffix("_rounded")
    if kind in _VGG_BLOCKS:
        x = vgg.build(pictures, _VGG_BLOCKS[kind])
    elif kind == "mobilenet_v2":
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scaling")(pictures)
        x = keras.applications.MobileNetV2(input_tensor=x, include_top=False, weights=None).output
    else:
        x = efficientnet.build(pictures)
    if top:
        if kind in _VGG_BLOCKS:
            x = vgg.dense_layers(x)
        else:
            x = keras.layers.GlobalAveragePooling2D(name="global_average_pooling")(x)
        x = keras.layers.Dense(len(imagenet_class_names()), name="logits")(x)
        x = keras.layers.Softmax(name="predictions")(x)
    return keras.Model(pictures, x, name=name)


def _embedded(network: Network) -> dict[str, np.ndarray]:
    try:
        return network_files.read_embedded(network)
    except SourceFailed as error:
        raise DataError(f"{network.name}: {error}; install the course again.") from error


def _key(variable: keras.Variable) -> str:
    """Name of a variable in the embedded file: of its layer, and its own."""
    return "/".join(variable.path.split("/")[-2:])


def _assign(model: keras.Model, arrays: Sequence[np.ndarray], name: str) -> None:
    """Give a model its weights, in the order in which it has them."""
    expected = [tuple(variable.shape) for variable in model.weights]
    received = [array.shape for array in arrays]
    if received != expected:
        pairs = list(itertools.zip_longest(received, expected, fillvalue="none"))
        place = next(place for place, (shape, other) in enumerate(pairs) if shape != other)
        raise DataError(
            f"the weights of {name} do not fit: array {place + 1} has shape {pairs[place][0]}, "
            f"expected {pairs[place][1]}; run python -m data_scripts verify."
        )
    model.set_weights([np.asarray(array, "float32") for array in arrays])


def _freeze_normalisation(model: keras.Model) -> None:
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
