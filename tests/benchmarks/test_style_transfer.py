"""The picture of lesson 09: laid out, small enough, drawn by the lesson's own cells."""

import io

import numpy as np
from PIL import Image

from benchmarks import style_transfer


def test_result_stands_beside_its_two_originals():
    red, green, blue = (np.full((64, 64, 3), colour, "float32") for colour in np.eye(3))
    sheet = style_transfer.side_by_side(red, green, blue)
    assert sheet.size == (28 + 8 + 64, 64)
    pixels = np.array(sheet)
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert pixels[-1, 0].tolist() == [0, 255, 0]
    assert pixels[0, -1].tolist() == [0, 0, 255]
    assert pixels[32, 10].tolist() == [255, 255, 255]


def test_file_is_never_too_large():
    noise = np.random.default_rng(1).integers(0, 256, (512, 772, 3), dtype="uint8")
    content = style_transfer.packed(Image.fromarray(noise))
    assert len(content) <= style_transfer.MOST_BYTES
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (772, 512)


def test_the_lesson_s_cells_draw_without_the_rest(monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "grading")
    names = style_transfer.run_cells()
    assert names["whole"].picture.shape == (names["SIDE"], names["SIDE"], 3)
    assert names["seconds"] > 0
    assert {"NETWORK", "STEPS", "content", "style"} <= set(names)
