"""Execute a notebook where there is no network at all, and say how much memory it took.

Run as ``unshare --map-root-user --net python tests/notebooks/offline.py NOTEBOOK``: a network
namespace of its own has nothing but a loopback device, which the kernel's sockets need.
"""

import fcntl
import json
import resource
import socket
import struct
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def raise_loopback() -> None:
    """Switch the loopback device of this network namespace on (what `ip link set lo up` does)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh", b"lo", 0)
        answer = fcntl.ioctl(handle, SIOCGIFFLAGS, request)
        flags = struct.unpack("16sh", answer)[1]
        if not flags & IFF_UP:
            fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


def network_is_blocked() -> bool:
    """Whether no address outside this machine can be reached: there is no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        try:
            handle.connect(("192.0.2.1", 9))  # TEST-NET-1: nobody is there; a route is looked up
        except OSError:
            return True
    return False


def main(path: Path) -> dict[str, float | bool]:
    """Run the notebook; return what was seen."""
    raise_loopback()
    blocked = network_is_blocked()
    notebook = nbformat.read(path, as_version=4)
    ends: list[float] = []
    started = time.monotonic()
    NotebookClient(
        notebook,
        timeout=3600,
        resources={"metadata": {"path": str(path.parent)}},
        shutdown_kernel="immediate",
        extra_arguments=["--IPKernelApp.log_level=40"],
        on_cell_executed=lambda **_: ends.append(time.monotonic()),
    ).execute()
    return {
        "blocked": blocked,
        "seconds": round(time.monotonic() - started, 1),
        # From the kernel's start to the end of the first code cell, which imports the libraries.
        "import_seconds": round(ends[0] - started, 1),
        "peak_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).resolve())))
