"""Make the embedded photographs from the ones that scikit-image ships.

Run in an environment that has scikit-image 0.26.0, which the course itself does not need::

    uv run --with scikit-image==0.26.0 python -m data_scripts.make_photographs

Each picture is averaged 2 × 2, which halves its sides. The decoded arrays come out the same every
time; their digests stand in :mod:`data_scripts.photographs`.
"""

from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

from data_scripts.digests import digest
from data_scripts.photographs import PHOTOGRAPHS


def halve(image: np.ndarray) -> np.ndarray:
    """Average 2 × 2 blocks of a ``uint8`` picture of even height and width, rounding half up."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    blocks = image.reshape(height, 2, width, 2, -1).astype("uint16")
    return ((blocks.sum(axis=(1, 3)) + 2) // 4).astype("uint8").squeeze()


def main() -> None:
    """Write every photograph beside this file and print the digest of its pixels."""
    folder = Path(__file__).parent / "embedded" / "photographs"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOGRAPHS:
        source = resources.files("skimage") / "data" / f"{name}.png"
        with resources.as_file(source) as file, Image.open(file) as image:
            picture = halve(np.array(image))
        Image.fromarray(picture).save(folder / f"{name}.png", optimize=True)
        print(f"{name}: {picture.shape}, sha256 {digest(picture)}")


if __name__ == "__main__":
    main()
