"""Run one submission in two rooms, and bring home an explicit verdict for every test cell.

The student's cells run in a kernel of their own, test cells in an examiner that student code never
reaches. The two are joined by a socket over which only data travels, see :mod:`autograder.wire`.
"""

import asyncio
import base64
import contextlib
import copy
import dataclasses
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.utils import ensure_event_loop, run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from autograder.examination.answers import (
    error_output,
    limit_remark,
    limit_words,
    no_verdict,
    note,
    read_answer,
)
from autograder.examination.examiner_room import GRACE_SECONDS, ExaminerRoom, RoomLost
from autograder.kernels.client import (
    LIBRARY_SETTINGS,
    PRELOAD,
    Forkserver,
    KernelError,
    RoomProcess,
)
from autograder.kernels.limits import Limits
from autograder.kernels.manager import RoomManager
from autograder.kernels.room_paths import HOME, read_only_paths
from autograder.kernels.settings import Sandbox
from autograder.kernels.sharing import shared_forkserver
from autograder.running import is_test_cell
from autograder.workers.tasks import CellVerdict, Result, Task
from autograder.workers.turns import turn

# How often rooms are started again in one submission, for the exercises that come after a crash.
RESTARTS = 4
# A cell that loses its kernel is tried once more: the machine may have been at fault.
TRIES = 2
_ATTEMPTS = 3
_HIDDEN = re.compile(r"###\s*BEGIN HIDDEN TESTS")
_WORD = re.compile(r"\w+")
_SERVE = (
    "__import__('autograder.rooms.student', fromlist=['student'])"
    ".serve({link}, get_ipython().user_ns)"
)


def task_options(config: Config) -> tuple[dict[str, float], dict[str, Any]]:
    """Limits and settings of tasks that a course's configuration asks for."""
    sandbox = Sandbox(config=config)
    return sandbox.limits(), sandbox.settings()


def examine_task(payload: bytes, kind: "type[Examination] | None" = None) -> bytes:
    """Grade one sanitised notebook; needs no gradebook and no course folder.

    Parameters
    ----------
    payload : bytes
        A :class:`autograder.workers.tasks.Task`.
    kind : type, optional
        A class derived from :class:`Examination`, to be used in its place.

    Returns
    -------
    bytes
        A :class:`autograder.workers.tasks.Result`.

    Raises
    ------
    autograder.workers.tasks.TaskError
        If the payload is no task.
    autograder.kernels.client.KernelError
        If this machine cannot make rooms; the message says what to do.
    """
    task = Task.from_bytes(payload)
    attempt = 1
    while True:
        notebook = nbformat.from_dict(copy.deepcopy(task.notebook))
        try:
            return Result((kind or Examination)(notebook, task).run()).to_bytes(task)
        except KernelError:
            # The forkserver may have been killed, and is started anew; a machine that cannot make
            # rooms at all says so again.
            if attempt == _ATTEMPTS:
                raise
        time.sleep(0.5 * attempt)
        attempt += 1


class Examination(NotebookClient):
    """One submission on its way through the two rooms.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        Sanitised notebook; changed in place.
    task : autograder.workers.tasks.Task
        Names, files, seed, limits and settings.
    """

    def __init__(self, nb: NotebookNode, task: Task) -> None:
        limits = {**Sandbox().limits(), **task.limits}
        self._cell_seconds = float(limits.pop("cell_seconds"))
        self._submission_seconds = float(limits.pop("submission_seconds"))
        self._most_characters = int(limits.pop("output_characters"))
        super().__init__(
            nb,
            timeout=max(1, round(self._cell_seconds)),
            interrupt_on_timeout=True,
            error_on_timeout=_TIMEOUT,
            allow_errors=True,
            raise_on_iopub_timeout=True,
            record_timing=False,
            shutdown_kernel="immediate",
        )
        self._task = task
        self._limits = Limits(**limits)
        self._sandboxed = bool(task.settings.get("sandbox", True))
        self._server: Forkserver = shared_forkserver(task.settings.get("preload", PRELOAD))
        self._examiner: ExaminerRoom | None = None
        self._link: tuple[socket.socket, socket.socket] | None = None
        self._scratch: Path | None = None
        self._deaths: dict[int, int] = {}
        self._skipped: set[int] = set()
        self._timed_out: set[int] = set()
        self._restarts = 0
        self._exposed = False
        self._characters = 0

    def run(self) -> dict[str, Any]:
        """Run all cells.

        Returns
        -------
        dict
            The notebook with outputs; ``metadata.autograder`` holds ``verdicts`` (test cell →
            :class:`CellVerdict` as a dict), ``seconds``, ``notes`` and ``sandbox``.
        """
        self.reset_execution_trackers()
        verdicts: dict[str, CellVerdict] = {}
        about = self.nb.metadata.autograder
        try:
            self._open()
            with turn():
                started = time.monotonic()
                self._deadline = started + self._submission_seconds
                for index, cell in enumerate(self.nb.cells):
                    if cell.cell_type != "code":
                        continue
                    if is_test_cell(cell):
                        verdicts[cell.metadata.nbgrader.grade_id] = self._test(cell, index)
                    else:
                        about.notes.extend(note(cell, self._run_cell(cell, index)))
                about["seconds"] = round(time.monotonic() - started, 2)
        finally:
            self._close()
        about["sandbox"] = "room" if self._sandboxed else "none"
        about["verdicts"] = {
            name: dataclasses.asdict(verdict) for name, verdict in verdicts.items()
        }
        return self.nb

    # -- the student's cells

    def _run_cell(self, cell: NotebookNode, index: int) -> str:
        """Run a cell in the student room; return what the instructor should know about it."""
        remark = self._not_run() or self._run_student_cell(cell, index)
        # Whatever the student's room made of a set-up cell, the examiner's tests stand on it.
        if _is_set_up(cell) and self._examiner is not None:
            self._examiner.prepare(cell.source)
        return remark

    def _run_student_cell(self, cell: NotebookNode, index: int) -> str:
        while True:
            self._characters = 0
            try:
                self._run_in_student_room(cell, index)
            except RoomLost as error:
                remark = self._start_again(index, error)
                if remark is None:
                    continue
                cell.outputs = [*cell.get("outputs", []), error_output("DeadKernelError", remark)]
                # Whether the number of a cell that killed its kernel arrived is a matter of chance.
                cell.execution_count = None
                return remark
            return self._timeout_remark(index) or limit_remark(cell, self._limits)

    def _run_in_student_room(self, cell: NotebookNode, index: int) -> None:
        if self.kc is None or self._room is None:
            raise RoomLost("the kernel died")
        self._room.begin_cell()
        try:
            self.execute_cell(cell, index, store_history=True)
        except (DeadKernelError, CellTimeoutError) as error:
            raise RoomLost(self._why_lost(error)) from None
        except Exception as error:
            # The room can send anything in place of messages; nbclient does not expect that.
            raise RoomLost(f"the kernel sent what is no message ({type(error).__name__})") from None

    def _why_lost(self, error: Exception | None = None) -> str:
        """Say in words why the student room is gone."""
        room = self._room
        if room is not None:
            room.wait(0.5 if isinstance(error, DeadKernelError) else 0.0)
            if room.exceeded:
                return limit_words(room.exceeded)
        if isinstance(error, CellTimeoutError):
            return f"still running after {self._cell_seconds:g} s and could not be interrupted"
        return "the kernel died: a crash, or more memory than there is"

    @property
    def _room(self) -> RoomProcess | None:
        return self.km.provisioner.room if self.km is not None else None

    def _not_run(self) -> str:
        if self.kc is None:
            return "not run: the kernel died too often"
        if time.monotonic() > self._deadline:
            return f"not run: the notebook took more than {self._submission_seconds:g} s"
        return ""

    def _timeout_remark(self, index: int) -> str:
        if index in self._timed_out:
            return f"stopped after {self._cell_seconds:g} s: a loop that never ends?"
        return ""

    # -- test cells

    def _test(self, cell: NotebookNode, index: int) -> CellVerdict:
        """Run a test cell in the examiner room."""
        remark = self._not_run()
        while not remark:
            try:
                answer = self._ask_examiner(cell, index)
            except RoomLost as error:
                again = self._start_again(index, error)
                if again is None:
                    continue
                remark = again
                break
            if _HIDDEN.search(cell.source):
                self._exposed = True
                # Later cells may know hidden inputs: they change no output that feedback shows.
                self._display_id_map.clear()
            cell.outputs = [nbformat.from_dict(output) for output in answer["outputs"]]
            verdict = read_answer(cell, answer)
            if answer["lost"] or self._room is None or self._room.poll() is not None:
                self._after_loss(cell, index, verdict)
            return verdict
        cell.outputs = [error_output("ExaminationError", remark)]
        return no_verdict(cell, remark)

    def _ask_examiner(self, cell: NotebookNode, index: int) -> dict[str, Any]:
        if self._examiner is None or self.kc is None or self._room is None:
            raise RoomLost("the kernel died")
        self._room.begin_cell()
        self._examiner.begin_cell()
        names = self._names_for(index)
        message = ""
        if names:
            message = self.kc.execute(
                _SERVE.format(link=_STUDENT_LINK),
                silent=True,
                store_history=False,
                stop_on_error=False,
            )
        token = secrets.token_hex(16)
        answer = self._examiner.ask(
            {
                "kind": "test",
                "source": cell.source,
                "names": names,
                "seed": self._task.seed,
                "token": token,
                "exposed": self._exposed,
                "seconds": self._cell_seconds,
            },
            self._cell_seconds,
        )
        answer["token"] = token
        if answer["lost"]:
            # Its reason is known better here than at the other end of the link.
            room = self._room
            room.wait(0.3)
            if room.exceeded:
                answer["lost"] = limit_words(room.exceeded)
            if room.exit_code is not None and not room.exceeded and self._deaths.get(index, 0) == 0:
                raise RoomLost("the kernel died: a crash, or more memory than there is")
            return answer
        if names and not self._wait_for_student(message):
            answer["lost"] = "the kernel did not come back from the check"
        return answer

    def _names_for(self, index: int) -> list[str]:
        """Names of the student that the examiner's cells up to here can speak of."""
        cells = (
            cell
            for place, cell in enumerate(self.nb.cells)
            if place <= index
            and cell.cell_type == "code"
            and (is_test_cell(cell) or _is_set_up(cell))
        )
        words = set(_WORD.findall("\n".join(cell.source for cell in cells)))
        return [name for name in self._task.names if name in words]

    def _wait_for_student(self, message: str) -> bool:
        """Wait until the student kernel is free again; interrupt it once."""
        for interrupted in (False, True):
            if interrupted:
                self._room.interrupt()
            until = time.monotonic() + GRACE_SECONDS
            while time.monotonic() < until and self._room.poll() is None:
                with contextlib.suppress(Exception):
                    reply = _wait(self.kc.get_shell_msg(timeout=0.25))
                    if reply["parent_header"].get("msg_id") == message:
                        return True
        return False

    def _after_loss(self, cell: NotebookNode, index: int, verdict: CellVerdict) -> None:
        """The student room broke during a check: keep the verdict, go on with a new room."""
        reason = self._why_lost() if self._room is None or self._room.poll() is not None else ""
        if verdict.points < verdict.possible and not verdict.remark:
            verdict.remark = reason
        self._deaths[index] = TRIES
        self._restart(index + 1)

    # -- rooms

    def _start_again(self, index: int, error: RoomLost) -> str | None:
        """Open new rooms after a loss in cell `index`.

        Returns
        -------
        str or None
            None if the cell is to be tried once more, else why it is not.
        """
        self._deaths[index] = self._deaths.get(index, 0) + 1
        by_limit = self._room is not None and self._room.exceeded is not None
        again = self._deaths[index] < TRIES and not by_limit and _may_be_chance(error)
        if not again:
            self._skipped.add(index)
        self._restart(index)
        if self.kc is None:
            return str(error)
        return None if again else str(error)

    def _restart(self, index: int) -> None:
        """Open fresh rooms and run the cells before `index` again, but for those that kill."""
        while True:
            self._close()
            self._restarts += 1
            if self._restarts > RESTARTS + 1 or time.monotonic() > self._deadline:
                return
            self._open()
            try:
                self._run_earlier(index)
                return
            except _Killer as killer:
                self._skipped.add(killer.index)

    def _run_earlier(self, index: int) -> None:
        for earlier in range(index):
            cell = self.nb.cells[earlier]
            if cell.cell_type != "code":
                continue
            if is_test_cell(cell) or _is_set_up(cell):
                # Later tests may use what earlier ones define; what these find is known already.
                self._examiner.prepare(cell.source)
            if is_test_cell(cell) or earlier in self._skipped | self._timed_out:
                continue
            shadow = copy.deepcopy(cell)
            try:
                self._run_in_student_room(shadow, earlier)
            except RoomLost:
                raise _Killer(earlier) from None
            finally:
                # execute_cell puts what it ran into the notebook: keep the first outputs.
                self.nb.cells[earlier] = cell

    def _open(self) -> None:
        """Make both rooms and join them."""
        mine, theirs = socket.socketpair()
        self._link = (mine, theirs)
        try:
            self._examiner = ExaminerRoom(self._fork_examiner, self._task)
            self.km = RoomManager(self._fork_student, self._server.new_folder)
            self.start_new_kernel()
            self.start_new_kernel_client()
        except (RuntimeError, DeadKernelError) as error:
            room = self._room
            problem = room.problem if room is not None else ""
            raise KernelError(f"the kernel did not start: {problem or error}") from None
        finally:
            # Each room has its end now; a room that ends must be noticed by the other.
            for end in self._link:
                end.close()

    def _fork_student(self, settings: Mapping[str, Any]) -> RoomProcess:
        files = {**self._task.helpers, **self._task.files}
        return self._fork(
            {**settings, "submission": True}, files=files, descriptors=(self._link[0].fileno(),)
        )

    def _fork_examiner(self, control: int) -> RoomProcess:
        return self._fork(
            {"role": "examiner"},
            files=self._task.helpers,
            descriptors=(control, self._link[1].fileno()),
        )

    def _fork(
        self, settings: dict[str, Any], *, files: Mapping[str, bytes], descriptors: tuple[int, ...]
    ) -> RoomProcess:
        home = HOME
        if not self._sandboxed:
            self._scratch = self._scratch or Path(tempfile.mkdtemp(prefix="examination-"))
            folder = self._scratch / settings["role"]
            _write_files(folder, files)
            settings["folder"] = home = str(folder)
        settings |= {
            "environment": room_environment(home, self._task.settings.get("environment", {})),
            "shown": read_only_paths(tuple(self._task.settings.get("read_only", ()))),
            "files": {name: base64.b64encode(data).decode() for name, data in files.items()},
        }
        return self._server.fork(
            settings, limits=self._limits, sandboxed=self._sandboxed, descriptors=descriptors
        )

    def _close(self) -> None:
        """End both rooms."""
        if self._examiner is not None:
            self._examiner.close()
            self._examiner = None
        self._cleanup_kernel()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def _cleanup_kernel(self) -> None:
        _cancel_tasks()
        if self.km is not None:
            self.km.end(self.kc)
        self.km = self.kc = None

    async def _async_cleanup_kernel(self) -> None:
        # Called by the base class when a kernel does not start.
        self._cleanup_kernel()

    async def _check_raise_for_error(
        self, cell: NotebookNode, cell_index: int, exec_reply: dict[str, Any] | None
    ) -> None:
        # Errors of a student's cell are the student's; only a time-out is news here.
        if exec_reply is not None and exec_reply["content"].get("ename") == _TIMEOUT["ename"]:
            self._timed_out.add(cell_index)
            words = f"stopped after {self._cell_seconds:g} s"
            cell.outputs = [*cell.outputs, error_output(_TIMEOUT["ename"], words)]

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str, cell_index: int
    ) -> NotebookNode | None:
        """Keep an output unless the cell has already said more than anybody will read."""
        self._characters += len(str(msg["content"]))
        if self._characters > self._most_characters and msg["msg_type"] != "error":
            return None
        return super().output(outs, msg, display_id, cell_index)


class _Killer(Exception):
    """A cell that was fine before has lost its kernel now."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def room_environment(home: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of a room: the same for everybody, with nothing of the machine's.

    Parameters
    ----------
    home : str
        Home folder in the room.
    more : mapping of str to str, optional
        What the instructor adds.
    """
    handed_on = {
        name: os.environ[name] for name in ("LANG", "TZ", "KERAS_BACKEND") if name in os.environ
    }
    return {
        "LANG": "C.UTF-8",
        **LIBRARY_SETTINGS,
        **handed_on,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": "/tmp",
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "COURSE_SCALE": "grading",
        "NBGRADER_EXECUTION": "autograde",
        **(more or {}),
    }


_TIMEOUT = {"ename": "CellTimeoutError", "evalue": "", "traceback": ["CellTimeoutError"]}
_STUDENT_LINK = 5  # descriptor of the link in a student room, see autograder.kernels.child


def _wait(awaitable: Any) -> Any:
    async def wait() -> Any:
        return await awaitable

    return run_sync(wait)()


def _cancel_tasks() -> None:
    """End what nbclient left waiting for a kernel that is gone."""
    loop = ensure_event_loop()
    tasks = asyncio.all_tasks(loop) if not loop.is_running() else set()
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.mkdir(parents=True, exist_ok=True)


def _is_set_up(cell: NotebookNode) -> bool:
    """Whether a cell is the instructor's own, run in both rooms."""
    nbgrader = cell.metadata.get("nbgrader", {})
    return bool(nbgrader.get("locked") and not nbgrader.get("solution"))


def _may_be_chance(error: RoomLost) -> bool:
    """Whether a loss may be the machine's fault; a limit is not."""
    return "died" in str(error) or "lost" in str(error)
