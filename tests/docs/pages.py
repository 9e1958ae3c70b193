"""Read the documents: fenced blocks, sections, links, and commands."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

SKIPPED_FOLDERS = {
    "demo_class", "node_modules", "build", "dist", "submitted", "autograded", "feedback",
}  # fmt: skip


def documents() -> list[Path]:
    """Every markdown file of the repository."""
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not any(
            part.startswith(".") or part in SKIPPED_FOLDERS
            for part in path.relative_to(ROOT).parts[:-1]
        )
    )


_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, what is in it, and its line."""

    info: str
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    """Fenced blocks of a markdown text, in order, also those in lists."""
    return [
        Block(
            info=found["info"].strip(),
            text=textwrap.dedent(found["text"]),
            line=text[: found.start()].count("\n") + 1,
        )
        for found in _FENCE.finditer(text)
    ]


def without_blocks(text: str) -> str:
    """A markdown text without its fenced blocks."""
    return _FENCE.sub("", text)


def sections(text: str, level: int) -> dict[str, str]:
    """Heading of a level → the text below it, up to the next heading of that level or above."""
    fences = [(found.start(), found.end()) for found in _FENCE.finditer(text)]
    headings = [
        found
        for found in re.finditer(rf"^#{{1,{level}}} .*$", text, re.MULTILINE)
        if not any(start < found.start() < end for start, end in fences)
    ]
    ends = [found.start() for found in headings[1:]] + [len(text)]
    mark = "#" * level + " "
    return {
        found[0].removeprefix(mark): text[found.end() : end]
        for found, end in zip(headings, ends, strict=True)
        if found[0].startswith(mark)
    }


def anchors(text: str) -> set[str]:
    """Anchors that a renderer makes of the headings."""
    found = re.findall(r"^#+ +(.*)$", without_blocks(text), re.MULTILINE)
    return {_anchor(heading) for heading in found}


def _anchor(heading: str) -> str:
    plain = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def commands(text: str, who: str = "") -> list[str]:
    """Commands of the ``sh`` blocks, one a line, without comments."""
    return [
        line.split("  #")[0].strip()
        for block in blocks(text)
        if block.info.split()[:1] == ["sh"] and (not who or block.info == who)
        for line in block.text.splitlines()
        if line.strip() and not line.startswith("#")
    ]


def inline_code(text: str) -> list[str]:
    """What stands between backticks in the prose."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))
