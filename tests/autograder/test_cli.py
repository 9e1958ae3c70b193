"""The command line: exit codes, one sentence for a user's mistake, stopping and going on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

NAME = "01_toy"


def autograder(course, *words, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "autograder", "--course", str(course), *words],
        capture_output=True, text=True, check=False, timeout=300, **kwargs,
    )  # fmt: skip


def hand_in(course, student, **sources):
    notebook = json.loads((course / "solutions" / NAME / f"{NAME}.ipynb").read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = sources.get(cell["id"], cell["source"])
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_text(json.dumps(notebook))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("build", "99"), "'99' fits no lesson; the lessons are: 01_toy"),
        (("grade", "99_nothing"), "nobody has handed in 99_nothing"),
        (("grade", NAME), "nobody has handed in 01_toy"),
        (("grade", NAME, "--student", "eve"), "no submission of 01_toy by eve"),
        (("grade", NAME, "--scheduler", "tcp://10.0.0.1:8786"), "is not encrypted"),
        (("grade", NAME, "--workers", "0"), "--workers 0: at least 1 is needed"),
        (("demo", "99_nothing"), "99_nothing.ipynb is missing"),
    ],
)
def test_a_user_s_mistake_gets_one_sentence(toy_course, words, sentence):
    done = autograder(toy_course, *words)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_course_and_a_broken_configuration(tmp_path, toy_course):
    done = autograder(tmp_path, "build")
    assert done.returncode == 1
    assert "no nbgrader_config.py in" in done.stderr
    (toy_course / "nbgrader_config.py").write_text("c = get_config(\n")
    done = autograder(toy_course, "build", "--check")
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_text_that_is_no_lesson_is_named_by_check_and_build(toy_course):
    text = toy_course / "solutions" / NAME / f"{NAME}.py"
    text.write_text(text.read_text().replace('"grade_id": "half"', '"grade_id": "double"'))
    for words in (("build",), ("build", "--check")):
        done = autograder(toy_course, *words)
        assert done.returncode == 1
        assert "'double' is used twice" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_has_an_example():
    for command in ("build", "grade", "demo"):
        done = subprocess.run(
            [sys.executable, "-m", "autograder", command, "--help"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"Example: autograder {command}" in done.stdout


def test_grade_prints_the_class_and_tells_by_its_exit_code(toy_course):
    hand_in(toy_course, "ada")
    done = autograder(toy_course, "grade", NAME)
    assert done.returncode == 0, done.stderr
    assert "5 +3?" in done.stdout
    folder = toy_course / "submitted" / "ben" / NAME
    folder.mkdir(parents=True)
    (folder / "homework.ipynb").write_text("{}")
    done = autograder(toy_course, "grade", NAME)
    assert done.returncode == 1
    assert "ben" in done.stdout
    assert "ada" in done.stdout


def processes_of(process):
    """Everything that a process has started, directly or not."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def start(course, *words):
    """Start the command as a terminal does: in a group of processes of its own."""
    return psutil.Popen(
        [sys.executable, "-m", "autograder", "--course", str(course), "grade", NAME, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def wait_until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never happened")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to see processes")
@pytest.mark.parametrize("times", [1, 3])
def test_a_stopped_run_keeps_what_is_done_and_goes_on(toy_course, times):
    config = toy_course / "nbgrader_config.py"
    # What was finished does not depend on how long others may take.
    config.write_text(config.read_text() + "c.Sandbox.cell_seconds = 60\n")
    hand_in(toy_course, "ada")
    hand_in(toy_course, "zoe", half="import time\ntime.sleep(50)")
    process = start(toy_course, "--workers", "2")
    graded = toy_course / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    started = []

    def one_done_and_one_running():
        started[:] = processes_of(process)
        return graded.exists() and any(child.name() == "ag-student" for child in started)

    wait_until(one_done_and_one_running)
    # Ctrl-C reaches every process of the terminal; impatient people press it again.
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
    began = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < 30, "it waited for the student's code"
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == (
        "Stopped. What was finished is kept; the same command goes on."
    )
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    assert not (toy_course / "autograded" / "zoe").exists() or not list(
        (toy_course / "autograded" / "zoe").iterdir()
    )
    before = graded.stat().st_mtime_ns
    hand_in_again = toy_course / "submitted" / "zoe"
    shutil.rmtree(hand_in_again)
    hand_in(toy_course, "zoe")
    done = autograder(toy_course, "grade", NAME)
    assert done.returncode == 0, done.stderr
    assert graded.stat().st_mtime_ns == before
    assert "zoe" in done.stdout


def test_json_lines_and_what_failed(toy_course):
    hand_in(toy_course, "ada")
    hand_in(toy_course, "ben", double="def double(n):\n    import os\n    os._exit(1)")
    done = autograder(toy_course, "grade", NAME, "--json")
    rows = {row["student"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stderr
    assert rows["ada"]["points"] == 5
    assert rows["ada"]["to_mark"] == 3
    assert [score["exercise"] for score in rows["ada"]["scores"]] == ["double", "half", "reading"]
    assert rows["ben"]["points"] == 2
    again = autograder(toy_course, "grade", NAME, "--json")
    assert [json.loads(line)["fresh"] for line in again.stdout.splitlines()] == [False, False]
    failed = autograder(toy_course, "grade", NAME, "--failed", "--json")
    assert [json.loads(line)["student"] for line in failed.stdout.splitlines()] == ["ben"]
    # What went wrong is mended: nothing is left to do.
    shutil.rmtree(toy_course / "submitted" / "ben")
    hand_in(toy_course, "ben")
    assert autograder(toy_course, "grade", NAME).returncode == 0
    done = autograder(toy_course, "grade", NAME, "--failed", "--json")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing to grade" in done.stderr


def test_two_runs_at_a_time_are_refused(toy_course):
    hand_in(toy_course, "ada", half="import time\ntime.sleep(4)")
    first = start(toy_course)
    wait_until(lambda: any(child.name() == "ag-student" for child in processes_of(first)))
    second = autograder(toy_course, "grade", NAME)
    assert second.returncode == 1
    assert "being graded by another" in second.stderr
    first.communicate(timeout=120)
    assert first.returncode == 0


def test_a_test_that_names_nothing_stops_before_anybody_is_graded(toy_course):
    source = toy_course / "solutions" / NAME / f"{NAME}.ipynb"
    notebook = json.loads(source.read_text())
    for cell in notebook["cells"]:
        if cell["id"] == "half":
            cell["source"] = "def halve(number):\n    return number / 2"
    source.write_text(json.dumps(notebook))
    hand_in(toy_course, "ada")
    done = autograder(toy_course, "grade", NAME)
    assert done.returncode == 1
    assert "test cell 'test_half' uses 'half', which no cell binds" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (toy_course / "autograded").exists()
