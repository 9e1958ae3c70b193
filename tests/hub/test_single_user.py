"""What each person's server gets: the landing, the look, settings by role."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application, RequestHandler

from hub.single_user import landing, pages, roles
from tests.conftest import ROOT

WIDGET = "nbgrader-assignment-list:nbgrader-assignment-list"
PAGE = b"<html><head><title>t</title></head><body class='x'><p>text</p></body></html>"


class Page(RequestHandler):
    def get(self, kind):
        self.set_header(
            "Content-Type", {"page": "text/html; charset=UTF-8"}.get(kind, "text/plain")
        )
        self.write(PAGE)


class TestServer(AsyncHTTPTestCase):
    """A server like Jupyter's, which sends pages in one piece."""

    def get_app(self):
        pages.Decorate.style, pages.Decorate.banner = "p { color: red }", "five < six"
        application = Application([(r"/(.*)", Page)])
        application.add_transform(pages.Decorate)
        return application

    def test_a_page_gets_style_and_banner(self):
        answer = self.fetch("/page")
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        assert b"<style>p { color: red }</style></head>" in answer.body
        assert b"<body class='x'><div id=\"hub-banner\"" in answer.body
        assert b"five &lt; six</div><p>text</p>" in answer.body

    def test_other_files_stay_as_they_are(self):
        answer = self.fetch("/file")
        assert answer.body == PAGE

    def test_no_second_banner_in_a_frame(self):
        framed = self.fetch("/page", headers={"Sec-Fetch-Dest": "iframe"})
        assert b"hub-banner" not in framed.body
        assert b"<style>" in framed.body

    def test_no_banner_without_words(self):
        pages.Decorate.banner = ""
        assert b"hub-banner" not in self.fetch("/page").body


def test_what_is_no_page_is_left_alone():
    assert pages.decorate(b"", "x", "y") == b""
    assert pages.decorate(b"<p>a part</p>", "x", "y") == b"<p>a part</p>"


def in_front(workspace):
    """Widget that a workspace shows first, and all that are open."""
    main = workspace["data"][landing.LAYOUT]["main"]
    areas = landing._areas(main["dock"])
    open_now = [widget for area in areas for widget in area["widgets"]]
    shown = [area["widgets"][area["currentIndex"]] for area in areas]
    return main["current"], shown, open_now


def test_a_fresh_home_lands_on_the_list(tmp_path):
    landing.land_on(landing.LIST, tmp_path)
    path = tmp_path / ".jupyter" / "lab" / "workspaces" / landing.DEFAULT_FILE
    current, shown, open_now = in_front(json.loads(path.read_text()))
    assert current == WIDGET
    assert shown == open_now == [WIDGET]
    assert json.loads(path.read_text())["metadata"]["id"] == "default"


def test_the_file_is_the_one_that_jupyterlab_reads(tmp_path):
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    landing.land_on(landing.LIST, tmp_path)
    manager = WorkspacesManager(str(tmp_path / ".jupyter" / "lab" / "workspaces"))
    assert WIDGET in manager.load("default")["data"]


def test_what_was_open_stays_open(tmp_path):
    split = {
        "type": "split-area",
        "orientation": "horizontal",
        "sizes": [0.5, 0.5],
        "children": [
            {"type": "tab-area", "currentIndex": 1, "widgets": ["notebook:a.ipynb", "notebook:b"]},
            {"type": "tab-area", "currentIndex": 0, "widgets": ["terminal:1"]},
        ],
    }
    before = {
        "data": {landing.LAYOUT: {"main": {"dock": split, "current": "terminal:1"}}, "x": {"y": 1}},
        "metadata": {"id": "default", "created": "then"},
    }
    path = tmp_path / ".jupyter" / "lab" / "workspaces" / landing.DEFAULT_FILE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(before))
    landing.land_on(landing.LIST, tmp_path)
    after = json.loads(path.read_text())
    current, shown, open_now = in_front(after)
    assert current == shown[0] == WIDGET
    assert set(open_now) == {WIDGET, "notebook:a.ipynb", "notebook:b", "terminal:1"}
    assert after["data"]["x"] == {"y": 1}
    landing.land_on(landing.LIST, tmp_path)
    assert json.loads(path.read_text()) == after


@pytest.mark.parametrize("text", ["", "no json", '{"data": {"layout-restorer:data": {"main": 3}}}'])
def test_a_workspace_that_is_not_understood_is_left_alone(tmp_path, text):
    path = tmp_path / ".jupyter" / "lab" / "workspaces" / landing.DEFAULT_FILE
    path.parent.mkdir(parents=True)
    path.write_text(text)
    landing.land_on(landing.LIST, tmp_path)
    kept = path.read_text()
    assert kept == text or json.loads(kept) == json.loads(text)


def settings_of(role, tmp_path, **more):
    """nbgrader's settings as a server of that role finds them."""
    environment = roles.environment(
        role, course="toy", exchange=tmp_path / "exchange", identity="one user", **more
    )
    program = (
        "import json; from nbgrader.apps import NbGrader; app = NbGrader(); app.load_config_file();"
        "c = app.config; print(json.dumps({'course': c.CourseDirectory, 'root': c.Exchange.root,"
        "'kind': c.Identity.kind, 'submit': c.ExchangeFactory.submit}, default=str))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, **environment, "JUPYTERHUB_USER": "ada", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_student_hands_in_under_the_name_that_the_hub_knows(tmp_path):
    found = settings_of(roles.STUDENT, tmp_path)
    assert found["course"]["student_id"] == "ada"
    assert found["course"]["course_id"] == "toy"
    assert found["root"] == str(tmp_path / "exchange")
    assert found["submit"] == "autograder.exchange.student.Submit"


def test_an_instructor_has_the_course_wherever_nbgrader_starts(tmp_path):
    course = tmp_path / "course"
    course.mkdir()
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.source_directory = 'solutions'\n"
    )
    found = settings_of(roles.INSTRUCTOR, tmp_path, course_root=course)
    assert found["course"]["root"] == str(course)
    assert found["course"]["source_directory"] == "solutions"
    assert "student_id" not in found["course"]


def test_students_have_no_formgrader():
    path = ROOT / "hub" / "single_user" / "student" / "labconfig" / "page_config.json"
    off = json.loads(path.read_text())["disabledExtensions"]
    schemas = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "@jupyter" / "nbgrader"
    assert schemas.is_dir()
    for name in ("formgrader", "create-assignment", "course-list"):
        assert off[f"@jupyter/nbgrader:{name}"] is True
        assert any(f"nbgrader:{name}" in js.read_text() for js in schemas.rglob("static/*.js"))
