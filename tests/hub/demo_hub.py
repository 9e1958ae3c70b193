"""The demo hub, started as a plain user where there is no network."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from playwright.sync_api import Browser

from hub.demo.settings import Settings
from tests.hub.apart import AS_ROOT, NOBODY, Place
from tests.playground.browser import chromium_found, driver

READY = "Ctrl-C stops the hub"
START_SECONDS, STOP_SECONDS = 400, 90
PORT = 8000  # its network is its own


class DemoHub:
    """A demo hub, with the terminal that it was started in.

    Parameters
    ----------
    place : Place
        Where it runs.
    course : pathlib.Path
        A built course.
    proxy : pathlib.Path
        The hub's proxy, installed.
    students : sequence of str
        Names of accounts; the demo's own if empty.
    """

    def __init__(
        self, place: Place, course: Path, proxy: Path, students: Sequence[str] = ()
    ) -> None:
        self.place, self.course, self.students = place, course, students
        self.state = place.home / "state"
        self.address = f"http://127.0.0.1:{PORT}"
        self.terminal = place.home.parent / "terminal.log"
        self._process: subprocess.Popen | None = None
        self.state.mkdir()
        shutil.copytree(proxy, self.state / "proxy", symlinks=True)
        if AS_ROOT:
            for path in (self.state, *self.state.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    @property
    def words(self) -> list[str]:
        """What one would type."""
        names = [word for name in self.students for word in ("--student", name)]
        folders = ["--course", str(self.course), "--state", str(self.state)]
        return [sys.executable, "-m", "hub.demo", "--port", str(PORT), *folders, *names]

    @property
    def settings(self) -> Settings:
        """What it was started with."""
        return Settings.read(self.state / "settings.json")

    @property
    def instructors_course(self) -> Path:
        """The instructor's folder of the course."""
        return self.state / "homes" / "instructor" / "course"

    def start(self) -> str:
        """Start it; return what the terminal shows when it is ready."""
        with self.terminal.open("wb") as terminal:
            self._process = subprocess.Popen(
                self.place.command(*self.words), stdin=subprocess.DEVNULL, stdout=terminal,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while READY not in self.shown():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the hub did not start:\n{self.shown()}\n{self.log()[-3000:]}")
            time.sleep(0.1)
        return self.shown()

    def shown(self) -> str:
        """What the terminal shows."""
        return self.terminal.read_text(errors="replace")

    def log(self) -> str:
        """The hub's log."""
        path = self.state / "hub.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """Everything that runs of it, however it was left."""
        found = []
        if self._process is not None and self._process.poll() is None:
            found += psutil.Process(self._process.pid).children(recursive=True)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                # Nothing else in these tests runs as nobody.
                nobodys = AS_ROOT and process.uids().real == NOBODY
                if nobodys or str(self.place.home) in " ".join(process.environ().values()):
                    found.append(process)
        return list(dict.fromkeys(found))

    def kill_the_hub(self) -> None:
        """End the hub's own process as a power cut does; the starter sees to the rest."""
        for process in psutil.Process(self._process.pid).children():
            if "jupyterhub_config.py" in " ".join(process.cmdline()):
                process.kill()
        self._process.wait(STOP_SECONDS)

    def stop(self, signum: int = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signum)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def try_once(self, *more: str) -> subprocess.CompletedProcess:
        """Try to start another one, which is expected to give up."""
        return subprocess.run(
            self.place.command(*self.words, *more), capture_output=True, text=True, check=False,
            timeout=START_SECONDS,
        )  # fmt: skip


@contextlib.contextmanager
def browser_at(place: Place, folder: Path) -> Iterator[Browser]:
    """Start chromium in such a place."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "chromium-apart"
    enter = " ".join(place.enter("--net"))
    script.write_text(f'#!/bin/sh\nexec {enter} "{chromium_found()}" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    with driver() as playwright:
        browser = playwright.chromium.launch(executable_path=script, args=["--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()
