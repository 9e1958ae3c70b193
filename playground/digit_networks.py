"""The MLP and the CNN of lesson 01, trained, as forward passes in NumPy.

Importing Keras takes seconds, a forward pass of these two milliseconds. A widget has to answer at
once, so the playground computes them itself; a test compares every layer with Keras. The weights
are made by :mod:`playground.make_digit_models`, which writes their accuracy beside them.
"""

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).parent / "digit_models"
KINDS = ("mlp", "cnn")

Layer = Callable[[np.ndarray], np.ndarray]


class Stage(NamedTuple):
    """What a network's layer hands on.

    Attributes
    ----------
    name : str
        Such as ``"convolution 1"``.
    values : numpy.ndarray
        Shape ``(n, height, width, depth)`` or ``(n, units)``, dtype ``float32``.
    """

    name: str
    values: np.ndarray


class DigitNetwork:
    """A trained network that reads digits.

    Parameters
    ----------
    kind : {"mlp", "cnn"}
        Its architecture: that of lesson 01.
    layers : iterable of (numpy.ndarray, numpy.ndarray)
        Weights and bias of every layer that has parameters, in order, as Keras keeps them.
    """

    def __init__(self, kind: str, layers: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
        self.kind = kind
        self.weights = [(np.float32(weights), np.float32(bias)) for weights, bias in layers]
        dense = [_dense(*pair) for pair in self.weights if pair[0].ndim == 2]
        steps: list[tuple[str, Layer]] = []
        if kind == "cnn":
            convolutions = [_corners(*pair) for pair in self.weights if pair[0].ndim == 4]
            for number, convolution in enumerate(convolutions, start=1):
                steps.append((f"convolution {number}", _then_relu(convolution)))
                if number < len(convolutions):
                    steps.append((f"pooling {number}", _halved))
        for number, layer in enumerate(dense[:-1], start=1):
            steps.append((f"dense {number}", _then_relu(layer)))
        steps.append(("probabilities", lambda values: _softmax(dense[-1](values))))
        self._steps = steps

    def stages(self, digits: np.ndarray) -> list[Stage]:
        """Compute what every layer hands on, the picture first and the probabilities last.

        Parameters
        ----------
        digits : numpy.ndarray
            Shape ``(n, 28, 28)``, 0 for paper … 1 for ink.

        Returns
        -------
        list of Stage

        Raises
        ------
        ValueError
            If the shape is another one.
        """
        digits = np.asarray(digits, np.float32)
        if digits.ndim != 3 or digits.shape[1:] != (28, 28):
            raise ValueError(f"digits of shape {digits.shape}; expected (n, 28, 28)")
        found = [Stage("picture", digits[..., np.newaxis])]
        for name, layer in self._steps:
            found.append(Stage(name, layer(found[-1].values)))
        return found

    def __call__(self, digits: np.ndarray) -> np.ndarray:
        """Return the probabilities, shape ``(n, 10)``, of digits of shape ``(n, 28, 28)``."""
        return self.stages(digits)[-1].values


def _then_relu(layer: Layer) -> Layer:
    def both(values: np.ndarray) -> np.ndarray:
        found = layer(values)
        return np.maximum(found, 0, out=found)

    return both


def _dense(weights: np.ndarray, bias: np.ndarray) -> Layer:
    return lambda values: values.reshape(len(values), -1) @ weights + bias


def _corners(weights: np.ndarray, bias: np.ndarray) -> Layer:
    """Filters of 2 × 2 only, as this network has them: four products, one for each corner."""
    (top_left, top_right), (bottom_left, bottom_right) = weights

    def layer(values: np.ndarray) -> np.ndarray:
        found = values[:, :-1, :-1] @ top_left
        found += values[:, :-1, 1:] @ top_right
        found += values[:, 1:, :-1] @ bottom_left
        found += values[:, 1:, 1:] @ bottom_right
        found += bias
        return found

    return layer


def _halved(values: np.ndarray) -> np.ndarray:
    """Maximum of each 2 × 2; a last odd row or column is left out, as Keras does."""
    height, width = (size // 2 * 2 for size in values.shape[1:3])
    even = values[:, :height, :width]
    rows = np.maximum(even[:, ::2], even[:, 1::2])
    return np.maximum(rows[:, :, ::2], rows[:, :, 1::2])


def _softmax(scores: np.ndarray) -> np.ndarray:
    # In double precision: of scores in the thousands, single precision loses the third digit.
    scores = np.float64(scores)
    return np.float32(np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)))


def write_network(
    kind: str, layers: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], folder: Path = FOLDER
) -> Path:
    """Write the weights of a network into one small file.

    Parameters
    ----------
    kind : {"mlp", "cnn"}
        Names the file.
    layers : iterable of (numpy.ndarray, numpy.ndarray, numpy.ndarray)
        Of every layer: weights as whole numbers (``int8``), the scale of each unit, the bias.
    folder : pathlib.Path
        Where to.

    Returns
    -------
    pathlib.Path
        The file.
    """
    arrays = {}
    for number, (whole, scale, bias) in enumerate(layers):
        arrays |= {
            f"{number}_whole": whole.astype(np.int8),
            f"{number}_scale": scale.astype(np.float32),
            f"{number}_bias": bias.astype(np.float32),
        }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}.npz"
    np.savez_compressed(path, **arrays)
    load_network.cache_clear()
    return path


@cache
def load_network(kind: str, folder: Path = FOLDER) -> DigitNetwork:
    """Read an embedded network.

    Parameters
    ----------
    kind : {"mlp", "cnn"}
        Which.
    folder : pathlib.Path
        Where from.

    Returns
    -------
    DigitNetwork

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no network {kind!r}; expected one of {', '.join(KINDS)}")
    with np.load(folder / f"{kind}.npz", allow_pickle=False) as file:
        layers = [
            (
                file[f"{number}_whole"].astype(np.float32) * file[f"{number}_scale"],
                file[f"{number}_bias"],
            )
            for number in range(len(file.files) // 3)
        ]
    return DigitNetwork(kind, layers)


def write_examples(digits: np.ndarray, labels: np.ndarray, folder: Path = FOLDER) -> Path:
    """Keep a few test digits, shape ``(n, 28, 28)``, with their labels; return the file."""
    path = folder / "examples.npz"
    np.savez_compressed(path, digits=digits.astype(np.uint8), labels=labels.astype(np.uint8))
    return path


@cache
def example_digits() -> tuple[np.ndarray, np.ndarray]:
    """Read digits that the embedded networks have not learned from.

    Returns
    -------
    digits : numpy.ndarray
        Shape ``(100, 28, 28)``, dtype ``uint8``: from the official test set, ten of each digit, in
        the order in which they stand there.
    labels : numpy.ndarray
        Shape ``(100,)``, 0 … 9.
    """
    with np.load(FOLDER / "examples.npz", allow_pickle=False) as file:
        return file["digits"], file["labels"]


@cache
def record() -> dict:
    """Return the record of the embedded networks: accuracy, seed, time, versions."""
    return json.loads((FOLDER / "record.json").read_text(encoding="utf-8"))
