"""A place with no network where commands run as a plain user, whoever runs the tests.

One process holds namespaces of its own, for the network and (started by root) for mounts; hub and
browser enter them. Started by root, commands run as *nobody*; a base Python below a closed home
becomes readable there. A plain user stays who they are.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.notebooks.offline import network_is_blocked, raise_loopback

NOBODY = 65_534
READY = "ready"
AS_ROOT = os.geteuid() == 0


@dataclass(frozen=True)
class Place:
    """Somewhere to run commands.

    Attributes
    ----------
    holder : int
        The process that holds the namespaces.
    home : pathlib.Path
        A folder of the user's own.
    """

    holder: int
    home: Path

    def enter(self, *kinds: str) -> list[str]:
        """Beginning of a command that is run here, by whoever runs the tests."""
        own = ["--preserve-credentials", "--user"] if not AS_ROOT else []
        return ["nsenter", *own, *kinds, "--target", str(self.holder)]

    def command(self, *words: str) -> list[str]:
        """Command that runs words here, as a plain user, in the repository's folder."""
        nobody = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all")
        begin = self.enter("--net", "--mount") if AS_ROOT else self.enter("--net")
        drop = ["setpriv", *nobody] if AS_ROOT else []
        own = (f"HOME={self.home}", f"TMPDIR={self.home}", "PYTHONPATH=")
        return [*begin, *drop, "env", "-C", str(ROOT), *own, *words]


@contextlib.contextmanager
def held(home: Path) -> Iterator[Place]:
    """Make the place; it is gone when the block ends.

    Parameters
    ----------
    home : pathlib.Path
        A folder that does not exist yet, below one that others may pass.

    Raises
    ------
    RuntimeError
        If the system does not let it be made.
    """
    if not all(map(shutil.which, ("unshare", "nsenter", "setpriv"))):
        raise RuntimeError("util-linux is not installed")
    home.mkdir()
    if AS_ROOT:
        os.chown(home, NOBODY, NOBODY)
    own = ["--mount"] if AS_ROOT else ["--map-current-user", "--keep-caps"]
    holder = subprocess.Popen(
        ["unshare", "--net", *own, sys.executable, "-m", "tests.hub.apart"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        if READY not in holder.stdout.readline():
            raise RuntimeError("no namespaces can be made here")
        yield Place(holder.pid, home)
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()


def _open_path_to(base: Path) -> None:
    """Let others read a folder whose parents are closed to them, in this namespace alone."""
    closed = [folder for folder in (base, *base.parents) if not folder.stat().st_mode & 0o001]
    if not closed:
        return
    kept = tempfile.mkdtemp()
    top = str(closed[-1])
    for words in (
        ("--make-rprivate", "/"),
        ("--bind", str(base), kept),
        ("-t", "tmpfs", "-o", "mode=755", "tmpfs", top),
    ):
        subprocess.run(["mount", *words], check=True)
    base.mkdir(parents=True)
    subprocess.run(["mount", "--move", kept, str(base)], check=True)
    os.rmdir(kept)


def main() -> None:
    """Hold the namespaces until the one who asked closes the line."""
    raise_loopback()
    if not network_is_blocked():
        sys.exit("there is still a network")
    if AS_ROOT:
        _open_path_to(Path(sys.base_prefix).resolve())
    print(READY, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
