"""The student's side of the exchange: the name under which work is handed in and fetched."""

import os

from nbgrader.exchange.default import (
    ExchangeFetchAssignment,
    ExchangeFetchFeedback,
    ExchangeList,
    ExchangeSubmit,
)
from nbgrader.utils import check_directory

from autograder.exchange.identity import Identity, IdentityError


class _Student:
    def ensure_root(self) -> None:
        """Look whether the exchange is there; in a pod its top folder cannot be written to."""
        if not Identity(parent=self).proved_by_folder:
            super().ensure_root()
        elif not check_directory(self.root, read=True, execute=True):
            self.fail(f"The exchange {self.root} is not there: ask whoever looks after the hub")

    def name_student(self) -> None:
        """Fill in who this is, where the system's user does not say it."""
        if self.coursedir.student_id == "*":
            try:
                self.coursedir.student_id = Identity(parent=self).me()
            except IdentityError as error:
                self.fail(str(error))


class FetchAssignment(_Student, ExchangeFetchAssignment):
    """Takes the place of nbgrader's ``ExchangeFetchAssignment``."""


class List(_Student, ExchangeList):
    """Takes the place of nbgrader's ``ExchangeList``."""


class FetchFeedback(_Student, ExchangeFetchFeedback):
    """Takes the place of nbgrader's ``ExchangeFetchFeedback``."""

    def init_src(self) -> None:
        """Find the pages of the person who asks."""
        self.name_student()
        super().init_src()


class Submit(_Student, ExchangeSubmit):
    """Takes the place of nbgrader's ``ExchangeSubmit``: others may read an entry, not change it."""

    def init_dest(self) -> None:
        """Choose the entry's name."""
        self.name_student()
        super().init_dest()

    def copy_files(self) -> None:
        """Hand in; nbgrader leaves the entry writable to everybody."""
        super().copy_files()
        os.chmod(os.path.join(self.inbound_path, self.assignment_filename), 0o755)
