"""The sets of photographs in class folders: whose they are, where the archive is from, what counts.

The archive of a set is accepted for its SHA-256 and nothing else, wherever it came from. The
authors of this course could reach none of the published addresses while writing it.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import PurePosixPath


@dataclasses.dataclass(frozen=True)
class Archive:
    """A ``.tar.gz`` or ``.zip`` of pictures.

    Parameters
    ----------
    path : str
        Relative to the base of its source; its end says what kind it is.
    size : int
        Bytes of the file.
    sha256 : str
        Of the file.
    """

    path: str
    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class PictureSet:
    """One set: an entry of the cache, where it is a folder.

    Parameters
    ----------
    name, title : str
        What :func:`data_scripts.picture_set` takes, and what people call it.
    licence, citation, homepage : str
        Also in ``ATTRIBUTION.md``.
    pictures, classes : int
        How many the archive has.
    room : int
        Bytes that must be free for the pictures, rounded up.
    mirror : Archive
        What ``COURSE_DATA_MIRROR`` may have.
    folders : tuple of (str, str)
        Patterns of names in the archive, and where in the folder such a file goes. What fits no
        pattern is passed over.
    published : Archive, optional
        The same file; its path is relative to each of ``bases``.
    bases : tuple of str
        Addresses that publish it, in the order in which they are tried.
    """

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    pictures: int
    classes: int
    room: int
    mirror: Archive
    folders: tuple[tuple[str, str], ...]
    published: Archive | None = None
    bases: tuple[str, ...] = ()

    def place(self, member: str) -> str | None:
        """Where a file of the archive goes, relative to the folder; None if it is no picture.

        Examples
        --------
        >>> OXFORD_PETS.place("images/Maine_Coon_7.jpg")
        'cats/Maine_Coon/Maine_Coon_7.jpg'
        >>> OXFORD_PETS.place("images/Maine_Coon_7.mat")
        """
        name = PurePosixPath(member).as_posix()  # some archives write ./ before every name
        for pattern, where in self.folders:
            if found := re.fullmatch(pattern, name):
                return found.expand(where)
        return None


_PETS = Archive(
    "oxford_pets/images.tar.gz",
    791_918_971,
    # The MD5 that torchvision knows this file by is 5c4f3ee8e5d25df40f4fd59a7f44e54c.
    "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d",
)

OXFORD_PETS = PictureSet(
    name="oxford_pets",
    title="Oxford-IIIT Pet, photographs of 25 breeds of dogs and 12 breeds of cats",
    licence="CC BY-SA 4.0",
    citation="O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar, Cats and Dogs, Conference on "
    "Computer Vision and Pattern Recognition, 2012",
    homepage="https://www.robots.ox.ac.uk/~vgg/data/pets/",
    pictures=7_390,
    classes=37,
    room=850_000_000,
    mirror=_PETS,
    folders=(
        # The publisher's rule: a capital letter for a cat, a small one for a dog.
        (r"images/([A-Z][A-Za-z_]*)_([0-9]+)\.jpg", r"cats/\1/\1_\2.jpg"),
        (r"images/([a-z][A-Za-z_]*)_([0-9]+)\.jpg", r"dogs/\1/\1_\2.jpg"),
    ),
    published=dataclasses.replace(_PETS, path="images.tar.gz"),
    bases=(
        "https://www.robots.ox.ac.uk/~vgg/data/pets/data/",
        "https://thor.robots.ox.ac.uk/datasets/pets/",
    ),
)

CALTECH101_ANIMALS = PictureSet(
    name="caltech101_animals",
    title="Caltech-101, photographs of ten kinds of animals",
    licence="CC BY 4.0",
    citation="F.-F. Li, M. Andreeto, M. Ranzato, P. Perona, Caltech 101, CaltechDATA, 2022, "
    "doi:10.22002/D1.20086",
    homepage="https://data.caltech.edu/records/mzrjq-6wc02",
    pictures=777,
    classes=10,
    room=15_000_000,
    mirror=Archive(
        "caltech101/caltech101_animals10.zip",
        12_466_315,
        "64a9f7d05935a392cebc18009dad9f14f5aafc37ac441f9189ef108a5a361142",
    ),
    folders=((r"caltech101_animals10/([a-z]+)/(image_[0-9]+\.jpg)", r"\1/\2"),),
)

PICTURE_SETS: Mapping[str, PictureSet] = {
    pictures.name: pictures for pictures in (OXFORD_PETS, CALTECH101_ANIMALS)
}
