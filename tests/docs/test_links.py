"""Links lead somewhere, and no document knows the machine it was written on."""

import re
from urllib.parse import unquote

import pytest

from tests.conftest import ROOT
from tests.docs.pages import anchors, documents, without_blocks

NAMES = [str(path.relative_to(ROOT)) for path in documents()]
LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)|<(?:img|a)\b[^>]*?(?:src|href)=\"([^\"]+)\"")
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp|mnt)/\w|[A-Z]:\\Users")


def links(text):
    prose = re.sub(r"`[^`\n]*`", "", without_blocks(text))
    return [first or second for first, second in LINK.findall(prose)]


def test_the_documents_are_found():
    assert {"README.md", "CONTRIBUTING.md", "docs/glossary.md", "tests/README.md"} <= set(NAMES)
    assert "docs/pictures/lesson.png" in links((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / unquote(place)).resolve() if place else path
        assert target.exists(), f"{name}: {link}"
        assert target.is_relative_to(ROOT), f"{name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{name}: {link}"


@pytest.mark.parametrize("name", NAMES)
def test_no_document_names_a_machine(name):
    assert not MACHINE.search((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_have_words(name):
    text = without_blocks((ROOT / name).read_text(encoding="utf-8"))
    for alt in re.findall(r"!\[([^\]]*)\]\(", text):
        assert len(alt) >= 20
    for tag in re.findall(r"<img\b[^>]*>", text):
        assert re.search(r'\balt="[^"]{20,}"', tag)


def test_every_page_can_be_found_from_the_readme():
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found or not page.is_file():
            continue
        found.add(page)
        for link in links(page.read_text(encoding="utf-8")):
            place = link.partition("#")[0]
            if place.endswith(".md") and ":" not in place:
                waiting.append((page.parent / place).resolve())
    assert set(documents()) <= found
