"""Try answers in two rooms, without kernels and sandbox: two processes and the link."""

import builtins
import dis
import json
import os
import socket
import subprocess
import sys
import traceback
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Student:
    """A process that runs cells, and then answers on the link as a student's kernel does.

    Parameters
    ----------
    setup : list of str
        Cells that are run once, before everything else.

    Attributes
    ----------
    link : socket.socket
        The examiner's end of the link.
    """

    def __init__(self, setup=()):
        self.link, theirs = socket.socketpair()
        with theirs:
            self.process = _start(["student", json.dumps(list(setup))], theirs)
        assert self.process.stdout.readline() == "ready\n"

    def run(self, *cells):
        """Run cells in a fresh namespace, then serve until the end of a test cell."""
        print(json.dumps(cells), file=self.process.stdin, flush=True)

    def served(self):
        """Wait until it does not serve any more."""
        return self.process.stdout.readline() == "served\n"

    def close(self):
        self.link.close()
        _stop(self.process)


class TwoRooms:
    """Two processes that run the cells of one lesson, and keep running from attempt to attempt.

    Parameters
    ----------
    setup : list of str
        Cells that both rooms run first.
    """

    def __init__(self, setup):
        self.student = Student(setup)
        self.examiner = _start(["examiner", json.dumps(setup)], self.student.link)
        assert self.examiner.stdout.readline() == "ready\n"

    def attempt(self, answers, test, *, names, rooms=2, seed="rehearsal"):
        """Run answers, then a test cell.

        Parameters
        ----------
        answers : list of str
            Cells of the student's.
        test : str
            The test cell.
        names : list of str
            Names that stand for the student's values.
        rooms : int
            With 1, the answers are run in the examiner's process, as in one kernel.

        Returns
        -------
        dict
            ``verdict`` (text, see :mod:`autograder.checks.verdicts`), ``error`` (a traceback),
            ``lost`` (why the student's room is gone).
        """
        if rooms == 2:
            self.student.run(*answers)
        message = {"test": test, "seed": seed, "names": names, "rooms": rooms, "answers": answers}
        print(json.dumps(message), file=self.examiner.stdin, flush=True)
        result = json.loads(self.examiner.stdout.readline())
        assert rooms == 1 or self.student.served()
        return result

    def close(self):
        self.student.close()
        _stop(self.examiner)


def bound_names(source):
    """Names that a cell binds."""
    steps = dis.get_instructions(compile(source, "<cell>", "exec"))
    return {step.argval for step in steps if step.opname == "STORE_NAME"}


def used_names(source):
    """Names that a cell looks up, also in its functions, and that are no builtins."""
    found, left = set(), [compile(source, "<cell>", "exec")]
    while left:
        code = left.pop()
        left += [item for item in code.co_consts if isinstance(item, types.CodeType)]
        found |= {
            step.argval
            for step in dis.get_instructions(code)
            if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")
        }
    return found - set(vars(builtins))


def _start(arguments, link):
    environment = dict(os.environ, COURSE_SCALE="grading", TF_CPP_MIN_LOG_LEVEL="2")
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.two_rooms", str(link.fileno()), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
        pass_fds=[link.fileno()],
    )


def _stop(process):
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def _run(source, namespace):
    try:
        exec(compile(source, "<cell>", "exec"), namespace)
    except Exception:
        return traceback.format_exc()
    return ""


def _student(link, setup, replies):
    from autograder.rooms.student import serve

    before = {"__name__": "__main__"}
    for cell in json.loads(setup):
        assert not _run(cell, before), cell
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        namespace = dict(before)
        for cell in json.loads(line):
            _run(cell, namespace)
        serve(link, namespace)
        print("served", file=replies, flush=True)


def _examiner(link, setup, replies):
    from autograder import checks
    from autograder.rooms.examiner import StudentRoom

    before = {"__name__": "__main__"}
    for cell in json.loads(setup):
        assert not _run(cell, before), cell
    print("ready", file=replies, flush=True)
    room = StudentRoom(socket.socket(fileno=link), seconds=20)
    for line in sys.stdin:
        given = json.loads(line)
        namespace, error = dict(before), ""
        if given["rooms"] == 1:
            for cell in given["answers"]:
                _run(cell, namespace)
        else:
            namespace |= room.bind(given["names"])
        checks.open_verdict("token", given["seed"])
        error = _run(given["test"], namespace)
        verdict = checks.close_verdict("token")
        if given["rooms"] == 2:
            room.end()
        answer = {"verdict": verdict, "error": error, "lost": room.lost}
        print(json.dumps(answer), file=replies, flush=True)


if __name__ == "__main__":
    # What cells print goes nowhere: standard output is for the answers.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    main = {"student": _student, "examiner": _examiner}[sys.argv[2]]
    main(int(sys.argv[1]), sys.argv[3], replies)
