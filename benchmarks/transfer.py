"""Frozen features and a new head, on whole data sets: the full-scale figures of lesson 07.

::

    COURSE_DATA_MIRROR=../shared/data python -m benchmarks.transfer
    COURSE_DATA_MIRROR=../shared/data python -m benchmarks.transfer --task caltech

Two tasks, three seeds each:

* ten animals of Caltech-101, read from a folder with one subfolder for each class, like a
  student's own, at 224 × 224; a quarter of each class is set aside, a new split for each seed;
* all of CIFAR-10 at 128 × 128, tested on the official 10,000.

Features are computed once and kept in the data cache, so a run that was stopped goes on where it
was: a quarter of an hour for CIFAR-10 on two idle cores, half a minute for Caltech-101. The head is
trained by the lesson's own text: its cell with the tag ``transfer`` is executed. Results go to
``benchmarks/results/07_transfer_learning.json``, and ``python -m benchmarks.tables`` puts them into
the texts.
"""

import argparse
import datetime
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.full_scale import code_digest, read_results, write_results
from benchmarks.recording import DEFAULT_SEEDS, cells_with, exit_code, machine
from data_scripts import load, load_network, picture_set
from data_scripts.bottleneck_features import bottleneck_features
from data_scripts.picture_folders import read_folder, split

LESSON = "07_transfer_learning"
TAG = "transfer"
LAYERS = ("block6d_add", "head_relu6")
TITLES = {
    "caltech": "Caltech-101, ten animals",
    "cifar10": "CIFAR-10",
}
SIDES = {"caltech": 224, "cifar10": 128}
STEPS = {"caltech": 300, "cifar10": 4_700}  # of a head, 128 pictures each


def transfer_cells() -> list[str]:
    """Return the source of every cell of the lesson that carries the tag ``transfer``."""
    return cells_with(LESSON, TAG)


def caltech() -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels of the ten animals, through a folder.

    Raises
    ------
    DataError
        If neither the cache nor ``COURSE_DATA_MIRROR`` has them.
    """
    found = read_folder(picture_set("caltech101_animals"), SIDES["caltech"], bar=True)
    return found.pictures, found.labels


def features(task: str) -> tuple[dict[str, np.ndarray], np.ndarray, int, float]:
    """Features of all pictures of a task.

    Returns
    -------
    vectors : dict
        Name of a layer → one row for each picture.
    labels : numpy.ndarray
        Of the pictures.
    learn : int
        So many first pictures are to learn from; 0 if each seed splits anew.
    seconds : float
        For computing or reading them.
    """
    if task == "caltech":
        pictures, labels = caltech()
        learn = 0
    else:
        (x, y), (x_test, y_test) = load("cifar10", "full")
        pictures, labels, learn = np.concatenate([x, x_test]), np.concatenate([y, y_test]), len(x)
    network = load_network("efficientnet_lite0", top=False, input_size=SIDES[task])
    start = time.perf_counter()
    found = bottleneck_features(network, pictures, LAYERS, bar=True)
    return dict(found.of), labels.astype("int64"), learn, time.perf_counter() - start


def measure(task: str, seeds: Sequence[int], record: dict[str, Any]) -> None:
    """Train the head of a task with every seed, and write the results file after each."""
    namespace: dict[str, Any] = {"__name__": "__main__", "np": np}
    cells = transfer_cells()
    for place, cell in enumerate(cells):
        exec(compile(cell, f"<cell {place}>", "exec"), namespace)
    vectors, labels, learn, seconds = features(task)
    print(f"{TITLES[task]}: {len(labels):,} pictures, features in {seconds:.0f} s", flush=True)
    for layers, title in ((LAYERS[-1:], TITLES[task]), (LAYERS, f"{TITLES[task]}, stage 6 + end")):
        chosen = np.concatenate([vectors[name] for name in layers], axis=1)
        for seed in seeds:
            if learn:
                rows, test = np.arange(learn), np.arange(learn, len(labels))
            else:
                rows, test = split(labels, seed)
            begun = time.perf_counter()
            kernel, bias = namespace["train_head"](
                chosen[rows], labels[rows], int(labels.max()) + 1, seed, STEPS[task]
            )
            spent = time.perf_counter() - begun
            said = (chosen[test] @ kernel + bias).argmax(axis=1)
            accuracy = 100 * float((said == labels[test]).mean())
            print(f"  {title}, seed {seed}: {accuracy:.2f} %", flush=True)
            run = next((one for one in record["runs"] if one["seed"] == seed), None)
            if run is None:
                run = {"scale": "full", "seed": seed, "models": {}, "moved": {}}
                record["runs"].append(run)
            run |= {
                "date": datetime.date.today().isoformat(),
                "machine": machine(),
                "code_sha256": code_digest(cells, "full"),
            }
            run["models"][title] = {
                "accuracy": round(accuracy, 4),
                "seconds": round(spent, 2),
                "epochs": max(1, STEPS[task] * 128 // len(rows)),
                "parameters": (chosen.shape[1] + 1) * (int(labels.max()) + 1),
            }
            write_results(record)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transfer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--task", choices=TITLES, action="append", help="default: both")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(DEFAULT_SEEDS))
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    record = read_results(LESSON)

    def tasks() -> None:
        for task in options.task or TITLES:
            measure(task, options.seeds, record)

    return exit_code(tasks)


if __name__ == "__main__":
    sys.exit(main())
