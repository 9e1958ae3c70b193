"""Which of the modules that rooms have at hand an assignment needs.

A module that nobody imports makes every room a little slower, and the first one much: a course
without networks shall not wait for TensorFlow.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from autograder.kernels.client import PRELOAD

_MOST_BYTES = 20_000_000
_READ = (".ipynb", ".py")
# Who speaks of the one may well import the other.
_ALSO = {"keras": ("keras", "tensorflow"), "matplotlib": ("matplotlib", "pyplot", "pylab", "plt")}


def needed(preload: Sequence[str], folder: Path) -> list[str]:
    """Those modules of a list that the files of an assignment speak of.

    Parameters
    ----------
    preload : sequence of str
        What the course asks for. Anything but the usual list was chosen by somebody, and stays.
    folder : pathlib.Path
        The instructor's folder of the assignment.

    Returns
    -------
    list of str
        In the same order; all of them where the folder cannot be read.
    """
    chosen = list(preload)
    if tuple(chosen) != PRELOAD:
        return chosen
    try:
        words = _words(folder)
    except OSError:
        return chosen
    if not words:
        return chosen
    return [name for name in chosen if words & set(_ALSO.get(_top(name), (_top(name),)))]


def _top(module: str) -> str:
    return module.split(".")[0]


def _words(folder: Path) -> set[str]:
    words: set[str] = set()
    left = _MOST_BYTES
    for path in sorted(folder.rglob("*")):
        if path.suffix in _READ and path.is_file():
            left -= path.stat().st_size
            if left < 0:
                return set()
            text = path.read_text(encoding="utf-8", errors="replace")
            words.update(re.findall(r"[A-Za-z_]\w*", text))
    return words
