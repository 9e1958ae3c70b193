"""A real JupyterLab, or Voilà, and Debian's chromium, both where there is no network.

The server runs in a network namespace of its own, which has nothing but a loopback device, and the
browser joins it there. Where the system allows no such namespace, both run as usual, and
:attr:`Server.apart` is False.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.conftest import ROOT
from tests.notebooks.offline import raise_loopback
from tests.notebooks.test_whole_notebooks import namespaces_work

NOTEBOOKS = ROOT / "playground"
# It asks whether it may fetch news, above everything else on the page.
_NEWS = "@jupyterlab/apputils-extension:announcements"
START_SECONDS = 300
CELL_SECONDS = 240
# What the server says once it listens; JupyterLab and Voilà do so in different words.
_READY = re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+/")


def chromium_found() -> str | None:
    """Return the path of a chromium, or None."""
    return next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


@dataclass
class Server:
    """A running server.

    Attributes
    ----------
    address : str
        Without a slash at the end.
    token : str
        What JupyterLab wants to see; empty for Voilà.
    folder : pathlib.Path
        Root of what it shows.
    process : subprocess.Popen
        Its process.
    apart : bool
        Whether it is in a network namespace of its own.
    """

    address: str
    token: str
    folder: Path
    process: subprocess.Popen
    apart: bool


@dataclass
class Seen:
    """What went wrong in a page, and what it asked for.

    Attributes
    ----------
    console_errors, failed_requests, elsewhere : list of str
        Errors on the console and uncaught ones; requests that failed or got a status from 400 on;
        addresses that are not of this machine.
    """

    console_errors: list[str] = field(default_factory=list)
    failed_requests: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note what happens in a page from now on."""
        page.on(
            "console",
            lambda message: message.type == "error" and self.console_errors.append(message.text),
        )
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on(
            "response",
            lambda answer: (
                answer.status >= 400
                and self.failed_requests.append(f"{answer.status} {answer.url}")
            ),
        )
        page.on("request", self._asked)

    def _failed(self, request) -> None:
        # A page that is left drops what it still waits for: nothing has failed then.
        if request.failure != "net::ERR_ABORTED":
            self.failed_requests.append(f"{request.failure} {request.url}")

    def _asked(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.elsewhere.append(request.url)

    def problems(self) -> list[str]:
        """Everything that should not have happened."""
        return [*self.console_errors, *self.failed_requests, *self.elsewhere]


def _free_port() -> int:
    with socket.socket() as handle:
        handle.bind(("127.0.0.1", 0))
        return handle.getsockname()[1]


def _without_nbgrader(settings: Path) -> None:
    """Leave nbgrader's extensions out: other tests see to them, and they take seconds to start."""
    rooms = ("assignment_list", "course_list", "formgrader", "validate_assignment")
    off = {f"nbgrader.server_extensions.{room}": False for room in rooms}
    (settings / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"jpserver_extensions": off}})
    )
    (settings / "labconfig").mkdir()
    (settings / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {"@jupyter/nbgrader": True, _NEWS: True}})
    )


@contextlib.contextmanager
def serve(command: list[str], folder: Path, address: str, token: str = "") -> Iterator[Server]:
    """Run a server until the block ends, in a namespace with no network where that is possible.

    Parameters
    ----------
    command : list of str
        After the interpreter, e.g. ``["-m", "jupyterlab", …]``.
    folder : pathlib.Path
        An empty folder for its settings, its home and its log.
    address, token : str
        Where it will listen, and what it will want to see.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("JUPYTER", "JPY_", "VOILA", "COURSE_", "PYTEST", "PYTHON"))
    }
    for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR",
                 "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"):  # fmt: skip
        environment[name] = str(folder / name.lower())
        Path(environment[name]).mkdir(exist_ok=True)
    environment["PYTHONPATH"] = str(ROOT)
    _without_nbgrader(Path(environment["JUPYTER_CONFIG_DIR"]))
    apart = namespaces_work() and bool(shutil.which("nsenter"))
    inside = [sys.executable, "-m", "tests.playground.browser", *command]
    if apart:
        inside = ["unshare", "--map-root-user", "--net", *inside]
    with log.open("wb") as words:
        process = subprocess.Popen(
            inside, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=words, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _READY.search(log.read_text(errors="replace")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield Server(address, token, folder, process, apart)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def jupyterlab(folder: Path, notebooks: Path = NOTEBOOKS) -> Iterator[Server]:
    """Start JupyterLab on a free port, with a token, over a copy of the playground's notebooks."""
    port, token = _free_port(), secrets.token_hex(16)
    shown = folder / "notebooks"
    shown.mkdir(parents=True)
    for path in notebooks.glob("*.ipynb"):
        shutil.copy(path, shown)
    with serve(
        [
            "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={shown}",
            "--LabApp.expose_app_in_browser=True",
            # Neither news nor updates: it would ask a server far away.
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        folder, f"http://127.0.0.1:{port}", token,
    ) as server:  # fmt: skip
        server.folder = shown
        yield server


@contextlib.contextmanager
def playground_pages(folder: Path) -> Iterator[Server]:
    """Start ``python -m playground``, which serves the notebooks with Voilà."""
    port = _free_port()
    command = ["-m", "playground", "--no-browser", f"--port={port}"]
    with serve(command, folder, f"http://127.0.0.1:{port}") as server:
        found = re.search(r"token=([0-9a-f]+)", (folder / "server.log").read_text())
        server.token = found.group(1)
        yield server


_drivers: list[Playwright] = []
_users = 0


@contextlib.contextmanager
def driver() -> Iterator[Playwright]:
    """Lend the one driver of browsers of this process; it ends with its last user.

    While it is there, nothing else in the thread can run an event loop of its own. So whoever has a
    browser for several tests gives it back when the last of their folder is done.
    """
    global _users
    if not _drivers:
        _drivers.append(sync_playwright().start())
    _users += 1
    try:
        yield _drivers[0]
    finally:
        _users -= 1
        if not _users:
            _drivers.pop().stop()


@contextlib.contextmanager
def chromium(folder: Path, server: Server) -> Iterator[Browser]:
    """Start chromium beside a server, in the same network namespace.

    Parameters
    ----------
    folder : pathlib.Path
        Where the script that starts it may lie.
    server : Server
        What it shall see.
    """
    path = chromium_found()
    if server.apart:
        folder.mkdir(parents=True, exist_ok=True)
        wrapper = folder / "chromium-beside-the-server"
        wrapper.write_text(
            "#!/bin/sh\nexec nsenter --preserve-credentials --user --net "
            f'--target {server.process.pid} "{path}" "$@"\n'
        )
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        path = str(wrapper)
    with driver() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, *, dark: bool = False, **options) -> tuple[Page, Seen]:
    """Open a page of laptop size; return it with the record of what goes wrong in it."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 1000},
        color_scheme="dark" if dark else "light",
        **options,
    )
    page = context.new_page()
    page.set_default_timeout(CELL_SECONDS * 1000)
    seen = Seen()
    seen.watch(page)
    return page, seen


def open_notebook(page: Page, server: Server, name: str, *, dark: bool = False) -> None:
    """Open a notebook in JupyterLab and wait until its kernel is ready.

    Parameters
    ----------
    page : Page
        Of :func:`new_page`.
    server : Server
        Of :func:`jupyterlab`.
    name : str
        Without ``.ipynb``.
    dark : bool
        Whether to choose JupyterLab's dark theme.
    """
    page.goto(f"{server.address}/doc/tree/{name}.ipynb?token={server.token}")
    page.wait_for_function("window.jupyterapp !== undefined")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
    )
    page.wait_for_selector(
        f"body[data-jp-theme-light={'false' if dark else 'true'}]", state="attached"
    )
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
        " === 'idle'",
        timeout=CELL_SECONDS * 1000,
    )


def run_all(page: Page, widgets: int = 1) -> None:
    """Run all cells of the notebook that is open; wait until that many widgets are to be seen."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        "wanted => document.querySelectorAll('.playground').length >= wanted",
        arg=widgets,
        timeout=CELL_SECONDS * 1000,
    )
    if widgets:
        page.locator(".playground").first.scroll_into_view_if_needed()


def errors_in_cells(page: Page) -> list[str]:
    """Return the tracebacks in the notebook that is open."""
    return page.locator(".jp-OutputArea-output[data-mime-type*='error']").all_inner_texts()


def serious_findings(page: Page, inside: str = ".playground") -> list[str]:
    """Check everything inside an element by axe's rules.

    Returns
    -------
    list of str
        What axe calls serious or critical: rule, help and the elements.
    """
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=inside).response["violations"]
    return [
        f"{finding['id']}: {finding['help']}: "
        + "; ".join(node["html"][:160] for node in finding["nodes"][:4])
        for finding in found
        if finding["impact"] in ("serious", "critical")
    ]


def screenshots(fallback: Path) -> Path:
    """Return the folder for pictures of the screen: ``PLAYGROUND_SCREENSHOTS``, or the other."""
    folder = Path(os.environ.get("PLAYGROUND_SCREENSHOTS") or fallback)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Become the server, after the loopback device of this namespace is switched on."""
    with contextlib.suppress(PermissionError):  # no namespace: it is on already
        raise_loopback()
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


if __name__ == "__main__":
    main()
