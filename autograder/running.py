"""Run cells in a kernel, and ask for the verdict of each test cell.

The verdict comes back in the reply to a request of its own, never in what a cell prints.
"""

import ast
import secrets
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_async, run_sync
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from autograder.checks.verdicts import ExerciseVerdict, read_verdict

_CHECKS = "__import__('autograder.checks', fromlist=['checks'])"
REPLY_SECONDS = 30
# A kernel's own warnings (its transport, a missing history file) are no news to anybody.
QUIET = ["--IPKernelApp.log_level=40"]


class VerdictError(ValueError):
    """A test cell ran, but what came back is no verdict."""


def is_test_cell(cell: NotebookNode) -> bool:
    """Tell whether a cell is graded by running it: code, graded, not an answer itself."""
    nbgrader = cell.metadata.get("nbgrader", {})
    return bool(cell.cell_type == "code" and nbgrader.get("grade") and not nbgrader.get("solution"))


class VerdictMixin:
    """What a :class:`nbclient.NotebookClient` needs to bring verdicts home."""

    def run_cell(
        self, cell: NotebookNode, index: int, *, seed: str
    ) -> list[ExerciseVerdict] | None:
        """Run one cell; return the verdicts if it is a test cell, None otherwise.

        Parameters
        ----------
        cell : nbformat.NotebookNode
            Cell `index` of the notebook; its outputs are filled in.
        index : int
            Position in the notebook.
        seed : str
            Seed of the inputs that hidden checks draw.

        Raises
        ------
        VerdictError
            If a test cell gave something else than a verdict.
        nbclient.exceptions.CellExecutionError, CellTimeoutError, DeadKernelError
            As in :meth:`nbclient.NotebookClient.execute_cell`.
        """
        if not is_test_cell(cell):
            self.execute_cell(cell, index, store_history=True)
            return None
        token = secrets.token_hex(16)
        self._ask(f"{_CHECKS}.open_verdict({token!r}, {seed!r})")
        self.execute_cell(cell, index, store_history=True)
        answer = self._ask(f"{_CHECKS}.close_verdict({token!r})")
        try:
            return read_verdict(str(ast.literal_eval(answer)), token)
        except (ValueError, SyntaxError) as error:
            raise VerdictError(str(error)) from None

    async def _async_ask(self, expression: str) -> str:
        """Evaluate an expression in the kernel and return its repr."""
        try:
            reply: dict[str, Any] = await ensure_async(
                self.kc.execute(
                    "",
                    silent=True,
                    store_history=False,
                    user_expressions={"answer": expression},
                    reply=True,
                    timeout=REPLY_SECONDS,
                )
            )
        except TimeoutError:
            # It died between two cells, or something in the background keeps it from answering.
            raise DeadKernelError("the kernel does not answer") from None
        answer = reply["content"].get("user_expressions", {}).get("answer", {})
        if answer.get("status") != "ok":
            problem = f"{answer.get('ename', 'no answer')}: {answer.get('evalue', '')}"
            raise VerdictError(f"the kernel could not give a verdict ({problem})")
        return answer["data"]["text/plain"]

    _ask = run_sync(_async_ask)


class VerdictClient(VerdictMixin, NotebookClient):
    """Runs an author's notebook; stops at the first error."""

    def __init__(self, nb: NotebookNode, **kwargs: Any) -> None:
        kwargs.setdefault("kernel_manager_class", AsyncKernelManager)
        kwargs.setdefault("extra_arguments", QUIET)
        super().__init__(nb, **kwargs)
        self.reset_execution_trackers()
