"""The instructor's side of the exchange, but for collecting: release lessons and feedback."""

import os
import re
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseAssignment, ExchangeReleaseFeedback

from autograder.exchange.folders import INBOUND, STICKY_FOR_ALL, forbid_renaming
from autograder.exchange.identity import Identity


class ReleaseAssignment(ExchangeReleaseAssignment):
    """Takes the place of nbgrader's ``ExchangeReleaseAssignment``: folders with the sticky bit."""

    def ensure_root(self) -> None:
        """Make the exchange's folder, in which everybody may write and nobody may rename."""
        root = Path(self.root)
        if not root.exists():
            self.log.warning("Making the exchange's folder: %s", root)
            try:
                root.mkdir(parents=True)
                root.chmod(STICKY_FOR_ALL)
            except PermissionError:
                self.fail(f"{root} cannot be made: ask whoever looks after this machine")
        elif not self.coursedir.groupshared and forbid_renaming(root):
            self.log.warning(
                "Anybody can rename the courses in %s: its owner should run  chmod 1777 %s",
                *(root, root),
            )

    def ensure_directory(self, path: str, mode: int) -> None:
        """Make one of the course's folders; the one for submissions gets the sticky bit."""
        super().ensure_directory(path, mode)
        if path == self.inbound_path and not self.coursedir.groupshared:
            os.chmod(path, INBOUND)


class ReleaseFeedback(ExchangeReleaseFeedback):
    """Takes the place of nbgrader's ``ExchangeReleaseFeedback``.

    Where pods tell people apart, each student's pages go to a folder that only that student's pod
    can see: ``feedback-NAME``.
    """

    def copy_files(self) -> None:
        """Copy the pages."""
        if not Identity(parent=self).proved_by_folder:
            super().copy_files()
            return
        folder = self.coursedir.format_path(
            self.coursedir.feedback_directory, "*", self.coursedir.assignment_id
        )
        before, _, after = folder.partition("*")
        wanted = re.compile(re.escape(before) + "([^/]+)" + re.escape(after))
        chosen = self.coursedir.student_id
        for path in sorted(Path(before or ".").glob(f"*{after}")):
            found = wanted.fullmatch(str(path))
            if found is None or chosen not in ("*", "", found[1]):
                continue
            self.src_path = str(path)
            self.dest_path = os.path.join(self.course_path, f"feedback-{found[1]}")
            self.ensure_directory(self.dest_path, 0o711)
            super().copy_files()
