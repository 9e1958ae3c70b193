"""Collect submissions from the exchange without believing what students could forge."""

import datetime
import os
import sys
from pathlib import Path
from typing import Any

from nbgrader.exchange.default.collect import ExchangeCollect

from autograder.submissions import times
from autograder.submissions.intake import walk
from autograder.submissions.reading import MAX_BYTES, RefusedError, read_bytes

MAX_FILES = 2_000


class Collect(ExchangeCollect):
    """Takes the place of nbgrader's ``ExchangeCollect``.

    Links, pipes and oversized files are not copied. Entries that do not belong to the student whose
    name they bear are passed over, so that nobody can replace another's work. The time is that of
    the exchange's record, see :mod:`autograder.submissions.times`, and is signed.
    """

    def _path_to_record(self, path: str) -> dict[str, Any]:
        folder = Path(path)
        moment, doubts = times.entry_time(folder)
        student = folder.name.rsplit("+", 3)[0]
        return {
            "username": student,
            "filename": folder.name,
            "timestamp": moment,
            "doubts": doubts,
            "honest": self._belongs(folder, student),
        }

    def _belongs(self, folder: Path, student: str) -> bool:
        if not student or student.startswith(".") or "/" in student or folder.is_symlink():
            return False
        if not self.check_owner or sys.platform == "win32":
            return True
        import pwd

        try:
            return pwd.getpwuid(os.lstat(folder).st_uid).pw_name == student
        except (KeyError, OSError):
            return False

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Newest first, but for entries of somebody else, which come last."""
        return sorted(
            records, key=lambda record: (record["honest"], record["timestamp"]), reverse=True
        )

    def copy_files(self) -> None:
        """Copy the entries that belong to their students."""
        self._records = {}
        for record in self.src_records:
            if not record["honest"]:
                self.log.error(
                    "%s does not belong to %s: not collected",
                    record["filename"],
                    record["username"],
                )
            self._records[record["filename"]] = record
        self.src_records = [record for record in self.src_records if record["honest"]]
        super().copy_files()

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy the plain files of one entry, and write down when it was handed in."""
        record = self._records[os.path.basename(src)]
        refused = self._copy_plain(Path(src), Path(dest))
        doubts = list(record["doubts"])
        for name, why in refused[:20]:
            self.log.warning("%s: left out %r: %s", record["filename"], name, why)
            doubts.append(f"left out when it was collected: {name!r}, {why}")
        moment: datetime.datetime = record["timestamp"]
        times.write_record(Path(dest), moment, doubts, root=Path(self.coursedir.root))

    def _copy_plain(self, source: Path, target: Path) -> list[tuple[str, str]]:
        refused = []
        left = self.coursedir.max_dir_size * 1000
        most = self.coursedir.max_file_size * 1000
        target.mkdir(parents=True)
        for number, (name, folder, inside, why) in enumerate(
            walk(source, self.coursedir.ignore, by_name=False)
        ):
            if why is None and number >= MAX_FILES:
                why = f"more than {MAX_FILES} files"
            if why is None:
                try:
                    limit = MAX_BYTES if name.endswith(".ipynb") else most
                    content = read_bytes(name, min(limit, left), folder=folder)
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
