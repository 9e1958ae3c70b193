"""A real PostgreSQL server of one's own, on a loopback port, in a folder that is thrown away."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text

_BINARIES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def find(program):
    """Where a program of PostgreSQL is; None if it is not installed."""
    for folder in _BINARIES:
        if (folder / program).exists():
            return str(folder / program)
    return shutil.which(program)


class Server:
    """Running from the start; :meth:`close` removes everything."""

    def __init__(self):
        # Not below pytest's folders: an unprivileged user must be able to get there.
        self.folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir="/tmp"))
        self.data = self.folder / "data"
        self.password = secrets.token_hex(8)
        self._who = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            name = next(name for name in ("postgres", "nobody") if _exists(name))
            user = pwd.getpwnam(name)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self._run(
            "initdb", "-D", self.data, "-U", "teacher", f"--pwfile={secret}",
            "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                f"unix_socket_directories = '{self.folder}'\nshared_buffers = 16MB\n"
            )
        self.start()

        self._database = "postgres"

    @property
    def url(self):
        """Address of the database that was made last."""
        place = f"127.0.0.1:{self.port}/{self._database}"
        return f"postgresql+psycopg://teacher:{self.password}@{place}"

    def fresh_url(self):
        """Address of a new, empty database."""
        name = f"gradebook_{secrets.token_hex(4)}"
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        self._database = name
        return self.url

    def start(self):
        self._control("start")

    def restart(self):
        """Stop as if the power had failed, and start again."""
        self._control("restart", "-m", "immediate")

    def close(self):
        self._control("stop", "-m", "immediate", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *words, check=True):
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", log, *words, check=check)

    def _run(self, program, *words, check=True):
        subprocess.run(
            [find(program), *map(str, words)], cwd=self.folder, check=check, timeout=120,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **self._who,
        )  # fmt: skip


def _exists(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
