"""The command line: exit codes, one sentence for a user's mistake, stopping and going on."""

import json
import os
import signal
import subprocess
import sys
import time

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


def kernels_below(folder):
    """Processes whose working directory is a scratch folder of an examination."""
    found = []
    for process in os.listdir("/proc"):
        try:
            if process.isdigit() and str(folder) in os.readlink(f"/proc/{process}/cwd"):
                found.append(process)
        except OSError:
            continue
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to see processes")
def test_a_stopped_run_keeps_what_is_done_and_goes_on(toy_course, tmp_path):
    config = toy_course / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.Examine.timeout = 60\n")
    hand_in(toy_course, "ada")
    hand_in(toy_course, "zoe", half="import time\ntime.sleep(50)")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    command = [sys.executable, "-m", "autograder", "--course", str(toy_course), "grade", NAME]
    process = subprocess.Popen(
        [*command, "--workers", "2"], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    graded = toy_course / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if graded.exists() and "verdicts" in graded.read_text() and kernels_below(scratch):
            break
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped. What was finished is kept" in errors
    assert "Traceback" not in errors
    assert kernels_below(scratch) == []
    assert not (toy_course / "autograded" / "zoe").exists()
    before = graded.stat().st_mtime_ns
    config.write_text(config.read_text() + "c.Examine.timeout = 2\n")
    done = autograder(toy_course, "grade", NAME)
    assert done.returncode == 0, done.stderr
    assert graded.stat().st_mtime_ns == before
    assert "zoe" in done.stdout
