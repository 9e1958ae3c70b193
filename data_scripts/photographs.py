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
        Photograph(
            name="chelsea",
            description="The face of a tabby cat with yellow eyes, near, looking to the right.",
            shape=(300, 451, 3),
            licence="CC0 1.0, photograph by Stéfan van der Walt",
            source="scikit-image 0.26.0, skimage/data/chelsea.png",
            sha256="416b729128bfb2c3d1eb69bf9b1734a796293abc17939267b2dc94f8a5784031",
        ),
        Photograph(
            name="rocket",
            description="A white rocket upright on its launch pad at dusk, between four masts.",
            shape=(213, 320, 3),
            licence="public domain, photograph by SpaceX",
            source="scikit-image 0.26.0, skimage/data/rocket.jpg, averaged 2 × 2",
            sha256="bf92bfa252b86d0b044ad7add2765e5fa4887aca1cac4904c85c999ab1b8c265",
        ),
        Photograph(
            name="china",
            description="A temple tower of four storeys with curved roofs above trees, a lake "
            "behind it.",
            shape=(213, 320, 3),
            licence="CC BY 2.0, photograph by Daniel Büchele",
            source="scikit-learn 1.9.1, sklearn/datasets/images/china.jpg, averaged 2 × 2",
            sha256="8c08e07b4457c87d14d2bcd3d93d50fbd031f2ec80446d4e5957a129934de0ca",
        ),
        Photograph(
            name="flower",
            description="The round orange head of a dahlia, many small petals, before dark leaves.",
            shape=(213, 320, 3),
            licence="CC BY 2.0, photograph by vultilion on Flickr",
            source="scikit-learn 1.9.1, sklearn/datasets/images/flower.jpg, averaged 2 × 2",
            sha256="872106bf7eac181c4807a69c145bf36b56692b00306b2e56d92b62d1d340e5c3",
        ),
    )
}


def load_photograph(name: str) -> np.ndarray:
    """Load an embedded photograph.

    Parameters
    ----------
    name : {"camera", "coffee", "chelsea", "rocket", "china", "flower"}
        ``"camera"`` is grey, 256 × 256; the others have colours: ``"coffee"`` 200 × 300,
        ``"chelsea"``, a cat, 300 × 451, the others 213 × 320.

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
    They are from the sample data of scikit-image and scikit-learn, and may be passed on: those of
    scikit-learn, ``"china"`` and ``"flower"``, with the photographer's name (CC BY 2.0).
    ``python -m data_scripts.make_photographs`` made the files.
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


def square_picture(picture: np.ndarray, size: int = 224) -> np.ndarray:
    """Cut the largest square out of the middle of a picture and bring it to a size.

    Parameters
    ----------
    picture : numpy.ndarray
        Shape ``(height, width)`` or ``(height, width, 3)``, dtype ``uint8``.
    size : int
        Side of the square, in pixels.

    Returns
    -------
    numpy.ndarray
        Shape ``(size, size, 3)``, dtype ``uint8``: what a network of
        :func:`data_scripts.load_network` takes, once it has an axis for several pictures.

    Raises
    ------
    ValueError
        If shape or dtype differ.

    Examples
    --------
    >>> square_picture(load_photograph("camera")).shape
    (224, 224, 3)
    """
    if (
        picture.dtype != np.uint8
        or picture.ndim not in (2, 3)
        or picture.shape[2:] not in ((), (3,))
        or not picture.size
    ):
        raise ValueError(
            f"the picture has shape {picture.shape} and dtype {picture.dtype}, expected "
            "(height, width) or (height, width, 3) and uint8"
        )
    height, width = picture.shape[:2]
    side = min(height, width)
    left, upper = (width - side) / 2, (height - side) / 2
    image = Image.fromarray(picture).convert("RGB")
    box = (left, upper, left + side, upper + side)
    return np.array(image.resize((size, size), Image.Resampling.BICUBIC, box=box))
