"""A local HTTP server that serves files well or fails in the way that a test asks for."""

import contextlib
import http.server
import re
import threading
import time


class FailingServer(http.server.ThreadingHTTPServer):
    """Serves ``files`` well, until ``behaviour`` names a way to fail.

    ``failures`` is how many requests fail before it serves well again.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {}
        self.behaviour = "well"
        self.failures = 10**9
        self.ranges = []  # of every request: the Range header or None
        self.paths = []
        self.closing = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def fail(self, behaviour, times=10**9):
        self.behaviour, self.failures = behaviour, times

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        server.paths.append(self.path)
        behaviour = "well"
        if server.failures > 0:
            behaviour = server.behaviour
            server.failures -= 1
        content = server.files.get(self.path)
        if content is None or behaviour == "404":
            return self.answer(404, b"not here", {"Content-Type": "text/html"})
        return getattr(self, behaviour.replace(" ", "_").replace("500", "broken"))(content)

    def answer(self, status, body, headers=(), length=None):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if length != "none":
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def rest(self, content):
        """Status, headers and bytes that answer a Range header."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked:
            return 200, {}, content
        start = int(asked[1])
        if start >= len(content):
            return 416, {"Content-Range": f"bytes */{len(content)}"}, b""
        header = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return 206, header, content[start:]

    def well(self, content):
        status, headers, body = self.rest(content)
        self.answer(status, body, headers)

    def no_range(self, content):
        self.answer(200, content)

    def broken(self, content):
        self.answer(500, b"oops")

    def dropped(self, content):
        """Half of what is asked for, under headers that promise all of it."""
        status, headers, body = self.rest(content)
        self.answer(status, body[: len(body) // 2], headers, length=len(body))

    def dropped_at_once(self, content):
        self.close_connection = True

    def wrong_bytes(self, content):
        self.answer(200, bytes(len(content)))

    def one_byte(self, content):
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        self.answer(200, bytes(changed))

    def slow(self, content):
        """A byte now and then, for ever."""
        self.answer(200, b"", length=len(content))
        with contextlib.suppress(OSError):
            for byte in content:
                if self.server.closing.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))

    def silent(self, content):
        """Half, then nothing, while the connection stays open."""
        self.answer(200, content[: len(content) // 2], length=len(content))
        self.server.closing.wait(20)

    def no_answer(self, content):
        self.server.closing.wait(20)

    def html(self, content):
        page = b"<!DOCTYPE html><html><body>Welcome to the hotel</body></html>"
        self.answer(200, page, {"Content-Type": "text/html; charset=utf-8"})

    def html_in_disguise(self, content):
        self.answer(200, b"\n<html><body>Welcome</body></html>")

    def truncated(self, content):
        """Half a file, under headers that are right for half a file."""
        self.answer(200, content[: len(content) // 2])

    def endless(self, content):
        """No length, and bytes without end."""
        self.answer(200, b"", length="none")
        with contextlib.suppress(OSError):
            while not self.server.closing.is_set():
                self.wfile.write(bytes(1 << 16))

    def too_long(self, content):
        self.answer(200, b"", length=10**12)

    def slow_start(self, content):
        time.sleep(0.2)
        self.well(content)

    def log_message(self, *arguments):
        pass
