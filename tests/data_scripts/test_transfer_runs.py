"""The recorded runs of lesson 07: whole, made on the lesson's pictures, and how they are made."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from data_scripts import load_training_runs, make_transfer_runs
from data_scripts.make_transfer_runs import (
    COMMAND,
    EPOCHS,
    LARGE,
    POOL,
    RECORD,
    RUNS,
    SEEDS,
    SMALL,
    STRATEGIES,
    TEST,
    Run,
    draft_path,
    drawn,
    read_target,
)

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "solutions" / "07_transfer_learning" / "07_transfer_learning.py"


@pytest.fixture(scope="module")
def record():
    return load_training_runs(RECORD)


def test_the_record_is_whole_and_says_how_it_was_made(record):
    assert record["made_by"] == COMMAND
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])
    assert {"cpu", "cores", "python", "tensorflow", "keras"} <= set(record["machine"])
    assert [run["name"] for run in record["runs"]] == [run.name for run in RUNS]
    assert len(RUNS) == 2 * 2 * len(STRATEGIES) * len(SEEDS)


def test_every_run_is_of_its_recipe(record):
    for wanted, run in zip(RUNS, record["runs"], strict=True):
        each, classes = {"small": SMALL, "large": LARGE}[wanted.size], len(labels(wanted.target))
        assert run["pictures"] == classes * each[wanted.target]
        assert run["epochs"] == EPOCHS[wanted.size, wanted.strategy]
        assert len(run["right"]) == classes * TEST[wanted.target]
        share = 100 * run["right"].count("1") / len(run["right"])
        assert math.isclose(share, run["accuracy"], abs_tol=0.006)


def labels(target):
    return range(6 if target == "animals" else 10)


def test_pretrained_weights_help_in_every_case(record):
    """What the lesson says of the record: a wide margin, whatever the machine."""
    runs = record["runs"]
    for target in ("animals", "digits"):
        for size in ("small", "large"):
            mean = {
                strategy: np.mean(
                    [
                        run["accuracy"]
                        for run in runs
                        if (run["target"], run["size"], run["strategy"]) == (target, size, strategy)
                    ]
                )
                for strategy in STRATEGIES
            }
            assert mean["fine-tuned"] > mean["from scratch"], (target, size, mean)


def test_the_lesson_uses_the_same_sizes_at_quick_scale():
    text = LESSON.read_text(encoding="utf-8")
    for name, sizes in (("FEW", SMALL), ("MANY", LARGE), ("TEST", TEST)):
        found = re.search(
            rf'{name} = by_scale\([^}}]*?quick={{"animals": (\d+), "digits": (\d+)}}', text
        )
        assert found, name
        assert {"animals": int(found[1]), "digits": int(found[2])} == sizes
    assert "each * 6 // 5" in text
    assert {name: each * 6 // 5 for name, each in LARGE.items()} == POOL
    assert "SIDE = by_scale(quick=64," in text


@pytest.mark.parametrize("name", ["animals", "digits"])
def test_targets_are_balanced_and_named(name):
    target = read_target(name, 3, 2, "quick")
    classes = len(target.class_names)
    assert np.bincount(target.y).tolist() == [3] * classes
    assert np.bincount(target.y_test).tolist() == [2] * classes
    assert target.x.dtype == np.uint8
    assert target.class_names[3] == ("dog" if name == "animals" else "3")


def test_a_draw_is_balanced_and_the_same_for_a_seed():
    few = np.repeat([0, 1, 2], 10)
    rows = drawn(few, 4, seed=1)
    assert np.bincount(few[rows]).tolist() == [4, 4, 4]
    assert len(set(rows.tolist())) == 12
    assert np.array_equal(rows, drawn(few, 4, seed=1))
    assert not np.array_equal(np.sort(rows), np.sort(drawn(few, 4, seed=2)))
    assert sorted(drawn(few, 10, seed=1).tolist()) == list(range(30))


@pytest.fixture
def invented(monkeypatch):
    """A workshop in which a run is invented instead of trained, and what was trained is noted."""
    trained = []

    def train(run, after_epoch=lambda: None):
        trained.append(run)
        after_epoch()
        return {"accuracy": 50.0, "pictures": 1, "epochs": 1, "parameters": 1, "seconds": 0.0,
                "right": "01"}  # fmt: skip

    monkeypatch.setattr(make_transfer_runs, "train", train)
    return trained


def test_the_command_writes_the_record_and_trains_nothing_twice(invented, tmp_path, capsys):
    assert make_transfer_runs.main(["--out", str(tmp_path / "out")]) == 0
    assert invented == list(RUNS)
    written = json.loads((tmp_path / "out" / f"{RECORD}.json").read_text(encoding="utf-8"))
    assert [run["seed"] for run in written["runs"]] == [run.seed for run in RUNS]
    assert "24 runs" in capsys.readouterr().out
    make_transfer_runs.main(["--out", str(tmp_path / "out")])
    assert len(invented) == len(RUNS)
    make_transfer_runs.main(["--out", str(tmp_path / "out"), "--again"])
    assert len(invented) == 2 * len(RUNS)


def test_stopped_it_keeps_what_it_has(invented, monkeypatch, tmp_path, capsys):
    whole = make_transfer_runs.train

    def stopped(run, after_epoch=lambda: None):
        if len(invented) == 5:
            raise KeyboardInterrupt
        return whole(run, after_epoch)

    monkeypatch.setattr(make_transfer_runs, "train", stopped)
    assert make_transfer_runs.main(["--out", str(tmp_path / "out")]) == 130
    assert "goes on from here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert sum(draft_path(run).exists() for run in RUNS) == 5


def test_other_settings_are_other_runs(monkeypatch):
    run = Run("digits", "small", "fine-tuned", 1)
    before = draft_path(run)
    monkeypatch.setitem(EPOCHS, ("small", "fine-tuned"), 99)
    assert draft_path(run) != before
    assert draft_path(Run("digits", "small", "fine-tuned", 2)) != draft_path(run)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_all_weights_learn_and_normalisation_only_from_scratch(strategy, monkeypatch):
    keras = pytest.importorskip("keras")

    def small(name, *, top, input_size, pretrained):
        pictures = keras.Input((input_size, input_size, 3))
        x = keras.layers.Conv2D(4, 3, strides=4, use_bias=False, name="conv")(pictures)
        return keras.Model(pictures, keras.layers.BatchNormalization(name="norm")(x))

    monkeypatch.setattr(make_transfer_runs, "load_network", small)
    pictures = np.random.default_rng(1).uniform(0, 255, (20, 16, 16, 3)).astype("float32")
    epochs = []
    model = make_transfer_runs.train_all(
        pictures, np.arange(20) % 2, 2, strategy, 1, 2, lambda: epochs.append(1)
    )
    known = strategy == "fine-tuned"
    assert len(epochs) == 2
    assert len(model.trainable_weights) == (3 if known else 5)
    norm = model.layers[1].get_layer("norm")
    assert np.allclose(norm.moving_mean.numpy(), 0) == known
    assert model.predict(pictures, verbose=0).shape == (20, 2)
