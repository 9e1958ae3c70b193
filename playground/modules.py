"""From the files of this package to what a browser gets: one script and one style a widget.

anywidget hands a widget's script to the browser as one text without an address, so that a relative
import leads nowhere. Here the files stay ordinary ES modules that import from each other, and are
put together when a widget's class is made.
"""

import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)


@cache
def script(name: str) -> str:
    """Put an ES module and all that it imports from this package into one text.

    Parameters
    ----------
    name : str
        File in this folder. Its imports have the form ``import { a, b } from "./file.js";`` at the
        beginning of a line. All files share one scope: names at their top level must differ.

    Returns
    -------
    str
        Every file once, each after those that it imports. Only the default export of the file named
        is left.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    order: list[str] = []

    def visit(file: str) -> None:
        if file in order:
            return
        text = (_HERE / file).read_text(encoding="utf-8")
        for imported in _IMPORT.findall(text):
            visit(imported)
        order.append(file)

    visit(name)
    parts = []
    for file in order:
        text = _IMPORT.sub("", (_HERE / file).read_text(encoding="utf-8"))
        if file != name:
            text = re.sub(r"^export default .*?;\n", "", text, flags=re.MULTILINE)
        parts.append(_EXPORT.sub("", text))
    return "\n".join(parts)


@cache
def style(*names: str) -> str:
    """Put the shared look and the style files of a widget into one text.

    Parameters
    ----------
    *names : str
        Style sheets in this folder, after ``look.css``.

    Returns
    -------
    str
    """
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("look.css", *names))
