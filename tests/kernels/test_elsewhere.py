"""Where there is no Linux: writing and building lessons works, grading says what it needs."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# A Python as on another system, as far as imports can tell.
ELSEWHERE = """\
import sys
sys.platform = {platform!r}
for name in {absent!r}:
    sys.modules[name] = None
sys.path.insert(0, {root!r})
"""
SYSTEMS = [("darwin", ()), ("win32", ("fcntl", "resource", "pwd", "grp", "termios"))]


def run_elsewhere(system, code, folder):
    platform, absent = system
    head = ELSEWHERE.format(platform=platform, absent=absent, root=str(ROOT))
    # Libraries are imported first: it is our own modules that must not need Linux.
    first = "import asyncio, distributed, jupytext, jupyter_client, nbclient, nbgrader.api\n"
    return subprocess.run(
        [sys.executable, "-c", first + head + code],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system[0])
def test_kernels_start_cold(system, tmp_path):
    code = """
import asyncio
from autograder.kernels import linux, provisioner
from autograder.kernels.settings import Sandbox
assert not linux.AVAILABLE
assert Sandbox().preload
cold = []
async def launch(self, cmd, **kwargs):
    cold.append(cmd)
provisioner.LocalProvisioner.launch_kernel = launch
asyncio.run(provisioner.WarmProvisioner().launch_kernel(["python"]))
assert cold == [["python"]]
import autograder.authoring
"""
    done = run_elsewhere(system, code, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system[0])
def test_grading_says_what_it_needs(system, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        "import autograder\nc = get_config()\nautograder.configure(c)\n"
    )
    code = "from autograder.cli import main\nsys.exit(main(['grade', 'sums']))"
    done = run_elsewhere(system, code, tmp_path)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert "this is not Linux" in line
    assert not (tmp_path / ".autograder_secret").exists()


def test_a_room_is_refused_in_the_same_words(monkeypatch):
    from autograder.kernels import client, linux

    monkeypatch.setattr(linux, "AVAILABLE", False)
    with pytest.raises(client.KernelError, match="this is not Linux"):
        client.Forkserver(preload=()).start()
