"""The gradebook is written one transaction a submission, and waited for when it is busy."""

import sqlite3
import threading
import time

import pytest
from nbgrader.api import Gradebook

from autograder.gradebook import ledger
from autograder.gradebook.ledger import Ledger, LedgerError


@pytest.fixture
def url(tmp_path):
    address = f"sqlite:///{tmp_path / 'gradebook.db'}"
    Gradebook(address, "course").close()
    return address


def students(url):
    with Gradebook(url, "course") as gradebook:
        return sorted(student.id for student in gradebook.students)


def add(book, *names):
    for name in names:
        book.update_or_create_student(name)
    return len(names)


def test_a_change_is_seen_whole_or_not_at_all(url):
    with Ledger(url, "course") as book:

        def fail():
            add(book, "ada", "ben")
            raise RuntimeError("in the middle")

        with pytest.raises(RuntimeError):
            book.write(fail)
        assert students(url) == []
        assert book.write(lambda: add(book, "ada", "ben")) == 2
        assert students(url) == ["ada", "ben"]


def test_stepwise_each_step_is_seen_at_once(url):
    with Ledger(url, "course", stepwise=True) as book:

        def look():
            add(book, "ada")
            return students(url)

        assert book.write(look) == ["ada"]


def test_a_locked_gradebook_is_waited_for(url, tmp_path):
    holder = sqlite3.connect(
        tmp_path / "gradebook.db", isolation_level=None, check_same_thread=False
    )
    holder.execute("BEGIN EXCLUSIVE")
    threading.Timer(3, lambda: holder.execute("ROLLBACK")).start()
    with Ledger(url, "course") as book:
        book.write(lambda: add(book, "ada"))
    assert students(url) == ["ada"]
    holder.close()


def test_a_gradebook_that_stays_locked_gets_one_sentence(url, tmp_path, monkeypatch):
    with Ledger(url, "course") as book:
        monkeypatch.setattr(ledger, "PATIENCE_SECONDS", 1)
        holder = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(LedgerError, match=r"cannot be used \(database is locked\); another"):
            book.write(lambda: add(book, "ada"))
        assert time.monotonic() - began < 60
        holder.execute("ROLLBACK")
        holder.close()
        book.write(lambda: add(book, "ada"))
    assert students(url) == ["ada"]


def test_a_gradebook_that_is_none_gets_one_sentence_without_its_password(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "PATIENCE_SECONDS", 0)
    (tmp_path / "text.db").write_text("this is no database, but it is long enough to look at")
    with pytest.raises(LedgerError, match="file is not a database"):
        Ledger(f"sqlite:///{tmp_path / 'text.db'}", "course")
    with pytest.raises(LedgerError) as caught:
        Ledger("postgresql+psycopg://teacher:hush@127.0.0.1:1/grades", "course")
    assert "start the database server" in str(caught.value)
    assert "hush" not in str(caught.value)
