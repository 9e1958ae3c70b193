"""What the README says is so."""

import json
import re
import tomllib

import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.docs.pages import anchors, without_blocks
from tests.rehearsal import LESSONS

README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS_A_MINUTE = 250


def prose(text):
    """What a person reads word by word: no code blocks, tables, pictures, or addresses."""
    text = without_blocks(text)
    text = re.sub(r"<!--.*?-->|<img[^>]*>", "", text, flags=re.DOTALL)
    text = re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", text)


def test_it_is_read_in_two_minutes():
    assert len(prose(README).split()) <= 2 * WORDS_A_MINUTE


def test_the_first_five_lines_say_what_it_is_and_for_whom():
    _, opening, *_ = README.split("\n\n")
    lines = opening.splitlines()
    assert len(lines) == 5
    for word in ("course", "network", "mistake", "nbgrader", "students", "instructors", "authors"):
        assert word in opening


def test_it_has_a_way_for_everybody():
    headings = [line.removeprefix("## ") for line in README.splitlines() if line[:3] == "## "]
    assert headings[:3] == ["Two commands", "Your path", "Lessons"]
    assert "What is not there yet" in headings
    for person in ("Student", "Instructor", "Author", "Operator"):
        assert f"**{person}.**" in README


@pytest.mark.parametrize("name", ["lesson.png", "graded_class.png", "gallery.jpg"])
def test_pictures_are_light_and_described(name):
    path = ROOT / "docs" / "pictures" / name
    assert path.stat().st_size < 150_000
    with Image.open(path) as picture:
        assert picture.format == {".png": "PNG", ".jpg": "JPEG"}[path.suffix]
        assert picture.width >= 600
    alt = re.search(rf'<img src="docs/pictures/{name}"[^>]* alt="([^"]*)"', README)[1]
    assert len(alt) >= 80


def test_the_picture_of_the_lesson_can_be_made_again():
    notebook = (ROOT / "solutions" / "02_convolution" / "02_convolution.ipynb").read_text("utf-8")
    script = (ROOT / "docs" / "make_pictures.py").read_text(encoding="utf-8")
    for name in ("FIRST", "NEXT"):
        assert re.search(rf'^{name} = "(.+)"$', script, re.MULTILINE)[1] in notebook


def test_the_results_have_a_place():
    assert re.search(
        r"^<!-- results: 01_mlp_and_cnn -->\n.+\n<!-- /results -->$",
        README,
        re.MULTILINE | re.DOTALL,
    )


def points(name):
    cells = json.loads((ROOT / "lessons" / name / f"{name}.ipynb").read_bytes())["cells"]
    return sum(cell["metadata"].get("nbgrader", {}).get("points", 0) for cell in cells)


@pytest.mark.parametrize("name", LESSONS)
def test_lessons_stand_there_with_their_budgets(name):
    """Time, memory and points are those that the lesson itself states."""
    source = (ROOT / "solutions" / name / f"{name}.py").read_text(encoding="utf-8")
    source = re.sub(r"\s+#?\s*", " ", source[:5000])
    (row,) = (line for line in README.splitlines() if line.startswith(f"| [{name[:2]} · "))
    if not re.search(r"\*\*Budget\*\*[^.]*?\d+ (s|seconds)\b", source):
        assert "in progress" in row, "the lesson itself states no time yet"
        return
    title, before, seconds, memory, download, total = (
        cell.strip() for cell in row.strip("|").split("|")
    )
    assert before
    assert f"{name[:2]} · " in title
    assert re.search(rf"\b{seconds.removesuffix(' s')} (s|seconds)\b", source), seconds
    assert memory in source
    assert download == "none" or download in source
    assert float(total) == points(name)


def test_figures_that_others_decide():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = [item.rsplit(" ", 1)[1] for item in project["classifiers"] if "Python :: 3." in item]
    assert f"Python {versions[0]}–{versions[-1]}" in README
    with (ROOT / "tests" / "classes" / "02_convolution.toml").open("rb") as file:
        students = tomllib.load(file)["student"]
    assert f"a class of {len(students)} invented students" in README
    assert f"{len(students)} graded students" in README


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/instructor.md"])
def test_whoever_publishes_is_warned(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    (warning,) = re.findall(r"^> \[!WARNING\]\n((?:> .*\n)+)", text, re.MULTILINE)
    assert "`solutions/`" in warning
    assert "publish" in warning
    assert "history" in warning


def test_what_isolation_does_not_promise_is_told():
    assert "how-far-to-trust-a-mark" in anchors(
        (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
    )
    assert "docs/isolation.md" in README
    page = (ROOT / "docs" / "isolation.md").read_text(encoding="utf-8")
    assert "what-it-does-not-promise" in anchors(page)
