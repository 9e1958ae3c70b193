"""A worker makes rooms for more submissions than it runs at a time."""

import threading
import time

import pytest

from autograder.workers import turns
from autograder.workers.turns import set_turns, turn

HERE = "tests.autograder.workers.functions."


@pytest.fixture
def two_turns():
    set_turns(2)
    yield
    set_turns(None)


def _at_a_time(count):
    """Take a turn in so many threads; return how many had one at the same time, at most."""
    running, most, lock = [], [0], threading.Lock()

    def run(number):
        with turn():
            with lock:
                running.append(number)
                most[0] = max(most[0], len(running))
            time.sleep(0.05)
            with lock:
                running.remove(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return most[0]


def test_no_more_run_than_there_are_turns(two_turns):
    assert _at_a_time(7) == 2


def test_without_a_number_nobody_waits():
    assert turns._turns is None
    assert _at_a_time(5) == 5


def test_a_turn_that_ends_in_an_error_is_given_back(two_turns):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), turn():
            raise ZeroDivisionError
    assert _at_a_time(4) == 2


def test_workers_prepare_twice_as_many_as_they_run(cluster):
    payloads = [b"%d" % number for number in range(12)]
    answers = [
        answer.split()
        for _, answer in cluster.examine(enumerate(payloads), function=HERE + "turns")
    ]
    assert max(int(running) for running, _ in answers) == cluster.slots
    assert max(int(there) for _, there in answers) == 2 * cluster.slots
