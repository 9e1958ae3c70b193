"""A thousand kernels, one forkserver: nothing grows, nothing is left."""

import asyncio
import gc
import os
from pathlib import Path

import pytest

from tests.kernels.rooms import (
    control_groups,
    descriptors,
    kernel,
    living,
    run_cell,
    until,
)
from tests.kernels.test_forkserver import fork_request

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]
KERNELS = int(os.environ.get("STRESS_KERNELS", "1000"))
AT_ONCE = 4
WARM_UP = KERNELS // 5  # caches and pools have their size by then
MOST_GROWTH = 8_000_000  # bytes, over all kernels after that


def memory(pid):
    """Private memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no figure")


async def one(server, number):
    """Start a kernel, use it, end it: most of them politely."""
    if number % 50 == 20:
        fork_request(server, wait=0.002 * (number % 40))  # the client has gone
        return "gone"
    manager = kernel(server)
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        if number % 50 == 30:
            manager.provisioner.room.close()  # gone, while the kernel starts
            return "gone"
        await client.wait_for_ready(timeout=60)
        if number % 50 == 40:
            room = manager.provisioner.room
            client.execute("import os; os.kill(os.getpid(), 9)")
            while room.poll() is None:
                await asyncio.sleep(0.02)
            assert room.exit_code == -9
            return "killed"
        assert await run_cell(client, f"print({number} + 1)") == (f"{number + 1}\n", "")
        return "ended"
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def many(server, numbers):
    waiting = iter(numbers)
    how = []

    async def work():
        for number in waiting:
            how.append(await one(server, number))

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return how


def at_rest(server):
    gc.collect()
    assert until(lambda: not living(server), 20)
    assert until(lambda: not control_groups(server), 20)
    return {
        "descriptors": descriptors(server.pid),
        "own descriptors": len(os.listdir("/proc/self/fd")),
        "folder": sorted(path.name for path in server.folder.iterdir()),
    }


def test_a_thousand_kernels(own_server):
    pid = own_server.pid
    how = asyncio.run(many(own_server, range(WARM_UP)))
    before, memory_before = at_rest(own_server), memory(pid)
    how += asyncio.run(many(own_server, range(WARM_UP, KERNELS)))
    after, memory_after = at_rest(own_server), memory(pid)
    print(f"{len(how)} kernels, {memory_before} then {memory_after} bytes, {after}")
    assert own_server.pid == pid, "it was started again"
    assert len(how) == KERNELS
    assert how.count("killed") >= KERNELS // 50
    assert how.count("gone") >= KERNELS // 50
    assert after["own descriptors"] <= before.pop("own descriptors") + 4
    after.pop("own descriptors")
    assert after == before
    assert memory_after - memory_before < MOST_GROWTH
