"""Python's own standard library as text: what is code in it, and what is prose.

Every Python brings it along, so there is nothing to download. Its files differ from one version to
the next; whoever reads them must not expect the same characters on two machines. The licence of the
files is Python's own (PSF-2.0); none of them is copied into the course.
"""

import ast
import hashlib
import io
import sysconfig
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data_scripts.errors import DataError

# No prose to speak of (tables, tests), or not Python's own.
_LEFT_OUT = {"__pycache__", "dist-packages", "encodings", "lib2to3", "pydoc_data", "site-packages"}
_LEFT_OUT |= {"idle_test", "test", "tests"}
_LEAST = 400  # characters of either kind that a file must have


class SourceText(NamedTuple):
    """One file of the standard library, taken apart.

    Attributes
    ----------
    name : str
        Path below the library's folder, such as ``"json/decoder.py"``.
    code : str
        The file without docstrings and comments, every run of blanks and line ends one blank.
    prose : str
        Its docstrings and comments in order, without the marks around them and without examples
        that begin with ``>>>``; blanks as above.
    """

    name: str
    code: str
    prose: str


def read_standard_library(
    files: int | None = None, *, folder: str | Path | None = None
) -> list[SourceText]:
    """Read Python's standard library and part each file into code and prose.

    Parameters
    ----------
    files : int or None
        How many files to read; None means all. The choice depends on the files' names only, so
        that two versions of Python give mostly the same.
    folder : path-like or None
        Where to read; None means the library of the Python that runs this.

    Returns
    -------
    list of SourceText
        In an order that mixes the packages and is the same every time. Files with less than 400
        characters of code, or of prose, are passed over, and so are those that are no valid Python.

    Raises
    ------
    data_scripts.errors.DataError
        If there is no such file, as in a Python whose library is compiled or packed.
    """
    folder = Path(sysconfig.get_path("stdlib") if folder is None else folder)
    found: list[SourceText] = []
    for path in _mixed(folder):
        if files is not None and len(found) >= files:
            break
        try:
            with tokenize.open(path) as file:
                code, prose = code_and_prose(file.read().replace("\f", " "))
        except (OSError, SyntaxError, ValueError, tokenize.TokenError):
            continue
        if min(len(code), len(prose)) >= _LEAST:
            found.append(SourceText(path.relative_to(folder).as_posix(), code, prose))
    if not found:
        raise DataError(
            f"there is no source text of Python's standard library in {folder}, expected files "
            "such as json/decoder.py with code and docstrings; run the course with a Python that "
            "has its library as plain files, for example from python.org or conda."
        )
    return found


def code_and_prose(text: str) -> tuple[str, str]:
    """Part the text of a Python file into code and prose, see `SourceText`.

    Parameters
    ----------
    text : str
        A Python file.

    Returns
    -------
    code, prose : str

    Raises
    ------
    SyntaxError
        If the text is no valid Python.
    """
    lines = text.split("\n")
    prose: list[tuple[int, str]] = []  # line, text
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            prose.append((row, token.string.lstrip("#!: ")))
            lines[row - 1] = lines[row - 1][:column]
    for node in _docstrings(text):
        prose.append((node.lineno, _without_examples(node.value)))
        before = lines[node.lineno - 1].encode()[: node.col_offset].decode()
        after = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
        lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
        lines[node.lineno - 1] = before
        lines[node.end_lineno - 1] += after
    prose.sort(key=lambda item: item[0])
    return _single_blanks("\n".join(lines)), _single_blanks("\n".join(words for _, words in prose))


def _mixed(folder: Path) -> list[Path]:
    """All files to read below a folder, in an order that only depends on their names."""
    paths = [
        path
        for path in folder.rglob("*.py")
        if not _LEFT_OUT.intersection(path.relative_to(folder).parts)
    ]
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    return sorted(paths, key=lambda path: hashlib.sha256(names[path].encode()).digest())


def _docstrings(text: str) -> Iterator[ast.Constant]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old files have escapes that Python warns about
        tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body[:1]:
                case [ast.Expr(ast.Constant(str()) as words)]:
                    yield words


def _without_examples(words: str) -> str:
    lines = words.splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith((">>>", "... ")))


def _single_blanks(text: str) -> str:
    return " ".join(text.split())
