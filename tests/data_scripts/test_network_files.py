"""Files of weights: cached, from mirrors, downloaded, damaged; every way that can go wrong."""

import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from small_data import is_one_sentence, weights_file

from data_scripts import DataError, DataWarning, cache, network_files
from data_scripts.__main__ import main
from data_scripts.digests import digest_of_weights
from data_scripts.network_catalogue import NETWORKS, WEIGHTS, Network, WeightFile, Weights

MIRRORED = "weights/small_packed.h5"
PUBLISHED = "small/small.h5"


@pytest.fixture(scope="module")
def layers():
    """Weights of a small network: two layers with them, one without."""
    rng = np.random.default_rng(7)
    return {
        "first": [rng.normal(size=(3, 3, 3, 4)).astype("float32"), np.zeros(4, "float32")],
        "pool": [],
        "second": [rng.normal(size=(4, 10)).astype("float32"), np.ones(10, "float32")],
    }


@pytest.fixture(scope="module")
def content(layers, tmp_path_factory):
    """The file as it is published."""
    return weights_file(tmp_path_factory.mktemp("weights") / "small.h5", layers).read_bytes()


@pytest.fixture(scope="module")
def packed(layers, tmp_path_factory):
    """The same arrays in other bytes."""
    path = tmp_path_factory.mktemp("weights") / "packed.h5"
    weights_file(path, layers)
    with h5py.File(path, "a") as file:
        file.attrs["packed"] = True
    return path.read_bytes()


@pytest.fixture
def small(layers, content, packed, server, monkeypatch):
    """The small network, in the catalogue; ``server`` publishes it."""
    server.files[f"/{PUBLISHED}"] = content
    arrays = [array for group in layers.values() for array in group]
    published = WeightFile(PUBLISHED, len(content), md5=hashlib.md5(content).hexdigest())
    weights = Weights(
        "small",
        sum(array.size for array in arrays),
        published,
        (
            dataclasses.replace(published, path="weights/small.h5"),
            WeightFile(MIRRORED, len(packed), arrays=digest_of_weights(arrays), note="packed"),
        ),
        server.address,
    )
    network = Network("small", "a small one", "none", "none", "none", files={False: weights})
    monkeypatch.setattr("data_scripts.__main__.CATALOGUE", {})
    monkeypatch.setattr("data_scripts.__main__.NETWORKS", {"small": network})
    monkeypatch.setattr("data_scripts.__main__.WEIGHTS", {"small": weights})
    return weights


@pytest.fixture
def unchecked(small, monkeypatch):
    """The small network, if nobody had published a checksum."""
    published = dataclasses.replace(small.published, md5=None)
    weights = dataclasses.replace(small, published=published, mirror=())
    monkeypatch.setattr("data_scripts.__main__.WEIGHTS", {"small": weights})
    return weights


@pytest.fixture
def mirror(tmp_path, packed, monkeypatch):
    folder = tmp_path / "mirror"
    (folder / "weights").mkdir(parents=True)
    (folder / MIRRORED).write_bytes(packed)
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(folder))
    return folder


@pytest.fixture
def shut_folder(monkeypatch):
    """A cache that may be read and not written, also if the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    monkeypatch.setenv("COURSE_DATA_CACHE", str(folder / "file" / "cache"))
    (folder / "file").write_bytes(b"")
    return folder


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix)


def kept(folder):
    return [name for name in files_in(folder) if not name.endswith(".lock")]


def same(found, layers):
    arrays = [array for group in layers.values() for array in group]
    assert len(found.arrays) == len(arrays)
    for received, expected in zip(found.arrays, arrays, strict=True):
        assert received.dtype == np.float32
        np.testing.assert_array_equal(received, expected)


class TestPublished:
    def test_comes_and_stays_as_it_was(self, small, layers, content, server, cache_folder):
        for origin in (server.address, "the cache"):
            found, received = network_files.fetch(small)
            same(found, layers)
            assert found.version == small.published or found.version.md5 == small.published.md5
            assert received == origin
        assert server.paths == [f"/{PUBLISHED}"]
        assert kept(cache_folder) == ["small.h5"]
        assert (cache_folder / "small.h5").read_bytes() == content

    def test_goes_on_where_it_broke_off(self, small, layers, server):
        server.fail("dropped", times=2)
        same(network_files.fetch(small)[0], layers)
        assert server.ranges[0] is None
        assert server.ranges[1].startswith("bytes=")

    @pytest.mark.parametrize(
        "behaviour", ["404", "500", "html", "dropped", "wrong bytes", "truncated",
                      "silent", "endless"],
    )  # fmt: skip
    def test_failure_is_one_sentence_and_leaves_no_file(
        self, behaviour, small, server, cache_folder
    ):
        server.fail(behaviour.replace(" ", "_"))
        with pytest.raises(DataError, match="small could not be fetched: ") as caught:
            network_files.fetch(small)
        assert is_one_sentence(str(caught.value))
        assert "weights/small.h5 or weights/small_packed.h5" in str(caught.value)
        assert [name for name in kept(cache_folder) if not name.endswith(".part")] == []
        server.fail("well", times=0)
        network_files.fetch(small)

    def test_a_wrong_file_is_told_by_its_checksum(self, small, server, layers, tmp_path):
        alone = dataclasses.replace(small, mirror=())
        other = layers | {"second": [layers["second"][0] + 1, layers["second"][1]]}
        server.files[f"/{PUBLISHED}"] = weights_file(tmp_path / "x.h5", other).read_bytes()
        with pytest.raises(DataError, match=r"has MD5 \w+, expected \w+;"):
            network_files.fetch(alone)
        with pytest.raises(DataError, match=r"has values with SHA-256 \w+…, expected \w+…;"):
            network_files.fetch(small)


class TestUnchecked:
    """A publisher that gives no checksum, as Keras does for MobileNetV2."""

    def test_is_accepted_for_its_numbers_and_noted(
        self, unchecked, layers, content, cache_folder, capsys
    ):
        assert main(["fetch", "small"]) == 0
        assert "small: not checked by any checksum, 162 numbers" in capsys.readouterr().out
        assert kept(cache_folder) == ["small.h5", "small.h5.sha256"]
        note = (cache_folder / "small.h5.sha256").read_text()
        assert note == f"{hashlib.sha256(content).hexdigest()}  small.h5\n"
        found, origin = network_files.fetch(unchecked)
        same(found, layers)
        assert origin == "the cache"

    def test_a_later_change_in_the_cache_is_seen(self, unchecked, content, cache_folder):
        network_files.fetch(unchecked)
        path = cache_folder / "small.h5"
        place = content.index(np.ones(10, "float32").tobytes())
        path.write_bytes(content[:place] + b"\1" + content[place + 1 :])
        with pytest.warns(DataWarning, match=r"the cached .* has SHA-256 .* fetched again"):
            network_files.fetch(unchecked)
        assert path.read_bytes() == content

    @pytest.mark.parametrize("note", [None, "", "\u00e9"])
    def test_without_its_note_it_is_fetched_again(self, note, unchecked, cache_folder, server):
        network_files.fetch(unchecked)
        path = cache_folder / "small.h5.sha256"
        path.unlink()
        if note is not None:
            path.write_text(note, encoding="utf-8")
        with pytest.warns(DataWarning, match="it is fetched again"):
            network_files.fetch(unchecked)
        assert server.paths == [f"/{PUBLISHED}"] * 2
        assert path.read_text().endswith("  small.h5\n")

    def test_numbers_that_are_none_are_refused(self, unchecked, layers, server, tmp_path):
        broken = layers | {"second": [np.full((4, 10), np.nan, "float32"), layers["second"][1]]}
        server.files[f"/{PUBLISHED}"] = weights_file(tmp_path / "x.h5", broken).read_bytes()
        with pytest.raises(DataError, match="numbers that are not finite"):
            network_files.fetch(unchecked)

    def test_another_network_is_refused(self, unchecked, layers, server, tmp_path):
        other = {"first": layers["first"]}
        server.files[f"/{PUBLISHED}"] = weights_file(tmp_path / "x.h5", other).read_bytes()
        with pytest.raises(DataError, match="112 numbers, expected 162"):
            network_files.fetch(unchecked)


class TestCache:
    @pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "byte"])
    def test_damage_is_named_and_fetched_again(self, damage, small, content, cache_folder, capsys):
        network_files.fetch(small)
        path = cache_folder / "small.h5"
        changed = bytearray(content)
        changed[content.index(np.ones(10, "float32").tobytes())] ^= 1
        path.write_bytes(
            {
                "garbage": b"no HDF5",
                "empty": b"",
                "cut": content[: len(content) // 2],
                "byte": bytes(changed),
            }[damage]
        )
        assert main(["verify"]) == 1
        out, err = capsys.readouterr()
        assert f"BAD    small, cache {path}" in out
        assert "run python -m data_scripts fetch small." in err
        with pytest.warns(DataWarning, match=r"the cached .*; it is fetched again") as caught:
            network_files.fetch(small)
        assert is_one_sentence(str(caught[0].message))
        assert path.read_bytes() == content
        assert main(["verify"]) == 0

    def test_that_cannot_be_written_is_told(self, small, shut_folder, server, capsys):
        assert main(["fetch", "small"]) == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("error: the cache cannot be written: ")
        assert is_one_sentence(error)
        assert server.paths == []

    def test_that_cannot_be_written_beside_a_mirror_is_a_warning(
        self, small, shut_folder, mirror, layers
    ):
        with pytest.warns(DataWarning) as caught:
            found, _ = network_files.fetch(small, must_keep=False)
        same(found, layers)
        assert "small is read from the mirror every time" in str(caught[-1].message)
        assert is_one_sentence(str(caught[-1].message))

    def test_what_a_killed_process_left_is_cleared(self, small, cache_folder):
        cache_folder.mkdir()
        (cache_folder / ".small.h5.4711.tmp").write_bytes(b"half")
        network_files.fetch(small)
        assert kept(cache_folder) == ["small.h5"]

    def test_a_full_disk_is_told_before_anything_is_copied(
        self, small, mirror, cache_folder, monkeypatch
    ):
        usage = type("Usage", (), {"free": 10})
        monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: usage)
        with pytest.raises(DataError, match=r"the disk is full: .* has 10 bytes free") as caught:
            network_files.fetch(small)
        assert is_one_sentence(str(caught.value))
        assert kept(cache_folder) == []

    @pytest.mark.parametrize("must_keep", [True, False])
    def test_two_at_once_leave_one_whole_file(self, must_keep, small, server, cache_folder):
        from concurrent.futures import ThreadPoolExecutor

        server.fail("slow_start")
        with ThreadPoolExecutor(2) as pool:
            found = list(
                pool.map(lambda _: network_files.fetch(small, must_keep=must_keep), range(2))
            )
        assert len(found) == 2
        assert kept(cache_folder) == ["small.h5"]


class TestMirror:
    def test_folder_comes_first_and_is_copied(
        self, small, mirror, layers, packed, server, cache_folder, capsys
    ):
        assert not network_files.cached_file(small).exists()
        assert network_files.at_hand(small)
        assert main(["fetch", "small"]) == 0
        assert f"162 numbers (packed), from the mirror {mirror}, in " in capsys.readouterr().out
        assert (cache_folder / "small.h5").read_bytes() == packed
        assert server.paths == []
        same(network_files.fetch(small)[0], layers)

    def test_folder_may_have_the_published_file(self, small, mirror, content, cache_folder):
        (mirror / "weights" / "small.h5").write_bytes(content)
        network_files.fetch(small)
        assert (cache_folder / "small.h5").read_bytes() == content

    def test_address(self, small, packed, server, layers, monkeypatch, cache_folder):
        server.files = {f"/some/{MIRRORED}": packed}
        monkeypatch.setenv("COURSE_DATA_MIRROR", f"{server.address}some")
        assert not network_files.at_hand(small)
        same(network_files.fetch(small)[0], layers)
        assert kept(cache_folder) == ["small.h5"]
        assert server.paths[-1] == f"/some/{MIRRORED}"

    @pytest.mark.parametrize("place", ["no/such/folder", "http://", "http://[bad"])
    def test_absent_leaves_the_published_source(self, small, layers, monkeypatch, place, server):
        monkeypatch.setenv("COURSE_DATA_MIRROR", place)
        same(network_files.fetch(small)[0], layers)
        assert server.paths == [f"/{PUBLISHED}"]

    def test_without_the_file_leaves_the_published_source(self, small, mirror, server, layers):
        (mirror / MIRRORED).unlink()
        assert not network_files.at_hand(small)
        same(network_files.fetch(small)[0], layers)
        assert server.paths == [f"/{PUBLISHED}"]
        assert main(["verify"]) == 0

    @pytest.mark.parametrize("listed", [True, False])
    def test_tampered_is_refused_and_named(
        self, listed, small, mirror, packed, server, cache_folder, capsys
    ):
        if listed:
            entry = {"sha256": hashlib.sha256(packed).hexdigest()}
            (mirror / "manifest.json").write_text(json.dumps({"files": {MIRRORED: entry}}))
        place = packed.index(np.ones(10, "float32").tobytes())
        (mirror / MIRRORED).write_bytes(packed[:place] + b"\1" + packed[place + 1 :])
        assert main(["fetch", "small"]) == 1
        (error,) = capsys.readouterr().err.splitlines()
        assert error.startswith("error: small was refused: ")
        assert MIRRORED in error
        assert "expected" in error
        assert is_one_sentence(error)
        assert server.paths == []  # no silent way round
        assert kept(cache_folder) == []
        assert main(["verify"]) == 1
        assert f"BAD    small, mirror {mirror}" in capsys.readouterr().out

    def test_nothing_is_written_to_it(self, small, mirror):
        before = {path: path.stat().st_mtime_ns for path in mirror.rglob("*")}
        network_files.fetch(small)
        assert {path: path.stat().st_mtime_ns for path in mirror.rglob("*")} == before


class TestReading:
    @pytest.mark.parametrize("names", [["first"], ["first", "nowhere"]])
    def test_files_that_lack_something_are_refused(self, names, small, tmp_path, layers):
        path = weights_file(tmp_path / "x.h5", layers)
        with h5py.File(path, "a") as file:
            file.attrs["layer_names"] = names
        with pytest.raises(network_files.WrongContent, match="another network's, expected a whole"):
            network_files.read(small, path, "x")

    def test_files_of_whole_models_are_read_too(self, small, tmp_path, layers):
        path = weights_file(tmp_path / "x.h5", layers)
        with h5py.File(path, "a") as file:
            for name in [*file]:
                file.move(name, f"model_weights/{name}")
            file["model_weights"].attrs["layer_names"] = file.attrs.pop("layer_names")
        same(network_files.read(small, path, "x"), layers)

    def test_absent_and_unreadable_files(self, small, tmp_path, cache_folder):
        with pytest.raises(FileNotFoundError):
            network_files.read(dataclasses.replace(small, mirror=()), tmp_path / "no.h5", "x")
        assert network_files.read_cached(small) is None
        (cache_folder / "small.h5").mkdir(parents=True)
        with pytest.raises(network_files.SourceFailed, match="cannot be read"):
            network_files.read_cached(small)


class TestCatalogue:
    def test_is_consistent(self):
        assert list(NETWORKS) == ["efficientnet_lite0", "vgg16", "vgg19", "mobilenet_v2"]
        for network in NETWORKS.values():
            assert bool(network.embedded) != bool(network.files)
            assert set(network.files) in (set(), {True, False})
        for name, weights in WEIGHTS.items():
            assert weights.name == name
            assert weights.base.startswith("https://")
            assert weights.base.endswith("/")
            for file in weights.versions:
                assert file.path.endswith(".h5")
                assert file.size > 3 * weights.numbers
                assert len(file.md5 or "0" * 32) == 32
                assert len(file.arrays or "0" * 64) == 64
            for file in weights.mirror:
                assert file.path.startswith("weights/")

    def test_checksums_are_those_in_keras_itself(self):
        """Addresses and MD5 sums stand in the source of the installed Keras."""
        from keras.src.applications import mobilenet_v2, vgg16, vgg19

        for name, module in (("vgg16", vgg16), ("vgg19", vgg19)):
            source = Path(module.__file__).read_text(encoding="utf-8")
            for top, address in ((True, module.WEIGHTS_PATH), (False, module.WEIGHTS_PATH_NO_TOP)):
                weights = NETWORKS[name].files[top]
                assert weights.base + weights.published.path == address
                assert weights.published.md5 in source
        for top, end in ((True, ""), (False, "_no_top")):
            weights = NETWORKS["mobilenet_v2"].files[top]
            assert weights.base + weights.published.path == (
                f"{mobilenet_v2.BASE_WEIGHT_PATH}mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
                f"_1.0_224{end}.h5"
            )
            assert weights.published.unchecked

    def test_list_shows_every_source_and_checksum(self, capsys):
        assert main(["list"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        for network in NETWORKS.values():
            assert f"{network.name} — {network.title}" in out
            assert network.licence in out
        for weights in WEIGHTS.values():
            assert f"\n  {weights.name}\n" in out
            for file in weights.versions:
                assert file.path in out or file.unchecked
                assert (file.arrays or file.md5 or "no checksum is published") in out


def test_a_file_that_may_not_be_read_is_kept(small, layers, cache_folder, monkeypatch):
    network_files.fetch(small)
    path, checksum = network_files.cached_file(small), network_files._checksum

    def denied(file, kind):
        if file == path:
            raise PermissionError(13, os.strerror(13))
        return checksum(file, kind)

    monkeypatch.setattr(network_files, "_checksum", denied)
    with pytest.warns(DataWarning, match=r"cannot be read \(Permission denied\); it is fetched ag"):
        same(network_files.fetch(small)[0], layers)
    assert path.exists()
