"""Formulas as MathML, which browsers show by themselves: no script, and nothing to fetch.

The TeX may be a student's. Only elements and attributes of a short list get through, and all text
is escaped here, whatever the converter made of it.
"""

import html
import re
from xml.etree.ElementTree import Element

from bs4 import BeautifulSoup, NavigableString
from markupsafe import Markup

MAX_CHARACTERS = 2_000
MAX_FORMULAS = 1_000
ELEMENTS = {
    *("math", "mrow", "mi", "mo", "mn", "ms", "mtext", "mspace", "mstyle", "mpadded", "mphantom"),
    *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover"),
    *("mmultiscripts", "mprescripts", "none", "mtable", "mtr", "mtd", "menclose", "mfenced"),
}
_ATTRIBUTES = {
    *("display", "displaystyle", "scriptlevel", "mathvariant", "mathsize", "stretchy", "fence"),
    *("form", "separator", "accent", "accentunder", "movablelimits", "largeop", "symmetric"),
    *("lspace", "rspace", "minsize", "maxsize", "width", "height", "depth", "voffset"),
    *("linethickness", "linebreak", "columnalign", "rowalign", "columnspacing", "rowspacing"),
    *("columnlines", "rowlines", "notation"),
}
_VALUE = re.compile(r"[\w.+% -]{0,60}")
_TEX = re.compile(
    r"\$\$(?P<block>[^$]+)\$\$"
    r"|\\\[(?P<bracket>.+?)\\\]"
    r"|\\\((?P<round>.+?)\\\)"
    r"|(?<![\\$\w])\$(?!\s)(?P<inline>[^$]+?)(?<!\s)\$(?![\w$])",
    re.DOTALL,
)
# Here a dollar is a dollar.
_AS_IS = ("code", "pre", "kbd", "math")


class FormulaError(Exception):
    """A piece of TeX that cannot be shown; it stays as it was written."""


def mathml(tex: str, *, block: bool = False) -> Markup:
    """Make MathML from TeX.

    Parameters
    ----------
    tex : str
        A formula, without dollars. It may be anybody's.
    block : bool
        Whether it stands on a line of its own.

    Raises
    ------
    FormulaError
        If it is too long, or no formula.
    """
    if len(tex) > MAX_CHARACTERS:
        raise FormulaError(f"a formula of {len(tex)} characters; {MAX_CHARACTERS} are shown")
    try:
        from latex2mathml.converter import convert_to_element

        made = convert_to_element(tex, display="block" if block else "inline")
    except Exception as error:
        # The converter fails in many ways on what is no formula; nesting can be too deep for it.
        raise FormulaError(f"{type(error).__name__}: {error}") from None
    return Markup(_written(made))


def with_formulas(markup: str) -> str:
    """Turn the TeX in a piece of clean HTML into MathML; what is no formula stays.

    Parameters
    ----------
    markup : str
        HTML that :func:`autograder.reports.markup.clean_html` has been through.
    """
    if "$" not in markup and "\\" not in markup:
        return markup
    soup = BeautifulSoup(markup, "html.parser")
    left = MAX_FORMULAS
    for node in list(soup.find_all(string=_TEX)):
        if type(node) is not NavigableString or node.find_parent(_AS_IS):
            continue
        pieces, left = _pieces(str(node), left)
        node.replace_with(BeautifulSoup(pieces, "html.parser"))
    return str(soup)


def _pieces(text: str, left: int) -> tuple[str, int]:
    made, end = [], 0
    for found in _TEX.finditer(text):
        if left <= 0:
            break
        left -= 1
        inline = found["inline"] or found["round"]
        try:
            formula = mathml(inline or found["block"] or found["bracket"], block=inline is None)
        except FormulaError:
            continue
        made += [html.escape(text[end : found.start()], quote=False), formula]
        end = found.end()
    return "".join([*made, html.escape(text[end:], quote=False)]), left


def _written(element: Element) -> str:
    # Text is entities already, or not: the converter does both.
    inside = html.escape(html.unescape(element.text or ""))
    for child in element:
        inside += _written(child) + html.escape(html.unescape(child.tail or ""))
    if element.tag not in ELEMENTS:
        return inside
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _VALUE.fullmatch(value)
    )
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"
