"""``python -m data_scripts list | fetch NAME… | verify``.

Results go to standard output. Progress bars, notes and errors go to standard error; the bars show
only if that is a terminal. The exit code is 0 if all is well, 1 if something could not be fetched
or is not whole, 2 for a wrong command line, 130 after an interruption.
"""

import argparse
import functools
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from data_scripts import cache, network_files, picture_sets, style_network
from data_scripts.archives import Arrays
from data_scripts.cache import readable
from data_scripts.catalogue import CATALOGUE, Dataset
from data_scripts.errors import DataError, SourceFailed
from data_scripts.imagenet import CLASSES, read_classes
from data_scripts.loading import fetch
from data_scripts.network_catalogue import NETWORKS, WEIGHTS, Network, Weights
from data_scripts.paintings import PAINTINGS, load_painting
from data_scripts.photographs import PHOTOGRAPHS, load_photograph
from data_scripts.picture_set_catalogue import PICTURE_SETS, PictureSet
from data_scripts.sources import is_address, mirror_named, read_embedded, read_mirror


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        The exit code.
    """
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_: _complain("note", str(message))
        try:
            return options.run(options)
        except KeyboardInterrupt:
            _complain("stopped", "the next fetch goes on from what has been downloaded.")
            return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_scripts", description="The course's data sets, networks and pictures."
    )
    commands = parser.add_subparsers(required=True, metavar="list | fetch | verify")
    listing = commands.add_parser("list", help="show the catalogue")
    listing.set_defaults(run=_list)
    fetching = commands.add_parser(
        "fetch", help="get full data sets, weights and sets of pictures into the cache"
    )
    names = (*CATALOGUE, *WEIGHTS, *PICTURE_SETS)
    fetching.add_argument("names", nargs="+", metavar="NAME", choices=names, help=", ".join(names))
    fetching.set_defaults(run=_fetch)
    verifying = commands.add_parser(
        "verify", help="check embedded files, the cache and the mirror folder"
    )
    verifying.set_defaults(run=_verify)
    return parser


def _list(_options: argparse.Namespace) -> int:
    for dataset in CATALOGUE.values():
        cached = cache.cached_file(dataset)
        print(f"{dataset.name} — {dataset.title}")
        for label, text in (
            ("licence", dataset.licence),
            ("quick", f"{_counts(dataset.quick)}, {readable(dataset.embedded.size)} embedded"),
            ("full", f"{_counts(dataset.full)}, {readable(dataset.size)} in the cache"),
            ("cached", str(cached) if cached.exists() else "no"),
            *(
                (
                    "sources" if number == 1 else "",
                    f"{number}. {source.name}, {readable(source.size)}"
                    f"{'' if source.tried else ', not tried'}\n"
                    f"{'':12}{source.base}{_file_names(source.files)}",
                )
                for number, source in enumerate((dataset.mirror, *dataset.published), start=1)
            ),
            (
                "SHA-256",
                ("\n" + " " * 12).join(
                    f"{name:8}{expected.sha256}" for name, expected in dataset.full.items()
                ),
            ),
        ):
            print(f"  {label:10}{text}")
        print()
    for network in NETWORKS.values():
        _list_network(network)
    for pictures in PICTURE_SETS.values():
        _list_pictures(pictures)
    print(f"imagenet — names of 1,000 classes, embedded\n  {'licence':10}{CLASSES.licence}")
    for photograph in PHOTOGRAPHS.values():
        print(f"{photograph.name} — photograph, {' × '.join(map(str, photograph.shape))}, embedded")
        print(f"  {'licence':10}{photograph.licence}")
    print("\nCitations are in ATTRIBUTION.md beside this package's modules.")
    return 0


def _list_network(network: Network) -> None:
    print(f"{network.name} — {network.title}, learned from ImageNet")
    print(f"  {'licence':10}{network.licence}")
    if network.embedded:
        print(f"  {'embedded':10}{readable(network.embedded.size)}, {network.embedded.note}")
        print(f"  {'SHA-256':10}{network.embedded.arrays}, of the arrays")
    for weights in network.files.values():
        cached = network_files.cached_file(weights)
        rows = [f"{weights.numbers:,} numbers, cached: {cached if cached.exists() else 'no'}"]
        mirror = (file for file in weights.mirror if not file.unchecked)
        for number, (where, file) in enumerate(
            (
                *(("COURSE_DATA_MIRROR", file) for file in mirror),
                (f"{weights.base}, not tried", weights.published),
            ),
            start=1,
        ):
            rows += [f"{number}. {where}, {readable(file.size)}", f"   {file.path}"]
            rows += [f"   {file.note}"] if file.note else []
            rows.append(
                f"   SHA-256 {file.arrays}, of the arrays"
                if file.arrays
                else f"   MD5 {file.md5}"
                if file.md5
                else "   no checksum is published: how many numbers, and all finite, is checked"
            )
        print(f"  {weights.name}\n{'':12}" + f"\n{'':12}".join(rows))
    print()


def _list_pictures(pictures: PictureSet) -> None:
    cached = picture_sets.cached_folder(pictures)
    print(f"{pictures.name} — {pictures.title}, in class folders")
    print(f"  {'licence':10}{pictures.licence}")
    print(f"  {'homepage':10}{pictures.homepage}")
    print(
        f"  {'pictures':10}{pictures.pictures:,} in {pictures.classes} classes, up to "
        f"{readable(pictures.room)} in the cache"
    )
    print(f"  {'cached':10}{cached if cached.exists() else 'no'}")
    rows = [("COURSE_DATA_MIRROR", pictures.mirror)]
    rows += [(f"{base}, not tried", pictures.published) for base in pictures.bases]
    for number, (where, archive) in enumerate(rows, start=1):
        print(f"  {'sources' if number == 1 else '':10}{number}. {where}, {readable(archive.size)}")
        print(f"{'':15}{archive.path}")
    print(f"  {'SHA-256':10}{pictures.mirror.sha256}, of the archive\n")


def _fetch(options: argparse.Namespace) -> int:
    failed = 0
    for name in dict.fromkeys(options.names):
        try:
            if name in WEIGHTS:
                print(_fetched(WEIGHTS[name]))
            elif name in PICTURE_SETS:
                print(_fetched_pictures(PICTURE_SETS[name]))
            else:
                print(_fetched_data(CATALOGUE[name]))
        except DataError as error:
            _complain("error", str(error))
            failed = 1
    return failed


def _fetched_data(dataset: Dataset) -> str:
    _, origin = fetch(dataset)
    path = cache.cached_file(dataset)
    return f"{dataset.name}: whole, {_counts(dataset.full)}, from {origin}, in {path}"


def _fetched(weights: Weights) -> str:
    found, origin = network_files.fetch(weights)
    note = f" ({found.version.note})" if found.version.note else ""
    whole = "not checked by any checksum" if found.version.unchecked else "whole"
    path = network_files.cached_file(weights)
    return f"{weights.name}: {whole}, {weights.numbers:,} numbers{note}, from {origin}, in {path}"


def _fetched_pictures(pictures: PictureSet) -> str:
    found, origin = picture_sets.fetch(pictures)
    return (
        f"{pictures.name}: whole, {len(found.files):,} pictures in {len(found.classes)} classes, "
        f"from {origin}, in {found.folder}"
    )


def _verify(_options: argparse.Namespace) -> int:
    """Check every file that is here; an address is not here, ``fetch`` checks what it sends."""
    mirror = mirror_named()
    failed = 0

    def check(what: str, read: Callable[[], object], advice: str) -> None:
        nonlocal failed
        try:
            found = read()
        except (SourceFailed, DataError, ValueError, OSError) as error:
            print(f"BAD    {what}")
            # Some say themselves what to do.
            told = str(error).removesuffix(".")
            _complain("error", f"{told}." if advice in told else f"{told}; {advice}.")
            failed = 1
        else:
            print(f"{'absent' if found is None else 'ok':6} {what}")

    for dataset in CATALOGUE.values():
        for what, read, advice in _places(dataset, mirror):
            check(f"{dataset.name}, {what}", read, advice)
    for network in NETWORKS.values():
        for what, read, advice in _network_places(network, mirror):
            check(what, read, advice)
    for pictures in PICTURE_SETS.values():
        for what, read, advice in _picture_set_places(pictures, mirror):
            check(what, read, advice)
    check("imagenet, embedded", read_classes, "install the course again")
    check("style network, embedded", style_network.read_embedded, "install the course again")
    for embedded, load_picture in ((PHOTOGRAPHS, load_photograph), (PAINTINGS, load_painting)):
        for name in embedded:
            read = functools.partial(load_picture, name)
            check(f"{name}, embedded", read, "install the course again")
    return failed


def _places(
    dataset: Dataset, mirror: str | None
) -> list[tuple[str, Callable[[], Arrays | None], str]]:
    places = [
        ("embedded", lambda: read_embedded(dataset), "install the course again"),
        (
            f"cache {cache.cached_file(dataset)}",
            lambda: cache.read(dataset),
            f"run python -m data_scripts fetch {dataset.name}",
        ),
    ]
    if mirror and not is_address(mirror):
        places.append(
            (
                f"mirror {Path(mirror)}",
                lambda: read_mirror(dataset, mirror),
                "copy this file again from where the mirror was made",
            )
        )
    return places


def _network_places(
    network: Network, mirror: str | None
) -> list[tuple[str, Callable[[], object | None], str]]:
    places = []
    if network.embedded:
        places.append(
            (
                f"{network.name}, embedded",
                lambda: network_files.read_embedded(network),
                "install the course again",
            )
        )
    for weights in network.files.values():
        places.append(
            (
                f"{weights.name}, cache {network_files.cached_file(weights)}",
                lambda weights=weights: network_files.read_cached(weights),
                f"run python -m data_scripts fetch {weights.name}",
            )
        )
        if mirror and not is_address(mirror):
            places.append(
                (
                    f"{weights.name}, mirror {Path(mirror)}",
                    lambda weights=weights: network_files.read_in_mirror_folder(weights, mirror),
                    "copy this file again from where the mirror was made",
                )
            )
    return places


def _picture_set_places(
    pictures: PictureSet, mirror: str | None
) -> list[tuple[str, Callable[[], object | None], str]]:
    places = [
        (
            f"{pictures.name}, cache {picture_sets.cached_folder(pictures)}",
            lambda: picture_sets.read_cached(pictures),
            f"run python -m data_scripts fetch {pictures.name}",
        )
    ]
    if mirror and not is_address(mirror):
        places.append(
            (
                f"{pictures.name}, mirror {Path(mirror)}",
                lambda: picture_sets.read_in_mirror_folder(pictures, mirror),
                "copy this file again from where the mirror was made",
            )
        )
    return places


def _counts(arrays: dict) -> str:
    return f"{arrays['x_train'].shape[0]:,} + {arrays['x_test'].shape[0]:,} pictures"


def _file_names(files: Sequence) -> str:
    first = files[0].path
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more"


def _complain(kind: str, sentence: str) -> None:
    print(f"{kind}: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
