"""Train the two networks that read digits in the playground, and embed their weights.

::

    COURSE_DATA_MIRROR=FOLDER python -m playground.make_digit_models

They are the networks of lesson 01, the MLP with two hidden layers of 512 units and the CNN, trained
by that lesson's recipe on all 60,000 training digits, as they are: no digit is moved, turned or
thickened, so that the playground shows what the lesson measures. It takes two to three minutes of
processor time.

Weights are rounded to a few bits, with a scale of its own for each unit or filter, and kept in
``digit_models/``: ``mlp.npz``, ``cnn.npz`` and ``record.json``, which says how they were made and
how well they read the 10,000 test digits, after the rounding. A hundred of the test digits lie
beside them in ``examples.npz``: those of :func:`data_scripts.load` at quick scale are training
digits. ``--check`` trains nothing: it
measures the embedded weights again and compares with the record.
"""

import argparse
import datetime
import hashlib
import json
import math
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from autograder.quiet import quiet_imports
from data_scripts import load
from data_scripts.embedding import first_of_each_class
from data_scripts.errors import DataError
from playground.digit_networks import (
    FOLDER,
    DigitNetwork,
    load_network,
    write_examples,
    write_network,
)

COMMAND = "python -m playground.make_digit_models"
RATE = 1e-3
EXAMPLES = 10  # of each digit, to be embedded
# Lesson 01, RECIPES at full scale. The bits are the fewest at which no accuracy is lost.
RECIPES = {
    "mlp": {"seed": 1, "epochs": 10, "batch_size": 128, "bits": 6},
    "cnn": {"seed": 1, "epochs": 5, "batch_size": 64, "bits": 8},
}
BEST_POSSIBLE = {"mlp": 0.98, "cnn": 0.99}  # less than that is not embedded


def keras_network(kind: str) -> Any:
    """Build one of the two networks of lesson 01 in Keras, untrained.

    Parameters
    ----------
    kind : {"mlp", "cnn"}
        Which.

    Returns
    -------
    keras.Sequential
        From ``(n, 28, 28, 1)``, 0 for paper … 1 for ink, to ``(n, 10)`` probabilities.
    """
    with quiet_imports():
        import keras
    layers = keras.layers
    if kind == "mlp":
        between = [layers.Flatten()]
        for _ in range(2):
            between += [layers.Dense(512, activation="relu"), layers.Dropout(0.2)]
    elif kind == "cnn":
        between = [
            layers.Conv2D(32, 2, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 2, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 2, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
        ]
    else:
        raise ValueError(f"there is no network {kind!r}; expected 'mlp' or 'cnn'")
    return keras.Sequential(
        [keras.Input((28, 28, 1)), *between, layers.Dense(10, activation="softmax")]
    )


def rounded(weights: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Round the weights of a layer to whole numbers, times a scale for each of its units.

    Parameters
    ----------
    weights : numpy.ndarray
        Any shape; the last axis counts the units or filters.
    bits : int
        2 … 8: whole numbers from ``-(2 ** (bits - 1) - 1)`` to ``2 ** (bits - 1) - 1``.

    Returns
    -------
    whole : numpy.ndarray
        Same shape, dtype ``int8``.
    scale : numpy.ndarray
        One ``float32`` for each unit; ``whole * scale`` is near ``weights``.
    """
    most = 2 ** (bits - 1) - 1
    scale = np.abs(weights).reshape(-1, weights.shape[-1]).max(axis=0) / most
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    return np.round(weights / scale).astype(np.int8), scale


def accuracy(network: DigitNetwork, pictures: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of pictures, shape ``(n, 28, 28)``, ``uint8``, that are read rightly."""
    right = 0
    for start in range(0, len(labels), 500):
        some = pictures[start : start + 500].astype(np.float32) / 255
        right += int((network(some).argmax(axis=1) == labels[start : start + 500]).sum())
    return right / len(labels)


def train(kind: str, splits: Any, threads: int) -> dict[str, Any]:
    """Train one network, write its rounded weights, and return its part of the record."""
    import tensorflow as tf

    recipe = RECIPES[kind]
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with quiet_imports():
        import keras
    keras.utils.set_random_seed(recipe["seed"])
    model = keras_network(kind)
    pictures = splits.train.x[..., np.newaxis].astype("float32") / 255
    targets = keras.utils.to_categorical(splits.train.y, 10)
    steps = recipe["epochs"] * math.ceil(len(pictures) / recipe["batch_size"])
    schedule = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model.compile(optimizer=keras.optimizers.RMSprop(schedule), loss="categorical_crossentropy")
    started, spent = time.monotonic(), time.process_time()
    model.fit(
        pictures, targets, batch_size=recipe["batch_size"], epochs=recipe["epochs"], verbose=2
    )
    seconds, spent = time.monotonic() - started, time.process_time() - spent
    tests = splits.test.x[..., np.newaxis].astype("float32") / 255
    before = float((model.predict(tests, verbose=0).argmax(1) == splits.test.y).mean())

    kept = []
    for layer in model.layers:
        if layer.count_params():
            weights, bias = layer.get_weights()
            kept.append((*rounded(weights, recipe["bits"]), bias))
    path = write_network(kind, kept)
    after = accuracy(load_network(kind), splits.test.x, splits.test.y)
    print(
        f"{kind}: {before:.4f} of the test digits right, {after:.4f} after rounding to "
        f"{recipe['bits']} bits; {path.stat().st_size:,} bytes; trained in {seconds:.0f} s"
    )
    if after < BEST_POSSIBLE[kind]:
        raise SystemExit(f"{kind} reads {after:.2%} of the test digits: too few; try another seed")
    return {
        **recipe,
        "optimizer": "RMSprop",
        "rate": RATE,
        "schedule": "cosine",
        "parameters": model.count_params(),
        "training_digits": len(pictures),
        "test_digits": len(tests),
        "accuracy_before_rounding": round(before, 4),
        "accuracy": round(after, 4),
        "seconds": round(seconds, 1),
        "processor_seconds": round(spent, 1),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("keras", "tensorflow", "tensorflow-cpu", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> int:
    """Train and embed, or compare what is embedded with its record."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Train the playground's networks on all of MNIST and embed their weights.",
        epilog=f"Example: COURSE_DATA_MIRROR=../data {COMMAND} --only cnn",
    )
    parser.add_argument("--only", choices=RECIPES, help="leave the other network as it is")
    parser.add_argument("--check", action="store_true", help="measure again, write nothing")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processors (1)")
    options = parser.parse_args()
    try:
        splits = load("mnist", scale="full")
    except DataError as error:
        raise SystemExit(f"{COMMAND}: {error}") from None
    record_file = FOLDER / "record.json"
    record = json.loads(record_file.read_text()) if record_file.exists() else {}
    if options.check:
        wrong = 0
        for kind in RECIPES:
            measured = round(accuracy(load_network(kind), splits.test.x, splits.test.y), 4)
            same = measured == record[kind]["accuracy"]
            wrong += not same
            print(f"{kind}: {measured:.4f} of the test digits right, "
                  f"{'as' if same else 'not as'} recorded")  # fmt: skip
        return 1 if wrong else 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    some = np.sort(first_of_each_class(splits.test.y, EXAMPLES))
    write_examples(splits.test.x[some], splits.test.y[some])
    for kind in [options.only] if options.only else RECIPES:
        record[kind] = train(kind, splits, options.threads)
        record["made"] = {
            "by": COMMAND,
            "date": datetime.date.today().isoformat(),
            "threads": options.threads,
            "versions": _versions(),
        }
        Path(record_file).write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
