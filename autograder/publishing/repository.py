"""A Git repository that only :mod:`autograder.publishing` writes to, and never pushes."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

# Committed with the rest: whose repository this is, and which files a later run may remove.
MARKER = ".published.json"
_MADE_BY = "autograder publish"


class RepositoryError(Exception):
    """The folder cannot be published to; the message says why and what to do."""


class Repository:
    """The students' repository.

    Parameters
    ----------
    folder : pathlib.Path
        Where it is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _git(self, *words: str, check: bool = True) -> bytes:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GIT_")
        }
        # The last name wins only where the person has set none.
        identity = {}
        for name in ("AUTHOR", "COMMITTER"):
            identity |= {f"GIT_{name}_NAME": "Course", f"GIT_{name}_EMAIL": "course@localhost"}
        if not self._has_identity():
            environment |= identity
        done = subprocess.run(
            ["git", "-C", str(self.folder), "-c", "core.hooksPath=/dev/null",
             "-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", *words],
            capture_output=True, env=environment, check=False,
        )  # fmt: skip
        if check and done.returncode:
            words_of_git = done.stderr.decode(errors="replace").strip().splitlines()
            raise RepositoryError(
                f"git {words[0]} in {self.folder}: {(words_of_git or ['failed'])[-1]}"
            )
        return done.stdout

    def _has_identity(self) -> bool:
        done = subprocess.run(
            ["git", "config", "--get", "user.email"],
            cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def look(self, course_id: str) -> bool:
        """Check that this may be written to; tell whether something was published before.

        Raises
        ------
        RepositoryError
            If it holds anything that was not published, or changes that are not committed.
        """
        if shutil.which("git") is None:
            raise RepositoryError("git is not installed: on Debian, apt-get install git")
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            raise RepositoryError(f"{self.folder} is no folder: name a new or an empty one")
        if not self.folder.exists() or not any(self.folder.iterdir()):
            return False
        marker = self._marker()
        if marker is None or not (self.folder / ".git").exists():
            raise RepositoryError(
                f"{self.folder} is not empty, and was not made by {_MADE_BY}: name a new folder"
            )
        if marker["course"] != course_id:
            raise RepositoryError(
                f"{self.folder} belongs to the course {marker['course']!r}, this one is "
                f"{course_id!r}: name another folder"
            )
        changed = self._git("status", "--porcelain", "--untracked-files=all").decode()
        if changed:
            raise RepositoryError(
                f"{self.folder} has changes that are not committed "
                f"({changed.splitlines()[0][3:]}): commit or remove them first"
            )
        return True

    def _marker(self) -> dict[str, object] | None:
        try:
            marker = json.loads((self.folder / MARKER).read_bytes())
            known = marker["made_by"] == _MADE_BY and isinstance(marker["files"], list)
            return marker if known and isinstance(marker["course"], str) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, files: Mapping[str, bytes], course_id: str, message: str) -> bool:
        """Put the files there and commit them; files of an earlier run that are not among them go.

        Returns
        -------
        bool
            Whether anything had changed.
        """
        if not (self.folder / ".git").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--initial-branch=main")
        old = self._marker()
        for name in set(old["files"] if old else ()) - set(files):
            path = self.folder / str(name)
            # A name in the marker must not lead elsewhere.
            if path.resolve().is_relative_to(self.folder.resolve()) and path.is_file():
                path.unlink()
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                path.unlink()
            path.write_bytes(content)
        marker = {"made_by": _MADE_BY, "course": course_id, "files": sorted(files)}
        (self.folder / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
        self._git("add", "--all", "--force", ".")
        if not self._git("status", "--porcelain"):
            return False
        self._git("commit", "--quiet", "--message", message)
        return True

    def objects(self) -> Iterator[tuple[str, str, bytes]]:
        """Read every object that Git keeps, reachable or not: kind, id and content."""
        stream = self._git("cat-file", "--batch-all-objects", "--unordered", "--batch")
        start = 0
        while start < len(stream):
            end = stream.index(b"\n", start)
            identity, kind, size = stream[start:end].decode().split()
            start = end + 1 + int(size)
            yield kind, identity, stream[end + 1 : start]
            start += 1

    def commit(self) -> str:
        """Return the id of the last commit."""
        return self._git("rev-parse", "HEAD").decode().strip()
