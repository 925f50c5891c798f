"""A fake server in a thread, for what no real one does: it sends what it is told, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def fake(
    behave: Behaviour, *, tls: ssl.SSLContext | None = None, first: bool = True
) -> Iterator[tuple[int, list[bytes]]]:
    """Serve on loopback; yield the port and the list of first chunks that clients sent.

    `behave` gets the connection and the first bytes (none with `first` false); the connection is closed after it.
    """
    seen: list[bytes] = []
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)

    def one(sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), sock:
            sock.settimeout(10)
            secured = tls.wrap_socket(sock, server_side=True) if tls else sock
            with secured:
                data = secured.recv(65536) if first else b""
                if first and not data:
                    return
                seen.append(data)
                behave(secured, data)

    def serve() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                sock, _ = listener.accept()
                threading.Thread(target=one, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        stop.set()
        thread.join()
        listener.close()


def answer(data: bytes) -> Behaviour:
    """Send the same to whatever is asked, once."""
    return lambda sock, _: sock.sendall(data)


def always(data: bytes) -> Behaviour:
    """Send the same to everything that is asked, again and again."""

    def behave(sock: socket.socket, first: bytes) -> None:
        while first:
            sock.sendall(data)
            first = sock.recv(65536)

    return behave


def endless(start: bytes, more: bytes) -> Behaviour:
    """Never come to an end."""

    def behave(sock: socket.socket, _: bytes) -> None:
        sock.sendall(start)
        while True:
            sock.sendall(more)

    return behave


def drip(start: bytes, more: bytes, seconds: float) -> Behaviour:
    """Send one byte at a time."""

    def behave(sock: socket.socket, _: bytes) -> None:
        sock.sendall(start)
        pause = threading.Event()
        for byte in more:
            sock.sendall(bytes([byte]))
            pause.wait(seconds)

    return behave


def silent(sock: socket.socket, _: bytes) -> None:
    """Take the connection and say nothing."""
    sock.recv(1)


def reset(sock: socket.socket, _: bytes) -> None:
    """Break the connection with an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@contextlib.contextmanager
def between(port: int, change: Callable[[bytes], bytes]) -> Iterator[int]:
    """Stand between a client and a server on loopback; `change` gets what the server sends first on each connection."""

    def behave(client: socket.socket, _: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port), 10) as server:

            def back() -> None:
                with contextlib.suppress(OSError):
                    data = change(server.recv(65536))
                    while data:
                        client.sendall(data)
                        data = server.recv(65536)
                    client.shutdown(socket.SHUT_WR)

            thread = threading.Thread(target=back, daemon=True)
            thread.start()
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    server.sendall(data)
                server.shutdown(socket.SHUT_WR)
            thread.join(10)

    with fake(behave, first=False) as (own, _):
        yield own
