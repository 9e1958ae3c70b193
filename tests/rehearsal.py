"""Try answers to a lesson's exercises, cell by cell in one kernel, without the experiments."""

import os
import tomllib
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.authoring.source import read_source
from autograder.running import VerdictClient, is_test_cell

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted(path.stem for path in (ROOT / "solutions").glob("*/*.py"))


def variants(name: str) -> dict[str, list[dict[str, str]]]:
    """Wrong and other-style answers of a lesson."""
    path = ROOT / "tests" / "variants" / f"{name}.toml"
    # Without the file the test that counts variants fails, and says which exercise has too few.
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


class Rehearsal:
    """One kernel in which answers to one lesson are tried."""

    def __init__(self, name: str) -> None:
        self.source = read_source(ROOT / "solutions" / name / f"{name}.py")
        lesson = nbformat.read(ROOT / "lessons" / name / f"{name}.ipynb", as_version=4)
        self.stubs = {cell.id: cell.source for cell in lesson.cells if _is_answer(cell)}
        self.client = VerdictClient(self.source, allow_errors=True, timeout=120)
        environment = dict(os.environ, COURSE_SCALE="grading", TF_CPP_MIN_LOG_LEVEL="2")
        self._setup = self.client.setup_kernel(env=environment)
        self._setup.__enter__()

    def close(self) -> None:
        """Stop the kernel."""
        self._setup.__exit__(None, None, None)

    @property
    def tests(self) -> dict[str, float]:
        """Exercises with a test cell and their points."""
        return {
            cell.id.removeprefix("test_"): float(cell.metadata.nbgrader.points)
            for cell in self.source.cells
            if is_test_cell(cell)
        }

    def attempt(self, exercise: str, answer: str | None = None, *, seed: str = "rehearsal"):
        """Answer one exercise and run its test cell in a clean namespace.

        Parameters
        ----------
        exercise : str
            Name of the answer cell.
        answer : str, optional
            Source of the answer cell; the solution's if omitted.
        seed : str
            Seed of the hidden checks' inputs.

        Returns
        -------
        ExerciseVerdict or None
            None if the test cell gave no verdict.
        """
        self._run("get_ipython().reset(new_session=False)")
        for index, cell in enumerate(self.source.cells):
            if is_test_cell(cell):
                if cell.id == f"test_{exercise}":
                    shadow = NotebookNode(cell)
                    verdicts = self.client.run_cell(shadow, index, seed=seed)
                    return verdicts[0] if verdicts else None
                continue
            if cell.cell_type != "code" or "nbgrader" not in cell.metadata:
                continue
            source = answer if answer is not None and cell.id == exercise else cell.source
            self._run(source)
        raise KeyError(f"there is no test cell test_{exercise}")

    def _run(self, source: str) -> None:
        cell = nbformat.v4.new_code_cell(source)
        index = len(self.source.cells)
        # nbclient writes the cell it ran into the notebook: give it a place of its own.
        self.client.nb.cells.append(cell)
        try:
            self.client.execute_cell(cell, index, store_history=False)
        finally:
            self.client.nb.cells.pop()


def _is_answer(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))
