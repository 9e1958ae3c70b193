"""Killing or outliving the grader."""

from tests.attacks.catalogue import HARMS, UNTRIED, attack


@attack("Kill the grader.", plain=HARMS)
def kills_its_parents(sub):
    sub.answer(
        "ranked",
        """
$GUARD
import os, signal

for _pid in sorted({os.getppid(), *_others()}):
    if _pid > 1 and _ours(_pid):
        try:
            os.kill(_pid, signal.SIGKILL)
        except OSError:
            pass

def ranked(values):
    return values
    """,
    )


@attack("Stop the grader, interrupt it, ask it to end, one signal after the other.", plain=HARMS)
def signals_its_parents(sub):
    sub.answer(
        "ranked",
        """
$GUARD
import os, signal

def ranked(values):
    for pid in _others():
        for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            try:
                os.kill(pid, number)
            except OSError:
                pass
    return values
    """,
    )


@attack("Go on after grading: a process of its own session, detached twice.", plain=HARMS)
def outlives_the_grader(sub):
    sub.last_cell("""
import os, time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        $NAME_ME
        for number in range(3, 1000):
            try:
                os.close(number)
            except OSError:
                pass
        time.sleep(60)
    os._exit(0)
    """.replace("        $NAME_ME", "        import ctypes\n        "
                "ctypes.CDLL(None).prctl(15, b'$MARK', 0, 0, 0)"))  # fmt: skip


@attack("Wait until the marks are written, then change them.", plain=HARMS)
def waits_for_the_marks(sub):
    sub.own_cell("""
        import subprocess, sys
        subprocess.Popen(
            [sys.executable, "-c", '''if True:
                import sqlite3, time
                for _ in range(40):
                    time.sleep(0.5)
                    try:
                        book = sqlite3.connect("$COURSE/gradebook.db", timeout=1)
                        book.execute("update grade set auto_score = 3 where auto_score >= 0 and "
                                     "notebook_id in (select n.id from submitted_notebook n join "
                                     "submitted_assignment a on a.id = n.assignment_id "
                                     "where a.student_id = '$STUDENT')")
                        book.commit()
                    except sqlite3.Error:
                        pass
            ''', "$MARK"],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
    """)


@attack("End the kernel in the middle of a test, as if all had gone well.", plain=HARMS,
        alone=False)  # fmt: skip
def leaves_in_a_test(sub):
    sub.answer(
        "double",
        """
        import os

        def double(number):
            os._exit(0)
    """,
    )


@attack("Leave by every other door: sys.exit, quit, SystemExit with a code, KeyboardInterrupt.",
        plain=HARMS, alone=False)  # fmt: skip
def exceptions_that_end_programs(sub):
    sub.answer("double", "def double(number):\n    raise SystemExit(0)")
    sub.answer("ranked", "def ranked(values):\n    raise KeyboardInterrupt")
    sub.answer("total", "def total(values):\n    raise GeneratorExit")
    sub.answer(
        "halved",
        """
        class Final(BaseException):
            def __str__(self):
                raise self
            __repr__ = __str__
            def __getattribute__(self, name):
                raise Final

        def halved(array):
            raise Final()
    """,
    )
    sub.answer("settings", "settings = {}\nquit()\nexit(0)")


@attack("Never end, and ignore every attempt to interrupt.", plain=HARMS)
def ignores_interrupts(sub):
    sub.answer(
        "double",
        """
        import signal

        def double(number):
            for name in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGXCPU):
                signal.signal(name, signal.SIG_IGN)
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    pass
    """,
    )


@attack("Stop itself, so that nothing ever answers.", plain=HARMS)
def stops_itself(sub):
    sub.answer(
        "double",
        """
        import os, signal

        def double(number):
            os.kill(os.getpid(), signal.SIGSTOP)
            return number
    """,
    )


@attack("Keep answering heartbeats while a call in C never returns.", plain=HARMS)
def never_returns_from_c(sub):
    sub.answer(
        "double",
        """
        import itertools

        def double(number):
            return max(itertools.repeat(1))
    """,
    )


@attack("Crash the kernel for good at its first cell, and again at every new start.", plain=HARMS,
        alone=False)  # fmt: skip
def crashes_at_every_start(sub):
    sub.answer(
        "warmup",
        """
        def first(values):
            return values[0]
        import ctypes
        ctypes.string_at(0)
    """,
    )


@attack("Take the grader's children, timers and threads along: fork in the middle of a test.",
        plain=UNTRIED)  # fmt: skip
def two_kernels_answer(sub):
    sub.answer(
        "double",
        """
        import os

        def double(number):
            # From here on two processes hold the same sockets, and both answer.
            os.fork()
            return number
    """,
    )
    sub.answer(
        "ranked",
        """
        import os

        def ranked(values):
            os.fork()
            os.fork()
            return values
    """,
    )
