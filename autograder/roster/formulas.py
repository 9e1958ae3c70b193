"""Keep spreadsheets from running text that looks like a formula.

A student may choose a name such as ``=HYPERLINK("https://…")``; Excel and its kin run such a cell
when the file is opened. The usual guard is an apostrophe in front, which marks a cell as text
(OWASP, *CSV Injection*). It changes the text, so it is never put on a value by which a learning
platform finds a student.
"""

import re

# What makes a cell a formula, its wide forms on East Asian systems included. Blanks in front do
# not help: some programs trim them.
_RISKY = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_CANVAS_GUARD = re.compile(r'="(.*)"\Z', re.DOTALL)


def risky(text: str) -> bool:
    """Whether a spreadsheet may take a text for a formula.

    Examples
    --------
    >>> risky("=1+1"), risky("Ada = Lovelace")
    (True, False)
    """
    return _RISKY.match(text) is not None


def guarded(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet may take for a formula.

    Examples
    --------
    >>> guarded("=1+1"), guarded("Ada")
    ("'=1+1", 'Ada')
    """
    return f"'{text}" if risky(text) else text


def unguarded(text: str) -> str:
    """Take a guard off again: ours, or the ``="…"`` that Canvas puts around a name.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded('="=1+1"'), unguarded("'t Hooft")
    ('=1+1', '=1+1', "'t Hooft")
    """
    if text.startswith("'") and risky(text[1:]):
        return text[1:]
    inside = _CANVAS_GUARD.match(text)
    return inside.group(1) if inside else text


def one_line(text: str) -> str:
    """Make a text safe to print: a name may hold line breaks or codes that move the cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
