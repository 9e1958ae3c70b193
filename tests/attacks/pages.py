"""Look for script, and for anything fetched from outside, that a student put into a page."""

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.attacks.course import Course

# Attributes whose address a browser fetches or follows without being asked.
_FETCHED = {
    "src", "srcset", "data", "poster", "background", "action", "formaction", "xlink:href", "srcdoc",
    "ping",
}  # fmt: skip
_ADDRESS = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_SCRIPT = re.compile(r"[\s\x00-\x20]*(?:java|vb)\s*script\s*:|\s*data:text/html", re.IGNORECASE)
_FORBIDDEN = {
    "script", "iframe", "object", "embed", "form", "base", "meta", "link", "style", "frame",
    "frameset", "applet", "portal",
}  # fmt: skip


class _Reader(HTMLParser):
    def __init__(self, mark: str) -> None:
        super().__init__(convert_charrefs=True)
        self.mark = mark
        self.found: list[str] = []
        self._raw: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._raw = tag if tag in ("script", "style") else None
        values = {name.lower(): value or "" for name, value in attributes}
        marked = any(self.mark in value for value in values.values())
        if tag in _FORBIDDEN and marked:
            self.found.append(f"<{tag}>")
        for name, value in values.items():
            if self.mark not in value:
                continue
            if name.startswith("on"):
                self.found.append(f"<{tag} {name}=…>")
            if _SCRIPT.match(value):
                self.found.append(f"<{tag} {name}=script>")
            outside = _ADDRESS.match(value)
            if outside and (name in _FETCHED or (name == "href" and tag != "a")):
                self.found.append(f"<{tag} {name}> fetches from outside")
            if name == "style" and re.search(r"url\s*\(|expression|position", value):
                self.found.append(f"<{tag} style> reaches outside")

    def handle_data(self, data: str) -> None:
        if self._raw and self.mark in data:
            self.found.append(f"<{self._raw}>")

    def handle_endtag(self, tag: str) -> None:
        self._raw = None


def problems(page: str, mark: str) -> list[str]:
    """What an attack got into a page; everything that it writes there holds its mark.

    Returns
    -------
    list of str
        One short phrase for each script, handler, form, style, or address that is fetched.
    """
    reader = _Reader(mark)
    reader.feed(page)
    reader.close()
    return list(dict.fromkeys(reader.found))


def formgrader_page(course: "Course", assignment: str, student: str) -> str:
    """The page on which an instructor marks this submission, as the formgrader makes it."""
    import warnings
    from pathlib import Path

    import nbgrader.server_extensions.formgrader as formgrader
    from nbconvert.exporters import HTMLExporter

    from autograder.configuration import load_course

    path = course.root / "autograded" / student / assignment / f"{assignment}.ipynb"
    if not path.is_file():
        return ""
    config = load_course(course.root)
    templates = Path(formgrader.__file__).parent / "templates"
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [str(templates)]
    names = (
        "assignment_id", "notebook_id", "submission_id", "base_url", "student", "last_name",
        "first_name", "notebook_path",
    )  # fmt: skip
    resources = {**dict.fromkeys(names, ""), "index": 0, "total": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exporter = HTMLExporter(config=config)
        text, _ = exporter.from_filename(str(path), resources=resources)
    return text
