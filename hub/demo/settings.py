"""What the starter of the demo hub tells the hub, in a file that only its user can read."""

import dataclasses
import json
import os
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a demo hub.

    Attributes
    ----------
    state : str
        Folder that holds everything the hub makes.
    port : int
        Port of the hub's pages on 127.0.0.1; the next two are its own.
    course : str
        Id of the course.
    instructor, students : str, list of str
        Names of the accounts.
    password : str
        The one password.
    proxy : list of str
        Command that starts the proxy.
    libraries, lent : dict of str to str
        Environment variables of students' servers: those with which libraries were imported for
        warm kernels, and where these are forked.
    """

    state: str
    port: int
    course: str
    instructor: str
    students: list[str]
    password: str
    proxy: list[str]
    libraries: dict[str, str]
    lent: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """Read what :meth:`write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Write a file that nobody else can read."""
        text = json.dumps(dataclasses.asdict(self), indent=1)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
