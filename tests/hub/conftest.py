"""One demo hub and one chromium for all tests of the hub, where there is no network."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from hub.demo.errors import DemoHubError
from hub.demo.node import proxy_command
from tests.conftest import ROOT, write_course
from tests.hub.apart import held
from tests.hub.demo_hub import DemoHub, browser_at
from tests.playground.browser import chromium_found

LESSON, REAL_LESSON = "01_toy", "02_convolution"
MANY = tuple(f"s{number:02}" for number in range(1, 11))


@pytest.fixture(scope="package")
def folder():
    """A folder that another user of this machine may pass; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="hub-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="package")
def course(folder):
    """A course of two finished lessons: a toy, and a real one."""
    from autograder.authoring import build

    path = write_course(folder / "course")
    build(path)
    for room in ("solutions", "lessons"):
        shutil.copytree(ROOT / room / REAL_LESSON, path / room / REAL_LESSON)
    return path


@pytest.fixture(scope="package")
def proxy(request):
    """The hub's proxy, installed once and kept for the next time."""
    path = Path(request.config.cache.mkdir("hub")) / "proxy"
    try:
        proxy_command(path)
    except DemoHubError as error:
        pytest.skip("the proxy of the hub cannot be installed here: " + str(error))
    return path


@pytest.fixture(scope="package")
def place(folder):
    """Somewhere without a network, and a plain user."""
    try:
        with held(folder / "home") as made:
            yield made
    except RuntimeError:
        pytest.skip("network namespaces are not available here")


@pytest.fixture(scope="package")
def hub(place, course, proxy):
    """The demo hub, running; its students are ada, ben and the many."""
    made = DemoHub(place, course, proxy, ("ada", "ben", *MANY))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="package")
def browser(place, folder, hub):
    """Chromium, where the hub is."""
    if chromium_found() is None:
        pytest.skip("no chromium here: install Debian's package chromium (see tests/README.md)")
    with browser_at(place, folder / "chromium") as started:
        yield started


@pytest.fixture(scope="package")
def pictures(tmp_path_factory):
    """Folder for pictures of the screen, kept if HUB_SCREENSHOTS names one."""
    path = Path(os.environ.get("HUB_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    path.mkdir(parents=True, exist_ok=True)
    return path
