"""Processes, memory, time, output, disk. What could hurt a machine is bounded here by design."""

from tests.attacks.catalogue import HARMS, NOTHING, UNTRIED, attack


@attack("Many processes that do nothing but be there.", plain=HARMS)
def many_processes(sub):
    sub.answer(
        "ranked",
        """
        import subprocess, sys

        _children = []
        for _ in range(30):
            try:
                _children.append(subprocess.Popen(
                    ["sleep", "50"], start_new_session=True, env={"WHO": "$MARK"},
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL))
            except OSError:
                break

        def ranked(values):
            return values
    """,
    )


@attack("Processes that make processes, four generations of them.", plain=UNTRIED)
def fork_bomb(sub):
    sub.answer(
        "ranked",
        """
        import ctypes, os, time

        def ranked(values):
            ctypes.CDLL(None).prctl(15, b"$MARK", 0, 0, 0)
            mother = os.getpid()
            for _ in range(8):  # 256 at most
                try:
                    os.fork()
                except OSError:
                    pass
            if os.getpid() != mother:
                time.sleep(20)
                os._exit(0)
            return values
    """,
    )


@attack("Take four gigabytes, and keep them.", plain=UNTRIED)
def much_memory(sub):
    sub.answer(
        "double",
        """
        import time

        def double(number):
            hoard = [bytearray(b"x") * 100_000_000 for _ in range(40)]
            time.sleep(2)
            return number
    """,
    )


@attack("Take the same memory in eight processes, each below the limit of one.", plain=UNTRIED)
def memory_of_a_family(sub):
    sub.answer(
        "double",
        """
        import os, time

        def double(number):
            children = []
            for _ in range(8):
                pid = os.fork()
                if pid == 0:
                    hoard = [bytearray(b"x") * 100_000_000 for _ in range(5)]
                    time.sleep(8)
                    os._exit(0)
                children.append(pid)
            for pid in children:
                os.waitpid(pid, 0)
            return number
    """,
    )


@attack("Fill memory that belongs to no process: shared memory, a memory file, a pipe.",
        plain=UNTRIED)  # fmt: skip
def shared_memory(sub):
    sub.answer(
        "double",
        """
        import os

        _block = bytes(50_000_000)
        _held = []
        for _ in range(30):
            try:
                _file = os.memfd_create("$MARK")
                os.write(_file, _block)
                _held.append(_file)
            except OSError:
                break
        try:
            with open("/dev/shm/$MARK", "wb") as _file:
                for _ in range(20):
                    _file.write(_block)
        except OSError:
            pass

        def double(number):
            return number
    """,
    )


@attack("Print without end.", plain=HARMS, alone=False)
def endless_output(sub):
    sub.answer(
        "double",
        """
        import sys

        print("$MARK" * 2_000_000)

        def double(number):
            while True:
                print("$MARK" * 10_000, flush=True)
    """,
    )


@attack("Show a thousand pictures, and one of sixty megabytes.", plain=HARMS, alone=False)
def endless_pictures(sub):
    sub.last_cell("""
        import base64, os
        from IPython.display import display

        for size in (*([30_000] * 300), 6_000_000):
            display({"image/png": base64.b64encode(os.urandom(size)).decode()}, raw=True)
    """)


@attack("Write a file of 200 megabytes, and as many into the folders for temporary files.",
        plain=HARMS)  # fmt: skip
def large_files(sub):
    sub.answer(
        "ranked",
        """
        import os, tempfile

        for _folder in (".", "/tmp", tempfile.gettempdir()):
            try:
                with open(os.path.join(_folder, "$MARK.bin"), "wb") as _file:
                    for _ in range(50):
                        _file.write(bytes(4_000_000))
            except OSError:
                pass

        def ranked(values):
            return values
    """,
    )


@attack("Use up every name: a hundred thousand empty files.", plain=UNTRIED)
def many_small_files(sub):
    sub.answer(
        "ranked",
        """
        import os

        os.makedirs("$MARK", exist_ok=True)
        for _number in range(100_000):
            try:
                os.close(os.open(f"$MARK/{_number}", os.O_CREAT | os.O_WRONLY))
            except OSError:
                break

        def ranked(values):
            return values
    """,
    )


@attack("Be slow everywhere: every cell stays just below the limit.", plain=NOTHING)
def slow_everywhere(sub):
    for name in ("warmup", "ranked", "total"):
        sub.own_cell("import time\ntime.sleep(1.5)", before=name)
    sub.answer(
        "double",
        """
        import time

        def double(number):
            time.sleep(1.5)
            return number
    """,
    )


@attack("Return lists so deep that the stack of C overflows.", plain=NOTHING)
def stack_overflow(sub):
    sub.answer(
        "double",
        """
        import sys

        def double(number):
            sys.setrecursionlimit(2**31 - 1)
            deep = []
            for _ in range(10_000_000):
                deep = [deep]
            return deep
    """,
    )


@attack("Tie up all processors from threads that go on behind the kernel's back.", plain=NOTHING)
def busy_threads(sub):
    sub.answer(
        "warmup",
        """
        import threading

        def _spin():
            while True:
                pass

        for _ in range(3):
            threading.Thread(target=_spin, daemon=True).start()

        def first(values):
            return values[0]
    """,
    )


@attack("Use up the threads that all rooms together may have: five hundred that sleep.",
        plain=NOTHING)  # fmt: skip
def many_threads(sub):
    sub.answer(
        "double",
        """
        import threading, time

        _threads = []
        try:
            for _ in range(500):
                _threads.append(threading.Thread(target=time.sleep, args=(6,), daemon=True))
                _threads[-1].start()
        except RuntimeError:
            pass
        time.sleep(3)

        def double(number):
            time.sleep(2)
            return number
    """,
    )


@attack("Confuse whoever lists processes: names that are no text, or that look like fields.",
        plain=NOTHING)  # fmt: skip
def names_of_processes(sub):
    sub.answer(
        "double",
        """
        import ctypes, os, threading, time

        _libc = ctypes.CDLL(None)

        def _wait(name):
            _libc.prctl(15, name, 0, 0, 0)
            time.sleep(3)

        _names = b"\\xff\\xfe\\x80$MARK", b"x) R 1 1 1 1 (", b"\\nVmRSS: 9 kB", b"\\x1b[2J"
        for _name in _names:
            threading.Thread(target=_wait, args=(_name,), daemon=True).start()
            try:
                if os.fork() == 0:
                    _wait(_name)
                    os._exit(0)
            except OSError:
                pass
        _libc.prctl(15, b"\\xff\\xfe)", 0, 0, 0)
        time.sleep(1)

        def double(number):
            time.sleep(1)
            return number
    """,
    )
