"""Train lesson 06's recipe on all of CIFAR-10, for several lengths, and record accuracy by minutes.

::

    python -m benchmarks.recipe                             # the lengths and seeds of the record
    python -m benchmarks.recipe --epochs 12 --seeds 1 2 3

The recipe is the lesson's own text: its cells with the tag ``recipe`` are executed, in a fresh
process for each run. After each epoch the test pictures are looked at, for the curve only: nothing
is chosen by them, and the time that it takes does not count. After each run the record is written
to ``data_scripts/embedded/training_runs/06_recipe.json``, so a run that was stopped goes on where
it was; a run that stems from other code is made again. On two cores an epoch takes half a minute.
"""

import argparse
import datetime
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.full_scale import code_digest
from benchmarks.recording import (
    DEFAULT_SEEDS,
    ROOT,
    cells_with,
    exit_code,
    hand_over,
    keep,
    machine,
    run_apart,
)

LESSON = "06_architectures"
TAG = "recipe"
RECORD = ROOT / "data_scripts" / "embedded" / "training_runs" / "06_recipe.json"
LENGTHS = (12, 30)


def recipe_cells() -> list[str]:
    """Return the source of every cell of the lesson that carries the tag ``recipe``."""
    return cells_with(LESSON, TAG)


def train(epochs: int, seed: int) -> dict[str, Any]:
    """Train once.

    Returns
    -------
    dict
        ``epochs``, ``seed``, ``parameters``; ``minutes``: wall-clock time of training up to the end
        of each epoch; ``accuracy``: share of the 10,000 test pictures that are right then, in per
        cent; ``processor_minutes``: of all cores together, for the whole training.
    """
    import math

    import keras
    import numpy as np

    data = load("cifar10")
    pictures, test = (part.astype("float32") / 255 for part in (data[0][0], data[1][0]))
    labels, answers = (part.ravel() for part in (data[0][1], data[1][1]))
    namespace: dict[str, Any] = {"__name__": "__main__", "keras": keras, "math": math, "np": np}
    for place, cell in enumerate(recipe_cells()):
        exec(compile(cell, f"<cell {place}>", "exec"), namespace)
    minutes: list[float] = []
    accuracy: list[float] = []
    watch = {"wall": 0.0, "processor": 0.0}

    class Curve(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            watch["start"], watch["begun"] = time.perf_counter(), time.process_time()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            watch["wall"] += time.perf_counter() - watch["start"]
            watch["processor"] += time.process_time() - watch["begun"]
            minutes.append(round(watch["wall"] / 60, 3))
            said = np.concatenate(
                [
                    self.model.predict_on_batch(test[start : start + 500]).argmax(axis=1)
                    for start in range(0, len(test), 500)
                ]
            )
            accuracy.append(round(100 * float((said == answers).mean()), 2))
            print(
                f"{epochs} epochs, seed {seed}: epoch {epoch + 1}, {minutes[-1]:.2f} min, "
                f"{accuracy[-1]:.2f} %",
                flush=True,
            )

    model = namespace["train_recipe"](pictures, labels, epochs, seed, callbacks=[Curve()])
    return {
        "epochs": epochs,
        "seed": seed,
        "parameters": model.count_params(),
        "minutes": minutes,
        "accuracy": accuracy,
        "processor_minutes": round(watch["processor"] / 60, 2),
    }


def load(name: str) -> Any:
    """Load a data set, always whole."""
    os.environ["COURSE_SCALE"] = "full"
    from data_scripts import load

    return load(name)


def measure(lengths: Sequence[int], seeds: Sequence[int]) -> None:
    """Make the runs that are not in the record; show each epoch as it ends."""
    digest = code_digest(recipe_cells(), "full")
    runs: list[dict[str, Any]] = []
    if RECORD.exists():
        runs = json.loads(RECORD.read_text(encoding="utf-8"))["runs"]
        runs = [run for run in runs if run["code_sha256"] == digest]
    for epochs in lengths:
        for seed in seeds:
            if any((run["epochs"], run["seed"]) == (epochs, seed) for run in runs):
                print(f"{epochs} epochs, seed {seed}: recorded already")
                continue
            outcome = train_apart(epochs, seed)
            runs.append({**outcome, "code_sha256": digest, "machine": machine()})
            _write(runs)


def train_apart(epochs: int, seed: int) -> dict[str, Any]:
    """Train in a process of its own, and show what it prints; return what :func:`train` returns.

    Raises
    ------
    BenchmarkError
        If the process stops before its end.
    """
    return run_apart(
        ["benchmarks.recipe", "--child", str(epochs), str(seed)],
        what=f"{epochs} epochs, seed {seed}",
        show=lambda line: print(f"  {line}", flush=True),
    )


def _write(runs: list[dict[str, Any]]) -> None:
    runs.sort(key=lambda run: (run["epochs"], run["seed"]))
    record = {
        "made_by": "python -m benchmarks.recipe",
        "date": datetime.date.today().isoformat(),
        "machine": runs[-1]["machine"],
        "runs": runs,
    }
    keep(RECORD, record)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recipe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, nargs="+", default=list(LENGTHS))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(DEFAULT_SEEDS))
    parser.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    return exit_code(
        (lambda: measure(options.epochs, options.seeds))
        if options.child is None
        else (lambda: hand_over(train(*options.child)))
    )


if __name__ == "__main__":
    sys.exit(main())
