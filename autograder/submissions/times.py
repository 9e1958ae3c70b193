"""When a submission was handed in, as far as the instructor's side can know.

``timestamp.txt`` and the name of the folder in the exchange are written by a program that runs as
the student, so both can be forged. What a student cannot set back is the moment at which the
exchange's file system last changed the entry (its *ctime*). The rules:

1. Collected by :class:`autograder.exchange.collect.Collect`: it signs a record; the record
   counts. If somebody on the instructor's side edited ``timestamp.txt`` afterwards, the edit does.
2. Without a record, but still in the exchange: the later of the folder's name and of its ctime.
3. Neither: ``timestamp.txt``, or the time of the notebook as collected if that is later.
4. A time that cannot be read, or that lies in the future: the moment at which the submission came
   into the course's folder. No ``timestamp.txt`` at all: no time, as in plain nbgrader.

Whenever two times differ by more than a minute, the later counts and a remark says so.
"""

import contextlib
import datetime
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from nbgrader.utils import parse_utc
from traitlets.config import Config

from autograder.assignment.seeds import course_secret, sign
from autograder.submissions.reading import RefusedError, read_bytes
from autograder.whole_file import write_whole

RECORD = ".autograder_record.json"
TOLERANCE = datetime.timedelta(minutes=1)
_EXCHANGE = "/usr/local/share/nbgrader/exchange"
_MAX_RECORD = 50_000
_ABOUT = "time of submission"


def read_time(text: str) -> datetime.datetime | None:
    """Read a time as nbgrader writes it; None if it is none."""
    if not 0 < len(text) <= 100:
        return None
    try:
        moment = parse_utc(text)
    except Exception:
        # dateutil fails in many ways on hostile text (overflow, recursion, wrong types).
        return None
    return moment if isinstance(moment, datetime.datetime) else None


def written(moment: datetime.datetime) -> str:
    """Write a time as nbgrader does."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def inbound_folder(config: Config, course_id: str) -> Path | None:
    """Where the exchange keeps what students hand in, if the course uses nbgrader's exchange."""
    root = config.Exchange.get("root", _EXCHANGE)
    folder = Path(str(root)) / course_id / "inbound"
    return folder if course_id and folder.is_dir() else None


def entry_time(folder: Path) -> tuple[datetime.datetime, list[str]]:
    """Time of a submission in the exchange: the later of its name and of its last change.

    Parameters
    ----------
    folder : pathlib.Path
        ``inbound/STUDENT+ASSIGNMENT+TIME+RANDOM``.

    Returns
    -------
    (datetime.datetime, list of str)
        The time (UTC) and what is doubtful about it.
    """
    parts = folder.name.rsplit("+", 3)
    named = read_time(parts[2]) if len(parts) > 2 else None
    changed = _changed(folder)
    if named is None:
        return changed, [f"{_ABOUT}: the exchange's entry has none; {_say(changed)}"]
    if changed > named + TOLERANCE:
        return changed, [
            f"{_ABOUT}: named {_short(named)}, but last changed {_short(changed)}; the later counts"
        ]
    if named > changed + TOLERANCE:
        return changed, [
            f"{_ABOUT}: named {_short(named)}, which was still to come; {_say(changed)}"
        ]
    return named, []


def _changed(folder: Path) -> datetime.datetime:
    """Last moment at which anything in a folder changed, by the clock of its file system."""
    latest = os.lstat(folder).st_ctime
    for place, _, names in os.walk(folder):
        for name in names[:1000]:
            with contextlib.suppress(OSError):
                latest = max(latest, os.lstat(os.path.join(place, name)).st_ctime)
    return _utc(latest)


def submitted_at(
    folder: Path,
    claimed: bytes | None,
    *,
    root: Path,
    inbound: Path | None,
    student: str,
    assignment: str,
) -> tuple[datetime.datetime | None, list[str]]:
    """Decide when a submission was handed in; see the rules above.

    Parameters
    ----------
    folder : pathlib.Path
        The submission in the course's folder.
    claimed : bytes or None
        Content of its ``timestamp.txt``.
    root : pathlib.Path
        The course's folder, for its secret.
    inbound : pathlib.Path or None
        See :func:`inbound_folder`.
    student, assignment : str
        Whose it is.

    Returns
    -------
    (datetime.datetime or None, list of str)
        The time (UTC, without zone), and remarks.
    """
    text = None if claimed is None else claimed[:200].decode("utf-8", "replace").strip()
    time = None if text is None else read_time(text)
    record = read_record(folder, root)
    if record is not None:
        if text is not None and time is not None and text != record["written"]:
            doubts = [doubt for doubt in record["doubts"] if not doubt.startswith(_ABOUT)]
            return time, doubts
        return read_time(record["written"]), list(record["doubts"])
    entry = None if inbound is None else _entry(inbound, folder, student, assignment)
    if entry is not None:
        moment, doubts = entry_time(entry)
        if time is not None and time > moment + TOLERANCE and time <= _now():
            return time, [*doubts, f"{_ABOUT}: timestamp.txt says {_short(time)}"]
        if not doubts and text is not None and (time is None or abs(time - moment) > TOLERANCE):
            said = "nothing that can be read" if time is None else _short(time)
            doubts = [f"{_ABOUT}: timestamp.txt says {said}; {_say(moment)}"]
        return moment, doubts
    if text is None:
        return None, []
    arrived = _changed(folder)
    if time is None:
        return arrived, [f"{_ABOUT}: timestamp.txt cannot be read; {_say(arrived)}"]
    if time > arrived + TOLERANCE:
        return arrived, [
            f"{_ABOUT}: timestamp.txt says {_short(time)}, which was still to come when "
            f"it was collected; {_say(arrived)}"
        ]
    saved = _saved(folder)
    if saved is not None and saved > time + TOLERANCE:
        return saved, [
            f"{_ABOUT}: timestamp.txt says {_short(time)}, but a notebook was saved "
            f"{_short(saved)}; the later counts"
        ]
    return time, []


def _saved(folder: Path) -> datetime.datetime | None:
    """When the notebooks were last written, as the files themselves say."""
    stamps = []
    for path in folder.glob("*.ipynb"):
        with contextlib.suppress(OSError):
            stamps.append(os.lstat(path).st_mtime)
    with contextlib.suppress(OverflowError, ValueError):
        return min(_utc(max(stamps)), _now()) if stamps else None
    return None


def _entry(inbound: Path, folder: Path, student: str, assignment: str) -> Path | None:
    """The entry of the exchange that a collected submission comes from."""
    start = f"{student}+{assignment}+"
    try:
        names = [name for name in os.listdir(inbound) if name.startswith(start)]
    except OSError:
        return None
    entries = [inbound / name for name in names if not (inbound / name).is_symlink()]
    token = _token(folder)
    same = [entry for entry in entries if token is not None and _token(entry) == token]
    chosen = same or entries
    return max(chosen, key=lambda entry: entry_time(entry)[0]) if chosen else None


def _token(folder: Path) -> bytes | None:
    try:
        return read_bytes(str(folder / "submission_secret.txt"), 1000)
    except RefusedError:
        return None


def read_record(folder: Path, root: Path) -> dict[str, object] | None:
    """Read what the instructor's side wrote down about a submission; None if it did not."""
    try:
        content = json.loads(read_bytes(str(folder / RECORD), _MAX_RECORD))
        text = content["text"]
        expected = sign(course_secret(root), text)
        if not hmac.compare_digest(expected, str(content["signature"])):
            return None
        record = json.loads(text)
        return record if record["folder"] == _name(folder) else None
    except (RefusedError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_record(
    folder: Path, moment: datetime.datetime, doubts: Sequence[str], *, root: Path
) -> None:
    """Write down, signed, when a submission was handed in, and put it into ``timestamp.txt``."""
    text = json.dumps(
        {"folder": _name(folder), "written": written(moment), "doubts": list(doubts)[:30]}
    )
    content = {"text": text, "signature": sign(course_secret(root), text)}
    _write(folder / RECORD, json.dumps(content))
    _write(folder / "timestamp.txt", written(moment))


def settle(
    folder: Path,
    moment: datetime.datetime | None,
    claimed: bytes | None,
    *,
    root: Path,
    doubts: Sequence[str],
) -> bytes | None:
    """Make ``timestamp.txt`` say the time that counts, where it does not; return what it says."""
    if moment is None or claimed is None:
        return claimed
    time = read_time(claimed[:200].decode("utf-8", "replace").strip())
    if time is not None and abs(time - moment) <= TOLERANCE:
        return claimed
    write_record(folder, moment, [doubt for doubt in doubts if doubt.startswith(_ABOUT)], root=root)
    return written(moment).encode()


def _name(folder: Path) -> str:
    """What a record belongs to: it must not be moved to somebody else's submission."""
    return "/".join(folder.absolute().parts[-2:])


def _write(path: Path, text: str) -> None:
    if path.is_dir() and not path.is_symlink():
        # Handed in where a file belongs; kept under another name.
        path.rename(path.with_name(f"{path.name}.refused-{secrets.token_hex(4)}"))
    write_whole(path, text.encode(), permissions=0o644)


def _utc(seconds: float) -> datetime.datetime:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.replace(tzinfo=None)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def _short(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _say(moment: datetime.datetime) -> str:
    return f"{_short(moment)} counts"
