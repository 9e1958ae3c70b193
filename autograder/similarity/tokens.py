"""Cut answers into tokens in which a disguise does not show, and remember where each stood.

What a copier changes first is dropped or made the same: comments, blanks, docstrings, names of
variables and functions, longer strings, brackets that change nothing. What cannot be changed
without changing what the code does is kept: keywords, operators, numbers, built-ins, attributes and
keyword arguments of libraries.
"""

import ast
import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Text, Whitespace

# Letters to stand for tokens; those from the second to the third are halves and no letters.
_FIRST_LETTER, _FIRST_HALF, _AFTER_HALVES, _LAST_LETTER = 0x100, 0xD800, 0xE000, 0x10FFFF
NAME, TEXT = "name", "text"

_WORD = re.compile(r"[^\W\d_]+|\d+")
# Scripts without blanks between words: each character counts.
_IDEOGRAPH = re.compile(r"[⺀-鿿豈-﫿぀-ヿ가-힯]")


@dataclasses.dataclass(frozen=True)
class Tokens:
    """A text as tokens.

    Attributes
    ----------
    words : tuple of str
        Normalised tokens.
    spans : tuple of (int, int)
        Where each stood in the text: first character, and the one after the last.
    """

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


class Alphabet:
    """Give each token a letter of its own: what compares letters then compares tokens."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def write(self, words: Iterable[str]) -> str:
        """Write tokens as letters, one for each."""
        return "".join(self._letter(word) for word in words)

    def _letter(self, word: str) -> str:
        letter = self._letters.get(word)
        if letter is None:
            code = _FIRST_LETTER + len(self._letters)
            if code >= _FIRST_HALF:
                code += _AFTER_HALVES - _FIRST_HALF
            letter = self._letters[word] = chr(min(code, _LAST_LETTER))
        return letter


def imported_names(sources: Iterable[str]) -> frozenset[str]:
    """Names that code imports: a copier who renames ``np`` breaks the tests."""
    names: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names.update((item.asname or item.name).split(".")[0] for item in node.names)
    return frozenset(names)


def code_tokens(source: str, keep: frozenset[str] = frozenset()) -> Tokens:
    """Cut Python into tokens; text that is no Python is cut as far as it goes.

    Parameters
    ----------
    source : str
        The text of a cell.
    keep : frozenset of str
        Names that are kept as they are.
    """
    found = [
        _Found(start, start + len(text), kind, text)
        for start, kind, text in PythonLexer().get_tokens_unprocessed(source)
        if not _is_dropped(kind)
    ]
    found = _without_brackets(_joined(found))
    words: list[str] = []
    depth = 0
    signature = False
    for index, token in enumerate(found):
        text, kind = token.text, token.kind
        if kind in Keyword:
            # Parameters are the copier's to rename; keyword arguments of a call are not.
            signature = signature or text in ("def", "lambda")
        elif text in ("(", ")"):
            depth = max(0, depth + (1 if text == "(" else -1))
        elif text == ":":
            signature = False
        if _is_text(kind):
            text = _string(text)
        elif kind in Number:
            text = _number(text)
        elif kind in Name and not (
            (kind in Name.Builtin and text not in ("self", "cls"))
            or kind in Name.Exception
            or kind in Name.Namespace
            or text in keep
            or (index > 0 and found[index - 1].text == ".")
            or (depth > 0 and not signature and _text_at(found, index + 1) == "=")
        ):
            text = NAME
        words.append(text)
    return Tokens(tuple(words), tuple((token.start, token.end) for token in found))


def prose_tokens(source: str) -> Tokens:
    """Cut a text into words, in lower case; ideographs one by one."""
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    for found in _WORD.finditer(source):
        start = found.start()
        if _IDEOGRAPH.search(found.group()):
            for offset, letter in enumerate(found.group()):
                words.append(letter)
                spans.append((start + offset, start + offset + 1))
        else:
            words.append(found.group().casefold())
            spans.append(found.span())
    return Tokens(tuple(words), tuple(spans))


@dataclasses.dataclass(frozen=True)
class _Found:
    start: int
    end: int
    kind: Any
    text: str


def _text_at(found: Sequence[_Found], index: int) -> str:
    return found[index].text if index < len(found) else ""


def _joined(found: Iterable[_Found]) -> list[_Found]:
    """Make one token of a string: its prefix, quotes and content come one by one."""
    joined: list[_Found] = []
    for token in found:
        last = joined[-1] if joined else None
        if last is not None and _is_text(token.kind) and _is_text(last.kind):
            joined[-1] = _Found(last.start, token.end, last.kind, last.text + token.text)
        else:
            joined.append(token)
    return joined


def _without_brackets(found: Sequence[_Found]) -> list[_Found]:
    """Drop what changes nothing: brackets around a value, and a comma before a closing bracket."""
    kept: list[_Found] = []
    calls: list[bool] = []
    for index, token in enumerate(found):
        needed = True
        if token.text == "(":
            before = found[index - 1] if index else None
            needed = before is not None and (before.kind in Name or before.text in (")", "]"))
            calls.append(needed)
        elif token.text == ")":
            needed = calls.pop() if calls else True
        elif token.text == ",":
            needed = _text_at(found, index + 1) not in (")", "]", "}")
        if needed:
            kept.append(token)
    return kept


def _is_text(kind: Any) -> bool:
    return kind in Literal.String and kind not in Literal.String.Interpol


def _is_dropped(kind: Any) -> bool:
    return (
        kind in Comment
        or kind in Whitespace
        or (kind in Text and kind not in Literal)
        or kind in Literal.String.Doc
    )


def _string(text: str) -> str:
    bare = text.lstrip("rRbBuUfF").strip("\"'")
    return f"'{bare}'" if len(bare) <= 20 and not re.search(r"\s", bare) else TEXT


def _number(text: str) -> str:
    try:
        return repr(float(ast.literal_eval(text)))
    except (ValueError, TypeError, SyntaxError, OverflowError):
        return text
