"""Make HTML from what a page is to say: templates, code in colours, texts of students.

Pages stand alone: their style is inside, no script is, and nothing is fetched. A policy in the page
itself tells browsers to keep it so, whatever a student's text may have brought along.
"""

import datetime
import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from autograder.gradebook.notices import WITHOUT_SANDBOX
from autograder.reports.feedback import Feedback
from autograder.reports.formulas import with_formulas
from autograder.reports.markup import clean_html

MARK = "autograder-feedback"
_HEAD = 2_000  # bytes of a page in which its digest stands
_DIGEST = '<meta name="{}" content="([0-9a-f]{{64}})">'
_CODE = re.compile(r"`([^`]+)`")
_ANCHOR = re.compile(r"\s(?:class|id)=\"[^\"]*\"")


def feedback_page(feedback: Feedback, digest: str) -> str:
    """Make a student's page.

    Parameters
    ----------
    feedback : Feedback
        What it says.
    digest : str
        64 hexadecimal digits that name what it was made from.
    """
    template = _environment().get_template("feedback.html.j2")
    return template.render(page=feedback, digest=digest, without_sandbox=WITHOUT_SANDBOX)


def page(template: str, **content: Any) -> str:
    """Make another page from a template of this package."""
    return _environment().get_template(template).render(**content)


def digest_on(path: Path, mark: str = MARK) -> str | None:
    """Digest that a page carries; empty if it is another's page, None if there is none."""
    try:
        with path.open("rb") as file:
            found = re.search(_DIGEST.format(mark).encode(), file.read(_HEAD))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.group(1).decode() if found else ""


@functools.cache
def edition() -> str:
    """Digest of whatever in this package decides how a page looks."""
    here = Path(__file__).parent
    hashed = hashlib.sha256()
    for path in sorted([*here.glob("*.py"), *(here / "templates").iterdir()]):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        code=code, inline=inline, markdown=markdown, lesson_markdown=lesson_markdown,
        points=points, moment=moment, span=span,
    )  # fmt: skip
    return environment


def points(value: float) -> str:
    """Write points with as many digits as they need, two at most."""
    text = f"{round(value, 2):.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def moment(when: datetime.datetime) -> str:
    """Write a time of the gradebook, which is in UTC."""
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def span(seconds: float) -> str:
    """Write a time span in its two largest units."""
    minutes = max(1, round(seconds / 60))
    days, hours = divmod(minutes // 60, 24)
    parts = ((days, "day"), (hours, "hour"), (minutes % 60, "minute"))
    shown = [f"{count} {unit}{'s' * (count != 1)}" for count, unit in parts if count]
    return " ".join(shown[:2])


def code(source: str, language: str = "python") -> Markup:
    """Colour code; what is no language of Pygments stays black."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    # Pygments escapes the text, and this is all the markup that it adds: <span class="…">.
    return Markup(highlight(source, lexer, HtmlFormatter(nowrap=True)))


def inline(text: str) -> Markup:
    """Plain text with `code` and $formulas$ in it."""
    return Markup(with_formulas(_CODE.sub(r"<code>\1</code>", str(escape(text)))))


def markdown(text: str, attachments: Mapping[str, Any] | None = None) -> Markup:
    """Render Markdown that may be anybody's: HTML in it is shown as text, and all is cleaned.

    Classes and ids go as well, so that nothing can dress up as a part of the page.

    Parameters
    ----------
    text : str
        Markdown.
    attachments : mapping, optional
        Pictures by name, as notebooks keep them.
    """
    return _markdown(text, escape=True, attachments=dict(attachments or {}))


@functools.lru_cache(maxsize=200)
def lesson_markdown(text: str) -> Markup:
    """Render Markdown of a lesson, whose HTML means something; it is cleaned all the same."""
    return _markdown(text, escape=False)


def _markdown(text: str, **options: Any) -> Markup:
    renderer = IPythonRenderer(exclude_anchor_links=True, **options)
    made = clean_html(MarkdownWithMath(renderer=renderer).render(text))
    return Markup(with_formulas(_ANCHOR.sub("", made)))
