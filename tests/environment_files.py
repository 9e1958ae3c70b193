"""Keep environment.yml in step with requirements.lock; ``--write`` makes it anew."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# For conda, Binder and repo2docker. The pins under pip: are those of requirements.lock;
# `make lock` writes this file.
name: cnn-course
channels:
  - conda-forge
dependencies:
  - python=3.12
  - pip
  - pip:
"""


def locked() -> list[str]:
    """Requirements of the lock, in order."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def environment_text() -> str:
    """What environment.yml must hold."""
    pins = "".join(f"      - '{_quoted(line)}'\n" for line in locked())
    return HEAD + pins + "      - .\n"


def _quoted(line: str) -> str:
    return line.replace("'", "''")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/environment_files.py --write")
    (ROOT / "environment.yml").write_text(environment_text(), encoding="utf-8")
