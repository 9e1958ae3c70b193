"""Run a notebook under nbval, and say what came of it, whether there was a network, and its memory.

Run as ``unshare --map-root-user --net python tests/notebooks/whole_run.py NOTEBOOK``, or without
the first three words where the system has no network namespaces.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
from offline import network_is_blocked, raise_loopback


def watch_memory(ended: threading.Event, peaks: dict[int, int]) -> None:
    """Note the peak resident memory of every process below this one, until the event is set."""
    while not ended.wait(0.2):
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(OSError):
                # The kernel's own record of the peak: nothing between two looks is missed.
                for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        peaks[process.pid] = int(line.split()[1]) * 1024


def main(notebook: Path) -> dict[str, bool | int | str]:
    """Run the notebook; return what was seen."""
    blocked = network_is_blocked()
    if blocked:
        raise_loopback()
    ended, peaks = threading.Event(), {}
    watcher = threading.Thread(target=watch_memory, args=(ended, peaks))
    watcher.start()
    try:
        # --nbval-lax compares the cells marked NBVAL_CHECK_OUTPUT and runs the others. The kernel
        # is a warm one, unless the environment says AUTOGRADER_KERNELS=cold.
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-cell-timeout=300",
                 "--nbval-kernel-name", "python3-warm", "-p", "no:cacheprovider",
                 "--rootdir", folder, "-o", "addopts=", str(notebook)],
                cwd=notebook.parent, capture_output=True, text=True, check=False,
            )  # fmt: skip
    finally:
        ended.set()
        watcher.join()
    return {
        "blocked": blocked,
        "peak_bytes": max(peaks.values(), default=0),
        "returncode": done.returncode,
        "output": done.stdout[-3000:] + done.stderr[-1000:],
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).resolve())))
