"""Small real photographs, embedded as lossless files."""

import dataclasses
from importlib import resources

import numpy as np
from PIL import Image

from data_scripts.digests import digest


@dataclasses.dataclass(frozen=True)
class Photograph:
    """Where an embedded photograph is from, and the digest of its decoded pixels."""

    name: str
    description: str
    shape: tuple[int, ...]
    licence: str
    source: str
    sha256: str


PHOTOGRAPHS = {
    photograph.name: photograph
    for photograph in (
        Photograph(
            name="camera",
            description="A man in a dark coat looks through a film camera on a tripod; "
            "lawn, river and towers behind him.",
            shape=(256, 256),
            licence="CC0 1.0, photograph by Lav Varshney",
            source="scikit-image 0.26.0, skimage/data/camera.png, averaged 2 × 2",
            sha256="5c0eab9e57a376c28bf144ce1a0be4d167b71d04358bab60fdca77bdabe5558b",
        ),
        Photograph(
            name="coffee",
            description="An espresso in a patterned cup on a wooden table, a spoon beside it.",
            shape=(200, 300, 3),
            licence="CC0 1.0, photograph by Rachel Michetti",
            source="scikit-image 0.26.0, skimage/data/coffee.png, averaged 2 × 2",
            sha256="4ab8b8aa43bc6ca865a1889e8eb467fd01795ecf64ae680d3eef2859b89f17b2",
        ),
    )
}


def load_photograph(name: str) -> np.ndarray:
    """Load an embedded photograph.

    Parameters
    ----------
    name : {"camera", "coffee"}
        ``"camera"`` is grey, 256 × 256; ``"coffee"`` has colours, 200 × 300.

    Returns
    -------
    numpy.ndarray
        Shape ``(height, width)`` or ``(height, width, 3)``, dtype ``uint8``, values 0 … 255.

    Raises
    ------
    ValueError
        If there is no photograph of this name, or the file is not the one that was published.

    Notes
    -----
    Both are CC0, from scikit-image's sample data; ``python -m data_scripts.make_photographs`` made
    the files.
    """
    try:
        photograph = PHOTOGRAPHS[name]
    except KeyError:
        raise ValueError(
            f"there is no photograph {name!r}; expected one of {', '.join(PHOTOGRAPHS)}"
        ) from None
    path = resources.files("data_scripts") / "embedded" / "photographs" / f"{name}.png"
    with resources.as_file(path) as file, Image.open(file) as image:
        array = np.array(image)
    if digest(array) != photograph.sha256:
        raise ValueError(
            f"the photograph {name!r} is damaged: its pixels are not those that were published; "
            "install the course again"
        )
    return array
