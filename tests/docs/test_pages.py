"""CONTRIBUTING, the citation, the glossary, troubleshooting, and the page about tests."""

import json
import re
import tomllib
from pathlib import Path

import nbgrader
import pytest
import yaml

from autograder.authoring import build, check
from autograder.authoring.source import read_source
from autograder.checks import close_verdict, open_verdict
from autograder.checks.verdicts import read_verdict
from autograder.configuration import CONFIG_FILE
from tests.conftest import ROOT, TOY_CONFIG
from tests.docs.pages import anchors, blocks, sections
from tests.rehearsal import LESSONS

LINES_OF_A_PAGE = 75


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


class TestContributing:
    TEXT = page("CONTRIBUTING.md")
    (LESSON,) = (block.text for block in blocks(TEXT) if block.info == "python")
    (VARIANTS,) = (block.text for block in blocks(TEXT) if block.info == "toml")

    def test_each_way_is_a_page_at_most(self):
        for name in ("Add a lesson", "Add an exercise", "Add a data set"):
            assert sections(self.TEXT, 2)[name].count("\n") <= LINES_OF_A_PAGE, name

    def test_the_lesson_builds(self, tmp_path):
        folder = tmp_path / "solutions" / "11_flips"
        folder.mkdir(parents=True)
        (folder / "11_flips.py").write_text(self.LESSON, encoding="utf-8")
        (tmp_path / "nbgrader_config.py").write_text(TOY_CONFIG, encoding="utf-8")
        assert build(tmp_path) == {"11_flips": "built"}
        assert check(tmp_path) == []
        lesson = (tmp_path / "lessons" / "11_flips" / "11_flips.ipynb").read_text(encoding="utf-8")
        assert "_image" not in lesson
        assert "YOUR CODE HERE" in lesson

    @pytest.mark.parametrize("kind", ["wrong", "right"])
    def test_the_variants_do_what_they_should(self, kind, tmp_path):
        source = tmp_path / "11_flips.py"
        source.write_text(self.LESSON, encoding="utf-8")
        cells = {cell.id: cell.source for cell in read_source(source).cells}
        (item,) = tomllib.loads(self.VARIANTS)[kind]
        names = {}
        exec(cells["setup"], names)
        exec(item["answer"], names)
        open_verdict("token", "a seed")
        exec(cells["test_flip"], names)
        (verdict,) = read_verdict(close_verdict("token"), "token")
        hints = {finding.hint_id for finding in verdict.findings}
        if kind == "wrong":
            assert (verdict.points, hints) == (0, {item["hint"]})
        else:
            assert (verdict.points, hints) == (2, set())

    def test_the_rules_are_those_of_the_tests(self):
        rules = page("tests/test_exercises.py")
        assert "wrong[exercise] >= 3" in rules
        assert "right[exercise] >= 2" in rules
        assert "three wrong answers and two right" in " ".join(self.TEXT.split())


class TestCitation:
    CONTENT = yaml.safe_load(page("CITATION.cff"))

    def test_it_has_what_the_format_requires(self):
        assert self.CONTENT["cff-version"] == "1.2.0"
        assert self.CONTENT["type"] in ("software", "dataset")
        for key in ("message", "title"):
            assert isinstance(self.CONTENT[key], str)
            assert self.CONTENT[key]
        assert all(author.get("name") for author in self.CONTENT["authors"])

    def test_it_agrees_with_the_project(self):
        project = tomllib.loads(page("pyproject.toml"))["project"]
        assert str(self.CONTENT["version"]) == project["version"]
        assert " AND ".join(self.CONTENT["license"]) == project["license"]
        credit = " ".join(page("LICENSE-TEXTS").split())
        assert f"“{self.CONTENT['title']}”".replace("“", '"').replace("”", '"')[1:-1] in credit


class TestGlossary:
    TABLES = sections(page("docs/glossary.md"), 2)

    def words(self):
        return {
            name: re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", text, re.MULTILINE)
            for name, text in self.TABLES.items()
        }

    def test_words_are_in_order_and_explained(self):
        assert sum(map(len, self.words().values())) >= 50
        for name, rows in self.words().items():
            assert len(rows) == self.TABLES[name].count("\n|") - 2, "a row is malformed"
            words = [word.casefold() for word, _ in rows]
            assert words == sorted(set(words)), name
            assert all(len(meaning.split()) >= 3 for _, meaning in rows)

    def test_lessons_that_it_refers_to_exist(self):
        numbers = set(re.findall(r"\((\d\d)\)", page("docs/glossary.md")))
        assert numbers <= {name[:2] for name in LESSONS}

    def test_words_of_the_lesson_are_in_it(self):
        known = {word for rows in self.words().values() for word, _ in rows}
        words = ("window", "kernel", "bias", "filter", "depth", "stride", "padding", "feature map")
        assert set(words) <= known


@pytest.fixture(scope="module")
def sources():
    """Everything that may print a message: the Makefile, this project, nbgrader."""
    files = [ROOT / "Makefile"]
    for folder in (ROOT / "autograder", ROOT / "data_scripts", Path(nbgrader.__file__).parent):
        files += [path for path in folder.rglob("*.py") if "tests" not in path.parts]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    # Join strings that stand in several lines.
    text = re.sub(r"[\"']\s*\n\s*f?[\"']", "", text)
    return text.replace("`", "").replace("{CONFIG_FILE}", CONFIG_FILE)


class TestTroubleshooting:
    """A message that somebody searches for must be one that is really shown."""

    HEADINGS = tuple(sections(page("docs/troubleshooting.md"), 3))
    MESSAGES = tuple(
        message for heading in HEADINGS for message in re.findall(r"`([^`]*\s[^`]*)`", heading)
    )
    # TensorFlow writes this one from compiled code.
    NOT_IN_PYTHON = ("oneDNN custom operations are on",)

    def test_there_are_enough(self):
        assert len(self.HEADINGS) >= 25
        assert len(self.MESSAGES) >= 20

    @pytest.mark.parametrize("message", MESSAGES)
    def test_message_is_shown_by_something(self, message, sources):
        if message in self.NOT_IN_PYTHON:
            return
        for fragment in message.split("…"):
            assert fragment.strip() in sources, fragment

    def test_every_page_that_it_names_is_there(self):
        assert "windows-and-macos" in anchors(page("README.md"))
        assert "without-an-exchange" in anchors(page("docs/instructor.md"))


class TestPageAboutTests:
    TEXT = page("tests/README.md")
    SKIP = re.compile(
        r"pytest\.skip\(\s*[\"'](?P<reason>[^\"']+)"
        r"|(?P<module>importorskip\([\"']\w+[\"'])"
        r"|skipif\((?P<condition>[^\n]*(?:\n(?!\n)[^\n]*)*?)\n\n",
    )

    def skips(self):
        for path in sorted((ROOT / "tests").rglob("*.py")):
            if path == Path(__file__):
                continue
            for found in self.SKIP.finditer(path.read_text(encoding="utf-8") + "\n\n"):
                if found["condition"]:
                    reason = re.search(r"reason=[\"']([^\"']+)", found["condition"])
                    assert reason, f"{path}: skipif without a reason"
                    yield path, reason[1]
                elif found["module"]:
                    yield path, found["module"].replace("'", '"') + ")"
                else:
                    yield path, found["reason"]

    def test_every_skip_is_listed(self):
        listed = re.findall(r"`([^`]+)`", sections(self.TEXT, 2)["Every possible skip"])
        found = list(self.skips())
        assert len(found) >= 5
        for path, reason in found:
            assert any(reason.startswith(item) for item in listed), f"{path}: {reason}"

    def test_every_listed_skip_exists(self):
        rows = re.findall(r"^\|.*\|(.*)\|$", sections(self.TEXT, 2)["Every possible skip"], re.M)
        reasons = [reason for _, reason in self.skips()]
        for cell in rows[2:]:
            for item in re.findall(r"`([^`]+)`", cell):
                assert any(reason.startswith(item) for reason in reasons), item

    def test_every_file_and_folder_is_described(self):
        described = " ".join(re.findall(r"^\| (`.*?) \|", self.TEXT, re.MULTILINE))
        helpers = {"environment_files.py", "__init__.py", "README.md"}
        for item in sorted((ROOT / "tests").iterdir()):
            if item.name in helpers or item.name.startswith((".", "__")):
                continue
            name = item.name + ("/" if item.is_dir() else "")
            assert f"`{name}`" in described, name


def test_the_demo_folder_is_ignored():
    assert "/demo_class/" in page(".gitignore").splitlines()
    assert json.dumps("demo_class").strip('"') in page("Makefile")
