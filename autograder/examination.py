"""Run one submission and bring home an explicit verdict for every test cell."""

import copy
import dataclasses
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import find_all_files
from traitlets import Integer

from autograder.checks.verdicts import ExerciseVerdict
from autograder.running import QUIET, VerdictError, VerdictMixin, is_test_cell
from autograder.seeds import course_secret, submission_seed

# How often a crashed kernel is started again for the exercises that come after the crash.
RESTARTS = 3
MAX_OUTPUT_CHARACTERS = 200_000


@dataclasses.dataclass
class CellVerdict:
    """What a test cell gives, in points of its cell.

    Attributes
    ----------
    exercise : str
        Name of the exercise; the cell's own name where no verdict came back.
    points, possible : float
        Earned and possible points.
    remark : str
        Why there is no verdict, in words for student and instructor; empty otherwise.
    hints : list of str
        Ids of the mistakes that were found, in order, each once.
    findings : list of dict
        The failed checks: label, hint_id, message, hidden.
    """

    exercise: str
    points: float
    possible: float
    remark: str
    hints: list[str]
    findings: list[dict[str, Any]]


class Examine(VerdictMixin, Execute):
    """Takes the place of nbgrader's ``Execute``.

    A cell that fails, never ends or kills the kernel costs the exercise it belongs to, not the
    rest: after a crash the earlier cells are run again in a fresh kernel. Scores are read from
    verdicts alone; what cells print, on whatever stream, does not matter.
    """

    # Sections `c.Examine` and nbgrader's `c.Execute` both apply: timeout, kernel_name, …
    notebook_seconds = Integer(
        600, help="seconds after which the remaining cells of a notebook are not run"
    ).tag(config=True)
    extra_arguments = QUIET
    shutdown_kernel = "immediate"

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all cells, unless somebody has done so ahead of nbgrader's turn."""
        self._check_assign_resources(resources)
        place = resources["nbgrader"]
        root = Path(self.parent.parent.coursedir.root)
        seed = seed_of(nb, root, place["assignment"], place["student"])
        examined = _examined.pop(seed, None)
        if examined is None:
            folder = Path(resources["metadata"]["path"])
            examined = self.examine(nb, seed, files=attachments(folder, []))
        return examined, resources

    def examine(
        self,
        nb: NotebookNode,
        seed: str,
        *,
        files: Mapping[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> NotebookNode:
        """Run a sanitised submission; needs no gradebook and no course folder.

        Parameters
        ----------
        nb : nbformat.NotebookNode
            A sanitised submission; changed in place.
        seed : str
            Seed of the inputs that hidden checks draw.
        files : mapping of str to pathlib.Path, optional
            Other files of the submission, by their place in the kernel's working directory.
        environment : mapping of str to str, optional
            Environment of the kernel; :func:`kernel_environment` if omitted. Threads must be given
            one: nbgrader empties ``os.environ`` for a moment while it works.

        Returns
        -------
        nbformat.NotebookNode
            The same notebook with outputs; ``metadata.autograder`` holds ``verdicts`` (test cell →
            :class:`CellVerdict` as a dict), ``seconds`` and ``notes``.
        """
        NotebookClient.__init__(self, nb)
        self.reset_execution_trackers()
        self._deadline = time.monotonic() + self.notebook_seconds
        self._killers: set[int] = set()
        # A folder of its own: the one that nbgrader works in holds the hidden tests.
        scratch = tempfile.TemporaryDirectory(prefix="examination-", ignore_cleanup_errors=True)
        for name, path in (files or {}).items():
            copy = Path(scratch.name) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        self._kernel_options = {
            "env": dict(environment or kernel_environment()),
            "cwd": scratch.name,
            # What C libraries write past the notebook is nobody's news at the terminal.
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }
        started = time.monotonic()
        verdicts: dict[str, CellVerdict] = {}
        notes = nb.metadata.autograder.notes
        with scratch, self.setup_kernel(**self._kernel_options):
            for index, cell in enumerate(nb.cells):
                if cell.cell_type != "code":
                    continue
                found, remark = self._examine(cell, index, seed)
                if not is_test_cell(cell):
                    notes.extend(_note(cell, remark))
                else:
                    verdict = _cell_verdict(cell, found, remark)
                    verdicts[cell.metadata.nbgrader.grade_id] = verdict
                    _hide_traceback(cell)
        nb.metadata.autograder["seconds"] = round(time.monotonic() - started, 1)
        nb.metadata.autograder["verdicts"] = {
            name: dataclasses.asdict(verdict) for name, verdict in verdicts.items()
        }
        return nb

    def cancel(self) -> None:
        """Kill the kernel and start no other; safe to call from another thread."""
        self._deadline = 0.0
        provisioner = getattr(self.km, "provisioner", None)
        process = getattr(provisioner, "process", None)
        if process is not None:
            process.kill()

    def _examine(
        self, cell: NotebookNode, index: int, seed: str
    ) -> tuple[list[ExerciseVerdict] | None, str]:
        if self.kc is None:
            return None, "not run: the kernel died too often"
        if time.monotonic() > self._deadline:
            return None, f"not run: the notebook took more than {self.notebook_seconds} s"
        self._characters = 0
        try:
            return self.run_cell(cell, index, seed=seed), self._timeout_remark(cell)
        except VerdictError as error:
            return None, self._timeout_remark(cell) or f"no verdict: {error}"
        except (DeadKernelError, CellTimeoutError) as error:
            if isinstance(error, DeadKernelError):
                remark = "the kernel died: a crash, or more memory than there is"
            else:
                remark = f"still running after {self.timeout} s and could not be interrupted"
            cell.outputs = [*cell.get("outputs", []), _error("DeadKernelError", remark)]
            self._killers.add(index)
            self._start_again(index)
            return None, remark

    def _timeout_remark(self, cell: NotebookNode) -> str:
        if any(output.get("ename") == "CellTimeoutError" for output in cell.outputs):
            return f"stopped after {self.timeout} s: a loop that never ends?"
        return ""

    def _start_again(self, index: int) -> None:
        """Start a fresh kernel and run the cells before `index` again, but for the killers."""
        self._cleanup_kernel()
        while len(self._killers) <= RESTARTS and time.monotonic() < self._deadline:
            self.km = self.create_kernel_manager()
            self.start_new_kernel(**self._kernel_options)
            self.start_new_kernel_client()
            for earlier in range(index):
                cell = self.nb.cells[earlier]
                if cell.cell_type != "code" or is_test_cell(cell) or earlier in self._killers:
                    continue
                if self._timeout_remark(cell):
                    continue
                shadow = copy.deepcopy(cell)
                try:
                    self.execute_cell(shadow, earlier, store_history=True)
                except (DeadKernelError, CellTimeoutError):
                    self._killers.add(earlier)
                    self._cleanup_kernel()
                    break
                finally:
                    # execute_cell puts what it ran into the notebook: keep the first outputs.
                    self.nb.cells[earlier] = cell
            else:
                return

    def _cleanup_kernel(self) -> None:
        # The context manager of nbclient cleans up once more at the end.
        if self.km is not None:
            super()._cleanup_kernel()

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str, cell_index: int
    ) -> NotebookNode | None:
        """Keep an output unless the cell has already said more than anybody will read."""
        self._characters += len(str(msg["content"]))
        if self._characters > MAX_OUTPUT_CHARACTERS and msg["msg_type"] != "error":
            return None
        return super().output(outs, msg, display_id, cell_index)


_examined: dict[str, NotebookNode] = {}


def keep_examined(seed: str, nb: NotebookNode) -> None:
    """Keep an examined notebook for the moment when nbgrader asks for it."""
    _examined[seed] = nb


def attachments(folder: Path, ignore: list[str]) -> dict[str, Path]:
    """Files that came with a submission, without notebooks and what the course ignores.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of one submission.
    ignore : list of str
        Patterns of names, as in ``CourseDirectory.ignore``.

    Returns
    -------
    dict of str to pathlib.Path
        Place below the folder → file. Links are left out: they may point anywhere.
    """
    found = find_all_files(str(folder), [*ignore, "*.ipynb"])
    paths = (Path(name) for name in found)
    return {str(path.relative_to(folder)): path for path in paths if not path.is_symlink()}


def seed_of(nb: NotebookNode, root: Path, assignment: str, student: str) -> str:
    """Seed of a sanitised submission in a course."""
    return submission_seed(course_secret(root), assignment, student, nb)


def kernel_environment() -> dict[str, str]:
    """Environment of a student's kernel while it is graded."""
    environment = {**os.environ, "COURSE_SCALE": "grading", "NBGRADER_EXECUTION": "autograde"}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # A module in the folder of a submission must not take the place of a library.
    environment["PYTHONSAFEPATH"] = "1"
    return environment


def _cell_verdict(
    cell: NotebookNode, verdicts: list[ExerciseVerdict] | None, remark: str
) -> CellVerdict:
    name = cell.metadata.nbgrader.grade_id
    possible = float(cell.metadata.nbgrader.points)
    if not verdicts:
        remark = remark or _failure(cell) or "the test cell ended without a verdict"
        return CellVerdict(name.removeprefix("test_"), 0.0, possible, remark, [], [])
    declared = sum(verdict.possible for verdict in verdicts)
    share = sum(verdict.points for verdict in verdicts) / declared if declared else 0.0
    findings = [finding for verdict in verdicts for finding in verdict.findings]
    return CellVerdict(
        exercise=verdicts[0].exercise,
        points=round(min(max(share, 0.0), 1.0) * possible, 2),
        possible=possible,
        remark=remark,
        hints=list(dict.fromkeys(finding.hint_id for finding in findings)),
        findings=[dataclasses.asdict(finding) for finding in findings],
    )


def _note(cell: NotebookNode, remark: str) -> list[str]:
    """What went wrong in an answer cell; the rest of a notebook is the student's own business."""
    nbgrader = cell.metadata.get("nbgrader")
    if not nbgrader:
        return []
    if not remark:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        attempted = [error for error in errors if error.ename != "NotImplementedError"]
        remark = f"the cell stops with {attempted[0].ename}" if attempted else ""
    return [f"{nbgrader.grade_id}: {remark}"] if remark else []


def _failure(cell: NotebookNode) -> str:
    for output in cell.outputs:
        if output.output_type == "error":
            return f"the test cell stopped with {output.ename}"
    return ""


def _error(name: str, text: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def _hide_traceback(cell: NotebookNode) -> None:
    """A traceback through a test cell shows the source of hidden tests: keep its last line only."""
    for output in cell.outputs:
        if output.output_type == "error":
            output.traceback = [f"{output.ename}: stopped in the test cell"]
            output.evalue = ""
