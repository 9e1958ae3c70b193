"""Solution notebooks from the top: outputs as committed, no network, within the budget."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.rehearsal import LESSONS

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]
MAX_PEAK_BYTES = 2_000_000_000


def solution(name):
    return ROOT / "solutions" / name / f"{name}.ipynb"


def nbval(path):
    # --nbval-lax compares the cells marked NBVAL_CHECK_OUTPUT and runs the others. The kernel is a
    # warm one, unless the environment says AUTOGRADER_KERNELS=cold.
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-cell-timeout=300",
         "--nbval-kernel-name", "python3-warm", "-p", "no:cacheprovider",
         "--rootdir", str(path.parent), "-o", "addopts=", str(path)],
        cwd=path.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", LESSONS)
def test_nbval(name, tmp_path):
    path = tmp_path / f"{name}.ipynb"
    shutil.copy(solution(name), path)
    done = nbval(path)
    assert done.returncode == 0, done.stdout[-3000:]


def test_nbval_sees_a_changed_output(tmp_path):
    """The check above can fail: a figure altered in a marked cell is found."""
    notebook = json.loads(solution(LESSONS[0]).read_bytes())
    marked = next(
        index
        for index, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and "NBVAL_CHECK_OUTPUT" in "".join(cell["source"])
    )
    # Everything up to the first marked cell is enough.
    notebook["cells"] = notebook["cells"][: marked + 1]
    cell = notebook["cells"][marked]
    assert cell["outputs"], "a marked cell without output checks nothing"
    output = cell["outputs"][0]
    text = "".join(output["text"])
    digit = next(character for character in text if character.isdigit())
    output["text"] = [text.replace(digit, str((int(digit) + 1) % 10))]
    path = tmp_path / "altered.ipynb"
    path.write_text(json.dumps(notebook))
    assert nbval(path).returncode == 1


def namespaces_work():
    return shutil.which("unshare") and (
        subprocess.run(
            ["unshare", "--map-root-user", "--net", "true"], capture_output=True, check=False
        ).returncode == 0
    )  # fmt: skip


@pytest.mark.parametrize("name", LESSONS)
def test_offline_and_within_memory(name):
    if not namespaces_work():
        pytest.skip("network namespaces are not available here (listed in tests/README.md)")
    environment = {key: value for key, value in os.environ.items() if key != "COURSE_SCALE"}
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", sys.executable,
         str(Path(__file__).with_name("offline.py")), str(solution(name))],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    print(f"{name}: {seen}")
    assert seen["blocked"]
    assert seen["peak_bytes"] < MAX_PEAK_BYTES
