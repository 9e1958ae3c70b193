"""Where a forkserver and its clients meet: names in its folder, and the size of what they say."""

SOCKET_NAME = "forkserver"
LOCK_NAME = "lock"  # held as long as the forkserver lives
PACKET = 65_536  # bytes of a request or an answer


def take_lock(descriptor: int) -> None:
    """Lock an open file; the lock goes with the descriptor.

    Raises
    ------
    OSError
        If somebody else has it.
    """
    import fcntl  # not on Windows, where there is nothing to meet

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
