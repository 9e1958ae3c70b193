"""Functions that tests let workers run."""

import os
import signal
import sys
import threading
import time

from autograder.workers.turns import turn


def echo(payload):
    return payload


def fail(payload):
    raise ValueError(f"{payload.decode()}\nand more")


def fail_at_first(payload):
    """Fails the first time that it is called with a path, and makes the file."""
    try:
        os.close(os.open(payload, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return payload
    raise ConnectionError("not yet")


def kill(payload):
    """Ends its worker if the payload says so."""
    time.sleep(0.1)
    if payload == b"kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return payload


def exit_by_ctrl_c():
    """Ends its process with 0 if Ctrl-C means nothing to it, else with 1."""
    sys.exit(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)


def slow_echo(payload):
    time.sleep(1.5)
    return payload


def environment(payload):
    """Names in the environment of the worker, now and when it was started."""
    with open("/proc/self/environ", "rb") as file:
        born = [item.split(b"=")[0] for item in file.read().split(b"\0")]
    return b" ".join([*map(os.fsencode, os.environ), *born])


def threads(payload):
    time.sleep(0.3)
    return f"{os.getpid()} {threading.get_ident()}".encode()


def wait_for_ever(payload):
    time.sleep(600)


_there: list[int] = []
_running: list[int] = []


def turns(payload):
    """How many run at this moment, and how many are there, this one among them."""
    _there.append(1)
    try:
        time.sleep(0.2)
        with turn():
            _running.append(1)
            time.sleep(0.2)
            seen = f"{len(_running)} {len(_there)}"
            _running.pop()
    finally:
        _there.pop()
    return seen.encode()
