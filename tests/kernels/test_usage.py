"""What a room has used is the answer to the question that was asked, however late others come."""

import json
import socket
import threading

import pytest

from autograder.kernels.client import RoomProcess


@pytest.fixture
def ends():
    """A room's process as its owner sees it, and the forkserver's end of the line."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield RoomProcess(ours), theirs


def answer(line, number, seconds):
    line.send(json.dumps({"usage": {"processor_seconds": seconds}, "number": number}).encode())


def test_a_late_answer_does_not_count_for_the_next_question(ends):
    room, forkserver = ends
    assert room.usage(seconds=0.1) == {}
    answer(forkserver, 1, 2.0)
    later = threading.Timer(0.3, answer, (forkserver, 2, 5.0))
    later.start()
    assert room.usage(seconds=10) == {"processor_seconds": 5.0}
    later.join()


def test_without_an_answer_it_is_the_last_that_is_known(ends):
    room, forkserver = ends
    answer(forkserver, 1, 2.0)
    assert room.usage(seconds=10) == {"processor_seconds": 2.0}
    assert room.usage(seconds=0.1) == {"processor_seconds": 2.0}
