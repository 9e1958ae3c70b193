"""Predictions, verdicts on differences, and Keras without its start-up lines."""

import os
import subprocess
import sys

import numpy as np
import pytest

from autograder.experiments import compare_prediction, judge


@pytest.mark.parametrize(
    ("prediction", "result"),
    [(32, 32), ((5, 5, 8), [5, 5, 8]), (["max"], ("max",)), ("max", "max"), (0.3, np.float64(0.3))],
)
def test_a_right_prediction(prediction, result, capsys):
    compare_prediction(prediction, result)
    assert capsys.readouterr().out == f"result: {result}   Your prediction was right.\n"


@pytest.mark.parametrize(
    ("prediction", "result"), [(33, 32), ((5, 5), (5, 5, 8)), ("max", "mean"), (0, "0"), ([], 1)]
)
def test_another_prediction(prediction, result, capsys):
    compare_prediction(prediction, result)
    assert f"Your prediction was {prediction}." in capsys.readouterr().out


def test_no_prediction(capsys):
    compare_prediction(None, "CNN")
    assert "you wrote down no prediction" in capsys.readouterr().out


def runs(share, *, pictures=1000, seeds=3):
    """Three runs that are right on the first pictures, the share of which differs a little."""
    marks = np.arange(pictures)
    return [marks < pictures * (share + 0.001 * seed) for seed in range(seeds)]


def test_a_large_difference_has_a_better_network(capsys):
    right = {"MLP": runs(0.5), "CNN": runs(0.7)}
    assert judge(right, "MLP", "CNN") == "CNN"
    assert judge(right, "CNN", "MLP") == "CNN"
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("CNN − MLP: +20.0 points, noise 2.5 ")
    assert printed[1].startswith("MLP − CNN: -20.0 points")


def test_few_pictures_say_nothing(capsys):
    right = {"MLP": runs(0.5, pictures=10), "CNN": runs(0.6, pictures=10)}
    assert judge(right, "MLP", "CNN") == "not distinguishable"
    assert capsys.readouterr().out.endswith("→ not distinguishable\n")


def test_seeds_that_differ_widely_say_nothing():
    right = {"MLP": [runs(share, seeds=1)[0] for share in (0.4, 0.5, 0.6)], "CNN": runs(0.6)}
    assert judge(right, "MLP", "CNN") == "not distinguishable"


def child(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_written_inside_and_everything_after():
    code = (
        "import os, sys\n"
        "from autograder.quiet import quiet_imports\n"
        "with quiet_imports():\n"
        "    os.write(2, b'from C++')\n"
        "    print(os.environ['TF_CPP_MIN_LOG_LEVEL'])\n"
        "os.write(2, b'later')\n"
    )
    done = child(code, TF_CPP_MIN_LOG_LEVEL="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "later")


def test_an_error_is_seen():
    done = child(
        "from autograder.quiet import quiet_imports\nwith quiet_imports():\n    import no_such"
    )
    assert done.returncode == 1
    assert "No module named 'no_such'" in done.stderr
