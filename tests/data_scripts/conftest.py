"""A small data set and a server for it that can fail in many ways."""

import threading

import numpy as np
import pytest
from failing_server import FailingServer
from small_data import expected, noise, npz, webp

from data_scripts import catalogue, downloads
from data_scripts.catalogue import Dataset, File, Source


@pytest.fixture(scope="session")
def arrays():
    """CIFAR-10 in small: five batches of 20 pictures and a test batch of 20, noise."""
    return {
        "x_train": noise(1, 100, 32, 32, 3),
        "y_train": noise(2, 100, high=10),
        "x_test": noise(3, 20, 32, 32, 3),
        "y_test": noise(4, 20, high=10),
    }


@pytest.fixture(scope="session")
def mirror_files(arrays):
    """Contents of the small data set's mirror, in the layout of CIFAR-10's."""
    batches = np.split(arrays["x_train"], 5)
    return {
        **{f"tiny/data_batch_{i}.webp": webp(batch) for i, batch in enumerate(batches, 1)},
        "tiny/test_batch.webp": webp(arrays["x_test"]),
        # As in the real mirror, the labels have an axis more.
        "tiny/labels.npz": npz(
            y_train=arrays["y_train"][:, None], y_test=arrays["y_test"][:, None]
        ),
    }


@pytest.fixture
def tiny(arrays, mirror_files, server, monkeypatch):
    """The small data set, in the catalogue; its published source is ``server``."""
    whole = expected(arrays)
    content = npz(**arrays)
    server.files["/tiny.npz"] = content
    batches = np.split(arrays["x_train"], 5)
    holds = {
        **{
            f"tiny/data_batch_{i}.webp": expected({"x_train": batch})
            for i, batch in enumerate(batches, 1)
        },
        "tiny/test_batch.webp": {"x_test": whole["x_test"]},
        "tiny/labels.npz": {"y_train": whole["y_train"], "y_test": whole["y_test"]},
    }
    dataset = Dataset(
        name="tiny",
        title="noise",
        licence="none",
        citation="none",
        homepage="none",
        class_names=tuple("0123456789"),
        full=whole,
        quick=catalogue.MNIST.quick,
        embedded=catalogue.MNIST.embedded,
        mirror=Source(
            "COURSE_DATA_MIRROR",
            "",
            tuple(
                File(
                    path, "npz" if path.endswith("npz") else "sheet", held, len(mirror_files[path])
                )
                for path, held in holds.items()
            ),
        ),
        published=(
            Source("the server", server.address, (File("tiny.npz", "npz", whole, len(content)),)),
        ),
    )
    monkeypatch.setitem(catalogue.CATALOGUE, "tiny", dataset)
    return dataset


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    """An empty cache, no mirror, no proxy, little patience."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("COURSE_DATA_CACHE", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("COURSE_DATA_MIRROR", "COURSE_SCALE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        downloads,
        "PATIENCE",
        downloads.Patience(
            connect=2, silence=0.5, window=0.4, floor=10_000, attempts=3, pause=0.01
        ),
    )
    return folder


@pytest.fixture
def only_tiny(tiny, monkeypatch):
    """The command line without the real data sets, which take time to verify."""
    monkeypatch.setattr("data_scripts.__main__.CATALOGUE", {"tiny": tiny})
    monkeypatch.setattr("data_scripts.__main__.NETWORKS", {})
    return tiny


@pytest.fixture
def mirror(tmp_path, mirror_files, monkeypatch):
    """A mirror folder without a manifest, which ``COURSE_DATA_MIRROR`` names."""
    folder = tmp_path / "mirror"
    for path, content in mirror_files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(folder))
    return folder


@pytest.fixture
def server():
    with FailingServer() as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield serving
        serving.closing.set()
        serving.shutdown()
        thread.join()
