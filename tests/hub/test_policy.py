"""The policy: what cannot be handed in, collected or shown, whichever way people are told apart."""

import html
import json
import logging
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from traitlets.config import Config

from autograder import policy
from autograder.configuration import load_course
from autograder.exchange.identity import ONE_USER, PODS, SYSTEM_USERS
from autograder.reports.formulas import FormulaError, mathml, with_formulas
from autograder.reports.markup import clean_html, strip_files_prefix
from tests.conftest import write_course

NAME = "01_toy"
EARLY = "2026-01-10 11:00:00.000000 UTC"
ME = pwd.getpwuid(os.getuid()).pw_name
AS_ROOT = os.geteuid() == 0
NOBODY = 65534


class Exchange:
    """An exchange, seen by the instructor and by students."""

    def __init__(self, course: Path, root: Path, identity: str) -> None:
        self.course, self.root, self.identity = course, root, identity
        self.log: list[str] = []
        self._logger = logging.Logger("exchange")
        handler = logging.Handler()
        handler.emit = lambda record: self.log.append(f"{record.levelname}: {record.getMessage()}")
        self._logger.addHandler(handler)

    @property
    def inbound(self) -> Path:
        return self.root / "toy" / "inbound"

    def do(self, step: str, *, root: Path | None = None, folder: Path | None = None, **options):
        """Run one step, as nbgrader's commands do."""
        if folder is None:
            config = load_course(self.course)
        else:
            config = Config()
            config.CourseDirectory.course_id = "toy"
            config.Exchange.assignment_dir = str(folder)
            config.Exchange.cache = str(folder / "cache")
        policy.use_exchange(config, root or self.root, identity=self.identity)
        course = CourseDirectory(config=config, assignment_id=NAME)
        factory = ExchangeFactory(config=config)
        part = getattr(factory, step)(
            coursedir=course, authenticator=Authenticator(config=config), config=config
        )
        part.log = self._logger
        for name, value in options.items():
            setattr(part, name, value)
        part.start()
        return part

    def enter(self, student: str, *, inbound: Path | None = None, when=EARLY, text="{}") -> Path:
        """Put an entry into the exchange by hand, as anybody can."""
        entry = (inbound or self.inbound) / f"{student}+{NAME}+{when}+xyz"
        entry.mkdir(parents=True)
        (entry / f"{NAME}.ipynb").write_text(text)
        (entry / "timestamp.txt").write_text(when)
        return entry

    def collect(self, **options) -> dict[str, str]:
        """Collect; the notebooks that are in the course then."""
        self.log.clear()
        self.do("collect", **options)
        found = sorted((self.course / "submitted").glob(f"*/{NAME}/{NAME}.ipynb"))
        return {path.parts[-3]: path.read_text() for path in found}

    def said(self, word: str) -> list[str]:
        return [line for line in self.log if word in line]


@pytest.fixture
def exchange(tmp_path):
    """A function that makes an exchange into which a lesson is released."""
    course = write_course(tmp_path / "course")
    lesson = course / "lessons" / NAME
    lesson.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), lesson / f"{NAME}.ipynb")
    with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
        # Other users must be able to come this far.
        os.chmod(folder, 0o755)

        def make(identity=SYSTEM_USERS):
            made = Exchange(course, Path(folder) / "exchange", identity)
            made.do("release_assignment")
            return made

        yield make


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_releasing_makes_cannot_be_renamed(exchange):
    made = exchange()
    assert mode(made.root) == 0o1777
    assert mode(made.inbound) & 0o1777 == 0o1733
    assert mode(made.root / "toy") == mode(made.root / "toy" / "outbound") == 0o755
    if not AS_ROOT:
        return
    honest = made.enter(ME)
    attempts = (
        f"os.rename({str(made.root / 'toy')!r}, {str(made.root / 'old')!r})",
        f"os.rename({str(honest)!r}, {str(made.inbound / 'gone')!r})",
        f"open({str(honest / 'more.py')!r}, 'w')",
        f"os.listdir({str(made.inbound)!r})",
    )
    for attempt in attempts:
        done = subprocess.run(
            [sys.executable, "-S", "-c", f"import os; os.setuid({NOBODY}); {attempt}"],
            capture_output=True,
            text=True,
        )
        assert "PermissionError" in done.stderr, attempt
    # Negative control: with nbgrader's own modes, the first of these succeeds.
    made.root.chmod(0o777)
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import os; os.setuid({NOBODY}); {attempts[0]}"]
    )
    assert done.returncode == 0
    (made.root / "old").rename(made.root / "toy")
    # And the next step of the instructor's mends it.
    assert made.collect() == {ME: "{}"}
    assert mode(made.root) == 0o1777


def test_the_whole_way_with_nbgrader_s_own_names(exchange, tmp_path):
    made = exchange()
    made.do("fetch_assignment", folder=tmp_path)
    assert (tmp_path / NAME / f"{NAME}.ipynb").is_file()
    made.do("submit", folder=tmp_path)
    (entry,) = made.inbound.iterdir()
    assert entry.name.startswith(f"{ME}+{NAME}+")
    assert mode(entry) == 0o755
    assert set(made.collect()) == {ME}


def test_each_forgery_is_named_and_the_honest_are_collected(exchange, tmp_path):
    made = exchange()
    honest = made.enter(ME, text='{"honest": 1}')
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (honest / "link.txt").symlink_to(secret)
    (honest / "linked").symlink_to(tmp_path)
    os.link(honest / f"{NAME}.ipynb", made.inbound / "elsewhere")
    (honest / "second.csv").write_text("1")
    os.link(honest / "second.csv", honest / "third.csv")
    os.unlink(made.inbound / "elsewhere")
    os.mkfifo(honest / "pipe")
    with (honest / "huge.bin").open("wb") as file:
        file.truncate(3_000_000_000)
    foreign = []
    if AS_ROOT:
        (honest / "planted.csv").write_text("not mine")
        os.chown(honest / "planted.csv", NOBODY, NOBODY)
        os.mknod(honest / "device", 0o644 | stat.S_IFCHR, os.makedev(1, 5))
        foreign = ["planted.csv", "device"]
    made.enter("ada")  # mine, but it says that it is hers
    made.enter("..")
    made.enter("<img src=x onerror=alert(1)>")
    (made.inbound / f"{ME}+{NAME}+2026-02-01 10:00:00.000000 UTC+abc").symlink_to(tmp_path)
    (made.inbound / f"ben+{NAME}+{EARLY}+abc").write_text("a file")
    assert made.collect() == {ME: '{"honest": 1}'}
    folder = made.course / "submitted" / ME / NAME
    assert sorted(path.name for path in folder.iterdir()) == [
        ".autograder_record.json", f"{NAME}.ipynb", "timestamp.txt",
    ]  # fmt: skip
    for refused in ("link.txt", "linked", "second.csv", "third.csv", "pipe", "huge.bin", *foreign):
        assert len(made.said(f"left out '{refused}'")) == 1, refused
    assert len(made.said(f"named as ada's, but {ME} handed it in")) == 1
    assert len(made.said("no name")) == 2
    assert len(made.said("it is a link, not a folder")) == 1
    assert len(made.said("it is no folder")) == 1


def test_what_was_collected_stays(exchange):
    made = exchange()
    made.enter(ME, text='{"first": 1}')
    made.collect()
    later = made.enter(ME, when="2026-01-11 11:00:00.000000 UTC", text='{"second": 2}')
    os.utime(later)
    for options in ({}, {"before_duedate": True}):
        assert made.collect(**options) == {ME: '{"first": 1}'}
        assert len(made.said("Kept what was collected")) == 1
    assert made.collect(update=True) == {ME: '{"second": 2}'}


def test_an_update_that_fails_leaves_the_old_one(exchange, monkeypatch):
    made = exchange()
    made.enter(ME, text='{"first": 1}')
    made.collect()
    made.enter(ME, when="2026-01-11 11:00:00.000000 UTC", text='{"second": 2}')

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autograder.exchange.collect.times.write_record", full)
    assert made.collect(update=True) == {ME: '{"first": 1}'}
    assert len(made.said("not collected: [Errno 28]")) == 1
    assert [path.name for path in (made.course / "submitted" / ME).iterdir()] == [NAME]


def test_a_replaced_course_folder_is_noticed(exchange, tmp_path):
    made = exchange()
    made.enter(ME)
    real = made.root / "real"
    (made.root / "toy").rename(real)
    (made.root / "toy").symlink_to(real)
    with pytest.raises(ExchangeError, match="it is a link to another place"):
        made.collect()
    (made.root / "toy").unlink()
    if AS_ROOT:
        shutil.copytree(real, made.root / "toy")
        os.chown(made.root / "toy", NOBODY, NOBODY)
        with pytest.raises(ExchangeError, match="somebody has replaced it"):
            made.collect()
        shutil.rmtree(made.root / "toy")
    with pytest.raises(ExchangeError, match="Course not found"):
        made.collect()


def test_pods_are_told_apart_by_folder(exchange, tmp_path, monkeypatch):
    """All have one user id: what a pod's view of the volume is named decides."""
    made = exchange(PODS)
    for student in ("ada", "ben"):
        # What the cluster mounts into a student's pod.
        view, own = tmp_path / student / "exchange", made.root / "toy" / f"inbound-{student}"
        own.mkdir()
        (made.root / "toy" / f"feedback-{student}").mkdir()
        (view / "toy").mkdir(parents=True)
        (view / "toy" / "outbound").symlink_to(made.root / "toy" / "outbound")
        (view / "toy" / "inbound").symlink_to(own)
        (view / "toy" / "feedback").symlink_to(made.root / "toy" / f"feedback-{student}")
        view.chmod(0o555)
        monkeypatch.setenv("JUPYTERHUB_USER", student)
        work = tmp_path / student
        made.do("fetch_assignment", root=view, folder=work)
        made.do("submit", root=view, folder=work)
    forged = made.enter("ada", inbound=made.root / "toy" / "inbound-ben", text='{"forged": 1}')
    os.utime(forged)
    collected = made.collect()
    assert set(collected) == {"ada", "ben"}
    assert "forged" not in collected["ada"]
    assert len(made.said("named as ada's, but ben handed it in")) == 1

    for student in ("ada", "ben"):
        pages = made.course / "feedback" / student / NAME
        pages.mkdir(parents=True)
        (pages / f"{NAME}.html").write_text(f"for {student}")
        for record in ("timestamp.txt", "submission_secret.txt"):
            shutil.copy(made.course / "submitted" / student / NAME / record, pages)
    made.do("release_feedback")
    shown = {
        path.name: [page.read_text() for page in path.iterdir()]
        for path in (made.root / "toy").glob("feedback-*")
    }
    assert shown == {"feedback-ada": ["for ada"], "feedback-ben": ["for ben"]}
    monkeypatch.setenv("JUPYTERHUB_USER", "ben")
    made.do("fetch_feedback", root=tmp_path / "ben" / "exchange", folder=tmp_path / "ben")
    (page,) = (tmp_path / "ben" / NAME / "feedback").rglob("*.html")
    assert page.read_text() == "for ben"


def test_one_user_is_who_the_hub_says(exchange, tmp_path, monkeypatch):
    made = exchange(ONE_USER)
    made.do("fetch_assignment", folder=tmp_path)
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    with pytest.raises(ExchangeError, match="JUPYTERHUB_USER is not set"):
        made.do("submit", folder=tmp_path)
    monkeypatch.setenv("JUPYTERHUB_USER", "cleo")
    made.do("submit", folder=tmp_path)
    assert set(made.collect()) == {"cleo"}


@pytest.mark.parametrize(
    ("root", "identity", "words"),
    [
        ("exchange", SYSTEM_USERS, "absolute path"),
        ("/srv/exchange", "uid", "choose one of system users, pods, one user"),
    ],
)
def test_a_wrong_line_of_configuration_says_what_is_wrong(root, identity, words):
    with pytest.raises(ValueError, match=words):
        policy.use_exchange(Config(), root, identity=identity)


def test_links_of_students_stay_outside_the_instructor_s_server():
    for address in (
        "page.html",
        "/hub/logout",
        "../x.svg",
        "//canary.example/x",
        "data:text/html,x",
    ):
        assert "href" not in clean_html(f"<a href='{address}'>see</a>"), address
    for address in ("https://keras.io", "#top", "mailto:ada@example.org"):
        assert f'href="{address}"' in clean_html(f"<a href='{address}'>see</a>"), address


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(//canary.example)}{x}",
        r"\color{red\" onclick=\"alert(1)}{x}",
        r"\class{a\" onclick=\"alert(1)}{x}",
        r"</math><script>alert(1)</script>",
        r"\unicode{x3c}script\unicode{x3e}",
        r"\hspace{1em\" onclick=\"alert(1)}",
    ],
)
def test_formulas_carry_no_script(tex):
    page = strip_files_prefix(f"<p>${html.escape(tex)}$</p>")
    assert "<math" in page
    for word in ("<img", "<script", "href", "style=", 'onclick="', "class="):
        assert word not in page, page


def test_formulas_need_no_script():
    page = with_formulas(
        "<p>Of $H$ remain $\\frac{H-F}{S}+1$; <code>$x$</code> costs 5 $ or 6 $.</p>"
    )
    assert page.count("<math") == 2
    assert "<mfrac>" in page
    assert "<code>$x$</code> costs 5 $ or 6 $." in page
    assert '<math display="block">' in with_formulas("$$x^2$$")


def test_what_is_no_formula_stays_as_it_is():
    for text in ("$\\frac{$", "$" + "{" * 4000 + "$", "$" + "x" * 3000 + "$"):
        assert with_formulas(text) == text
    with pytest.raises(FormulaError):
        mathml("\\sqrt" * 300)


def test_every_formula_of_the_lessons_is_shown(root):
    """None falls back to TeX: `\\\\` and dollars are gone but for those in code."""
    import re

    seen = 0
    for path in sorted((root / "lessons").glob("*/*.ipynb")):
        for cell in json.loads(path.read_bytes())["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] != "markdown" or "$" not in text:
                continue
            page = with_formulas(clean_html(re.sub(r"`[^`]*`", "", text)))
            seen += page.count("<math")
            assert "$" not in page, (path.name, page)
    assert seen > 200
