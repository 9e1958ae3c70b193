"""Back up and restore what a class cannot do without: gradebook, course folder, exchange.

::

    python -m hub.class_server.backup make
    python -m hub.class_server.backup list
    python -m hub.class_server.backup restore 2026-11-26T033000Z --into /tmp/look
    python -m hub.class_server.backup restore 2026-11-26T033000Z --in-place

A backup is one folder: ``gradebook.db``, copied while it is in use, and ``course.tar.gz`` and
``exchange.tar.gz`` with owners, modes and times. ``digests.json`` is written last: without it, or
if a file differs from it, a backup is not whole and is not restored. Restoring in place moves what
is there aside and deletes nothing.
"""

import argparse
import contextlib
import datetime
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hub.class_server.settings import DEFAULT, Settings, SettingsError

OK, PROBLEM = 0, 1
GRADEBOOK, DIGESTS = "gradebook.db", "digests.json"
KEEP = 30
_STAMP = "%Y-%m-%dT%H%M%SZ"
# Made again by grading or by a command, or no part of the course.
_LEFT_OUT = ("__pycache__", ".ipynb_checkpoints", ".venv", f"{GRADEBOOK}-wal", f"{GRADEBOOK}-shm")


class BackupError(Exception):
    """A backup could not be made or restored; the message says why."""


def make(settings: Settings, folder: Path, *, keep: int = KEEP) -> Path:
    """Make a backup, and remove the oldest ones.

    Parameters
    ----------
    settings : Settings
        Where things are.
    folder : pathlib.Path
        Where backups lie.
    keep : int
        So many are kept.

    Returns
    -------
    pathlib.Path
        The new backup.
    """
    course, exchange = Path(settings.course_root), Path(settings.exchange)
    for path in (course, exchange):
        if not path.is_dir():
            raise BackupError(f"{path} is not there: correct the settings, or make it first")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.datetime.now(datetime.UTC)
    done = folder / now.strftime(_STAMP)
    if done.exists():
        raise BackupError(f"{done} exists already: wait a second")
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    try:
        if (course / GRADEBOOK).exists():
            _copy_database(course / GRADEBOOK, draft / GRADEBOOK)
        _pack(course, draft / "course.tar.gz", leave_out=(*_LEFT_OUT, GRADEBOOK))
        _pack(exchange, draft / "exchange.tar.gz", leave_out=())
        digests = {path.name: _digest(path) for path in sorted(draft.iterdir())}
        (draft / DIGESTS).write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
        draft.rename(done)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for old in backups(folder)[:-keep]:
        shutil.rmtree(old)
    return done


def backups(folder: Path) -> list[Path]:
    """Backups in a folder, the oldest first."""
    return sorted(path.parent for path in folder.glob(f"[0-9]*/{DIGESTS}"))


def check(backup: Path) -> None:
    """Read every byte of a backup.

    Raises
    ------
    BackupError
        If it is not whole.
    """
    try:
        digests = json.loads((backup / DIGESTS).read_bytes())
    except (OSError, ValueError):
        raise BackupError(f"{backup} is no whole backup: it has no {DIGESTS}") from None
    for name, digest in digests.items():
        path = backup / name
        if not path.is_file() or _digest(path) != digest:
            raise BackupError(f"{path} is damaged or missing: take another backup")


def restore(backup: Path, course: Path, exchange: Path) -> list[Path]:
    """Put a backup into two folders; what is there is moved aside first.

    Returns
    -------
    list of pathlib.Path
        Where what was there is now.
    """
    check(backup)
    stamp = datetime.datetime.now(datetime.UTC).strftime(_STAMP)
    aside: list[Path] = []
    for archive, target in (("course", course), ("exchange", exchange)):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            with tarfile.open(backup / f"{archive}.tar.gz") as packed:
                packed.extractall(draft, numeric_owner=True, filter=_as_it_was)
            if archive == "course" and (backup / GRADEBOOK).exists():
                shutil.copy2(backup / GRADEBOOK, draft / "content" / GRADEBOOK)
                about = (draft / "content").stat()
                with contextlib.suppress(PermissionError):
                    os.chown(draft / "content" / GRADEBOOK, about.st_uid, about.st_gid)
            if target.exists():
                aside.append(target.with_name(f"{target.name}.before-{stamp}"))
                target.rename(aside[-1])
            (draft / "content").rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return aside


def _as_it_was(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Owners and modes are kept, sticky bits too; links and devices of students are not."""
    if not (member.isfile() or member.isdir()):
        return None
    safe = tarfile.data_filter(member, folder)
    mode = member.mode & (0o7777 if member.isdir() else 0o777)
    return safe.replace(uid=member.uid, gid=member.gid, uname="", gname="", mode=mode, deep=False)


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that may be written to meanwhile."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        (state,) = new.execute("PRAGMA integrity_check").fetchone()
    if state != "ok":
        raise BackupError(f"{source} is damaged: {state}")


def _pack(folder: Path, archive: Path, leave_out: Sequence[str]) -> None:
    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        plain = member.isfile() or member.isdir()
        return member if plain and Path(member.name).name not in leave_out else None

    with tarfile.open(archive, "w:gz", compresslevel=6) as packed:
        packed.add(folder, arcname="content", filter=kept)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="python -m hub.class_server.backup",
        description="Back up and restore gradebook, course and exchange of a class server.",
        epilog="Example: python -m hub.class_server.backup make --keep 60",
    )
    parser.add_argument("--settings", type=Path, default=DEFAULT, metavar="FILE")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="of backups (STATE/backups)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    making = commands.add_parser("make", help="make one")
    making.add_argument("--keep", type=int, default=KEEP, metavar="N", help=f"so many ({KEEP})")
    commands.add_parser("list", help="list them, each read and checked")
    restoring = commands.add_parser("restore", help="put one back")
    restoring.add_argument("name", metavar="NAME")
    where = restoring.add_mutually_exclusive_group(required=True)
    where.add_argument("--into", type=Path, metavar="DIR", help="a new folder, to look at it")
    where.add_argument("--in-place", action="store_true", help="where it was; stop the hub first")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.read(options.settings)
        folder = options.folder or Path(settings.state) / "backups"
        return _run(options, settings, folder)
    except (BackupError, SettingsError, OSError) as error:
        print(f"backup: {error}", file=sys.stderr)
        return PROBLEM


def _run(options: argparse.Namespace, settings: Settings, folder: Path) -> int:
    if options.command == "make":
        done = make(settings, folder, keep=max(1, options.keep))
        size = sum(path.stat().st_size for path in done.iterdir())
        print(f"{done}: {size / 1e6:.1f} MB")
        return OK
    if options.command == "list":
        state = OK
        for backup in backups(folder):
            try:
                check(backup)
                print(f"{backup.name}: whole")
            except BackupError as error:
                print(f"{backup.name}: {error}")
                state = PROBLEM
        return state
    backup = folder / options.name
    if options.in_place:
        aside = restore(backup, Path(settings.course_root), Path(settings.exchange))
    elif options.into.exists():
        raise BackupError(f"{options.into} exists: name a new folder")
    else:
        aside = restore(backup, options.into / "course", options.into / "exchange")
    for path in aside:
        print(f"what was there is now {path}")
    print(f"{options.name}: restored")
    return OK


if __name__ == "__main__":
    sys.exit(main())
