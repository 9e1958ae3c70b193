"""Workers: closed to others, without secrets, replaced when they die, gone in the end."""

import os
import signal
import subprocess
import sys
import time

import distributed
import psutil
import pytest
from distributed.security import Security

from autograder.workers.cluster import (
    Cluster,
    ClusterError,
    Place,
    WorkerLostError,
    kept_environment,
)
from tests.conftest import ROOT

HERE = "tests.autograder.workers.functions."
pytestmark = pytest.mark.skipif(
    not os.path.isdir("/proc/self"), reason="needs /proc to see processes"
)


def run(cluster, function, payloads, **kwargs):
    return dict(cluster.examine(enumerate(payloads), function=HERE + function, **kwargs))


def test_everything_comes_back_once(cluster):
    payloads = [b"%d" % number for number in range(300)]
    found = list(cluster.examine(enumerate(payloads), function=HERE + "echo"))
    assert sorted(found) == list(enumerate(payloads))
    assert run(cluster, "echo", []) == {}


def test_payloads_are_asked_for_as_there_is_room(cluster):
    asked = []

    def payloads():
        for number in range(200):
            asked.append(number)
            yield number, b""

    answers = cluster.examine(payloads(), function=HERE + "echo")
    next(answers)
    assert len(asked) < 50
    assert len(list(answers)) == 199


def test_large_payloads_travel(cluster):
    payload = os.urandom(20_000_000)
    assert run(cluster, "echo", [payload]) == {0: payload}


def test_tasks_of_two_runs_never_share_a_key(cluster, monkeypatch):
    """Or the scheduler would answer with the result of the earlier one, if it still has it."""
    keys, submit = [], cluster.client.submit

    def noted(*words, key, **more):
        keys.append(key)
        return submit(*words, key=key, **more)

    monkeypatch.setattr(cluster.client, "submit", noted)
    for _ in range(20):
        run(cluster, "echo", [b"x"])
    assert len(set(keys)) == 20


def test_an_answer_that_came_outlives_its_worker(cluster):
    def payloads():
        yield 0, b"one"
        time.sleep(3)  # the answer has come by now, and waits to be asked for
        for nanny in cluster._cluster.workers.values():
            os.kill(nanny.pid, signal.SIGKILL)
        time.sleep(0.5)  # Dask works it out once more
        yield 1, b"two"

    found = dict(cluster.examine(payloads(), function=HERE + "slow_echo"))
    assert found == {0: b"one", 1: b"two"}


def test_an_error_stops_nobody_else(cluster):
    found = run(cluster, "fail", [b"one", b"two"])
    assert [str(found[number]).splitlines()[0] for number in (0, 1)] == ["one", "two"]
    assert isinstance(found[0], ValueError)


def test_an_error_that_may_pass_is_tried_again(cluster, tmp_path):
    path = os.fsencode(tmp_path / "a")
    assert isinstance(run(cluster, "fail_at_first", [path])[0], ConnectionError)
    path = os.fsencode(tmp_path / "b")
    assert run(cluster, "fail_at_first", [path], again=lambda error: True) == {0: path}
    found = run(cluster, "fail", [b"x"], again=lambda error: True)
    assert isinstance(found[0], ValueError)


@pytest.mark.full
def test_who_ends_workers_harms_nobody_else(cluster):
    payloads = [b"%d" % number for number in range(8)]
    payloads[3] = b"kill"
    found = run(cluster, "kill", payloads)
    assert isinstance(found.pop(3), WorkerLostError)
    assert found == {number: b"%d" % number for number in (0, 1, 2, 4, 5, 6, 7)}


def ask(code):
    """Run a few lines in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def test_workers_know_no_secrets(monkeypatch):
    for name in ("MY_TOKEN", "PGPASSWORD", "PYTHON_SECRET", "SOMETHING_ELSE"):
        monkeypatch.setenv(name, "secret")
    done = ask(_ASK)
    names = done.stdout.split()
    assert "PATH" in names
    assert not {"MY_TOKEN", "PGPASSWORD", "PYTHON_SECRET", "SOMETHING_ELSE"} & set(names)
    assert os.environ["MY_TOKEN"] == "secret"


def test_nobody_is_told_how_many_threads_to_use(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    done = ask(_ASK + "    import os\n    print(*os.environ)\n")
    assert "PATH" in done.stdout.split()
    assert "NUM_THREADS" not in done.stdout


def test_workers_take_no_notice_of_ctrl_c_from_their_first_moment():
    # Dask's own preparation of a worker comes later.
    ask(
        "import multiprocessing\n"
        "from autograder.workers.cluster import _method, _start_nursery\n"
        "from tests.autograder.workers.functions import exit_by_ctrl_c\n"
        "_start_nursery({})\n"
        "newborn = multiprocessing.get_context(_method()).Process(target=exit_by_ctrl_c)\n"
        "newborn.start()\n"
        "newborn.join()\n"
        "raise SystemExit(newborn.exitcode)\n"
    )


# In a process of its own: what workers are forked from keeps the environment that it began with.
_ASK = f"""
from autograder.workers.cluster import Cluster, Place
if __name__ == "__main__":
    with Cluster(Place(workers=1)) as cluster:
        for _, answer in cluster.examine([(0, b"")], function="{HERE}environment"):
            print(answer.decode())
"""


def test_kept_environment():
    assert kept_environment(
        {"PATH": "p", "LC_ALL": "C", "TF_X": "1", "COURSE_KEY": "k", "AWS_X": "a", "TF_TOKEN": "t"}
    ) == {"PATH": "p", "LC_ALL": "C", "TF_X": "1"}


def test_nobody_else_gets_in(cluster):
    address = cluster.client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    # Keys of another run are as good as none.
    security = Security.temporary()
    with pytest.raises((OSError, TimeoutError, RuntimeError)):
        distributed.Client(address, security=security, timeout=3, set_as_default=False)
    with pytest.raises((OSError, TimeoutError, RuntimeError)):
        distributed.Client(address.replace("tls", "tcp"), timeout=3, set_as_default=False)


def test_slots_and_workers():
    with Cluster(Place(workers=5)) as cluster:
        assert cluster.slots == 5
        found = run(cluster, "threads", [b""] * 12).values()
        assert len({answer.split()[0] for answer in found}) == 2


@pytest.mark.parametrize("at_once", [False, True])
def test_nothing_is_left_when_it_is_closed(at_once):
    cluster = Cluster(Place(workers=1))
    answers = cluster.examine([(0, b"")], function=HERE + ("wait_for_ever" if at_once else "echo"))
    if not at_once:
        next(answers)
    (pid,) = cluster.client.run(os.getpid).values()
    worker = psutil.Process(pid)
    began = time.monotonic()
    cluster.close(at_once=at_once)
    worker.wait(10)
    # Not the ten minutes that the function takes.
    assert time.monotonic() - began < 60
    cluster.close()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(scheduler="tcp://10.0.0.1:8786"), "is not encrypted"),
        (Place(scheduler="10.0.0.1:8786"), "is not encrypted"),
        (Place(scheduler="tls://10.0.0.1:8786", tls_ca="/no/such/file"), "no certificate file"),
        (Place(workers=0), "at least 1 is needed"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(place, words, tmp_path):
    from pathlib import Path

    if place.tls_ca:
        place = Place(scheduler=place.scheduler, tls_ca=Path(place.tls_ca))
    with pytest.raises(ClusterError, match=words):
        Cluster(place)


def test_a_scheduler_of_somebody_else(tmp_path):
    """The same work on a cluster that exists already, over TLS with certificates in files."""
    security = Security.temporary()
    names = {}
    for name in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        path = tmp_path / name
        path.write_text(security.get_tls_config_for_role("client")[_PARTS[name]])
        names[name] = path
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=3, processes=False, security=security, protocol="tls",
        host="127.0.0.1", dashboard_address=":0",
    ) as there:  # fmt: skip
        place = Place(
            scheduler=there.scheduler_address,
            tls_ca=names["tls_ca_file"],
            tls_cert=names["tls_client_cert"],
            tls_key=names["tls_client_key"],
        )
        with Cluster(place) as cluster:
            assert cluster.slots == 3
            assert run(cluster, "echo", [b"a", b"b"]) == {0: b"a", 1: b"b"}
        # The cluster of somebody else goes on.
        assert there.scheduler.workers


_PARTS = {"tls_ca_file": "ca_file", "tls_client_cert": "cert", "tls_client_key": "key"}


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr("autograder.workers.cluster.START_SECONDS", 1)
    cluster = Cluster(Place(scheduler="tls://127.0.0.1:1"))
    with pytest.raises(ClusterError, match=r"the scheduler tls://127\.0\.0\.1:1 cannot be used"):
        run(cluster, "echo", [b""])
    cluster.close()
