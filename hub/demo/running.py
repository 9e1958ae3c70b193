"""Start the demo hub, wait for it, and leave no process behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from autograder.kernels import linux
from hub.demo.course import Layout
from hub.demo.errors import DemoHubError
from hub.demo.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PORTS = 3  # pages, the proxy's own door, the hub behind it
START_SECONDS, STOP_SECONDS = 300, 40
LOCK = "lock"


def refuse_root() -> None:
    """Refuse to run as root: every account of the hub would be root, too.

    Raises
    ------
    DemoHubError
        If this process is root's.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        raise DemoHubError(
            "this is root, and every account of the demo hub would be root, too: run it as an "
            "ordinary user"
        )


@contextlib.contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Let one hub at a time use a folder.

    Raises
    ------
    DemoHubError
        If another one does.
    """
    import fcntl

    with (layout.state / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoHubError(
                f"a demo hub runs already in {layout.state}: stop it with Ctrl-C in its terminal, "
                "or name another folder with --state"
            ) from None
        yield


def end_stale_proxy(layout: Layout) -> None:
    """End the proxy of a hub that was killed: it would still hold the port."""
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int((layout.state / "proxy.pid").read_text()))
        if any("configurable-http-proxy" in word for word in process.cmdline()):
            process.terminate()
            process.wait(5)


def check_ports(first: int) -> None:
    """Refuse ports that somebody else listens on.

    Raises
    ------
    DemoHubError
        If one of the three is taken, or is no port.
    """
    if not 1024 <= first <= 65_535 - PORTS:
        raise DemoHubError(
            f"--port {first} is no port that an ordinary user can have: choose one between 1024 "
            f"and {65_535 - PORTS}"
        )
    for port in range(first, first + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise DemoHubError(
                    f"port {port} is taken by another program (the hub needs {first} to "
                    f"{first + PORTS - 1}): name another one, such as --port {first + 100}"
                ) from None


class Hub:
    """The hub's process and all that it starts.

    Parameters
    ----------
    layout : Layout
        Its folders.
    settings : Settings
        Its settings, written already.
    """

    def __init__(self, layout: Layout, settings: Settings) -> None:
        self.layout = layout
        self.address = f"http://127.0.0.1:{settings.port}/"
        # The proxy logs every question that the hub behind it cannot answer yet.
        self._behind = f"http://127.0.0.1:{settings.port + 2}/"
        if linux.AVAILABLE:
            # What the hub leaves behind when it is killed becomes ours.
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        before = set(psutil.Process().children(recursive=True))
        with layout.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f",
                 str(Path(__file__).with_name("jupyterhub_config.py"))],
                cwd=layout.state, env=_environment(layout, settings), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._not_ours = before

    @property
    def pid(self) -> int:
        """Process id of the hub itself."""
        return self._process.pid

    def await_ready(self) -> None:
        """Wait until the hub answers.

        Raises
        ------
        DemoHubError
            If it ends before that, or takes too long.
        """
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise DemoHubError(f"the hub did not start; the end of {self.layout.log} says why")
            if _healthy(self._behind) and _healthy(self.address):
                return
            time.sleep(0.2)
        raise DemoHubError(
            f"the hub did not answer within {START_SECONDS} s; see the end of {self.layout.log}"
        )

    def wait(self) -> None:
        """Wait for the end that nobody asked for.

        Raises
        ------
        DemoHubError
            When it comes.
        """
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise DemoHubError(
            f"the hub ended unexpectedly ({how}); see the end of {self.layout.log}. What was saved "
            "and handed in is kept; the same command goes on"
        )

    def stop(self) -> None:
        """Stop the hub, its proxy and all servers; end at once what does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        left = [
            child
            for child in psutil.Process().children(recursive=True)
            if child not in self._not_ours
        ]
        for end in ("terminate", "kill"):
            for process in left:
                with contextlib.suppress(psutil.Error):
                    getattr(process, end)()
            _, left = psutil.wait_procs(left, timeout=5)


def _healthy(address: str) -> bool:
    """Whether a hub answers at an address."""
    try:
        with urllib.request.urlopen(f"{address}hub/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _environment(layout: Layout, settings: Settings) -> dict[str, str]:
    """Environment of the hub: a caller's own Jupyter settings must not get mixed in."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY_", "CONFIGPROXY"))
    }
    folders = (Path(sys.executable).parent, Path(settings.proxy[0]).parent)
    environment["PATH"] = os.pathsep.join([*map(str, folders), environment.get("PATH", "")])
    environment["PYTHONPATH"] = str(ROOT)  # of the hub alone: servers do not inherit it
    environment["DEMO_HUB_SETTINGS"] = str(layout.settings)
    return environment
