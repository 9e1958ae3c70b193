"""nbgrader's gradebook, opened once for a class and written one transaction a submission."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from nbgrader.api import Gradebook, InvalidEntry
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

# How long a locked or restarting database is waited for.
PATIENCE_SECONDS = 90.0
_PAUSE_SECONDS = 0.5

Value = TypeVar("Value")


class LedgerError(Exception):
    """The gradebook cannot be read or written; the message says what to do."""


class _WholeSession(Session):
    """nbgrader commits after every step; here all steps are committed at once."""

    def commit(self) -> None:
        self.flush()

    def commit_all(self) -> None:
        super().commit()


class Ledger(Gradebook):
    """A :class:`nbgrader.api.Gradebook` whose changes become visible together, or not at all.

    nbgrader opens the gradebook anew for every step, and commits 27 times a submission. This one
    stays open, and :meth:`write` makes one transaction of everything that belongs together. It
    waits for a database that is locked or being restarted, and begins the transaction again.

    Parameters
    ----------
    db_url : str
        ``CourseDirectory.db_url``: SQLite, PostgreSQL, …
    course_id : str
        ``CourseDirectory.course_id``.
    stepwise : bool
        Commit after every step, as nbgrader does. Needed when a course has preprocessors of its
        own that open the gradebook by themselves.
    """

    def __init__(self, db_url: str, course_id: str, *, stepwise: bool = False) -> None:
        self._url = make_url(db_url)
        self._patiently(lambda: super(Ledger, self).__init__(db_url, course_id))
        self.close()
        # SQLite waits in the driver; PostgreSQL's connections are tried before each transaction.
        options = {"timeout": 2} if self._url.get_backend_name() == "sqlite" else {}
        self.engine = create_engine(db_url, future=True, pool_pre_ping=True, connect_args=options)
        kind = Session if stepwise else _WholeSession
        self.db = scoped_session(sessionmaker(class_=kind, bind=self.engine, autoflush=True))

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, change: Callable[[], Value]) -> Value:
        """Call `change` within one transaction, and commit.

        Parameters
        ----------
        change : callable
            Changes the gradebook by the methods of this object. Called again, on a fresh
            transaction, if the database was locked or gone for a while.

        Raises
        ------
        LedgerError
            If the database stays locked or gone.
        """

        def whole() -> Value:
            value = change()
            session = self.db()
            getattr(session, "commit_all", session.commit)()
            return value

        return self._patiently(whole)

    def read(self, question: Callable[[], Value]) -> Value:
        """Call `question`, which only reads, and end the transaction."""

        def whole() -> Value:
            try:
                return question()
            finally:
                self.db.remove()

        return self._patiently(whole)

    def _patiently(self, step: Callable[[], Value]) -> Value:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return step()
            except (DBAPIError, InvalidEntry) as caught:
                error = caught.__context__ if isinstance(caught, InvalidEntry) else caught
                self._forget()
                if not isinstance(error, DBAPIError):
                    raise
                if not _passes(error):
                    raise LedgerError(self._explain(error)) from None
                if time.monotonic() > deadline:
                    raise LedgerError(self._explain(error)) from None
                time.sleep(_PAUSE_SECONDS)
            except BaseException:
                self._forget()
                raise

    def _forget(self) -> None:
        if hasattr(self, "db"):
            # A connection that is gone cannot be rolled back; it is thrown away all the same.
            try:
                self.db.remove()
            except DBAPIError:
                self.engine.dispose()

    def _explain(self, error: DBAPIError) -> str:
        place = self._url.render_as_string(hide_password=True)
        reason = str(error.orig or error).strip().splitlines()[0]
        if "locked" in reason:
            advice = "another program holds it: close that program, then run the same command again"
        elif "full" in reason or "No space" in reason:
            advice = "make room on the disk, then run the same command again"
        elif _passes(error):
            advice = "start the database server, then run the same command again"
        else:
            advice = "if nbgrader was updated, back it up and run `nbgrader db upgrade`"
        return f"the gradebook {place} cannot be used ({reason}); {advice}"


_SIGNS = ("locked", "connection", "server closed", "shutting down", "starting up", "terminat")


def _passes(error: DBAPIError) -> bool:
    """Whether it may work a moment later."""
    text = str(error.orig or error).lower()
    return bool(error.connection_invalidated) or any(sign in text for sign in _SIGNS)


def open_gradebook(resources: dict[str, Any]) -> tuple[Gradebook, bool]:
    """Give a preprocessor its gradebook.

    Returns
    -------
    (Gradebook, bool)
        The class's ledger if there is one, else a gradebook of its own; and whether the caller has
        to close it.
    """
    ledger = resources.get("autograder", {}).get("ledger")
    if ledger is not None:
        return ledger, False
    return Gradebook(resources["nbgrader"]["db_url"]), True
