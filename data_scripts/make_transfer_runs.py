"""Record the training runs of lesson 07 that move a whole network: too long for a lesson.

::

    python -m data_scripts.make_transfer_runs

It trains EfficientNet-Lite0 on the embedded pictures, with three seeds, in the four cases of the
lesson (few or many pictures, similar to ImageNet or different from it) and by two strategies:
``"fine-tuned"``, from the weights of ImageNet, and ``"from scratch"``, from random weights. The
record goes to ``data_scripts/embedded/training_runs/07_transfer.json``, which
:func:`data_scripts.load_training_runs` reads. For each run it holds which test pictures were right
after it, so that a lesson can compare runs picture by picture.

About a quarter of an hour on two idle cores. A run that is finished is kept in the cache, so the
command goes on where it was stopped. Every run has its seed, so it comes out alike on the same
machine; others add up in another order, and a few pictures may be judged differently.
"""

import argparse
import dataclasses
import datetime
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from data_scripts.cache import cache_folder
from data_scripts.catalogue import CLASS_NAMES
from data_scripts.embedding import EMBEDDED, first_of_each_class
from data_scripts.loading import load
from data_scripts.networks import load_network
from data_scripts.recording import machine, write_whole

if TYPE_CHECKING:
    import keras

NETWORK = "efficientnet_lite0"
SIDE = 64  # pixels that the network sees
BATCH = 32
COMMAND = "python -m data_scripts.make_transfer_runs"
RECORD = "07_transfer"
SEEDS = (1, 2, 3)
SMALL = {"animals": 20, "digits": 12}  # pictures of each class, 120 in all
LARGE = {"animals": 250, "digits": 150}  # 1,500 in all
POOL = {"animals": 300, "digits": 180}  # to draw them from
TEST = {"animals": 100, "digits": 60}  # 600 in all
STRATEGIES = ("fine-tuned", "from scratch")

TargetName = Literal["animals", "digits"]
Strategy = Literal["fine-tuned", "from scratch"]


@dataclasses.dataclass(frozen=True)
class Target:
    """A new task for a network that knows another one.

    Attributes
    ----------
    x, x_test : numpy.ndarray
        Pictures to learn from and for the test, ``(n, 32, 32, 3)`` or ``(n, 28, 28)``, ``uint8``.
    y, y_test : numpy.ndarray
        Their labels, positions in ``class_names``.
    class_names : tuple of str
        Of the classes.
    """

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Run:
    """How one run is trained.

    Attributes
    ----------
    target : {"animals", "digits"}
        New task.
    size : {"small", "large"}
        How many pictures there are.
    strategy : {"fine-tuned", "from scratch"}
        Where the weights come from. They learn in both.
    seed : int
        Of the chosen pictures, the new weights and the order of the pictures.
    """

    target: TargetName
    size: Literal["small", "large"]
    strategy: Strategy
    seed: int

    @property
    def name(self) -> str:
        """For the record: ``"animals, small, fine-tuned, seed 1"``."""
        return f"{self.target}, {self.size}, {self.strategy}, seed {self.seed}"


RUNS = tuple(
    Run(target, size, strategy, seed)
    for size in ("small", "large")
    for target in ("animals", "digits")
    for strategy in STRATEGIES
    for seed in SEEDS
)
EPOCHS = {
    ("small", "fine-tuned"): 12,
    ("small", "from scratch"): 20,
    ("large", "fine-tuned"): 2,
    ("large", "from scratch"): 4,
}


def read_target(name: TargetName, each: int, test: int, scale: str | None = None) -> Target:
    """The pictures of a new task, balanced.

    Parameters
    ----------
    name : {"animals", "digits"}
        ``"animals"``: the six animals of CIFAR-10, photographs like those of ImageNet, only
        smaller. ``"digits"``: MNIST, no photographs at all.
    each, test : int
        Pictures of each class to learn from, and for the test: the first ones of the data set.
    scale : str, optional
        See :func:`data_scripts.load`.

    Returns
    -------
    Target
    """
    (x, y), (x_test, y_test) = load("cifar10" if name == "animals" else "mnist", scale)
    chosen = (2, 3, 4, 5, 6, 7) if name == "animals" else tuple(range(10))
    parts = []
    for pictures, labels, count in ((x, y, each), (x_test, y_test, test)):
        kept = np.flatnonzero(np.isin(labels, chosen))
        rows = kept[first_of_each_class(labels[kept], count)]
        parts += [pictures[rows], np.searchsorted(chosen, labels[rows])]
    names = CLASS_NAMES if name == "animals" else tuple("0123456789")
    return Target(*parts, tuple(names[label] for label in chosen))


def drawn(labels: np.ndarray, each: int, seed: int) -> np.ndarray:
    """Draw so many pictures of each class.

    Parameters
    ----------
    labels : numpy.ndarray
        Of the pictures to draw from.
    each : int
        Pictures of each class.
    seed : int
        The same seed draws the same pictures.

    Returns
    -------
    numpy.ndarray
        Their positions.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    return order[first_of_each_class(labels[order], each)]


def with_head(base: "keras.Model", classes: int, *, measured: bool) -> "keras.Model":
    """Put a new head on a network: global average pooling and one dense layer.

    Parameters
    ----------
    base : keras.Model
        A network without its top, with weights that learn.
    classes : int
        Of the new task.
    measured : bool
        Whether the means and variances of batch normalisation have been measured on enough
        pictures already. Then its layers are frozen; calling the network with ``training=False``
        would not do, for ``fit`` of the model around it overrides that. Otherwise they measure
        anew, and in a hurry, for there are few steps.

    Returns
    -------
    keras.Model
    """
    import keras

    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = not measured
            layer.momentum = 0.8
    pictures = keras.Input(base.input_shape[1:])
    vector = keras.layers.GlobalAveragePooling2D()(base(pictures))
    return keras.Model(pictures, keras.layers.Dense(classes, activation="softmax")(vector))


def train_all(
    pictures: np.ndarray,
    labels: np.ndarray,
    classes: int,
    strategy: Strategy,
    seed: int,
    epochs: int,
    after_epoch: Callable[[], object] = lambda: None,
) -> "keras.Model":
    """Train every layer of the network on a new task.

    Parameters
    ----------
    pictures : numpy.ndarray
        Shape ``(n, side, side, 3)``, 0 … 255, of the size that the network is to see.
    labels : numpy.ndarray
        Their labels.
    classes : int
        Of the new task.
    strategy : {"fine-tuned", "from scratch"}
        ``"fine-tuned"``: weights of ImageNet. The head learns first, while everything below is
        frozen; then all weights move, slowly, but those of batch normalisation.
        ``"from scratch"``: random weights, ten times the rate.
    seed : int
        Of the new weights and the order of the pictures.
    epochs : int
        In which all weights move.
    after_epoch : callable
        Called after each epoch.

    Returns
    -------
    keras.Model
        From pictures to probabilities.
    """
    import keras

    keras.utils.set_random_seed(seed)
    known = strategy == "fine-tuned"
    base = load_network(NETWORK, top=False, input_size=pictures.shape[1], pretrained=known)
    model = with_head(base, classes, measured=known)
    if known:
        pooled = keras.Sequential([base, keras.layers.GlobalAveragePooling2D()])
        pooled.compile(jit_compile=False)  # here and below: that would cost more than it saves
        features = pooled.predict(pictures, batch_size=BATCH, verbose=0)
        head = keras.Sequential([keras.Input(features.shape[1:]), model.layers[-1]])
        head.compile(
            keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", jit_compile=False
        )
        head.fit(features, labels, batch_size=BATCH, epochs=max(3, 3_000 // len(labels)), verbose=0)
    steps = epochs * -(-len(pictures) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(3e-4 if known else 3e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", jit_compile=False)
    tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: after_epoch())
    model.fit(pictures, labels, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[tell])
    return model


def train(run: Run, after_epoch: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Train one run of the record.

    Returns
    -------
    dict
        ``right``: one digit for each test picture, 1 if it was right; ``accuracy``, in per cent;
        ``pictures``, ``epochs``, ``parameters``: what was trained; ``seconds``.
    """
    from data_scripts.bottleneck_features import resized

    target = read_target(run.target, POOL[run.target], TEST[run.target], "quick")
    rows = drawn(target.y, {"small": SMALL, "large": LARGE}[run.size][run.target], run.seed)
    epochs = EPOCHS[run.size, run.strategy]
    start = time.perf_counter()
    model = train_all(
        resized(target.x[rows], (SIDE, SIDE)),
        target.y[rows],
        len(target.class_names),
        run.strategy,
        run.seed,
        epochs,
        after_epoch,
    )
    seconds = time.perf_counter() - start
    said = model.predict(resized(target.x_test, (SIDE, SIDE)), batch_size=100, verbose=0)
    right = said.argmax(axis=1) == target.y_test
    return {
        "accuracy": round(100 * float(right.mean()), 2),
        "pictures": len(rows),
        "epochs": epochs,
        "parameters": int(sum(np.prod(weight.shape) for weight in model.trainable_weights)),
        "seconds": round(seconds, 1),
        "right": "".join(str(int(one)) for one in right),
    }


def draft_path(run: Run) -> Path:
    """Where a finished run waits until all of them are finished: other settings, another file."""
    sizes = {"small": SMALL, "large": LARGE}[run.size]
    settings = [SIDE, BATCH, sizes, POOL, TEST, EPOCHS[run.size, run.strategy], version("keras")]
    about = json.dumps([dataclasses.asdict(run), settings])
    name = hashlib.sha256(about.encode()).hexdigest()[:16]
    return cache_folder() / "training_runs" / f"{name}.json"


def trained(runs: Sequence[Run], *, again: bool = False) -> list[dict[str, Any]]:
    """Train every run that is not finished yet, with a progress display.

    Parameters
    ----------
    runs : sequence of Run
        What to train.
    again : bool
        Train also what is finished.

    Returns
    -------
    list of dict
        What :func:`train` returned, in the order of the runs.
    """
    from tqdm import tqdm

    outcomes = []
    total = sum(EPOCHS[run.size, run.strategy] for run in runs)
    with tqdm(total=total, unit=" epochs", file=sys.stderr) as bar:
        for run in runs:
            bar.set_description(run.name)
            path = draft_path(run)
            if path.exists() and not again:
                outcomes.append(json.loads(path.read_text(encoding="utf-8")))
                bar.update(EPOCHS[run.size, run.strategy])
                continue
            outcome = train(run, lambda: bar.update(1))
            write_whole(path, outcome)
            outcomes.append(outcome)
            bar.write(
                f"{run.name}: {outcome['accuracy']} %, {outcome['seconds']:.0f} s", sys.stderr
            )
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--again", action="store_true", help="train also what is finished")
    parser.add_argument("--out", type=Path, default=EMBEDDED / "training_runs", help="folder")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(f"{len(RUNS)} runs: about a quarter of an hour on two cores", file=sys.stderr)
    try:
        outcomes = trained(RUNS, again=options.again)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    path = options.out / f"{RECORD}.json"
    write_whole(
        path,
        {
            "made_by": COMMAND,
            "machine": machine(),
            "date": datetime.date.today().isoformat(),
            "runs": [
                {"name": run.name, **dataclasses.asdict(run), **outcome}
                for run, outcome in zip(RUNS, outcomes, strict=True)
            ],
        },
    )
    print(f"{path.name}: {len(outcomes)} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
