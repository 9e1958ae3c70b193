"""Statistics of exercises, against NumPy and against values worked out by hand."""

import numpy as np
import pytest

from autograder.reports import item_analysis
from autograder.reports.item_analysis import alpha, difficulty, discrimination, spread


@pytest.fixture
def class_of_60():
    """Points of 60 students in four exercises that measure one ability, more or less."""
    rng = np.random.default_rng(9)
    ability = rng.normal(size=60)
    possible = {"a": 2.0, "b": 3.0, "c": 5.0, "d": 4.0}
    points = {
        name: list(np.clip(most * (0.5 + 0.3 * ability + 0.2 * rng.normal(size=60)), 0, most))
        for name, most in possible.items()
    }
    return points, possible


def test_difficulty_is_the_mean_share():
    assert difficulty([2, 1, None, 0], 4) == pytest.approx(0.25)
    assert difficulty([None], 4) is None
    assert difficulty([], 4) is None


def test_discrimination_is_the_correlation_with_the_rest(class_of_60):
    points, possible = class_of_60
    for name in points:
        rest = sum(np.array(points[other]) for other in points if other != name)
        expected = np.corrcoef(points[name], rest)[0, 1]
        assert discrimination(name, points, possible) == pytest.approx(expected)
        assert expected < 0.99  # the total, with the item itself in it, would be another value


def test_of_right_or_wrong_it_is_the_point_biserial_correlation():
    item = [1, 1, 1, 0, 0, 0, 1, 0]
    rest = [9, 8, 7, 3, 5, 4, 6, 6]
    found = discrimination("item", {"item": item, "rest": rest}, {"item": 1, "rest": 10})
    right = np.array([r for i, r in zip(item, rest, strict=True) if i])
    wrong = np.array([r for i, r in zip(item, rest, strict=True) if not i])
    share = np.mean(item)
    biserial = (right.mean() - wrong.mean()) / np.std(rest) * np.sqrt(share * (1 - share))
    assert found == pytest.approx(biserial)


def test_what_waits_is_left_out(class_of_60):
    points, possible = class_of_60
    for place in (3, 17):
        points["b"][place] = None
    marked = [place for place in range(60) if place not in (3, 17)]
    others = np.array([points["a"], points["c"], points["d"]]).sum(axis=0)[marked]
    expected = np.corrcoef([points["b"][place] for place in marked], others)[0, 1]
    assert discrimination("b", points, possible) == pytest.approx(expected)
    # For another exercise, the rest of these two is what was marked of it, by its worth.
    rest = [
        (points["c"][place] + points["d"][place] + (points["b"][place] or 0))
        / (9 if points["b"][place] is None else 12)
        for place in range(60)
    ]
    expected = np.corrcoef(points["a"], rest)[0, 1]
    assert discrimination("a", points, possible) == pytest.approx(expected)


@pytest.mark.parametrize(
    "points",
    [
        {"a": [1, 1, 1, 1, 1, 1], "b": [1, 2, 3, 4, 5, 6]},  # no spread in the exercise
        {"a": [1, 2, 3, 4, 5, 6], "b": [2, 2, 2, 2, 2, 2]},  # nor in the rest
        {"a": [1, 2, 3, 4], "b": [1, 2, 3, 4]},  # too few
        {"a": [1, 2, 3, 4, 5, 6]},  # no rest
        {"a": [None] * 6, "b": [1, 2, 3, 4, 5, 6]},
    ],
)
def test_where_it_cannot_be_computed(points):
    possible = dict.fromkeys(points, 6.0)
    assert discrimination("a", points, possible) is None


def test_alpha(class_of_60):
    points, _ = class_of_60
    table = np.array(list(points.values()))
    within = table.var(axis=1, ddof=1).sum()
    total = table.sum(axis=0).var(ddof=1)
    assert alpha(points) == pytest.approx(4 / 3 * (1 - within / total))
    points["a"][0] = None
    assert alpha(points) == pytest.approx(alpha({name: all_[1:] for name, all_ in points.items()}))
    assert alpha({"a": points["b"]}) is None
    assert alpha({"a": [1.0] * 6, "b": [1.0] * 6}) is None


def test_spread():
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]
    found = spread(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.median == np.median(values)
    assert found.quartiles == pytest.approx(tuple(np.percentile(values, [25, 75])))
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    assert (found.lowest, found.highest, found.count) == (1.0, 9.0, 7)
    assert spread([2.0]) == item_analysis.Spread(1, 2.0, 2.0, 2.0, 2.0, (2.0, 2.0), None)
    assert spread([]) is None
