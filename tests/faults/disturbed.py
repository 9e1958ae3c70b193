"""A run of the real command, things that can happen to it, and what must be left in the end."""

import json
import random
import sqlite3
import subprocess
import sys
import time

import psutil

from tests import plain_course

COMMAND = [sys.executable, "-m", "autograder"]
WAIT_SECONDS = 120


def fill(course):
    """Hand in eight submissions of all kinds; some take a moment."""
    slow = "import time\ntime.sleep({})\ndef total(numbers):\n    return sum(numbers)"
    for number in range(4):
        plain_course.hand_in(course, f"slow{number}", total=slow.format(0.3 + 0.3 * number))
    plain_course.hand_in(course, "late", when=plain_course.LATE)
    plain_course.hand_in(course, "wrong", total="def total(numbers):\n    return 3")
    plain_course.hand_in(course, "part", without=["words"], why="I do not know.")
    plain_course.hand_in(course, "broken", raw={"sums": "{"})
    return 8


class Run:
    """``autograder grade`` as a process."""

    def __init__(self, course, *words):
        self.course = course
        self.process = psutil.Popen(
            [*COMMAND, "--course", str(course), "grade", plain_course.ASSIGNMENT, "--json",
             "--workers", "2", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.seen = {}

    def wait(self):
        """Wait for its end; return (exit code, rows by student, what it said on stderr)."""
        out, errors = self.process.communicate(timeout=300)
        rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return self.process.returncode, {row["student"]: row for row in rows}, errors

    def descendants(self):
        """Every process that it has started, directly or not; each is remembered."""
        try:
            found = self.process.children(recursive=True)
        except psutil.NoSuchProcess:
            found = []
        for process in found:
            self.seen.setdefault(process.pid, process)
        return found

    def await_one(self, kind):
        """Wait until a process of a kind is there, and return it; None if the run ends before."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for process in self.descendants():
                if _kind(process) == kind:
                    return process
            time.sleep(0.01)
        return None

    def leftovers(self, seconds=10):
        """Processes of the run that are still there some seconds after its end."""
        deadline = time.monotonic() + seconds
        while True:
            alive = [process for process in self.seen.values() if _lives(process)]
            if not alive or time.monotonic() > deadline:
                return alive
            time.sleep(0.1)


def _kind(process):
    try:
        name = process.name()
        if name.startswith("ag-"):
            return name
        parent = process.parent()
        if parent is not None and _is_nursery(parent):
            return "worker"
    except psutil.Error:
        pass
    return ""


def _is_nursery(process):
    """The process that Dask's workers are forked from; they have its command line."""
    line = " ".join(process.cmdline())
    parent = process.parent()
    return (
        "multiprocessing.forkserver" in line
        and parent is not None
        and "multiprocessing.forkserver" not in " ".join(parent.cmdline())
    )


def _lives(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def moments(kind):
    """Three random moments (seconds), the same in every run of the tests."""
    return [round(random.Random(f"{kind} {number}").uniform(0, 4), 2) for number in range(3)]


def lock_sqlite(course, seconds):
    """Hold the gradebook as another program may."""
    connection = sqlite3.connect(course / "gradebook.db", timeout=60, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()
