"""Record the training runs of lesson 04: healthy ones, ones with a planted fault, an overlong one.

::

    python -m data_scripts.make_training_runs --key WORDS

It trains the lesson's network on the embedded CIFAR-10 pictures and writes two records into
``data_scripts/embedded/training_runs``, which :func:`data_scripts.load_training_runs` reads:

* ``04_faults``: eighteen short runs under letters, three of each kind in :data:`KINDS`;
* ``04_overtrained``: one run that goes on for far too long.

A record does not say which letter is which kind, for students have to find out. Letters are drawn
by the key: the same key gives the same letters. The lesson's own key is with its solution. Without
``--key`` one is drawn and printed.

Five to six minutes on two cores. Every run has its seed, so it comes out alike on the same machine;
others add up in another order, and the later epochs of a run may differ. A run that is finished is
kept in the cache, so the command goes on where it was stopped.
"""

import argparse
import dataclasses
import datetime
import hashlib
import json
import os
import secrets
import string
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from data_scripts.cache import cache_folder
from data_scripts.embedding import EMBEDDED
from data_scripts.loading import load
from data_scripts.recording import machine, write_whole

KINDS = (
    "healthy",
    "overfitting",
    "learning rate too high",
    "labels shuffled",
    "inputs not scaled",
    "train and validation swapped",
)
MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")
VALIDATION = 1_000  # pictures, the same ones in every run
COMMAND = "python -m data_scripts.make_training_runs"

Run = dict[str, list[float]]  # of MEASURES, one number for each epoch, the first before training


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one run is trained.

    Attributes
    ----------
    kind : str
        One of KINDS, or ``"overtrained"``.
    seed : int
        Of the first weights, the order of the pictures and the split.
    optimizer : str
        Name of an optimiser of Keras.
    rate : float
        Its learning rate.
    pictures : int
        How many pictures to learn from.
    epochs : int
        How many epochs.
    """

    kind: str
    seed: int
    optimizer: str
    rate: float
    pictures: int
    epochs: int = 14


# The first six are the lesson's own; the other twelve are for its checks.
FAULTS = (
    Recipe("healthy", 11, "SGD", 3e-3, 3_000),
    Recipe("overfitting", 12, "Adam", 2e-3, 1_500),
    Recipe("learning rate too high", 13, "RMSprop", 6e-2, 2_000),
    Recipe("labels shuffled", 14, "Adam", 1e-3, 1_500),
    Recipe("inputs not scaled", 15, "Adam", 1e-3, 2_000),
    Recipe("train and validation swapped", 16, "Adam", 1e-3, 1_500),
    Recipe("healthy", 21, "Adam", 2e-4, 3_000),
    Recipe("healthy", 22, "RMSprop", 1e-4, 3_000),
    Recipe("overfitting", 35, "Adam", 2e-3, 1_000),
    Recipe("overfitting", 24, "Adam", 2e-3, 2_000),
    Recipe("learning rate too high", 25, "Adam", 5e-2, 2_000),
    Recipe("learning rate too high", 26, "RMSprop", 5e-2, 1_500),
    Recipe("labels shuffled", 27, "Adam", 1.5e-3, 1_500),
    Recipe("labels shuffled", 28, "RMSprop", 1e-3, 1_000),
    Recipe("inputs not scaled", 29, "Adam", 1e-3, 1_500),
    Recipe("inputs not scaled", 30, "RMSprop", 1e-3, 2_000),
    Recipe("train and validation swapped", 31, "RMSprop", 1e-3, 1_500),
    Recipe("train and validation swapped", 32, "Adam", 2e-3, 2_000),
)
SHOWN = len(KINDS)
OVERTRAINED = Recipe("overtrained", 1, "RMSprop", 1e-3, 4_000, epochs=60)


def lettered(key: str) -> dict[str, Recipe]:
    """Draw a letter for every recipe in FAULTS.

    Parameters
    ----------
    key : str
        The same key gives the same letters.

    Returns
    -------
    dict
        Letter → recipe, in the order of letters. The first six letters hold one of each kind.
    """

    def drawn(recipe: Recipe) -> str:
        return hashlib.sha256(f"{key}:{recipe.kind}:{recipe.seed}".encode()).hexdigest()

    order = sorted(FAULTS[:SHOWN], key=drawn) + sorted(FAULTS[SHOWN:], key=drawn)
    return dict(zip(string.ascii_uppercase, order, strict=False))


def scores(history: Sequence[dict[str, float]], kind: str) -> Run:
    """Turn one dict for each epoch into lists, and exchange them where that is the fault."""
    run = {name: [round(float(epoch[name]), 4) for epoch in history] for name in MEASURES}
    if kind == "train and validation swapped":
        for name in ("loss", "accuracy"):
            run[name], run[f"val_{name}"] = run[f"val_{name}"], run[name]
    return run


def train(recipe: Recipe, after_epoch: Callable[[], object] = lambda: None) -> Run:
    """Train the network of lesson 04 by a recipe.

    Both parts are measured with the weights at rest: before training and after each epoch.

    Parameters
    ----------
    recipe : Recipe
        How.
    after_epoch : callable
        Called after each epoch.

    Returns
    -------
    dict
        ``loss``, ``accuracy``, ``val_loss`` and ``val_accuracy``: lists of ``epochs + 1`` numbers.
    """
    import keras
    from keras import layers

    (pictures, labels), _ = load("cifar10", scale="quick")
    order = np.random.default_rng(recipe.seed).permutation(len(pictures))
    learn, validate = order[VALIDATION:][: recipe.pictures], order[:VALIDATION]
    x = pictures.astype("float32")
    if recipe.kind != "inputs not scaled":
        x = (x / 255 - 0.47) / 0.25
    targets = labels[learn]
    if recipe.kind == "labels shuffled":
        targets = np.random.default_rng(recipe.seed + 1).permutation(targets)

    keras.utils.set_random_seed(recipe.seed)
    blocks = [
        layer
        for filters in (16, 32, 64)
        for layer in (
            layers.Conv2D(filters, 2, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
        )
    ]
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *blocks,
            layers.Flatten(),
            layers.Dense(500, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    extra = {"momentum": 0.9} if recipe.optimizer == "SGD" else {}
    optimizer = getattr(keras.optimizers, recipe.optimizer)(recipe.rate, **extra)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    history = []
    for epoch in range(recipe.epochs + 1):
        if epoch:
            model.fit(x[learn], targets, batch_size=64, verbose=0)
        parts = (("", x[learn], targets), ("val_", x[validate], labels[validate]))
        history.append(
            {
                f"{prefix}{name}": value
                for prefix, inputs, right in parts
                for name, value in model.evaluate(
                    inputs, right, batch_size=500, verbose=0, return_dict=True
                ).items()
            }
        )
        after_epoch()
    return scores(history, recipe.kind)


def draft_path(recipe: Recipe) -> Path:
    """Where a finished run waits until all of them are finished: another recipe, another file."""
    about = json.dumps([dataclasses.asdict(recipe), version("keras")])
    name = hashlib.sha256(about.encode()).hexdigest()[:16]
    return cache_folder() / "training_runs" / f"{name}.json"


def trained(recipes: Sequence[Recipe], *, again: bool = False) -> list[Run]:
    """Train every recipe that is not finished yet, with a progress display.

    Parameters
    ----------
    recipes : sequence of Recipe
        What to train.
    again : bool
        Train also what is finished.

    Returns
    -------
    list of dict
        The runs, in the order of their recipes.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total} epochs"),
        TimeElapsedColumn(),
    )
    runs = []
    console = Console(stderr=True)
    with Progress(*columns, console=console) as progress:
        total = sum(recipe.epochs + 1 for recipe in recipes)
        task = progress.add_task("training runs", total=total)
        for recipe in recipes:
            path = draft_path(recipe)
            if path.exists() and not again:
                runs.append(json.loads(path.read_text(encoding="utf-8")))
                progress.advance(task, recipe.epochs + 1)
                continue
            start = time.perf_counter()
            run = train(recipe, lambda: progress.advance(task))
            write_whole(path, run)
            runs.append(run)
            seconds = time.perf_counter() - start
            console.print(f"{recipe.kind}, seed {recipe.seed}: {seconds:.0f} s", highlight=False)
    return runs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--key", help="draws the letters; default: a new one, which is printed")
    parser.add_argument("--again", action="store_true", help="train also what is finished")
    parser.add_argument("--out", type=Path, default=EMBEDDED / "training_runs", help="folder")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print("18 short runs and a long one: five to six minutes on two cores", file=sys.stderr)
    try:
        *faults, overtrained = trained([*FAULTS, OVERTRAINED], again=options.again)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    if options.key is None:
        options.key = secrets.token_hex(6)
        print(f"new letters, drawn by the key {options.key}: the lesson's checks must learn them")
    by_recipe = dict(zip(FAULTS, faults, strict=True))
    about = {"made_by": COMMAND, "machine": machine(), "date": datetime.date.today().isoformat()}
    for name, runs in (
        (
            "04_faults",
            [{"name": x, **by_recipe[recipe]} for x, recipe in lettered(options.key).items()],
        ),
        ("04_overtrained", [{"name": "overtrained", **overtrained}]),
    ):
        path = options.out / f"{name}.json"
        write_whole(path, {**about, "runs": runs})
        print(f"{path.name}: {len(runs)} run{'s' if len(runs) > 1 else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
