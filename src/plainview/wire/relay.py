"""A loopback relay: for drivers that open their own sockets, so that they too go through `wire`.

It listens on a random port of 127.0.0.1 and forwards bytes to the one address of its wire: the checks,
counts and limits are in it. Whatever other address a driver may learn from the server, it is never told
of by us, and the test with the audit hook shows that it does not connect there.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING

from plainview.errors import LimitError, NetworkError, PlainviewError, ProtocolError

if TYPE_CHECKING:
    from plainview.wire.traffic import Traffic

CHUNK = 1 << 18


class Relay:
    """A running relay. `host`, `port` are what the driver is given; `reading` switches the limits.

    While `reading` is false the limits of the stranger's question hold: so many seconds and bytes in all.
    A driver tells a broken connection in its own words: `check` raises what really happened.
    """

    host = "127.0.0.1"

    def __init__(self, wire: Traffic) -> None:
        self.wire = wire
        self.reading = False
        self.error: PlainviewError | None = None
        self._end = time.monotonic() + wire.limits.service
        self._received = 0
        self._closing = threading.Event()
        # The first connection is made at once: an unreachable store is known before a driver is loaded.
        self._first: socket.socket | None = wire.open_socket()
        self._listener = socket.create_server((self.host, 0), backlog=8)
        self._listener.settimeout(0.2)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="plainview-relay", daemon=True)]
        self._threads[0].start()

    def check(self) -> None:
        """Raise the error that stopped the relay, if any."""
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Stop listening and close all its connections; again does nothing."""
        self._closing.set()
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(2)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        with self._listener:
            while not self._closing.is_set():
                try:
                    client, _ = self._listener.accept()
                except TimeoutError:
                    continue
                try:
                    server = self._first or self.wire.open_socket()
                except NetworkError as error:
                    self._fail(error, client)
                    continue
                except PlainviewError as error:
                    self._fail(error, client)
                    continue
                self._first = None
                thread = threading.Thread(target=self._run, args=(client, server), name="plainview-relay", daemon=True)
                self._threads.append(thread)
                thread.start()
        if self._first is not None:
            self._first.close()
            self.wire.closed()

    def _fail(self, error: PlainviewError, client: socket.socket) -> None:
        self.error = error
        client.close()

    def _run(self, client: socket.socket, server: socket.socket) -> None:
        """Forward in both directions until one side ends."""
        try:
            self._pump(client, server)
        except PlainviewError as error:
            self.error = error
        except OSError:
            pass  # one side has gone: the driver sees the same, as a closed connection
        finally:
            client.close()
            server.close()
            self.wire.closed()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        buffer = memoryview(bytearray(CHUNK))
        for sock in (client, server):
            sock.settimeout(self.wire.limits.idle)
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while not self._closing.is_set():
                for key, _ in selector.select(0.2):
                    source, sink = key.fileobj, key.data
                    size = source.recv_into(buffer)  # type: ignore[union-attr]
                    if not size:
                        return
                    if source is server:
                        self._count(size)
                    sink.sendall(buffer[:size])
                if not self.reading:
                    self._check_patience()

    def _check_patience(self) -> None:
        if time.monotonic() > self._end:
            raise ProtocolError(f"the store kept us waiting for {self.wire.limits.service:g} s in all")

    def _count(self, size: int) -> None:
        self.wire.count_bytes(size, reading=self.reading)
        if self.reading:
            return
        self._received += size
        if self._received > self.wire.limits.listing:
            raise LimitError("the answers to the first questions are longer than the limit")
