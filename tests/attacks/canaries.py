"""What must not change, must not be learnt, must not be reached, and must not stay behind."""

import base64
import contextlib
import hashlib
import os
import re
import secrets
import selectors
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

LARGE = 30_000_000  # bytes of a file that nobody should have to keep


class Surroundings:
    """A home, a place for temporary files, secrets and servers around one grading run.

    Attributes
    ----------
    run : str
        Seven characters that begin the marks of all attacks of this run.
    home, scratch : pathlib.Path
        ``$HOME`` and ``$TMPDIR`` of the grading command.
    environment : dict of str to str
        Environment of the grading command.
    secrets : dict of str to str
        What nobody may learn, by where it lies.
    words : dict of str to str
        What the attackers know about the place.
    """

    def __init__(self, base: Path) -> None:
        self.run = f"atk{secrets.token_hex(2)}"
        self.base = base
        self.home, self.scratch = base / "home", base / "tmp"
        for folder in (self.home, self.scratch):
            folder.mkdir(parents=True)
        self.secrets = {
            "the environment": f"s{secrets.token_hex(12)}",
            "the home directory": f"s{secrets.token_hex(12)}",
            "a file in /tmp": f"s{secrets.token_hex(12)}",
        }
        (self.home / "token.txt").write_text(self.secrets["the home directory"])
        self.tmp_file = Path(tempfile.gettempdir()) / f"{self.run}.secret"
        self.tmp_file.write_text(self.secrets["a file in /tmp"])
        self.environment = {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "ATTACK_RUN": self.run,
            "LMS_TOKEN": self.secrets["the environment"],
            "PYTHONWARNINGS": "ignore",
            "IPYTHONDIR": str(self.home / ".ipython"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for name in ("XDG_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
            self.environment.pop(name, None)
        self.listener = Listener(self.run)
        self.words = {
            "RUN": self.run,
            "HOME": str(self.home),
            "TMP_SECRET": str(self.tmp_file),
            "PORT": str(self.listener.port),
            "SOCKET": self.listener.path,
        }

    def close(self) -> None:
        """Stop the servers and remove what is left in the usual places for temporary files."""
        self.listener.close()
        for path in self.shared_files():
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def shared_files(self) -> list[Path]:
        """Files of this run in folders that everybody shares."""
        folders = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue")
        return [path for folder in folders for path in Path(folder).glob(f"*{self.run}*")]


class Listener(threading.Thread):
    """Servers on loopback (TCP, UDP) and on two unix sockets; keep what they are sent."""

    def __init__(self, run: str) -> None:
        super().__init__(daemon=True)
        self.heard: list[bytes] = []
        self.path = f"/tmp/{run}.sock"
        self._selector = selectors.DefaultSelector()
        self._sockets = [socket.socket(), socket.socket(type=socket.SOCK_DGRAM)]
        self._sockets[0].bind(("127.0.0.1", 0))
        self.port = self._sockets[0].getsockname()[1]
        self._sockets[1].bind(("127.0.0.1", self.port))
        for name in (self.path, f"\0{run}"):
            self._sockets.append(socket.socket(socket.AF_UNIX))
            self._sockets[-1].bind(name)
        os.chmod(self.path, 0o777)
        for item in self._sockets:
            if item.type == socket.SOCK_STREAM:
                item.listen(50)
            item.setblocking(False)
            self._selector.register(item, selectors.EVENT_READ)
        self._open = True
        self.start()

    def run(self) -> None:
        listening = set(self._sockets)
        while self._open:
            for key, _ in self._selector.select(timeout=0.5):
                item = key.fileobj
                with contextlib.suppress(OSError):
                    if item in listening and item.type == socket.SOCK_STREAM:
                        connection, _ = item.accept()
                        self.heard.append(b"connected ")
                        connection.setblocking(False)
                        self._selector.register(connection, selectors.EVENT_READ)
                        continue
                    data = item.recv(65_536)
                    if data:
                        self.heard.append(data)
                    elif item not in listening:
                        self._selector.unregister(item)
                        item.close()

    def close(self) -> None:
        """Stop listening."""
        self._open = False
        self.join(2)
        for item in self._sockets:
            item.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


def processes(words: Iterable[str]) -> dict[int, str]:
    """Processes whose name, command line, environment or working folder holds one of the words.

    Returns
    -------
    dict of int to str
        Process id → what tells it apart.
    """
    found = {}
    wanted = [word.encode() for word in words]
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        told = []
        for name in ("comm", "cmdline", "environ"):
            with contextlib.suppress(OSError):
                told.append((folder / name).read_bytes().replace(b"\0", b" "))
        with contextlib.suppress(OSError):
            told.append(os.readlink(folder / "cwd").encode())
        with contextlib.suppress(OSError):
            zombie = b") Z " in (folder / "stat").read_bytes()
            if any(word in text for word in wanted for text in told) and not zombie:
                shown = b" ".join(told[:2]).decode(errors="replace")
                found[int(folder.name)] = " ".join(shown.split())[:160]
    return found


def left_processes(words: Iterable[str], seconds: float = 6) -> dict[int, str]:
    """Processes that are still there after a while; they are killed."""
    words = list(words)
    end = time.monotonic() + seconds
    while (found := processes(words)) and time.monotonic() < end:
        time.sleep(0.2)
    for number in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGKILL)
    return found


def files_below(place: Path) -> list[Path]:
    """Whatever is no folder, in order, links not followed; also where folders are very deep."""
    found, folders = [], [Path(place)]  # no recursion: some attacks nest a thousand folders
    while folders:
        # A folder that vanishes, is closed, or has too long a path holds nothing to be found.
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                below = folders if entry.is_dir(follow_symlinks=False) else found
                below.append(Path(entry.path))
    return sorted(found)


def digests(root: Path, folders: Iterable[str]) -> dict[str, str]:
    """SHA-256 of every file below some folders (or of these files), links not followed."""
    found = {}
    for name in folders:
        for path in (root / name, *files_below(root / name)):
            if path.is_symlink():
                found[str(path.relative_to(root))] = f"-> {os.readlink(path)}"
            elif path.is_file():
                found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Names that came, went, or have another content."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def marked_files(run: str, place: Path) -> list[tuple[Path, set[str]]]:
    """Files below a folder that hold marks of attacks in their name or content.

    Parameters
    ----------
    run : str
        Seven characters that begin all marks.
    place : pathlib.Path
        Where to look.

    Returns
    -------
    list of (pathlib.Path, set of str)
        Each file and the marks in it.
    """
    pattern = re.compile(re.escape(run.encode()) + rb"n\d{3}")
    found = []
    for path in files_below(place):
        text = os.fsencode(path.name)
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink() and path.stat().st_size < LARGE:
                text += b"\n" + path.read_bytes()
        marks = {mark.decode() for mark in pattern.findall(text)}
        if marks:
            found.append((path, marks))
    return found


def large_files(places: Iterable[Path]) -> list[str]:
    """Files that are larger than anything honest."""
    found = []
    for place in places:
        for path in files_below(place):
            with contextlib.suppress(OSError):
                if path.is_file() and not path.is_symlink() and path.stat().st_size > LARGE:
                    found.append(f"{path.name} has {path.stat().st_size / 1e6:.0f} MB")
    return found


def disguises(secret: str) -> list[str]:
    """The ways in which a student may write a secret down to get it past a filter."""
    raw = secret.encode()
    spaced = " ".join(secret)
    return [secret, secret[::-1], raw.hex(), base64.b64encode(raw).decode().rstrip("="), spaced]


def tells(text: str, secret: str, *, only_disguised: bool = False) -> bool:
    """Whether a text holds a secret, as it is, backwards, in hexadecimal or in base64."""
    flat = re.sub(r"[\n\\]", "", text)
    forms = disguises(secret)[1 if only_disguised else 0 :]
    return any(form in text or form in flat for form in forms)
