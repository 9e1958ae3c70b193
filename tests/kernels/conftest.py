"""One forkserver for the tests of a file: it knows only what every room needs."""

import pytest

from autograder.kernels import linux
from autograder.kernels.client import Forkserver


@pytest.fixture(scope="module")
def server():
    if not linux.AVAILABLE:
        pytest.skip("rooms are made of what Linux has")
    server = Forkserver(preload=())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path_factory):
    """A forkserver that a test may break."""
    if not linux.AVAILABLE:
        pytest.skip("rooms are made of what Linux has")
    # Socket paths are short.
    server = Forkserver(preload=(), folder=tmp_path_factory.mktemp("f"))
    server.start()
    yield server
    server.stop()
