"""What students must not get, and where it stands: in a file, or in an object of Git."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from autograder.authoring.leaks import REGIONS, lines_kept_back, readings

_WINDOW = 8
_MOST_PACKED = 200_000_000
# Opens a call of a check; every author writes it, and it tells nothing.
_OPENING = re.compile(r"exercise(\.hidden)?\.\w+\(")
# Names of files that are the instructor's, wherever they turn up.
_PRIVATE_NAMES = re.compile(
    r"(^|/)(solutions|autograded|submitted|gradebook\.db[^/]*|\.autograder_secret|tests)(/|$)"
    r"|(^|/)nbgrader_config\.py$"
)


class Secrets:
    """Lines that ``solutions/`` keeps back, and a quick way to find them in any bytes.

    Parameters
    ----------
    lines : mapping of str to str
        Line → lesson that keeps it back. Each has at least eight bytes.
    """

    def __init__(self, lines: Mapping[str, str]) -> None:
        self.lines = {line.encode(): lesson for line, lesson in lines.items()}
        starts: dict[int, list[bytes]] = {}
        for line in self.lines:
            key = int.from_bytes(line[:_WINDOW], "little")
            starts.setdefault(key, []).append(line)
        self._starts = starts
        self._keys = np.array(sorted(starts), dtype="<u8")

    @classmethod
    def of_course(cls, root: Path) -> "Secrets":
        """Read what the authors' texts of a course keep back."""
        lines = lines_kept_back(root / "solutions")
        return cls({line: name for line, name in lines.items() if not _OPENING.fullmatch(line)})

    def leaks(self, name: str, content: bytes) -> list[str]:
        """Look into one file, or one object of Git.

        Read are the bytes, the strings of JSON, what is packed as base64, and what is in a zip or
        gzip archive. Markers of private parts count in notebooks only: the package's own
        documentation speaks of them.

        Returns
        -------
        list of str
            One sentence for each leak.
        """
        found = self.private_names([name.encode()], "")
        texts = [content, *(text.encode() for text in readings(content)), *_unpacked(content)]
        lines = {line for text in texts for line in self._lines_in(text)}
        found += [
            f"{name}: holds a line that {self.lines[line]} keeps back: {line.decode()[:60]!r}"
            for line in sorted(lines)
        ]
        if b'"nbformat"' in content:
            found += [
                f"{name}: holds the marker 'BEGIN {region}'"
                for region in REGIONS
                if any(f"BEGIN {region}".encode() in text for text in texts)
            ]
        return found

    def private_names(self, names: Iterable[bytes], tree: str) -> list[str]:
        """Say which names of files or folders are the instructor's."""
        where = f" (in the history, tree {tree[:10]})" if tree else ""
        return [
            f"{name.decode(errors='replace')}: what has this name is the instructor's{where}"
            for name in names
            if _PRIVATE_NAMES.search(name.decode(errors="replace"))
        ]

    def _lines_in(self, text: bytes) -> Iterator[bytes]:
        if len(text) < _WINDOW or not len(self._keys):
            return
        plain = np.frombuffer(text, dtype=np.uint8)
        # Eight bytes at each place, as one number: a first sieve that looks at all of them at once.
        windows = np.zeros(len(plain) - _WINDOW + 1, dtype="<u8")
        for offset in range(_WINDOW):
            part = plain[offset : offset + len(windows)].astype("<u8")
            windows |= part << np.uint64(8 * offset)
        places = np.searchsorted(self._keys, windows).clip(max=len(self._keys) - 1)
        for place in np.flatnonzero(self._keys[places] == windows):
            for line in self._starts[int(windows[place])]:
                if text.startswith(line, int(place)):
                    yield line


def _unpacked(content: bytes) -> Iterator[bytes]:
    """Contents of an archive, bounded."""
    left = _MOST_PACKED
    if content.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for member in archive.infolist():
                    if member.file_size <= left:
                        left -= member.file_size
                        yield archive.read(member)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
            return
    elif content.startswith(b"\x1f\x8b"):
        try:
            yield gzip.GzipFile(fileobj=io.BytesIO(content)).read(left)
        except (OSError, EOFError, zlib.error):
            return
