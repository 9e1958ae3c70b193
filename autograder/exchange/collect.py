"""Collect submissions from the exchange without believing what students could forge."""

import contextlib
import datetime
import os
import re
import shutil
import stat
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.default.collect import ExchangeCollect

from autograder.exchange.folders import forbid_renaming, why_distrusted
from autograder.exchange.identity import Identity, name_of
from autograder.submissions import times
from autograder.submissions.intake import walk
from autograder.submissions.reading import MAX_BYTES, RefusedError, read_bytes

MAX_FILES = 2_000
MAX_TOLD = 20
_NAME = re.compile(r"[^\W_][\w.@-]{0,99}")
_INBOUND = "inbound"

Record = dict[str, Any]


class Collect(ExchangeCollect):
    """Takes the place of nbgrader's ``ExchangeCollect``.

    * An entry counts only if it is proved to be of the student whose name it bears: by its owner,
      or by the folder it lies in, as :class:`autograder.exchange.identity.Identity` says.
    * Links, pipes, devices, oversized files and files of somebody else are not copied.
    * What was collected stays, unless ``--update`` asks for a newer one; even then the old one goes
      only when the new one is whole.
    * The time is that of the exchange's record, see :mod:`autograder.submissions.times`.

    Whatever is refused is named in the log in one sentence, and the others are still collected.
    """

    def init_src(self) -> None:
        """Find the entries, and choose one for each student."""
        if self.coursedir.course_id == "":
            self.fail("No course id specified. Re-run with --course flag.")
        self.identity = Identity(parent=self)
        self.course_path = os.path.join(self.root, self.coursedir.course_id)
        self.inbound_path = os.path.join(self.course_path, _INBOUND)
        by_student = defaultdict(list)
        for record in self._records():
            by_student[record["username"]].append(record)
        due = self._due_date()
        self.src_records = [self._chosen(records, due) for _, records in sorted(by_student.items())]

    def _records(self) -> Iterator[Record]:
        course = Path(self.course_path)
        self._check_folder(course)
        chosen = self.coursedir.student_id or "*"
        assignment = f"+{self.coursedir.assignment_id}+"
        for inbound in self._inbound_folders(course):
            try:
                names = sorted(os.listdir(inbound))
            except PermissionError:
                self.fail(f"You may not read {inbound}: collect as the user who released")
            for name in names:
                student, found, _ = name.partition(assignment)
                if not found or chosen not in ("*", student):
                    continue
                entry = inbound / name
                why = self._why_refused(entry, student)
                if why:
                    self.log.error("%s: not collected: %s", _shown(name), why)
                    continue
                moment, doubts = times.entry_time(entry)
                yield {
                    "username": student,
                    "filename": name,
                    "path": entry,
                    "timestamp": moment,
                    "doubts": doubts,
                }

    def _check_folder(self, folder: Path) -> None:
        if not os.path.lexists(folder):
            self.fail(f"Course not found: {folder}; release an assignment first")
        why = why_distrusted(folder, groupshared=self.coursedir.groupshared)
        if why:
            self.fail(f"Nothing is collected from {folder}: {why}")

    def _inbound_folders(self, course: Path) -> list[Path]:
        if not self.identity.proved_by_folder:
            self._check_folder(course / _INBOUND)
            for folder in (course.parent, course / _INBOUND):
                if not self.coursedir.groupshared and forbid_renaming(folder):
                    self.log.warning(
                        "Anybody can rename what lies in %s: its owner should run  chmod +t %s",
                        *(folder, folder),
                    )
            return [course / _INBOUND]
        folders = []
        for folder in sorted(course.glob(f"{_INBOUND}-*")):
            if folder.is_symlink() or not folder.is_dir():
                self.log.error("%s: not looked at: it is no folder", _shown(folder.name))
            else:
                folders.append(folder)
        return folders

    def _why_refused(self, entry: Path, student: str) -> str | None:
        if not _NAME.fullmatch(student):
            return "what stands for the student is no name"
        about = os.lstat(entry)
        if not stat.S_ISDIR(about.st_mode):
            return "it is a link, not a folder" if entry.is_symlink() else "it is no folder"
        if self.identity.proved_by_folder:
            owner = entry.parent.name.removeprefix(f"{_INBOUND}-")
            if owner != student:
                return f"it is named as {student}'s, but {owner} handed it in"
        elif self._owners_count and (owner := name_of(about.st_uid)) != student:
            by = owner or f"a user without a name (id {about.st_uid})"
            return f"it is named as {student}'s, but {by} handed it in"
        return None

    @property
    def _owners_count(self) -> bool:
        # nbgrader's own option still switches it off.
        return self.check_owner and self.identity.proved_by_owner

    def _due_date(self) -> datetime.datetime | None:
        if not self.before_duedate:
            return None
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                return gradebook.find_assignment(self.coursedir.assignment_id).duedate
            except MissingEntry:
                return None

    def _chosen(self, records: list[Record], due: datetime.datetime | None) -> Record:
        """The newest entry of a student; with a date, the newest before it if there is one."""
        newest_first = self._sort_by_timestamp(records)
        in_time = [record for record in newest_first if due and record["timestamp"] <= due]
        return (in_time or newest_first)[0]

    def copy_files(self) -> None:
        """Copy the chosen entries."""
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        if not self.src_records:
            self.log.warning(
                "No submissions of '%s' for course '%s' to collect", assignment, course
            )
        for record in self.src_records:
            student = record["username"]
            target = Path(
                self.coursedir.format_path(self.coursedir.submitted_directory, student, assignment)
            )
            there = os.path.lexists(target)
            if there and not self._is_newer(record, target):
                self.log.info(
                    "Kept what was collected from %s: %s",
                    student,
                    "nothing newer was handed in" if self.update else "--update fetches newer ones",
                )
                continue
            self.log.info("%s submission: %s %s", "Updating" if there else "Collecting",
                          student, assignment)  # fmt: skip
            try:
                self._replace(record, target)
            except OSError as error:
                # One entry that cannot be copied must not keep the others out.
                self.log.error("%s: not collected: %s", _shown(record["filename"]), error)

    def _is_newer(self, record: Record, target: Path) -> bool:
        if not self.update:
            return False
        collected = self.coursedir.get_existing_timestamp(str(target))
        if self.before_duedate:
            return collected != record["timestamp"]
        return collected is None or record["timestamp"] > collected

    def _replace(self, record: Record, target: Path) -> None:
        """Put an entry into the course; what was there goes only when the new one is whole."""
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".collecting-"))
        try:
            refused = self._copy_plain(record["path"], draft / "new")
            doubts = list(record["doubts"])
            for name, why in refused[:MAX_TOLD]:
                self.log.warning(
                    "%s: left out %s: %s", _shown(record["filename"]), _shown(name), why
                )
                doubts.append(f"left out when it was collected: {name!r}, {why}")
            if len(refused) > MAX_TOLD:
                self.log.warning(
                    "%s: left out %d more files", _shown(record["filename"]),
                    len(refused) - MAX_TOLD,
                )  # fmt: skip
            with contextlib.suppress(FileNotFoundError):
                os.rename(target, draft / "old")
            try:
                os.rename(draft / "new", target)
                times.write_record(
                    target, record["timestamp"], doubts, root=Path(self.coursedir.root)
                )
            except BaseException:
                shutil.rmtree(target, ignore_errors=True)
                with contextlib.suppress(FileNotFoundError):
                    os.rename(draft / "old", target)
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        if self.coursedir.groupshared:
            self._share_with_group(target)

    def _copy_plain(self, source: Path, target: Path) -> list[tuple[str, str]]:
        refused = []
        left = self.coursedir.max_dir_size * 1000
        most = self.coursedir.max_file_size * 1000
        owner = os.lstat(source).st_uid if self._owners_count else None
        target.mkdir()
        for number, (name, folder, inside, why) in enumerate(
            walk(source, self.coursedir.ignore, by_name=False)
        ):
            if why is None and number >= MAX_FILES:
                why = f"more than {MAX_FILES} files"
            if why is None:
                try:
                    limit = MAX_BYTES if name.endswith(".ipynb") else most
                    content = read_bytes(name, min(limit, left), folder=folder, owner=owner)
                except RefusedError as error:
                    why = str(error)
                else:
                    left -= len(content)
                    path = target / inside
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                    # The time of saving is kept, as nbgrader does.
                    about = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
            if why:
                refused.append((inside, why))
        return refused

    def _share_with_group(self, folder: Path) -> None:
        for place, _, names in os.walk(folder):
            os.chmod(place, 0o2770 | stat.S_IMODE(os.stat(place).st_mode))
            for name in names:
                path = os.path.join(place, name)
                os.chmod(path, 0o660 | stat.S_IMODE(os.stat(path).st_mode))


def _shown(name: str) -> str:
    """A name that somebody else chose, safe and short enough for a line of a log."""
    text = name.encode("utf-8", "replace").decode()
    return repr(text if len(text) <= 120 else text[:117] + "…")
