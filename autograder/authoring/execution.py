"""Run a solution notebook from the top, and look at what came out."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from autograder.authoring.source import LANGUAGE_INFO
from autograder.kernels.provisioner import WarmManager
from autograder.running import VerdictClient

MAX_BYTES = 500_000
CELL_SECONDS = 300


class ExecutionError(Exception):
    """A cell of a solution notebook failed, or left something that must not be published."""


def execute(
    notebook: NotebookNode,
    *,
    name: str,
    folder: Path,
    on_cell: Callable[[int, int], None] | None = None,
) -> NotebookNode:
    """Execute a solution notebook in place.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As :func:`autograder.authoring.source.read_source` returns it.
    name : str
        Name of the lesson, for messages.
    folder : pathlib.Path
        Working directory of the kernel.
    on_cell : callable, optional
        Called with (cells done, cells in all).

    Returns
    -------
    nbformat.NotebookNode
        The same notebook with outputs.

    Raises
    ------
    ExecutionError
        If a cell fails, writes to stderr or shows a picture without alt text, or a test cell does
        not give the solution all its points. The message names lesson, cell and error.
    """
    environment = dict(os.environ, COURSE_SCALE=os.environ.get("COURSE_SCALE", "quick"))
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    client = VerdictClient(
        notebook,
        timeout=CELL_SECONDS,
        record_timing=False,
        # The notebook goes on to name an ordinary kernel.
        kernel_manager_class=WarmManager,
        resources={"metadata": {"path": str(folder)}},
    )
    # In how many pieces a text arrives is chance, and would be a change in every build.
    coalesce = CoalesceStreamsPreprocessor()
    total = len(notebook.cells)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with client.setup_kernel(env=environment, **quiet):
        for index, cell in enumerate(notebook.cells):
            where = f"{name}, cell {index + 1} ({cell.id})"
            try:
                verdicts = client.run_cell(cell, index, seed="solution")
            except CellExecutionError as error:
                raise ExecutionError(f"{where}: {error.ename}: {error.evalue}") from None
            except CellTimeoutError:
                raise ExecutionError(f"{where}: still running after {CELL_SECONDS} s") from None
            except DeadKernelError:
                raise ExecutionError(f"{where}: the kernel died") from None
            except ValueError as error:
                raise ExecutionError(f"{where}: {error}") from None
            _look_at(cell, where)
            coalesce.preprocess_cell(cell, {}, index)
            if verdicts is not None:
                _must_be_full(cell, verdicts, where)
            if on_cell is not None:
                on_cell(index + 1, total)
    # The kernel's own entry names the Python version, which differs between machines.
    notebook.metadata["language_info"] = NotebookNode(LANGUAGE_INFO)
    return notebook


def _look_at(cell: NotebookNode, where: str) -> None:
    for output in cell.get("outputs", []):
        if output.output_type == "stream" and output.name == "stderr":
            line = output.text.strip().splitlines()[0][:200] if output.text.strip() else ""
            raise ExecutionError(f"{where}: wrote to stderr: {line}")
        for kind in output.get("data", {}):
            if kind.startswith("image/") and not output.metadata.get(kind, {}).get("alt", ""):
                raise ExecutionError(
                    f"{where}: shows a picture without alt text; use autograder.figures.show"
                )


def _must_be_full(cell: NotebookNode, verdicts: list, where: str) -> None:
    possible = float(cell.metadata.nbgrader.points)
    declared = sum(verdict.possible for verdict in verdicts)
    earned = sum(verdict.points for verdict in verdicts)
    if not verdicts:
        raise ExecutionError(f"{where}: gave no verdict; end it with exercise.score()")
    if declared != possible:
        raise ExecutionError(
            f"{where}: Exercise(points={declared:g}) but the cell's metadata says {possible:g}"
        )
    if earned != possible:
        findings = "; ".join(
            f"{finding.label}: {finding.message}"
            for verdict in verdicts
            for finding in verdict.findings
        )
        raise ExecutionError(f"{where}: the solution earns {earned:g} of {possible:g}: {findings}")
