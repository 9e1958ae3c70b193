"""What of a student's markup may stand on a page that others read: text, not programs.

The pages of feedback and the formgrader are made by nbconvert's templates. They call these two
filters in the place of nbconvert's own, which let pictures from other servers through and, in
feedback, do not clean text cells at all.
"""

import bleach
from nbconvert.filters.strings import strip_files_prefix as strip_prefix

from autograder.reports.formulas import with_formulas

TAGS = {
    *bleach.ALLOWED_TAGS,
    *("p", "br", "hr", "div", "span", "pre", "img", "figure", "figcaption"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "dl", "dt", "dd", "sup", "sub", "del", "ins", "kbd"),
    *("table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "details", "summary"),
}
_ANYWHERE = {"class", "id", "title", "align", "dir", "lang"}
_BY_TAG = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img" and name == "src":
        # A picture that lies elsewhere tells its owner who reads this page, and when.
        return value.strip().lower().startswith("data:image/") and "svg" not in value[:40].lower()
    if tag == "a" and name == "href":
        # An address without a host would be one of the instructor's own server: a file that was
        # handed in, or something that happens when it is asked for.
        return value.strip().lower().startswith(("http://", "https://", "mailto:", "#"))
    return name in _ANYWHERE or name in _BY_TAG.get(tag, ())


_CLEANER = bleach.Cleaner(
    tags=TAGS,
    attributes=_allowed,
    protocols={"http", "https", "mailto", "data"},
    strip=True,
)


def clean_html(markup: str | bytes) -> str:
    """Keep text, tables and embedded pictures of a piece of HTML; drop whatever runs or fetches."""
    text = markup.decode(errors="replace") if isinstance(markup, bytes) else str(markup)
    cleaned = _CLEANER.clean(text)
    # Links may lead to the network, but not carry what they would run.
    return cleaned.replace('href="data:', 'data-refused="')


def strip_files_prefix(markup: str) -> str:
    """Do what nbconvert's filter of this name does, then clean: the last step for text cells."""
    return with_formulas(clean_html(strip_prefix(markup)))
