"""Folders of pictures: what is read rightly, what is skipped with a count, what is refused."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from data_scripts import CLASS_NAMES, DataError, DataWarning, load
from data_scripts import picture_folders as folders
from data_scripts.picture_folders import read_folder, read_picture, split, write_folder

RED, GREEN, BLUE = (250, 10, 10), (10, 250, 10), (10, 10, 250)


@pytest.fixture(scope="module")
def cifar():
    """Six real pictures of each of three classes."""
    (x, y), _ = load("cifar10", "quick")
    rows = np.concatenate([np.flatnonzero(y == label)[:6] for label in (3, 6, 7)])
    return x[rows], y[rows]


@pytest.fixture
def folder(cifar, tmp_path):
    """The same pictures as a folder of class-named subfolders."""
    return write_folder(tmp_path / "pictures", *cifar, CLASS_NAMES)


def quarters(mode="RGB", size=(40, 20)):
    """A picture whose left half is red and whose right half is green."""
    image = Image.new("RGB", size, RED)
    image.paste(GREEN, (size[0] // 2, 0, *size))
    return image.convert(mode)


def near(received, expected):
    return np.abs(np.asarray(received, int) - expected).max() <= 12


def test_a_folder_made_of_pictures_gives_them_back(folder, cifar):
    found = read_folder(folder, side=32)
    assert found.class_names == ("cat", "frog", "horse")
    assert found.pictures.shape == (18, 32, 32, 3)
    assert found.pictures.dtype == np.uint8
    assert np.array_equal(found.pictures, cifar[0])
    assert np.array_equal(found.labels, np.repeat([0, 1, 2], 6))
    assert found.skipped == ()
    assert [path.parent.name for path in found.paths[::6]] == ["cat", "frog", "horse"]


def test_classes_and_files_come_in_the_order_of_their_names(tmp_path):
    for name, colour in (("zebra/b.png", RED), ("zebra/a/c.png", GREEN), ("ant/x.png", BLUE)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), colour).save(tmp_path / name)
    found = read_folder(tmp_path, side=8, fewest=1)
    assert found.class_names == ("ant", "zebra")
    assert [tuple(int(n) for n in p[0, 0]) for p in found.pictures] == [BLUE, GREEN, RED]


def test_a_missing_folder_is_one_clear_sentence(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*nowhere; check the spelling"):
        read_folder(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match=r"a\.txt is a file, expected a folder"):
        read_folder(tmp_path / "a.txt")


def test_no_subfolder_and_one_subfolder_are_refused(folder, tmp_path):
    with pytest.raises(DataError, match="no subfolders, expected at least two"):
        read_folder(folder / "cat")
    (tmp_path / "one" / "cats").mkdir(parents=True)
    with pytest.raises(DataError, match="only the class 'cats', expected at least two"):
        read_folder(tmp_path / "one")


def test_an_empty_class_is_refused_by_name(folder):
    (folder / "wolf").mkdir()
    with pytest.raises(DataError, match="'wolf' has 0 readable pictures, expected at least 2"):
        read_folder(folder)


def test_a_class_of_unreadable_files_says_so(folder):
    (folder / "wolf").mkdir()
    for name in ("a.jpg", "b.txt"):
        (folder / "wolf" / name).write_text("no picture")
    with pytest.raises(DataError, match="'wolf' has 0 readable pictures and 2 other files"):
        read_folder(folder)


def test_hidden_files_and_folders_are_passed_over(folder):
    for name in (".git", "__MACOSX"):
        (folder / name).mkdir()
    (folder / "cat" / ".DS_Store").write_text("x")
    (folder / "cat" / "._00000.png").write_text("x")
    (folder / "readme.txt").write_text("beside the subfolders")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_folder(folder).labels) == 18


def test_odd_files_are_skipped_with_a_count_and_reasons(folder):
    whole = (folder / "cat" / "00000.png").read_bytes()
    (folder / "cat" / "broken.png").write_bytes(whole[: len(whole) // 2])
    (folder / "cat" / "empty.png").write_bytes(b"")
    (folder / "frog" / "lies.jpg").write_text("not a picture")
    (folder / "frog" / "notes.txt").write_text("x")
    (folder / "horse" / "phone.heic").write_bytes(b"x")
    with pytest.warns(DataWarning, match="5 of 23 files skipped") as told:
        found = read_folder(folder)
    text = str(told[0].message)
    assert "cat/broken.png: it breaks off before its end" in text
    assert "cat/empty.png: the file is empty" in text
    assert "frog/lies.jpg: not a picture" in text
    assert "and 1 more" in text
    assert len(found.labels) == 18
    assert {path.name: why for path, why in found.skipped}["phone.heic"].startswith("a phone")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_a_picture_that_breaks_off_is_refused(kind, tmp_path):
    stream = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (60, 60, 3)).astype("uint8")
    Image.fromarray(noise).save(stream, kind)
    path = tmp_path / f"half.{kind.lower()}"
    path.write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2])
    with pytest.raises(DataError, match=r"half\.\w+ could not be read as a picture \("):
        read_picture(path)


def test_a_missing_picture_is_said(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("RGB", "jpg"), ("CMYK", "jpg"), ("P", "png"), ("P", "gif"), ("RGBA", "png"), ("RGB", "webp"),
     ("CMYK", "tif"), ("LAB", "tif")],
)  # fmt: skip
def test_colours_come_out_as_they_are_whatever_the_mode(mode, ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    if mode == "LAB":
        from PIL import ImageCms

        to = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        ImageCms.applyTransform(quarters(), to).save(path)
        assert read_picture(path).shape == (20, 40, 3)
        return
    options = {"quality": 95} if ending == "jpg" else {}
    quarters(mode).save(path, **options)
    picture = read_picture(path)
    assert picture.shape == (20, 40, 3)
    assert near(picture[10, 5], RED)
    assert near(picture[10, 35], GREEN)


@pytest.mark.parametrize("mode", ["L", "1", "I;16", "I", "F"])
def test_grey_pictures_of_any_depth_span_black_to_white(mode, tmp_path):
    ramp = np.tile(np.array([0, 128, 255], "float64"), (4, 1))
    if mode == "L":
        image = Image.fromarray(ramp.astype("uint8"))
    elif mode == "1":
        image = Image.fromarray(ramp > 200)
        ramp = np.where(ramp > 200, 255, 0)
    elif mode == "F":
        image = Image.fromarray((ramp / 255).astype("float32"))
    else:
        kind = "uint16" if mode == "I;16" else "int32"
        image = Image.fromarray((ramp / 255 * 65_535).astype(kind))
    path = tmp_path / f"a.{'tif' if mode in ('I', 'F') else 'png'}"
    image.save(path)
    picture = read_picture(path)
    assert picture.shape == (4, 3, 3)
    assert near(picture[..., 0], ramp)
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_a_dark_16_bit_picture_stays_dark(tmp_path):
    Image.fromarray(np.full((3, 3), 200, "uint16")).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").max() <= 1


def test_transparent_pixels_become_white(tmp_path):
    image = quarters("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png")[0, 0].tolist() == [255, 255, 255]
    palette = quarters("P")
    palette.save(tmp_path / "b.png", transparency=palette.getpixel((0, 0)))
    assert read_picture(tmp_path / "b.png")[10, 5].tolist() == [255, 255, 255]


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame_counts(ending, tmp_path):
    frames = [Image.new("RGB", (10, 10), colour) for colour in (RED, GREEN, BLUE)]
    path = tmp_path / f"a.{ending}"
    options = {"lossless": True} if ending == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50, **options)
    assert near(read_picture(path)[5, 5], RED)


@pytest.mark.parametrize(("turn", "corner"), [(1, RED), (3, GREEN), (6, RED), (8, GREEN)])
def test_a_phone_s_rotation_is_carried_out(turn, corner, tmp_path):
    image = quarters()
    exif = image.getexif()
    exif[0x0112] = turn
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.shape == ((20, 40, 3) if turn in (1, 3) else (40, 20, 3))
    assert near(picture[2, 2], corner)


def test_a_picture_is_cut_in_the_middle_and_never_stretched(tmp_path):
    image = Image.new("RGB", (90, 30), RED)
    image.paste(BLUE, (30, 0, 60, 30))
    image.save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png", side=16)
    assert picture.shape == (16, 16, 3)
    assert near(picture[:, 2:-2], BLUE)


def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MOST_PIXELS", 500)
    quarters().save(tmp_path / "a.png")
    with pytest.raises(DataError, match="40 × 20 pixels are too many"):
        read_picture(tmp_path / "a.png")


def test_a_progress_bar_shows_when_asked_for_and_not_for_few(folder, capsys):
    read_folder(folder)
    assert capsys.readouterr().err == ""
    read_folder(folder, bar=True)
    assert "18/18" in capsys.readouterr().err


def test_a_split_is_the_same_for_a_seed_and_has_every_class():
    labels = np.repeat([0, 1, 2], [40, 7, 2])
    learn, test = split(labels, seed=3)
    again, _ = split(labels, seed=3)
    assert np.array_equal(learn, again)
    assert not np.array_equal(learn, split(labels, seed=4)[0])
    assert sorted([*learn, *test]) == list(range(49))
    assert np.bincount(labels[test]).tolist() == [10, 2, 1]
    assert np.bincount(labels[split(labels, 1, share=0.99)[0]]).tolist() == [1, 1, 1]


def test_a_split_refuses_what_cannot_be_split():
    with pytest.raises(ValueError, match="between 0 and 1"):
        split(np.array([0, 0, 1, 1]), 1, share=1)
    with pytest.raises(ValueError, match="class 1 has one picture"):
        split(np.array([0, 0, 1]), 1)
