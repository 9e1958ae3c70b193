"""Seeds of the fresh inputs that hidden checks draw."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from nbformat import NotebookNode

SECRET_FILE = ".autograder_secret"


def course_secret(root: Path) -> bytes:
    """Read the course's secret, or make it: 32 random bytes that only the instructor can read.

    Parameters
    ----------
    root : pathlib.Path
        The course's folder.
    """
    path = root / SECRET_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        secret = secrets.token_bytes(32)
        file.write(secret)
    return secret


def submission_seed(secret: bytes, assignment: str, student: str, notebook: NotebookNode) -> str:
    """Seed of one submission.

    HMAC-SHA256 over assignment, student and the cells' text: a regrade draws the same inputs, a
    changed answer draws others, and nobody without the secret can know them.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in (assignment, student, *(cell.source for cell in notebook.cells)):
        data = part.encode()
        # Lengths go in too, so that text cannot wander from one part into the next.
        digest.update(len(data).to_bytes(8, "big") + data)
    return hmac.new(secret, digest.digest(), hashlib.sha256).hexdigest()
