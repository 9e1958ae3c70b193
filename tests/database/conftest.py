"""One PostgreSQL server for the tests that need one."""

import pytest

from tests.database.server import Server, find


@pytest.fixture(scope="module")
def postgresql():
    if find("initdb") is None:
        pytest.skip("PostgreSQL is not installed here")
    server = Server()
    yield server
    server.close()
