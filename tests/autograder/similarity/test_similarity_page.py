"""The page shows what is alike, safely; the command keeps what is there."""

import json
import os
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from autograder.cli import main
from autograder.similarity.comparison import Comparison, Passage
from autograder.similarity.page import Piece, pieces, write_page
from tests.autograder.similarity import planted
from tests.autograder.similarity.test_comparison import answers, others

ONE = "02_convolution"
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"&"


class Marks(HTMLParser):
    """Tags, and the text of the two sides of each cell."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.sides, self.marked, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "pre":
            self.sides.append("")
            self.marked.append("")
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "pre" in self.open:
            self.sides[-1] += data
            if "mark" in self.open:
                self.marked[-1] += data


def page(tmp_path, *texts):
    path = tmp_path / "page.html"
    write_page(Comparison(answers(*texts)), "ps1", path, most=1)
    return path.read_text(encoding="utf-8")


def test_what_students_wrote_is_shown_and_never_run(tmp_path):
    shared = "def total(numbers):\n    value = sorted(numbers)[0] ** 3\n    return value + len(x)"
    left = f"{shared}\n# {ATTACK}"
    right = f'{shared}\nname = "{ATTACK} and more"'
    text = page(tmp_path, left, right, *others(10))
    marks = Marks(text)
    assert marks.sides == [left, right]
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in marks.tags}
    assert not any(name.startswith("on") for _, about in marks.tags for name in about)
    assert "default-src 'none'" in text
    addresses = [about.get(name, "") for _, about in marks.tags for name in ("href", "src")]
    assert [item for item in addresses if item and not item.startswith("#")] == [
        "https://github.com/blingenf/copydetect"
    ]
    # No style or script from elsewhere: the address above is a link to click.
    assert "@import" not in text
    assert "url(" not in text
    for side in marks.marked:
        assert "value = sorted(numbers)[0] ** 3" in side
        assert "script" not in side


def test_the_page_says_what_it_does_not_prove(tmp_path):
    text = page(tmp_path, *others(3))
    assert "Likeness is no proof" in text
    assert "With so few submissions" in text
    assert "With so few submissions" not in page_of_many(tmp_path)


def page_of_many(tmp_path):
    path = tmp_path / "many.html"
    write_page(Comparison(answers(*others(12))), "ps1", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text(encoding="utf-8")


def test_where_passages_overlap_the_rarer_wins_and_indents_stay_blank():
    found = pieces("ab\n  cd", [Passage(0, 7, 0.1), Passage(5, 7, 0.9)])
    assert found == [Piece("ab", "common"), Piece("\n  ", ""), Piece("cd", "rare")]
    assert pieces("", []) == []


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("similar")
    planted.write_class(folder, ONE, honest=11, copies=1)
    return folder


def test_the_command(course, capsys):
    assert main(["--course", str(course), "similarity", ONE, "--most", "5"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"1 .*honest00 · zcopy00.*yes", out)
    assert "no proof" in out
    written = course / "similarity" / f"{ONE}.html"
    assert len(re.findall(r'<details class="pair"', written.read_text())) == 5
    written.write_text("mine")
    assert main(["--course", str(course), "similarity", ONE]) == 1
    assert "--force" in capsys.readouterr().err
    assert written.read_text() == "mine"
    assert main(["--course", str(course), "similarity", ONE, "--force"]) == 0
    assert written.read_text() != "mine"


def test_figures_are_the_same_in_every_process(course, capsys):
    words = ["--course", str(course), "similarity", ONE, "--json"]
    assert main(words) == 0
    here = json.loads(capsys.readouterr().out)
    done = subprocess.run(
        [sys.executable, "-m", "autograder.cli", *words],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == here
    assert here["pairs"][0]["students"] == ["honest00", "zcopy00"]
    assert here["pairs"][0]["stands_out"]
    assert {cell["cell"] for cell in here["pairs"][0]["cells"]} >= {"conv2d", "receptive_field"}


@pytest.mark.parametrize(
    ("words", "said"),
    [(["nothing"], "generate_assignment"), ([ONE, "--most", "0"], "no number of pairs")],
)
def test_wrong_usage_is_one_sentence(course, capsys, words, said):
    try:
        code = main(["--course", str(course), "similarity", *words])
    except SystemExit as stop:
        code = stop.code
    assert code in (1, 2)
    assert said in capsys.readouterr().err
