"""The networks of the course: whose weights they are, where a file of them is from, what counts.

As with the data sets, a file is accepted for what it holds. Where its decoded arrays are known,
their digest decides; where only the publisher's checksum of the file is known, that one does. The
authors of this course could reach none of the published addresses while writing it.
"""

import dataclasses
from collections.abc import Mapping

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"


@dataclasses.dataclass(frozen=True)
class WeightFile:
    """A file of weights, and how to know that it is whole.

    Parameters
    ----------
    path : str
        Relative to the base of its source.
    size : int
        Bytes of the file. A download that is twice as long is cut off.
    arrays : str, optional
        SHA-256 of the decoded arrays in the file's order, see
        :func:`data_scripts.digests.digest_of_weights`.
    md5 : str, optional
        Of the file itself, as its publisher states it. A file that has neither this nor ``arrays``
        is accepted if it has as many numbers as the network, all of them finite.
    folded : bool
        Whether batch normalisation has been folded into the kernels, so that its layers may never
        again measure a mean and a variance of their own.
    note : str
        What else sets the file apart.
    """

    path: str
    size: int
    arrays: str | None = None
    md5: str | None = None
    folded: bool = False
    note: str = ""
    sha256: None = None  # of the file: nobody has published one

    @property
    def unchecked(self) -> bool:
        """Whether nobody has published what would tell a right file from a wrong one."""
        return self.arrays is None and self.md5 is None


@dataclasses.dataclass(frozen=True)
class Weights:
    """The weights of a network with or without its top: one entry of the cache.

    Parameters
    ----------
    name : str
        What ``python -m data_scripts fetch`` takes.
    numbers : int
        How many all arrays have together.
    published : WeightFile
        Its path is relative to ``base``.
    mirror : tuple of WeightFile
        What a mirror may have, in the order in which it is looked for.
    base : str
        Address that publishes the file.
    """

    name: str
    numbers: int
    published: WeightFile
    mirror: tuple[WeightFile, ...]
    base: str = _KERAS

    @property
    def versions(self) -> tuple[WeightFile, ...]:
        """Every file that is accepted, those that can be told apart first."""
        return tuple(sorted((self.published, *self.mirror), key=lambda version: version.unchecked))


@dataclasses.dataclass(frozen=True)
class Network:
    """A network that learned from ImageNet.

    Parameters
    ----------
    name, title : str
        What :func:`data_scripts.load_network` takes, and what people call it.
    licence, citation, homepage : str
        Of the weights; also in ``ATTRIBUTION.md``.
    embedded : WeightFile, optional
        File of this package, whose weights serve with and without a top.
    files : mapping of bool to Weights
        Otherwise: the files with a top, under ``True``, and without one, under ``False``.
    """

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    embedded: WeightFile | None = None
    files: Mapping[bool, Weights] = dataclasses.field(default_factory=dict)


def _weights(name: str, numbers: int, published: WeightFile, *mirrored: WeightFile) -> Weights:
    """An entry whose mirror may have the published file, too, under ``weights/``."""
    same = dataclasses.replace(published, path=f"weights/{published.path.rpartition('/')[2]}")
    return Weights(name, numbers, published, (same, *mirrored))


_VGG_LICENCE = "CC BY 4.0, Visual Geometry Group, University of Oxford"
_VGG_CITATION = (
    "K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image "
    "Recognition, International Conference on Learning Representations, 2015"
)
_VGG_HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/research/very_deep/"

_ROUNDED = "rounded to 8 bits a number, batch normalisation folded into the kernels"

EFFICIENTNET_LITE0 = Network(
    name="efficientnet_lite0",
    title="EfficientNet-Lite0",
    licence="Apache-2.0",
    citation="M. Tan, Q. V. Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural "
    "Networks, International Conference on Machine Learning, 2019",
    homepage="https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite",
    embedded=WeightFile(
        "efficientnet_lite0/weights.npz",
        7_934_482,
        arrays="a32a9295129654875021ae2c0fb118f381c71144bbb14c2ec563e357090b69db",
        note="kernels in float16 with nine significant bits, batch normalisation in float32",
    ),
)

VGG16 = Network(
    name="vgg16",
    title="VGG-16",
    licence=_VGG_LICENCE,
    citation=_VGG_CITATION,
    homepage=_VGG_HOMEPAGE,
    files={
        True: _weights(
            "vgg16",
            138_357_544,
            WeightFile(
                "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
                553_467_096,
                md5="64373286793e3c8b2b4e3219cbf3544b",
            ),
        ),
        False: _weights(
            "vgg16_notop",
            14_714_688,
            WeightFile(
                "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
                58_889_256,
                md5="6d6bbae143d832006294945121d1f1fc",
            ),
            WeightFile(
                "weights/vgg16_notop.h5",
                52_540_076,
                arrays="d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd",
                note="the same arrays, packed more tightly",
            ),
        ),
    },
)

VGG19 = Network(
    name="vgg19",
    title="VGG-19",
    licence=_VGG_LICENCE,
    citation=_VGG_CITATION,
    homepage=_VGG_HOMEPAGE,
    files={
        True: _weights(
            "vgg19",
            143_667_240,
            WeightFile(
                "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5",
                574_710_816,
                md5="cbe5617147190e668d6c5d5026f83318",
            ),
        ),
        False: _weights(
            "vgg19_notop",
            20_024_384,
            WeightFile(
                "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
                80_134_624,
                md5="253f8cb515780f3b799900260a226db6",
            ),
        ),
    },
)

MOBILENET_V2 = Network(
    name="mobilenet_v2",
    title="MobileNetV2, width 1.0",
    licence="Apache-2.0",
    citation="M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, MobileNetV2: Inverted "
    "Residuals and Linear Bottlenecks, Conference on Computer Vision and Pattern Recognition, "
    "2018",
    homepage="https://keras.io/api/applications/mobilenet/",
    files={
        True: _weights(
            "mobilenet_v2",
            3_538_984,
            WeightFile(
                "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
                14_536_120,
            ),
            WeightFile(
                "weights/mobilenet_v2_1.0_224.int8dq.h5",
                12_259_943,
                arrays="c97f1cfc33617317bd6e594d4a53555f2e999ddc2128c64dbb7420a3cc6a856b",
                folded=True,
                note=_ROUNDED,
            ),
        ),
        False: _weights(
            "mobilenet_v2_notop",
            2_257_984,
            WeightFile(
                "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
                9_406_464,
            ),
            WeightFile(
                "weights/mobilenet_v2_1.0_224_notop.int8dq.h5",
                8_193_233,
                arrays="2d17efdd5b201b73416d598d5ff6aefed0d1f20ff56712c5ff25f8b7688f4c3a",
                folded=True,
                note=_ROUNDED,
            ),
        ),
    },
)

NETWORKS: Mapping[str, Network] = {
    network.name: network for network in (EFFICIENTNET_LITE0, VGG16, VGG19, MOBILENET_V2)
}

WEIGHTS: Mapping[str, Weights] = {
    weights.name: weights for network in NETWORKS.values() for weights in network.files.values()
}
