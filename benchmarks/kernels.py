"""How long a kernel takes until its first cell is done, warm in a sandbox and cold.

Run ``python -m benchmarks.kernels``; it writes ``results/kernels.json``. Measured in turn for both:
asked for → ready → first cell (``import keras``) done → shut down. The cold kernel is an ordinary
one with compiled bytecode.
"""

import argparse
import asyncio
import datetime
import json
import os
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from autograder.kernels.client import LIBRARY_SETTINGS, Forkserver
from autograder.kernels.manager import RoomManager
from autograder.kernels.room_paths import read_only_paths
from autograder.kernels.watchdog import processes_below
from benchmarks.recording import RESULTS, machine

RUNS = 20
CELL = "import keras"
MOST_SECONDS = 0.6  # until the first cell is done, warm
MOST_MEGABYTES = 60  # private memory of a warm kernel before student code
_STEPS = ("ready", "first_cell", "shutdown")
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/home/student", **LIBRARY_SETTINGS}


def warm_manager(server: Forkserver) -> RoomManager:
    """Manager of a kernel in a sandboxed room."""
    settings = {"environment": _ENVIRONMENT, "shown": read_only_paths(), "submission": True}
    return RoomManager(lambda wanted: server.fork({**settings, **wanted}), server.new_folder)


def cold_manager() -> AsyncKernelManager:
    """Manager of an ordinary kernel."""
    return AsyncKernelManager(kernel_name="python3")


async def measure(
    manager: AsyncKernelManager, look: Callable[[], Awaitable[None]] | None = None
) -> dict[str, float]:
    """Start a kernel, import Keras in its first cell, shut it down.

    Parameters
    ----------
    manager : jupyter_client.AsyncKernelManager
        Of a kernel that has not been started.
    look : callable, optional
        Called when the kernel is ready.

    Returns
    -------
    dict
        Seconds from the start until ready and until the cell is done; seconds of the shutdown.
    """
    environment = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    await manager.start_kernel(env=environment, **quiet)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=120)
        ready = time.perf_counter()
        if look is not None:
            await look()
        waited = time.perf_counter() - ready
        reply = await client.execute_interactive(CELL, timeout=120, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]
        done = time.perf_counter() - waited
    finally:
        client.stop_channels()
        ending = time.perf_counter()
        await manager.shutdown_kernel(now=isinstance(manager, RoomManager))
    return {
        "ready": ready - started,
        "first_cell": done - started,
        "shutdown": time.perf_counter() - ending,
    }


def memory_of(pid: int) -> dict[str, float]:
    """Memory of a room, all its processes together, in MB: private pages, and its fair share."""
    total = {"private": 0.0, "proportional": 0.0}
    for process in processes_below(pid):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            name, _, size = line.partition(":")
            kind = {"Private_Clean": "private", "Private_Dirty": "private", "Pss": "proportional"}
            if name in kind:
                total[kind[name]] += int(size.split()[0]) * 1024 / 1e6
    return total


async def run(runs: int) -> dict[str, Any]:
    """Measure both kinds of kernels in turn."""
    server = Forkserver()
    began = time.perf_counter()
    server.start()
    start = time.perf_counter() - began
    seen: dict[str, list[dict[str, float]]] = {"warm": [], "cold": []}
    memory: list[dict[str, float]] = []
    try:
        await measure(warm_manager(server))
        await measure(cold_manager())  # both once, for the bytecode and the disk cache
        for _ in range(runs):
            manager = warm_manager(server)

            async def look(manager: RoomManager = manager) -> None:
                memory.append(memory_of(manager.provisioner.room.pid))

            seen["warm"].append(await measure(manager, look))
            seen["cold"].append(await measure(cold_manager()))
    finally:
        server.stop()
    return {
        "benchmark": "kernels",
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "runs": runs,
        "cell": CELL,
        "forkserver_start_seconds": round(start, 2),
        **{
            kind: {step: _summary([one[step] for one in figures], 3) for step in _STEPS}
            for kind, figures in seen.items()
        },
        "warm_memory_mb": {kind: _summary([one[kind] for one in memory], 1) for kind in memory[0]},
    }


def _summary(values: list[float], digits: int) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
    }


def main() -> int:
    """Measure, print, write; 1 if a warm kernel takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--no-record", action="store_true", help="do not write the results file")
    options = parser.parse_args()
    record = asyncio.run(run(options.runs))
    print(f"medians of {options.runs}, {os.cpu_count()} processors")
    print(f"{'kernel':12}{'ready':>9}{'first cell':>12}{'shutdown':>10}")
    for kind in ("warm", "cold"):
        figures = [record[kind][step]["median"] for step in _STEPS]
        print(f"{kind:12}{figures[0]:>8.2f}s{figures[1]:>11.2f}s{figures[2]:>9.2f}s")
    private = record["warm_memory_mb"]["private"]["median"]
    print(f"private memory of a warm kernel before its first cell: {private:.0f} MB")
    if not options.no_record:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "kernels.json").write_text(json.dumps(record, indent=1) + "\n")
    held = record["warm"]["first_cell"]["median"] <= MOST_SECONDS and private <= MOST_MEGABYTES
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
