"""Frames of bytes on the socket between the two rooms."""

import select
import socket
import time

MAX_FRAME = 256 * 2**20 + 1024
_HEADER = 8  # bytes that tell the length of a frame
_CHUNK = 2**20


class LinkLost(RuntimeError):
    """The other room cannot be asked any more."""


class Link:
    """One end of the link: whole frames, in order, within a time.

    Parameters
    ----------
    connection : socket.socket
        A connected stream socket; the link closes it.
    limit : int
        Bytes of the largest frame.

    Attributes
    ----------
    lost : str
        Why nothing can be sent or received any more; empty while all is well.

    Notes
    -----
    An exception that a signal handler raises while a frame is on its way does no harm: what has
    arrived is kept, and what was begun is sent to its end first. Where that is not certain, the
    link counts as lost.
    """

    def __init__(self, connection: socket.socket, limit: int = MAX_FRAME) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._limit = limit
        self._incoming = bytearray()
        self._outgoing = b""
        self._sent = 0  # bytes of it that are gone
        self._moving = False  # between the moment when bytes leave one place and reach the other
        self.lost = ""

    def send(self, frame: bytes, deadline: float | None = None) -> None:
        """Send a frame.

        Parameters
        ----------
        frame : bytes
            What to send.
        deadline : float, optional
            When to give up, by :func:`time.monotonic`.

        Raises
        ------
        LinkLost
            If the other end is gone, or takes nothing until the deadline.
        """
        if len(frame) > self._limit:
            raise ValueError(f"a frame of {len(frame):,} bytes; at most {self._limit:,} fit")
        self._check()
        self._flush(deadline)
        # One assignment: a signal between two of them would leave half a frame.
        self._outgoing = len(frame).to_bytes(_HEADER, "big") + frame
        self._flush(deadline)

    def _flush(self, deadline: float | None) -> None:
        if self._outgoing:
            self._push()
        while self._outgoing:
            if not self._wait(select.POLLIN | select.POLLOUT, deadline):
                self._lose("the other room does not take what is sent to it")

    def receive(self, deadline: float | None = None) -> bytes | None:
        """Wait for a frame.

        Returns
        -------
        bytes or None
            None if the deadline passed before a whole frame was there.

        Raises
        ------
        LinkLost
            If the other end is gone, or announces a frame that is too large.
        """
        while True:
            self._check()
            if len(self._incoming) >= _HEADER:
                size = int.from_bytes(self._incoming[:_HEADER], "big")
                if size > self._limit:
                    self._lose(f"a frame of {size:,} bytes; at most {self._limit:,} fit")
                if len(self._incoming) >= _HEADER + size:
                    with memoryview(self._incoming) as view:
                        frame = bytes(view[_HEADER : _HEADER + size])
                    del self._incoming[: _HEADER + size]
                    return frame
            if not self._wait(select.POLLIN, deadline):
                return None

    def close(self, reason: str = "the link was closed") -> None:
        """Close this end; the other one sees the end of the stream."""
        self.lost = self.lost or reason
        self._incoming = bytearray()
        self._socket.close()

    def _wait(self, events: int, deadline: float | None) -> bool:
        """Move some bytes, in whatever direction they can; False once the deadline has passed."""
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return False
        poll = select.poll()
        # What does not fit is left where it is: the other end waits, this one is not filled up.
        if len(self._incoming) > self._limit + _HEADER:
            events &= ~select.POLLIN
        poll.register(self._socket, events)
        ready = poll.poll(None if left is None else max(left * 1000, 1))
        for _, event in ready:
            if event & select.POLLOUT:
                self._push()
            if event & (select.POLLIN | select.POLLHUP | select.POLLERR):
                self._pull()
        return True

    def _push(self) -> None:
        self._moving = True
        try:
            view = memoryview(self._outgoing)[self._sent : self._sent + _CHUNK]
            self._sent += self._socket.send(view)
            if self._sent == len(self._outgoing):
                self._outgoing, self._sent = b"", 0
        except BlockingIOError:
            pass
        except OSError:
            self._moving = False
            self._lose("")
        self._moving = False

    def _pull(self) -> None:
        self._moving = True
        try:
            data = self._socket.recv(_CHUNK)
            self._incoming += data
        except BlockingIOError:
            self._moving = False
            return
        except OSError:
            data = b""
        self._moving = False
        if not data:
            self._lose("")

    def _check(self) -> None:
        if self._moving:
            self._lose("a message was cut in two by an interrupt")
        if self.lost:
            raise LinkLost(self.lost)

    def _lose(self, reason: str) -> None:
        self.close(reason or "the kernel died: a crash, or more memory than there is")
        raise LinkLost(self.lost)
