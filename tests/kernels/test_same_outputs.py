"""A warm kernel shows what a cold one shows, in every cell of every solution notebook."""

import copy
import os
import re

import pytest
from jupyter_client.manager import AsyncKernelManager

from autograder.authoring.source import read_source
from autograder.kernels.provisioner import WarmManager
from autograder.running import VerdictClient
from tests.conftest import ROOT
from tests.rehearsal import LESSONS

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]
# Times differ from run to run, and names of files and objects from process to process.
CHANCE = re.compile(
    r"\d+(\.\d+)? ?(s|ms|µs|us|seconds|min|minutes)\b|\d+(ms|s)/step|0x[0-9a-f]+|/tmp/\S+"
)


def outputs(notebook, manager):
    """What each code cell shows, text and pictures."""
    notebook = copy.deepcopy(notebook)
    client = VerdictClient(notebook, timeout=300, allow_errors=True, kernel_manager_class=manager)
    environment = dict(os.environ, COURSE_SCALE="grading", TF_CPP_MIN_LOG_LEVEL="2")
    shown = {}
    with client.setup_kernel(env=environment):
        if manager is WarmManager:
            assert client.km.provisioner.room is not None, "it was started cold"
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                client.run_cell(cell, index, seed="same")
                shown[cell.id] = _seen(cell.outputs)
    return shown


def _seen(shown):
    """Outputs without what differs by chance, among it into how many pieces a text is cut."""
    seen, streams = [], {}
    for output in shown:
        if output.output_type == "stream":
            streams[output.name] = streams.get(output.name, "") + output.text
        elif output.output_type == "error":
            seen.append((output.ename, CHANCE.sub("…", output.evalue)))
        else:
            seen.append({kind: CHANCE.sub("…", str(data)) for kind, data in output.data.items()})
    return seen, {name: CHANCE.sub("…", text) for name, text in streams.items()}


@pytest.mark.parametrize("name", LESSONS)
def test_outputs_are_those_of_a_cold_kernel(name):
    notebook = read_source(ROOT / "solutions" / name / f"{name}.py")
    warm = outputs(notebook, WarmManager)
    cold = outputs(notebook, AsyncKernelManager)
    other = {cell for cell in cold if warm[cell] != cold[cell]}
    if other:
        # Does it differ between two cold kernels too?
        again = outputs(notebook, AsyncKernelManager)
        other = {cell for cell in other if cold[cell] == again[cell]}
    assert {cell: (warm[cell], cold[cell]) for cell in other} == {}
    assert sum(seen != ([], {}) for seen in cold.values()) > 5
