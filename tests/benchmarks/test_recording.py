"""Figures come from a process of their own, and a record is whole or not there."""

import json
import stat

import pytest

from benchmarks import four_cases, recording
from benchmarks.full_scale import measured_digest
from data_scripts import DataError


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Function that runs some lines as a module, and returns figures and what was shown."""

    def run(*lines, **kwargs):
        text = "from benchmarks.recording import hand_over\n" + "\n".join(lines)
        (tmp_path / "a_measurement.py").write_text(text, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        shown = []
        figures = recording.run_apart(
            ["a_measurement"], what="the example", show=shown.append, **kwargs
        )
        return figures, shown

    return run


def test_figures_come_back_and_all_else_is_shown(child):
    figures, shown = child(
        "import os",
        "print('begun at', os.environ['COURSE_SCALE'], os.environ['MPLBACKEND'])",
        "hand_over({'accuracy': 99.5, 'network': 'größer'})",
        "print('done')",
        scale="grading",
    )
    assert figures == {"accuracy": 99.5, "network": "größer"}
    assert shown == ["begun at grading agg", "done"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("raise SystemExit('no pictures')", r"the example stopped \(exit code 1\).*\nhalf way"),
        ("hand_over({}); raise SystemExit(3)", r"exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", r"exit code -9"),
        ("pass", r"exit code 0"),
    ],
)
def test_a_run_that_does_not_come_to_its_end(child, line, words):
    with pytest.raises(recording.BenchmarkError, match=words):
        child("print('half way')", line)


def test_a_record_is_there_as_a_whole_and_can_be_read_by_all(tmp_path):
    path = tmp_path / "results" / "example.json"
    recording.keep(path, {"network": "größer"})
    with pytest.raises(TypeError):
        recording.keep(path, {"network": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"network": "größer"}
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (recording.BenchmarkError("no such lesson"), 1, "no such lesson"),
        (DataError("no mirror"), 1, "no mirror"),
        (KeyboardInterrupt(), 130, "the same command goes on from here"),
    ],
)
def test_a_failure_is_one_sentence_and_an_exit_code(capsys, error, code, words):
    def measure():
        raise error

    assert recording.exit_code(measure) == code
    assert capsys.readouterr().err.splitlines()[-1].endswith(words)
    assert recording.exit_code(lambda: None) == 0


def test_a_tag_that_no_cell_carries():
    with pytest.raises(recording.BenchmarkError, match="has no cells with the tag 'nothing'"):
        recording.cells_with("02_convolution", "nothing")


def test_the_four_cases_stem_from_the_lesson():
    runs = json.loads(four_cases.RECORD.read_text(encoding="utf-8"))["runs"]
    assert len({run["seed"] for run in runs}) >= 3
    digest = measured_digest(four_cases.cases_cells(), "full")
    assert {run["code_sha256"] for run in runs} == {digest}
    for run in runs:
        assert [len(outcomes) for outcomes in run["scores"].values()] == [4, 4, 4, 4]


def test_a_recorded_case_is_not_run_again_and_a_stopped_run_loses_nothing(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(four_cases, "RECORD", tmp_path / "four_cases.json")
    outcome = {"scores": {"small + similar": {"head": 50.0}}, "pictures": {}, "minutes": 1.0}

    def run_apart(words, **kwargs):
        if words[-1] == "3":
            raise recording.BenchmarkError("stopped")
        return outcome

    monkeypatch.setattr(four_cases, "run_apart", run_apart)
    with pytest.raises(recording.BenchmarkError):
        four_cases.measure([1, 2, 3], "full")
    four_cases.measure([1, 2], "full")
    assert "seed 1: recorded already\nseed 2: recorded already" in capsys.readouterr().out
    runs = json.loads(four_cases.RECORD.read_text(encoding="utf-8"))["runs"]
    assert [run["seed"] for run in runs] == [1, 2]
