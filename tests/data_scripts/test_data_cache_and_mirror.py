"""Caches that are damaged or shut, mirrors that are good, absent or tampered with."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from small_data import is_one_sentence, npz

from data_scripts import DataError, DataWarning, cache, load
from data_scripts.__main__ import main
from data_scripts.catalogue import CATALOGUE
from data_scripts.paintings import PAINTINGS
from data_scripts.photographs import PHOTOGRAPHS

FILES = (
    *(f"tiny/data_batch_{number}.webp" for number in range(1, 6)),
    "tiny/test_batch.webp",
    "tiny/labels.npz",
)


def npz_files(folder):
    return sorted(
        path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"
    )


def change_a_byte(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0x20
    path.write_bytes(content)


class TestDamagedCache:
    @pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "byte", "other"])
    def test_is_named_and_fetched_again(self, damage, only_tiny, arrays, cache_folder, capsys):
        assert main(["fetch", "tiny"]) == 0
        capsys.readouterr()
        path = cache_folder / "tiny.npz"
        content = path.read_bytes()
        if damage == "byte":
            change_a_byte(path, len(content) // 2)
        else:
            path.write_bytes(
                {
                    "garbage": b"not a zip",
                    "empty": b"",
                    "cut": content[: len(content) // 2],
                    "other": npz(**(arrays | {"y_test": arrays["y_test"] ^ 1})),
                }[damage]
            )
        assert main(["verify"]) == 1
        out, err = capsys.readouterr()
        assert f"BAD    tiny, cache {path}" in out
        assert f"the cached {path}" in err
        assert "run python -m data_scripts fetch tiny." in err
        assert path.exists()  # verify looks, and changes nothing
        with pytest.warns(DataWarning, match="the cached .*; it is fetched again") as caught:
            splits = load("tiny", "full")
        assert is_one_sentence(str(caught[0].message))
        assert caught[0].filename == __file__
        np.testing.assert_array_equal(splits.train.x, arrays["x_train"])
        assert path.read_bytes() == content

    def test_without_a_source_leaves_no_broken_file(self, tiny, server, cache_folder, capsys):
        cache_folder.mkdir()
        (cache_folder / "tiny.npz").write_bytes(b"not a zip")
        server.fail("404")
        assert main(["fetch", "tiny"]) == 1
        note, error = capsys.readouterr().err.splitlines()
        assert note.startswith("note: the cached ")
        assert error.startswith("error: tiny could not be fetched: ")
        assert is_one_sentence(note)
        assert is_one_sentence(error)
        assert npz_files(cache_folder) == []

    def test_left_by_a_killed_process_is_cleared(self, tiny, cache_folder):
        cache_folder.mkdir()
        (cache_folder / ".tiny.npz.4711.tmp").write_bytes(b"half")
        load("tiny", "full")
        assert npz_files(cache_folder) == ["tiny.npz"]


@contextlib.contextmanager
def nobody():
    """Permissions mean nothing to root; take another user for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shut_folder(monkeypatch):
    """A cache that may be read and not written."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    monkeypatch.setenv("COURSE_DATA_CACHE", str(folder))
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def open_mirror(mirror, monkeypatch):
    """The mirror where another user may read it."""
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(mirror, folder, dirs_exist_ok=True)
    folder.chmod(0o755)
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(folder))
    yield folder
    shutil.rmtree(folder)


class TestShutCache:
    def test_is_told_before_anything_is_downloaded(self, tiny, server, shut_folder, capsys):
        with nobody():
            assert main(["fetch", "tiny"]) == 1
        (error,) = capsys.readouterr().err.splitlines()
        assert error.startswith("error: the cache cannot be written: ")
        assert "“Permission denied”, expected a folder that you may write to" in error
        assert is_one_sentence(error)
        assert server.paths == []
        assert npz_files(shut_folder) == []

    def test_with_good_contents_is_read(self, tiny, server, arrays, shut_folder):
        shut_folder.chmod(0o755)
        (shut_folder / "tiny.npz").write_bytes(npz(**arrays))
        shut_folder.chmod(0o555)
        with nobody():
            np.testing.assert_array_equal(load("tiny", "full").test.x, arrays["x_test"])
        assert server.paths == []

    def test_with_a_mirror_folder_is_a_warning(
        self, tiny, arrays, open_mirror, shut_folder, capsys
    ):
        with nobody():
            with pytest.warns(
                DataWarning, match="tiny is read from the mirror every time"
            ) as caught:
                splits = load("tiny", "full")
            assert main(["fetch", "tiny"]) == 1
        np.testing.assert_array_equal(splits.test.x, arrays["x_test"])
        assert is_one_sentence(str(caught[0].message))
        assert npz_files(shut_folder) == []

    def test_file_that_may_not_be_read_is_named_and_kept(self, tiny, arrays, shut_folder, capsys):
        shut_folder.chmod(0o777)
        path = shut_folder / "tiny.npz"
        path.write_bytes(b"somebody's")
        path.chmod(0)
        if os.geteuid():
            pytest.skip("the file must belong to another user")
        with nobody():
            assert main(["verify"]) == 1
            assert (
                f"the cached {path} cannot be read (Permission denied)" in capsys.readouterr().err
            )
            with pytest.warns(DataWarning, match="cannot be read"):
                load("tiny", "full")

    def test_folder_that_is_a_file(self, tiny, tmp_path, monkeypatch, capsys):
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("COURSE_DATA_CACHE", str(tmp_path / "file" / "cache"))
        assert main(["fetch", "tiny"]) == 1
        err = capsys.readouterr().err
        assert "Not a directory" in err
        assert is_one_sentence(err.splitlines()[-1])


class TestMirror:
    def test_folder_comes_before_the_published_source(self, tiny, mirror, server, arrays, capsys):
        assert main(["fetch", "tiny"]) == 0
        assert f"from the mirror {mirror}" in capsys.readouterr().out
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert server.paths == []

    @pytest.mark.parametrize("slash", ["", "/"])
    def test_address(self, tiny, server, mirror_files, arrays, monkeypatch, slash, cache_folder):
        server.files = {f"/some/{path}": content for path, content in mirror_files.items()}
        monkeypatch.setenv("COURSE_DATA_MIRROR", f"{server.address}some{slash}")
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert npz_files(cache_folder) == ["tiny.npz"]
        assert set(server.paths) == {"/some/manifest.json", *server.files}

    def test_address_goes_on_with_the_file_that_failed(
        self, tiny, server, mirror_files, arrays, monkeypatch
    ):
        server.files = {f"/{path}": content for path, content in mirror_files.items()}
        labels = server.files.pop("/tiny/labels.npz")
        monkeypatch.setenv("COURSE_DATA_MIRROR", server.address)
        with pytest.raises(DataError, match=r"404 Not Found for /tiny/labels\.npz"):
            load("tiny", "full")
        server.files["/tiny/labels.npz"] = labels
        server.paths.clear()
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert server.paths == ["/manifest.json", "/tiny/labels.npz"]

    def test_absent_folder_leaves_the_published_source(self, tiny, server, arrays, monkeypatch):
        monkeypatch.setenv("COURSE_DATA_MIRROR", "no/such/folder")
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert server.paths == ["/tiny.npz"]

    def test_absent_folder_is_told_if_all_fails(self, tiny, server, monkeypatch):
        monkeypatch.setenv("COURSE_DATA_MIRROR", "no/such/folder")
        server.fail("404")
        with pytest.raises(DataError, match="COURSE_DATA_MIRROR is 'no/such/folder'") as caught:
            load("tiny", "full")
        assert is_one_sentence(str(caught.value))

    def test_folder_without_a_file_leaves_the_published_source(self, tiny, mirror, server, arrays):
        (mirror / "tiny" / "test_batch.webp").unlink()
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert server.paths == ["/tiny.npz"]

    def test_nothing_is_written_to_it(self, tiny, mirror):
        before = {path: path.read_bytes() for path in mirror.rglob("*") if path.is_file()}
        load("tiny", "full")
        assert {path: path.read_bytes() for path in mirror.rglob("*") if path.is_file()} == before

    def test_address_that_is_none(self, tiny, monkeypatch, server):
        server.fail("404")
        for address in ("http://", "http://[bad", "http://127.0.0.1:99999/"):
            monkeypatch.setenv("COURSE_DATA_MIRROR", address)
            with pytest.raises(DataError, match="could not be fetched") as caught:
                load("tiny", "full")
            assert is_one_sentence(str(caught.value))


def write_manifest(mirror):
    listed = {
        path: {"sha256": hashlib.sha256((mirror / path).read_bytes()).hexdigest()} for path in FILES
    }
    (mirror / "manifest.json").write_text(json.dumps({"files": listed}))


class TestTamperedMirror:
    @pytest.mark.parametrize("path", FILES)
    @pytest.mark.parametrize("position", [0, 0.3, 0.5, 0.9, -1])
    def test_any_byte_with_a_manifest_is_refused_and_named(
        self, path, position, only_tiny, mirror, server, cache_folder, capsys
    ):
        write_manifest(mirror)
        size = (mirror / path).stat().st_size
        change_a_byte(
            mirror / path, int(position * size) if isinstance(position, float) else position
        )
        self.check_refused(path, server, cache_folder, capsys)

    @pytest.mark.parametrize("path", FILES)
    @pytest.mark.parametrize("position", [0.3, 0.5, 0.9])
    def test_without_a_manifest_it_is_refused_and_named(
        self, path, position, only_tiny, mirror, server, cache_folder, capsys, arrays
    ):
        size = (mirror / path).stat().st_size
        # Bytes in the middle of the pictures or the labels; in the labels the first values.
        change_a_byte(mirror / path, 150 if path.endswith("npz") else int(position * size))
        self.check_refused(path, server, cache_folder, capsys)

    @pytest.mark.parametrize("manifest", [True, False])
    def test_at_an_address(
        self, manifest, only_tiny, mirror, server, cache_folder, capsys, monkeypatch
    ):
        if manifest:
            write_manifest(mirror)
        path = "tiny/data_batch_3.webp"
        change_a_byte(mirror / path, (mirror / path).stat().st_size // 2)
        server.files = {
            f"/m/{file.relative_to(mirror)}": file.read_bytes()
            for file in mirror.rglob("*")
            if file.is_file()
        }
        monkeypatch.setenv("COURSE_DATA_MIRROR", server.address + "m")
        assert main(["fetch", "tiny"]) == 1
        (error,) = capsys.readouterr().err.splitlines()
        assert path in error
        assert is_one_sentence(error)
        assert not (cache_folder / "tiny.npz").exists()
        assert not [name for name in npz_files(cache_folder) if "batch_3" in name]

    def test_exchanged_files_are_refused(self, only_tiny, mirror, server, cache_folder, capsys):
        first, second = mirror / FILES[0], mirror / FILES[1]
        content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(content)
        self.check_refused(FILES[0], server, cache_folder, capsys)

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"files": {"a": 1}}', b"\xff"])
    def test_broken_manifest_is_named(
        self, content, only_tiny, mirror, server, cache_folder, capsys
    ):
        (mirror / "manifest.json").write_bytes(content)
        self.check_refused("manifest.json", server, cache_folder, capsys)

    def check_refused(self, path, server, cache_folder, capsys):
        assert main(["fetch", "tiny"]) == 1
        out, err = capsys.readouterr()
        (error,) = err.splitlines()
        assert out == ""
        assert error.startswith("error: tiny was refused: ")
        assert path in error
        assert not [other for other in FILES if other != path and other in error]
        assert "expected" in error
        assert is_one_sentence(error)
        assert server.paths == []  # no silent way round
        assert npz_files(cache_folder) == []
        assert main(["verify"]) == 1
        out, err = capsys.readouterr()
        assert out.count("BAD ") == 1
        assert path in err


class TestCommandLine:
    def test_list_shows_every_source(self, capsys):
        assert main(["list"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        for dataset in CATALOGUE.values():
            assert dataset.licence in out
            for source in dataset.published:
                assert source.base in out
            for expected in dataset.full.values():
                assert expected.sha256 in out
        assert "camera" in out

    def test_verify_is_content_with_what_is_embedded(self, capsys):
        assert main(["verify"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        places = [line.split(maxsplit=1) for line in out.splitlines()]
        assert {verdict for verdict, place in places if "embedded" in place} == {"ok"}
        assert {verdict for verdict, place in places if "cache" in place} == {"absent"}
        embedded = [place.partition(",")[0] for _, place in places if "embedded" in place]
        assert embedded == [
            *(*CATALOGUE, "efficientnet_lite0", "imagenet", "style network"),
            *(*PHOTOGRAPHS, *PAINTINGS),
        ]

    def test_runs_as_a_module(self):
        def run(*arguments):
            return subprocess.run(
                [sys.executable, "-m", "data_scripts", *arguments], capture_output=True, text=True
            )

        assert "cifar10" in run("list").stdout
        wrong = run("fetch", "imagenet")
        assert wrong.returncode == 2
        assert "invalid choice: 'imagenet'" in wrong.stderr
        assert run().returncode == 2

    def test_platform_cache_is_used_by_default(self, monkeypatch):
        monkeypatch.delenv("COURSE_DATA_CACHE")
        assert cache.cache_folder().name == "cnn-course" or "cnn-course" in str(
            cache.cache_folder()
        )
