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


def namespaces_work():
    return bool(shutil.which("unshare")) and (
        subprocess.run(
            ["unshare", "--map-root-user", "--net", "true"], capture_output=True, check=False
        ).returncode == 0
    )  # fmt: skip


def whole_run(path):
    """Run a notebook from the top, once, where there is no network if the system allows that."""
    apart = ["unshare", "--map-root-user", "--net"] if namespaces_work() else []
    environment = {key: value for key, value in os.environ.items() if key != "COURSE_SCALE"}
    runner = Path(__file__).with_name("whole_run.py")
    done = subprocess.run(
        [*apart, sys.executable, str(runner), str(path)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def whole_runs(tmp_path_factory):
    """Function that gives what came of a lesson's one run: three tests look at it."""
    seen = {}

    def get(name):
        if name not in seen:
            # In a folder of its own: a notebook must not need what lies beside it.
            path = tmp_path_factory.mktemp(name) / f"{name}.ipynb"
            shutil.copy(solution(name), path)
            seen[name] = whole_run(path)
        return seen[name]

    return get


@pytest.mark.parametrize("name", LESSONS)
def test_nbval(whole_runs, name):
    seen = whole_runs(name)
    assert seen["returncode"] == 0, seen["output"]


@pytest.mark.parametrize("name", LESSONS)
def test_it_ran_offline(whole_runs, name):
    if not namespaces_work():
        pytest.skip("network namespaces are not available here (listed in tests/README.md)")
    assert whole_runs(name)["blocked"]


@pytest.mark.parametrize("name", LESSONS)
def test_it_stayed_within_memory(whole_runs, name):
    peak = whole_runs(name)["peak_bytes"]
    print(f"{name}: {peak / 1e9:.2f} GB")
    assert 100_000_000 < peak < MAX_PEAK_BYTES  # less than that: somebody looked past the kernel


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
    assert whole_run(path)["returncode"] == 1
