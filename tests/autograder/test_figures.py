"""Figures of a lesson: small files, with words."""

import base64
import io

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from autograder.figures import show

WORDS = "A curve that climbs and then lies flat."


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: bundles and their metadata."""
    seen = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda data, *, metadata, raw: seen.append((data, metadata)) if raw else None,
    )
    monkeypatch.delenv("COURSE_SCALE", raising=False)
    return seen


def noise():
    figure, axis = plt.subplots(figsize=(3, 2))
    axis.imshow(np.random.default_rng(1).random((60, 90, 3)))
    return figure


@pytest.mark.parametrize(
    ("photographs", "kind", "form"),
    [(False, "image/png", "PNG"), (True, "image/jpeg", "JPEG")],
)
def test_a_picture_and_its_words(shown, photographs, kind, form):
    figure = noise()
    show(figure, alt="A curve that climbs\n    and then lies flat.", photographs=photographs)
    ((data, metadata),) = shown
    assert set(data) == {kind, "text/plain"}
    assert data["text/plain"] == metadata[kind]["alt"] == WORDS
    with Image.open(io.BytesIO(base64.b64decode(data[kind]))) as picture:
        assert picture.format == form
        assert metadata[kind].get("width", 0) in (0, round(1.25 * picture.width))
    assert not plt.fignum_exists(figure.number)


def test_photographs_take_less_room(shown):
    for photographs in (False, True):
        show(noise(), alt=WORDS, photographs=photographs)
    (png, _), (jpeg, _) = shown
    assert 2 * len(jpeg["image/jpeg"]) < len(png["image/png"])


def test_too_few_words(shown):
    with pytest.raises(ValueError, match="'a plot' is too short"):
        show(noise(), alt="a plot")
    assert shown == []


def test_nothing_is_drawn_for_the_grader(shown, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "grading")
    show(noise(), alt=WORDS)
    assert shown == []
