"""What runs in the examiner room: the instructor's cells, and nothing of the student's.

The examiner is no Jupyter kernel. It reads requests from its control socket, one JSON object after
the other, runs a cell in an IPython shell, and answers with outputs and the verdict. Values of the
student come over the link, see :mod:`autograder.rooms`.
"""

import json
import math
import os
import re
import socket
import struct
import sys
import time
from typing import Any

MAX_REQUEST = 64_000_000
MAX_OUTPUT = 200_000  # characters of text of one cell
MAX_PICTURES = 8_000_000  # characters of all other outputs of one cell
_LENGTH = struct.Struct(">I")
_HIDDEN = re.compile(r"###\s*BEGIN HIDDEN TESTS.*?###\s*END HIDDEN TESTS", re.DOTALL)


def send(line: socket.socket, content: dict[str, Any]) -> None:
    """Send one JSON object."""
    data = json.dumps(content).encode("ascii")
    line.sendall(_LENGTH.pack(len(data)) + data)


def receive(line: socket.socket, most: int = MAX_REQUEST) -> dict[str, Any] | None:
    """Receive one JSON object; None at the end.

    Raises
    ------
    ValueError
        If it is longer than `most` bytes, or no JSON object.
    TimeoutError
        If the socket has a time limit and that has passed.
    """
    head = _exactly(line, _LENGTH.size)
    if head is None:
        return None
    length = _LENGTH.unpack(head)[0]
    if length > most:
        raise ValueError(f"{length} bytes are more than {most}")
    data = _exactly(line, length)
    content = None if data is None else json.loads(data)
    if content is not None and not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def _exactly(line: socket.socket, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        part = line.recv(min(count - len(data), 1 << 20))
        if not part:
            return None
        data += part
    return bytes(data)


def examine_until_closed(control: int, link: int) -> int:
    """Serve the controller until it closes the control socket.

    Parameters
    ----------
    control : int
        Descriptor of the socket to the controller.
    link : int
        Descriptor of the socket to the student room.
    """
    line = socket.socket(fileno=control)
    try:
        examiner = _Examiner(socket.socket(fileno=link))
    except Exception as error:
        send(line, {"fatal": f"{type(error).__name__}: {error}"})
        return 1
    while True:
        try:
            request = receive(line)
            if request is None:
                return 0
            send(line, examiner.answer(request))
        except KeyboardInterrupt:
            # It came between two cells: whoever sent it has its answer already.
            continue
        except OSError:
            return 0


class _Examiner:
    def __init__(self, link: socket.socket) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        from autograder.rooms.examiner import StudentRoom

        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        self._shell = InteractiveShell.instance(config=config)
        # A traceback shows the source of tests: nothing of it is printed, wherever it would go.
        self._shell._showtraceback = lambda *args: None
        self._shell.showtraceback = lambda *args, **kwargs: None
        self._shell.showsyntaxerror = lambda *args, **kwargs: None
        if "matplotlib" in sys.modules:
            from matplotlib_inline import backend_inline

            backend_inline._enable_matplotlib_integration()
        sys.path.append(os.getcwd())
        self._room = StudentRoom(link)
        self._bound: set[str] = set()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run what a request asks for."""
        from autograder.checks import verdicts

        started = time.perf_counter()
        names = request.get("names", ())
        # Student code has seen hidden inputs: whatever it says from now on may be one of them.
        exposed = bool(request.get("exposed"))
        answer: dict[str, Any] = {"verdict": None, "plain": None, "error": None, "outputs": []}
        # A call outside of any check may take as long as a cell.
        self._room.seconds = float(request.get("seconds", self._room.seconds))
        try:
            if names:
                self._bind(names)
            test = request["kind"] == "test"
            if test:
                verdicts.open_verdict(request["token"], request["seed"], exposed=exposed)
            outputs, result = self._run(request["source"])
            answer["outputs"] = outputs
            if test:
                answer["verdict"] = verdicts.close_verdict(request["token"])
                answer["plain"] = _plain_score(result)
            answer["error"] = _told_error(result, request["source"], exposed=exposed)
            if test and exposed and not json.loads(answer["verdict"])["exercises"]:
                answer["outputs"] = []  # values that came back, where nobody chose what is shown
        except KeyboardInterrupt:
            answer["error"] = {"ename": "KeyboardInterrupt", "evalue": "", "hidden": True}
        except Exception as error:
            answer["error"] = {
                "ename": type(error).__name__,
                "evalue": str(error)[:300],
                "hidden": False,
            }
        if names:
            self._room.end()
        answer["lost"] = str(self._room.lost or "")
        answer["seconds"] = time.perf_counter() - started
        return answer

    def _bind(self, names: list[str]) -> None:
        """Put what stands for the student's values under their names, and take away the rest."""
        namespace = self._shell.user_ns
        for name in self._bound:
            namespace.pop(name, None)
        values = self._room.bind(names)
        self._bound = set(values)
        namespace.update(values)

    def _run(self, source: str) -> tuple[list[dict[str, Any]], Any]:
        from IPython.utils.capture import capture_output

        with capture_output() as captured:
            result = self._shell.run_cell(source, store_history=False)
        outputs: list[dict[str, Any]] = []
        for name, text in (("stdout", captured.stdout), ("stderr", captured.stderr)):
            if text:
                outputs.append({"output_type": "stream", "name": name, "text": _bounded(text)})
        left = MAX_PICTURES
        for shown in captured.outputs:
            data = {kind: value for kind, value in shown.data.items() if isinstance(value, str)}
            left -= sum(len(value) for value in data.values())
            if left < 0:
                break
            outputs.append(
                {
                    "output_type": "display_data",
                    "data": data,
                    "metadata": json.loads(json.dumps(shown.metadata or {}, default=str)),
                }
            )
        if result.result is not None and result.error_in_exec is None:
            text = _bounded(self._shell.display_formatter.format(result.result)[0]["text/plain"])
            outputs.append(
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": text},
                    "metadata": {},
                    "execution_count": None,
                }
            )
        return outputs, result


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_OUTPUT else text[:MAX_OUTPUT] + "\n… (more is not shown)\n"


def _plain_score(result: Any) -> dict[str, Any]:
    """What nbgrader's own rules make of a test cell: an error, a number, or silence.

    Returns
    -------
    dict
        ``{"share": None, "points": number}`` for partial credit, ``{"share": 0 … 1}`` otherwise;
        ``{"problem": …}`` where the last line gives something that is no score.
    """
    import numpy as np

    if not result.success:
        return {"share": 0.0}
    value = result.result
    if value is None:
        return {"share": 1.0}
    if isinstance(value, bool | np.bool_):
        return {"share": float(bool(value))}
    if type(value) in (int, float) or isinstance(value, np.integer | np.floating):
        number = float(value)
        if math.isfinite(number):
            return {"points": number}
    return {"problem": f"the test cell ends in a {type(value).__name__}, which is no score"}


def _told_error(result: Any, source: str, *, exposed: bool) -> dict[str, Any] | None:
    """The error that ended a cell, and whether it came from a hidden test."""
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return None
    line = None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.startswith(
            ("<ipython-input", "/tmp/ipykernel", "<cell")
        ):
            line = step.tb_lineno
        step = step.tb_next
    before = 0 if line is None else len("\n".join(source.split("\n")[:line]))
    hidden = (
        exposed
        or line is None
        or any(part.start() <= before <= part.end() for part in _HIDDEN.finditer(source))
    )
    evalue = "" if hidden else str(error)[:300]
    return {"ename": type(error).__name__, "evalue": evalue, "hidden": hidden}
