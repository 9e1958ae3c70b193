"""A scheduler and workers of somebody else, as processes of their own, over TLS.

The worker knows neither the course nor its gradebook: it is started elsewhere, and is sent bytes.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from distributed.security import Security

from autograder.assignment.seeds import course_secret
from tests import plain_course
from tests.gradebooks import dump, graded_tree

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to see processes"),
]
DASK = str(Path(sys.executable).parent / "dask")
PARTS = {"ca": "ca_file", "cert": "cert", "key": "key"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Certificate files; the same for all three, as in Dask's own quick start."""
    folder = tmp_path_factory.mktemp("keys")
    parts = Security.temporary().get_tls_config_for_role("client")
    files = {}
    for name, part in PARTS.items():
        files[name] = folder / f"{name}.pem"
        files[name].write_text(parts[part])
        files[name].chmod(0o600)
    return files


@pytest.fixture(scope="module")
def address(keys, tmp_path_factory):
    """A scheduler with one worker, which runs two submissions at a time."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]
    address = f"tls://127.0.0.1:{port}"
    tls = ["--tls-ca-file", keys["ca"], "--tls-cert", keys["cert"], "--tls-key", keys["key"]]
    commands = [
        [DASK, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--protocol", "tls",
         "--no-dashboard", "--no-show", *tls],
        [DASK, "worker", address, "--nthreads", "4", "--resources", "submissions=2",
         "--preload", "autograder.workers.worker", "--no-dashboard", "--host", "127.0.0.1", *tls],
    ]  # fmt: skip
    with contextlib.ExitStack() as stack:
        for number, command in enumerate(commands):
            log = stack.enter_context((elsewhere / f"log{number}").open("w"))
            process = subprocess.Popen(
                list(map(str, command)), cwd=elsewhere, stdout=log, stderr=subprocess.STDOUT
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        yield address


def grade(course, *words):
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "--course", str(course), "grade",
         plain_course.ASSIGNMENT, "--json", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done, {row["student"]: row for row in rows}


def test_the_same_class_there_and_here(keys, address, tmp_path):
    course = plain_course.make(tmp_path / "course")
    course_secret(course)  # the same inputs for both
    plain_course.hand_in(course, "ada")
    plain_course.hand_in(course, "ben", total="def total(numbers):\n    return 3")
    plain_course.hand_in(course, "eve", total="import os\nos._exit(3)")
    here = shutil.copytree(course, tmp_path / "here")
    tls = ["--tls-ca", keys["ca"], "--tls-cert", keys["cert"], "--tls-key", keys["key"]]
    there_done, there_rows = grade(course, "--scheduler", address, *tls)
    here_done, here_rows = grade(here)
    assert there_done.returncode == here_done.returncode == 0, there_done.stderr
    assert len(there_rows) == 3
    for rows in (there_rows, here_rows):
        for row in rows.values():
            row.pop("seconds", None)
    assert there_rows == here_rows
    books = [dump(f"sqlite:///{place / 'gradebook.db'}") for place in (course, here)]
    for table in books[0]:
        assert books[0][table] == books[1][table], table
    assert graded_tree(course / "autograded") == graded_tree(here / "autograded")


def test_without_keys_nobody_gets_in(address, tmp_path):
    course = plain_course.make(tmp_path / "course")
    plain_course.hand_in(course, "ada")
    done, rows = grade(course, "--scheduler", address)
    assert done.returncode == 1
    assert not rows
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert address in line
