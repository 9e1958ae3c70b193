"""Seeds of the fresh inputs that hidden checks draw."""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECRET_FILE = ".autograder_secret"
SECRET_BYTES = 32


def course_secret(root: Path) -> bytes:
    """Read the course's secret, or make it: 32 random bytes that only the instructor can read.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    """
    path = root / SECRET_FILE
    for _ in range(100):
        try:
            secret = path.read_bytes()
        except FileNotFoundError:
            _make_secret(path)
            continue
        if len(secret) >= SECRET_BYTES:
            return secret
        # A full disk: an empty secret would be one that everybody knows.
        path.unlink(missing_ok=True)
    raise OSError(f"{path} cannot be written: is the disk full?")


def _make_secret(path: Path) -> None:
    """Write a secret in one step: nobody ever sees a part of it."""
    draft = path.with_name(f"{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def sign(secret: bytes, text: str) -> str:
    """Mark a text as written by somebody who has the secret."""
    return hmac.new(secret, b"autograder record\0" + text.encode(), hashlib.sha256).hexdigest()


def submission_seed(
    secret: bytes,
    assignment: str,
    student: str,
    notebook: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
) -> str:
    """Seed of one submission.

    HMAC-SHA256 over assignment, student, the cells' text and the student's files: a regrade draws
    the same inputs, a changed answer draws others, and nobody without the secret can know them.

    Parameters
    ----------
    secret : bytes
        See :func:`course_secret`.
    assignment, student : str
        Whose submission it is.
    notebook : mapping
        The sanitised notebook.
    files : mapping of str to bytes, optional
        The student's other files, by name.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    parts = [assignment, student, *(cell["source"] for cell in notebook["cells"])]
    for name, content in sorted((files or {}).items()):
        parts += [name, hashlib.sha256(content).hexdigest()]
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        # Lengths go in too, so that text cannot wander from one part into the next.
        digest.update(len(data).to_bytes(8, "big") + data)
    return hmac.new(secret, digest.digest(), hashlib.sha256).hexdigest()
