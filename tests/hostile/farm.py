"""An event loop in a thread that serves any number of hostile ports on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable

Handler = Callable[["Peer"], Awaitable[None]]


class Gone(Exception):  # noqa: N818 - not an error: how a connection ends
    """The connection is over."""


class Peer:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def get(self, size: int = 1 << 16) -> bytes:
        """Return what came; ends the handler when the client has gone."""
        data = await self.reader.read(size)
        if not data:
            raise Gone
        return data

    async def put(self, data: bytes) -> None:
        """Send, with back-pressure."""
        self.writer.write(data)
        await self.writer.drain()

    async def pour(self, data: bytes) -> None:
        """Send the same without end."""
        while True:
            await self.put(data)

    async def wait(self) -> None:
        """Say no more, and wait until the client goes."""
        while True:
            await self.get()

    def reset(self) -> None:
        """Break the connection with an RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise Gone


class Farm:
    """Use as a context manager; `serve` returns a port."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="hostile", daemon=True)
        self.tasks: set[asyncio.Task[None]] = set()
        self.servers: list[asyncio.Server] = []

    def __enter__(self) -> Farm:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        async def stop() -> None:
            for server in self.servers:
                server.close()
            for task in list(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def serve(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> tuple[int, Callable[[], None]]:
        """Serve on a free port of loopback; return it, and what closes it."""
        sock = socket.create_server(("127.0.0.1", 0), backlog=64)

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            self.tasks.add(task)
            try:
                with contextlib.suppress(Gone, OSError, asyncio.CancelledError, ssl.SSLError):
                    await handler(Peer(reader, writer))
            finally:
                self.tasks.discard(task)
                with contextlib.suppress(OSError, RuntimeError):
                    writer.close()

        started = asyncio.start_server(one, sock=sock, ssl=tls, limit=1 << 18)
        server = asyncio.run_coroutine_threadsafe(started, self.loop).result(10)
        self.servers.append(server)
        return sock.getsockname()[1], lambda: self.loop.call_soon_threadsafe(server.close)  # type: ignore[func-returns-value]
