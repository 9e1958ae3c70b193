"""Sets of photographs in class folders: found, fetched, unpacked; every way that can go wrong."""

import dataclasses
import hashlib
import io
import os
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_data import is_one_sentence, noise

from data_scripts import (
    DataError,
    DataWarning,
    cache,
    picture_archives,
    picture_set,
    picture_sets,
)
from data_scripts.__main__ import main
from data_scripts.picture_folders import read_folder
from data_scripts.picture_set_catalogue import (
    CALTECH101_ANIMALS,
    OXFORD_PETS,
    PICTURE_SETS,
    Archive,
    PictureSet,
)

CATS = (
    "Abyssinian", "Bengal", "Birman", "Bombay", "British_Shorthair", "Egyptian_Mau", "Maine_Coon",
    "Persian", "Ragdoll", "Russian_Blue", "Siamese", "Sphynx",
)  # fmt: skip
DOGS = (
    "american_bulldog", "american_pit_bull_terrier", "basset_hound", "beagle", "boxer",
    "chihuahua", "english_cocker_spaniel", "english_setter", "german_shorthaired",
    "great_pyrenees", "havanese", "japanese_chin", "keeshond", "leonberger",
    "miniature_pinscher", "newfoundland", "pomeranian", "pug", "saint_bernard", "samoyed",
    "scottish_terrier", "shiba_inu", "staffordshire_bull_terrier", "wheaten_terrier",
    "yorkshire_terrier",
)  # fmt: skip
PATH = "oxford_pets/images.tar.gz"
ZIPPED = "animals/animals.zip"


def jpeg(seed):
    stream = io.BytesIO()
    Image.fromarray(noise(seed, 8, 8, 3)).save(stream, "JPEG")
    return stream.getvalue()


def packed(members):
    """A ``.tar.gz``; ``members``: bytes, or a TarInfo for what is no file, by name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def entry(original: PictureSet, content: bytes, address: str) -> PictureSet:
    """A set of the catalogue with another archive."""
    archive = Archive(original.mirror.path, len(content), hashlib.sha256(content).hexdigest())
    published = original.published and dataclasses.replace(archive, path=original.published.path)
    bases = (address,) if published else ()
    return dataclasses.replace(
        original, pictures=74, room=1_000_000, mirror=archive, published=published, bases=bases
    )


@pytest.fixture(scope="module")
def members():
    """Two pictures of every breed under the names of the real archive, and its stray files."""
    pictures = {
        f"images/{breed}_{number}.jpg": jpeg(100 * place + number)
        for place, breed in enumerate(CATS + DOGS)
        for number in (1, 191)
    }
    stray = {
        "images/": tarfile.TarInfo("images"),
        "images/Abyssinian_100.mat": b"MATLAB",
        "images/._beagle_1.jpg": b"a Mac was here",
        "images/more/beagle_1.jpg": jpeg(1),
        "README": b"read me",
    }
    stray["images/"].type = tarfile.DIRTYPE
    return stray | pictures


@pytest.fixture(scope="module")
def content(members):
    return packed(members)


@pytest.fixture
def install(monkeypatch, server):
    """Put a set with this archive into the catalogue instead of all others, and publish it."""

    def put(content, original=OXFORD_PETS):
        changed = entry(original, content, server.address)
        if original.published:
            server.files[f"/{original.published.path}"] = content
        monkeypatch.setattr("data_scripts.__main__.CATALOGUE", {})
        monkeypatch.setattr("data_scripts.__main__.NETWORKS", {})
        monkeypatch.setattr("data_scripts.__main__.PICTURE_SETS", {changed.name: changed})
        monkeypatch.setattr(picture_sets, "PICTURE_SETS", {changed.name: changed})
        return changed

    return put


@pytest.fixture
def pets(install, content):
    return install(content)


@pytest.fixture
def mirror(tmp_path, content, monkeypatch):
    folder = tmp_path / "mirror"
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).write_bytes(content)
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(folder))
    return folder


def kept(folder):
    """What is in the cache, locks left out; unfinished folders and files would be named."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


def expected_files():
    names = [f"cats/{breed}/{breed}_{number}.jpg" for breed in CATS for number in (1, 191)]
    names += [f"dogs/{breed}/{breed}_{number}.jpg" for breed in DOGS for number in (1, 191)]
    return sorted(names)


def refused(capsys, name="oxford_pets"):
    """Fetch what cannot be had; the one sentence that is said."""
    assert main(["fetch", name]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert is_one_sentence(line)
    return line


class TestPublished:
    def test_becomes_class_folders_and_stays(self, pets, members, server, cache_folder):
        for origin in (server.address, "the cache"):
            found, received = picture_sets.fetch(pets)
            assert received == origin
            assert list(found.files) == expected_files()
            assert len(found.classes) == 37
        assert server.paths == ["/images.tar.gz"]
        assert kept(cache_folder) == sorted(
            ["oxford_pets/SHA256SUMS"] + [f"oxford_pets/{name}" for name in expected_files()]
        )
        for file in found.files:
            assert (found.folder / file).read_bytes() == members[f"images/{Path(file).name}"]

    def test_read_folder_takes_it(self, pets):
        folder = picture_set("oxford_pets")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dogs, cats = read_folder(folder / "dogs", 8), read_folder(folder / "cats", 8)
            both = read_folder(folder, 8)
        assert dogs.class_names == DOGS
        assert cats.class_names == CATS
        assert both.class_names == ("cats", "dogs")
        assert np.bincount(both.labels).tolist() == [24, 50]

    def test_the_list_is_as_the_usual_command_writes_it(self, pets):
        folder = picture_set("oxford_pets")
        head, *rows = (folder / "SHA256SUMS").read_bytes().decode().splitlines()
        assert head == f"# oxford_pets, unpacked from the archive {pets.mirror.sha256}"
        assert rows == [
            f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}"
            for name in expected_files()
        ]

    def test_command_line_tells_what_came(self, pets, server, cache_folder, capsys):
        assert main(["fetch", "oxford_pets"]) == 0
        assert capsys.readouterr() == (
            f"oxford_pets: whole, 74 pictures in 37 classes, from {server.address}, in "
            f"{cache_folder / 'oxford_pets'}\n",
            "",
        )
        assert main(["verify"]) == 0
        assert f"ok     oxford_pets, cache {cache_folder / 'oxford_pets'}" in (
            capsys.readouterr().out
        )

    def test_bars_show_on_a_terminal(self, pets, monkeypatch, mirror):
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr("sys.stderr", terminal)
        assert main(["fetch", "oxford_pets"]) == 0
        assert f"checking {PATH}" in terminal.getvalue()
        assert "unpacking" in terminal.getvalue()
        monkeypatch.delenv("COURSE_DATA_MIRROR")
        (cache.cache_folder() / "oxford_pets").rename(mirror / "elsewhere")
        assert main(["fetch", "oxford_pets"]) == 0
        assert "images.tar.gz:" in terminal.getvalue()

    @pytest.mark.parametrize(
        "behaviour", ["404", "500", "html", "dropped", "wrong bytes", "one byte", "truncated",
                      "silent", "endless"],
    )  # fmt: skip
    def test_failure_is_one_sentence_and_unpacks_nothing(
        self, behaviour, pets, server, cache_folder, capsys, monkeypatch
    ):
        server.fail(behaviour.replace(" ", "_"))
        monkeypatch.setattr(picture_archives, "_write", None)  # nothing may get that far
        line = refused(capsys)
        assert line.startswith("error: oxford_pets could not be fetched: ")
        assert line.endswith(
            "connect to the internet, or set COURSE_DATA_MIRROR to a folder or address that has "
            f"{PATH}, or use a folder of your own pictures."
        )
        assert [name for name in kept(cache_folder) if not name.endswith(".part")] == []

    def test_next_address_is_tried(self, pets, server, content, cache_folder):
        server.files["/other/images.tar.gz"] = content
        bases = (f"{server.address}none/", f"{server.address}other/")
        found, origin = picture_sets.fetch(dataclasses.replace(pets, bases=bases))
        assert origin == bases[1]
        assert len(found.files) == 74
        assert server.paths == ["/none/images.tar.gz", "/other/images.tar.gz"]

    def test_no_network_is_one_sentence(self, pets, monkeypatch, capsys):
        away = dataclasses.replace(pets, bases=("http://nowhere.invalid/",))
        monkeypatch.setattr("data_scripts.__main__.PICTURE_SETS", {"oxford_pets": away})
        assert "the name nowhere.invalid was not found (no network?)" in refused(capsys)

    def test_goes_on_where_it_broke_off(self, pets, server, content, cache_folder):
        server.fail("dropped")
        with pytest.raises(DataError, match="broke the connection off"):
            picture_set("oxford_pets")
        (part,) = cache_folder.rglob("*.part")
        have = part.stat().st_size
        assert have
        server.fail("well")
        server.ranges.clear()
        picture_set("oxford_pets")
        assert server.ranges == [f"bytes={have}-"]

    def test_unknown_names_are_refused(self):
        with pytest.raises(ValueError, match="no picture set 'pets'; expected one of oxford_pets"):
            picture_set("pets")


class TestUnpacking:
    def test_stop_in_the_middle_leaves_the_archive_and_nothing_half(
        self, pets, server, cache_folder, monkeypatch, capsys
    ):
        write, written = picture_archives._write, []

        def stopping(content, path):
            written.append(path)
            if len(written) == 30:
                raise KeyboardInterrupt
            return write(content, path)

        monkeypatch.setattr(picture_archives, "_write", stopping)
        assert main(["fetch", "oxford_pets"]) == 130
        assert "goes on from what has been downloaded" in capsys.readouterr().err
        assert not (cache_folder / "oxford_pets").exists()
        (left,) = kept(cache_folder)
        assert left.endswith("-images.tar.gz")
        monkeypatch.setattr(picture_archives, "_write", write)
        assert main(["fetch", "oxford_pets"]) == 0
        assert server.paths == ["/images.tar.gz"]  # not downloaded again
        assert len(kept(cache_folder)) == 75

    def test_what_a_killed_process_left_is_cleared(self, pets, cache_folder):
        left = cache_folder / ".oxford_pets.4711.unpacking" / "dogs" / "pug"
        left.mkdir(parents=True)
        (left / "pug_1.jpg").write_bytes(b"half")
        picture_set("oxford_pets")
        assert len(kept(cache_folder)) == 75

    @pytest.mark.parametrize(
        "name", ["../beagle_1.jpg", "images/../../beagle_1.jpg", "/tmp/beagle_1.jpg",
                 "images\\..\\..\\x.jpg", "C:/beagle_1.jpg"],
    )  # fmt: skip
    @pytest.mark.parametrize("kind", ["tar", "zip"])
    def test_a_name_that_leads_elsewhere_refuses_all(
        self, name, kind, members, install, cache_folder, tmp_path, capsys, monkeypatch
    ):
        """Even if the catalogue itself had the digest of such an archive."""
        if kind == "tar":
            install(packed(members | {name: jpeg(1)}))
            line = refused(capsys)
        else:
            animals = {"caltech101_animals10/crab/image_0001.jpg": jpeg(2), name: jpeg(1)}
            pictures = install(zipped(animals), CALTECH101_ANIMALS)
            place = tmp_path / "mirror" / pictures.mirror.path
            place.parent.mkdir(parents=True)
            place.write_bytes(zipped(animals))
            monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
            line = refused(capsys, "caltech101_animals")
        assert "expected only names that stay in its folder" in line
        assert kept(cache_folder) == []
        assert not (tmp_path / "beagle_1.jpg").exists()
        assert not (cache_folder / "beagle_1.jpg").exists()

    @pytest.mark.parametrize(
        "member",
        [
            link("images/pug_9.jpg", "/etc/passwd"),
            link("images/pug_9.jpg", "../../../secret"),
            link("images/pug_9.jpg", "../../secret", tarfile.LNKTYPE),
            link("images/pug_9.jpg", "", tarfile.CHRTYPE),
        ],
        ids=["absolute link", "link", "hard link", "device"],
    )
    def test_links_and_devices_become_no_pictures(
        self, member, members, install, cache_folder, capsys
    ):
        install(packed(members | {member.name: member}))
        if hasattr(tarfile, "data_filter"):
            assert "cannot be unpacked, expected an archive of pictures" in refused(capsys)
            assert kept(cache_folder) == []
        else:
            assert not (picture_set("oxford_pets") / "dogs" / "pug" / "pug_9.jpg").exists()

    @pytest.mark.parametrize("content", [b"no archive", packed({"README": b"nothing else"})])
    def test_an_archive_of_something_else_is_refused(self, content, install, cache_folder, capsys):
        install(content)
        assert "expected" in refused(capsys)
        assert kept(cache_folder) == []

    def test_a_full_disk_is_told_before_anything_is_written(
        self, pets, server, mirror, cache_folder, monkeypatch, capsys
    ):
        usage = type("Usage", (), {"free": pets.room + 10})
        monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: usage)
        monkeypatch.delenv("COURSE_DATA_MIRROR")
        assert "the disk is full: " in refused(capsys)  # room for the pictures, not for the archive
        assert server.paths == []
        usage.free = pets.room - 10
        monkeypatch.setenv("COURSE_DATA_MIRROR", str(mirror))
        assert "the disk is full: " in refused(capsys)
        assert kept(cache_folder) == []
        usage.free = pets.room + 10
        assert main(["fetch", "oxford_pets"]) == 0

    def test_a_disk_that_fills_up_leaves_nothing(self, pets, cache_folder, monkeypatch, capsys):
        def full(content, path):
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(picture_archives, "_write", full)
        assert "No space left on device" in refused(capsys)
        assert not (cache_folder / "oxford_pets").exists()
        assert not list(cache_folder.glob(".*.unpacking"))

    def test_two_at_once_fetch_once(self, pets, server):
        from concurrent.futures import ThreadPoolExecutor

        server.fail("slow_start")
        with ThreadPoolExecutor(3) as pool:
            folders = list(pool.map(lambda _: picture_set("oxford_pets"), range(3)))
        assert len(set(folders)) == 1
        assert server.paths == ["/images.tar.gz"]


class TestMirror:
    def test_folder_comes_first(self, pets, mirror, server, cache_folder, capsys):
        before = {path: path.stat().st_mtime_ns for path in mirror.rglob("*")}
        assert main(["verify"]) == 0
        out = capsys.readouterr().out
        assert f"ok     oxford_pets, mirror {mirror}" in out
        assert "absent oxford_pets, cache " in out
        assert main(["fetch", "oxford_pets"]) == 0
        assert f"from the mirror {mirror}, in " in capsys.readouterr().out
        assert server.paths == []
        assert len(kept(cache_folder)) == 75
        assert {path: path.stat().st_mtime_ns for path in mirror.rglob("*")} == before

    def test_address(self, pets, server, content, monkeypatch, cache_folder):
        server.files = {f"/some/{PATH}": content}
        monkeypatch.setenv("COURSE_DATA_MIRROR", f"{server.address}some")
        _, origin = picture_sets.fetch(pets)
        assert origin == f"the mirror {server.address}some"
        assert server.paths == [f"/some/{PATH}"]
        assert len(kept(cache_folder)) == 75

    @pytest.mark.parametrize("place", ["no/such/folder", "http://", "http://[bad"])
    def test_absent_leaves_the_published_source(self, pets, place, server, monkeypatch):
        monkeypatch.setenv("COURSE_DATA_MIRROR", place)
        picture_set("oxford_pets")
        assert server.paths == ["/images.tar.gz"]

    def test_without_the_file_leaves_the_published_source(self, pets, mirror, server, capsys):
        (mirror / PATH).unlink()
        assert main(["verify"]) == 0
        assert f"absent oxford_pets, mirror {mirror}" in capsys.readouterr().out
        picture_set("oxford_pets")
        assert server.paths == ["/images.tar.gz"]

    def test_that_cannot_be_read_is_told(self, pets, mirror, capsys):
        (mirror / PATH).unlink()
        (mirror / PATH).mkdir()
        assert main(["verify"]) == 1
        out, err = capsys.readouterr()
        assert f"BAD    oxford_pets, mirror {mirror}" in out
        assert f"{PATH} of the mirror {mirror} cannot be read (Is a directory)" in err

    @pytest.mark.parametrize("served", [False, True])
    def test_tampered_is_refused_and_named(
        self, served, pets, mirror, content, server, cache_folder, capsys, monkeypatch
    ):
        changed = bytearray(content)
        changed[len(content) // 2] ^= 1
        (mirror / PATH).write_bytes(changed)
        if served:
            server.files[f"/some/{PATH}"] = bytes(changed)
            monkeypatch.setenv("COURSE_DATA_MIRROR", f"{server.address}some")
        line = refused(capsys)
        assert line.startswith("error: oxford_pets was refused: ")
        assert PATH in line
        assert f"expected {pets.mirror.sha256[:16]}…" in line
        assert line.endswith("or unset COURSE_DATA_MIRROR to use the published source.")
        assert "/images.tar.gz" not in server.paths  # no silent way round
        assert kept(cache_folder) == []
        if not served:
            assert main(["verify"]) == 1
            assert f"BAD    oxford_pets, mirror {mirror}" in capsys.readouterr().out


class TestMirrorOnly:
    """A set that is published only as part of a larger archive."""

    @pytest.fixture
    def animals(self, install, tmp_path, monkeypatch):
        content = zipped(
            {
                "caltech101_animals10/README.txt": b"read me",
                "caltech101_animals10/crab/image_0001.jpg": jpeg(1),
                "caltech101_animals10/crab/image_0002.jpg": jpeg(2),
                "caltech101_animals10/llama/image_0001.jpg": jpeg(3),
                "caltech101_animals10/llama/image_0002.jpg": jpeg(4),
            }
        )
        place = tmp_path / "mirror" / CALTECH101_ANIMALS.mirror.path
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
        monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
        return install(content, CALTECH101_ANIMALS)

    def test_becomes_class_folders(self, animals):
        found = read_folder(picture_set("caltech101_animals"), 8)
        assert found.class_names == ("crab", "llama")
        assert [path.name for path in found.paths] == ["image_0001.jpg", "image_0002.jpg"] * 2

    def test_without_a_mirror_the_sentence_says_so(self, animals, monkeypatch, capsys):
        monkeypatch.delenv("COURSE_DATA_MIRROR")
        assert refused(capsys, "caltech101_animals") == (
            "error: caltech101_animals could not be fetched: it is published only as part of a "
            "larger archive; set COURSE_DATA_MIRROR to a folder or address that has "
            "caltech101/caltech101_animals10.zip, or use a folder of your own pictures."
        )

    def test_tampered_is_refused(self, animals, tmp_path, capsys):
        place = tmp_path / "mirror" / animals.mirror.path
        place.write_bytes(place.read_bytes() + b"!")
        line = refused(capsys, "caltech101_animals")
        assert line.startswith("error: caltech101_animals was refused: ")
        assert line.endswith("copy this file again from where the mirror was made.")


class TestCache:
    @pytest.mark.parametrize("damage", ["changed", "missing", "another archive"])
    def test_damage_is_named_and_fetched_again(self, damage, pets, members, server, capsys):
        folder = picture_set("oxford_pets")
        picture = folder / "dogs" / "pug" / "pug_191.jpg"
        (folder / ".DS_Store").write_bytes(b"a Mac looked at it")
        if damage == "changed":
            picture.write_bytes(picture.read_bytes()[:-1] + b"!")
        elif damage == "missing":
            picture.unlink()
        else:
            text = (folder / "SHA256SUMS").read_text()
            (folder / "SHA256SUMS").write_text(text.replace(pets.mirror.sha256, "0" * 64))
        assert main(["verify"]) == 1
        out, err = capsys.readouterr()
        assert f"BAD    oxford_pets, cache {folder}" in out
        assert "run python -m data_scripts fetch oxford_pets." in err
        with pytest.warns(DataWarning, match=r"the cached .*; it is fetched again") as caught:
            assert picture_set("oxford_pets") == folder
        assert is_one_sentence(str(caught[0].message))
        assert ("pug_191" in str(caught[0].message)) == (damage != "another archive")
        assert picture.read_bytes() == members["images/pug_191.jpg"]
        assert server.paths == ["/images.tar.gz"] * 2
        assert main(["verify"]) == 0
        assert not list(folder.parent.glob(".*.unpacking"))

    def test_damage_stays_if_nothing_better_can_be_had(self, pets, server):
        folder = picture_set("oxford_pets")
        (folder / "dogs" / "pug" / "pug_1.jpg").unlink()
        server.fail("404")
        with pytest.warns(DataWarning), pytest.raises(DataError, match="could not be fetched"):
            picture_set("oxford_pets")
        assert len(kept(folder)) == 74

    @pytest.mark.parametrize("damaged", [False, True])
    def test_somebody_s_own_file_is_never_removed(self, damaged, pets, server, capsys):
        folder = picture_set("oxford_pets")
        own = folder / "dogs" / "bello" / "bello.jpg"
        own.parent.mkdir()
        own.write_bytes(jpeg(1))
        if damaged:
            (folder / "dogs" / "pug" / "pug_1.jpg").unlink()
        line = refused(capsys)
        assert f"{folder} holds dogs/bello/bello.jpg, expected nothing but the pictures" in line
        assert main(["verify"]) == 1
        assert own.read_bytes() == jpeg(1)
        assert server.paths == ["/images.tar.gz"]

    @pytest.mark.parametrize("text", [None, "", "# head\n", "\xe9\n", "# head\nno digest\n"])
    def test_a_folder_without_its_list_is_left_alone(self, text, pets, server, capsys):
        folder = picture_set("oxford_pets")
        (folder / "SHA256SUMS").unlink()
        if text is not None:
            (folder / "SHA256SUMS").write_text(text, "latin-1")
        assert "has no whole list SHA256SUMS" in refused(capsys)
        assert (folder / "dogs" / "pug" / "pug_1.jpg").exists()
        assert server.paths == ["/images.tar.gz"]

    def test_a_file_in_its_place_is_told(self, pets, cache_folder, capsys):
        cache_folder.mkdir()
        (cache_folder / "oxford_pets").write_bytes(b"mine")
        assert "cannot be read (Not a directory), expected a folder" in refused(capsys)
        assert (cache_folder / "oxford_pets").read_bytes() == b"mine"

    def test_that_cannot_be_written_is_told(self, pets, tmp_path, monkeypatch, server, capsys):
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("COURSE_DATA_CACHE", str(tmp_path / "file" / "cache"))
        assert "the cache cannot be " in refused(capsys)
        assert server.paths == []


class TestCatalogue:
    def test_is_consistent(self):
        assert list(PICTURE_SETS) == ["oxford_pets", "caltech101_animals"]
        for name, pictures in PICTURE_SETS.items():
            assert pictures.name == name
            assert bool(pictures.published) == bool(pictures.bases)
            assert len(pictures.mirror.sha256) == 64
            assert pictures.room >= pictures.mirror.size
            for base in pictures.bases:
                assert base.startswith("https://")
                assert base.endswith("/")
        published, mirror = OXFORD_PETS.published, OXFORD_PETS.mirror
        assert (published.size, published.sha256) == (mirror.size, mirror.sha256)
        assert OXFORD_PETS.classes == len(CATS + DOGS)

    def test_attribution_has_every_licence_and_citation(self):
        path = Path(picture_sets.__file__).parent / "ATTRIBUTION.md"
        text = " ".join(path.read_text(encoding="utf-8").split())
        for pictures in PICTURE_SETS.values():
            for words in (pictures.name, pictures.licence, pictures.citation, pictures.homepage):
                assert words in text

    def test_list_shows_every_source_and_checksum(self, capsys):
        assert main(["list"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        for pictures in PICTURE_SETS.values():
            assert f"{pictures.name} — {pictures.title}" in out
            assert f"{pictures.pictures:,} in {pictures.classes} classes" in out
            assert pictures.mirror.path in out
            assert f"{pictures.mirror.sha256}, of the archive" in out
            for base in pictures.bases:
                assert f"{base}, not tried" in out

    @pytest.mark.parametrize(
        ("member", "place"),
        [
            ("images/Egyptian_Mau_145.jpg", "cats/Egyptian_Mau/Egyptian_Mau_145.jpg"),
            ("./images/shiba_inu_1.jpg", "dogs/shiba_inu/shiba_inu_1.jpg"),
            ("images/shiba_inu_1.mat", None),
            ("images/shiba_inu_1.jpg.exe", None),
            ("images/../shiba_inu_1.jpg", None),
            ("images/shiba_inu_\u0661.jpg", None),
            ("images/.shiba_inu_1.jpg", None),
            ("annotations/shiba_inu_1.jpg", None),
        ],
    )
    def test_places(self, member, place):
        assert OXFORD_PETS.place(member) == place
