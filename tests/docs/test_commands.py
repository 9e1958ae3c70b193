"""Every command in the documents is run: here, or by CI through another test.

A new command in a document fails until it has an entry in ``COMMANDS``.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from autograder.cli import _parser
from tests.conftest import ROOT
from tests.docs.pages import commands, documents, inline_code

# command → how it is tested: "run", "ci" (stands in .ci/run), or the file that runs it.
COMMANDS = {
    "make demo": "tests/test_class.py",
    "make test": "ci",
    "make test-all": "ci",
    "make lint": "ci",
    "make lab": "test_lab_opens",
    "make lab COURSE=demo_class/course": "test_lab_opens",
    "make playground": "tests/playground/test_pages.py",
    "make hub": "tests/hub/test_demo_hub.py",
    "make notebooks": "run",
    "make check": "run",
    ".venv/bin/python -m data_scripts list": "run",
    ".venv/bin/python -m data_scripts verify": "run",
    "nbgrader generate_assignment 02_convolution --force": "tests/docs/test_instructor.py",
    "nbgrader release_assignment 02_convolution": "tests/docs/test_instructor.py",
    "nbgrader fetch_assignment 02_convolution --course cnn": "tests/docs/test_instructor.py",
    "nbgrader submit 02_convolution --course cnn": "tests/docs/test_instructor.py",
    "nbgrader collect 02_convolution": "tests/docs/test_instructor.py",
    "autograder grade 02_convolution": "tests/docs/test_instructor.py",
    "autograder grade 02_convolution --workers 2 --failed": "tests/docs/test_instructor.py",
    "autograder grade 02_convolution --student ada --json --force": (
        "tests/docs/test_instructor.py"
    ),
    "autograder grade --check-sandbox": "tests/docs/test_instructor.py",
    "nbgrader autograde 02_convolution --force": "tests/docs/test_instructor.py",
    "autograder preflight 02_convolution --no-answers": "tests/docs/test_instructor.py",
    "autograder roster import canvas.csv --dry-run": "tests/docs/test_instructor.py",
    "autograder roster import canvas.csv": "tests/docs/test_instructor.py",
    "autograder late 02_convolution": "tests/docs/test_instructor.py",
    "autograder feedback 02_convolution": "tests/docs/test_instructor.py",
    "autograder report 02_convolution": "tests/docs/test_instructor.py",
    "autograder similarity 02_convolution": "tests/docs/test_instructor.py",
    "autograder export 02_convolution --format canvas --roster canvas.csv --to marks.csv": (
        "tests/docs/test_instructor.py"
    ),
    "nbgrader export --exporter autograder.exports.canvas.CanvasExporter "
    "--CanvasExporter.roster=canvas.csv --to canvas_marks.csv": "tests/docs/test_instructor.py",
    "nbgrader release_feedback 02_convolution": "tests/docs/test_instructor.py",
    "nbgrader fetch_feedback 02_convolution --course cnn": "tests/docs/test_instructor.py",
    "nbgrader export --to grades.csv": "tests/docs/test_instructor.py",
}
# Its commands train networks for minutes to hours: tests/benchmarks has tests of their parts.
ELSEWHERE = {ROOT / "lessons" / "README.md"}
DOCUMENTS = [path for path in documents() if path not in ELSEWHERE]
USED = sorted({line for path in DOCUMENTS for line in commands(path.read_text(encoding="utf-8"))})
EXPECTED_WORDS = {
    "make notebooks": "01_toy: up to date",
    "make check": "All lessons are fresh, and nothing leaks.",
    ".venv/bin/python -m data_scripts list": "cifar10 — CIFAR-10",
    ".venv/bin/python -m data_scripts verify": "ok     mnist, embedded",
}
PROGRAMS = {"autograder": "autograder.cli", "nbgrader": "nbgrader", "jupyter": "jupyter"}


def recipe(target, *variables):
    """What a target of the Makefile would run, once the environment is there."""
    # Run under `make test VENV=…`, its variables must not get into this.
    callers = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VENV", "PYTHON", "COURSE"}
    environment = {key: value for key, value in os.environ.items() if key not in callers}
    if not shutil.which("make"):
        pytest.skip("no program of that name: make")
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.installed-project", target, *variables],
        cwd=ROOT, capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    return done.stdout.strip().splitlines()


def words_of(line):
    """Words of a command line, its program taken from the environment that runs the tests."""
    program, *rest = shlex.split(line)
    name = program.removeprefix(".venv/bin/")
    if name == "python":
        return [sys.executable, *rest]
    return [sys.executable, "-m", PROGRAMS.get(name, name), *rest]


@pytest.mark.parametrize("command", USED)
def test_a_command_in_a_document_is_known(command):
    assert command in COMMANDS, f"say in COMMANDS how {command!r} is tested"


def test_no_entry_is_left_over():
    assert set(COMMANDS) == set(USED)


@pytest.mark.parametrize("command", [name for name, how in COMMANDS.items() if how == "run"])
def test_command_runs(command, toy_course, tmp_path):
    lines = recipe(*command.split()[1:]) if command.startswith("make ") else [command]
    environment = {**os.environ, "COURSE_DATA_CACHE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment.pop("COURSE_DATA_MIRROR", None)
    for line in lines:
        done = subprocess.run(
            words_of(line), cwd=toy_course, capture_output=True, text=True, env=environment,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
    assert EXPECTED_WORDS[command] in done.stdout


@pytest.mark.parametrize("command", [name for name, how in COMMANDS.items() if how == "ci"])
def test_ci_runs_it(command):
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(rf"^(time )?{re.escape(command)}$", script, re.MULTILINE)
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert "bash .ci/run" in workflow


def test_make_demo_is_what_the_class_test_runs():
    assert [line.split("/")[-1] for line in recipe("demo")] == ["autograder demo"]
    text = (ROOT / COMMANDS["make demo"]).read_text(encoding="utf-8")
    assert '"autograder.cli", "demo")' in text


def test_named_tests_exist():
    for how in set(COMMANDS.values()) - {"run", "ci"}:
        assert (ROOT / how).is_file() or how in globals(), how


@pytest.mark.full
def test_lab_opens(toy_course):
    """`make lab COURSE=…` starts JupyterLab there."""
    (line,) = recipe("lab", f"COURSE={toy_course}")
    folder, program = line.split(" && ")
    assert folder == f"cd {toy_course}"
    assert recipe("lab") == ["cd . && jupyter lab"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [*words_of(program), "--no-browser", "--allow-root", f"--port={port}",
         "--ServerApp.port_retries=0", "--IdentityProvider.token=lab-test"],
        cwd=toy_course, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert "<title>JupyterLab</title>" in ask(port, "lab")
        assert "01_toy.ipynb" in ask(port, "api/contents/lessons/01_toy")
        assert ask(port, "formgrader/api/assignments")
    finally:
        server.terminate()
        server.wait(30)


def ask(port, path):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}", headers={"Authorization": "token lab-test"}
    )
    for _ in range(120):
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.read().decode()
        except urllib.error.HTTPError:
            raise
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise AssertionError("JupyterLab does not answer")


class TestCommandsInProse:
    """Commands between backticks name things that exist."""

    def found(self, program):
        for path in DOCUMENTS:
            for code in inline_code(path.read_text(encoding="utf-8")):
                if code.startswith(program + " "):
                    yield shlex.split(code)[1:]

    def test_make_targets(self):
        targets = re.findall(
            r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
        used = {words[0] for words in self.found("make")}
        assert len(used) > 3
        assert used <= set(targets)

    def test_autograder(self):
        (subparsers,) = (
            action for action in _parser()._actions if hasattr(action, "choices") and action.choices
        )
        used = list(self.found("autograder"))
        assert used
        for words in used:
            if words[0] == "--course":
                words = words[2:]
            command = subparsers.choices[words[0]]
            for word in words[1:]:
                if word.startswith("--"):
                    assert word in command._option_string_actions, words

    def test_nbgrader(self):
        from nbgrader.apps.nbgraderapp import NbGraderApp

        used = {words[0] for words in self.found("nbgrader")}
        assert used
        assert used <= set(NbGraderApp.subcommands)

    def test_data_scripts(self):
        used = {words[2] for words in self.found("python") if words[:2] == ["-m", "data_scripts"]}
        assert used
        assert used <= {"list", "fetch", "verify"}
