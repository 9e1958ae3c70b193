"""The demo hub at its terminal: what it says, how it stops, what it finds when it starts again."""

import signal
from pathlib import Path

import pytest

from hub.demo import BANNER
from tests.hub.conftest import LESSON

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


def test_the_terminal_says_how_to_get_in_and_that_nobody_is_isolated(hub):
    shown = " ".join(hub.shown().split())
    assert BANNER in shown
    assert f"{hub.address}/" in shown
    assert hub.settings.password in shown
    assert "instructor, ada, ben" in shown
    assert "2 released" in shown


def listening(pid):
    """Addresses, in hexadecimal, at which somebody listens in the network of a process."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    ]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A"}


def test_it_runs_as_a_plain_user_and_listens_here_only(hub):
    running = hub.processes()
    assert any("jupyterhub_config.py" in " ".join(one.cmdline()) for one in running)
    assert all(one.uids().real != 0 for one in running)
    assert listening(running[0].pid) == {"0100007F"}  # 127.0.0.1
    assert hub.state.stat().st_mode & 0o077 == 0


def test_a_second_one_gives_up_with_one_sentence(hub, place):
    done = hub.try_once()
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "runs already" in done.stderr
    done = hub.try_once("--state", str(place.home / "other"))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "port 8000 is taken" in done.stderr


def test_it_stops_without_leaving_a_process_and_goes_on_with_what_it_had(hub):
    password = hub.settings.password
    released = hub.state / "exchange" / "toy" / "outbound" / LESSON
    stamp = released.stat().st_mtime_ns
    note = hub.state / "homes" / "ada" / "note.txt"
    note.write_text("mine")
    for signum in (signal.SIGINT, signal.SIGTERM):
        assert hub.stop(signum) == 0
        assert hub.processes() == []
        assert hub.shown().rstrip().endswith("Stopped.")
        hub.start()
    assert hub.settings.password == password
    assert released.stat().st_mtime_ns == stamp
    assert note.read_text() == "mine"
