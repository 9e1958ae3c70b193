"""One JupyterLab and one chromium for all tests of the playground."""

import pytest

from tests.playground.browser import chromium, chromium_found, jupyterlab, screenshots


@pytest.fixture(scope="session")
def with_chromium():
    """Skip where there is no browser."""
    if chromium_found() is None:
        pytest.skip("no chromium here: install Debian's package chromium (see tests/README.md)")


@pytest.fixture(scope="package")
def lab(tmp_path_factory, with_chromium):
    """A running JupyterLab over the playground's notebooks, with no network where possible."""
    with jupyterlab(tmp_path_factory.mktemp("jupyterlab")) as server:
        yield server


@pytest.fixture(scope="package")
def browser(lab, tmp_path_factory):
    """Chromium, beside that JupyterLab."""
    with chromium(tmp_path_factory.mktemp("chromium"), lab) as started:
        yield started


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Folder for pictures of the screen, kept if PLAYGROUND_SCREENSHOTS names one."""
    return screenshots(tmp_path_factory.mktemp("screenshots"))
