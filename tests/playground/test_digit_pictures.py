"""Drawings come out as MNIST's own digits would."""

import numpy as np
import pytest

from data_scripts import load
from playground.digit_networks import load_network
from playground.digit_pictures import centred, on_pad, whole


@pytest.fixture(scope="module")
def digits():
    return load("mnist", scale="quick").test


def test_a_digit_of_mnist_stays_as_it_is(digits):
    """Its makers did the same to it: nothing is left to do."""
    differences = [
        np.abs(centred(digit).digit - digit / np.float32(255)).max() for digit in digits.x[:300]
    ]
    assert np.mean(np.array(differences) < 0.01) > 0.95


def test_also_when_it_comes_from_the_pad(digits):
    differences = [
        np.abs(centred(on_pad(digit, 112)).digit - digit / np.float32(255)).max()
        for digit in digits.x[:300]
    ]
    assert np.mean(np.array(differences) < 0.01) > 0.95


@pytest.mark.parametrize(("size", "top", "left"), [(112, 0, 0), (112, 0, 28), (56, 56, 41)])
def test_place_and_size_of_a_drawing_hardly_matter(digits, size, top, left):
    network = load_network("cnn")
    right, near = 0, []
    for digit, label in zip(digits.x[::10], digits.y[::10], strict=True):
        drawn = on_pad(digit, size)
        field = np.zeros((140, 140), np.uint8)
        field[top : top + size, left : left + size] = drawn
        found = centred(field).digit
        near.append(np.abs(found - digit / np.float32(255)).mean())
        right += network(found[None])[0].argmax() == label
    assert right >= 98
    assert np.mean(near) < 0.01


def test_the_box_and_the_centre_of_mass():
    drawing = np.zeros((112, 112), np.uint8)
    drawing[10:90, 60:68] = 255  # 80 high, 8 wide: becomes 20 high, 2 wide
    digit, lost = centred(drawing)
    rows, columns = np.nonzero(digit)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 2)
    mass = (digit.sum(axis=1) * (np.arange(28) + 0.5)).sum() / digit.sum()
    assert abs(mass - 14.5) <= 0.5
    assert lost == 0


def test_the_centre_is_that_of_mass_and_not_of_the_box():
    drawing = np.zeros((100, 100), np.uint8)
    drawing[0:100, 0:20] = 255
    drawing[80:100, 0:100] = 255  # an L: heavy at the lower left
    digit, _ = centred(drawing)
    rows, columns = np.nonzero(digit)
    assert rows.min() < 27 - rows.max()
    assert columns.min() > 27 - columns.max()


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, -4), (-5, 2)])
def test_a_moved_digit_is_the_same_digit_elsewhere(digits, right, down):
    here, there = centred(digits.x[0]), centred(digits.x[0], right, down)
    padded = np.pad(here.digit, 10)
    assert np.array_equal(padded[10 - down : 38 - down, 10 - right : 38 - right], there.digit)


def test_ink_that_leaves_the_field_is_counted_and_not_wrapped_around():
    drawing = np.zeros((112, 112), np.uint8)
    drawing[:, 40:72] = 255
    digit, lost = centred(drawing, right=10, down=10)
    assert digit[:5].sum() == 0
    assert 0.2 < lost < 0.5
    assert centred(drawing).lost == 0


def test_nothing_drawn():
    assert centred(np.zeros((112, 112), np.uint8)) is None
    faint = np.zeros((112, 112), np.uint8)
    faint[5, 5] = 3
    assert centred(faint) is None


def test_one_dot_is_a_drawing():
    drawing = np.zeros((112, 112), np.uint8)
    drawing[111, 0] = 255
    assert centred(drawing).digit.max() == 1


def test_a_colour_picture_is_refused():
    with pytest.raises(ValueError, match=r"\(5, 5, 3\); expected \(height, width\)"):
        centred(np.zeros((5, 5, 3)))


def test_whole_neither_cuts_nor_centres():
    picture = np.zeros((112, 112), np.uint8)
    picture[:4, :4] = 255
    field = whole(picture)
    assert field.shape == (28, 28)
    assert field[0, 0] == 1
    assert field.sum() == 1
