"""A frozen network with a new head: what teach_a_machine teaches, without a page.

The network is EfficientNet-Lite0, which is embedded and has learned from ImageNet. It stays as it
is; only one dense layer with softmax is trained, on the means of the network's last maps. See
lesson 07.
"""

from __future__ import annotations

import functools
import json
import math
import os
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autograder.quiet import quiet_imports

if TYPE_CHECKING:
    import keras

NETWORK = "efficientnet_lite0"
SIDE = 224  # pixels: what the network was made for, and 7 × 7 places to look at
ROUNDS = 60  # epochs of the head
BATCH = 64  # examples in one step of the head
TOGETHER = 4  # pictures that go through the network together
SEED = 1
_RATE, _PENALTY = 0.001, 0.2  # see HeadTraining
_ABOUT = "playground.json"  # beside Keras's own files in the archive
_FORMAT = 1
_MOST_BYTES = 64 * 2**20  # of one file in the archive: ours have 14 MB
_MOST_CLASSES = 100
_LOCK = threading.RLock()


class ModelFileError(ValueError):
    """A file is no model that was saved here, or cannot be written; one sentence."""


@dataclass(frozen=True)
class Round:
    """What a round of training came to.

    Attributes
    ----------
    number, of : int
        The first round is 1.
    loss : float
        Cross-entropy on the examples, in nats, weighted so that every class counts the same.
    right : float
        Share of the examples that are classified correctly, 0 … 1.
    """

    number: int
    of: int
    loss: float
    right: float


@dataclass(frozen=True)
class Answer:
    """What a classifier says of one picture.

    Attributes
    ----------
    probabilities : numpy.ndarray
        Shape ``(classes,)``.
    places : numpy.ndarray
        Class activation maps, shape ``(height, width, classes)``: how each place scores for each
        class, bias included. The mean over all places is the score of the class, and softmax of the
        scores gives the probabilities.
    """

    probabilities: np.ndarray
    places: np.ndarray


@functools.cache
def _frozen() -> keras.Model:
    """The network, from pictures to maps."""
    from data_scripts import load_network

    with quiet_imports():
        import keras  # noqa: F401
    network = load_network(NETWORK, top=False, input_size=SIDE)
    network.trainable = False
    return network


@functools.cache
def _looking() -> keras.Model:
    """The same with two outputs: the maps, and their means."""
    network = _frozen()
    import keras

    means = keras.layers.GlobalAveragePooling2D(name="means")(network.output)
    both = keras.Model(network.input, [network.output, means])
    both.compile(jit_compile=False)  # compiling would take longer than all the pictures
    return both


def prepare() -> None:
    """Load the network and let it look once, so that the first picture need not wait."""
    look([np.zeros((SIDE, SIDE, 3), np.uint8)])


def look(pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Send at most :data:`TOGETHER` pictures through the frozen network.

    Parameters
    ----------
    pictures : sequence of numpy.ndarray
        Each of shape ``(224, 224, 3)``, red, green, blue, 0 … 255.

    Returns
    -------
    maps : numpy.ndarray
        Shape ``(n, 7, 7, 1280)``, dtype ``float32``.
    vectors : numpy.ndarray
        Means of the maps, shape ``(n, 1280)``.
    """
    with _LOCK:
        # Always as many, so that one traced graph serves all.
        batch = np.zeros((TOGETHER, SIDE, SIDE, 3), "float32")
        batch[: len(pictures)] = pictures
        maps, vectors = _looking().predict_on_batch(batch)
        return np.asarray(maps)[: len(pictures)], np.asarray(vectors)[: len(pictures)]


def vectors_of(pictures: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the vector of each picture, a few at a time, as :func:`look` makes them."""
    for start in range(0, len(pictures), TOGETHER):
        yield from look(pictures[start : start + TOGETHER])[1]


class HeadTraining:
    """Training of a head, round by round: iterate over it, and stop whenever you like.

    Parameters
    ----------
    vectors : numpy.ndarray
        Shape ``(examples, numbers)``.
    labels : numpy.ndarray
        Shape ``(examples,)``, 0 … classes − 1; every class has an example.
    classes : int
        Two or more.
    rounds, seed : int
        Of the training.

    Attributes
    ----------
    done : int
        Rounds that have been trained.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or one has no example.

    Notes
    -----
    Adam, whose rate falls from 0.001 to 0 along a cosine, and a penalty on squared weights. With
    ten examples of 1,280 numbers each, any head gets all of them right; slow steps and the penalty
    keep it from being sure of everything else. On cats and dogs of CIFAR-10 (2 × 10 examples, 100
    new pictures, three draws) 82 % were right at a mean probability of 0.85; at a rate of 0.01
    without the penalty 80 % at 0.97.

    Numbers are brought to mean 0 and spread 1 while the head learns; :meth:`weights` makes up for
    that. A class with few examples counts as much as one with many.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        labels: np.ndarray,
        classes: int,
        *,
        rounds: int = ROUNDS,
        seed: int = SEED,
    ) -> None:
        with quiet_imports():
            import keras

        labels = np.asarray(labels, "int64")
        counts = np.bincount(labels, minlength=classes)
        if classes < 2 or len(counts) > classes or not counts.all():
            raise ValueError(
                f"{classes} classes with {counts.tolist()} examples; expected two classes or more, "
                "and an example of each"
            )
        vectors = np.asarray(vectors, "float32")
        self.rounds, self.done = rounds, 0
        self._middle, self._spread = vectors.mean(axis=0), vectors.std(axis=0) + 1e-2
        self._x, self._y = (vectors - self._middle) / self._spread, labels
        self._weight = (len(labels) / (classes * counts))[labels].astype("float32")
        self._dice = np.random.default_rng(seed)
        self._batch = min(BATCH, len(labels))
        self._steps = math.ceil(len(labels) / self._batch)
        self._order = np.empty(0, int)
        self._dense = keras.layers.Dense(
            classes,
            activation="softmax",
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001, seed=seed),
            kernel_regularizer=keras.regularizers.L2(_PENALTY),
        )
        self._head = keras.Sequential([keras.Input((vectors.shape[1],)), self._dense])
        rate = keras.optimizers.schedules.CosineDecay(_RATE, max(rounds * self._steps, 1))
        self._head.compile(
            keras.optimizers.Adam(rate),
            "sparse_categorical_crossentropy",
            jit_compile=False,
        )

    def __iter__(self) -> Iterator[Round]:
        while self.done < self.rounds:
            for _ in range(self._steps):
                if len(self._order) < self._batch:
                    self._order = np.append(self._order, self._dice.permutation(len(self._y)))
                rows, self._order = self._order[: self._batch], self._order[self._batch :]
                self._head.train_on_batch(
                    self._x[rows], self._y[rows], sample_weight=self._weight[rows]
                )
            self.done += 1
            yield self._measured()

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel and bias for vectors as the network makes them.

        Returns
        -------
        kernel : numpy.ndarray
            Shape ``(numbers, classes)``.
        bias : numpy.ndarray
            Shape ``(classes,)``.
        """
        kernel, bias = self._dense.get_weights()
        kernel = kernel / self._spread[:, np.newaxis]
        return kernel, bias - self._middle @ kernel

    def _measured(self) -> Round:
        kernel, bias = self._dense.get_weights()
        scores = self._x @ kernel + bias
        shares = _softmax(scores)[np.arange(len(self._y)), self._y]
        loss = -np.log(np.maximum(shares, 1e-12)) @ self._weight / self._weight.sum()
        right = float((scores.argmax(axis=1) == self._y).mean())
        return Round(self.done, self.rounds, float(loss), right)


@dataclass(frozen=True)
class PictureClassifier:
    """The frozen network with a trained head, and the names of its classes.

    Attributes
    ----------
    class_names : tuple of str
        In the order of the probabilities.
    kernel, bias : numpy.ndarray
        Of the head, shapes ``(1280, classes)`` and ``(classes,)``.

    Examples
    --------
    >>> classifier = PictureClassifier.load("machine.keras")  # doctest: +SKIP
    >>> classifier.ask(picture).probabilities  # doctest: +SKIP
    array([0.97, 0.03], dtype=float32)
    """

    class_names: tuple[str, ...]
    kernel: np.ndarray
    bias: np.ndarray

    def ask(self, picture: np.ndarray) -> Answer:
        """Say what a picture shows, and where that is seen.

        Parameters
        ----------
        picture : numpy.ndarray
            Shape ``(224, 224, 3)``, dtype ``uint8``.

        Returns
        -------
        Answer
        """
        import keras

        maps, vectors = look([picture])
        # The head as a convolution of 1 × 1, at every place of the maps; see lesson 07.
        head = np.asarray(self.kernel, "float32")[np.newaxis, np.newaxis]
        places = keras.ops.conv(maps, head, data_format="channels_last")
        return Answer(
            _softmax(vectors @ self.kernel + self.bias)[0], np.array(places)[0] + self.bias
        )

    def model(self) -> keras.Model:
        """Return all of it as one Keras model.

        Returns
        -------
        keras.Model
            From pictures, shape ``(n, 224, 224, 3)``, 0 … 255, to probabilities.
        """
        import keras

        with _LOCK:
            pictures = keras.Input((SIDE, SIDE, 3), name="pictures")
            means = keras.layers.GlobalAveragePooling2D(name="means")(_frozen()(pictures))
            dense = keras.layers.Dense(len(self.class_names), activation="softmax", name="head")
            model = keras.Model(pictures, dense(means), name="taught_machine")
            dense.set_weights([self.kernel, self.bias])
        return model

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write a ``.keras`` file that Keras can read anywhere, with the names of the classes.

        Parameters
        ----------
        path : str or path-like
            Its name ends in ``.keras``; the ending is added if it is missing.
        force : bool
            Whether to replace a file that is there.

        Returns
        -------
        pathlib.Path
            The file, 14 MB.

        Raises
        ------
        ModelFileError
            If a file of that name is there, or it cannot be written.

        Notes
        -----
        The file is an archive, as all ``.keras`` files are; one more member, ``playground.json``,
        holds the names. ``keras.models.load_model`` passes it over.
        """
        path = Path(path).expanduser()
        if path.suffix != ".keras":
            path = path.with_name(f"{path.name}.keras")
        if path.exists() and not force:
            raise ModelFileError(
                f"{path.name} is there already: choose another name, or say that it may be "
                "replaced."
            )
        about = {"format": _FORMAT, "network": NETWORK, "class_names": list(self.class_names)}
        try:
            # Written beside it first: a file of this name is whole, or it is not there.
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                unfinished = Path(folder) / "unfinished.keras"
                with _LOCK:
                    self.model().save(unfinished)
                with zipfile.ZipFile(unfinished, "a") as archive:
                    archive.writestr(_ABOUT, json.dumps(about))
                os.replace(unfinished, path)
        except OSError as error:
            raise ModelFileError(
                f"{path} cannot be written ({error.strerror or error}): choose a folder that is "
                "there and that you may write to."
            ) from error
        return path

    @classmethod
    def load(cls, path: str | Path) -> PictureClassifier:
        """Read a file that :meth:`save` has written.

        Only the names and the weights of the head are taken from it: nothing in a file that
        somebody sent can run here.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        PictureClassifier

        Raises
        ------
        ModelFileError
            If it is no such file. One sentence says what it is and what to do.
        """
        path = Path(path).expanduser()
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            raise ModelFileError(
                f"There is no file {path}: check the spelling of its name and folder."
            ) from None
        except OSError as error:
            raise ModelFileError(
                f"{path.name} cannot be read ({error.strerror or error}): choose another file."
            ) from error
        try:
            with stream, zipfile.ZipFile(stream) as archive:
                return cls._read(archive, path.name)
        except ModelFileError:
            raise
        except Exception as error:  # zipfile, JSON and HDF5 have a dozen ways to say it
            raise ModelFileError(
                f"{path.name} is no model file, or a damaged one: choose a .keras file that was "
                "saved here."
            ) from error

    @classmethod
    def _read(cls, archive: zipfile.ZipFile, name: str) -> PictureClassifier:
        import h5py

        members = {member.filename: member for member in archive.infolist()}
        if "model.weights.h5" in members and _ABOUT not in members:
            raise ModelFileError(
                f"{name} is a Keras model, but not one that was saved here: it has no names of "
                "classes; keras.models.load_model opens it."
            )
        if any(members[one].file_size > _MOST_BYTES for one in (_ABOUT, "model.weights.h5")):
            raise ModelFileError(f"{name} is too large to be a model that was saved here.")
        about = json.loads(archive.read(_ABOUT))
        names = about["class_names"]
        if (
            about["format"] != _FORMAT
            or about["network"] != NETWORK
            or not 2 <= len(names) <= _MOST_CLASSES
            or not all(isinstance(one, str) for one in names)
        ):
            raise ModelFileError(
                f"{name} was saved by another version of this playground, or changed since: teach "
                "the machine again."
            )
        depth = _frozen().output.shape[-1]
        shapes = ((depth, len(names)), (len(names),))
        with archive.open("model.weights.h5") as packed, h5py.File(packed, "r") as weights:
            stored = [weights[f"layers/dense/vars/{place}"] for place in (0, 1)]
            if tuple(one.shape for one in stored) != shapes:
                raise ModelFileError(f"{name} is damaged: its weights have other shapes than ours.")
            kernel, bias = (np.asarray(one, "float32") for one in stored)
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ModelFileError(f"{name} is damaged: some of its weights are no numbers.")
        return cls(tuple(names), kernel, bias)


def train(
    vectors: np.ndarray, labels: np.ndarray, class_names: Iterable[str], *, rounds: int = ROUNDS
) -> PictureClassifier:
    """Train a head to the end and return the classifier; see :class:`HeadTraining`."""
    names = tuple(class_names)
    training = HeadTraining(vectors, labels, len(names), rounds=rounds)
    for _ in training:
        pass
    return PictureClassifier(names, *training.weights())


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
