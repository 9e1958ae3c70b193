"""Full scale over HTTP: a good server, and servers that fail in every way we could think of."""

import contextlib
import io
import shutil
import socket
import subprocess
import threading
import time
import types

import numpy as np
import pytest
from small_data import is_one_sentence, npz

from data_scripts import DataError, DataWarning, cache, downloads, load
from data_scripts.__main__ import main
from data_scripts.catalogue import CATALOGUE, Dataset, File, Source


def files_in(folder):
    """Contents of every file in the cache, locks left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def parts(folder):
    return list(folder.rglob("*.part"))


def published(dataset: Dataset, *sources: Source) -> Dataset:
    changed = dataset.__class__(**(vars(dataset) | {"published": sources}))
    CATALOGUE["tiny"] = changed  # the fixture puts the catalogue back
    return changed


def source(name: str, base: str, dataset: Dataset) -> Source:
    return Source(name, base, dataset.published[0].files)


@pytest.fixture
def before(cache_folder):
    """Something that is in the cache already and has nothing to do with the failure."""
    cache_folder.mkdir()
    (cache_folder / "other.npz").write_bytes(b"another data set")
    return files_in(cache_folder)


def closed_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class TestGoodServer:
    def test_arrays_come_and_stay(self, tiny, arrays, server, cache_folder):
        for _ in range(2):
            (x_train, y_train), (x_test, y_test) = load("tiny", scale="full")
            np.testing.assert_array_equal(x_train, arrays["x_train"])
            np.testing.assert_array_equal(y_train, arrays["y_train"])
            np.testing.assert_array_equal(x_test, arrays["x_test"])
            np.testing.assert_array_equal(y_test, arrays["y_test"])
            assert x_train.flags.writeable
        assert server.paths == ["/tiny.npz"]
        assert files_in(cache_folder).keys() == {"tiny.npz"}
        with np.load(cache_folder / "tiny.npz") as cached:
            assert set(cached) == set(arrays)

    def test_command_line_is_quiet_without_a_terminal(self, tiny, capsys, cache_folder):
        assert main(["fetch", "tiny"]) == 0
        out, err = capsys.readouterr()
        assert out == (
            f"tiny: whole, 100 + 20 pictures, from the server, in {cache_folder / 'tiny.npz'}\n"
        )
        assert err == ""
        assert main(["fetch", "tiny", "tiny"]) == 0
        assert capsys.readouterr().out.count("from the cache") == 1

    def test_command_line_shows_progress_on_a_terminal(self, tiny, monkeypatch):
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr("sys.stderr", terminal)
        assert main(["fetch", "tiny"]) == 0
        assert "tiny.npz:" in terminal.getvalue()
        assert "100%" in terminal.getvalue() or "B/s" in terminal.getvalue()

    def test_pooch_logger_is_left_as_it_was(self, tiny):
        import pooch

        level = pooch.get_logger().level
        load("tiny", scale="full")
        assert pooch.get_logger().level == level

    def test_container_digest_is_checked_where_it_is_published(self, tiny, server):
        file = tiny.published[0].files[0]
        pinned = File(file.path, file.container, file.holds, file.size, sha256="0" * 64)
        published(tiny, Source("the server", server.address, (pinned,)))
        with pytest.raises(DataError, match=r"sent a file with SHA-256 .* expected 0000") as caught:
            load("tiny", scale="full")
        assert is_one_sentence(str(caught.value))

    def test_two_at_once_fetch_once(self, tiny, server, arrays):
        server.fail("slow_start")
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(load("tiny", scale="full")))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 4
        for splits in results:
            np.testing.assert_array_equal(splits.train.x, arrays["x_train"])
        assert server.paths == ["/tiny.npz"]


# behaviour of the server, and what the sentence must say
WAYS = {
    "404": "answered 404 Not Found for /tiny.npz, expected 200 OK",
    "500": "answered 500 Internal Server Error for /tiny.npz, expected 200 OK",
    "refused": "refused the connection",
    "dropped": "broke the connection off after ",
    "dropped at once": "broke the connection off before it answered",
    "wrong bytes": "is damaged or cut short, expected a whole file of kind “npz”",
    "one byte": "tiny.npz",
    "slow": "in 0 s, expected at least 10 kB a second",
    "silent": "sent nothing for 0.5 s after ",
    "no answer": "did not answer within 0.5 s",
    "html": "sent an HTML page, expected a data file",
    "html in disguise": "sent an HTML page, expected a data file",
    "truncated": "is damaged or cut short, expected a whole file of kind “npz”",
    "endless": "or more, expected at most ",
    "too long": "sends 1000.0 GB or more, expected at most ",
    "other arrays": "has values with SHA-256 ",
    "no such host": "nowhere.invalid",
}


@pytest.fixture
def failing(request, tiny, server, arrays):
    """Make the server fail; afterwards ``mend`` makes it serve well."""

    def fail(way):
        if way == "refused":
            published(tiny, source("the server", f"http://127.0.0.1:{closed_port()}/", tiny))
        elif way == "no such host":
            published(tiny, source("the server", "http://nowhere.invalid/", tiny))
        elif way == "other arrays":
            good = server.files["/tiny.npz"]
            other = arrays | {"x_test": arrays["x_test"] ^ 1}
            server.files["/tiny.npz"] = npz(**other)
            request.addfinalizer(lambda: server.files.update({"/tiny.npz": good}))
        else:
            server.fail(way)

    def mend():
        server.fail("well")
        server.files["/tiny.npz"] = npz(**arrays)
        published(tiny, *tiny.published)

    return types.SimpleNamespace(fail=fail, mend=mend)


class TestBadServer:
    @pytest.mark.parametrize("way", WAYS)
    def test_one_sentence_exit_code_and_a_whole_cache(
        self, way, failing, before, cache_folder, capsys, arrays
    ):
        failing.fail(way)
        began = time.monotonic()
        assert main(["fetch", "tiny"]) == 1
        assert time.monotonic() - began < 5
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: tiny could not be fetched: ")
        assert is_one_sentence(err.removesuffix("\n"))
        assert WAYS[way] in err
        assert "set COURSE_DATA_MIRROR to a folder or address that has tiny/" in err
        # What was there is whole; what is new is a part that the next try goes on from, if any.
        after = files_in(cache_folder)
        left = {path for path in after if path not in before}
        assert {path: after[path] for path in before} == before
        good = npz(**arrays)
        for path in left:
            assert path.endswith(".part")
            assert way in ("dropped", "silent", "slow")
            assert after[path] == good[: len(after[path])]
        # And the next try, with a server that works, works.
        failing.mend()
        assert main(["fetch", "tiny"]) == 0
        assert files_in(cache_folder).keys() == {*before, "tiny.npz"}
        np.testing.assert_array_equal(load("tiny", "full").test.x, arrays["x_test"])

    @pytest.mark.parametrize("way", ["404", "html", "dropped", "wrong bytes", "refused"])
    def test_next_source_is_tried(self, way, failing, tiny, server, arrays):
        failing.fail(way)
        server.files["/good/tiny.npz"] = npz(**arrays)
        server.failures = min(server.failures, 3 if way == "dropped" else 1)
        bad = CATALOGUE["tiny"].published[0]
        published(tiny, bad, source("another server", server.address + "good/", tiny))
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])

    def test_all_reasons_are_told_in_one_sentence(self, tiny, server):
        published(
            tiny,
            source("first", server.address + "missing/", tiny),
            source("second", f"http://127.0.0.1:{closed_port()}/", tiny),
        )
        with pytest.raises(DataError) as caught:
            load("tiny", scale="full")
        message = str(caught.value)
        assert is_one_sentence(message)
        assert "answered 404" in message
        assert "refused the connection" in message

    def test_other_names_are_still_fetched(self, tiny, server, capsys, monkeypatch, cache_folder):
        absent = tiny.__class__(
            **(
                vars(tiny)
                | {"name": "absent", "published": (source("x", server.address + "x/", tiny),)}
            )
        )
        monkeypatch.setitem(CATALOGUE, "absent", absent)
        assert main(["fetch", "absent", "tiny"]) == 1
        out, err = capsys.readouterr()
        assert out.startswith("tiny: whole")
        assert err.startswith("error: absent could not be fetched")


class TestResume:
    def test_goes_on_within_one_call(self, tiny, server, arrays):
        server.fail("dropped", times=2)
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        size = len(server.files["/tiny.npz"])
        half = size // 2
        assert server.ranges == [None, f"bytes={half}-", f"bytes={half + (size - half) // 2}-"]

    def test_goes_on_in_the_next_call(self, tiny, server, arrays, cache_folder):
        server.fail("dropped")
        with pytest.raises(DataError, match=r"3 times over .the next try goes on from there"):
            load("tiny", "full")
        (part,) = parts(cache_folder)
        have = part.stat().st_size
        assert have > len(server.files["/tiny.npz"]) * 0.8
        server.fail("well")
        server.ranges.clear()
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert server.ranges == [f"bytes={have}-"]
        assert not parts(cache_folder)

    def test_server_without_ranges_sends_all_again(self, tiny, server, arrays):
        server.fail("dropped", times=1)
        handler_calls = []
        real = downloads.ResumingDownloader._receive

        def receive(downloader, url):
            handler_calls.append(url)
            if len(handler_calls) == 2:
                server.fail("no_range")
            real(downloader, url)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(downloads.ResumingDownloader, "_receive", receive)
            np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert len(handler_calls) == 2

    @pytest.mark.parametrize("length", [1, 5000, 10**6])
    def test_leftover_of_another_version_is_thrown_away(
        self, tiny, server, arrays, cache_folder, length
    ):
        url = server.address + "tiny.npz"
        part = downloads.part_file(url, cache.downloads_folder(tiny))
        part.parent.mkdir(parents=True)
        part.write_bytes(b"x" * length)
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert server.ranges == [f"bytes={length}-", None]
        assert files_in(cache_folder).keys() == {"tiny.npz"}

    def test_leftover_that_is_complete_is_taken(self, tiny, server, arrays, cache_folder):
        url = server.address + "tiny.npz"
        part = downloads.part_file(url, cache.downloads_folder(tiny))
        part.parent.mkdir(parents=True)
        part.write_bytes(server.files["/tiny.npz"])
        np.testing.assert_array_equal(load("tiny", "full").train.x, arrays["x_train"])
        assert len(server.ranges) == 1

    def test_login_page_leaves_the_part_alone(self, tiny, server, arrays, cache_folder):
        server.fail("dropped")
        with pytest.raises(DataError):
            load("tiny", "full")
        (part,) = parts(cache_folder)
        content = part.read_bytes()
        server.fail("html")
        with pytest.raises(DataError, match="HTML page"):
            load("tiny", "full")
        assert part.read_bytes() == content

    def test_interruption_keeps_the_part(
        self, tiny, server, arrays, cache_folder, monkeypatch, capsys
    ):
        real = downloads.tqdm.update

        def interrupt(bar, count):
            real(bar, count)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(downloads.tqdm, "update", interrupt)
            assert main(["fetch", "tiny"]) == 130
        assert capsys.readouterr().err == (
            "stopped: the next fetch goes on from what has been downloaded.\n"
        )
        (part,) = parts(cache_folder)
        assert part.stat().st_size > 0
        assert main(["fetch", "tiny"]) == 0
        assert server.ranges[1].startswith("bytes=")


@contextlib.contextmanager
def files_no_longer_than(size):
    """The kernel refuses longer files, as a full disk would: EFBIG."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestFullDisk:
    def test_while_downloading(self, tiny, before, cache_folder, capsys, arrays):
        with files_no_longer_than(100_000):
            code = main(["fetch", "tiny"])
        assert code == 1
        self.check(before, cache_folder, capsys, "File too large")

    def test_while_writing_the_cache(self, tiny, mirror, before, cache_folder, capsys):
        with files_no_longer_than(100_000):
            code = main(["fetch", "tiny"])
        assert code == 1
        self.check(before, cache_folder, capsys, "File too large")

    def test_load_takes_the_mirror_all_the_same(self, tiny, mirror, before, cache_folder, arrays):
        with (
            files_no_longer_than(100_000),
            pytest.warns(DataWarning, match="tiny is read from the mirror every time: the disk is"),
        ):
            splits = load("tiny", "full")
        np.testing.assert_array_equal(splits.train.x, arrays["x_train"])
        assert files_in(cache_folder) == before

    @pytest.mark.parametrize("from_mirror", [True, False])
    def test_known_in_advance(
        self, from_mirror, tiny, server, before, cache_folder, capsys, monkeypatch, request
    ):
        if from_mirror:
            request.getfixturevalue("mirror")
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=12_345))
        assert main(["fetch", "tiny"]) == 1
        self.check(before, cache_folder, capsys, "has 12 kB free, expected 3")

    def test_on_a_disk_that_is_full(self, tiny, cache_folder, capsys, monkeypatch):
        cache_folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(cache_folder)]
        if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("may not mount a small disk here")
        try:
            (cache_folder / "other.npz").write_bytes(b"another data set")
            before = files_in(cache_folder)
            monkeypatch.setattr(cache, "ensure_room", lambda folder, size: None)
            monkeypatch.setattr(downloads, "ensure_room", lambda folder, size: None)
            assert main(["fetch", "tiny"]) == 1
            self.check(before, cache_folder, capsys, "No space left on device")
        finally:
            subprocess.run(["umount", str(cache_folder)], check=True)

    def check(self, before, cache_folder, capsys, reason):
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: the disk is full: ")
        assert reason in err
        assert "free some space, or set COURSE_DATA_CACHE" in err
        assert is_one_sentence(err.removesuffix("\n"))
        assert files_in(cache_folder) == before
