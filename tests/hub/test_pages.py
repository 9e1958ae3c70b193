"""The formgrader in a browser: nothing of a student's runs, nothing is fetched from elsewhere."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.grading import grade
from tests.attacks.families.markup_in_output import VECTORS
from tests.playground.browser import Seen, chromium_found, driver

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]
NAME = "01_toy"
TOKEN = "formgrader-test"
# The same course as nbgrader has it, but for how it is graded: the negative control.
UNPROTECTED = """
import os
c.HTMLExporter.sanitize_html = False
c.HTMLExporter.preprocessors = []
c.HTMLExporter.filters = {}
c.SanitizeHTML.enabled = False
os.environ.pop("JUPYTER_PATH", None)
"""


def vectors():
    """Pieces of markup that call ``alert`` or fetch something, each with its number."""
    names = {}
    exec(VECTORS.strip(), names)
    found = [
        *names["VECTORS"],
        "<a href='page.html'>see</a>",
        "<a href='/formgrader/'>see</a>",
        "<svg><script>alert(1)</script></svg>",
        "<img srcset='http://canary.example/$MARK 2x'>",
        "<input autofocus onfocus='alert(1)'>",
        "<video poster='http://canary.example/$MARK'><source onerror='alert(1)' src=x></video>",
        "$\\text{<img src=x onerror=alert(1)>}$",
        "$\\href{javascript:alert(1)}{x}$",
    ]
    return [text.replace("$MARK", f"m{number}") for number, text in enumerate(found)]


def hostile(notebook, texts):
    """Put the vectors into outputs, text cells, attachments and metadata of a graded notebook."""
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["reading"]["source"] = "\n\n".join(texts)
    outputs = cells["test_half"]["outputs"] = []
    for text in texts:
        outputs += [
            {"output_type": "display_data", "metadata": {}, "data": {kind: text}}
            for kind in ("text/html", "image/svg+xml", "text/markdown", "text/latex")
        ]
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    bad = 'x" onerror="alert(1)" title="'
    outputs += [
        {"output_type": "display_data", "data": {kind: bad}, "metadata": {kind: {"width": bad}}}
        for kind in ("image/png", "image/jpeg")
    ]
    outputs += [
        {"output_type": "display_data", "metadata": {}, "data": {
            "application/javascript": "alert(1)", "text/plain": "x"}},
        {"output_type": "error", "ename": texts[0], "evalue": texts[1],
         "traceback": [f"\x1b[31m{text}" for text in texts]},
    ]  # fmt: skip
    notebook["metadata"]["title"] = "</title><script>alert(1)</script>"
    notebook["metadata"]["language_info"] = {
        "name": texts[0], "pygments_lexer": '"><script>alert(1)</script>',
    }  # fmt: skip
    cells["double"]["metadata"]["tags"] = [bad]
    return notebook


@pytest.fixture(scope="module")
def graded(built_once, tmp_path_factory):
    """The toy course with one hostile submission, graded, and shown after that."""
    import shutil

    course = tmp_path_factory.mktemp("pages") / "course"
    shutil.copytree(built_once, course)
    folder = course / "submitted" / "ada" / NAME
    folder.mkdir(parents=True)
    shutil.copy(course / "solutions" / NAME / f"{NAME}.ipynb", folder)
    (folder / "page.html").write_text("<script>alert(1)</script>")
    (folder / "picture.svg").write_text(
        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    )
    (folder / "<img src=x onerror=alert(1)>.csv").write_text("1")
    (folder / "data.csv").write_text("1")
    (row,) = grade(course, NAME)
    assert row.student == "ada"
    path = course / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    notebook = hostile(json.loads(path.read_bytes()), vectors())
    path.chmod(0o644)
    path.write_text(json.dumps(notebook))
    return course


@contextlib.contextmanager
def formgrader(course):
    """A Jupyter server in the course; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    environment.pop("JUPYTER_PATH", None)
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--port={port}",
         f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0", "--allow-root"],
        cwd=course, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=60).close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)


# Whatever a person could touch; links to elsewhere are not followed.
_TOUCH = """() => {
  document.addEventListener('click', event => {
    const link = event.target.closest('a');
    if (link && /^https?:/.test(link.getAttribute('href') || '')) event.preventDefault();
  }, true);
  for (const each of document.querySelectorAll('#notebook-container *')) {
    if (each.closest('.panel-heading, .panel-footer')) continue;
    each.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
    if (each.click) each.click();
  }
}"""


def looked_at(course, picture=None, *, protected=True):
    """Open the page of the hostile submission; what ran, and what went wrong."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        found = gradebook.find_submission_notebook(NAME, NAME, "ada").id
    ran = []
    with formgrader(course) as address, driver() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_found(), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(
            viewport={"width": 1280, "height": 1600},
            extra_http_headers={"Authorization": f"token {TOKEN}"},
        )
        page = context.new_page()
        seen = Seen()
        seen.watch(page)
        page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
        page.goto(f"{address}/formgrader/submissions/{found}/")
        page.wait_for_timeout(2_000)
        if not protected:
            # Whatever a student likes has happened to this page: no more is asked of it.
            browser.close()
            return ran, seen
        page.wait_for_selector("#notebook-container")
        if picture:
            page.screenshot(path=picture, full_page=True)
        shown = page.inner_text("#notebook-container")
        formulas = page.locator("math").count()
        # A mark given by hand is kept.
        box = page.locator("input.score").last
        box.fill("0.5")
        box.press("Tab")
        page.wait_for_timeout(1_000)
        page.reload()
        page.wait_for_selector("#notebook-container")
        page.wait_for_timeout(1_000)
        points = page.locator("input.score").last.input_value()
        with contextlib.suppress(Exception):
            page.evaluate(_TOUCH)
            page.wait_for_timeout(1_000)
        statuses = {}
        for name in ("page.html", "picture.svg", "data.csv"):
            answer = context.request.get(f"{address}/formgrader/submissions/{found}/{name}")
            statuses[name] = answer.status
        browser.close()
    return ran, seen, shown, formulas, statuses, points


def test_no_script_of_a_student_runs_in_the_formgrader(graded):
    if chromium_found() is None:
        pytest.skip("no chromium here: install Debian's package chromium (see tests/README.md)")
    picture = os.environ.get("HUB_SCREENSHOTS")
    picture = str(Path(picture) / "formgrader_hostile.png") if picture else None
    assert len(vectors()) >= 16
    ran, seen, shown, formulas, statuses, points = looked_at(graded, picture)
    assert ran == []
    assert seen.elsewhere == []
    # Two pictures are none; all that the formgrader itself does works.
    assert set(seen.console_errors) == {"Failed to load resource: net::ERR_INVALID_URL"}
    assert points == "0.5"
    # The page is whole: what was answered and what was tested stands there.
    assert "def double(number)" in shown
    assert "exercise.score()" in shown
    assert formulas >= 1
    # Files that a browser would run are not served; others are.
    assert statuses == {"page.html": 404, "picture.svg": 404, "data.csv": 200}
    config = graded / "nbgrader_config.py"
    whole = config.read_text()
    try:
        config.write_text(whole + UNPROTECTED)
        ran, seen = looked_at(graded, protected=False)
    finally:
        config.write_text(whole)
    assert ran
    assert seen.elsewhere
