"""Where submissions are examined: a Dask cluster on this machine, or one that exists already.

Even on this machine nobody else gets in: the scheduler and its workers speak TLS with keys that are
made for one run, on the loopback address, and there is no dashboard. Workers are started from a
small process whose environment holds no secrets, and are given bytes only.

A worker has twice as many threads as submissions that it runs at a time: while cells run, the rooms
of the next submissions are made ready, see :mod:`autograder.workers.turns`.
"""

import asyncio
import contextlib
import dataclasses
import importlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import uuid
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import dask
import distributed
from distributed.comm import connect
from distributed.scheduler import KilledWorker
from distributed.security import Security

from autograder.kernels.client import PRELOAD
from autograder.kernels.sharing import begin_shared, lend
from autograder.workers.turns import TURNS

SLOTS_PER_WORKER = 4
# How often a submission may lose its worker before it is tried alone.
LOSSES = 2
TRIES = 3
START_SECONDS = 60
STOP_SECONDS = 5
REACH_SECONDS = 15  # for a scheduler that should be there already
EXAMINE = "autograder.examination.examine_task"
# What a worker may know of the environment: where programs and libraries are, how many threads.
_KEPT = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP"),
    *("TEMP", "SYSTEMROOT", "COMSPEC", "VIRTUAL_ENV", "MPLBACKEND", "CUDA_VISIBLE_DEVICES"),
)
_KEPT_STARTS = (
    *("LC_", "LD_LIBRARY", "DYLD_", "PYTHON", "CONDA_PREFIX", "TF_", "KERAS_", "OMP_", "MKL_"),
    *("OPENBLAS_", "NUMEXPR_", "XLA_", "COURSE_", "AUTOGRADER_", "COVERAGE_"),
)
_SECRET = ("SECRET", "TOKEN", "PASSW", "KEY", "CREDENTIAL")
_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": LOSSES,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.system-monitor.disk": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Dask would tell NumPy, here and in the workers, to use one thread; a room is as a student's
    # own kernel is.
    "distributed.nanny.pre-spawn-environ": {},
    "distributed.comm.timeouts.connect": "30s",
    "distributed.comm.retry.count": 2,
    # Results are read once; nothing is spilled, and pauses are the business of the rooms' limits.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
}


class ClusterError(Exception):
    """There is nobody to examine submissions; the message says what to do."""


class WorkerLostError(Exception):
    """A submission lost its worker again and again."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where to examine.

    Attributes
    ----------
    workers : int or None
        Submissions at a time on this machine; one for each processor if None.
    scheduler : str
        Address of a Dask scheduler (``"tls://host:8786"``); empty for a cluster of our own.
    tls_ca, tls_cert, tls_key : pathlib.Path or None
        Certificate files for that scheduler; Dask's own configuration if None.
    unencrypted : bool
        Whether a scheduler without TLS is accepted.
    preload : tuple of str
        Modules that rooms have at hand; on this machine they are imported as soon as possible.
    """

    workers: int | None = None
    scheduler: str = ""
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    unencrypted: bool = False
    preload: tuple[str, ...] = PRELOAD

    @property
    def slots(self) -> int:
        """Submissions at a time on this machine."""
        return self.workers or processors()


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quiet_logs() -> None:
    """Let Dask say nothing of lost workers: the class's table tells what matters.

    A beat of its heart that meets a closed connection is logged by Tornado, with a traceback.
    """
    for name in ("distributed", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class Cluster:
    """Workers and the way to them. Starting begins at once and goes on in the background.

    Parameters
    ----------
    place : Place
        Where to examine.

    Raises
    ------
    ClusterError
        If the place makes no sense; whether it can be reached turns out at the first use.
    """

    def __init__(self, place: Place) -> None:
        _check(place)
        self.place = place
        self._client: distributed.Client | None = None
        self._cluster: distributed.LocalCluster | None = None
        self._trouble: BaseException | None = None
        self._scratch = ""
        self._closed = False
        dask.config.set(_SETTINGS)
        quiet_logs()
        if not place.scheduler:
            _start_nursery(lend(begin_shared(place.preload)))
        self._starting = threading.Thread(target=self._start, daemon=True)
        self._starting.start()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def slots(self) -> int:
        """Submissions that are examined at a time."""
        if not self.place.scheduler:
            return self.place.slots
        return max(1, sum(self.client.nthreads().values()))

    @property
    def client(self) -> distributed.Client:
        """The connection, once it stands."""
        self._starting.join()
        if self._trouble is not None or self._client is None:
            raise ClusterError(self._explain()) from None
        return self._client

    def _start(self) -> None:
        try:
            if self.place.scheduler:
                self._client = self._connect()
            else:
                self._client = self._start_local()
        except BaseException as error:
            self._trouble = error

    def _start_local(self) -> distributed.Client:
        slots = self.place.slots
        count = -(-slots // SLOTS_PER_WORKER)
        each = -(-slots // count)
        security = Security.temporary()
        dask.config.set({"distributed.worker.multiprocessing-method": _method()})
        self._scratch = tempfile.mkdtemp(prefix="autograder-")
        dask.config.set({"temporary-directory": self._scratch})
        self._cluster = distributed.LocalCluster(
            local_directory=self._scratch,
            n_workers=count,
            threads_per_worker=2 * each,
            resources={TURNS: each},
            processes=True,
            host="127.0.0.1",
            protocol="tls",
            security=security,
            # Dask cannot do without its web servers: these have no pages at all.
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            preload=["autograder.workers.worker"],
        )
        return distributed.Client(self._cluster, set_as_default=False)

    def _connect(self) -> distributed.Client:
        place = self.place
        if place.unencrypted:
            security = Security(require_encryption=False)
        else:
            files = {
                "tls_ca_file": place.tls_ca,
                "tls_client_cert": place.tls_cert,
                "tls_client_key": place.tls_key,
            }
            given = {name: str(path) for name, path in files.items() if path is not None}
            security = Security(require_encryption=True, **given)
        # A client that cannot connect says so again, with a traceback, when it is forgotten.
        asyncio.run(_reach(place.scheduler, security))
        client = distributed.Client(
            place.scheduler, security=security, timeout=START_SECONDS, set_as_default=False
        )
        client.wait_for_workers(1, timeout=START_SECONDS)
        return client

    def _explain(self) -> str:
        reason = str(self._trouble or "it was stopped").strip().splitlines() or [""]
        what = type(self._trouble).__name__
        if self.place.scheduler:
            return (
                f"the scheduler {self.place.scheduler} cannot be used ({what}: {reason[0][:200]}); "
                "check the address, the certificates and that it has workers"
            )
        return f"no worker could be started on this machine ({what}: {reason[0][:200]})"

    def examine(
        self,
        payloads: Iterable[tuple[Any, bytes]],
        *,
        function: str = EXAMINE,
        again: Callable[[Exception], bool] = lambda error: False,
    ) -> Iterator[tuple[Any, bytes | Exception]]:
        """Examine tasks side by side; yield each as it is done.

        Payloads are asked for as there is room for them: a few for each slot are under way. A
        task that loses its worker is examined again; one that loses it three times is examined
        alone, at the end, so that it takes no other down with it.

        Parameters
        ----------
        payloads : iterable of (tag, bytes)
            Tasks, each with a tag of the caller's.
        function : str
            Import name of the function of bytes that workers run.
        again : callable
            Which errors may pass: such a task is tried three times in all.

        Yields
        ------
        (tag, bytes or Exception)
            What came back, or why nothing did.

        Raises
        ------
        ClusterError
            If there are no workers (any more).
        """
        flow = _Flow(self, _function(function))
        source = iter(payloads)
        suspects: list[tuple[Any, bytes]] = []
        window = 0
        more = True
        try:
            while more or flow.waiting:
                # One at a time: a worker begins while the next submission is prepared.
                if more and len(flow.waiting) <= window:
                    item = next(source, None)
                    if item is None:
                        more = False
                    else:
                        flow.submit(*item)
                        window = window or 4 * self.slots + 8
                full = not more or len(flow.waiting) > window
                for tag, payload, answer in flow.done(wait=full):
                    if isinstance(answer, KilledWorker):
                        suspects.append((tag, payload))
                    elif isinstance(answer, Exception) and again(answer) and flow.retry(payload):
                        flow.submit(tag, payload)
                    else:
                        yield tag, answer
            for tag, payload in suspects:
                flow.submit(tag, payload)
                for _, _, answer in flow.done(wait=True):
                    lost = isinstance(answer, KilledWorker)
                    yield tag, WorkerLostError() if lost else answer
        finally:
            flow.cancel()

    def close(self, *, at_once: bool = False) -> None:
        """End all workers; with `at_once` without letting them finish anything."""
        if self._closed:
            return
        self._closed = True
        with _no_interruption() if at_once else contextlib.nullcontext():
            self._close(at_once)

    def _close(self, at_once: bool) -> None:
        self._starting.join(START_SECONDS)
        if self._cluster is not None and at_once:
            self._kill_workers()
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._client is not None:
                self._client.close(timeout=STOP_SECONDS)
            if self._cluster is not None:
                self._cluster.close(timeout=STOP_SECONDS)
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _kill_workers(self) -> None:
        for nanny in list(self._cluster.workers.values()):
            nanny.auto_restart = False
            pid = getattr(nanny, "pid", None)
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def _no_interruption() -> Iterator[None]:
    """Take no notice of a second Ctrl-C: ending the workers takes seconds at most."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Flow:
    """Tasks under way."""

    def __init__(self, cluster: Cluster, run: Callable[[bytes], bytes]) -> None:
        self._cluster = cluster
        self._run = run
        # The scheduler answers a key that it still knows with the earlier result, so no two flows
        # may ever have the same name: `id` would be used again.
        self._name = uuid.uuid4().hex
        self._number = 0
        self._completed: distributed.as_completed | None = None
        self._retried: Counter[bytes] = Counter()
        self.waiting: dict[str, tuple[distributed.Future, Any, bytes]] = {}

    def retry(self, payload: bytes) -> bool:
        """Whether a task that met an error has not been tried too often."""
        self._retried[payload] += 1
        return self._retried[payload] < TRIES

    def submit(self, tag: Any, payload: bytes) -> None:
        client = self._cluster.client
        if self._completed is None:
            self._completed = distributed.as_completed(
                loop=client.loop, with_results=True, raise_errors=False
            )
        self._number += 1
        key = f"examine-{self._name}-{self._number}"
        with warnings.catch_warnings():
            # A submission with large files is a large argument; it is read once.
            warnings.simplefilter("ignore")
            future = client.submit(self._run, payload, key=key, pure=False)
        self.waiting[key] = (future, tag, payload)
        self._completed.add(future)

    def done(self, *, wait: bool) -> Iterator[tuple[Any, bytes, bytes | Exception]]:
        if not self.waiting or not (wait or self._completed.has_ready()):
            return
        # Blocks until at least one is done.
        future, answer = next(self._completed)
        while True:
            key = future.key
            _, tag, payload = self.waiting.pop(key)
            answer = self._answer(future, answer)
            future.release()
            yield tag, payload, answer
            if not self.waiting or not self._completed.has_ready():
                return
            future, answer = next(self._completed)

    def _answer(self, future: distributed.Future, answer: Any) -> bytes | Exception:
        if isinstance(answer, bytes):
            # It is here, whatever has become of its worker since: then the future is "lost".
            return answer
        if future.status in ("cancelled", "lost"):
            raise ClusterError(
                "the connection to the scheduler was lost; run the same command again to go on"
            )
        if future.status == "error":
            error = answer[1] if isinstance(answer, tuple) else answer
            return error if isinstance(error, Exception) else RuntimeError(repr(error)[:300])
        return answer

    def cancel(self) -> None:
        with contextlib.suppress(Exception):
            if self.waiting:
                futures = [future for future, _, _ in self.waiting.values()]
                self._cluster.client.cancel(futures, force=True)


async def _reach(address: str, security: Security) -> None:
    """Connect to a scheduler once; raises OSError if it is not there, or wants other keys."""
    line = await connect(
        address,
        timeout=min(REACH_SECONDS, START_SECONDS),
        **security.get_connection_args("client"),
    )
    await line.close()


def _check(place: Place) -> None:
    address = place.scheduler
    if place.workers is not None and place.workers < 1:
        raise ClusterError(f"--workers {place.workers}: at least 1 is needed")
    if not address:
        return
    if not place.unencrypted and not address.startswith("tls://"):
        raise ClusterError(
            f"--scheduler {address} is not encrypted: anybody on the way could read submissions "
            "and write marks. Give an address that begins with tls://, or --no-tls if the network "
            "is yours alone"
        )
    for path in (place.tls_ca, place.tls_cert, place.tls_key):
        if path is not None and not path.is_file():
            raise ClusterError(f"there is no certificate file {path}")


def _function(name: str) -> Callable[[bytes], bytes]:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _method() -> str:
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _start_nursery(more: dict[str, str]) -> None:
    """Start the process that workers are forked from, with an environment without secrets.

    It imports what workers need once, for all of them and for those that take a lost one's place.

    Parameters
    ----------
    more : dict of str to str
        What their environment holds beyond ours.
    """
    if _method() != "forkserver":
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.workers.nursery", "autograder.workers.worker"])
    with bare_environment():
        os.environ.update(more)
        forkserver.ensure_running()


@contextlib.contextmanager
def bare_environment() -> Iterator[None]:
    """Within this context processes are started without secrets in their environment."""
    everything = dict(os.environ)
    os.environ.clear()
    os.environ.update(kept_environment(everything))
    # The place of the package, if it is not installed.
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(everything)


def kept_environment(environment: dict[str, str]) -> dict[str, str]:
    """The part of an environment that workers may know."""
    return {
        name: value
        for name, value in environment.items()
        if (name in _KEPT or name.startswith(_KEPT_STARTS))
        and not any(word in name.upper() for word in _SECRET)
    }


def forget_environment() -> None:
    """In a worker: forget what :func:`kept_environment` does not keep."""
    kept = kept_environment(dict(os.environ))
    for name in set(os.environ) - set(kept):
        del os.environ[name]


if sys.platform == "win32":  # pragma: no cover
    _KEPT_STARTS = (*_KEPT_STARTS, "SYSTEM", "PROGRAM", "APPDATA")
