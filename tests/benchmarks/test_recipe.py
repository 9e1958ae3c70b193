"""Lesson 06's recipe: its record stems from the lesson's own text, and holds what is said of it."""

import json

import pytest

from benchmarks import recipe
from benchmarks.full_scale import code_digest
from benchmarks.recording import BenchmarkError
from data_scripts import load_training_runs

RUN = {"epochs": 4, "seed": 1, "code_sha256": "", "minutes": [1.0], "accuracy": [70.0]}


@pytest.fixture
def digest():
    return code_digest(recipe.recipe_cells(), "full")


def test_the_record_stems_from_the_lesson(digest):
    record = load_training_runs("06_recipe")
    assert {run["code_sha256"] for run in record["runs"]} == {digest}
    for run in record["runs"]:
        assert len(run["minutes"]) == len(run["accuracy"]) == run["epochs"]
        assert run["minutes"] == sorted(run["minutes"])


def test_three_runs_of_the_recipe_reach_80_per_cent_in_20_minutes():
    runs = [run for run in load_training_runs("06_recipe")["runs"] if run["epochs"] == 12]
    assert {run["seed"] for run in runs} >= {1, 2, 3}
    for run in runs:
        assert run["accuracy"][-1] >= 80
        assert run["minutes"][-1] <= 20
        assert run["machine"]["cores"] == 2


def test_what_is_recorded_is_not_trained_again(digest, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(recipe, "RECORD", tmp_path / "record.json")
    recipe.RECORD.write_text(json.dumps({"runs": [RUN | {"code_sha256": digest}]}))
    monkeypatch.setattr(recipe, "train_apart", lambda *run: pytest.fail("trained again"))
    recipe.measure([4], [1])
    assert "recorded already" in capsys.readouterr().out


def test_a_run_of_other_code_is_made_again_and_a_stopped_one_loses_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(recipe, "RECORD", tmp_path / "record.json")
    recipe.RECORD.write_text(json.dumps({"runs": [RUN | {"code_sha256": "other"}]}))

    def train_apart(epochs, seed):
        if seed == 2:
            raise BenchmarkError("stopped")
        return {"epochs": epochs, "seed": seed, "minutes": [2.0], "accuracy": [71.0]}

    monkeypatch.setattr(recipe, "train_apart", train_apart)
    with pytest.raises(BenchmarkError):
        recipe.measure([4], [1, 2])
    (run,) = json.loads(recipe.RECORD.read_text())["runs"]
    assert run["minutes"] == [2.0]
