"""One file over HTTP: it resumes, it gives up in time, it says why.

Pooch is this field's library for the task, and it is used here: it finds the cache folder, checks
the digest of a file where one is published, and moves a finished file into its place. Its own
downloader starts from nothing after every interruption, because the temporary file that
``pooch.retrieve`` hands to it is deleted when it fails, and its read time-out is no help against a
server that sends a byte a second. Pooch takes another downloader for such cases, which is what
:class:`ResumingDownloader` is.
"""

import contextlib
import dataclasses
import errno
import hashlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
import urllib3
from tqdm import tqdm

from data_scripts.cache import ensure_room, readable
from data_scripts.errors import SourceFailed, WrongContent, cache_error, clause


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to try again.

    Parameters
    ----------
    connect : float
        For the connection.
    silence : float
        For the next byte.
    window : float
        Over which the speed is measured.
    floor : float
        Bytes a second below which a window is too slow.
    attempts : int
        Connections to try when they break off on the way.
    pause : float
        Before the next one; it doubles every time.
    """

    connect: float = 10.0
    silence: float = 30.0
    window: float = 30.0
    floor: float = 1000.0
    attempts: int = 4
    pause: float = 1.0


PATIENCE = Patience()

_CHUNK = 1 << 18


class _BrokenOff(SourceFailed):
    """The connection ended early; what has arrived is kept."""


class ResumingDownloader(pooch.HTTPDownloader):
    """Pooch's HTTP downloader, which goes on where a download broke off.

    Bytes go to a ``.part`` file that outlives failures and processes. The next attempt asks for the
    rest with a ``Range`` header, and copes with servers that send everything again.

    Parameters
    ----------
    part : pathlib.Path
        Where unfinished bytes are kept.
    limit : int
        Bytes at which to cut a download off.
    label : str
        For the progress bar, which shows on standard error if that is a terminal.
    """

    def __init__(self, part: Path, limit: int, label: str) -> None:
        super().__init__()
        self.part = part
        self.limit = limit
        self.label = label

    def __call__(
        self, url: str, output_file: str, pooch: object = None, check_only: bool = False
    ) -> bool | None:
        """Download ``url`` to ``output_file``; the signature is pooch's."""
        if check_only:
            return super().__call__(url, output_file, pooch, check_only=True)
        for attempt in range(1, PATIENCE.attempts + 1):
            try:
                self._receive(url)
                break
            except _BrokenOff as error:
                if attempt == PATIENCE.attempts:
                    raise SourceFailed(
                        f"{error}, {attempt} times over (the next try goes on from there)"
                    ) from error
                time.sleep(PATIENCE.pause * 2 ** (attempt - 1))
        os.replace(self.part, output_file)
        return None

    def _receive(self, url: str) -> None:
        """Make one request and add its body to the part file."""
        host = urlsplit(url).netloc
        have = self.part.stat().st_size if self.part.exists() else 0
        with self._answer(url, have) as response:
            status = response.status_code
            if have and status == 416:  # nothing is left to send, or the file has changed
                if response.headers.get("Content-Range", "") == f"bytes */{have}":
                    return
                self.part.unlink()
                raise _BrokenOff(f"{host} cannot go on at byte {have:,}")
            if have and status == 206:
                if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                    self.part.unlink()
                    raise _BrokenOff(f"{host} did not go on at byte {have:,}")
            elif status == 200:
                have = 0
            else:
                raise SourceFailed(
                    f"{host} answered {status} {response.reason} for "
                    f"{urlsplit(url).path}, expected 200 OK"
                )
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if kind in ("text/html", "application/xhtml+xml"):
                raise _html_page(host)
            length = response.headers.get("Content-Length", "")
            total = have + int(length) if length.isdigit() else None
            if total is not None and total > self.limit:
                raise self._too_long(host, total)
            ensure_room(self.part.parent, (total or self.limit) - have)
            self._store(response, host, have, total)

    @contextlib.contextmanager
    def _answer(self, url: str, have: int) -> Iterator[requests.Response]:
        """Ask for a file from a byte on, and translate what can go wrong before the body."""
        host = urlsplit(url).netloc
        # "identity", or a server may compress on the fly and bytes would no longer count the same.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            response = requests.get(
                url,
                headers=headers,
                stream=True,
                timeout=(PATIENCE.connect, PATIENCE.silence),
            )
        except requests.exceptions.Timeout as error:
            seconds = (
                PATIENCE.connect
                if isinstance(error, requests.exceptions.ConnectTimeout)
                else PATIENCE.silence
            )
            raise SourceFailed(
                f"{host} did not answer within {seconds:g} s (no network, or a firewall)"
            ) from error
        except requests.exceptions.SSLError as error:
            raise SourceFailed(
                f"{host} showed no valid certificate (a network's login page does that)"
            ) from error
        except requests.exceptions.RequestException as error:
            raise _unreachable(host, error) from error
        with response:
            yield response

    def _store(self, response: requests.Response, host: str, have: int, total: int | None) -> None:
        """Write the body as it comes, and watch its speed and its length."""
        # read1 returns what has arrived; read would wait until a whole chunk is there, and a server
        # that trickles could hold it for ever.
        read = getattr(response.raw, "read1", response.raw.read)
        began, since = time.monotonic(), 0
        first = not have
        try:
            stream = self.part.open("ab" if have else "wb")
        except OSError as error:
            raise cache_error(error, self.part) from error
        bar = tqdm(
            desc=self.label,
            total=total,
            initial=have,
            unit="B",
            unit_scale=True,
            file=sys.stderr,
            disable=None,
            leave=False,
        )
        with bar, self._no_useless_remains(), stream:
            while True:
                try:
                    chunk = read(_CHUNK)
                except urllib3.exceptions.ReadTimeoutError as error:
                    raise SourceFailed(
                        f"{host} sent nothing for {PATIENCE.silence:g} s after "
                        f"{_progress(have, total)} (the next try goes on from there)"
                    ) from error
                except urllib3.exceptions.HTTPError as error:
                    raise _BrokenOff(
                        f"{host} broke the connection off after {_progress(have, total)}"
                    ) from error
                if not chunk:
                    break
                if first and chunk.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
                    raise _html_page(host)
                first = False
                stream.write(chunk)
                bar.update(len(chunk))
                have += len(chunk)
                since += len(chunk)
                if have > self.limit:
                    raise self._too_long(host, have)
                elapsed = time.monotonic() - began
                if elapsed > PATIENCE.window:
                    if since < PATIENCE.floor * elapsed:
                        raise SourceFailed(
                            f"{host} sent {readable(since)} in {elapsed:.0f} s, expected at least "
                            f"{readable(PATIENCE.floor)} a second"
                        )
                    began, since = time.monotonic(), 0
        if total is not None and have < total:
            raise _BrokenOff(f"{host} broke the connection off after {_progress(have, total)}")

    @contextlib.contextmanager
    def _no_useless_remains(self) -> Iterator[None]:
        """Keep a part file only if the next try can go on from it; never fill a full disk."""
        try:
            yield
        except OSError as error:
            self.part.unlink(missing_ok=True)
            raise cache_error(error, self.part) from error
        except WrongContent:
            self.part.unlink(missing_ok=True)
            raise
        except SourceFailed:
            if not self.part.stat().st_size:
                self.part.unlink()
            raise

    def _too_long(self, host: str, received: int) -> WrongContent:
        return WrongContent(
            f"{host} sends {readable(received)} or more, expected at most {readable(self.limit)}"
        )


def part_file(url: str, folder: Path) -> Path:
    """Where the unfinished bytes of an address are kept."""
    path = _container(url, folder)
    return path.with_name(f"{path.name}.part")


def leftover(url: str, folder: Path) -> bool:
    """Whether an earlier attempt left bytes of this file, whole or in part."""
    return _container(url, folder).exists() or part_file(url, folder).exists()


def discard(url: str, folder: Path) -> None:
    """Remove all bytes of this file."""
    _container(url, folder).unlink(missing_ok=True)
    part_file(url, folder).unlink(missing_ok=True)


def download(url: str, folder: Path, *, size: int, label: str, sha256: str | None = None) -> Path:
    """Download a file, going on where an earlier attempt broke off.

    Parameters
    ----------
    url : str
        ``http`` or ``https``.
    folder : pathlib.Path
        Where to put it; made if need be. A file that is there already is taken.
    size : int
        Bytes that it should have, roughly: a download of more than twice as many is cut off.
    label : str
        For the progress bar.
    sha256 : str, optional
        Of the file, where it is published.

    Returns
    -------
    pathlib.Path
        Of the whole file. Its content is not checked unless ``sha256`` is given.

    Raises
    ------
    SourceFailed
        If the server cannot be reached, answers with an error or a web page, breaks off or is too
        slow.
    WrongContent
        If it sends far too much, or a file with another digest.
    CacheError
        If the folder cannot be written or has no room.
    """
    path = _container(url, folder)
    downloader = ResumingDownloader(
        part=part_file(url, folder), limit=2 * size + (1 << 16), label=label
    )
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it would report every file, and print digests for us to note
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(
            pooch.retrieve(
                url, known_hash=sha256, fname=path.name, path=folder, downloader=downloader
            )
        )
    except OSError as error:
        raise cache_error(error, folder) from error
    except ValueError as error:
        if "but got " not in str(error):
            raise SourceFailed(f"{url} is no address ({clause(error)})") from error
        received = str(error).partition("but got ")[2].partition(".")[0]
        raise WrongContent(
            f"{urlsplit(url).netloc} sent a file with SHA-256 {received[:16]}… as "
            f"{urlsplit(url).path}, expected {str(sha256)[:16]}…"
        ) from error
    finally:
        logger.setLevel(level)


def _container(url: str, folder: Path) -> Path:
    """Where a finished file goes: its own name, after a digest of the whole address."""
    name = urlsplit(url).path.rpartition("/")[2] or "file"
    return folder / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{name}"


def _html_page(host: str) -> SourceFailed:
    """Not wrong content: bytes that came before the login page are still good."""
    return SourceFailed(
        f"{host} sent an HTML page, expected a data file (if your network has a login page, log "
        "in with a browser)"
    )


def _progress(have: int, total: int | None) -> str:
    return readable(have) if total is None else f"{readable(have)} of {readable(total)}"


def _unreachable(host: str, error: BaseException) -> SourceFailed:
    """Find the reason at the bottom of a stack of wrapped exceptions."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            waiting += [getattr(found, "reason", None), found.__cause__, found.__context__]
            waiting += found.args
    if any(isinstance(found, ConnectionRefusedError) for found in seen):
        return SourceFailed(f"{host} refused the connection")
    if any(isinstance(found, socket.gaierror) for found in seen):
        return SourceFailed(f"the name {host} was not found (no network?)")
    if any(getattr(found, "errno", None) in _NO_ROUTE for found in seen):
        return SourceFailed(f"there is no way to {host} (no network?)")
    if any(isinstance(found, ConnectionError | urllib3.exceptions.ProtocolError) for found in seen):
        return _BrokenOff(f"{host} broke the connection off before it answered")
    return SourceFailed(f"{host} could not be reached ({clause(error)})")


_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}
