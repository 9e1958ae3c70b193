"""The catalogue: every data set, its licence, its sources in order, and the digests that count.

Addresses marked *not tried* are published ones that the authors of this course could not reach
while writing it. A wrong or vanished address costs a moment, never a wrong picture: whatever comes
is accepted if it decodes to the arrays below, and refused otherwise.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Literal

Container = Literal["npz", "sheet", "idx", "cifar-binary", "cifar-python"]

PARTS = ("x_train", "y_train", "x_test", "y_test")


@dataclasses.dataclass(frozen=True)
class Expected:
    """What an array must be once it is decoded; its dtype is always ``uint8``.

    Parameters
    ----------
    shape : tuple of int
        Of the whole array.
    sha256 : str
        Of its values in C order, see :func:`data_scripts.digests.digest`.
    """

    shape: tuple[int, ...]
    sha256: str

    @property
    def size(self) -> int:
        """Number of values, which is also the number of bytes."""
        return math.prod(self.shape)


@dataclasses.dataclass(frozen=True)
class File:
    """One file of a source: how it is packed and what is in it.

    Parameters
    ----------
    path : str
        Relative to the base of its source.
    container : {"npz", "sheet", "idx", "cifar-binary", "cifar-python"}
        Which decoder of :mod:`data_scripts.archives` reads it.
    holds : mapping of str to Expected
        The arrays in it, or the pieces of arrays: pieces of one name are joined in the order of
        the source's files.
    size : int
        Bytes of the published file. A download that is twice as long is cut off.
    sha256 : str, optional
        Of the file itself. Given where the bytes have been the same since they were published and
        the file needs more than NumPy to read it (a tar archive of pickles).
    """

    path: str
    container: Container
    holds: Mapping[str, Expected]
    size: int
    sha256: str | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """A place that has a whole data set.

    Parameters
    ----------
    name : str
        Who keeps it.
    base : str
        Address to which the files' paths are added; empty for the embedded files and the mirror,
        whose base is a folder or comes from the environment.
    files : tuple of File
        Together they hold every array.
    tried : bool
        Whether the authors of this course have fetched from it.
    """

    name: str
    base: str
    files: tuple[File, ...]
    tried: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue.

    Parameters
    ----------
    name, title : str
        What :func:`data_scripts.load` takes, and what people call it.
    licence, citation, homepage : str
        Also in ``ATTRIBUTION.md``.
    class_names : tuple of str
        By label.
    full, quick : mapping of str to Expected
        The arrays ``x_train``, ``y_train``, ``x_test`` and ``y_test`` at both scales.
    embedded : Source
        Files of this package that hold the quick arrays.
    mirror : Source
        Layout of the full arrays in a folder or at an address that ``COURSE_DATA_MIRROR`` names.
    published : tuple of Source
        The official source, then others, in the order in which they are tried.
    """

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    class_names: tuple[str, ...]
    full: Mapping[str, Expected]
    quick: Mapping[str, Expected]
    embedded: Source
    mirror: Source
    published: tuple[Source, ...]

    @property
    def size(self) -> int:
        """Bytes of the full arrays, and almost exactly of the file in the cache."""
        return sum(expected.size for expected in self.full.values())


CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
"""Names of the ten classes of CIFAR-10, by label."""


def _embedded(name: str, quick: Mapping[str, Expected], sizes: tuple[int, int, int]) -> Source:
    """Layout of an embedded subset, as :mod:`data_scripts.embedding` writes it."""
    train, test, labels = sizes
    return Source(
        name="embedded in this package",
        base="",
        tried=True,
        files=(
            File(f"{name}/train.webp", "sheet", {"x_train": quick["x_train"]}, train),
            File(f"{name}/test.webp", "sheet", {"x_test": quick["x_test"]}, test),
            File(
                f"{name}/labels.npz",
                "npz",
                {"y_train": quick["y_train"], "y_test": quick["y_test"]},
                labels,
            ),
        ),
    )


_MNIST = {
    "x_train": Expected(
        (60000, 28, 28), "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"
    ),
    "y_train": Expected(
        (60000,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"
    ),
    "x_test": Expected(
        (10000, 28, 28), "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"
    ),
    "y_test": Expected(
        (10000,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"
    ),
}

_MNIST_QUICK = {
    "x_train": Expected(
        (4000, 28, 28), "bcfddb79ced74a8fc4b4e22dd43fa6c8265c9a6b0256b433a4dbe84e71fbdda8"
    ),
    "y_train": Expected(
        (4000,), "10657d494dc10324bb981ad579335d6fd10de427872f83684a4bac76801747fe"
    ),
    "x_test": Expected(
        (1000, 28, 28), "a912b821ec4d85cc09ba5c3951081006df0c2de1e574a9c349e00fc78ec1a708"
    ),
    "y_test": Expected((1000,), "77a95a80c06e52eeceb6dbe885a7da7884bdff1e327dd45a7a3fd18360d14444"),
}

_MNIST_IDX = (
    File("train-images-idx3-ubyte.gz", "idx", {"x_train": _MNIST["x_train"]}, 9_912_422),
    File("train-labels-idx1-ubyte.gz", "idx", {"y_train": _MNIST["y_train"]}, 28_881),
    File("t10k-images-idx3-ubyte.gz", "idx", {"x_test": _MNIST["x_test"]}, 1_648_877),
    File("t10k-labels-idx1-ubyte.gz", "idx", {"y_test": _MNIST["y_test"]}, 4_542),
)

_CIFAR10 = {
    "x_train": Expected(
        (50000, 32, 32, 3), "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a"
    ),
    "y_train": Expected(
        (50000,), "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253"
    ),
    "x_test": Expected(
        (10000, 32, 32, 3), "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04"
    ),
    "y_test": Expected(
        (10000,), "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5"
    ),
}

_CIFAR10_QUICK = {
    "x_train": Expected(
        (5000, 32, 32, 3), "8408cb1d487a81dc74bed9bf922c2fd301fe2b1423ee16016de79a0f4ea9cff1"
    ),
    "y_train": Expected(
        (5000,), "82b397643bd8851eecd4bf04f74438bf4aeeb7d1f9074791252a04fd9277c0f3"
    ),
    "x_test": Expected(
        (1000, 32, 32, 3), "cc2bd4479eda140793858a9ea7f9016e6870fefd7f69f172720267e933ec44a5"
    ),
    "y_test": Expected((1000,), "bf5fd7ab55257c7eeece32a36d229c4767d2479b59c8d506b7e35494f9cbf574"),
}

# One digest for each file of the mirror, so that a refusal can name the file that is wrong.
_CIFAR10_SHEETS = (
    (17_040_942, "fc115a3de050d667b88cbd5b0b9612ebf996c54230fe7758f3a14bb5af9a1c27"),
    (17_085_808, "89e609b642f687bc796fa3bfa4211005582a0e8131d463d996d11ddb297d312e"),
    (17_091_114, "93a365823e61729490a8801d80864ccd0ab1e8c98f19d71af65644d1c5f1486e"),
    (17_061_958, "809eb95ecd057a36516318f5023ea619009dd70dd38193db9da43125a928e6fa"),
    (17_048_054, "d05b7d66d216d6df882cc760cdc0ff2f1f0437abf699ed16005c021ef0add9cb"),
)

_CIFAR10_PYTHON = File(
    "cifar-10-python.tar.gz",
    "cifar-python",
    _CIFAR10,
    170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)

MNIST = Dataset(
    name="mnist",
    title="MNIST, handwritten digits",
    licence="CC BY-SA 3.0, copyright Yann LeCun and Corinna Cortes",
    citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to "
    "document recognition, Proceedings of the IEEE 86(11), 2278–2324, 1998",
    homepage="http://yann.lecun.com/exdb/mnist/",
    class_names=tuple("0123456789"),
    full=_MNIST,
    quick=_MNIST_QUICK,
    embedded=_embedded("mnist", _MNIST_QUICK, (615_114, 150_944, 3_019)),
    mirror=Source(
        name="COURSE_DATA_MIRROR",
        base="",
        tried=True,
        files=(File("mnist/mnist.npz", "npz", _MNIST, 11_490_434),),
    ),
    published=(
        Source(
            # The home page has asked for a password for years; this copy is the one that Keras
            # uses. The zip holds time stamps, so its own digest is worth nothing here.
            name="TensorFlow's storage",
            base="https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            files=(File("mnist.npz", "npz", _MNIST, 11_490_434),),
        ),
        Source(
            name="PyTorch's storage",
            base="https://ossci-datasets.s3.amazonaws.com/mnist/",
            files=_MNIST_IDX,
        ),
        Source(
            name="Baidu's storage",
            base="https://dataset.bj.bcebos.com/mnist/",
            files=_MNIST_IDX,
        ),
    ),
)

CIFAR10 = Dataset(
    name="cifar10",
    title="CIFAR-10, small colour pictures",
    licence="no formal licence; free to use with the citation",
    citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical "
    "report, University of Toronto, 2009",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    class_names=CLASS_NAMES,
    full=_CIFAR10,
    quick=_CIFAR10_QUICK,
    embedded=_embedded("cifar10", _CIFAR10_QUICK, (8_543_286, 1_667_414, 3_515)),
    mirror=Source(
        name="COURSE_DATA_MIRROR",
        base="",
        tried=True,
        files=(
            *(
                File(
                    f"cifar10/data_batch_{number}.webp",
                    "sheet",
                    {"x_train": Expected((10000, 32, 32, 3), sha256)},
                    size,
                )
                for number, (size, sha256) in enumerate(_CIFAR10_SHEETS, start=1)
            ),
            File("cifar10/test_batch.webp", "sheet", {"x_test": _CIFAR10["x_test"]}, 17_073_994),
            File(
                "cifar10/labels.npz",
                "npz",
                {"y_train": _CIFAR10["y_train"], "y_test": _CIFAR10["y_test"]},
                30_283,
            ),
        ),
    ),
    published=(
        Source(
            # The binary version first: rows of bytes, no pickle in it.
            name="University of Toronto, binary version",
            base="https://www.cs.toronto.edu/~kriz/",
            files=(
                File(
                    "cifar-10-binary.tar.gz",
                    "cifar-binary",
                    _CIFAR10,
                    170_052_171,
                    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                ),
            ),
        ),
        Source(
            name="University of Toronto, Python version",
            base="https://www.cs.toronto.edu/~kriz/",
            files=(_CIFAR10_PYTHON,),
        ),
        Source(
            name="Baidu's storage",
            base="https://dataset.bj.bcebos.com/cifar/",
            files=(_CIFAR10_PYTHON,),
        ),
    ),
)

CATALOGUE: Mapping[str, Dataset] = {dataset.name: dataset for dataset in (MNIST, CIFAR10)}
