r"""Make the embedded photographs from the ones that scikit-image and scikit-learn ship.

Run in an environment that has both, which the course itself does not need::

    uv run --with scikit-image==0.26.0 --with scikit-learn==1.9.1 \
        python -m data_scripts.make_photographs

Large pictures are averaged 2 × 2, which halves their sides. The decoded arrays come out the same
every time; their digests stand in :mod:`data_scripts.photographs`. Two of the scikit-learn
pictures and the rocket are JPEG files: another decoder than Pillow's may differ by a grey level.
"""

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

from data_scripts.digests import digest
from data_scripts.photographs import PHOTOGRAPHS


def halve(image: np.ndarray) -> np.ndarray:
    """Average 2 × 2 blocks of a ``uint8`` picture, rounding half up; an odd last row is dropped."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    blocks = image[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).astype("uint16")
    return ((blocks.sum(axis=(1, 3)) + 2) // 4).astype("uint8").squeeze()


def shipped(source: str) -> Path:
    """Path of a picture in an installed package, which is not imported.

    Parameters
    ----------
    source : str
        As in the catalogue: ``"scikit-image 0.26.0, skimage/data/camera.png, averaged 2 × 2"``.
    """
    distribution, path = source.split(", ")[:2]
    spec = importlib.util.find_spec(path.partition("/")[0])
    if spec is None:
        raise SystemExit(f"{distribution} is not installed; the head of this script says how to")
    return Path(spec.origin).parent.parent / path


def main() -> None:
    """Write every photograph beside this file and print the digest of its pixels."""
    folder = Path(__file__).parent / "embedded" / "photographs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, photograph in PHOTOGRAPHS.items():
        with Image.open(shipped(photograph.source)) as image:
            picture = np.array(image)
        if photograph.source.endswith("averaged 2 × 2"):
            picture = halve(picture)
        Image.fromarray(picture).save(folder / f"{name}.png", optimize=True)
        verdict = "ok" if digest(picture) == photograph.sha256 else "not as catalogued"
        print(f"{name}: {picture.shape}, sha256 {digest(picture)}, {verdict}")


if __name__ == "__main__":
    main()
