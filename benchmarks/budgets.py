"""What each lesson costs to run: seconds and memory, with no network at all.

Run ``python -m benchmarks.budgets`` for the default size, ``--scale grading`` for what a submission
costs when it is graded. Linux only: the network is taken away with ``unshare``.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNNER = ROOT / "tests" / "notebooks" / "offline.py"


def measure(notebook: Path, scale: str) -> dict[str, float | bool]:
    """Run a notebook from the top in a network namespace of its own.

    Parameters
    ----------
    notebook : pathlib.Path
        A solution notebook.
    scale : {"quick", "full", "grading"}
        Value of ``COURSE_SCALE``.

    Returns
    -------
    dict
        ``seconds`` of wall-clock time, of which ``import_seconds`` are the first code cell's;
        ``peak_bytes`` of the largest process; ``blocked``, whether the network was really away.

    Raises
    ------
    subprocess.CalledProcessError
        If a cell fails, or the system forbids network namespaces.
    """
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", sys.executable, str(RUNNER), str(notebook)],
        env={**os.environ, "COURSE_SCALE": scale, "TF_CPP_MIN_LOG_LEVEL": "2"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print one line for each lesson."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of lesson names (all)")
    parser.add_argument("--scale", default="quick", choices=("quick", "full", "grading"))
    options = parser.parse_args()
    print(f"COURSE_SCALE={options.scale}, {os.cpu_count()} processors")
    print(f"{'lesson':28}{'seconds':>9}{'first cell':>12}{'the rest':>10}{'memory':>10}  network")
    for notebook in sorted((ROOT / "solutions").glob("*/*.ipynb")):
        if options.names and not any(notebook.stem.startswith(name) for name in options.names):
            continue
        seen = measure(notebook, options.scale)
        rest = seen["seconds"] - seen["import_seconds"]
        print(
            f"{notebook.stem:28}{seen['seconds']:>8.1f}s{seen['import_seconds']:>11.1f}s"
            f"{rest:>9.1f}s{seen['peak_bytes'] / 1e9:>7.2f} GB  "
            f"{'blocked' if seen['blocked'] else 'REACHABLE'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
