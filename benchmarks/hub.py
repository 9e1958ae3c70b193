"""How long a student waits: from signing in until the first cell of a lesson has run.

Run ``python -m benchmarks.hub`` where Chromium and npm are; nothing is written. The same student
signs in twice at a demo hub and runs the first cell of a lesson, which imports Keras: the first
time, when the lesson is fetched, and once more after their server was stopped.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from hub.demo.node import proxy_command
from tests.conftest import ROOT
from tests.hub.apart import held
from tests.hub.demo_hub import DemoHub, browser_at
from tests.hub.people import Student

LESSON = "02_convolution"
MOST_SECONDS = {"first": 20, "again": 10}


def first_cell(student: Student, *, fetch: bool) -> dict[str, float]:
    """Sign in, open the lesson, run its first cell; seconds of each step since the beginning."""
    steps = {}
    started = time.monotonic()
    student.sign_in()
    student.sees("released" if fetch else "fetched", LESSON)
    steps["list of lessons"] = time.monotonic() - started
    if fetch:
        student.fetch(LESSON)
    student.open(LESSON)
    steps["lesson open"] = time.monotonic() - started
    student.run_first_code_cell()
    steps["first cell run"] = time.monotonic() - started
    return steps


def measure(proxy: Path) -> dict[str, dict[str, float]]:
    """Start a hub with the one lesson, and measure."""
    seen = {}
    folder = Path(tempfile.mkdtemp(prefix="hub-"))
    folder.chmod(0o755)
    try:
        course = folder / "course"
        for room in ("solutions", "lessons"):
            shutil.copytree(ROOT / room / LESSON, course / room / LESSON)
        shutil.copy(ROOT / "nbgrader_config.py", course)
        with held(folder / "home") as place:
            hub = DemoHub(place, course, proxy)
            hub.start()
            try:
                with browser_at(place, folder / "chromium") as browser:
                    for what in MOST_SECONDS:
                        student = Student(browser, hub, "ada", folder)
                        seen[what] = first_cell(student, fetch=what == "first")
                        if what == "first":
                            student.stop_server()
                        student.close()
            finally:
                hub.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return seen


def main() -> int:
    """Measure and print; 1 if a student waits longer than they should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--proxy", type=Path, default=ROOT / "demo_hub" / "proxy", help="where the hub's proxy is"
    )
    options = parser.parse_args()
    proxy_command(options.proxy)
    seen = measure(options.proxy)
    steps = list(next(iter(seen.values())))
    print(f"{'seconds since signing in':<26}" + "".join(f"{step:>18}" for step in steps))
    for what, figures in seen.items():
        print(f"{what:<26}" + "".join(f"{figures[step]:>18.1f}" for step in steps))
    late = [what for what, most in MOST_SECONDS.items() if seen[what][steps[-1]] > most]
    return 1 if late else 0


if __name__ == "__main__":
    raise SystemExit(main())
