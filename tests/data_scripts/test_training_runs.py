"""Recorded training runs: what records hold, what they keep to themselves, how they are made."""

import dataclasses
import json
import math
import re
from collections import Counter
from pathlib import Path

import pytest

from data_scripts import load_training_runs, make_training_runs
from data_scripts.embedding import EMBEDDED
from data_scripts.make_training_runs import (
    COMMAND,
    FAULTS,
    KINDS,
    MEASURES,
    OVERTRAINED,
    SHOWN,
    draft_path,
    lettered,
    scores,
)

FOLDER = EMBEDDED / "training_runs"
LESSON = Path(__file__).resolve().parents[2] / "solutions" / "04_cifar10_cnn" / "04_cifar10_cnn.py"
LENGTHS = {"04_faults": FAULTS[0].epochs + 1, "04_overtrained": OVERTRAINED.epochs + 1}


@pytest.fixture(scope="module")
def key():
    """The key that drew the letters of the record; it stands with the hidden checks only."""
    return re.search(r"make_training_runs --key (\S+)", LESSON.read_text(encoding="utf-8"))[1]


@pytest.fixture(scope="module")
def runs():
    return {run["name"]: run for run in load_training_runs("04_faults")["runs"]}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_record_says_how_it_was_made_and_is_whole(name):
    record = load_training_runs(name)
    assert record["made_by"] == COMMAND
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])
    assert {"cpu", "cores", "python", "tensorflow", "keras"} <= set(record["machine"])
    for run in record["runs"]:
        assert set(run) == {"name", *MEASURES}
        for measure in MEASURES:
            assert len(run[measure]) == LENGTHS[name]
            assert all(math.isfinite(value) and value >= 0 for value in run[measure])
            assert "loss" in measure or max(run[measure]) <= 1


def test_an_unknown_record_is_refused_by_name():
    with pytest.raises(ValueError, match="04_faults"):
        load_training_runs("04_fault")


def test_a_record_tells_neither_kind_nor_key(key):
    text = (FOLDER / "04_faults.json").read_text(encoding="utf-8")
    assert key not in text
    assert [kind for kind in KINDS if kind in text] == []
    assert key not in Path(make_training_runs.__file__).read_text(encoding="utf-8")


def test_every_kind_is_shown_once_and_occurs_three_times(key):
    letters = lettered(key)
    assert "".join(letters) == "ABCDEFGHIJKLMNOPQR"
    assert Counter(recipe.kind for recipe in letters.values()) == dict.fromkeys(KINDS, 3)
    assert {recipe.kind for recipe in list(letters.values())[:SHOWN]} == set(KINDS)
    assert len({recipe.seed for recipe in FAULTS}) == len(FAULTS)


def test_letters_follow_from_the_key_and_from_nothing_that_students_have(key):
    assert lettered(key) == lettered(key)
    assert list(lettered(key).values()) != list(FAULTS)
    assert len({tuple(lettered(word).values()) for word in "abcdefgh"}) == 8


def test_the_lesson_s_checks_know_the_letters(key):
    places = re.search(r'zip\(\s*"([A-R]+)", \(([\d, ]+)\), strict', LESSON.read_text("utf-8"))
    known = dict(zip(places[1], (int(n) for n in places[2].split(",")), strict=True))
    assert known == {x: KINDS.index(recipe.kind) for x, recipe in lettered(key).items()}


def test_each_run_is_a_clear_case_of_its_kind(runs, key):
    """Not one solution's thresholds, but wide margins: whoever reads a curve well is right."""
    for letter, recipe in lettered(key).items():
        loss, right, val_loss, val_right = (runs[letter][name] for name in MEASURES)
        about = (letter, recipe)
        far_above = loss[0] > 10 * math.log(10)
        assert far_above == (recipe.kind == "inputs not scaled"), about
        assert far_above or abs(loss[0] - math.log(10)) < 0.1, about
        swapped = recipe.kind == "train and validation swapped"
        assert (val_loss[-1] < loss[-1] - 1) == swapped, about
        assert (val_right[-1] > right[-1] + 0.3) == swapped, about
        assert (max(right) < 0.25) == (recipe.kind == "learning rate too high"), about
        learned = recipe.kind not in ("learning rate too high", "labels shuffled")
        assert (max(val_right) > 0.3) == learned, about
        if recipe.kind == "healthy":
            assert val_loss[-1] < 1.02 * min(val_loss), about
        if recipe.kind in ("overfitting", "labels shuffled"):
            for last in (-1, -2, -3):  # the hidden checks cut runs short
                assert val_loss[last] > 1.15 * min(val_loss), about


def test_the_overtrained_run_overtrains():
    (run,) = load_training_runs("04_overtrained")["runs"]
    best = min(range(len(run["val_loss"])), key=run["val_loss"].__getitem__)
    assert 3 <= best <= 20
    assert run["val_loss"][-1] > 2 * run["val_loss"][best]
    assert run["loss"][-1] < 0.1


def test_swapping_exchanges_the_parts_and_nothing_else():
    history = [{"loss": 1, "accuracy": 0.9, "val_loss": 2, "val_accuracy": 0.4}]
    sound = scores(history, "overfitting")
    assert sound == {"loss": [1], "accuracy": [0.9], "val_loss": [2], "val_accuracy": [0.4]}
    assert scores(history, "train and validation swapped") == {
        "loss": [2], "accuracy": [0.4], "val_loss": [1], "val_accuracy": [0.9]
    }  # fmt: skip


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A workshop in which a run is invented instead of trained, and what was trained is noted."""
    trained = []

    def train(recipe, after_epoch=lambda: None):
        trained.append(recipe)
        for _ in range(recipe.epochs + 1):
            after_epoch()
        return {name: [float(recipe.seed)] * (recipe.epochs + 1) for name in MEASURES}

    monkeypatch.setenv("COURSE_DATA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(make_training_runs, "train", train)
    return trained


def test_the_command_writes_both_records(small, tmp_path, capsys):
    assert make_training_runs.main(["--key", "k", "--out", str(tmp_path / "out")]) == 0
    assert len(small) == len(FAULTS) + 1
    record = json.loads((tmp_path / "out" / "04_faults.json").read_text(encoding="utf-8"))
    assert [run["loss"][0] for run in record["runs"]] == [r.seed for r in lettered("k").values()]
    told = capsys.readouterr()
    assert "18 runs" in told.out
    assert "minutes" in told.err


def test_what_was_stopped_goes_on(small, tmp_path, monkeypatch):
    invented = make_training_runs.train

    def stopped(recipe, after_epoch=lambda: None):
        if len(small) == 5:
            raise KeyboardInterrupt
        return invented(recipe, after_epoch)

    monkeypatch.setattr(make_training_runs, "train", stopped)
    assert make_training_runs.main(["--key", "k", "--out", str(tmp_path / "out")]) == 130
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(make_training_runs, "train", invented)
    assert make_training_runs.main(["--key", "k", "--out", str(tmp_path / "out")]) == 0
    assert Counter(small) == dict.fromkeys([*FAULTS, OVERTRAINED], 1)
    assert make_training_runs.main(["--key", "k", "--again", "--out", str(tmp_path / "out")]) == 0
    assert Counter(small) == dict.fromkeys([*FAULTS, OVERTRAINED], 2)


def test_without_a_key_one_is_drawn_and_told(small, tmp_path, capsys):
    assert make_training_runs.main(["--out", str(tmp_path)]) == 0
    drawn = re.search(r"by the key (\w+)", capsys.readouterr().out)[1]
    record = json.loads((tmp_path / "04_faults.json").read_text(encoding="utf-8"))
    assert [run["loss"][0] for run in record["runs"]] == [r.seed for r in lettered(drawn).values()]


def test_another_recipe_is_another_draft():
    other = dataclasses.replace(FAULTS[0], rate=FAULTS[0].rate / 2)
    assert draft_path(other) != draft_path(FAULTS[0])


def test_a_real_run_in_small():
    recipe = dataclasses.replace(FAULTS[4], pictures=64, epochs=1)  # inputs not scaled
    seen = []
    run = make_training_runs.train(recipe, lambda: seen.append(1))
    assert len(seen) == 2
    assert {name: len(run[name]) for name in MEASURES} == dict.fromkeys(MEASURES, 2)
    assert run["loss"][0] > 5
