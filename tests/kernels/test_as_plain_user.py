"""The walls and limits once more where rooms stand on user namespaces: as an ordinary user."""

import os
import subprocess
import sys
import tempfile

import pytest

from tests.conftest import ROOT

NOBODY = 65_534
AGAIN = ("test_sandbox.py", "test_limits.py")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", AGAIN)
def test_the_same_as_a_plain_user(name):
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("the other tests run as a plain user already")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        environment = {**os.environ, "HOME": folder, "TMPDIR": folder}
        # The tests come from the checkout, and what they try from the environment.
        environment.pop("PYTHONPATH", None)
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": ROOT}
        as_nobody |= {"env": environment, "capture_output": True, "text": True, "check": False}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
        command += ["--basetemp", f"{folder}/t", f"tests/kernels/{name}"]
        try:
            ready = subprocess.run([sys.executable, "-c", "import autograder, pytest"], **as_nobody)
        except PermissionError:
            pytest.skip("this Python cannot be read by other users")
        if ready.returncode:
            pytest.skip("this Python cannot be read by other users")
        done = subprocess.run(command, **as_nobody)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
