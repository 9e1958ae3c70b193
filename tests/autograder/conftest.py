"""What tests of grading share: one cluster, so that not every test starts workers."""

import pytest


@pytest.fixture(scope="session")
def cluster():
    """Two slots on this machine."""
    from autograder.workers.cluster import Cluster, Place

    with Cluster(Place(workers=2)) as cluster:
        yield cluster
