"""Read every byte of ``lessons/``: no answer, no hidden test, no output may be in it."""

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

# Shorter lines (``return result``) stand in many programs and give nothing away.
MIN_CHARACTERS = 16
ALLOWED_SUFFIXES = {".ipynb", ".md", ".png", ".svg"}
REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")


def private_lines(text: str) -> set[str]:
    """Lines of an author's text that students must never see.

    Parameters
    ----------
    text : str
        A py:percent text.

    Returns
    -------
    set of str
        Stripped lines between ``BEGIN`` and ``END`` markers, without those that also stand in the
        public part, be it within a line, or are too short to tell anything.
    """
    private, told = _divided(text)
    return {line for line in private if len(line) >= MIN_CHARACTERS and line not in told}


def _divided(text: str) -> tuple[set[str], str]:
    """Private lines of an author's text, and its public text."""
    private: set[str] = set()
    public: list[str] = []
    region = ""
    for line in text.splitlines():
        stripped = _normal(line)
        begins = [name for name in REGIONS if f"BEGIN {name}" in line]
        if begins:
            region = begins[0]
        elif region and f"END {region}" in line:
            region = ""
        elif region:
            private.add(stripped)
        else:
            public.append(stripped)
    return private, "\n".join(public)


def _normal(line: str) -> str:
    """Strip indentation and the comment mark of a markdown cell."""
    return line.strip().removeprefix("# ").strip()


def lines_kept_back(solutions: Path) -> dict[str, str]:
    """Private lines of all authors' texts below a folder: line → lesson that keeps it back."""
    sources = {path.stem: path.read_text("utf-8") for path in sorted(solutions.glob("*/*.py"))}
    # What one lesson says in public is no secret of another: `return keras.Sequential(`.
    told = "\n".join(_divided(text)[1] for text in sources.values())
    return {
        line: name
        for name, text in sources.items()
        for line in private_lines(text)
        if line not in told
    }


def find_leaks(lessons: Path, solutions: Path) -> list[str]:
    """Compare every file below ``lessons/`` with what ``solutions/`` keeps to itself.

    Parameters
    ----------
    lessons, solutions : pathlib.Path
        The two folders.

    Returns
    -------
    list of str
        One sentence for each leak, empty when there is none.
    """
    secrets = lines_kept_back(solutions)
    leaks: list[str] = []
    for path in sorted(item for item in lessons.rglob("*") if item.is_file()):
        where = path.relative_to(lessons.parent)
        if ".ipynb_checkpoints" in path.parts:
            continue
        if path.suffix not in ALLOWED_SUFFIXES:
            leaks.append(f"{where}: a {path.suffix or 'nameless'} file does not belong in a lesson")
        leaks.extend(f"{where}: {problem}" for problem in leaks_of_file(path, secrets))
    return leaks


def leaks_of_file(
    path: Path,
    secrets: Mapping[str, str],
    markers: Iterable[str] = tuple(f"BEGIN {name}" for name in REGIONS),
) -> list[str]:
    """Look into one file that students get.

    Parameters
    ----------
    path : pathlib.Path
        The file; of a notebook the strings in its JSON are read as well.
    secrets : mapping of str to str
        Line → who keeps it back.
    markers : iterable of str
        What begins a part that students do not get.

    Returns
    -------
    list of str
        One phrase for each leak.
    """
    texts = readings(path.read_bytes())
    leaks = [
        f"holds the marker {marker!r}"
        for marker in markers
        if any(marker in text for text in texts)
    ]
    for line, lesson in secrets.items():
        if any(line in text for text in texts):
            leaks.append(f"holds a line that {lesson} keeps back: {line[:60]!r}")
    return leaks + (_outputs(path) if path.suffix == ".ipynb" else [])


def readings(content: bytes) -> list[str]:
    """Read a file as text, as the strings inside its JSON, and what is packed as base64 in it."""
    texts = [content.decode("utf-8", errors="replace")]
    with contextlib.suppress(ValueError):
        texts.append("\n".join(_strings(json.loads(content))))
    for match in _BASE64.finditer(content):
        block = match.group()
        try:
            unpacked = base64.b64decode(block + b"=" * (-len(block) % 4))
        except binascii.Error:
            continue
        texts.append(unpacked.decode("utf-8", errors="replace"))
    return texts


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return []


def _outputs(path: Path) -> list[str]:
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except (ValueError, KeyError, TypeError):
        return ["is not a notebook"]
    return [
        f"cell {index} still has outputs"
        for index, cell in enumerate(cells, start=1)
        if cell.get("outputs") or cell.get("execution_count")
    ]
