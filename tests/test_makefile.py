"""`make` says what is missing in one sentence, and does nothing twice."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def make(*words, tmp_path):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", *words, f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def fake_python(tmp_path, script):
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["demo", "test"])
def test_too_old_a_python(tmp_path, target):
    # Runs what make asks of it, but believes to be Python 3.9.
    old = fake_python(
        tmp_path,
        f'exec {sys.executable} -c "import sys; sys.version_info = (3, 9, 1); exec(sys.argv[1])" '
        '"$2"',
    )
    done = make(target, f"PYTHON={old}", tmp_path=tmp_path)
    assert done.returncode != 0
    assert "is 3.9; this course needs 3.11 or later" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_venv_module(tmp_path):
    bare = fake_python(
        tmp_path,
        f'case "$2" in *"import venv"*) exit 1;; *) exec {sys.executable} "$@";; esac',
    )
    done = make("test", f"PYTHON={bare}", tmp_path=tmp_path)
    assert done.returncode != 0
    assert "sudo apt-get install python3-venv" in done.stderr


def test_no_python_of_that_name(tmp_path):
    done = make("test", "PYTHON=python-of-nowhere", tmp_path=tmp_path)
    assert done.returncode != 0
    assert "'python-of-nowhere' is not on PATH" in done.stderr


def test_help_lists_every_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("demo", "test", "test-all", "lab", "notebooks", "check", "lint", "lock"):
        assert f"\n{target} " in "\n" + done.stdout
