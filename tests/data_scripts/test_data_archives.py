"""Every container decodes to the same arrays, or is refused; none runs code."""

import gzip
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest
from small_data import expected, noise, npz, webp

from data_scripts.archives import DECODERS, decode
from data_scripts.catalogue import File
from data_scripts.errors import WrongContent


def pickled_by_python_2(data, labels):
    """A batch byte by byte as Python 2 and its NumPy wrote it, protocol 2."""

    def string(value):
        return b"U" + bytes([len(value)]) + value

    minus_one = b"J" + struct.pack("<i", -1)
    kind = (
        b"cnumpy\ndtype\n" + string(b"u1") + b"K\x00K\x01\x87R"
        b"(K\x03" + string(b"|") + b"NNN" + minus_one * 2 + b"K\x00tb"
    )
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85"
        + string(b"b")
        + b"\x87R"
        b"(K\x01"
        + b"".join(b"M" + struct.pack("<H", n) for n in data.shape)
        + b"\x86"
        + kind
        + b"\x89T"
        + struct.pack("<i", data.size)
        + data.tobytes()
        + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return (
        b"\x80\x02}("
        + string(b"batch_label")
        + string(b"a batch")
        + string(b"labels")
        + numbers
        + string(b"data")
        + array
        + b"u."
    )


def tar(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def batches(arrays):
    """Names, planes and labels of the six batches."""
    pieces = zip(np.split(arrays["x_train"], 5), np.split(arrays["y_train"], 5), strict=True)
    for number, (images, labels) in enumerate(pieces, 1):
        yield f"data_batch_{number}", images.transpose(0, 3, 1, 2).reshape(len(images), -1), labels
    images = arrays["x_test"].transpose(0, 3, 1, 2).reshape(len(arrays["x_test"]), -1)
    yield "test_batch", images, arrays["y_test"]


def cifar_python(arrays, write=pickled_by_python_2):
    members = {"cifar-10-batches-py/readme.html": b"read me"}
    members |= {f"cifar-10-batches-py/{name}": write(*batch) for name, *batch in batches(arrays)}
    return tar(members)


def cifar_binary(arrays):
    members = {"cifar-10-batches-bin/batches.meta.txt": b"airplane"}
    for name, images, labels in batches(arrays):
        rows = np.concatenate([labels[:, None], images], axis=1)
        members[f"cifar-10-batches-bin/{name}.bin"] = rows.tobytes()
    return tar(members)


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes())


GREY = noise(5, 30, 28, 28)


@pytest.fixture(scope="module")
def containers(arrays):
    """One file of every kind: container, content, what it holds."""
    train = {"x_train": arrays["x_train"]}
    return {
        "npz": ("npz", npz(**arrays), arrays),
        "sheet": ("sheet", webp(arrays["x_train"]), train),
        "grey sheet": ("sheet", webp(GREY), {"x_train": GREY}),
        "idx": ("idx", idx(GREY), {"x_train": GREY}),
        "idx labels": ("idx", idx(arrays["y_train"]), {"y_train": arrays["y_train"]}),
        "cifar-binary": ("cifar-binary", cifar_binary(arrays), arrays),
        "cifar-python": ("cifar-python", cifar_python(arrays), arrays),
    }


KINDS = ("npz", "sheet", "grey sheet", "idx", "idx labels", "cifar-binary", "cifar-python")


def read(container, content, held):
    file = File("a file", container, expected(held), len(content))
    return decode(file, io.BytesIO(content), "a file")


def test_every_container_is_tested(containers):
    assert {container for container, _, _ in containers.values()} == set(DECODERS)


@pytest.mark.parametrize("kind", KINDS)
class TestEveryContainer:
    def test_gives_the_arrays(self, kind, containers):
        container, content, held = containers[kind]
        decoded = read(container, content, held)
        assert decoded.keys() == held.keys()
        for name, array in decoded.items():
            np.testing.assert_array_equal(array, held[name])
            assert array.flags.writeable
            assert array.flags.c_contiguous

    def test_refuses_other_values(self, kind, containers):
        container, content, held = containers[kind]
        name, array = next(iter(held.items()))
        other = held | {
            name: np.where(np.arange(array.size).reshape(array.shape), array, array ^ 1)
        }
        with pytest.raises(
            WrongContent, match=f"{name} in a file has values with SHA-256 .*expected"
        ):
            read(container, content, other)

    def test_refuses_other_shapes(self, kind, containers):
        container, content, held = containers[kind]
        name, array = next(iter(held.items()))
        with pytest.raises(WrongContent, match="a file"):
            read(container, content, held | {name: array[:-1]})

    @pytest.mark.parametrize("length", [0, 10, 0.5, -1])
    def test_refuses_a_file_cut_short(self, kind, length, containers):
        container, content, held = containers[kind]
        end = int(length * len(content)) if isinstance(length, float) else length
        try:
            decoded = read(container, content[:end], held)
        except WrongContent:
            return
        assert length == -1  # the last byte of a container may mean nothing
        for name, array in decoded.items():
            np.testing.assert_array_equal(array, held[name])

    def test_one_changed_byte_is_refused_or_changes_nothing(self, kind, containers):
        container, content, held = containers[kind]
        rng = np.random.default_rng(7)
        refused = 0
        for position in rng.integers(0, len(content), 30):
            changed = bytearray(content)
            changed[position] ^= 1 << rng.integers(8)
            try:
                decoded = read(container, bytes(changed), held)
            except WrongContent:
                refused += 1
            else:
                for name, array in decoded.items():
                    np.testing.assert_array_equal(array, held[name])
        assert refused >= 20


def test_handwritten_pickle_is_what_numpy_reads(arrays):
    name, data, labels = next(batches(arrays))
    batch = pickle.loads(pickled_by_python_2(data, labels), encoding="bytes")
    np.testing.assert_array_equal(batch[b"data"], data)
    assert batch[b"labels"] == labels.tolist(), name


def test_pickles_of_python_3_are_read_too(arrays):
    content = cifar_python(
        arrays,
        lambda data, labels: pickle.dumps({b"data": data, b"labels": labels.tolist()}, protocol=2),
    )
    np.testing.assert_array_equal(read("cifar-python", content, arrays)["x_test"], arrays["x_test"])


class Attack:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "name"),
    [(os.mkdir, "mkdir"), (eval, "eval"), (np.fromfile, "fromfile"), (getattr, "getattr")],
)
def test_pickle_that_names_anything_else_runs_nothing(arrays, tmp_path, function, name):
    target = str(tmp_path / "made")
    content = cifar_python(
        arrays, lambda data, labels: pickle.dumps(Attack(function, target), protocol=2)
    )
    with pytest.raises(WrongContent, match=rf"the archive names \S+\.{name}, which no CIFAR batch"):
        read("cifar-python", content, arrays)
    assert not os.path.exists(target)


def test_npz_with_pickled_objects_is_refused(arrays):
    stream = io.BytesIO()
    np.savez(stream, **(arrays | {"y_test": np.array([Attack(os.mkdir, "x")], object)}))
    with pytest.raises(WrongContent, match="is damaged"):
        read("npz", stream.getvalue(), arrays)


def test_what_announces_too_much_is_refused_before_it_is_read(arrays):
    many = np.zeros(50_000_000, "uint8")
    stream = io.BytesIO()
    np.savez_compressed(stream, **(arrays | {"x_train": many}))
    with pytest.raises(WrongContent, match=r"x_train\.npy announces 50,000,128 bytes"):
        read("npz", stream.getvalue(), arrays)
    with pytest.raises(WrongContent, match="announces 50,000,000 bytes"):
        read("cifar-binary", tar({"data_batch_1.bin": many.tobytes()}), arrays)
    with pytest.raises(WrongContent, match=r"has shape|is damaged"):
        read("idx", gzip.compress(gzip.decompress(idx(GREY)) + many.tobytes()), {"x_train": GREY})
